// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile controller beside a neighbour on its poller: what blk_isolation is
 * for virtio-blk. $VT_MEASURE=ROUNDS measures what the neighbour is left.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "neighbour.h"
#include "nvme.h"

#define NUM 1024		/* entries of the hostile queue */
#define PIECES 200
#define DATA (2 * PIECES * PAGE)

#define OP_READ 2
#define OP_COMPARE 5
#define OP_VERIFY 12
#define OP_COPY 0x19
#define OP_UNKNOWN 0x7f
#define ADMIN_ABORT 8
#define FUSED_FIRST 1

struct raid;

/**
 * struct attack - a way to be hostile
 * @name: what it is called
 * @cmd: the command that is repeated, without its data
 * @data: gives it some
 * @per_pass: commands that a pass may take at most
 * @count: how many to look at
 * @extra: what it does besides, again and again
 */
struct attack {
	const char *name;
	struct nvme_sqe cmd;
	void (*data)(struct raid *a, struct nvme_sqe *cmd);
	unsigned int per_pass;
	unsigned int count;
	void (*extra)(struct raid *a);
};

struct raid {
	const struct attack *attack;
	struct disk disk;
	struct bed bed;
	struct mem mem;
	struct nvme n;
	struct nvme_sqe cmd;
	u64 data;
	u64 *list;
	u64 list_gpa;
	unsigned int inflight;
	pthread_t thread;
	bool running;
	bool stop;
};

static void page(struct raid *a, struct nvme_sqe *cmd);
static void prps(struct raid *a, struct nvme_sqe *cmd);
static void sgls(struct raid *a, struct nvme_sqe *cmd);
static void copy(struct raid *a, struct nvme_sqe *cmd);
static void nothing(struct raid *a);
static void doorbells(struct raid *a);
static void odd_doorbells(struct raid *a);
static void aborts(struct raid *a);
static void queues(struct raid *a);
static void resets(struct raid *a);
static void haste(struct raid *a);

#define READ(nlb) { .opcode = OP_READ, .nsid = 1, .cdw12 = (nlb) - 1 }

/* The last ones take a CPU, which is the neighbour's, too. */
static const struct attack attacks[] = {
	{ "innocent reads", READ(8), page, 64, NUM - 1, NULL },
	{ "invalid commands", { .opcode = OP_UNKNOWN, .nsid = 1 }, NULL, 64,
	  NUM - 1, NULL },
	{ "fused firsts", { .opcode = OP_COMPARE, .flags = FUSED_FIRST,
			    .nsid = 1 }, page, 64, NUM - 1, NULL },
	{ "PRP lists", READ(8 * PIECES), prps, 14, 256, NULL },
	{ "SGL segments", READ(PIECES), sgls, 14, 256, NULL },
	{ "large copies", READ(8 * (PIECES - 1)), copy, 14, 32, NULL },
	{ "nothing", { 0 }, NULL, 64, 0, nothing },
	{ "doorbells", { 0 }, NULL, 64, 0, doorbells },
	{ "odd doorbells", { 0 }, NULL, 64, 0, odd_doorbells },
	{ "aborts", { 0 }, NULL, 64, 0, aborts },
	{ "queues", { 0 }, NULL, 64, 0, queues },
	{ "resets", { 0 }, NULL, 64, 0, resets },
	{ "haste", { 0 }, NULL, 64, 0, haste },
};

#define INNOCENT 0
#define NOTHING 6

/* What each command's data is. */

static void page(struct raid *a, struct nvme_sqe *cmd)
{
	cmd->prp1 = a->data;
}

/* Every other page. */
static void prps(struct raid *a, struct nvme_sqe *cmd)
{
	unsigned int i;

	cmd->prp1 = a->data;
	cmd->prp2 = a->list_gpa;
	for (i = 1; i < PIECES; i++)
		a->list[i - 1] = a->data + 2 * i * PAGE;
}

static void sgl_list(struct raid *a, struct nvme_sqe *cmd, u64 step,
		     u32 len, u64 off)
{
	struct nvme_sgl *sgl = (void *)a->list;
	struct nvme_sgl segment = {
		.addr = a->list_gpa, .len = PIECES * sizeof(*sgl), .type = 0x30,
	};
	unsigned int i;

	cmd->flags = 1 << 6;
	memcpy(&cmd->prp1, &segment, sizeof(segment));
	for (i = 0; i < PIECES; i++)
		sgl[i] = (struct nvme_sgl){
			.addr = a->data + i * step + off, .len = len,
		};
}

static void sgls(struct raid *a, struct nvme_sqe *cmd)
{
	sgl_list(a, cmd, 2 * PAGE, SECTOR, 0);
}

/* As no backend takes it, and one page less than there are pieces. */
static void copy(struct raid *a, struct nvme_sqe *cmd)
{
	struct nvme_sgl *sgl = (void *)a->list;

	sgl_list(a, cmd, 2 * PAGE, PAGE, 2);
	sgl[0].len = PAGE / 2;
	sgl[1].len = PAGE / 2;
}

/* The hostile session. */

static int raid_open(struct raid *a, const struct attack *t)
{
	int ret = mem_init(&a->mem, MEM_ONE, DATA + 4 * MIB, false);

	a->attack = t;
	a->inflight = 0;
	a->cmd = t->cmd;
	if (!ret)
		ret = nvme_open(&a->n, &a->mem, a->bed.name, NVME_DB_SHADOW);
	if (ret)
		return ret;
	if (!mem_alloc(&a->mem, DATA, PAGE, &a->data))
		return -ENOMEM;
	a->list = mem_alloc(&a->mem, PAGE, PAGE, &a->list_gpa);
	if (!a->list)
		return -ENOMEM;
	if (t->data)
		t->data(a, &a->cmd);
	ret = nvme_enable(&a->n, 32);
	return ret ? ret : nvme_create_queue(&a->n, 1, NUM);
}

static void raid_close(struct raid *a)
{
	nvme_close(&a->n);
	bed_wait_detached(&a->bed);
	mem_free(&a->mem);
}

static void offer(struct raid *a, unsigned int count)
{
	for (; a->inflight < count; a->inflight++) {
		a->cmd.cid = a->inflight;
		nvme_submit(&a->n, 1, &a->cmd);
	}
	nvme_ring(&a->n, 1);
}

/* Those that have ended. */
static unsigned int reap(struct raid *a)
{
	struct nvme_cqe cqe;
	unsigned int n;

	for (n = 0; a->inflight && nvme_take(&a->n, 1, &cqe); n++)
		a->inflight--;
	nvme_ring_cq(&a->n, 1);
	return n;
}

static void nothing(struct raid *a)
{
	u64 end = now_ns() + 10000;

	(void)a;
	while (now_ns() < end)
		;
}

static void doorbells(struct raid *a)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		nvme_write(&a->n, 0x1008, 4, a->n.q[1].sq.tail);
}

static void odd_doorbells(struct raid *a)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		nvme_write(&a->n, 0x1008, 4, NUM + i);
		nvme_write(&a->n, 0x1000 + 8 * i, 4, ~0u);
	}
}

static void aborts(struct raid *a)
{
	struct nvme_sqe cmd = { .opcode = ADMIN_ABORT, .cdw10 = 1 };

	nvme_admin(&a->n, &cmd, NULL);
}

static void queues(struct raid *a)
{
	nvme_delete_sq(&a->n, 1);
	nvme_delete_cq(&a->n, 1);
	nvme_create_queue(&a->n, 1, NUM);
}

static void resets(struct raid *a)
{
	nvme_disable(&a->n);
	nvme_enable(&a->n, 32);
	nvme_create_queue(&a->n, 1, NUM);
}

/* Enabled and disabled while the controller does what was asked for before. */
static void haste(struct raid *a)
{
	unsigned int i;

	for (i = 0; i < 300; i++)
		nvme_write(&a->n, 0x14, 4, i % 3 != 1 ? 4 << 20 | 6 << 16 | 1 : 0);
	resets(a);
}

static void *storm(void *arg)
{
	struct raid *a = arg;

	while (!__atomic_load_n(&a->stop, __ATOMIC_RELAXED)) {
		if (a->attack->extra) {
			a->attack->extra(a);
			continue;
		}
		reap(a);
		offer(a, NUM - 1);
		/* It takes longer to serve them; this CPU is the neighbour's. */
		usleep(200);
	}
	return NULL;
}

static int storm_begin(struct raid *a, const struct attack *t)
{
	int ret = raid_open(a, t);

	if (ret)
		return ret;
	a->stop = false;
	a->running = !pthread_create(&a->thread, NULL, storm, a);
	return a->running ? 0 : -EAGAIN;
}

static void storm_end(struct raid *a)
{
	if (a->running) {
		__atomic_store_n(&a->stop, true, __ATOMIC_RELAXED);
		pthread_join(a->thread, NULL);
	}
	a->running = false;
	raid_close(a);
}

/* Both, on one poller. */

FIXTURE(isolation)
{
	struct raid raid;
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct vblk_queue *q;
	struct vhost_target_poller poller;
};

FIXTURE_SETUP(isolation)
{
	struct disk_opts d = {
		.kind = DISK_NULL, .block_size = SECTOR, .size_mb = 16,
	};
	struct bed_opts b = {
		.disk = &self->raid.disk, .type = VHOST_TARGET_NVME,
		.num_queues = 2, .queue_size = NUM,
	};
	int ctl = ctl_open();

	bed_sweep();
	self->raid.n.fd = -1;
	self->q = &self->d.q[0];
	ASSERT_EQ(0, ctl_poller(ctl, ctl_some_poller(ctl), &self->poller));
	close(ctl);
	ASSERT_EQ(0, disk_create(&self->raid.disk, &d));
	ASSERT_EQ(0, bed_make(&self->raid.bed, &b));
}

FIXTURE_TEARDOWN(isolation)
{
	int ctl = ctl_open();

	storm_end(&self->raid);
	vblk_close(&self->d);
	EXPECT_EQ(0, ctl_poller_set(ctl, self->poller.id,
				    self->poller.idle_us));
	close(ctl);
	EXPECT_EQ(0, bed_finish(&self->raid.bed, &self->raid.disk));
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
}

#define NEIGHBOUR(delay_ns) do { \
	struct bed_opts __b = { .disk = &self->disk, .num_queues = 1 }; \
	struct vblk_opts __o = { .event_idx = true }; \
	ASSERT_EQ(0, bed_make_nullb(&self->bed, &__b, delay_ns)); \
	__o.target = self->bed.name; \
	ASSERT_EQ(0, vblk_open(&self->d, &__o)); \
} while (0)

static u64 busy_passes(const struct bed *bed)
{
	struct vhost_target_stats st;

	bed_stats(bed, &st);
	return st.polls - st.empty_polls;
}

/* All of a pass's commands are there before it: one doorbell tells of them. */
TEST_F(isolation, a_pass_is_bounded)
{
	struct raid *a = &self->raid;
	const struct attack *t;
	unsigned int got;
	u64 passes;

	for (t = attacks; t < attacks + ARRAY_SIZE(attacks); t++) {
		if (t->extra)
			continue;
		ASSERT_EQ(0, raid_open(a, t));
		passes = busy_passes(&a->bed);
		offer(a, t->count);
		got = 0;
		EXPECT_TRUE(vt_wait((got += reap(a)) == t->count))
			TH_LOG("%s: %u of %u ended", t->name, got, t->count);
		passes = busy_passes(&a->bed) - passes;
		TH_LOG("%s: %u commands in %llu passes", t->name, t->count,
		       (unsigned long long)passes);
		EXPECT_LE(t->count, passes * t->per_pass);
		raid_close(a);
	}
}

/* Each has a buffer of 1 MiB: a queue has 16 MiB of them at a time. */
TEST_F(isolation, buffers_are_few)
{
	static const struct attack verify = {
		"verifies", { .opcode = OP_VERIFY, .nsid = 1, .cdw12 = 2047 },
		NULL, 64, 64, NULL
	};
	static const struct attack copies = {
		"copies", { .opcode = OP_COPY, .nsid = 1 }, page, 64, 64, NULL
	};
	const struct attack *const attack[] = { &verify, &copies };
	struct bed_opts b = {
		.disk = &self->raid.disk, .type = VHOST_TARGET_NVME,
		.num_queues = 1, .queue_size = NUM,
	};
	struct raid *a = &self->raid;
	struct vhost_target_stats st;
	unsigned int i, got;

	bed_finish(&a->bed, &a->disk);
	ASSERT_EQ(0, bed_make_nullb(&a->bed, &b, 50000000));
	for (i = 0; i < ARRAY_SIZE(attack); i++) {
		ASSERT_EQ(0, raid_open(a, attack[i]));
		offer(a, 64);
		ASSERT_EQ(0, bed_wait_inflight(&a->bed, 1));
		for (got = 0; got < 64; got += reap(a)) {
			bed_stats(&a->bed, &st);
			ASSERT_GE(16, st.inflight);
		}
		bed_stats(&a->bed, &st);
		EXPECT_LT(0, st.parked);
		raid_close(a);
	}
}

TEST_F(isolation, each_pass_has_the_neighbour)
{
	struct raid *a = &self->raid;
	struct neighbour_looks l;
	const struct attack *t;

	NEIGHBOUR(0);
	ASSERT_EQ(0, ctl_poller_set(self->bed.ctl, self->poller.id,
				    NEIGHBOUR_IDLE_US));
	for (t = attacks; t < attacks + ARRAY_SIZE(attacks); t++) {
		if (t->extra == nothing)
			continue;
		ASSERT_EQ(0, storm_begin(a, t));
		EXPECT_EQ(0, neighbour_in_a_storm(self->q, &a->bed, &self->bed,
						  &l));
		TH_LOG("%s: %llu looks at it, %llu at the neighbour", t->name,
		       (unsigned long long)l.hostile,
		       (unsigned long long)l.neighbour);
		EXPECT_LE(l.hostile, l.neighbour + 1);
		storm_end(a);
	}
}

/* Measured, not judged. */

static const char *storm_name(unsigned int i)
{
	return attacks[i].name;
}

static unsigned int storm_twin(unsigned int i)
{
	return attacks[i].extra ? NOTHING : INNOCENT;
}

static int measured_begin(void *arg, unsigned int i)
{
	return storm_begin(arg, &attacks[i]);
}

static void measured_end(void *arg)
{
	storm_end(arg);
}

TEST_F(isolation, measured)
{
	const struct neighbour_storms s = {
		.nr = ARRAY_SIZE(attacks),
		.name = storm_name,
		.twin = storm_twin,
		.begin = measured_begin,
		.end = measured_end,
		.arg = &self->raid,
		.bed = &self->raid.bed,
	};

	if (!neighbour_option("VT_MEASURE", 0))
		SKIP(return, "$VT_MEASURE says how many rounds");
	NEIGHBOUR(neighbour_option("VT_DEVICE_US", NEIGHBOUR_DEVICE_US) * 1000);
	EXPECT_EQ(0, neighbour_measure(self->q, self->poller.cpu, &s));
}

TEST_HARNESS_MAIN
