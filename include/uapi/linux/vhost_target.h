/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vhost_target: in-kernel storage targets for virtual machines.
 *
 * Three nodes use this header:
 *
 *  /dev/vhost-target  the control node (0600): makes and destroys targets,
 *                     units and pollers, reads their state and counters.
 *  /dev/vhost-blk     the ioctl door of blk targets: the classic vhost ABI of
 *                     <linux/vhost.h> plus the attach calls at the end of
 *                     this file.
 *  /dev/vhost-scsi    the ioctl door of scsi targets: the ABI of
 *                     <linux/vhost.h> with its VHOST_SCSI_* calls, see the
 *                     end of this file.
 *  /dev/vhost-nvme    the ioctl door of nvme targets: a controller's BAR0.
 *
 * DOC: rules of every ioctl in this file
 *
 * Each argument is a struct whose first field, @size, is the size in bytes
 * of the struct as the caller knows it. A kernel that knows a longer struct
 * takes the missing fields as zero; a kernel that knows a shorter one takes
 * the call if the extra bytes are all zero and fails with E2BIG otherwise.
 * Flag bits and reserved fields that a call does not define must be zero.
 *
 * Errors common to all calls:
 *
 *  EFAULT      the argument is not readable memory; or not writable, and then
 *              the call was carried out
 *  EINVAL      @size is smaller than the first published version, an
 *              undefined flag is set, a reserved field is not zero, a name
 *              is empty, not terminated or has a character other than
 *              [A-Za-z0-9._:-] or starts with '-' or '.'
 *  E2BIG       @size is larger than the kernel's struct, with a non-zero tail
 *  ENOTTY      no such call on this node
 *  ENOMEM      out of memory
 */
#ifndef _UAPI_LINUX_VHOST_TARGET_H
#define _UAPI_LINUX_VHOST_TARGET_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VHOST_TARGET_IOC		0xB8

/* Bytes, the terminating NUL included. */
#define VHOST_TARGET_NAME_LEN		64
#define VHOST_TARGET_SERIAL_LEN		32
#define VHOST_TARGET_PATH_LEN		4096
#define VHOST_TARGET_WWPN_LEN		32

/* Bytes of SCSI identifications; a NUL is not needed. */
#define VHOST_TARGET_VENDOR_LEN		8
#define VHOST_TARGET_PRODUCT_LEN	16
#define VHOST_TARGET_REVISION_LEN	4

/* Limits of one target. */
#define VHOST_TARGET_MAX_QUEUES		256
#define VHOST_TARGET_MAX_QUEUE_SIZE	1024
#define VHOST_TARGET_MAX_POLLERS	1024
/* Longest busy-polling time that can be asked for, microseconds. */
#define VHOST_TARGET_MAX_IDLE_US	1000000

/* enum vhost_target_type - what a VM sees */
enum vhost_target_type {
	VHOST_TARGET_BLK	= 1,
	VHOST_TARGET_SCSI	= 2,
	VHOST_TARGET_NVME	= 3,
};

/* enum vhost_target_backend - where a unit's I/O goes */
enum vhost_target_backend {
	VHOST_TARGET_BACKEND_BDEV	= 1,	/* a block device */
	VHOST_TARGET_BACKEND_FILE	= 2,	/* a regular file, direct I/O */
	VHOST_TARGET_BACKEND_NULL	= 3,	/* completes at once, no data */
};

/* Target flags. */
#define VHOST_TARGET_F_SHARED	(1u << 0) /* may have several sessions */
#define VHOST_TARGET_F_VDPA	(1u << 1) /* has a vDPA device */
#define VHOST_TARGET_F_USE_VA	(1u << 2) /* vDPA: pin nothing, shared memory */
#define VHOST_TARGET_F_VFIO	(1u << 3) /* nvme: has a VFIO device */
#define VHOST_TARGET_F_NO_DBBUF	(1u << 4) /* nvme: no shadow doorbells */
#define VHOST_TARGET_F_ALL	(VHOST_TARGET_F_SHARED | VHOST_TARGET_F_VDPA | \
				 VHOST_TARGET_F_USE_VA | VHOST_TARGET_F_VFIO | \
				 VHOST_TARGET_F_NO_DBBUF)

/**
 * struct vhost_target_create - VHOST_TARGET_CREATE, make a target
 * @size: sizeof(struct vhost_target_create)
 * @flags: VHOST_TARGET_F_*
 * @type: enum vhost_target_type
 * @num_queues: I/O queues offered, 1..VHOST_TARGET_MAX_QUEUES; 0: one for
 *	each poller, of an nvme target two at least, which UEFI's driver needs
 * @queue_size: entries of each queue, a power of two,
 *	2..VHOST_TARGET_MAX_QUEUE_SIZE; 0: 256
 * @uid: user that may attach besides root
 * @gid: group that may attach besides root; 0xffffffff: none
 * @nr_pollers: entries of @pollers_ptr; 0: every poller may serve it
 * @pollers_ptr: address of an array of __u32 poller ids
 * @name: the target's name
 * @reserved: must be zero
 * @wwpn: scsi: world wide port name, "naa." and 16 hexadecimal digits,
 *	NUL-padded; empty: @name if it is one, else an NAA identifier of type
 *	3 (locally assigned), always the same one for a name. Other types:
 *	empty
 *
 * The target has no unit yet; no VM can attach to a blk target before it has
 * one.
 *
 * Errors: EEXIST (name or wwpn taken), EINVAL (no wwpn, or a wwpn for a type
 * that has none), ENODEV (the module of this type is not loaded), ENOENT (no
 * such poller), ERANGE (@num_queues, @queue_size or @nr_pollers out of range),
 * EOPNOTSUPP (VHOST_TARGET_F_VDPA or _VFIO without the module of that door, or
 * for a type that has no such device), ENOSPC (too
 * many targets).
 */
struct vhost_target_create {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 num_queues;
	__u32 queue_size;
	__u32 uid;
	__u32 gid;
	__u32 nr_pollers;
	__aligned_u64 pollers_ptr;
	char name[VHOST_TARGET_NAME_LEN];
	__u64 reserved[4];
	char wwpn[VHOST_TARGET_WWPN_LEN];
};

/**
 * struct vhost_target_destroy - VHOST_TARGET_DESTROY, destroy a target
 * @size: sizeof(struct vhost_target_destroy)
 * @flags: must be zero
 * @name: the target's name
 *
 * Returns after all its units' backends have been closed.
 *
 * Errors: ENOENT (no such target), EBUSY (a VM is attached, or a VMM has its
 * vDPA or VFIO device open).
 */
struct vhost_target_destroy {
	__u32 size;
	__u32 flags;
	char name[VHOST_TARGET_NAME_LEN];
};

/* Unit flags. */
#define VHOST_TARGET_UNIT_F_RO		(1u << 0) /* read-only for the VM */
#define VHOST_TARGET_UNIT_F_WRITETHROUGH (1u << 1) /* no write cache shown */
#define VHOST_TARGET_UNIT_F_NO_DISCARD	(1u << 2) /* do not offer discard */
#define VHOST_TARGET_UNIT_F_SHARED	(1u << 3) /* others may use its backend */
#define VHOST_TARGET_UNIT_F_POLLED	(1u << 4) /* poll for completions */
#define VHOST_TARGET_UNIT_F_ALL		(VHOST_TARGET_UNIT_F_RO | \
					 VHOST_TARGET_UNIT_F_WRITETHROUGH | \
					 VHOST_TARGET_UNIT_F_NO_DISCARD | \
					 VHOST_TARGET_UNIT_F_SHARED | \
					 VHOST_TARGET_UNIT_F_POLLED)

/**
 * struct vhost_target_unit_add - VHOST_TARGET_UNIT_ADD, add a disk to a target
 * @size: sizeof(struct vhost_target_unit_add)
 * @flags: VHOST_TARGET_UNIT_F_*
 * @unit: number of the unit; 0 for a blk target; scsi: its LUN, at most 16383
 * @backend: enum vhost_target_backend
 * @path_ptr: address of a NUL-terminated path of at most
 *	VHOST_TARGET_PATH_LEN bytes; 0 for the null backend
 * @capacity: null backend: bytes, a multiple of @block_size; otherwise 0
 * @block_size: bytes of a logical block, 512 or 4096; 0: the block device's
 *	own, 512 for a file and the null backend. Not below the block
 *	device's own, which it must equal for a block device.
 * @reserved0: must be zero
 * @name: the target's name
 * @serial: serial number shown to the VM, NUL-padded; empty: made from the
 *	target's name, and from @unit where there can be several
 * @reserved: must be zero
 * @vendor: scsi: vendor identification, printable ASCII, NUL-padded; empty:
 *	the module's own. Other types: empty, as the fields below
 * @product: product identification, likewise
 * @revision: product revision level, likewise
 * @reserved1: must be zero
 * @naa: NAA identifier of type 2, 3 or 5; 0: of type 3, made from the serial
 *	number: the same one for the same serial number
 *
 * With VHOST_TARGET_UNIT_F_SHARED other units, of this target or of others,
 * may stand on the same backend: the same block device, or the same file by
 * whatever path. All of them must say so, else the later ones fail with EBUSY.
 * They see each other's data, persistent reservations and resizes. Nothing
 * else keeps their VMs from damaging each other's data: use a cluster
 * filesystem, or reservations. The first one opens the backend: if it is
 * VHOST_TARGET_UNIT_F_RO the later ones must be (EROFS), and a @block_size
 * must be the first one's (ERANGE). The null backend is never shared (EINVAL).
 *
 * With VHOST_TARGET_UNIT_F_POLLED the pollers look for the end of reads and
 * writes themselves, in place of the device's interrupts, and do not sleep while
 * some are under way; of a device that has nothing to show for 10 ms they look
 * once in a tick. A shared backend is polled if its first unit said so, and
 * VHOST_TARGET_UNIT_S_POLLED tells.
 *
 * Errors: ENOENT (no such target, or nothing at the path), EINVAL (a
 * character that is not printable, no such type of NAA identifier, or
 * something the target's type does not have), EEXIST (unit in use), EBUSY (the
 * backend is claimed by someone else), ENOTBLK (the path is no block device),
 * EROFS (the device is read-only and VHOST_TARGET_UNIT_F_RO is not set),
 * ERANGE (@unit, @capacity or @block_size impossible), EBADMSG (its persistent
 * reservations were kept in a file that is damaged; the kernel log names it),
 * ENAMETOOLONG, EOPNOTSUPP (the file cannot do direct asynchronous I/O, or the
 * device has zones: only scsi targets can show them, and no zones that are
 * usable in part; or VHOST_TARGET_UNIT_F_POLLED, and it is no block device with
 * queues for polling), any error of opening the path.
 */
struct vhost_target_unit_add {
	__u32 size;
	__u32 flags;
	__u32 unit;
	__u32 backend;
	__aligned_u64 path_ptr;
	__aligned_u64 capacity;
	__u32 block_size;
	__u32 reserved0;
	char name[VHOST_TARGET_NAME_LEN];
	char serial[VHOST_TARGET_SERIAL_LEN];
	__u64 reserved[4];
	char vendor[VHOST_TARGET_VENDOR_LEN];
	char product[VHOST_TARGET_PRODUCT_LEN];
	char revision[VHOST_TARGET_REVISION_LEN];
	__u32 reserved1;
	__u64 naa;
};

/**
 * struct vhost_target_unit_remove - VHOST_TARGET_UNIT_REMOVE
 * @size: sizeof(struct vhost_target_unit_remove)
 * @flags: must be zero
 * @unit: number of the unit
 * @reserved0: must be zero
 * @name: the target's name
 *
 * Errors: ENOENT (no such target or unit), EBUSY (a VM is attached to a blk
 * target: it has only this unit).
 */
struct vhost_target_unit_remove {
	__u32 size;
	__u32 flags;
	__u32 unit;
	__u32 reserved0;
	char name[VHOST_TARGET_NAME_LEN];
};

/**
 * struct vhost_target_unit_resize - VHOST_TARGET_UNIT_RESIZE
 * @size: sizeof(struct vhost_target_unit_resize)
 * @flags: must be zero
 * @unit: number of the unit
 * @reserved0: must be zero
 * @capacity: bytes; 0: take the backend's present size. Only the null
 *	backend takes another value than 0.
 * @name: the target's name
 *
 * An attached VM is told of the new capacity (blk: configuration change
 * interrupt; scsi: event and unit attention), as are those of other units on
 * the same backend. On success @capacity holds the new capacity in bytes.
 *
 * Errors: ENOENT, ERANGE (not a multiple of the block size, or zero),
 * EOPNOTSUPP (a size for a backend that has its own), ENXIO (the backend
 * is gone).
 */
struct vhost_target_unit_resize {
	__u32 size;
	__u32 flags;
	__u32 unit;
	__u32 reserved0;
	__aligned_u64 capacity;
	char name[VHOST_TARGET_NAME_LEN];
};

/* Set in @flags of a GET: return the next one after the key given. */
#define VHOST_TARGET_GET_NEXT	(1u << 0)

/**
 * struct vhost_target_info - VHOST_TARGET_GET, describe a target
 * @size: sizeof(struct vhost_target_info)
 * @flags: in: 0, or VHOST_TARGET_GET_NEXT to get the first target whose name
 *	sorts after @name (@name may then be empty)
 * @type: out: enum vhost_target_type
 * @target_flags: out: VHOST_TARGET_F_*
 * @num_queues: out: I/O queues offered
 * @queue_size: out: largest queue
 * @uid: out: owner
 * @gid: out: owner's group
 * @nr_units: out: units
 * @nr_sessions: out: VMs attached
 * @nr_running_queues: out: queues being served now
 * @reserved0: out: zero
 * @name: in/out: the target's name
 * @vdpa_name: out: name of its vDPA device, empty if none
 * @over_limit: out: times somebody was not attached because of a user's limits
 * @reserved: must be zero
 * @wwpn: out: world wide port name, empty if it has none
 *
 * Errors: ENOENT (no such target, or no next one).
 */
struct vhost_target_info {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 target_flags;
	__u32 num_queues;
	__u32 queue_size;
	__u32 uid;
	__u32 gid;
	__u32 nr_units;
	__u32 nr_sessions;
	__u32 nr_running_queues;
	__u32 reserved0;
	char name[VHOST_TARGET_NAME_LEN];
	char vdpa_name[VHOST_TARGET_NAME_LEN];
	__u64 over_limit;
	__u64 reserved[3];
	char wwpn[VHOST_TARGET_WWPN_LEN];
};

/* State bits of a unit. */
#define VHOST_TARGET_UNIT_S_DEAD	(1u << 0) /* its backend was removed */
#define VHOST_TARGET_UNIT_S_POLLED	(1u << 1) /* completions are polled */

/**
 * struct vhost_target_unit_info - VHOST_TARGET_UNIT_GET, describe a unit
 * @size: sizeof(struct vhost_target_unit_info)
 * @flags: in: 0, or VHOST_TARGET_GET_NEXT to get the first unit whose number
 *	is at least @unit
 * @unit: in/out: number of the unit
 * @backend: out: enum vhost_target_backend
 * @unit_flags: out: VHOST_TARGET_UNIT_F_*
 * @state: out: VHOST_TARGET_UNIT_S_*
 * @capacity: out: bytes
 * @block_size: out: bytes of a logical block
 * @physical_block_size: out: bytes
 * @path_ptr: in: address of a buffer for the path, or 0
 * @path_len: in: bytes of that buffer; out: bytes of the path with its NUL
 * @reserved0: must be zero
 * @name: in: the target's name
 * @serial: out: serial number
 * @reserved: must be zero
 * @vendor: out: vendor identification, empty if it is the module's own;
 *	likewise:
 * @product: out: product identification
 * @revision: out: product revision level
 * @reserved1: out: zero
 * @naa: out: NAA identifier, 0: it has none
 *
 * Errors: ENOENT, ENOSPC (the path does not fit; @path_len says what does).
 */
struct vhost_target_unit_info {
	__u32 size;
	__u32 flags;
	__u32 unit;
	__u32 backend;
	__u32 unit_flags;
	__u32 state;
	__aligned_u64 capacity;
	__u32 block_size;
	__u32 physical_block_size;
	__aligned_u64 path_ptr;
	__u32 path_len;
	__u32 reserved0;
	char name[VHOST_TARGET_NAME_LEN];
	char serial[VHOST_TARGET_SERIAL_LEN];
	__u64 reserved[4];
	char vendor[VHOST_TARGET_VENDOR_LEN];
	char product[VHOST_TARGET_PRODUCT_LEN];
	char revision[VHOST_TARGET_REVISION_LEN];
	__u32 reserved1;
	__u64 naa;
};

/* Buckets of a latency histogram: bucket i counts [2^i, 2^(i+1)) ns. */
#define VHOST_TARGET_HIST_BUCKETS	40

/* enum vhost_target_opclass - what a request does, for the counters */
enum vhost_target_opclass {
	VHOST_TARGET_OP_READ	= 0,
	VHOST_TARGET_OP_WRITE	= 1,
	VHOST_TARGET_OP_FLUSH	= 2,
	VHOST_TARGET_OP_OTHER	= 3,	/* discard, write zeroes, get id … */
	VHOST_TARGET_OP_CLASSES	= 4,
};

/**
 * struct vhost_target_stats - VHOST_TARGET_STATS, counters of a queue
 * @size: sizeof(struct vhost_target_stats)
 * @flags: must be zero
 * @queue: in: number of the queue; 0xffffffff: the sum over all queues
 * @reserved0: must be zero
 * @name: in: the target's name
 * @ops: out: requests completed, by enum vhost_target_opclass
 * @bytes: out: bytes moved, likewise
 * @errors: out: requests that ended with an error status, likewise
 * @invalid: out: requests refused before they reached the backend
 * @ring_errors: out: rings stopped because the driver broke their rules
 * @mem_faults: out: times a request waited for guest memory to be mapped
 * @parked: out: times a request waited for memory or a tag
 * @kicks: out: notifications from the driver
 * @calls: out: interrupts sent to the driver
 * @polls: out: looks at the queue
 * @empty_polls: out: looks that found nothing
 * @sleeps: out: times the queue was armed and left alone
 * @rearms: out: times work arrived while it was being armed
 * @bounced: out: requests whose data was copied for alignment
 * @inflight: out: requests with the backend now
 * @hist: out: latency histogram (pickup to completion), by class
 * @absent: out: commands for a SCSI target or LUN that is not there: drivers
 *	look for them
 * @reserved: must be zero
 *
 * Counters live as long as the target and are never reset.
 *
 * Errors: ENOENT (no such target), ERANGE (no such queue).
 */
struct vhost_target_stats {
	__u32 size;
	__u32 flags;
	__u32 queue;
	__u32 reserved0;
	char name[VHOST_TARGET_NAME_LEN];
	__u64 ops[VHOST_TARGET_OP_CLASSES];
	__u64 bytes[VHOST_TARGET_OP_CLASSES];
	__u64 errors[VHOST_TARGET_OP_CLASSES];
	__u64 invalid;
	__u64 ring_errors;
	__u64 mem_faults;
	__u64 parked;
	__u64 kicks;
	__u64 calls;
	__u64 polls;
	__u64 empty_polls;
	__u64 sleeps;
	__u64 rearms;
	__u64 bounced;
	__u64 inflight;
	__u64 hist[VHOST_TARGET_OP_CLASSES][VHOST_TARGET_HIST_BUCKETS];
	__u64 absent;
	__u64 reserved[3];
};

#define VHOST_TARGET_QUEUE_ALL	0xffffffffu

/**
 * struct vhost_target_poller - VHOST_TARGET_POLLER_ADD, _SET and _GET
 * @size: sizeof(struct vhost_target_poller)
 * @flags: GET: VHOST_TARGET_GET_NEXT to get the first poller whose id is at
 *	least @id; otherwise 0
 * @id: ADD: out; SET, GET: in: number of the poller
 * @cpu: ADD: in: CPU it runs on; GET: out
 * @idle_us: ADD, SET: in: microseconds without work before a queue is armed
 *	and left alone, at most: fewer if work comes later each time; 0: at
 *	once. GET: out
 * @nr_queues: GET: out: queues it serves
 * @nr_active: GET: out: of these, queues it is looking at now
 * @pid: GET: out: its thread
 * @loops: GET: out: passes made
 * @sleeps: GET: out: times it had nothing to look at and slept
 * @busy_ns: GET: out: nanoseconds spent in passes that found work
 * @idle_ns: GET: out: nanoseconds spent in passes that found none
 * @moves: GET: out: queues that came from another poller, which had too much to
 *	do or was removed; otherwise zero
 * @reserved: must be zero
 *
 * Errors: ADD: ENXIO (no such CPU online), EEXIST (this CPU has a poller),
 * ENOSPC (too many); ERANGE (@idle_us too long); SET, GET: ENOENT.
 */
struct vhost_target_poller {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 cpu;
	__u32 idle_us;
	__u32 nr_queues;
	__u32 nr_active;
	__u32 pid;
	__u64 loops;
	__u64 sleeps;
	__u64 busy_ns;
	__u64 idle_ns;
	__u64 moves;
	__u64 reserved[3];
};

/**
 * struct vhost_target_poller_remove - VHOST_TARGET_POLLER_REMOVE
 * @size: sizeof(struct vhost_target_poller_remove)
 * @flags: must be zero
 * @id: number of the poller
 * @reserved0: must be zero
 *
 * Its queues move to the target's other pollers while they run.
 *
 * Errors: ENOENT, EBUSY (a target names it, or it is the last one).
 */
struct vhost_target_poller_remove {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 reserved0;
};

#define VHOST_TARGET_CREATE		_IO(VHOST_TARGET_IOC, 0x00)
#define VHOST_TARGET_DESTROY		_IO(VHOST_TARGET_IOC, 0x01)
#define VHOST_TARGET_GET		_IO(VHOST_TARGET_IOC, 0x02)
#define VHOST_TARGET_UNIT_ADD		_IO(VHOST_TARGET_IOC, 0x03)
#define VHOST_TARGET_UNIT_REMOVE	_IO(VHOST_TARGET_IOC, 0x04)
#define VHOST_TARGET_UNIT_RESIZE	_IO(VHOST_TARGET_IOC, 0x05)
#define VHOST_TARGET_UNIT_GET		_IO(VHOST_TARGET_IOC, 0x06)
#define VHOST_TARGET_STATS		_IO(VHOST_TARGET_IOC, 0x07)
#define VHOST_TARGET_POLLER_ADD		_IO(VHOST_TARGET_IOC, 0x08)
#define VHOST_TARGET_POLLER_REMOVE	_IO(VHOST_TARGET_IOC, 0x09)
#define VHOST_TARGET_POLLER_SET		_IO(VHOST_TARGET_IOC, 0x0a)
#define VHOST_TARGET_POLLER_GET		_IO(VHOST_TARGET_IOC, 0x0b)

/*
 * Calls of the ioctl doors (/dev/vhost-blk, …), beside those of
 * <linux/vhost.h>. All of them need VHOST_SET_OWNER first (EPERM), and only
 * the owner's address space may make them (EPERM).
 *
 * DOC: limits of a user
 *
 * A user, the effective one of who opened the node, may have so many sessions
 * and so many queues at a time, of all nodes and targets together, as the
 * parameters user_sessions and user_queues of the module vhost_target say; 0 is
 * any number. A session counts from the call that names its target until the
 * target is left or the file is closed, with all queues the target has for it,
 * whether they run or not. A call that would exceed a limit fails with EDQUOT
 * and is counted in over_limit of struct vhost_target_info, unless the opener
 * has CAP_SYS_RESOURCE in the initial user namespace. Limits may be changed at
 * any time; sessions that exist stay. They hold for the other doors, too: for
 * VFIO the user is who opens the device, which fails with EDQUOT; for vDPA who
 * first sets a status beyond ACKNOWLEDGE, which is then not taken.
 *
 * DOC: /dev/vhost-scsi
 *
 * Features, memory and rings are set up first; VHOST_SCSI_SET_ENDPOINT then
 * names the target by its wwpn, or by its own name, and serves every queue
 * that has a number of entries, addresses and a kick eventfd; it need not have
 * any. VHOST_SCSI_CLEAR_ENDPOINT waits for the requests in flight and leaves
 * the target; features, rings and eventfds stay set, VHOST_GET_VRING_BASE
 * tells where each ring stands. Both may be repeated in turn. Of the calls
 * below there are VHOST_TARGET_GET_CONFIG, _SET_CONFIG, _GET_DEVICE and
 * _SET_CONFIG_CALL, while an endpoint is set.
 *
 * A wwpn or name may be followed by an @ and a name of the initiator, of the
 * characters that targets' names have. It tells the sessions of a shared target
 * apart for persistent reservations: without it, they are the first, the
 * second, and so on, in the order in which they come.
 *
 * struct vhost_scsi_target: vhost_tpgt and abi_version do not count, reserved
 * must be zero. Errors of SET_ENDPOINT: ENODEV (no such target), EACCES (the
 * opener is neither root nor the target's owner), EBUSY (someone else is
 * attached, or is of that name), EDQUOT (the opener has as much as a user may
 * have), EEXIST (this fd has an endpoint), EOPNOTSUPP (reserved is not
 * zero, or a feature that was accepted is none of this target), EINVAL (the
 * name has no end, the initiator's is none; the ring size or base is impossible; a driver without
 * VIRTIO_F_VERSION_1 on a big-endian host), EFAULT (no memory table, or a ring
 * that cannot be reached). Of CLEAR_ENDPOINT: EINVAL (another target's name).
 *
 * VHOST_SET_VRING_*, VHOST_GET_VRING_*: ENOBUFS (an index of 2 +
 * VHOST_TARGET_MAX_QUEUES or more), EBUSY (number, base, addresses while an
 * endpoint is set). The driver may use more queues than the target offers:
 * how many there are is the VMM's to say here. VHOST_SET_FEATURES: EBUSY
 * (likewise), EOPNOTSUPP (not offered; there is no VHOST_F_LOG_ALL).
 *
 * VHOST_NEW_WORKER: ENOMEM (more than one for each queue), VHOST_FREE_WORKER:
 * ENODEV, EBUSY (a queue has it), VHOST_ATTACH_VRING_WORKER: ENODEV. All
 * queues have worker 0 first. A worker is no thread: pollers serve the queues,
 * and who serves which follows their load.
 */

/**
 * struct vhost_target_attach - VHOST_TARGET_ATTACH, bind the fd to a target
 * @size: sizeof(struct vhost_target_attach)
 * @flags: must be zero
 * @name: the target's name
 *
 * The target's features, queue count and configuration space are known from
 * here on: attach before VHOST_GET_FEATURES. Queues run once they are set up
 * (number, base, addresses, kick) and VHOST_TARGET_START was called. Closing
 * the fd detaches, whatever is in flight.
 *
 * Errors: ENOENT (no such target, or of another type), EACCES (the opener is
 * neither root nor the target's owner), EBUSY (someone else is attached),
 * EALREADY (this fd is attached), ENXIO (it has no unit), EDQUOT (the opener
 * has as much as a user may have).
 */
struct vhost_target_attach {
	__u32 size;
	__u32 flags;
	char name[VHOST_TARGET_NAME_LEN];
};

/**
 * struct vhost_target_run - VHOST_TARGET_START and VHOST_TARGET_STOP
 * @size: sizeof(struct vhost_target_run)
 * @flags: must be zero
 *
 * START serves every queue that has a number of entries, addresses and a
 * kick eventfd. STOP waits for the requests in flight; afterwards
 * VHOST_GET_VRING_BASE tells where each ring stands. Both may be repeated.
 *
 * Errors: ENOTCONN (not attached), EFAULT (a ring is not in the owner's memory,
 * or its used part is read-only there; it need not be in the memory table),
 * EINVAL (no memory table, no queue set up, or VIRTIO_F_VERSION_1 was not
 * accepted).
 */
struct vhost_target_run {
	__u32 size;
	__u32 flags;
};

/**
 * struct vhost_target_config - VHOST_TARGET_GET_CONFIG and _SET_CONFIG
 * @size: sizeof(struct vhost_target_config)
 * @flags: must be zero
 * @offset: byte offset in the device's configuration space (virtio 1.2, 4.x
 *	"Device configuration layout")
 * @len: bytes
 * @data_ptr: address of the buffer
 *
 * Errors: ENOTCONN (not attached), ERANGE (beyond the configuration space),
 * EACCES (SET: the field is read-only), EINVAL (SET: value not allowed).
 */
struct vhost_target_config {
	__u32 size;
	__u32 flags;
	__u32 offset;
	__u32 len;
	__aligned_u64 data_ptr;
};

/**
 * struct vhost_target_device - VHOST_TARGET_GET_DEVICE
 * @size: sizeof(struct vhost_target_device)
 * @flags: must be zero
 * @device_id: out: virtio device id
 * @num_queues: out: virtqueues of the device
 * @queue_size_max: out: largest size of a virtqueue
 * @config_size: out: bytes of its configuration space
 * @generation: out: changes whenever the configuration space does
 * @reserved0: must be zero
 *
 * Errors: ENOTCONN (not attached).
 */
struct vhost_target_device {
	__u32 size;
	__u32 flags;
	__u32 device_id;
	__u32 num_queues;
	__u32 queue_size_max;
	__u32 config_size;
	__u32 generation;
	__u32 reserved0;
};

/**
 * struct vhost_target_eventfd - VHOST_TARGET_SET_CONFIG_CALL
 * @size: sizeof(struct vhost_target_eventfd)
 * @flags: must be zero
 * @fd: eventfd to signal when the configuration space changes; -1: none
 * @reserved0: must be zero
 *
 * Errors: ENOTCONN (not attached), EBADF, EINVAL (no eventfd).
 */
struct vhost_target_eventfd {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 reserved0;
};

#define VHOST_TARGET_ATTACH		_IO(VHOST_TARGET_IOC, 0x40)
#define VHOST_TARGET_START		_IO(VHOST_TARGET_IOC, 0x41)
#define VHOST_TARGET_STOP		_IO(VHOST_TARGET_IOC, 0x42)
#define VHOST_TARGET_GET_CONFIG		_IO(VHOST_TARGET_IOC, 0x43)
#define VHOST_TARGET_SET_CONFIG		_IO(VHOST_TARGET_IOC, 0x44)
#define VHOST_TARGET_GET_DEVICE		_IO(VHOST_TARGET_IOC, 0x45)
#define VHOST_TARGET_SET_CONFIG_CALL	_IO(VHOST_TARGET_IOC, 0x46)

/*
 * Calls of /dev/vhost-nvme, beside VHOST_SET_OWNER and VHOST_SET_MEM_TABLE of
 * <linux/vhost.h> and VHOST_TARGET_ATTACH. Only the owner's address space may
 * make them (EPERM). All but ATTACH need it first (ENOTCONN). An attached
 * controller is as after power-on; closing the fd removes it, whatever is in
 * flight. Addresses in its queues are guest addresses of the memory table.
 */

/**
 * struct vhost_target_nvme_reg - VHOST_TARGET_NVME_READ and _WRITE, BAR0
 * @size: sizeof(struct vhost_target_nvme_reg)
 * @flags: must be zero
 * @offset: in BAR0, a multiple of @len
 * @len: bytes, 1, 2, 4 or 8
 * @value: WRITE: in; READ: out
 *
 * As by a CPU: what is no register reads as zero and ignores writes. Doorbells
 * start at 0x1000; writing one by this call wakes its queue.
 *
 * Errors: ERANGE (beyond BAR0), EINVAL (@len, or @offset not aligned to it).
 */
struct vhost_target_nvme_reg {
	__u32 size;
	__u32 flags;
	__u32 offset;
	__u32 len;
	__u64 value;
};

/* IRQ flags. */
#define VHOST_TARGET_NVME_IRQ_F_PIN	(1u << 0) /* MSI-X is off */

/**
 * struct vhost_target_nvme_irq - VHOST_TARGET_NVME_SET_IRQ
 * @size: sizeof(struct vhost_target_nvme_irq)
 * @flags: VHOST_TARGET_NVME_IRQ_F_*
 * @vector: interrupt vector
 * @fd: eventfd to signal for it; -1: none
 *
 * A controller starts with MSI-X on. With IRQ_F_PIN, @vector 0 is the pin,
 * which is level triggered: the eventfd is signalled when it goes up, and GET
 * tells its level.
 *
 * Errors: ERANGE (no such vector), EBADF, EINVAL (no eventfd).
 */
struct vhost_target_nvme_irq {
	__u32 size;
	__u32 flags;
	__u32 vector;
	__s32 fd;
};

/**
 * struct vhost_target_nvme_reset - VHOST_TARGET_NVME_RESET, function level reset
 * @size: sizeof(struct vhost_target_nvme_reset)
 * @flags: must be zero
 *
 * Returns when nothing is in flight any more.
 */
struct vhost_target_nvme_reset {
	__u32 size;
	__u32 flags;
};

/**
 * struct vhost_target_nvme_info - VHOST_TARGET_NVME_GET
 * @size: sizeof(struct vhost_target_nvme_info)
 * @flags: must be zero
 * @vectors: out: interrupt vectors
 * @queues: out: I/O queues
 * @bar_size: out: bytes of BAR0
 * @pin: out: level of the pin, with MSI-X off
 * @doorbells: out: offset for mmap() of the page of doorbells, one page, shared
 * @faults: out: times the page was mapped by an access
 * @zaps: out: times the mapping was taken away, to be told of the next access
 * @bad_writes: out: accesses that were no valid ones, doorbells out of range
 * @reserved: must be zero
 */
struct vhost_target_nvme_info {
	__u32 size;
	__u32 flags;
	__u32 vectors;
	__u32 queues;
	__u32 bar_size;
	__u32 pin;
	__u64 doorbells;
	__u64 faults;
	__u64 zaps;
	__u64 bad_writes;
	__u64 reserved[4];
};

#define VHOST_TARGET_NVME_READ		_IO(VHOST_TARGET_IOC, 0x50)
#define VHOST_TARGET_NVME_WRITE		_IO(VHOST_TARGET_IOC, 0x51)
#define VHOST_TARGET_NVME_SET_IRQ	_IO(VHOST_TARGET_IOC, 0x52)
#define VHOST_TARGET_NVME_RESET		_IO(VHOST_TARGET_IOC, 0x53)
#define VHOST_TARGET_NVME_GET		_IO(VHOST_TARGET_IOC, 0x54)

#endif /* _UAPI_LINUX_VHOST_TARGET_H */
