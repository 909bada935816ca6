// SPDX-License-Identifier: GPL-2.0
/* Synchronous I/O of work items: a vt_io on the stack, waited for. */
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/mm.h>

#include <linux/vhost_target.h>

#include "cmd.h"

struct be_io {
	struct vt_io io;
	struct completion done;
	struct bio_vec bv;
};

static void be_done(struct vt_io *io)
{
	complete(&container_of(io, struct be_io, io)->done);
}

static blk_status_t be_submit(struct scsi_task *task, struct be_io *b,
			      enum vt_op op)
{
	b->io.be = scsi_lu_be(task->itl->lu);
	b->io.css = task->nexus->css;
	b->io.op = op;
	b->io.done = be_done;
	init_completion(&b->done);
	vt_io_submit(&b->io);
	wait_for_completion_io(&b->done);
	vt_io_forget(&b->io);
	return b->io.status;
}

/* The buffer is of scsi_buf_get(): physically one piece. */
static blk_status_t be_rw(struct scsi_task *task, enum vt_op op, u64 sector,
			  void *buf, u32 bytes, u8 io_flags, struct vt_pi *pi)
{
	struct be_io b = {
		.io = {
			.sector = sector,
			.bytes = bytes,
			.bv = &b.bv,
			.nr_bv = 1,
			.flags = io_flags,
			.pi = pi,
		},
	};

	bvec_set_virt(&b.bv, buf, bytes);
	return be_submit(task, &b, op);
}

blk_status_t scsi_be_read(struct scsi_task *task, u64 sector, void *buf,
			  u32 bytes)
{
	return be_rw(task, VT_OP_READ, sector, buf, bytes, 0, NULL);
}

blk_status_t scsi_be_write(struct scsi_task *task, u64 sector, void *buf,
			   u32 bytes, u8 io_flags)
{
	return be_rw(task, VT_OP_WRITE, sector, buf, bytes, io_flags, NULL);
}

blk_status_t scsi_be_pi(struct scsi_task *task, enum vt_op op, u64 sector,
			void *buf, u32 bytes, u8 io_flags,
			struct vt_pi_tuple *tuple)
{
	struct vt_pi *pi = vt_pi_alloc(scsi_lu_be(task->itl->lu), sector, bytes,
				       GFP_NOIO);
	blk_status_t status;

	if (!pi)
		return BLK_STS_RESOURCE;
	pi->check = false;
	if (op == VT_OP_WRITE)
		memcpy(pi->tuple, tuple, pi->nr * VT_PI_BYTES);
	status = be_rw(task, op, sector, buf, bytes, io_flags, pi);
	if (op == VT_OP_READ)
		memcpy(tuple, pi->tuple, pi->nr * VT_PI_BYTES);
	vt_pi_free(pi);
	return status;
}

blk_status_t scsi_be_flush(struct scsi_task *task)
{
	struct be_io b = {};

	return be_submit(task, &b, VT_OP_FLUSH);
}

blk_status_t scsi_be_range(struct scsi_task *task, enum vt_op op,
			   const struct vt_range *range)
{
	struct vt_range r = *range;
	struct be_io b = {
		.io = {
			.range = &r,
			.nr_ranges = 1,
		},
	};

	return be_submit(task, &b, op);
}

#ifdef CONFIG_BLK_DEV_ZONED
static int be_put_zone(struct blk_zone *zone, unsigned int i, void *data)
{
	struct blk_zone *zones = data;

	zones[i] = *zone;
	return 0;
}

blk_status_t scsi_be_zones(struct scsi_task *task, u64 sector,
			   struct blk_zone *zone, unsigned int *nr)
{
	struct vt_backend *be = scsi_lu_be(task->itl->lu);
	int ret;

	if (READ_ONCE(be->dead))
		return BLK_STS_OFFLINE;
	ret = blkdev_report_zones(be->bdev, sector, *nr, be_put_zone, zone);
	*nr = max(ret, 0);
	return errno_to_blk_status(min(ret, 0));
}

blk_status_t scsi_be_zone(struct scsi_task *task, enum scsi_zone_op op,
			  const struct blk_zone *zone)
{
	static const enum req_op ops[] = {
		[SCSI_ZONE_CLOSE]	= REQ_OP_ZONE_CLOSE,
		[SCSI_ZONE_FINISH]	= REQ_OP_ZONE_FINISH,
		[SCSI_ZONE_OPEN]	= REQ_OP_ZONE_OPEN,
		[SCSI_ZONE_RESET]	= REQ_OP_ZONE_RESET,
	};
	struct vt_backend *be = scsi_lu_be(task->itl->lu);
	int err;

	if (READ_ONCE(be->dead))
		return BLK_STS_OFFLINE;
	err = blkdev_zone_mgmt(be->bdev, ops[op], zone->start, zone->len);
	return errno_to_blk_status(err);
}
#else
/* No backend has zones. */
blk_status_t scsi_be_zones(struct scsi_task *task, u64 sector,
			   struct blk_zone *zone, unsigned int *nr)
{
	return BLK_STS_NOTSUPP;
}

blk_status_t scsi_be_zone(struct scsi_task *task, enum scsi_zone_op op,
			  const struct blk_zone *zone)
{
	return BLK_STS_NOTSUPP;
}
#endif

/* A hole in a file reads as zeroes; of a block device nobody knows. */
bool scsi_be_unmap_zeroes(const struct vt_backend *be)
{
	return be->ops->type == VHOST_TARGET_BACKEND_FILE;
}

bool scsi_be_solid_state(const struct vt_backend *be)
{
	struct block_device *bdev = be->bdev;

	if (be->ops->type == VHOST_TARGET_BACKEND_FILE)
		bdev = file_inode(be->file)->i_sb->s_bdev;
	return bdev && !(bdev_get_queue(bdev)->limits.features &
			 BLK_FEAT_ROTATIONAL);
}
