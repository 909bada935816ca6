/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine of a controller: what serves its queues.
 *
 * DOC: NVMe queues
 *
 * A completion queue with all the submission queues that use it is one
 * struct vt_queue, so that exactly one poller serves them and nothing of theirs
 * needs a lock. Admin commands may sleep: the poller only looks at the admin
 * queue's doorbells, a work item does the commands.
 *
 * Locks: n->s.lock (registers, admin commands, making and deleting queues)
 * > target->lock; n->zap_lock; n->lock (spinlock: core.regs, events and logs)
 * is innermost. The fast path takes none of them but for errors.
 */
#ifndef _VT_NVME_CTRL_H
#define _VT_NVME_CTRL_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <vhost_target/queue.h>

#include "io.h"
#include "nvme.h"
#include "ring.h"

struct nv_cq;

/**
 * struct nv_sq - an I/O submission queue
 * @r: the ring; its poller's while @running
 * @map: its mapping
 * @cq: its completion queue; NULL: the doorbell is nobody's
 * @node: on cq->sqs; poller
 * @inflight: commands not yet completed; written by the poller
 * @going: it is being stopped: what a work item does of its commands ends early
 */
struct nv_sq {
	struct nv_ring r;
	struct vt_map map;
	struct nv_cq *cq;
	struct list_head node;
	unsigned int inflight;
	bool going;
};

/**
 * struct nv_cq - an I/O completion queue, with those that submit to it
 * @q: the queue
 * @n: controller
 * @r: the ring; poller
 * @map: its mapping
 * @sqs: its submission queues, the next to look at first; poller
 * @burst: commands that may still be fetched from the first of them; poller
 * @pair: a fused pair waits for room for both; poller
 * @untold: completions since the last interrupt; poller
 * @untold_since: when the first of them came; poller
 * @vector: interrupt vector
 * @ien: interrupts are enabled
 * @awake: counted in n->awake; poller
 * @media_errors: errors of media and data; written by the poller
 * @busy_ns: time with commands under way; likewise
 * @busy_since: when the present such time began; poller
 */
struct nv_cq {
	struct vt_queue q;
	struct vt_nvme *n;
	struct nv_ring r;
	struct vt_map map;
	struct list_head sqs;
	unsigned int burst;
	unsigned int untold;
	u64 untold_since;
	u16 vector;
	bool ien;
	bool awake;
	bool pair;
	u64 media_errors;
	u64 busy_ns;
	u64 busy_since;
};

/**
 * struct nv_adminq - the admin queues
 * @pq: as pollers know it
 * @sq: submission queue; n->s.lock, as the fields below
 * @cq: completion queue
 * @sq_map: mapping of @sq
 * @cq_map: mapping of @cq
 * @a: command at work
 * @buf: its page
 * @running: they are served
 * @work: does the commands
 * @seen: doorbells that @work has seen, or was told of; poller and @work
 * @awake: counted in n->awake; poller
 * @rearms: as in struct vt_pq
 * @sleeps: likewise
 */
struct nv_adminq {
	struct vt_pq pq;
	struct nv_ring sq;
	struct nv_ring cq;
	struct vt_map sq_map;
	struct vt_map cq_map;
	struct nv_admin a;
	u8 *buf;
	bool running;
	struct work_struct work;
	u32 seen[2];
	bool awake;
	u64 rearms;
	u64 sleeps;
};

/**
 * struct vt_nvme - a controller
 * @s: session; its queues are those of @cq
 * @core: what needs no kernel
 * @door: the door's functions
 * @priv: the door's
 * @lock: see the locks above
 * @seen: struct nv_ns of the namespaces it sees, and of those that are being
 *	removed; target->lock
 * @admin: admin queues
 * @sq: I/O submission queues, by identifier - 1
 * @cq: I/O completion queues, likewise
 * @db_page: the page of doorbells
 * @db: it
 * @dbbuf: shadow doorbells are in use
 * @dbs_map: their page
 * @eis_map: the page of event indexes
 * @maps: times the door has mapped @db_page
 * @mapped: the one of them that was not taken away yet, or 0
 * @mapped_at: when that was, ns
 * @used: a queue had work since then
 * @unused: mappings in a row that were taken away unused; @zap_lock
 * @awake: queues that have had work since they last wished to sleep
 * @zap_lock: one zap at a time
 * @bad_writes: accesses that were no valid ones
 * @acts: NV_ACT_* to be done, what disables first; @lock
 * @act_work: does them
 */
struct vt_nvme {
	struct vt_session s;
	struct nv_core core;
	const struct vt_nvme_door_ops *door;
	void *priv;
	spinlock_t lock;
	struct list_head seen;
	struct nv_adminq admin;
	struct nv_sq *sq;
	struct nv_cq *cq;
	struct page *db_page;
	__le32 *db;
	bool dbbuf;
	struct vt_map dbs_map;
	struct vt_map eis_map;
	atomic_t maps;
	atomic_t mapped;
	u64 mapped_at;
	bool used;
	unsigned int unused;
	atomic_t awake;
	struct mutex zap_lock;
	atomic64_t bad_writes;
	unsigned int acts;
	struct work_struct act_work;
};

static inline struct vt_nvme *to_nvme(struct nv_core *c)
{
	return container_of(c, struct vt_nvme, core);
}

extern struct workqueue_struct *nv_wq;

/* ctrl.c */
void nv_fail(struct vt_nvme *n);

/* doorbell.c */

/* Where the doorbell of a queue is, and its shadow. */
void nv_db_init(struct vt_nvme *n, struct nv_db *db, u16 qid, bool is_cq);
/* Of a queue: may it sleep, as far as the page of doorbells is concerned? */
bool nv_doze(struct vt_nvme *n, bool *awake);
/*
 * May the driver write to the page of doorbells without anybody being told?
 * To be asked after a queue is marked as asleep, for the page may be mapped
 * between ->zap and that.
 */
static inline bool nv_db_mapped(const struct vt_nvme *n)
{
	return atomic_read(&n->mapped);
}

/* Of a queue: it has work. */
static inline void nv_rouse(struct vt_nvme *n, bool *awake)
{
	if (!*awake) {
		*awake = true;
		atomic_inc(&n->awake);
		WRITE_ONCE(n->used, true);
	}
}

/* Of a queue that is not served any more. */
static inline void nv_unrouse(struct vt_nvme *n, bool *awake)
{
	if (*awake) {
		*awake = false;
		atomic_dec(&n->awake);
	}
}

void nv_db_write(struct vt_nvme *n, u32 index, u32 val);
void nv_db_bad(struct vt_nvme *n, u32 info);
void nv_dbbuf_stop(struct vt_nvme *n);

/* ioq.c */
extern const struct vt_queue_ops nv_queue_ops;
/* Stop all I/O queues. */
void nv_io_stop(struct vt_nvme *n);
/* Is there something in an I/O completion queue that the driver must see? */
bool nv_io_level(struct vt_nvme *n);
void nv_io_set_dbs(struct vt_nvme *n);

/* resv.c */
int nv_unit_init(struct vt_unit *u);
void nv_unit_exit(struct vt_unit *u);
/* A controller begins or ceases to see a unit; target->lock held. */
int nv_ns_add(struct vt_nvme *n, struct vt_unit *u);
void nv_ns_remove(struct vt_nvme *n, struct vt_unit *u);
int nv_ns_add_all(struct vt_nvme *n);
void nv_ns_remove_all(struct vt_nvme *n);

/* slow.c */
void nv_flush_all(struct vt_nvme *n);

/* adminq.c */
int nv_admin_start(struct vt_nvme *n);
void nv_admin_stop(struct vt_nvme *n);
void nv_admin_init(struct vt_nvme *n);
bool nv_admin_level(struct vt_nvme *n);
void nv_admin_set_dbs(struct vt_nvme *n);

#endif
