/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BLK_TYPES_H
#define _SHIM_LINUX_BLK_TYPES_H

#include <linux/types.h>

#define SECTOR_SHIFT	9
#define SECTOR_SIZE	(1 << SECTOR_SHIFT)

typedef u8 blk_status_t;

/* Values of the kernel; all that a backend may end an I/O with. */
#define BLK_STS_OK		0
#define BLK_STS_NOTSUPP		1
#define BLK_STS_TIMEOUT		2
#define BLK_STS_NOSPC		3
#define BLK_STS_TRANSPORT	4
#define BLK_STS_TARGET		5
#define BLK_STS_RESV_CONFLICT	6
#define BLK_STS_MEDIUM		7
#define BLK_STS_PROTECTION	8
#define BLK_STS_RESOURCE	9
#define BLK_STS_IOERR		10
#define BLK_STS_ZONE_OPEN_RESOURCE	14
#define BLK_STS_ZONE_ACTIVE_RESOURCE	15
#define BLK_STS_OFFLINE		16

struct page;

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

#endif
