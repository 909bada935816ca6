// SPDX-License-Identifier: GPL-2.0
/*
 * Task management functions: SAM-5, 7; virtio 1.2, 5.6.6.2.
 *
 * Tasks are the commands that were taken off the request queues and have not
 * ended. They are found in the queues' pools while the poller stands still. So
 * first all commands are waited for that were on the queues' rings when the
 * function came: else they would run after it has ended.
 * What was given to a backend cannot be taken back: an aborted task is marked
 * and waited for. No task waits for a task management function, so this ends;
 * see scsi.h for the work items.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>

#include <vhost_target/cov.h>

#include "scsi.h"

/**
 * struct tmf_select - some tasks of a session, and what becomes of them
 * @itl: of this logical unit; NULL: all
 * @by_tag: only the one with @tag
 * @tag: of a task
 * @abort: VIRTIO_SCSI_S_* they shall end with; 0: nothing happens to them
 * @found: how many there are
 */
struct tmf_select {
	struct scsi_itl *itl;
	bool by_tag;
	u64 tag;
	u8 abort;
	unsigned int found;
};

static void tmf_abort_task(struct scsi_session *ss, struct scsi_req *sr,
			   u8 response)
{
	if (sr->aborting)
		return;
	sr->response = response;
	sr->aborting = true;
	atomic_inc(&ss->aborting);
	if (sr->task.itl)
		atomic_inc(&sr->task.itl->aborting);
	WRITE_ONCE(sr->task.aborted, true);
}

/* The request is in flight still: what it is counted in stays. */
void scsi_tmf_task_ended(struct scsi_session *ss, struct scsi_req *sr)
{
	struct scsi_itl *itl = sr->task.itl;
	bool last = atomic_dec_and_test(&ss->aborting);

	if (itl && atomic_dec_and_test(&itl->aborting))
		last = true;
	if (last)
		wake_up_all(&ss->abort_wait);
}

/* The queue's poller stands still. */
static void tmf_visit_queue(struct vt_queue *q, void *arg)
{
	struct scsi_session *ss = scsi_session(q);
	unsigned int i, left = q->inflight;
	struct tmf_select *s = arg;

	if (q->index < SCSI_CTL_QUEUES)
		return;
	for (i = 0; left && i < q->nr_reqs; i++) {
		struct vt_req *req = vt_queue_req(q, i);
		struct scsi_req *sr = scsi_req(req);

		if (!req->taken)
			continue;
		left--;
		if ((s->itl && sr->task.itl != s->itl) ||
		    (s->by_tag && sr->tag != s->tag))
			continue;
		s->found++;
		if (s->abort)
			tmf_abort_task(ss, sr, s->abort);
	}
}

/* Returns: how many tasks there are, or were marked as aborted. */
static unsigned int tmf_mark(struct scsi_session *ss, struct tmf_select *s)
{
	vt_session_visit(&ss->vdev->s, tmf_visit_queue, s);
	return s->found;
}

static void tmf_show_queue(struct vt_queue *q, void *arg)
{
}

/*
 * For what was marked as aborted, and is counted there. Drivers free a command
 * once its abort has ended: they must have seen its end before.
 */
static void tmf_wait(struct scsi_session *ss, const atomic_t *aborting)
{
	wait_event(ss->abort_wait, !atomic_read(aborting));
	vt_session_visit(&ss->vdev->s, tmf_show_queue, NULL);
}

/* What the session has on other units may never end: that is not waited for. */
static void tmf_wait_itl(struct scsi_itl *itl)
{
	tmf_wait(scsi_nexus_session(itl->nexus), &itl->aborting);
}

static u8 tmf_abort(struct scsi_session *ss, const struct scsi_tmf *tmf,
		    bool by_tag)
{
	struct tmf_select s = {
		.itl = tmf->itl, .by_tag = by_tag, .tag = tmf->tag,
		.abort = VIRTIO_SCSI_S_ABORTED,
	};

	if (tmf_mark(ss, &s))
		tmf_wait_itl(tmf->itl);
	return VIRTIO_SCSI_S_OK;
}

static u8 tmf_query(struct scsi_session *ss, const struct scsi_tmf *tmf,
		    bool by_tag)
{
	struct tmf_select s = {
		.itl = tmf->itl, .by_tag = by_tag, .tag = tmf->tag,
	};

	return tmf_mark(ss, &s) ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED :
	       VIRTIO_SCSI_S_OK;
}

/*
 * @who asked for it: its tasks end with @response, and it needs no unit
 * attention. To others it is a reset (5.6.6.1): drivers send those again, while
 * what they did not abort themselves and ends as aborted is an error to them.
 */
static void tmf_abort_unit(struct scsi_unit *su, const struct scsi_itl *who,
			   u8 response)
{
	struct scsi_itl *itl;

	list_for_each_entry(itl, &su->lu.itls, lu_node) {
		struct tmf_select s = {
			.itl = itl,
			.abort = itl == who ? response : VIRTIO_SCSI_S_RESET,
		};

		if (tmf_mark(scsi_nexus_session(itl->nexus), &s) &&
		    response == VIRTIO_SCSI_S_ABORTED && itl != who)
			scsi_ua_raise(itl, SCSI_UA_COMMANDS_CLEARED);
	}
}

static void tmf_wait_unit(struct scsi_unit *su)
{
	struct scsi_itl *itl;

	list_for_each_entry(itl, &su->lu.itls, lu_node)
		tmf_wait_itl(itl);
}

/*
 * The tasks of all sessions on a disk; tmf_lock keeps them. All are marked
 * before one is waited for: none goes on for as long as another lasts.
 */
static void tmf_abort_all(struct scsi_disk *d, const struct scsi_itl *who,
			  u8 response)
{
	struct scsi_unit *su;

	lockdep_assert_held(&d->tmf_lock);
	list_for_each_entry(su, &d->units, disk_node)
		tmf_abort_unit(su, who, response);
	list_for_each_entry(su, &d->units, disk_node)
		tmf_wait_unit(su);
}

static u8 tmf_clear_task_set(struct scsi_itl *itl)
{
	struct scsi_disk *d = scsi_lu_unit(itl->lu)->disk;

	mutex_lock(&d->tmf_lock);
	tmf_abort_all(d, itl, VIRTIO_SCSI_S_ABORTED);
	mutex_unlock(&d->tmf_lock);
	return VIRTIO_SCSI_S_OK;
}

static u8 tmf_lu_reset(struct scsi_itl *itl)
{
	struct scsi_disk *d = scsi_lu_unit(itl->lu)->disk;
	struct scsi_unit *su;

	mutex_lock(&d->tmf_lock);
	tmf_abort_all(d, itl, VIRTIO_SCSI_S_RESET);
	list_for_each_entry(su, &d->units, disk_node)
		scsi_lu_reset(&su->lu, SCSI_UA_LU_RESET);
	mutex_unlock(&d->tmf_lock);
	return VIRTIO_SCSI_S_OK;
}

static u8 tmf_nexus_reset(struct scsi_session *ss)
{
	struct tmf_select s = { .abort = VIRTIO_SCSI_S_RESET };

	if (tmf_mark(ss, &s))
		tmf_wait(ss, &ss->aborting);
	scsi_ua_raise_nexus(&ss->nexus, NULL, SCSI_UA_NEXUS_LOSS);
	return VIRTIO_SCSI_S_OK;
}

static u8 tmf_do(struct scsi_session *ss, const struct scsi_tmf *tmf)
{
	if (tmf->subtype == VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET)
		return tmf_nexus_reset(ss);
	if (!tmf->itl)
		return VIRTIO_SCSI_S_INCORRECT_LUN;
	switch (tmf->subtype) {
	case VIRTIO_SCSI_T_TMF_ABORT_TASK:
		return tmf_abort(ss, tmf, true);
	case VIRTIO_SCSI_T_TMF_ABORT_TASK_SET:
		return tmf_abort(ss, tmf, false);
	case VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET:
		return tmf_clear_task_set(tmf->itl);
	case VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET:
		return tmf_lu_reset(tmf->itl);
	case VIRTIO_SCSI_T_TMF_QUERY_TASK:
		return tmf_query(ss, tmf, true);
	case VIRTIO_SCSI_T_TMF_QUERY_TASK_SET:
		return tmf_query(ss, tmf, false);
	default:
		/* CLEAR ACA too: NormACA is not offered. */
		return VIRTIO_SCSI_S_FUNCTION_REJECTED;
	}
}

/*
 * How often to look whether commands were taken off the rings, and how long to
 * sleep in between. They wait for memory of the VMM's at the worst, which may
 * itself have to wait for what is in flight, the function included.
 */
#define TMF_LOOKS	10000
#define TMF_LOOK_US	1000

/**
 * struct tmf_fetch - wait for what is on the rings
 * @first: it begins: all that is there now is waited for
 * @ends: the session does; nobody waits for anything any more
 * @left: queues that have some of it left
 */
struct tmf_fetch {
	bool first;
	bool ends;
	unsigned int left;
};

/* Commands that were ever taken off its ring. */
static u64 queue_fetched(const struct vt_queue *q)
{
	u64 n = q->inflight;
	unsigned int i;

	for (i = 0; i < VHOST_TARGET_OP_CLASSES; i++)
		n += q->st->ops[i];
	return n;
}

/* The queue's poller stands still. A ring holds no more than its pool does. */
static void tmf_fetch_queue(struct vt_queue *q, void *arg)
{
	u64 *until = &scsi_session(q)->fetched[q->index];
	struct tmf_fetch *f = arg;

	if (q->index < SCSI_CTL_QUEUES) {
		f->ends |= q->stopping;
		return;
	}
	if (q->stopping || q->broken || !q->ops->pending(q))
		*until = 0;
	else if (f->first)
		*until = queue_fetched(q) + q->nr_reqs;
	else if (queue_fetched(q) >= *until)
		*until = 0;
	if (!*until)
		return;
	f->left++;
	/* The driver need not have kicked. */
	vt_queue_nudge(q);
}

/* Returns: have all commands become tasks? */
static bool tmf_fetch(struct scsi_session *ss)
{
	struct tmf_fetch f = { .first = true };
	unsigned int i;

	memset(ss->fetched, 0, ss->vdev->nvqs * sizeof(*ss->fetched));
	for (i = 0; i < TMF_LOOKS; i++) {
		f.left = 0;
		vt_session_visit(&ss->vdev->s, tmf_fetch_queue, &f);
		if (!f.left || f.ends)
			return true;
		f.first = false;
		fsleep(TMF_LOOK_US);
	}
	return false;
}

/* One session's may wait long: no other session's wait behind them. */
static struct workqueue_struct *tmf_wq;

int scsi_tmf_init(void)
{
	tmf_wq = alloc_workqueue("vhost-scsi-tmf", WQ_UNBOUND | WQ_MEM_RECLAIM,
				 WQ_MAX_ACTIVE);
	return tmf_wq ? 0 : -ENOMEM;
}

void scsi_tmf_exit(void)
{
	destroy_workqueue(tmf_wq);
}

void scsi_tmf_execute(struct vt_req *req)
{
	struct scsi_session *ss = scsi_session(req->q);

	llist_add(&scsi_req(req)->tmf.node, &ss->tmfs);
	queue_work(tmf_wq, &ss->tmf_work);
}

void scsi_tmf_work(struct work_struct *work)
{
	struct scsi_session *ss = container_of(work, struct scsi_session,
					       tmf_work);
	u64 cov = vt_cov_begin(&ss->vdev->s);
	struct scsi_req *sr, *tmp;
	struct llist_node *list;
	bool fetched;

	list = llist_reverse_order(llist_del_all(&ss->tmfs));
	fetched = tmf_fetch(ss);
	llist_for_each_entry_safe(sr, tmp, list, tmf.node) {
		/* A driver must not reuse what is still on a ring. */
		sr->response = fetched ? tmf_do(ss, &sr->tmf) :
			       VIRTIO_SCSI_S_FAILURE;
		vt_io_end(&scsi_to_vt_req(sr)->io, BLK_STS_OK);
	}
	vt_cov_end(cov);
}
