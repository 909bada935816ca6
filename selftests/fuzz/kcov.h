/* SPDX-License-Identifier: GPL-2.0 */
/* Which code of the modules ran, by /sys/kernel/debug/kcov. */
#ifndef VT_FUZZ_KCOV_H
#define VT_FUZZ_KCOV_H

#include "util.h"

#define KCOV_WORDS (64 * 1024)

struct kcov {
	int fd;		/* -1: there is none, and nothing is ever covered */
	u64 *area;	/* how many, then where */
};

/* All code that was ever reached: a hash table that processes share. */
#define PCS_SLOTS (1 << 17)

struct pcs {
	u32 nr;
	u64 slot[PCS_SLOTS];
};

bool kcov_there(void);

/*
 * Of this thread; or of kernel threads that work for whoever this thread
 * starts from now on. 0, or -errno after a message.
 */
int kcov_open(struct kcov *k);
int kcov_open_remote(struct kcov *k);

void kcov_begin(struct kcov *k);
/* How much of what ran since is new to @pcs. */
unsigned int kcov_end(struct kcov *k, struct pcs *pcs);

/* How many of @pcs are a module's. */
unsigned int pcs_of_module(const struct pcs *pcs, const char *module);

#endif
