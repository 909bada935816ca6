// SPDX-License-Identifier: GPL-2.0
/* Requests: submit, kick, wait. */
#include <string.h>

#include "pattern.h"
#include "vblk.h"

struct vblk_req *vblk_get(struct vblk_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_reqs; i++) {
		if (!q->req[i].busy) {
			q->req[i].busy = true;
			return &q->req[i];
		}
	}
	return NULL;
}

void vblk_put(struct vblk_req *r)
{
	r->busy = false;
}

void vblk_prepare(struct vblk_req *r, u32 type, u64 sector, u32 len)
{
	r->type = type;
	r->sector = sector;
	r->len = len;
	r->used_len = 0;
	r->hdr->type = type;
	r->hdr->ioprio = 0;
	r->hdr->sector = sector;
	vring_write(r->status, VBLK_ST_NONE);
}

int vblk_submit_chain(struct vblk_req *r, const struct vring_seg *seg,
		      unsigned int n)
{
	return vq_submit(&r->q->vq, seg, n, r);
}

int vblk_submit_pieces(struct vblk_req *r, u32 piece)
{
	bool in = r->type == VIRTIO_BLK_T_IN || r->type == VIRTIO_BLK_T_GET_ID;
	struct vring_seg seg[VRING_MAX_INDIRECT];
	unsigned int n = 0;
	u32 at, len;

	seg[n++] = (struct vring_seg){ r->hdr_gpa, sizeof(*r->hdr), false };
	for (at = 0; at < r->len; at += len) {
		len = r->len - at;
		if (piece && len > piece)
			len = piece;
		if (n == ARRAY_SIZE(seg) - 1)
			return -EINVAL;
		seg[n++] = (struct vring_seg){ r->buf_gpa + at, len, in };
	}
	seg[n++] = (struct vring_seg){ r->status_gpa, 1, true };
	return vblk_submit_chain(r, seg, n);
}

int vblk_submit_many(struct vblk_queue *q, u32 type, unsigned int n, u32 len)
{
	struct vblk_req *r;
	int ret;

	while (n--) {
		r = vblk_get(q);
		if (!r)
			return -EBUSY;
		vblk_prepare(r, type, n * (len / SECTOR), len);
		if (type == VIRTIO_BLK_T_OUT)
			pattern_fill(r->buf, len, r->sector, 1);
		else
			memset(r->buf, 0xee, len);
		ret = vblk_submit(r);
		if (ret)
			return ret;
	}
	return 0;
}

void vblk_force_kick(struct vblk_queue *q)
{
	vq_force_kick(&q->vq);
}

void vblk_kick(struct vblk_queue *q)
{
	vq_kick(&q->vq);
}

int vblk_wait_ms(struct vblk_queue *q, struct vblk_req **done,
		 unsigned int ms)
{
	void *token;
	u32 len = 0;
	int ret;

	q->poll = q->d->o.poll;
	ret = vq_wait_ms(&q->vq, &token, &len, ms);
	if (ret)
		return ret;
	*done = token;
	(*done)->used_len = len;
	return 0;
}

int vblk_wait(struct vblk_queue *q, struct vblk_req **done)
{
	int ret = vblk_wait_ms(q, done, VT_PATIENCE * 1000);

	if (ret)
		vq_failed(&q->vq, ret);
	return ret;
}

int vblk_drain(struct vblk_queue *q)
{
	struct vblk_req *r;
	int ret;

	while (q->inflight) {
		ret = vblk_wait(q, &r);
		if (ret)
			return ret;
		vblk_put(r);
	}
	return 0;
}

bool vblk_ring_stopped(struct vblk_queue *q, unsigned int ms)
{
	return vq_stopped(&q->vq, ms);
}

int vblk_do(struct vblk_queue *q, u32 type, u64 sector, void *buf, u32 len)
{
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	struct vblk_req *r = vblk_get(q), *done;
	int ret;

	if (!r)
		return -EBUSY;
	vblk_prepare(r, type, sector, len);
	if (buf && !in)
		memcpy(r->buf, buf, len);
	ret = vblk_submit(r);
	if (!ret) {
		vblk_kick(q);
		ret = vblk_wait(q, &done);
	}
	if (!ret && done != r)
		ret = -EPROTO;
	if (!ret) {
		ret = vring_read(r->status);
		if (buf && in)
			memcpy(buf, r->buf, len);
	}
	vblk_put(r);
	return ret;
}

static int submit_batch(struct vblk_queue *q, u32 type, u64 sector,
			unsigned int *next, unsigned int count, u32 len,
			u32 generation)
{
	struct vblk_req *r;
	int ret;

	while (*next < count && (r = vblk_get(q))) {
		vblk_prepare(r, type, sector + *next * (len / SECTOR), len);
		if (type == VIRTIO_BLK_T_OUT)
			pattern_fill(r->buf, len, r->sector, generation);
		else
			memset(r->buf, 0xee, len);
		ret = vblk_submit(r);
		if (ret) {
			vblk_put(r);
			return ret == -ENOSPC ? 0 : ret;
		}
		++*next;
	}
	return 0;
}

static int finish(struct vblk_req *r, u32 generation)
{
	int ret = 0;

	if (vring_read(r->status) != VIRTIO_BLK_S_OK) {
		vt_msg("sector %llu: status %u", (unsigned long long)r->sector,
		       *r->status);
		ret = -EIO;
	} else if (r->type == VIRTIO_BLK_T_IN) {
		ret = pattern_check(r->buf, r->len, r->sector, generation);
	}
	vblk_put(r);
	return ret;
}

static int run_type(struct vblk_queue *q, u32 type, u64 sector,
		    unsigned int count, u32 len, u32 generation)
{
	unsigned int next = 0, done = 0;
	struct vblk_req *r;
	int ret;

	while (done < count) {
		ret = submit_batch(q, type, sector, &next, count, len,
				   generation);
		if (ret)
			return ret;
		vblk_kick(q);
		ret = vblk_wait(q, &r);
		if (ret)
			return ret;
		ret = finish(r, generation);
		if (ret)
			return ret;
		done++;
	}
	return 0;
}

int vblk_verified_io(struct vblk_queue *q, u64 sector, unsigned int count,
		     u32 len, u32 generation)
{
	int ret;

	ret = run_type(q, VIRTIO_BLK_T_OUT, sector, count, len, generation);
	if (!ret)
		ret = run_type(q, VIRTIO_BLK_T_IN, sector, count, len,
			       generation);
	return ret;
}
