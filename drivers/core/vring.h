/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the two ring formats, and vq.c, only. */
#ifndef _VT_CORE_VRING_H
#define _VT_CORE_VRING_H

#include <vhost_target/vring.h>

int vt_ring_broken(struct vt_vring *vr, enum vt_ring_error why);
int vt_ring_read_indirect(struct vt_vring *vr, u64 addr, u32 len);

/*
 * Empty buffers carry nothing and are left out. An indirect table may have as
 * many entries as the largest queue, more than 2.7.5.3.1 allows a driver.
 */
static inline int vt_chain_add(struct vt_vring *vr, struct vt_chain *c,
			       u64 addr, u32 len, bool write)
{
	struct vt_seg *seg = &c->seg[c->nr_out + c->nr_in];

	c->looked++;
	if (!write && c->nr_in)
		return vt_ring_broken(vr, VT_RING_BAD_ORDER);
	if (c->nr_out + c->nr_in >= VT_VRING_MAX_SIZE)
		return vt_ring_broken(vr, VT_RING_LOOP);
	if (!len)
		return 0;

	seg->addr = addr;
	seg->len = len;
	if (write) {
		c->nr_in++;
		c->in_len += len;
	} else {
		c->nr_out++;
		c->out_len += len;
	}
	return 0;
}

/*
 * The operations, for vq.c, which calls them without a pointer where the processor
 * is kept from guessing where those lead (retpolines): most take less time than that.
 */
int vt_split_peek(struct vt_vring *vr, struct vt_chain *c);
void vt_split_consume(struct vt_vring *vr, const struct vt_chain *c);
void vt_split_push(struct vt_vring *vr, u16 id, u16 slots, u32 len);
void vt_split_show(struct vt_vring *vr);
bool vt_split_publish(struct vt_vring *vr);
bool vt_split_arm(struct vt_vring *vr);
void vt_split_disarm(struct vt_vring *vr);
unsigned int vt_split_pending(struct vt_vring *vr);

int vt_packed_peek(struct vt_vring *vr, struct vt_chain *c);
void vt_packed_consume(struct vt_vring *vr, const struct vt_chain *c);
void vt_packed_push(struct vt_vring *vr, u16 id, u16 slots, u32 len);
void vt_packed_show(struct vt_vring *vr);
bool vt_packed_publish(struct vt_vring *vr);
bool vt_packed_arm(struct vt_vring *vr);
void vt_packed_disarm(struct vt_vring *vr);
unsigned int vt_packed_pending(struct vt_vring *vr);

#define VT_SPLIT_EXPECT	16

/**
 * vt_split_expect - chains will be peeked at: have them brought into the cache
 * @vr: ring
 * @n: chains, VT_SPLIT_EXPECT at most; there need not be so many
 */
void vt_split_expect(struct vt_vring *vr, unsigned int n);

/* Descriptors of the table that vt_ring_read_indirect() copied. */
static inline unsigned int vt_indirect_nr(u32 len)
{
	return len / sizeof(struct vring_desc);
}

#endif
