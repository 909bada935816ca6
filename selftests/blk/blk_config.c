// SPDX-License-Identifier: GPL-2.0
/* Configuration: what the VM is shown, and how a session may be set up. */
#include <fcntl.h>
#include <linux/loop.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "pattern.h"
#include "vblk.h"

#define SIZE_MB 16

static int new_disk(struct disk *disk, enum disk_kind kind)
{
	struct disk_opts o = {
		.kind = kind,
		.block_size = 512,
		.size_mb = SIZE_MB,
	};

	return disk_create(disk, &o);
}

#define NEW_DISK(kind) ASSERT_EQ(0, new_disk(&self->disk, kind))

FIXTURE(config)
{
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct vblk_queue *q;
	struct vblk_opts o;
};

FIXTURE_VARIANT(config)
{
	enum disk_kind kind;
	bool packed;
};

FIXTURE_VARIANT_ADD(config, null_split) { DISK_NULL, false };
FIXTURE_VARIANT_ADD(config, bdev_split) { DISK_BDEV, false };
FIXTURE_VARIANT_ADD(config, bdev_packed) { DISK_BDEV, true };
FIXTURE_VARIANT_ADD(config, file_packed) { DISK_FILE, true };

FIXTURE_SETUP(config)
{
	bed_sweep();
	NEW_DISK(variant->kind);
	self->q = &self->d.q[0];
	self->o.target = self->bed.name;
	self->o.packed = variant->packed;
	self->o.queue_size = 64;
}

FIXTURE_TEARDOWN(config)
{
	vblk_close(&self->d);
	bed_destroy(&self->bed);
	disk_destroy(&self->disk);
}

static int make(struct bed *bed, struct disk *disk, unsigned int queues,
		unsigned int unit_flags)
{
	struct bed_opts b = {
		.disk = disk,
		.num_queues = queues,
		.unit_flags = unit_flags,
	};

	return bed_make(bed, &b);
}

#define MAKE(queues, unit_flags) \
	ASSERT_EQ(0, make(&self->bed, &self->disk, queues, unit_flags))
#define OPEN() ASSERT_EQ(0, vblk_open(&self->d, &self->o))
/* The null backend has no data to verify. */
static int works(enum disk_kind kind, struct vblk_queue *q)
{
	if (kind == DISK_NULL)
		return vblk_do(q, VIRTIO_BLK_T_IN, 0, NULL, 4096);
	return vblk_verified_io(q, 0, 40, 4096, 3);
}

#define WORKS(queue) EXPECT_EQ(0, works(variant->kind, queue))

TEST_F(config, read_only)
{
	MAKE(1, VHOST_TARGET_UNIT_F_RO);
	OPEN();
	EXPECT_TRUE(vblk_has(&self->d, VIRTIO_BLK_F_RO));
	EXPECT_FALSE(vblk_has(&self->d, VIRTIO_BLK_F_DISCARD));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  vblk_do(self->q, VIRTIO_BLK_T_OUT, 0, NULL, 512));
	EXPECT_EQ(VIRTIO_BLK_S_OK,
		  vblk_do(self->q, VIRTIO_BLK_T_IN, 0, NULL, 512));
}

TEST_F(config, no_discard)
{
	MAKE(1, VHOST_TARGET_UNIT_F_NO_DISCARD);
	OPEN();
	EXPECT_FALSE(vblk_has(&self->d, VIRTIO_BLK_F_DISCARD));
	WORKS(self->q);
}

static int get_wce(struct vblk *d)
{
	u8 wce = 0xff;
	int ret;

	ret = vhost_get_config(d->fd, offsetof(struct virtio_blk_config, wce),
			       &wce, 1);
	return ret ? ret : wce;
}

static int set_wce(struct vblk *d, u8 wce)
{
	return vhost_set_config(d->fd, offsetof(struct virtio_blk_config, wce),
				&wce, 1);
}

/*
 * Assumption: a write cache can be switched where there is one, which is
 * always the case for a file; FLUSH is offered whenever CONFIG_WCE is.
 */
TEST_F(config, write_cache)
{
	unsigned int i;

	MAKE(1, 0);
	OPEN();
	if (variant->kind == DISK_FILE)
		EXPECT_TRUE(vblk_has(&self->d, VIRTIO_BLK_F_CONFIG_WCE));
	if (!vblk_has(&self->d, VIRTIO_BLK_F_CONFIG_WCE))
		SKIP(return, "no write cache");
	EXPECT_TRUE(vblk_has(&self->d, VIRTIO_BLK_F_FLUSH));
	/* It starts as the backend has it: a file caches, these disks do not. */
	EXPECT_EQ(variant->kind == DISK_FILE, get_wce(&self->d));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, set_wce(&self->d, i & 1));
		EXPECT_EQ(i & 1, get_wce(&self->d));
		WORKS(self->q);
		EXPECT_EQ(0, vblk_do(self->q, VIRTIO_BLK_T_FLUSH, 0, NULL, 0));
	}
}

/* No cache is shown: it reads as off, or there is nothing to be flushed. */
TEST_F(config, writethrough)
{
	MAKE(1, VHOST_TARGET_UNIT_F_WRITETHROUGH);
	OPEN();
	if (vblk_has(&self->d, VIRTIO_BLK_F_CONFIG_WCE)) {
		EXPECT_EQ(0, get_wce(&self->d));
	} else {
		EXPECT_FALSE(vblk_has(&self->d, VIRTIO_BLK_F_FLUSH));
	}
	WORKS(self->q);
}

/* Wait until the eventfd says that the configuration has changed. */
static int config_changed(int event)
{
	struct pollfd p = { .fd = event, .events = POLLIN };
	u64 count;

	if (poll(&p, 1, VT_PATIENCE * 1000) != 1)
		return -ETIMEDOUT;
	return read(event, &count, sizeof(count)) == sizeof(count) ? 0 : -EIO;
}

/* As SeaBIOS does: one queue of the four. */
TEST_F(config, only_one_queue)
{
	unsigned int i;

	MAKE(4, 0);
	for (i = 0; i < 4; i++) {
		self->o.nr_queues = 4;
		self->o.no_start = true;
		ASSERT_EQ(0, vblk_attach(&self->d, &self->o));
		ASSERT_EQ(0, vblk_negotiate(&self->d));
		ASSERT_EQ(0, vblk_setup_memory(&self->d));
		ASSERT_EQ(0, vblk_setup_queue(&self->d.q[i],
					      vring_base(&self->d.q[i].vr)));
		ASSERT_EQ(0, vhost_start(self->d.fd));
		WORKS(&self->d.q[i]);
		vblk_close(&self->d);
	}
}

/* Each queue set up and started while others run already. */
TEST_F(config, queues_in_any_order)
{
	static const unsigned int order[] = { 2, 0, 3, 1 };
	unsigned int i, j;

	MAKE(4, 0);
	self->o.nr_queues = 4;
	ASSERT_EQ(0, vblk_attach(&self->d, &self->o));
	ASSERT_EQ(0, vblk_negotiate(&self->d));
	ASSERT_EQ(0, vblk_setup_memory(&self->d));
	for (i = 0; i < 4; i++) {
		struct vblk_queue *q = &self->d.q[order[i]];

		ASSERT_EQ(0, vblk_setup_queue(q, vring_base(&q->vr)));
		ASSERT_EQ(0, vhost_start(self->d.fd));
		for (j = 0; j <= i; j++)
			WORKS(&self->d.q[order[j]]);
	}
}

/* Requests and kicks from before the device runs are not lost. */
TEST_F(config, kick_before_start)
{
	struct vblk_req *r;
	unsigned int i;

	MAKE(1, 0);
	self->o.no_start = true;
	OPEN();
	for (i = 0; i < 10; i++) {
		r = vblk_get(self->q);
		vblk_prepare(r, VIRTIO_BLK_T_IN, i, 512);
		ASSERT_EQ(0, vblk_submit(r));
		vblk_force_kick(self->q);
	}
	sleep_ms(100);
	EXPECT_EQ(-ETIMEDOUT, vblk_wait_ms(self->q, &r, 0));
	ASSERT_EQ(0, vhost_start(self->d.fd));
	EXPECT_EQ(0, vblk_drain(self->q));
}

/* The same without any kick: the device looks when it starts. */
TEST_F(config, work_before_start)
{
	struct vblk_req *r;

	MAKE(1, 0);
	self->o.no_start = true;
	OPEN();
	r = vblk_get(self->q);
	vblk_prepare(r, VIRTIO_BLK_T_IN, 0, 512);
	ASSERT_EQ(0, vblk_submit(r));
	ASSERT_EQ(0, vhost_start(self->d.fd));
	EXPECT_EQ(0, vblk_drain(self->q));
}

/* STOP, GET_VRING_BASE, START, as often as one likes: no request is lost. */
TEST_F(config, stop_and_go)
{
	unsigned int i, j;
	u32 base;

	MAKE(2, 0);
	self->o.nr_queues = 2;
	OPEN();
	for (i = 0; i < 50; i++) {
		for (j = 0; j < 20; j++) {
			struct vblk_queue *q = &self->d.q[j & 1];
			struct vblk_req *r = vblk_get(q);

			vblk_prepare(r, VIRTIO_BLK_T_IN, j, 512);
			ASSERT_EQ(0, vblk_submit(r));
			vblk_kick(q);
		}
		ASSERT_EQ(0, vhost_stop(self->d.fd));
		for (j = 0; j < 2; j++) {
			ASSERT_EQ(0, vhost_get_vring_base(self->d.fd, j,
							  &base));
			ASSERT_EQ(0, vblk_setup_queue(&self->d.q[j], base));
		}
		ASSERT_EQ(0, vhost_start(self->d.fd));
		ASSERT_EQ(0, vblk_drain(&self->d.q[0]));
		ASSERT_EQ(0, vblk_drain(&self->d.q[1]));
	}
	WORKS(self->q);
}

TEST_F(config, queue_sizes)
{
	static const unsigned int size[] = { 2, 4, 16, 128, 256 };
	unsigned int i;

	MAKE(1, 0);
	for (i = 0; i < ARRAY_SIZE(size); i++) {
		/* The smallest ring takes a request in a table only. */
		self->o.indirect = size[i] < 4;
		self->o.queue_size = size[i];
		OPEN();
		WORKS(self->q);
		vblk_close(&self->d);
	}
}

TEST_F(config, memory_layouts)
{
	enum mem_layout i;

	MAKE(1, 0);
	for (i = 0; i < 2 * MEM_LAYOUTS; i++) {
		self->o.layout = i / 2;
		self->o.memfd = i & 1;
		OPEN();
		WORKS(self->q);
		vblk_close(&self->d);
	}
}

/* Features that were not accepted are not used. */
TEST_F(config, no_features)
{
	MAKE(1, 0);
	self->o.without = ~VBLK_BIT(VIRTIO_F_VERSION_1);
	OPEN();
	WORKS(self->q);
}

/* Another VM later sees what an earlier one wrote. */
TEST_F(config, reattach)
{
	unsigned int i;
	u8 buf[512];

	MAKE(1, 0);
	for (i = 0; i < 20; i++) {
		OPEN();
		pattern_fill(buf, 512, i, i);
		EXPECT_EQ(0, vblk_do(self->q, VIRTIO_BLK_T_OUT, i, buf, 512));
		vblk_close(&self->d);
		OPEN();
		EXPECT_EQ(0, vblk_do(self->q, VIRTIO_BLK_T_IN, i, buf, 512));
		if (variant->kind != DISK_NULL)
			EXPECT_EQ(0, pattern_check(buf, 512, i, i));
		vblk_close(&self->d);
	}
}

FIXTURE(resize)
{
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct vblk_queue *q;
	struct vblk_opts o;
};

FIXTURE_SETUP(resize)
{
	bed_sweep();
	self->q = &self->d.q[0];
	self->o.target = self->bed.name;
}

FIXTURE_TEARDOWN(resize)
{
	vblk_close(&self->d);
	bed_destroy(&self->bed);
	disk_destroy(&self->disk);
}

TEST_F(resize, null)
{
	struct vhost_target_device before, after;
	u64 size = 2 * SIZE_MB * MIB, end = SIZE_MB * MIB / SECTOR;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	NEW_DISK(DISK_NULL);
	MAKE(1, 0);
	OPEN();
	ASSERT_EQ(0, vhost_set_config_call(self->d.fd, event));
	ASSERT_EQ(0, vhost_get_device(self->d.fd, &before));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  vblk_do(self->q, VIRTIO_BLK_T_IN, end, NULL, 512));
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	EXPECT_EQ(0, config_changed(event));
	ASSERT_EQ(0, vhost_get_device(self->d.fd, &after));
	EXPECT_NE(before.generation, after.generation);
	ASSERT_EQ(0, vblk_read_config(&self->d));
	EXPECT_EQ(2 * end, self->d.config.capacity);
	EXPECT_EQ(VIRTIO_BLK_S_OK,
		  vblk_do(self->q, VIRTIO_BLK_T_IN, 2 * end - 1, NULL, 512));

	size = MIB;
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	EXPECT_EQ(0, config_changed(event));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  vblk_do(self->q, VIRTIO_BLK_T_IN, end - 1, NULL, 512));
	EXPECT_EQ(VIRTIO_BLK_S_OK,
		  vblk_do(self->q, VIRTIO_BLK_T_IN, 0, NULL, 512));

	/* No longer wanted: no signal. */
	ASSERT_EQ(0, vhost_set_config_call(self->d.fd, -1));
	size = 2 * MIB;
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	EXPECT_EQ(-1, read(event, &size, sizeof(size)));
}

TEST_F(resize, file)
{
	u64 size = 0, end = SIZE_MB * MIB / SECTOR;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	NEW_DISK(DISK_FILE);
	MAKE(1, 0);
	OPEN();
	ASSERT_EQ(0, vhost_set_config_call(self->d.fd, event));
	ASSERT_EQ(0, truncate(self->disk.path, 2 * SIZE_MB * MIB));
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	EXPECT_EQ(2 * SIZE_MB * MIB, size);
	EXPECT_EQ(0, config_changed(event));
	EXPECT_EQ(0, vblk_verified_io(self->q, end, 40, 4096, 5));
	ASSERT_EQ(0, vblk_read_config(&self->d));
	EXPECT_EQ(2 * end, self->d.config.capacity);
}

/* A block device that grows: a loop device over the file. */
TEST_F(resize, bdev)
{
	u64 size = 0, end = SIZE_MB * MIB / SECTOR;
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fd;
	struct disk loop;

	NEW_DISK(DISK_FILE);
	loop = self->disk;
	loop.kind = DISK_BDEV;
	shell("modprobe -q loop");
	if (shell("losetup -f --show %s >/tmp/vt-loop", self->disk.path) ||
	    read_text("/tmp/vt-loop", loop.path, sizeof(loop.path)))
		SKIP(return, "no loop device");
	ASSERT_EQ(0, make(&self->bed, &loop, 1, 0));
	OPEN();
	ASSERT_EQ(0, vhost_set_config_call(self->d.fd, event));
	ASSERT_EQ(0, truncate(self->disk.path, 2 * SIZE_MB * MIB));
	fd = open(loop.path, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(0, ioctl(fd, LOOP_SET_CAPACITY, 0));
	close(fd);
	EXPECT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
	EXPECT_EQ(2 * SIZE_MB * MIB, size);
	EXPECT_EQ(0, config_changed(event));
	EXPECT_EQ(0, vblk_verified_io(self->q, end, 40, 4096, 5));
	vblk_close(&self->d);
	bed_destroy(&self->bed);
	shell("losetup -d %s", loop.path);
}

TEST_HARNESS_MAIN
