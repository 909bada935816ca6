// SPDX-License-Identifier: GPL-2.0
/*
 * I/O queues at work. What is above "control" runs in the poller that serves
 * the queue.
 */
#include <linux/module.h>
#include <linux/prefetch.h>

#include "ctrl.h"

/* Commands fetched from one submission queue before the next has its turn. */
#define BURST_UNLIMITED	VT_PASS_BUDGET

static struct nv_cq *to_cq(struct vt_queue *q)
{
	return container_of(q, struct nv_cq, q);
}

static unsigned int cq_burst(const struct nv_cq *cq)
{
	u32 ab = READ_ONCE(cq->n->core.feat.arbitration) & 7;

	return ab == 7 ? BURST_UNLIMITED : 1 << ab;
}

/*
 * Whatever is fetched needs a free entry when it completes. A driver that has
 * more commands under way than entries waits until it empties some. What it has
 * emptied is looked at only here, when it matters.
 */
static bool cq_has_room(struct nv_cq *cq)
{
	u32 need = cq->q.inflight + 1 + cq->pair;
	bool bad = false;

	if (likely(cq->r.size - 1 - nv_ring_used(&cq->r) >= need))
		return true;
	if (nv_cq_look(&cq->r, &bad) >= need)
		return true;
	if (bad)
		nv_db_bad(cq->n, NV_ERROR_BAD_DOORBELL);
	return false;
}

static u32 sq_look(struct nv_sq *sq)
{
	bool bad = false;
	u32 n = nv_sq_look(&sq->r, &bad);

	if (unlikely(bad))
		nv_db_bad(sq->cq->n, NV_ERROR_BAD_DOORBELL);
	return n;
}

/* Ask not to be told: the doorbells are looked at anyway. */
static void sq_quiet(struct nv_sq *sq)
{
	nv_db_arm(&sq->r.db, (u16)(sq->r.head - 1));
}

/* About to sleep, with the page mapped again: nobody would be told of work. */
static bool cq_must_look(const struct nv_cq *cq)
{
	return cq->q.armed && nv_db_mapped(cq->n);
}

static unsigned int ioq_pending(struct vt_queue *q)
{
	struct nv_cq *cq = to_cq(q);
	unsigned int n = 0;
	struct nv_sq *sq;

	if (unlikely(cq_must_look(cq)))
		return 1;

	list_for_each_entry(sq, &cq->sqs, node) {
		if (sq->r.db.event && !q->armed)
			sq_quiet(sq);
		n += sq_look(sq);
	}
	return n && cq_has_room(cq) ? n : 0;
}

/* The next submission queue that has something; in turn. */
static struct nv_sq *cq_next_sq(struct nv_cq *cq)
{
	struct nv_sq *sq = list_first_entry(&cq->sqs, struct nv_sq, node);
	struct nv_sq *first = sq;

	if (likely(cq->burst && nv_ring_used(&sq->r)))
		return sq;
	do {
		list_move_tail(&sq->node, &cq->sqs);
		cq->burst = cq_burst(cq);
		sq = list_first_entry(&cq->sqs, struct nv_sq, node);
		if (sq_look(sq))
			return sq;
	} while (sq != first);
	return NULL;
}

static void ioq_take(struct nv_cq *cq, struct nv_sq *sq, struct vt_req *req)
{
	struct vt_queue *q = &cq->q;

	nv_sq_take(&sq->r);
	if (cq->burst)
		cq->burst--;
	nv_req_cmd(req)->sq = sq;
	WRITE_ONCE(sq->inflight, sq->inflight + 1);
	nv_rouse(cq->n, &cq->awake);
	if (!q->inflight)
		cq->busy_since = q->now;
	vt_queue_take(q, req);
}

/* As nv_io_parse(); what a work item does must have room for its buffer. */
static int ioq_parse(struct nv_cq *cq, struct vt_req *req)
{
	int ret = nv_io_parse(&cq->n->core, req);
	struct vt_queue *q = &cq->q;
	u32 bytes;

	if (likely(ret != 2))
		return ret;
	bytes = nv_slow_bytes(req);
	if (q->copied && q->copied + bytes > NV_SLOW_MAX) {
		nv_req_undo(req);
		return -ENOBUFS;
	}
	req->copied = bytes;
	q->copied += bytes;
	return ret;
}

/* Is there a second half, and could both be under way? */
static bool fused_whole(struct nv_cq *cq, struct nv_sq *sq,
			struct nv_sqe *second)
{
	if (cq->q.nr_reqs < 2 || nv_ring_used(&sq->r) < 2)
		return false;
	nv_sq_peek(&sq->r, nv_ring_next(&sq->r, sq->r.head), second);
	return NV_FUSE(second->flags) == NV_FUSE_SECOND;
}

/* Map both. 0: the work item does them; 1: one of them has ended; -errno. */
static int fused_parse(struct nv_cq *cq, struct vt_req *r1, struct vt_req *r2)
{
	int ret1, ret2;

	ret1 = ioq_parse(cq, r1);
	if (ret1 < 0)
		return ret1;
	/* It shares the buffer of the first. */
	ret2 = nv_io_parse(&cq->n->core, r2);
	if (!ret2)
		ret2 = vt_req_bounce_now(r2);
	if (ret2 < 0) {
		nv_req_undo(r2);
		/* Whatever it is: it may be no Compare. */
		nv_req_undo(r1);
		return ret2;
	}
	return ret1 == 1 || ret2 == 1;
}

/* Whichever half is not to blame is aborted with the other. */
static void fused_end(struct vt_queue *q, struct vt_req *r1, struct vt_req *r2)
{
	struct nv_cmd *c1 = nv_req_cmd(r1), *c2 = nv_req_cmd(r2);

	c1->status = c1->status ?: NV_SC_FUSED_FAIL | NV_SC_DNR;
	c2->status = c2->status ?: NV_SC_FUSED_FAIL | NV_SC_DNR;
	r1->io.status = BLK_STS_IOERR;
	r2->io.status = BLK_STS_IOERR;
	vt_queue_complete(q, r1);
	vt_queue_complete(q, r2);
}

/* Two free requests; the first command is in the first of them. */
static int ioq_fetch_fused(struct nv_cq *cq, struct nv_sq *sq,
			   const struct nv_sqe *second)
{
	struct vt_queue *q = &cq->q;
	struct vt_req *r1 = q->free, *r2 = r1->next;
	struct nv_cmd *c1 = nv_req_cmd(r1);
	u16 status;
	int ret;

	if (!r2)
		return -ENOBUFS;
	cq->pair = true;
	if (!cq_has_room(cq))
		return 0;
	cq->pair = false;
	nv_req_cmd(r2)->sqe = *second;
	status = nv_io_fused(&c1->sqe, second);
	c1->sqe.flags &= ~3;
	nv_req_cmd(r2)->sqe.flags &= ~3;
	vt_req_reset(r1);
	vt_req_reset(r2);
	ret = fused_parse(cq, r1, r2);
	if (ret < 0)
		return ret;
	c1->status = c1->status ?: status;
	ioq_take(cq, sq, r1);
	ioq_take(cq, sq, r2);
	if (ret || status) {
		fused_end(q, r1, r2);
	} else {
		c1->second = r2;
		nv_slow(r1);
	}
	return 1;
}

/* Of the queue whose turn it is: most have a completion queue of their own. */
static void ioq_expect(struct vt_queue *q, unsigned int n)
{
	struct nv_cq *cq = to_cq(q);
	const struct nv_ring *r;
	u32 at;

	if (list_empty(&cq->sqs))
		return;
	r = &list_first_entry(&cq->sqs, struct nv_sq, node)->r;
	for (at = r->head; n && at != r->tail; n--, at = nv_ring_next(r, at))
		prefetch(r->entries + ((size_t)at << NV_SQE_SHIFT));
}

static int ioq_fetch(struct vt_queue *q)
{
	struct nv_cq *cq = to_cq(q);
	struct vt_req *req = q->free;
	struct nv_cmd *cmd = nv_req_cmd(req);
	/* Of use with a fused command only. */
	struct nv_sqe second __uninitialized;
	struct nv_sq *sq;
	int ret, err;

	if (list_empty(&cq->sqs) || !cq_has_room(cq))
		return 0;
	cq->pair = false;
	sq = cq_next_sq(cq);
	if (!sq)
		return 0;
	nv_sq_peek(&sq->r, sq->r.head, &cmd->sqe);
	if (unlikely(NV_FUSE(cmd->sqe.flags) == NV_FUSE_FIRST) &&
	    fused_whole(cq, sq, &second))
		return ioq_fetch_fused(cq, sq, &second);
	vt_req_reset(req);
	ret = ioq_parse(cq, req);
	if (ret == 0) {
		err = vt_req_bounce(req);
		if (err) {
			nv_req_undo(req);
			return err;
		}
	}
	if (ret < 0)
		return ret;

	ioq_take(cq, sq, req);
	if (likely(ret == 0))
		vt_queue_submit(q, req);
	else if (ret == 1)
		vt_queue_complete(q, req);
	else
		nv_slow(req);
	return 1;
}

/*
 * What counts as an error of the media or of data integrity, whoever found it:
 * Write Fault, Unrecovered Read Error, and what protection information is for.
 */
static bool is_media_error(u16 status)
{
	status &= NV_SC_MASK;
	return status >= NV_SC_WRITE_FAULT && status <= NV_SC_REF_TAG;
}

static void ioq_log_error(struct nv_cq *cq, struct vt_req *req, u16 status)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	struct nv_sq *sq = cmd->sq;

	if (is_media_error(status))
		WRITE_ONCE(cq->media_errors, cq->media_errors + 1);
	nv_error_add(&cq->n->core, sq->r.id, cmd->sqe.cid, status,
		     le32_to_cpu(cmd->sqe.nsid), cmd->lba);
}

static void ioq_complete(struct vt_queue *q, struct vt_req *req)
{
	struct nv_cq *cq = to_cq(q);
	struct nv_cmd *cmd = nv_req_cmd(req);
	struct nv_sq *sq = cmd->sq;
	struct nv_cqe e;
	u16 status;

	if (unlikely(req->io.pi))
		nv_pi_complete(req);
	status = nv_io_status(req);
	if (unlikely(status)) {
		ioq_log_error(cq, req, status);
		status |= NV_SC_MORE;
	}
	e = (struct nv_cqe) {
		.dw0 = cpu_to_le32(cmd->dw0),
		.sqhd = cpu_to_le16(sq->r.head),
		.sqid = cpu_to_le16(sq->r.id),
		.cid = cmd->sqe.cid,
		.status = cpu_to_le16(status),
	};
	nv_cq_push(&cq->r, &e);
	if (!cq->untold++)
		cq->untold_since = q->now;
	if (q->inflight == 1)
		WRITE_ONCE(cq->busy_ns, cq->busy_ns + q->now - cq->busy_since);
	WRITE_ONCE(sq->inflight, sq->inflight - 1);
}

/* Interrupt Coalescing: feature 08h, in units of 100 us; off for some by 09h. */
#define COALESCE_UNIT_NS	100000ULL

static bool cq_coalesces(const struct nv_cq *cq)
{
	const struct nv_features *f = &cq->n->core.feat;
	u32 val = READ_ONCE(f->coalesce);
	u32 thr = val & 0xff, time = val >> 8;

	if (likely(!time) || READ_ONCE(f->no_coalesce[cq->vector]))
		return false;
	return cq->untold <= thr &&
	       cq->q.now - cq->untold_since < time * COALESCE_UNIT_NS;
}

static bool ioq_publish(struct vt_queue *q)
{
	struct nv_cq *cq = to_cq(q);
	struct nv_core *c = &cq->n->core;

	if (!cq->untold)
		return false;
	if (!cq->ien) {
		cq->untold = 0;
		return false;
	}
	if (cq_coalesces(cq))
		return false;
	cq->untold = 0;
	/* By the pin the mask counts; what is held back by it is not lost. */
	return READ_ONCE(c->msix) || !(READ_ONCE(c->regs.intms) & 1);
}

static bool ioq_arm(struct vt_queue *q)
{
	struct nv_cq *cq = to_cq(q);
	struct nv_sq *sq;

	/* An interrupt that is being held back is not forgotten. */
	if (cq->untold)
		return false;
	list_for_each_entry(sq, &cq->sqs, node)
		nv_db_arm(&sq->r.db, sq->r.tail);
	/* Entries that are freed are of interest only if one is missed. */
	if (!cq_has_room(cq))
		nv_db_arm(&cq->r.db, cq->r.head);
	if (!nv_doze(cq->n, &cq->awake))
		return false;
	/* Ours pairs with the driver's, between its doorbell and event index. */
	smp_mb();
	return !ioq_pending(q);
}

/* It looks at no doorbell before something else wakes it. */
static bool ioq_doze(struct vt_queue *q)
{
	struct nv_cq *cq = to_cq(q);

	if (cq->untold)
		return false;
	nv_unrouse(cq->n, &cq->awake);
	return true;
}

static void ioq_disarm(struct vt_queue *q)
{
	struct nv_cq *cq = to_cq(q);

	nv_db_arm(&cq->r.db, (u16)(cq->r.head - 1));
}

/* Nothing that a driver does breaks a queue of ours. */
static void ioq_broke(struct vt_queue *q)
{
	nv_fail(to_cq(q)->n);
}

const struct vt_queue_ops nv_queue_ops = {
	.expect		= ioq_expect,
	.fetch		= ioq_fetch,
	.complete	= ioq_complete,
	.publish	= ioq_publish,
	.arm		= ioq_arm,
	.doze		= ioq_doze,
	.disarm		= ioq_disarm,
	.pending	= ioq_pending,
	.broke		= ioq_broke,
};

/* Control. */

static void cq_raise(void *arg)
{
	struct nv_cq *cq = arg;

	cq->n->door->raise(cq->n->priv,
			   READ_ONCE(cq->n->core.msix) ? cq->vector : 0);
}

static void ring_setup(struct vt_nvme *n, struct nv_ring *r, u16 id,
		       const struct nv_qinfo *info, const struct vt_map *map,
		       bool is_cq)
{
	nv_ring_reset(r);
	r->entries = map->addr;
	r->size = info->size;
	r->id = id;
	nv_db_init(n, &r->db, id, is_cq);
	nv_db_clear(&r->db);
}

int nv_cq_start(struct nv_core *c, u16 id)
{
	struct vt_nvme *n = to_nvme(c);
	const struct nv_qinfo *info = &c->cq[id];
	struct nv_cq *cq = &n->cq[id - 1];
	int err;

	lockdep_assert_held(&n->s.lock);
	err = vt_gmem_map(n->s.gmem, info->base, info->size << NV_CQE_SHIFT,
			  true, &cq->map);
	if (err)
		return err;
	err = vt_queue_alloc(&cq->q, info->size - 1, sizeof(struct nv_cmd));
	if (err) {
		vt_map_undo(&cq->map);
		return err;
	}
	ring_setup(n, &cq->r, id, info, &cq->map, true);
	INIT_LIST_HEAD(&cq->sqs);
	cq->burst = 0;
	cq->pair = false;
	cq->untold = 0;
	cq->vector = info->vector;
	cq->ien = info->ien;
	cq->awake = false;
	cq->q.call = (struct vt_notify) { .fn = cq_raise, .arg = cq };
	vt_queue_start(&cq->q);
	return 0;
}

void nv_cq_stop(struct nv_core *c, u16 id)
{
	struct vt_nvme *n = to_nvme(c);
	struct nv_cq *cq = &n->cq[id - 1];

	lockdep_assert_held(&n->s.lock);
	vt_queue_stop(&cq->q);
	nv_unrouse(n, &cq->awake);
	vt_queue_free(&cq->q);
	vt_map_undo(&cq->map);
}

static void sq_add_fn(void *arg)
{
	struct nv_sq *sq = arg;

	list_add_tail(&sq->node, &sq->cq->sqs);
}

int nv_sq_start(struct nv_core *c, u16 id)
{
	struct vt_nvme *n = to_nvme(c);
	const struct nv_qinfo *info = &c->sq[id];
	struct nv_sq *sq = &n->sq[id - 1];
	struct nv_cq *cq = &n->cq[info->cqid - 1];
	int err;

	lockdep_assert_held(&n->s.lock);
	err = vt_gmem_map(n->s.gmem, info->base, info->size << NV_SQE_SHIFT,
			  false, &sq->map);
	if (err)
		return err;
	ring_setup(n, &sq->r, id, info, &sq->map, false);
	sq->inflight = 0;
	WRITE_ONCE(sq->going, false);
	WRITE_ONCE(sq->cq, cq);
	vt_queue_run(&cq->q, sq_add_fn, sq);
	/* Its doorbell counts from here on: let it be looked at. */
	vt_pq_wake(&cq->q.pq);
	return 0;
}

static void sq_del_fn(void *arg)
{
	struct nv_sq *sq = arg;

	list_del_init(&sq->node);
}

void nv_sq_stop(struct nv_core *c, u16 id)
{
	struct vt_nvme *n = to_nvme(c);
	struct nv_sq *sq = &n->sq[id - 1];
	struct vt_queue *q = &sq->cq->q;

	lockdep_assert_held(&n->s.lock);
	WRITE_ONCE(sq->going, true);
	atomic_inc(&q->waiters);
	vt_queue_run(q, sq_del_fn, sq);
	wait_event(q->idle_wait, !READ_ONCE(sq->inflight));
	atomic_dec(&q->waiters);
	WRITE_ONCE(sq->cq, NULL);
	vt_map_undo(&sq->map);
}

/* All at once: nothing more is fetched, whatever was is waited for. */
void nv_io_stop(struct vt_nvme *n)
{
	struct nv_core *c = &n->core;
	unsigned int i;

	/* What is long ends early in all of them. */
	for (i = 1; i <= NV_MAX_QUEUES; i++)
		if (c->sq[i].used)
			WRITE_ONCE(n->sq[i - 1].going, true);
	for (i = 1; i <= NV_MAX_QUEUES; i++) {
		if (!c->sq[i].used)
			continue;
		nv_sq_stop(c, i);
		c->sq[i].used = false;
	}
	for (i = 1; i <= NV_MAX_QUEUES; i++) {
		if (!c->cq[i].used)
			continue;
		nv_cq_stop(c, i);
		c->cq[i].used = false;
	}
}

static bool cq_level(const struct nv_cq *cq)
{
	return cq->ien && nv_db_read(&cq->r.db) != READ_ONCE(cq->r.tail);
}

bool nv_io_level(struct vt_nvme *n)
{
	unsigned int i;

	for (i = 1; i <= NV_MAX_QUEUES; i++)
		if (n->core.cq[i].used && cq_level(&n->cq[i - 1]))
			return true;
	return false;
}

/* What the doorbells say at this moment is where the shadows start. */
static void ring_set_db(struct vt_nvme *n, struct nv_ring *r, bool is_cq)
{
	u32 val = nv_db_read(&r->db);

	nv_db_init(n, &r->db, r->id, is_cq);
	if (r->db.shadow)
		WRITE_ONCE(*r->db.shadow, cpu_to_le32(val));
	nv_db_arm(&r->db, val);
}

static void cq_set_dbs_fn(void *arg)
{
	struct nv_cq *cq = arg;
	struct nv_sq *sq;

	ring_set_db(cq->n, &cq->r, true);
	list_for_each_entry(sq, &cq->sqs, node)
		ring_set_db(cq->n, &sq->r, false);
}

void nv_io_set_dbs(struct vt_nvme *n)
{
	unsigned int i;

	for (i = 1; i <= NV_MAX_QUEUES; i++)
		if (n->core.cq[i].used)
			vt_queue_run(&n->cq[i - 1].q, cq_set_dbs_fn,
				     &n->cq[i - 1]);
}
