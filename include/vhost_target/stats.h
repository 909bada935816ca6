/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of a queue: written by its poller only, read by anybody. */
#ifndef _VHOST_TARGET_STATS_H
#define _VHOST_TARGET_STATS_H

#include <linux/cache.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include <linux/vhost_target.h>

/**
 * struct vt_qstats - counters of a queue; see struct vhost_target_stats
 *
 * @kicks is the one exception: it is written by the notifier, one at a time
 * (under the eventfd's or the transport's lock).
 */
struct vt_qstats {
	u64 ops[VHOST_TARGET_OP_CLASSES];
	u64 bytes[VHOST_TARGET_OP_CLASSES];
	u64 errors[VHOST_TARGET_OP_CLASSES];
	u64 invalid;
	u64 ring_errors;
	u64 mem_faults;
	u64 parked;
	u64 calls;
	u64 polls;
	u64 empty_polls;
	u64 sleeps;
	u64 rearms;
	u64 bounced;
	u64 inflight;
	u64 absent;
	u64 hist[VHOST_TARGET_OP_CLASSES][VHOST_TARGET_HIST_BUCKETS];
	u64 kicks ____cacheline_aligned_in_smp;
} ____cacheline_aligned_in_smp;

/* Add to a counter that only the calling context writes. */
#define vt_stat_add(counter, n) WRITE_ONCE(counter, (counter) + (n))
#define vt_stat_inc(counter) vt_stat_add(counter, 1)

/**
 * vt_stat_latency - count the time a request took
 * @st: the queue's counters
 * @class: enum vhost_target_opclass
 * @ns: nanoseconds
 */
static inline void vt_stat_latency(struct vt_qstats *st, unsigned int class,
				   u64 ns)
{
	unsigned int bucket = ns ? ilog2(ns) : 0;

	bucket = min(bucket, VHOST_TARGET_HIST_BUCKETS - 1u);
	vt_stat_inc(st->hist[class][bucket]);
}

/* Add the counters of @from, which nobody writes any more, and clear them. */
void vt_qstats_move(struct vt_qstats *to, struct vt_qstats *from);

/* Add the counters of a queue to a sum. */
void vt_stats_add(struct vhost_target_stats *sum, const struct vt_qstats *st);

#endif
