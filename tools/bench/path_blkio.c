// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio-blk device by libblkio: a vhost-vdpa node, whoever is behind it, or
 * the socket of a vhost-user process. The client is the same for all.
 */
#include <blkio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define BATCH 64

struct blkio_queue {
	struct blkioq *q;
	struct blkio_completion done[BATCH];
	int nr_done;
	int next;
	u64 kicks;
};

struct blkio_path {
	struct blkio *b;
	struct blkio_mem_region mem;
	struct blkio_queue q[BENCH_MAX_QUEUES];
};

static struct blkio_path *to_blkio(const struct bench *b)
{
	return b->priv;
}

static int failed(const char *what, int ret)
{
	vt_msg("libblkio: %s: %s", what, blkio_get_error_msg());
	return ret;
}

static int blkio_path_connect(struct bench *b, const char *driver)
{
	struct blkio_path *p = to_blkio(b);
	int ret;

	ret = blkio_create(driver, &p->b);
	if (ret)
		return failed(driver, ret);
	ret = blkio_set_str(p->b, "path", b->o.target);
	if (!ret)
		ret = blkio_connect(p->b);
	if (!ret)
		ret = blkio_set_int(p->b, "num-queues", b->o.queues);
	if (!ret)
		ret = blkio_set_int(p->b, "queue-size", b->o.queue_size);
	if (!ret)
		ret = blkio_start(p->b);
	if (!ret)
		ret = blkio_get_uint64(p->b, "capacity", &b->bytes);
	return ret ? failed(b->o.target, ret) : 0;
}

static int blkio_path_memory(struct bench *b)
{
	struct blkio_path *p = to_blkio(b);
	u64 size = (u64)b->o.queues * b->o.depth * b->o.block_size;
	int ret;

	ret = blkio_alloc_mem_region(p->b, &p->mem, (size + PAGE - 1) & -PAGE);
	if (ret)
		return failed("memory", ret);
	ret = blkio_map_mem_region(p->b, &p->mem);
	return ret ? failed("memory", ret) : 0;
}

static int blkio_path_open(struct bench *b, const char *driver)
{
	struct blkio_path *p = calloc(1, sizeof(*p));
	unsigned int i;
	int ret;

	b->priv = p;
	if (!p)
		return -ENOMEM;
	ret = blkio_path_connect(b, driver);
	if (!ret)
		ret = blkio_path_memory(b);
	if (ret)
		return ret;
	for (i = 0; i < b->o.queues; i++) {
		p->q[i].q = blkio_get_queue(p->b, i);
		blkioq_set_completion_fd_enabled(p->q[i].q, b->o.calls);
	}
	return 0;
}

static int vdpa_open(struct bench *b)
{
	return blkio_path_open(b, "virtio-blk-vhost-vdpa");
}

static int user_open(struct bench *b)
{
	return blkio_path_open(b, "virtio-blk-vhost-user");
}

static void blkio_path_close(struct bench *b)
{
	if (b->priv && to_blkio(b)->b)
		blkio_destroy(&to_blkio(b)->b);
	free(b->priv);
}

static int blkio_path_put(struct bench *b, unsigned int q, unsigned int i,
			  u64 offset)
{
	struct blkio_path *p = to_blkio(b);
	void *buf = p->mem.addr + ((u64)q * b->o.depth + i) * b->o.block_size;
	void *slot = (void *)(uintptr_t)i;

	if (b->o.write)
		blkioq_write(p->q[q].q, offset, buf, b->o.block_size, slot, 0);
	else
		blkioq_read(p->q[q].q, offset, buf, b->o.block_size, slot, 0);
	return 0;
}

/* Whether the device is really told is libblkio's to know: calls are counted. */
static void blkio_path_kick(struct bench *b, unsigned int q)
{
	struct blkio_queue *bq = &to_blkio(b)->q[q];

	bq->kicks++;
	if (blkioq_do_io(bq->q, NULL, 0, 0, NULL) < 0)
		failed("submitting", 0);
}

static int blkio_path_get(struct bench *b, unsigned int q, unsigned int *i)
{
	struct blkio_queue *bq = &to_blkio(b)->q[q];
	struct blkio_completion *c;

	if (bq->next == bq->nr_done) {
		bq->next = 0;
		bq->nr_done = blkioq_do_io(bq->q, bq->done, 0, BATCH, NULL);
		if (bq->nr_done < 0) {
			int ret = bq->nr_done;

			bq->nr_done = 0;
			return failed("reaping", ret);
		}
		if (!bq->nr_done)
			return 0;
	}
	c = &bq->done[bq->next++];
	*i = (uintptr_t)c->user_data;
	return c->ret ? c->ret : 1;
}

static void blkio_path_got(struct bench *b, unsigned int q)
{
	(void)b;
	(void)q;
}

static bool blkio_path_arm(struct bench *b, unsigned int q, int *fd)
{
	*fd = blkioq_get_completion_fd(to_blkio(b)->q[q].q);
	return true;
}

static u64 blkio_path_kicks(const struct bench *b, unsigned int q)
{
	return to_blkio(b)->q[q].kicks;
}

#define BLKIO_PATH(_name, _open) {			\
	.name = _name,					\
	.open = _open,					\
	.close = blkio_path_close,			\
	.put = blkio_path_put,				\
	.kick = blkio_path_kick,			\
	.get = blkio_path_get,				\
	.got = blkio_path_got,				\
	.arm = blkio_path_arm,				\
	.kicks = blkio_path_kicks,			\
}

const struct bench_path path_vdpa = BLKIO_PATH("vdpa", vdpa_open);
const struct bench_path path_user = BLKIO_PATH("vhost-user", user_open);
