/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include "../hook.h"

#define GFP_KERNEL_ACCOUNT	0

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	(void)gfp;
	return shim_no_memory && !--shim_no_memory ? NULL : calloc(1, size);
}

#define GFP_NOIO	0
#define GFP_NOWAIT	0
#define __GFP_ACCOUNT	0
#define __GFP_NOWARN	0

/* With contents that nobody expects. */
static inline void *kmalloc(size_t size, gfp_t gfp)
{
	void *p = kzalloc(size, gfp);

	return p ? memset(p, 0xa5, size) : NULL;
}

#define kmalloc_array(n, size, gfp)	kmalloc((n) * (size), gfp)
#define kvzalloc(size, gfp)	kzalloc(size, gfp)
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))

#endif
