/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading and writing blocks as one: what compares or changes blocks and
 * writes them (SCSI: COMPARE AND WRITE, ORWRITE; NVMe: fused Compare and
 * Write) is not interrupted by any other write to them, of whatever session
 * and device type.
 *
 * DOC: uninterrupted reads and writes
 *
 * As long as nobody does such a thing on a backend, a write to it takes a
 * reference that is counted for each CPU, and nothing else. The first
 * vt_rmw_begin() ends that for good: it waits for all of those writes, and
 * from then on writes are on a list while they are in flight. A
 * vt_rmw_begin() waits for those on the list that overlap its blocks; those
 * that come until vt_rmw_end() and overlap are held, and submitted by it.
 *
 * Whoever waits here waits for I/O that the backend has, and for no lock but
 * those of other commands of the kind. So a held write is never held for
 * long, and may be waited for by anybody.
 */
#ifndef _VHOST_TARGET_RMW_H
#define _VHOST_TARGET_RMW_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct vt_backend;
struct vt_io;

/**
 * struct vt_rmw - of a backend
 * @mutex: one at a time
 * @plain: one for each write in flight that is on no list
 * @plain_gone: there are none, nor will there be
 * @tracking: writes are on lists; under @mutex
 * @wait: for writes that end
 * @lock: protects the fields below; inside all others, from any context
 * @active: blocks are being read and written
 * @sector: the first one
 * @nr_sectors: number
 * @flying: struct vt_io, writes in flight
 * @held: struct vt_io, writes that have to wait
 */
struct vt_rmw {
	struct mutex mutex;
	struct percpu_ref plain;
	struct completion plain_gone;
	bool tracking;
	wait_queue_head_t wait;
	spinlock_t lock;
	bool active;
	u64 sector;
	u64 nr_sectors;
	struct list_head flying;
	struct list_head held;
};

int vt_rmw_init(struct vt_rmw *rmw);
void vt_rmw_destroy(struct vt_rmw *rmw);

/**
 * vt_rmw_begin - keep others from writing to sectors
 * @be: backend
 * @sector: the first one
 * @nr_sectors: number
 *
 * The caller's own writes have VT_IO_RMW. Context: may sleep.
 */
void vt_rmw_begin(struct vt_backend *be, u64 sector, u64 nr_sectors);

/* Let them. Context: may sleep. */
void vt_rmw_end(struct vt_backend *be);

/* A write begins. Returns: may it be submitted? If not, it will be, later. */
bool vt_rmw_write_begin(struct vt_io *io);
/* It has ended. Context: any. */
void vt_rmw_write_end(struct vt_io *io);

#endif
