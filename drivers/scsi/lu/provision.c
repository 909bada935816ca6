// SPDX-License-Identifier: GPL-2.0
/* Ranges of blocks without data of their own: WRITE SAME, UNMAP and kin. */
#include <linux/sizes.h>

#include "cmd.h"

/* A command of this many bytes ends within any sane time-out. */
#define SAME_MAX_BYTES	SZ_32M

/* Sectors as a number of blocks, of at most 32 bits. */
static u32 sectors_to_blocks32(const struct scsi_lu *lu, u64 sectors)
{
	return min_t(u64, scsi_to_blocks(lu, sectors), U32_MAX);
}

u32 scsi_max_unmap(const struct scsi_lu *lu)
{
	return sectors_to_blocks32(lu,
				   scsi_lu_be(lu)->limits.max_discard_sectors);
}

u32 scsi_max_same(const struct scsi_lu *lu)
{
	const struct vt_limits *l = &scsi_lu_be(lu)->limits;
	u32 sectors = l->max_write_zeroes_sectors ?:
		      SAME_MAX_BYTES >> SECTOR_SHIFT;

	return sectors_to_blocks32(lu, sectors);
}

/* Blocks within what the backend does at once, as the limits above are. */
static bool range_run(struct scsi_task *task, enum vt_op op, u64 lba, u32 nr,
		      u32 flags)
{
	struct scsi_lu *lu = task->itl->lu;
	struct vt_range r = {
		.sector = scsi_to_sectors(lu, lba),
		.nr_sectors = scsi_to_sectors(lu, nr),
		.flags = flags,
	};
	blk_status_t status;

	if (!scsi_go_on(task))
		return false;
	if (!nr)
		return true;
	status = scsi_be_range(task, op, &r);
	if (status)
		scsi_end_io(task, op, status);
	return !status;
}

/* No data-out buffer: a block of zeroes is meant. */
static bool same_ndob(const u8 *cdb)
{
	return cdb[0] == SCSI_OP_WRITE_SAME_16 && cdb[1] & 0x01;
}

enum scsi_verdict scsi_parse_same(struct scsi_task *task)
{
	struct scsi_lu *lu = task->itl->lu;
	const u8 *cdb = task->cdb;
	struct scsi_extent e;

	if (!scsi_protect_ok(task))
		return SCSI_DONE;
	if (cdb[1] & 0x08 && !lu->unmap)
		return scsi_bad_cdb(task, 1, 3);
	if (!scsi_extent_get(task, scsi_max_same(lu), &e))
		return SCSI_DONE;
	/* "To the end" is not supported, as VPD B0 says (WSNZ). */
	if (!e.nr)
		return scsi_bad_cdb(task, e.nr_byte, SCSI_NO_BIT);
	if (!same_ndob(cdb) && scsi_block_bytes(lu) > task->out_len)
		return scsi_overrun(task);
	if (scsi_cdb_protect(cdb) &&
	    !scsi_pi_begin(task, e.lba, same_ndob(cdb) ? 0 : 1))
		return SCSI_DONE;
	return SCSI_EXEC;
}

/* Fill the buffer with copies of its first block. */
static void same_fill(const struct scsi_lu *lu, u8 *buf, u64 bytes)
{
	u32 block = scsi_block_bytes(lu), i;

	for (i = block; i < min_t(u64, SCSI_CHUNK, bytes); i += block)
		memcpy(buf + i, buf, block);
}

static void same_write(struct scsi_task *task, u8 *buf, u64 sector, u64 bytes)
{
	struct scsi_lu *lu = task->itl->lu;
	blk_status_t status = BLK_STS_OK;
	u32 n;

	same_fill(lu, buf, bytes);
	while (bytes && !status && scsi_go_on(task)) {
		n = min_t(u64, SCSI_CHUNK, bytes);
		status = scsi_be_write(task, sector, buf, n, 0);
		sector += n >> SECTOR_SHIFT;
		bytes -= n;
	}
	if (status)
		scsi_end_io(task, VT_OP_WRITE, status);
}

/* With no data-out buffer there are tuples that say: do not check. */
static bool same_get_pi(struct scsi_task *task, struct scsi_blocks *b,
			u32 first)
{
	if (!same_ndob(task->cdb))
		return scsi_pi_get_repeated(task, b, first);
	memset(b->tuple, 0xff, b->nr * VT_PI_BYTES);
	return true;
}

/* Each block is written, with its own protection information. */
static void same_run_pi(struct scsi_task *task, u8 *buf)
{
	u32 max = scsi_chunk_blocks(task->itl->lu, true), at;
	struct scsi_blocks b;
	struct scsi_extent e;

	scsi_cdb_extent(task->cdb, &e);
	scsi_blocks_init(&b, buf);
	same_fill(task->itl->lu, buf, SCSI_PI_CHUNK);
	for (at = 0; at < e.nr && scsi_go_on(task); at += max) {
		b.lba = e.lba + at;
		b.nr = min(max, e.nr - at);
		if (!same_get_pi(task, &b, at) ||
		    !scsi_blocks_io(task, VT_OP_WRITE, &b, 0))
			break;
	}
	scsi_settle(task);
}

static void same_run(struct scsi_task *task, u8 *buf)
{
	struct scsi_lu *lu = task->itl->lu;
	bool can_zero = scsi_lu_be(lu)->limits.max_write_zeroes_sectors;
	bool unmap = task->cdb[1] & 0x08;
	struct scsi_extent e;

	scsi_cdb_extent(task->cdb, &e);
	if (can_zero && !memchr_inv(buf, 0, scsi_block_bytes(lu)))
		range_run(task, VT_OP_WRITE_ZEROES, e.lba, e.nr,
			  unmap ? VT_RANGE_UNMAP : 0);
	else
		same_write(task, buf, scsi_to_sectors(lu, e.lba),
			   (u64)e.nr << lu->block_shift);
	scsi_settle(task);
}

void scsi_write_same(struct scsi_task *task)
{
	void (*run)(struct scsi_task *task, u8 *buf) =
		scsi_cdb_protect(task->cdb) ? same_run_pi : same_run;
	u32 block = scsi_block_bytes(task->itl->lu);
	u8 *buf = scsi_buf_get(task);

	if (!buf)
		return;
	/* The buffer comes with zeroes. */
	if (same_ndob(task->cdb) || scsi_get(task, 0, buf, block))
		run(task, buf);
	scsi_buf_put(buf);
}

#define UNMAP_HEADER	8
#define UNMAP_DESC	16

enum scsi_verdict scsi_parse_unmap(struct scsi_task *task)
{
	u16 len = get_unaligned_be16(task->cdb + 7);

	if (!task->itl->lu->unmap)
		return scsi_check(task, SCSI_ILLEGAL_REQUEST,
				  SCSI_ASC_BAD_OPCODE);
	if (!len)
		return scsi_end(task, SCSI_GOOD);
	if (len < UNMAP_HEADER)
		return scsi_check(task, SCSI_ILLEGAL_REQUEST,
				  SCSI_ASC_PARAM_LIST_LENGTH);
	if (len > task->out_len)
		return scsi_overrun(task);
	return SCSI_EXEC;
}

/*
 * Read the header. Returns: the number of block descriptors; 0: the task has
 * ended.
 */
static unsigned int unmap_get_header(struct scsi_task *task)
{
	u16 room = get_unaligned_be16(task->cdb + 7) - UNMAP_HEADER;
	u8 header[UNMAP_HEADER];
	u16 len;

	if (!scsi_get(task, 0, header, sizeof(header)))
		return 0;
	len = get_unaligned_be16(header + 2);
	/* Descriptors that are not whole are left out. */
	if (len > room || get_unaligned_be16(header) < len + UNMAP_HEADER - 2) {
		scsi_check(task, SCSI_ILLEGAL_REQUEST,
			   SCSI_ASC_PARAM_LIST_LENGTH);
		return 0;
	}
	if (len / UNMAP_DESC > SCSI_MAX_UNMAP_DESCS) {
		scsi_bad_param(task, 2, SCSI_NO_BIT);
		return 0;
	}
	return len / UNMAP_DESC;
}

/* Check them all before anything is done. */
static bool unmap_check(struct scsi_task *task, const u8 *desc,
			unsigned int nr)
{
	u64 sum = 0, max = scsi_max_unmap(task->itl->lu);
	unsigned int i;

	for (i = 0; i < nr; i++, desc += UNMAP_DESC) {
		u32 blocks = get_unaligned_be32(desc + 8);

		sum += blocks;
		if (sum > max) {
			scsi_bad_param(task, UNMAP_HEADER + i * UNMAP_DESC + 8,
				       SCSI_NO_BIT);
			return false;
		}
		if (!scsi_extent_ok(task, get_unaligned_be64(desc), blocks))
			return false;
	}
	return true;
}

static void unmap_run(struct scsi_task *task, const u8 *desc, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++, desc += UNMAP_DESC)
		if (!range_run(task, VT_OP_DISCARD, get_unaligned_be64(desc),
			       get_unaligned_be32(desc + 8), 0))
			return;
	scsi_settle(task);
}

void scsi_unmap(struct scsi_task *task)
{
	unsigned int nr = unmap_get_header(task);
	u8 *buf;

	if (!nr)
		return;
	buf = scsi_buf_get(task);
	if (!buf)
		return;
	if (scsi_get(task, UNMAP_HEADER, buf, nr * UNMAP_DESC) &&
	    unmap_check(task, buf, nr))
		unmap_run(task, buf, nr);
	scsi_buf_put(buf);
}

/* No backend says what it has mapped: all of it may be. */
void scsi_get_lba_status(struct scsi_task *task)
{
	u64 capacity = scsi_capacity(task->itl->lu);
	u64 lba = get_unaligned_be64(task->cdb + 2);
	u8 buf[24] = {};

	if (lba >= capacity) {
		scsi_check_info(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE,
				lba);
		return;
	}
	put_unaligned_be32(sizeof(buf) - 4, buf);
	put_unaligned_be64(lba, buf + 8);
	put_unaligned_be32(min_t(u64, capacity - lba, U32_MAX), buf + 16);
	scsi_put(task, get_unaligned_be32(task->cdb + 10), buf, sizeof(buf));
}
