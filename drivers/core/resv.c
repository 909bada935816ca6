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
#include <linux/wait.h>

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
	mutex_init(&r->fence_lock);
	init_rwsem(&r->exec_sem);
	init_waitqueue_head(&r->drained);
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

/* In the place of the old state; what each nexus lost by it is noted. */
static void resv_set_state(struct vt_resv *r, const struct vt_resv_state *s)
{
	struct vt_resv_nexus *n;

	lockdep_assert_held(&r->lock);
	kvfree(r->state);
	r->state = s;
	list_for_each_entry(n, &r->nexuses, node) {
		u8 may = vt_resv_rights(s, &n->id);

		n->lost = n->may & ~may;
		WRITE_ONCE(n->may, may);
	}
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
	n->draining = false;
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
	n->id = *id;
	WRITE_ONCE(n->may, vt_resv_rights(r->state, id));
	mutex_unlock(&r->lock);
}
EXPORT_SYMBOL_GPL(vt_resv_rebind);

void vt_resv_unbind(struct vt_resv_nexus *n)
{
	struct vt_resv *r = n->resv;

	if (!r)
		return;
	mutex_lock(&r->lock);
	/* It has nothing in flight: that ends soon. */
	while (n->draining) {
		mutex_unlock(&r->lock);
		wait_event(r->drained, !READ_ONCE(n->draining));
		mutex_lock(&r->lock);
	}
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
	mutex_lock(&r->fence_lock);
	mutex_lock(&r->lock);
	return r->state;
}
EXPORT_SYMBOL_GPL(vt_resv_read);

void vt_resv_read_end(struct vt_resv *r)
{
	mutex_unlock(&r->lock);
	mutex_unlock(&r->fence_lock);
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

/* A registration that was removed counts as a right, whatever rights are left. */
static void change_tell(struct vt_resv *r, struct vt_resv_change *c,
			struct vt_resv_nexus *self)
{
	struct vt_resv_nexus *n;

	lockdep_assert_held(&r->lock);
	list_for_each_entry(n, &r->nexuses, node) {
		if (n->events && n->ops->event)
			n->ops->event(n, n->events);
		if (n == self || !(n->lost || (n->events & VT_RESV_EV_REMOVED)))
			continue;
		n->fenced = n->ops->drain;
		c->fences = true;
	}
}

static struct vt_resv_nexus *resv_first_fenced(struct vt_resv *r)
{
	struct vt_resv_nexus *n;

	lockdep_assert_held(&r->lock);
	list_for_each_entry(n, &r->nexuses, node)
		if (n->fenced)
			return n;
	return NULL;
}

/*
 * Rights are gone for good only when what was begun with them has ended, which may
 * be never: whoever holds more than fence_lock does not wait for it.
 */
static void resv_fence(struct vt_resv *r)
{
	struct vt_resv_nexus *n;

	lockdep_assert_held(&r->fence_lock);
	/* Work items that looked before the change. */
	down_write(&r->exec_sem);
	up_write(&r->exec_sem);
	mutex_lock(&r->lock);
	while ((n = resv_first_fenced(r))) {
		n->fenced = false;
		WRITE_ONCE(n->draining, true);
		mutex_unlock(&r->lock);
		n->ops->drain(n);
		mutex_lock(&r->lock);
		WRITE_ONCE(n->draining, false);
		wake_up_all(&r->drained);
	}
	mutex_unlock(&r->lock);
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
	change_tell(r, c, self);
	return VT_RESV_OK;
}

/* @fences: somebody lost something, and is to be drained. */
static enum vt_resv_result resv_do(struct vt_resv_nexus *n,
				   const struct vt_resv_args *a, bool *fences)
{
	struct vt_resv *r = n->resv;
	struct vt_resv_change *c;
	enum vt_resv_result res;

	mutex_lock(&r->lock);
	c = change_alloc(n, a);
	res = c ? vt_resv_apply(c) : VT_RESV_NO_RESOURCES;
	if (res == VT_RESV_OK && c->changed)
		res = change_commit(r, c, n);
	*fences = c && c->fences;
	mutex_unlock(&r->lock);
	change_free(c);
	return res;
}

enum vt_resv_result vt_resv_out(struct vt_resv_nexus *n,
				const struct vt_resv_args *a)
{
	struct vt_resv *r = n->resv;
	enum vt_resv_result res;
	bool fences;

	mutex_lock(&r->fence_lock);
	res = resv_do(n, a, &fences);
	if (fences)
		resv_fence(r);
	mutex_unlock(&r->fence_lock);
	return res;
}
EXPORT_SYMBOL_GPL(vt_resv_out);

enum vt_resv_result vt_resv_set_ptpl(struct vt_resv_nexus *n, bool on)
{
	const struct vt_resv_args a = {
		.op = VT_RESV_OP_SET_PTPL,
		.ptpl = on ? VT_RESV_PTPL_ON : VT_RESV_PTPL_OFF,
	};
	enum vt_resv_result res;
	bool fences;

	res = resv_do(n, &a, &fences);
	WARN_ON_ONCE(fences);
	return res;
}
EXPORT_SYMBOL_GPL(vt_resv_set_ptpl);

bool vt_resv_get_ptpl(struct vt_resv *r)
{
	bool on;

	mutex_lock(&r->lock);
	on = r->state->ptpl;
	mutex_unlock(&r->lock);
	return on;
}
EXPORT_SYMBOL_GPL(vt_resv_get_ptpl);
