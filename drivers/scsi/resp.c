// SPDX-License-Identifier: GPL-2.0
/*
 * Responses. Where one goes is looked up when its request is parsed, so that
 * it can be written whenever the request ends. A driver may cut it into
 * descriptors as it likes: nearly all are one piece.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "scsi.h"

/* The next piece of it: at most @len bytes of a descriptor. */
static int resp_add(struct vt_vq *vq, u64 addr, u32 len, unsigned int *nr,
		    struct scsi_resp *r, u32 max)
{
	struct scsi_piece *more;
	unsigned int off;
	struct page *page;
	int n;

	n = vt_queue_lookup(&vq->q, addr, len, true, &page, &off);
	if (n < 0)
		return n == -EFAULT ? -EPROTO : n;
	if (*nr == SCSI_RESP_PIECES && r->piece == r->few) {
		more = kmalloc_array(max, sizeof(*more),
				     GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);
		if (!more)
			return -ENOBUFS;
		memcpy(more, r->few, sizeof(r->few));
		r->piece = more;
	}
	r->piece[(*nr)++] = (struct scsi_piece) {
		.addr = page_address(page) + off,
		.len = n,
	};
	r->len += n;
	return n;
}

/* Pieces that it can be in: one for each page of each descriptor. */
static u32 resp_max_pieces(const struct vt_seg *seg, u64 skip, u32 len)
{
	u32 nr = 0, n;

	for (; len; seg++) {
		n = min_t(u64, len, seg->len - skip);
		nr += DIV_ROUND_UP(offset_in_page(seg->addr + skip) + (u64)n,
				   PAGE_SIZE);
		len -= n;
		skip = 0;
	}
	return nr;
}

int scsi_resp_map_at(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		     u32 len, struct scsi_resp *r)
{
	const struct vt_seg *seg = c->seg + c->nr_out;
	unsigned int nr = 0;
	u32 at, max;
	int n;

	len = min_t(u64, len, c->in_len - skip);
	r->len = 0;
	r->piece = r->few;
	for (; len && skip >= seg->len; seg++)
		skip -= seg->len;
	at = skip;
	max = resp_max_pieces(seg, skip, len);
	while (r->len < len) {
		if (at == seg->len) {
			seg++;
			at = 0;
		}
		n = resp_add(vq, seg->addr + at,
			     min(len - r->len, seg->len - at), &nr, r, max);
		if (n < 0) {
			scsi_resp_free(r);
			return n;
		}
		at += n;
	}
	return 0;
}

int scsi_resp_map(struct vt_vq *vq, const struct vt_chain *c, u32 len,
		  struct scsi_resp *r)
{
	const struct vt_seg *seg = c->seg + c->nr_out;
	unsigned int off;
	struct page *page;

	if (unlikely(len > seg->len) ||
	    unlikely(vt_queue_lookup(&vq->q, seg->addr, len, true, &page,
				     &off) != (int)len))
		return scsi_resp_map_at(vq, c, 0, len, r);
	r->few[0].addr = page_address(page) + off;
	r->few[0].len = len;
	r->piece = r->few;
	r->len = len;
	return 0;
}

void scsi_resp_write(struct scsi_resp *r, u32 off, const void *buf, u32 len)
{
	const struct scsi_piece *p = r->piece;
	u32 n;

	if (likely(off + len <= p->len)) {
		if (buf)
			memcpy(p->addr + off, buf, len);
		else
			memset(p->addr + off, 0, len);
		return;
	}
	for (; len; p++) {
		if (off >= p->len) {
			off -= p->len;
			continue;
		}
		n = min(len, p->len - off);
		if (buf) {
			memcpy(p->addr + off, buf, n);
			buf += n;
		} else {
			memset(p->addr + off, 0, n);
		}
		len -= n;
		off = 0;
	}
}

void scsi_resp_free(struct scsi_resp *r)
{
	if (unlikely(r->piece != r->few))
		kfree(r->piece);
	r->piece = r->few;
}
