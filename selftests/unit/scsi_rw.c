// SPDX-License-Identifier: GPL-2.0
/* READ, WRITE, SYNCHRONIZE CACHE, READ CAPACITY: limits, caches, errors. */
#include <string.h>

#include <linux/vhost_target.h>

#include "scsi_bed.h"

#define LAST	(SBED_SECTORS - 1)
#define MAX	(SBED_MAX_BYTES / 512)

/* CDBs of the three lengths. */
#define RW10(op, f, lba, nr)	CDB(op, f, B32(lba), 0, B16(nr), 0)
#define RW12(op, f, lba, nr)	CDB(op, f, B32(lba), B32(nr), 0, 0)
#define RW16(op, f, lba, nr)	CDB(op, f, B64(lba), B32(nr), 0, 0)

static void read_ok(struct sbed *b, const u8 *cdb, unsigned int len, u64 lba,
		    u32 nr)
{
	sbed_fill(b, lba, nr, 9);
	sbed_run(b, 0, cdb, len, 0, nr * 512);
	EXPECT_GOOD(b);
	EXPECT_EQ(SCSI_IO, b->verdict);
	EXPECT_EQ(0, scsi_task_residual(&b->task));
	EXPECT(!memcmp(b->in, b->disk + lba * 512, nr * 512));
}

static void write_ok(struct sbed *b, const u8 *cdb, unsigned int len, u64 lba,
		     u32 nr)
{
	sbed_task(b, 0, cdb, len, nr * 512, 0);
	sbed_pattern(b->out, nr * 512, 77);
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(SCSI_IO, b->verdict);
	EXPECT_EQ(0, scsi_task_residual(&b->task));
	EXPECT(sbed_is(b, lba, nr, 77));
}

TEST(rw_read, "read: each CDB reads what its fields say, up to the last block")
{
	struct sbed *b = sbed_new();

	read_ok(b, CDB(0x08, 0, 0x0f, 0xff, 1, 0), LAST, 1);
	read_ok(b, CDB(0x08, 0, 0x0f, 0x00, 0, 0), 0xf00, 256);
	read_ok(b, RW10(0x28, 0, LAST, 1), LAST, 1);
	read_ok(b, RW10(0x28, 0x10, 0x123, 0x101), 0x123, 0x101);
	read_ok(b, RW12(0xa8, 0, LAST - 1, 2), LAST - 1, 2);
	read_ok(b, RW16(0x88, 0, 7, MAX), 7, MAX);
	EXPECT_EQ(6, b->ops[VT_OP_READ]);
	sbed_free(b);
}

TEST(rw_write, "write: each CDB writes what its fields say, up to the last")
{
	struct sbed *b = sbed_new();

	write_ok(b, CDB(0x0a, 0, 0x0f, 0xff, 1, 0), LAST, 1);
	write_ok(b, CDB(0x0a, 0, 0x0f, 0x00, 0, 0), 0xf00, 256);
	write_ok(b, RW10(0x2a, 0, LAST, 1), LAST, 1);
	write_ok(b, RW10(0x2a, 0x10, 0x123, 0x101), 0x123, 0x101);
	write_ok(b, RW12(0xaa, 0, LAST - 1, 2), LAST - 1, 2);
	write_ok(b, RW16(0x8a, 0, 7, MAX), 7, MAX);
	EXPECT_EQ(0, b->fua);
	EXPECT_EQ(6, b->ops[VT_OP_WRITE]);
	sbed_free(b);
}

static void beyond(struct sbed *b, const u8 *cdb, unsigned int len, u64 info)
{
	sbed_run(b, 0, cdb, len, SBED_MAX_BYTES, SBED_MAX_BYTES);
	EXPECT_EQ(SCSI_DONE, b->verdict);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	EXPECT_EQ(info, sbed_info(b));
}

TEST(rw_beyond, "rw: blocks past the end are refused, and the first is named")
{
	static const u8 ops10[] = { 0x28, 0x2a, 0x2e, 0x2f, 0x35, 0x41 };
	static const u8 ops16[] = { 0x88, 0x8a, 0x8b, 0x8e, 0x8f, 0x91, 0x93 };
	struct sbed *b = sbed_new();
	unsigned int i;

	for (i = 0; i < sizeof(ops10); i++) {
		beyond(b, RW10(ops10[i], 0, LAST, 2), SBED_SECTORS);
		beyond(b, RW10(ops10[i], 0, SBED_SECTORS, 1), SBED_SECTORS);
		beyond(b, RW10(ops10[i], 0, 0xffffffff, 1), 0xffffffff);
	}
	for (i = 0; i < sizeof(ops16); i++) {
		beyond(b, RW16(ops16[i], 0, LAST, 2), SBED_SECTORS);
		beyond(b, RW16(ops16[i], 0, SBED_SECTORS + 1, 1),
		       SBED_SECTORS + 1);
	}
	beyond(b, CDB(0x08, 0x1f, 0xff, 0xff, 1, 0), 0x1fffff);
	beyond(b, CDB(0x0a, 0, 0x0f, 0xff, 0, 0), SBED_SECTORS);
	beyond(b, RW12(0xa8, 0, LAST, 2), SBED_SECTORS);
	beyond(b, RW12(0xaa, 0, LAST, 2), SBED_SECTORS);
	EXPECT_EQ(0, b->ops[VT_OP_READ] + b->ops[VT_OP_WRITE]);
	sbed_free(b);
}

TEST(rw_info64, "rw: a block number of 64 bits is told in descriptor format")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, RW16(0x88, 0, ~0ULL, 1), 0, 512);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	EXPECT_EQ(0x70, b->task.sense[0]);
	EXPECT_EQ(18, b->task.sense_len);
	b->lu.d_sense = true;
	sbed_run(b, 0, RW16(0x88, 0, 1ULL << 40, 0xff), 0, 512 * 255);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	EXPECT_EQ(0x72, b->task.sense[0]);
	EXPECT_EQ(20, b->task.sense_len);
	EXPECT_EQ(1LL << 40, sbed_info(b));
	sbed_free(b);
}

TEST(rw_none, "rw: no blocks are no error, unless they are past the end")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, RW10(0x28, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, RW10(0x2a, 0, SBED_SECTORS, 0), 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(SCSI_DONE, b->verdict);
	beyond(b, RW16(0x88, 0, SBED_SECTORS + 1, 0), SBED_SECTORS + 1);
	beyond(b, RW16(0x8a, 0, 0x7fffffff, 0), 0x7fffffff);
	sbed_free(b);
}

TEST(rw_max, "rw: more than the transport can take is refused")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, RW10(0x28, 0, 0, MAX + 1), 0, SBED_MAX_BYTES + 512);
	EXPECT_BAD_CDB(b, 7, -1);
	sbed_run(b, 0, RW12(0xaa, 0, 0, MAX + 1), SBED_MAX_BYTES + 512, 0);
	EXPECT_BAD_CDB(b, 6, -1);
	sbed_run(b, 0, RW16(0x88, 0, 0, 0xffffffff), 0, SBED_MAX_BYTES);
	EXPECT_BAD_CDB(b, 10, -1);
	sbed_free(b);
}

TEST(rw_buffers, "rw: a buffer too short or of the wrong side is an overrun")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, RW10(0x28, 0, 0, 2), 0, 1023);
	EXPECT(b->task.overrun);
	sbed_run(b, 0, RW10(0x28, 0, 0, 2), 1024, 0);
	EXPECT(b->task.overrun);
	sbed_run(b, 0, RW10(0x2a, 0, 0, 2), 0, 1024);
	EXPECT(b->task.overrun);
	EXPECT_EQ(0, b->task.moved);
	/* One that is too long is not. */
	sbed_run(b, 0, RW10(0x28, 0, 0, 2), 0, 2000);
	EXPECT_GOOD(b);
	EXPECT_EQ(2000 - 1024, scsi_task_residual(&b->task));
	sbed_free(b);
}

TEST(rw_fua_write, "write: FUA, and no write cache, make writes stable")
{
	struct sbed *b = sbed_new();

	write_ok(b, RW10(0x2a, 0x08, 0, 1), 0, 1);
	write_ok(b, RW12(0xaa, 0x18, 0, 1), 0, 1);
	write_ok(b, RW16(0x8a, 0x08, 0, 1), 0, 1);
	EXPECT_EQ(3, b->fua);
	/* The same bit of a 6 byte CDB is part of the address. */
	sbed_run(b, 0, CDB(0x0a, 0x08, 0, 0, 1, 0), 512, 0);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE);
	b->be.limits.sectors = 1 << 21;
	sbed_task(b, 0, CDB(0x0a, 0x08, 0, 0, 1, 0), 512, 0);
	EXPECT_EQ(SCSI_IO, scsi_task_parse(&b->task));
	EXPECT_EQ(0x80000, b->task.sector);
	EXPECT_EQ(0, b->task.io_flags);
	b->lu.wce = false;
	write_ok(b, CDB(0x0a, 0, 0, 0, 1, 0), 0, 1);
	write_ok(b, RW10(0x2a, 0, 0, 1), 0, 1);
	EXPECT_EQ(5, b->fua);
	sbed_free(b);
}

TEST(rw_fua_read, "read: FUA reads what the cache has, once it is written")
{
	struct sbed *b = sbed_new();

	sbed_fill(b, 10, 200, 3);
	sbed_run(b, 0, RW10(0x28, 0x08, 10, 200), 0, 200 * 512);
	EXPECT_GOOD(b);
	EXPECT_EQ(SCSI_EXEC, b->verdict);
	EXPECT_EQ(1, b->ops[VT_OP_FLUSH]);
	EXPECT(!memcmp(b->in, b->disk + 10 * 512, 200 * 512));
	EXPECT_EQ(200 * 512, b->task.moved);
	b->fail = BLK_STS_MEDIUM;
	b->fail_op = VT_OP_READ;
	b->fail_after = 1;
	sbed_run(b, 0, RW16(0x88, 0x08, 10, 200), 0, 200 * 512);
	EXPECT_CHECK(b, SCSI_MEDIUM_ERROR, SCSI_ASC_READ_ERROR);
	b->fail_op = VT_OP_FLUSH;
	b->fail_after = 0;
	sbed_run(b, 0, RW16(0x88, 0x08, 10, 200), 0, 200 * 512);
	EXPECT_CHECK(b, SCSI_MEDIUM_ERROR, SCSI_ASC_WRITE_ERROR);
	/* Without a cache there is nothing to be done. */
	b->be.limits.write_cache = false;
	b->fail = BLK_STS_OK;
	read_ok(b, RW10(0x28, 0x08, 10, 2), 10, 2);
	sbed_free(b);
}

TEST(rw_sync, "synchronize cache: flushes, whatever the range")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, RW10(0x35, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(SCSI_IO, b->verdict);
	sbed_run(b, 0, RW10(0x35, 0x02, LAST, 1), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, RW16(0x91, 0, 5, 0), 0, 0);
	EXPECT_GOOD(b);
	EXPECT_EQ(3, b->ops[VT_OP_FLUSH]);
	b->fail = BLK_STS_IOERR;
	b->fail_op = VT_OP_FLUSH;
	sbed_run(b, 0, RW10(0x35, 0, 0, 0), 0, 0);
	EXPECT_CHECK(b, SCSI_HARDWARE_ERROR, SCSI_ASC_TARGET_FAILURE);
	sbed_free(b);
}

struct io_error {
	blk_status_t status;
	u8 key;
	u16 read;
	u16 write;
};

TEST(rw_errors, "rw: each error of the backend has its sense")
{
	static const struct io_error errors[] = {
		{ BLK_STS_NOTSUPP, 0x5, 0x2000, 0x2000 },
		{ BLK_STS_TIMEOUT, 0xb, 0x2e02, 0x2e02 },
		{ BLK_STS_NOSPC, 0x7, 0x2707, 0x2707 },
		{ BLK_STS_TRANSPORT, 0xb, 0x0800, 0x0800 },
		{ BLK_STS_TARGET, 0x4, 0x4400, 0x4400 },
		{ BLK_STS_MEDIUM, 0x3, 0x1100, 0x0c00 },
		{ BLK_STS_PROTECTION, 0xb, 0x1001, 0x1001 },
		{ BLK_STS_IOERR, 0x4, 0x4400, 0x4400 },
		{ BLK_STS_OFFLINE, 0x2, 0x0403, 0x0403 },
	};
	struct sbed *b = sbed_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		b->fail = errors[i].status;
		b->fail_op = VT_OP_READ;
		b->fail_after = 0;
		sbed_run(b, 0, RW10(0x28, 0, 0, 1), 0, 512);
		EXPECT_CHECK(b, errors[i].key, errors[i].read);
		EXPECT_EQ(0, b->task.moved);
		b->fail_op = VT_OP_WRITE;
		b->fail_after = 0;
		sbed_run(b, 0, RW10(0x2a, 0, 0, 1), 512, 0);
		EXPECT_CHECK(b, errors[i].key, errors[i].write);
	}
	b->fail = BLK_STS_RESOURCE;
	b->fail_after = 0;
	EXPECT_EQ(SCSI_BUSY, sbed_run(b, 0, RW10(0x2a, 0, 0, 1), 512, 0));
	b->fail = BLK_STS_RESV_CONFLICT;
	b->fail_after = 0;
	EXPECT_EQ(SCSI_RESERVATION_CONFLICT,
		  sbed_run(b, 0, RW10(0x2a, 0, 0, 1), 512, 0));
	sbed_free(b);
}

static void set_4k(struct sbed *b, struct scsi_lu_params *p)
{
	(void)p;
	b->be.limits.block_size = 4096;
}

TEST(rw_4k, "rw: blocks of 4096 bytes are counted as such")
{
	struct sbed *b = sbed_new_with(set_4k);
	u32 blocks = SBED_SECTORS / 8;

	sbed_fill(b, 8 * (blocks - 2), 16, 4);
	sbed_run(b, 0, RW10(0x28, 0, blocks - 2, 2), 0, 8192);
	EXPECT_GOOD(b);
	EXPECT(!memcmp(b->in, b->disk + SBED_BYTES - 8192, 8192));
	beyond(b, RW10(0x28, 0, blocks - 2, 3), blocks);
	sbed_run(b, 0, RW10(0x2a, 0, 0, 2), 8191, 0);
	EXPECT(b->task.overrun);
	sbed_run(b, 0, CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0, 8);
	EXPECT_EQ(blocks - 1, get_unaligned_be32(b->in));
	EXPECT_EQ(4096, get_unaligned_be32(b->in + 4));
	sbed_free(b);
}

TEST(rw_capacity, "read capacity: blocks, their size, and what else there is")
{
	struct sbed *b = sbed_new();
	u8 want[32] = {};

	sbed_run(b, 0, CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0, 8);
	EXPECT_GOOD(b);
	EXPECT_EQ(LAST, get_unaligned_be32(b->in));
	EXPECT_EQ(512, get_unaligned_be32(b->in + 4));

	put_unaligned_be64(LAST, want);
	put_unaligned_be32(512, want + 8);
	want[13] = 3;			/* 8 blocks to a physical one */
	want[14] = 0x80;		/* LBPME */
	sbed_run(b, 0, CDB(0x9e, 0x10, B64(0), B32(32), 0, 0), 0, 32);
	EXPECT_GOOD(b);
	EXPECT(!memcmp(b->in, want, 32));

	b->be.limits.sectors = (1ULL << 32) + 1;
	sbed_run(b, 0, CDB(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0, 8);
	EXPECT_EQ(0xffffffff, get_unaligned_be32(b->in));
	sbed_run(b, 0, CDB(0x9e, 0x10, B64(0), B32(32), 0, 0), 0, 32);
	EXPECT_EQ(1LL << 32, get_unaligned_be64(b->in));
	sbed_free(b);
}

static void set_odd(struct sbed *b, struct scsi_lu_params *p)
{
	p->flags = VHOST_TARGET_UNIT_F_NO_DISCARD;
	b->be.limits.alignment_offset = 3584;
}

TEST(rw_capacity_none, "read capacity, test unit ready: of what has shrunk to nothing")
{
	struct sbed *b = sbed_new();
	unsigned int i;

	/* Less than a block, and nothing. */
	b->lu.block_shift = 12;
	for (i = 0; i < 2; i++) {
		b->be.limits.sectors = i ? 0 : 7;
		sbed_run(b, 0, CDB(0x25, 0, B32(0), 0, B16(0), 0), 0, 8);
		EXPECT_CHECK(b, SCSI_NOT_READY, SCSI_ASC_NEED_MANUAL);
		EXPECT_EQ(0, b->task.moved);
		sbed_run(b, 0, CDB(0x9e, 0x10, B64(0), B32(32), 0, 0), 0, 32);
		EXPECT_CHECK(b, SCSI_NOT_READY, SCSI_ASC_NEED_MANUAL);
		EXPECT_EQ(0, b->task.moved);
		sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
		EXPECT_CHECK(b, SCSI_NOT_READY, SCSI_ASC_NEED_MANUAL);
	}
	b->be.limits.sectors = 8;
	sbed_run(b, 0, CDB(0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	sbed_run(b, 0, CDB(0x25, 0, B32(0), 0, B16(0), 0), 0, 8);
	EXPECT_GOOD(b);
	EXPECT_EQ(0, get_unaligned_be32(b->in));
	sbed_free(b);
}

TEST(rw_capacity_odd, "read capacity: no provisioning, an odd alignment")
{
	struct sbed *b = sbed_new_with(set_odd);

	sbed_run(b, 0, CDB(0x9e, 0x10, B64(0), B32(32), 0, 0), 0, 32);
	EXPECT_EQ(0x0007, get_unaligned_be16(b->in + 14));
	sbed_free(b);
}
