// SPDX-License-Identifier: GPL-2.0
/*
 * Random chains, random ring memory, and a bystander who must not notice.
 *
 * blk_fuzz [CHAINS [SEED]]: CHAINS (100000) for each kind of ring. The seed is
 * printed; the same one makes the same chains, though not the same timing.
 */
#include <string.h>

#include <kselftest.h>

#include "forked.h"
#include "hostile.h"

#define CHAINS 100000
#define MAX_SEGS 12
#define MAX_LEN 20000
#define BYSTANDER_EVERY 2000	/* chains */
#define RECOVER_EVERY 10000
#define REAP_MS 50		/* of a full ring, before it is given up */

struct fuzz {
	struct hostile h;
	struct rng rng;
	unsigned long stops;
	unsigned long completed;
	unsigned long resets;
};

/* Mostly the request's own memory; else a hole, another's, or anywhere. */
static u64 random_gpa(struct fuzz *f, struct vblk_req *r)
{
	const struct mem *m = &f->h.d.mem;
	const struct mem_region *region = &m->region[rng_below(&f->rng, m->nr)];

	switch (rng_below(&f->rng, 16)) {
	case 0:
		return mem_hole(m) - rng_below(&f->rng, 4096);
	case 1:
		return rng_u64(&f->rng) >> rng_below(&f->rng, 64);
	case 2:
		/* Rings, tables, headers: the device may write them. */
		return region->gpa + rng_below(&f->rng, region->size);
	case 3:
		return r->buf_gpa + rng_below(&f->rng, 16 * KIB);
	default:
		return r->buf_gpa;
	}
}

static u32 random_len(struct fuzz *f)
{
	switch (rng_below(&f->rng, 8)) {
	case 0:
		return rng_below(&f->rng, MAX_LEN);
	case 1:
		return rng_u64(&f->rng) >> rng_below(&f->rng, 32);
	case 2:
		return rng_below(&f->rng, 17);
	default:
		return SECTOR * rng_below(&f->rng, 32);
	}
}

static void random_header(struct fuzz *f, struct vblk_req *r)
{
	static const u32 types[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
		VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD,
		VIRTIO_BLK_T_WRITE_ZEROES, 14, 25,
	};
	u32 type = types[rng_below(&f->rng, ARRAY_SIZE(types))];
	u64 sector = rng_below(&f->rng, 40000);

	if (rng_one_in(&f->rng, 16))
		type = rng_u64(&f->rng);
	if (rng_one_in(&f->rng, 16))
		sector = rng_u64(&f->rng) >> rng_below(&f->rng, 64);
	vblk_prepare(r, type, sector, 0);
}

static unsigned int random_chain(struct fuzz *f, struct vblk_req *r,
				 struct vring_seg *seg)
{
	unsigned int i, n = rng_below(&f->rng, MAX_SEGS - 2) + 2;
	unsigned int out = rng_below(&f->rng, n + 1);

	/* Readable ones first, a header, a status: or nothing gets far. */
	for (i = 0; i < n; i++) {
		seg[i].gpa = random_gpa(f, r);
		seg[i].len = random_len(f);
		seg[i].write = i >= out;
		if (rng_one_in(&f->rng, 200))
			seg[i].write = !seg[i].write;
	}
	if (!rng_one_in(&f->rng, 50))
		seg[0] = (struct vring_seg)SEG_HDR(r);
	if (!rng_one_in(&f->rng, 50))
		seg[n - 1] = (struct vring_seg)SEG_STATUS(r);
	return n;
}

/* What a real driver might send, to be in flight when something breaks. */
static unsigned int sound_chain(struct fuzz *f, struct vblk_req *r,
				struct vring_seg *seg)
{
	unsigned int i, n = 1 + rng_below(&f->rng, MAX_SEGS - 2);
	bool in = rng_one_in(&f->rng, 2);

	vblk_prepare(r, in ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT,
		     rng_below(&f->rng, 32000), 0);
	seg[0] = (struct vring_seg)SEG_HDR(r);
	for (i = 1; i <= n; i++) {
		seg[i].gpa = r->buf_gpa + rng_below(&f->rng, 12 * KIB);
		seg[i].len = SECTOR * (1 + rng_below(&f->rng, 8));
		seg[i].write = in;
	}
	seg[i] = (struct vring_seg)SEG_STATUS(r);
	return n + 2;
}

/* A word of ring memory, a bit of it, or the index itself. */
static void mutate_ring(struct fuzz *f)
{
	struct vqueue *vr = &f->h.q->vr;
	u64 size[3];
	u8 *area[3] = { vr->desc_area, vr->driver_area, vr->device_area };
	u32 which = rng_below(&f->rng, 3);
	u32 at;

	vr->ops->sizes(vr, size);
	at = rng_below(&f->rng, size[which]);
	switch (rng_below(&f->rng, 4)) {
	case 0:
		area[which][at] = rng_u64(&f->rng);
		break;
	case 1:
		area[which][at] ^= 1u << rng_below(&f->rng, 8);
		break;
	case 2:
		if (vr->tables) {
			at = rng_below(&f->rng,
				       vr->num * VRING_MAX_INDIRECT * 16);
			((u8 *)vr->tables)[at] ^= 1u << rng_below(&f->rng, 8);
		}
		break;
	case 3:
		if (!vr->packed)
			vring_split_set_avail(vr, vr->next_avail +
					      rng_below(&f->rng, 70));
		break;
	}
}

static int reset(struct fuzz *f)
{
	f->resets++;
	return vblk_reset(&f->h.d);
}

/*
 * Take what has completed. The driver's books and the ring may disagree by
 * now: that is no failure, but reason enough to begin anew.
 */
static int reap(struct fuzz *f, unsigned int ms)
{
	struct vblk_req *r;
	int ret;

	for (;;) {
		ret = vblk_wait_ms(f->h.q, &r, ms);
		if (ret)
			break;
		f->completed++;
		vblk_put(r);
		ms = 0;
	}
	if (ret == -ETIMEDOUT && !ms)
		return 0;
	if (ret == -EPIPE)
		f->stops++;
	return reset(f);
}

static int one_chain(struct fuzz *f)
{
	struct vring_seg seg[MAX_SEGS];
	struct vblk_req *r = vblk_get(f->h.q);
	int ret = -ENOSPC;
	unsigned int n = 0;

	if (r && rng_one_in(&f->rng, 2)) {
		n = sound_chain(f, r, seg);
	} else if (r) {
		random_header(f, r);
		n = random_chain(f, r, seg);
	}
	if (r) {
		ret = vblk_submit_chain(r, seg, n);
		if (ret)
			vblk_put(r);
	}
	if (rng_one_in(&f->rng, 100))
		mutate_ring(f);
	if (rng_one_in(&f->rng, 4) || ret == -ENOSPC)
		vblk_force_kick(f->h.q);
	if (ret == -ENOSPC)
		return reap(f, REAP_MS);
	return rng_one_in(&f->rng, 16) ? reap(f, 0) : 0;
}

static int fuzz(struct fuzz *f, const struct fuzz_run *run)
{
	struct hostile_opts o = {
		.packed = run->packed, .no_indirect = !run->indirect,
		.event_idx = run->event_idx,
	};
	struct vhost_target_stats st;
	unsigned long i;

	if (hostile_open(&f->h, &o))
		return KSFT_FAIL;
	f->h.d.o.poll = true;
	for (i = 1; i <= run->chains; i++) {
		if (one_chain(f))
			return KSFT_FAIL;
		if (i % BYSTANDER_EVERY == 0 && hostile_bystander(&f->h))
			return KSFT_FAIL;
		if (i % RECOVER_EVERY == 0 && hostile_recover(&f->h))
			return KSFT_FAIL;
	}
	if (hostile_recover(&f->h) || hostile_bystander(&f->h))
		return KSFT_FAIL;
	bed_stats(&f->h.bed[0], &st);
	vt_msg("%lu completed, %lu rings stopped, %lu resets, invalid %llu",
	       f->completed, f->stops, f->resets,
	       (unsigned long long)st.invalid);
	/* A fuzzer that never gets anywhere tests nothing. */
	if (run->chains >= CHAINS / 10 && (!st.invalid || !st.ring_errors ||
					 !st.ops[VHOST_TARGET_OP_READ] ||
					 !st.ops[VHOST_TARGET_OP_WRITE]))
		return KSFT_FAIL;
	/* The bystander's own queue never saw any of it. */
	bed_stats(&f->h.bed[1], &st);
	return st.invalid || st.ring_errors ? KSFT_FAIL : KSFT_PASS;
}

static int fuzz_and_close(const struct fuzz_run *run)
{
	static struct fuzz f;
	int ret;

	f.rng = run->rng;
	ret = fuzz(&f, run);
	hostile_close(&f.h);
	return ret;
}

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, CHAINS, fuzz_and_close);
}
