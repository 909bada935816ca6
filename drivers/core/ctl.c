// SPDX-License-Identifier: GPL-2.0
/* /dev/vhost-target: checks of the control calls' arguments. */
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <vhost_target/ioctl.h>
#include <vhost_target/poller.h>
#include <vhost_target/target.h>

#define all_zero(field) (!memchr_inv(&(field), 0, sizeof(field)))

static int create_check(const struct vhost_target_create *p)
{
	if (!vt_name_ok(p->name) || !all_zero(p->reserved))
		return -EINVAL;
	if ((p->flags & VHOST_TARGET_F_USE_VA) &&
	    !(p->flags & VHOST_TARGET_F_VDPA))
		return -EINVAL;
	if ((p->flags & VHOST_TARGET_F_VFIO) &&
	    (p->flags & VHOST_TARGET_F_VDPA))
		return -EINVAL;
	if ((p->flags & VHOST_TARGET_F_NO_DBBUF) &&
	    p->type != VHOST_TARGET_NVME)
		return -EINVAL;
	if (!p->nr_pollers != !p->pollers_ptr)
		return -EINVAL;
	if (p->num_queues > VHOST_TARGET_MAX_QUEUES ||
	    p->nr_pollers > VHOST_TARGET_MAX_POLLERS)
		return -ERANGE;
	if (p->queue_size &&
	    (p->queue_size < 2 || p->queue_size > VHOST_TARGET_MAX_QUEUE_SIZE ||
	     !is_power_of_2(p->queue_size)))
		return -ERANGE;
	return 0;
}

static long ctl_create(void *ctx, void *arg)
{
	const struct vhost_target_create *p = arg;
	u32 *ids = NULL;
	int err;

	err = create_check(p);
	if (err)
		return err;
	if (p->nr_pollers) {
		ids = memdup_array_user(u64_to_user_ptr(p->pollers_ptr),
					p->nr_pollers, sizeof(*ids));
		if (IS_ERR(ids))
			return PTR_ERR(ids);
	}
	return vt_target_create(p, ids);
}

static long ctl_destroy(void *ctx, void *arg)
{
	const struct vhost_target_destroy *p = arg;

	return vt_name_ok(p->name) ? vt_target_destroy(p->name) : -EINVAL;
}

static long ctl_get(void *ctx, void *arg)
{
	struct vhost_target_info *info = arg;
	bool first = (info->flags & VHOST_TARGET_GET_NEXT) && !info->name[0];

	if (!all_zero(info->reserved) || (!first && !vt_name_ok(info->name)))
		return -EINVAL;
	return vt_target_get(info);
}

static char *copy_path(u64 ptr)
{
	char *path = strndup_user(u64_to_user_ptr(ptr), VHOST_TARGET_PATH_LEN);

	if (IS_ERR(path))
		return PTR_ERR(path) == -EINVAL ? ERR_PTR(-ENAMETOOLONG) : path;
	if (!*path) {
		kfree(path);
		return ERR_PTR(-EINVAL);
	}
	return path;
}

static int unit_add_check(const struct vhost_target_unit_add *p)
{
	bool null = p->backend == VHOST_TARGET_BACKEND_NULL;

	if (!vt_name_ok(p->name) || p->reserved0 || p->reserved1 ||
	    !all_zero(p->reserved))
		return -EINVAL;
	if (p->backend < VHOST_TARGET_BACKEND_BDEV ||
	    p->backend > VHOST_TARGET_BACKEND_NULL)
		return -EINVAL;
	if (null != !p->path_ptr || (p->capacity && !null))
		return -EINVAL;
	if (p->block_size && p->block_size != 512 && p->block_size != 4096)
		return -ERANGE;
	return 0;
}

static long ctl_unit_add(void *ctx, void *arg)
{
	const struct vhost_target_unit_add *p = arg;
	char *path = NULL;
	int err;

	err = unit_add_check(p);
	if (err)
		return err;
	if (p->path_ptr) {
		path = copy_path(p->path_ptr);
		if (IS_ERR(path))
			return PTR_ERR(path);
	}
	err = vt_unit_add(p, path);
	kfree(path);
	return err;
}

static long ctl_unit_remove(void *ctx, void *arg)
{
	const struct vhost_target_unit_remove *p = arg;

	if (!vt_name_ok(p->name) || p->reserved0)
		return -EINVAL;
	return vt_unit_remove(p->name, p->unit);
}

static long ctl_unit_resize(void *ctx, void *arg)
{
	struct vhost_target_unit_resize *p = arg;
	u64 capacity = p->capacity;
	int err;

	if (!vt_name_ok(p->name) || p->reserved0)
		return -EINVAL;
	err = vt_unit_resize(p->name, p->unit, &capacity);
	if (!err)
		p->capacity = capacity;
	return err;
}

static int put_path(struct vhost_target_unit_info *info, const char *path)
{
	u32 have = info->path_ptr ? info->path_len : 0;
	u32 need = strlen(path) + 1;

	info->path_len = need;
	if (!info->path_ptr)
		return 0;
	if (need > have)
		return -ENOSPC;
	return copy_to_user(u64_to_user_ptr(info->path_ptr), path, need) ?
	       -EFAULT : 0;
}

static long ctl_unit_get(void *ctx, void *arg)
{
	struct vhost_target_unit_info *info = arg;
	char *path = NULL;
	int err;

	if (!vt_name_ok(info->name) || info->reserved0 ||
	    !all_zero(info->reserved))
		return -EINVAL;
	err = vt_unit_get(info, &path);
	if (!err)
		err = put_path(info, path);
	kfree(path);
	return err;
}

static long ctl_stats(void *ctx, void *arg)
{
	struct vhost_target_stats *p = arg, *sum;
	int err;

	if (!vt_name_ok(p->name) || p->reserved0 || !all_zero(p->reserved))
		return -EINVAL;
	/* Sum up from zero, whatever the caller left in the counters. */
	sum = kzalloc(sizeof(*sum), GFP_KERNEL);
	if (!sum)
		return -ENOMEM;
	sum->queue = p->queue;
	memcpy(sum->name, p->name, sizeof(sum->name));
	err = vt_target_stats(sum);
	if (!err)
		*p = *sum;
	kfree(sum);
	return err;
}

static long ctl_poller_add(void *ctx, void *arg)
{
	struct vhost_target_poller *p = arg;

	if (!all_zero(p->reserved))
		return -EINVAL;
	return vt_poller_add(p->cpu, p->idle_us, &p->id);
}

static long ctl_poller_remove(void *ctx, void *arg)
{
	const struct vhost_target_poller_remove *p = arg;

	return p->reserved0 ? -EINVAL : vt_poller_remove(p->id);
}

static long ctl_poller_set(void *ctx, void *arg)
{
	const struct vhost_target_poller *p = arg;

	if (!all_zero(p->reserved))
		return -EINVAL;
	return vt_poller_set_idle(p->id, p->idle_us);
}

static long ctl_poller_get(void *ctx, void *arg)
{
	struct vhost_target_poller *p = arg;

	if (!all_zero(p->reserved))
		return -EINVAL;
	return vt_poller_get(p, p->flags & VHOST_TARGET_GET_NEXT);
}

static const struct vt_ioctl ctl_ioctls[] = {
	VT_IOCTL(VHOST_TARGET_CREATE, vhost_target_create, reserved,
		 VHOST_TARGET_F_ALL, ctl_create),
	VT_IOCTL(VHOST_TARGET_DESTROY, vhost_target_destroy, name,
		 0, ctl_destroy),
	VT_IOCTL(VHOST_TARGET_GET, vhost_target_info, reserved,
		 VHOST_TARGET_GET_NEXT, ctl_get),
	VT_IOCTL(VHOST_TARGET_UNIT_ADD, vhost_target_unit_add, reserved,
		 VHOST_TARGET_UNIT_F_ALL, ctl_unit_add),
	VT_IOCTL(VHOST_TARGET_UNIT_REMOVE, vhost_target_unit_remove, name,
		 0, ctl_unit_remove),
	VT_IOCTL(VHOST_TARGET_UNIT_RESIZE, vhost_target_unit_resize, name,
		 0, ctl_unit_resize),
	VT_IOCTL(VHOST_TARGET_UNIT_GET, vhost_target_unit_info, reserved,
		 VHOST_TARGET_GET_NEXT, ctl_unit_get),
	VT_IOCTL(VHOST_TARGET_STATS, vhost_target_stats, reserved,
		 0, ctl_stats),
	VT_IOCTL(VHOST_TARGET_POLLER_ADD, vhost_target_poller, reserved,
		 0, ctl_poller_add),
	VT_IOCTL(VHOST_TARGET_POLLER_REMOVE, vhost_target_poller_remove,
		 reserved0, 0, ctl_poller_remove),
	VT_IOCTL(VHOST_TARGET_POLLER_SET, vhost_target_poller, reserved,
		 0, ctl_poller_set),
	VT_IOCTL(VHOST_TARGET_POLLER_GET, vhost_target_poller, reserved,
		 VHOST_TARGET_GET_NEXT, ctl_poller_get),
};

static long ctl_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return vt_ioctl_call(ctl_ioctls, ARRAY_SIZE(ctl_ioctls), NULL, cmd,
			     (void __user *)arg);
}

static const struct file_operations ctl_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= ctl_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice ctl_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "vhost-target",
	.fops	= &ctl_fops,
	.mode	= 0600,
};

int vt_ctl_init(void)
{
	return misc_register(&ctl_misc);
}

void vt_ctl_exit(void)
{
	misc_deregister(&ctl_misc);
}
