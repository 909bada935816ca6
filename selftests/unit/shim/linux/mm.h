/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#include <linux/cache.h>
#include <linux/types.h>

#define PAGE_SHIFT	12

struct page;
struct mm_struct;

/* A page of the tests is where its bytes are. */
#define page_address(page)	((void *)(page))

#endif
