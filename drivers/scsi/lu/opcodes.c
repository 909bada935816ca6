// SPDX-License-Identifier: GPL-2.0
/* What is supported, from the table of commands itself (SPC-5). */
#include "cmd.h"
#include "pr.h"

#define CMD_DESC		8
#define TIMEOUTS_DESC		12

/* Values of the SUPPORT field. */
#define SUPPORT_NO		1
#define SUPPORT_STANDARD	3

/* REPORTING OPTIONS */
enum {
	REPORT_ALL,
	REPORT_ONE_OPCODE,
	REPORT_ONE_SA,
	REPORT_ONE,
};

static u32 opcodes_alloc(const struct scsi_task *task)
{
	return get_unaligned_be32(task->cdb + 6);
}

static bool opcodes_rctd(const struct scsi_task *task)
{
	return task->cdb[2] & 0x80;
}

/* No command has a time-out to tell of. */
static unsigned int put_timeouts(u8 *buf)
{
	memset(buf, 0, TIMEOUTS_DESC);
	put_unaligned_be16(TIMEOUTS_DESC - 2, buf);
	return TIMEOUTS_DESC;
}

static unsigned int put_cmd(const struct scsi_cmd *cmd, bool rctd, u8 *buf)
{
	memset(buf, 0, CMD_DESC);
	buf[0] = cmd->usage[0];
	if (cmd->flags & SCSI_CMD_SA) {
		put_unaligned_be16(scsi_cmd_sa(cmd), buf + 2);
		buf[5] |= 0x01;		/* SERVACTV */
	}
	if (rctd)
		buf[5] |= 0x02;		/* CTDP */
	put_unaligned_be16(cmd->len, buf + 6);
	return CMD_DESC + (rctd ? put_timeouts(buf + CMD_DESC) : 0);
}

/* Not every logical unit can do every command of the table. */
static bool cmd_supported(const struct scsi_task *task,
			  const struct scsi_cmd *cmd)
{
	if (cmd->exec == scsi_unmap)
		return task->itl->lu->unmap;
	if (cmd->exec == scsi_zone || cmd->exec == scsi_report_zones)
		return scsi_zoned(task->itl->lu);
	if (cmd->exec == scsi_pr_in || cmd->exec == scsi_pr_out)
		return task->itl->lu->resv;
	return true;
}

static void report_all(struct scsi_task *task)
{
	u32 alloc = opcodes_alloc(task), off = 4;
	bool rctd = opcodes_rctd(task);
	u8 buf[CMD_DESC + TIMEOUTS_DESC];
	unsigned int i, len;

	for (i = 0; i < scsi_nr_cmds; i++) {
		if (!cmd_supported(task, &scsi_cmds[i]))
			continue;
		len = put_cmd(&scsi_cmds[i], rctd, buf);
		scsi_put_at(task, alloc, off, buf, len);
		off += len;
	}
	put_unaligned_be32(off - 4, buf);
	scsi_put(task, alloc, buf, 4);
}

static void put_usage(const struct scsi_task *task, const struct scsi_cmd *cmd,
		      u8 *buf)
{
	memcpy(buf, cmd->usage, cmd->len);
	if (cmd->exec == scsi_write_same && !task->itl->lu->unmap)
		buf[1] &= ~0x08;	/* UNMAP */
	if (cmd->flags & SCSI_CMD_PROTECT && scsi_task_pi(task))
		buf[1] |= 0xe0;		/* RDPROTECT, WRPROTECT */
}

static void report_one(struct scsi_task *task, const struct scsi_cmd *cmd)
{
	u8 buf[4 + SCSI_USAGE_LEN + TIMEOUTS_DESC] = {};
	bool rctd = opcodes_rctd(task);
	unsigned int len = 4;

	if (!cmd || !cmd_supported(task, cmd)) {
		buf[1] = SUPPORT_NO;
	} else {
		buf[1] = SUPPORT_STANDARD | (rctd ? 0x80 : 0);
		put_unaligned_be16(cmd->len, buf + 2);
		put_usage(task, cmd, buf + 4);
		len += cmd->len;
		if (rctd)
			len += put_timeouts(buf + len);
	}
	scsi_put(task, opcodes_alloc(task), buf, len);
}

void scsi_report_opcodes(struct scsi_task *task)
{
	u8 opcode = task->cdb[3], option = task->cdb[2] & 0x07;
	u16 sa = get_unaligned_be16(task->cdb + 4);
	bool has_sa = scsi_opcode_has_sa(opcode);

	if (option == REPORT_ALL)
		report_all(task);
	else if (option > REPORT_ONE)
		scsi_bad_cdb(task, 2, 2);
	else if (option == REPORT_ONE_OPCODE && has_sa)
		scsi_bad_cdb(task, 2, 2);
	else if (option == REPORT_ONE_SA && !has_sa)
		scsi_bad_cdb(task, 2, 2);
	else if (option == REPORT_ONE_OPCODE)
		report_one(task, scsi_cmd_find(opcode, 0));
	else if (sa > 0x1f || (sa && !has_sa))
		report_one(task, NULL);
	else
		report_one(task, scsi_cmd_find(opcode, sa));
}

void scsi_report_tmfs(struct scsi_task *task)
{
	bool extended = task->cdb[2] & 0x80;	/* REPD */
	u8 buf[16] = {};

	put_unaligned_be16(task->nexus->port->tmfs, buf);
	buf[3] = extended ? 0x0c : 0;
	scsi_put(task, get_unaligned_be32(task->cdb + 6), buf,
		 extended ? sizeof(buf) : 4);
}
