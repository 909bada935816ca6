// SPDX-License-Identifier: GPL-2.0
/* virtio-blk features and configuration space: virtio 1.2, 5.2.3 and 5.2.4. */
#include <string.h>

#include "blk_bed.h"

/* The spec's table, byte by byte. */
#define AT(field, off, bytes)						     \
	_Static_assert(offsetof(struct virtio_blk_config, field) == (off) && \
		       sizeof(((struct virtio_blk_config *)0)->field) ==     \
		       (bytes), #field)

AT(capacity, 0, 8);
AT(size_max, 8, 4);
AT(seg_max, 12, 4);
AT(geometry.cylinders, 16, 2);
AT(geometry.heads, 18, 1);
AT(geometry.sectors, 19, 1);
AT(blk_size, 20, 4);
AT(physical_block_exp, 24, 1);
AT(alignment_offset, 25, 1);
AT(min_io_size, 26, 2);
AT(opt_io_size, 28, 4);
AT(wce, 32, 1);
AT(num_queues, 34, 2);
AT(max_discard_sectors, 36, 4);
AT(max_discard_seg, 40, 4);
AT(discard_sector_alignment, 44, 4);
AT(max_write_zeroes_sectors, 48, 4);
AT(max_write_zeroes_seg, 52, 4);
AT(write_zeroes_may_unmap, 56, 1);
AT(max_secure_erase_sectors, 60, 4);
AT(max_secure_erase_seg, 64, 4);
AT(secure_erase_sector_alignment, 68, 4);
_Static_assert(sizeof(struct virtio_blk_config) >= 72, "config space");
_Static_assert(sizeof(struct virtio_blk_outhdr) == 16, "header");
_Static_assert(sizeof(struct virtio_blk_discard_write_zeroes) == 16, "range");

/* The numbers of 5.2.3 and 5.2.6. */
_Static_assert(VIRTIO_BLK_F_SIZE_MAX == 1 && VIRTIO_BLK_F_SEG_MAX == 2 &&
	       VIRTIO_BLK_F_GEOMETRY == 4 && VIRTIO_BLK_F_RO == 5 &&
	       VIRTIO_BLK_F_BLK_SIZE == 6 && VIRTIO_BLK_F_FLUSH == 9 &&
	       VIRTIO_BLK_F_TOPOLOGY == 10 && VIRTIO_BLK_F_CONFIG_WCE == 11 &&
	       VIRTIO_BLK_F_MQ == 12 && VIRTIO_BLK_F_DISCARD == 13 &&
	       VIRTIO_BLK_F_WRITE_ZEROES == 14 &&
	       VIRTIO_BLK_F_SECURE_ERASE == 16, "feature bits");
_Static_assert(VIRTIO_BLK_T_IN == 0 && VIRTIO_BLK_T_OUT == 1 &&
	       VIRTIO_BLK_T_FLUSH == 4 && VIRTIO_BLK_T_GET_ID == 8 &&
	       VIRTIO_BLK_T_DISCARD == 11 && VIRTIO_BLK_T_WRITE_ZEROES == 13 &&
	       VIRTIO_BLK_T_SECURE_ERASE == 14, "types");

static struct virtio_blk_config get(struct bed *b)
{
	struct virtio_blk_config c;

	memset(&c, 0xa5, sizeof(c));
	blk_get_config(&b->vdev, &c);
	return c;
}

TEST(features_all, "features: a disk that can do everything offers all of it")
{
	struct bed *b = bed_new();

	EXPECT_EQ(BED_FEATURES, blk_features(&b->target));
	bed_free(b);
}

TEST(features_no_unit, "features: without a disk only what all have")
{
	struct bed *b = bed_new();

	b->target.units.entry = NULL;
	EXPECT_EQ(BED_FEATURES & ~(BIT_ULL(VIRTIO_BLK_F_DISCARD) |
				   BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) |
				   BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE)),
		  blk_features(&b->target));
	bed_free(b);
}

TEST(features_ro, "features: a read-only disk offers RO, nothing that writes")
{
	struct bed *b = bed_new();
	u64 want = BIT_ULL(VIRTIO_BLK_F_RO) |
		   (BED_FEATURES & ~(BIT_ULL(VIRTIO_BLK_F_DISCARD) |
				     BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES) |
				     BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE)));

	b->unit.flags = VHOST_TARGET_UNIT_F_RO;
	EXPECT_EQ(want, blk_features(&b->target));
	b->unit.flags = 0;
	b->be.limits.ro = true;
	EXPECT_EQ(want, blk_features(&b->target));
	bed_free(b);
}

TEST(features_limits, "features: each command only if the backend has it")
{
	struct bed *b = bed_new();
	struct vt_limits *l = &b->be.limits;

	l->max_discard_sectors = 0;
	EXPECT_EQ(BED_FEATURES & ~BIT_ULL(VIRTIO_BLK_F_DISCARD),
		  blk_features(&b->target));
	l->max_discard_sectors = 1;
	l->max_write_zeroes_sectors = 0;
	EXPECT_EQ(BED_FEATURES & ~BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES),
		  blk_features(&b->target));
	l->max_write_zeroes_sectors = 1;
	l->max_secure_erase_sectors = 0;
	EXPECT_EQ(BED_FEATURES & ~BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE),
		  blk_features(&b->target));
	l->max_secure_erase_sectors = 1;
	b->unit.flags = VHOST_TARGET_UNIT_F_NO_DISCARD;
	EXPECT_EQ(BED_FEATURES & ~BIT_ULL(VIRTIO_BLK_F_DISCARD),
		  blk_features(&b->target));
	bed_free(b);
}

TEST(features_cache, "features: FLUSH and CONFIG_WCE whatever the cache is")
{
	struct bed *b = bed_new();

	/* 5.2.5.2: who offers CONFIG_WCE must offer FLUSH. */
	b->be.limits.write_cache = false;
	EXPECT_EQ(BED_FEATURES, blk_features(&b->target));
	b->unit.flags = VHOST_TARGET_UNIT_F_WRITETHROUGH;
	EXPECT_EQ(BED_FEATURES, blk_features(&b->target));
	bed_free(b);
}

TEST(config_fields, "config: capacity, limits, queues, no junk between")
{
	struct bed *b = bed_new();
	struct virtio_blk_config c = get(b);

	EXPECT_EQ(BED_SECTORS, le64_to_cpu(c.capacity));
	EXPECT_EQ(65536, le32_to_cpu(c.size_max));
	EXPECT_EQ(126, le32_to_cpu(c.seg_max));
	EXPECT_EQ(4, le16_to_cpu(c.num_queues));
	EXPECT_EQ(BED_MAX_DISCARD, le32_to_cpu(c.max_discard_sectors));
	EXPECT_EQ(VT_MAX_RANGES, le32_to_cpu(c.max_discard_seg));
	EXPECT_EQ(8, le32_to_cpu(c.discard_sector_alignment));
	EXPECT_EQ(BED_MAX_ZEROES, le32_to_cpu(c.max_write_zeroes_sectors));
	EXPECT_EQ(VT_MAX_RANGES, le32_to_cpu(c.max_write_zeroes_seg));
	EXPECT_EQ(1, c.write_zeroes_may_unmap);
	EXPECT_EQ(BED_MAX_ERASE, le32_to_cpu(c.max_secure_erase_sectors));
	EXPECT_EQ(VT_MAX_RANGES, le32_to_cpu(c.max_secure_erase_seg));
	EXPECT_EQ(16, le32_to_cpu(c.secure_erase_sector_alignment));
	EXPECT_EQ(0, c.unused);
	EXPECT_EQ(0, c.unused1[0] | c.unused1[1] | c.unused1[2]);

	b->be.limits.sectors = 0x123456789aULL;
	b->be.limits.max_discard_sectors = 0;
	b->be.limits.secure_erase_alignment = 0;
	b->target.num_queues = 256;
	c = get(b);
	EXPECT_EQ(0x123456789aLL, le64_to_cpu(c.capacity));
	EXPECT_EQ(0, c.write_zeroes_may_unmap);
	/* One block: Linux refuses a disk where it is 0. */
	EXPECT_EQ(b->be.limits.block_size / SECTOR_SIZE,
		  le32_to_cpu(c.secure_erase_sector_alignment));
	EXPECT_EQ(256, le16_to_cpu(c.num_queues));
	bed_free(b);
}

TEST(config_topology, "config: topology in logical blocks, clipped to fields")
{
	static const struct {
		u32 bs, pbs, min, opt, offset;
		u32 want_exp, want_min, want_opt, want_offset;
	} cases[] = {
		{ 512, 512, 512, 0, 0, 0, 1, 0, 0 },
		{ 512, 4096, 4096, 65536, 0, 3, 8, 128, 0 },
		{ 512, 4096, 4096, 65536, 3584, 3, 8, 128, 7 },
		{ 4096, 4096, 4096, 1 << 20, 0, 0, 1, 256, 0 },
		{ 4096, 65536, 65536, 65536, 4096, 4, 16, 16, 1 },
		{ 512, 512, 64 << 20, 0x80000000, 0, 0, 65535, 1 << 22, 0 },
		{ 512, 512, 65535 * 512, 512, 0, 0, 65535, 1, 0 },
	};
	struct bed *b = bed_new();
	struct vt_limits *l = &b->be.limits;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct virtio_blk_config c;

		l->block_size = cases[i].bs;
		l->physical_block_size = cases[i].pbs;
		l->io_min = cases[i].min;
		l->io_opt = cases[i].opt;
		l->alignment_offset = cases[i].offset;
		c = get(b);
		EXPECT_EQ(cases[i].bs, le32_to_cpu(c.blk_size));
		EXPECT_EQ(cases[i].want_exp, c.physical_block_exp);
		EXPECT_EQ(cases[i].want_min, le16_to_cpu(c.min_io_size));
		EXPECT_EQ(cases[i].want_opt, le32_to_cpu(c.opt_io_size));
		EXPECT_EQ(cases[i].want_offset, c.alignment_offset);
	}
	bed_free(b);
}

TEST(config_geometry, "config: geometry of small and of huge disks")
{
	static const struct {
		u64 sectors;
		u32 cylinders;
	} cases[] = {
		{ 0, 0 }, { 1023, 0 }, { 1024, 1 }, { 2047, 1 },
		{ 65535ULL * 1024, 65535 }, { 65536ULL * 1024, 65535 },
		{ ~0ULL >> 9, 65535 },
	};
	struct bed *b = bed_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct virtio_blk_config c;

		b->be.limits.sectors = cases[i].sectors;
		c = get(b);
		EXPECT_EQ(cases[i].cylinders,
			  le16_to_cpu(c.geometry.cylinders));
		EXPECT_EQ(16, c.geometry.heads);
		EXPECT_EQ(64, c.geometry.sectors);
	}
	bed_free(b);
}

TEST(config_no_unit, "config: without a disk the buffer is left alone")
{
	struct bed *b = bed_new();
	struct virtio_blk_config c;

	b->target.units.entry = NULL;
	c = get(b);
	EXPECT_EQ(0xa5, c.wce);
	bed_free(b);
}

static int set(struct bed *b, u32 off, u8 val, u32 len)
{
	u8 buf[8] = { val };

	return blk_set_config(&b->vdev, off, buf, len);
}

TEST(set_wce, "config: the write cache can be set to 0 and 1 only")
{
	struct bed *b = bed_new();
	u32 off = offsetof(struct virtio_blk_config, wce);
	unsigned int val;

	EXPECT_EQ(1, get(b).wce);
	EXPECT_EQ(0, set(b, off, 0, 1));
	EXPECT_EQ(0, get(b).wce);
	for (val = 2; val < 256; val++)
		EXPECT_EQ(-EINVAL, set(b, off, val, 1));
	EXPECT_EQ(0, get(b).wce);
	EXPECT_EQ(0, set(b, off, 1, 1));
	EXPECT_EQ(1, get(b).wce);
	/* Nobody has one yet: it is as the backend's. */
	EXPECT_EQ(0, set(b, off, 0, 1));
	b->vdev.s.attached = false;
	EXPECT_EQ(1, get(b).wce);
	bed_free(b);
}

TEST(set_other, "config: no other offset or length can be written")
{
	struct bed *b = bed_new();
	u32 wce = offsetof(struct virtio_blk_config, wce), off, len;

	for (off = 0; off < sizeof(struct virtio_blk_config); off++)
		for (len = 0; len <= 8; len++)
			if (off != wce || len != 1)
				EXPECT_EQ(-EACCES, set(b, off, 0, len));
	EXPECT_EQ(-EACCES, set(b, ~0u, 0, 1));
	EXPECT_EQ(1, get(b).wce);
	bed_free(b);
}

TEST(set_all, "config: of a write of all of it the write cache is taken")
{
	struct bed *b = bed_new();
	struct virtio_blk_config before = get(b), c;

	memset(&c, 0xff, sizeof(c));
	c.wce = 0;
	EXPECT_EQ(0, blk_set_config(&b->vdev, 0, &c, sizeof(c)));
	EXPECT_EQ(0, get(b).wce);
	c.wce = 1;
	EXPECT_EQ(0, blk_set_config(&b->vdev, 0, &c, sizeof(c)));
	c = get(b);
	EXPECT(!memcmp(&before, &c, sizeof(c)));
	c.wce = 2;
	EXPECT_EQ(-EINVAL, blk_set_config(&b->vdev, 0, &c, sizeof(c)));
	EXPECT_EQ(-EACCES, blk_set_config(&b->vdev, 0, &c, sizeof(c) - 1));
	EXPECT_EQ(1, get(b).wce);
	bed_free(b);
}

TEST(set_not_negotiated, "config: without CONFIG_WCE it cannot be set")
{
	struct bed *b = bed_new();

	b->vdev.features &= ~BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE);
	EXPECT_EQ(-EACCES,
		  set(b, offsetof(struct virtio_blk_config, wce), 0, 1));
	EXPECT_EQ(1, b->vdev.wce);
	bed_free(b);
}

/* 5.2.5.2: such a driver could never have its data made safe. */
TEST(wce_no_flush, "config: the cache starts off for who cannot flush it")
{
	struct bed *b = bed_new();

	b->vdev.features &= ~BIT_ULL(VIRTIO_BLK_F_FLUSH);
	EXPECT_EQ(0, get(b).wce);
	bed_free(b);
}
