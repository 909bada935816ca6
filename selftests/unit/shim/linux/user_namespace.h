/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_USER_NAMESPACE_H
#define _SHIM_LINUX_USER_NAMESPACE_H

struct user_namespace {
	int nr;
};

extern struct user_namespace init_user_ns;

#endif
