/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_UACCESS_H
#define _SHIM_LINUX_UACCESS_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

/* The test's: copy between a process and us. False: it has no such memory. */
bool shim_user_copy(void *k, u64 user, size_t len, bool to_user);

#define u64_to_user_ptr(v)	((void __user *)(unsigned long)(v))

#define get_user(v, p)							\
	(shim_user_copy(&(v), (u64)(p), sizeof(*(p)), false) ? 0 : -EFAULT)

/* Bytes that were not copied. */
static inline unsigned long copy_to_user(void __user *to, const void *from,
					 size_t len)
{
	return shim_user_copy((void *)from, (u64)to, len, true) ? 0 : len;
}

/* What is longer than we know must be zero there. */
static inline int copy_struct_from_user(void *to, size_t size,
					const void __user *from, size_t usize)
{
	size_t n = min(size, usize), i;
	u8 more;

	for (i = size; i < usize; i++) {
		if (!shim_user_copy(&more, (u64)from + i, 1, false))
			return -EFAULT;
		if (more)
			return -E2BIG;
	}
	memset(to, 0, size);
	return shim_user_copy(to, (u64)from, n, false) ? 0 : -EFAULT;
}

static inline void *memdup_array_user(const void __user *from, size_t n,
				      size_t size)
{
	void *p = kmalloc(n * size, GFP_KERNEL);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (shim_user_copy(p, (u64)from, n * size, false))
		return p;
	kfree(p);
	return ERR_PTR(-EFAULT);
}

/* At most @n bytes, with their end. */
static inline char *strndup_user(const char __user *from, long n)
{
	char *p = kzalloc(n, GFP_KERNEL);
	long i, err = -EINVAL;

	for (i = 0; p && i < n; i++) {
		if (!shim_user_copy(p + i, (u64)from + i, 1, false)) {
			err = -EFAULT;
			break;
		}
		if (!p[i])
			return p;
	}
	err = p ? err : -ENOMEM;
	kfree(p);
	return ERR_PTR(err);
}

#endif
