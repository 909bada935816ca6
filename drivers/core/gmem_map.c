// SPDX-License-Identifier: GPL-2.0
/* Guest memory mapped for the kernel: rings. */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include "gmem_map.h"

static void map_put_pages(struct vt_map *map)
{
	unsigned int i;

	if (map->pinned) {
		/* A file that is only read must not be marked: it may have no way. */
		unpin_user_pages_dirty_lock(map->pages, map->nr, map->write);
	} else if (!map->borrowed) {
		for (i = 0; i < map->nr; i++)
			put_page(map->pages[i]);
	}
}

void vt_map_undo(struct vt_map *map)
{
	if (map->base)
		vunmap(map->base);
	if (map->pages) {
		map_put_pages(map);
		kvfree(map->pages);
	}
	if (map->mm) {
		atomic64_sub(map->want, &map->mm->pinned_vm);
		mmdrop(map->mm);
	}
	memset(map, 0, sizeof(*map));
}
EXPORT_SYMBOL_GPL(vt_map_undo);

static int map_charge(struct vt_gmem *gm, struct vt_map *map)
{
	if (!gm->mm || map->borrowed)
		return 0;
	if (!vt_gmem_charge(gm, map->want))
		return -EDQUOT;
	mmgrab(gm->mm);
	map->mm = gm->mm;
	return 0;
}

int vt_map_begin(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		 struct vt_map *map)
{
	int err;

	memset(map, 0, sizeof(*map));
	if (!len || addr + len < addr)
		return -EFAULT;
	map->want = (offset_in_page(addr) + (u64)len + PAGE_SIZE - 1) >>
		    PAGE_SHIFT;
	map->write = write;
	map->borrowed = gm->identity;
	map->pages = kvcalloc(map->want, sizeof(*map->pages),
			      GFP_KERNEL_ACCOUNT);
	err = map->pages ? map_charge(gm, map) : -ENOMEM;
	if (err)
		vt_map_undo(map);
	return err;
}

int vt_map_end(struct vt_map *map, u64 addr, int err)
{
	if (!err) {
		map->base = vmap(map->pages, map->nr, VM_MAP, PAGE_KERNEL);
		if (map->base)
			map->addr = map->base + offset_in_page(addr);
		else
			err = -ENOMEM;
	}
	if (err)
		vt_map_undo(map);
	return err;
}

/* The next page. Returns: 0, also if it has to be looked for again. */
static int map_add(struct vt_gmem *gm, struct vt_map *map, u64 at)
{
	struct page *page;
	unsigned int off;
	int n;

	/* The lock keeps the chunk until the page has our reference. */
	spin_lock(&gm->lock);
	n = vt_gmem_lookup(gm, at, PAGE_SIZE, map->write, &page, &off);
	if (n > 0 && !map->borrowed)
		get_page(page);
	spin_unlock(&gm->lock);
	if (n > 0)
		map->pages[map->nr++] = page;
	if (n != -EAGAIN)
		return n < 0 ? n : 0;
	return fatal_signal_pending(current) ? -EINTR : vt_gmem_fill(gm, at);
}

int vt_gmem_map(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		struct vt_map *map)
{
	u64 start = round_down(addr, PAGE_SIZE);
	int err;

	if (gm->ops->map)
		return gm->ops->map(gm, addr, len, write, map);
	err = vt_map_begin(gm, addr, len, write, map);
	if (err)
		return err == -EDQUOT ? -ENOMEM : err;
	while (!err && map->nr < map->want)
		err = map_add(gm, map, start + (u64)map->nr * PAGE_SIZE);
	return vt_map_end(map, addr, err);
}
EXPORT_SYMBOL_GPL(vt_gmem_map);
