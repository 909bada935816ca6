/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that differs between the kernels this tree builds for: 6.12 (Debian 13)
 * to 7.2 (Debian forky). Nothing else in the tree looks at a kernel version.
 */
#ifndef _VT_COMPAT_H
#define _VT_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "Linux 6.12 or later is needed"
#endif

#endif
