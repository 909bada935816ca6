/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pollers: kernel threads, one to a CPU, that serve queues.
 *
 * DOC: pollers
 *
 * A queue (struct vt_pq) belongs to exactly one poller at a time, so what it
 * does on the fast path needs no lock. It is in one of two places:
 *
 *   active:  VT_PQ_ACTIVE set. On the poller's active list, or on its way
 *            there through the wake list. Looked at in every pass.
 *   asleep:  VT_PQ_ACTIVE clear. On no list; costs nothing. vt_pq_wake()
 *            (a kick, a completion) makes it active.
 *
 * Going asleep: the poller arms the queue (asks the driver for kicks), clears
 * VT_PQ_ACTIVE, full barrier, looks once more for work. Whoever makes work
 * visible and then calls vt_pq_wake() either is seen by that last look or
 * sees the bit clear.
 *
 * A queue may move to another poller at any time: see balance.c.
 *
 * Control paths never touch a queue that a poller owns: they have a function
 * run by the poller between two passes (vt_poller_call()).
 */
#ifndef _VHOST_TARGET_POLLER_H
#define _VHOST_TARGET_POLLER_H

#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

struct vt_pq;
struct vt_poller;

/* Requests a queue may start in one pass, for fairness between queues. */
#define VT_PASS_BUDGET	64

/*
 * What a queue may cost in one pass, in looks at a descriptor or at an address
 * of the guest: 64 requests of 128 KiB in scattered pages. The request that
 * exceeds it is the last.
 */
#define VT_PASS_COST	2560

/* Of both, what a queue has of a pass when it is not alone. */
#define VT_CROWDED(n)	((n) / 4)

#define VT_COST_PAGE	32	/* of a page that is copied */
#define VT_COST_BYTES	128	/* read out of the guest for a look */

/**
 * struct vt_pq_ops - what a poller does to a queue; all in the poller
 * @poll: one look at the queue; @now is the pass's time in ns, @patience the
 *	time in ns after which a queue without work goes asleep. Returns the
 *	number of requests started and finished.
 * @arm: ask for notifications; false if there is work already or the queue
 *	can only be polled now
 * @pending: is there work that no notification will announce again?
 */
struct vt_pq_ops {
	unsigned int (*poll)(struct vt_pq *pq, u64 now, u64 patience);
	bool (*arm)(struct vt_pq *pq);
	bool (*pending)(struct vt_pq *pq);
};

#define VT_PQ_ACTIVE	0

/**
 * struct vt_spin - how long a queue without work is looked at
 * @halves: how often idle_us is halved: of a queue that waits for its driver,
 *	of one that waits for the backend
 * @slept: it went asleep, and has had no work since
 * @backend: it was waiting for the backend then
 */
struct vt_spin {
	u8 halves[2];
	bool slept;
	bool backend;
};

/**
 * struct vt_pq - a queue as pollers know it
 * @ops: set once
 * @flags: VT_PQ_*
 * @wake: on the poller's wake list
 * @poller: who serves it; changes only while detached
 * @node: on the poller's active list; poller only
 * @last_work: time of the last pass with work, ns; poller only
 * @work: requests started and finished; written by the poller
 * @crowded: others have work, too, or had lately; poller only
 * @stays: @ops->poll wants to be called again, even without work; poller only
 * @backend: requests are at the backend; set by @ops->poll
 * @holds: results are being held back; set by @ops->poll
 * @spin: when it goes asleep; poller only
 * @rearms: counts the times work came while arming; poller only
 * @sleeps: counts the times it went asleep; poller only
 * @placed: on the list of its poller's queues; pollers_lock
 * @held: somebody has its poller do something, or moves it; pollers_lock
 * @set: pollers it may be placed on; pollers_lock
 * @seen_work: @work when a watch began; pollers_lock
 */
struct vt_pq {
	const struct vt_pq_ops *ops;
	unsigned long flags;
	struct llist_node wake;
	struct vt_poller *poller;
	struct list_head node ____cacheline_aligned_in_smp;
	u64 last_work;
	u64 work;
	bool crowded;
	bool stays;
	bool backend;
	bool holds;
	struct vt_spin spin;
	u64 *rearms;
	u64 *sleeps;
	struct list_head placed;
	bool held;
	const struct vt_poller_set *set;
	u64 seen_work;
};

/**
 * vt_pq_init - prepare a queue, not placed
 * @pq: queue
 * @ops: its functions
 * @rearms: counter of the times work came while it was being armed
 * @sleeps: counter of the times it went asleep
 */
void vt_pq_init(struct vt_pq *pq, const struct vt_pq_ops *ops, u64 *rearms,
		u64 *sleeps);

/**
 * vt_pq_wake - there may be work
 * @pq: queue, attached or not
 *
 * What it shall see must be visible before; implies a full barrier.
 * Context: any, hard interrupts included.
 */
void vt_pq_wake(struct vt_pq *pq);

/**
 * vt_pq_call - have the poller of a queue run a function
 * @pq: queue, placed
 * @fn: function, runs between two passes, may not sleep for long
 * @arg: its argument
 *
 * Context: may sleep, not in a poller. Where a device puts the poller to sleep
 * it takes as long as that; others' queues elsewhere are not in its way.
 */
void vt_pq_call(struct vt_pq *pq, void (*fn)(void *arg), void *arg);

/**
 * vt_poller_add - start a poller
 * @cpu: CPU
 * @idle_us: microseconds without work before a queue goes asleep, at most
 * @id: number of the new poller
 *
 * Returns: 0, -ENXIO, -EEXIST, -ENOSPC, -ERANGE, -ENOMEM.
 */
int vt_poller_add(unsigned int cpu, u32 idle_us, u32 *id);

/**
 * vt_poller_remove - stop a poller; its queues move to others
 * @id: number
 *
 * Returns: 0, -ENOENT, -EBUSY.
 */
int vt_poller_remove(u32 id);

/**
 * vt_poller_set_idle - change how long a poller's queues stay active
 * @id: number
 * @idle_us: microseconds
 *
 * Returns: 0, -ENOENT, -ERANGE.
 */
int vt_poller_set_idle(u32 id, u32 idle_us);

struct vhost_target_poller;

/**
 * vt_poller_get - describe a poller
 * @info: in: id; out: the rest
 * @next: take the first with at least this id
 *
 * Returns: 0, -ENOENT.
 */
int vt_poller_get(struct vhost_target_poller *info, bool next);

/**
 * struct vt_poller_set - pollers a target may use
 * @nr: entries; 0: all
 * @id: numbers
 */
struct vt_poller_set {
	unsigned int nr;
	u32 *id;
};

/* Take, give back the pollers a target names. Returns 0 or -ENOENT. */
int vt_poller_set_get(const struct vt_poller_set *set);
void vt_poller_set_put(const struct vt_poller_set *set);

/**
 * vt_pq_place - hand a queue to the least loaded poller of a set
 * @pq: queue, not placed
 * @set: allowed pollers; must stay as long as the queue is placed
 *
 * The queue starts active. It may move to another poller of the set later.
 * Context: may sleep, not in a poller.
 */
void vt_pq_place(struct vt_pq *pq, const struct vt_poller_set *set);

/**
 * vt_pq_unplace - take a queue off its poller
 * @pq: queue, placed
 *
 * When it returns no poller looks at the queue.
 * Context: may sleep, not in a poller.
 */
void vt_pq_unplace(struct vt_pq *pq);

unsigned int vt_poller_count(void);

int vt_pollers_init(void);
void vt_pollers_exit(void);

#endif
