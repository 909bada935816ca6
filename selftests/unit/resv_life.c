// SPDX-License-Identifier: GPL-2.0
/* Reservations: nexuses that come and go, fencing, what is saved, limits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/overflow.h>

#include "../../drivers/core/resv_op.h"
#include "resv.h"
#include "shim/hook.h"

TEST(reboot, "keys and reservation outlive the nexus and count again when it is back")
{
	struct vt_resv_id id = resv_id(0);
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 1);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_EX_ACCESS));
	vt_resv_unbind(&b.x[0].n);
	EXPECT(!vt_resv_may(&b.x[0].n, VT_RESV_READ));
	EXPECT_EQ(1, b.r.state->nr);
	EXPECT_EQ(0, b.x[1].n.may);
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 1, 0, 2));
	EXPECT_EQ(0, b.x[0].events);
	vt_resv_bind(&b.r, &b.x[0].n, &id);
	EXPECT_EQ(VT_RESV_RW, b.x[0].n.may);
	EXPECT_EQ(VT_RESV_OK, resv_release(&b, 0, VT_RESV_EX_ACCESS));
	resv_bed_end(&b);
}

TEST(preempt_absent, "a registrant that is away can be preempted and comes back without rights")
{
	struct vt_resv_id id = resv_id(0);
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 2);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_EX_ACCESS));
	vt_resv_unbind(&b.x[0].n);
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 1, 1, VT_RESV_WRITE_EX));
	vt_resv_bind(&b.r, &b.x[0].n, &id);
	EXPECT_EQ(VT_RESV_READ, b.x[0].n.may);
	EXPECT_EQ(0, b.x[0].drained);
	resv_bed_end(&b);
}

TEST(rebind, "a nexus that becomes another has that one's rights, and stays bound")
{
	struct vt_resv_id id = resv_id(0), own = resv_id(3);
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 2);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_EX_ACCESS));
	EXPECT_EQ(0, b.x[3].n.may);
	vt_resv_rebind(&b.x[3].n, &id);
	EXPECT(b.x[3].n.resv == &b.r);
	EXPECT_EQ(VT_RESV_RW, b.x[3].n.may);
	vt_resv_rebind(&b.x[3].n, &own);
	EXPECT_EQ(0, b.x[3].n.may);
	EXPECT_EQ(0, b.x[3].events);
	resv_bed_end(&b);
}

TEST(unbind_twice, "a nexus that is not bound can be unbound")
{
	struct resv_bed b;

	resv_bed_init(&b);
	vt_resv_unbind(&b.x[0].n);
	resv_bed_end(&b);
}

TEST(one_host, "two nexuses of one identity share registration and rights")
{
	struct vt_resv_id id = resv_id(0);
	struct resv_bed b;

	resv_bed_init(&b);
	vt_resv_unbind(&b.x[3].n);
	vt_resv_bind(&b.r, &b.x[3].n, &id);
	resv_register_all(&b, 2);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_RW, b.x[3].n.may);
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 1, 1, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_READ, b.x[3].n.may);
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 0));
	EXPECT_EQ(VT_RESV_EV_REG_PREEMPTED, resv_events(&b, 3));
	EXPECT_EQ(1, b.x[0].drained);
	EXPECT_EQ(1, b.x[3].drained);
	resv_bed_end(&b);
}

TEST(not_an_id, "an identity is its protocol, port, and bytes")
{
	struct vt_resv_id a = resv_id(0), b = resv_id(0);

	EXPECT(vt_resv_id_equal(&a, &b));
	b.port = 2;
	EXPECT(!vt_resv_id_equal(&a, &b));
	b = a;
	b.proto = VT_RESV_NVME;
	EXPECT(!vt_resv_id_equal(&a, &b));
	b = a;
	b.bytes[23] ^= 1;
	EXPECT(!vt_resv_id_equal(&a, &b));
}

TEST(drain_reserve, "who loses a right is drained, after it lost it; the others are not")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 2);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_EX_ACCESS_REG));
	EXPECT_EQ(0, b.x[0].drained);
	EXPECT_EQ(0, b.x[1].drained);
	EXPECT_EQ(1, b.x[2].drained);
	EXPECT_EQ(0, b.x[2].may_when_drained);
	EXPECT_EQ(VT_RESV_OK, resv_release(&b, 0, VT_RESV_EX_ACCESS_REG));
	EXPECT_EQ(1, b.x[2].drained);
	resv_bed_end(&b);
}

TEST(drain_preempt, "who is preempted is drained, whatever it may still do")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 3);
	EXPECT_EQ(VT_RESV_OK, resv_preempt(&b, 0, 2, 0));
	EXPECT_EQ(1, b.x[1].drained);
	EXPECT_EQ(0, b.x[2].drained);
	EXPECT_EQ(VT_RESV_OK, resv_op(&b, 0, VT_RESV_OP_CLEAR));
	EXPECT_EQ(1, b.x[1].drained);
	EXPECT_EQ(1, b.x[2].drained);
	EXPECT_EQ(0, b.x[0].drained);
	resv_bed_end(&b);
}

static struct resv_bed *waiting;

static void drain_ends(void)
{
	waiting->x[2].n.draining = false;
}

/* What x[2] has in flight hangs, or so it may be. */
static void while_it_hangs(struct resv_bed *b, unsigned int i)
{
	struct vt_resv_id id = resv_id(3), own = resv_id(7);

	EXPECT_EQ(2, i);
	vt_resv_unbind(&b->x[3].n);
	vt_resv_bind(&b->r, &b->x[3].n, &id);
	EXPECT_EQ(0, b->x[3].n.may);
	vt_resv_rebind(&b->x[3].n, &own);
	vt_resv_rebind(&b->x[3].n, &id);
	EXPECT_EQ(VT_RESV_OK, vt_resv_set_ptpl(&b->x[3].n, true));
	EXPECT(vt_resv_get_ptpl(&b->r));
	/* It goes itself when that is over. */
	waiting = b;
	shim_on_wait = drain_ends;
	vt_resv_unbind(&b->x[2].n);
	shim_on_wait = NULL;
}

TEST(drain_hangs, "nexuses come and go while one is drained")
{
	struct resv_bed b;

	resv_bed_init(&b);
	b.x[2].on_drain = while_it_hangs;
	resv_register_all(&b, 2);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_EX_ACCESS_REG));
	EXPECT_EQ(1, b.x[2].drained);
	/* This one is so by the second bind; it had nothing in flight. */
	EXPECT(!b.x[3].n.fenced);
	resv_bed_end(&b);
}

TEST(exec, "work items read the lock that a change writes")
{
	struct resv_bed b;

	resv_bed_init(&b);
	vt_resv_exec_begin(&b.r);
	EXPECT_EQ(1, b.r.exec_sem.users);
	vt_resv_exec_end(&b.r);
	/* Would end the program if the change did not give it back. */
	resv_register_all(&b, 1);
	vt_resv_exec_begin(&b.r);
	vt_resv_exec_end(&b.r);
	resv_bed_end(&b);
}

static enum vt_resv_result set_ptpl(struct resv_bed *b, unsigned int i, u8 ptpl)
{
	struct vt_resv_args a = {
		.op = VT_RESV_OP_REGISTER_IGNORE, .new_key = i + 1,
		.ptpl = ptpl,
	};

	return vt_resv_out(&b->x[i].n, &a);
}

TEST(ptpl, "what persists is saved before it is so; the last register decides")
{
	struct resv_bed b;

	resv_bed_init(&b);
	resv_register_all(&b, 1);
	EXPECT_EQ(0, b.saves);
	EXPECT_EQ(VT_RESV_OK, set_ptpl(&b, 1, VT_RESV_PTPL_ON));
	EXPECT_EQ(1, b.saves);
	EXPECT_EQ(2, b.saved->nr);
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(2, b.saves);
	EXPECT_EQ(VT_RESV_WRITE_EX, b.saved->type);
	EXPECT_EQ(VT_RESV_OK, set_ptpl(&b, 0, VT_RESV_PTPL_KEEP));
	EXPECT(b.saved->ptpl);
	EXPECT_EQ(VT_RESV_OK, set_ptpl(&b, 0, VT_RESV_PTPL_OFF));
	EXPECT(!b.saved->ptpl);
	EXPECT_EQ(4, b.saves);
	EXPECT_EQ(VT_RESV_OK, resv_release(&b, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(4, b.saves);
	resv_bed_end(&b);
}

TEST(ptpl_feature, "NVMe: the setting alone")
{
	struct vt_resv_args a = { .op = VT_RESV_OP_SET_PTPL,
				  .ptpl = VT_RESV_PTPL_ON };
	struct resv_bed b;

	resv_bed_init(&b);
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	EXPECT(b.r.state->ptpl);
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&b.x[0].n, &a));
	EXPECT_EQ(1, b.saves);
	EXPECT_EQ(0, b.r.state->generation);
	resv_bed_end(&b);
}

TEST(ptpl_failed, "what cannot be saved has not happened")
{
	struct resv_bed b;

	resv_bed_init(&b);
	EXPECT_EQ(VT_RESV_OK, set_ptpl(&b, 0, VT_RESV_PTPL_ON));
	b.save_err = -ENOSPC;
	EXPECT_EQ(VT_RESV_NO_RESOURCES, resv_reserve(&b, 0, VT_RESV_EX_ACCESS));
	EXPECT_EQ(VT_RESV_NONE, b.r.state->type);
	EXPECT_EQ(VT_RESV_RW, b.x[1].n.may);
	EXPECT_EQ(VT_RESV_NO_RESOURCES, resv_register(&b, 1, 0, 2));
	EXPECT_EQ(1, b.r.state->nr);
	EXPECT_EQ(1, b.r.state->generation);
	b.save_err = 0;
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 1, 0, 2));
	resv_bed_end(&b);
}

TEST(ptpl_unable, "without a place to save to nothing persists")
{
	struct resv_bed b;

	resv_bed_init(&b);
	b.r.save = NULL;
	EXPECT_EQ(VT_RESV_BAD_PARAM, set_ptpl(&b, 0, VT_RESV_PTPL_ON));
	EXPECT_EQ(0, b.r.state->nr);
	EXPECT_EQ(VT_RESV_OK, set_ptpl(&b, 0, VT_RESV_PTPL_OFF));
	resv_bed_end(&b);
}

TEST(no_memory, "an allocation that fails changes nothing")
{
	struct resv_bed b;
	unsigned int i;

	resv_bed_init(&b);
	for (i = 1; i <= 2; i++) {
		shim_no_memory = i;
		EXPECT_EQ(VT_RESV_NO_RESOURCES, resv_register(&b, 0, 0, 1));
		EXPECT_EQ(0, shim_no_memory);
		EXPECT_EQ(0, b.r.state->nr);
	}
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 0, 1));
	resv_bed_end(&b);

	shim_no_memory = 1;
	EXPECT_EQ(-ENOMEM, vt_resv_init(&b.r));
}

TEST(full, "so many registrants and no more; known ones can still change their key")
{
	struct vt_resv_args move = {
		.op = VT_RESV_OP_MOVE, .key = 1, .new_key = 3,
	};
	struct resv_bed b;
	unsigned int i;

	resv_bed_init(&b);
	for (i = 0; i < VT_RESV_MAX_REGISTRANTS; i++) {
		struct vt_resv_id id = resv_id(i & 255);

		id.port = 2 + (i >> 8);
		vt_resv_unbind(&b.x[0].n);
		vt_resv_bind(&b.r, &b.x[0].n, &id);
		EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 0, 1));
	}
	EXPECT_EQ(VT_RESV_FULL, resv_register(&b, 1, 0, 2));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 1, 5));
	EXPECT_EQ(VT_RESV_OK, resv_register(&b, 0, 5, 1));
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_WRITE_EX));
	EXPECT_EQ(VT_RESV_MAX_REGISTRANTS - 1, b.r.state->holder);
	move.dest = b.x[1].n.id;
	EXPECT_EQ(VT_RESV_FULL, vt_resv_out(&b.x[0].n, &move));
	EXPECT_EQ(VT_RESV_MAX_REGISTRANTS - 1, b.r.state->holder);
	EXPECT_EQ(VT_RESV_OK, resv_op(&b, 0, VT_RESV_OP_CLEAR));
	EXPECT_EQ(0, b.r.state->nr);
	resv_bed_end(&b);
}

TEST(restore, "a saved state is as it was, but for the generation")
{
	struct resv_bed b, c;

	resv_bed_init(&b);
	EXPECT_EQ(VT_RESV_OK, set_ptpl(&b, 1, VT_RESV_PTPL_ON));
	EXPECT_EQ(VT_RESV_OK, set_ptpl(&b, 0, VT_RESV_PTPL_KEEP));
	EXPECT_EQ(VT_RESV_OK, resv_reserve(&b, 0, VT_RESV_EX_ACCESS_REG));
	resv_bed_init(&c);
	shim_no_memory = 1;
	EXPECT_EQ(-ENOMEM, vt_resv_restore(&c.r, b.saved));
	EXPECT_EQ(0, c.r.state->nr);
	EXPECT_EQ(0, vt_resv_restore(&c.r, b.saved));
	EXPECT_EQ(0, c.r.state->generation);
	EXPECT(c.r.state->ptpl);
	EXPECT_EQ(0, c.x[2].n.may);
	EXPECT_EQ(VT_RESV_RW, c.x[1].n.may);
	EXPECT_EQ(VT_RESV_OK, resv_release(&c, 0, VT_RESV_EX_ACCESS_REG));
	EXPECT_EQ(VT_RESV_EV_RELEASED, resv_events(&c, 1));
	resv_bed_end(&b);
	resv_bed_end(&c);
}

/* Ways in which a state from storage may be wrong. */
static void spoil(struct vt_resv_state *s, unsigned int how)
{
	switch (how) {
	case 0:
		s->type = 7;
		break;
	case 1:
		s->holder = 2;
		break;
	case 2:
		s->holder = VT_RESV_NOBODY;
		break;
	case 3:
		s->type = VT_RESV_WRITE_EX_ALL;
		break;
	case 4:
		s->type = VT_RESV_NONE;
		break;
	case 5:
		s->reg[1].id = s->reg[0].id;
		break;
	case 6:
		s->reg[1].key = 0;
		break;
	case 7:
		s->reg[1].id.proto = 9;
		break;
	case 8:
		s->reg[1].id.len = VT_RESV_ID_LEN + 1;
		break;
	case 9:
		s->reg[1].id.len = 11;
		break;
	case 10:
		s->nr = VT_RESV_MAX_REGISTRANTS + 1;
		break;
	}
}

#define SPOILS	11

TEST(restore_bad, "an impossible saved state is refused")
{
	struct vt_resv_state *s;
	struct resv_bed b;
	unsigned int i;

	resv_bed_init(&b);
	s = calloc(1, struct_size(s, reg, 2));
	for (i = 0; i <= SPOILS; i++) {
		s->nr = 2;
		s->type = VT_RESV_WRITE_EX;
		s->holder = 1;
		s->reg[0] = (struct vt_resv_reg) { resv_id(1), 1 };
		s->reg[1] = (struct vt_resv_reg) { resv_id(2), 1 };
		spoil(s, i);
		EXPECT_MSG(vt_resv_restore(&b.r, s) ==
			   (i == SPOILS ? 0 : -EINVAL), "spoil %u", i);
	}
	free(s);
	resv_bed_end(&b);
}
