// SPDX-License-Identifier: GPL-2.0
/*
 * One body of I/O over every kind of doorbell, data pointer, backend, block
 * size and number of queues.
 *
 * nvme_io [-q] [WORD...]: -q: fewer variants; WORDs: only variants whose name
 * has each of them. One line of KTAP per variant.
 */
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kselftest.h>

#include "bed.h"
#include "forked.h"
#include "nvme.h"
#include "pattern.h"

#define SIZE_MB 16
#define AREA (512 * KIB)	/* written and read by each variant */
#define BUF (64 * KIB)
#define DEPTH 32
#define MAX_COMMANDS 1024
#define VARIANT_SECONDS 300
#define GENERATION 7

struct variant {
	enum nvme_db db;
	bool sgl;
	unsigned int queues;
	bool shared_cq;
	enum disk_kind kind;
	unsigned int block_size;
	enum mem_layout layout;
	char name[96];
};

struct slot {
	u8 *buf;
	u64 gpa;
	void *list;
	u64 list_gpa;
	bool busy;
	unsigned int cmd;
};

struct run {
	const struct variant *v;
	struct bed bed;
	struct mem mem;
	struct nvme n;
	struct rng rng;
	struct slot slot[DEPTH];
	unsigned int nr;
	u64 at[MAX_COMMANDS];
	u32 len[MAX_COMMANDS];
};

/*
 * Data that does not start at the start of a page; not for null_blk with 4 KiB
 * blocks, which in Linux 6.12 then writes past the end of pages of its own.
 */
static u32 slot_offset(const struct run *r, unsigned int i)
{
	if (r->v->kind == DISK_BDEV && r->v->block_size > SECTOR)
		return 0;
	return i % 2 * SECTOR;
}

static int make_slots(struct run *r)
{
	unsigned int i;

	for (i = 0; i < DEPTH; i++) {
		struct slot *s = &r->slot[i];

		s->buf = mem_alloc(&r->mem, BUF + PAGE, PAGE, &s->gpa);
		s->list = mem_alloc(&r->mem, PAGE, PAGE, &s->list_gpa);
		CHECK(s->buf && s->list, "no memory");
		s->buf += slot_offset(r, i);
		s->gpa += slot_offset(r, i);
	}
	return 0;
}

static int make_queues(struct run *r)
{
	unsigned int i;
	int ret = 0;

	ret = nvme_set_feature(&r->n, 7, 7 << 16 | 7, NULL);
	CHECK(!ret, "%d", ret);
	for (i = 1; !ret && i <= r->v->queues; i++) {
		if (r->v->shared_cq && i > 1)
			ret = nvme_create_sq(&r->n, i, 16, 1);
		else
			ret = nvme_create_queue(&r->n, i, 16 + i);
	}
	CHECK(!ret, "queue %u: %x", i - 1, ret);
	return 0;
}

static void send(struct run *r, unsigned int qid, unsigned int si, u8 opcode)
{
	struct slot *s = &r->slot[si];
	u32 bs = r->v->block_size, len = r->len[s->cmd];
	struct nvme_sqe cmd = { .cid = si };

	nvme_set_rw(&cmd, opcode, 1, r->at[s->cmd] / bs, len / bs);
	if (r->v->sgl)
		nvme_set_sgl(&cmd, s->gpa, len, s->list, s->list_gpa);
	else
		nvme_set_prp(&cmd, s->gpa, len, s->list, s->list_gpa);
	if (opcode == 1)
		pattern_fill(s->buf, len, r->at[s->cmd] / SECTOR, GENERATION);
	else
		memset(s->buf, 0xaa, len);
	s->busy = true;
	nvme_submit(&r->n, qid, &cmd);
}

static int ended(struct run *r, const struct nvme_cqe *cqe, u8 opcode)
{
	struct slot *s = &r->slot[cqe->cid % DEPTH];

	CHECK(cqe->cid < DEPTH && s->busy, "cid %u", cqe->cid);
	CHECK(!(cqe->status >> 1), "status %x", cqe->status >> 1);
	s->busy = false;
	if (opcode == 2 && r->v->kind != DISK_NULL)
		CHECK(!pattern_check(s->buf, r->len[s->cmd],
				     r->at[s->cmd] / SECTOR, GENERATION), "data");
	return 0;
}

static int slot_free(const struct run *r)
{
	int i;

	for (i = 0; i < DEPTH; i++)
		if (!r->slot[i].busy)
			return i;
	return -1;
}

/* Hand over as many as fit in one of the queues. */
static unsigned int fill(struct run *r, unsigned int *next, u8 opcode)
{
	unsigned int qid = 1 + rng_below(&r->rng, r->v->queues), n = 0;
	int si;

	while (*next < r->nr && nvme_may_submit(&r->n, qid)) {
		si = slot_free(r);
		if (si < 0)
			break;
		r->slot[si].cmd = (*next)++;
		send(r, qid, si, opcode);
		n++;
	}
	if (n)
		nvme_ring(&r->n, qid);
	return n;
}

static int drain_some(struct run *r, unsigned int *under_way, u8 opcode)
{
	unsigned int cqs = r->v->shared_cq ? 1 : r->v->queues, i;
	u64 end = now_ns() + VT_PATIENCE * 1000000000ull;
	struct nvme_cqe cqe;
	bool any = false;

	while (!any) {
		for (i = 1; i <= cqs; i++) {
			while (nvme_reap(&r->n, i, &cqe)) {
				any = true;
				(*under_way)--;
				if (ended(r, &cqe, opcode))
					return -1;
			}
		}
		CHECK(now_ns() < end, "%u never ended", *under_way);
		if (!any && cqs == 1 && *under_way) {
			CHECK(!nvme_wait(&r->n, 1, &cqe), "no interrupt");
			any = true;
			(*under_way)--;
			if (ended(r, &cqe, opcode))
				return -1;
		}
	}
	return 0;
}

static int all(struct run *r, u8 opcode)
{
	unsigned int next = 0, under_way = 0;

	while (next < r->nr || under_way) {
		under_way += fill(r, &next, opcode);
		if (under_way && drain_some(r, &under_way, opcode))
			return -1;
	}
	return 0;
}

static int others(struct run *r)
{
	struct nvme_sqe cmd = { .opcode = 0, .nsid = 1 };
	struct slot *s = &r->slot[0];
	u32 bs = r->v->block_size;
	int ret;

	ret = nvme_do(&r->n, 1, &cmd, NULL);
	CHECK(!ret, "flush: %x", ret);

	memset(&cmd, 0, sizeof(cmd));
	nvme_set_rw(&cmd, 8, 1, 8, 16);
	ret = nvme_do(&r->n, 1, &cmd, NULL);
	CHECK(!ret, "write zeroes: %x", ret);
	memset(&cmd, 0, sizeof(cmd));
	nvme_set_rw(&cmd, 2, 1, 8, 16);
	nvme_set_prp(&cmd, s->gpa, 16 * bs, s->list, s->list_gpa);
	ret = nvme_do(&r->n, 1, &cmd, NULL);
	CHECK(!ret, "read: %x", ret);
	if (r->v->kind != DISK_NULL)
		CHECK(!pattern_check_zero(s->buf, 16 * bs, 8 * bs / SECTOR),
		      "zeroes");
	return 0;
}

static int identify(struct run *r)
{
	const u8 *p = r->n.buf;
	u64 nsze;
	int ret;

	ret = nvme_identify(&r->n, 0, 1);
	CHECK(!ret, "identify: %x", ret);
	memcpy(&nsze, p, sizeof(nsze));
	CHECK(nsze == r->bed.capacity / r->v->block_size, "size %llu",
	      (unsigned long long)nsze);
	CHECK(1u << p[130] == r->v->block_size, "block size 2^%u", p[130]);
	return 0;
}

static int run_body(struct run *r)
{
	int ret;

	CHECK(!nvme_open(&r->n, &r->mem, r->bed.name, r->v->db), "open");
	ret = nvme_enable(&r->n, 32);
	CHECK(!ret, "enable: %x", ret);
	if (identify(r) || make_queues(r) || make_slots(r))
		return -1;
	if (all(r, 1) || all(r, 2) || others(r))
		return -1;
	CHECK(!nvme_disable(&r->n), "disable");
	return 0;
}

static int run_variant(void *arg)
{
	const struct variant *v = arg;
	struct disk_opts o = {
		.kind = v->kind, .block_size = v->block_size,
		.size_mb = SIZE_MB,
	};
	static struct run r;
	struct disk disk;
	struct bed_opts b = {
		.disk = &disk, .type = VHOST_TARGET_NVME, .num_queues = 8,
	};
	int ret;

	r.v = v;
	rng_seed(&r.rng, 42);
	r.nr = rng_cut(&r.rng, AREA, v->block_size, BUF, r.at, r.len,
		       MAX_COMMANDS);
	if (disk_create(&disk, &o))
		return KSFT_SKIP;
	ret = bed_make(&r.bed, &b);
	if (!ret) {
		ret = mem_init(&r.mem, v->layout, 16 * MIB, false);
		if (!ret)
			ret = run_body(&r);
		nvme_close(&r.n);
		bed_destroy(&r.bed);
	}
	disk_destroy(&disk);
	return ret ? KSFT_FAIL : KSFT_PASS;
}

static void name_variant(struct variant *v)
{
	snprintf(v->name, sizeof(v->name), "%s %s %s %u, %u queues%s, memory %d",
		 nvme_db_name[v->db], v->sgl ? "sgl" : "prp",
		 disk_kind_name[v->kind], v->block_size, v->queues,
		 v->shared_cq ? " of one cq" : "", v->layout);
}

static unsigned int make_variants(struct variant *v, bool quick)
{
	static const unsigned int queues[] = { 1, 2, 8 };
	unsigned int n = 0, i;

	for (i = 0; i < NVME_DBS * 2 * ARRAY_SIZE(queues) * DISK_KINDS * 2; i++) {
		unsigned int rest = i;

		v[n] = (struct variant) { .db = rest % NVME_DBS };
		rest /= NVME_DBS;
		v[n].sgl = rest % 2;
		rest /= 2;
		v[n].queues = queues[rest % ARRAY_SIZE(queues)];
		rest /= ARRAY_SIZE(queues);
		v[n].kind = rest % DISK_KINDS;
		rest /= DISK_KINDS;
		v[n].block_size = rest % 2 ? 4096 : 512;
		v[n].shared_cq = v[n].queues == 2;
		v[n].layout = i % MEM_LAYOUTS;
		if (quick && v[n].queues == 8)
			continue;
		name_variant(&v[n++]);
	}
	return n;
}

static bool wanted(const struct variant *v, int argc, char **argv)
{
	int i;

	for (i = optind; i < argc; i++)
		if (!strstr(v->name, argv[i]))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	static struct variant v[256];
	unsigned int n, i, chosen = 0;
	bool quick = false;
	int c, ret;

	while ((c = getopt(argc, argv, "q")) != -1)
		quick = c == 'q';
	n = make_variants(v, quick);
	for (i = 0; i < n; i++)
		chosen += wanted(&v[i], argc, argv);
	ksft_print_header();
	ksft_set_plan(chosen);
	bed_sweep();
	for (i = 0; i < n; i++) {
		if (!wanted(&v[i], argc, argv))
			continue;
		ret = run_forked(run_variant, &v[i], VARIANT_SECONDS);
		if (ret == KSFT_SKIP)
			ksft_test_result_skip("%s\n", v[i].name);
		else
			ksft_test_result(ret == KSFT_PASS, "%s\n", v[i].name);
	}
	ksft_finished();
}
