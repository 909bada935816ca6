/* SPDX-License-Identifier: GPL-2.0 */
/* Taking a door's device from its driver, which waits for the VMM. */
#ifndef _VT_DOOR_UNBIND_H
#define _VT_DOOR_UNBIND_H

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

/**
 * struct vt_unbind - how a device is taken from its driver
 * @dev: the device
 * @work: does it
 * @lock: protects the two below
 * @running: @work runs
 * @kept: nobody waits for @done: bind a driver again
 * @done: completed when no driver has the device any more
 */
struct vt_unbind {
	struct device *dev;
	struct work_struct work;
	struct mutex lock;	/* see above */
	bool running;
	bool kept;
	struct completion done;
};

/* @dev holds @u, and is not freed before the last vt_unbind() gave 0. */
void vt_unbind_init(struct vt_unbind *u, struct device *dev);

/**
 * vt_unbind - take the device from its driver
 * @u: of the device
 *
 * A driver may wait for as long as a VMM has a node of the device open. After a
 * second of that the device is left to it, and is bound again once it is closed.
 *
 * Context: may sleep; not two at a time.
 * Returns: 0, no driver has it; -EBUSY, a VMM has it open.
 */
int vt_unbind(struct vt_unbind *u);

#endif
