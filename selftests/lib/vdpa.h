/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vDPA door: /dev/vhost-vdpa-N, as a VMM uses it.
 *
 * A struct vblk opened here does I/O as one of the ioctl door does. What
 * differs: addresses in the rings are IOVAs, equal to the guest addresses of
 * its struct mem, and the device has one eventfd for all that is wrong. It is
 * the error eventfd of queue 0.
 *
 * Every call returns 0 or -errno, unless it says otherwise.
 */
#ifndef VT_VDPA_H
#define VT_VDPA_H

#include <linux/virtio_config.h>

#include "vblk.h"

#ifndef VHOST_VDPA_RESUME
#define VHOST_VDPA_RESUME _IO(VHOST_VIRTIO, 0x7E)
#endif

#define VDPA_DRIVER_DIR "/sys/bus/vdpa/drivers/vhost_vdpa"

#define VDPA_ACK VIRTIO_CONFIG_S_ACKNOWLEDGE
#define VDPA_DRIVER VIRTIO_CONFIG_S_DRIVER
#define VDPA_FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define VDPA_DRIVER_OK VIRTIO_CONFIG_S_DRIVER_OK
#define VDPA_NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET
#define VDPA_RUNNING (VDPA_ACK | VDPA_DRIVER | VDPA_FEATURES_OK | \
		      VDPA_DRIVER_OK)

/* What QEMU takes of the backend features, but for address spaces. */
#define VDPA_BACKEND_FEATURES (VBLK_BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) | \
	VBLK_BIT(VHOST_BACKEND_F_IOTLB_BATCH) | \
	VBLK_BIT(VHOST_BACKEND_F_SUSPEND))

/* What is not there for such tests, or NULL. */
const char *vdpa_missing(void);

/* A target's vDPA device: its name on the bus, or -errno after a message. */
int vdpa_name(const char *target, char *name, size_t size);
/*
 * Opens the node vhost_vdpa made of it, or the node itself if @target is a
 * path; an fd or -errno after a message.
 */
int vdpa_open_node(const char *target);

/* The status byte, or -errno. */
int vdpa_status(int fd);
int vdpa_set_status(int fd, u8 status);
int vdpa_set_backend_features(int fd, u64 features);
int vdpa_enable(int fd, unsigned int queue, bool on);
int vdpa_get_config(int fd, unsigned int offset, void *buf, unsigned int len);
int vdpa_set_config(int fd, unsigned int offset, const void *buf,
		    unsigned int len);
int vdpa_set_config_call(int fd, int eventfd);
int vdpa_suspend(int fd);
int vdpa_resume(int fd);

/* The IOTLB. @perm: VHOST_ACCESS_*. */
int vdpa_message(int fd, const struct vhost_iotlb_msg *m);
int vdpa_batch_begin(int fd);
int vdpa_batch_end(int fd);
int vdpa_map(int fd, u64 iova, const void *addr, u64 size, u8 perm);
int vdpa_unmap(int fd, u64 iova, u64 size);
/* All of @m, in a batch. */
int vdpa_map_mem(int fd, const struct mem *m);
int vdpa_unmap_mem(int fd, const struct mem *m);

/* As vblk_open(); vblk_close() closes it. */
int vdpa_open(struct vblk *d, const struct vblk_opts *o);
/* The parts of it: up to SET_OWNER; to FEATURES_OK; queues; DRIVER_OK. */
int vdpa_attach(struct vblk *d, const struct vblk_opts *o);
int vdpa_negotiate(struct vblk *d);
int vdpa_read_config(struct vblk *d);
int vdpa_setup_queue(struct vblk_queue *q, u32 base);
int vdpa_setup_queues(struct vblk *d);
int vdpa_start(struct vblk *d);

/* Reset, new rings and start, whatever state the old ones are in. */
int vdpa_reset(struct vblk *d);

#endif
