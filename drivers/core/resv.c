// SPDX-License-Identifier: GPL-2.0
/*
 * Persistent reservations: locks, nexuses, fencing. See the DOC section of
 * <vhost_target/resv.h>; what an operation does to the state is in resv_op.c.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "resv_op.h"

static struct vt_resv_state *state_alloc(unsigned int nr)
{
	struct vt_resv_state *s;

	s = kvzalloc(struct_size(s, reg, nr), GFP_KERNEL_ACCOUNT);
	if (s)
		s->holder = VT_RESV_NOBODY;
	return s;
}

int vt_resv_init(struct vt_resv *r)
{
	r->state = state_alloc(0);
	if (!r->state)
		return -ENOMEM;
	mutex_init(&r->lock);
	init_rwsem(&r->exec_sem);
	INIT_LIST_HEAD(&r->nexuses);
	r->save = NULL;
	r->save_priv = NULL;
	return 0;
}
EXPORT_SYMBOL_GPL(vt_resv_init);

void vt_resv_destroy(struct vt_resv *r)
{
	WARN_ON(!list_empty(&r->nexuses));
	kvfree(r->state);
	r->state = NULL;
}
EXPORT_SYMBOL_GPL(vt_resv_destroy);

/* In the place of the old state; whoever loses a right is marked. */
static void resv_set_state(struct vt_resv *r, const struct vt_resv_state *s)
{
	struct vt_resv_nexus *n;

	lockdep_assert_held(&r->lock);
	down_write(&r->exec_sem);
	kvfree(r->state);
	r->state = s;
	list_for_each_entry(n, &r->nexuses, node) {
		u8 may = vt_resv_rights(s, &n->id);

		n->fenced = n->may & ~may;
		WRITE_ONCE(n->may, may);
	}
	up_write(&r->exec_sem);
}

int vt_resv_restore(struct vt_resv *r, const struct vt_resv_state *s)
{
	struct vt_resv_state *copy;

	if (!vt_resv_state_ok(s))
		return -EINVAL;
	copy = state_alloc(s->nr);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, s, struct_size(s, reg, s->nr));
	copy->generation = 0;
	mutex_lock(&r->lock);
	resv_set_state(r, copy);
	mutex_unlock(&r->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vt_resv_restore);

void vt_resv_bind(struct vt_resv *r, struct vt_resv_nexus *n,
		  const struct vt_resv_id *id)
{
	mutex_lock(&r->lock);
	n->id = *id;
	n->resv = r;
	n->fenced = false;
	WRITE_ONCE(n->may, vt_resv_rights(r->state, id));
	list_add_tail(&n->node, &r->nexuses);
	mutex_unlock(&r->lock);
}
EXPORT_SYMBOL_GPL(vt_resv_bind);

/* It stays bound: commands that are being done use it all the time. */
void vt_resv_rebind(struct vt_resv_nexus *n, const struct vt_resv_id *id)
{
	struct vt_resv *r = n->resv;

	mutex_lock(&r->lock);
	down_write(&r->exec_sem);
	n->id = *id;
	n->fenced = false;
	WRITE_ONCE(n->may, vt_resv_rights(r->state, id));
	up_write(&r->exec_sem);
	mutex_unlock(&r->lock);
}
EXPORT_SYMBOL_GPL(vt_resv_rebind);

void vt_resv_unbind(struct vt_resv_nexus *n)
{
	struct vt_resv *r = n->resv;

	if (!r)
		return;
	mutex_lock(&r->lock);
	list_del_init(&n->node);
	n->resv = NULL;
	WRITE_ONCE(n->may, 0);
	mutex_unlock(&r->lock);
}
EXPORT_SYMBOL_GPL(vt_resv_unbind);

void vt_resv_exec_begin(struct vt_resv *r)
{
	down_read(&r->exec_sem);
}
EXPORT_SYMBOL_GPL(vt_resv_exec_begin);

void vt_resv_exec_end(struct vt_resv *r)
{
	up_read(&r->exec_sem);
}
EXPORT_SYMBOL_GPL(vt_resv_exec_end);

const struct vt_resv_state *vt_resv_read(struct vt_resv *r)
{
	mutex_lock(&r->lock);
	return r->state;
}
EXPORT_SYMBOL_GPL(vt_resv_read);

void vt_resv_read_end(struct vt_resv *r)
{
	mutex_unlock(&r->lock);
}
EXPORT_SYMBOL_GPL(vt_resv_read_end);

static void change_free(struct vt_resv_change *c)
{
	if (c)
		kvfree(c->new);
	kfree(c);
}

static struct vt_resv_change *change_alloc(struct vt_resv_nexus *n,
					   const struct vt_resv_args *a)
{
	struct vt_resv *r = n->resv;
	struct vt_resv_change *c;

	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return NULL;
	c->a = a;
	c->id = &n->id;
	c->can_save = r->save;
	c->old = r->state;
	c->new = state_alloc(c->old->nr + 1);
	if (c->new)
		return c;
	change_free(c);
	return NULL;
}

/* Before the state is replaced, as it looks up who was who in the old one. */
static void change_mark(struct vt_resv *r, struct vt_resv_change *c,
			struct vt_resv_nexus *self)
{
	struct vt_resv_nexus *n;
	int i;

	lockdep_assert_held(&r->lock);
	list_for_each_entry(n, &r->nexuses, node) {
		i = n == self ? -1 : vt_resv_find(c->old, &n->id);
		n->events = i < 0 ? 0 : c->events[i];
	}
}

/*
 * Rights are gone for good only when what was begun with them has ended. A
 * registration that was removed counts as well, whatever rights are left.
 */
static void change_tell(struct vt_resv *r, struct vt_resv_nexus *self)
{
	struct vt_resv_nexus *n;

	lockdep_assert_held(&r->lock);
	list_for_each_entry(n, &r->nexuses, node)
		if (n->events && n->ops->event)
			n->ops->event(n, n->events);
	list_for_each_entry(n, &r->nexuses, node) {
		if (n == self || !n->ops->drain)
			continue;
		if (n->fenced || (n->events & VT_RESV_EV_REMOVED))
			n->ops->drain(n);
	}
}

static bool change_to_save(const struct vt_resv_change *c)
{
	return c->old->ptpl || c->new->ptpl;
}

static enum vt_resv_result change_commit(struct vt_resv *r,
					 struct vt_resv_change *c,
					 struct vt_resv_nexus *self)
{
	if (change_to_save(c) && r->save(r, c->new))
		return VT_RESV_NO_RESOURCES;
	change_mark(r, c, self);
	resv_set_state(r, c->new);
	c->new = NULL;
	change_tell(r, self);
	return VT_RESV_OK;
}

enum vt_resv_result vt_resv_out(struct vt_resv_nexus *n,
				const struct vt_resv_args *a)
{
	struct vt_resv *r = n->resv;
	struct vt_resv_change *c;
	enum vt_resv_result res;

	mutex_lock(&r->lock);
	c = change_alloc(n, a);
	res = c ? vt_resv_apply(c) : VT_RESV_NO_RESOURCES;
	if (res == VT_RESV_OK && c->changed)
		res = change_commit(r, c, n);
	mutex_unlock(&r->lock);
	change_free(c);
	return res;
}
EXPORT_SYMBOL_GPL(vt_resv_out);
