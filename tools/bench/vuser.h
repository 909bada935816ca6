/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front end of vhost-user (QEMU's docs/interop/vhost-user.rst), as much of
 * it as a virtio-blk driver without a guest wants.
 */
#ifndef VT_BENCH_VUSER_H
#define VT_BENCH_VUSER_H

#include "vblk.h"

/*
 * As vblk_open(); o->target is the path of the socket. vblk_close() closes it.
 * Guest memory has to be a memfd in one piece.
 */
int vuser_open(struct vblk *d, const struct vblk_opts *o);

#endif
