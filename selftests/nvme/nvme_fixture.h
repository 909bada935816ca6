/* SPDX-License-Identifier: GPL-2.0 */
/* A controller with one namespace, over each kind of doorbell. */
#ifndef NVME_FIXTURE_H
#define NVME_FIXTURE_H

#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "nvme.h"
#include "pattern.h"

FIXTURE(nv)
{
	struct disk disk;
	struct bed bed;
	struct mem mem;
	struct nvme n;
	u8 *data;	/* 64 KiB, page aligned */
	u64 gpa;
	u64 *list;	/* 2 pages */
	u64 list_gpa;
};

FIXTURE_VARIANT(nv)
{
	enum nvme_db db;
};

FIXTURE_VARIANT_ADD(nv, trap) { NVME_DB_TRAP };
FIXTURE_VARIANT_ADD(nv, page) { NVME_DB_PAGE };
FIXTURE_VARIANT_ADD(nv, shadow) { NVME_DB_SHADOW };

static inline int nv_make_bed(FIXTURE_DATA(nv) *self, u64 delay_ns)
{
	struct bed_opts b = {
		.disk = &self->disk, .type = VHOST_TARGET_NVME,
		.num_queues = 4,
	};

	return bed_make_nullb(&self->bed, &b, delay_ns);
}

static inline int nv_make_ctrl(FIXTURE_DATA(nv) *self, enum nvme_db db)
{
	int ret = mem_init(&self->mem, MEM_ONE, 16 * MIB, false);

	if (!ret)
		ret = nvme_open(&self->n, &self->mem, self->bed.name, db);
	if (ret)
		return ret;
	self->data = mem_alloc(&self->mem, 64 * KIB, PAGE, &self->gpa);
	self->list = mem_alloc(&self->mem, 2 * PAGE, PAGE, &self->list_gpa);
	return self->data && self->list ? nvme_enable(&self->n, 32) : -ENOMEM;
}

static inline int nv_make(FIXTURE_DATA(nv) *self, enum nvme_db db, u64 delay_ns)
{
	int ret = nv_make_bed(self, delay_ns);

	return ret ? ret : nv_make_ctrl(self, db);
}

FIXTURE_SETUP(nv)
{
	bed_sweep();
	self->n.fd = -1;
	(void)variant;
}

/* Whatever a test did: nothing stays in flight. */
FIXTURE_TEARDOWN(nv)
{
	nvme_close(&self->n);
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	mem_free(&self->mem);
}

#define MAKE(delay_ns) ASSERT_EQ(0, nv_make(self, variant->db, delay_ns))
#define MAKE_QUEUE() \
	do { \
		MAKE(0); \
		ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 16)); \
	} while (0)

/* Status codes of the specification: type in bits 10:8. */
#define SC_OPCODE 0x001
#define SC_FIELD 0x002
#define SC_DATA_XFER 0x004
#define SC_ABORT_REQ 0x007
#define SC_NS 0x00b
#define SC_SGL_SEGMENT 0x00d
#define SC_SGL_COUNT 0x00e
#define SC_SGL_LENGTH 0x00f
#define SC_SGL_TYPE 0x011
#define SC_PRP_OFFSET 0x013
#define SC_WRITE_PROTECTED 0x020
#define SC_LBA_RANGE 0x080
#define SC_CQ 0x100
#define SC_QID 0x101
#define SC_QSIZE 0x102
#define SC_AER_LIMIT 0x105
#define SC_VECTOR 0x108
#define SC_LOG_PAGE 0x109
#define SC_QUEUE_DELETION 0x10c
#define SC_COMPARE 0x285
#define SC_SIZE_LIMIT 0x183

#define OP_FLUSH 0
#define OP_WRITE 1
#define OP_READ 2
#define OP_COMPARE 5
#define OP_ZEROES 8
#define OP_DSM 9
#define OP_VERIFY 12
#define OP_COPY 0x19

static inline int nv_rw(FIXTURE_DATA(nv) *self, u8 opcode, u64 lba, u32 nlb)
{
	struct nvme_sqe cmd = { 0 };

	nvme_set_rw(&cmd, opcode, 1, lba, nlb);
	nvme_set_prp(&cmd, self->gpa, nlb * SECTOR, self->list,
		     self->list_gpa);
	return nvme_do(&self->n, 1, &cmd, NULL);
}

/* Write, read back, compare: the queue works. */
static inline int nv_works(FIXTURE_DATA(nv) *self)
{
	int ret;

	pattern_fill(self->data, 16 * SECTOR, 100, 3);
	ret = nv_rw(self, OP_WRITE, 100, 16);
	memset(self->data, 0, 16 * SECTOR);
	if (!ret)
		ret = nv_rw(self, OP_READ, 100, 16);
	return ret ? ret : pattern_check(self->data, 16 * SECTOR, 100, 3);
}

#define WORKS() EXPECT_EQ(0, nv_works(self))
#define STATUS(want, got) EXPECT_EQ(want, NVME_ERR(got))

#endif
