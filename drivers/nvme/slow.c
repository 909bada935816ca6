// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that are more than one I/O: Compare, Verify, Copy, Dataset
 * Management, and what pi.c does not leave to the device.
 * A work item does them one step after the other; what they need of the guest
 * was mapped when they were parsed.
 */
#include <linux/blkdev.h>
#include <linux/slab.h>

#include <vhost_target/cov.h>

#include "ctrl.h"
#include "slow.h"

static void slow_io_done(struct vt_io *io)
{
	complete(&container_of(io, struct slow, io)->done);
}

static blk_status_t slow_io(struct slow *s, u8 op)
{
	s->io.be = s->req->io.be;
	s->io.done = slow_io_done;
	s->io.css = s->req->io.css;
	s->io.op = op;
	s->io.status = BLK_STS_OK;
	s->io.range = &s->range;
	reinit_completion(&s->done);
	vt_io_submit(&s->io);
	wait_for_completion(&s->done);
	return s->io.status;
}

blk_status_t slow_rw(struct slow *s, u8 op, u64 lba, u32 bytes, u8 flags)
{
	unsigned int i;
	u32 left = bytes;

	for (i = 0; left; i++) {
		bvec_set_page(&s->bv[i], s->bv[i].bv_page,
			      min_t(u32, left, PAGE_SIZE), 0);
		left -= s->bv[i].bv_len;
	}
	s->io.bv = s->bv;
	s->io.nr_bv = i;
	s->io.bytes = bytes;
	s->io.nr_ranges = 0;
	s->io.flags = flags;
	s->io.sector = nv_lba_sector(s->cmd->unit, lba);
	s->cmd->reading = op == VT_OP_READ;
	return slow_io(s, op);
}

static blk_status_t slow_range(struct slow *s, u8 op, u64 lba, u32 nlb,
			       u32 flags)
{
	s->range = (struct vt_range) {
		.sector = nv_lba_sector(s->cmd->unit, lba),
		.nr_sectors = nv_lba_sector(s->cmd->unit, nlb),
		.flags = flags,
	};
	s->io.nr_bv = 0;
	s->io.bytes = 0;
	s->io.flags = 0;
	s->io.nr_ranges = 1;
	return slow_io(s, op);
}

bool slow_same(struct slow *s, u32 off, u32 len)
{
	u8 part[256];
	u32 at, n;

	for (at = 0; at < len; at += n) {
		n = min_t(u32, len - at, sizeof(part));
		vt_req_copy_out(s->req, off + at, part, n);
		if (memcmp(part, page_address(s->bv[at / PAGE_SIZE].bv_page) +
			   at % PAGE_SIZE, n))
			return false;
		cond_resched();
	}
	return true;
}

static blk_status_t slow_compare(struct slow *s)
{
	struct nv_cmd *cmd = s->cmd;
	u32 bytes = cmd->nlb * slow_block_size(s);
	blk_status_t st;

	if (s->pi)
		return slow_pi_compare(s);
	st = slow_rw(s, VT_OP_READ, cmd->lba, bytes, 0);
	if (!st && !slow_same(s, 0, bytes))
		cmd->status = NV_SC_COMPARE | NV_SC_DNR;
	return st;
}

/* The Write of a fused pair, with the data it was mapped with. */
static blk_status_t slow_second(struct slow *s)
{
	struct vt_req *second = s->cmd->second;
	const struct vt_io *io = &second->io;
	blk_status_t st;

	if (nv_req_cmd(second)->slow)
		return slow_pi_write(s, second);
	s->io.pi = io->pi;
	s->io.bv = io->bv;
	s->io.nr_bv = io->nr_bv;
	s->io.bytes = io->bytes;
	s->io.nr_ranges = 0;
	s->io.flags = io->flags | VT_IO_RMW;
	s->io.sector = io->sector;
	st = slow_io(s, VT_OP_WRITE);
	s->io.pi = NULL;
	return st;
}

/* No other write to these blocks comes in between, of whatever VM. */
static blk_status_t slow_compare_write(struct slow *s)
{
	struct vt_backend *be = s->cmd->unit->be;
	struct nv_cmd *second = nv_req_cmd(s->cmd->second);
	blk_status_t st;

	vt_rmw_begin(be, nv_lba_sector(s->cmd->unit, s->cmd->lba),
		     nv_lba_sector(s->cmd->unit, s->cmd->nlb));
	st = slow_compare(s);
	if (!st && !s->cmd->status) {
		s->cmd->second->io.status = slow_second(s);
	} else {
		second->status = NV_SC_FUSED_FAIL | NV_SC_DNR;
		s->cmd->second->io.status = BLK_STS_IOERR;
	}
	vt_rmw_end(be);
	return st;
}

static blk_status_t slow_verify(struct slow *s)
{
	u32 most = NV_MAX_DATA / slow_block_size(s), n;
	blk_status_t st = BLK_STS_OK;
	u64 lba = s->cmd->lba;
	u32 left = s->cmd->nlb;

	if (s->pi)
		return slow_pi_verify(s);
	for (; left && !st; left -= n, lba += n) {
		n = min(left, most);
		st = slow_go_on(s) ?:
		     slow_rw(s, VT_OP_READ, lba, n * slow_block_size(s), 0);
	}
	return st;
}

/* Sectors of a bio. */
#define BIO_SECTORS	((u32)(U32_MAX >> SECTOR_SHIFT))

/*
 * Blocks that are discarded at once, of @left from @lba on: no more than the
 * backend does, up to where no part of its granules is left over.
 */
static u32 discard_piece(const struct vt_limits *l, u64 lba, u32 left)
{
	unsigned int shift = ilog2(l->block_size) - SECTOR_SHIFT;
	u32 most = min(l->max_discard_sectors, BIO_SECTORS) >> shift, rest;

	most = max(most, 1u);
	if (left <= most)
		return left;
	div_u64_rem(lba + most, max(l->discard_alignment >> shift, 1u), &rest);
	return rest < most ? most - rest : most;
}

static blk_status_t slow_discard(struct slow *s, const struct nv_dsm_range *d)
{
	const struct vt_unit *u = s->cmd->unit;
	u64 lba = le64_to_cpu(d->slba);
	blk_status_t st = BLK_STS_OK;
	u32 left = le32_to_cpu(d->nlb), n;

	if ((u->flags & VHOST_TARGET_UNIT_F_NO_DISCARD) ||
	    !u->be->limits.max_discard_sectors)
		return BLK_STS_OK;
	for (; left && !st; left -= n, lba += n) {
		n = discard_piece(&u->be->limits, lba, left);
		st = slow_go_on(s) ?:
		     slow_range(s, VT_OP_DISCARD, lba, n, 0);
	}
	return st;
}

static bool slow_dsm_ok(const struct slow *s, const struct nv_dsm_range *d)
{
	return nv_lba_ok(s->cmd->unit, le64_to_cpu(d->slba),
			 le32_to_cpu(d->nlb));
}

static blk_status_t slow_dsm(struct slow *s)
{
	struct nv_dsm_range *d = page_address(s->bv[0].bv_page);
	u32 nr = s->cmd->nlb, i;
	blk_status_t st = BLK_STS_OK;

	BUILD_BUG_ON(NV_DSM_MAX_RANGES * sizeof(*d) > PAGE_SIZE);
	vt_req_copy_out(s->req, 0, d, nr * sizeof(*d));
	for (i = 0; i < nr; i++) {
		if (slow_dsm_ok(s, &d[i]))
			continue;
		s->cmd->status = NV_SC_LBA_RANGE | NV_SC_DNR;
		return BLK_STS_IOERR;
	}
	if (!(le32_to_cpu(s->cmd->sqe.cdw11) & NV_DSM_DEALLOCATE))
		return BLK_STS_OK;
	for (i = 0; i < nr && !st; i++)
		st = slow_discard(s, &d[i]);
	return st;
}

static u32 slow_step_bytes(const struct nv_cmd *cmd, u32 nlb)
{
	u32 bs = cmd->unit->be->limits.block_size;

	if (nv_ns_pi(cmd->unit))
		return min(nlb, SLOW_PI_STEP) * bs;
	return min_t(u64, (u64)nlb * bs, NV_MAX_DATA);
}

/* How long the ranges of a Copy are is not known before the work item. */
u32 nv_slow_bytes(const struct vt_req *req)
{
	const struct nv_cmd *cmd = nv_req_cmd((struct vt_req *)req);

	switch (cmd->sqe.opcode) {
	case NV_CMD_COMPARE:
	case NV_CMD_VERIFY:
		return slow_step_bytes(cmd, cmd->nlb);
	case NV_CMD_COPY:
		return slow_step_bytes(cmd, U32_MAX);
	case NV_CMD_DSM:
		return PAGE_SIZE;
	default:
		return slow_pi_has(req) ? slow_step_bytes(cmd, cmd->nlb) : 0;
	}
}

/* Out of memory the guest waits; it does not get an error. */
#define SLOW_GFP	(GFP_NOIO | __GFP_NOFAIL)

/*
 * The buffer; at most what nv_slow_bytes() says. Zeroed: not every device fills
 * what it says it has read.
 */
static void slow_get_pages(struct slow *s, u32 bytes)
{
	unsigned int nr = DIV_ROUND_UP(bytes, PAGE_SIZE);

	for (; s->nr < nr; s->nr++)
		s->bv[s->nr].bv_page = alloc_page(SLOW_GFP | __GFP_ZERO);
	if (slow_pi_has(s->req))
		s->pi = vt_pi_alloc(s->cmd->unit->be, 0, bytes, SLOW_GFP);
}

/* All of it is checked before any of it is done. 0 or a status. */
static u16 slow_copy_check(const struct slow *s, const struct nv_copy_range *r)
{
	const struct vt_unit *u = s->cmd->unit;
	u32 bs = slow_block_size(s), i;
	u64 total = 0;

	for (i = 0; i < s->cmd->nlb; i++) {
		if (!nv_lba_ok(u, le64_to_cpu(r[i].slba), slow_copy_nlb(&r[i])))
			return NV_SC_LBA_RANGE;
		if (slow_copy_nlb(&r[i]) > NV_MAX_DATA / bs)
			return NV_SC_SIZE_LIMIT;
		total += slow_copy_nlb(&r[i]);
	}
	if (total > NV_COPY_TOTAL / bs)
		return NV_SC_SIZE_LIMIT;
	return nv_lba_ok(u, s->cmd->lba, total) ? 0 : NV_SC_LBA_RANGE;
}

static blk_status_t slow_copy_range(struct slow *s,
				    const struct nv_copy_range *r, u64 to)
{
	u32 bytes = slow_copy_nlb(r) * slow_block_size(s);
	blk_status_t st;

	if (s->pi)
		return slow_pi_copy(s, r, to);
	st = slow_go_on(s) ?:
	     slow_rw(s, VT_OP_READ, le64_to_cpu(r->slba), bytes, 0);
	return st ?: slow_rw(s, VT_OP_WRITE, to, bytes,
			     s->cmd->fua ? VT_IO_FUA : 0);
}

static blk_status_t slow_copy_ranges(struct slow *s,
				     const struct nv_copy_range *r)
{
	u32 i;
	blk_status_t st = BLK_STS_OK;
	u64 to = s->cmd->lba;

	for (i = 0; i < s->cmd->nlb && !st; i++) {
		st = slow_copy_range(s, &r[i], to);
		to += slow_copy_nlb(&r[i]);
		/* On an error: the first range that was not copied. */
		if (st)
			s->cmd->dw0 = i;
	}
	return st;
}

/* One buffer does for all ranges. */
static void slow_copy_pages(struct slow *s, const struct nv_copy_range *r)
{
	u32 most = 0, i;

	for (i = 0; i < s->cmd->nlb; i++)
		most = max(most, slow_copy_nlb(&r[i]));
	slow_get_pages(s, slow_step_bytes(s->cmd, most));
}

static blk_status_t slow_copy(struct slow *s)
{
	u32 len = s->cmd->nlb * sizeof(struct nv_copy_range);
	struct nv_copy_range *r = kmalloc(len, SLOW_GFP);
	blk_status_t st = BLK_STS_IOERR;
	u16 status;

	vt_req_copy_out(s->req, 0, r, len);
	status = slow_copy_check(s, r);
	if (status) {
		s->cmd->status = status | NV_SC_DNR;
	} else {
		slow_copy_pages(s, r);
		st = slow_copy_ranges(s, r);
	}
	kfree(r);
	return st;
}

static blk_status_t slow_do(struct slow *s)
{
	switch (s->cmd->sqe.opcode) {
	case NV_CMD_READ:
		return slow_pi_read(s);
	case NV_CMD_WRITE:
		return slow_pi_write(s, s->req);
	case NV_CMD_COMPARE:
		return s->cmd->second ? slow_compare_write(s) :
		       slow_compare(s);
	case NV_CMD_VERIFY:
		return slow_verify(s);
	case NV_CMD_WRITE_ZEROES:
		return slow_pi_zeroes(s);
	case NV_CMD_DSM:
		return slow_dsm(s);
	case NV_CMD_COPY:
		return slow_copy(s);
	case NV_CMD_RESV_REGISTER:
	case NV_CMD_RESV_REPORT:
	case NV_CMD_RESV_ACQUIRE:
	case NV_CMD_RESV_RELEASE:
		return nv_resv_do(s->req);
	default:
		WARN_ON_ONCE(1);
		return BLK_STS_NOTSUPP;
	}
}

static struct slow *slow_alloc(struct vt_req *req)
{
	u32 bytes = nv_slow_bytes(req);
	struct slow *s;

	s = kzalloc(struct_size(s, bv, DIV_ROUND_UP(bytes, PAGE_SIZE)),
		    SLOW_GFP);
	s->req = req;
	s->cmd = nv_req_cmd(req);
	init_completion(&s->done);
	if (s->cmd->sqe.opcode != NV_CMD_COPY)
		slow_get_pages(s, bytes);
	return s;
}

static void slow_free(struct slow *s)
{
	while (s->nr)
		__free_page(s->bv[--s->nr].bv_page);
	vt_pi_free(s->pi);
	kfree(s);
}

void nv_req_zero(struct vt_req *req)
{
	static const u8 zeroes[256];
	u32 off;

	for (off = 0; off < req->io.bytes; off += sizeof(zeroes))
		vt_req_copy_in(req, off, zeroes,
			       min_t(u32, req->io.bytes - off, sizeof(zeroes)));
}

static bool slow_may(const struct slow *s)
{
	return nv_io_may(s->cmd) &&
	       (!s->cmd->second || nv_io_may(nv_req_cmd(s->cmd->second)));
}

/* As slow_go_on(), with the reservations as they are. */
static blk_status_t slow_check(struct slow *s)
{
	const struct nv_sq *sq = s->cmd->sq;

	if (unlikely(READ_ONCE(sq->going))) {
		s->cmd->status = NV_SC_ABORT_SQ_DELETED;
		return BLK_STS_IOERR;
	}
	return slow_may(s) ? BLK_STS_OK : BLK_STS_RESV_CONFLICT;
}

blk_status_t slow_go_on(struct slow *s)
{
	struct vt_resv *resv = &s->cmd->unit->be->resv;

	/* A pair is one piece; others' writes wait for its end. */
	if (s->cmd->second)
		return BLK_STS_OK;
	/* Whoever wants to change them, and all behind, wait for one piece. */
	vt_resv_exec_end(resv);
	vt_resv_exec_begin(resv);
	return slow_check(s);
}

static bool slow_is_resv(const struct nv_cmd *cmd)
{
	return cmd->sqe.opcode == NV_CMD_RESV_REGISTER ||
	       cmd->sqe.opcode == NV_CMD_RESV_REPORT ||
	       cmd->sqe.opcode == NV_CMD_RESV_ACQUIRE ||
	       cmd->sqe.opcode == NV_CMD_RESV_RELEASE;
}

/* The pair has not begun. */
static void slow_end_second(struct slow *s, blk_status_t st)
{
	struct vt_req *second = s->cmd->second;

	second->io.status = st;
	nv_req_cmd(second)->status = s->cmd->status;
}

/* Whoever takes its rights away waits for the end of what it may do by a look. */
static blk_status_t slow_checked(struct slow *s)
{
	struct vt_resv *resv = &s->cmd->unit->be->resv;
	blk_status_t st;

	vt_resv_exec_begin(resv);
	st = slow_check(s);
	if (!st)
		st = slow_do(s);
	else if (s->cmd->second)
		slow_end_second(s, st);
	vt_resv_exec_end(resv);
	return st;
}

static void slow_work(struct work_struct *work)
{
	struct vt_io *io = container_of(work, struct vt_io, work);
	struct vt_req *req = container_of(io, struct vt_req, io);
	u64 cov = vt_cov_begin(req->q->session);
	struct slow *s = slow_alloc(req);
	blk_status_t st = slow_is_resv(s->cmd) ? slow_do(s) : slow_checked(s);
	struct vt_req *second;

	if (s->cmd->status)
		st = BLK_STS_IOERR;
	second = s->cmd->second;
	slow_free(s);
	vt_io_end(io, st);
	/* After the first: completions come in this order. */
	if (second)
		vt_io_end(&second->io, second->io.status);
	vt_cov_end(cov);
}

/**
 * struct flush - a flush that no command asked for
 * @io: it
 * @done: it has ended
 */
struct flush {
	struct vt_io io;
	struct completion done;
};

static void flush_done(struct vt_io *io)
{
	complete(&container_of(io, struct flush, io)->done);
}

/* What is behind the next namespace after @nsid, held; NULL: there is none. */
static struct vt_backend *flush_next(struct vt_nvme *n, u32 *nsid)
{
	struct nv_core *c = &n->core;
	struct vt_backend *be = NULL;

	nv_ns_lock(c);
	*nsid = nv_ns_next(c, *nsid);
	if (*nsid) {
		be = nv_ns_find(c, *nsid)->be;
		vt_backend_hold(be);
	}
	nv_ns_unlock(c);
	return be;
}

/*
 * At shutdown, what is in the caches of all namespaces goes to storage. One that
 * hangs is in the way of this controller alone: no lock of the target is held.
 */
void nv_flush_all(struct vt_nvme *n)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOFAIL;
	struct flush *f = kzalloc(sizeof(*f), gfp);
	struct vt_backend *be;
	u32 nsid = 0;

	init_completion(&f->done);
	f->io.done = flush_done;
	f->io.css = n->s.css;
	f->io.op = VT_OP_FLUSH;
	while ((be = flush_next(n, &nsid))) {
		f->io.be = be;
		reinit_completion(&f->done);
		vt_io_submit(&f->io);
		wait_for_completion(&f->done);
		vt_backend_release(be);
	}
	kfree(f);
}

void nv_slow(struct vt_req *req)
{
	vt_cmd_punt(req, slow_work);
}
