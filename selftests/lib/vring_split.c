// SPDX-License-Identifier: GPL-2.0
/* The driver's side of a split virtqueue. */
#include "vring.h"

static void split_sizes(const struct vqueue *vr, u64 size[3])
{
	size[0] = 16ull * vr->num;
	size[1] = 6 + 2ull * vr->num;
	size[2] = 6 + 8ull * vr->num;
}

/* The two event words stand behind the rings. */
static u16 *used_event(const struct vqueue *vr)
{
	return &vr->avail->ring[vr->num];
}

static u16 *avail_event(const struct vqueue *vr)
{
	return (u16 *)&vr->used->ring[vr->num];
}

static void split_init(struct vqueue *vr, u16 index)
{
	vr->next_avail = index;
	vr->last_used = index;
	vr->avail->idx = index;
	vr->used->idx = index;
	vr->ops->disarm(vr);
}

static u16 put_table(struct vqueue *vr, const struct vring_seg *seg,
		     unsigned int n)
{
	u16 head = vr->free_head;
	struct vring_desc *t = vring_table(vr, head);
	unsigned int i;

	for (i = 0; i < n; i++) {
		t[i].addr = seg[i].gpa;
		t[i].len = seg[i].len;
		t[i].flags = (seg[i].write ? VRING_DESC_F_WRITE : 0) |
			     (i + 1 < n ? VRING_DESC_F_NEXT : 0);
		t[i].next = i + 1 < n ? i + 1 : 0;
	}
	vr->desc[head].addr = vring_table_gpa(vr, head);
	vr->desc[head].len = n * sizeof(*t);
	vr->desc[head].flags = VRING_DESC_F_INDIRECT;
	vr->free_head = vr->chain[head].next;
	return head;
}

static u16 put_direct(struct vqueue *vr, const struct vring_seg *seg,
		      unsigned int n)
{
	u16 head = vr->free_head, at = head;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_desc *d = &vr->desc[at];

		d->addr = seg[i].gpa;
		d->len = seg[i].len;
		d->flags = (seg[i].write ? VRING_DESC_F_WRITE : 0) |
			   (i + 1 < n ? VRING_DESC_F_NEXT : 0);
		d->next = i + 1 < n ? vr->chain[at].next : 0;
		at = vr->chain[at].next;
	}
	vr->free_head = at;
	return head;
}

void vring_split_publish(struct vqueue *vr, u16 head)
{
	vr->avail->ring[vr->next_avail % vr->num] = head;
	vring_split_set_avail(vr, vr->next_avail + 1);
}

void vring_split_set_avail(struct vqueue *vr, u16 index)
{
	vr->added += (u16)(index - vr->next_avail);
	vr->next_avail = index;
	/* Pairs with the device's read barrier after it read the index. */
	vring_store_release(&vr->avail->idx, index);
}

static void split_put(struct vqueue *vr, const struct vring_seg *seg,
		      unsigned int n, void *token)
{
	bool table = vring_uses_table(vr, n);
	u16 head = table ? put_table(vr, seg, n) : put_direct(vr, seg, n);
	struct vring_chain *c = &vr->chain[head];

	c->nr = table ? 1 : n;
	c->busy = true;
	c->token = token;
	vr->num_free -= c->nr;
	vring_split_publish(vr, head);
}

static bool split_kick_needed(struct vqueue *vr)
{
	u16 old = vr->next_avail - vr->added;
	bool any = vr->added;

	vr->added = 0;
	if (!any)
		return false;
	/* Index before event: pairs with the device arming, then looking. */
	vring_mb();
	if (vr->event_idx)
		return vring_need_event(vring_read(avail_event(vr)),
					vr->next_avail, old);
	return !(vring_read(&vr->used->flags) & VRING_USED_F_NO_NOTIFY);
}

static void split_free(struct vqueue *vr, u16 head)
{
	struct vring_chain *c = &vr->chain[head];
	unsigned int i;
	u16 last = head;

	for (i = 1; i < c->nr; i++)
		last = vr->chain[last].next;
	vr->chain[last].next = vr->free_head;
	vr->free_head = head;
	vr->num_free += c->nr;
	c->busy = false;
}

static int split_get_used(struct vqueue *vr, void **token, u32 *len)
{
	struct vring_used_elem *e;
	u32 id;

	/* Pairs with the device's write barrier before the index. */
	if (vring_load_acquire(&vr->used->idx) == vr->last_used)
		return 0;
	e = &vr->used->ring[vr->last_used % vr->num];
	id = e->id;
	*len = e->len;
	if (id >= vr->num || !vr->chain[id].busy)
		return -EPROTO;
	*token = vr->chain[id].token;
	split_free(vr, id);
	vr->last_used++;
	if (vr->armed && vr->event_idx) {
		vring_write(used_event(vr), vr->last_used);
		vring_mb();
	}
	return 1;
}

static void split_disarm(struct vqueue *vr)
{
	vr->armed = false;
	if (vr->event_idx)
		/* As far away as it gets. */
		vring_write(used_event(vr), vr->last_used + 0x8000);
	else
		vring_write(&vr->avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
}

static bool split_arm(struct vqueue *vr, unsigned int after)
{
	vr->armed = true;
	if (vr->event_idx)
		vring_write(used_event(vr), vr->last_used + after);
	else
		vring_write(&vr->avail->flags, 0);
	/* Event before index: pairs with the device's before its call. */
	vring_mb();
	return (u16)(vring_read(&vr->used->idx) - vr->last_used) <= after;
}

static u32 split_base(const struct vqueue *vr)
{
	return vr->last_used;
}

static void split_put_raw(struct vqueue *vr, const struct vring_raw *raw,
			  unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		vr->desc[i].addr = raw[i].addr;
		vr->desc[i].len = raw[i].len;
		vr->desc[i].flags = raw[i].flags;
		vr->desc[i].next = raw[i].next;
	}
	vring_split_publish(vr, 0);
}

const struct vring_ops vring_split_ops = {
	.sizes		= split_sizes,
	.init		= split_init,
	.put		= split_put,
	.kick_needed	= split_kick_needed,
	.get_used	= split_get_used,
	.disarm		= split_disarm,
	.arm		= split_arm,
	.base		= split_base,
	.put_raw	= split_put_raw,
};
