/* SPDX-License-Identifier: GPL-2.0 */
/* Between backend.c and resv_store.c only. */
#ifndef _VT_CORE_RESV_STORE_H
#define _VT_CORE_RESV_STORE_H

struct vt_backend;

/**
 * vt_resv_store_open - let a backend's reservations persist, and restore them
 * @be: open, its reservations just made
 *
 * Without a place to keep them, nothing can be made to persist; that is no
 * error.
 *
 * Context: may sleep.
 * Returns: 0, -ENOMEM, -EBADMSG (what was kept is damaged), an error of
 * reading it.
 */
int vt_resv_store_open(struct vt_backend *be);

/* Undo it; what is kept stays. Context: may sleep. */
void vt_resv_store_close(struct vt_backend *be);

#endif
