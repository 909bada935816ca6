// SPDX-License-Identifier: GPL-2.0
/* Set up and tear down; the requests are in vscsi_io.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vscsi.h"

/* The request's header at 0, the response at 128. */
#define META_BYTES 256
#define META_RESP 128

/* Every queue there is, by its index; NULL after the last. */
static struct vscsi_queue *nth_queue(struct vscsi *d, unsigned int i)
{
	if (i == VSCSI_CONTROL)
		return &d->ctl;
	if (i == VSCSI_EVENT)
		return &d->ev;
	i -= VSCSI_FIRST;
	return i < d->nr_queues ? &d->q[i] : NULL;
}

static bool queue_used(const struct vscsi *d, unsigned int i)
{
	return i >= VSCSI_FIRST || !d->o.only_requests;
}

int vscsi_connect(struct vscsi *d, const struct vscsi_opts *o)
{
	struct vscsi_queue *q;
	unsigned int i;

	memset(d, 0, sizeof(*d));
	d->o = *o;
	vq_defaults(&d->o.ring);
	d->mem.memfd = -1;
	d->nr_queues = d->o.nr_queues;
	for (i = 0; (q = nth_queue(d, i)); i++) {
		vq_init(&q->vq);
		q->d = d;
		q->index = i;
	}
	d->fd = vhost_open(VHOST_SCSI_NODE);
	if (d->fd < 0)
		return vt_failed(VHOST_SCSI_NODE, d->fd);
	d->open = true;
	return vt_failed("SET_OWNER", vhost_set_owner(d->fd));
}

int vscsi_negotiate(struct vscsi *d)
{
	u64 want = (VSCSI_FEATURES & ~d->o.without) | d->o.with, ring;
	int ret;

	ret = vt_failed("GET_FEATURES", vhost_get_features(d->fd, &d->offered));
	if (!ret)
		ret = vq_features(&d->o.ring, d->offered, &ring);
	if (ret)
		return ret;
	d->features = (d->offered & want) | ring;
	return vt_failed("SET_FEATURES",
			 vhost_set_features(d->fd, d->features));
}

static int make_requests(struct vscsi_queue *q, unsigned int nr, u32 buf_size)
{
	struct mem *m = &q->d->mem;
	unsigned int i;

	q->req = calloc(nr, sizeof(*q->req));
	if (!q->req)
		return -ENOMEM;
	q->nr_reqs = nr;
	for (i = 0; i < nr; i++) {
		struct vscsi_req *r = &q->req[i];
		u64 gpa;
		u8 *meta = mem_alloc(m, META_BYTES, META_BYTES, &gpa);

		r->buf = mem_alloc(m, buf_size, buf_size < PAGE ? 64 : PAGE,
				   &r->buf_gpa);
		if (!meta || !r->buf)
			return -ENOMEM;
		r->q = q;
		r->cmd = (void *)meta;
		r->tmf = (void *)meta;
		r->cmd_gpa = gpa;
		r->resp = (void *)(meta + META_RESP);
		r->tmf_resp = (void *)(meta + META_RESP);
		r->resp_gpa = gpa + META_RESP;
	}
	return 0;
}

static int make_queue(struct vscsi *d, struct vscsi_queue *q)
{
	bool request = q->index >= VSCSI_FIRST;
	int ret;

	q->poll = d->o.poll && request;
	ret = vq_open(&q->vq, &d->mem, &d->o.ring);
	if (ret)
		return ret;
	if (!request)
		return make_requests(q, VSCSI_EVENTS, 64);
	return make_requests(q, d->o.nr_reqs, d->o.buf_size);
}

int vscsi_setup_memory(struct vscsi *d)
{
	struct vscsi_queue *q;
	unsigned int i;
	int ret;

	ret = vq_memory(&d->mem, &d->o.ring);
	for (i = 0; !ret && (q = nth_queue(d, i)); i++)
		ret = make_queue(d, q);
	if (ret)
		return vt_failed("guest memory", ret);
	return vt_failed("SET_MEM_TABLE", mem_set_table(&d->mem, d->fd, -1));
}

int vscsi_setup_queues(struct vscsi *d)
{
	struct vscsi_queue *q;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && (q = nth_queue(d, i)); i++)
		if (queue_used(d, i))
			ret = vq_setup(&q->vq, d->fd, vring_base(&q->vr));
	return ret;
}

int vscsi_start(struct vscsi *d)
{
	return vt_failed("SET_ENDPOINT", vhost_set_endpoint(d->fd, d->o.wwpn));
}

/* LUN 0, if there is one: its first commands end with unit attentions. */
static int settle(struct vscsi *d)
{
	int ret;

	if (d->o.keep_attention)
		return 0;
	ret = vscsi_ready(&d->q[0], 0);
	return ret < 0 ? ret : 0;
}

int vscsi_open(struct vscsi *d, const struct vscsi_opts *o)
{
	int ret;

	ret = vscsi_connect(d, o);
	if (!ret)
		ret = vscsi_negotiate(d);
	if (!ret)
		ret = vscsi_setup_memory(d);
	if (!ret)
		ret = vscsi_setup_queues(d);
	if (!ret && !o->no_start)
		ret = vscsi_start(d);
	if (!ret && !o->no_start)
		ret = settle(d);
	if (ret)
		vscsi_close(d);
	return ret;
}

static void forget(struct vscsi_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_reqs; i++)
		q->req[i].busy = false;
	vq_forget(&q->vq);
	vring_reset(&q->vr, q->d->o.start_index);
}

int vscsi_reset(struct vscsi *d)
{
	struct vscsi_queue *q;
	unsigned int i;
	int ret;

	ret = vt_failed("CLEAR_ENDPOINT",
			vhost_clear_endpoint(d->fd, d->o.wwpn));
	for (i = 0; (q = nth_queue(d, i)); i++)
		forget(q);
	if (!ret)
		ret = vscsi_setup_queues(d);
	if (!ret)
		ret = vscsi_start(d);
	return ret ? ret : settle(d);
}

void vscsi_close(struct vscsi *d)
{
	struct vscsi_queue *q;
	unsigned int i;

	if (!d->open)
		return;
	d->open = false;
	close(d->fd);
	for (i = 0; (q = nth_queue(d, i)); i++) {
		free(q->req);
		q->req = NULL;
		q->nr_reqs = 0;
		vq_close(&q->vq);
	}
	mem_free(&d->mem);
}
