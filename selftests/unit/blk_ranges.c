// SPDX-License-Identifier: GPL-2.0
/* virtio-blk DISCARD, WRITE_ZEROES and SECURE_ERASE. */
#include <string.h>

#include "blk_bed.h"

#define UNMAP	VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP

static const struct kind {
	u32 type;
	u8 op;
	u8 feature;
	u32 max;
} kinds[] = {
	{ VIRTIO_BLK_T_DISCARD, VT_OP_DISCARD, VIRTIO_BLK_F_DISCARD,
	  BED_MAX_DISCARD },
	{ VIRTIO_BLK_T_WRITE_ZEROES, VT_OP_WRITE_ZEROES,
	  VIRTIO_BLK_F_WRITE_ZEROES, BED_MAX_ZEROES },
	{ VIRTIO_BLK_T_SECURE_ERASE, VT_OP_SECURE_ERASE,
	  VIRTIO_BLK_F_SECURE_ERASE, BED_MAX_ERASE },
};

#define for_each_kind(k) \
	for (k = kinds; k < kinds + ARRAY_SIZE(kinds); k++)

static void add(struct bed *b, u64 sector, u32 nr, u32 flags)
{
	struct virtio_blk_discard_write_zeroes d = {
		.sector = cpu_to_le64(sector),
		.num_sectors = cpu_to_le32(nr),
		.flags = cpu_to_le32(flags),
	};

	bed_out(b, &d, sizeof(d));
}

/* A chain of one range. */
static void one(struct bed *b, u32 type, u64 sector, u32 nr, u32 flags)
{
	bed_header(b, type, 0);
	add(b, sector, nr, flags);
	bed_in(b, 1);
}

/* A chain of @n ranges of 8 sectors, 16 apart. */
static void many(struct bed *b, u32 type, unsigned int n)
{
	unsigned int i;

	bed_header(b, type, 0);
	for (i = 0; i < n; i++)
		add(b, 16 * i, 8, 0);
	bed_in(b, 1);
}

static void check_many(struct bed *b, const struct kind *k, unsigned int n)
{
	struct vt_io *io = &b->req.io;
	unsigned int i;

	ASSERT_EQ(0, bed_parse(b));
	EXPECT_EQ(k->op, io->op);
	EXPECT_EQ(VHOST_TARGET_OP_OTHER, b->req.op_class);
	EXPECT_EQ(0, io->flags);
	EXPECT_EQ(0, io->bytes);
	ASSERT_EQ(n, io->nr_ranges);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(16 * i, io->range[i].sector);
		EXPECT_EQ(8, io->range[i].nr_sectors);
		EXPECT_EQ(0, io->range[i].flags);
	}
	EXPECT_EQ(VIRTIO_BLK_S_OK, bed_complete(b, BLK_STS_OK));
	EXPECT_EQ(1, b->req.used_len);
}

TEST(ranges_numbers, "ranges: 1 to 16 are taken; 0, 17 and more are IOERR")
{
	struct bed *b = bed_new();
	const struct kind *k;
	unsigned int n;

	for_each_kind(k) {
		for (n = 1; n <= VT_MAX_RANGES; n++) {
			many(b, k->type, n);
			check_many(b, k, n);
		}
		many(b, k->type, 0);
		EXPECT_IOERR(b);
		many(b, k->type, VT_MAX_RANGES + 1);
		EXPECT_IOERR(b);
		many(b, k->type, 1000);
		EXPECT_IOERR(b);
	}
	bed_free(b);
}

TEST(ranges_cuts, "ranges: any cut into descriptors is the same request")
{
	struct bed *b = bed_new();
	const struct kind *k;
	u32 n;

	for_each_kind(k)
		for (n = 1; n <= 64; n++) {
			many(b, k->type, 3);
			bed_cut(b, n);
			check_many(b, k, 3);
		}
	bed_free(b);
}

TEST(ranges_changes, "ranges: a table changed after it was read is not seen")
{
	struct bed *b = bed_new();
	const struct kind *k;

	b->change = true;
	for_each_kind(k) {
		many(b, k->type, VT_MAX_RANGES);
		check_many(b, k, VT_MAX_RANGES);
		EXPECT_EQ(2, b->nr_reads);
	}
	bed_free(b);
}

TEST(ranges_odd, "ranges: bytes that are no whole ranges are IOERR")
{
	struct bed *b = bed_new();
	const struct kind *k;
	u32 len;

	for_each_kind(k)
		for (len = 1; len < 300; len++) {
			if (len % 16 == 0)
				continue;
			bed_chain(b, k->type, 0, len, 0);
			EXPECT_IOERR(b);
		}
	bed_free(b);
}

TEST(ranges_overflow, "ranges: 2^32 bytes and one range are IOERR")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		bed_header(b, k->type, 0);
		add(b, 0, 8, 0);
		bed_nowhere(b, false, 0x80000000);
		bed_nowhere(b, false, 0x80000000);
		bed_in(b, 1);
		EXPECT_IOERR(b);
	}
	bed_free(b);
}

TEST(ranges_direction, "ranges: writable data are IOERR")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		bed_header(b, k->type, 0);
		add(b, 0, 8, 0);
		bed_in(b, 17);
		EXPECT_IOERR(b);
	}
	bed_free(b);
}

TEST(ranges_max, "ranges: as many sectors as promised, not one more")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		one(b, k->type, 0, k->max, 0);
		EXPECT_EQ(0, bed_parse(b));
		EXPECT_EQ(k->max, b->req.io.range[0].nr_sectors);
		one(b, k->type, 0, k->max + 1, 0);
		EXPECT_IOERR(b);
		one(b, k->type, 0, 0xffffffff, 0);
		EXPECT_IOERR(b);
	}
	bed_free(b);
}

TEST(ranges_bounds, "ranges: not beyond the end, however it is added up")
{
	static const u64 bad[] = {
		BED_SECTORS - 7, BED_SECTORS, BED_SECTORS + 1, 1ULL << 32,
		1ULL << 55, 1ULL << 63, ~0ULL, ~0ULL - 7, ~0ULL - 8,
	};
	struct bed *b = bed_new();
	const struct kind *k;
	unsigned int i;

	for_each_kind(k) {
		one(b, k->type, BED_SECTORS - 8, 8, 0);
		EXPECT_EQ(0, bed_parse(b));
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			one(b, k->type, bad[i], 8, 0);
			EXPECT_IOERR(b);
		}
	}
	bed_free(b);
}

TEST(ranges_blocks, "ranges: only whole blocks of a disk of 4096")
{
	struct bed *b = bed_new();
	const struct kind *k;

	b->be.limits.block_size = 4096;
	for_each_kind(k) {
		one(b, k->type, 8, 8, 0);
		EXPECT_EQ(0, bed_parse(b));
		one(b, k->type, 4, 8, 0);
		EXPECT_IOERR(b);
		one(b, k->type, 8, 4, 0);
		EXPECT_IOERR(b);
	}
	bed_free(b);
}

TEST(ranges_last_bad, "ranges: one bad range among good ones refuses all")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		bed_header(b, k->type, 0);
		add(b, 0, 8, 0);
		add(b, BED_SECTORS, 8, 0);
		bed_in(b, 1);
		EXPECT_IOERR(b);
		bed_header(b, k->type, 0);
		add(b, 0, 8, 0);
		add(b, 0, 8, 0x80000000);
		bed_in(b, 1);
		EXPECT_UNSUPP(b);
	}
	bed_free(b);
}

TEST(ranges_empty, "ranges: empty ones are left out; only empty ones: done")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		bed_header(b, k->type, 0);
		add(b, 0, 0, 0);
		add(b, 64, 8, 0);
		add(b, BED_SECTORS, 0, 0);
		bed_in(b, 1);
		ASSERT_EQ(0, bed_parse(b));
		ASSERT_EQ(1, b->req.io.nr_ranges);
		EXPECT_EQ(64, b->req.io.range[0].sector);

		one(b, k->type, 0, 0, 0);
		EXPECT_EQ(1, bed_parse(b));
		EXPECT_EQ(VIRTIO_BLK_S_OK, bed_complete(b, b->req.io.status));
		EXPECT_EQ(1, b->req.used_len);
	}
	EXPECT_EQ(0, b->st.invalid);
	bed_free(b);
}

/* 5.2.6.2 */
TEST(ranges_flags, "ranges: unknown flags are UNSUPP, each bit of them")
{
	struct bed *b = bed_new();
	const struct kind *k;
	int bit;

	for_each_kind(k)
		for (bit = 1; bit < 32; bit++) {
			one(b, k->type, 0, 8, 1u << bit);
			EXPECT_UNSUPP(b);
			one(b, k->type, 0, 8, 1u << bit | UNMAP);
			EXPECT_UNSUPP(b);
		}
	bed_free(b);
}

TEST(ranges_unmap, "ranges: UNMAP goes with WRITE_ZEROES, else it is UNSUPP")
{
	struct bed *b = bed_new();

	one(b, VIRTIO_BLK_T_DISCARD, 0, 8, UNMAP);
	EXPECT_UNSUPP(b);
	one(b, VIRTIO_BLK_T_SECURE_ERASE, 0, 8, UNMAP);
	EXPECT_UNSUPP(b);
	bed_header(b, VIRTIO_BLK_T_WRITE_ZEROES, 0);
	add(b, 0, 8, UNMAP);
	add(b, 8, 8, 0);
	bed_in(b, 1);
	ASSERT_EQ(0, bed_parse(b));
	EXPECT_EQ(VT_RANGE_UNMAP, b->req.io.range[0].flags);
	EXPECT_EQ(0, b->req.io.range[1].flags);
	bed_free(b);
}

/*
 * 5.2.6.2: UNMAP is a permission, a known flag of WRITE_ZEROES whatever the
 * device does with it. Linux guests set it without a look at
 * write_zeroes_may_unmap.
 */
TEST(ranges_may_unmap, "ranges: UNMAP in WRITE_ZEROES without any discard")
{
	struct bed *b = bed_new();

	b->be.limits.max_discard_sectors = 0;
	b->vdev.features &= ~BIT_ULL(VIRTIO_BLK_F_DISCARD);
	one(b, VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, UNMAP);
	ASSERT_EQ(0, bed_parse(b));
	EXPECT_EQ(VT_OP_WRITE_ZEROES, b->req.io.op);
	ASSERT_EQ(1, b->req.io.nr_ranges);
	bed_free(b);
}

/* A cache that is off is so for zeroes, too. */
TEST(ranges_fua, "ranges: WRITE_ZEROES has FUA if write-through, nothing else")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		b->vdev.wce = true;
		one(b, k->type, 0, 8, 0);
		ASSERT_EQ(0, bed_parse(b));
		EXPECT_EQ(0, b->req.io.flags);
		b->vdev.wce = false;
		one(b, k->type, 0, 8, 0);
		ASSERT_EQ(0, bed_parse(b));
		EXPECT_EQ(k->op == VT_OP_WRITE_ZEROES ? VT_IO_FUA : 0,
			  b->req.io.flags);
	}
	bed_free(b);
}

TEST(ranges_not_negotiated, "ranges: what was not negotiated is UNSUPP")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		b->vdev.features = BED_FEATURES & ~BIT_ULL(k->feature);
		one(b, k->type, 0, 8, 0);
		EXPECT_UNSUPP(b);
		b->vdev.features = BIT_ULL(k->feature);
		one(b, k->type, 0, 8, 0);
		EXPECT_EQ(0, bed_parse(b));
	}
	bed_free(b);
}

TEST(ranges_read_only, "ranges: refused on a read-only disk")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		b->unit.flags = VHOST_TARGET_UNIT_F_RO;
		one(b, k->type, 0, 8, 0);
		EXPECT_IOERR(b);
		b->unit.flags = 0;
		b->be.limits.ro = true;
		one(b, k->type, 0, 8, 0);
		EXPECT_IOERR(b);
		b->be.limits.ro = false;
	}
	bed_free(b);
}

TEST(ranges_memory, "ranges: a table not mapped waits, one in a hole is IOERR")
{
	struct bed *b = bed_new();
	const struct kind *k;

	for_each_kind(k) {
		many(b, k->type, 3);
		b->hole = BED_MEM + 16 + 32;
		b->hole_err = -EAGAIN;
		EXPECT_EQ(-EAGAIN, bed_parse(b));
		b->hole_err = -EFAULT;
		EXPECT_IOERR(b);
		b->hole = 0;
		check_many(b, k, 3);
	}
	bed_free(b);
}
