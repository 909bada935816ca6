/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the two ring formats only. */
#ifndef _VT_CORE_VRING_H
#define _VT_CORE_VRING_H

#include <vhost_target/vring.h>

int vt_chain_add(struct vt_vring *vr, struct vt_chain *c, u64 addr, u32 len,
		 bool write);
int vt_ring_broken(struct vt_vring *vr, enum vt_ring_error why);
int vt_ring_read_indirect(struct vt_vring *vr, u64 addr, u32 len);

/* Descriptors of the table that vt_ring_read_indirect() copied. */
static inline unsigned int vt_indirect_nr(u32 len)
{
	return len / sizeof(struct vring_desc);
}

#endif
