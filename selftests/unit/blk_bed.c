// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "blk_bed.h"

struct bed *bed_new(void)
{
	struct bed *b = bed_make();

	b->vdev.features = BED_FEATURES;
	b->vdev.s.attached = true;
	b->vdev.wce = true;
	return b;
}

void bed_header(struct bed *b, u32 type, u64 sector)
{
	struct virtio_blk_outhdr hdr = {
		.type = cpu_to_le32(type), .sector = cpu_to_le64(sector),
		.ioprio = 0xffffffff,
	};

	bed_reset(b);
	bed_out(b, &hdr, sizeof(hdr));
}

void bed_chain(struct bed *b, u32 type, u64 sector, u32 out, u32 in)
{
	u64 addr;

	bed_header(b, type, sector);
	addr = bed_alloc(b, out);
	bed_add(b, addr, out, false);
	bed_in(b, in);
	bed_in(b, 1);
}

/* What was left behind is garbage. */
int bed_parse(struct bed *b)
{
	struct vt_req *req = &b->req;

	memset(&req->io, 0xa5, sizeof(req->io));
	vt_req_reset(req);
	req->io.bv = b->bv;
	b->nr_reads = 0;
	b->nr_maps = 0;
	return blk_parse(&b->vq, &b->chain, req);
}

u8 bed_complete(struct bed *b, blk_status_t status)
{
	const struct vt_chain *c = &b->chain;
	const struct vt_seg *last = &c->seg[c->nr_out + c->nr_in - 1];

	b->req.io.status = status;
	blk_complete(&b->req);
	/* The status is the last byte the driver lets be written. */
	return *bed_ptr(b, last->addr + last->len - 1);
}
