/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Size-first ioctls, by table. See "rules of every ioctl" in
 * <linux/vhost_target.h>.
 */
#ifndef _VHOST_TARGET_IOCTL_H
#define _VHOST_TARGET_IOCTL_H

#include <linux/stddef.h>
#include <linux/types.h>

/**
 * struct vt_ioctl - a call
 * @cmd: ioctl number
 * @size: bytes of the struct
 * @min_size: bytes of its first published version
 * @flags: flags it defines
 * @fn: does it; @arg is a kernel copy that is copied back, whatever @fn
 *	returns
 */
struct vt_ioctl {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	u32 flags;
	long (*fn)(void *ctx, void *arg);
};

#define VT_IOCTL(_cmd, _struct, _last, _flags, _fn) {		\
	.cmd = (_cmd),						\
	.size = sizeof(struct _struct),				\
	.min_size = offsetofend(struct _struct, _last),		\
	.flags = (_flags),					\
	.fn = (_fn),						\
}

/**
 * vt_ioctl_call - do a call of a table
 * @table: calls
 * @nr: entries
 * @ctx: for the functions
 * @cmd: ioctl number
 * @uarg: the caller's struct; starts with size and flags
 *
 * Context: may sleep.
 * Returns: -ENOTTY if the table has no such call, else what the call returns
 * or an error of the argument.
 */
long vt_ioctl_call(const struct vt_ioctl *table, unsigned int nr, void *ctx,
		   unsigned int cmd, void __user *uarg);

/**
 * vt_name_ok - is this a name?
 * @name: VHOST_TARGET_NAME_LEN bytes from user space
 */
bool vt_name_ok(const char *name);

int vt_ctl_init(void);
void vt_ctl_exit(void);

#endif
