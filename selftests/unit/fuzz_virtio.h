/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio driver for fuzz_core.h that does nearly what a driver does. The
 * device type says what a request is made of; how it becomes a chain, and what
 * goes wrong with that, is in the input.
 */
#ifndef UNIT_FUZZ_VIRTIO_H
#define UNIT_FUZZ_VIRTIO_H

#include "fuzz_core.h"

#define FV_QUEUES	4
#define FV_MAX_SEGS	64

/**
 * struct fv_chain - a request being made
 * @seg: its buffers
 * @write: they are the device's to write
 * @nr: number
 */
struct fv_chain {
	struct vt_seg seg[FV_MAX_SEGS];
	bool write[FV_MAX_SEGS];
	unsigned int nr;
};

/**
 * struct fv - the device
 * @vdev: it
 * @packed: format of its rings
 *
 * If its rings are of memory of their own, there is a second device.
 */
struct fv {
	struct vt_vdev *vdev;
	bool packed;
};

extern struct fv fv;

/* What the target says. */

/* Make a request for a queue, off the input. */
void fv_request(struct fv_chain *c, unsigned int queue);
/* Something else that a driver or a VMM does; optional. */
void fv_other(void);
/* On a device that was reset: is it what it should be? */
void fv_check(void);
/* Features the device must have; the input says which of the others it has. */
#define FV_FEATURES	(BIT_ULL(32) | BIT_ULL(33))	/* VERSION_1, ACCESS */

/* Guest memory for a request: some that was not used for long. */
u64 fv_alloc(u32 len);
/* Add a buffer, one with these bytes. */
void fv_add(struct fv_chain *c, u64 addr, u32 len, bool write);
u64 fv_out(struct fv_chain *c, const void *buf, u32 len);
u64 fv_in(struct fv_chain *c, u32 len);

/* Make a chain available, with nothing wrong; and have it served. */
void fv_offer(unsigned int queue, const struct fv_chain *c);
void fv_send(unsigned int queue, const struct fv_chain *c);

/* The fuzz target. */
int fv_run(const u8 *data, size_t len);

/* For seeds: the beginning, and steps. */
struct fv_seed {
	u8 disk[FC_DISKS];
	u64 features;
	bool packed;
	bool far_rings;
};

/* For tests that are no fuzzers: the same device, and its end. */
void fv_open(const struct fv_seed *s);
void fv_close(void);
/* The device that all of these are about, if there is a second one. */
void fv_use(unsigned int i);
/* Requests of a queue that have ended. */
unsigned int fv_ended(unsigned int queue);

void fv_put_begin(const struct fv_seed *s);
/* A request follows: what fv_request() takes. @indirect: as a table. */
void fv_put_request(unsigned int queue, bool indirect);
void fv_put_settle(void);
void fv_put_other(void);

#endif
