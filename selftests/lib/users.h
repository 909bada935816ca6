/* SPDX-License-Identifier: GPL-2.0 */
/* Other users, and the limits they have. Every call returns 0 or -errno. */
#ifndef VT_USERS_H
#define VT_USERS_H

#include "util.h"

/* What the module starts with. */
#define USER_SESSIONS 4096
#define USER_QUEUES 65536

/* How many sessions, and queues, a user may have. */
int user_limits(unsigned int sessions, unsigned int queues);
int user_limits_reset(void);

/* Opened as user and group @id, who has no capability: the fd. */
int user_open(const char *node, unsigned int id);

/* The calling thread, and whom it starts, does without. */
int drop_capability(unsigned int cap);

#endif
