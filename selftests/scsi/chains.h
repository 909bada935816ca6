/* SPDX-License-Identifier: GPL-2.0 */
/* Chains for virtio-scsi devices that no driver would send, and some it would. */
#ifndef VT_SCSI_CHAINS_H
#define VT_SCSI_CHAINS_H

#include "rng.h"
#include "vscsi.h"

#define SCSI_CHAIN_SEGS 12
#define SCSI_HOT_LUNS 4		/* LUNs 1 to this come and go */

/* They fill in the header of @r, and the segments; how many there are. */
typedef unsigned int scsi_chain_fn(struct rng *rng, struct vscsi_req *r,
				   struct vring_seg *seg);

scsi_chain_fn scsi_random_chain;
/* What a real driver might send, to be in flight when something breaks. */
scsi_chain_fn scsi_sound_chain;
scsi_chain_fn scsi_control_chain;
scsi_chain_fn scsi_event_chain;

#endif
