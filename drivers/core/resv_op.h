/* SPDX-License-Identifier: GPL-2.0 */
/* Between resv.c and resv_op.c only. */
#ifndef _VT_CORE_RESV_OP_H
#define _VT_CORE_RESV_OP_H

#include <vhost_target/resv.h>

/**
 * struct vt_resv_change - an operation on a state
 * @a: operation
 * @id: who asks for it
 * @self: its entry in @old, or -1
 * @can_save: a state can be saved
 * @old: state before; entries keep their number while the change is worked out
 * @new: state after, allocated with room for one entry more than @old
 * @changed: @new differs
 * @gone: by entry of @old: it is not in @new any more
 * @events: by entry of @old: VT_RESV_EV_*; 0 for @self
 * @fences: somebody else lost something
 */
struct vt_resv_change {
	const struct vt_resv_args *a;
	const struct vt_resv_id *id;
	int self;
	bool can_save;
	const struct vt_resv_state *old;
	struct vt_resv_state *new;
	bool changed;
	bool gone[VT_RESV_MAX_REGISTRANTS];
	u8 events[VT_RESV_MAX_REGISTRANTS];
	bool fences;
};

/* The entry of a registrant, or -1. */
int vt_resv_find(const struct vt_resv_state *s, const struct vt_resv_id *id);

/**
 * vt_resv_apply - work out what an operation changes
 * @c: with @a, @id, @can_save, @old and the memory of @new set
 *
 * @new is good only if the result is VT_RESV_OK.
 */
enum vt_resv_result vt_resv_apply(struct vt_resv_change *c);

/* What may @id do? VT_RESV_READ, VT_RESV_WRITE. */
u8 vt_resv_rights(const struct vt_resv_state *s, const struct vt_resv_id *id);

/* Is a state from storage possible? */
bool vt_resv_state_ok(const struct vt_resv_state *s);

#endif
