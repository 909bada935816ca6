// SPDX-License-Identifier: GPL-2.0
/*
 * Extents of logical blocks (SBC-4), and the commands a poller hands to the
 * backend without more ado: reads, writes, flushes.
 */
#include "cmd.h"

/* The CDB's format goes by the opcode's upper bits, its group. */
void scsi_cdb_extent(const u8 *cdb, struct scsi_extent *e)
{
	switch (cdb[0] >> 5) {
	case 0:
		e->lba = get_unaligned_be24(cdb + 1) & 0x1fffff;
		e->nr = cdb[4] ?: 256;
		e->nr_byte = 4;
		break;
	case 4:
		e->lba = get_unaligned_be64(cdb + 2);
		e->nr = get_unaligned_be32(cdb + 10);
		e->nr_byte = 10;
		break;
	case 5:
		e->lba = get_unaligned_be32(cdb + 2);
		e->nr = get_unaligned_be32(cdb + 6);
		e->nr_byte = 6;
		break;
	default:
		e->lba = get_unaligned_be32(cdb + 2);
		e->nr = get_unaligned_be16(cdb + 7);
		e->nr_byte = 7;
		break;
	}
}

bool scsi_extent_ok(struct scsi_task *task, u64 lba, u64 nr)
{
	u64 capacity = scsi_capacity(task->itl->lu);

	if (likely(lba <= capacity && nr <= capacity - lba))
		return true;
	/* The first block that is not there. */
	scsi_check_info(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_RANGE,
			max(lba, capacity));
	return false;
}

bool scsi_extent_get(struct scsi_task *task, u32 max, struct scsi_extent *e)
{
	scsi_cdb_extent(task->cdb, e);
	if (unlikely(e->nr > max)) {
		scsi_bad_cdb(task, e->nr_byte, SCSI_NO_BIT);
		return false;
	}
	return scsi_extent_ok(task, e->lba, e->nr);
}

bool scsi_stop(struct scsi_task *task)
{
	if (likely(!READ_ONCE(task->aborted)))
		return false;
	task->status = SCSI_TASK_ABORTED;
	return true;
}

void scsi_settle(struct scsi_task *task)
{
	if (task->status == SCSI_GOOD && scsi_write_through(task->itl->lu))
		scsi_end_io(task, VT_OP_FLUSH, scsi_be_flush(task));
}

static bool rw_fua(const u8 *cdb)
{
	/* Of a 6 byte CDB, byte 1 is part of the LBA. */
	return cdb[0] >> 5 && cdb[1] & 0x08;
}

static enum scsi_verdict rw_parse(struct scsi_task *task, enum vt_op op,
				  u64 room)
{
	u8 protect = scsi_cdb_protect(task->cdb);
	struct scsi_lu *lu = task->itl->lu;
	struct scsi_extent e;
	u64 bytes;

	if (!scsi_protect_ok(task))
		return SCSI_DONE;
	if (!scsi_extent_get(task, lu->max_blocks, &e))
		return SCSI_DONE;
	if (!e.nr)
		return scsi_end(task, SCSI_GOOD);
	bytes = (u64)e.nr << lu->block_shift;
	if (unlikely(bytes > room))
		return scsi_overrun(task);
	task->op = op;
	task->sector = scsi_to_sectors(lu, e.lba);
	task->bytes = bytes;
	return unlikely(protect) ? scsi_pi_start(task, e.nr, protect) : SCSI_IO;
}

enum scsi_verdict scsi_parse_read(struct scsi_task *task)
{
	enum scsi_verdict v = rw_parse(task, VT_OP_READ, task->in_len);

	/* What is in a cache has to reach the medium first. */
	if (v == SCSI_IO && unlikely(rw_fua(task->cdb)) &&
	    scsi_lu_be(task->itl->lu)->limits.write_cache)
		return SCSI_EXEC;
	return v;
}

enum scsi_verdict scsi_parse_write(struct scsi_task *task)
{
	enum scsi_verdict v = rw_parse(task, VT_OP_WRITE, task->out_len);

	if (v != SCSI_DONE &&
	    (rw_fua(task->cdb) || scsi_write_through(task->itl->lu)))
		task->io_flags = VT_IO_FUA;
	return v;
}

/* All of the cache is written, whatever the extent, before we answer. */
enum scsi_verdict scsi_parse_sync(struct scsi_task *task)
{
	struct scsi_extent e;

	if (!scsi_extent_get(task, U32_MAX, &e))
		return SCSI_DONE;
	task->op = VT_OP_FLUSH;
	task->sector = 0;
	task->bytes = 0;
	return SCSI_IO;
}

static bool fua_read_chunk(struct scsi_task *task, u8 *buf, u32 off)
{
	u32 n = min(SCSI_CHUNK, task->bytes - off);
	blk_status_t status;

	if (!scsi_go_on(task))
		return false;
	status = scsi_be_read(task, task->sector + (off >> SECTOR_SHIFT), buf,
			      n);
	if (status)
		scsi_end_io(task, VT_OP_READ, status);
	else
		scsi_put_at(task, task->bytes, off, buf, n);
	return task->status == SCSI_GOOD;
}

void scsi_read_exec(struct scsi_task *task)
{
	bool (*chunk)(struct scsi_task *task, u8 *buf, u32 off) =
		scsi_cdb_protect(task->cdb) ? scsi_pi_read_chunk :
		fua_read_chunk;
	u8 *buf = scsi_buf_get(task);
	u32 off = 0;

	if (!buf)
		return;
	if (rw_fua(task->cdb))
		scsi_end_io(task, VT_OP_FLUSH, scsi_be_flush(task));
	while (task->status == SCSI_GOOD && off < task->bytes &&
	       chunk(task, buf, off))
		off += SCSI_CHUNK;
	scsi_buf_put(buf);
}

/* A backend may have shrunk to nothing, of which there is no last block. */
bool scsi_last_block(struct scsi_task *task, u64 *last)
{
	*last = scsi_capacity(task->itl->lu) - 1;
	if (likely(*last != U64_MAX))
		return true;
	scsi_check(task, SCSI_NOT_READY, SCSI_ASC_NEED_MANUAL);
	return false;
}

void scsi_read_capacity10(struct scsi_task *task)
{
	const struct scsi_lu *lu = task->itl->lu;
	u8 buf[8];
	u64 last;

	if (!scsi_last_block(task, &last))
		return;
	put_unaligned_be32(min_t(u64, last, U32_MAX), buf);
	put_unaligned_be32(scsi_block_bytes(lu), buf + 4);
	scsi_put(task, sizeof(buf), buf, sizeof(buf));
}

void scsi_read_capacity16(struct scsi_task *task)
{
	const struct scsi_lu *lu = task->itl->lu;
	const struct vt_limits *l = &scsi_lu_be(lu)->limits;
	u32 aligned = l->alignment_offset >> lu->block_shift;
	u8 buf[32] = {};
	u64 last;

	if (!scsi_last_block(task, &last))
		return;
	put_unaligned_be64(last, buf);
	put_unaligned_be32(scsi_block_bytes(lu), buf + 8);
	if (scsi_task_pi(task))
		buf[12] = (lu->pi_type - 1) << 1 | 0x01; /* P_TYPE, PROT_EN */
	if (scsi_zoned(lu))
		buf[12] |= 0x10;	/* RC BASIS: all zones count */
	if (l->physical_block_size > l->block_size)
		buf[13] = min(ilog2(l->physical_block_size) - lu->block_shift,
			      15);
	put_unaligned_be16(aligned & 0x3fff, buf + 14);
	buf[14] |= (lu->unmap ? 0x80 : 0) | (lu->unmap_zeroes ? 0x40 : 0);
	scsi_put(task, get_unaligned_be32(task->cdb + 10), buf, sizeof(buf));
}
