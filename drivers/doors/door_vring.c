// SPDX-License-Identifier: GPL-2.0
/* The ioctl door: setting up, starting and stopping virtqueues. */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include "door_priv.h"

/* Kicks. */

static int kick_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync,
		       void *key)
{
	struct door_vq *dvq = container_of(wait, struct door_vq, kick_wait);

	if (key_to_poll(key) & EPOLLIN)
		vt_queue_kick(&dvq->vq->q);
	return 0;
}

static void kick_queue_proc(struct file *file, wait_queue_head_t *wqh,
			    poll_table *pt)
{
	struct door_vq *dvq = container_of(pt, struct door_vq, kick_pt);

	dvq->kick_wqh = wqh;
	add_wait_queue(wqh, &dvq->kick_wait);
}

static void kick_watch(struct door_vq *dvq)
{
	if (!dvq->kick || dvq->kick_wqh)
		return;
	init_waitqueue_func_entry(&dvq->kick_wait, kick_wakeup);
	init_poll_funcptr(&dvq->kick_pt, kick_queue_proc);
	/* A kick that was there before is seen in the first pass. */
	vfs_poll(dvq->kick, &dvq->kick_pt);
	vt_pq_wake(&dvq->vq->q.pq);
}

static void kick_unwatch(struct door_vq *dvq)
{
	if (!dvq->kick_wqh)
		return;
	remove_wait_queue(dvq->kick_wqh, &dvq->kick_wait);
	dvq->kick_wqh = NULL;
}

/* Running and not. */

void door_stop_all(struct vt_ioctl_door *door)
{
	struct door_vq *dvq;
	unsigned int i;

	lockdep_assert_held(&door->vdev->s.lock);
	for (i = 0; i < door->nvqs; i++) {
		dvq = &door->vqs[i];
		kick_unwatch(dvq);
		if (!dvq->vq || !dvq->vq->q.running)
			continue;
		vt_vq_stop(dvq->vq);
		dvq->base = dvq->vq->base;
	}
}

bool door_vq_ready(const struct door_vq *dvq)
{
	return dvq->num && dvq->has_addr && dvq->kick;
}

static int door_start_vq(struct door_vq *dvq)
{
	struct vt_vq *vq = dvq->vq;
	int err;

	if (vq->q.running)
		return 0;
	vq->num = dvq->num;
	vq->base = dvq->base;
	vq->addr = dvq->addr;
	vq->has_addr = true;
	err = vt_vq_start(vq);
	if (!err)
		kick_watch(dvq);
	return err;
}

int door_start_all(struct vt_ioctl_door *door)
{
	unsigned int i, n = 0;
	struct door_vq *dvq;
	int err;

	lockdep_assert_held(&door->vdev->s.lock);

	for (i = 0; i < door->nvqs; i++) {
		dvq = &door->vqs[i];
		if (!dvq->vq || !door_vq_ready(dvq))
			continue;
		err = door_start_vq(dvq);
		if (err) {
			door_stop_all(door);
			return err;
		}
		n++;
	}
	return n;
}

/* The calls; vdev->s.lock is held if there is a session. */

static bool door_vq_running(const struct door_vq *dvq)
{
	return dvq->vq && dvq->vq->q.running;
}

/* An endpoint's session was made for the rings as they are. */
static bool door_vq_fixed(const struct vt_ioctl_door *door,
			  const struct door_vq *dvq)
{
	return door_vq_running(dvq) || (door_has_endpoint(door) && door->vdev);
}

static unsigned int door_max_num(const struct vt_ioctl_door *door)
{
	return door->vdev ? door->vdev->s.target->queue_size :
			    VHOST_TARGET_MAX_QUEUE_SIZE;
}

struct door_vq *door_get_vq(struct vt_ioctl_door *door,
			    const void __user *argp)
{
	u32 i;

	/* Every argument of a vring call starts with the index. */
	if (get_user(i, (const u32 __user *)argp))
		return ERR_PTR(-EFAULT);
	if (i >= door->nvqs)
		return ERR_PTR(-ENOBUFS);
	return &door->vqs[array_index_nospec(i, door->nvqs)];
}

static long vring_set_num(struct vt_ioctl_door *door, struct door_vq *dvq,
			  void __user *argp)
{
	struct vhost_vring_state s;

	if (copy_from_user(&s, argp, sizeof(s)))
		return -EFAULT;
	if (door_vq_fixed(door, dvq))
		return -EBUSY;
	if (!vt_vring_size_ok(s.num) || s.num > door_max_num(door))
		return -EINVAL;
	dvq->num = s.num;
	return 0;
}

static long vring_set_base(struct vt_ioctl_door *door, struct door_vq *dvq,
			   void __user *argp)
{
	bool packed = door->features & BIT_ULL(VIRTIO_F_RING_PACKED);
	struct vhost_vring_state s;

	if (copy_from_user(&s, argp, sizeof(s)))
		return -EFAULT;
	if (door_vq_fixed(door, dvq))
		return -EBUSY;
	if (!packed && s.num > U16_MAX)
		return -EINVAL;
	dvq->base = s.num;
	return 0;
}

static long vring_get_base(struct vt_ioctl_door *door, struct door_vq *dvq,
			   void __user *argp)
{
	struct vhost_vring_state __user *s = argp;

	if (door_vq_running(dvq))
		return -EBUSY;
	return put_user(dvq->base, &s->num);
}

static long vring_set_addr(struct vt_ioctl_door *door, struct door_vq *dvq,
			   void __user *argp)
{
	struct vhost_vring_addr a;

	if (copy_from_user(&a, argp, sizeof(a)))
		return -EFAULT;
	/* Dirty logging is not offered. */
	if (a.flags)
		return -EOPNOTSUPP;
	if (door_vq_fixed(door, dvq))
		return -EBUSY;
	if ((a.desc_user_addr & 15) || (a.avail_user_addr & 1) ||
	    (a.used_user_addr & 3))
		return -EINVAL;
	dvq->addr = (struct vt_vq_addr) {
		.desc = a.desc_user_addr,
		.driver = a.avail_user_addr,
		.device = a.used_user_addr,
	};
	dvq->has_addr = true;
	return 0;
}

static int get_fd(const void __user *argp)
{
	struct vhost_vring_file f;

	if (copy_from_user(&f, argp, sizeof(f)))
		return -EFAULT;
	/* -1 is what the ABI calls none; others are looked up. */
	return f.fd == -1 ? VHOST_FILE_UNBIND : f.fd < 0 ? -EBADF : f.fd;
}

/* NULL for none. */
static struct eventfd_ctx *get_eventfd(const void __user *argp)
{
	int fd = get_fd(argp);

	if (fd == VHOST_FILE_UNBIND)
		return NULL;
	return fd < 0 ? ERR_PTR(fd) : eventfd_ctx_fdget(fd);
}

static long vring_set_kick(struct vt_ioctl_door *door, struct door_vq *dvq,
			   void __user *argp)
{
	struct file *file = NULL, *old = dvq->kick;
	int fd = get_fd(argp);

	if (fd != VHOST_FILE_UNBIND) {
		if (fd < 0)
			return fd;
		file = eventfd_fget(fd);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	kick_unwatch(dvq);
	dvq->kick = file;
	if (door_vq_running(dvq))
		kick_watch(dvq);
	if (old)
		fput(old);
	return 0;
}

static long vring_set_call(struct vt_ioctl_door *door, struct door_vq *dvq,
			   void __user *argp)
{
	struct eventfd_ctx *ctx = get_eventfd(argp);

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	if (dvq->vq)
		vt_queue_set_call(&dvq->vq->q,
				  (struct vt_notify){ .ctx = ctx });
	swap(dvq->call, ctx);
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
}

struct swap_err {
	struct door_vq *dvq;
	struct eventfd_ctx *ctx;
};

static void swap_err_fn(void *arg)
{
	struct swap_err *s = arg;

	swap(s->dvq->err, s->ctx);
}

static long vring_set_err(struct vt_ioctl_door *door, struct door_vq *dvq,
			  void __user *argp)
{
	struct swap_err s = { .dvq = dvq, .ctx = get_eventfd(argp) };

	if (IS_ERR(s.ctx))
		return PTR_ERR(s.ctx);
	if (dvq->vq)
		vt_queue_run(&dvq->vq->q, swap_err_fn, &s);
	else
		swap_err_fn(&s);
	if (s.ctx)
		eventfd_ctx_put(s.ctx);
	return 0;
}

typedef long (*vring_fn)(struct vt_ioctl_door *door, struct door_vq *dvq,
			 void __user *argp);

static vring_fn vring_call(unsigned int cmd)
{
	switch (cmd) {
	case VHOST_SET_VRING_NUM:
		return vring_set_num;
	case VHOST_SET_VRING_BASE:
		return vring_set_base;
	case VHOST_GET_VRING_BASE:
		return vring_get_base;
	case VHOST_SET_VRING_ADDR:
		return vring_set_addr;
	case VHOST_SET_VRING_KICK:
		return vring_set_kick;
	case VHOST_SET_VRING_CALL:
		return vring_set_call;
	case VHOST_SET_VRING_ERR:
		return vring_set_err;
	default:
		return NULL;
	}
}

long door_vring_ioctl(struct vt_ioctl_door *door, unsigned int cmd,
		      void __user *argp)
{
	vring_fn fn = vring_call(cmd);
	struct vt_vdev *vdev = door->vdev;
	struct door_vq *dvq;
	long ret;

	if (!fn)
		return -ENOTTY;
	if (!door->nvqs)
		return -ENOTCONN;
	dvq = door_get_vq(door, argp);
	if (IS_ERR(dvq))
		return PTR_ERR(dvq);
	if (vdev)
		mutex_lock(&vdev->s.lock);
	ret = fn(door, dvq, argp);
	if (vdev)
		mutex_unlock(&vdev->s.lock);
	return ret;
}

void door_vq_release(struct door_vq *dvq)
{
	if (dvq->call)
		eventfd_ctx_put(dvq->call);
	if (dvq->kick)
		fput(dvq->kick);
	if (dvq->err)
		eventfd_ctx_put(dvq->err);
}
