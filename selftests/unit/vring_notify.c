// SPDX-License-Identifier: GPL-2.0
/* When a driver is called, when it is asked for kicks, and races of both. */
#include <string.h>

#include "ring.h"
#include "shim/hook.h"

static void push_n(struct ring *r, unsigned int n)
{
	while (n--)
		r->vr.ops->push(&r->vr, 0, 1, 0);
}

/* The same, some of them shown before the others are pushed. */
static void push_shown(struct ring *r, unsigned int n, unsigned int shown)
{
	push_n(r, shown);
	r->vr.ops->show(&r->vr);
	push_n(r, n - shown);
}

static void set_used_event(struct ring *r, u16 event)
{
	__le16 e = cpu_to_le16(event);

	memcpy(ring_used_event(r), &e, 2);
}

static u16 get_avail_event(struct ring *r)
{
	__le16 e;

	memcpy(&e, ring_avail_event(r), 2);
	return le16_to_cpu(e);
}

static struct vring_packed_desc_event *ev(void *area)
{
	return area;
}

static void set_driver_event(struct ring *r, u16 flags, u16 off_wrap)
{
	ev(r->vr.driver)->flags = cpu_to_le16(flags);
	ev(r->vr.driver)->off_wrap = cpu_to_le16(off_wrap);
}

TEST(split_call_flags, "split: NO_INTERRUPT stops calls, other bits do not")
{
	struct ring *r = ring_new(false, 4, 0);

	push_n(r, 1);
	EXPECT(r->vr.ops->publish(&r->vr));
	ring_avail(r)->flags = cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
	push_n(r, 1);
	EXPECT(!r->vr.ops->publish(&r->vr));
	ring_avail(r)->flags = cpu_to_le16(0xfffe);
	push_n(r, 1);
	EXPECT(r->vr.ops->publish(&r->vr));
	ring_free(r);
}

TEST(split_event_flags, "split: the flags mean nothing with event indexes")
{
	struct ring *r = ring_new(false, 4, 0);

	r->vr.event_idx = true;
	ring_avail(r)->flags = cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
	set_used_event(r, 0);
	push_n(r, 1);
	EXPECT(r->vr.ops->publish(&r->vr));
	set_used_event(r, 1);
	push_n(r, 1);
	EXPECT(r->vr.ops->publish(&r->vr));
	push_n(r, 1);
	EXPECT(!r->vr.ops->publish(&r->vr));
	ring_free(r);
}

TEST(split_first_call, "split: the first batch after a start always calls")
{
	struct ring *r = ring_new(false, 4, 0);

	r->vr.event_idx = true;
	set_used_event(r, 0x1234);
	push_n(r, 1);
	EXPECT(r->vr.ops->publish(&r->vr));
	push_n(r, 1);
	EXPECT(!r->vr.ops->publish(&r->vr));
	ASSERT_EQ(0, vt_vring_set_base(&r->vr, 0));
	push_n(r, 1);
	EXPECT(r->vr.ops->publish(&r->vr));
	ring_free(r);
}

/* A call is due if an entry pushed is the one the driver waits for. */
TEST(split_event, "split: event index against brute force, 50 wraps")
{
	struct ring *r = ring_new(false, 4, 0);
	u32 i, k, nr, used = 0;
	bool want, got;
	u16 event;

	r->vr.event_idx = true;
	push_n(r, 1);
	EXPECT(r->vr.ops->publish(&r->vr));
	used++;
	for (i = 0; used < 50 * 65536; i++) {
		nr = 1 + i % 4;
		event = used - 6 + i / 4 % 13;
		for (want = false, k = 0; k < nr; k++)
			want |= (u16)(used + k) == event;
		set_used_event(r, event);
		push_shown(r, nr, i / 4 / 13 % (nr + 1));
		got = r->vr.ops->publish(&r->vr);
		used += nr;
		EXPECT_MSG(want == got, "used %u, %u new, event %u: %d",
			   (u16)used, nr, event, got);
	}
	ring_free(r);
}

TEST(split_event_far, "split: every event index calls once in 65536 entries")
{
	struct ring *r = ring_new(false, 1024, 0);
	u32 event, i, calls;

	r->vr.event_idx = true;
	push_n(r, 1);
	r->vr.ops->publish(&r->vr);
	for (event = 0; event < 65536; event += 257) {
		set_used_event(r, event);
		for (calls = 0, i = 0; i < 65536; i += 512) {
			push_n(r, 512);
			calls += r->vr.ops->publish(&r->vr);
		}
		EXPECT_MSG(calls == 1, "event %u: %u calls", event, calls);
	}
	ring_free(r);
}

TEST(packed_call_flags, "packed: DISABLE stops calls, the other flags do not")
{
	static const u16 flags[] = {
		VRING_PACKED_EVENT_FLAG_ENABLE, VRING_PACKED_EVENT_FLAG_DESC, 3,
	};
	struct ring *r = ring_new(true, 4, RING_BASE(true));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		/* DESC has a meaning only with event indexes. */
		set_driver_event(r, flags[i], 0);
		push_n(r, 1);
		EXPECT(r->vr.ops->publish(&r->vr));
		set_driver_event(r, VRING_PACKED_EVENT_FLAG_DISABLE, 0);
		push_n(r, 1);
		EXPECT(!r->vr.ops->publish(&r->vr));
	}
	r->vr.event_idx = true;
	push_n(r, 1);
	EXPECT(!r->vr.ops->publish(&r->vr));
	set_driver_event(r, VRING_PACKED_EVENT_FLAG_ENABLE, 0x8003);
	push_n(r, 1);
	EXPECT(r->vr.ops->publish(&r->vr));
	ring_free(r);
}

/* Is (@off, @wrap) one of the @nr entries from @used on? */
static bool packed_hit(u16 size, u16 used, bool used_wrap, u16 nr, u16 off,
		       bool wrap)
{
	for (; nr; nr--) {
		if (used == off && used_wrap == wrap)
			return true;
		if (++used == size) {
			used = 0;
			used_wrap = !used_wrap;
		}
	}
	return false;
}

/* @nr entries from @used on, an event at @off; bits of @wraps: of each. */
static void packed_event_one(struct ring *r, u32 used, u32 nr, u32 off,
			     u32 wraps)
{
	bool used_wrap = wraps & 1, off_wrap = wraps & 2;
	u32 half = used | used_wrap << 15;
	bool want, got;

	vt_vring_set_base(&r->vr, half | half << 16);
	set_driver_event(r, VRING_PACKED_EVENT_FLAG_DESC, off | off_wrap << 15);
	/* One slot each, or one chain of all slots. */
	if (nr & 1)
		push_shown(r, nr, (used + off) % (nr + 1));
	else
		r->vr.ops->push(&r->vr, 0, nr, 0);
	got = r->vr.ops->publish(&r->vr);
	want = packed_hit(r->size, used, used_wrap, nr, off, off_wrap);
	EXPECT_MSG(want == got, "size %u, %u+%u, event %u, wraps %u", r->size,
		   used, nr, off, wraps);
}

static void packed_event_size(u16 size)
{
	struct ring *r = ring_new(true, size, RING_BASE(true));
	u32 used, nr, off, wraps;

	r->vr.event_idx = true;
	for (used = 0; used < size; used++)
		for (nr = 1; nr <= size; nr++)
			for (off = 0; off < size; off++)
				for (wraps = 0; wraps < 4; wraps++)
					packed_event_one(r, used, nr, off,
							 wraps);
	ring_free(r);
}

TEST(packed_event, "packed: event offset against brute force, all states")
{
	u16 size;

	for (size = 1; size <= 32; size *= 2)
		packed_event_size(size);
}

TEST(packed_shown_laps, "packed: laps of entries shown make one call")
{
	struct ring *r = ring_new(true, 4, RING_BASE(true));
	unsigned int i;

	r->vr.event_idx = true;
	for (i = 0; i < 65536 / 2; i++) {
		push_n(r, 2);
		r->vr.ops->show(&r->vr);
	}
	/* Where the ring stands again, a lap ago. */
	set_driver_event(r, VRING_PACKED_EVENT_FLAG_DESC, 0 | 1 << 15);
	EXPECT(!r->vr.ops->publish(&r->vr));
	for (i = 0; i < 65536 / 2; i++) {
		push_n(r, 2);
		r->vr.ops->show(&r->vr);
	}
	/* The last entry. */
	set_driver_event(r, VRING_PACKED_EVENT_FLAG_DESC, 3);
	EXPECT(r->vr.ops->publish(&r->vr));
	EXPECT(!r->vr.ops->publish(&r->vr));
	ring_free(r);
}

TEST(packed_event_wild, "packed: an event offset beyond the ring does no harm")
{
	struct ring *r = ring_new(true, 4, RING_BASE(true));
	u32 off;

	r->vr.event_idx = true;
	for (off = 0; off < 65536; off++) {
		set_driver_event(r, VRING_PACKED_EVENT_FLAG_DESC, off);
		push_n(r, 1);
		r->vr.ops->publish(&r->vr);
	}
	ring_free(r);
}

TEST(split_arm_flags, "split: arm and disarm set the flags of the used ring")
{
	struct ring *r = ring_new(false, 4, 0);

	r->vr.ops->disarm(&r->vr);
	EXPECT_EQ(VRING_USED_F_NO_NOTIFY, le16_to_cpu(ring_used(r)->flags));
	EXPECT(!r->vr.ops->arm(&r->vr));
	EXPECT_EQ(0, le16_to_cpu(ring_used(r)->flags));
	ring_free(r);
}

TEST(split_arm_event, "split: arm asks for the next chain by avail_event")
{
	struct ring *r = ring_new(false, 4, 0xfffe);
	struct buf b = IN(1, 1);
	unsigned int i;

	r->vr.event_idx = true;
	for (i = 0; i < 4; i++) {
		r->vr.ops->disarm(&r->vr);
		EXPECT(!r->vr.ops->arm(&r->vr));
		EXPECT_EQ((0xfffe + i) & 0xffff, get_avail_event(r));
		/* The next chain, and no other, makes the driver kick. */
		EXPECT(vring_need_event(get_avail_event(r), 0xffff + i,
					0xfffe + i));
		EXPECT(!vring_need_event(get_avail_event(r), 0x10000 + i,
					 0xffff + i));
		EXPECT_EQ(0, le16_to_cpu(ring_used(r)->flags));
		ring_add(r, &b, 1);
		ASSERT_EQ(1, ring_take(r));
	}
	ring_free(r);
}

TEST(packed_arm, "packed: arm and disarm write the device's event structure")
{
	struct ring *r = ring_new(true, 2, RING_BASE(true));
	struct buf b = IN(1, 1);
	unsigned int i;
	u32 len;
	u16 id;

	r->vr.ops->disarm(&r->vr);
	EXPECT_EQ(VRING_PACKED_EVENT_FLAG_DISABLE,
		  le16_to_cpu(ev(r->vr.device)->flags));
	EXPECT(!r->vr.ops->arm(&r->vr));
	EXPECT_EQ(VRING_PACKED_EVENT_FLAG_ENABLE,
		  le16_to_cpu(ev(r->vr.device)->flags));

	r->vr.event_idx = true;
	for (i = 0; i < 6; i++) {
		EXPECT(!r->vr.ops->arm(&r->vr));
		EXPECT_EQ(VRING_PACKED_EVENT_FLAG_DESC,
			  le16_to_cpu(ev(r->vr.device)->flags));
		EXPECT_EQ(i % 2 | (i / 2 % 2 ? 0 : 0x8000),
			  le16_to_cpu(ev(r->vr.device)->off_wrap));
		r->vr.ops->disarm(&r->vr);
		EXPECT_EQ(VRING_PACKED_EVENT_FLAG_DISABLE,
			  le16_to_cpu(ev(r->vr.device)->flags));
		ring_add(r, &b, 1);
		ASSERT_EQ(1, ring_take(r));
		ring_push(r, 1);
		r->vr.ops->publish(&r->vr);
		ring_get_used(r, &id, &len);
	}
	ring_free(r);
}

/* What the driver does at the device's full barrier. */
static struct ring *racer;
static unsigned int nr_races;

static void race_add(void)
{
	struct buf b = IN(1, 1);

	nr_races++;
	ring_add(racer, &b, 1);
}

static void arm_race(bool packed, bool event_idx)
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b = IN(1, 1);

	r->vr.event_idx = event_idx;
	racer = r;
	nr_races = 0;
	/* Before: arm itself must see it. */
	ring_add(r, &b, 1);
	EXPECT(r->vr.ops->pending(&r->vr));
	EXPECT(r->vr.ops->arm(&r->vr));
	ASSERT_EQ(1, ring_take(r));
	/* In the middle: the driver may have looked before, arm must see it. */
	shim_on_mb = race_add;
	EXPECT(r->vr.ops->arm(&r->vr));
	shim_on_mb = NULL;
	EXPECT_EQ(1, nr_races);
	ASSERT_EQ(1, ring_take(r));
	/* After: it is the driver that sees, and kicks. */
	EXPECT(!r->vr.ops->arm(&r->vr));
	ring_add(r, &b, 1);
	EXPECT(r->vr.ops->pending(&r->vr));
	if (!packed && event_idx)
		EXPECT(vring_need_event(get_avail_event(r), r->avail,
					r->avail - 1));
	if (packed && event_idx)
		EXPECT_EQ(2 | 0x8000, le16_to_cpu(ev(r->vr.device)->off_wrap));
	/* Twice disarmed, twice armed: nothing is lost. */
	r->vr.ops->disarm(&r->vr);
	r->vr.ops->disarm(&r->vr);
	EXPECT(r->vr.ops->arm(&r->vr));
	EXPECT(r->vr.ops->arm(&r->vr));
	ASSERT_EQ(1, ring_take(r));
	EXPECT(!r->vr.ops->arm(&r->vr));
	ring_free(r);
}

TEST_RINGS(arm_races, "a chain added before, while or after arming is seen")
{
	arm_race(packed, false);
	arm_race(packed, true);
}

TEST_RINGS(arm_peeked, "a chain peeked but not consumed is pending")
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b = IN(1, 1);

	ring_add(r, &b, 1);
	ASSERT_EQ(1, r->vr.ops->peek(&r->vr, r->c));
	EXPECT(r->vr.ops->pending(&r->vr));
	EXPECT(r->vr.ops->arm(&r->vr));
	ring_free(r);
}

static void race_enable(void)
{
	struct ring *r = racer;

	nr_races++;
	if (!r->packed && r->vr.event_idx)
		set_used_event(r, r->used);
	else if (!r->packed)
		ring_avail(r)->flags = 0;
	else if (r->vr.event_idx)
		set_driver_event(r, VRING_PACKED_EVENT_FLAG_DESC,
				 r->used | (r->used_wrap ? 0x8000 : 0));
	else
		set_driver_event(r, VRING_PACKED_EVENT_FLAG_ENABLE, 0);
}

/*
 * The driver asks for a call between the used entries and the look at its
 * wish. By then it has its entries to see, or the call comes: here both.
 */
static void publish_race(bool packed, bool event_idx)
{
	struct ring *r = ring_new(packed, 4, RING_BASE(packed));
	struct buf b = IN(1, 1);
	unsigned int i;
	u32 len;
	u16 id;

	r->vr.event_idx = event_idx;
	racer = r;
	nr_races = 0;
	for (i = 0; i < 10; i++) {
		ring_add(r, &b, 1);
		ASSERT_EQ(1, ring_take(r));
		if (packed)
			set_driver_event(r, VRING_PACKED_EVENT_FLAG_DISABLE, 0);
		else
			ring_avail(r)->flags = cpu_to_le16(1);
		if (!packed)
			set_used_event(r, r->used - 1);
		ring_push(r, 1);
		shim_on_mb = race_enable;
		EXPECT(r->vr.ops->publish(&r->vr));
		shim_on_mb = NULL;
		EXPECT_EQ(i + 1, nr_races);
		ASSERT(ring_get_used(r, &id, &len));
	}
	ring_free(r);
}

TEST_RINGS(publish_races, "a call asked for while publishing is made")
{
	publish_race(packed, false);
	publish_race(packed, true);
}
