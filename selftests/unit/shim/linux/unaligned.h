/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_UNALIGNED_H
#define _SHIM_LINUX_UNALIGNED_H

#include <string.h>
#include <linux/byteorder.h>
#include <linux/types.h>

static inline u64 shim_get_be(const u8 *p, unsigned int n)
{
	u64 v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static inline void shim_put_be(u64 v, u8 *p, unsigned int n)
{
	while (n--) {
		p[n] = v;
		v >>= 8;
	}
}

#define get_unaligned_be16(p)		((u16)shim_get_be((p), 2))
#define get_unaligned_be24(p)		((u32)shim_get_be((p), 3))
#define get_unaligned_be32(p)		((u32)shim_get_be((p), 4))
#define get_unaligned_be64(p)		shim_get_be((p), 8)
#define put_unaligned_be16(v, p)	shim_put_be((v), (p), 2)
#define put_unaligned_be24(v, p)	shim_put_be((v), (p), 3)
#define put_unaligned_be32(v, p)	shim_put_be((v), (p), 4)
#define put_unaligned_be64(v, p)	shim_put_be((v), (p), 8)

static inline void put_unaligned_le16(u16 v, void *p)
{
	memcpy(p, &(__le16){ cpu_to_le16(v) }, 2);
}

#endif
