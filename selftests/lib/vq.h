/* SPDX-License-Identifier: GPL-2.0 */
/* A virtqueue with its eventfds: kicks and waits, whatever the device. */
#ifndef VT_VQ_H
#define VT_VQ_H

#include "vring.h"

/*
 * poll: spin on the used ring, want no interrupts. sleeps: times it waited
 * for an interrupt.
 */
#define VQ_FIELDS \
	struct vqueue vr; \
	int kick; \
	int call; \
	int err; \
	unsigned int index; \
	bool poll; \
	unsigned int inflight; \
	u64 submitted; \
	u64 kicks; \
	u64 calls; \
	u64 sleeps

struct vq {
	VQ_FIELDS;
};

/* So that the fields of a driver's queue are its virtqueue's as well. */
#define VQ_MEMBER union { struct vq vq; struct { VQ_FIELDS; }; }

/* No eventfds yet; make them; close them. */
void vq_init(struct vq *q);
int vq_open(struct vq *q);
void vq_close(struct vq *q);

/* Nothing is in flight or signalled any more. */
void vq_forget(struct vq *q);

/* All that a vhost fd wants to know of it; 0 or -errno after a message. */
int vq_setup(const struct vq *q, int fd, u32 base);

int vq_submit(struct vq *q, const struct vring_seg *seg, unsigned int n,
	      void *token);

/* Tell the device if it wants to be told; or in any case. */
void vq_kick(struct vq *q);
void vq_force_kick(struct vq *q);

/*
 * The next completed chain within @ms. -EPIPE: the ring was stopped (its
 * error eventfd), -ETIMEDOUT: nothing came, -ENOMSG: it was there but the
 * interrupt was not, -EPROTO: the device broke the rules.
 */
int vq_wait_ms(struct vq *q, void **token, u32 *len, unsigned int ms);

/* True when the error eventfd was signalled; clears it. */
bool vq_stopped(struct vq *q, unsigned int ms);

#endif
