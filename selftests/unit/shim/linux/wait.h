/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_WAIT_H
#define _SHIM_LINUX_WAIT_H

#include "../must.h"
#include <linux/types.h>
#include "../hook.h"

typedef struct { } wait_queue_head_t;

#define wake_up_all(wq)	((void)(wq))
#define init_waitqueue_head(wq)	((void)(wq))

/*
 * One thread: what is waited for must happen in shim_on_wait(), of which a
 * few calls must be enough.
 */
#define wait_event(wq, cond)						\
	do {								\
		unsigned int waits_ = SHIM_WAITS;			\
									\
		(void)(wq);						\
		for (; !(cond) && waits_; waits_--) {			\
			shim_assert(shim_on_wait);			\
			shim_on_wait();					\
		}							\
		shim_assert(cond);					\
	} while (0)

#endif
