/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of a virtio-scsi driver on the machine of fuzz_virtio.h. */
#ifndef UNIT_SCSI_DEV_H
#define UNIT_SCSI_DEV_H

#include "../../drivers/scsi/lu/cmd.h"
#include "../../drivers/scsi/scsi.h"

#include "fuzz_virtio.h"

/* The first request queue; there is one more. */
#define SD_QUEUE	2

/**
 * struct sd_cmd - a command
 * @c: its chain
 * @resp: where its response goes
 * @data: where data-in goes
 */
struct sd_cmd {
	struct fv_chain c;
	u64 resp;
	u64 data;
};

/* Make one for a LUN below 256. */
void sd_make(struct sd_cmd *cmd, u8 lun, const u8 *cdb, u32 cdb_len,
	     const void *out, u32 out_len, u32 in_len);
/* Its response, of which nothing was there before. */
struct virtio_scsi_cmd_resp sd_resp(const struct sd_cmd *cmd);
/* All of it. Returns: the SCSI status. */
u8 sd_do(u8 lun, const u8 *cdb, u32 cdb_len, const void *out, u32 out_len,
	 void *in, u32 in_len);

#define SD_DO(lun, out, out_len, in, in_len, ...)			\
	sd_do(lun, (const u8[]){ __VA_ARGS__ },				\
	      sizeof((u8[]){ __VA_ARGS__ }), out, out_len, in, in_len)

/* PERSISTENT RESERVE OUT with these keys. Returns: the SCSI status. */
u8 sd_resv(u8 action, u8 type, u8 key, u8 new_key);
/* A task management function on LUN 0. Returns: the response. */
u8 sd_tmf(u32 subtype);

#endif
