/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs with a line of KTAP for each case, which runs in a process of its
 * own: what it leaves behind goes with it.
 */
#ifndef VT_FORKED_H
#define VT_FORKED_H

#include "rng.h"

/* What @fn returned, KSFT_*; it fails when it takes @seconds (0: no limit). */
int run_forked(int (*fn)(void *arg), void *arg, unsigned int seconds);

/* In a case: -1 after a message unless @cond. */
#define CHECK(cond, fmt, ...) do { \
	if (!(cond)) { \
		vt_msg("%s:%d: %s: " fmt, __FILE__, __LINE__, #cond, \
		       ##__VA_ARGS__); \
		return -1; \
	} \
} while (0)

/* A kind of ring to fuzz. */
struct fuzz_run {
	const char *name;
	bool packed;
	bool indirect;
	bool event_idx;
	unsigned long chains;
	struct rng rng;
};

/*
 * main() of "fuzzer [CHAINS [SEED]]": @fuzz for each kind of ring, with
 * @chains if it is not told how many.
 */
int fuzz_main(int argc, char **argv, unsigned long chains,
	      int (*fuzz)(const struct fuzz_run *run));

#endif
