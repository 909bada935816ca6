// SPDX-License-Identifier: GPL-2.0
/* Guest memory of vDPA devices: see gmem_iotlb.h. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vhost_types.h>

#include "gmem_iotlb.h"

static void iotlb_release(struct vt_gmem *gm, struct vt_chunk *c)
{
	unsigned int i;

	for (i = 0; i < (c->contig ? c->nr : VT_CHUNK_PAGES); i++) {
		unsigned long p = c->page[c->contig ? 0 : i];
		struct page *page = (struct page *)(p & ~VT_PAGE_RO);

		if (page)
			put_page(c->contig ? page + i : page);
	}
}

static void iotlb_sync(struct vt_gmem *gm)
{
	struct vt_gmem_iotlb *gi = container_of(gm, struct vt_gmem_iotlb, gm);

	gi->sync(gi->sync_arg);
}

static const struct vt_gmem_ops iotlb_ops = {
	.release	= iotlb_release,
	.sync		= iotlb_sync,
};

void vt_gmem_iotlb_init(struct vt_gmem_iotlb *gi, void (*sync)(void *arg),
			void *sync_arg)
{
	vt_gmem_init(&gi->gm, &iotlb_ops);
	gi->gen = 0;
	gi->sync = sync;
	gi->sync_arg = sync_arg;
}

static bool chunk_is_contig(const struct vt_chunk *c)
{
	unsigned int i;

	if (c->nr != VT_CHUNK_PAGES)
		return false;
	for (i = 1; i < VT_CHUNK_PAGES; i++)
		if (c->page[i] != c->page[0] + i * sizeof(struct page))
			return false;
	return true;
}

/* Takes over the chunk, whatever comes of it. */
static int chunk_insert(struct vt_gmem *gm, struct vt_chunk *c)
{
	struct vt_gmem_iotlb *gi = container_of(gm, struct vt_gmem_iotlb, gm);
	int err;

	if (chunk_is_contig(c)) {
		struct vt_chunk *small = vt_chunk_alloc(c->index, true,
							GFP_KERNEL_ACCOUNT);

		if (small) {
			small->page[0] = c->page[0];
			small->nr = c->nr;
			vt_chunk_free(c);
			c = small;
		}
	}
	c->priv = (void *)gi->gen;
	/* Nothing is allocated with the lock held. */
	err = xa_reserve(&gm->chunks, c->index, GFP_KERNEL_ACCOUNT);
	if (!err) {
		spin_lock(&gm->lock);
		err = vt_gmem_insert(gm, c);
		spin_unlock(&gm->lock);
	}
	if (err) {
		iotlb_release(gm, c);
		vt_chunk_free(c);
	}
	return err;
}

/* A VMM may map a page, or the others of its folio, as often as it likes. */
static bool page_get(struct page *page)
{
	/* try_get_page() is an assertion, too. */
	return page_ref_count(compound_head(page)) > 0 && try_get_page(page);
}

static void chunk_add_page(struct vt_chunk *c, u64 iova, u64 pa, u32 perm)
{
	unsigned int i = (iova & (VT_CHUNK_SIZE - 1)) >> PAGE_SHIFT;
	unsigned long pfn = PHYS_PFN(pa);

	if (!(perm & VHOST_ACCESS_RO) || !pfn_valid(pfn) ||
	    !page_get(pfn_to_page(pfn)))
		return;
	c->page[i] = (unsigned long)pfn_to_page(pfn) |
		     (perm & VHOST_ACCESS_WO ? 0 : VT_PAGE_RO);
	c->nr++;
}

/* Entries come in the order of their addresses and do not overlap. */
static int iotlb_add_map(struct vt_gmem *gm, struct vt_chunk **cp,
			 const struct vhost_iotlb_map *map)
{
	u64 off;
	int err;

	if (!PAGE_ALIGNED(map->start) || !PAGE_ALIGNED(map->addr))
		return 0;
	for (off = 0; off <= map->last - map->start; off += PAGE_SIZE) {
		u64 index = (map->start + off) >> VT_CHUNK_SHIFT;

		if (*cp && (*cp)->index != index) {
			err = chunk_insert(gm, *cp);
			*cp = NULL;
			if (err)
				return err;
			cond_resched();
		}
		if (!*cp)
			*cp = vt_chunk_alloc(index, false, GFP_KERNEL_ACCOUNT);
		if (!*cp)
			return -ENOMEM;
		chunk_add_page(*cp, map->start + off, map->addr + off,
			       map->perm);
	}
	return 0;
}

static int iotlb_add_all(struct vt_gmem *gm, struct vhost_iotlb *iotlb)
{
	struct vhost_iotlb_map *map;
	struct vt_chunk *c = NULL;
	int err = 0;

	for (map = vhost_iotlb_itree_first(iotlb, 0, U64_MAX); map && !err;
	     map = vhost_iotlb_itree_next(map, 0, U64_MAX))
		err = iotlb_add_map(gm, &c, map);
	if (c && !err)
		return chunk_insert(gm, c);
	if (c) {
		iotlb_release(gm, c);
		vt_chunk_free(c);
	}
	return err;
}

int vt_gmem_iotlb_set(struct vt_gmem_iotlb *gi, struct vhost_iotlb *iotlb)
{
	struct vt_gmem *gm = &gi->gm;
	int err = 0;

	gi->gen++;
	if (iotlb)
		err = iotlb_add_all(gm, iotlb);
	spin_lock(&gm->lock);
	if (err)
		vt_gmem_drop(gm, 0, U64_MAX);
	else
		vt_gmem_drop_others(gm, (void *)gi->gen);
	spin_unlock(&gm->lock);
	vt_gmem_reap(gm);
	return err;
}
