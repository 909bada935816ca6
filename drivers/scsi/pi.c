// SPDX-License-Identifier: GPL-2.0
/*
 * Protection information of commands: VIRTIO_SCSI_F_T10_PI. It lies in front
 * of the data, out and in, as many bytes of it as the header says.
 */
#include <linux/kernel.h>
#include <linux/slab.h>

#include "scsi.h"

bool scsi_pi_fits(const struct scsi_task *task)
{
	u32 bytes = task->pi_bytes;
	bool in = bytes && task->op == VT_OP_READ;

	return task->pi_out_len == (in ? 0 : bytes) &&
	       task->pi_in_len == (in ? bytes : 0);
}

static int pi_fill(struct vt_vq *vq, const struct vt_chain *c,
		   struct vt_req *req, u64 out, u64 in)
{
	struct scsi_req *sr = scsi_req(req);
	struct scsi_task *task = &sr->task;
	int err;

	if (task->op == VT_OP_WRITE)
		return vt_chain_read(vq, c, out, req->io.pi->tuple,
				     task->pi_bytes);
	err = scsi_resp_map_at(vq, c, in, task->pi_bytes, &sr->pi_in);
	return err == -EPROTO ? -EFAULT : err;
}

int scsi_pi_map(struct vt_vq *vq, const struct vt_chain *c, struct vt_req *req,
		u64 out, u64 in)
{
	struct scsi_task *task = &scsi_req(req)->task;
	int err;

	if (likely(!task->pi_bytes))
		return 0;
	req->io.pi = vt_pi_alloc(scsi_lu_be(task->itl->lu), task->sector,
				 task->bytes,
				 GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!req->io.pi)
		return -ENOBUFS;
	task->pi = req->io.pi;
	err = pi_fill(vq, c, req, out, in);
	if (err)
		scsi_pi_free(req);
	return err;
}

void scsi_pi_complete(struct vt_req *req)
{
	struct scsi_req *sr = scsi_req(req);
	const struct scsi_task *task = &sr->task;

	if (likely(!req->io.pi))
		return;
	if (task->status == SCSI_GOOD && task->op == VT_OP_READ) {
		scsi_resp_write(&sr->pi_in, 0, req->io.pi->tuple,
				task->pi_bytes);
		sr->moved_pi = task->pi_bytes;
	}
	scsi_pi_free(req);
}

void scsi_pi_free(struct vt_req *req)
{
	scsi_resp_free(&scsi_req(req)->pi_in);
	vt_pi_free(req->io.pi);
	req->io.pi = NULL;
}
