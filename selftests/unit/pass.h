/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a pass costs on this machine's own processor: the poller's part of a 4 KiB
 * read, by the kernel's sources, with the driver on another CPU, so that what
 * the driver has written is in the caches of that. No block layer: the backend
 * ends each request at once.
 *
 * pass_TYPE [--rounds N] [--batch N]
 *
 * prints time stamp counts for a request, for each of the ways in which a driver may
 * put it: the median of the rounds, and their middle half.
 */
#ifndef UNIT_PASS_H
#define UNIT_PASS_H

#include <linux/vhost_target.h>
#include <vhost_target/pi.h>
#include <vhost_target/vdev.h>

#define PASS_MEM	0x100000000ULL
#define PASS_MEM_LEN	(64u << 20)

/* Entries of a queue; as far apart as a driver's allocator lays things out. */
#define PASS_RING	256

/* Data of the driver's requests. */
#define PASS_DATA	(PASS_MEM + 0x400000)
#define PASS_DATA_STEP	4096

/**
 * struct pass_way - how a driver puts requests
 * @name: what it is called
 * @put: make @n more available; those before have ended
 */
struct pass_way {
	const char *name;
	void (*put)(unsigned int n);
};

/* All of them, the last without a name. */
extern const struct pass_way pass_ways[];

/* Make a device of the target, and start the queue. */
void pass_device(void);

/* The module's, if it is asked for. */
extern struct vt_target pass_target;
extern struct vt_gmem pass_gmem;
extern u8 *pass_mem;

static inline void *pass_at(u64 addr)
{
	return pass_mem + (addr - PASS_MEM);
}

void pass_die(const char *what);

#endif
