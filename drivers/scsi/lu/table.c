// SPDX-License-Identifier: GPL-2.0
/*
 * Every command that is supported. Rows of one opcode are neighbours.
 *
 * Rights: what SPC-5 and SBC-4 forbid to others under Write Exclusive needs
 * the right to write, what they forbid under Exclusive Access alone needs the
 * right to read.
 */
#include "cmd.h"
#include "pr.h"

#define ANY	0
#define READS	SCSI_CMD_READS
#define WRITES	SCSI_CMD_WRITES
#define MEDIUM	SCSI_CMD_MEDIUM
#define PROTECT	SCSI_CMD_PROTECT
#define ALWAYS	(SCSI_CMD_NO_LU | SCSI_CMD_UA_OK)
#define RD	(SCSI_CMD_READS | SCSI_CMD_MEDIUM)
#define WR	(SCSI_CMD_WRITES | SCSI_CMD_MEDIUM | SCSI_CMD_CHANGES)

/* A command, and one with a service action: opcode, rest of the usage. */
#define CMD(length, flag, parse_fn, exec_fn, ...)			\
	{ .len = (length), .flags = (flag), .parse = (parse_fn),	\
	  .exec = (exec_fn), .usage = { __VA_ARGS__ } }
#define SA(length, flag, parse_fn, exec_fn, ...)			\
	CMD(length, (flag) | SCSI_CMD_SA, parse_fn, exec_fn, __VA_ARGS__)

/* The handlers themselves ask the reservations. */
#define PR_IN(action)							\
	SA(10, ANY, NULL, scsi_pr_in,					\
	   0x5e, action, 0, 0, 0, 0, 0, 0xff, 0xff, 0)
#define PR_OUT(action)							\
	SA(10, ANY, NULL, scsi_pr_out,					\
	   0x5f, action, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0)

/* ZBC OUT */
#define ZONE(action)							\
	SA(16, WR, scsi_parse_zone, scsi_zone,				\
	   0x94, action, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,	\
	   0, 0, 0, 0, 0x01, 0)

const struct scsi_cmd scsi_cmds[] = {
	/* TEST UNIT READY */
	CMD(6, MEDIUM, scsi_parse_tur, NULL,
	    0x00, 0, 0, 0, 0, 0),
	/* REQUEST SENSE */
	CMD(6, ALWAYS, NULL, scsi_request_sense,
	    0x03, 0x01, 0, 0, 0xff, 0),
	/* READ (6) */
	CMD(6, RD, scsi_parse_read, NULL,
	    0x08, 0x1f, 0xff, 0xff, 0xff, 0),
	/* WRITE (6) */
	CMD(6, WR, scsi_parse_write, NULL,
	    0x0a, 0x1f, 0xff, 0xff, 0xff, 0),
	/* INQUIRY */
	CMD(6, ALWAYS, NULL, scsi_inquiry,
	    0x12, 0x01, 0xff, 0xff, 0xff, 0),
	/* MODE SELECT (6) */
	CMD(6, WRITES, NULL, scsi_mode_select6,
	    0x15, 0x10, 0, 0, 0xff, 0),
	/* MODE SENSE (6) */
	CMD(6, READS, NULL, scsi_mode_sense6,
	    0x1a, 0x08, 0xff, 0xff, 0xff, 0),
	/* START STOP UNIT */
	CMD(6, ANY, scsi_parse_start_stop, scsi_start_stop,
	    0x1b, 0x01, 0, 0, 0x05, 0),
	/* RECEIVE DIAGNOSTIC RESULTS */
	CMD(6, READS, NULL, scsi_receive_diag,
	    0x1c, 0x01, 0xff, 0xff, 0xff, 0),
	/* SEND DIAGNOSTIC */
	CMD(6, WRITES, scsi_parse_send_diag, NULL,
	    0x1d, 0x14, 0, 0, 0, 0),
	/* PREVENT ALLOW MEDIUM REMOVAL */
	CMD(6, ANY, scsi_parse_prevent, NULL,
	    0x1e, 0, 0, 0, 0x03, 0),
	/* READ CAPACITY (10) */
	CMD(10, MEDIUM, NULL, scsi_read_capacity10,
	    0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	/* READ (10) */
	CMD(10, RD | PROTECT, scsi_parse_read, scsi_read_exec,
	    0x28, 0x18, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0),
	/* WRITE (10) */
	CMD(10, WR | PROTECT, scsi_parse_write, scsi_write_exec,
	    0x2a, 0x18, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0),
	/* WRITE AND VERIFY (10) */
	CMD(10, WR | PROTECT, scsi_parse_write_verify, scsi_write_verify,
	    0x2e, 0x16, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0),
	/* VERIFY (10) */
	CMD(10, RD | PROTECT, scsi_parse_verify, scsi_verify,
	    0x2f, 0x16, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0),
	/* SYNCHRONIZE CACHE (10) */
	CMD(10, WRITES | MEDIUM, scsi_parse_sync, NULL,
	    0x35, 0x02, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0),
	/* WRITE SAME (10) */
	CMD(10, WR | PROTECT, scsi_parse_same, scsi_write_same,
	    0x41, 0x08, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0),
	/* UNMAP */
	CMD(10, WR, scsi_parse_unmap, scsi_unmap,
	    0x42, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0),
	/* LOG SENSE */
	CMD(10, ANY, NULL, scsi_log_sense,
	    0x4d, 0, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0),
	/* MODE SELECT (10) */
	CMD(10, WRITES, NULL, scsi_mode_select10,
	    0x55, 0x10, 0, 0, 0, 0, 0, 0xff, 0xff, 0),
	/* MODE SENSE (10) */
	CMD(10, READS, NULL, scsi_mode_sense10,
	    0x5a, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0),
	/* PERSISTENT RESERVE IN */
	PR_IN(SCSI_PR_READ_KEYS),
	PR_IN(SCSI_PR_READ_RESERVATION),
	PR_IN(SCSI_PR_REPORT_CAPABILITIES),
	PR_IN(SCSI_PR_READ_FULL_STATUS),
	/* PERSISTENT RESERVE OUT */
	PR_OUT(SCSI_PR_REGISTER),
	PR_OUT(SCSI_PR_RESERVE),
	PR_OUT(SCSI_PR_RELEASE),
	PR_OUT(SCSI_PR_CLEAR),
	PR_OUT(SCSI_PR_PREEMPT),
	PR_OUT(SCSI_PR_PREEMPT_ABORT),
	PR_OUT(SCSI_PR_REGISTER_IGNORE),
	PR_OUT(SCSI_PR_MOVE),
	/* READ (16) */
	CMD(16, RD | PROTECT, scsi_parse_read, scsi_read_exec,
	    0x88, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0, 0),
	/* COMPARE AND WRITE */
	CMD(16, WR | PROTECT, scsi_parse_caw, scsi_compare_and_write,
	    0x89, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,
	    0xff, 0, 0),
	/* WRITE (16) */
	CMD(16, WR | PROTECT, scsi_parse_write, scsi_write_exec,
	    0x8a, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0, 0),
	/* ORWRITE (16) */
	CMD(16, WR, scsi_parse_orwrite, scsi_orwrite,
	    0x8b, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0, 0),
	/* WRITE AND VERIFY (16) */
	CMD(16, WR | PROTECT, scsi_parse_write_verify, scsi_write_verify,
	    0x8e, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0, 0),
	/* VERIFY (16) */
	CMD(16, RD | PROTECT, scsi_parse_verify, scsi_verify,
	    0x8f, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0, 0),
	/* SYNCHRONIZE CACHE (16) */
	CMD(16, WRITES | MEDIUM, scsi_parse_sync, NULL,
	    0x91, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0, 0),
	/* CLOSE, FINISH, OPEN ZONE, RESET WRITE POINTER */
	ZONE(SCSI_ZONE_CLOSE),
	ZONE(SCSI_ZONE_FINISH),
	ZONE(SCSI_ZONE_OPEN),
	ZONE(SCSI_ZONE_RESET),
	/* REPORT ZONES */
	SA(16, RD, scsi_parse_report_zones, scsi_report_zones,
	   0x95, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	   0xff, 0xff, 0xff, 0xbf, 0),
	/* WRITE SAME (16) */
	CMD(16, WR | PROTECT, scsi_parse_same, scsi_write_same,
	    SCSI_OP_WRITE_SAME_16, 0x09, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* READ CAPACITY (16) */
	SA(16, MEDIUM, NULL, scsi_read_capacity16,
	   0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* GET LBA STATUS */
	SA(16, RD, NULL, scsi_get_lba_status,
	   0x9e, 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	   0xff, 0xff, 0xff, 0, 0),
	/* REPORT LUNS */
	CMD(12, ALWAYS, NULL, scsi_report_luns,
	    0xa0, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* REPORT TARGET PORT GROUPS */
	SA(12, ANY, NULL, scsi_report_groups,
	   0xa3, 0xe0 | 0x0a, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* REPORT SUPPORTED OPERATION CODES */
	SA(12, READS, NULL, scsi_report_opcodes,
	   0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS */
	SA(12, READS, NULL, scsi_report_tmfs,
	   0xa3, 0x0d, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* READ (12) */
	CMD(12, RD | PROTECT, scsi_parse_read, scsi_read_exec,
	    0xa8, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* WRITE (12) */
	CMD(12, WR | PROTECT, scsi_parse_write, scsi_write_exec,
	    0xaa, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* WRITE AND VERIFY (12) */
	CMD(12, WR | PROTECT, scsi_parse_write_verify, scsi_write_verify,
	    0xae, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
	/* VERIFY (12) */
	CMD(12, RD | PROTECT, scsi_parse_verify, scsi_verify,
	    0xaf, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
};

const unsigned int scsi_nr_cmds = ARRAY_SIZE(scsi_cmds);
static_assert(ARRAY_SIZE(scsi_cmds) <= SCSI_MAX_CMDS);
