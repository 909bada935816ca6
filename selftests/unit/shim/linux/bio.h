/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BIO_H
#define _SHIM_LINUX_BIO_H

#include <linux/blk_types.h>

struct bio { };

#endif
