/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the vDPA door begin and end with. */
#ifndef VT_VDPA_LIFE_H
#define VT_VDPA_LIFE_H

#include <string.h>

#include "bed.h"
#include "harness.h"
#include "pattern.h"
#include "vdpa.h"

#define SLOW_NS 300000000ull	/* of each request of a slow disk */
#define FLIGHT 16
#define LEN 4096
#define READ VIRTIO_BLK_T_IN
#define WRITE VIRTIO_BLK_T_OUT
#define QUEUES 3		/* of the target */
#define QUEUE_SIZE 128

FIXTURE(vdpa)
{
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct vblk_queue *q;
	struct vblk_opts o;
	long long pinned;
};

FIXTURE_VARIANT(vdpa)
{
	bool packed;
	bool use_va;
};

FIXTURE_VARIANT_ADD(vdpa, split_pa) { false, false };
FIXTURE_VARIANT_ADD(vdpa, packed_pa) { true, false };
FIXTURE_VARIANT_ADD(vdpa, split_va) { false, true };
FIXTURE_VARIANT_ADD(vdpa, packed_va) { true, true };

static inline long long pins(void)
{
	write_text("1", "/proc/sys/vm/stat_refresh");
	return read_key("/proc/vmstat", "nr_foll_pin_acquired") -
	       read_key("/proc/vmstat", "nr_foll_pin_released");
}

FIXTURE_SETUP(vdpa)
{
	if (vdpa_missing())
		SKIP(return, "%s", vdpa_missing());
	bed_sweep();
	self->pinned = pins();
	self->q = &self->d.q[0];
	self->o.target = self->bed.name;
	self->o.packed = variant->packed;
	self->o.memfd = variant->use_va;
	self->o.event_idx = true;
	self->o.layout = MEM_PIECES;
	/* Below 2048 pages: the most mappings Linux 7 takes by default. */
	self->o.mem_size = 6 * MIB;
	self->o.queue_size = QUEUE_SIZE;
}

/* Whatever a test did: nothing stays pinned, nothing stays in flight. */
FIXTURE_TEARDOWN(vdpa)
{
	struct vhost_target_stats st;
	unsigned int i;

	vblk_close(&self->d);
	if (self->bed.name[0]) {
		EXPECT_EQ(0, bed_wait_detached(&self->bed));
		bed_stats(&self->bed, &st);
		EXPECT_EQ(0, st.inflight);
		bed_destroy(&self->bed);
	}
	disk_destroy(&self->disk);
	for (i = 0; i < 200 && pins() != self->pinned; i++)
		sleep_ms(10);
	EXPECT_EQ(self->pinned, pins());
	EXPECT_GE(0, read_key("/proc/self/status", "VmPin"));
}

static inline int make_bed(struct bed *bed, struct disk *disk, bool use_va)
{
	struct bed_opts b = {
		.disk = disk,
		.num_queues = QUEUES,
		.queue_size = QUEUE_SIZE,
		.target_flags = VHOST_TARGET_F_VDPA |
				(use_va ? VHOST_TARGET_F_USE_VA : 0),
	};

	return bed_make(bed, &b);
}

static inline int make(struct bed *bed, struct disk *disk, bool use_va,
		enum disk_kind kind, u64 delay_ns)
{
	struct disk_opts d = {
		.kind = kind,
		.block_size = 512,
		.size_mb = 16,
		.delay_ns = delay_ns,
		.own = true,
	};
	int ret = disk_create(disk, &d);

	return ret ? ret : make_bed(bed, disk, use_va);
}

#define MAKE(delay_ns) \
	ASSERT_EQ(0, make(&self->bed, &self->disk, variant->use_va, \
			  DISK_BDEV, delay_ns))
#define MAKE_NULL() \
	ASSERT_EQ(0, make(&self->bed, &self->disk, variant->use_va, \
			  DISK_NULL, 0))
#define OPEN() ASSERT_EQ(0, vdpa_open(&self->d, &self->o))
#define VERIFIED(n) \
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 24, LEN, n))
#define RESET() do { \
	ASSERT_EQ(0, vdpa_reset(&self->d)); \
	ASSERT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 99)); \
} while (0)

static inline int submit(struct vblk_queue *q, u32 type, unsigned int n)
{
	struct vblk_req *r;
	int ret;

	while (n--) {
		r = vblk_get(q);
		if (!r)
			return -EBUSY;
		vblk_prepare(r, type, n * 8, LEN);
		if (type == WRITE)
			pattern_fill(r->buf, LEN, n * 8, 1);
		else
			memset(r->buf, 0xee, LEN);
		ret = vblk_submit(r);
		if (ret)
			return ret;
	}
	vblk_kick(q);
	return 0;
}

#define IN_FLIGHT(type) do { \
	ASSERT_EQ(0, submit(self->q, type, FLIGHT)); \
	ASSERT_EQ(0, bed_wait_inflight(&self->bed, 1)); \
} while (0)

/* Nothing comes any more, and nobody is told of anything. */
static inline int quiet(struct vblk_queue *q, unsigned int ms)
{
	struct vblk_req *r;

	sleep_ms(ms);
	return vblk_wait_ms(q, &r, 0) == -ETIMEDOUT ? 0 : -EBUSY;
}

static inline bool needs_reset(int fd)
{
	return vdpa_status(fd) & VDPA_NEEDS_RESET;
}

/* No I/O failed and no ring was stopped so far. */
#define ALL_WELL() do { \
	struct vhost_target_stats __st; \
	bed_stats(&self->bed, &__st); \
	EXPECT_EQ(0, __st.errors[VHOST_TARGET_OP_READ]); \
	EXPECT_EQ(0, __st.errors[VHOST_TARGET_OP_WRITE]); \
	EXPECT_EQ(0, __st.invalid); \
	EXPECT_EQ(0, __st.ring_errors); \
	EXPECT_EQ(VDPA_RUNNING, vdpa_status(self->d.fd)); \
} while (0)

#endif
