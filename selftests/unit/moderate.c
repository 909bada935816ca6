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
	unsigned int late;	/* calls not at once after the last request */
};

struct habit {
	unsigned int depth;	/* requests it keeps under way */
	unsigned int batch;	/* of which it hands over so many at a time */
	u64 gap;		/* ns from one time to the next */
	u64 react;		/* ns from a call until it begins again */
};

/*
 * A driver of habit @h for @rounds: each ends with a call after it handed over
 * all. Results are there in the pass in which the request came.
 */
static struct told drive(struct vt_moderation *m, const struct habit *h,
			 unsigned int rounds)
{
	struct told t = {};
	u64 now = 1000000;

	while (rounds--) {
		unsigned int given = 0, unheard = 0;
		u64 next = now + h->react, since = 0, last = 0;

		for (;;) {
			unsigned int came = 0;

			now += PASS;
			if (given < h->depth && now >= next) {
				came = h->batch;
				given += came;
				next = now + h->gap;
				last = now;
				since = unheard ? since : now;
				unheard += came;
			}
			if (!vt_moderate(m, now, came, unheard, 0, PATIENCE))
				continue;
			t.calls++;
			t.longest = max(t.longest, now - since);
			unheard = 0;
			if (given == h->depth)
				break;
		}
		t.late += now > last;
	}
	return t;
}

TEST(one_at_a_time, "a driver that waits for each result hardly ever waits longer")
{
	static const struct habit h = { .depth = 1, .batch = 1, .react = 5000 };
	struct vt_moderation m = {};
	unsigned int i, held = 0;

	for (i = 0; i < 1000; i++)
		held += drive(&m, &h, 1).longest > 0;
	EXPECT(held <= 1000 / 48 + 1);
}

/* 100 rounds of a driver whose habit is known by then. */
static struct told drive_known(const struct habit *h)
{
	struct vt_moderation m = {};

	drive(&m, h, 100);
	return drive(&m, h, 100);
}

static void expect_one_call(const struct told *t)
{
	EXPECT_EQ(100, t->calls);
	EXPECT(t->longest < PATIENCE);
	/* It is known that no more will come; now and then that is checked. */
	EXPECT(t->late <= 100 / 16);
}

TEST(many_at_once, "32 requests in a row: one call, at their pace")
{
	static const struct habit h = { 32, 1, 1000, 5000 };
	struct told t = drive_known(&h);

	expect_one_call(&t);
}

TEST(eight_at_a_time, "32 requests, eight at a time: one call, as soon as all are done")
{
	static const struct habit h = { 32, 8, 2000, 20000 };
	struct told t = drive_known(&h);

	expect_one_call(&t);
}

TEST(deep_after_one, "a driver that had one under way, and then 32, is soon told once for all")
{
	static const struct habit one = { .depth = 1, .batch = 1, .react = 5000 };
	static const struct habit deep = { 32, 1, 1000, 5000 };
	struct vt_moderation m = {};

	drive(&m, &one, 1000);
	EXPECT(drive(&m, &deep, 20).calls < 5 * 32 + 20);
}

TEST(other_depth, "what a driver has under way is learned anew")
{
	static const struct habit deep = { 32, 4, 2000, 20000 };
	static const struct habit flat = { 16, 4, 2000, 20000 };
	struct vt_moderation m = {};
	struct told t;

	drive(&m, &deep, 100);
	t = drive(&m, &flat, 20);
	EXPECT(t.calls < 2 * 20);
	t = drive(&m, &deep, 100);
	EXPECT(t.calls < 100 + 20);
	t = drive(&m, &deep, 100);
	EXPECT_EQ(100, t.calls);
	EXPECT(t.late <= 100 / 16);
}

TEST(backend_has_some, "with requests at the backend, all that is known is the pace")
{
	struct vt_moderation m = {
		.score = 64, .gap = 1000, .depth = 4, .same = 4, .last = 1000000,
	};

	EXPECT(!vt_moderate(&m, 1000100, 0, 3, 4, PATIENCE));
	EXPECT(!vt_moderate(&m, 1000200, 0, 6, 1, PATIENCE));
	EXPECT(vt_moderate(&m, 1000300, 0, 7, 0, PATIENCE));
}

TEST(slow_guest, "the same when all takes a hundred times as long, if allowed")
{
	static const struct habit h = { 32, 1, 20000, 5000 };
	struct told t = drive_known(&h);

	EXPECT(t.longest <= PATIENCE + PASS);
}

TEST(no_patience, "event mode: every result is told at once")
{
	struct vt_moderation m = { .score = 64 };

	EXPECT(vt_moderate(&m, 1000, 1, 1, 0, 0));
	EXPECT(!m.holding);
}

TEST(nothing_done, "without a result there is nothing to tell")
{
	struct vt_moderation m = {};

	EXPECT(!vt_moderate(&m, 1000, 1, 0, 1, PATIENCE));
	EXPECT(!vt_moderate(&m, 1000, 0, 0, 1, 0));
}

TEST(endless_stream, "a driver that never pauses is told in time all the same")
{
	struct vt_moderation m = { .score = 64 };
	u64 now = 1000000, told = now;
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		now += 1000;
		if (!vt_moderate(&m, now, 1, 1, 0, PATIENCE))
			continue;
		EXPECT(now - told <= PATIENCE + 1000);
		told = now;
	}
	EXPECT(now - told <= PATIENCE);
}
