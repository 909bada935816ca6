/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_ASM_BARRIER_H
#define _SHIM_ASM_BARRIER_H

#include <linux/compiler.h>

#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb()					\
	do {						\
		__atomic_thread_fence(__ATOMIC_SEQ_CST); \
		shim_call(shim_on_mb);			\
	} while (0)

#define smp_load_acquire(p)				\
	({						\
		typeof(*(p)) val_ = READ_ONCE(*(p));	\
		smp_rmb();				\
		val_;					\
	})

#define smp_store_release(p, v)				\
	do {						\
		smp_wmb();				\
		WRITE_ONCE(*(p), v);			\
	} while (0)

#endif
