/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_FS_H
#define _SHIM_LINUX_FS_H

#include <linux/types.h>

struct file;
struct inode;

struct kiocb { };

#endif
