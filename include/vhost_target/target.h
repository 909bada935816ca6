/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets: named things a VM can attach to, and their units.
 *
 * Locks: registry_lock (the set of targets, types and doors) >
 * target->lock (its units and sessions) > backend->lock. A target is found
 * under registry_lock and used by reference. Removing a unit waits for the
 * requests that use it: not under target->lock, but one at a time.
 */
#ifndef _VHOST_TARGET_TARGET_H
#define _VHOST_TARGET_TARGET_H

#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <linux/vhost_target.h>
#include <vhost_target/backend.h>
#include <vhost_target/poller.h>
#include <vhost_target/stats.h>

struct module;
struct vt_target;
struct vt_session;
struct vt_vdev_ops;

/**
 * struct vt_unit - a disk of a target
 * @target: whose
 * @nr: number
 * @flags: VHOST_TARGET_UNIT_F_*
 * @be: where its I/O goes; perhaps shared with other units
 * @be_user: as the backend knows the unit
 * @serial: serial number, NUL-terminated
 * @vendor: SCSI vendor identification, NUL-terminated; empty: the device
 *	type's own; likewise:
 * @product: product identification
 * @revision: product revision level
 * @naa: NAA identifier; 0: its device type has none
 * @priv: the device type's
 */
struct vt_unit {
	struct vt_target *target;
	u32 nr;
	u32 flags;
	struct vt_backend *be;
	struct vt_backend_user be_user;
	char serial[VHOST_TARGET_SERIAL_LEN + 1];
	char vendor[VHOST_TARGET_VENDOR_LEN + 1];
	char product[VHOST_TARGET_PRODUCT_LEN + 1];
	char revision[VHOST_TARGET_REVISION_LEN + 1];
	u64 naa;
	void *priv;
};

/**
 * struct vt_type - a type of targets; a module registers it
 * @type: enum vhost_target_type
 * @name: as users write it
 * @owner: module
 * @max_units: units a target may have
 * @hot_units: units may be added and removed while VMs are attached, and a
 *	target may have none
 * @zoned: it can show that a disk has zones; else it has no such units
 * @ctl_queues: queues before the I/O queues
 * @endpoint_vqs: its targets have a wwpn, by which VMMs name them with
 *	VHOST_SCSI_SET_ENDPOINT after they set up at most so many virtqueues;
 *	0: VMMs name them with VHOST_TARGET_ATTACH
 * @vdev_ops: its virtio device
 * @unit_init: a unit was made, nobody sees it yet; no lock held; may sleep;
 *	may be NULL
 * @unit_exit: undo it; no request uses the unit any more; target->lock held if
 *	anybody ever saw it; may sleep; may be NULL
 * @node: core's
 */
struct vt_type {
	u32 type;
	const char *name;
	struct module *owner;
	u32 max_units;
	bool hot_units;
	bool zoned;
	u8 ctl_queues;
	unsigned int endpoint_vqs;
	const struct vt_vdev_ops *vdev_ops;
	int (*unit_init)(struct vt_unit *u);
	void (*unit_exit)(struct vt_unit *u);
	struct list_head node;
};

/**
 * struct vt_door - a way for VMMs to attach that has an object per target
 * @flag: VHOST_TARGET_F_* that asks for it
 * @owner: module
 * @up: the target can be attached to now: make the object; may sleep
 * @down: the target or its unit goes: remove the object; may sleep; no
 *	session through this door exists any more afterwards. -EBUSY if a VMM
 *	has it open.
 * @node: core's
 */
struct vt_door {
	u32 flag;
	struct module *owner;
	int (*up)(struct vt_target *t);
	int (*down)(struct vt_target *t);
	struct list_head node;
};

/**
 * struct vt_target - a target
 * @name: set once, as the fields up to @pollers
 * @type: what it is
 * @flags: VHOST_TARGET_F_*
 * @num_queues: I/O queues offered
 * @queue_size: largest queue
 * @uid: owner
 * @gid: owner's group, or INVALID_GID
 * @pollers: who may serve it
 * @wwpn: world wide port name; empty unless type->endpoint_vqs
 * @naa: NAA identifier of its port, made of @wwpn
 * @door: its per-target door, or NULL
 * @ref: references
 * @node: in the registry; registry_lock
 * @door_lock: one at a time makes the door's object or takes it away; outside
 *	@lock
 * @unplug_lock: one unit at a time is removed while VMs are attached; outside
 *	@lock
 * @synced: where detaching waits for whoever syncs the session
 * @lock: protects the fields below
 * @units: number -> struct vt_unit
 * @nr_units: their number
 * @sessions: struct vt_session attached
 * @nr_sessions: their number
 * @over_limit: those that were refused because of their user's limits
 * @generation: grows when what a VM sees of the configuration changes
 * @door_priv: the door's object
 * @vdpa_name: name of the vDPA device
 * @dying: being destroyed
 * @stats: counters of each queue, of sessions that have ended
 */
struct vt_target {
	char name[VHOST_TARGET_NAME_LEN];
	struct vt_type *type;
	u32 flags;
	unsigned int num_queues;
	unsigned int queue_size;
	kuid_t uid;
	kgid_t gid;
	struct vt_poller_set pollers;
	char wwpn[VHOST_TARGET_WWPN_LEN];
	u64 naa;
	struct vt_door *door;
	struct kref ref;
	struct list_head node;
	struct mutex door_lock;
	struct mutex unplug_lock;
	wait_queue_head_t synced;
	struct mutex lock;
	struct xarray units;
	unsigned int nr_units;
	struct list_head sessions;
	unsigned int nr_sessions;
	u64 over_limit;
	atomic_t generation;
	void *door_priv;
	char vdpa_name[VHOST_TARGET_NAME_LEN];
	bool dying;
	struct vt_qstats *stats;
};

/* Make a type known, or unknown. No target of it may exist at unregister. */
int vt_type_register(struct vt_type *type);
void vt_type_unregister(struct vt_type *type);

/* Make a door known, or unknown: it refuses (-EBUSY) while targets use it. */
int vt_door_register(struct vt_door *door);
void vt_door_unregister(struct vt_door *door);

/**
 * vt_target_find - find a target
 * @name: its name
 *
 * Returns: the target with a reference, or NULL.
 */
struct vt_target *vt_target_find(const char *name);

/**
 * vt_target_find_wwpn - find a target by its port
 * @type: of targets that have a wwpn
 * @wwpn: wwpn, or name of the target
 *
 * Returns: the target with a reference, or NULL.
 */
struct vt_target *vt_target_find_wwpn(const struct vt_type *type,
				      const char *wwpn);

/* Is it this target's wwpn, or its name? */
bool vt_target_has_wwpn(const struct vt_target *t, const char *wwpn);

/* Give back a reference. Context: may sleep. */
void vt_target_put(struct vt_target *t);

/**
 * vt_target_may_attach - may the holder of these credentials attach?
 * @t: target
 * @cred: of the opener
 */
bool vt_target_may_attach(const struct vt_target *t, const struct cred *cred);

/**
 * vt_target_admits - may the holder of these credentials attach now?
 * @t: target
 * @cred: of the opener
 *
 * For doors that are not the target's own.
 * Returns: 0, -EACCES, -ENXIO (the target's own door is not there yet).
 */
int vt_target_admits(const struct vt_target *t, const struct cred *cred);

/**
 * vt_target_unit - a unit of a target
 * @t: target
 * @nr: number
 *
 * The unit stays while target->lock is held, and until a request of a session
 * that was picked up before is completed.
 */
static inline struct vt_unit *vt_target_unit(struct vt_target *t, u32 nr)
{
	return xa_load(&t->units, nr);
}

/* Differs, and is not 0, when what a VM sees of the configuration changed. */
static inline u32 vt_target_stamp(const struct vt_target *t)
{
	return (u32)atomic_read(&t->generation) ?: 1;
}

/**
 * vt_target_keep_stats - add a session's counters to its target's
 * @s: session; its queues are stopped, its target's lock held
 */
void vt_target_keep_stats(struct vt_session *s);

/* Control calls: ctl.c checks the arguments, registry.c does them. */
int vt_target_create(const struct vhost_target_create *p, u32 *poller_ids);
int vt_target_destroy(const char *name);
int vt_target_get(struct vhost_target_info *info);
int vt_unit_add(const struct vhost_target_unit_add *p, const char *path);
int vt_unit_remove(const char *name, u32 unit);
int vt_unit_resize(const char *name, u32 unit, u64 *capacity);
int vt_unit_get(struct vhost_target_unit_info *info, char **path);
int vt_target_stats(struct vhost_target_stats *st);

void vt_registry_exit(void);

#endif
