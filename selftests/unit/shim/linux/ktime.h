/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_KTIME_H
#define _SHIM_LINUX_KTIME_H

#include <linux/types.h>

#define NSEC_PER_MSEC	1000000L

/* The test's. */
u64 shim_now(void);

#define ktime_get()	shim_now()
#define ktime_get_ns()	shim_now()
#define ktime_to_ms(t)	((t) / NSEC_PER_MSEC)

#endif
