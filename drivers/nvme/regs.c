// SPDX-License-Identifier: GPL-2.0
/* Controller registers and states: NVMe Base 2.0, 3.1.3, 3.5, 3.6. */
#include "nvme.h"

/* Longest time to become ready or not ready, in units of 500 ms. */
#define NV_TIMEOUT	60

void nv_regs_reset(struct nv_regs *r)
{
	*r = (struct nv_regs) {
		.cap = NV_CAP_MQES(NV_MQES - 1) | NV_CAP_CQR |
		       NV_CAP_TO(NV_TIMEOUT) | NV_CAP_CSS_NVM | NV_CAP_CRWMS,
	};
}

static u32 regs_dword(const struct nv_regs *r, u32 off)
{
	switch (off) {
	case NV_REG_CAP:
		return r->cap;
	case NV_REG_CAP + 4:
		return r->cap >> 32;
	case NV_REG_VS:
		return NV_VERSION;
	case NV_REG_INTMS:
	case NV_REG_INTMC:
		return r->intms;
	case NV_REG_CC:
		return r->cc;
	case NV_REG_CSTS:
		return r->csts;
	case NV_REG_AQA:
		return r->aqa;
	case NV_REG_ASQ:
		return r->asq;
	case NV_REG_ASQ + 4:
		return r->asq >> 32;
	case NV_REG_ACQ:
		return r->acq;
	case NV_REG_ACQ + 4:
		return r->acq >> 32;
	case NV_REG_CRTO:
		return NV_TIMEOUT;
	default:
		return 0;
	}
}

u64 nv_regs_read(const struct nv_regs *r, u32 off, unsigned int size)
{
	u64 val = regs_dword(r, off & ~3u);

	if (size == 8)
		return val | (u64)regs_dword(r, off + 4) << 32;
	val >>= (off & 3) * 8;
	return size == 4 ? val : val & (BIT_ULL(size * 8) - 1);
}

/* What the admin queues and the driver's choice of formats must be. */
static bool regs_can_enable(const struct nv_regs *r)
{
	if (NV_CC_CSS(r->cc) || NV_CC_MPS(r->cc) || NV_CC_AMS(r->cc))
		return false;
	return NV_AQA_ASQS(r->aqa) && NV_AQA_ACQS(r->aqa);
}

/* CC, CSTS and INTMS are looked at without the lock, too. */
static void regs_set_csts(struct nv_regs *r, u32 csts)
{
	WRITE_ONCE(r->csts, csts);
}

static unsigned int regs_write_cc(struct nv_regs *r, u32 val)
{
	u32 old = r->cc;
	unsigned int act = 0;

	WRITE_ONCE(r->cc, val & NV_CC_WRITABLE);
	if ((old & NV_CC_EN) && !(r->cc & NV_CC_EN))
		return NV_ACT_DISABLE;
	if (!(old & NV_CC_EN) && (r->cc & NV_CC_EN)) {
		if (regs_can_enable(r))
			act |= NV_ACT_ENABLE;
		else
			regs_set_csts(r, r->csts | NV_CSTS_CFS);
	}
	if (!NV_CC_SHN(old) && NV_CC_SHN(r->cc)) {
		regs_set_csts(r, (r->csts & ~NV_CSTS_SHST) |
			      NV_CSTS_SHST_BUSY);
		act |= NV_ACT_SHUTDOWN;
	}
	return act;
}

/* Attributes of the admin queues may not change while they are in use. */
static bool regs_frozen(const struct nv_regs *r)
{
	return r->cc & NV_CC_EN;
}

static unsigned int regs_write_base(struct nv_regs *r, u64 *base,
				    unsigned int shift, u32 val)
{
	if (regs_frozen(r))
		return NV_ACT_BAD;
	if (!shift)
		val &= ~(NV_PAGE_SIZE - 1);
	*base = (*base & ~((u64)U32_MAX << shift)) | (u64)val << shift;
	return 0;
}

static unsigned int regs_write_dword(struct nv_regs *r, u32 off, u32 val)
{
	switch (off) {
	case NV_REG_INTMS:
		WRITE_ONCE(r->intms, r->intms | val);
		return NV_ACT_IRQ;
	case NV_REG_INTMC:
		WRITE_ONCE(r->intms, r->intms & ~val);
		return NV_ACT_IRQ;
	case NV_REG_CC:
		return regs_write_cc(r, val);
	case NV_REG_AQA:
		if (regs_frozen(r))
			return NV_ACT_BAD;
		r->aqa = val & NV_AQA_WRITABLE;
		return 0;
	case NV_REG_ASQ:
		return regs_write_base(r, &r->asq, 0, val);
	case NV_REG_ASQ + 4:
		return regs_write_base(r, &r->asq, 32, val);
	case NV_REG_ACQ:
		return regs_write_base(r, &r->acq, 0, val);
	case NV_REG_ACQ + 4:
		return regs_write_base(r, &r->acq, 32, val);
	default:
		return NV_ACT_BAD;
	}
}

unsigned int nv_regs_write(struct nv_regs *r, u32 off, unsigned int size,
			   u64 val)
{
	unsigned int act;

	if (off & (size - 1))
		return NV_ACT_BAD;
	if (size == 4)
		return regs_write_dword(r, off, val);
	if (size != 8)
		return NV_ACT_BAD;
	act = regs_write_dword(r, off, val);
	return act | regs_write_dword(r, off + 4, val >> 32);
}

void nv_regs_enabled(struct nv_regs *r, bool ok)
{
	regs_set_csts(r, r->csts | (ok ? NV_CSTS_RDY : NV_CSTS_CFS));
}

/* A controller reset: the admin queues' attributes stay (3.7.2). */
void nv_regs_disabled(struct nv_regs *r)
{
	regs_set_csts(r, 0);
	WRITE_ONCE(r->intms, 0);
}

void nv_regs_shut_down(struct nv_regs *r)
{
	regs_set_csts(r, (r->csts & ~NV_CSTS_SHST) | NV_CSTS_SHST_DONE);
}

void nv_regs_failed(struct nv_regs *r)
{
	regs_set_csts(r, r->csts | NV_CSTS_CFS);
}
