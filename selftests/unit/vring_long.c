// SPDX-License-Identifier: GPL-2.0
/* More chains than a 16 bit index can count, in any order, for every size. */
#include <stdlib.h>

#include "ring.h"

#define NR_CHAINS	(65536 + 4096)

/* What the device has taken and not pushed. */
struct taken {
	unsigned int nr;
	struct {
		u16 id;
		u16 slots;
	} chain[VT_VRING_MAX_SIZE];
};

static unsigned int seed;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* The number of a chain is in its address; its id in the table offset. */
static void long_add(struct ring *r, u32 nr, u32 *by_id)
{
	unsigned int max = r->nr_free < 4 ? r->nr_free : 4;
	unsigned int n = 1 + rnd(max), i;
	struct buf b[4];
	u16 id;

	for (i = 0; i < n; i++)
		b[i] = (struct buf) {
			.addr = (u64)nr << 8 | i, .len = nr + 1,
			.flags = i >= n / 2 ? VRING_DESC_F_WRITE : 0,
		};
	if (rnd(3))
		id = ring_add(r, b, n);
	else
		id = ring_add_indirect(r, r->ids[r->nr_ids - 1] * 64, b, n);
	by_id[id] = nr;
}

static bool long_take(struct ring *r, u32 nr, struct taken *t)
{
	unsigned int i;
	int ret = ring_take(r);

	if (ret != 1)
		return !EXPECT_EQ(1, ret);
	for (i = 0; i < r->c->nr_out + r->c->nr_in; i++)
		EXPECT_MSG(r->c->seg[i].addr == ((u64)nr << 8 | i) &&
			   r->c->seg[i].len == nr + 1, "chain %u", nr);
	t->chain[t->nr].id = r->c->id;
	t->chain[t->nr++].slots = r->c->slots;
	return false;
}

/* Push some in any order; @done: their numbers in that order. */
static unsigned int long_push(struct ring *r, struct taken *t, u32 *by_id,
			      u32 *done)
{
	unsigned int n = rnd(t->nr + 1), i;

	for (i = 0; i < n; i++) {
		unsigned int k = rnd(t->nr);

		done[i] = by_id[t->chain[k].id];
		r->vr.ops->push(&r->vr, t->chain[k].id, t->chain[k].slots,
				done[i]);
		t->chain[k] = t->chain[--t->nr];
	}
	r->vr.ops->publish(&r->vr);
	return n;
}

static void long_run(struct ring *r)
{
	u32 by_id[VT_VRING_MAX_SIZE], done[VT_VRING_MAX_SIZE], len;
	u32 added = 0, taken = 0, used = 0;
	struct taken t = {};
	unsigned int n, i;
	u16 id;

	seed = r->size;
	while (used < NR_CHAINS) {
		for (n = rnd(r->size + 1); n && r->nr_free; n--)
			long_add(r, added++, by_id);
		for (n = rnd(added - taken + 1); n; n--)
			if (long_take(r, taken++, &t))
				return;
		n = long_push(r, &t, by_id, done);
		for (i = 0; i < n; i++) {
			ASSERT(ring_get_used(r, &id, &len));
			ASSERT_EQ(done[i], len);
			ASSERT_EQ(done[i], by_id[id]);
		}
		used += n;
		ASSERT(!ring_get_used(r, &id, &len));
	}
	EXPECT_EQ(VT_RING_OK, r->vr.error);
}

static void long_size(bool packed, u16 size)
{
	struct ring *r = ring_new(packed, size, RING_BASE(packed));

	long_run(r);
	ring_free(r);
}

TEST_RINGS(long_2, "69632 chains through a ring of 2")
{
	long_size(packed, 2);
}

TEST_RINGS(long_4, "69632 chains through a ring of 4")
{
	long_size(packed, 4);
}

TEST_RINGS(long_1024, "69632 chains through a ring of 1024")
{
	long_size(packed, 1024);
}

TEST_RINGS(size_1, "a ring of 1 works over every index")
{
	struct ring *r = ring_new(packed, 1, RING_BASE(packed));
	struct buf b = IN(1, 1);
	u32 i, len;
	u16 id;

	for (i = 0; i < 70000; i++) {
		ring_add(r, &b, 1);
		ASSERT_EQ(1, ring_take(r));
		EXPECT_EQ(0, ring_take(r));
		ring_push(r, i);
		r->vr.ops->publish(&r->vr);
		ASSERT(ring_get_used(r, &id, &len));
		ASSERT_EQ(i, len);
	}
	ring_free(r);
}

TEST(full_batches, "packed: a batch that fills the ring, from every position")
{
	struct ring *r = ring_new(true, 4, RING_BASE(true));
	struct buf b[] = { OUT(1, 1), OUT(2, 2), IN(3, 3), IN(4, 4) };
	unsigned int i, n, round;
	u32 len;
	u16 id;

	for (round = 0; round < 64; round++) {
		/* 1 + 1 + 1 + 1, 2 + 2, 4 descriptors, then one to move on. */
		for (n = 1; n <= 4; n *= 2) {
			for (i = 0; i < 4; i += n)
				ring_add(r, b, n);
			for (i = 0; i < 4; i += n) {
				ASSERT_EQ(1, ring_take(r));
				ring_push(r, i + 1);
			}
			r->vr.ops->publish(&r->vr);
			for (i = 0; i < 4; i += n) {
				ASSERT(ring_get_used(r, &id, &len));
				ASSERT_EQ(i + 1, len);
			}
			EXPECT(!ring_get_used(r, &id, &len));
			EXPECT_EQ(0, ring_take(r));
		}
		ring_add(r, b, 1);
		ASSERT_EQ(1, ring_take(r));
		ring_push(r, 0);
		r->vr.ops->publish(&r->vr);
		ASSERT(ring_get_used(r, &id, &len));
	}
	ring_free(r);
}
