// SPDX-License-Identifier: GPL-2.0
/*
 * An NVMe controller as its driver sees it: registers, doorbells, shadow
 * doorbells, admin and I/O commands with PRPs and SGLs.
 */
#include <stdio.h>
#include <string.h>

#include "nvme_dev.h"

const unsigned int fuzz_cost = 1000;

/* Data pointers. */

/* Entries of a list from this address on, some of them odd. */
static void make_list(u64 at, unsigned int nr)
{
	unsigned int i, odd = fuzz_take(1);
	__le64 e;

	for (i = 0; i < nr; i++, at += 8) {
		u64 page = nd_data(i + 1);

		if (i == odd)
			page = fc_take_addr(page);
		e = cpu_to_le64(page);
		fc_write(at, &e, 8);
	}
}

static void take_prp(struct nv_sqe *sqe)
{
	u32 how = fuzz_take(1), off = fuzz_take(1) * 16;
	u64 list = ND_PAGE(ND_LIST) + (how & 1 ? off / 8 * 8 : 0);
	__le64 next = cpu_to_le64(ND_PAGE(ND_LIST + 1));

	sqe->prp1 = cpu_to_le64(fc_take_addr(nd_data(0) +
					     (how & 2 ? off : 0)));
	if (how & 4) {
		sqe->prp2 = cpu_to_le64(fc_take_addr(nd_data(1)));
		return;
	}
	make_list(list, 16 + (how >> 4) * 16);
	if (how & 8) {
		/* A list that goes on in another page. */
		list = ND_PAGE(ND_LIST + 1) - 8 * (1 + (how >> 4));
		make_list(list, how >> 4);
		fc_write(ND_PAGE(ND_LIST + 1) - 8, &next, 8);
		make_list(ND_PAGE(ND_LIST + 1), 32);
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
					ND_PAGE(ND_LIST + (how & 3)) :
					nd_data(n))),
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
	u32 nr = fuzz_take(1) % 24, i, seg = fuzz_take(1) % ND_LISTS;
	u64 at = ND_PAGE(ND_LIST + seg);
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
		.cid = nd.cid++,
		.nsid = cpu_to_le32(how & 0x80 ? fuzz_take(4) : how & 3),
	};
	u32 i, nr = fuzz_take(1) % 7;
	__le32 *dw = &sqe.cdw10;

	for (i = 0; i < nr && i < 6; i++)
		dw[i] = cpu_to_le32(fuzz_take(4));
	take_prp(&sqe);
	if (sqe.opcode == NV_ADM_CREATE_CQ || sqe.opcode == NV_ADM_CREATE_SQ)
		sqe.prp1 = cpu_to_le64(fc_take_addr(ND_PAGE((how & 3) +
			(sqe.opcode == NV_ADM_CREATE_CQ ? ND_CQ(1) :
			 ND_SQ(1)))));
	if (sqe.opcode == NV_ADM_DBBUF && !(how & 4)) {
		sqe.prp1 = cpu_to_le64(fc_take_addr(ND_PAGE(ND_DBS)));
		sqe.prp2 = cpu_to_le64(fc_take_addr(ND_PAGE(ND_EIS)));
	}
	nd_submit(0, &sqe, true);
}

/* What commands read: ranges, keys, data. */
static void step_data(void)
{
	u8 bytes[64];
	u32 page = fuzz_take(1), off = fuzz_take(1) * 16;

	fuzz_take_bytes(bytes, sizeof(bytes));
	fc_write(nd_data(page) + off, bytes, sizeof(bytes));
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
		.cid = nd.cid++,
		.nsid = cpu_to_le32(how & 0x80 ? fuzz_take(4) :
				    1u + (how >> 2 & 1)),
		.mptr = cpu_to_le64(fc_take_addr(nd_data(24))),
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
	nd_submit(id, &sqe, !(how & 0x40));
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
		vt_nvme_read(nd.n, off, size);
	else
		nd_reg(off, size, how & 0x10 ? fuzz_take64() : fuzz_take(4));
}

static void step_doorbell(void)
{
	u32 index = fuzz_take(1), val = fuzz_take(2);
	__le32 v = cpu_to_le32(val < 0x8000 ? val % 64 : fuzz_take(4));

	if (index & 0x80)
		fc_write(ND_PAGE(ND_DBS) + 4 * (index % 16), &v, 4);
	else if (index & 0x40)
		nd.n->db[index % 16] = v;
	else
		nd_doorbell(index % 16, le32_to_cpu(v));
}

static void step_vmm(void)
{
	u32 what = fuzz_take(1);

	switch (what % 8) {
	case 0:
		vt_nvme_set_msix(nd.n, what & 16);
		break;
	case 1:
		vt_nvme_intx(nd.n);
		break;
	case 2:
		nd.zap_fails = what & 16;
		vt_nvme_doorbells_mapped(nd.n);
		break;
	case 3:
		vt_nvme_reset(nd.n);
		break;
	case 4:
		fc_add_disk(what >> 4 & 1);
		break;
	case 5:
		fc_remove_disk(what >> 4 & 1);
		break;
	case 6:
		vt_nvme_sync_memory(nd.n);
		break;
	default:
		MUST(vt_nvme_queues(nd.n) == ND_QUEUES);
		MUST(vt_nvme_doorbell_page(nd.n));
		vt_nvme_bad_writes(nd.n);
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
		nd_serve();
		break;
	default:
		nd_enable();
		nd_make_queues(1 + fuzz_take(1) % ND_QUEUES);
		break;
	}
}

static void clear_reservations(void)
{
	u8 keys[16] = { [8] = 7 };

	/* Whatever it was registered as: replace, with the key ignored. */
	fc_write(nd_data(2), keys, sizeof(keys));
	MUST(!nd_io(NV_CMD_RESV_REGISTER, 2 | NV_RESV_IEKEY, 0, 0,
		    nd_data(2)));
	keys[0] = 7;
	fc_write(nd_data(2), keys, sizeof(keys));
	MUST(!nd_io(NV_CMD_RESV_RELEASE, 1, 0, 0, nd_data(2)));
}

static void check(void)
{
	u8 out[PAGE_SIZE], in[PAGE_SIZE];
	u32 nlb = PAGE_SIZE / fc.disk[0].be.limits.block_size;
	static u8 seed;

	fc_add_disk(0);
	vt_nvme_reset(nd.n);
	fc_settle();
	nd_enable();
	MUST(vt_nvme_read(nd.n, NV_REG_CSTS, 4) == NV_CSTS_RDY);
	nd_admin(NV_ADM_IDENTIFY, 0, nd_data(0), NV_CNS_CTRL, 0);
	MUST(!nd_status(0));
	nd_make_queues(1);
	MUST(nd.n->core.sq[1].used);
	clear_reservations();
	memset(out, ++seed, sizeof(out));
	fc_write(nd_data(4), out, sizeof(out));
	if (fc.disk[0].unit.flags & VHOST_TARGET_UNIT_F_RO)
		return;
	MUST(!nd_io(NV_CMD_WRITE, 8, 0, nlb - 1, nd_data(4)));
	MUST(!nd_io(NV_CMD_READ, 8, 0, nlb - 1, nd_data(5)));
	fc_read(nd_data(5), in, sizeof(in));
	MUST(!memcmp(in, out, sizeof(in)));
}

/* More than this are no new states. */
#define MAX_STEPS	256

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	unsigned int steps = 0;

	fuzz_begin(data, len);
	nd_begin();
	while (fuzz_left() && steps++ < MAX_STEPS)
		step();
	fuzz_begin(NULL, 0);
	fc_heal();
	nd.zap_fails = false;
	nd_serve();
	MUST(fc_asleep());
	check();
	MUST(fc_asleep());
	nd_end();
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

/* Compare and Write of one block, by PRPs. */
static void put_fused(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		fuzz_put(1, 0);
		fuzz_put(2, (i ? 1 : 3) << 8 | 8 | (i ? 0 : 0x40));
		fuzz_put(2, i + 1);
		fuzz_put(2, 8);
		fuzz_put(1, 0);
		fuzz_put(2, 8);
		fuzz_put(4, 0x04000000);
	}
	put_serve();
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
	/* The block is what is read from it, and then it is not. */
	put_io(0, 0, 8, 0, 4);
	put_serve();
	put_fused();
	put_bytes(0, "55");
	put_fused();
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
