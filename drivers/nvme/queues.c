// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that make and delete queues: NVMe Base 2.0, 5.4 to 5.7. The order
 * of the checks is the specification's where it has one.
 */
#include "nvme.h"

static bool queue_size_ok(u32 size)
{
	return size >= 2 && size <= NV_MQES;
}

/* Memory that is not there will not be there next time either. */
static u16 queue_error(int err)
{
	switch (err) {
	case 0:
		return NV_SC_SUCCESS;
	case -EFAULT:
		return NV_SC_DATA_XFER | NV_SC_DNR;
	default:
		return NV_SC_INTERNAL;
	}
}

/* What both kinds of queues must be. */
static u16 queue_check(const struct nv_admin *a, const struct nv_qinfo *q,
		       u16 limit, u16 id)
{
	u32 dw11 = le32_to_cpu(a->cmd.cdw11);
	u32 cc = READ_ONCE(a->c->regs.cc);

	if (!id || id > limit || q[id].used)
		return NV_SC_QID | NV_SC_DNR;
	if (!queue_size_ok((le32_to_cpu(a->cmd.cdw10) >> 16) + 1))
		return NV_SC_QSIZE | NV_SC_DNR;
	if (le64_to_cpu(a->cmd.prp1) & (NV_PAGE_SIZE - 1))
		return NV_SC_PRP_OFFSET | NV_SC_DNR;
	/* CAP.CQR: only physically contiguous queues. */
	if (!(dw11 & NV_Q_PC))
		return NV_SC_FIELD | NV_SC_DNR;
	if (NV_CC_IOSQES(cc) != NV_SQE_SHIFT ||
	    NV_CC_IOCQES(cc) != NV_CQE_SHIFT)
		return NV_SC_FIELD | NV_SC_DNR;
	return NV_SC_SUCCESS;
}

static void queue_fill(const struct nv_admin *a, struct nv_qinfo *q)
{
	*q = (struct nv_qinfo) {
		.base = le64_to_cpu(a->cmd.prp1),
		.size = (le32_to_cpu(a->cmd.cdw10) >> 16) + 1,
	};
}

static bool vector_ok(const struct nv_core *c, u16 vector)
{
	return vector < (c->msix ? c->nr_vectors : 1);
}

u16 nv_create_cq(struct nv_admin *a)
{
	u16 id = le32_to_cpu(a->cmd.cdw10);
	u32 dw11 = le32_to_cpu(a->cmd.cdw11);
	struct nv_core *c = a->c;
	u16 status;
	int err;

	status = queue_check(a, c->cq, c->feat.nr_cq, id);
	if (status)
		return status;
	if (!vector_ok(c, dw11 >> 16))
		return NV_SC_VECTOR | NV_SC_DNR;

	queue_fill(a, &c->cq[id]);
	c->cq[id].vector = dw11 >> 16;
	c->cq[id].ien = dw11 & NV_CQ_IEN;
	err = nv_cq_start(c, id);
	c->cq[id].used = !err;
	return queue_error(err);
}

u16 nv_create_sq(struct nv_admin *a)
{
	u16 id = le32_to_cpu(a->cmd.cdw10);
	u16 cqid = le32_to_cpu(a->cmd.cdw11) >> 16;
	struct nv_core *c = a->c;
	u16 status;
	int err;

	status = queue_check(a, c->sq, c->feat.nr_sq, id);
	if (status)
		return status;
	if (!cqid || cqid > c->feat.nr_cq)
		return NV_SC_QID | NV_SC_DNR;
	if (!c->cq[cqid].used)
		return NV_SC_CQ | NV_SC_DNR;

	queue_fill(a, &c->sq[id]);
	c->sq[id].cqid = cqid;
	err = nv_sq_start(c, id);
	c->sq[id].used = !err;
	if (!err)
		c->cq[cqid].nr_sqs++;
	return queue_error(err);
}

u16 nv_delete_cq(struct nv_admin *a)
{
	u16 id = le32_to_cpu(a->cmd.cdw10);
	struct nv_core *c = a->c;

	if (!id || id > NV_MAX_QUEUES || !c->cq[id].used)
		return NV_SC_QID | NV_SC_DNR;
	if (c->cq[id].nr_sqs)
		return NV_SC_QUEUE_DELETION | NV_SC_DNR;
	nv_cq_stop(c, id);
	c->cq[id].used = false;
	return NV_SC_SUCCESS;
}

/* Its commands are completed, with whatever status, before this one is. */
u16 nv_delete_sq(struct nv_admin *a)
{
	u16 id = le32_to_cpu(a->cmd.cdw10);
	struct nv_core *c = a->c;

	if (!id || id > NV_MAX_QUEUES || !c->sq[id].used)
		return NV_SC_QID | NV_SC_DNR;
	nv_sq_stop(c, id);
	c->sq[id].used = false;
	c->cq[c->sq[id].cqid].nr_sqs--;
	return NV_SC_SUCCESS;
}
