// SPDX-License-Identifier: GPL-2.0
/*
 * The ring drivers against a checker that reads the rings as virtio 1.2
 * describes them. Needs no kernel module.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rng.h"
#include "vring.h"

#define NUM 16
#define MAX_SEGS 6
#define ROUNDS 200000

struct offered {
	bool busy;
	unsigned int n;
	struct vring_seg seg[MAX_SEGS];
};

/* What the device side knows: where it stands, and what it has taken. */
struct device {
	struct vqueue *vr;
	struct mem *m;
	u16 avail;
	bool avail_wrap;
	u16 used;
	bool used_wrap;
	unsigned int taken;
	struct {
		u16 id;
		u16 nr;
		struct vring_seg seg[MAX_SEGS];
		unsigned int n;
	} chain[NUM];
};

static void take_segs(struct device *d, unsigned int slot, const void *table,
		      unsigned int n, bool packed)
{
	const struct vring_packed_desc *p = table;
	const struct vring_desc *s = table;
	unsigned int i, at = 0;

	d->chain[slot].n = n;
	for (i = 0; i < n; i++) {
		struct vring_seg *seg = &d->chain[slot].seg[i];

		seg->gpa = packed ? p[i].addr : s[at].addr;
		seg->len = packed ? p[i].len : s[at].len;
		seg->write = (packed ? p[i].flags : s[at].flags) &
			     VRING_DESC_F_WRITE;
		at = s[at].next;
	}
}

static bool device_take_split(struct device *d)
{
	struct vqueue *vr = d->vr;
	unsigned int slot = d->taken, n = 0;
	u16 head, at;

	if (d->avail == vr->avail->idx)
		return false;
	head = vr->avail->ring[d->avail++ % vr->num];
	d->chain[slot].id = head;
	if (vr->desc[head].flags & VRING_DESC_F_INDIRECT) {
		take_segs(d, slot, mem_hva(d->m, vr->desc[head].addr, 1),
			  vr->desc[head].len / 16, false);
		return ++d->taken;
	}
	for (at = head;; at = vr->desc[at].next) {
		struct vring_desc *e = &vr->desc[at];

		d->chain[slot].seg[n++] = (struct vring_seg){
			e->addr, e->len, e->flags & VRING_DESC_F_WRITE };
		if (!(e->flags & VRING_DESC_F_NEXT))
			break;
	}
	d->chain[slot].n = n;
	return ++d->taken;
}

static struct vring_packed_desc *next_avail(struct device *d)
{
	struct vring_packed_desc *e = &d->vr->pdesc[d->avail];
	bool a = e->flags >> VRING_PACKED_DESC_F_AVAIL & 1;
	bool u = e->flags >> VRING_PACKED_DESC_F_USED & 1;

	if (a != d->avail_wrap || u == d->avail_wrap)
		return NULL;
	if (++d->avail == d->vr->num) {
		d->avail = 0;
		d->avail_wrap = !d->avail_wrap;
	}
	return e;
}

static bool device_take_packed(struct device *d)
{
	struct vring_packed_desc *e = next_avail(d);
	unsigned int slot = d->taken, n = 0;

	if (!e)
		return false;
	if (e->flags & VRING_DESC_F_INDIRECT) {
		take_segs(d, slot, mem_hva(d->m, e->addr, 1), e->len / 16,
			  true);
		d->chain[slot].id = e->id;
		d->chain[slot].nr = 1;
		return ++d->taken;
	}
	for (;;) {
		d->chain[slot].seg[n++] = (struct vring_seg){
			e->addr, e->len, e->flags & VRING_DESC_F_WRITE };
		if (!(e->flags & VRING_DESC_F_NEXT))
			break;
		e = next_avail(d);
		if (!e)
			return false;
	}
	d->chain[slot].n = n;
	d->chain[slot].id = e->id;
	d->chain[slot].nr = n;
	return ++d->taken;
}

static void device_return(struct device *d, unsigned int slot, u32 len)
{
	struct vqueue *vr = d->vr;
	u16 flags = d->used_wrap ? 1u << VRING_PACKED_DESC_F_AVAIL |
				   1u << VRING_PACKED_DESC_F_USED : 0;

	if (vr->packed) {
		vr->pdesc[d->used].id = d->chain[slot].id;
		vr->pdesc[d->used].len = len;
		vr->pdesc[d->used].flags = flags;
		d->used += d->chain[slot].nr;
		if (d->used >= vr->num) {
			d->used -= vr->num;
			d->used_wrap = !d->used_wrap;
		}
	} else {
		vr->used->ring[d->used % vr->num].id = d->chain[slot].id;
		vr->used->ring[d->used % vr->num].len = len;
		vr->used->idx = ++d->used;
	}
	d->chain[slot] = d->chain[--d->taken];
}

/* Ask for a kick at the very next entry. */
static void device_arm(struct device *d)
{
	struct vqueue *vr = d->vr;

	if (!vr->packed && vr->event_idx) {
		*(u16 *)&vr->used->ring[vr->num] = d->avail;
	} else if (!vr->packed) {
		vr->used->flags = 0;
	} else if (vr->event_idx) {
		vr->device_event->off_wrap = d->avail | d->avail_wrap << 15;
		vr->device_event->flags = VRING_PACKED_EVENT_FLAG_DESC;
	} else {
		vr->device_event->flags = VRING_PACKED_EVENT_FLAG_ENABLE;
	}
}

FIXTURE(ring)
{
	struct mem mem;
	struct vqueue vr;
	struct device dev;
	struct offered offered[NUM];
	struct rng rng;
	unsigned int busy;
};

FIXTURE_VARIANT(ring)
{
	bool packed;
	bool indirect;
	bool event_idx;
	u16 start;
};

#define RING_VARIANT(name, ...) \
	FIXTURE_VARIANT_ADD(ring, name) { __VA_ARGS__ }
RING_VARIANT(split, false, false, false, 0);
RING_VARIANT(split_event, false, false, true, 65530);
RING_VARIANT(split_indirect, false, true, true, 0);
RING_VARIANT(packed, true, false, false, 0);
RING_VARIANT(packed_event, true, false, true, 5);
RING_VARIANT(packed_indirect, true, true, true, 15);

FIXTURE_SETUP(ring)
{
	self->vr.packed = variant->packed;
	self->vr.indirect = variant->indirect;
	self->vr.event_idx = variant->event_idx;
	rng_seed(&self->rng, 1);
	ASSERT_EQ(0, mem_init(&self->mem, MEM_REVERSED, 8 * MIB, false));
	ASSERT_EQ(0, vring_alloc(&self->vr, &self->mem, NUM));
	vring_reset(&self->vr, variant->start);
	self->dev.vr = &self->vr;
	self->dev.m = &self->mem;
	self->dev.avail = variant->start;
	self->dev.used = variant->start;
	self->dev.avail_wrap = true;
	self->dev.used_wrap = true;
}

FIXTURE_TEARDOWN(ring)
{
	mem_free(&self->mem);
}

static int offer(struct vqueue *vr, struct offered *o, struct rng *rng)
{
	unsigned int i;

	while (o->busy)
		o++;
	o->n = 1 + rng_below(rng, MAX_SEGS);
	for (i = 0; i < o->n; i++) {
		o->seg[i].gpa = rng_u64(rng);
		o->seg[i].len = rng_u64(rng);
		o->seg[i].write = rng_one_in(rng, 2);
	}
	if (vring_add(vr, o->seg, o->n, o))
		return -ENOSPC;
	o->busy = true;
	return 0;
}

/* The chain taken last is one of those offered, whole. */
static bool chain_known(struct device *d, const struct offered *o)
{
	unsigned int slot = d->taken - 1, i, j;

	for (i = 0; i < NUM; i++) {
		if (!o[i].busy || o[i].n != d->chain[slot].n)
			continue;
		for (j = 0; j < o[i].n; j++) {
			struct vring_seg *s = &d->chain[slot].seg[j];

			if (s->gpa != o[i].seg[j].gpa ||
			    s->len != o[i].seg[j].len ||
			    s->write != o[i].seg[j].write)
				break;
		}
		if (j == o[i].n)
			return true;
	}
	return false;
}

TEST_F(ring, random)
{
	struct device *d = &self->dev;
	unsigned int i, done = 0;
	struct offered *o;
	void *token;
	u32 len;

	for (i = 0; i < ROUNDS; i++) {
		switch (rng_below(&self->rng, 3)) {
		case 0:
			if (self->busy < NUM &&
			    !offer(&self->vr, self->offered, &self->rng))
				self->busy++;
			break;
		case 1:
			if (variant->packed ? device_take_packed(d) :
					      device_take_split(d))
				ASSERT_TRUE(chain_known(d, self->offered));
			break;
		case 2:
			if (!d->taken)
				break;
			device_return(d, rng_below(&self->rng, d->taken), i);
			ASSERT_EQ(1, vring_get_used(&self->vr, &token, &len));
			ASSERT_EQ(i, len);
			o = token;
			ASSERT_TRUE(o->busy);
			o->busy = false;
			self->busy--;
			done++;
			break;
		}
	}
	ASSERT_EQ(0, vring_get_used(&self->vr, &token, &len));
	ASSERT_GT(done, ROUNDS / 20);
}

/* Armed once, the device is told of the first chain only. */
TEST_F(ring, kick)
{
	struct vring_seg seg = { .gpa = 1, .len = 1 };
	struct device *d = &self->dev;
	unsigned int i, kicks;
	void *token;
	u32 len;

	for (i = 0; i < 100000; i++) {
		device_arm(d);
		ASSERT_FALSE(vring_kick_needed(&self->vr));
		ASSERT_EQ(0, vring_add(&self->vr, &seg, 1, NULL));
		kicks = vring_kick_needed(&self->vr);
		ASSERT_EQ(0, vring_add(&self->vr, &seg, 1, NULL));
		kicks += vring_kick_needed(&self->vr);
		ASSERT_EQ(variant->event_idx ? 1 : 2, kicks);
		while (variant->packed ? device_take_packed(d) :
					 device_take_split(d))
			device_return(d, 0, 0);
		ASSERT_FALSE(vring_arm(&self->vr, 0));
		ASSERT_EQ(1, vring_get_used(&self->vr, &token, &len));
		ASSERT_EQ(1, vring_get_used(&self->vr, &token, &len));
		ASSERT_TRUE(vring_arm(&self->vr, 0));
	}
}

TEST_HARNESS_MAIN
