// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "nvme_bed.h"

static struct nb *to_nb(struct nv_core *c)
{
	return container_of(c, struct nb, c);
}

struct nb *nb_new(void)
{
	struct nb *b = aligned_alloc(64, (sizeof(*b) + 63) & ~63UL);
	unsigned int i;

	memset(b, 0, sizeof(*b));
	b->mem = calloc(NB_PAGES, NV_PAGE_SIZE);
	strcpy(b->t.name, "disk0");
	b->t.num_queues = 8;
	b->c.ns = b->nss;
	for (i = 0; i < NB_UNITS; i++) {
		b->unit[i].target = &b->t;
		b->unit[i].nr = i;
		strcpy(b->unit[i].serial, "serial");
		b->unit[i].be = &b->be[i];
		b->be[i].limits = (struct vt_limits) {
			.sectors = 0x20000,
			.block_size = i & 1 ? 4096 : 512,
			.physical_block_size = 4096,
			.io_min = 4096,
			.io_opt = 65536,
			.max_discard_sectors = 8192,
			.discard_alignment = 8,
			.max_write_zeroes_sectors = 4096,
			.write_cache = true,
		};
	}
	nv_core_init(&b->c, &b->t);
	nb_set(b, 0, true);
	b->c.cntlid = 1;
	b->c.msix = true;
	b->c.regs.cc = 6 << 16 | 4 << 20 | NV_CC_EN;
	return b;
}

void nb_set(struct nb *b, unsigned int unit, bool present)
{
	b->present[unit] = present;
	b->ns[unit].unit = &b->unit[unit];
	b->ns[unit].resv.may = VT_RESV_RW;
	b->nss[unit] = present ? &b->ns[unit] : NULL;
}

void nb_free(struct nb *b)
{
	free(b->mem);
	free(b);
}

u8 *nb_page(struct nb *b, unsigned int n)
{
	return b->mem + n * NV_PAGE_SIZE;
}

struct nv_sqe *nb_cmd(struct nb *b, u8 opcode)
{
	struct nv_sqe *cmd = &b->a.cmd;

	memset(cmd, 0, sizeof(*cmd));
	memset(nb_page(b, 0), 0xee, 2 * NV_PAGE_SIZE);
	cmd->opcode = opcode;
	cmd->cid = 0x1234;
	cmd->prp1 = cpu_to_le64(NB_ADDR(0));
	cmd->prp2 = cpu_to_le64(NB_ADDR(1));
	b->started = 0;
	b->nr_held = 0;
	b->changed_fid = 0;
	return cmd;
}

u16 nb_do(struct nb *b)
{
	u16 status;

	b->a.c = &b->c;
	b->a.buf = b->buf;
	memset(b->buf, 0, sizeof(b->buf));
	status = nv_admin_do(&b->a);
	EXPECT(!b->locked);
	return status == NV_HELD ? status : status & ~NV_SC_MORE;
}

/* The engine's part. */

void nv_lock(struct nv_core *c)
{
	EXPECT(!to_nb(c)->locked);
	to_nb(c)->locked = true;
}

void nv_unlock(struct nv_core *c)
{
	EXPECT(to_nb(c)->locked);
	to_nb(c)->locked = false;
}

void nv_ns_lock(struct nv_core *c)
{
	EXPECT(!to_nb(c)->ns_locked);
	to_nb(c)->ns_locked = true;
}

void nv_ns_unlock(struct nv_core *c)
{
	EXPECT(to_nb(c)->ns_locked);
	to_nb(c)->ns_locked = false;
}

int nv_mem_copy(struct nv_core *c, u64 addr, void *buf, u32 len, bool write)
{
	struct nb *b = to_nb(c);
	u64 size = (u64)NB_PAGES * NV_PAGE_SIZE;

	EXPECT(!b->locked && !b->ns_locked);
	if (addr < NB_MEM || addr - NB_MEM > size || len > size - (addr - NB_MEM))
		return -EFAULT;
	if (write)
		memcpy(b->mem + (addr - NB_MEM), buf, len);
	else
		memcpy(buf, b->mem + (addr - NB_MEM), len);
	return 0;
}

struct vt_unit *nv_ns_find(struct nv_core *c, u32 nsid)
{
	struct nb *b = to_nb(c);

	EXPECT(b->ns_locked);
	return nsid && nsid <= NB_UNITS && b->present[nsid - 1] ?
	       &b->unit[nsid - 1] : NULL;
}

u32 nv_ns_next(struct nv_core *c, u32 nsid)
{
	EXPECT(to_nb(c)->ns_locked);
	while (++nsid <= NB_UNITS)
		if (to_nb(c)->present[nsid - 1])
			return nsid;
	return 0;
}

u16 nv_ctrl_from(struct nv_core *c, u16 id)
{
	EXPECT(to_nb(c)->ns_locked);
	/* This one, and another. */
	return id <= 1 ? 1 : id <= 7 ? 7 : 0;
}

static int nb_started(struct nv_core *c, unsigned int what, u16 id)
{
	to_nb(c)->started |= BIT(what);
	to_nb(c)->qid = id;
	return to_nb(c)->start_err;
}

int nv_cq_start(struct nv_core *c, u16 id)
{
	return nb_started(c, 0, id);
}

int nv_sq_start(struct nv_core *c, u16 id)
{
	return nb_started(c, 1, id);
}

void nv_cq_stop(struct nv_core *c, u16 id)
{
	nb_started(c, 2, id);
}

void nv_sq_stop(struct nv_core *c, u16 id)
{
	nb_started(c, 3, id);
}

int nv_dbbuf_start(struct nv_core *c, u64 dbs, u64 eis)
{
	to_nb(c)->dbs = dbs;
	to_nb(c)->eis = eis;
	return to_nb(c)->start_err;
}

bool nv_may_complete(struct nv_core *c)
{
	return !to_nb(c)->cq_full;
}

void nv_complete_held(struct nv_core *c, u16 cid, u16 status, u32 dw0)
{
	struct nb *b = to_nb(c);

	(void)dw0;
	b->nr_held++;
	b->held_cid = cid;
	b->held_status = status;
}

void nv_feature_changed(struct nv_core *c, u8 fid)
{
	to_nb(c)->changed_fid = fid;
}

void nv_smart_read(struct nv_core *c, struct nv_smart *s)
{
	*s = to_nb(c)->smart;
}

void nv_set_host(struct nv_core *c)
{
	to_nb(c)->nr_hosts++;
}

struct nv_ns *nv_ns_at(struct nv_core *c, u32 nsid)
{
	EXPECT(to_nb(c)->ns_locked);
	return nsid && nsid <= NB_UNITS ? c->ns[nsid - 1] : NULL;
}

bool nv_get_ptpl(struct nv_core *c, struct nv_ns *ns)
{
	EXPECT(to_nb(c)->ns_locked);
	return to_nb(c)->ptpl[ns->unit->nr];
}

u16 nv_set_ptpl(struct nv_core *c, struct nv_ns *ns, bool on)
{
	struct nb *b = to_nb(c);

	EXPECT(b->ns_locked);
	if (b->ptpl_err[ns->unit->nr])
		return SC(NV_SC_FIELD);
	b->ptpl[ns->unit->nr] = on;
	return NV_SC_SUCCESS;
}

u64 nv_now_ms(void)
{
	return 1000;
}
