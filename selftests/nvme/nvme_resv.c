// SPDX-License-Identifier: GPL-2.0
/* Reservations: two controllers of a shared target fence each other. */
#include <string.h>

#include "bed.h"
#include "forked.h"
#include "harness.h"
#include "hung.h"
#include "nvme.h"

#define SC_FIELD 0x002
#define SC_HOSTID_FORMAT 0x018
#define SC_CONFLICT 0x083

#define REGISTER 0x0d
#define REPORT 0x0e
#define ACQUIRE 0x11
#define RELEASE 0x15

#define WRITE_EX 1
#define EX_ACCESS 2
#define WRITE_EX_REG 3

struct host {
	struct mem mem;
	struct nvme n;
	u8 *data;
	u64 gpa;
};

FIXTURE(resv)
{
	struct disk disk;
	struct bed bed;
	struct host a;
	struct host b;
};

static int host_open(struct host *h, const char *target)
{
	int ret = mem_init(&h->mem, MEM_ONE, 4 * MIB, false);

	if (!ret)
		ret = nvme_open(&h->n, &h->mem, target, NVME_DB_SHADOW);
	if (ret)
		return ret;
	h->data = mem_alloc(&h->mem, PAGE, PAGE, &h->gpa);
	ret = nvme_enable(&h->n, 16);
	return ret ? ret : nvme_create_queue(&h->n, 1, 16);
}

FIXTURE_SETUP(resv)
{
	struct disk_opts d = {
		.kind = DISK_BDEV, .block_size = 512, .size_mb = 16, .own = true,
	};
	struct bed_opts b = {
		.disk = &self->disk, .type = VHOST_TARGET_NVME,
		.num_queues = 2, .target_flags = VHOST_TARGET_F_SHARED,
	};

	bed_sweep();
	self->a.n.fd = -1;
	self->b.n.fd = -1;
	ASSERT_EQ(0, disk_create(&self->disk, &d));
	ASSERT_EQ(0, bed_make(&self->bed, &b));
	ASSERT_EQ(0, host_open(&self->a, self->bed.name));
	ASSERT_EQ(0, host_open(&self->b, self->bed.name));
}

FIXTURE_TEARDOWN(resv)
{
	nvme_close(&self->a.n);
	nvme_close(&self->b.n);
	bed_destroy(&self->bed);
	disk_destroy(&self->disk);
}

static int rw(struct host *h, u8 opcode)
{
	struct nvme_sqe cmd = { .prp1 = h->gpa };

	nvme_set_rw(&cmd, opcode, 1, 0, 1);
	return NVME_ERR(nvme_do(&h->n, 1, &cmd, NULL));
}

static int resv(struct host *h, u8 opcode, u32 dw10, u64 key, u64 other)
{
	struct nvme_sqe cmd = {
		.opcode = opcode, .nsid = 1, .prp1 = h->gpa, .cdw10 = dw10,
	};

	memcpy(h->data, &key, sizeof(key));
	memcpy(h->data + 8, &other, sizeof(other));
	return NVME_ERR(nvme_do(&h->n, 1, &cmd, NULL));
}

static int report(struct host *h, bool ext)
{
	struct nvme_sqe cmd = {
		.opcode = REPORT, .nsid = 1, .prp1 = h->gpa, .cdw10 = 1023,
		.cdw11 = ext,
	};

	memset(h->data, 0xee, PAGE);
	return NVME_ERR(nvme_do(&h->n, 1, &cmd, NULL));
}

static u64 at(struct host *h, unsigned int off, unsigned int len)
{
	u64 val = 0;

	memcpy(&val, h->data + off, len);
	return val;
}

TEST_F(resv, write_exclusive)
{
	struct host *a = &self->a, *b = &self->b;

	EXPECT_EQ(SC_CONFLICT, resv(a, ACQUIRE, WRITE_EX << 8, 1, 0));
	ASSERT_EQ(0, resv(a, REGISTER, 0, 0, 0xaaa));
	ASSERT_EQ(0, resv(b, REGISTER, 0, 0, 0xbbb));
	EXPECT_EQ(SC_CONFLICT, resv(a, ACQUIRE, WRITE_EX << 8, 1, 0));
	ASSERT_EQ(0, resv(a, ACQUIRE, WRITE_EX << 8, 0xaaa, 0));
	EXPECT_EQ(0, rw(a, 1));
	EXPECT_EQ(0, rw(a, 2));
	EXPECT_EQ(SC_CONFLICT, rw(b, 1));
	EXPECT_EQ(0, rw(b, 2));
	EXPECT_EQ(0, rw(b, 5));
	EXPECT_EQ(SC_CONFLICT, rw(b, 0));
	EXPECT_EQ(SC_CONFLICT, rw(b, 8));
	EXPECT_EQ(SC_CONFLICT, resv(b, ACQUIRE, WRITE_EX << 8, 0xbbb, 0));
	EXPECT_EQ(SC_FIELD, resv(a, RELEASE, EX_ACCESS << 8, 0xaaa, 0));
	ASSERT_EQ(0, resv(a, RELEASE, WRITE_EX << 8, 0xaaa, 0));
	EXPECT_EQ(0, rw(b, 1));
}

TEST_F(resv, exclusive_access)
{
	struct host *a = &self->a, *b = &self->b;

	ASSERT_EQ(0, resv(a, REGISTER, 0, 0, 0xaaa));
	ASSERT_EQ(0, resv(a, ACQUIRE, EX_ACCESS << 8, 0xaaa, 0));
	EXPECT_EQ(SC_CONFLICT, rw(b, 2));
	EXPECT_EQ(SC_CONFLICT, rw(b, 5));
	EXPECT_EQ(SC_CONFLICT, rw(b, 12));
	EXPECT_EQ(0, rw(a, 2));
	ASSERT_EQ(0, resv(a, REGISTER, 1, 0xaaa, 0));
	EXPECT_EQ(0, rw(b, 2));
}

TEST_F(resv, wrong_fields)
{
	struct host *a = &self->a;

	EXPECT_EQ(SC_FIELD, resv(a, REGISTER, 3, 0, 1));
	EXPECT_EQ(SC_FIELD, resv(a, REGISTER, 1u << 30, 0, 1));
	ASSERT_EQ(0, resv(a, REGISTER, 0, 0, 0xaaa));
	EXPECT_EQ(SC_FIELD, resv(a, ACQUIRE, 0, 0xaaa, 0));
	EXPECT_EQ(SC_FIELD, resv(a, ACQUIRE, 7 << 8, 0xaaa, 0));
	EXPECT_EQ(SC_FIELD, resv(a, ACQUIRE, 1 << 8 | 3, 0xaaa, 0));
	EXPECT_EQ(SC_FIELD, resv(a, ACQUIRE, 1 << 8 | 8, 0xaaa, 0));
	EXPECT_EQ(SC_FIELD, resv(a, RELEASE, 2, 0xaaa, 0));
}

TEST_F(resv, preempt_tells_the_other)
{
	struct host *a = &self->a, *b = &self->b;
	struct nvme_sqe aer = { .opcode = 12, .cid = 0x500 };
	struct nvme_cqe cqe;
	u8 *log = a->n.buf;

	nvme_submit(&a->n, 0, &aer);
	nvme_ring(&a->n, 0);
	ASSERT_EQ(0, resv(a, REGISTER, 0, 0, 0xaaa));
	ASSERT_EQ(0, resv(b, REGISTER, 0, 0, 0xbbb));
	ASSERT_EQ(0, resv(a, ACQUIRE, WRITE_EX_REG << 8, 0xaaa, 0));
	EXPECT_EQ(0, rw(b, 1));
	ASSERT_EQ(0, resv(b, ACQUIRE, WRITE_EX_REG << 8 | 1, 0xbbb, 0xaaa));
	EXPECT_EQ(SC_CONFLICT, rw(a, 1));
	EXPECT_EQ(0, rw(b, 1));
	ASSERT_EQ(0, nvme_wait(&a->n, 0, &cqe));
	EXPECT_EQ(0x500, cqe.cid);
	EXPECT_EQ(0x800006, cqe.dw0);
	ASSERT_EQ(0, nvme_get_log(&a->n, 0x80, 64));
	EXPECT_EQ(1, log[8]);		/* registration preempted */
	EXPECT_EQ(1, log[12]);		/* namespace */
	ASSERT_EQ(0, resv(b, RELEASE, 1, 0xbbb, 0));
	EXPECT_EQ(0, rw(a, 1));
}

TEST_F(resv, report)
{
	struct host *a = &self->a, *b = &self->b;
	struct nvme_sqe cmd = {
		.opcode = 9, .cdw10 = 0x81, .cdw11 = 1,
	};

	ASSERT_EQ(0, resv(a, REGISTER, 0, 0, 0xaaa));
	ASSERT_EQ(0, report(a, false));
	EXPECT_EQ(1, at(a, 5, 2));
	EXPECT_EQ(0xaaa, at(a, 24 + 16, 8));
	EXPECT_EQ(1, at(a, 24, 2));
	EXPECT_EQ(0, at(a, 48, 8));
	ASSERT_EQ(0, resv(a, REGISTER, 1, 0xaaa, 0));

	memcpy(b->n.buf, "host number two.", 16);
	ASSERT_EQ(0, NVME_ERR(nvme_admin(&b->n, &cmd, NULL)));
	ASSERT_EQ(0, resv(b, REGISTER, 0, 0, 0xbbb));
	ASSERT_EQ(0, resv(b, ACQUIRE, EX_ACCESS << 8, 0xbbb, 0));
	EXPECT_EQ(SC_HOSTID_FORMAT, report(b, false));
	ASSERT_EQ(0, report(b, true));
	EXPECT_EQ(2, at(b, 4, 1));
	EXPECT_EQ(1, at(b, 5, 2));
	EXPECT_EQ(2, at(b, 64, 2));
	EXPECT_EQ(1, at(b, 66, 1));
	EXPECT_EQ(0xbbb, at(b, 72, 8));
	EXPECT_EQ(0, memcmp(b->data + 80, "host number two.", 16));
	/* What was registered counts again for the same host. */
	ASSERT_EQ(0, nvme_disable(&b->n));
	ASSERT_EQ(0, nvme_enable(&b->n, 16));
	ASSERT_EQ(0, nvme_create_queue(&b->n, 1, 16));
	EXPECT_EQ(SC_CONFLICT, rw(b, 1));
	cmd.prp1 = 0;
	memcpy(b->n.buf, "host number two.", 16);
	ASSERT_EQ(0, NVME_ERR(nvme_admin(&b->n, &cmd, NULL)));
	EXPECT_EQ(0, rw(b, 1));
}

/* A namespace goes whose disk hangs: nobody waits for it who has nothing there. */

static int beside_a_removal(void *arg)
{
	FIXTURE_DATA(resv) *self = arg;
	struct vhost_target_info info;

	CHECK(!ctl_get(self->bed.ctl, self->bed.name, &info), "");
	CHECK(info.nr_units == 1, "%u", info.nr_units);
	/* b saw it; its removal has not come to b yet. */
	CHECK(!nvme_identify(&self->b.n, 0, 1), "");
	/* All zeros: it is inactive. */
	CHECK(!nvme_identify(&self->b.n, 0, 2), "");
	CHECK(!*(u64 *)self->b.n.buf, "");
	CHECK(!rw(&self->b, 1), "");
	nvme_close(&self->b.n);
	mem_free(&self->b.mem);
	/* Somebody who never saw it. */
	CHECK(!host_open(&self->b, self->bed.name), "");
	CHECK(!rw(&self->b, 2), "");
	/* Nor are a's other namespaces in its way. */
	CHECK(!nvme_identify(&self->a.n, 0, 1), "");
	CHECK(!bed_wait_inflight(&self->bed, 1), "");
	return 0;
}

TEST_F(resv, removed_while_it_hangs)
{
	struct nvme_sqe read = { .prp1 = self->a.gpa };
	struct hung h = { 0 };
	struct nvme_cqe cqe;

	ASSERT_EQ(0, hung_add(&h, &self->bed, 1));
	ASSERT_EQ(0, nvme_identify(&self->b.n, 0, 2));
	ASSERT_EQ(0, hung_suspend(&h));
	nvme_set_rw(&read, 2, 2, 0, 1);
	nvme_submit(&self->a.n, 1, &read);
	nvme_ring(&self->a.n, 1);
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
	EXPECT_EQ(0, hung_remove(&h, beside_a_removal, self));
	ASSERT_EQ(0, nvme_wait(&self->a.n, 1, &cqe));
	EXPECT_EQ(0, cqe.status >> 1);
	EXPECT_EQ(0, rw(&self->a, 1));
	hung_finish(&h);
}

/* A fence that waits for a disk that hangs: VMs begin and end beside it. */

#define KEY_A 0xaaa
#define KEY_B 0xbbb

/* On namespace 2, and not waited for. */
static void start(struct host *h, u8 opcode, u32 dw10, u64 key, u64 other)
{
	struct nvme_sqe cmd = {
		.opcode = opcode, .nsid = 2, .prp1 = h->gpa, .cdw10 = dw10,
	};

	memcpy(h->data, &key, sizeof(key));
	memcpy(h->data + 8, &other, sizeof(other));
	nvme_submit(&h->n, 1, &cmd);
	nvme_ring(&h->n, 1);
}

static int ended(struct host *h)
{
	struct nvme_cqe cqe;
	int ret = nvme_wait(&h->n, 1, &cqe);

	return ret ? ret : NVME_ERR(cqe.status >> 1);
}

static int beside_a_fence(void *arg)
{
	FIXTURE_DATA(resv) *self = arg;
	struct nvme_sqe get = { .opcode = 10, .nsid = 2, .cdw10 = 0x83 };
	struct nvme_sqe set = { .opcode = 9, .nsid = 2, .cdw10 = 0x83 };
	struct vhost_target_info info;
	struct host c = { .n.fd = -1 };

	CHECK(!host_open(&c, self->bed.name), "");
	CHECK(!ctl_get(self->bed.ctl, self->bed.name, &info), "");
	CHECK(info.nr_sessions == 3, "%u", info.nr_sessions);
	CHECK(!rw(&c, 1), "");
	CHECK(!nvme_admin(&c.n, &get, NULL), "");
	CHECK(nvme_admin(&c.n, &set, NULL) >= 0, "");
	nvme_close(&c.n);
	mem_free(&c.mem);
	CHECK(!bed_wait_inflight(&self->bed, 2), "");
	return 0;
}

TEST_F(resv, fence_of_a_hung_disk)
{
	struct host *a = &self->a, *b = &self->b;
	struct hung h = { 0 };

	ASSERT_EQ(0, hung_add(&h, &self->bed, 1));
	start(a, REGISTER, 0, 0, KEY_A);
	ASSERT_EQ(0, ended(a));
	start(b, REGISTER, 0, 0, KEY_B);
	ASSERT_EQ(0, ended(b));
	start(a, ACQUIRE, WRITE_EX << 8, KEY_A, 0);
	ASSERT_EQ(0, ended(a));
	ASSERT_EQ(0, hung_suspend(&h));
	/* A write of one block. */
	start(a, 1, 0, 0, 0);
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
	/* Preempts. */
	start(b, ACQUIRE, WRITE_EX << 8 | 1, KEY_B, KEY_A);
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 2));
	EXPECT_EQ(0, hung_beside(&h, beside_a_fence, self));
	EXPECT_EQ(0, ended(a));
	EXPECT_EQ(0, ended(b));
	start(a, 1, 0, 0, 0);
	EXPECT_EQ(SC_CONFLICT, ended(a));
	EXPECT_EQ(0, ctl_remove_unit(self->bed.ctl, self->bed.name, 1));
	hung_finish(&h);
}

TEST_HARNESS_MAIN
