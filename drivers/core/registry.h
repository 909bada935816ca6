/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CORE_REGISTRY_H
#define _CORE_REGISTRY_H

struct vt_target;

/* registry.c */

/* Make the object of the target's door, if it has one and has not yet. */
int vt_target_open_door(struct vt_target *t);

/* Take it away; then nobody can attach. -EBUSY: somebody is. */
int vt_target_close_door(struct vt_target *t);

/* unit.c; nobody is attached. */
void vt_target_remove_units(struct vt_target *t);

#endif
