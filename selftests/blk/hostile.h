/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session that breaks the rules, and a bystander on the same poller.
 *
 * Whatever the first does must end the documented way: requests fail with
 * IOERR or UNSUPP and are counted in `invalid`, or the ring is stopped, which
 * is counted in `ring_errors` and signalled by the queue's error eventfd. The
 * bystander's I/O goes on, and after STOP and a new set up so does the first's.
 */
#ifndef VT_HOSTILE_H
#define VT_HOSTILE_H

#include "bed.h"
#include "vblk.h"

/* What may become of a request, as bits. */
enum outcome {
	OUT_OK		= 1 << 0,
	OUT_IOERR	= 1 << 1,
	OUT_UNSUPP	= 1 << 2,
	OUT_LOST	= 1 << 3,	/* returned, but there was no status */
	OUT_STOPPED	= 1 << 4,
	OUT_NOTHING	= 1 << 5,	/* never looked at */
};

#define OUT_REFUSED (OUT_IOERR | OUT_UNSUPP | OUT_LOST)

struct hostile_opts {
	bool packed;
	bool event_idx;
	bool no_indirect;
	bool read_only;
	unsigned int queue_size;	/* 0: 64 */
};

struct hostile {
	struct disk disk[2];
	struct bed bed[2];
	struct vblk d;
	struct vblk good;
	struct vblk_queue *q;		/* of @d */
	struct vhost_target_stats before;
	u32 generation;
	unsigned int patience_ms;	/* for an outcome */
};

int hostile_open(struct hostile *h, const struct hostile_opts *o);
void hostile_close(struct hostile *h);

/* The bystander is served: 0 or -errno after a message. */
int hostile_bystander(struct hostile *h);
/* A working session again, on the same fd; 0 or -errno after a message. */
int hostile_recover(struct hostile *h);

/* A request with its header filled in; counters are noted. */
struct vblk_req *hostile_req(struct hostile *h, u32 type, u64 sector);
/* Offer the chain and kick; 0 or -errno. */
int hostile_send(struct vblk_req *r, const struct vring_seg *seg,
		 unsigned int n);

/*
 * What became of @r, which was offered by hostile_send() or in raw form. The
 * counters must agree: 0 after a message when they do not.
 */
enum outcome hostile_outcome(struct hostile *h, struct vblk_req *r);
const char *outcome_name(enum outcome o);

/* Parts of a chain. */
#define SEG_HDR(r) { (r)->hdr_gpa, sizeof(*(r)->hdr), false }
#define SEG_OUT(r, offset, bytes) { (r)->buf_gpa + (offset), bytes, false }
#define SEG_IN(r, offset, bytes) { (r)->buf_gpa + (offset), bytes, true }
#define SEG_STATUS(r) { (r)->status_gpa, 1, true }

/*
 * The whole of a hazard's end, in a test of the harness: outcome, bystander,
 * recovery.
 */
#define EXPECT_OUTCOME(allowed, h, r) do { \
	enum outcome __out = hostile_outcome(h, r); \
	EXPECT_NE(0, __out & (allowed)) \
		TH_LOG("outcome: %s", outcome_name(__out)); \
	EXPECT_EQ(0, hostile_bystander(h)); \
	EXPECT_EQ(0, hostile_recover(h)); \
} while (0)

#endif
