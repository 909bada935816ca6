/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#include <linux/cache.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/types.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	4096u

struct address_space;

/* A page of the tests is where its bytes are. */
struct page {
	u8 bytes[PAGE_SIZE];
};

struct mm_struct {
	struct rw_semaphore mmap_lock;
};

#define unmap_mapping_range(mapping, start, len, even_cows) ((void)(mapping))

#define offset_in_page(p)	((unsigned long)(p) & (PAGE_SIZE - 1))
#define page_address(page)	((void *)(page))

static inline struct page *alloc_page(gfp_t gfp)
{
	void *p = shim_no_room(gfp) ? NULL : aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	shim_pages++;
	return p ? memset(p, gfp & __GFP_ZERO ? 0 : 0xa5, PAGE_SIZE) : NULL;
}

#define __free_page(page)	free(page)
#define get_zeroed_page(gfp)	((unsigned long)alloc_page((gfp) | __GFP_ZERO))
#define free_page(addr)		free((void *)(addr))

#endif
