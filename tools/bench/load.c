// SPDX-License-Identifier: GPL-2.0
/*
 * The measured loop: keep every queue at its depth. One look at the clock for
 * each batch that has ended, which is when its successors start, too.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "mark.h"

#define WARM_UP 0.1		/* part of the time, or of the I/Os */
#define LOOKS 4096		/* looks in vain between two at the clock */
#define FOREVER (VT_PATIENCE * 1000000000ull)

struct load {
	struct bench *b;
	struct rng rng;
	u64 blocks;		/* of block_size */
	u64 now;
	u64 end;
	u64 want;		/* I/Os; 0: by time */
	u64 least;		/* I/Os in any case */
	u64 last;		/* when something ended */
	u64 due;		/* with a rate: when the next one is to start */
	unsigned int lane;	/* and whose it is */
	bool stop;
	struct bench_cost start;
};

static u64 next_offset(struct load *l, struct bench_lane *lane)
{
	u64 block;

	if (l->b->o.order == ORDER_RANDOM)
		block = rng_u64(&l->rng) % l->blocks;
	else
		block = lane->next++ % l->blocks;
	return block * l->b->o.block_size;
}

static bool next_writes(struct load *l)
{
	unsigned int part = l->b->o.write_part;

	return part && (part == 100 || rng_below(&l->rng, 100) < part);
}

static int put_one(struct load *l, unsigned int q, unsigned int i, u64 start)
{
	struct bench_lane *lane = &l->b->lane[q];

	lane->start[i] = start;
	lane->inflight++;
	l->b->write = next_writes(l);
	return l->b->path->put(l->b, q, i, next_offset(l, lane));
}

static void spare(struct bench_lane *lane, unsigned int i)
{
	lane->spare[lane->nr_spare++] = i;
}

/* Reap what has ended and put as many again. Returns how many, or -errno. */
static int turn(struct load *l, unsigned int q)
{
	struct bench *b = l->b;
	struct bench_lane *lane = &b->lane[q];
	unsigned int slot[BENCH_MAX_DEPTH], n = 0, i;
	int ret;

	while (n < b->o.depth && (ret = b->path->get(b, q, &slot[n])) == 1)
		n++;
	if (ret < 0)
		return ret;
	if (!n)
		return 0;
	b->path->got(b, q);
	l->now = now_ns();
	lane->inflight -= n;
	b->done += n;
	if (l->stop)
		return n;
	for (i = 0; i < n; i++) {
		hist_add(&b->hist, l->now - lane->start[slot[i]]);
		if (b->o.rate)
			spare(lane, slot[i]);
		else
			ret = put_one(l, q, slot[i], l->now);
		if (ret)
			return ret;
	}
	if (!b->o.rate)
		b->path->kick(b, q);
	return n;
}

/*
 * With a rate: start what is due, each queue in its turn. One that finds no
 * slot is late, and its latency counts from when it was due.
 */
static int put_due(struct load *l)
{
	struct bench *b = l->b;
	struct bench_lane *lane;
	unsigned int q, i;
	int n = 0, ret;

	l->now = now_ns();
	for (; l->due <= l->now; l->due += 1000000000ull / b->o.rate) {
		q = l->lane;
		lane = &b->lane[q];
		if (!lane->nr_spare)
			break;
		i = lane->spare[--lane->nr_spare];
		ret = put_one(l, q, i, l->due);
		if (ret)
			return ret;
		b->path->kick(b, q);
		l->lane = (q + 1) % b->o.queues;
		n++;
	}
	return n;
}

static int take_calls(struct bench *b, struct pollfd *p)
{
	unsigned int q;
	u64 count;

	for (q = 0; q < b->o.queues; q++) {
		if (!(p[q].revents & POLLIN))
			continue;
		if (read(p[q].fd, &count, sizeof(count)) == sizeof(count))
			b->calls += count;
	}
	return 0;
}

/* Until one is due that there is a slot for, else for as long as it takes. */
static int wait_for_call(struct load *l, struct pollfd *p)
{
	struct bench *b = l->b;
	struct timespec t;
	u64 ns = FOREVER;
	int ret;

	if (b->o.rate && b->lane[l->lane].nr_spare)
		ns = l->due > l->now ? l->due - l->now : 0;
	t.tv_sec = ns / 1000000000ull;
	t.tv_nsec = ns % 1000000000ull;
	ret = ppoll(p, b->o.queues, &t, NULL);
	if (ret < 0)
		return -errno;
	return !ret && ns == FOREVER ? -ETIMEDOUT : ret;
}

static int wait_call(struct load *l)
{
	struct pollfd p[BENCH_MAX_LANES];
	struct bench *b = l->b;
	unsigned int q;
	int ret;

	for (q = 0; q < b->o.queues; q++) {
		p[q].events = POLLIN;
		if (!b->path->arm(b, q, &p[q].fd))
			return 0;
	}
	b->sleeps++;
	ret = wait_for_call(l, p);
	return ret > 0 ? take_calls(b, p) : ret;
}

static bool is_over(const struct load *l)
{
	if (l->b->done < l->least)
		return false;
	return l->want ? l->b->done >= l->want : l->now >= l->end;
}

static int turn_all(struct load *l)
{
	unsigned int q;
	int sum = 0, n;

	for (q = 0; q < l->b->o.queues; q++) {
		n = turn(l, q);
		if (n < 0)
			return n;
		sum += n;
	}
	if (!l->b->o.rate || l->stop)
		return sum;
	n = put_due(l);
	return n < 0 ? n : sum + n;
}

/* Until it is over; what is in flight goes on. */
static int keep_busy(struct load *l)
{
	unsigned int looks = 0;
	int n;

	l->last = l->now;
	while (!is_over(l)) {
		n = turn_all(l);
		if (n < 0)
			return n;
		if (n) {
			l->last = l->now;
			looks = 0;
		} else if (l->b->o.calls) {
			n = wait_call(l);
			if (n)
				return n;
		} else if (++looks % LOOKS == 0) {
			l->now = now_ns();
			if (l->now - l->last > FOREVER)
				return -ETIMEDOUT;
		}
	}
	return 0;
}

static bool any_inflight(const struct bench *b)
{
	unsigned int q;

	for (q = 0; q < b->o.queues; q++)
		if (b->lane[q].inflight)
			return true;
	return false;
}

static int drain(struct load *l)
{
	u64 end = now_ns() + FOREVER;
	int n = 0;

	l->stop = true;
	while (any_inflight(l->b) && n >= 0) {
		n = turn_all(l);
		if (!n && now_ns() > end)
			n = -ETIMEDOUT;
	}
	return n < 0 ? n : 0;
}

static u64 all_kicks(const struct bench *b)
{
	unsigned int q;
	u64 sum = 0;

	for (q = 0; q < b->o.queues; q++)
		sum += b->path->kicks(b, q);
	return sum;
}

static void set_end(struct load *l, double part)
{
	l->now = now_ns();
	l->end = l->now + part * l->b->o.seconds * 1e9;
	if (l->b->o.ios) {
		l->want = part * l->b->o.ios;
		l->want += !l->want;
	}
}

static int fill(struct load *l)
{
	unsigned int q, i;
	int ret = 0;

	l->now = now_ns();
	for (q = 0; q < l->b->o.queues; q++) {
		l->b->lane[q].next = l->blocks / l->b->o.queues * q;
		for (i = 0; i < l->b->o.depth && !ret; i++) {
			if (l->b->o.rate)
				spare(&l->b->lane[q], i);
			else
				ret = put_one(l, q, i, l->now);
		}
		l->b->path->kick(l->b, q);
	}
	l->due = l->now;
	return ret;
}

/* What is in flight when the measured part begins and ends is the same. */
static int measure(struct load *l)
{
	struct bench *b = l->b;
	int ret;

	memset(&b->hist, 0, sizeof(b->hist));
	b->done = b->calls = b->sleeps = 0;
	b->kicks = all_kicks(b);
	cost_now(&l->start, b->o.worker_cpu);
	set_end(l, 1);
	mark(MARK_BEGIN);
	ret = keep_busy(l);
	mark(MARK_END);
	cost_now(&b->cost, b->o.worker_cpu);
	cost_since(&l->start, &b->cost);
	b->kicks = all_kicks(b) - b->kicks;
	return ret;
}

static int run(struct load *l, u64 *done, u64 *calls)
{
	int ret = fill(l);

	if (ret)
		return ret;
	set_end(l, WARM_UP);
	l->least = l->b->least;
	ret = keep_busy(l);
	l->least = 0;
	if (!ret)
		ret = measure(l);
	*done = l->b->done;
	*calls = l->b->calls;
	return ret ? ret : drain(l);
}

int bench_load(struct bench *b)
{
	struct load l = { .b = b, .blocks = b->bytes / b->o.block_size };
	u64 done = 0, calls = 0;
	int ret;

	if (!l.blocks) {
		vt_msg("the device is smaller than a block");
		return -EINVAL;
	}
	b->lane = calloc(b->o.queues, sizeof(*b->lane));
	if (!b->lane)
		return -ENOMEM;
	rng_seed(&l.rng, b->o.seed);
	ret = run(&l, &done, &calls);
	free(b->lane);
	if (ret)
		vt_msg("after %llu I/Os: %s", (unsigned long long)b->done,
		       strerror(-ret));
	/* Without those that were only waited for. */
	b->done = done;
	b->calls = calls;
	return ret;
}
