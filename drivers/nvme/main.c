// SPDX-License-Identifier: GPL-2.0
/* vhost_nvme: NVMe targets. */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "ctrl.h"

struct workqueue_struct *nv_wq;
struct page *nv_sink;

/* Its file also compiles in user space. */
EXPORT_SYMBOL_GPL(vt_nvme_vectors);

static struct vt_type nvme_type = {
	.type		= VHOST_TARGET_NVME,
	.name		= "nvme",
	.owner		= THIS_MODULE,
	.max_units	= NV_MAX_NS,
	.hot_units	= true,
	.unit_init	= nv_unit_init,
	.unit_exit	= nv_unit_exit,
};

static int nvme_open(struct inode *inode, struct file *file)
{
	return vt_door_nvme_open(&nvme_type, file);
}

static const struct file_operations nvme_fops = {
	.owner		= THIS_MODULE,
	.open		= nvme_open,
	.release	= vt_door_nvme_release,
	.unlocked_ioctl	= vt_door_nvme_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= vt_door_nvme_mmap,
	.llseek		= noop_llseek,
};

static struct miscdevice nvme_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "vhost-nvme",
	.fops	= &nvme_fops,
	.mode	= 0660,
};

static int nvme_init_parts(void)
{
	/* Work that waits for guests' memory is not to hold up any other. */
	nv_wq = alloc_workqueue("vhost-nvme", WQ_UNBOUND, 0);
	if (!nv_wq)
		return -ENOMEM;
	nv_sink = alloc_page(GFP_KERNEL);
	if (nv_sink)
		return 0;
	destroy_workqueue(nv_wq);
	return -ENOMEM;
}

static void nvme_exit_parts(void)
{
	__free_page(nv_sink);
	destroy_workqueue(nv_wq);
}

static int __init vhost_nvme_init(void)
{
	int err = nvme_init_parts();

	if (err)
		return err;
	err = vt_type_register(&nvme_type);
	if (err)
		goto exit_parts;
	err = misc_register(&nvme_misc);
	if (err)
		goto unregister;
	return 0;
unregister:
	vt_type_unregister(&nvme_type);
exit_parts:
	nvme_exit_parts();
	return err;
}

static void __exit vhost_nvme_exit(void)
{
	misc_deregister(&nvme_misc);
	vt_type_unregister(&nvme_type);
	nvme_exit_parts();
}

module_init(vhost_nvme_init);
module_exit(vhost_nvme_exit);

MODULE_DESCRIPTION("NVMe targets for virtual machines");
MODULE_LICENSE("GPL");
MODULE_ALIAS("devname:vhost-nvme");
