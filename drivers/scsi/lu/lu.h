/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SCSI logical units (SPC-5, SBC-4): what a transport sees of them.
 *
 * A command is a struct scsi_task of the transport. scsi_task_parse() is
 * called by a poller; it looks at the CDB alone and says how to go on:
 *
 *  SCSI_DONE  status and sense are set, no data moves
 *  SCSI_IO    a read, write or flush of the backend: the transport maps the
 *             data buffer, submits, and tells scsi_task_io_done() the result
 *  SCSI_EXEC  anything else: the transport makes the data buffers reachable
 *             for scsi_data_get() and scsi_data_put() and calls
 *             scsi_task_execute() where it may sleep
 *
 * After each of the three the task's results are complete.
 *
 * Fencing. scsi_task_parse() looks at the rights that <vhost_target/resv.h>
 * gives the nexus. What parsed as SCSI_IO is submitted in the same pass of the
 * poller, or parsed again; scsi_itl_drain() waits for that pass and that I/O.
 * What parsed as SCSI_EXEC is looked at again by scsi_task_execute(), and
 * before each of its pieces if it is long.
 *
 * Locks: vt_resv's > scsi_lu.mode_lock > scsi_lu.lock. Unit attentions are
 * raised under @lock, and taken with no lock at all.
 */
#ifndef _SCSI_LU_H
#define _SCSI_LU_H

#include <linux/atomic.h>
#include <linux/blk_types.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <vhost_target/backend.h>
#include <vhost_target/pi.h>
#include <vhost_target/resv.h>

struct cgroup_subsys_state;
struct scsi_cmd;
struct scsi_nexus;
struct scsi_task;

#define SCSI_CDB_LEN		32
#define SCSI_SENSE_LEN		96

/* Largest LUN: what the flat address format can say. */
#define SCSI_LUN_MAX		16383

/* Statuses (SAM-5). */
enum scsi_status {
	SCSI_GOOD			= 0x00,
	SCSI_CHECK_CONDITION		= 0x02,
	SCSI_BUSY			= 0x08,
	SCSI_RESERVATION_CONFLICT	= 0x18,
	SCSI_TASK_SET_FULL		= 0x28,
	SCSI_TASK_ABORTED		= 0x40,
};

/* Task attributes. */
enum scsi_attr {
	SCSI_ATTR_SIMPLE,
	SCSI_ATTR_ORDERED,
	SCSI_ATTR_HEAD,
	SCSI_ATTR_ACA,
};

enum scsi_verdict {
	SCSI_DONE,
	SCSI_IO,
	SCSI_EXEC,
};

/*
 * Unit attentions, in the order in which they are reported.
 * Each is pending or not: raised twice it is reported once.
 */
enum scsi_ua {
	SCSI_UA_POWER_ON,
	SCSI_UA_RESET,			/* the target was reset */
	SCSI_UA_LU_RESET,
	SCSI_UA_NEXUS_LOSS,
	SCSI_UA_COMMANDS_CLEARED,	/* by another initiator */
	SCSI_UA_RESV_PREEMPTED,
	SCSI_UA_RESV_RELEASED,
	SCSI_UA_REG_PREEMPTED,
	SCSI_UA_MODE_CHANGED,
	SCSI_UA_CAPACITY_CHANGED,
	SCSI_UA_INQUIRY_CHANGED,
	SCSI_UA_LUNS_CHANGED,
	SCSI_UA_NR,
};

/*
 * Task management functions a transport can do, as REPORT SUPPORTED TASK
 * MANAGEMENT FUNCTIONS says them: bytes 0 and 1, big endian.
 */
#define SCSI_TMF_ABORT_TASK		0x8000
#define SCSI_TMF_ABORT_TASK_SET		0x4000
#define SCSI_TMF_CLEAR_TASK_SET		0x1000
#define SCSI_TMF_LU_RESET		0x0800
#define SCSI_TMF_QUERY_TASK		0x0400
#define SCSI_TMF_QUERY_TASK_SET		0x0002
#define SCSI_TMF_NEXUS_RESET		0x0001

/**
 * struct scsi_port - the target port that sessions of one target talk to
 * @name: of the target, for the SCSI name string designator
 * @naa: its NAA designator (the wwpn), 8 bytes big endian
 * @rel_port: relative target port identifier, not 0; made of the target's name,
 *	so that two of one backend have the same once in 65,535 times. No nexus
 *	is taken for another one then: initiators have the name in theirs, too.
 * @group: target port group, likewise
 * @tmfs: SCSI_TMF_*
 * @next_lun: the least LUN of the target that is at least @lun, or -1; called
 *	where it may sleep
 */
struct scsi_port {
	const char *name;
	u64 naa;
	u16 rel_port;
	u16 group;
	u16 tmfs;
	int (*next_lun)(struct scsi_nexus *nexus, int lun);
};

/**
 * struct scsi_nexus - I_T nexus: a session of a target; transport's
 * @port: target side
 * @css: block cgroup to charge I/O to, NULL: the root
 * @id: initiator side: its TransportID, and @port's relative target port
 * @lock: protects @itls
 * @itls: struct scsi_itl of it
 */
struct scsi_nexus {
	struct scsi_port *port;
	struct cgroup_subsys_state *css;
	struct vt_resv_id id;
	spinlock_t lock;
	struct list_head itls;
};

/**
 * struct scsi_lu_params - what a logical unit is made of
 * @be: backend; outlives the logical unit
 * @resv: its reservations; NULL: PERSISTENT RESERVE IN and OUT are refused
 * @flags: VHOST_TARGET_UNIT_F_* of the unit
 * @max_bytes: largest transfer the transport can do, a multiple of 4096
 * @vendor: at most 8 printable characters; NULL: ours
 * @product: at most 16; NULL: ours
 * @revision: at most 4; NULL: ours
 * @serial: unit serial number
 * @naa: NAA designator of 8 bytes as a number; 0: made from @serial
 */
struct scsi_lu_params {
	struct vt_backend *be;
	struct vt_resv *resv;
	u32 flags;
	u32 max_bytes;
	const char *vendor;
	const char *product;
	const char *revision;
	const char *serial;
	u64 naa;
};

#define SCSI_VENDOR_LEN		8
#define SCSI_PRODUCT_LEN	16
#define SCSI_REVISION_LEN	4
#define SCSI_SERIAL_LEN		64

/**
 * struct scsi_lu - a logical unit; shared by the sessions of its target
 * @be: see scsi_lu_be()
 * @block_shift: log2 of the bytes of a logical block
 * @max_blocks: largest transfer
 * @pi_type: of its protection information; 0: it has none
 * @ro: read-only by the unit's flags
 * @unmap: discard is offered
 * @unmap_zeroes: what was unmapped reads as zeroes
 * @cache_fixed: the write cache cannot be turned on
 * @wce: the write cache is on (mode page 08h)
 * @swp: software write protect (0Ah)
 * @d_sense: descriptor format sense (0Ah)
 * @resv: the reservations of what it stands on; NULL: there can be none
 * @vendor: space padded, as @product and @revision
 * @product: product identification
 * @revision: product revision level
 * @serial: NUL-terminated
 * @naa: NAA designator
 * @mode_lock: one MODE SELECT at a time
 * @lock: protects @itls
 * @itls: struct scsi_itl
 *
 * Fields from @wce to @d_sense are written under @mode_lock and read without.
 */
struct scsi_lu {
	struct vt_backend *be;
	u8 block_shift;
	u8 pi_type;
	u32 max_blocks;
	bool ro;
	bool unmap;
	bool unmap_zeroes;
	bool cache_fixed;
	bool wce;
	bool swp;
	bool d_sense;
	struct vt_resv *resv;
	char vendor[SCSI_VENDOR_LEN];
	char product[SCSI_PRODUCT_LEN];
	char revision[SCSI_REVISION_LEN];
	char serial[SCSI_SERIAL_LEN + 1];
	u64 naa;
	struct mutex mode_lock;
	spinlock_t lock;
	struct list_head itls;
};

/**
 * struct scsi_itl - I_T_L nexus: a session's logical unit
 * @lu: logical unit
 * @nexus: session
 * @ua: pending unit attentions, BIT(enum scsi_ua)
 * @stopped: by its own START STOP UNIT: others are not in the way of a VM that
 *	shuts down, nor is that VM when it starts again
 * @resv: what the reservations know of it
 * @lu_node: on @lu->itls
 * @nexus_node: on @nexus->itls
 * @aborting: the transport's: tasks that it aborted and that have not ended
 *
 * The fast path reads @ua, @stopped and @resv.may and no more.
 */
struct scsi_itl {
	struct scsi_lu *lu;
	struct scsi_nexus *nexus;
	atomic_t ua;
	bool stopped;
	struct vt_resv_nexus resv;
	struct list_head lu_node;
	struct list_head nexus_node;
	atomic_t aborting;
};

/**
 * struct scsi_task - a command
 * @nexus: in: where it came from
 * @itl: in: its logical unit, NULL: there is none at this LUN
 * @out_len: in: bytes the initiator gave to be read
 * @in_len: in: bytes it gave to be written
 * @pi_ok: in: the transport can carry protection information beside the data;
 *	if not, the logical unit looks as if it had none
 * @pi_out_len: in: bytes of protection information the initiator gave
 * @pi_in_len: in: bytes it gave to be written with some
 * @attr: in: enum scsi_attr
 * @cdb: in: zero padded; copied out of guest memory
 * @aborted: set by the transport at any time: scsi_task_execute() comes to an
 *	end soon, what it leaves undone it leaves out
 * @cmd: the command's row
 * @op: SCSI_IO: enum vt_op, READ, WRITE or FLUSH
 * @io_flags: SCSI_IO: VT_IO_*
 * @sector: SCSI_IO: first, in units of 512 bytes
 * @bytes: SCSI_IO: to move, from the first byte of the buffer on; within
 *	@in_len or @out_len
 * @pi_bytes: SCSI_IO, SCSI_EXEC: of protection information to move, all of a
 *	read or write; 0: none
 * @pi_checks: SCSI_EXEC: VT_PI_*
 * @pi: SCSI_EXEC with @pi_bytes: set by the transport: a write's tuples, or
 *	where a read's go
 * @status: result: enum scsi_status
 * @overrun: result: the command needs more data than the initiator gave
 *	buffers for. It was not done, but for data that was cut off at @in_len.
 * @moved: result: bytes of the data buffers that were used
 * @sense_len: result: bytes of @sense
 * @sense: result
 */
struct scsi_task {
	struct scsi_nexus *nexus;
	struct scsi_itl *itl;
	u64 out_len;
	u64 in_len;
	bool pi_ok;
	u32 pi_out_len;
	u32 pi_in_len;
	u8 attr;
	u8 cdb[SCSI_CDB_LEN];
	bool aborted;

	const struct scsi_cmd *cmd;
	u8 op;
	u8 io_flags;
	u64 sector;
	u32 bytes;
	u32 pi_bytes;
	u8 pi_checks;
	struct vt_pi *pi;

	u8 status;
	bool overrun;
	u64 moved;
	u8 sense_len;
	u8 sense[SCSI_SENSE_LEN];
};

/* Bytes of the initiator's buffers that were not used. */
static inline u64 scsi_task_residual(const struct scsi_task *task)
{
	return task->out_len + task->in_len - task->moved;
}

/* What a logical unit's I/O goes to. */
static inline struct vt_backend *scsi_lu_be(const struct scsi_lu *lu)
{
	return lu->be;
}

/* Once, before any other call. */
void scsi_cmds_init(void);

/**
 * scsi_task_parse - look at a command
 * @task: all of its "in" fields are set
 *
 * Context: a poller; neither sleeps nor allocates.
 */
enum scsi_verdict scsi_task_parse(struct scsi_task *task);

/**
 * scsi_task_execute - do a command that parsed as SCSI_EXEC
 * @task: parsed
 *
 * Context: may sleep, allocates.
 */
void scsi_task_execute(struct scsi_task *task);

/**
 * scsi_task_io_done - the I/O of a task that parsed as SCSI_IO has ended
 * @task: parsed
 * @status: of the I/O
 *
 * Context: any.
 */
void scsi_task_io_done(struct scsi_task *task, blk_status_t status);

/**
 * scsi_task_pi_failed - the same, and a check of its protection information
 * failed
 * @task: parsed
 * @bad: the VT_PI_* that failed
 * @at: blocks before the one that failed
 *
 * Context: any.
 */
void scsi_task_pi_failed(struct scsi_task *task, u8 bad, u32 at);

/**
 * scsi_lu_init - make a logical unit
 * @lu: zeroed
 * @p: what of; copied
 *
 * Returns: 0, -EINVAL (a string is too long or not printable ASCII, blocks
 * are larger than @p->max_bytes or 32 KiB).
 */
int scsi_lu_init(struct scsi_lu *lu, const struct scsi_lu_params *p);

/* Undo it. No nexus has it any more. */
void scsi_lu_destroy(struct scsi_lu *lu);

/* Set up a session's side. */
void scsi_nexus_init(struct scsi_nexus *nexus, struct scsi_port *port,
		     const struct vt_resv_id *id,
		     struct cgroup_subsys_state *css);

/**
 * scsi_itl_attach - give a logical unit to a session
 * @itl: zeroed; the transport's until scsi_itl_detach()
 * @nexus: session
 * @lu: logical unit
 *
 * POWER ON is pending on it afterwards; registrations of the nexus's identity
 * are its own again. Context: may sleep.
 */
void scsi_itl_attach(struct scsi_itl *itl, struct scsi_nexus *nexus,
		     struct scsi_lu *lu);

/* Undo it. It has no task in flight. Context: may sleep. */
void scsi_itl_detach(struct scsi_itl *itl);

/**
 * scsi_itl_power_on - the initiator knows nothing of an earlier session
 * @itl: its logical unit; no task of it was taken yet
 *
 * If no other nexus has the logical unit, mode pages go back to their
 * defaults. Context: may sleep.
 */
void scsi_itl_power_on(struct scsi_itl *itl);

/**
 * scsi_lu_reset - what a reset does to a logical unit
 * @lu: logical unit; the transport has aborted its tasks
 * @ua: SCSI_UA_RESET or SCSI_UA_LU_RESET: raised for every nexus, also the
 *	one that asked for it
 *
 * Mode pages go back to their defaults, and it is stopped for nobody;
 * persistent reservations stay. Context: may sleep.
 */
void scsi_lu_reset(struct scsi_lu *lu, enum scsi_ua ua);

/**
 * scsi_ua_raise - a unit attention for one nexus
 * @itl: which
 * @ua: what
 *
 * Context: any.
 */
void scsi_ua_raise(struct scsi_itl *itl, enum scsi_ua ua);

/**
 * scsi_ua_raise_all - a unit attention for all nexuses of a logical unit
 * @lu: logical unit
 * @except: but this one; may be NULL
 * @ua: what
 *
 * Context: any.
 */
void scsi_ua_raise_all(struct scsi_lu *lu, struct scsi_itl *except,
		       enum scsi_ua ua);

/* The same, for all logical units of a session. */
void scsi_ua_raise_nexus(struct scsi_nexus *nexus, struct scsi_itl *except,
			 enum scsi_ua ua);

/* A locally assigned NAA designator (3h) that is the same for a text. */
u64 scsi_naa(const char *text);

/* LUN of a REPORT LUNS list or an event; peripheral below 256, else flat. */
void scsi_lun_encode(int lun, u8 buf[8]);

/*
 * What the transport provides.
 */

/**
 * scsi_data_get - copy from the initiator's data-out buffer
 * @task: being executed
 * @off: first byte; @off + @len is within @task->out_len
 * @buf: to
 * @len: bytes
 *
 * Context: scsi_task_execute(). Returns: 0, or -EFAULT.
 */
int scsi_data_get(struct scsi_task *task, u64 off, void *buf, u32 len);

/* Copy to the initiator's data-in buffer; likewise. */
int scsi_data_put(struct scsi_task *task, u64 off, const void *buf, u32 len);

/**
 * scsi_itl_drain - wait for the I/O of a nexus
 * @itl: whose, and on what
 *
 * Waits for tasks on what @itl stands on that parsed as SCSI_IO, before or while
 * this is called, and no others: see the rules of drain in <vhost_target/resv.h>.
 * Context: scsi_task_execute() of any nexus.
 */
void scsi_itl_drain(struct scsi_itl *itl);

#endif
