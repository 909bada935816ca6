// SPDX-License-Identifier: GPL-2.0
/* Parameter data between handlers and the initiator's buffers. */
#include <linux/mm.h>
#include <linux/slab.h>

#include "cmd.h"

/* The initiator's memory was not there. */
static void data_failed(struct scsi_task *task)
{
	scsi_check(task, SCSI_ABORTED_COMMAND, SCSI_ASC_DATA_PHASE);
}

void scsi_put_at(struct scsi_task *task, u32 alloc, u32 off, const void *buf,
		 u32 len)
{
	u64 room = min_t(u64, alloc, task->in_len);
	u64 end = (u64)off + len;

	if (min_t(u64, alloc, end) > task->in_len)
		task->overrun = true;
	if (off >= room)
		return;
	len = min_t(u64, end, room) - off;
	if (!len)
		return;
	if (scsi_data_put(task, off, buf, len))
		data_failed(task);
	else
		task->moved = max_t(u64, task->moved, (u64)off + len);
}

bool scsi_get(struct scsi_task *task, u64 off, void *buf, u32 len)
{
	if (off > task->out_len || len > task->out_len - off) {
		task->overrun = true;
		return false;
	}
	if (scsi_data_get(task, off, buf, len)) {
		data_failed(task);
		return false;
	}
	task->moved = max_t(u64, task->moved, off + len);
	return true;
}

u8 *scsi_buf_get(struct scsi_task *task)
{
	/*
	 * Of this size, the memory is aligned to it. Zeroed, as not every
	 * backend fills what it reads, and the initiator learns of it.
	 */
	u8 *buf = kzalloc(2 * SCSI_CHUNK, GFP_NOIO | __GFP_NOWARN);

	if (!buf)
		task->status = SCSI_BUSY;
	return buf;
}

void scsi_buf_put(u8 *buf)
{
	kfree(buf);
}
