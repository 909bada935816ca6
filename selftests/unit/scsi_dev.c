// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "scsi_dev.h"

void sd_make(struct sd_cmd *cmd, u8 lun, const u8 *cdb, u32 cdb_len,
	     const void *out, u32 out_len, u32 in_len)
{
	bool pi = vt_vdev_has(fv.vdev, VIRTIO_SCSI_F_T10_PI);
	u32 head = pi ? SCSI_REQ_PI_HEAD : SCSI_REQ_HEAD;
	u8 hdr[128] = { 1, 0, 0, lun }, none[SCSI_RESP_HEAD];

	memset(cmd, 0, sizeof(*cmd));
	memset(none, 0xff, sizeof(none));
	memcpy(hdr + head, cdb, cdb_len);
	fv_out(&cmd->c, hdr, head + fv.vdev->cdb_size);
	if (out_len)
		fv_out(&cmd->c, out, out_len);
	cmd->resp = fv_in(&cmd->c, SCSI_RESP_HEAD + fv.vdev->sense_size);
	fc_write(cmd->resp, none, sizeof(none));
	if (in_len)
		cmd->data = fv_in(&cmd->c, in_len);
}

struct virtio_scsi_cmd_resp sd_resp(const struct sd_cmd *cmd)
{
	struct virtio_scsi_cmd_resp resp;

	memset(&resp, 0, sizeof(resp));
	fc_read(cmd->resp, &resp, SCSI_RESP_HEAD + fv.vdev->sense_size);
	return resp;
}

u8 sd_do(u8 lun, const u8 *cdb, u32 cdb_len, const void *out, u32 out_len,
	 void *in, u32 in_len)
{
	struct virtio_scsi_cmd_resp resp;
	struct sd_cmd cmd;

	sd_make(&cmd, lun, cdb, cdb_len, out, out_len, in_len);
	fv_send(SD_QUEUE, &cmd.c);
	resp = sd_resp(&cmd);
	if (in_len)
		fc_read(cmd.data, in, in_len);
	MUST(resp.response == VIRTIO_SCSI_S_OK);
	return resp.status;
}

u8 sd_resv(u8 action, u8 type, u8 key, u8 new_key)
{
	u8 list[24] = { [7] = key, [15] = new_key };

	return SD_DO(0, list, sizeof(list), NULL, 0, 0x5f, action, type, 0, 0,
		     0, 0, 0, sizeof(list), 0);
}

u8 sd_tmf(u32 subtype)
{
	struct virtio_scsi_ctrl_tmf_req r = {
		.subtype = cpu_to_le32(subtype), .lun = { 1 },
	};
	struct fv_chain c = { .nr = 0 };
	u8 response = 0xff;
	u64 at;

	fv_out(&c, &r, sizeof(r));
	at = fv_in(&c, 1);
	fc_write(at, &response, 1);
	fv_send(SCSI_VQ_CONTROL, &c);
	fc_read(at, &response, 1);
	return response;
}
