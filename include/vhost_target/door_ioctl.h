/* SPDX-License-Identifier: GPL-2.0 */
/* The ioctl door: a misc device per type with the classic vhost ABI. */
#ifndef _VHOST_TARGET_DOOR_IOCTL_H
#define _VHOST_TARGET_DOOR_IOCTL_H

#include <linux/fs.h>

struct vhost_memory;
struct vt_gmem_user;
struct vt_type;
struct vt_ioctl_door;

/**
 * vt_door_ioctl_open - a new session of the ioctl door
 * @type: targets it can be attached to
 * @file: the opened file; the door's from here on
 *
 * To be called by the open function of the type's misc device, whose other
 * functions are the ones below.
 *
 * Returns: 0 or -ENOMEM.
 */
int vt_door_ioctl_open(struct vt_type *type, struct file *file);

int vt_door_ioctl_release(struct inode *inode, struct file *file);
long vt_door_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/**
 * vt_door_set_owner - VHOST_SET_OWNER, for every ioctl door
 * @gu: the owner's memory, NULL until there is one
 * @sync: waits for the requests of the session
 * @sync_arg: its argument
 *
 * Context: may sleep; the door's lock is held.
 * Returns: 0, -EBUSY if there is an owner, -ENOMEM.
 */
long vt_door_set_owner(struct vt_gmem_user **gu, void (*sync)(void *arg),
		       void *sync_arg);

/* VHOST_SET_MEM_TABLE, for every ioctl door. */
long vt_door_set_mem_table(struct vt_gmem_user *gu,
			   const struct vhost_memory __user *argp);

/* Is it the owner who calls? */
bool vt_door_is_owner(const struct vt_gmem_user *gu);

#endif
