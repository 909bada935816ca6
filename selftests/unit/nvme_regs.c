// SPDX-License-Identifier: GPL-2.0
/* Controller registers. */
#include "nvme_bed.h"

static struct nv_regs fresh(void)
{
	struct nv_regs r;

	nv_regs_reset(&r);
	nv_regs_write(&r, NV_REG_AQA, 4, 0x001f001f);
	nv_regs_write(&r, NV_REG_ASQ, 8, 0x123456789000);
	nv_regs_write(&r, NV_REG_ACQ, 8, 0x1000);
	return r;
}

#define CC_ON	(NV_CC_EN | 6 << 16 | 4 << 20)

TEST(regs_cap, "capabilities say what the controller does")
{
	struct nv_regs r;
	u64 cap;

	nv_regs_reset(&r);
	cap = nv_regs_read(&r, NV_REG_CAP, 8);
	EXPECT_EQ(1023, cap & 0xffff);
	EXPECT(cap & BIT_ULL(16));		/* CQR */
	EXPECT((cap >> 24 & 0xff) > 0);		/* TO */
	EXPECT_EQ(0, cap >> 32 & 15);		/* DSTRD */
	EXPECT_EQ(1, cap >> 37 & 0xff);		/* CSS: NVM */
	EXPECT_EQ(0, cap >> 48 & 0xff);		/* MPSMIN, MPSMAX */
	EXPECT(cap & BIT_ULL(59));		/* CRWMS */
	EXPECT_EQ((u32)cap, nv_regs_read(&r, NV_REG_CAP, 4));
	EXPECT_EQ(cap >> 32, nv_regs_read(&r, NV_REG_CAP + 4, 4));
	EXPECT_EQ(0x00020000, nv_regs_read(&r, NV_REG_VS, 4));
	EXPECT_EQ(cap >> 24 & 0xff, nv_regs_read(&r, NV_REG_CRTO, 4));
}

TEST(regs_narrow, "bytes and words of registers can be read, not written")
{
	struct nv_regs r = fresh();

	EXPECT_EQ(2, nv_regs_read(&r, NV_REG_VS + 2, 2));
	EXPECT_EQ(2, nv_regs_read(&r, NV_REG_VS + 2, 1));
	EXPECT_EQ(NV_ACT_BAD, nv_regs_write(&r, NV_REG_CC, 1, 1));
	EXPECT_EQ(NV_ACT_BAD, nv_regs_write(&r, NV_REG_CC, 2, 1));
	EXPECT_EQ(NV_ACT_BAD, nv_regs_write(&r, NV_REG_CC + 2, 4, 1));
	EXPECT_EQ(0, r.cc);
}

TEST(regs_readonly, "what is read-only or no register takes no value")
{
	struct nv_regs r = fresh();
	u64 cap = r.cap;

	EXPECT(nv_regs_write(&r, NV_REG_CAP, 8, 0) & NV_ACT_BAD);
	EXPECT(nv_regs_write(&r, NV_REG_VS, 4, 0) & NV_ACT_BAD);
	EXPECT(nv_regs_write(&r, NV_REG_CSTS, 4, 0xffffffff) & NV_ACT_BAD);
	EXPECT(nv_regs_write(&r, NV_REG_NSSR, 4, 0x4e564d65) & NV_ACT_BAD);
	EXPECT(nv_regs_write(&r, 0x800, 4, 1) & NV_ACT_BAD);
	EXPECT_EQ(cap, nv_regs_read(&r, NV_REG_CAP, 8));
	EXPECT_EQ(0, nv_regs_read(&r, NV_REG_CSTS, 4));
	EXPECT_EQ(0, nv_regs_read(&r, 0x800, 8));
}

TEST(regs_halves, "queue addresses can be written by halves; low bits stay 0")
{
	struct nv_regs r = fresh();

	nv_regs_write(&r, NV_REG_ASQ, 4, 0xfffffabc);
	nv_regs_write(&r, NV_REG_ASQ + 4, 4, 0x7);
	EXPECT_EQ(0x7fffff000, nv_regs_read(&r, NV_REG_ASQ, 8));
	EXPECT_EQ(7, nv_regs_read(&r, NV_REG_ASQ + 4, 4));
	EXPECT_EQ(0x1000, nv_regs_read(&r, NV_REG_ACQ, 8));
}

TEST(regs_enable, "enable, ready, disable keep the admin queues' attributes")
{
	struct nv_regs r = fresh();

	EXPECT_EQ(NV_ACT_ENABLE, nv_regs_write(&r, NV_REG_CC, 4, CC_ON));
	EXPECT(!nv_regs_ready(&r));
	nv_regs_enabled(&r, true);
	EXPECT_EQ(NV_CSTS_RDY, nv_regs_read(&r, NV_REG_CSTS, 4));
	EXPECT_EQ(0, nv_regs_write(&r, NV_REG_CC, 4, CC_ON));
	EXPECT_EQ(NV_ACT_DISABLE, nv_regs_write(&r, NV_REG_CC, 4, 0));
	nv_regs_disabled(&r);
	EXPECT_EQ(0, nv_regs_read(&r, NV_REG_CSTS, 4));
	EXPECT_EQ(0x001f001f, nv_regs_read(&r, NV_REG_AQA, 4));
	EXPECT_EQ(0x123456789000, nv_regs_read(&r, NV_REG_ASQ, 8));
}

TEST(regs_frozen, "an enabled controller's admin queues do not move")
{
	struct nv_regs r = fresh();

	nv_regs_write(&r, NV_REG_CC, 4, CC_ON);
	EXPECT(nv_regs_write(&r, NV_REG_ASQ, 8, 0x5000) & NV_ACT_BAD);
	EXPECT(nv_regs_write(&r, NV_REG_ACQ, 4, 0x5000) & NV_ACT_BAD);
	EXPECT(nv_regs_write(&r, NV_REG_AQA, 4, 0x00ff00ff) & NV_ACT_BAD);
	EXPECT_EQ(0x123456789000, r.asq);
	EXPECT_EQ(0x001f001f, r.aqa);
}

TEST(regs_cannot, "what cannot be served ends in CFS, not in RDY")
{
	static const u32 bad_cc[] = {
		CC_ON | 1 << 4,		/* CSS */
		CC_ON | 7 << 4,		/* CSS: admin only */
		CC_ON | 1 << 7,		/* MPS: 8 KiB */
		CC_ON | 1 << 11,	/* AMS: weighted */
	};
	static const u32 bad_aqa[] = { 0, 0x001f0000, 0x0000001f };
	struct nv_regs r;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_cc); i++) {
		r = fresh();
		EXPECT_EQ(0, nv_regs_write(&r, NV_REG_CC, 4, bad_cc[i]));
		EXPECT_EQ(NV_CSTS_CFS, r.csts);
		/* Disabling heals it. */
		EXPECT_EQ(NV_ACT_DISABLE, nv_regs_write(&r, NV_REG_CC, 4, 0));
		nv_regs_disabled(&r);
		EXPECT_EQ(0, r.csts);
	}
	for (i = 0; i < ARRAY_SIZE(bad_aqa); i++) {
		r = fresh();
		nv_regs_write(&r, NV_REG_AQA, 4, bad_aqa[i]);
		EXPECT_EQ(0, nv_regs_write(&r, NV_REG_CC, 4, CC_ON));
		EXPECT_EQ(NV_CSTS_CFS, r.csts);
	}
}

TEST(regs_shutdown, "shutdown: busy, done; cleared by the next reset")
{
	struct nv_regs r = fresh();
	unsigned int shn;

	for (shn = 1; shn <= 2; shn++) {
		nv_regs_write(&r, NV_REG_CC, 4, CC_ON);
		nv_regs_enabled(&r, true);
		EXPECT_EQ(NV_ACT_SHUTDOWN,
			  nv_regs_write(&r, NV_REG_CC, 4, CC_ON | shn << 14));
		EXPECT_EQ(NV_CSTS_SHST_BUSY, r.csts & NV_CSTS_SHST);
		/* Asking again does not start it again. */
		EXPECT_EQ(0, nv_regs_write(&r, NV_REG_CC, 4,
					   CC_ON | shn << 14));
		nv_regs_shut_down(&r);
		EXPECT_EQ(NV_CSTS_SHST_DONE, r.csts & NV_CSTS_SHST);
		EXPECT_EQ(NV_ACT_DISABLE, nv_regs_write(&r, NV_REG_CC, 4, 0));
		nv_regs_disabled(&r);
		EXPECT_EQ(0, r.csts);
	}
}

TEST(regs_shutdown_with_disable, "disabling and shutting down at once disables")
{
	struct nv_regs r = fresh();

	nv_regs_write(&r, NV_REG_CC, 4, CC_ON);
	nv_regs_enabled(&r, true);
	EXPECT_EQ(NV_ACT_DISABLE, nv_regs_write(&r, NV_REG_CC, 4, 1 << 14));
}

TEST(regs_intms, "the interrupt mask is set and cleared bit by bit")
{
	struct nv_regs r = fresh();

	EXPECT_EQ(NV_ACT_IRQ, nv_regs_write(&r, NV_REG_INTMS, 4, 0x15));
	EXPECT_EQ(NV_ACT_IRQ, nv_regs_write(&r, NV_REG_INTMS, 4, 0x20));
	EXPECT_EQ(NV_ACT_IRQ, nv_regs_write(&r, NV_REG_INTMC, 4, 0x05));
	EXPECT_EQ(0x30, nv_regs_read(&r, NV_REG_INTMS, 4));
	EXPECT_EQ(0x30, nv_regs_read(&r, NV_REG_INTMC, 4));
}
