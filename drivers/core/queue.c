// SPDX-License-Identifier: GPL-2.0
/*
 * A queue at work: requests in, I/O to the backend, results out. Everything
 * above "control" runs in the poller that serves the queue.
 */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include <vhost_target/cov.h>

#include "../compat/workqueue.h"
#include "moderate.h"
#include "queue.h"
#include "trace.h"
#include "vq.h"

/* Tags taken at once: what the block layer itself does at most. */
#define QUEUE_TAGS	32

static void queue_set_broken(struct vt_queue *q)
{
	q->broken = true;
	vt_stat_inc(q->st->ring_errors);
	q->ops->broke(q);
}

#define PARKED_MS	10

static void queue_park(struct vt_queue *q)
{
	/* What is in flight wakes us, but may take its time. */
	unsigned long delay = q->inflight ? msecs_to_jiffies(PARKED_MS) : 1;

	q->parked = true;
	vt_stat_inc(q->st->parked);
	queue_delayed_work(system_percpu_wq, &q->retry_work, delay);
}

static void queue_fault(struct vt_queue *q)
{
	vt_stat_inc(q->st->mem_faults);
	WRITE_ONCE(q->faulting, true);
	queue_work(q->session->fill_wq, &q->fault_work);
}

/* The next request could not be taken now. */
static void queue_refused(struct vt_queue *q, int err)
{
	switch (err) {
	case -EAGAIN:
		queue_fault(q);
		break;
	case -ENOBUFS:
		queue_park(q);
		break;
	case -ENODATA:
		q->parked = true;
		break;
	default:
		queue_set_broken(q);
		break;
	}
}

static noinline void queue_end_drain(struct vt_req *req)
{
	vt_drain_put(req->drain);
	req->drain = NULL;
}

static void queue_put_req(struct vt_queue *q, struct vt_req *req)
{
	vt_req_release(req);
	if (unlikely(!list_empty(&req->polled)))
		list_del_init(&req->polled);
	req->taken = false;
	req->next = q->free;
	q->free = req;
	if (unlikely(req->drain))
		queue_end_drain(req);
	q->copied -= req->copied;
	WRITE_ONCE(q->by_epoch[req->epoch], q->by_epoch[req->epoch] - 1);
	WRITE_ONCE(q->inflight, q->inflight - 1);
	WRITE_ONCE(q->st->inflight, q->inflight);
}

void vt_queue_complete(struct vt_queue *q, struct vt_req *req)
{
	struct vt_qstats *st = q->st;
	unsigned int class = req->op_class;
	u32 bytes = req->io.bytes;

	if (req->bounce) {
		q->cost += DIV_ROUND_UP(bytes, PAGE_SIZE) * VT_COST_PAGE;
		vt_req_unbounce(req);
	}
	INDIRECT_CALL_1(q->ops->complete, vt_vq_complete, q, req);
	q->unpublished++;

	if (req->io.status)
		vt_stat_inc(st->errors[class]);
	else
		vt_stat_add(st->bytes[class], bytes);
	vt_stat_inc(st->ops[class]);
	vt_stat_latency(st, class, q->now - req->start);
	trace_vhost_request_done(q->session->target->name, q->index, req->id,
				 req->io.op,
				 blk_status_to_errno(req->io.status),
				 q->now - req->start);
	queue_put_req(q, req);
}
EXPORT_SYMBOL_GPL(vt_queue_complete);

static unsigned int queue_budget(const struct vt_queue *q)
{
	return q->pq.crowded ? VT_CROWDED(VT_PASS_BUDGET) : VT_PASS_BUDGET;
}

static bool queue_may_cost(const struct vt_queue *q)
{
	return q->cost < (q->pq.crowded ? VT_CROWDED(VT_PASS_COST) :
			  VT_PASS_COST);
}

/* However many have ended at once, the others' queues wait for some of them. */
static unsigned int queue_reap(struct vt_queue *q)
{
	struct vt_req *req;
	unsigned int n = 0;

	if (!q->ended) {
		if (llist_empty(&q->done))
			return 0;
		q->ended = llist_reverse_order(llist_del_all(&q->done));
	}
	for (; q->ended && n < queue_budget(q) && queue_may_cost(q); n++) {
		req = llist_entry(q->ended, struct vt_req, done);
		q->ended = q->ended->next;
		vt_queue_complete(q, req);
	}
	return n;
}

/* An I/O has ended; any context. */
void vt_queue_io_done(struct vt_io *io)
{
	struct vt_req *req = container_of(io, struct vt_req, io);
	struct vt_queue *q = req->q;

	if (unlikely(req->late) && vt_req_ended_late(req))
		return;
	/* Once it is there, all may end; the queue's memory stays till we are out. */
	rcu_read_lock();
	/* Implies the barrier that vt_pq_wake() asks for. */
	llist_add(&req->done, &q->done);
	vt_pq_wake(&q->pq);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(vt_queue_io_done);

void vt_queue_take(struct vt_queue *q, struct vt_req *req)
{
	q->free = req->next;
	q->fault_hole = false;
	q->evicted = 0;
	req->start = q->now;
	req->epoch = q->epoch;
	req->given = false;
	req->taken = true;
	req->io.css = q->session->css;
	WRITE_ONCE(q->by_epoch[req->epoch], q->by_epoch[req->epoch] + 1);
	WRITE_ONCE(q->inflight, q->inflight + 1);
	WRITE_ONCE(q->st->inflight, q->inflight);
	trace_vhost_request_start(q->session->target->name, q->index, req->id,
				  req->io.op, req->io.sector, req->io.bytes);
}
EXPORT_SYMBOL_GPL(vt_queue_take);

static void queue_submit_polled(struct vt_queue *q, struct vt_req *req)
{
	req->io.flags |= VT_IO_POLLED;
	vt_io_submit(&req->io);
	/* It may have ended, but is in flight until it is reaped. */
	if (req->io.flags & VT_IO_POLLED) {
		list_add_tail(&req->polled, &q->polled);
		q->polled_since = q->now;
	}
}

void vt_queue_submit(struct vt_queue *q, struct vt_req *req)
{
	req->given = true;
	if (unlikely(req->late))
		vt_req_submit_late(req);
	else if (unlikely(req->io.be->limits.polled))
		queue_submit_polled(q, req);
	else
		vt_io_submit(&req->io);
}
EXPORT_SYMBOL_GPL(vt_queue_submit);

void vt_cmd_punt(struct vt_req *req, work_func_t fn)
{
	INIT_WORK(&req->io.work, fn);
	queue_work(req->q->session->cmd_wq, &req->io.work);
}
EXPORT_SYMBOL_GPL(vt_cmd_punt);

static bool queue_may_fetch(struct vt_queue *q)
{
	/* Pairs with the release in queue_fault_work(). */
	return !smp_load_acquire(&q->faulting) && !q->stopping && !q->broken &&
	       q->free;
}

/* Of several the first is waited for together with the others. */
static void queue_expect(struct vt_queue *q, unsigned int n,
			 unsigned int waiting)
{
	if (q->ops->expect && n + 1 < waiting)
		INDIRECT_CALL_1(q->ops->expect, vt_vq_expect, q,
				min_t(unsigned int, waiting - n,
				      VT_EXPECT_MAX));
}

/* Not inlined: a pass without requests does not set up a plug for them. */
static noinline unsigned int queue_fetch_some(struct vt_queue *q,
					      unsigned int waiting)
{
	struct blk_plug plug;
	unsigned int n = 0;
	int ret = 1;

	blk_start_plug(&plug);
	/* The first request that needs a tag takes some for the others, too. */
	waiting = min(waiting, queue_budget(q));
	plug.nr_ios = min_t(unsigned int, waiting, QUEUE_TAGS);
	while (n < queue_budget(q) && q->free && queue_may_cost(q)) {
		if (!(n % VT_EXPECT_MAX))
			queue_expect(q, n, waiting);
		ret = INDIRECT_CALL_1(q->ops->fetch, vt_vq_fetch, q);
		if (ret <= 0)
			break;
		n++;
	}
	blk_finish_plug(&plug);
	if (ret < 0)
		queue_refused(q, ret);
	return n;
}

/*
 * A request that costs more than a pass is worth cannot be cut. Its queue makes
 * up for it: others have the poller for three times as long.
 */
#define REST_COST	(VT_CROWDED(VT_PASS_COST) * 3 / 2)
#define REST_TIMES	3
#define REST_MAX_NS	NSEC_PER_MSEC

static bool queue_rests(const struct vt_queue *q)
{
	return unlikely(q->rest_until > q->now) && q->pq.crowded;
}

static void queue_rest(struct vt_queue *q)
{
	u64 now = ktime_get_ns();

	q->rest_until = now + min_t(u64, REST_TIMES * (now - q->now),
				    REST_MAX_NS);
}

static unsigned int queue_fetch(struct vt_queue *q)
{
	unsigned int waiting;

	q->parked = false;
	if (READ_ONCE(q->nudged))
		/* Before ops->fetch looks; pairs with vt_queue_nudge(). */
		xchg(&q->nudged, false);
	if (!queue_may_fetch(q))
		return 0;
	if (queue_rests(q))
		return 0;
	waiting = INDIRECT_CALL_1(q->ops->pending, vt_vq_pending, q);
	return waiting ? queue_fetch_some(q, waiting) : 0;
}

/* They may be several backends': by turns. */
static void queue_poll_backend(struct vt_queue *q)
{
	struct vt_req *req = list_first_entry(&q->polled, struct vt_req,
					      polled);

	list_move_tail(&req->polled, &q->polled);
	req->io.be->ops->poll(&req->io);
}

/* A device that has hung is not worth a CPU. */
#define POLLED_NS	(10 * NSEC_PER_MSEC)

static bool queue_spins(const struct vt_queue *q)
{
	return unlikely(!list_empty(&q->polled)) &&
	       q->now - q->polled_since < POLLED_NS;
}

static void queue_publish(struct vt_queue *q)
{
	q->unpublished = 0;
	if (!INDIRECT_CALL_1(q->ops->publish, vt_vq_publish, q))
		return;
	vt_stat_inc(q->st->calls);
	vt_notify_signal(&q->call);
}

static void queue_worked(struct vt_queue *q)
{
	q->polled_since = q->now;
	if (atomic_read(&q->waiters))
		wake_up_all(&q->idle_wait);
}

static unsigned int queue_pass(struct vt_queue *q, u64 now, u64 patience)
{
	unsigned int n, came;

	q->now = now;
	q->cost = 0;
	if (q->armed) {
		INDIRECT_CALL_1(q->ops->disarm, vt_vq_disarm, q);
		q->armed = false;
	}
	n = queue_reap(q);
	came = queue_fetch(q);
	if (unlikely(!list_empty(&q->polled)))
		queue_poll_backend(q);
	/* What ended while it was submitted. */
	n += came + queue_reap(q);
	/* A driver that looks by itself need not wait for its interrupt. */
	if (q->unpublished && q->ops->show)
		INDIRECT_CALL_1(q->ops->show, vt_vq_show, q);
	/* A driver that cannot hand over any more waits. */
	if (vt_moderate(&q->moderation, now, came, q->unpublished, q->inflight,
			q->free ? patience : 0))
		queue_publish(q);
	q->pq.backend = q->inflight;
	q->pq.holds = q->unpublished;

	if (unlikely(q->cost >= REST_COST) && q->pq.crowded)
		queue_rest(q);
	vt_stat_inc(q->st->polls);
	if (!n)
		vt_stat_inc(q->st->empty_polls);
	else
		queue_worked(q);
	/* It does not fall asleep before it has had its rest. */
	q->pq.stays = queue_rests(q) || queue_spins(q);
	return n;
}

unsigned int vt_queue_poll(struct vt_pq *pq, u64 now, u64 patience)
{
	struct vt_queue *q = container_of(pq, struct vt_queue, pq);
	u64 cov = vt_cov_begin(q->session);
	unsigned int n = queue_pass(q, now, patience);

	vt_cov_end(cov);
	return n;
}

static bool queue_arm(struct vt_pq *pq)
{
	struct vt_queue *q = container_of(pq, struct vt_queue, pq);

	/* Nothing is held back by a queue that is asleep. */
	queue_publish(q);
	/* Nothing else tells of these. */
	if (unlikely(!list_empty(&q->polled)))
		queue_delayed_work(system_percpu_wq, &q->retry_work, 1);
	/* Without a request to put it in, a kick is of no use. */
	if (!queue_may_fetch(q) || q->parked)
		return !q->ops->doze || q->ops->doze(q);
	q->armed = true;
	return INDIRECT_CALL_1(q->ops->arm, vt_vq_arm, q);
}

static bool queue_pending(struct vt_pq *pq)
{
	struct vt_queue *q = container_of(pq, struct vt_queue, pq);

	if (q->ended || !llist_empty(&q->done) || READ_ONCE(q->nudged))
		return true;
	return queue_may_fetch(q) && !q->parked &&
	       INDIRECT_CALL_1(q->ops->pending, vt_vq_pending, q);
}

static const struct vt_pq_ops queue_pq_ops = {
	.poll		= vt_queue_poll,
	.arm		= queue_arm,
	.pending	= queue_pending,
};

#define FAULT_RETRY_MS 10

static void queue_fault_work(struct work_struct *work)
{
	struct vt_queue *q = container_of(work, struct vt_queue, fault_work);
	struct vt_gmem *gm = q->session->gmem;
	unsigned long before = READ_ONCE(gm->evictions);
	int err = vt_gmem_fill(gm, q->fault_addr);

	/* A shortage passes: the guest sees a slow disk, not an error. */
	if (err == -ENOMEM)
		msleep(FAULT_RETRY_MS);
	q->fault_hole = err == -EFAULT;
	if (READ_ONCE(gm->evictions) != before)
		q->evicted++;
	/* The poller takes both back: pairs with queue_may_fetch(). */
	smp_store_release(&q->faulting, false);
	vt_pq_wake(&q->pq);
}

static void queue_retry_work(struct work_struct *work)
{
	struct vt_queue *q = container_of(to_delayed_work(work),
					  struct vt_queue, retry_work);

	/* If it is only about to fall asleep a wake would do nothing. */
	vt_queue_nudge(q);
}

/* Control: the owner's side. */

void vt_queue_init(struct vt_queue *q, const struct vt_queue_ops *ops,
		   struct vt_session *s, unsigned int index)
{
	struct vt_qstats *st = &s->stats[index];

	vt_pq_init(&q->pq, &queue_pq_ops, &st->rearms, &st->sleeps);
	INIT_LIST_HEAD(&q->polled);
	q->ops = ops;
	q->session = s;
	q->index = index;
	q->st = st;
	init_llist_head(&q->done);
	init_waitqueue_head(&q->idle_wait);
	INIT_WORK(&q->fault_work, queue_fault_work);
	INIT_DELAYED_WORK(&q->retry_work, queue_retry_work);
}
EXPORT_SYMBOL_GPL(vt_queue_init);

static void queue_reset_state(struct vt_queue *q)
{
	unsigned int i;

	memset(&q->moderation, 0, sizeof(q->moderation));
	q->unpublished = 0;
	q->rest_until = 0;
	q->copied = 0;
	q->ended = NULL;
	q->inflight = 0;
	memset(q->by_epoch, 0, sizeof(q->by_epoch));
	q->armed = true;
	q->parked = false;
	q->stopping = false;
	q->broken = false;
	q->faulting = false;
	q->fault_hole = false;
	q->evicted = 0;
	WRITE_ONCE(q->nudged, false);
	memset(q->known, 0, sizeof(q->known));
	for (i = 0; i < q->nr_reqs; i++)
		vt_queue_req(q, i)->io.done = vt_queue_io_done;
}

void vt_queue_start(struct vt_queue *q)
{
	struct vt_session *s = q->session;

	lockdep_assert_held(&s->lock);
	queue_reset_state(q);
	mutex_lock(&s->place_lock);
	vt_pq_place(&q->pq, &s->target->pollers);
	WRITE_ONCE(q->running, true);
	mutex_unlock(&s->place_lock);
}
EXPORT_SYMBOL_GPL(vt_queue_start);

static void queue_stop_fn(void *arg)
{
	struct vt_queue *q = arg;

	q->stopping = true;
}

void vt_queue_stop(struct vt_queue *q)
{
	struct vt_session *s = q->session;

	lockdep_assert_held(&s->lock);

	atomic_inc(&q->waiters);
	vt_pq_call(&q->pq, queue_stop_fn, q);
	wait_event(q->idle_wait, !READ_ONCE(q->inflight));
	atomic_dec(&q->waiters);

	mutex_lock(&s->place_lock);
	vt_pq_unplace(&q->pq);
	WRITE_ONCE(q->running, false);
	mutex_unlock(&s->place_lock);

	cancel_work_sync(&q->fault_work);
	cancel_delayed_work_sync(&q->retry_work);
	queue_publish(q);
}
EXPORT_SYMBOL_GPL(vt_queue_stop);

void vt_queue_run(struct vt_queue *q, void (*fn)(void *arg), void *arg)
{
	lockdep_assert_held(&q->session->lock);
	if (q->running)
		vt_pq_call(&q->pq, fn, arg);
	else
		fn(arg);
}
EXPORT_SYMBOL_GPL(vt_queue_run);

struct swap_call {
	struct vt_queue *q;
	struct vt_notify call;
};

static void swap_call_fn(void *arg)
{
	struct swap_call *s = arg;

	swap(s->q->call, s->call);
}

struct vt_notify vt_queue_set_call(struct vt_queue *q, struct vt_notify call)
{
	struct swap_call s = { .q = q, .call = call };

	vt_queue_run(q, swap_call_fn, &s);
	return s.call;
}
EXPORT_SYMBOL_GPL(vt_queue_set_call);

static void queue_flip_epoch(void *arg)
{
	struct vt_queue *q = arg;

	q->epoch ^= 1;
}

/*
 * Requests are counted in the epoch they were picked up in. The count of the
 * one before the last was zero when that ended, so that two are enough.
 */
void vt_queue_sync(struct vt_queue *q)
{
	struct vt_session *s = q->session;
	const unsigned int *count;
	bool running;

	lockdep_assert_held(&s->sync_lock);
	/* Only whoever holds the lock flips. */
	count = &q->by_epoch[q->epoch];
	atomic_inc(&q->waiters);
	mutex_lock(&s->place_lock);
	running = q->running;
	if (running)
		vt_pq_call(&q->pq, queue_flip_epoch, q);
	mutex_unlock(&s->place_lock);
	if (running)
		wait_event(q->idle_wait, !READ_ONCE(*count));
	atomic_dec(&q->waiters);
}

/*
 * The queue's poller stands still: what it found allowed in a pass it has also
 * submitted. What a work item does was submitted by none.
 */
void vt_queue_drain(struct vt_queue *q, void *arg)
{
	unsigned int i, left = q->inflight;
	struct vt_drain *d = arg;

	for (i = 0; left && i < q->nr_reqs; i++) {
		struct vt_req *req = vt_queue_req(q, i);

		if (!req->taken)
			continue;
		left--;
		if (!req->given || req->io.be != d->be)
			continue;
		req->drain = d;
		atomic_inc(&d->left);
	}
}

struct queue_visit {
	struct vt_queue *q;
	void (*fn)(struct vt_queue *q, void *arg);
	void *arg;
};

static void queue_visit_fn(void *arg)
{
	struct queue_visit *v = arg;

	v->fn(v->q, v->arg);
	/* Moderation may be holding back results. */
	if (v->q->unpublished)
		queue_publish(v->q);
}

void vt_queue_visit(struct vt_queue *q,
		    void (*fn)(struct vt_queue *q, void *arg), void *arg)
{
	struct queue_visit v = { q, fn, arg };

	mutex_lock(&q->session->place_lock);
	if (q->running)
		vt_pq_call(&q->pq, queue_visit_fn, &v);
	mutex_unlock(&q->session->place_lock);
}
