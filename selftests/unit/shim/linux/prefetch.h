/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_PREFETCH_H
#define _SHIM_LINUX_PREFETCH_H

/* As x86's kernel has it: prefetchnta. */
#define prefetch(p)	__builtin_prefetch((p), 0, 0)

#endif
