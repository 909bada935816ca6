// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-scsi and virtio-blk over the classic vhost ABI. The same code drives
 * our /dev/vhost-scsi and the one of the kernel's own vhost-scsi; and a blk
 * device by our ioctl door, by vhost-vdpa and by vhost-user.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "vblk.h"
#include "vdpa.h"
#include "vscsi.h"
#include "vuser.h"

/* A virtqueue, whatever the device: what both have in common. */

static int vq_get(struct vq *q, void **token)
{
	u32 len;
	int ret = vring_get_used(&q->vr, token, &len);

	if (ret == 1)
		q->inflight--;
	return ret;
}

/* A wish for no interrupt is one for a late one: it has to be renewed. */
static void vq_got(struct vq *q)
{
	vring_disarm(&q->vr);
}

static bool vq_arm(struct vq *q, int *fd)
{
	*fd = q->call;
	return vring_arm(&q->vr, 0);
}

static u64 mem_wanted(const struct bench_opts *o)
{
	u64 slot = o->block_size + 2 * PAGE;

	if (o->indirect)
		slot += VRING_MAX_INDIRECT * 16;
	return o->queues * (o->depth * slot +
			    o->queue_size * VRING_MAX_INDIRECT * 16ull) +
	       4 * MIB;
}

/* virtio-scsi, LUN 0. */

static struct vscsi *to_scsi(const struct bench *b)
{
	return b->priv;
}

static void scsi_fill(struct bench *b, struct vscsi_queue *q)
{
	unsigned int i;
	u8 cdb[16];

	vscsi_cdb_rw(cdb, false, 0, 0);
	for (i = 0; i < q->nr_reqs; i++)
		vscsi_prepare(&q->req[i], 0, cdb, sizeof(cdb), DIR_IN,
			      b->o.block_size);
}

static int scsi_ready(struct bench *b)
{
	struct vscsi *d = to_scsi(b);
	unsigned int q;
	u32 block_size;
	u64 blocks;
	int ret;

	ret = vscsi_capacity(&d->q[0], 0, &blocks, &block_size);
	if (ret || block_size != SECTOR) {
		vt_msg("no LUN 0 with blocks of 512 bytes");
		return ret < 0 ? ret : -ENODEV;
	}
	b->bytes = blocks * SECTOR;
	for (q = 0; q < b->o.queues; q++)
		scsi_fill(b, &d->q[q]);
	return 0;
}

static int scsi_open(struct bench *b)
{
	struct vscsi_opts o = {
		.wwpn = b->o.target,
		.packed = b->o.packed,
		.indirect = b->o.indirect,
		.event_idx = b->o.event_idx,
		.poll = !b->o.calls,
		.nr_queues = b->o.queues,
		.queue_size = b->o.queue_size,
		.nr_reqs = b->o.depth,
		.buf_size = b->o.block_size,
		.mem_size = mem_wanted(&b->o),
		.wide = b->o.memory,
		.wide_small = b->o.small_pages,
	};
	struct vscsi *d = calloc(1, sizeof(*d));
	int ret;

	b->priv = d;
	if (!d)
		return -ENOMEM;
	ret = vscsi_open(d, &o);
	if (!ret)
		ret = bench_widen(b, &d->mem);
	return ret ? ret : scsi_ready(b);
}

static void scsi_close(struct bench *b)
{
	if (b->priv)
		vscsi_close(b->priv);
	bench_narrow(b);
	free(b->priv);
}

static int scsi_put(struct bench *b, unsigned int q, unsigned int i, u64 offset)
{
	struct vscsi_req *r = &to_scsi(b)->q[q].req[i];
	struct vring_seg seg[3];
	bool in = !b->write;

	vscsi_cdb_rw(r->cmd->cdb, b->write, offset / SECTOR,
		     b->o.block_size / SECTOR);
	vring_write(&r->resp->response, VSCSI_NONE);
	seg[0] = (struct vring_seg){ r->cmd_gpa, sizeof(*r->cmd), false };
	seg[1 + in] = (struct vring_seg){
		bench_buffer(b, r->buf_gpa), r->len, in,
	};
	seg[2 - in] = (struct vring_seg){ r->resp_gpa, sizeof(*r->resp), true };
	return vq_submit(&r->q->vq, seg, 3, r);
}

static int scsi_get(struct bench *b, unsigned int q, unsigned int *i)
{
	struct vscsi_queue *sq = &to_scsi(b)->q[q];
	struct vscsi_req *r;
	void *token;
	int ret = vq_get(&sq->vq, &token);

	if (ret <= 0)
		return ret;
	r = token;
	*i = r - sq->req;
	return r->resp->response || r->resp->status ? -EIO : 1;
}

static void scsi_kick(struct bench *b, unsigned int q)
{
	vq_kick(&to_scsi(b)->q[q].vq);
}

static void scsi_got(struct bench *b, unsigned int q)
{
	vq_got(&to_scsi(b)->q[q].vq);
}

static bool scsi_arm(struct bench *b, unsigned int q, int *fd)
{
	return vq_arm(&to_scsi(b)->q[q].vq, fd);
}

static u64 scsi_kicks(const struct bench *b, unsigned int q)
{
	return to_scsi(b)->q[q].kicks;
}

const struct bench_path path_scsi = {
	.name	= "scsi",
	.open	= scsi_open,
	.close	= scsi_close,
	.put	= scsi_put,
	.kick	= scsi_kick,
	.get	= scsi_get,
	.got	= scsi_got,
	.arm	= scsi_arm,
	.kicks	= scsi_kicks,
};

/* virtio-blk. */

static struct vblk *to_blk(const struct bench *b)
{
	return b->priv;
}

typedef int blk_open_fn(struct vblk *d, const struct vblk_opts *o);

static int open_blk(struct bench *b, blk_open_fn *open, bool memfd)
{
	struct vblk_opts o = {
		.target = b->o.target,
		.packed = b->o.packed,
		.indirect = b->o.indirect,
		.event_idx = b->o.event_idx,
		.memfd = memfd,
		.nr_queues = b->o.queues,
		.queue_size = b->o.queue_size,
		.nr_reqs = b->o.depth,
		.buf_size = b->o.block_size,
		.mem_size = mem_wanted(&b->o),
		.wide = b->o.memory,
		.wide_small = b->o.small_pages,
	};
	struct vblk *d = calloc(1, sizeof(*d));
	int ret;

	b->priv = d;
	if (!d)
		return -ENOMEM;
	ret = open(d, &o);
	if (!ret)
		ret = bench_widen(b, &d->mem);
	b->bytes = vblk_sectors(d) * SECTOR;
	return ret;
}

static int blk_open(struct bench *b)
{
	return open_blk(b, vblk_open, false);
}

/* Whom a user-space process serves shares its memory with it. */
static int blk_open_vdpa(struct bench *b)
{
	return open_blk(b, vdpa_open, true);
}

static int blk_open_user(struct bench *b)
{
	return open_blk(b, vuser_open, true);
}

static void blk_close(struct bench *b)
{
	if (b->priv)
		vblk_close(b->priv);
	bench_narrow(b);
	free(b->priv);
}

static int blk_put(struct bench *b, unsigned int q, unsigned int i, u64 offset)
{
	struct vblk_req *r = &to_blk(b)->q[q].req[i];
	struct vring_seg seg[3] = {
		{ r->hdr_gpa, sizeof(*r->hdr), false },
		{ bench_buffer(b, r->buf_gpa), b->o.block_size, !b->write },
		{ r->status_gpa, 1, true },
	};

	r->hdr->type = b->write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
	r->hdr->sector = offset / SECTOR;
	vring_write(r->status, VBLK_ST_NONE);
	return vq_submit(&r->q->vq, seg, 3, r);
}

static int blk_get(struct bench *b, unsigned int q, unsigned int *i)
{
	struct vblk_queue *bq = &to_blk(b)->q[q];
	struct vblk_req *r;
	void *token;
	int ret = vq_get(&bq->vq, &token);

	if (ret <= 0)
		return ret;
	r = token;
	*i = r - bq->req;
	return vring_read(r->status) ? -EIO : 1;
}

static void blk_kick(struct bench *b, unsigned int q)
{
	vq_kick(&to_blk(b)->q[q].vq);
}

static void blk_got(struct bench *b, unsigned int q)
{
	vq_got(&to_blk(b)->q[q].vq);
}

static bool blk_arm(struct bench *b, unsigned int q, int *fd)
{
	return vq_arm(&to_blk(b)->q[q].vq, fd);
}

static u64 blk_kicks(const struct bench *b, unsigned int q)
{
	return to_blk(b)->q[q].kicks;
}

#define BLK_PATH(_name, _open) { \
	.name	= _name, \
	.open	= _open, \
	.close	= blk_close, \
	.put	= blk_put, \
	.kick	= blk_kick, \
	.get	= blk_get, \
	.got	= blk_got, \
	.arm	= blk_arm, \
	.kicks	= blk_kicks, \
}

const struct bench_path path_blk = BLK_PATH("blk", blk_open);
const struct bench_path path_vdpa = BLK_PATH("vdpa", blk_open_vdpa);
const struct bench_path path_user = BLK_PATH("vhost-user", blk_open_user);
