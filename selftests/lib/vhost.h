/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioctl door: the classic vhost ABI plus the attach calls. Every call
 * returns 0 or -errno.
 */
#ifndef VT_VHOST_H
#define VT_VHOST_H

#include <linux/vhost.h>
#include <linux/vhost_target.h>

#include "util.h"

#define VHOST_BLK_NODE "/dev/vhost-blk"
#define VHOST_SCSI_NODE "/dev/vhost-scsi"

int vhost_open(const char *node);
int vhost_set_owner(int fd);
int vhost_attach(int fd, const char *name);
int vhost_get_features(int fd, u64 *features);
int vhost_set_features(int fd, u64 features);
int vhost_set_mem_table(int fd, struct vhost_memory *table);

int vhost_set_vring_num(int fd, unsigned int queue, unsigned int num);
int vhost_set_vring_base(int fd, unsigned int queue, u32 base);
int vhost_get_vring_base(int fd, unsigned int queue, u32 *base);
/* Host addresses; packed: descriptors, driver event, device event. */
int vhost_set_vring_addr(int fd, unsigned int queue, void *desc, void *driver,
			 void *device);
int vhost_set_vring_kick(int fd, unsigned int queue, int eventfd);
int vhost_set_vring_call(int fd, unsigned int queue, int eventfd);
int vhost_set_vring_err(int fd, unsigned int queue, int eventfd);

int vhost_start(int fd);
int vhost_stop(int fd);
int vhost_get_config(int fd, unsigned int offset, void *buf, unsigned int len);
int vhost_set_config(int fd, unsigned int offset, const void *buf,
		     unsigned int len);
int vhost_get_device(int fd, struct vhost_target_device *device);
int vhost_set_config_call(int fd, int eventfd);

/* The calls of scsi targets. */
int vhost_set_endpoint(int fd, const char *wwpn);
int vhost_clear_endpoint(int fd, const char *wwpn);
int vhost_set_events_missed(int fd, u32 missed);
int vhost_get_events_missed(int fd, u32 *missed);
int vhost_new_worker(int fd, u32 *id);
int vhost_free_worker(int fd, u32 id);
int vhost_attach_worker(int fd, unsigned int queue, u32 id);
int vhost_get_worker(int fd, unsigned int queue, u32 *id);

#endif
