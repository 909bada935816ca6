/* SPDX-License-Identifier: GPL-2.0 */
/* Between vq.c, vdev.c and queue.c only. */
#ifndef _VT_CORE_VQ_H
#define _VT_CORE_VQ_H

#include <vhost_target/vdev.h>

void vt_vq_init(struct vt_vq *vq, struct vt_vdev *vdev, unsigned int index);

/* Operations of virtqueues, for queue.c, which calls these without a pointer. */
void vt_vq_expect(struct vt_queue *q, unsigned int n);
int vt_vq_fetch(struct vt_queue *q);
void vt_vq_complete(struct vt_queue *q, struct vt_req *req);
void vt_vq_show(struct vt_queue *q);
bool vt_vq_publish(struct vt_queue *q);
bool vt_vq_arm(struct vt_queue *q);
void vt_vq_disarm(struct vt_queue *q);
unsigned int vt_vq_pending(struct vt_queue *q);

#endif
