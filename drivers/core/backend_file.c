// SPDX-License-Identifier: GPL-2.0
/*
 * The file backend: direct, asynchronous I/O on a regular file. With IOCB_NOWAIT
 * the filesystem does not wait (for an extent to allocate, a lock), but the
 * device below does, as bios of files have no REQ_NOWAIT. So a work item submits,
 * many under one plug, and what the filesystem would have to wait for is done
 * again from work items of their own.
 */
#include <linux/blkdev.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/uio.h>

#include <linux/vhost_target.h>
#include <vhost_target/backend.h>

#include "charge.h"

/*
 * Whatever the file system does for an I/O. It may lie on a disk of ours, or swap
 * may: memory that it allocates must not wait for that.
 */
static unsigned int file_enter(const struct vt_io *io)
{
	vt_charge_begin(io->css);
	return memalloc_noio_save();
}

static void file_leave(unsigned int noio)
{
	memalloc_noio_restore(noio);
	vt_charge_end();
}

static void file_rw_work(struct work_struct *work);

/*
 * Without waiting all can be tried, but not all be done: a file system may have
 * no such way, or come to an extent for which it would have to wait.
 */
static bool file_again(const struct vt_io *io, long ret)
{
	if (!(io->iocb.ki_flags & IOCB_NOWAIT))
		return false;
	return ret == -EAGAIN || ret == -EOPNOTSUPP ||
	       (ret >= 0 && ret != io->bytes);
}

static void file_end(struct vt_io *io, long ret)
{
	if (file_again(io, ret)) {
		vt_io_punt(io, file_rw_work);
		return;
	}
	if (ret >= 0)
		/* A short transfer: the file ends here, or the disk is full. */
		ret = ret == io->bytes ? 0 : -EIO;
	vt_io_end(io, errno_to_blk_status(ret));
}

/* Who began a write that ends later does not say that it has ended. */
static void file_ki_complete(struct kiocb *iocb, long ret)
{
	struct vt_io *io = container_of(iocb, struct vt_io, iocb);

	if (io->op == VT_OP_WRITE)
		kiocb_end_write(iocb);
	file_end(io, ret);
}

/*
 * What vfs_iocb_iter_write() does, which waits where the file system is frozen,
 * whatever the flags say. Whoever ends the write need not be who began it.
 */
static ssize_t file_try_write(struct file *file, struct kiocb *iocb,
			      struct iov_iter *iter)
{
	struct super_block *sb = file_inode(file)->i_sb;
	ssize_t ret;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	ret = rw_verify_area(WRITE, file, &iocb->ki_pos, iov_iter_count(iter));
	if (ret)
		return ret;
	if (!sb_start_write_trylock(sb))
		return -EAGAIN;
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	ret = file->f_op->write_iter(iocb, iter);
	if (ret != -EIOCBQUEUED)
		kiocb_end_write(iocb);
	if (ret > 0)
		fsnotify_modify(file);
	return ret;
}

static void file_rw(struct vt_io *io, int flags)
{
	bool write = io->op == VT_OP_WRITE;
	struct file *file = io->be->file;
	struct kiocb *iocb = &io->iocb;
	struct iov_iter iter;
	ssize_t ret;

	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, io->bv,
		      io->nr_bv, io->bytes);
	init_sync_kiocb(iocb, file);
	iocb->ki_pos = io->sector << SECTOR_SHIFT;
	iocb->ki_complete = file_ki_complete;
	iocb->ki_flags |= IOCB_DIRECT | flags;
	if (io->flags & VT_IO_FUA)
		iocb->ki_flags |= IOCB_DSYNC;

	if (!write)
		ret = vfs_iocb_iter_read(file, iocb, &iter);
	else if (flags & IOCB_NOWAIT)
		ret = file_try_write(file, iocb, &iter);
	else
		ret = vfs_iocb_iter_write(file, iocb, &iter);
	if (ret != -EIOCBQUEUED)
		file_end(io, ret);
}

static void file_rw_work(struct work_struct *work)
{
	struct vt_io *io = container_of(work, struct vt_io, work);
	unsigned int noio = file_enter(io);

	file_rw(io, 0);
	file_leave(noio);
}

static void file_flush_work(struct work_struct *work)
{
	struct vt_io *io = container_of(work, struct vt_io, work);
	unsigned int noio = file_enter(io);
	int err = vfs_fsync(io->be->file, 1);

	file_leave(noio);
	vt_io_end(io, errno_to_blk_status(err));
}

#define ZERO_PAGES 16

/* Where the filesystem has no way to zero a range. */
static int file_write_zeroes(struct file *file, loff_t pos, loff_t len)
{
	struct bio_vec bv[ZERO_PAGES];
	struct iov_iter iter;
	unsigned int i;
	ssize_t ret;

	for (i = 0; i < ZERO_PAGES; i++)
		bvec_set_page(&bv[i], ZERO_PAGE(0), PAGE_SIZE, 0);
	while (len) {
		size_t n = min_t(loff_t, len, ZERO_PAGES * PAGE_SIZE);

		iov_iter_bvec(&iter, ITER_SOURCE, bv, ZERO_PAGES, n);
		ret = vfs_iter_write(file, &iter, &pos, 0);
		if (ret <= 0)
			return ret ? ret : -EIO;
		len -= ret;
		cond_resched();
	}
	return 0;
}

static int file_do_range(struct vt_io *io, const struct vt_range *r)
{
	loff_t pos = r->sector << SECTOR_SHIFT;
	loff_t len = (loff_t)r->nr_sectors << SECTOR_SHIFT;
	bool unmap = io->op == VT_OP_DISCARD || (r->flags & VT_RANGE_UNMAP);
	int err;

	err = vfs_fallocate(io->be->file, FALLOC_FL_KEEP_SIZE |
			    (unmap ? FALLOC_FL_PUNCH_HOLE :
				     FALLOC_FL_ZERO_RANGE), pos, len);
	if (err == -EOPNOTSUPP && io->op == VT_OP_WRITE_ZEROES)
		err = file_write_zeroes(io->be->file, pos, len);
	return err;
}

static void file_ranges_work(struct work_struct *work)
{
	struct vt_io *io = container_of(work, struct vt_io, work);
	unsigned int noio = file_enter(io), i;
	int err = 0;

	for (i = 0; i < io->nr_ranges && !err; i++)
		err = file_do_range(io, &io->range[i]);
	if (!err && io->flags & VT_IO_FUA)
		err = vfs_fsync(io->be->file, 1);
	file_leave(noio);
	vt_io_end(io, errno_to_blk_status(err));
}

static void file_submit_late(struct vt_io *io)
{
	unsigned int noio;

	if (!(io->be->file->f_mode & FMODE_NOWAIT)) {
		vt_io_punt(io, file_rw_work);
		return;
	}
	noio = file_enter(io);
	file_rw(io, IOCB_NOWAIT);
	file_leave(noio);
}

static void file_submit(struct vt_io *io)
{
	switch (io->op) {
	case VT_OP_READ:
	case VT_OP_WRITE:
		vt_io_late(io);
		break;
	case VT_OP_FLUSH:
		vt_io_punt(io, file_flush_work);
		break;
	default:
		vt_io_punt(io, file_ranges_work);
		break;
	}
}

static LIST_HEAD(file_users);
static DEFINE_MUTEX(file_users_lock);

/* One image has one writer, or any number of readers. */
static int file_claim(struct vt_backend *be)
{
	struct inode *inode = file_inode(be->file);
	struct vt_backend *other;
	int err = 0;

	mutex_lock(&file_users_lock);
	list_for_each_entry(other, &file_users, node)
		if (file_inode(other->file) == inode &&
		    (!be->limits.ro || !other->limits.ro))
			err = -EBUSY;
	if (!err)
		list_add(&be->node, &file_users);
	mutex_unlock(&file_users_lock);
	return err;
}

static void file_unclaim(struct vt_backend *be)
{
	mutex_lock(&file_users_lock);
	list_del(&be->node);
	mutex_unlock(&file_users_lock);
}

/* What the filesystem says of direct I/O; 0: it does not say. */
static int file_dio_align(struct file *file, u32 *mem, u32 *off)
{
	struct kstat st = {};
	int err;

	err = vfs_getattr(&file->f_path, &st, STATX_DIOALIGN | STATX_BASIC_STATS,
			  AT_STATX_SYNC_AS_STAT);
	if (err)
		return err;
	*mem = st.result_mask & STATX_DIOALIGN ? st.dio_mem_align : 0;
	*off = st.result_mask & STATX_DIOALIGN ? st.dio_offset_align : 0;
	/* It can be opened with O_DIRECT, but goes through the page cache. */
	if (st.result_mask & STATX_DIOALIGN && !*mem)
		return -EOPNOTSUPP;
	return 0;
}

static u64 file_sectors(struct vt_backend *be)
{
	u64 size = i_size_read(file_inode(be->file));

	return round_down(size, be->limits.block_size) >> SECTOR_SHIFT;
}

static int file_read_limits(struct vt_backend *be, u32 block_size)
{
	bool punch = be->file->f_op->fallocate;
	struct vt_limits *l = &be->limits;
	u32 mem, off;
	int err;

	err = file_dio_align(be->file, &mem, &off);
	if (err)
		return err;
	l->block_size = block_size ?: max(off, 512u);
	if (l->block_size > 4096 || off > l->block_size)
		return -ERANGE;
	l->physical_block_size = max(l->block_size, 4096u);
	l->io_min = l->physical_block_size;
	l->dma_mask = max(mem, l->block_size) - 1;
	l->max_discard_sectors = punch ? SZ_1G >> SECTOR_SHIFT : 0;
	l->discard_alignment = l->physical_block_size >> SECTOR_SHIFT;
	l->max_write_zeroes_sectors = l->max_discard_sectors;
	l->write_cache = true;
	WRITE_ONCE(l->sectors, file_sectors(be));
	return l->sectors ? 0 : -ERANGE;
}

static int file_open(struct vt_backend *be, const struct vt_backend_spec *spec)
{
	int flags = (spec->ro ? O_RDONLY : O_RDWR) | O_DIRECT | O_LARGEFILE;
	struct file *file;
	int err;

	file = filp_open(spec->path, flags, 0);
	if (IS_ERR(file))
		/* open(2) says EINVAL where O_DIRECT is not possible. */
		return PTR_ERR(file) == -EINVAL ? -EOPNOTSUPP : PTR_ERR(file);
	be->file = file;
	be->limits.ro = spec->ro;
	if (!S_ISREG(file_inode(file)->i_mode))
		err = -EINVAL;
	else if (!file->f_op->read_iter || !file->f_op->write_iter)
		err = -EOPNOTSUPP;
	else
		err = file_read_limits(be, spec->block_size);
	if (!err)
		err = file_claim(be);
	if (err) {
		fput(file);
		be->file = NULL;
	}
	return err;
}

static void file_close(struct vt_backend *be)
{
	file_unclaim(be);
	fput(be->file);
	be->file = NULL;
}

static int file_refresh(struct vt_backend *be, u64 capacity)
{
	u64 sectors = file_sectors(be);

	if (capacity)
		return -EOPNOTSUPP;
	if (!sectors)
		return -ERANGE;
	WRITE_ONCE(be->limits.sectors, sectors);
	return 0;
}

static bool file_is(const struct vt_backend *be, const char *name)
{
	struct path path;
	bool same;

	if (kern_path(name, LOOKUP_FOLLOW, &path))
		return false;
	same = d_backing_inode(path.dentry) == file_inode(be->file);
	path_put(&path);
	return same;
}

static int file_ident(const struct vt_backend *be, char *buf, size_t len)
{
	char *page = kmalloc(PATH_MAX, GFP_KERNEL), *path;
	int n = -ENAMETOOLONG;

	if (!page)
		return -ENOMEM;
	path = file_path(be->file, page, PATH_MAX);
	if (!IS_ERR(path))
		n = snprintf(buf, len, "file %s", path);
	kfree(page);
	return n >= 0 && n < len ? 0 : -ENAMETOOLONG;
}

const struct vt_backend_ops vt_backend_file_ops = {
	.type		= VHOST_TARGET_BACKEND_FILE,
	.open		= file_open,
	.close		= file_close,
	.submit		= file_submit,
	.submit_late	= file_submit_late,
	.refresh	= file_refresh,
	.is		= file_is,
	.ident		= file_ident,
};
