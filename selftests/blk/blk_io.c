// SPDX-License-Identifier: GPL-2.0
/*
 * One body of I/O over every kind of ring, backend and block size.
 *
 * blk_io [-q] [WORD...]: -q: one and four queues only; WORDs: only variants
 * whose name has each of them. One line of KTAP per variant.
 */
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kselftest.h>

#include "bed.h"
#include "forked.h"
#include "pattern.h"
#include "vblk.h"

#define SIZE_MB 16
#define AREA (512 * KIB)	/* written and read by each variant */
#define BUF (16 * KIB)
#define MAX_REQUESTS 1024
#define VARIANT_SECONDS 300
#define GENERATION 7

struct variant {
	bool packed;
	bool indirect;
	bool event_idx;
	unsigned int queues;
	enum disk_kind kind;
	unsigned int block_size;
	enum mem_layout layout;
	bool poll;
	char name[96];
};

struct run {
	const struct variant *v;
	struct disk *disk;
	struct bed bed;
	struct vblk d;
	struct rng rng;
	/* Pieces the area is cut into. */
	unsigned int nr;
	u64 at[MAX_REQUESTS];
	u32 len[MAX_REQUESTS];
	u64 refused;
};

static int check_config(struct run *r)
{
	const struct variant *v = r->v;
	struct vblk *d = &r->d;

	CHECK(vblk_has(d, VIRTIO_F_VERSION_1), "features %llx",
	      (unsigned long long)d->offered);
	CHECK(vblk_has(d, VIRTIO_BLK_F_BLK_SIZE), " ");
	CHECK(d->config.blk_size == v->block_size, "%u", d->config.blk_size);
	CHECK(d->config.capacity == r->bed.capacity / SECTOR, "%llu",
	      (unsigned long long)d->config.capacity);
	CHECK(!vblk_has(d, VIRTIO_BLK_F_RO), " ");
	if (v->queues > 1) {
		CHECK(vblk_has(d, VIRTIO_BLK_F_MQ), " ");
		CHECK(d->config.num_queues == v->queues, "%u",
		      d->config.num_queues);
	}
	if (vblk_has(d, VIRTIO_BLK_F_SEG_MAX))
		CHECK(d->config.seg_max >= 1, " ");
	/* null_blk has discard switched on. */
	if (v->kind == DISK_BDEV && !getenv("TEST_BDEV"))
		CHECK(vblk_has(d, VIRTIO_BLK_F_DISCARD), " ");
	return 0;
}

/* How to cut the data of a request: whole, by sectors, pages, odd lengths. */
static u32 piece_of(struct run *r, u32 len)
{
	const struct virtio_blk_config *c = &r->d.config;
	u32 piece = len, max = 24;

	switch (rng_below(&r->rng, 4)) {
	case 1:
		piece = align_up(len / 8 + 1, SECTOR);
		break;
	case 2:
		piece = len / (2 + rng_below(&r->rng, 5)) + 1;
		break;
	case 3:
		piece = PAGE;
		break;
	}
	if (vblk_has(&r->d, VIRTIO_BLK_F_SEG_MAX) && c->seg_max < max)
		max = c->seg_max;
	if (align_up(len, piece) / piece > max)
		piece = len;
	if (vblk_has(&r->d, VIRTIO_BLK_F_SIZE_MAX) && c->size_max < piece)
		piece = c->size_max;
	return piece;
}

static int submit_some(struct run *r, struct vblk_queue *q, u32 type,
		       unsigned int *next)
{
	struct vblk_req *req;
	int ret;

	while (*next < r->nr && (req = vblk_get(q))) {
		u32 len = r->len[*next];

		vblk_prepare(req, type, r->at[*next] / SECTOR, len);
		if (type == VIRTIO_BLK_T_OUT)
			pattern_fill(req->buf, len, req->sector, GENERATION);
		else
			memset(req->buf, 0xee, len);
		ret = vblk_submit_pieces(req, piece_of(r, len));
		if (ret) {
			vblk_put(req);
			CHECK(ret == -ENOSPC, "%d", ret);
			break;
		}
		++*next;
	}
	vblk_kick(q);
	return 0;
}

static int check_done(struct run *r, struct vblk_req *req)
{
	bool in = req->type == VIRTIO_BLK_T_IN;

	CHECK(*req->status == VIRTIO_BLK_S_OK, "sector %llu status %u",
	      (unsigned long long)req->sector, *req->status);
	CHECK(req->used_len == (in ? req->len + 1 : 1), "%u of %u",
	      req->used_len, req->len);
	if (in && r->v->kind != DISK_NULL)
		CHECK(!pattern_check(req->buf, req->len, req->sector,
				     GENERATION), "read back");
	vblk_put(req);
	return 0;
}

/* All of the area, on all queues, with as much in flight as goes. */
static int move_area(struct run *r, u32 type)
{
	unsigned int next = 0, done = 0, i = 0;
	struct vblk_req *req;

	while (done < r->nr) {
		struct vblk_queue *q = &r->d.q[i++ % r->v->queues];

		if (submit_some(r, q, type, &next))
			return -1;
		if (!q->inflight)
			continue;
		CHECK(!vblk_wait(q, &req), "request %u of %u", done, r->nr);
		if (check_done(r, req))
			return -1;
		done++;
	}
	return 0;
}

static u64 sum(const __u64 *v, unsigned int n)
{
	u64 total = 0;

	while (n--)
		total += v[n];
	return total;
}

/* The counters may follow the used ring with a short delay. */
static void settled_stats(struct run *r, struct vhost_target_stats *st,
			  u64 ops)
{
	vt_wait((bed_stats(&r->bed, st),
		 sum(st->ops, VHOST_TARGET_OP_CLASSES) >= ops &&
		 !st->inflight));
}

static int check_stats(struct run *r)
{
	struct vhost_target_stats st;
	u64 kicks = 0, calls = 0;
	unsigned int i;

	settled_stats(r, &st, 2 * r->nr);
	for (i = 0; i < r->v->queues; i++) {
		kicks += r->d.q[i].kicks;
		calls += r->d.q[i].calls;
	}
	for (i = VHOST_TARGET_OP_READ; i <= VHOST_TARGET_OP_WRITE; i++) {
		CHECK(st.ops[i] == r->nr, "class %u: %llu, not %u", i,
		      (unsigned long long)st.ops[i], r->nr);
		CHECK(st.bytes[i] == AREA, "class %u: %llu bytes", i,
		      (unsigned long long)st.bytes[i]);
		CHECK(!st.errors[i], " ");
		CHECK(sum(st.hist[i], VHOST_TARGET_HIST_BUCKETS) == r->nr,
		      " ");
	}
	CHECK(!st.invalid && !st.ring_errors && !st.inflight, " ");
	CHECK(st.kicks <= kicks, "%llu of %llu",
	      (unsigned long long)st.kicks, (unsigned long long)kicks);
	CHECK(st.calls >= calls, "%llu of %llu",
	      (unsigned long long)st.calls, (unsigned long long)calls);
	CHECK(st.polls, " ");
	return 0;
}

/* @len bytes from @sector on are zero or of the pattern. */
static int read_back(struct run *r, u64 sector, u32 len, bool zero)
{
	static u8 buf[BUF];

	if (r->v->kind == DISK_NULL)
		return 0;
	CHECK(!vblk_do(&r->d.q[0], VIRTIO_BLK_T_IN, sector, buf, len), " ");
	if (zero)
		CHECK(!pattern_check_zero(buf, len, sector), " ");
	else
		CHECK(!pattern_check(buf, len, sector, GENERATION), " ");
	return 0;
}

static int range_command(struct run *r, u32 type, u64 sector, u32 sectors,
			 u32 flags)
{
	struct virtio_blk_discard_write_zeroes range = {
		.sector = sector,
		.num_sectors = sectors,
		.flags = flags,
	};

	return vblk_do(&r->d.q[0], type, 0, &range, sizeof(range));
}

static int check_discard(struct run *r)
{
	u32 bs = r->v->block_size / SECTOR;
	int ret;

	ret = range_command(r, VIRTIO_BLK_T_DISCARD, 8 * bs, 8 * bs, 0);
	if (!vblk_has(&r->d, VIRTIO_BLK_F_DISCARD)) {
		CHECK(ret == VIRTIO_BLK_S_UNSUPP, "%d", ret);
		r->refused++;
		return 0;
	}
	CHECK(!ret, "%d", ret);
	CHECK(r->d.config.max_discard_sectors >= bs, " ");
	CHECK(r->d.config.max_discard_seg >= 1, " ");
	return read_back(r, 0, 8 * bs * SECTOR > BUF ? BUF : 8 * bs * SECTOR,
			 false) ||
	       read_back(r, 16 * bs, r->v->block_size, false);
}

static int check_write_zeroes(struct run *r)
{
	u32 bs = r->v->block_size / SECTOR;
	u64 at = AREA / 2 / SECTOR;
	u32 flag;
	int ret;

	for (flag = 0; flag <= VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP; flag++) {
		ret = range_command(r, VIRTIO_BLK_T_WRITE_ZEROES,
				    at + flag * 4 * bs, 2 * bs, flag);
		if (!vblk_has(&r->d, VIRTIO_BLK_F_WRITE_ZEROES)) {
			CHECK(ret == VIRTIO_BLK_S_UNSUPP, "%d", ret);
			r->refused++;
			continue;
		}
		CHECK(!ret, "flags %u: %d", flag, ret);
		if (read_back(r, at + flag * 4 * bs, 2 * bs * SECTOR, true) ||
		    read_back(r, at + flag * 4 * bs + 2 * bs,
			      2 * bs * SECTOR, false))
			return -1;
	}
	return read_back(r, at - bs, bs * SECTOR, false);
}

static int check_flush_and_id(struct run *r)
{
	char id[VIRTIO_BLK_ID_BYTES + 1] = "";
	int ret;

	ret = vblk_do(&r->d.q[0], VIRTIO_BLK_T_FLUSH, 0, NULL, 0);
	if (vblk_has(&r->d, VIRTIO_BLK_F_FLUSH))
		CHECK(!ret, "%d", ret);
	else if (ret == VIRTIO_BLK_S_UNSUPP)
		r->refused++;
	else
		CHECK(!ret, "%d", ret);
	CHECK(!vblk_do(&r->d.q[0], VIRTIO_BLK_T_GET_ID, 0, id,
		       VIRTIO_BLK_ID_BYTES), " ");
	CHECK(!strcmp(id, BED_SERIAL), "'%s'", id);
	return 0;
}

/* Each of these is refused before it reaches the backend. */
static int check_out_of_range(struct run *r)
{
	u64 end = vblk_sectors(&r->d);
	u32 bs = r->v->block_size;
	const struct {
		u64 sector;
		u32 len;
	} row[] = {
		{ end, bs },
		{ end - bs / SECTOR, 2 * bs },
		{ 1ull << 55, bs },
		{ ~0ull - bs / SECTOR + 1, bs },
		{ ~0ull, 2 * bs },
	};
	struct vhost_target_stats st;
	unsigned int i;
	u32 type;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		for (type = VIRTIO_BLK_T_IN; type <= VIRTIO_BLK_T_OUT; type++) {
			CHECK(vblk_do(&r->d.q[0], type, row[i].sector, NULL,
				      row[i].len) == VIRTIO_BLK_S_IOERR,
			      "row %u", i);
			r->refused++;
		}
	}
	if (bs > SECTOR) {
		CHECK(vblk_do(&r->d.q[0], VIRTIO_BLK_T_IN, 0, NULL, SECTOR) ==
		      VIRTIO_BLK_S_IOERR, " ");
		CHECK(vblk_do(&r->d.q[0], VIRTIO_BLK_T_IN, 1, NULL, bs) ==
		      VIRTIO_BLK_S_IOERR, " ");
		r->refused += 2;
	}
	bed_stats(&r->bed, &st);
	CHECK(st.invalid == r->refused, "%llu, not %llu",
	      (unsigned long long)st.invalid,
	      (unsigned long long)r->refused);
	return 0;
}

/*
 * One buffer that lies in two regions of guest memory. A whole block on each
 * side: null_blk loses data in segments smaller than its block.
 */
static int check_border(struct run *r)
{
	u32 half = r->v->block_size, len = 2 * half;
	u64 border = mem_border(&r->d.mem);
	struct vblk_queue *q = &r->d.q[0];
	struct vblk_req *req = vblk_get(q), *done;
	struct vring_seg seg[3];
	u8 buf[8192];

	if (!border) {
		vblk_put(req);
		return 0;
	}
	vblk_prepare(req, VIRTIO_BLK_T_IN, 0, len);
	seg[0] = (struct vring_seg){ req->hdr_gpa, 16, false };
	seg[1] = (struct vring_seg){ border - half, len, true };
	seg[2] = (struct vring_seg){ req->status_gpa, 1, true };
	CHECK(!vblk_submit_chain(req, seg, 3), " ");
	vblk_kick(q);
	CHECK(!vblk_wait(q, &done), " ");
	CHECK(*done->status == VIRTIO_BLK_S_OK, "%u", *done->status);
	CHECK(!mem_read(&r->d.mem, border - half, buf, len), " ");
	vblk_put(done);
	if (r->v->kind != DISK_NULL)
		CHECK(!pattern_check(buf, len, 0, GENERATION), " ");
	return 0;
}

/* Everything was taken and returned: the base says so. */
static int check_stop(struct run *r)
{
	unsigned int i;
	u32 base;

	CHECK(!vhost_stop(r->d.fd), " ");
	for (i = 0; i < r->v->queues; i++) {
		CHECK(!vhost_get_vring_base(r->d.fd, i, &base), " ");
		CHECK(base == vring_base(&r->d.q[i].vr), "%x, not %x", base,
		      vring_base(&r->d.q[i].vr));
	}
	return 0;
}

static int body(struct run *r)
{
	r->nr = rng_cut(&r->rng, AREA, r->v->block_size, BUF, r->at, r->len,
			MAX_REQUESTS);
	return check_config(r) ||
	       move_area(r, VIRTIO_BLK_T_OUT) ||
	       move_area(r, VIRTIO_BLK_T_IN) ||
	       check_stats(r) ||
	       check_flush_and_id(r) ||
	       check_border(r) ||
	       check_discard(r) ||
	       check_write_zeroes(r) ||
	       check_out_of_range(r) ||
	       check_stop(r);
}

static int run_variant(void *arg)
{
	struct run *r = arg;
	const struct variant *v = r->v;
	struct bed_opts b = {
		.disk = r->disk,
		.num_queues = v->queues,
		.queue_size = 128,
	};
	struct vblk_opts o = {
		.target = r->bed.name,
		.packed = v->packed,
		.indirect = v->indirect,
		.event_idx = v->event_idx,
		.poll = v->poll,
		.memfd = v->queues & 1,
		.nr_queues = v->queues,
		.queue_size = 128,
		.nr_reqs = 24,
		.buf_size = BUF,
		.layout = v->layout,
		.mem_size = 32 * MIB,
	};
	int ret;

	rng_seed(&r->rng, 42);
	if (bed_make(&r->bed, &b))
		return KSFT_FAIL;
	ret = vblk_open(&r->d, &o) || body(r);
	vblk_close(&r->d);
	bed_destroy(&r->bed);
	return ret ? KSFT_FAIL : KSFT_PASS;
}

/* Bits of @i pick the ring, then the queues, then block size and backend. */
static void make_variant(struct variant *v, unsigned int i)
{
	static const char *const layout[MEM_LAYOUTS] = {
		"one", "hole", "pieces", "reversed", "many",
	};

	v->packed = i & 1;
	v->indirect = i & 2;
	v->event_idx = i & 4;
	v->queues = 1 + (i >> 3) % 4;
	v->block_size = i >> 5 & 1 ? 4096 : 512;
	v->kind = i >> 6;
	v->layout = i % MEM_LAYOUTS;
	v->poll = i / 8 % 3 == 2;
	snprintf(v->name, sizeof(v->name),
		 "%s,%s,%s,%u-queue,%s,%u (memory %s, %s)",
		 v->packed ? "packed" : "split",
		 v->indirect ? "indirect" : "direct",
		 v->event_idx ? "event" : "noevent", v->queues,
		 disk_kind_name[v->kind], v->block_size, layout[v->layout],
		 v->poll ? "polling" : "interrupts");
}

#define NR_VARIANTS (DISK_KINDS << 6)

static bool wanted(const struct variant *v, char **words, bool quick)
{
	if (quick && v->queues != 1 && v->queues != 4)
		return false;
	for (; *words; words++) {
		if (!strstr(v->name, *words))
			return false;
	}
	return true;
}

static int disk_for(struct disk *disk, const struct variant *v)
{
	struct disk_opts o = {
		.kind = v->kind,
		.block_size = v->block_size,
		.size_mb = SIZE_MB,
	};
	struct bed_opts b = { .disk = disk, .num_queues = 1 };
	struct bed bed;

	if (disk->capacity && disk->kind == v->kind &&
	    disk->block_size == v->block_size)
		return 0;
	disk_destroy(disk);
	if (disk_create(disk, &o))
		return -1;
	/* Once here, so that a file moves to where it works for all. */
	if (bed_make(&bed, &b)) {
		disk->capacity = 0;
		return -1;
	}
	bed_destroy(&bed);
	return 0;
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && !strcmp(argv[1], "-q");
	char **words = argv + 1 + quick;
	unsigned int i, plan = 0;
	struct disk disk = { 0 };
	static struct run run;
	struct variant v;
	int ret;

	ksft_print_header();
	for (i = 0; i < NR_VARIANTS; i++) {
		make_variant(&v, i);
		plan += wanted(&v, words, quick);
	}
	ksft_set_plan(plan);
	bed_sweep();
	run.v = &v;
	run.disk = &disk;
	for (i = 0; i < NR_VARIANTS; i++) {
		make_variant(&v, i);
		if (!wanted(&v, words, quick))
			continue;
		ret = KSFT_FAIL;
		if (!disk_for(&disk, &v))
			ret = run_forked(run_variant, &run, VARIANT_SECONDS);
		ksft_test_result_report(ret, "%s\n", v.name);
	}
	disk_destroy(&disk);
	ksft_finished();
}
