/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A blk session that shares its poller with one that is hostile, whatever that
 * one's type is.
 */
#ifndef VT_NEIGHBOUR_H
#define VT_NEIGHBOUR_H

#include "bed.h"
#include "vblk.h"

#define NEIGHBOUR_IDLE_US 1000000	/* no queue sleeps in a storm */
#define NEIGHBOUR_DEVICE_US 100		/* of its device, when it is measured */
#define NEIGHBOUR_STORMS 16		/* at most */

/* How often the poller looked at each. */
struct neighbour_looks {
	u64 hostile;
	u64 neighbour;
};

u64 neighbour_polls(const struct bed *bed);
/* Verified I/O, while the other one is looked at some hundred times. */
int neighbour_in_a_storm(struct vblk_queue *q, const struct bed *hostile,
			 const struct bed *neighbour,
			 struct neighbour_looks *l);

/**
 * struct neighbour_storms - what a neighbour is measured beside
 * @nr: how many
 * @name: of each
 * @twin: number of one that takes as much of the CPUs, by right
 * @begin: begin one
 * @end: end it
 * @arg: of both
 * @bed: the hostile target
 */
struct neighbour_storms {
	unsigned int nr;
	const char *(*name)(unsigned int i);
	unsigned int (*twin)(unsigned int i);
	int (*begin)(void *arg, unsigned int i);
	void (*end)(void *arg);
	void *arg;
	const struct bed *bed;
};

/* An environment variable's number. */
int neighbour_option(const char *name, int otherwise);
/*
 * Prints what share of its IOPS alone a neighbour has beside each, and how much
 * longer its requests take: medians of $VT_MEASURE rounds. Not on the CPU @cpu.
 */
int neighbour_measure(struct vblk_queue *q, unsigned int cpu,
		      const struct neighbour_storms *s);

#endif
