/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_CGROUP_H
#define _SHIM_LINUX_CGROUP_H

struct cgroup_subsys_state;

#endif
