// SPDX-License-Identifier: GPL-2.0
/*
 * Every call of every node, in sequences that are changed again and again;
 * those that reach code that none reached before are kept, and are what the
 * next ones are made of. A kernel with KCOV tells what was reached, in the
 * calls and in the pollers; on others it is a matter of luck.
 *
 * FUZZ_SECONDS: how long (150; 20 without KCOV). FUZZ_SEED: of the random
 * sequence (1).
 */
#include <linux/types.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest.h>

#include "bystander.h"
#include "machine.h"

#define SECONDS 150
#define SECONDS_BLIND 20
#define REPORT_SECONDS 30
/* A call that takes longer hangs; seconds in which the machine did run. */
#define PATIENCE 180
#define SLOW_NS 500000000	/* on average: worth a line */
#define LIFE 200	/* programs of a process */

struct runner {
	struct machine m;
	struct kcov own;
	struct kcov remote;
	struct rng rng;
	/* The other thread, for calls at the same time. */
	pthread_barrier_t begin;
	pthread_barrier_t end;
	struct kcov other;
	unsigned int other_new;
};

static struct shared *sh;

static bool has(const struct prog *p, enum node node)
{
	unsigned int i;

	for (i = 0; i < p->nr; i++)
		if (descs[p->call[i].desc % nr_descs].node == node)
			return true;
	return false;
}

static void note(const struct prog *p)
{
	sh->at = 0;
	memcpy(&sh->now, p, sizeof(*p));
}

/* What pollers did is known when they did it. */
static unsigned int remote_end(struct runner *r)
{
	if (!r->remote.area)
		return 0;
	sleep_ms(1);
	return kcov_end(&r->remote, &sh->pcs);
}

/* One after the other; what comes behind the last news is not needed. */
static void run(struct runner *r, struct prog *p)
{
	unsigned int i, news = 0;

	note(p);
	kcov_begin(&r->remote);
	for (i = 0; i < p->nr; i++) {
		sh->at = i;
		kcov_begin(&r->own);
		machine_call(&r->m, &p->call[i], 0);
		if (kcov_end(&r->own, &sh->pcs))
			news = i + 1;
	}
	if (remote_end(r))
		news = p->nr;
	p->nr = news;
	corpus_add(sh, p);
}

static void run_some(struct runner *r, unsigned int which)
{
	unsigned int i;

	for (i = which; i < sh->now.nr; i += 2)
		machine_call(&r->m, &sh->now.call[i], which);
}

static void *other_thread(void *arg)
{
	struct runner *r = arg;

	if (kcov_open(&r->other))
		_exit(1);
	for (;;) {
		pthread_barrier_wait(&r->begin);
		kcov_begin(&r->other);
		run_some(r, 1);
		r->other_new = kcov_end(&r->other, &sh->pcs);
		pthread_barrier_wait(&r->end);
	}
	return NULL;
}

/* Sound up to somewhere, then two at a time. */
static void run_both(struct runner *r, const struct prog *p)
{
	unsigned int first = rng_below(&r->rng, p->nr + 1), i, new;
	struct prog rest = *p;

	for (i = 0; i < first; i++)
		machine_call(&r->m, &p->call[i], 0);
	rest.nr = p->nr - first;
	memmove(rest.call, &rest.call[first], rest.nr * sizeof(rest.call[0]));
	note(&rest);
	kcov_begin(&r->remote);
	kcov_begin(&r->own);
	pthread_barrier_wait(&r->begin);
	run_some(r, 0);
	pthread_barrier_wait(&r->end);
	new = kcov_end(&r->own, &sh->pcs) + r->other_new + remote_end(r);
	if (new)
		corpus_add(sh, p);
}

static int one_program(struct runner *r, struct prog *p)
{
	struct prog whole = *p;
	int ret;

	vt_silent = true;
	run(r, p);
	machine_reset(&r->m);
	if (rng_one_in(&r->rng, 4)) {
		run_both(r, &whole);
		machine_reset(&r->m);
	}
	if (has(&whole, N_CTL))
		machine_sweep(&r->m);
	vt_silent = false;
	ret = has(&whole, N_CTL) ? machine_refresh(&r->m) : 0;
	sh->programs++;
	return ret;
}

/* With all that is open, and in flight. */
static void die_in_the_middle(struct runner *r)
{
	struct prog p;
	unsigned int i, n;

	prog_make(&p, sh, &r->rng);
	note(&p);
	n = rng_below(&r->rng, p.nr + 1);
	for (i = 0; i < n; i++)
		machine_call(&r->m, &p.call[i], 0);
	_exit(0);
}

static void *programs(void *arg)
{
	struct runner *r = arg;
	pthread_t other;
	unsigned int i;
	struct prog p;

	if (kcov_open(&r->own) ||
	    pthread_create(&other, NULL, other_thread, r))
		_exit(1);
	/* The seeds first, once. */
	if (!sh->programs) {
		static struct prog seed[64];
		unsigned int n = seed_progs(seed, ARRAY_SIZE(seed));

		for (i = 0; i < n; i++)
			if (one_program(r, &seed[i]))
				_exit(1);
	}
	for (i = 0; i < LIFE; i++) {
		prog_make(&p, sh, &r->rng);
		if (one_program(r, &p))
			_exit(1);
	}
	vt_silent = true;
	die_in_the_middle(r);
	return NULL;
}

/* A process: threads that it starts have their pollers' coverage, too. */
static void worker(struct disk *disk, u64 seed)
{
	static struct runner r;
	pthread_t main_thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r.m.sh = sh;
	r.m.disk = disk;
	rng_seed(&r.rng, seed);
	pthread_barrier_init(&r.begin, NULL, 2);
	pthread_barrier_init(&r.end, NULL, 2);
	if (kcov_open_remote(&r.remote) || machine_open(&r.m) ||
	    machine_refresh(&r.m) ||
	    pthread_create(&main_thread, NULL, programs, &r))
		_exit(1);
	pthread_join(main_thread, NULL);
	_exit(1);
}

/* Where the threads of a process that hangs are. */
static void show_stacks(pid_t pid)
{
	char dir[64], path[400], line[200];
	struct dirent *e;
	DIR *d;
	FILE *f;

	snprintf(dir, sizeof(dir), "/proc/%d/task", pid);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s/stack", dir, e->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			vt_msg("%s %.*s", e->d_name, (int)strcspn(line, "\n"),
			       line);
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
}

static void report(u64 start)
{
	static const char *const module[] = {
		"vhost_target", "vhost_blk", "vhost_scsi", "vhost_nvme",
		"vhost_target_vdpa", "vhost_target_vfio",
	};
	char text[256] = "";
	unsigned int i;
	int len = 0;

	for (i = 0; i < ARRAY_SIZE(module) && sh->pcs.nr; i++)
		len += snprintf(text + len, sizeof(text) - len, " %s %u",
				strcmp(module[i], "vhost_target") ?
				module[i] + 6 : "core",
				pcs_of_module(&sh->pcs, module[i]));
	vt_msg("%llu s: %llu programs, %llu calls, %llu chains and commands, %u PCs (%s ), corpus %u",
	       (unsigned long long)(now_ns() - start) / 1000000000,
	       (unsigned long long)sh->programs,
	       (unsigned long long)sh->calls, (unsigned long long)sh->chains,
	       sh->pcs.nr, text, sh->corpus_nr);
}

/* 0 when it has ended well, or -errno after a message. */
static int watch(pid_t pid, u64 start, u64 end, const struct bystander *b)
{
	static u64 reported;
	unsigned int still = 0;
	u64 calls = ~0ull;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		sleep_ms(200);
		still = sh->calls == calls ? still + 1 : 0;
		calls = sh->calls;
		if (still >= PATIENCE * 5) {
			vt_msg("a call hangs");
			show_stacks(pid);
			prog_print(&sh->now, sh->at);
			kill(pid, SIGKILL);
			return -ETIMEDOUT;
		}
		if (bystander_check(b))
			return -EIO;
		if (!reported)
			reported = start;
		if (now_ns() - reported > REPORT_SECONDS * 1000000000ull) {
			report(start);
			reported = now_ns();
		}
		if (now_ns() > end)
			kill(pid, SIGKILL);
	}
	if (!status || now_ns() > end)
		return 0;
	vt_msg("a worker ended with status %#x", status);
	prog_print(&sh->now, sh->at);
	return -EIO;
}

static int fuzz(struct disk *disk, u64 seconds, u64 seed,
		const struct bystander *b)
{
	u64 start = now_ns(), end = start + seconds * 1000000000;
	pid_t pid;
	int ret = 0;

	while (!ret && now_ns() < end) {
		fflush(stdout);
		pid = fork();
		if (!pid)
			worker(disk, seed);
		if (pid < 0)
			return -errno;
		ret = watch(pid, start, end, b);
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	}
	report(start);
	return ret;
}

/* Was there none that was never made? */
static bool all_made(void)
{
	unsigned int i;
	bool ok = true;

	for (i = 0; i < nr_descs; i++) {
		if (!sh->done[i])
			ok = false;
		else if (sh->good[i] && sh->ns[i] / sh->done[i] < SLOW_NS)
			continue;
		vt_msg("%u %s: %llu times, %llu went well, %llu us each",
		       descs[i].node, descs[i].name,
		       (unsigned long long)sh->done[i],
		       (unsigned long long)sh->good[i],
		       (unsigned long long)(sh->ns[i] / 1000 /
					    (sh->done[i] ?: 1)));
	}
	return ok;
}

/* Each is told what came to it. */
static void show_targets(int ctl)
{
	struct vhost_target_stats st;
	unsigned int i;

	for (i = 0; i < TARGETS; i++) {
		if (ctl_stats(ctl, target_name[i], VHOST_TARGET_QUEUE_ALL,
			      &st))
			continue;
		vt_msg("%s: %llu reads, %llu writes, %llu others, %llu invalid, %llu rings stopped, %llu kicks",
		       target_name[i],
		       (unsigned long long)st.ops[VHOST_TARGET_OP_READ],
		       (unsigned long long)st.ops[VHOST_TARGET_OP_WRITE],
		       (unsigned long long)st.ops[VHOST_TARGET_OP_FLUSH] +
		       st.ops[VHOST_TARGET_OP_OTHER],
		       (unsigned long long)st.invalid,
		       (unsigned long long)st.ring_errors,
		       (unsigned long long)st.kicks);
	}
}

static void remove_targets(void)
{
	unsigned int i;
	int ctl = ctl_open();

	show_targets(ctl);
	/* Those that programs have made as well. */
	for (i = 0; i < NAMES; i++)
		vt_wait(ctl_destroy(ctl, names[i]) != -EBUSY);
	close(ctl);
}

int main(void)
{
	bool guided = kcov_there();
	u64 seconds = env_number("FUZZ_SECONDS",
				guided ? SECONDS : SECONDS_BLIND);
	u64 seed = env_number("FUZZ_SEED", 1);
	struct disk disk[T_NVME + 2] = { 0 };
	struct disk_opts o = {
		.kind = DISK_BDEV, .block_size = SECTOR, .size_mb = 16,
		.delay_ns = 200000, .own = true,
	};
	struct bystander b;
	unsigned int i;
	int ret = 0;

	ksft_print_header();
	ksft_set_plan(3);
	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_msg("seed %llu, %llu s, %s, %u calls described\n",
		       (unsigned long long)seed, (unsigned long long)seconds,
		       guided ? "guided by KCOV" : "without KCOV", nr_descs);
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");
	sh->corpus_nr = seed_progs(sh->corpus, MAX_CORPUS);
	bed_sweep();
	for (i = 0; !ret && i < ARRAY_SIZE(disk); i++)
		ret = disk_create(&disk[i], &o);
	if (ret || bystander_start(&b))
		ksft_exit_fail_msg("no beginning\n");

	ret = fuzz(disk, seconds, seed, &b);
	ksft_test_result(!ret, "calls of all nodes: %llu programs, %llu calls\n",
			 (unsigned long long)sh->programs,
			 (unsigned long long)sh->calls);
	ksft_test_result(!bystander_stop(&b), "bystander\n");
	/* A fuzzer that never gets anywhere tests nothing. */
	if (guided)
		ksft_test_result(all_made() && sh->pcs.nr > 1000,
				 "%u PCs, corpus %u\n", sh->pcs.nr,
				 sh->corpus_nr);
	else
		ksft_test_result_skip("the kernel has no KCOV\n");
	remove_targets();
	for (i = 0; i < ARRAY_SIZE(disk); i++)
		disk_destroy(&disk[i]);
	ksft_finished();
}
