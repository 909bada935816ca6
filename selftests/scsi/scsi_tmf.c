// SPDX-License-Identifier: GPL-2.0
/* Task management with I/O in flight, and events, on a slow disk. */
#include <string.h>

#include "forked.h"
#include "harness.h"
#include "hung.h"
#include "sharers.h"
#include "vscsi.h"

#define SLOW_NS 400000000ull	/* of each request */
#define LEN 4096
#define FLIGHT 8
#define MAX_TRIES 20

FIXTURE(tmf)
{
	struct disk disk;
	struct bed bed;
	struct vscsi d;
	struct vscsi other;
	struct vscsi_queue *q;
};

FIXTURE_VARIANT(tmf)
{
	bool packed;
};

FIXTURE_VARIANT_ADD(tmf, split) { false };
FIXTURE_VARIANT_ADD(tmf, packed) { true };

FIXTURE_SETUP(tmf)
{
	struct bed_opts bed = {
		.disk = &self->disk, .type = VHOST_TARGET_SCSI,
		.num_queues = 2, .target_flags = VHOST_TARGET_F_SHARED,
	};
	struct vscsi_opts o = {
		.wwpn = self->bed.wwpn, .packed = variant->packed,
		.event_idx = true, .nr_queues = 2, .queue_size = 64,
	};

	bed_sweep();
	self->q = &self->d.q[0];
	ASSERT_EQ(0, bed_make_nullb(&self->bed, &bed, SLOW_NS));
	ASSERT_EQ(0, vscsi_open(&self->d, &o));
	ASSERT_EQ(0, vscsi_open(&self->other, &o));
}

FIXTURE_TEARDOWN(tmf)
{
	vscsi_close(&self->d);
	vscsi_close(&self->other);
	bed_destroy(&self->bed);
	disk_destroy(&self->disk);
}

static int start_reads(struct vscsi_queue *q, unsigned int lun,
		       unsigned int nr, u64 tags[])
{
	struct vscsi_req *r;
	unsigned int i;
	u8 cdb[16];
	int ret;

	for (i = 0; i < nr; i++) {
		r = vscsi_get(q);
		if (!r)
			return -EBUSY;
		vscsi_cdb_rw(cdb, false, i * 8, LEN / SECTOR);
		vscsi_prepare(r, lun, cdb, sizeof(cdb), DIR_IN, LEN);
		ret = vscsi_submit(r);
		if (ret)
			return ret;
		tags[i] = r->cmd->tag;
	}
	vscsi_kick(q);
	return 0;
}

/* Reap all of @q: how many ended with each response. */
static int reap(struct vscsi_queue *q, unsigned int by_response[256])
{
	struct vscsi_req *r;
	int ret;

	memset(by_response, 0, 256 * sizeof(*by_response));
	while (q->inflight) {
		ret = vscsi_wait(q, &r);
		if (ret)
			return ret;
		by_response[r->resp->response]++;
		vscsi_put(r);
	}
	return 0;
}

/* Reads that are in flight, and what became of them. */
struct flight {
	const struct bed *bed;
	struct vscsi_queue *q;
	unsigned int nr;
	unsigned int ends;		/* so many by task management */
	u64 tags[FLIGHT];
	unsigned int got[256];		/* by response */
};

static int take_off(struct flight *f, unsigned int n)
{
	unsigned int i, nr = 0;
	int ret;

	/* The unit attentions of the last time are not in the way. */
	for (i = 0; i < n; i++) {
		ret = vscsi_ready(f[i].q, 0);
		if (ret)
			return -EIO;
	}
	for (i = 0; i < n; i++) {
		ret = start_reads(f[i].q, 0, f[i].nr, f[i].tags);
		if (ret)
			return ret;
		nr = i && f[i].bed == f[i - 1].bed ? nr + f[i].nr : f[i].nr;
		ret = bed_wait_inflight(f[i].bed, nr);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * What @d's task management function is answered with while all of @f are in
 * flight. If they were not for sure, because this machine stood still, and
 * some were not reached: once more.
 */
static int tmf_in_flight(struct vscsi *d, u32 subtype, struct flight *f,
			 unsigned int n)
{
	unsigned int i, tries = 0;
	bool missed, late;
	u64 start;
	int ret;

	do {
		start = now_ns();
		ret = take_off(f, n);
		if (ret)
			return ret;
		ret = vscsi_tmf(d, subtype, 0,
				subtype == VIRTIO_SCSI_T_TMF_ABORT_TASK ?
				f[0].tags[3] : 0);
		/* It waits for the disk, and for nothing else. */
		late = now_ns() - start > SLOW_NS + SLOW_NS / 4;
		missed = false;
		for (i = 0; i < n && ret >= 0; i++) {
			int err = reap(f[i].q, f[i].got);

			if (err)
				ret = err;
			missed |= f[i].nr - f[i].got[VIRTIO_SCSI_S_OK] <
				  f[i].ends;
		}
	} while (ret >= 0 && missed && late && ++tries < MAX_TRIES);
	return ret;
}

/* Its response says that the task has ended: it is there already. */
TEST_F(tmf, abort_task)
{
	struct flight f = { &self->bed, self->q, FLIGHT, 1, {}, {} };

	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf_in_flight(&self->d, VIRTIO_SCSI_T_TMF_ABORT_TASK, &f, 1));
	EXPECT_EQ(1, f.got[VIRTIO_SCSI_S_ABORTED]);
	EXPECT_EQ(FLIGHT - 1, f.got[VIRTIO_SCSI_S_OK]);
	/* It is not there any more: that is no error. */
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vscsi_tmf(&self->d, VIRTIO_SCSI_T_TMF_ABORT_TASK, 0,
			    f.tags[3]));
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
}

/* What the driver knows of the last command it made available. */
static struct vscsi_req *make_available(struct vscsi_queue *q)
{
	struct vscsi_req *r = vscsi_get(q);
	u8 cdb[16];

	vscsi_cdb_rw(cdb, false, 0, LEN / SECTOR);
	vscsi_prepare(r, 0, cdb, sizeof(cdb), DIR_IN, LEN);
	return vscsi_submit(r) ? NULL : r;
}

/*
 * A command that is still on the ring, as the device was not told: once its
 * abort has ended the driver may use its memory for something else.
 */
TEST_F(tmf, abort_on_ring)
{
	static const u32 subtype[] = {
		VIRTIO_SCSI_T_TMF_ABORT_TASK, VIRTIO_SCSI_T_TMF_ABORT_TASK_SET,
		VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
	};
	struct vscsi_req *r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(subtype); i++) {
		ASSERT_EQ(0, vscsi_ready(self->q, 0));
		ASSERT_EQ(0, bed_wait_asleep(&self->bed));
		r = make_available(self->q);
		ASSERT_NE(NULL, r);
		EXPECT_EQ(VIRTIO_SCSI_S_OK,
			  vscsi_tmf(&self->d, subtype[i], 0, r->cmd->tag));
		EXPECT_NE(VSCSI_NONE, vring_read(&r->resp->response));
		EXPECT_EQ(0, vscsi_drain(self->q));
	}
}

/* On all request queues of the session, and of no other session. */
TEST_F(tmf, abort_task_set)
{
	struct flight f[] = {
		{ &self->bed, &self->d.q[0], 4, 4, {}, {} },
		{ &self->bed, &self->d.q[1], 4, 4, {}, {} },
		{ &self->bed, &self->other.q[0], 2, 0, {}, {} },
	};

	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf_in_flight(&self->d, VIRTIO_SCSI_T_TMF_ABORT_TASK_SET, f,
				3));
	EXPECT_EQ(4, f[0].got[VIRTIO_SCSI_S_ABORTED]);
	EXPECT_EQ(4, f[1].got[VIRTIO_SCSI_S_ABORTED]);
	EXPECT_EQ(2, f[2].got[VIRTIO_SCSI_S_OK]);
	EXPECT_EQ(0, vscsi_ready(&self->other.q[0], 0));
}

/* The sense key and code of the first command. */
static u32 first_sense(struct vscsi_queue *q)
{
	static const u8 test_unit_ready[6];
	struct vscsi_result res;

	return vscsi_cmd(q, 0, test_unit_ready, 6, DIR_NONE, NULL, 0, &res) ?
	       ~0u : res.key;
}

/* Of all sessions; the others are told, and may send them again. */
TEST_F(tmf, clear_task_set)
{
	struct flight f[] = {
		{ &self->bed, &self->d.q[0], 4, 4, {}, {} },
		{ &self->bed, &self->other.q[1], 4, 4, {}, {} },
	};

	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf_in_flight(&self->d, VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET, f,
				2));
	EXPECT_EQ(4, f[0].got[VIRTIO_SCSI_S_ABORTED]);
	EXPECT_EQ(4, f[1].got[VIRTIO_SCSI_S_RESET]);
	EXPECT_EQ(SENSE(KEY_UNIT_ATTENTION, 0x2f, 0),
		  first_sense(&self->other.q[0]));
	EXPECT_EQ(0, first_sense(self->q));
}

TEST_F(tmf, lun_reset)
{
	struct flight f[] = {
		{ &self->bed, &self->d.q[0], 4, 4, {}, {} },
		{ &self->bed, &self->other.q[0], 4, 4, {}, {} },
	};

	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf_in_flight(&self->d, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
				f, 2));
	EXPECT_EQ(4, f[0].got[VIRTIO_SCSI_S_RESET]);
	EXPECT_EQ(4, f[1].got[VIRTIO_SCSI_S_RESET]);
	EXPECT_EQ(SENSE(KEY_UNIT_ATTENTION, 0x29, 0),
		  first_sense(&self->other.q[0]) & ~0xff);
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
	EXPECT_EQ(0, vscsi_ready(&self->other.q[0], 0));
}

TEST_F(tmf, nexus_reset)
{
	struct flight f[] = {
		{ &self->bed, &self->d.q[0], 4, 4, {}, {} },
		{ &self->bed, &self->other.q[0], 4, 0, {}, {} },
	};

	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  tmf_in_flight(&self->d, VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET, f,
				2));
	EXPECT_EQ(4, f[0].got[VIRTIO_SCSI_S_RESET]);
	EXPECT_EQ(4, f[1].got[VIRTIO_SCSI_S_OK]);
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
}

TEST_F(tmf, query)
{
	struct flight f = { &self->bed, self->q, 2, 0, {}, {} };
	unsigned int tries = 0;
	int task, set;
	bool late;
	u64 start;

	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vscsi_tmf(&self->d, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0, 0));
	do {
		start = now_ns();
		ASSERT_EQ(0, take_off(&f, 1));
		task = vscsi_tmf(&self->d, VIRTIO_SCSI_T_TMF_QUERY_TASK, 0,
				 f.tags[1]);
		set = vscsi_tmf(&self->d, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0,
				0);
		late = now_ns() - start > SLOW_NS;
		EXPECT_EQ(VIRTIO_SCSI_S_OK,
			  vscsi_tmf(&self->d, VIRTIO_SCSI_T_TMF_QUERY_TASK, 0,
				    999));
		EXPECT_EQ(VIRTIO_SCSI_S_OK,
			  vscsi_tmf(&self->other,
				    VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0, 0));
		ASSERT_EQ(0, reap(self->q, f.got));
		EXPECT_EQ(2, f.got[VIRTIO_SCSI_S_OK]);
		/* Had they ended while this machine stood still? */
	} while (late && ++tries < MAX_TRIES);
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_SUCCEEDED, task);
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_SUCCEEDED, set);
}

/* The same between two targets whose units share a disk. */

FIXTURE(sharers)
{
	struct sharers s;
};

FIXTURE_SETUP(sharers)
{
	struct sharers_opts o = { .delay_ns = SLOW_NS };

	ASSERT_EQ(0, sharers_open(&self->s, &o));
}

FIXTURE_TEARDOWN(sharers)
{
	sharers_close(&self->s);
}

static void expect_cleared(struct __test_metadata *_metadata,
			   struct sharers *s, u32 subtype,
			   u8 response, u32 key)
{
	struct flight f[] = {
		{ &s->bed[0], &s->d[0].q[0], 4, 4, {}, {} },
		{ &s->bed[1], &s->d[1].q[0], 4, 4, {}, {} },
	};

	EXPECT_EQ(VIRTIO_SCSI_S_OK, tmf_in_flight(&s->d[0], subtype, f, 2));
	EXPECT_EQ(4, f[0].got[response]);
	EXPECT_EQ(4, f[1].got[VIRTIO_SCSI_S_RESET]);
	EXPECT_EQ(key, first_sense(&s->d[1].q[0]));
	EXPECT_EQ(0, vscsi_ready(&s->d[0].q[0], 0));
	EXPECT_EQ(0, vscsi_ready(&s->d[1].q[0], 0));
}

TEST_F(sharers, clear_task_set)
{
	expect_cleared(_metadata, &self->s, VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET,
		       VIRTIO_SCSI_S_ABORTED, SENSE(KEY_UNIT_ATTENTION, 0x2f, 0));
}

TEST_F(sharers, lun_reset)
{
	expect_cleared(_metadata, &self->s, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
		       VIRTIO_SCSI_S_RESET, SENSE(KEY_UNIT_ATTENTION, 0x29, 3));
}

/* Each resets the other, while one's unit goes and comes, and one closes. */
TEST_F(sharers, each_other)
{
	unsigned int got[256], i;
	struct vscsi_req *r;
	u64 tags[FLIGHT];

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, start_reads(&self->s.d[i].q[0], 0, FLIGHT, tags));
	for (i = 0; i < VSCSI_EVENTS; i++)
		ASSERT_NE(NULL, vscsi_tmf_start(&self->s.d[i & 1], i & 2 ?
				VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET :
				VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET, 0, 0));
	ASSERT_EQ(0, ctl_remove_unit(self->s.bed[1].ctl, self->s.bed[1].name, 0));
	ASSERT_EQ(0, bed_add_lun(&self->s.bed[1], 0, &self->s.disk,
				 VHOST_TARGET_UNIT_F_SHARED));
	vscsi_close(&self->s.d[1]);
	for (i = 0; i < VSCSI_EVENTS / 2; i++) {
		ASSERT_EQ(0, vscsi_wait(&self->s.d[0].ctl, &r));
		EXPECT_EQ(VIRTIO_SCSI_S_OK, r->tmf_resp->response);
		vscsi_put(r);
	}
	ASSERT_EQ(0, reap(&self->s.d[0].q[0], got));
	EXPECT_EQ(0, vscsi_ready(&self->s.d[0].q[0], 0));
}

/* Several at once: each is answered, in whatever order. */
TEST_F(tmf, many_at_once)
{
	unsigned int got[256], i;
	struct vscsi_req *r;
	u64 tags[FLIGHT];

	ASSERT_EQ(0, start_reads(self->q, 0, FLIGHT, tags));
	ASSERT_EQ(0, start_reads(&self->other.q[0], 0, FLIGHT, tags));
	for (i = 0; i < VSCSI_EVENTS; i++)
		ASSERT_NE(NULL, vscsi_tmf_start(i & 1 ? &self->d : &self->other,
				i & 2 ? VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET :
				VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET, 0, 0));
	for (i = 0; i < VSCSI_EVENTS; i++) {
		struct vscsi *d = i & 1 ? &self->d : &self->other;

		ASSERT_EQ(0, vscsi_wait(&d->ctl, &r));
		EXPECT_EQ(VIRTIO_SCSI_S_OK, r->tmf_resp->response);
		vscsi_put(r);
	}
	ASSERT_EQ(0, reap(self->q, got));
	ASSERT_EQ(0, reap(&self->other.q[0], got));
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
	EXPECT_EQ(0, vscsi_ready(&self->other.q[0], 0));
}

TEST_F(tmf, refused)
{
	EXPECT_EQ(VIRTIO_SCSI_S_INCORRECT_LUN,
		  vscsi_tmf(&self->d, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 5,
			    0));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED,
		  vscsi_tmf(&self->d, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0, 0));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED,
		  vscsi_tmf(&self->d, 77, 0, 0));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED,
		  vscsi_tmf(&self->d, ~0u, 0, 0));
}

/* The session ends with a reset under way and tasks in flight. */
TEST_F(tmf, closed_meanwhile)
{
	u64 tags[FLIGHT];

	ASSERT_EQ(0, start_reads(self->q, 0, FLIGHT, tags));
	ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
	ASSERT_NE(NULL, vscsi_tmf_start(&self->d,
					VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
					0, 0));
	vscsi_close(&self->d);
	EXPECT_EQ(0, vscsi_ready(&self->other.q[0], 0));
}

/* Units that come, grow and go, with I/O in flight on the others. */

static void expect_event(struct __test_metadata *_metadata, struct vscsi *d,
			 u32 event, unsigned int lun, u32 reason)
{
	struct virtio_scsi_event ev;
	u8 want[8];

	vscsi_lun(want, lun);
	memset(&ev, 0, sizeof(ev));
	ASSERT_EQ(0, vscsi_event(d, &ev, VT_PATIENCE * 1000));
	EXPECT_EQ(event, ev.event);
	EXPECT_EQ(reason, ev.reason);
	EXPECT_EQ(0, memcmp(want, ev.lun, 2));
	EXPECT_EQ(want[3], ev.lun[3]);
}

TEST_F(tmf, hot_plug)
{
	struct disk null = {
		.kind = DISK_NULL, .block_size = 512, .capacity = MIB,
	};
	unsigned int got[256];
	u64 size = 2 * MIB, blocks, tags[FLIGHT];
	u32 bs;

	ASSERT_EQ(0, vscsi_post_events(&self->d, 4));
	ASSERT_EQ(0, start_reads(self->q, 0, FLIGHT, tags));
	ASSERT_EQ(0, bed_add_lun(&self->bed, 9, &null, 0));
	expect_event(_metadata, &self->d, VIRTIO_SCSI_T_TRANSPORT_RESET, 9,
		     VIRTIO_SCSI_EVT_RESET_RESCAN);
	ASSERT_EQ(0, vscsi_ready(&self->d.q[1], 9));
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 9, &size));
	expect_event(_metadata, &self->d, VIRTIO_SCSI_T_PARAM_CHANGE, 9,
		     0x2a | 0x09 << 8);
	ASSERT_EQ(0, vscsi_ready(&self->d.q[1], 9));
	ASSERT_EQ(0, vscsi_capacity(&self->d.q[1], 9, &blocks, &bs));
	EXPECT_EQ(2 * MIB / 512, blocks);
	ASSERT_EQ(0, ctl_remove_unit(self->bed.ctl, self->bed.name, 9));
	expect_event(_metadata, &self->d, VIRTIO_SCSI_T_TRANSPORT_RESET, 9,
		     VIRTIO_SCSI_EVT_RESET_REMOVED);
	EXPECT_EQ(SCSI_CHECK_CONDITION, vscsi_read(&self->d.q[1], 9, 0, 1,
						   NULL, 512));
	ASSERT_EQ(0, reap(self->q, got));
	EXPECT_EQ(FLIGHT, got[VIRTIO_SCSI_S_OK]);
}

/* A unit goes with its I/O in flight: that ends first. */
TEST_F(tmf, unplug_in_flight)
{
	unsigned int got[256];
	u64 tags[FLIGHT];

	ASSERT_EQ(0, start_reads(self->q, 0, FLIGHT, tags));
	ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
	ASSERT_EQ(0, ctl_remove_unit(self->bed.ctl, self->bed.name, 0));
	ASSERT_EQ(0, reap(self->q, got));
	EXPECT_EQ(FLIGHT, got[VIRTIO_SCSI_S_OK]);
	EXPECT_EQ(SCSI_CHECK_CONDITION, vscsi_read(self->q, 0, 0, 1, NULL,
						   512));
	ASSERT_EQ(0, bed_add_lun(&self->bed, 0, &self->disk, 0));
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
}

/* One whose disk hangs: nobody waits for it who has nothing there. */

static int beside_a_removal(void *arg)
{
	FIXTURE_DATA(tmf) *self = arg;
	struct vhost_target_info info;
	struct vscsi_opts o = self->other.o;

	CHECK(!ctl_get(self->bed.ctl, self->bed.name, &info), "");
	CHECK(info.nr_units == 1, "%u", info.nr_units);
	/* The other saw it; its removal has not come to that one yet. */
	CHECK(!vscsi_ready(&self->other.q[0], 0), "");
	CHECK(!vscsi_read(&self->other.q[0], 0, 0, 1, NULL, SECTOR), "");
	vscsi_close(&self->other);
	/* Somebody who never saw it. */
	CHECK(!vscsi_open(&self->other, &o), "");
	CHECK(vscsi_ready(&self->other.q[0], 9), "");
	CHECK(!vscsi_read(&self->other.q[0], 0, 0, 1, NULL, SECTOR), "");
	/* Nor are other LUNs of the one in its way. */
	CHECK(!vscsi_ready(&self->d.q[1], 0), "");
	CHECK(!vscsi_read(&self->d.q[1], 0, 0, 1, NULL, SECTOR), "");
	CHECK(!bed_wait_inflight(&self->bed, 1), "");
	return 0;
}

TEST_F(tmf, removed_while_it_hangs)
{
	unsigned int got[256];
	struct hung h = { 0 };
	u64 tags[FLIGHT];

	ASSERT_EQ(0, hung_add(&h, &self->bed, 9));
	ASSERT_EQ(0, vscsi_ready(self->q, 9));
	ASSERT_EQ(0, vscsi_ready(&self->other.q[0], 9));
	ASSERT_EQ(0, hung_suspend(&h));
	EXPECT_EQ(0, start_reads(self->q, 9, 1, tags));
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
	EXPECT_EQ(0, hung_remove(&h, beside_a_removal, self));
	ASSERT_EQ(0, reap(self->q, got));
	EXPECT_EQ(1, got[VIRTIO_SCSI_S_OK]);
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
	hung_finish(&h);
}

/* No buffer when it happens: the event waits; too many: some are missed. */
TEST_F(tmf, no_event_buffers)
{
	struct disk null = {
		.kind = DISK_NULL, .block_size = 512, .capacity = MIB,
	};
	struct virtio_scsi_event ev;
	bool missed = false;
	unsigned int i;

	ASSERT_EQ(0, bed_add_lun(&self->bed, 9, &null, 0));
	ASSERT_EQ(0, vscsi_post_events(&self->d, 1));
	expect_event(_metadata, &self->d, VIRTIO_SCSI_T_TRANSPORT_RESET, 9,
		     VIRTIO_SCSI_EVT_RESET_RESCAN);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, ctl_remove_unit(self->bed.ctl, self->bed.name,
					     9));
		ASSERT_EQ(0, bed_add_lun(&self->bed, 9, &null, 0));
	}
	ASSERT_EQ(0, vscsi_post_events(&self->d, 1));
	/* With patience for what has to come, without for what may. */
	for (i = 0; !vscsi_event(&self->d, &ev, missed ? 200 :
				 VT_PATIENCE * 1000); i++) {
		missed |= ev.event & VIRTIO_SCSI_T_EVENTS_MISSED;
		ASSERT_GT(200, i);
		ASSERT_EQ(0, vscsi_post_events(&self->d, 1));
	}
	EXPECT_TRUE(missed);
	EXPECT_EQ(0, vscsi_ready(self->q, 9));
}

TEST_HARNESS_MAIN
