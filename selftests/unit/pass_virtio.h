/* SPDX-License-Identifier: GPL-2.0 */
/* Passes of virtio devices, of a split ring; see pass.h. */
#ifndef UNIT_PASS_VIRTIO_H
#define UNIT_PASS_VIRTIO_H

#include "pass.h"

/**
 * struct pass_virtio - a device type's requests
 * @features: negotiated, beside those of rings
 * @queue: number of the queue for requests
 * @req: bytes of a header
 * @resp: bytes of a response
 * @data_last: data comes after the response
 * @put: make a read of 4 KiB; nothing has ended it
 * @ended: has it ended well?
 */
struct pass_virtio {
	u64 features;
	unsigned int queue;
	u32 req;
	u32 resp;
	bool data_last;
	void (*put)(void *req, void *resp, unsigned int slot);
	bool (*ended)(const void *resp);
};

extern const struct pass_virtio pass_virtio;

#endif
