// SPDX-License-Identifier: GPL-2.0
/*
 * PERSISTENT RESERVE IN and OUT: CDBs, parameter lists, data. What the
 * operations do is tested in resv_rules.c.
 */
#include <stdlib.h>
#include <string.h>

#include "../../drivers/scsi/lu/pr.h"
#include "scsi_bed.h"

/* Scope and type of a CDB. */
#define WRITE_EX	1
#define EX_ACCESS	3
#define WRITE_EX_REG	5
#define WRITE_EX_ALL	7

#define LIST		24
#define MOVE_LIST	48

#define BAD_RELEASE	0x2604
#define NO_RESOURCES	0x5503
#define NO_REGISTRATION	0x5504

static int pr_save(struct vt_resv *r, const struct vt_resv_state *s)
{
	(void)r;
	(void)s;
	return 0;
}

static int pr_save_fails(struct vt_resv *r, const struct vt_resv_state *s)
{
	(void)r;
	(void)s;
	return -EIO;
}

static u8 in(struct sbed *b, u8 sa, u16 alloc, u32 room)
{
	return sbed_run(b, 0, CDB(0x5e, sa, 0, 0, 0, 0, 0, B16(alloc), 0), 0,
			room);
}

/* A parameter list is made, but not handed over yet. */
static u8 *list(struct sbed *b, unsigned int who, u8 sa, u8 type, u64 key,
		u64 new_key)
{
	u32 len = sa == SCSI_PR_MOVE ? MOVE_LIST : LIST;

	sbed_task(b, who, CDB(0x5f, sa, type, 0, 0, B32(len), 0), len, 0);
	put_unaligned_be64(key, b->out);
	put_unaligned_be64(new_key, b->out + 8);
	return b->out;
}

static u8 out(struct sbed *b, unsigned int who, u8 sa, u8 type, u64 key,
	      u64 new_key)
{
	list(b, who, sa, type, key, new_key);
	return sbed_go(b);
}

static u8 reg(struct sbed *b, unsigned int who, u64 key)
{
	return out(b, who, SCSI_PR_REGISTER_IGNORE, 0, 0, key);
}

/* REGISTER AND MOVE to initiator @to, of @port. */
static u8 *move_list(struct sbed *b, unsigned int who, u64 key, unsigned int to,
		     u64 new_key)
{
	u8 *p = list(b, who, SCSI_PR_MOVE, 0, key, new_key);

	put_unaligned_be16(b->port.rel_port, p + 18);
	put_unaligned_be32(24, p + 20);
	p[24] = 0x06;
	p[35] = to + 1;
	return p;
}

TEST(pr_keys, "READ KEYS: generation, length, and the keys in order")
{
	struct sbed *b = sbed_new();

	in(b, SCSI_PR_READ_KEYS, 8, 8);
	EXPECT_GOOD(b);
	EXPECT_EQ(8, b->task.moved);
	EXPECT_EQ(0, get_unaligned_be64(b->in));
	EXPECT_EQ(SCSI_GOOD, reg(b, 0, 0x1122334455667788));
	EXPECT_EQ(SCSI_GOOD, reg(b, 1, 0xfedcba9876543210));
	in(b, SCSI_PR_READ_KEYS, 0xffff, 0xffff);
	EXPECT_GOOD(b);
	EXPECT_EQ(24, b->task.moved);
	EXPECT_EQ(2, get_unaligned_be32(b->in));
	EXPECT_EQ(16, get_unaligned_be32(b->in + 4));
	EXPECT(get_unaligned_be64(b->in + 8) == 0x1122334455667788);
	EXPECT(get_unaligned_be64(b->in + 16) == 0xfedcba9876543210);
	sbed_free(b);
}

TEST(pr_truncated, "PR IN: the allocation length cuts, the lengths inside do not change")
{
	static const u8 sas[] = { SCSI_PR_READ_KEYS, SCSI_PR_READ_RESERVATION,
				  SCSI_PR_REPORT_CAPABILITIES,
				  SCSI_PR_READ_FULL_STATUS };
	struct sbed *b = sbed_new();
	u8 all[256];
	u32 total, i, len;

	reg(b, 0, 1);
	reg(b, 1, 2);
	EXPECT_EQ(SCSI_GOOD, out(b, 0, SCSI_PR_RESERVE, WRITE_EX_REG, 1, 0));
	for (i = 0; i < ARRAY_SIZE(sas); i++) {
		in(b, sas[i], 256, 256);
		total = b->task.moved;
		memcpy(all, b->in, total);
		for (len = 0; len <= total; len++) {
			in(b, sas[i], len, 256);
			EXPECT_GOOD(b);
			EXPECT_EQ(len, b->task.moved);
			EXPECT(!memcmp(all, b->in, len));
			EXPECT(b->in[len] == 0xee);
		}
	}
	sbed_free(b);
}

TEST(pr_overrun, "PR IN: a buffer smaller than allocation length and data is an overrun")
{
	struct sbed *b = sbed_new();

	reg(b, 0, 1);
	in(b, SCSI_PR_READ_KEYS, 16, 12);
	EXPECT(b->task.overrun);
	sbed_free(b);
}

TEST(pr_reservation, "READ RESERVATION: of one holder its key, of all registrants none")
{
	struct sbed *b = sbed_new();

	reg(b, 0, 0xaabb);
	in(b, SCSI_PR_READ_RESERVATION, 24, 24);
	EXPECT_EQ(8, b->task.moved);
	EXPECT_EQ(0, get_unaligned_be32(b->in + 4));
	out(b, 0, SCSI_PR_RESERVE, EX_ACCESS, 0xaabb, 0);
	in(b, SCSI_PR_READ_RESERVATION, 24, 24);
	EXPECT_EQ(24, b->task.moved);
	EXPECT_EQ(1, get_unaligned_be32(b->in));
	EXPECT_EQ(16, get_unaligned_be32(b->in + 4));
	EXPECT_EQ(0xaabb, get_unaligned_be64(b->in + 8));
	EXPECT_EQ(EX_ACCESS, b->in[21]);
	out(b, 0, SCSI_PR_RELEASE, EX_ACCESS, 0xaabb, 0);
	out(b, 0, SCSI_PR_RESERVE, WRITE_EX_ALL, 0xaabb, 0);
	in(b, SCSI_PR_READ_RESERVATION, 24, 24);
	EXPECT_EQ(0, get_unaligned_be64(b->in + 8));
	EXPECT_EQ(WRITE_EX_ALL, b->in[21]);
	sbed_free(b);
}

TEST(pr_capabilities, "REPORT CAPABILITIES: all types; persistence if there is a place for it")
{
	struct sbed *b = sbed_new();

	in(b, SCSI_PR_REPORT_CAPABILITIES, 8, 8);
	EXPECT_EQ(8, get_unaligned_be16(b->in));
	EXPECT_EQ(0x00, b->in[2]);
	EXPECT_EQ(0x90, b->in[3]);
	EXPECT_EQ(0xea, b->in[4]);
	EXPECT_EQ(0x01, b->in[5]);
	b->resv.save = pr_save;
	list(b, 0, SCSI_PR_REGISTER, 0, 0, 1)[20] = 1;
	EXPECT_EQ(SCSI_GOOD, sbed_go(b));
	in(b, SCSI_PR_REPORT_CAPABILITIES, 8, 8);
	EXPECT_EQ(0x01, b->in[2]);
	EXPECT_EQ(0x91, b->in[3]);
	sbed_free(b);
}

TEST(pr_full_status, "READ FULL STATUS: each registrant with port and TransportID")
{
	struct sbed *b = sbed_new();
	u8 *d;

	reg(b, 0, 1);
	reg(b, 1, 2);
	out(b, 1, SCSI_PR_RESERVE, WRITE_EX, 2, 0);
	in(b, SCSI_PR_READ_FULL_STATUS, 256, 256);
	EXPECT_EQ(8 + 2 * 48, b->task.moved);
	EXPECT_EQ(96, get_unaligned_be32(b->in + 4));
	d = b->in + 8;
	EXPECT_EQ(1, get_unaligned_be64(d));
	EXPECT_EQ(0, d[12]);
	EXPECT_EQ(0, d[13]);
	EXPECT_EQ(3, get_unaligned_be16(d + 18));
	EXPECT_EQ(24, get_unaligned_be32(d + 20));
	EXPECT(!memcmp(d + 24, b->nexus[0].id.bytes, 24));
	d += 48;
	EXPECT_EQ(2, get_unaligned_be64(d));
	EXPECT_EQ(1, d[12]);
	EXPECT_EQ(WRITE_EX, d[13]);
	EXPECT(!memcmp(d + 24, b->nexus[1].id.bytes, 24));
	sbed_free(b);
}

TEST(pr_full_status_all, "READ FULL STATUS: all registrants' reservation is held by each")
{
	struct sbed *b = sbed_new();

	reg(b, 0, 1);
	reg(b, 1, 2);
	out(b, 1, SCSI_PR_RESERVE, WRITE_EX_ALL, 2, 0);
	in(b, SCSI_PR_READ_FULL_STATUS, 256, 256);
	EXPECT_EQ(1, b->in[8 + 12]);
	EXPECT_EQ(WRITE_EX_ALL, b->in[8 + 13]);
	EXPECT_EQ(1, b->in[56 + 12]);
	sbed_free(b);
}

TEST(pr_nvme_host, "READ FULL STATUS: an NVMe host on the same backend is seen as one")
{
	struct vt_resv_args a = { .op = VT_RESV_OP_REGISTER_NEW, .new_key = 7 };
	struct vt_resv_id id = { .proto = VT_RESV_NVME, .len = 16,
				 .port = 77, .bytes = { 1, 2, [15] = 16 } };
	static const struct vt_resv_nexus_ops ops;
	struct vt_resv_nexus n = { .ops = &ops };
	struct sbed *b = sbed_new();

	vt_resv_bind(&b->resv, &n, &id);
	EXPECT_EQ(VT_RESV_OK, vt_resv_out(&n, &a));
	in(b, SCSI_PR_READ_FULL_STATUS, 256, 256);
	EXPECT_EQ(56, b->task.moved);
	EXPECT_EQ(0x0f, b->in[32]);
	EXPECT(!memcmp(b->in + 36, id.bytes, 16));
	EXPECT_EQ(0, get_unaligned_be32(b->in + 52));
	/* Its controller is no port that a reservation could move to. */
	reg(b, 0, 1);
	out(b, 0, SCSI_PR_RESERVE, WRITE_EX, 1, 0);
	put_unaligned_be16(id.port, move_list(b, 0, 1, 1, 5) + 18);
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 18, -1);
	vt_resv_unbind(&n);
	put_unaligned_be16(id.port, move_list(b, 0, 1, 1, 5) + 18);
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 18, -1);
	sbed_free(b);
}

TEST(pr_types, "RESERVE: scope and type of the CDB; what READ RESERVATION says is the same")
{
	unsigned int type;

	for (type = 0; type < 256; type++) {
		bool ok = type == 1 || type == 3 || (type >= 5 && type <= 8);
		struct sbed *b = sbed_new();

		reg(b, 0, 1);
		out(b, 0, SCSI_PR_RESERVE, type, 1, 0);
		if (ok) {
			EXPECT_GOOD(b);
			in(b, SCSI_PR_READ_RESERVATION, 24, 24);
			EXPECT_EQ(type, b->in[21]);
		} else {
			EXPECT_BAD_CDB(b, 2, type & 0xf0 ? 7 : 3);
		}
		sbed_free(b);
	}
}

TEST(pr_register, "REGISTER: conflict with a wrong key")
{
	struct sbed *b = sbed_new();

	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  out(b, 0, SCSI_PR_REGISTER, 0, 5, 1));
	EXPECT_EQ(SCSI_GOOD, out(b, 0, SCSI_PR_REGISTER, 0, 0, 1));
	EXPECT_EQ(24, b->task.moved);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  out(b, 0, SCSI_PR_REGISTER, 0, 0, 1));
	EXPECT_EQ(SCSI_GOOD, out(b, 0, SCSI_PR_REGISTER, 0, 1, 2));
	EXPECT_EQ(SCSI_GOOD, out(b, 0, SCSI_PR_REGISTER_IGNORE, 0, 9, 0));
	in(b, SCSI_PR_READ_KEYS, 8, 8);
	EXPECT_EQ(0, get_unaligned_be32(b->in + 4));
	sbed_free(b);
}

TEST(pr_list_length, "PR OUT: 24 bytes, neither less nor more")
{
	static const u32 lens[] = { 0, 1, 23, 25, 28, 48 };
	struct sbed *b = sbed_new();
	unsigned int i, sa;

	for (sa = 0; sa <= SCSI_PR_REGISTER_IGNORE; sa++) {
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			sbed_run(b, 0, CDB(0x5f, sa, 1, 0, 0, B32(lens[i]), 0),
				 64, 0);
			EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST,
				     SCSI_ASC_PARAM_LIST_LENGTH);
		}
	}
	sbed_run(b, 0, CDB(0x5f, 0, 0, 0, 0, B32(24), 0), 20, 0);
	EXPECT(b->task.overrun);
	sbed_free(b);
}

TEST(pr_flags, "PR OUT: SPEC_I_PT, ALL_TG_PT and APTPL where they are not supported")
{
	struct sbed *b = sbed_new();

	list(b, 0, SCSI_PR_REGISTER, 0, 0, 1)[20] = 0x08;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 20, 3);
	list(b, 0, SCSI_PR_REGISTER_IGNORE, 0, 0, 1)[20] = 0x04;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 20, 2);
	list(b, 0, SCSI_PR_REGISTER, 0, 0, 1)[20] = 0x01;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 20, 0);
	list(b, 0, SCSI_PR_REGISTER, 0, 0, 1)[20] = 0x40;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 20, -1);
	list(b, 0, SCSI_PR_REGISTER, 0, 0, 1)[21] = 0x01;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 21, -1);
	reg(b, 0, 1);
	/* Ignored by all others. */
	list(b, 0, SCSI_PR_RESERVE, WRITE_EX, 1, 0)[20] = 0x0d;
	sbed_go(b);
	EXPECT_GOOD(b);
	sbed_free(b);
}

TEST(pr_spec_i_pt_list, "REGISTER with SPEC_I_PT and its TransportIDs: refused for the bit")
{
	struct sbed *b = sbed_new();

	sbed_task(b, 0, CDB(0x5f, 0, 0, 0, 0, B32(52), 0), 52, 0);
	b->out[20] = 0x08;
	b->out[15] = 1;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 20, 3);
	sbed_free(b);
}

TEST(pr_results, "each way in which the core refuses is a status of its own")
{
	struct sbed *b = sbed_new();

	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  out(b, 0, SCSI_PR_CLEAR, 0, 0, 0));
	reg(b, 0, 1);
	out(b, 0, SCSI_PR_RESERVE, WRITE_EX, 1, 0);
	EXPECT_GOOD(b);
	out(b, 0, SCSI_PR_RELEASE, EX_ACCESS, 1, 0);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, BAD_RELEASE);
	out(b, 0, SCSI_PR_RELEASE, 0x10 | WRITE_EX, 1, 0);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, BAD_RELEASE);
	out(b, 0, SCSI_PR_PREEMPT, WRITE_EX, 1, 0);
	EXPECT_BAD_PARAM(b, 8, -1);
	out(b, 0, SCSI_PR_PREEMPT, 2, 1, 1);
	EXPECT_BAD_CDB(b, 2, 3);
	out(b, 0, SCSI_PR_PREEMPT_ABORT, 0x30 | WRITE_EX, 1, 1);
	EXPECT_BAD_CDB(b, 2, 7);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  out(b, 0, SCSI_PR_PREEMPT, WRITE_EX, 1, 9));
	sbed_free(b);
}

TEST(pr_no_save, "what cannot be saved: INSUFFICIENT RESOURCES")
{
	struct sbed *b = sbed_new();

	b->resv.save = pr_save_fails;
	list(b, 0, SCSI_PR_REGISTER, 0, 0, 1)[20] = 0x01;
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, NO_RESOURCES);
	sbed_free(b);
}

TEST(pr_full, "no room for a registrant: INSUFFICIENT REGISTRATION RESOURCES")
{
	struct vt_resv_args a = { .op = VT_RESV_OP_REGISTER_NEW, .new_key = 7 };
	static const struct vt_resv_nexus_ops ops;
	struct vt_resv_nexus n = { .ops = &ops };
	struct sbed *b = sbed_new();
	unsigned int i;

	for (i = 0; i < VT_RESV_MAX_REGISTRANTS; i++) {
		struct vt_resv_id id = { .proto = VT_RESV_NVME, .len = 16,
					 .bytes = { i, i >> 8, 1 } };

		vt_resv_bind(&b->resv, &n, &id);
		EXPECT_EQ(VT_RESV_OK, vt_resv_out(&n, &a));
		vt_resv_unbind(&n);
	}
	reg(b, 0, 1);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, NO_REGISTRATION);
	in(b, SCSI_PR_READ_FULL_STATUS, 0xffff, 0xffff);
	EXPECT_EQ(8 + VT_RESV_MAX_REGISTRANTS * 48, b->task.moved);
	sbed_free(b);
}

TEST(pr_move, "REGISTER AND MOVE: to the other initiator, which has it then")
{
	struct sbed *b = sbed_new();

	reg(b, 0, 1);
	out(b, 0, SCSI_PR_RESERVE, WRITE_EX, 1, 0);
	move_list(b, 0, 1, 1, 5)[17] = 0x02;
	EXPECT_EQ(SCSI_GOOD, sbed_go(b));
	EXPECT_EQ(48, b->task.moved);
	in(b, SCSI_PR_READ_FULL_STATUS, 256, 256);
	EXPECT_EQ(56, b->task.moved);
	EXPECT_EQ(5, get_unaligned_be64(b->in + 8));
	EXPECT_EQ(1, b->in[20]);
	EXPECT_EQ(VT_RESV_RW, b->itl[1].resv.may);
	EXPECT_EQ(VT_RESV_READ, b->itl[0].resv.may);
	sbed_free(b);
}

TEST(pr_move_refused, "REGISTER AND MOVE: every field beyond its limits")
{
	struct sbed *b = sbed_new();
	unsigned int i;

	reg(b, 0, 1);
	move_list(b, 0, 1, 1, 5);
	sbed_go(b);
	EXPECT_BAD_CDB(b, 1, 4);
	out(b, 0, SCSI_PR_RESERVE, WRITE_EX, 1, 0);
	move_list(b, 0, 1, 1, 0);
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 8, -1);
	move_list(b, 0, 1, 0, 5);
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 24, -1);
	move_list(b, 0, 1, 1, 5)[18] = 9;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 18, -1);
	move_list(b, 0, 1, 1, 5)[16] = 1;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 16, -1);
	move_list(b, 0, 1, 1, 5)[17] = 4;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 17, -1);
	move_list(b, 0, 1, 1, 5)[17] = 1;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 17, 0);
	for (i = 24; i < 48; i++) {
		if (i >= 28 && i < 36)
			continue;
		move_list(b, 0, 1, 1, 5)[i] ^= 0x45;
		sbed_go(b);
		EXPECT_BAD_PARAM(b, 24, -1);
	}
	EXPECT_EQ(VT_RESV_RW, b->itl[0].resv.may);
	sbed_free(b);
}

TEST(pr_move_length, "REGISTER AND MOVE: lengths of list and TransportID")
{
	static const u32 lens[] = { 0, 23, 24, 47 };
	struct sbed *b = sbed_new();
	unsigned int i;

	reg(b, 0, 1);
	out(b, 0, SCSI_PR_RESERVE, WRITE_EX, 1, 0);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		move_list(b, 0, 1, 1, 5);
		put_unaligned_be32(lens[i], b->task.cdb + 5);
		sbed_go(b);
		EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST,
			     SCSI_ASC_PARAM_LIST_LENGTH);
	}
	put_unaligned_be32(20, move_list(b, 0, 1, 1, 5) + 20);
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 20, -1);
	put_unaligned_be32(0xfffffffc, move_list(b, 0, 1, 1, 5) + 20);
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_PARAM_LIST_LENGTH);
	sbed_free(b);
}

TEST(pr_not_there, "a logical unit that stands on nothing to be shared refuses both")
{
	struct sbed *b = sbed_new();
	struct vt_resv *r = b->lu.resv;

	b->lu.resv = NULL;
	in(b, SCSI_PR_READ_KEYS, 8, 8);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
	reg(b, 0, 1);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
	b->lu.resv = r;
	sbed_free(b);
}

TEST(pr_attention, "the preempted initiator is told once, and fenced")
{
	struct sbed *b = sbed_new();

	reg(b, 0, 1);
	reg(b, 1, 2);
	out(b, 1, SCSI_PR_RESERVE, WRITE_EX, 2, 0);
	out(b, 0, SCSI_PR_PREEMPT_ABORT, WRITE_EX, 1, 2);
	EXPECT_GOOD(b);
	EXPECT_EQ(1, b->drained[1]);
	sbed_run(b, 1, CDB(0x2a, 0, B32(0), 0, B16(1), 0), 512, 0);
	EXPECT_CHECK(b, SCSI_UNIT_ATTENTION, 0x2a05);
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  sbed_run(b, 1, CDB(0x2a, 0, B32(0), 0, B16(1), 0), 512, 0));
	sbed_run(b, 1, CDB(0x28, 0, B32(0), 0, B16(1), 0), 0, 512);
	EXPECT_GOOD(b);
	sbed_free(b);
}

TEST(pr_no_data, "a parameter list that cannot be read changes nothing")
{
	struct sbed *b = sbed_new();

	b->no_data = true;
	reg(b, 0, 1);
	EXPECT_CHECK(b, SCSI_ABORTED_COMMAND, SCSI_ASC_DATA_PHASE);
	b->no_data = false;
	EXPECT_EQ(0, b->resv.state->nr);
	sbed_free(b);
}
