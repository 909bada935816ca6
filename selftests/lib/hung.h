/* SPDX-License-Identifier: GPL-2.0 */
/* A unit whose disk answers nothing, and what goes on meanwhile. */
#ifndef VT_HUNG_H
#define VT_HUNG_H

#include "bed.h"

struct hung {
	struct bed *bed;
	unsigned int unit;
	struct disk disk;
	bool removed;
	int err;		/* of its removal */
};

/* Add @unit: 0 or -errno. */
int hung_add(struct hung *h, struct bed *bed, unsigned int unit);
/* Its disk answers nothing from here on. */
int hung_suspend(struct hung *h);
/*
 * Run @fn. The disk answers again when that has returned, or after VT_PATIENCE.
 * What it returned, or a negative errno.
 */
int hung_beside(struct hung *h, int (*fn)(void *arg), void *arg);
/* The same beside the unit's removal, which lasts until the disk answers. */
int hung_remove(struct hung *h, int (*fn)(void *arg), void *arg);
/* Its disk. */
void hung_finish(struct hung *h);

#endif
