// SPDX-License-Identifier: GPL-2.0
/* What the backends have in common: see <vhost_target/backend.h>. */
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include <linux/vhost_target.h>
#include <vhost_target/backend.h>

#include "resv_store.h"

static const struct vt_backend_ops *backend_ops(u32 type)
{
	switch (type) {
	case VHOST_TARGET_BACKEND_BDEV:
		return &vt_backend_bdev_ops;
	case VHOST_TARGET_BACKEND_FILE:
		return &vt_backend_file_ops;
	case VHOST_TARGET_BACKEND_NULL:
		return &vt_backend_null_ops;
	default:
		return NULL;
	}
}

/*
 * Backends that may have several users. Its lock is held from the search for
 * one until it is open, and while it is closed, so that what is not found here
 * is not open.
 */
static LIST_HEAD(shared_backends);
static DEFINE_MUTEX(shared_lock);

static int backend_open(struct vt_backend *be,
			const struct vt_backend_spec *spec)
{
	int err;

	if (spec->path) {
		be->path = kstrdup(spec->path, GFP_KERNEL_ACCOUNT);
		if (!be->path)
			return -ENOMEM;
	}
	err = vt_resv_init(&be->resv);
	if (err)
		return err;
	err = spec->polled && !be->ops->poll ? -EOPNOTSUPP :
					       be->ops->open(be, spec);
	if (err)
		goto resv;
	err = vt_resv_store_open(be);
	if (err)
		goto close;
	return 0;
close:
	be->ops->close(be);
resv:
	vt_resv_destroy(&be->resv);
	return err;
}

static void backend_free(struct vt_backend *be)
{
	if (be->wq)
		destroy_workqueue(be->wq);
	kfree(be->path);
	kfree(be);
}

static void backend_late_work(struct work_struct *work)
{
	struct vt_backend *be = container_of(work, struct vt_backend,
					     late_work);
	struct llist_node *list = llist_del_all(&be->late);
	struct vt_io *io, *next;
	struct blk_plug plug;

	blk_start_plug(&plug);
	llist_for_each_entry_safe(io, next, llist_reverse_order(list),
				  late_node)
		be->ops->submit_late(io);
	blk_finish_plug(&plug);
}

void vt_io_late(struct vt_io *io)
{
	struct vt_backend *be = io->be;

	if (llist_add(&io->late_node, &be->late))
		queue_work(be->wq, &be->late_work);
}

static struct vt_backend *backend_new(const struct vt_backend_ops *ops,
				      const struct vt_backend_spec *spec)
{
	struct vt_backend *be = kzalloc(sizeof(*be), GFP_KERNEL_ACCOUNT);
	int err;

	if (!be)
		return ERR_PTR(-ENOMEM);
	be->ops = ops;
	be->shared = spec->shared;
	kref_init(&be->ref);
	mutex_init(&be->lock);
	INIT_LIST_HEAD(&be->users);
	init_llist_head(&be->late);
	INIT_WORK(&be->late_work, backend_late_work);
	/* Its own: those that wait for a slow device are no hindrance to others. */
	be->wq = alloc_workqueue("vhost-target-io",
				 WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	err = be->wq ? vt_rmw_init(&be->rmw) : -ENOMEM;
	if (err) {
		backend_free(be);
		return ERR_PTR(err);
	}
	err = backend_open(be, spec);
	if (err) {
		vt_rmw_destroy(&be->rmw);
		backend_free(be);
		return ERR_PTR(err);
	}
	return be;
}

static void backend_close(struct vt_backend *be)
{
	vt_resv_store_close(be);
	be->ops->close(be);
	vt_resv_destroy(&be->resv);
	vt_rmw_destroy(&be->rmw);
	backend_free(be);
}

static void backend_last_put(struct kref *ref)
{
	backend_close(container_of(ref, struct vt_backend, ref));
}

/* Called with shared_lock held, which it gives back. */
static void backend_last_put_shared(struct kref *ref)
{
	struct vt_backend *be = container_of(ref, struct vt_backend, ref);

	list_del(&be->shared_node);
	backend_close(be);
	mutex_unlock(&shared_lock);
}

void vt_backend_hold(struct vt_backend *be)
{
	kref_get(&be->ref);
}
EXPORT_SYMBOL_GPL(vt_backend_hold);

void vt_backend_release(struct vt_backend *be)
{
	if (be->shared)
		kref_put_mutex(&be->ref, backend_last_put_shared,
			       &shared_lock);
	else
		kref_put(&be->ref, backend_last_put);
}
EXPORT_SYMBOL_GPL(vt_backend_release);

/* One that is open already, if there is; a dead one is as good as closed. */
static struct vt_backend *shared_find(const struct vt_backend_ops *ops,
				      const struct vt_backend_spec *spec)
{
	struct vt_backend *be;

	lockdep_assert_held(&shared_lock);
	list_for_each_entry(be, &shared_backends, shared_node)
		if (be->ops == ops && !READ_ONCE(be->dead) &&
		    ops->is(be, spec->path))
			return be;
	return NULL;
}

/* As the first user opened it, all have it. */
static int shared_fits(const struct vt_backend *be,
		       const struct vt_backend_spec *spec)
{
	if (!spec->ro && be->limits.ro)
		return -EROFS;
	if (spec->block_size && spec->block_size != be->limits.block_size)
		return -ERANGE;
	return 0;
}

static struct vt_backend *shared_get(const struct vt_backend_ops *ops,
				     const struct vt_backend_spec *spec)
{
	struct vt_backend *be;
	int err;

	mutex_lock(&shared_lock);
	be = shared_find(ops, spec);
	if (be) {
		err = shared_fits(be, spec);
		if (err)
			be = ERR_PTR(err);
		else
			kref_get(&be->ref);
	} else {
		be = backend_new(ops, spec);
		if (!IS_ERR(be))
			list_add(&be->shared_node, &shared_backends);
	}
	mutex_unlock(&shared_lock);
	return be;
}

struct vt_backend *vt_backend_get(u32 type, const struct vt_backend_spec *spec,
				  struct vt_backend_user *user)
{
	const struct vt_backend_ops *ops = backend_ops(type);
	struct vt_backend *be;

	if (!ops || (spec->shared && !ops->is))
		return ERR_PTR(-EINVAL);
	if (!spec->path == !!(type != VHOST_TARGET_BACKEND_NULL))
		return ERR_PTR(-EINVAL);
	be = spec->shared ? shared_get(ops, spec) : backend_new(ops, spec);
	if (IS_ERR(be))
		return be;
	mutex_lock(&be->lock);
	user->resized = false;
	list_add_tail(&user->node, &be->users);
	mutex_unlock(&be->lock);
	return be;
}

void vt_backend_put(struct vt_backend *be, struct vt_backend_user *user)
{
	mutex_lock(&be->lock);
	list_del(&user->node);
	mutex_unlock(&be->lock);
	vt_backend_release(be);
}

int vt_backend_refresh(struct vt_backend *be, u64 *capacity)
{
	struct vt_backend_user *user;
	u64 before;
	int err;

	mutex_lock(&be->lock);
	before = be->limits.sectors;
	err = be->ops->refresh(be, *capacity);
	*capacity = be->limits.sectors << SECTOR_SHIFT;
	if (!err && before != be->limits.sectors)
		list_for_each_entry(user, &be->users, node)
			user->resized = true;
	mutex_unlock(&be->lock);
	return err;
}

void vt_backend_died(struct vt_backend *be)
{
	struct vt_backend_user *user;

	WRITE_ONCE(be->dead, true);
	mutex_lock(&be->lock);
	list_for_each_entry(user, &be->users, node)
		user->dead(user);
	mutex_unlock(&be->lock);
}

void vt_io_punt(struct vt_io *io, work_func_t fn)
{
	/* One on the stack of whoever waits for it may come by vt_io_late(). */
	if (object_is_on_stack(io))
		INIT_WORK_ONSTACK(&io->work, fn);
	else
		INIT_WORK(&io->work, fn);
	queue_work(io->be->wq, &io->work);
}
EXPORT_SYMBOL_GPL(vt_io_punt);
