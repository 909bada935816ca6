// SPDX-License-Identifier: GPL-2.0
/* Control and event queue, task management, configuration space. */
#include <string.h>

#include "vscsi_bed.h"

/* A TMF request: its response code. */
static u8 tmf_on(struct vbed *v, u32 subtype, const u8 lun[8], u64 tag)
{
	struct virtio_scsi_ctrl_tmf_req r = {
		.type = VIRTIO_SCSI_T_TMF, .subtype = subtype, .tag = tag,
	};
	u8 response;
	int ret;

	memcpy(r.lun, lun, 8);
	bed_reset(v->b);
	bed_out(v->b, &r, sizeof(r));
	bed_in(v->b, 1);
	ret = vbed_parse(v, SCSI_VQ_CONTROL);
	if (!EXPECT(ret == 1 || ret == 2))
		return 0xff;
	if (ret == 2)
		vbed_execute(v);
	scsi_control_complete(&v->b->req);
	scsi_resp_free(&vbed_req(v)->resp);
	EXPECT_EQ(1, v->b->req.used_len);
	vbed_seen(v, 0, &response, 1);
	return response;
}

static u8 tmf(struct vbed *v, u32 subtype, u64 tag)
{
	return tmf_on(v, subtype, VBED_LUN_FIELD(0), tag);
}

/* Whoever waits for aborted tasks finds them ended, one by one. */
static struct vbed *waiting[2];
static unsigned int visits_when_ended;
/* But for those of its, which do not end. */
static const struct scsi_itl *hung;

static bool end_task(struct vbed *v)
{
	unsigned int i;

	for (i = 0; v && i < VBED_POOL; i++) {
		struct vt_req *req = vt_queue_req(&v->vqs[2].q, i);
		struct scsi_req *sr = scsi_req(req);

		if (!req->taken || !sr->aborting ||
		    (hung && sr->task.itl == hung))
			continue;
		EXPECT(sr->task.aborted);
		scsi_tmf_task_ended(&v->ss, sr);
		vbed_task_end(sr);
		return true;
	}
	return false;
}

static void end_tasks(void)
{
	if (end_task(waiting[0]) || end_task(waiting[1]))
		visits_when_ended = vbed_visits;
}

static void wait_on(struct vbed *v, struct vbed *other)
{
	waiting[0] = v;
	waiting[1] = other;
	shim_on_wait = end_tasks;
}

TEST(tmf_query, "TMF: QUERY TASK and QUERY TASK SET find what is in flight")
{
	struct vbed *v = vbed_new();
	struct scsi_req *sr = vbed_task(v, 1, &v->itl[0], 77);

	vbed_task(v, 2, &v->itl[1], 88);
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_SUCCEEDED,
		  tmf(v, VIRTIO_SCSI_T_TMF_QUERY_TASK, 77));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, VIRTIO_SCSI_T_TMF_QUERY_TASK, 78));
	/* Of another logical unit. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, VIRTIO_SCSI_T_TMF_QUERY_TASK, 88));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_SUCCEEDED,
		  tmf(v, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0));
	EXPECT(!sr->task.aborted);
	vbed_task_end(sr);
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf(v, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0));
	vbed_free(v);
}

static struct vbed *behind;
static unsigned int looks;

/* A chain comes off the ring, and the device has it. */
static void take_it(void)
{
	if (++looks != 3)
		return;
	vbed_task(behind, 1, &behind->itl[0], 77);
	vbed_pending = 0;
	wait_on(behind, NULL);
}

/* As take_it(), of another command; and then there is always one more. */
static void take_others(void)
{
	behind->vqs[2].q.st->ops[VHOST_TARGET_OP_READ]++;
	looks++;
}

static void stop_it(void)
{
	if (++looks == 3)
		behind->vqs[SCSI_VQ_CONTROL].q.stopping = true;
}

static void break_it(void)
{
	if (++looks == 3)
		behind->vqs[2].q.broken = true;
}

static struct vbed *pending_with(void (*on_wait)(void))
{
	behind = vbed_new();
	looks = 0;
	vbed_pending = 1;
	shim_on_wait = on_wait;
	return behind;
}

TEST(tmf_on_ring, "TMF: commands that are still on a ring are waited for")
{
	struct vbed *v = pending_with(take_it);

	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, VIRTIO_SCSI_T_TMF_ABORT_TASK, 77));
	EXPECT_EQ(3, looks);
	EXPECT(v->vqs[2].q.nudged);
	EXPECT_EQ(VIRTIO_SCSI_S_ABORTED,
		  scsi_req(vt_queue_req(&v->vqs[2].q, 1))->response);
	vbed_free(v);

	/* A ring has as many as its pool, then it is those that came later. */
	v = pending_with(take_others);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, VIRTIO_SCSI_T_TMF_ABORT_TASK, 77));
	EXPECT_EQ(VBED_POOL, looks);
	vbed_free(v);
	vbed_pending = 0;
}

TEST(tmf_stuck, "TMF: what is stuck on a ring makes it fail, unless all ends")
{
	struct vbed *v = pending_with(NULL);

	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
		  tmf(v, VIRTIO_SCSI_T_TMF_ABORT_TASK, 77));
	vbed_free(v);
	v = pending_with(stop_it);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, VIRTIO_SCSI_T_TMF_ABORT_TASK, 77));
	EXPECT_EQ(3, looks);
	vbed_free(v);
	v = pending_with(break_it);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, VIRTIO_SCSI_T_TMF_ABORT_TASK, 77));
	EXPECT_EQ(3, looks);
	vbed_free(v);
	vbed_pending = 0;
}

TEST(tmf_few, "TMF: of a queue's requests, no more are looked at than are in flight")
{
	struct vbed *v = vbed_new();
	struct vt_queue *q = &v->vqs[2].q;
	struct scsi_req *sr = vbed_task(v, 1, &v->itl[0], 77);

	/* There is no memory for so many. */
	q->nr_reqs = 1 << 20;
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_SUCCEEDED,
		  tmf(v, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0));
	vbed_task_end(sr);
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf(v, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0));
	vbed_free(v);
}

TEST(tmf_abort_task, "TMF: ABORT TASK ends one task")
{
	struct vbed *v = vbed_new();
	struct scsi_req *a = vbed_task(v, 0, &v->itl[0], 1);
	struct scsi_req *b = vbed_task(v, 1, &v->itl[0], 2);

	wait_on(v, NULL);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, VIRTIO_SCSI_T_TMF_ABORT_TASK, 2));
	EXPECT(!a->task.aborted && b->task.aborted);
	EXPECT_EQ(VIRTIO_SCSI_S_ABORTED, b->response);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, a->response);
	/* There is none such (any more): that is no error. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, VIRTIO_SCSI_T_TMF_ABORT_TASK, 2));
	EXPECT(!a->task.aborted);
	vbed_free(v);
}

TEST(tmf_shown, "TMF: the driver sees the end of a task before that of its abort")
{
	static const u32 subtype[] = {
		VIRTIO_SCSI_T_TMF_ABORT_TASK, VIRTIO_SCSI_T_TMF_ABORT_TASK_SET,
		VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET,
		VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
		VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET,
	};
	struct vbed *v = vbed_new();
	unsigned int i;

	wait_on(v, NULL);
	for (i = 0; i < 5; i++) {
		vbed_task(v, 0, &v->itl[0], 1);
		visits_when_ended = 0;
		EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf(v, subtype[i], 1));
		EXPECT(visits_when_ended);
		EXPECT(vbed_visits > visits_when_ended);
	}
	vbed_free(v);
}

TEST(tmf_abort_set, "TMF: ABORT TASK SET ends the session's tasks on a unit")
{
	struct vbed *v = vbed_new();
	struct scsi_req *a = vbed_task(v, 0, &v->itl[0], 1);
	struct scsi_req *b = vbed_task(v, 1, &v->itl[0], 2);
	struct scsi_req *c = vbed_task(v, 2, &v->itl[1], 3);

	wait_on(v, NULL);
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf(v, VIRTIO_SCSI_T_TMF_ABORT_TASK_SET, 0));
	EXPECT(a->task.aborted && b->task.aborted && !c->task.aborted);
	EXPECT_EQ(0, atomic_read(&v->itl[0].ua));
	vbed_free(v);
}

/* A second session of the first one's logical unit. */
static struct vbed *second(struct vbed *v)
{
	struct vbed *w = vbed_new();

	scsi_itl_detach(&w->itl[0]);
	scsi_itl_attach(&w->itl[0], &w->ss.nexus, &v->su[0].lu);
	atomic_set(&w->itl[0].ua, 0);
	return w;
}

static void free_both(struct vbed *v, struct vbed *w)
{
	vbed_free(w);
	vbed_free(v);
}

/*
 * CLEAR TASK SET by @v ends the tasks of both on what they share, and none of
 * @w's elsewhere; @w is told.
 */
static void expect_cleared(struct vbed *v, struct vbed *w)
{
	struct scsi_req *a = vbed_task(v, 0, &v->itl[0], 1);
	struct scsi_req *b = vbed_task(w, 0, &w->itl[0], 1);
	struct scsi_req *c = vbed_task(w, 1, &w->itl[1], 2);

	wait_on(v, w);
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf(v, VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET, 0));
	EXPECT(a->task.aborted && b->task.aborted && !c->task.aborted);
	EXPECT_EQ(VIRTIO_SCSI_S_ABORTED, a->response);
	EXPECT_EQ(VIRTIO_SCSI_S_RESET, b->response);
	EXPECT_EQ(0, atomic_read(&v->itl[0].ua));
	EXPECT_EQ(BIT(SCSI_UA_COMMANDS_CLEARED), atomic_read(&w->itl[0].ua));
	atomic_set(&w->itl[0].ua, 0);
}

/* LOGICAL UNIT RESET by @v ends @w's task, tells both, and sets defaults. */
static void expect_reset(struct vbed *v, struct vbed *w)
{
	struct scsi_req *task = vbed_task(w, 0, &w->itl[0], 3);

	v->su[0].lu.d_sense = true;
	w->su[0].lu.d_sense = true;
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf(v, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0));
	EXPECT_EQ(VIRTIO_SCSI_S_RESET, task->response);
	EXPECT_EQ(BIT(SCSI_UA_LU_RESET), atomic_read(&v->itl[0].ua));
	EXPECT_EQ(BIT(SCSI_UA_LU_RESET), atomic_read(&w->itl[0].ua));
	EXPECT_EQ(0, atomic_read(&v->itl[1].ua));
	EXPECT_EQ(0, atomic_read(&w->itl[1].ua));
	EXPECT(!v->su[0].lu.d_sense);
}

TEST(tmf_clear, "TMF: CLEAR TASK SET ends everybody's tasks, and tells the others")
{
	struct vbed *v = vbed_new(), *w = second(v);

	expect_cleared(v, w);
	/* Who had no task there is not told. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf(v, VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET, 0));
	EXPECT_EQ(0, atomic_read(&w->itl[0].ua));
	free_both(v, w);
}

TEST(tmf_lu_reset, "TMF: LOGICAL UNIT RESET ends all tasks and sets defaults")
{
	struct vbed *v = vbed_new(), *w = second(v);
	struct scsi_req *a = vbed_task(v, 0, &v->itl[0], 1);

	wait_on(v, w);
	expect_reset(v, w);
	EXPECT_EQ(VIRTIO_SCSI_S_RESET, a->response);
	free_both(v, w);
}

/* Another target's session: its logical unit stands on the same backend. */
static struct vbed *sharer(struct vbed *v)
{
	struct vbed *w = vbed_new();

	list_del(&w->su[0].disk_node);
	list_add_tail(&w->su[0].disk_node, &v->su[0].disk->units);
	w->su[0].disk = v->su[0].disk;
	return w;
}

TEST(tmf_shared, "TMF: of a backend, it reaches the tasks of other targets")
{
	struct vbed *v = vbed_new(), *w = sharer(v);

	expect_cleared(v, w);
	expect_reset(v, w);
	EXPECT(!w->su[0].lu.d_sense);
	free_both(v, w);
}

static struct vbed *apart[2];
static unsigned int nr_apart;

/* The second one waits for a disk of its own; of the other both have tasks. */
static void reset_meanwhile(void)
{
	struct vbed *v = apart[0], *w = apart[1];

	if (nr_apart++) {
		hung = NULL;
		end_tasks();
		return;
	}
	hung = &w->itl[1];
	expect_cleared(v, w);
	expect_reset(v, w);
	EXPECT_EQ(1, atomic_read(&w->itl[1].aborting));
	shim_on_wait = reset_meanwhile;
}

TEST(tmf_apart, "TMF: on a disk it waits for no task that was aborted on another")
{
	struct vbed *v = vbed_new(), *w = second(v);
	struct scsi_req *a = vbed_task(w, 3, &w->itl[1], 5);

	apart[0] = v;
	apart[1] = w;
	nr_apart = 0;
	shim_on_wait = reset_meanwhile;
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf_on(w, VIRTIO_SCSI_T_TMF_ABORT_TASK,
			 VBED_LUN_FIELD(0x4000 | VBED_LUN_FLAT), 5));
	EXPECT_EQ(2, nr_apart);
	EXPECT_EQ(VIRTIO_SCSI_S_ABORTED, a->response);
	EXPECT_EQ(0, atomic_read(&w->itl[1].aborting));
	free_both(v, w);
}

TEST(tmf_nexus_reset, "TMF: I_T NEXUS RESET ends all tasks of the session")
{
	struct vbed *v = vbed_new(), *w = second(v);
	struct scsi_req *a = vbed_task(v, 0, &v->itl[0], 1);
	struct scsi_req *b = vbed_task(v, 1, &v->itl[1], 1);
	struct scsi_req *c = vbed_task(w, 0, &w->itl[0], 1);
	/* A LUN at which nothing is has tasks, too. */
	struct scsi_req *d = vbed_task(v, 2, NULL, 1);

	wait_on(v, w);
	/* The LUN does not matter. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf_on(v, VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET,
			 VBED_LUN_FIELD(99), 0));
	EXPECT_EQ(VIRTIO_SCSI_S_RESET, a->response);
	EXPECT_EQ(VIRTIO_SCSI_S_RESET, b->response);
	EXPECT_EQ(VIRTIO_SCSI_S_RESET, d->response);
	/* It has waited for all of them. */
	EXPECT_EQ(0, v->vqs[2].q.inflight);
	EXPECT(!c->task.aborted);
	EXPECT_EQ(BIT(SCSI_UA_NEXUS_LOSS), atomic_read(&v->itl[0].ua));
	EXPECT_EQ(BIT(SCSI_UA_NEXUS_LOSS), atomic_read(&v->itl[1].ua));
	EXPECT_EQ(0, atomic_read(&w->itl[0].ua));
	free_both(v, w);
}

TEST(tmf_refused, "TMF: what there is not is refused, each with its response")
{
	struct vbed *v = vbed_new();
	u32 subtype;

	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED,
		  tmf(v, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED, tmf(v, 8, 0));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED, tmf(v, 0xffffffff, 0));
	for (subtype = 0; subtype < 8; subtype++) {
		EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET,
			  tmf_on(v, subtype, (const u8[8]){ 1, 3 }, 0));
		if (subtype != VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET)
			EXPECT_EQ(VIRTIO_SCSI_S_INCORRECT_LUN,
				  tmf_on(v, subtype, VBED_LUN_FIELD(9), 0));
	}
	vbed_free(v);
}

TEST(tmf_response, "TMF: an aborted command says so, whatever it came to")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;
	struct scsi_req *sr = vbed_req(v);

	vbed_chain(v, READ10(0, 1), 0, 512);
	ASSERT_EQ(0, vbed_parse(v, 2));
	sr->response = VIRTIO_SCSI_S_ABORTED;
	sr->aborting = true;
	sr->task.aborted = true;
	atomic_inc(&v->ss.aborting);
	atomic_inc(&v->itl[0].aborting);
	r = vbed_complete(v, BLK_STS_IOERR);
	EXPECT_EQ(VIRTIO_SCSI_S_ABORTED, r.response);
	EXPECT_EQ(0, r.status);
	EXPECT_EQ(0, r.sense_len);
	EXPECT_EQ(0, atomic_read(&v->ss.aborting));
	EXPECT_EQ(0, atomic_read(&v->itl[0].aborting));
	vbed_free(v);
}

/* What @len bytes of @req are answered with in a buffer of @in bytes. */
static int control(struct vbed *v, const void *req, u32 len, u32 in, void *resp)
{
	int ret;

	bed_reset(v->b);
	bed_out(v->b, req, len);
	bed_in(v->b, in);
	ret = vbed_parse(v, SCSI_VQ_CONTROL);
	if (ret < 0)
		return ret;
	scsi_control_complete(&v->b->req);
	scsi_resp_free(&vbed_req(v)->resp);
	vbed_seen(v, 0, resp, v->b->req.used_len);
	return v->b->req.used_len;
}

TEST(control_an, "control: asynchronous notifications are none")
{
	struct virtio_scsi_ctrl_an_req r = {
		.type = VIRTIO_SCSI_T_AN_QUERY, .lun = { 1 },
		.event_requested = 0xffffffff,
	};
	struct virtio_scsi_ctrl_an_resp resp;
	struct vbed *v = vbed_new();

	for (; r.type <= VIRTIO_SCSI_T_AN_SUBSCRIBE; r.type++) {
		memset(&resp, 0xee, sizeof(resp));
		ASSERT_EQ(5, control(v, &r, sizeof(r), 16, &resp));
		EXPECT_EQ(0, resp.event_actual);
		EXPECT_EQ(VIRTIO_SCSI_S_OK, resp.response);
	}
	r.type = VIRTIO_SCSI_T_AN_QUERY;
	r.lun[0] = 7;
	ASSERT_EQ(5, control(v, &r, sizeof(r), 5, &resp));
	EXPECT_EQ(VIRTIO_SCSI_S_BAD_TARGET, resp.response);
	vbed_free(v);
}

TEST(control_bad, "control: requests that are short, unknown or cannot be answered")
{
	struct virtio_scsi_ctrl_tmf_req r = { .lun = { 1 } };
	struct vbed *v = vbed_new();
	u32 unknown = 3, len, an = VIRTIO_SCSI_T_AN_QUERY;
	u8 resp[16];

	for (len = 1; len < sizeof(r); len++) {
		ASSERT_EQ(1, control(v, &r, len, 1, resp));
		EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, resp[0]);
	}
	ASSERT_EQ(1, control(v, &an, sizeof(an), 5, resp));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, resp[0]);
	ASSERT_EQ(1, control(v, &unknown, sizeof(unknown), 1, resp));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED, resp[0]);
	EXPECT_EQ(-EPROTO, control(v, &r, sizeof(r), 0, resp));

	bed_reset(v->b);
	bed_nowhere(v->b, false, sizeof(r));
	bed_in(v->b, 1);
	EXPECT_EQ(1, vbed_parse(v, SCSI_VQ_CONTROL));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, vbed_req(v)->response);
	bed_reset(v->b);
	bed_out(v->b, &r, sizeof(r));
	bed_nowhere(v->b, true, 1);
	EXPECT_EQ(-EPROTO, vbed_parse(v, SCSI_VQ_CONTROL));
	vbed_free(v);
}

/* Events. */

static int next_event(struct vbed *v, u32 len, struct virtio_scsi_event *e)
{
	int ret;

	bed_reset(v->b);
	bed_in(v->b, len);
	memset(e, 0, sizeof(*e));
	ret = vbed_parse(v, SCSI_VQ_EVENT);
	if (ret < 0)
		return ret;
	scsi_event_complete(&v->b->req);
	scsi_resp_free(&vbed_req(v)->resp);
	vbed_seen(v, 0, e, v->b->req.used_len);
	return v->b->req.used_len;
}

TEST(event_order, "events: in order, with LUN and reason; buffers wait for them")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_event e;
	unsigned int wakes;

	EXPECT_EQ(-ENODATA, next_event(v, 16, &e));
	wakes = bed_nr_wakes;
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_TRANSPORT_RESET, 7,
			 VIRTIO_SCSI_EVT_RESET_RESCAN);
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_PARAM_CHANGE, 300, 0x092a);
	EXPECT_EQ(wakes + 2, bed_nr_wakes);
	EXPECT(v->vqs[SCSI_VQ_EVENT].q.nudged);

	ASSERT_EQ(16, next_event(v, 100, &e));
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET, e.event);
	EXPECT_EQ(VIRTIO_SCSI_EVT_RESET_RESCAN, e.reason);
	EXPECT(!memcmp(e.lun, VBED_LUN_FIELD(7), 8));
	ASSERT_EQ(16, next_event(v, 16, &e));
	EXPECT_EQ(VIRTIO_SCSI_T_PARAM_CHANGE, e.event);
	EXPECT_EQ(0x092a, e.reason);
	EXPECT(!memcmp(e.lun, VBED_LUN_FIELD(0x4000 | 300), 8));
	EXPECT_EQ(-ENODATA, next_event(v, 16, &e));
	vbed_free(v);
}

TEST(event_missed, "events: when there are too many the oldest go, and it is said")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_event e;
	unsigned int i;

	for (i = 0; i < SCSI_MAX_EVENTS + 5; i++)
		scsi_event_raise(&v->ss, VIRTIO_SCSI_T_TRANSPORT_RESET, i, 1);
	for (i = 5; i < SCSI_MAX_EVENTS + 5; i++) {
		ASSERT_EQ(16, next_event(v, 16, &e));
		EXPECT_EQ(i, e.lun[3]);
		EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET |
			  (i == 5 ? VIRTIO_SCSI_T_EVENTS_MISSED : 0),
			  (u32)e.event);
	}
	EXPECT_EQ(-ENODATA, next_event(v, 16, &e));
	vbed_free(v);
}

TEST(event_carried, "events: those a session ends with are missed by the next")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_event e;

	EXPECT(!scsi_get_events_missed(v->vdev));
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_TRANSPORT_RESET, 3, 1);
	EXPECT(scsi_get_events_missed(v->vdev));
	scsi_events_init(&v->ss.events);
	scsi_set_events_missed(v->vdev, true);
	ASSERT_EQ(16, next_event(v, 16, &e));
	EXPECT_EQ(VIRTIO_SCSI_T_NO_EVENT | VIRTIO_SCSI_T_EVENTS_MISSED,
		  (u32)e.event);
	EXPECT_EQ(-ENODATA, next_event(v, 16, &e));
	vbed_free(v);
}

TEST(event_features, "events: only those that were negotiated")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_event e;

	v->vdev->features = BIT_ULL(VIRTIO_SCSI_F_CHANGE);
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_TRANSPORT_RESET, 0, 1);
	EXPECT_EQ(-ENODATA, next_event(v, 16, &e));
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_PARAM_CHANGE, 0, 1);
	EXPECT_EQ(16, next_event(v, 16, &e));
	v->vdev->features = BIT_ULL(VIRTIO_SCSI_F_HOTPLUG);
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_PARAM_CHANGE, 0, 1);
	EXPECT_EQ(-ENODATA, next_event(v, 16, &e));
	vbed_free(v);
}

TEST(event_change_hidden, "events: a change, where the VMM hides that feature")
{
	static const struct vt_vdev_door_ops door = { .hides_change = true };
	struct vbed *v = vbed_new();
	struct virtio_scsi_event e;

	v->vdev->door = &door;
	v->vdev->features = 0;
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_PARAM_CHANGE, 0, 1);
	EXPECT_EQ(-ENODATA, next_event(v, 16, &e));
	v->vdev->features = BIT_ULL(VIRTIO_SCSI_F_HOTPLUG);
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_PARAM_CHANGE, 0, 1);
	EXPECT_EQ(16, next_event(v, 16, &e));
	EXPECT_EQ(VIRTIO_SCSI_T_PARAM_CHANGE, (u32)e.event);
	vbed_free(v);
}

TEST(event_buffers, "events: a buffer that is short, nowhere or comes in later")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_event e;

	EXPECT_EQ(-EPROTO, next_event(v, 0, &e));
	scsi_event_raise(&v->ss, VIRTIO_SCSI_T_TRANSPORT_RESET, 3, 1);
	bed_reset(v->b);
	bed_nowhere(v->b, true, 16);
	EXPECT_EQ(-EPROTO, vbed_parse(v, SCSI_VQ_EVENT));
	v->b->hole = BED_MEM;
	v->b->hole_err = -EAGAIN;
	EXPECT_EQ(-EAGAIN, next_event(v, 16, &e));
	v->b->hole = 0;
	EXPECT_EQ(4, next_event(v, 4, &e));
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET, e.event);
	EXPECT_EQ(-ENODATA, next_event(v, 16, &e));
	vbed_free(v);
}

/* The configuration space. */

TEST(config_fields, "config: what the fields say")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_config c;

	v->b->target.num_queues = 5;
	v->b->target.queue_size = 128;
	v->vdev->sense_size = 0;
	v->vdev->cdb_size = 0;
	scsi_get_config(v->vdev, &c);
	EXPECT_EQ(36, sizeof(c));
	EXPECT_EQ(5, c.num_queues);
	EXPECT_EQ(126, c.seg_max);
	EXPECT_EQ(16384, c.max_sectors);
	EXPECT_EQ(128, c.cmd_per_lun);
	EXPECT_EQ(16, c.event_info_size);
	EXPECT_EQ(96, c.sense_size);
	EXPECT_EQ(32, c.cdb_size);
	EXPECT_EQ(0, c.max_channel);
	EXPECT_EQ(0, c.max_target);
	EXPECT_EQ(16383, c.max_lun);
	vbed_free(v);
}

static int set_u32(struct vbed *v, u32 off, u32 value)
{
	return scsi_set_config(v->vdev, off, &value, sizeof(value));
}

TEST(config_write, "config: sense_size and cdb_size can be set, and nothing else")
{
	const u32 sense = offsetof(struct virtio_scsi_config, sense_size);
	const u32 cdb = offsetof(struct virtio_scsi_config, cdb_size);
	struct vbed *v = vbed_new();
	struct virtio_scsi_config c, was;

	EXPECT_EQ(0, set_u32(v, sense, 252));
	EXPECT_EQ(0, set_u32(v, cdb, 16));
	EXPECT_EQ(252, v->vdev->sense_size);
	EXPECT_EQ(16, v->vdev->cdb_size);
	EXPECT_EQ(-EINVAL, set_u32(v, sense, 0));
	EXPECT_EQ(-EINVAL, set_u32(v, cdb, 0));
	EXPECT_EQ(252, v->vdev->sense_size);
	scsi_get_config(v->vdev, &was);
	EXPECT_EQ(0, set_u32(v, 0, 99));
	scsi_get_config(v->vdev, &c);
	EXPECT(!memcmp(&c, &was, sizeof(c)));
	/* All of it at once, as a VMM does. */
	c.sense_size = 32;
	c.max_lun = 1;
	EXPECT_EQ(0, scsi_set_config(v->vdev, 0, &c, sizeof(c)));
	EXPECT_EQ(32, v->vdev->sense_size);
	EXPECT_EQ(16, v->vdev->cdb_size);
	scsi_get_config(v->vdev, &c);
	EXPECT_EQ(16383, c.max_lun);
	vbed_free(v);
}

TEST(config_features, "config: INOUT, HOTPLUG, CHANGE and T10_PI are offered")
{
	struct vt_target t = {};

	EXPECT_EQ(VBED_FEATURES | BIT_ULL(VIRTIO_SCSI_F_T10_PI),
		  scsi_features(&t));
}
