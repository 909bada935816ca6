/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_INDIRECT_CALL_WRAPPER_H
#define _SHIM_LINUX_INDIRECT_CALL_WRAPPER_H

#include <linux/compiler.h>

#ifdef CONFIG_MITIGATION_RETPOLINE
#define INDIRECT_CALL_1(f, f1, ...)				\
	({							\
		typeof(f) fn_1 = (f);				\
								\
		likely(fn_1 == f1) ? f1(__VA_ARGS__) :		\
				     fn_1(__VA_ARGS__);		\
	})
#define INDIRECT_CALL_2(f, f2, f1, ...)				\
	({							\
		typeof(f) fn_2 = (f);				\
								\
		likely(fn_2 == f2) ? f2(__VA_ARGS__) :		\
			INDIRECT_CALL_1(fn_2, f1, __VA_ARGS__);	\
	})
#else
#define INDIRECT_CALL_1(f, f1, ...)	((f)(__VA_ARGS__))
#define INDIRECT_CALL_2(f, f2, f1, ...)	((f)(__VA_ARGS__))
#endif

#endif
