/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the VFIO door begin and end with. */
#ifndef VT_VFIO_LIFE_H
#define VT_VFIO_LIFE_H

#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "vfio.h"

#define QUEUES 3		/* of the target */
#define VECTORS (QUEUES + 1)
#define QUEUE_SIZE 64

FIXTURE(vfio)
{
	struct disk disk;
	struct bed bed;
	struct vfio v;
	long long pinned;
};

FIXTURE_VARIANT(vfio)
{
	enum vfio_way way;
};

static inline int make_nvme(struct bed *bed, struct disk *disk, u32 flags)
{
	struct disk_opts d = {
		.kind = DISK_NULL,
		.block_size = 512,
		.size_mb = 16,
	};
	struct bed_opts b = {
		.disk = disk,
		.type = VHOST_TARGET_NVME,
		.num_queues = QUEUES,
		.queue_size = QUEUE_SIZE,
		.target_flags = VHOST_TARGET_F_VFIO | flags,
	};
	int ret = disk_create(disk, &d);

	return ret ? ret : bed_make(bed, &b);
}

/* Where there are no variants, the way does not matter. */
FIXTURE_SETUP(vfio)
{
	vfio_use(variant ? variant->way : VFIO_CONTAINER);
	if (vfio_missing())
		SKIP(return, "%s", vfio_missing());
	bed_sweep();
	self->pinned = pinned_pages();
	ASSERT_EQ(0, make_nvme(&self->bed, &self->disk, 0));
}

/* Whatever a test did: nothing stays pinned, nobody stays attached. */
FIXTURE_TEARDOWN(vfio)
{
	vfio_close(&self->v);
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	EXPECT_EQ(0, wait_pinned(self->pinned));
}

#define OPEN() ASSERT_EQ(0, vfio_open(&self->v, self->bed.name))

#endif
