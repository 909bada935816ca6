// SPDX-License-Identifier: GPL-2.0
/*
 * From a CDB to what is done about it. All checks that many commands share are
 * made here by the command's row; its handlers check the rest.
 */
#include <linux/indirect_call_wrapper.h>

#include "cmd.h"

/* First row of each opcode, plus 1. */
static u8 cmd_first[256];

/* Bits that must be clear, of the bytes of the CDB as two numbers. */
static u64 cmd_reserved[SCSI_MAX_CMDS][2];

static void cmd_init_reserved(const struct scsi_cmd *cmd, u64 reserved[2])
{
	u8 mask[SCSI_USAGE_LEN] = {};
	unsigned int i;

	for (i = 1; i < cmd->len; i++)
		mask[i] = ~cmd->usage[i];
	if (cmd->flags & SCSI_CMD_SA)
		mask[1] &= ~0x1f;
	/* Their handlers look at it. */
	if (cmd->flags & SCSI_CMD_PROTECT)
		mask[1] &= ~0xe0;
	memcpy(reserved, mask, sizeof(mask));
}

void scsi_cmds_init(void)
{
	unsigned int i;

	for (i = scsi_nr_cmds; i--;) {
		cmd_first[scsi_cmds[i].usage[0]] = i + 1;
		cmd_init_reserved(&scsi_cmds[i], cmd_reserved[i]);
	}
}

const struct scsi_cmd *scsi_cmd_find(u8 opcode, u8 sa)
{
	unsigned int i = cmd_first[opcode];

	/* Rows of an opcode are neighbours. */
	for (; i && i <= scsi_nr_cmds; i++) {
		const struct scsi_cmd *cmd = &scsi_cmds[i - 1];

		if (cmd->usage[0] != opcode)
			break;
		if (!(cmd->flags & SCSI_CMD_SA) || scsi_cmd_sa(cmd) == sa)
			return cmd;
	}
	return NULL;
}

bool scsi_opcode_has_sa(u8 opcode)
{
	unsigned int i = cmd_first[opcode];

	return i && (scsi_cmds[i - 1].flags & SCSI_CMD_SA);
}

/* The first bit that is set and must not be; there is one. */
static enum scsi_verdict cmd_bad_bit(struct scsi_task *task)
{
	u8 bad[SCSI_USAGE_LEN];
	unsigned int i = 0;

	memcpy(bad, cmd_reserved[task->cmd - scsi_cmds], sizeof(bad));
	while (!(bad[i] & task->cdb[i]))
		i++;
	return scsi_bad_cdb(task, i, __fls(bad[i] & task->cdb[i]));
}

static bool cmd_has_bad_bit(const struct scsi_task *task)
{
	const u64 *reserved = cmd_reserved[task->cmd - scsi_cmds];
	u64 cdb[2];

	memcpy(cdb, task->cdb, sizeof(cdb));
	return (cdb[0] & reserved[0]) | (cdb[1] & reserved[1]);
}

static enum scsi_verdict cmd_unknown(struct scsi_task *task)
{
	/* A service action is a field of the CDB. */
	if (scsi_opcode_has_sa(task->cdb[0]))
		return scsi_bad_cdb(task, 1, 4);
	return scsi_check(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_BAD_OPCODE);
}

static enum scsi_verdict cmd_parse_no_lu(struct scsi_task *task)
{
	if (!task->cmd || !(task->cmd->flags & SCSI_CMD_NO_LU))
		return scsi_check(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_NO_LU);
	if (cmd_has_bad_bit(task))
		return cmd_bad_bit(task);
	return SCSI_EXEC;
}

/* Do the reservations let this nexus do this command? */
static bool cmd_allowed(const struct scsi_task *task)
{
	u8 flags = task->cmd->flags, may = READ_ONCE(task->itl->resv.may);

	return !((flags & SCSI_CMD_READS && !(may & VT_RESV_READ)) ||
		 (flags & SCSI_CMD_WRITES && !(may & VT_RESV_WRITE)));
}

/* Is the medium there, and may it be changed? */
static bool cmd_medium_ok(struct scsi_task *task)
{
	const struct scsi_lu *lu = task->itl->lu;
	u8 flags = task->cmd->flags;

	if (flags & SCSI_CMD_MEDIUM) {
		if (READ_ONCE(scsi_lu_be(lu)->dead)) {
			scsi_check(task, SCSI_NOT_READY, SCSI_ASC_NEED_MANUAL);
			return false;
		}
		if (READ_ONCE(task->itl->stopped)) {
			scsi_check(task, SCSI_NOT_READY, SCSI_ASC_NEED_START);
			return false;
		}
	}
	if (flags & SCSI_CMD_CHANGES) {
		if (lu->ro) {
			scsi_check(task, SCSI_DATA_PROTECT,
				   SCSI_ASC_WRITE_PROTECTED);
			return false;
		}
		if (READ_ONCE(lu->swp)) {
			scsi_check(task, SCSI_DATA_PROTECT,
				   SCSI_ASC_SOFT_PROTECTED);
			return false;
		}
	}
	return true;
}

static enum scsi_verdict cmd_parse(struct scsi_task *task)
{
	const struct scsi_cmd *cmd = task->cmd;
	u16 asc;

	if (unlikely(atomic_read(&task->itl->ua)) &&
	    !(cmd && cmd->flags & SCSI_CMD_UA_OK)) {
		asc = scsi_ua_take(task->itl);
		if (asc)
			return scsi_check(task, SCSI_UNIT_ATTENTION, asc);
	}
	if (unlikely(!cmd))
		return cmd_unknown(task);
	if (unlikely(!cmd_allowed(task)))
		return scsi_end(task, SCSI_RESERVATION_CONFLICT);
	if (unlikely(cmd_has_bad_bit(task)))
		return cmd_bad_bit(task);
	if (!cmd_medium_ok(task))
		return SCSI_DONE;
	if (!cmd->parse)
		return SCSI_EXEC;
	return INDIRECT_CALL_2(cmd->parse, scsi_parse_read, scsi_parse_write,
			       task);
}

enum scsi_verdict scsi_task_parse(struct scsi_task *task)
{
	task->status = SCSI_GOOD;
	task->sense_len = 0;
	task->overrun = false;
	task->moved = 0;
	task->io_flags = 0;
	task->pi_bytes = 0;
	task->pi_checks = 0;
	task->cmd = scsi_cmd_find(task->cdb[0], task->cdb[1] & 0x1f);
	if (unlikely(!task->itl))
		return cmd_parse_no_lu(task);
	return cmd_parse(task);
}

static void cmd_execute(struct scsi_task *task)
{
	if (scsi_stop(task))
		return;
	if (task->itl && !cmd_allowed(task))
		task->status = SCSI_RESERVATION_CONFLICT;
	else
		task->cmd->exec(task);
}

/* Does it need a right that must not be taken away meanwhile? */
static struct vt_resv *cmd_resv(const struct scsi_task *task)
{
	bool needs = task->cmd->flags & (SCSI_CMD_READS | SCSI_CMD_WRITES);

	return task->itl && needs ? task->itl->lu->resv : NULL;
}

void scsi_task_execute(struct scsi_task *task)
{
	struct vt_resv *resv = cmd_resv(task);

	if (resv)
		vt_resv_exec_begin(resv);
	cmd_execute(task);
	if (resv)
		vt_resv_exec_end(resv);
}

bool scsi_go_on(struct scsi_task *task)
{
	struct vt_resv *resv = cmd_resv(task);

	/* Whoever wants to change them, and all behind, wait for one piece. */
	if (resv) {
		vt_resv_exec_end(resv);
		vt_resv_exec_begin(resv);
	}
	if (scsi_stop(task))
		return false;
	if (likely(cmd_allowed(task)))
		return true;
	task->status = SCSI_RESERVATION_CONFLICT;
	return false;
}

void scsi_task_io_done(struct scsi_task *task, blk_status_t status)
{
	scsi_end_io(task, task->op, status);
	if (!status)
		task->moved = task->bytes;
}
