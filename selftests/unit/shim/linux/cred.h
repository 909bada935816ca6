/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_CRED_H
#define _SHIM_LINUX_CRED_H

#include <linux/uidgid.h>

struct user_namespace;

struct cred {
	kuid_t euid;
	unsigned long cap_effective;
	struct user_namespace *user_ns;
};

extern const struct cred shim_cred;

#define current_cred()	(&shim_cred)

#endif
