/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernel threads do for a session counts, on a kernel with KCOV, as code
 * that was reached by whoever attached: fuzzers are guided by it. On others
 * this is nothing.
 */
#ifndef _VHOST_TARGET_COV_H
#define _VHOST_TARGET_COV_H

#include <linux/kcov.h>

#include <vhost_target/session.h>

/*
 * Around all that a thread or a work item does at a time; not nested. The
 * session may be gone by the end.
 */
static inline u64 vt_cov_begin(const struct vt_session *s)
{
#ifdef CONFIG_KCOV
	if (s->cov)
		kcov_remote_start(kcov_remote_handle(KCOV_SUBSYSTEM_COMMON,
						     s->cov));
	return s->cov;
#else
	return 0;
#endif
}

static inline void vt_cov_end(u64 cov)
{
	if (cov)
		kcov_remote_stop();
}

#endif
