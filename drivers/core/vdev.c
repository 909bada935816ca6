// SPDX-License-Identifier: GPL-2.0
/* Virtio devices: see <vhost_target/vdev.h>. */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "vq.h"

/* What the core itself honours for every device type. */
#define VT_CORE_FEATURES (BIT_ULL(VIRTIO_F_VERSION_1) | \
			  BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | \
			  BIT_ULL(VIRTIO_F_ANY_LAYOUT) | \
			  BIT_ULL(VIRTIO_F_RING_PACKED) | \
			  BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
			  BIT_ULL(VIRTIO_RING_F_EVENT_IDX))

void vt_vdev_config_changed(struct vt_vdev *vdev)
{
	atomic_inc(&vdev->s.target->generation);
	vdev->door->config_changed(vdev);
}
EXPORT_SYMBOL_GPL(vt_vdev_config_changed);

static int vdev_attach(struct vt_session *s)
{
	struct vt_vdev *vdev = vt_to_vdev(s);

	return vdev->ops->attach ? vdev->ops->attach(vdev) : 0;
}

static void vdev_detach(struct vt_session *s)
{
	struct vt_vdev *vdev = vt_to_vdev(s);

	if (vdev->ops->detach)
		vdev->ops->detach(vdev);
}

static void vdev_unit_event(struct vt_session *s, struct vt_unit *u,
			    enum vt_unit_event event)
{
	struct vt_vdev *vdev = vt_to_vdev(s);

	if (vdev->ops->unit_event)
		vdev->ops->unit_event(vdev, u, event);
	else
		vt_vdev_config_changed(vdev);
}

static const struct vt_session_ops vdev_session_ops = {
	.attach		= vdev_attach,
	.detach		= vdev_detach,
	.unit_event	= vdev_unit_event,
};

struct vt_vdev *vt_vdev_create(struct vt_target *t, unsigned int nvqs,
			       const struct vt_vdev_door_ops *door,
			       void *door_priv)
{
	struct vt_vdev *vdev;
	unsigned int i;

	vdev = kzalloc(sizeof(*vdev), GFP_KERNEL_ACCOUNT);
	if (!vdev)
		return ERR_PTR(-ENOMEM);
	vdev->ops = t->type->vdev_ops;
	vdev->nvqs = max(nvqs, vdev->ops->num_vqs(t));
	vdev->vqs = kvcalloc(vdev->nvqs, sizeof(*vdev->vqs),
			     GFP_KERNEL_ACCOUNT);
	if (!vdev->vqs ||
	    vt_session_init(&vdev->s, t, &vdev_session_ops, vdev->nvqs)) {
		kvfree(vdev->vqs);
		kfree(vdev);
		return ERR_PTR(-ENOMEM);
	}
	vdev->door = door;
	vdev->door_priv = door_priv;
	for (i = 0; i < vdev->nvqs; i++)
		vt_vq_init(&vdev->vqs[i], vdev, i);
	return vdev;
}
EXPORT_SYMBOL_GPL(vt_vdev_create);

void vt_vdev_destroy(struct vt_vdev *vdev)
{
	vt_session_exit(&vdev->s);
	/* See vt_queue_io_done(). */
	kvfree_rcu_mightsleep(vdev->vqs);
	kfree(vdev);
}
EXPORT_SYMBOL_GPL(vt_vdev_destroy);

u64 vt_type_features(const struct vt_type *type)
{
	return VT_CORE_FEATURES | type->vdev_ops->features(NULL);
}
EXPORT_SYMBOL_GPL(vt_type_features);

u64 vt_vdev_features(struct vt_vdev *vdev)
{
	return VT_CORE_FEATURES | vdev->ops->features(vdev->s.target);
}
EXPORT_SYMBOL_GPL(vt_vdev_features);

static bool config_range_ok(const struct vt_vdev *vdev, u32 off, u32 len)
{
	u32 size = vdev->ops->config_size;

	return off <= size && len <= size - off;
}

int vt_vdev_read_config(struct vt_vdev *vdev, u32 off, void *buf, u32 len)
{
	u8 config[VT_MAX_CONFIG] = {};

	if (!config_range_ok(vdev, off, len))
		return -ERANGE;
	vdev->ops->get_config(vdev, config);
	memcpy(buf, config + off, len);
	return 0;
}
EXPORT_SYMBOL_GPL(vt_vdev_read_config);

int vt_vdev_write_config(struct vt_vdev *vdev, u32 off, const void *buf,
			 u32 len)
{
	if (!config_range_ok(vdev, off, len))
		return -ERANGE;
	if (!len)
		return 0;
	return vdev->ops->set_config(vdev, off, buf, len);
}
EXPORT_SYMBOL_GPL(vt_vdev_write_config);
