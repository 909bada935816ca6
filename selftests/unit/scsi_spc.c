// SPDX-License-Identifier: GPL-2.0
/* Primary commands, and what is supported. */
#include <string.h>

#include "scsi_golden.h"

#define LUNS(select, alloc) \
	CDB(0xa0, 0, select, 0, 0, 0, B32(alloc), 0, 0)

TEST(luns_list, "report luns: all of them, in both address formats")
{
	static const u8 want[] = {
		0, 0, 0, 32, 0, 0, 0, 0,
		0x00, 0x00, 0, 0, 0, 0, 0, 0, 0x00, 0xff, 0, 0, 0, 0, 0, 0,
		0x41, 0x00, 0, 0, 0, 0, 0, 0, 0x41, 0x2b, 0, 0, 0, 0, 0, 0,
	};
	struct sbed *b = sbed_new();
	unsigned int n;
	u8 lun[8];

	b->has_lun[255] = b->has_lun[256] = b->has_lun[299] = true;
	sbed_run(b, 0, LUNS(0, 4096), 0, 4096);
	EXPECT_GOOD(b);
	EXPECT_EQ(sizeof(want), b->task.moved);
	EXPECT(!memcmp(b->in, want, sizeof(want)));
	for (n = 0; n <= sizeof(want); n++) {
		sbed_run(b, 0, LUNS(2, n), 0, 4096);
		EXPECT_EQ(n, b->task.moved);
		EXPECT(!memcmp(b->in, want, n));
	}
	scsi_lun_encode(SCSI_LUN_MAX, lun);
	EXPECT_EQ(0x7fff, get_unaligned_be16(lun));
	sbed_free(b);
}

TEST(luns_select, "report luns: there are none of the well known ones")
{
	struct sbed *b = sbed_new();
	unsigned int i;

	sbed_run(b, 0, LUNS(1, 16), 0, 16);
	EXPECT_GOOD(b);
	EXPECT_EQ(8, b->task.moved);
	EXPECT(!memchr_inv(b->in, 0, 8));
	for (i = 3; i < 256; i++) {
		sbed_run(b, 0, LUNS(i, 16), 0, 16);
		EXPECT_BAD_CDB(b, 2, -1);
	}
	memset(b->has_lun, 0, sizeof(b->has_lun));
	sbed_run(b, 0, LUNS(0, 16), 0, 16);
	EXPECT_EQ(8, b->task.moved);
	sbed_free(b);
}

TEST(luns_ua, "report luns: what it tells of need not be told again")
{
	struct sbed *b = sbed_new();

	scsi_ua_raise_nexus(&b->nexus[0], NULL, SCSI_UA_LUNS_CHANGED);
	scsi_ua_raise_nexus(&b->nexus[1], NULL, SCSI_UA_LUNS_CHANGED);
	sbed_run(b, 0, LUNS(0, 16), 0, 16);
	EXPECT_EQ(0, scsi_ua_take(&b->itl[0]));
	EXPECT_EQ(0x3f0e, scsi_ua_take(&b->itl[1]));
	sbed_free(b);
}

TEST(ua_order, "unit attentions: one by one, the gravest first")
{
	static const u16 order[] = {
		0x2901, 0x2902, 0x2903, 0x2907, 0x2f00, 0x2a03, 0x2a04, 0x2a05,
		0x2a01, 0x2a09, 0x3f03, 0x3f0e,
	};
	struct sbed *b = sbed_new();
	unsigned int i;

	for (i = SCSI_UA_NR; i--;) {
		scsi_ua_raise(&b->itl[0], i);
		scsi_ua_raise(&b->itl[0], i);
	}
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
		EXPECT_CHECK(b, SCSI_UNIT_ATTENTION, order[i]);
	}
	sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_free(b);
}

static struct scsi_itl *told;
static unsigned int looks;
static enum scsi_ua gone;

static void on_look(void)
{
	if (looks && !--looks)
		scsi_ua_clear_nexus(told->nexus, gone);
}

/* Of all looks at what is pending, it goes after this one. */
static u8 goes_after(struct sbed *b, enum scsi_ua ua, unsigned int look)
{
	told = &b->itl[0];
	gone = ua;
	looks = look;
	shim_on_read = on_look;
	sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	shim_on_read = NULL;
	EXPECT_EQ(0, looks);
	return b->task.status;
}

TEST(ua_race, "unit attentions: one that goes while it is looked at is not told")
{
	struct sbed *b = sbed_new();
	unsigned int look;

	for (look = 1; look <= 2; look++) {
		scsi_ua_raise(&b->itl[0], SCSI_UA_LUNS_CHANGED);
		EXPECT_EQ(SCSI_GOOD, goes_after(b, SCSI_UA_LUNS_CHANGED, look));
		/* Another one is told, then. */
		scsi_ua_raise(&b->itl[0], SCSI_UA_LUNS_CHANGED);
		scsi_ua_raise(&b->itl[0], SCSI_UA_POWER_ON);
		goes_after(b, SCSI_UA_POWER_ON, look);
		EXPECT_CHECK(b, SCSI_UNIT_ATTENTION, 0x3f0e);
	}
	sbed_free(b);
}

TEST(ua_attach, "unit attentions: POWER ON first of all, then nothing")
{
	struct sbed *b = sbed_new();

	scsi_itl_detach(&b->itl[1]);
	scsi_itl_attach(&b->itl[1], &b->nexus[1], &b->lu);
	sbed_run(b, 1, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_CHECK(b, SCSI_UNIT_ATTENTION, 0x2901);
	sbed_run(b, 1, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_free(b);
}

TEST(ua_all, "unit attentions: for all initiators but one")
{
	struct sbed *b = sbed_new();

	scsi_ua_raise_all(&b->lu, &b->itl[1], SCSI_UA_CAPACITY_CHANGED);
	EXPECT_EQ(0x2a09, scsi_ua_take(&b->itl[0]));
	EXPECT_EQ(0, scsi_ua_take(&b->itl[1]));
	scsi_ua_raise_all(&b->lu, NULL, SCSI_UA_COMMANDS_CLEARED);
	EXPECT_EQ(0x2f00, scsi_ua_take(&b->itl[0]));
	EXPECT_EQ(0x2f00, scsi_ua_take(&b->itl[1]));
	sbed_free(b);
}

TEST(sense_request, "request sense: a unit attention, once, in both formats")
{
	static const u8 fixed[18] = { 0x70, 0, 0x06, [7] = 10, [12] = 0x2a, 9 };
	static const u8 desc[8] = { 0x72, 0x06, 0x2a, 0x09 };
	static const u8 none[18] = { 0x70, [7] = 10 };
	struct sbed *b = sbed_new();

	scsi_ua_raise(&b->itl[0], SCSI_UA_CAPACITY_CHANGED);
	sbed_run(b, 0, CDB(0x03, 0, 0, 0, 255, 0), 0, 255);
	EXPECT_EQ(18, b->task.moved);
	EXPECT(!memcmp(b->in, fixed, 18));
	sbed_run(b, 0, CDB(0x03, 0, 0, 0, 255, 0), 0, 255);
	EXPECT(!memcmp(b->in, none, 18));
	scsi_ua_raise(&b->itl[0], SCSI_UA_CAPACITY_CHANGED);
	sbed_run(b, 0, CDB(0x03, 1, 0, 0, 255, 0), 0, 255);
	EXPECT_EQ(8, b->task.moved);
	EXPECT(!memcmp(b->in, desc, 8));
	sbed_free(b);
}

TEST(sense_nothing, "request sense: of a LUN where nothing is")
{
	struct sbed *b = sbed_new();

	sbed_task(b, 0, CDB(0x03, 0, 0, 0, 18, 0), 0, 18);
	b->task.itl = NULL;
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(0x05, b->in[2]);
	EXPECT_EQ(0x2500, get_unaligned_be16(b->in + 12));
	sbed_free(b);
}

TEST(sense_desc, "sense data: in descriptor format the same is said")
{
	struct sbed *b = sbed_new();

	b->lu.d_sense = true;
	sbed_run(b, 0, CDB(0x12, 0x82, 0, 0, 36, 0), 0, 36);
	EXPECT_BAD_CDB(b, 1, 7);
	EXPECT_EQ(16, b->task.sense_len);
	EXPECT_EQ(8, b->task.sense[7]);
	sbed_run(b, 0, CDB(0x28, 0, B32(SBED_SECTORS), 0, B16(1), 0), 0, 512);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	EXPECT_EQ(SBED_SECTORS, sbed_info(b));
	sbed_free(b);
}

TEST(log_pages, "log sense: the lists of pages and no other")
{
	static const u8 list[] = { 0x00, 0x00, 0x00, 0x01, 0x00 };
	static const u8 sub[] = { 0x40, 0xff, 0, 4, 0, 0, 0, 0xff };
	struct sbed *b = sbed_new();
	unsigned int i;

	sbed_run(b, 0, CDB(0x4d, 0, 0x40, 0, 0, 0, 0, B16(64), 0), 0, 64);
	EXPECT_EQ(sizeof(list), b->task.moved);
	EXPECT(!memcmp(b->in, list, sizeof(list)));
	sbed_run(b, 0, CDB(0x4d, 0, 0x40, 0xff, 0, 0, 0, B16(64), 0), 0, 64);
	EXPECT_EQ(sizeof(sub), b->task.moved);
	EXPECT(!memcmp(b->in, sub, sizeof(sub)));
	for (i = 1; i < 0x40; i++) {
		sbed_run(b, 0, CDB(0x4d, 0, i, 0, 0, 0, 0, 0, 64, 0), 0, 64);
		EXPECT_BAD_CDB(b, 2, 5);
	}
	for (i = 1; i < 0xff; i++) {
		sbed_run(b, 0, CDB(0x4d, 0, 0, i, 0, 0, 0, 0, 64, 0), 0, 64);
		EXPECT_BAD_CDB(b, 3, -1);
	}
	sbed_free(b);
}

TEST(groups, "report target port groups: both formats")
{
	static const u8 plain[] = { 0, 0, 0, 12,
		0, 1, 0, 7, 0, 0, 0, 1, 0, 0, 0, 3 };
	static const u8 extended[] = { 0, 0, 0, 16, 0x10, 0, 0, 0,
		0, 1, 0, 7, 0, 0, 0, 1, 0, 0, 0, 3 };
	struct sbed *b = sbed_new();

	sbed_run(b, 0, CDB(0xa3, 0x0a, 0, 0, 0, 0, B32(64), 0, 0), 0, 64);
	EXPECT_EQ(sizeof(plain), b->task.moved);
	EXPECT(!memcmp(b->in, plain, sizeof(plain)));
	sbed_run(b, 0, CDB(0xa3, 0x2a, 0, 0, 0, 0, B32(64), 0, 0), 0, 64);
	EXPECT_EQ(sizeof(extended), b->task.moved);
	EXPECT(!memcmp(b->in, extended, sizeof(extended)));
	sbed_run(b, 0, CDB(0xa3, 0x4a, 0, 0, 0, 0, B32(64), 0, 0), 0, 64);
	EXPECT_BAD_CDB(b, 1, 7);
	sbed_free(b);
}

TEST(tmfs, "report supported task management functions")
{
	struct sbed *b = sbed_new();
	u8 want[16] = { 0x88, 0x01 };

	sbed_run(b, 0, CDB(0xa3, 0x0d, 0, 0, 0, 0, B32(64), 0, 0), 0, 64);
	EXPECT_EQ(4, b->task.moved);
	EXPECT(!memcmp(b->in, want, 4));
	want[3] = 12;
	sbed_run(b, 0, CDB(0xa3, 0x0d, 0x80, 0, 0, 0, B32(64), 0, 0), 0, 64);
	EXPECT_EQ(16, b->task.moved);
	EXPECT(!memcmp(b->in, want, 16));
	sbed_free(b);
}

#define OPCODES(options, op, sa) \
	CDB(0xa3, 0x0c, options, op, B16(sa), B32(4096), 0, 0)

static void one_opcode(struct sbed *b, const struct golden *g, u8 option)
{
	u8 usage[GOLDEN_LEN];
	unsigned int len = golden_bytes(g->usage, usage);
	u8 sa = golden_has_sa(g) ? usage[1] & 0x1f : 0;

	sbed_run(b, 0, OPCODES(option, usage[0], sa), 0, 4096);
	EXPECT_GOOD(b);
	EXPECT_EQ(4 + len, b->task.moved);
	EXPECT_EQ(3, b->in[1]);
	EXPECT_EQ(len, get_unaligned_be16(b->in + 2));
	EXPECT_MSG(!memcmp(b->in + 4, usage, len), "%s", g->name);
	sbed_run(b, 0, OPCODES(0x80 | option, usage[0], sa), 0, 4096);
	EXPECT_EQ(16 + len, b->task.moved);
	EXPECT_EQ(0x83, b->in[1]);
	EXPECT_EQ(10, get_unaligned_be16(b->in + 4 + len));
	EXPECT(!memchr_inv(b->in + 6 + len, 0, 10));
}

TEST(opcodes_one, "report opcodes: the usage of each command")
{
	struct sbed *b = sbed_new_with(sbed_set_zoned);
	const struct golden *g;

	for (g = goldens; g < goldens + nr_goldens; g++) {
		one_opcode(b, g, golden_has_sa(g) ? 2 : 1);
		one_opcode(b, g, 3);
	}
	sbed_free(b);
}

TEST(opcodes_all, "report opcodes: all commands, with descriptors of times")
{
	struct sbed *b = sbed_new_with(sbed_set_zoned);
	unsigned int i, step;
	u8 times;

	for (times = 0; times < 2; times++) {
		step = times ? 20 : 8;
		sbed_run(b, 0, OPCODES(times << 7, 0, 0), 0, 4096);
		EXPECT_GOOD(b);
		EXPECT_EQ(4 + nr_goldens * step, b->task.moved);
		EXPECT_EQ(nr_goldens * step, get_unaligned_be32(b->in));
		for (i = 0; i < nr_goldens; i++) {
			const u8 *p = b->in + 4 + i * step;
			u8 usage[GOLDEN_LEN];
			unsigned int len = golden_bytes(goldens[i].usage,
							usage);
			bool sa = golden_has_sa(&goldens[i]);

			EXPECT_EQ(usage[0], p[0]);
			EXPECT_EQ(sa ? usage[1] & 0x1f : 0,
				  get_unaligned_be16(p + 2));
			EXPECT_EQ(sa | times << 1, p[5]);
			EXPECT_EQ(len, get_unaligned_be16(p + 6));
		}
	}
	sbed_free(b);
}

TEST(opcodes_none, "report opcodes: what is not supported, or asked wrongly")
{
	struct sbed *b = sbed_new();
	unsigned int i;

	sbed_run(b, 0, OPCODES(1, 0x04, 0), 0, 4096);	/* FORMAT UNIT */
	EXPECT_GOOD(b);
	EXPECT_EQ(4, b->task.moved);
	EXPECT_EQ(1, b->in[1]);
	sbed_run(b, 0, OPCODES(2, 0x9e, 0x11), 0, 4096);
	EXPECT_EQ(1, b->in[1]);
	sbed_run(b, 0, OPCODES(3, 0x28, 1), 0, 4096);
	EXPECT_EQ(1, b->in[1]);
	sbed_run(b, 0, OPCODES(3, 0xa3, 0x10c), 0, 4096);
	EXPECT_EQ(1, b->in[1]);
	sbed_run(b, 0, OPCODES(1, 0x9e, 0), 0, 4096);
	EXPECT_BAD_CDB(b, 2, 2);
	sbed_run(b, 0, OPCODES(2, 0x28, 0), 0, 4096);
	EXPECT_BAD_CDB(b, 2, 2);
	for (i = 4; i < 8; i++) {
		sbed_run(b, 0, OPCODES(i, 0x28, 0), 0, 4096);
		EXPECT_BAD_CDB(b, 2, 2);
	}
	sbed_free(b);
}

static void set_least(struct sbed *b, struct scsi_lu_params *p)
{
	p->resv = NULL;
	b->be.limits.max_discard_sectors = 0;
}

TEST(opcodes_least, "report opcodes: what a unit cannot do is not listed")
{
	struct sbed *b = sbed_new_with(set_least);

	sbed_run(b, 0, OPCODES(1, 0x42, 0), 0, 4096);
	EXPECT_EQ(1, b->in[1]);
	sbed_run(b, 0, OPCODES(3, 0x5f, 1), 0, 4096);
	EXPECT_EQ(1, b->in[1]);
	sbed_run(b, 0, OPCODES(0, 0, 0), 0, 4096);
	EXPECT_EQ((nr_goldens - 18) * 8, get_unaligned_be32(b->in));
	sbed_run(b, 0, OPCODES(1, 0x93, 0), 0, 4096);
	EXPECT_EQ(0x01, b->in[5]);
	sbed_run(b, 0, CDB(0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0), 0, 8);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
	sbed_free(b);
}

TEST(start_stop, "start stop unit: flushes, stops, starts, for who asks for it")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, CDB(0x1b, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(1, b->ops[VT_OP_FLUSH]);
	sbed_run(b, 0, CDB(0x1b, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(1, b->ops[VT_OP_FLUSH]);
	sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_CHECK(b, SCSI_NOT_READY, SCSI_ASC_NEED_START);
	sbed_run(b, 1, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 1, CDB(0x1b, 1, 0, 0, 1, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_CHECK(b, SCSI_NOT_READY, SCSI_ASC_NEED_START);
	sbed_run(b, 0, CDB(0x1b, 1, 0, 0, 1, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, CDB(0x1b, 0, 0, 0, 4, 0), 0, 0);
	EXPECT_EQ(1, b->ops[VT_OP_FLUSH]);
	scsi_lu_reset(&b->lu, SCSI_UA_LU_RESET);
	scsi_ua_take(&b->itl[0]);
	sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	b->fail = BLK_STS_IOERR;
	b->fail_op = VT_OP_FLUSH;
	sbed_run(b, 0, CDB(0x1b, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_CHECK(b, SCSI_HARDWARE_ERROR, SCSI_ASC_TARGET_FAILURE);
	EXPECT(!b->itl[0].stopped);
	sbed_free(b);
}

TEST(start_conflict, "start, allow: go past a reservation; stop, prevent do not")
{
	struct sbed *b = sbed_new();

	b->itl[0].resv.may = 0;
	sbed_run(b, 0, CDB(0x1b, 0, 0, 0, 1, 0), 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  sbed_run(b, 0, CDB(0x1b, 0, 0, 0, 0, 0), 0, 0));
	sbed_run(b, 0, CDB(0x1e, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  sbed_run(b, 0, CDB(0x1e, 0, 0, 0, 1, 0), 0, 0));
	sbed_free(b);
}

TEST(diagnostic, "diagnostics: the self-test, and the list of pages")
{
	static const u8 want[] = { 0, 0, 0, 1, 0 };
	struct sbed *b = sbed_new();

	sbed_run(b, 0, CDB(0x1d, 0x04, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, CDB(0x1c, 1, 0, 0, 64, 0), 0, 64);
	EXPECT_EQ(sizeof(want), b->task.moved);
	EXPECT(!memcmp(b->in, want, sizeof(want)));
	sbed_run(b, 0, CDB(0x1c, 1, 1, 0, 64, 0), 0, 64);
	EXPECT_BAD_CDB(b, 2, -1);
	sbed_free(b);
}

TEST(refused, "format unit, reserve, release: are not supported")
{
	static const u8 ops[] = { 0x04, 0x16, 0x17, 0x56, 0x57 };
	struct sbed *b = sbed_new();
	unsigned int i;

	for (i = 0; i < sizeof(ops); i++) {
		sbed_run(b, 0, CDB(ops[i], 0, 0, 0, 0, 0), 0, 0);
		EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
	}
	sbed_free(b);
}
