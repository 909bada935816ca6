// SPDX-License-Identifier: GPL-2.0
/*
 * The bus of the VFIO door. VFIO wants a device with a driver below each of
 * its own: /sys/devices/vhost-nvme/NAME is the one of target NAME, and what
 * VMMs name to attach. Unbinding the driver takes the device back from the VMM
 * (which is asked, and unplugs it), binding it gives it away again.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <vhost_target/target.h>

#include "door_unbind.h"
#include "door_vfio.h"

/**
 * struct bus_dev - a target's device on the bus
 * @dev: the device
 * @t: target
 * @unbind: takes it from its driver
 * @err: how its probe ended
 */
struct bus_dev {
	struct device dev;
	struct vt_target *t;
	struct vt_unbind unbind;
	int err;
};

static struct device *bus_root;

static struct bus_dev *to_bus_dev(struct device *dev)
{
	return container_of(dev, struct bus_dev, dev);
}

static int vb_probe(struct device *dev)
{
	struct bus_dev *b = to_bus_dev(dev);
	struct door_vfio *d = door_vfio_create(dev, b->t);

	b->err = PTR_ERR_OR_ZERO(d);
	if (!b->err)
		dev_set_drvdata(dev, d);
	return b->err;
}

static void vb_remove(struct device *dev)
{
	door_vfio_destroy(dev_get_drvdata(dev));
}

static const struct bus_type vb_bus = {
	.name	= "vhost-nvme",
	.probe	= vb_probe,
	.remove	= vb_remove,
};

static struct device_driver vb_driver = {
	.name	= "vhost_target_vfio",
	.bus	= &vb_bus,
	.owner	= THIS_MODULE,
};

static void bus_dev_release(struct device *dev)
{
	kfree(to_bus_dev(dev));
}

/* The target has its first unit: device_add() binds the driver. */
static int vb_up(struct vt_target *t)
{
	struct bus_dev *b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	int err;

	if (!b)
		return -ENOMEM;
	b->t = t;
	b->dev.bus = &vb_bus;
	b->dev.parent = bus_root;
	b->dev.release = bus_dev_release;
	device_initialize(&b->dev);
	vt_unbind_init(&b->unbind, &b->dev);
	err = dev_set_name(&b->dev, "%s", t->name);
	if (!err)
		err = device_add(&b->dev);
	if (!err && b->err) {
		err = b->err;
		device_del(&b->dev);
	}
	if (err) {
		put_device(&b->dev);
		return err;
	}
	mutex_lock(&t->lock);
	WRITE_ONCE(t->door_priv, b);
	mutex_unlock(&t->lock);
	return 0;
}

/*
 * Nobody has the device open, and nobody can any more: attaching is refused. But
 * a VMM may have the node by which it comes to iommufd, which VFIO waits for.
 */
static int vb_down(struct vt_target *t)
{
	struct bus_dev *b = t->door_priv;
	int err = vt_unbind(&b->unbind);

	if (err)
		return err;
	mutex_lock(&t->lock);
	t->door_priv = NULL;
	mutex_unlock(&t->lock);
	device_unregister(&b->dev);
	return 0;
}

static struct vt_door vb_door = {
	.flag	= VHOST_TARGET_F_VFIO,
	.owner	= THIS_MODULE,
	.up	= vb_up,
	.down	= vb_down,
};

static int __init door_vfio_init(void)
{
	int err = bus_register(&vb_bus);

	if (err)
		return err;
	bus_root = root_device_register("vhost-nvme");
	err = PTR_ERR_OR_ZERO(bus_root);
	if (err)
		goto bus;
	err = driver_register(&vb_driver);
	if (err)
		goto root;
	err = vt_door_register(&vb_door);
	if (!err)
		return 0;
	driver_unregister(&vb_driver);
root:
	root_device_unregister(bus_root);
bus:
	bus_unregister(&vb_bus);
	return err;
}

static void __exit door_vfio_exit(void)
{
	vt_door_unregister(&vb_door);
	driver_unregister(&vb_driver);
	root_device_unregister(bus_root);
	bus_unregister(&vb_bus);
	/* A task that has ended its ban may be on its way out of ban_task_work(). */
	synchronize_rcu_tasks();
}

module_init(door_vfio_init);
module_exit(door_vfio_exit);

MODULE_DESCRIPTION("VFIO devices of the in-kernel storage targets");
MODULE_LICENSE("GPL");
