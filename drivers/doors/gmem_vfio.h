/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory of a VFIO device: pinned by VFIO, a chunk when it is first
 * used, until the VMM unmaps it.
 */
#ifndef _VT_GMEM_VFIO_H
#define _VT_GMEM_VFIO_H

#include <linux/kref.h>

#include <vhost_target/gmem.h>

struct vfio_device;

/**
 * struct vt_gmem_vfio_user - who uses the memory
 * @sync: wait for the requests which may use dropped chunks; may sleep
 * @arg: its argument
 */
struct vt_gmem_vfio_user {
	void (*sync)(void *arg);
	void *arg;
};

/**
 * struct vt_vfio_bans - ranges that are being unmapped
 * @ref: of the memory, and of each ban
 * @lock: protects @list
 * @list: struct vt_vfio_ban
 */
struct vt_vfio_bans {
	struct kref ref;
	spinlock_t lock;	/* see above */
	struct list_head list;
};

/**
 * struct vt_vfio_ban - a range that is being unmapped
 * @work: runs when the call that unmaps it has returned
 * @bans: of which it is one
 * @node: on its list
 * @first: first address
 * @last: last one
 */
struct vt_vfio_ban {
	struct callback_head work;
	struct vt_vfio_bans *bans;
	struct list_head node;
	u64 first;
	u64 last;
};

/**
 * struct vt_gmem_vfio - memory of a VFIO device
 * @gm: what pollers look up in
 * @vdev: the device, open whenever memory is looked up
 * @user: set while the device is open; changes under @user_lock
 * @user_lock: held while VFIO has us unmap
 * @master: the device may use memory (bus master); gm.fill_lock
 * @bans: what may not be pinned now
 */
struct vt_gmem_vfio {
	struct vt_gmem gm;
	struct vfio_device *vdev;
	const struct vt_gmem_vfio_user *user;
	struct mutex user_lock;	/* see above */
	bool master;
	struct vt_vfio_bans *bans;
};

/* Returns: 0 or -ENOMEM. */
int vt_gmem_vfio_init(struct vt_gmem_vfio *gv, struct vfio_device *vdev);
void vt_gmem_vfio_exit(struct vt_gmem_vfio *gv);

/**
 * vt_gmem_vfio_open - the device was opened
 * @gv: memory, empty
 * @user: its user, stays until vt_gmem_vfio_close()
 */
void vt_gmem_vfio_open(struct vt_gmem_vfio *gv,
		       const struct vt_gmem_vfio_user *user);

/* It is about to be closed: unpin everything; nobody uses it any more. */
void vt_gmem_vfio_close(struct vt_gmem_vfio *gv);

/**
 * vt_gmem_vfio_unmap - the VMM takes memory away
 * @gv: memory
 * @iova: first address
 * @size: bytes
 *
 * When it returns the range is not pinned, and no request uses it. A ring there
 * keeps the pages it was made on, as in <vhost_target/gmem.h>.
 * Context: may sleep; VFIO's device_list_lock is held.
 */
void vt_gmem_vfio_unmap(struct vt_gmem_vfio *gv, u64 iova, u64 size);

/**
 * vt_gmem_vfio_set_master - may the device use memory?
 * @gv: memory
 * @on: it may; else nothing is pinned or used when this returns
 *
 * Context: may sleep.
 */
void vt_gmem_vfio_set_master(struct vt_gmem_vfio *gv, bool on);

#endif
