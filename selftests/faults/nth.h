/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations and copies to and from user space that fail, one after the
 * other: the kernel's fault injection by /proc/PID/task/TID/fail-nth.
 */
#ifndef VT_FAULTS_NTH_H
#define VT_FAULTS_NTH_H

#include <sys/types.h>

#include "util.h"

/* What is not there for such tests, or NULL. */
const char *nth_missing(void);

/*
 * A step that is taken again and again, and fails at another place each time.
 * @run: the step, 0 or -errno. @good: after each, without faults, whether it
 * failed or not: all else is as it should be, 0 or -errno. @undo: what the
 * step did, if it did; may be NULL. @tid: the thread it fails in, 0: ours.
 */
struct nth_step {
	const char *name;
	int (*run)(void *arg);
	int (*good)(void *arg, int ret);
	void (*undo)(void *arg);
	pid_t tid;
	/* What came of it. */
	unsigned int refused;	/* faults that made @run fail */
	unsigned int absorbed;	/* faults that did not */
};

/*
 * From the first place to the last: 0, or -errno after a message. @run may
 * fail with ENOMEM and EFAULT, and must not without a fault.
 */
int nth_sweep(struct nth_step *s, void *arg);

/* One in @n allocations by the functions of @module fails, in any thread. */
int nth_random(const char *module, unsigned int n);
int nth_random_end(void);

#endif
