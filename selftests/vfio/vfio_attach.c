// SPDX-License-Identifier: GPL-2.0
/* The VFIO door without a VM: who may have the device, and who ends it. */
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "users.h"
#include "vfio_life.h"

FIXTURE_VARIANT_ADD(vfio, container) { VFIO_CONTAINER };
FIXTURE_VARIANT_ADD(vfio, iommufd) { VFIO_IOMMUFD };

static bool answers(struct vfio *v)
{
	u64 val;

	return !vfio_read(v, VFIO_BAR0, 0, 8, &val);
}

/* The result of opening it once more; 0 where there is no such way. */
static int open_again(const char *target, enum vfio_way way)
{
	struct vfio v;
	int ret;

	vfio_use(way);
	if (vfio_missing())
		return 0;
	ret = vfio_attach(&v, target);
	if (ret)
		return ret;
	ret = vfio_get_device(&v, target);
	vfio_close(&v);
	return ret;
}

TEST_F(vfio, opened_once)
{
	struct vhost_target_info info;
	int err;

	OPEN();
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(1, info.nr_sessions);
	/* A group is opened once; a device's own node is bound once. */
	err = variant->way == VFIO_IOMMUFD ? -EINVAL : -EBUSY;
	EXPECT_EQ(err, open_again(self->bed.name, variant->way));
	err = open_again(self->bed.name, variant->way == VFIO_IOMMUFD ?
			 VFIO_CONTAINER : VFIO_IOMMUFD);
	if (err)
		EXPECT_EQ(-EBUSY, err);
	vfio_use(variant->way);
	EXPECT_EQ(-EBUSY, ctl_destroy(self->bed.ctl, self->bed.name));
	EXPECT_TRUE(answers(&self->v));
	vfio_close(&self->v);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	OPEN();
}

struct worker {
	struct bed *bed;
	int ret;
};

static void *destroy(void *arg)
{
	struct worker *w = arg;

	w->ret = ctl_destroy(w->bed->ctl, w->bed->name);
	return NULL;
}

static int join(pthread_t thread)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += VT_PATIENCE;
	return pthread_timedjoin_np(thread, NULL, &end);
}

/*
 * A VMM that has something open, but not the device, keeps nobody from his
 * work. A group goes without the device; with a node of its own it stays.
 */
TEST_F(vfio, deleted_while_open)
{
	struct worker w = { &self->bed, -EINPROGRESS };
	struct disk disk = {};
	struct bed other = {};
	pthread_t thread;
	int stuck;

	ASSERT_EQ(0, vfio_attach(&self->v, self->bed.name));
	ASSERT_EQ(0, pthread_create(&thread, NULL, destroy, &w));
	EXPECT_EQ(0, make_nvme(&other, &disk, 0));
	stuck = join(thread);
	EXPECT_EQ(0, stuck)
		TH_LOG("DESTROY does not return before the node is closed");
	if (stuck)
		vfio_close(&self->v);
	if (stuck)
		ASSERT_EQ(0, join(thread));
	if (variant->way == VFIO_IOMMUFD) {
		EXPECT_EQ(-EBUSY, w.ret);
		/* As if nothing was: it can be opened, and that ends. */
		EXPECT_EQ(0, vfio_get_device(&self->v, self->bed.name));
		vfio_close(&self->v);
		EXPECT_EQ(0, bed_wait_detached(&self->bed));
		EXPECT_TRUE(vt_wait(!open_again(self->bed.name, VFIO_IOMMUFD)));
		EXPECT_TRUE(vt_wait(!ctl_destroy(self->bed.ctl,
						 self->bed.name)));
	} else {
		EXPECT_EQ(0, w.ret);
		EXPECT_EQ(-ENODEV, vfio_get_device(&self->v, self->bed.name));
	}
	self->bed.name[0] = 0;
	EXPECT_EQ(0, bed_finish(&other, &disk));
}

/* Nobody has it open any more, but somebody had when it was to go. */
TEST_F(vfio, deleted_at_the_second_try)
{
	if (variant->way != VFIO_IOMMUFD)
		SKIP(return, "a group is no reason to refuse");
	ASSERT_EQ(0, vfio_attach(&self->v, self->bed.name));
	EXPECT_EQ(-EBUSY, ctl_destroy(self->bed.ctl, self->bed.name));
	EXPECT_EQ(-EBUSY, ctl_destroy(self->bed.ctl, self->bed.name));
	vfio_close(&self->v);
	EXPECT_TRUE(vt_wait(!ctl_destroy(self->bed.ctl, self->bed.name)));
	self->bed.name[0] = 0;
}

/* In a child that is somebody else: the result of opening the device. */
static int open_as(const char *target, uid_t uid)
{
	struct vfio v;
	int status;
	pid_t pid = fork();

	if (!pid) {
		int ret = vfio_attach(&v, target);

		/* The group is open: from here on it is about the target. */
		if (!ret && setuid(uid))
			ret = -errno;
		if (!ret)
			ret = vfio_get_device(&v, target);
		_exit(-ret);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

TEST_F(vfio, only_its_owner)
{
	EXPECT_EQ(0, open_as(self->bed.name, 0));
	EXPECT_EQ(-EACCES, open_as(self->bed.name, 65534));
}

/* Whose limits count: who opens the device, even if it is root's. */
TEST_F(vfio, user_limits)
{
	struct vhost_target_info info;

	ASSERT_EQ(0, drop_capability(CAP_SYS_RESOURCE));
	ASSERT_EQ(0, vfio_attach(&self->v, self->bed.name));
	ASSERT_EQ(0, user_limits(0, 1));
	EXPECT_EQ(-EDQUOT, vfio_get_device(&self->v, self->bed.name));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(1, info.over_limit);
	EXPECT_EQ(0, user_limits_reset());
	EXPECT_EQ(0, vfio_get_device(&self->v, self->bed.name));
}

TEST_F(vfio, killed)
{
	int status, pipes[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		volatile u32 *db;

		if (vfio_open(&self->v, self->bed.name))
			_exit(1);
		db = vfio_map_doorbells(&self->v);
		db[1000] = 1;
		if (write(pipes[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(pipes[1]);
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	close(pipes[0]);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	OPEN();
}

/* A child writes the device's name to a file of its driver; its pid. */
static pid_t driver_write(struct vfio *v, const char *file,
			  const char *target)
{
	pid_t pid = fork();

	if (!pid) {
		/* Or the device stays open as long as the child waits. */
		vfio_close(v);
		_exit(write_text(target, VFIO_DRIVER "/%s", file) ? 1 : 0);
	}
	return pid;
}

static int child_result(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return WEXITSTATUS(status);
}

TEST_F(vfio, taken_back)
{
	struct pollfd p = { .events = POLLIN };
	int fd = eventfd(0, EFD_CLOEXEC);
	int status;
	pid_t pid;

	OPEN();
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1,
				       &fd));
	pid = driver_write(&self->v, "unbind", self->bed.name);
	p.fd = fd;
	EXPECT_EQ(1, poll(&p, 1, VT_PATIENCE * 1000));
	/* We are asked, nothing is torn off. */
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	EXPECT_TRUE(answers(&self->v));
	vfio_close(&self->v);
	EXPECT_EQ(0, child_result(pid));
	EXPECT_EQ(-ENOENT, vfio_attach(&self->v, self->bed.name));

	EXPECT_EQ(0, child_result(driver_write(&self->v, "bind",
					       self->bed.name)));
	OPEN();
	close(fd);
}

static int create_vfio(int ctl, const char *name, unsigned int *poller)
{
	struct vhost_target_create c;

	ctl_init_create(&c, name);
	c.type = VHOST_TARGET_NVME;
	c.flags = VHOST_TARGET_F_VFIO;
	c.num_queues = 1;
	c.nr_pollers = 1;
	c.pollers_ptr = (uintptr_t)poller;
	return ctl_call(ctl, VHOST_TARGET_CREATE, &c);
}

/* sysfs has a file of that name where the device should be. */
TEST_F(vfio, door_cannot_be_made)
{
	struct vhost_target_info info;
	int ctl = self->bed.ctl, i;
	unsigned int poller = ctl_some_poller(ctl);

	if (variant->way != VFIO_CONTAINER)
		SKIP(return, "nobody opens it");
	for (i = 0; i < 100; i++)
		ASSERT_EQ(-EEXIST, create_vfio(ctl, "uevent", &poller));
	EXPECT_EQ(-ENOENT, ctl_get(ctl, "uevent", &info));
}

struct creator {
	int ctl;
	unsigned int poller;
	bool stop;
	unsigned int made;
};

static void *creator(void *arg)
{
	struct creator *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED))
		if (!create_vfio(c->ctl, "comes-and-goes", &c->poller))
			c->made++;
	return NULL;
}

/* Who destroys it may be there before its door is. */
TEST_F(vfio, destroyed_while_made)
{
	struct creator c = { .ctl = self->bed.ctl };
	unsigned int gone = 0;
	pthread_t thread;

	if (variant->way != VFIO_CONTAINER)
		SKIP(return, "nobody opens it");
	c.poller = ctl_some_poller(c.ctl);
	ASSERT_EQ(0, pthread_create(&thread, NULL, creator, &c));
	while (gone < 300)
		gone += !ctl_destroy(c.ctl, "comes-and-goes");
	__atomic_store_n(&c.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ctl_destroy(c.ctl, "comes-and-goes");
	TH_LOG("made %u times", c.made);
	EXPECT_EQ(-1, access("/sys/devices/vhost-nvme/comes-and-goes", F_OK));
	/* The name is free, and the door can be had. */
	EXPECT_EQ(0, create_vfio(c.ctl, "comes-and-goes", &c.poller));
	EXPECT_EQ(0, ctl_destroy(c.ctl, "comes-and-goes"));
}

TEST_HARNESS_MAIN
