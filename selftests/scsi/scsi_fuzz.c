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

#include "forked.h"
#include "two.h"

#define CHAINS 20000
#define MAX_SEGS 12
#define BYSTANDER_EVERY 1000	/* chains */
#define RECOVER_EVERY 4000
#define HOT_LUNS 4		/* LUNs 1 to this come and go */
#define REAP_MS 50		/* of a full ring, before it is given up */

struct fuzz {
	struct two t;
	struct rng rng;
	unsigned long completed;
	unsigned long good;
	unsigned long checks;
	unsigned long resets;
};

/* Mostly the request's own memory; else a hole, another's, or anywhere. */
static u64 random_gpa(struct fuzz *f, struct vscsi_req *r)
{
	const struct mem *m = &f->t.d.mem;
	const struct mem_region *region = &m->region[rng_below(&f->rng, m->nr)];

	switch (rng_below(&f->rng, 24)) {
	case 0:
		return mem_hole(m) - rng_below(&f->rng, 4096);
	case 1:
		return rng_u64(&f->rng) >> rng_below(&f->rng, 64);
	case 2:
		return region->gpa + rng_below(&f->rng, region->size);
	default:
		return r->buf_gpa + rng_below(&f->rng, 8 * KIB);
	}
}

static u32 random_len(struct fuzz *f)
{
	switch (rng_below(&f->rng, 8)) {
	case 0:
		return 1 + rng_below(&f->rng, 20000);
	case 1:
		return 1 + (rng_u64(&f->rng) >> (32 + rng_below(&f->rng, 32)));
	case 2:
		return 1 + rng_below(&f->rng, 17);
	default:
		return SECTOR * (1 + rng_below(&f->rng, 8));
	}
}

static const u8 opcodes[] = {
	0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x25,
	0x28, 0x2a, 0x2e, 0x2f, 0x35, 0x41, 0x42, 0x4d, 0x55, 0x5a, 0x5e, 0x5f,
	0x88, 0x89, 0x8a, 0x8b, 0x8e, 0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8,
	0xaa, 0xae, 0xaf,
};

/* Few bits set, or many: the one passes checks, the other meets them. */
static void random_cdb(struct fuzz *f, u8 *cdb)
{
	unsigned int i, n = rng_below(&f->rng, 5);

	cdb[0] = opcodes[rng_below(&f->rng, ARRAY_SIZE(opcodes))];
	if (rng_one_in(&f->rng, 32))
		cdb[0] = rng_u64(&f->rng);
	if (cdb[0] == 0x9e)
		cdb[1] = 0x10 + 2 * rng_below(&f->rng, 2);
	if (cdb[0] == 0x5e || cdb[0] == 0x5f)
		cdb[1] = rng_below(&f->rng, 9);
	/* One block, whatever the CDB's length. */
	if (cdb[0] < 0x20)
		cdb[4] = 1;
	else if (cdb[0] < 0x80)
		cdb[8] = 1;
	else
		cdb[rng_one_in(&f->rng, 2) ? 9 : 13] = 1;
	while (n--) {
		i = 1 + rng_below(&f->rng, 15);
		cdb[i] = rng_u64(&f->rng);
	}
}

static void random_command(struct fuzz *f, struct vscsi_req *r)
{
	u8 cdb[16] = {};

	random_cdb(f, cdb);
	vscsi_prepare(r, rng_below(&f->rng, HOT_LUNS + 2), cdb, sizeof(cdb),
		      DIR_NONE, 0);
	if (rng_one_in(&f->rng, 50))
		r->cmd->lun[rng_below(&f->rng, 8)] = rng_u64(&f->rng);
	r->cmd->tag = rng_below(&f->rng, 64);
}

static unsigned int random_chain(struct fuzz *f, struct vscsi_req *r,
				 struct vring_seg *seg)
{
	unsigned int out = 1 + rng_below(&f->rng, 4);
	unsigned int in = 1 + rng_below(&f->rng, 4);
	unsigned int i, n = out + in;

	/* Only one way, mostly. */
	if (!rng_one_in(&f->rng, 8)) {
		if (rng_one_in(&f->rng, 2))
			out = 1;
		else
			in = 1;
		n = out + in;
	}
	for (i = 0; i < n; i++)
		seg[i] = (struct vring_seg){ random_gpa(f, r), random_len(f),
					     i >= out };
	if (!rng_one_in(&f->rng, 100))
		seg[0] = (struct vring_seg){ r->cmd_gpa, sizeof(*r->cmd),
					     false };
	if (!rng_one_in(&f->rng, 100))
		seg[out] = (struct vring_seg){ r->resp_gpa, sizeof(*r->resp),
					       true };
	if (rng_one_in(&f->rng, 200)) {
		i = rng_below(&f->rng, n);
		seg[i].write = !seg[i].write;
	}
	return n;
}

/* What a real driver might send, to be in flight when something breaks. */
static unsigned int sound_chain(struct fuzz *f, struct vscsi_req *r,
				struct vring_seg *seg)
{
	u32 blocks = 1 + rng_below(&f->rng, 32);
	bool write = rng_one_in(&f->rng, 2);
	struct vring_seg data = { r->buf_gpa, blocks * SECTOR, !write };
	u8 cdb[16];

	vscsi_cdb_rw(cdb, write, rng_below(&f->rng, TWO_BLOCKS - 64), blocks);
	vscsi_prepare(r, rng_below(&f->rng, HOT_LUNS + 1), cdb, sizeof(cdb),
		      DIR_NONE, 0);
	r->cmd->tag = rng_below(&f->rng, 64);
	seg[0] = (struct vring_seg){ r->cmd_gpa, sizeof(*r->cmd), false };
	seg[1] = (struct vring_seg){ r->resp_gpa, sizeof(*r->resp), true };
	seg[2] = seg[1];
	seg[write ? 1 : 2] = data;
	return 3;
}

static unsigned int control_chain(struct fuzz *f, struct vscsi_req *r,
				  struct vring_seg *seg)
{
	memset(r->tmf, 0, sizeof(*r->tmf));
	r->tmf->type = rng_below(&f->rng, rng_one_in(&f->rng, 8) ? 5 : 1);
	r->tmf->subtype = rng_below(&f->rng, 9);
	vscsi_lun(r->tmf->lun, rng_below(&f->rng, HOT_LUNS + 2));
	r->tmf->tag = rng_below(&f->rng, 64);
	seg[0] = (struct vring_seg){ r->cmd_gpa, 24, false };
	seg[1] = (struct vring_seg){ r->resp_gpa, 1 + rng_below(&f->rng, 8),
				     true };
	if (rng_one_in(&f->rng, 50))
		seg[rng_below(&f->rng, 2)].len = random_len(f);
	return 2;
}

static unsigned int event_chain(struct fuzz *f, struct vscsi_req *r,
				struct vring_seg *seg)
{
	seg[0] = (struct vring_seg){ r->buf_gpa, 1 + rng_below(&f->rng, 32),
				     !rng_one_in(&f->rng, 200) };
	return 1;
}

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
		  unsigned int (*make)(struct fuzz *f, struct vscsi_req *r,
				       struct vring_seg *seg))
{
	struct vring_seg seg[MAX_SEGS];
	struct vscsi_req *r = vscsi_get(q);
	int ret;

	if (!r) {
		/* All are under way: so that the last ones are, too. */
		vq_force_kick(&q->vq);
		return -ENOSPC;
	}
	ret = vscsi_submit_chain(r, seg, make(f, r, seg));
	if (ret)
		vscsi_put(r);
	if (rng_one_in(&f->rng, 4) || ret == -ENOSPC)
		vq_force_kick(&q->vq);
	return ret;
}

static unsigned int command_chain(struct fuzz *f, struct vscsi_req *r,
				  struct vring_seg *seg)
{
	random_command(f, r);
	return random_chain(f, r, seg);
}

/* Ours alone: nobody else adds or removes LUNs of this target. */
static void hot_lun(struct fuzz *f)
{
	struct bed *b = &f->t.bed[0];
	struct vhost_target_unit_add u;
	unsigned int lun = 1 + rng_below(&f->rng, HOT_LUNS);

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
		submit(f, &d->ctl, control_chain);
		break;
	case 1:
		submit(f, &d->ev, event_chain);
		break;
	case 2:
		if (rng_one_in(&f->rng, 4))
			hot_lun(f);
		break;
	}
	ret = submit(f, f->t.q, rng_one_in(&f->rng, 3) ? sound_chain :
						       command_chain);
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
