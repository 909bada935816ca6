// SPDX-License-Identifier: GPL-2.0
/*
 * Packed virtqueue, device side: virtio 1.2, 2.8.
 *
 * Barriers, and their partners in the driver:
 *  - read barrier after the first descriptor's flags were seen available: the
 *    driver's write barrier before it stores those flags, last of a chain
 *    (2.8.21).
 *  - store-release of the first used descriptor's flags in publish(): the
 *    driver's read barrier after loading them (2.8.22).
 *  - full barrier in arm(), between storing the device event suppression and
 *    loading the next flags: the driver's full barrier between storing the
 *    flags and loading that structure (2.8.21.3).
 *  - full barrier in publish(), between storing used flags and loading the
 *    driver event suppression: the driver's full barrier between storing it
 *    and looking at the next used flags.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "vring.h"

#define AVAIL_BIT	BIT(VRING_PACKED_DESC_F_AVAIL)
#define USED_BIT	BIT(VRING_PACKED_DESC_F_USED)
#define WRAP_BIT	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)

static bool packed_is_avail(struct vt_vring *vr, u16 flags)
{
	bool avail = flags & AVAIL_BIT;
	bool used = flags & USED_BIT;

	return avail == vr->next_wrap && used != vr->next_wrap;
}

static u16 packed_load_flags(struct vt_vring *vr, u16 i)
{
	struct vring_packed_desc *ring = vr->desc;

	return le16_to_cpu(READ_ONCE(ring[i].flags));
}

unsigned int vt_packed_pending(struct vt_vring *vr)
{
	return packed_is_avail(vr, packed_load_flags(vr, vr->next));
}

/* Entries of a table are used in order and have no NEXT (2.8.7). */
static int packed_walk_indirect(struct vt_vring *vr, struct vt_chain *c,
				u64 addr, u32 len)
{
	const struct vring_packed_desc *table = (const void *)vr->ind;
	unsigned int nr = vt_indirect_nr(len);
	unsigned int i;
	int err;

	err = vt_ring_read_indirect(vr, addr, len);
	if (err)
		return err;

	for (i = 0; i < nr; i++) {
		u16 flags = le16_to_cpu(table[i].flags);

		if (flags & VRING_DESC_F_INDIRECT)
			return vt_ring_broken(vr, VT_RING_BAD_INDIRECT);
		err = vt_chain_add(vr, c, le64_to_cpu(table[i].addr),
				   le32_to_cpu(table[i].len),
				   flags & VRING_DESC_F_WRITE);
		if (err)
			return err;
	}
	return 0;
}

static int packed_walk(struct vt_vring *vr, struct vt_chain *c, u16 flags)
{
	struct vring_packed_desc *ring = vr->desc;
	u16 i = vr->next;
	int err;

	for (;;) {
		u64 addr = le64_to_cpu(READ_ONCE(ring[i].addr));
		u32 len = le32_to_cpu(READ_ONCE(ring[i].len));

		c->id = le16_to_cpu(READ_ONCE(ring[i].id));
		c->slots++;
		if (flags & VRING_DESC_F_INDIRECT) {
			/* A table stands alone (2.8.7). */
			if ((flags & VRING_DESC_F_NEXT) || c->slots > 1)
				return vt_ring_broken(vr, VT_RING_BAD_INDIRECT);
			return packed_walk_indirect(vr, c, addr, len);
		}

		err = vt_chain_add(vr, c, addr, len,
				   flags & VRING_DESC_F_WRITE);
		if (err)
			return err;
		if (!(flags & VRING_DESC_F_NEXT))
			return 0;
		if (c->slots >= vr->size)
			return vt_ring_broken(vr, VT_RING_LOOP);
		i = (i + 1) & vr->mask;
		flags = packed_load_flags(vr, i);
	}
}

int vt_packed_peek(struct vt_vring *vr, struct vt_chain *c)
{
	u16 flags = packed_load_flags(vr, vr->next);
	int err;

	if (!packed_is_avail(vr, flags))
		return 0;
	/* Load the chain after its first flags were seen available. */
	smp_rmb();

	c->slots = 0;
	c->looked = 0;
	c->nr_out = 0;
	c->nr_in = 0;
	c->out_len = 0;
	c->in_len = 0;
	err = packed_walk(vr, c, flags);
	if (err)
		return err;
	if (c->id >= vr->size)
		return vt_ring_broken(vr, VT_RING_BAD_HEAD);
	return 1;
}

void vt_packed_consume(struct vt_vring *vr, const struct vt_chain *c)
{
	vr->next += c->slots;
	if (vr->next >= vr->size) {
		vr->next -= vr->size;
		vr->next_wrap = !vr->next_wrap;
	}
}

/*
 * The driver takes used entries in ring order and stops at the first that is
 * not used: all entries of a batch become visible when the first one's flags
 * are stored, by show().
 */
void vt_packed_push(struct vt_vring *vr, u16 id, u16 slots, u32 len)
{
	struct vring_packed_desc *d = vr->desc;
	u16 flags = vr->used_wrap ? AVAIL_BIT | USED_BIT : 0;

	d += vr->used;
	WRITE_ONCE(d->id, cpu_to_le16(id));
	WRITE_ONCE(d->len, cpu_to_le32(len));
	if (len)
		flags |= VRING_DESC_F_WRITE;
	if (vr->nr_pushed) {
		WRITE_ONCE(d->flags, cpu_to_le16(flags));
	} else {
		vr->batch_flags = flags;
		vr->batch_at = vr->used;
	}

	vr->nr_pushed += slots;
	vr->used += slots;
	if (vr->used >= vr->size) {
		vr->used -= vr->size;
		vr->used_wrap = !vr->used_wrap;
	}
}

static bool packed_wants_call(struct vt_vring *vr, u32 nr)
{
	struct vring_packed_desc_event *ev = vr->driver;
	u16 flags = le16_to_cpu(READ_ONCE(ev->flags));
	u16 off_wrap, off;

	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !vr->event_idx)
		return true;
	/* Pairs with the driver storing the offset before the flags. */
	smp_rmb();
	off_wrap = le16_to_cpu(READ_ONCE(ev->off_wrap));
	off = off_wrap & ~WRAP_BIT;
	if (!!(off_wrap & WRAP_BIT) != vr->used_wrap)
		off -= vr->size;
	return vring_need_event(off, vr->used, vr->used - nr);
}

/* The driver's event is never further back than the ring is long. */
void vt_packed_show(struct vt_vring *vr)
{
	struct vring_packed_desc *d = vr->desc;

	if (!vr->nr_pushed)
		return;
	vr->nr_shown = min_t(u32, vr->nr_shown + vr->nr_pushed, vr->size);
	vr->nr_pushed = 0;
	/* Pairs with the driver's read barrier after loading the flags. */
	smp_store_release(&d[vr->batch_at].flags, cpu_to_le16(vr->batch_flags));
}

bool vt_packed_publish(struct vt_vring *vr)
{
	u32 nr;

	vt_packed_show(vr);
	nr = vr->nr_shown;
	if (!nr)
		return false;
	vr->nr_shown = 0;
	/* The driver must see the flags, or we its wish for a call. */
	smp_mb();
	return packed_wants_call(vr, nr);
}

bool vt_packed_arm(struct vt_vring *vr)
{
	struct vring_packed_desc_event *ev = vr->device;

	if (vr->event_idx) {
		u16 off_wrap = vr->next | (vr->next_wrap ? WRAP_BIT : 0);

		WRITE_ONCE(ev->off_wrap, cpu_to_le16(off_wrap));
		/* Pairs with the driver loading the flags, then the offset. */
		smp_wmb();
		WRITE_ONCE(ev->flags, cpu_to_le16(VRING_PACKED_EVENT_FLAG_DESC));
	} else {
		WRITE_ONCE(ev->flags,
			   cpu_to_le16(VRING_PACKED_EVENT_FLAG_ENABLE));
	}
	/* The driver must see our wish for a kick, or we its flags. */
	smp_mb();
	return vt_packed_pending(vr);
}

void vt_packed_disarm(struct vt_vring *vr)
{
	struct vring_packed_desc_event *ev = vr->device;

	WRITE_ONCE(ev->flags, cpu_to_le16(VRING_PACKED_EVENT_FLAG_DISABLE));
}

const struct vt_vring_ops vt_vring_packed_ops = {
	.peek		= vt_packed_peek,
	.consume	= vt_packed_consume,
	.push		= vt_packed_push,
	.show		= vt_packed_show,
	.publish	= vt_packed_publish,
	.arm		= vt_packed_arm,
	.disarm		= vt_packed_disarm,
	.pending	= vt_packed_pending,
};
