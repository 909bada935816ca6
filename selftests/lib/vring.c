// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "vring.h"

int vring_alloc(struct vqueue *vr, struct mem *m, unsigned int num)
{
	u64 size[3];

	if (!num || num > VRING_MAX_NUM)
		return -EINVAL;
	vr->ops = vr->packed ? &vring_packed_ops : &vring_split_ops;
	vr->num = num;
	vr->ops->sizes(vr, size);

	/* A page each, so that a test can protect one of them alone. */
	vr->desc_area = mem_alloc(m, size[0], PAGE, &vr->desc_gpa);
	vr->driver_area = mem_alloc(m, size[1], PAGE, &vr->driver_gpa);
	vr->device_area = mem_alloc(m, align_up(size[2], PAGE), PAGE,
				    &vr->device_gpa);
	if (!vr->desc_area || !vr->driver_area || !vr->device_area)
		return -ENOMEM;
	if (vr->indirect) {
		vr->tables = mem_alloc(m, num * VRING_MAX_INDIRECT * 16ull, 16,
				       &vr->tables_gpa);
		if (!vr->tables)
			return -ENOMEM;
	}
	vring_reset(vr, 0);
	return 0;
}

void vring_reset(struct vqueue *vr, u16 index)
{
	u64 size[3];
	unsigned int i;

	vr->ops->sizes(vr, size);
	memset(vr->desc_area, 0, size[0]);
	memset(vr->driver_area, 0, size[1]);
	memset(vr->device_area, 0, size[2]);
	memset(vr->chain, 0, sizeof(vr->chain));
	for (i = 0; i < vr->num; i++)
		vr->chain[i].next = i + 1;
	vr->free_head = 0;
	vr->num_free = vr->num;
	vr->added = 0;
	vr->armed = false;
	vr->ops->init(vr, index);
}

int vring_add(struct vqueue *vr, const struct vring_seg *seg, unsigned int n,
	      void *token)
{
	bool table = vring_uses_table(vr, n);

	if (!n || n > (table ? VRING_MAX_INDIRECT : vr->num))
		return -EINVAL;
	if (vr->num_free < (table ? 1 : n))
		return -ENOSPC;
	vr->ops->put(vr, seg, n, token);
	return 0;
}
