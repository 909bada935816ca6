/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio device as seen by one VMM: a session whose queues are virtqueues.
 *
 * A door makes a vdev for a target, attaches it, sets up virtqueues and starts
 * them. The device type (vt_vdev_ops) turns chains into I/O. States and locks
 * are those of queues and sessions.
 */
#ifndef _VHOST_TARGET_VDEV_H
#define _VHOST_TARGET_VDEV_H

#include <vhost_target/queue.h>
#include <vhost_target/vring.h>

struct vt_vdev;
struct vt_vq;

/* Larger than the configuration space of any device type. */
#define VT_MAX_CONFIG	256

/**
 * struct vt_vdev_ops - a virtio device type
 * @device_id: virtio 1.2, 5
 * @config_size: bytes of the device configuration space
 * @features: feature bits offered for a target (device bits only); of types
 *	with vt_type.endpoint_vqs also for NULL: what some target may offer
 * @num_vqs: virtqueues of the device
 * @req_priv: bytes it keeps in each request
 * @attach: a session starts; target->lock held; may be NULL
 * @detach: it ends; its queues are stopped; target->lock held; may be NULL
 * @power_on: the driver begins, after a reset or with its VM, and does not go
 *	on after a stop: see vt_vring_first_base(). After @attach, before queues
 *	run; session->lock held; may be NULL
 * @unit_event: see struct vt_session_ops; NULL: what changed is told the
 *	driver as a change of the configuration space
 * @get_config: fill @buf, @config_size bytes
 * @set_config: the driver writes @len bytes at @off. 0, -EACCES, -EINVAL.
 * @get_events_missed: virtio-scsi: was an event lost for want of a buffer?
 *	May sleep; may be NULL, as @set_events_missed
 * @set_events_missed: what the VMM says of it
 * @parse: turn a chain into @req; in the poller. Returns
 *	0: req->io is complete, to be submitted;
 *	1: nothing to do, to be completed (req->io.status is set);
 *	2: @execute does it;
 *	3: req->io is complete, and is a part of what the chain asks for, from
 *	vq->parts.done on: when it has ended the chain is parsed again;
 *	-EAGAIN: guest memory at queue->fault_addr must be mapped first;
 *	-ENOBUFS: no buffer free, to be tried again;
 *	-ENODATA: the chain is left where it is until vt_queue_nudge();
 *	-EPROTO: the driver cannot even be told of its error: stop the ring.
 *	On an error nothing of @req needs to be undone.
 * @execute: have a work item (vt_io_punt()) do the request, which ends with
 *	vt_io_end(); in the poller; may be NULL if @parse never returns 2
 * @complete: the I/O has ended: write the result into guest memory, set
 *	req->used_len; in the poller
 * @abandon: what @parse returned 0 for is not taken now, and parsed again:
 *	free what it holds; NULL: it holds nothing
 */
struct vt_vdev_ops {
	u32 device_id;
	u32 config_size;
	u32 req_priv;
	u64 (*features)(struct vt_target *t);
	unsigned int (*num_vqs)(struct vt_target *t);
	int (*attach)(struct vt_vdev *vdev);
	void (*detach)(struct vt_vdev *vdev);
	void (*power_on)(struct vt_vdev *vdev);
	void (*unit_event)(struct vt_vdev *vdev, struct vt_unit *u,
			   enum vt_unit_event event);
	void (*get_config)(struct vt_vdev *vdev, void *buf);
	int (*set_config)(struct vt_vdev *vdev, u32 off, const void *buf,
			  u32 len);
	bool (*get_events_missed)(struct vt_vdev *vdev);
	void (*set_events_missed)(struct vt_vdev *vdev, bool missed);
	int (*parse)(struct vt_vq *vq, const struct vt_chain *c,
		     struct vt_req *req);
	void (*execute)(struct vt_req *req);
	void (*complete)(struct vt_req *req);
	void (*abandon)(struct vt_req *req);
};

/**
 * struct vt_vdev_door_ops - what a session tells its door; may sleep not
 * @config_changed: the device configuration space changed
 * @vq_error: a ring was stopped, the device needs a reset
 * @hides_change: its VMMs do not pass VIRTIO_SCSI_F_CHANGE on to the driver, but
 *	they do VIRTIO_SCSI_F_HOTPLUG: who takes those events is told of changes
 */
struct vt_vdev_door_ops {
	void (*config_changed)(struct vt_vdev *vdev);
	void (*vq_error)(struct vt_vdev *vdev, struct vt_vq *vq);
	bool hides_change;
};

/**
 * struct vt_vq_addr - where the parts of a ring are
 * @desc: descriptor area
 * @driver: driver area (available ring)
 * @device: device area (used ring)
 *
 * Guest addresses, or addresses of the VMM, as the door's map_ring takes.
 */
struct vt_vq_addr {
	u64 desc;
	u64 driver;
	u64 device;
};

/**
 * struct vt_vq_parts - a chain that is done in parts
 * @done: bytes that are
 * @status: not BLK_STS_OK: of the part that failed
 * @flying: one is under way
 *
 * It stays on the ring, and what is behind it waits. A queue that is stopped begins
 * with it anew.
 */
struct vt_vq_parts {
	u64 done;
	blk_status_t status;
	bool flying;
};

/**
 * struct vt_vq - a virtqueue
 * @q: the queue
 * @vr: the ring; poller, while running
 * @vdev: whose; set once
 * @chain: the chain being parsed; poller
 * @parts: what has been done of it; poller
 * @num: entries; session->lock, as the fields below
 * @addr: where the ring is
 * @base: where it stands, while stopped
 * @has_addr: @addr was set
 * @enabled: the door lets it run
 * @map: the ring's mappings
 */
struct vt_vq {
	struct vt_queue q;
	struct vt_vring vr;
	struct vt_vdev *vdev;
	struct vt_chain *chain;
	struct vt_vq_parts parts;
	unsigned int num;
	struct vt_vq_addr addr;
	u32 base;
	bool has_addr;
	bool enabled;
	struct vt_map map[3];
};

/**
 * struct vt_vdev - a virtio device, as one VMM sees it
 * @s: the session
 * @ops: device type
 * @door: who made it
 * @door_priv: the door's
 * @type_priv: the device type's
 * @map_ring: maps a part of a ring; set by the door
 * @features: negotiated; may change only while no queue runs
 * @wce: write cache is on (virtio-blk); set by the driver
 * @sense_size: bytes for sense data in a response (virtio-scsi); likewise
 * @cdb_size: bytes for the CDB in a request (virtio-scsi); likewise
 * @initiator: what the VMM calls itself, set by the door before it attaches;
 *	empty: nothing
 * @nvqs: virtqueues
 * @vqs: the virtqueues
 */
struct vt_vdev {
	struct vt_session s;
	const struct vt_vdev_ops *ops;
	const struct vt_vdev_door_ops *door;
	void *door_priv;
	void *type_priv;
	int (*map_ring)(struct vt_vdev *vdev, u64 addr, u32 len, bool write,
			struct vt_map *map);
	u64 features;
	bool wce;
	u32 sense_size;
	u32 cdb_size;
	char initiator[VHOST_TARGET_NAME_LEN];
	unsigned int nvqs;
	struct vt_vq *vqs;
};

static inline struct vt_vq *vt_to_vq(struct vt_queue *q)
{
	return container_of(q, struct vt_vq, q);
}

static inline struct vt_vdev *vt_to_vdev(struct vt_session *s)
{
	return container_of(s, struct vt_vdev, s);
}

static inline bool vt_vdev_has(const struct vt_vdev *vdev, unsigned int fbit)
{
	return vdev->features & BIT_ULL(fbit);
}

/**
 * vt_vdev_create - make a session, not yet attached
 * @t: target; a reference is taken
 * @nvqs: virtqueues it has at least, if the door knows better than the target
 * @door: the door's functions
 * @door_priv: its own
 *
 * Returns: the session or an ERR_PTR (-ENOMEM).
 */
struct vt_vdev *vt_vdev_create(struct vt_target *t, unsigned int nvqs,
			       const struct vt_vdev_door_ops *door,
			       void *door_priv);

/**
 * vt_vdev_destroy - end a session
 * @vdev: session; its queues are stopped, detached if it was attached
 *
 * Context: may sleep.
 */
void vt_vdev_destroy(struct vt_vdev *vdev);

/* A session's vt_session_attach() and vt_session_detach(). */
static inline int vt_vdev_attach(struct vt_vdev *vdev)
{
	return vt_session_attach(&vdev->s);
}

static inline void vt_vdev_detach(struct vt_vdev *vdev)
{
	vt_session_detach(&vdev->s);
}

/* Tell the driver that the configuration space changed; target->lock held. */
void vt_vdev_config_changed(struct vt_vdev *vdev);

/**
 * vt_type_features - what can be negotiated with some target of a type
 * @type: type; its vt_vdev_ops.features takes NULL
 */
u64 vt_type_features(const struct vt_type *type);

/**
 * vt_vdev_features - what can be negotiated
 * @vdev: session
 */
u64 vt_vdev_features(struct vt_vdev *vdev);

/**
 * vt_vdev_read_config - read the configuration space
 * @vdev: session
 * @off: first byte
 * @buf: destination
 * @len: bytes
 *
 * Returns: 0 or -ERANGE.
 */
int vt_vdev_read_config(struct vt_vdev *vdev, u32 off, void *buf, u32 len);

/* Write to it. Returns: 0, -ERANGE, -EACCES, -EINVAL. */
int vt_vdev_write_config(struct vt_vdev *vdev, u32 off, const void *buf,
			 u32 len);

/**
 * vt_vq_start - start serving a virtqueue
 * @vq: stopped, num, addr and base set; session->lock held
 *
 * Context: may sleep.
 * Returns: 0; -EINVAL (size or base impossible), -EFAULT (the ring is not in
 * memory, or its device part cannot be written), -ENOMEM.
 */
int vt_vq_start(struct vt_vq *vq);

/**
 * vt_vq_stop - stop serving a virtqueue
 * @vq: running or stopped; session->lock held
 *
 * Waits for the requests in flight; vq->base says where the ring stands.
 * Context: may sleep.
 */
void vt_vq_stop(struct vt_vq *vq);

/**
 * vt_req_map - add a stretch of a chain's buffers to a request's data
 * @req: request
 * @c: its chain
 * @write: of the device-writable buffers, else of the readable ones
 * @skip: bytes of these buffers to leave out
 * @len: bytes to add
 *
 * Returns: 0, -EAGAIN, -ENOBUFS as vt_vdev_ops.parse; -EFAULT: not in guest
 * memory; -E2BIG: more pieces than a request can have.
 */
int vt_req_map(struct vt_req *req, const struct vt_chain *c, bool write,
	       u64 skip, u32 len);

/**
 * vt_chain_read - copy bytes out of a chain's readable buffers
 * @vq: virtqueue
 * @c: chain
 * @skip: bytes to leave out
 * @buf: destination
 * @len: bytes
 *
 * Returns: 0, -EAGAIN, -EFAULT.
 */
int vt_chain_read(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		  void *buf, u32 len);

/**
 * vt_chain_in_byte - where a byte of a chain's writable buffers is
 * @vq: virtqueue
 * @c: chain
 * @skip: bytes before it
 * @byte: its kernel address, usable until the request is completed
 *
 * Returns: 0, -EAGAIN, -EFAULT.
 */
int vt_chain_in_byte(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		     u8 **byte);

#endif
