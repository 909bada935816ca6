// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "bed.h"

unsigned int bed_nr_wakes;

struct bed *bed_make(void)
{
	struct bed *b = aligned_alloc(64, (sizeof(*b) + 63) & ~63UL);

	memset(b, 0, sizeof(*b));
	b->mem = calloc(1, BED_MEM_LEN);
	b->be.limits = (struct vt_limits) {
		.sectors = BED_SECTORS,
		.block_size = 512,
		.physical_block_size = 4096,
		.io_min = 4096,
		.io_opt = 65536,
		.max_discard_sectors = BED_MAX_DISCARD,
		.discard_alignment = 8,
		.max_write_zeroes_sectors = BED_MAX_ZEROES,
		.max_secure_erase_sectors = BED_MAX_ERASE,
		.secure_erase_alignment = 16,
		.write_cache = true,
	};
	b->unit.be = &b->be;
	strcpy(b->unit.serial, "disk0");
	b->target.units.entry = &b->unit;
	b->target.num_queues = 4;
	b->vdev.s.target = &b->target;
	b->vq.vdev = &b->vdev;
	b->vq.q.st = &b->st;
	b->req.q = &b->vq.q;
	bed_reset(b);
	return b;
}

void bed_free(struct bed *b)
{
	free(b->mem);
	free(b);
}

void bed_reset(struct bed *b)
{
	memset(&b->chain, 0, sizeof(b->chain));
	memset(b->mem, 0, b->used);
	b->used = 0;
}

u8 *bed_ptr(struct bed *b, u64 addr)
{
	return b->mem + (addr - BED_MEM);
}

void bed_add(struct bed *b, u64 addr, u32 len, bool write)
{
	struct vt_chain *c = &b->chain;

	if (!len)
		return;
	c->seg[c->nr_out + c->nr_in] = (struct vt_seg) { addr, len };
	*(write ? &c->nr_in : &c->nr_out) += 1;
	*(write ? &c->in_len : &c->out_len) += len;
}

u64 bed_alloc(struct bed *b, u32 len)
{
	u64 at = b->used;

	if (!EXPECT(at + len <= BED_MEM_LEN))
		abort();
	b->used += len;
	return BED_MEM + at;
}

u64 bed_out(struct bed *b, const void *data, u32 len)
{
	u64 addr = bed_alloc(b, len);

	memcpy(bed_ptr(b, addr), data, len);
	bed_add(b, addr, len, false);
	return addr;
}

u64 bed_in(struct bed *b, u32 len)
{
	u64 addr = bed_alloc(b, len);

	memset(bed_ptr(b, addr), 0xee, len);
	bed_add(b, addr, len, true);
	return addr;
}

void bed_nowhere(struct bed *b, bool write, u32 len)
{
	bed_add(b, 0x1000, len, write);
}

void bed_cut(struct bed *b, u32 n)
{
	struct vt_chain old = b->chain;
	unsigned int i;
	u32 done, len;

	memset(&b->chain, 0, sizeof(b->chain));
	for (i = 0; i < old.nr_out + old.nr_in; i++)
		for (done = 0; done < old.seg[i].len; done += len) {
			len = min(n, old.seg[i].len - done);
			bed_add(b, old.seg[i].addr + done, len,
				i >= old.nr_out);
		}
}

/* The core's part. */

static int bed_touch(struct bed *b, u64 addr, u32 len)
{
	if (b->hole >= addr && b->hole - addr < len)
		return b->hole_err;
	if (addr < BED_MEM || addr - BED_MEM > BED_MEM_LEN - len)
		return -EFAULT;
	return 0;
}

/* @len bytes @skip bytes into buffers, piece by piece. */
static int bed_walk(struct bed *b, const struct vt_seg *seg, unsigned int nr,
		    u64 skip, u32 len,
		    void (*fn)(struct bed *b, u8 *p, u32 n, void *arg),
		    void *arg)
{
	u32 n;
	int err;

	for (; len && nr; seg++, nr--) {
		if (skip >= seg->len) {
			skip -= seg->len;
			continue;
		}
		n = min_t(u64, len, seg->len - skip);
		err = bed_touch(b, seg->addr + skip, n);
		if (err)
			return err;
		fn(b, bed_ptr(b, seg->addr + skip), n, arg);
		len -= n;
		skip = 0;
	}
	/* More was asked for than the chain has. */
	EXPECT_EQ(0, len);
	return 0;
}

static void map_piece(struct bed *b, u8 *p, u32 n, void *arg)
{
	struct vt_io *io = arg;

	(void)b;
	io->bv[io->nr_bv++] = (struct bio_vec) {
		.bv_page = (struct page *)p, .bv_len = n,
	};
	io->bytes += n;
}

int vt_req_map(struct vt_req *req, const struct vt_chain *c, bool write,
	       u64 skip, u32 len)
{
	struct bed *b = container_of(req, struct bed, req);

	b->nr_maps++;
	if (b->map_err)
		return b->map_err;
	return bed_walk(b, write ? c->seg + c->nr_out : c->seg,
			write ? c->nr_in : c->nr_out, skip, len, map_piece,
			&req->io);
}

static void read_piece(struct bed *b, u8 *p, u32 n, void *arg)
{
	u8 **to = arg;

	memcpy(*to, p, n);
	*to += n;
	if (b->change)
		memset(p, 0xff, n);
}

int vt_chain_read(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		  void *buf, u32 len)
{
	struct bed *b = container_of(vq, struct bed, vq);

	b->nr_reads++;
	return bed_walk(b, c->seg, c->nr_out, skip, len, read_piece, &buf);
}

static void byte_piece(struct bed *b, u8 *p, u32 n, void *arg)
{
	(void)b;
	EXPECT_EQ(1, n);
	*(u8 **)arg = p;
}

int vt_chain_in_byte(struct vt_vq *vq, const struct vt_chain *c, u64 skip,
		     u8 **byte)
{
	struct bed *b = container_of(vq, struct bed, vq);

	return bed_walk(b, c->seg + c->nr_out, c->nr_in, skip, 1, byte_piece,
			byte);
}

/* The real ones (see the Makefile), which leave out what there is no room for. */
void __real_vt_req_copy_in(struct vt_req *req, u32 off, const void *buf,
			   u32 len);
void __wrap_vt_req_copy_in(struct vt_req *req, u32 off, const void *buf,
			   u32 len);
void __real_vt_req_copy_out(struct vt_req *req, u32 off, void *buf, u32 len);
void __wrap_vt_req_copy_out(struct vt_req *req, u32 off, void *buf, u32 len);

void __wrap_vt_req_copy_in(struct vt_req *req, u32 off, const void *buf,
			   u32 len)
{
	EXPECT((u64)off + len <= req->io.bytes);
	__real_vt_req_copy_in(req, off, buf, len);
}

void __wrap_vt_req_copy_out(struct vt_req *req, u32 off, void *buf, u32 len)
{
	EXPECT((u64)off + len <= req->io.bytes);
	__real_vt_req_copy_out(req, off, buf, len);
}

/* No two pages are neighbours. */
int vt_queue_lookup(struct vt_queue *q, u64 addr, u32 len, bool write,
		    struct page **page, unsigned int *off)
{
	struct bed *b = container_of(q, struct bed, vq.q);
	u32 n = min_t(u32, len, 4096 - (addr & 4095));
	int err = bed_touch(b, addr, n);

	EXPECT(write);
	if (err)
		return err;
	*page = (struct page *)bed_ptr(b, addr);
	*off = 0;
	return n;
}

void vt_pq_wake(struct vt_pq *pq)
{
	(void)pq;
	bed_nr_wakes++;
}
