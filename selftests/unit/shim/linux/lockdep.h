/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_LOCKDEP_H
#define _SHIM_LINUX_LOCKDEP_H

#include <assert.h>

#define lockdep_assert(cond)	assert(cond)
#define lockdep_assert_held(m)	assert((m)->locked)

#endif
