// SPDX-License-Identifier: GPL-2.0
/* The driver's side of a packed virtqueue. */
#include "vring.h"

#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)

static void packed_sizes(const struct vqueue *vr, u64 size[3])
{
	size[0] = 16ull * vr->num;
	size[1] = sizeof(*vr->driver_event);
	size[2] = sizeof(*vr->device_event);
}

/*
 * All slots are free when a ring starts anywhere but at 0: descriptors that
 * look neither available nor used need both bits to equal the last lap's.
 */
static void packed_init(struct vqueue *vr, u16 index)
{
	unsigned int i;

	vr->next_avail = index % vr->num;
	vr->avail_wrap = true;
	vr->last_used = vr->next_avail;
	vr->used_wrap = true;
	for (i = 0; i < vr->next_avail; i++)
		vr->pdesc[i].flags = F_AVAIL | F_USED;
	vr->ops->disarm(vr);
}

/* Bits that say "available" in the present lap. */
static u16 avail_bits(const struct vqueue *vr)
{
	return vr->avail_wrap ? F_AVAIL : F_USED;
}

static void step(const struct vqueue *vr, u16 *at, bool *wrap, unsigned int n)
{
	*at += n;
	if (*at >= vr->num) {
		*at -= vr->num;
		*wrap = !*wrap;
	}
}

static void put_table(struct vqueue *vr, const struct vring_seg *seg,
		      unsigned int n, u16 id)
{
	struct vring_packed_desc *d = &vr->pdesc[vr->next_avail];
	struct vring_packed_desc *t = vring_table(vr, id);
	unsigned int i;

	for (i = 0; i < n; i++) {
		t[i].addr = seg[i].gpa;
		t[i].len = seg[i].len;
		t[i].id = 0;
		t[i].flags = seg[i].write ? VRING_DESC_F_WRITE : 0;
	}
	d->addr = vring_table_gpa(vr, id);
	d->len = n * sizeof(*t);
	d->id = id;
	/* Pairs with the device's read barrier after it read the flags. */
	vring_store_release(&d->flags,
			    VRING_DESC_F_INDIRECT | avail_bits(vr));
	step(vr, &vr->next_avail, &vr->avail_wrap, 1);
}

/* The buffer id counts in the last descriptor only (2.8.6): 0 elsewhere. */
static void put_direct(struct vqueue *vr, const struct vring_seg *seg,
		       unsigned int n, u16 id)
{
	struct vring_packed_desc *head = &vr->pdesc[vr->next_avail];
	u16 head_flags = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_packed_desc *d = &vr->pdesc[vr->next_avail];
		u16 flags = avail_bits(vr) |
			    (seg[i].write ? VRING_DESC_F_WRITE : 0) |
			    (i + 1 < n ? VRING_DESC_F_NEXT : 0);

		d->addr = seg[i].gpa;
		d->len = seg[i].len;
		d->id = i + 1 < n ? 0 : id;
		if (i)
			d->flags = flags;
		else
			head_flags = flags;
		step(vr, &vr->next_avail, &vr->avail_wrap, 1);
	}
	/* The whole chain before its head; pairs as above. */
	vring_store_release(&head->flags, head_flags);
}

static void packed_put(struct vqueue *vr, const struct vring_seg *seg,
		       unsigned int n, void *token)
{
	bool table = vring_uses_table(vr, n);
	u16 id = vr->free_head;
	struct vring_chain *c = &vr->chain[id];

	vr->free_head = c->next;
	c->nr = table ? 1 : n;
	c->busy = true;
	c->token = token;
	vr->num_free -= c->nr;
	vr->added += c->nr;
	if (table)
		put_table(vr, seg, n, id);
	else
		put_direct(vr, seg, n, id);
}

static bool packed_kick_needed(struct vqueue *vr)
{
	u16 old = vr->next_avail - vr->added;
	bool any = vr->added;
	u16 off_wrap, event, flags;

	vr->added = 0;
	if (!any)
		return false;
	/* Flags before event: pairs with the device arming, then looking. */
	vring_mb();
	flags = vring_load_acquire(&vr->device_event->flags) & 3;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;

	off_wrap = vring_read(&vr->device_event->off_wrap);
	event = off_wrap & ~(1u << VRING_PACKED_EVENT_F_WRAP_CTR);
	if (off_wrap >> VRING_PACKED_EVENT_F_WRAP_CTR != vr->avail_wrap)
		event -= vr->num;
	return vring_need_event(event, vr->next_avail, old);
}

static bool packed_more(const struct vqueue *vr)
{
	/* Pairs with the device's write barrier before the flags. */
	u16 flags = vring_load_acquire(&vr->pdesc[vr->last_used].flags);

	return !!(flags & F_AVAIL) == vr->used_wrap &&
	       !!(flags & F_USED) == vr->used_wrap;
}

static int packed_get_used(struct vqueue *vr, void **token, u32 *len)
{
	struct vring_packed_desc *d = &vr->pdesc[vr->last_used];
	struct vring_chain *c;
	u16 id;

	if (!packed_more(vr))
		return 0;
	id = d->id;
	*len = d->len;
	if (id >= vr->num || !vr->chain[id].busy)
		return -EPROTO;
	c = &vr->chain[id];
	*token = c->token;
	c->busy = false;
	c->next = vr->free_head;
	vr->free_head = id;
	vr->num_free += c->nr;
	step(vr, &vr->last_used, &vr->used_wrap, c->nr);
	if (vr->armed && vr->event_idx)
		vr->ops->arm(vr, 0);
	return 1;
}

static void packed_disarm(struct vqueue *vr)
{
	vr->armed = false;
	vring_write(&vr->driver_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
}

static bool packed_arm(struct vqueue *vr, unsigned int after)
{
	bool wrap = vr->used_wrap;
	u16 at = vr->last_used;
	u16 flags = VRING_PACKED_EVENT_FLAG_ENABLE;

	vr->armed = true;
	if (vr->event_idx) {
		step(vr, &at, &wrap, after);
		vring_write(&vr->driver_event->off_wrap,
			    at | wrap << VRING_PACKED_EVENT_F_WRAP_CTR);
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	}
	vring_store_release(&vr->driver_event->flags, flags);
	/* Event before flags: pairs with the device's before its call. */
	vring_mb();
	return !packed_more(vr);
}

static u32 packed_base(const struct vqueue *vr)
{
	return vring_packed_base(vr->last_used, vr->used_wrap, vr->last_used,
				 vr->used_wrap);
}

static void packed_put_raw(struct vqueue *vr, const struct vring_raw *raw,
			   unsigned int n)
{
	struct vring_packed_desc *head = &vr->pdesc[vr->next_avail];
	u16 head_flags = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_packed_desc *d = &vr->pdesc[vr->next_avail];
		u16 flags = raw[i].flags ^ avail_bits(vr);

		d->addr = raw[i].addr;
		d->len = raw[i].len;
		d->id = raw[i].next;
		if (i)
			d->flags = flags;
		else
			head_flags = flags;
		step(vr, &vr->next_avail, &vr->avail_wrap, 1);
	}
	vr->added += n;
	vring_store_release(&head->flags, head_flags);
}

const struct vring_ops vring_packed_ops = {
	.sizes		= packed_sizes,
	.init		= packed_init,
	.put		= packed_put,
	.kick_needed	= packed_kick_needed,
	.get_used	= packed_get_used,
	.disarm		= packed_disarm,
	.arm		= packed_arm,
	.base		= packed_base,
	.put_raw	= packed_put_raw,
};
