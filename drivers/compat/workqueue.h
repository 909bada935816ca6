/* SPDX-License-Identifier: GPL-2.0 */
/* The system's workqueues have other names since 6.17. */
#ifndef _VT_COMPAT_WORKQUEUE_H
#define _VT_COMPAT_WORKQUEUE_H

#include <linux/workqueue.h>

#include "compat.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define system_percpu_wq	system_wq
#define system_dfl_wq		system_unbound_wq
#endif

#endif
