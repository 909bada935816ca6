// SPDX-License-Identifier: GPL-2.0
/* Commands that make and delete queues, and the other small admin commands. */
#include "nvme_bed.h"

static u16 create_cq(struct nb *b, u16 id, u32 size, u32 dw11)
{
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_CREATE_CQ);

	cmd->cdw10 = cpu_to_le32((size - 1) << 16 | id);
	cmd->cdw11 = cpu_to_le32(dw11);
	return nb_do(b);
}

static u16 create_sq(struct nb *b, u16 id, u32 size, u16 cqid)
{
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_CREATE_SQ);

	cmd->cdw10 = cpu_to_le32((size - 1) << 16 | id);
	cmd->cdw11 = cpu_to_le32((u32)cqid << 16 | NV_Q_PC);
	return nb_do(b);
}

static u16 delete(struct nb *b, u8 opcode, u16 id)
{
	nb_cmd(b, opcode)->cdw10 = cpu_to_le32(id);
	return nb_do(b);
}

#define CQ_IEN(vector)	((u32)(vector) << 16 | NV_CQ_IEN | NV_Q_PC)

TEST(cq_create, "a completion queue as it was asked for")
{
	struct nb *b = nb_new();

	EXPECT_EQ(0, create_cq(b, 3, 1024, CQ_IEN(8)));
	EXPECT_EQ(BIT(0), b->started);
	EXPECT_EQ(3, b->qid);
	EXPECT(b->c.cq[3].used && b->c.cq[3].ien);
	EXPECT_EQ(1024, b->c.cq[3].size);
	EXPECT_EQ(8, b->c.cq[3].vector);
	EXPECT_EQ(NB_ADDR(0), b->c.cq[3].base);
	EXPECT_EQ(0, create_cq(b, 8, 2, NV_Q_PC));
	EXPECT(!b->c.cq[8].ien);
	nb_free(b);
}

TEST(cq_bad, "every wrong field of Create I/O CQ has its status")
{
	struct nb *b = nb_new();

	EXPECT_EQ(SC(NV_SC_QID), create_cq(b, 0, 16, CQ_IEN(1)));
	EXPECT_EQ(SC(NV_SC_QID), create_cq(b, 9, 16, CQ_IEN(1)));
	EXPECT_EQ(SC(NV_SC_QID), create_cq(b, 0xffff, 16, CQ_IEN(1)));
	EXPECT_EQ(SC(NV_SC_QSIZE), create_cq(b, 1, 1, CQ_IEN(1)));
	EXPECT_EQ(SC(NV_SC_QSIZE), create_cq(b, 1, 1025, CQ_IEN(1)));
	EXPECT_EQ(SC(NV_SC_QSIZE), create_cq(b, 1, 65536, CQ_IEN(1)));
	EXPECT_EQ(SC(NV_SC_FIELD), create_cq(b, 1, 16, NV_CQ_IEN));
	EXPECT_EQ(SC(NV_SC_VECTOR), create_cq(b, 1, 16, CQ_IEN(9)));
	EXPECT_EQ(0, b->started);
	EXPECT_EQ(0, create_cq(b, 1, 16, CQ_IEN(1)));
	EXPECT_EQ(SC(NV_SC_QID), create_cq(b, 1, 16, CQ_IEN(1)));
	/* By the pin there is only vector 0. */
	b->c.msix = false;
	EXPECT_EQ(SC(NV_SC_VECTOR), create_cq(b, 2, 16, CQ_IEN(1)));
	EXPECT_EQ(0, create_cq(b, 2, 16, CQ_IEN(0)));
	nb_free(b);
}

TEST(cq_address, "a queue starts at a page, with entries of the usual size")
{
	struct nb *b = nb_new();
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_CREATE_CQ);
	static const u32 ccs[] = { 0, 6 << 16, 4 << 20 };
	unsigned int cc;

	cmd->cdw10 = cpu_to_le32(15 << 16 | 1);
	cmd->cdw11 = cpu_to_le32(CQ_IEN(1));
	cmd->prp1 = cpu_to_le64(NB_ADDR(0) + 64);
	EXPECT_EQ(SC(NV_SC_PRP_OFFSET), nb_do(b));
	/* None, of commands alone, of completions alone. */
	for (cc = 0; cc <= 2; cc++) {
		b->c.regs.cc = ccs[cc] | NV_CC_EN;
		EXPECT_EQ(SC(NV_SC_FIELD), create_cq(b, 1, 16, CQ_IEN(1)));
	}
	nb_free(b);
}

TEST(cq_no_memory, "a queue that cannot be mapped does not exist")
{
	struct nb *b = nb_new();

	b->start_err = -EFAULT;
	EXPECT_EQ(SC(NV_SC_DATA_XFER), create_cq(b, 1, 16, CQ_IEN(1)));
	b->start_err = -ENOMEM;
	/* It may be tried again. */
	EXPECT_EQ(NV_SC_INTERNAL, create_cq(b, 1, 16, CQ_IEN(1)));
	b->start_err = 0;
	EXPECT_EQ(0, create_cq(b, 1, 16, CQ_IEN(1)));
	b->start_err = -EFAULT;
	EXPECT_EQ(SC(NV_SC_DATA_XFER), create_sq(b, 1, 16, 1));
	EXPECT_EQ(0, b->c.cq[1].nr_sqs);
	b->start_err = 0;
	EXPECT_EQ(0, delete(b, NV_ADM_DELETE_CQ, 1));
	nb_free(b);
}

TEST(sq_create, "submission queues need a completion queue, and may share one")
{
	struct nb *b = nb_new();

	EXPECT_EQ(SC(NV_SC_QID), create_sq(b, 1, 16, 0));
	EXPECT_EQ(SC(NV_SC_QID), create_sq(b, 1, 16, 9));
	EXPECT_EQ(SC(NV_SC_CQ), create_sq(b, 1, 16, 1));
	EXPECT_EQ(0, create_cq(b, 1, 16, CQ_IEN(1)));
	EXPECT_EQ(0, create_sq(b, 1, 16, 1));
	EXPECT_EQ(BIT(1), b->started);
	EXPECT_EQ(0, create_sq(b, 2, 1024, 1));
	EXPECT_EQ(2, b->c.cq[1].nr_sqs);
	EXPECT_EQ(SC(NV_SC_QID), create_sq(b, 2, 16, 1));
	EXPECT_EQ(SC(NV_SC_QSIZE), create_sq(b, 3, 1, 1));
	EXPECT_EQ(SC(NV_SC_QID), create_sq(b, 0, 16, 1));
	nb_free(b);
}

TEST(queue_delete, "a completion queue outlives its submission queues")
{
	struct nb *b = nb_new();

	EXPECT_EQ(SC(NV_SC_QID), delete(b, NV_ADM_DELETE_SQ, 0));
	EXPECT_EQ(SC(NV_SC_QID), delete(b, NV_ADM_DELETE_CQ, 0));
	EXPECT_EQ(SC(NV_SC_QID), delete(b, NV_ADM_DELETE_SQ, 1));
	EXPECT_EQ(SC(NV_SC_QID), delete(b, NV_ADM_DELETE_CQ, 0xffff));
	create_cq(b, 1, 16, CQ_IEN(1));
	create_sq(b, 1, 16, 1);
	create_sq(b, 2, 16, 1);
	EXPECT_EQ(SC(NV_SC_QUEUE_DELETION), delete(b, NV_ADM_DELETE_CQ, 1));
	EXPECT_EQ(0, delete(b, NV_ADM_DELETE_SQ, 1));
	EXPECT_EQ(BIT(3), b->started);
	EXPECT_EQ(SC(NV_SC_QUEUE_DELETION), delete(b, NV_ADM_DELETE_CQ, 1));
	EXPECT_EQ(0, delete(b, NV_ADM_DELETE_SQ, 2));
	EXPECT_EQ(0, delete(b, NV_ADM_DELETE_CQ, 1));
	EXPECT_EQ(BIT(2), b->started);
	EXPECT_EQ(SC(NV_SC_QID), delete(b, NV_ADM_DELETE_CQ, 1));
	EXPECT_EQ(0, create_cq(b, 1, 16, CQ_IEN(1)));
	nb_free(b);
}

TEST(dbbuf, "shadow doorbells: two pages, different ones")
{
	struct nb *b = nb_new();
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_DBBUF);

	EXPECT_EQ(0, nb_do(b));
	EXPECT_EQ(NB_ADDR(0), b->dbs);
	EXPECT_EQ(NB_ADDR(1), b->eis);
	cmd->prp2 = cmd->prp1;
	EXPECT_EQ(SC(NV_SC_FIELD), nb_do(b));
	cmd->prp2 = cpu_to_le64(NB_ADDR(1) + 8);
	EXPECT_EQ(SC(NV_SC_FIELD), nb_do(b));
	cmd->prp2 = cpu_to_le64(NB_ADDR(1));
	b->start_err = -EFAULT;
	EXPECT_EQ(SC(NV_SC_DATA_XFER), nb_do(b));
	nb_free(b);
}

TEST(dbbuf_off, "a target without shadow doorbells does not know of them")
{
	struct nb *b = nb_new();

	b->t.flags = VHOST_TARGET_F_NO_DBBUF;
	nb_cmd(b, NV_ADM_DBBUF);
	EXPECT_EQ(SC(NV_SC_OPCODE), nb_do(b));
	EXPECT_EQ(0, b->dbs);
	nb_cmd(b, NV_ADM_IDENTIFY)->cdw10 = cpu_to_le32(NV_CNS_CTRL);
	EXPECT_EQ(0, nb_do(b));
	EXPECT_EQ(0, ((struct nv_id_ctrl *)nb_page(b, 0))->oacs);
	EXPECT(!nv_admin_knows(&b->c, NV_ADM_DBBUF));
	nb_free(b);
}

TEST(admin_refused, "opcodes that are not offered are Invalid Command Opcode")
{
	static const u8 opcodes[] = {
		0x03, 0x07, 0x0d, 0x10, 0x11, 0x14, 0x15, 0x18, 0x19, 0x1a,
		0x1c, 0x80, 0x81, 0x82, 0x84, 0x86, 0xc0, 0xff,
	};
	struct nb *b = nb_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		nb_cmd(b, opcodes[i]);
		EXPECT_EQ(SC(NV_SC_OPCODE), nb_do(b));
	}
	EXPECT_EQ(ARRAY_SIZE(opcodes), b->c.errors.count);
	nb_free(b);
}

TEST(admin_flags, "no SGLs and no fused operations on the admin queue")
{
	static const u8 flags[] = { 0x40, 0x80, 0xc0, 1, 2, 3 };
	struct nb *b = nb_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		nb_cmd(b, NV_ADM_IDENTIFY)->flags = flags[i];
		b->a.cmd.cdw10 = cpu_to_le32(1);
		EXPECT_EQ(SC(NV_SC_FIELD), nb_do(b));
	}
	nb_free(b);
}

static u16 hold(struct nb *b, u16 cid)
{
	nb_cmd(b, NV_ADM_ASYNC_EVENT)->cid = cid;
	return nb_do(b);
}

TEST(aer_limit, "event requests wait, no more than AERL says")
{
	struct nb *b = nb_new();
	unsigned int i;

	for (i = 0; i < NV_MAX_AER; i++)
		EXPECT_EQ(NV_HELD, hold(b, i));
	EXPECT_EQ(SC(NV_SC_AER_LIMIT), hold(b, i));
	nb_free(b);
}

static u16 abort_cmd(struct nb *b, u16 sqid, u16 cid)
{
	nb_cmd(b, NV_ADM_ABORT)->cdw10 = cpu_to_le32((u32)cid << 16 | sqid);
	return nb_do(b);
}

TEST(abort_held, "an event request can be aborted, an unknown command not")
{
	struct nb *b = nb_new();
	u32 event;
	u16 cid;

	hold(b, 7);
	hold(b, 8);
	hold(b, 9);
	EXPECT_EQ(0, abort_cmd(b, 0, 8));
	EXPECT_EQ(0, b->a.dw0);
	EXPECT_EQ(1, b->nr_held);
	EXPECT_EQ(8, b->held_cid);
	EXPECT_EQ(NV_SC_ABORT_REQ, b->held_status);
	EXPECT_EQ(0, abort_cmd(b, 0, 8));
	EXPECT_EQ(1, b->a.dw0);
	EXPECT_EQ(0, abort_cmd(b, 5, 9));
	EXPECT_EQ(1, b->a.dw0);
	EXPECT_EQ(0, b->nr_held);
	nv_aer_post(&b->c, NV_AER(NV_AER_ERROR, NV_ERROR_BAD_DOORBELL,
				  NV_LOG_ERROR));
	EXPECT(nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(7, cid);
	nb_free(b);
}

TEST(aer_mask, "a type is told of once until its log page is read")
{
	struct nb *b = nb_new();
	u32 event, bad = NV_AER(NV_AER_ERROR, 1, NV_LOG_ERROR);
	u16 cid;

	nv_aer_post(&b->c, bad);
	EXPECT(!nv_aer_take(&b->c, &cid, &event));
	hold(b, 1);
	hold(b, 2);
	EXPECT(nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(1, cid);
	EXPECT_EQ(0x010100, event);
	nv_aer_post(&b->c, bad);
	EXPECT(!nv_aer_take(&b->c, &cid, &event));
	/* Another type is not masked. */
	b->c.feat.aec = NV_OAES_NS;
	nv_ns_changed(&b->c, 2);
	EXPECT(nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(2, cid);
	EXPECT_EQ(0x040002, event);
	hold(b, 3);
	nv_aer_unmask(&b->c, NV_LOG_ERROR);
	EXPECT(nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(3, cid);
	nb_free(b);
}

TEST(aer_off, "an event that is switched off is not told of, but logged")
{
	struct nb *b = nb_new();
	u32 event;
	u16 cid;

	hold(b, 1);
	b->c.feat.aec = 0;
	nv_ns_changed(&b->c, 2);
	EXPECT(!nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(1, b->c.changed.nr);
	nb_free(b);
}
