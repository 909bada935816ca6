// SPDX-License-Identifier: GPL-2.0
/* Sound rings, broken requests. */
#include <string.h>

#include "harness.h"
#include "hostile.h"
#include "pattern.h"

#define LEN 4096
#define SECTORS (16 * MIB / SECTOR)

FIXTURE(request)
{
	struct hostile h;
};

FIXTURE_VARIANT(request)
{
	struct hostile_opts o;
};

FIXTURE_VARIANT_ADD(request, split) { .o = { .no_indirect = true } };
FIXTURE_VARIANT_ADD(request, split_indirect) { .o = { .packed = false } };

FIXTURE_VARIANT_ADD(request, packed) {
	.o = { .packed = true, .no_indirect = true, .event_idx = true },
};

FIXTURE_VARIANT_ADD(request, packed_indirect) { .o = { .packed = true } };

FIXTURE_SETUP(request)
{
	ASSERT_EQ(0, hostile_open(&self->h, &variant->o));
	ASSERT_EQ(0, vblk_verified_io(self->h.q, 0, 8, LEN, 1));
	ASSERT_TRUE(vblk_has(&self->h.d, VIRTIO_BLK_F_DISCARD));
}

FIXTURE_TEARDOWN(request)
{
	hostile_close(&self->h);
}

/* What the buffer of the next requests begins with. */
static struct virtio_blk_discard_write_zeroes range[16 * KIB / 16];

static void set_range(unsigned int i, u64 sector, u32 nr, u32 flags)
{
	range[i].sector = sector;
	range[i].num_sectors = nr;
	range[i].flags = flags;
}

/* Send the segments as a request of @kind, and expect its end. */
#define EXPECT_END(allowed, kind, at, ...) do { \
	struct vblk_req *r = hostile_req(&self->h, kind, at); \
	const struct vring_seg __seg[] = { __VA_ARGS__ }; \
	memcpy(r->buf, range, sizeof(range)); \
	ASSERT_EQ(0, hostile_send(r, __seg, ARRAY_SIZE(__seg))); \
	EXPECT_OUTCOME(allowed, &self->h, r); \
} while (0)

/* What was written before any of this is still there. */
#define EXPECT_INTACT() EXPECT_EQ(0, check_intact(self->h.q))

static int check_intact(struct vblk_queue *q)
{
	static u8 buf[LEN];
	u64 sector;
	int ret;

	for (sector = 0; sector < 8 * LEN / SECTOR; sector += LEN / SECTOR) {
		ret = vblk_do(q, VIRTIO_BLK_T_IN, sector, buf, LEN);
		if (!ret)
			ret = pattern_check(buf, LEN, sector, 1);
		if (ret)
			return ret;
	}
	return 0;
}

#define READ VIRTIO_BLK_T_IN
#define WRITE VIRTIO_BLK_T_OUT

TEST_F(request, sound)
{
	EXPECT_INTACT();
	EXPECT_END(OUT_OK, READ, 0, SEG_HDR(r), SEG_IN(r, 0, LEN),
		   SEG_STATUS(r));
}

TEST_F(request, header_short)
{
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0, { r->hdr_gpa, 8, false },
		   SEG_IN(r, 0, LEN), SEG_STATUS(r));
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0,
		   { r->hdr_gpa, 15, false }, SEG_IN(r, 0, LEN),
		   SEG_STATUS(r));
}

TEST_F(request, header_missing)
{
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0, SEG_IN(r, 0, LEN),
		   SEG_STATUS(r));
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0, SEG_STATUS(r));
}

TEST_F(request, header_writable)
{
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0, { r->hdr_gpa, 16, true },
		   SEG_IN(r, 0, LEN), SEG_STATUS(r));
}

/* ANY_LAYOUT: where descriptors begin and end means nothing. */
TEST_F(request, header_split)
{
	unsigned int i, n = 0;
	struct vring_seg seg[19];
	struct vblk_req *r = hostile_req(&self->h, READ, 8);

	for (i = 0; i < 16; i++)
		seg[n++] = (struct vring_seg){ r->hdr_gpa + i, 1, false };
	seg[n++] = (struct vring_seg)SEG_IN(r, 0, LEN - 3);
	seg[n++] = (struct vring_seg)SEG_IN(r, LEN - 3, 3);
	seg[n++] = (struct vring_seg)SEG_STATUS(r);
	ASSERT_EQ(0, hostile_send(r, seg, n));
	EXPECT_EQ(OUT_OK, hostile_outcome(&self->h, r));
	EXPECT_EQ(0, pattern_check(r->buf, LEN, 8, 1));
}

/* Header and data in one descriptor, data and status in one. */
TEST_F(request, header_with_data)
{
	struct vblk_req *r = hostile_req(&self->h, WRITE, 64), *in;
	struct vring_seg out[] = {
		{ r->buf_gpa, 16 + LEN, false }, SEG_STATUS(r),
	};

	memcpy(r->buf, r->hdr, 16);
	pattern_fill(r->buf + 16, LEN, 64, 2);
	ASSERT_EQ(0, hostile_send(r, out, 2));
	EXPECT_EQ(OUT_OK, hostile_outcome(&self->h, r));

	in = hostile_req(&self->h, READ, 64);
	out[0] = (struct vring_seg)SEG_HDR(in);
	out[1] = (struct vring_seg){ in->buf_gpa, LEN + 1, true };
	in->buf[LEN] = VBLK_ST_NONE;
	in->status = in->buf + LEN;
	ASSERT_EQ(0, hostile_send(in, out, 2));
	EXPECT_EQ(OUT_OK, hostile_outcome(&self->h, in));
	EXPECT_EQ(0, pattern_check(in->buf, LEN, 64, 2));
}

/*
 * Assumption: more to read than a header is refused for a read, or not looked
 * at: the specification has no place for it.
 */
TEST_F(request, header_long)
{
	EXPECT_END(OUT_IOERR | OUT_OK, READ, 0, { r->hdr_gpa, 24, false },
		   SEG_IN(r, 0, LEN), SEG_STATUS(r));
}

TEST_F(request, status_missing)
{
	EXPECT_END(OUT_LOST | OUT_STOPPED, WRITE, 0, SEG_HDR(r),
		   SEG_OUT(r, 0, LEN));
	EXPECT_END(OUT_LOST | OUT_STOPPED, WRITE, 0, SEG_HDR(r));
}

TEST_F(request, status_not_writable)
{
	EXPECT_END(OUT_LOST | OUT_STOPPED, WRITE, 0, SEG_HDR(r),
		   SEG_OUT(r, 0, LEN), { r->status_gpa, 1, false });
}

TEST_F(request, status_empty)
{
	EXPECT_END(OUT_LOST | OUT_STOPPED, WRITE, 0, SEG_HDR(r),
		   SEG_OUT(r, 0, LEN), { r->status_gpa, 0, true });
}

TEST_F(request, data_wrong_direction)
{
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0, SEG_HDR(r),
		   SEG_OUT(r, 0, LEN), SEG_STATUS(r));
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, WRITE, 0, SEG_HDR(r),
		   SEG_IN(r, 0, LEN), SEG_STATUS(r));
}

/*
 * Readable after writable (2.7.5.2 forbids it). Assumption: refused, stopped,
 * or taken for what it says.
 */
TEST_F(request, order_reversed)
{
	EXPECT_END(OUT_REFUSED | OUT_STOPPED | OUT_OK, READ, 0,
		   SEG_IN(r, 0, LEN), SEG_HDR(r), SEG_STATUS(r));
}

TEST_F(request, no_data)
{
	EXPECT_END(OUT_IOERR, READ, 0, SEG_HDR(r), SEG_STATUS(r));
	EXPECT_END(OUT_IOERR, WRITE, 0, SEG_HDR(r), SEG_STATUS(r));
}

/* Assumption: an empty descriptor among others is skipped or refused. */
TEST_F(request, empty_descriptors)
{
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0, SEG_HDR(r),
		   SEG_IN(r, 0, 0), SEG_STATUS(r));
	EXPECT_END(OUT_REFUSED | OUT_STOPPED | OUT_OK, READ, 0, SEG_HDR(r),
		   SEG_IN(r, 0, 512), SEG_IN(r, 512, 0), SEG_IN(r, 512, 512),
		   SEG_STATUS(r));
}

TEST_F(request, length_not_of_sectors)
{
	static const u32 len[] = { 1, 511, 513, LEN - 1, LEN + 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		EXPECT_END(OUT_IOERR, READ, 0, SEG_HDR(r),
			   SEG_IN(r, 0, len[i]), SEG_STATUS(r));
		EXPECT_END(OUT_IOERR, WRITE, 0, SEG_HDR(r),
			   SEG_OUT(r, 0, len[i]), SEG_STATUS(r));
	}
	/* Nothing of it was written. */
	EXPECT_INTACT();
}

/* Sectors that only look small when cut to 32 or 64 bits of bytes. */
TEST_F(request, sector_overflow)
{
	static const u64 sector[] = {
		SECTORS, SECTORS - 1, 1ull << 23, 1ull << 32, 1ull << 41,
		1ull << 55, 1ull << 63, ~0ull, ~0ull - 7, ~0ull >> 9,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sector); i++) {
		EXPECT_END(OUT_IOERR, READ, sector[i], SEG_HDR(r),
			   SEG_IN(r, 0, LEN), SEG_STATUS(r));
		EXPECT_END(OUT_IOERR, WRITE, sector[i], SEG_HDR(r),
			   SEG_OUT(r, 0, LEN), SEG_STATUS(r));
	}
	EXPECT_INTACT();
}

/* The sum of the lengths is a small number in 32 bits. */
TEST_F(request, length_overflow)
{
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0, SEG_HDR(r),
		   SEG_IN(r, 0, 0x80000000), SEG_IN(r, 0, 0x80000000),
		   SEG_IN(r, 0, 512), SEG_STATUS(r));
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, READ, 0, SEG_HDR(r),
		   SEG_IN(r, 0, 0xfffffe00), SEG_IN(r, 0, 1024),
		   SEG_STATUS(r));
}

/* All in a hole, half in it, and around the end of the address space. */
TEST_F(request, data_in_a_hole)
{
	u64 hole = mem_hole(&self->h.d.mem);

	EXPECT_END(OUT_IOERR, READ, 0, SEG_HDR(r), { hole, LEN, true },
		   SEG_STATUS(r));
	EXPECT_END(OUT_IOERR, WRITE, 0, SEG_HDR(r), { hole, LEN, false },
		   SEG_STATUS(r));
	EXPECT_END(OUT_IOERR, READ, 0, SEG_HDR(r), { hole - 512, LEN, true },
		   SEG_STATUS(r));
	EXPECT_END(OUT_IOERR, WRITE, 0, SEG_HDR(r), SEG_OUT(r, 0, 512),
		   { hole, 512, false }, SEG_STATUS(r));
	EXPECT_END(OUT_IOERR | OUT_STOPPED, READ, 0, SEG_HDR(r),
		   { ~0ull - 511, 1024, true }, SEG_STATUS(r));
	EXPECT_END(OUT_IOERR | OUT_STOPPED, READ, 0, SEG_HDR(r),
		   { 1ull << 63, LEN, true }, SEG_STATUS(r));
	EXPECT_INTACT();
}

TEST_F(request, header_in_a_hole)
{
	u64 hole = mem_hole(&self->h.d.mem);

	EXPECT_END(OUT_IOERR | OUT_STOPPED, READ, 0, { hole, 16, false },
		   SEG_IN(r, 0, LEN), SEG_STATUS(r));
	EXPECT_END(OUT_IOERR | OUT_STOPPED, READ, 0, { hole - 8, 16, false },
		   SEG_IN(r, 0, LEN), SEG_STATUS(r));
}

TEST_F(request, status_in_a_hole)
{
	u64 hole = mem_hole(&self->h.d.mem);

	EXPECT_END(OUT_LOST | OUT_STOPPED, READ, 0, SEG_HDR(r),
		   SEG_IN(r, 0, LEN), { hole, 1, true });
}

/* Discard and write zeroes: the first @len bytes of range[]. */
#define RANGES(allowed, kind, len) \
	EXPECT_END(allowed, kind, 0, SEG_HDR(r), SEG_OUT(r, 0, len), \
		   SEG_STATUS(r))

TEST_F(request, discard_length)
{
	set_range(0, 0, 8, 0);
	set_range(1, 8, 8, 0);
	RANGES(OUT_REFUSED, VIRTIO_BLK_T_DISCARD, 1);
	RANGES(OUT_REFUSED, VIRTIO_BLK_T_DISCARD, 15);
	RANGES(OUT_REFUSED, VIRTIO_BLK_T_DISCARD, 17);
	RANGES(OUT_REFUSED, VIRTIO_BLK_T_DISCARD, 31);
	EXPECT_END(OUT_REFUSED, VIRTIO_BLK_T_DISCARD, 0, SEG_HDR(r),
		   SEG_STATUS(r));
	RANGES(OUT_OK, VIRTIO_BLK_T_DISCARD, 16);
}

TEST_F(request, discard_too_many)
{
	u32 nr = self->h.d.config.max_discard_seg, i;

	if ((nr + 1) * 16 > 16 * KIB)
		SKIP(return, "%u ranges allowed", nr);
	for (i = 0; i <= nr; i++)
		set_range(i, 8 * i, 8, 0);
	RANGES(OUT_REFUSED, VIRTIO_BLK_T_DISCARD, (nr + 1) * 16);
	RANGES(OUT_OK, VIRTIO_BLK_T_DISCARD, nr * 16);
}

TEST_F(request, discard_flags)
{
	/* 5.2.6.2: UNMAP in a discard, and unknown flags, are UNSUPP. */
	set_range(0, 0, 8, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	RANGES(OUT_UNSUPP, VIRTIO_BLK_T_DISCARD, 16);
	set_range(0, 0, 8, 2);
	RANGES(OUT_UNSUPP, VIRTIO_BLK_T_DISCARD, 16);
	set_range(0, 0, 8, 1u << 31);
	RANGES(OUT_UNSUPP, VIRTIO_BLK_T_DISCARD, 16);
	EXPECT_INTACT();
}

TEST_F(request, discard_range)
{
	u32 max = self->h.d.config.max_discard_sectors;

	set_range(0, SECTORS, 8, 0);
	RANGES(OUT_IOERR, VIRTIO_BLK_T_DISCARD, 16);
	set_range(0, SECTORS - 8, 16, 0);
	RANGES(OUT_IOERR, VIRTIO_BLK_T_DISCARD, 16);
	set_range(0, ~0ull, 8, 0);
	RANGES(OUT_IOERR, VIRTIO_BLK_T_DISCARD, 16);
	set_range(0, 1ull << 55, 8, 0);
	RANGES(OUT_IOERR, VIRTIO_BLK_T_DISCARD, 16);
	set_range(0, 0, ~0u, 0);
	RANGES(OUT_IOERR, VIRTIO_BLK_T_DISCARD, 16);
	if (max < SECTORS) {
		set_range(0, 0, max + 1, 0);
		RANGES(OUT_IOERR, VIRTIO_BLK_T_DISCARD, 16);
	}
}

TEST_F(request, discard_wrong_direction)
{
	set_range(0, 0, 8, 0);
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, VIRTIO_BLK_T_DISCARD, 0,
		   SEG_HDR(r), SEG_IN(r, 0, 16), SEG_STATUS(r));
}

TEST_F(request, write_zeroes)
{
	u32 nr = self->h.d.config.max_write_zeroes_seg, i;

	if (!vblk_has(&self->h.d, VIRTIO_BLK_F_WRITE_ZEROES)) {
		set_range(0, 0, 8, 0);
		RANGES(OUT_UNSUPP, VIRTIO_BLK_T_WRITE_ZEROES, 16);
		return;
	}
	set_range(0, 0, 8, 2);
	RANGES(OUT_UNSUPP, VIRTIO_BLK_T_WRITE_ZEROES, 16);
	set_range(0, SECTORS - 7, 8, 0);
	RANGES(OUT_IOERR, VIRTIO_BLK_T_WRITE_ZEROES, 16);
	set_range(0, ~0ull - 3, 8, 0);
	RANGES(OUT_IOERR, VIRTIO_BLK_T_WRITE_ZEROES, 16);
	RANGES(OUT_REFUSED, VIRTIO_BLK_T_WRITE_ZEROES, 8);
	RANGES(OUT_REFUSED, VIRTIO_BLK_T_WRITE_ZEROES, 24);
	EXPECT_INTACT();
	if ((nr + 1) * 16 > 16 * KIB)
		return;
	for (i = 0; i <= nr; i++)
		set_range(i, 8 * i, 8, 0);
	RANGES(OUT_REFUSED, VIRTIO_BLK_T_WRITE_ZEROES, (nr + 1) * 16);
}

TEST_F(request, get_id_length)
{
	struct vring_seg seg[4];
	struct vblk_req *r;

	EXPECT_END(OUT_REFUSED, VIRTIO_BLK_T_GET_ID, 0, SEG_HDR(r),
		   SEG_IN(r, 0, 19), SEG_STATUS(r));
	EXPECT_END(OUT_REFUSED, VIRTIO_BLK_T_GET_ID, 0, SEG_HDR(r),
		   SEG_STATUS(r));
	EXPECT_END(OUT_REFUSED | OUT_STOPPED, VIRTIO_BLK_T_GET_ID, 0,
		   SEG_HDR(r), SEG_OUT(r, 0, 20), SEG_STATUS(r));
	r = hostile_req(&self->h, VIRTIO_BLK_T_GET_ID, 0);
	seg[0] = (struct vring_seg)SEG_HDR(r);
	seg[1] = (struct vring_seg)SEG_IN(r, 0, 7);
	seg[2] = (struct vring_seg)SEG_IN(r, 7, 13);
	seg[3] = (struct vring_seg)SEG_STATUS(r);
	ASSERT_EQ(0, hostile_send(r, seg, 4));
	EXPECT_EQ(OUT_OK, hostile_outcome(&self->h, r));
	EXPECT_STREQ(BED_SERIAL, (char *)r->buf);
}

/* Assumption: refused, as hazards of other targets were. */
TEST_F(request, flush_with_data)
{
	if (!vblk_has(&self->h.d, VIRTIO_BLK_F_FLUSH))
		SKIP(return, "no flush");
	EXPECT_END(OUT_REFUSED, VIRTIO_BLK_T_FLUSH, 0, SEG_HDR(r),
		   SEG_OUT(r, 0, 512), SEG_STATUS(r));
	EXPECT_END(OUT_REFUSED, VIRTIO_BLK_T_FLUSH, 0, SEG_HDR(r),
		   SEG_IN(r, 0, 512), SEG_STATUS(r));
}

/* Assumption: the legacy barrier bit makes a type unknown. */
TEST_F(request, unknown_type)
{
	static const u32 type[] = {
		2, 3, 5, 6, 7, 9, 10, 12, 14, 15, 16, 18, 20, 22, 24, 25, 26,
		0xffff, 0x80000000, 0x80000001, 0xffffffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(type); i++) {
		EXPECT_END(OUT_UNSUPP, type[i], 0, SEG_HDR(r),
			   SEG_OUT(r, 0, 512), SEG_STATUS(r));
		EXPECT_END(OUT_UNSUPP, type[i], 0, SEG_HDR(r),
			   SEG_IN(r, 0, 512), SEG_STATUS(r));
		EXPECT_END(OUT_UNSUPP, type[i], 0, SEG_HDR(r), SEG_STATUS(r));
	}
}

/* More segments than the device said it takes. */
TEST_F(request, too_many_segments)
{
	u32 max = self->h.d.config.seg_max, n = 0;
	struct vring_seg seg[VRING_MAX_INDIRECT];
	struct vblk_req *r = hostile_req(&self->h, READ, 0);

	if (!vblk_has(&self->h.d, VIRTIO_BLK_F_SEG_MAX) ||
	    max + 3 > ARRAY_SIZE(seg))
		SKIP(return, "%u segments allowed", max);
	seg[n++] = (struct vring_seg)SEG_HDR(r);
	while (n < max + 2) {
		seg[n] = (struct vring_seg)SEG_IN(r, 0, 512);
		n++;
	}
	seg[n++] = (struct vring_seg)SEG_STATUS(r);
	ASSERT_EQ(0, hostile_send(r, seg, n));
	EXPECT_OUTCOME(OUT_REFUSED | OUT_STOPPED | OUT_OK, &self->h, r);
}

FIXTURE(read_only)
{
	struct hostile h;
};

FIXTURE_SETUP(read_only)
{
	struct hostile_opts o = { .read_only = true };

	ASSERT_EQ(0, hostile_open(&self->h, &o));
}

FIXTURE_TEARDOWN(read_only)
{
	hostile_close(&self->h);
}

TEST_F(read_only, refuses_writes)
{
	u8 buf[LEN];

	EXPECT_TRUE(vblk_has(&self->h.d, VIRTIO_BLK_F_RO));
	EXPECT_FALSE(vblk_has(&self->h.d, VIRTIO_BLK_F_DISCARD));
	EXPECT_FALSE(vblk_has(&self->h.d, VIRTIO_BLK_F_WRITE_ZEROES));
	EXPECT_END(OUT_IOERR, WRITE, 0, SEG_HDR(r), SEG_OUT(r, 0, LEN),
		   SEG_STATUS(r));
	set_range(0, 0, 8, 0);
	RANGES(OUT_IOERR | OUT_UNSUPP, VIRTIO_BLK_T_DISCARD, 16);
	set_range(0, 0, 8, 0);
	RANGES(OUT_IOERR | OUT_UNSUPP, VIRTIO_BLK_T_WRITE_ZEROES, 16);
	EXPECT_EQ(0, vblk_do(self->h.q, READ, 0, buf, LEN));
	EXPECT_EQ(0, pattern_check_zero(buf, LEN, 0));
}

/* The driver does not take the RO bit, and writes all the same. */
TEST_F(read_only, bit_not_accepted)
{
	struct vblk *d = &self->h.d;

	ASSERT_EQ(0, vhost_stop(d->fd));
	ASSERT_EQ(0, vhost_set_features(d->fd, d->features &
					~VBLK_BIT(VIRTIO_BLK_F_RO)));
	ASSERT_EQ(0, vblk_reset(d));
	EXPECT_END(OUT_IOERR, WRITE, 0, SEG_HDR(r), SEG_OUT(r, 0, LEN),
		   SEG_STATUS(r));
}

TEST_HARNESS_MAIN
