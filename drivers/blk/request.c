// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-blk requests: virtio 1.2, 5.2.6.
 *
 * A chain is a 16 byte header, data, and one status byte, however the driver
 * cuts it into descriptors. Parsing copies the header once and picks what the
 * request is; completing turns the result into a status.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "blk.h"

#define BLK_ID_BYTES	VIRTIO_BLK_ID_BYTES

struct blk_parse {
	struct vt_vq *vq;
	const struct vt_chain *c;
	struct vt_req *req;
	struct vt_unit *unit;
	u64 sector;
	u64 out;	/* bytes after the header */
	u64 in;		/* bytes before the status */
};

/* Ended without the backend: the status goes to the driver. */
static int blk_refuse(struct blk_parse *p, blk_status_t status)
{
	p->req->io.status = status;
	vt_stat_inc(p->vq->q.st->invalid);
	return 1;
}

/* Guest memory that is not there is an error of the request. */
static int blk_map_error(struct blk_parse *p, int err)
{
	if (err == -EFAULT || err == -E2BIG)
		return blk_refuse(p, BLK_STS_IOERR);
	return err;
}

/*
 * virtio sectors are of 512 bytes whatever the block size; a transfer must
 * be of whole blocks. The comparison cannot overflow.
 */
static bool blk_in_bounds(const struct vt_limits *l, u64 sector, u64 nr)
{
	u64 sectors = READ_ONCE(l->sectors);
	u32 mask = (l->block_size >> SECTOR_SHIFT) - 1;

	return sector <= sectors && nr <= sectors - sector &&
	       !((sector | nr) & mask);
}

/* A driver that cannot flush gets a disk that needs none (5.2.5.2). */
static bool blk_write_back(const struct vt_vdev *vdev)
{
	return vt_vdev_has(vdev, VIRTIO_BLK_F_FLUSH) && READ_ONCE(vdev->wce);
}

/*
 * Firmware reads what it wants by one request, however long; drivers that are
 * told of seg_max and size_max do not.
 */
static int blk_rw_part(struct blk_parse *p, bool in, u64 len)
{
	const struct vt_vq_parts *parts = &p->vq->parts;
	u64 skip = in ? 0 : sizeof(struct virtio_blk_outhdr), part;
	struct vt_io *io = &p->req->io;
	int err;

	if (parts->status) {
		io->status = parts->status;
		return 1;
	}
	/* It was a longer one, or not as it is now. */
	if (parts->done >= len || parts->done & (SECTOR_SIZE - 1))
		return blk_refuse(p, BLK_STS_IOERR);
	part = len - parts->done;
	if (len > BLK_WHOLE)
		part = min(part, BLK_PART);
	io->sector += parts->done >> SECTOR_SHIFT;
	p->req->used_len = parts->done;
	err = vt_req_map(p->req, p->c, in, skip + parts->done, part);
	if (err)
		return blk_map_error(p, err);
	if (!in && !blk_write_back(p->vq->vdev))
		io->flags |= VT_IO_FUA;
	return parts->done + part < len ? 3 : 0;
}

static int blk_rw(struct blk_parse *p, bool in)
{
	const struct vt_limits *l = &p->unit->be->limits;
	u64 len = in ? p->in : p->out;
	struct vt_io *io = &p->req->io;

	io->op = in ? VT_OP_READ : VT_OP_WRITE;
	io->sector = p->sector;
	p->req->op_class = in ? VHOST_TARGET_OP_READ : VHOST_TARGET_OP_WRITE;
	if ((in ? p->out : p->in) || !len || len & (SECTOR_SIZE - 1) ||
	    len >= U32_MAX)
		return blk_refuse(p, BLK_STS_IOERR);
	if (!blk_in_bounds(l, p->sector, len >> SECTOR_SHIFT))
		return blk_refuse(p, BLK_STS_IOERR);
	if (!in && blk_is_ro(p->unit))
		return blk_refuse(p, BLK_STS_IOERR);

	return blk_rw_part(p, in, len);
}

/* The sector must be 0 (5.2.6.1) but drivers were seen to leave it set. */
static int blk_flush(struct blk_parse *p)
{
	p->req->io.op = VT_OP_FLUSH;
	p->req->op_class = VHOST_TARGET_OP_FLUSH;
	if (p->out || p->in)
		return blk_refuse(p, BLK_STS_IOERR);
	return 0;
}

static int blk_get_id(struct blk_parse *p)
{
	char id[BLK_ID_BYTES] = {};
	int err;

	if (p->out || p->in < BLK_ID_BYTES)
		return blk_refuse(p, BLK_STS_IOERR);
	err = vt_req_map(p->req, p->c, true, 0, BLK_ID_BYTES);
	if (err)
		return blk_map_error(p, err);
	memcpy(id, p->unit->serial, strnlen(p->unit->serial, BLK_ID_BYTES));
	vt_req_copy_in(p->req, 0, id, BLK_ID_BYTES);
	return 1;
}

struct blk_range_type {
	u8 op;
	u8 feature;
	u32 allowed;
	u32 max_sectors;
};

static int blk_range_add(struct blk_parse *p, const struct blk_range_type *t,
			 const struct virtio_blk_discard_write_zeroes *d)
{
	struct vt_io *io = &p->req->io;
	u32 flags = le32_to_cpu(d->flags);
	u32 nr = le32_to_cpu(d->num_sectors);
	u64 sector = le64_to_cpu(d->sector);

	/* Flags that are not known: unsupported (5.2.6.2). */
	if (flags & ~t->allowed)
		return blk_refuse(p, BLK_STS_NOTSUPP);
	if (nr > t->max_sectors ||
	    !blk_in_bounds(&p->unit->be->limits, sector, nr))
		return blk_refuse(p, BLK_STS_IOERR);
	if (!nr)
		return 0;
	io->range[io->nr_ranges++] = (struct vt_range) {
		.sector = sector,
		.nr_sectors = nr,
		.flags = flags && p->unit->be->limits.max_discard_sectors ?
			 VT_RANGE_UNMAP : 0,
	};
	return 0;
}

static int blk_ranges(struct blk_parse *p, const struct blk_range_type *t)
{
	struct virtio_blk_discard_write_zeroes d[VT_MAX_RANGES];
	unsigned int nr = p->out / sizeof(d[0]), i;
	int err;

	p->req->io.op = t->op;
	if (!vt_vdev_has(p->vq->vdev, t->feature))
		return blk_refuse(p, BLK_STS_NOTSUPP);
	if (p->in || !nr || p->out % sizeof(d[0]) || nr > VT_MAX_RANGES)
		return blk_refuse(p, BLK_STS_IOERR);
	if (blk_is_ro(p->unit))
		return blk_refuse(p, BLK_STS_IOERR);
	if (t->op == VT_OP_WRITE_ZEROES && !blk_write_back(p->vq->vdev))
		p->req->io.flags |= VT_IO_FUA;
	err = vt_chain_read(p->vq, p->c, sizeof(struct virtio_blk_outhdr), d,
			    p->out);
	if (err)
		return blk_map_error(p, err);
	for (i = 0; i < nr; i++) {
		err = blk_range_add(p, t, &d[i]);
		if (err)
			return err;
	}
	/* Nothing but empty ranges: done. */
	return p->req->io.nr_ranges ? 0 : 1;
}

static int blk_discard(struct blk_parse *p)
{
	return blk_ranges(p, &(struct blk_range_type) {
		.op = VT_OP_DISCARD,
		.feature = VIRTIO_BLK_F_DISCARD,
		.max_sectors = p->unit->be->limits.max_discard_sectors,
	});
}

static int blk_write_zeroes(struct blk_parse *p)
{
	/* UNMAP is a permission: drivers set it whatever the backend can. */
	return blk_ranges(p, &(struct blk_range_type) {
		.op = VT_OP_WRITE_ZEROES,
		.feature = VIRTIO_BLK_F_WRITE_ZEROES,
		.allowed = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP,
		.max_sectors = p->unit->be->limits.max_write_zeroes_sectors,
	});
}

static int blk_secure_erase(struct blk_parse *p)
{
	return blk_ranges(p, &(struct blk_range_type) {
		.op = VT_OP_SECURE_ERASE,
		.feature = VIRTIO_BLK_F_SECURE_ERASE,
		.max_sectors = p->unit->be->limits.max_secure_erase_sectors,
	});
}

static int blk_type(struct blk_parse *p, u32 type)
{
	switch (type) {
	case VIRTIO_BLK_T_IN:
		return blk_rw(p, true);
	case VIRTIO_BLK_T_OUT:
		return blk_rw(p, false);
	case VIRTIO_BLK_T_FLUSH:
		return blk_flush(p);
	case VIRTIO_BLK_T_GET_ID:
		return blk_get_id(p);
	case VIRTIO_BLK_T_DISCARD:
		return blk_discard(p);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return blk_write_zeroes(p);
	case VIRTIO_BLK_T_SECURE_ERASE:
		return blk_secure_erase(p);
	default:
		return blk_refuse(p, BLK_STS_NOTSUPP);
	}
}

int blk_parse(struct vt_vq *vq, const struct vt_chain *c, struct vt_req *req)
{
	struct blk_parse p = {
		.vq = vq, .c = c, .req = req,
		.unit = blk_unit(vq->vdev->s.target),
	};
	struct virtio_blk_outhdr hdr;
	u8 *status;
	int err;

	req->op_class = VHOST_TARGET_OP_OTHER;
	req->io.be = p.unit->be;
	req->io.op = VT_OP_FLUSH;
	req->io.sector = 0;

	/* Without a byte to put the status in the driver cannot be told. */
	if (!c->in_len)
		return -EPROTO;
	p.in = c->in_len - 1;
	err = vt_chain_in_byte(vq, c, p.in, &status);
	if (err == -EFAULT)
		return -EPROTO;
	if (err)
		return err;
	req->priv = status;
	req->priv_len = min_t(u64, p.in, U32_MAX);

	if (c->out_len < sizeof(hdr))
		return blk_refuse(&p, BLK_STS_IOERR);
	p.out = c->out_len - sizeof(hdr);
	err = vt_chain_read(vq, c, 0, &hdr, sizeof(hdr));
	if (err)
		return blk_map_error(&p, err);
	p.sector = le64_to_cpu((__force __le64)hdr.sector);
	return blk_type(&p, le32_to_cpu((__force __le32)hdr.type));
}

static u8 blk_virtio_status(blk_status_t status)
{
	switch (status) {
	case BLK_STS_OK:
		return VIRTIO_BLK_S_OK;
	case BLK_STS_NOTSUPP:
		return VIRTIO_BLK_S_UNSUPP;
	default:
		return VIRTIO_BLK_S_IOERR;
	}
}

/*
 * The used length is what was written from the first byte on without a gap
 * (2.7.8.2): the status counts only if all that is before it was written.
 */
void blk_complete(struct vt_req *req)
{
	bool in = req->io.op == VT_OP_READ || req->op_class ==
		  VHOST_TARGET_OP_OTHER;
	u8 *status = req->priv;

	*status = blk_virtio_status(req->io.status);
	req->used_len = in && !req->io.status ?
			req->used_len + req->io.bytes : 0;
	if (req->used_len == req->priv_len)
		req->used_len++;
}
