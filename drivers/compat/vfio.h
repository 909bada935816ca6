/* SPDX-License-Identifier: GPL-2.0 */
/* VFIO devices: since 6.19 the core answers GET_REGION_INFO. */
#ifndef _VT_COMPAT_VFIO_H
#define _VT_COMPAT_VFIO_H

#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "compat.h"

/* Its memory is a container's; not that of an iommufd, which may play one. */
static inline bool vt_vfio_in_container(const struct vfio_device *vdev)
{
#if IS_ENABLED(CONFIG_IOMMUFD)
	return !vdev->iommufd_access;
#else
	return true;
#endif
}

/* Describe a region: info->index and argsz are set; 0 or an error. */
typedef int (*vt_vfio_region_fn)(struct vfio_device *vdev,
				 struct vfio_region_info *info,
				 struct vfio_info_cap *caps);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
/* In the table of ops. */
#define VT_VFIO_REGION_OP(fn)	.get_region_info_caps = fn,

/* In the ioctl function. */
static inline long vt_vfio_region_info(struct vfio_device *vdev,
				       void __user *arg, vt_vfio_region_fn fn)
{
	return -ENOTTY;
}
#else
#define VT_VFIO_REGION_OP(fn)

static inline int vt_vfio_put_caps(struct vfio_region_info *info,
				   struct vfio_info_cap *caps,
				   void __user *arg)
{
	if (!caps->size)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	if (info->argsz < sizeof(*info) + caps->size) {
		info->argsz = sizeof(*info) + caps->size;
		info->cap_offset = 0;
		return 0;
	}
	vfio_info_cap_shift(caps, sizeof(*info));
	info->cap_offset = sizeof(*info);
	return copy_to_user(arg + sizeof(*info), caps->buf, caps->size) ?
	       -EFAULT : 0;
}

static inline long vt_vfio_region_info(struct vfio_device *vdev,
				       void __user *arg, vt_vfio_region_fn fn)
{
	struct vfio_info_cap caps = {};
	struct vfio_region_info info;
	int err;

	if (copy_from_user(&info, arg,
			   offsetofend(struct vfio_region_info, offset)))
		return -EFAULT;
	if (info.argsz < offsetofend(struct vfio_region_info, offset))
		return -EINVAL;
	info.flags = 0;
	info.cap_offset = 0;
	err = fn(vdev, &info, &caps);
	if (!err)
		err = vt_vfio_put_caps(&info, &caps, arg);
	kfree(caps.buf);
	if (err)
		return err;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}
#endif

#endif
