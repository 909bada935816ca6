// SPDX-License-Identifier: GPL-2.0
#include <linux/virtio_blk.h>

#include "pass_virtio.h"

#define PENDING	0xff

static void put(void *req, void *resp, unsigned int slot)
{
	*(struct virtio_blk_outhdr *)req = (struct virtio_blk_outhdr) {
		.type = cpu_to_le32(VIRTIO_BLK_T_IN),
		.sector = cpu_to_le64(slot * 8),
	};
	*(u8 *)resp = PENDING;
}

static bool ended(const void *resp)
{
	return *(const u8 *)resp == VIRTIO_BLK_S_OK;
}

const struct pass_virtio pass_virtio = {
	.features = BIT_ULL(VIRTIO_BLK_F_FLUSH),
	.req = sizeof(struct virtio_blk_outhdr),
	.resp = 1,
	.put = put,
	.ended = ended,
};
