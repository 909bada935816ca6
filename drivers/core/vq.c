// SPDX-License-Identifier: GPL-2.0
/* Virtqueues: a queue whose requests are the chains of a ring. */
#include <linux/indirect_call_wrapper.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "trace.h"
#include "vq.h"
#include "vring.h"

static void vq_broke(struct vt_queue *q)
{
	struct vt_vq *vq = vt_to_vq(q);

	trace_vhost_ring_error(q->session->target->name, q->index,
			       vq->vr.error);
	vq->vdev->door->vq_error(vq->vdev, vq);
}

static void vq_start_req(struct vt_vq *vq, struct vt_req *req, int how)
{
	INDIRECT_CALL_2(vq->vr.ops->consume, vt_split_consume,
			vt_packed_consume, &vq->vr, vq->chain);
	vq->parts.done = 0;
	vq->parts.status = BLK_STS_OK;
	req->id = vq->chain->id;
	req->slots = vq->chain->slots;
	vt_queue_take(&vq->q, req);
	switch (how) {
	case 0:
		vt_queue_submit(&vq->q, req);
		break;
	case 1:
		vt_queue_complete(&vq->q, req);
		break;
	default:
		vq->vdev->ops->execute(req);
		break;
	}
}

static noinline void vq_start_part(struct vt_vq *vq, struct vt_req *req)
{
	vq->parts.flying = true;
	req->part = true;
	req->id = vq->chain->id;
	vt_queue_take(&vq->q, req);
	vt_queue_submit(&vq->q, req);
}

static noinline void vq_end_part(struct vt_vq *vq, struct vt_req *req)
{
	vq->parts.flying = false;
	vq->parts.status = req->io.status;
	vq->parts.done += req->io.bytes;
	vt_queue_nudge(&vq->q);
}

void vt_vq_expect(struct vt_queue *q, unsigned int n)
{
	struct vt_vq *vq = vt_to_vq(q);

	BUILD_BUG_ON(VT_SPLIT_EXPECT < VT_EXPECT_MAX);
	/* Of a packed ring's chains is known where they are, not how many. */
	if (vq->vr.ops == &vt_vring_split_ops)
		vt_split_expect(&vq->vr, n);
}

int vt_vq_fetch(struct vt_queue *q)
{
	struct vt_vq *vq = vt_to_vq(q);
	struct vt_req *req = q->free;
	int ret, err;

	if (unlikely(vq->parts.flying))
		return -ENODATA;
	ret = INDIRECT_CALL_2(vq->vr.ops->peek, vt_split_peek,
			      vt_packed_peek, &vq->vr, vq->chain);
	if (ret <= 0)
		return ret;
	q->cost += vq->chain->looked;

	vt_req_reset(req);
	ret = vq->vdev->ops->parse(vq, vq->chain, req);
	if (ret == 0 || ret == 3) {
		err = vt_req_bounce(req);
		if (err) {
			vt_req_release(req);
			if (vq->vdev->ops->abandon)
				vq->vdev->ops->abandon(req);
			return err;
		}
	}
	if (ret < 0)
		return ret;
	if (unlikely(ret == 3))
		vq_start_part(vq, req);
	else
		vq_start_req(vq, req, ret);
	return 1;
}

void vt_vq_complete(struct vt_queue *q, struct vt_req *req)
{
	struct vt_vq *vq = vt_to_vq(q);

	if (unlikely(req->part)) {
		vq_end_part(vq, req);
		return;
	}
	vq->vdev->ops->complete(req);
	INDIRECT_CALL_2(vq->vr.ops->push, vt_split_push,
			vt_packed_push, &vq->vr,
			req->id, req->slots, req->used_len);
}

void vt_vq_show(struct vt_queue *q)
{
	struct vt_vq *vq = vt_to_vq(q);

	INDIRECT_CALL_2(vq->vr.ops->show, vt_split_show,
			vt_packed_show, &vq->vr);
}

bool vt_vq_publish(struct vt_queue *q)
{
	struct vt_vq *vq = vt_to_vq(q);

	return INDIRECT_CALL_2(vq->vr.ops->publish, vt_split_publish,
			       vt_packed_publish, &vq->vr);
}

bool vt_vq_arm(struct vt_queue *q)
{
	struct vt_vq *vq = vt_to_vq(q);

	return !INDIRECT_CALL_2(vq->vr.ops->arm, vt_split_arm,
				vt_packed_arm, &vq->vr);
}

void vt_vq_disarm(struct vt_queue *q)
{
	struct vt_vq *vq = vt_to_vq(q);

	INDIRECT_CALL_2(vq->vr.ops->disarm, vt_split_disarm,
			vt_packed_disarm, &vq->vr);
}

unsigned int vt_vq_pending(struct vt_queue *q)
{
	struct vt_vq *vq = vt_to_vq(q);

	return INDIRECT_CALL_2(vq->vr.ops->pending, vt_split_pending,
			       vt_packed_pending, &vq->vr);
}

static const struct vt_queue_ops vq_ops = {
	.expect		= vt_vq_expect,
	.fetch		= vt_vq_fetch,
	.complete	= vt_vq_complete,
	.show		= vt_vq_show,
	.publish	= vt_vq_publish,
	.arm		= vt_vq_arm,
	.disarm		= vt_vq_disarm,
	.pending	= vt_vq_pending,
	.broke		= vq_broke,
};

int vt_vring_read_guest(struct vt_vring *vr, u64 addr, void *buf, u32 len)
{
	return vt_queue_read(&container_of(vr, struct vt_vq, vr)->q, addr, buf,
			     len);
}

void *vt_vring_expect_guest(struct vt_vring *vr, u64 addr)
{
	return vt_queue_expect(&container_of(vr, struct vt_vq, vr)->q, addr);
}

/* Control: the door's side. */

void vt_vq_init(struct vt_vq *vq, struct vt_vdev *vdev, unsigned int index)
{
	vt_queue_init(&vq->q, &vq_ops, &vdev->s, index);
	vq->vdev = vdev;
	vdev->s.queue[index] = &vq->q;
}

static void vq_free(struct vt_vq *vq)
{
	vt_queue_free(&vq->q);
	kvfree(vq->chain);
	kvfree(vq->vr.ind);
	vq->chain = NULL;
	vq->vr.ind = NULL;
}

static int vq_alloc(struct vt_vq *vq)
{
	int err = vt_queue_alloc(&vq->q, vq->num, vq->vdev->ops->req_priv);

	if (err)
		return err;
	vq->chain = kvmalloc(sizeof(*vq->chain), GFP_KERNEL_ACCOUNT);
	vq->vr.ind = kvmalloc_array(VT_VRING_MAX_SIZE, sizeof(*vq->vr.ind),
				    GFP_KERNEL_ACCOUNT);
	if (!vq->chain || !vq->vr.ind) {
		vq_free(vq);
		return -ENOMEM;
	}
	return 0;
}

static void vq_unmap_ring(struct vt_vq *vq)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vq->map); i++)
		vt_map_undo(&vq->map[i]);
}

static int vq_map_ring(struct vt_vq *vq, bool packed)
{
	struct vt_vring_layout l = vt_vring_layout(vq->num, packed);
	struct vt_vdev *vdev = vq->vdev;
	int err;

	/* A packed ring's descriptors are written by both sides. */
	err = vdev->map_ring(vdev, vq->addr.desc, l.desc, packed, &vq->map[0]);
	if (!err)
		err = vdev->map_ring(vdev, vq->addr.driver, l.driver, false,
				     &vq->map[1]);
	if (!err)
		err = vdev->map_ring(vdev, vq->addr.device, l.device, true,
				     &vq->map[2]);
	if (err) {
		vq_unmap_ring(vq);
		return err;
	}
	vq->vr.desc = vq->map[0].addr;
	vq->vr.driver = vq->map[1].addr;
	vq->vr.device = vq->map[2].addr;
	return 0;
}

/* Alignment of the parts: virtio 1.2, 2.7 and 2.8.10.1. */
static bool vq_addr_ok(const struct vt_vq *vq, bool packed)
{
	u64 bits;

	bits = packed ? (vq->addr.driver | vq->addr.device) & 3 :
	       (vq->addr.driver & 1) | (vq->addr.device & 3);
	return !bits && !(vq->addr.desc & 15);
}

static int vq_setup(struct vt_vq *vq, bool packed)
{
	int err;

	/* The target's queue size is a limit of the doors that ask for it. */
	if (!vt_vring_size_ok(vq->num))
		return -EINVAL;
	if (!vq->has_addr || !vq_addr_ok(vq, packed))
		return -EINVAL;

	err = vq_alloc(vq);
	if (err)
		return err;
	err = vq_map_ring(vq, packed);
	if (err)
		goto free_reqs;

	vq->vr.ops = packed ? &vt_vring_packed_ops : &vt_vring_split_ops;
	vq->vr.size = vq->num;
	vq->vr.mask = vq->num - 1;
	vq->parts = (struct vt_vq_parts) {};
	vq->vr.event_idx = vt_vdev_has(vq->vdev, VIRTIO_RING_F_EVENT_IDX);
	err = vt_vring_set_base(&vq->vr, vq->base);
	if (err)
		goto unmap;
	return 0;
unmap:
	vq_unmap_ring(vq);
free_reqs:
	vq_free(vq);
	return err;
}

int vt_vq_start(struct vt_vq *vq)
{
	int err;

	lockdep_assert_held(&vq->vdev->s.lock);
	if (vq->q.running)
		return 0;

	err = vq_setup(vq, vt_vdev_has(vq->vdev, VIRTIO_F_RING_PACKED));
	if (!err)
		vt_queue_start(&vq->q);
	return err;
}
EXPORT_SYMBOL_GPL(vt_vq_start);

void vt_vq_stop(struct vt_vq *vq)
{
	lockdep_assert_held(&vq->vdev->s.lock);
	if (!vq->q.running)
		return;
	vt_queue_stop(&vq->q);
	vq->base = vt_vring_get_base(&vq->vr);
	vq_unmap_ring(vq);
	vq_free(vq);
}
EXPORT_SYMBOL_GPL(vt_vq_stop);
