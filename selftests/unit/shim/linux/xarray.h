/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_XARRAY_H
#define _SHIM_LINUX_XARRAY_H

#include <stdlib.h>
#include <linux/types.h>

#define XA_PRESENT	0

/*
 * Index 0, and a table for others: one of the test, or what xa_store() has
 * made of none.
 */
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

#define DEFINE_XARRAY(name)	struct xarray name
#define xa_err(old)		((void)(old), 0)

static inline void xa_init(struct xarray *xa)
{
	*xa = (struct xarray) { };
}

static inline void xa_destroy(struct xarray *xa)
{
	free(xa->table);
	xa_init(xa);
}

static inline void *xa_store(struct xarray *xa, unsigned long index, void *p,
			     gfp_t gfp)
{
	void *old = xa_load(xa, index);

	(void)gfp;
	if (index >= xa->size && index) {
		xa->table = realloc(xa->table, (index + 1) * sizeof(p));
		while (xa->size <= index)
			xa->table[xa->size++] = NULL;
	}
	*(index ? &xa->table[index] : &xa->entry) = p;
	return old;
}

static inline void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *old = xa_load(xa, index);

	if (old)
		xa_store(xa, index, NULL, 0);
	return old;
}

#define xa_reserve(xa, index, gfp)	((void)(xa), (void)(index), 0)

/* The first entry from *@index on. */
static inline void *xa_find(struct xarray *xa, unsigned long *index,
			    unsigned long max, int filter)
{
	unsigned long i = *index;

	(void)filter;
	for (; i <= max && (!i || i < xa->size); i++) {
		if (!xa_load(xa, i))
			continue;
		*index = i;
		return xa_load(xa, i);
	}
	return NULL;
}

#define xa_for_each(xa, index, entry)					\
	for (index = 0; (entry = xa_find(xa, &index, ~0ul, XA_PRESENT)); \
	     index++)

#endif
