/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the VFIO door's memory begin and end with: a running
 * controller and, not mapped yet, the guest's memory for data.
 */
#ifndef VT_VFIO_IO_H
#define VT_VFIO_IO_H

#include <stdlib.h>

#include "bed.h"
#include "harness.h"
#include "nvme.h"
#include "pattern.h"

#define SLOW_NS 300000000ull	/* of each request of a slow disk */
#define FLIGHT 8
#define LEN 4096u
#define NLB (LEN / SECTOR)
#define BASE 0x10000000ull	/* guest address of the memory for data */
#define SIZE (8 * MIB)
#define READ 2
#define WRITE 1
#define TRANSFER_ERROR 4	/* status */
#define CFS 2			/* in CSTS */

FIXTURE(dma)
{
	struct disk disk;
	struct bed bed;
	struct mem mem;		/* rings */
	struct nvme n;
	struct mem data;	/* for data, mapped by the tests */
	u8 *at;
	long long pinned;
};

FIXTURE_VARIANT(dma)
{
	enum vfio_way way;
};

static inline int make_slow(struct bed *bed, struct disk *disk, u64 delay_ns)
{
	struct bed_opts b = {
		.disk = disk,
		.type = VHOST_TARGET_NVME,
		.num_queues = 2,
		.queue_size = 64,
	};

	return bed_make_nullb(bed, &b, delay_ns);
}

/* Enabled, with one queue; memory for data is there but not mapped. */
static inline int start(struct nvme *n, struct mem *mem, const char *target)
{
	int ret = nvme_open(n, mem, target, NVME_DB_PAGE);

	if (!ret)
		ret = nvme_enable(n, 16);
	return ret ? ret : nvme_create_queue(n, 1, 32);
}

FIXTURE_SETUP(dma)
{
	self->n.fd = -1;
	vfio_use(variant->way);
	if (vfio_missing())
		SKIP(return, "%s", vfio_missing());
	setenv("VT_NVME_DOOR", "vfio", 1);
	bed_sweep();
	self->pinned = pinned_pages();
	ASSERT_EQ(0, mem_init(&self->mem, MEM_ONE, 4 * MIB, false));
	ASSERT_EQ(0, mem_init(&self->data, MEM_ONE, SIZE, false));
	self->at = self->data.region[0].hva;
}

FIXTURE_TEARDOWN(dma)
{
	nvme_close(&self->n);
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	EXPECT_EQ(0, wait_pinned(self->pinned));
	mem_free(&self->mem);
	mem_free(&self->data);
}

#define START(delay) do { \
	ASSERT_EQ(0, make_slow(&self->bed, &self->disk, delay)); \
	ASSERT_EQ(0, start(&self->n, &self->mem, self->bed.name)); \
} while (0)
#define MAP(flags) \
	ASSERT_EQ(0, vfio_map(&self->n.v, BASE, self->at, SIZE, flags))
#define UNMAP() ASSERT_EQ(0, vfio_unmap(&self->n.v, BASE, SIZE))
#define RW(op, gpa) NVME_ERR(rw(&self->n, op, 0, gpa))

/* Commands of a test that changes all mappings meanwhile; $VFIO_REMAPS. */
static inline unsigned int nr_remaps(unsigned int usual)
{
	const char *nr = getenv("VFIO_REMAPS");

	return nr ? strtoul(nr, NULL, 10) : usual;
}

static inline void set_rw(struct nvme_sqe *cmd, u8 op, u64 lba, u64 gpa)
{
	memset(cmd, 0, sizeof(*cmd));
	nvme_set_rw(cmd, op, 1, lba, NLB);
	cmd->prp1 = gpa;
	if (gpa & (PAGE - 1))
		cmd->prp2 = (gpa | (PAGE - 1)) + 1;
}

static inline int rw(struct nvme *n, u8 op, u64 lba, u64 gpa)
{
	struct nvme_sqe cmd;

	set_rw(&cmd, op, lba, gpa);
	return nvme_do(n, 1, &cmd, NULL);
}

/* Write, read back elsewhere, compare. */
static inline int verified(struct nvme *n, u8 *at, unsigned int generation)
{
	pattern_fill(at, LEN, 8, generation);
	memset(at + 3 * MIB, 0, LEN);
	return rw(n, WRITE, 8, BASE) ?: rw(n, READ, 8, BASE + 3 * MIB) ?:
	       memcmp(at, at + 3 * MIB, LEN);
}

static inline void in_flight(struct nvme *n, u8 op)
{
	struct nvme_sqe cmd;
	unsigned int i;

	for (i = 0; i < FLIGHT; i++) {
		set_rw(&cmd, op, i * NLB, BASE + i * LEN);
		cmd.cid = n->next_cid++;
		nvme_submit(n, 1, &cmd);
	}
	nvme_ring(n, 1);
}

static inline unsigned int reap(struct nvme *n)
{
	struct nvme_cqe cqe;
	unsigned int nr = 0;

	while (nvme_reap(n, 1, &cqe))
		nr += !(cqe.status >> 1);
	return nr;
}

#endif
