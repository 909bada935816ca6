// SPDX-License-Identifier: GPL-2.0
/* Reading and writing blocks as one: see <vhost_target/rmw.h>. */
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include <vhost_target/backend.h>

/* Of vt_io.counted. */
enum {
	WRITE_UNCOUNTED,
	WRITE_PLAIN,
	WRITE_LISTED,
};

static void plain_gone(struct percpu_ref *ref)
{
	struct vt_rmw *rmw = container_of(ref, struct vt_rmw, plain);

	complete_all(&rmw->plain_gone);
}

int vt_rmw_init(struct vt_rmw *rmw)
{
	mutex_init(&rmw->mutex);
	init_completion(&rmw->plain_gone);
	init_waitqueue_head(&rmw->wait);
	spin_lock_init(&rmw->lock);
	INIT_LIST_HEAD(&rmw->flying);
	INIT_LIST_HEAD(&rmw->held);
	return percpu_ref_init(&rmw->plain, plain_gone, 0, GFP_KERNEL_ACCOUNT);
}

void vt_rmw_destroy(struct vt_rmw *rmw)
{
	WARN_ON(!list_empty(&rmw->flying) || !list_empty(&rmw->held));
	percpu_ref_exit(&rmw->plain);
	mutex_destroy(&rmw->mutex);
}

static bool overlaps(const struct vt_rmw *rmw, u64 sector, u64 nr)
{
	return sector < rmw->sector + rmw->nr_sectors &&
	       rmw->sector < sector + nr;
}

static bool io_overlaps(const struct vt_rmw *rmw, const struct vt_io *io)
{
	unsigned int i;

	lockdep_assert_held(&rmw->lock);
	if (io->op == VT_OP_WRITE)
		return overlaps(rmw, io->sector, io->bytes >> SECTOR_SHIFT);
	for (i = 0; i < io->nr_ranges; i++)
		if (overlaps(rmw, io->range[i].sector,
			     io->range[i].nr_sectors))
			return true;
	return false;
}

static bool write_list(struct vt_rmw *rmw, struct vt_io *io)
{
	unsigned long flags;
	bool hold;

	io->counted = WRITE_LISTED;
	spin_lock_irqsave(&rmw->lock, flags);
	hold = rmw->active && io_overlaps(rmw, io);
	/* No poller will submit it. */
	if (hold)
		io->flags &= ~VT_IO_POLLED;
	list_add_tail(&io->write_node, hold ? &rmw->held : &rmw->flying);
	spin_unlock_irqrestore(&rmw->lock, flags);
	return !hold;
}

bool vt_rmw_write_begin(struct vt_io *io)
{
	struct vt_rmw *rmw = &io->be->rmw;

	if (unlikely(!percpu_ref_tryget_live(&rmw->plain)))
		return write_list(rmw, io);
	io->counted = WRITE_PLAIN;
	return true;
}
EXPORT_SYMBOL_GPL(vt_rmw_write_begin);

void vt_rmw_write_end(struct vt_io *io)
{
	struct vt_rmw *rmw = &io->be->rmw;
	bool plain = io->counted == WRITE_PLAIN;
	unsigned long flags;

	io->counted = WRITE_UNCOUNTED;
	if (likely(plain)) {
		percpu_ref_put(&rmw->plain);
		return;
	}
	/* The backend stays until io->done() was called, after this. */
	spin_lock_irqsave(&rmw->lock, flags);
	list_del(&io->write_node);
	if (rmw->active)
		wake_up_all(&rmw->wait);
	spin_unlock_irqrestore(&rmw->lock, flags);
}
EXPORT_SYMBOL_GPL(vt_rmw_write_end);

/* For good: who compares and writes once will do so again. */
static void rmw_track(struct vt_rmw *rmw)
{
	lockdep_assert_held(&rmw->mutex);
	if (rmw->tracking)
		return;
	percpu_ref_kill(&rmw->plain);
	wait_for_completion(&rmw->plain_gone);
	rmw->tracking = true;
}

static bool rmw_alone(struct vt_rmw *rmw)
{
	bool alone = true;
	struct vt_io *io;

	spin_lock_irq(&rmw->lock);
	list_for_each_entry(io, &rmw->flying, write_node)
		alone &= !io_overlaps(rmw, io);
	spin_unlock_irq(&rmw->lock);
	return alone;
}

void vt_rmw_begin(struct vt_backend *be, u64 sector, u64 nr_sectors)
{
	struct vt_rmw *rmw = &be->rmw;

	mutex_lock(&rmw->mutex);
	rmw_track(rmw);
	spin_lock_irq(&rmw->lock);
	rmw->sector = sector;
	rmw->nr_sectors = nr_sectors;
	rmw->active = true;
	spin_unlock_irq(&rmw->lock);
	wait_event(rmw->wait, rmw_alone(rmw));
}
EXPORT_SYMBOL_GPL(vt_rmw_begin);

/* The first write that was held is in flight now, or there is none: NULL. */
static struct vt_io *rmw_next_held(struct vt_rmw *rmw)
{
	struct vt_io *io;

	spin_lock_irq(&rmw->lock);
	rmw->active = false;
	io = list_first_entry_or_null(&rmw->held, struct vt_io, write_node);
	if (io)
		list_move_tail(&io->write_node, &rmw->flying);
	spin_unlock_irq(&rmw->lock);
	return io;
}

void vt_rmw_end(struct vt_backend *be)
{
	struct vt_rmw *rmw = &be->rmw;
	struct vt_io *io;

	/* The next one must find them in flight. */
	lockdep_assert_held(&rmw->mutex);
	while ((io = rmw_next_held(rmw)))
		be->ops->submit(io);
	mutex_unlock(&rmw->mutex);
}
EXPORT_SYMBOL_GPL(vt_rmw_end);
