// SPDX-License-Identifier: GPL-2.0
/* How many sessions and queues a user may have, over each ioctl door. */
#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "nvme.h"
#include "users.h"
#include "vhost.h"

#define OWNER 1000	/* of the target */
#define OTHER 1001	/* its group */

FIXTURE(limits)
{
	struct disk disk;
	struct bed bed;
	mode_t mode;
};

FIXTURE_VARIANT(limits)
{
	const char *node;
	u32 type;
	unsigned int queues;	/* of a session */
};

FIXTURE_VARIANT_ADD(limits, blk) { VHOST_BLK_NODE, VHOST_TARGET_BLK, 3 };
FIXTURE_VARIANT_ADD(limits, scsi) { VHOST_SCSI_NODE, VHOST_TARGET_SCSI, 5 };
FIXTURE_VARIANT_ADD(limits, nvme) { VHOST_NVME_NODE, VHOST_TARGET_NVME, 3 };

FIXTURE_SETUP(limits)
{
	struct disk_opts o = {
		.kind = DISK_NULL,
		.block_size = 512,
		.size_mb = 1,
	};
	struct bed_opts b = {
		.disk = &self->disk,
		.type = variant->type,
		.num_queues = 3,
		.target_flags = VHOST_TARGET_F_SHARED,
		.uid = OWNER,
		.gid = OTHER,
	};
	struct stat st;

	bed_sweep();
	ASSERT_EQ(0, disk_create(&self->disk, &o));
	ASSERT_EQ(0, bed_make(&self->bed, &b));
	ASSERT_EQ(0, stat(variant->node, &st));
	self->mode = st.st_mode & 07777;
	ASSERT_EQ(0, chmod(variant->node, 0666));
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, user_limits_reset());
	EXPECT_EQ(0, chmod(variant->node, self->mode));
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
}

/* Whose an fd is depends on who opened it, not on who attaches. */
static int attach(int fd, const struct bed *bed, u32 type)
{
	int ret = vhost_set_owner(fd);

	if (ret && ret != -EBUSY)
		return ret;
	return type == VHOST_TARGET_SCSI ? vhost_set_endpoint(fd, bed->name) :
	       vhost_attach(fd, bed->name);
}

#define OPEN_AS(id) ({ \
	int __fd = user_open(variant->node, id); \
	ASSERT_LE(0, __fd); \
	__fd; \
})
#define ATTACH(fd) attach(fd, &self->bed, variant->type)

static u64 over_limit(const struct bed *bed)
{
	struct vhost_target_info info;

	return ctl_get(bed->ctl, bed->name, &info) ? ~0ull : info.over_limit;
}

static unsigned int sessions(const struct bed *bed)
{
	struct vhost_target_info info;

	return ctl_get(bed->ctl, bed->name, &info) ? ~0u : info.nr_sessions;
}

TEST_F(limits, sessions)
{
	int a = OPEN_AS(OWNER), b = OPEN_AS(OWNER), other = OPEN_AS(OTHER);

	ASSERT_EQ(0, user_limits(1, 0));
	ASSERT_EQ(0, ATTACH(a));
	EXPECT_EQ(-EDQUOT, ATTACH(b));
	EXPECT_EQ(-EDQUOT, ATTACH(b));
	EXPECT_EQ(2, over_limit(&self->bed));
	EXPECT_EQ(1, sessions(&self->bed));
	/* Others have their own. */
	EXPECT_EQ(0, ATTACH(other));
	close(other);
	other = OPEN_AS(OTHER);
	EXPECT_EQ(0, ATTACH(other));
	EXPECT_EQ(2, over_limit(&self->bed));
	/* What was refused is still good for another try. */
	close(a);
	EXPECT_EQ(0, ATTACH(b));
	close(b);
	close(other);
}

TEST_F(limits, queues)
{
	int a = OPEN_AS(OWNER), b = OPEN_AS(OWNER);

	ASSERT_EQ(0, user_limits(0, variant->queues - 1));
	EXPECT_EQ(-EDQUOT, ATTACH(a));
	ASSERT_EQ(0, user_limits(0, 2 * variant->queues - 1));
	EXPECT_EQ(0, ATTACH(a));
	EXPECT_EQ(-EDQUOT, ATTACH(b));
	ASSERT_EQ(0, user_limits(0, 2 * variant->queues));
	EXPECT_EQ(0, ATTACH(b));
	EXPECT_EQ(2, over_limit(&self->bed));
	close(a);
	close(b);
}

TEST_F(limits, none)
{
	int a = OPEN_AS(OWNER), b = OPEN_AS(OWNER);

	ASSERT_EQ(0, user_limits(0, 0));
	EXPECT_EQ(0, ATTACH(a));
	EXPECT_EQ(0, ATTACH(b));
	EXPECT_EQ(0, over_limit(&self->bed));
	close(a);
	close(b);
}

/* What there is stays, and counts. */
TEST_F(limits, lowered)
{
	int a = OPEN_AS(OWNER), b = OPEN_AS(OWNER), c = OPEN_AS(OWNER);

	ASSERT_EQ(0, ATTACH(a));
	ASSERT_EQ(0, ATTACH(b));
	ASSERT_EQ(0, user_limits(1, 1));
	EXPECT_EQ(2, sessions(&self->bed));
	EXPECT_EQ(-EDQUOT, ATTACH(c));
	close(a);
	EXPECT_EQ(-EDQUOT, ATTACH(c));
	close(b);
	EXPECT_EQ(-EDQUOT, ATTACH(c));
	ASSERT_EQ(0, user_limits(1, variant->queues));
	EXPECT_EQ(0, ATTACH(c));
	close(c);
}

/* An endpoint that is left is a session that has ended. */
TEST_F(limits, left)
{
	int a, b;

	if (variant->type != VHOST_TARGET_SCSI)
		SKIP(return, "has no call to leave a target");
	a = OPEN_AS(OWNER);
	b = OPEN_AS(OWNER);
	ASSERT_EQ(0, user_limits(1, 0));
	ASSERT_EQ(0, ATTACH(a));
	EXPECT_EQ(-EDQUOT, ATTACH(b));
	EXPECT_EQ(0, vhost_clear_endpoint(a, self->bed.name));
	EXPECT_EQ(0, ATTACH(b));
	EXPECT_EQ(-EDQUOT, ATTACH(a));
	close(a);
	close(b);
}

TEST_F(limits, privileged)
{
	int a = OPEN_AS(0), b = OPEN_AS(0), c;

	ASSERT_EQ(0, user_limits(1, 1));
	EXPECT_EQ(0, ATTACH(a));
	EXPECT_EQ(0, ATTACH(b));
	EXPECT_EQ(0, over_limit(&self->bed));
	ASSERT_EQ(0, drop_capability(CAP_SYS_RESOURCE));
	c = OPEN_AS(0);
	EXPECT_EQ(-EDQUOT, ATTACH(c));
	close(a);
	close(b);
	close(c);
}

TEST_F(limits, killed)
{
	int a = OPEN_AS(OWNER), pipes[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, user_limits(1, variant->queues));
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = user_open(variant->node, OWNER);

		if (fd < 0 || ATTACH(fd) || write(pipes[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(pipes[1]);
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	close(pipes[0]);
	EXPECT_EQ(-EDQUOT, ATTACH(a));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, bed_wait_detached(&self->bed));
	EXPECT_EQ(0, ATTACH(a));
	close(a);
}

TEST_HARNESS_MAIN
