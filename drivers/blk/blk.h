/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VT_BLK_H
#define _VT_BLK_H

#include <linux/sizes.h>
#include <linux/virtio_blk.h>

#include <vhost_target/vdev.h>

/*
 * What a request may be made of. The product bounds the pieces a request can
 * need when no two pages of the guest are neighbours: see VT_BIG_BVECS.
 */
#define BLK_SEG_MAX	126
#define BLK_SIZE_MAX	65536

/*
 * A longer request is done in parts, each of which has enough pieces whatever it
 * is made of. (The unit tests have a smaller machine: they say what is long there.)
 */
#ifndef BLK_WHOLE
#define BLK_WHOLE	((u64)BLK_SEG_MAX * BLK_SIZE_MAX)
#define BLK_PART	((u64)SZ_4M)
#endif

/* The disk of a blk target. A session keeps it from being removed. */
static inline struct vt_unit *blk_unit(struct vt_target *t)
{
	return vt_target_unit(t, 0);
}

static inline struct vt_backend *blk_backend(const struct vt_vdev *vdev)
{
	return blk_unit(vdev->s.target)->be;
}

/* So a new driver finds it. */
static inline bool blk_has_cache(const struct vt_unit *u)
{
	return u->be->limits.write_cache &&
	       !(u->flags & VHOST_TARGET_UNIT_F_WRITETHROUGH);
}

static inline bool blk_is_ro(const struct vt_unit *u)
{
	return (u->flags & VHOST_TARGET_UNIT_F_RO) || u->be->limits.ro;
}

/* config.c */
u64 blk_features(struct vt_target *t);
void blk_get_config(struct vt_vdev *vdev, void *buf);
int blk_set_config(struct vt_vdev *vdev, u32 off, const void *buf, u32 len);

/* request.c */
int blk_parse(struct vt_vq *vq, const struct vt_chain *c, struct vt_req *req);
void blk_complete(struct vt_req *req);

#endif
