// SPDX-License-Identifier: GPL-2.0
/*
 * Event queue: virtio 1.2, 5.6.6.3. The driver's buffers stay on the ring
 * until there is something to tell. Events wait in a short list for buffers;
 * when it is full the oldest goes and the driver is told that some are missing.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "scsi.h"

static __virtio32 event_le32(u32 v)
{
	return (__force __virtio32)cpu_to_le32(v);
}

void scsi_events_init(struct scsi_events *ev)
{
	spin_lock_init(&ev->lock);
	ev->missed = false;
	ev->nr = 0;
}

static void events_drop_oldest(struct scsi_events *ev)
{
	WRITE_ONCE(ev->nr, ev->nr - 1);
	memmove(ev->ev, ev->ev + 1, ev->nr * sizeof(ev->ev[0]));
}

static void events_add(struct scsi_events *ev,
		       const struct virtio_scsi_event *e)
{
	unsigned long flags;

	spin_lock_irqsave(&ev->lock, flags);
	if (ev->nr == SCSI_MAX_EVENTS) {
		events_drop_oldest(ev);
		WRITE_ONCE(ev->missed, true);
	}
	ev->ev[ev->nr] = *e;
	WRITE_ONCE(ev->nr, ev->nr + 1);
	spin_unlock_irqrestore(&ev->lock, flags);
}

/* With no lock: a guess, as good as the next look. */
static bool events_any(const struct scsi_events *ev)
{
	return READ_ONCE(ev->nr) || READ_ONCE(ev->missed);
}

/* Returns: false: there is none. */
static bool events_take(struct scsi_events *ev, struct virtio_scsi_event *e)
{
	unsigned long flags;
	bool any;

	spin_lock_irqsave(&ev->lock, flags);
	any = events_any(ev);
	memset(e, 0, sizeof(*e));	/* VIRTIO_SCSI_T_NO_EVENT */
	if (ev->nr) {
		*e = ev->ev[0];
		events_drop_oldest(ev);
	}
	if (ev->missed)
		e->event |= event_le32(VIRTIO_SCSI_T_EVENTS_MISSED);
	WRITE_ONCE(ev->missed, false);
	spin_unlock_irqrestore(&ev->lock, flags);
	return any;
}

static bool event_wanted(const struct scsi_session *ss, u32 event)
{
	const struct vt_vdev *vdev = ss->vdev;
	bool hotplug = vt_vdev_has(vdev, VIRTIO_SCSI_F_HOTPLUG);

	if (event != VIRTIO_SCSI_T_PARAM_CHANGE)
		return hotplug;
	return vt_vdev_has(vdev, VIRTIO_SCSI_F_CHANGE) ||
	       (hotplug && vdev->door->hides_change);
}

void scsi_event_raise(struct scsi_session *ss, u32 event, int lun, u32 reason)
{
	struct virtio_scsi_event e = {
		.event = event_le32(event),
		.reason = event_le32(reason),
	};
	u8 level[8];

	if (!event_wanted(ss, event))
		return;
	scsi_lun_encode(lun, level);
	e.lun[0] = 1;
	memcpy(e.lun + 2, level, 2);
	events_add(&ss->events, &e);
	vt_queue_nudge(&ss->vdev->vqs[SCSI_VQ_EVENT].q);
}

/* Events that wait when a session ends are missed by the next one. */
bool scsi_get_events_missed(struct vt_vdev *vdev)
{
	const struct scsi_session *ss = vdev->type_priv;

	return events_any(&ss->events);
}

void scsi_set_events_missed(struct vt_vdev *vdev, bool missed)
{
	struct scsi_session *ss = vdev->type_priv;
	unsigned long flags;

	if (!event_wanted(ss, VIRTIO_SCSI_T_TRANSPORT_RESET))
		return;
	spin_lock_irqsave(&ss->events.lock, flags);
	WRITE_ONCE(ss->events.missed, missed);
	spin_unlock_irqrestore(&ss->events.lock, flags);
	vt_queue_nudge(&vdev->vqs[SCSI_VQ_EVENT].q);
}

int scsi_event_parse(struct vt_vq *vq, const struct vt_chain *c,
		     struct vt_req *req)
{
	struct scsi_events *ev = &scsi_session(&vq->q)->events;
	struct scsi_req *sr = scsi_req(req);
	int err;

	if (!c->in_len)
		return -EPROTO;
	if (!events_any(ev))
		return -ENODATA;
	err = scsi_resp_map(vq, c, sizeof(sr->event), &sr->resp);
	if (err)
		return err;
	if (!events_take(ev, &sr->event)) {
		scsi_resp_free(&sr->resp);
		return -ENODATA;
	}
	return 1;
}

void scsi_event_complete(struct vt_req *req)
{
	struct scsi_req *sr = scsi_req(req);

	scsi_resp_write(&sr->resp, 0, &sr->event, sr->resp.len);
	req->used_len = sr->resp.len;
}
