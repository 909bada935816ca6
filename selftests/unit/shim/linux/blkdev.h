/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BLKDEV_H
#define _SHIM_LINUX_BLKDEV_H

#include <linux/blk_types.h>
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/sched.h>

struct blk_plug {
	unsigned short nr_ios;
};

#define blk_start_plug(plug)	((plug)->nr_ios = 0)
#define blk_finish_plug(plug)	((void)(plug))
#define blk_status_to_errno(status)	((status) ? -EIO : 0)

#define BLK_FEAT_ROTATIONAL	1

struct request_queue {
	struct {
		unsigned int features;
	} limits;
};

struct block_device {
	struct request_queue queue;
};

#define bdev_get_queue(bdev)	(&(bdev)->queue)

#endif
