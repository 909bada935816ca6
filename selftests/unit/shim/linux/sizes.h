/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SIZES_H
#define _SHIM_LINUX_SIZES_H

#define SZ_64K		0x10000
#define SZ_4M	0x400000
#define SZ_16M		0x1000000
#define SZ_32M		0x02000000

#endif
