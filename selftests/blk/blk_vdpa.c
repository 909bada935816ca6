// SPDX-License-Identifier: GPL-2.0
/* The vDPA door without a VM: what QEMU does, and what goes on beside it. */
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "users.h"
#include "vdpa_life.h"

/* A disk with a write cache. */
static int make_cached(struct bed *bed, struct disk *disk, bool use_va)
{
	struct disk_opts d = {
		.kind = DISK_BDEV, .block_size = SECTOR, .size_mb = 16,
		.cache_mb = 4, .own = true,
	};
	struct bed_opts b = bed_opts(disk, use_va);
	int ret = disk_create(disk, &d);

	return ret ? ret : bed_make(bed, &b);
}

/* Take what is there; how many, or -EIO for a bad status. */
static int take_done(struct vblk_queue *q)
{
	struct vblk_req *r;
	int n = 0;

	while (!vblk_wait_ms(q, &r, 0)) {
		if (vring_read(r->status) != VIRTIO_BLK_S_OK)
			return -EIO;
		vblk_put(r);
		n++;
	}
	return n;
}

TEST_F(vdpa, verified_io)
{
	unsigned int i, j;

	MAKE(0);
	for (i = 0; i < 8; i++) {
		self->o.event_idx = i & 1;
		self->o.indirect = i & 2;
		self->o.poll = i & 4;
		self->o.nr_queues = 1 + i % QUEUES;
		self->o.nr_reqs = i & 2 ? 8 : 32;
		self->o.mem_size = i & 2 ? 7 * MIB : 6 * MIB;
		self->o.queue_size = i & 2 ? 64 : QUEUE_SIZE;
		OPEN();
		for (j = 0; j < self->d.nr_queues; j++)
			ASSERT_EQ(0, vblk_verified_io(&self->d.q[j], j * 512,
						      24, LEN, i));
		ALL_WELL();
		vblk_close(&self->d);
	}
}

TEST_F(vdpa, what_it_says_of_itself)
{
	struct vhost_vdpa_iova_range range = { 1, 1 };
	struct virtio_blk_config c = { 0 };
	__u64 backend = 0;
	u64 features;
	__u32 value;
	__u16 num;
	int fd;

	MAKE(0);
	ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
	fd = self->d.fd;
	EXPECT_EQ(0, vdpa_status(fd));
	EXPECT_EQ(0, ctl_call(fd, VHOST_VDPA_GET_DEVICE_ID, &value));
	EXPECT_EQ(2, value);
	EXPECT_EQ(0, ctl_call(fd, VHOST_VDPA_GET_VRING_NUM, &num));
	/* QEMU 10 sets up no other size, vhost_vdpa lets no larger one pass. */
	EXPECT_EQ(1024, num);
	EXPECT_EQ(0, vhost_set_vring_num(fd, 0, num));
	EXPECT_EQ(0, ctl_call(fd, VHOST_VDPA_GET_VQS_COUNT, &value));
	EXPECT_EQ(QUEUES, value);
	EXPECT_EQ(0, ctl_call(fd, VHOST_VDPA_GET_GROUP_NUM, &value));
	EXPECT_EQ(1, value);
	EXPECT_EQ(0, ctl_call(fd, VHOST_VDPA_GET_AS_NUM, &value));
	EXPECT_EQ(1, value);
	EXPECT_EQ(0, ctl_call(fd, VHOST_VDPA_GET_IOVA_RANGE, &range));
	EXPECT_EQ(0, range.first);
	EXPECT_EQ(~0ull, range.last);
	EXPECT_EQ(0, ctl_call(fd, VHOST_GET_BACKEND_FEATURES, &backend));
	EXPECT_EQ(VDPA_BACKEND_FEATURES, backend & VDPA_BACKEND_FEATURES);
	EXPECT_EQ(0, vhost_get_features(fd, &features));
	EXPECT_NE(0, features & VBLK_BIT(VIRTIO_F_VERSION_1));
	EXPECT_NE(0, features & VBLK_BIT(VIRTIO_F_ACCESS_PLATFORM));
	EXPECT_NE(0, features & VBLK_BIT(VIRTIO_F_RING_PACKED));

	EXPECT_EQ(0, ctl_call(fd, VHOST_VDPA_GET_CONFIG_SIZE, &value));
	ASSERT_LE(offsetof(struct virtio_blk_config, max_discard_sectors),
		  value);
	ASSERT_GE(sizeof(c), value);
	EXPECT_EQ(0, vdpa_get_config(fd, 0, &c, value));
	EXPECT_EQ(self->bed.capacity / SECTOR, c.capacity);
	EXPECT_EQ(QUEUES, c.num_queues);
	c.blk_size = 0;
	EXPECT_EQ(0, vdpa_get_config(fd, offsetof(struct virtio_blk_config,
						  blk_size), &c.blk_size, 4));
	EXPECT_EQ(512, c.blk_size);
	EXPECT_EQ(-EINVAL, vdpa_get_config(fd, 0, &c, 0));
	EXPECT_EQ(-EINVAL, vdpa_get_config(fd, value, &c, 1));
	EXPECT_EQ(-EINVAL, vdpa_get_config(fd, value - 1, &c, 2));
	EXPECT_EQ(-EINVAL, vdpa_get_config(fd, ~0u, &c, 2));

	/* What is read-only stays as it is. */
	c.capacity = 1;
	vdpa_set_config(fd, 0, &c.capacity, 8);
	EXPECT_EQ(0, vdpa_get_config(fd, 0, &c.capacity, 8));
	EXPECT_EQ(self->bed.capacity / SECTOR, c.capacity);
}

/* One who adds a unit as soon as there is a target. */
struct adder {
	pthread_t thread;
	const char *target;
	unsigned int unit;
	int result;
};

static void *add_unit(void *arg)
{
	struct adder *a = arg;
	struct vhost_target_unit_add u;
	unsigned int i;
	int fd = ctl_open();

	ctl_init_unit(&u, a->target);
	u.unit = a->unit;
	u.backend = VHOST_TARGET_BACKEND_NULL;
	u.capacity = MIB;
	for (i = 0; i < 1000000; i++) {
		a->result = ctl_call(fd, VHOST_TARGET_UNIT_ADD, &u);
		if (a->result != -ENOENT)
			break;
	}
	close(fd);
	return NULL;
}

/*
 * The target's device is made by whoever comes first: if each made one, one
 * would stay, and the next target of that name could not have any.
 */
TEST_F(vdpa, units_added_at_once)
{
	struct vhost_target_create c;
	struct adder a[2];
	unsigned int i, n;
	int ctl = ctl_open();

	for (n = 0; n < 20; n++) {
		ctl_init_create(&c, "vtbed.at_once");
		c.type = VHOST_TARGET_SCSI;
		c.flags = VHOST_TARGET_F_VDPA;
		c.num_queues = 1;
		for (i = 0; i < ARRAY_SIZE(a); i++) {
			a[i].target = c.name;
			a[i].unit = i;
			pthread_create(&a[i].thread, NULL, add_unit, &a[i]);
		}
		ASSERT_EQ(0, ctl_call(ctl, VHOST_TARGET_CREATE, &c));
		for (i = 0; i < ARRAY_SIZE(a); i++) {
			pthread_join(a[i].thread, NULL);
			EXPECT_EQ(0, a[i].result);
		}
		ASSERT_EQ(0, ctl_destroy(ctl, c.name));
	}
	close(ctl);
}

TEST_F(vdpa, negotiation)
{
	u64 features;
	int fd;

	MAKE(0);
	ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
	fd = self->d.fd;
	EXPECT_EQ(-EBUSY, vdpa_open_node(self->bed.name));
	EXPECT_EQ(0, vhost_get_features(fd, &features));
	EXPECT_EQ(-EINVAL, vhost_set_features(fd, 1ull << 63));
	EXPECT_EQ(-EINVAL, vhost_set_features(fd, ~0ull));
	EXPECT_EQ(0, vhost_set_features(fd, 0));

	/* No legacy drivers. */
	EXPECT_EQ(0, vdpa_set_status(fd, VDPA_ACK | VDPA_DRIVER));
	EXPECT_EQ(0, vhost_set_features(fd, features &
					~VBLK_BIT(VIRTIO_F_VERSION_1)));
	vdpa_set_status(fd, VDPA_ACK | VDPA_DRIVER | VDPA_FEATURES_OK);
	EXPECT_EQ(VDPA_ACK | VDPA_DRIVER, vdpa_status(fd));
	EXPECT_EQ(0, vhost_set_features(fd, features));
	EXPECT_EQ(0, vdpa_set_status(fd, VDPA_ACK | VDPA_DRIVER |
				     VDPA_FEATURES_OK));
	EXPECT_EQ(-EBUSY, vhost_set_features(fd, features));
	EXPECT_EQ(-EINVAL, vdpa_set_status(fd, VDPA_ACK));
	EXPECT_EQ(0, vdpa_set_status(fd, 0));
	EXPECT_EQ(0, vdpa_status(fd));

	/* Nor one that skips negotiation: its rings are not looked at. */
	ASSERT_EQ(0, vblk_make_memory(&self->d));
	ASSERT_EQ(0, vdpa_map_mem(fd, &self->d.mem));
	EXPECT_EQ(0, vhost_set_features(fd, 0));
	ASSERT_EQ(0, vdpa_setup_queue(self->q, 0));
	ASSERT_EQ(0, submit(self->q, READ, 1));
	vdpa_set_status(fd, VDPA_ACK | VDPA_DRIVER | VDPA_DRIVER_OK);
	sleep_ms(200);
	EXPECT_EQ(VBLK_ST_NONE, vring_read(self->q->req[0].status));
	RESET();
}

/* The start of QEMU 10.0 from where it reset the device. */
static int qemu_10_start(struct vblk *d, const u32 *base)
{
	struct vhost_vring_addr none = { 0 };
	int fd = d->fd, ret;
	unsigned int i;

	ret = vhost_set_features(fd, d->features);
	if (!ret)
		ret = vdpa_set_status(fd, VDPA_ACK | VDPA_DRIVER |
				      VDPA_FEATURES_OK);
	if (!ret)
		ret = vdpa_set_backend_features(fd, VDPA_BACKEND_FEATURES);
	for (i = 0; !ret && i < d->nr_queues; i++)
		ret = vdpa_setup_queue(&d->q[i], base[i]);
	/* What the driver did not set up is enabled all the same. */
	for (; !ret && i < QUEUES; i++) {
		none.index = i;
		ret = ctl_call(fd, VHOST_SET_VRING_ADDR, &none);
		if (!ret)
			ret = vdpa_enable(fd, i, true);
	}
	if (!ret)
		ret = vdpa_map_mem(fd, &d->mem);
	if (!ret)
		ret = vdpa_start(d);
	if (!ret)
		ret = vdpa_set_config_call(fd, d->q[0].err);
	for (i = 0; !ret && i < d->nr_queues; i++)
		ret = vhost_set_vring_call(fd, i, d->q[i].call);
	return ret;
}

static int qemu_stop(struct vblk *d, u32 *base)
{
	int fd = d->fd, ret;
	unsigned int i;

	ret = vdpa_suspend(fd);
	for (i = 0; !ret && i < d->nr_queues; i++)
		ret = vhost_get_vring_base(fd, i, &base[i]);
	if (!ret)
		ret = vdpa_set_status(fd, 0);
	if (!ret)
		ret = vdpa_set_status(fd, VDPA_ACK | VDPA_DRIVER);
	if (!ret)
		ret = vdpa_unmap_mem(fd, &d->mem);
	return ret ? ret : vdpa_set_config_call(fd, -1);
}

/* Stop and go on, with requests made in between. */
#define STOP_AND_CONT(base) do { \
	unsigned int __i; \
	for (__i = 0; __i < 3; __i++) { \
		ASSERT_EQ(0, qemu_stop(&self->d, base)); \
		EXPECT_EQ(vring_base(&self->q->vr), (base)[0]); \
		ASSERT_EQ(0, submit(self->q, READ, FLIGHT)); \
		EXPECT_EQ(0, quiet(self->q, 50)); \
		ASSERT_EQ(0, qemu_10_start(&self->d, base)); \
		ASSERT_EQ(0, vblk_drain(self->q)); \
		VERIFIED(2 + __i); \
	} \
} while (0)

TEST_F(vdpa, qemu_10)
{
	u32 base[QUEUES] = { 0 };
	u64 size = 0;
	int fd;

	MAKE(0);
	vblk_init(&self->d, &self->o);
	fd = vdpa_open_node(self->bed.name);
	ASSERT_LE(0, fd);
	self->d.fd = fd;
	self->d.open = true;
	EXPECT_EQ(0, vhost_get_features(fd, &self->d.features));
	if (!variant->packed)
		self->d.features &= ~VBLK_BIT(VIRTIO_F_RING_PACKED);
	EXPECT_EQ(0, vdpa_set_status(fd, VDPA_ACK));
	EXPECT_EQ(0, vdpa_set_status(fd, VDPA_ACK | VDPA_DRIVER));
	EXPECT_EQ(VDPA_ACK | VDPA_DRIVER, vdpa_status(fd));
	/* Only now. */
	EXPECT_EQ(0, vhost_set_owner(fd));
	EXPECT_EQ(0, vhost_set_vring_call(fd, 0, -1));
	EXPECT_EQ(0, vhost_set_features(fd, 0));
	EXPECT_EQ(0, vdpa_read_config(&self->d));
	ASSERT_EQ(0, vblk_make_memory(&self->d));
	base[0] = vring_base(&self->q->vr);
	ASSERT_EQ(0, qemu_10_start(&self->d, base));
	ASSERT_EQ(VDPA_RUNNING, vdpa_status(fd));
	EXPECT_EQ(0, vdpa_read_config(&self->d));
	VERIFIED(1);
	ALL_WELL();
	STOP_AND_CONT(base);
	ALL_WELL();
	EXPECT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
}

TEST_F(vdpa, qemu_11)
{
	u32 base[QUEUES] = { 0 };
	int fd;

	MAKE(0);
	ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
	fd = self->d.fd;
	ASSERT_EQ(0, vblk_make_memory(&self->d));
	ASSERT_EQ(0, vdpa_map_mem(fd, &self->d.mem));
	EXPECT_EQ(0, vhost_get_features(fd, &self->d.features));
	if (!variant->packed)
		self->d.features &= ~VBLK_BIT(VIRTIO_F_RING_PACKED);
	EXPECT_EQ(0, vdpa_set_status(fd, 0));
	ASSERT_EQ(0, vdpa_unmap_mem(fd, &self->d.mem));

	ASSERT_EQ(0, vhost_set_features(fd, self->d.features));
	ASSERT_EQ(0, vdpa_set_status(fd, VDPA_FEATURES_OK));
	EXPECT_EQ(VDPA_FEATURES_OK, vdpa_status(fd));
	ASSERT_EQ(0, vdpa_setup_queues(&self->d));
	EXPECT_EQ(0, vdpa_enable(fd, 1, true));
	EXPECT_EQ(0, vdpa_enable(fd, 2, true));
	ASSERT_EQ(0, vdpa_map_mem(fd, &self->d.mem));
	ASSERT_EQ(0, vdpa_set_status(fd, VDPA_FEATURES_OK | VDPA_DRIVER_OK));
	EXPECT_EQ(VDPA_FEATURES_OK | VDPA_DRIVER_OK, vdpa_status(fd));
	VERIFIED(1);
	STOP_AND_CONT(base);
	ALL_WELL();
}

static int cache_set(const struct vblk *d, u8 on)
{
	return vdpa_set_config(d->fd, offsetof(struct virtio_blk_config, wce),
			       &on, sizeof(on));
}

/* 0 or 1, or -errno. */
static int cache_is(const struct vblk *d)
{
	u8 on;
	int ret = vdpa_get_config(d->fd, offsetof(struct virtio_blk_config, wce),
				  &on, sizeof(on));

	return ret ? ret : on;
}

/* A driver that has turned the cache off does not flush after a stop either. */
TEST_F(vdpa, cache_off_while_stopped)
{
	u32 base[QUEUES] = { 0 };
	unsigned int i;

	ASSERT_EQ(0, make_cached(&self->bed, &self->disk, variant->use_va));
	OPEN();
	EXPECT_EQ(1, cache_is(&self->d));
	ASSERT_EQ(0, cache_set(&self->d, 0));
	VERIFIED(1);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, qemu_stop(&self->d, base));
		ASSERT_EQ(0, qemu_10_start(&self->d, base));
		EXPECT_EQ(0, cache_is(&self->d));
		VERIFIED(2 + i);
	}
	/* A new driver, on the same node and on another. */
	RESET();
	EXPECT_EQ(1, cache_is(&self->d));
	ASSERT_EQ(0, cache_set(&self->d, 0));
	ASSERT_EQ(0, vdpa_set_status(self->d.fd, 0));
	EXPECT_EQ(1, cache_is(&self->d));
	RESET();
	ASSERT_EQ(0, cache_set(&self->d, 0));
	vblk_close(&self->d);
	self->o.start_index = 120;
	OPEN();
	EXPECT_EQ(1, cache_is(&self->d));
	VERIFIED(9);
}

/* Nothing is lost, nothing is done twice, wherever the rings stand. */
TEST_F(vdpa, suspend_and_resume)
{
	static const u16 start[] = { 0, 120, 0xfff8 };
	unsigned int i;
	u32 base;

	MAKE(SLOW_NS);
	for (i = 0; i < ARRAY_SIZE(start); i++) {
		self->o.start_index = start[i];
		if (variant->packed)
			self->o.start_index %= QUEUE_SIZE;
		OPEN();
		IN_FLIGHT(READ);
		ASSERT_EQ(0, vdpa_suspend(self->d.fd));
		/* All that comes has come. */
		EXPECT_LT(0, take_done(self->q));
		ASSERT_EQ(0, vhost_get_vring_base(self->d.fd, 0, &base));
		EXPECT_EQ(vring_base(&self->q->vr), base);
		ASSERT_EQ(0, submit(self->q, READ, FLIGHT / 2));
		vblk_force_kick(self->q);
		EXPECT_EQ(0, vdpa_enable(self->d.fd, 0, false));
		EXPECT_EQ(0, vdpa_enable(self->d.fd, 0, true));
		EXPECT_EQ(0, quiet(self->q, 400));
		ASSERT_EQ(0, vdpa_resume(self->d.fd));
		EXPECT_EQ(0, vblk_drain(self->q));
		ALL_WELL();
		vblk_close(&self->d);
	}
}

TEST_F(vdpa, suspend_and_start_again)
{
	u32 base[QUEUES] = { 0 };
	unsigned int i;

	MAKE(SLOW_NS);
	OPEN();
	for (i = 0; i < 3; i++) {
		IN_FLIGHT(READ);
		ASSERT_EQ(0, qemu_stop(&self->d, base));
		EXPECT_LT(0, take_done(self->q));
		EXPECT_EQ(vring_base(&self->q->vr), base[0]);
		EXPECT_EQ(0, quiet(self->q, 400));
		ASSERT_EQ(0, qemu_10_start(&self->d, base));
		EXPECT_EQ(0, vblk_drain(self->q));
	}
	ALL_WELL();
}

TEST_F(vdpa, kick_before_driver_ok)
{
	u64 one = 1;
	int event;

	MAKE(0);
	self->o.no_start = true;
	OPEN();
	/* A queue that has nothing but an eventfd. */
	event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, event);
	ASSERT_EQ(0, vhost_set_vring_kick(self->d.fd, 1, event));
	EXPECT_EQ(8, write(event, &one, 8));
	ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
	vblk_force_kick(self->q);
	EXPECT_EQ(0, quiet(self->q, 100));
	ASSERT_EQ(0, vdpa_start(&self->d));
	EXPECT_EQ(0, vblk_drain(self->q));
	EXPECT_EQ(8, write(event, &one, 8));
	VERIFIED(1);
	ALL_WELL();
	close(event);
}

TEST_F(vdpa, ready_off_and_on)
{
	unsigned int i;
	u32 base;

	MAKE(SLOW_NS / 3);
	self->o.nr_queues = 2;
	OPEN();
	for (i = 0; i < 4; i++) {
		IN_FLIGHT(READ);
		ASSERT_EQ(0, vdpa_enable(self->d.fd, 0, false));
		EXPECT_LT(0, take_done(self->q));
		ASSERT_EQ(0, vhost_get_vring_base(self->d.fd, 0, &base));
		EXPECT_EQ(vring_base(&self->q->vr), base);
		ASSERT_EQ(0, submit(self->q, READ, FLIGHT / 2));
		vblk_force_kick(self->q);
		EXPECT_EQ(0, quiet(self->q, 200));
		/* The other one goes on. */
		EXPECT_EQ(0, vblk_verified_io(&self->d.q[1], 512, 4, LEN, i));
		ASSERT_EQ(0, vdpa_enable(self->d.fd, 0, true));
		EXPECT_EQ(0, vblk_drain(self->q));
	}
	ALL_WELL();
}

TEST_F(vdpa, eventfds_replaced)
{
	MAKE(0);
	OPEN();
	EXPECT_EQ(0, swap_calls(self->q, 100));
	VERIFIED(1);
}

/* The configuration: changes are told. */

static bool event_came(int event, unsigned int ms)
{
	struct pollfd p = { .fd = event, .events = POLLIN };
	u64 count;

	return poll(&p, 1, ms) > 0 && read(event, &count, 8) == 8;
}

/* QEMU starts a stopped device again before it sets the eventfds to call. */
TEST_F(vdpa, called_after_the_start)
{
	struct vhost_target_stats st = { 0 };
	unsigned int i;
	int event;

	MAKE(0);
	self->o.no_start = true;
	OPEN();
	ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
	ASSERT_EQ(0, vdpa_start(&self->d));
	for (i = 0; i < VT_PATIENCE * 100 &&
	     st.ops[VHOST_TARGET_OP_READ] < FLIGHT; i++) {
		bed_stats(&self->bed, &st);
		sleep_ms(10);
	}
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, event);
	ASSERT_EQ(0, vhost_set_vring_call(self->d.fd, 0, event));
	EXPECT_TRUE(event_came(event, VT_PATIENCE * 1000));
	close(self->q->call);
	self->q->call = event;
	ASSERT_EQ(0, vblk_drain(self->q));
	ALL_WELL();
}

TEST_F(vdpa, resized)
{
	u64 size;
	int event;

	MAKE_NULL();
	OPEN();
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_EQ(0, vdpa_set_config_call(self->d.fd, event));
	for (size = 32 * MIB; size >= 8 * MIB; size /= 2) {
		ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0,
					&size));
		EXPECT_TRUE(event_came(event, VT_PATIENCE * 1000));
		EXPECT_EQ(0, vdpa_read_config(&self->d));
		EXPECT_EQ(size / SECTOR, self->d.config.capacity);
		EXPECT_EQ(VDPA_RUNNING, vdpa_status(self->d.fd));
		EXPECT_EQ(0, vblk_do(self->q, READ, size / SECTOR - 8, NULL,
				     LEN));
	}
	ASSERT_EQ(0, vdpa_set_config_call(self->d.fd, -1));
	size = 64 * MIB;
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	EXPECT_FALSE(event_came(event, 100));
	/* Told as soon as there is somebody to be told. */
	ASSERT_EQ(0, vdpa_set_config_call(self->d.fd, event));
	EXPECT_TRUE(event_came(event, VT_PATIENCE * 1000));
	EXPECT_EQ(0, vdpa_read_config(&self->d));
	ASSERT_EQ(0, vdpa_set_config_call(self->d.fd, event));
	EXPECT_FALSE(event_came(event, 100));
	close(event);
}

/* As QEMU does when a VM goes on: the guest's driver knows of nothing. */
static int running_again(struct vblk *d, int event, bool first)
{
	const u8 status = VDPA_ACK | VDPA_DRIVER;
	int ret = vdpa_set_status(d->fd, status);

	if (!ret)
		ret = vhost_set_features(d->fd, d->features);
	if (!ret)
		ret = vdpa_set_status(d->fd, status | VDPA_FEATURES_OK);
	if (!ret && first)
		ret = vdpa_set_config_call(d->fd, event);
	if (!ret)
		ret = vdpa_set_status(d->fd, VDPA_RUNNING);
	if (!ret && !first)
		ret = vdpa_set_config_call(d->fd, event);
	return ret;
}

TEST_F(vdpa, resized_while_stopped)
{
	struct vhost_target_info info;
	u64 size = 32 * MIB;
	int event, i;

	MAKE_NULL();
	OPEN();
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (i = 0; i < 2; i++, size *= 2) {
		ASSERT_EQ(0, vdpa_set_status(self->d.fd, 0));
		ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
		EXPECT_EQ(0, info.nr_sessions);
		ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
		ASSERT_EQ(0, running_again(&self->d, event, i));
		EXPECT_TRUE(event_came(event, VT_PATIENCE * 1000));
		EXPECT_EQ(0, vdpa_read_config(&self->d));
		EXPECT_EQ(size / SECTOR, self->d.config.capacity);
		/* Nothing has changed since. */
		ASSERT_EQ(0, vdpa_set_status(self->d.fd, 0));
		ASSERT_EQ(0, running_again(&self->d, event, i));
		EXPECT_FALSE(event_came(event, 100));
	}
	close(event);
}

/* A driver that has given up has nothing that anybody would wait for. */
TEST_F(vdpa, failed)
{
	struct vhost_target_info info;

	MAKE(0);
	OPEN();
	ASSERT_EQ(0, vdpa_set_status(self->d.fd,
				     VDPA_RUNNING | VIRTIO_CONFIG_S_FAILED));
	EXPECT_EQ(VDPA_RUNNING | VIRTIO_CONFIG_S_FAILED,
		  vdpa_status(self->d.fd));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(0, info.nr_sessions);
	EXPECT_EQ(0, info.nr_running_queues);
	ASSERT_EQ(0, vdpa_reset(&self->d));
	VERIFIED(1);
}

static void *resize_for_ever(void *arg)
{
	struct bed *bed = arg;
	u64 size = 0;

	while (vring_read(&bed->block_size)) {
		size = size == 32 * MIB ? 16 * MIB : 32 * MIB;
		if (ctl_resize(bed->ctl, bed->name, 0, &size))
			return (void *)1;
	}
	return NULL;
}

TEST_F(vdpa, resized_while_opened_and_closed)
{
	pthread_t thread;
	unsigned int i;
	void *ret;

	MAKE_NULL();
	ASSERT_EQ(0, pthread_create(&thread, NULL, resize_for_ever,
				    &self->bed));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
		ASSERT_EQ(0, vdpa_negotiate(&self->d));
		self->q->err = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ASSERT_EQ(0, vdpa_set_config_call(self->d.fd, self->q->err));
		EXPECT_TRUE(event_came(self->q->err, VT_PATIENCE * 1000));
		vblk_close(&self->d);
	}
	vring_write(&self->bed.block_size, 0);
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
}

/* Nobody is told who is gone: neither the session nor its driver. */
TEST_F(vdpa, resized_without_a_driver)
{
	char name[VHOST_TARGET_NAME_LEN];
	u64 size = 32 * MIB;

	MAKE_NULL();
	ASSERT_EQ(0, vdpa_name(self->bed.name, name, sizeof(name)));
	OPEN();
	vblk_close(&self->d);
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	ASSERT_EQ(0, write_text(name, VDPA_DRIVER_DIR "/unbind"));
	size = 16 * MIB;
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	ASSERT_EQ(0, write_text(name, VDPA_DRIVER_DIR "/bind"));
	/* Nor in the place of somebody who has not asked for it. */
	ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
	ASSERT_EQ(0, vdpa_negotiate(&self->d));
	size = 32 * MIB;
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	vblk_close(&self->d);
	OPEN();
	EXPECT_EQ(0, vblk_do(self->q, READ, 0, NULL, LEN));
}

/* Others. */

TEST_F(vdpa, ioctl_door_while_in_use)
{
	struct vblk other = { 0 };
	int fd;

	if (access(VHOST_BLK_NODE, F_OK))
		SKIP(return, "vhost_blk is not loaded");
	MAKE(0);
	OPEN();
	fd = vhost_open(VHOST_BLK_NODE);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vhost_set_owner(fd));
	EXPECT_EQ(-EBUSY, vhost_attach(fd, self->bed.name));
	VERIFIED(1);
	ALL_WELL();
	ASSERT_EQ(0, vdpa_set_status(self->d.fd, 0));
	EXPECT_EQ(0, vhost_attach(fd, self->bed.name));

	/* Now the reverse. */
	vdpa_set_status(self->d.fd, VDPA_ACK | VDPA_DRIVER);
	EXPECT_EQ(0, vdpa_status(self->d.fd) & VDPA_DRIVER);
	close(fd);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	ASSERT_EQ(0, vblk_open(&other, &self->o));
	vdpa_set_status(self->d.fd, VDPA_RUNNING);
	EXPECT_EQ(0, vdpa_status(self->d.fd) & VDPA_DRIVER_OK);
	EXPECT_EQ(0, vblk_verified_io(&other.q[0], 0, 24, LEN, 2));
	/* Nor does the reset of one end the other. */
	ASSERT_EQ(0, vdpa_set_status(self->d.fd, 0));
	EXPECT_EQ(0, vblk_verified_io(&other.q[0], 0, 24, LEN, 3));
	vblk_close(&other);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	RESET();
}

TEST_F(vdpa, destroy_while_attached)
{
	MAKE(0);
	OPEN();
	EXPECT_EQ(-EBUSY, ctl_destroy(self->bed.ctl, self->bed.name));
	EXPECT_EQ(-EBUSY, ctl_remove_unit(self->bed.ctl, self->bed.name, 0));
	VERIFIED(1);
	ALL_WELL();
}

struct worker {
	const struct bed *bed;
	bool use_va;
	int ret;
};

static void *destroy(void *arg)
{
	struct worker *w = arg;

	w->ret = ctl_destroy(w->bed->ctl, w->bed->name);
	return NULL;
}

static void *make_another(void *arg)
{
	struct worker *w = arg;
	struct disk disk;
	struct bed bed;

	w->ret = make_null(&bed, &disk, w->use_va);
	if (!w->ret)
		bed_destroy(&bed);
	return NULL;
}

static int join(pthread_t thread, unsigned int seconds)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	return pthread_timedjoin_np(thread, NULL, &end);
}

/* In a child that is user @uid: the status a VMM gets to. */
static int attach_as(const struct vblk *d, uid_t uid)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setuid(uid))
			_exit(255);
		vdpa_set_status(d->fd, VDPA_ACK);
		vdpa_set_status(d->fd, VDPA_ACK | VDPA_DRIVER);
		_exit(vdpa_status(d->fd));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return WEXITSTATUS(status);
}

/* Who may open its node may attach to a target, unless that has an owner. */
TEST_F(vdpa, only_its_owner)
{
	static const u32 owner[] = { 0, 65533 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(owner); i++) {
		struct bed_opts b = bed_opts(&self->disk, variant->use_va);
		struct disk_opts d = {
			.kind = DISK_NULL, .block_size = SECTOR, .size_mb = 16,
		};

		b.uid = owner[i];
		ASSERT_EQ(0, disk_create(&self->disk, &d));
		ASSERT_EQ(0, bed_make(&self->bed, &b));
		ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
		EXPECT_EQ(VDPA_ACK | VDPA_DRIVER,
			  attach_as(&self->d, owner[i]));
		ASSERT_EQ(0, vdpa_set_status(self->d.fd, 0));
		/* Without an owner it is for who has the node. */
		EXPECT_EQ(owner[i] ? VDPA_ACK : VDPA_ACK | VDPA_DRIVER,
			  attach_as(&self->d, 65534));
		ASSERT_EQ(0, vdpa_set_status(self->d.fd, 0));
		EXPECT_EQ(VDPA_ACK | VDPA_DRIVER, attach_as(&self->d, 0));
		vblk_close(&self->d);
		EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	}
}

/* Whose limits count: who goes beyond ACKNOWLEDGE, even if it is root's. */
TEST_F(vdpa, user_limits)
{
	struct vhost_target_info info;

	MAKE_NULL();
	ASSERT_EQ(0, drop_capability(CAP_SYS_RESOURCE));
	ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
	ASSERT_EQ(0, vdpa_set_status(self->d.fd, VDPA_ACK));
	ASSERT_EQ(0, user_limits(0, 1));
	vdpa_set_status(self->d.fd, VDPA_ACK | VDPA_DRIVER);
	EXPECT_EQ(VDPA_ACK, vdpa_status(self->d.fd));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(0, info.nr_sessions);
	EXPECT_EQ(1, info.over_limit);
	EXPECT_EQ(0, user_limits_reset());
	vdpa_set_status(self->d.fd, VDPA_ACK | VDPA_DRIVER);
	EXPECT_EQ(VDPA_ACK | VDPA_DRIVER, vdpa_status(self->d.fd));
}

/* A VMM that only holds the node open keeps nobody from his work. */
TEST_F(vdpa, destroy_while_open)
{
	struct worker w[2] = {
		{ &self->bed, variant->use_va, -EINPROGRESS },
		{ &self->bed, variant->use_va, -EINPROGRESS },
	};
	struct vhost_target_info info;
	pthread_t thread[2];
	bool stuck[2];

	MAKE(0);
	ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
	ASSERT_EQ(0, pthread_create(&thread[0], NULL, destroy, &w[0]));
	sleep_ms(300);
	ASSERT_EQ(0, pthread_create(&thread[1], NULL, make_another, &w[1]));
	stuck[1] = join(thread[1], VT_PATIENCE);
	stuck[0] = join(thread[0], VT_PATIENCE);
	EXPECT_FALSE(stuck[1])
		TH_LOG("no other target with a vDPA device can be made");
	EXPECT_FALSE(stuck[0])
		TH_LOG("DESTROY does not return before the node is closed");
	ctl_get(self->bed.ctl, self->bed.name, &info);
	vblk_close(&self->d);
	if (stuck[0]) {
		ASSERT_EQ(0, join(thread[0], VT_PATIENCE));
	}
	if (stuck[1]) {
		ASSERT_EQ(0, join(thread[1], VT_PATIENCE));
	}
	EXPECT_EQ(0, w[1].ret);
	EXPECT_TRUE(!w[0].ret || w[0].ret == -EBUSY);
	if (!w[0].ret)
		self->bed.name[0] = 0;
}

TEST_HARNESS_MAIN
