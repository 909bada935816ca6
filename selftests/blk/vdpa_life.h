/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the vDPA door begin and end with. */
#ifndef VT_VDPA_LIFE_H
#define VT_VDPA_LIFE_H

#include <string.h>

#include "harness.h"
#include "life.h"
#include "pattern.h"
#include "vdpa.h"

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

FIXTURE_SETUP(vdpa)
{
	if (vdpa_missing())
		SKIP(return, "%s", vdpa_missing());
	bed_sweep();
	self->pinned = pinned_pages();
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
	vblk_close(&self->d);
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	EXPECT_EQ(0, wait_pinned(self->pinned));
	EXPECT_GE(0, read_key("/proc/self/status", "VmPin"));
}

static inline struct bed_opts bed_opts(struct disk *disk, bool use_va)
{
	return (struct bed_opts) {
		.disk = disk,
		.num_queues = QUEUES,
		.queue_size = QUEUE_SIZE,
		.target_flags = VHOST_TARGET_F_VDPA |
				(use_va ? VHOST_TARGET_F_USE_VA : 0),
	};
}

static inline int make(struct bed *bed, struct disk *disk, bool use_va,
		       u64 delay_ns)
{
	struct bed_opts b = bed_opts(disk, use_va);

	return bed_make_nullb(bed, &b, delay_ns);
}

static inline int make_null(struct bed *bed, struct disk *disk, bool use_va)
{
	struct disk_opts d = {
		.kind = DISK_NULL,
		.block_size = SECTOR,
		.size_mb = 16,
	};
	struct bed_opts b = bed_opts(disk, use_va);
	int ret = disk_create(disk, &d);

	return ret ? ret : bed_make(bed, &b);
}

#define MAKE(delay_ns) \
	ASSERT_EQ(0, make(&self->bed, &self->disk, variant->use_va, delay_ns))
#define MAKE_NULL() \
	ASSERT_EQ(0, make_null(&self->bed, &self->disk, variant->use_va))
#define OPEN() ASSERT_EQ(0, vdpa_open(&self->d, &self->o))
#define VERIFIED(n) \
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 24, LEN, n))
#define RESET() do { \
	ASSERT_EQ(0, vdpa_reset(&self->d)); \
	ASSERT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 99)); \
} while (0)

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
