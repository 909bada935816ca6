// SPDX-License-Identifier: GPL-2.0
/* See pass.h. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "pass.h"

#define MAX_BATCH	64
#define PER_ROUND	20000

u8 *pass_mem;
struct vt_gmem pass_gmem;
struct vt_target pass_target;
static struct vt_pq *pq;
static struct vt_backend be;
static struct vt_unit unit;
static struct vt_qstats stats[2];
static u64 now = 1000000;

void pass_die(const char *what)
{
	fprintf(stderr, "pass: %s\n", what);
	exit(1);
}

/* What the core asks of the rest of it. */

int vt_gmem_lookup(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		   struct page **p, unsigned int *off)
{
	u64 rel = addr - PASS_MEM;

	(void)gm;
	(void)write;
	if (rel >= PASS_MEM_LEN)
		return -EFAULT;
	*off = rel % PAGE_SIZE;
	*p = (struct page *)(pass_mem + (rel - *off));
	return min_t(u64, len, PASS_MEM_LEN - rel);
}

int vt_gmem_lookup_in(struct vt_gmem *gm, const struct vt_chunk *c, u64 addr,
		      u32 len, bool write, struct page **p, unsigned int *off)
{
	(void)c;
	return vt_gmem_lookup(gm, addr, len, write, p, off);
}

/* As of a VM whose memory is in small pages. */
static void memory_begin(void)
{
	unsigned int i, k;

	pass_mem = mmap(NULL, PASS_MEM_LEN, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (pass_mem == MAP_FAILED)
		pass_die("no memory");
	for (i = 0; i < PASS_MEM_LEN / VT_CHUNK_SIZE; i++) {
		struct vt_chunk *c = calloc(1, sizeof(*c));

		if (c)
			c->page = calloc(VT_CHUNK_PAGES, sizeof(*c->page));
		if (!c || !c->page)
			pass_die("no memory");
		for (k = 0; k < VT_CHUNK_PAGES; k++)
			c->page[k] = (unsigned long)pass_mem +
				     i * VT_CHUNK_SIZE + k * PAGE_SIZE;
		xa_store(&pass_gmem.chunks, (PASS_MEM >> VT_CHUNK_SHIFT) + i, c,
			 GFP_KERNEL);
	}
}

int vt_gmem_fill(struct vt_gmem *gm, u64 addr)
{
	(void)gm;
	(void)addr;
	return -EFAULT;
}

int vt_gmem_map(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		struct vt_map *map)
{
	(void)gm;
	(void)len;
	(void)write;
	*map = (struct vt_map) { .addr = pass_at(addr), .nr = 1 };
	return 0;
}

void vt_map_undo(struct vt_map *map)
{
	memset(map, 0, sizeof(*map));
}

void vt_io_punt(struct vt_io *io, work_func_t fn)
{
	(void)io;
	(void)fn;
	abort();
}

void vt_pq_init(struct vt_pq *q, const struct vt_pq_ops *ops, u64 *rearms,
		u64 *sleeps)
{
	q->ops = ops;
	q->rearms = rearms;
	q->sleeps = sleeps;
}

void vt_pq_place(struct vt_pq *q, const struct vt_poller_set *set)
{
	(void)set;
	/* The last one is that of I/O. */
	pq = q;
}

void vt_pq_unplace(struct vt_pq *q)
{
	(void)q;
}

void vt_pq_wake(struct vt_pq *q)
{
	(void)q;
}

void vt_pq_call(struct vt_pq *q, void (*fn)(void *arg), void *arg)
{
	(void)q;
	fn(arg);
}

u64 shim_now(void)
{
	return now;
}

int vt_type_register(struct vt_type *t)
{
	pass_target.type = t;
	return 0;
}

void vt_type_unregister(struct vt_type *t)
{
	(void)t;
}

int misc_register(struct miscdevice *misc)
{
	(void)misc;
	return 0;
}

void misc_deregister(struct miscdevice *misc)
{
	(void)misc;
}

void vt_target_put(struct vt_target *t)
{
	(void)t;
}

void vt_target_keep_stats(struct vt_session *s)
{
	(void)s;
}

void vt_backend_hold(struct vt_backend *b)
{
	(void)b;
}

void vt_backend_release(struct vt_backend *b)
{
	(void)b;
}

/* There is no protection information. */

struct vt_pi *vt_pi_alloc(const struct vt_backend *b, u64 sector, u32 bytes,
			  gfp_t gfp)
{
	(void)b;
	(void)sector;
	(void)bytes;
	(void)gfp;
	return NULL;
}

void vt_pi_free(struct vt_pi *pi)
{
	(void)pi;
}

/* The disk. */

/* As the block device backend, which is called without a pointer. */
void vt_bdev_submit(struct vt_io *io)
{
	vt_io_end(io, BLK_STS_OK);
}

static const struct vt_backend_ops disk_ops = {
	.type = VHOST_TARGET_BACKEND_NULL,
	.submit = vt_bdev_submit,
};

static void disk_begin(void)
{
	be.ops = &disk_ops;
	be.limits = (struct vt_limits) {
		.sectors = 1 << 20, .block_size = 512,
		.physical_block_size = 4096, .dma_mask = 3,
	};
	if (vt_rmw_init(&be.rmw) || vt_resv_init(&be.resv))
		pass_die("no memory");
	unit.target = &pass_target;
	unit.be = &be;
	strcpy(pass_target.name, "pass");
	pass_target.num_queues = 2;
	pass_target.queue_size = PASS_RING;
	pass_target.ref.count = 1;
	pass_target.stats = stats;
	INIT_LIST_HEAD(&pass_target.sessions);
	xa_store(&pass_target.units, 0, &unit, GFP_KERNEL);
	pass_target.nr_units = 1;
}

/* Whose turn it is: 1 the device's, 0 the driver's, 2 the end. */
static int turn __attribute__((aligned(64)));

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		pass_die("two CPUs are needed");
}

static const struct pass_way *way = pass_ways;
static unsigned int batch;

static void *driver(void *arg)
{
	int whose;

	(void)arg;
	on_cpu(0);
	while ((whose = __atomic_load_n(&turn, __ATOMIC_ACQUIRE)) != 2) {
		if (whose) {
			_mm_pause();
			continue;
		}
		way->put(batch);
		__atomic_store_n(&turn, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Counts for the requests of a batch. */
static u64 device_batch(void)
{
	unsigned int done = 0, n;
	u64 from;

	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 1)
		_mm_pause();
	now += 100000;
	from = __rdtsc();
	/* Taken and ended; what has no I/O is taken only. */
	do {
		n = pq->ops->poll(pq, now, 0);
		done += n;
	} while (n && done < 2 * batch);
	from = __rdtsc() - from;
	__atomic_store_n(&turn, 0, __ATOMIC_RELEASE);
	return from;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The median of a round: what disturbs some of it does not count. */
static u64 a_round(void)
{
	static u64 t[PER_ROUND];
	unsigned int i;

	for (i = 0; i < PER_ROUND; i++)
		t[i] = device_batch();
	qsort(t, PER_ROUND, sizeof(t[0]), compare);
	return t[PER_ROUND / 2];
}

static unsigned int option(int argc, char **argv, const char *name,
			   unsigned int val)
{
	int i;

	for (i = 1; i + 1 < argc; i += 2)
		if (!strcmp(argv[i], name))
			val = atoi(argv[i + 1]);
	return val;
}

static void measure(u64 *t, unsigned int rounds)
{
	unsigned int i;

	for (i = 0; i < rounds; i++)
		t[i] = a_round();
	qsort(t, rounds, sizeof(*t), compare);
	printf("%s: %.1f (%.1f to %.1f)\n", way->name,
	       (double)t[rounds / 2] / batch, (double)t[rounds / 4] / batch,
	       (double)t[rounds - 1 - rounds / 4] / batch);
}

/* The driver has put a batch, and waits: what comes next is another way's. */
static void next_way(void)
{
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 1)
		_mm_pause();
	way++;
	if (way->name)
		device_batch();
	else
		__atomic_store_n(&turn, 2, __ATOMIC_RELEASE);
}

int main(int argc, char **argv)
{
	unsigned int rounds = option(argc, argv, "--rounds", 5);
	pthread_t thread;
	u64 *t;

	batch = option(argc, argv, "--batch", 32);
	if (!rounds || !batch || batch > MAX_BATCH)
		pass_die("--rounds 1.., --batch 1..64");
	memory_begin();
	t = calloc(rounds, sizeof(*t));
	if (!t)
		pass_die("no memory");
	on_cpu(1);
	disk_begin();
	if (shim_module_init())
		pass_die("the module does not start");
	if (pass_target.type->unit_init && pass_target.type->unit_init(&unit))
		pass_die("no unit");
	pass_device();
	if (pthread_create(&thread, NULL, driver, NULL))
		pass_die("no thread");
	while (way->name) {
		measure(t, rounds);
		next_way();
	}
	pthread_join(thread, NULL);
	free(t);
	return 0;
}
