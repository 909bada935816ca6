// SPDX-License-Identifier: GPL-2.0
#include <linux/types.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vhost.h"
#include "vq.h"

/* Looks at the used ring between two looks at the clock. */
#define SPINS 64

void vq_defaults(struct vq_opts *o)
{
	if (!o->nr_queues)
		o->nr_queues = 1;
	if (!o->queue_size)
		o->queue_size = 256;
	if (!o->nr_reqs)
		o->nr_reqs = 32;
	if (!o->buf_size)
		o->buf_size = 16 * KIB;
	if (!o->mem_size)
		o->mem_size = 16 * MIB;
}

int vq_memory(struct mem *m, const struct vq_opts *o)
{
	int ret = mem_init(m, o->layout, o->mem_size, o->memfd);

	if (!ret && o->two_views)
		ret = mem_second_view(m);
	return ret || !o->wide ? ret : mem_widen(m, o->wide, !o->wide_small);
}

int vq_features(const struct vq_opts *o, u64 offered, u64 *features)
{
	u64 f = 0;

	if (o->packed)
		f |= 1ull << VIRTIO_F_RING_PACKED;
	if (o->indirect)
		f |= 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	if (o->event_idx)
		f |= 1ull << VIRTIO_RING_F_EVENT_IDX;
	*features = f;
	if (!(f & ~offered))
		return 0;
	vt_msg("ring features %llx are not offered",
	       (unsigned long long)(f & ~offered));
	return -EOPNOTSUPP;
}

void vq_init(struct vq *q)
{
	q->kick = -1;
	q->call = -1;
	q->err = -1;
}

int vq_open(struct vq *q, struct mem *m, const struct vq_opts *o)
{
	int ret;

	q->vr.packed = o->packed;
	q->vr.indirect = o->indirect;
	q->vr.event_idx = o->event_idx;
	q->shift = m->shift;
	ret = vring_alloc(&q->vr, m, o->queue_size);
	if (ret)
		return ret;
	vring_reset(&q->vr, o->start_index);
	q->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->err = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->kick < 0 || q->call < 0 || q->err < 0 ? -errno : 0;
}

void vq_close(struct vq *q)
{
	if (q->kick >= 0)
		close(q->kick);
	if (q->call >= 0)
		close(q->call);
	if (q->err >= 0)
		close(q->err);
	vq_init(q);
}

static bool take_signal(int fd)
{
	u64 count;

	return read(fd, &count, sizeof(count)) == sizeof(count);
}

void vq_forget(struct vq *q)
{
	q->inflight = 0;
	/* Old signals must not speak for the new ring. */
	while (take_signal(q->err) || take_signal(q->call) ||
	       take_signal(q->kick))
		;
}

int vq_setup(const struct vq *q, int fd, u32 base)
{
	const struct vqueue *vr = &q->vr;
	unsigned int i = q->index;
	int ret;

	ret = vt_failed("SET_VRING_NUM", vhost_set_vring_num(fd, i, vr->num));
	if (!ret)
		ret = vt_failed("SET_VRING_BASE",
				vhost_set_vring_base(fd, i, base));
	if (!ret)
		ret = vt_failed("SET_VRING_ADDR",
				vhost_set_vring_addr(fd, i,
					     (u8 *)vr->desc_area + q->shift,
					     (u8 *)vr->driver_area + q->shift,
					     (u8 *)vr->device_area + q->shift));
	if (!ret)
		ret = vt_failed("SET_VRING_CALL",
				vhost_set_vring_call(fd, i, q->call));
	if (!ret)
		ret = vt_failed("SET_VRING_ERR",
				vhost_set_vring_err(fd, i, q->err));
	if (!ret)
		ret = vt_failed("SET_VRING_KICK",
				vhost_set_vring_kick(fd, i, q->kick));
	return ret;
}

int vq_submit(struct vq *q, const struct vring_seg *seg, unsigned int n,
	      void *token)
{
	int ret = vring_add(&q->vr, seg, n, token);

	if (!ret) {
		q->inflight++;
		q->submitted++;
	}
	return ret;
}

void vq_force_kick(struct vq *q)
{
	u64 one = 1;

	q->kicks++;
	if (write(q->kick, &one, sizeof(one)) != sizeof(one))
		vt_msg("kick: %s", strerror(errno));
}

void vq_kick(struct vq *q)
{
	if (vring_kick_needed(&q->vr))
		vq_force_kick(q);
}

static int reap(struct vq *q, void **token, u32 *len)
{
	int ret = vring_get_used(&q->vr, token, len);

	if (ret == 1)
		q->inflight--;
	return ret;
}

static bool err_signalled(const struct vq *q)
{
	struct pollfd p = { .fd = q->err, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* What was done before the device stopped comes first; the signal stays. */
static int before_the_stop(struct vq *q, void **token, u32 *len)
{
	if (reap(q, token, len) == 1)
		return 0;
	take_signal(q->err);
	return -EPIPE;
}

static int wait_spinning(struct vq *q, void **token, u32 *len, u64 end)
{
	unsigned int i;
	int ret;

	vring_disarm(&q->vr);
	do {
		for (i = 0; i < SPINS; i++) {
			ret = reap(q, token, len);
			if (ret)
				return ret < 0 ? ret : 0;
			sched_yield();
		}
		if (err_signalled(q))
			return before_the_stop(q, token, len);
	} while (now_ns() < end);
	return -ETIMEDOUT;
}

/* What is there although no interrupt said so is a lost interrupt. */
static int timed_out(struct vq *q, void **token, u32 *len)
{
	int ret = reap(q, token, len);

	if (ret == 1)
		vt_msg("queue %u: completed without an interrupt", q->index);
	return ret == 1 ? -ENOMSG : ret ? ret : -ETIMEDOUT;
}

static int wait_sleeping(struct vq *q, void **token, u32 *len, u64 end)
{
	struct pollfd p[2] = {
		{ .fd = q->call, .events = POLLIN },
		{ .fd = q->err, .events = POLLIN },
	};
	u64 now;
	int ret;

	for (;;) {
		ret = reap(q, token, len);
		if (ret)
			return ret < 0 ? ret : 0;
		if (!vring_arm(&q->vr, 0))
			continue;
		now = now_ns();
		q->sleeps++;
		ret = poll(p, 2, now < end ? (end - now) / 1000000 + 1 : 0);
		if (!ret)
			return timed_out(q, token, len);
		vring_disarm(&q->vr);
		if (take_signal(q->call))
			q->calls++;
		if (p[1].revents)
			return before_the_stop(q, token, len);
	}
}

int vq_wait_ms(struct vq *q, void **token, u32 *len, unsigned int ms)
{
	u64 end = now_ns() + ms * 1000000ull;

	if (q->poll)
		return wait_spinning(q, token, len, end);
	return wait_sleeping(q, token, len, end);
}

void vq_failed(const struct vq *q, int err)
{
	vt_msg("queue %u: %s (%u in flight)", q->index, strerror(-err),
	       q->inflight);
}

bool vq_stopped(struct vq *q, unsigned int ms)
{
	struct pollfd p = { .fd = q->err, .events = POLLIN };

	if (poll(&p, 1, ms) <= 0)
		return false;
	return take_signal(q->err);
}
