/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_KERNEL_H
#define _SHIM_LINUX_KERNEL_H

#include "../must.h"
#include <limits.h>
#include <asm/barrier.h>
#include <stdio.h>
#include <linux/build_bug.h>
#include <linux/byteorder.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		(~0ULL)

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), d)

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define ALIGN(x, a)	(((x) + (a) - 1) & ~((typeof(x))(a) - 1))

#define swap(a, b)			\
	do {				\
		typeof(a) swap_ = (a);	\
		(a) = (b);		\
		(b) = swap_;		\
	} while (0)

#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
#define pr_warn(...)		((void)0)
#define WARN_ON_ONCE(cond)	({ shim_assert(!(cond)); false; })
#define WARN_ON(cond)		WARN_ON_ONCE(cond)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif
