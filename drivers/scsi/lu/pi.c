// SPDX-License-Identifier: GPL-2.0
/*
 * Protection information (SBC-4, 4.21): commands whose RDPROTECT, WRPROTECT or
 * VRPROTECT field is not zero.
 *
 * What asks for all checks goes to the backend like any other, with the
 * initiator's tuples: the device checks them. What asks for some of the checks
 * or for none is done here, in pieces, with none in the device. So are
 * commands that compare, or repeat a block.
 *
 * An initiator that asks for protection information and has no room for it
 * (Linux, with its own generating or verifying turned off) has it inserted or
 * stripped, as by a host adapter: the block layer makes and verifies it.
 */
#include "cmd.h"

bool scsi_protect_ok(struct scsi_task *task)
{
	u8 protect = scsi_cdb_protect(task->cdb);

	if (likely(!protect))
		return true;
	if (!scsi_task_pi(task))
		scsi_bad_cdb(task, 1, __fls(task->cdb[1] & 0xe0));
	else if (protect > 5)
		scsi_bad_cdb(task, 1, 7);
	else
		return true;
	return false;
}

static u8 pi_checks(u8 protect)
{
	switch (protect) {
	case 2:
		return VT_PI_REF;
	case 3:
		return 0;
	case 4:
		return VT_PI_GUARD;
	default:
		return VT_PI_GUARD | VT_PI_REF;
	}
}

enum scsi_verdict scsi_pi_start(struct scsi_task *task, u32 nr, u8 protect)
{
	bool read = task->op == VT_OP_READ;
	u32 room = read ? task->pi_in_len : task->pi_out_len;

	task->pi_checks = pi_checks(protect);
	if (room && room < nr * VT_PI_BYTES)
		return scsi_overrun(task);
	if (room)
		task->pi_bytes = nr * VT_PI_BYTES;
	else if (!read)
		return SCSI_IO;
	return task->pi_checks == (VT_PI_GUARD | VT_PI_REF) ? SCSI_IO :
	       SCSI_EXEC;
}

void scsi_task_pi_failed(struct scsi_task *task, u8 bad, u32 at)
{
	const struct scsi_lu *lu = task->itl->lu;
	u16 asc = bad == VT_PI_APP ? SCSI_ASC_APP_CHECK :
		  bad == VT_PI_REF ? SCSI_ASC_REF_CHECK : SCSI_ASC_GUARD_CHECK;

	scsi_check_info(task, SCSI_ABORTED_COMMAND, asc,
			scsi_to_blocks(lu, task->sector) + at);
}

/**
 * struct pi_chunk - a piece of a read or write
 * @task: whose
 * @buf: its data
 * @pi: its protection information
 * @off: bytes before it
 * @bytes: of it
 * @first: blocks before it
 */
struct pi_chunk {
	struct scsi_task *task;
	u8 *buf;
	struct vt_pi pi;
	u32 off;
	u32 bytes;
	u32 first;
};

static void chunk_init(struct pi_chunk *c, struct scsi_task *task, u8 *buf,
		       u32 off)
{
	const struct scsi_lu *lu = task->itl->lu;

	c->task = task;
	c->buf = buf;
	c->off = off;
	c->bytes = min(SCSI_CHUNK, task->bytes - off);
	c->first = off >> lu->block_shift;
	c->pi = (struct vt_pi) {
		.tuple = (struct vt_pi_tuple *)(buf + SCSI_CHUNK),
		.nr = c->bytes >> lu->block_shift,
		.ref = scsi_to_blocks(lu, task->sector) + c->first,
		.type = lu->pi_type,
	};
}

static bool chunk_io(struct pi_chunk *c, u8 io_flags)
{
	struct scsi_task *task = c->task;
	blk_status_t status;

	status = scsi_be_pi(task, task->op,
			    task->sector + (c->off >> SECTOR_SHIFT), c->buf,
			    c->bytes, io_flags, c->pi.tuple);
	if (status)
		scsi_end_io(task, task->op, status);
	return !status;
}

static bool chunk_check(struct pi_chunk *c)
{
	struct scsi_task *task = c->task;

	if (vt_pi_check(&c->pi, 0, c->pi.nr, c->buf,
			scsi_block_bytes(task->itl->lu), task->pi_checks,
			task->op == VT_OP_READ))
		return true;
	scsi_task_pi_failed(task, c->pi.bad, c->first + c->pi.bad_at);
	return false;
}

bool scsi_pi_read_chunk(struct scsi_task *task, u8 *buf, u32 off)
{
	struct pi_chunk c;

	chunk_init(&c, task, buf, off);
	if (!scsi_go_on(task) || !chunk_io(&c, 0) || !chunk_check(&c))
		return false;
	if (task->pi_bytes)
		memcpy(task->pi->tuple + c.first, c.pi.tuple,
		       c.pi.nr * VT_PI_BYTES);
	scsi_put_at(task, task->bytes, off, buf, c.bytes);
	return task->status == SCSI_GOOD;
}

static bool pi_write_chunk(struct scsi_task *task, u8 *buf, u32 off)
{
	struct pi_chunk c;

	chunk_init(&c, task, buf, off);
	memcpy(c.pi.tuple, task->pi->tuple + c.first, c.pi.nr * VT_PI_BYTES);
	return scsi_go_on(task) && scsi_get(task, off, buf, c.bytes) &&
	       chunk_check(&c) && chunk_io(&c, task->io_flags);
}

void scsi_write_exec(struct scsi_task *task)
{
	u8 *buf = scsi_buf_get(task);
	u32 off = 0;

	if (!buf)
		return;
	while (off < task->bytes && pi_write_chunk(task, buf, off))
		off += SCSI_CHUNK;
	scsi_buf_put(buf);
}

bool scsi_pi_begin(struct scsi_task *task, u64 lba, u32 nr)
{
	u32 bytes = nr * VT_PI_BYTES;

	task->op = VT_OP_WRITE;
	task->sector = scsi_to_sectors(task->itl->lu, lba);
	task->bytes = nr << task->itl->lu->block_shift;
	task->pi_checks = pi_checks(scsi_cdb_protect(task->cdb));
	if (task->pi_out_len && task->pi_out_len < bytes) {
		scsi_overrun(task);
		return false;
	}
	task->pi_bytes = task->pi_out_len ? bytes : 0;
	return true;
}

static void blocks_pi(const struct scsi_task *task, const struct scsi_blocks *b,
		      struct vt_pi *pi)
{
	*pi = (struct vt_pi) {
		.tuple = b->tuple,
		.nr = b->nr,
		.ref = b->lba,
		.type = task->itl->lu->pi_type,
	};
}

static bool blocks_check(struct scsi_task *task, const struct scsi_blocks *b,
			 bool read)
{
	const struct scsi_lu *lu = task->itl->lu;
	struct vt_pi pi;

	blocks_pi(task, b, &pi);
	if (vt_pi_check(&pi, 0, pi.nr, b->data, scsi_block_bytes(lu),
			task->pi_checks, read))
		return true;
	scsi_task_pi_failed(task, pi.bad, b->lba + pi.bad_at -
			    scsi_to_blocks(lu, task->sector));
	return false;
}

static void blocks_make_pi(const struct scsi_task *task, struct scsi_blocks *b)
{
	const struct scsi_lu *lu = task->itl->lu;
	struct vt_pi pi;

	blocks_pi(task, b, &pi);
	if (pi.type == 3)
		pi.ref = 0;
	vt_pi_generate(&pi, 0, pi.nr, b->data, scsi_block_bytes(lu), 0);
}

bool scsi_pi_get(struct scsi_task *task, struct scsi_blocks *b, u32 first)
{
	if (task->pi_bytes)
		memcpy(b->tuple, task->pi->tuple + first, b->nr * VT_PI_BYTES);
	else
		blocks_make_pi(task, b);
	return blocks_check(task, b, false);
}

/* Each copy has the tag that follows the one before (type 1). */
static void blocks_repeat_pi(const struct scsi_task *task,
			     struct scsi_blocks *b, u32 first)
{
	const struct vt_pi_tuple *t = task->pi->tuple;
	u32 i, ref = be32_to_cpu(t->ref);

	for (i = 0; i < b->nr; i++) {
		b->tuple[i] = *t;
		if (task->itl->lu->pi_type != 3)
			b->tuple[i].ref = cpu_to_be32(ref + first + i);
	}
}

bool scsi_pi_get_repeated(struct scsi_task *task, struct scsi_blocks *b,
			  u32 first)
{
	if (task->pi_bytes)
		blocks_repeat_pi(task, b, first);
	else
		blocks_make_pi(task, b);
	return blocks_check(task, b, false);
}

bool scsi_pi_check(struct scsi_task *task, const struct scsi_blocks *b)
{
	return blocks_check(task, b, true);
}

/* As ATO is 0, tags that are the initiator's own are not compared. */
bool scsi_pi_same(struct scsi_task *task, const struct scsi_blocks *given,
		  const struct scsi_blocks *found)
{
	bool guard = scsi_cdb_protect(task->cdb) != 2;
	bool ref = task->itl->lu->pi_type != 3;
	u16 asc = 0;
	u32 i;

	for (i = 0; i < given->nr && !asc; i++)
		if (guard && given->tuple[i].guard != found->tuple[i].guard)
			asc = SCSI_ASC_GUARD_CHECK;
		else if (ref && given->tuple[i].ref != found->tuple[i].ref)
			asc = SCSI_ASC_REF_CHECK;
	if (asc)
		scsi_check(task, SCSI_MISCOMPARE, asc);
	return !asc;
}

bool scsi_blocks_io(struct scsi_task *task, enum vt_op op,
		    struct scsi_blocks *b, u8 io_flags)
{
	const struct scsi_lu *lu = task->itl->lu;
	u64 sector = scsi_to_sectors(lu, b->lba);
	u32 bytes = b->nr << lu->block_shift;
	blk_status_t status;

	if (scsi_cdb_protect(task->cdb))
		status = scsi_be_pi(task, op, sector, b->data, bytes, io_flags,
				    b->tuple);
	else if (op == VT_OP_READ)
		status = scsi_be_read(task, sector, b->data, bytes);
	else
		status = scsi_be_write(task, sector, b->data, bytes, io_flags);
	if (status)
		scsi_end_io(task, op, status);
	return !status;
}
