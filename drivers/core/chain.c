// SPDX-License-Identifier: GPL-2.0
/* The buffers of a virtqueue's chain, as a device type reads and maps them. */
#include <linux/mm.h>
#include <linux/module.h>

#include <vhost_target/vdev.h>

/* The next piece of @len bytes, @skip bytes into segments: its bytes. */
static u32 next_piece(const struct vt_seg **seg, u64 *skip, u32 len, u64 *addr)
{
	u32 n;

	while (*skip >= (*seg)->len)
		*skip -= (*seg)++->len;
	n = min_t(u64, len, (*seg)->len - *skip);
	*addr = (*seg)->addr + *skip;
	*skip += n;
	return n;
}

int vt_req_map(struct vt_req *req, const struct vt_chain *c, bool write,
	       u64 skip, u32 len)
{
	const struct vt_seg *seg = write ? c->seg + c->nr_out : c->seg;
	u64 addr;
	u32 n;
	int err;

	/* Nearly all data is one piece; of none there may be no segment. */
	if (len && likely(skip + len <= seg->len)) {
		err = vt_req_map_addr(req, seg->addr + skip, len, write);
		if (unlikely(err))
			vt_req_release(req);
		return err;
	}
	for (; len; len -= n) {
		n = next_piece(&seg, &skip, len, &addr);
		err = vt_req_map_addr(req, addr, n, write);
		if (err) {
			vt_req_release(req);
			return err;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vt_req_map);

int vt_chain_read(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		  void *buf, u32 len)
{
	const struct vt_seg *seg = c->seg;
	u64 addr;
	u32 n;
	int err;

	/* Nearly all headers are one piece. */
	if (likely(skip + len <= seg->len))
		return vt_queue_read(&vq->q, seg->addr + skip, buf, len);
	for (; len; len -= n, buf += n) {
		n = next_piece(&seg, &skip, len, &addr);
		err = vt_queue_read(&vq->q, addr, buf, n);
		if (err)
			return err;
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
