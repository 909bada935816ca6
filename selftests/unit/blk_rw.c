// SPDX-License-Identifier: GPL-2.0
/* virtio-blk requests that move data. */
#include <string.h>

#include "blk_bed.h"

#define READ	VIRTIO_BLK_T_IN
#define WRITE	VIRTIO_BLK_T_OUT

/* Data of a length in the direction of a type. */
static void rw_chain(struct bed *b, u32 type, u64 sector, u32 len)
{
	bed_chain(b, type, sector, type == WRITE ? len : 0,
		  type == READ ? len : 0);
}

static void check_rw(struct bed *b, u32 type, u64 sector, u32 len)
{
	struct vt_io *io = &b->req.io;
	u64 invalid = b->st.invalid;

	ASSERT_EQ(0, bed_parse(b));
	EXPECT_EQ(type == READ ? VT_OP_READ : VT_OP_WRITE, io->op);
	EXPECT_EQ(type == READ ? VHOST_TARGET_OP_READ : VHOST_TARGET_OP_WRITE,
		  b->req.op_class);
	EXPECT_EQ(sector, io->sector);
	EXPECT_EQ(len, io->bytes);
	EXPECT_EQ(0, io->flags);
	EXPECT(io->be == &b->be);
	EXPECT_EQ(0, io->nr_ranges);
	EXPECT_EQ(VIRTIO_BLK_S_OK, bed_complete(b, BLK_STS_OK));
	EXPECT_EQ(type == READ ? len + 1 : 1, b->req.used_len);
	EXPECT_EQ(invalid, b->st.invalid);
}

TEST(rw_plain, "read, write: op, sector, bytes, data, status, used length")
{
	struct bed *b = bed_new();
	u32 type, len;

	for (type = READ; type <= WRITE; type++)
		for (len = 512; len <= 1 * MIB; len *= 2) {
			rw_chain(b, type, 77, len);
			check_rw(b, type, 77, len);
			EXPECT_EQ(1, b->req.io.nr_bv);
			/* The data follow the header. */
			EXPECT((u8 *)b->bv[0].bv_page == b->mem + 16);
		}
	bed_free(b);
}

TEST(rw_cuts, "read, write: any cut into descriptors is the same request")
{
	struct bed *b = bed_new();
	u32 type, n, i, sum;

	for (type = READ; type <= WRITE; type++)
		for (n = 1; n <= 600; n++) {
			rw_chain(b, type, 5, 512);
			bed_cut(b, n);
			check_rw(b, type, 5, 512);
			for (i = 0, sum = 0; i < b->req.io.nr_bv; i++)
				sum += b->bv[i].bv_len;
			EXPECT_EQ(512, sum);
			EXPECT((u8 *)b->bv[0].bv_page == b->mem + 16);
		}
	bed_free(b);
}

/* Header with data in one descriptor, data with status in one. */
TEST(rw_joined, "read, write: header, data and status in one descriptor each")
{
	struct { struct virtio_blk_outhdr hdr; u8 data[512]; } w = {
		.hdr = { .type = cpu_to_le32(WRITE), .sector = cpu_to_le64(9) },
	};
	struct bed *b = bed_new();

	bed_out(b, &w, sizeof(w));
	bed_in(b, 1);
	check_rw(b, WRITE, 9, 512);

	bed_header(b, READ, 9);
	bed_in(b, 513);
	check_rw(b, READ, 9, 512);
	EXPECT_EQ(VIRTIO_BLK_S_OK, b->mem[16 + 512]);
	EXPECT_EQ(0xee, b->mem[16 + 511]);
	bed_free(b);
}

TEST(rw_changes, "read, write: a header changed after it was read is not seen")
{
	struct bed *b = bed_new();
	u32 type, n;

	b->change = true;
	for (type = READ; type <= WRITE; type++)
		for (n = 1; n <= 16; n++) {
			rw_chain(b, type, 7, 512);
			bed_cut(b, n);
			check_rw(b, type, 7, 512);
			EXPECT_EQ(1, b->nr_reads);
		}
	bed_free(b);
}

TEST(rw_length, "read, write: only whole sectors, and at least one")
{
	struct bed *b = bed_new();
	u32 type, len;

	for (type = READ; type <= WRITE; type++)
		for (len = 0; len <= 2048; len++) {
			rw_chain(b, type, 0, len);
			if (len && len % 512 == 0)
				EXPECT_EQ(0, bed_parse(b));
			else
				EXPECT_IOERR(b);
		}
	bed_free(b);
}

TEST(rw_blocks, "read, write: only whole blocks of a disk of 4096")
{
	struct bed *b = bed_new();
	u32 type, nr;
	u64 sector;

	b->be.limits.block_size = 4096;
	for (type = READ; type <= WRITE; type++)
		for (sector = 0; sector <= 16; sector++)
			for (nr = 1; nr <= 17; nr++) {
				rw_chain(b, type, sector, nr * 512);
				if (sector % 8 || nr % 8)
					EXPECT_IOERR(b);
				else
					EXPECT_EQ(0, bed_parse(b));
			}
	bed_free(b);
}

TEST(rw_bounds, "read, write: not beyond the end, however it is added up")
{
	static const u64 bad[] = {
		BED_SECTORS - 1, BED_SECTORS, BED_SECTORS + 1, 1ULL << 32,
		1ULL << 55, (1ULL << 55) - 1, 1ULL << 63, ~0ULL, ~0ULL - 1,
		~0ULL - 2,
	};
	struct bed *b = bed_new();
	u32 type, i;

	for (type = READ; type <= WRITE; type++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			rw_chain(b, type, bad[i], 1024);
			EXPECT_IOERR(b);
		}
		rw_chain(b, type, BED_SECTORS - 2, 1024);
		check_rw(b, type, BED_SECTORS - 2, 1024);
	}
	/* The smallest disks. */
	b->be.limits.sectors = 1;
	rw_chain(b, READ, 0, 512);
	EXPECT_EQ(0, bed_parse(b));
	rw_chain(b, READ, 0, 1024);
	EXPECT_IOERR(b);
	b->be.limits.sectors = 0;
	rw_chain(b, READ, 0, 512);
	EXPECT_IOERR(b);
	bed_free(b);
}

TEST(rw_high, "read, write: sectors above 2^32 on a disk that has them")
{
	struct bed *b = bed_new();
	u64 sectors = 1ULL << 40;

	b->be.limits.sectors = sectors;
	rw_chain(b, READ, sectors - 8, 4096);
	check_rw(b, READ, sectors - 8, 4096);
	rw_chain(b, WRITE, 0x123456789aULL, 4096);
	check_rw(b, WRITE, 0x123456789aULL, 4096);
	bed_free(b);
}

TEST(rw_longest, "read, write: as long as seg_max * size_max, in one part")
{
	u32 max = BLK_SEG_MAX * BLK_SIZE_MAX;
	struct bed *b = bed_new();
	u32 type;

	for (type = READ; type <= WRITE; type++) {
		rw_chain(b, type, 0, max);
		check_rw(b, type, 0, max);
	}
	rw_chain(b, READ, 0, max + 512);
	EXPECT_EQ(3, bed_parse(b));
	bed_free(b);
}

TEST(rw_parts, "read, write: what is longer is done in parts")
{
	const u32 len = BLK_WHOLE + 1024;
	struct bed *b = bed_new();
	struct vt_io *io = &b->req.io;
	u32 type, part;
	u64 at;

	for (type = READ; type <= WRITE; type++) {
		rw_chain(b, type, 7, len);
		for (at = 0; at < len; at += part) {
			b->vq.parts.done = at;
			part = min_t(u64, len - at, BLK_PART);
			ASSERT_EQ(at + part < len ? 3 : 0, bed_parse(b));
			EXPECT_EQ(7 + at / 512, io->sector);
			EXPECT_EQ(part, io->bytes);
			/* All of it is in a row, behind the header. */
			EXPECT((u8 *)b->bv[0].bv_page == b->mem + 16 + at);
		}
		EXPECT_EQ(VIRTIO_BLK_S_OK, bed_complete(b, BLK_STS_OK));
		EXPECT_EQ(type == READ ? len + 1 : 1, b->req.used_len);
		/* The last one fails. */
		b->vq.parts.done = len - 1024;
		EXPECT_EQ(0, bed_parse(b));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, bed_complete(b, BLK_STS_IOERR));
		EXPECT_EQ(type == READ ? 0 : 1, b->req.used_len);
		/* One before has. */
		b->vq.parts.status = BLK_STS_MEDIUM;
		EXPECT_EQ(1, bed_parse(b));
		EXPECT_EQ(BLK_STS_MEDIUM, io->status);
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, bed_complete(b, io->status));
		b->vq.parts.status = BLK_STS_OK;
		b->vq.parts.done = 0;
	}
	/* All of it is looked at before any is done. */
	rw_chain(b, WRITE, BED_SECTORS - (len >> 9) + 1, len);
	EXPECT_IOERR(b);
	bed_free(b);
}

TEST(rw_parts_changed, "read, write: a driver that makes it another one meanwhile")
{
	struct bed *b = bed_new();
	u32 type;

	for (type = READ; type <= WRITE; type++) {
		b->vq.parts.done = BLK_PART;
		rw_chain(b, type, 7, BLK_PART);
		EXPECT_IOERR(b);
		rw_chain(b, type, 7, 512);
		EXPECT_IOERR(b);
		rw_chain(b, type, BED_SECTORS - 1, BLK_PART + 512);
		EXPECT_IOERR(b);
		rw_chain(b, type, 7, BLK_PART + 512);
		EXPECT_EQ(0, bed_parse(b));
		EXPECT_EQ(7 + BLK_PART / 512, b->req.io.sector);
		EXPECT_EQ(512, b->req.io.bytes);
		b->vq.parts.done = 0;
	}
	bed_free(b);
}

TEST(rw_overflow, "read, write: lengths whose sum is 0 or 512 in 32 bits")
{
	static const u32 extra[] = { 0, 512 };
	struct bed *b = bed_new();
	u32 i;

	b->be.limits.sectors = ~0ULL >> 1;
	for (i = 0; i < ARRAY_SIZE(extra); i++) {
		bed_header(b, READ, 0);
		bed_nowhere(b, true, 0x80000000);
		bed_nowhere(b, true, 0x80000000);
		bed_nowhere(b, true, extra[i]);
		bed_in(b, 1);
		EXPECT_IOERR(b);
		bed_header(b, WRITE, 0);
		bed_nowhere(b, false, 0x80000000);
		bed_nowhere(b, false, 0x80000000);
		bed_nowhere(b, false, extra[i]);
		bed_in(b, 1);
		EXPECT_IOERR(b);
	}
	bed_free(b);
}

TEST(rw_direction, "read, write: data of the wrong or of both directions")
{
	struct bed *b = bed_new();

	bed_chain(b, READ, 0, 512, 0);
	EXPECT_IOERR(b);
	bed_chain(b, WRITE, 0, 0, 512);
	EXPECT_IOERR(b);
	bed_chain(b, READ, 0, 512, 512);
	EXPECT_IOERR(b);
	bed_chain(b, WRITE, 0, 512, 512);
	EXPECT_IOERR(b);
	bed_chain(b, READ, 0, 1, 512);
	EXPECT_IOERR(b);
	bed_free(b);
}

TEST(rw_read_only, "write: refused on a read-only disk, which can be read")
{
	struct bed *b = bed_new();

	b->unit.flags = VHOST_TARGET_UNIT_F_RO;
	rw_chain(b, WRITE, 0, 512);
	EXPECT_IOERR(b);
	b->unit.flags = 0;
	b->be.limits.ro = true;
	rw_chain(b, WRITE, 0, 512);
	EXPECT_IOERR(b);
	rw_chain(b, READ, 0, 512);
	EXPECT_EQ(0, bed_parse(b));
	bed_free(b);
}

/* Must a write be on stable storage when it is done? */
static bool fua(struct bed *b, bool flush, bool config_wce, bool wce)
{
	b->vdev.features = BED_FEATURES;
	if (!flush)
		b->vdev.features &= ~BIT_ULL(VIRTIO_BLK_F_FLUSH);
	if (!config_wce)
		b->vdev.features &= ~BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE);
	b->vdev.wce = wce;
	rw_chain(b, WRITE, 0, 512);
	EXPECT_EQ(0, bed_parse(b));
	EXPECT(!(b->req.io.flags & ~VT_IO_FUA));
	return b->req.io.flags & VT_IO_FUA;
}

TEST(rw_fua, "write: FUA if write-through, or if the driver knows no flush")
{
	struct bed *b = bed_new();

	EXPECT(!fua(b, true, true, true));
	EXPECT(!fua(b, true, false, true));
	EXPECT(fua(b, true, true, false));
	EXPECT(fua(b, true, false, false));
	EXPECT(fua(b, false, true, false));
	EXPECT(fua(b, false, false, true));
	EXPECT(fua(b, false, false, false));
	/* Reads never. */
	rw_chain(b, READ, 0, 512);
	EXPECT_EQ(0, bed_parse(b));
	EXPECT_EQ(0, b->req.io.flags);
	bed_free(b);
}

/* 5.2.5.2: the cache of a driver that cannot flush starts off. */
TEST(rw_fua_no_flush, "write: FUA with CONFIG_WCE but no FLUSH")
{
	struct bed *b = bed_new();

	EXPECT(fua(b, false, true, true));
	bed_free(b);
}

TEST(rw_map_errors, "read, write: what becomes of errors of guest memory")
{
	struct bed *b = bed_new();
	u32 type;

	for (type = READ; type <= WRITE; type++) {
		u64 invalid = b->st.invalid;

		rw_chain(b, type, 0, 512);
		b->map_err = -EAGAIN;
		EXPECT_EQ(-EAGAIN, bed_parse(b));
		b->map_err = -ENOBUFS;
		EXPECT_EQ(-ENOBUFS, bed_parse(b));
		EXPECT_EQ(invalid, b->st.invalid);
		b->map_err = -EFAULT;
		EXPECT_EQ(1, bed_parse(b));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR,
			  bed_complete(b, b->req.io.status));
		b->map_err = -E2BIG;
		EXPECT_EQ(1, bed_parse(b));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR,
			  bed_complete(b, b->req.io.status));
		EXPECT_EQ(invalid + 2, b->st.invalid);
		b->map_err = 0;
		EXPECT_EQ(0, bed_parse(b));
	}
	bed_free(b);
}

TEST(rw_data_hole, "read, write: a hole under the data is IOERR, once retried")
{
	struct bed *b = bed_new();
	u32 type;

	for (type = READ; type <= WRITE; type++) {
		rw_chain(b, type, 0, 8192);
		b->hole = BED_MEM + 16 + 4096;
		b->hole_err = -EAGAIN;
		EXPECT_EQ(-EAGAIN, bed_parse(b));
		b->hole_err = -EFAULT;
		EXPECT_EQ(1, bed_parse(b));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR,
			  bed_complete(b, b->req.io.status));
		b->hole = 0;
		EXPECT_EQ(0, bed_parse(b));
		EXPECT_EQ(8192, b->req.io.bytes);
	}
	bed_free(b);
}
