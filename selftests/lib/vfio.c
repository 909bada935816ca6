// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl.h"
#include "vfio.h"

static const struct vfio_ops *const ways[] = {
	[VFIO_CONTAINER]	= &vfio_container_ops,
	[VFIO_IOMMUFD]		= &vfio_iommufd_ops,
	[VFIO_COMPAT]		= &vfio_compat_ops,
};

static const struct vfio_ops *in_use = &vfio_container_ops;

void vfio_use(enum vfio_way way)
{
	in_use = ways[way];
}

const char *vfio_missing(void)
{
	if (access(CTL_NODE, F_OK))
		return "vhost_target is not loaded";
	if (access("/sys/module/vhost_target_vfio", F_OK))
		return "vhost_target_vfio is not loaded";
	if (access("/sys/module/vhost_nvme", F_OK))
		return "vhost_nvme is not loaded";
	return in_use->missing();
}

int vfio_attach(struct vfio *v, const char *target)
{
	int ret;

	memset(v, 0, sizeof(*v));
	v->ops = in_use;
	v->fd = -1;
	ret = v->ops->attach(v, target);
	if (ret)
		vfio_close(v);
	return ret;
}

static int read_regions(struct vfio *v)
{
	struct vfio_region_info info;
	unsigned int i;
	int ret;

	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		ret = vfio_region_info(v, i, &info, sizeof(info));
		if (ret)
			return vt_failed("GET_REGION_INFO", ret);
		v->offset[i] = info.offset;
		v->size[i] = info.size;
	}
	return 0;
}

int vfio_get_device(struct vfio *v, const char *target)
{
	int ret = v->ops->get_device(v, target);

	return ret ? ret : read_regions(v);
}

int vfio_open(struct vfio *v, const char *target)
{
	int ret = vfio_attach(v, target);

	if (ret)
		return ret;
	ret = vt_failed("open the device", vfio_get_device(v, target));
	if (!ret)
		ret = vfio_set_command(v, PCI_COMMAND_MEMORY |
				       PCI_COMMAND_MASTER);
	if (ret)
		vfio_close(v);
	return ret;
}

void vfio_close(struct vfio *v)
{
	/* What was never opened is 0 as a whole. */
	if (v->fd > 0)
		close(v->fd);
	if (v->group > 0)
		close(v->group);
	if (v->iommu > 0)
		close(v->iommu);
	memset(v, 0, sizeof(*v));
}

int vfio_map(struct vfio *v, u64 iova, const void *addr, u64 size, u32 flags)
{
	return v->ops->map(v, iova, addr, size, flags);
}

int vfio_unmap(struct vfio *v, u64 iova, u64 size)
{
	return v->ops->unmap(v, iova, size);
}

int vfio_map_mem(struct vfio *v, const struct mem *m)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < m->nr && !ret; i++)
		ret = vt_failed("map",
				vfio_map(v, m->region[i].gpa,
					 m->region[i].hva + m->shift,
					 m->region[i].size, VFIO_RW));
	return ret;
}

int vfio_read(struct vfio *v, unsigned int region, u64 off, unsigned int size,
	      u64 *val)
{
	ssize_t n;

	*val = 0;
	n = pread(v->fd, val, size, v->offset[region] + off);
	return n < 0 ? -errno : n == (ssize_t)size ? 0 : -EIO;
}

int vfio_write(struct vfio *v, unsigned int region, u64 off, unsigned int size,
	       u64 val)
{
	ssize_t n = pwrite(v->fd, &val, size, v->offset[region] + off);

	return n < 0 ? -errno : n == (ssize_t)size ? 0 : -EIO;
}

u64 vfio_get(struct vfio *v, unsigned int region, u64 off, unsigned int size)
{
	u64 val;

	return vt_failed("vfio read", vfio_read(v, region, off, size, &val)) ?
	       ~0ull : val;
}

unsigned int vfio_cap(struct vfio *v, u8 id)
{
	unsigned int at = vfio_get(v, VFIO_CONFIG, PCI_CAPABILITY_LIST, 1);
	unsigned int i;

	for (i = 0; at >= 0x40 && i < 48; i++) {
		if (vfio_get(v, VFIO_CONFIG, at, 1) == id)
			return at;
		at = vfio_get(v, VFIO_CONFIG, at + 1, 1);
	}
	return 0;
}

int vfio_set_command(struct vfio *v, u16 command)
{
	return vt_failed("PCI_COMMAND", vfio_write(v, VFIO_CONFIG, PCI_COMMAND,
						   2, command));
}

volatile u32 *vfio_map_doorbells(struct vfio *v)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd,
		       v->offset[VFIO_BAR0] + VFIO_DOORBELLS);

	if (p != MAP_FAILED)
		return p;
	vt_failed("mmap of the doorbells", -errno);
	return NULL;
}

void vfio_unmap_doorbells(volatile u32 *db)
{
	if (db)
		munmap((void *)db, PAGE);
}

int vfio_region_info(struct vfio *v, unsigned int region,
		     struct vfio_region_info *info, size_t size)
{
	memset(info, 0, size);
	info->argsz = size;
	info->index = region;
	return ctl_call(v->fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

int vfio_irq_info(struct vfio *v, unsigned int index,
		  struct vfio_irq_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return ctl_call(v->fd, VFIO_DEVICE_GET_IRQ_INFO, info);
}

int vfio_set_irqs(struct vfio *v, unsigned int index, u32 flags,
		  unsigned int start, unsigned int count, const void *data,
		  size_t size)
{
	struct vfio_irq_set *set = calloc(1, sizeof(*set) + count * size);
	int ret;

	if (!set)
		return -ENOMEM;
	set->argsz = sizeof(*set) + count * size;
	set->flags = flags;
	set->index = index;
	set->start = start;
	set->count = count;
	if (size)
		memcpy(set->data, data, count * size);
	ret = ctl_call(v->fd, VFIO_DEVICE_SET_IRQS, set);
	free(set);
	return ret;
}

int vfio_set_eventfds(struct vfio *v, unsigned int index, unsigned int start,
		      unsigned int count, const int *fds)
{
	return vfio_set_irqs(v, index, VFIO_IRQ_SET_DATA_EVENTFD |
			     VFIO_IRQ_SET_ACTION_TRIGGER, start, count, fds,
			     sizeof(*fds));
}

int vfio_irq_action(struct vfio *v, unsigned int index, unsigned int nr,
		    u32 action)
{
	return vfio_set_irqs(v, index, VFIO_IRQ_SET_DATA_NONE | action, nr, 1,
			     NULL, 0);
}

int vfio_irqs_off(struct vfio *v, unsigned int index)
{
	return vfio_set_irqs(v, index, VFIO_IRQ_SET_DATA_NONE |
			     VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL, 0);
}

int vfio_reset(struct vfio *v)
{
	return ioctl(v->fd, VFIO_DEVICE_RESET) ? -errno : 0;
}
