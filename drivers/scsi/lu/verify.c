// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that look at what is on the medium: VERIFY, WRITE AND VERIFY,
 * COMPARE AND WRITE, ORWRITE. They work through two buffers of SCSI_CHUNK
 * bytes: data of the initiator, and data of the medium.
 *
 * The last two are not interrupted by any other write to their blocks, on all
 * paths to a backend: see <vhost_target/rmw.h>.
 */
#include "cmd.h"

/**
 * struct verify - a command on its way
 * @task: it
 * @given: the initiator's blocks
 * @found: the medium's
 * @bytchk: BYTCHK: 0: nothing is compared, 1: all data, 3: one block with each
 * @write: WRITE AND VERIFY: write the data first
 * @protect: WRPROTECT or VRPROTECT
 */
struct verify {
	struct scsi_task *task;
	struct scsi_blocks given;
	struct scsi_blocks found;
	u8 bytchk;
	bool write;
	u8 protect;
};

static u8 cdb_bytchk(const u8 *cdb)
{
	return cdb[1] >> 1 & 3;
}

/*
 * Go on with a command on the blocks of @e, for which the initiator gives @nr
 * from there on.
 */
static enum scsi_verdict out_start(struct scsi_task *task,
				   const struct scsi_extent *e, u32 nr)
{
	struct scsi_lu *lu = task->itl->lu;

	if ((u64)nr << lu->block_shift > task->out_len)
		return scsi_overrun(task);
	if (!e->nr)
		return scsi_end(task, SCSI_GOOD);
	if (scsi_cdb_protect(task->cdb) && !scsi_pi_begin(task, e->lba, nr))
		return SCSI_DONE;
	return SCSI_EXEC;
}

/* Blocks of the data-out buffer. */
static u32 verify_out_blocks(u32 nr, u8 bytchk)
{
	return bytchk == 1 ? nr : bytchk == 3 && nr;
}

enum scsi_verdict scsi_parse_verify(struct scsi_task *task)
{
	struct scsi_lu *lu = task->itl->lu;
	u8 bytchk = cdb_bytchk(task->cdb);
	struct scsi_extent e;

	if (!scsi_protect_ok(task))
		return SCSI_DONE;
	if (bytchk == 2)
		return scsi_bad_cdb(task, 1, 2);
	if (!scsi_extent_get(task, lu->max_blocks, &e))
		return SCSI_DONE;
	return out_start(task, &e, verify_out_blocks(e.nr, bytchk));
}

enum scsi_verdict scsi_parse_write_verify(struct scsi_task *task)
{
	struct scsi_lu *lu = task->itl->lu;
	struct scsi_extent e;

	if (!scsi_protect_ok(task))
		return SCSI_DONE;
	if (cdb_bytchk(task->cdb) > 1)
		return scsi_bad_cdb(task, 1, 2);
	if (!scsi_extent_get(task, lu->max_blocks, &e))
		return SCSI_DONE;
	return out_start(task, &e, e.nr);
}

static bool verify_get_data(struct verify *v, u32 first)
{
	u8 shift = v->task->itl->lu->block_shift;
	struct scsi_blocks *b = &v->given;
	u32 i;

	if (v->write || v->bytchk == 1)
		return scsi_get(v->task, (u64)first << shift, b->data,
				b->nr << shift);
	if (!scsi_get(v->task, 0, b->data, 1U << shift))
		return false;
	for (i = 1; i < b->nr; i++)
		memcpy(b->data + (i << shift), b->data, 1U << shift);
	return true;
}

static bool verify_get(struct verify *v, u32 first)
{
	if (!v->write && !v->bytchk)
		return true;
	if (!verify_get_data(v, first))
		return false;
	if (!v->protect)
		return true;
	return v->write || v->bytchk == 1 ?
	       scsi_pi_get(v->task, &v->given, first) :
	       scsi_pi_get_repeated(v->task, &v->given, first);
}

/* What was found: with BYTCHK it is compared, else its tuples are checked. */
static bool verify_found(struct verify *v)
{
	struct scsi_task *task = v->task;
	u32 bytes = v->given.nr << task->itl->lu->block_shift;

	if (!v->bytchk)
		return !v->protect || scsi_pi_check(task, &v->found);
	if (memcmp(v->given.data, v->found.data, bytes)) {
		scsi_check(task, SCSI_MISCOMPARE, SCSI_ASC_MISCOMPARE);
		return false;
	}
	return !v->protect || scsi_pi_same(task, &v->given, &v->found);
}

static bool verify_chunk(struct verify *v, u64 lba, u32 first, u32 nr)
{
	v->given.lba = lba + first;
	v->given.nr = nr;
	v->found.lba = lba + first;
	v->found.nr = nr;
	if (!scsi_go_on(v->task) || !verify_get(v, first))
		return false;
	if (v->write && !scsi_blocks_io(v->task, VT_OP_WRITE, &v->given,
					VT_IO_FUA))
		return false;
	return scsi_blocks_io(v->task, VT_OP_READ, &v->found, 0) &&
	       verify_found(v);
}

static void verify_run(struct scsi_task *task, bool write)
{
	struct verify v = {
		.task = task,
		.bytchk = cdb_bytchk(task->cdb),
		.write = write,
		.protect = scsi_cdb_protect(task->cdb),
	};
	u8 *buf = scsi_buf_get(task);
	struct scsi_extent e;
	u32 at = 0, max;

	if (!buf)
		return;
	scsi_blocks_init(&v.given, buf);
	scsi_blocks_init(&v.found, buf + SCSI_CHUNK);
	scsi_cdb_extent(task->cdb, &e);
	max = scsi_chunk_blocks(task->itl->lu, v.protect);
	while (at < e.nr && verify_chunk(&v, e.lba, at, min(max, e.nr - at)))
		at += max;
	scsi_buf_put(buf);
}

void scsi_verify(struct scsi_task *task)
{
	verify_run(task, false);
}

void scsi_write_verify(struct scsi_task *task)
{
	verify_run(task, true);
}

static void rmw_begin(const struct scsi_task *task, const struct scsi_extent *e)
{
	const struct scsi_lu *lu = task->itl->lu;

	vt_rmw_begin(scsi_lu_be(lu), scsi_to_sectors(lu, e->lba),
		     scsi_to_sectors(lu, e->nr));
}

static void rmw_end(const struct scsi_task *task)
{
	vt_rmw_end(scsi_lu_be(task->itl->lu));
}

u8 scsi_max_caw(const struct scsi_lu *lu)
{
	return min_t(u32, min(scsi_chunk_blocks(lu, lu->pi_type),
			      lu->max_blocks), 255);
}

static void caw_extent(const u8 *cdb, struct scsi_extent *e)
{
	e->lba = get_unaligned_be64(cdb + 2);
	e->nr = cdb[13];
	e->nr_byte = 13;
}

enum scsi_verdict scsi_parse_caw(struct scsi_task *task)
{
	struct scsi_lu *lu = task->itl->lu;
	struct scsi_extent e;

	if (!scsi_protect_ok(task))
		return SCSI_DONE;
	caw_extent(task->cdb, &e);
	if (e.nr > scsi_max_caw(lu))
		return scsi_bad_cdb(task, e.nr_byte, SCSI_NO_BIT);
	if (!scsi_extent_ok(task, e.lba, e.nr))
		return SCSI_DONE;
	return out_start(task, &e, 2 * e.nr);
}

static u32 first_difference(const u8 *a, const u8 *b)
{
	u32 i = 0;

	while (a[i] == b[i])
		i++;
	return i;
}

static u8 rmw_flags(const struct scsi_task *task)
{
	return task->cdb[1] & 0x08 || scsi_write_through(task->itl->lu) ?
	       VT_IO_FUA | VT_IO_RMW : VT_IO_RMW;
}

/* The initiator's blocks from its number @first on. */
static bool caw_get(struct scsi_task *task, struct scsi_blocks *b, u32 first)
{
	u8 shift = task->itl->lu->block_shift;

	return scsi_get(task, (u64)first << shift, b->data, b->nr << shift) &&
	       (!scsi_cdb_protect(task->cdb) || scsi_pi_get(task, b, first));
}

static bool caw_equal(struct scsi_task *task, const struct scsi_blocks *given,
		      const struct scsi_blocks *found)
{
	u32 bytes = given->nr << task->itl->lu->block_shift;

	if (!memcmp(given->data, found->data, bytes))
		return !scsi_cdb_protect(task->cdb) ||
		       scsi_pi_same(task, given, found);
	scsi_check_info(task, SCSI_MISCOMPARE, SCSI_ASC_MISCOMPARE,
			first_difference(given->data, found->data));
	return false;
}

/* @given: to compare; @found: a buffer. Nobody else writes. */
static void caw_alone(struct scsi_task *task, struct scsi_blocks *given,
		      struct scsi_blocks *found)
{
	if (!scsi_stop(task) &&
	    scsi_blocks_io(task, VT_OP_READ, found, 0) &&
	    caw_equal(task, given, found) && caw_get(task, given, given->nr))
		scsi_blocks_io(task, VT_OP_WRITE, given, rmw_flags(task));
}

void scsi_compare_and_write(struct scsi_task *task)
{
	struct scsi_blocks given, found;
	u8 *buf = scsi_buf_get(task);
	struct scsi_extent e;

	if (!buf)
		return;
	caw_extent(task->cdb, &e);
	scsi_blocks_init(&given, buf);
	given.lba = e.lba;
	given.nr = e.nr;
	found = given;
	scsi_blocks_init(&found, buf + SCSI_CHUNK);
	if (caw_get(task, &given, 0)) {
		rmw_begin(task, &e);
		caw_alone(task, &given, &found);
		rmw_end(task);
	}
	scsi_buf_put(buf);
}

enum scsi_verdict scsi_parse_orwrite(struct scsi_task *task)
{
	struct scsi_lu *lu = task->itl->lu;
	struct scsi_extent e;

	if (!scsi_extent_get(task, lu->max_blocks, &e))
		return SCSI_DONE;
	return out_start(task, &e, e.nr);
}

static bool orwrite_chunk(struct scsi_task *task, struct scsi_blocks *found,
			  u8 *given, u64 off)
{
	u32 n = found->nr << task->itl->lu->block_shift, i;

	if (scsi_stop(task) || !scsi_get(task, off, given, n) ||
	    !scsi_blocks_io(task, VT_OP_READ, found, 0))
		return false;
	for (i = 0; i < n; i++)
		found->data[i] |= given[i];
	return scsi_blocks_io(task, VT_OP_WRITE, found, rmw_flags(task));
}

void scsi_orwrite(struct scsi_task *task)
{
	struct scsi_lu *lu = task->itl->lu;
	u32 max = scsi_chunk_blocks(lu, false);
	struct scsi_blocks found;
	u8 *buf = scsi_buf_get(task);
	struct scsi_extent e;
	u32 at;

	if (!buf)
		return;
	scsi_cdb_extent(task->cdb, &e);
	scsi_blocks_init(&found, buf + SCSI_CHUNK);
	rmw_begin(task, &e);
	for (at = 0; at < e.nr; at += max) {
		found.lba = e.lba + at;
		found.nr = min(max, e.nr - at);
		if (!orwrite_chunk(task, &found, buf,
				   (u64)at << lu->block_shift))
			break;
	}
	rmw_end(task);
	scsi_buf_put(buf);
}
