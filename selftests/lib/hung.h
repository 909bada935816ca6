/* SPDX-License-Identifier: GPL-2.0 */
/* A unit whose disk answers nothing, and that is removed meanwhile. */
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
 * Remove it and run @fn beside that, which lasts until the disk answers again:
 * when @fn has returned, or after VT_PATIENCE. What @fn returned, or a
 * negative errno.
 */
int hung_remove(struct hung *h, int (*fn)(void *arg), void *arg);
/* Its disk. */
void hung_finish(struct hung *h);

#endif
