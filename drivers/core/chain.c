// SPDX-License-Identifier: GPL-2.0
/* The buffers of a virtqueue's chain, as a device type reads and maps them. */
#include <linux/mm.h>
#include <linux/module.h>

#include <vhost_target/vdev.h>

int vt_req_map(struct vt_req *req, const struct vt_chain *c, bool write,
	       u64 skip, u32 len)
{
	const struct vt_seg *seg = write ? c->seg + c->nr_out : c->seg;
	u32 n;
	int err;

	for (; len; seg++) {
		if (skip >= seg->len) {
			skip -= seg->len;
			continue;
		}
		n = min_t(u64, len, seg->len - skip);
		err = vt_req_map_addr(req, seg->addr + skip, n, write);
		if (err) {
			vt_req_release(req);
			return err;
		}
		len -= n;
		skip = 0;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vt_req_map);

int vt_chain_read(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		  void *buf, u32 len)
{
	const struct vt_seg *seg = c->seg;
	u32 n;
	int err;

	for (; len; seg++) {
		if (skip >= seg->len) {
			skip -= seg->len;
			continue;
		}
		n = min_t(u64, len, seg->len - skip);
		err = vt_queue_read(&vq->q, seg->addr + skip, buf, n);
		if (err)
			return err;
		buf += n;
		len -= n;
		skip = 0;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vt_chain_read);

int vt_chain_in_byte(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		     u8 **byte)
{
	const struct vt_seg *seg = c->seg + c->nr_out;
	unsigned int off;
	struct page *page;
	int n;

	for (; skip >= seg->len; seg++)
		skip -= seg->len;
	n = vt_queue_lookup(&vq->q, seg->addr + skip, 1, true, &page, &off);
	if (n < 0)
		return n;
	*byte = page_address(page) + off;
	return 0;
}
EXPORT_SYMBOL_GPL(vt_chain_in_byte);
