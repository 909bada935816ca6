/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_PI_H
#define _SHIM_PI_H

#include <linux/slab.h>
#include <vhost_target/backend.h>
#include <vhost_target/pi.h>

/* The core's vt_pi_alloc(), its tuples behind it. */
static inline struct vt_pi *shim_pi_alloc(const struct vt_backend *be,
					  u64 sector, u32 bytes, gfp_t gfp)
{
	u32 bs = be->limits.pi_interval, nr = bytes / bs;
	struct vt_pi *pi = kzalloc(sizeof(*pi) + nr * VT_PI_BYTES, gfp);

	if (!pi)
		return NULL;
	pi->tuple = (void *)(pi + 1);
	pi->nr = nr;
	pi->ref = sector / (bs >> SECTOR_SHIFT);
	pi->type = be->limits.pi_type;
	pi->check = true;
	return pi;
}

#endif
