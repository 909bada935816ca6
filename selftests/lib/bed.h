/* SPDX-License-Identifier: GPL-2.0 */
/* A target with a disk behind it, ready to be attached to. */
#ifndef VT_BED_H
#define VT_BED_H

#include "ctl.h"
#include "disk.h"

#define BED_SERIAL "vt-serial-0123"

struct bed_opts {
	struct disk *disk;		/* scsi: LUN 0, or NULL */
	u32 type;			/* enum vhost_target_type; 0: blk */
	unsigned int num_queues;
	unsigned int queue_size;	/* 0: 256 */
	unsigned int unit_flags;	/* VHOST_TARGET_UNIT_F_* */
	unsigned int target_flags;	/* VHOST_TARGET_F_* */
	u32 uid;
	u32 gid;			/* 0: nobody */
};

struct bed {
	int ctl;
	char name[VHOST_TARGET_NAME_LEN];
	char wwpn[VHOST_TARGET_WWPN_LEN];
	u64 capacity;
	unsigned int block_size;
};

/*
 * All targets of the tests are served by one and the same poller, so that
 * whoever misbehaves sits next to whoever must not notice.
 */
int bed_make(struct bed *b, const struct bed_opts *o);
void bed_destroy(struct bed *b);
/* Another LUN of a scsi target; VHOST_TARGET_UNIT_F_*. */
int bed_add_lun(struct bed *b, unsigned int lun, struct disk *d,
		unsigned int flags);
/* Remove targets and disks that an earlier, crashed run left behind. */
void bed_sweep(void);

/* The counters of all queues; all ones when the call fails. */
void bed_stats(const struct bed *b, struct vhost_target_stats *st);
/* Wait until nobody is attached; 0 or -ETIMEDOUT. */
int bed_wait_detached(const struct bed *b);
/* Wait until @nr requests or more are in flight; 0 or -errno. */
int bed_wait_inflight(const struct bed *b, unsigned int nr);

#endif
