// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory of a VFIO device: see gmem_vfio.h.
 *
 * VFIO's type 1 backend asks us to unpin a range, drops its locks meanwhile
 * and looks whether we did; after the tenth time in vain it stops the machine
 * (BUG). The driver of the guest may touch the range at any time, so what was
 * just unpinned is not pinned again until the VMM's call has returned, which a
 * task work tells us. Users of the range wait as for memory that is being
 * changed.
 *
 * Locks: VFIO's device_list_lock > user_lock > gm->fill_lock > gm->reap_lock >
 * VFIO's iommu lock > mmap_lock; the bans' lock is innermost.
 */
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/vfio.h>

#include "../compat/vfio.h"
#include "gmem_vfio.h"

static_assert(VT_CHUNK_PAGES <= VFIO_PIN_PAGES_MAX_ENTRIES);

static struct vt_gmem_vfio *to_vfio(struct vt_gmem *gm)
{
	return container_of(gm, struct vt_gmem_vfio, gm);
}

/*
 * Pages are unpinned in the pieces they were pinned in, as iommufd wants it.
 * A chunk that was not pinned in one piece has a bitmap of the pieces' first
 * pages in ->priv.
 */
static void chunk_unpin(struct vt_gmem_vfio *gv, struct vt_chunk *c)
{
	u64 iova = c->index << VT_CHUNK_SHIFT;
	unsigned long *first = c->priv;
	unsigned int i, end;

	if (!first) {
		vfio_unpin_pages(gv->vdev, iova, VT_CHUNK_PAGES);
		return;
	}
	for (i = 0; i < VT_CHUNK_PAGES; i = end) {
		end = i + 1;
		if (!c->page[i])
			continue;
		while (end < VT_CHUNK_PAGES && c->page[end] &&
		       !test_bit(end, first))
			end++;
		vfio_unpin_pages(gv->vdev, iova + i * PAGE_SIZE, end - i);
	}
	bitmap_free(first);
}

static void vfio_mem_release(struct vt_gmem *gm, struct vt_chunk *c)
{
	chunk_unpin(to_vfio(gm), c);
}

static void vfio_mem_sync(struct vt_gmem *gm)
{
	const struct vt_gmem_vfio_user *user = READ_ONCE(to_vfio(gm)->user);

	/* After the last use there is nobody to wait for. */
	if (user)
		user->sync(user->arg);
}

/* All of them or none: the pages, or an error. */
static int pin_piece(struct vt_gmem_vfio *gv, struct vt_chunk *c,
		     unsigned int i, unsigned int nr, unsigned long ro,
		     struct page **pages)
{
	u64 iova = (c->index << VT_CHUNK_SHIFT) + i * PAGE_SIZE;
	int prot = IOMMU_READ | (ro ? 0 : IOMMU_WRITE);
	int n = vfio_pin_pages(gv->vdev, iova, nr, prot, pages);
	unsigned int k;

	if (n < 0)
		return n;
	if (WARN_ON_ONCE(n != nr)) {
		vfio_unpin_pages(gv->vdev, iova, n);
		return -EFAULT;
	}
	for (k = 0; k < nr; k++)
		c->page[i + k] = (unsigned long)pages[k] | ro;
	set_bit(i, c->priv);
	c->nr += nr;
	return 0;
}

/*
 * A range that can not be pinned as a whole has a hole, or a border between
 * mappings, somewhere: each half is tried. A page nobody maps stays a hole.
 */
static int pin_range(struct vt_gmem_vfio *gv, struct vt_chunk *c,
		     unsigned int i, unsigned int nr, struct page **pages)
{
	int err = pin_piece(gv, c, i, nr, 0, pages);

	if (nr == 1 && err && err != -ENOMEM)
		err = pin_piece(gv, c, i, 1, VT_PAGE_RO, pages);
	if (!err || err == -ENOMEM)
		return err;
	if (nr == 1)
		return 0;
	err = pin_range(gv, c, i, nr / 2, pages);
	return err ? err : pin_range(gv, c, i + nr / 2, nr / 2, pages);
}

/* Pinned as a whole and contiguous: one pointer instead of 512. */
static struct vt_chunk *chunk_compact(struct vt_chunk *c)
{
	struct vt_chunk *small;
	unsigned int i;

	if (bitmap_weight(c->priv, VT_CHUNK_PAGES) != 1 ||
	    c->nr != VT_CHUNK_PAGES)
		return c;
	for (i = 1; i < VT_CHUNK_PAGES; i++)
		if (c->page[i] != c->page[0] + i * sizeof(struct page))
			return c;
	small = vt_chunk_alloc(c->index, true, GFP_KERNEL_ACCOUNT);
	if (!small)
		return c;
	small->page[0] = c->page[0];
	small->nr = c->nr;
	bitmap_free(c->priv);
	vt_chunk_free(c);
	return small;
}

static void chunk_free(struct vt_chunk *c)
{
	bitmap_free(c->priv);
	vt_chunk_free(c);
}

static struct vt_chunk *chunk_make(struct vt_gmem_vfio *gv, u64 index)
{
	struct vt_chunk *c = vt_chunk_alloc(index, false, GFP_KERNEL_ACCOUNT);
	struct page **pages;
	int err = -ENOMEM;

	if (!c)
		return ERR_PTR(-ENOMEM);
	c->priv = bitmap_zalloc(VT_CHUNK_PAGES, GFP_KERNEL_ACCOUNT);
	pages = kmalloc_array(VT_CHUNK_PAGES, sizeof(*pages), GFP_KERNEL);
	if (c->priv && pages)
		err = pin_range(gv, c, 0, VT_CHUNK_PAGES, pages);
	kfree(pages);
	if (!err && c->nr)
		return chunk_compact(c);
	if (c->nr) {
		chunk_unpin(gv, c);
		vt_chunk_free(c);
	} else {
		chunk_free(c);
	}
	return ERR_PTR(err ?: -EFAULT);
}

static bool is_banned(struct vt_gmem_vfio *gv, u64 index)
{
	u64 first = index << VT_CHUNK_SHIFT;
	u64 last = first + VT_CHUNK_SIZE - 1;
	struct vt_vfio_ban *ban;
	bool banned = false;

	spin_lock(&gv->bans->lock);
	list_for_each_entry(ban, &gv->bans->list, node)
		banned |= ban->first <= last && ban->last >= first;
	spin_unlock(&gv->bans->lock);
	return banned;
}

/*
 * VFIO says "no memory" when RLIMIT_MEMLOCK is reached: everything that is
 * not in use is given back before more is refused.
 */
static struct vt_chunk *chunk_make_room(struct vt_gmem_vfio *gv, u64 index)
{
	struct vt_chunk *c = chunk_make(gv, index);

	if (c != ERR_PTR(-ENOMEM))
		return c;
	spin_lock(&gv->gm.lock);
	vt_gmem_drop(&gv->gm, 0, U64_MAX);
	spin_unlock(&gv->gm.lock);
	vt_gmem_reap(&gv->gm);
	WRITE_ONCE(gv->gm.evictions, gv->gm.evictions + 1);
	c = chunk_make(gv, index);
	return c == ERR_PTR(-ENOMEM) ? ERR_PTR(-EFAULT) : c;
}

/*
 * Of an address that nobody maps that is all: a chunk with holes takes a
 * thousand looks, and the driver may ask as often as it likes.
 */
static int probe(struct vt_gmem_vfio *gv, u64 addr)
{
	u64 iova = round_down(addr, PAGE_SIZE);
	struct page *page;
	int n = vfio_pin_pages(gv->vdev, iova, 1, IOMMU_READ, &page);

	if (n == 1)
		vfio_unpin_pages(gv->vdev, iova, 1);
	/* What there is no memory for now may be there. */
	return n == 1 || n == -ENOMEM ? 0 : -EFAULT;
}

static int vfio_mem_fill(struct vt_gmem *gm, u64 addr)
{
	struct vt_gmem_vfio *gv = to_vfio(gm);
	u64 index = addr >> VT_CHUNK_SHIFT;
	struct vt_chunk *c;
	bool hole;
	int err;

	lockdep_assert_held(&gm->fill_lock);

	if (!gv->master)
		return -EFAULT;
	if (is_banned(gv, index))
		return -EBUSY;
	err = probe(gv, addr);
	if (err)
		return err;
	c = chunk_make_room(gv, index);
	if (IS_ERR(c))
		return PTR_ERR(c);
	spin_lock(&gm->lock);
	err = vt_gmem_insert(gm, c);
	hole = !vt_chunk_has(c, addr);
	spin_unlock(&gm->lock);
	if (err) {
		chunk_unpin(gv, c);
		vt_chunk_free(c);
	}
	/* A chunk with holes may have been replaced. */
	vt_gmem_reap_later(gm);
	return err ?: hole ? -EFAULT : 0;
}

static const struct vt_gmem_ops vfio_mem_ops = {
	.fill		= vfio_mem_fill,
	.release	= vfio_mem_release,
	.sync		= vfio_mem_sync,
};

/* Ours is held above mmap_lock; that of a vDPA device below it: by vhost_vdpa. */
static struct lock_class_key reap_lock_class;

static void bans_free(struct kref *ref)
{
	kfree(container_of(ref, struct vt_vfio_bans, ref));
}

int vt_gmem_vfio_init(struct vt_gmem_vfio *gv, struct vfio_device *vdev)
{
	gv->bans = kzalloc(sizeof(*gv->bans), GFP_KERNEL_ACCOUNT);
	if (!gv->bans)
		return -ENOMEM;
	kref_init(&gv->bans->ref);
	spin_lock_init(&gv->bans->lock);
	INIT_LIST_HEAD(&gv->bans->list);
	vt_gmem_init(&gv->gm, &vfio_mem_ops);
	lockdep_set_class(&gv->gm.reap_lock, &reap_lock_class);
	mutex_init(&gv->user_lock);
	gv->vdev = vdev;
	return 0;
}

void vt_gmem_vfio_exit(struct vt_gmem_vfio *gv)
{
	vt_gmem_exit(&gv->gm);
	kref_put(&gv->bans->ref, bans_free);
}

void vt_gmem_vfio_open(struct vt_gmem_vfio *gv,
		       const struct vt_gmem_vfio_user *user)
{
	gv->user = user;
	gv->master = false;
	/* Whose rings are counted; VFIO counts the rest. */
	vt_gmem_set_owner(&gv->gm, current->mm);
}

void vt_gmem_vfio_close(struct vt_gmem_vfio *gv)
{
	/* VFIO may ask us to unmap until the device is closed for good. */
	mutex_lock(&gv->user_lock);
	WRITE_ONCE(gv->user, NULL);
	mutex_unlock(&gv->user_lock);
	spin_lock(&gv->gm.lock);
	vt_gmem_drop(&gv->gm, 0, U64_MAX);
	spin_unlock(&gv->gm.lock);
	vt_gmem_reap(&gv->gm);
	flush_work(&gv->gm.reap);
	vt_gmem_set_owner(&gv->gm, NULL);
}

/* Rings that are mapped hold references of their own on their pages. */
static void mem_drop(struct vt_gmem_vfio *gv, u64 first, u64 last)
{
	spin_lock(&gv->gm.lock);
	vt_gmem_drop(&gv->gm, first, last);
	spin_unlock(&gv->gm.lock);
	/* Also what somebody else has dropped: it may be of this range. */
	vt_gmem_reap(&gv->gm);
}

static void ban_end(struct vt_vfio_ban *ban)
{
	struct vt_vfio_bans *bans = ban->bans;

	spin_lock(&bans->lock);
	list_del(&ban->node);
	spin_unlock(&bans->lock);
	kfree(ban);
	kref_put(&bans->ref, bans_free);
}

/* The VMM's call has returned, or the VMM is ending. */
static void ban_task_work(struct callback_head *work)
{
	ban_end(container_of(work, struct vt_vfio_ban, work));
	module_put(THIS_MODULE);
}

/*
 * After the fill that may be going on. It cannot fail: what is pinned while it
 * is being unmapped ends in VFIO's BUG.
 */
static struct vt_vfio_ban *ban_begin(struct vt_gmem_vfio *gv, u64 first,
				     u64 last)
{
	struct vt_vfio_ban *ban;

	ban = kzalloc(sizeof(*ban), GFP_KERNEL | __GFP_NOFAIL);
	kref_get(&gv->bans->ref);
	ban->bans = gv->bans;
	ban->first = first;
	ban->last = last;
	mutex_lock(&gv->gm.fill_lock);
	spin_lock(&gv->bans->lock);
	list_add(&ban->node, &gv->bans->list);
	spin_unlock(&gv->bans->lock);
	mutex_unlock(&gv->gm.fill_lock);
	return ban;
}

/* A task that cannot tell us is past its last call: nothing is unmapped. */
static void ban_until_return(struct vt_vfio_ban *ban)
{
	init_task_work(&ban->work, ban_task_work);
	__module_get(THIS_MODULE);
	if (!(current->flags & PF_KTHREAD) &&
	    !task_work_add(current, &ban->work, TWA_RESUME))
		return;
	module_put(THIS_MODULE);
	ban_end(ban);
}

static void mem_unmap(struct vt_gmem_vfio *gv, u64 iova, u64 size)
{
	struct vt_vfio_ban *ban = NULL;

	mutex_lock(&gv->user_lock);
	if (gv->user)
		ban = ban_begin(gv, iova, iova + size - 1);
	/* Even if it is being closed: VFIO wants it unpinned when we return. */
	mem_drop(gv, iova, iova + size - 1);
	if (ban)
		ban_until_return(ban);
	mutex_unlock(&gv->user_lock);
}

/*
 * Type 1 holds its device_list_lock here, and we have to take its lock, to unpin;
 * whoever opens a device in the same container takes them the other way round.
 * That is VFIO's to mend. Lockdep would say so once, and then be silent.
 */
void vt_gmem_vfio_unmap(struct vt_gmem_vfio *gv, u64 iova, u64 size)
{
	bool container = vt_vfio_in_container(gv->vdev);

	if (container)
		lockdep_off();
	mem_unmap(gv, iova, size);
	if (container)
		lockdep_on();
}

void vt_gmem_vfio_set_master(struct vt_gmem_vfio *gv, bool on)
{
	bool was;

	mutex_lock(&gv->gm.fill_lock);
	was = gv->master;
	gv->master = on;
	mutex_unlock(&gv->gm.fill_lock);
	if (was && !on)
		mem_drop(gv, 0, U64_MAX);
}
