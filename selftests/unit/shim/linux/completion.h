/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_COMPLETION_H
#define SHIM_LINUX_COMPLETION_H

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

static inline void complete_all(struct completion *c)
{
	c->done = true;
}

/* One thread: what is waited for must happen in shim_on_wait(). */
static inline void wait_for_completion(struct completion *c)
{
	if (!c->done)
		shim_call(shim_on_wait);
	assert(c->done);
}

#endif
