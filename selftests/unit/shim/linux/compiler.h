/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_COMPILER_H
#define _SHIM_LINUX_COMPILER_H

#include <linux/types.h>
#include "../hook.h"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define __uninitialized

#define READ_ONCE(x)							\
	({								\
		typeof(x) once_ = *(const volatile typeof(x) *)&(x);	\
		shim_call(shim_on_read);				\
		once_;							\
	})

#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))

#endif
