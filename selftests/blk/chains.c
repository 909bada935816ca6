// SPDX-License-Identifier: GPL-2.0
#include <linux/types.h>

#include "chains.h"
#include "hostile.h"

#define MAX_LEN 20000

/* Mostly the request's own memory; else a hole, another's, or anywhere. */
static u64 random_gpa(struct rng *rng, struct vblk_req *r)
{
	const struct mem *m = &r->q->d->mem;
	const struct mem_region *region = &m->region[rng_below(rng, m->nr)];

	switch (rng_below(rng, 16)) {
	case 0:
		return mem_hole(m) - rng_below(rng, 4096);
	case 1:
		return rng_u64(rng) >> rng_below(rng, 64);
	case 2:
		/* Rings, tables, headers: the device may write them. */
		return region->gpa + rng_below(rng, region->size);
	case 3:
		return r->buf_gpa + rng_below(rng, 16 * KIB);
	default:
		return r->buf_gpa;
	}
}

static u32 random_len(struct rng *rng)
{
	switch (rng_below(rng, 8)) {
	case 0:
		return rng_below(rng, MAX_LEN);
	case 1:
		return rng_u64(rng) >> rng_below(rng, 32);
	case 2:
		return rng_below(rng, 17);
	default:
		return SECTOR * rng_below(rng, 32);
	}
}

static void random_header(struct rng *rng, struct vblk_req *r)
{
	static const u32 types[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
		VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD,
		VIRTIO_BLK_T_WRITE_ZEROES, 14, 25,
	};
	u32 type = types[rng_below(rng, ARRAY_SIZE(types))];
	u64 sector = rng_below(rng, 40000);

	if (rng_one_in(rng, 16))
		type = rng_u64(rng);
	if (rng_one_in(rng, 16))
		sector = rng_u64(rng) >> rng_below(rng, 64);
	vblk_prepare(r, type, sector, 0);
}

unsigned int blk_random_chain(struct rng *rng, struct vblk_req *r,
			      struct vring_seg *seg)
{
	unsigned int i, n, out;

	random_header(rng, r);
	n = rng_below(rng, BLK_CHAIN_SEGS - 2) + 2;
	out = rng_below(rng, n + 1);
	/* Readable ones first, a header, a status: or nothing gets far. */
	for (i = 0; i < n; i++) {
		seg[i].gpa = random_gpa(rng, r);
		seg[i].len = random_len(rng);
		seg[i].write = i >= out;
		if (rng_one_in(rng, 200))
			seg[i].write = !seg[i].write;
	}
	if (!rng_one_in(rng, 50))
		seg[0] = (struct vring_seg)SEG_HDR(r);
	if (!rng_one_in(rng, 50))
		seg[n - 1] = (struct vring_seg)SEG_STATUS(r);
	return n;
}

/* What a real driver might send, to be in flight when something breaks. */
unsigned int blk_sound_chain(struct rng *rng, struct vblk_req *r,
			     struct vring_seg *seg)
{
	unsigned int i, n = 1 + rng_below(rng, BLK_CHAIN_SEGS - 2);
	bool in = rng_one_in(rng, 2);

	vblk_prepare(r, in ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT,
		     rng_below(rng, 32000), 0);
	seg[0] = (struct vring_seg)SEG_HDR(r);
	for (i = 1; i <= n; i++) {
		seg[i].gpa = r->buf_gpa + rng_below(rng, 12 * KIB);
		seg[i].len = SECTOR * (1 + rng_below(rng, 8));
		seg[i].write = in;
	}
	seg[i] = (struct vring_seg)SEG_STATUS(r);
	return n + 2;
}

/* A word of ring memory, a bit of it, or the index itself. */
void vring_mutate(struct rng *rng, struct vqueue *vr)
{
	u64 size[3];
	u8 *area[3] = { vr->desc_area, vr->driver_area, vr->device_area };
	u32 which = rng_below(rng, 3);
	u32 at;

	vr->ops->sizes(vr, size);
	at = rng_below(rng, size[which]);
	switch (rng_below(rng, 4)) {
	case 0:
		area[which][at] = rng_u64(rng);
		break;
	case 1:
		area[which][at] ^= 1u << rng_below(rng, 8);
		break;
	case 2:
		if (vr->tables) {
			at = rng_below(rng,
				       vr->num * VRING_MAX_INDIRECT * 16);
			((u8 *)vr->tables)[at] ^= 1u << rng_below(rng, 8);
		}
		break;
	case 3:
		if (!vr->packed)
			vring_split_set_avail(vr, vr->next_avail +
					      rng_below(rng, 70));
		break;
	}
}
