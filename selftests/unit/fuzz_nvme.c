// SPDX-License-Identifier: GPL-2.0
/*
 * An NVMe controller as its driver sees it: registers, doorbells, shadow
 * doorbells, admin and I/O commands with PRPs and SGLs.
 *
 * What a command may reach is worked out here a second time, from the
 * specification, and each look-up of the code under test is held against that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include <vhost_target/nvme.h>

#include "../../drivers/nvme/ctrl.h"

#include "fuzz_core.h"
#include "shim/hook.h"

const unsigned int fuzz_cost = 400;

#define QUEUES		4
#define ENTRIES		32
#define PAGE(n)		(FC_BASE + (u64)(n) * PAGE_SIZE)

/* Pages: queues by number, shadow doorbells, lists, then data. */
#define SQ_PAGE(id)	(id)
#define CQ_PAGE(id)	(5 + (id))
#define DBS_PAGE	10
#define EIS_PAGE	11
#define LIST_PAGE	12
#define LIST_PAGES	4
#define DATA_PAGE	16
#define DATA_PAGES	(FC_PAGES - DATA_PAGE)

static struct vt_nvme *nvme;
static u32 tail[QUEUES + 1], head[QUEUES + 1];
static u16 next_cid;
static bool zap_fails;
static unsigned int nr_failed;

/* Nobody opens a file here. */

int vt_door_nvme_open(struct vt_type *type, struct file *file)
{
	(void)type;
	(void)file;
	return -ENXIO;
}

int vt_door_nvme_release(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return 0;
}

long vt_door_nvme_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	(void)file;
	(void)cmd;
	(void)arg;
	return -ENXIO;
}

int vt_door_nvme_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	(void)vma;
	return -ENXIO;
}

static void raise_irq(void *priv, unsigned int vector)
{
	MUST(!priv);
	MUST(vector < nvme->core.nr_vectors);
}

static bool zap(void *priv)
{
	struct mm_struct mm = { };

	MUST(!priv);
	return !zap_fails && vt_nvme_zap(&mm, NULL, 0);
}

static void failed(void *priv)
{
	MUST(!priv);
	nr_failed++;
}

static const struct vt_nvme_door_ops door = {
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

static unsigned int accepted, ended;

static int fetch(struct vt_queue *q)
{
	struct vt_req *r1 = q->free, *r2 = r1->next;
	unsigned int before = q->inflight + ended, took;
	int ret;

	fetching = true;
	nr_lookups = 0;
	ret = nv_queue_ops.fetch(q);
	fetching = false;
	took = q->inflight + ended - before;
	MUST(ret == 1 || ret == 0 || ret == -EAGAIN || ret == -ENOBUFS);
	MUST(ret == 1 ? took == 1 || took == 2 : !took);
	if (ret != 1)
		return ret;
	accepted += took;
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
	ended++;
}

static struct vt_queue_ops queue_ops;

/* What an admin command may write, and whether it may at all. */
static bool may_admin_write(u64 addr, u32 len)
{
	const struct nv_sqe *cmd = &nvme->admin.a.cmd;
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
	return nvme->s.lock.locked &&
	       (work == &nvme->admin.work || work == &nvme->act_work);
}

/* The driver. */

static void reg(u32 off, unsigned int size, u64 val)
{
	vt_nvme_write(nvme, off, size, val);
}

static void doorbell(u32 index, u32 val)
{
	reg(VT_NVME_DOORBELLS + 4 * index, 4, val);
}

/* As a driver does: with all it wants to know of shadow doorbells, too. */
static void ring(u32 index, u32 val)
{
	__le32 v = cpu_to_le32(val);

	if (nvme->dbbuf)
		fc_write(PAGE(DBS_PAGE) + 4 * index, &v, 4);
	doorbell(index, val);
}

static u32 entries(unsigned int id)
{
	return id ? ENTRIES : PAGE_SIZE / sizeof(struct nv_sqe);
}

static void submit(unsigned int id, const struct nv_sqe *sqe, bool tell)
{
	fc_write(PAGE(SQ_PAGE(id)) + tail[id] * sizeof(*sqe), sqe,
		 sizeof(*sqe));
	tail[id] = (tail[id] + 1) % entries(id);
	if (tell)
		ring(2 * id, tail[id]);
}

/* Completions are taken as they come. */
static void consume(unsigned int id)
{
	const struct nv_ring *r = id ? &nvme->cq[id - 1].r : &nvme->admin.cq;

	head[id] = r->tail;
	ring(2 * id + 1, head[id]);
}

static void consume_all(void)
{
	unsigned int i;

	if (nvme->admin.running)
		consume(0);
	for (i = 1; i <= QUEUES; i++)
		if (nvme->core.cq[i].used)
			consume(i);
}

static void serve(void)
{
	fc_settle();
	consume_all();
	fc_settle();
}

static void enable(void)
{
	memset(tail, 0, sizeof(tail));
	memset(head, 0, sizeof(head));
	vt_nvme_set_msix(nvme, true);
	reg(NV_REG_CC, 4, 0);
	fc_do_work(8);
	reg(NV_REG_AQA, 4, 63 << 16 | 63);
	reg(NV_REG_ASQ, 8, PAGE(SQ_PAGE(0)));
	reg(NV_REG_ACQ, 8, PAGE(CQ_PAGE(0)));
	reg(NV_REG_CC, 4, 6 << 16 | 4 << 20 | NV_CC_EN);
	fc_do_work(8);
}

static void admin(u8 opcode, u32 nsid, u64 prp1, u32 dw10, u32 dw11)
{
	submit(0, &(struct nv_sqe) {
		.opcode = opcode, .cid = next_cid++,
		.nsid = cpu_to_le32(nsid),
		.prp1 = cpu_to_le64(prp1),
		.cdw10 = cpu_to_le32(dw10), .cdw11 = cpu_to_le32(dw11),
	}, true);
}

static void make_queues(unsigned int id)
{
	u32 size = (ENTRIES - 1) << 16;

	admin(NV_ADM_CREATE_CQ, 0, PAGE(CQ_PAGE(id)), size | id,
	      id << 16 | NV_CQ_IEN | NV_Q_PC);
	admin(NV_ADM_CREATE_SQ, 0, PAGE(SQ_PAGE(id)), size | id,
	      id << 16 | NV_Q_PC);
	serve();
	tail[id] = 0;
	head[id] = 0;
}

/* Data pointers. */

static u64 data_page(u32 n)
{
	return PAGE(DATA_PAGE + n % DATA_PAGES);
}

/* Entries of a list from this address on, some of them odd. */
static void make_list(u64 at, unsigned int nr)
{
	unsigned int i, odd = fuzz_take(1);
	__le64 e;

	for (i = 0; i < nr; i++, at += 8) {
		u64 page = data_page(i + 1);

		if (i == odd)
			page = fc_take_addr(page);
		e = cpu_to_le64(page);
		fc_write(at, &e, 8);
	}
}

static void take_prp(struct nv_sqe *sqe)
{
	u32 how = fuzz_take(1), off = fuzz_take(1) * 16;
	u64 list = PAGE(LIST_PAGE) + (how & 1 ? off / 8 * 8 : 0);
	__le64 next = cpu_to_le64(PAGE(LIST_PAGE + 1));

	sqe->prp1 = cpu_to_le64(fc_take_addr(data_page(0) +
					     (how & 2 ? off : 0)));
	if (how & 4) {
		sqe->prp2 = cpu_to_le64(fc_take_addr(data_page(1)));
		return;
	}
	make_list(list, 16 + (how >> 4) * 16);
	if (how & 8) {
		/* A list that goes on in another page. */
		list = PAGE(LIST_PAGE + 1) - 8 * (1 + (how >> 4));
		make_list(list, how >> 4);
		fc_write(PAGE(LIST_PAGE + 1) - 8, &next, 8);
		make_list(PAGE(LIST_PAGE + 1), 32);
	}
	sqe->prp2 = cpu_to_le64(fc_take_addr(list));
}

static struct nv_sgl take_descriptor(u32 n)
{
	static const u8 types[] = {
		NV_SGL_DATA, NV_SGL_BUCKET, NV_SGL_SEG, NV_SGL_LAST, 0x40, 1,
	};
	u32 how = fuzz_take(1);
	struct nv_sgl d = {
		.addr = cpu_to_le64(fc_take_addr(how & 0x80 ?
					PAGE(LIST_PAGE + (how & 3)) :
					data_page(n))),
		.len = cpu_to_le32(how & 0x40 ? fuzz_take(4) :
				   fuzz_take(1) * 16),
		.type = types[how % 16 < 10 ? 0 : (how % 16 - 10)],
	};

	if (how & 0x80 && how & 0x20)
		d.type = how & 0x10 ? NV_SGL_LAST : NV_SGL_SEG;
	return d;
}

static void take_sgl(struct nv_sqe *sqe)
{
	u32 nr = fuzz_take(1) % 24, i, seg = fuzz_take(1) % LIST_PAGES;
	u64 at = PAGE(LIST_PAGE + seg);
	struct nv_sgl d;

	for (i = 0; i < nr; i++, at += sizeof(d)) {
		d = take_descriptor(i);
		fc_write(at, &d, sizeof(d));
	}
	sqe->sgl = take_descriptor(0);
}

/* Steps. */

static void step_admin(void)
{
	static const u8 opcodes[] = {
		NV_ADM_DELETE_SQ, NV_ADM_CREATE_SQ, NV_ADM_GET_LOG,
		NV_ADM_DELETE_CQ, NV_ADM_CREATE_CQ, NV_ADM_IDENTIFY,
		NV_ADM_ABORT, NV_ADM_SET_FEATURES, NV_ADM_GET_FEATURES,
		NV_ADM_ASYNC_EVENT, NV_ADM_DBBUF,
	};
	u8 op = fuzz_take(1), how = fuzz_take(1);
	struct nv_sqe sqe = {
		.opcode = op < 220 ? opcodes[op % ARRAY_SIZE(opcodes)] : op,
		.flags = how & 0x40 ? fuzz_take(1) : 0,
		.cid = next_cid++,
		.nsid = cpu_to_le32(how & 0x80 ? fuzz_take(4) : how & 3),
	};
	u32 i, nr = fuzz_take(1) % 7;
	__le32 *dw = &sqe.cdw10;

	for (i = 0; i < nr && i < 6; i++)
		dw[i] = cpu_to_le32(fuzz_take(4));
	take_prp(&sqe);
	if (sqe.opcode == NV_ADM_CREATE_CQ || sqe.opcode == NV_ADM_CREATE_SQ)
		sqe.prp1 = cpu_to_le64(fc_take_addr(PAGE((how & 3) +
			(sqe.opcode == NV_ADM_CREATE_CQ ? CQ_PAGE(1) :
			 SQ_PAGE(1)))));
	if (sqe.opcode == NV_ADM_DBBUF && !(how & 4)) {
		sqe.prp1 = cpu_to_le64(fc_take_addr(PAGE(DBS_PAGE)));
		sqe.prp2 = cpu_to_le64(fc_take_addr(PAGE(EIS_PAGE)));
	}
	submit(0, &sqe, true);
}

/* What commands read: ranges, keys, data. */
static void step_data(void)
{
	u8 bytes[64];
	u32 page = fuzz_take(1), off = fuzz_take(1) * 16;

	fuzz_take_bytes(bytes, sizeof(bytes));
	fc_write(data_page(page) + off, bytes, sizeof(bytes));
}

static void step_io(void)
{
	static const u8 opcodes[] = {
		NV_CMD_READ, NV_CMD_WRITE, NV_CMD_FLUSH, NV_CMD_COMPARE,
		NV_CMD_WRITE_ZEROES, NV_CMD_DSM, NV_CMD_VERIFY, NV_CMD_COPY,
		NV_CMD_RESV_REGISTER, NV_CMD_RESV_REPORT, NV_CMD_RESV_ACQUIRE,
		NV_CMD_RESV_RELEASE,
	};
	u8 op = fuzz_take(1), how = fuzz_take(1), id = 1 + (how & 3);
	struct nv_sqe sqe = {
		.opcode = op < 240 ? opcodes[op % ARRAY_SIZE(opcodes)] : op,
		.cid = next_cid++,
		.nsid = cpu_to_le32(how & 0x80 ? fuzz_take(4) :
				    1u + (how >> 2 & 1)),
		.mptr = cpu_to_le64(fc_take_addr(data_page(24))),
	};

	if (how & 8)
		sqe.flags = fuzz_take(1);
	sqe.cdw10 = cpu_to_le32(fuzz_take(2));
	sqe.cdw11 = cpu_to_le32(how & 0x10 ? fuzz_take(4) : 0);
	sqe.cdw12 = cpu_to_le32(how & 0x20 ? fuzz_take(4) : fuzz_take(1));
	sqe.cdw14 = cpu_to_le32(fuzz_take(2));
	sqe.cdw15 = cpu_to_le32(how & 0x20 ? fuzz_take(4) : 0);
	if (NV_PSDT(sqe.flags) == 1 || NV_PSDT(sqe.flags) == 2)
		take_sgl(&sqe);
	else
		take_prp(&sqe);
	submit(id, &sqe, !(how & 0x40));
}

static void step_reg(void)
{
	static const u8 sizes[] = { 4, 8, 4, 8, 1, 2, 4, 8 };
	u32 how = fuzz_take(1), off = fuzz_take(1);
	unsigned int size = sizes[how & 7];

	if (how & 0x80)
		off = fuzz_take(2);
	else if (how & 0x40)
		off &= ~3u;
	if (how & 0x20)
		vt_nvme_read(nvme, off, size);
	else
		reg(off, size, how & 0x10 ? fuzz_take64() : fuzz_take(4));
}

static void step_doorbell(void)
{
	u32 index = fuzz_take(1), val = fuzz_take(2);
	__le32 v = cpu_to_le32(val < 0x8000 ? val % 64 : fuzz_take(4));

	if (index & 0x80)
		fc_write(PAGE(DBS_PAGE) + 4 * (index % 16), &v, 4);
	else if (index & 0x40)
		nvme->db[index % 16] = v;
	else
		doorbell(index % 16, le32_to_cpu(v));
}

static void step_vmm(void)
{
	u32 what = fuzz_take(1);

	switch (what % 8) {
	case 0:
		vt_nvme_set_msix(nvme, what & 16);
		break;
	case 1:
		vt_nvme_intx(nvme);
		break;
	case 2:
		zap_fails = what & 16;
		vt_nvme_doorbells_mapped(nvme);
		break;
	case 3:
		vt_nvme_reset(nvme);
		break;
	case 4:
		fc_add_disk(what >> 4 & 1);
		break;
	case 5:
		fc_remove_disk(what >> 4 & 1);
		break;
	case 6:
		vt_nvme_sync_memory(nvme);
		break;
	default:
		MUST(vt_nvme_queues(nvme) == QUEUES);
		MUST(vt_nvme_doorbell_page(nvme));
		vt_nvme_bad_writes(nvme);
		break;
	}
}

static void step(void)
{
	switch (fuzz_take(1) % 16) {
	case 0 ... 4:
		step_io();
		break;
	case 5 ... 6:
		step_admin();
		break;
	case 7 ... 9:
		fc_step();
		break;
	case 10:
		step_data();
		break;
	case 11:
		step_reg();
		break;
	case 12:
		step_doorbell();
		break;
	case 13:
		step_vmm();
		break;
	case 14:
		serve();
		break;
	default:
		enable();
		make_queues(1 + fuzz_take(1) % QUEUES);
		break;
	}
}

/* A driver that does all right. */

static u16 status_of(unsigned int id)
{
	struct nv_cqe e;

	fc_read(PAGE(CQ_PAGE(id)) + head[id] * sizeof(e), &e, sizeof(e));
	fc_settle();
	fc_read(PAGE(CQ_PAGE(id)) + head[id] * sizeof(e), &e, sizeof(e));
	MUST(e.cid == (u16)(next_cid - 1));
	consume(id);
	fc_settle();
	return le16_to_cpu(e.status) >> 1;
}

static u16 do_io(u8 opcode, u32 dw10, u32 dw11, u32 dw12, u64 prp1)
{
	struct nv_sqe sqe = {
		.opcode = opcode, .cid = next_cid++, .nsid = cpu_to_le32(1),
		.prp1 = cpu_to_le64(prp1),
		.mptr = cpu_to_le64(data_page(8)),
		.cdw10 = cpu_to_le32(dw10), .cdw11 = cpu_to_le32(dw11),
		.cdw12 = cpu_to_le32(dw12),
	};

	submit(1, &sqe, true);
	return status_of(1);
}

static void clear_reservations(void)
{
	u8 keys[16] = { [8] = 7 };

	/* Whatever it was registered as: replace, with the key ignored. */
	fc_write(data_page(2), keys, sizeof(keys));
	MUST(!do_io(NV_CMD_RESV_REGISTER, 2 | NV_RESV_IEKEY, 0, 0,
		    data_page(2)));
	keys[0] = 7;
	fc_write(data_page(2), keys, sizeof(keys));
	MUST(!do_io(NV_CMD_RESV_RELEASE, 1, 0, 0, data_page(2)));
}

static void check(void)
{
	u8 out[PAGE_SIZE], in[PAGE_SIZE];
	u32 nlb = PAGE_SIZE / fc.disk[0].be.limits.block_size;
	static u8 seed;

	fc_add_disk(0);
	vt_nvme_reset(nvme);
	fc_settle();
	enable();
	MUST(vt_nvme_read(nvme, NV_REG_CSTS, 4) == NV_CSTS_RDY);
	admin(NV_ADM_IDENTIFY, 0, data_page(0), NV_CNS_CTRL, 0);
	MUST(!status_of(0));
	make_queues(1);
	MUST(nvme->core.sq[1].used);
	clear_reservations();
	memset(out, ++seed, sizeof(out));
	fc_write(data_page(4), out, sizeof(out));
	if (fc.disk[0].unit.flags & VHOST_TARGET_UNIT_F_RO)
		return;
	MUST(!do_io(NV_CMD_WRITE, 8, 0, nlb - 1, data_page(4)));
	MUST(!do_io(NV_CMD_READ, 8, 0, nlb - 1, data_page(5)));
	fc_read(data_page(5), in, sizeof(in));
	MUST(!memcmp(in, out, sizeof(in)));
}

static void begin(void)
{
	unsigned int i;

	MUST(!fc_insert());
	fc_begin(fc.module_type);
	fc.target.num_queues = QUEUES;
	fc_add_disk(0);
	memset(tail, 0, sizeof(tail));
	memset(head, 0, sizeof(head));
	next_cid = 1;
	zap_fails = false;
	accepted = 0;
	ended = 0;
	nvme = vt_nvme_create(&fc.target, &fc.gmem, &door, NULL);
	MUST(!IS_ERR(nvme));
	queue_ops = nv_queue_ops;
	queue_ops.fetch = fetch;
	queue_ops.complete = complete_req;
	for (i = 0; i < QUEUES; i++)
		nvme->cq[i].q.ops = &queue_ops;
	MUST(!vt_nvme_attach(nvme));
	fc.may_write = may_write;
	fc.blocked = blocked;
}

/* More than this are no new states. */
#define MAX_STEPS	256

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	unsigned int steps = 0;

	fuzz_begin(data, len);
	begin();
	while (fuzz_left() && steps++ < MAX_STEPS)
		step();
	fuzz_begin(NULL, 0);
	fc_heal();
	zap_fails = false;
	serve();
	MUST(fc_asleep());
	check();
	MUST(fc_asleep());
	vt_nvme_destroy(nvme);
	MUST(accepted == ended);
	fc_end();
	return 0;
}

/* Seeds. */

static void put_begin(u8 disk)
{
	fuzz_put(1, 8);
	fuzz_put(1, disk);
	fuzz_put(1, 1);
	fuzz_put(2, 0x0f00);
}

/* @how: of step_admin(), without what makes it take more. */
static void put_admin(u8 index, u8 how, u32 dw10, u32 dw11)
{
	fuzz_put(1, 5);
	fuzz_put(2, index << 8 | how);
	fuzz_put(1, 2);
	fuzz_put(4, dw10);
	fuzz_put(4, dw11);
	/* Two pages that are whole. */
	fuzz_put(2, 0x0400);
	fuzz_put(2, 0);
	if (index == 1 || index == 4)
		fuzz_put(1, 0);
	if (index == 10 && !(how & 4))
		fuzz_put(2, 0);
	fuzz_put(1, 14);
}

static void put_io(u8 index, u8 how, u16 lba, u8 nlb, u8 prp)
{
	fuzz_put(1, 0);
	fuzz_put(2, index << 8 | how);
	fuzz_put(1, 0);
	if (how & 8)
		fuzz_put(1, 0);
	fuzz_put(2, lba);
	if (how & 0x10)
		fuzz_put(4, 4);
	fuzz_put(1, nlb);
	fuzz_put(2, lba);
	fuzz_put(2, prp << 8);
	fuzz_put(1, 0);
	if (prp & 4) {
		fuzz_put(1, 0);
		return;
	}
	fuzz_put(1, 0xff);
	if (prp & 8)
		fuzz_put(2, 0xffff);
	fuzz_put(1, 0);
}

static void put_serve(void)
{
	fuzz_put(1, 14);
}

static void put_bytes(u8 page, const char *hex)
{
	unsigned int i, n = strlen(hex) / 2, byte;

	fuzz_put(1, 10);
	fuzz_put(2, page << 8);
	for (i = 0; i < 64; i++) {
		byte = 0;
		if (i < n)
			sscanf(hex + 2 * i, "%2x", &byte);
		fuzz_put(1, byte);
	}
}

/* What Linux asks of a controller that it finds. */
static void seed_probe(void)
{
	static const u8 cns[] = {
		NV_CNS_CTRL, NV_CNS_ACTIVE, NV_CNS_NS, NV_CNS_DESC,
		NV_CNS_CSI_NS, NV_CNS_CSI_CTRL, NV_CNS_INDEP_NS,
		NV_CNS_ALLOCATED, NV_CNS_NS_CTRLS, NV_CNS_CTRLS,
		NV_CNS_CMD_SETS, NV_CNS_CSI_ACTIVE, NV_CNS_ALLOCATED_NS,
		NV_CNS_CSI_ALLOCATED,
	};
	static const u8 logs[] = { 0, 1, 2, 3, 4, 5, 0x12, 0x80 };
	static const u8 features[] = {
		1, 2, 4, 5, 6, 7, 8, 9, 0xa, 0xb, 0xe, 0x81, 0x82, 0x83,
	};
	unsigned int i;

	put_begin(0);
	for (i = 0; i < ARRAY_SIZE(cns); i++)
		put_admin(5, i % 3, cns[i], 0);
	for (i = 0; i < ARRAY_SIZE(logs); i++)
		put_admin(2, 0, 127 << 16 | logs[i], 0);
	fuzz_save("probe");

	put_begin(0);
	put_admin(9, 0, 0, 0);
	put_admin(9, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		put_admin(8, 1, features[i], 0);
		put_admin(7, 1, features[i], i == 5 ? 0x30003 : 1);
		put_admin(8, 1, features[i] | 0x300, 0);
	}
	put_admin(10, 0, 0, 0);
	put_admin(6, 0, 1 << 16, 0);
	put_admin(0, 0, 1, 0);
	put_admin(3, 0, 1, 0);
	put_admin(4, 0, 31 << 16 | 2, 2 << 16 | 3);
	put_admin(1, 0, 31 << 16 | 2, 2 << 16 | 1);
	put_io(0, 1, 0, 7, 4);
	put_serve();
	fuzz_save("features");
}

static void seed_io(const char *name, u8 disk)
{
	unsigned int i;

	put_begin(disk);
	put_admin(10, 0, 0, 0);
	/* One page, two, a list, a list of two pages. */
	put_io(0, 0, 0, 7, 4);
	put_io(1, 0, 8, 15, 4);
	put_io(1, 0, 64, 63, 0x10);
	put_io(0, 0, 64, 127, 0x10);
	put_io(0, 0, 0, 255, 0xf8);
	put_io(1, 0, 256, 200, 0x4a);
	put_serve();
	put_io(2, 0, 0, 0, 4);
	put_io(3, 0, 8, 7, 4);
	put_io(4, 0, 16, 15, 4);
	put_io(6, 0, 16, 15, 4);
	put_serve();
	/* Two ranges to be deallocated; two to be copied. */
	put_bytes(0, "00000000080000001000000000000000"
		  "00000000080000002000000000000000");
	put_io(5, 0x10, 1, 0, 4);
	put_serve();
	put_bytes(0, "00000000000000000800000000000000"
		  "07000000000000000000000000000000"
		  "00000000000000001000000000000000"
		  "07000000000000000000000000000000");
	put_io(7, 0, 128, 1, 4);
	put_serve();
	/* In flight when the queue goes, and when the controller is reset. */
	for (i = 0; i < 3; i++) {
		fuzz_put(3, 0x070801);
		put_io(0, 0, 0, 7, 4);
		put_io(7, 0, 128, 1, 4);
		fuzz_put(2, 0x0700);
		if (i == 0)
			put_admin(0, 0, 1, 0);
		else if (i == 1)
			fuzz_put(2, 0x0d03);
		fuzz_put(2, 0x0f00);
	}
	fuzz_save(name);
}

static void seed_resv(void)
{
	static const struct {
		u8 op;
		u16 dw10;
		const char *keys;
	} ops[] = {
		{ 8, 0, "00000000000000000700000000000000" },
		{ 10, 0x100, "0700000000000000" },
		{ 9, 63, "" },
		{ 10, 0x101, "07000000000000000700000000000000" },
		{ 10, 0x102, "07000000000000000900000000000000" },
		{ 11, 0x100, "0700000000000000" },
		{ 8, 2, "07000000000000000900000000000000" },
		{ 11, 1, "0900000000000000" },
		{ 8, 1, "0900000000000000" },
	};
	unsigned int i;

	put_begin(0);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		put_bytes(0, ops[i].keys);
		put_io(ops[i].op, 0, ops[i].dw10, 0, 4);
		put_serve();
	}
	fuzz_save("resv");
}

/* Data that an SGL describes: one block, segments, bit buckets. */
static void seed_sgl(void)
{
	static const struct {
		u8 nr, first, len;
		u8 desc[4];
	} sgls[] = {
		{ 0, 0, 32, { 0 } },
		{ 2, 0xb0, 2, { 0, 0 } },
		{ 3, 0xb0, 3, { 0, 11, 0 } },
		{ 2, 0xa0, 2, { 0, 0xb1 } },
	};
	unsigned int i, k;

	put_begin(0);
	for (i = 0; i < 8; i++) {
		fuzz_put(1, 0);
		fuzz_put(2, (i & 1) << 8 | 8);
		fuzz_put(2, 0x0040);
		fuzz_put(2, 0);
		fuzz_put(1, 0);
		fuzz_put(2, 0);
		fuzz_put(2, sgls[i / 2].nr << 8);
		for (k = 0; k < sgls[i / 2].nr; k++)
			fuzz_put(3, sgls[i / 2].desc[k] << 16 | 16);
		fuzz_put(1, sgls[i / 2].first);
		fuzz_put(2, sgls[i / 2].len);
		put_serve();
	}
	fuzz_save("sgl");
}

static void seed_rest(void)
{
	unsigned int i;

	put_begin(0);
	/* Compare and Write. */
	for (i = 0; i < 2; i++) {
		fuzz_put(1, 0);
		fuzz_put(2, (i ? 1 : 3) << 8 | 8 | (i ? 0 : 0x40));
		fuzz_put(2, i + 1);
		fuzz_put(2, 8);
		fuzz_put(1, 0);
		fuzz_put(2, 8);
		fuzz_put(6, 0x040000000000);
	}
	put_serve();
	for (i = 0; i < 8; i++)
		fuzz_put(2, 0x0d00 | i);
	for (i = 0; i < 8; i++)
		fuzz_put(2, 0x0d10 | i);
	for (i = 0; i < 0x70; i += 4)
		fuzz_put(3, 0x0b6000 | i);
	/* Doorbells of all kinds; a shutdown. */
	for (i = 0; i < 16; i++)
		fuzz_put(4, 0x0c000001 | i << 16);
	fuzz_put(3, 0x0b4014);
	fuzz_put(4, 0x00464001);
	put_serve();
	fuzz_save("rest");
}

void fuzz_seeds(void)
{
	seed_probe();
	seed_io("io", 0);
	seed_io("io_4k", 1 | 8);
	seed_io("io_pi1", 32);
	seed_io("io_pi3", 32 | 64 | 2);
	seed_resv();
	seed_sgl();
	seed_rest();
}
