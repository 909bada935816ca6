// SPDX-License-Identifier: GPL-2.0
/* What every command must stand: good, bad bits, attentions, reservations. */
#include <stdlib.h>
#include <string.h>

#include "scsi_golden.h"

#define FOR_GOLDENS(g) \
	for (g = goldens; g < goldens + nr_goldens; g++)

TEST(table_same, "table: the driver's commands are those of the standard")
{
	const struct golden *g;
	u8 usage[GOLDEN_LEN];
	unsigned int len;

	scsi_cmds_init();
	EXPECT_EQ(nr_goldens, scsi_nr_cmds);
	FOR_GOLDENS(g) {
		const struct scsi_cmd *cmd;

		len = golden_bytes(g->usage, usage);
		cmd = scsi_cmd_find(usage[0], usage[1] & 0x1f);
		if (!EXPECT_MSG(cmd, "%s is not there", g->name))
			continue;
		EXPECT_MSG(cmd->len == len, "%s: %u bytes", g->name, cmd->len);
		EXPECT_MSG(!memcmp(cmd->usage, usage, len), "%s: usage",
			   g->name);
		EXPECT_MSG(!!(cmd->flags & SCSI_CMD_SA) == golden_has_sa(g),
			   "%s: service action", g->name);
	}
}

TEST(table_good, "table: each command ends well in its plainest form")
{
	const struct golden *g;

	FOR_GOLDENS(g) {
		struct sbed *b = golden_bed(g);

		golden_run(b, g);
		if (golden_is(g, 'x'))
			EXPECT_MSG(b->task.status == SCSI_RESERVATION_CONFLICT,
				   "%s: %02x", g->name, b->task.status);
		else
			EXPECT_GOOD(b);
		sbed_free(b);
	}
}

static void bad_bit(const struct golden *g, unsigned int byte, unsigned int bit)
{
	struct sbed *b = golden_bed(g);
	u8 cdb[GOLDEN_LEN];
	unsigned int len = golden_bytes(g->cdb, cdb);

	cdb[byte] |= 1 << bit;
	sbed_run(b, 0, cdb, len, g->out, g->in);
	EXPECT_EQ(SCSI_DONE, b->verdict);
	EXPECT_BAD_CDB(b, byte, bit);
	sbed_free(b);
}

TEST(table_bits, "table: each bit of each CDB that must be zero is found out")
{
	const struct golden *g;
	u8 usage[GOLDEN_LEN];
	unsigned int i, len;

	FOR_GOLDENS(g) {
		len = golden_bytes(g->usage, usage);
		if (golden_has_sa(g))
			usage[1] |= 0x1f;
		for (i = 8; i < len * 8; i++)
			if (!(usage[i / 8] & 1 << i % 8))
				bad_bit(g, i / 8, i % 8);
	}
}

TEST(table_opcodes, "table: any other opcode or service action is refused")
{
	struct sbed *b = sbed_new();
	unsigned int op, sa;
	u8 cdb[16] = {};

	for (op = 0; op < 256; op++)
		for (sa = 0; sa < 32; sa++) {
			cdb[0] = op;
			cdb[1] = sa;
			if (scsi_cmd_find(op, sa))
				continue;
			sbed_run(b, 0, cdb, 16, 0, 0);
			EXPECT_EQ(SCSI_DONE, b->verdict);
			if (scsi_opcode_has_sa(op))
				EXPECT_BAD_CDB(b, 1, 4);
			else
				EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST,
					     SCSI_ASC_BAD_OPCODE);
		}
	sbed_free(b);
}

TEST(table_garbage, "table: what follows a CDB does not matter")
{
	const struct golden *g;
	u8 cdb[SCSI_CDB_LEN];

	FOR_GOLDENS(g) {
		struct sbed *b = golden_bed(g);
		unsigned int len = golden_bytes(g->cdb, cdb);

		memset(cdb + len, 0xff, sizeof(cdb) - len);
		sbed_task(b, 0, cdb, sizeof(cdb), g->out, g->in);
		golden_list(b);
		sbed_go(b);
		if (!golden_is(g, 'x'))
			EXPECT_GOOD(b);
		sbed_free(b);
	}
}

TEST(table_ua, "table: a unit attention stops all commands but three")
{
	const struct golden *g;

	FOR_GOLDENS(g) {
		struct sbed *b = golden_bed(g);

		scsi_ua_raise(&b->itl[0], SCSI_UA_CAPACITY_CHANGED);
		golden_run(b, g);
		if (golden_is(g, 'u')) {
			EXPECT_GOOD(b);
		} else {
			EXPECT_EQ(SCSI_DONE, b->verdict);
			EXPECT_CHECK(b, SCSI_UNIT_ATTENTION, 0x2a09);
			golden_run(b, g);
			EXPECT(b->task.status != SCSI_CHECK_CONDITION);
		}
		sbed_free(b);
	}
}

TEST(table_no_lu, "table: where there is no logical unit three commands work")
{
	const struct golden *g;
	u8 cdb[GOLDEN_LEN];

	FOR_GOLDENS(g) {
		struct sbed *b = golden_bed(g);
		unsigned int len = golden_bytes(g->cdb, cdb);

		sbed_task(b, 0, cdb, len, g->out, g->in);
		b->task.itl = NULL;
		sbed_go(b);
		if (golden_is(g, 'n'))
			EXPECT_GOOD(b);
		else
			EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_NO_LU);
		sbed_free(b);
	}
}

static void conflict(const struct golden *g, u8 may)
{
	bool want = (golden_is(g, 'r') && !(may & VT_RESV_READ)) ||
		    (golden_is(g, 'w') && !(may & VT_RESV_WRITE)) ||
		    golden_is(g, 'x');
	struct sbed *b = golden_bed(g);

	b->itl[0].resv.may = may;
	golden_run(b, g);
	EXPECT_MSG((b->task.status == SCSI_RESERVATION_CONFLICT) == want,
		   "%s: may %u, status %02x", g->name, may, b->task.status);
	sbed_free(b);
}

TEST(table_conflict, "table: reservations stop the commands they must")
{
	const struct golden *g;

	FOR_GOLDENS(g) {
		conflict(g, VT_RESV_RW);
		conflict(g, VT_RESV_READ);
		conflict(g, 0);
	}
}

static void set_ro(struct sbed *b, struct scsi_lu_params *p)
{
	(void)p;
	b->be.limits.ro = true;
}

static void set_ro_zoned(struct sbed *b, struct scsi_lu_params *p)
{
	set_ro(b, p);
	sbed_set_zoned(b, p);
}

TEST(table_ro, "table: a read-only medium refuses to be changed")
{
	const struct golden *g;

	FOR_GOLDENS(g) {
		struct sbed *b = sbed_new_with(golden_is(g, 'z') ?
					       set_ro_zoned : set_ro);

		golden_run(b, g);
		if (golden_is(g, 'c'))
			EXPECT_CHECK(b, SCSI_DATA_PROTECT,
				     SCSI_ASC_WRITE_PROTECTED);
		else if (!golden_is(g, 'x'))
			EXPECT_GOOD(b);
		EXPECT_EQ(0, b->ops[VT_OP_WRITE]);
		sbed_free(b);
	}
}

TEST(table_stopped, "table: a stopped or dead unit says so for its medium")
{
	const struct golden *g;

	FOR_GOLDENS(g) {
		struct sbed *b = golden_bed(g);

		b->itl[0].stopped = true;
		golden_run(b, g);
		EXPECT_EQ(golden_is(g, 'm'), sbed_asc(b) == SCSI_ASC_NEED_START);
		b->itl[0].stopped = false;
		b->be.dead = true;
		golden_run(b, g);
		EXPECT_EQ(golden_is(g, 'm'),
			  sbed_asc(b) == SCSI_ASC_NEED_MANUAL);
		sbed_free(b);
	}
}

TEST(table_memory, "table: a buffer that is not there is an error of the task")
{
	const struct golden *g;

	FOR_GOLDENS(g) {
		struct sbed *b = golden_bed(g);

		b->no_data = true;
		golden_run(b, g);
		if (b->verdict == SCSI_EXEC && (g->out || g->in))
			EXPECT_CHECK(b, SCSI_ABORTED_COMMAND,
				     SCSI_ASC_DATA_PHASE);
		sbed_free(b);
	}
}

TEST(table_oom, "table: without memory a command is to be sent again")
{
	const struct golden *g;

	FOR_GOLDENS(g) {
		struct sbed *b = golden_bed(g);

		/* PERSISTENT RESERVE OUT has a sense of its own for it. */
		shim_no_memory = 1;
		golden_run(b, g);
		if (!shim_no_memory && memcmp(g->cdb, "5f", 2))
			EXPECT_EQ(SCSI_BUSY, b->task.status);
		shim_no_memory = 0;
		sbed_free(b);
	}
}

TEST(table_aborted, "table: an aborted task does nothing")
{
	const struct golden *g;

	FOR_GOLDENS(g) {
		struct sbed *b = golden_bed(g);
		u8 cdb[GOLDEN_LEN];
		unsigned int len = golden_bytes(g->cdb, cdb);

		sbed_task(b, 0, cdb, len, g->out, g->in);
		b->task.aborted = true;
		sbed_go(b);
		if (b->verdict == SCSI_EXEC) {
			EXPECT_EQ(SCSI_TASK_ABORTED, b->task.status);
			EXPECT_EQ(0, b->task.moved);
			EXPECT_EQ(0, b->ops[VT_OP_WRITE] + b->ops[VT_OP_READ]);
		}
		sbed_free(b);
	}
}

/* Data-in of each allocation length: a prefix of the whole. */
static void truncated(const struct golden *g, unsigned int at,
		      unsigned int bytes, u32 whole)
{
	struct sbed *b = golden_bed(g);
	u8 cdb[GOLDEN_LEN], want[1024];
	unsigned int len = golden_bytes(g->cdb, cdb), n, i;

	sbed_run(b, 0, cdb, len, 0, whole);
	memcpy(want, b->in, b->task.moved);
	whole = b->task.moved;
	for (n = 0; n <= whole; n++) {
		for (i = 0; i < bytes; i++)
			cdb[at + i] = n >> 8 * (bytes - 1 - i);
		sbed_run(b, 0, cdb, len, 0, whole + 4);
		EXPECT_GOOD(b);
		EXPECT_EQ(n, b->task.moved);
		EXPECT_EQ(whole + 4 - n, scsi_task_residual(&b->task));
		EXPECT_MSG(!memcmp(b->in, want, n), "%s: %u bytes", g->name, n);
		EXPECT(!memchr_inv(b->in + n, 0xee, whole + 4 - n));
	}
	sbed_free(b);
}

static void short_buffer(const struct golden *g)
{
	u8 cdb[GOLDEN_LEN];
	unsigned int len = golden_bytes(g->cdb, cdb), n;

	for (n = 0; n < 4; n++) {
		struct sbed *b = golden_bed(g);

		sbed_run(b, 0, cdb, len, 0, n);
		EXPECT_MSG(b->task.overrun, "%s: %u bytes", g->name, n);
		EXPECT_EQ(n, b->task.moved);
		sbed_free(b);
	}
}

/* Where the allocation length is. */
static unsigned int alloc_at(u8 op, unsigned int *bytes)
{
	switch (op) {
	case 0x03: case 0x1a:
		*bytes = 1;
		return 4;
	case 0x12: case 0x1c:
		*bytes = 2;
		return 3;
	case 0x4d: case 0x5a: case 0x5e:
		*bytes = 2;
		return 7;
	case 0x9e:
		*bytes = 4;
		return 10;
	case 0xa0: case 0xa3:
		*bytes = 4;
		return 6;
	default:
		return 0;
	}
}

TEST(table_alloc, "table: data is cut at any allocation length")
{
	const struct golden *g;
	unsigned int at, bytes;
	u8 cdb[GOLDEN_LEN];

	FOR_GOLDENS(g) {
		golden_bytes(g->cdb, cdb);
		at = alloc_at(cdb[0], &bytes);
		if (at)
			truncated(g, at, bytes, g->in);
	}
}

TEST(table_overrun, "table: a buffer shorter than the data is an overrun")
{
	const struct golden *g;
	unsigned int bytes;
	u8 cdb[GOLDEN_LEN];

	FOR_GOLDENS(g) {
		golden_bytes(g->cdb, cdb);
		if (alloc_at(cdb[0], &bytes) || cdb[0] == 0x25)
			short_buffer(g);
	}
}

TEST(table_out, "table: a data-out buffer shorter than the CDB says is too")
{
	const struct golden *g;
	u8 cdb[GOLDEN_LEN];
	unsigned int len;

	FOR_GOLDENS(g) {
		struct sbed *b;

		if (!g->out)
			continue;
		b = golden_bed(g);
		len = golden_bytes(g->cdb, cdb);
		sbed_fill(b, 0, 8, 5);
		sbed_task(b, 0, cdb, len, g->out - 1, 0);
		golden_list(b);
		sbed_go(b);
		EXPECT_MSG(b->task.overrun, "%s", g->name);
		EXPECT(sbed_is(b, 0, 8, 5));
		EXPECT_EQ(0, b->ops[VT_OP_WRITE]);
		sbed_free(b);
	}
}
