/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RLIMIT_MEMLOCK is one for all memories of an address space: those of a VMM's
 * disks. If it leaves no room, what is not in use of all of them is let go,
 * and one has its turn: the others do not fill meanwhile, or none of them would
 * ever have together what one request needs.
 */
#ifndef _VT_GMEM_SHARE_H
#define _VT_GMEM_SHARE_H

#include <linux/list.h>

#include <vhost_target/gmem.h>

/**
 * struct vt_share - one of those that share a limit
 * @gm: the memory, which has an owner
 * @node: on the list of all
 * @turn: on the list of those that have or want a turn; empty: it does not
 * @began: jiffies, when its turn did
 * @until: jiffies, when its turn ends if it does not fill any more
 * @end: jiffies, when it ends whatever it does
 * @on: its turn has begun
 * @evicted: the others' memory was let go for it
 */
struct vt_share {
	struct vt_gmem *gm;
	struct list_head node;
	struct list_head turn;
	unsigned long began;
	unsigned long until;
	unsigned long end;
	bool on;
	bool evicted;
};

void vt_share_add(struct vt_share *s, struct vt_gmem *gm);
void vt_share_del(struct vt_share *s);

/**
 * vt_share_may_fill - is it another's turn?
 * @s: who wants to fill; s->gm->fill_lock held
 *
 * Each turn ends, however its owner behaves: to wait for one is no failed try.
 *
 * Context: may sleep.
 * Returns: false if so: it has to be tried again.
 */
bool vt_share_may_fill(struct vt_share *s);

/**
 * enum vt_room - where room may come from
 * @VT_ROOM_TURN: it is another's turn: to be tried again
 * @VT_ROOM_OTHERS: it is its turn, and others have something yet, which they use
 *	or let go of: likewise
 * @VT_ROOM_OWN: likewise, but there is something of its own, too
 * @VT_ROOM_ALONE: nobody else has anything: it is its own that is too much
 */
enum vt_room {
	VT_ROOM_TURN,
	VT_ROOM_OTHERS,
	VT_ROOM_OWN,
	VT_ROOM_ALONE,
};

/**
 * vt_share_make_room - there was none
 * @s: for whom; s->gm->fill_lock held
 *
 * Has a turn, or waits for one; when it has, what the others have is let go of,
 * also what came in between. That of its own is for the caller to let go of.
 *
 * Context: may sleep.
 */
enum vt_room vt_share_make_room(struct vt_share *s);

#endif
