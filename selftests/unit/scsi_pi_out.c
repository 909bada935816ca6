// SPDX-License-Identifier: GPL-2.0
/* Protection information of commands that compare, or repeat a block. */
#include <string.h>

#include "scsi_bed.h"

#define NR	96		/* more than one piece */
#define LBA	0x123
#define BAD	70		/* block that is damaged */

#define VERIFY(p, bytchk)	\
	CDB(0x2f, (p) << 5 | (bytchk) << 1, B32(LBA), 0, B16(NR), 0)
#define WRITE_VERIFY(p, bytchk)	\
	CDB(0x8e, (p) << 5 | (bytchk) << 1, B64(LBA), B32(NR), 0, 0)
#define SAME10(p)	CDB(0x41, (p) << 5, B32(LBA), 0, B16(NR), 0)
#define SAME16(p, f)	CDB(0x93, (p) << 5 | (f), B64(LBA), B32(NR), 0, 0)
#define CAW(p, nr)	CDB(0x89, (p) << 5, B64(LBA), 0, 0, 0, nr, 0, 0)

#define BOTH	(VT_PI_GUARD | VT_PI_REF)

static void set_pi3(struct sbed *b, struct scsi_lu_params *p)
{
	sbed_set_pi1(b, p);
	b->be.limits.pi_type = 3;
}

/* Blocks of the medium, with tuples that are right. */
static void fill_medium(struct sbed *b)
{
	memset(b->disk, 0, SBED_BYTES);
	memset(b->tuples, 0, SBED_SECTORS * VT_PI_BYTES);
	sbed_fill(b, LBA, NR, 1);
	sbed_fill_pi(b, b->tuples + LBA, b->disk + LBA * 512, LBA, NR);
}

/* A command with @nr blocks of the initiator, and tuples that are right. */
static void give(struct sbed *b, const u8 *cdb, unsigned int len, u32 nr,
		 u8 seed)
{
	sbed_task(b, 0, cdb, len, nr * 512, 0);
	b->task.pi_ok = true;
	if (!nr)
		return;
	sbed_pattern(b->out, nr * 512, seed);
	sbed_give_pi(b, LBA, nr);
	sbed_fill_pi(b, b->pi.tuple, b->out, LBA, nr);
}

static void expect(struct sbed *b, u8 key, u16 asc)
{
	if (!asc)
		EXPECT_GOOD(b);
	else
		EXPECT_CHECK(b, key, asc);
}

static u8 checks(u8 protect)
{
	return protect == 3 ? 0 : protect == 2 ? VT_PI_REF :
	       protect == 4 ? VT_PI_GUARD : BOTH;
}

/* The sense of a tuple with this wrong, where these are looked at. */
static u16 found(u8 wrong, u8 looked_at)
{
	if (!(wrong & looked_at))
		return 0;
	return wrong == VT_PI_GUARD ? SCSI_ASC_GUARD_CHECK : SCSI_ASC_REF_CHECK;
}

static void spoil(struct vt_pi_tuple *t, u8 what)
{
	if (what == VT_PI_GUARD)
		t->guard ^= cpu_to_be16(0x10);
	else if (what == VT_PI_REF)
		t->ref ^= cpu_to_be32(1);
	else
		t->app ^= cpu_to_be16(1);
}

#define FOR_DAMAGE(p, w)						\
	for (p = 1; p <= 5; p++)					\
		for (w = VT_PI_GUARD; w <= VT_PI_REF; w <<= 1)

TEST(pi_verify_medium, "pi: VERIFY checks the medium's as VRPROTECT says")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 p, what;

	FOR_DAMAGE(p, what) {
		fill_medium(b);
		give(b, VERIFY(p, 0), 0, 0);
		sbed_go(b);
		EXPECT_GOOD(b);
		EXPECT_EQ(SCSI_EXEC, b->verdict);
		spoil(b->tuples + LBA + BAD, what);
		give(b, VERIFY(p, 0), 0, 0);
		sbed_go(b);
		expect(b, SCSI_ABORTED_COMMAND, found(what, checks(p)));
		if (b->task.status)
			EXPECT_EQ(LBA + BAD, sbed_info(b));
	}
	sbed_free(b);
}

/* Tuples of the medium differ from the initiator's, which are right. */
TEST(pi_verify_compare, "pi: VERIFY compares what VRPROTECT says")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 p, what;

	FOR_DAMAGE(p, what) {
		fill_medium(b);
		give(b, VERIFY(p, 1), NR, 1);
		sbed_go(b);
		EXPECT_GOOD(b);
		EXPECT_EQ(NR * VT_PI_BYTES, b->task.pi_bytes);
		EXPECT_EQ(0, scsi_task_residual(&b->task));
		spoil(b->tuples + LBA + BAD, what);
		give(b, VERIFY(p, 1), NR, 1);
		sbed_go(b);
		expect(b, SCSI_MISCOMPARE,
		       found(what, p == 2 ? VT_PI_REF : BOTH));
	}
	b->disk[(LBA + BAD) * 512] ^= 1;
	give(b, VERIFY(1, 1), NR, 1);
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_MISCOMPARE, SCSI_ASC_MISCOMPARE);
	sbed_free(b);
}

TEST(pi_verify_given, "pi: VERIFY checks the initiator's as VRPROTECT says")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 p, what;

	FOR_DAMAGE(p, what) {
		fill_medium(b);
		give(b, VERIFY(p, 1), NR, 1);
		spoil(b->pi.tuple + BAD, what);
		spoil(b->tuples + LBA + BAD, what);
		sbed_go(b);
		expect(b, SCSI_ABORTED_COMMAND, found(what, checks(p)));
	}
	sbed_free(b);
}

TEST(pi_verify_one, "pi: VERIFY of one block with each counts its tags")
{
	struct sbed *b1 = sbed_new_with(sbed_set_pi1);
	struct sbed *b3 = sbed_new_with(set_pi3);
	struct sbed *b;
	u32 i;

	for (b = b1; b; b = b == b1 ? b3 : NULL) {
		for (i = 0; i < NR; i++)
			sbed_fill(b, LBA + i, 1, 1);
		sbed_fill_pi(b, b->tuples + LBA, b->disk + LBA * 512, LBA, NR);
		give(b, VERIFY(1, 3), 1, 1);
		sbed_go(b);
		EXPECT_GOOD(b);
		b->tuples[LBA + BAD].ref = b->tuples[LBA].ref;
		give(b, VERIFY(1, 3), 1, 1);
		sbed_go(b);
		expect(b, SCSI_MISCOMPARE, b == b1 ? SCSI_ASC_REF_CHECK : 0);
	}
	sbed_free(b1);
	sbed_free(b3);
}

static void write_verify(struct sbed *b, u8 p, u8 bytchk, u8 what)
{
	bool bad;

	fill_medium(b);
	give(b, WRITE_VERIFY(p, bytchk), NR, 9);
	if (what)
		spoil(b->pi.tuple + BAD, what);
	sbed_go(b);
	bad = found(what, checks(p));
	expect(b, SCSI_ABORTED_COMMAND, found(what, checks(p)));
	EXPECT_EQ(!bad, sbed_is(b, LBA, NR, 9));
	if (!bad)
		EXPECT(!memcmp(b->tuples + LBA, b->pi.tuple,
			       NR * VT_PI_BYTES));
}

TEST(pi_write_verify, "pi: WRITE AND VERIFY writes and checks the initiator's")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 p, what, bytchk;

	for (bytchk = 0; bytchk <= 1; bytchk++)
		FOR_DAMAGE(p, what) {
			write_verify(b, p, bytchk, 0);
			write_verify(b, p, bytchk, what);
		}
	sbed_free(b);
}

/* What comes back is not what was written. */
static void lose(struct sbed *b)
{
	if (b->ops[VT_OP_WRITE] == 1)
		b->tuples[LBA + 5].guard ^= cpu_to_be16(1);
}

TEST(pi_write_lost, "pi: WRITE AND VERIFY finds what was not kept")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);

	b->on_io = lose;
	give(b, WRITE_VERIFY(1, 0), NR, 9);
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_ABORTED_COMMAND, SCSI_ASC_GUARD_CHECK);
	EXPECT_EQ(LBA + 5, sbed_info(b));
	b->ops[VT_OP_WRITE] = 0;
	give(b, WRITE_VERIFY(4, 1), NR, 9);
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_MISCOMPARE, SCSI_ASC_GUARD_CHECK);
	sbed_free(b);
}

static void expect_same(struct sbed *b, bool counted)
{
	u32 i;

	for (i = 0; i < NR; i++) {
		struct vt_pi_tuple *t = b->tuples + LBA + i;

		EXPECT(sbed_is(b, LBA + i, 1, 5));
		EXPECT_EQ(b->pi.tuple->guard, t->guard);
		EXPECT_EQ(b->pi.tuple->app, t->app);
		EXPECT_EQ(LBA + (counted ? i : 0), be32_to_cpu(t->ref));
	}
	EXPECT_EQ(0, b->tuples[LBA + NR].guard);
}

TEST(pi_same, "pi: WRITE SAME repeats the tuple, and counts type 1's tags")
{
	struct sbed *b1 = sbed_new_with(sbed_set_pi1);
	struct sbed *b3 = sbed_new_with(set_pi3);
	u8 p, what;

	give(b1, SAME10(1), 1, 5);
	sbed_go(b1);
	EXPECT_GOOD(b1);
	expect_same(b1, true);
	give(b3, SAME16(4, 0), 1, 5);
	sbed_go(b3);
	EXPECT_GOOD(b3);
	expect_same(b3, false);
	FOR_DAMAGE(p, what) {
		memset(b1->disk, 0, SBED_BYTES);
		give(b1, SAME10(p), 1, 5);
		spoil(b1->pi.tuple, what);
		sbed_go(b1);
		expect(b1, SCSI_ABORTED_COMMAND, found(what, checks(p)));
		EXPECT_EQ(!b1->task.status, sbed_is(b1, LBA, 1, 5));
	}
	sbed_free(b1);
	sbed_free(b3);
}

TEST(pi_same_zero, "pi: WRITE SAME without data leaves blocks unchecked")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);

	fill_medium(b);
	/* UNMAP too: it may be written instead. */
	give(b, SAME16(1, 0x09), 0, 0);
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT(sbed_is_zero(b, LBA, NR));
	EXPECT(!memchr_inv(b->tuples + LBA, 0xff, NR * VT_PI_BYTES));
	EXPECT_EQ(0, b->ops[VT_OP_WRITE_ZEROES] + b->ops[VT_OP_DISCARD]);
	sbed_free(b);
}

/* Compare with what fill_medium() made, write @seed. */
static void give_caw(struct sbed *b, u8 p, u8 nr, u8 seed)
{
	give(b, CAW(p, nr), 2 * nr, 1);
	sbed_pattern(b->out + nr * 512, nr * 512, seed);
	sbed_fill_pi(b, b->pi.tuple + nr, b->out + nr * 512, LBA, nr);
}

TEST(pi_caw, "pi: COMPARE AND WRITE compares and writes tuples too")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 p, what;

	EXPECT_EQ(32, scsi_max_caw(&b->lu));
	FOR_DAMAGE(p, what) {
		fill_medium(b);
		give_caw(b, p, 32, 7);
		sbed_go(b);
		EXPECT_GOOD(b);
		EXPECT(sbed_is(b, LBA, 32, 7));
		EXPECT(!memcmp(b->tuples + LBA, b->pi.tuple + 32,
			       32 * VT_PI_BYTES));
		fill_medium(b);
		spoil(b->tuples + LBA + 31, what);
		give_caw(b, p, 32, 7);
		sbed_go(b);
		expect(b, SCSI_MISCOMPARE,
		       found(what, p == 2 ? VT_PI_REF : BOTH));
		EXPECT_EQ(b->task.status ? 1 : 7, b->disk[LBA * 512]);
	}
	sbed_free(b);
}

TEST(pi_caw_given, "pi: COMPARE AND WRITE checks both of the initiator's")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 half;

	for (half = 0; half <= 1; half++) {
		fill_medium(b);
		give_caw(b, 1, 8, 7);
		spoil(b->pi.tuple + half * 8 + 3, VT_PI_GUARD);
		sbed_go(b);
		EXPECT_CHECK(b, SCSI_ABORTED_COMMAND, SCSI_ASC_GUARD_CHECK);
		EXPECT_EQ(LBA + 3, sbed_info(b));
		EXPECT(sbed_is(b, LBA, NR, 1));
	}
	sbed_free(b);
}

/* As by a host adapter that makes the tuples. */
static void no_room(struct sbed *b)
{
	b->task.pi_out_len = 0;
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(0, b->task.pi_bytes);
}

static void expect_made(struct sbed *b)
{
	u32 i;

	for (i = 0; i < 32; i++) {
		EXPECT_EQ(LBA + i, be32_to_cpu(b->tuples[LBA + i].ref));
		EXPECT_EQ(0, b->tuples[LBA + i].app);
	}
}

TEST(pi_made, "pi: without a buffer these commands make the tuples")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);

	fill_medium(b);
	give(b, VERIFY(1, 1), NR, 1);
	no_room(b);
	give(b, WRITE_VERIFY(1, 1), NR, 1);
	no_room(b);
	expect_made(b);
	give(b, SAME10(1), 1, 1);
	no_room(b);
	expect_made(b);
	fill_medium(b);
	give_caw(b, 1, 32, 7);
	no_room(b);
	expect_made(b);
	sbed_free(b);
}

TEST(pi_made_type3, "pi: a reference tag that is made for type 3 does not count")
{
	struct sbed *b = sbed_new_with(set_pi3);
	u32 i;

	memset(b->tuples, 0xee, SBED_SECTORS * VT_PI_BYTES);
	give(b, SAME10(1), 1, 1);
	no_room(b);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(0, b->tuples[LBA + i].ref);
	sbed_free(b);
}

static void too_small(struct sbed *b)
{
	b->task.pi_out_len--;
	sbed_go(b);
	EXPECT_EQ(SCSI_DONE, b->verdict);
	EXPECT(b->task.overrun);
}

TEST(pi_out_room, "pi: of these commands, too, a small buffer is an overrun")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);

	give(b, VERIFY(1, 1), NR, 1);
	too_small(b);
	give(b, VERIFY(1, 3), 1, 1);
	too_small(b);
	give(b, WRITE_VERIFY(3, 0), NR, 1);
	too_small(b);
	give(b, SAME16(2, 0), 1, 1);
	too_small(b);
	give_caw(b, 4, 8, 1);
	too_small(b);
	EXPECT_EQ(0, b->ops[VT_OP_READ] + b->ops[VT_OP_WRITE]);
	sbed_free(b);
}
