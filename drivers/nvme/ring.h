/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Submission and completion queues as the controller sees them, and their
 * doorbells: NVMe Base 2.0, 3.3.1 and 5.8 (shadow doorbells).
 *
 * A doorbell's value comes from one of two places: the page of doorbells,
 * which the driver writes by BAR0, or the shadow page, once the driver has
 * named one. Either is memory of the driver: its value is read once, then
 * checked. A value out of range is as if it had not been written.
 */
#ifndef _VT_NVME_RING_H
#define _VT_NVME_RING_H

#include <asm/barrier.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "spec.h"

/**
 * struct nv_db - one doorbell
 * @reg: in the page of doorbells
 * @shadow: in the shadow page, or NULL
 * @event: its event index, with @shadow
 */
struct nv_db {
	__le32 *reg;
	__le32 *shadow;
	__le32 *event;
};

static inline u32 nv_db_read(const struct nv_db *db)
{
	return le32_to_cpu(READ_ONCE(*(db->shadow ?: db->reg)));
}

/* Ask to be told by @reg when the value moves on from @at. */
static inline void nv_db_arm(const struct nv_db *db, u32 at)
{
	if (db->event)
		WRITE_ONCE(*db->event, cpu_to_le32(at));
}

/* A queue is made: nothing that was there before counts. */
static inline void nv_db_clear(const struct nv_db *db)
{
	WRITE_ONCE(*db->reg, 0);
	if (db->shadow)
		WRITE_ONCE(*db->shadow, 0);
	nv_db_arm(db, 0);
}

/**
 * struct nv_ring - a queue
 * @db: tail doorbell of a submission, head doorbell of a completion queue
 * @entries: the ring
 * @size: entries
 * @head: where it is consumed
 * @tail: where it is filled
 * @bad: 1 + the last value of the doorbell that was out of range
 * @phase: completion queue: phase tag of the next entry
 * @id: number
 */
struct nv_ring {
	struct nv_db db;
	void *entries;
	u32 size;
	u32 head;
	u32 tail;
	u64 bad;
	u16 phase;
	u16 id;
};

static inline u32 nv_ring_used(const struct nv_ring *r)
{
	return r->tail >= r->head ? r->tail - r->head :
	       r->tail + r->size - r->head;
}

static inline u32 nv_ring_next(const struct nv_ring *r, u32 at)
{
	return at + 1 == r->size ? 0 : at + 1;
}

static inline void nv_ring_reset(struct nv_ring *r)
{
	r->head = 0;
	r->tail = 0;
	r->bad = 0;
	r->phase = 1;
}

/* Is @bad worth being told of? The same wrong value is told of once. */
static inline bool nv_ring_bad(struct nv_ring *r, u32 val)
{
	if (r->bad == val + 1ULL)
		return false;
	r->bad = val + 1ULL;
	return true;
}

/**
 * nv_sq_see - see how far the driver has filled a submission queue
 * @sq: queue
 * @val: what its doorbell was read as
 * @bad: set if that is a new value that is out of range
 *
 * Returns: entries to be fetched.
 */
static inline u32 nv_sq_see(struct nv_ring *sq, u32 val, bool *bad)
{
	if (likely(val < sq->size)) {
		sq->tail = val;
		/* Entries are read after the tail; pairs with the driver's. */
		smp_rmb();
	} else {
		*bad |= nv_ring_bad(sq, val);
	}
	return nv_ring_used(sq);
}

static inline u32 nv_sq_look(struct nv_ring *sq, bool *bad)
{
	return nv_sq_see(sq, nv_db_read(&sq->db), bad);
}

/* Copy the next entry; take it by nv_sq_take(). There must be one. */
static inline void nv_sq_peek(const struct nv_ring *sq, u32 at,
			      struct nv_sqe *sqe)
{
	memcpy(sqe, sq->entries + ((size_t)at << NV_SQE_SHIFT), sizeof(*sqe));
}

static inline void nv_sq_take(struct nv_ring *sq)
{
	sq->head = nv_ring_next(sq, sq->head);
}

/**
 * nv_cq_see - see how far the driver has emptied a completion queue
 * @cq: queue
 * @val: what its doorbell was read as
 * @bad: set if that is a new value that is out of range
 *
 * The head may only move over what was completed.
 *
 * Returns: entries that are free.
 */
static inline u32 nv_cq_see(struct nv_ring *cq, u32 val, bool *bad)
{
	u32 used = nv_ring_used(cq), moved;

	moved = val >= cq->head ? val - cq->head : val + cq->size - cq->head;
	if (likely(val < cq->size && moved <= used))
		cq->head = val;
	else
		*bad |= nv_ring_bad(cq, val);
	return cq->size - 1 - nv_ring_used(cq);
}

static inline u32 nv_cq_look(struct nv_ring *cq, bool *bad)
{
	return nv_cq_see(cq, nv_db_read(&cq->db), bad);
}

/**
 * nv_cq_push - complete a command; the driver can see it at once
 * @cq: queue with a free entry
 * @e: entry, its status without phase tag
 */
static inline void nv_cq_push(struct nv_ring *cq, const struct nv_cqe *e)
{
	struct nv_cqe *to = cq->entries + ((size_t)cq->tail << NV_CQE_SHIFT);
	u16 status = le16_to_cpu(e->status) << 1 | cq->phase;

	to->dw0 = e->dw0;
	to->dw1 = e->dw1;
	to->sqhd = e->sqhd;
	to->sqid = e->sqid;
	to->cid = e->cid;
	/* The entry is complete before its tag says so (3.3.1.2). */
	smp_store_release(&to->status, cpu_to_le16(status));
	WRITE_ONCE(cq->tail, nv_ring_next(cq, cq->tail));
	if (!cq->tail)
		cq->phase ^= 1;
}

#endif
