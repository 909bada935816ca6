/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Persistent reservations: who may read and write a backend.
 *
 * DOC: persistent reservations
 *
 * One struct vt_resv belongs to each backend, whatever targets stand on it.
 * SCSI (SPC-5, 5.14) and NVMe (base 2.0, 8.19) reservations are the same
 * thing here, so that a SCSI and an NVMe target on one backend fence each
 * other. What differs is told apart by the operation asked for, and each
 * protocol translates enum vt_resv_result and the events.
 *
 * A *registrant* is an identity with a key: of a SCSI I_T nexus or of an NVMe
 * host. It stays when the VM goes and counts again when it comes back. A
 * *nexus* is a living session of an identity on a unit; there may be several
 * of one identity (controllers of one NVMe host), or none.
 *
 * The state is never changed in place: an operation makes a new one, has it
 * saved if it shall persist through a loss of power, and then puts it in the
 * place of the old one. So an operation either happened or did not.
 *
 * The data path reads one byte, nexus->may, which is rewritten for each nexus
 * whenever the state changes: a poller needs no lock to learn of a change.
 *
 * Fencing. Commands that pollers submit are in flight when the rights of
 * their nexus change: ops->drain waits for those. Commands that run in work
 * items check and do their I/O inside vt_resv_exec_begin/end: whoever fences
 * waits for those that began before. Long ones do so piece by piece, so that
 * nobody waits for more than a piece. An operation that takes rights or
 * registrations away returns only when both have ended, and other operations and
 * reports wait for it: who sees the new state can rely on it. What is in flight
 * at a device that hangs does not end: nexuses come and go meanwhile.
 *
 * Locks: resv->fence_lock (held over a whole operation or report) >
 * resv->lock (state, nexuses; held over the change and its save), and
 * fence_lock > resv->exec_sem (written and released again to wait for work
 * items; these read it around check and I/O, and take neither of the others
 * inside). fence_lock is not taken under a lock of a session or a target. A
 * drain waits for I/O of the backend only, never for a work item, so two
 * nexuses that preempt each other go one after the other. No lock of a
 * session or target may be held which the end of its I/O needs.
 */
#ifndef _VHOST_TARGET_RESV_H
#define _VHOST_TARGET_RESV_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/wait.h>

struct vt_resv;
struct vt_resv_nexus;

/* Registrants of one backend. */
#define VT_RESV_MAX_REGISTRANTS	256

/* Bytes of an identity: a SAS TransportID has 24, an NVMe host 16. */
#define VT_RESV_ID_LEN		24

/* enum vt_resv_proto - whose identity it is */
enum vt_resv_proto {
	VT_RESV_SCSI	= 1,
	VT_RESV_NVME	= 2,
};

/**
 * struct vt_resv_id - identity of a registrant
 * @proto: enum vt_resv_proto
 * @len: bytes used of @bytes
 * @port: SCSI: relative target port; NVMe: 0
 * @bytes: SCSI: TransportID; NVMe: host identifier; zero beyond @len
 */
struct vt_resv_id {
	u8 proto;
	u8 len;
	u16 port;
	u8 bytes[VT_RESV_ID_LEN];
};

/* enum vt_resv_type - type of a reservation; NVMe's numbers */
enum vt_resv_type {
	VT_RESV_NONE			= 0,
	VT_RESV_WRITE_EX		= 1,
	VT_RESV_EX_ACCESS		= 2,
	VT_RESV_WRITE_EX_REG		= 3,	/* registrants only */
	VT_RESV_EX_ACCESS_REG		= 4,
	VT_RESV_WRITE_EX_ALL		= 5,	/* all registrants hold it */
	VT_RESV_EX_ACCESS_ALL		= 6,
};

/* What a nexus may do; of nexus->may. */
#define VT_RESV_READ	BIT(0)
#define VT_RESV_WRITE	BIT(1)
#define VT_RESV_RW	(VT_RESV_READ | VT_RESV_WRITE)

/* enum vt_resv_op - operations that change something */
enum vt_resv_op {
	/* SCSI REGISTER: @key is the present key, 0 if not registered. */
	VT_RESV_OP_REGISTER,
	/*
	 * The same whatever the present key (SCSI; NVMe replace with IEKEY,
	 * which has no key 0).
	 */
	VT_RESV_OP_REGISTER_IGNORE,
	/* NVMe register: only if not registered, or with the same key. */
	VT_RESV_OP_REGISTER_NEW,
	/* NVMe replace: must be registered with @key. */
	VT_RESV_OP_REPLACE,
	/* NVMe unregister: must be registered with @key, or @ignore_key. */
	VT_RESV_OP_UNREGISTER,
	/* SCSI REGISTER AND MOVE: @new_key and the reservation to @dest. */
	VT_RESV_OP_MOVE,
	VT_RESV_OP_RESERVE,
	VT_RESV_OP_RELEASE,
	VT_RESV_OP_CLEAR,
	/* @new_key: whose registrations and reservation go. */
	VT_RESV_OP_PREEMPT,
	VT_RESV_OP_PREEMPT_ABORT,
	/* Nothing but @ptpl (NVMe Set Features). */
	VT_RESV_OP_SET_PTPL,
};

/**
 * enum vt_resv_result - how an operation ended; only OK changed anything
 * @VT_RESV_OK: done
 * @VT_RESV_CONFLICT: reservation conflict
 * @VT_RESV_BAD_COMMAND: impossible in this state, or no such type (SCSI:
 *	INVALID FIELD IN CDB, NVMe: Invalid Field)
 * @VT_RESV_BAD_PARAM: a key or @dest is impossible (SCSI: INVALID FIELD IN
 *	PARAMETER LIST, NVMe: Invalid Field)
 * @VT_RESV_BAD_RELEASE: release of another type than is held (SCSI: INVALID
 *	RELEASE OF PERSISTENT RESERVATION, NVMe: Invalid Field)
 * @VT_RESV_FULL: no registrant can be added (SCSI: INSUFFICIENT REGISTRATION
 *	RESOURCES)
 * @VT_RESV_NO_RESOURCES: no memory, or the state could not be saved (SCSI:
 *	INSUFFICIENT RESOURCES, NVMe: Internal Error)
 */
enum vt_resv_result {
	VT_RESV_OK,
	VT_RESV_CONFLICT,
	VT_RESV_BAD_COMMAND,
	VT_RESV_BAD_PARAM,
	VT_RESV_BAD_RELEASE,
	VT_RESV_FULL,
	VT_RESV_NO_RESOURCES,
};

/* enum vt_resv_ptpl - persist through power loss, as an operation asks */
enum vt_resv_ptpl {
	VT_RESV_PTPL_KEEP,	/* leave it as it is */
	VT_RESV_PTPL_OFF,
	VT_RESV_PTPL_ON,	/* BAD_PARAM if it cannot be saved */
};

/**
 * struct vt_resv_args - an operation
 * @op: enum vt_resv_op
 * @type: enum vt_resv_type, of RESERVE, RELEASE and the PREEMPTs
 * @ptpl: enum vt_resv_ptpl; of the REGISTERs, MOVE and SET_PTPL
 * @unreg: MOVE: unregister the nexus itself
 * @ignore_key: UNREGISTER: @key may be anything
 * @key: present key of the nexus
 * @new_key: key to register, or to preempt
 * @dest: MOVE: to whom
 */
struct vt_resv_args {
	u8 op;
	u8 type;
	u8 ptpl;
	bool unreg;
	bool ignore_key;
	u64 key;
	u64 new_key;
	struct vt_resv_id dest;
};

/**
 * struct vt_resv_reg - a registrant
 * @id: who
 * @key: its key
 */
struct vt_resv_reg {
	struct vt_resv_id id;
	u64 key;
};

/* vt_resv_state.holder when nobody, or all registrants, hold it. */
#define VT_RESV_NOBODY	0xffff

/**
 * struct vt_resv_state - registrants and reservation at one time; constant
 * @generation: PRgeneration
 * @type: enum vt_resv_type; VT_RESV_NONE: no reservation
 * @ptpl: persists through power loss
 * @holder: entry of @reg, or VT_RESV_NOBODY
 * @nr: entries of @reg
 * @reg: registrants, in the order of their registration
 */
struct vt_resv_state {
	u32 generation;
	u8 type;
	bool ptpl;
	u16 holder;
	u16 nr;
	struct vt_resv_reg reg[] __counted_by(nr);
};

/* What is told to a nexus that did not cause it; a mask, see ops->event. */
#define VT_RESV_EV_REG_PREEMPTED	BIT(0)	/* its registration was removed */
#define VT_RESV_EV_RELEASED		BIT(1)	/* reservation released */
#define VT_RESV_EV_RESV_PREEMPTED	BIT(2)	/* all was cleared */
/* These mean that it is not registered any more. */
#define VT_RESV_EV_REMOVED	(VT_RESV_EV_REG_PREEMPTED | \
				 VT_RESV_EV_RESV_PREEMPTED)

/**
 * struct vt_resv_nexus_ops - what a nexus is told
 * @event: something happened to it by another's doing (VT_RESV_EV_*): raise
 *	a unit attention, log a notification; resv->lock held, must not take a
 *	lock under which resv functions are called; may not sleep for long
 * @drain: its rights were taken away: wait for what pollers of its session
 *	have in flight at the backend, and for nothing else: neither for a work
 *	item nor for a lock under which somebody waits for one, as that work
 *	item may be waiting for resv->fence_lock, which is held; NULL: nothing
 *	can be in flight
 */
struct vt_resv_nexus_ops {
	void (*event)(struct vt_resv_nexus *n, unsigned int events);
	void (*drain)(struct vt_resv_nexus *n);
};

/**
 * struct vt_resv_nexus - a living session on a unit
 * @ops: its protocol
 * @resv: of the unit's backend; NULL: not bound. Set by bind and unbind, as
 *	the fields below.
 * @id: who it is
 * @controller: NVMe: its controller id, for the report; set before bind
 * @may: VT_RESV_READ, VT_RESV_WRITE; written under resv->lock, read by anybody
 * @events: of the operation under way; resv->lock, as the fields below
 * @lost: rights that it lost by it
 * @fenced: it lost something, and was not drained since
 * @draining: it is; it stays bound
 * @node: on resv->nexuses
 */
struct vt_resv_nexus {
	const struct vt_resv_nexus_ops *ops;
	struct vt_resv *resv;
	struct vt_resv_id id;
	u16 controller;
	u8 may;
	u8 events;
	u8 lost;
	bool fenced;
	bool draining;
	struct list_head node;
};

/**
 * struct vt_resv - reservations of a backend
 * @fence_lock: see above
 * @exec_sem: see above
 * @drained: where unbinding waits for whoever drains the nexus
 * @lock: see above; protects the fields below
 * @state: present state
 * @nexuses: living nexuses
 * @save: put a state that has @ptpl, or the fact that there is none any more
 *	(!@ptpl), on stable storage; 0 or an error. NULL: cannot be saved
 * @save_priv: its own
 */
struct vt_resv {
	struct mutex fence_lock;
	struct rw_semaphore exec_sem;
	wait_queue_head_t drained;
	struct mutex lock;
	const struct vt_resv_state *state;
	struct list_head nexuses;
	int (*save)(struct vt_resv *r, const struct vt_resv_state *s);
	void *save_priv;
};

/* Make one, without registrants. Returns: 0 or -ENOMEM. Context: may sleep. */
int vt_resv_init(struct vt_resv *r);

/* No nexus is bound to it any more. */
void vt_resv_destroy(struct vt_resv *r);

/**
 * vt_resv_restore - take registrants and reservation from a saved state
 * @r: reservations, just made
 * @s: state from untrusted storage; copied. Its generation does not matter,
 *	it starts at 0.
 *
 * Returns: 0, -EINVAL (impossible), -ENOMEM.
 */
int vt_resv_restore(struct vt_resv *r, const struct vt_resv_state *s);

/**
 * vt_resv_bind - a session of identity @id begins to use the unit
 * @r: of the unit's backend
 * @n: with @ops and @controller set
 * @id: who
 *
 * What this identity had registered is its own again.
 * Context: may sleep.
 */
void vt_resv_bind(struct vt_resv *r, struct vt_resv_nexus *n,
		  const struct vt_resv_id *id);

/**
 * vt_resv_rebind - a session has another identity from now on
 * @n: bound; its commands may be going on
 * @id: who
 *
 * Commands that are going on count as the one's or the other's.
 * Context: may sleep.
 */
void vt_resv_rebind(struct vt_resv_nexus *n, const struct vt_resv_id *id);

/* It ends: nothing of it is in flight. Does nothing if it is not bound. */
void vt_resv_unbind(struct vt_resv_nexus *n);

/**
 * vt_resv_may - may a command of this nexus go on?
 * @n: nexus
 * @what: VT_RESV_READ or VT_RESV_WRITE
 *
 * Context: any. A poller calls it in the pass in which it submits the I/O; a
 * work item inside vt_resv_exec_begin().
 */
static inline bool vt_resv_may(const struct vt_resv_nexus *n, u8 what)
{
	return READ_ONCE(n->may) & what;
}

/* Around check and I/O of a command in a work item. Context: may sleep. */
void vt_resv_exec_begin(struct vt_resv *r);
void vt_resv_exec_end(struct vt_resv *r);

/**
 * vt_resv_out - do an operation
 * @n: nexus that asks for it
 * @a: operation
 *
 * When it returns, no I/O that it forbids is in flight any more.
 * Context: a work item; may sleep.
 * Returns: enum vt_resv_result.
 */
enum vt_resv_result vt_resv_out(struct vt_resv_nexus *n,
				const struct vt_resv_args *a);

/**
 * vt_resv_set_ptpl - shall it persist through a loss of power?
 * @n: nexus that asks for it
 * @on: it shall
 *
 * Context: may sleep; waits for no I/O of the backend.
 * Returns: enum vt_resv_result.
 */
enum vt_resv_result vt_resv_set_ptpl(struct vt_resv_nexus *n, bool on);

/* Does it? Context as above. */
bool vt_resv_get_ptpl(struct vt_resv *r);

/**
 * vt_resv_read - look at the present state
 * @r: reservations
 *
 * The state and r->nexuses stay as they are until vt_resv_read_end(). No I/O
 * that it forbids is in flight.
 * Context: a work item; may sleep.
 */
const struct vt_resv_state *vt_resv_read(struct vt_resv *r);
void vt_resv_read_end(struct vt_resv *r);

/* Can a state be made to persist through power loss? */
static inline bool vt_resv_can_save(const struct vt_resv *r)
{
	return r->save;
}

/* Is this reservation held by all registrants? */
static inline bool vt_resv_all_hold(u8 type)
{
	return type == VT_RESV_WRITE_EX_ALL || type == VT_RESV_EX_ACCESS_ALL;
}

/* Does registrant @i hold the reservation? */
static inline bool vt_resv_holds(const struct vt_resv_state *s, unsigned int i)
{
	return vt_resv_all_hold(s->type) || i == s->holder;
}

static inline bool vt_resv_id_equal(const struct vt_resv_id *a,
				    const struct vt_resv_id *b)
{
	return !memcmp(a, b, sizeof(*a));
}

#endif
