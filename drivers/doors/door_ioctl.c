// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctl door of virtio devices: the ABI of <linux/vhost.h>, and around it
 * one of two ways to name a target:
 *
 *  VHOST_TARGET_ATTACH comes first: what can be negotiated is the target's.
 *  VHOST_SCSI_SET_ENDPOINT comes last: features and rings are set up before
 *  it is known which target they are for, and stay set after it is left.
 *
 * So what the VMM sets is kept here, and given to a session when there is one.
 */
#include <linux/cred.h>
#include <linux/eventfd.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include <vhost_target/door_ioctl.h>
#include <vhost_target/gmem_user.h>

#include "door_priv.h"

/* Called with target->lock held. */
static void door_config_changed(struct vt_vdev *vdev)
{
	struct vt_ioctl_door *door = vdev->door_priv;

	if (door->config_call)
		eventfd_signal(door->config_call);
}

/* Called in the poller. */
static void door_vq_error(struct vt_vdev *vdev, struct vt_vq *vq)
{
	struct vt_ioctl_door *door = vdev->door_priv;
	struct door_vq *dvq = &door->vqs[vq->q.index];

	if (dvq->err)
		eventfd_signal(dvq->err);
}

const struct vt_vdev_door_ops door_vdev_ops = {
	.config_changed	= door_config_changed,
	.vq_error	= door_vq_error,
	.hides_change	= true,
};

static int door_map_ring(struct vt_vdev *vdev, u64 addr, u32 len, bool write,
			 struct vt_map *map)
{
	struct vt_ioctl_door *door = vdev->door_priv;

	return vt_gmem_user_map(door->gu, addr, len, write, map);
}

static void door_sync_memory(void *arg)
{
	struct vt_ioctl_door *door = arg;

	mutex_lock(&door->vdev_lock);
	if (door->vdev)
		vt_session_sync(&door->vdev->s);
	mutex_unlock(&door->vdev_lock);
}

/* The life of a session. */

int door_alloc_vqs(struct vt_ioctl_door *door, unsigned int nvqs)
{
	door->vqs = kvcalloc(nvqs, sizeof(*door->vqs), GFP_KERNEL_ACCOUNT);
	if (!door->vqs)
		return -ENOMEM;
	door->nvqs = nvqs;
	return 0;
}

/* No poller looks yet, or any more. */
static void door_set_vqs(struct vt_ioctl_door *door, struct vt_vdev *vdev)
{
	unsigned int i, n = min(door->nvqs, vdev->nvqs);
	struct door_vq *dvq;

	mutex_lock(&vdev->s.lock);
	for (i = 0; i < n; i++) {
		dvq = &door->vqs[i];
		dvq->vq = &vdev->vqs[i];
		vt_queue_set_call(&dvq->vq->q,
				  (struct vt_notify){ .ctx = dvq->call });
	}
	mutex_unlock(&vdev->s.lock);
}

static void door_set_vdev(struct vt_ioctl_door *door, struct vt_vdev *vdev)
{
	mutex_lock(&door->vdev_lock);
	door->vdev = vdev;
	mutex_unlock(&door->vdev_lock);
}

int door_bind(struct vt_ioctl_door *door, struct vt_vdev *vdev)
{
	int err;

	lockdep_assert_held(&door->lock);
	vdev->s.gmem = vt_gmem_user_mem(door->gu);
	vdev->s.opener = door->cred;
	vdev->map_ring = door_map_ring;
	vdev->features = door->features;
	err = vt_vdev_attach(vdev);
	if (err) {
		vt_vdev_destroy(vdev);
		return err;
	}
	door_set_vqs(door, vdev);
	door_set_vdev(door, vdev);
	return 0;
}

void door_unbind(struct vt_ioctl_door *door)
{
	struct vt_vdev *vdev = door->vdev;
	unsigned int i;

	lockdep_assert_held(&door->lock);
	mutex_lock(&vdev->s.lock);
	door_stop_all(door);
	mutex_unlock(&vdev->s.lock);
	vt_vdev_detach(vdev);
	if (door->config_call)
		eventfd_ctx_put(door->config_call);
	door->config_call = NULL;

	door_set_vdev(door, NULL);
	for (i = 0; i < door->nvqs; i++)
		door->vqs[i].vq = NULL;
	vt_vdev_destroy(vdev);
}

/* The classic calls. */

long vt_door_set_owner(struct vt_gmem_user **gu, void (*sync)(void *arg),
		       void *sync_arg)
{
	struct vt_gmem_user *new;

	if (*gu)
		return -EBUSY;
	new = vt_gmem_user_create(current->mm, sync, sync_arg);
	if (IS_ERR(new))
		return PTR_ERR(new);
	*gu = new;
	return 0;
}
EXPORT_SYMBOL_GPL(vt_door_set_owner);

bool vt_door_is_owner(const struct vt_gmem_user *gu)
{
	return gu && vt_gmem_user_mm(gu) == current->mm;
}
EXPORT_SYMBOL_GPL(vt_door_is_owner);

static bool door_running(const struct vt_ioctl_door *door)
{
	unsigned int i;

	for (i = 0; i < door->nvqs; i++)
		if (door->vqs[i].vq && door->vqs[i].vq->q.running)
			return true;
	return false;
}

static u64 door_features(const struct vt_ioctl_door *door)
{
	u64 features;

	if (!door_has_endpoint(door))
		return vt_vdev_features(door->vdev);
	features = vt_type_features(door->type);
	/* VMMs would send these addresses as IOTLB messages. */
	return features & ~BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
}

static long door_get_features(struct vt_ioctl_door *door, u64 __user *argp)
{
	if (!door_has_endpoint(door) && !door->vdev)
		return -ENOTCONN;
	return put_user(door_features(door), argp);
}

static long door_set_features(struct vt_ioctl_door *door, u64 __user *argp)
{
	u64 features;

	if (!door_has_endpoint(door) && !door->vdev)
		return -ENOTCONN;
	if (get_user(features, argp))
		return -EFAULT;
	if (features & ~door_features(door))
		return -EOPNOTSUPP;
	/* The session of an endpoint was made with them. */
	if (door_running(door) || (door_has_endpoint(door) && door->vdev))
		return -EBUSY;
	door->features = features;
	if (door->vdev)
		door->vdev->features = features;
	return 0;
}

static long door_get_backend_features(u64 __user *argp)
{
	return put_user((u64)0, argp);
}

static long door_set_backend_features(u64 __user *argp)
{
	u64 features;

	if (get_user(features, argp))
		return -EFAULT;
	return features ? -EOPNOTSUPP : 0;
}

static int door_copy_regions(struct vt_region *r,
			     const struct vhost_memory __user *argp, u32 nr)
{
	struct vhost_memory_region v;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (copy_from_user(&v, &argp->regions[i], sizeof(v)))
			return -EFAULT;
		if (v.flags_padding)
			return -EINVAL;
		r[i] = (struct vt_region) {
			.gpa = v.guest_phys_addr,
			.size = v.memory_size,
			.uaddr = v.userspace_addr,
		};
	}
	return 0;
}

long vt_door_set_mem_table(struct vt_gmem_user *gu,
			   const struct vhost_memory __user *argp)
{
	struct vhost_memory m;
	struct vt_region *r;
	int err;

	if (copy_from_user(&m, argp, offsetof(struct vhost_memory, regions)))
		return -EFAULT;
	if (m.padding)
		return -EOPNOTSUPP;
	if (m.nregions > VT_MAX_REGIONS)
		return -E2BIG;
	r = kvcalloc(m.nregions ?: 1, sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	err = door_copy_regions(r, argp, m.nregions);
	if (!err)
		err = vt_gmem_user_set_table(gu, r, m.nregions);
	kvfree(r);
	return err;
}
EXPORT_SYMBOL_GPL(vt_door_set_mem_table);

static long door_classic_ioctl(struct vt_ioctl_door *door, unsigned int cmd,
			       void __user *argp)
{
	switch (cmd) {
	case VHOST_SET_MEM_TABLE:
		return vt_door_set_mem_table(door->gu, argp);
	case VHOST_GET_FEATURES:
		return door_get_features(door, argp);
	case VHOST_SET_FEATURES:
		return door_set_features(door, argp);
	case VHOST_GET_BACKEND_FEATURES:
		return door_get_backend_features(argp);
	case VHOST_SET_BACKEND_FEATURES:
		return door_set_backend_features(argp);
	case VHOST_SET_LOG_BASE:
	case VHOST_SET_LOG_FD:
		return -EOPNOTSUPP;
	default:
		return door_vring_ioctl(door, cmd, argp);
	}
}

/* What the vhost-scsi ABI tells to anybody. */
static bool door_needs_owner(const struct vt_ioctl_door *door,
			     unsigned int cmd)
{
	return !door_has_endpoint(door) ||
	       (cmd != VHOST_GET_FEATURES && cmd != VHOST_SCSI_GET_ABI_VERSION);
}

static long door_ioctl(struct vt_ioctl_door *door, unsigned int cmd,
		       void __user *argp)
{
	long ret = -ENOTTY;

	if (cmd == VHOST_SET_OWNER)
		return vt_door_set_owner(&door->gu, door_sync_memory, door);
	if (door_needs_owner(door, cmd) && !vt_door_is_owner(door->gu))
		return -EPERM;
	if (_IOC_TYPE(cmd) == VHOST_TARGET_IOC)
		return door_attach_ioctl(door, cmd, argp);
	if (door_has_endpoint(door))
		ret = door_scsi_ioctl(door, cmd, argp);
	return ret == -ENOTTY ? door_classic_ioctl(door, cmd, argp) : ret;
}

long vt_door_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vt_ioctl_door *door = file->private_data;
	long ret;

	mutex_lock(&door->lock);
	ret = door_ioctl(door, cmd, (void __user *)arg);
	mutex_unlock(&door->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vt_door_ioctl);

int vt_door_ioctl_open(struct vt_type *type, struct file *file)
{
	struct vt_ioctl_door *door;
	int err;

	door = kzalloc(sizeof(*door), GFP_KERNEL_ACCOUNT);
	if (!door)
		return -ENOMEM;
	mutex_init(&door->lock);
	mutex_init(&door->vdev_lock);
	door->type = type;
	if (door_has_endpoint(door)) {
		err = door_scsi_init(door);
		if (err) {
			kfree(door);
			return err;
		}
	}
	door->cred = get_cred(file->f_cred);
	file->private_data = door;
	return 0;
}
EXPORT_SYMBOL_GPL(vt_door_ioctl_open);

int vt_door_ioctl_release(struct inode *inode, struct file *file)
{
	struct vt_ioctl_door *door = file->private_data;
	unsigned int i;

	mutex_lock(&door->lock);
	if (door->vdev)
		door_unbind(door);
	mutex_unlock(&door->lock);
	for (i = 0; i < door->nvqs; i++)
		door_vq_release(&door->vqs[i]);
	if (door->gu)
		vt_gmem_user_destroy(door->gu);
	if (door_has_endpoint(door))
		door_scsi_exit(door);
	kvfree(door->vqs);
	put_cred(door->cred);
	kfree(door);
	return 0;
}
EXPORT_SYMBOL_GPL(vt_door_ioctl_release);
