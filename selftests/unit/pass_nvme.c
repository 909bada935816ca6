// SPDX-License-Identifier: GPL-2.0
/* An NVMe controller's, by its page of doorbells; see pass.h. */
#include <string.h>

#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <vhost_target/nvme.h>

#include "../../drivers/nvme/ctrl.h"
#include "pass.h"
#include "shim/hook.h"

#define SQ	PASS_MEM
#define CQ	(PASS_MEM + 0x10000)
#define ADMIN	(PASS_MEM + 0x20000)

static struct vt_nvme *n;

static void on_raise(void *priv, unsigned int vector)
{
	(void)priv;
	(void)vector;
}

static bool on_zap(void *priv)
{
	(void)priv;
	return true;
}

static const struct vt_nvme_door_ops door = {
	.raise = on_raise,
	.zap = on_zap,
};

static void on_work(struct work_struct *work)
{
	work->fn(work);
}

void pass_device(void)
{
	struct nv_core *c;

	shim_on_work = on_work;
	n = vt_nvme_create(&pass_target, &pass_gmem, &door, NULL);
	if (IS_ERR(n) || vt_nvme_attach(n, NULL))
		pass_die("no controller");
	vt_nvme_write(n, NV_REG_AQA, 4, 0x00010001);
	vt_nvme_write(n, NV_REG_ASQ, 8, ADMIN);
	vt_nvme_write(n, NV_REG_ACQ, 8, ADMIN + 0x1000);
	vt_nvme_write(n, NV_REG_CC, 4, NV_CC_EN | 6 << 16 | 4 << 20);
	c = &n->core;
	if (!(c->regs.csts & NV_CSTS_RDY))
		pass_die("it is not ready");
	c->cq[1] = (struct nv_qinfo) {
		.base = CQ, .size = PASS_RING, .nr_sqs = 1, .used = true,
	};
	c->sq[1] = (struct nv_qinfo) {
		.base = SQ, .size = PASS_RING, .cqid = 1, .used = true,
	};
	mutex_lock(&n->s.lock);
	if (nv_cq_start(c, 1) || nv_sq_start(c, 1))
		pass_die("the queues do not start");
	mutex_unlock(&n->s.lock);
}

/* Completions of the last batch; all of it has ended. */
static void take(unsigned int nr)
{
	const struct nv_cqe *cqe = pass_at(CQ);
	static u16 head, phase = 1;
	u16 status;

	for (; nr; nr--) {
		status = le16_to_cpu(READ_ONCE(cqe[head].status));
		if (status != phase)
			pass_die("a command has not ended, or badly");
		head = (head + 1) % PASS_RING;
		if (!head)
			phase ^= 1;
	}
	__atomic_store_n(&n->db[3], cpu_to_le32(head), __ATOMIC_RELEASE);
}

static void put_reads(unsigned int nr)
{
	struct nv_sqe *sqe = pass_at(SQ);
	static unsigned int last;
	static u16 tail;
	unsigned int i;

	take(last);
	for (i = 0; i < nr; i++) {
		sqe[tail] = (struct nv_sqe) {
			.opcode = NV_CMD_READ, .cid = i, .nsid = cpu_to_le32(1),
			.prp1 = cpu_to_le64(PASS_DATA + i * PASS_DATA_STEP),
			.cdw10 = cpu_to_le32(i * 8), .cdw12 = cpu_to_le32(7),
		};
		tail = (tail + 1) % PASS_RING;
	}
	last = nr;
	__atomic_store_n(&n->db[2], cpu_to_le32(tail), __ATOMIC_RELEASE);
}

const struct pass_way pass_ways[] = {
	{ "commands", put_reads },
	{ },
};
