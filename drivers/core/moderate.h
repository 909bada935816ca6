/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt moderation: when to tell the driver of what is done.
 *
 * A driver that goes on handing over requests does not wait for their results
 * yet, and an interrupt would only stop it. So results are held back as long
 * as requests keep coming, at the pace at which they came lately, and no
 * longer than the poller's patience (the time it polls in vain before it
 * sleeps). Once all is done that the driver had under way each time it paused
 * lately nothing more will come: it is told at once. A driver that waits for each
 * result never gives a reason to hold one back: each hold that gained nothing
 * counts against the next.
 */
#ifndef _VT_CORE_MODERATE_H
#define _VT_CORE_MODERATE_H

#include <linux/types.h>

struct vt_moderation;

/**
 * vt_moderate - are the results to be told now?
 * @m: state; zeroed at first
 * @now: time, ns
 * @came: requests that came in this pass
 * @done: results that the driver was not told of
 * @left: requests that are not done
 * @patience: longest hold, ns; 0: never hold
 */
bool vt_moderate(struct vt_moderation *m, u64 now, unsigned int came,
		 unsigned int done, unsigned int left, u64 patience);

#endif
