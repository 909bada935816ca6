// SPDX-License-Identifier: GPL-2.0
/* What the split and the packed ring have in common. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "vring.h"

struct vt_vring_layout vt_vring_layout(unsigned int size, bool packed)
{
	struct vt_vring_layout l;

	if (packed) {
		l.desc = size * sizeof(struct vring_packed_desc);
		l.driver = sizeof(struct vring_packed_desc_event);
		l.device = sizeof(struct vring_packed_desc_event);
	} else {
		/* The event indexes sit behind the rings, offered or not. */
		l.desc = size * sizeof(struct vring_desc);
		l.driver = (3 + size) * sizeof(__virtio16);
		l.device = 3 * sizeof(__virtio16) +
			   size * sizeof(struct vring_used_elem);
	}
	return l;
}

bool vt_vring_size_ok(unsigned int size)
{
	return size && size <= VT_VRING_MAX_SIZE && is_power_of_2(size);
}

int vt_vring_set_base(struct vt_vring *vr, u32 base)
{
	bool packed = vr->ops == &vt_vring_packed_ops;

	vr->error = VT_RING_OK;
	vr->nr_pushed = 0;
	vr->nr_shown = 0;
	vr->signalled_valid = false;
	if (!packed) {
		const struct vring_used *used = vr->device;

		if (base > U16_MAX)
			return -EINVAL;
		vr->next = base;
		vr->avail_idx = base;
		vr->used = le16_to_cpu((__force __le16)READ_ONCE(used->idx));
		return 0;
	}

	vr->next = base & 0x7fff;
	vr->next_wrap = base & BIT(15);
	vr->used = (base >> 16) & 0x7fff;
	vr->used_wrap = base & BIT(31);
	if (vr->next >= vr->size || vr->used >= vr->size)
		return -EINVAL;
	return 0;
}

u32 vt_vring_get_base(const struct vt_vring *vr)
{
	if (vr->ops != &vt_vring_packed_ops)
		return vr->next;
	return vr->next | (u32)vr->next_wrap << 15 |
	       (u32)vr->used << 16 | (u32)vr->used_wrap << 31;
}

int vt_ring_broken(struct vt_vring *vr, enum vt_ring_error why)
{
	vr->error = why;
	return -EPROTO;
}

/* Copies the whole table before any of it is looked at. */
int vt_ring_read_indirect(struct vt_vring *vr, u64 addr, u32 len)
{
	int err;

	if (!len || len % sizeof(struct vring_desc) ||
	    vt_indirect_nr(len) > VT_VRING_MAX_SIZE)
		return vt_ring_broken(vr, VT_RING_BAD_INDIRECT);

	err = vt_vring_read_guest(vr, addr, vr->ind, len);
	if (err == -EFAULT)
		return vt_ring_broken(vr, VT_RING_BAD_INDIRECT);
	return err;
}
