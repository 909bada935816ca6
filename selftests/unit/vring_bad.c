// SPDX-License-Identifier: GPL-2.0
/* Drivers that break the rules, of which both formats have the same. */
#include <string.h>

#include "ring.h"
#include "shim/hook.h"

TEST_RINGS(bad_order, "readable after writable stops the ring")
{
	struct buf b[] = { OUT(1, 1), IN(2, 2), OUT(3, 3) };
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));

	ring_add(r, b, 3);
	EXPECT_BROKEN(r, VT_RING_BAD_ORDER);
	ring_free(r);

	r = ring_new(packed, 4, RING_BASE(packed));
	ring_add_indirect(r, 0, b, 3);
	EXPECT_BROKEN(r, VT_RING_BAD_ORDER);
	ring_free(r);
}

static void bad_table(bool packed, u32 len)
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b = TABLE(RING_MEM, len);

	memset(r->mem, 0, RING_MEM_LEN);
	ring_add(r, &b, 1);
	EXPECT_BROKEN(r, VT_RING_BAD_INDIRECT);
	/* The length alone is enough to know. */
	EXPECT_EQ(0, r->nr_reads);
	ring_free(r);
}

TEST_RINGS(table_empty, "an indirect table of length 0 stops the ring")
{
	bad_table(packed, 0);
}

TEST_RINGS(table_odd, "an indirect table of odd length stops the ring")
{
	u32 len;

	for (len = 1; len < 100; len++)
		if (len % 16)
			bad_table(packed, len);
	bad_table(packed, 0xffffffff);
}

TEST_RINGS(table_long, "an indirect table of more than 1024 stops the ring")
{
	bad_table(packed, 1025 * 16);
	bad_table(packed, 65536 * 16);
	bad_table(packed, 0xfffffff0);
}

TEST_RINGS(table_nested, "a table in a table stops the ring")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b[] = { OUT(1, 1), TABLE(RING_MEM, 32) };

	ring_add_indirect(r, 0, b, 2);
	EXPECT_BROKEN(r, VT_RING_BAD_INDIRECT);
	/* Once, not for ever. */
	EXPECT_EQ(1, r->nr_reads);
	ring_free(r);
}

TEST_RINGS(table_next, "INDIRECT with NEXT stops the ring")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf t = OUT(1, 1);
	struct buf b[] = { TABLE(ring_table(r, 0, &t, 1), 16), OUT(2, 2) };

	ring_add(r, b, 2);
	EXPECT_BROKEN(r, VT_RING_BAD_INDIRECT);
	EXPECT_EQ(0, r->nr_reads);
	ring_free(r);
}

TEST_RINGS(table_not_mapped, "-EAGAIN for a table leaves the ring where it was")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b[] = { OUT(1, 1), IN(2, 2) };
	u16 id = ring_add_indirect(r, 0, b, 2);
	int i;

	r->mem_err = -EAGAIN;
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EAGAIN, ring_take(r));
		EXPECT_EQ(VT_RING_OK, r->vr.error);
		EXPECT_EQ(RING_BASE(packed), vt_vring_get_base(&r->vr));
		EXPECT(r->vr.ops->pending(&r->vr));
	}
	r->mem_err = 0;
	ASSERT_EQ(1, ring_take(r));
	EXPECT_EQ(id, r->c->id);
	EXPECT_EQ(1, r->c->nr_out);
	EXPECT_EQ(1, r->c->nr_in);
	EXPECT_EQ(1, r->c->slots);
	ring_free(r);
}

TEST_RINGS(table_no_memory, "-EFAULT for a table stops the ring")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	/* The last byte is one too far. */
	struct buf b = TABLE(RING_MEM + RING_MEM_LEN - 15, 16);

	ring_add(r, &b, 1);
	EXPECT_BROKEN(r, VT_RING_BAD_INDIRECT);
	ring_free(r);

	r = ring_new(packed, 4, RING_BASE(packed));
	b.addr = ~0ULL - 7;
	ring_add(r, &b, 1);
	EXPECT_BROKEN(r, VT_RING_BAD_INDIRECT);
	ring_free(r);
}

/* Each load is followed by a change to what was loaded from. */
static struct ring *changed;

static void scribble(void)
{
	struct ring *r = changed;

	/* A table that was copied changes; so does the ring, once walked. */
	if (r->nr_reads)
		memset(r->mem, 0xff, 64);
}

TEST_RINGS(table_changed, "a table that changes after it was read is not seen")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b[] = { OUT(1, 1), OUT(2, 2), IN(3, 3) };
	unsigned int i;

	ring_add_indirect(r, 0, b, 3);
	changed = r;
	shim_on_read = scribble;
	EXPECT_EQ(1, ring_take(r));
	shim_on_read = NULL;
	EXPECT_EQ(1, r->nr_reads);
	EXPECT_EQ(2, r->c->nr_out);
	EXPECT_EQ(1, r->c->nr_in);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(i + 1, r->c->seg[i].addr);
	ring_free(r);
}

/* Ends the loop that a chain is, but only after the whole ring was seen. */
static void end_loop(void)
{
	struct ring *r = changed;
	u8 *flags = (u8 *)r->vr.desc + (r->packed ? 14 : 12);

	if (r->c->nr_out == r->size - 1)
		*flags &= ~VRING_DESC_F_NEXT;
}

TEST_RINGS(loop_changed, "a loop that ends while walked still stops the ring")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b = OUT(1, 1);
	u16 i;

	b.flags = VRING_DESC_F_NEXT;
	if (packed)
		b.flags |= packed_avail_flags(true);
	for (i = 0; i < 4; i++)
		if (packed)
			packed_desc(r, i, b, 0);
		else
			split_desc(r, i, b, (i + 1) % 4);
	if (!packed)
		split_avail(r, 0);
	changed = r;
	shim_on_read = end_loop;
	EXPECT_BROKEN(r, VT_RING_LOOP);
	shim_on_read = NULL;
	ring_free(r);
}

/* Of the one descriptor of a chain nothing is read twice. */
static unsigned int loads;
static unsigned int change_after;

static void count_loads(void)
{
	struct ring *r = changed;

	if (++loads == change_after)
		memset(r->vr.desc, 0xff, 16);
}

TEST_RINGS(desc_changed, "a descriptor that changes between loads does no harm")
{
	struct buf b = IN(5, 5);
	int ret;

	for (change_after = 1; change_after < 8; change_after++) {
		struct ring *r = ring_new(packed, 1, RING_BASE(packed));

		ring_add(r, &b, 1);
		changed = r;
		loads = 0;
		shim_on_read = count_loads;
		ret = ring_take(r);
		shim_on_read = NULL;
		/* Old or new, of each field: one chain, or a broken rule. */
		EXPECT_MSG(ret == 1 || ret == -EPROTO, "%u: %d", change_after,
			   ret);
		if (ret == 1)
			EXPECT_EQ(1, r->c->nr_out + r->c->nr_in);
		if (ret == -EPROTO)
			EXPECT(r->vr.error);
		ring_free(r);
	}
}
