/* SPDX-License-Identifier: GPL-2.0 */
/* A backend's reservations and the nexuses that use it. */
#ifndef UNIT_RESV_H
#define UNIT_RESV_H

#include <vhost_target/resv.h>

#include "unit.h"

#define RESV_NEXUSES	4

struct resv_bed;

/**
 * struct resv_nexus - a nexus that notes what it is told
 * @n: as the code under test knows it
 * @events: VT_RESV_EV_* since they were last looked at
 * @drained: how often
 * @may_when_drained: rights it had while it was drained
 * @on_drain: what happens meanwhile; NULL: nothing
 * @bed: whose it is
 */
struct resv_nexus {
	struct vt_resv_nexus n;
	unsigned int events;
	unsigned int drained;
	u8 may_when_drained;
	void (*on_drain)(struct resv_bed *b, unsigned int i);
	struct resv_bed *bed;
};

/**
 * struct resv_bed - one backend
 * @r: its reservations
 * @x: nexuses of different identities; nexus i registers key i + 1
 * @saves: how often the state was saved
 * @save_err: what the next saves return
 * @saved: copy of what was saved last
 */
struct resv_bed {
	struct vt_resv r;
	struct resv_nexus x[RESV_NEXUSES];
	unsigned int saves;
	int save_err;
	struct vt_resv_state *saved;
};

void resv_bed_init(struct resv_bed *b);
void resv_bed_end(struct resv_bed *b);

struct vt_resv_id resv_id(unsigned int i);

/* What nexus @i was told since the last time. */
unsigned int resv_events(struct resv_bed *b, unsigned int i);

/* Operations of nexus @i with its usual key. */
enum vt_resv_result resv_register(struct resv_bed *b, unsigned int i, u64 key,
				  u64 new_key);
enum vt_resv_result resv_reserve(struct resv_bed *b, unsigned int i, u8 type);
enum vt_resv_result resv_release(struct resv_bed *b, unsigned int i, u8 type);
enum vt_resv_result resv_preempt(struct resv_bed *b, unsigned int i, u64 key,
				 u8 type);
enum vt_resv_result resv_op(struct resv_bed *b, unsigned int i, u8 op);

/* Nexuses 0 to @nr - 1 register, and forget what they were told. */
void resv_register_all(struct resv_bed *b, unsigned int nr);

#endif
