// SPDX-License-Identifier: GPL-2.0
/*
 * A namespace with protection information, on scsi_debug or a partition of it,
 * where reference tags are not those of the disk.
 */
#include <endian.h>

#include "nvme_fixture.h"
#include "pidisk.h"

#define NR 8			/* blocks of a command */
#define LBA 40
#define BAD 5			/* the block that is wrong */

#define PRACT 8
#define GUARD 4
#define APP 2
#define REF 1

#define SC_PROT_INFO 0x181
#define SC_GUARD 0x282
#define SC_APP 0x283
#define SC_REF 0x284

FIXTURE(pi)
{
	struct disk disk;
	struct bed bed;
	struct mem mem;
	struct nvme n;
	u8 *data;
	u64 gpa;
	struct pi_tuple *pi;
	u64 pi_gpa;
	u32 type;
	u8 all;		/* checks that the type has */
};

FIXTURE_VARIANT(pi)
{
	u32 type;
	bool part;
	enum nvme_db db;
};

FIXTURE_VARIANT_ADD(pi, type1) { 1, false, NVME_DB_SHADOW };
FIXTURE_VARIANT_ADD(pi, type1_part) { 1, true, NVME_DB_PAGE };
FIXTURE_VARIANT_ADD(pi, type3) { 3, false, NVME_DB_SHADOW };

FIXTURE_SETUP(pi)
{
	struct bed_opts b = {
		.disk = &self->disk, .type = VHOST_TARGET_NVME,
		.num_queues = 1,
	};

	bed_sweep();
	pidisk_unload();
	self->n.fd = -1;
	self->type = variant->type;
	self->all = GUARD | (variant->type == 1 ? REF : 0);
	ASSERT_EQ(0, pidisk_load(&self->disk, variant->type, variant->part));
	ASSERT_EQ(0, bed_make(&self->bed, &b));
	ASSERT_EQ(0, mem_init(&self->mem, MEM_ONE, 16 * MIB, false));
	ASSERT_EQ(0, nvme_open(&self->n, &self->mem, self->bed.name,
			       variant->db));
	self->data = mem_alloc(&self->mem, 4 * MIB, PAGE, &self->gpa);
	self->pi = mem_alloc(&self->mem, 64 * KIB, PAGE, &self->pi_gpa);
	ASSERT_NE(NULL, self->data);
	ASSERT_NE(NULL, self->pi);
	ASSERT_EQ(0, nvme_enable(&self->n, 32));
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 16));
}

FIXTURE_TEARDOWN(pi)
{
	nvme_close(&self->n);
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	pidisk_unload();
	mem_free(&self->mem);
}

/* Type 3 has no reference tag to be checked. */
static void set_pi(FIXTURE_DATA(pi) *self, struct nvme_sqe *cmd, u8 prinfo,
		   u64 lba)
{
	cmd->cdw12 |= (u32)prinfo << 26;
	cmd->cdw14 = self->type == 1 ? lba : 0;
	cmd->mptr = self->pi_gpa;
}

static int rw_at(FIXTURE_DATA(pi) *self, u8 opcode, u8 prinfo, u64 lba, u32 tags)
{
	struct nvme_sqe cmd = { 0 };

	nvme_set_rw(&cmd, opcode, 1, lba, NR);
	set_pi(self, &cmd, prinfo, lba);
	cmd.cdw15 = tags;
	cmd.prp1 = self->gpa;
	return NVME_ERR(nvme_do(&self->n, 1, &cmd, NULL));
}

static int rw(FIXTURE_DATA(pi) *self, u8 opcode, u8 prinfo)
{
	return rw_at(self, opcode, prinfo, LBA, 0);
}

static void fill_tuples(u8 *data, struct pi_tuple *pi, u16 app, u32 ref)
{
	unsigned int i;

	for (i = 0; i < NR; i++)
		pi[i] = (struct pi_tuple) {
			.guard = htobe16(pidisk_crc(data + i * SECTOR, SECTOR)),
			.app = htobe16(app),
			.ref = htobe32(ref + i),
		};
}

static void fill(FIXTURE_DATA(pi) *self, u8 seed)
{
	unsigned int i;

	for (i = 0; i < NR * SECTOR; i++)
		self->data[i] = seed + i + i / SECTOR * 3;
	fill_tuples(self->data, self->pi, 0x1200 + seed, LBA);
}

static void wipe(FIXTURE_DATA(pi) *self)
{
	memset(self->data, 0xcc, NR * SECTOR);
	memset(self->pi, 0xcc, NR * sizeof(struct pi_tuple));
}

/* Read with no check: is what is there what @seed makes? */
static bool on_medium(FIXTURE_DATA(pi) *self, u8 seed)
{
	u8 data[NR * SECTOR];
	struct pi_tuple pi[NR];

	fill(self, seed);
	memcpy(data, self->data, sizeof(data));
	memcpy(pi, self->pi, sizeof(pi));
	wipe(self);
	return !rw(self, OP_READ, 0) &&
	       !memcmp(self->data, data, sizeof(data)) &&
	       !memcmp(self->pi, pi, sizeof(pi));
}

TEST_F(pi, identify)
{
	const u8 *id = self->n.buf;

	ASSERT_EQ(0, nvme_identify(&self->n, 0, 1));
	EXPECT_EQ(0, id[26]);
	EXPECT_EQ(2, id[27]);
	EXPECT_EQ(1 << (self->type - 1) | 1 << 4, id[28]);
	EXPECT_EQ(self->type, id[29]);
	EXPECT_EQ(8, id[128]);
}

TEST_F(pi, moves)
{
	const u8 prinfo[] = { self->all, GUARD, 0, self->all | APP };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(prinfo); i++) {
		u32 tags = 0xffffu << 16 | (0x1200 + i + 1);

		fill(self, i + 1);
		ASSERT_EQ(0, rw_at(self, OP_WRITE, prinfo[i], LBA, tags));
		EXPECT_TRUE(on_medium(self, i + 1));
		wipe(self);
		EXPECT_EQ(0, rw_at(self, OP_READ, prinfo[i], LBA, tags));
		EXPECT_EQ(htobe16(0x1200 + i + 1), self->pi[NR - 1].app);
		EXPECT_TRUE(on_medium(self, i + 1));
	}
}

/* The controller makes the tuples, and keeps them. */
TEST_F(pi, inserted)
{
	static const u16 app[] = { 0, 0x77 };
	struct pi_tuple want[NR];
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(app); i++) {
		fill(self, i + 50);
		fill_tuples(self->data, want, app[i], LBA);
		for (k = 0; k < NR && self->type == 3; k++)
			want[k].ref = 0;
		ASSERT_EQ(0, rw_at(self, OP_WRITE, PRACT, LBA, app[i]));
		wipe(self);
		ASSERT_EQ(0, rw(self, OP_READ, self->all));
		EXPECT_EQ(0, memcmp(self->pi, want, sizeof(want)));
		wipe(self);
		ASSERT_EQ(0, rw(self, OP_READ, PRACT | self->all));
		ASSERT_EQ(0, rw(self, OP_READ, PRACT));
		EXPECT_EQ(0xcc, *(u8 *)self->pi);
		EXPECT_EQ((u8)(i + 50), self->data[0]);
	}
}

static void spoil(struct pi_tuple *t, u8 what)
{
	if (what == GUARD)
		t->guard ^= htobe16(0x4000);
	else if (what == REF)
		t->ref ^= htobe32(0x1000000);
	else
		t->app ^= htobe16(1);
}

static int status_of(u8 what)
{
	return what == GUARD ? SC_GUARD : what == REF ? SC_REF : SC_APP;
}

static void check_wrong(struct __test_metadata *_metadata,
			FIXTURE_DATA(pi) *self, u8 what)
{
	const u8 prinfo[] = { self->all | APP, what, self->all & ~what, 0 };
	u32 tags = 0xffffu << 16 | 0x1207;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(prinfo); i++) {
		int want = prinfo[i] & what ? status_of(what) : 0;

		/* Good blocks first: they stay if the others are refused. */
		fill(self, 99);
		ASSERT_EQ(0, rw(self, OP_WRITE, self->all));
		fill(self, 7);
		spoil(self->pi + BAD, what);
		EXPECT_EQ(want, rw_at(self, OP_WRITE, prinfo[i], LBA, tags));
		if (want)
			EXPECT_TRUE(on_medium(self, 99));
	}
	/* On the medium, by a write that nobody looked at. */
	fill(self, 7);
	spoil(self->pi + BAD, what);
	ASSERT_EQ(0, rw(self, OP_WRITE, 0));
	for (i = 0; i < ARRAY_SIZE(prinfo); i++) {
		int want = prinfo[i] & what ? status_of(what) : 0;

		EXPECT_EQ(want, rw_at(self, OP_READ, prinfo[i], LBA, tags));
		EXPECT_EQ(want, rw_at(self, OP_READ, PRACT | prinfo[i], LBA,
				      tags));
		EXPECT_EQ(want, rw_at(self, OP_VERIFY, prinfo[i], LBA, tags));
	}
	fill(self, 8);
	ASSERT_EQ(0, rw(self, OP_WRITE, self->all));
	EXPECT_EQ(0, rw(self, OP_READ, self->all));
}

TEST_F(pi, wrong_guard)
{
	check_wrong(_metadata, self, GUARD);
}

TEST_F(pi, wrong_reference)
{
	struct nvme_sqe cmd = { 0 };

	if (self->type == 1) {
		check_wrong(_metadata, self, REF);
		nvme_set_rw(&cmd, OP_READ, 1, LBA, NR);
		set_pi(self, &cmd, REF, LBA + 1);
		cmd.prp1 = self->gpa;
		STATUS(SC_PROT_INFO, nvme_do(&self->n, 1, &cmd, NULL));
	} else {
		EXPECT_EQ(SC_PROT_INFO, rw(self, OP_READ, REF));
	}
}

TEST_F(pi, wrong_application)
{
	check_wrong(_metadata, self, APP);
}

/* Which block it was stands in the error log. */
TEST_F(pi, error_log)
{
	u64 lba;

	fill(self, 3);
	spoil(self->pi + BAD, GUARD);
	EXPECT_EQ(SC_GUARD, rw(self, OP_WRITE, self->all));
	ASSERT_EQ(0, nvme_get_log(&self->n, 1, 64));
	memcpy(&lba, (u8 *)self->n.buf + 16, 8);
	EXPECT_EQ(LBA + BAD, le64toh(lba));
}

TEST_F(pi, escapes)
{
	unsigned int i;

	fill(self, 20);
	for (i = 0; i < NR; i++)
		self->pi[i] = (struct pi_tuple) {
			.guard = 0x1234, .app = 0xffff, .ref = 0xffffffff,
		};
	ASSERT_EQ(0, rw(self, OP_WRITE, self->all));
	wipe(self);
	EXPECT_EQ(0, rw(self, OP_READ, self->all));
	EXPECT_EQ(0, rw(self, OP_READ, GUARD));
	EXPECT_EQ(0xffff, self->pi[0].app);
	EXPECT_EQ(20, self->data[0]);
}

TEST_F(pi, compare)
{
	fill(self, 30);
	ASSERT_EQ(0, rw(self, OP_WRITE, self->all));
	EXPECT_EQ(0, rw(self, OP_COMPARE, self->all));
	spoil(self->pi + BAD, GUARD);
	EXPECT_EQ(SC_GUARD, rw(self, OP_COMPARE, self->all));
	EXPECT_EQ(0, rw(self, OP_COMPARE, 0));
	self->data[BAD * SECTOR]++;
	EXPECT_EQ(SC_COMPARE, rw(self, OP_COMPARE, 0));
	EXPECT_EQ(SC_PROT_INFO, rw(self, OP_COMPARE, PRACT));
	EXPECT_EQ(SC_PROT_INFO, rw(self, OP_VERIFY, PRACT));
}

TEST_F(pi, compare_and_write)
{
	static const u8 prinfo[] = { 0, GUARD, PRACT };
	struct nvme_sqe cmd[2] = { { .flags = 1 }, { .flags = 2 } };
	struct nvme_cqe cqe;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(prinfo); i++) {
		fill(self, 40);
		ASSERT_EQ(0, rw(self, OP_WRITE, self->all));
		memcpy(self->data + PAGE, self->data, PAGE);
		fill(self, 41 + i);
		for (k = 0; k < 2; k++) {
			nvme_set_rw(&cmd[k], k ? OP_WRITE : OP_COMPARE, 1, LBA,
				    NR);
			set_pi(self, &cmd[k], k ? prinfo[i] : 0, LBA);
			cmd[k].prp1 = self->gpa + (k ? 0 : PAGE);
			cmd[k].cid = 70 + k;
			nvme_submit(&self->n, 1, &cmd[k]);
		}
		nvme_ring(&self->n, 1);
		for (k = 0; k < 2; k++) {
			ASSERT_EQ(0, nvme_wait(&self->n, 1, &cqe));
			EXPECT_EQ(0, cqe.status >> 1);
		}
		wipe(self);
		EXPECT_EQ(0, rw(self, OP_READ, self->all));
		EXPECT_EQ(41 + i, self->data[0]);
	}
}

/* More blocks than the work item does in a step. */
TEST_F(pi, zeroes)
{
	static const struct pi_tuple none;
	struct nvme_sqe cmd = { 0 };

	fill(self, 60);
	ASSERT_EQ(0, rw(self, OP_WRITE, self->all));
	nvme_set_rw(&cmd, OP_ZEROES, 1, LBA, 1000);
	set_pi(self, &cmd, PRACT, LBA);
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	wipe(self);
	EXPECT_EQ(0, rw(self, OP_READ, self->all));
	EXPECT_EQ(0, self->data[NR * SECTOR - 1]);
	EXPECT_EQ(0, rw_at(self, OP_READ, self->all, LBA + 1000 - NR, 0));
	nvme_set_rw(&cmd, OP_ZEROES, 1, LBA, NR);
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	wipe(self);
	EXPECT_EQ(0, rw(self, OP_READ, GUARD));
	EXPECT_EQ(0, memcmp(&none, self->pi + 1, sizeof(none)));
}

struct copy_range {
	u64 rsvd;
	u64 slba;
	u16 nlb;
	u8 rsvd18[6];
	u32 ref;
	u16 app;
	u16 mask;
};

static int copy(FIXTURE_DATA(pi) *self, u8 from, u8 to, u64 lba)
{
	struct nvme_sqe cmd = { .opcode = OP_COPY, .nsid = 1 };
	struct copy_range *r = (void *)(self->data + 64 * KIB);

	*r = (struct copy_range) {
		.slba = LBA, .nlb = NR - 1,
		.ref = self->type == 1 ? LBA : 0,
	};
	cmd.cdw10 = lba;
	cmd.cdw12 = (u32)from << 12;
	set_pi(self, &cmd, to, lba);
	cmd.prp1 = self->gpa + 64 * KIB;
	return NVME_ERR(nvme_do(&self->n, 1, &cmd, NULL));
}

TEST_F(pi, copy)
{
	fill(self, 80);
	ASSERT_EQ(0, rw(self, OP_WRITE, self->all));
	EXPECT_EQ(0, copy(self, PRACT | self->all, PRACT, LBA + 100));
	wipe(self);
	EXPECT_EQ(0, rw_at(self, OP_READ, self->all, LBA + 100, 0));
	EXPECT_EQ(80, self->data[0]);
	EXPECT_EQ(SC_FIELD, copy(self, PRACT, 0, LBA + 200));
	/* With the tuples it has: reference tags of type 1 are of no other. */
	EXPECT_EQ(self->type == 1 ? SC_REF : 0,
		  copy(self, self->all, self->all, LBA + 200));
	EXPECT_EQ(0, copy(self, self->all, GUARD, LBA + 200));
	wipe(self);
	EXPECT_EQ(0, rw_at(self, OP_READ, GUARD, LBA + 200, 0));
	EXPECT_EQ(htobe32(LBA), self->pi[0].ref);
	fill(self, 80);
	spoil(self->pi + BAD, GUARD);
	ASSERT_EQ(0, rw(self, OP_WRITE, 0));
	EXPECT_EQ(SC_GUARD, copy(self, GUARD, GUARD, LBA + 200));
}

TEST_F(pi, pointers)
{
	struct nvme_sqe cmd = { .flags = 1 << 6 };
	struct nvme_sgl sgl = { .addr = self->gpa, .len = NR * SECTOR };

	fill(self, 90);
	ASSERT_EQ(0, rw(self, OP_WRITE, self->all));
	wipe(self);
	nvme_set_rw(&cmd, OP_READ, 1, LBA, NR);
	set_pi(self, &cmd, self->all, LBA);
	memcpy(&cmd.prp1, &sgl, sizeof(sgl));
	/* Over a page's end, at an odd byte. */
	cmd.mptr = self->pi_gpa + PAGE - 13;
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	memcpy(self->pi, (u8 *)self->pi + PAGE - 13, NR * sizeof(*self->pi));
	EXPECT_EQ(0, rw(self, OP_WRITE, self->all));
	EXPECT_TRUE(on_medium(self, 90));
	cmd.flags = 2 << 6;
	STATUS(SC_FIELD, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.flags = 0;
	cmd.prp1 = self->gpa;
	STATUS(SC_FIELD, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.mptr = 1ull << 40;
	STATUS(SC_DATA_XFER, nvme_do(&self->n, 1, &cmd, NULL));
}

/* As large as commands get: 16 KiB of tuples. */
TEST_F(pi, one_mebibyte)
{
	u32 nr = MIB / SECTOR, i;
	u64 *list = (u64 *)(self->data + 2 * MIB);
	struct nvme_sqe cmd = { 0 };
	unsigned int pass;

	for (i = 0; i < nr; i++) {
		memset(self->data + i * SECTOR, i + i / 256, SECTOR);
		self->pi[i] = (struct pi_tuple) {
			.guard = htobe16(pidisk_crc(self->data + i * SECTOR,
						    SECTOR)),
			.app = htobe16(i), .ref = htobe32(LBA + i),
		};
	}
	for (pass = 0; pass < 2; pass++) {
		memset(&cmd, 0, sizeof(cmd));
		nvme_set_rw(&cmd, OP_WRITE, 1, LBA, nr);
		set_pi(self, &cmd, pass ? 0 : self->all, LBA);
		nvme_set_prp(&cmd, self->gpa, MIB, list, self->gpa + 2 * MIB);
		STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
		memset(self->pi, 0, nr * sizeof(*self->pi));
		memset(self->data, 0, MIB);
		cmd.opcode = OP_READ;
		STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
		for (i = 0; i < nr; i += 13) {
			ASSERT_EQ(htobe16(i), self->pi[i].app);
			ASSERT_EQ(htobe32(LBA + i), self->pi[i].ref);
			ASSERT_EQ((u8)(i + i / 256), self->data[i * SECTOR + 9]);
		}
	}
}

TEST_HARNESS_MAIN
