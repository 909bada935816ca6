/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Backends: where a unit's I/O goes. They know bytes and sectors, no device
 * type and no guest.
 */
#ifndef _VHOST_TARGET_BACKEND_H
#define _VHOST_TARGET_BACKEND_H

#include <linux/bio.h>
#include <linux/blk_types.h>
#include <linux/fs.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <vhost_target/resv.h>
#include <vhost_target/rmw.h>

struct vt_backend;
struct vt_pi;
struct cgroup_subsys_state;

enum vt_op {
	VT_OP_READ,
	VT_OP_WRITE,
	VT_OP_FLUSH,
	VT_OP_DISCARD,
	VT_OP_WRITE_ZEROES,
	VT_OP_SECURE_ERASE,
};

/* Flags of an I/O. */
#define VT_IO_FUA	BIT(0)	/* write, zeroes: on stable storage when done */
#define VT_IO_RMW	BIT(1)	/* write: between vt_rmw_begin() and end() */
#define VT_IO_POLLED	BIT(2)	/* in: ops->poll is called; out: has to be */

/* Flags of a range. */
#define VT_RANGE_UNMAP	BIT(0)	/* write zeroes: may deallocate */

/**
 * struct vt_range - sectors of a discard, write zeroes or secure erase
 * @sector: first, in units of 512 bytes
 * @nr_sectors: number
 * @flags: VT_RANGE_*
 */
struct vt_range {
	u64 sector;
	u32 nr_sectors;
	u32 flags;
};

/**
 * struct vt_io - one I/O of a backend
 * @be: backend
 * @done: called once when it has ended, from any context
 * @css: block cgroup to charge, NULL: the root
 * @sector: first sector (512 bytes) of a read or write
 * @bytes: bytes of a read or write, a multiple of the block size
 * @nr_bv: entries of @bv
 * @bv: data
 * @nr_ranges: entries of @range
 * @op: enum vt_op
 * @flags: VT_IO_*
 * @status: result; set before @done is called
 * @range: ranges of the operations that have some
 * @counted: how <vhost_target/rmw.h> knows of it
 * @write_node: likewise
 * @pi: the initiator's protection information of a read or write; NULL: none.
 *	See <vhost_target/pi.h>; the submitter's
 * @bio: block device backend
 * @iocb: file backend
 * @work: for what may sleep
 * @late_node: on be->late
 * @copy_node: on session->copies, before it is submitted or after it has ended
 *
 * Owned by the backend between submit and @done.
 */
struct vt_io {
	struct vt_backend *be;
	void (*done)(struct vt_io *io);
	struct cgroup_subsys_state *css;
	u64 sector;
	u32 bytes;
	unsigned int nr_bv;
	struct bio_vec *bv;
	u16 nr_ranges;
	u8 op;
	u8 flags;
	blk_status_t status;
	u8 counted;
	struct list_head write_node;
	struct vt_range *range;
	struct vt_pi *pi;
	union {
		struct bio bio;
		struct kiocb iocb;
	};
	union {
		struct work_struct work;
		struct llist_node late_node;
		struct list_head copy_node;
	};
};

/**
 * struct vt_limits - what a backend can do
 * @sectors: capacity, in units of 512 bytes
 * @block_size: bytes of a logical block
 * @physical_block_size: bytes
 * @io_min: bytes, preferred smallest I/O
 * @io_opt: bytes, preferred I/O, 0: none
 * @io_boundary: sectors; I/O that crosses a multiple of it is slower; 0: none
 * @atomic_bytes: a write of so many bytes, that starts at a multiple of it plus
 *	@alignment_offset, is on the medium whole or not at all; 0: a block is
 * @alignment_offset: bytes from a physical block to the first logical one
 * @dma_mask: address and length bits that must be clear in each data buffer
 * @max_discard_sectors: of one range; 0: no discard
 * @discard_alignment: sectors
 * @max_write_zeroes_sectors: of one range; 0: no write zeroes
 * @max_secure_erase_sectors: of one range; 0: no secure erase
 * @secure_erase_alignment: sectors
 * @pi_interval: bytes of data each tuple of protection information is for
 * @pi_bytes: of a tuple
 * @pi_type: 1, with a reference tag, or 3; 0: there is no protection
 *	information, and none of @pi_interval and @pi_bytes
 * @zone_sectors: of a zone of a host-managed disk; 0: it has no zones
 * @max_open_zones: 0: no limit
 * @write_cache: has a volatile write cache
 * @ro: cannot be written
 * @polled: completions are polled
 */
struct vt_limits {
	u64 sectors;
	u32 block_size;
	u32 physical_block_size;
	u32 io_min;
	u32 io_opt;
	u32 io_boundary;
	u32 atomic_bytes;
	u32 alignment_offset;
	u32 dma_mask;
	u32 max_discard_sectors;
	u32 discard_alignment;
	u32 max_write_zeroes_sectors;
	u32 max_secure_erase_sectors;
	u32 secure_erase_alignment;
	u32 pi_interval;
	u32 zone_sectors;
	u32 max_open_zones;
	u8 pi_bytes;
	u8 pi_type;
	bool write_cache;
	bool ro;
	bool polled;
};

/**
 * struct vt_backend_spec - what to open
 * @path: path, NULL for the null backend
 * @capacity: bytes, null backend only
 * @block_size: bytes, 0: the backend's own
 * @ro: open read-only
 * @shared: others that say so too may use the same one
 * @polled: poll for completions
 */
struct vt_backend_spec {
	const char *path;
	u64 capacity;
	u32 block_size;
	bool ro;
	bool shared;
	bool polled;
};

/**
 * struct vt_backend_ops - one kind of backend
 * @type: enum vhost_target_backend
 * @open: open what @spec says and fill be->limits; may sleep
 * @close: undo it; no I/O is in flight; may sleep
 * @submit: start an I/O; called by pollers, so it does not wait for other
 *	I/O; calls io->done, perhaps before it returns. Takes VT_IO_POLLED away
 *	if completion comes by itself; io->flags do not change later
 * @submit_late: start an I/O that @submit gave to vt_io_late(), and wait where
 *	that has to be; by a work item. NULL: it gives none
 * @poll: reap completions of a backend with @limits.polled, given an I/O that
 *	was submitted with VT_IO_POLLED; it may have ended already. By the
 *	poller that submitted it
 * @refresh: read the limits again; @capacity as in
 *	struct vhost_target_unit_resize; may sleep
 * @is: does @path lead to what @be has open? NULL: it is never shared
 * @ident: a name for what is open that is the same after a reboot; 0 or an
 *	error. NULL: there is none
 */
struct vt_backend_ops {
	u32 type;
	int (*open)(struct vt_backend *be, const struct vt_backend_spec *spec);
	void (*close)(struct vt_backend *be);
	void (*submit)(struct vt_io *io);
	void (*submit_late)(struct vt_io *io);
	void (*poll)(struct vt_io *io);
	int (*refresh)(struct vt_backend *be, u64 capacity);
	bool (*is)(const struct vt_backend *be, const char *path);
	int (*ident)(const struct vt_backend *be, char *buf, size_t len);
};

/**
 * struct vt_backend_user - who uses a backend
 * @node: on be->users
 * @resized: it has not been told yet of a new size; be->lock
 * @dead: called when the backend was removed; be->lock held, may sleep
 */
struct vt_backend_user {
	struct list_head node;
	bool resized;
	void (*dead)(struct vt_backend_user *user);
};

/**
 * struct vt_backend - an open backend
 * @ops: kind
 * @limits: what it can do. @sectors may change while in use (READ_ONCE)
 * @dead: it was removed; every I/O fails
 * @file: the open file, of the block device or the regular one
 * @bdev: block device
 * @sleeps: its driver may wait, for how long ever, when it is given I/O
 * @path: as given by the first user; NULL for the null backend
 * @node: file backend: on the list of files in use
 * @resv: its persistent reservations
 * @wq: for what may sleep: discards, writes that allocate, submits that wait
 * @late: I/Os whose submission may wait, the last one first
 * @late_work: submits them
 * @rmw: keeps what reads, compares or changes, and writes, in one piece
 * @ref: one for each user, and whoever looks at it for a moment
 * @shared: it may have several users
 * @shared_node: on the list of those
 * @lock: protects @users, one refresh at a time. Inside target->lock.
 * @users: struct vt_backend_user
 */
struct vt_backend {
	const struct vt_backend_ops *ops;
	struct vt_limits limits;
	bool dead;
	struct file *file;
	struct block_device *bdev;
	bool sleeps;
	char *path;
	struct list_head node;
	struct vt_resv resv;
	struct workqueue_struct *wq;
	struct llist_head late;
	struct work_struct late_work;
	struct vt_rmw rmw;
	struct kref ref;
	bool shared;
	struct list_head shared_node;
	struct mutex lock;
	struct list_head users;
};

extern const struct vt_backend_ops vt_backend_bdev_ops;
extern const struct vt_backend_ops vt_backend_file_ops;
extern const struct vt_backend_ops vt_backend_null_ops;

/**
 * vt_backend_get - begin to use a backend
 * @type: enum vhost_target_backend
 * @spec: what to open; copied
 * @user: with @dead set
 *
 * It is opened, or, if it is open already and both sides want to share, used
 * together.
 *
 * Context: may sleep.
 * Returns: the backend, or an ERR_PTR: -EINVAL (no such type, or it cannot be
 * shared), -EBUSY (in use, not by sharers), -EROFS and -ERANGE (shared, and
 * read-only or with another block size), an error of the open.
 */
struct vt_backend *vt_backend_get(u32 type, const struct vt_backend_spec *spec,
				  struct vt_backend_user *user);

/**
 * vt_backend_put - use a backend no longer
 * @be: backend
 * @user: who; has no I/O in flight
 *
 * The last one closes it. Context: may sleep.
 */
void vt_backend_put(struct vt_backend *be, struct vt_backend_user *user);

/* Keep it open for a moment, without being a user. */
void vt_backend_hold(struct vt_backend *be);

/* Context: may sleep. */
void vt_backend_release(struct vt_backend *be);

/**
 * vt_backend_refresh - read the limits again
 * @be: backend
 * @capacity: as in struct vhost_target_unit_resize
 *
 * If the size has changed, each user is marked as one to be told of it.
 * Context: may sleep.
 * Returns: 0 or an error of the refresh.
 */
int vt_backend_refresh(struct vt_backend *be, u64 *capacity);

/* For backends: it was removed; tell the users. Context: may sleep. */
void vt_backend_died(struct vt_backend *be);

/* What most I/O is submitted to and ended by: called without a pointer. */
void vt_bdev_submit(struct vt_io *io);
void vt_queue_io_done(struct vt_io *io);

/**
 * vt_io_submit - start an I/O
 * @io: complete but for the backend's own fields
 *
 * Context: a poller, or a work item; does not wait for other I/O.
 */
static inline void vt_io_submit(struct vt_io *io)
{
	bool writes = io->op != VT_OP_READ && io->op != VT_OP_FLUSH;

	if (writes && !(io->flags & VT_IO_RMW) &&
	    unlikely(!vt_rmw_write_begin(io)))
		return;
	INDIRECT_CALL_1(io->be->ops->submit, vt_bdev_submit, io);
}

/*
 * For backends: the I/O has ended; also for who ends a request that was not
 * submitted. Context: any.
 */
static inline void vt_io_end(struct vt_io *io, blk_status_t status)
{
	if (io->counted)
		vt_rmw_write_end(io);
	io->status = status;
	INDIRECT_CALL_1(io->done, vt_queue_io_done, io);
}

/* Have @fn run where it may sleep, not wait for commands. Context: any. */
void vt_io_punt(struct vt_io *io, work_func_t fn);

/*
 * Have it submitted where that may wait. One work item does all that are there,
 * one after the other, so that many cost little more than one. Context: any.
 */
void vt_io_late(struct vt_io *io);

/* Before the stack that one is on goes away; it has ended. */
static inline void vt_io_forget(struct vt_io *io)
{
	destroy_work_on_stack(&io->work);
}

#endif
