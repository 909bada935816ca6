/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SPINLOCK_H
#define _SHIM_LINUX_SPINLOCK_H

#include "../must.h"
#include <linux/types.h>

/* One thread: taking it twice would be a deadlock. */
typedef struct {
	bool locked;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *l)
{
	l->locked = false;
}

#define spin_lock_irqsave(l, flags)		\
	do {					\
		shim_assert(!(l)->locked);	\
		(l)->locked = true;		\
		(flags) = 0;			\
	} while (0)

#define spin_lock_irq(l)			\
	do {					\
		shim_assert(!(l)->locked);	\
		(l)->locked = true;		\
	} while (0)

#define spin_lock(l)	spin_lock_irq(l)
#define spin_unlock(l)	spin_unlock_irq(l)

#define spin_unlock_irq(l)	((void)((l)->locked = false))

#define spin_unlock_irqrestore(l, flags)	\
	do {					\
		(void)(flags);			\
		(l)->locked = false;		\
	} while (0)

#endif
