// SPDX-License-Identifier: GPL-2.0
/*
 * Protection information that no kernel would send: wrong tags, cut to pieces.
 * The backend is scsi_debug, or a partition of it, where reference tags are
 * not those of the disk.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "harness.h"
#include "pidisk.h"
#include "vscsi.h"

#define NR 8			/* blocks of a command */
#define LBA 40
#define BAD 5			/* the block that is wrong */
#define BS 512
#define PI_AT 512		/* in a request's buffer, behind the header */
#define DATA_AT PAGE
#define SENSE_BAD(q) SENSE(0xb, 0x10, q)
#define GUARD 1
#define REF 3

FIXTURE(pi)
{
	struct disk disk;
	struct bed bed;
	struct vscsi d;
	struct vscsi_req *r;
	struct pi_tuple *pi;
	u8 *data;
	u32 type;
};

FIXTURE_VARIANT(pi)
{
	u32 type;
	bool part;
	bool packed;
};

FIXTURE_VARIANT_ADD(pi, type1) { 1, false, false };
FIXTURE_VARIANT_ADD(pi, type1_part) { 1, true, true };
FIXTURE_VARIANT_ADD(pi, type3) { 3, false, false };

FIXTURE_SETUP(pi)
{
	struct bed_opts bed = {
		.disk = &self->disk, .type = VHOST_TARGET_SCSI,
		.num_queues = 1,
	};
	struct vscsi_opts o = {
		.wwpn = self->bed.wwpn,
		.packed = variant->packed,
		.with = VSCSI_BIT(VIRTIO_SCSI_F_T10_PI),
		.keep_attention = true,
	};

	bed_sweep();
	pidisk_unload();
	self->type = variant->type;
	ASSERT_EQ(0, pidisk_load(&self->disk, variant->type, variant->part));
	ASSERT_EQ(0, bed_make(&self->bed, &bed));
	ASSERT_EQ(0, vscsi_open(&self->d, &o));
	ASSERT_TRUE(vscsi_has(&self->d, VIRTIO_SCSI_F_T10_PI));
	self->r = vscsi_get(&self->d.q[0]);
	self->pi = (struct pi_tuple *)(self->r->buf + PI_AT);
	self->data = self->r->buf + DATA_AT;
}

FIXTURE_TEARDOWN(pi)
{
	vscsi_close(&self->d);
	bed_destroy(&self->bed);
	pidisk_unload();
}

/*
 * A command with @blocks of data.
 * @piece: largest descriptor of the tuples; 0: one descriptor
 */
static int run_cdb(struct vscsi_req *r, const u8 cdb[16], bool write,
		   u32 blocks, u32 pi_len, u32 piece, struct vscsi_result *res)
{
	struct virtio_scsi_cmd_req_pi *h = (void *)r->buf;
	struct vring_seg seg[3 + NR * sizeof(struct pi_tuple)];
	struct vscsi_req *done;
	unsigned int n = 0;
	u32 at, len;
	int ret;

	memset(h, 0, sizeof(*h));
	vscsi_lun(h->lun, 0);
	memcpy(h->cdb, cdb, 16);
	*(write ? &h->pi_bytesout : &h->pi_bytesin) = htole32(pi_len);
	memset(r->resp, 0, sizeof(*r->resp));
	vring_write(&r->resp->response, VSCSI_NONE);
	seg[n++] = (struct vring_seg){ r->buf_gpa, sizeof(*h), false };
	if (!write)
		seg[n++] = (struct vring_seg){
			r->resp_gpa, sizeof(*r->resp), true
		};
	for (at = 0; at < pi_len; at += len) {
		len = piece && pi_len - at > piece ? piece : pi_len - at;
		seg[n++] = (struct vring_seg){
			r->buf_gpa + PI_AT + at, len, !write
		};
	}
	seg[n++] = (struct vring_seg){
		r->buf_gpa + DATA_AT, blocks * BS, !write
	};
	if (write)
		seg[n++] = (struct vring_seg){
			r->resp_gpa, sizeof(*r->resp), true
		};
	ret = vscsi_submit_chain(r, seg, n);
	if (ret)
		return ret;
	vscsi_kick(r->q);
	ret = vscsi_wait(r->q, &done);
	if (!ret)
		vscsi_result(r, res);
	return ret;
}

static int run(struct vscsi_req *r, bool write, u8 protect, u32 pi_len,
	       u32 piece, struct vscsi_result *res)
{
	u8 cdb[16];

	vscsi_cdb_rw(cdb, write, LBA, NR);
	cdb[1] |= protect << 5;
	return run_cdb(r, cdb, write, NR, pi_len, piece, res);
}

static u32 result_of(const struct vscsi_result *res)
{
	return res->response ? 0x1000000 * res->response : res->key;
}

/* Response << 24, or sense; 0: all is well. ~0: it did not come back. */
static u32 rw(struct vscsi_req *r, bool write, u8 protect, u32 piece)
{
	struct vscsi_result res = {};

	/* What is pending comes first. */
	do {
		if (run(r, write, protect, NR * sizeof(struct pi_tuple), piece,
			&res))
			return ~0;
	} while (SENSE_KEY(res.key) == KEY_UNIT_ATTENTION);
	return result_of(&res);
}

/* The block that the sense data names, or -1. */
static int bad_block(const struct vscsi_req *r)
{
	const u8 *s = r->resp->sense;
	u32 info;

	memcpy(&info, s + 3, 4);
	return s[0] & 0x80 ? (int)be32toh(info) : -1;
}

static void fill(u8 *data, struct pi_tuple *pi, u8 seed)
{
	unsigned int i;

	for (i = 0; i < NR * BS; i++)
		data[i] = seed + i + i / BS * 3;
	for (i = 0; i < NR; i++)
		pi[i] = (struct pi_tuple){
			.guard = htobe16(pidisk_crc(data + i * BS, BS)),
			.app = htobe16(0x1200 + seed + i),
			.ref = htobe32(LBA + i),
		};
}

/* Read with no check: is what is there what @seed makes? */
static bool on_medium(struct vscsi_req *r, u8 seed)
{
	u8 data[NR * BS];
	struct pi_tuple pi[NR];

	fill(data, pi, seed);
	return !rw(r, false, 3, 0) &&
	       !memcmp(r->buf + DATA_AT, data, sizeof(data)) &&
	       !memcmp(r->buf + PI_AT, pi, sizeof(pi));
}

TEST_F(pi, moves)
{
	u8 protect;

	for (protect = 1; protect <= 5; protect++) {
		fill(self->data, self->pi, protect);
		ASSERT_EQ(0, rw(self->r, true, protect, 0));
		memset(self->data, 0, NR * BS);
		memset(self->pi, 0, NR * sizeof(struct pi_tuple));
		EXPECT_EQ(0, rw(self->r, false, protect, 0));
		EXPECT_EQ(sizeof(struct virtio_scsi_cmd_resp) +
			  NR * (sizeof(struct pi_tuple) + BS), self->r->used_len);
		EXPECT_TRUE(on_medium(self->r, protect));
	}
}

TEST_F(pi, pieces)
{
	u32 piece;

	for (piece = 1; piece < 20; piece++) {
		fill(self->data, self->pi, piece);
		ASSERT_EQ(0, rw(self->r, true, 1 + piece % 5, piece));
		memset(self->pi, 0, NR * sizeof(struct pi_tuple));
		ASSERT_EQ(0, rw(self->r, false, 1 + piece % 5, piece));
		EXPECT_EQ(htobe32(LBA + 7), self->pi[7].ref);
		EXPECT_TRUE(on_medium(self->r, piece));
	}
}

/* Values whose checks include the one that must find it. */
static bool finds(u32 type, u8 protect, u8 what)
{
	if (what == GUARD)
		return protect != 2 && protect != 3;
	return type == 1 && protect != 3 && protect != 4;
}

static void spoil(struct pi_tuple *t, u8 what)
{
	if (what == GUARD)
		t->guard ^= htobe16(0x4000);
	else
		t->ref ^= htobe32(0x1000000);
}

static u32 wanted(u32 type, u8 protect, u8 what)
{
	return finds(type, protect, what) ? SENSE_BAD(what) : 0;
}

static void check_wrong(struct __test_metadata *_metadata,
			FIXTURE_DATA(pi) *self, u8 what)
{
	u8 protect;

	for (protect = 1; protect <= 5; protect++) {
		/* Good blocks first: they stay if the others are refused. */
		fill(self->data, self->pi, 99);
		ASSERT_EQ(0, rw(self->r, true, 1, 0));
		fill(self->data, self->pi, protect);
		spoil(self->pi + BAD, what);
		EXPECT_EQ(wanted(self->type, protect, what),
			  rw(self->r, true, protect, 0));
		if (!finds(self->type, protect, what))
			continue;
		EXPECT_EQ(LBA + BAD, bad_block(self->r));
		EXPECT_TRUE(on_medium(self->r, 99));
	}
	/* On the medium, by a write that nobody looked at. */
	fill(self->data, self->pi, 7);
	spoil(self->pi + BAD, what);
	ASSERT_EQ(0, rw(self->r, true, 3, 0));
	for (protect = 1; protect <= 5; protect++) {
		EXPECT_EQ(wanted(self->type, protect, what),
			  rw(self->r, false, protect, 0));
		if (finds(self->type, protect, what))
			EXPECT_EQ(LBA + BAD, bad_block(self->r));
	}
	fill(self->data, self->pi, 8);
	ASSERT_EQ(0, rw(self->r, true, 1, 0));
	EXPECT_EQ(0, rw(self->r, false, 1, 0));
}

TEST_F(pi, wrong_guard)
{
	check_wrong(_metadata, self, GUARD);
}

TEST_F(pi, wrong_reference)
{
	check_wrong(_metadata, self, REF);
}

TEST_F(pi, lengths)
{
	u32 whole = NR * sizeof(struct pi_tuple), pi_len;
	struct vscsi_result res;
	unsigned int write;

	fill(self->data, self->pi, 1);
	ASSERT_EQ(0, rw(self->r, true, 1, 0));
	for (write = 0; write < 2; write++)
		for (pi_len = 1; pi_len <= whole + 8; pi_len++) {
			ASSERT_EQ(0, run(self->r, write, 1, pi_len, 0, &res));
			EXPECT_EQ(pi_len < whole ? VIRTIO_SCSI_S_OVERRUN :
				  pi_len > whole ? VIRTIO_SCSI_S_FAILURE :
				  VIRTIO_SCSI_S_OK, res.response);
		}
	/* None: it is made and verified below. */
	ASSERT_EQ(0, run(self->r, true, 1, 0, 0, &res));
	EXPECT_EQ(0, result_of(&res));
	EXPECT_EQ(0, rw(self->r, false, 1, 0));
}

/* Commands with as many blocks of data as tuples; the result as rw()'s. */
static u32 out(struct vscsi_req *r, u8 op, u8 flags, u8 nr, u32 blocks)
{
	u8 cdb[16] = { op, flags, [9] = LBA, [13] = nr };
	struct vscsi_result res = {};

	if (run_cdb(r, cdb, true, blocks, blocks * sizeof(struct pi_tuple), 0,
		    &res))
		return ~0;
	return result_of(&res);
}

#define VERIFY_16 0x8f
#define WRITE_VERIFY_16 0x8e
#define WRITE_SAME_16 0x93
#define COMPARE_WRITE 0x89
#define BYTCHK 0x02
#define MISCOMPARE(q) SENSE(0xe, 0x10, q)

TEST_F(pi, verify)
{
	u8 protect;

	fill(self->data, self->pi, 3);
	ASSERT_EQ(0, rw(self->r, true, 1, 0));
	for (protect = 1; protect <= 5; protect++) {
		EXPECT_EQ(0, out(self->r, VERIFY_16, protect << 5 | BYTCHK, NR,
				 NR));
		self->pi[BAD].guard ^= htobe16(1);
		EXPECT_EQ(protect == 2 ? 0 : protect == 3 ? MISCOMPARE(GUARD) :
			  SENSE_BAD(GUARD),
			  out(self->r, VERIFY_16, protect << 5 | BYTCHK, NR,
			      NR));
		self->pi[BAD].guard ^= htobe16(1);
	}
	fill(self->data, self->pi, 4);
	EXPECT_EQ(0, out(self->r, WRITE_VERIFY_16, 1 << 5 | BYTCHK, NR, NR));
	EXPECT_TRUE(on_medium(self->r, 4));
}

TEST_F(pi, write_same)
{
	unsigned int i;

	fill(self->data, self->pi, 3);
	ASSERT_EQ(0, rw(self->r, true, 1, 0));
	fill(self->data, self->pi, 5);
	ASSERT_EQ(0, out(self->r, WRITE_SAME_16, 1 << 5, NR, 1));
	/* The device agrees with all that was made of the one tuple. */
	ASSERT_EQ(0, rw(self->r, false, 1, 0));
	for (i = 1; i < NR; i++) {
		EXPECT_EQ(0, memcmp(self->data, self->data + i * BS, BS));
		EXPECT_EQ(self->pi[0].app, self->pi[i].app);
		EXPECT_EQ(LBA + (self->type == 1 ? i : 0),
			  be32toh(self->pi[i].ref));
	}
}

TEST_F(pi, compare_and_write)
{
	struct pi_tuple *half = self->pi + NR / 2;

	fill(self->data, self->pi, 3);
	ASSERT_EQ(0, rw(self->r, true, 1, 0));
	/* Half of the blocks with themselves, and in turn. */
	memcpy(self->data + NR / 2 * BS, self->data, NR / 2 * BS);
	memcpy(half, self->pi, NR / 2 * sizeof(*half));
	EXPECT_EQ(0, out(self->r, COMPARE_WRITE, 1 << 5, NR / 2, NR));
	half->guard ^= htobe16(1);
	EXPECT_EQ(SENSE_BAD(GUARD), out(self->r, COMPARE_WRITE, 1 << 5,
					NR / 2, NR));
	self->data[0] ^= 1;
	EXPECT_EQ(SENSE(0xe, 0x1d, 0), out(self->r, COMPARE_WRITE, 3 << 5,
					   NR / 2, NR));
	EXPECT_TRUE(on_medium(self->r, 3));
}

TEST_HARNESS_MAIN
