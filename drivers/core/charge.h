/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O is charged to the block cgroup of the task that attached, so that the
 * VM's io.max, io.weight and io.latency hold. The root cgroup costs nothing.
 */
#ifndef _VT_CORE_CHARGE_H
#define _VT_CORE_CHARGE_H

#include <linux/bio.h>
#include <linux/cgroup.h>
#include <linux/kthread.h>

static inline bool vt_css_is_root(const struct cgroup_subsys_state *css)
{
#ifdef CONFIG_BLK_CGROUP
	return !css || !css->parent;
#else
	return true;
#endif
}

/* After bio_init(). */
static inline void vt_bio_charge(struct bio *bio,
				 struct cgroup_subsys_state *css)
{
	if (!vt_css_is_root(css))
		bio_associate_blkg_from_css(bio, css);
}

/* What the current kernel thread submits until vt_charge_end(). */
static inline void vt_charge_begin(struct cgroup_subsys_state *css)
{
	if (!vt_css_is_root(css))
		kthread_associate_blkcg(css);
}

/* The I/O, and all that was its session's, may have ended meanwhile. */
static inline void vt_charge_end(void)
{
	kthread_associate_blkcg(NULL);
}

#endif
