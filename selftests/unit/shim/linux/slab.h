/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <stdlib.h>
#include <string.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include "../hook.h"

#define __GFP_ZERO	1
#define __GFP_NOFAIL	2
#define __GFP_ACCOUNT	0
#define __GFP_NOWARN	0
#define GFP_KERNEL	0
#define GFP_KERNEL_ACCOUNT	0
#define GFP_NOIO	0
#define GFP_NOWAIT	0

static inline bool shim_no_room(gfp_t gfp)
{
	return !(gfp & __GFP_NOFAIL) && shim_no_memory && !--shim_no_memory;
}

static inline void *kvzalloc(size_t size, gfp_t gfp)
{
	shim_asked = size;
	return shim_no_room(gfp) ? NULL : calloc(1, size);
}

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return shim_piece && size > shim_piece ? NULL : kvzalloc(size, gfp);
}

/* With contents that nobody expects. */
static inline void *shim_dirty(void *p, size_t size, gfp_t gfp)
{
	return p && !(gfp & __GFP_ZERO) ? memset(p, 0xa5, size) : p;
}

static inline void *kmalloc(size_t size, gfp_t gfp)
{
	return shim_dirty(kzalloc(size, gfp), size, gfp);
}

static inline void *kvmalloc(size_t size, gfp_t gfp)
{
	return shim_dirty(kvzalloc(size, gfp), size, gfp);
}

#define kmalloc_array(n, size, gfp)	kmalloc((n) * (size), gfp)
#define kvmalloc_array(n, size, gfp)	kvmalloc((n) * (size), gfp)
#define kvcalloc(n, size, gfp)	kvzalloc((n) * (size), gfp)
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))

#endif
