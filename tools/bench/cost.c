// SPDX-License-Identifier: GPL-2.0
/* Latencies, and what a run cost. */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

static unsigned int hist_index(u64 ns)
{
	unsigned int shift;

	if (ns < HIST_STEPS)
		return ns;
	shift = 63 - __builtin_clzll(ns) - 5;
	return (shift + 1) * HIST_STEPS + (ns >> shift) % HIST_STEPS;
}

/* The largest value of a step. */
static u64 hist_value(unsigned int i)
{
	unsigned int shift;

	if (i < HIST_STEPS)
		return i;
	shift = i / HIST_STEPS - 1;
	return ((u64)(HIST_STEPS + i % HIST_STEPS + 1) << shift) - 1;
}

void hist_add(struct bench_hist *h, u64 ns)
{
	h->n++;
	h->sum += ns;
	h->count[hist_index(ns)]++;
}

u64 hist_percentile(const struct bench_hist *h, double part)
{
	u64 want = part * h->n, seen = 0;
	unsigned int i;

	for (i = 0; i < HIST_SIZE; i++) {
		seen += h->count[i];
		if (seen > want || (seen && seen == h->n))
			return hist_value(i);
	}
	return 0;
}

static double seconds(const struct timeval *tv)
{
	return tv->tv_sec + tv->tv_usec / 1e6;
}

/* user nice system idle iowait irq softirq steal, in ticks. */
static void cpu_times(const char *line, double *busy, double *idle)
{
	double hz = sysconf(_SC_CLK_TCK);
	u64 t[8] = { 0 };

	if (sscanf(line, "%*s %lu %lu %lu %lu %lu %lu %lu %lu", &t[0], &t[1],
		   &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
		return;
	*idle = (t[3] + t[4]) / hz;
	*busy = (t[0] + t[1] + t[2] + t[5] + t[6]) / hz;
}

static void host_times(struct bench_cost *c, int worker_cpu)
{
	char line[256], worker[16];
	FILE *f = fopen("/proc/stat", "r");
	double busy;

	if (!f)
		return;
	snprintf(worker, sizeof(worker), "cpu%d ", worker_cpu);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "cpu ", 4))
			cpu_times(line, &c->host_busy, &c->host_idle);
		else if (!strncmp(line, worker, strlen(worker)))
			cpu_times(line, &busy, &c->worker_idle);
	}
	fclose(f);
	c->switches = read_key("/proc/stat", "ctxt");
}

void cost_now(struct bench_cost *c, int worker_cpu)
{
	struct rusage ru;

	/* Not the process: vhost's workers are threads of it. */
	getrusage(RUSAGE_THREAD, &ru);
	c->user = seconds(&ru.ru_utime);
	c->sys = seconds(&ru.ru_stime);
	host_times(c, worker_cpu);
	c->ns = now_ns();
}

void cost_since(const struct bench_cost *from, struct bench_cost *to)
{
	to->ns -= from->ns;
	to->user -= from->user;
	to->sys -= from->sys;
	to->host_busy -= from->host_busy;
	to->host_idle -= from->host_idle;
	to->worker_idle -= from->worker_idle;
	to->switches -= from->switches;
}
