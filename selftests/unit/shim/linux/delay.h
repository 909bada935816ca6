/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_DELAY_H
#define _SHIM_LINUX_DELAY_H

#include "../hook.h"

#define msleep(ms)	((void)(ms))
/* For what others do meanwhile. */
#define fsleep(us)	((void)(us), shim_call(shim_on_wait))

#endif
