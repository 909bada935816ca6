/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_FS_H
#define _SHIM_LINUX_FS_H

#include <linux/types.h>

struct file;
struct vm_area_struct;

struct block_device;

struct super_block {
	struct block_device *s_bdev;
};

struct inode {
	struct super_block *i_sb;
};

#define file_inode(file)	((struct inode *)(file))

struct kiocb { };

struct file_operations {
	void *owner;
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd,
			       unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd,
			     unsigned long arg);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	void *llseek;
};

#define compat_ptr_ioctl	NULL
#define noop_llseek		NULL

#endif
