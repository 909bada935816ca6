// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "users.h"

#define PARAMETERS "/sys/module/vhost_target/parameters"

static int set_limit(const char *name, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return write_text(text, PARAMETERS "/%s", name);
}

int user_limits(unsigned int sessions, unsigned int queues)
{
	int ret = set_limit("user_sessions", sessions);

	return ret ? ret : set_limit("user_queues", queues);
}

int user_limits_reset(void)
{
	return user_limits(USER_SESSIONS, USER_QUEUES);
}

int user_open(const char *node, unsigned int id)
{
	int fd;

	if (setegid(id) || seteuid(id))
		return -errno;
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	if (seteuid(0) || setegid(0))
		return -errno;
	return fd;
}

int drop_capability(unsigned int cap)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}
