// SPDX-License-Identifier: GPL-2.0
/* Request queues: from a chain to a command and back to a response. */
#include <string.h>

#include "vscsi_bed.h"

#define NO_LU		0x052500
#define BAD_OPCODE	0x052000

static u64 le(__virtio32 v)
{
	return le32_to_cpu((__force __le32)v);
}

static void check_rw(struct vbed *v, enum vt_op op, u32 bytes)
{
	struct vt_io *io = &v->b->req.io;
	bool in = op == VT_OP_READ;
	struct virtio_scsi_cmd_resp r;

	ASSERT_EQ(0, vbed_parse(v, 2));
	EXPECT_EQ(op, io->op);
	EXPECT_EQ(in ? VHOST_TARGET_OP_READ : VHOST_TARGET_OP_WRITE,
		  v->b->req.op_class);
	EXPECT_EQ(7, io->sector);
	EXPECT_EQ(bytes, io->bytes);
	EXPECT(io->be == &v->b->be);
	EXPECT_EQ(0x1234, vbed_req(v)->tag);
	EXPECT_EQ(1, v->b->nr_reads);
	r = vbed_complete(v, BLK_STS_OK);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, r.response);
	EXPECT_EQ(SCSI_GOOD, r.status);
	EXPECT_EQ(0, le(r.resid));
	EXPECT_EQ(0, le(r.sense_len));
	EXPECT_EQ(in ? sizeof(r) + bytes : SCSI_RESP_HEAD, v->b->req.used_len);
}

TEST(cmd_rw, "commands: read and write, however they are cut into descriptors")
{
	struct vbed *v = vbed_new();
	unsigned int n, in;

	for (in = 0; in < 2; in++)
		for (n = 1; n <= 700; n++) {
			if (in)
				vbed_chain(v, READ10(7, 1), 0, 512);
			else
				vbed_chain(v, WRITE10(7, 1), 512, 0);
			bed_cut(v->b, n);
			check_rw(v, in ? VT_OP_READ : VT_OP_WRITE, 512);
		}
	vbed_free(v);
}

TEST(cmd_data_place, "commands: data is what comes after header and response")
{
	struct vbed *v = vbed_new();
	struct vt_chain *c = &v->b->chain;

	vbed_chain(v, WRITE10(0, 2), 1024, 0);
	ASSERT_EQ(0, vbed_parse(v, 2));
	EXPECT(v->b->bv[0].bv_page == (void *)bed_ptr(v->b, c->seg[1].addr));
	vbed_complete(v, BLK_STS_OK);
	vbed_chain(v, READ10(0, 2), 0, 1024);
	ASSERT_EQ(0, vbed_parse(v, 2));
	EXPECT(v->b->bv[0].bv_page == (void *)bed_ptr(v->b, c->seg[2].addr));
	vbed_complete(v, BLK_STS_OK);
	vbed_free(v);
}

TEST(cmd_residual, "commands: the residual is what was not used of the buffers")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;

	vbed_chain(v, READ10(0, 1), 0, 4096);
	r = vbed_run(v);
	EXPECT_EQ(4096 - 512, le(r.resid));
	EXPECT_EQ(sizeof(r) + 512, v->b->req.used_len);
	vbed_chain(v, TUR, 100, 0);
	r = vbed_run(v);
	EXPECT_EQ(100, le(r.resid));
	EXPECT_EQ(SCSI_RESP_HEAD, v->b->req.used_len);
	vbed_free(v);
}

TEST(cmd_overrun, "commands: more data than there are buffers for is an overrun")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;

	vbed_chain(v, READ10(0, 2), 0, 512);
	r = vbed_run(v);
	EXPECT_EQ(VIRTIO_SCSI_S_OVERRUN, r.response);
	vbed_chain(v, WRITE10(0, 2), 1023, 0);
	r = vbed_run(v);
	EXPECT_EQ(VIRTIO_SCSI_S_OVERRUN, r.response);
	/* Of this one the data was cut off. */
	vbed_chain(v, INQUIRY(96), 0, 8);
	r = vbed_run(v);
	EXPECT_EQ(VIRTIO_SCSI_S_OVERRUN, r.response);
	EXPECT_EQ(sizeof(r) + 8, v->b->req.used_len);
	vbed_free(v);
}

TEST(cmd_changes, "commands: what the guest changes after it was read is not seen")
{
	struct vbed *v = vbed_new();

	v->b->change = true;
	vbed_chain(v, READ10(7, 1), 0, 512);
	check_rw(v, VT_OP_READ, 512);
	vbed_free(v);
}

TEST(cmd_execute, "commands: a work item's data goes to and comes from the buffers")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;
	u8 data[96];
	unsigned int n;

	for (n = 1; n < 100; n++) {
		vbed_chain(v, INQUIRY(96), 0, 200);
		bed_cut(v->b, n);
		r = vbed_run(v);
		EXPECT_EQ(VIRTIO_SCSI_S_OK, r.response);
		EXPECT_EQ(SCSI_GOOD, r.status);
		vbed_seen(v, sizeof(r), data, sizeof(data));
		EXPECT(!memcmp(data + 8, "VHOST   ", 8));
		EXPECT_EQ(sizeof(r) + 96, v->b->req.used_len);
		EXPECT_EQ(200 - 96, le(r.resid));
	}
	/* Data-in comes after data-out in what was mapped. */
	vbed_chain(v, INQUIRY(96), 64, 96);
	r = vbed_run(v);
	vbed_seen(v, sizeof(r), data, sizeof(data));
	EXPECT(!memcmp(data + 8, "VHOST   ", 8));
	EXPECT_EQ(64, le(r.resid));
	vbed_free(v);
}

TEST(cmd_data_out, "commands: a work item gets what the driver wrote")
{
	/* MODE SELECT(6): the control page with another D_SENSE. */
	const u8 page[16] = { [4] = 0x0a, 0x0a, 0x04, 0x10,
			      [12] = 0xff, 0xff };
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;

	vbed_header(v, VBED_LUN_FIELD(0), CDB(0x15, 0x10, 0, 0, 16, 0));
	bed_out(v->b, page, sizeof(page));
	bed_in(v->b, sizeof(r));
	r = vbed_run(v);
	EXPECT_EQ(SCSI_GOOD, r.status);
	EXPECT_EQ(0, vbed_sense(&r));
	EXPECT(v->su[0].lu.d_sense);
	vbed_free(v);
}

TEST(cmd_no_response, "commands: no room for a response stops the ring")
{
	struct vbed *v = vbed_new();
	u32 len;

	for (len = 0; len < SCSI_RESP_HEAD; len++) {
		vbed_header(v, VBED_LUN_FIELD(0), TUR);
		bed_in(v->b, len);
		EXPECT_EQ(-EPROTO, vbed_parse(v, 2));
	}
	vbed_header(v, VBED_LUN_FIELD(0), TUR);
	bed_nowhere(v->b, true, 108);
	EXPECT_EQ(-EPROTO, vbed_parse(v, 2));
	/* Enough is what has no room for sense data. */
	vbed_header(v, VBED_LUN_FIELD(0), CDB(0xff, 0, 0, 0, 0, 0));
	bed_in(v->b, SCSI_RESP_HEAD);
	EXPECT_EQ(SCSI_CHECK_CONDITION, vbed_run(v).status);
	EXPECT_EQ(SCSI_RESP_HEAD, v->b->req.used_len);
	vbed_free(v);
}

/* Refused with a response of its own, and counted. */
static void check_refused(struct vbed *v, u8 response)
{
	u64 invalid = v->b->st.invalid, absent = v->b->st.absent;
	struct virtio_scsi_cmd_resp r;

	ASSERT_EQ(1, vbed_parse(v, 2));
	r = vbed_complete(v, BLK_STS_OK);
	EXPECT_EQ(response, r.response);
	EXPECT_EQ(0, le(r.sense_len));
	EXPECT_EQ(SCSI_RESP_HEAD, v->b->req.used_len);
	EXPECT_EQ(0, v->b->req.io.bytes);
	EXPECT_EQ(1, v->b->st.invalid - invalid + v->b->st.absent - absent);
	EXPECT_EQ(response == VIRTIO_SCSI_S_BAD_TARGET,
		  v->b->st.absent - absent);
}

TEST(cmd_header, "commands: a header that is too short or nowhere fails")
{
	struct vbed *v = vbed_new();
	u8 zero[64] = { 1 };
	u32 len;

	for (len = 0; len < 51; len++) {
		bed_reset(v->b);
		bed_out(v->b, zero, len);
		bed_in(v->b, 108);
		check_refused(v, VIRTIO_SCSI_S_FAILURE);
	}
	bed_reset(v->b);
	bed_nowhere(v->b, false, 51);
	bed_in(v->b, 108);
	check_refused(v, VIRTIO_SCSI_S_FAILURE);
	vbed_free(v);
}

TEST(cmd_bad_target, "commands: every LUN field that is none of the target's")
{
	static const u8 bad[][8] = {
		{ 0, 0, 0, 0 }, { 2, 0, 0, 0 }, { 1, 1, 0x40, 0 },
		{ 1, 255, 0, 0 }, { 1, 0, 1, 0 }, { 1, 0, 0x80, 0 },
		{ 1, 0, 0xc1, 1 }, { 1, 0, 0x3f, 0xff },
		{ 1, 0, 0x40, 0, 1 }, { 1, 0, 0x40, 0, 0, 0, 0, 1 },
		{ 0xc1, 1 }, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	struct vbed *v = vbed_new();
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		vbed_header(v, bad[i], INQUIRY(96));
		bed_in(v->b, 108 + 96);
		check_refused(v, VIRTIO_SCSI_S_BAD_TARGET);
	}
	vbed_free(v);
}

TEST(cmd_luns, "commands: both forms of a LUN, and one that is not there")
{
	static const u16 good[] = { 0, 0x4000, 0x4000 | VBED_LUN_FLAT };
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;
	unsigned int i;
	u8 data[36];

	for (i = 0; i < 3; i++) {
		vbed_header(v, VBED_LUN_FIELD(good[i]), READ10(0, 1));
		bed_in(v->b, 108);
		bed_in(v->b, 512);
		EXPECT_EQ(0, vbed_parse(v, 2));
		EXPECT(vbed_req(v)->task.itl == &v->itl[i == 2]);
		vbed_complete(v, BLK_STS_OK);
	}
	vbed_header(v, VBED_LUN_FIELD(5), TUR);
	bed_in(v->b, 108);
	r = vbed_run(v);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, r.response);
	EXPECT_EQ(SCSI_CHECK_CONDITION, r.status);
	EXPECT_EQ(NO_LU, vbed_sense(&r));
	EXPECT_EQ(SCSI_RESP_HEAD + le(r.sense_len), v->b->req.used_len);
	EXPECT_EQ(1, v->b->st.absent);
	EXPECT_EQ(0, v->b->st.invalid);

	vbed_header(v, VBED_LUN_FIELD(0x7fff), INQUIRY(36));
	bed_in(v->b, 108);
	bed_in(v->b, 36);
	r = vbed_run(v);
	EXPECT_EQ(SCSI_GOOD, r.status);
	vbed_seen(v, 108, data, sizeof(data));
	EXPECT_EQ(0x7f, data[0]);
	vbed_free(v);
}

TEST(cmd_inout, "commands: data both ways only with INOUT")
{
	struct vbed *v = vbed_new();

	v->vdev->features &= ~BIT_ULL(VIRTIO_SCSI_F_INOUT);
	vbed_chain(v, READ10(0, 1), 512, 512);
	check_refused(v, VIRTIO_SCSI_S_FAILURE);
	v->vdev->features |= BIT_ULL(VIRTIO_SCSI_F_INOUT);
	vbed_chain(v, READ10(0, 1), 512, 512);
	ASSERT_EQ(0, vbed_parse(v, 2));
	EXPECT_EQ(512, le(vbed_complete(v, BLK_STS_OK).resid));
	vbed_free(v);
}

TEST(cmd_sizes, "commands: cdb_size and sense_size as the driver set them")
{
	static const u32 cdb[] = { 6, 10, 16, 31, 32, 33, 64, 260 };
	static const u32 sense[] = { 1, 18, 95, 96, 97, 252, 1000 };
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;
	unsigned int i, k;

	for (i = 0; i < 8; i++)
		for (k = 0; k < 7; k++) {
			v->vdev->cdb_size = cdb[i];
			v->vdev->sense_size = sense[k];
			/* READ(6) of a block; then an opcode there is not. */
			vbed_chain(v, CDB(0x08, 0, 0, 9, 1, 0), 0, 512);
			ASSERT_EQ(0, vbed_parse(v, 2));
			EXPECT_EQ(9, v->b->req.io.sector);
			EXPECT(v->b->bv[0].bv_page ==
			       (void *)bed_ptr(v->b, v->b->chain.seg[2].addr));
			r = vbed_complete(v, BLK_STS_OK);
			EXPECT_EQ(sense[k] > 96 ? 12 : 12 + sense[k] + 512,
				  v->b->req.used_len);

			vbed_chain(v, CDB(0xff, 0, 0, 0, 0, 0), 0, 0);
			r = vbed_run(v);
			EXPECT_EQ(min_t(u32, sense[k], 18), le(r.sense_len));
			if (sense[k] >= 18)
				EXPECT_EQ(BAD_OPCODE, vbed_sense(&r));
		}
	vbed_free(v);
}

TEST(cmd_gap, "commands: no byte in front of the data is left unwritten")
{
	struct vbed *v = vbed_new();
	u8 sense[96];
	unsigned int i;

	vbed_chain(v, READ10(0, 1), 0, 512);
	vbed_run(v);
	vbed_seen(v, 12, sense, sizeof(sense));
	for (i = 0; i < sizeof(sense); i++)
		EXPECT_EQ(0, sense[i]);
	vbed_free(v);
}

TEST(cmd_no_data, "commands: data that is nowhere, or in too many pieces, fails")
{
	struct vbed *v = vbed_new();

	vbed_header(v, VBED_LUN_FIELD(0), READ10(0, 1));
	bed_in(v->b, 108);
	bed_nowhere(v->b, true, 512);
	ASSERT_EQ(1, vbed_parse(v, 2));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
		  vbed_complete(v, BLK_STS_OK).response);

	vbed_header(v, VBED_LUN_FIELD(0), INQUIRY(96));
	bed_in(v->b, 108);
	bed_nowhere(v->b, true, 96);
	ASSERT_EQ(1, vbed_parse(v, 2));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
		  vbed_complete(v, BLK_STS_OK).response);

	v->b->map_err = -E2BIG;
	vbed_chain(v, WRITE10(0, 1), 512, 0);
	ASSERT_EQ(1, vbed_parse(v, 2));
	EXPECT_EQ(VIRTIO_SCSI_S_FAILURE,
		  vbed_complete(v, BLK_STS_OK).response);
	vbed_free(v);
}

TEST(cmd_again, "commands: what is short now is tried again, nothing is lost")
{
	static const int errs[] = { -EAGAIN, -ENOBUFS };
	struct vbed *v = vbed_new();
	unsigned int i, cut;

	for (i = 0; i < 2; i++)
		for (cut = 0; cut < 2; cut++) {
			vbed_chain(v, READ10(7, 1), 0, 512);
			if (cut)
				bed_cut(v->b, 1);
			v->b->map_err = errs[i];
			EXPECT_EQ(errs[i], vbed_parse(v, 2));
			v->b->map_err = 0;
			check_rw(v, VT_OP_READ, 512);
		}
	/* The header, and then the response, come in later. */
	vbed_chain(v, READ10(7, 1), 0, 512);
	v->b->hole_err = -EAGAIN;
	v->b->hole = v->b->chain.seg[0].addr;
	EXPECT_EQ(-EAGAIN, vbed_parse(v, 2));
	v->b->hole = v->b->chain.seg[1].addr + 107;
	EXPECT_EQ(-EAGAIN, vbed_parse(v, 2));
	v->b->hole = 0;
	check_rw(v, VT_OP_READ, 512);

	vbed_chain(v, READ10(7, 1), 0, 512);
	bed_cut(v->b, 1);
	shim_no_memory = 1;
	EXPECT_EQ(-ENOBUFS, vbed_parse(v, 2));
	shim_no_memory = 0;
	check_rw(v, VT_OP_READ, 512);
	vbed_free(v);
}

TEST(cmd_attention, "commands: a unit attention is told once, and not lost")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;

	scsi_ua_raise(&v->itl[0], SCSI_UA_CAPACITY_CHANGED);
	vbed_chain(v, READ10(7, 1), 0, 512);
	v->b->hole_err = -EAGAIN;
	v->b->hole = v->b->chain.seg[1].addr;
	EXPECT_EQ(-EAGAIN, vbed_parse(v, 2));
	v->b->hole = 0;
	r = vbed_run(v);
	EXPECT_EQ(0x062a09, vbed_sense(&r));
	EXPECT_EQ(512, le(r.resid));
	vbed_chain(v, READ10(7, 1), 0, 512);
	check_rw(v, VT_OP_READ, 512);
	vbed_free(v);
}

TEST(cmd_io_error, "commands: an error of the backend becomes sense data")
{
	struct vbed *v = vbed_new();
	struct virtio_scsi_cmd_resp r;

	vbed_chain(v, READ10(7, 1), 0, 512);
	ASSERT_EQ(0, vbed_parse(v, 2));
	r = vbed_complete(v, BLK_STS_MEDIUM);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, r.response);
	EXPECT_EQ(SCSI_CHECK_CONDITION, r.status);
	EXPECT_EQ(0x03, vbed_sense(&r) >> 16);
	EXPECT_EQ(512, le(r.resid));
	EXPECT_EQ(SCSI_RESP_HEAD + le(r.sense_len), v->b->req.used_len);
	vbed_free(v);
}
