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

static inline long long pins(void)
{
	write_text("1", "/proc/sys/vm/stat_refresh");
	return read_key("/proc/vmstat", "nr_foll_pin_acquired") -
	       read_key("/proc/vmstat", "nr_foll_pin_released");
}

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

FIXTURE_SETUP(vfio)
{
	if (vfio_missing())
		SKIP(return, "%s", vfio_missing());
	bed_sweep();
	self->pinned = pins();
	ASSERT_EQ(0, make_nvme(&self->bed, &self->disk, 0));
}

/* Whatever a test did: nothing stays pinned, nobody stays attached. */
FIXTURE_TEARDOWN(vfio)
{
	unsigned int i;

	vfio_close(&self->v);
	if (self->bed.name[0]) {
		EXPECT_EQ(0, bed_wait_detached(&self->bed));
		bed_destroy(&self->bed);
	}
	disk_destroy(&self->disk);
	for (i = 0; i < 200 && pins() != self->pinned; i++)
		sleep_ms(10);
	EXPECT_EQ(self->pinned, pins());
}

#define OPEN() ASSERT_EQ(0, vfio_open(&self->v, self->bed.name))

#endif
