/* SPDX-License-Identifier: GPL-2.0 */
/* What was a number is a struct around one, and of no size without KCOV. */
#ifndef _VT_COMPAT_KCOV_H
#define _VT_COMPAT_KCOV_H

#include <linux/kcov.h>
#include <linux/string.h>

#include "compat.h"

static inline u64 vt_kcov_common_handle(void)
{
	typeof(kcov_common_handle()) id = kcov_common_handle();
	u64 val = 0;

	memcpy(&val, &id, sizeof(id));
	return val;
}

#endif
