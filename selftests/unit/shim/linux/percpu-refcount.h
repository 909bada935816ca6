/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PERCPU_REFCOUNT_H
#define SHIM_LINUX_PERCPU_REFCOUNT_H

#include <assert.h>
#include <linux/types.h>

/* One thread. As the kernel's, it begins with a reference of its own. */
struct percpu_ref {
	unsigned long count;
	bool dead;
	void (*release)(struct percpu_ref *ref);
};

static inline int percpu_ref_init(struct percpu_ref *ref,
				  void (*release)(struct percpu_ref *ref),
				  unsigned int flags, gfp_t gfp)
{
	(void)flags;
	(void)gfp;
	ref->count = 1;
	ref->dead = false;
	ref->release = release;
	return 0;
}

static inline void percpu_ref_exit(struct percpu_ref *ref)
{
	assert(ref->count == !ref->dead);
}

static inline bool percpu_ref_tryget_live(struct percpu_ref *ref)
{
	ref->count += !ref->dead;
	return !ref->dead;
}

static inline void percpu_ref_put(struct percpu_ref *ref)
{
	assert(ref->count);
	if (!--ref->count)
		ref->release(ref);
}

static inline void percpu_ref_kill(struct percpu_ref *ref)
{
	assert(!ref->dead);
	ref->dead = true;
	percpu_ref_put(ref);
}

#endif
