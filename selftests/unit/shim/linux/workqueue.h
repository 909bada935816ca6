/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_WORKQUEUE_H
#define _SHIM_LINUX_WORKQUEUE_H

#include <linux/kernel.h>
#include <linux/types.h>
#include "../hook.h"

struct work_struct;

typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t fn;
	bool queued;
};

struct delayed_work {
	struct work_struct work;
};

struct workqueue_struct { };

#define WQ_UNBOUND	0
#define WQ_MEM_RECLAIM	0
#define WQ_MAX_ACTIVE	512

/* Work is done by the tests themselves, or by what they have for it. */
#define INIT_WORK(work, func)	(*(work) = (struct work_struct) { .fn = (func) })
#define INIT_WORK_ONSTACK(work, func)	INIT_WORK(work, func)
#define destroy_work_on_stack(work)	((void)(work))
#define INIT_DELAYED_WORK(dw, func)	INIT_WORK(&(dw)->work, func)
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)

static inline void queue_work(struct workqueue_struct *wq,
			      struct work_struct *work)
{
	(void)wq;
	if (shim_on_work)
		shim_on_work(work);
}

static inline void cancel_work_sync(struct work_struct *work)
{
	if (shim_on_cancel)
		shim_on_cancel(work);
}

#define queue_delayed_work(wq, dw, delay) \
	((void)(delay), queue_work(wq, &(dw)->work))
#define cancel_delayed_work_sync(dw)	cancel_work_sync(&(dw)->work)

#define system_wq		((struct workqueue_struct *)NULL)
#define system_unbound_wq	((struct workqueue_struct *)NULL)

#define alloc_workqueue(name, flags, max) ((struct workqueue_struct *)(name))
#define destroy_workqueue(wq)		((void)(wq))

#endif
