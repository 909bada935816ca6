// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctl door: the calls of <linux/vhost.h> for SCSI targets, and workers.
 *
 * An endpoint is a session: it begins with VHOST_SCSI_SET_ENDPOINT, the last
 * call before the rings run, and ends with VHOST_SCSI_CLEAR_ENDPOINT. The tpgt
 * in both does not count (ABI version 1); a target's number is always 0. What
 * follows an @ in the target's name is the initiator's.
 *
 * Workers are threads where this ABI comes from. Here pollers serve, and which
 * of them a virtqueue goes to follows their load. So a worker is an id and the
 * virtqueues it was given to, and no more.
 */
#include <linux/eventfd.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_config.h>

#include <vhost_target/gmem_user.h>
#include <vhost_target/ioctl.h>

#include "door_priv.h"

/* One for each virtqueue, and the one that all have first. */
#define DOOR_MAX_WORKERS(door)	((door)->nvqs + 1)

int door_scsi_init(struct vt_ioctl_door *door)
{
	int err = door_alloc_vqs(door, door->type->endpoint_vqs);

	if (err)
		return err;
	xa_init_flags(&door->workers, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	err = xa_err(xa_store(&door->workers, 0, xa_mk_value(door->nvqs),
			      GFP_KERNEL));
	if (err)
		kvfree(door->vqs);
	return err;
}

void door_scsi_exit(struct vt_ioctl_door *door)
{
	xa_destroy(&door->workers);
}

/* The endpoint. */

static int endpoint_get(struct vhost_scsi_target *t, const void __user *argp,
			const char **initiator)
{
	char *at;

	if (copy_from_user(t, argp, sizeof(*t)))
		return -EFAULT;
	if (t->reserved)
		return -EOPNOTSUPP;
	if (strnlen(t->vhost_wwpn, sizeof(t->vhost_wwpn)) ==
	    sizeof(t->vhost_wwpn))
		return -EINVAL;
	*initiator = "";
	at = strchr(t->vhost_wwpn, '@');
	if (!at)
		return 0;
	*at = '\0';
	*initiator = at + 1;
	return vt_name_ok(at + 1) ? 0 : -EINVAL;
}

/* Virtqueues up to the last one that is set up. */
static unsigned int endpoint_vqs(const struct vt_ioctl_door *door)
{
	unsigned int i;

	for (i = door->nvqs; i; i--)
		if (door_vq_ready(&door->vqs[i - 1]))
			break;
	return i;
}

static struct vt_vdev *endpoint_make(struct vt_ioctl_door *door,
				     const char *wwpn, const char *initiator)
{
	struct vt_target *t = vt_target_find_wwpn(door->type, wwpn);
	struct vt_vdev *vdev;
	int err;

	if (!t)
		return ERR_PTR(-ENODEV);
	err = vt_target_admits(t, door->cred);
	vdev = err ? ERR_PTR(err) :
		     vt_vdev_create(t, endpoint_vqs(door), &door_vdev_ops, door);
	vt_target_put(t);
	if (!IS_ERR(vdev))
		strscpy(vdev->initiator, initiator, sizeof(vdev->initiator));
	return vdev;
}

/*
 * A VM that was only stopped for a while has not seen what happened to the
 * target's units meanwhile.
 */
static bool endpoint_missed(const struct vt_ioctl_door *door,
			    const struct vt_target *t)
{
	return door->events_missed ||
	       (door->generation && door->generation != vt_target_stamp(t));
}

static int endpoint_bind(struct vt_ioctl_door *door, struct vt_vdev *vdev)
{
	int err;

	/* The type may offer what this target cannot do. */
	if (door->features & ~vt_vdev_features(vdev)) {
		vt_vdev_destroy(vdev);
		return -EOPNOTSUPP;
	}
	err = door_bind(door, vdev);
	if (!err && vdev->ops->set_events_missed)
		vdev->ops->set_events_missed(vdev,
				endpoint_missed(door, vdev->s.target));
	/* It is being destroyed. */
	return err == -ENOENT ? -ENODEV : err;
}

static void endpoint_unbind(struct vt_ioctl_door *door)
{
	struct vt_vdev *vdev = door->vdev;

	mutex_lock(&vdev->s.lock);
	door_stop_all(door);
	mutex_unlock(&vdev->s.lock);
	/* A change that is under way is told, or has not been counted yet. */
	mutex_lock(&vdev->s.target->lock);
	if (vdev->ops->get_events_missed)
		door->events_missed = vdev->ops->get_events_missed(vdev);
	door->generation = vt_target_stamp(vdev->s.target);
	mutex_unlock(&vdev->s.target->lock);
	door_unbind(door);
}

/* Are all rings where drivers begin? */
static bool endpoint_begins(const struct vt_ioctl_door *door)
{
	bool packed = door->features & BIT_ULL(VIRTIO_F_RING_PACKED);
	unsigned int i;

	for (i = 0; i < door->nvqs; i++)
		if (door_vq_ready(&door->vqs[i]) &&
		    door->vqs[i].base != vt_vring_first_base(packed))
			return false;
	return true;
}

static int endpoint_start(struct vt_ioctl_door *door)
{
	struct vt_vdev *vdev = door->vdev;
	int n;

	mutex_lock(&vdev->s.lock);
	if (vdev->ops->power_on && endpoint_begins(door))
		vdev->ops->power_on(vdev);
	n = door_start_all(door);
	mutex_unlock(&vdev->s.lock);
	if (n < 0)
		endpoint_unbind(door);
	return min(n, 0);
}

/* Drivers before virtio 1.0 have the byte order of the host. */
static bool endpoint_byte_order_ok(const struct vt_ioctl_door *door)
{
	return (door->features & BIT_ULL(VIRTIO_F_VERSION_1)) ||
	       virtio_legacy_is_little_endian();
}

static long scsi_set_endpoint(struct vt_ioctl_door *door,
			      const void __user *argp)
{
	struct vhost_scsi_target t;
	const char *initiator;
	struct vt_vdev *vdev;
	int err;

	err = endpoint_get(&t, argp, &initiator);
	if (err)
		return err;
	if (door->vdev)
		return -EEXIST;
	if (!vt_gmem_user_has_table(door->gu) && endpoint_vqs(door))
		return -EFAULT;
	if (!endpoint_byte_order_ok(door))
		return -EINVAL;
	vdev = endpoint_make(door, t.vhost_wwpn, initiator);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	err = endpoint_bind(door, vdev);
	return err ?: endpoint_start(door);
}

static long scsi_clear_endpoint(struct vt_ioctl_door *door,
				const void __user *argp)
{
	struct vhost_scsi_target t;
	const char *initiator;
	int err;

	err = endpoint_get(&t, argp, &initiator);
	if (err)
		return err;
	if (!door->vdev)
		return 0;
	if (!vt_target_has_wwpn(door->vdev->s.target, t.vhost_wwpn))
		return -EINVAL;
	endpoint_unbind(door);
	return 0;
}

/* Events that found no buffer. */

static long scsi_set_events_missed(struct vt_ioctl_door *door,
				   const u32 __user *argp)
{
	struct vt_vdev *vdev = door->vdev;
	u32 missed;

	if (get_user(missed, argp))
		return -EFAULT;
	door->events_missed = missed;
	if (vdev && vdev->ops->set_events_missed)
		vdev->ops->set_events_missed(vdev, missed);
	return 0;
}

static long scsi_get_events_missed(struct vt_ioctl_door *door,
				   u32 __user *argp)
{
	struct vt_vdev *vdev = door->vdev;
	u32 missed = door->events_missed;

	if (vdev && vdev->ops->get_events_missed)
		missed = vdev->ops->get_events_missed(vdev);
	return put_user(missed, argp);
}

/* Workers. */

static void *worker_find(struct vt_ioctl_door *door, u32 id)
{
	return xa_load(&door->workers, id);
}

/* The entry is there: nothing is allocated. */
static void worker_count(struct vt_ioctl_door *door, u32 id, int add)
{
	unsigned long n = xa_to_value(worker_find(door, id));

	xa_store(&door->workers, id, xa_mk_value(n + add), GFP_KERNEL);
}

static long worker_new(struct vt_ioctl_door *door, void __user *argp)
{
	struct vhost_worker_state s;
	u32 id;
	int err;

	err = xa_alloc(&door->workers, &id, xa_mk_value(0),
		       XA_LIMIT(0, DOOR_MAX_WORKERS(door) - 1), GFP_KERNEL);
	if (err)
		return -ENOMEM;
	s.worker_id = id;
	if (!copy_to_user(argp, &s, sizeof(s)))
		return 0;
	xa_erase(&door->workers, id);
	return -EFAULT;
}

static long worker_free(struct vt_ioctl_door *door, const void __user *argp)
{
	struct vhost_worker_state s;
	void *w;

	if (copy_from_user(&s, argp, sizeof(s)))
		return -EFAULT;
	w = worker_find(door, s.worker_id);
	if (!w)
		return -ENODEV;
	if (xa_to_value(w))
		return -EBUSY;
	xa_erase(&door->workers, s.worker_id);
	return 0;
}

static long worker_attach(struct vt_ioctl_door *door, const void __user *argp)
{
	struct door_vq *dvq = door_get_vq(door, argp);
	struct vhost_vring_worker w;

	if (IS_ERR(dvq))
		return PTR_ERR(dvq);
	if (copy_from_user(&w, argp, sizeof(w)))
		return -EFAULT;
	if (!worker_find(door, w.worker_id))
		return -ENODEV;
	worker_count(door, dvq->worker, -1);
	dvq->worker = w.worker_id;
	worker_count(door, dvq->worker, 1);
	return 0;
}

static long worker_get(struct vt_ioctl_door *door,
		       struct vhost_vring_worker __user *argp)
{
	struct door_vq *dvq = door_get_vq(door, argp);

	if (IS_ERR(dvq))
		return PTR_ERR(dvq);
	return put_user(dvq->worker, &argp->worker_id);
}

long door_scsi_ioctl(struct vt_ioctl_door *door, unsigned int cmd,
		     void __user *argp)
{
	switch (cmd) {
	case VHOST_SCSI_SET_ENDPOINT:
		return scsi_set_endpoint(door, argp);
	case VHOST_SCSI_CLEAR_ENDPOINT:
		return scsi_clear_endpoint(door, argp);
	case VHOST_SCSI_GET_ABI_VERSION:
		return put_user(VHOST_SCSI_ABI_VERSION, (int __user *)argp);
	case VHOST_SCSI_SET_EVENTS_MISSED:
		return scsi_set_events_missed(door, argp);
	case VHOST_SCSI_GET_EVENTS_MISSED:
		return scsi_get_events_missed(door, argp);
	case VHOST_NEW_WORKER:
		return worker_new(door, argp);
	case VHOST_FREE_WORKER:
		return worker_free(door, argp);
	case VHOST_ATTACH_VRING_WORKER:
		return worker_attach(door, argp);
	case VHOST_GET_VRING_WORKER:
		return worker_get(door, argp);
	default:
		return -ENOTTY;
	}
}
