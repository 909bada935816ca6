/* SPDX-License-Identifier: GPL-2.0 */
/* A null_blk device with memory behind it, made through configfs. */
#ifndef VT_NULLB_H
#define VT_NULLB_H

#include "util.h"

struct nullb {
	char name[32];		/* of its configfs directory and disk */
	char path[64];		/* of its node */
};

struct nullb_opts {
	unsigned int size_mb;
	unsigned int block_size;
	u64 delay_ns;		/* of each completion; 0: none */
	unsigned int depth;	/* requests at a time; 0: null_blk's own number */
	unsigned int cache_mb;	/* of a write cache; 0: none */
	bool read_only;
	bool empty;		/* without memory: reads fill nothing */
};

int nullb_create(struct nullb *nb, const struct nullb_opts *o);
void nullb_destroy(struct nullb *nb);
/* Writes that it has done so far; -1: it cannot be seen. */
long long nullb_writes(const struct nullb *nb);
/* Remove what an earlier, crashed run left behind. */
void nullb_sweep(void);

#endif
