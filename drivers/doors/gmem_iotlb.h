/* SPDX-License-Identifier: GPL-2.0 */
/* Guest memory given as a table of physical addresses (vhost_iotlb). */
#ifndef _VT_GMEM_IOTLB_H
#define _VT_GMEM_IOTLB_H

#include <linux/vhost_iotlb.h>

#include <vhost_target/gmem.h>

/**
 * struct vt_gmem_iotlb - memory of a vDPA device
 * @gm: what pollers look up in
 * @sync: waits for the requests which may use dropped chunks
 * @sync_arg: its argument
 * @gen: number of the present table; each chunk's priv
 */
struct vt_gmem_iotlb {
	struct vt_gmem gm;
	void (*sync)(void *arg);
	void *sync_arg;
	unsigned long gen;
};

void vt_gmem_iotlb_init(struct vt_gmem_iotlb *gi, void (*sync)(void *arg),
			void *sync_arg);

/**
 * vt_gmem_iotlb_set - replace all mappings
 * @gi: memory; its queues may be running
 * @iotlb: the new table, whose pages are pinned by its owner during the call;
 *	NULL: nothing is mapped
 *
 * A chunk that is in both tables is there all the time: VMMs change mappings
 * while the guest runs, in batches that unmap everything and map it again.
 *
 * A reference on every page is taken: the owner of the table unpins pages
 * before it says so. When it returns no request uses the old table. On an
 * error nothing is mapped.
 *
 * Context: may sleep.
 * Returns: 0 or -ENOMEM.
 */
int vt_gmem_iotlb_set(struct vt_gmem_iotlb *gi, struct vhost_iotlb *iotlb);

#endif
