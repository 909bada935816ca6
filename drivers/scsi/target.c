// SPDX-License-Identifier: GPL-2.0
/* Units as logical units, sessions as I_T nexuses: see scsi.h. */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "scsi.h"

static int nexus_next_lun(struct scsi_nexus *nexus, int lun)
{
	struct scsi_session *ss = scsi_nexus_session(nexus);
	unsigned long at = lun;

	return xa_find(&ss->itls, &at, SCSI_LUN_MAX, XA_PRESENT) ? (int)at : -1;
}

/*
 * All of it follows from the target's name, so that registrations made
 * through the port count again after the modules were loaded again.
 */
static void session_set_port(struct scsi_session *ss)
{
	const struct vt_target *t = ss->vdev->s.target;
	u64 hash = scsi_naa(t->name);

	ss->port = (struct scsi_port) {
		.name = t->name,
		.naa = t->naa,
		.rel_port = 1 + hash % U16_MAX,
		.group = 1 + hash % U16_MAX,
		.tmfs = SCSI_TMF_ABORT_TASK | SCSI_TMF_ABORT_TASK_SET |
			SCSI_TMF_CLEAR_TASK_SET | SCSI_TMF_LU_RESET |
			SCSI_TMF_QUERY_TASK | SCSI_TMF_QUERY_TASK_SET |
			SCSI_TMF_NEXUS_RESET,
		.next_lun = nexus_next_lun,
	};
}

/*
 * Who a VMM is, is its own to say. If it does not, a target is made for one VM,
 * or its sessions are told apart by the order in which they came. TransportID
 * of SAS: SPC-5, 7.6.4.
 */
#define TRANSPORT_ID_SAS	0x06
#define TRANSPORT_ID_LEN	24

static void session_set_nexus(struct scsi_session *ss)
{
	struct vt_resv_id id = {
		.proto = VT_RESV_SCSI,
		.len = TRANSPORT_ID_LEN,
		.port = ss->port.rel_port,
	};
	const char *who = ss->vdev->initiator;
	char name[2 * VHOST_TARGET_NAME_LEN + 16];

	if (*who)
		snprintf(name, sizeof(name), "%s,n,%s", ss->port.name, who);
	else
		snprintf(name, sizeof(name), "%s,i,%u", ss->port.name,
			 ss->index);
	id.bytes[0] = TRANSPORT_ID_SAS;
	put_unaligned_be64(scsi_naa(name), id.bytes + 4);
	scsi_nexus_init(&ss->nexus, &ss->port, &id, ss->vdev->s.css);
}

static bool session_index_used(struct vt_target *t, unsigned int index)
{
	struct vt_session *s;
	struct scsi_session *ss;

	lockdep_assert_held(&t->lock);
	list_for_each_entry(s, &t->sessions, node) {
		ss = vt_to_vdev(s)->type_priv;
		if (ss->index == index)
			return true;
	}
	return false;
}

/* Two of one name would be one nexus. */
static bool session_name_used(struct vt_target *t, const char *name)
{
	struct vt_session *s;

	lockdep_assert_held(&t->lock);
	if (!*name)
		return false;
	list_for_each_entry(s, &t->sessions, node)
		if (!strcmp(vt_to_vdev(s)->initiator, name))
			return true;
	return false;
}

static struct scsi_session *session_make(struct vt_vdev *vdev)
{
	struct scsi_session *ss;

	if (session_name_used(vdev->s.target, vdev->initiator))
		return ERR_PTR(-EBUSY);
	ss = kzalloc(sizeof(*ss) + vdev->nvqs * sizeof(*ss->fetched),
		     GFP_KERNEL_ACCOUNT);
	if (!ss)
		return ERR_PTR(-ENOMEM);
	ss->vdev = vdev;
	ss->fetched = (u64 *)(ss + 1);
	xa_init(&ss->itls);
	init_waitqueue_head(&ss->abort_wait);
	init_llist_head(&ss->tmfs);
	INIT_WORK(&ss->tmf_work, scsi_tmf_work);
	scsi_events_init(&ss->events);
	if (vdev->initiator[0])
		ss->index = SCSI_NO_INDEX;
	else
		while (session_index_used(vdev->s.target, ss->index))
			ss->index++;
	session_set_port(ss);
	session_set_nexus(ss);
	return ss;
}

/* A session's view of a unit. */

static int itl_add(struct scsi_session *ss, struct vt_unit *u)
{
	struct scsi_itl *itl = kzalloc(sizeof(*itl), GFP_KERNEL_ACCOUNT);
	struct scsi_unit *su = u->priv;
	int err;

	if (!itl)
		return -ENOMEM;
	err = xa_reserve(&ss->itls, u->nr, GFP_KERNEL_ACCOUNT);
	if (err) {
		kfree(itl);
		return err;
	}
	mutex_lock(&su->disk->tmf_lock);
	scsi_itl_attach(itl, &ss->nexus, &su->lu);
	mutex_unlock(&su->disk->tmf_lock);
	/* Whoever finds it finds it complete. */
	xa_store(&ss->itls, u->nr, itl, GFP_KERNEL);
	if (u->nr < SCSI_NEAR_LUNS)
		/* Here, too: what it points to before itself. */
		smp_store_release(&ss->near[u->nr], itl);
	return 0;
}

/* No request of the session uses it, or can find it. */
static void itl_free(struct scsi_itl *itl)
{
	struct scsi_unit *su = scsi_lu_unit(itl->lu);

	mutex_lock(&su->disk->tmf_lock);
	scsi_itl_detach(itl);
	mutex_unlock(&su->disk->tmf_lock);
	kfree(itl);
}

static void session_free(struct scsi_session *ss)
{
	struct scsi_itl *itl, *tmp;

	/* All that it had to do is done; it may not have returned. */
	cancel_work_sync(&ss->tmf_work);
	/* Those of units that are being removed are in @itls no more. */
	list_for_each_entry_safe(itl, tmp, &ss->nexus.itls, nexus_node)
		itl_free(itl);
	xa_destroy(&ss->itls);
	kfree(ss);
}

int scsi_attach(struct vt_vdev *vdev)
{
	struct scsi_session *ss = session_make(vdev);
	struct vt_unit *u;
	unsigned long nr;
	int err;

	if (IS_ERR(ss))
		return PTR_ERR(ss);
	xa_for_each(&vdev->s.target->units, nr, u) {
		err = itl_add(ss, u);
		if (err) {
			session_free(ss);
			return err;
		}
	}
	vdev->sense_size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
	vdev->cdb_size = VIRTIO_SCSI_CDB_DEFAULT_SIZE;
	vdev->type_priv = ss;
	return 0;
}

void scsi_detach(struct vt_vdev *vdev)
{
	struct scsi_session *ss = vdev->type_priv;

	vdev->type_priv = NULL;
	vdev->sense_size = 0;
	vdev->cdb_size = 0;
	session_free(ss);
}

void scsi_power_on(struct vt_vdev *vdev)
{
	struct scsi_session *ss = vdev->type_priv;
	struct scsi_itl *itl;
	unsigned long lun;

	mutex_lock(&vdev->s.target->lock);
	xa_for_each(&ss->itls, lun, itl)
		scsi_itl_power_on(itl);
	mutex_unlock(&vdev->s.target->lock);
}

/* Additional sense code and qualifier of a parameter change event. */
#define EVENT_CAPACITY_CHANGED	(0x2a | 0x09 << 8)

static void session_unit_added(struct scsi_session *ss, struct vt_unit *u)
{
	if (itl_add(ss, u)) {
		pr_warn("vhost_scsi: %s: no memory to show LUN %u to a running VM\n",
			u->target->name, u->nr);
		return;
	}
	/* Now that it is there: a driver that is told looks once. */
	scsi_ua_raise_nexus(&ss->nexus, xa_load(&ss->itls, u->nr),
			    SCSI_UA_LUNS_CHANGED);
	scsi_event_raise(ss, VIRTIO_SCSI_T_TRANSPORT_RESET, u->nr,
			 VIRTIO_SCSI_EVT_RESET_RESCAN);
}

static void session_unit_removed(struct scsi_session *ss, struct vt_unit *u)
{
	/*
	 * Its itl goes in scsi_unit_exit(), when no request uses it, or with the
	 * session.
	 */
	if (u->nr < SCSI_NEAR_LUNS)
		WRITE_ONCE(ss->near[u->nr], NULL);
	if (!xa_erase(&ss->itls, u->nr))
		return;
	scsi_ua_raise_nexus(&ss->nexus, NULL, SCSI_UA_LUNS_CHANGED);
	scsi_event_raise(ss, VIRTIO_SCSI_T_TRANSPORT_RESET, u->nr,
			 VIRTIO_SCSI_EVT_RESET_REMOVED);
}

static void session_unit_resized(struct scsi_session *ss, struct vt_unit *u)
{
	struct scsi_itl *itl = xa_load(&ss->itls, u->nr);

	if (!itl)
		return;
	scsi_ua_raise(itl, SCSI_UA_CAPACITY_CHANGED);
	scsi_event_raise(ss, VIRTIO_SCSI_T_PARAM_CHANGE, u->nr,
			 EVENT_CAPACITY_CHANGED);
}

void scsi_unit_event(struct vt_vdev *vdev, struct vt_unit *u,
		     enum vt_unit_event event)
{
	struct scsi_session *ss = vdev->type_priv;

	lockdep_assert_held(&u->target->lock);
	switch (event) {
	case VT_UNIT_ADDED:
		session_unit_added(ss, u);
		break;
	case VT_UNIT_REMOVED:
		session_unit_removed(ss, u);
		break;
	case VT_UNIT_RESIZED:
		session_unit_resized(ss, u);
		break;
	}
}

/* Units. */

int scsi_unit_init(struct vt_unit *u)
{
	struct scsi_unit *su = kzalloc(sizeof(*su), GFP_KERNEL_ACCOUNT);
	struct scsi_lu_params p = {
		.be = u->be,
		.resv = &u->be->resv,
		.flags = u->flags,
		.max_bytes = SCSI_MAX_BYTES,
		.vendor = u->vendor[0] ? u->vendor : NULL,
		.product = u->product[0] ? u->product : NULL,
		.revision = u->revision[0] ? u->revision : NULL,
		.serial = u->serial,
		.naa = u->naa,
	};
	int err;

	if (!su)
		return -ENOMEM;
	err = scsi_lu_init(&su->lu, &p);
	if (err)
		goto free;
	err = scsi_disk_join(su);
	if (err)
		goto destroy;
	u->priv = su;
	return 0;
destroy:
	scsi_lu_destroy(&su->lu);
free:
	kfree(su);
	return err;
}

/* Sessions that are still there: none of their requests uses it any more. */
void scsi_unit_exit(struct vt_unit *u)
{
	struct scsi_unit *su = u->priv;
	struct scsi_itl *itl, *tmp;

	list_for_each_entry_safe(itl, tmp, &su->lu.itls, lu_node)
		itl_free(itl);
	scsi_disk_leave(su);
	scsi_lu_destroy(&su->lu);
	kfree(su);
}

void scsi_itl_drain(struct scsi_itl *itl)
{
	struct scsi_session *ss = scsi_nexus_session(itl->nexus);

	vt_session_drain_io(&ss->vdev->s, scsi_lu_be(itl->lu));
}
