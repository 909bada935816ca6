// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include <linux/overflow.h>

#include "resv.h"

static void bed_event(struct vt_resv_nexus *n, unsigned int events)
{
	container_of(n, struct resv_nexus, n)->events |= events;
}

static void bed_drain(struct vt_resv_nexus *n)
{
	struct resv_nexus *x = container_of(n, struct resv_nexus, n);

	x->drained++;
	x->may_when_drained = n->may;
	if (x->on_drain)
		x->on_drain(x->bed, x - x->bed->x);
}

static const struct vt_resv_nexus_ops bed_ops = {
	.event	= bed_event,
	.drain	= bed_drain,
};

static int bed_save(struct vt_resv *r, const struct vt_resv_state *s)
{
	struct resv_bed *b = r->save_priv;
	size_t len = struct_size(s, reg, s->nr);

	if (b->save_err)
		return b->save_err;
	b->saves++;
	free(b->saved);
	b->saved = malloc(len);
	memcpy(b->saved, s, len);
	return 0;
}

struct vt_resv_id resv_id(unsigned int i)
{
	return (struct vt_resv_id) {
		.proto = VT_RESV_SCSI, .len = 24, .port = 1,
		.bytes = { 6, [11] = i },
	};
}

void resv_bed_init(struct resv_bed *b)
{
	unsigned int i;

	memset(b, 0, sizeof(*b));
	EXPECT_EQ(0, vt_resv_init(&b->r));
	b->r.save = bed_save;
	b->r.save_priv = b;
	for (i = 0; i < RESV_NEXUSES; i++) {
		struct vt_resv_id id = resv_id(i);

		b->x[i].n.ops = &bed_ops;
		b->x[i].bed = b;
		vt_resv_bind(&b->r, &b->x[i].n, &id);
	}
}

void resv_bed_end(struct resv_bed *b)
{
	unsigned int i;

	for (i = 0; i < RESV_NEXUSES; i++)
		vt_resv_unbind(&b->x[i].n);
	vt_resv_destroy(&b->r);
	free(b->saved);
}

unsigned int resv_events(struct resv_bed *b, unsigned int i)
{
	unsigned int events = b->x[i].events;

	b->x[i].events = 0;
	return events;
}

static enum vt_resv_result out(struct resv_bed *b, unsigned int i, u8 op,
			       u8 type, u64 key, u64 new_key)
{
	struct vt_resv_args a = {
		.op = op, .type = type, .key = key, .new_key = new_key,
	};

	return vt_resv_out(&b->x[i].n, &a);
}

enum vt_resv_result resv_register(struct resv_bed *b, unsigned int i, u64 key,
				  u64 new_key)
{
	return out(b, i, VT_RESV_OP_REGISTER, 0, key, new_key);
}

enum vt_resv_result resv_reserve(struct resv_bed *b, unsigned int i, u8 type)
{
	return out(b, i, VT_RESV_OP_RESERVE, type, i + 1, 0);
}

enum vt_resv_result resv_release(struct resv_bed *b, unsigned int i, u8 type)
{
	return out(b, i, VT_RESV_OP_RELEASE, type, i + 1, 0);
}

enum vt_resv_result resv_preempt(struct resv_bed *b, unsigned int i, u64 key,
				 u8 type)
{
	return out(b, i, VT_RESV_OP_PREEMPT, type, i + 1, key);
}

enum vt_resv_result resv_op(struct resv_bed *b, unsigned int i, u8 op)
{
	return out(b, i, op, 0, i + 1, 0);
}

void resv_register_all(struct resv_bed *b, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		EXPECT_EQ(VT_RESV_OK, resv_register(b, i, 0, i + 1));
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(0, b->x[i].events);
		EXPECT_EQ(0, b->x[i].drained);
	}
}
