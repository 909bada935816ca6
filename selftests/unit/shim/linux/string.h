/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_STRING_H
#define _SHIM_LINUX_STRING_H

#include <string.h>

/* The first byte that is not @c, or NULL. */
static inline const void *memchr_inv(const void *p, int c, size_t size)
{
	const unsigned char *b = p;

	for (; size; b++, size--)
		if (*b != (unsigned char)c)
			return b;
	return NULL;
}

#endif
