// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that break the rules, beside a bystander on the same poller: each
 * ends with a clear response or stops its ring, and is counted.
 */
#include <string.h>

#include "harness.h"
#include "two.h"

#define LEN 4096
#define CDB_RW 16
#define HEAD offsetof(struct virtio_scsi_cmd_req, cdb)
#define RESP offsetof(struct virtio_scsi_cmd_resp, sense)

FIXTURE(hazard)
{
	struct two t;
	struct vscsi_queue *q;
	struct vhost_target_stats before;
};

FIXTURE_VARIANT(hazard)
{
	bool packed;
	bool indirect;
};

FIXTURE_VARIANT_ADD(hazard, split) { false, false };
FIXTURE_VARIANT_ADD(hazard, split_indirect) { false, true };
FIXTURE_VARIANT_ADD(hazard, packed) { true, false };
FIXTURE_VARIANT_ADD(hazard, packed_indirect) { true, true };

FIXTURE_SETUP(hazard)
{
	struct two_opts o = {
		.packed = variant->packed, .indirect = variant->indirect,
	};

	self->q = &self->t.d.q[0];
	ASSERT_EQ(0, two_open(&self->t, &o));
	ASSERT_EQ(0, vscsi_verified_io(self->q, 0, 0, 8, LEN, 512, 1));
}

FIXTURE_TEARDOWN(hazard)
{
	two_close(&self->t);
}

#define BYSTANDER() EXPECT_EQ(0, two_bystander(&self->t))

/* A read of LEN bytes from block 0, not yet offered, as a start. */
static struct vscsi_req *a_read(struct vscsi_queue *q)
{
	struct vscsi_req *r = vscsi_get(q);
	u8 cdb[CDB_RW];

	vscsi_cdb_rw(cdb, false, 0, LEN / SECTOR);
	vscsi_prepare(r, 0, cdb, sizeof(cdb), DIR_IN, LEN);
	return r;
}

static struct vscsi_req *a_write(struct vscsi_queue *q)
{
	struct vscsi_req *r = vscsi_get(q);
	u8 cdb[CDB_RW];

	vscsi_cdb_rw(cdb, true, 1024, LEN / SECTOR);
	vscsi_prepare(r, 0, cdb, sizeof(cdb), DIR_OUT, LEN);
	return r;
}

#define SEG_CMD(r) { (r)->cmd_gpa, sizeof(*(r)->cmd), false }
#define SEG_RESP(r) { (r)->resp_gpa, sizeof(*(r)->resp), true }
#define SEG_IN(r, len) { (r)->buf_gpa, len, true }
#define SEG_OUT(r, len) { (r)->buf_gpa, len, false }

/*
 * Offer the segments as @r: its response, or what vscsi_wait_ms() said. It
 * stays the caller's, so that the rest of the response can be looked at.
 */
static int offer(struct vscsi_queue *q, struct vscsi_req *r,
		 const struct vring_seg *seg, unsigned int n)
{
	struct vscsi_req *done;
	int ret = vscsi_submit_chain(r, seg, n);

	vq_force_kick(&q->vq);
	if (!ret)
		ret = vscsi_wait_ms(q, &done, VT_PATIENCE * 1000);
	return ret ? ret : vring_read(&r->resp->response);
}

/* Ends with the response @want, is counted, and nobody else notices. */
#define EXPECT_RESPONSE(want, count, r, ...) do { \
	const struct vring_seg __seg[] = { __VA_ARGS__ }; \
	bed_stats(&self->t.bed[0], &self->before); \
	EXPECT_EQ(want, offer(self->q, r, __seg, ARRAY_SIZE(__seg))); \
	EXPECT_TRUE(bed_counted(&self->t.bed[0], &self->before, count, 0)); \
	BYSTANDER(); \
	EXPECT_EQ(0, vscsi_ready(self->q, 0)); \
} while (0)

/* Stops its ring; the device works again after it is set up anew. */
#define EXPECT_STOPPED(queue, r, ...) do { \
	const struct vring_seg __seg[] = { __VA_ARGS__ }; \
	bed_stats(&self->t.bed[0], &self->before); \
	EXPECT_EQ(-EPIPE, offer(queue, r, __seg, ARRAY_SIZE(__seg))); \
	EXPECT_TRUE(bed_counted(&self->t.bed[0], &self->before, 0, 1)); \
	BYSTANDER(); \
	ASSERT_EQ(0, two_recover(&self->t)); \
} while (0)

#define EXPECT_SENSE(want, lun, cdb, dir, len) do { \
	struct vscsi_result __res = { 0 }; \
	EXPECT_EQ(0, vscsi_cmd(self->q, lun, cdb, sizeof(cdb), dir, NULL, \
			       len, &__res)); \
	EXPECT_EQ(VIRTIO_SCSI_S_OK, __res.response); \
	EXPECT_EQ(SCSI_CHECK_CONDITION, __res.status); \
	EXPECT_EQ(want, __res.key) \
		TH_LOG("opcode %#x: sense %06x", (cdb)[0], __res.key); \
} while (0)

/* LUN fields. */

TEST_F(hazard, bad_target)
{
	static const u8 bad[][8] = {
		{ 0 }, { 0, 0, 0, 0 }, { 1, 1 }, { 1, 255 }, { 2 }, { 0xff },
		{ 1, 0, 1, 0 }, { 1, 0, 0x80 }, { 1, 0, 0xc1 },
		{ 1, 0, 0, 0, 0, 1 }, { 1, 0, 0x40, 0, 0, 0, 0, 1 },
		{ 255, 255, 255, 255, 255, 255, 255, 255 },
	};
	struct vhost_target_stats before, after;
	struct vscsi_req *r;
	unsigned int i;

	bed_stats(&self->t.bed[0], &before);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		r = a_read(self->q);
		memcpy(r->cmd->lun, bad[i], 8);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_BAD_TARGET, 0, r, SEG_CMD(r),
				SEG_RESP(r), SEG_IN(r, LEN));
	}
	/* To look for what is not there breaks no rule. */
	bed_stats(&self->t.bed[0], &after);
	EXPECT_EQ(ARRAY_SIZE(bad), after.absent - before.absent);
}

/* LUN 0 in its other form is LUN 0. */
TEST_F(hazard, flat_lun)
{
	static const u8 flat[8] = { 1, 0, 0x40 };
	struct vscsi_req *r = a_read(self->q);

	memcpy(r->cmd->lun, flat, 8);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, 0, r, SEG_CMD(r), SEG_RESP(r),
			SEG_IN(r, LEN));
	EXPECT_EQ(SCSI_GOOD, r->resp->status);
}

TEST_F(hazard, missing_lun)
{
	static const u8 inquiry[6] = { 0x12, [4] = 36 };
	static const u8 report_luns[12] = { 0xa0, [9] = 16 };
	static const u8 ready[6], sense[6] = { 0x03, [4] = 18 };
	u8 buf[36], cdb[CDB_RW];

	vscsi_cdb_rw(cdb, false, 0, 8);
	EXPECT_SENSE(SENSE(KEY_ILLEGAL_REQUEST, 0x25, 0), 7, cdb, DIR_IN, LEN);
	EXPECT_SENSE(SENSE(KEY_ILLEGAL_REQUEST, 0x25, 0), 7, ready, DIR_NONE,
		     0);
	ASSERT_EQ(0, vscsi_do(self->q, 7, inquiry, 6, DIR_IN, buf, 36));
	EXPECT_EQ(0x7f, buf[0]);
	ASSERT_EQ(0, vscsi_do(self->q, 7, report_luns, 12, DIR_IN, buf, 16));
	EXPECT_EQ(8, buf[3]);
	ASSERT_EQ(0, vscsi_do(self->q, 7, sense, 6, DIR_IN, buf, 18));
	EXPECT_EQ(KEY_ILLEGAL_REQUEST, buf[2] & 0xf);
	EXPECT_EQ(0x25, buf[12]);
	BYSTANDER();
}

/* Headers and responses. */

TEST_F(hazard, header_short)
{
	static const u32 len[] = { 0, 1, 18, 19, 50 };
	struct vscsi_req *r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		r = a_read(self->q);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, 1, r,
				{ r->cmd_gpa, len[i] ? len[i] : 1, false },
				SEG_RESP(r), SEG_IN(r, LEN));
	}
	r = a_read(self->q);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, 1, r, SEG_RESP(r),
			SEG_IN(r, LEN));
}

/* However it is cut: ANY_LAYOUT is what virtio 1.0 is. */
TEST_F(hazard, cut_anywhere)
{
	struct vscsi_req *r;
	u32 at;

	for (at = 1; at < 51; at += 7) {
		r = a_read(self->q);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, 0, r,
				{ r->cmd_gpa, at, false },
				{ r->cmd_gpa + at, 51 - at, false },
				{ r->resp_gpa, at, true },
				{ r->resp_gpa + at, 108 - at, true },
				{ r->buf_gpa, at, true },
				{ r->buf_gpa + at, LEN - at, true });
		EXPECT_EQ(SCSI_GOOD, r->resp->status);
		EXPECT_EQ(0, r->resp->resid);
	}
}

/* Header and data in one descriptor, response and data in one. */
TEST_F(hazard, one_descriptor_each)
{
	struct vscsi_req *r = a_write(self->q);
	struct virtio_scsi_cmd_resp *resp;
	u8 *all = r->buf;

	memcpy(all, r->cmd, 51);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, 0, r, SEG_OUT(r, 51 + LEN),
			SEG_RESP(r));
	EXPECT_EQ(SCSI_GOOD, r->resp->status);
	r = a_read(self->q);
	resp = r->resp;
	r->resp = (void *)r->buf;
	r->resp->response = VSCSI_NONE;
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, 0, r, SEG_CMD(r),
			SEG_IN(r, 108 + LEN));
	EXPECT_EQ(SCSI_GOOD, r->resp->status);
	r->resp = resp;
}

TEST_F(hazard, response_missing)
{
	struct vscsi_req *r = a_write(self->q);

	EXPECT_STOPPED(self->q, r, SEG_CMD(r), SEG_OUT(r, LEN));
	r = a_write(self->q);
	EXPECT_STOPPED(self->q, r, SEG_CMD(r), SEG_OUT(r, LEN),
		       { r->resp_gpa, RESP - 1, true });
	r = a_write(self->q);
	EXPECT_STOPPED(self->q, r, SEG_CMD(r), SEG_OUT(r, LEN),
		       { r->resp_gpa, 108, false });
}

TEST_F(hazard, response_in_hole)
{
	struct vscsi_req *r = a_write(self->q);
	u64 hole = mem_hole(&self->t.d.mem);

	EXPECT_STOPPED(self->q, r, SEG_CMD(r), SEG_OUT(r, LEN),
		       { hole, 108, true });
}

/* No room for sense data: the status says what there is to say. */
TEST_F(hazard, response_without_sense)
{
	struct vscsi_req *r = vscsi_get(self->q);
	static const u8 unknown[6] = { 0xc0 };

	vscsi_prepare(r, 0, unknown, 6, DIR_NONE, 0);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, 0, r, SEG_CMD(r),
			{ r->resp_gpa, RESP, true });
	EXPECT_EQ(SCSI_CHECK_CONDITION, r->resp->status);
	EXPECT_EQ(0, r->resp->sense_len);
	EXPECT_EQ(RESP, r->used_len);
}

TEST_F(hazard, header_in_hole)
{
	struct vscsi_req *r = a_read(self->q);
	u64 hole = mem_hole(&self->t.d.mem);

	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, 1, r, { hole, 51, false },
			SEG_RESP(r), SEG_IN(r, LEN));
	r = a_read(self->q);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, 1, r, { hole - 20, 51, false },
			SEG_RESP(r), SEG_IN(r, LEN));
}

/* Data. */

TEST_F(hazard, data_in_hole)
{
	u64 hole = mem_hole(&self->t.d.mem);
	u64 at[] = { hole, hole - LEN / 2, ~0ull - LEN / 2, 1ull << 63 };
	struct vscsi_req *r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		r = a_read(self->q);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, 1, r, SEG_CMD(r),
				SEG_RESP(r), { at[i], LEN, true });
		r = a_write(self->q);
		EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, 1, r, SEG_CMD(r),
				{ at[i], LEN, false }, SEG_RESP(r));
	}
}

TEST_F(hazard, data_wrong_direction)
{
	struct vscsi_req *r = a_read(self->q);

	EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, 0, r, SEG_CMD(r),
			SEG_OUT(r, LEN), SEG_RESP(r));
	r = a_write(self->q);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, 0, r, SEG_CMD(r), SEG_RESP(r),
			SEG_IN(r, LEN));
	r = a_read(self->q);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, 0, r, SEG_CMD(r), SEG_RESP(r));
	r = a_write(self->q);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_OVERRUN, 0, r, SEG_CMD(r),
			SEG_OUT(r, LEN - 1), SEG_RESP(r));
}

/* INOUT was accepted: what a read does not need is left alone. */
TEST_F(hazard, data_both_ways)
{
	struct vscsi_req *r = a_read(self->q);

	EXPECT_RESPONSE(VIRTIO_SCSI_S_OK, 0, r, SEG_CMD(r),
			SEG_OUT(r, 512), SEG_RESP(r), SEG_IN(r, LEN));
	EXPECT_EQ(512, r->resp->resid);
}

TEST_F(hazard, data_both_ways_not_agreed)
{
	struct vscsi_opts o = self->t.d.o;
	struct vscsi_req *r;

	vscsi_close(&self->t.d);
	ASSERT_EQ(0, bed_wait_detached(&self->t.bed[0]));
	o.without = VSCSI_BIT(VIRTIO_SCSI_F_INOUT);
	ASSERT_EQ(0, vscsi_open(&self->t.d, &o));
	r = a_read(self->q);
	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, 1, r, SEG_CMD(r),
			SEG_OUT(r, 512), SEG_RESP(r), SEG_IN(r, LEN));
}

/* The lengths add up to a small number in 32 bits; the CDB asks for more. */
TEST_F(hazard, data_length_overflow)
{
	struct vscsi_req *r = a_read(self->q);

	EXPECT_RESPONSE(VIRTIO_SCSI_S_FAILURE, 1, r, SEG_CMD(r), SEG_RESP(r),
			{ mem_hole(&self->t.d.mem), 0xffffffff, true },
			{ mem_hole(&self->t.d.mem), 513, true });
}

/* Commands. */

TEST_F(hazard, unknown_opcodes)
{
	u8 cdb[CDB_RW] = { 0 };
	unsigned int op;

	for (op = 0xc0; op <= 0xff; op++) {
		cdb[0] = op;
		EXPECT_SENSE(SENSE(KEY_ILLEGAL_REQUEST, 0x20, 0), 0, cdb,
			     DIR_NONE, 0);
	}
	cdb[0] = 0x04;	/* FORMAT UNIT */
	EXPECT_SENSE(SENSE(KEY_ILLEGAL_REQUEST, 0x20, 0), 0, cdb, DIR_NONE, 0);
	BYSTANDER();
}

TEST_F(hazard, unknown_service_actions)
{
	u8 in[16] = { 0x9e, 0x1f }, resv[10] = { 0x5f, 0x1f, [8] = 24 };
	struct vscsi_result res;

	ASSERT_EQ(0, vscsi_cmd(self->q, 0, in, 16, DIR_IN, NULL, 32, &res));
	EXPECT_EQ(SCSI_CHECK_CONDITION, res.status);
	EXPECT_EQ(KEY_ILLEGAL_REQUEST, SENSE_KEY(res.key));
	ASSERT_EQ(0, vscsi_cmd(self->q, 0, resv, 10, DIR_OUT, NULL, 24, &res));
	EXPECT_EQ(SCSI_CHECK_CONDITION, res.status);
	EXPECT_EQ(KEY_ILLEGAL_REQUEST, SENSE_KEY(res.key));
	BYSTANDER();
}

/* A bit that is reserved: the sense data points at it. */
TEST_F(hazard, reserved_bit)
{
	struct vscsi_req *r = a_read(self->q), *done;

	r->cmd->cdb[14] = 0x80;
	ASSERT_EQ(0, vscsi_submit(r));
	vscsi_kick(self->q);
	ASSERT_EQ(0, vscsi_wait(self->q, &done));
	EXPECT_EQ(SCSI_CHECK_CONDITION, r->resp->status);
	EXPECT_EQ(0x70, r->resp->sense[0]);
	EXPECT_EQ(KEY_ILLEGAL_REQUEST, r->resp->sense[2]);
	EXPECT_EQ(0x24, r->resp->sense[12]);
	EXPECT_EQ(0xcf, r->resp->sense[15]);	/* SKSV, C/D, BPV, bit 7 */
	EXPECT_EQ(14, r->resp->sense[17]);
	vscsi_put(r);
}

TEST_F(hazard, allocation_length)
{
	u8 inquiry[6] = { 0x12 }, buf[64];
	struct vscsi_result res;
	unsigned int len, i;

	for (len = 0; len <= 36; len++) {
		struct vscsi_req *r = vscsi_get(self->q), *done;

		inquiry[4] = len;
		vscsi_prepare(r, 0, inquiry, 6, DIR_IN, sizeof(buf));
		memset(r->buf, 0xee, sizeof(buf));
		ASSERT_EQ(0, vscsi_submit(r));
		vscsi_kick(self->q);
		ASSERT_EQ(0, vscsi_wait(self->q, &done));
		vscsi_result(r, &res);
		EXPECT_EQ(SCSI_GOOD, res.status);
		EXPECT_EQ(sizeof(buf) - len, res.resid);
		for (i = len; i < sizeof(buf); i++)
			ASSERT_EQ(0xee, r->buf[i]) TH_LOG("%u of %u", i, len);
		vscsi_put(r);
	}
}

TEST_F(hazard, write_to_read_only)
{
	u8 cdb[CDB_RW];

	ASSERT_EQ(0, ctl_remove_unit(self->t.bed[0].ctl, self->t.bed[0].name,
				     0));
	ASSERT_EQ(0, bed_add_lun(&self->t.bed[0], 0, &self->t.disk[0],
				 VHOST_TARGET_UNIT_F_RO));
	ASSERT_EQ(0, vscsi_ready(self->q, 0));
	vscsi_cdb_rw(cdb, true, 0, 8);
	EXPECT_SENSE(SENSE(KEY_DATA_PROTECT, 0x27, 0), 0, cdb, DIR_OUT, LEN);
	vscsi_cdb_rw(cdb, false, 0, 8);
	EXPECT_EQ(0, vscsi_do(self->q, 0, cdb, 16, DIR_IN, NULL, LEN));
	BYSTANDER();
}

/* The control queue. */

/* First byte of the response to @out bytes of a request, or -errno. */
static int control(struct vscsi *d, u32 type, u32 out, u32 in)
{
	struct vscsi_req *r = vscsi_get(&d->ctl);
	struct vring_seg seg[2];
	int ret;

	memset(r->tmf, 0, sizeof(*r->tmf));
	r->tmf->type = type;
	r->tmf->subtype = VIRTIO_SCSI_T_TMF_QUERY_TASK_SET;
	vscsi_lun(r->tmf->lun, 0);
	r->tmf_resp->response = VSCSI_NONE;
	seg[0] = (struct vring_seg){ r->cmd_gpa, out, false };
	seg[1] = (struct vring_seg){ r->resp_gpa, in, true };
	ret = offer(&d->ctl, r, seg, in ? 2 : 1);
	if (ret < 0)
		return ret;
	vscsi_put(r);
	return r->tmf_resp->response;
}

TEST_F(hazard, control_requests)
{
	struct vscsi *d = &self->t.d;

	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, control(d, VIRTIO_SCSI_T_TMF, 23, 1));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE, control(d, VIRTIO_SCSI_T_TMF, 3, 1));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, control(d, VIRTIO_SCSI_T_TMF, 24, 1));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, control(d, VIRTIO_SCSI_T_TMF, 51, 108));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED, control(d, 99, 24, 1));
	EXPECT_EQ(VIRTIO_SCSI_S_FUNCTION_REJECTED, control(d, ~0u, 24, 1));
	BYSTANDER();
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
}

TEST_F(hazard, control_without_response)
{
	bed_stats(&self->t.bed[0], &self->before);
	EXPECT_EQ(-EPIPE, control(&self->t.d, VIRTIO_SCSI_T_TMF, 24, 0));
	EXPECT_TRUE(bed_counted(&self->t.bed[0], &self->before, 0, 1));
	/* The others go on until the driver resets the device. */
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
	BYSTANDER();
	ASSERT_EQ(0, vscsi_reset(&self->t.d));
	EXPECT_EQ(VIRTIO_SCSI_S_OK,
		  vscsi_tmf(&self->t.d, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0,
			    0));
}

/* A command on the control queue is none of its requests. */
TEST_F(hazard, command_on_control_queue)
{
	struct vscsi_req *r = vscsi_get(&self->t.d.ctl);
	static const u8 ready[6];
	struct vring_seg seg[2];

	vscsi_prepare(r, 0, ready, 6, DIR_NONE, 0);
	seg[0] = (struct vring_seg){ r->cmd_gpa, 51, false };
	seg[1] = (struct vring_seg){ r->resp_gpa, 108, true };
	EXPECT_LE(0, offer(&self->t.d.ctl, r, seg, 2));
	BYSTANDER();
	EXPECT_EQ(0, vscsi_ready(self->q, 0));
}

/* The event queue. */

TEST_F(hazard, event_not_writable)
{
	struct vscsi_req *r = vscsi_get(&self->t.d.ev);

	EXPECT_STOPPED(&self->t.d.ev, r, { r->buf_gpa, 16, false });
}

TEST_F(hazard, event_short)
{
	struct disk null = {
		.kind = DISK_NULL, .block_size = 512, .capacity = MIB,
	};
	struct vscsi_req *r = vscsi_get(&self->t.d.ev), *done;
	struct vring_seg seg = { r->buf_gpa, 4, true };

	memset(r->buf, 0xee, 16);
	ASSERT_EQ(0, vscsi_submit_chain(r, &seg, 1));
	vscsi_kick(&self->t.d.ev);
	ASSERT_EQ(0, bed_add_lun(&self->t.bed[0], 4, &null, 0));
	ASSERT_EQ(0, vscsi_wait(&self->t.d.ev, &done));
	EXPECT_EQ(4, done->used_len);
	EXPECT_EQ(VIRTIO_SCSI_T_TRANSPORT_RESET, r->buf[0]);
	EXPECT_EQ(0xee, r->buf[4]);
	BYSTANDER();
}

TEST_HARNESS_MAIN
