// SPDX-License-Identifier: GPL-2.0
/* Guest memory that is a VMM's memory: see <vhost_target/gmem_user.h>. */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <vhost_target/gmem_user.h>

struct user_region {
	struct vt_region r;
	struct mmu_interval_notifier ni;
	struct vt_gmem_user *gu;
};

/**
 * struct user_fill - the chunk that is being pinned
 * @on: there is one
 * @index: its
 * @stale: pages of it that were changed meanwhile
 */
struct user_fill {
	bool on;
	u64 index;
	DECLARE_BITMAP(stale, VT_CHUNK_PAGES);
};

/**
 * struct user_table - the regions, sorted by guest address
 * @nr: entries
 * @region: the regions
 */
struct user_table {
	unsigned int nr;
	struct user_region region[];
};

/**
 * struct vt_gmem_user - memory of an address space
 * @gm: what pollers look up in
 * @mm: the address space; a reference on the struct
 * @table: regions; gm.fill_lock
 * @sync: waits for requests
 * @sync_arg: its argument
 * @limit: pages that may be pinned, by the owner's RLIMIT_MEMLOCK
 * @filling: what the holder of gm.fill_lock is at; gm.lock
 * @first: watches nothing; the first notifier of an address space takes its
 *	mmap_lock, which vhost_vdpa may hold when it sets the table
 */
struct vt_gmem_user {
	struct vt_gmem gm;
	struct mm_struct *mm;
	struct user_table *table;
	void (*sync)(void *arg);
	void *sync_arg;
	unsigned long limit;
	struct user_fill filling;
	struct mmu_interval_notifier first;
};

static struct vt_gmem_user *to_user(struct vt_gmem *gm)
{
	return container_of(gm, struct vt_gmem_user, gm);
}

static void filling_stale(struct user_fill *f, u64 first, u64 last)
{
	unsigned int from, to;

	if (!f->on || f->index < first >> VT_CHUNK_SHIFT ||
	    f->index > last >> VT_CHUNK_SHIFT)
		return;
	vt_chunk_range(f->index, first, last, &from, &to);
	bitmap_set(f->stale, from, to - from + 1);
}

/* The VMM takes memory away, or changes it, in [range->start, range->end). */
static bool user_invalidate(struct mmu_interval_notifier *ni,
			    const struct mmu_notifier_range *range,
			    unsigned long cur_seq)
{
	struct user_region *ur = container_of(ni, struct user_region, ni);
	struct vt_gmem *gm = &ur->gu->gm;
	const struct vt_region *r = &ur->r;
	u64 first, last;
	bool any;

	first = max(range->start, r->uaddr) - r->uaddr;
	last = min(range->end - 1, r->uaddr + r->size - 1) - r->uaddr;

	spin_lock(&gm->lock);
	mmu_interval_set_seq(ni, cur_seq);
	filling_stale(&ur->gu->filling, r->gpa + first, r->gpa + last);
	any = vt_gmem_punch(gm, r->gpa + first, r->gpa + last);
	spin_unlock(&gm->lock);
	/* The pages stay pinned until what uses them is done. */
	if (any)
		vt_gmem_reap_later(gm);
	return true;
}

static const struct mmu_interval_notifier_ops user_notifier_ops = {
	.invalidate = user_invalidate,
};

static bool first_invalidate(struct mmu_interval_notifier *ni,
			     const struct mmu_notifier_range *range,
			     unsigned long cur_seq)
{
	mmu_interval_set_seq(ni, cur_seq);
	return true;
}

static const struct mmu_interval_notifier_ops first_notifier_ops = {
	.invalidate = first_invalidate,
};

static bool region_in_chunk(const struct vt_region *r, u64 index, u64 *first,
			    u64 *last)
{
	u64 start = index << VT_CHUNK_SHIFT;
	u64 end = start + VT_CHUNK_SIZE - 1;

	*first = max(start, r->gpa);
	*last = min(end, r->gpa + r->size - 1);
	return *first <= *last;
}

static void chunk_unpin(struct vt_gmem_user *gu, struct vt_chunk *c)
{
	unsigned int i, n = c->nr;

	for (i = 0; i < VT_CHUNK_PAGES && n; i++) {
		struct page *page = (void *)(c->page[i] & ~VT_PAGE_RO);

		if (!page)
			continue;
		unpin_user_pages_dirty_lock(&page, 1,
					    !(c->page[i] & VT_PAGE_RO));
		c->page[i] = 0;
		n--;
	}
	atomic64_sub(c->nr, &gu->mm->pinned_vm);
	c->nr = 0;
}

static void user_release(struct vt_gmem *gm, struct vt_chunk *c)
{
	struct vt_gmem_user *gu = to_user(gm);
	struct page *page;

	if (!c->contig) {
		chunk_unpin(gu, c);
		return;
	}
	page = (void *)(c->page[0] & ~VT_PAGE_RO);
	unpin_user_page_range_dirty_lock(page, c->nr,
					 !(c->page[0] & VT_PAGE_RO));
	atomic64_sub(c->nr, &gu->mm->pinned_vm);
}

/* Pages from @i of a chunk on, all alike. Returns: how many, or an error. */
static long chunk_pin_some(struct vt_gmem_user *gu, struct vt_chunk *c,
			   unsigned int i, unsigned long uaddr,
			   unsigned long nr, unsigned long ro,
			   struct page **pages)
{
	long n, k;

	n = pin_user_pages_remote(gu->mm, uaddr, nr, FOLL_LONGTERM |
				  (ro ? 0 : FOLL_WRITE), pages, NULL);
	for (k = 0; k < n; k++)
		c->page[i + k] = (unsigned long)pages[k] | ro;
	if (n > 0)
		c->nr += n;
	return n ?: -EFAULT;
}

/*
 * Pin what is there of one region's part of a chunk; holes stay holes. A page
 * that cannot be had is no reason to do without the others; but if the one
 * that is looked for, @at, may be had later, that is an error.
 */
static int chunk_pin(struct vt_gmem_user *gu, struct vt_chunk *c,
		     const struct vt_region *r, u64 first, u64 last,
		     unsigned int at, struct page **pages)
{
	unsigned long uaddr = r->uaddr + (first - r->gpa);
	unsigned int i = (first & (VT_CHUNK_SIZE - 1)) >> PAGE_SHIFT;
	unsigned int end = i + ((last - first) >> PAGE_SHIFT) + 1;
	unsigned long ro = r->ro ? VT_PAGE_RO : 0;
	long n;

	for (; i < end; i += n, uaddr += n * PAGE_SIZE) {
		n = chunk_pin_some(gu, c, i, uaddr, end - i, ro, pages);
		if (n > 0)
			continue;
		n = chunk_pin_some(gu, c, i, uaddr, 1, ro, pages);
		/* Perhaps the VMM itself may only read it. */
		if (n == -EFAULT && !ro)
			n = chunk_pin_some(gu, c, i, uaddr, 1, VT_PAGE_RO,
					   pages);
		if (i == at && (n == -ENOMEM || n == -EAGAIN || n == -EBUSY))
			return -ENOMEM;
		n = 1;
	}
	return 0;
}

static int chunk_pin_all(struct vt_gmem_user *gu, struct vt_chunk *c,
			 unsigned int at, struct page **pages)
{
	struct user_table *t = gu->table;
	u64 first, last;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < t->nr; i++)
		if (region_in_chunk(&t->region[i].r, c->index, &first, &last))
			err = chunk_pin(gu, c, &t->region[i].r, first, last, at,
					pages);
	atomic64_add(c->nr, &gu->mm->pinned_vm);
	return err;
}

/*
 * From now on a change of the chunk is noticed, and those which began before are
 * over. (mmu_interval_read_retry() would tell of changes anywhere in a
 * region: a VMM that makes them all the time would never have its memory.)
 */
static void filling_begin(struct vt_gmem_user *gu, u64 index)
{
	struct user_table *t = gu->table;
	struct vt_gmem *gm = &gu->gm;
	u64 first, last;
	unsigned int i;

	spin_lock(&gm->lock);
	gu->filling.on = true;
	gu->filling.index = index;
	bitmap_zero(gu->filling.stale, VT_CHUNK_PAGES);
	spin_unlock(&gm->lock);
	for (i = 0; i < t->nr; i++) {
		struct user_region *ur = &t->region[i];

		if (region_in_chunk(&ur->r, index, &first, &last))
			mmu_interval_read_begin(&ur->ni);
	}
}

static void filling_end(struct vt_gmem_user *gu)
{
	struct vt_gmem *gm = &gu->gm;

	spin_lock(&gm->lock);
	gu->filling.on = false;
	spin_unlock(&gm->lock);
}

/* A huge page: one pointer instead of 512. */
static struct vt_chunk *chunk_compact(struct vt_chunk *c)
{
	unsigned long first = c->page[0];
	struct vt_chunk *small;
	unsigned int i;

	if (c->nr != VT_CHUNK_PAGES)
		return c;
	for (i = 1; i < VT_CHUNK_PAGES; i++)
		if (c->page[i] != first + i * sizeof(struct page))
			return c;
	small = vt_chunk_alloc(c->index, true, GFP_KERNEL_ACCOUNT);
	if (!small)
		return c;
	small->page[0] = first;
	small->nr = c->nr;
	vt_chunk_free(c);
	return small;
}

static bool user_over_limit(struct vt_gmem_user *gu)
{
	return atomic64_read(&gu->mm->pinned_vm) + VT_CHUNK_PAGES > gu->limit;
}

/* Everything that is not in use is given back before more is refused. */
static int user_make_room(struct vt_gmem_user *gu)
{
	struct vt_gmem *gm = &gu->gm;

	if (!user_over_limit(gu))
		return 0;
	spin_lock(&gm->lock);
	vt_gmem_drop(gm, 0, U64_MAX);
	spin_unlock(&gm->lock);
	vt_gmem_reap(gm);
	WRITE_ONCE(gm->evictions, gm->evictions + 1);
	return user_over_limit(gu) ? -EFAULT : 0;
}

/*
 * The lock is only tried: a writer may wait for it, that waits for somebody
 * who sets the table with the lock held and waits for the fill_lock we hold.
 */
static struct vt_chunk *chunk_make(struct vt_gmem_user *gu, u64 index,
				   unsigned int at, struct page **pages)
{
	struct vt_chunk *c = vt_chunk_alloc(index, false, GFP_KERNEL_ACCOUNT);
	int err;

	if (!c)
		return ERR_PTR(-ENOMEM);
	if (!mmap_read_trylock(gu->mm)) {
		vt_chunk_free(c);
		return ERR_PTR(-EBUSY);
	}
	err = chunk_pin_all(gu, c, at, pages);
	mmap_read_unlock(gu->mm);
	if (!err)
		return chunk_compact(c);
	user_release(&gu->gm, c);
	vt_chunk_free(c);
	return ERR_PTR(err);
}

/* A VMM that changes its memory all the time keeps nobody here. */
#define USER_FILL_TRIES	8

/*
 * Insert it without the pages that were changed while they were pinned; those
 * are left in @gone. -EAGAIN: the page that is looked for, @at, is one of them.
 */
static int filling_insert(struct vt_gmem_user *gu, struct vt_chunk *c,
			  struct vt_chunk *gone, unsigned int at)
{
	unsigned long *stale = gu->filling.stale;
	unsigned int i;

	lockdep_assert_held(&gu->gm.lock);

	if (!bitmap_empty(stale, VT_CHUNK_PAGES)) {
		if (c->contig || test_bit(at, stale))
			return -EAGAIN;
		for_each_set_bit(i, stale, VT_CHUNK_PAGES)
			vt_chunk_move(c, gone, i);
	}
	return vt_gmem_insert(&gu->gm, c);
}

/* One try. */
static int user_fill_chunk(struct vt_gmem_user *gu, u64 addr,
			   struct page **pages, struct vt_chunk *gone)
{
	unsigned int at = (addr & (VT_CHUNK_SIZE - 1)) >> PAGE_SHIFT;
	struct vt_gmem *gm = &gu->gm;
	bool hole = false;
	struct vt_chunk *c;
	int err;

	filling_begin(gu, addr >> VT_CHUNK_SHIFT);
	c = chunk_make(gu, addr >> VT_CHUNK_SHIFT, at, pages);
	if (IS_ERR(c))
		return PTR_ERR(c);
	err = -EFAULT;
	if (c->nr) {
		spin_lock(&gm->lock);
		err = filling_insert(gu, c, gone, at);
		hole = !vt_chunk_has(c, addr);
		spin_unlock(&gm->lock);
		user_release(gm, gone);
	}
	if (err) {
		user_release(gm, c);
		vt_chunk_free(c);
	}
	return err ?: hole ? -EFAULT : 0;
}

static int user_fill_mm(struct vt_gmem_user *gu, u64 addr, struct page **pages)
{
	unsigned int tries = USER_FILL_TRIES;
	struct vt_chunk *gone;
	int err;

	gone = vt_chunk_alloc(addr >> VT_CHUNK_SHIFT, false,
			      GFP_KERNEL_ACCOUNT);
	if (!gone)
		return -ENOMEM;
	do {
		err = user_fill_chunk(gu, addr, pages, gone);
		cond_resched();
	} while (err == -EAGAIN && --tries);
	filling_end(gu);
	vt_chunk_free(gone);
	/* A chunk with holes may have been replaced. */
	vt_gmem_reap_later(&gu->gm);
	return err == -EAGAIN ? -EBUSY : err;
}

static int user_fill(struct vt_gmem *gm, u64 addr)
{
	struct vt_gmem_user *gu = to_user(gm);
	struct page **pages;
	int err;

	lockdep_assert_held(&gm->fill_lock);

	if (!gu->table)
		return -EFAULT;
	err = user_make_room(gu);
	if (err)
		return err;
	pages = kmalloc_array(VT_CHUNK_PAGES, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	err = -EFAULT;
	if (mmget_not_zero(gu->mm)) {
		err = user_fill_mm(gu, addr, pages);
		mmput(gu->mm);
	}
	kfree(pages);
	return err;
}

static void user_sync(struct vt_gmem *gm)
{
	struct vt_gmem_user *gu = to_user(gm);

	gu->sync(gu->sync_arg);
}

static const struct vt_gmem_ops user_ops = {
	.fill		= user_fill,
	.release	= user_release,
	.sync		= user_sync,
};

struct vt_gmem_user *vt_gmem_user_create(struct mm_struct *mm,
					 void (*sync)(void *arg), void *sync_arg)
{
	struct vt_gmem_user *gu;
	int err;

	gu = kzalloc(sizeof(*gu), GFP_KERNEL_ACCOUNT);
	if (!gu)
		return ERR_PTR(-ENOMEM);
	err = mmu_interval_notifier_insert(&gu->first, mm, 0, PAGE_SIZE,
					   &first_notifier_ops);
	if (err) {
		kfree(gu);
		return ERR_PTR(err);
	}
	vt_gmem_init(&gu->gm, &user_ops);
	mmgrab(mm);
	gu->mm = mm;
	gu->sync = sync;
	gu->sync_arg = sync_arg;
	gu->limit = capable(CAP_IPC_LOCK) ? ULONG_MAX >> 1 :
		    rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	return gu;
}
EXPORT_SYMBOL_GPL(vt_gmem_user_create);

static void table_free(struct user_table *t, unsigned int nr_inserted)
{
	while (nr_inserted)
		mmu_interval_notifier_remove(&t->region[--nr_inserted].ni);
	kvfree(t);
}

void vt_gmem_user_destroy(struct vt_gmem_user *gu)
{
	if (gu->table)
		table_free(gu->table, gu->table->nr);
	vt_gmem_exit(&gu->gm);
	mmu_interval_notifier_remove(&gu->first);
	mmdrop(gu->mm);
	kfree(gu);
}
EXPORT_SYMBOL_GPL(vt_gmem_user_destroy);

struct vt_gmem *vt_gmem_user_mem(struct vt_gmem_user *gu)
{
	return &gu->gm;
}
EXPORT_SYMBOL_GPL(vt_gmem_user_mem);

struct mm_struct *vt_gmem_user_mm(const struct vt_gmem_user *gu)
{
	return gu->mm;
}
EXPORT_SYMBOL_GPL(vt_gmem_user_mm);

static int region_cmp(const void *a, const void *b)
{
	const struct user_region *x = a, *y = b;

	return x->r.gpa < y->r.gpa ? -1 : x->r.gpa > y->r.gpa;
}

static bool region_ok(const struct vt_region *r)
{
	u64 end;

	return r->size &&
	       !((r->gpa | r->size | r->uaddr) & (PAGE_SIZE - 1)) &&
	       !check_add_overflow(r->gpa, r->size - 1, &end) &&
	       !check_add_overflow((u64)r->uaddr, r->size, &end) &&
	       end <= TASK_SIZE_MAX;
}

static int table_fill(struct user_table *t, const struct vt_region *regions)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++) {
		if (!region_ok(&regions[i]))
			return -EINVAL;
		t->region[i].r = regions[i];
	}
	sort(t->region, t->nr, sizeof(t->region[0]), region_cmp, NULL);
	for (i = 1; i < t->nr; i++)
		if (t->region[i].r.gpa - t->region[i - 1].r.gpa <
		    t->region[i - 1].r.size)
			return -EINVAL;
	return 0;
}

static struct user_table *table_make(struct vt_gmem_user *gu,
				     const struct vt_region *regions,
				     unsigned int nr)
{
	struct user_table *t;
	unsigned int i;
	int err;

	t = kvzalloc(struct_size(t, region, nr), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->nr = nr;
	err = table_fill(t, regions);
	for (i = 0; !err && i < nr; i++) {
		struct user_region *ur = &t->region[i];

		ur->gu = gu;
		err = mmu_interval_notifier_insert(&ur->ni, gu->mm,
						   ur->r.uaddr, ur->r.size,
						   &user_notifier_ops);
		if (err)
			break;
	}
	if (err) {
		table_free(t, i);
		return ERR_PTR(err);
	}
	return t;
}

int vt_gmem_user_set_table(struct vt_gmem_user *gu,
			   const struct vt_region *regions, unsigned int nr)
{
	struct vt_gmem *gm = &gu->gm;
	struct user_table *t, *old;

	t = table_make(gu, regions, nr);
	if (IS_ERR(t))
		return PTR_ERR(t);

	mutex_lock(&gm->fill_lock);
	old = gu->table;
	gu->table = t;
	spin_lock(&gm->lock);
	vt_gmem_drop(gm, 0, U64_MAX);
	spin_unlock(&gm->lock);
	mutex_unlock(&gm->fill_lock);

	if (old)
		table_free(old, old->nr);
	/* Even if there is nothing to let go: no request uses the old one. */
	vt_gmem_reap(gm);
	return 0;
}
EXPORT_SYMBOL_GPL(vt_gmem_user_set_table);

bool vt_gmem_user_has_table(const struct vt_gmem_user *gu)
{
	return gu->table && gu->table->nr;
}
EXPORT_SYMBOL_GPL(vt_gmem_user_has_table);
