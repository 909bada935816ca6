// SPDX-License-Identifier: GPL-2.0
/* Two initiators and the reservations of their backend. */
#include <string.h>

#include "scsi_bed.h"

#define KEY(who)	(0x1111ULL * ((who) + 1))
#define WRITE_EX_REG	5
#define EX_ACCESS	3

static u8 pr_out(struct sbed *b, unsigned int who, u8 sa, u8 type, u64 key,
		 u64 new_key)
{
	sbed_task(b, who, CDB(0x5f, sa, type, 0, 0, B32(24), 0), 24, 0);
	put_unaligned_be64(key, b->out);
	put_unaligned_be64(new_key, b->out + 8);
	return sbed_go(b);
}

static u8 do_write(struct sbed *b, unsigned int who)
{
	return sbed_run(b, who, CDB(0x2a, 0, B32(0), 0, B16(1), 0), 512, 0);
}

static u8 do_read(struct sbed *b, unsigned int who)
{
	return sbed_run(b, who, CDB(0x28, 0, B32(0), 0, B16(1), 0), 0, 512);
}

static u8 do_same(struct sbed *b, unsigned int who)
{
	return sbed_run(b, who, CDB(0x41, 0, B32(0), 0, B16(1), 0), 512, 0);
}

/* Both are registered; the first holds a reservation. */
static struct sbed *reserved(u8 type)
{
	struct sbed *b = sbed_new();

	EXPECT_EQ(SCSI_GOOD, pr_out(b, 0, 0, 0, 0, KEY(0)));
	EXPECT_EQ(SCSI_GOOD, pr_out(b, 1, 0, 0, 0, KEY(1)));
	EXPECT_EQ(SCSI_GOOD, pr_out(b, 0, 1, type, KEY(0), 0));
	return b;
}

TEST(fence_exclusive, "fence: exclusive access keeps the other one out")
{
	struct sbed *b = reserved(EX_ACCESS);

	EXPECT_EQ(SCSI_GOOD, do_write(b, 0));
	EXPECT_EQ(SCSI_GOOD, do_read(b, 0));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, do_write(b, 1));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, do_read(b, 1));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, do_same(b, 1));
	EXPECT_EQ(SCSI_GOOD, sbed_run(b, 1, CDB(0, 0, 0, 0, 0, 0), 0, 0));
	EXPECT_EQ(SCSI_GOOD, pr_out(b, 0, 2, EX_ACCESS, KEY(0), 0));
	EXPECT_EQ(SCSI_GOOD, do_write(b, 1));
	sbed_free(b);
}

TEST(fence_preempt, "fence: who is preempted is told, drained, and kept out")
{
	struct sbed *b = reserved(WRITE_EX_REG);

	EXPECT_EQ(SCSI_GOOD, do_write(b, 1));
	EXPECT_EQ(SCSI_GOOD, pr_out(b, 0, 5, WRITE_EX_REG, KEY(0), KEY(1)));
	EXPECT_EQ(0, b->drained[0]);
	EXPECT_EQ(1, b->drained[1]);
	do_write(b, 1);
	EXPECT_CHECK(b, SCSI_UNIT_ATTENTION, 0x2a05);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, do_write(b, 1));
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, do_same(b, 1));
	EXPECT_EQ(SCSI_GOOD, do_read(b, 1));
	EXPECT_EQ(SCSI_GOOD, do_write(b, 0));
	sbed_free(b);
}

TEST(fence_between, "fence: a command that waited for its work item is stopped")
{
	struct sbed *b = reserved(WRITE_EX_REG);
	struct scsi_task late;

	sbed_task(b, 1, CDB(0x41, 0, B32(0), 0, B16(1), 0), 512, 0);
	EXPECT_EQ(SCSI_EXEC, scsi_task_parse(&b->task));
	late = b->task;
	EXPECT_EQ(SCSI_GOOD, pr_out(b, 0, 4, WRITE_EX_REG, KEY(0), KEY(1)));
	scsi_task_execute(&late);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, late.status);
	EXPECT_EQ(0, b->ops[VT_OP_WRITE] + b->ops[VT_OP_WRITE_ZEROES]);
	sbed_free(b);
}

static unsigned int nr_ios;

/* The second loses its right with the third I/O. */
static void fence_it(struct sbed *b)
{
	if (++nr_ios == 3)
		b->itl[1].resv.may = 0;
}

static void expect_fenced(struct sbed *b, const u8 *cdb, unsigned int cdb_len,
			  u64 out_len)
{
	nr_ios = 0;
	b->on_io = fence_it;
	b->itl[1].resv.may = VT_RESV_RW;
	sbed_task(b, 1, cdb, cdb_len, out_len, 0);
	memset(b->out, 0x5a, out_len);
	sbed_go(b);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, b->task.status);
	EXPECT_EQ(0, b->task.sense_len);
}

TEST(fence_pieces, "fence: a long command is stopped between its pieces")
{
	struct sbed *b = sbed_new();

	expect_fenced(b, CDB(0x41, 0, B32(0), 0, B16(500), 0), 512);
	EXPECT_EQ(3, b->ops[VT_OP_WRITE]);
	expect_fenced(b, CDB(0x2f, 0, B32(0), 0, B16(500), 0), 0);
	EXPECT_EQ(3, b->ops[VT_OP_READ]);
	/* Each piece is written, and then read. */
	expect_fenced(b, CDB(0x2e, 0, B32(0), 0, B16(500), 0), 500 * 512);
	EXPECT_EQ(3 + 2, b->ops[VT_OP_WRITE]);
	EXPECT_EQ(3 + 2, b->ops[VT_OP_READ]);
	sbed_free(b);
}

TEST(fence_clear, "fence: the other one is told of clear and release")
{
	struct sbed *b = reserved(WRITE_EX_REG);

	EXPECT_EQ(SCSI_GOOD, pr_out(b, 0, 2, WRITE_EX_REG, KEY(0), 0));
	EXPECT_EQ(0x2a04, scsi_ua_take(&b->itl[1]));
	EXPECT_EQ(SCSI_GOOD, pr_out(b, 0, 3, 0, KEY(0), 0));
	EXPECT_EQ(0x2a03, scsi_ua_take(&b->itl[1]));
	EXPECT_EQ(0, scsi_ua_take(&b->itl[0]));
	sbed_free(b);
}

TEST(fence_back, "fence: who comes back is still registered, or still fenced")
{
	struct sbed *b = reserved(WRITE_EX_REG);

	scsi_itl_detach(&b->itl[1]);
	scsi_itl_attach(&b->itl[1], &b->nexus[1], &b->lu);
	scsi_ua_take(&b->itl[1]);
	EXPECT_EQ(SCSI_GOOD, do_write(b, 1));
	EXPECT_EQ(SCSI_GOOD, pr_out(b, 0, 4, WRITE_EX_REG, KEY(0), KEY(1)));
	scsi_itl_detach(&b->itl[1]);
	scsi_itl_attach(&b->itl[1], &b->nexus[1], &b->lu);
	scsi_ua_take(&b->itl[1]);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, do_write(b, 1));
	sbed_free(b);
}

TEST(fence_reset, "fence: a reset of the unit does not lift a reservation")
{
	struct sbed *b = reserved(EX_ACCESS);

	scsi_lu_reset(&b->lu, SCSI_UA_LU_RESET);
	scsi_ua_take(&b->itl[1]);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT, do_read(b, 1));
	sbed_free(b);
}
