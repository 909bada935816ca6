/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two virtio-scsi sessions whose LUN 0 is one slow disk: each on a target of
 * its own, or both on one shared target.
 */
#ifndef VT_SCSI_SHARERS_H
#define VT_SCSI_SHARERS_H

#include "bed.h"
#include "vscsi.h"

struct sharers_opts {
	u64 delay_ns;			/* of each request */
	bool one_target;
	bool more;			/* others may attach, too */
	bool packed;
	bool event_idx;
};

struct sharers {
	struct disk disk;
	struct bed bed[2];		/* the second only of two targets */
	struct vscsi d[2];
};

/* 0 or -errno after a message. */
int sharers_open(struct sharers *s, const struct sharers_opts *o);
void sharers_close(struct sharers *s);

/* The target of the second session. */
struct bed *sharers_other(struct sharers *s);

#endif
