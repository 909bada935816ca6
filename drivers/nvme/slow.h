/* SPDX-License-Identifier: GPL-2.0 */
/* Commands at work in a work item: between slow.c and pi_slow.c. */
#ifndef _VT_NVME_SLOW_H
#define _VT_NVME_SLOW_H

#include <linux/completion.h>

#include "io.h"

/**
 * struct slow - a command at work
 * @req: its request
 * @cmd: the command
 * @io: the present step
 * @done: it has ended
 * @range: of it
 * @pi: tuples of a step, NULL: the namespace has none
 * @nr: pages
 * @bv: a buffer of as many pages as the largest step
 */
struct slow {
	struct vt_req *req;
	struct nv_cmd *cmd;
	struct vt_io io;
	struct completion done;
	struct vt_range range;
	struct vt_pi *pi;
	unsigned int nr;
	struct bio_vec bv[];
};

static inline u32 slow_block_size(const struct slow *s)
{
	return s->cmd->unit->be->limits.block_size;
}

static inline u32 slow_copy_nlb(const struct nv_copy_range *r)
{
	return le16_to_cpu(r->nlb) + 1;
}

/*
 * Before each piece of a long command: reservations may change here, and it
 * ends if its queue is being stopped. Returns: why, or BLK_STS_OK.
 */
blk_status_t slow_go_on(struct slow *s);

/* Blocks from or to the buffer, with s->io.pi. */
blk_status_t slow_rw(struct slow *s, u8 op, u64 lba, u32 bytes, u8 flags);

/* Is what the guest has, after @off bytes, in the first @len of the buffer? */
bool slow_same(struct slow *s, u32 off, u32 len);

/* pi_slow.c: the same commands on a namespace with protection information. */

/* Blocks of the largest step. */
#define SLOW_PI_STEP	256u

/* Does the request's command move blocks, with their tuples? */
bool slow_pi_has(const struct vt_req *req);

blk_status_t slow_pi_read(struct slow *s);
blk_status_t slow_pi_write(struct slow *s, struct vt_req *req);
blk_status_t slow_pi_compare(struct slow *s);
blk_status_t slow_pi_verify(struct slow *s);
blk_status_t slow_pi_zeroes(struct slow *s);
/* One range, to @to; the command's own tags are those of what is written. */
blk_status_t slow_pi_copy(struct slow *s, const struct nv_copy_range *r,
			  u64 to);

#endif
