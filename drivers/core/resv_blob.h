/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reservations on storage: a file of two slots, written in turn, so that the
 * one written last is whole whatever happens to the write of the other.
 */
#ifndef _VT_CORE_RESV_BLOB_H
#define _VT_CORE_RESV_BLOB_H

#include <vhost_target/resv.h>

#define VT_RESV_SLOT	16384

/* Longest name of what the reservations are of. */
#define VT_RESV_IDENT	4200

/**
 * vt_resv_blob_put - make the contents of a slot
 * @s: state; without @ptpl only that is kept
 * @ident: what the reservations are of, shorter than VT_RESV_IDENT
 * @seq: number of the write
 * @slot: VT_RESV_SLOT bytes
 */
void vt_resv_blob_put(const struct vt_resv_state *s, const char *ident,
		      u64 seq, u8 *slot);

/**
 * vt_resv_blob_get - take a file apart
 * @file: VT_RESV_SLOT * 2 bytes, zero beyond @len
 * @len: length of the file
 * @ident: what it should be of
 * @s: with room for VT_RESV_MAX_REGISTRANTS
 * @seq: number of the last write
 *
 * Returns: the slot @s was in; -ENODATA (there never was a state), -EBADMSG
 * (what there was is damaged, or of something else).
 */
int vt_resv_blob_get(const u8 *file, size_t len, const char *ident,
		     struct vt_resv_state *s, u64 *seq);

#endif
