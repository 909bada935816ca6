// SPDX-License-Identifier: GPL-2.0
/* Commands of several pieces: whatever happens between any two of them. */
#include <string.h>

#include <linux/vhost_target.h>

#include "scsi_bed.h"
#include "shim/hook.h"

#define NR	300		/* blocks: many pieces */

enum { PLAIN, NO_ZEROES, PI, ZONED };

/* A command on a disk of that kind, and the blocks of its buffers. */
static const struct pieces {
	const char *name;
	u8 kind;
	bool one_right;		/* looks at reservations only when it begins */
	u32 out;
	u32 in;
	u8 cdb[16];
} commands[] = {
	{ "read", PLAIN, 0, 0, NR, { 0x28, 0x08, B32(0), 0, B16(NR) } },
	{ "verify", PLAIN, 0, 0, 0, { 0x2f, 0, B32(0), 0, B16(NR) } },
	{ "verify data", PLAIN, 0, NR, 0, { 0x2f, 2, B32(0), 0, B16(NR) } },
	{ "verify one", PLAIN, 0, 1, 0, { 0x2f, 6, B32(0), 0, B16(NR) } },
	{ "write and verify", PLAIN, 0, NR, 0,
	  { 0x2e, 0, B32(0), 0, B16(NR) } },
	{ "compare and write", PLAIN, 1, 2, 0,
	  { 0x89, 0, B64(0), 0, 0, 0, 1 } },
	{ "orwrite", PLAIN, 1, NR, 0, { 0x8b, 0, B64(0), B32(NR) } },
	{ "write zeroes", PLAIN, 0, 1, 0, { 0x41, 0, B32(0), 0, B16(NR) } },
	{ "write same", NO_ZEROES, 0, 1, 0, { 0x41, 0, B32(0), 0, B16(NR) } },
	{ "unmap", PLAIN, 0, 1, 0, { 0x42, 0, 0, 0, 0, 0, 0, B16(8 + 48) } },
	{ "read, PI", PI, 0, 0, NR, { 0x28, 0x88, B32(0), 0, B16(NR) } },
	{ "write, PI", PI, 0, NR, 0, { 0x2a, 0x80, B32(0), 0, B16(NR) } },
	{ "verify, PI", PI, 0, NR, 0, { 0x2f, 0x82, B32(0), 0, B16(NR) } },
	{ "verify one, PI", PI, 0, 1, 0, { 0x2f, 0x86, B32(0), 0, B16(NR) } },
	{ "write and verify, PI", PI, 0, NR, 0,
	  { 0x2e, 0x80, B32(0), 0, B16(NR) } },
	{ "write same, PI", PI, 0, 1, 0, { 0x41, 0x80, B32(0), 0, B16(NR) } },
	{ "compare and write, PI", PI, 1, 2, 0,
	  { 0x89, 0x80, B64(0), 0, 0, 0, 1 } },
	{ "report zones", ZONED, 0, 0, 2, { 0x95, 0, B64(0), B32(1024) } },
	{ "open zone", ZONED, 0, 0, 0,
	  { 0x94, SCSI_ZONE_OPEN, B64(SBED_ZONE_SECTORS) } },
	{ "close zones", ZONED, 0, 0, 0,
	  { 0x94, SCSI_ZONE_CLOSE, B64(0), 0, 0, 0, 0, 1 } },
};

#define FOR_COMMANDS(c)	\
	for (c = commands; c < commands + ARRAY_SIZE(commands); c++)

static void no_zeroes(struct sbed *b, struct scsi_lu_params *p)
{
	(void)p;
	b->be.limits.max_write_zeroes_sectors = 0;
}

static void zoned(struct sbed *b, struct scsi_lu_params *p)
{
	unsigned int i;

	sbed_set_zoned(b, p);
	for (i = 1; i < SBED_ZONES; i++)
		b->zones[i].cond = BLK_ZONE_COND_IMP_OPEN;
}

/* All blocks of disks and buffers are zeroes, their tuples are right. */
static struct sbed *bed_of(const struct pieces *c)
{
	static void (*const set[])(struct sbed *b, struct scsi_lu_params *p) = {
		[NO_ZEROES] = no_zeroes, [PI] = sbed_set_pi1, [ZONED] = zoned,
	};
	struct sbed *b = sbed_new_with(set[c->kind]);
	u32 nr = c->out + c->in, half, i;

	sbed_task(b, 0, c->cdb, sizeof(c->cdb), c->out * 512, c->in * 512);
	if (c->cdb[0] == 0x42) {
		put_unaligned_be16(6 + 48, b->out);
		put_unaligned_be16(48, b->out + 2);
		for (i = 0; i < 3; i++)
			put_unaligned_be32(i, b->out + 8 + 16 * i + 8);
	}
	if (c->kind != PI)
		return b;
	sbed_fill_pi(b, b->tuples, b->disk, 0, NR);
	sbed_give_pi(b, 0, nr);
	half = c->cdb[0] == 0x89 ? nr / 2 : nr;
	for (i = 0; i < nr; i += half)
		sbed_fill_pi(b, b->pi.tuple + i, b->disk, 0, half);
	return b;
}

static struct sbed *bed;
/* What happens after this look at something others may change. */
static unsigned int looks;
static void (*act)(void);
static unsigned int ios, after;

static void on_look(void)
{
	if (looks && !--looks)
		act();
}

static void on_io(struct sbed *b)
{
	(void)b;
	ios++;
	after += !looks;
}

static void run(struct sbed *b, unsigned int when)
{
	bed = b;
	looks = when;
	ios = 0;
	after = 0;
	b->on_io = on_io;
	shim_on_read = when ? on_look : NULL;
	sbed_go(b);
	shim_on_read = NULL;
	/* Or it has ended already. */
	if (b->verdict != SCSI_EXEC)
		EXPECT_EQ(SCSI_RESERVATION_CONFLICT, b->task.status);
}

static void abort_task(void)
{
	bed->task.aborted = true;
}

static void take_right(void)
{
	bed->itl[0].resv.may = 0;
}

/*
 * @acting happens at each moment in turn, till there are none left. Each command is
 * done, or ends with @status, and not all with one and the same.
 */
static void at_each_moment(void (*acting)(void), u8 status)
{
	const struct pieces *c;

	act = acting;
	FOR_COMMANDS(c) {
		unsigned int n = 0, stopped = 0;
		bool acted = true;

		while (acted) {
			struct sbed *b = bed_of(c);

			run(b, ++n);
			acted = !looks;
			stopped += b->task.status == status;
			EXPECT_MSG(b->task.status == SCSI_GOOD ||
				   b->task.status == status,
				   "%s, moment %u: status %02x", c->name, n,
				   b->task.status);
			/* The piece it was in, which is read and written. */
			EXPECT_MSG(!acted || after <= 2 ||
				   (c->one_right && acting == take_right),
				   "%s, moment %u: %u I/Os", c->name, n, after);
			sbed_free(b);
		}
		EXPECT_MSG(stopped && n > stopped, "%s: %u of %u", c->name,
			   stopped, n);
	}
}

TEST(pieces_good, "pieces: these commands are good, and of several I/Os")
{
	const struct pieces *c;

	FOR_COMMANDS(c) {
		struct sbed *b = bed_of(c);

		run(b, 0);
		EXPECT_MSG(b->task.status == SCSI_GOOD && !b->task.overrun,
			   "%s: status %02x, %x", c->name, b->task.status,
			   sbed_asc(b));
		EXPECT_MSG(ios >= 2 || c->kind == PLAIN, "%s: %u I/Os", c->name,
			   ios);
		sbed_free(b);
	}
}

TEST(pieces_abort, "pieces: a command that is aborted at any moment stops there")
{
	at_each_moment(abort_task, SCSI_TASK_ABORTED);
}

TEST(pieces_right, "pieces: a right that is taken away at any moment stops it")
{
	at_each_moment(take_right, SCSI_RESERVATION_CONFLICT);
}

TEST(pieces_io, "pieces: an I/O error of any of them is the last of its I/Os")
{
	static const enum vt_op ops[] = {
		VT_OP_READ, VT_OP_WRITE, VT_OP_FLUSH, VT_OP_DISCARD,
		VT_OP_WRITE_ZEROES,
	};
	const struct pieces *c;
	unsigned int i, n;

	FOR_COMMANDS(c)
		for (i = n = 0; i < ARRAY_SIZE(ops);) {
			struct sbed *b = bed_of(c);

			b->fail = BLK_STS_MEDIUM;
			b->fail_op = ops[i];
			b->fail_after = n++;
			run(b, 0);
			if (b->task.status == SCSI_GOOD) {
				EXPECT_MSG(b->fail_after < n,
					   "%s: an error is good", c->name);
				i++;
				n = 0;
			} else {
				EXPECT_EQ(SCSI_MEDIUM_ERROR, sbed_key(b));
				EXPECT_EQ(-1U, b->fail_after);
			}
			sbed_free(b);
		}
}

TEST(pieces_data, "pieces: memory that is lost at any of them ends it")
{
	const struct pieces *c;
	unsigned int n;
	bool lost;

	FOR_COMMANDS(c)
		for (n = 1, lost = true; lost; n++) {
			struct sbed *b = bed_of(c);

			b->lose_data = n;
			run(b, 0);
			lost = !b->lose_data;
			if (lost)
				EXPECT_CHECK(b, SCSI_ABORTED_COMMAND,
					     SCSI_ASC_DATA_PHASE);
			else
				EXPECT_GOOD(b);
			sbed_free(b);
		}
}

TEST(pieces_no_memory, "pieces: where there is no memory nothing is done")
{
	const struct pieces *c;

	FOR_COMMANDS(c) {
		struct sbed *b = bed_of(c);

		shim_no_memory = 1;
		run(b, 0);
		EXPECT_EQ(0, shim_no_memory);
		EXPECT_MSG(b->task.status == SCSI_BUSY && !ios,
			   "%s: status %02x, %u I/Os", c->name, b->task.status,
			   ios);
		sbed_free(b);
	}
}

TEST(pieces_no_zones, "pieces: a zoned disk that tells of no zones")
{
	struct sbed *b = bed_of(&commands[ARRAY_SIZE(commands) - 1]);

	b->no_zones = true;
	run(b, 0);
	EXPECT_CHECK(b, SCSI_HARDWARE_ERROR, SCSI_ASC_TARGET_FAILURE);
	sbed_free(b);
}

TEST(pieces_unshared, "pieces: a unit without reservations has no lock to let go")
{
	const struct pieces *c;

	FOR_COMMANDS(c) {
		struct sbed *b = bed_of(c);

		b->lu.resv = NULL;
		run(b, 0);
		EXPECT_GOOD(b);
		b->lu.resv = &b->resv;
		sbed_free(b);
	}
}

TEST(pieces_beyond, "pieces: what is beyond a buffer, and nothing, is not moved")
{
	struct sbed *b = bed_of(&commands[0]);
	u8 buf[8] = {};

	run(b, 0);
	b->task.out_len = 8;
	b->no_data = true;
	EXPECT(!scsi_get(&b->task, 9, buf, 0));
	EXPECT(b->task.overrun);
	b->task.overrun = false;
	EXPECT(!scsi_get(&b->task, ~0ULL, buf, 8));
	EXPECT(b->task.overrun);
	b->task.overrun = false;
	scsi_put_at(&b->task, 512, 8, buf, 0);
	EXPECT_GOOD(b);
	sbed_free(b);
}
