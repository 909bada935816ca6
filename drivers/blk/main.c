// SPDX-License-Identifier: GPL-2.0
/* vhost_blk: virtio-blk targets. */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/virtio_ids.h>

#include <vhost_target/door_ioctl.h>

#include "blk.h"

static unsigned int blk_num_vqs(struct vt_target *t)
{
	return t->num_queues;
}

static int blk_attach(struct vt_vdev *vdev)
{
	vdev->wce = blk_has_cache(blk_unit(vdev->s.target));
	return 0;
}

static const struct vt_vdev_ops blk_vdev_ops = {
	.device_id	= VIRTIO_ID_BLOCK,
	.config_size	= sizeof(struct virtio_blk_config),
	.features	= blk_features,
	.num_vqs	= blk_num_vqs,
	.attach		= blk_attach,
	.get_config	= blk_get_config,
	.set_config	= blk_set_config,
	.parse		= blk_parse,
	.complete	= blk_complete,
};

static struct vt_type blk_type = {
	.type		= VHOST_TARGET_BLK,
	.name		= "blk",
	.owner		= THIS_MODULE,
	.max_units	= 1,
	.vdev_ops	= &blk_vdev_ops,
};

static int blk_open(struct inode *inode, struct file *file)
{
	return vt_door_ioctl_open(&blk_type, file);
}

static const struct file_operations blk_fops = {
	.owner		= THIS_MODULE,
	.open		= blk_open,
	.release	= vt_door_ioctl_release,
	.unlocked_ioctl	= vt_door_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice blk_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "vhost-blk",
	.fops	= &blk_fops,
	.mode	= 0660,
};

static int __init vhost_blk_init(void)
{
	int err = vt_type_register(&blk_type);

	if (err)
		return err;
	err = misc_register(&blk_misc);
	if (err)
		vt_type_unregister(&blk_type);
	return err;
}

static void __exit vhost_blk_exit(void)
{
	misc_deregister(&blk_misc);
	vt_type_unregister(&blk_type);
}

module_init(vhost_blk_init);
module_exit(vhost_blk_exit);

MODULE_DESCRIPTION("virtio-blk targets for virtual machines");
MODULE_LICENSE("GPL");
MODULE_ALIAS("devname:vhost-blk");
