// SPDX-License-Identifier: GPL-2.0
/* VFIO by a group, in a container or in an iommufd that plays one. */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl.h"
#include "vfio.h"

static const char *container_missing(void)
{
	if (access("/sys/module/vfio_iommu_type1", F_OK))
		return "vfio_iommu_type1 is not loaded";
	return NULL;
}

static const char *compat_missing(void)
{
	if (access(IOMMUFD_NODE, F_OK))
		return "this kernel has no iommufd";
	return NULL;
}

static int open_group(const char *target)
{
	char path[320], link[256];
	const char *nr;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), VFIO_DEVICES "/%s/iommu_group", target);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return vt_failed(path, -errno);
	link[len] = 0;
	nr = strrchr(link, '/');
	snprintf(path, sizeof(path), "/dev/vfio/%.32s", nr ? nr + 1 : link);
	vt_wait(!access(path, F_OK));
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int attach(struct vfio *v, const char *target, const char *node)
{
	int ret;

	v->iommu = open(node, O_RDWR | O_CLOEXEC);
	if (v->iommu < 0)
		return vt_failed(node, -errno);
	v->group = open_group(target);
	if (v->group < 0)
		return v->group;
	ret = vt_failed("GROUP_SET_CONTAINER",
			ctl_call(v->group, VFIO_GROUP_SET_CONTAINER,
				 &v->iommu));
	if (!ret && ioctl(v->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		ret = vt_failed("SET_IOMMU", -errno);
	return ret;
}

static int container_attach(struct vfio *v, const char *target)
{
	return attach(v, target, VFIO_NODE);
}

static int compat_attach(struct vfio *v, const char *target)
{
	return attach(v, target, IOMMUFD_NODE);
}

static int group_get_device(struct vfio *v, const char *target)
{
	int fd = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, target);

	if (fd < 0)
		return -errno;
	v->fd = fd;
	return 0;
}

static int group_map(struct vfio *v, u64 iova, const void *addr, u64 size,
		     u32 flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)addr,
		.iova = iova,
		.size = size,
	};

	return ctl_call(v->iommu, VFIO_IOMMU_MAP_DMA, &map);
}

static int group_unmap(struct vfio *v, u64 iova, u64 size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};
	int ret = ctl_call(v->iommu, VFIO_IOMMU_UNMAP_DMA, &unmap);

	return ret ? ret : unmap.size == size ? 0 : -ENXIO;
}

const struct vfio_ops vfio_container_ops = {
	.missing	= container_missing,
	.attach		= container_attach,
	.get_device	= group_get_device,
	.map		= group_map,
	.unmap		= group_unmap,
};

const struct vfio_ops vfio_compat_ops = {
	.missing	= compat_missing,
	.attach		= compat_attach,
	.get_device	= group_get_device,
	.map		= group_map,
	.unmap		= group_unmap,
};
