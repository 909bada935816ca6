/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_CRED_H
#define _SHIM_LINUX_CRED_H

struct cred;

#endif
