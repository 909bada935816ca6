/* SPDX-License-Identifier: GPL-2.0 */
/* The VFIO door: between the devices (door_vfio.c) and their bus. */
#ifndef _VT_DOOR_VFIO_H
#define _VT_DOOR_VFIO_H

struct device;
struct door_vfio;
struct vt_target;

/**
 * door_vfio_create - make the VFIO device of a target
 * @parent: its device, being bound to a driver
 * @t: target of type nvme; stays until door_vfio_destroy()
 *
 * Returns: the VFIO device, registered, or an ERR_PTR.
 */
struct door_vfio *door_vfio_create(struct device *parent, struct vt_target *t);

/* Undo it: the VMM that has it open is asked for it, and waited for. */
void door_vfio_destroy(struct door_vfio *d);

#endif
