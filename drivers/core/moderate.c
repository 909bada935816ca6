// SPDX-License-Identifier: GPL-2.0
/* Interrupt moderation: see moderate.h. */
#include <linux/kernel.h>

#include <vhost_target/queue.h>

#include "moderate.h"

/*
 * Bursts may be as regular as anything, so that a hold is not tried again
 * after the same number of results each time, but after up to 31 more.
 */
#define TRY_EVERY	48

#define GAPS_QUIET	8	/* usual gaps without a request end a hold */
#define GAPS_TRY	3	/* and one from which nothing was gained yet */
#define GAPS_MOST	64	/* usual gaps a hold takes at most */
#define DEPTH_SURE	4	/* quiet holds with as many requests each */
#define DEPTH_CHECK	17	/* holds that end as all is done, then a quiet one */
#define SCORE_MAX	64
#define SCORE_MIN	(-8)
#define SCORE_LOSS	8	/* a hold must gain more requests than this */

static void moderate_learn(struct vt_moderation *m, u64 gap, u64 patience)
{
	/* A pause says nothing of the pace. */
	if (gap < min_t(u64, patience, U32_MAX / 8))
		m->gap = m->gap ? (7 * (u64)m->gap + gap) / 8 : gap;
}

static void moderate_came(struct vt_moderation *m, u64 now, unsigned int came,
			  u64 patience)
{
	/* What comes first after a hold comes when the driver has heard. */
	if (!m->ended)
		moderate_learn(m, now - m->last, patience);
	m->ended = false;
	m->last = now;
	if (m->holding)
		m->score = min_t(int, m->score + came, SCORE_MAX);
}

static bool moderate_try(struct vt_moderation *m, u64 now)
{
	if (m->score > 0)
		return true;
	if (++m->passed < TRY_EVERY + (now / 64) % 32)
		return false;
	m->passed = 0;
	/* What it had under way when it was not held says nothing. */
	m->full = DEPTH_CHECK;
	return true;
}

static u64 moderate_quiet(const struct vt_moderation *m)
{
	return (u64)m->gap * (m->score > 0 ? GAPS_QUIET : GAPS_TRY);
}

static bool moderate_end(struct vt_moderation *m)
{
	if (m->holding) {
		m->score = max_t(int, m->score - SCORE_LOSS, SCORE_MIN);
		m->ended = true;
	}
	m->holding = false;
	return true;
}

/* Is all done that the driver ever has under way? */
static bool moderate_all(struct vt_moderation *m, unsigned int done,
			 unsigned int left)
{
	if (left || m->same < DEPTH_SURE || done < m->depth ||
	    m->full >= DEPTH_CHECK)
		return false;
	/* It may have more by now: then that comes before it is quiet. */
	return ++m->full < DEPTH_CHECK;
}

/* It is quiet with @nr requests under way. */
static void moderate_depth(struct vt_moderation *m, unsigned int nr)
{
	bool check = m->full >= DEPTH_CHECK;

	m->full = 0;
	if (nr == m->depth) {
		m->same = min(m->same + 1, DEPTH_SURE);
	} else if (check || m->same < DEPTH_SURE) {
		m->depth = min_t(unsigned int, nr, U16_MAX);
		m->same = 1;
	}
}

bool vt_moderate(struct vt_moderation *m, u64 now, unsigned int came,
		 unsigned int done, unsigned int left, u64 patience)
{
	if (came)
		moderate_came(m, now, came, patience);
	if (!done)
		return false;
	if (!patience)
		return moderate_end(m);
	if (!m->holding) {
		if (!moderate_try(m, now))
			return true;
		m->holding = true;
		m->since = now;
	}
	if (moderate_all(m, done, left))
		return moderate_end(m);
	if (now - m->last >= moderate_quiet(m)) {
		moderate_depth(m, done + left);
		return moderate_end(m);
	}
	if (now - m->since >= min_t(u64, (u64)m->gap * GAPS_MOST, patience))
		return moderate_end(m);
	return false;
}
