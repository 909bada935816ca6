// SPDX-License-Identifier: GPL-2.0
/* Protection information: what is said of it, RDPROTECT and WRPROTECT. */
#include <string.h>

#include "scsi_bed.h"

#define NR	96		/* more than one piece */
#define LBA	0x123

static void set_type3(struct sbed *b, struct scsi_lu_params *p)
{
	sbed_set_pi1(b, p);
	b->be.limits.pi_type = 3;
}

static void set_4096(struct sbed *b, struct scsi_lu_params *p)
{
	b->be.limits.block_size = 4096;
	sbed_set_pi1(b, p);
}

/* Intervals that are not blocks cannot be told of. */
static void set_odd(struct sbed *b, struct scsi_lu_params *p)
{
	b->be.limits.block_size = 4096;
	sbed_set_pi1(b, p);
	b->be.limits.pi_interval = 512;
}

static void rw_task(struct sbed *b, bool write, u8 protect, u32 lba, u16 nr)
{
	u32 bytes = nr * b->be.limits.block_size;

	sbed_task(b, 0, CDB(write ? 0x2a : 0x28, protect << 5, B32(lba), 0,
			    B16(nr), 0), write ? bytes : 0, write ? 0 : bytes);
	if (write)
		sbed_pattern(b->out, bytes, 21);
	sbed_give_pi(b, lba, nr);
	if (write)
		sbed_fill_pi(b, b->pi.tuple, b->out, lba, nr);
}

static void write_good(struct sbed *b, u8 protect)
{
	rw_task(b, true, protect, LBA, NR);
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(NR * VT_PI_BYTES, b->task.pi_bytes);
	EXPECT(!memcmp(b->tuples + LBA, b->pi.tuple, NR * VT_PI_BYTES));
	EXPECT(sbed_is(b, LBA, NR, 21));
	EXPECT_EQ(0, scsi_task_residual(&b->task));
}

static void read_good(struct sbed *b, u8 protect)
{
	rw_task(b, false, protect, LBA, NR);
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT(!memcmp(b->tuples + LBA, b->pi.tuple, NR * VT_PI_BYTES));
	EXPECT(!memcmp(b->in, b->disk + LBA * 512, NR * 512));
	EXPECT_EQ(0, scsi_task_residual(&b->task));
}

static enum scsi_verdict verdict(u8 protect)
{
	return protect == 1 || protect == 5 ? SCSI_IO : SCSI_EXEC;
}

TEST(pi_moves, "pi: data and tuples move together, for each kind of checks")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 protect;

	for (protect = 1; protect <= 5; protect++) {
		memset(b->tuples, 0, SBED_SECTORS * VT_PI_BYTES);
		memset(b->disk, 0, SBED_BYTES);
		write_good(b, protect);
		EXPECT_EQ(verdict(protect), b->verdict);
		read_good(b, protect);
		EXPECT_EQ(verdict(protect), b->verdict);
	}
	sbed_free(b);
}

/* Damage to a tuple or its data. */
enum damage { DATA, GUARD, APP, REF };

static void do_damage(struct vt_pi_tuple *t, u8 *data, enum damage what)
{
	if (what == DATA)
		data[100] ^= 4;
	else if (what == GUARD)
		t->guard ^= cpu_to_be16(1);
	else if (what == APP)
		t->app ^= cpu_to_be16(1);
	else
		t->ref ^= cpu_to_be32(0x100);
}

/* What must be found of each damage by each value; 0: nothing. */
static u16 found(u8 type, u8 protect, enum damage what)
{
	bool guard = protect == 1 || protect == 4 || protect == 5;
	bool ref = type == 1 && (protect == 1 || protect == 2 || protect == 5);

	if (what == DATA || what == GUARD)
		return guard ? 0x1001 : 0;
	return what == REF && ref ? 0x1003 : 0;
}

static void expect_found(struct sbed *b, u16 asc)
{
	if (!asc) {
		EXPECT_GOOD(b);
		return;
	}
	EXPECT_CHECK(b, SCSI_ABORTED_COMMAND, asc);
	EXPECT_EQ(LBA + 70, sbed_info(b));
}

static void check_damage(struct sbed *b, u8 protect, enum damage what)
{
	u16 asc = found(b->lu.pi_type, protect, what);

	/* Going out. */
	memset(b->disk, 0, SBED_BYTES);
	rw_task(b, true, protect, LBA, NR);
	do_damage(b->pi.tuple + 70, b->out + 70 * 512, what);
	sbed_go(b);
	expect_found(b, asc);
	EXPECT_EQ(!!asc, sbed_is_zero(b, LBA + 70, 1));
	/* On the medium. */
	write_good(b, 1);
	do_damage(b->tuples + LBA + 70, b->disk + (LBA + 70) * 512, what);
	rw_task(b, false, protect, LBA, NR);
	sbed_go(b);
	expect_found(b, asc);
}

TEST(pi_damage, "pi: damage is found if the value asks for it, and named")
{
	struct sbed *b1 = sbed_new_with(sbed_set_pi1);
	struct sbed *b3 = sbed_new_with(set_type3);
	enum damage what;
	u8 protect;

	for (protect = 1; protect <= 5; protect++)
		for (what = DATA; what <= REF; what++) {
			check_damage(b1, protect, what);
			check_damage(b3, protect, what);
		}
	sbed_free(b1);
	sbed_free(b3);
}

static void escape(struct sbed *b, u8 protect, u16 app, u32 ref, u16 asc)
{
	write_good(b, 1);
	b->tuples[LBA + 70].app = cpu_to_be16(app);
	b->tuples[LBA + 70].ref = cpu_to_be32(ref);
	b->disk[(LBA + 70) * 512] ^= 1;
	rw_task(b, false, protect, LBA, NR);
	sbed_go(b);
	expect_found(b, asc);
}

TEST(pi_escape, "pi: tuples that say so are not checked when read")
{
	struct sbed *b1 = sbed_new_with(sbed_set_pi1);
	struct sbed *b3 = sbed_new_with(set_type3);

	escape(b1, 4, 0xffff, 0, 0);
	escape(b1, 4, 0xfffe, 0xffffffff, 0x1001);
	escape(b3, 4, 0xffff, 0, 0x1001);
	escape(b3, 4, 0xffff, 0xffffffff, 0);
	sbed_free(b1);
	sbed_free(b3);
}

TEST(pi_values, "pi: values of the field that there are not are refused")
{
	static const u8 ops[] = {
		0x28, 0x2a, 0x88, 0x8a, 0xa8, 0xaa, 0x2e, 0x2f, 0x41, 0x89,
		0x8e, 0x8f, 0x93, 0xae, 0xaf,
	};
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 cdb[16] = {}, protect;
	unsigned int i;

	for (i = 0; i < sizeof(ops); i++)
		for (protect = 6; protect <= 7; protect++) {
			cdb[0] = ops[i];
			cdb[1] = protect << 5;
			sbed_task(b, 0, cdb, 16, 512, 512);
			b->task.pi_ok = true;
			sbed_go(b);
			EXPECT_BAD_CDB(b, 1, 7);
		}
	/* Commands that do not support it. */
	sbed_task(b, 0, CDB(0x8b, 0x20, B64(0), B32(1), 0, 0), 512, 0);
	b->task.pi_ok = true;
	sbed_go(b);
	EXPECT_BAD_CDB(b, 1, 5);
	sbed_free(b);
}

static void refused(struct sbed *b, bool pi_ok)
{
	u8 bit;

	for (bit = 5; bit < 8; bit++) {
		sbed_task(b, 0, CDB(0x28, 1 << bit, B32(0), 0, B16(1), 0), 0,
			  512);
		b->task.pi_ok = pi_ok;
		sbed_go(b);
		EXPECT_BAD_CDB(b, 1, bit);
	}
}

TEST(pi_none, "pi: without it, on either side, the field must be zero")
{
	struct sbed *plain = sbed_new(), *odd = sbed_new_with(set_odd);
	struct sbed *b = sbed_new_with(sbed_set_pi1);

	refused(plain, true);
	refused(odd, true);
	refused(b, false);
	sbed_free(plain);
	sbed_free(odd);
	sbed_free(b);
}

TEST(pi_room, "pi: a buffer that is too small is an overrun, nothing is done")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 write, protect;

	for (write = 0; write <= 1; write++)
		for (protect = 1; protect <= 5; protect++) {
			rw_task(b, write, protect, LBA, NR);
			b->task.pi_out_len -= write;
			b->task.pi_in_len -= !write;
			sbed_go(b);
			EXPECT_EQ(SCSI_DONE, b->verdict);
			EXPECT(b->task.overrun);
		}
	EXPECT_EQ(0, b->ops[VT_OP_READ] + b->ops[VT_OP_WRITE]);
	sbed_free(b);
}

static void no_room(struct sbed *b, bool write, u8 protect, u16 asc)
{
	rw_task(b, write, protect, LBA, NR);
	b->task.pi_out_len = 0;
	b->task.pi_in_len = 0;
	sbed_go(b);
	EXPECT_EQ(0, b->task.pi_bytes);
	expect_found(b, asc);
}

TEST(pi_strip, "pi: without a buffer it is inserted and stripped")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 protect;

	write_good(b, 1);
	for (protect = 1; protect <= 5; protect++) {
		no_room(b, true, protect, 0);
		no_room(b, false, protect, 0);
	}
	do_damage(b->tuples + LBA + 70, NULL, GUARD);
	for (protect = 2; protect <= 4; protect++)
		no_room(b, false, protect, found(1, protect, GUARD));
	sbed_free(b);
}

TEST(pi_fua, "pi: FUA reads flush, FUA writes are stable")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);

	write_good(b, 2);
	EXPECT_EQ(0, b->fua);
	EXPECT_EQ(0, b->ops[VT_OP_FLUSH]);
	rw_task(b, false, 1, LBA, NR);
	b->task.cdb[1] |= 0x08;
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(1, b->ops[VT_OP_FLUSH]);
	EXPECT(!memcmp(b->tuples + LBA, b->pi.tuple, NR * VT_PI_BYTES));
	rw_task(b, true, 2, LBA, NR);
	b->task.cdb[1] |= 0x08;
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(2, b->fua);
	sbed_free(b);
}

TEST(pi_errors, "pi: an I/O error is one, whatever was asked for")
{
	struct sbed *b = sbed_new_with(sbed_set_pi1);
	u8 protect;

	write_good(b, 1);
	b->fail = BLK_STS_MEDIUM;
	b->fail_op = VT_OP_READ;
	for (protect = 2; protect <= 4; protect++) {
		b->fail_after = 1;
		rw_task(b, false, protect, LBA, NR);
		sbed_go(b);
		EXPECT_CHECK(b, SCSI_MEDIUM_ERROR, SCSI_ASC_READ_ERROR);
	}
	sbed_free(b);
}

TEST(pi_4096, "pi: blocks of 4096 bytes")
{
	struct sbed *b = sbed_new_with(set_4096);

	rw_task(b, true, 2, 17, 20);
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT(!memcmp(b->tuples + 17, b->pi.tuple, 20 * VT_PI_BYTES));
	do_damage(b->tuples + 36, b->disk + 36 * 4096, DATA);
	rw_task(b, false, 4, 17, 20);
	sbed_go(b);
	EXPECT_CHECK(b, SCSI_ABORTED_COMMAND, 0x1001);
	EXPECT_EQ(36, sbed_info(b));
	sbed_free(b);
}

/* A byte of what a command says, with or without a transport that can. */
static u8 said(struct sbed *b, const u8 *cdb, unsigned int len, bool pi_ok,
	       unsigned int byte)
{
	sbed_task(b, 0, cdb, len, 0, 255);
	b->task.pi_ok = pi_ok;
	sbed_go(b);
	EXPECT_GOOD(b);
	return b->in[byte];
}

#define INQUIRY		CDB(0x12, 0, 0, 0, 255, 0)
#define VPD_86		CDB(0x12, 1, 0x86, 0, 255, 0)
#define READCAP16	CDB(0x9e, 0x10, B64(0), B32(255), 0, 0)
#define OPCODE(op)	CDB(0xa3, 0x0c, 1, op, 0, 0, B32(255), 0, 0)

static void says(struct sbed *b, bool pi_ok, u8 protect, u8 vpd, u8 prot_en,
		 u8 usage)
{
	EXPECT_EQ(0x10 | protect, said(b, INQUIRY, pi_ok, 5));
	EXPECT_EQ(vpd, said(b, VPD_86, pi_ok, 4));
	EXPECT_EQ(prot_en, said(b, READCAP16, pi_ok, 12));
	EXPECT_EQ(0x18 | usage, said(b, OPCODE(0x28), pi_ok, 5));
	EXPECT_EQ(0x18 | usage, said(b, OPCODE(0x8a), pi_ok, 5));
	EXPECT_EQ(0x16 | usage, said(b, OPCODE(0x2f), pi_ok, 5));
	EXPECT_EQ(0x18, said(b, OPCODE(0x8b), pi_ok, 5));
}

TEST(pi_said, "pi: INQUIRY, VPD 86, READ CAPACITY (16) and usage say it")
{
	struct sbed *plain = sbed_new(), *odd = sbed_new_with(set_odd);
	struct sbed *b1 = sbed_new_with(sbed_set_pi1);
	struct sbed *b3 = sbed_new_with(set_type3);

	says(b1, true, 0x01, 0x05, 0x01, 0xe0);
	says(b3, true, 0x01, 0x24, 0x05, 0xe0);
	says(b1, false, 0, 0, 0, 0);
	says(plain, true, 0, 0, 0, 0);
	says(odd, true, 0, 0, 0, 0);
	EXPECT_EQ(2048, b1->lu.max_blocks);
	sbed_free(plain);
	sbed_free(odd);
	sbed_free(b1);
	sbed_free(b3);
}
