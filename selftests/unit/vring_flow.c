// SPDX-License-Identifier: GPL-2.0
/* Rings as a driver uses them that keeps the rules. */
#include <stdlib.h>
#include <string.h>

#include "ring.h"

TEST(layout, "layout: bytes of the areas are those of the spec")
{
	unsigned int size;

	for (size = 1; size <= VT_VRING_MAX_SIZE; size *= 2) {
		struct vt_vring_layout s = vt_vring_layout(size, false);
		struct vt_vring_layout p = vt_vring_layout(size, true);

		/* 2.7: 16 * n, 6 + 2 * n, 6 + 8 * n */
		EXPECT_EQ(16 * size, s.desc);
		EXPECT_EQ(6 + 2 * size, s.driver);
		EXPECT_EQ(6 + 8 * size, s.device);
		/* 2.8: 16 * n, 4, 4 */
		EXPECT_EQ(16 * size, p.desc);
		EXPECT_EQ(4, p.driver);
		EXPECT_EQ(4, p.device);
	}
}

TEST(sizes, "layout: sizes are powers of two up to 1024")
{
	unsigned int size;

	for (size = 0; size < 70000; size++) {
		bool ok = size && size <= 1024 && !(size & (size - 1));

		EXPECT_MSG(ok == vt_vring_size_ok(size), "size %u", size);
	}
	EXPECT(!vt_vring_size_ok(1u << 31));
	EXPECT(!vt_vring_size_ok(~0u));
}

TEST_RINGS(empty, "an empty ring has nothing, and stays where it is")
{
	struct ring *r = ring_new(packed, 8, RING_BASE(packed));
	u16 id;
	u32 len;

	EXPECT(!r->vr.ops->pending(&r->vr));
	EXPECT_EQ(0, ring_take(r));
	EXPECT(!r->vr.ops->publish(&r->vr));
	EXPECT(!ring_get_used(r, &id, &len));
	EXPECT_EQ(RING_BASE(packed), vt_vring_get_base(&r->vr));
	EXPECT_EQ(VT_RING_OK, r->vr.error);
	ring_free(r);
}

TEST_RINGS(one_chain, "one chain goes through, with the bytes written")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b[] = { OUT(0x1000, 16), IN(0x123456789abcULL, 513) };
	u16 id = ring_add(r, b, 2), got;
	u32 len;

	EXPECT(r->vr.ops->pending(&r->vr));
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(id, r->c->id);
	EXPECT_EQ(packed ? 2 : 1, r->c->slots);
	EXPECT_EQ(1, r->c->nr_out);
	EXPECT_EQ(1, r->c->nr_in);
	EXPECT_EQ(16, r->c->out_len);
	EXPECT_EQ(513, r->c->in_len);
	EXPECT_EQ(0x1000, r->c->seg[0].addr);
	EXPECT_EQ(0x123456789abcULL, r->c->seg[1].addr);
	EXPECT(!r->vr.ops->pending(&r->vr));
	EXPECT_EQ(0, ring_take(r));

	ring_push(r, 514);
	EXPECT(!ring_get_used(r, &got, &len));
	EXPECT(r->vr.ops->publish(&r->vr));
	ASSERT(ring_get_used(r, &got, &len));
	EXPECT_EQ(id, got);
	EXPECT_EQ(514, len);
	EXPECT(!ring_get_used(r, &got, &len));
	ring_free(r);
}

TEST_RINGS(shown, "what is shown is there before anybody is called for it")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b = IN(0x1000, 1);
	u16 id = ring_add(r, &b, 1), got;
	u32 len;

	ASSERT_EQ(1, ring_take(r));
	r->vr.ops->show(&r->vr);
	EXPECT(!ring_get_used(r, &got, &len));
	ring_push(r, 1);
	EXPECT(!ring_get_used(r, &got, &len));
	r->vr.ops->show(&r->vr);
	ASSERT(ring_get_used(r, &got, &len));
	EXPECT_EQ(id, got);
	EXPECT(r->vr.ops->publish(&r->vr));
	EXPECT(!r->vr.ops->publish(&r->vr));
	ring_free(r);
}

TEST_RINGS(peek_again, "peek without consume gives the same chain again")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b = IN(0x1000, 1);
	u16 id = ring_add(r, &b, 1);
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, r->vr.ops->peek(&r->vr, r->c));
		EXPECT_EQ(id, r->c->id);
		EXPECT_EQ(1, r->c->nr_in);
		EXPECT_EQ(1, r->c->in_len);
		EXPECT_EQ(RING_BASE(packed), vt_vring_get_base(&r->vr));
	}
	ring_free(r);
}

/* Chain @n of a ring: every cut into readable and writable descriptors. */
static void check_cut(struct ring *r, unsigned int n, unsigned int nr_out,
		      bool indirect)
{
	struct buf b[VT_VRING_MAX_SIZE];
	u64 out_len = 0, in_len = 0;
	unsigned int i;
	u16 id;
	u32 len;

	for (i = 0; i < n; i++) {
		b[i] = (struct buf) {
			.addr = 0x10000ULL * i, .len = i + 1,
			.flags = i < nr_out ? 0 : VRING_DESC_F_WRITE,
		};
		*(i < nr_out ? &out_len : &in_len) += i + 1;
	}
	if (indirect)
		ring_add_indirect(r, 0, b, n);
	else
		ring_add(r, b, n);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(nr_out, r->c->nr_out);
	EXPECT_EQ(n - nr_out, r->c->nr_in);
	EXPECT_EQ(out_len, r->c->out_len);
	EXPECT_EQ(in_len, r->c->in_len);
	EXPECT_EQ(r->packed && !indirect ? n : 1, r->c->slots);
	for (i = 0; i < n; i++)
		EXPECT_MSG(r->c->seg[i].addr == b[i].addr &&
			   r->c->seg[i].len == b[i].len, "segment %u", i);
	ring_push(r, in_len);
	r->vr.ops->publish(&r->vr);
	ASSERT(ring_get_used(r, &id, &len));
	EXPECT_EQ(in_len, len);
}

TEST_RINGS(cuts, "1 to N descriptors, each cut into readable and writable")
{
	struct ring *r = ring_new(packed, 16, RING_BASE(packed));
	unsigned int n, out;

	for (n = 1; n <= 16; n++)
		for (out = 0; out <= n; out++)
			check_cut(r, n, out, false);
	ring_free(r);
}

TEST_RINGS(indirect_cuts, "the same in indirect tables")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	unsigned int n, out;

	for (n = 1; n <= 20; n++)
		for (out = 0; out <= n; out++)
			check_cut(r, n, out, true);
	ring_free(r);
}

TEST_RINGS(longest, "the longest chains: 1024 descriptors, ring and table")
{
	struct ring *r = ring_new(packed, 1024, RING_BASE(packed));
	struct ring *small = ring_new(packed, 2, RING_BASE(packed));

	check_cut(r, 1024, 1, false);
	check_cut(r, 1024, 1023, false);
	check_cut(r, 1024, 512, true);
	check_cut(small, 1024, 1, true);
	ring_free(r);
	ring_free(small);
}

TEST_RINGS(big_lengths, "lengths of 2^32 - 1 add up in 64 bits")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b[] = {
		OUT(0, 0xffffffff), OUT(~0ULL, 0xffffffff),
		IN(0, 0xffffffff), IN(~0ULL, 0xffffffff),
	};

	ring_add(r, b, 4);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(0x1fffffffeLL, r->c->out_len);
	EXPECT_EQ(0x1fffffffeLL, r->c->in_len);
	ring_free(r);
}

TEST_RINGS(zero_length, "empty descriptors are left out of the chain")
{
	struct ring *r = ring_new(packed, 8, RING_BASE(packed));
	struct buf b[] = {
		OUT(1, 0), OUT(2, 5), OUT(3, 0), IN(4, 0), IN(5, 7), IN(6, 0),
	};

	ring_add(r, b, 6);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(1, r->c->nr_out);
	EXPECT_EQ(1, r->c->nr_in);
	EXPECT_EQ(2, r->c->seg[0].addr);
	EXPECT_EQ(5, r->c->seg[1].addr);
	EXPECT_EQ(packed ? 6 : 1, r->c->slots);

	ring_add(r, b, 1);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(0, r->c->nr_out + r->c->nr_in);
	EXPECT_EQ(0, r->c->out_len);
	EXPECT_EQ(1, r->c->slots);
	ring_free(r);
}

TEST(direct_then_table, "split: direct descriptors, then an indirect table")
{
	struct ring *r = ring_new(false, 4, 0);
	struct buf t[] = { OUT(3, 3), IN(4, 4) };
	struct buf b[] = {
		OUT(1, 1), OUT(2, 2), TABLE(ring_table(r, 32, t, 2), 32),
	};
	unsigned int i;

	ring_add(r, b, 3);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(3, r->c->nr_out);
	EXPECT_EQ(1, r->c->nr_in);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(i + 1, r->c->seg[i].addr);
	EXPECT_EQ(1, r->nr_reads);
	ring_free(r);
}

/* 2.7.5.3.2, 2.8.8: what a table's own descriptor says of writing is ignored */
TEST_RINGS(table_write_flag, "WRITE of the table's own descriptor is ignored")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf t[] = { OUT(1, 1), IN(2, 2) };
	struct buf b = TABLE(ring_table(r, 0, t, 2), 32);

	b.flags |= VRING_DESC_F_WRITE;
	ring_add(r, &b, 1);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(1, r->c->nr_out);
	EXPECT_EQ(1, r->c->nr_in);
	ring_free(r);
}

TEST(packed_table_flags, "packed: a table's flags but WRITE mean nothing")
{
	struct ring *r = ring_new(true, 4, RING_BASE(true));
	u16 junk = (u16)~(VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT);
	struct buf t[] = {
		{ .addr = 1, .len = 1, .flags = junk },
		{ .addr = 2, .len = 2, .flags = junk | VRING_DESC_F_WRITE },
	};

	ring_add_indirect(r, 0, t, 2);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(1, r->c->nr_out);
	EXPECT_EQ(1, r->c->nr_in);
	ring_free(r);
}

TEST_RINGS(in_batches, "a batch: visible at once, in the order it was pushed")
{
	struct ring *r = ring_new(packed, 8, RING_BASE(packed));
	struct buf b[] = { OUT(1, 1), IN(2, 2) };
	u16 ids[4], slots[4], id;
	static const int order[] = { 2, 0, 3, 1 };
	u32 len;
	int i;

	for (i = 0; i < 4; i++)
		ring_add(r, b, 2);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, ring_take(r));
		ids[i] = r->c->id;
		slots[i] = r->c->slots;
	}
	for (i = 0; i < 4; i++) {
		r->vr.ops->push(&r->vr, ids[order[i]], slots[order[i]], i);
		EXPECT(!ring_get_used(r, &id, &len));
	}
	EXPECT(r->vr.ops->publish(&r->vr));
	EXPECT(!r->vr.ops->publish(&r->vr));
	for (i = 0; i < 4; i++) {
		ASSERT(ring_get_used(r, &id, &len));
		EXPECT_EQ(ids[order[i]], id);
		EXPECT_EQ(i, len);
	}
	EXPECT(!ring_get_used(r, &id, &len));
	ring_free(r);
}
