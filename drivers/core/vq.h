/* SPDX-License-Identifier: GPL-2.0 */
/* Between vq.c and vdev.c only. */
#ifndef _VT_CORE_VQ_H
#define _VT_CORE_VQ_H

#include <vhost_target/vdev.h>

void vt_vq_init(struct vt_vq *vq, struct vt_vdev *vdev, unsigned int index);

#endif
