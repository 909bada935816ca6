// SPDX-License-Identifier: GPL-2.0
/* What each user has attached: see users.h. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

#include "users.h"

static unsigned int user_sessions = 4096;
module_param(user_sessions, uint, 0644);
MODULE_PARM_DESC(user_sessions, "sessions that a user without CAP_SYS_RESOURCE may have at a time (default 4096, 0: any number)");

static unsigned int user_queues = 65536;
module_param(user_queues, uint, 0644);
MODULE_PARM_DESC(user_queues, "queues that all of them may have (default 65536, 0: any number)");

/**
 * struct vt_user - a user with at least one session; users_lock
 * @uid: who
 * @sessions: attached
 * @queues: these may have
 */
struct vt_user {
	kuid_t uid;
	unsigned int sessions;
	unsigned int queues;
};

/* Innermost: taken under target->lock. */
static DEFINE_MUTEX(users_lock);
static DEFINE_XARRAY(users);

static bool user_may_exceed(const struct cred *cred)
{
	return cred->user_ns == &init_user_ns &&
	       cap_raised(cred->cap_effective, CAP_SYS_RESOURCE);
}

/* Lowered below what there is already, a limit stops only what is new. */
static bool user_has_room(const struct vt_user *user, unsigned int queues)
{
	unsigned int max_sessions = READ_ONCE(user_sessions);
	unsigned int max_queues = READ_ONCE(user_queues);

	return (!max_sessions || user->sessions < max_sessions) &&
	       (!max_queues || (user->queues < max_queues &&
				queues <= max_queues - user->queues));
}

static struct vt_user *user_get(kuid_t uid)
{
	struct vt_user *user = xa_load(&users, __kuid_val(uid));
	int err;

	lockdep_assert_held(&users_lock);
	if (user)
		return user;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return ERR_PTR(-ENOMEM);
	user->uid = uid;
	err = xa_err(xa_store(&users, __kuid_val(uid), user,
			      GFP_KERNEL_ACCOUNT));
	if (err) {
		kfree(user);
		return ERR_PTR(err);
	}
	return user;
}

static void user_put(struct vt_user *user)
{
	lockdep_assert_held(&users_lock);
	if (user->sessions)
		return;
	xa_erase(&users, __kuid_val(user->uid));
	kfree(user);
}

static struct vt_user *user_charge(const struct cred *cred, unsigned int queues)
{
	struct vt_user *user = user_get(cred->euid);

	if (IS_ERR(user))
		return user;
	if (!user_has_room(user, queues) && !user_may_exceed(cred)) {
		user_put(user);
		return ERR_PTR(-EDQUOT);
	}
	user->sessions++;
	user->queues += queues;
	return user;
}

struct vt_user *vt_user_charge(const struct cred *cred, unsigned int queues)
{
	struct vt_user *user;

	mutex_lock(&users_lock);
	user = user_charge(cred, queues);
	mutex_unlock(&users_lock);
	return user;
}

void vt_user_uncharge(struct vt_user *user, unsigned int queues)
{
	mutex_lock(&users_lock);
	user->sessions--;
	user->queues -= queues;
	user_put(user);
	mutex_unlock(&users_lock);
}
