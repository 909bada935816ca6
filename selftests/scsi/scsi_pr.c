// SPDX-License-Identifier: GPL-2.0
/*
 * Persistent reservations between two VMs: on two targets that share a disk,
 * and on one shared target. Who is fenced really is.
 */
#include <endian.h>
#include <string.h>

#include "harness.h"
#include "pattern.h"
#include "sharers.h"

#define SLOW_NS 400000000ull	/* of each request of a slow disk */
#define LEN 4096
#define BLOCKS (LEN / SECTOR)
#define FLIGHT 8

#define KEY_A 0xaaaa000000000001ull
#define KEY_B 0xbbbb000000000002ull

/* Service actions and types. */
#define PR_REGISTER		0
#define PR_RESERVE		1
#define PR_RELEASE		2
#define PR_CLEAR		3
#define PR_PREEMPT		4
#define PR_PREEMPT_ABORT	5
#define PR_REGISTER_IGNORE	6
#define TYPE_WRITE_EX		1
#define TYPE_EX_ACCESS		3
#define TYPE_WRITE_EX_REG	5

FIXTURE(pr)
{
	struct sharers s;
	struct vscsi_queue *qa;
	struct vscsi_queue *qb;
};

FIXTURE_VARIANT(pr)
{
	bool one_target;
	bool packed;
};

FIXTURE_VARIANT_ADD(pr, two_targets) { false, false };
FIXTURE_VARIANT_ADD(pr, two_targets_packed) { false, true };
FIXTURE_VARIANT_ADD(pr, shared_target) { true, false };

FIXTURE_SETUP(pr)
{
	self->qa = &self->s.d[0].q[0];
	self->qb = &self->s.d[1].q[0];
	(void)variant;
}

FIXTURE_TEARDOWN(pr)
{
	sharers_close(&self->s);
}

static int pr_out(struct vscsi_queue *q, unsigned int action,
		  unsigned int type, u64 key, u64 new_key)
{
	u8 cdb[10] = { 0x5f, action, type, [8] = 24 };
	u8 list[24] = { 0 };

	key = htobe64(key);
	new_key = htobe64(new_key);
	memcpy(list, &key, 8);
	memcpy(list + 8, &new_key, 8);
	return vscsi_do(q, 0, cdb, sizeof(cdb), DIR_OUT, list, sizeof(list));
}

/* Number of keys registered, or -errno; @keys has room for 8. */
static int read_keys(struct vscsi_queue *q, u64 keys[8])
{
	u8 cdb[10] = { 0x5e, 0, [8] = 72 }, buf[72];
	unsigned int i, n;
	int ret;

	ret = vscsi_do(q, 0, cdb, sizeof(cdb), DIR_IN, buf, sizeof(buf));
	if (ret)
		return ret < 0 ? ret : -EIO;
	n = buf[7] / 8;
	for (i = 0; i < n && i < 8; i++) {
		memcpy(&keys[i], buf + 8 + 8 * i, 8);
		keys[i] = be64toh(keys[i]);
	}
	return n;
}

/* Type of the reservation and its key; 0: none. */
static int read_holder(struct vscsi_queue *q, u64 *key)
{
	u8 cdb[10] = { 0x5e, 1, [8] = 24 }, buf[24];

	*key = 0;
	if (vscsi_do(q, 0, cdb, sizeof(cdb), DIR_IN, buf, sizeof(buf)))
		return -EIO;
	if (!buf[7])
		return 0;
	memcpy(key, buf + 8, 8);
	*key = be64toh(*key);
	return buf[21] & 0xf;
}

static int write_one(struct vscsi_queue *q, u64 lba, u32 generation)
{
	u8 buf[LEN];

	pattern_fill(buf, LEN, lba, generation);
	return vscsi_write(q, 0, lba, BLOCKS, buf, LEN);
}

static int read_one(struct vscsi_queue *q, u64 lba, u32 generation)
{
	u8 buf[LEN];
	int ret = vscsi_read(q, 0, lba, BLOCKS, buf, LEN);

	return ret ? ret : pattern_check(buf, LEN, lba, generation);
}

#define OPEN(delay) do { \
	struct sharers_opts __o = { \
		.delay_ns = delay, .more = true, \
		.one_target = variant->one_target, \
		.packed = variant->packed, .event_idx = true, \
	}; \
	ASSERT_EQ(0, sharers_open(&self->s, &__o)); \
} while (0)

#define REGISTER_BOTH() do { \
	ASSERT_EQ(0, pr_out(self->qa, PR_REGISTER, 0, 0, KEY_A)); \
	ASSERT_EQ(0, pr_out(self->qb, PR_REGISTER, 0, 0, KEY_B)); \
} while (0)

TEST_F(pr, register_and_read)
{
	u64 keys[8], key;

	OPEN(0);
	EXPECT_EQ(0, read_keys(self->qa, keys));
	REGISTER_BOTH();
	EXPECT_EQ(2, read_keys(self->qb, keys));
	EXPECT_EQ(KEY_A, keys[0]);
	EXPECT_EQ(KEY_B, keys[1]);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  pr_out(self->qb, PR_REGISTER, 0, KEY_A, 3));
	ASSERT_EQ(0, pr_out(self->qa, PR_RESERVE, TYPE_WRITE_EX, KEY_A, 0));
	EXPECT_EQ(TYPE_WRITE_EX, read_holder(self->qb, &key));
	EXPECT_EQ(KEY_A, key);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  pr_out(self->qb, PR_RESERVE, TYPE_EX_ACCESS, KEY_B, 0));
	ASSERT_EQ(0, pr_out(self->qa, PR_RELEASE, TYPE_WRITE_EX, KEY_A, 0));
	EXPECT_EQ(0, read_holder(self->qb, &key));
	ASSERT_EQ(0, pr_out(self->qb, PR_CLEAR, 0, KEY_B, 0));
	ASSERT_EQ(0, vscsi_ready(self->qa, 0));
	EXPECT_EQ(0, read_keys(self->qa, keys));
}

TEST_F(pr, who_may)
{
	OPEN(0);
	ASSERT_EQ(0, write_one(self->qa, 0, 1));
	REGISTER_BOTH();
	ASSERT_EQ(0, pr_out(self->qa, PR_RESERVE, TYPE_WRITE_EX, KEY_A, 0));
	EXPECT_EQ(0, write_one(self->qa, 0, 2));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, write_one(self->qb, 0, 3));
	EXPECT_EQ(0, read_one(self->qb, 0, 2));
	ASSERT_EQ(0, pr_out(self->qa, PR_RELEASE, TYPE_WRITE_EX, KEY_A, 0));
	ASSERT_EQ(0, pr_out(self->qa, PR_RESERVE, TYPE_EX_ACCESS, KEY_A, 0));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, read_one(self->qb, 0, 2));
	EXPECT_EQ(0, read_one(self->qa, 0, 2));
	ASSERT_EQ(0, pr_out(self->qa, PR_RELEASE, TYPE_EX_ACCESS, KEY_A, 0));
	ASSERT_EQ(0, pr_out(self->qa, PR_RESERVE, TYPE_WRITE_EX_REG, KEY_A,
			    0));
	ASSERT_EQ(0, vscsi_ready(self->qb, 0));
	EXPECT_EQ(0, write_one(self->qb, 0, 4));
	ASSERT_EQ(0, pr_out(self->qb, PR_REGISTER, 0, KEY_B, 0));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, write_one(self->qb, 0, 5));
	EXPECT_EQ(0, read_one(self->qa, 0, 4));
}

/* As a cluster does it: both hold, one throws the other out. */
TEST_F(pr, fence)
{
	static const u8 ready[6];
	struct vscsi_result res;
	u64 keys[8];

	OPEN(0);
	REGISTER_BOTH();
	ASSERT_EQ(0, pr_out(self->qb, PR_RESERVE, TYPE_WRITE_EX_REG, KEY_B,
			    0));
	ASSERT_EQ(0, write_one(self->qb, 8, 1));
	ASSERT_EQ(0, pr_out(self->qa, PR_PREEMPT, TYPE_WRITE_EX_REG, KEY_A,
			    KEY_B));
	ASSERT_EQ(0, vscsi_cmd(self->qb, 0, ready, 6, DIR_NONE, NULL, 0,
			       &res));
	EXPECT_EQ(SENSE(KEY_UNIT_ATTENTION, 0x2a, 0x05), res.key);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, write_one(self->qb, 8, 2));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  pr_out(self->qb, PR_REGISTER, 0, KEY_B, KEY_B));
	EXPECT_EQ(1, read_keys(self->qa, keys));
	EXPECT_EQ(KEY_A, keys[0]);
	EXPECT_EQ(0, read_one(self->qa, 8, 1));
	/* It may come back when it asks to. */
	ASSERT_EQ(0, pr_out(self->qb, PR_REGISTER, 0, 0, KEY_B));
	EXPECT_EQ(0, write_one(self->qb, 8, 3));
}

static int start_writes(struct vscsi_queue *q, unsigned int n, u32 generation)
{
	struct vscsi_req *r;
	u8 cdb[16];
	int ret;

	while (n--) {
		r = vscsi_get(q);
		if (!r)
			return -EBUSY;
		vscsi_cdb_rw(cdb, true, n * BLOCKS, BLOCKS);
		vscsi_prepare(r, 0, cdb, sizeof(cdb), DIR_OUT, LEN);
		pattern_fill(r->buf, LEN, n * BLOCKS, generation);
		ret = vscsi_submit(r);
		if (ret)
			return ret;
	}
	vscsi_kick(q);
	return 0;
}

/*
 * Writes of the one that is fenced are in flight: when the fencing command
 * returns none of them is any more, and what the other writes then stays.
 */
static void fence_in_flight(struct __test_metadata *_metadata,
			    FIXTURE_DATA(pr) *self, const struct bed *bed_b,
			    unsigned int action)
{
	struct vhost_target_stats st;

	REGISTER_BOTH();
	ASSERT_EQ(0, pr_out(self->qa, PR_RESERVE, TYPE_WRITE_EX_REG, KEY_A,
			    0));
	ASSERT_EQ(0, vscsi_ready(self->qb, 0));
	ASSERT_EQ(0, start_writes(self->qb, FLIGHT, 1));
	ASSERT_EQ(0, bed_wait_inflight(bed_b, FLIGHT));
	ASSERT_EQ(0, pr_out(self->qa, action, TYPE_WRITE_EX_REG, KEY_A,
			    KEY_B));
	bed_stats(bed_b, &st);
	EXPECT_EQ(0, st.inflight);
	/* Those that it offers now do not get through. */
	ASSERT_EQ(0, start_writes(self->qb, FLIGHT, 2));
	ASSERT_EQ(0, vscsi_write_pattern(self->qa, 0, 0, FLIGHT, LEN, SECTOR,
					 3));
	ASSERT_EQ(0, vscsi_drain(self->qb));
	EXPECT_EQ(0, vscsi_check_pattern(self->qa, 0, 0, FLIGHT, LEN, SECTOR,
					 3));
}

TEST_F(pr, preempt_in_flight)
{
	OPEN(SLOW_NS);
	fence_in_flight(_metadata, self,
			sharers_other(&self->s), PR_PREEMPT);
}

TEST_F(pr, preempt_and_abort_in_flight)
{
	OPEN(SLOW_NS);
	fence_in_flight(_metadata, self,
			sharers_other(&self->s),
			PR_PREEMPT_ABORT);
}

/* Each fences the other with writes in flight: one wins, nobody hangs. */
TEST_F(pr, preempt_each_other)
{
	u8 cdb[10] = { 0x5f, PR_PREEMPT, TYPE_WRITE_EX_REG, [8] = 24 };
	struct vscsi_req *r[2], *done;
	struct vscsi_queue *q[2] = { self->qa, self->qb };
	u64 key[2] = { KEY_A, KEY_B }, keys[8], be;
	unsigned int i, won = 0;
	u8 status[2];

	OPEN(SLOW_NS);
	REGISTER_BOTH();
	ASSERT_EQ(0, pr_out(self->qa, PR_RESERVE, TYPE_WRITE_EX_REG, KEY_A,
			    0));
	ASSERT_EQ(0, vscsi_ready(self->qb, 0));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, start_writes(q[i], 4, i + 1));
	for (i = 0; i < 2; i++) {
		r[i] = vscsi_get(q[i]);
		vscsi_prepare(r[i], 0, cdb, sizeof(cdb), DIR_OUT, 24);
		memset(r[i]->buf, 0, 24);
		be = htobe64(key[i]);
		memcpy(r[i]->buf, &be, 8);
		be = htobe64(key[!i]);
		memcpy(r[i]->buf + 8, &be, 8);
		ASSERT_EQ(0, vscsi_submit(r[i]));
	}
	for (i = 0; i < 2; i++)
		vscsi_kick(q[i]);
	for (i = 0; i < 2; i++) {
		while (q[i]->inflight) {
			ASSERT_EQ(0, vscsi_wait(q[i], &done));
			vscsi_put(done);
		}
		status[i] = r[i]->resp->status;
		won += status[i] == SCSI_GOOD;
	}
	EXPECT_EQ(1, won);
	i = status[0] == SCSI_GOOD ? 0 : 1;
	EXPECT_EQ(1, read_keys(q[i], keys));
	EXPECT_EQ(key[i], keys[0]);
	EXPECT_EQ(0, write_one(q[i], 0, 9));
	ASSERT_LE(0, vscsi_ready(q[!i], 0));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, write_one(q[!i], 0, 8));
	EXPECT_EQ(0, read_one(q[i], 0, 9));
}

static struct vscsi_req *start_preempt(struct vscsi_queue *q, u64 key,
				       u64 other)
{
	static const u8 cdb[10] = {
		0x5f, PR_PREEMPT_ABORT, TYPE_WRITE_EX_REG, [8] = 24
	};
	struct vscsi_req *r = vscsi_get(q);

	vscsi_prepare(r, 0, cdb, sizeof(cdb), DIR_OUT, 24);
	key = htobe64(key);
	other = htobe64(other);
	memset(r->buf, 0, 24);
	memcpy(r->buf, &key, 8);
	memcpy(r->buf + 8, &other, 8);
	if (vscsi_submit(r))
		return NULL;
	vscsi_kick(q);
	return r;
}

static struct vscsi_req *start_read_keys(struct vscsi_queue *q)
{
	static const u8 cdb[10] = { 0x5e, 0, [8] = 72 };
	struct vscsi_req *r = vscsi_get(q);

	vscsi_prepare(r, 0, cdb, sizeof(cdb), DIR_IN, 72);
	if (vscsi_submit(r))
		return NULL;
	vscsi_kick(q);
	return r;
}

/*
 * Who holds the reservations' lock drains A, which takes a while, and then B.
 * Meanwhile a command of B's waits for that lock, and a unit of B's target
 * goes, for which all of B's commands are waited for: B must be drained
 * nevertheless.
 */
TEST_F(pr, drain_while_unit_goes)
{
	struct bed *bed = sharers_other(&self->s);
	struct disk null = {
		.kind = DISK_NULL, .block_size = 512, .capacity = MIB,
	};
	struct vscsi_opts o = { .wwpn = self->s.bed[0].wwpn };
	struct vscsi c;
	u64 keys[8];

	OPEN(SLOW_NS);
	ASSERT_EQ(0, bed_add_lun(bed, 9, &null, 0));
	ASSERT_LE(0, vscsi_ready(self->qa, 0));
	ASSERT_LE(0, vscsi_ready(self->qb, 0));
	ASSERT_EQ(0, vscsi_open(&c, &o));
	ASSERT_EQ(0, pr_out(self->qa, PR_REGISTER, 0, 0, KEY_A));
	ASSERT_EQ(0, pr_out(self->qb, PR_REGISTER, 0, 0, KEY_A));
	ASSERT_EQ(0, pr_out(&c.q[0], PR_REGISTER, 0, 0, KEY_B));
	ASSERT_EQ(0, start_writes(self->qa, FLIGHT, 1));
	ASSERT_EQ(0, bed_wait_inflight(&self->s.bed[0], FLIGHT));
	ASSERT_NE(NULL, start_preempt(&c.q[0], KEY_B, KEY_A));
	sleep_ms(50);
	ASSERT_NE(NULL, start_read_keys(self->qb));
	sleep_ms(50);
	EXPECT_EQ(0, ctl_remove_unit(bed->ctl, bed->name, 9));
	EXPECT_EQ(0, vscsi_drain(&c.q[0]));
	EXPECT_EQ(0, vscsi_drain(self->qa));
	EXPECT_EQ(0, vscsi_drain(self->qb));
	ASSERT_LE(0, vscsi_ready(&c.q[0], 0));
	EXPECT_EQ(1, read_keys(&c.q[0], keys));
	EXPECT_EQ(KEY_B, keys[0]);
	vscsi_close(&c);
}

#define SAME_BLOCKS (4 * MIB / SECTOR)

/* A pattern, over so many blocks that it lasts: as many writes as pages and more. */
static struct vscsi_req *start_same(struct vscsi_queue *q)
{
	static const u8 cdb[10] = {
		0x41, [7] = SAME_BLOCKS >> 8, SAME_BLOCKS & 0xff
	};
	struct vscsi_req *r = vscsi_get(q);

	vscsi_prepare(r, 0, cdb, sizeof(cdb), DIR_OUT, SECTOR);
	memset(r->buf, 0x5a, SECTOR);
	if (vscsi_submit(r))
		return NULL;
	vscsi_kick(q);
	return r;
}

static struct vscsi_req *start_register(struct vscsi_queue *q, u64 key)
{
	static const u8 cdb[10] = { 0x5f, PR_REGISTER, [8] = 24 };
	struct vscsi_req *r = vscsi_get(q);

	vscsi_prepare(r, 0, cdb, sizeof(cdb), DIR_OUT, 24);
	key = htobe64(key);
	memset(r->buf, 0, 24);
	memcpy(r->buf + 8, &key, 8);
	if (vscsi_submit(r))
		return NULL;
	vscsi_kick(q);
	return r;
}

/*
 * A's long command is in nobody's way: neither a change of the reservations
 * nor what comes behind that waits for its end.
 */
TEST_F(pr, long_command)
{
	static const u8 mode_sense[6] = { 0x1a, 0x08, 0x08, [4] = 32 };
	struct vscsi_req *same, *reg, *done;
	u64 keys[8], tag;

	OPEN(SLOW_NS);
	same = start_same(self->qa);
	ASSERT_NE(NULL, same);
	tag = same->cmd->tag;
	ASSERT_EQ(0, bed_wait_inflight(&self->s.bed[0], 1));
	reg = start_register(self->qa, KEY_A);
	ASSERT_NE(NULL, reg);
	EXPECT_EQ(0, vscsi_do(self->qb, 0, mode_sense, 6, DIR_IN, NULL, 32));
	ASSERT_EQ(0, vscsi_wait(self->qa, &done));
	ASSERT_EQ(reg, done);
	EXPECT_EQ(SCSI_GOOD, reg->resp->status);
	vscsi_put(reg);
	EXPECT_EQ(1, read_keys(self->qb, keys));
	EXPECT_EQ(VSCSI_NONE, vring_read(&same->resp->response));
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vscsi_tmf(&self->s.d[0], VIRTIO_SCSI_T_TMF_ABORT_TASK, 0,
			    tag));
	EXPECT_EQ(VIRTIO_SCSI_S_ABORTED, vring_read(&same->resp->response));
	EXPECT_EQ(0, vscsi_drain(self->qa));
}

/* It does not go on when its right is taken away. */
TEST_F(pr, long_command_fenced)
{
	const u64 last = SAME_BLOCKS - BLOCKS;
	struct vscsi_req *same;

	OPEN(SLOW_NS);
	REGISTER_BOTH();
	ASSERT_EQ(0, pr_out(self->qb, PR_RESERVE, TYPE_WRITE_EX_REG, KEY_B,
			    0));
	ASSERT_LE(0, vscsi_ready(self->qa, 0));
	same = start_same(self->qa);
	ASSERT_NE(NULL, same);
	ASSERT_EQ(0, bed_wait_inflight(&self->s.bed[0], 1));
	ASSERT_EQ(0, pr_out(self->qb, PR_PREEMPT, TYPE_WRITE_EX_REG, KEY_B,
			    KEY_A));
	ASSERT_EQ(0, write_one(self->qb, last, 3));
	ASSERT_EQ(0, vscsi_drain(self->qa));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, same->resp->response);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, same->resp->status);
	EXPECT_EQ(0, read_one(self->qb, last, 3));
}

/* A VM that is started again is who it was. */
TEST_F(pr, kept_over_reset)
{
	u64 keys[8], key;

	OPEN(0);
	REGISTER_BOTH();
	ASSERT_EQ(0, pr_out(self->qb, PR_RESERVE, TYPE_WRITE_EX, KEY_B, 0));
	ASSERT_EQ(0, vscsi_reset(&self->s.d[1]));
	EXPECT_EQ(2, read_keys(self->qb, keys));
	EXPECT_EQ(TYPE_WRITE_EX, read_holder(self->qa, &key));
	EXPECT_EQ(KEY_B, key);
	EXPECT_EQ(0, write_one(self->qb, 0, 1));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, write_one(self->qa, 0, 2));
	/* Gone for good, it still holds: others must preempt it. */
	vscsi_close(&self->s.d[1]);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, write_one(self->qa, 0, 2));
	ASSERT_EQ(0, pr_out(self->qa, PR_PREEMPT, TYPE_WRITE_EX, KEY_A,
			    KEY_B));
	EXPECT_EQ(0, write_one(self->qa, 0, 3));
}

/* Attach as @name; 0 or -errno. */
static int attach(FIXTURE_DATA(pr) *self, struct vscsi *d, const char *name,
		  char wwpn[128])
{
	struct vscsi_opts o = { .wwpn = wwpn };

	snprintf(wwpn, 128, "%s@%s", self->s.bed[0].wwpn, name);
	return vscsi_open(d, &o);
}

/* Sessions of a shared target that have names are who they were. */
TEST_F(pr, named_initiators)
{
	char wwpn[3][128];
	struct vscsi c, d, e;
	u64 keys[8];

	OPEN(0);
	ASSERT_EQ(0, attach(self, &c, "node1", wwpn[0]));
	ASSERT_EQ(0, attach(self, &d, "node2", wwpn[1]));
	EXPECT_EQ(-EBUSY, attach(self, &e, "node1", wwpn[2]));
	vscsi_close(&e);
	EXPECT_EQ(-EINVAL, attach(self, &e, "", wwpn[2]));
	vscsi_close(&e);
	EXPECT_EQ(-EINVAL, attach(self, &e, "no de", wwpn[2]));
	vscsi_close(&e);
	ASSERT_EQ(0, pr_out(&c.q[0], PR_REGISTER, 0, 0, KEY_A));
	ASSERT_EQ(0, pr_out(&c.q[0], PR_RESERVE, TYPE_WRITE_EX, KEY_A, 0));
	vscsi_close(&c);
	vscsi_close(&d);
	/* The other one comes first now. */
	ASSERT_EQ(0, attach(self, &d, "node2", wwpn[1]));
	ASSERT_EQ(0, attach(self, &c, "node1", wwpn[0]));
	EXPECT_EQ(1, read_keys(&d.q[0], keys));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, write_one(&d.q[0], 0, 1));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, write_one(self->qa, 0, 1));
	EXPECT_EQ(0, write_one(&c.q[0], 0, 1));
	EXPECT_EQ(0, pr_out(&c.q[0], PR_CLEAR, 0, KEY_A, 0));
	vscsi_close(&c);
	vscsi_close(&d);
}

TEST_HARNESS_MAIN
