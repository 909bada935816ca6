// SPDX-License-Identifier: GPL-2.0
/* virtio-scsi features and configuration space: virtio 1.2, 5.6.3 and 5.6.4. */
#include <linux/kernel.h>
#include <linux/string.h>

#include "scsi.h"

u64 scsi_features(struct vt_target *t)
{
	return BIT_ULL(VIRTIO_SCSI_F_INOUT) | BIT_ULL(VIRTIO_SCSI_F_HOTPLUG) |
	       BIT_ULL(VIRTIO_SCSI_F_CHANGE) | BIT_ULL(VIRTIO_SCSI_F_T10_PI);
}

/* The configuration space is little-endian: the device is not legacy. */

static __virtio16 scsi_le16(u16 v)
{
	return (__force __virtio16)cpu_to_le16(v);
}

static __virtio32 scsi_le32(u32 v)
{
	return (__force __virtio32)cpu_to_le32(v);
}

static u32 scsi_from_le32(__virtio32 v)
{
	return le32_to_cpu((__force __le32)v);
}

/* It is read before a session, and with it a driver, is there. */
static u32 config_sense_size(const struct vt_vdev *vdev)
{
	return READ_ONCE(vdev->sense_size) ?: VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
}

static u32 config_cdb_size(const struct vt_vdev *vdev)
{
	return READ_ONCE(vdev->cdb_size) ?: VIRTIO_SCSI_CDB_DEFAULT_SIZE;
}

static void config_fill(struct vt_vdev *vdev, struct virtio_scsi_config *c)
{
	struct vt_target *t = vdev->s.target;

	*c = (struct virtio_scsi_config) {
		.num_queues = scsi_le32(t->num_queues),
		.seg_max = scsi_le32(SCSI_SEG_MAX),
		.max_sectors = scsi_le32(SCSI_MAX_SECTORS),
		.cmd_per_lun = scsi_le32(t->queue_size),
		.event_info_size = scsi_le32(sizeof(struct virtio_scsi_event)),
		.sense_size = scsi_le32(config_sense_size(vdev)),
		.cdb_size = scsi_le32(config_cdb_size(vdev)),
		.max_channel = scsi_le16(0),
		.max_target = scsi_le16(0),
		.max_lun = scsi_le32(SCSI_LUN_MAX),
	};
}

void scsi_get_config(struct vt_vdev *vdev, void *buf)
{
	struct virtio_scsi_config c;

	config_fill(vdev, &c);
	memcpy(buf, &c, sizeof(c));
}

/*
 * Only sense_size and cdb_size can be set. VMMs write all of the space for
 * one field of it: what else is written is left alone.
 */
int scsi_set_config(struct vt_vdev *vdev, u32 off, const void *buf, u32 len)
{
	struct virtio_scsi_config c;
	u32 sense_size, cdb_size;

	config_fill(vdev, &c);
	memcpy((u8 *)&c + off, buf, len);
	sense_size = scsi_from_le32(c.sense_size);
	cdb_size = scsi_from_le32(c.cdb_size);
	if (!sense_size || !cdb_size)
		return -EINVAL;
	WRITE_ONCE(vdev->sense_size, sense_size);
	WRITE_ONCE(vdev->cdb_size, cdb_size);
	return 0;
}
