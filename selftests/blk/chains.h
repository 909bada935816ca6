/* SPDX-License-Identifier: GPL-2.0 */
/* Chains for virtio-blk devices that no driver would send, and some it would. */
#ifndef VT_BLK_CHAINS_H
#define VT_BLK_CHAINS_H

#include "rng.h"
#include "vblk.h"

#define BLK_CHAIN_SEGS 12

/* Both fill in the header of @r, and the segments; how many there are. */
unsigned int blk_random_chain(struct rng *rng, struct vblk_req *r,
			      struct vring_seg *seg);
/* What a real driver might send, to be in flight when something breaks. */
unsigned int blk_sound_chain(struct rng *rng, struct vblk_req *r,
			     struct vring_seg *seg);
/* A word of ring memory, a bit of it, or the index itself. */
void vring_mutate(struct rng *rng, struct vqueue *vr);

#endif
