// SPDX-License-Identifier: GPL-2.0
/*
 * The block device backend: one bio for each read, write and flush, embedded
 * in the request. Discards, write zeroes and secure erases go through the
 * block layer's own helpers in a work item, as those wait.
 *
 * Submission never waits, for a tag say: bios go down with REQ_NOWAIT where the
 * device knows it. What it turns away, and all that a device gets that does not
 * know it, or whose driver waits all the same, is submitted from a work item.
 *
 * Reads and writes of a polled backend go to the device's queues for polling,
 * those from a work item do not.
 */
#include <linux/blkdev.h>
#include <linux/blk-mq.h>
#include <linux/major.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <linux/vhost_target.h>
#include <vhost_target/backend.h>

#include "bdev_pi.h"
#include "charge.h"

static blk_opf_t bdev_opf(const struct vt_io *io)
{
	switch (io->op) {
	case VT_OP_READ:
		return REQ_OP_READ;
	case VT_OP_WRITE:
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE |
		       (io->flags & VT_IO_FUA ? REQ_FUA : 0);
	default:
		/* REQ_IDLE: it is not throttled as writeback is. */
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE | REQ_PREFLUSH;
	}
}

/*
 * Turned away for how it was submitted: may be tried in another way. A table of
 * device mapper's may have lost REQ_NOWAIT since we looked.
 */
static bool bdev_again(blk_opf_t opf, blk_status_t status)
{
	return (status == BLK_STS_AGAIN && opf & REQ_NOWAIT) ||
	       (status == BLK_STS_NOTSUPP && opf & (REQ_NOWAIT | REQ_POLLED));
}

static void be_end_io(struct bio *bio)
{
	struct vt_io *io = container_of(bio, struct vt_io, bio);
	blk_status_t status = bio->bi_status;
	blk_opf_t opf = bio->bi_opf;

	if (unlikely(io->pi))
		vt_bdev_pi_detach(io);
	bio_uninit(bio);
	if (unlikely(status && bdev_again(opf, status))) {
		vt_io_late(io);
		return;
	}
	if (unlikely(io->pi) && vt_bdev_pi_ended(io, status))
		return;
	vt_io_end(io, status);
}

static void bdev_submit_bio(struct vt_io *io, blk_opf_t flags)
{
	struct block_device *bdev = io->be->bdev;
	struct bio *bio = &io->bio;

	bio_init(bio, bdev, io->bv, io->nr_bv, bdev_opf(io) | flags);
	vt_bio_charge(bio, io->css);
	if (io->op != VT_OP_FLUSH) {
		bio->bi_iter.bi_sector = io->sector;
		bio->bi_iter.bi_size = io->bytes;
		bio->bi_vcnt = io->nr_bv;
	}
	bio->bi_end_io = be_end_io;
	if (unlikely(io->pi)) {
		bio->bi_status = vt_bdev_pi_attach(io);
		if (bio->bi_status) {
			bio_endio(bio);
			return;
		}
	}
	submit_bio(bio);
}

static void bdev_submit_late(struct vt_io *io)
{
	bdev_submit_bio(io, 0);
}

static int bdev_do_range(struct vt_io *io, const struct vt_range *r)
{
	struct block_device *bdev = io->be->bdev;

	switch (io->op) {
	case VT_OP_DISCARD:
		return blkdev_issue_discard(bdev, r->sector, r->nr_sectors,
					    GFP_NOIO);
	case VT_OP_SECURE_ERASE:
		return blkdev_issue_secure_erase(bdev, r->sector,
						 r->nr_sectors, GFP_NOIO);
	default:
		return blkdev_issue_zeroout(bdev, r->sector, r->nr_sectors,
					    GFP_NOIO,
					    r->flags & VT_RANGE_UNMAP ? 0 :
					    BLKDEV_ZERO_NOUNMAP);
	}
}

static void bdev_ranges_work(struct work_struct *work)
{
	struct vt_io *io = container_of(work, struct vt_io, work);
	unsigned int i;
	int err = 0;

	vt_charge_begin(io->css);
	for (i = 0; i < io->nr_ranges && !err; i++)
		err = bdev_do_range(io, &io->range[i]);
	if (!err && io->flags & VT_IO_FUA)
		err = blkdev_issue_flush(io->be->bdev);
	vt_charge_end();
	vt_io_end(io, errno_to_blk_status(err));
}

/*
 * REQ_NOWAIT is kept by the block layer, not by drivers: nbd waits until its server
 * reads, for ever if need be. Others that may sleep (BLK_MQ_F_BLOCKING) do so for
 * memory or a lock, and are not worth a work item for each I/O.
 */
static bool bdev_sleeps(struct block_device *bdev)
{
	return bdev->bd_disk->major == NBD_MAJOR;
}

/* What stands on other devices forgets it when it sends flushes on to them. */
static bool bdev_may_nowait(const struct vt_io *io)
{
	struct block_device *bdev = io->be->bdev;

	if (unlikely(io->be->sleeps))
		return false;
	if (io->op == VT_OP_FLUSH && !queue_is_mq(bdev_get_queue(bdev)))
		return false;
	return bdev_nowait(bdev);
}

/* A reset of the device can take its queues for polling away. */
static bool bdev_may_poll(struct block_device *bdev)
{
	struct request_queue *q = bdev_get_queue(bdev);

	/* Others have layers below, which keep state in the bio that ends. */
	return queue_is_mq(q) && q->limits.features & BLK_FEAT_POLL;
}

static blk_opf_t bdev_polled(struct vt_io *io)
{
	if (io->op > VT_OP_WRITE || io->pi || !bdev_may_poll(io->be->bdev))
		return 0;
	io->flags |= VT_IO_POLLED;
	return REQ_POLLED;
}

/*
 * Looks at the bio only for its device and the queue it went to: if it has ended,
 * or is submitted again at this moment, it was the same device.
 */
static void bdev_poll(struct vt_io *io)
{
	DEFINE_IO_COMP_BATCH(iob);

	bio_poll(&io->bio, &iob, BLK_POLL_ONESHOT);
	if (iob.complete)
		iob.complete(&iob);
}

/* The block layer only warns of writes to a device that was made read-only. */
static bool bdev_refuses(const struct vt_io *io)
{
	return io->op != VT_OP_READ && io->op != VT_OP_FLUSH &&
	       bdev_read_only(io->be->bdev);
}

void vt_bdev_submit(struct vt_io *io)
{
	bool polled = io->flags & VT_IO_POLLED;
	blk_status_t status;

	io->flags &= ~VT_IO_POLLED;
	if (unlikely(READ_ONCE(io->be->dead))) {
		vt_io_end(io, BLK_STS_OFFLINE);
		return;
	}
	if (unlikely(bdev_refuses(io))) {
		vt_io_end(io, BLK_STS_IOERR);
		return;
	}
	if (io->op > VT_OP_FLUSH) {
		vt_io_punt(io, bdev_ranges_work);
		return;
	}
	if (unlikely(io->pi)) {
		status = vt_bdev_pi_check(io);
		if (status) {
			vt_io_end(io, status);
			return;
		}
	}
	if (unlikely(!bdev_may_nowait(io))) {
		vt_io_late(io);
		return;
	}
	bdev_submit_bio(io, REQ_NOWAIT | (polled ? bdev_polled(io) : 0));
}
EXPORT_SYMBOL_GPL(vt_bdev_submit);

/* The disk's; they are a partition's only if it starts at one. */
static u32 bdev_boundary(struct block_device *bdev)
{
	u32 chunk = bdev_get_queue(bdev)->limits.chunk_sectors, rest = 0;

	if (chunk)
		div_u64_rem(bdev->bd_start_sect, chunk, &rest);
	return rest ? 0 : chunk;
}

/* A physical block is what a device can write atomically. */
static u32 bdev_atomic_bytes(struct block_device *bdev)
{
	int off = bdev_alignment_offset(bdev);

	if (off < 0 || off & (bdev_logical_block_size(bdev) - 1))
		return 0;
	return bdev_physical_block_size(bdev);
}

#ifdef CONFIG_BLK_DEV_ZONED
/* Zones that are not all usable are NVMe's: SCSI has no word for them. */
static int bdev_read_zones(struct vt_backend *be)
{
	struct block_device *bdev = be->bdev;
	struct vt_limits *l = &be->limits;
	u32 usable;

	if (!bdev_is_zoned(bdev))
		return 0;
	l->zone_sectors = bdev_zone_sectors(bdev);
	l->max_open_zones = bdev_max_open_zones(bdev);
	usable = bdev->bd_disk->zone_capacity;
	return !usable || usable == l->zone_sectors ? 0 : -EOPNOTSUPP;
}
#else
static int bdev_read_zones(struct vt_backend *be)
{
	return 0;
}
#endif

static void bdev_read_limits(struct vt_backend *be)
{
	struct block_device *bdev = be->bdev;
	struct vt_limits *l = &be->limits;

	l->block_size = bdev_logical_block_size(bdev);
	l->physical_block_size = bdev_physical_block_size(bdev);
	l->io_min = bdev_io_min(bdev);
	l->io_opt = bdev_io_opt(bdev);
	l->io_boundary = bdev_boundary(bdev);
	l->atomic_bytes = bdev_atomic_bytes(bdev);
	l->alignment_offset = max(bdev_alignment_offset(bdev), 0);
	l->dma_mask = bdev_dma_alignment(bdev);
	l->max_discard_sectors = bdev_max_discard_sectors(bdev);
	l->discard_alignment = bdev_discard_granularity(bdev) >> SECTOR_SHIFT;
	/* Where the device cannot, the block layer writes zeroes. */
	l->max_write_zeroes_sectors = bdev_write_zeroes_sectors(bdev) ?:
				      SZ_32M >> SECTOR_SHIFT;
	l->max_secure_erase_sectors = bdev_max_secure_erase_sectors(bdev);
	l->secure_erase_alignment = l->discard_alignment;
	l->write_cache = bdev_write_cache(bdev);
	l->ro |= bdev_read_only(bdev);
	WRITE_ONCE(l->sectors, bdev_nr_sectors(bdev));
	vt_bdev_pi_limits(be);
}

static void holder_mark_dead(struct block_device *bdev, bool surprise)
{
	struct vt_backend *be = bdev->bd_holder;

	/* The holder cannot go while its lock is held. */
	lockdep_assert_held(&bdev->bd_holder_lock);
	vt_backend_died(be);
	mutex_unlock(&bdev->bd_holder_lock);
}

/* Data goes past the page cache: there is nothing to be written back. */
static void holder_sync(struct block_device *bdev)
{
	mutex_unlock(&bdev->bd_holder_lock);
}

static int holder_freeze(struct block_device *bdev)
{
	mutex_unlock(&bdev->bd_holder_lock);
	return 0;
}

static const struct blk_holder_ops bdev_holder_ops = {
	.mark_dead	= holder_mark_dead,
	.sync		= holder_sync,
	.freeze		= holder_freeze,
	.thaw		= holder_freeze,
};

/* What is open must be what was asked for, and be of use. */
static int bdev_check(const struct vt_backend *be,
		      const struct vt_backend_spec *spec)
{
	const struct vt_limits *l = &be->limits;

	if (spec->polled && !bdev_may_poll(be->bdev))
		return -EOPNOTSUPP;
	if (spec->block_size && spec->block_size != l->block_size)
		return -ERANGE;
	if (!spec->ro && bdev_read_only(be->bdev))
		return -EROFS;
	return l->sectors ? 0 : -ERANGE;
}

static int bdev_open(struct vt_backend *be, const struct vt_backend_spec *spec)
{
	blk_mode_t mode = BLK_OPEN_READ | (spec->ro ? 0 : BLK_OPEN_WRITE);
	struct file *file;
	int err;

	file = bdev_file_open_by_path(spec->path, mode, be, &bdev_holder_ops);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		/* A read-only device says EACCES to a writer. */
		return err == -EACCES && !spec->ro ? -EROFS : err;
	}
	be->file = file;
	be->bdev = file_bdev(file);
	be->sleeps = bdev_sleeps(be->bdev);
	be->limits.ro = spec->ro;
	be->limits.polled = spec->polled;
	bdev_read_limits(be);
	err = bdev_check(be, spec) ?: bdev_read_zones(be);
	if (err)
		bdev_fput(file);
	return err;
}

static void bdev_close(struct vt_backend *be)
{
	bdev_fput(be->file);
	be->file = NULL;
	be->bdev = NULL;
}

static int bdev_refresh(struct vt_backend *be, u64 capacity)
{
	u64 sectors = bdev_nr_sectors(be->bdev);

	if (capacity)
		return -EOPNOTSUPP;
	if (READ_ONCE(be->dead))
		return -ENXIO;
	/* No device type has a word for it: the old size stays, with errors. */
	if (!sectors)
		return -ERANGE;
	WRITE_ONCE(be->limits.sectors, sectors);
	return 0;
}

static bool bdev_is(const struct vt_backend *be, const char *path)
{
	dev_t dev;

	return !lookup_bdev(path, &dev) && dev == be->bdev->bd_dev;
}

/* A volume of device mapper's says what the disk below it is, as others there do. */
static bool bdev_is_volume(const struct gendisk *disk)
{
	return !strncmp(disk->disk_name, "dm-", 3);
}

/* What the device says it is. */
static int bdev_unique_id(struct gendisk *disk, u8 *id)
{
	static const enum blk_unique_id types[] = {
		BLK_UID_NAA, BLK_UID_EUI64, BLK_UID_T10,
	};
	unsigned int i;
	int len;

	if (!disk->fops->get_unique_id || bdev_is_volume(disk))
		return 0;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		len = disk->fops->get_unique_id(disk, id, types[i]);
		if (len > 0)
			return len;
	}
	return 0;
}

/* A device that does not say is what stands at its path. */
static int bdev_ident(const struct vt_backend *be, char *buf, size_t len)
{
	u8 id[16];
	int n = bdev_unique_id(be->bdev->bd_disk, id);

	if (n)
		n = snprintf(buf, len, "id %*phN part %u", n, id,
			     bdev_partno(be->bdev));
	else
		n = snprintf(buf, len, "path %s", be->path);
	return n < len ? 0 : -ENAMETOOLONG;
}

const struct vt_backend_ops vt_backend_bdev_ops = {
	.type		= VHOST_TARGET_BACKEND_BDEV,
	.open		= bdev_open,
	.close		= bdev_close,
	.submit		= vt_bdev_submit,
	.submit_late	= bdev_submit_late,
	.poll		= bdev_poll,
	.refresh	= bdev_refresh,
	.is		= bdev_is,
	.ident		= bdev_ident,
};
