// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio-blk device with the core's queues: what its driver does not see
 * go wrong, or sees as an error and no more.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/user_namespace.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "../../drivers/blk/blk.h"
#include "fuzz_virtio.h"
#include "shim/hook.h"
#include "unit.h"

/* Of the fuzz target, which this is not. */
void fv_request(struct fv_chain *c, unsigned int queue)
{
	(void)c;
	(void)queue;
}

void fv_other(void)
{
}

void fv_check(void)
{
}

/**
 * struct one - a request
 * @c: its chain
 * @data: where its data is
 * @status: where its status goes
 */
struct one {
	struct fv_chain c;
	u64 data;
	u64 status;
};

static void one_begin(struct one *r, u32 type, u64 sector)
{
	struct virtio_blk_outhdr hdr = {
		.type = cpu_to_le32(type), .sector = cpu_to_le64(sector),
	};

	memset(r, 0, sizeof(*r));
	fv_out(&r->c, &hdr, sizeof(hdr));
}

static void one_end(struct one *r)
{
	r->status = fv_in(&r->c, 1);
	fc_write(r->status, "\xee", 1);
}

/* A read or write of one buffer, @off bytes into memory of its own. */
static void one_rw(struct one *r, u32 type, u64 sector, u32 len, u32 off)
{
	one_begin(r, type, sector);
	r->data = fv_alloc(len + off) + off;
	fv_add(&r->c, r->data, len, type == VIRTIO_BLK_T_IN);
	one_end(r);
}

static u8 one_status(const struct one *r)
{
	u8 status;

	fc_read(r->status, &status, 1);
	return status;
}

static struct vt_qstats *stats(unsigned int queue)
{
	return &fv.vdev->s.stats[queue];
}

static const struct fv_seed plain = { .features = ~BIT_ULL(VIRTIO_F_RING_PACKED) };
static const struct fv_seed packed = { .features = ~0ULL, .packed = true };
/* The backend needs buffers aligned to 512 bytes. */
static const struct fv_seed aligned = {
	.disk = { 2 }, .features = ~BIT_ULL(VIRTIO_F_RING_PACKED),
};
/* It is polled for completions. */
static const struct fv_seed polls = {
	.disk = { 12 }, .features = ~BIT_ULL(VIRTIO_F_RING_PACKED),
};

TEST(bounced, "an unaligned buffer goes through a copy, both ways")
{
	struct one w, r;
	u8 out[1024], in[1024];

	memset(out, 0x3c, sizeof(out));
	fv_open(&aligned);
	one_rw(&w, VIRTIO_BLK_T_OUT, 4, 1024, 16);
	fc_write(w.data, out, sizeof(out));
	fv_send(0, &w.c);
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&w));
	EXPECT_EQ(1, stats(0)->bounced);
	EXPECT(!memcmp(fc.disk[0].data + 4 * 512, out, sizeof(out)));
	one_rw(&r, VIRTIO_BLK_T_IN, 4, 1024, 32);
	fv_send(0, &r.c);
	fc_read(r.data, in, sizeof(in));
	EXPECT(!memcmp(in, out, sizeof(in)));
	fv_close();
}

/* The first allocation is the table, then there is one for each page. */
TEST(bounce_no_memory, "no memory for a copy: the request waits, and is served")
{
	unsigned int i;

	for (i = 1; i <= 3; i++) {
		struct one r;

		fv_open(&aligned);
		one_rw(&r, VIRTIO_BLK_T_IN, 0, 8192, 16);
		shim_no_memory = i;
		fv_offer(0, &r.c);
		fc_poll();
		EXPECT_EQ(1, stats(0)->parked);
		EXPECT_EQ(0, fv_ended(0));
		EXPECT_EQ(0xee, one_status(&r));
		fc_settle();
		EXPECT_EQ(1, fv_ended(0));
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
		fv_close();
	}
}

static void work_now(void)
{
	if (fc_do_work(1))
		fc.on_sleep = NULL;
}

TEST(parked_overslept, "what is to be tried again in a moment is, if that has passed before the queue sleeps")
{
	struct one r;

	fv_open(&aligned);
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 8192, 16);
	shim_no_memory = 1;
	fc.on_sleep = work_now;
	fv_offer(0, &r.c);
	fc_poll();
	EXPECT(!fc.on_sleep);
	EXPECT_EQ(1, stats(0)->parked);
	fc_settle();
	EXPECT_EQ(1, fv_ended(0));
	fv_close();
}

TEST(polled_overslept, "a backend is looked at again, likewise")
{
	unsigned int looks;
	struct one r;

	fv_open(&polls);
	fc.holds = true;
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 512, 0);
	fv_offer(0, &r.c);
	/* It falls asleep after a while. */
	fc.on_sleep = work_now;
	while (fc.on_sleep)
		fc_poll();
	looks = fc.looks;
	fc_poll();
	EXPECT_EQ(looks + 1, fc.looks);
	fc_settle();
	EXPECT_EQ(1, fv_ended(0));
	fv_close();
}

/* More than a poller copies by itself. */
#define LARGE	(17 * PAGE_SIZE)

TEST(large_copy, "a work item makes large copies, both ways, whatever memory there is")
{
	static u8 out[LARGE], in[LARGE];
	struct one w, r;

	memset(out, 0x3c, sizeof(out));
	fv_open(&aligned);
	one_rw(&w, VIRTIO_BLK_T_OUT, 8, LARGE, 16);
	fc_write(w.data, out, sizeof(out));
	fv_offer(0, &w.c);
	fc_poll();
	EXPECT_EQ(1, stats(0)->bounced);
	EXPECT_EQ(LARGE, fv.vdev->vqs[0].q.copied);
	/* No page: it waits for them. */
	shim_no_memory = 1;
	EXPECT_EQ(1, fc_do_work(1));
	EXPECT_EQ(0, shim_no_memory);
	EXPECT_EQ(1, fc_works());
	fc_settle();
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&w));
	EXPECT(!memcmp(fc.disk[0].data + 8 * 512, out, sizeof(out)));

	one_rw(&r, VIRTIO_BLK_T_IN, 8, LARGE, 32);
	fv_offer(0, &r.c);
	fc_poll();
	EXPECT_EQ(2, fc_do_work(2));
	/* It has ended, but is not told of before it is copied back. */
	fc_poll();
	EXPECT_EQ(1, fv_ended(0));
	fc_settle();
	EXPECT_EQ(2, fv_ended(0));
	fc_read(r.data, in, sizeof(in));
	EXPECT(!memcmp(in, out, sizeof(in)));
	EXPECT_EQ(0, fv.vdev->vqs[0].q.copied);
	fv_close();
}

#define NR_LARGE	3

/* All at once, and all of the same data: there is not more memory. */
static void large_offer(struct one *r, u32 type)
{
	unsigned int i;

	for (i = 0; i < NR_LARGE; i++) {
		one_rw(&r[i], type, 8 + i * LARGE / 512, i ? 512 : LARGE, 16);
		if (i)
			r[i].c.seg[1] = r[0].c.seg[1];
		fv_offer(0, &r[i].c);
	}
}

static void large_ended(const struct one *r, unsigned int all)
{
	unsigned int i;

	fc_settle();
	EXPECT_EQ(all, fv_ended(0));
	EXPECT_EQ(0, fv.vdev->vqs[0].q.copied);
	for (i = 0; i < NR_LARGE; i++)
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r[i]));
}

TEST(large_copies, "of a device they are one work item, which makes one at a time")
{
	static u8 out[LARGE], in[LARGE];
	struct one r[NR_LARGE];
	unsigned int i;

	memset(out, 0x3c, sizeof(out));
	fv_open(&aligned);
	large_offer(r, VIRTIO_BLK_T_OUT);
	fc_write(r[0].data, out, sizeof(out));
	fc_poll();
	EXPECT_EQ(NR_LARGE, fv.vdev->vqs[0].q.inflight);
	EXPECT_EQ(1, fc_works());
	/* That copies the next one, and another submits this one. */
	EXPECT_EQ(1, fc_do_work(1));
	EXPECT_EQ(2, fc_works());
	large_ended(r, NR_LARGE);
	for (i = 0; i < NR_LARGE; i++)
		EXPECT(!memcmp(fc.disk[0].data + 8 * 512 + i * LARGE, out,
			       sizeof(out)));

	fc.holds = true;
	large_offer(r, VIRTIO_BLK_T_IN);
	fc_poll();
	EXPECT_EQ(2 * NR_LARGE, fc_do_work(2 * NR_LARGE));
	EXPECT_EQ(NR_LARGE, fc_end_io(NR_LARGE));
	/* As they are copied back. */
	EXPECT_EQ(1, fc_works());
	large_ended(r, 2 * NR_LARGE);
	fc_read(r[0].data, in, sizeof(in));
	EXPECT(!memcmp(in, out, sizeof(in)));
	fv_close();
}

TEST(large_copy_waits, "one without memory for it lets others go first, which give some back")
{
	struct one r[NR_LARGE];

	fv_open(&aligned);
	fc.holds = true;
	large_offer(r, VIRTIO_BLK_T_IN);
	fc_poll();
	/* The first one is submitted; there is nothing for the second. */
	EXPECT_EQ(1, fc_do_work(1));
	shim_no_memory = 1;
	EXPECT_EQ(2, fc_do_work(2));
	EXPECT_EQ(0, shim_no_memory);
	EXPECT_EQ(1, fc_end_io(1));
	/* The third. */
	shim_no_memory = 1;
	EXPECT_EQ(1, fc_do_work(1));
	EXPECT_EQ(0, shim_no_memory);
	shim_no_memory = 1;
	EXPECT_EQ(1, fc_do_work(1));
	EXPECT_EQ(0, shim_no_memory);
	EXPECT_EQ(1, fc_do_work(1));
	fc_poll();
	EXPECT_EQ(1, fv_ended(0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r[0]));
	large_ended(r, NR_LARGE);
	fv_close();
}

#define PIECE	(16 * PAGE_SIZE)
#define NR_PIECES	16

TEST(largest_copy, "its table need not be one piece of memory")
{
	static u8 out[PIECE];
	unsigned int i;
	struct one w;

	memset(out, 0x3c, sizeof(out));
	fv_open(&aligned);
	one_begin(&w, VIRTIO_BLK_T_OUT, 0);
	w.data = fv_alloc(PIECE + 16) + 16;
	fc_write(w.data, out, sizeof(out));
	for (i = 0; i < NR_PIECES; i++)
		fv_add(&w.c, w.data, PIECE, false);
	one_end(&w);
	shim_piece = PAGE_SIZE;
	fv_offer(0, &w.c);
	fc_poll();
	/* Copied, submitted, and let go of. */
	EXPECT_EQ(3, fc_do_work(3));
	EXPECT_EQ(0, fc_works());
	shim_piece = 0;
	fc_settle();
	EXPECT_EQ(1, fv_ended(0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&w));
	for (i = 0; i < NR_PIECES; i++)
		EXPECT(!memcmp(fc.disk[0].data + i * PIECE, out, PIECE));
	fv_close();
}

/* Four parts, of which the last one is short. */
#define SMALL_WHOLE	(3 * SMALL_PART)
#define SMALL_PART	0x8000
#define LONG	(SMALL_WHOLE + 1024)
#define NR_PARTS	4

static void long_fill(u8 *buf)
{
	unsigned int i;

	for (i = 0; i < LONG; i++)
		buf[i] = i / 512 + i;
}

static void long_open(const struct fv_seed *s)
{
	shim_blk_whole = SMALL_WHOLE;
	shim_blk_part = SMALL_PART;
	fv_open(s);
}

static void long_close(void)
{
	fv_close();
	shim_blk_whole = (u64)BLK_SEG_MAX * BLK_SIZE_MAX;
	shim_blk_part = SZ_4M;
}

TEST(long_request, "it is done in parts, one after the other, and ends once")
{
	static u8 out[LONG], in[LONG];
	const struct fv_seed *how[] = { &plain, &packed, &aligned };
	struct one w, r, after;
	unsigned int i, n;

	long_fill(out);
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		long_open(how[i]);
		fc.holds = true;
		one_rw(&w, VIRTIO_BLK_T_OUT, 8, LONG, 16);
		fc_write(w.data, out, LONG);
		fv_offer(0, &w.c);
		one_rw(&after, VIRTIO_BLK_T_IN, 0, 512, 0);
		fv_offer(0, &after.c);
		for (n = 1; n <= NR_PARTS; n++) {
			EXPECT_EQ(0, fv_ended(0));
			EXPECT_EQ(0xee, one_status(&w));
			/* What comes behind waits for the last one. */
			fc_poll();
			while (fc_do_work(1))
				fc_poll();
			EXPECT_EQ(n < NR_PARTS ? 1 : 2, fc_end_io(2));
			fc_poll();
		}
		fc.holds = false;
		fc_settle();
		EXPECT_EQ(2, fv_ended(0));
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&w));
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&after));
		EXPECT(!memcmp(fc.disk[0].data + 8 * 512, out, LONG));

		one_rw(&r, VIRTIO_BLK_T_IN, 8, LONG, 16);
		fv_send(0, &r.c);
		EXPECT_EQ(3, fv_ended(0));
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
		fc_read(r.data, in, LONG);
		EXPECT(!memcmp(in, out, LONG));
		long_close();
	}
}

TEST(long_request_fails, "one of its parts does: it ends then, and others are served")
{
	struct one r;
	u32 type;

	for (type = VIRTIO_BLK_T_IN; type <= VIRTIO_BLK_T_OUT; type++) {
		long_open(&plain);
		fc.holds = true;
		one_rw(&r, type, 0, LONG, 0);
		fv_offer(0, &r.c);
		fc_poll();
		EXPECT_EQ(1, fc_end_io(1));
		fc_poll();
		fc_poll();
		fc.fails = 1;
		EXPECT_EQ(1, fc_end_io(1));
		fc.holds = false;
		fc_settle();
		EXPECT_EQ(1, fv_ended(0));
		EXPECT_EQ(VIRTIO_BLK_S_IOERR, one_status(&r));
		one_rw(&r, type, 0, LONG, 0);
		fv_send(0, &r.c);
		EXPECT_EQ(2, fv_ended(0));
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
		long_close();
	}
}

TEST(long_request_no_memory, "a part for which there is none waits, and is done once")
{
	static u8 out[LONG];
	struct one w;
	unsigned int i;

	long_fill(out);
	for (i = 1; i <= 40; i++) {
		long_open(&aligned);
		one_rw(&w, VIRTIO_BLK_T_OUT, 0, LONG, 16);
		fc_write(w.data, out, LONG);
		shim_no_memory = i;
		fv_send(0, &w.c);
		shim_no_memory = 0;
		EXPECT_EQ(1, fv_ended(0));
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&w));
		EXPECT(!memcmp(fc.disk[0].data, out, LONG));
		long_close();
	}
}

TEST(long_request_closed, "a device that goes while a part is under way")
{
	struct one r;

	long_open(&aligned);
	fc.holds = true;
	one_rw(&r, VIRTIO_BLK_T_IN, 0, LONG, 16);
	fv_offer(0, &r.c);
	fc_poll();
	EXPECT_EQ(1, fc_end_io(1));
	fc_poll();
	EXPECT_EQ(0, fv_ended(0));
	long_close();
}

/* Who ended the request has not woken its queue yet. */
static void end_all(void)
{
	fc.on_wake = NULL;
	fc_poll();
	EXPECT_EQ(1, fv_ended(0));
	fv_close();
}

TEST(closed_as_it_ends, "a queue that goes when its last request ends is there for who ends it")
{
	struct one r;

	fv_open(&aligned);
	fc.holds = true;
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 512, 0);
	fv_offer(0, &r.c);
	fc_poll();
	fc.on_wake = end_all;
	EXPECT_EQ(1, fc_end_io(1));
}

TEST(copies_limited, "a queue has so many bytes of copies at a time, but one in any case")
{
	struct vt_queue *q;
	struct one r;

	fv_open(&aligned);
	q = &fv.vdev->vqs[0].q;
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 512, 16);
	q->copied = 16 << 20;
	fv_offer(0, &r.c);
	fc_poll();
	EXPECT_EQ(1, stats(0)->parked);
	EXPECT_EQ(0, stats(0)->bounced);
	q->copied = 0;
	fc_settle();
	EXPECT_EQ(1, fv_ended(0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
	fv_close();
}

TEST(polled, "completions are polled for; a device that takes long is left alone")
{
	struct vt_queue *q;
	struct one r;

	fv_open(&polls);
	q = &fv.vdev->vqs[0].q;
	fc.holds = true;
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 512, 0);
	fv_offer(0, &r.c);
	fc_poll();
	EXPECT_EQ(1, fc.looks);
	/* It does not sleep, as nothing would wake it. */
	fc_poll();
	EXPECT_EQ(2, fc.looks);
	q->polled_since -= 10000000;
	fc_poll();
	EXPECT_EQ(3, fc.looks);
	EXPECT(fc_asleep());
	/* But for the work that takes another look. */
	EXPECT_EQ(1, fc_do_work(1));
	fc_poll();
	EXPECT_EQ(4, fc.looks);
	EXPECT(fc_asleep());
	EXPECT_EQ(0, fv_ended(0));
	fc_settle();
	EXPECT_EQ(1, fv_ended(0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
	EXPECT(list_empty(&q->polled));
	fv_close();
}

#define MANY	30

TEST(crowded, "of what ends at once a pass takes some: by number, and by its cost")
{
	struct vt_queue *q;
	struct one r;
	unsigned int i;
	u64 data;

	fv_open(&aligned);
	q = &fv.vdev->vqs[0].q;
	fc.crowded = true;
	fc.holds = true;
	data = fv_alloc(2 * PAGE_SIZE + 16) + 16;
	for (i = 0; i < MANY; i++) {
		one_begin(&r, VIRTIO_BLK_T_IN, 0);
		fv_add(&r.c, data, 2 * PAGE_SIZE, true);
		one_end(&r);
		fv_offer(0, &r.c);
		fc_poll();
	}
	EXPECT_EQ(MANY, q->inflight);
	EXPECT_EQ(MANY, fc_end_io(MANY));
	/* As many as may be copied back. */
	for (i = MANY; i; i -= 10) {
		EXPECT_EQ(i, q->inflight);
		EXPECT(q->pq.ops->pending(&q->pq));
		fc_poll();
	}
	EXPECT_EQ(0, q->inflight);
	EXPECT(!q->pq.ops->pending(&q->pq));
	fc.holds = false;
	fc_settle();
	EXPECT_EQ(MANY, fv_ended(0));
	fv_close();
}

#define COSTLY	SZ_64K		/* is still copied in the pass; two are too much for one */

/* Two of four requests are taken; the queue rests for so many passes. */
static void rests(unsigned int passes, bool others)
{
	struct vt_queue *q = &fv.vdev->vqs[0].q;
	u64 data = fv_alloc(COSTLY + 16) + 16;
	unsigned int i;
	struct one r;

	fc.crowded = true;
	fc.holds = true;
	fc.submit_ns = 1000;
	for (i = 0; i < 4; i++) {
		one_begin(&r, VIRTIO_BLK_T_OUT, 0);
		fv_add(&r.c, data, COSTLY, false);
		one_end(&r);
		fv_offer(0, &r.c);
	}
	EXPECT_EQ(2, fc_poll());
	for (i = 0; i < passes; i++) {
		EXPECT_EQ(0, fc_poll());
		EXPECT_EQ(2, q->inflight);
		EXPECT(!fc_asleep());
	}
	fc.crowded = others;
	EXPECT_EQ(2, fc_poll());
	EXPECT_EQ(4, q->inflight);
	fc.holds = false;
	fc_settle();
}

TEST(rest, "what costs more than a pass is made up for: the queue rests, and stays awake")
{
	fv_open(&aligned);
	/* It had the poller for 2 us. The others have it for 6; a pass is one. */
	rests(5, true);
	EXPECT_EQ(4, fv_ended(0));
	/* With nobody else there is nobody to rest for. */
	rests(2, false);
	EXPECT_EQ(8, fv_ended(0));
	fv_close();
}

TEST(parked_behind, "what is parked does not wait for what is in flight, that may take its time")
{
	struct one a, b;

	fv_open(&aligned);
	fc.holds = true;
	one_rw(&a, VIRTIO_BLK_T_IN, 0, 512, 0);
	one_rw(&b, VIRTIO_BLK_T_IN, 8, 512, 16);
	fv_offer(0, &a.c);
	fc_poll();
	shim_no_memory = 1;
	fv_offer(0, &b.c);
	fc_poll();
	fc_poll();
	EXPECT_EQ(1, stats(0)->parked);
	EXPECT_EQ(1, fc_do_work(1));
	fc_poll();
	EXPECT_EQ(2, fv.vdev->vqs[0].q.inflight);
	fc.holds = false;
	fc_settle();
	EXPECT_EQ(2, fv_ended(0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&b));
	fv_close();
}

/* Buffers that begin and end within pages: each is of many pieces. */
static void one_pieces(struct one *r, unsigned int nr, u32 len)
{
	unsigned int i;

	one_begin(r, VIRTIO_BLK_T_IN, 0);
	for (i = 0; i < nr; i++)
		fv_add(&r->c, FC_BASE + (FC_RUN + i % 8) * PAGE_SIZE, len,
		       true);
	one_end(r);
}

TEST(too_many_pieces, "more pieces than a request can have: an error")
{
	struct one r;

	fv_open(&plain);
	one_pieces(&r, 61, 31 * PAGE_SIZE);
	/* 61 buffers of 31 pages, and then some. */
	r.c.seg[r.c.nr - 2].len += PAGE_SIZE;
	fv_send(0, &r.c);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, one_status(&r));
	one_pieces(&r, 40, 4096);
	fv_send(0, &r.c);
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
	fv_close();
}

/* @nr buffers of @pages half pages and whole ones in between. */
static void one_halves(struct one *r, unsigned int nr, unsigned int pages)
{
	unsigned int i;

	one_begin(r, VIRTIO_BLK_T_IN, 0);
	for (i = 0; i < nr; i++)
		fv_add(&r->c, FC_BASE + (FC_RUN + i % 8) * PAGE_SIZE + 3584,
		       1024 + (pages - 2) * PAGE_SIZE, true);
	one_end(r);
}

/* Big tables, of which a queue has so many. */
#define TABLES	7

TEST(tables_of_a_page, "all requests of a queue may have some hundred pieces at a time")
{
	struct one r[2 * TABLES];
	unsigned int i;

	fv_open(&plain);
	fc.holds = true;
	for (i = 0; i < 2 * TABLES; i++) {
		one_pieces(&r[i], 40, 4096);
		fv_offer(0, &r[i].c);
		/* Without a page for it, one of the big ones will do. */
		shim_no_memory = i < 2;
		fc_poll();
		EXPECT_EQ(0, shim_no_memory);
	}
	EXPECT_EQ(2 * TABLES, fv.vdev->vqs[0].q.inflight);
	EXPECT_EQ(0, stats(0)->parked);
	fc.holds = false;
	fc_settle();
	for (i = 0; i < 2 * TABLES; i++)
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r[i]));
	fv_close();
}

TEST(tables_used_up, "no big table left: the request waits for one")
{
	struct one r[TABLES + 1];
	unsigned int i;

	fv_open(&plain);
	fc.holds = true;
	for (i = 0; i < TABLES + 1; i++) {
		one_halves(&r[i], 60, 5);
		fv_offer(0, &r[i].c);
		fc_poll();
	}
	EXPECT_EQ(TABLES, fv.vdev->vqs[0].q.inflight);
	EXPECT_EQ(1, stats(0)->parked);
	fc.holds = false;
	fc_settle();
	for (i = 0; i < TABLES + 1; i++)
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r[i]));
	fv_close();
}

TEST(memory_again, "memory that is not there at first is waited for, a hole is not")
{
	struct one r;

	fv_open(&plain);
	fc_lose(FC_RUN + 3, false);
	one_begin(&r, VIRTIO_BLK_T_IN, 0);
	r.data = FC_BASE + (FC_RUN + 3) * PAGE_SIZE;
	fv_add(&r.c, r.data, 512, true);
	one_end(&r);
	fv_send(0, &r.c);
	EXPECT_EQ(1, stats(0)->mem_faults);
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
	fc_lose(FC_RUN + 3, true);
	fv_send(0, &r.c);
	EXPECT_EQ(2, stats(0)->mem_faults);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, one_status(&r));
	fv_close();
}

/* Pages that are never there at the same time. */
#define APART(n)	(FC_BASE + (u64)(FC_RUN + 2 * (n)) * PAGE_SIZE)

TEST(memory_no_room, "what needs more memory at a time than can be had ends, with an error")
{
	struct virtio_blk_outhdr hdr = { };
	struct one r;

	fv_open(&plain);
	fc.evicts = true;
	fc_lose(FC_RUN + 4, false);
	/* One page of data; then two. */
	one_begin(&r, VIRTIO_BLK_T_IN, 0);
	fv_add(&r.c, APART(2), 512, true);
	one_end(&r);
	fv_send(0, &r.c);
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
	one_begin(&r, VIRTIO_BLK_T_IN, 0);
	fv_add(&r.c, APART(2), 512, true);
	fv_add(&r.c, APART(3), 512, true);
	one_end(&r);
	fv_send(0, &r.c);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, one_status(&r));
	/* A header of two pages has twice as many tries. */
	memset(&r, 0, sizeof(r));
	fc_write(APART(2), &hdr, 8);
	fc_write(APART(3), &hdr, 8);
	fv_add(&r.c, APART(2), 8, false);
	fv_add(&r.c, APART(3), 8, false);
	fv_in(&r.c, 512);
	one_end(&r);
	fv_send(0, &r.c);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, one_status(&r));
	/* And others go on. */
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 512, 0);
	fv_send(0, &r.c);
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
	fv_close();
}

TEST(memory_header, "a header of two pieces, of which the second is not there at first, or never")
{
	const u64 at = FC_BASE + (FC_RUN + 3) * PAGE_SIZE;
	struct virtio_blk_outhdr hdr = { };
	struct one r = { };
	unsigned int i;

	fv_open(&plain);
	for (i = 0; i < 2; i++) {
		memset(&r, 0, sizeof(r));
		fv_out(&r.c, &hdr, 8);
		fv_add(&r.c, at, 8, false);
		fv_in(&r.c, 512);
		one_end(&r);
		fc_lose(FC_RUN + 3, i);
		fv_send(0, &r.c);
		EXPECT_EQ(i + 1, stats(0)->mem_faults);
		EXPECT_EQ(i ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK,
			  one_status(&r));
	}
	fv_close();
}

TEST(memory_ahead, "looking ahead asks for no memory: each request does for its own")
{
	const u32 pages[] = { FC_RUN + 5, FC_RUN + 3 };
	struct virtio_blk_outhdr hdr = { };
	struct one r[3];
	unsigned int i;

	fv_open(&plain);
	one_rw(&r[0], VIRTIO_BLK_T_IN, 0, 512, 0);
	fv_offer(0, &r[0].c);
	for (i = 0; i < 2; i++) {
		u64 at = FC_BASE + pages[i] * PAGE_SIZE;

		memset(&r[i + 1], 0, sizeof(r[0]));
		fc_write(at, &hdr, sizeof(hdr));
		fc_lose(pages[i], false);
		fv_add(&r[i + 1].c, at, sizeof(hdr), false);
		fv_in(&r[i + 1].c, 512);
		one_end(&r[i + 1]);
		fv_offer(0, &r[i + 1].c);
	}
	fc_poll();
	EXPECT_EQ(1, fv_ended(0));
	EXPECT_EQ(1, stats(0)->mem_faults);
	fc_settle();
	EXPECT_EQ(3, fv_ended(0));
	EXPECT_EQ(2, stats(0)->mem_faults);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r[i]));
	fv_close();
}

static unsigned int calls[2];

static void call(void *arg)
{
	++*(unsigned int *)arg;
}

TEST(no_memory_to_fill, "no memory to look memory up: the request waits")
{
	struct one r;

	fv_open(&plain);
	fc_lose(FC_RUN + 3, false);
	one_begin(&r, VIRTIO_BLK_T_IN, 0);
	fv_add(&r.c, FC_BASE + (FC_RUN + 3) * PAGE_SIZE, 512, true);
	one_end(&r);
	shim_no_memory = 1;
	fv_send(0, &r.c);
	EXPECT_EQ(2, stats(0)->mem_faults);
	EXPECT_EQ(VIRTIO_BLK_S_OK, one_status(&r));
	fv_close();
}

TEST(set_call, "who is to be called can change at any time")
{
	struct vt_notify a = { .fn = call, .arg = &calls[0] };
	struct vt_notify b = { .fn = call, .arg = &calls[1] }, old;
	struct vt_queue *q;
	struct one r;

	fv_open(&plain);
	q = &fv.vdev->vqs[0].q;
	calls[0] = 0;
	calls[1] = 0;
	mutex_lock(&fv.vdev->s.lock);
	old = vt_queue_set_call(q, a);
	EXPECT(!old.fn);
	mutex_unlock(&fv.vdev->s.lock);
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 512, 0);
	fv_send(0, &r.c);
	EXPECT_EQ(1, calls[0]);
	mutex_lock(&fv.vdev->s.lock);
	vt_vq_stop(&fv.vdev->vqs[0]);
	old = vt_queue_set_call(q, b);
	EXPECT(old.arg == &calls[0]);
	mutex_unlock(&fv.vdev->s.lock);
	EXPECT_EQ(0, calls[1]);
	fv_close();
}

/* With a queue that is stopped, and what a VMM says of its ring. */
static int start_with(u32 num, bool has_addr, struct vt_vq_addr addr, u32 base)
{
	struct vt_vq *vq = &fv.vdev->vqs[3];
	int err;

	mutex_lock(&fv.vdev->s.lock);
	vt_vq_stop(vq);
	vt_vq_stop(vq);
	vq->num = num;
	vq->has_addr = has_addr;
	vq->addr = addr;
	vq->base = base;
	err = vt_vq_start(vq);
	EXPECT_EQ(!err, vq->q.running);
	/* It runs already: nothing happens. */
	if (!err)
		EXPECT_EQ(0, vt_vq_start(vq));
	mutex_unlock(&fv.vdev->s.lock);
	return err;
}

TEST(bad_rings, "a ring that cannot be: an error, and nothing is kept")
{
	struct vt_vq_addr ok = {
		FC_BASE, FC_BASE + PAGE_SIZE, FC_BASE + 2 * PAGE_SIZE,
	}, a = ok;
	u64 away = FC_BASE + FC_BYTES;

	fv_open(&plain);
	EXPECT_EQ(0, start_with(16, true, ok, 0));
	EXPECT_EQ(-EINVAL, start_with(0, true, ok, 0));
	EXPECT_EQ(-EINVAL, start_with(24, true, ok, 0));
	EXPECT_EQ(-EINVAL, start_with(2048, true, ok, 0));
	EXPECT_EQ(-EINVAL, start_with(16, false, ok, 0));
	a.desc += 8;
	EXPECT_EQ(-EINVAL, start_with(16, true, a, 0));
	a = ok;
	a.driver += 1;
	EXPECT_EQ(-EINVAL, start_with(16, true, a, 0));
	a = ok;
	a.device += 2;
	EXPECT_EQ(-EINVAL, start_with(16, true, a, 0));
	a.desc = away;
	a.device = ok.device;
	EXPECT_EQ(-EFAULT, start_with(16, true, a, 0));
	a = ok;
	a.driver = away;
	EXPECT_EQ(-EFAULT, start_with(16, true, a, 0));
	a = ok;
	a.device = away;
	EXPECT_EQ(-EFAULT, start_with(16, true, a, 0));
	EXPECT_EQ(-EINVAL, start_with(16, true, ok, 0x10000));
	EXPECT_EQ(0, start_with(16, true, ok, 0xffff));
	fv_close();
}

TEST(start_no_memory, "no memory to start a queue: an error, later none")
{
	struct vt_vq_addr ok = {
		FC_BASE, FC_BASE + PAGE_SIZE, FC_BASE + 2 * PAGE_SIZE,
	};
	unsigned int i;

	fv_open(&plain);
	/* Requests, big tables, the chain, indirect tables. */
	for (i = 1; i <= 4; i++) {
		shim_no_memory = i;
		EXPECT_EQ(-ENOMEM, start_with(16, true, ok, 0));
	}
	EXPECT_EQ(0, shim_no_memory);
	EXPECT_EQ(0, start_with(16, true, ok, 0));
	fv_close();
}

static const struct vt_vdev_door_ops door;

TEST(create_no_memory, "no memory to make a device: an error, and nothing is kept")
{
	struct vt_vdev *vdev = NULL;
	unsigned int i;

	fv_open(&plain);
	/* Itself, its queues, and two arrays of the session. */
	for (i = 1; i <= 4; i++) {
		shim_no_memory = i;
		vdev = vt_vdev_create(&fc.target, 4, &door, NULL);
		EXPECT(IS_ERR(vdev) && PTR_ERR(vdev) == -ENOMEM);
	}
	vdev = vt_vdev_create(&fc.target, 4, &door, NULL);
	if (EXPECT(!IS_ERR(vdev)))
		vt_vdev_destroy(vdev);
	fv_close();
}

TEST(attach, "a target has one session, but if it is shared; and units")
{
	struct vt_vdev *vdev;

	fv_open(&plain);
	vdev = vt_vdev_create(&fc.target, 4, &door, NULL);
	EXPECT_EQ(-EBUSY, vt_vdev_attach(vdev));
	fc.target.flags = VHOST_TARGET_F_SHARED;
	EXPECT_EQ(0, vt_vdev_attach(vdev));
	EXPECT_EQ(2, fc.target.nr_sessions);
	vt_vdev_detach(vdev);
	vt_vdev_detach(vdev);
	EXPECT_EQ(1, fc.target.nr_sessions);
	fc.target.dying = true;
	EXPECT_EQ(-ENOENT, vt_vdev_attach(vdev));
	fc.target.dying = false;
	fc.target.nr_units = 0;
	EXPECT_EQ(-ENXIO, vt_vdev_attach(vdev));
	fc.target.nr_units = 1;
	vt_vdev_destroy(vdev);
	fv_close();
}

/* One of user 7, given up again if it was attached. */
static int attach_as(const struct cred *cred)
{
	struct vt_vdev *vdev = vt_vdev_create(&fc.target, 4, &door, NULL);
	int err;

	vdev->s.opener = cred;
	err = vt_vdev_attach(vdev);
	vt_vdev_destroy(vdev);
	return err;
}

extern uint *shim_param_user_sessions, *shim_param_user_queues;

TEST(user_limits, "a user's sessions and queues are limited, but not of who may exceed it")
{
	static struct user_namespace other_ns;
	struct cred cred = { .euid = { 7 }, .user_ns = &init_user_ns };
	struct vt_vdev *vdev;

	fv_open(&plain);
	fc.target.flags = VHOST_TARGET_F_SHARED;
	vdev = vt_vdev_create(&fc.target, 4, &door, NULL);
	vdev->s.opener = &cred;
	EXPECT_EQ(0, vt_vdev_attach(vdev));
	EXPECT_EQ(0, attach_as(&cred));
	*shim_param_user_sessions = 1;
	EXPECT_EQ(-EDQUOT, attach_as(&cred));
	EXPECT_EQ(1, fc.target.over_limit);
	*shim_param_user_sessions = 0;
	EXPECT_EQ(0, attach_as(&cred));
	*shim_param_user_queues = 8;
	EXPECT_EQ(0, attach_as(&cred));
	*shim_param_user_queues = 7;
	EXPECT_EQ(-EDQUOT, attach_as(&cred));
	*shim_param_user_queues = 3;
	EXPECT_EQ(-EDQUOT, attach_as(&cred));
	cred.cap_effective = 1ul << CAP_SYS_RESOURCE;
	EXPECT_EQ(0, attach_as(&cred));
	cred.user_ns = &other_ns;
	EXPECT_EQ(-EDQUOT, attach_as(&cred));
	cred = (struct cred) { .euid = { 8 }, .user_ns = &init_user_ns };
	EXPECT_EQ(-EDQUOT, attach_as(&cred));
	*shim_param_user_queues = 4;
	EXPECT_EQ(0, attach_as(&cred));
	/* The first user's last one goes, and another comes. */
	vt_vdev_destroy(vdev);
	cred.euid.val = 7;
	EXPECT_EQ(0, attach_as(&cred));
	EXPECT_EQ(5, fc.target.over_limit);
	shim_no_memory = 5;
	EXPECT_EQ(-ENOMEM, attach_as(&cred));
	EXPECT_EQ(5, fc.target.over_limit);
	*shim_param_user_sessions = 4096;
	*shim_param_user_queues = 65536;
	fv_close();
}

/* The next look may find other memory. */
TEST(memory_changed, "what a queue remembers of memory goes with its generation")
{
	struct one r;

	fv_open(&plain);
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 512, 0);
	fv_send(0, &r.c);
	EXPECT_EQ(0, fv.vdev->vqs[0].q.known_gen);
	fc.gmem.gen++;
	fv_send(0, &r.c);
	EXPECT_EQ(1, fv.vdev->vqs[0].q.known_gen);
	EXPECT_EQ(2, fv_ended(0));
	fc.gmem.gen = 0;
	fv_close();
}

/**
 * struct looks - what a queue knows of memory
 * @chunk: which is there; its pages are others than those of fc
 * @page: of it
 * @bytes: two pages, not next to each other
 */
struct looks {
	struct vt_chunk chunk;
	unsigned long page[VT_CHUNK_PAGES];
	struct page *bytes;
};

static struct looks looks;

static void looks_begin(void)
{
	fv_open(&plain);
	/* No chain asks for what is looked up here. */
	fc.may_read = NULL;
	fc.may_write = NULL;
	memset(&looks, 0, sizeof(looks));
	looks.bytes = aligned_alloc(PAGE_SIZE, 4 * PAGE_SIZE);
	looks.chunk.page = looks.page;
	looks.page[0] = (unsigned long)&looks.bytes[1];
	looks.page[1] = (unsigned long)&looks.bytes[3] | VT_PAGE_RO;
	xa_store(&fc.gmem.chunks, FC_BASE >> VT_CHUNK_SHIFT, &looks.chunk,
		 GFP_KERNEL);
	/* It is remembered with the first look. */
	vt_queue_expect(&fv.vdev->vqs[0].q, FC_BASE);
}

static void looks_end(void)
{
	xa_destroy(&fc.gmem.chunks);
	fc.gmem.gen = 0;
	fv_close();
	free(looks.bytes);
}

/* Is it page @n of the chunk's, as the queue remembers it? -1: not of those. */
static int looks_at(u64 addr, u32 len, bool write)
{
	struct page *page;
	unsigned int off;

	if (vt_queue_lookup(&fv.vdev->vqs[0].q, FC_BASE + addr, len, write,
			    &page, &off) != (int)len ||
	    off != addr % PAGE_SIZE || page < looks.bytes ||
	    page >= looks.bytes + 4)
		return -1;
	return page - looks.bytes;
}

TEST(memory_known, "of a chunk that is known a page is found without another look")
{
	looks_begin();
	EXPECT_EQ(1, looks_at(0, PAGE_SIZE, true));
	EXPECT_EQ(1, looks_at(17, PAGE_SIZE - 17, false));
	EXPECT_EQ(3, looks_at(PAGE_SIZE, PAGE_SIZE, false));
	EXPECT_EQ(3, looks_at(2 * PAGE_SIZE - 1, 1, false));
	EXPECT_EQ((long)&looks.bytes[3] + 8,
		  (long)vt_queue_expect(&fv.vdev->vqs[0].q,
					FC_BASE + PAGE_SIZE + 8));
	looks.chunk.contig = true;
	looks.chunk.first = (unsigned long)looks.bytes;
	EXPECT_EQ(0, looks_at(5, 1, true));
	EXPECT_EQ(3, looks_at(3 * PAGE_SIZE, PAGE_SIZE, true));
	looks.chunk.first |= VT_PAGE_RO;
	EXPECT_EQ(3, looks_at(3 * PAGE_SIZE, PAGE_SIZE, false));
	EXPECT_EQ(-1, looks_at(3 * PAGE_SIZE, PAGE_SIZE, true));
	looks_end();
}

TEST(memory_not_known, "more than a page, what is read-only, a hole are looked at anew")
{
	looks_begin();
	EXPECT_EQ(-1, looks_at(0, PAGE_SIZE + 1, false));
	EXPECT_EQ(-1, looks_at(1, PAGE_SIZE, false));
	EXPECT_EQ(-1, looks_at(PAGE_SIZE, 1, true));
	EXPECT_EQ(-1, looks_at(2 * PAGE_SIZE, 1, false));
	/* Of another chunk, for which it is remembered in the same place. */
	EXPECT_EQ(-1, looks_at(VT_QUEUE_CHUNKS * VT_CHUNK_SIZE, 1, false));
	EXPECT_EQ(-1, looks_at(0, 1, false));
	EXPECT_EQ(1, looks_at(0, 1, false));
	fc.gmem.gen++;
	EXPECT_EQ(-1, looks_at(0, 1, false));
	looks_end();
}

TEST(sync_in_flight, "memory that was taken away is waited for")
{
	struct one r;

	fv_open(&plain);
	fc.holds = true;
	one_rw(&r, VIRTIO_BLK_T_IN, 0, 512, 0);
	fv_offer(0, &r.c);
	fc_poll();
	EXPECT_EQ(0, fv_ended(0));
	vt_session_sync(&fv.vdev->s);
	EXPECT_EQ(1, fv_ended(0));
	fc.holds = true;
	fv_offer(0, &r.c);
	fc_poll();
	mutex_lock(&fc.disk[0].be.resv.fence_lock);
	vt_session_drain_io(&fv.vdev->s, &fc.disk[0].be);
	mutex_unlock(&fc.disk[0].be.resv.fence_lock);
	EXPECT_EQ(2, fv_ended(0));
	fv_close();
}

TEST(module, "the module comes and goes, or does not come at all")
{
	EXPECT(fc_module_lives());
}
