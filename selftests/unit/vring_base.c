// SPDX-License-Identifier: GPL-2.0
/* Where a ring starts and stands: set_base and get_base. */
#include "ring.h"

TEST(split_round_trip, "split: base goes in and out unchanged, all 65536")
{
	struct ring *r = ring_new(false, 4, 0);
	u32 base;

	for (base = 0; base < 65536; base++) {
		ring_used(r)->idx = cpu_to_le16(base ^ 0x5555);
		ASSERT_EQ(0, vt_vring_set_base(&r->vr, base));
		ASSERT_EQ(base, vt_vring_get_base(&r->vr));
		/* The used index is taken from the ring. */
		ASSERT_EQ(base ^ 0x5555, r->vr.used);
	}
	EXPECT_EQ(-EINVAL, vt_vring_set_base(&r->vr, 65536));
	EXPECT_EQ(-EINVAL, vt_vring_set_base(&r->vr, ~0u));
	ring_free(r);
}

TEST(packed_round_trip, "packed: base goes in and out unchanged, all states")
{
	struct ring *r = ring_new(true, 8, RING_BASE(true));
	u32 avail, used, wraps;

	for (avail = 0; avail < 16; avail++)
		for (used = 0; used < 16; used++)
			for (wraps = 0; wraps < 4; wraps++) {
				u32 base = avail | (wraps & 1) << 15 |
					   used << 16 | (wraps & 2) << 30;
				bool ok = avail < 8 && used < 8;

				EXPECT_EQ(ok ? 0 : -EINVAL,
					  vt_vring_set_base(&r->vr, base));
				if (ok)
					EXPECT_EQ(base,
						  vt_vring_get_base(&r->vr));
			}
	EXPECT_EQ(-EINVAL, vt_vring_set_base(&r->vr, 0x7fff));
	EXPECT_EQ(-EINVAL, vt_vring_set_base(&r->vr, 0x7fff0000));
	ring_free(r);
}

static void one(struct ring *r, bool both)
{
	struct buf b[] = { OUT(1, 1), IN(2, 2) };
	u16 id = ring_add(r, b, both ? 2 : 1), got;
	u32 len;

	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(id, r->c->id);
	ring_push(r, 2);
	r->vr.ops->publish(&r->vr);
	ASSERT(ring_get_used(r, &got, &len));
	EXPECT_EQ(id, got);
}

TEST(split_start_anywhere, "split: a ring that starts at any base works")
{
	static const u32 bases[] = {
		0, 1, 3, 4, 0x7fff, 0x8000, 0xfffe, 0xffff,
	};
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		struct ring *r = ring_new(false, 4, bases[i]);

		EXPECT_EQ(0, ring_take(r));
		for (k = 0; k < 8; k++)
			one(r, k & 1);
		EXPECT_EQ((bases[i] + 8) & 0xffff, vt_vring_get_base(&r->vr));
		ring_free(r);
	}
}

TEST(packed_start_anywhere, "packed: a ring that starts at any base works")
{
	unsigned int at, wrap, k;

	for (at = 0; at < 4; at++)
		for (wrap = 0; wrap < 2; wrap++) {
			u32 half = at | wrap << 15;
			struct ring *r = ring_new(true, 4, half | half << 16);

			EXPECT_EQ(0, ring_take(r));
			for (k = 0; k < 16; k++)
				one(r, k & 1);
			/* 24 descriptors: six laps. */
			EXPECT_EQ(half | half << 16, vt_vring_get_base(&r->vr));
			ring_free(r);
		}
}

/* Stop with the base read, start with it set, in the middle of anything. */
TEST_RINGS(restart, "stopped and started again after each chain")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	unsigned int i;

	for (i = 0; i < 100; i++) {
		one(r, i % 3);
		ASSERT_EQ(0, vt_vring_set_base(&r->vr,
					       vt_vring_get_base(&r->vr)));
	}
	ring_free(r);
}

TEST_RINGS(restart_waiting, "chains not taken before the stop are there after")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b = IN(1, 1);
	u16 id[3];
	int i;

	for (i = 0; i < 3; i++)
		id[i] = ring_add(r, &b, 1);
	ASSERT_EQ(1, ring_take(r));
	ring_push(r, 1);
	r->vr.ops->publish(&r->vr);
	ASSERT_EQ(0, vt_vring_set_base(&r->vr, vt_vring_get_base(&r->vr)));
	for (i = 1; i < 3; i++) {
		ASSERT_EQ(1, ring_take(r));
		EXPECT_EQ(id[i], r->c->id);
	}
	EXPECT_EQ(0, ring_take(r));
	ring_free(r);
}

TEST_RINGS(base_clears, "set_base forgets the error and what was not published")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));

	r->vr.error = VT_RING_LOOP;
	r->vr.nr_pushed = 3;
	r->vr.signalled_valid = true;
	ASSERT_EQ(0, vt_vring_set_base(&r->vr, RING_BASE(packed)));
	EXPECT_EQ(VT_RING_OK, r->vr.error);
	EXPECT(!r->vr.ops->publish(&r->vr));
	EXPECT(!r->vr.signalled_valid);
	ring_free(r);
}
