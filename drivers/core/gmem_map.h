/* SPDX-License-Identifier: GPL-2.0 */
/* Steps of a mapping: what vt_gmem_map() and providers' own ways have in common. */
#ifndef _VT_GMEM_MAP_H
#define _VT_GMEM_MAP_H

#include <vhost_target/gmem.h>

/**
 * vt_map_begin - a mapping without pages
 * @gm: memory, whose owner is charged
 * @addr: address, of whatever kind
 * @len: bytes
 * @write: the device writes there
 * @map: result; vt_map_end() follows
 *
 * Returns: 0; -EFAULT: no such range; -ENOMEM; -EDQUOT: RLIMIT_MEMLOCK.
 */
int vt_map_begin(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		 struct vt_map *map);

/**
 * vt_map_end - all pages are there, or an error is
 * @map: mapping; undone if it comes to nothing
 * @addr: as it was
 * @err: 0 or an error
 *
 * Returns: 0, @err or -ENOMEM.
 */
int vt_map_end(struct vt_map *map, u64 addr, int err);

#endif
