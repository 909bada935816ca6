// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/fs.h>
#include <vhost_target/door_ioctl.h>
#include <vhost_target/nvme.h>

/* Nobody opens a file here. */

int vt_door_ioctl_open(struct vt_type *t, struct file *file)
{
	(void)t;
	(void)file;
	return -ENXIO;
}

int vt_door_ioctl_release(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return 0;
}

long vt_door_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	(void)file;
	(void)cmd;
	(void)arg;
	return -ENXIO;
}

int vt_door_nvme_open(struct vt_type *type, struct file *file)
{
	(void)type;
	(void)file;
	return -ENXIO;
}

int vt_door_nvme_release(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return 0;
}

long vt_door_nvme_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	(void)file;
	(void)cmd;
	(void)arg;
	return -ENXIO;
}

int vt_door_nvme_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	(void)vma;
	return -ENXIO;
}
