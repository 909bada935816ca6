/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_PARTS_H
#define _SHIM_PARTS_H

/*
 * vhost_blk's requests that are longer are done in parts of so many bytes. It
 * is what it is in the kernel unless a test, whose machine is small, says
 * something else.
 */
extern unsigned long long shim_blk_whole;
extern unsigned long long shim_blk_part;

#define BLK_WHOLE	shim_blk_whole
#define BLK_PART	shim_blk_part

#endif
