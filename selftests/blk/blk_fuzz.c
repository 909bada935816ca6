// SPDX-License-Identifier: GPL-2.0
/*
 * Random chains, random ring memory, and a bystander who must not notice.
 *
 * blk_fuzz [CHAINS [SEED]]: CHAINS (100000) for each kind of ring. The seed is
 * printed; the same one makes the same chains, though not the same timing.
 */
#include <string.h>

#include <kselftest.h>

#include "chains.h"
#include "forked.h"
#include "hostile.h"

#define CHAINS 100000
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
	struct vring_seg seg[BLK_CHAIN_SEGS];
	struct vblk_req *r = vblk_get(f->h.q);
	int ret = -ENOSPC;
	unsigned int n = 0;

	if (r && rng_one_in(&f->rng, 2)) {
		n = blk_sound_chain(&f->rng, r, seg);
	} else if (r) {
		n = blk_random_chain(&f->rng, r, seg);
	}
	if (r) {
		ret = vblk_submit_chain(r, seg, n);
		if (ret)
			vblk_put(r);
	}
	if (rng_one_in(&f->rng, 100))
		vring_mutate(&f->rng, &f->h.q->vr);
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
