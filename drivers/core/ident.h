/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CORE_IDENT_H
#define _CORE_IDENT_H

struct vhost_target_create;
struct vhost_target_unit_add;
struct vt_target;
struct vt_unit;

/* Set the wwpn: 0 or -EINVAL. */
int vt_ident_target(struct vt_target *t, const struct vhost_target_create *p);

/* Set the serial number and what else a unit is known by: 0 or -EINVAL. */
int vt_ident_unit(struct vt_unit *u, const struct vhost_target_unit_add *p);

#endif
