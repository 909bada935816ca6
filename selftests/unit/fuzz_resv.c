// SPDX-License-Identifier: GPL-2.0
/*
 * Reservations: a file that says what they were, made by anybody, and then
 * operations of several hosts. Whatever comes of it is a state that is
 * possible, that is saved as it is, and that each nexus has its rights by.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/crc32.h>
#include <linux/overflow.h>

#include "../../drivers/core/resv_blob.h"
#include "../../drivers/core/resv_op.h"
#include "fuzz.h"
#include "resv.h"
#include "shim/hook.h"

const unsigned int fuzz_cost = 100;

#define IDENT	"id 0011223344556677"

/* Where the head of a slot has its length and its CRC. */
#define LEN_AT	16
#define CRC_AT	20

static u8 *file;
static struct vt_resv_state *got;
static size_t room;

static void fix_crc(u8 *slot)
{
	__le32 len, zero = 0, crc;

	memcpy(&len, slot + LEN_AT, 4);
	if (le32_to_cpu(len) < CRC_AT + 4 || le32_to_cpu(len) > VT_RESV_SLOT)
		return;
	memcpy(slot + CRC_AT, &zero, 4);
	crc = cpu_to_le32(crc32_le(~0U, slot, le32_to_cpu(len)));
	memcpy(slot + CRC_AT, &crc, 4);
}

/* A state to begin with, which may be an impossible one. */
static void take_state(struct vt_resv_state *s)
{
	unsigned int i;

	memset(s, 0, room);
	s->nr = fuzz_take(1) % 16;
	s->type = fuzz_take(1) % 8;
	s->ptpl = fuzz_take(1) & 1;
	s->holder = fuzz_take(1);
	if (s->holder == 0xff)
		s->holder = VT_RESV_NOBODY;
	for (i = 0; i < s->nr; i++) {
		s->reg[i].id = resv_id(fuzz_take(1) % 16);
		s->reg[i].key = fuzz_take(1);
	}
}

static void take_file(void)
{
	unsigned int i, n;
	u8 *slot;
	u32 at;

	memset(file, 0, 2 * VT_RESV_SLOT);
	for (i = 0; i < 2; i++) {
		slot = file + i * VT_RESV_SLOT;
		take_state(got);
		vt_resv_blob_put(got, IDENT, fuzz_take(1), slot);
		for (n = fuzz_take(1) % 16; n; n--) {
			at = fuzz_take(1);
			if (at & 0x80)
				at = fuzz_take(2) % VT_RESV_SLOT;
			slot[at] = fuzz_take(1);
		}
		if (fuzz_take(1) & 1)
			fix_crc(slot);
	}
}

static void check_saved(const struct vt_resv_state *s)
{
	unsigned int i;
	u64 seq;
	int ret;

	memset(file, 0, 2 * VT_RESV_SLOT);
	vt_resv_blob_put(s, IDENT, 5, file + VT_RESV_SLOT);
	memset(got, 0xa5, room);
	ret = vt_resv_blob_get(file, 2 * VT_RESV_SLOT, IDENT, got, &seq);
	MUST(ret == 1 && seq == 5);
	MUST(got->ptpl == s->ptpl);
	MUST(got->nr == (s->ptpl ? s->nr : 0));
	if (!s->ptpl)
		return;
	MUST(got->type == s->type && got->holder == s->holder);
	for (i = 0; i < s->nr; i++)
		MUST(vt_resv_id_equal(&got->reg[i].id, &s->reg[i].id) &&
		     got->reg[i].key == s->reg[i].key);
}

static void check(struct resv_bed *b)
{
	const struct vt_resv_state *s = vt_resv_read(&b->r);
	unsigned int i;

	MUST(vt_resv_state_ok(s));
	for (i = 0; i < RESV_NEXUSES; i++)
		if (b->x[i].n.resv)
			MUST(b->x[i].n.may == vt_resv_rights(s, &b->x[i].n.id));
	vt_resv_read_end(&b->r);
}

static void step(struct resv_bed *b)
{
	u8 op = fuzz_take(1), who = fuzz_take(1), how = fuzz_take(1);
	struct resv_nexus *x = &b->x[who % RESV_NEXUSES];
	struct vt_resv_args a = {
		.op = op % (VT_RESV_OP_SET_PTPL + 1),
		.type = how & 15,
		.ptpl = (how >> 4) % 3,
		.unreg = how & 0x40,
		.ignore_key = how & 0x80,
	};
	struct vt_resv_id id = resv_id(who >> 4);
	u8 before = x->n.may;
	enum vt_resv_result res;

	a.key = fuzz_take(1);
	a.new_key = fuzz_take(1);
	a.dest = id;
	b->save_err = who & 8 ? -EIO : 0;
	if (op >= 248) {
		vt_resv_rebind(&x->n, &id);
		return;
	}
	if (op >= 240) {
		vt_resv_unbind(&x->n);
		vt_resv_bind(&b->r, &x->n, &id);
		return;
	}
	if (op >= 230)
		shim_no_memory = 1 + op % 2;
	res = vt_resv_out(&x->n, &a);
	shim_no_memory = 0;
	MUST(res <= VT_RESV_NO_RESOURCES);
	if (res != VT_RESV_OK)
		MUST(x->n.may == before);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct resv_bed b;
	u64 seq;
	int ret;

	if (!file) {
		room = struct_size(got, reg, VT_RESV_MAX_REGISTRANTS);
		file = malloc(2 * VT_RESV_SLOT);
		got = malloc(room);
	}
	fuzz_begin(data, len);
	take_file();
	resv_bed_init(&b);
	ret = vt_resv_blob_get(file, fuzz_take(1) & 1 ? 2 * VT_RESV_SLOT : 100,
			       IDENT, got, &seq);
	MUST(ret == 0 || ret == 1 || ret == -ENODATA || ret == -EBADMSG);
	if (ret >= 0) {
		MUST(vt_resv_state_ok(got));
		MUST(!vt_resv_restore(&b.r, got));
	}
	check(&b);
	while (fuzz_left()) {
		step(&b);
		check(&b);
	}
	check_saved(b.r.state);
	/* Whoever is there can have all to himself. */
	b.save_err = 0;
	MUST(vt_resv_out(&b.x[0].n, &(struct vt_resv_args) {
		.op = VT_RESV_OP_REGISTER_IGNORE, .new_key = 99,
	}) == VT_RESV_OK || b.r.state->nr == VT_RESV_MAX_REGISTRANTS);
	resv_bed_end(&b);
	return 0;
}

static void put_state(u8 nr, u8 type, u8 holder, u8 seq)
{
	unsigned int i;

	fuzz_put(4, nr << 24 | type << 16 | 1 << 8 | holder);
	for (i = 0; i < nr; i++)
		fuzz_put(2, i << 8 | (i + 1));
	fuzz_put(3, seq << 16);
}

static void put_op(u8 op, u8 who, u8 how, u8 key, u8 new_key)
{
	fuzz_put(1, op);
	fuzz_put(4, (u32)who << 24 | how << 16 | key << 8 | new_key);
}

/* Two hosts of a cluster: one fences the other. */
void fuzz_seeds(void)
{
	unsigned int type;

	for (type = 0; type <= 6; type++) {
		static const char *const names[] = {
			"none", "we", "ea", "wero", "earo", "wear", "eaar",
		};

		put_state(4, type, type && type < 5 ? 1 : 0xff, 3);
		put_state(2, 0, 0xff, 2);
		fuzz_put(1, 1);
		put_op(VT_RESV_OP_REGISTER_IGNORE, 0, 0x20, 0, 1);
		put_op(VT_RESV_OP_REGISTER, 2, 0, 3, 5);
		put_op(VT_RESV_OP_RESERVE, 0, type, 1, 0);
		put_op(VT_RESV_OP_PREEMPT, 1, type, 2, 1);
		put_op(VT_RESV_OP_MOVE, 0x31, 0x40, 2, 4);
		put_op(VT_RESV_OP_PREEMPT_ABORT, 3, type, 4, 2);
		put_op(VT_RESV_OP_RELEASE, 3, type, 4, 0);
		put_op(VT_RESV_OP_REGISTER_NEW, 0, 0, 0, 1);
		put_op(VT_RESV_OP_REPLACE, 0, 0, 1, 6);
		put_op(VT_RESV_OP_SET_PTPL, 0, 0x10, 0, 0);
		put_op(VT_RESV_OP_UNREGISTER, 0, 0, 6, 0);
		put_op(VT_RESV_OP_CLEAR, 3, 0, 4, 0);
		put_op(240, 0x11, 0, 0, 0);
		fuzz_save(names[type]);
	}
}
