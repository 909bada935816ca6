/* SPDX-License-Identifier: GPL-2.0 */
/* A virtqueue with its eventfds: kicks and waits, whatever the device. */
#ifndef VT_VQ_H
#define VT_VQ_H

#include "vring.h"

/*
 * poll: spin on the used ring, want no interrupts. shift: as guest memory's.
 * sleeps: times it waited for an interrupt.
 */
#define VQ_FIELDS \
	struct vqueue vr; \
	int kick; \
	int call; \
	int err; \
	unsigned int index; \
	bool poll; \
	ptrdiff_t shift; \
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

/*
 * What a driver may choose of its queues and of guest memory. poll: spin on
 * the used ring, want no interrupts. two_views: of a memfd, as by
 * mem_second_view(). In brackets what 0 stands for.
 * nr_queues (1), queue_size (256), nr_reqs: of each queue (32), buf_size: of
 * each request (16 KiB), start_index: where the rings begin, mem_size (16 MiB),
 * wide: where guest memory ends if mem_widen() is wanted, of huge pages unless
 * wide_small.
 */
#define VQ_OPTS_FIELDS \
	bool packed; \
	bool indirect; \
	bool event_idx; \
	bool poll; \
	bool memfd; \
	bool two_views; \
	unsigned int nr_queues; \
	unsigned int queue_size; \
	unsigned int nr_reqs; \
	unsigned int buf_size; \
	u16 start_index; \
	enum mem_layout layout; \
	u64 mem_size; \
	u64 wide; \
	bool wide_small

struct vq_opts {
	VQ_OPTS_FIELDS;
};

#define VQ_OPTS_MEMBER union { struct vq_opts ring; struct { VQ_OPTS_FIELDS; }; }

void vq_defaults(struct vq_opts *o);
/* Guest memory as they want it. */
int vq_memory(struct mem *m, const struct vq_opts *o);
/* The features of rings to accept; -EOPNOTSUPP: they are not offered. */
int vq_features(const struct vq_opts *o, u64 offered, u64 *features);

/* No eventfds yet; make ring and eventfds; close them. */
void vq_init(struct vq *q);
int vq_open(struct vq *q, struct mem *m, const struct vq_opts *o);
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

/* The message for what that says. */
void vq_failed(const struct vq *q, int err);

/* True when the error eventfd was signalled; clears it. */
bool vq_stopped(struct vq *q, unsigned int ms);

#endif
