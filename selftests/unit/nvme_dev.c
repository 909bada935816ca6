// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>

#include "nvme_dev.h"

struct nd nd;

static void raise_irq(void *priv, unsigned int vector)
{
	MUST(!priv);
	MUST(vector < nd.n->core.nr_vectors);
	nd.raised++;
}

static bool zap(void *priv)
{
	struct mm_struct mm = { };

	MUST(!priv);
	return !nd.zap_fails && vt_nvme_zap(&mm, NULL, 0);
}

static void failed(void *priv)
{
	MUST(!priv);
	nd.failed++;
}

const struct vt_nvme_door_ops nd_door = {
	.raise = raise_irq,
	.zap = zap,
	.failed = failed,
};

/* What a command may reach. */

#define MAX_LOOKUPS	4096

/* Look-ups while commands are fetched. */
static struct lookup {
	u64 addr;
	u32 len;
	bool write;
} lookups[MAX_LOOKUPS];
static unsigned int nr_lookups;
static bool fetching;

static bool note(u64 addr, u32 len, bool write)
{
	if (!fetching)
		return true;
	MUST(nr_lookups < MAX_LOOKUPS);
	lookups[nr_lookups++] = (struct lookup) { addr, len, write };
	return true;
}

static bool covers(u64 base, u64 size, u64 addr, u32 len)
{
	return addr >= base && addr - base < size && len <= size - (addr - base);
}

static u64 read64(u64 addr)
{
	__le64 v;

	fc_read(addr, &v, sizeof(v));
	return le64_to_cpu(v);
}

/* The part of a page that is @left bytes from the end of the data. */
static bool page_covers(u64 page, u32 *left, u64 addr, u32 len)
{
	u32 n = min_t(u32, *left, PAGE_SIZE - page % PAGE_SIZE);
	bool yes = covers(page, n, addr, len);

	*left -= n;
	return yes;
}

/* Is it data of these PRPs, within one page? */
static bool prp_covers(u64 prp1, u64 prp2, u32 left, u64 addr, u32 len)
{
	if (page_covers(prp1, &left, addr, len))
		return true;
	if (left && left <= PAGE_SIZE)
		return page_covers(prp2, &left, addr, len);
	while (left) {
		if (left > PAGE_SIZE && prp2 % PAGE_SIZE == PAGE_SIZE - 8) {
			prp2 = read64(prp2);
			continue;
		}
		if (page_covers(read64(prp2), &left, addr, len))
			return true;
		prp2 += 8;
	}
	return false;
}

static bool sgl_covers(const struct nv_sgl *first, u64 addr, u32 len)
{
	struct nv_sgl d = *first;
	unsigned int budget = 2 * NV_SGL_MAX, i, nr;
	u64 seg;

	for (;;) {
		if (d.type == NV_SGL_DATA)
			return covers(le64_to_cpu(d.addr), le32_to_cpu(d.len),
				      addr, len);
		if (d.type != NV_SGL_SEG && d.type != NV_SGL_LAST)
			return false;
		seg = le64_to_cpu(d.addr);
		nr = le32_to_cpu(d.len) / sizeof(d);
		for (i = 0; i < nr && budget--; i++) {
			fc_read(seg + i * sizeof(d), &d, sizeof(d));
			if (d.type == NV_SGL_DATA &&
			    covers(le64_to_cpu(d.addr), le32_to_cpu(d.len),
				   addr, len))
				return true;
		}
		/* The last one leads on, or there is nothing more. */
		if (i < nr || d.type == NV_SGL_DATA)
			return false;
	}
}

static bool data_covers(const struct nv_sqe *sqe, u32 bytes, u64 addr, u32 len)
{
	if (NV_PSDT(sqe->flags))
		return sgl_covers(&sqe->sgl, addr, len);
	return prp_covers(le64_to_cpu(sqe->prp1), le64_to_cpu(sqe->prp2),
			  bytes, addr, len);
}

/* Bytes that a command has written to the host. */
static u32 bytes_to_host(const struct nv_cmd *cmd)
{
	switch (cmd->sqe.opcode) {
	case NV_CMD_READ:
		return cmd->nlb * cmd->unit->be->limits.block_size;
	case NV_CMD_RESV_REPORT:
		return (le32_to_cpu(cmd->sqe.cdw10) + 1) * 4;
	default:
		return 0;
	}
}

/* A look-up may cross pages where the host's are in a row; PRPs do not. */
static bool reaches(const struct nv_cmd *cmd, u64 addr, u32 len)
{
	u32 bytes = bytes_to_host(cmd), n;

	if (!bytes)
		return false;
	if (nv_ns_pi(cmd->unit) &&
	    covers(le64_to_cpu(cmd->sqe.mptr), cmd->nlb * VT_PI_BYTES, addr,
		   len))
		return true;
	if (NV_PSDT(cmd->sqe.flags))
		return data_covers(&cmd->sqe, bytes, addr, len);
	for (; len; addr += n, len -= n) {
		n = min_t(u32, len, PAGE_SIZE - addr % PAGE_SIZE);
		if (!data_covers(&cmd->sqe, bytes, addr, n))
			return false;
	}
	return true;
}

static void check_lookups(const struct nv_cmd *c1, const struct nv_cmd *c2)
{
	const struct lookup *l = lookups;

	for (; l < lookups + nr_lookups; l++)
		MUST(!l->write || reaches(c1, l->addr, l->len) ||
		     (c2 && reaches(c2, l->addr, l->len)));
}

/* Between the core and the controller. */

/* What was not taken keeps nothing of the queue's, and nothing allocated. */
static bool is_empty(const struct vt_req *req)
{
	return !req || (!req->big && !req->bounce && !req->io.pi);
}

static int fetch(struct vt_queue *q)
{
	struct vt_req *r1 = q->free, *r2 = r1->next;
	unsigned int before = q->inflight + nd.ended, took;
	int ret;

	fetching = true;
	nr_lookups = 0;
	ret = nv_queue_ops.fetch(q);
	fetching = false;
	took = q->inflight + nd.ended - before;
	MUST(ret == 1 || ret == 0 || ret == -EAGAIN || ret == -ENOBUFS);
	MUST(ret == 1 ? took == 1 || took == 2 : !took);
	if (ret != 1) {
		MUST(is_empty(r1) && is_empty(r2));
		return ret;
	}
	nd.accepted += took;
	check_lookups(nv_req_cmd(r1), took == 2 ? nv_req_cmd(r2) : NULL);
	return ret;
}

static void complete_req(struct vt_queue *q, struct vt_req *req)
{
	struct nv_cq *cq = container_of(q, struct nv_cq, q);

	/* Each one once, and where there is room. */
	MUST(req->taken);
	MUST(nv_ring_used(&cq->r) < cq->r.size - 1);
	nv_queue_ops.complete(q, req);
	nd.ended++;
}

static struct vt_queue_ops queue_ops;

/* What an admin command may write, and whether it may at all. */
static bool may_admin_write(u64 addr, u32 len)
{
	const struct nv_sqe *cmd = &nd.n->admin.a.cmd;
	u32 bytes = PAGE_SIZE;

	if (cmd->opcode == NV_ADM_GET_LOG)
		bytes = ((le32_to_cpu(cmd->cdw10) >> 16 |
			  le32_to_cpu(cmd->cdw11) << 16) + 1) * 4;
	else if (cmd->opcode != NV_ADM_IDENTIFY &&
		 cmd->opcode != NV_ADM_GET_FEATURES)
		return false;
	for (; len; len--, addr++)
		if (!prp_covers(le64_to_cpu(cmd->prp1), le64_to_cpu(cmd->prp2),
				bytes, addr, 1))
			return false;
	return true;
}

static bool may_write(u64 addr, u32 len)
{
	return fetching ? note(addr, len, true) : may_admin_write(addr, len);
}

/* Admin commands and what registers ask for are done under this lock. */
static bool blocked(struct work_struct *work)
{
	return nd.n->s.lock.locked &&
	       (work == &nd.n->admin.work || work == &nd.n->act_work);
}

/* The driver. */

void nd_reg(u32 off, unsigned int size, u64 val)
{
	vt_nvme_write(nd.n, off, size, val);
}

void nd_doorbell(u32 index, u32 val)
{
	nd_reg(VT_NVME_DOORBELLS + 4 * index, 4, val);
}

/* As a driver does: with all it wants to know of shadow doorbells, too. */
void nd_ring(u32 index, u32 val)
{
	__le32 v = cpu_to_le32(val);

	if (nd.n->dbbuf)
		fc_write(ND_PAGE(ND_DBS) + 4 * index, &v, 4);
	nd_doorbell(index, val);
}

static u32 entries(unsigned int id)
{
	return id ? ND_ENTRIES : PAGE_SIZE / sizeof(struct nv_sqe);
}

void nd_submit(unsigned int id, const struct nv_sqe *sqe, bool tell)
{
	fc_write(ND_PAGE(ND_SQ(id)) + nd.tail[id] * sizeof(*sqe), sqe,
		 sizeof(*sqe));
	nd.tail[id] = (nd.tail[id] + 1) % entries(id);
	if (tell)
		nd_ring(2 * id, nd.tail[id]);
}

/* Completions are taken as they come. */
void nd_consume(unsigned int id)
{
	const struct nv_ring *r = id ? &nd.n->cq[id - 1].r : &nd.n->admin.cq;

	nd.head[id] = r->tail;
	nd_ring(2 * id + 1, nd.head[id]);
}

static void consume_all(void)
{
	unsigned int i;

	if (nd.n->admin.running)
		nd_consume(0);
	for (i = 1; i <= ND_QUEUES; i++)
		if (nd.n->core.cq[i].used)
			nd_consume(i);
}

void nd_serve(void)
{
	fc_settle();
	consume_all();
	fc_settle();
}

void nd_enable(void)
{
	memset(nd.tail, 0, sizeof(nd.tail));
	memset(nd.head, 0, sizeof(nd.head));
	vt_nvme_set_msix(nd.n, true);
	nd_reg(NV_REG_CC, 4, 0);
	fc_do_work(8);
	nd_reg(NV_REG_AQA, 4, 63 << 16 | 63);
	nd_reg(NV_REG_ASQ, 8, ND_PAGE(ND_SQ(0)));
	nd_reg(NV_REG_ACQ, 8, ND_PAGE(ND_CQ(0)));
	nd_reg(NV_REG_CC, 4, 6 << 16 | 4 << 20 | NV_CC_EN);
	fc_do_work(8);
}

void nd_admin(u8 opcode, u32 nsid, u64 prp1, u32 dw10, u32 dw11)
{
	nd_submit(0, &(struct nv_sqe) {
		.opcode = opcode, .cid = nd.cid++,
		.nsid = cpu_to_le32(nsid),
		.prp1 = cpu_to_le64(prp1),
		.cdw10 = cpu_to_le32(dw10), .cdw11 = cpu_to_le32(dw11),
	}, true);
}

void nd_make_queues(unsigned int id)
{
	u32 size = (ND_ENTRIES - 1) << 16;

	nd_admin(NV_ADM_CREATE_CQ, 0, ND_PAGE(ND_CQ(id)), size | id,
	      id << 16 | NV_CQ_IEN | NV_Q_PC);
	nd_admin(NV_ADM_CREATE_SQ, 0, ND_PAGE(ND_SQ(id)), size | id,
	      id << 16 | NV_Q_PC);
	nd_serve();
	nd.tail[id] = 0;
	nd.head[id] = 0;
}

/* A driver that does all right. */

u16 nd_status(unsigned int id)
{
	struct nv_cqe e;

	fc_read(ND_PAGE(ND_CQ(id)) + nd.head[id] * sizeof(e), &e, sizeof(e));
	fc_settle();
	fc_read(ND_PAGE(ND_CQ(id)) + nd.head[id] * sizeof(e), &e, sizeof(e));
	MUST(e.cid == (u16)(nd.cid - 1));
	nd_consume(id);
	fc_settle();
	return le16_to_cpu(e.status) >> 1;
}

u16 nd_io(u8 opcode, u32 dw10, u32 dw11, u32 dw12, u64 prp1)
{
	struct nv_sqe sqe = {
		.opcode = opcode, .cid = nd.cid++, .nsid = cpu_to_le32(1),
		.prp1 = cpu_to_le64(prp1),
		.mptr = cpu_to_le64(nd_data(8)),
		.cdw10 = cpu_to_le32(dw10), .cdw11 = cpu_to_le32(dw11),
		.cdw12 = cpu_to_le32(dw12),
	};

	nd_submit(1, &sqe, true);
	return nd_status(1);
}

void nd_begin(void)
{
	unsigned int i;

	MUST(!fc_insert());
	fc_begin(fc.module_type);
	fc.target.num_queues = ND_QUEUES;
	fc_add_disk(0);
	memset(&nd, 0, sizeof(nd));
	nd.cid = 1;
	nd.n = vt_nvme_create(&fc.target, &fc.gmem, &nd_door, NULL);
	MUST(!IS_ERR(nd.n));
	queue_ops = nv_queue_ops;
	queue_ops.fetch = fetch;
	queue_ops.complete = complete_req;
	for (i = 0; i < ND_QUEUES; i++)
		nd.n->cq[i].q.ops = &queue_ops;
	MUST(!vt_nvme_attach(nd.n, NULL));
	fc.may_write = may_write;
	fc.blocked = blocked;
}

void nd_open(u8 disk0, u8 disk1)
{
	u8 in[FC_BEGIN] = { 0, disk0, disk1 };

	fuzz_begin(in, sizeof(in));
	nd_begin();
	fuzz_begin(NULL, 0);
}

void nd_end(void)
{
	vt_nvme_destroy(nd.n);
	MUST(nd.accepted == nd.ended);
	fc_end();
}
