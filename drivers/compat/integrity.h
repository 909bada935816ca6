/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Integrity profiles and payloads: 6.14 turned "do not check" into "check",
 * 6.17 renamed the bytes of an interval's metadata.
 */
#ifndef _VT_COMPAT_INTEGRITY_H
#define _VT_COMPAT_INTEGRITY_H

#include <linux/blk-integrity.h>

#include "compat.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
static inline unsigned int vt_integrity_bytes(const struct blk_integrity *bi)
{
	return bi->metadata_size;
}
#else
static inline unsigned int vt_integrity_bytes(const struct blk_integrity *bi)
{
	return bi->tuple_size;
}
#endif

/* Flags of a payload that controller and disk are to check, or are not. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
static inline unsigned short vt_bip_flags(bool check, bool ref_tag)
{
	if (!check)
		return BIP_DISK_NOCHECK;
	return BIP_CHECK_GUARD | (ref_tag ? BIP_CHECK_REFTAG : 0);
}
#else
static inline unsigned short vt_bip_flags(bool check, bool ref_tag)
{
	return check ? 0 : BIP_CTRL_NOCHECK | BIP_DISK_NOCHECK;
}
#endif

#endif
