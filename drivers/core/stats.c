// SPDX-License-Identifier: GPL-2.0
/* Counters: see <vhost_target/stats.h>. */
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/string.h>

#include <vhost_target/session.h>
#include <vhost_target/stats.h>
#include <vhost_target/target.h>

/* All of the struct is counters. */
static_assert(sizeof(struct vt_qstats) % sizeof(u64) == 0);

void vt_qstats_move(struct vt_qstats *to, struct vt_qstats *from)
{
	u64 *t = (u64 *)to, *f = (u64 *)from;
	unsigned int i;

	for (i = 0; i < sizeof(*to) / sizeof(u64); i++)
		t[i] += f[i];
	memset(from, 0, sizeof(*from));
}

void vt_stats_add(struct vhost_target_stats *sum, const struct vt_qstats *st)
{
	unsigned int c, b;

	for (c = 0; c < VHOST_TARGET_OP_CLASSES; c++) {
		sum->ops[c] += READ_ONCE(st->ops[c]);
		sum->bytes[c] += READ_ONCE(st->bytes[c]);
		sum->errors[c] += READ_ONCE(st->errors[c]);
		for (b = 0; b < VHOST_TARGET_HIST_BUCKETS; b++)
			sum->hist[c][b] += READ_ONCE(st->hist[c][b]);
	}
	sum->invalid += READ_ONCE(st->invalid);
	sum->ring_errors += READ_ONCE(st->ring_errors);
	sum->mem_faults += READ_ONCE(st->mem_faults);
	sum->parked += READ_ONCE(st->parked);
	sum->kicks += READ_ONCE(st->kicks);
	sum->calls += READ_ONCE(st->calls);
	sum->polls += READ_ONCE(st->polls);
	sum->empty_polls += READ_ONCE(st->empty_polls);
	sum->sleeps += READ_ONCE(st->sleeps);
	sum->rearms += READ_ONCE(st->rearms);
	sum->bounced += READ_ONCE(st->bounced);
	sum->inflight += READ_ONCE(st->inflight);
	sum->absent += READ_ONCE(st->absent);
}

/* Queues other than the I/O queues are counted with the last one. */
static unsigned int stats_index(const struct vt_target *t, unsigned int queue)
{
	/* Below zero is beyond all queues. */
	return min(queue - t->type->ctl_queues, t->num_queues - 1);
}

void vt_target_keep_stats(struct vt_session *s)
{
	struct vt_target *t = s->target;
	unsigned int i;

	lockdep_assert_held(&t->lock);
	for (i = 0; i < s->nr_queues; i++)
		vt_qstats_move(&t->stats[stats_index(t, i)], &s->stats[i]);
}

/* One queue, of the present sessions and of those that have ended. */
static void target_add_stats(struct vt_target *t, unsigned int queue,
			     struct vhost_target_stats *st)
{
	struct vt_session *s;
	unsigned int i;

	lockdep_assert_held(&t->lock);
	vt_stats_add(st, &t->stats[queue]);
	list_for_each_entry(s, &t->sessions, node)
		for (i = 0; i < s->nr_queues; i++)
			if (stats_index(t, i) == queue)
				vt_stats_add(st, &s->stats[i]);
}

int vt_target_stats(struct vhost_target_stats *st)
{
	struct vt_target *t = vt_target_find(st->name);
	unsigned int i;
	int err = 0;

	if (!t)
		return -ENOENT;
	mutex_lock(&t->lock);
	if (st->queue == VHOST_TARGET_QUEUE_ALL) {
		for (i = 0; i < t->num_queues; i++)
			target_add_stats(t, i, st);
	} else if (st->queue < t->num_queues) {
		target_add_stats(t, st->queue, st);
	} else {
		err = -ERANGE;
	}
	mutex_unlock(&t->lock);
	vt_target_put(t);
	return err;
}
