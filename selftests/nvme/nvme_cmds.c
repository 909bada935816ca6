// SPDX-License-Identifier: GPL-2.0
/* Commands of the NVM command set, on a device that keeps its data. */
#include "nvme_fixture.h"

static int data_is(FIXTURE_DATA(nv) *self, u64 lba, u32 nlb, u32 gen)
{
	memset(self->data, 0xaa, nlb * SECTOR);
	if (nv_rw(self, OP_READ, lba, nlb))
		return -EIO;
	return gen ? pattern_check(self->data, nlb * SECTOR, lba, gen) :
		     pattern_check_zero(self->data, nlb * SECTOR, lba);
}

static int put(FIXTURE_DATA(nv) *self, u64 lba, u32 nlb, u32 gen)
{
	pattern_fill(self->data, nlb * SECTOR, lba, gen);
	return nv_rw(self, OP_WRITE, lba, nlb);
}

TEST_F(nv, compare)
{
	MAKE_QUEUE();
	ASSERT_EQ(0, put(self, 8, 64, 1));
	STATUS(0, nv_rw(self, OP_COMPARE, 8, 64));
	self->data[64 * SECTOR - 1] ^= 1;
	STATUS(SC_COMPARE, nv_rw(self, OP_COMPARE, 8, 64));
	self->data[64 * SECTOR - 1] ^= 1;
	self->data[4096] ^= 0x80;
	STATUS(SC_COMPARE, nv_rw(self, OP_COMPARE, 8, 64));
	STATUS(0, nv_rw(self, OP_COMPARE, 8, 8));
	STATUS(SC_LBA_RANGE, nv_rw(self, OP_COMPARE, 16 * MIB / SECTOR, 1));
	EXPECT_EQ(0, data_is(self, 8, 64, 1));
}

struct fused {
	int compare;
	int write;
};

/* What the host has at data, then at data + 4096 to be written. */
static struct fused fused(FIXTURE_DATA(nv) *self, u8 op1, u8 op2, u64 lba2)
{
	struct fused f = { -1, -1 };
	struct nvme_sqe cmd = { .flags = 1, .cid = 71 };
	struct nvme_cqe cqe;

	nvme_set_rw(&cmd, op1, 1, 8, 8);
	cmd.prp1 = self->gpa;
	nvme_submit(&self->n, 1, &cmd);
	memset(&cmd, 0, sizeof(cmd));
	cmd.flags = 2;
	cmd.cid = 72;
	nvme_set_rw(&cmd, op2, 1, lba2, 8);
	cmd.prp1 = self->gpa + PAGE;
	nvme_submit(&self->n, 1, &cmd);
	nvme_ring(&self->n, 1);
	if (!nvme_wait(&self->n, 1, &cqe) && cqe.cid == 71)
		f.compare = NVME_ERR(cqe.status >> 1);
	if (!nvme_wait(&self->n, 1, &cqe) && cqe.cid == 72)
		f.write = NVME_ERR(cqe.status >> 1);
	return f;
}

TEST_F(nv, compare_and_write)
{
	struct nvme_sqe cmd = { .flags = 1 };
	struct fused f;
	unsigned int i;

	MAKE_QUEUE();
	ASSERT_EQ(0, put(self, 8, 8, 1));
	for (i = 1; i < 4; i++) {
		pattern_fill(self->data, PAGE, 8, i);
		pattern_fill(self->data + PAGE, PAGE, 8, i + 1);
		f = fused(self, OP_COMPARE, OP_WRITE, 8);
		EXPECT_EQ(0, f.compare);
		EXPECT_EQ(0, f.write);
		EXPECT_EQ(0, data_is(self, 8, 8, i + 1));
	}
	pattern_fill(self->data, PAGE, 8, 1);
	pattern_fill(self->data + PAGE, PAGE, 8, 9);
	f = fused(self, OP_COMPARE, OP_WRITE, 8);
	EXPECT_EQ(SC_COMPARE, f.compare);
	EXPECT_EQ(0x009, f.write);
	EXPECT_EQ(0, data_is(self, 8, 8, 4));
	f = fused(self, OP_COMPARE, OP_WRITE, 16);
	EXPECT_EQ(SC_FIELD, f.compare);
	EXPECT_EQ(0x009, f.write);
	f = fused(self, OP_READ, OP_WRITE, 8);
	EXPECT_EQ(SC_FIELD, f.compare);
	EXPECT_EQ(0, data_is(self, 8, 8, 4));
	/* A half alone. */
	nvme_set_rw(&cmd, OP_COMPARE, 1, 8, 8);
	cmd.prp1 = self->gpa;
	STATUS(0x00a, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.flags = 2;
	cmd.opcode = OP_WRITE;
	STATUS(0x00a, nvme_do(&self->n, 1, &cmd, NULL));
	WORKS();
}

TEST_F(nv, verify)
{
	struct nvme_sqe cmd = { 0 };

	MAKE_QUEUE();
	/* All of the disk, which is more than one step of the device's. */
	nvme_set_rw(&cmd, OP_VERIFY, 1, 0, 16 * MIB / SECTOR);
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	nvme_set_rw(&cmd, OP_VERIFY, 1, 1, 16 * MIB / SECTOR);
	STATUS(SC_LBA_RANGE, nvme_do(&self->n, 1, &cmd, NULL));
}

TEST_F(nv, write_zeroes)
{
	static const u32 flags[] = { 0, 1 << 25, 1 << 30, 1 << 25 | 1 << 30 };
	struct nvme_sqe cmd = { 0 };
	unsigned int i;

	MAKE_QUEUE();
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		ASSERT_EQ(0, put(self, 16, 32, 2));
		memset(&cmd, 0, sizeof(cmd));
		nvme_set_rw(&cmd, OP_ZEROES, 1, 24, 8);
		cmd.cdw12 |= flags[i];
		STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
		EXPECT_EQ(0, data_is(self, 16, 8, 2));
		EXPECT_EQ(0, data_is(self, 24, 8, 0));
		EXPECT_EQ(0, data_is(self, 32, 16, 2));
	}
}

struct dsm_range {
	u32 attr;
	u32 nlb;
	u64 slba;
};

TEST_F(nv, deallocate)
{
	struct dsm_range *r;
	struct nvme_sqe cmd = { 0 };
	unsigned int i;

	MAKE_QUEUE();
	ASSERT_EQ(0, put(self, 0, 128, 4));
	r = (struct dsm_range *)(self->list + PAGE / 8);
	for (i = 0; i < 256; i++)
		r[i] = (struct dsm_range) { .nlb = 0, .slba = i };
	r[0] = (struct dsm_range) { .nlb = 8, .slba = 8 };
	r[255] = (struct dsm_range) { .nlb = 16, .slba = 64 };
	cmd.opcode = OP_DSM;
	cmd.nsid = 1;
	cmd.cdw10 = 255;
	cmd.prp1 = self->list_gpa + PAGE;
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	EXPECT_EQ(0, data_is(self, 0, 128, 4));
	cmd.cdw11 = 4;
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	EXPECT_EQ(0, data_is(self, 0, 8, 4));
	EXPECT_EQ(0, data_is(self, 16, 48, 4));
	EXPECT_EQ(0, data_is(self, 80, 48, 4));
	r[100] = (struct dsm_range) { .nlb = 2, .slba = 16 * MIB / SECTOR - 1 };
	STATUS(SC_LBA_RANGE, nvme_do(&self->n, 1, &cmd, NULL));
}

struct copy_range {
	u64 rsvd;
	u64 slba;
	u16 nlb;
	u8 rest[14];
};

TEST_F(nv, copy)
{
	struct nvme_sqe cmd = { .opcode = OP_COPY, .nsid = 1 };
	struct copy_range *r;
	u32 dw0;

	MAKE_QUEUE();
	ASSERT_EQ(0, put(self, 200, 16, 5));
	ASSERT_EQ(0, put(self, 300, 24, 5));
	r = (struct copy_range *)(self->list + PAGE / 8);
	memset(r, 0, PAGE);
	r[0].slba = 200;
	r[0].nlb = 15;
	r[1].slba = 300;
	r[1].nlb = 23;
	cmd.cdw10 = 1000;
	cmd.cdw12 = 1;
	cmd.prp1 = self->list_gpa + PAGE;
	STATUS(0, nvme_do(&self->n, 1, &cmd, &dw0));
	memset(self->data, 0, 40 * SECTOR);
	ASSERT_EQ(0, nv_rw(self, OP_READ, 1000, 40));
	EXPECT_EQ(0, pattern_check(self->data, 16 * SECTOR, 200, 5));
	EXPECT_EQ(0, pattern_check(self->data + 16 * SECTOR, 24 * SECTOR, 300,
				   5));
	r[1].slba = 16 * MIB / SECTOR - 1;
	STATUS(SC_LBA_RANGE, nvme_do(&self->n, 1, &cmd, NULL));
	r[1].slba = 0;
	r[1].nlb = 0xffff;
	STATUS(SC_LBA_RANGE, nvme_do(&self->n, 1, &cmd, NULL));
	r[1].nlb = 4095;
	STATUS(SC_SIZE_LIMIT, nvme_do(&self->n, 1, &cmd, NULL));
	r[1].nlb = 23;
	cmd.cdw10 = 16 * MIB / SECTOR - 20;
	STATUS(SC_LBA_RANGE, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.cdw12 = 128;
	STATUS(SC_SIZE_LIMIT, nvme_do(&self->n, 1, &cmd, NULL));
	WORKS();
}

/* A disk with a volatile write cache. */
static int make_cached(FIXTURE_DATA(nv) *self, enum nvme_db db)
{
	struct disk_opts d = {
		.kind = DISK_BDEV, .block_size = SECTOR, .size_mb = 16,
		.cache_mb = 1, .own = true,
	};
	struct bed_opts b = {
		.disk = &self->disk, .type = VHOST_TARGET_NVME,
		.num_queues = 4,
	};
	int ret = disk_create(&self->disk, &d);

	if (!ret)
		ret = bed_make(&self->bed, &b);
	return ret ? ret : nv_make_ctrl(self, db);
}

TEST_F(nv, fua_and_cache)
{
	struct nvme_sqe cmd = { 0 };
	u32 dw0;

	ASSERT_EQ(0, make_cached(self, variant->db));
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 16));
	nvme_set_rw(&cmd, OP_WRITE, 1, 0, 8);
	cmd.cdw12 |= 1 << 30;
	cmd.prp1 = self->gpa;
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	EXPECT_EQ(0, nvme_get_feature(&self->n, 6, 0, &dw0));
	EXPECT_EQ(1, dw0);
	EXPECT_EQ(0, nvme_set_feature(&self->n, 6, 0, NULL));
	EXPECT_EQ(0, nvme_get_feature(&self->n, 6, 0, &dw0));
	EXPECT_EQ(0, dw0);
	WORKS();
}

TEST_F(nv, no_cache)
{
	const u8 *id;

	MAKE(0);
	id = self->n.buf;
	STATUS(0, nvme_identify(&self->n, 1, 0));
	EXPECT_EQ(0, id[525] & 1);
	STATUS(SC_FIELD, nvme_get_feature(&self->n, 6, 0, NULL));
	STATUS(SC_FIELD, nvme_set_feature(&self->n, 6, 0, NULL));
}

TEST_F(nv, refused)
{
	static const u8 opcodes[] = { 0x04, 0x18, 0x79, 0x7d, 0x80, 0xff };
	struct nvme_sqe cmd = { 0 };
	unsigned int i;

	MAKE_QUEUE();
	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		memset(&cmd, 0, sizeof(cmd));
		nvme_set_rw(&cmd, opcodes[i], 1, 0, 1);
		STATUS(SC_OPCODE, nvme_do(&self->n, 1, &cmd, NULL));
	}
	nvme_set_rw(&cmd, OP_READ, 0, 0, 1);
	STATUS(SC_NS, nvme_do(&self->n, 1, &cmd, NULL));
	nvme_set_rw(&cmd, OP_READ, ~0u, 0, 1);
	STATUS(SC_NS, nvme_do(&self->n, 1, &cmd, NULL));
	nvme_set_rw(&cmd, OP_READ, 2, 0, 1);
	STATUS(SC_FIELD, nvme_do(&self->n, 1, &cmd, NULL));
	nvme_set_rw(&cmd, OP_READ, 1, 0, 2049);
	STATUS(SC_FIELD, nvme_do(&self->n, 1, &cmd, NULL));
	WORKS();
}

TEST_F(nv, one_mebibyte)
{
	struct nvme_sqe cmd = { 0 };
	u64 gpa, *list, list_gpa;
	u8 *buf;

	MAKE_QUEUE();
	buf = mem_alloc(&self->mem, MIB + PAGE, PAGE, &gpa);
	list = mem_alloc(&self->mem, PAGE, PAGE, &list_gpa);
	ASSERT_NE(NULL, buf);
	ASSERT_NE(NULL, list);
	pattern_fill(buf + SECTOR, MIB, 0, 9);
	nvme_set_rw(&cmd, OP_WRITE, 1, 0, MIB / SECTOR);
	nvme_set_prp(&cmd, gpa + SECTOR, MIB, list, list_gpa);
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	memset(buf, 0, MIB + PAGE);
	cmd.opcode = OP_READ;
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	EXPECT_EQ(0, pattern_check(buf + SECTOR, MIB, 0, 9));
	EXPECT_EQ(0, buf[SECTOR - 1]);
	EXPECT_EQ(0, buf[SECTOR + MIB]);
}

TEST_F(nv, bit_bucket)
{
	struct nvme_sqe cmd = { .flags = 1 << 6 };
	struct nvme_sgl *list;
	struct nvme_sgl last = { .len = 3 * 16, .type = 0x30 };

	MAKE_QUEUE();
	ASSERT_EQ(0, put(self, 40, 48, 6));
	memset(self->data, 0x55, 64 * KIB);
	list = (struct nvme_sgl *)self->list;
	list[0] = (struct nvme_sgl) { .addr = self->gpa, .len = 8 * SECTOR };
	list[1] = (struct nvme_sgl) { .len = 32 * SECTOR, .type = 0x10 };
	list[2] = (struct nvme_sgl) {
		.addr = self->gpa + 8 * SECTOR, .len = 8 * SECTOR,
	};
	last.addr = self->list_gpa;
	nvme_set_rw(&cmd, OP_READ, 1, 40, 48);
	memcpy(&cmd.prp1, &last, sizeof(last));
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	EXPECT_EQ(0, pattern_check(self->data, 8 * SECTOR, 40, 6));
	EXPECT_EQ(0, pattern_check(self->data + 8 * SECTOR, 8 * SECTOR, 80, 6));
	EXPECT_EQ(0x55, self->data[16 * SECTOR]);
}

TEST_HARNESS_MAIN
