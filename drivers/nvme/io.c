// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of the NVM command set: NVM Command Set Specification 1.0, 3. What
 * can be one I/O of the backend becomes one here; the rest is for slow.c.
 */
#include <linux/indirect_call_wrapper.h>

#include "io.h"

/**
 * struct io_walk - a walk over the data of a command
 * @w: walk
 * @req: its request
 * @write: the device writes there
 */
struct io_walk {
	struct nv_walk w;
	struct vt_req *req;
	bool write;
};

int nv_io_walk_read(struct nv_walk *w, u64 addr, void *buf, u32 len)
{
	struct io_walk *io = container_of(w, struct io_walk, w);

	return vt_queue_read(io->req->q, addr, buf, len);
}

int nv_io_walk_piece(struct nv_walk *w, u64 addr, u32 len)
{
	struct io_walk *io = container_of(w, struct io_walk, w);

	return vt_req_map_addr(io->req, addr, len, io->write);
}

static int io_skip(struct nv_walk *w, u32 len)
{
	struct io_walk *io = container_of(w, struct io_walk, w);
	int err = 0;
	u32 n;

	for (; len && !err; len -= n) {
		n = min(len, NV_PAGE_SIZE);
		err = vt_req_map_page(io->req, nv_sink, n);
	}
	return err;
}

/* The command ends here, with an error. */
static int io_end(struct vt_req *req, u16 status)
{
	nv_req_cmd(req)->status = status;
	req->io.status = BLK_STS_IOERR;
	vt_stat_inc(req->q->st->invalid);
	return 1;
}

static int io_refuse(struct vt_req *req, u16 status)
{
	return io_end(req, status | NV_SC_DNR);
}

/* @write: the device writes to the guest. 0, 1: ended, or -errno. */
static int io_map(struct vt_req *req, u32 len, bool write)
{
	struct io_walk io = {
		.w = { nv_io_walk_read, nv_io_walk_piece, io_skip },
		.req = req, .write = write,
	};
	int err = nv_walk_data(&io.w, &nv_req_cmd(req)->sqe, len, write);

	if (likely(!err))
		return 0;
	nv_req_undo(req);
	if (err == -E2BIG)
		err = NV_SC_SGL_COUNT | NV_SC_DNR;
	return err < 0 ? err : io_end(req, err);
}

static u32 io_block_size(const struct nv_cmd *cmd)
{
	return cmd->unit->be->limits.block_size;
}

static u64 io_bytes(const struct nv_cmd *cmd)
{
	return (u64)cmd->nlb * io_block_size(cmd);
}

/* Units count in 512 bytes; the comparisons cannot overflow. */
bool nv_lba_ok(const struct vt_unit *u, u64 lba, u64 nlb)
{
	const struct vt_limits *l = &u->be->limits;
	u64 blocks = READ_ONCE(l->sectors) >> (ilog2(l->block_size) -
					       SECTOR_SHIFT);

	return lba <= blocks && nlb <= blocks - lba;
}

u64 nv_lba_sector(const struct vt_unit *u, u64 lba)
{
	return lba << (ilog2(u->be->limits.block_size) - SECTOR_SHIFT);
}

/* SLBA and NLB. 0 or a status. */
static u16 io_blocks(struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	const struct nv_sqe *sqe = &cmd->sqe;

	cmd->lba = le32_to_cpu(sqe->cdw10) |
		   (u64)le32_to_cpu(sqe->cdw11) << 32;
	cmd->nlb = NV_RW_NLB(le32_to_cpu(sqe->cdw12));
	if (!nv_lba_ok(cmd->unit, cmd->lba, cmd->nlb))
		return NV_SC_LBA_RANGE;
	req->io.sector = nv_lba_sector(cmd->unit, cmd->lba);
	return NV_SC_SUCCESS;
}

static bool io_fua(const struct nv_core *c, struct nv_cmd *cmd)
{
	cmd->fua = (le32_to_cpu(cmd->sqe.cdw12) & NV_RW_FUA) ||
		   !READ_ONCE(c->feat.vwc) ||
		   (cmd->unit->flags & VHOST_TARGET_UNIT_F_WRITETHROUGH);
	return cmd->fua;
}

/* Blocks, and no more data than MDTS allows. */
static u16 io_data_blocks(struct vt_req *req)
{
	u16 status = io_blocks(req);

	if (!status && io_bytes(nv_req_cmd(req)) > NV_MAX_DATA)
		status = NV_SC_FIELD;
	return status;
}

/* Protection information, if there is some. 0, 1: ended, or -errno. */
static int io_pi(struct vt_req *req, bool write)
{
	int err;

	if (likely(!nv_ns_pi(nv_req_cmd(req)->unit)))
		return 0;
	err = nv_pi_start(req, write);
	return err > 0 ? io_end(req, err) : err;
}

static int io_cmd_read(struct nv_core *c, struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	u16 status = io_data_blocks(req);
	int err;

	req->io.op = VT_OP_READ;
	req->op_class = VHOST_TARGET_OP_READ;
	if (status)
		return io_refuse(req, status);
	err = io_pi(req, false) ?: io_map(req, io_bytes(cmd), true);
	return err ?: cmd->slow ? 2 : 0;
}

/*
 * A block device may cut pieces apart that do not meet at pages, as those of an
 * SGL, and a write that is promised to be whole would not be.
 */
static void io_keep_whole(struct vt_req *req)
{
	const struct nv_cmd *cmd = nv_req_cmd(req);

	if (unlikely(NV_PSDT(cmd->sqe.flags)) && req->io.nr_bv > 1 &&
	    req->io.bytes <= cmd->unit->be->limits.atomic_bytes)
		vt_req_gather(req);
}

static int io_cmd_write(struct nv_core *c, struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	u16 status = io_data_blocks(req);
	int err;

	req->io.op = VT_OP_WRITE;
	req->op_class = VHOST_TARGET_OP_WRITE;
	if (status)
		return io_refuse(req, status);
	if (nv_ns_ro(cmd->unit))
		return io_refuse(req, NV_SC_NS_WRITE_PROTECTED);
	if (io_fua(c, cmd))
		req->io.flags |= VT_IO_FUA;
	err = io_pi(req, true) ?: io_map(req, io_bytes(cmd), false);
	if (err)
		return err;
	io_keep_whole(req);
	return cmd->slow ? 2 : 0;
}

static int io_cmd_flush(struct nv_core *c, struct vt_req *req)
{
	req->op_class = VHOST_TARGET_OP_FLUSH;
	return 0;
}

/* Of commands that move none: PRACT means nothing. 0 or a status. */
static u16 io_check_prot(struct nv_cmd *cmd)
{
	if (!nv_ns_pi(cmd->unit))
		return NV_SC_SUCCESS;
	nv_prot_get(&cmd->prot, &cmd->sqe);
	if (cmd->prot.info & NV_PRACT)
		return NV_SC_PROT_INFO;
	return nv_prot_check(cmd->unit, &cmd->prot, cmd->lba, false);
}

/* The data stays mapped for the work item, which reads the blocks. */
static int io_cmd_compare(struct nv_core *c, struct vt_req *req)
{
	u16 status = io_data_blocks(req);
	int err;

	if (!status)
		status = io_check_prot(nv_req_cmd(req));
	if (status)
		return io_refuse(req, status);
	err = io_pi(req, true) ?:
	      io_map(req, io_bytes(nv_req_cmd(req)), false);
	return err ?: 2;
}

static int io_cmd_verify(struct nv_core *c, struct vt_req *req)
{
	u16 status = io_blocks(req);

	if (!status)
		status = io_check_prot(nv_req_cmd(req));
	return status ? io_refuse(req, status) : 2;
}

/* Written block by block, for the tuples' sake. */
static int io_zeroes_pi(struct nv_core *c, struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	u16 status;

	nv_prot_get(&cmd->prot, &cmd->sqe);
	status = cmd->prot.info & NV_PRACT ?
		 nv_prot_check(cmd->unit, &cmd->prot, cmd->lba, true) : 0;
	io_fua(c, cmd);
	return status ? io_refuse(req, status) : 2;
}

static int io_cmd_zeroes(struct nv_core *c, struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	u32 dw12 = le32_to_cpu(cmd->sqe.cdw12);
	const struct vt_limits *l = &cmd->unit->be->limits;
	u16 status = io_blocks(req);

	if (status)
		return io_refuse(req, status);
	if (nv_ns_ro(cmd->unit))
		return io_refuse(req, NV_SC_NS_WRITE_PROTECTED);
	if (nv_ns_pi(cmd->unit))
		return io_zeroes_pi(c, req);
	req->io.op = VT_OP_WRITE_ZEROES;
	req->io.range[0] = (struct vt_range) {
		.sector = req->io.sector,
		.nr_sectors = io_bytes(cmd) >> SECTOR_SHIFT,
		.flags = (dw12 & NV_RW_DEAC) && l->max_discard_sectors ?
			 VT_RANGE_UNMAP : 0,
	};
	req->io.nr_ranges = 1;
	if (io_fua(c, cmd))
		req->io.flags |= VT_IO_FUA;
	return 0;
}

/* Keys, or room for a report; a work item does it. */
static int io_cmd_resv_out(struct nv_core *c, struct vt_req *req)
{
	u8 opcode = nv_req_cmd(req)->sqe.opcode;
	int err;

	err = io_map(req, opcode == NV_CMD_RESV_RELEASE ? 8 :
		     sizeof(struct nv_resv_keys), false);
	return err ?: 2;
}

static int io_cmd_resv_report(struct nv_core *c, struct vt_req *req)
{
	u64 len = ((u64)le32_to_cpu(nv_req_cmd(req)->sqe.cdw10) + 1) * 4;
	int err;

	if (len > NV_MAX_DATA)
		return io_refuse(req, NV_SC_FIELD);
	err = io_map(req, len, true);
	return err ?: 2;
}

/* Only deallocation is more than a hint (3.2.3). */
static int io_cmd_dsm(struct nv_core *c, struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	u32 nr = (le32_to_cpu(cmd->sqe.cdw10) & 0xff) + 1;
	int err;

	if (nv_ns_ro(cmd->unit))
		return io_refuse(req, NV_SC_NS_WRITE_PROTECTED);
	cmd->nlb = nr;
	err = io_map(req, nr * sizeof(struct nv_dsm_range), false);
	return err ?: 2;
}

/* What is read with its tuples is written with them (3.2.2). */
static u16 io_copy_prot(struct nv_cmd *cmd)
{
	if (!nv_ns_pi(cmd->unit))
		return NV_SC_SUCCESS;
	nv_prot_get(&cmd->prot, &cmd->sqe);
	if ((NV_COPY_PRINFOR(le32_to_cpu(cmd->sqe.cdw12)) ^ cmd->prot.info) &
	    NV_PRACT)
		return NV_SC_FIELD;
	return nv_prot_check(cmd->unit, &cmd->prot, cmd->lba, true);
}

static int io_cmd_copy(struct nv_core *c, struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	u32 dw12 = le32_to_cpu(cmd->sqe.cdw12);
	u32 nr = (dw12 & 0xff) + 1;
	u16 status;
	int err;

	if (nv_ns_ro(cmd->unit))
		return io_refuse(req, NV_SC_NS_WRITE_PROTECTED);
	/* Descriptor format 0 only. */
	if ((dw12 >> 8) & 15)
		return io_refuse(req, NV_SC_FIELD);
	if (nr > NV_COPY_RANGES)
		return io_refuse(req, NV_SC_SIZE_LIMIT);
	io_fua(c, cmd);
	cmd->lba = le32_to_cpu(cmd->sqe.cdw10) |
		   (u64)le32_to_cpu(cmd->sqe.cdw11) << 32;
	cmd->nlb = nr;
	status = io_copy_prot(cmd);
	if (status)
		return io_refuse(req, status);
	err = io_map(req, nr * sizeof(struct nv_copy_range), false);
	return err ?: 2;
}

/**
 * struct io_command - a command
 * @fn: as nv_io_parse(), its namespace is known
 * @needs: VT_RESV_READ, VT_RESV_WRITE: right it needs
 */
struct io_command {
	int (*fn)(struct nv_core *c, struct vt_req *req);
	u8 needs;
};

static const struct io_command io_commands[NV_CMD_LAST + 1] = {
	[NV_CMD_READ]		= { io_cmd_read, VT_RESV_READ },
	[NV_CMD_WRITE]		= { io_cmd_write, VT_RESV_WRITE },
	[NV_CMD_FLUSH]		= { io_cmd_flush, VT_RESV_WRITE },
	[NV_CMD_COMPARE]	= { io_cmd_compare, VT_RESV_READ },
	[NV_CMD_WRITE_ZEROES]	= { io_cmd_zeroes, VT_RESV_WRITE },
	[NV_CMD_DSM]		= { io_cmd_dsm, VT_RESV_WRITE },
	[NV_CMD_VERIFY]		= { io_cmd_verify, VT_RESV_READ },
	[NV_CMD_COPY]		= { io_cmd_copy, VT_RESV_WRITE },
	[NV_CMD_RESV_REGISTER]	= { io_cmd_resv_out, 0 },
	[NV_CMD_RESV_REPORT]	= { io_cmd_resv_report, 0 },
	[NV_CMD_RESV_ACQUIRE]	= { io_cmd_resv_out, 0 },
	[NV_CMD_RESV_RELEASE]	= { io_cmd_resv_out, 0 },
};

static const struct io_command *io_find(u8 opcode)
{
	if (opcode > NV_CMD_LAST || !io_commands[opcode].fn)
		return NULL;
	return &io_commands[opcode];
}

bool nv_io_knows(u8 opcode)
{
	return io_find(opcode);
}

bool nv_io_may(const struct nv_cmd *cmd)
{
	u8 needs = io_commands[cmd->sqe.opcode].needs;

	return (READ_ONCE(cmd->ns->resv.may) & needs) == needs;
}

/* The engine has not found the other half. */
static u16 io_lone_fused(const struct nv_sqe *sqe)
{
	return NV_FUSE(sqe->flags) == 3 ? NV_SC_FIELD : NV_SC_FUSED_MISSING;
}

/* Blocks and namespaces are the same, and no more than ACWU says (3.4.1). */
u16 nv_io_fused(const struct nv_sqe *first, const struct nv_sqe *second)
{
	if (first->opcode != NV_CMD_COMPARE || second->opcode != NV_CMD_WRITE)
		return NV_SC_FIELD | NV_SC_DNR;
	if (first->nsid != second->nsid || first->cdw10 != second->cdw10 ||
	    first->cdw11 != second->cdw11 ||
	    (first->cdw12 ^ second->cdw12) & cpu_to_le32(0xffff))
		return NV_SC_FIELD | NV_SC_DNR;
	if ((le32_to_cpu(first->cdw12) & 0xffff) > NV_ACWU)
		return NV_SC_FIELD | NV_SC_DNR;
	return NV_SC_SUCCESS;
}

static int io_no_unit(struct vt_req *req, u32 nsid)
{
	bool possible = nsid && nsid <= NV_MAX_NS;

	/* A namespace that is not active is a wrong field (3.2.1.4). */
	return io_refuse(req, possible ? NV_SC_FIELD : NV_SC_NS);
}

int nv_io_parse(struct nv_core *c, struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	u32 nsid = le32_to_cpu(cmd->sqe.nsid);
	const struct io_command *command = io_find(cmd->sqe.opcode);

	cmd->status = 0;
	cmd->second = NULL;
	cmd->slow = false;
	cmd->reading = false;
	cmd->nr_meta = 0;
	cmd->dw0 = 0;
	cmd->lba = 0;
	req->id = cmd->sqe.cid;
	req->op_class = VHOST_TARGET_OP_OTHER;
	req->io.op = VT_OP_FLUSH;
	req->io.sector = 0;

	cmd->ns = nsid && nsid <= NV_MAX_NS ? READ_ONCE(c->ns[nsid - 1]) :
		  NULL;
	if (unlikely(!command))
		return io_refuse(req, NV_SC_OPCODE);
	if (unlikely(NV_FUSE(cmd->sqe.flags)))
		return io_refuse(req, io_lone_fused(&cmd->sqe));
	if (unlikely(!cmd->ns))
		return io_no_unit(req, nsid);
	cmd->unit = cmd->ns->unit;
	req->io.be = cmd->unit->be;
	if (unlikely(!nv_io_may(cmd)))
		return io_refuse(req, NV_SC_RESV_CONFLICT);
	return INDIRECT_CALL_2(command->fn, io_cmd_read, io_cmd_write, c, req);
}

static u16 io_media_error(const struct vt_req *req)
{
	const struct nv_cmd *cmd = nv_req_cmd((struct vt_req *)req);

	return req->op_class == VHOST_TARGET_OP_READ || cmd->reading ?
	       NV_SC_READ_ERROR : NV_SC_WRITE_FAULT;
}

/* What the backend could not do will not be done by asking again. */
u16 nv_io_status(const struct vt_req *req)
{
	const struct nv_cmd *cmd = nv_req_cmd((struct vt_req *)req);

	if (likely(!req->io.status) || cmd->status)
		return cmd->status;
	switch (req->io.status) {
	case BLK_STS_NOTSUPP:
		return NV_SC_OPCODE | NV_SC_DNR;
	case BLK_STS_OFFLINE:
		return NV_SC_NS_NOT_READY | NV_SC_DNR;
	case BLK_STS_NOSPC:
		return NV_SC_CAPACITY_EXCEEDED | NV_SC_DNR;
	case BLK_STS_RESV_CONFLICT:
		return NV_SC_RESV_CONFLICT | NV_SC_DNR;
	case BLK_STS_PROTECTION:
		return NV_SC_GUARD | NV_SC_DNR;
	case BLK_STS_RESOURCE:
		return NV_SC_INTERNAL;
	default:
		return io_media_error(req) | NV_SC_DNR;
	}
}
