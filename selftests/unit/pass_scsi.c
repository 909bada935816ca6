// SPDX-License-Identifier: GPL-2.0
#include <linux/virtio_scsi.h>

#include "pass_virtio.h"

#define PENDING		0xff
#define READ_10		0x28
#define UNIT_ATTENTION	6

static void put(void *req, void *resp, unsigned int slot)
{
	/* 4 KiB are eight blocks. */
	*(struct virtio_scsi_cmd_req *)req = (struct virtio_scsi_cmd_req) {
		.lun = { 1, 0, 0x40 },
		.tag = cpu_to_le64(slot),
		.cdb = { READ_10, 0, 0, 0, slot / 32, slot * 8, 0, 0, 8 },
	};
	((struct virtio_scsi_cmd_resp *)resp)->response = PENDING;
}

static bool ended(const void *resp)
{
	const struct virtio_scsi_cmd_resp *r = resp;

	/* The first one is told that the unit was powered on. */
	return r->response == VIRTIO_SCSI_S_OK &&
	       (!r->status || (r->sense[2] & 15) == UNIT_ATTENTION);
}

const struct pass_virtio pass_virtio = {
	.queue = 2,
	.req = sizeof(struct virtio_scsi_cmd_req),
	.resp = sizeof(struct virtio_scsi_cmd_resp),
	.data_last = true,
	.put = put,
	.ended = ended,
};
