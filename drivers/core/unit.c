// SPDX-License-Identifier: GPL-2.0
/* Units of targets: see <vhost_target/target.h>. */
#include <linux/slab.h>

#include <vhost_target/queue.h>
#include <vhost_target/target.h>

#include "ident.h"
#include "registry.h"

static void unit_exit(struct vt_unit *u)
{
	if (u->target->type->unit_exit)
		u->target->type->unit_exit(u);
}

static void unit_close(struct vt_unit *u)
{
	vt_backend_put(u->be, &u->be_user);
	kfree(u);
}

/* Nobody sees it, or did. */
static void unit_free(struct vt_unit *u)
{
	unit_exit(u);
	unit_close(u);
}

static void target_remove_unit(struct vt_target *t, struct vt_unit *u)
{
	lockdep_assert_held(&t->lock);
	xa_erase(&t->units, u->nr);
	t->nr_units--;
	atomic_inc(&t->generation);
	unit_free(u);
}

void vt_target_remove_units(struct vt_target *t)
{
	struct vt_unit *u;
	unsigned long i;

	mutex_lock(&t->unplug_lock);
	mutex_lock(&t->lock);
	xa_for_each(&t->units, i, u)
		target_remove_unit(t, u);
	mutex_unlock(&t->lock);
	mutex_unlock(&t->unplug_lock);
}

static void target_unit_event(struct vt_target *t, struct vt_unit *u,
			      enum vt_unit_event event)
{
	struct vt_session *s;

	lockdep_assert_held(&t->lock);
	atomic_inc(&t->generation);
	list_for_each_entry(s, &t->sessions, node)
		s->ops->unit_event(s, u, event);
}

static void unit_dead(struct vt_backend_user *user)
{
	struct vt_unit *u = container_of(user, struct vt_unit, be_user);

	pr_warn("vhost_target: %s: the backend of unit %u is gone\n",
		u->target->name, u->nr);
}

static struct vt_unit *unit_make(struct vt_target *t,
				 const struct vhost_target_unit_add *p,
				 const char *path)
{
	struct vt_backend_spec spec = {
		.path = path,
		.capacity = p->capacity,
		.block_size = p->block_size,
		.ro = p->flags & VHOST_TARGET_UNIT_F_RO,
		.shared = p->flags & VHOST_TARGET_UNIT_F_SHARED,
		.polled = p->flags & VHOST_TARGET_UNIT_F_POLLED,
	};
	struct vt_unit *u = kzalloc(sizeof(*u), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!u)
		return ERR_PTR(-ENOMEM);
	u->target = t;
	u->nr = p->unit;
	u->flags = p->flags;
	err = vt_ident_unit(u, p);
	if (err)
		goto free;
	u->be_user.dead = unit_dead;
	u->be = vt_backend_get(p->backend, &spec, &u->be_user);
	if (IS_ERR(u->be)) {
		err = PTR_ERR(u->be);
		goto free;
	}
	if (u->be->limits.zone_sectors && !t->type->zoned)
		err = -EOPNOTSUPP;
	else if (t->type->unit_init)
		err = t->type->unit_init(u);
	if (err)
		goto close;
	return u;
close:
	vt_backend_put(u->be, &u->be_user);
free:
	kfree(u);
	return ERR_PTR(err);
}

static int target_may_add(struct vt_target *t, u32 nr)
{
	lockdep_assert_held(&t->lock);
	if (t->dying)
		return -ENOENT;
	if (nr >= t->type->max_units)
		return -ERANGE;
	return xa_load(&t->units, nr) ? -EEXIST : 0;
}

static int target_insert_unit(struct vt_target *t, struct vt_unit *u)
{
	int err = target_may_add(t, u->nr);

	if (!err)
		err = xa_err(xa_store(&t->units, u->nr, u, GFP_KERNEL_ACCOUNT));
	if (err)
		return err;
	t->nr_units++;
	target_unit_event(t, u, VT_UNIT_ADDED);
	return 0;
}

/* Devices and files may take their time to open, and files to be found. */
static int target_add_unit(struct vt_target *t,
			   const struct vhost_target_unit_add *p,
			   const char *path)
{
	struct vt_unit *u;
	int err;

	mutex_lock(&t->lock);
	err = target_may_add(t, p->unit);
	mutex_unlock(&t->lock);
	if (err)
		return err;
	u = unit_make(t, p, path);
	if (IS_ERR(u))
		return PTR_ERR(u);
	mutex_lock(&t->lock);
	err = target_insert_unit(t, u);
	mutex_unlock(&t->lock);
	if (err)
		unit_free(u);
	return err;
}

static struct vt_session *target_first_to_sync(struct vt_target *t)
{
	struct vt_session *s;

	lockdep_assert_held(&t->lock);
	list_for_each_entry(s, &t->sessions, node)
		if (s->to_sync)
			return s;
	return NULL;
}

/*
 * What a device has may stay there for ever, and only those are to wait who have to:
 * t->lock is not held meanwhile. The session that is synced stays attached; one
 * that is detached before its turn has no requests any more.
 */
static void target_sync_sessions(struct vt_target *t)
{
	struct vt_session *s;

	lockdep_assert_held(&t->unplug_lock);
	list_for_each_entry(s, &t->sessions, node)
		s->to_sync = true;
	while ((s = target_first_to_sync(t))) {
		s->to_sync = false;
		WRITE_ONCE(s->syncing, true);
		mutex_unlock(&t->lock);
		vt_session_sync(s);
		mutex_lock(&t->lock);
		WRITE_ONCE(s->syncing, false);
		wake_up_all(&t->synced);
	}
}

/* While VMs are attached: they are told, and their requests waited for. */
static int target_unplug_unit(struct vt_target *t, u32 nr)
{
	struct vt_unit *u;

	mutex_lock(&t->unplug_lock);
	mutex_lock(&t->lock);
	u = xa_erase(&t->units, nr);
	if (u) {
		t->nr_units--;
		target_unit_event(t, u, VT_UNIT_REMOVED);
		target_sync_sessions(t);
		unit_exit(u);
	}
	mutex_unlock(&t->lock);
	if (u)
		unit_close(u);
	mutex_unlock(&t->unplug_lock);
	return u ? 0 : -ENOENT;
}

int vt_unit_add(const struct vhost_target_unit_add *p, const char *path)
{
	struct vt_target *t = vt_target_find(p->name);
	int err;

	if (!t)
		return -ENOENT;
	err = target_add_unit(t, p, path);
	if (!err) {
		err = vt_target_open_door(t);
		if (err)
			target_unplug_unit(t, p->unit);
	}
	vt_target_put(t);
	return err;
}

/* The target has no other: its door's object goes with it. */
static int target_close_unit(struct vt_target *t, u32 nr)
{
	struct vt_unit *u;
	int err;

	if (!vt_target_unit(t, nr))
		return -ENOENT;
	err = vt_target_close_door(t);
	if (err)
		return err;

	mutex_lock(&t->lock);
	u = vt_target_unit(t, nr);
	if (u)
		target_remove_unit(t, u);
	else
		err = -ENOENT;
	t->dying = false;
	mutex_unlock(&t->lock);
	return err;
}

int vt_unit_remove(const char *name, u32 nr)
{
	struct vt_target *t = vt_target_find(name);
	int err;

	if (!t)
		return -ENOENT;
	if (t->type->hot_units)
		err = target_unplug_unit(t, nr);
	else
		err = target_close_unit(t, nr);
	vt_target_put(t);
	return err;
}

/*
 * The next target to be told of a backend's new size, with a reference. Some of its
 * units may be in the making, or being removed: nobody sees these.
 */
static struct vt_target *backend_next_resized(struct vt_backend *be)
{
	struct vt_target *t = NULL;
	struct vt_unit *u;

	mutex_lock(&be->lock);
	list_for_each_entry(u, &be->users, be_user.node) {
		if (!u->be_user.resized || (t && u->target != t))
			continue;
		if (!t)
			kref_get(&u->target->ref);
		t = u->target;
		u->be_user.resized = false;
	}
	mutex_unlock(&be->lock);
	return t;
}

/* One after the other: targets' locks do not nest. */
static void backend_tell_resized(struct vt_backend *be)
{
	struct vt_target *t;
	struct vt_unit *u;
	unsigned long i;

	while ((t = backend_next_resized(be))) {
		mutex_lock(&t->lock);
		xa_for_each(&t->units, i, u)
			if (u->be == be)
				target_unit_event(t, u, VT_UNIT_RESIZED);
		mutex_unlock(&t->lock);
		vt_target_put(t);
	}
}

/* A unit's backend, held. */
static struct vt_backend *unit_hold_backend(const char *name, u32 nr)
{
	struct vt_target *t = vt_target_find(name);
	struct vt_backend *be = NULL;
	struct vt_unit *u;

	if (!t)
		return NULL;
	mutex_lock(&t->lock);
	u = vt_target_unit(t, nr);
	if (u) {
		be = u->be;
		vt_backend_hold(be);
	}
	mutex_unlock(&t->lock);
	vt_target_put(t);
	return be;
}

int vt_unit_resize(const char *name, u32 nr, u64 *capacity)
{
	struct vt_backend *be = unit_hold_backend(name, nr);
	int err;

	if (!be)
		return -ENOENT;
	err = vt_backend_refresh(be, capacity);
	backend_tell_resized(be);
	vt_backend_release(be);
	return err;
}

static int unit_describe(struct vt_unit *u,
			 struct vhost_target_unit_info *info, char **path)
{
	const struct vt_limits *l = &u->be->limits;

	info->unit = u->nr;
	info->backend = u->be->ops->type;
	info->unit_flags = u->flags;
	info->state = (READ_ONCE(u->be->dead) ? VHOST_TARGET_UNIT_S_DEAD : 0) |
		      (l->polled ? VHOST_TARGET_UNIT_S_POLLED : 0);
	info->capacity = l->sectors << SECTOR_SHIFT;
	info->block_size = l->block_size;
	info->physical_block_size = l->physical_block_size;
	memcpy(info->serial, u->serial, VHOST_TARGET_SERIAL_LEN);
	memcpy(info->vendor, u->vendor, sizeof(info->vendor));
	memcpy(info->product, u->product, sizeof(info->product));
	memcpy(info->revision, u->revision, sizeof(info->revision));
	info->reserved1 = 0;
	info->naa = u->naa;
	*path = kstrdup(u->be->path ?: "", GFP_KERNEL);
	return *path ? 0 : -ENOMEM;
}

int vt_unit_get(struct vhost_target_unit_info *info, char **path)
{
	struct vt_target *t = vt_target_find(info->name);
	unsigned long nr = info->unit;
	struct vt_unit *u;
	int err = -ENOENT;

	if (!t)
		return -ENOENT;
	mutex_lock(&t->lock);
	u = info->flags & VHOST_TARGET_GET_NEXT ?
	    xa_find(&t->units, &nr, U32_MAX, XA_PRESENT) :
	    vt_target_unit(t, nr);
	if (u)
		err = unit_describe(u, info, path);
	mutex_unlock(&t->lock);
	vt_target_put(t);
	return err;
}
