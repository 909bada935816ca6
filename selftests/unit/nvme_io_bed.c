// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include <linux/slab.h>

#include "nvme_io_bed.h"
#include "shim/pi.h"

struct page *nv_sink = (struct page *)0x51;

static struct iob *to_iob(struct vt_queue *q)
{
	return container_of(q, struct iob, q);
}

struct iob *iob_new(void)
{
	struct iob *b = aligned_alloc(64, (sizeof(*b) + 63) & ~63UL);

	memset(b, 0, sizeof(*b));
	b->b = nb_new();
	nb_set(b->b, 1, true);
	b->q.st = &b->st;
	b->r.req.q = &b->q;
	b->map_at = ~0u;
	return b;
}

void iob_free(struct iob *b)
{
	nb_free(b->b);
	free(b);
}

struct nv_sqe *iob_cmd(struct iob *b, u8 opcode, u32 nsid)
{
	struct nv_sqe *sqe = &b->r.cmd.sqe;

	memset(&b->r.cmd, 0xa5, sizeof(b->r.cmd));
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->nsid = cpu_to_le32(nsid);
	sqe->prp1 = cpu_to_le64(NB_ADDR(0));
	sqe->prp2 = cpu_to_le64(NB_ADDR(1));
	return sqe;
}

struct nv_sqe *iob_rw(struct iob *b, u8 opcode, u32 nsid, u64 lba, u32 nlb)
{
	struct nv_sqe *sqe = iob_cmd(b, opcode, nsid);

	sqe->cdw10 = cpu_to_le32(lba);
	sqe->cdw11 = cpu_to_le32(lba >> 32);
	sqe->cdw12 = cpu_to_le32(nlb - 1);
	return sqe;
}

/* What was left behind is garbage. */
int iob_parse(struct iob *b)
{
	struct vt_req *req = &b->r.req;

	memset(&req->io, 0xa5, sizeof(req->io));
	vt_req_reset(req);
	req->io.bv = b->bv;
	b->nr_maps = 0;
	b->released = 0;
	return nv_io_parse(&b->b->c, req);
}

/* The core's part. */

int vt_queue_read(struct vt_queue *q, u64 addr, void *buf, u32 len)
{
	return nv_mem_copy(&to_iob(q)->b->c, addr, buf, len, false);
}

/* A piece ends with its page, as where the host's pages are anywhere. */
int vt_queue_lookup(struct vt_queue *q, u64 addr, u32 len, bool write,
		    struct page **page, unsigned int *off)
{
	struct iob *b = to_iob(q);

	if (b->look_err)
		return b->look_err;
	EXPECT(write);
	if (addr < NB_MEM || addr >= NB_ADDR(NB_PAGES))
		return -EFAULT;
	*off = addr % NV_PAGE_SIZE;
	*page = (struct page *)nb_page(b->b, (addr - NB_MEM) / NV_PAGE_SIZE);
	return min(len, NV_PAGE_SIZE - *off);
}

struct vt_pi *vt_pi_alloc(const struct vt_backend *be, u64 sector, u32 bytes,
			  gfp_t gfp)
{
	return shim_pi_alloc(be, sector, bytes, gfp);
}

void vt_pi_free(struct vt_pi *pi)
{
	free(pi);
}

static int iob_map(struct vt_req *req, u64 addr, u32 len)
{
	struct iob *b = to_iob(req->q);

	if (b->nr_maps++ >= b->map_at)
		return b->map_err;
	if (!EXPECT(req->io.nr_bv < NV_SGL_MAX))
		return -E2BIG;
	req->io.bv[req->io.nr_bv++] = (struct bio_vec) {
		.bv_page = (struct page *)addr, .bv_len = len,
	};
	req->io.bytes += len;
	return 0;
}

int vt_req_map_addr(struct vt_req *req, u64 addr, u32 len, bool write)
{
	to_iob(req->q)->write = write;
	return iob_map(req, addr, len);
}

int vt_req_map_page(struct vt_req *req, struct page *page, u32 len)
{
	EXPECT(page == nv_sink);
	EXPECT(len <= NV_PAGE_SIZE);
	return iob_map(req, (u64)page, len);
}

void vt_req_release(struct vt_req *req)
{
	to_iob(req->q)->released++;
}
