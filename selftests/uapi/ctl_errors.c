// SPDX-License-Identifier: GPL-2.0
/* The control node: every errno its calls promise, and what they return. */
#include <fcntl.h>
#include <linux/vhost.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "vblk.h"

#define NAME "vtbed.errors"
#define NO_NAME "vtbed.nobody"
#define MANY 1000

FIXTURE(control)
{
	int fd;
	struct disk disk;
};

FIXTURE_SETUP(control)
{
	bed_sweep();
	self->fd = ctl_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ctl_create(self->fd, NAME, 2, 64, CTL_ANY_POLLER));
}

FIXTURE_TEARDOWN(control)
{
	ctl_destroy(self->fd, NAME);
	ctl_destroy(self->fd, NO_NAME);
	disk_destroy(&self->disk);
}

/* Where the header names two errors, or none. */
static bool one_of(int ret, int a, int b)
{
	if (ret != a && ret != b)
		vt_msg("%d is neither %d nor %d", ret, a, b);
	return ret == a || ret == b;
}

static int create_raw(int fd, const char *name, unsigned int type,
		      unsigned int queues, unsigned int size)
{
	struct vhost_target_create c;

	ctl_init_create(&c, name);
	c.type = type;
	c.num_queues = queues;
	c.queue_size = size;
	return ctl_call(fd, VHOST_TARGET_CREATE, &c);
}

TEST_F(control, create_twice)
{
	EXPECT_EQ(-EEXIST, ctl_create(self->fd, NAME, 1, 0, CTL_ANY_POLLER));
	EXPECT_EQ(0, ctl_destroy(self->fd, NAME));
	EXPECT_EQ(0, ctl_create(self->fd, NAME, 1, 0, CTL_ANY_POLLER));
}

/*
 * Assumption: a number that is no type at all is EINVAL or ENODEV; the header
 * gives ENODEV for a type whose module is missing.
 */
TEST_F(control, create_type)
{
	static const unsigned int none[] = { 0, 99, ~0u };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(none); i++)
		EXPECT_TRUE(one_of(create_raw(self->fd, NO_NAME, none[i], 1,
					      0), -EINVAL, -ENODEV));
	if (access("/sys/module/vhost_nvme", F_OK)) {
		EXPECT_EQ(-ENODEV, create_raw(self->fd, NO_NAME,
					      VHOST_TARGET_NVME, 1, 0));
	}
}

TEST_F(control, create_ranges)
{
	static const struct {
		unsigned int queues, size;
		int ret;
	} row[] = {
		{ 0, 0, 0 },
		{ 1, 2, 0 },
		{ VHOST_TARGET_MAX_QUEUES, VHOST_TARGET_MAX_QUEUE_SIZE, 0 },
		{ VHOST_TARGET_MAX_QUEUES + 1, 0, -ERANGE },
		{ ~0u, 0, -ERANGE },
		{ 1, 1, -ERANGE },
		{ 1, 3, -ERANGE },
		{ 1, 255, -ERANGE },
		{ 1, 2 * VHOST_TARGET_MAX_QUEUE_SIZE, -ERANGE },
		{ 1, 1u << 31, -ERANGE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		EXPECT_EQ(row[i].ret,
			  create_raw(self->fd, NO_NAME, VHOST_TARGET_BLK,
				     row[i].queues, row[i].size))
			TH_LOG("%u queues of %u", row[i].queues, row[i].size);
		EXPECT_EQ(row[i].ret ? -ENOENT : 0,
			  ctl_destroy(self->fd, NO_NAME));
	}
}

TEST_F(control, create_pollers)
{
	struct vhost_target_create c;
	u32 ids[2] = { ctl_some_poller(self->fd), 0xfffffff0 };

	ctl_init_create(&c, NO_NAME);
	c.num_queues = 1;
	c.nr_pollers = 2;
	c.pollers_ptr = (uintptr_t)ids;
	EXPECT_EQ(-ENOENT, ctl_call(self->fd, VHOST_TARGET_CREATE, &c));
	c.nr_pollers = VHOST_TARGET_MAX_POLLERS + 1;
	EXPECT_EQ(-ERANGE, ctl_call(self->fd, VHOST_TARGET_CREATE, &c));
	c.nr_pollers = ~0u;
	EXPECT_EQ(-ERANGE, ctl_call(self->fd, VHOST_TARGET_CREATE, &c));
	c.nr_pollers = 1;
	c.pollers_ptr = 1;
	EXPECT_EQ(-EFAULT, ctl_call(self->fd, VHOST_TARGET_CREATE, &c));
	c.pollers_ptr = (uintptr_t)ids;
	EXPECT_EQ(0, ctl_call(self->fd, VHOST_TARGET_CREATE, &c));
	EXPECT_EQ(-EBUSY, ctl_poller_remove(self->fd, ids[0]));
	EXPECT_EQ(0, ctl_destroy(self->fd, NO_NAME));
}

TEST_F(control, create_vdpa)
{
	struct vhost_target_create c;

	ctl_init_create(&c, NO_NAME);
	c.num_queues = 1;
	c.flags = VHOST_TARGET_F_VDPA;
	EXPECT_TRUE(one_of(ctl_call(self->fd, VHOST_TARGET_CREATE, &c), 0,
			   -EOPNOTSUPP));
}

TEST_F(control, names_allowed)
{
	static const char *const good[] = {
		"a", "0", "_", ":", "naa.600140554cf3a18e", "A-b.c:d_e",
		"a-", "a.", "a..b",
	};
	char name[VHOST_TARGET_NAME_LEN];
	struct vhost_target_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, ctl_create(self->fd, good[i], 1, 2,
					CTL_ANY_POLLER))
			TH_LOG("'%s'", good[i]);
		EXPECT_EQ(0, ctl_destroy(self->fd, good[i]));
	}
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	EXPECT_EQ(0, ctl_create(self->fd, name, 1, 2, CTL_ANY_POLLER));
	EXPECT_EQ(0, ctl_get(self->fd, name, &info));
	EXPECT_STREQ(name, info.name);
	EXPECT_EQ(0, ctl_destroy(self->fd, name));
}

TEST_F(control, get)
{
	struct vhost_target_info info;
	struct vhost_target_create c;

	EXPECT_EQ(-ENOENT, ctl_get(self->fd, NO_NAME, &info));
	ctl_init_create(&c, NO_NAME);
	c.flags = VHOST_TARGET_F_SHARED;
	c.num_queues = 3;
	c.uid = 1234;
	c.gid = 5678;
	ASSERT_EQ(0, ctl_call(self->fd, VHOST_TARGET_CREATE, &c));
	ASSERT_EQ(0, ctl_get(self->fd, NO_NAME, &info));
	EXPECT_EQ(VHOST_TARGET_BLK, info.type);
	EXPECT_EQ(VHOST_TARGET_F_SHARED, info.target_flags);
	EXPECT_EQ(3, info.num_queues);
	EXPECT_EQ(256, info.queue_size);
	EXPECT_EQ(1234, info.uid);
	EXPECT_EQ(5678, info.gid);
	EXPECT_EQ(0, info.nr_units);
	EXPECT_EQ(0, info.nr_sessions);
	EXPECT_EQ(0, info.nr_running_queues);
	EXPECT_EQ(0, info.reserved0);
	EXPECT_STREQ(NO_NAME, info.name);
	EXPECT_STREQ("", info.vdpa_name);
	EXPECT_EQ(0, ctl_add_null(self->fd, NO_NAME, MIB, 0, 0));
	ASSERT_EQ(0, ctl_get(self->fd, NO_NAME, &info));
	EXPECT_EQ(1, info.nr_units);
}

/* "0: one for each poller". */
TEST_F(control, queues_default)
{
	struct vhost_target_poller p;
	struct vhost_target_info info;
	unsigned int id = 0, nr = 0;

	for (; !ctl_poller_next(self->fd, id, &p); id = p.id + 1)
		nr++;
	ASSERT_EQ(0, ctl_create(self->fd, NO_NAME, 0, 0, CTL_ANY_POLLER));
	ASSERT_EQ(0, ctl_get(self->fd, NO_NAME, &info));
	EXPECT_EQ(nr, info.num_queues);
	ASSERT_EQ(0, ctl_destroy(self->fd, NO_NAME));
	/* UEFI's NVMe driver does not do with one. */
	ASSERT_EQ(0, create_raw(self->fd, NO_NAME, VHOST_TARGET_NVME, 0, 0));
	ASSERT_EQ(0, ctl_get(self->fd, NO_NAME, &info));
	EXPECT_EQ(nr > 2 ? nr : 2, info.num_queues);
}

TEST_F(control, destroy_attached)
{
	struct vblk d;
	struct vblk_opts o = { .target = NAME };

	EXPECT_EQ(-ENOENT, ctl_destroy(self->fd, NO_NAME));
	ASSERT_EQ(0, ctl_add_null(self->fd, NAME, MIB, 0, 0));
	ASSERT_EQ(0, vblk_attach(&d, &o));
	EXPECT_EQ(-EBUSY, ctl_destroy(self->fd, NAME));
	EXPECT_EQ(-EBUSY, ctl_remove_unit(self->fd, NAME, 0));
	vblk_close(&d);
	EXPECT_EQ(0, ctl_remove_unit(self->fd, NAME, 0));
	EXPECT_EQ(0, ctl_destroy(self->fd, NAME));
	EXPECT_EQ(-ENOENT, ctl_destroy(self->fd, NAME));
}

/* Assumption: a unit other than 0 of a blk target is EINVAL or ERANGE. */
TEST_F(control, unit_add)
{
	struct vhost_target_unit_add u;

	EXPECT_EQ(-ENOENT, ctl_add_null(self->fd, NO_NAME, MIB, 0, 0));
	ctl_init_unit(&u, NAME);
	u.backend = VHOST_TARGET_BACKEND_NULL;
	u.capacity = MIB;
	u.unit = 1;
	EXPECT_TRUE(one_of(ctl_call(self->fd, VHOST_TARGET_UNIT_ADD, &u),
			   -EINVAL, -ERANGE));
	u.unit = 0;
	u.backend = 0;
	EXPECT_EQ(-EINVAL, ctl_call(self->fd, VHOST_TARGET_UNIT_ADD, &u));
	u.backend = 99;
	EXPECT_EQ(-EINVAL, ctl_call(self->fd, VHOST_TARGET_UNIT_ADD, &u));
	EXPECT_EQ(0, ctl_add_null(self->fd, NAME, MIB, 0, 0));
	EXPECT_EQ(-EEXIST, ctl_add_null(self->fd, NAME, MIB, 0, 0));
	EXPECT_EQ(0, ctl_remove_unit(self->fd, NAME, 0));
	EXPECT_EQ(-ENOENT, ctl_remove_unit(self->fd, NAME, 0));
	EXPECT_EQ(-ENOENT, ctl_remove_unit(self->fd, NO_NAME, 0));
}

TEST_F(control, unit_null_ranges)
{
	static const struct {
		u64 capacity;
		unsigned int block_size;
		int ret;
	} row[] = {
		{ MIB, 0, 0 }, { MIB, 512, 0 }, { MIB, 4096, 0 },
		{ 512, 512, 0 }, { 4096, 4096, 0 },
		{ 0, 512, -ERANGE },
		{ 513, 512, -ERANGE },
		{ MIB + 1, 0, -ERANGE },
		{ 512 * 3, 4096, -ERANGE },
		{ ~0ull, 512, -ERANGE },
		{ MIB, 1, -ERANGE }, { MIB, 256, -ERANGE },
		{ MIB, 513, -ERANGE }, { MIB, 8192, -ERANGE },
		{ MIB, ~0u, -ERANGE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		EXPECT_EQ(row[i].ret,
			  ctl_add_null(self->fd, NAME, row[i].capacity,
				       row[i].block_size, 0))
			TH_LOG("capacity %llu, blocks of %u",
			       (unsigned long long)row[i].capacity,
			       row[i].block_size);
		EXPECT_EQ(row[i].ret ? -ENOENT : 0,
			  ctl_remove_unit(self->fd, NAME, 0));
	}
}

static int add(int fd, const char *name, unsigned int backend,
	       const char *path)
{
	return ctl_add_path(fd, name, backend, path, 0, 0);
}

TEST_F(control, unit_paths)
{
	static char longest[VHOST_TARGET_PATH_LEN + 8];
	const unsigned int bdev = VHOST_TARGET_BACKEND_BDEV;
	const unsigned int file = VHOST_TARGET_BACKEND_FILE;
	struct disk_opts o = {
		.kind = DISK_FILE,
		.block_size = 512,
		.size_mb = 1,
	};

	memset(longest, 'x', sizeof(longest) - 1);
	EXPECT_EQ(-ENAMETOOLONG, add(self->fd, NAME, bdev, longest));
	EXPECT_EQ(-ENAMETOOLONG, add(self->fd, NAME, file, longest));
	EXPECT_EQ(-ENOENT, add(self->fd, NAME, bdev, "/tmp/vt-nothing"));
	EXPECT_EQ(-ENOENT, add(self->fd, NAME, file, "/tmp/vt-nothing"));
	EXPECT_TRUE(one_of(add(self->fd, NAME, bdev, ""), -ENOENT, -EINVAL));
	EXPECT_EQ(-ENOTBLK, add(self->fd, NAME, bdev, "/dev/zero"));
	EXPECT_EQ(-ENOTBLK, add(self->fd, NAME, bdev, "/tmp"));
	EXPECT_EQ(-ENOTDIR, add(self->fd, NAME, file, "/dev/zero/x"));
	EXPECT_NE(0, add(self->fd, NAME, file, "/tmp"));
	EXPECT_NE(0, add(self->fd, NAME, file, "/dev/zero"));
	EXPECT_EQ(-EFAULT, add(self->fd, NAME, bdev, (char *)1));
	EXPECT_TRUE(one_of(add(self->fd, NAME, bdev, NULL), -EFAULT, -EINVAL));
	ASSERT_EQ(0, disk_create(&self->disk, &o));
	EXPECT_EQ(-ENOTBLK, add(self->fd, NAME, bdev, self->disk.path));
	EXPECT_EQ(-ENOENT, ctl_remove_unit(self->fd, NAME, 0));
}

/* Assumption: a capacity for a block device is ERANGE or EINVAL. */
TEST_F(control, unit_bdev_ranges)
{
	const unsigned int bdev = VHOST_TARGET_BACKEND_BDEV;
	struct disk_opts o = {
		.kind = DISK_BDEV,
		.block_size = 512,
		.size_mb = 16,
	};
	struct vhost_target_unit_info info;
	struct vhost_target_unit_add u;

	ASSERT_EQ(0, disk_create(&self->disk, &o));
	EXPECT_EQ(-ERANGE, ctl_add_path(self->fd, NAME, bdev, self->disk.path,
					4096, 0));
	ctl_init_unit(&u, NAME);
	u.backend = bdev;
	u.path_ptr = (uintptr_t)self->disk.path;
	u.capacity = MIB;
	EXPECT_TRUE(one_of(ctl_call(self->fd, VHOST_TARGET_UNIT_ADD, &u),
			   -ERANGE, -EINVAL));
	EXPECT_EQ(0, ctl_add_path(self->fd, NAME, bdev, self->disk.path, 512,
				  0));
	EXPECT_EQ(0, ctl_remove_unit(self->fd, NAME, 0));
	EXPECT_EQ(0, add(self->fd, NAME, bdev, self->disk.path));
	EXPECT_EQ(0, ctl_unit(self->fd, NAME, 0, &info));
	EXPECT_EQ(512, info.block_size);
	EXPECT_EQ(self->disk.capacity, info.capacity);
}

TEST_F(control, unit_bdev_4096)
{
	const unsigned int bdev = VHOST_TARGET_BACKEND_BDEV;
	struct disk_opts o = {
		.kind = DISK_BDEV,
		.block_size = 4096,
		.size_mb = 16,
	};
	struct vhost_target_unit_info info;

	ASSERT_EQ(0, disk_create(&self->disk, &o));
	EXPECT_EQ(-ERANGE, ctl_add_path(self->fd, NAME, bdev, self->disk.path,
					512, 0));
	EXPECT_EQ(0, add(self->fd, NAME, bdev, self->disk.path));
	EXPECT_EQ(0, ctl_unit(self->fd, NAME, 0, &info));
	EXPECT_EQ(4096, info.block_size);
}

TEST_F(control, backend_claimed_twice)
{
	const unsigned int bdev = VHOST_TARGET_BACKEND_BDEV;
	struct disk_opts o = {
		.kind = DISK_BDEV,
		.block_size = 512,
		.size_mb = 16,
	};
	int fd;

	ASSERT_EQ(0, disk_create(&self->disk, &o));
	fd = open(self->disk.path, O_RDWR | O_EXCL | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, add(self->fd, NAME, bdev, self->disk.path));
	close(fd);
	ASSERT_EQ(0, add(self->fd, NAME, bdev, self->disk.path));
	ASSERT_EQ(0, ctl_create(self->fd, NO_NAME, 1, 0, CTL_ANY_POLLER));
	EXPECT_EQ(-EBUSY, add(self->fd, NO_NAME, bdev, self->disk.path));
	EXPECT_GT(0, open(self->disk.path, O_RDWR | O_EXCL | O_CLOEXEC));
	EXPECT_EQ(EBUSY, errno);
	/* Closed when the call returns, not some time later. */
	EXPECT_EQ(0, ctl_destroy(self->fd, NAME));
	EXPECT_EQ(0, add(self->fd, NO_NAME, bdev, self->disk.path));
}

TEST_F(control, backend_read_only)
{
	const unsigned int bdev = VHOST_TARGET_BACKEND_BDEV;
	struct disk_opts o = {
		.kind = DISK_BDEV,
		.block_size = 512,
		.size_mb = 16,
		.read_only = true,
	};
	struct vhost_target_unit_info info;

	ASSERT_EQ(0, disk_create(&self->disk, &o));
	EXPECT_EQ(-EROFS, add(self->fd, NAME, bdev, self->disk.path));
	EXPECT_EQ(0, ctl_add_path(self->fd, NAME, bdev, self->disk.path, 0,
				  VHOST_TARGET_UNIT_F_RO));
	EXPECT_EQ(0, ctl_unit(self->fd, NAME, 0, &info));
	EXPECT_EQ(VHOST_TARGET_UNIT_F_RO,
		  info.unit_flags & VHOST_TARGET_UNIT_F_RO);
}

TEST_F(control, unit_resize)
{
	struct disk_opts o = {
		.kind = DISK_BDEV,
		.block_size = 512,
		.size_mb = 16,
	};
	u64 size = 2 * MIB;

	EXPECT_EQ(-ENOENT, ctl_resize(self->fd, NO_NAME, 0, &size));
	EXPECT_EQ(-ENOENT, ctl_resize(self->fd, NAME, 0, &size));
	ASSERT_EQ(0, ctl_add_null(self->fd, NAME, MIB, 512, 0));
	size = 2 * MIB + 1;
	EXPECT_EQ(-ERANGE, ctl_resize(self->fd, NAME, 0, &size));
	size = 2 * MIB;
	EXPECT_EQ(0, ctl_resize(self->fd, NAME, 0, &size));
	EXPECT_EQ(2 * MIB, size);
	size = 512;
	EXPECT_EQ(0, ctl_resize(self->fd, NAME, 0, &size));
	EXPECT_EQ(-ENOENT, ctl_resize(self->fd, NAME, 1, &size));
	EXPECT_EQ(0, ctl_remove_unit(self->fd, NAME, 0));

	ASSERT_EQ(0, disk_create(&self->disk, &o));
	ASSERT_EQ(0, add(self->fd, NAME, VHOST_TARGET_BACKEND_BDEV,
			 self->disk.path));
	size = MIB;
	EXPECT_EQ(-EOPNOTSUPP, ctl_resize(self->fd, NAME, 0, &size));
	size = 0;
	EXPECT_EQ(0, ctl_resize(self->fd, NAME, 0, &size));
	EXPECT_EQ(self->disk.capacity, size);
}

TEST_F(control, unit_get)
{
	struct disk_opts o = {
		.kind = DISK_BDEV,
		.block_size = 512,
		.size_mb = 16,
	};
	struct vhost_target_unit_info info;
	struct vhost_target_unit_add u;
	char path[256] = "";
	u32 len;

	EXPECT_EQ(-ENOENT, ctl_unit(self->fd, NO_NAME, 0, &info));
	EXPECT_EQ(-ENOENT, ctl_unit(self->fd, NAME, 0, &info));
	ASSERT_EQ(0, disk_create(&self->disk, &o));
	len = strlen(self->disk.path) + 1;
	ctl_init_unit(&u, NAME);
	u.backend = VHOST_TARGET_BACKEND_BDEV;
	u.path_ptr = (uintptr_t)self->disk.path;
	u.flags = VHOST_TARGET_UNIT_F_NO_DISCARD;
	strcpy(u.serial, "S1");
	ASSERT_EQ(0, ctl_call(self->fd, VHOST_TARGET_UNIT_ADD, &u));

	ASSERT_EQ(0, ctl_unit(self->fd, NAME, 0, &info));
	EXPECT_EQ(VHOST_TARGET_BACKEND_BDEV, info.backend);
	EXPECT_EQ(VHOST_TARGET_UNIT_F_NO_DISCARD, info.unit_flags);
	EXPECT_EQ(0, info.state & VHOST_TARGET_UNIT_S_DEAD);
	EXPECT_STREQ("S1", info.serial);
	EXPECT_LE(info.block_size, info.physical_block_size);

	info.path_ptr = (uintptr_t)path;
	info.path_len = len - 1;
	EXPECT_EQ(-ENOSPC, ctl_call(self->fd, VHOST_TARGET_UNIT_GET, &info));
	EXPECT_EQ(len, info.path_len);
	EXPECT_EQ(0, ctl_call(self->fd, VHOST_TARGET_UNIT_GET, &info));
	EXPECT_EQ(len, info.path_len);
	EXPECT_STREQ(self->disk.path, path);

	info.flags = VHOST_TARGET_GET_NEXT;
	EXPECT_EQ(0, ctl_call(self->fd, VHOST_TARGET_UNIT_GET, &info));
	EXPECT_EQ(0, info.unit);
	info.unit = 1;
	EXPECT_EQ(-ENOENT, ctl_call(self->fd, VHOST_TARGET_UNIT_GET, &info));
}

TEST_F(control, stats)
{
	struct vhost_target_stats st;

	EXPECT_EQ(-ENOENT, ctl_stats(self->fd, NO_NAME, 0, &st));
	EXPECT_EQ(-ERANGE, ctl_stats(self->fd, NAME, 2, &st));
	EXPECT_EQ(-ERANGE, ctl_stats(self->fd, NAME, ~1u, &st));
	EXPECT_EQ(0, ctl_stats(self->fd, NAME, 1, &st));
	EXPECT_EQ(0, ctl_stats(self->fd, NAME, VHOST_TARGET_QUEUE_ALL, &st));
	EXPECT_EQ(0, st.ops[VHOST_TARGET_OP_READ]);
	EXPECT_EQ(0, st.inflight);
}

TEST_F(control, pollers)
{
	const unsigned int none = 0xfffffff0, limit = VHOST_TARGET_MAX_IDLE_US;
	int id = ctl_some_poller(self->fd);
	struct vhost_target_poller p, q;
	unsigned int new;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, ctl_poller(self->fd, id, &p));
	EXPECT_EQ(id, p.id);
	EXPECT_LT(0, p.pid);
	EXPECT_EQ(-ENOENT, ctl_poller(self->fd, none, &q));
	EXPECT_EQ(-ENOENT, ctl_poller_next(self->fd, none, &q));
	EXPECT_EQ(-ENOENT, ctl_poller_set(self->fd, none, 0));
	EXPECT_EQ(-ENOENT, ctl_poller_remove(self->fd, none));
	EXPECT_EQ(-EEXIST, ctl_poller_add(self->fd, p.cpu, 0, &new));
	EXPECT_EQ(-ENXIO, ctl_poller_add(self->fd, 1u << 20, 0, &new));
	EXPECT_EQ(-ENXIO, ctl_poller_add(self->fd, ~0u, 0, &new));
	EXPECT_EQ(-ERANGE, ctl_poller_add(self->fd, p.cpu, limit + 1, &new));
	EXPECT_EQ(-ERANGE, ctl_poller_set(self->fd, id, limit + 1));
	EXPECT_EQ(0, ctl_poller_set(self->fd, id, limit));
	EXPECT_EQ(0, ctl_poller(self->fd, id, &q));
	EXPECT_EQ(limit, q.idle_us);
	EXPECT_EQ(0, ctl_poller_set(self->fd, id, 0));
	EXPECT_EQ(0, ctl_poller(self->fd, id, &q));
	EXPECT_EQ(0, q.idle_us);
	EXPECT_EQ(0, ctl_poller_set(self->fd, id, p.idle_us));
	EXPECT_EQ(p.cpu, q.cpu);
	EXPECT_EQ(p.pid, q.pid);
}

/* The last poller stays, whoever else has been removed before. */
TEST_F(control, last_poller)
{
	struct vhost_target_poller p, saved[64];
	unsigned int id = 0, nr = 0, i, new;

	for (; nr < 64 && !ctl_poller_next(self->fd, id, &p); id = p.id + 1)
		saved[nr++] = p;
	ASSERT_LT(0, nr);
	for (i = nr - 1; i; i--)
		EXPECT_EQ(0, ctl_poller_remove(self->fd, saved[i].id));
	EXPECT_EQ(-EBUSY, ctl_poller_remove(self->fd, saved[0].id));
	for (i = 1; i < nr; i++)
		EXPECT_EQ(0, ctl_poller_add(self->fd, saved[i].cpu,
					    saved[i].idle_us, &new));
}

TEST_F(control, unknown_calls)
{
	struct vhost_target_attach a = { .size = sizeof(a), .name = NAME };
	unsigned int nr;

	for (nr = 0x0c; nr < 0x100; nr++)
		EXPECT_EQ(-ENOTTY, ctl_call(self->fd,
					    _IO(VHOST_TARGET_IOC, nr), &a))
			TH_LOG("call %#x", nr);
	EXPECT_EQ(-ENOTTY, ctl_call(self->fd, VHOST_SET_OWNER, NULL));
	EXPECT_EQ(-ENOTTY, ctl_call(self->fd, _IOW(VHOST_TARGET_IOC, 0, int),
				    &a));
}

/* The kernel lists by name; 1000 of them come and go. */
TEST_F(control, many_targets)
{
	struct vhost_target_info info;
	char name[VHOST_TARGET_NAME_LEN];
	char last[VHOST_TARGET_NAME_LEN] = "";
	unsigned int i, found = 0;

	/* Not in the order of the names. */
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "vtbed.n%04u", i * 7 % MANY);
		ASSERT_EQ(0, ctl_create(self->fd, name, 1, 16,
					CTL_ANY_POLLER));
	}
	while (!ctl_next(self->fd, last, &info)) {
		EXPECT_LT(0, strcmp(info.name, last));
		memcpy(last, info.name, sizeof(last));
		if (strncmp(last, "vtbed.n", 7))
			continue;
		snprintf(name, sizeof(name), "vtbed.n%04u", found++);
		EXPECT_STREQ(name, last);
	}
	EXPECT_EQ(MANY, found);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "vtbed.n%04u", i);
		EXPECT_EQ(0, ctl_destroy(self->fd, name));
	}
}

/* Only root opens the control node. */
TEST_F(control, privileges)
{
	struct stat st;
	int status;
	pid_t pid;

	ASSERT_EQ(0, stat(CTL_NODE, &st));
	EXPECT_EQ(0600, st.st_mode & 07777);
	pid = fork();
	if (!pid) {
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			_exit(2);
		_exit(ctl_open() == -EACCES ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
