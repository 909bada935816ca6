/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_CRC_T10DIF_H
#define _SHIM_LINUX_CRC_T10DIF_H

#include <linux/types.h>

static inline u16 crc_t10dif_update(u16 crc, const u8 *p, size_t len)
{
	int i;

	for (; len; len--) {
		crc ^= *p++ << 8;
		for (i = 0; i < 8; i++)
			crc = crc << 1 ^ (crc & 0x8000 ? 0x8bb7 : 0);
	}
	return crc;
}

#endif
