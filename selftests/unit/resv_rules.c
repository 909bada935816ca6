// SPDX-License-Identifier: GPL-2.0
/* Reservations: what each operation does (SPC-5, 5.14; NVMe base 2.0, 8.19). */
#include <string.h>

#include "resv.h"

#define FIRST_TYPE	VT_RESV_WRITE_EX
#define LAST_TYPE	VT_RESV_EX_ACCESS_ALL

static bool registrants_too(u8 type)
{
	return type >= VT_RESV_WRITE_EX_REG;
}

static u64 key_of(struct resv_bed *b, unsigned int i)
{
	struct vt_resv_id id = resv_id(i);
	unsigned int j;

	for (j = 0; j < b->r.state->nr; j++)
		if (vt_resv_id_equal(&b->r.state->reg[j].id, &id))
			return b->r.state->reg[j].key;
	return 0;
}

/* The nexus that holds it, -1: none; all registrants' has none. */
static int holder_of(struct resv_bed *b)
{
	const struct vt_resv_state *s = b->r.state;

	return s->holder == VT_RESV_NOBODY ? -1 :
	       s->reg[s->holder].id.bytes[11];
}

TEST(rights, "what holder, registrant and stranger may do, by type")
{
	static const u8 others = VT_RESV_READ;
	struct resv_bed b;
	u8 type, rest;

	for (type = FIRST_TYPE; type <= LAST_TYPE; type++) {
		resv_bed_init(&b);
		resv_register_all(&b, 2);
		EXPECT_EQ(VT_RESV_RW, b.x[2].n.may);
		EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, type));
		rest = type & 1 ? others : 0;
		EXPECT_EQ(VT_RESV_RW, b.x[0].n.may);
		EXPECT_EQ(registrants_too(type) ? VT_RESV_RW : rest,
			  b.x[1].n.may);
		EXPECT_EQ(rest, b.x[2].n.may);
		EXPECT_EQ(!!rest, vt_resv_may(&b.x[2].n, VT_RESV_READ));
		EXPECT(!vt_resv_may(&b.x[2].n, VT_RESV_WRITE));
		EXPECT_EQ(VT_RESV_OK, resv_release(&b, 0, type));
		EXPECT_EQ(VT_RESV_RW, b.x[2].n.may);
		resv_bed_end(&b);
	}
}

TEST(register_keys, "REGISTER: the present key must be shown, 0 when there is none")
{
	struct resv_bed b;

	resv_bed_init(&b);
	EXPECT_EQ(VT_RESV_CONFLICT, resv_register(&b, 0, 5, 6));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 0, 0));
	EXPECT_EQ(0, b.r.state->generation);
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 0, 5));
	EXPECT_EQ(VT_RESV_CONFLICT, resv_register(&b, 0, 0, 6));
	EXPECT_EQ(VT_RESV_CONFLICT, resv_register(&b, 0, 6, 6));
	EXPECT_EQ(5, key_of(&b, 0));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 5, 6));
	EXPECT_EQ(6, key_of(&b, 0));
	EXPECT_EQ(1, b.r.state->nr);
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 6, 0));
	EXPECT_EQ(0, b.r.state->nr);
	EXPECT_EQ(3, b.r.state->generation);
	resv_bed_end(&b);
}

TEST(register_ignore, "REGISTER AND IGNORE EXISTING KEY: whatever the present key")
{
	struct vt_resv_args a = { .op = VT_RESV_OP_REGISTER_IGNORE,
				  .key = 77, .new_key = 5 };
	struct resv_bed b;

	resv_bed_init(&b);
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	EXPECT_EQ(5, key_of(&b, 0));
	a.new_key = 6;
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	EXPECT_EQ(6, key_of(&b, 0));
	a.new_key = 0;
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	EXPECT_EQ(0, b.r.state->nr);
	EXPECT_EQ(3, b.r.state->generation);
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	EXPECT_EQ(3, b.r.state->generation);
	resv_bed_end(&b);
}

TEST(register_nvme, "NVMe: register, replace and unregister")
{
	struct vt_resv_args a = { .op = VT_RESV_OP_REPLACE, .new_key = 5 };
	struct resv_bed b;

	resv_bed_init(&b);
	EXPECT_EQ(VT_RESV_CONFLICT, vt_resv_out(&b.x[0].n, &a));
	a.op = VT_RESV_OP_UNREGISTER;
	EXPECT_EQ(VT_RESV_CONFLICT, vt_resv_out(&b.x[0].n, &a));
	a.ignore_key = true;
	EXPECT_EQ(VT_RESV_CONFLICT, vt_resv_out(&b.x[0].n, &a));
	a.op = VT_RESV_OP_REGISTER_NEW;
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	a.new_key = 6;
	EXPECT_EQ(VT_RESV_CONFLICT, vt_resv_out(&b.x[0].n, &a));
	a.new_key = 0;
	EXPECT_EQ(VT_RESV_BAD_PARAM, vt_resv_out(&b.x[1].n, &a));

	a = (struct vt_resv_args) { .op = VT_RESV_OP_REPLACE, .key = 4,
				    .new_key = 6 };
	EXPECT_EQ(VT_RESV_CONFLICT, vt_resv_out(&b.x[0].n, &a));
	a.key = 5;
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	a.new_key = 0;
	EXPECT_EQ(VT_RESV_BAD_PARAM, vt_resv_out(&b.x[0].n, &a));
	a.op = VT_RESV_OP_UNREGISTER;
	EXPECT_EQ(VT_RESV_CONFLICT, vt_resv_out(&b.x[0].n, &a));
	a.key = 6;
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	EXPECT_EQ(0, b.r.state->nr);
	resv_bed_end(&b);
}

TEST(reserve, "RESERVE: registered, with the key, and no other than what is held")
{
	struct vt_resv_args a = { .op = VT_RESV_OP_RESERVE, .key = 9,
				  .type = VT_RESV_WRITE_EX };
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 2);
	EXPECT_EQ(VT_RESV_CONFLICT, resv_reserve(&b, 2, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_CONFLICT, vt_resv_out(&b.x[0].n, &a));
	EXPECT_EQ(VT_RESV_BAD_COMMAND, resv_reserve(&b, 0, VT_RESV_NONE));
	EXPECT_EQ(VT_RESV_BAD_COMMAND, resv_reserve(&b, 0, LAST_TYPE + 1));
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(0, holder_of(&b));
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_CONFLICT, resv_reserve(&b, 0, VT_RESV_EX_ACCESS));
	EXPECT_EQ(VT_RESV_CONFLICT, resv_reserve(&b, 1, VT_RESV_WRITE_EX));
	EXPECT_EQ(2, b.r.state->generation);
	EXPECT_EQ(0, resv_events(&b, 1));
	resv_bed_end(&b);
}

TEST(reserve_all, "of all registrants': each of them holds it")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 2);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX_ALL));
	EXPECT_EQ(-1, holder_of(&b));
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 1, VT_RESV_WRITE_EX_ALL));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 2, 0, 3));
	EXPECT_EQ(VT_RESV_RW, b.x[2].n.may);
	EXPECT_EQ(VT_RESV_OK, resv_release(&b, 2, VT_RESV_WRITE_EX_ALL));
	EXPECT_EQ(VT_RESV_NONE, b.r.state->type);
	EXPECT_EQ(VT_RESV_EV_RELEASED, resv_events(&b, 0));
	EXPECT_EQ(VT_RESV_EV_RELEASED, resv_events(&b, 1));
	EXPECT_EQ(0, resv_events(&b, 2));
	resv_bed_end(&b);
}

TEST(release, "RELEASE: by its holder, of its type; registrants are told where they had rights")
{
	struct resv_bed b;
	u8 type;

	for (type = FIRST_TYPE; type <= LAST_TYPE; type++) {
		resv_bed_init(&b);
		resv_register_all(&b, 2);
		EXPECT_EQ(VT_RESV_OK, resv_release(&b, 0, type));
		EXPECT_EQ(VT_RESV_CONFLICT, resv_release(&b, 2, type));
		EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, type));
		EXPECT_EQ(VT_RESV_BAD_RELEASE,
			  resv_release(&b, 0, type == LAST_TYPE ? FIRST_TYPE :
					      type + 1));
		if (!vt_resv_all_hold(type)) {
			EXPECT_EQ(VT_RESV_OK, resv_release(&b, 1, type));
			EXPECT_EQ(type, b.r.state->type);
		}
		EXPECT_EQ(VT_RESV_OK, resv_release(&b, 0, type));
		EXPECT_EQ(VT_RESV_NONE, b.r.state->type);
		EXPECT_EQ(registrants_too(type) ? VT_RESV_EV_RELEASED : 0,
			  resv_events(&b, 1));
		EXPECT_EQ(0, resv_events(&b, 0));
		EXPECT_EQ(0, resv_events(&b, 2));
		EXPECT_EQ(2, b.r.state->generation);
		resv_bed_end(&b);
	}
}

TEST(unregister_holder, "a holder that unregisters releases, all registrants' with the last")
{
	struct resv_bed b;
	unsigned int want;
	u8 type;

	for (type = FIRST_TYPE; type <= LAST_TYPE; type++) {
		resv_bed_init(&b);
		resv_register_all(&b, 2);
		EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, type));
		EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 1, 0));
		EXPECT_EQ(vt_resv_all_hold(type) ? type : VT_RESV_NONE,
			  b.r.state->type);
		want = type == VT_RESV_WRITE_EX_REG ||
		       type == VT_RESV_EX_ACCESS_REG ? VT_RESV_EV_RELEASED : 0;
		EXPECT_EQ(want, resv_events(&b, 1));
		EXPECT_EQ(VT_RESV_OK, resv_register(&b, 1, 2, 0));
		EXPECT_EQ(VT_RESV_NONE, b.r.state->type);
		EXPECT_EQ(-1, holder_of(&b));
		resv_bed_end(&b);
	}
}

TEST(unregister_other, "an entry before the holder's goes: the holder stays the holder")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 3);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 1, VT_RESV_WRITE_EX_REG));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 1, 0));
	EXPECT_EQ(1, holder_of(&b));
	EXPECT_EQ(2, b.r.state->nr);
	EXPECT_EQ(VT_RESV_READ, b.x[0].n.may);
	EXPECT_EQ(0, resv_events(&b, 1));
	EXPECT_EQ(0, resv_events(&b, 2));
	resv_bed_end(&b);
}

TEST(clear, "CLEAR: everything goes, the others are told")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 3);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 1, VT_RESV_EX_ACCESS));
	EXPECT_EQ(VT_RESV_CONFLICT, resv_op(&b, 3, VT_RESV_OP_CLEAR));
	EXPECT_EQ(VT_RESV_OK, resv_op(&b, 0, VT_RESV_OP_CLEAR));
	EXPECT_EQ(0, b.r.state->nr);
	EXPECT_EQ(VT_RESV_NONE, b.r.state->type);
	EXPECT_EQ(4, b.r.state->generation);
	EXPECT_EQ(0, resv_events(&b, 0));
	EXPECT_EQ(VT_RESV_EV_RESV_PREEMPTED, resv_events(&b, 1));
	EXPECT_EQ(VT_RESV_EV_RESV_PREEMPTED, resv_events(&b, 2));
	EXPECT_EQ(0, resv_events(&b, 3));
	resv_bed_end(&b);
}

TEST(preempt_none, "PREEMPT without a reservation removes registrations")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 3);
	EXPECT_EQ(VT_RESV_CONFLICT, resv_preempt(&b, 3, 1, 0));
	EXPECT_EQ(VT_RESV_CONFLICT, resv_preempt(&b, 0, 9, 0));
	EXPECT_EQ(VT_RESV_BAD_PARAM, resv_preempt(&b, 0, 0, 0));
	EXPECT_EQ(3, b.r.state->generation);
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 0, 2, 0));
	EXPECT_EQ(4, b.r.state->generation);
	EXPECT_EQ(0, key_of(&b, 1));
	EXPECT_EQ(3, key_of(&b, 2));
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 1));
	EXPECT_EQ(0, resv_events(&b, 2));
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 0, 1, 0));
	EXPECT_EQ(0, key_of(&b, 0));
	EXPECT_EQ(0, resv_events(&b, 0));
	resv_bed_end(&b);
}

TEST(preempt_holder, "PREEMPT of the holder takes the reservation over")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 3);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_BAD_COMMAND, resv_preempt(&b, 1, 1, 0));
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 1, 1, VT_RESV_WRITE_EX));
	EXPECT_EQ(1, holder_of(&b));
	EXPECT_EQ(0, key_of(&b, 0));
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 0));
	EXPECT_EQ(0, resv_events(&b, 2));
	EXPECT_EQ(VT_RESV_READ, b.x[0].n.may);

	/* Of another type: those that stay are told as well. */
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 2, 2, VT_RESV_EX_ACCESS_REG));
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 1));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 0, 1));
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 2, 3, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_EV_RELEASED, resv_events(&b, 0));
	EXPECT_EQ(2, holder_of(&b));
	EXPECT_EQ(3, key_of(&b, 2));
	resv_bed_end(&b);
}

TEST(preempt_same_key, "PREEMPT of one's own key: who else has it goes, oneself stays")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 1);
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 1, 0, 1));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 2, 0, 3));
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX_REG));
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 0, 1, VT_RESV_WRITE_EX_REG));
	EXPECT_EQ(0, holder_of(&b));
	EXPECT_EQ(1, key_of(&b, 0));
	EXPECT_EQ(0, key_of(&b, 1));
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 1));
	EXPECT_EQ(0, resv_events(&b, 0));
	EXPECT_EQ(0, resv_events(&b, 2));
	resv_bed_end(&b);
}

TEST(preempt_other, "PREEMPT of who is not the holder leaves the reservation alone")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 3);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 2, VT_RESV_EX_ACCESS_REG));
	EXPECT_EQ(VT_RESV_BAD_PARAM, resv_preempt(&b, 1, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 1, 1, VT_RESV_WRITE_EX));
	EXPECT_EQ(2, holder_of(&b));
	EXPECT_EQ(VT_RESV_EX_ACCESS_REG, b.r.state->type);
	EXPECT_EQ(0, b.x[0].n.may);
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 0));
	EXPECT_EQ(0, resv_events(&b, 2));
	resv_bed_end(&b);
}

TEST(preempt_all, "of all registrants': key 0 takes it from all, a key removes registrations")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 3);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 2, VT_RESV_WRITE_EX_ALL));
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 0, 2, VT_RESV_EX_ACCESS));
	EXPECT_EQ(VT_RESV_WRITE_EX_ALL, b.r.state->type);
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 1));
	EXPECT_EQ(0, resv_events(&b, 2));
	EXPECT_EQ(VT_RESV_CONFLICT, resv_preempt(&b, 0, 2, VT_RESV_EX_ACCESS));
	EXPECT_EQ(VT_RESV_BAD_COMMAND, resv_preempt(&b, 0, 0, 0));
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 0, 0, VT_RESV_EX_ACCESS));
	EXPECT_EQ(VT_RESV_EX_ACCESS, b.r.state->type);
	EXPECT_EQ(0, holder_of(&b));
	EXPECT_EQ(1, b.r.state->nr);
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 2));
	resv_bed_end(&b);
}

TEST(preempt_all_own, "all registrants have the preempted key: nobody is left to hold it")
{
	struct resv_bed b;

	resv_bed_init(&b);
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 0, 1));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 1, 0, 1));
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_EX_ACCESS_ALL));
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 0, 1, VT_RESV_EX_ACCESS_ALL));
	EXPECT_EQ(0, b.r.state->nr);
	EXPECT_EQ(VT_RESV_NONE, b.r.state->type);
	EXPECT_EQ(VT_RESV_RW, b.x[3].n.may);
	resv_bed_end(&b);
}

static enum vt_resv_result move(struct resv_bed *b, unsigned int i, u64 key,
				unsigned int dest, u64 new_key, bool unreg)
{
	struct vt_resv_args a = {
		.op = VT_RESV_OP_MOVE, .key = key, .new_key = new_key,
		.unreg = unreg, .dest = resv_id(dest),
	};

	return vt_resv_out(&b->x[i].n, &a);
}

TEST(moves, "REGISTER AND MOVE: by the holder, to a registrant or a new one")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 2);
	EXPECT_EQ(VT_RESV_BAD_COMMAND, move(&b, 0, 1, 1, 5, false));
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_CONFLICT, move(&b, 2, 0, 1, 5, false));
	EXPECT_EQ(VT_RESV_CONFLICT, move(&b, 0, 9, 1, 5, false));
	EXPECT_EQ(VT_RESV_CONFLICT, move(&b, 1, 2, 2, 5, false));
	EXPECT_EQ(VT_RESV_BAD_PARAM, move(&b, 0, 1, 1, 0, false));
	EXPECT_EQ(VT_RESV_BAD_PARAM, move(&b, 0, 1, 0, 5, false));
	EXPECT_EQ(2, b.r.state->generation);

	EXPECT_EQ(VT_RESV_OK, move(&b, 0, 1, 1, 5, false));
	EXPECT_EQ(1, holder_of(&b));
	EXPECT_EQ(5, key_of(&b, 1));
	EXPECT_EQ(1, key_of(&b, 0));
	EXPECT_EQ(VT_RESV_READ, b.x[0].n.may);
	EXPECT_EQ(3, b.r.state->generation);

	EXPECT_EQ(VT_RESV_OK, move(&b, 1, 5, 3, 7, true));
	EXPECT_EQ(3, holder_of(&b));
	EXPECT_EQ(0, key_of(&b, 1));
	EXPECT_EQ(VT_RESV_WRITE_EX, b.r.state->type);
	EXPECT_EQ(VT_RESV_RW, b.x[3].n.may);
	resv_bed_end(&b);
}

TEST(move_all, "one that all registrants hold cannot be moved")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 1);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX_ALL));
	EXPECT_EQ(VT_RESV_CONFLICT, move(&b, 0, 1, 1, 5, false));
	resv_bed_end(&b);
}

TEST(unknown_op, "an operation that does not exist")
{
	struct resv_bed b;

	resv_bed_init(&b);
	EXPECT_EQ(VT_RESV_BAD_COMMAND,
		  resv_op(&b, 0, VT_RESV_OP_SET_PTPL + 1));
	resv_bed_end(&b);
}
