// SPDX-License-Identifier: GPL-2.0
/* Guest memory that is a VMM's memory: see <vhost_target/gmem_user.h>. */
#include <linux/delay.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <vhost_target/gmem_user.h>

#include "gmem_map.h"
#include "gmem_share.h"

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
 * @gm: what pollers look up in; its owner is the address space
 * @table: regions; gm.fill_lock
 * @sync: waits for requests
 * @sync_arg: its argument
 * @share: of what RLIMIT_MEMLOCK leaves to all memories of the address space
 * @waited: how often in a row others' memory left no room; gm.fill_lock
 * @refused: how often in a row there was none with nobody else there; likewise
 * @parts: evictions while others had something; gm.fill_lock
 * @warned: it was told that the limit is low; gm.fill_lock
 * @filling: what the holder of gm.fill_lock is at; gm.lock
 * @first: watches nothing; the first notifier of an address space takes its
 *	mmap_lock, which vhost_vdpa may hold when it sets the table
 */
struct vt_gmem_user {
	struct vt_gmem gm;
	struct user_table *table;
	void (*sync)(void *arg);
	void *sync_arg;
	struct vt_share share;
	unsigned int waited;
	unsigned int refused;
	unsigned int parts;
	bool warned;
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

static void chunk_unpin(struct vt_gmem *gm, struct vt_chunk *c)
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
	vt_gmem_uncharge(gm, c->nr);
	c->nr = 0;
}

static void user_release(struct vt_gmem *gm, struct vt_chunk *c)
{
	struct page *page;

	if (!c->contig) {
		chunk_unpin(gm, c);
		return;
	}
	page = (void *)(c->page[0] & ~VT_PAGE_RO);
	unpin_user_page_range_dirty_lock(page, c->nr,
					 !(c->page[0] & VT_PAGE_RO));
	vt_gmem_uncharge(gm, c->nr);
}

/* Pages from @i of a chunk on, all alike. Returns: how many, or an error. */
static long chunk_pin_some(struct vt_gmem_user *gu, struct vt_chunk *c,
			   unsigned int i, unsigned long uaddr,
			   unsigned long nr, unsigned long ro,
			   struct page **pages)
{
	long n, k;

	n = pin_user_pages_remote(gu->gm.mm, uaddr, nr, FOLL_LONGTERM |
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

/* As many as it may have were charged for. */
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
	vt_gmem_uncharge(&gu->gm, VT_CHUNK_PAGES - c->nr);
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

static void user_warn(struct vt_gmem_user *gu)
{
	if (gu->warned)
		return;
	gu->warned = true;
	pr_warn_ratelimited("vhost_target: RLIMIT_MEMLOCK of a VMM, %lu KiB, is less than its guest uses: memory is pinned again and again\n",
			    gu->gm.pin_limit << (PAGE_SHIFT - 10));
}

/* Everything that is not in use is given back. Was there any? */
static bool user_evict(struct vt_gmem_user *gu)
{
	struct vt_gmem *gm = &gu->gm;
	bool any;

	spin_lock(&gm->lock);
	any = vt_gmem_drop(gm, 0, U64_MAX);
	spin_unlock(&gm->lock);
	vt_gmem_reap(gm);
	return any;
}

/* So many evictions while others have something count as one: they may be slow. */
#define USER_PARTS	512

/* Before more is refused. */
static enum vt_room user_make_room(struct vt_gmem_user *gu)
{
	struct vt_gmem *gm = &gu->gm;
	enum vt_room room;

	lockdep_assert_held(&gm->fill_lock);

	room = vt_share_make_room(&gu->share);
	if (room == VT_ROOM_TURN || room == VT_ROOM_OTHERS || !user_evict(gu))
		return room;
	if (room == VT_ROOM_ALONE || !(++gu->parts % USER_PARTS))
		WRITE_ONCE(gm->evictions, gm->evictions + 1);
	return room;
}

/*
 * The lock is only tried: a writer may wait for it, that waits for somebody
 * who sets the table with the lock held and waits for the fill_lock we hold.
 */
static struct vt_chunk *chunk_make(struct vt_gmem_user *gu, u64 index,
				   unsigned int at, struct page **pages)
{
	struct vt_chunk *c = vt_chunk_alloc(index, false, GFP_KERNEL_ACCOUNT);
	struct vt_gmem *gm = &gu->gm;
	int err;

	if (!c)
		return ERR_PTR(-ENOMEM);
	err = -EDQUOT;
	if (!vt_gmem_charge(gm, VT_CHUNK_PAGES))
		goto free;
	err = -EBUSY;
	if (!mmap_read_trylock(gm->mm)) {
		vt_gmem_uncharge(gm, VT_CHUNK_PAGES);
		goto free;
	}
	err = chunk_pin_all(gu, c, at, pages);
	mmap_read_unlock(gm->mm);
	if (!err)
		return chunk_compact(c);
	user_release(gm, c);
free:
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

#define USER_TRIES	8	/* others charge for more than they keep, for a moment */
#define USER_WAIT_TRIES	5000	/* of a millisecond and more */

static int user_wait(unsigned int *tried, unsigned int tries)
{
	if (++*tried < tries)
		return -EBUSY;
	*tried = 0;
	return -EFAULT;
}

static int user_fill_room(struct vt_gmem_user *gu, u64 addr,
			  struct page **pages)
{
	int err = user_fill_mm(gu, addr, pages);
	enum vt_room room;

	if (err != -EDQUOT)
		return err;
	user_warn(gu);
	room = user_make_room(gu);
	if (room == VT_ROOM_TURN)
		return -EBUSY;
	if (room != VT_ROOM_ALONE) {
		gu->refused = 0;
		return user_wait(&gu->waited, USER_WAIT_TRIES);
	}
	/* That may have taken its time: another's turn may have begun. */
	if (!vt_share_may_fill(&gu->share))
		return -EBUSY;
	err = user_fill_mm(gu, addr, pages);
	return err == -EDQUOT ? user_wait(&gu->refused, USER_TRIES) : err;
}

static int user_fill(struct vt_gmem *gm, u64 addr)
{
	struct vt_gmem_user *gu = to_user(gm);
	struct page **pages;
	int err = -EFAULT;

	lockdep_assert_held(&gm->fill_lock);

	if (!gu->table)
		return -EFAULT;
	if (!vt_share_may_fill(&gu->share))
		return -EBUSY;
	pages = kmalloc_array(VT_CHUNK_PAGES, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	if (mmget_not_zero(gm->mm)) {
		err = user_fill_room(gu, addr, pages);
		/* If it is the last one, what follows takes the mmap_lock. */
		mmput_async(gm->mm);
	}
	kfree(pages);
	if (err != -EBUSY) {
		gu->waited = 0;
		gu->refused = 0;
	}
	return err;
}

/* Mappings. */

#define MAP_TRIES	1000	/* while others have something, of a millisecond and more */
#define MAP_RETRY_MS	1

static int map_begin(struct vt_gmem_user *gu, u64 addr, u32 len, bool write,
		     struct vt_map *map)
{
	struct vt_gmem *gm = &gu->gm;
	int tries = MAP_TRIES, err;
	enum vt_room room;

	for (;;) {
		err = vt_map_begin(gm, addr, len, write, map);
		if (err != -EDQUOT)
			return err;
		if (tries <= 0 || fatal_signal_pending(current))
			return -ENOMEM;
		mutex_lock(&gm->fill_lock);
		room = user_make_room(gu);
		mutex_unlock(&gm->fill_lock);
		tries -= room == VT_ROOM_ALONE ? MAP_TRIES / USER_TRIES : 1;
		msleep(MAP_RETRY_MS);
	}
}

/* The next @nr pages. */
static int map_pin_locked(struct vt_map *map, struct mm_struct *mm,
			  unsigned long uaddr, unsigned int nr)
{
	unsigned int flags = FOLL_LONGTERM | (map->write ? FOLL_WRITE : 0);
	long n;

	for (; nr; nr -= n, uaddr += n * PAGE_SIZE) {
		n = pin_user_pages_remote(mm, uaddr, nr, flags,
					  map->pages + map->nr, NULL);
		if (n <= 0)
			return n == -ENOMEM ? -ENOMEM : -EFAULT;
		map->nr += n;
	}
	return 0;
}

static int map_pin(struct vt_gmem_user *gu, struct vt_map *map,
		   unsigned long uaddr, unsigned int nr)
{
	struct mm_struct *mm = gu->gm.mm;
	int err;

	map->pinned = true;
	if (!mmget_not_zero(mm))
		return -EFAULT;
	mmap_read_lock(mm);
	err = map_pin_locked(map, mm, uaddr, nr);
	mmap_read_unlock(mm);
	mmput_async(mm);
	return err;
}

/*
 * Where the VMM has a guest address, and how many of the pages from there on.
 * Not with mmap_lock held: who sets the table may hold it.
 */
static int user_find(struct vt_gmem_user *gu, u64 addr, bool write,
		     unsigned long *uaddr, unsigned int *nr)
{
	const struct user_table *t;
	int err = -EFAULT;
	unsigned int i;

	mutex_lock(&gu->gm.fill_lock);
	t = gu->table;
	for (i = 0; t && i < t->nr; i++) {
		const struct vt_region *r = &t->region[i].r;

		if (addr < r->gpa || addr - r->gpa >= r->size)
			continue;
		if (write && r->ro)
			break;
		*uaddr = r->uaddr + (addr - r->gpa);
		*nr = min_t(u64, *nr, (r->size - (addr - r->gpa)) >> PAGE_SHIFT);
		err = 0;
		break;
	}
	mutex_unlock(&gu->gm.fill_lock);
	return err;
}

static int user_map(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		    struct vt_map *map)
{
	u64 start = round_down(addr, PAGE_SIZE);
	struct vt_gmem_user *gu = to_user(gm);
	unsigned long uaddr;
	unsigned int nr;
	int err;

	err = map_begin(gu, addr, len, write, map);
	if (err)
		return err;
	while (!err && map->nr < map->want) {
		nr = map->want - map->nr;
		err = user_find(gu, start + (u64)map->nr * PAGE_SIZE, write,
				&uaddr, &nr);
		if (!err)
			err = map_pin(gu, map, uaddr, nr);
	}
	return vt_map_end(map, addr, err);
}

int vt_gmem_user_map(struct vt_gmem_user *gu, unsigned long uaddr, u32 len,
		     bool write, struct vt_map *map)
{
	int err;

	err = map_begin(gu, uaddr, len, write, map);
	if (err)
		return err;
	return vt_map_end(map, uaddr,
			  map_pin(gu, map, uaddr & PAGE_MASK, map->want));
}
EXPORT_SYMBOL_GPL(vt_gmem_user_map);

static void user_sync(struct vt_gmem *gm)
{
	struct vt_gmem_user *gu = to_user(gm);

	gu->sync(gu->sync_arg);
}

static const struct vt_gmem_ops user_ops = {
	.fill		= user_fill,
	.release	= user_release,
	.sync		= user_sync,
	.map		= user_map,
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
	vt_gmem_set_owner(&gu->gm, mm);
	vt_share_add(&gu->share, &gu->gm);
	gu->sync = sync;
	gu->sync_arg = sync_arg;
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
	vt_share_del(&gu->share);
	if (gu->table)
		table_free(gu->table, gu->table->nr);
	mmu_interval_notifier_remove(&gu->first);
	vt_gmem_exit(&gu->gm);
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
	return gu->gm.mm;
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

/*
 * For the first notifier of an address space its mmap_lock is taken, and lockdep
 * is told so for each. Here it is not, as @first is there; but vhost_vdpa holds
 * it if regions come one by one.
 */
static int region_watch(struct vt_gmem_user *gu, struct user_region *ur)
{
	int err;

	lockdep_off();
	err = mmu_interval_notifier_insert(&ur->ni, gu->gm.mm, ur->r.uaddr,
					   ur->r.size, &user_notifier_ops);
	lockdep_on();
	return err;
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
		t->region[i].gu = gu;
		err = region_watch(gu, &t->region[i]);
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
