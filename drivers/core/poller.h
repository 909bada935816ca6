/* SPDX-License-Identifier: GPL-2.0 */
/* Pollers, as those know them who place queues on them. */
#ifndef _VHOST_TARGET_CORE_POLLER_H
#define _VHOST_TARGET_CORE_POLLER_H

#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/topology.h>
#include <linux/xarray.h>

#include <vhost_target/poller.h>

/**
 * struct vt_poller - a thread that serves queues
 * @task: the thread; a reference is held
 * @wake: queues to be put on @active, by anybody
 * @calls: functions to run between passes, by anybody
 * @idle_ns: time without work before a queue sleeps
 * @active: queues looked at; thread only
 * @nr_active: their number; written by the thread
 * @crowded: when there were several last, ns; thread only
 * @loops: passes; written by the thread
 * @sleeps: times the thread slept; written by the thread
 * @busy_ns: time in passes with work; written by the thread
 * @idle_time_ns: time in passes without; written by the thread
 * @passed: end of the last pass, or sleep, ns; written by the thread
 * @resting: it sleeps, as nobody has anything for it; written by the thread
 * @id: number; set once
 * @cpu: where it runs; set once
 * @queues: queues placed here; vt_pollers_lock
 * @nr_queues: their number; vt_pollers_lock
 * @users: targets that name it; vt_pollers_lock
 * @callers: who wait for it to call a function, or are about to;
 *	vt_pollers_lock
 * @leaving: it is being removed, and gets no more queues; vt_pollers_lock
 * @moves: queues that came from another poller; vt_pollers_lock
 * @window: when it looked back last, ns; thread only
 * @window_busy: @busy_ns then; thread only
 * @seen_busy: @busy_ns when the watch began; balance.c, vt_pollers_lock
 * @load: busy so much of the watch, in permille; likewise
 * @rcu: wakers may still look at it
 */
struct vt_poller {
	struct task_struct *task;
	struct llist_head wake;
	struct llist_head calls;
	u64 idle_ns;
	struct list_head active ____cacheline_aligned_in_smp;
	unsigned int nr_active;
	u64 crowded;
	u64 loops;
	u64 sleeps;
	u64 busy_ns;
	u64 idle_time_ns;
	u64 passed;
	bool resting;
	u64 window;
	u64 window_busy;
	u32 id;
	unsigned int cpu;
	struct list_head queues;
	unsigned int nr_queues;
	unsigned int users;
	unsigned int callers;
	bool leaving;
	u64 moves;
	u64 seen_busy;
	u32 load;
	struct rcu_head rcu;
};

/* Protects the set of pollers and which queue is placed where. */
extern struct mutex vt_pollers_lock;
extern struct xarray vt_pollers;

/* A poller that works for so many eighths of the time is busy. */
#define VT_BUSY_EIGHTHS	6

static inline int vt_poller_node(const struct vt_poller *p)
{
	return cpu_to_node(p->cpu);
}

bool vt_poller_in_set(const struct vt_poller *p,
		      const struct vt_poller_set *set);

/* Is it unlikely to do anything soon? A driver may have put it to sleep. */
bool vt_poller_is_stuck(const struct vt_poller *p);

/*
 * Have another poller, not a leaving one, serve a queue that nobody holds;
 * vt_pollers_lock held, but given up meanwhile. May sleep.
 */
void vt_pq_move(struct vt_pq *pq, struct vt_poller *to);

/* Some poller has too much to do. Context: any. */
void vt_balance(void);
/* No more of it. May sleep. */
void vt_balance_exit(void);

#endif
