// SPDX-License-Identifier: GPL-2.0
/* The ioctl door: every errno its calls promise, and who may call. */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "vblk.h"

#define CAPACITY_OFFSET offsetof(struct virtio_blk_config, capacity)
#define WCE_OFFSET offsetof(struct virtio_blk_config, wce)

FIXTURE(door)
{
	struct disk disk;
	struct bed bed;
	struct vblk d;
	int fd;
};

FIXTURE_SETUP(door)
{
	struct disk_opts o = {
		.kind = DISK_NULL,
		.block_size = 512,
		.size_mb = 1,
	};
	struct bed_opts b = { .disk = &self->disk, .num_queues = 2 };

	bed_sweep();
	ASSERT_EQ(0, disk_create(&self->disk, &o));
	ASSERT_EQ(0, bed_make(&self->bed, &b));
	self->fd = vhost_open(VHOST_BLK_NODE);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(door)
{
	vblk_close(&self->d);
	close(self->fd);
	bed_destroy(&self->bed);
}

/* Every call of the door, with an argument that is well-formed. */
static int all_calls(int fd, const char *name, int i)
{
	u8 byte = 1;
	struct vhost_target_device dev;

	switch (i) {
	case 0:
		return vhost_start(fd);
	case 1:
		return vhost_stop(fd);
	case 2:
		return vhost_get_config(fd, 0, &byte, 1);
	case 3:
		return vhost_set_config(fd, WCE_OFFSET, &byte, 1);
	case 4:
		return vhost_get_device(fd, &dev);
	case 5:
		return vhost_set_config_call(fd, -1);
	default:
		return vhost_attach(fd, name);
	}
}

#define ALL_CALLS 7

TEST_F(door, no_owner)
{
	int i;

	for (i = 0; i < ALL_CALLS; i++)
		EXPECT_EQ(-EPERM, all_calls(self->fd, self->bed.name, i))
			TH_LOG("call %d", i);
}

TEST_F(door, owner_twice)
{
	EXPECT_EQ(0, vhost_set_owner(self->fd));
	EXPECT_EQ(-EBUSY, vhost_set_owner(self->fd));
}

TEST_F(door, not_attached)
{
	int i;

	ASSERT_EQ(0, vhost_set_owner(self->fd));
	for (i = 0; i < ALL_CALLS - 1; i++)
		EXPECT_EQ(-ENOTCONN, all_calls(self->fd, NULL, i))
			TH_LOG("call %d", i);
}

TEST_F(door, attach)
{
	int other;

	ASSERT_EQ(0, vhost_set_owner(self->fd));
	EXPECT_EQ(-ENOENT, vhost_attach(self->fd, "vtbed.nobody"));
	EXPECT_EQ(0, vhost_attach(self->fd, self->bed.name));
	EXPECT_EQ(-EALREADY, vhost_attach(self->fd, self->bed.name));

	other = vhost_open(VHOST_BLK_NODE);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, vhost_set_owner(other));
	EXPECT_EQ(-EBUSY, vhost_attach(other, self->bed.name));
	close(self->fd);
	EXPECT_EQ(0, vhost_attach(other, self->bed.name));
	close(other);
}

TEST_F(door, attach_without_unit)
{
	ASSERT_EQ(0, vhost_set_owner(self->fd));
	ASSERT_EQ(0, ctl_remove_unit(self->bed.ctl, self->bed.name, 0));
	EXPECT_EQ(-ENXIO, vhost_attach(self->fd, self->bed.name));
}

TEST_F(door, shared)
{
	struct bed_opts b = {
		.disk = &self->disk,
		.num_queues = 1,
		.target_flags = VHOST_TARGET_F_SHARED,
	};
	struct vhost_target_info info;
	struct bed bed;
	struct vblk other;
	struct vblk_opts o = { .target = bed.name };

	ASSERT_EQ(0, bed_make(&bed, &b));
	ASSERT_EQ(0, vblk_open(&self->d, &o));
	ASSERT_EQ(0, vblk_open(&other, &o));
	ASSERT_EQ(0, ctl_get(bed.ctl, bed.name, &info));
	EXPECT_EQ(2, info.nr_sessions);
	EXPECT_EQ(0, vblk_do(&self->d.q[0], VIRTIO_BLK_T_IN, 0, NULL, 512));
	EXPECT_EQ(0, vblk_do(&other.q[0], VIRTIO_BLK_T_IN, 0, NULL, 512));
	vblk_close(&other);
	EXPECT_EQ(0, vblk_do(&self->d.q[0], VIRTIO_BLK_T_IN, 0, NULL, 512));
	vblk_close(&self->d);
	bed_destroy(&bed);
}

/* In a child: open (as @uid:@gid unless @fd is given) and attach. */
static int attach_as(int fd, const char *name, unsigned int id, bool drop_uid)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (setgroups(0, NULL) || setresgid(id, id, id) ||
		    (drop_uid && setresuid(id, id, id)))
			_exit(200);
		if (fd < 0)
			fd = vhost_open(VHOST_BLK_NODE);
		if (fd < 0)
			_exit(201);
		if (vhost_set_owner(fd))
			_exit(202);
		_exit(-vhost_attach(fd, name));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

TEST_F(door, other_user)
{
	struct bed_opts owned = {
		.disk = &self->disk, .num_queues = 1, .uid = 1000,
	};
	struct bed_opts grouped = {
		.disk = &self->disk, .num_queues = 1, .uid = 4, .gid = 1000,
	};
	struct bed by_uid, by_gid;
	struct stat st;

	ASSERT_EQ(0, stat(VHOST_BLK_NODE, &st));
	ASSERT_EQ(0, bed_make(&by_uid, &owned));
	ASSERT_EQ(0, bed_make(&by_gid, &grouped));
	/* Let the node's own mode not be what refuses. */
	ASSERT_EQ(0, chmod(VHOST_BLK_NODE, 0666));
	EXPECT_EQ(-EACCES, attach_as(-1, self->bed.name, 1000, true));
	EXPECT_EQ(0, attach_as(-1, by_uid.name, 1000, true));
	EXPECT_EQ(0, attach_as(-1, by_gid.name, 1000, true));
	EXPECT_EQ(-EACCES, attach_as(-1, by_uid.name, 1001, true));
	EXPECT_EQ(-EACCES, attach_as(-1, by_gid.name, 1001, true));
	EXPECT_EQ(0, attach_as(-1, by_uid.name, 0, true));
	/* Root opened it and handed it over: the opener counts. */
	EXPECT_EQ(0, attach_as(self->fd, self->bed.name, 1000, true));
	EXPECT_EQ(0, chmod(VHOST_BLK_NODE, st.st_mode & 07777));
	bed_destroy(&by_uid);
	bed_destroy(&by_gid);
}

static int session(struct vblk *d, const char *name, u64 without)
{
	struct vblk_opts o = {
		.target = name, .no_start = true, .without = without,
	};

	return vblk_open(d, &o);
}

TEST_F(door, start_needs_memory)
{
	struct vblk_opts o = { .target = self->bed.name };

	ASSERT_EQ(0, vblk_attach(&self->d, &o));
	ASSERT_EQ(0, vblk_negotiate(&self->d));
	EXPECT_EQ(-EINVAL, vhost_start(self->d.fd));
}

TEST_F(door, start_needs_queue)
{
	struct vblk_opts o = { .target = self->bed.name };

	ASSERT_EQ(0, vblk_attach(&self->d, &o));
	ASSERT_EQ(0, vblk_negotiate(&self->d));
	ASSERT_EQ(0, vblk_setup_memory(&self->d));
	EXPECT_EQ(-EINVAL, vhost_start(self->d.fd));
	ASSERT_EQ(0, vblk_setup_queue(&self->d.q[0], 0));
	EXPECT_EQ(0, vhost_start(self->d.fd));
}

TEST_F(door, start_needs_version_1)
{
	ASSERT_EQ(0, session(&self->d, self->bed.name,
			     VBLK_BIT(VIRTIO_F_VERSION_1)));
	EXPECT_EQ(-EINVAL, vhost_start(self->d.fd));
}

/* Each of the three areas in turn, where the owner has no memory. */
TEST_F(door, start_ring_outside)
{
	struct vqueue *vr = &self->d.q[0].vr;
	void *area[3];
	void *out;
	int i;

	ASSERT_EQ(0, session(&self->d, self->bed.name, 0));
	out = mmap(NULL, 16 * PAGE, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 3; i++) {
		area[0] = vr->desc_area;
		area[1] = vr->driver_area;
		area[2] = vr->device_area;
		area[i] = out;
		/* The address itself may be refused, or the start. */
		if (vhost_set_vring_addr(self->d.fd, 0, area[0], area[1],
					 area[2]))
			continue;
		EXPECT_EQ(-EFAULT, vhost_start(self->d.fd)) {
			TH_LOG("area %d", i);
			vhost_stop(self->d.fd);
		}
	}
	ASSERT_EQ(0, vblk_setup_queue(&self->d.q[0], 0));
	EXPECT_EQ(0, vhost_start(self->d.fd));
}

TEST_F(door, start_used_read_only)
{
	struct vqueue *vr = &self->d.q[0].vr;

	ASSERT_EQ(0, session(&self->d, self->bed.name, 0));
	ASSERT_EQ(0, mprotect(vr->device_area, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, vhost_start(self->d.fd));
	ASSERT_EQ(0, mprotect(vr->device_area, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, vhost_start(self->d.fd));
}

TEST_F(door, run_repeated)
{
	struct vblk_queue *q = &self->d.q[0];
	struct vhost_target_info info;

	ASSERT_EQ(0, session(&self->d, self->bed.name, 0));
	EXPECT_EQ(0, vhost_stop(self->d.fd));
	EXPECT_EQ(0, vhost_start(self->d.fd));
	EXPECT_EQ(0, vhost_start(self->d.fd));
	EXPECT_EQ(0, vblk_do(q, VIRTIO_BLK_T_IN, 0, NULL, 512));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(1, info.nr_running_queues);
	EXPECT_EQ(0, vhost_stop(self->d.fd));
	EXPECT_EQ(0, vhost_stop(self->d.fd));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(0, info.nr_running_queues);
	EXPECT_EQ(0, vhost_start(self->d.fd));
	EXPECT_EQ(0, vblk_do(q, VIRTIO_BLK_T_IN, 0, NULL, 512));
}

TEST_F(door, config)
{
	struct vhost_target_device dev;
	u8 buf[512] = { 0 }, two = 2, one = 1;
	u64 capacity = 1;
	int fd;

	ASSERT_EQ(0, session(&self->d, self->bed.name, 0));
	fd = self->d.fd;
	ASSERT_EQ(0, vhost_get_device(fd, &dev));
	EXPECT_EQ(VIRTIO_ID_BLOCK, dev.device_id);
	EXPECT_EQ(2, dev.num_queues);
	EXPECT_EQ(256, dev.queue_size_max);
	ASSERT_LE(offsetof(struct virtio_blk_config, unused1), dev.config_size);
	ASSERT_GE(sizeof(buf), dev.config_size);
	EXPECT_EQ(0, vhost_get_config(fd, 0, buf, dev.config_size));
	EXPECT_EQ(-ERANGE, vhost_get_config(fd, 0, buf, dev.config_size + 1));
	EXPECT_EQ(-ERANGE, vhost_get_config(fd, dev.config_size, buf, 1));
	EXPECT_EQ(-ERANGE, vhost_get_config(fd, ~0u, buf, 2));
	EXPECT_EQ(-ERANGE, vhost_get_config(fd, 2, buf, ~0u));
	EXPECT_EQ(-EFAULT, vhost_get_config(fd, 0, NULL, 8));
	EXPECT_EQ(-ERANGE, vhost_set_config(fd, dev.config_size, &one, 1));
	EXPECT_EQ(-EACCES, vhost_set_config(fd, CAPACITY_OFFSET, &capacity,
					    8));
	EXPECT_EQ(-EFAULT, vhost_set_config(fd, WCE_OFFSET, NULL, 1));
	EXPECT_EQ(-EINVAL, vhost_set_config(fd, WCE_OFFSET, &two, 1));
	EXPECT_EQ(0, vhost_set_config(fd, WCE_OFFSET, &one, 1));
	EXPECT_EQ(-EACCES, vhost_set_config(fd, WCE_OFFSET, buf, 2));
}

TEST_F(door, config_call)
{
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	int event = eventfd(0, EFD_CLOEXEC);

	ASSERT_EQ(0, session(&self->d, self->bed.name, 0));
	EXPECT_EQ(-EBADF, vhost_set_config_call(self->d.fd, 9999));
	EXPECT_EQ(-EINVAL, vhost_set_config_call(self->d.fd, file));
	EXPECT_EQ(0, vhost_set_config_call(self->d.fd, event));
	EXPECT_EQ(0, vhost_set_config_call(self->d.fd, event));
	EXPECT_EQ(0, vhost_set_config_call(self->d.fd, -1));
	EXPECT_EQ(0, vhost_set_config_call(self->d.fd, -1));
}

/*
 * The calls of <linux/vhost.h>. Assumption: they fail the way upstream's do;
 * where upstream has no fixed errno, any error will do.
 */
TEST_F(door, classic)
{
	struct vhost_memory none = { 0 };
	struct vblk_opts o = { .target = self->bed.name };
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	u32 base;
	int fd;

	ASSERT_EQ(0, vblk_attach(&self->d, &o));
	ASSERT_EQ(0, vblk_negotiate(&self->d));
	fd = self->d.fd;
	EXPECT_GT(0, vhost_set_features(fd, 1ull << 63 | self->d.features));
	EXPECT_GT(0, vhost_set_vring_num(fd, 2, 128));
	EXPECT_GT(0, vhost_set_vring_num(fd, ~0u, 128));
	EXPECT_EQ(-EINVAL, vhost_set_vring_num(fd, 0, 0));
	EXPECT_EQ(-EINVAL, vhost_set_vring_num(fd, 0, 100));
	EXPECT_EQ(-EINVAL, vhost_set_vring_num(fd, 0, 512));
	EXPECT_EQ(-EINVAL, vhost_set_vring_num(fd, 0, 65536));
	EXPECT_EQ(-EINVAL, vhost_set_vring_base(fd, 0, 65536));
	EXPECT_GT(0, vhost_set_vring_base(fd, 2, 0));
	EXPECT_GT(0, vhost_get_vring_base(fd, 2, &base));
	EXPECT_GT(0, vhost_set_vring_addr(fd, 2, NULL, NULL, NULL));
	EXPECT_GT(0, vhost_set_vring_kick(fd, 2, -1));
	EXPECT_EQ(-EBADF, vhost_set_vring_kick(fd, 0, 9999));
	EXPECT_EQ(-EBADF, vhost_set_vring_call(fd, 0, 9999));
	EXPECT_EQ(-EBADF, vhost_set_vring_err(fd, 0, 9999));
	EXPECT_EQ(-EINVAL, vhost_set_vring_call(fd, 0, file));
	EXPECT_EQ(0, vhost_set_vring_call(fd, 0, -1));
	none.padding = 1;
	EXPECT_EQ(-EOPNOTSUPP, vhost_set_mem_table(fd, &none));
	none.padding = 0;
	none.nregions = ~0u;
	EXPECT_GT(0, vhost_set_mem_table(fd, &none));
	EXPECT_EQ(-EFAULT, vhost_set_mem_table(fd, NULL));
	EXPECT_EQ(-EFAULT, ctl_call(fd, VHOST_SET_FEATURES, NULL));
	EXPECT_EQ(-EFAULT, ctl_call(fd, VHOST_SET_VRING_NUM, (void *)1));
}

TEST_F(door, unknown_calls)
{
	struct vhost_target_create c = { .size = sizeof(c) };
	unsigned int nr;

	ASSERT_EQ(0, vhost_set_owner(self->fd));
	for (nr = 0; nr < 0x100; nr++) {
		if (nr >= 0x40 && nr <= 0x46)
			continue;
		EXPECT_EQ(-ENOTTY, ctl_call(self->fd,
					    _IO(VHOST_TARGET_IOC, nr), &c))
			TH_LOG("call %#x", nr);
	}
	EXPECT_GT(0, ctl_call(self->fd, VHOST_SCSI_SET_ENDPOINT, &c));
	EXPECT_EQ(-ENOTTY, ctl_call(self->fd, _IO(0x12, 0x34), &c));
}

/* A child has the fd, but another address space: all it may do is close. */
TEST_F(door, fork_and_close)
{
	struct vblk_opts o = { .target = self->bed.name };
	int status, i;
	pid_t pid;

	ASSERT_EQ(0, vblk_open(&self->d, &o));
	pid = fork();
	if (!pid) {
		struct vhost_memory none = { 0 };
		int bad = 0;

		for (i = 0; i < ALL_CALLS; i++)
			bad += all_calls(self->d.fd, self->bed.name, i) !=
			       -EPERM;
		bad += vhost_set_mem_table(self->d.fd, &none) != -EPERM;
		bad += vhost_set_vring_num(self->d.fd, 0, 128) != -EPERM;
		bad += vhost_set_owner(self->d.fd) == 0;
		close(self->d.fd);
		_exit(bad);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, vblk_do(&self->d.q[0], VIRTIO_BLK_T_IN, i, NULL,
				     512));
	vt_fault("another process has the VMM's fd and makes each call of it | blk: EPERM for that, nothing for the VM");
}

/* exec closes nothing that is not marked, and ends the owner's memory. */
TEST_F(door, exec_with_fd)
{
	struct vblk_opts o = { .target = self->bed.name };
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (vblk_open(&self->d, &o) ||
		    fcntl(self->d.fd, F_SETFD, 0))
			_exit(1);
		execlp("sleep", "sleep", "1", NULL);
		_exit(2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	EXPECT_EQ(0, vblk_open(&self->d, &o));
	EXPECT_EQ(0, vblk_do(&self->d.q[0], VIRTIO_BLK_T_IN, 0, NULL, 512));
}

/* The owner dies while somebody else still holds the fd. */
TEST_F(door, owner_dies_first)
{
	struct vblk_opts o = { .target = self->bed.name };
	int hold[2], ready[2], status;
	pid_t owner;
	char c;

	ASSERT_EQ(0, pipe(hold));
	ASSERT_EQ(0, pipe(ready));
	owner = fork();
	if (!owner) {
		close(hold[1]);
		if (vblk_open(&self->d, &o))
			_exit(1);
		if (!fork()) {
			/* Keeps the fd until the test closes the pipe. */
			if (write(ready[1], "x", 1) != 1)
				_exit(1);
			_exit(read(hold[0], &c, 1) ? 1 : 0);
		}
		for (;;)
			vblk_do(&self->d.q[0], VIRTIO_BLK_T_IN, 0, NULL, 512);
	}
	close(ready[1]);
	EXPECT_EQ(1, read(ready[0], &c, 1));
	kill(owner, SIGKILL);
	ASSERT_EQ(owner, waitpid(owner, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(-EBUSY, ctl_destroy(self->bed.ctl, self->bed.name));
	close(hold[1]);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	EXPECT_EQ(0, vblk_open(&self->d, &o));
	EXPECT_EQ(0, vblk_do(&self->d.q[0], VIRTIO_BLK_T_IN, 0, NULL, 512));
	vt_fault("VMM killed, another process has its fd | blk: the target is free when that closes it");
}

TEST_F(door, rmmod_in_use)
{
	static const char *const module[] = { "vhost_blk", "vhost_target" };
	struct vblk_opts o = { .target = self->bed.name };
	unsigned int i;
	char path[64];

	ASSERT_EQ(0, vblk_open(&self->d, &o));
	for (i = 0; i < ARRAY_SIZE(module); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/refcnt",
			 module[i]);
		if (access(path, F_OK))
			SKIP(return, "%s is no module", module[i]);
		EXPECT_EQ(-1, syscall(SYS_delete_module, module[i],
				      O_NONBLOCK));
		EXPECT_EQ(EWOULDBLOCK, errno);
	}
	EXPECT_EQ(0, vblk_do(&self->d.q[0], VIRTIO_BLK_T_IN, 0, NULL, 512));
}

TEST_HARNESS_MAIN
