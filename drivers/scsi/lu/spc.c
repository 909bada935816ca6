// SPDX-License-Identifier: GPL-2.0
/* Primary commands (SPC-5) that are of one or two functions. */
#include "cmd.h"

/* What is here, past all checks of the medium, is ready if it has a block. */
enum scsi_verdict scsi_parse_tur(struct scsi_task *task)
{
	u64 last;

	return scsi_last_block(task, &last) ? scsi_end(task, SCSI_GOOD) :
	       SCSI_DONE;
}

static bool may_write(const struct scsi_task *task)
{
	return vt_resv_may(&task->itl->resv, VT_RESV_WRITE);
}

/* The medium cannot be removed anyhow. */
enum scsi_verdict scsi_parse_prevent(struct scsi_task *task)
{
	if (task->cdb[4] && !may_write(task))
		return scsi_end(task, SCSI_RESERVATION_CONFLICT);
	return scsi_end(task, SCSI_GOOD);
}

/* The default self-test: what there is to be tested is in use. */
enum scsi_verdict scsi_parse_send_diag(struct scsi_task *task)
{
	return scsi_end(task, SCSI_GOOD);
}

/* The one diagnostic page: the list of pages. */
void scsi_receive_diag(struct scsi_task *task)
{
	static const u8 pages[] = { 0x00, 0x00, 0x00, 0x01, 0x00 };

	if (task->cdb[1] & 0x01 && task->cdb[2]) {
		scsi_bad_cdb(task, 2, SCSI_NO_BIT);
		return;
	}
	scsi_put(task, get_unaligned_be16(task->cdb + 3), pages, sizeof(pages));
}

/* Anybody may start it, but not stop it. */
enum scsi_verdict scsi_parse_start_stop(struct scsi_task *task)
{
	if (!(task->cdb[4] & 0x01) && !may_write(task))
		return scsi_end(task, SCSI_RESERVATION_CONFLICT);
	return SCSI_EXEC;
}

void scsi_start_stop(struct scsi_task *task)
{
	bool start = task->cdb[4] & 0x01, no_flush = task->cdb[4] & 0x04;
	struct scsi_itl *itl = task->itl;

	if (!start && !no_flush && !READ_ONCE(itl->stopped))
		scsi_end_io(task, VT_OP_FLUSH, scsi_be_flush(task));
	if (task->status == SCSI_GOOD)
		WRITE_ONCE(itl->stopped, !start);
}

#define LUNS_HEADER	8

/* LUNs are handed over as they are found: there may be many. */
void scsi_report_luns(struct scsi_task *task)
{
	struct scsi_nexus *nexus = task->nexus;
	u32 alloc = get_unaligned_be32(task->cdb + 6), off = LUNS_HEADER;
	u8 select = task->cdb[2], buf[8];
	int lun = -1;

	/* 1: well known logical units, of which there is none. */
	if (select > 2) {
		scsi_bad_cdb(task, 2, SCSI_NO_BIT);
		return;
	}
	/* Whatever changes from here on is reported again. */
	scsi_ua_clear_nexus(nexus, SCSI_UA_LUNS_CHANGED);
	while (select != 1 && (lun = nexus->port->next_lun(nexus, lun + 1)) >= 0) {
		scsi_lun_encode(lun, buf);
		scsi_put_at(task, alloc, off, buf, sizeof(buf));
		off += sizeof(buf);
	}
	memset(buf, 0, sizeof(buf));
	put_unaligned_be32(off - LUNS_HEADER, buf);
	scsi_put(task, alloc, buf, sizeof(buf));
}

void scsi_request_sense(struct scsi_task *task)
{
	struct scsi_sense s = {};
	u8 buf[SCSI_SENSE_LEN];
	u8 len;

	if (!task->itl) {
		s.key = SCSI_ILLEGAL_REQUEST;
		s.asc = SCSI_ASC_NO_LU;
	} else {
		s.asc = scsi_ua_take(task->itl);
		if (s.asc)
			s.key = SCSI_UNIT_ATTENTION;
	}
	len = scsi_sense_build(&s, task->cdb[1] & 0x01, buf);
	scsi_put(task, task->cdb[4], buf, len);
}

/* Supported pages, with their subpages if asked for: there is no other. */
void scsi_log_sense(struct scsi_task *task)
{
	u8 page = task->cdb[2] & 0x3f, sub = task->cdb[3];
	u32 alloc = get_unaligned_be16(task->cdb + 7);
	static const u8 pages[] = { 0x00, 0x00, 0x00, 0x01, 0x00 };
	static const u8 subpages[] = { 0x40, 0xff, 0x00, 0x04,
				       0x00, 0x00, 0x00, 0xff };

	if (page)
		scsi_bad_cdb(task, 2, 5);
	else if (sub == 0xff)
		scsi_put(task, alloc, subpages, sizeof(subpages));
	else if (sub)
		scsi_bad_cdb(task, 3, SCSI_NO_BIT);
	else
		scsi_put(task, alloc, pages, sizeof(pages));
}

/* One group, of the port that is asked, always active and optimized. */
void scsi_report_groups(struct scsi_task *task)
{
	const struct scsi_port *port = task->nexus->port;
	u8 format = task->cdb[1] >> 5, buf[20] = {};
	u8 *group = buf + (format ? 8 : 4);
	u32 len = group + 12 - buf;

	if (format > 1) {
		scsi_bad_cdb(task, 1, 7);
		return;
	}
	put_unaligned_be32(len - 4, buf);
	if (format)
		buf[4] = 0x10;		/* extended header */
	group[1] = 0x01;		/* AO_SUP */
	put_unaligned_be16(port->group, group + 2);
	group[7] = 1;			/* ports */
	put_unaligned_be16(port->rel_port, group + 10);
	scsi_put(task, get_unaligned_be32(task->cdb + 6), buf, len);
}
