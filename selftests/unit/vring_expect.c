// SPDX-License-Identifier: GPL-2.0
/* What is brought into the cache before chains are peeked at: split rings only. */
#include <stdlib.h>

#include "../../drivers/core/vring.h"
#include "ring.h"

#define HEADER	0x1000
#define DATA	0x2000

static const struct buf request[] = {
	OUT(HEADER, 16), IN(DATA, 512), IN(HEADER + 16, 1),
};

static bool is_expected(const struct ring *r, const u64 *want, unsigned int nr)
{
	unsigned int i;

	if (EXPECT_EQ(nr, r->nr_expected))
		for (i = 0; i < nr; i++)
			EXPECT_EQ(want[i], r->expected[i]);
	return r->nr_expected == nr;
}

#define EXPECT_ADDRS(r, ...)						\
	do {								\
		const u64 want_[] = { __VA_ARGS__ };			\
									\
		EXPECT(is_expected((r), want_, ARRAY_SIZE(want_)));	\
		(r)->nr_expected = 0;					\
	} while (0)

TEST(expect_first, "of each chain what its first descriptor points to; of a table, too")
{
	struct buf other[] = { OUT(HEADER + 64, 16), IN(DATA, 512) };
	struct ring *r = ring_new(false, 16, 0);
	u32 base = vt_vring_get_base(&r->vr);

	ring_add(r, request, 3);
	ring_add_indirect(r, 256, other, 2);
	ring_add(r, other, 2);
	vt_split_expect(&r->vr, 3);
	EXPECT_ADDRS(r, HEADER, RING_MEM + 256, HEADER + 64, HEADER + 64);
	vt_split_expect(&r->vr, 1);
	EXPECT_ADDRS(r, HEADER);
	/* Nothing was taken, and all of it is there. */
	EXPECT_EQ(base, vt_vring_get_base(&r->vr));
	EXPECT_EQ(1, ring_take(r));
	EXPECT_EQ(3, r->c->nr_out + r->c->nr_in);
	vt_split_expect(&r->vr, 2);
	EXPECT_ADDRS(r, RING_MEM + 256, HEADER + 64, HEADER + 64);
	EXPECT_EQ(1, ring_take(r));
	EXPECT_EQ(1, ring_take(r));
	EXPECT_EQ(0, ring_take(r));
	ring_free(r);
}

TEST(expect_wraps, "at the end of the ring it goes on at its beginning")
{
	struct ring *r = ring_new(false, 4, 0xffff);
	struct buf a = OUT(0x100, 1), b = OUT(0x200, 1);

	ring_add(r, &a, 1);
	ring_add(r, &b, 1);
	vt_split_expect(&r->vr, 2);
	EXPECT_ADDRS(r, 0x100, 0x200);
	ring_free(r);
}

TEST(expect_hostile, "heads outside of the ring, tables where there is none")
{
	struct ring *r = ring_new(false, 4, 0);
	unsigned int i;

	for (i = 0; i < 4; i++)
		split_desc(r, i, (struct buf) OUT(i, 1), 0);
	/* They are taken modulo its size; peek() refuses them. */
	split_avail(r, 6);
	split_avail(r, 0xffff);
	vt_split_expect(&r->vr, 2);
	EXPECT_ADDRS(r, 2, 3);

	/* Not where a descriptor can be: it may reach into what is behind. */
	split_desc(r, 2, (struct buf) TABLE(RING_MEM + RING_MEM_LEN - 8, 16), 0);
	split_desc(r, 3, (struct buf) TABLE(RING_MEM + RING_MEM_LEN, 16), 0);
	vt_split_expect(&r->vr, 2);
	EXPECT_ADDRS(r, RING_MEM + RING_MEM_LEN - 8, RING_MEM + RING_MEM_LEN);

	/* More than there is, and more than the ring is large. */
	vt_split_expect(&r->vr, VT_SPLIT_EXPECT);
	EXPECT(r->nr_expected >= VT_SPLIT_EXPECT);
	EXPECT_BROKEN(r, VT_RING_BAD_HEAD);
	ring_free(r);
}
