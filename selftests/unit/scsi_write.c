// SPDX-License-Identifier: GPL-2.0
/* Commands that compare, repeat or deallocate blocks. */
#include <string.h>

#include <linux/vhost_target.h>

#include "scsi_bed.h"

#define RW10(op, f, lba, nr)	CDB(op, f, B32(lba), 0, B16(nr), 0)
#define RW12(op, f, lba, nr)	CDB(op, f, B32(lba), B32(nr), 0, 0)
#define RW16(op, f, lba, nr)	CDB(op, f, B64(lba), B32(nr), 0, 0)
#define CAW(f, lba, nr)		CDB(0x89, f, B64(lba), 0, 0, 0, nr, 0, 0)
#define UNMAP(len)		CDB(0x42, 0, 0, 0, 0, 0, 0, B16(len), 0)

/* A command with these data; they are of @seed. */
static void go(struct sbed *b, const u8 *cdb, unsigned int len, u32 blocks,
	       u8 seed)
{
	sbed_task(b, 0, cdb, len, blocks * 512, 0);
	sbed_pattern(b->out, blocks * 512, seed);
	sbed_go(b);
}

TEST(verify_medium, "verify: without a byte check all blocks are read")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, RW10(0x2f, 0, 100, 500), 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(8, b->ops[VT_OP_READ]);
	b->fail = BLK_STS_MEDIUM;
	b->fail_op = VT_OP_READ;
	b->fail_after = 5;
	sbed_run(b, 0, RW16(0x8f, 0, 100, 500), 0, 0);
	EXPECT_CHECK(b, SCSI_MEDIUM_ERROR, SCSI_ASC_READ_ERROR);
	sbed_run(b, 0, RW10(0x2f, 0, 100, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_free(b);
}

TEST(verify_data, "verify: data that differ anywhere are a miscompare")
{
	struct sbed *b = sbed_new();

	sbed_fill(b, 50, 200, 1);
	go(b, RW10(0x2f, 0x02, 50, 200), 200, 1);
	EXPECT_GOOD(b);
	EXPECT_EQ(200 * 512, b->task.moved);
	go(b, RW12(0xaf, 0x12, 50, 200), 200, 1);
	EXPECT_GOOD(b);
	b->disk[249 * 512 + 511] ^= 1;
	go(b, RW16(0x8f, 0x02, 50, 200), 200, 1);
	EXPECT_CHECK(b, SCSI_MISCOMPARE, SCSI_ASC_MISCOMPARE);
	go(b, RW10(0x2f, 0x02, 50, 199), 199, 1);
	EXPECT_GOOD(b);
	go(b, RW10(0x2f, 0x02, 50, 200), 199, 1);
	EXPECT(b->task.overrun);
	sbed_free(b);
}

TEST(verify_same, "verify: one block can be compared with many")
{
	struct sbed *b = sbed_new();
	unsigned int i;

	for (i = 0; i < 150; i++)
		sbed_pattern(b->disk + i * 512, 512, 8);
	go(b, RW10(0x2f, 0x06, 0, 150), 1, 8);
	EXPECT_GOOD(b);
	EXPECT_EQ(512, b->task.moved);
	b->disk[149 * 512 + 3] ^= 0x80;
	go(b, RW10(0x2f, 0x06, 0, 150), 1, 8);
	EXPECT_CHECK(b, SCSI_MISCOMPARE, SCSI_ASC_MISCOMPARE);
	/* Of no blocks there is not even the one. */
	go(b, RW10(0x2f, 0x06, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_free(b);
}

TEST(verify_bytchk, "verify: BYTCHK 2 is refused, in writes 3 as well")
{
	struct sbed *b = sbed_new();

	go(b, RW10(0x2f, 0x04, 0, 1), 1, 0);
	EXPECT_BAD_CDB(b, 1, 2);
	go(b, RW16(0x8e, 0x04, 0, 1), 1, 0);
	EXPECT_BAD_CDB(b, 1, 2);
	go(b, RW12(0xae, 0x06, 0, 1), 1, 0);
	EXPECT_BAD_CDB(b, 1, 2);
	sbed_free(b);
}

TEST(write_verify, "write and verify: writes to the medium and reads it again")
{
	struct sbed *b = sbed_new();

	go(b, RW10(0x2e, 0x00, 9, 100), 100, 3);
	EXPECT_GOOD(b);
	EXPECT(sbed_is(b, 9, 100, 3));
	EXPECT_EQ(2, b->ops[VT_OP_WRITE]);
	EXPECT_EQ(2, b->ops[VT_OP_READ]);
	EXPECT_EQ(2, b->fua);
	go(b, RW12(0xae, 0x02, 9, 100), 100, 4);
	EXPECT_GOOD(b);
	EXPECT(sbed_is(b, 9, 100, 4));
	go(b, RW16(0x8e, 0x10, 9, 1), 1, 5);
	EXPECT_GOOD(b);
	EXPECT(sbed_is(b, 9, 1, 5));
	sbed_free(b);
}

static void spoil(struct sbed *b)
{
	/* What was just written is gone. */
	if (b->ops[VT_OP_WRITE])
		b->disk[9 * 512 + 100] ^= 4;
}

TEST(write_verify_bad, "write and verify: a medium that forgets is found out")
{
	struct sbed *b = sbed_new();

	b->on_io = spoil;
	go(b, RW10(0x2e, 0x02, 9, 1), 1, 3);
	EXPECT_CHECK(b, SCSI_MISCOMPARE, SCSI_ASC_MISCOMPARE);
	sbed_free(b);
}

/* Data of COMPARE AND WRITE: @nr blocks of @old, then of @new. */
static void caw(struct sbed *b, const u8 *cdb, unsigned int len, u32 nr,
		u8 old, u8 new)
{
	sbed_task(b, 0, cdb, len, 2 * nr * 512, 0);
	sbed_pattern(b->out, nr * 512, old);
	sbed_pattern(b->out + nr * 512, nr * 512, new);
	sbed_go(b);
}

TEST(caw_good, "compare and write: writes what compares")
{
	struct sbed *b = sbed_new();

	sbed_fill(b, 30, 4, 1);
	caw(b, CAW(0, 30, 4), 4, 1, 2);
	EXPECT_GOOD(b);
	EXPECT(sbed_is(b, 30, 4, 2));
	EXPECT_EQ(0, scsi_task_residual(&b->task));
	EXPECT_EQ(0, b->fua);
	caw(b, CAW(0x08, 30, 4), 4, 2, 3);
	EXPECT_GOOD(b);
	EXPECT_EQ(1, b->fua);
	b->lu.wce = false;
	caw(b, CAW(0x10, 30, 4), 4, 3, 4);
	EXPECT_GOOD(b);
	EXPECT_EQ(2, b->fua);
	EXPECT(sbed_is(b, 30, 4, 4));
	sbed_free(b);
}

TEST(caw_differs, "compare and write: a difference stops it, and is named")
{
	struct sbed *b = sbed_new();
	u32 i;

	sbed_fill(b, 30, 4, 1);
	for (i = 0; i < 4 * 512; i += 511) {
		b->disk[30 * 512 + i] ^= 1;
		caw(b, CAW(0, 30, 4), 4, 1, 2);
		EXPECT_CHECK(b, SCSI_MISCOMPARE, SCSI_ASC_MISCOMPARE);
		EXPECT_EQ(i, sbed_info(b));
		b->disk[30 * 512 + i] ^= 1;
	}
	EXPECT(sbed_is(b, 30, 4, 1));
	EXPECT_EQ(0, b->ops[VT_OP_WRITE]);
	sbed_free(b);
}

TEST(caw_limits, "compare and write: up to the number that VPD B0 tells")
{
	struct sbed *b = sbed_new();

	caw(b, CAW(0, 0, 0), 0, 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(SCSI_DONE, b->verdict);
	EXPECT_EQ(64, scsi_max_caw(&b->lu));
	sbed_fill(b, 0, 64, 1);
	caw(b, CAW(0, 0, 64), 64, 1, 2);
	EXPECT_GOOD(b);
	EXPECT(sbed_is(b, 0, 64, 2));
	caw(b, CAW(0, 0, 65), 65, 2, 3);
	EXPECT_BAD_CDB(b, 13, -1);
	caw(b, CAW(0, SBED_SECTORS - 1, 2), 2, 2, 3);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	sbed_task(b, 0, CAW(0, 0, 2), 3 * 512, 0);
	sbed_go(b);
	EXPECT(b->task.overrun);
	EXPECT(sbed_is(b, 0, 64, 2));
	sbed_free(b);
}

static unsigned int unlocked;

static void look_at_lock(struct sbed *b)
{
	unlocked += b->rmw.sector != 30 || b->rmw.nr_sectors != 4;
}

TEST(caw_atomic, "compare and write, orwrite: are one for all of a backend")
{
	struct sbed *b = sbed_new();

	unlocked = 0;
	sbed_fill(b, 30, 4, 1);
	b->on_io = look_at_lock;
	caw(b, CAW(0, 30, 4), 4, 1, 2);
	EXPECT_GOOD(b);
	go(b, RW16(0x8b, 0, 30, 4), 4, 1);
	EXPECT_GOOD(b);
	EXPECT_EQ(0, unlocked);
	/* What they found out does not keep it locked. */
	caw(b, CAW(0, 30, 4), 4, 1, 2);
	EXPECT_CHECK(b, SCSI_MISCOMPARE, SCSI_ASC_MISCOMPARE);
	EXPECT_EQ(0, b->rmw.nr_sectors);
	EXPECT_EQ(2, b->rmw_writes);
	sbed_free(b);
}

TEST(caw_null, "verify, compare and write: see no memory of the kernel's")
{
	struct sbed *b = sbed_new();

	b->reads_nothing = true;
	sbed_run(b, 0, RW10(0x2f, 0x02, 0, 64), 64 * 512, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, CAW(0, 0, 4), 8 * 512, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, RW16(0x88, 0x08, 0, 4), 0, 4 * 512);
	EXPECT_GOOD(b);
	EXPECT(!memchr_inv(b->in, 0, 4 * 512));
	sbed_free(b);
}

TEST(orwrite, "orwrite: sets bits")
{
	struct sbed *b = sbed_new();
	u32 i;

	memset(b->disk, 0x50, 150 * 512);
	sbed_task(b, 0, RW16(0x8b, 0, 0, 150), 150 * 512, 0);
	memset(b->out, 0x05, 150 * 512);
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(150 * 512, b->task.moved);
	for (i = 0; i < 150 * 512 && b->disk[i] == 0x55; i++)
		;
	EXPECT_EQ(150 * 512, i);
	EXPECT_EQ(0, b->disk[i]);
	sbed_free(b);
}

TEST(same_data, "write same: one block is written many times")
{
	struct sbed *b = sbed_new();
	u32 i;

	sbed_fill(b, 0, 400, 1);
	go(b, RW10(0x41, 0, 5, 300), 1, 9);
	EXPECT_GOOD(b);
	EXPECT_EQ(512, b->task.moved);
	EXPECT_EQ(0, b->ops[VT_OP_WRITE_ZEROES]);
	for (i = 5; i < 305; i++)
		EXPECT(sbed_is(b, i, 1, 9));
	EXPECT(sbed_is(b, 0, 5, 1));
	EXPECT(!sbed_is(b, 305, 1, 9));
	EXPECT_EQ(0, b->ops[VT_OP_FLUSH]);
	go(b, RW16(0x93, 0, 5, 1), 1, 10);
	EXPECT_GOOD(b);
	EXPECT(sbed_is(b, 5, 1, 10));
	sbed_free(b);
}

TEST(same_zero, "write same: zeroes are left to the backend")
{
	struct sbed *b = sbed_new();

	sbed_fill(b, 0, 4096, 1);
	sbed_run(b, 0, RW10(0x41, 0, 5, 300), 512, 0);
	EXPECT_GOOD(b);
	EXPECT(sbed_is_zero(b, 5, 300));
	EXPECT_EQ(1, b->ops[VT_OP_WRITE_ZEROES]);
	EXPECT_EQ(0, b->range.flags);
	/* UNMAP: it may deallocate. NDOB: no block is given. */
	sbed_run(b, 0, RW16(0x93, 0x08, 400, 10), 512, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(VT_RANGE_UNMAP, b->range.flags);
	sbed_run(b, 0, RW16(0x93, 0x01, 500, 10), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, RW16(0x93, 0x09, 600, 10), 0, 0);
	EXPECT_GOOD(b);
	EXPECT(sbed_is_zero(b, 400, 10) && sbed_is_zero(b, 500, 10) &&
	       sbed_is_zero(b, 600, 10));
	EXPECT_EQ(0, b->ops[VT_OP_WRITE]);
	/* A block that is not zero is written, whatever UNMAP says. */
	go(b, RW16(0x93, 0x08, 700, 3), 1, 7);
	EXPECT_GOOD(b);
	EXPECT(sbed_is(b, 701, 1, 7));
	sbed_free(b);
}

static void set_no_zeroes(struct sbed *b, struct scsi_lu_params *p)
{
	(void)p;
	b->be.limits.max_write_zeroes_sectors = 0;
}

TEST(same_no_zeroes, "write same: zeroes are written if there is no other way")
{
	struct sbed *b = sbed_new_with(set_no_zeroes);

	sbed_fill(b, 0, 400, 1);
	sbed_run(b, 0, RW16(0x93, 0x01, 5, 300), 0, 0);
	EXPECT_GOOD(b);
	EXPECT(sbed_is_zero(b, 5, 300));
	EXPECT_EQ(5, b->ops[VT_OP_WRITE]);
	sbed_free(b);
}

TEST(same_limits, "write same: none, and more than VPD B0 tells, are refused")
{
	struct sbed *b = sbed_new();

	go(b, RW10(0x41, 0, 0, 0), 1, 0);
	EXPECT_BAD_CDB(b, 7, -1);
	go(b, RW16(0x93, 0, 0, 0), 1, 0);
	EXPECT_BAD_CDB(b, 10, -1);
	EXPECT_EQ(SBED_MAX_ZEROES, scsi_max_same(&b->lu));
	go(b, RW16(0x93, 0, 0, SBED_MAX_ZEROES), 1, 1);
	EXPECT_GOOD(b);
	go(b, RW16(0x93, 0, 0, SBED_MAX_ZEROES + 1), 1, 0);
	EXPECT_BAD_CDB(b, 10, -1);
	go(b, RW16(0x93, 0, 0, 1), 0, 0);
	EXPECT(b->task.overrun);
	sbed_free(b);
}

TEST(same_settle, "write same, unmap: end stable where there is no cache")
{
	struct sbed *b = sbed_new();

	b->lu.wce = false;
	go(b, RW10(0x41, 0, 5, 30), 1, 9);
	EXPECT_GOOD(b);
	EXPECT_EQ(1, b->ops[VT_OP_FLUSH]);
	b->fail = BLK_STS_IOERR;
	b->fail_op = VT_OP_FLUSH;
	go(b, RW10(0x41, 0, 5, 30), 1, 9);
	EXPECT_CHECK(b, SCSI_HARDWARE_ERROR, SCSI_ASC_TARGET_FAILURE);
	sbed_free(b);
}

static void set_no_unmap(struct sbed *b, struct scsi_lu_params *p)
{
	(void)b;
	p->flags = VHOST_TARGET_UNIT_F_NO_DISCARD;
}

TEST(same_no_unmap, "write same, unmap: not where nothing is deallocated")
{
	struct sbed *b = sbed_new_with(set_no_unmap);

	go(b, RW10(0x41, 0x08, 0, 1), 1, 0);
	EXPECT_BAD_CDB(b, 1, 3);
	go(b, RW16(0x93, 0x09, 0, 1), 0, 0);
	EXPECT_BAD_CDB(b, 1, 3);
	sbed_run(b, 0, UNMAP(8), 8, 0);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
	sbed_free(b);
}

/* An UNMAP list of @nr descriptors, which a test then spoils. */
static void unmap_list(struct sbed *b, unsigned int nr, u32 out_len)
{
	sbed_task(b, 0, UNMAP(8 + 16 * nr), out_len, 0);
	put_unaligned_be16(6 + 16 * nr, b->out);
	put_unaligned_be16(16 * nr, b->out + 2);
}

static void unmap_desc(struct sbed *b, unsigned int i, u64 lba, u32 nr)
{
	put_unaligned_be64(lba, b->out + 8 + 16 * i);
	put_unaligned_be32(nr, b->out + 16 + 16 * i);
}

static bool is_unmapped(const struct sbed *b, u64 lba, u32 nr)
{
	return !memchr_inv(b->disk + lba * 512, 0xdd, nr * 512);
}

TEST(unmap_good, "unmap: deallocates each of its ranges and no more")
{
	struct sbed *b = sbed_new();

	unmap_list(b, 3, 56);
	unmap_desc(b, 0, 8, 8);
	unmap_desc(b, 1, 100, 0);
	unmap_desc(b, 2, SBED_SECTORS - 3, 3);
	EXPECT_EQ(SCSI_GOOD, sbed_go(b));
	EXPECT_EQ(56, b->task.moved);
	EXPECT(is_unmapped(b, 8, 8));
	EXPECT(is_unmapped(b, SBED_SECTORS - 3, 3));
	EXPECT(sbed_is_zero(b, 0, 8));
	EXPECT(sbed_is_zero(b, 16, SBED_SECTORS - 19));
	EXPECT_EQ(2, b->ops[VT_OP_DISCARD]);
	sbed_free(b);
}

TEST(unmap_none, "unmap: an empty list, and one without ranges, do nothing")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, UNMAP(0), 0, 0);
	EXPECT_GOOD(b);
	unmap_list(b, 0, 8);
	EXPECT_EQ(SCSI_GOOD, sbed_go(b));
	/* Less than a descriptor is none. */
	unmap_list(b, 1, 24);
	put_unaligned_be16(15, b->out + 2);
	EXPECT_EQ(SCSI_GOOD, sbed_go(b));
	EXPECT_EQ(0, b->ops[VT_OP_DISCARD]);
	sbed_free(b);
}

TEST(unmap_lengths, "unmap: lengths that contradict each other are refused")
{
	struct sbed *b = sbed_new();
	u32 n;

	for (n = 1; n < 8; n++) {
		sbed_run(b, 0, UNMAP(n), 8, 0);
		EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST,
			     SCSI_ASC_PARAM_LIST_LENGTH);
	}
	unmap_list(b, 2, 40);
	put_unaligned_be16(48, b->out + 2);
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_PARAM_LIST_LENGTH);
	unmap_list(b, 2, 40);
	put_unaligned_be16(37, b->out);
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_PARAM_LIST_LENGTH);
	unmap_list(b, 2, 39);
	sbed_go(b);
	EXPECT(b->task.overrun);
	EXPECT_EQ(0, b->ops[VT_OP_DISCARD]);
	sbed_free(b);
}

TEST(unmap_limits, "unmap: as many ranges and blocks as VPD B0 tells")
{
	struct sbed *b = sbed_new();
	u32 nr = SCSI_MAX_UNMAP_DESCS;

	unmap_list(b, nr, 8 + 16 * nr);
	EXPECT_EQ(SCSI_GOOD, sbed_go(b));
	unmap_list(b, nr + 1, 24 + 16 * nr);
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 2, -1);
	unmap_list(b, 2, 40);
	unmap_desc(b, 0, 0, SBED_MAX_DISCARD - 1);
	unmap_desc(b, 1, 1000, 1);
	EXPECT_EQ(SCSI_GOOD, sbed_go(b));
	EXPECT_EQ(2, b->ops[VT_OP_DISCARD]);
	unmap_list(b, 2, 40);
	unmap_desc(b, 0, 0, SBED_MAX_DISCARD);
	unmap_desc(b, 1, 1000, 1);
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 32, -1);
	/* A bad one after a good one: none is done. */
	unmap_list(b, 2, 40);
	unmap_desc(b, 0, 0, 1);
	unmap_desc(b, 1, SBED_SECTORS, 1);
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	EXPECT_EQ(2, b->ops[VT_OP_DISCARD]);
	sbed_free(b);
}

TEST(lba_status, "get LBA status: all to the end may be mapped")
{
	struct sbed *b = sbed_new();
	u8 want[24] = { 0, 0, 0, 20, [14] = 0x01, 0x23 };

	put_unaligned_be32(SBED_SECTORS - 0x123, want + 16);
	sbed_run(b, 0, CDB(0x9e, 0x12, B64(0x123), B32(24), 0, 0), 0, 24);
	EXPECT_GOOD(b);
	EXPECT(!memcmp(b->in, want, 24));
	sbed_run(b, 0, CDB(0x9e, 0x12, B64(SBED_SECTORS), B32(24), 0, 0), 0,
		 24);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	sbed_free(b);
}

static void abort_it(struct sbed *b)
{
	if (b->ops[VT_OP_WRITE] == 2)
		b->task.aborted = true;
}

TEST(write_abort, "write same, write and verify: stop when they are aborted")
{
	struct sbed *b = sbed_new();

	b->on_io = abort_it;
	go(b, RW10(0x41, 0, 0, 500), 1, 9);
	EXPECT_EQ(SCSI_TASK_ABORTED, b->task.status);
	EXPECT_EQ(3, b->ops[VT_OP_WRITE]);
	b->ops[VT_OP_WRITE] = 0;
	go(b, RW10(0x2e, 0, 0, 500), 500, 9);
	EXPECT_EQ(SCSI_TASK_ABORTED, b->task.status);
	EXPECT_EQ(2, b->ops[VT_OP_WRITE]);
	sbed_free(b);
}
