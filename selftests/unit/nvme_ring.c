// SPDX-License-Identifier: GPL-2.0
/* Rings and doorbells. */
#include "../../drivers/nvme/ring.h"

#include "unit.h"

#define SIZE 5u

static __le32 reg, shadow, event;

static struct nv_ring ring(u32 size, void *entries)
{
	struct nv_ring r = {
		.db.reg = &reg, .entries = entries, .size = size, .id = 3,
	};

	nv_ring_reset(&r);
	nv_db_clear(&r.db);
	return r;
}

TEST(ring_tail, "the tail moves to any value in range, and wraps")
{
	struct nv_ring r = ring(SIZE, NULL);
	bool bad = false;

	EXPECT_EQ(0, nv_sq_look(&r, &bad));
	reg = cpu_to_le32(4);
	EXPECT_EQ(4, nv_sq_look(&r, &bad));
	nv_sq_take(&r);
	nv_sq_take(&r);
	EXPECT_EQ(2, nv_sq_look(&r, &bad));
	reg = cpu_to_le32(1);
	EXPECT_EQ(4, nv_sq_look(&r, &bad));
	nv_sq_take(&r);
	nv_sq_take(&r);
	nv_sq_take(&r);
	EXPECT_EQ(0, r.head);
	EXPECT_EQ(1, nv_sq_look(&r, &bad));
	EXPECT(!bad);
}

TEST(ring_bad_tail, "a tail out of range is as if it had not been written")
{
	static const u32 vals[] = { SIZE, SIZE + 1, 0x10001, ~0u };
	struct nv_ring r = ring(SIZE, NULL);
	unsigned int i;
	bool bad;

	reg = cpu_to_le32(2);
	nv_sq_look(&r, &bad);
	for (i = 0; i < ARRAY_SIZE(vals); i++) {
		reg = cpu_to_le32(vals[i]);
		bad = false;
		EXPECT_EQ(2, nv_sq_look(&r, &bad));
		EXPECT(bad);
		/* The same one is told of once. */
		bad = false;
		EXPECT_EQ(2, nv_sq_look(&r, &bad));
		EXPECT(!bad);
	}
	reg = cpu_to_le32(3);
	EXPECT_EQ(3, nv_sq_look(&r, &bad));
}

static void push(struct nv_ring *r, unsigned int n)
{
	struct nv_cqe e = { .status = cpu_to_le16(0x123) };

	while (n--)
		nv_cq_push(r, &e);
}

TEST(cq_phase, "the phase tag changes each time around")
{
	struct nv_cqe ring_mem[SIZE] = {};
	struct nv_ring r = ring(SIZE, ring_mem);
	unsigned int i;
	bool bad = false;

	for (i = 0; i < 3 * SIZE; i++) {
		push(&r, 1);
		EXPECT_EQ(0x246 | !(i / SIZE & 1),
			  le16_to_cpu(ring_mem[i % SIZE].status));
		reg = cpu_to_le32((i + 1) % SIZE);
		EXPECT_EQ(SIZE - 1, nv_cq_look(&r, &bad));
	}
	EXPECT(!bad);
}

TEST(cq_head, "the head moves over completed entries only")
{
	struct nv_cqe ring_mem[SIZE] = {};
	struct nv_ring r = ring(SIZE, ring_mem);
	bool bad = false;

	push(&r, 3);
	EXPECT_EQ(1, nv_cq_look(&r, &bad));
	reg = cpu_to_le32(2);
	EXPECT_EQ(3, nv_cq_look(&r, &bad));
	EXPECT(!bad);
	reg = cpu_to_le32(4);
	EXPECT_EQ(3, nv_cq_look(&r, &bad));
	EXPECT(bad);
	bad = false;
	reg = cpu_to_le32(1);
	EXPECT_EQ(3, nv_cq_look(&r, &bad));
	EXPECT(bad);
	bad = false;
	reg = cpu_to_le32(SIZE);
	EXPECT_EQ(3, nv_cq_look(&r, &bad));
	EXPECT(bad);
	reg = cpu_to_le32(3);
	EXPECT_EQ(4, nv_cq_look(&r, &bad));
}

TEST(db_shadow, "with a shadow doorbell the register is not looked at")
{
	struct nv_ring r = ring(SIZE, NULL);
	bool bad = false;

	r.db.shadow = &shadow;
	r.db.event = &event;
	shadow = cpu_to_le32(77);
	event = cpu_to_le32(77);
	/* Garbage that was there before the queue was made does not count. */
	nv_db_clear(&r.db);
	EXPECT_EQ(0, shadow);
	EXPECT_EQ(0, event);
	reg = cpu_to_le32(3);
	EXPECT_EQ(0, nv_sq_look(&r, &bad));
	shadow = cpu_to_le32(2);
	EXPECT_EQ(2, nv_sq_look(&r, &bad));
	EXPECT(!bad);
}

static bool wants_event(u16 ei, u16 new, u16 old)
{
	return (u16)(new - ei - 1) < (u16)(new - old);
}

TEST(db_event, "an armed index makes the next write one to the register")
{
	u32 size, tail, n, new;

	for (size = 2; size < 40; size++) {
		for (tail = 0; tail < size; tail++) {
			for (n = 1; n < size; n++) {
				new = (tail + n) % size;
				EXPECT(wants_event(tail, new, tail));
			}
		}
	}
	EXPECT(wants_event(1023, 0, 1023));
	EXPECT(wants_event(1022, 3, 1022));
}

TEST(db_quiet, "an index behind the head keeps the driver from telling")
{
	u32 size, head, used, n, old, new;

	for (size = 2; size < 24; size++) {
		for (head = 0; head < size; head++) {
			for (used = 0; used < size - 1; used++) {
				for (n = 1; used + n < size; n++) {
					old = (head + used) % size;
					new = (head + used + n) % size;
					EXPECT(!wants_event(head - 1, new, old));
				}
			}
		}
	}
}
