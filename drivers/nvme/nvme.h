/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of an NVMe controller that needs no kernel: registers, admin
 * commands, data pointers. It also compiles in user space, for the unit
 * tests. The engine (ctrl.h) provides the functions under "engine".
 */
#ifndef _VT_NVME_NVME_H
#define _VT_NVME_NVME_H

#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/string.h>

#include <vhost_target/nvme.h>
#include <vhost_target/pi.h>
#include <vhost_target/target.h>

#include "spec.h"

#define NV_MAX_QUEUES	VT_NVME_MAX_IO_QUEUES
#define NV_MQES		1024u	/* entries of the largest queue */
#define NV_MDTS		8	/* 2^8 pages: 1 MiB */
#define NV_MAX_DATA	(NV_PAGE_SIZE << NV_MDTS)
#define NV_MAX_AER	8	/* asynchronous event requests outstanding */
#define NV_MAX_ERRORS	64	/* entries of the error log */
#define NV_MAX_NS	1024	/* largest namespace identifier */
#define NV_MAX_NOTES	16	/* reservation notifications kept */

/* Blocks of a fused Compare and Write, less one. */
#define NV_ACWU		255

/* Of the Copy command: blocks of a range, of all, and ranges. */
#define NV_COPY_RANGES	128u
#define NV_COPY_TOTAL	(64u << 20)	/* bytes */

/* Firmware revision, padded. */
#define NV_FIRMWARE	"1       "

/* What a device without a thermometer says: 300 K. */
#define NV_TEMPERATURE	300
#define NV_WARN_TEMP	343
#define NV_CRIT_TEMP	373

/* regs.c */

/**
 * struct nv_regs - controller registers
 * @cap: capabilities
 * @asq: admin submission queue
 * @acq: admin completion queue
 * @intms: vectors masked, for the pin
 * @cc: configuration
 * @csts: status
 * @aqa: sizes of the admin queues
 */
struct nv_regs {
	u64 cap;
	u64 asq;
	u64 acq;
	u32 intms;
	u32 cc;
	u32 csts;
	u32 aqa;
};

/* What a write to a register asks for. */
#define NV_ACT_ENABLE	BIT(0)	/* start the admin queues, then RDY */
#define NV_ACT_DISABLE	BIT(1)	/* stop everything */
#define NV_ACT_SHUTDOWN	BIT(2)	/* end what is in flight, flush */
#define NV_ACT_IRQ	BIT(3)	/* the interrupt mask has changed */
#define NV_ACT_BAD	BIT(4)	/* it was no valid access */

void nv_regs_reset(struct nv_regs *r);
u64 nv_regs_read(const struct nv_regs *r, u32 off, unsigned int size);
unsigned int nv_regs_write(struct nv_regs *r, u32 off, unsigned int size,
			   u64 val);
/* What the actions lead to. */
void nv_regs_enabled(struct nv_regs *r, bool ok);
void nv_regs_disabled(struct nv_regs *r);
void nv_regs_shut_down(struct nv_regs *r);
void nv_regs_failed(struct nv_regs *r);

static inline bool nv_regs_ready(const struct nv_regs *r)
{
	return r->csts & NV_CSTS_RDY;
}

/* dptr.c */

/**
 * struct nv_walk - a walk over the data a command points to
 * @read: copy @len bytes of guest memory; 0, -EAGAIN, -EFAULT
 * @piece: @len bytes of data at @addr; 0 or -errno
 * @skip: @len bytes that go nowhere; 0 or -errno
 *
 * Pieces come in order. A walk that ended with -EAGAIN is started anew.
 */
struct nv_walk {
	int (*read)(struct nv_walk *w, u64 addr, void *buf, u32 len);
	int (*piece)(struct nv_walk *w, u64 addr, u32 len);
	int (*skip)(struct nv_walk *w, u32 len);
};

/* io.c: @read and @piece of I/O commands. */
int nv_io_walk_read(struct nv_walk *w, u64 addr, void *buf, u32 len);
int nv_io_walk_piece(struct nv_walk *w, u64 addr, u32 len);

/* Descriptors that an SGL may have before it is taken for endless. */
#define NV_SGL_MAX	1024

/**
 * nv_walk_prp - walk over PRPs
 * @w: what to do
 * @prp1: PRP entry 1
 * @prp2: PRP entry 2
 * @len: bytes of data, not 0
 *
 * Returns: 0, an error of a function of @w but -EFAULT, or an NVMe status.
 */
int nv_walk_prp(struct nv_walk *w, u64 prp1, u64 prp2, u32 len);

/**
 * nv_walk_sgl - walk over an SGL
 * @w: what to do
 * @first: the descriptor in the command
 * @len: bytes of data
 * @to_host: data goes to the host: bit buckets take some of it
 *
 * Returns: as nv_walk_prp().
 */
int nv_walk_sgl(struct nv_walk *w, const struct nv_sgl *first, u32 len,
		bool to_host);

/* Either, as PSDT says. */
int nv_walk_data(struct nv_walk *w, const struct nv_sqe *cmd, u32 len,
		 bool to_host);

/* doorbell.h has the arithmetic of queues. */

/**
 * struct nv_qinfo - a queue as admin commands know it
 * @base: guest address
 * @size: entries
 * @cqid: submission queue: its completion queue
 * @vector: completion queue: interrupt vector
 * @nr_sqs: completion queue: submission queues that use it
 * @ien: completion queue: interrupts are enabled
 * @used: it exists
 */
struct nv_qinfo {
	u64 base;
	u32 size;
	u16 cqid;
	u16 vector;
	u16 nr_sqs;
	bool ien;
	bool used;
};

/* Values of features; reset to the defaults with the controller. */
struct nv_features {
	u32 arbitration;
	u32 power;
	u16 over;	/* composite temperature thresholds, K */
	u16 under;
	u32 vwc;
	u32 coalesce;
	u32 atomicity;
	u32 aec;
	u16 nr_sq;
	u16 nr_cq;
	u64 timestamp;	/* ms, at @timestamp_at */
	u64 timestamp_at;
	u8 timestamp_origin;
	u8 hostid_len;
	u8 hostid[16];
	/* Coalescing is off (CD), by vector. */
	bool no_coalesce[VT_NVME_MAX_VECTORS];
};

/**
 * struct nv_aer - asynchronous events
 * @cid: commands outstanding
 * @nr: their number
 * @masked: by type: reported, and its log page not read yet
 * @pending: by type: event to report, @has of it
 */
struct nv_aer {
	u16 cid[NV_MAX_AER];
	u8 nr;
	u8 masked;
	u8 has;
	u32 pending[NV_AER_TYPES];
};

/**
 * struct nv_errors - the error log
 * @count: errors since the controller was made
 * @entry: the latest, by count modulo its size
 */
struct nv_errors {
	u64 count;
	struct nv_log_error entry[NV_MAX_ERRORS];
};

/**
 * struct nv_changed - namespaces that changed since the log was last read
 * @nr: entries of @nsid
 * @overflow: more than fit
 * @nsid: sorted
 */
struct nv_changed {
	unsigned int nr;
	bool overflow;
	__le32 nsid[NV_MAX_CHANGED];
};

/**
 * struct nv_ns - a namespace as a controller sees it
 * @unit: what is behind it
 * @resv: the controller as a user of the namespace
 * @owner: the engine's
 * @node: on the unit's list of these; target->lock
 * @own_node: on the controller's; target->lock
 * @mask: reservation notifications not wanted, by feature 82h; target->lock
 */
struct nv_ns {
	struct vt_unit *unit;
	struct vt_resv_nexus resv;
	void *owner;
	struct list_head node;
	struct list_head own_node;
	u32 mask;
};

/**
 * struct nv_notes - reservation notifications not read yet
 * @count: of all there have been
 * @nr: entries of @note
 * @note: the oldest first
 */
struct nv_notes {
	u64 count;
	unsigned int nr;
	struct nv_log_resv note[NV_MAX_NOTES];
};

/**
 * struct nv_core - controller
 * @target: its target
 * @regs: registers
 * @cntlid: controller identifier, of those attached to the target
 * @nr_queues: I/O queues offered
 * @nr_vectors: vectors
 * @msix: MSI-X is on
 * @sq: submission queues, 0: admin
 * @cq: completion queues, 0: admin
 * @feat: features
 * @aer: asynchronous events
 * @errors: error log
 * @changed: changed namespaces
 * @notes: reservation notifications
 * @ns: namespaces, by identifier - 1; an entry goes when its unit goes, and
 *	stays until no command uses it
 * @started: when it was attached, ns
 * @enables: times it was enabled
 * @unclean: times it was disabled or reset without a shutdown
 *
 * Protected by the engine's lock of the controller; @regs, @aer, @errors,
 * @changed and @notes by nv_lock().
 */
struct nv_core {
	struct vt_target *target;
	struct nv_regs regs;
	u16 cntlid;
	unsigned int nr_queues;
	unsigned int nr_vectors;
	bool msix;
	struct nv_qinfo sq[NV_MAX_QUEUES + 1];
	struct nv_qinfo cq[NV_MAX_QUEUES + 1];
	struct nv_features feat;
	struct nv_aer aer;
	struct nv_errors errors;
	struct nv_changed changed;
	struct nv_notes notes;
	struct nv_ns **ns;
	u64 started;
	u64 enables;
	u64 unclean;
};

/**
 * struct nv_admin - an admin command at work
 * @c: controller
 * @cmd: copy of the command
 * @dw0: result
 * @buf: NV_PAGE_SIZE bytes to work with, zeroed
 * @walk: a walk over its data
 * @at: where the walk is, in what is copied
 * @left: bytes it has left
 * @write: the walk copies to the host
 */
struct nv_admin {
	struct nv_core *c;
	struct nv_sqe cmd;
	u32 dw0;
	u8 *buf;
	struct nv_walk walk;
	u8 *at;
	u32 left;
	bool write;
};

/* Not a status: an asynchronous event request that stays. */
#define NV_HELD	0xffff

/* admin.c */

void nv_core_init(struct nv_core *c, struct vt_target *t);
/* As after a controller reset; what outlives it stays. */
void nv_core_reset(struct nv_core *c);

/* Do a command. Returns: its status or NV_HELD. Context: may sleep. */
u16 nv_admin_do(struct nv_admin *a);
/* Move data; returns a status. */
u16 nv_admin_to_host(struct nv_admin *a, const void *from, u32 len);
u16 nv_admin_from_host(struct nv_admin *a, void *to, u32 len);
u16 nv_admin_log_to_host(struct nv_admin *a, u32 size, u64 off, u32 len);
/* Is this opcode one of ours? */
bool nv_admin_knows(const struct nv_core *c, u8 opcode);

/* queues.c: the commands that make and delete queues */
u16 nv_create_cq(struct nv_admin *a);
u16 nv_create_sq(struct nv_admin *a);
u16 nv_delete_cq(struct nv_admin *a);
u16 nv_delete_sq(struct nv_admin *a);

/* identify.c */
u16 nv_identify(struct nv_admin *a);
/* Has a namespace a volatile write cache? nv_ns_lock() held. */
bool nv_write_cache(struct nv_core *c);

/* ns.c */
u64 nv_hash(const void *data, size_t len);
void nv_ns_nguid(const struct vt_unit *u, u8 nguid[16]);
void nv_ns_eui64(const struct vt_unit *u, u8 eui[8]);
void nv_ns_uuid(const struct vt_unit *u, u8 uuid[16]);
void nv_ns_identify(const struct vt_unit *u, struct nv_id_ns *id);
bool nv_ns_ro(const struct vt_unit *u);
/* Does it have metadata: protection information? */
bool nv_ns_pi(const struct vt_unit *u);
u8 nv_ns_nmic(const struct vt_unit *u);
u8 nv_ns_attr(const struct vt_unit *u);
u8 nv_ns_rescap(const struct vt_unit *u);

/* feature.c */
void nv_features_init(struct nv_core *c);
u16 nv_set_features(struct nv_admin *a);
u16 nv_get_features(struct nv_admin *a);
/* Bits of the feature in the log of features; 0: no such. nv_ns_lock() held. */
u32 nv_feature_effects(struct nv_core *c, u8 fid);

/* io.c */
bool nv_io_knows(u8 opcode);
/* Are these blocks of the namespace? Where is a block, in 512 bytes? */
bool nv_lba_ok(const struct vt_unit *u, u64 lba, u64 nlb);
u64 nv_lba_sector(const struct vt_unit *u, u64 lba);

/* log.c */
u16 nv_get_log(struct nv_admin *a);

/* event.c */

/* A new request. Returns: NV_HELD or a status. */
u16 nv_aer_hold(struct nv_core *c, u16 cid);
/* Something happened: NV_AER(). */
void nv_aer_post(struct nv_core *c, u32 event);
/* The log page was read. */
void nv_aer_unmask(struct nv_core *c, u8 log);
/* Is there an event for a request? nv_lock() held. */
bool nv_aer_take(struct nv_core *c, u16 *cid, u32 *event);
/* Is this request held? Then it is not any more. */
bool nv_aer_abort(struct nv_core *c, u16 cid);
/* Forget all requests and events. */
void nv_aer_reset(struct nv_core *c);

void nv_error_add(struct nv_core *c, u16 sqid, u16 cid, u16 status, u32 nsid,
		  u64 lba);
/* Something happened to a reservation: VT_RESV_EV_*. */
void nv_resv_noted(struct nv_core *c, struct nv_ns *ns, unsigned int events);
/* A namespace came, went or changed. */
void nv_ns_changed(struct nv_core *c, u32 nsid);

/* Totals of a target's counters that the SMART log wants. */
struct nv_smart {
	u64 bytes_read;
	u64 bytes_written;
	u64 reads;
	u64 writes;
	u64 busy_ns;
	u64 media_errors;
	u64 now;	/* ns, same clock as nv_core.started */
};

/* Are shadow doorbells offered? */
static inline bool nv_has_dbbuf(const struct nv_core *c)
{
	return !(c->target->flags & VHOST_TARGET_F_NO_DBBUF);
}

/*
 * Engine. But for the first two, each may sleep and is called with the
 * controller's lock held.
 */

/* Around events and the logs of errors and changes; spins. */
void nv_lock(struct nv_core *c);
void nv_unlock(struct nv_core *c);

/* Around the use of units; nothing in between waits for the guest. */
void nv_ns_lock(struct nv_core *c);
void nv_ns_unlock(struct nv_core *c);
/* Copy from or to guest memory. 0 or -EFAULT. */
int nv_mem_copy(struct nv_core *c, u64 addr, void *buf, u32 len, bool write);
/* Namespaces: the unit, and the number of the next after @nsid, or 0. */
struct vt_unit *nv_ns_find(struct nv_core *c, u32 nsid);
u32 nv_ns_next(struct nv_core *c, u32 nsid);
/* A namespace as this controller sees it, or NULL; nv_ns_lock() held. */
struct nv_ns *nv_ns_at(struct nv_core *c, u32 nsid);
/* The first controller of the target with at least this identifier, or 0. */
u16 nv_ctrl_from(struct nv_core *c, u16 id);
/* Begin and end service of a queue of c->cq, c->sq. 0 or -errno. */
int nv_cq_start(struct nv_core *c, u16 id);
int nv_sq_start(struct nv_core *c, u16 id);
void nv_cq_stop(struct nv_core *c, u16 id);
void nv_sq_stop(struct nv_core *c, u16 id);
/* The host has said who it is, or has not yet. */
void nv_set_host(struct nv_core *c);
/* Reservation Persistence of a namespace; nv_ns_lock() held. */
bool nv_get_ptpl(struct nv_core *c, struct nv_ns *ns);
/* A status. */
u16 nv_set_ptpl(struct nv_core *c, struct nv_ns *ns, bool on);
/* Shadow doorbells and event indexes. 0 or -errno. */
int nv_dbbuf_start(struct nv_core *c, u64 dbs, u64 eis);
/* Complete an admin command that was held, if nv_may_complete() says so. */
bool nv_may_complete(struct nv_core *c);
void nv_complete_held(struct nv_core *c, u16 cid, u16 status, u32 dw0);
/* A feature that the queues must know of has changed. */
void nv_feature_changed(struct nv_core *c, u8 fid);
void nv_smart_read(struct nv_core *c, struct nv_smart *s);
/* Milliseconds of a steady clock, since some time. */
u64 nv_now_ms(void);

#endif
