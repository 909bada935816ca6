// SPDX-License-Identifier: GPL-2.0
/* Drivers that break the rules of split rings. */
#include <string.h>

#include "ring.h"

TEST(index_ahead, "split: index ahead by more than the size stops the ring")
{
	static const u16 bases[] = { 0, 3, 0x7fff, 0xfffc, 0xffff };
	u32 i, ahead;

	for (i = 0; i < ARRAY_SIZE(bases); i++)
		for (ahead = 5; ahead < 65536; ahead += 73) {
			struct ring *r = ring_new(false, 4, bases[i]);

			ring_avail(r)->idx = cpu_to_le16(bases[i] + ahead);
			EXPECT(r->vr.ops->pending(&r->vr));
			EXPECT_BROKEN(r, VT_RING_BAD_INDEX);
			ring_free(r);
		}
}

TEST(index_full, "split: index ahead by just the size is a full ring")
{
	struct ring *r = ring_new(false, 4, 0xfffe);
	struct buf b = OUT(1, 1);
	int i;

	for (i = 0; i < 4; i++)
		ring_add(r, &b, 1);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(1, ring_take(r));
	EXPECT_EQ(0, ring_take(r));
	ring_free(r);
}

TEST(index_back, "split: an index that goes back stops the ring")
{
	struct ring *r = ring_new(false, 4, 0);
	struct buf b = OUT(1, 1);

	ring_add(r, &b, 1);
	ring_add(r, &b, 1);
	EXPECT_EQ(1, ring_take(r));
	EXPECT_EQ(1, ring_take(r));
	ring_avail(r)->idx = cpu_to_le16(1);
	EXPECT_BROKEN(r, VT_RING_BAD_INDEX);
	ring_free(r);
}

TEST(head_range, "split: a head out of range stops the ring")
{
	u32 head;

	for (head = 4; head < 65536; head += 131) {
		struct ring *r = ring_new(false, 4, 0);

		split_avail(r, head);
		EXPECT_BROKEN(r, VT_RING_BAD_HEAD);
		ring_free(r);
	}
}

TEST(next_range, "split: next out of range stops the ring")
{
	u32 next;

	for (next = 4; next < 65536; next += 131) {
		struct ring *r = ring_new(false, 4, 0);
		struct buf b = OUT(1, 1);

		b.flags = VRING_DESC_F_NEXT;
		split_desc(r, 3, b, next);
		split_avail(r, 3);
		EXPECT_BROKEN(r, VT_RING_BAD_HEAD);
		ring_free(r);
	}
}

TEST(next_unused, "split: next means nothing without NEXT")
{
	struct ring *r = ring_new(false, 4, 0);

	split_desc(r, 2, (struct buf)OUT(1, 1), 0xffff);
	split_avail(r, 2);
	EXPECT_EQ(1, ring_take(r));
	ring_free(r);
}

/* Descriptors 0..n-1 in a chain whose last goes to @back. */
static void loop(unsigned int n, unsigned int back, u32 len)
{
	struct ring *r = ring_new(false, 8, 0);
	unsigned int i;

	for (i = 0; i < n; i++)
		split_desc(r, i, (struct buf) {
			.addr = 1, .len = len, .flags = VRING_DESC_F_NEXT,
		}, i + 1 < n ? i + 1 : back);
	split_avail(r, 0);
	EXPECT_BROKEN(r, VT_RING_LOOP);
	ring_free(r);
}

TEST(loops, "split: loops of all lengths stop the ring, empty buffers too")
{
	unsigned int n, back;

	for (n = 1; n <= 8; n++)
		for (back = 0; back < n; back++) {
			loop(n, back, 1);
			loop(n, back, 0);
		}
}

/* A table of @n entries, the last of which goes to @back. */
static void table_loop(unsigned int n, unsigned int back, u32 len, int why)
{
	struct ring *r = ring_new(false, 4, 0);
	unsigned int i;
	struct buf b;

	for (i = 0; i < n; i++) {
		u16 next = i + 1 < n ? i + 1 : back;
		u16 flags = VRING_DESC_F_NEXT;
		u8 *at = r->mem + 16 * i;

		memset(at, 0, 16);
		memcpy(at + 8, &(__le32){ cpu_to_le32(len) }, 4);
		memcpy(at + 12, &(__le16){ cpu_to_le16(flags) }, 2);
		memcpy(at + 14, &(__le16){ cpu_to_le16(next) }, 2);
	}
	b = (struct buf)TABLE(RING_MEM, 16 * n);
	ring_add(r, &b, 1);
	EXPECT_BROKEN(r, why);
	ring_free(r);
}

TEST(table_loops, "split: loops in indirect tables stop the ring")
{
	unsigned int n, back;

	for (n = 1; n <= 8; n++)
		for (back = 0; back < n; back++) {
			table_loop(n, back, 1, VT_RING_LOOP);
			table_loop(n, back, 0, VT_RING_LOOP);
		}
	table_loop(1024, 0, 1, VT_RING_LOOP);
	table_loop(1024, 1023, 0, VT_RING_LOOP);
}

TEST(table_next_range, "split: next out of an indirect table stops the ring")
{
	struct ring *r = ring_new(false, 4, 0);
	struct buf t[] = { OUT(1, 1), OUT(2, 2), OUT(3, 3) };
	struct buf b = TABLE(RING_MEM, 32);
	u32 next;

	/* Three entries that hang together in a table of two. */
	ring_table(r, 0, t, 3);
	ring_add(r, &b, 1);
	EXPECT_EQ(-EPROTO, ring_take(r));
	EXPECT(r->vr.error == VT_RING_BAD_HEAD || r->vr.error == VT_RING_LOOP);
	ring_free(r);

	/* The first one goes out at once, by one entry and by far. */
	for (next = 2; next < 65536; next = next * 2 + 1) {
		r = ring_new(false, 4, 0);
		ring_table(r, 0, t, 3);
		memcpy(r->mem + 14, &(__le16){ cpu_to_le16(next) }, 2);
		ring_add(r, &b, 1);
		EXPECT_BROKEN(r, VT_RING_BAD_HEAD);
		ring_free(r);
	}
}

TEST(too_many, "split: direct and indirect ones beyond 1024 stop the ring")
{
	struct buf t[1024], b[] = { OUT(1, 1), TABLE(RING_MEM, sizeof(t)) };
	struct ring *r = ring_new(false, 4, 0);
	unsigned int i;

	for (i = 0; i < 1024; i++)
		t[i] = (struct buf)OUT(i, 1);
	ring_table(r, 0, t, 1024);
	b[1].len = 1024 * 16;
	ring_add(r, b, 2);
	EXPECT_BROKEN(r, VT_RING_LOOP);
	ring_free(r);

	/* 1 + 1023 are as many as a chain can have. */
	r = ring_new(false, 4, 0);
	ring_table(r, 0, t, 1023);
	b[1].len = 1023 * 16;
	ring_add(r, b, 2);
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(1024, r->c->nr_out);
	ring_free(r);
}

TEST(head_twice, "split: a head made available twice is two chains")
{
	struct ring *r = ring_new(false, 4, 0);

	split_desc(r, 1, (struct buf)IN(1, 1), 0);
	split_avail(r, 1);
	split_avail(r, 1);
	EXPECT_EQ(1, ring_take(r));
	EXPECT_EQ(1, ring_take(r));
	EXPECT_EQ(1, r->c->id);
	EXPECT_EQ(0, ring_take(r));
	ring_free(r);
}
