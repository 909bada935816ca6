// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile chains and commands, and sound ones that are in flight meanwhile,
 * in memory that a thread of the VMM takes away and gives back: unmapped,
 * protected, discarded, left out of the memory table. Beside it a bystander on
 * the same poller, which must not notice. Now and then all memory is there
 * again, the driver begins anew, and is served.
 *
 * FUZZ_SECONDS: how long, all kinds of sessions together (150; 30 on a kernel
 * without KCOV, which is not for such tests). FUZZ_SEED: of the random sequence
 * (1).
 */
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest.h>

#include "bystander.h"
#include "forked.h"
#include "kcov.h"
#include "queues.h"

#define SECONDS 150
#define SECONDS_BLIND 30
#define ENOUGH 2000		/* to have met all sorts of ends */
#define CHECK_EVERY 3000	/* chains and commands */
#define DELAY_NS 100000		/* of the disk: something is in flight */
/* What a kind may take beyond its time, on a machine that stands still. */
#define MARGIN 900

static const struct session_kind *const kinds[] = {
	&blk_split, &blk_packed, &vdpa_split, &vdpa_packed, &scsi_split,
	&scsi_packed, &nvme_trap, &nvme_page, &nvme_shadow, &nvme_vfio,
};

static u64 *total;	/* chains and commands that devices took */
static u64 seconds;
static u64 seed = 1;

static int begin_anew(struct job *j, bool check)
{
	int ret = churn_pause(&j->churn);

	if (!ret)
		ret = j->kind->reset(j);
	if (!ret && check)
		ret = j->kind->check(j);
	churn_go_on(&j->churn);
	j->resets++;
	if (ret)
		vt_msg("%s: no recovery: %s", j->kind->name, strerror(-ret));
	return ret;
}

static int fuzz(struct job *j, u64 end)
{
	u64 next = CHECK_EVERY;
	int ret = 0;

	while (!ret && now_ns() < end) {
		ret = j->kind->submit(j);
		if (ret == -EAGAIN)
			ret = begin_anew(j, false);
		if (!ret && j->sent >= next) {
			ret = begin_anew(j, true);
			next = j->sent + CHECK_EVERY;
		}
	}
	return ret ? ret : begin_anew(j, true);
}

static u64 sum_of(const u64 *v)
{
	return v[0] + v[1] + v[2] + v[3];
}

/* What of it all became of what. A fuzzer that gets nowhere tests nothing. */
static int judge(struct job *j)
{
	struct vhost_target_stats st;
	u64 taken;

	bed_stats(&j->bed, &st);
	taken = sum_of((u64 *)st.ops) + st.invalid + st.absent;
	*total += taken;
	vt_msg("%s: %llu sent, %llu ended, %llu were taken: %llu with errors, %llu invalid; rings stopped %llu, memory waited for %llu, changed %llu, begun anew %llu",
	       j->kind->name, (unsigned long long)j->sent,
	       (unsigned long long)j->ended, (unsigned long long)taken,
	       (unsigned long long)sum_of((u64 *)st.errors),
	       (unsigned long long)st.invalid,
	       (unsigned long long)st.ring_errors,
	       (unsigned long long)st.mem_faults,
	       (unsigned long long)j->churn.changes,
	       (unsigned long long)j->resets);
	if (j->churn.changes && taken && (j->sent < ENOUGH || (st.invalid &&
	    st.ops[VHOST_TARGET_OP_READ] && st.ops[VHOST_TARGET_OP_WRITE])))
		return 0;
	vt_msg("%s: it got nowhere", j->kind->name);
	return -ENODATA;
}

static int run_kind(void *arg)
{
	static struct job j;
	struct bed_opts o = { .disk = &j.disk, .num_queues = 2 };
	u64 share = seconds * 1000000000 / ARRAY_SIZE(kinds);
	int ret;

	j.kind = arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (j.kind->missing && j.kind->missing()) {
		vt_msg("%s", j.kind->missing());
		return KSFT_SKIP;
	}
	rng_seed(&j.rng, seed);
	o.type = j.kind->type;
	o.target_flags = j.kind->flags;
	if (j.kind->flags & VHOST_TARGET_F_VFIO)
		setenv("VT_NVME_DOOR", "vfio", 1);
	ret = bed_make_nullb(&j.bed, &o, DELAY_NS);
	if (!ret)
		ret = j.kind->open(&j);
	j.churn.progress = &j.ended;
	if (!ret)
		ret = churn_start(&j.churn, seed + 1);
	if (ret)
		return KSFT_FAIL;
	ret = fuzz(&j, now_ns() + share);
	churn_stop(&j.churn);
	if (!ret)
		ret = judge(&j);
	j.kind->close(&j);
	return bed_finish(&j.bed, &j.disk) || ret ? KSFT_FAIL : KSFT_PASS;
}

int main(void)
{
	struct bystander b;
	unsigned int i;

	seconds = env_number("FUZZ_SECONDS",
			    kcov_there() ? SECONDS : SECONDS_BLIND);
	seed = env_number("FUZZ_SEED", seed);
	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(kinds) + 1);
	ksft_print_msg("seed %llu, %llu s\n", (unsigned long long)seed,
		       (unsigned long long)seconds);
	total = mmap(NULL, sizeof(*total), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bed_sweep();
	if (total == MAP_FAILED || bystander_start(&b))
		ksft_exit_fail_msg("no beginning\n");
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		int ret = run_forked(run_kind, (void *)kinds[i],
				     seconds + MARGIN);

		if (ret == KSFT_PASS && bystander_check(&b))
			ret = KSFT_FAIL;
		ksft_test_result_report(ret, "%s\n", kinds[i]->name);
	}
	ksft_print_msg("%llu chains and commands\n",
		       (unsigned long long)*total);
	ksft_test_result(!bystander_stop(&b), "bystander\n");
	ksft_finished();
}
