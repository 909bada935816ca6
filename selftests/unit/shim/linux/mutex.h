/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MUTEX_H
#define _SHIM_LINUX_MUTEX_H

#include <assert.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/types.h>

#include "../hook.h"

/* One thread: taking it twice would be a deadlock. */
struct mutex {
	bool locked;
};

#define DEFINE_MUTEX(name)	struct mutex name

static inline void mutex_init(struct mutex *m)
{
	m->locked = false;
}

static inline bool mutex_is_locked(const struct mutex *m)
{
	return m->locked;
}

static inline void mutex_destroy(struct mutex *m)
{
	assert(!m->locked);
}

static inline void mutex_lock(struct mutex *m)
{
	if (shim_on_lock)
		shim_on_lock(m);
	assert(!m->locked);
	m->locked = true;
}

static inline bool mutex_trylock(struct mutex *m)
{
	if (m->locked)
		return false;
	m->locked = true;
	return true;
}

static inline void mutex_unlock(struct mutex *m)
{
	assert(m->locked);
	m->locked = false;
}

#endif
