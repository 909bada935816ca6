/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_JIFFIES_H
#define _SHIM_LINUX_JIFFIES_H

#define HZ	1000

/* They pass as a test has them pass. */
extern unsigned long shim_jiffies;
#define jiffies	shim_jiffies

#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)

#define msecs_to_jiffies(ms)	(ms)

#endif
