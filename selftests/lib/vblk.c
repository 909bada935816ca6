// SPDX-License-Identifier: GPL-2.0
/* Set up and tear down; the requests are in vblk_io.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vblk.h"

/* The header at 0, the status byte at 32. */
#define META_BYTES 64
#define META_STATUS 32

void vblk_init(struct vblk *d, const struct vblk_opts *o)
{
	unsigned int i;

	memset(d, 0, sizeof(*d));
	d->o = *o;
	vq_defaults(&d->o.ring);
	d->mem.memfd = -1;
	for (i = 0; i < VBLK_MAX_QUEUES; i++)
		vq_init(&d->q[i].vq);
	d->nr_queues = d->o.nr_queues;
}

int vblk_attach(struct vblk *d, const struct vblk_opts *o)
{
	int ret;

	vblk_init(d, o);
	d->fd = vhost_open(VHOST_BLK_NODE);
	if (d->fd < 0)
		return vt_failed(VHOST_BLK_NODE, d->fd);
	d->open = true;
	ret = vt_failed("SET_OWNER", vhost_set_owner(d->fd));
	if (!ret)
		ret = vt_failed("ATTACH", vhost_attach(d->fd, o->target));
	return ret;
}

int vblk_read_config(struct vblk *d)
{
	struct vhost_target_device dev;
	u32 len;
	int ret;

	ret = vt_failed("GET_DEVICE", vhost_get_device(d->fd, &dev));
	if (ret)
		return ret;
	len = dev.config_size < sizeof(d->config) ? dev.config_size :
						    sizeof(d->config);
	return vt_failed("GET_CONFIG",
			 vhost_get_config(d->fd, 0, &d->config, len));
}

int vblk_choose_features(struct vblk *d)
{
	u64 ring;
	int ret = vq_features(&d->o.ring, d->offered, &ring);

	if (!ret)
		d->features = (d->offered & VBLK_FEATURES & ~d->o.without) |
			      ring;
	return ret;
}

int vblk_accept_features(struct vblk *d)
{
	int ret = vblk_choose_features(d);

	if (ret)
		return ret;
	return vt_failed("SET_FEATURES",
			 vhost_set_features(d->fd, d->features));
}

int vblk_negotiate(struct vblk *d)
{
	int ret;

	ret = vt_failed("GET_FEATURES", vhost_get_features(d->fd, &d->offered));
	if (!ret)
		ret = vblk_accept_features(d);
	if (ret)
		return ret;
	return vblk_read_config(d);
}

static int make_requests(struct vblk_queue *q, unsigned int nr, u32 buf_size)
{
	struct mem *m = &q->d->mem;
	unsigned int i;

	q->req = calloc(nr, sizeof(*q->req));
	if (!q->req)
		return -ENOMEM;
	q->nr_reqs = nr;
	for (i = 0; i < nr; i++) {
		struct vblk_req *r = &q->req[i];
		u64 gpa;
		u8 *meta = mem_alloc(m, META_BYTES, META_BYTES, &gpa);

		r->buf = mem_alloc(m, buf_size, PAGE, &r->buf_gpa);
		if (!meta || !r->buf)
			return -ENOMEM;
		r->q = q;
		r->hdr = (void *)meta;
		r->hdr_gpa = gpa;
		r->status = meta + META_STATUS;
		r->status_gpa = gpa + META_STATUS;
	}
	return 0;
}

static int make_queue(struct vblk *d, unsigned int i)
{
	struct vblk_queue *q = &d->q[i];
	int ret;

	q->d = d;
	q->index = i;
	ret = vq_open(&q->vq, &d->mem, &d->o.ring);
	return ret ? ret : make_requests(q, d->o.nr_reqs, d->o.buf_size);
}

int vblk_make_memory(struct vblk *d)
{
	unsigned int i;
	int ret;

	ret = vq_memory(&d->mem, &d->o.ring);
	for (i = 0; !ret && i < d->nr_queues; i++)
		ret = make_queue(d, i);
	return vt_failed("guest memory", ret);
}

int vblk_setup_memory(struct vblk *d)
{
	int ret = vblk_make_memory(d);

	if (ret)
		return ret;
	return vt_failed("SET_MEM_TABLE", mem_set_table(&d->mem, d->fd, -1));
}

int vblk_setup_queue(struct vblk_queue *q, u32 base)
{
	return vq_setup(&q->vq, q->d->fd, base);
}

int vblk_open(struct vblk *d, const struct vblk_opts *o)
{
	unsigned int i;
	int ret;

	ret = vblk_attach(d, o);
	if (!ret)
		ret = vblk_negotiate(d);
	if (!ret)
		ret = vblk_setup_memory(d);
	for (i = 0; !ret && i < d->nr_queues; i++)
		ret = vblk_setup_queue(&d->q[i], vring_base(&d->q[i].vr));
	if (!ret && !o->no_start)
		ret = vt_failed("START", vhost_start(d->fd));
	if (ret)
		vblk_close(d);
	return ret;
}

void vblk_forget(struct vblk_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_reqs; i++)
		q->req[i].busy = false;
	vq_forget(&q->vq);
}

int vblk_reset(struct vblk *d)
{
	unsigned int i;
	int ret;

	ret = vt_failed("STOP", vhost_stop(d->fd));
	for (i = 0; !ret && i < d->nr_queues; i++) {
		vblk_forget(&d->q[i]);
		vring_reset(&d->q[i].vr, d->o.start_index);
		ret = vblk_setup_queue(&d->q[i], vring_base(&d->q[i].vr));
	}
	if (!ret)
		ret = vt_failed("START", vhost_start(d->fd));
	return ret;
}

void vblk_close(struct vblk *d)
{
	unsigned int i;

	if (!d->open)
		return;
	d->open = false;
	close(d->fd);
	for (i = 0; i < VBLK_MAX_QUEUES; i++) {
		struct vblk_queue *q = &d->q[i];

		free(q->req);
		q->req = NULL;
		q->nr_reqs = 0;
		vq_close(&q->vq);
	}
	mem_free(&d->mem);
}
