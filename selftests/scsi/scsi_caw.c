// SPDX-License-Identifier: GPL-2.0
/*
 * COMPARE AND WRITE beside plain writes of another VM, on a slow disk that
 * both share: whatever the order, there is one.
 */
#include <string.h>

#include "harness.h"
#include "sharers.h"

#define SLOW_NS 100000000ull	/* of each request */
#define LBA 16
#define OLD 0x11
#define NEW 0x22
#define PLAIN 0x33

FIXTURE(caw)
{
	struct sharers s;
	struct vscsi_queue *qa;
	struct vscsi_queue *qb;
};

FIXTURE_SETUP(caw)
{
	struct sharers_opts o = { .delay_ns = SLOW_NS };

	self->qa = &self->s.d[0].q[0];
	self->qb = &self->s.d[1].q[0];
	ASSERT_EQ(0, sharers_open(&self->s, &o));
}

FIXTURE_TEARDOWN(caw)
{
	sharers_close(&self->s);
}

static struct vscsi_req *start(struct vscsi_queue *q, const u8 *cdb,
			       const u8 *fill, unsigned int blocks)
{
	struct vscsi_req *r = vscsi_get(q);
	unsigned int i;

	if (!r)
		return NULL;
	for (i = 0; i < blocks; i++)
		memset(r->buf + i * SECTOR, fill[i], SECTOR);
	vscsi_prepare(r, 0, cdb, 16, DIR_OUT, blocks * SECTOR);
	if (vscsi_submit(r))
		return NULL;
	vscsi_kick(q);
	return r;
}

static struct vscsi_req *start_caw(struct vscsi_queue *q)
{
	static const u8 cdb[16] = { 0x89, [9] = LBA, [13] = 1 };
	static const u8 fill[2] = { OLD, NEW };

	return start(q, cdb, fill, 2);
}

static struct vscsi_req *start_write(struct vscsi_queue *q, u64 lba)
{
	static const u8 fill[1] = { PLAIN };
	u8 cdb[16];

	vscsi_cdb_rw(cdb, true, lba, 1);
	return start(q, cdb, fill, 1);
}

/* Its status; the queue is empty then. */
static int end(struct vscsi_queue *q)
{
	struct vscsi_req *r;
	int ret = vscsi_wait(q, &r);

	if (ret)
		return ret;
	ret = r->resp->response ? 0x100 : r->resp->status;
	vscsi_put(r);
	return ret;
}

static int set(struct vscsi_queue *q, u64 lba, u8 byte)
{
	u8 buf[SECTOR];

	memset(buf, byte, SECTOR);
	return vscsi_write(q, 0, lba, 1, buf, SECTOR);
}

/* The byte all of a block has, or -1. */
static int get(struct vscsi_queue *q, u64 lba)
{
	u8 buf[SECTOR];

	if (vscsi_read(q, 0, lba, 1, buf, SECTOR) ||
	    memcmp(buf, buf + 1, SECTOR - 1))
		return -1;
	return buf[0];
}

/*
 * The disk has a write as soon as it is given it: between the reading and the
 * writing of the other command, if it is given it then. In any order of the
 * two, what the plain write wrote stays: after it nothing compares.
 */
TEST_F(caw, write_in_between)
{
	unsigned int i;
	int status;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, set(self->qa, LBA, OLD));
		ASSERT_NE(NULL, start_caw(self->qa));
		ASSERT_EQ(0, bed_wait_inflight(&self->s.bed[0], 1));
		sleep_ms(i * 20);
		ASSERT_NE(NULL, start_write(self->qb, LBA));
		EXPECT_EQ(0, end(self->qb));
		status = end(self->qa);
		EXPECT_TRUE(!status || status == SCSI_CHECK_CONDITION);
		EXPECT_EQ(PLAIN, get(self->qb, LBA));
	}
}

/* A write that is in flight when the command comes is before it. */
TEST_F(caw, write_before)
{
	unsigned int i;

	/* The second time the backend knows of such commands. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, set(self->qa, LBA, OLD));
		ASSERT_NE(NULL, start_write(self->qb, LBA));
		ASSERT_EQ(0, bed_wait_inflight(&self->s.bed[1], 1));
		ASSERT_NE(NULL, start_caw(self->qa));
		EXPECT_EQ(SCSI_CHECK_CONDITION, end(self->qa));
		EXPECT_EQ(0, end(self->qb));
		EXPECT_EQ(PLAIN, get(self->qb, LBA));
	}
}

/* Writes to other blocks neither wait nor are waited for, but once. */
TEST_F(caw, other_blocks)
{
	unsigned int i;

	ASSERT_EQ(0, set(self->qa, LBA, OLD));
	ASSERT_NE(NULL, start_caw(self->qa));
	ASSERT_EQ(0, end(self->qa));
	ASSERT_EQ(0, set(self->qa, LBA, OLD));
	ASSERT_NE(NULL, start_caw(self->qa));
	for (i = 0; i < 16; i++)
		ASSERT_NE(NULL, start_write(self->qb, LBA + 1 + i));
	for (i = 0; i < 16; i++)
		EXPECT_EQ(0, end(self->qb));
	EXPECT_EQ(0, end(self->qa));
	EXPECT_EQ(NEW, get(self->qb, LBA));
	EXPECT_EQ(PLAIN, get(self->qa, LBA + 16));
}

/* Held writes are let go when their VM goes. */
TEST_F(caw, closed_meanwhile)
{
	unsigned int i;

	ASSERT_EQ(0, set(self->qa, LBA, OLD));
	for (i = 0; i < 4; i++) {
		ASSERT_NE(NULL, start_caw(self->qa));
		ASSERT_NE(NULL, start_write(self->qb, LBA));
	}
	ASSERT_EQ(0, bed_wait_inflight(&self->s.bed[0], 1));
	vscsi_close(&self->s.d[1]);
	for (i = 0; i < 4; i++)
		EXPECT_LE(0, end(self->qa));
	EXPECT_EQ(0, vscsi_ready(self->qa, 0));
}

TEST_HARNESS_MAIN
