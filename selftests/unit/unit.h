/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test program is the TEST()s linked into it. Each prints one line, in
 * KTAP; arguments are words a test's line must have to be run. The last line
 * is "N passed, N failed".
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>

struct unit_test {
	const char *text;
	void (*fn)(void);
	struct unit_test *next;
};

void unit_add(struct unit_test *t);
__attribute__((format(printf, 3, 4)))
void unit_fail(const char *file, int line, const char *fmt, ...);

/* A test: its body follows. @what: what is true when it passes. */
#define TEST(name, what)					\
	static void name(void);					\
	static struct unit_test name##_test = {			\
		.text = what, .fn = name,			\
	};							\
	__attribute__((constructor)) static void name##_add(void)	\
	{							\
		unit_add(&name##_test);				\
	}							\
	static void name(void)

/* A test of the split and the packed ring: its body knows which is @packed. */
#define TEST_RINGS(name, what)					\
	static void name(bool packed);				\
	TEST(name##_split, "split: " what)			\
	{							\
		name(false);					\
	}							\
	TEST(name##_packed, "packed: " what)			\
	{							\
		name(true);					\
	}							\
	static void name(bool packed)

/* These say whether it was as expected; the test goes on. */
#define EXPECT(cond)						\
	({							\
		bool ok_ = !!(cond);				\
		if (!ok_)					\
			unit_fail(__FILE__, __LINE__, "%s", #cond);	\
		ok_;						\
	})

/* The same with a message of one's own, for what is looked at in loops. */
#define EXPECT_MSG(cond, ...)					\
	({							\
		bool ok_ = !!(cond);				\
		if (!ok_)					\
			unit_fail(__FILE__, __LINE__, __VA_ARGS__);	\
		ok_;						\
	})

#define EXPECT_EQ(want, got)					\
	({							\
		long long want_ = (want), got_ = (got);		\
		EXPECT_MSG(want_ == got_, "%s is %lld, not %s (%lld)",	\
			   #got, got_, #want, want_);		\
	})

/* And these end the test: nothing that follows would make sense. */
#define ASSERT(cond)						\
	do {							\
		if (!EXPECT(cond))				\
			return;					\
	} while (0)

#define ASSERT_EQ(want, got)					\
	do {							\
		if (!EXPECT_EQ(want, got))			\
			return;					\
	} while (0)

#endif
