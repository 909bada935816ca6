// SPDX-License-Identifier: GPL-2.0
/* Admin commands: NVMe Base 2.0, 5. One file each for those with many parts. */
#include "nvme.h"

static int admin_read(struct nv_walk *w, u64 addr, void *buf, u32 len)
{
	struct nv_admin *a = container_of(w, struct nv_admin, walk);

	return nv_mem_copy(a->c, addr, buf, len, false);
}

/* What the host asks for beyond the end of what there is reads as zero. */
static int admin_piece(struct nv_walk *w, u64 addr, u32 len)
{
	struct nv_admin *a = container_of(w, struct nv_admin, walk);
	static u8 zeroes[256];
	int err = 0;
	u32 n;

	for (; len && !err; len -= n, addr += n) {
		if (a->left) {
			n = min(len, a->left);
			err = nv_mem_copy(a->c, addr, a->at, n, a->write);
			a->at += n;
			a->left -= n;
		} else {
			n = min_t(u32, len, sizeof(zeroes));
			err = nv_mem_copy(a->c, addr, zeroes, n, true);
		}
	}
	return err;
}

static u16 admin_move(struct nv_admin *a, u32 total)
{
	int err;

	a->walk.read = admin_read;
	a->walk.piece = admin_piece;
	err = nv_walk_prp(&a->walk, le64_to_cpu(a->cmd.prp1),
			  le64_to_cpu(a->cmd.prp2), total);
	return err < 0 ? NV_SC_INTERNAL : err;
}

/* @have bytes, and zeroes up to @len. */
static u16 admin_to_host_pad(struct nv_admin *a, const void *from, u32 have,
			     u32 len)
{
	a->at = (u8 *)from;
	a->left = min(have, len);
	a->write = true;
	return admin_move(a, len);
}

u16 nv_admin_to_host(struct nv_admin *a, const void *from, u32 len)
{
	return admin_to_host_pad(a, from, len, len);
}

u16 nv_admin_log_to_host(struct nv_admin *a, u32 size, u64 off, u32 len)
{
	return admin_to_host_pad(a, a->buf + off, size - off, len);
}

u16 nv_admin_from_host(struct nv_admin *a, void *to, u32 len)
{
	a->at = to;
	a->left = len;
	a->write = false;
	return admin_move(a, len);
}

/*
 * A command fetched is with the backend, which has no way to take one back.
 * Only event requests wait here.
 */
static u16 admin_abort(struct nv_admin *a)
{
	u32 dw10 = le32_to_cpu(a->cmd.cdw10);
	u16 sqid = dw10, cid = dw10 >> 16;

	/* Bit 0: it was not aborted. */
	a->dw0 = 1;
	if (!sqid && nv_may_complete(a->c) && nv_aer_abort(a->c, cid)) {
		nv_complete_held(a->c, cid, NV_SC_ABORT_REQ, 0);
		a->dw0 = 0;
	}
	return NV_SC_SUCCESS;
}

static u16 admin_async_event(struct nv_admin *a)
{
	return nv_aer_hold(a->c, a->cmd.cid);
}

static u16 admin_dbbuf(struct nv_admin *a)
{
	u64 dbs = le64_to_cpu(a->cmd.prp1), eis = le64_to_cpu(a->cmd.prp2);
	int err;

	if (dbs == eis || ((dbs | eis) & (NV_PAGE_SIZE - 1)))
		return NV_SC_FIELD | NV_SC_DNR;
	err = nv_dbbuf_start(a->c, dbs, eis);
	if (err == -EFAULT)
		return NV_SC_DATA_XFER | NV_SC_DNR;
	return err ? NV_SC_INTERNAL : NV_SC_SUCCESS;
}

typedef u16 (*admin_fn)(struct nv_admin *a);

/* Whatever is not here is refused: Keep Alive, firmware, format, security … */
static admin_fn admin_find(u8 opcode)
{
	switch (opcode) {
	case NV_ADM_DELETE_SQ:
		return nv_delete_sq;
	case NV_ADM_CREATE_SQ:
		return nv_create_sq;
	case NV_ADM_GET_LOG:
		return nv_get_log;
	case NV_ADM_DELETE_CQ:
		return nv_delete_cq;
	case NV_ADM_CREATE_CQ:
		return nv_create_cq;
	case NV_ADM_IDENTIFY:
		return nv_identify;
	case NV_ADM_ABORT:
		return admin_abort;
	case NV_ADM_SET_FEATURES:
		return nv_set_features;
	case NV_ADM_GET_FEATURES:
		return nv_get_features;
	case NV_ADM_ASYNC_EVENT:
		return admin_async_event;
	case NV_ADM_DBBUF:
		return admin_dbbuf;
	default:
		return NULL;
	}
}

bool nv_admin_knows(const struct nv_core *c, u8 opcode)
{
	admin_fn fn = admin_find(opcode);

	return fn && (fn != admin_dbbuf || nv_has_dbbuf(c));
}

u16 nv_admin_do(struct nv_admin *a)
{
	admin_fn fn = admin_find(a->cmd.opcode);
	u16 status;

	a->dw0 = 0;
	if (!nv_admin_knows(a->c, a->cmd.opcode))
		status = NV_SC_OPCODE | NV_SC_DNR;
	else if (NV_FUSE(a->cmd.flags) || NV_PSDT(a->cmd.flags))
		/* No fused admin commands; on PCIe they use PRPs (4.1.2). */
		status = NV_SC_FIELD | NV_SC_DNR;
	else
		status = fn(a);
	if (status && status != NV_HELD) {
		nv_error_add(a->c, 0, a->cmd.cid, status,
			     le32_to_cpu(a->cmd.nsid), 0);
		status |= NV_SC_MORE;
	}
	return status;
}

void nv_core_reset(struct nv_core *c)
{
	memset(c->sq, 0, sizeof(c->sq));
	memset(c->cq, 0, sizeof(c->cq));
	nv_aer_reset(c);
	nv_features_init(c);
	nv_lock(c);
	memset(&c->changed, 0, sizeof(c->changed));
	memset(&c->notes, 0, sizeof(c->notes));
	nv_unlock(c);
}

void nv_core_init(struct nv_core *c, struct vt_target *t)
{
	c->target = t;
	c->nr_queues = min_t(unsigned int, t->num_queues, NV_MAX_QUEUES);
	c->nr_vectors = vt_nvme_vectors(t);
	nv_regs_reset(&c->regs);
	nv_core_reset(c);
}

unsigned int vt_nvme_vectors(const struct vt_target *t)
{
	return min_t(unsigned int, t->num_queues + 1, VT_NVME_MAX_VECTORS);
}
