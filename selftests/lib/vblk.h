/* SPDX-License-Identifier: GPL-2.0 */
/* A small virtio-blk driver over the ioctl door; vdpa.h: over the vDPA door. */
#ifndef VT_VBLK_H
#define VT_VBLK_H

#include <linux/virtio_blk.h>

#include "vhost.h"
#include "vq.h"

#define VBLK_MAX_QUEUES 16
#define VBLK_BIT(n) (1ull << (n))

/* All that a driver may want of the device. */
#define VBLK_FEATURES (VBLK_BIT(VIRTIO_F_VERSION_1) | \
	VBLK_BIT(VIRTIO_F_ACCESS_PLATFORM) | \
	VBLK_BIT(VIRTIO_BLK_F_SIZE_MAX) | VBLK_BIT(VIRTIO_BLK_F_SEG_MAX) | \
	VBLK_BIT(VIRTIO_BLK_F_RO) | VBLK_BIT(VIRTIO_BLK_F_BLK_SIZE) | \
	VBLK_BIT(VIRTIO_BLK_F_FLUSH) | VBLK_BIT(VIRTIO_BLK_F_TOPOLOGY) | \
	VBLK_BIT(VIRTIO_BLK_F_CONFIG_WCE) | VBLK_BIT(VIRTIO_BLK_F_MQ) | \
	VBLK_BIT(VIRTIO_BLK_F_DISCARD) | \
	VBLK_BIT(VIRTIO_BLK_F_WRITE_ZEROES))

#define VBLK_ST_NONE 0xff	/* status byte before the device wrote it */

struct vblk_opts {
	const char *target;
	VQ_OPTS_MEMBER;
	bool no_start;
	u64 without;		/* features of VBLK_FEATURES not to accept */
};

struct vblk_queue;

struct vblk_req {
	struct vblk_queue *q;
	struct virtio_blk_outhdr *hdr;
	u64 hdr_gpa;
	u8 *status;
	u64 status_gpa;
	u8 *buf;
	u64 buf_gpa;
	bool busy;
	/* of the present request */
	u32 type;
	u64 sector;
	u32 len;
	u32 used_len;
	u32 tag;		/* the caller's */
};

struct vblk_queue {
	struct vblk *d;
	VQ_MEMBER;
	struct vblk_req *req;
	unsigned int nr_reqs;
};

struct vblk {
	struct vblk_opts o;
	bool open;
	int fd;
	u64 offered;
	u64 features;
	struct virtio_blk_config config;
	struct mem mem;
	unsigned int nr_queues;
	struct vblk_queue q[VBLK_MAX_QUEUES];
};

/* Open, attach, negotiate, set up all queues and start, unless told not to. */
int vblk_open(struct vblk *d, const struct vblk_opts *o);
void vblk_close(struct vblk *d);
/* The parts of it. */
int vblk_attach(struct vblk *d, const struct vblk_opts *o);
int vblk_negotiate(struct vblk *d);
int vblk_setup_memory(struct vblk *d);
int vblk_setup_queue(struct vblk_queue *q, u32 base);

/* Parts that know of no door: defaults; guest memory with rings in it. */
void vblk_init(struct vblk *d, const struct vblk_opts *o);
int vblk_make_memory(struct vblk *d);
/* Those that are wanted of what is offered; the same, and tell a vhost fd. */
int vblk_choose_features(struct vblk *d);
int vblk_accept_features(struct vblk *d);
/* Nothing is in flight or signalled any more. */
void vblk_forget(struct vblk_queue *q);

/* STOP, new rings and START, whatever state the old ones are in. */
int vblk_reset(struct vblk *d);
int vblk_read_config(struct vblk *d);

static inline bool vblk_has(const struct vblk *d, unsigned int feature)
{
	return d->features >> feature & 1;
}

static inline u64 vblk_sectors(const struct vblk *d)
{
	return d->config.capacity;
}

/* A free request, or NULL. */
struct vblk_req *vblk_get(struct vblk_queue *q);
void vblk_put(struct vblk_req *r);

/* Fill in the header and forget the last status. */
void vblk_prepare(struct vblk_req *r, u32 type, u64 sector, u32 len);
/* Offer any chain at all for @r. */
int vblk_submit_chain(struct vblk_req *r, const struct vring_seg *seg,
		      unsigned int n);
/*
 * Header, @r->len bytes of its buffer in pieces of @piece (0: one) in the
 * direction of its type, status.
 */
int vblk_submit_pieces(struct vblk_req *r, u32 piece);

static inline int vblk_submit(struct vblk_req *r)
{
	return vblk_submit_pieces(r, 0);
}

/*
 * @n requests of @len bytes one behind the other from sector 0 on, without a
 * kick. What is written is of generation 1.
 */
int vblk_submit_many(struct vblk_queue *q, u32 type, unsigned int n, u32 len);

/* Tell the device if it wants to be told; or in any case. */
void vblk_kick(struct vblk_queue *q);
void vblk_force_kick(struct vblk_queue *q);

/*
 * The next completed request. -EPIPE: the ring was stopped (its error
 * eventfd), -ETIMEDOUT: nothing within VT_PATIENCE, -ENOMSG: it was there
 * but the interrupt was not, -EPROTO: the device broke the rules.
 */
int vblk_wait(struct vblk_queue *q, struct vblk_req **done);
/* The same within @ms. */
int vblk_wait_ms(struct vblk_queue *q, struct vblk_req **done,
		 unsigned int ms);
/* Wait for all in flight and put them; 0 or what vblk_wait() said. */
int vblk_drain(struct vblk_queue *q);
/* True when the error eventfd of the queue was signalled; clears it. */
bool vblk_ring_stopped(struct vblk_queue *q, unsigned int ms);

/* One request alone: its status byte, or -errno. @buf may be NULL. */
int vblk_do(struct vblk_queue *q, u32 type, u64 sector, void *buf, u32 len);

/*
 * Write @count * @len bytes of pattern from @sector on, read and compare;
 * 0 or -errno after a message. For a bystander: it must always be 0.
 */
int vblk_verified_io(struct vblk_queue *q, u64 sector, unsigned int count,
		     u32 len, u32 generation);

#endif
