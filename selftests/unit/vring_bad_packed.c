// SPDX-License-Identifier: GPL-2.0
/* Drivers that break the rules of packed rings. */
#include "ring.h"

#define BITS	(1u << VRING_PACKED_DESC_F_AVAIL | \
		 1u << VRING_PACKED_DESC_F_USED)

TEST(packed_wrap, "packed: wrong wrap counters make nothing available")
{
	unsigned int wrap, i;

	for (wrap = 0; wrap < 2; wrap++) {
		u16 bad[] = { 0, BITS, packed_avail_flags(!wrap) };
		u32 half = wrap << 15;
		struct ring *r = ring_new(true, 4, half | half << 16);
		struct buf b = OUT(1, 1);

		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			b.flags = bad[i];
			packed_desc(r, 0, b, 0);
			EXPECT(!r->vr.ops->pending(&r->vr));
			EXPECT(!r->vr.ops->arm(&r->vr));
			EXPECT_EQ(0, ring_take(r));
			EXPECT_EQ(VT_RING_OK, r->vr.error);
		}
		b.flags = packed_avail_flags(wrap);
		packed_desc(r, 0, b, 0);
		EXPECT_EQ(1, ring_take(r));
		ring_free(r);
	}
}

TEST(packed_stale, "packed: the lap before is not taken for this one")
{
	struct ring *r = ring_new(true, 2, RING_BASE(true));
	struct buf b = IN(1, 1);
	unsigned int i;
	u32 len;
	u16 id;

	for (i = 0; i < 9; i++) {
		ring_add(r, &b, 1);
		ASSERT_EQ(1, ring_take(r));
		/* Neither before nor after it is used. */
		EXPECT_EQ(0, ring_take(r));
		ring_push(r, 1);
		EXPECT_EQ(0, ring_take(r));
		r->vr.ops->publish(&r->vr);
		EXPECT_EQ(0, ring_take(r));
		ASSERT(ring_get_used(r, &id, &len));
	}
	ring_free(r);
}

static void all_next(u16 size, u32 at, u32 len)
{
	struct ring *r = ring_new(true, size, at | at << 16 | 0x80008000);
	struct buf b = OUT(1, len);
	u32 i;

	for (i = 0; i < size; i++) {
		b.flags = VRING_DESC_F_NEXT | packed_avail_flags(i >= at);
		packed_desc(r, i, b, 0);
	}
	EXPECT_BROKEN(r, VT_RING_LOOP);
	ring_free(r);
}

TEST(packed_all_next, "packed: NEXT on every descriptor stops the ring")
{
	u32 size, at;

	for (size = 1; size <= 1024; size *= 4)
		for (at = 0; at < size; at += size / 4 + 1) {
			all_next(size, at, 0);
			all_next(size, at, 1);
		}
}

TEST(packed_id_range, "packed: a buffer id out of range stops the ring")
{
	u32 id;

	for (id = 4; id < 65536; id += 131) {
		struct ring *r = ring_new(true, 4, RING_BASE(true));
		struct buf b = OUT(1, 1);

		b.flags = packed_avail_flags(true);
		packed_desc(r, 0, b, id);
		EXPECT_BROKEN(r, VT_RING_BAD_HEAD);
		ring_free(r);
	}
}

TEST(packed_table_id, "packed: the id of a table's descriptor is checked")
{
	struct ring *r = ring_new(true, 4, RING_BASE(true));
	struct buf t = OUT(1, 1), b = TABLE(ring_table(r, 0, &t, 1), 16);

	b.flags |= packed_avail_flags(true);
	packed_desc(r, 0, b, 4);
	EXPECT_BROKEN(r, VT_RING_BAD_HEAD);
	ring_free(r);
}

TEST(packed_last_id, "packed: only the id of the last descriptor counts")
{
	struct ring *r = ring_new(true, 4, RING_BASE(true));
	struct buf b = OUT(1, 1);

	b.flags = packed_avail_flags(true) | VRING_DESC_F_NEXT;
	packed_desc(r, 1, b, 1000);
	packed_desc(r, 0, b, 0xffff);
	b.flags = packed_avail_flags(true);
	packed_desc(r, 2, b, 3);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(3, r->c->id);
	EXPECT_EQ(3, r->c->slots);
	ring_free(r);
}

TEST(packed_table_in_chain, "packed: a table in a chain stops the ring")
{
	struct ring *r = ring_new(true, 4, RING_BASE(true));
	struct buf t = OUT(1, 1);
	struct buf b[] = { OUT(2, 2), TABLE(ring_table(r, 0, &t, 1), 16) };

	ring_add(r, b, 2);
	EXPECT_BROKEN(r, VT_RING_BAD_INDIRECT);
	EXPECT_EQ(0, r->nr_reads);
	ring_free(r);
}
