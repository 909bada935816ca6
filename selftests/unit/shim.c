// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include <linux/cred.h>
#include <linux/rcupdate.h>
#include <linux/user_namespace.h>

#include "shim/hook.h"

void (*shim_on_read)(void);
void (*shim_on_mb)(void);
unsigned int shim_no_memory;
size_t shim_asked;
size_t shim_piece;
unsigned long shim_jiffies;
void (*shim_on_lock)(struct mutex *m);
void (*shim_on_down_read)(struct rw_semaphore *s);
unsigned int shim_pages;
unsigned long long shim_blk_whole = 126 * 65536;
unsigned long long shim_blk_part = 4 << 20;
struct user_namespace init_user_ns;
const struct cred shim_cred = { .user_ns = &init_user_ns };
void (*shim_on_wait)(void);
void (*shim_on_work)(struct work_struct *work);
void (*shim_on_cancel)(struct work_struct *work);

/* Of one thread. */
#define MAX_RCU_FREE 16

static unsigned int rcu_readers, nr_rcu_free;
static void *rcu_free[MAX_RCU_FREE];

void rcu_read_lock(void)
{
	rcu_readers++;
}

void rcu_read_unlock(void)
{
	assert(rcu_readers);
	if (--rcu_readers)
		return;
	while (nr_rcu_free)
		free(rcu_free[--nr_rcu_free]);
}

void kvfree_rcu_mightsleep(void *p)
{
	if (!rcu_readers) {
		free(p);
		return;
	}
	assert(nr_rcu_free < MAX_RCU_FREE);
	rcu_free[nr_rcu_free++] = p;
}
