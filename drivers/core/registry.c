// SPDX-License-Identifier: GPL-2.0
/* Targets, their types, doors and units: see <vhost_target/target.h>. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include <vhost_target/target.h>
#include <vhost_target/queue.h>

#include "ident.h"
#include "registry.h"

#define VT_MAX_TARGETS	4096

/* Doors with an object for each target. */
#define VT_DOOR_FLAGS	(VHOST_TARGET_F_VDPA | VHOST_TARGET_F_VFIO)

/* Protects the lists; outermost of the locks of <vhost_target/target.h>. */
static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(targets);	/* sorted by name */
static LIST_HEAD(types);
static LIST_HEAD(doors);
static unsigned int nr_targets;

int vt_type_register(struct vt_type *type)
{
	mutex_lock(&registry_lock);
	list_add_tail(&type->node, &types);
	mutex_unlock(&registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vt_type_register);

/* Each target holds its type's module, so none is left here. */
void vt_type_unregister(struct vt_type *type)
{
	mutex_lock(&registry_lock);
	list_del(&type->node);
	mutex_unlock(&registry_lock);
}
EXPORT_SYMBOL_GPL(vt_type_unregister);

int vt_door_register(struct vt_door *door)
{
	mutex_lock(&registry_lock);
	list_add_tail(&door->node, &doors);
	mutex_unlock(&registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vt_door_register);

void vt_door_unregister(struct vt_door *door)
{
	mutex_lock(&registry_lock);
	list_del(&door->node);
	mutex_unlock(&registry_lock);
}
EXPORT_SYMBOL_GPL(vt_door_unregister);

/* With a reference on its module. */
static struct vt_type *type_get(u32 nr)
{
	struct vt_type *type;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(type, &types, node)
		if (type->type == nr && try_module_get(type->owner))
			return type;
	return NULL;
}

static struct vt_door *door_get(u32 flags)
{
	struct vt_door *door;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(door, &doors, node)
		if ((door->flag & flags) && try_module_get(door->owner))
			return door;
	return NULL;
}

/* virtio devices have vDPA, NVMe controllers VFIO. */
static bool type_has_door(const struct vt_type *type, u32 flags)
{
	return flags & VHOST_TARGET_F_VDPA ? !!type->vdev_ops :
	       type->type == VHOST_TARGET_NVME;
}

static struct vt_target *target_lookup(const char *name)
{
	struct vt_target *t;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(t, &targets, node)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

struct vt_target *vt_target_find(const char *name)
{
	struct vt_target *t;

	mutex_lock(&registry_lock);
	t = target_lookup(name);
	if (t)
		kref_get(&t->ref);
	mutex_unlock(&registry_lock);
	return t;
}
EXPORT_SYMBOL_GPL(vt_target_find);

/* Hexadecimal digits are the same in upper and lower case. */
static bool wwpn_equal(const struct vt_target *t, const char *wwpn)
{
	return t->wwpn[0] && !strcasecmp(t->wwpn, wwpn);
}

bool vt_target_has_wwpn(const struct vt_target *t, const char *wwpn)
{
	return wwpn_equal(t, wwpn) || !strcmp(t->name, wwpn);
}
EXPORT_SYMBOL_GPL(vt_target_has_wwpn);

static struct vt_target *target_lookup_wwpn(const char *wwpn)
{
	struct vt_target *t;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(t, &targets, node)
		if (wwpn_equal(t, wwpn))
			return t;
	return NULL;
}

struct vt_target *vt_target_find_wwpn(const struct vt_type *type,
				      const char *wwpn)
{
	struct vt_target *t;

	mutex_lock(&registry_lock);
	t = target_lookup_wwpn(wwpn) ?: target_lookup(wwpn);
	if (t && t->type == type)
		kref_get(&t->ref);
	else
		t = NULL;
	mutex_unlock(&registry_lock);
	return t;
}
EXPORT_SYMBOL_GPL(vt_target_find_wwpn);

static void target_free(struct kref *ref)
{
	struct vt_target *t = container_of(ref, struct vt_target, ref);

	vt_poller_set_put(&t->pollers);
	kfree(t->pollers.id);
	kvfree(t->stats);
	xa_destroy(&t->units);
	module_put(t->type->owner);
	if (t->door)
		module_put(t->door->owner);
	kfree(t);
}

void vt_target_put(struct vt_target *t)
{
	kref_put(&t->ref, target_free);
}
EXPORT_SYMBOL_GPL(vt_target_put);

static bool cred_in_group(const struct cred *cred, kgid_t gid)
{
	const struct group_info *groups = cred->group_info;
	int i;

	if (gid_eq(cred->egid, gid))
		return true;
	for (i = 0; i < groups->ngroups; i++)
		if (gid_eq(groups->gid[i], gid))
			return true;
	return false;
}

bool vt_target_may_attach(const struct vt_target *t, const struct cred *cred)
{
	if (uid_eq(cred->euid, GLOBAL_ROOT_UID) || uid_eq(cred->euid, t->uid))
		return true;
	return gid_valid(t->gid) && cred_in_group(cred, t->gid);
}
EXPORT_SYMBOL_GPL(vt_target_may_attach);

int vt_target_admits(const struct vt_target *t, const struct cred *cred)
{
	if (!vt_target_may_attach(t, cred))
		return -EACCES;
	/* It may turn out that it cannot have its door, and is no target. */
	return t->door && !READ_ONCE(t->door_priv) ? -ENXIO : 0;
}
EXPORT_SYMBOL_GPL(vt_target_admits);

static void target_insert(struct vt_target *t)
{
	struct vt_target *at;

	list_for_each_entry(at, &targets, node)
		if (strcmp(at->name, t->name) > 0)
			break;
	list_add_tail(&t->node, &at->node);
	nr_targets++;
}

static int target_set_owner(struct vt_target *t,
			    const struct vhost_target_create *p)
{
	t->uid = make_kuid(current_user_ns(), p->uid);
	t->gid = p->gid == (u32)-1 ? INVALID_GID :
		 make_kgid(current_user_ns(), p->gid);
	if (!uid_valid(t->uid) || (p->gid != (u32)-1 && !gid_valid(t->gid)))
		return -EINVAL;
	return 0;
}

/* UEFI's NVMe driver makes two queues, or does without the disk. */
#define NVME_QUEUES_MIN	2

static u32 default_queues(u32 type)
{
	u32 nr = vt_poller_count();

	if (type == VHOST_TARGET_NVME)
		nr = max(nr, NVME_QUEUES_MIN);
	return min(nr, VHOST_TARGET_MAX_QUEUES);
}

static struct vt_target *target_alloc(const struct vhost_target_create *p,
				      u32 *poller_ids)
{
	struct vt_target *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	int err;

	if (!t)
		return ERR_PTR(-ENOMEM);
	kref_init(&t->ref);
	mutex_init(&t->door_lock);
	mutex_init(&t->unplug_lock);
	mutex_init(&t->lock);
	xa_init(&t->units);
	INIT_LIST_HEAD(&t->sessions);
	init_waitqueue_head(&t->synced);
	strscpy(t->name, p->name);
	t->flags = p->flags;
	t->num_queues = p->num_queues ?: default_queues(p->type);
	t->queue_size = p->queue_size ?: 256;
	t->pollers = (struct vt_poller_set) { p->nr_pollers, poller_ids };

	err = target_set_owner(t, p);
	if (err)
		goto free;
	err = -ENOMEM;
	t->stats = kvcalloc(t->num_queues, sizeof(*t->stats),
			    GFP_KERNEL_ACCOUNT);
	if (!t->stats)
		goto free;
	err = vt_poller_set_get(&t->pollers);
	if (err)
		goto free;
	return t;
free:
	kvfree(t->stats);
	kfree(t);
	return ERR_PTR(err);
}

static int target_bind_type(struct vt_target *t,
			    const struct vhost_target_create *p)
{
	int err = vt_ident_target(t, p);

	if (err)
		return err;
	if (t->wwpn[0] && target_lookup_wwpn(t->wwpn))
		return -EEXIST;
	if (t->flags & VT_DOOR_FLAGS) {
		t->door = type_has_door(t->type, t->flags) ?
			  door_get(t->flags) : NULL;
		if (!t->door)
			return -EOPNOTSUPP;
	}
	return 0;
}

static int target_bind(struct vt_target *t,
		       const struct vhost_target_create *p)
{
	int err;

	lockdep_assert_held(&registry_lock);

	if (target_lookup(t->name))
		return -EEXIST;
	if (nr_targets >= VT_MAX_TARGETS)
		return -ENOSPC;
	t->type = type_get(p->type);
	if (!t->type)
		return -ENODEV;
	err = target_bind_type(t, p);
	if (err)
		module_put(t->type->owner);
	else
		target_insert(t);
	return err;
}

static bool target_is_dying(struct vt_target *t)
{
	bool dying;

	mutex_lock(&t->lock);
	dying = t->dying;
	mutex_unlock(&t->lock);
	return dying;
}

int vt_target_open_door(struct vt_target *t)
{
	int err = 0;

	mutex_lock(&t->door_lock);
	/* Whoever is to destroy it has looked for the door already. */
	if (target_is_dying(t))
		err = -ENOENT;
	else if (t->door && !t->door_priv)
		err = t->door->up(t);
	mutex_unlock(&t->door_lock);
	return err;
}

/*
 * t->lock is not held while the door's object goes: what it ends takes it.
 * Once @dying is set nobody can attach any more.
 */
static int target_close_door(struct vt_target *t)
{
	int err = 0;

	mutex_lock(&t->lock);
	if (t->nr_sessions || t->dying)
		err = -EBUSY;
	else
		t->dying = true;
	mutex_unlock(&t->lock);
	if (err)
		return err;

	if (t->door && t->door_priv)
		err = t->door->down(t);
	if (err) {
		mutex_lock(&t->lock);
		t->dying = false;
		mutex_unlock(&t->lock);
	}
	return err;
}

int vt_target_close_door(struct vt_target *t)
{
	int err;

	mutex_lock(&t->door_lock);
	err = target_close_door(t);
	mutex_unlock(&t->door_lock);
	return err;
}

static int target_destroy(struct vt_target *t)
{
	int err = vt_target_close_door(t);

	if (err)
		return err;
	vt_target_remove_units(t);

	mutex_lock(&registry_lock);
	list_del(&t->node);
	nr_targets--;
	mutex_unlock(&registry_lock);
	vt_target_put(t);
	return 0;
}

int vt_target_destroy(const char *name)
{
	struct vt_target *t = vt_target_find(name);
	int err;

	if (!t)
		return -ENOENT;
	err = target_destroy(t);
	vt_target_put(t);
	return err;
}

/* Of one that was not made known. */
static void target_discard(struct vt_target *t)
{
	vt_poller_set_put(&t->pollers);
	kfree(t->pollers.id);
	kvfree(t->stats);
	kfree(t);
}

/* Takes over @poller_ids, whatever comes of it. */
int vt_target_create(const struct vhost_target_create *p, u32 *poller_ids)
{
	struct vt_target *t = target_alloc(p, poller_ids);
	int err;

	if (IS_ERR(t)) {
		kfree(poller_ids);
		return PTR_ERR(t);
	}
	/* Others may destroy it from here on. */
	kref_get(&t->ref);
	mutex_lock(&registry_lock);
	err = target_bind(t, p);
	mutex_unlock(&registry_lock);
	if (err) {
		target_discard(t);
		return err;
	}
	/* One that needs no unit can be attached to at once. */
	if (t->type->hot_units)
		err = vt_target_open_door(t);
	/* Nobody has attached. Somebody else may have destroyed it. */
	if (err)
		target_destroy(t);
	vt_target_put(t);
	return err;
}

static unsigned int target_running_queues(struct vt_target *t)
{
	struct vt_session *s;
	unsigned int i, n = 0;

	list_for_each_entry(s, &t->sessions, node)
		for (i = 0; i < s->nr_queues; i++)
			n += READ_ONCE(s->queue[i]->running);
	return n;
}

static void target_describe(struct vt_target *t,
			    struct vhost_target_info *info)
{
	struct user_namespace *ns = current_user_ns();

	info->type = t->type->type;
	info->target_flags = t->flags;
	info->num_queues = t->num_queues;
	info->queue_size = t->queue_size;
	info->uid = from_kuid_munged(ns, t->uid);
	info->gid = gid_valid(t->gid) ? from_kgid_munged(ns, t->gid) : (u32)-1;
	info->reserved0 = 0;
	strscpy_pad(info->name, t->name);
	strscpy_pad(info->wwpn, t->wwpn);
	mutex_lock(&t->lock);
	info->nr_units = t->nr_units;
	info->nr_sessions = t->nr_sessions;
	info->over_limit = t->over_limit;
	info->nr_running_queues = target_running_queues(t);
	strscpy_pad(info->vdpa_name, t->vdpa_name);
	mutex_unlock(&t->lock);
}

static struct vt_target *target_find_next(const char *name)
{
	struct vt_target *t;

	mutex_lock(&registry_lock);
	list_for_each_entry(t, &targets, node) {
		if (strcmp(t->name, name) > 0) {
			kref_get(&t->ref);
			mutex_unlock(&registry_lock);
			return t;
		}
	}
	mutex_unlock(&registry_lock);
	return NULL;
}

int vt_target_get(struct vhost_target_info *info)
{
	struct vt_target *t;

	t = info->flags & VHOST_TARGET_GET_NEXT ?
	    target_find_next(info->name) : vt_target_find(info->name);
	if (!t)
		return -ENOENT;
	target_describe(t, info);
	vt_target_put(t);
	return 0;
}

/* At module exit: targets of no type's module any more cannot exist. */
void vt_registry_exit(void)
{
	WARN_ON(!list_empty(&targets));
}
