// SPDX-License-Identifier: GPL-2.0
/* Interrupt moderation: drivers of several habits, and what they are told. */
#include <vhost_target/queue.h>

#include "../../drivers/core/moderate.h"
#include "unit.h"

#define PATIENCE	50000ull
#define PASS		100ull	/* ns from one pass to the next */

struct told {
	unsigned int calls;
	u64 longest;	/* from a result to its call */
};

/*
 * A driver that keeps @depth requests under way: it hands them over @gap ns
 * apart, waits for a call, takes @react ns and starts again. Results are there
 * in the pass in which the request came.
 */
static struct told drive(struct vt_moderation *m, unsigned int depth, u64 gap,
			 u64 react, unsigned int rounds)
{
	struct told t = {};
	u64 now = 1000000;

	while (rounds--) {
		unsigned int given = 0, unheard = 0;
		u64 next = now + react, since = 0;

		for (;;) {
			unsigned int came = 0;

			now += PASS;
			if (given < depth && now >= next) {
				came = 1;
				given++;
				next = now + gap;
				since = unheard++ ? since : now;
			}
			if (!vt_moderate(m, now, came, unheard, false,
					 PATIENCE))
				continue;
			t.calls++;
			t.longest = now - since > t.longest ? now - since :
				    t.longest;
			unheard = 0;
			if (given == depth)
				break;
		}
	}
	return t;
}

TEST(one_at_a_time, "a driver that waits for each result hardly ever waits longer")
{
	struct vt_moderation m = {};
	unsigned int i, held = 0;

	for (i = 0; i < 1000; i++)
		held += drive(&m, 1, 0, 5000, 1).longest > 0;
	EXPECT(held <= 1000 / 48 + 1);
}

TEST(many_at_once, "32 requests in a row: one call, at their pace")
{
	struct vt_moderation m = {};
	struct told t;

	drive(&m, 32, 1000, 5000, 100);
	t = drive(&m, 32, 1000, 5000, 100);
	EXPECT_EQ(100, t.calls);
	EXPECT(t.longest < PATIENCE);
}

TEST(slow_guest, "the same when all takes a hundred times as long, if allowed")
{
	struct vt_moderation m = {};
	struct told t;

	drive(&m, 32, 20000, 5000, 50);
	t = drive(&m, 32, 20000, 5000, 100);
	EXPECT(t.longest <= PATIENCE + PASS);
}

TEST(no_patience, "event mode: every result is told at once")
{
	struct vt_moderation m = { .score = 64 };

	EXPECT(vt_moderate(&m, 1000, 1, true, false, 0));
	EXPECT(!m.holding);
}

TEST(ring_full, "a driver that cannot hand over more is told at once")
{
	struct vt_moderation m = { .score = 64, .gap = 1000, .last = 900 };

	EXPECT(!vt_moderate(&m, 1000, 1, true, false, PATIENCE));
	EXPECT(vt_moderate(&m, 1001, 0, true, true, PATIENCE));
}

TEST(nothing_done, "without a result there is nothing to tell")
{
	struct vt_moderation m = {};

	EXPECT(!vt_moderate(&m, 1000, 1, false, false, PATIENCE));
	EXPECT(!vt_moderate(&m, 1000, 0, false, true, 0));
}

TEST(endless_stream, "a driver that never pauses is told in time all the same")
{
	struct vt_moderation m = { .score = 64 };
	u64 now = 1000000, told = now;
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		now += 1000;
		if (!vt_moderate(&m, now, 1, true, false, PATIENCE))
			continue;
		EXPECT(now - told <= PATIENCE + 1000);
		told = now;
	}
	EXPECT(now - told <= PATIENCE);
}
