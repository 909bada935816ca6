// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "bystander.h"
#include "vblk.h"

#define TICK_MS 100
#define PAUSE_MS 30

static void *tick(void *arg)
{
	struct bystander_seen *s = arg;

	for (;;) {
		sleep_ms(TICK_MS);
		__atomic_fetch_add(&s->ticks, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int one_round(struct vblk *d, struct bystander_seen *s)
{
	u64 then = __atomic_load_n(&s->ticks, __ATOMIC_RELAXED), took;
	u32 generation = s->rounds + 1;
	int ret;

	ret = vblk_verified_io(&d->q[0], generation % 64 * 64, 8, 4096,
			       generation);
	took = __atomic_load_n(&s->ticks, __ATOMIC_RELAXED) - then;
	if (took > s->worst)
		s->worst = took;
	s->rounds++;
	return ret;
}

static int bystander(struct bystander_seen *s)
{
	struct disk disk = { 0 };
	struct bed bed = { .ctl = -1 };
	struct vblk d = { 0 };
	struct bed_opts o = { .disk = &disk, .num_queues = 1 };
	pthread_t ticker;
	int ret = bed_make_nullb(&bed, &o, 0);

	if (!ret) {
		struct vblk_opts v = {
			.target = bed.name, .event_idx = true, .queue_size = 64,
		};

		ret = vblk_open(&d, &v);
	}
	if (!ret)
		ret = -pthread_create(&ticker, NULL, tick, s);
	while (!ret && !__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		ret = one_round(&d, s);
		/* The CPUs are the others'. */
		sleep_ms(PAUSE_MS);
	}
	s->err = ret;
	vblk_close(&d);
	return bed_finish(&bed, &disk) ?: ret;
}

int bystander_start(struct bystander *b)
{
	b->seen = mmap(NULL, sizeof(*b->seen), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->seen == MAP_FAILED)
		return -errno;
	fflush(stdout);
	b->pid = fork();
	if (!b->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(bystander(b->seen) ? 1 : 0);
	}
	if (b->pid < 0)
		return -errno;
	if (vt_wait(b->seen->rounds || b->seen->err) && !b->seen->err)
		return 0;
	vt_msg("the bystander does not start");
	return -EIO;
}

int bystander_check(const struct bystander *b)
{
	if (b->seen->err)
		vt_msg("the bystander suffers: %s", strerror(-b->seen->err));
	return b->seen->err;
}

int bystander_stop(struct bystander *b)
{
	struct bystander_seen *s = b->seen;
	int status = -1;

	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
	if (waitpid(b->pid, &status, 0) != b->pid || status || s->err) {
		vt_msg("the bystander: status %#x, %s", status,
		       strerror(-s->err));
		return -EIO;
	}
	vt_msg("the bystander: %llu rounds, the longest took %llu ms",
	       (unsigned long long)s->rounds,
	       (unsigned long long)s->worst * TICK_MS);
	return s->worst > BYSTANDER_TICKS ? -ETIMEDOUT : 0;
}
