/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio-scsi: virtio 1.2, 5.6. The virtio side of SCSI targets: what knows
 * rings, requests and events. What a command does is the business of lu/.
 *
 * DOC: SCSI targets
 *
 * A unit of a target is a logical unit (struct scsi_unit around scsi_lu), its
 * number is the LUN. A session is an I_T nexus (struct scsi_session around
 * scsi_nexus) and has one scsi_itl for each unit, found by its LUN in
 * session->itls. A request keeps the scsi_itl of its LUN until it ends: a unit
 * that is removed first leaves session->itls, then the requests picked up
 * before are waited for, and only then its scsi_itls go (scsi_unit_exit()).
 *
 * Units of several targets may stand on one backend: they are one disk (struct
 * scsi_disk), and task management reaches the tasks of all its sessions.
 *
 * Locks: target->lock > scsi_disk.tmf_lock > those of lu/lu.h, and
 * scsi_disk.tmf_lock > session->place_lock. A request's work item takes
 * tmf_lock, never target->lock: so nothing that tmf_lock is held for, not even
 * a task of another target's session, waits for that.
 *
 * Work items: task management waits for commands, commands wait for I/O of
 * backends, which may be done by work items as well. So that none of them is
 * queued behind those that wait for it, each has a workqueue of its own, and a
 * session does one task management function at a time.
 */
#ifndef _VT_SCSI_H
#define _VT_SCSI_H

#include <linux/virtio_scsi.h>
#include <linux/wait.h>

#include <vhost_target/vdev.h>

#include "lu/lu.h"

/*
 * What a request may be made of, as the configuration space says. Together
 * they bound the pieces a request can need when no two pages of the guest are
 * neighbours: see VT_BIG_BVECS.
 */
#define SCSI_SEG_MAX		126
#define SCSI_MAX_SECTORS	16384
#define SCSI_MAX_BYTES		(SCSI_MAX_SECTORS << SECTOR_SHIFT)

/* Of a request's header, before the CDB, and of a response, before the sense. */
#define SCSI_REQ_HEAD		offsetof(struct virtio_scsi_cmd_req, cdb)
#define SCSI_REQ_PI_HEAD	offsetof(struct virtio_scsi_cmd_req_pi, cdb)
#define SCSI_RESP_HEAD		offsetof(struct virtio_scsi_cmd_resp, sense)

/* Virtqueues. */
#define SCSI_VQ_CONTROL		0
#define SCSI_VQ_EVENT		1
#define SCSI_CTL_QUEUES		2

/**
 * struct scsi_disk - what the units on one backend have in common
 * @be: the backend
 * @node: on the list of all disks
 * @nr_units: that there are, or are about to be on @units
 * @tmf_lock: one task management function at a time that is about other
 *	sessions' tasks; sessions and units do not come or go meanwhile
 * @units: struct scsi_unit
 */
struct scsi_disk {
	const struct vt_backend *be;
	struct list_head node;
	unsigned int nr_units;
	struct mutex tmf_lock;
	struct list_head units;
};

/**
 * struct scsi_unit - a unit of a target
 * @lu: the logical unit
 * @disk: what it is a view of
 * @disk_node: on @disk->units; @disk->tmf_lock
 */
struct scsi_unit {
	struct scsi_lu lu;
	struct scsi_disk *disk;
	struct list_head disk_node;
};

/* Events that wait for a buffer. */
#define SCSI_MAX_EVENTS		32

/**
 * struct scsi_events - what a driver has not been told yet
 * @lock: protects the fields below
 * @missed: events were dropped
 * @nr: number in @ev
 * @ev: the oldest first
 */
struct scsi_events {
	spinlock_t lock;
	bool missed;
	unsigned int nr;
	struct virtio_scsi_event ev[SCSI_MAX_EVENTS];
};

#define SCSI_NO_INDEX	UINT_MAX

#define SCSI_NEAR_LUNS	8

/**
 * struct scsi_session - a session of a target
 * @vdev: its virtio device
 * @nexus: as logical units know it
 * @port: the target, likewise
 * @index: number among the sessions of its target that have no name, or
 *	SCSI_NO_INDEX; target->lock
 * @itls: LUN -> struct scsi_itl; changed under target->lock
 * @near: the same of the first LUNs, for who asks for each command
 * @aborting: requests that were aborted and have not ended yet, of all LUNs and
 *	of none; see scsi_itl.aborting
 * @abort_wait: where task management waits for them
 * @tmfs: struct scsi_tmf to be done, the last one first
 * @tmf_work: does them
 * @fetched: of each queue, how many commands must have been taken off its ring
 *	before they are done, 0: it does not matter; @tmf_work
 * @events: for the event queue
 */
struct scsi_session {
	struct vt_vdev *vdev;
	struct scsi_nexus nexus;
	struct scsi_port port;
	unsigned int index;
	struct xarray itls;
	struct scsi_itl *near[SCSI_NEAR_LUNS];
	atomic_t aborting;
	wait_queue_head_t abort_wait;
	struct llist_head tmfs;
	struct work_struct tmf_work;
	u64 *fetched;
	struct scsi_events events;
};

/* Where a response goes: pieces of it, and more only if it is in more. */
#define SCSI_RESP_PIECES	3

struct scsi_piece {
	u8 *addr;
	u32 len;
};

/**
 * struct scsi_resp - the writable bytes in front of the data
 * @len: bytes that can be written
 * @piece: where; @few or memory of its own
 * @few: pieces of a usual response
 */
struct scsi_resp {
	u32 len;
	struct scsi_piece *piece;
	struct scsi_piece few[SCSI_RESP_PIECES];
};

/**
 * struct scsi_tmf - a task management function
 * @subtype: VIRTIO_SCSI_T_TMF_*
 * @tag: of a task, for the functions on one
 * @itl: of its LUN; NULL: there is none
 * @node: on session->tmfs
 */
struct scsi_tmf {
	u32 subtype;
	u64 tag;
	struct scsi_itl *itl;
	struct llist_node node;
};

/**
 * struct scsi_req - what is kept in each request
 * @task: request queues: the command
 * @tag: identifies it to the driver
 * @verdict: enum scsi_verdict of it
 * @response: VIRTIO_SCSI_S_*, of all but the event queue
 * @aborting: it is counted in session->aborting and in task.itl->aborting
 * @resp_len: bytes of the response with all of its sense data
 * @out_len: bytes mapped of the data-out buffer; data-in comes after it
 * @in_len: bytes mapped of the data-in buffer
 * @moved_in: bytes written to the data-in buffer
 * @moved_pi: bytes of protection information written in front of it
 * @pi_in: where those go
 * @tmf: control queue
 * @event: event queue
 * @resp: where the response goes
 */
struct scsi_req {
	union {
		struct scsi_task task;
		struct scsi_tmf tmf;
		struct virtio_scsi_event event;
	};
	u64 tag;
	u8 verdict;
	u8 response;
	bool aborting;
	u32 resp_len;
	u32 out_len;
	u32 in_len;
	u32 moved_in;
	u32 moved_pi;
	struct scsi_resp resp;
	struct scsi_resp pi_in;
};

static inline struct scsi_req *scsi_req(struct vt_req *req)
{
	return vt_req_priv(req);
}

static inline struct vt_req *scsi_to_vt_req(struct scsi_req *sr)
{
	return (struct vt_req *)sr - 1;
}

static inline struct scsi_session *scsi_session(struct vt_queue *q)
{
	return vt_to_vdev(q->session)->type_priv;
}

/* What a session has at a LUN, or NULL. */
static inline struct scsi_itl *scsi_session_itl(struct scsi_session *ss,
						unsigned int lun)
{
	struct scsi_itl *itl = NULL;

	if (likely(lun < SCSI_NEAR_LUNS))
		itl = READ_ONCE(ss->near[lun]);
	return likely(itl) ? itl : xa_load(&ss->itls, lun);
}

static inline struct scsi_session *scsi_nexus_session(struct scsi_nexus *n)
{
	return container_of(n, struct scsi_session, nexus);
}

static inline struct scsi_unit *scsi_lu_unit(struct scsi_lu *lu)
{
	return container_of(lu, struct scsi_unit, lu);
}

/* config.c */
u64 scsi_features(struct vt_target *t);
void scsi_get_config(struct vt_vdev *vdev, void *buf);
int scsi_set_config(struct vt_vdev *vdev, u32 off, const void *buf, u32 len);

/* target.c */
int scsi_unit_init(struct vt_unit *u);
void scsi_unit_exit(struct vt_unit *u);
int scsi_attach(struct vt_vdev *vdev);
void scsi_detach(struct vt_vdev *vdev);
void scsi_power_on(struct vt_vdev *vdev);
void scsi_unit_event(struct vt_vdev *vdev, struct vt_unit *u,
		     enum vt_unit_event event);

/* disk.c */
/* The unit is one of its backend's disk. Returns: 0 or -ENOMEM. */
int scsi_disk_join(struct scsi_unit *su);
/* No session has it any more. */
void scsi_disk_leave(struct scsi_unit *su);

/* resp.c */
/**
 * scsi_resp_map - find where a response goes
 * @vq: virtqueue
 * @c: chain
 * @len: bytes of it, as far as the chain has so many
 * @r: filled; scsi_resp_free() it
 *
 * Returns: 0; -EAGAIN, -ENOBUFS as vt_vdev_ops.parse; -EPROTO: the memory is
 * not there.
 */
int scsi_resp_map(struct vt_vq *vq, const struct vt_chain *c, u32 len,
		  struct scsi_resp *r);

/* The same, of what comes @skip bytes after the first. */
int scsi_resp_map_at(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		     u32 len, struct scsi_resp *r);

/* Write a part of it, within r->len. @buf NULL: zeroes. */
void scsi_resp_write(struct scsi_resp *r, u32 off, const void *buf, u32 len);

void scsi_resp_free(struct scsi_resp *r);

/* request.c */
/* Why a LUN field leads to no LUN. */
#define SCSI_LUN_BAD_TARGET	(-1)
/* The LUN of a request's header, or SCSI_LUN_BAD_TARGET. */
int scsi_lun_decode(const u8 lun[8]);
int scsi_cmd_parse(struct vt_vq *vq, const struct vt_chain *c,
		   struct vt_req *req);
void scsi_cmd_work(struct work_struct *work);
void scsi_cmd_complete(struct vt_req *req);
/* What was parsed is not taken now. */
void scsi_cmd_abandon(struct vt_req *req);

/* pi.c */
/* Is it as much protection information as the command moves? */
bool scsi_pi_fits(const struct scsi_task *task);

/**
 * scsi_pi_map - take a command's protection information, or find its place
 * @vq: virtqueue
 * @c: chain
 * @req: parsed, with task->pi_bytes set
 * @out: readable bytes before it, if it is a write's
 * @in: writable bytes before it, if it is a read's
 *
 * Returns: 0; -EAGAIN, -ENOBUFS as vt_vdev_ops.parse; -EFAULT: the memory is
 * not there.
 */
int scsi_pi_map(struct vt_vq *vq, const struct vt_chain *c, struct vt_req *req,
		u64 out, u64 in);

/* The command has ended: hand over what was read of it. */
void scsi_pi_complete(struct vt_req *req);
void scsi_pi_free(struct vt_req *req);

/* control.c */
int scsi_control_parse(struct vt_vq *vq, const struct vt_chain *c,
		       struct vt_req *req);
void scsi_control_complete(struct vt_req *req);

/* tmf.c */
int scsi_tmf_init(void);
void scsi_tmf_exit(void);
/* Have a task management function done. Context: poller. */
void scsi_tmf_execute(struct vt_req *req);
/* Does those of a session. */
void scsi_tmf_work(struct work_struct *work);
/* A task with @aborting set has ended. Context: poller. */
void scsi_tmf_task_ended(struct scsi_session *ss, struct scsi_req *sr);

/* event.c */
void scsi_events_init(struct scsi_events *ev);
int scsi_event_parse(struct vt_vq *vq, const struct vt_chain *c,
		     struct vt_req *req);
void scsi_event_complete(struct vt_req *req);
bool scsi_get_events_missed(struct vt_vdev *vdev);
void scsi_set_events_missed(struct vt_vdev *vdev, bool missed);
/* Tell the driver something about a LUN. Context: any. */
void scsi_event_raise(struct scsi_session *ss, u32 event, int lun, u32 reason);

#endif
