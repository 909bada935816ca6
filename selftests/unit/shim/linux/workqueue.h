/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_WORKQUEUE_H
#define _SHIM_LINUX_WORKQUEUE_H

struct work_struct { };

struct delayed_work { };

struct workqueue_struct { };

typedef void (*work_func_t)(struct work_struct *work);

#define WQ_UNBOUND	0
#define WQ_MEM_RECLAIM	0
#define WQ_MAX_ACTIVE	512

/* Work is done by the tests themselves. */
#define INIT_WORK(work, fn)		((void)(work), (void)(fn))
#define queue_work(wq, work)		((void)(wq), (void)(work))
#define alloc_workqueue(name, flags, max) ((struct workqueue_struct *)(name))
#define destroy_workqueue(wq)		((void)(wq))

#endif
