// SPDX-License-Identifier: GPL-2.0
/*
 * Taking a door's device from its driver: see door_unbind.h.
 *
 * vhost_vdpa and VFIO wait until their nodes are closed. A work item does, so
 * that neither the caller nor those who wait for what he holds have to.
 */
#include <linux/export.h>

#include "../compat/workqueue.h"
#include "door_unbind.h"

static void unbind_work(struct work_struct *work)
{
	struct vt_unbind *u = container_of(work, struct vt_unbind, work);
	bool kept;

	device_release_driver(u->dev);
	mutex_lock(&u->lock);
	kept = u->kept;
	u->running = false;
	complete(&u->done);
	mutex_unlock(&u->lock);
	if (kept && device_attach(u->dev) < 0)
		dev_warn(u->dev, "no driver takes it again\n");
}

void vt_unbind_init(struct vt_unbind *u, struct device *dev)
{
	u->dev = dev;
	INIT_WORK(&u->work, unbind_work);
	mutex_init(&u->lock);
	u->running = false;
	u->kept = false;
	init_completion(&u->done);
}
EXPORT_SYMBOL_GPL(vt_unbind_init);

int vt_unbind(struct vt_unbind *u)
{
	int err = 0;

	mutex_lock(&u->lock);
	u->kept = false;
	if (!u->running) {
		u->running = true;
		reinit_completion(&u->done);
		queue_work(system_dfl_wq, &u->work);
	}
	mutex_unlock(&u->lock);

	wait_for_completion_timeout(&u->done, HZ);

	mutex_lock(&u->lock);
	if (u->running) {
		/* It goes on as if nothing was; a driver comes back later. */
		u->kept = true;
		err = -EBUSY;
	}
	mutex_unlock(&u->lock);
	if (!err)
		flush_work(&u->work);
	return err;
}
EXPORT_SYMBOL_GPL(vt_unbind);
