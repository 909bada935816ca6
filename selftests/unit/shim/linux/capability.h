/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_CAPABILITY_H
#define _SHIM_LINUX_CAPABILITY_H

#define CAP_SYS_RESOURCE	24

#define cap_raised(caps, cap)	((caps) >> (cap) & 1)

#endif
