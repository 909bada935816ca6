/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_LOCKDEP_H
#define _SHIM_LINUX_LOCKDEP_H

#include "../must.h"

#define lockdep_assert(cond)	shim_assert(cond)
#define lockdep_assert_held(m)	shim_assert((m)->locked)

#endif
