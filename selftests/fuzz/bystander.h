/* SPDX-License-Identifier: GPL-2.0 */
/* A session in a process of its own that does all right, and must not suffer. */
#ifndef VT_FUZZ_BYSTANDER_H
#define VT_FUZZ_BYSTANDER_H

#include <sys/types.h>

#include "util.h"

/*
 * Longest time for 64 KiB that were written, read and compared, in ticks of
 * 100 ms in which the process itself did run.
 */
#define BYSTANDER_TICKS 200

struct bystander_seen {
	u64 rounds;
	u64 ticks;
	u64 worst;	/* ticks of the longest round */
	int err;
	bool stop;
};

struct bystander {
	pid_t pid;
	struct bystander_seen *seen;
};

/* Returns when it does its I/O: 0, or -errno after a message. */
int bystander_start(struct bystander *b);
/* 0 if it still does. */
int bystander_check(const struct bystander *b);
/* It has never seen an error, nor waited long: 0, or -errno after a message. */
int bystander_stop(struct bystander *b);

#endif
