// SPDX-License-Identifier: GPL-2.0
/*
 * Random commands and chains on all queues, LUNs that come and go, and a
 * bystander who must not notice.
 *
 * scsi_fuzz [CHAINS [SEED]]: CHAINS (20000) for each kind of ring. The seed is
 * printed; the same one makes the same chains, though not the same timing.
 */
#include <string.h>

#include <kselftest.h>

#include "chains.h"
#include "forked.h"
#include "two.h"

#define CHAINS 20000
#define BYSTANDER_EVERY 1000	/* chains */
#define RECOVER_EVERY 4000
#define REAP_MS 50		/* of a full ring, before it is given up */

struct fuzz {
	struct two t;
	struct rng rng;
	unsigned long completed;
	unsigned long good;
	unsigned long checks;
	unsigned long resets;
};

static int reset(struct fuzz *f)
{
	f->resets++;
	return vscsi_reset(&f->t.d);
}

static int reap_queue(struct fuzz *f, struct vscsi_queue *q, unsigned int ms)
{
	struct vscsi_result res;
	struct vscsi_req *r;
	int ret;

	while (!(ret = vscsi_wait_ms(q, &r, ms))) {
		f->completed++;
		if (q == f->t.q) {
			vscsi_result(r, &res);
			f->good += !res.response && !res.status;
			f->checks += res.status == SCSI_CHECK_CONDITION;
		}
		vscsi_put(r);
		ms = 0;
	}
	return ret;
}

/* Of a queue that is stuck the driver can only begin anew. */
static int reap(struct fuzz *f, unsigned int ms)
{
	struct vscsi_queue *q[] = { &f->t.d.ctl, &f->t.d.ev, f->t.q };
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(q); i++) {
		ret = reap_queue(f, q[i], i == 2 ? ms : 0);
		if (ret != -ETIMEDOUT)
			return reset(f);
	}
	return 0;
}

static int submit(struct fuzz *f, struct vscsi_queue *q,
		  scsi_chain_fn *make)
{
	struct vring_seg seg[SCSI_CHAIN_SEGS];
	struct vscsi_req *r = vscsi_get(q);
	int ret;

	if (!r) {
		/* All are under way: so that the last ones are, too. */
		vq_force_kick(&q->vq);
		return -ENOSPC;
	}
	ret = vscsi_submit_chain(r, seg, make(&f->rng, r, seg));
	if (ret)
		vscsi_put(r);
	if (rng_one_in(&f->rng, 4) || ret == -ENOSPC)
		vq_force_kick(&q->vq);
	return ret;
}

/* Ours alone: nobody else adds or removes LUNs of this target. */
static void hot_lun(struct fuzz *f)
{
	struct bed *b = &f->t.bed[0];
	struct vhost_target_unit_add u;
	unsigned int lun = 1 + rng_below(&f->rng, SCSI_HOT_LUNS);

	if (!ctl_remove_unit(b->ctl, b->name, lun))
		return;
	ctl_init_unit(&u, b->name);
	u.unit = lun;
	u.backend = VHOST_TARGET_BACKEND_NULL;
	u.capacity = TWO_BLOCKS * SECTOR;
	ctl_call(b->ctl, VHOST_TARGET_UNIT_ADD, &u);
}

static int one_chain(struct fuzz *f)
{
	struct vscsi *d = &f->t.d;
	int ret;

	switch (rng_below(&f->rng, 32)) {
	case 0:
		submit(f, &d->ctl, scsi_control_chain);
		break;
	case 1:
		submit(f, &d->ev, scsi_event_chain);
		break;
	case 2:
		if (rng_one_in(&f->rng, 4))
			hot_lun(f);
		break;
	}
	ret = submit(f, f->t.q, rng_one_in(&f->rng, 3) ? scsi_sound_chain :
						       scsi_random_chain);
	if (ret == -ENOSPC)
		return reap(f, REAP_MS);
	return rng_one_in(&f->rng, 16) ? reap(f, 0) : 0;
}

/* Write protection and the like are gone after a reset of the unit. */
static int recover(struct fuzz *f)
{
	static const u8 clear[10] = { 0x5f, 0x03, [8] = 24 };
	static const u8 ignore[10] = { 0x5f, 0x06, [8] = 24 };
	u8 param[24] = { [15] = 1 };
	int ret = vscsi_reset(&f->t.d);

	if (ret)
		return ret;
	vscsi_tmf(&f->t.d, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0, 0);
	vscsi_ready(f->t.q, 0);
	/* So that nothing is reserved: register, and clear all. */
	vscsi_do(f->t.q, 0, ignore, 10, DIR_OUT, param, 24);
	memset(param, 0, sizeof(param));
	param[7] = 1;
	vscsi_do(f->t.q, 0, clear, 10, DIR_OUT, param, 24);
	return two_recover(&f->t);
}

static int fuzz(struct fuzz *f, const struct fuzz_run *run)
{
	struct two_opts o = {
		.packed = run->packed, .indirect = run->indirect,
		.event_idx = run->event_idx,
	};
	struct vhost_target_stats st;
	unsigned long i;

	if (two_open(&f->t, &o))
		return KSFT_FAIL;
	f->t.q->poll = true;
	for (i = 1; i <= run->chains; i++) {
		if (one_chain(f))
			return KSFT_FAIL;
		if (i % BYSTANDER_EVERY == 0 && two_bystander(&f->t))
			return KSFT_FAIL;
		if (i % RECOVER_EVERY == 0 && recover(f))
			return KSFT_FAIL;
	}
	if (recover(f) || two_bystander(&f->t))
		return KSFT_FAIL;
	bed_stats(&f->t.bed[0], &st);
	vt_msg("%lu completed, %lu GOOD, %lu CHECK CONDITION, %lu resets, invalid %llu, stopped %llu",
	       f->completed, f->good, f->checks, f->resets,
	       (unsigned long long)st.invalid,
	       (unsigned long long)st.ring_errors);
	/* A fuzzer that never gets anywhere tests nothing. */
	if (run->chains >= CHAINS / 10 && (!st.invalid || !st.ring_errors ||
					 f->good < run->chains / 50 ||
					 f->checks < run->chains / 50))
		return KSFT_FAIL;
	/* The bystander's own queue never saw any of it. */
	bed_stats(&f->t.bed[1], &st);
	return st.invalid || st.ring_errors ? KSFT_FAIL : KSFT_PASS;
}

static int fuzz_and_close(const struct fuzz_run *run)
{
	static struct fuzz f;
	int ret;

	f.rng = run->rng;
	ret = fuzz(&f, run);
	two_close(&f.t);
	return ret;
}

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, CHAINS, fuzz_and_close);
}
