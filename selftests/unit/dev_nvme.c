// SPDX-License-Identifier: GPL-2.0
/*
 * An NVMe controller with its queues: fused commands, commands of many steps,
 * interrupts, doorbells, what is wrong when it is enabled.
 */
#include <string.h>

#include <linux/err.h>
#include <linux/sizes.h>

#include "nvme_dev.h"
#include "shim/hook.h"
#include "unit.h"

static void ready(u8 disk0)
{
	nd_open(disk0, 0);
	nd_enable();
	nd_make_queues(1);
}

static void put(u32 page, u8 byte, u32 len)
{
	u8 buf[PAGE_SIZE];

	memset(buf, byte, sizeof(buf));
	fc_write(nd_data(page), buf, len);
}

static struct nv_sqe rw(u8 opcode, u8 flags, u32 lba, u32 nlb, u64 prp1)
{
	return (struct nv_sqe) {
		.opcode = opcode, .flags = flags, .cid = nd.cid++,
		.nsid = cpu_to_le32(1), .prp1 = cpu_to_le64(prp1),
		.mptr = cpu_to_le64(nd_data(8)),
		.cdw10 = cpu_to_le32(lba), .cdw12 = cpu_to_le32(nlb - 1),
	};
}

static struct nv_cqe cqe(unsigned int id, u32 at)
{
	struct nv_cqe e;

	fc_read(ND_PAGE(ND_CQ(id)) + at * sizeof(e), &e, sizeof(e));
	return e;
}

static u16 sc(const struct nv_cqe *e)
{
	return (le16_to_cpu(e->status) >> 1) & NV_SC_MASK;
}

/* Compare and Write: statuses of both. */
static void fused(u32 lba, u32 write_lba, u32 nlb, u16 *first, u16 *second)
{
	u32 at = nd.head[1];
	struct nv_sqe c = rw(NV_CMD_COMPARE, NV_FUSE_FIRST, lba, nlb,
			     nd_data(0));
	struct nv_sqe w = rw(NV_CMD_WRITE, NV_FUSE_SECOND, write_lba, nlb,
			     nd_data(1));
	struct nv_cqe e;

	nd_submit(1, &c, false);
	nd_submit(1, &w, true);
	fc_settle();
	e = cqe(1, at);
	EXPECT_EQ(c.cid, e.cid);
	*first = sc(&e);
	e = cqe(1, (at + 1) % ND_ENTRIES);
	EXPECT_EQ(w.cid, e.cid);
	*second = sc(&e);
	nd_serve();
}

TEST(fused_pair, "a fused pair writes if what it compares is the same")
{
	u16 a, b;

	ready(0);
	put(0, 0x11, 512);
	put(1, 0x22, 512);
	fused(8, 8, 1, &a, &b);
	EXPECT_EQ(0, a);
	EXPECT_EQ(0, b);
	EXPECT_EQ(0x22, fc.disk[0].data[8 * 512]);
	/* Now it is not. */
	fused(8, 8, 1, &a, &b);
	EXPECT_EQ(NV_SC_COMPARE, a);
	EXPECT_EQ(NV_SC_FUSED_FAIL, b);
	/* Nor are these a pair. */
	fused(8, 9, 1, &a, &b);
	EXPECT_EQ(NV_SC_FIELD, a);
	EXPECT_EQ(NV_SC_FUSED_FAIL, b);
	EXPECT_EQ(0x22, fc.disk[0].data[8 * 512]);
	nd_end();
}

TEST(fused_pi, "a fused pair of a protected namespace, with tuples made by PRACT")
{
	struct nv_sqe c, w;
	u32 at;

	ready(32);
	put(0, 0x11, 512);
	put(1, 0x22, 512);
	/* The medium's tuples are not to be checked. */
	at = nd.head[1];
	c = rw(NV_CMD_COMPARE, NV_FUSE_FIRST, 8, 1, nd_data(0));
	w = rw(NV_CMD_WRITE, NV_FUSE_SECOND, 8, 1, nd_data(1));
	w.cdw12 = cpu_to_le32(8 << 26);
	w.cdw14 = cpu_to_le32(8);
	w.cdw15 = cpu_to_le32(0x1234);
	nd_submit(1, &c, false);
	nd_submit(1, &w, true);
	fc_settle();
	for (; at < nd.n->cq[0].r.tail; at++) {
		struct nv_cqe e = cqe(1, at);

		EXPECT_EQ(0, sc(&e));
	}
	EXPECT_EQ(0x22, fc.disk[0].data[8 * 512]);
	EXPECT_EQ(8, be32_to_cpu(fc.disk[0].tuples[8].ref));
	EXPECT_EQ(0x1234, be16_to_cpu(fc.disk[0].tuples[8].app));
	nd_serve();
	nd_end();
}

TEST(fused_waits, "a fused pair waits for memory, for a copy, for room")
{
	struct nv_sqe c, w;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		ready(2);
		put(0, 0x11, 1024);
		put(1, 0x22, 1024);
		c = rw(NV_CMD_COMPARE, NV_FUSE_FIRST, 8, 1, nd_data(0) + 512);
		w = rw(NV_CMD_WRITE, NV_FUSE_SECOND, 8, 1, nd_data(1) + 16);
		if (i == 0)
			fc_lose(ND_DATA, false);
		else if (i == 1)
			fc_lose(ND_DATA + 1, false);
		else
			shim_no_memory = 1;
		nd_submit(1, &c, false);
		nd_submit(1, &w, true);
		fc_poll();
		EXPECT_EQ(0, nd.accepted);
		fc_settle();
		EXPECT_EQ(2, nd.ended);
		EXPECT_EQ(0x22, fc.disk[0].data[8 * 512]);
		nd_serve();
		nd_end();
	}
}

/* Big tables that a queue has left. */
static unsigned int free_tables(unsigned int id)
{
	const struct vt_bvecs *big = nd.n->cq[id - 1].q.free_big;
	unsigned int n = 0;

	for (; big; big = big->next)
		n++;
	return n;
}

TEST(fused_undone, "half a pair that is no pair is undone if the other has to wait")
{
	struct nv_sqe r, w;
	__le64 list[20];
	unsigned int i, tables;

	ready(32);
	tables = free_tables(1);
	/* A Read of many pieces, with its metadata, cannot be the first. */
	for (i = 0; i < 20; i++)
		list[i] = cpu_to_le64(nd_data(i % 4 * 2 + 10));
	fc_write(ND_PAGE(ND_LIST), list, sizeof(list));
	r = rw(NV_CMD_READ, NV_FUSE_FIRST, 0, 160, nd_data(9));
	r.prp2 = cpu_to_le64(ND_PAGE(ND_LIST));
	/* With all of the checks, which the device does. */
	r.cdw12 |= cpu_to_le32(5 << 26);
	w = rw(NV_CMD_WRITE, NV_FUSE_SECOND, 0, 1, nd_data(1));
	w.cdw12 |= cpu_to_le32(8 << 26);
	fc_lose(ND_DATA + 1, false);
	nd_submit(1, &r, false);
	nd_submit(1, &w, true);
	fc_settle();
	EXPECT_EQ(2, nd.ended);
	EXPECT_EQ(0, fc.nr_pi);
	EXPECT_EQ(tables, free_tables(1));
	nd_serve();
	nd_end();
}

/* A queue of three entries has room for two commands under way. */
static void make_small_queue(void)
{
	nd_admin(NV_ADM_CREATE_CQ, 0, ND_PAGE(ND_CQ(2)), 2 << 16 | 2,
		 2 << 16 | NV_CQ_IEN | NV_Q_PC);
	nd_admin(NV_ADM_CREATE_SQ, 0, ND_PAGE(ND_SQ(2)), 31 << 16 | 2,
		 2 << 16 | NV_Q_PC);
	nd_serve();
}

TEST(fused_room, "a fused pair needs two entries of the completion queue")
{
	struct nv_sqe r, c, w;

	ready(0);
	make_small_queue();
	fc.holds = true;
	r = rw(NV_CMD_READ, 0, 0, 1, nd_data(2));
	nd_submit(2, &r, true);
	fc_poll();
	EXPECT_EQ(1, nd.accepted);
	put(0, 0x11, 512);
	c = rw(NV_CMD_COMPARE, NV_FUSE_FIRST, 8, 1, nd_data(0));
	w = rw(NV_CMD_WRITE, NV_FUSE_SECOND, 8, 1, nd_data(1));
	nd_submit(2, &c, false);
	nd_submit(2, &w, true);
	fc_poll();
	EXPECT_EQ(1, nd.accepted);
	EXPECT_EQ(1, fc_end_io(1));
	fc.holds = false;
	fc_settle();
	/* Ended, but not taken by the driver: nothing to look at until it is. */
	EXPECT_EQ(1, nd.accepted);
	EXPECT(fc_asleep());
	nd_ring(2 * 2 + 1, 1);
	fc_settle();
	EXPECT_EQ(3, nd.accepted);
	EXPECT_EQ(3, nd.ended);
	nd_end();
}

TEST(cq_overrun, "a head doorbell that is out of range is told, and left alone")
{
	u64 bad;

	ready(0);
	make_small_queue();
	bad = vt_nvme_bad_writes(nd.n);
	nd_doorbell(2 * 2 + 1, 7);
	/* Two commands use it up; then it is looked at. */
	for (unsigned int i = 0; i < 3; i++) {
		struct nv_sqe r = rw(NV_CMD_READ, 0, 0, 1, nd_data(2));

		nd_submit(2, &r, true);
		fc_settle();
	}
	EXPECT_EQ(2, nd.ended);
	EXPECT(vt_nvme_bad_writes(nd.n) > bad);
	nd_ring(2 * 2 + 1, 2);
	fc_settle();
	EXPECT_EQ(3, nd.ended);
	nd_end();
}

TEST(sq_overrun, "so is a tail doorbell; the queue goes on with the next good one")
{
	u64 bad;

	ready(0);
	bad = vt_nvme_bad_writes(nd.n);
	nd_doorbell(2, ND_ENTRIES);
	fc_settle();
	EXPECT_EQ(bad + 1, vt_nvme_bad_writes(nd.n));
	EXPECT_EQ(0, nd.accepted);
	/* The same once more is not told of again. */
	nd_doorbell(2, ND_ENTRIES);
	fc_settle();
	EXPECT_EQ(bad + 1, vt_nvme_bad_writes(nd.n));
	nd_doorbell(2, 0xffffffff);
	fc_settle();
	EXPECT_EQ(bad + 2, vt_nvme_bad_writes(nd.n));
	EXPECT_EQ(0, nd_io(NV_CMD_READ, 0, 0, 0, nd_data(2)));
	EXPECT_EQ(1, nd.ended);
	nd_end();
}

/* Of two queues with four commands each: whose were accepted, in order? */
static u32 taken_in_turn(u32 ab)
{
	u32 order = 0, at;
	unsigned int i;

	ready(0);
	nd_admin(NV_ADM_CREATE_SQ, 0, ND_PAGE(ND_SQ(2)), 31 << 16 | 2,
		 1 << 16 | NV_Q_PC);
	nd_admin(NV_ADM_SET_FEATURES, 0, 0, NV_FEAT_ARBITRATION, ab);
	nd_serve();
	at = nd.head[1];
	for (i = 0; i < 4; i++) {
		struct nv_sqe r1 = rw(NV_CMD_READ, 0, 0, 1, nd_data(2));
		struct nv_sqe r2 = rw(NV_CMD_READ, 0, 0, 1, nd_data(2));

		nd_submit(1, &r1, false);
		nd_submit(2, &r2, false);
	}
	nd_doorbell(2, nd.tail[1]);
	nd_doorbell(4, nd.tail[2]);
	fc_settle();
	EXPECT_EQ(8, nd.ended);
	for (i = 0; i < 8; i++) {
		struct nv_cqe e = cqe(1, (at + i) % ND_ENTRIES);

		order = order << 4 | le16_to_cpu(e.sqid);
	}
	nd_serve();
	nd_end();
	return order;
}

TEST(arbitration, "queues that share a completion queue take turns as the burst says")
{
	u32 one = taken_in_turn(0), two = taken_in_turn(1);
	u32 all = taken_in_turn(7);

	EXPECT_MSG(one == 0x12121212 || one == 0x21212121, "%x", one);
	EXPECT_MSG(two == 0x11221122 || two == 0x22112211, "%x", two);
	EXPECT_MSG(all == 0x11112222 || all == 0x22221111, "%x", all);
}

TEST(copy, "Copy: one range after the other, none if one is not possible")
{
	struct nv_copy_range r[2] = {
		{ .slba = cpu_to_le64(0), .nlb = cpu_to_le16(3) },
		{ .slba = cpu_to_le64(16), .nlb = cpu_to_le16(3) },
	};

	ready(0);
	memset(fc.disk[0].data, 0xa1, 4 * 512);
	memset(fc.disk[0].data + 16 * 512, 0xa2, 4 * 512);
	fc_write(nd_data(0), r, sizeof(r));
	EXPECT_EQ(0, nd_io(NV_CMD_COPY, 64, 0, 1, nd_data(0)));
	EXPECT_EQ(0xa1, fc.disk[0].data[64 * 512]);
	EXPECT_EQ(0xa2, fc.disk[0].data[71 * 512]);
	/* Larger than a range may be; beyond the end. */
	r[1].slba = 0;
	r[1].nlb = cpu_to_le16(0x7ff);
	fc_write(nd_data(0), r, sizeof(r));
	EXPECT_EQ(0, nd_io(NV_CMD_COPY, 0, 0, 0, nd_data(0)));
	EXPECT_EQ(NV_SC_LBA_RANGE | NV_SC_DNR | NV_SC_MORE,
		  nd_io(NV_CMD_COPY, 0, 0, 1, nd_data(0)));
	r[1].nlb = cpu_to_le16(0xffff);
	fc_write(nd_data(0), r, sizeof(r));
	EXPECT_EQ(NV_SC_LBA_RANGE | NV_SC_DNR | NV_SC_MORE,
		  nd_io(NV_CMD_COPY, 128, 0, 1, nd_data(0)));
	nd_end();
}

/* What a disk of this size never comes to. */
TEST(copy_limits, "Copy: ranges that are too long, or too long together")
{
	struct nv_copy_range r[128];
	unsigned int i;

	ready(0);
	fc.disk[0].be.limits.sectors = 1 << 24;
	for (i = 0; i < 128; i++)
		r[i] = (struct nv_copy_range) { .nlb = cpu_to_le16(0x7ff) };
	fc_write(nd_data(0), r, sizeof(r));
	r[0].nlb = cpu_to_le16(0x800);
	fc_write(nd_data(2), r, sizeof(r[0]));
	EXPECT_EQ(NV_SC_SIZE_LIMIT | NV_SC_DNR | NV_SC_MORE,
		  nd_io(NV_CMD_COPY, 0, 0, 0, nd_data(2)));
	EXPECT_EQ(NV_SC_SIZE_LIMIT | NV_SC_DNR | NV_SC_MORE,
		  nd_io(NV_CMD_COPY, 0, 0, 127, nd_data(0)));
	fc.disk[0].be.limits.sectors = FC_SECTORS;
	nd_end();
}

TEST(copy_fails, "Copy: the first range that was not copied is told")
{
	struct nv_copy_range r[2] = { { .slba = 0 }, { .slba = 0 } };
	struct nv_cqe e;
	u32 at;

	ready(0);
	fc_write(nd_data(0), r, sizeof(r));
	at = nd.head[1];
	fc.fails = 1;
	EXPECT(nd_io(NV_CMD_COPY, 64, 0, 1, nd_data(0)));
	e = cqe(1, at);
	EXPECT_EQ(0, le32_to_cpu(e.dw0));
	EXPECT_EQ(NV_SC_READ_ERROR, sc(&e));
	nd_end();
}

/* Once @left more I/Os were done, one fails. */
static unsigned int left;

static void fail_later(void)
{
	if (left--)
		return;
	fc.on_submit = NULL;
	fc.fails = 1;
}

static u16 failing(u8 opcode, u32 nlb, unsigned int ok, u32 more)
{
	left = ok;
	fc.on_submit = fail_later;
	return nd_io(opcode, 64, 0, (nlb - 1) | more, nd_data(0)) & NV_SC_MASK;
}

TEST(slow_fails, "what could not be read is told apart from what could not be written")
{
	struct nv_copy_range r = { .slba = 0 };
	u16 a, b;

	ready(0);
	EXPECT_EQ(NV_SC_READ_ERROR, failing(NV_CMD_COMPARE, 1, 0, 0));
	EXPECT_EQ(NV_SC_READ_ERROR, failing(NV_CMD_VERIFY, 1, 0, 0));
	fc_write(nd_data(0), &r, sizeof(r));
	EXPECT_EQ(NV_SC_READ_ERROR, failing(NV_CMD_COPY, 1, 0, 0));
	EXPECT_EQ(NV_SC_WRITE_FAULT, failing(NV_CMD_COPY, 1, 1, 0));
	EXPECT_EQ(NV_SC_WRITE_FAULT,
		  failing(NV_CMD_WRITE_ZEROES, 1, 0, NV_RW_FUA));
	/* The second of a pair, which writes. */
	put(0, 0x11, 512);
	left = 1;
	fc.on_submit = fail_later;
	fused(8, 8, 1, &a, &b);
	EXPECT_EQ(0, a);
	EXPECT_EQ(NV_SC_WRITE_FAULT, b);
	nd_end();
	ready(32);
	EXPECT_EQ(NV_SC_READ_ERROR, failing(NV_CMD_VERIFY, 1, 0, 0));
	EXPECT_EQ(NV_SC_WRITE_FAULT, failing(NV_CMD_WRITE_ZEROES, 1, 0, 0));
	nd_end();
}

static blk_status_t io_status;

static blk_status_t end_io(const struct vt_io *io)
{
	(void)io;
	return io_status;
}

static u64 media_errors(void)
{
	struct nv_log_smart log;

	nd_admin(NV_ADM_GET_LOG, 0, nd_data(4), 127 << 16 | NV_LOG_SMART, 0);
	EXPECT_EQ(0, nd_status(0));
	fc_read(nd_data(4), &log, sizeof(log));
	return le64_to_cpu(log.media_errors[0]);
}

static void expect_media_error(blk_status_t st, u8 opcode, bool counts)
{
	u64 before = media_errors();

	io_status = st;
	fc.on_io = end_io;
	EXPECT(nd_io(opcode, 0, 0, 0, nd_data(0)));
	fc.on_io = NULL;
	EXPECT_EQ(before + counts, media_errors());
}

TEST(media_errors_counted, "SMART counts errors of media and data, and no others")
{
	static const struct {
		blk_status_t st;
		bool counts;
	} map[] = {
		{ BLK_STS_IOERR, true }, { BLK_STS_MEDIUM, true },
		{ BLK_STS_PROTECTION, true }, { BLK_STS_NOTSUPP, false },
		{ BLK_STS_OFFLINE, false }, { BLK_STS_NOSPC, false },
		{ BLK_STS_RESV_CONFLICT, false }, { BLK_STS_RESOURCE, false },
	};
	unsigned int i;

	ready(0);
	for (i = 0; i < ARRAY_SIZE(map); i++) {
		expect_media_error(map[i].st, NV_CMD_READ, map[i].counts);
		expect_media_error(map[i].st, NV_CMD_WRITE, map[i].counts);
		expect_media_error(map[i].st, NV_CMD_VERIFY, map[i].counts);
	}
	/* What is read is not what it is compared with. */
	put(0, 0x22, 512);
	expect_media_error(BLK_STS_OK, NV_CMD_COMPARE, false);
	nd_end();
	ready(32);
	fc.disk[0].tuples[8].guard ^= 1;
	fc.disk[0].tuples[8].app = 0;
	EXPECT_EQ(0, media_errors());
	EXPECT_EQ(NV_SC_GUARD, nd_io(NV_CMD_VERIFY, 8, 0, 4 << 26, 0) &
		  NV_SC_MASK);
	EXPECT_EQ(1, media_errors());
	nd_end();
}

/* What a page has that alloc_page() of the shim did not zero. */
#define OLD	0xa5

TEST(slow_null, "a backend that fills nothing tells nothing of the kernel's memory")
{
	struct nv_copy_range r = { .slba = 0 };
	u8 data[512];

	ready(0);
	fc.fills_nothing = true;
	put(1, OLD, 512);
	EXPECT_EQ(NV_SC_COMPARE, nd_io(NV_CMD_COMPARE, 8, 0, 0, nd_data(1)) &
		  NV_SC_MASK);
	fc_write(nd_data(0), &r, sizeof(r));
	EXPECT_EQ(0, nd_io(NV_CMD_COPY, 64, 0, 0, nd_data(0)));
	EXPECT_EQ(0, fc.disk[0].data[64 * 512]);
	nd_end();
	/* A Read whose tuples are not checked. */
	ready(32);
	fc.fills_nothing = true;
	EXPECT_EQ(0, nd_io(NV_CMD_READ, 8, 0, 0, nd_data(1)));
	fc_read(nd_data(1), data, sizeof(data));
	EXPECT_EQ(0, data[0]);
	nd_end();
}

#define MANY	20

/* Returns: how many were taken. */
static unsigned int offer(u8 opcode, u32 nlb, unsigned int nr)
{
	unsigned int before = nd.accepted;
	struct nv_sqe s;

	while (nr--) {
		s = rw(opcode, 0, 0, nlb, nd_data(0));
		nd_submit(1, &s, !nr);
	}
	fc_poll();
	return nd.accepted - before;
}

static void expect_all_end(void)
{
	nd_serve();
	EXPECT_EQ(nd.tail[1], nd.n->sq[0].r.head);
	EXPECT_EQ(nd.accepted, nd.ended);
	EXPECT_EQ(0, nd.n->cq[0].q.copied);
}

TEST(slow_memory, "commands of a work item have 16 MiB of buffers for a queue")
{
	struct nv_copy_range r = { .nlb = cpu_to_le16(7) };
	unsigned int pages;

	ready(0);
	EXPECT_EQ(16, offer(NV_CMD_VERIFY, 2048, MANY));
	expect_all_end();
	/* How long a Copy's ranges are is not known yet. */
	fc_write(nd_data(0), &r, sizeof(r));
	EXPECT_EQ(16, offer(NV_CMD_COPY, 1, MANY));
	pages = shim_pages;
	expect_all_end();
	/* Then it is. */
	EXPECT_EQ(pages + MANY, shim_pages);
	nd_end();
}

TEST(slow_fused, "a fused pair whose second half has no room for its copy waits")
{
	struct nv_sqe c, w;
	__le64 list[33];
	unsigned int i;

	ready(2);
	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = cpu_to_le64(nd_data(2));
	fc_write(ND_PAGE(ND_LIST), list, sizeof(list));
	EXPECT_EQ(16, offer(NV_CMD_VERIFY, 1920, 16));
	EXPECT_EQ(1, offer(NV_CMD_VERIFY, 1792, 1));
	c = rw(NV_CMD_COMPARE, NV_FUSE_FIRST, 0, 256, nd_data(2));
	w = rw(NV_CMD_WRITE, NV_FUSE_SECOND, 0, 256, nd_data(2) + 16);
	c.prp2 = cpu_to_le64(ND_PAGE(ND_LIST));
	w.prp2 = c.prp2;
	nd_submit(1, &c, false);
	nd_submit(1, &w, true);
	fc_poll();
	EXPECT_EQ(17, nd.accepted);
	/* There is room for the first half's buffer, and no more. */
	EXPECT_EQ(SZ_16M - (128 << 10), nd.n->cq[0].q.copied);
	expect_all_end();
	nd_end();
}

TEST(discard_not, "Dataset Management with nothing to discard does nothing")
{
	struct nv_dsm_range d = { .nlb = cpu_to_le32(8) };

	ready(4);
	fc_write(nd_data(0), &d, sizeof(d));
	EXPECT_EQ(0, nd_io(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0, nd_data(0)));
	EXPECT_EQ(0x11, fc.disk[0].data[0]);
	nd_end();
	ready(0);
	fc_write(nd_data(0), &d, sizeof(d));
	EXPECT_EQ(0, nd_io(NV_CMD_DSM, 0, 0, 0, nd_data(0)));
	EXPECT_EQ(0x11, fc.disk[0].data[0]);
	/* The one who made it wants none. */
	fc.disk[0].unit.flags |= VHOST_TARGET_UNIT_F_NO_DISCARD;
	EXPECT_EQ(0, nd_io(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0, nd_data(0)));
	EXPECT_EQ(0x11, fc.disk[0].data[0]);
	fc.disk[0].unit.flags &= ~VHOST_TARGET_UNIT_F_NO_DISCARD;
	EXPECT_EQ(0, nd_io(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0, nd_data(0)));
	EXPECT_EQ(0, fc.disk[0].data[0]);
	nd_end();
}

TEST(resv_races, "a command that a work item does has its rights looked at again")
{
	struct nv_sqe c, w;
	struct nv_ns *ns;
	u32 at;

	ready(0);
	ns = nd.n->core.ns[0];
	at = nd.head[1];
	put(0, 0x11, 512);
	c = rw(NV_CMD_COMPARE, NV_FUSE_FIRST, 8, 1, nd_data(0));
	w = rw(NV_CMD_WRITE, NV_FUSE_SECOND, 8, 1, nd_data(1));
	nd_submit(1, &c, false);
	nd_submit(1, &w, true);
	fc_poll();
	EXPECT_EQ(2, nd.accepted);
	ns->resv.may = VT_RESV_READ;
	fc_settle();
	for (; at < nd.n->cq[0].r.tail; at++) {
		struct nv_cqe e = cqe(1, at);

		EXPECT_EQ(NV_SC_RESV_CONFLICT, sc(&e));
	}
	EXPECT_EQ(0x11, fc.disk[0].data[8 * 512]);
	ns->resv.may = VT_RESV_RW;
	nd_serve();
	nd_end();
}

/* Protection information that is not to be checked by the device. */

static u16 pi_io(u8 opcode, u32 lba, u32 nlb, u32 prinfo, u32 ref)
{
	struct nv_sqe s = rw(opcode, 0, lba, nlb, nd_data(0));

	s.cdw12 = cpu_to_le32((nlb - 1) | prinfo << 26);
	s.cdw14 = cpu_to_le32(ref);
	s.cdw15 = cpu_to_le32(0xffff0000);
	nd_submit(1, &s, true);
	return nd_status(1) & NV_SC_MASK;
}

TEST(pi_steps, "tuples that are made and checked here")
{
	struct nv_copy_range r = {
		.slba = cpu_to_le64(8), .nlb = cpu_to_le16(3),
		.eilbrt = cpu_to_le32(8), .elbatm = cpu_to_le16(0),
	};

	ready(32);
	put(0, 0x42, 2048);
	/* Made; then each check holds; then one does not. */
	EXPECT_EQ(0, pi_io(NV_CMD_WRITE_ZEROES, 8, 4, 8, 8));
	EXPECT_EQ(8 + 3, be32_to_cpu(fc.disk[0].tuples[11].ref));
	EXPECT_EQ(0, pi_io(NV_CMD_VERIFY, 8, 4, 5, 8));
	fc.disk[0].tuples[9].guard ^= 1;
	EXPECT_EQ(NV_SC_GUARD, pi_io(NV_CMD_VERIFY, 8, 4, 5, 8));
	EXPECT_EQ(NV_SC_GUARD, pi_io(NV_CMD_READ, 8, 4, 4, 8));
	/* Copied are the blocks before it, and none after it. */
	fc_write(nd_data(0), &r, sizeof(r));
	EXPECT_EQ(NV_SC_GUARD, nd_io(NV_CMD_COPY, 64, 0, 4 << 12, nd_data(0)) &
		  NV_SC_MASK);
	r.eilbrt = cpu_to_le32(9);
	fc_write(nd_data(0), &r, sizeof(r));
	EXPECT_EQ(NV_SC_PROT_INFO, nd_io(NV_CMD_COPY, 64, 0, 1 << 12,
					 nd_data(0)) & NV_SC_MASK);
	fc.fails = 1;
	EXPECT(pi_io(NV_CMD_COMPARE, 8, 4, 0, 8));
	nd_end();
}

TEST(pi_type3, "tuples of type 3 have the reference tag that the host says")
{
	ready(32 | 64);
	EXPECT_EQ(0, pi_io(NV_CMD_WRITE_ZEROES, 8, 2, 8, 0x1234));
	EXPECT_EQ(0x1234, be32_to_cpu(fc.disk[0].tuples[8].ref));
	EXPECT_EQ(0x1234, be32_to_cpu(fc.disk[0].tuples[9].ref));
	nd_end();
}

/* Interrupts. */

TEST(pin, "the pin is raised by what is not taken, and by taking the mask off")
{
	struct nv_sqe r;
	unsigned int before;

	ready(0);
	r = rw(NV_CMD_READ, 0, 0, 1, nd_data(0));
	vt_nvme_set_msix(nd.n, false);
	EXPECT(!vt_nvme_intx(nd.n));
	nd_reg(NV_REG_INTMS, 4, 1);
	nd_submit(1, &r, true);
	fc_settle();
	EXPECT(!vt_nvme_intx(nd.n));
	before = nd.raised;
	nd_reg(NV_REG_INTMC, 4, 1);
	fc_settle();
	EXPECT_EQ(before + 1, nd.raised);
	EXPECT(vt_nvme_intx(nd.n));
	nd_consume(1);
	EXPECT(!vt_nvme_intx(nd.n));
	/* The same of the admin queue; with the mask on it is not. */
	nd_reg(NV_REG_INTMS, 4, 1);
	before = nd.raised;
	nd_admin(NV_ADM_GET_FEATURES, 0, 0, NV_FEAT_VWC, 0);
	fc_settle();
	EXPECT_EQ(before, nd.raised);
	EXPECT(!vt_nvme_intx(nd.n));
	nd_reg(NV_REG_INTMC, 4, 1);
	fc_settle();
	EXPECT_EQ(before + 1, nd.raised);
	EXPECT(vt_nvme_intx(nd.n));
	nd_consume(0);
	EXPECT(!vt_nvme_intx(nd.n));
	nd_end();
}

TEST(coalesced, "interrupts are held back as long as the host wishes")
{
	struct nv_sqe r;
	unsigned int before;

	ready(0);
	/* 5 completions, or 100 us. */
	nd_admin(NV_ADM_SET_FEATURES, 0, 0, NV_FEAT_COALESCE, 1 << 8 | 4);
	nd_serve();
	before = nd.raised;
	for (unsigned int i = 0; i < 6; i++) {
		r = rw(NV_CMD_READ, 0, 0, 1, nd_data(0));
		nd_submit(1, &r, i == 3 || i == 5);
		if (i == 3) {
			fc_poll();
			EXPECT_EQ(before, nd.raised);
			EXPECT(!fc_asleep());
		}
	}
	fc_poll();
	EXPECT_EQ(before + 1, nd.raised);
	/* One alone is told after that time. */
	nd_submit(1, &r, true);
	fc_settle();
	EXPECT_EQ(before + 2, nd.raised);
	/* And at once, if its vector is not meant. */
	nd_serve();
	nd_admin(NV_ADM_SET_FEATURES, 0, 0, NV_FEAT_VECTOR, BIT(16) | 1);
	nd_serve();
	before = nd.raised;
	nd_submit(1, &r, true);
	fc_poll();
	EXPECT_EQ(before + 1, nd.raised);
	nd_serve();
	nd_end();
}

TEST(no_interrupts, "a queue without interrupts raises none")
{
	struct nv_sqe r;
	unsigned int before;

	ready(0);
	nd_admin(NV_ADM_CREATE_CQ, 0, ND_PAGE(ND_CQ(3)), 31 << 16 | 3,
		 NV_Q_PC);
	nd_admin(NV_ADM_CREATE_SQ, 0, ND_PAGE(ND_SQ(3)), 31 << 16 | 3,
		 3 << 16 | NV_Q_PC);
	nd_serve();
	before = nd.raised;
	r = rw(NV_CMD_READ, 0, 0, 1, nd_data(0));
	nd_submit(3, &r, true);
	fc_settle();
	EXPECT_EQ(1, nd.ended);
	EXPECT_EQ(before, nd.raised);
	nd_serve();
	nd_end();
}

/* The page of doorbells. */

TEST(mapped, "nobody sleeps while the page of doorbells is mapped")
{
	ready(0);
	nd.zap_fails = true;
	vt_nvme_doorbells_mapped(nd.n);
	fc_settle();
	EXPECT(!fc_asleep());
	EXPECT(nv_db_mapped(nd.n));
	/* A tail that is only in the page is seen. */
	nd_submit(1, &(struct nv_sqe) {
		.opcode = NV_CMD_FLUSH, .cid = nd.cid++,
		.nsid = cpu_to_le32(1),
	}, false);
	nd.n->db[2] = cpu_to_le32(nd.tail[1]);
	fc_settle();
	EXPECT_EQ(1, nd.ended);
	nd.zap_fails = false;
	fc_settle();
	EXPECT(fc_asleep());
	EXPECT(!nv_db_mapped(nd.n));
	nd_serve();
	nd_end();
}

static void map_now(void)
{
	fc.on_sleep = NULL;
	vt_nvme_doorbells_mapped(nd.n);
}

TEST(mapped_late, "nor if that happens just when a queue is about to")
{
	unsigned int i;

	/* One of them, then the other: the admin queue is the first. */
	for (i = 0; i < 2; i++) {
		ready(0);
		nd.zap_fails = true;
		if (i)
			fc_settle();
		fc.on_sleep = map_now;
		nd_doorbell(2 * i, 0);
		fc_settle();
		EXPECT(!fc.on_sleep);
		EXPECT(!fc_asleep());
		nd.zap_fails = false;
		fc_settle();
		EXPECT(fc_asleep());
		nd_serve();
		nd_end();
	}
}

TEST(mapped_unused, "a mapping that is no use stays longer each time, to a limit")
{
	unsigned int i;

	ready(0);
	for (i = 0; i < 10; i++) {
		vt_nvme_doorbells_mapped(nd.n);
		fc_settle();
		EXPECT(!nv_db_mapped(nd.n));
	}
	EXPECT_EQ(6, nd.n->unused);
	vt_nvme_doorbells_mapped(nd.n);
	nd_io(NV_CMD_FLUSH, 0, 0, 0, 0);
	fc_settle();
	EXPECT_EQ(0, nd.n->unused);
	/* Somebody else is at it. */
	vt_nvme_doorbells_mapped(nd.n);
	mutex_lock(&nd.n->zap_lock);
	fc_settle();
	EXPECT(nv_db_mapped(nd.n));
	mutex_unlock(&nd.n->zap_lock);
	fc_settle();
	EXPECT(!nv_db_mapped(nd.n));
	nd_end();
}

/* The backend does not answer, nor does who brings a page back. */
static bool falls_asleep(void)
{
	unsigned int i;

	for (i = 0; i < 3000 && !fc_asleep(); i++)
		fc_poll();
	return fc_asleep() && !nv_db_mapped(nd.n);
}

TEST(mapped_hung, "a queue that can take nothing lets the others sleep")
{
	struct nv_sqe r;
	unsigned int i;

	ready(0);
	make_small_queue();
	fc.holds = true;
	vt_nvme_doorbells_mapped(nd.n);
	for (i = 0; i < 2; i++) {
		r = rw(NV_CMD_READ, 0, 0, 1, nd_data(2));
		nd_submit(2, &r, true);
	}
	EXPECT(falls_asleep());
	EXPECT_EQ(2, nd.accepted);
	fc.holds = false;
	nd_serve();
	EXPECT_EQ(2, nd.ended);
	/* One that waits for memory. */
	nd_consume(2);
	vt_nvme_doorbells_mapped(nd.n);
	nd_io(NV_CMD_FLUSH, 0, 0, 0, 0);
	fc_lose(ND_DATA, false);
	vt_nvme_doorbells_mapped(nd.n);
	r = rw(NV_CMD_READ, 0, 0, 1, nd_data(2));
	nd_submit(2, &r, false);
	r.prp1 = cpu_to_le64(nd_data(0));
	nd_submit(2, &r, true);
	EXPECT(falls_asleep());
	EXPECT_EQ(4, nd.accepted);
	nd_serve();
	EXPECT_EQ(5, nd.accepted);
	nd_end();
}

TEST(coalesced_hung, "an interrupt is not held back for as long as a queue can take nothing")
{
	struct nv_sqe r;
	unsigned int before;

	ready(0);
	nd_admin(NV_ADM_SET_FEATURES, 0, 0, NV_FEAT_COALESCE, 1 << 8 | 4);
	nd_serve();
	before = nd.raised;
	r = rw(NV_CMD_READ, 0, 0, 1, nd_data(0));
	nd_submit(1, &r, true);
	fc_poll();
	EXPECT_EQ(before, nd.raised);
	/* It waits for memory. */
	nd.n->cq[0].q.faulting = true;
	EXPECT(falls_asleep());
	EXPECT_EQ(before + 1, nd.raised);
	nd.n->cq[0].q.faulting = false;
	nd_serve();
	nd_end();
}

/* Enabling. */

static void enable_with(u64 asq, u64 acq)
{
	nd_reg(NV_REG_AQA, 4, 63 << 16 | 63);
	nd_reg(NV_REG_ASQ, 8, asq);
	nd_reg(NV_REG_ACQ, 8, acq);
	nd_reg(NV_REG_CC, 4, 6 << 16 | 4 << 20 | NV_CC_EN);
	fc_settle();
}

TEST(enable_fails, "admin queues that are not in memory: fatal, until a reset")
{
	u64 away = FC_BASE + FC_BYTES;

	nd_open(0, 0);
	enable_with(away, ND_PAGE(ND_CQ(0)));
	EXPECT_EQ(NV_CSTS_CFS, vt_nvme_read(nd.n, NV_REG_CSTS, 4));
	EXPECT_EQ(1, nd.failed);
	nd_reg(NV_REG_CC, 4, 0);
	fc_settle();
	EXPECT_EQ(0, vt_nvme_read(nd.n, NV_REG_CSTS, 4));
	enable_with(ND_PAGE(ND_SQ(0)), away);
	EXPECT_EQ(NV_CSTS_CFS, vt_nvme_read(nd.n, NV_REG_CSTS, 4));
	EXPECT_EQ(2, nd.failed);
	nd_reg(NV_REG_CC, 4, 0);
	fc_settle();
	enable_with(ND_PAGE(ND_SQ(0)), ND_PAGE(ND_CQ(0)));
	EXPECT_EQ(NV_CSTS_RDY, vt_nvme_read(nd.n, NV_REG_CSTS, 4));
	nd_end();
}

TEST(enable_cancelled, "enabled and disabled before anything was done")
{
	nd_open(0, 0);
	nd_reg(NV_REG_AQA, 4, 63 << 16 | 63);
	nd_reg(NV_REG_CC, 4, 6 << 16 | 4 << 20 | NV_CC_EN);
	nd_reg(NV_REG_CC, 4, 0);
	fc_settle();
	EXPECT_EQ(0, vt_nvme_read(nd.n, NV_REG_CSTS, 4));
	EXPECT_EQ(0, nd.failed);
	nd_end();
}

#define ENABLE	(6 << 16 | 4 << 20 | NV_CC_EN)

static void restart(void)
{
	fc.on_map = NULL;
	nd_reg(NV_REG_CC, 4, 0);
	nd_reg(NV_REG_CC, 4, ENABLE);
}

/* What is written to a doorbell after RDY is not lost. */
TEST(enable_anew, "disabled and enabled again meanwhile: ready after that only")
{
	nd_open(0, 0);
	nd_enable();
	nd_reg(NV_REG_CC, 4, 0);
	fc_do_work(8);
	fc.on_map = restart;
	nd_reg(NV_REG_CC, 4, ENABLE);
	EXPECT_EQ(1, fc_do_work(1));
	EXPECT(!(nd.n->core.regs.csts & NV_CSTS_RDY));
	fc_do_work(8);
	EXPECT(nd.n->core.regs.csts & NV_CSTS_RDY);
	nd_end();
}

/* The register is written as soon as the work item looks at CSTS. */
static void enable_now(void)
{
	shim_on_read = NULL;
	nd_reg(NV_REG_CC, 4, ENABLE);
}

static void restart_now(void)
{
	shim_on_read = NULL;
	restart();
}

static void set_admin_queues(void)
{
	nd_reg(NV_REG_AQA, 4, 63 << 16 | 63);
	nd_reg(NV_REG_ASQ, 8, ND_PAGE(ND_SQ(0)));
	nd_reg(NV_REG_ACQ, 8, ND_PAGE(ND_CQ(0)));
}

static void expect_enabled(u64 enables)
{
	fc_settle();
	EXPECT_EQ(NV_CSTS_RDY, vt_nvme_read(nd.n, NV_REG_CSTS, 4));
	EXPECT_EQ(enables, nd.n->core.enables);
	nd_admin(NV_ADM_IDENTIFY, 0, nd_data(0), NV_CNS_CTRL, 0);
	EXPECT_EQ(0, nd_status(0));
}

TEST(enable_outdated, "an enabling that was taken back is not done with the next one")
{
	nd_open(0, 0);
	vt_nvme_set_msix(nd.n, true);
	set_admin_queues();
	nd_reg(NV_REG_CC, 4, ENABLE);
	nd_reg(NV_REG_CC, 4, 0);
	shim_on_read = enable_now;
	fc_do_work(1);
	expect_enabled(1);
	nd_end();
}

TEST(enable_in_reset, "what is written during a reset is gone with it")
{
	nd_open(0, 0);
	nd_enable();
	shim_on_read = restart_now;
	vt_nvme_reset(nd.n);
	EXPECT_EQ(0, vt_nvme_read(nd.n, NV_REG_CC, 4));
	memset(nd.tail, 0, sizeof(nd.tail));
	memset(nd.head, 0, sizeof(nd.head));
	vt_nvme_set_msix(nd.n, true);
	set_admin_queues();
	shim_on_read = enable_now;
	fc_do_work(1);
	/* Nothing was left to be done, so nothing looked. */
	EXPECT(shim_on_read);
	enable_now();
	expect_enabled(2);
	nd_end();
}

TEST(shutdown_outdated, "a shutdown ends with the controller's being enabled")
{
	nd_open(0, 0);
	nd_enable();
	nd_reg(NV_REG_CC, 4, ENABLE | 1 << 14);
	nd_reg(NV_REG_CC, 4, 0);
	nd_reg(NV_REG_CC, 4, ENABLE);
	fc_settle();
	EXPECT_EQ(NV_CSTS_RDY, vt_nvme_read(nd.n, NV_REG_CSTS, 4));
	nd_end();
}

static unsigned int flushes;

/* The first namespace goes while it is flushed; others find the lock free. */
static blk_status_t flushed(const struct vt_io *io)
{
	EXPECT_EQ(VT_OP_FLUSH, io->op);
	EXPECT(io->be == &fc.disk[flushes].be);
	EXPECT_EQ(1, io->be->ref.count);
	if (EXPECT(!mutex_is_locked(&fc.target.lock)) && !flushes)
		fc_remove_disk(0);
	flushes++;
	return BLK_STS_OK;
}

TEST(shutdown_flushes, "a shutdown flushes all namespaces, with no lock of the target held")
{
	nd_open(0, 0);
	fc_add_disk(1);
	nd_enable();
	flushes = 0;
	fc.on_io = flushed;
	nd_reg(NV_REG_CC, 4, ENABLE | 1 << 14);
	fc_do_work(8);
	EXPECT_EQ(2, flushes);
	EXPECT_EQ(NV_CSTS_SHST_DONE, nd.n->core.regs.csts & NV_CSTS_SHST);
	nd_end();
}

TEST(queue_away, "queues and shadow pages that are not in memory are refused")
{
	u64 away = FC_BASE + FC_BYTES;
	struct nv_sqe s = {
		.opcode = NV_ADM_DBBUF, .prp1 = cpu_to_le64(ND_PAGE(ND_DBS)),
		.prp2 = cpu_to_le64(away),
	};

	ready(0);
	nd_admin(NV_ADM_CREATE_CQ, 0, away, 31 << 16 | 2, NV_Q_PC);
	EXPECT_EQ(NV_SC_DATA_XFER, nd_status(0) & NV_SC_MASK);
	nd_admin(NV_ADM_CREATE_SQ, 0, away, 31 << 16 | 2, 1 << 16 | NV_Q_PC);
	EXPECT_EQ(NV_SC_DATA_XFER, nd_status(0) & NV_SC_MASK);
	s.cid = nd.cid++;
	nd_submit(0, &s, true);
	EXPECT_EQ(NV_SC_DATA_XFER, nd_status(0) & NV_SC_MASK);
	s.prp1 = s.prp2;
	s.prp2 = cpu_to_le64(ND_PAGE(ND_DBS));
	s.cid = nd.cid++;
	nd_submit(0, &s, true);
	EXPECT_EQ(NV_SC_DATA_XFER, nd_status(0) & NV_SC_MASK);
	EXPECT(!nd.n->dbbuf);
	shim_no_memory = 1;
	nd_admin(NV_ADM_CREATE_CQ, 0, ND_PAGE(ND_CQ(2)), 31 << 16 | 2,
		 NV_Q_PC);
	EXPECT_EQ(NV_SC_INTERNAL, nd_status(0) & NV_SC_MASK);
	nd_end();
}

TEST(admin_memory, "memory that is not there at first is waited for")
{
	u8 id[16];

	ready(0);
	fc_lose(ND_DATA, false);
	nd_admin(NV_ADM_IDENTIFY, 0, nd_data(0), NV_CNS_CTRL, 0);
	EXPECT_EQ(0, nd_status(0));
	fc_read(nd_data(0), id, sizeof(id));
	EXPECT_EQ(0x1af4, id[0] | id[1] << 8);
	nd_end();
}

TEST(admin_no_memory, "no memory to look memory up: the command waits")
{
	ready(0);
	fc_lose(ND_DATA, false);
	shim_no_memory = 1;
	nd_admin(NV_ADM_IDENTIFY, 0, nd_data(0), NV_CNS_CTRL, 0);
	EXPECT_EQ(0, nd_status(0));
	EXPECT_EQ(0, shim_no_memory);
	nd_end();
}

/* Admin queues of two entries: a command at a time, at 0 and 1 in turn. */

static void small_send(unsigned int i)
{
	struct nv_sqe s = {
		.opcode = NV_ADM_IDENTIFY, .cid = 100 + i,
		.prp1 = cpu_to_le64(nd_data(0)),
		.cdw10 = cpu_to_le32(NV_CNS_CTRL),
	};

	fc_write(ND_PAGE(ND_SQ(0)) + i % 2 * sizeof(s), &s, sizeof(s));
	/* What was completed before is taken. */
	nd_doorbell(1, i % 2);
	nd_doorbell(0, (i + 1) % 2);
}

static bool small_ended(unsigned int i)
{
	struct nv_cqe e;

	fc_read(ND_PAGE(ND_CQ(0)) + i % 2 * sizeof(e), &e, sizeof(e));
	return e.cid == 100 + i;
}

/* The driver has the first answer before the work item ends. */
static void second_at_once(void)
{
	if (!small_ended(0))
		return;
	shim_on_read = NULL;
	small_send(1);
}

/* With admin queues of these sizes. */
static void enable_small(u32 aqa)
{
	memset(nd.tail, 0, sizeof(nd.tail));
	memset(nd.head, 0, sizeof(nd.head));
	vt_nvme_set_msix(nd.n, true);
	nd_reg(NV_REG_AQA, 4, aqa);
	nd_reg(NV_REG_ASQ, 8, ND_PAGE(ND_SQ(0)));
	nd_reg(NV_REG_ACQ, 8, ND_PAGE(ND_CQ(0)));
	nd_reg(NV_REG_CC, 4, ENABLE);
	fc_settle();
}

TEST(admin_small, "a doorbell is back where it was: another command is meant")
{
	nd_open(0, 0);
	enable_small(1 << 16 | 1);
	small_send(0);
	fc_poll();
	shim_on_read = second_at_once;
	fc_do_work(1);
	EXPECT(!shim_on_read);
	EXPECT(small_ended(1));
	small_send(2);
	fc_settle();
	EXPECT(small_ended(2));
	nd_end();
}

TEST(admin_list, "a log page longer than what there is: by a list, with zeroes")
{
	struct nv_sqe s = {
		.opcode = NV_ADM_GET_LOG, .prp1 = cpu_to_le64(nd_data(0)),
		.prp2 = cpu_to_le64(ND_PAGE(ND_LIST)),
		.cdw10 = cpu_to_le32(0xfff << 16 | NV_LOG_ERROR),
	};
	__le64 list[3];
	unsigned int i;
	u8 page[PAGE_SIZE];

	ready(0);
	for (i = 0; i < 4; i++)
		put(2 * i, 0xee, PAGE_SIZE);
	for (i = 0; i < 3; i++)
		list[i] = cpu_to_le64(nd_data(2 * i + 2));
	fc_write(ND_PAGE(ND_LIST), list, sizeof(list));
	s.cid = nd.cid++;
	nd_submit(0, &s, true);
	EXPECT_EQ(0, nd_status(0));
	/* 64 entries of 64 bytes, none of which was used yet. */
	for (i = 0; i < 4; i++) {
		fc_read(nd_data(2 * i), page, sizeof(page));
		EXPECT(!memchr_inv(page, 0, sizeof(page)));
	}
	nd_end();
}

TEST(bounce_no_memory, "no memory for a copy: the command waits, and is served")
{
	struct nv_sqe r;

	ready(2);
	r = rw(NV_CMD_READ, 0, 0, 1, nd_data(0) + 16);
	put(0, 0xee, PAGE_SIZE);
	shim_no_memory = 1;
	nd_submit(1, &r, true);
	fc_poll();
	EXPECT_EQ(0, nd.accepted);
	EXPECT_EQ(1, nd.n->s.stats[0].parked);
	fc_settle();
	EXPECT_EQ(1, nd.ended);
	EXPECT_EQ(0x11, *fc_mem(nd_data(0) + 16));
	EXPECT_EQ(0xee, *fc_mem(nd_data(0) + 15));
	EXPECT_EQ(0xee, *fc_mem(nd_data(0) + 16 + 512));
	nd_serve();
	nd_end();
}

/* All that the admin queue can hold. */
#define ADMIN_MOST	63

static void offer_admin(void)
{
	unsigned int i;

	for (i = 0; i < ADMIN_MOST; i++)
		nd_submit(0, &(struct nv_sqe) {
			.opcode = NV_ADM_GET_FEATURES, .cid = nd.cid++,
			.cdw10 = cpu_to_le32(NV_FEAT_VWC),
		}, false);
	nd_ring(0, nd.tail[0]);
}

static void offer_admin_anew(void)
{
	shim_on_mb = NULL;
	nd_consume(0);
	offer_admin();
}

TEST(admin_room, "commands wait while the completion queue is full, and so does an abort")
{
	u32 i;

	nd_open(0, 0);
	/* 64 commands, one completion. */
	enable_small(1 << 16 | 63);
	for (i = 0; i < 3; i++)
		nd_admin(NV_ADM_GET_FEATURES, 0, 0, NV_FEAT_VWC, 0);
	for (i = 1; i <= 3; i++) {
		fc_settle();
		EXPECT_EQ(i, nd.n->admin.sq.head);
		EXPECT(fc_asleep());
		nd_consume(0);
	}
	/* An abort has one completion; the command's own has no room then. */
	nd_submit(0, &(struct nv_sqe) {
		.opcode = NV_ADM_ASYNC_EVENT, .cid = 0x77,
	}, true);
	fc_settle();
	nd_submit(0, &(struct nv_sqe) {
		.opcode = NV_ADM_ABORT, .cid = nd.cid++,
		.cdw10 = cpu_to_le32(0x77 << 16),
	}, true);
	fc_settle();
	EXPECT_EQ(1, nd.n->core.aer.nr);
	EXPECT_EQ(5, nd.n->admin.sq.head);
	nd_serve();
	nd_end();
}

TEST(many_admin, "more admin commands than are done at a time: the rest is the next work item's")
{
	u32 first;

	ready(0);
	first = nd.n->admin.sq.head;
	offer_admin();
	fc_poll();
	shim_on_mb = offer_admin_anew;
	EXPECT_EQ(1, fc_do_work(1));
	EXPECT(!shim_on_mb);
	/* One of the second 63 is still done by the first. */
	EXPECT_EQ((first + 64) % 64, nd.n->admin.sq.head);
	EXPECT_EQ(1, fc_works());
	fc_settle();
	EXPECT_EQ(nd.tail[0], nd.n->admin.sq.head);
	nd_serve();
	nd_end();
}

TEST(aborted, "an event request can be aborted: it ends, and so does the abort")
{
	struct nv_cqe e;
	u32 at;
	u16 cid;

	ready(0);
	cid = nd.cid;
	nd_admin(NV_ADM_ASYNC_EVENT, 0, 0, 0, 0);
	nd_serve();
	at = nd.n->admin.cq.tail;
	nd_admin(NV_ADM_ABORT, 0, 0, cid << 16, 0);
	fc_settle();
	e = cqe(0, at);
	EXPECT_EQ(cid, e.cid);
	EXPECT_EQ(NV_SC_ABORT_REQ, sc(&e));
	e = cqe(0, at + 1);
	EXPECT_EQ((u16)(nd.cid - 1), e.cid);
	EXPECT_EQ(0, le32_to_cpu(e.dw0));
	nd_serve();
	nd_end();
}

TEST(broke, "a queue that the core gives up makes the controller fail")
{
	ready(0);
	nv_queue_ops.broke(&nd.n->cq[0].q);
	EXPECT(vt_nvme_read(nd.n, NV_REG_CSTS, 4) & NV_CSTS_CFS);
	EXPECT_EQ(1, nd.failed);
	nd_end();
}

TEST(module, "the module comes and goes, or does not come at all")
{
	EXPECT(fc_module_lives());
	shim_no_memory = 1;
	EXPECT_EQ(-ENOMEM, fc_insert());
	shim_no_memory = 0;
}
