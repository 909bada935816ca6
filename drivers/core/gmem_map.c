// SPDX-License-Identifier: GPL-2.0
/* Guest memory mapped for the kernel: rings. */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include <vhost_target/gmem.h>

static unsigned int map_nr_pages(u64 addr, u32 len)
{
	return (offset_in_page(addr) + (u64)len + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static int map_pages(struct vt_map *map, u64 addr)
{
	map->base = vmap(map->pages, map->nr, VM_MAP, PAGE_KERNEL);
	if (!map->base)
		return -ENOMEM;
	map->addr = map->base + offset_in_page(addr);
	return 0;
}

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
	map->nr = 0;
}

void vt_map_undo(struct vt_map *map)
{
	if (map->base)
		vunmap(map->base);
	if (map->pages) {
		map_put_pages(map);
		kvfree(map->pages);
	}
	memset(map, 0, sizeof(*map));
}
EXPORT_SYMBOL_GPL(vt_map_undo);

static int map_alloc(struct vt_map *map, u64 addr, u32 len)
{
	memset(map, 0, sizeof(*map));
	if (!len || addr + len < addr)
		return -EFAULT;
	map->pages = kvcalloc(map_nr_pages(addr, len), sizeof(*map->pages),
			      GFP_KERNEL_ACCOUNT);
	return map->pages ? 0 : -ENOMEM;
}

int vt_gmem_map(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		struct vt_map *map)
{
	unsigned int nr = map_nr_pages(addr, len), off;
	u64 at = round_down(addr, PAGE_SIZE);
	int err, n;

	err = map_alloc(map, addr, len);
	if (err)
		return err;
	map->borrowed = gm->identity;
	for (; map->nr < nr; at += PAGE_SIZE) {
		struct page *page;

		/* The lock keeps the chunk until the page has our reference. */
		spin_lock(&gm->lock);
		n = vt_gmem_lookup(gm, at, PAGE_SIZE, write, &page, &off);
		if (n > 0 && !map->borrowed)
			get_page(page);
		spin_unlock(&gm->lock);
		if (n == -EAGAIN) {
			err = fatal_signal_pending(current) ? -EINTR :
			      vt_gmem_fill(gm, at);
			if (err)
				goto undo;
			at -= PAGE_SIZE;
			continue;
		}
		if (n < 0) {
			err = n;
			goto undo;
		}
		map->pages[map->nr++] = page;
	}
	err = map_pages(map, addr);
	if (!err)
		return 0;
undo:
	vt_map_undo(map);
	return err;
}
EXPORT_SYMBOL_GPL(vt_gmem_map);

int vt_map_user(struct mm_struct *mm, unsigned long uaddr, u32 len, bool write,
		struct vt_map *map)
{
	unsigned int flags = FOLL_LONGTERM | (write ? FOLL_WRITE : 0);
	unsigned int nr = map_nr_pages(uaddr, len);
	long n;
	int err;

	err = map_alloc(map, uaddr, len);
	if (err)
		return err;
	map->pinned = true;
	map->write = write;
	if (!mmget_not_zero(mm)) {
		err = -EFAULT;
		goto undo;
	}
	mmap_read_lock(mm);
	while (map->nr < nr) {
		n = pin_user_pages_remote(mm, (uaddr & PAGE_MASK) +
					  (unsigned long)map->nr * PAGE_SIZE,
					  nr - map->nr, flags,
					  map->pages + map->nr, NULL);
		if (n <= 0)
			break;
		map->nr += n;
	}
	mmap_read_unlock(mm);
	mmput(mm);
	err = map->nr == nr ? map_pages(map, uaddr) : -EFAULT;
	if (!err)
		return 0;
undo:
	vt_map_undo(map);
	return err;
}
EXPORT_SYMBOL_GPL(vt_map_user);
