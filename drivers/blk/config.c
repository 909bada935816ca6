// SPDX-License-Identifier: GPL-2.0
/* virtio-blk features and configuration space: virtio 1.2, 5.2.3 to 5.2.5. */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "blk.h"

/* Ranges of one discard, write zeroes or secure erase request. */
#define BLK_MAX_RANGES	VT_MAX_RANGES

u64 blk_features(struct vt_target *t)
{
	struct vt_unit *u = blk_unit(t);
	const struct vt_limits *l;
	bool ro;
	u64 f;

	f = BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |
	    BIT_ULL(VIRTIO_BLK_F_GEOMETRY) | BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) |
	    BIT_ULL(VIRTIO_BLK_F_FLUSH) | BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) |
	    BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE) | BIT_ULL(VIRTIO_BLK_F_MQ);
	if (!u)
		return f;

	l = &u->be->limits;
	ro = blk_is_ro(u);
	if (ro)
		f |= BIT_ULL(VIRTIO_BLK_F_RO);
	if (!ro && l->max_discard_sectors &&
	    !(u->flags & VHOST_TARGET_UNIT_F_NO_DISCARD))
		f |= BIT_ULL(VIRTIO_BLK_F_DISCARD);
	if (!ro && l->max_write_zeroes_sectors)
		f |= BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);
	if (!ro && l->max_secure_erase_sectors)
		f |= BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE);
	return f;
}

/* The configuration space is little-endian: the device is not legacy. */

static __virtio16 blk_le16(u16 v)
{
	return (__force __virtio16)cpu_to_le16(v);
}

static __virtio32 blk_le32(u32 v)
{
	return (__force __virtio32)cpu_to_le32(v);
}

static __virtio64 blk_le64(u64 v)
{
	return (__force __virtio64)cpu_to_le64(v);
}

/* What PC firmware makes of a disk of this size; nothing else uses it. */
static void config_geometry(struct virtio_blk_config *c, u64 sectors)
{
	u64 cylinders = sectors >> 10;	/* 16 heads of 64 sectors */

	c->geometry.heads = 16;
	c->geometry.sectors = 64;
	c->geometry.cylinders = blk_le16(min_t(u64, cylinders, U16_MAX));
}

static void config_topology(struct virtio_blk_config *c,
			    const struct vt_limits *l)
{
	u32 bs = l->block_size;

	c->blk_size = blk_le32(bs);
	c->physical_block_exp = ilog2(l->physical_block_size / bs);
	c->alignment_offset = l->alignment_offset / bs;
	c->min_io_size = blk_le16(min_t(u32, l->io_min / bs, U16_MAX));
	c->opt_io_size = blk_le32(l->io_opt / bs);
}

static void config_ranges(struct virtio_blk_config *c,
			  const struct vt_limits *l)
{
	u32 may_unmap = l->max_discard_sectors != 0;

	c->max_discard_sectors = blk_le32(l->max_discard_sectors);
	c->max_discard_seg = blk_le32(BLK_MAX_RANGES);
	c->discard_sector_alignment = blk_le32(l->discard_alignment);
	c->max_write_zeroes_sectors = blk_le32(l->max_write_zeroes_sectors);
	c->max_write_zeroes_seg = blk_le32(BLK_MAX_RANGES);
	c->write_zeroes_may_unmap = may_unmap;
	c->max_secure_erase_sectors = blk_le32(l->max_secure_erase_sectors);
	c->max_secure_erase_seg = blk_le32(BLK_MAX_RANGES);
	/* Linux takes no disk where it is 0. */
	c->secure_erase_sector_alignment =
		blk_le32(l->secure_erase_alignment ?:
			 l->block_size >> SECTOR_SHIFT);
}

/* Without FLUSH the cache is off when the features are agreed on (5.2.5.2). */
static bool config_no_flush(const struct vt_vdev *vdev)
{
	return vt_vdev_has(vdev, VIRTIO_BLK_F_CONFIG_WCE) &&
	       !vt_vdev_has(vdev, VIRTIO_BLK_F_FLUSH);
}

/* It is read before a session, and with it a driver, is there. */
static bool config_wce(const struct vt_vdev *vdev, const struct vt_unit *u)
{
	return READ_ONCE(vdev->s.attached) ? READ_ONCE(vdev->wce) :
					     blk_has_cache(u);
}

void blk_get_config(struct vt_vdev *vdev, void *buf)
{
	struct vt_unit *u = blk_unit(vdev->s.target);
	struct virtio_blk_config c = {};
	const struct vt_limits *l;
	u64 sectors;

	if (!u)
		return;
	l = &u->be->limits;
	sectors = READ_ONCE(l->sectors);
	c.capacity = blk_le64(sectors);
	c.size_max = blk_le32(BLK_SIZE_MAX);
	c.seg_max = blk_le32(BLK_SEG_MAX);
	c.wce = config_wce(vdev, u) && !config_no_flush(vdev);
	c.num_queues = blk_le16(vdev->s.target->num_queues);
	config_geometry(&c, sectors);
	config_topology(&c, l);
	config_ranges(&c, l);
	memcpy(buf, &c, sizeof(c));
}

/*
 * Only the write cache can be set (5.2.5.2). QEMU's generic vDPA device writes
 * all of the space when its guest writes a byte: the rest is left alone then.
 */
int blk_set_config(struct vt_vdev *vdev, u32 off, const void *buf, u32 len)
{
	const u32 at = offsetof(struct virtio_blk_config, wce);
	bool all = !off && len == sizeof(struct virtio_blk_config);
	u8 wce;

	if (!all && (off != at || len != 1))
		return -EACCES;
	if (!vt_vdev_has(vdev, VIRTIO_BLK_F_CONFIG_WCE))
		return -EACCES;
	wce = ((const u8 *)buf)[at - off];
	if (wce > 1)
		return -EINVAL;
	WRITE_ONCE(vdev->wce, wce);
	return 0;
}
