// SPDX-License-Identifier: GPL-2.0
/* VFIO by the device's own node and an iommufd. */
#include <fcntl.h>
#include <glob.h>
#include <linux/iommufd.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "vfio.h"

#define NODES "/dev/vfio/devices"

/* The nodes' major number: there are none without CONFIG_VFIO_DEVICE_CDEV. */
static bool has_nodes(void)
{
	FILE *f = fopen("/proc/devices", "re");
	char line[128];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "vfio-dev");
	if (f)
		fclose(f);
	return found;
}

static const char *iommufd_missing(void)
{
	if (access(IOMMUFD_NODE, F_OK))
		return "this kernel has no iommufd";
	if (!has_nodes())
		return "this kernel's VFIO devices have no nodes of their own";
	return NULL;
}

static int open_node(const char *target)
{
	char path[320];
	glob_t found;
	int fd;

	snprintf(path, sizeof(path), VFIO_DEVICES "/%s/vfio-dev/vfio*", target);
	if (glob(path, 0, NULL, &found))
		return vt_failed(path, -ENOENT);
	snprintf(path, sizeof(path), NODES "%s",
		 strrchr(found.gl_pathv[0], '/'));
	globfree(&found);
	vt_wait(!access(path, F_OK));
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? vt_failed(path, -errno) : fd;
}

int vfio_ioas_alloc(struct vfio *v, u32 *ioas)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int ret = ctl_call(v->iommu, IOMMU_IOAS_ALLOC, &alloc);

	*ioas = alloc.out_ioas_id;
	return vt_failed("IOAS_ALLOC", ret);
}

int vfio_ioas_use(struct vfio *v, u32 ioas)
{
	struct vfio_device_attach_iommufd_pt pt = {
		.argsz = sizeof(pt),
		.pt_id = ioas,
	};

	v->ioas = ioas;
	return vt_failed("ATTACH_IOMMUFD_PT",
			 ctl_call(v->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &pt));
}

int vfio_ioas_leave(struct vfio *v)
{
	struct vfio_device_detach_iommufd_pt pt = { .argsz = sizeof(pt) };

	return vt_failed("DETACH_IOMMUFD_PT",
			 ctl_call(v->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &pt));
}

static int iommufd_attach(struct vfio *v, const char *target)
{
	v->iommu = open(IOMMUFD_NODE, O_RDWR | O_CLOEXEC);
	if (v->iommu < 0)
		return vt_failed(IOMMUFD_NODE, -errno);
	v->fd = open_node(target);
	return v->fd < 0 ? v->fd : vfio_ioas_alloc(v, &v->ioas);
}

static int iommufd_get_device(struct vfio *v, const char *target)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = v->iommu,
	};
	int ret = ctl_call(v->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);

	(void)target;
	return ret ? ret : vfio_ioas_use(v, v->ioas);
}

static int iommufd_map(struct vfio *v, u64 iova, const void *addr, u64 size,
		       u32 flags)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = v->ioas,
		.user_va = (uintptr_t)addr,
		.length = size,
		.iova = iova,
	};

	if (flags & VFIO_DMA_MAP_FLAG_READ)
		map.flags |= IOMMU_IOAS_MAP_READABLE;
	if (flags & VFIO_DMA_MAP_FLAG_WRITE)
		map.flags |= IOMMU_IOAS_MAP_WRITEABLE;
	return ctl_call(v->iommu, IOMMU_IOAS_MAP, &map);
}

static int iommufd_unmap(struct vfio *v, u64 iova, u64 size)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = v->ioas,
		.iova = iova,
		.length = size,
	};
	int ret = ctl_call(v->iommu, IOMMU_IOAS_UNMAP, &unmap);

	return ret ? ret : unmap.length == size ? 0 : -ENXIO;
}

const struct vfio_ops vfio_iommufd_ops = {
	.missing	= iommufd_missing,
	.attach		= iommufd_attach,
	.get_device	= iommufd_get_device,
	.map		= iommufd_map,
	.unmap		= iommufd_unmap,
};
