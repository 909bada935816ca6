/* SPDX-License-Identifier: GPL-2.0 */
/* What each user has attached, and how much that may be. */
#ifndef _CORE_USERS_H
#define _CORE_USERS_H

struct cred;
struct vt_user;

/**
 * vt_user_charge - count a session for its user
 * @cred: of who opened the door; the effective user counts
 * @queues: queues the session may have
 *
 * Returns: the user, to be given to vt_user_uncharge(), or -EDQUOT (more than
 * the module's parameters allow, and no CAP_SYS_RESOURCE), -ENOMEM.
 */
struct vt_user *vt_user_charge(const struct cred *cred, unsigned int queues);

/* Undo it. */
void vt_user_uncharge(struct vt_user *user, unsigned int queues);

#endif
