/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BITOPS_H
#define _SHIM_LINUX_BITOPS_H

#define __ffs(x)	((unsigned int)__builtin_ctzl(x))
#define __fls(x)	((unsigned int)(63 - __builtin_clzl(x)))

#endif
