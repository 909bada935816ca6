/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_RWSEM_H
#define _SHIM_LINUX_RWSEM_H

#include <assert.h>
#include <linux/types.h>

#include "../hook.h"

/* One thread: what would wait is a deadlock. -1: written. */
struct rw_semaphore {
	int users;
};

static inline void init_rwsem(struct rw_semaphore *s)
{
	s->users = 0;
}

static inline void down_read(struct rw_semaphore *s)
{
	if (shim_on_down_read)
		shim_on_down_read(s);
	assert(s->users >= 0);
	s->users++;
}

static inline void up_read(struct rw_semaphore *s)
{
	assert(s->users > 0);
	s->users--;
}

static inline void down_write(struct rw_semaphore *s)
{
	assert(!s->users);
	s->users = -1;
}

static inline bool down_write_trylock(struct rw_semaphore *s)
{
	if (s->users)
		return false;
	s->users = -1;
	return true;
}

static inline void up_write(struct rw_semaphore *s)
{
	assert(s->users == -1);
	s->users = 0;
}

#endif
