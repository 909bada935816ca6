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

#define GAPS_QUIET	3	/* usual gaps without a request end a hold */
#define GAPS_MOST	64	/* usual gaps a hold takes at most */
#define SCORE_MAX	64
#define SCORE_MIN	(-8)
#define SCORE_LOSS	8	/* a hold must gain more requests than this */

static void moderate_came(struct vt_moderation *m, u64 now, unsigned int came,
			  u64 patience)
{
	u64 gap = (now - m->last) / came;

	/* A pause says nothing of the pace. */
	if (gap < min_t(u64, patience, U32_MAX / 8))
		m->gap = m->gap ? (7 * (u64)m->gap + gap) / 8 : gap;
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
	return true;
}

static bool moderate_end(struct vt_moderation *m)
{
	if (m->holding)
		m->score = max_t(int, m->score - SCORE_LOSS, SCORE_MIN);
	m->holding = false;
	return true;
}

bool vt_moderate(struct vt_moderation *m, u64 now, unsigned int came,
		 bool results, bool full, u64 patience)
{
	if (came)
		moderate_came(m, now, came, patience);
	if (!results)
		return false;
	if (!patience || full)
		return moderate_end(m);
	if (!m->holding) {
		if (!moderate_try(m, now))
			return true;
		m->holding = true;
		m->since = now;
	}
	if (now - m->last >= (u64)m->gap * GAPS_QUIET ||
	    now - m->since >= min_t(u64, (u64)m->gap * GAPS_MOST, patience))
		return moderate_end(m);
	return false;
}
