// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "ring.h"

#define AVAIL_BIT	(1u << VRING_PACKED_DESC_F_AVAIL)
#define USED_BIT	(1u << VRING_PACKED_DESC_F_USED)

static void *area_new(u32 len)
{
	/* Not zero: nothing may depend on it. */
	void *p = malloc(len);

	memset(p, 0xa5, len);
	return p;
}

static void split_new(struct ring *r, u32 base)
{
	memset(r->vr.driver, 0, 4);
	memset(r->vr.device, 0, 4);
	ring_avail(r)->idx = cpu_to_le16(base);
	ring_used(r)->idx = cpu_to_le16(base);
	r->avail = base;
	r->used = base;
}

static void packed_new(struct ring *r, u32 base)
{
	u16 i;

	r->avail = base & 0x7fff;
	r->avail_wrap = base & 0x8000;
	r->used = (base >> 16) & 0x7fff;
	r->used_wrap = base >> 31;
	memset(r->vr.driver, 0, 4);
	memset(r->vr.device, 0, 4);
	/* As the lap before left them. */
	for (i = 0; i < r->size; i++)
		packed_desc(r, i, (struct buf) {
			.flags = packed_used_flags(i < r->avail ?
						   r->avail_wrap :
						   !r->avail_wrap),
		}, 0);
}

struct ring *ring_new(bool packed, u16 size, u32 base)
{
	struct vt_vring_layout l = vt_vring_layout(size, packed);
	struct ring *r = calloc(1, sizeof(*r));
	u16 i;

	r->packed = packed;
	r->size = size;
	r->c = area_new(sizeof(*r->c));
	r->mem = area_new(RING_MEM_LEN);
	r->vr.desc = area_new(l.desc);
	r->vr.driver = area_new(l.driver);
	r->vr.device = area_new(l.device);
	r->vr.ind = area_new(VT_VRING_MAX_SIZE * sizeof(*r->vr.ind));
	r->vr.ops = packed ? &vt_vring_packed_ops : &vt_vring_split_ops;
	r->vr.size = size;
	r->vr.mask = size - 1;
	r->nr_free = size;
	for (i = 0; i < size; i++)
		r->ids[r->nr_ids++] = size - 1 - i;
	if (packed)
		packed_new(r, base);
	else
		split_new(r, base);
	EXPECT_EQ(0, vt_vring_set_base(&r->vr, base));
	return r;
}

void ring_free(struct ring *r)
{
	free(r->c);
	free(r->mem);
	free(r->vr.desc);
	free(r->vr.driver);
	free(r->vr.device);
	free(r->vr.ind);
	free(r);
}

int vt_vring_read_guest(struct vt_vring *vr, u64 addr, void *buf, u32 len)
{
	struct ring *r = container_of(vr, struct ring, vr);

	r->nr_reads++;
	if (r->mem_err)
		return r->mem_err;
	if (addr < RING_MEM || addr - RING_MEM > RING_MEM_LEN ||
	    len > RING_MEM_LEN - (addr - RING_MEM))
		return -EFAULT;
	memcpy(buf, r->mem + (addr - RING_MEM), len);
	return 0;
}

void *vt_vring_expect_guest(struct vt_vring *vr, u64 addr)
{
	struct ring *r = container_of(vr, struct ring, vr);

	if (r->nr_expected < ARRAY_SIZE(r->expected))
		r->expected[r->nr_expected] = addr;
	r->nr_expected++;
	if (addr < RING_MEM || addr - RING_MEM >= RING_MEM_LEN)
		return NULL;
	return r->mem + (addr - RING_MEM);
}

void split_desc(struct ring *r, u16 i, struct buf b, u16 next)
{
	struct vring_desc *d = (struct vring_desc *)r->vr.desc + i;

	d->addr = cpu_to_le64(b.addr);
	d->len = cpu_to_le32(b.len);
	d->flags = cpu_to_le16(b.flags);
	d->next = cpu_to_le16(next);
}

void split_avail(struct ring *r, u16 head)
{
	ring_avail(r)->ring[r->avail & (r->size - 1)] = cpu_to_le16(head);
	ring_avail(r)->idx = cpu_to_le16(++r->avail);
}

void packed_desc(struct ring *r, u16 i, struct buf b, u16 id)
{
	ring_desc(r)[i] = (struct vring_packed_desc) {
		.addr = cpu_to_le64(b.addr),
		.len = cpu_to_le32(b.len),
		.id = cpu_to_le16(id),
		.flags = cpu_to_le16(b.flags),
	};
}

u16 packed_avail_flags(bool wrap)
{
	return wrap ? AVAIL_BIT : USED_BIT;
}

u16 packed_used_flags(bool wrap)
{
	return wrap ? AVAIL_BIT | USED_BIT : 0;
}

static u16 split_add(struct ring *r, const struct buf *b, unsigned int n)
{
	u16 head = r->ids[r->nr_ids - 1], i = head;

	r->slots[head] = n;
	for (; n; n--, b++) {
		struct buf d = *b;

		i = r->ids[--r->nr_ids];
		r->link[i] = n > 1 ? r->ids[r->nr_ids - 1] : 0xffff;
		if (n > 1)
			d.flags |= VRING_DESC_F_NEXT;
		split_desc(r, i, d, r->link[i]);
	}
	split_avail(r, head);
	return head;
}

/* The first descriptor comes last; only the last one's id counts. */
static u16 packed_add(struct ring *r, const struct buf *b, unsigned int n)
{
	u16 id = r->ids[--r->nr_ids], next = r->avail + n;
	bool wrap = r->avail_wrap;
	unsigned int i;

	r->slots[id] = n;
	for (i = n; i-- > 0;) {
		u16 at = (r->avail + i) % r->size;
		struct buf d = b[i];

		if (i + 1 < n)
			d.flags |= VRING_DESC_F_NEXT;
		d.flags |= packed_avail_flags(r->avail + i >= r->size ? !wrap :
								       wrap);
		packed_desc(r, at, d, i + 1 < n ? 0xffff : id);
	}
	r->avail = next % r->size;
	if (next >= r->size)
		r->avail_wrap = !wrap;
	return id;
}

u16 ring_add(struct ring *r, const struct buf *b, unsigned int n)
{
	if (!EXPECT(n && n <= r->nr_free))
		abort();
	r->nr_free -= n;
	return r->packed ? packed_add(r, b, n) : split_add(r, b, n);
}

static void table_entry(struct ring *r, u8 *at, const struct buf *b, u16 next)
{
	__le64 addr = cpu_to_le64(b->addr);
	__le32 len = cpu_to_le32(b->len);
	__le16 flags = cpu_to_le16(b->flags), link = cpu_to_le16(next);

	memcpy(at, &addr, 8);
	memcpy(at + 8, &len, 4);
	/* A packed entry has an id here, which means nothing in a table. */
	memcpy(at + 12, r->packed ? &link : &flags, 2);
	memcpy(at + 14, r->packed ? &flags : &link, 2);
}

u64 ring_table(struct ring *r, u32 off, const struct buf *b, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct buf d = b[i];

		if (i + 1 < n && !r->packed)
			d.flags |= VRING_DESC_F_NEXT;
		table_entry(r, r->mem + off + 16 * i, &d, i + 1);
	}
	return RING_MEM + off;
}

u16 ring_add_indirect(struct ring *r, u32 off, const struct buf *b,
		      unsigned int n)
{
	struct buf t = TABLE(ring_table(r, off, b, n), 16 * n);

	return ring_add(r, &t, 1);
}

static bool split_get_used(struct ring *r, u16 *id, u32 *len)
{
	struct vring_used *used = ring_used(r);
	struct vring_used_elem *e = &used->ring[r->used & (r->size - 1)];
	u16 i, n;

	if (le16_to_cpu(used->idx) == r->used)
		return false;
	r->used++;
	*id = le32_to_cpu(e->id);
	*len = le32_to_cpu(e->len);
	if (!EXPECT(le32_to_cpu(e->id) < r->size))
		return true;
	for (i = *id, n = r->slots[*id]; n; n--, i = r->link[i])
		r->ids[r->nr_ids++] = i;
	return true;
}

static bool packed_get_used(struct ring *r, u16 *id, u32 *len)
{
	struct vring_packed_desc *d = &ring_desc(r)[r->used];
	u16 mask = AVAIL_BIT | USED_BIT;

	if ((le16_to_cpu(d->flags) & mask) != packed_used_flags(r->used_wrap))
		return false;
	*id = le16_to_cpu(d->id);
	*len = le32_to_cpu(d->len);
	EXPECT_EQ(!!*len, !!(le16_to_cpu(d->flags) & VRING_DESC_F_WRITE));
	if (!EXPECT(*id < r->size))
		return true;
	r->used += r->slots[*id];
	if (r->used >= r->size) {
		r->used -= r->size;
		r->used_wrap = !r->used_wrap;
	}
	r->ids[r->nr_ids++] = *id;
	return true;
}

bool ring_get_used(struct ring *r, u16 *id, u32 *len)
{
	bool got = r->packed ? packed_get_used(r, id, len) :
			       split_get_used(r, id, len);

	if (got && *id < r->size)
		r->nr_free += r->slots[*id];
	return got;
}

int ring_take(struct ring *r)
{
	int ret = r->vr.ops->peek(&r->vr, r->c);

	if (ret == 1)
		r->vr.ops->consume(&r->vr, r->c);
	return ret;
}

void ring_push(struct ring *r, u32 len)
{
	r->vr.ops->push(&r->vr, r->c->id, r->c->slots, len);
}
