// SPDX-License-Identifier: GPL-2.0
/*
 * Protection information that is checked or made here, block by block, with no
 * check in the device: steps of a work item.
 *
 * What is checked is what was read, or what is written: data of a guest is
 * copied before.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "slow.h"

/**
 * struct step - blocks of a command
 * @s: at work
 * @req: whose data it is
 * @cmd: whose status it is
 * @p: what to check or to make
 * @lba: first block
 * @at: blocks before it
 * @nr: blocks
 */
struct step {
	struct slow *s;
	struct vt_req *req;
	struct nv_cmd *cmd;
	struct nv_prot p;
	u64 lba;
	u32 at;
	u32 nr;
};

static void step_init(struct step *t, struct slow *s, struct vt_req *req)
{
	*t = (struct step) {
		.s = s, .req = req, .cmd = nv_req_cmd(req),
		.p = nv_req_cmd(req)->prot,
	};
}

/* Blocks from @lba + @at on; @left to the end. */
static void step_set(struct step *t, u64 lba, u32 at, u32 left)
{
	struct vt_pi *pi = t->s->pi;

	t->lba = lba + at;
	t->at = at;
	t->nr = min(left, SLOW_PI_STEP);
	pi->nr = t->nr;
	pi->ref = t->lba;
	pi->check = false;
}

static u32 step_bytes(const struct step *t)
{
	return t->nr * slow_block_size(t->s);
}

static void *step_page(const struct step *t, u32 block)
{
	u32 off = block * slow_block_size(t->s);

	return page_address(t->s->bv[off / PAGE_SIZE].bv_page);
}

static blk_status_t step_check(struct step *t)
{
	u32 bs = slow_block_size(t->s), per = PAGE_SIZE / bs, i, n;
	struct vt_pi *pi = t->s->pi;

	for (i = 0; i < t->nr; i += n) {
		n = min(per, t->nr - i);
		if (!nv_prot_verify(pi, &t->p, i, n, step_page(t, i), bs)) {
			nv_pi_failed(t->cmd, pi, t->lba);
			return BLK_STS_PROTECTION;
		}
		cond_resched();
	}
	return BLK_STS_OK;
}

static void step_generate(struct step *t)
{
	u32 bs = slow_block_size(t->s), per = PAGE_SIZE / bs, i, n;
	struct vt_pi *pi = t->s->pi;

	/* Of type 3 it does not count. */
	if (pi->type == 3)
		pi->ref = t->p.ref;
	for (i = 0; i < t->nr; i += n) {
		n = min(per, t->nr - i);
		vt_pi_generate(pi, i, n, step_page(t, i), bs, t->p.app);
		cond_resched();
	}
}

static blk_status_t step_io(struct step *t, u8 op, u8 flags)
{
	struct slow *s = t->s;
	blk_status_t st;

	s->io.pi = s->pi;
	st = slow_rw(s, op, t->lba, step_bytes(t), flags);
	s->io.pi = NULL;
	return st;
}

static blk_status_t step_read(struct step *t)
{
	return step_io(t, VT_OP_READ, 0) ?: step_check(t);
}

static blk_status_t step_write(struct step *t, u8 flags)
{
	blk_status_t st = BLK_STS_OK;

	if (t->p.info & NV_PRACT)
		step_generate(t);
	else
		st = step_check(t);
	return st ?: step_io(t, VT_OP_WRITE, flags);
}

/* The buffer from or to the request's data. */
static void step_move(struct step *t, bool in)
{
	u32 off = t->at * slow_block_size(t->s), left = step_bytes(t), n;
	unsigned int i;
	void *p;

	for (i = 0; left; i++, left -= n, off += n) {
		n = min_t(u32, left, PAGE_SIZE);
		p = page_address(t->s->bv[i].bv_page);
		if (in)
			vt_req_copy_in(t->req, off, p, n);
		else
			vt_req_copy_out(t->req, off, p, n);
	}
}

/* Tuples from or to those of the request. */
static void step_move_pi(struct step *t, bool in)
{
	struct vt_pi *pi = t->req->io.pi;
	u32 len = t->nr * VT_PI_BYTES;

	if (!pi)
		return;
	if (in)
		memcpy(pi->tuple + t->at, t->s->pi->tuple, len);
	else
		memcpy(t->s->pi->tuple, pi->tuple + t->at, len);
}

static u8 slow_fua(const struct nv_cmd *cmd)
{
	return cmd->fua ? VT_IO_FUA : 0;
}

bool slow_pi_has(const struct vt_req *req)
{
	const struct nv_cmd *cmd = nv_req_cmd((struct vt_req *)req);

	switch (cmd->sqe.opcode) {
	case NV_CMD_READ:
	case NV_CMD_WRITE:
	case NV_CMD_COMPARE:
	case NV_CMD_VERIFY:
	case NV_CMD_WRITE_ZEROES:
	case NV_CMD_COPY:
		return nv_ns_pi(cmd->unit);
	default:
		return false;
	}
}

static blk_status_t do_read(struct step *t)
{
	blk_status_t st = step_read(t);

	if (!st) {
		step_move(t, true);
		step_move_pi(t, true);
	}
	return st;
}

/* The second of a fused pair writes between vt_rmw_begin() and end(). */
static blk_status_t do_write(struct step *t)
{
	u8 rmw = t->req == t->s->req ? 0 : VT_IO_RMW;

	step_move(t, false);
	step_move_pi(t, false);
	return step_write(t, slow_fua(t->cmd) | rmw);
}

/* Guards of equal data are equal: they are checked, but not compared. */
static blk_status_t do_compare(struct step *t)
{
	blk_status_t st = step_read(t);

	if (st)
		return st;
	if (!slow_same(t->s, t->at * slow_block_size(t->s), step_bytes(t))) {
		t->cmd->status = NV_SC_COMPARE | NV_SC_DNR;
		return BLK_STS_IOERR;
	}
	step_move_pi(t, false);
	return step_check(t);
}

/* Without PRACT the tuples are zeroes, too, and nobody checks them (3.2.8). */
static blk_status_t do_zeroes(struct step *t)
{
	t->p.info &= NV_PRACT;
	memset(t->s->pi->tuple, 0, t->nr * VT_PI_BYTES);
	return step_write(t, slow_fua(t->cmd));
}

static blk_status_t slow_steps(struct slow *s, struct vt_req *req,
			       blk_status_t (*fn)(struct step *t))
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	blk_status_t st = BLK_STS_OK;
	u64 lba = cmd->lba;
	struct step t;
	u32 at;

	step_init(&t, s, req);
	for (at = 0; at < cmd->nlb && !st; at += t.nr) {
		step_set(&t, lba, at, cmd->nlb - at);
		st = slow_go_on(s) ?: fn(&t);
	}
	return st;
}

blk_status_t slow_pi_read(struct slow *s)
{
	return slow_steps(s, s->req, do_read);
}

blk_status_t slow_pi_write(struct slow *s, struct vt_req *req)
{
	return slow_steps(s, req, do_write);
}

blk_status_t slow_pi_compare(struct slow *s)
{
	return slow_steps(s, s->req, do_compare);
}

blk_status_t slow_pi_verify(struct slow *s)
{
	return slow_steps(s, s->req, step_read);
}

blk_status_t slow_pi_zeroes(struct slow *s)
{
	return slow_steps(s, s->req, do_zeroes);
}

static void copy_source(struct nv_prot *p, const struct nv_sqe *sqe,
			const struct nv_copy_range *r)
{
	p->info = NV_COPY_PRINFOR(le32_to_cpu(sqe->cdw12));
	p->ref = le32_to_cpu(r->eilbrt);
	p->app = le16_to_cpu(r->elbat);
	p->mask = le16_to_cpu(r->elbatm);
}

/* What passes the checks of both sides is written with the tuples it has. */
blk_status_t slow_pi_copy(struct slow *s, const struct nv_copy_range *r, u64 to)
{
	u32 nlb = slow_copy_nlb(r), at;
	u64 lba = le64_to_cpu(r->slba);
	blk_status_t st = BLK_STS_OK;
	struct step from, t;

	step_init(&from, s, s->req);
	step_init(&t, s, s->req);
	copy_source(&from.p, &s->cmd->sqe, r);
	s->cmd->status = nv_prot_check(s->cmd->unit, &from.p, lba, false);
	if (s->cmd->status)
		return BLK_STS_IOERR;
	for (at = 0; at < nlb && !st; at += t.nr) {
		step_set(&from, lba, at, nlb - at);
		st = slow_go_on(s) ?: step_read(&from);
		if (st)
			break;
		step_set(&t, to, at, nlb - at);
		st = step_write(&t, slow_fua(s->cmd));
	}
	return st;
}
