/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ring with both its sides: the device's is the code under test, the
 * driver's is here. The areas have the exact size the spec gives them, so that
 * the address sanitizer sees every access beside them.
 */
#ifndef UNIT_RING_H
#define UNIT_RING_H

#include <linux/kernel.h>
#include <vhost_target/vring.h>

#include "unit.h"

/* Where the memory for indirect tables starts, and its bytes. */
#define RING_MEM	0x7fff00000000ULL
#define RING_MEM_LEN	0x10000

/* Of a ring that is new to both sides. */
#define RING_BASE(packed)	((packed) ? 0x80008000u : 0)

/* A descriptor's address, length and flags. */
struct buf {
	u64 addr;
	u32 len;
	u16 flags;
};

#define OUT(a, l)	{ .addr = (a), .len = (l) }
#define IN(a, l)	{ .addr = (a), .len = (l), .flags = VRING_DESC_F_WRITE }
#define TABLE(a, l) \
	{ .addr = (a), .len = (l), .flags = VRING_DESC_F_INDIRECT }

/**
 * struct ring - a ring
 * @vr: the device's side
 * @c: where chains are peeked to
 * @packed: its format
 * @size: entries
 * @avail: driver: next entry to make available (split: free running)
 * @avail_wrap: driver, packed: its wrap counter
 * @used: driver: next entry to become used
 * @used_wrap: driver, packed: its wrap counter
 * @nr_free: descriptors free
 * @nr_ids: entries of @ids
 * @ids: split: free descriptors; packed: free buffer ids
 * @slots: descriptors of the chain with an id
 * @link: split: the descriptor after a descriptor
 * @mem: guest memory at RING_MEM, only for indirect tables
 * @mem_err: what reading it returns, if not 0
 * @nr_reads: times it was read
 * @expected: guest addresses that were asked for ahead, the first of them
 * @nr_expected: their number
 */
struct ring {
	struct vt_vring vr;
	struct vt_chain *c;
	bool packed;
	u16 size;
	u16 avail;
	bool avail_wrap;
	u16 used;
	bool used_wrap;
	u16 nr_free;
	u16 nr_ids;
	u16 ids[VT_VRING_MAX_SIZE];
	u16 slots[VT_VRING_MAX_SIZE];
	u16 link[VT_VRING_MAX_SIZE];
	u8 *mem;
	int mem_err;
	unsigned int nr_reads;
	u64 expected[32];
	unsigned int nr_expected;
};

struct ring *ring_new(bool packed, u16 size, u32 base);
void ring_free(struct ring *r);

/* Driver: make a chain of descriptors available. Returns its id. */
u16 ring_add(struct ring *r, const struct buf *b, unsigned int n);

/* Driver: the same through an indirect table, at @off of the memory. */
u16 ring_add_indirect(struct ring *r, u32 off, const struct buf *b,
		      unsigned int n);

/* Driver: write an indirect table only. Returns its guest address. */
u64 ring_table(struct ring *r, u32 off, const struct buf *b, unsigned int n);

/* Driver: take a used entry. */
bool ring_get_used(struct ring *r, u16 *id, u32 *len);

/* Device: take the next chain off the ring. Returns what peek does. */
int ring_take(struct ring *r);

/* Device: push the chain taken last. */
void ring_push(struct ring *r, u32 len);

/* Driver, split: write a descriptor, make a head available. */
void split_desc(struct ring *r, u16 i, struct buf b, u16 next);
void split_avail(struct ring *r, u16 head);

/* Driver, packed: write a descriptor, all bits of the flags included. */
void packed_desc(struct ring *r, u16 i, struct buf b, u16 id);
/* Flags of a descriptor that is available, used, in the lap of @wrap. */
u16 packed_avail_flags(bool wrap);
u16 packed_used_flags(bool wrap);

static inline struct vring_avail *ring_avail(struct ring *r)
{
	return r->vr.driver;
}

static inline struct vring_used *ring_used(struct ring *r)
{
	return r->vr.device;
}

/* Split: where the event indexes are. */
static inline u8 *ring_used_event(struct ring *r)
{
	return (u8 *)r->vr.driver + 4 + 2 * r->size;
}

static inline u8 *ring_avail_event(struct ring *r)
{
	return (u8 *)r->vr.device + 4 + 8 * r->size;
}

static inline struct vring_packed_desc *ring_desc(struct ring *r)
{
	return r->vr.desc;
}

/* A ring that must be stopped for a reason, where it stood before. */
#define EXPECT_BROKEN(r, why)						\
	do {								\
		u32 base_ = vt_vring_get_base(&(r)->vr);		\
									\
		EXPECT_EQ(-EPROTO, ring_take(r));			\
		EXPECT_EQ(why, (r)->vr.error);				\
		EXPECT_EQ(base_, vt_vring_get_base(&(r)->vr));		\
	} while (0)

#endif
