// SPDX-License-Identifier: GPL-2.0
/* Size-first ioctls: see <vhost_target/ioctl.h>. */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <linux/vhost_target.h>
#include <vhost_target/ioctl.h>

/* Every struct starts like this. */
struct ioctl_head {
	__u32 size;
	__u32 flags;
};

static long ioctl_do(const struct vt_ioctl *c, void *ctx, void __user *uarg,
		     void *arg)
{
	struct ioctl_head *head = arg;
	u32 usize;
	long ret;
	int err;

	if (get_user(usize, (u32 __user *)uarg))
		return -EFAULT;
	if (usize < c->min_size)
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, c->size, uarg, usize);
	if (err)
		return err;
	if (head->flags & ~c->flags)
		return -EINVAL;

	ret = c->fn(ctx, arg);
	/* The size is the caller's own, whatever it was when read again. */
	head->size = usize;
	if (copy_to_user(uarg, arg, min(usize, c->size)))
		return -EFAULT;
	return ret;
}

long vt_ioctl_call(const struct vt_ioctl *table, unsigned int nr, void *ctx,
		   unsigned int cmd, void __user *uarg)
{
	unsigned int i;
	void *arg;
	long ret;

	for (i = 0; i < nr; i++)
		if (table[i].cmd == cmd)
			break;
	if (i == nr)
		return -ENOTTY;

	arg = kzalloc(table[i].size, GFP_KERNEL);
	if (!arg)
		return -ENOMEM;
	ret = ioctl_do(&table[i], ctx, uarg, arg);
	kfree(arg);
	return ret;
}
EXPORT_SYMBOL_GPL(vt_ioctl_call);

/* Of a name's own characters: not 0. */
static bool name_char_ok(char c)
{
	return (isascii(c) && isalnum(c)) || strchr("._:-", c);
}

bool vt_name_ok(const char *name)
{
	unsigned int len = strnlen(name, VHOST_TARGET_NAME_LEN);
	unsigned int i;

	if (!len || len == VHOST_TARGET_NAME_LEN)
		return false;
	if (name[0] == '-' || name[0] == '.')
		return false;
	for (i = 0; i < len; i++)
		if (!name_char_ok(name[i]))
			return false;
	return true;
}
EXPORT_SYMBOL_GPL(vt_name_ok);
