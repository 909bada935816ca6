// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM leaves behind at a LUN when it goes: START STOP UNIT and mode
 * pages. Two VMs on one shared target.
 */
#include <string.h>

#include "harness.h"
#include "sharers.h"

#define SWP	0x08	/* software write protect */
#define NEED_START	SENSE(KEY_NOT_READY, 0x04, 0x02)
#define PROTECTED	SENSE(KEY_DATA_PROTECT, 0x27, 0x02)
#define POWER_ON	SENSE(KEY_UNIT_ATTENTION, 0x29, 0x01)

FIXTURE(power)
{
	struct sharers s;
	struct vscsi *d;
	struct vscsi_queue *q;
	struct vscsi_queue *other;
};

FIXTURE_VARIANT(power)
{
	bool packed;
};

FIXTURE_VARIANT_ADD(power, split) { false };
FIXTURE_VARIANT_ADD(power, packed) { true };

FIXTURE_SETUP(power)
{
	struct sharers_opts o = {
		.one_target = true, .packed = variant->packed,
		.event_idx = true,
	};

	self->d = &self->s.d[0];
	self->q = &self->d->q[0];
	self->other = &self->s.d[1].q[0];
	ASSERT_EQ(0, sharers_open(&self->s, &o));
}

FIXTURE_TEARDOWN(power)
{
	sharers_close(&self->s);
}

static int start_stop(struct vscsi_queue *q, bool start)
{
	u8 cdb[6] = { 0x1b, [4] = start };

	return vscsi_do(q, 0, cdb, sizeof(cdb), DIR_NONE, NULL, 0);
}

/* MODE SELECT (6) of the control mode page. */
static int set_swp(struct vscsi_queue *q, u8 swp)
{
	u8 list[16] = {
		[4] = 0x0a, 10, [7] = 0x10, swp, [12] = 0xff, 0xff
	};
	u8 cdb[6] = { 0x15, 0x10, [4] = sizeof(list) };

	return vscsi_do(q, 0, cdb, sizeof(cdb), DIR_OUT, list, sizeof(list));
}

/* Key and codes that a command ends with, 0: none. */
static u32 sense_of(struct vscsi_queue *q, const u8 *cdb, unsigned int len,
		    enum vscsi_dir dir, u32 bytes)
{
	struct vscsi_result res;

	return vscsi_cmd(q, 0, cdb, len, dir, NULL, bytes, &res) ||
	       res.response ? ~0u : res.key;
}

static u32 ready(struct vscsi_queue *q)
{
	return sense_of(q, (const u8[6]){ 0 }, 6, DIR_NONE, 0);
}

static u32 write_one(struct vscsi_queue *q)
{
	return sense_of(q, (const u8[10]){ 0x2a, [8] = 1 }, 10, DIR_OUT,
			SECTOR);
}

static void leave_behind(struct __test_metadata *_metadata,
			 struct vscsi_queue *q)
{
	ASSERT_EQ(0, set_swp(q, SWP));
	EXPECT_EQ(PROTECTED, write_one(q));
	ASSERT_EQ(0, start_stop(q, false));
	EXPECT_EQ(NEED_START, ready(q));
	EXPECT_EQ(NEED_START, write_one(q));
}

static void expect_new(struct __test_metadata *_metadata,
		       struct vscsi_queue *q)
{
	EXPECT_EQ(POWER_ON, ready(q));
	EXPECT_EQ(0, ready(q));
	EXPECT_EQ(0, write_one(q));
}

/* A VM that was switched off, and firmware that knows of no START. */
TEST_F(power, off_and_on)
{
	struct vscsi_opts o = self->d->o;

	vscsi_close(&self->s.d[1]);
	leave_behind(_metadata, self->q);
	vscsi_close(self->d);
	o.keep_attention = true;
	ASSERT_EQ(0, vscsi_open(self->d, &o));
	expect_new(_metadata, self->q);
}

/* A reset of the device, as at a reboot. */
TEST_F(power, reset)
{
	vscsi_close(&self->s.d[1]);
	leave_behind(_metadata, self->q);
	self->d->o.keep_attention = true;
	ASSERT_EQ(0, vscsi_reset(self->d));
	expect_new(_metadata, self->q);
}

/*
 * A VM that is stopped for a while and goes on: its driver would not learn
 * that a mode page has changed.
 */
TEST_F(power, stop_and_continue)
{
	vscsi_close(&self->s.d[1]);
	ASSERT_EQ(0, set_swp(self->q, SWP));
	ASSERT_EQ(0, vhost_clear_endpoint(self->d->fd, self->d->o.wwpn));
	ASSERT_EQ(0, vscsi_start(self->d));
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
	EXPECT_EQ(PROTECTED, write_one(self->q));
	EXPECT_EQ(0, set_swp(self->q, 0));
	EXPECT_EQ(0, write_one(self->q));
}

/* Who stops it stops it for itself. */
TEST_F(power, others_go_on)
{
	ASSERT_EQ(0, start_stop(self->q, false));
	EXPECT_EQ(NEED_START, ready(self->q));
	EXPECT_EQ(0, ready(self->other));
	EXPECT_EQ(0, write_one(self->other));
	ASSERT_EQ(0, start_stop(self->other, true));
	EXPECT_EQ(NEED_START, ready(self->q));
	ASSERT_EQ(0, start_stop(self->q, true));
	EXPECT_EQ(0, ready(self->q));
	EXPECT_EQ(0, write_one(self->q));
}

/* Of the mode pages there is one set: who comes leaves them to the others. */
TEST_F(power, others_keep_pages)
{
	ASSERT_EQ(0, set_swp(self->other, SWP));
	ASSERT_EQ(0, vscsi_ready(self->q, 0));
	ASSERT_EQ(0, start_stop(self->q, false));
	ASSERT_EQ(0, vscsi_reset(self->d));
	EXPECT_EQ(0, ready(self->q));
	EXPECT_EQ(PROTECTED, write_one(self->q));
	EXPECT_EQ(PROTECTED, write_one(self->other));
}

/* A reset of the unit is one for all. */
TEST_F(power, lun_reset_starts)
{
	ASSERT_EQ(0, set_swp(self->q, SWP));
	ASSERT_EQ(0, vscsi_ready(self->other, 0));
	ASSERT_EQ(0, start_stop(self->q, false));
	ASSERT_EQ(0, start_stop(self->other, false));
	ASSERT_EQ(VIRTIO_SCSI_S_OK,
		  vscsi_tmf(self->d, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0,
			    0));
	ASSERT_EQ(0, vscsi_ready(self->q, 0));
	ASSERT_EQ(0, vscsi_ready(self->other, 0));
	EXPECT_EQ(0, write_one(self->q));
	EXPECT_EQ(0, write_one(self->other));
}

TEST_HARNESS_MAIN
