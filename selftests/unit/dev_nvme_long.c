// SPDX-License-Identifier: GPL-2.0
/* NVMe commands of many pieces, and what comes in between. */
#include <string.h>

#include <linux/err.h>

#include "nvme_dev.h"
#include "shim/hook.h"
#include "unit.h"

#define MAX_PIECES	64

static struct vt_nvme *other;
static unsigned int ios, preempt_after, stop_at;
static struct vt_range piece[MAX_PIECES];
static unsigned int nr_pieces;
/* Of ranges: their sectors, and whether one was where the last one ended. */
static u64 sectors;
static bool in_a_row;

static blk_status_t note_io(const struct vt_io *io)
{
	/* Another thread has begun to stop the queue. */
	if (++ios == stop_at)
		WRITE_ONCE(nd.n->sq[0].going, true);
	if (!io->nr_ranges)
		return BLK_STS_OK;
	in_a_row &= io->range[0].sector == sectors;
	sectors += io->range[0].nr_sectors;
	if (nr_pieces < MAX_PIECES)
		piece[nr_pieces++] = io->range[0];
	return BLK_STS_OK;
}

static void look(void)
{
	ios = 0;
	nr_pieces = 0;
	sectors = 0;
	stop_at = 0;
	in_a_row = true;
	fc.on_io = note_io;
}

/* The disk is of 8 GiB, of which nothing is kept. */
static void ready(u8 disk0)
{
	nd_open(disk0, 0);
	fc.target.flags = VHOST_TARGET_F_SHARED;
	other = vt_nvme_create(&fc.target, &fc.gmem, &nd_door, NULL);
	EXPECT_EQ(0, vt_nvme_attach(other, NULL));
	nd_enable();
	nd_make_queues(1);
	fc.disk[0].be.limits.sectors = 1 << 24;
	look();
}

static void done(void)
{
	shim_on_down_read = NULL;
	fc.on_io = NULL;
	vt_nvme_destroy(other);
	nd_end();
}

static enum vt_resv_result other_out(u8 op, u64 key, u64 new_key)
{
	struct vt_resv_args a = {
		.op = op, .type = VT_RESV_EX_ACCESS_REG, .key = key,
		.new_key = new_key,
	};

	return vt_resv_out(&other->core.ns[0]->resv, &a);
}

/* As the other one's command would be done: it has waited until now. */
static void preempt(struct rw_semaphore *s)
{
	MUST(s == &fc.disk[0].be.resv.exec_sem);
	if (ios != preempt_after)
		return;
	shim_on_down_read = NULL;
	EXPECT_EQ(VT_RESV_OK, other_out(VT_RESV_OP_PREEMPT, 2, 1));
}

static void registered(u8 disk0)
{
	u8 key[16] = { [8] = 1 };

	ready(disk0);
	fc_write(nd_data(4), key, sizeof(key));
	EXPECT_EQ(0, nd_io(NV_CMD_RESV_REGISTER, 0, 0, 0, nd_data(4)));
	EXPECT_EQ(VT_RESV_OK, other_out(VT_RESV_OP_REGISTER_NEW, 0, 2));
	EXPECT_EQ(VT_RESV_OK, other_out(VT_RESV_OP_RESERVE, 2, 0));
}

static struct nv_sqe command(u8 opcode, u32 dw10, u32 dw11, u32 dw12)
{
	__le64 list[PAGE_SIZE / sizeof(__le64)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = cpu_to_le64(nd_data(2));
	fc_write(ND_PAGE(ND_LIST), list, sizeof(list));
	return (struct nv_sqe) {
		.opcode = opcode, .cid = nd.cid++, .nsid = cpu_to_le32(1),
		.prp1 = cpu_to_le64(nd_data(0)),
		.prp2 = cpu_to_le64(ND_PAGE(ND_LIST)),
		.mptr = cpu_to_le64(nd_data(8)),
		.cdw10 = cpu_to_le32(dw10), .cdw11 = cpu_to_le32(dw11),
		.cdw12 = cpu_to_le32(dw12),
	};
}

static u16 go(struct nv_sqe sqe)
{
	nd_submit(1, &sqe, true);
	return nd_status(1) & NV_SC_MASK;
}

/* After so many I/Os it ends, as it has lost its right. */
static void expect_preempted(unsigned int nr, struct nv_sqe sqe)
{
	look();
	preempt_after = nr;
	shim_on_down_read = preempt;
	EXPECT_EQ(NV_SC_RESV_CONFLICT, go(sqe));
	EXPECT_EQ(nr, ios);
	shim_on_down_read = NULL;
}

static void put_dsm(unsigned int i, u64 lba, u32 nlb)
{
	struct nv_dsm_range d = {
		.slba = cpu_to_le64(lba), .nlb = cpu_to_le32(nlb),
	};

	fc_write(nd_data(0) + i * sizeof(d), &d, sizeof(d));
}

static void put_copy(unsigned int i, u64 lba, u32 nlb)
{
	struct nv_copy_range r = {
		.slba = cpu_to_le64(lba), .nlb = cpu_to_le16(nlb - 1),
	};

	fc_write(nd_data(0) + i * sizeof(r), &r, sizeof(r));
}

TEST(long_preempted, "a long command is stopped between its pieces")
{
	registered(0);
	expect_preempted(3, command(NV_CMD_VERIFY, 0, 0, 0xffff));
	done();
	registered(0);
	put_dsm(0, 0, 8);
	put_dsm(1, 8, 8);
	put_dsm(2, 16, 8);
	expect_preempted(2, command(NV_CMD_DSM, 2, NV_DSM_DEALLOCATE, 0));
	done();
	/* The backend discards 256 sectors at a time. */
	registered(0);
	put_dsm(0, 0, 1000);
	expect_preempted(2, command(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0));
	done();
}

TEST(long_copy_preempted, "a Copy that is stopped says which range was not copied")
{
	struct nv_cqe e;
	unsigned int i;
	u32 at;

	registered(0);
	for (i = 0; i < 3; i++)
		put_copy(i, i * 2048, 2048);
	at = nd.head[1];
	expect_preempted(4, command(NV_CMD_COPY, 1 << 20, 0, 2));
	fc_read(ND_PAGE(ND_CQ(1)) + at * sizeof(e), &e, sizeof(e));
	EXPECT_EQ(2, le32_to_cpu(e.dw0));
	done();
}

TEST(long_pi_preempted, "so is one whose tuples are made and checked here")
{
	static const u8 opcodes[] = {
		NV_CMD_READ, NV_CMD_WRITE, NV_CMD_COMPARE, NV_CMD_VERIFY,
		NV_CMD_WRITE_ZEROES,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		registered(32);
		expect_preempted(1, command(opcodes[i], 0, 0, 299));
		done();
	}
	registered(32);
	put_copy(0, 0, 600);
	expect_preempted(4, command(NV_CMD_COPY, 1 << 20, 0, 0));
	done();
}

/* Nobody else's write comes in between, so nothing that waits for it may. */
static void expect_one_piece(u8 disk0)
{
	struct nv_sqe c, w;
	struct nv_cqe e[2];

	registered(disk0);
	c = command(NV_CMD_COMPARE, 8, 0, 255);
	w = command(NV_CMD_WRITE, 8, 0, 255);
	c.flags = NV_FUSE_FIRST;
	w.flags = NV_FUSE_SECOND;
	look();
	preempt_after = 1;
	shim_on_down_read = preempt;
	nd_submit(1, &c, false);
	nd_submit(1, &w, true);
	fc_settle();
	EXPECT_EQ(2, ios);
	fc_read(ND_PAGE(ND_CQ(1)) + nd.head[1] * sizeof(e[0]), e, sizeof(e));
	EXPECT_EQ(c.cid, e[0].cid);
	EXPECT_EQ(0, le16_to_cpu(e[0].status) >> 1);
	EXPECT_EQ(0, le16_to_cpu(e[1].status) >> 1);
	nd_serve();
	done();
}

TEST(long_fused, "a fused pair is one piece")
{
	expect_one_piece(0);
	expect_one_piece(32);
}

static void expect_piece(unsigned int i, u64 sector, u32 nr_sectors)
{
	EXPECT_EQ(sector, piece[i].sector);
	EXPECT_EQ(nr_sectors, piece[i].nr_sectors);
}

TEST(discard_pieces, "a range is discarded in pieces that the backend can")
{
	struct vt_limits *l = &fc.disk[0].be.limits;

	ready(1);
	/* They end where a granule does. */
	l->discard_alignment = 64;
	put_dsm(0, 3, 100);
	EXPECT_EQ(0, go(command(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0)));
	EXPECT_EQ(4, nr_pieces);
	expect_piece(0, 3 * 8, 29 * 8);
	expect_piece(1, 32 * 8, 256);
	expect_piece(2, 64 * 8, 256);
	expect_piece(3, 96 * 8, 7 * 8);
	/* A granule that is too large for it; less than a block. */
	look();
	l->discard_alignment = 1024;
	put_dsm(0, 3, 33);
	EXPECT_EQ(0, go(command(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0)));
	EXPECT_EQ(2, nr_pieces);
	expect_piece(0, 3 * 8, 256);
	expect_piece(1, 35 * 8, 8);
	look();
	l->max_discard_sectors = 4;
	put_dsm(0, 7, 2);
	EXPECT_EQ(0, go(command(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0)));
	EXPECT_EQ(2, nr_pieces);
	expect_piece(0, 7 * 8, 8);
	expect_piece(1, 8 * 8, 8);
	done();
}

TEST(discard_large, "a range may be as long as its number of blocks can say")
{
	struct vt_limits *l = &fc.disk[0].be.limits;

	ready(1);
	l->sectors = 1ULL << 36;
	l->max_discard_sectors = U32_MAX;
	put_dsm(0, 0, U32_MAX);
	EXPECT_EQ(0, go(command(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0)));
	EXPECT_EQ(U32_MAX * 8ULL, sectors);
	EXPECT(in_a_row);
	/* A bio each. */
	EXPECT_EQ(4097, ios);
	put_dsm(0, 1ULL << 33, U32_MAX);
	EXPECT_EQ(NV_SC_LBA_RANGE,
		  go(command(NV_CMD_DSM, 0, NV_DSM_DEALLOCATE, 0)));
	done();
}

static struct nv_sqe long_dsm(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		put_dsm(i, i * 8, 8);
	return command(NV_CMD_DSM, 3, NV_DSM_DEALLOCATE, 0);
}

static void expect_stopped(unsigned int nr, u32 at)
{
	struct nv_cqe e;

	EXPECT_EQ(0, ios);
	EXPECT_EQ(nd.accepted, nd.ended);
	for (; nr; nr--, at++) {
		fc_read(ND_PAGE(ND_CQ(1)) + at * sizeof(e), &e, sizeof(e));
		EXPECT_EQ(NV_SC_ABORT_SQ_DELETED | NV_SC_MORE,
			  le16_to_cpu(e.status) >> 1);
	}
}

TEST(long_stopped, "a queue that is stopped waits for no more than a piece")
{
	ready(0);
	stop_at = 2;
	EXPECT_EQ(NV_SC_ABORT_SQ_DELETED, go(long_dsm()));
	EXPECT_EQ(2, ios);
	done();
	ready(32);
	stop_at = 1;
	EXPECT_EQ(NV_SC_ABORT_SQ_DELETED,
		  go(command(NV_CMD_WRITE_ZEROES, 0, 0, 0xffff)));
	EXPECT_EQ(1, ios);
	done();
}

TEST(long_reset, "a reset does not wait for what has not begun")
{
	struct nv_sqe d, c, w;
	u32 at;

	ready(0);
	d = long_dsm();
	c = command(NV_CMD_COMPARE, 8, 0, 0);
	w = command(NV_CMD_WRITE, 8, 0, 0);
	c.flags = NV_FUSE_FIRST;
	w.flags = NV_FUSE_SECOND;
	/* What the other queue has does not keep the first one waiting. */
	nd_make_queues(2);
	nd_submit(2, &d, true);
	fc_poll();
	nd_submit(1, &d, false);
	nd_submit(1, &c, false);
	nd_submit(1, &w, true);
	fc_poll();
	EXPECT_EQ(nd.ended + 4, nd.accepted);
	at = nd.head[1];
	vt_nvme_reset(nd.n);
	expect_stopped(3, at);
	done();
}

TEST(long_deleted, "nor does the end of a queue, which then serves again")
{
	struct nv_sqe d;
	u32 at;

	ready(0);
	d = long_dsm();
	at = nd.head[1];
	nd_admin(NV_ADM_DELETE_SQ, 0, 0, 1, 0);
	nd_submit(1, &d, true);
	fc_poll();
	EXPECT_EQ(nd.ended + 1, nd.accepted);
	/* It has the queue deleted. */
	fc_do_work(1);
	expect_stopped(1, at);
	nd_serve();
	nd_admin(NV_ADM_DELETE_CQ, 0, 0, 1, 0);
	nd_serve();
	nd_make_queues(1);
	look();
	EXPECT_EQ(0, go(long_dsm()));
	EXPECT_EQ(4, ios);
	done();
}
