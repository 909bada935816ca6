// SPDX-License-Identifier: GPL-2.0
/* Commands of the NVM command set: what becomes of them. */
#include "nvme_io_bed.h"

TEST(io_read, "a read: sector, bytes, direction")
{
	struct iob *b = iob_new();

	iob_rw(b, NV_CMD_READ, 1, 0x123, 16);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(VT_OP_READ, b->r.req.io.op);
	EXPECT_EQ(0x123, b->r.req.io.sector);
	EXPECT_EQ(8192, b->r.req.io.bytes);
	EXPECT(b->write);
	EXPECT_EQ(0, b->r.req.io.flags);
	EXPECT_EQ(VHOST_TARGET_OP_READ, b->r.req.op_class);
	EXPECT(b->r.req.io.be == b->b->unit[0].be);
	b->r.req.io.status = BLK_STS_OK;
	EXPECT_EQ(0, nv_io_status(&b->r.req));
	iob_free(b);
}

TEST(io_4096, "blocks of 4096 bytes are eight sectors each")
{
	struct iob *b = iob_new();

	b->b->unit[0].be->limits.block_size = 4096;
	iob_rw(b, NV_CMD_WRITE, 1, 0x123, 2);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(0x123 * 8, b->r.req.io.sector);
	EXPECT_EQ(8192, b->r.req.io.bytes);
	EXPECT(!b->write);
	iob_rw(b, NV_CMD_READ, 1, 0x20000 / 8 - 1, 1);
	EXPECT_EQ(0, iob_parse(b));
	iob_rw(b, NV_CMD_READ, 1, 0x20000 / 8, 1);
	EXPECT_STATUS(b, NV_SC_LBA_RANGE);
	iob_free(b);
}

TEST(io_range, "blocks beyond the end, whatever overflows")
{
	static const struct {
		u64 lba;
		u32 nlb;
	} bad[] = {
		{ 0x20000, 1 }, { 0x1ffff, 2 }, { ~0ULL, 1 }, { ~0ULL, 65536 },
		{ ~0ULL - 7, 8 }, { 1ULL << 55, 1 }, { 1ULL << 63, 256 },
	};
	static const u8 opcodes[] = {
		NV_CMD_READ, NV_CMD_WRITE, NV_CMD_COMPARE, NV_CMD_WRITE_ZEROES,
		NV_CMD_VERIFY,
	};
	struct iob *b = iob_new();
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (k = 0; k < ARRAY_SIZE(opcodes); k++) {
			iob_rw(b, opcodes[k], 1, bad[i].lba, bad[i].nlb);
			EXPECT_STATUS(b, NV_SC_LBA_RANGE);
			EXPECT_EQ(0, b->nr_maps);
		}
	}
	iob_rw(b, NV_CMD_READ, 1, 0x1ffff, 1);
	EXPECT_EQ(0, iob_parse(b));
	iob_free(b);
}

TEST(io_mdts, "more data than MDTS allows is a wrong field")
{
	struct iob *b = iob_new();
	unsigned int i;

	for (i = 0; i < 256; i++)
		*(__le64 *)(nb_page(b->b, 1) + 8 * i) =
			cpu_to_le64(0x5000000 + i * 0x2000);
	iob_rw(b, NV_CMD_READ, 1, 0, 2048);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(NV_MAX_DATA, b->r.req.io.bytes);
	EXPECT_EQ(256, b->nr_maps);
	iob_rw(b, NV_CMD_READ, 1, 0, 2049);
	EXPECT_STATUS(b, NV_SC_FIELD);
	iob_rw(b, NV_CMD_COMPARE, 1, 0, 2049);
	EXPECT_STATUS(b, NV_SC_FIELD);
	/* What moves no data may be longer. */
	iob_rw(b, NV_CMD_WRITE_ZEROES, 1, 0, 65536);
	EXPECT_EQ(0, iob_parse(b));
	iob_rw(b, NV_CMD_VERIFY, 1, 0, 65536);
	EXPECT_EQ(2, iob_parse(b));
	iob_free(b);
}

TEST(io_nsid, "namespaces that cannot be, and that are not")
{
	struct iob *b = iob_new();

	iob_rw(b, NV_CMD_READ, 0, 0, 1);
	EXPECT_STATUS(b, NV_SC_NS);
	iob_rw(b, NV_CMD_READ, NV_NSID_ALL, 0, 1);
	EXPECT_STATUS(b, NV_SC_NS);
	iob_rw(b, NV_CMD_READ, NV_MAX_NS + 1, 0, 1);
	EXPECT_STATUS(b, NV_SC_NS);
	iob_rw(b, NV_CMD_READ, 3, 0, 1);
	EXPECT_STATUS(b, NV_SC_FIELD);
	iob_cmd(b, NV_CMD_FLUSH, NV_NSID_ALL);
	EXPECT_STATUS(b, NV_SC_NS);
	iob_free(b);
}

TEST(io_opcodes, "opcodes that are not offered are refused")
{
	struct iob *b = iob_new();
	unsigned int i;

	for (i = 0; i < 256; i++) {
		if (nv_io_knows(i))
			continue;
		iob_rw(b, i, 1, 0, 1);
		EXPECT_STATUS(b, NV_SC_OPCODE);
	}
	EXPECT(!nv_io_knows(NV_CMD_WRITE_UNC));
	iob_free(b);
}

TEST(io_fua, "FUA, a cache that is switched off, a unit without one")
{
	struct iob *b = iob_new();

	iob_rw(b, NV_CMD_WRITE, 1, 0, 1);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(0, b->r.req.io.flags);
	b->r.cmd.sqe.cdw12 |= cpu_to_le32(NV_RW_FUA);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(VT_IO_FUA, b->r.req.io.flags);
	b->b->c.feat.vwc = 0;
	iob_rw(b, NV_CMD_WRITE, 1, 0, 1);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(VT_IO_FUA, b->r.req.io.flags);
	b->b->c.feat.vwc = 1;
	b->b->unit[0].flags = VHOST_TARGET_UNIT_F_WRITETHROUGH;
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(VT_IO_FUA, b->r.req.io.flags);
	/* A read has nothing to be put on storage. */
	iob_rw(b, NV_CMD_READ, 1, 0, 1)->cdw12 |= cpu_to_le32(NV_RW_FUA);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(0, b->r.req.io.flags);
	iob_free(b);
}

TEST(io_protected, "what writes is refused by a read-only namespace")
{
	static const u8 opcodes[] = {
		NV_CMD_WRITE, NV_CMD_WRITE_ZEROES, NV_CMD_DSM, NV_CMD_COPY,
	};
	struct iob *b = iob_new();
	unsigned int i;

	b->b->unit[0].flags = VHOST_TARGET_UNIT_F_RO;
	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		iob_rw(b, opcodes[i], 1, 0, 1);
		EXPECT_STATUS(b, NV_SC_NS_WRITE_PROTECTED);
	}
	iob_rw(b, NV_CMD_READ, 1, 0, 1);
	EXPECT_EQ(0, iob_parse(b));
	iob_rw(b, NV_CMD_COMPARE, 1, 0, 1);
	EXPECT_EQ(2, iob_parse(b));
	iob_free(b);
}

TEST(io_zeroes, "write zeroes: one range, which may be deallocated if wished")
{
	struct iob *b = iob_new();
	struct nv_sqe *sqe = iob_rw(b, NV_CMD_WRITE_ZEROES, 1, 8, 16);

	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(VT_OP_WRITE_ZEROES, b->r.req.io.op);
	EXPECT_EQ(1, b->r.req.io.nr_ranges);
	EXPECT_EQ(8, b->r.req.ranges[0].sector);
	EXPECT_EQ(16, b->r.req.ranges[0].nr_sectors);
	EXPECT_EQ(0, b->r.req.ranges[0].flags);
	sqe->cdw12 |= cpu_to_le32(NV_RW_DEAC);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(VT_RANGE_UNMAP, b->r.req.ranges[0].flags);
	b->b->unit[0].be->limits.max_discard_sectors = 0;
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(0, b->r.req.ranges[0].flags);
	EXPECT_EQ(0, b->r.req.io.flags);
	sqe->cdw12 |= cpu_to_le32(NV_RW_FUA);
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(VT_IO_FUA, b->r.req.io.flags);
	iob_free(b);
}

TEST(io_lists, "lists of ranges are mapped for the work item")
{
	struct iob *b = iob_new();
	struct nv_sqe *sqe = iob_cmd(b, NV_CMD_DSM, 1);

	sqe->cdw10 = cpu_to_le32(255);
	sqe->cdw11 = cpu_to_le32(NV_DSM_DEALLOCATE);
	EXPECT_EQ(2, iob_parse(b));
	EXPECT_EQ(4096, b->r.req.io.bytes);
	EXPECT_EQ(256, b->r.cmd.nlb);
	EXPECT(!b->write);
	sqe = iob_rw(b, NV_CMD_COPY, 1, 77, 1);
	sqe->cdw12 = cpu_to_le32(NV_COPY_RANGES - 1);
	EXPECT_EQ(2, iob_parse(b));
	EXPECT_EQ(NV_COPY_RANGES * 32, b->r.req.io.bytes);
	EXPECT_EQ(77, b->r.cmd.lba);
	sqe->cdw12 = cpu_to_le32(NV_COPY_RANGES);
	EXPECT_STATUS(b, NV_SC_SIZE_LIMIT);
	sqe->cdw12 = cpu_to_le32(1 << 8);
	EXPECT_STATUS(b, NV_SC_FIELD);
	iob_free(b);
}

TEST(io_bucket, "bit buckets of a read lead nowhere, page by page")
{
	struct iob *b = iob_new();
	struct nv_sqe *sqe = iob_rw(b, NV_CMD_READ, 1, 0, 20);

	sqe->flags = 1 << 6;
	sqe->sgl = (struct nv_sgl) {
		.len = cpu_to_le32(20 * 512), .type = NV_SGL_BUCKET,
	};
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(3, b->nr_maps);
	EXPECT_EQ(20 * 512, b->r.req.io.bytes);
	/* In the middle of it there is no memory to note another page. */
	b->map_err = -EAGAIN;
	b->map_at = 1;
	EXPECT_EQ(-EAGAIN, iob_parse(b));
	EXPECT_EQ(2, b->nr_maps);
	b->map_err = 0;
	/* For a write it is no data. */
	b->r.cmd.sqe.opcode = NV_CMD_WRITE;
	EXPECT_STATUS(b, NV_SC_SGL_LENGTH);
	iob_free(b);
}

TEST(io_whole, "pieces of an SGL do not cut a write that is promised to be whole")
{
	struct iob *b = iob_new();
	struct nv_sqe *sqe = iob_rw(b, NV_CMD_WRITE, 1, 8, 8);
	struct nv_sgl *list = (void *)nb_page(b->b, 0);

	list[0] = (struct nv_sgl) {
		.addr = cpu_to_le64(NB_ADDR(2)), .len = cpu_to_le32(512),
	};
	list[1] = (struct nv_sgl) {
		.addr = cpu_to_le64(NB_ADDR(4)), .len = cpu_to_le32(3584),
	};
	sqe->flags = 1 << 6;
	sqe->sgl = (struct nv_sgl) {
		.addr = cpu_to_le64(NB_ADDR(0)), .len = cpu_to_le32(32),
		.type = NV_SGL_LAST,
	};
	b->r.req.len_bits = 0;
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(0, b->r.req.len_bits);
	b->b->unit[0].be->limits.atomic_bytes = 4096;
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(1, b->r.req.len_bits);
	/* Whatever is longer, and what PRPs can say. */
	b->r.req.len_bits = 0;
	b->b->unit[0].be->limits.atomic_bytes = 2048;
	EXPECT_EQ(0, iob_parse(b));
	b->b->unit[0].be->limits.atomic_bytes = 4096;
	iob_rw(b, NV_CMD_WRITE, 1, 8, 8)->prp1 = cpu_to_le64(NB_ADDR(0) + 512);
	b->r.cmd.sqe.prp2 = cpu_to_le64(NB_ADDR(9));
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(2, b->r.req.io.nr_bv);
	EXPECT_EQ(0, b->r.req.len_bits);
	iob_free(b);
}

TEST(io_waits, "what can be had later is waited for, with nothing left behind")
{
	static const int errs[] = { -EAGAIN, -ENOBUFS };
	struct iob *b = iob_new();
	unsigned int i;

	b->map_at = 1;
	for (i = 0; i < ARRAY_SIZE(errs); i++) {
		iob_rw(b, NV_CMD_READ, 1, 0, 16)->prp2 = cpu_to_le64(NB_ADDR(5));
		b->map_err = errs[i];
		EXPECT_EQ(errs[i], iob_parse(b));
		EXPECT_EQ(1, b->released);
	}
	b->map_err = -E2BIG;
	EXPECT_STATUS(b, NV_SC_SGL_COUNT);
	b->map_err = -EFAULT;
	EXPECT_STATUS(b, NV_SC_DATA_XFER);
	EXPECT_EQ(1, b->released);
	iob_free(b);
}

TEST(io_status, "what the backend says has a status each")
{
	static const struct {
		blk_status_t blk;
		u16 read, write;
	} map[] = {
		{ BLK_STS_IOERR, NV_SC_READ_ERROR, NV_SC_WRITE_FAULT },
		{ BLK_STS_MEDIUM, NV_SC_READ_ERROR, NV_SC_WRITE_FAULT },
		{ BLK_STS_TIMEOUT, NV_SC_READ_ERROR, NV_SC_WRITE_FAULT },
		{ BLK_STS_NOTSUPP, NV_SC_OPCODE, NV_SC_OPCODE },
		{ BLK_STS_OFFLINE, NV_SC_NS_NOT_READY, NV_SC_NS_NOT_READY },
		{ BLK_STS_NOSPC, NV_SC_CAPACITY_EXCEEDED,
		  NV_SC_CAPACITY_EXCEEDED },
		{ BLK_STS_RESV_CONFLICT, NV_SC_RESV_CONFLICT,
		  NV_SC_RESV_CONFLICT },
		{ BLK_STS_PROTECTION, NV_SC_GUARD, NV_SC_GUARD },
	};
	struct iob *b = iob_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		iob_rw(b, NV_CMD_READ, 1, 0, 1);
		EXPECT_EQ(0, iob_parse(b));
		b->r.req.io.status = map[i].blk;
		EXPECT_EQ(SC(map[i].read), nv_io_status(&b->r.req));
		iob_rw(b, NV_CMD_WRITE, 1, 0, 1);
		EXPECT_EQ(0, iob_parse(b));
		b->r.req.io.status = map[i].blk;
		EXPECT_EQ(SC(map[i].write), nv_io_status(&b->r.req));
	}
	/* It may be tried again. */
	b->r.req.io.status = BLK_STS_RESOURCE;
	EXPECT_EQ(NV_SC_INTERNAL, nv_io_status(&b->r.req));
	iob_free(b);
}

TEST(io_fused, "a Compare and a Write of the same blocks")
{
	struct nv_sqe c = { .opcode = NV_CMD_COMPARE, .nsid = 1 }, w = c;

	w.opcode = NV_CMD_WRITE;
	EXPECT_EQ(0, nv_io_fused(&c, &w));
	w.cdw12 = cpu_to_le32(NV_RW_FUA);
	EXPECT_EQ(0, nv_io_fused(&c, &w));
	EXPECT_EQ(SC(NV_SC_FIELD), nv_io_fused(&w, &c));
	w.cdw12 = cpu_to_le32(1);
	EXPECT_EQ(SC(NV_SC_FIELD), nv_io_fused(&c, &w));
	c.cdw12 = w.cdw12 = cpu_to_le32(NV_ACWU);
	EXPECT_EQ(0, nv_io_fused(&c, &w));
	c.cdw12 = w.cdw12 = cpu_to_le32(NV_ACWU + 1);
	EXPECT_EQ(SC(NV_SC_FIELD), nv_io_fused(&c, &w));
	c.cdw12 = w.cdw12 = 0;
	w.cdw11 = cpu_to_le32(1);
	EXPECT_EQ(SC(NV_SC_FIELD), nv_io_fused(&c, &w));
	w.cdw11 = 0;
	w.nsid = cpu_to_le32(2);
	EXPECT_EQ(SC(NV_SC_FIELD), nv_io_fused(&c, &w));
}

TEST(io_flags, "a half of a fused operation and reserved pointers are refused")
{
	struct iob *b = iob_new();

	iob_rw(b, NV_CMD_READ, 1, 0, 1)->flags = 3 << 6;
	EXPECT_STATUS(b, NV_SC_FIELD);
	iob_rw(b, NV_CMD_READ, 1, 0, 1)->flags = 3;
	EXPECT_STATUS(b, NV_SC_FIELD);
	iob_rw(b, NV_CMD_COMPARE, 1, 0, 1)->flags = 1;
	EXPECT_STATUS(b, NV_SC_FUSED_MISSING);
	iob_rw(b, NV_CMD_WRITE, 1, 0, 1)->flags = 2;
	EXPECT_STATUS(b, NV_SC_FUSED_MISSING);
	iob_free(b);
}

TEST(io_rights, "commands need the rights that a reservation leaves")
{
	static const u8 reads[] = { NV_CMD_READ, NV_CMD_COMPARE, NV_CMD_VERIFY };
	static const u8 writes[] = {
		NV_CMD_WRITE, NV_CMD_FLUSH, NV_CMD_WRITE_ZEROES, NV_CMD_DSM,
		NV_CMD_COPY,
	};
	static const u8 resv[] = {
		NV_CMD_RESV_REGISTER, NV_CMD_RESV_REPORT, NV_CMD_RESV_ACQUIRE,
		NV_CMD_RESV_RELEASE,
	};
	struct iob *b = iob_new();
	unsigned int i;

	b->b->ns[0].resv.may = VT_RESV_READ;
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		iob_rw(b, writes[i], 1, 0, 1);
		EXPECT_STATUS(b, NV_SC_RESV_CONFLICT);
	}
	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		iob_rw(b, reads[i], 1, 0, 1);
		EXPECT(iob_parse(b) != 1);
	}
	b->b->ns[0].resv.may = 0;
	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		iob_rw(b, reads[i], 1, 0, 1);
		EXPECT_STATUS(b, NV_SC_RESV_CONFLICT);
	}
	for (i = 0; i < ARRAY_SIZE(resv); i++) {
		iob_cmd(b, resv[i], 1);
		EXPECT_EQ(2, iob_parse(b));
	}
	/* The other namespace is not concerned. */
	iob_rw(b, NV_CMD_WRITE, 2, 0, 1);
	EXPECT_EQ(0, iob_parse(b));
	iob_cmd(b, NV_CMD_RESV_REPORT, 1)->cdw10 = cpu_to_le32(~0u);
	EXPECT_STATUS(b, NV_SC_FIELD);
	iob_free(b);
}
