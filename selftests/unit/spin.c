// SPDX-License-Identifier: GPL-2.0
/* How long a queue without work is looked at: habits, and what they cost. */
#include <vhost_target/poller.h>

#include "../../drivers/core/spin.h"
#include "unit.h"

#define IDLE	50000ull
#define DRIVER	false
#define BACKEND	true

struct cost {
	u64 looked;		/* ns in vain */
	unsigned int sleeps;
};

/* Nothing to do for @gap ns, and then there is. */
static void wait(struct vt_spin *s, struct cost *c, bool backend, u64 gap)
{
	u64 ns = vt_spin_ns(s, backend, IDLE);

	c->looked += gap < ns ? gap : ns;
	if (gap >= ns) {
		vt_spin_slept(s, backend);
		c->sleeps++;
	}
	vt_spin_worked(s, gap, IDLE);
}

TEST(new_queue, "a queue that is new is looked at for idle_us")
{
	struct vt_spin s = {};

	EXPECT_EQ(IDLE, vt_spin_ns(&s, DRIVER, IDLE));
	EXPECT_EQ(IDLE, vt_spin_ns(&s, BACKEND, IDLE));
}

TEST(busy, "one whose work comes within idle_us never sleeps")
{
	struct vt_spin s = {};
	struct cost c = {};
	unsigned int i;

	for (i = 0; i < 1000; i++)
		wait(&s, &c, DRIVER, i * 7919 % IDLE);
	EXPECT_EQ(0, c.sleeps);
}

TEST(slow_driver, "one whose work comes later each time is soon hardly looked at")
{
	struct vt_spin s = {};
	struct cost c = {};
	unsigned int i;

	for (i = 0; i < 1000; i++)
		wait(&s, &c, DRIVER, 1000000);
	EXPECT_EQ(1000, c.sleeps);
	EXPECT(c.looked <= 2 * IDLE + 1000 * (IDLE >> VT_SPIN_HALVES));
}

TEST(wakes_up, "one sleep that was too short, and it is looked at for idle_us again")
{
	struct vt_spin s = {};
	struct cost c = {};
	unsigned int i;

	for (i = 0; i < 100; i++)
		wait(&s, &c, DRIVER, 1000000);
	c.sleeps = 0;
	for (i = 0; i < 100; i++)
		wait(&s, &c, DRIVER, IDLE - 1);
	EXPECT_EQ(1, c.sleeps);
	EXPECT_EQ(IDLE, vt_spin_ns(&s, DRIVER, IDLE));
}

TEST(two_waits, "a quick backend is looked at, though the driver takes its time")
{
	struct vt_spin s = {};
	struct cost c = {};
	unsigned int i;

	for (i = 0; i < 100; i++) {
		wait(&s, &c, BACKEND, IDLE / 2);
		wait(&s, &c, DRIVER, 1000000);
	}
	EXPECT_EQ(100, c.sleeps);
	EXPECT_EQ(IDLE, vt_spin_ns(&s, BACKEND, IDLE));
	EXPECT(vt_spin_ns(&s, DRIVER, IDLE) < 1000);
}

TEST(slow_backend, "a slow backend is not, though the driver is quick")
{
	struct vt_spin s = {};
	struct cost c = {};
	unsigned int i;

	for (i = 0; i < 100; i++) {
		wait(&s, &c, BACKEND, 2 * IDLE);
		wait(&s, &c, DRIVER, IDLE / 4);
	}
	EXPECT_EQ(100, c.sleeps);
	EXPECT_EQ(IDLE, vt_spin_ns(&s, DRIVER, IDLE));
	EXPECT(vt_spin_ns(&s, BACKEND, IDLE) < 1000);
}

TEST(never_more, "looking costs no more than it did without learning")
{
	struct vt_spin s = {};
	struct cost c = {};
	u64 gap, plain = 0;
	unsigned int i;

	for (i = 0; i < 100000; i++) {
		gap = i * 2654435761u % (4 * IDLE);
		plain += gap < IDLE ? gap : IDLE;
		wait(&s, &c, i & 1, gap);
	}
	EXPECT(c.looked <= plain);
}

TEST(event_mode, "with idle_us 0 it sleeps at once, and learns nothing")
{
	struct vt_spin s = {};

	vt_spin_slept(&s, DRIVER);
	vt_spin_worked(&s, 1000, 0);
	EXPECT_EQ(0, vt_spin_ns(&s, DRIVER, 0));
	EXPECT_EQ(IDLE, vt_spin_ns(&s, DRIVER, IDLE));
}
