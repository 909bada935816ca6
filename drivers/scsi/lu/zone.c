// SPDX-License-Identifier: GPL-2.0
/*
 * Zones (ZBC-2) of a host-managed disk: REPORT ZONES, and what opens, closes,
 * finishes and resets them. What a command does to a zone in which condition
 * is decided here, so that what is no error by the standard is none, whatever
 * the device below thinks.
 */
#include "cmd.h"

#define REPORT_HEADER	64
#define REPORT_DESC	64

/* REPORTING OPTIONS that are no zone condition. */
#define REPORT_ALL		0x00
#define REPORT_RESET		0x10
#define REPORT_NON_SEQ		0x11
#define REPORT_NOT_GAP		0x3e
#define REPORT_CONVENTIONAL	0x3f

#define REPORT_PARTIAL		0x80

/* Of 01h to 07h. */
static const u8 report_conds[] = {
	[1] = BLK_ZONE_COND_EMPTY,
	[2] = BLK_ZONE_COND_IMP_OPEN,
	[3] = BLK_ZONE_COND_EXP_OPEN,
	[4] = BLK_ZONE_COND_CLOSED,
	[5] = BLK_ZONE_COND_FULL,
	[6] = BLK_ZONE_COND_READONLY,
	[7] = BLK_ZONE_COND_OFFLINE,
};

static u8 report_option(const u8 *cdb)
{
	return cdb[14] & 0x3f;
}

static bool report_option_ok(u8 option)
{
	return option < ARRAY_SIZE(report_conds) || option == REPORT_RESET ||
	       option == REPORT_NON_SEQ || option == REPORT_NOT_GAP ||
	       option == REPORT_CONVENTIONAL;
}

static bool report_wants(u8 option, const struct blk_zone *z)
{
	switch (option) {
	case REPORT_ALL:
	case REPORT_NOT_GAP:
		return true;
	case REPORT_RESET:
		return z->reset;
	case REPORT_NON_SEQ:
		return z->non_seq;
	case REPORT_CONVENTIONAL:
		return z->type == BLK_ZONE_TYPE_CONVENTIONAL;
	default:
		return z->type != BLK_ZONE_TYPE_CONVENTIONAL &&
		       z->cond == report_conds[option];
	}
}

static enum scsi_verdict zone_unknown(struct scsi_task *task)
{
	return scsi_check(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
}

enum scsi_verdict scsi_parse_report_zones(struct scsi_task *task)
{
	if (!scsi_zoned(task->itl->lu))
		return zone_unknown(task);
	if (!report_option_ok(report_option(task->cdb)))
		return scsi_bad_cdb(task, 14, 5);
	if (get_unaligned_be64(task->cdb + 2) >= scsi_capacity(task->itl->lu))
		return scsi_check_info(task, SCSI_ILLEGAL_REQUEST,
				       SCSI_ASC_LBA_RANGE,
				       get_unaligned_be64(task->cdb + 2));
	return SCSI_EXEC;
}

/* There is none, or it is not valid. */
static bool zone_has_wp(const struct blk_zone *z)
{
	return z->type != BLK_ZONE_TYPE_CONVENTIONAL &&
	       z->cond != BLK_ZONE_COND_FULL &&
	       z->cond != BLK_ZONE_COND_READONLY &&
	       z->cond != BLK_ZONE_COND_OFFLINE;
}

static void put_zone(const struct scsi_lu *lu, const struct blk_zone *z,
		     u8 *buf)
{
	memset(buf, 0, REPORT_DESC);
	buf[0] = z->type;
	buf[1] = z->cond << 4 | (z->non_seq ? 0x02 : 0) | (z->reset ? 0x01 : 0);
	put_unaligned_be64(scsi_to_blocks(lu, z->len), buf + 8);
	put_unaligned_be64(scsi_to_blocks(lu, z->start), buf + 16);
	put_unaligned_be64(zone_has_wp(z) ? scsi_to_blocks(lu, z->wp) :
			   U64_MAX, buf + 24);
}

/**
 * struct zone_walk - a walk over the zones of a disk
 * @task: whose
 * @zone: room for @max of them
 * @max: a buffer's
 * @nr: of @zone that are filled
 * @sector: the next zone
 */
struct zone_walk {
	struct scsi_task *task;
	struct blk_zone *zone;
	unsigned int max;
	unsigned int nr;
	u64 sector;
};

static void walk_init(struct zone_walk *w, struct scsi_task *task, u8 *buf,
		      u64 lba)
{
	w->task = task;
	w->zone = (struct blk_zone *)buf;
	w->max = SCSI_CHUNK / sizeof(*w->zone);
	w->sector = scsi_to_sectors(task->itl->lu, lba);
}

/* Returns: false: there are no more, or the task has ended. */
static bool walk_next(struct zone_walk *w)
{
	const struct vt_backend *be = scsi_lu_be(w->task->itl->lu);
	blk_status_t status;

	if (!scsi_go_on(w->task) || w->sector >= READ_ONCE(be->limits.sectors))
		return false;
	w->nr = w->max;
	status = scsi_be_zones(w->task, w->sector, w->zone, &w->nr);
	if (status || !w->nr) {
		scsi_end_io(w->task, VT_OP_READ, status ?: BLK_STS_IOERR);
		return false;
	}
	w->sector = w->zone[w->nr - 1].start + w->zone[w->nr - 1].len;
	return true;
}

static u32 report_alloc(const struct scsi_task *task)
{
	return get_unaligned_be32(task->cdb + 10);
}

/* Returns: the bytes of all zones there were so far, @len before these. */
static u64 report_some(struct zone_walk *w, u64 len)
{
	struct scsi_task *task = w->task;
	u8 option = report_option(task->cdb);
	u8 desc[REPORT_DESC];
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		if (!report_wants(option, &w->zone[i]))
			continue;
		if (task->cdb[14] & REPORT_PARTIAL &&
		    REPORT_HEADER + len + REPORT_DESC > report_alloc(task))
			break;
		put_zone(task->itl->lu, &w->zone[i], desc);
		if (REPORT_HEADER + len < report_alloc(task))
			scsi_put_at(task, report_alloc(task),
				    REPORT_HEADER + len, desc, REPORT_DESC);
		len += REPORT_DESC;
	}
	return len;
}

static void report_header(struct scsi_task *task, u64 len)
{
	u8 buf[REPORT_HEADER] = {};
	u64 last;

	if (!scsi_last_block(task, &last))
		return;
	put_unaligned_be32(min_t(u64, len, U32_MAX), buf);
	put_unaligned_be64(last, buf + 8);
	scsi_put(task, report_alloc(task), buf, sizeof(buf));
}

void scsi_report_zones(struct scsi_task *task)
{
	u8 *buf = scsi_buf_get(task);
	struct zone_walk w;
	u64 len = 0;

	if (!buf)
		return;
	walk_init(&w, task, buf, get_unaligned_be64(task->cdb + 2));
	while (walk_next(&w))
		len = report_some(&w, len);
	if (task->status == SCSI_GOOD)
		report_header(task, len);
	scsi_buf_put(buf);
}

/* Service actions of ZBC OUT, by enum scsi_zone_op. */
static u8 zone_op(const u8 *cdb)
{
	return cdb[1] & 0x1f;
}

static bool zone_all(const u8 *cdb)
{
	return cdb[14] & 0x01;
}

enum scsi_verdict scsi_parse_zone(struct scsi_task *task)
{
	if (!scsi_zoned(task->itl->lu))
		return zone_unknown(task);
	/* The address is ignored then. */
	if (!zone_all(task->cdb) &&
	    !scsi_extent_ok(task, get_unaligned_be64(task->cdb + 2), 1))
		return SCSI_DONE;
	return SCSI_EXEC;
}

static bool zone_is_open(const struct blk_zone *z)
{
	return z->cond == BLK_ZONE_COND_IMP_OPEN ||
	       z->cond == BLK_ZONE_COND_EXP_OPEN;
}

/* Does it change this zone? Of all zones it leaves more of them alone. */
static bool zone_concerned(u8 op, bool all, const struct blk_zone *z)
{
	switch (op) {
	case SCSI_ZONE_CLOSE:
		return zone_is_open(z);
	case SCSI_ZONE_FINISH:
		return all ? zone_is_open(z) ||
			     z->cond == BLK_ZONE_COND_CLOSED :
			     z->cond != BLK_ZONE_COND_FULL;
	case SCSI_ZONE_OPEN:
		return all ? z->cond == BLK_ZONE_COND_CLOSED :
			     z->cond != BLK_ZONE_COND_EXP_OPEN &&
			     z->cond != BLK_ZONE_COND_FULL;
	default:
		return z->cond != BLK_ZONE_COND_EMPTY;
	}
}

static bool zone_may_change(const struct blk_zone *z)
{
	return z->type != BLK_ZONE_TYPE_CONVENTIONAL &&
	       z->cond != BLK_ZONE_COND_READONLY &&
	       z->cond != BLK_ZONE_COND_OFFLINE;
}

static bool zone_do(struct scsi_task *task, bool all, const struct blk_zone *z)
{
	u8 op = zone_op(task->cdb);
	blk_status_t status;

	if (!scsi_go_on(task))
		return false;
	if (!zone_may_change(z) || !zone_concerned(op, all, z))
		return true;
	status = scsi_be_zone(task, op, z);
	if (status)
		scsi_end_io(task, VT_OP_FLUSH, status);
	return !status;
}

static void zone_do_all(struct zone_walk *w)
{
	unsigned int i;

	while (walk_next(w))
		for (i = 0; i < w->nr; i++)
			if (!zone_do(w->task, true, &w->zone[i]))
				return;
}

static void zone_do_one(struct zone_walk *w)
{
	struct scsi_task *task = w->task;
	u64 sector = w->sector;

	w->max = 1;
	if (!walk_next(w))
		return;
	if (w->zone->start != sector ||
	    w->zone->type == BLK_ZONE_TYPE_CONVENTIONAL)
		scsi_bad_cdb(task, 2, SCSI_NO_BIT);
	else if (w->zone->cond == BLK_ZONE_COND_READONLY)
		scsi_check(task, SCSI_DATA_PROTECT, SCSI_ASC_ZONE_READ_ONLY);
	else if (w->zone->cond == BLK_ZONE_COND_OFFLINE)
		scsi_check(task, SCSI_DATA_PROTECT, SCSI_ASC_ZONE_OFFLINE);
	else
		zone_do(task, false, w->zone);
}

void scsi_zone(struct scsi_task *task)
{
	bool all = zone_all(task->cdb);
	u8 *buf = scsi_buf_get(task);
	struct zone_walk w;

	if (!buf)
		return;
	walk_init(&w, task, buf, all ? 0 : get_unaligned_be64(task->cdb + 2));
	if (all)
		zone_do_all(&w);
	else
		zone_do_one(&w);
	scsi_buf_put(buf);
}
