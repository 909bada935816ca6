// SPDX-License-Identifier: GPL-2.0
/* Admin commands, events and namespaces that come and go. */
#include "nvme_fixture.h"

static int aer(struct nvme *n, u16 cid)
{
	struct nvme_sqe cmd = { .opcode = 12, .cid = cid };

	nvme_submit(n, 0, &cmd);
	nvme_ring(n, 0);
	return 0;
}

TEST_F(nv, identify)
{
	static const u8 cns[] = { 0, 1, 3, 5, 6, 8, 0x11, 0x12, 0x13, 0x1c };
	u32 first;
	unsigned int i;

	MAKE(0);
	for (i = 0; i < ARRAY_SIZE(cns); i++)
		STATUS(0, nvme_identify(&self->n, cns[i], 1));
	STATUS(0, nvme_identify(&self->n, 2, 0));
	memcpy(&first, self->n.buf, sizeof(first));
	EXPECT_EQ(1, first);
	STATUS(SC_NS, nvme_identify(&self->n, 3, 2));
	STATUS(SC_FIELD, nvme_identify(&self->n, 0xff, 1));
}

TEST_F(nv, refused)
{
	static const u8 opcodes[] = { 0x0d, 0x10, 0x11, 0x14, 0x15, 0x18, 0x80,
				      0x81, 0x82, 0x84, 0xc0 };
	struct nvme_sqe cmd;
	unsigned int i;

	MAKE(0);
	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		cmd = (struct nvme_sqe) { .opcode = opcodes[i] };
		STATUS(SC_OPCODE, nvme_admin(&self->n, &cmd, NULL));
	}
	cmd = (struct nvme_sqe) { .opcode = 6, .flags = 1 << 6, .cdw10 = 1 };
	STATUS(SC_FIELD, nvme_admin(&self->n, &cmd, NULL));
	/* They are in the error log, the latest first. */
	STATUS(0, nvme_get_log(&self->n, 1, 128));
	EXPECT_EQ(ARRAY_SIZE(opcodes) + 1, ((u64 *)self->n.buf)[0]);
	STATUS(SC_LOG_PAGE, nvme_get_log(&self->n, 0x0d, 128));
}

TEST_F(nv, smart_counts)
{
	u64 *p;

	MAKE_QUEUE();
	WORKS();
	STATUS(0, nvme_get_log(&self->n, 2, 512));
	p = self->n.buf;
	EXPECT_EQ(1, p[4]);	/* data units read: 8 KiB, rounded up */
	EXPECT_EQ(1, p[6]);
	EXPECT_EQ(1, p[8]);	/* reads */
	EXPECT_EQ(1, p[10]);
	EXPECT_EQ(1, p[14]);	/* power cycles */
	EXPECT_EQ(0, p[18]);	/* unsafe shutdowns */
	ASSERT_EQ(0, nvme_disable(&self->n));
	ASSERT_EQ(0, nvme_enable(&self->n, 16));
	STATUS(0, nvme_get_log(&self->n, 2, 512));
	EXPECT_EQ(1, p[8]);
	EXPECT_EQ(2, p[14]);
	EXPECT_EQ(1, p[18]);
}

TEST_F(nv, queues)
{
	struct nvme *n = &self->n;
	struct nvme_sqe cmd;
	u32 dw0;

	MAKE(0);
	EXPECT_EQ(0, nvme_set_feature(n, 7, 100 << 16 | 100, &dw0));
	EXPECT_EQ(3 << 16 | 3, dw0);
	STATUS(SC_QSIZE, nvme_create_cq(n, 1, 1025, 1));
	STATUS(SC_VECTOR, ({
		cmd = (struct nvme_sqe) {
			.opcode = 5, .prp1 = self->gpa, .cdw10 = 15 << 16 | 1,
			.cdw11 = 5 << 16 | 3,
		};
		nvme_admin(n, &cmd, NULL);
	}));
	STATUS(SC_QID, nvme_create_cq(n, 5, 16, 1));
	STATUS(SC_CQ, nvme_create_sq(n, 1, 16, 1));
	STATUS(0, nvme_create_cq(n, 1, 16, 1));
	STATUS(SC_QID, nvme_create_cq(n, 1, 16, 1));
	STATUS(0, nvme_create_sq(n, 1, 16, 1));
	STATUS(0, nvme_create_sq(n, 3, 2, 1));
	STATUS(SC_QUEUE_DELETION, nvme_delete_cq(n, 1));
	WORKS();
	STATUS(0, nvme_delete_sq(n, 1));
	STATUS(SC_QID, nvme_delete_sq(n, 1));
	STATUS(SC_QUEUE_DELETION, nvme_delete_cq(n, 1));
	STATUS(0, nvme_delete_sq(n, 3));
	STATUS(0, nvme_delete_cq(n, 1));
	STATUS(0, nvme_create_queue(n, 1, 8));
	WORKS();
}

TEST_F(nv, queue_not_in_memory)
{
	struct nvme_sqe cmd = {
		.opcode = 5, .cdw10 = 1023 << 16 | 1, .cdw11 = 1 << 16 | 3,
	};

	MAKE(0);
	cmd.prp1 = mem_hole(&self->mem);
	STATUS(SC_DATA_XFER, nvme_admin(&self->n, &cmd, NULL));
	cmd.prp1 -= PAGE;
	STATUS(SC_DATA_XFER, nvme_admin(&self->n, &cmd, NULL));
	cmd.prp1 = self->gpa + 8;
	STATUS(SC_PRP_OFFSET, nvme_admin(&self->n, &cmd, NULL));
	STATUS(0, nvme_create_queue(&self->n, 1, 16));
	WORKS();
}

TEST_F(nv, events)
{
	struct vhost_target_unit_add u;
	struct nvme *n = &self->n;
	struct nvme_cqe cqe;
	unsigned int i;
	u64 capacity;

	MAKE(0);
	EXPECT_EQ(0, nvme_set_feature(n, 11, 0x100, NULL));
	for (i = 0; i < 8; i++)
		aer(n, 0x100 + i);
	aer(n, 0x200);
	ASSERT_EQ(0, nvme_wait(n, 0, &cqe));
	EXPECT_EQ(0x200, cqe.cid);
	STATUS(SC_AER_LIMIT, cqe.status >> 1);

	ctl_init_unit(&u, self->bed.name);
	u.unit = 4;
	u.backend = VHOST_TARGET_BACKEND_NULL;
	u.capacity = MIB;
	ASSERT_EQ(0, ctl_call(self->bed.ctl, VHOST_TARGET_UNIT_ADD, &u));
	ASSERT_EQ(0, nvme_wait(n, 0, &cqe));
	EXPECT_EQ(0x100, cqe.cid);
	EXPECT_EQ(0x040002, cqe.dw0);
	STATUS(0, nvme_identify(n, 2, 0));
	EXPECT_EQ(1, ((u32 *)n->buf)[0]);
	EXPECT_EQ(5, ((u32 *)n->buf)[1]);

	/* No second event before the log was read; then one for all. */
	capacity = 2 * MIB;
	ASSERT_EQ(0, ctl_resize(self->bed.ctl, self->bed.name, 4, &capacity));
	sleep_ms(50);
	EXPECT_FALSE(nvme_reap(n, 0, &cqe));
	STATUS(0, nvme_get_log(n, 4, 4096));
	EXPECT_EQ(5, ((u32 *)n->buf)[0]);
	ASSERT_EQ(0, nvme_wait(n, 0, &cqe));
	EXPECT_EQ(0x101, cqe.cid);
	STATUS(0, nvme_get_log(n, 4, 4096));
	STATUS(0, nvme_identify(n, 0, 5));
	EXPECT_EQ(2 * MIB / SECTOR, ((u64 *)n->buf)[0]);

	ASSERT_EQ(0, ctl_remove_unit(self->bed.ctl, self->bed.name, 4));
	ASSERT_EQ(0, nvme_wait(n, 0, &cqe));
	EXPECT_EQ(0x102, cqe.cid);
	STATUS(0, nvme_identify(n, 0, 5));
	EXPECT_EQ(0, ((u64 *)n->buf)[0]);
}

TEST_F(nv, abort)
{
	struct nvme *n = &self->n;
	struct nvme_sqe cmd = { .opcode = 8, .cdw10 = 0x77u << 16 };
	struct nvme_cqe cqe;
	u32 dw0;

	MAKE(0);
	aer(n, 0x77);
	nvme_submit(n, 0, &cmd);
	nvme_ring(n, 0);
	ASSERT_EQ(0, nvme_wait(n, 0, &cqe));
	EXPECT_EQ(0x77, cqe.cid);
	STATUS(SC_ABORT_REQ, cqe.status >> 1);
	ASSERT_EQ(0, nvme_wait(n, 0, &cqe));
	EXPECT_EQ(0, cqe.dw0);
	cmd.cdw10 = 0x1234u << 16 | 3;
	STATUS(0, nvme_admin(n, &cmd, &dw0));
	EXPECT_EQ(1, dw0);
}

TEST_F(nv, removed_in_use)
{
	MAKE_QUEUE();
	WORKS();
	ASSERT_EQ(0, ctl_remove_unit(self->bed.ctl, self->bed.name, 0));
	STATUS(SC_FIELD, nv_rw(self, OP_READ, 0, 1));
	ASSERT_EQ(0, ctl_add_path(self->bed.ctl, self->bed.name,
				  VHOST_TARGET_BACKEND_BDEV, self->disk.path,
				  512, 0));
	WORKS();
}

TEST_F(nv, pin)
{
	struct vhost_target_nvme_irq irq = {
		.size = sizeof(irq), .flags = VHOST_TARGET_NVME_IRQ_F_PIN,
	};
	struct nvme_sqe cmd = { .opcode = 10, .cdw10 = 1 };
	struct nvme *n = &self->n;
	struct nvme_cqe cqe;

	MAKE(0);
	irq.fd = n->q[0].irq;
	ASSERT_EQ(0, ctl_call(n->fd, VHOST_TARGET_NVME_SET_IRQ, &irq));
	STATUS(0, nvme_identify(n, 1, 0));
	ASSERT_EQ(0, nvme_info(n));
	EXPECT_EQ(0, n->info.pin);
	/* Masked: the pin stays down, and goes up when it is unmasked. */
	nvme_write(n, 0x0c, 4, 1);
	nvme_submit(n, 0, &cmd);
	nvme_ring(n, 0);
	ASSERT_TRUE(vt_wait(nvme_take(n, 0, &cqe)));
	ASSERT_EQ(0, nvme_info(n));
	EXPECT_EQ(0, n->info.pin);
	nvme_write(n, 0x10, 4, 1);
	/* The entry is there a moment before its interrupt. */
	EXPECT_TRUE(vt_wait(!nvme_info(n) && n->info.pin));
	nvme_ring_cq(n, 0);
	EXPECT_TRUE(vt_wait(!nvme_info(n) && !n->info.pin));
}

/* Interrupts of four commands, one after the other, that nobody waits for. */
static u64 interrupts(FIXTURE_DATA(nv) *self)
{
	u64 end = now_ns() + VT_PATIENCE * 1000000000ull, count = 0;
	struct nvme_sqe cmd = { 0 };
	struct nvme_cqe cqe;
	unsigned int i;

	nvme_set_rw(&cmd, OP_READ, 1, 0, 1);
	cmd.prp1 = self->gpa;
	for (i = 0; i < 4; i++) {
		nvme_submit(&self->n, 1, &cmd);
		nvme_ring(&self->n, 1);
		while (!nvme_reap(&self->n, 1, &cqe))
			if (now_ns() > end)
				return 99;
	}
	sleep_ms(200);
	return read(self->n.q[1].irq, &count, sizeof(count)) < 0 ? 0 : count;
}

TEST_F(nv, interrupts_coalesced)
{
	u64 one_by_one, together = 0;
	unsigned int tries;

	MAKE(0);
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 16));
	one_by_one = interrupts(self);
	EXPECT_LT(1, one_by_one);
	EXPECT_GT(5, one_by_one);
	/* Four of them, or 25 ms. */
	ASSERT_EQ(0, nvme_set_feature(&self->n, 8, 255 << 8 | 3, NULL));
	/* On a machine that stands still the time is over each time. */
	for (tries = 0; tries < 5; tries++) {
		together = interrupts(self);
		if (together < one_by_one)
			break;
	}
	EXPECT_GT(one_by_one, together);
	/* Not for this vector. */
	ASSERT_EQ(0, nvme_set_feature(&self->n, 9, 1 << 16 | 1, NULL));
	EXPECT_LT(1, interrupts(self));
	/* The admin queue is never kept waiting. */
	STATUS(0, nvme_identify(&self->n, 1, 0));
	WORKS();
}

TEST_HARNESS_MAIN
