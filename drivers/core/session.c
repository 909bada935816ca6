// SPDX-License-Identifier: GPL-2.0
/* Sessions: see the DOC section of <vhost_target/session.h>. */
#include <linux/blk-cgroup.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <vhost_target/vdev.h>

#include "../compat/kcov.h"
#include "queue.h"
#include "users.h"

static bool type_has_commands(const struct vt_type *type)
{
	return !type->vdev_ops || type->vdev_ops->execute;
}

/* More of a VM's commands at a time would only be more threads that wait. */
#define CMD_MAX_ACTIVE	64

static void session_free(struct vt_session *s)
{
	if (s->cmd_wq)
		destroy_workqueue(s->cmd_wq);
	if (s->fill_wq)
		destroy_workqueue(s->fill_wq);
	kvfree(s->stats);
	kvfree(s->queue);
}

static int session_alloc(struct vt_session *s, const struct vt_type *type,
			 unsigned int nr_queues)
{
	s->queue = kvcalloc(nr_queues, sizeof(*s->queue), GFP_KERNEL_ACCOUNT);
	s->stats = kvcalloc(nr_queues, sizeof(*s->stats), GFP_KERNEL_ACCOUNT);
	/* One at a time: they would wait for each other anyhow. */
	s->fill_wq = alloc_workqueue("vhost-target-mem", WQ_UNBOUND, 1);
	if (!s->queue || !s->stats || !s->fill_wq)
		return -ENOMEM;
	if (!type_has_commands(type))
		return 0;
	s->cmd_wq = alloc_workqueue("vhost-target-cmd",
				    WQ_UNBOUND | WQ_MEM_RECLAIM,
				    CMD_MAX_ACTIVE);
	return s->cmd_wq ? 0 : -ENOMEM;
}

int vt_session_init(struct vt_session *s, struct vt_target *t,
		    const struct vt_session_ops *ops, unsigned int nr_queues)
{
	if (session_alloc(s, t->type, nr_queues)) {
		session_free(s);
		return -ENOMEM;
	}
	kref_get(&t->ref);
	s->target = t;
	s->ops = ops;
	s->nr_queues = nr_queues;
	mutex_init(&s->lock);
	mutex_init(&s->sync_lock);
	mutex_init(&s->place_lock);
	spin_lock_init(&s->copy_lock);
	INIT_LIST_HEAD(&s->copies);
	INIT_DELAYED_WORK(&s->copy_work, vt_copy_work);
	INIT_LIST_HEAD(&s->node);
	return 0;
}
EXPORT_SYMBOL_GPL(vt_session_init);

void vt_session_exit(struct vt_session *s)
{
	vt_session_detach(s);
	vt_target_put(s->target);
	session_free(s);
}
EXPORT_SYMBOL_GPL(vt_session_exit);

static struct cgroup_subsys_state *session_get_css(void)
{
#ifdef CONFIG_BLK_CGROUP
	return task_get_css(current, io_cgrp_id);
#else
	return NULL;
#endif
}

static void session_put_css(struct cgroup_subsys_state *css)
{
#ifdef CONFIG_BLK_CGROUP
	css_put(css);
#endif
}

static int session_charge(struct vt_session *s)
{
	struct vt_user *user;

	user = vt_user_charge(s->opener ?: current_cred(), s->nr_queues);
	if (IS_ERR(user)) {
		if (PTR_ERR(user) == -EDQUOT)
			s->target->over_limit++;
		return PTR_ERR(user);
	}
	s->user = user;
	s->css = session_get_css();
	s->cov = vt_kcov_common_handle();
	return 0;
}

static void session_uncharge(struct vt_session *s)
{
	session_put_css(s->css);
	s->css = NULL;
	vt_user_uncharge(s->user, s->nr_queues);
	s->user = NULL;
}

static int session_attach_locked(struct vt_session *s)
{
	struct vt_target *t = s->target;
	int err;

	if (t->dying)
		return -ENOENT;
	if (!t->nr_units && !t->type->hot_units)
		return -ENXIO;
	if (t->nr_sessions && !(t->flags & VHOST_TARGET_F_SHARED))
		return -EBUSY;
	err = session_charge(s);
	if (err)
		return err;
	if (s->ops->attach)
		err = s->ops->attach(s);
	if (err) {
		session_uncharge(s);
		return err;
	}

	list_add_tail(&s->node, &t->sessions);
	t->nr_sessions++;
	s->attached = true;
	return 0;
}

int vt_session_attach(struct vt_session *s)
{
	int err;

	mutex_lock(&s->target->lock);
	err = session_attach_locked(s);
	mutex_unlock(&s->target->lock);
	return err;
}
EXPORT_SYMBOL_GPL(vt_session_attach);

void vt_session_detach(struct vt_session *s)
{
	struct vt_target *t = s->target;

	mutex_lock(&t->lock);
	/* Whoever removes a unit will be done with it. */
	while (s->syncing) {
		mutex_unlock(&t->lock);
		wait_event(t->synced, !READ_ONCE(s->syncing));
		mutex_lock(&t->lock);
	}
	if (s->attached) {
		if (s->ops->detach)
			s->ops->detach(s);
		vt_target_keep_stats(s);
		list_del_init(&s->node);
		t->nr_sessions--;
		session_uncharge(s);
		s->attached = false;
		s->to_sync = false;
	}
	mutex_unlock(&t->lock);
}
EXPORT_SYMBOL_GPL(vt_session_detach);

void vt_session_sync(struct vt_session *s)
{
	unsigned int i;

	mutex_lock(&s->sync_lock);
	for (i = 0; i < s->nr_queues; i++)
		vt_queue_sync(s->queue[i]);
	mutex_unlock(&s->sync_lock);
}
EXPORT_SYMBOL_GPL(vt_session_sync);

/*
 * Not under sync_lock: who has that may be waiting for a work item which waits
 * for the fence_lock of whoever drains. Nor under another lock of the
 * session: who drains another backend of it may wait for ever.
 */
void vt_session_drain_io(struct vt_session *s, const struct vt_backend *be)
{
	struct vt_drain d = { .be = be };

	/* So no request is waited for by two. */
	lockdep_assert_held(&be->resv.fence_lock);
	atomic_set(&d.left, 1);
	init_completion(&d.done);
	vt_session_visit(s, vt_queue_drain, &d);
	vt_drain_put(&d);
	wait_for_completion(&d.done);
}
EXPORT_SYMBOL_GPL(vt_session_drain_io);

void vt_session_visit(struct vt_session *s,
		      void (*fn)(struct vt_queue *q, void *arg), void *arg)
{
	unsigned int i;

	for (i = 0; i < s->nr_queues; i++)
		vt_queue_visit(s->queue[i], fn, arg);
}
EXPORT_SYMBOL_GPL(vt_session_visit);
