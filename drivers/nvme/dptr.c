// SPDX-License-Identifier: GPL-2.0
/*
 * Data pointers of commands: PRPs and SGLs, NVMe Base 2.0, 4.1.
 *
 * Everything is copied before it is checked. Neighbouring pages are handed
 * over as one piece.
 */
#include <linux/indirect_call_wrapper.h>

#include "nvme.h"

/* Of I/O commands, mostly; what they cost with retpolines is in the way. */
#define walk_read(w, addr, buf, len) \
	INDIRECT_CALL_1((w)->read, nv_io_walk_read, (w), (addr), (buf), (len))
#define walk_piece(w, addr, len) \
	INDIRECT_CALL_1((w)->piece, nv_io_walk_piece, (w), (addr), (len))

/* PRP entries, SGL descriptors copied at a time. */
#define PRP_BATCH	32
#define SGL_BATCH	16

/* Guest memory that is not there is an error of the command. */
static int walk_error(int err)
{
	return err == -EFAULT ? NV_SC_DATA_XFER | NV_SC_DNR : err;
}

/**
 * struct prp_run - pages in a row, not handed over yet
 * @w: the walk
 * @addr: first byte
 * @len: bytes
 */
struct prp_run {
	struct nv_walk *w;
	u64 addr;
	u32 len;
};

static int prp_flush(struct prp_run *run)
{
	return run->len ? walk_piece(run->w, run->addr, run->len) : 0;
}

static int prp_add(struct prp_run *run, u64 addr, u32 len)
{
	int err;

	if (run->addr + run->len == addr) {
		run->len += len;
		return 0;
	}
	err = prp_flush(run);
	run->addr = addr;
	run->len = len;
	return err;
}

/* A page of a list: its entries, without the one that leads to the next. */
static int prp_list_page(struct prp_run *run, u64 list, unsigned int nr,
			 u32 *len)
{
	__le64 prp[PRP_BATCH];
	unsigned int n, i;
	u64 addr;
	u32 take;
	int err;

	for (; nr; nr -= n, list += n * sizeof(prp[0])) {
		n = min_t(unsigned int, nr, PRP_BATCH);
		err = walk_read(run->w, list, prp, n * sizeof(prp[0]));
		for (i = 0; !err && i < n; i++) {
			addr = le64_to_cpu(prp[i]);
			if (addr & (NV_PAGE_SIZE - 1))
				return NV_SC_PRP_OFFSET | NV_SC_DNR;
			take = min(*len, NV_PAGE_SIZE);
			err = prp_add(run, addr, take);
			*len -= take;
		}
		if (err)
			return err;
	}
	return 0;
}

/* The last entry of a page leads to the next one if it does not suffice. */
static int prp_list(struct prp_run *run, u64 list, u32 len)
{
	unsigned int slots, want;
	__le64 next;
	int err;

	if (list & 7)
		return NV_SC_PRP_OFFSET | NV_SC_DNR;
	for (;;) {
		slots = (NV_PAGE_SIZE - (list & (NV_PAGE_SIZE - 1))) /
			sizeof(next);
		want = DIV_ROUND_UP(len, NV_PAGE_SIZE);
		if (want <= slots)
			return prp_list_page(run, list, want, &len);

		err = prp_list_page(run, list, slots - 1, &len);
		if (err)
			return err;
		list += (slots - 1) * sizeof(next);
		err = walk_read(run->w, list, &next, sizeof(next));
		if (err)
			return err;
		list = le64_to_cpu(next);
		/* Only the first one may start within a page (4.1.1). */
		if (list & (NV_PAGE_SIZE - 1))
			return NV_SC_PRP_OFFSET | NV_SC_DNR;
	}
}

int nv_walk_prp(struct nv_walk *w, u64 prp1, u64 prp2, u32 len)
{
	u32 in = NV_PAGE_SIZE - (prp1 & (NV_PAGE_SIZE - 1));
	struct prp_run run = { .w = w, .addr = prp1, .len = min(in, len) };
	int err;

	if (prp1 & 3)
		return NV_SC_PRP_OFFSET | NV_SC_DNR;
	len -= run.len;
	if (!len) {
		err = 0;
	} else if (len <= NV_PAGE_SIZE) {
		if (prp2 & (NV_PAGE_SIZE - 1))
			return NV_SC_PRP_OFFSET | NV_SC_DNR;
		err = prp_add(&run, prp2, len);
	} else {
		err = prp_list(&run, prp2, len);
	}
	if (!err)
		err = prp_flush(&run);
	return walk_error(err);
}

/**
 * struct sgl_walk - where a walk over an SGL is
 * @w: the walk
 * @left: bytes of data that have no place yet
 * @budget: descriptors it may still have
 * @to_host: bit buckets count
 * @last: in the last segment
 * @seg: the next segment
 * @seg_len: its bytes, 0: there is none
 */
struct sgl_walk {
	struct nv_walk *w;
	u32 left;
	unsigned int budget;
	bool to_host;
	bool last;
	u64 seg;
	u32 seg_len;
};

static int sgl_data(struct sgl_walk *s, const struct nv_sgl *d)
{
	u32 len = le32_to_cpu(d->len);
	bool bucket = d->type == NV_SGL_BUCKET;

	/* What is sent to the device does not come from nowhere (4.1.2.2). */
	if (!len || (bucket && !s->to_host))
		return 0;
	if (len > s->left)
		return NV_SC_SGL_LENGTH | NV_SC_DNR;
	s->left -= len;
	if (bucket)
		return s->w->skip(s->w, len);
	return walk_piece(s->w, le64_to_cpu(d->addr), len);
}

/* Leads to the next segment; must be the last descriptor of its own. */
static int sgl_segment(struct sgl_walk *s, const struct nv_sgl *d, bool end)
{
	u32 len = le32_to_cpu(d->len);
	u64 addr = le64_to_cpu(d->addr);

	if (!end)
		return NV_SC_SGL_COUNT | NV_SC_DNR;
	if (s->last || !len || (len & (sizeof(*d) - 1)) || (addr & 7))
		return NV_SC_SGL_SEGMENT | NV_SC_DNR;
	s->seg = addr;
	s->seg_len = len;
	s->last = d->type == NV_SGL_LAST;
	return 0;
}

static int sgl_descriptor(struct sgl_walk *s, const struct nv_sgl *d, bool end)
{
	if (!s->budget--)
		return NV_SC_SGL_COUNT | NV_SC_DNR;
	switch (d->type) {
	case NV_SGL_DATA:
	case NV_SGL_BUCKET:
		return sgl_data(s, d);
	case NV_SGL_SEG:
	case NV_SGL_LAST:
		return sgl_segment(s, d, end);
	default:
		return NV_SC_SGL_TYPE | NV_SC_DNR;
	}
}

static int sgl_one_segment(struct sgl_walk *s)
{
	struct nv_sgl d[SGL_BATCH];
	unsigned int nr = s->seg_len / sizeof(d[0]), n, i;
	u64 addr = s->seg;
	int err;

	s->seg_len = 0;
	for (; nr; nr -= n, addr += n * sizeof(d[0])) {
		n = min_t(unsigned int, nr, SGL_BATCH);
		err = walk_read(s->w, addr, d, n * sizeof(d[0]));
		for (i = 0; !err && i < n; i++)
			err = sgl_descriptor(s, &d[i], i + 1 == nr);
		if (err)
			return err;
	}
	return 0;
}

int nv_walk_sgl(struct nv_walk *w, const struct nv_sgl *first, u32 len,
		bool to_host)
{
	struct sgl_walk s = {
		.w = w, .left = len, .budget = NV_SGL_MAX, .to_host = to_host,
	};
	int err;

	err = sgl_descriptor(&s, first, true);
	while (!err && s.seg_len)
		err = sgl_one_segment(&s);
	if (!err && s.left)
		err = NV_SC_SGL_LENGTH | NV_SC_DNR;
	return walk_error(err);
}

int nv_walk_data(struct nv_walk *w, const struct nv_sqe *cmd, u32 len,
		 bool to_host)
{
	switch (NV_PSDT(cmd->flags)) {
	case 0:
		return nv_walk_prp(w, le64_to_cpu(cmd->prp1),
				   le64_to_cpu(cmd->prp2), len);
	case 1:
	case 2:
		return nv_walk_sgl(w, &cmd->sgl, len, to_host);
	default:
		return NV_SC_FIELD | NV_SC_DNR;
	}
}
