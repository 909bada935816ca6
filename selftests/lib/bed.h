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
	int poller;			/* 0: ctl_some_poller(); else its id + 1 */
	bool any_poller;
};

struct bed {
	int ctl;
	char name[VHOST_TARGET_NAME_LEN];
	char wwpn[VHOST_TARGET_WWPN_LEN];
	u64 capacity;
	unsigned int block_size;
	u32 poller;
};

/*
 * All targets of the tests are served by one and the same poller if they do not
 * ask for another, so that whoever misbehaves sits next to whoever must not
 * notice.
 */
int bed_make(struct bed *b, const struct bed_opts *o);
/*
 * The same after its disk was made: a null_blk of 16 MiB, nobody else's, with
 * @delay_ns for each request.
 */
int bed_make_nullb(struct bed *b, const struct bed_opts *o, u64 delay_ns);
void bed_destroy(struct bed *b);
/* Another LUN of a scsi target; VHOST_TARGET_UNIT_F_*. */
int bed_add_lun(struct bed *b, unsigned int lun, struct disk *d,
		unsigned int flags);
/* Remove targets and disks that an earlier, crashed run left behind. */
void bed_sweep(void);

/* The counters of all queues; all ones when the call fails. */
void bed_stats(const struct bed *b, struct vhost_target_stats *st);
/*
 * Have `invalid` and `ring_errors` grown by so much since @before, or do they
 * when they are waited for? A message if not.
 */
bool bed_counted(const struct bed *b, const struct vhost_target_stats *before,
		 u64 invalid, u64 ring_errors);
/* Wait until nobody is attached; 0 or -ETIMEDOUT. */
int bed_wait_detached(const struct bed *b);
/* Wait until @nr requests or more are in flight, or none: 0 or -ETIMEDOUT. */
int bed_wait_inflight(const struct bed *b, unsigned int nr);
int bed_wait_idle(const struct bed *b);
/* Wait until its poller has put all queues to sleep; 0 or -ETIMEDOUT. */
int bed_wait_asleep(const struct bed *b);

/*
 * The end of a test: nobody is attached any more, and both go. -EBUSY after a
 * message if something stayed in flight. What was never made does not matter.
 */
int bed_finish(struct bed *b, struct disk *d);

#endif
