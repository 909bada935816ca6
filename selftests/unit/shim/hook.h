/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_HOOK_H
#define _SHIM_HOOK_H

#include <stddef.h>

/*
 * What a test can have done in the middle of the code under test: the shim's
 * READ_ONCE and smp_mb call these, so that the other side of a ring acts at
 * the very moment a test wants, in one thread.
 */

/* After each READ_ONCE(), smp_load_acquire() and atomic_read(); NULL: nothing. */
extern void (*shim_on_read)(void);

/* After each smp_mb(); NULL: nothing. */
extern void (*shim_on_mb)(void);

/* Instead of sleeping in wait_event(), and how often at most. */
#define SHIM_WAITS	1000
extern void (*shim_on_wait)(void);

struct mutex;
struct rw_semaphore;
struct work_struct;

/* Before mutex_lock() takes it, as others may have it till then; NULL: nothing. */
extern void (*shim_on_lock)(struct mutex *m);
/* The same of down_read(). */
extern void (*shim_on_down_read)(struct rw_semaphore *s);

/* queue_work() and cancel_work_sync(); NULL: nothing. */
extern void (*shim_on_work)(struct work_struct *work);
extern void (*shim_on_cancel)(struct work_struct *work);

/* This allocation from now on fails, 1: the next one; 0: none. */
extern unsigned int shim_no_memory;
/* Bytes of the last one. */
extern size_t shim_asked;
/* More bytes than that are in no one piece: kmalloc() fails; 0: it does not. */
extern size_t shim_piece;

/* Pages that alloc_page() was asked for. */
extern unsigned int shim_pages;

static inline void shim_call(void (*hook)(void))
{
	if (hook)
		hook();
}

#endif
