/* SPDX-License-Identifier: GPL-2.0 */
/* A network block device whose server is here, and may stop reading. */
#ifndef VT_NBD_H
#define VT_NBD_H

#include <pthread.h>

#include "disk.h"

struct nbd {
	int dev;
	int sock[2];		/* the driver's, the server's */
	bool stalled;
	pthread_t client;
	pthread_t server;
	bool up;
};

/* Of @size_mb, which reads as zeros; 0, -ENODEV (there is no nbd) or -errno. */
int nbd_create(struct nbd *n, struct disk *d, unsigned int size_mb);
/* The server reads no more: whoever sends to it waits. Or it does again. */
void nbd_stall(struct nbd *n, bool stall);
void nbd_destroy(struct nbd *n);

#endif
