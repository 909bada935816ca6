// SPDX-License-Identifier: GPL-2.0
/*
 * The vDPA door: a vDPA device for each target that asks for one. vhost_vdpa
 * makes /dev/vhost-vdpa-N of it for VMMs, virtio_vdpa a disk of the host's.
 *
 * A target counts as attached from the first status bit beyond ACKNOWLEDGE
 * until the device is reset. (The virtio core leaves ACKNOWLEDGE set when it
 * takes a driver off a device.)
 *
 * Memory: vhost_vdpa gives a table of pinned pages (set_map), or, for devices
 * made with VHOST_TARGET_F_USE_VA, of the VMM's addresses. virtio_vdpa gives
 * none, its addresses are physical ones; only that driver gets this identity,
 * or a VMM that maps nothing would reach all of the host's memory.
 *
 * Locks: the vDPA core's cf_lock > vdev->s.lock > target->lock.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <uapi/linux/vdpa.h>

#include <vhost_target/gmem_user.h>
#include <vhost_target/target.h>
#include <vhost_target/vdev.h>

#include "../compat/vdpa.h"
#include "door_unbind.h"
#include "gmem_iotlb.h"

/**
 * struct vd_kept - what a VM that was stopped, and goes on, finds again
 * @generation: the target's when its session ended; 0: there was none
 * @events_missed: there were events then that its driver had not been told of
 * @config: the configuration space, with what the driver has written there
 *
 * Its VMM resets the device meanwhile, and sets up the rings where they were.
 */
struct vd_kept {
	u32 generation;
	bool events_missed;
	u8 config[VT_MAX_CONFIG];
};

/**
 * struct door_vdpa - a vDPA device
 * @vdpa: the core's part
 * @vdev: our session
 * @mem: memory by physical addresses
 * @user: memory by the VMM's addresses, or NULL
 * @status: VIRTIO_CONFIG_S_*; vdev->s.lock
 * @suspended: queues are stopped until resume or reset; vdev->s.lock
 * @needs_reset: a ring was stopped; set by pollers
 * @config_cb: told of changes of the configuration; target->lock
 * @missed: it has changed, and the driver has not looked since; target->lock
 * @kept: of the last session that had a driver; vdev->s.lock
 * @cb: how to interrupt the driver, one for each virtqueue
 * @error_work: tells the driver of @needs_reset
 * @unbind: takes it from its driver
 */
struct door_vdpa {
	struct vdpa_device vdpa;
	struct vt_vdev *vdev;
	struct vt_gmem_iotlb mem;
	struct vt_gmem_user *user;
	u8 status;
	bool suspended;
	bool needs_reset;
	struct vdpa_callback config_cb;
	bool missed;
	struct vd_kept kept;
	struct vdpa_callback *cb;
	struct work_struct error_work;
	struct vt_unbind unbind;
};

static struct device *vdpa_parent;

static struct door_vdpa *to_door(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct door_vdpa, vdpa);
}

static struct vt_vq *to_vq(struct vdpa_device *vdpa, u16 idx)
{
	return &to_door(vdpa)->vdev->vqs[idx];
}

/* What the session tells us. */

/* Called with target->lock held. */
static void vd_config_changed(struct vt_vdev *vdev)
{
	struct door_vdpa *vd = vdev->door_priv;

	/* The callback of vhost_vdpa may find that its VMM has none. */
	vd->missed = true;
	if (vd->config_cb.callback)
		vd->config_cb.callback(vd->config_cb.private);
}

static void vd_error_work(struct work_struct *work)
{
	struct door_vdpa *vd = container_of(work, struct door_vdpa,
					    error_work);

	mutex_lock(&vd->vdev->s.target->lock);
	vd_config_changed(vd->vdev);
	mutex_unlock(&vd->vdev->s.target->lock);
}

static void vd_set_needs_reset(struct door_vdpa *vd)
{
	if (READ_ONCE(vd->needs_reset))
		return;
	WRITE_ONCE(vd->needs_reset, true);
	schedule_work(&vd->error_work);
}

/* Called in a poller. */
static void vd_vq_error(struct vt_vdev *vdev, struct vt_vq *vq)
{
	vd_set_needs_reset(vdev->door_priv);
}

static const struct vt_vdev_door_ops vd_door_ops = {
	.config_changed	= vd_config_changed,
	.vq_error	= vd_vq_error,
};

static int vd_map_ring(struct vt_vdev *vdev, u64 addr, u32 len, bool write,
		       struct vt_map *map)
{
	return vt_gmem_map(vdev->s.gmem, addr, len, write, map);
}

static void vd_sync_memory(void *arg)
{
	struct door_vdpa *vd = arg;

	vt_session_sync(&vd->vdev->s);
}

/* Virtqueues. */

static int vd_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc,
			     u64 driver, u64 device)
{
	struct vt_vq *vq = to_vq(vdpa, idx);

	mutex_lock(&vq->vdev->s.lock);
	vq->addr = (struct vt_vq_addr) { desc, driver, device };
	/* Queues the guest has not set up come with no address. */
	vq->has_addr = desc && driver && device;
	mutex_unlock(&vq->vdev->s.lock);
	return 0;
}

static void vd_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	to_vq(vdpa, idx)->num = num;
}

/* May be called with interrupts off. */
static void vd_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	vt_queue_kick(&to_vq(vdpa, idx)->q);
}

static void vd_call(void *arg)
{
	struct vdpa_callback *cb = arg;

	/* Drivers expect what an interrupt handler gives them. */
	local_bh_disable();
	cb->callback(cb->private);
	local_bh_enable();
}

struct vd_set_cb {
	struct door_vdpa *vd;
	u16 idx;
	struct vdpa_callback cb;
};

/*
 * QEMU continues a stopped guest by starting the device, and then sets the
 * callbacks: what ended in between was told to nobody who listens. A driver
 * that need not be told looks, and finds nothing.
 */
static void vd_set_cb_fn(void *arg)
{
	struct vd_set_cb *s = arg;
	struct vt_vq *vq = &s->vd->vdev->vqs[s->idx];

	s->vd->cb[s->idx] = s->cb;
	vq->q.call = (struct vt_notify) {
		.fn = s->cb.callback ? vd_call : NULL,
		.arg = &s->vd->cb[s->idx],
	};
	if (vq->q.running)
		vt_notify_signal(&vq->q.call);
}

static void vd_set_vq_cb(struct vdpa_device *vdpa, u16 idx,
			 struct vdpa_callback *cb)
{
	struct vd_set_cb s = { .vd = to_door(vdpa), .idx = idx, .cb = *cb };
	struct vt_vq *vq = to_vq(vdpa, idx);

	mutex_lock(&vq->vdev->s.lock);
	vt_queue_run(&vq->q, vd_set_cb_fn, &s);
	mutex_unlock(&vq->vdev->s.lock);
}

static bool vd_vq_can_run(const struct vt_vq *vq)
{
	return vq->enabled && vq->num && vq->has_addr;
}

/* The driver is told of a ring that cannot run by NEEDS_RESET. */
static void vd_start_vq(struct door_vdpa *vd, struct vt_vq *vq)
{
	int err;

	if (!vd_vq_can_run(vq))
		return;
	err = vt_vq_start(vq);
	if (err) {
		dev_warn_ratelimited(&vd->vdpa.dev,
				     "queue %u cannot start: %d (size %u, rings at %#llx %#llx %#llx, base %#x)\n",
				     vq->q.index, err, vq->num, vq->addr.desc,
				     vq->addr.driver, vq->addr.device,
				     vq->base);
		vd_set_needs_reset(vd);
	}
}

/* Are all rings where drivers begin? */
static bool vd_begins(const struct vt_vdev *vdev)
{
	bool packed = vt_vdev_has(vdev, VIRTIO_F_RING_PACKED);
	unsigned int i;

	for (i = 0; i < vdev->nvqs; i++)
		if (vd_vq_can_run(&vdev->vqs[i]) &&
		    vdev->vqs[i].base != vt_vring_first_base(packed))
			return false;
	return true;
}

/* Called with target->lock held. */
static bool vd_events_missed(struct vt_vdev *vdev)
{
	return vdev->ops->get_events_missed &&
	       vdev->ops->get_events_missed(vdev);
}

/* The session ends. */
static void vd_keep(struct door_vdpa *vd)
{
	struct vt_vdev *vdev = vd->vdev;

	if (!(vd->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	mutex_lock(&vdev->s.target->lock);
	vd->kept.generation = vt_target_stamp(vdev->s.target);
	vd->kept.events_missed = vd_events_missed(vdev);
	mutex_unlock(&vdev->s.target->lock);
	vt_vdev_read_config(vdev, 0, vd->kept.config, vdev->ops->config_size);
}

/* Called with target->lock held. */
static bool vd_has_changed(const struct door_vdpa *vd)
{
	return vd->kept.generation &&
	       vd->kept.generation != vt_target_stamp(vd->vdev->s.target);
}

/* A driver that goes on, knows of no stop, and finds what it had set. */
static void vd_go_on(struct door_vdpa *vd)
{
	struct vt_vdev *vdev = vd->vdev;

	if (!vd->kept.generation)
		return;
	vt_vdev_write_config(vdev, 0, vd->kept.config, vdev->ops->config_size);
	if (!vdev->ops->set_events_missed)
		return;
	mutex_lock(&vdev->s.target->lock);
	if (vd->kept.events_missed || vd_has_changed(vd))
		vdev->ops->set_events_missed(vdev, true);
	mutex_unlock(&vdev->s.target->lock);
}

static void vd_power_on(struct door_vdpa *vd)
{
	struct vt_vdev *vdev = vd->vdev;

	if (!vd_begins(vdev))
		vd_go_on(vd);
	else if (vdev->ops->power_on)
		vdev->ops->power_on(vdev);
}

static void vd_start_all(struct door_vdpa *vd)
{
	unsigned int i;

	lockdep_assert_held(&vd->vdev->s.lock);
	for (i = 0; i < vd->vdev->nvqs; i++)
		vd_start_vq(vd, &vd->vdev->vqs[i]);
}

static void vd_stop_all(struct door_vdpa *vd)
{
	unsigned int i;

	lockdep_assert_held(&vd->vdev->s.lock);
	for (i = 0; i < vd->vdev->nvqs; i++)
		vt_vq_stop(&vd->vdev->vqs[i]);
}

static void vd_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready)
{
	struct door_vdpa *vd = to_door(vdpa);
	struct vt_vq *vq = to_vq(vdpa, idx);

	mutex_lock(&vq->vdev->s.lock);
	vq->enabled = ready;
	if (!ready)
		vt_vq_stop(vq);
	else if ((vd->status & VIRTIO_CONFIG_S_DRIVER_OK) && !vd->suspended)
		vd_start_vq(vd, vq);
	mutex_unlock(&vq->vdev->s.lock);
}

static bool vd_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	return to_vq(vdpa, idx)->enabled;
}

static int vd_set_vq_state(struct vdpa_device *vdpa, u16 idx,
			   const struct vdpa_vq_state *state)
{
	const struct vdpa_vq_state_packed *p = &state->packed;
	struct vt_vq *vq = to_vq(vdpa, idx);
	int err = 0;

	mutex_lock(&vq->vdev->s.lock);
	if (vq->q.running)
		err = -EBUSY;
	else if (vt_vdev_has(vq->vdev, VIRTIO_F_RING_PACKED))
		vq->base = p->last_avail_idx |
			   (u32)p->last_avail_counter << 15 |
			   (u32)p->last_used_idx << 16 |
			   (u32)p->last_used_counter << 31;
	else
		vq->base = state->split.avail_index;
	mutex_unlock(&vq->vdev->s.lock);
	return err;
}

static int vd_get_vq_state(struct vdpa_device *vdpa, u16 idx,
			   struct vdpa_vq_state *state)
{
	struct vt_vq *vq = to_vq(vdpa, idx);
	u32 base;

	mutex_lock(&vq->vdev->s.lock);
	base = vq->base;
	mutex_unlock(&vq->vdev->s.lock);
	if (vt_vdev_has(vq->vdev, VIRTIO_F_RING_PACKED)) {
		state->packed.last_avail_idx = base & 0x7fff;
		state->packed.last_avail_counter = !!(base & BIT(15));
		state->packed.last_used_idx = (base >> 16) & 0x7fff;
		state->packed.last_used_counter = base >> 31;
	} else {
		state->split.avail_index = base;
	}
	return 0;
}

static u32 vd_get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

/* The device. */

static u64 vd_get_device_features(struct vdpa_device *vdpa)
{
	return vt_vdev_features(to_door(vdpa)->vdev);
}

static int vd_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	struct vt_vdev *vdev = to_door(vdpa)->vdev;

	if (features & ~vt_vdev_features(vdev))
		return -EINVAL;
	vdev->features = features;
	return 0;
}

static u64 vd_get_driver_features(struct vdpa_device *vdpa)
{
	return to_door(vdpa)->vdev->features;
}

/*
 * What has changed while there was nobody to be told: a VM that was stopped, for
 * one, whose VMM resets the device meanwhile.
 */
static void vd_tell_missed(struct door_vdpa *vd)
{
	lockdep_assert_held(&vd->vdev->s.target->lock);
	if (vd->missed && (READ_ONCE(vd->status) & VIRTIO_CONFIG_S_DRIVER_OK))
		vd_config_changed(vd->vdev);
}

static void vd_set_config_cb(struct vdpa_device *vdpa,
			     struct vdpa_callback *cb)
{
	struct door_vdpa *vd = to_door(vdpa);

	mutex_lock(&vd->vdev->s.target->lock);
	vd->config_cb = *cb;
	vd_tell_missed(vd);
	mutex_unlock(&vd->vdev->s.target->lock);
}

/*
 * Not the target's queue size: QEMU 10's generic device sets up 1024 entries
 * whatever is offered, and newer vhost_vdpa (7.x, late 6.12.y) refuses more
 * than that.
 */
static u16 vd_get_vq_num_max(struct vdpa_device *vdpa)
{
	return VT_VRING_MAX_SIZE;
}

static u32 vd_get_device_id(struct vdpa_device *vdpa)
{
	return to_door(vdpa)->vdev->ops->device_id;
}

static u32 vd_get_vendor_id(struct vdpa_device *vdpa)
{
	return 0;
}

static u8 vd_get_status(struct vdpa_device *vdpa)
{
	struct door_vdpa *vd = to_door(vdpa);

	return READ_ONCE(vd->status) |
	       (READ_ONCE(vd->needs_reset) ? VIRTIO_CONFIG_S_NEEDS_RESET : 0);
}

static bool vd_is_host_driver(struct door_vdpa *vd)
{
	const struct device_driver *drv = vd->vdpa.dev.driver;

	return drv && !strcmp(drv->name, "virtio_vdpa");
}

/* Modern drivers only: 6.1 of virtio 1.2. */
static bool vd_features_ok(struct door_vdpa *vd)
{
	return vt_vdev_has(vd->vdev, VIRTIO_F_VERSION_1);
}

/* Without an owner beside root it is for who may open the node. */
static bool vd_may_attach(struct door_vdpa *vd)
{
	const struct vt_target *t = vd->vdev->s.target;

	if (vd_is_host_driver(vd) ||
	    (uid_eq(t->uid, GLOBAL_ROOT_UID) && !gid_valid(t->gid)))
		return true;
	return vt_target_may_attach(t, current_cred());
}

static int vd_attach(struct door_vdpa *vd)
{
	struct vt_target *t = vd->vdev->s.target;
	int err;

	if (!vd_may_attach(vd)) {
		dev_warn_ratelimited(&vd->vdpa.dev,
				     "a VMM that is not the target's owner\n");
		return -EACCES;
	}
	err = vt_vdev_attach(vd->vdev);
	mutex_lock(&t->lock);
	if (!err && vd_has_changed(vd))
		vd->missed = true;
	mutex_unlock(&t->lock);
	return err;
}

static void vd_reset_vq(struct door_vdpa *vd, struct vt_vq *vq)
{
	vq->num = 0;
	vq->base = 0;
	vq->has_addr = false;
	vq->enabled = false;
	vd->cb[vq->q.index] = (struct vdpa_callback) {};
	vq->q.call = (struct vt_notify) {};
}

static void vd_reset_locked(struct door_vdpa *vd)
{
	struct vt_vdev *vdev = vd->vdev;
	unsigned int i;

	vd_stop_all(vd);
	vd_keep(vd);
	for (i = 0; i < vdev->nvqs; i++)
		vd_reset_vq(vd, &vdev->vqs[i]);
	vdev->features = 0;
	WRITE_ONCE(vd->status, 0);
	WRITE_ONCE(vd->needs_reset, false);
	vd->suspended = false;
	vd->mem.gm.identity = false;
	vt_gmem_set_owner(&vd->mem.gm, NULL);
	/* It points into the driver, which may be gone after its last reset. */
	mutex_lock(&vdev->s.target->lock);
	vd->config_cb = (struct vdpa_callback) {};
	mutex_unlock(&vdev->s.target->lock);
	vt_vdev_detach(vdev);
}

static int vd_reset(struct vdpa_device *vdpa)
{
	struct door_vdpa *vd = to_door(vdpa);

	mutex_lock(&vd->vdev->s.lock);
	vd_reset_locked(vd);
	mutex_unlock(&vd->vdev->s.lock);
	return 0;
}

static void vd_set_status_locked(struct door_vdpa *vd, u8 status)
{
	u8 new = status & ~vd->status;

	/* The host's own driver has given up, and does not reset it any more. */
	if (status & VIRTIO_CONFIG_S_FAILED) {
		vd_reset_locked(vd);
		WRITE_ONCE(vd->status, status);
		return;
	}
	if (!vd->vdev->s.attached && (status & ~VIRTIO_CONFIG_S_ACKNOWLEDGE)) {
		if (vd_attach(vd))
			return;
		vd->vdev->s.gmem = vd->user ? vt_gmem_user_mem(vd->user) :
				 &vd->mem.gm;
		vd->mem.gm.identity = vd_is_host_driver(vd);
		/* Whose rings are counted; vhost_vdpa counts the rest. */
		vt_gmem_set_owner(&vd->mem.gm, vd->mem.gm.identity ? NULL :
				  current->mm);
	}
	/* QEMU 11 leaves out bits on the way, but none gets past these. */
	if (!vd_features_ok(vd))
		status &= ~(VIRTIO_CONFIG_S_FEATURES_OK |
			    VIRTIO_CONFIG_S_DRIVER_OK);
	if (new & status & VIRTIO_CONFIG_S_DRIVER_OK) {
		vd_power_on(vd);
		vd_start_all(vd);
	}
	WRITE_ONCE(vd->status, status & ~VIRTIO_CONFIG_S_NEEDS_RESET);
	if (!(new & status & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	mutex_lock(&vd->vdev->s.target->lock);
	vd_tell_missed(vd);
	mutex_unlock(&vd->vdev->s.target->lock);
}

static void vd_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct door_vdpa *vd = to_door(vdpa);

	mutex_lock(&vd->vdev->s.lock);
	vd_set_status_locked(vd, status);
	mutex_unlock(&vd->vdev->s.lock);
}

static int vd_suspend(struct vdpa_device *vdpa)
{
	struct door_vdpa *vd = to_door(vdpa);

	mutex_lock(&vd->vdev->s.lock);
	vd_stop_all(vd);
	vd->suspended = true;
	mutex_unlock(&vd->vdev->s.lock);
	return 0;
}

static int vd_resume(struct vdpa_device *vdpa)
{
	struct door_vdpa *vd = to_door(vdpa);

	mutex_lock(&vd->vdev->s.lock);
	vd->suspended = false;
	if (vd->status & VIRTIO_CONFIG_S_DRIVER_OK)
		vd_start_all(vd);
	mutex_unlock(&vd->vdev->s.lock);
	return 0;
}

static size_t vd_get_config_size(struct vdpa_device *vdpa)
{
	return to_door(vdpa)->vdev->ops->config_size;
}

static void vd_get_config(struct vdpa_device *vdpa, unsigned int offset,
			  void *buf, unsigned int len)
{
	struct door_vdpa *vd = to_door(vdpa);

	mutex_lock(&vd->vdev->s.target->lock);
	vd->missed = false;
	mutex_unlock(&vd->vdev->s.target->lock);
	if (vt_vdev_read_config(vd->vdev, offset, buf, len))
		memset(buf, 0, len);
}

static void vd_set_config(struct vdpa_device *vdpa, unsigned int offset,
			  const void *buf, unsigned int len)
{
	vt_vdev_write_config(to_door(vdpa)->vdev, offset, buf, len);
}

static u32 vd_get_generation(struct vdpa_device *vdpa)
{
	return atomic_read(&to_door(vdpa)->vdev->s.target->generation);
}

/* Memory. */

static int vd_set_user_map(struct door_vdpa *vd, struct vhost_iotlb *iotlb)
{
	struct vhost_iotlb_map *map;
	struct vt_region *r;
	unsigned int n = 0;
	int err;

	r = kvcalloc(VT_MAX_REGIONS, sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	for (map = vhost_iotlb_itree_first(iotlb, 0, U64_MAX);
	     map && n < VT_MAX_REGIONS;
	     map = vhost_iotlb_itree_next(map, 0, U64_MAX))
		r[n++] = (struct vt_region) {
			.gpa = map->start,
			.size = map->size,
			.uaddr = map->addr,
			.ro = !(map->perm & VHOST_ACCESS_WO),
		};
	err = map ? -E2BIG : vt_gmem_user_set_table(vd->user, r, n);
	/* What was mapped before may not be any more: nothing is. */
	if (err)
		vt_gmem_user_set_table(vd->user, NULL, 0);
	kvfree(r);
	return err;
}

static int vd_map(struct door_vdpa *vd, struct vhost_iotlb *iotlb)
{
	if (vd->vdpa.use_va)
		return vd->user ? vd_set_user_map(vd, iotlb) : -EINVAL;
	return vt_gmem_iotlb_set(&vd->mem, iotlb);
}

/* Of batches, and of what is unmapped, vhost_vdpa tells its VMM no error. */
static int vd_set_map(struct vdpa_device *vdpa, unsigned int asid,
		      struct vhost_iotlb *iotlb)
{
	struct door_vdpa *vd = to_door(vdpa);
	int err = vd_map(vd, iotlb);

	if (err) {
		dev_warn_ratelimited(&vdpa->dev,
				     "guest memory cannot be used: %d\n", err);
		if (READ_ONCE(vd->status) & VIRTIO_CONFIG_S_DRIVER_OK)
			vd_set_needs_reset(vd);
	}
	return err;
}

/* The node is closed: who opens it next is another one. */
static int vd_reset_map(struct vdpa_device *vdpa, unsigned int asid)
{
	struct door_vdpa *vd = to_door(vdpa);

	mutex_lock(&vd->vdev->s.lock);
	memset(&vd->kept, 0, sizeof(vd->kept));
	mutex_unlock(&vd->vdev->s.lock);
	if (vd->user)
		return vt_gmem_user_set_table(vd->user, NULL, 0);
	return vt_gmem_iotlb_set(&vd->mem, NULL);
}

static int vd_bind_mm(struct vdpa_device *vdpa, struct mm_struct *mm)
{
	struct door_vdpa *vd = to_door(vdpa);
	struct vt_gmem_user *user;

	if (vd->user)
		return 0;
	user = vt_gmem_user_create(mm, vd_sync_memory, vd);
	if (IS_ERR(user))
		return PTR_ERR(user);
	/* It comes after the first status bits: no queue runs yet. */
	mutex_lock(&vd->vdev->s.lock);
	vd->user = user;
	vd->vdev->s.gmem = vt_gmem_user_mem(user);
	mutex_unlock(&vd->vdev->s.lock);
	return 0;
}

/* After the last reset: no queue runs. */
static void vd_unbind_mm(struct vdpa_device *vdpa)
{
	struct door_vdpa *vd = to_door(vdpa);

	if (!vd->user)
		return;
	vd->vdev->s.gmem = &vd->mem.gm;
	vt_gmem_user_destroy(vd->user);
	vd->user = NULL;
}

static void vd_free(struct vdpa_device *vdpa)
{
	struct door_vdpa *vd = to_door(vdpa);

	cancel_work_sync(&vd->error_work);
	vd_unbind_mm(vdpa);
	if (vd->vdev) {
		vt_gmem_exit(&vd->mem.gm);
		vt_vdev_destroy(vd->vdev);
	}
	kvfree(vd->cb);
}

#define VD_OPS								\
	.set_vq_address		= vd_set_vq_address,			\
	.set_vq_num		= vd_set_vq_num,			\
	.kick_vq		= vd_kick_vq,				\
	.set_vq_cb		= vd_set_vq_cb,				\
	.set_vq_ready		= vd_set_vq_ready,			\
	.get_vq_ready		= vd_get_vq_ready,			\
	.set_vq_state		= vd_set_vq_state,			\
	.get_vq_state		= vd_get_vq_state,			\
	.get_vq_align		= vd_get_vq_align,			\
	.get_device_features	= vd_get_device_features,		\
	.set_driver_features	= vd_set_driver_features,		\
	.get_driver_features	= vd_get_driver_features,		\
	.set_config_cb		= vd_set_config_cb,			\
	.get_vq_num_max		= vd_get_vq_num_max,			\
	.get_device_id		= vd_get_device_id,			\
	.get_vendor_id		= vd_get_vendor_id,			\
	.get_status		= vd_get_status,			\
	.set_status		= vd_set_status,			\
	.reset			= vd_reset,				\
	.suspend		= vd_suspend,				\
	.resume			= vd_resume,				\
	.get_config_size	= vd_get_config_size,			\
	.get_config		= vd_get_config,			\
	.set_config		= vd_set_config,			\
	.get_generation		= vd_get_generation,			\
	.set_map		= vd_set_map,				\
	.reset_map		= vd_reset_map,				\
	.free			= vd_free

static const struct vdpa_config_ops vd_ops = {
	VD_OPS,
};

static const struct vdpa_config_ops vd_va_ops = {
	VD_OPS,
	.bind_mm	= vd_bind_mm,
	.unbind_mm	= vd_unbind_mm,
};

/* The door. */

static struct door_vdpa *vd_alloc(struct vt_target *t)
{
	bool use_va = t->flags & VHOST_TARGET_F_USE_VA;
	struct door_vdpa *vd;

	vd = vt_vdpa_alloc_device(struct door_vdpa, vdpa, vdpa_parent,
				  use_va ? &vd_va_ops : &vd_ops, t->name,
				  use_va);
	if (IS_ERR(vd))
		return vd;
	INIT_WORK(&vd->error_work, vd_error_work);
	vt_unbind_init(&vd->unbind, &vd->vdpa.dev);
	vt_vdpa_set_dma_dev(&vd->vdpa, &vd->vdpa.dev);
	return vd;
}

static int vd_setup(struct door_vdpa *vd, struct vt_target *t)
{
	struct vt_vdev *vdev = vt_vdev_create(t, 0, &vd_door_ops, vd);

	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	vt_gmem_iotlb_init(&vd->mem, vd_sync_memory, vd);
	vdev->s.gmem = &vd->mem.gm;
	vdev->map_ring = vd_map_ring;
	vd->vdev = vdev;
	vd->cb = kvcalloc(vdev->nvqs, sizeof(*vd->cb), GFP_KERNEL_ACCOUNT);
	if (!vd->cb)
		return -ENOMEM;
	return dma_coerce_mask_and_coherent(&vd->vdpa.dev, DMA_BIT_MASK(64));
}

static int vd_up(struct vt_target *t)
{
	struct door_vdpa *vd = vd_alloc(t);
	int err;

	if (IS_ERR(vd))
		return PTR_ERR(vd);
	err = vd_setup(vd, t);
	if (err) {
		put_device(&vd->vdpa.dev);
		return err;
	}
	/* virtio_vdpa probes, and attaches, in here. */
	err = vdpa_register_device(&vd->vdpa, vd->vdev->nvqs);
	if (err) {
		put_device(&vd->vdpa.dev);
		return err;
	}
	mutex_lock(&t->lock);
	strscpy(t->vdpa_name, dev_name(&vd->vdpa.dev));
	WRITE_ONCE(t->door_priv, vd);
	mutex_unlock(&t->lock);
	return 0;
}

/*
 * Its driver does not wait for a VMM inside of vdpa_unregister_device(), which
 * keeps everybody from making or removing vDPA devices meanwhile.
 */
static int vd_down(struct vt_target *t)
{
	struct door_vdpa *vd = t->door_priv;
	int err = vt_unbind(&vd->unbind);

	if (err)
		return err;
	mutex_lock(&t->lock);
	t->door_priv = NULL;
	t->vdpa_name[0] = 0;
	mutex_unlock(&t->lock);
	vdpa_unregister_device(&vd->vdpa);
	return 0;
}

static struct vt_door vd_door = {
	.flag	= VHOST_TARGET_F_VDPA,
	.owner	= THIS_MODULE,
	.up	= vd_up,
	.down	= vd_down,
};

static int __init door_vdpa_init(void)
{
	int err;

	vdpa_parent = root_device_register("vhost-target");
	if (IS_ERR(vdpa_parent))
		return PTR_ERR(vdpa_parent);
	err = vt_door_register(&vd_door);
	if (err)
		root_device_unregister(vdpa_parent);
	return err;
}

static void __exit door_vdpa_exit(void)
{
	vt_door_unregister(&vd_door);
	root_device_unregister(vdpa_parent);
}

module_init(door_vdpa_init);
module_exit(door_vdpa_exit);

MODULE_DESCRIPTION("vDPA devices of the in-kernel storage targets");
MODULE_LICENSE("GPL");
