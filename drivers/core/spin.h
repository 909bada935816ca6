/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long a queue without work is looked at before it sleeps.
 *
 * idle_us at most, which is worth it if work comes before. If it came later
 * the last times, all that looking was for nothing: each time a queue slept
 * and was woken after longer than idle_us, it is looked at for half as long
 * the next time, and as soon as it is woken earlier, for idle_us again. What
 * comes next depends on who has to act: a queue with requests at the backend
 * waits for that one, any other for its driver. So both are learned apart.
 */
#ifndef _VT_CORE_SPIN_H
#define _VT_CORE_SPIN_H

#include <vhost_target/poller.h>

#define VT_SPIN_HALVES	6

static inline u64 vt_spin_ns(const struct vt_spin *s, bool backend, u64 idle_ns)
{
	return idle_ns >> s->halves[backend];
}

static inline void vt_spin_slept(struct vt_spin *s, bool backend)
{
	s->slept = true;
	s->backend = backend;
}

/* There is work, @gap ns after the last. */
static inline void vt_spin_worked(struct vt_spin *s, u64 gap, u64 idle_ns)
{
	u8 *halves = &s->halves[s->backend];

	if (!s->slept)
		return;
	s->slept = false;
	if (gap < idle_ns)
		*halves = 0;
	else if (idle_ns && *halves < VT_SPIN_HALVES)
		(*halves)++;
}

#endif
