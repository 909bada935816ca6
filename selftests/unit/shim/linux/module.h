/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MODULE_H
#define _SHIM_LINUX_MODULE_H

#include <linux/export.h>
#include <linux/kernel.h>
#include <sys/types.h>

struct module;

#define THIS_MODULE	((struct module *)NULL)

/* What insmod and rmmod would call. */
#define module_init(fn)		int shim_module_init(void) { return fn(); }
#define module_exit(fn)		void shim_module_exit(void) { fn(); }

int shim_module_init(void);
void shim_module_exit(void);

/* A test may change it. */
#define module_param(name, type, perm)	type *shim_param_##name = &name
#define MODULE_PARM_DESC(name, text)	_Static_assert(1, "")

#define MODULE_DESCRIPTION(text)	_Static_assert(1, "")
#define MODULE_LICENSE(text)		_Static_assert(1, "")
#define MODULE_ALIAS(text)		_Static_assert(1, "")

#endif
