/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-scsi session that breaks the rules, and a bystander on the same
 * poller, each on a target of its own.
 */
#ifndef VT_SCSI_TWO_H
#define VT_SCSI_TWO_H

#include "bed.h"
#include "vscsi.h"

#define TWO_BLOCKS (16 * MIB / SECTOR)

struct two_opts {
	bool packed;
	bool event_idx;
	bool indirect;
};

struct two {
	struct disk disk[2];
	struct bed bed[2];
	struct vscsi d;
	struct vscsi good;
	struct vscsi_queue *q;		/* of @d */
	u32 generation;
};

int two_open(struct two *t, const struct two_opts *o);
void two_close(struct two *t);

/* The bystander is served: 0 or -errno after a message. */
int two_bystander(struct two *t);
/* A working session again, on the same fd; 0 or -errno after a message. */
int two_recover(struct two *t);

#endif
