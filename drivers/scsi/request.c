// SPDX-License-Identifier: GPL-2.0
/*
 * Request queues: virtio 1.2, 5.6.6.1.
 *
 * A chain is a header with the CDB, data-out, and then a response with the
 * sense data, data-in, however the driver cuts it into descriptors. In front
 * of the data there may be protection information of it: pi.c. Parsing
 * copies the header once and asks the logical unit what to do; completing
 * turns the result into a response.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include <vhost_target/cov.h>

#include "scsi.h"

/**
 * struct cmd_parse - a command being parsed
 * @vq: its virtqueue
 * @c: its chain
 * @req: its request
 * @sr: the part of it that is ours
 * @out: readable bytes before the data-out buffer
 * @in: writable bytes before the data-in buffer
 * @pi_out: readable bytes before the protection information of data-out
 * @pi_in: writable bytes before the protection information of data-in
 */
struct cmd_parse {
	struct vt_vq *vq;
	const struct vt_chain *c;
	struct vt_req *req;
	struct scsi_req *sr;
	u64 out;
	u64 in;
	u64 pi_out;
	u64 pi_in;
};

/* Ended without the logical unit: the driver is told in the response. */
static int cmd_end(struct cmd_parse *p, u8 response)
{
	struct scsi_task *task = &p->sr->task;

	task->status = SCSI_GOOD;
	task->sense_len = 0;
	task->overrun = false;
	task->moved = 0;
	p->sr->verdict = SCSI_DONE;
	p->sr->response = response;
	p->req->io.nr_bv = 0;
	p->req->io.bytes = 0;
	return 1;
}

static int cmd_refuse(struct cmd_parse *p, u8 response)
{
	vt_stat_inc(p->vq->q.st->invalid);
	return cmd_end(p, response);
}

/* Drivers look for targets: Linux sends commands to each that there may be. */
static int cmd_absent(struct cmd_parse *p)
{
	vt_stat_inc(p->vq->q.st->absent);
	return cmd_end(p, VIRTIO_SCSI_S_BAD_TARGET);
}

/* Guest memory that is not there is an error of the request. */
static int cmd_map_error(struct cmd_parse *p, int err)
{
	if (err == -EFAULT || err == -E2BIG)
		return cmd_refuse(p, VIRTIO_SCSI_S_FAILURE);
	return err;
}

/*
 * A target has one target port, number 0. Of its LUNs, those below 256 have
 * two forms.
 */
int scsi_lun_decode(const u8 lun[8])
{
	u16 level = get_unaligned_be16(lun + 2);

	if (lun[0] != 1 || lun[1] || get_unaligned_be32(lun + 4))
		return SCSI_LUN_BAD_TARGET;
	if (level >> 14 == 1)
		return level & SCSI_LUN_MAX;
	return level < 256 ? level : SCSI_LUN_BAD_TARGET;
}

/* The last of what is mapped. */
static int cmd_map_pi(struct cmd_parse *p)
{
	int err = scsi_pi_map(p->vq, p->c, p->req, p->pi_out, p->pi_in);

	if (err)
		vt_req_release(p->req);
	return err;
}

/* The logical unit has the backend do it. */
static int cmd_submit(struct cmd_parse *p)
{
	struct scsi_task *task = &p->sr->task;
	struct vt_io *io = &p->req->io;
	bool in = task->op == VT_OP_READ;
	int err;

	io->be = scsi_lu_be(task->itl->lu);
	io->op = task->op;
	io->flags = task->io_flags;
	io->sector = task->sector;
	p->req->op_class = in ? VHOST_TARGET_OP_READ :
			   task->op == VT_OP_WRITE ? VHOST_TARGET_OP_WRITE :
			   VHOST_TARGET_OP_FLUSH;
	if (!task->bytes)
		return 0;
	err = vt_req_map(p->req, p->c, in, in ? p->in : p->out, task->bytes);
	if (!err)
		err = cmd_map_pi(p);
	return err ? cmd_map_error(p, err) : 0;
}

/* A work item does it. No command moves more than the largest transfer. */
static int cmd_execute(struct cmd_parse *p)
{
	struct scsi_req *sr = p->sr;
	int err;

	sr->out_len = min_t(u64, sr->task.out_len, SCSI_MAX_BYTES);
	sr->in_len = min_t(u64, sr->task.in_len, SCSI_MAX_BYTES);
	err = vt_req_map(p->req, p->c, false, p->out, sr->out_len);
	if (!err)
		err = vt_req_map(p->req, p->c, true, p->in, sr->in_len);
	if (!err)
		err = cmd_map_pi(p);
	return err ? cmd_map_error(p, err) : 2;
}

static void cmd_set_task(struct cmd_parse *p,
			 const struct virtio_scsi_cmd_req *hdr, int lun)
{
	struct scsi_session *ss = scsi_session(&p->vq->q);
	struct scsi_task *task = &p->sr->task;

	task->nexus = &ss->nexus;
	task->itl = scsi_session_itl(ss, lun);
	task->attr = hdr->task_attr <= SCSI_ATTR_ACA ? hdr->task_attr :
		     SCSI_ATTR_SIMPLE;
	memcpy(task->cdb, hdr->cdb, sizeof(task->cdb));
	task->aborted = false;
	p->sr->tag = le64_to_cpu((__force __le64)hdr->tag);
}

static int cmd_parse_task(struct cmd_parse *p)
{
	struct scsi_req *sr = p->sr;

	sr->verdict = scsi_task_parse(&sr->task);
	if (sr->verdict != SCSI_DONE && unlikely(!scsi_pi_fits(&sr->task)))
		return cmd_refuse(p, VIRTIO_SCSI_S_FAILURE);
	switch (sr->verdict) {
	case SCSI_IO:
		return cmd_submit(p);
	case SCSI_EXEC:
		return cmd_execute(p);
	default:
		return 1;
	}
}

/* Headers with and without protection information begin alike. */
static_assert(offsetof(struct virtio_scsi_cmd_req_pi, pi_bytesout) ==
	      SCSI_REQ_HEAD);

static int cmd_read_header_pi(struct cmd_parse *p, u32 cdb,
			      struct virtio_scsi_cmd_req *hdr)
{
	struct scsi_task *task = &p->sr->task;
	struct virtio_scsi_cmd_req_pi pi;
	int err;

	err = vt_chain_read(p->vq, p->c, 0, &pi, SCSI_REQ_PI_HEAD + cdb);
	if (err)
		return err;
	memcpy(hdr, &pi, SCSI_REQ_HEAD);
	memcpy(hdr->cdb, pi.cdb, cdb);
	task->pi_out_len = le32_to_cpu((__force __le32)pi.pi_bytesout);
	task->pi_in_len = le32_to_cpu((__force __le32)pi.pi_bytesin);
	return 0;
}

static int cmd_read_header(struct cmd_parse *p, u32 cdb,
			   struct virtio_scsi_cmd_req *hdr)
{
	int err;

	if (p->sr->task.pi_ok)
		err = cmd_read_header_pi(p, cdb, hdr);
	else
		err = vt_chain_read(p->vq, p->c, 0, hdr, SCSI_REQ_HEAD + cdb);
	memset(hdr->cdb + cdb, 0, sizeof(hdr->cdb) - cdb);
	return err;
}

/* What is where; false: the chain has not so many bytes. */
static bool cmd_lay_out(struct cmd_parse *p)
{
	struct scsi_task *task = &p->sr->task;

	p->pi_out = p->out;
	p->pi_in = p->in;
	p->out += task->pi_out_len;
	p->in += task->pi_in_len;
	task->out_len = p->c->out_len > p->out ? p->c->out_len - p->out : 0;
	task->in_len = p->c->in_len > p->in ? p->c->in_len - p->in : 0;
	return p->c->out_len >= p->out &&
	       (!task->pi_in_len || p->c->in_len >= p->in);
}

static int cmd_parse_header(struct cmd_parse *p, u32 cdb_size)
{
	struct vt_vdev *vdev = p->vq->vdev;
	/* Written below before it is looked at. */
	struct virtio_scsi_cmd_req hdr __uninitialized;
	struct scsi_task *task = &p->sr->task;
	int err, lun;

	task->pi_ok = vt_vdev_has(vdev, VIRTIO_SCSI_F_T10_PI);
	task->pi_out_len = 0;
	task->pi_in_len = 0;
	p->out = (task->pi_ok ? SCSI_REQ_PI_HEAD : SCSI_REQ_HEAD) +
		 (u64)cdb_size;
	if (!cmd_lay_out(p))
		return cmd_refuse(p, VIRTIO_SCSI_S_FAILURE);
	err = cmd_read_header(p, min_t(u32, cdb_size, sizeof(hdr.cdb)), &hdr);
	if (err)
		return cmd_map_error(p, err);
	if (task->pi_ok && !cmd_lay_out(p))
		return cmd_refuse(p, VIRTIO_SCSI_S_FAILURE);

	lun = scsi_lun_decode(hdr.lun);
	if (lun < 0)
		return cmd_absent(p);
	/* 5.6.6.1: without INOUT a command has data one way or the other. */
	if (task->out_len && task->in_len &&
	    !vt_vdev_has(vdev, VIRTIO_SCSI_F_INOUT))
		return cmd_refuse(p, VIRTIO_SCSI_S_FAILURE);
	cmd_set_task(p, &hdr, lun);
	if (unlikely(!task->itl))
		vt_stat_inc(p->vq->q.st->absent);
	return cmd_parse_task(p);
}

int scsi_cmd_parse(struct vt_vq *vq, const struct vt_chain *c,
		   struct vt_req *req)
{
	u32 sense_size = READ_ONCE(vq->vdev->sense_size);
	struct scsi_req *sr = scsi_req(req);
	struct cmd_parse p = { .vq = vq, .c = c, .req = req, .sr = sr };
	int ret;

	/* Without room for a response the driver cannot be told. */
	if (c->in_len < SCSI_RESP_HEAD)
		return -EPROTO;
	p.in = SCSI_RESP_HEAD + (u64)sense_size;
	ret = scsi_resp_map(vq, c, SCSI_RESP_HEAD +
			    min_t(u32, sense_size, SCSI_SENSE_LEN), &sr->resp);
	if (ret)
		return ret;

	sr->response = VIRTIO_SCSI_S_OK;
	sr->aborting = false;
	sr->resp_len = min_t(u64, p.in, U32_MAX);
	sr->out_len = 0;
	sr->in_len = 0;
	sr->moved_in = 0;
	sr->moved_pi = 0;
	sr->pi_in.piece = sr->pi_in.few;
	ret = cmd_parse_header(&p, READ_ONCE(vq->vdev->cdb_size));
	if (ret < 0)
		scsi_resp_free(&sr->resp);
	return ret;
}

void scsi_cmd_work(struct work_struct *work)
{
	struct vt_req *req = container_of(work, struct vt_req, io.work);
	struct scsi_req *sr = scsi_req(req);
	u64 cov = vt_cov_begin(req->q->session);

	scsi_task_execute(&sr->task);
	/* For the counters: what was mapped may be more. */
	req->io.bytes = min_t(u64, sr->task.moved, U32_MAX);
	vt_io_end(&req->io, BLK_STS_OK);
	vt_cov_end(cov);
}

/* Data of commands that a work item does. */

int scsi_data_get(struct scsi_task *task, u64 off, void *buf, u32 len)
{
	struct scsi_req *sr = container_of(task, struct scsi_req, task);

	if (off > sr->out_len || len > sr->out_len - off)
		return -EFAULT;
	vt_req_copy_out(scsi_to_vt_req(sr), off, buf, len);
	return 0;
}

int scsi_data_put(struct scsi_task *task, u64 off, const void *buf, u32 len)
{
	struct scsi_req *sr = container_of(task, struct scsi_req, task);

	if (off > sr->in_len || len > sr->in_len - off)
		return -EFAULT;
	vt_req_copy_in(scsi_to_vt_req(sr), sr->out_len + off, buf, len);
	sr->moved_in = max_t(u32, sr->moved_in, off + len);
	return 0;
}

static void cmd_io_done(struct vt_req *req, struct scsi_task *task)
{
	const struct vt_pi *pi = req->io.pi;

	if (unlikely(req->io.status == BLK_STS_PROTECTION) && pi && pi->bad)
		scsi_task_pi_failed(task, pi->bad, pi->bad_at);
	else
		scsi_task_io_done(task, req->io.status);
}

static void cmd_end_task(struct vt_req *req, struct scsi_req *sr)
{
	struct scsi_task *task = &sr->task;

	if (sr->verdict == SCSI_IO) {
		cmd_io_done(req, task);
		if (task->op == VT_OP_READ)
			sr->moved_in = task->moved;
	}
	/* Aborted: @response says how it was. */
	if (sr->response == VIRTIO_SCSI_S_OK && task->overrun)
		sr->response = VIRTIO_SCSI_S_OVERRUN;
}

/* Returns: bytes of sense data written. */
static u32 cmd_write_resp(struct scsi_req *sr)
{
	struct scsi_task *task = &sr->task;
	bool done = sr->response == VIRTIO_SCSI_S_OK ||
		    sr->response == VIRTIO_SCSI_S_OVERRUN;
	u32 sense = done ? min_t(u32, task->sense_len,
				 sr->resp.len - SCSI_RESP_HEAD) : 0;
	/* Of which the head alone is of use. */
	struct virtio_scsi_cmd_resp r __uninitialized;

	r.sense_len = (__force __virtio32)cpu_to_le32(sense);
	r.resid = (__force __virtio32)
		cpu_to_le32(min_t(u64, scsi_task_residual(task), U32_MAX));
	r.status_qualifier = 0;
	r.status = done ? task->status : SCSI_GOOD;
	r.response = sr->response;
	scsi_resp_write(&sr->resp, 0, &r, SCSI_RESP_HEAD);
	if (unlikely(sense))
		scsi_resp_write(&sr->resp, SCSI_RESP_HEAD, task->sense, sense);
	return sense;
}

/*
 * The used length is what was written from the first byte on without a gap
 * (2.7.8.2). So that data-in counts, there must be none in the sense data.
 */
static u32 cmd_used_len(struct scsi_req *sr, u32 sense)
{
	u32 written = SCSI_RESP_HEAD + sense;

	if (!sr->moved_in || sr->resp.len < sr->resp_len ||
	    sr->moved_pi < sr->task.pi_in_len)
		return written;
	scsi_resp_write(&sr->resp, written, NULL, sr->resp_len - written);
	return sr->resp_len + sr->moved_pi + sr->moved_in;
}

void scsi_cmd_complete(struct vt_req *req)
{
	struct scsi_req *sr = scsi_req(req);
	u32 sense;

	cmd_end_task(req, sr);
	scsi_pi_complete(req);
	sense = cmd_write_resp(sr);
	req->used_len = cmd_used_len(sr, sense);
	if (unlikely(sr->aborting))
		scsi_tmf_task_ended(scsi_session(req->q), sr);
}

void scsi_cmd_abandon(struct vt_req *req)
{
	scsi_pi_free(req);
	scsi_resp_free(&scsi_req(req)->resp);
}
