// SPDX-License-Identifier: GPL-2.0
/* Memories that share an RLIMIT_MEMLOCK: see gmem_share.h. */
#include <linux/jiffies.h>
#include <linux/mutex.h>

#include "gmem_share.h"

/* A turn ends after so long without a fill, or after so many fills. */
#define TURN_IDLE	(HZ / 25)
#define TURN_FILLS	2048

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
	s->fills = 0;
	s->evicted = false;
	list_add_tail(&s->turn, &turns);
}

static bool turn_over(const struct vt_share *s)
{
	return s->fills > TURN_FILLS || time_after(jiffies, s->until);
}

/* Whose turn it is, among those that share @s's limit; NULL: nobody wants one. */
static struct vt_share *turn_of(const struct vt_share *s)
{
	struct vt_share *t, *next;

	list_for_each_entry_safe(t, next, &turns, turn) {
		if (t->gm->mm != s->gm->mm)
			continue;
		if (!t->fills) {
			t->fills = 1;
			t->until = jiffies + TURN_IDLE;
		}
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
	if (t == s) {
		s->fills++;
		s->until = jiffies + TURN_IDLE;
	} else if (t) {
		turn_ask(s);
	}
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

static void evict_all(const struct vt_share *s)
{
	struct vt_share *o;

	list_for_each_entry(o, &all, node) {
		if (o->gm->mm != s->gm->mm)
			continue;
		spin_lock(&o->gm->lock);
		vt_gmem_drop(o->gm, 0, U64_MAX);
		spin_unlock(&o->gm->lock);
		vt_gmem_reap_later(o->gm);
	}
}

bool vt_share_make_room(struct vt_share *s)
{
	bool wait;

	mutex_lock(&share_lock);
	wait = others_have(s);
	if (wait) {
		turn_ask(s);
		if (turn_of(s) == s && !s->evicted) {
			evict_all(s);
			s->evicted = true;
		}
	}
	mutex_unlock(&share_lock);
	return wait;
}
