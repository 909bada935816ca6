// SPDX-License-Identifier: GPL-2.0
/* Host-managed disks: what is said of them, and what is done to zones. */
#include <string.h>

#include "scsi_bed.h"

#define ZONE(n)		((n) * SBED_ZONE_SECTORS)

#define REPORT(lba, alloc, options)	\
	CDB(0x95, 0, B64(lba), B32(alloc), options, 0)
#define ACTION(op, lba, all)	\
	CDB(0x94, op, B64(lba), 0, 0, 0, 0, all, 0)

static const u8 conds[] = {
	BLK_ZONE_COND_EMPTY, BLK_ZONE_COND_IMP_OPEN, BLK_ZONE_COND_EXP_OPEN,
	BLK_ZONE_COND_CLOSED, BLK_ZONE_COND_FULL, BLK_ZONE_COND_READONLY,
	BLK_ZONE_COND_OFFLINE,
};

static struct sbed *zoned(void)
{
	return sbed_new_with(sbed_set_zoned);
}

/* Zones 1 to 7 have each condition in turn. */
static struct sbed *motley(void)
{
	struct sbed *b = zoned();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(conds); i++)
		b->zones[1 + i].cond = conds[i];
	b->zones[3].wp = ZONE(3) + 17;
	b->zones[8].reset = 1;
	b->zones[9].non_seq = 1;
	return b;
}

TEST(zone_inquiry, "zones: a disk of type 14h, VPD B6, capacity of all zones")
{
	struct sbed *b = zoned(), *plain = sbed_new();

	sbed_run(b, 0, CDB(0x12, 0, 0, 0, 96, 0), 0, 96);
	EXPECT_EQ(0x14, b->in[0]);
	EXPECT_EQ(0x0620, get_unaligned_be16(b->in + 68));
	sbed_run(b, 0, CDB(0x12, 1, 0, 0, 96, 0), 0, 96);
	EXPECT_EQ(0x14, b->in[0]);
	EXPECT_EQ(0xb6, b->in[3 + b->in[3]]);
	sbed_run(b, 0, CDB(0x12, 1, 0xb6, 0, 96, 0), 0, 96);
	EXPECT_EQ(60, get_unaligned_be16(b->in + 2));
	EXPECT_EQ(0x01, b->in[4]);
	EXPECT_EQ(4, get_unaligned_be32(b->in + 16));
	b->be.limits.max_open_zones = 0;
	sbed_run(b, 0, CDB(0x12, 1, 0xb6, 0, 96, 0), 0, 96);
	EXPECT_EQ(0xffffffff, get_unaligned_be32(b->in + 16));
	sbed_run(b, 0, CDB(0x9e, 0x10, B64(0), B32(32), 0, 0), 0, 32);
	EXPECT_EQ(0x10, b->in[12]);
	sbed_run(plain, 0, CDB(0x12, 1, 0xb6, 0, 96, 0), 0, 96);
	EXPECT_BAD_CDB(plain, 2, -1);
	sbed_free(b);
	sbed_free(plain);
}

TEST(zone_none, "zones: other disks have no such commands")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, REPORT(0, 64, 0), 0, 64);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
	sbed_run(b, 0, ACTION(4, 0, 1), 0, 0);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
	sbed_run(b, 0, CDB(0xa3, 0x0c, 3, 0x95, 0, 0, B32(64), 0, 0), 0, 64);
	EXPECT_EQ(1, b->in[1]);
	sbed_free(b);
}

TEST(zone_report, "report zones: each as it is, from the one with the address")
{
	struct sbed *b = motley();
	unsigned int i;

	sbed_run(b, 0, REPORT(ZONE(1) + 5, 2048, 0), 0, 2048);
	EXPECT_GOOD(b);
	EXPECT_EQ(64 + 15 * 64, b->task.moved);
	EXPECT_EQ(15 * 64, get_unaligned_be32(b->in));
	EXPECT_EQ(SBED_SECTORS - 1, get_unaligned_be64(b->in + 8));
	for (i = 1; i < SBED_ZONES; i++) {
		const u8 *p = b->in + i * 64;
		u8 cond = b->zones[i].cond;
		bool wp = cond < BLK_ZONE_COND_READONLY;

		EXPECT_EQ(2, p[0]);
		EXPECT_EQ(cond, p[1] >> 4);
		EXPECT_EQ(i == 8 ? 1 : i == 9 ? 2 : 0, p[1] & 0x0f);
		EXPECT_EQ(SBED_ZONE_SECTORS, get_unaligned_be64(p + 8));
		EXPECT_EQ(ZONE(i), get_unaligned_be64(p + 16));
		EXPECT_EQ(wp ? b->zones[i].wp : U64_MAX,
			  get_unaligned_be64(p + 24));
		EXPECT(!memchr_inv(p + 32, 0, 32));
	}
	sbed_run(b, 0, REPORT(0, 128, 0x80), 0, 128);
	EXPECT_EQ(1, b->in[64]);
	EXPECT_EQ(0, b->in[65]);
	EXPECT_EQ(U64_MAX, get_unaligned_be64(b->in + 64 + 24));
	sbed_free(b);
}

/* Zones that an option reports of the motley disk. */
static unsigned int reported(struct sbed *b, u8 option)
{
	sbed_run(b, 0, REPORT(0, 2048, option), 0, 2048);
	EXPECT_GOOD(b);
	EXPECT_EQ(64 + get_unaligned_be32(b->in), b->task.moved);
	return get_unaligned_be32(b->in) / 64;
}

TEST(zone_options, "report zones: those of one condition, or kind")
{
	struct sbed *b = motley();
	u8 option;

	EXPECT_EQ(16, reported(b, 0x00));
	EXPECT_EQ(16, reported(b, 0x3e));
	EXPECT_EQ(1, reported(b, 0x3f));
	EXPECT_EQ(1, b->in[64]);
	EXPECT_EQ(1, reported(b, 0x10));
	EXPECT_EQ(1, reported(b, 0x11));
	EXPECT_EQ(9, reported(b, 0x01));
	for (option = 2; option <= 7; option++) {
		EXPECT_EQ(1, reported(b, option));
		EXPECT_EQ(conds[option - 1], b->in[65] >> 4);
	}
	for (option = 8; option < 0x3e; option++) {
		if (option == 0x10 || option == 0x11)
			continue;
		sbed_run(b, 0, REPORT(0, 2048, option), 0, 2048);
		EXPECT_BAD_CDB(b, 14, 5);
	}
	sbed_free(b);
}

TEST(zone_report_short, "report zones: the length is of all, or of what fits")
{
	struct sbed *b = zoned();
	u32 alloc;

	for (alloc = 0; alloc <= 64 * 18; alloc += 8) {
		u32 fit = alloc < 64 ? 0 : min(alloc / 64 - 1, 16U);

		sbed_run(b, 0, REPORT(0, alloc, 0), 0, alloc);
		EXPECT_GOOD(b);
		EXPECT_EQ(min(alloc, 17 * 64U), b->task.moved);
		if (alloc >= 4)
			EXPECT_EQ(16 * 64, get_unaligned_be32(b->in));
		sbed_run(b, 0, REPORT(0, alloc, 0x80), 0, alloc);
		EXPECT_GOOD(b);
		EXPECT_EQ(alloc < 64 ? alloc : 64 + fit * 64, b->task.moved);
		if (alloc >= 4)
			EXPECT_EQ(fit * 64, get_unaligned_be32(b->in));
	}
	sbed_run(b, 0, REPORT(SBED_SECTORS, 64, 0), 0, 64);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	b->fail = BLK_STS_TIMEOUT;
	b->fail_op = VT_OP_READ;
	sbed_run(b, 0, REPORT(0, 64, 0), 0, 64);
	EXPECT_CHECK(b, SCSI_ABORTED_COMMAND, SCSI_ASC_TIMEOUT);
	sbed_free(b);
}

/* What an action does to a zone in such a condition. */
static void one(u8 op, u8 cond, u8 want, u16 asc)
{
	struct sbed *b = zoned();

	b->zones[5].cond = cond;
	sbed_run(b, 0, ACTION(op, ZONE(5), 0), 0, 0);
	if (asc)
		EXPECT_CHECK(b, SCSI_DATA_PROTECT, asc);
	else
		EXPECT_GOOD(b);
	EXPECT_EQ(want, b->zones[5].cond);
	EXPECT_EQ(cond != want, b->zone_ops[op]);
	sbed_free(b);
}

TEST(zone_one, "zone actions: what each does to a zone in each condition")
{
	static const u8 want[][5] = {
		/* of empty, implicitly and explicitly open, closed, full */
		[SCSI_ZONE_CLOSE] = { 1, 4, 4, 4, 14 },
		[SCSI_ZONE_FINISH] = { 14, 14, 14, 14, 14 },
		[SCSI_ZONE_OPEN] = { 3, 3, 3, 3, 14 },
		[SCSI_ZONE_RESET] = { 1, 1, 1, 1, 1 },
	};
	unsigned int i;
	u8 op;

	for (op = SCSI_ZONE_CLOSE; op <= SCSI_ZONE_RESET; op++) {
		for (i = 0; i < 5; i++)
			one(op, conds[i], want[op][i], 0);
		one(op, BLK_ZONE_COND_READONLY, BLK_ZONE_COND_READONLY, 0x2708);
		one(op, BLK_ZONE_COND_OFFLINE, BLK_ZONE_COND_OFFLINE, 0x2c0e);
	}
}

static void all(u8 op, const u8 want[7])
{
	struct sbed *b = motley();
	unsigned int i;

	/* The address does not matter. */
	sbed_run(b, 0, ACTION(op, ~0ull, 1), 0, 0);
	EXPECT_GOOD(b);
	for (i = 0; i < 7; i++)
		EXPECT_EQ(want[i], b->zones[1 + i].cond);
	EXPECT_EQ(BLK_ZONE_COND_NOT_WP, b->zones[0].cond);
	EXPECT_EQ(BLK_ZONE_COND_EMPTY, b->zones[15].cond);
	sbed_free(b);
}

TEST(zone_all, "zone actions: ALL leaves alone what it must")
{
	all(SCSI_ZONE_CLOSE, (const u8[]){ 1, 4, 4, 4, 14, 13, 15 });
	all(SCSI_ZONE_FINISH, (const u8[]){ 1, 14, 14, 14, 14, 13, 15 });
	all(SCSI_ZONE_OPEN, (const u8[]){ 1, 2, 3, 3, 14, 13, 15 });
	all(SCSI_ZONE_RESET, (const u8[]){ 1, 1, 1, 1, 1, 13, 15 });
}

TEST(zone_refused, "zone actions: of no zone's first block, or no such zone")
{
	struct sbed *b = zoned();
	u8 op;

	for (op = SCSI_ZONE_CLOSE; op <= SCSI_ZONE_RESET; op++) {
		sbed_run(b, 0, ACTION(op, ZONE(5) + 1, 0), 0, 0);
		EXPECT_BAD_CDB(b, 2, -1);
		sbed_run(b, 0, ACTION(op, 0, 0), 0, 0);
		EXPECT_BAD_CDB(b, 2, -1);
		sbed_run(b, 0, ACTION(op, SBED_SECTORS, 0), 0, 0);
		EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	}
	b->fail = BLK_STS_ZONE_OPEN_RESOURCE;
	b->fail_op = VT_OP_WRITE;
	sbed_run(b, 0, ACTION(SCSI_ZONE_OPEN, ZONE(3), 0), 0, 0);
	EXPECT_CHECK(b, SCSI_DATA_PROTECT, SCSI_ASC_ZONE_RESOURCES);
	sbed_free(b);
}

static void shrink(struct sbed *b)
{
	b->be.limits.sectors = 0;
}

TEST(zone_gone, "report zones: of a disk that shrinks to nothing meanwhile")
{
	struct sbed *b = zoned();

	b->on_io = shrink;
	sbed_run(b, 0, REPORT(0, 1024, 0), 0, 1024);
	EXPECT_CHECK(b, SCSI_NOT_READY, SCSI_ASC_NEED_MANUAL);
	sbed_free(b);
}

TEST(zone_write, "zones: a write that is not at the write pointer")
{
	struct sbed *b = zoned(), *plain = sbed_new();

	b->fail = BLK_STS_IOERR;
	b->fail_op = VT_OP_WRITE;
	sbed_run(b, 0, CDB(0x2a, 0, B32(ZONE(1) + 8), 0, B16(1), 0), 512, 0);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_UNALIGNED_WRITE);
	b->fail_op = VT_OP_READ;
	b->fail_after = 0;
	sbed_run(b, 0, CDB(0x28, 0, B32(ZONE(1) + 8), 0, B16(1), 0), 0, 512);
	EXPECT_CHECK(b, SCSI_HARDWARE_ERROR, SCSI_ASC_TARGET_FAILURE);
	plain->fail = BLK_STS_IOERR;
	plain->fail_op = VT_OP_WRITE;
	sbed_run(plain, 0, CDB(0x2a, 0, B32(8), 0, B16(1), 0), 512, 0);
	EXPECT_CHECK(plain, SCSI_HARDWARE_ERROR, SCSI_ASC_TARGET_FAILURE);
	sbed_free(b);
	sbed_free(plain);
}
