// SPDX-License-Identifier: GPL-2.0
/*
 * Control queue: virtio 1.2, 5.6.6.2. Parsing tells the requests apart; task
 * management functions go on in tmf.c.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "scsi.h"

/* All requests that there are: the type comes first in each. */
union control_req {
	__virtio32 type;
	struct virtio_scsi_ctrl_tmf_req tmf;
	struct virtio_scsi_ctrl_an_req an;
};

/* Ends a request at once; its response has one byte, unless it is resp.an. */
static int control_end(struct scsi_req *sr, u8 response)
{
	sr->response = response;
	return 1;
}

static u32 control_le32(__virtio32 v)
{
	return le32_to_cpu((__force __le32)v);
}

static int control_tmf(struct vt_vq *vq, struct scsi_req *sr,
		       const struct virtio_scsi_ctrl_tmf_req *r)
{
	struct scsi_session *ss = scsi_session(&vq->q);
	int lun = scsi_lun_decode(r->lun);

	if (lun < 0)
		return control_end(sr, VIRTIO_SCSI_S_BAD_TARGET);
	sr->tmf.subtype = control_le32(r->subtype);
	sr->tmf.tag = le64_to_cpu((__force __le64)r->tag);
	sr->tmf.itl = scsi_session_itl(ss, lun);
	return 2;
}

/* No event can be subscribed to: none of these is offered. */
static int control_an(struct scsi_req *sr,
		      const struct virtio_scsi_ctrl_an_req *r)
{
	sr->resp_len = sizeof(struct virtio_scsi_ctrl_an_resp);
	return control_end(sr, scsi_lun_decode(r->lun) < 0 ?
			   VIRTIO_SCSI_S_BAD_TARGET : VIRTIO_SCSI_S_OK);
}

static int control_parse_req(struct vt_vq *vq, const struct vt_chain *c,
			     struct scsi_req *sr)
{
	union control_req r = {};
	u32 len = min_t(u64, c->out_len, sizeof(r));
	int err;

	err = vt_chain_read(vq, c, 0, &r, len);
	if (err == -EFAULT || len < sizeof(r.type))
		return control_end(sr, VIRTIO_SCSI_S_FAILURE);
	if (err)
		return err;
	switch (control_le32(r.type)) {
	case VIRTIO_SCSI_T_TMF:
		if (len < sizeof(r.tmf))
			return control_end(sr, VIRTIO_SCSI_S_FAILURE);
		return control_tmf(vq, sr, &r.tmf);
	case VIRTIO_SCSI_T_AN_QUERY:
	case VIRTIO_SCSI_T_AN_SUBSCRIBE:
		if (len < sizeof(r.an))
			return control_end(sr, VIRTIO_SCSI_S_FAILURE);
		return control_an(sr, &r.an);
	default:
		return control_end(sr, VIRTIO_SCSI_S_FUNCTION_REJECTED);
	}
}

int scsi_control_parse(struct vt_vq *vq, const struct vt_chain *c,
		       struct vt_req *req)
{
	struct scsi_req *sr = scsi_req(req);
	int ret;

	/* Without room for a response the driver cannot be told. */
	if (!c->in_len)
		return -EPROTO;
	ret = scsi_resp_map(vq, c, sizeof(struct virtio_scsi_ctrl_an_resp),
			    &sr->resp);
	if (ret)
		return ret;
	sr->resp_len = sizeof(struct virtio_scsi_ctrl_tmf_resp);
	ret = control_parse_req(vq, c, sr);
	if (ret < 0)
		scsi_resp_free(&sr->resp);
	return ret;
}

/* As much of the response as there is room for; the code is its last byte. */
void scsi_control_complete(struct vt_req *req)
{
	struct scsi_req *sr = scsi_req(req);
	struct virtio_scsi_ctrl_an_resp an = { .response = sr->response };
	u32 len = min(sr->resp_len, sr->resp.len);

	if (sr->resp_len == sizeof(an))
		scsi_resp_write(&sr->resp, 0, &an, len);
	else
		scsi_resp_write(&sr->resp, 0, &sr->response, len);
	req->used_len = len;
}
