/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_ATOMIC_H
#define _SHIM_LINUX_ATOMIC_H

#include <linux/types.h>

#include "../hook.h"

/* What it was: others change it in shim_on_read(). */
static inline int atomic_read(const atomic_t *v)
{
	int now = v->counter;

	shim_call(shim_on_read);
	return now;
}

static inline void atomic_set(atomic_t *v, int i)
{
	v->counter = i;
}

static inline void atomic_or(int i, atomic_t *v)
{
	v->counter |= i;
}

static inline int atomic_fetch_andnot(int i, atomic_t *v)
{
	int old = v->counter;

	v->counter &= ~i;
	return old;
}

static inline void atomic_inc(atomic_t *v)
{
	v->counter++;
}

static inline bool atomic_dec_and_test(atomic_t *v)
{
	return !--v->counter;
}

static inline void atomic_dec(atomic_t *v)
{
	v->counter--;
}

static inline int atomic_inc_return(atomic_t *v)
{
	return ++v->counter;
}

static inline int atomic_cmpxchg(atomic_t *v, int old, int new)
{
	int was = v->counter;

	if (was == old)
		v->counter = new;
	return was;
}

static inline void atomic64_inc(atomic64_t *v)
{
	v->counter++;
}

static inline s64 atomic64_read(const atomic64_t *v)
{
	return v->counter;
}

static inline long atomic_long_read(const atomic_long_t *v)
{
	return v->counter;
}

static inline void atomic_long_set(atomic_long_t *v, long i)
{
	v->counter = i;
}

static inline void atomic_long_sub(long i, atomic_long_t *v)
{
	v->counter -= i;
}

#define xchg(p, v)			\
	({				\
		typeof(*(p)) was_ = *(p);	\
		*(p) = (v);		\
		was_;			\
	})

#define atomic_andnot(i, v)	((void)atomic_fetch_andnot((i), (v)))

#endif
