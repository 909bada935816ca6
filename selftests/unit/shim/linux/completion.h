/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_COMPLETION_H
#define _SHIM_LINUX_COMPLETION_H

#include <assert.h>
#include <linux/types.h>
#include "../hook.h"

struct completion {
	bool done;
};

static inline void init_completion(struct completion *c)
{
	c->done = false;
}

#define reinit_completion(c)	init_completion(c)

static inline void complete_all(struct completion *c)
{
	c->done = true;
}

static inline void complete(struct completion *c)
{
	c->done = true;
}

/* One thread: what is waited for must happen in shim_on_wait(). */
static inline void wait_for_completion(struct completion *c)
{
	unsigned int waits = SHIM_WAITS;

	for (; !c->done && waits; waits--)
		shim_call(shim_on_wait);
	assert(c->done);
}

#define wait_for_completion_io(c)	wait_for_completion(c)

#endif
