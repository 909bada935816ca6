// SPDX-License-Identifier: GPL-2.0
/*
 * Queues move from a poller that has too much to do to one that has time.
 *
 * A poller that was busy for most of a second, with several queues, asks for it.
 * All are then watched for a while, and the move is made that leaves the busier one
 * of the two with the least, if that is worth it; until none is. Nothing here runs,
 * nor has a timer, while no poller is busy.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>

#include "../compat/workqueue.h"
#include "poller.h"

#define WATCH_MS	250

/* In permille of a poller's time. */
#define LOAD_BUSY	(1000 / 8 * VT_BUSY_EIGHTHS)
#define LOAD_GAIN	150	/* what a move has to be worth */
#define LOAD_AWAY	150	/* what another NUMA node costs */

/**
 * struct move - a queue that may move
 * @pq: queue, NULL: there is none
 * @to: where
 * @load: the busier poller's afterwards
 */
struct move {
	struct vt_pq *pq;
	struct vt_poller *to;
	u32 load;
};

/* When the watch began, 0: there is none; vt_pollers_lock. */
static u64 watch_since;

static void watch_begin(u64 now)
{
	struct vt_poller *p;
	unsigned long id;
	struct vt_pq *pq;

	lockdep_assert_held(&vt_pollers_lock);
	watch_since = now;
	xa_for_each(&vt_pollers, id, p) {
		p->seen_busy = READ_ONCE(p->busy_ns);
		list_for_each_entry(pq, &p->queues, placed)
			pq->seen_work = READ_ONCE(pq->work);
	}
}

static void watch_end(u64 now)
{
	u64 span = now - watch_since;
	struct vt_poller *p;
	unsigned long id;
	u64 busy;

	lockdep_assert_held(&vt_pollers_lock);
	watch_since = 0;
	xa_for_each(&vt_pollers, id, p) {
		busy = READ_ONCE(p->busy_ns) - p->seen_busy;
		p->load = min_t(u64, div64_u64(busy * 1000, span), 1000);
	}
}

static u64 pq_work(const struct vt_pq *pq)
{
	return READ_ONCE(pq->work) - pq->seen_work;
}

static u64 poller_work(const struct vt_poller *p)
{
	struct vt_pq *pq;
	u64 sum = 0;

	list_for_each_entry(pq, &p->queues, placed)
		sum += pq_work(pq);
	return sum;
}

/* The best place for a queue that is so much of the load of @from. */
static void move_of(struct vt_pq *pq, const struct vt_poller *from, u32 share,
		    struct move *best)
{
	struct vt_poller *p;
	unsigned long id;
	u32 load;

	xa_for_each(&vt_pollers, id, p) {
		if (p == from || p->leaving || vt_poller_is_stuck(p) ||
		    !vt_poller_in_set(p, pq->set))
			continue;
		load = p->load + share;
		if (vt_poller_node(p) != vt_poller_node(from))
			load += LOAD_AWAY;
		load = max(load, from->load - share);
		if (load + LOAD_GAIN <= from->load && load < best->load)
			*best = (struct move) { pq, p, load };
	}
}

static struct move best_move(void)
{
	struct move best = { .load = U32_MAX };
	struct vt_poller *p;
	unsigned long id;
	struct vt_pq *pq;
	u64 work, n;

	lockdep_assert_held(&vt_pollers_lock);
	xa_for_each(&vt_pollers, id, p) {
		work = p->load >= LOAD_BUSY ? poller_work(p) : 0;
		if (!work)
			continue;
		list_for_each_entry(pq, &p->queues, placed) {
			n = min(pq_work(pq), work);
			if (n && !pq->held)
				move_of(pq, p, div64_u64(n * p->load, work),
					&best);
		}
	}
	return best;
}

/* Is there more to be done? */
static bool balance_step(u64 now)
{
	struct move m;

	if (watch_since && now - watch_since < WATCH_MS * NSEC_PER_MSEC)
		return true;
	if (!watch_since) {
		watch_begin(now);
		return true;
	}
	watch_end(now);
	m = best_move();
	if (!m.pq)
		return false;
	vt_pq_move(m.pq, m.to);
	watch_begin(now);
	return true;
}

static void balance_fn(struct work_struct *work)
{
	bool again;

	mutex_lock(&vt_pollers_lock);
	again = balance_step(ktime_get_ns());
	mutex_unlock(&vt_pollers_lock);
	if (again)
		queue_delayed_work(system_dfl_wq, to_delayed_work(work),
				   msecs_to_jiffies(WATCH_MS) + 1);
}

static DECLARE_DELAYED_WORK(balance_work, balance_fn);

void vt_balance(void)
{
	queue_delayed_work(system_dfl_wq, &balance_work, 0);
}

void vt_balance_exit(void)
{
	disable_delayed_work_sync(&balance_work);
}
