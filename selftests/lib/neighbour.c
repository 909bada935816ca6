// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <stdlib.h>

#include "neighbour.h"

#define PASSES 300		/* of a storm */
#define SAMPLES 20000
#define RUN_NS 1000000000ull
#define ROUNDS_MOST 64

u64 neighbour_polls(const struct bed *bed)
{
	struct vhost_target_stats st;

	bed_stats(bed, &st);
	return st.polls;
}

int neighbour_in_a_storm(struct vblk_queue *q, const struct bed *hostile,
			 const struct bed *neighbour,
			 struct neighbour_looks *l)
{
	u32 generation = 1;
	int ret;

	/* Wakes its queue. */
	ret = vblk_verified_io(q, 0, 4, 4096, generation);
	l->neighbour = neighbour_polls(neighbour);
	l->hostile = neighbour_polls(hostile);
	while (!ret && neighbour_polls(hostile) - l->hostile < PASSES)
		ret = vblk_verified_io(q, 0, 4, 4096, ++generation);
	l->hostile = neighbour_polls(hostile) - l->hostile;
	l->neighbour = neighbour_polls(neighbour) - l->neighbour;
	return ret;
}

int neighbour_option(const char *name, int otherwise)
{
	const char *s = getenv(name);

	return s ? atoi(s) : otherwise;
}

struct result {
	double iops;
	double p99;
};

struct results {
	double iops[NEIGHBOUR_STORMS][ROUNDS_MOST];
	double p99[NEIGHBOUR_STORMS][ROUNDS_MOST];
	u64 passes[NEIGHBOUR_STORMS];
};

static int by_value(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return d < 0 ? -1 : d > 0;
}

static double median_ratio(const double *v, const double *of, unsigned int n)
{
	double r[ROUNDS_MOST];
	unsigned int i;

	for (i = 0; i < n; i++)
		r[i] = of ? v[i] / of[i] : v[i];
	qsort(r, n, sizeof(*r), by_value);
	return r[n / 2];
}

/* One request at a time for a second. */
static int run(struct vblk_queue *q, struct result *r)
{
	static double took[SAMPLES];
	u64 begin = now_ns(), then, now = begin;
	unsigned int n = 0;
	int ret;

	while (n < SAMPLES && now - begin < RUN_NS) {
		then = now;
		ret = vblk_do(q, VIRTIO_BLK_T_IN, n % 1024, NULL, 4096);
		if (ret)
			return ret;
		now = now_ns();
		took[n++] = now - then;
	}
	qsort(took, n, sizeof(*took), by_value);
	r->iops = n * 1e9 / (now - begin);
	r->p99 = took[n - 1 - n / 100];
	return 0;
}

static void leave_cpu(unsigned int cpu)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 2) {
		vt_msg("one CPU: all compete for it");
		return;
	}
	CPU_CLR(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int measure_round(struct vblk_queue *q, const struct neighbour_storms *s,
			 struct results *r, unsigned int round)
{
	struct result solo, beside;
	unsigned int i;
	int ret = run(q, &solo);

	for (i = 0; !ret && i < s->nr; i++) {
		ret = s->begin(s->arg, i);
		if (ret)
			break;
		r->passes[i] -= neighbour_polls(s->bed);
		ret = run(q, &beside);
		r->passes[i] += neighbour_polls(s->bed);
		s->end(s->arg);
		r->iops[i][round] = beside.iops / solo.iops;
		r->p99[i][round] = beside.p99 / solo.p99;
	}
	if (!ret)
		vt_msg("alone %.0f IOPS, p99 %.0f us", solo.iops,
		       solo.p99 / 1000);
	return ret;
}

int neighbour_measure(struct vblk_queue *q, unsigned int cpu,
		      const struct neighbour_storms *s)
{
	unsigned int n = neighbour_option("VT_MEASURE", 0), i, twin;
	static struct results r;
	int ret = 0;

	if (n > ROUNDS_MOST || s->nr > NEIGHBOUR_STORMS)
		return -ERANGE;
	leave_cpu(cpu);
	for (i = 0; !ret && i < n; i++)
		ret = measure_round(q, s, &r, i);
	for (i = 0; !ret && i < s->nr; i++) {
		twin = s->twin(i);
		vt_msg("%-16s %3.0f %% of IOPS, p99 times %.2f; of its twin's %3.0f %%, %.2f; %llu passes",
		       s->name(i), 100 * median_ratio(r.iops[i], NULL, n),
		       median_ratio(r.p99[i], NULL, n),
		       100 * median_ratio(r.iops[i], r.iops[twin], n),
		       median_ratio(r.p99[i], r.p99[twin], n),
		       (unsigned long long)r.passes[i] / n);
	}
	return ret;
}
