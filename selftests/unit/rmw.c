// SPDX-License-Identifier: GPL-2.0
/* Reading and writing blocks as one: whom a write waits for, and who for it. */
#include <string.h>

#include <vhost_target/backend.h>

#include "shim/hook.h"
#include "unit.h"

#define NR	8

/**
 * struct rbed - a backend that keeps what it is given
 * @be: it
 * @io: some
 * @given: of them, in this order
 * @nr: number
 * @ended: how many have ended
 */
struct rbed {
	struct vt_backend be;
	struct vt_io io[NR];
	struct vt_io *given[NR];
	unsigned int nr;
	unsigned int ended;
};

static struct rbed *bed;

static void submit(struct vt_io *io)
{
	if (EXPECT(bed->nr < NR))
		bed->given[bed->nr++] = io;
}

static void io_done(struct vt_io *io)
{
	(void)io;
	bed->ended++;
}

static const struct vt_backend_ops ops = {
	.submit = submit,
};

static struct rbed *rbed_new(void)
{
	static struct rbed b;

	memset(&b, 0, sizeof(b));
	b.be.ops = &ops;
	EXPECT_EQ(0, vt_rmw_init(&b.be.rmw));
	bed = &b;
	shim_on_wait = NULL;
	return &b;
}

static struct vt_io *io_on(struct rbed *b, unsigned int i, u8 op, u64 sector,
			   u32 nr)
{
	struct vt_io *io = &b->io[i];

	io->be = &b->be;
	io->done = io_done;
	io->op = op;
	io->sector = sector;
	io->bytes = nr * SECTOR_SIZE;
	vt_io_submit(io);
	return io;
}

static struct vt_io *write_on(struct rbed *b, unsigned int i, u64 sector,
			      u32 nr)
{
	return io_on(b, i, VT_OP_WRITE, sector, nr);
}

/* All that the backend was given ends. */
static void end_all(void)
{
	while (bed->nr)
		vt_io_end(bed->given[--bed->nr], BLK_STS_OK);
}

static void end_first(void)
{
	vt_io_end(bed->given[0], BLK_STS_OK);
	memmove(bed->given, bed->given + 1, --bed->nr * sizeof(bed->given[0]));
}

TEST(rmw_first, "rmw: the first one waits for all writes there are, once")
{
	struct rbed *b = rbed_new();

	write_on(b, 0, 1000, 8);
	io_on(b, 1, VT_OP_READ, 0, 8);
	shim_on_wait = end_all;
	vt_rmw_begin(&b->be, 0, 8);
	EXPECT_EQ(2, b->ended);
	vt_rmw_end(&b->be);
	/* Now it is known which write is where. */
	shim_on_wait = NULL;
	write_on(b, 0, 1000, 8);
	vt_rmw_begin(&b->be, 0, 8);
	vt_rmw_end(&b->be);
	end_all();
	vt_rmw_destroy(&b->be.rmw);
}

TEST(rmw_waits, "rmw: writes to its sectors are waited for, others are not")
{
	struct rbed *b = rbed_new();

	vt_rmw_begin(&b->be, 0, 8);
	vt_rmw_end(&b->be);
	write_on(b, 0, 99, 2);
	write_on(b, 1, 92, 8);
	write_on(b, 2, 108, 4);
	io_on(b, 3, VT_OP_READ, 100, 8);
	shim_on_wait = end_first;
	vt_rmw_begin(&b->be, 100, 8);
	EXPECT_EQ(1, b->ended);
	EXPECT_EQ(3, b->nr);
	vt_rmw_end(&b->be);
	end_all();
	vt_rmw_destroy(&b->be.rmw);
}

TEST(rmw_holds, "rmw: writes to its sectors are held until its end")
{
	struct rbed *b = rbed_new();
	struct vt_io *own = &b->io[5];

	vt_rmw_begin(&b->be, 100, 8);
	write_on(b, 0, 107, 1);
	write_on(b, 1, 108, 1);
	write_on(b, 2, 90, 30);
	write_on(b, 3, 99, 1);
	io_on(b, 4, VT_OP_READ, 100, 8);
	EXPECT_EQ(3, b->nr);
	/* But not its own. */
	own->flags = VT_IO_RMW;
	write_on(b, 5, 100, 8);
	EXPECT_EQ(4, b->nr);
	EXPECT(b->given[3] == own);
	vt_rmw_end(&b->be);
	EXPECT_EQ(6, b->nr);
	EXPECT(b->given[4] == &b->io[0] && b->given[5] == &b->io[2]);
	/* The next one finds those in flight. */
	shim_on_wait = end_all;
	vt_rmw_begin(&b->be, 119, 1);
	EXPECT_EQ(6, b->ended);
	vt_rmw_end(&b->be);
	vt_rmw_destroy(&b->be.rmw);
}

TEST(rmw_ranges, "rmw: each range of a discard counts, a flush does not")
{
	struct rbed *b = rbed_new();
	struct vt_range r[] = { { .sector = 0, .nr_sectors = 8 },
				{ .sector = 104, .nr_sectors = 1 } };
	unsigned int i;

	vt_rmw_begin(&b->be, 100, 8);
	for (i = 0; i < 2; i++) {
		b->io[i].range = r;
		b->io[i].nr_ranges = 1 + i;
		io_on(b, i, i ? VT_OP_DISCARD : VT_OP_WRITE_ZEROES, 0, 0);
	}
	io_on(b, 2, VT_OP_FLUSH, 0, 0);
	EXPECT_EQ(2, b->nr);
	EXPECT(b->given[0] == &b->io[0] && b->given[1] == &b->io[2]);
	vt_rmw_end(&b->be);
	EXPECT_EQ(3, b->nr);
	end_all();
	EXPECT_EQ(3, b->ended);
	vt_rmw_destroy(&b->be.rmw);
}
