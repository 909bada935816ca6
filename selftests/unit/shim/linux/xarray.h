/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_XARRAY_H
#define _SHIM_LINUX_XARRAY_H

#include <linux/types.h>

/* What a test has put there: index 0, and a table of its own for others. */
struct xarray {
	void *entry;
	void **table;
	unsigned long size;
};

static inline void *xa_load(struct xarray *xa, unsigned long index)
{
	if (!index)
		return xa->entry;
	return index < xa->size ? xa->table[index] : NULL;
}

#endif
