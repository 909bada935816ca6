// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include <linux/cred.h>
#include <linux/user_namespace.h>

#include "shim/hook.h"

void (*shim_on_read)(void);
void (*shim_on_mb)(void);
void (*shim_on_lock)(void);
unsigned int shim_no_memory;
struct user_namespace init_user_ns;
const struct cred shim_cred = { .user_ns = &init_user_ns };
void (*shim_on_wait)(void);
void (*shim_on_work)(struct work_struct *work);
void (*shim_on_cancel)(struct work_struct *work);
