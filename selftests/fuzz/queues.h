/* SPDX-License-Identifier: GPL-2.0 */
/* Sessions whose drivers are hostile, and whose memory comes and goes. */
#ifndef VT_FUZZ_QUEUES_H
#define VT_FUZZ_QUEUES_H

#include "bed.h"
#include "churn.h"

struct job;

/**
 * struct session_kind - a kind of session
 * @name: of it
 * @type: enum vhost_target_type
 * @flags: VHOST_TARGET_F_*
 * @packed: kind of ring; @indirect, @event_idx: likewise
 * @db: enum nvme_db
 * @missing: what is not there for it, or NULL
 * @open: attach and start; 0 or -errno after a message, as all below
 * @submit: something hostile, or what is to be in flight when that comes
 * @reset: begin anew, with all memory there
 * @check: after that: I/O is served
 * @close: detach
 */
struct session_kind {
	const char *name;
	u32 type;
	u32 flags;
	bool packed;
	bool indirect;
	bool event_idx;
	u8 db;
	const char *(*missing)(void);
	int (*open)(struct job *j);
	/* -EAGAIN: it is time for a reset. */
	int (*submit)(struct job *j);
	int (*reset)(struct job *j);
	int (*check)(struct job *j);
	void (*close)(struct job *j);
};

struct job {
	const struct session_kind *kind;
	struct rng rng;
	struct disk disk;
	struct bed bed;
	struct churn churn;
	u64 sent;
	u64 ended;
	u64 resets;
	u32 generation;
};

extern const struct session_kind blk_split, blk_packed, vdpa_split, vdpa_packed;
extern const struct session_kind scsi_split, scsi_packed;
extern const struct session_kind nvme_trap, nvme_page, nvme_shadow, nvme_vfio;

#define REAP_MS 300	/* of a full queue, before it is given up */

#endif
