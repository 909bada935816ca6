// SPDX-License-Identifier: GPL-2.0
/*
 * Where reservations persist: one small file for each backend that has any, in
 * a directory of the host. A state is on stable storage there before the
 * command that made it is answered.
 *
 * The directory is looked up when a unit is added, in the name space of who
 * adds it: the work items that write have another one.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include <vhost_target/backend.h>

#include "resv_blob.h"
#include "resv_store.h"

static char *state_dir = "/var/lib/vhost-target";
module_param(state_dir, charp, 0444);
MODULE_PARM_DESC(state_dir, "directory for persistent reservations; empty: none persist");

/**
 * struct resv_store - the file of a backend
 * @dir: directory
 * @name: the file's name in it
 * @ident: what the reservations are of
 * @seq: number of the last write, 0: there is no file
 * @slot: the slot of the last write
 */
struct resv_store {
	struct path dir;
	char name[24];
	char ident[VT_RESV_IDENT];
	u64 seq;
	unsigned int slot;
};

/* FNV-1a; what is in the file says whether it is the right one. */
static u64 store_hash(const char *ident)
{
	u64 hash = 0xcbf29ce484222325ULL;

	while (*ident) {
		hash ^= (u8)*ident++;
		hash *= 0x100000001b3ULL;
	}
	return hash;
}

static int store_write(struct file *file, const u8 *buf, size_t len, loff_t pos)
{
	ssize_t n;

	while (len) {
		n = kernel_write(file, buf, len, &pos);
		if (n <= 0)
			return n ?: -EIO;
		buf += n;
		len -= n;
	}
	return 0;
}

static loff_t store_pos(unsigned int slot)
{
	return (loff_t)slot * VT_RESV_SLOT;
}

static int store_put(struct resv_store *st, struct file *file,
		     const struct vt_resv_state *s, unsigned int slot, u8 *buf)
{
	int err;

	vt_resv_blob_put(s, st->ident, st->seq + 1, buf);
	err = store_write(file, buf, VT_RESV_SLOT, store_pos(slot));
	if (!err)
		err = vfs_fsync(file, 0);
	if (err)
		return err;
	st->seq++;
	st->slot = slot;
	return 0;
}

/* What failed may have been written all the same: it did not happen. */
static void store_forget(struct file *file, unsigned int slot, u8 *buf)
{
	memset(buf, 0, VT_RESV_SLOT);
	if (!store_write(file, buf, VT_RESV_SLOT, store_pos(slot)))
		vfs_fsync(file, 0);
}

static int store_sync_dir(struct resv_store *st)
{
	struct file *dir = dentry_open(&st->dir, O_RDONLY | O_DIRECTORY,
				       current_cred());
	int err;

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	err = vfs_fsync(dir, 0);
	fput(dir);
	/* A filesystem that has no such thing needs none. */
	return err == -EINVAL ? 0 : err;
}

/* A file begins with no state in its first slot. */
static int store_begin(struct resv_store *st, struct file *file, u8 *buf)
{
	static const struct vt_resv_state none = { .holder = VT_RESV_NOBODY };
	int err;

	err = vfs_truncate(&file->f_path, 0);
	if (!err)
		err = store_put(st, file, &none, 0, buf);
	if (!err)
		err = store_sync_dir(st);
	if (err)
		st->seq = 0;
	return err;
}

static int store_save_to(struct resv_store *st, struct file *file,
			 const struct vt_resv_state *s, u8 *buf)
{
	unsigned int slot;
	int err = 0;

	if (!st->seq)
		err = store_begin(st, file, buf);
	if (err)
		return err;
	slot = !st->slot;
	err = store_put(st, file, s, slot, buf);
	if (err)
		store_forget(file, slot, buf);
	return err;
}

static int store_save(struct vt_resv *r, const struct vt_resv_state *s)
{
	struct vt_backend *be = container_of(r, struct vt_backend, resv);
	struct resv_store *st = r->save_priv;
	struct file *file;
	u8 *buf;
	int err;

	lockdep_assert_held(&r->lock);
	/* Another may have been opened in its place, with the same file. */
	if (READ_ONCE(be->dead))
		return -ENODEV;
	buf = kvmalloc(VT_RESV_SLOT, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	file = file_open_root(&st->dir, st->name,
			      O_RDWR | O_CREAT | O_NOFOLLOW | O_LARGEFILE,
			      0600);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
	} else {
		err = store_save_to(st, file, s, buf);
		fput(file);
	}
	if (err)
		pr_warn_ratelimited("vhost_target: reservations of %s cannot be saved in %s: error %d\n",
				    st->ident, state_dir, err);
	kvfree(buf);
	return err;
}

static ssize_t store_read(struct resv_store *st, u8 *buf)
{
	struct file *file;
	loff_t pos = 0;
	ssize_t n = 0;

	file = file_open_root(&st->dir, st->name,
			      O_RDONLY | O_NOFOLLOW | O_LARGEFILE, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	while (pos < 2 * VT_RESV_SLOT) {
		n = kernel_read(file, buf + pos, 2 * VT_RESV_SLOT - pos, &pos);
		if (n <= 0)
			break;
	}
	fput(file);
	return n < 0 ? n : pos;
}

static int store_take(struct resv_store *st, struct vt_resv *r, const u8 *buf,
		      size_t len)
{
	struct vt_resv_state *s;
	int slot, err = 0;

	s = kvzalloc(struct_size(s, reg, VT_RESV_MAX_REGISTRANTS), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	slot = vt_resv_blob_get(buf, len, st->ident, s, &st->seq);
	if (slot == -ENODATA) {
		st->seq = 0;
	} else if (slot < 0) {
		pr_err("vhost_target: %s/%s is damaged; remove it to have %s without the reservations in it\n",
		       state_dir, st->name, st->ident);
		err = slot;
	} else {
		st->slot = slot;
		err = s->ptpl ? vt_resv_restore(r, s) : 0;
	}
	kvfree(s);
	return err;
}

static int store_restore(struct resv_store *st, struct vt_resv *r)
{
	ssize_t len;
	u8 *buf;
	int err;

	buf = kvzalloc(2 * VT_RESV_SLOT, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	len = store_read(st, buf);
	if (len == -ENOENT)
		err = 0;
	else if (len < 0)
		err = len;
	else
		err = store_take(st, r, buf, len);
	kvfree(buf);
	return err;
}

/* Of what, and where to; false: nothing of it persists. */
static bool store_find(struct resv_store *st, struct vt_backend *be)
{
	int err;

	if (!be->ops->ident || be->ops->ident(be, st->ident,
					      sizeof(st->ident)))
		return false;
	snprintf(st->name, sizeof(st->name), "%016llx.resv",
		 store_hash(st->ident));
	err = kern_path(state_dir, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &st->dir);
	if (err)
		pr_warn_once("vhost_target: %s: error %d; no reservation persists\n",
			     state_dir, err);
	return !err;
}

int vt_resv_store_open(struct vt_backend *be)
{
	struct resv_store *st;
	int err;

	if (!*state_dir)
		return 0;
	st = kvzalloc(sizeof(*st), GFP_KERNEL_ACCOUNT);
	if (!st)
		return -ENOMEM;
	if (!store_find(st, be)) {
		kvfree(st);
		return 0;
	}
	err = store_restore(st, &be->resv);
	if (err) {
		path_put(&st->dir);
		kvfree(st);
		return err;
	}
	be->resv.save_priv = st;
	be->resv.save = store_save;
	return 0;
}

void vt_resv_store_close(struct vt_backend *be)
{
	struct resv_store *st = be->resv.save_priv;

	if (!st)
		return;
	be->resv.save = NULL;
	be->resv.save_priv = NULL;
	path_put(&st->dir);
	kvfree(st);
}
