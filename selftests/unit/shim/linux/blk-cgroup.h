/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BLK_CGROUP_H
#define _SHIM_LINUX_BLK_CGROUP_H

#include <linux/cgroup.h>

#endif
