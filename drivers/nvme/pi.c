// SPDX-License-Identifier: GPL-2.0
/*
 * Protection information of commands: NVM Command Set Specification 1.0, 5.2.
 * A namespace has it if its backend has: 8 bytes of metadata for a block, in a
 * buffer of their own (MPTR), with a 16-bit guard, type 1 or 3.
 *
 * What asks for all checks goes to the backend with the host's tuples: the
 * device checks them. The application tag is compared here, as the block layer
 * has no word for it. What asks for some checks or none, and what has PRACT and
 * tags of its own, is done by a work item: pi_slow.c.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "io.h"

/* A block that is checked here, by a work item, lies in one page. */
bool nv_ns_pi(const struct vt_unit *u)
{
	const struct vt_limits *l = &u->be->limits;

	return l->pi_type && l->pi_interval == l->block_size &&
	       l->block_size <= PAGE_SIZE;
}

void nv_prot_get(struct nv_prot *p, const struct nv_sqe *sqe)
{
	u32 tags = le32_to_cpu(sqe->cdw15);

	p->info = NV_RW_PRINFO(le32_to_cpu(sqe->cdw12));
	p->ref = le32_to_cpu(sqe->cdw14);
	p->app = tags;
	p->mask = tags >> 16;
}

/*
 * By type 1 the reference tag is the block's address, by type 3 nobody can
 * check it (5.2.2.1.5).
 */
u16 nv_prot_check(const struct vt_unit *u, const struct nv_prot *p, u64 lba,
		  bool write)
{
	bool checked = p->info & NV_PRCHK_REF;
	bool bad;

	if (u->be->limits.pi_type == 3)
		bad = checked;
	else
		bad = (checked || (write && p->info & NV_PRACT)) &&
		      p->ref != (u32)lba;
	return bad ? NV_SC_PROT_INFO | NV_SC_DNR : NV_SC_SUCCESS;
}

/* All that a device checks when it is asked to. */
static bool prot_all(const struct vt_unit *u, const struct nv_prot *p)
{
	return p->info & NV_PRCHK_GUARD &&
	       (u->be->limits.pi_type == 3 || p->info & NV_PRCHK_REF);
}

/*
 * Are the tuples of PRACT those that the block layer makes by itself? What it
 * has for the reference tag of type 3 is another thing in each kernel.
 */
static bool prot_plain(const struct vt_unit *u, const struct nv_prot *p)
{
	return !p->app && u->be->limits.pi_type == 1;
}

static u8 prot_checks(const struct nv_prot *p)
{
	return (p->info & NV_PRCHK_GUARD ? VT_PI_GUARD : 0) |
	       (p->info & NV_PRCHK_REF ? VT_PI_REF : 0);
}

static bool app_bad(const struct nv_prot *p, const struct vt_pi_tuple *t)
{
	return (be16_to_cpu(t->app) ^ p->app) & p->mask;
}

/* Application tags; whatever escapes is not checked. */
static bool app_check(struct vt_pi *pi, const struct nv_prot *p)
{
	u32 i;

	if (!(p->info & NV_PRCHK_APP))
		return true;
	for (i = 0; i < pi->nr; i++) {
		if (!app_bad(p, &pi->tuple[i]) ||
		    vt_pi_escapes(&pi->tuple[i], pi->type))
			continue;
		pi->bad = VT_PI_APP;
		pi->bad_at = i;
		return false;
	}
	return true;
}

/* The device knows no tuples of a write that are not to be checked. */
static bool any_escapes(const struct vt_pi *pi)
{
	u32 i;

	for (i = 0; i < pi->nr; i++)
		if (vt_pi_escapes(&pi->tuple[i], pi->type))
			return true;
	return false;
}

bool nv_prot_verify(struct vt_pi *pi, const struct nv_prot *p, u32 first,
		    u32 nr, const void *data, u32 bs)
{
	struct vt_pi part = { .tuple = pi->tuple + first, .nr = nr,
			      .type = pi->type };

	if (!vt_pi_check(pi, first, nr, data, bs, prot_checks(p), true))
		return false;
	if (app_check(&part, p))
		return true;
	pi->bad = part.bad;
	pi->bad_at = first + part.bad_at;
	return false;
}

void nv_pi_failed(struct nv_cmd *cmd, const struct vt_pi *pi, u64 lba)
{
	cmd->status = (pi->bad == VT_PI_APP ? NV_SC_APP_TAG :
		       pi->bad == VT_PI_REF ? NV_SC_REF_TAG : NV_SC_GUARD) |
		      NV_SC_DNR;
	cmd->lba = lba + (pi->bad ? pi->bad_at : 0);
}

/* The host's metadata is in one piece, but not the pages behind it. */
static int pi_map(struct vt_req *req, u64 addr, u32 len)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	struct bio_vec *bv;
	unsigned int off;
	struct page *page;
	int n;

	for (; len; len -= n, addr += n) {
		n = vt_queue_lookup(req->q, addr, len, true, &page, &off);
		if (n < 0)
			return n;
		if (cmd->nr_meta == NV_META_PIECES)
			return -EFAULT;
		bv = &cmd->meta[cmd->nr_meta++];
		bv->bv_page = page;
		bv->bv_offset = off;
		bv->bv_len = n;
	}
	return 0;
}

/* A buffer that PRPs go with is aligned; a list for metadata is not offered. */
static u16 pi_pointer_check(const struct nv_sqe *sqe)
{
	u8 psdt = NV_PSDT(sqe->flags);

	if (psdt > 1 || (!psdt && le64_to_cpu(sqe->mptr) & 3))
		return NV_SC_FIELD | NV_SC_DNR;
	return NV_SC_SUCCESS;
}

/* Tuples from the host, or where they go. */
static int pi_transfer(struct vt_req *req, bool write)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	struct vt_pi *pi = req->io.pi;
	u64 addr = le64_to_cpu(cmd->sqe.mptr);
	u32 len = pi->nr * VT_PI_BYTES;
	int err = pi_pointer_check(&cmd->sqe);

	if (err)
		return err;
	if (!write)
		return pi_map(req, addr, len);
	err = vt_queue_read(req->q, addr, pi->tuple, len);
	if (err)
		return err;
	if (!app_check(pi, &cmd->prot)) {
		nv_pi_failed(cmd, pi, cmd->lba);
		return cmd->status;
	}
	cmd->slow |= any_escapes(pi);
	return 0;
}

int nv_pi_start(struct vt_req *req, bool write)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	const struct vt_unit *u = cmd->unit;
	bool insert;
	int err;

	nv_prot_get(&cmd->prot, &cmd->sqe);
	err = nv_prot_check(u, &cmd->prot, cmd->lba, write);
	if (err)
		return err;
	insert = write && cmd->prot.info & NV_PRACT;
	cmd->slow = insert ? !prot_plain(u, &cmd->prot) :
		    !prot_all(u, &cmd->prot);
	if (insert)
		return 0;
	req->io.pi = vt_pi_alloc(u->be, req->io.sector,
				 cmd->nlb * u->be->limits.block_size,
				 GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!req->io.pi)
		return -ENOBUFS;
	if (cmd->prot.info & NV_PRACT)
		return 0;
	err = pi_transfer(req, write);
	if (err)
		nv_pi_free(req);
	return err == -EFAULT ? NV_SC_DATA_XFER | NV_SC_DNR : err;
}

void nv_pi_free(struct vt_req *req)
{
	vt_pi_free(req->io.pi);
	req->io.pi = NULL;
}

static void pi_to_host(struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	const void *from = req->io.pi->tuple;
	const struct bio_vec *bv;

	for (bv = cmd->meta; bv < cmd->meta + cmd->nr_meta; bv++) {
		memcpy(page_address(bv->bv_page) + bv->bv_offset, from,
		       bv->bv_len);
		from += bv->bv_len;
	}
}

void nv_pi_complete(struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	struct vt_pi *pi = req->io.pi;

	if (!req->io.status && cmd->sqe.opcode == NV_CMD_READ) {
		if (app_check(pi, &cmd->prot))
			pi_to_host(req);
		else
			req->io.status = BLK_STS_PROTECTION;
	}
	if (req->io.status == BLK_STS_PROTECTION && !cmd->status)
		nv_pi_failed(cmd, pi, cmd->lba);
	nv_pi_free(req);
}
