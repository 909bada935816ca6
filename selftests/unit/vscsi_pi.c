// SPDX-License-Identifier: GPL-2.0
/* Request queues with protection information: VIRTIO_SCSI_F_T10_PI. */
#include <string.h>

#include <linux/slab.h>

#include "vscsi_bed.h"

#define PI	VT_PI_BYTES
#define RESP	108

/* READ and WRITE (10) with a value of RDPROTECT or WRPROTECT. */
#define RD_PI(p, lba, nr)	CDB(0x28, (p) << 5, 0, 0, 0, lba, 0, 0, nr, 0)
#define WR_PI(p, lba, nr)	CDB(0x2a, (p) << 5, 0, 0, 0, lba, 0, 0, nr, 0)

static struct vbed *pi_new(void)
{
	struct vbed *v = vbed_new();

	v->vdev->features |= BIT_ULL(VIRTIO_SCSI_F_T10_PI);
	v->b->be.limits.pi_type = 1;
	v->b->be.limits.pi_bytes = PI;
	v->b->be.limits.pi_interval = 512;
	v->su[0].lu.pi_type = 1;
	return v;
}

/* A header that claims @out and @in bytes of protection information. */
static void pi_header(struct vbed *v, const u8 *cdb, u32 cdb_len, u32 out,
		      u32 in)
{
	struct virtio_scsi_cmd_req_pi r = {
		.lun = { 1 },
		.tag = 7,
		.pi_bytesout = (__force __virtio32)cpu_to_le32(out),
		.pi_bytesin = (__force __virtio32)cpu_to_le32(in),
	};

	memcpy(r.cdb, cdb, cdb_len);
	bed_reset(v->b);
	bed_out(v->b, &r, sizeof(r));
}

/* A write, and its protection information at @pi. */
static void pi_write(struct vbed *v, const u8 *cdb, u32 cdb_len, u32 bytes,
		     const u8 *pi, u32 pi_len)
{
	pi_header(v, cdb, cdb_len, pi_len, 0);
	bed_out(v->b, pi, pi_len);
	bed_add(v->b, bed_alloc(v->b, bytes), bytes, false);
	bed_in(v->b, RESP);
}

static void pi_read(struct vbed *v, const u8 *cdb, u32 cdb_len, u32 bytes,
		    u32 pi_len)
{
	pi_header(v, cdb, cdb_len, 0, pi_len);
	bed_in(v->b, RESP);
	bed_in(v->b, pi_len);
	bed_in(v->b, bytes);
}

static void pattern(u8 *buf, u32 len)
{
	while (len--)
		buf[len] = len * 3 + 1;
}

TEST(vpi_write, "vscsi pi: a write's is taken once, its data comes after it")
{
	struct vbed *v = pi_new();
	struct virtio_scsi_cmd_resp r;
	struct vt_io *io = &v->b->req.io;
	unsigned int n;
	u8 pi[2 * PI];

	pattern(pi, sizeof(pi));
	v->b->change = true;
	for (n = 3; n < 200; n++) {
		pi_write(v, WR_PI(1, 7, 2), 1024, pi, sizeof(pi));
		bed_cut(v->b, n);
		ASSERT_EQ(0, vbed_parse(v, 2));
		ASSERT(io->pi != NULL);
		EXPECT_EQ(2, io->pi->nr);
		EXPECT_EQ(7, io->pi->ref);
		EXPECT(io->pi->check);
		EXPECT(!memcmp(io->pi->tuple, pi, sizeof(pi)));
		EXPECT_EQ(1024, io->bytes);
		r = vbed_complete(v, BLK_STS_OK);
		EXPECT_EQ(VIRTIO_SCSI_S_OK, r.response);
		EXPECT_EQ(SCSI_GOOD, r.status);
		EXPECT_EQ(0, r.resid);
	}
	vbed_free(v);
}

TEST(vpi_read, "vscsi pi: a read's goes in front of its data, whole")
{
	struct vbed *v = pi_new();
	struct virtio_scsi_cmd_resp r;
	u8 pi[2 * PI], seen[2 * PI];
	struct vt_io *io = &v->b->req.io;
	unsigned int n;

	pattern(pi, sizeof(pi));
	for (n = 3; n < 200; n++) {
		pi_read(v, RD_PI(1, 7, 2), 1024, sizeof(pi));
		bed_cut(v->b, n);
		ASSERT_EQ(0, vbed_parse(v, 2));
		ASSERT(io->pi != NULL);
		memcpy(io->pi->tuple, pi, sizeof(pi));
		r = vbed_complete(v, BLK_STS_OK);
		EXPECT_EQ(SCSI_GOOD, r.status);
		EXPECT_EQ(0, r.resid);
		EXPECT_EQ(RESP + sizeof(pi) + 1024, v->b->req.used_len);
		vbed_seen(v, RESP, seen, sizeof(seen));
		EXPECT(!memcmp(seen, pi, sizeof(pi)));
	}
	vbed_free(v);
}

/* A read of @nr blocks whose protection information is in pieces of @len bytes. */
static void read_in_pieces(struct vbed *v, u8 nr, u32 len, u64 page_off)
{
	u64 at = (BED_MEM + BED_MEM_LEN / 2) + page_off;
	u32 off;

	pi_header(v, RD_PI(1, 7, nr), 0, nr * PI);
	bed_in(v->b, RESP);
	for (off = 0; off < nr * PI; off += len)
		bed_add(v->b, at, len, true);
	bed_in(v->b, nr * 512);
	ASSERT_EQ(0, vbed_parse(v, 2));
	memset(v->b->req.io.pi->tuple, 0x3c, nr * PI);
	EXPECT_EQ(SCSI_GOOD, vbed_complete(v, BLK_STS_OK).status);
	EXPECT_EQ(0x3c, *bed_ptr(v->b, at + len - 1));
}

TEST(vpi_pieces, "vscsi pi: memory for where it goes is by pieces, not by bytes")
{
	struct vbed *v = pi_new();

	read_in_pieces(v, 64, 128, 0);
	EXPECT_EQ(4 * sizeof(struct scsi_piece), shim_asked);
	/* Each of them crosses a page. */
	read_in_pieces(v, 64, 128, PAGE_SIZE - 1);
	EXPECT_EQ(8 * sizeof(struct scsi_piece), shim_asked);
	/* Small ones, all of which do. */
	read_in_pieces(v, 1, 2, PAGE_SIZE - 1);
	EXPECT_EQ(8 * sizeof(struct scsi_piece), shim_asked);
	vbed_free(v);
}

TEST(vpi_exec, "vscsi pi: what a work item reads comes with it")
{
	struct vbed *v = pi_new();
	struct virtio_scsi_cmd_resp r;
	u8 seen[2 * PI], want[2 * PI];

	memset(want, 0x77, sizeof(want));
	pi_read(v, RD_PI(3, 7, 2), 1024, sizeof(seen));
	bed_cut(v->b, 13);
	r = vbed_run(v);
	EXPECT_EQ(SCSI_GOOD, r.status);
	EXPECT_EQ(RESP + sizeof(seen) + 1024, v->b->req.used_len);
	vbed_seen(v, RESP, seen, sizeof(seen));
	EXPECT(!memcmp(seen, want, sizeof(seen)));
	vbed_free(v);
}

static void failed_check(struct vbed *v, u8 bad, u32 sense)
{
	struct vt_io *io = &v->b->req.io;
	struct virtio_scsi_cmd_resp r;

	pi_read(v, RD_PI(1, 7, 2), 1024, 2 * PI);
	ASSERT_EQ(0, vbed_parse(v, 2));
	io->pi->bad = bad;
	io->pi->bad_at = 1;
	r = vbed_complete(v, BLK_STS_PROTECTION);
	EXPECT_EQ(SCSI_CHECK_CONDITION, r.status);
	EXPECT_EQ(sense, vbed_sense(&r));
	EXPECT_EQ(RESP, SCSI_RESP_HEAD + 96);
	EXPECT_EQ(SCSI_RESP_HEAD + 18, v->b->req.used_len);
	EXPECT_EQ(bad ? 8 : 0, r.sense[6]);
}

TEST(vpi_failed, "vscsi pi: the sense data says which check failed, and where")
{
	struct vbed *v = pi_new();

	failed_check(v, VT_PI_GUARD, 0xb1001);
	failed_check(v, VT_PI_APP, 0xb1002);
	failed_check(v, VT_PI_REF, 0xb1003);
	failed_check(v, 0, 0xb1001);
	vbed_free(v);
}

static void expect_response(struct vbed *v, u8 response)
{
	struct virtio_scsi_cmd_resp r = vbed_run(v);

	EXPECT_EQ(response, r.response);
	EXPECT(v->b->req.io.pi == NULL);
}

TEST(vpi_lengths, "vscsi pi: only as much of it as the command moves")
{
	struct vbed *v = pi_new();
	u8 pi[8 * PI] = {};

	pi_write(v, WR_PI(1, 7, 2), 1024, pi, 2 * PI - 1);
	expect_response(v, VIRTIO_SCSI_S_OVERRUN);
	pi_write(v, WR_PI(1, 7, 2), 1024, pi, 2 * PI + 1);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	pi_write(v, WR_PI(1, 7, 2), 1023, pi, 2 * PI);
	expect_response(v, VIRTIO_SCSI_S_OVERRUN);
	pi_read(v, RD_PI(1, 7, 2), 1024, PI);
	expect_response(v, VIRTIO_SCSI_S_OVERRUN);
	pi_read(v, RD_PI(1, 7, 2), 1024, 3 * PI);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	/* In the wrong direction, and of commands that have none. */
	pi_write(v, RD_PI(1, 7, 1), 1024, pi, PI);
	bed_in(v->b, 512);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	pi_read(v, READ10(7, 1), 512, PI);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	pi_read(v, INQUIRY(96), 96, PI);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	pi_write(v, WR_PI(3, 7, 2), 1024, pi, 3 * PI);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	vbed_free(v);
}

TEST(vpi_claims, "vscsi pi: bytes that the chain does not have are a failure")
{
	static const u32 claims[] = { 1, 600, 0x7fffffff, 0xffffffff };
	struct vbed *v = pi_new();
	unsigned int i;

	for (i = 0; i < 4; i++) {
		pi_header(v, RD_PI(1, 7, 1), 0, claims[i]);
		bed_in(v->b, RESP);
		bed_in(v->b, claims[i] == 1 ? 0 : 512);
		expect_response(v, VIRTIO_SCSI_S_FAILURE);
		pi_header(v, WR_PI(1, 7, 1), claims[i], 0);
		bed_add(v->b, bed_alloc(v->b, 512), claims[i] == 1 ? 0 : 512,
			false);
		bed_in(v->b, RESP);
		expect_response(v, VIRTIO_SCSI_S_FAILURE);
	}
	vbed_free(v);
}

TEST(vpi_none, "vscsi pi: a logical unit without it refuses it")
{
	struct vbed *v = pi_new();
	struct virtio_scsi_cmd_resp r;

	v->su[0].lu.pi_type = 0;
	pi_read(v, READ10(7, 1), 512, PI);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	pi_read(v, READ10(7, 1), 512, 0);
	expect_response(v, VIRTIO_SCSI_S_OK);
	pi_read(v, RD_PI(1, 7, 1), 512, PI);
	r = vbed_run(v);
	EXPECT_EQ(0x52400, vbed_sense(&r));
	vbed_free(v);
}

TEST(vpi_header, "vscsi pi: a header that is too short fails")
{
	struct vbed *v = pi_new();
	u8 zero[64] = { 1 };
	u32 len;

	for (len = 0; len < 59; len++) {
		bed_reset(v->b);
		bed_out(v->b, zero, len);
		bed_in(v->b, RESP);
		expect_response(v, VIRTIO_SCSI_S_FAILURE);
	}
	vbed_free(v);
}

TEST(vpi_nowhere, "vscsi pi: what lies in no memory is a failure")
{
	struct vbed *v = pi_new();

	pi_header(v, WR_PI(1, 7, 1), PI, 0);
	bed_nowhere(v->b, false, PI);
	bed_add(v->b, bed_alloc(v->b, 512), 512, false);
	bed_in(v->b, RESP);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	pi_header(v, RD_PI(1, 7, 1), 0, PI);
	bed_in(v->b, RESP);
	bed_nowhere(v->b, true, PI);
	bed_in(v->b, 512);
	expect_response(v, VIRTIO_SCSI_S_FAILURE);
	vbed_free(v);
}

TEST(vpi_abandon, "vscsi pi: what is not taken now leaves nothing behind")
{
	struct vbed *v = pi_new();

	pi_read(v, RD_PI(1, 7, 8), 8 * 512, 8 * PI);
	bed_cut(v->b, 12);
	ASSERT_EQ(0, vbed_parse(v, 2));
	scsi_cmd_abandon(&v->b->req);
	EXPECT(v->b->req.io.pi == NULL);
	/* As there is no memory. */
	pi_read(v, RD_PI(1, 7, 8), 8 * 512, 8 * PI);
	shim_no_memory = 1;
	EXPECT_EQ(-ENOBUFS, vbed_parse(v, 2));
	shim_no_memory = 0;
	expect_response(v, VIRTIO_SCSI_S_OK);
	vbed_free(v);
}
