// SPDX-License-Identifier: GPL-2.0
/*
 * NVMe with shadow doorbells, namespace 1. Queues that are spun on have no
 * interrupt, as those a Linux driver polls.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "nvme.h"

#define ADMIN_DEPTH 32

struct slot {
	u64 gpa;
	u64 *list;		/* of PRPs, when there are more than two */
	u64 list_gpa;
};

struct nvme_path {
	struct mem mem;
	struct nvme n;
	struct nvme_sqe sqe;	/* of every I/O */
	struct slot slot[BENCH_MAX_QUEUES][BENCH_MAX_DEPTH];
};

static struct nvme_path *to_path(const struct bench *b)
{
	return b->priv;
}

static int make_slot(struct nvme_path *p, struct slot *s, u32 bytes)
{
	if (!mem_alloc(&p->mem, bytes, PAGE, &s->gpa))
		return -ENOMEM;
	s->list = mem_alloc(&p->mem, PAGE, PAGE, &s->list_gpa);
	return s->list ? 0 : -ENOMEM;
}

static int make_queue(struct bench *b, unsigned int q)
{
	struct nvme_path *p = to_path(b);
	unsigned int i;
	int ret;

	ret = nvme_create_cq(&p->n, q + 1, b->o.queue_size,
			     b->o.calls ? q + 1 : NVME_NO_IRQ);
	if (!ret)
		ret = nvme_create_sq(&p->n, q + 1, b->o.queue_size, q + 1);
	for (i = 0; i < b->o.depth && !ret; i++)
		ret = make_slot(p, &p->slot[q][i], b->o.block_size);
	return ret;
}

/* A page that is mapped keeps the pollers awake for a while. */
static void unmap_doorbells(struct nvme *n)
{
	munmap((void *)n->page, PAGE);
	n->page = NULL;
}

/* NSZE and the LBA format in use. */
static int read_size(struct bench *b)
{
	struct nvme_path *p = to_path(b);
	int ret = nvme_identify(&p->n, 0, 1);
	const u8 *ns = p->n.buf;
	u64 nsze;

	if (ret)
		return ret;
	memcpy(&nsze, ns, sizeof(nsze));
	if (ns[128 + 4 * (ns[26] & 0xf) + 2] != 9) {
		vt_msg("no namespace 1 with blocks of 512 bytes");
		return -ENODEV;
	}
	b->bytes = nsze * SECTOR;
	return 0;
}

static int start(struct bench *b)
{
	struct nvme_path *p = to_path(b);
	unsigned int q;
	int ret;

	ret = nvme_enable(&p->n, ADMIN_DEPTH);
	if (!ret)
		ret = read_size(b);
	for (q = 0; q < b->o.queues && !ret; q++)
		ret = make_queue(b, q);
	nvme_set_rw(&p->sqe, 2, 1, 0, b->o.block_size / SECTOR);
	if (ret > 0)
		vt_msg("NVMe status %x", NVME_ERR(ret));
	return ret > 0 ? -EIO : ret;
}

static int nvme_path_open(struct bench *b)
{
	u64 per_io = align_up(b->o.block_size, PAGE) + PAGE;
	struct nvme_path *p = calloc(1, sizeof(*p));
	int ret;

	b->priv = p;
	if (!p)
		return -ENOMEM;
	ret = mem_init(&p->mem, MEM_ONE, 8 * MIB +
		       b->o.queues * (b->o.depth * per_io + 256 * KIB), false);
	if (!ret && b->o.memory)
		ret = mem_widen(&p->mem, b->o.memory, !b->o.small_pages);
	if (!ret)
		ret = bench_widen(b, &p->mem);
	if (!ret)
		ret = nvme_open(&p->n, &p->mem, b->o.target, NVME_DB_SHADOW);
	if (!ret && b->o.trap)
		unmap_doorbells(&p->n);
	return ret ? ret : start(b);
}

static void nvme_path_close(struct bench *b)
{
	struct nvme_path *p = to_path(b);

	if (!p)
		return;
	if (p->n.door)
		nvme_close(&p->n);
	mem_free(&p->mem);
	bench_narrow(b);
	free(p);
}

static int nvme_path_put(struct bench *b, unsigned int q, unsigned int i,
			 u64 offset)
{
	struct nvme_path *p = to_path(b);
	struct slot *s = &p->slot[q][i];
	struct nvme_sqe *cmd = &p->sqe;
	u64 lba = offset / SECTOR;

	cmd->opcode = b->write ? 1 : 2;
	cmd->cid = i;
	cmd->cdw10 = lba;
	cmd->cdw11 = lba >> 32;
	nvme_set_prp(cmd, bench_buffer(b, s->gpa), b->o.block_size, s->list, s->list_gpa);
	nvme_submit(&p->n, q + 1, cmd);
	return 0;
}

static int nvme_path_get(struct bench *b, unsigned int q, unsigned int *i)
{
	struct nvme_cqe cqe;

	if (!nvme_take(&to_path(b)->n, q + 1, &cqe))
		return 0;
	*i = cqe.cid;
	return cqe.status >> 1 ? -EIO : 1;
}

static void nvme_path_kick(struct bench *b, unsigned int q)
{
	nvme_ring(&to_path(b)->n, q + 1);
}

static void nvme_path_got(struct bench *b, unsigned int q)
{
	nvme_ring_cq(&to_path(b)->n, q + 1);
}

/* The interrupt is always wanted; what came before it is in its eventfd. */
static bool nvme_path_arm(struct bench *b, unsigned int q, int *fd)
{
	*fd = to_path(b)->n.q[q + 1].irq;
	return true;
}

static u64 nvme_path_kicks(const struct bench *b, unsigned int q)
{
	return to_path(b)->n.q[q + 1].rings;
}

const struct bench_path path_nvme = {
	.name	= "nvme",
	.open	= nvme_path_open,
	.close	= nvme_path_close,
	.put	= nvme_path_put,
	.kick	= nvme_path_kick,
	.get	= nvme_path_get,
	.got	= nvme_path_got,
	.arm	= nvme_path_arm,
	.kicks	= nvme_path_kicks,
};
