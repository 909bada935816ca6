// SPDX-License-Identifier: GPL-2.0
/* Two targets on one backend: who may, and what they have in common. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "pattern.h"
#include "vblk.h"

#define NAME_A "vtbed.share.a"
#define NAME_B "vtbed.share.b"
#define LINK "/tmp/vtbed.share.link"
#define SHARED VHOST_TARGET_UNIT_F_SHARED
#define RO VHOST_TARGET_UNIT_F_RO
#define SIZE_MB 16

FIXTURE(shared)
{
	int fd;
	unsigned int backend;
	struct disk disk;
	struct vblk a, b;
};

FIXTURE_VARIANT(shared)
{
	enum disk_kind kind;
};

FIXTURE_VARIANT_ADD(shared, bdev) { DISK_BDEV };
FIXTURE_VARIANT_ADD(shared, file) { DISK_FILE };

FIXTURE_SETUP(shared)
{
	struct disk_opts o = {
		.kind = variant->kind,
		.block_size = 512,
		.size_mb = SIZE_MB,
	};
	int poller;

	bed_sweep();
	unlink(LINK);
	self->fd = ctl_open();
	ASSERT_LE(0, self->fd);
	poller = ctl_some_poller(self->fd);
	ASSERT_EQ(0, ctl_create(self->fd, NAME_A, 1, 256, poller));
	ASSERT_EQ(0, ctl_create(self->fd, NAME_B, 1, 256, poller));
	ASSERT_EQ(0, disk_create(&self->disk, &o));
	self->backend = variant->kind == DISK_BDEV ?
			VHOST_TARGET_BACKEND_BDEV : VHOST_TARGET_BACKEND_FILE;
}

FIXTURE_TEARDOWN(shared)
{
	vblk_close(&self->a);
	vblk_close(&self->b);
	ctl_destroy(self->fd, NAME_A);
	ctl_destroy(self->fd, NAME_B);
	disk_destroy(&self->disk);
	unlink(LINK);
}

#define ADD(name, flags)						\
	ctl_add_path(self->fd, name, self->backend, self->disk.path, 0, flags)

static int attach(struct vblk *d, const char *name)
{
	struct vblk_opts o = { .target = name };

	return vblk_open(d, &o);
}

TEST_F(shared, all_must_say_so)
{
	ASSERT_EQ(0, ADD(NAME_A, 0));
	EXPECT_EQ(-EBUSY, ADD(NAME_B, SHARED));
	EXPECT_EQ(-EBUSY, ADD(NAME_B, 0));
	ASSERT_EQ(0, ctl_remove_unit(self->fd, NAME_A, 0));
	ASSERT_EQ(0, ADD(NAME_A, SHARED));
	EXPECT_EQ(-EBUSY, ADD(NAME_B, 0));
	EXPECT_EQ(0, ADD(NAME_B, SHARED));
}

TEST_F(shared, same_data)
{
	static u8 buf[4096], back[4096];

	memset(buf, 0x5a, sizeof(buf));
	ASSERT_EQ(0, ADD(NAME_A, SHARED));
	ASSERT_EQ(0, ADD(NAME_B, SHARED));
	ASSERT_EQ(0, attach(&self->a, NAME_A));
	ASSERT_EQ(0, attach(&self->b, NAME_B));
	EXPECT_EQ(VIRTIO_BLK_S_OK, vblk_do(&self->a.q[0], VIRTIO_BLK_T_OUT, 8,
					   buf, sizeof(buf)));
	EXPECT_EQ(VIRTIO_BLK_S_OK, vblk_do(&self->b.q[0], VIRTIO_BLK_T_IN, 8,
					   back, sizeof(back)));
	EXPECT_EQ(0, memcmp(buf, back, sizeof(buf)));
}

TEST_F(shared, by_another_path)
{
	ASSERT_EQ(0, symlink(self->disk.path, LINK));
	ASSERT_EQ(0, ADD(NAME_A, SHARED));
	EXPECT_EQ(0, ctl_add_path(self->fd, NAME_B, self->backend, LINK, 0,
				  SHARED));
}

TEST_F(shared, last_one_closes)
{
	int fd;

	ASSERT_EQ(0, ADD(NAME_A, SHARED));
	ASSERT_EQ(0, ADD(NAME_B, SHARED));
	ASSERT_EQ(0, ctl_destroy(self->fd, NAME_A));
	ASSERT_EQ(0, attach(&self->b, NAME_B));
	EXPECT_EQ(VIRTIO_BLK_S_OK, vblk_do(&self->b.q[0], VIRTIO_BLK_T_IN, 0,
					   NULL, 512));
	vblk_close(&self->b);
	if (variant->kind == DISK_BDEV) {
		EXPECT_GT(0, open(self->disk.path, O_RDWR | O_EXCL));
		EXPECT_EQ(EBUSY, errno);
	}
	ASSERT_EQ(0, ctl_create(self->fd, NAME_A, 1, 0, CTL_ANY_POLLER));
	EXPECT_EQ(-EBUSY, ADD(NAME_A, 0));
	EXPECT_EQ(0, ctl_destroy(self->fd, NAME_B));
	EXPECT_EQ(0, ADD(NAME_A, 0));
	EXPECT_EQ(0, ctl_destroy(self->fd, NAME_A));
	if (variant->kind == DISK_BDEV) {
		fd = open(self->disk.path, O_RDWR | O_EXCL);
		EXPECT_LE(0, fd);
		close(fd);
	}
}

TEST_F(shared, read_only)
{
	ASSERT_EQ(0, ADD(NAME_A, SHARED | RO));
	EXPECT_EQ(-EROFS, ADD(NAME_B, SHARED));
	EXPECT_EQ(0, ADD(NAME_B, SHARED | RO));
	EXPECT_EQ(0, ctl_remove_unit(self->fd, NAME_A, 0));
	EXPECT_EQ(0, ctl_remove_unit(self->fd, NAME_B, 0));

	ASSERT_EQ(0, ADD(NAME_A, SHARED));
	ASSERT_EQ(0, ADD(NAME_B, SHARED | RO));
	ASSERT_EQ(0, attach(&self->b, NAME_B));
	EXPECT_TRUE(vblk_has(&self->b, VIRTIO_BLK_F_RO));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, vblk_do(&self->b.q[0], VIRTIO_BLK_T_OUT,
					      0, NULL, 512));
	ASSERT_EQ(0, attach(&self->a, NAME_A));
	EXPECT_FALSE(vblk_has(&self->a, VIRTIO_BLK_F_RO));
	EXPECT_EQ(VIRTIO_BLK_S_OK, vblk_do(&self->a.q[0], VIRTIO_BLK_T_OUT, 0,
					   NULL, 512));
}

TEST_F(shared, block_size)
{
	ASSERT_EQ(0, ADD(NAME_A, SHARED));
	EXPECT_EQ(-ERANGE, ctl_add_path(self->fd, NAME_B, self->backend,
					self->disk.path, 4096, SHARED));
	EXPECT_EQ(0, ctl_add_path(self->fd, NAME_B, self->backend,
				  self->disk.path, 512, SHARED));
}

TEST_F(shared, null_is_not)
{
	EXPECT_EQ(-EINVAL, ctl_add_null(self->fd, NAME_A, 1 << 20, 512,
					SHARED));
	EXPECT_EQ(0, ctl_add_null(self->fd, NAME_A, 1 << 20, 512, 0));
}

TEST_F(shared, resize_reaches_all)
{
	struct vhost_target_device before, after;
	u64 size = 0, twice = 2ull * SIZE_MB << 20;

	if (variant->kind != DISK_FILE)
		SKIP(return, "only a file grows");
	ASSERT_EQ(0, ADD(NAME_A, SHARED));
	ASSERT_EQ(0, ADD(NAME_B, SHARED));
	ASSERT_EQ(0, attach(&self->b, NAME_B));
	ASSERT_EQ(0, vhost_get_device(self->b.fd, &before));
	ASSERT_EQ(0, truncate(self->disk.path, twice));
	ASSERT_EQ(0, ctl_resize(self->fd, NAME_A, 0, &size));
	EXPECT_EQ(twice, size);
	ASSERT_EQ(0, vhost_get_device(self->b.fd, &after));
	EXPECT_NE(before.generation, after.generation);
	ASSERT_EQ(0, vblk_read_config(&self->b));
	EXPECT_EQ(twice / 512, self->b.config.capacity);

	/* No change, no event. */
	before = after;
	size = 0;
	ASSERT_EQ(0, ctl_resize(self->fd, NAME_A, 0, &size));
	ASSERT_EQ(0, vhost_get_device(self->b.fd, &after));
	EXPECT_EQ(before.generation, after.generation);
}

TEST_HARNESS_MAIN
