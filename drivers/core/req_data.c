// SPDX-License-Identifier: GPL-2.0
/* A request that is fresh, and its data as bytes. */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <vhost_target/queue.h>

void vt_req_reset(struct vt_req *req)
{
	req->io.nr_bv = 0;
	req->io.bv = req->bv;
	req->io.bytes = 0;
	req->io.nr_ranges = 0;
	req->io.range = req->ranges;
	req->io.pi = NULL;
	req->io.flags = 0;
	req->io.status = BLK_STS_OK;
	req->big = NULL;
	req->bounce = NULL;
	req->copied = 0;
	req->part = false;
	req->late = false;
	req->addr_bits = 0;
	req->len_bits = 0;
	req->used_len = 0;
}
EXPORT_SYMBOL_GPL(vt_req_reset);

static void req_copy(struct vt_req *req, u32 off, void *buf, u32 len, bool in)
{
	const struct bio_vec *bv = req->io.bv;
	unsigned int nr = req->io.nr_bv;
	void *p;
	u32 n;

	for (; nr && len; bv++, nr--) {
		if (off >= bv->bv_len) {
			off -= bv->bv_len;
			continue;
		}
		p = page_address(bv->bv_page) + bv->bv_offset + off;
		n = min(len, bv->bv_len - off);
		if (in)
			memcpy(p, buf, n);
		else
			memcpy(buf, p, n);
		buf += n;
		len -= n;
		off = 0;
	}
}

void vt_req_copy_in(struct vt_req *req, u32 off, const void *buf, u32 len)
{
	req_copy(req, off, (void *)buf, len, true);
}
EXPORT_SYMBOL_GPL(vt_req_copy_in);

void vt_req_copy_out(struct vt_req *req, u32 off, void *buf, u32 len)
{
	req_copy(req, off, buf, len, false);
}
EXPORT_SYMBOL_GPL(vt_req_copy_out);
