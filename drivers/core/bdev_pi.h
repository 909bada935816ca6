/* SPDX-License-Identifier: GPL-2.0 */
/* Protection information of the block device backend's I/O: bdev_pi.c. */
#ifndef _VT_BDEV_PI_H
#define _VT_BDEV_PI_H

#include <linux/bio.h>

#include <vhost_target/backend.h>
#include <vhost_target/pi.h>

#ifdef CONFIG_BLK_DEV_INTEGRITY
/* Fill the limits that are about it. */
void vt_bdev_pi_limits(struct vt_backend *be);

/**
 * vt_bdev_pi_check - look at io->pi before it is submitted for the first time
 * @io: read or write
 *
 * Context: any. Returns: 0, or BLK_STS_PROTECTION: io->pi says why.
 */
blk_status_t vt_bdev_pi_check(struct vt_io *io);

/**
 * vt_bdev_pi_attach - have a bio carry io->pi
 * @io: with @io->bio complete, not submitted
 *
 * Context: any. Returns: 0, or why the I/O cannot be done.
 */
blk_status_t vt_bdev_pi_attach(struct vt_io *io);

/* Undo it, whether it was done or not. Before bio_uninit(). Context: any. */
void vt_bdev_pi_detach(struct vt_io *io);

/**
 * vt_bdev_pi_ended - an I/O with io->pi has ended
 * @io: with @io->pi detached
 * @status: of the bio
 *
 * What failed a check in the device is looked for.
 * Context: any. Returns: whether @io goes on, and ends later.
 */
bool vt_bdev_pi_ended(struct vt_io *io, blk_status_t status);
#else
static inline void vt_bdev_pi_limits(struct vt_backend *be)
{
}

static inline blk_status_t vt_bdev_pi_check(struct vt_io *io)
{
	return BLK_STS_NOTSUPP;
}

static inline blk_status_t vt_bdev_pi_attach(struct vt_io *io)
{
	return BLK_STS_NOTSUPP;
}

static inline void vt_bdev_pi_detach(struct vt_io *io)
{
}

static inline bool vt_bdev_pi_ended(struct vt_io *io, blk_status_t status)
{
	return false;
}
#endif

#endif
