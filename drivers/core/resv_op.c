// SPDX-License-Identifier: GPL-2.0
/*
 * What each operation on reservations does to the state: SPC-5, 5.14, and the
 * NVMe base specification 2.0, 8.19. Knows no lock and no nexus; also compiled
 * in user space.
 */
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "resv_op.h"

int vt_resv_find(const struct vt_resv_state *s, const struct vt_resv_id *id)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (vt_resv_id_equal(&s->reg[i].id, id))
			return i;
	return -1;
}

static bool type_ok(u8 type)
{
	return type >= VT_RESV_WRITE_EX && type <= VT_RESV_EX_ACCESS_ALL;
}

/* All registrants may do everything, whoever holds it. */
static bool type_for_registrants(u8 type)
{
	return type >= VT_RESV_WRITE_EX_REG;
}

static bool type_lets_read(u8 type)
{
	return type == VT_RESV_WRITE_EX || type == VT_RESV_WRITE_EX_REG ||
	       type == VT_RESV_WRITE_EX_ALL;
}

u8 vt_resv_rights(const struct vt_resv_state *s, const struct vt_resv_id *id)
{
	int i;

	if (s->type == VT_RESV_NONE)
		return VT_RESV_RW;
	i = vt_resv_find(s, id);
	if (i >= 0 && (type_for_registrants(s->type) || vt_resv_holds(s, i)))
		return VT_RESV_RW;
	return type_lets_read(s->type) ? VT_RESV_READ : 0;
}

/* The nexus is registered and showed the right key. */
static bool key_shown(const struct vt_resv_change *c)
{
	return c->self >= 0 && c->old->reg[c->self].key == c->a->key;
}

static void tell_others(struct vt_resv_change *c, u8 event)
{
	unsigned int i;

	for (i = 0; i < c->old->nr; i++)
		if (i != c->self && !c->gone[i])
			c->events[i] |= event;
}

static void unreg(struct vt_resv_change *c, unsigned int i, u8 event)
{
	c->gone[i] = true;
	if (i != c->self)
		c->events[i] |= event;
}

static bool all_gone(const struct vt_resv_change *c)
{
	unsigned int i;

	for (i = 0; i < c->old->nr; i++)
		if (!c->gone[i])
			return false;
	return true;
}

static enum vt_resv_result changed(struct vt_resv_change *c)
{
	c->changed = true;
	return VT_RESV_OK;
}

/* Of the operations that count: all but reserve and release. */
static enum vt_resv_result counted(struct vt_resv_change *c)
{
	c->new->generation++;
	return changed(c);
}

static void hold(struct vt_resv_change *c, u8 type)
{
	c->new->type = type;
	c->new->holder = vt_resv_all_hold(type) ? VT_RESV_NOBODY : c->self;
}

static void let_go(struct vt_resv_change *c)
{
	c->new->type = VT_RESV_NONE;
	c->new->holder = VT_RESV_NOBODY;
}

/* Released by its holder: whoever had rights by its registration is told. */
static void release(struct vt_resv_change *c)
{
	if (type_for_registrants(c->old->type))
		tell_others(c, VT_RESV_EV_RELEASED);
	let_go(c);
}

static int add(struct vt_resv_change *c, const struct vt_resv_id *id, u64 key)
{
	struct vt_resv_state *s = c->new;
	unsigned int i = s->nr;

	if (i == VT_RESV_MAX_REGISTRANTS)
		return -1;
	s->nr++;
	s->reg[i].id = *id;
	s->reg[i].key = key;
	return i;
}

static void set_ptpl(struct vt_resv_change *c)
{
	if (c->a->ptpl != VT_RESV_PTPL_KEEP)
		c->new->ptpl = c->a->ptpl == VT_RESV_PTPL_ON;
}

static enum vt_resv_result unregister(struct vt_resv_change *c)
{
	const struct vt_resv_state *old = c->old;

	unreg(c, c->self, 0);
	if (vt_resv_all_hold(old->type)) {
		if (all_gone(c))
			let_go(c);
	} else if (old->holder == c->self) {
		release(c);
	}
	set_ptpl(c);
	return counted(c);
}

static enum vt_resv_result set_key(struct vt_resv_change *c)
{
	if (c->self >= 0)
		c->new->reg[c->self].key = c->a->new_key;
	else if (add(c, c->id, c->a->new_key) < 0)
		return VT_RESV_FULL;
	set_ptpl(c);
	return counted(c);
}

static enum vt_resv_result op_register_ignore(struct vt_resv_change *c)
{
	if (c->a->new_key)
		return set_key(c);
	return c->self >= 0 ? unregister(c) : VT_RESV_OK;
}

static enum vt_resv_result op_register(struct vt_resv_change *c)
{
	if (c->self >= 0 ? !key_shown(c) : c->a->key != 0)
		return VT_RESV_CONFLICT;
	return op_register_ignore(c);
}

static enum vt_resv_result op_register_new(struct vt_resv_change *c)
{
	if (!c->a->new_key)
		return VT_RESV_BAD_PARAM;
	if (c->self >= 0 && c->old->reg[c->self].key != c->a->new_key)
		return VT_RESV_CONFLICT;
	return set_key(c);
}

static enum vt_resv_result op_replace(struct vt_resv_change *c)
{
	if (!c->a->new_key)
		return VT_RESV_BAD_PARAM;
	return key_shown(c) ? set_key(c) : VT_RESV_CONFLICT;
}

static enum vt_resv_result op_unregister(struct vt_resv_change *c)
{
	if (c->a->ignore_key ? c->self < 0 : !key_shown(c))
		return VT_RESV_CONFLICT;
	return unregister(c);
}

static enum vt_resv_result op_move(struct vt_resv_change *c)
{
	const struct vt_resv_state *old = c->old;
	int dest;

	if (!key_shown(c))
		return VT_RESV_CONFLICT;
	if (old->type == VT_RESV_NONE)
		return VT_RESV_BAD_COMMAND;
	/* One that all registrants hold has no holder to move it. */
	if (old->holder != c->self)
		return VT_RESV_CONFLICT;
	if (!c->a->new_key || vt_resv_id_equal(&c->a->dest, c->id))
		return VT_RESV_BAD_PARAM;

	dest = vt_resv_find(old, &c->a->dest);
	if (dest < 0)
		dest = add(c, &c->a->dest, c->a->new_key);
	if (dest < 0)
		return VT_RESV_FULL;
	c->new->reg[dest].key = c->a->new_key;
	c->new->holder = dest;
	if (c->a->unreg)
		unreg(c, c->self, 0);
	set_ptpl(c);
	return counted(c);
}

static enum vt_resv_result op_reserve(struct vt_resv_change *c)
{
	const struct vt_resv_state *old = c->old;

	if (!type_ok(c->a->type))
		return VT_RESV_BAD_COMMAND;
	if (!key_shown(c))
		return VT_RESV_CONFLICT;
	if (old->type == VT_RESV_NONE) {
		hold(c, c->a->type);
		return changed(c);
	}
	if (old->type != c->a->type || !vt_resv_holds(old, c->self))
		return VT_RESV_CONFLICT;
	return VT_RESV_OK;
}

static enum vt_resv_result op_release(struct vt_resv_change *c)
{
	const struct vt_resv_state *old = c->old;

	if (!key_shown(c))
		return VT_RESV_CONFLICT;
	if (old->type == VT_RESV_NONE || !vt_resv_holds(old, c->self))
		return VT_RESV_OK;
	if (old->type != c->a->type)
		return VT_RESV_BAD_RELEASE;
	release(c);
	return changed(c);
}

static enum vt_resv_result op_clear(struct vt_resv_change *c)
{
	unsigned int i;

	if (!key_shown(c))
		return VT_RESV_CONFLICT;
	for (i = 0; i < c->old->nr; i++)
		unreg(c, i, VT_RESV_EV_RESV_PREEMPTED);
	let_go(c);
	return counted(c);
}

/* Registrations go, the reservation stays: it has another holder or none. */
static enum vt_resv_result preempt_keys(struct vt_resv_change *c)
{
	bool found = false;
	unsigned int i;

	if (!c->a->new_key)
		return VT_RESV_BAD_PARAM;
	for (i = 0; i < c->old->nr; i++) {
		if (c->old->reg[i].key == c->a->new_key) {
			unreg(c, i, VT_RESV_EV_REG_PREEMPTED);
			found = true;
		}
	}
	if (!found)
		return VT_RESV_CONFLICT;
	if (all_gone(c))
		let_go(c);
	return counted(c);
}

/*
 * The reservation changes hands, perhaps to the hand that has it. The keys of
 * all registrants are looked for as 0.
 */
static enum vt_resv_result preempt_holder(struct vt_resv_change *c)
{
	const struct vt_resv_state *old = c->old;
	bool all = vt_resv_all_hold(old->type);
	unsigned int i;

	if (!type_ok(c->a->type))
		return VT_RESV_BAD_COMMAND;
	for (i = 0; i < old->nr; i++)
		if (i != c->self &&
		    (all || old->reg[i].key == c->a->new_key))
			unreg(c, i, VT_RESV_EV_REG_PREEMPTED);
	if (c->a->type != old->type)
		tell_others(c, VT_RESV_EV_RELEASED);
	hold(c, c->a->type);
	return counted(c);
}

static bool names_holder(const struct vt_resv_state *s, u64 key)
{
	if (s->type == VT_RESV_NONE)
		return false;
	if (vt_resv_all_hold(s->type))
		return !key;
	return s->reg[s->holder].key == key;
}

static enum vt_resv_result op_preempt(struct vt_resv_change *c)
{
	if (!key_shown(c))
		return VT_RESV_CONFLICT;
	return names_holder(c->old, c->a->new_key) ? preempt_holder(c) :
						     preempt_keys(c);
}

static enum vt_resv_result op_set_ptpl(struct vt_resv_change *c)
{
	set_ptpl(c);
	c->changed = c->new->ptpl != c->old->ptpl;
	return VT_RESV_OK;
}

static enum vt_resv_result (*const ops[])(struct vt_resv_change *c) = {
	[VT_RESV_OP_REGISTER]		= op_register,
	[VT_RESV_OP_REGISTER_IGNORE]	= op_register_ignore,
	[VT_RESV_OP_REGISTER_NEW]	= op_register_new,
	[VT_RESV_OP_REPLACE]		= op_replace,
	[VT_RESV_OP_UNREGISTER]		= op_unregister,
	[VT_RESV_OP_MOVE]		= op_move,
	[VT_RESV_OP_RESERVE]		= op_reserve,
	[VT_RESV_OP_RELEASE]		= op_release,
	[VT_RESV_OP_CLEAR]		= op_clear,
	[VT_RESV_OP_PREEMPT]		= op_preempt,
	[VT_RESV_OP_PREEMPT_ABORT]	= op_preempt,
	[VT_RESV_OP_SET_PTPL]		= op_set_ptpl,
};

/* Entries close up; the holder is never among those that are gone. */
static void close_up(struct vt_resv_change *c)
{
	struct vt_resv_state *s = c->new;
	u16 holder = s->holder;
	unsigned int i, nr = 0;

	for (i = 0; i < s->nr; i++) {
		if (i < c->old->nr && c->gone[i])
			continue;
		if (i == holder)
			s->holder = nr;
		if (i != nr)
			s->reg[nr] = s->reg[i];
		nr++;
	}
	s->nr = nr;
}

enum vt_resv_result vt_resv_apply(struct vt_resv_change *c)
{
	enum vt_resv_result res;

	if (c->a->op >= ARRAY_SIZE(ops))
		return VT_RESV_BAD_COMMAND;
	if (c->a->ptpl == VT_RESV_PTPL_ON && !c->can_save)
		return VT_RESV_BAD_PARAM;
	memcpy(c->new, c->old, struct_size(c->old, reg, c->old->nr));
	c->self = vt_resv_find(c->old, c->id);
	res = ops[c->a->op](c);
	if (res == VT_RESV_OK)
		close_up(c);
	return res;
}

static bool id_ok(const struct vt_resv_id *id)
{
	if (id->proto != VT_RESV_SCSI && id->proto != VT_RESV_NVME)
		return false;
	return id->len && id->len <= VT_RESV_ID_LEN &&
	       !memchr_inv(id->bytes + id->len, 0, VT_RESV_ID_LEN - id->len);
}

static bool holder_ok(const struct vt_resv_state *s)
{
	if (s->type == VT_RESV_NONE)
		return s->holder == VT_RESV_NOBODY;
	if (!type_ok(s->type) || !s->nr)
		return false;
	if (vt_resv_all_hold(s->type))
		return s->holder == VT_RESV_NOBODY;
	return s->holder < s->nr;
}

bool vt_resv_state_ok(const struct vt_resv_state *s)
{
	unsigned int i;

	if (s->nr > VT_RESV_MAX_REGISTRANTS || !holder_ok(s))
		return false;
	for (i = 0; i < s->nr; i++)
		if (!s->reg[i].key || !id_ok(&s->reg[i].id) ||
		    vt_resv_find(s, &s->reg[i].id) != i)
			return false;
	return true;
}
