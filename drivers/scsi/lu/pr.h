/* SPDX-License-Identifier: GPL-2.0 */
/* The handlers of persistent reservations. */
#ifndef _SCSI_LU_PR_H
#define _SCSI_LU_PR_H

struct scsi_task;

/* Service actions of PERSISTENT RESERVE IN: SPC-5, 6.15. */
enum scsi_pr_in {
	SCSI_PR_READ_KEYS		= 0x00,
	SCSI_PR_READ_RESERVATION	= 0x01,
	SCSI_PR_REPORT_CAPABILITIES	= 0x02,
	SCSI_PR_READ_FULL_STATUS	= 0x03,
};

/* Service actions of PERSISTENT RESERVE OUT: SPC-5, 6.16. */
enum scsi_pr_out {
	SCSI_PR_REGISTER		= 0x00,
	SCSI_PR_RESERVE			= 0x01,
	SCSI_PR_RELEASE			= 0x02,
	SCSI_PR_CLEAR			= 0x03,
	SCSI_PR_PREEMPT			= 0x04,
	SCSI_PR_PREEMPT_ABORT		= 0x05,
	SCSI_PR_REGISTER_IGNORE		= 0x06,
	SCSI_PR_MOVE			= 0x07,
};

/*
 * Each does all the service actions that are named above; the table refuses
 * the others. Where it may sleep.
 */
void scsi_pr_in(struct scsi_task *task);
void scsi_pr_out(struct scsi_task *task);

#endif
