/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session: one VMM (or the host itself) attached to a target.
 *
 * DOC: sessions
 *
 * A session has guest memory and queues. What kind of queues is the business
 * of whoever embeds it: struct vt_vdev for virtio devices. All queues it may
 * ever have are in @queue from before it is attached until after it is
 * detached; which of them run changes.
 *
 * Locks: session->lock (set-up, start, stop) > target->lock, and session->lock
 * > session->sync_lock > session->place_lock > pollers_lock; all mutexes. No
 * lock on the fast path. session->place_lock is taken inside the locks of
 * reservations, too; nobody waits for a request with it held.
 */
#ifndef _VHOST_TARGET_SESSION_H
#define _VHOST_TARGET_SESSION_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <vhost_target/gmem.h>
#include <vhost_target/target.h>

struct cgroup_subsys_state;
struct cred;
struct vt_backend;
struct vt_queue;
struct vt_session;
struct vt_user;

/* What happened to a unit of a running target. */
enum vt_unit_event {
	VT_UNIT_ADDED,
	VT_UNIT_REMOVED,	/* it is on no list any more, but still there */
	VT_UNIT_RESIZED,
};

/**
 * struct vt_session_ops - what a session is told; target->lock held
 * @attach: it is about to be attached; an error refuses that; may be NULL
 * @detach: it was attached until now; its queues are stopped; may be NULL
 * @unit_event: a unit changed; must not wait for I/O
 */
struct vt_session_ops {
	int (*attach)(struct vt_session *s);
	void (*detach)(struct vt_session *s);
	void (*unit_event)(struct vt_session *s, struct vt_unit *u,
			   enum vt_unit_event event);
};

/**
 * struct vt_session - a session
 * @target: attached to; reference held
 * @ops: set once
 * @gmem: guest memory; set by the door while no queue runs
 * @opener: who opened the door, whose limits count; set by the door before it
 *	is attached; NULL: whoever attaches
 * @user: who it is counted for, while attached
 * @fill_wq: where guest memory is had for queues that wait for it
 * @cmd_wq: see vt_cmd_punt(); NULL: its type has no such commands
 * @css: block cgroup charged
 * @cov: whose coverage its work is, see <vhost_target/cov.h>; 0: nobody's
 * @attached: on target->sessions
 * @to_sync: whoever removes a unit has to sync it; target->lock
 * @syncing: and does; it stays attached; target->lock
 * @nr_queues: entries of the two arrays below
 * @queue: the queues; set before it is attached
 * @stats: counters of each since the session was attached
 * @lock: see the locks above
 * @sync_lock: one vt_session_sync() at a time; inside @lock or alone
 * @place_lock: queue->running changes; inside @sync_lock
 * @copy_lock: protects @copies; innermost, interrupts off
 * @copies: requests whose data is to be copied by @copy_work
 * @copy_work: one after the other, so that a VM's take one CPU
 * @node: on target->sessions; target->lock
 */
struct vt_session {
	struct vt_target *target;
	const struct vt_session_ops *ops;
	struct vt_gmem *gmem;
	const struct cred *opener;
	struct vt_user *user;
	struct workqueue_struct *fill_wq;
	struct workqueue_struct *cmd_wq;
	struct cgroup_subsys_state *css;
	u64 cov;
	bool attached;
	bool to_sync;
	bool syncing;
	unsigned int nr_queues;
	struct vt_queue **queue;
	struct vt_qstats *stats;
	struct mutex lock;
	struct mutex sync_lock;
	struct mutex place_lock;
	spinlock_t copy_lock;
	struct list_head copies;
	struct delayed_work copy_work;
	struct list_head node;
};

/**
 * vt_session_init - set up a session, not yet attached
 * @s: zeroed
 * @t: target; a reference is taken
 * @ops: what to tell it
 * @nr_queues: queues it may have
 *
 * Context: may sleep.
 * Returns: 0 or -ENOMEM (then there is nothing to undo).
 */
int vt_session_init(struct vt_session *s, struct vt_target *t,
		    const struct vt_session_ops *ops, unsigned int nr_queues);

/* Undo vt_session_init(), detach if attached. Context: may sleep. */
void vt_session_exit(struct vt_session *s);

/**
 * vt_session_attach - claim the target
 * @s: session
 *
 * I/O is charged to the block cgroup of the calling task from here on, the
 * session and its queues to the opener.
 *
 * Context: may sleep.
 * Returns: 0, -EBUSY (someone else has it), -ENXIO (no unit), -ENOENT (it is
 * being destroyed), -EDQUOT (the opener has as much as a user may), -ENOMEM.
 */
int vt_session_attach(struct vt_session *s);

/*
 * Give the target up; all queues are stopped. Context: may sleep; the caller does
 * not hold session->sync_lock.
 */
void vt_session_detach(struct vt_session *s);

/**
 * vt_session_sync - wait for what uses dropped guest memory, or a unit
 * @s: session
 *
 * When it returns, no request picked up before the call is in flight. Does
 * not take session->lock: it is called with and without it.
 * Context: may sleep; not in a request's work item.
 */
void vt_session_sync(struct vt_session *s);

/**
 * vt_session_drain_io - wait for what was given to a backend
 * @s: session
 * @be: backend; be->resv.fence_lock is held
 *
 * When it returns, no I/O that the backend was given before the call is in
 * flight. What other backends have does not count: they may hang. Nor do
 * requests that run in work items: two of them may wait for each other's
 * sessions.
 * Context: may sleep; a request's work item, too.
 */
void vt_session_drain_io(struct vt_session *s, const struct vt_backend *be);

/**
 * vt_session_visit - run a function for each queue that runs
 * @s: session
 * @fn: function, while the queue's poller does nothing else; may not sleep
 * @arg: its argument
 *
 * When it returns, the driver sees what had been completed before the call.
 *
 * Context: may sleep; a request's work item, too.
 */
void vt_session_visit(struct vt_session *s,
		      void (*fn)(struct vt_queue *q, void *arg), void *arg);

#endif
