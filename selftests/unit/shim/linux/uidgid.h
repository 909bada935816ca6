/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_UIDGID_H
#define _SHIM_LINUX_UIDGID_H

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

#define __kuid_val(uid)	((uid).val)

#endif
