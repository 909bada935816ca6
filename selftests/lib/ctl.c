// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ctl.h"

/* Names of full length are not terminated: tests of the ABI want that. */
static void set_name(char *to, const char *name)
{
	memcpy(to, name, strnlen(name, VHOST_TARGET_NAME_LEN));
}

int ctl_call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int ctl_open(void)
{
	int fd = open(CTL_NODE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void ctl_init_create(struct vhost_target_create *c, const char *name)
{
	memset(c, 0, sizeof(*c));
	c->size = sizeof(*c);
	c->type = VHOST_TARGET_BLK;
	c->gid = ~0u;
	set_name(c->name, name);
}

int ctl_create(int fd, const char *name, unsigned int num_queues,
	       unsigned int queue_size, int poller)
{
	struct vhost_target_create c;
	u32 id = poller;

	ctl_init_create(&c, name);
	c.num_queues = num_queues;
	c.queue_size = queue_size;
	if (poller != CTL_ANY_POLLER) {
		c.nr_pollers = 1;
		c.pollers_ptr = (uintptr_t)&id;
	}
	return ctl_call(fd, VHOST_TARGET_CREATE, &c);
}

int ctl_destroy(int fd, const char *name)
{
	struct vhost_target_destroy d = { .size = sizeof(d) };

	set_name(d.name, name);
	return ctl_call(fd, VHOST_TARGET_DESTROY, &d);
}

static int get(int fd, const char *name, unsigned int flags,
	       struct vhost_target_info *info)
{
	struct vhost_target_info i = { .size = sizeof(i), .flags = flags };
	int ret;

	set_name(i.name, name);
	ret = ctl_call(fd, VHOST_TARGET_GET, &i);
	*info = i;
	return ret;
}

int ctl_get(int fd, const char *name, struct vhost_target_info *info)
{
	return get(fd, name, 0, info);
}

int ctl_next(int fd, const char *name, struct vhost_target_info *info)
{
	return get(fd, name, VHOST_TARGET_GET_NEXT, info);
}

void ctl_init_unit(struct vhost_target_unit_add *u, const char *name)
{
	memset(u, 0, sizeof(*u));
	u->size = sizeof(*u);
	set_name(u->name, name);
}

int ctl_add_null(int fd, const char *name, u64 capacity,
		 unsigned int block_size, unsigned int flags)
{
	struct vhost_target_unit_add u;

	ctl_init_unit(&u, name);
	u.flags = flags;
	u.backend = VHOST_TARGET_BACKEND_NULL;
	u.capacity = capacity;
	u.block_size = block_size;
	return ctl_call(fd, VHOST_TARGET_UNIT_ADD, &u);
}

int ctl_add_path(int fd, const char *name, unsigned int backend,
		 const char *path, unsigned int block_size,
		 unsigned int flags)
{
	struct vhost_target_unit_add u;

	ctl_init_unit(&u, name);
	u.flags = flags;
	u.backend = backend;
	u.path_ptr = (uintptr_t)path;
	u.block_size = block_size;
	return ctl_call(fd, VHOST_TARGET_UNIT_ADD, &u);
}

int ctl_remove_unit(int fd, const char *name, unsigned int unit)
{
	struct vhost_target_unit_remove r = {
		.size = sizeof(r),
		.unit = unit,
	};

	set_name(r.name, name);
	return ctl_call(fd, VHOST_TARGET_UNIT_REMOVE, &r);
}

int ctl_resize(int fd, const char *name, unsigned int unit, u64 *capacity)
{
	struct vhost_target_unit_resize r = {
		.size = sizeof(r),
		.unit = unit,
		.capacity = *capacity,
	};
	int ret;

	set_name(r.name, name);
	ret = ctl_call(fd, VHOST_TARGET_UNIT_RESIZE, &r);
	*capacity = r.capacity;
	return ret;
}

int ctl_unit(int fd, const char *name, unsigned int unit,
	     struct vhost_target_unit_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->unit = unit;
	set_name(info->name, name);
	return ctl_call(fd, VHOST_TARGET_UNIT_GET, info);
}

int ctl_stats(int fd, const char *name, unsigned int queue,
	      struct vhost_target_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	stats->queue = queue;
	set_name(stats->name, name);
	return ctl_call(fd, VHOST_TARGET_STATS, stats);
}

int ctl_poller_add(int fd, unsigned int cpu, unsigned int idle_us,
		   unsigned int *id)
{
	struct vhost_target_poller p = {
		.size = sizeof(p),
		.cpu = cpu,
		.idle_us = idle_us,
	};
	int ret;

	ret = ctl_call(fd, VHOST_TARGET_POLLER_ADD, &p);
	*id = p.id;
	return ret;
}

int ctl_poller_remove(int fd, unsigned int id)
{
	struct vhost_target_poller_remove r = {
		.size = sizeof(r),
		.id = id,
	};

	return ctl_call(fd, VHOST_TARGET_POLLER_REMOVE, &r);
}

int ctl_poller_set(int fd, unsigned int id, unsigned int idle_us)
{
	struct vhost_target_poller p = {
		.size = sizeof(p),
		.id = id,
		.idle_us = idle_us,
	};

	return ctl_call(fd, VHOST_TARGET_POLLER_SET, &p);
}

static int get_poller(int fd, unsigned int id, unsigned int flags,
		      struct vhost_target_poller *poller)
{
	memset(poller, 0, sizeof(*poller));
	poller->size = sizeof(*poller);
	poller->flags = flags;
	poller->id = id;
	return ctl_call(fd, VHOST_TARGET_POLLER_GET, poller);
}

int ctl_poller(int fd, unsigned int id, struct vhost_target_poller *poller)
{
	return get_poller(fd, id, 0, poller);
}

int ctl_poller_next(int fd, unsigned int id,
		    struct vhost_target_poller *poller)
{
	return get_poller(fd, id, VHOST_TARGET_GET_NEXT, poller);
}

int ctl_some_poller(int fd)
{
	struct vhost_target_poller p;
	unsigned int id;
	int ret;

	ret = ctl_poller_next(fd, 0, &p);
	if (!ret)
		return p.id;
	if (ret != -ENOENT)
		return ret;
	ret = ctl_poller_add(fd, 0, 50, &id);
	return ret ? ret : (int)id;
}
