// SPDX-License-Identifier: GPL-2.0
/* What a VM's I/O is charged to: the block cgroup of who attached. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "vblk.h"

#define CGROUPS "/sys/fs/cgroup"

FIXTURE(charge)
{
	char group[64];
	struct disk disk;
	struct bed bed;
	struct vblk d;
};

static int move_to(const char *group)
{
	return write_text("0", "%s/cgroup.procs", group);
}

FIXTURE_SETUP(charge)
{
	struct bed_opts b = { .disk = &self->disk, .num_queues = 1 };
	struct vblk_opts o = { .buf_size = 64 * KIB };
	int ret;

	bed_sweep();
	ASSERT_EQ(0, write_text("+io", CGROUPS "/cgroup.subtree_control"));
	snprintf(self->group, sizeof(self->group), CGROUPS "/vt%d", getpid());
	ASSERT_EQ(0, mkdir(self->group, 0700));
	ASSERT_EQ(0, bed_make_nullb(&self->bed, &b, 0));
	o.target = self->bed.name;
	ASSERT_EQ(0, move_to(self->group));
	ret = vblk_open(&self->d, &o);
	ASSERT_EQ(0, move_to(CGROUPS));
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(charge)
{
	vblk_close(&self->d);
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	rmdir(self->group);
}

/* The bytes of one kind that the group has moved, of all devices. */
static u64 charged(const char *group, const char *key)
{
	unsigned long long n;
	char path[128], line[512], *at;
	u64 sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/io.stat", group);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, key);
		if (at && sscanf(at + strlen(key), "%llu", &n) == 1)
			sum += n;
	}
	fclose(f);
	return sum;
}

TEST_F(charge, reads_and_writes)
{
	ASSERT_EQ(0, vblk_verified_io(&self->d.q[0], 0, 4, 64 * KIB, 1));
	EXPECT_EQ(256 * KIB, charged(self->group, "wbytes="));
	EXPECT_EQ(256 * KIB, charged(self->group, "rbytes="));
}

/* They are a work item's. */
TEST_F(charge, ranges)
{
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 512 };

	EXPECT_EQ(VIRTIO_BLK_S_OK, vblk_do(&self->d.q[0],
					   VIRTIO_BLK_T_WRITE_ZEROES, 0, &range,
					   sizeof(range)));
	EXPECT_EQ(256 * KIB, charged(self->group, "wbytes="));
	EXPECT_EQ(VIRTIO_BLK_S_OK, vblk_do(&self->d.q[0], VIRTIO_BLK_T_DISCARD,
					   0, &range, sizeof(range)));
	EXPECT_EQ(256 * KIB, charged(self->group, "dbytes="));
}

TEST_HARNESS_MAIN
