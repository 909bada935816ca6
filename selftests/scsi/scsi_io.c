// SPDX-License-Identifier: GPL-2.0
/* Verified I/O and the usual commands, over rings, block sizes and backends. */
#include <endian.h>
#include <string.h>

#include "bed.h"
#include "harness.h"
#include "pattern.h"
#include "rng.h"
#include "vscsi.h"

#define SIZE_MB 16
#define BUF (16 * KIB)
#define AREA (512 * KIB)	/* of each queue */
#define QUEUES 2

FIXTURE(io)
{
	struct disk disk;
	struct bed bed;
	struct vscsi d;
	struct vscsi_queue *q;
	struct rng rng;
	u32 bs;
};

FIXTURE_VARIANT(io)
{
	bool packed;
	unsigned int block_size;
	enum disk_kind kind;
};

#define VARIANTS_OF(ring, is_packed) \
	FIXTURE_VARIANT_ADD(io, ring##_512_null) \
		{ is_packed, 512, DISK_NULL }; \
	FIXTURE_VARIANT_ADD(io, ring##_512_bdev) \
		{ is_packed, 512, DISK_BDEV }; \
	FIXTURE_VARIANT_ADD(io, ring##_512_file) \
		{ is_packed, 512, DISK_FILE }; \
	FIXTURE_VARIANT_ADD(io, ring##_4096_null) \
		{ is_packed, 4096, DISK_NULL }; \
	FIXTURE_VARIANT_ADD(io, ring##_4096_bdev) \
		{ is_packed, 4096, DISK_BDEV }; \
	FIXTURE_VARIANT_ADD(io, ring##_4096_file) \
		{ is_packed, 4096, DISK_FILE }

VARIANTS_OF(split, false);
VARIANTS_OF(packed, true);

FIXTURE_SETUP(io)
{
	struct disk_opts disk = {
		.kind = variant->kind, .block_size = variant->block_size,
		.size_mb = SIZE_MB,
	};
	struct bed_opts bed = {
		.disk = &self->disk, .type = VHOST_TARGET_SCSI,
		.num_queues = QUEUES,
	};
	struct vscsi_opts o = {
		.wwpn = self->bed.wwpn,
		.packed = variant->packed,
		.indirect = variant->kind != DISK_NULL,
		.event_idx = variant->block_size == 512,
		.poll = variant->kind == DISK_NULL,
		.memfd = variant->kind == DISK_FILE,
		.nr_queues = QUEUES,
		.queue_size = 128,
		.nr_reqs = 16,
		.buf_size = BUF,
		.layout = variant->packed ? MEM_PIECES : MEM_HOLE,
	};

	bed_sweep();
	self->bs = variant->block_size;
	self->q = &self->d.q[0];
	rng_seed(&self->rng, 42);
	ASSERT_EQ(0, disk_create(&self->disk, &disk));
	ASSERT_EQ(0, bed_make(&self->bed, &bed));
	ASSERT_EQ(0, vscsi_open(&self->d, &o));
}

FIXTURE_TEARDOWN(io)
{
	vscsi_close(&self->d);
	bed_destroy(&self->bed);
	disk_destroy(&self->disk);
}

/* Whole, by pages, or of lengths that no device could do. */
static u32 piece_of(struct rng *rng, u32 len)
{
	switch (rng_below(rng, 3)) {
	case 0:
		return len;
	case 1:
		return PAGE;
	default:
		return len / (2 + rng_below(rng, 5)) + 1;
	}
}

static u64 place(u64 lba, u32 bs)
{
	return lba * (bs / SECTOR);
}

/* Submit the next transfer of @q's area; its length or -errno. */
static int submit_next(struct vscsi_queue *q, struct rng *rng, bool write,
		       u32 *at, u32 bs)
{
	u32 blocks = 1 + rng_below(rng, BUF / bs);
	struct vscsi_req *r = vscsi_get(q);
	u8 cdb[16];
	int ret;

	if (!r)
		return -EBUSY;
	if (blocks * bs > AREA - *at)
		blocks = (AREA - *at) / bs;
	r->lba = ((q->index - VSCSI_FIRST) * AREA + *at) / bs;
	vscsi_cdb_rw(cdb, write, r->lba, blocks);
	vscsi_prepare(r, 0, cdb, sizeof(cdb), write ? DIR_OUT : DIR_IN,
		      blocks * bs);
	if (write)
		pattern_fill(r->buf, r->len, place(r->lba, bs), 3);
	else
		memset(r->buf, 0xee, r->len);
	ret = vscsi_submit_pieces(r, piece_of(rng, r->len));
	if (ret) {
		vscsi_put(r);
		return ret;
	}
	*at += r->len;
	return 0;
}

static int check_done(struct vscsi_req *r, u32 bs, bool verify)
{
	/* Without data it ends where the sense data would begin. */
	u32 used = r->dir == DIR_IN ? sizeof(*r->resp) + r->len :
		   offsetof(struct virtio_scsi_cmd_resp, sense);
	struct vscsi_result res;
	int ret = 0;

	vscsi_result(r, &res);
	if (res.response || res.status || res.resid || res.used_len != used) {
		vt_msg("block %llu: response %u status %#x sense %06x resid %u used %u",
		       (unsigned long long)r->lba, res.response, res.status,
		       res.key, res.resid, res.used_len);
		ret = -EIO;
	} else if (r->dir == DIR_IN && verify) {
		ret = pattern_check(r->buf, r->len, place(r->lba, bs), 3);
	}
	vscsi_put(r);
	return ret;
}

/* All of the area, both queues at once: the number of commands or -errno. */
static int move_area(struct vscsi *d, struct rng *rng, bool write, u32 bs,
		     bool verify)
{
	u32 at[QUEUES] = { 0 };
	struct vscsi_req *r;
	int ret, n = 0;
	unsigned int i;

	for (i = 0; at[0] < AREA || at[1] < AREA || d->q[0].inflight ||
	     d->q[1].inflight; i = !i) {
		struct vscsi_queue *q = &d->q[i];

		while (at[i] < AREA) {
			ret = submit_next(q, rng, write, &at[i], bs);
			if (ret == -EBUSY || ret == -ENOSPC)
				break;
			if (ret)
				return ret;
			n++;
		}
		vscsi_kick(q);
		if (!q->inflight)
			continue;
		ret = vscsi_wait(q, &r);
		if (!ret)
			ret = check_done(r, bs, verify);
		if (ret)
			return ret;
	}
	return n;
}

TEST_F(io, verified)
{
	bool verify = variant->kind != DISK_NULL;
	struct vhost_target_stats st;
	int writes, reads;

	writes = move_area(&self->d, &self->rng, true, self->bs, verify);
	ASSERT_LT(0, writes);
	reads = move_area(&self->d, &self->rng, false, self->bs, verify);
	ASSERT_LT(0, reads);
	bed_stats(&self->bed, &st);
	EXPECT_EQ(writes, st.ops[VHOST_TARGET_OP_WRITE]);
	EXPECT_EQ(reads, st.ops[VHOST_TARGET_OP_READ]);
	EXPECT_EQ(QUEUES * AREA, st.bytes[VHOST_TARGET_OP_WRITE]);
	EXPECT_EQ(QUEUES * AREA, st.bytes[VHOST_TARGET_OP_READ]);
	EXPECT_EQ(0, st.errors[VHOST_TARGET_OP_READ]);
	EXPECT_EQ(0, st.errors[VHOST_TARGET_OP_WRITE]);
	EXPECT_EQ(0, st.invalid);
	EXPECT_EQ(0, st.ring_errors);
}

TEST_F(io, what_it_is)
{
	static const u8 inquiry[6] = { 0x12, [4] = 96 };
	static const u8 serial[6] = { 0x12, 1, 0x80, [4] = 96 };
	static const u8 ids[6] = { 0x12, 1, 0x83, [4] = 252 };
	static const u8 report_luns[12] = { 0xa0, [9] = 64 };
	struct vhost_target_unit_info info;
	u64 naa, blocks;
	u8 buf[256];
	u32 bs;

	ASSERT_EQ(0, vscsi_capacity(self->q, 0, &blocks, &bs));
	EXPECT_EQ(variant->block_size, bs);
	EXPECT_EQ(self->bed.capacity / bs, blocks);
	ASSERT_EQ(0, vscsi_do(self->q, 0, inquiry, 6, DIR_IN, buf, 96));
	EXPECT_EQ(0, buf[0]);
	EXPECT_EQ(2, buf[7] & 2);	/* CMDQUE */
	ASSERT_EQ(0, vscsi_do(self->q, 0, serial, 6, DIR_IN, buf, 96));
	EXPECT_EQ(strlen(BED_SERIAL), buf[3]);
	EXPECT_EQ(0, memcmp(buf + 4, BED_SERIAL, strlen(BED_SERIAL)));
	ASSERT_EQ(0, vscsi_do(self->q, 0, ids, 6, DIR_IN, buf, 252));
	ASSERT_EQ(0, ctl_unit(self->bed.ctl, self->bed.name, 0, &info));
	naa = htobe64(info.naa);
	EXPECT_NE(NULL, memmem(buf, 252, &naa, sizeof(naa)));
	ASSERT_EQ(0, vscsi_do(self->q, 0, report_luns, 12, DIR_IN, buf, 64));
	EXPECT_EQ(8, buf[3]);
	/* There is no other: INQUIRY says so, the rest is refused. */
	ASSERT_EQ(0, vscsi_do(self->q, 3, inquiry, 6, DIR_IN, buf, 96));
	EXPECT_EQ(0x7f, buf[0]);
	EXPECT_EQ(SCSI_CHECK_CONDITION, vscsi_read(self->q, 3, 0, 1, buf, 0));
}

/* Older CDBs, with FUA, and a flush. */
TEST_F(io, other_cdbs)
{
	u8 write_10[10] = { 0x2a, 0x08, [5] = 1, [8] = 2 };
	u8 read_10[10] = { 0x28, 0x18, [5] = 1, [8] = 2 };
	u8 read_6[6] = { 0x08, [3] = 1, [4] = 2 };
	u8 sync_10[10] = { 0x35 };
	u8 out[8192], in[8192];
	u32 len = 2 * self->bs;

	pattern_fill(out, len, place(1, self->bs), 5);
	ASSERT_EQ(0, vscsi_do(self->q, 0, write_10, 10, DIR_OUT, out, len));
	ASSERT_EQ(0, vscsi_do(self->q, 0, sync_10, 10, DIR_NONE, NULL, 0));
	ASSERT_EQ(0, vscsi_do(self->q, 0, read_10, 10, DIR_IN, in, len));
	if (variant->kind != DISK_NULL)
		EXPECT_EQ(0, pattern_check(in, len, place(1, self->bs), 5));
	memset(in, 0, sizeof(in));
	ASSERT_EQ(0, vscsi_do(self->q, 0, read_6, 6, DIR_IN, in, len));
	if (variant->kind != DISK_NULL)
		EXPECT_EQ(0, pattern_check(in, len, place(1, self->bs), 5));
}

static void read_res(struct vscsi_queue *q, u64 lba, u32 blocks, u32 len,
		     struct vscsi_result *res)
{
	u8 cdb[16];

	vscsi_cdb_rw(cdb, false, lba, blocks);
	if (vscsi_cmd(q, 0, cdb, 16, DIR_IN, NULL, len, res))
		memset(res, 0xff, sizeof(*res));
}

TEST_F(io, residuals)
{
	struct vscsi_result res;

	read_res(self->q, 0, 1, 2 * self->bs, &res);
	EXPECT_EQ(VIRTIO_SCSI_S_OK, res.response);
	EXPECT_EQ(SCSI_GOOD, res.status);
	EXPECT_EQ(self->bs, res.resid);
	read_res(self->q, 0, 2, self->bs, &res);
	EXPECT_EQ(VIRTIO_SCSI_S_OVERRUN, res.response);
	read_res(self->q, 0, 0, self->bs, &res);
	EXPECT_EQ(SCSI_GOOD, res.status);
	EXPECT_EQ(self->bs, res.resid);
}

TEST_F(io, out_of_range)
{
	u64 end = self->bed.capacity / self->bs;
	const struct {
		u64 lba;
		u32 blocks;
	} row[] = {
		{ end, 1 }, { end - 1, 2 }, { 1ull << 55, 1 }, { ~0ull, 1 },
		{ ~0ull, 2 }, { end, 0xffffffff }, { 0, 0xffffffff },
	};
	struct vscsi_result res;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		read_res(self->q, row[i].lba, row[i].blocks, self->bs, &res);
		EXPECT_EQ(SCSI_CHECK_CONDITION, res.status)
			TH_LOG("row %u", i);
		EXPECT_EQ(KEY_ILLEGAL_REQUEST, SENSE_KEY(res.key));
	}
	read_res(self->q, end - 1, 1, self->bs, &res);
	EXPECT_EQ(SCSI_GOOD, res.status);
}

/* WRITE SAME of zeroes between blocks that stay. */
TEST_F(io, write_same)
{
	u8 cdb[16] = { 0x93, [9] = 5, [13] = 4 };
	u32 bs = self->bs, i;
	u8 buf[4096];

	ASSERT_EQ(0, vscsi_verified_io(self->q, 0, 0,
				       variant->kind == DISK_NULL ? 0 : 12,
				       bs, bs, 9));
	memset(buf, 0, sizeof(buf));
	ASSERT_EQ(0, vscsi_do(self->q, 0, cdb, 16, DIR_OUT, buf, bs));
	for (i = 0; variant->kind != DISK_NULL && i < 12; i++) {
		ASSERT_EQ(0, vscsi_read(self->q, 0, i, 1, buf, bs));
		if (i >= 5 && i < 9) {
			EXPECT_EQ(0, pattern_check_zero(buf, bs,
							place(i, bs)));
		} else {
			EXPECT_EQ(0, pattern_check(buf, bs, place(i, bs), 9));
		}
	}
}

/* A buffer that lies in two regions of guest memory. */
TEST_F(io, border)
{
	u64 border = mem_border(&self->d.mem);
	struct vscsi_req *r, *done;
	struct vring_seg seg[3];
	u32 len = 2 * self->bs;
	u8 buf[8192], cdb[16];

	if (!border)
		SKIP(return, "no border in this memory");
	if (variant->kind != DISK_NULL)
		ASSERT_EQ(0, vscsi_verified_io(self->q, 0, 0, 1, len, self->bs,
					       4));
	r = vscsi_get(self->q);
	vscsi_cdb_rw(cdb, false, 0, 2);
	vscsi_prepare(r, 0, cdb, 16, DIR_IN, len);
	seg[0] = (struct vring_seg){ r->cmd_gpa, sizeof(*r->cmd), false };
	seg[1] = (struct vring_seg){ r->resp_gpa, sizeof(*r->resp), true };
	seg[2] = (struct vring_seg){ border - self->bs, len, true };
	ASSERT_EQ(0, vscsi_submit_chain(r, seg, 3));
	vscsi_kick(self->q);
	ASSERT_EQ(0, vscsi_wait(self->q, &done));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, r->resp->response);
	EXPECT_EQ(SCSI_GOOD, r->resp->status);
	ASSERT_EQ(0, mem_read(&self->d.mem, border - self->bs, buf, len));
	if (variant->kind != DISK_NULL)
		EXPECT_EQ(0, pattern_check(buf, len, 0, 4));
}

TEST_F(io, many_luns)
{
	static const unsigned int lun[] = { 1, 255, 256, 16383 };
	static const u8 report_luns[12] = { 0xa0, [8] = 1 };
	struct disk null = {
		.kind = DISK_NULL, .block_size = self->bs, .capacity = MIB,
	};
	u8 buf[256], want[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lun); i++) {
		ASSERT_EQ(0, bed_add_lun(&self->bed, lun[i], &null, 0));
		ASSERT_EQ(0, vscsi_ready(self->q, lun[i]));
		EXPECT_EQ(0, vscsi_read(self->q, lun[i], 7, 1, NULL,
					self->bs));
	}
	ASSERT_EQ(0, vscsi_ready(self->q, 0));
	ASSERT_EQ(0, vscsi_do(self->q, 0, report_luns, 12, DIR_IN, buf, 256));
	EXPECT_EQ(8 * 5, buf[3]);
	for (i = 0; i < ARRAY_SIZE(lun); i++) {
		vscsi_lun(want, lun[i]);
		EXPECT_EQ(0, memcmp(want + 2, buf + 16 + 8 * i, 2))
			TH_LOG("LUN %u", lun[i]);
	}
}

/* Everything was taken and returned: the base says so. */
TEST_F(io, stop)
{
	unsigned int i;
	u32 base;

	if (variant->kind != DISK_NULL)
		ASSERT_EQ(0, vscsi_verified_io(self->q, 0, 0, 40, 4096,
					       self->bs, 2));
	ASSERT_EQ(0, vhost_clear_endpoint(self->d.fd, self->bed.wwpn));
	for (i = 0; i < QUEUES; i++) {
		ASSERT_EQ(0, vhost_get_vring_base(self->d.fd, VSCSI_FIRST + i,
						  &base));
		EXPECT_EQ(vring_base(&self->d.q[i].vr), base);
	}
	ASSERT_EQ(0, vscsi_start(&self->d));
	ASSERT_EQ(0, vscsi_ready(self->q, 0));
	if (variant->kind != DISK_NULL)
		EXPECT_EQ(0, vscsi_verified_io(self->q, 0, 0, 40, 4096,
					       self->bs, 3));
}

TEST_HARNESS_MAIN
