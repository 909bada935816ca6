/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VFIO door: a device as a VMM sees it.
 *
 * Every call returns 0 or -errno, unless it says otherwise.
 */
#ifndef VT_VFIO_H
#define VT_VFIO_H

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "mem.h"

#define VFIO_NODE "/dev/vfio/vfio"
#define IOMMUFD_NODE "/dev/iommu"
#define VFIO_DEVICES "/sys/devices/vhost-nvme"
#define VFIO_DRIVER "/sys/bus/vhost-nvme/drivers/vhost_target_vfio"

#define VFIO_BAR0 VFIO_PCI_BAR0_REGION_INDEX
#define VFIO_BAR4 VFIO_PCI_BAR4_REGION_INDEX
#define VFIO_CONFIG VFIO_PCI_CONFIG_REGION_INDEX
#define VFIO_INTX VFIO_PCI_INTX_IRQ_INDEX
#define VFIO_MSIX VFIO_PCI_MSIX_IRQ_INDEX

#define VFIO_RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define VFIO_RO VFIO_DMA_MAP_FLAG_READ

/* BAR0: where the page of doorbells is. */
#define VFIO_DOORBELLS 0x1000

/* How a VMM gets at the device, and tells of its memory. */
enum vfio_way {
	VFIO_CONTAINER,	/* a group, in a container with the type 1 backend */
	VFIO_IOMMUFD,	/* the device's own node, bound to an iommufd */
	VFIO_COMPAT,	/* a group, in an iommufd that plays the container */
};

struct vfio;

struct vfio_ops {
	const char *(*missing)(void);
	int (*attach)(struct vfio *v, const char *target);
	int (*get_device)(struct vfio *v, const char *target);
	int (*map)(struct vfio *v, u64 iova, const void *addr, u64 size,
		   u32 flags);
	int (*unmap)(struct vfio *v, u64 iova, u64 size);
};

extern const struct vfio_ops vfio_container_ops;
extern const struct vfio_ops vfio_iommufd_ops;
extern const struct vfio_ops vfio_compat_ops;

struct vfio {
	const struct vfio_ops *ops;
	int iommu;	/* container or iommufd */
	int group;
	int fd;
	u32 ioas;	/* of an iommufd: where mappings go */
	u64 offset[VFIO_PCI_NUM_REGIONS];	/* in fd */
	u64 size[VFIO_PCI_NUM_REGIONS];
};

/* The way of all that are attached from now on; at first, by a container. */
void vfio_use(enum vfio_way way);
/* What is not there for such tests, or NULL. */
const char *vfio_missing(void);

/* A target's device is there, but not open yet; ready for mappings. */
int vfio_attach(struct vfio *v, const char *target);
/* Open it. */
int vfio_get_device(struct vfio *v, const char *target);
/* Both; then memory and bus master are switched on. */
int vfio_open(struct vfio *v, const char *target);
void vfio_close(struct vfio *v);

/* Another address space of its iommufd; have the device use one, or none. */
int vfio_ioas_alloc(struct vfio *v, u32 *ioas);
int vfio_ioas_use(struct vfio *v, u32 ioas);
int vfio_ioas_leave(struct vfio *v);

int vfio_map(struct vfio *v, u64 iova, const void *addr, u64 size, u32 flags);
int vfio_unmap(struct vfio *v, u64 iova, u64 size);
/* Every region of @m at its guest address. */
int vfio_map_mem(struct vfio *v, const struct mem *m);

/* @size: 1, 2, 4 or 8 bytes at @off of a region. */
int vfio_read(struct vfio *v, unsigned int region, u64 off, unsigned int size,
	      u64 *val);
int vfio_write(struct vfio *v, unsigned int region, u64 off, unsigned int size,
	       u64 val);
/* The same, for what cannot fail; all ones when it did. */
u64 vfio_get(struct vfio *v, unsigned int region, u64 off, unsigned int size);

/* Offset of a capability in configuration space, 0 if there is none. */
unsigned int vfio_cap(struct vfio *v, u8 id);
int vfio_set_command(struct vfio *v, u16 command);

/* The page of doorbells in our memory, or NULL. */
volatile u32 *vfio_map_doorbells(struct vfio *v);
void vfio_unmap_doorbells(volatile u32 *db);

int vfio_region_info(struct vfio *v, unsigned int region,
		     struct vfio_region_info *info, size_t size);
int vfio_irq_info(struct vfio *v, unsigned int index,
		  struct vfio_irq_info *info);
/* VFIO_DEVICE_SET_IRQS with @size bytes of data for each of @count. */
int vfio_set_irqs(struct vfio *v, unsigned int index, u32 flags,
		  unsigned int start, unsigned int count, const void *data,
		  size_t size);
int vfio_set_eventfds(struct vfio *v, unsigned int index, unsigned int start,
		      unsigned int count, const int *fds);
/* An action without data on one interrupt. */
int vfio_irq_action(struct vfio *v, unsigned int index, unsigned int nr,
		    u32 action);
int vfio_irqs_off(struct vfio *v, unsigned int index);
int vfio_reset(struct vfio *v);

#endif
