// SPDX-License-Identifier: GPL-2.0
/* Guest memory: see the DOC section of <vhost_target/gmem.h>. */
#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <vhost_target/gmem.h>

#include "../compat/workqueue.h"

static void gmem_reap_work(struct work_struct *work)
{
	vt_gmem_reap(container_of(work, struct vt_gmem, reap));
}

void vt_gmem_init(struct vt_gmem *gm, const struct vt_gmem_ops *ops)
{
	gm->ops = ops;
	gm->identity = false;
	gm->mm = NULL;
	gm->pin_limit = 0;
	gm->gen = 0;
	gm->evictions = 0;
	xa_init(&gm->chunks);
	mutex_init(&gm->fill_lock);
	mutex_init(&gm->reap_lock);
	spin_lock_init(&gm->lock);
	INIT_LIST_HEAD(&gm->dropped);
	INIT_WORK(&gm->reap, gmem_reap_work);
	atomic_long_set(&gm->nr_pages, 0);
}
EXPORT_SYMBOL_GPL(vt_gmem_init);

void vt_gmem_exit(struct vt_gmem *gm)
{
	spin_lock(&gm->lock);
	vt_gmem_drop(gm, 0, U64_MAX);
	spin_unlock(&gm->lock);
	vt_gmem_reap(gm);
	cancel_work_sync(&gm->reap);
	xa_destroy(&gm->chunks);
	vt_gmem_set_owner(gm, NULL);
}
EXPORT_SYMBOL_GPL(vt_gmem_exit);

void vt_gmem_set_owner(struct vt_gmem *gm, struct mm_struct *mm)
{
	if (mm)
		mmgrab(mm);
	if (gm->mm)
		mmdrop(gm->mm);
	gm->mm = mm;
	if (mm)
		gm->pin_limit = capable(CAP_IPC_LOCK) ? LONG_MAX :
				rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(vt_gmem_set_owner);

bool vt_gmem_charge(struct vt_gmem *gm, unsigned long nr)
{
	if (atomic64_add_return(nr, &gm->mm->pinned_vm) <= gm->pin_limit)
		return true;
	vt_gmem_uncharge(gm, nr);
	return false;
}

void vt_gmem_uncharge(struct vt_gmem *gm, unsigned long nr)
{
	atomic64_sub(nr, &gm->mm->pinned_vm);
}

/* Contiguous bytes from an offset of a chunk whose pages may be anywhere. */
static u32 chunk_run(const struct vt_chunk *c, unsigned int i,
		     struct page *page, u32 have, u32 len, unsigned long ro)
{
	unsigned long pfn = page_to_pfn(page);

	while (have < len && ++i < VT_CHUNK_PAGES) {
		unsigned long p = READ_ONCE(c->page[i]);

		if (!p || (p & VT_PAGE_RO) != ro ||
		    page_to_pfn((struct page *)(p & ~VT_PAGE_RO)) != ++pfn)
			break;
		have += PAGE_SIZE;
	}
	return min(have, len);
}

static int gmem_identity(u64 addr, u32 len, struct page **page,
			 unsigned int *off)
{
	unsigned long pfn = PHYS_PFN(addr);

	/* Pages of one 2 MiB section piece have their struct pages in a row. */
	if (!pfn_valid(pfn))
		return -EFAULT;
	*page = pfn_to_page(pfn);
	*off = offset_in_page(addr);
	return min_t(u64, len, VT_CHUNK_SIZE - (addr & (VT_CHUNK_SIZE - 1)));
}

int vt_gmem_lookup_in(struct vt_gmem *gm, const struct vt_chunk *c, u64 addr,
		      u32 len, bool write, struct page **page,
		      unsigned int *off)
{
	u32 in = addr & (VT_CHUNK_SIZE - 1);
	unsigned long p;

	if (unlikely(gm->identity))
		return gmem_identity(addr, len, page, off);

	if (unlikely(!c))
		return gm->ops->fill ? -EAGAIN : -EFAULT;
	*off = offset_in_page(in);
	p = vt_chunk_page(c, addr);
	if (unlikely(!p))
		return gm->ops->fill ? -EAGAIN : -EFAULT;
	if (unlikely((p & VT_PAGE_RO) && write))
		return -EFAULT;
	*page = (struct page *)(p & ~VT_PAGE_RO);
	if (c->contig)
		return min_t(u32, len, VT_CHUNK_SIZE - in);
	return chunk_run(c, in >> PAGE_SHIFT, *page, PAGE_SIZE - *off, len,
			 p & VT_PAGE_RO);
}

int vt_gmem_lookup(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		   struct page **page, unsigned int *off)
{
	return vt_gmem_lookup_in(gm, xa_load(&gm->chunks,
					     addr >> VT_CHUNK_SHIFT),
				 addr, len, write, page, off);
}
EXPORT_SYMBOL_GPL(vt_gmem_lookup);

int vt_gmem_read(struct vt_gmem *gm, u64 addr, void *buf, u32 len)
{
	unsigned int off;
	struct page *page;
	int n;

	for (; len; len -= n, addr += n, buf += n) {
		n = vt_gmem_lookup(gm, addr, len, false, &page, &off);
		if (n < 0)
			return n;
		memcpy(buf, page_address(page) + off, n);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vt_gmem_read);

#define GMEM_RETRY_MS 1

int vt_gmem_fill(struct vt_gmem *gm, u64 addr)
{
	unsigned int off;
	struct page *page;
	int ret;

	mutex_lock(&gm->fill_lock);
	/* No queue's epoch protects us here: gm->lock keeps the chunk. */
	spin_lock(&gm->lock);
	ret = vt_gmem_lookup(gm, addr, 1, false, &page, &off);
	spin_unlock(&gm->lock);
	if (ret == -EAGAIN)
		ret = gm->ops->fill(gm, addr);
	mutex_unlock(&gm->fill_lock);
	/* The memory is being changed at this moment: look again. */
	if (ret == -EBUSY) {
		msleep(GMEM_RETRY_MS);
		ret = 0;
	}
	return ret < 0 ? ret : 0;
}
EXPORT_SYMBOL_GPL(vt_gmem_fill);

struct vt_chunk *vt_chunk_alloc(u64 index, bool contig, gfp_t gfp)
{
	struct vt_chunk *c;

	c = kzalloc(sizeof(*c), gfp);
	if (!c)
		return NULL;
	c->index = index;
	c->contig = contig;
	INIT_LIST_HEAD(&c->node);
	c->page = &c->first;
	if (!contig)
		c->page = kcalloc(VT_CHUNK_PAGES, sizeof(*c->page), gfp);
	if (!c->page) {
		kfree(c);
		return NULL;
	}
	return c;
}
EXPORT_SYMBOL_GPL(vt_chunk_alloc);

void vt_chunk_free(struct vt_chunk *c)
{
	if (!c->contig)
		kfree(c->page);
	kfree(c);
}
EXPORT_SYMBOL_GPL(vt_chunk_free);

/* A chunk has left the xarray: what was remembered of it does not hold. */
static void gmem_left(struct vt_gmem *gm, struct vt_chunk *c)
{
	lockdep_assert_held(&gm->lock);

	list_add_tail(&c->node, &gm->dropped);
	/* Not before it is gone; pairs with vt_gmem_gen(). */
	smp_store_release(&gm->gen, gm->gen + 1);
}

static void gmem_erase(struct vt_gmem *gm, struct vt_chunk *c)
{
	xa_erase(&gm->chunks, c->index);
	gmem_left(gm, c);
}

int vt_gmem_insert(struct vt_gmem *gm, struct vt_chunk *c)
{
	struct vt_chunk *old;

	lockdep_assert_held(&gm->lock);

	old = xa_store(&gm->chunks, c->index, c, GFP_ATOMIC);
	if (xa_is_err(old))
		return xa_err(old);
	if (old)
		gmem_left(gm, old);
	atomic_long_add(c->nr, &gm->nr_pages);
	return 0;
}
EXPORT_SYMBOL_GPL(vt_gmem_insert);

bool vt_gmem_drop(struct vt_gmem *gm, u64 first, u64 last)
{
	struct vt_chunk *c;
	unsigned long i;
	bool any = false;

	lockdep_assert_held(&gm->lock);

	xa_for_each_range(&gm->chunks, i, c, first >> VT_CHUNK_SHIFT,
			  last >> VT_CHUNK_SHIFT) {
		gmem_erase(gm, c);
		any = true;
	}
	return any;
}
EXPORT_SYMBOL_GPL(vt_gmem_drop);

void vt_chunk_move(struct vt_chunk *c, struct vt_chunk *to, unsigned int i)
{
	if (!c->page[i])
		return;
	to->page[i] = c->page[i];
	to->nr++;
	WRITE_ONCE(c->page[i], 0);
	c->nr--;
}
EXPORT_SYMBOL_GPL(vt_chunk_move);

/* Where pages of @c go that are to be let go of: perhaps where others went. */
static struct vt_chunk *gmem_gone(struct vt_gmem *gm, const struct vt_chunk *c,
				  unsigned int from, unsigned int to)
{
	struct vt_chunk *gone;

	if (!list_empty(&gm->dropped)) {
		gone = list_last_entry(&gm->dropped, struct vt_chunk, node);
		while (gone->part && gone->index == c->index &&
		       from <= to && !gone->page[from])
			from++;
		if (from > to)
			return gone;
	}
	gone = vt_chunk_alloc(c->index, false, GFP_NOWAIT | __GFP_NOWARN);
	if (!gone)
		return NULL;
	gone->part = true;
	list_add_tail(&gone->node, &gm->dropped);
	return gone;
}

/* Returns false if the chunk has to go as a whole. */
static bool chunk_punch(struct vt_gmem *gm, struct vt_chunk *c,
			unsigned int from, unsigned int to)
{
	struct vt_chunk *gone;
	unsigned int i;

	if (c->contig || to - from == VT_CHUNK_PAGES - 1)
		return false;
	gone = gmem_gone(gm, c, from, to);
	if (!gone)
		return false;
	for (i = from; i <= to; i++)
		vt_chunk_move(c, gone, i);
	return true;
}

/* Has it any page of these? */
static bool chunk_has(const struct vt_chunk *c, unsigned int from,
		      unsigned int to)
{
	if (c->contig)
		return true;
	while (from <= to)
		if (c->page[from++])
			return true;
	return false;
}

bool vt_gmem_punch(struct vt_gmem *gm, u64 first, u64 last)
{
	struct vt_chunk *c;
	unsigned long i;
	bool any = false;

	lockdep_assert_held(&gm->lock);

	xa_for_each_range(&gm->chunks, i, c, first >> VT_CHUNK_SHIFT,
			  last >> VT_CHUNK_SHIFT) {
		unsigned int from, to;

		vt_chunk_range(i, first, last, &from, &to);
		if (!chunk_has(c, from, to))
			continue;
		any = true;
		if (!chunk_punch(gm, c, from, to))
			gmem_erase(gm, c);
	}
	return any;
}
EXPORT_SYMBOL_GPL(vt_gmem_punch);

void vt_gmem_drop_others(struct vt_gmem *gm, const void *priv)
{
	struct vt_chunk *c;
	unsigned long i;

	lockdep_assert_held(&gm->lock);

	xa_for_each(&gm->chunks, i, c) {
		if (c->priv == priv)
			continue;
		gmem_erase(gm, c);
	}
}
EXPORT_SYMBOL_GPL(vt_gmem_drop_others);

void vt_gmem_reap(struct vt_gmem *gm)
{
	struct vt_chunk *c, *tmp;
	LIST_HEAD(list);

	mutex_lock(&gm->reap_lock);
	spin_lock(&gm->lock);
	list_splice_init(&gm->dropped, &list);
	spin_unlock(&gm->lock);
	if (!list_empty(&list))
		gm->ops->sync(gm);
	list_for_each_entry_safe(c, tmp, &list, node) {
		atomic_long_sub(c->nr, &gm->nr_pages);
		gm->ops->release(gm, c);
		vt_chunk_free(c);
		cond_resched();
	}
	mutex_unlock(&gm->reap_lock);
}
EXPORT_SYMBOL_GPL(vt_gmem_reap);

void vt_gmem_reap_later(struct vt_gmem *gm)
{
	queue_work(system_dfl_wq, &gm->reap);
}
EXPORT_SYMBOL_GPL(vt_gmem_reap_later);
