/* SPDX-License-Identifier: GPL-2.0 */
/* vDPA parent devices: 6.18 moved the DMA device into a map token. */
#ifndef _VT_COMPAT_VDPA_H
#define _VT_COMPAT_VDPA_H

#include <linux/vdpa.h>

#include "compat.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define vt_vdpa_alloc_device(type, member, parent, ops, name, use_va) \
	vdpa_alloc_device(type, member, parent, ops, NULL, 1, 1, name, use_va)

static inline void vt_vdpa_set_dma_dev(struct vdpa_device *vdpa,
				       struct device *dev)
{
	vdpa->vmap.dma_dev = dev;
}
#else
#define vt_vdpa_alloc_device(type, member, parent, ops, name, use_va) \
	vdpa_alloc_device(type, member, parent, ops, 1, 1, name, use_va)

static inline void vt_vdpa_set_dma_dev(struct vdpa_device *vdpa,
				       struct device *dev)
{
	vdpa->dma_dev = dev;
}
#endif

#endif
