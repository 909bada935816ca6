/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of the NVM command set: between io.c, slow.c and the engine. */
#ifndef _VT_NVME_IO_H
#define _VT_NVME_IO_H

#include <linux/sizes.h>

#include <vhost_target/queue.h>

#include "nvme.h"

/* Pieces of metadata: tuples of NV_MAX_DATA, on any page. */
#define NV_META_PIECES	(NV_MAX_DATA / 512 * VT_PI_BYTES / NV_PAGE_SIZE + 1)

/**
 * struct nv_prot - what a command says of protection information
 * @info: PRINFO
 * @ref: reference tag of the first block
 * @app: application tag
 * @mask: bits of it that are checked
 */
struct nv_prot {
	u8 info;
	u32 ref;
	u16 app;
	u16 mask;
};

/**
 * struct nv_cmd - an I/O command; what a request of ours has behind it
 * @sqe: copy of the command
 * @sq: submission queue it came from, the engine's
 * @unit: what is behind its namespace
 * @ns: its namespace
 * @lba: first block
 * @nlb: blocks
 * @dw0: result
 * @status: of the command; 0: that of the request says it
 * @fua: what is written must be on stable storage
 * @slow: a Read or Write that the work item does
 * @reading: its last step was to read
 * @second: of a fused Compare: the Write
 * @prot: protection information, if the namespace has it
 * @nr_meta: entries of @meta
 * @meta: where the tuples of a Read go
 */
struct nv_cmd {
	struct nv_sqe sqe;
	void *sq;
	struct vt_unit *unit;
	struct nv_ns *ns;
	u64 lba;
	u32 nlb;
	u32 dw0;
	u16 status;
	bool fua;
	bool slow;
	bool reading;
	struct vt_req *second;
	struct nv_prot prot;
	unsigned int nr_meta;
	struct bio_vec meta[NV_META_PIECES];
};

static inline struct nv_cmd *nv_req_cmd(struct vt_req *req)
{
	return vt_req_priv(req);
}

/* Where bit buckets lead; nobody looks at what is in it. */
extern struct page *nv_sink;

/**
 * nv_io_parse - make a request of a command
 * @c: controller
 * @req: request that was reset, with a copy of the command behind it
 *
 * Context: ops->fetch of the queue.
 * Returns: 0: req->io is complete, to be submitted; 1: the command has ended,
 * with its status; 2: nv_slow() does it; -EAGAIN, -ENOBUFS as ops->fetch.
 * On an error nothing needs to be undone.
 */
int nv_io_parse(struct nv_core *c, struct vt_req *req);

/* Does the command have the rights it needs, at this moment? */
bool nv_io_may(const struct nv_cmd *cmd);

/**
 * nv_io_fused - are these two a Compare and Write?
 * @first: first command
 * @second: the next one
 *
 * Returns: 0, or the status of the first; the second is then aborted.
 */
u16 nv_io_fused(const struct nv_sqe *first, const struct nv_sqe *second);

/* The status of a command whose request has ended. */
u16 nv_io_status(const struct vt_req *req);

/* pi.c */
void nv_prot_get(struct nv_prot *p, const struct nv_sqe *sqe);

/**
 * nv_prot_check - are these tags possible?
 * @u: with protection information
 * @p: tags
 * @lba: first block
 * @write: a Write: PRACT inserts them
 *
 * Returns: a status.
 */
u16 nv_prot_check(const struct vt_unit *u, const struct nv_prot *p, u64 lba,
		  bool write);

/**
 * nv_prot_verify - check tuples against data
 * @pi: tuples; @bad and @bad_at are set if one fails
 * @p: what to check
 * @first: of the tuples
 * @nr: number
 * @data: of them, in one piece
 * @bs: bytes of a block
 */
bool nv_prot_verify(struct vt_pi *pi, const struct nv_prot *p, u32 first,
		    u32 nr, const void *data, u32 bs);

/**
 * nv_pi_start - see to the protection information of a command
 * @req: command with its blocks known, no data mapped
 * @write: the host gives it
 *
 * Sets cmd->slow if the backend cannot do it by itself.
 * Context: ops->fetch. Returns: 0, -errno as ops->fetch, or a status.
 */
int nv_pi_start(struct vt_req *req, bool write);
void nv_pi_free(struct vt_req *req);

/* A request with req->io.pi has ended: sets the status, frees it. */
void nv_pi_complete(struct vt_req *req);

/* A check failed, of tuples from block @lba on: the status of a command. */
void nv_pi_failed(struct nv_cmd *cmd, const struct vt_pi *pi, u64 lba);

/* What was mapped and counted for a request is not used after all. */
static inline void nv_req_undo(struct vt_req *req)
{
	vt_req_release(req);
	req->q->copied -= req->copied;
	req->copied = 0;
	if (unlikely(req->io.pi))
		nv_pi_free(req);
}

/* resv.c: reservation commands, in a work item. */
blk_status_t nv_resv_do(struct vt_req *req);

/* Clear a request's data. */
void nv_req_zero(struct vt_req *req);

/*
 * slow.c: bytes of the buffer that the work item may need for a command. They
 * count as copies: a queue has so many of both, see vt_req_bounce().
 */
#define NV_SLOW_MAX	SZ_16M
u32 nv_slow_bytes(const struct vt_req *req);

/* A work item does it, and ends with vt_io_end(). */
void nv_slow(struct vt_req *req);

#endif
