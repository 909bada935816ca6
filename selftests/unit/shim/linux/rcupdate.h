/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_RCUPDATE_H
#define _SHIM_LINUX_RCUPDATE_H

/* What is freed in between is freed when the last reader is out. */
void rcu_read_lock(void);
void rcu_read_unlock(void);
void kvfree_rcu_mightsleep(void *p);

#endif
