/* SPDX-License-Identifier: GPL-2.0 */
/* Something to put behind a unit: a block device, a file, or nothing. */
#ifndef VT_DISK_H
#define VT_DISK_H

#include "nullb.h"

enum disk_kind {
	DISK_NULL,	/* the null backend */
	DISK_BDEV,	/* $TEST_BDEV when it fits, else null_blk */
	DISK_FILE,	/* a file in $TEST_DIR, else /tmp, else ext4 on loop */
	DISK_KINDS,
};

struct disk_opts {
	enum disk_kind kind;
	unsigned int block_size;
	unsigned int size_mb;
	u64 delay_ns;		/* DISK_BDEV: latency of a slow device */
	bool read_only;		/* DISK_BDEV: the device itself is */
	bool own;		/* DISK_BDEV: never $TEST_BDEV */
	bool empty;		/* DISK_BDEV, own: reads fill nothing */
	unsigned int depth;	/* likewise: as nullb.h has it */
	unsigned int cache_mb;
	const char *dm;		/* likewise: device mapper's target on it */
};

struct disk {
	enum disk_kind kind;
	unsigned int block_size;
	u64 capacity;		/* bytes */
	char path[256];
	struct nullb nb;
	char dm[32];		/* name of the device on it */
	bool own_file;
};

extern const char *const disk_kind_name[DISK_KINDS];

int disk_create(struct disk *d, const struct disk_opts *o);
void disk_destroy(struct disk *d);

/* A file once more, on a file system that does direct I/O for sure. */
int disk_to_ext4(struct disk *d);
void disk_sweep(void);

#endif
