// SPDX-License-Identifier: GPL-2.0
/*
 * Units on one backend: the logical units of several targets, but one disk.
 * Task management that is about the tasks of all is about those of all units.
 */
#include <linux/slab.h>

#include "scsi.h"

static LIST_HEAD(disks);
static DEFINE_MUTEX(disks_lock);

static struct scsi_disk *disk_find(const struct vt_backend *be)
{
	struct scsi_disk *d;

	lockdep_assert_held(&disks_lock);
	list_for_each_entry(d, &disks, node)
		if (d->be == be)
			return d;
	return NULL;
}

static struct scsi_disk *disk_make(const struct vt_backend *be)
{
	struct scsi_disk *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);

	lockdep_assert_held(&disks_lock);
	if (!d)
		return NULL;
	d->be = be;
	mutex_init(&d->tmf_lock);
	INIT_LIST_HEAD(&d->units);
	list_add(&d->node, &disks);
	return d;
}

int scsi_disk_join(struct scsi_unit *su)
{
	struct scsi_disk *d;

	mutex_lock(&disks_lock);
	d = disk_find(su->lu.be) ?: disk_make(su->lu.be);
	if (d)
		d->nr_units++;
	mutex_unlock(&disks_lock);
	if (!d)
		return -ENOMEM;
	su->disk = d;
	mutex_lock(&d->tmf_lock);
	list_add_tail(&su->disk_node, &d->units);
	mutex_unlock(&d->tmf_lock);
	return 0;
}

void scsi_disk_leave(struct scsi_unit *su)
{
	struct scsi_disk *d = su->disk;

	mutex_lock(&d->tmf_lock);
	list_del(&su->disk_node);
	mutex_unlock(&d->tmf_lock);
	mutex_lock(&disks_lock);
	if (!--d->nr_units) {
		list_del(&d->node);
		mutex_destroy(&d->tmf_lock);
		kfree(d);
	}
	mutex_unlock(&disks_lock);
}
