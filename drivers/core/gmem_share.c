// SPDX-License-Identifier: GPL-2.0
/* Memories that share an RLIMIT_MEMLOCK: see gmem_share.h. */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "gmem_share.h"

/*
 * A turn ends after so long without a fill, and after so long in any case. What
 * others have in use is waited for, or who has slow disks would never fill: the
 * end is put off as long as it is in the way, within limits.
 */
#define TURN_IDLE	(HZ / 25)
#define TURN_MAX	(HZ / 5)
#define TURN_WAIT	(4 * HZ)

static DEFINE_MUTEX(share_lock);	/* protects the lists, and what is on them */
static LIST_HEAD(all);
static LIST_HEAD(turns);

void vt_share_add(struct vt_share *s, struct vt_gmem *gm)
{
	s->gm = gm;
	INIT_LIST_HEAD(&s->turn);
	mutex_lock(&share_lock);
	list_add_tail(&s->node, &all);
	mutex_unlock(&share_lock);
}

void vt_share_del(struct vt_share *s)
{
	mutex_lock(&share_lock);
	list_del(&s->node);
	list_del(&s->turn);
	mutex_unlock(&share_lock);
}

static void turn_ask(struct vt_share *s)
{
	if (!list_empty(&s->turn))
		return;
	s->on = false;
	s->evicted = false;
	list_add_tail(&s->turn, &turns);
}

static void turn_begin(struct vt_share *s)
{
	s->on = true;
	s->began = jiffies;
	s->until = jiffies + TURN_IDLE;
	s->end = jiffies + TURN_MAX;
}

static bool turn_over(const struct vt_share *s)
{
	return time_after(jiffies, s->until) || time_after(jiffies, s->end);
}

/* Whose turn it is, among those that share @s's limit; NULL: nobody wants one. */
static struct vt_share *turn_of(const struct vt_share *s)
{
	struct vt_share *t, *next;

	list_for_each_entry_safe(t, next, &turns, turn) {
		if (t->gm->mm != s->gm->mm)
			continue;
		if (!t->on)
			turn_begin(t);
		if (!turn_over(t))
			return t;
		list_del_init(&t->turn);
	}
	return NULL;
}

bool vt_share_may_fill(struct vt_share *s)
{
	struct vt_share *t;

	mutex_lock(&share_lock);
	t = turn_of(s);
	if (t == s)
		s->until = jiffies + TURN_IDLE;
	else if (t)
		turn_ask(s);
	mutex_unlock(&share_lock);
	return !t || t == s;
}

static bool others_have(const struct vt_share *s)
{
	struct vt_share *o;

	list_for_each_entry(o, &all, node)
		if (o != s && o->gm->mm == s->gm->mm &&
		    atomic_long_read(&o->gm->nr_pages))
			return true;
	return false;
}

/* Who was at it when the turn began may have filled since. */
static void evict_others(const struct vt_share *s)
{
	struct vt_share *o;
	bool any;

	list_for_each_entry(o, &all, node) {
		if (o == s || o->gm->mm != s->gm->mm)
			continue;
		spin_lock(&o->gm->lock);
		any = vt_gmem_drop(o->gm, 0, U64_MAX);
		spin_unlock(&o->gm->lock);
		if (any)
			vt_gmem_reap_later(o->gm);
	}
}

/* In its turn. What it has itself stays if the others' is enough. */
static enum vt_room turn_make_room(struct vt_share *s)
{
	bool again = s->evicted;

	evict_others(s);
	s->evicted = true;
	if (time_before(jiffies, s->began + TURN_WAIT))
		s->end = jiffies + TURN_MAX;
	return again && atomic_long_read(&s->gm->nr_pages) ? VT_ROOM_OWN :
							     VT_ROOM_OTHERS;
}

enum vt_room vt_share_make_room(struct vt_share *s)
{
	enum vt_room room = VT_ROOM_ALONE;

	mutex_lock(&share_lock);
	if (others_have(s)) {
		turn_ask(s);
		room = turn_of(s) == s ? turn_make_room(s) : VT_ROOM_TURN;
	}
	mutex_unlock(&share_lock);
	return room;
}
