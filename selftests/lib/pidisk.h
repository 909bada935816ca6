/* SPDX-License-Identifier: GPL-2.0 */
/* scsi_debug's disk with protection information, or its first partition. */
#ifndef VT_PIDISK_H
#define VT_PIDISK_H

#include "disk.h"

/* As on the medium: big-endian. */
struct pi_tuple {
	u16 guard;
	u16 app;
	u32 ref;
};

/*
 * 512 bytes a block, @type 1 or 3. 0, -EOPNOTSUPP: this kernel has no
 * scsi_debug, -ENODEV. Not to be destroyed, but unloaded.
 */
int pidisk_load(struct disk *d, u32 type, bool part);
void pidisk_unload(void);

/* The guard of @len bytes. */
u16 pidisk_crc(const u8 *p, unsigned int len);

#endif
