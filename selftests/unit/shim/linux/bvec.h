/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BVEC_H
#define _SHIM_LINUX_BVEC_H

#include <linux/blk_types.h>

static inline void bvec_set_page(struct bio_vec *bv, struct page *page,
				 unsigned int len, unsigned int off)
{
	*bv = (struct bio_vec) { page, len, off };
}

#define bvec_set_virt(bv, p, len)	\
	bvec_set_page(bv, (struct page *)(p), len, 0)

#endif
