/* SPDX-License-Identifier: GPL-2.0 */
/* The ioctl door's own: what its files share. */
#ifndef _DOOR_PRIV_H
#define _DOOR_PRIV_H

#include <linux/poll.h>
#include <linux/xarray.h>

#include <vhost_target/target.h>
#include <vhost_target/vdev.h>

struct vt_gmem_user;

/**
 * struct door_vq - the door's part of a virtqueue
 * @vq: the virtqueue, NULL while there is no session
 * @num: entries, as the fields below set by the VMM
 * @base: where the ring stands, while the queue is stopped
 * @addr: where the ring is
 * @has_addr: @addr was set
 * @kick: eventfd of the driver's notifications, or NULL
 * @kick_wqh: its wait queue, while watched
 * @kick_wait: our entry there
 * @kick_pt: how it got there
 * @call: eventfd to interrupt the driver, or NULL
 * @err: eventfd to be told when the ring is stopped; poller while running
 * @worker: the vhost worker it was given to
 */
struct door_vq {
	struct vt_vq *vq;
	unsigned int num;
	u32 base;
	struct vt_vq_addr addr;
	bool has_addr;
	struct file *kick;
	wait_queue_head_t *kick_wqh;
	wait_queue_entry_t kick_wait;
	poll_table kick_pt;
	struct eventfd_ctx *call;
	struct eventfd_ctx *err;
	u32 worker;
};

/**
 * struct vt_ioctl_door - a file opened
 * @lock: serialises the calls
 * @type: what it may attach to
 * @cred: of the opener
 * @gu: the owner's memory, NULL before VHOST_SET_OWNER
 * @vdev_lock: held while @vdev changes, or is used without @lock
 * @vdev: the session, NULL while not attached
 * @features: what the driver accepted
 * @nvqs: entries of @vqs
 * @vqs: virtqueues: of the type, or of @vdev; see vt_type.endpoint_vqs
 * @config_call: told when the configuration changes; target->lock
 * @workers: id -> how many virtqueues a worker has, as a value entry
 * @events_missed: the next session starts with events missed
 * @generation: of the target that was left last; 0: none was
 *
 * Locks: @lock > vdev->s.lock > @vdev_lock > what waits for requests.
 */
struct vt_ioctl_door {
	struct mutex lock;
	struct vt_type *type;
	const struct cred *cred;
	struct vt_gmem_user *gu;
	struct mutex vdev_lock;
	struct vt_vdev *vdev;
	u64 features;
	unsigned int nvqs;
	struct door_vq *vqs;
	struct eventfd_ctx *config_call;
	struct xarray workers;
	bool events_missed;
	u32 generation;
};

/* Is it a door of the vhost-scsi kind? */
static inline bool door_has_endpoint(const struct vt_ioctl_door *door)
{
	return door->type->endpoint_vqs;
}

/* door_ioctl.c */

int door_alloc_vqs(struct vt_ioctl_door *door, unsigned int nvqs);

/*
 * Take on a session: it is attached and gets memory, features and eventfds.
 * On an error it is destroyed.
 */
int door_bind(struct vt_ioctl_door *door, struct vt_vdev *vdev);

/* Stop and end it; rings and eventfds stay set. */
void door_unbind(struct vt_ioctl_door *door);

extern const struct vt_vdev_door_ops door_vdev_ops;

/* door_vring.c */

struct door_vq *door_get_vq(struct vt_ioctl_door *door,
			    const void __user *argp);
long door_vring_ioctl(struct vt_ioctl_door *door, unsigned int cmd,
		      void __user *argp);

/* Has the VMM set up all that a queue needs to run? */
bool door_vq_ready(const struct door_vq *dvq);

/* Start what is ready: how many queues run, or an error: then none does. */
int door_start_all(struct vt_ioctl_door *door);
void door_stop_all(struct vt_ioctl_door *door);

/* Give back the eventfds. */
void door_vq_release(struct door_vq *dvq);

/* door_attach.c */

long door_attach_ioctl(struct vt_ioctl_door *door, unsigned int cmd,
		       void __user *argp);

/* door_scsi.c */

int door_scsi_init(struct vt_ioctl_door *door);
void door_scsi_exit(struct vt_ioctl_door *door);
long door_scsi_ioctl(struct vt_ioctl_door *door, unsigned int cmd,
		     void __user *argp);

#endif
