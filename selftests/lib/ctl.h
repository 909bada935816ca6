/* SPDX-License-Identifier: GPL-2.0 */
/* The control node, /dev/vhost-target. Every call returns 0 or -errno. */
#ifndef VT_CTL_H
#define VT_CTL_H

#include <linux/vhost_target.h>

#include "util.h"

#define CTL_NODE "/dev/vhost-target"
#define CTL_ANY_POLLER (-1)

/* The ioctl as it is, for tests of the ABI; result or -errno. */
int ctl_call(int fd, unsigned long request, void *arg);

int ctl_open(void);

/* Fills in size and name; the rest is zero. */
void ctl_init_create(struct vhost_target_create *c, const char *name);
void ctl_init_unit(struct vhost_target_unit_add *u, const char *name);

/* A blk target served by @poller, or by all. */
int ctl_create(int fd, const char *name, unsigned int num_queues,
	       unsigned int queue_size, int poller);
int ctl_destroy(int fd, const char *name);
int ctl_get(int fd, const char *name, struct vhost_target_info *info);
/* The target after @name; ENOENT at the end. */
int ctl_next(int fd, const char *name, struct vhost_target_info *info);

int ctl_add_null(int fd, const char *name, u64 capacity,
		 unsigned int block_size, unsigned int flags);
int ctl_add_path(int fd, const char *name, unsigned int backend,
		 const char *path, unsigned int block_size,
		 unsigned int flags);
int ctl_remove_unit(int fd, const char *name, unsigned int unit);
/* @capacity: in: wanted, or 0; out: the one reached. */
int ctl_resize(int fd, const char *name, unsigned int unit, u64 *capacity);
int ctl_unit(int fd, const char *name, unsigned int unit,
	     struct vhost_target_unit_info *info);

int ctl_stats(int fd, const char *name, unsigned int queue,
	      struct vhost_target_stats *stats);

int ctl_poller_add(int fd, unsigned int cpu, unsigned int idle_us,
		   unsigned int *id);
int ctl_poller_remove(int fd, unsigned int id);
int ctl_poller_set(int fd, unsigned int id, unsigned int idle_us);
int ctl_poller(int fd, unsigned int id, struct vhost_target_poller *poller);
/* The first poller whose id is at least @id; ENOENT at the end. */
int ctl_poller_next(int fd, unsigned int id,
		    struct vhost_target_poller *poller);
/* A poller to use: the first one, made on CPU 0 when there is none. */
int ctl_some_poller(int fd);

#endif
