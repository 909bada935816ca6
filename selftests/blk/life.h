/* SPDX-License-Identifier: GPL-2.0 */
/* Requests in flight, and processes that die with them, by either door. */
#ifndef VT_BLK_LIFE_H
#define VT_BLK_LIFE_H

#include <sys/types.h>

#include "bed.h"
#include "vblk.h"

#define SLOW_NS 300000000ull	/* of each request of a slow disk */
#define FLIGHT 16
#define LEN 4096
#define READ VIRTIO_BLK_T_IN
#define WRITE VIRTIO_BLK_T_OUT

typedef int (*life_open_fn)(struct vblk *d, const struct vblk_opts *o);

/* @n requests of LEN bytes from sector 0 on: 0 or -errno. */
int submit(struct vblk_queue *q, u32 type, unsigned int n);

/*
 * A child that opens @d and has FLIGHT requests in flight, or does I/O without
 * an end. It dies with its parent, if not before.
 */
pid_t child_with_io(life_open_fn open, struct vblk *d,
		    const struct vblk_opts *o, u32 type);
pid_t child_at_work(life_open_fn open, struct vblk *d,
		    const struct vblk_opts *o);
/* Nothing but SIGKILL ended it, and @b has no session any more: 0 or -errno. */
int kill_child(pid_t pid, const struct bed *b);

/*
 * QEMU swaps the call eventfd when the guest masks a vector: @n times, with
 * requests in flight. Then there is none, and the driver polls.
 */
int swap_calls(struct vblk_queue *q, unsigned int n);

#endif
