// SPDX-License-Identifier: GPL-2.0
/* The ioctl door: the calls of <linux/vhost_target.h>. */
#include <linux/eventfd.h>
#include <linux/uaccess.h>
#include <linux/virtio_config.h>

#include <vhost_target/gmem_user.h>
#include <vhost_target/ioctl.h>

#include "door_priv.h"

static struct vt_vdev *door_make_vdev(struct vt_ioctl_door *door,
				      const char *name)
{
	struct vt_target *t = vt_target_find(name);
	struct vt_vdev *vdev;
	int err;

	if (!t)
		return ERR_PTR(-ENOENT);
	err = t->type == door->type ? vt_target_admits(t, door->cred) : -ENOENT;
	vdev = err ? ERR_PTR(err) :
		     vt_vdev_create(t, 0, &door_vdev_ops, door);
	vt_target_put(t);
	return vdev;
}

static long door_attach(void *ctx, void *arg)
{
	const struct vhost_target_attach *p = arg;
	struct vt_ioctl_door *door = ctx;
	struct vt_vdev *vdev;
	int err;

	if (!vt_name_ok(p->name))
		return -EINVAL;
	if (door->vdev)
		return -EALREADY;
	vdev = door_make_vdev(door, p->name);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	err = door_alloc_vqs(door, vdev->nvqs);
	if (err) {
		vt_vdev_destroy(vdev);
		return err;
	}
	err = door_bind(door, vdev);
	if (err) {
		kvfree(door->vqs);
		door->vqs = NULL;
		door->nvqs = 0;
	}
	return err;
}

static long door_start(void *ctx, void *arg)
{
	struct vt_ioctl_door *door = ctx;
	int n;

	if (!door->vdev)
		return -ENOTCONN;
	if (!vt_gmem_user_has_table(door->gu) ||
	    !vt_vdev_has(door->vdev, VIRTIO_F_VERSION_1))
		return -EINVAL;
	mutex_lock(&door->vdev->s.lock);
	n = door_start_all(door);
	mutex_unlock(&door->vdev->s.lock);
	if (n < 0)
		return n;
	return n ? 0 : -EINVAL;
}

static long door_stop(void *ctx, void *arg)
{
	struct vt_ioctl_door *door = ctx;

	if (!door->vdev)
		return -ENOTCONN;
	mutex_lock(&door->vdev->s.lock);
	door_stop_all(door);
	mutex_unlock(&door->vdev->s.lock);
	return 0;
}

/* Larger than the configuration space of any device type. */
#define DOOR_MAX_CONFIG	256

static long door_get_config(void *ctx, void *arg)
{
	const struct vhost_target_config *p = arg;
	struct vt_ioctl_door *door = ctx;
	u8 buf[DOOR_MAX_CONFIG];
	int err;

	if (!door->vdev)
		return -ENOTCONN;
	if (p->len > sizeof(buf))
		return -ERANGE;
	err = vt_vdev_read_config(door->vdev, p->offset, buf, p->len);
	if (err)
		return err;
	return copy_to_user(u64_to_user_ptr(p->data_ptr), buf, p->len) ?
	       -EFAULT : 0;
}

static long door_set_config(void *ctx, void *arg)
{
	const struct vhost_target_config *p = arg;
	struct vt_ioctl_door *door = ctx;
	u8 buf[DOOR_MAX_CONFIG];

	if (!door->vdev)
		return -ENOTCONN;
	if (p->len > sizeof(buf))
		return -ERANGE;
	if (copy_from_user(buf, u64_to_user_ptr(p->data_ptr), p->len))
		return -EFAULT;
	return vt_vdev_write_config(door->vdev, p->offset, buf, p->len);
}

static long door_get_device(void *ctx, void *arg)
{
	struct vhost_target_device *p = arg;
	struct vt_ioctl_door *door = ctx;

	if (p->reserved0)
		return -EINVAL;
	if (!door->vdev)
		return -ENOTCONN;
	p->device_id = door->vdev->ops->device_id;
	p->num_queues = door->vdev->nvqs;
	p->queue_size_max = door->vdev->s.target->queue_size;
	p->config_size = door->vdev->ops->config_size;
	p->generation = atomic_read(&door->vdev->s.target->generation);
	return 0;
}

static long door_set_config_call(void *ctx, void *arg)
{
	const struct vhost_target_eventfd *p = arg;
	struct vt_ioctl_door *door = ctx;
	struct eventfd_ctx *new = NULL;

	if (p->reserved0)
		return -EINVAL;
	if (!door->vdev)
		return -ENOTCONN;
	if (p->fd != -1) {
		new = eventfd_ctx_fdget(p->fd);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}
	mutex_lock(&door->vdev->s.target->lock);
	swap(door->config_call, new);
	mutex_unlock(&door->vdev->s.target->lock);
	if (new)
		eventfd_ctx_put(new);
	return 0;
}

/* Where VHOST_TARGET_ATTACH names the target. */
static const struct vt_ioctl attach_ioctls[] = {
	VT_IOCTL(VHOST_TARGET_ATTACH, vhost_target_attach, name,
		 0, door_attach),
	VT_IOCTL(VHOST_TARGET_START, vhost_target_run, flags, 0, door_start),
	VT_IOCTL(VHOST_TARGET_STOP, vhost_target_run, flags, 0, door_stop),
};

static const struct vt_ioctl device_ioctls[] = {
	VT_IOCTL(VHOST_TARGET_GET_CONFIG, vhost_target_config, data_ptr,
		 0, door_get_config),
	VT_IOCTL(VHOST_TARGET_SET_CONFIG, vhost_target_config, data_ptr,
		 0, door_set_config),
	VT_IOCTL(VHOST_TARGET_GET_DEVICE, vhost_target_device, reserved0,
		 0, door_get_device),
	VT_IOCTL(VHOST_TARGET_SET_CONFIG_CALL, vhost_target_eventfd, reserved0,
		 0, door_set_config_call),
};

long door_attach_ioctl(struct vt_ioctl_door *door, unsigned int cmd,
		       void __user *argp)
{
	long ret = -ENOTTY;

	if (!door_has_endpoint(door))
		ret = vt_ioctl_call(attach_ioctls, ARRAY_SIZE(attach_ioctls),
				    door, cmd, argp);
	if (ret == -ENOTTY)
		ret = vt_ioctl_call(device_ioctls, ARRAY_SIZE(device_ioctls),
				    door, cmd, argp);
	return ret;
}
