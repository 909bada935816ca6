// SPDX-License-Identifier: GPL-2.0
/*
 * Split virtqueue, device side: virtio 1.2, 2.7.
 *
 * Barriers, and their partners in the driver:
 *  - load-acquire of avail->idx: the driver's write barrier between filling
 *    an available ring entry and storing avail->idx (2.7.13.2).
 *  - store-release of used->idx: the driver's read barrier after loading
 *    used->idx (2.7.14).
 *  - full barrier in arm(), between storing avail_event or the flags and
 *    loading avail->idx: the driver's full barrier between storing
 *    avail->idx and loading avail_event or the flags (2.7.13.4).
 *  - full barrier in publish(), between storing used->idx (here or in an
 *    earlier show()) and loading used_event or the flags: the driver's full barrier between storing
 *    used_event and looking at used->idx again (2.7.14).
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/prefetch.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "vring.h"

static __le16 *split_used_event(struct vt_vring *vr)
{
	struct vring_avail *avail = vr->driver;

	return (__force __le16 *)&avail->ring[vr->size];
}

static __le16 *split_avail_event(struct vt_vring *vr)
{
	struct vring_used *used = vr->device;

	return (__force __le16 *)&used->ring[vr->size];
}

static u16 split_load_avail(struct vt_vring *vr)
{
	struct vring_avail *avail = vr->driver;

	/* Pairs with the driver's write barrier before its store. */
	return le16_to_cpu((__force __le16)smp_load_acquire(&avail->idx));
}

unsigned int vt_split_pending(struct vt_vring *vr)
{
	u16 idx = vr->avail_idx;

	if (idx == vr->next)
		idx = split_load_avail(vr);
	return (u16)(idx - vr->next);
}

/* The head of the chain that is @i after the next one. */
static u16 split_load_head(struct vt_vring *vr, unsigned int i)
{
	struct vring_avail *avail = vr->driver;

	return le16_to_cpu((__force __le16)
			   READ_ONCE(avail->ring[(vr->next + i) & vr->mask]));
}

struct split_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

static struct split_desc split_load(const struct vring_desc *d)
{
	return (struct split_desc) {
		.addr = le64_to_cpu((__force __le64)READ_ONCE(d->addr)),
		.len = le32_to_cpu((__force __le32)READ_ONCE(d->len)),
		.flags = le16_to_cpu((__force __le16)READ_ONCE(d->flags)),
		.next = le16_to_cpu((__force __le16)READ_ONCE(d->next)),
	};
}

static int split_walk_indirect(struct vt_vring *vr, struct vt_chain *c,
			       const struct split_desc *table)
{
	unsigned int nr = vt_indirect_nr(table->len);
	unsigned int i = 0, seen = 0;
	struct split_desc d;
	int err;

	err = vt_ring_read_indirect(vr, table->addr, table->len);
	if (err)
		return err;

	for (;;) {
		d = split_load(&vr->ind[i]);
		if (d.flags & VRING_DESC_F_INDIRECT)
			return vt_ring_broken(vr, VT_RING_BAD_INDIRECT);
		err = vt_chain_add(vr, c, d.addr, d.len,
				   d.flags & VRING_DESC_F_WRITE);
		if (err)
			return err;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return 0;
		if (++seen >= nr)
			return vt_ring_broken(vr, VT_RING_LOOP);
		if (d.next >= nr)
			return vt_ring_broken(vr, VT_RING_BAD_HEAD);
		i = d.next;
	}
}

static int split_walk(struct vt_vring *vr, struct vt_chain *c, u16 i)
{
	const struct vring_desc *table = vr->desc;
	unsigned int seen = 0;
	struct split_desc d;
	int err;

	for (;;) {
		if (i >= vr->size)
			return vt_ring_broken(vr, VT_RING_BAD_HEAD);
		if (seen++ >= vr->size)
			return vt_ring_broken(vr, VT_RING_LOOP);

		d = split_load(&table[i]);
		if (d.flags & VRING_DESC_F_INDIRECT) {
			/* A table ends its chain (2.7.5.3.1). */
			if (d.flags & VRING_DESC_F_NEXT)
				return vt_ring_broken(vr, VT_RING_BAD_INDIRECT);
			return split_walk_indirect(vr, c, &d);
		}

		err = vt_chain_add(vr, c, d.addr, d.len,
				   d.flags & VRING_DESC_F_WRITE);
		if (err)
			return err;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return 0;
		i = d.next;
	}
}

/*
 * The driver wrote all of it on another CPU: the descriptors, what they point
 * to (a header, or a table), and the header that a table begins with. Each is
 * asked for before any is waited for. What is read here is used for no more
 * than that.
 */
void vt_split_expect(struct vt_vring *vr, unsigned int n)
{
	const struct vring_desc *table = vr->desc, *d[VT_SPLIT_EXPECT];
	struct split_desc first;
	unsigned int i;

	for (i = 0; i < n; i++) {
		d[i] = &table[split_load_head(vr, i) & vr->mask];
		prefetch(d[i]);
	}
	for (i = 0; i < n; i++) {
		first = split_load(d[i]);
		d[i] = vt_vring_expect_guest(vr, first.addr);
		if (!(first.flags & VRING_DESC_F_INDIRECT) ||
		    first.addr % sizeof(*table))
			d[i] = NULL;
	}
	for (i = 0; i < n; i++) {
		if (!d[i])
			continue;
		first = split_load(d[i]);
		vt_vring_expect_guest(vr, first.addr);
	}
}

int vt_split_peek(struct vt_vring *vr, struct vt_chain *c)
{
	int err;

	if (vr->avail_idx == vr->next) {
		u16 idx = split_load_avail(vr);

		if (idx == vr->next)
			return 0;
		if ((u16)(idx - vr->next) > vr->size)
			return vt_ring_broken(vr, VT_RING_BAD_INDEX);
		vr->avail_idx = idx;
	}

	c->id = split_load_head(vr, 0);
	c->slots = 1;
	c->looked = 0;
	c->nr_out = 0;
	c->nr_in = 0;
	c->out_len = 0;
	c->in_len = 0;
	err = split_walk(vr, c, c->id);
	return err ? err : 1;
}

void vt_split_consume(struct vt_vring *vr, const struct vt_chain *c)
{
	vr->next++;
}

void vt_split_push(struct vt_vring *vr, u16 id, u16 slots, u32 len)
{
	struct vring_used *used = vr->device;
	struct vring_used_elem *e = &used->ring[vr->used & vr->mask];

	WRITE_ONCE(e->id, (__force __virtio32)cpu_to_le32(id));
	WRITE_ONCE(e->len, (__force __virtio32)cpu_to_le32(len));
	vr->used++;
	vr->nr_pushed++;
}

void vt_split_show(struct vt_vring *vr)
{
	struct vring_used *used = vr->device;

	if (!vr->nr_pushed)
		return;
	vr->nr_pushed = 0;
	vr->nr_shown = 1;
	/* Pairs with the driver's read barrier after loading used->idx. */
	smp_store_release(&used->idx,
			  (__force __virtio16)cpu_to_le16(vr->used));
}

bool vt_split_publish(struct vt_vring *vr)
{
	struct vring_avail *avail = vr->driver;
	u16 old = vr->signalled;
	bool valid = vr->signalled_valid;

	vt_split_show(vr);
	if (!vr->nr_shown)
		return false;
	vr->nr_shown = 0;
	/* The driver must see used->idx, or we its wish for a call. */
	smp_mb();

	if (!vr->event_idx)
		return !((__force u16)READ_ONCE(avail->flags) &
			 (__force u16)cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT));

	vr->signalled = vr->used;
	vr->signalled_valid = true;
	if (!valid)
		return true;
	return vring_need_event(le16_to_cpu(READ_ONCE(*split_used_event(vr))),
				vr->used, old);
}

bool vt_split_arm(struct vt_vring *vr)
{
	struct vring_used *used = vr->device;

	if (vr->event_idx)
		WRITE_ONCE(*split_avail_event(vr), cpu_to_le16(vr->next));
	else
		WRITE_ONCE(used->flags, 0);
	/* The driver must see our wish for a kick, or we its avail->idx. */
	smp_mb();
	return vt_split_pending(vr);
}

/*
 * With event indexes there is nothing to take back: avail_event stays behind
 * the available index, which does not pass it again for 65536 entries.
 */
void vt_split_disarm(struct vt_vring *vr)
{
	struct vring_used *used = vr->device;

	if (!vr->event_idx)
		WRITE_ONCE(used->flags, (__force __virtio16)
			   cpu_to_le16(VRING_USED_F_NO_NOTIFY));
}

const struct vt_vring_ops vt_vring_split_ops = {
	.peek		= vt_split_peek,
	.consume	= vt_split_consume,
	.push		= vt_split_push,
	.show		= vt_split_show,
	.publish	= vt_split_publish,
	.arm		= vt_split_arm,
	.disarm		= vt_split_disarm,
	.pending	= vt_split_pending,
};
