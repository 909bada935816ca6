/* SPDX-License-Identifier: GPL-2.0 */
/* Guest memory that a VMM keeps taking away and giving back, in a thread. */
#ifndef VT_FUZZ_CHURN_H
#define VT_FUZZ_CHURN_H

#include <pthread.h>

#include "mem.h"
#include "rng.h"

/**
 * struct churn - memory that changes
 * @m: it, with a second view: that is what changes
 * @without: tell the door of all of it but a region; and of all of it again
 * @whole: likewise
 * @arg: for both
 * @progress: changes while somebody else gets on: that is waited for, mostly
 * @changes: how often something was done to it
 */
struct churn {
	struct mem *m;
	int (*without)(void *arg, unsigned int region);
	int (*whole)(void *arg);
	void *arg;
	const u64 *progress;
	u64 changes;
	/* Its own. */
	struct rng rng;
	pthread_t thread;
	pthread_mutex_t lock;	/* one change at a time */
	bool stop;
};

int churn_start(struct churn *c, u64 seed);
void churn_stop(struct churn *c);
/* All is there, and nothing changes, until it goes on. 0 or -errno. */
int churn_pause(struct churn *c);
void churn_go_on(struct churn *c);

#endif
