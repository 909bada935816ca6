// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/module.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <vhost_target/door_ioctl.h>

#include "pass_virtio.h"

/* Guest memory: rings, then what requests are made of, then data. */
#define DESC		PASS_MEM
#define AVAIL		(PASS_MEM + 0x2000)
#define USED		(PASS_MEM + 0x4000)
#define TABLES		(PASS_MEM + 0x100000)
#define REQS		(PASS_MEM + 0x200000)
/* As a driver's allocator lays them out. */
#define TABLE_STEP	64
#define REQ_STEP	384

/* The device. */

static void on_error(struct vt_vdev *v, struct vt_vq *vq)
{
	(void)v;
	(void)vq;
	pass_die("the ring is broken");
}

static void on_change(struct vt_vdev *v)
{
	(void)v;
}

static const struct vt_vdev_door_ops door = {
	.config_changed = on_change,
	.vq_error = on_error,
};

static int map_ring(struct vt_vdev *v, u64 addr, u32 len, bool write,
		    struct vt_map *map)
{
	(void)v;
	return vt_gmem_map(&pass_gmem, addr, len, write, map);
}

void pass_device(void)
{
	struct vt_vdev *vdev;
	struct vt_vq *vq;

	vdev = vt_vdev_create(&pass_target, pass_virtio.queue + 1, &door,
			      NULL);
	if (IS_ERR(vdev))
		pass_die("no device");
	vdev->s.gmem = &pass_gmem;
	vdev->map_ring = map_ring;
	if (vt_vdev_attach(vdev))
		pass_die("it is not attached");
	vdev->features = BIT_ULL(VIRTIO_F_VERSION_1) |
			 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
			 pass_virtio.features;
	vq = &vdev->vqs[pass_virtio.queue];
	vq->num = PASS_RING;
	vq->addr = (struct vt_vq_addr) { DESC, AVAIL, USED };
	vq->has_addr = true;
	mutex_lock(&vdev->s.lock);
	if (vt_vq_start(vq))
		pass_die("the queue does not start");
	mutex_unlock(&vdev->s.lock);
}

/* The driver. */

static void put_desc(struct vring_desc *d, u64 addr, u32 len, u16 flags,
		     u16 next)
{
	d->addr = cpu_to_le64(addr);
	d->len = cpu_to_le32(len);
	d->flags = cpu_to_le16(flags);
	d->next = cpu_to_le16(next);
}

/* A buffer of the device's: for the response, or for data. */
static void put_in(struct vring_desc *d, unsigned int slot, bool resp, u16 next)
{
	u64 addr = resp ? REQS + slot * REQ_STEP + pass_virtio.req :
		   PASS_DATA + slot * PASS_DATA_STEP;

	put_desc(d, addr, resp ? pass_virtio.resp : 4096, VRING_DESC_F_WRITE |
		 (next ? VRING_DESC_F_NEXT : 0), next);
}

/* A read of 4 KiB; @slot: which of the driver's requests it is. */
static u16 put_request(unsigned int slot, bool table)
{
	u16 head = slot * 3 % (PASS_RING - 3), i = head;
	struct vring_desc *d = pass_at(DESC), *ring = d;
	u64 req = REQS + slot * REQ_STEP;
	const struct pass_virtio *v = &pass_virtio;

	v->put(pass_at(req), pass_at(req + v->req), slot);
	if (table) {
		d = pass_at(TABLES + slot * TABLE_STEP);
		i = 0;
		put_desc(&ring[head], TABLES + slot * TABLE_STEP, 48,
			 VRING_DESC_F_INDIRECT, 0);
	}
	put_desc(&d[i], req, v->req, VRING_DESC_F_NEXT, i + 1);
	put_in(&d[i + 1], slot, v->data_last, i + 2);
	put_in(&d[i + 2], slot, !v->data_last, 0);
	return head;
}

static void put_batch(unsigned int batch, bool table)
{
	struct vring_avail *avail = pass_at(AVAIL);
	struct vring_used *used = pass_at(USED);
	static u16 idx;
	unsigned int i;

	if ((u16)le16_to_cpu(used->idx) != idx)
		pass_die("requests are missing");
	for (i = 0; i < batch; i++) {
		if (idx && !pass_virtio.ended(pass_at(REQS + i * REQ_STEP +
						      pass_virtio.req)))
			pass_die("a request has failed, or not ended");
		avail->ring[idx++ % PASS_RING] = cpu_to_le16(put_request(i, table));
	}
	/* No interrupts: the driver looks by itself. */
	*(__le16 *)((u8 *)avail + 4 + 2 * PASS_RING) = cpu_to_le16(idx - 1000);
	__atomic_store_n(&avail->idx, cpu_to_le16(idx), __ATOMIC_RELEASE);
}

static void put_chains(unsigned int n)
{
	put_batch(n, false);
}

static void put_tables(unsigned int n)
{
	put_batch(n, true);
}

const struct pass_way pass_ways[] = {
	{ "chains", put_chains },
	{ "tables", put_tables },
	{ },
};
