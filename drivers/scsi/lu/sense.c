// SPDX-License-Identifier: GPL-2.0
/* Sense data (SPC-5), and how a backend's result becomes a status. */
#include "cmd.h"

/* Sense key specific data of a field in error: 4.4.2.4.2. */
static void sense_put_field(const struct scsi_sense *s, u8 *p)
{
	p[0] = 0x80 | (s->in_cdb ? 0x40 : 0);
	if (s->bit != SCSI_NO_BIT)
		p[0] |= 0x08 | s->bit;
	put_unaligned_be16(s->byte, p + 1);
}

static u8 sense_build_fixed(const struct scsi_sense *s, u8 *buf)
{
	buf[0] = 0x70;
	buf[2] = s->key;
	/* What does not fit is left out, not cut. */
	if (s->has_info && s->info <= U32_MAX) {
		buf[0] |= 0x80;
		put_unaligned_be32(s->info, buf + 3);
	}
	buf[7] = 10;
	put_unaligned_be16(s->asc, buf + 12);
	if (s->has_field)
		sense_put_field(s, buf + 15);
	return 18;
}

static u8 sense_build_desc(const struct scsi_sense *s, u8 *buf)
{
	u8 *p = buf + 8;

	buf[0] = 0x72;
	buf[1] = s->key;
	put_unaligned_be16(s->asc, buf + 2);
	if (s->has_info) {
		p[1] = 0x0a;
		p[2] = 0x80;
		put_unaligned_be64(s->info, p + 4);
		p += 12;
	}
	if (s->has_field) {
		p[0] = 0x02;
		p[1] = 0x06;
		sense_put_field(s, p + 4);
		p += 8;
	}
	buf[7] = p - buf - 8;
	return p - buf;
}

u8 scsi_sense_build(const struct scsi_sense *s, bool desc, u8 *buf)
{
	memset(buf, 0, SCSI_SENSE_LEN);
	return desc ? sense_build_desc(s, buf) : sense_build_fixed(s, buf);
}

static enum scsi_verdict sense_end(struct scsi_task *task,
				   const struct scsi_sense *s)
{
	const struct scsi_lu *lu = scsi_task_lu(task);
	bool desc = lu && READ_ONCE(lu->d_sense);

	task->status = SCSI_CHECK_CONDITION;
	task->sense_len = scsi_sense_build(s, desc, task->sense);
	return SCSI_DONE;
}

enum scsi_verdict scsi_check(struct scsi_task *task, u8 key, u16 asc)
{
	return sense_end(task, &(struct scsi_sense) {
		.key = key,
		.asc = asc,
	});
}

enum scsi_verdict scsi_check_info(struct scsi_task *task, u8 key, u16 asc,
				  u64 info)
{
	return sense_end(task, &(struct scsi_sense) {
		.key = key,
		.asc = asc,
		.has_info = true,
		.info = info,
	});
}

enum scsi_verdict scsi_bad_cdb(struct scsi_task *task, u16 byte, u8 bit)
{
	return sense_end(task, &(struct scsi_sense) {
		.key = SCSI_ILLEGAL_REQUEST,
		.asc = SCSI_ASC_BAD_CDB,
		.has_field = true,
		.in_cdb = true,
		.byte = byte,
		.bit = bit,
	});
}

enum scsi_verdict scsi_bad_param(struct scsi_task *task, u16 byte, u8 bit)
{
	return sense_end(task, &(struct scsi_sense) {
		.key = SCSI_ILLEGAL_REQUEST,
		.asc = SCSI_ASC_BAD_PARAM,
		.has_field = true,
		.byte = byte,
		.bit = bit,
	});
}

static void sense_medium_error(struct scsi_task *task, enum vt_op op)
{
	scsi_check(task, SCSI_MEDIUM_ERROR, op == VT_OP_READ ?
		   SCSI_ASC_READ_ERROR : SCSI_ASC_WRITE_ERROR);
}

/*
 * The block layer has no other status for a write that is not at a zone's
 * write pointer. What else is wrong with a device mostly has a status.
 */
static void sense_io_error(struct scsi_task *task, enum vt_op op)
{
	if (op == VT_OP_WRITE && scsi_zoned(task->itl->lu))
		scsi_check(task, SCSI_ILLEGAL_REQUEST,
			   SCSI_ASC_UNALIGNED_WRITE);
	else
		scsi_check(task, SCSI_HARDWARE_ERROR, SCSI_ASC_TARGET_FAILURE);
}

void scsi_end_io(struct scsi_task *task, enum vt_op op, blk_status_t status)
{
	switch (status) {
	case BLK_STS_OK:
		task->status = SCSI_GOOD;
		break;
	case BLK_STS_NOTSUPP:
		scsi_check(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
		break;
	case BLK_STS_TIMEOUT:
		scsi_check(task, SCSI_ABORTED_COMMAND, SCSI_ASC_TIMEOUT);
		break;
	case BLK_STS_NOSPC:
		scsi_check(task, SCSI_DATA_PROTECT, SCSI_ASC_SPACE_ALLOC);
		break;
	case BLK_STS_TRANSPORT:
		scsi_check(task, SCSI_ABORTED_COMMAND, SCSI_ASC_COMMUNICATION);
		break;
	case BLK_STS_RESV_CONFLICT:
		task->status = SCSI_RESERVATION_CONFLICT;
		break;
	case BLK_STS_MEDIUM:
		sense_medium_error(task, op);
		break;
	case BLK_STS_PROTECTION:
		scsi_check(task, SCSI_ABORTED_COMMAND, SCSI_ASC_GUARD_CHECK);
		break;
	case BLK_STS_RESOURCE:
		task->status = SCSI_BUSY;
		break;
	case BLK_STS_ZONE_OPEN_RESOURCE:
	case BLK_STS_ZONE_ACTIVE_RESOURCE:
		scsi_check(task, SCSI_DATA_PROTECT, SCSI_ASC_ZONE_RESOURCES);
		break;
	case BLK_STS_OFFLINE:
		scsi_check(task, SCSI_NOT_READY, SCSI_ASC_NEED_MANUAL);
		break;
	default:
		sense_io_error(task, op);
		break;
	}
}
