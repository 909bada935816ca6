// SPDX-License-Identifier: GPL-2.0
/*
 * A neighbour on the same poller: what a queue may cost in a pass is bounded,
 * whatever its driver does, and the neighbour's queue is looked at in each.
 *
 * With $VT_MEASURE=ROUNDS it also measures what the neighbour is left, whose
 * device takes $VT_DEVICE_US; nothing is judged by that.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "neighbour.h"
#include "pattern.h"
#include "vblk.h"

#define NUM 1024		/* entries of the hostile ring */
#define DATA (8 * MIB)		/* its buffer */

struct raid;

/**
 * struct attack - a way to be hostile
 * @name: what it is called
 * @type: of the request that is repeated
 * @segs: between header and status
 * @len: bytes of each
 * @last: bytes of one more, 0: none
 * @step: from one to the next in the buffer
 * @per_pass: requests that a pass may take at most
 * @chains: how many to look at; it takes longer to emulate the large ones
 * @extra: what it does besides, again and again
 */
struct attack {
	const char *name;
	u32 type;
	unsigned int segs;
	u32 len;
	u32 last;
	u32 step;
	unsigned int per_pass;
	unsigned int chains;
	void (*extra)(struct raid *a);
};

struct raid {
	const struct attack *attack;
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct vqueue *vr;
	u64 data;
	pthread_t thread;
	bool running;
	bool stop;
	u16 avail;
};

static void nothing(struct raid *a);
static void kicks(struct raid *a);
static void resets(struct raid *a);
static void calls(struct raid *a);

#define UNKNOWN 0x77

/*
 * The last four take a CPU, which is the neighbour's, too. The others have the
 * ring full all the time.
 */
static const struct attack attacks[] = {
	{ "innocent reads", VIRTIO_BLK_T_IN, 1, 4096, 0, 0, 64, NUM, NULL },
	{ "invalid commands", UNKNOWN, 0, 0, 0, 0, 64, NUM, NULL },
	{ "endless chains", UNKNOWN, NUM - 2, 1, 0, 0, 3, NUM, NULL },
	{ "many pieces", VIRTIO_BLK_T_IN, 1000, 8192, 0, 8192, 2, 256, NULL },
	{ "copies", VIRTIO_BLK_T_OUT, 1, 60 * KIB - 1, 1, 0, 11, 512, NULL },
	{ "large copies", VIRTIO_BLK_T_OUT, 1, DATA - 2 * 65536 - 1, 1, 0, 2,
	  32, NULL },
	{ "nothing", UNKNOWN, 0, 0, 0, 0, 64, NUM, nothing },
	{ "kicks", UNKNOWN, 0, 0, 0, 0, 64, NUM, kicks },
	{ "resets", UNKNOWN, NUM - 2, 1, 0, 0, 3, NUM, resets },
	{ "calls", UNKNOWN, 0, 0, 0, 0, 64, NUM, calls },
};

#define INNOCENT	0
#define NOTHING		(ARRAY_SIZE(attacks) - 4)

/* The hostile session. */

static void write_chain(struct raid *a)
{
	const struct attack *t = a->attack;
	struct vblk_req *r = &a->d.q[0].req[0];
	u16 dir = t->type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0;
	struct vring_desc *desc = a->vr->desc;
	unsigned int i, n = 0;

	vblk_prepare(r, t->type, 0, 0);
	desc[n++] = (struct vring_desc){ r->hdr_gpa, sizeof(*r->hdr), 0, 0 };
	for (i = 0; i < t->segs; i++)
		desc[n++] = (struct vring_desc){
			a->data + i * t->step, t->len, dir, 0,
		};
	if (t->last)
		desc[n++] = (struct vring_desc){ a->data, t->last, dir, 0 };
	desc[n++] = (struct vring_desc){
		r->status_gpa, 1, VRING_DESC_F_WRITE, 0,
	};
	for (i = 0; i + 1 < n; i++) {
		desc[i].flags |= VRING_DESC_F_NEXT;
		desc[i].next = i + 1;
	}
	/* All entries of the ring are this chain. */
	memset(a->vr->avail->ring, 0, NUM * sizeof(a->vr->avail->ring[0]));
}

/* As many chains as there are entries, or @n more, are available. */
static void offer(struct raid *a, unsigned int n)
{
	if (!n)
		a->avail = vring_load_acquire(&a->vr->used->idx) + NUM;
	else
		a->avail += n;
	vring_split_set_avail(a->vr, a->avail);
}

static int raid_open(struct raid *a, const struct attack *t)
{
	struct vblk_opts o = {
		.target = a->bed.name,
		.queue_size = NUM,
		.nr_reqs = 1,
		.buf_size = 4096,
		.mem_size = DATA + 8 * MIB,
		.no_start = true,
	};
	int ret = vblk_open(&a->d, &o);

	if (ret)
		return ret;
	a->attack = t;
	a->vr = &a->d.q[0].vr;
	a->avail = 0;
	if (!mem_alloc(&a->d.mem, DATA, PAGE, &a->data))
		return -ENOMEM;
	write_chain(a);
	return 0;
}

static void nothing(struct raid *a)
{
	u64 end = now_ns() + 10000;

	(void)a;
	while (now_ns() < end)
		;
}

static void kicks(struct raid *a)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		vblk_force_kick(&a->d.q[0]);
}

static void calls(struct raid *a)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		vhost_set_vring_call(a->d.fd, 0, a->d.q[0].call);
	/* Its queue stays awake. */
	vblk_force_kick(&a->d.q[0]);
}

static void resets(struct raid *a)
{
	vblk_reset(&a->d);
	a->avail = 0;
	write_chain(a);
	offer(a, NUM);
}

static void *storm(void *arg)
{
	struct raid *a = arg;

	while (!__atomic_load_n(&a->stop, __ATOMIC_RELAXED)) {
		if (a->attack->extra) {
			a->attack->extra(a);
			continue;
		}
		offer(a, 0);
		vblk_force_kick(&a->d.q[0]);
		/* It takes longer to serve them; this CPU is the neighbour's. */
		usleep(200);
	}
	return NULL;
}

static int storm_begin(struct raid *a, const struct attack *t)
{
	int ret = raid_open(a, t);

	if (!ret)
		ret = vhost_start(a->d.fd);
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
	vblk_close(&a->d);
	bed_wait_detached(&a->bed);
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

static int make_null(struct bed *bed, struct disk *disk)
{
	struct disk_opts d = {
		.kind = DISK_NULL,
		.block_size = SECTOR,
		.size_mb = 16,
	};
	struct bed_opts b = { .disk = disk, .num_queues = 1, .queue_size = NUM };
	int ret = disk_create(disk, &d);

	return ret ? ret : bed_make(bed, &b);
}

static int make_nullb(struct bed *bed, struct disk *disk, u64 delay_ns)
{
	struct bed_opts b = { .disk = disk, .num_queues = 1, .queue_size = NUM };

	return bed_make_nullb(bed, &b, delay_ns);
}

FIXTURE_SETUP(isolation)
{
	int ctl = ctl_open();

	bed_sweep();
	ASSERT_EQ(0, ctl_poller(ctl, ctl_some_poller(ctl), &self->poller));
	close(ctl);
	self->q = &self->d.q[0];
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

#define HOSTILE() \
	ASSERT_EQ(0, make_null(&self->raid.bed, &self->raid.disk))
#define NEIGHBOUR(delay_ns) do { \
	struct vblk_opts __o = { \
		.target = self->bed.name, .event_idx = true, \
	}; \
	ASSERT_EQ(0, make_nullb(&self->bed, &self->disk, delay_ns)); \
	ASSERT_EQ(0, vblk_open(&self->d, &__o)); \
} while (0)

static u64 busy_passes(const struct bed *bed)
{
	struct vhost_target_stats st;

	bed_stats(bed, &st);
	return st.polls - st.empty_polls;
}

/*
 * All are there before the poller looks for the first time. What the last pass
 * ended is seen before that pass is counted.
 */
TEST_F(isolation, a_pass_is_bounded)
{
	struct raid *a = &self->raid;
	const struct attack *t;
	u64 before, passes;

	HOSTILE();
	for (t = attacks; t < attacks + ARRAY_SIZE(attacks); t++) {
		if (t->extra)
			continue;
		ASSERT_EQ(0, raid_open(a, t));
		offer(a, t->chains);
		before = busy_passes(&a->bed);
		ASSERT_EQ(0, vhost_start(a->d.fd));
		EXPECT_TRUE(vt_wait(vring_load_acquire(&a->vr->used->idx) ==
				    (u16)t->chains))
			TH_LOG("%s: %u of %u ended", t->name, a->vr->used->idx,
			       t->chains);
		EXPECT_TRUE(vt_wait(t->chains <= t->per_pass *
				    (busy_passes(&a->bed) - before)));
		passes = busy_passes(&a->bed) - before;
		TH_LOG("%s: %u requests in %llu passes", t->name, t->chains,
		       (unsigned long long)passes);
		vblk_close(&a->d);
		ASSERT_EQ(0, bed_wait_detached(&a->bed));
	}
}

TEST_F(isolation, each_pass_has_the_neighbour)
{
	struct raid *a = &self->raid;
	const struct attack *t;
	struct neighbour_looks l;

	HOSTILE();
	NEIGHBOUR(0);
	ASSERT_EQ(0, ctl_poller_set(self->bed.ctl, self->poller.id,
				    NEIGHBOUR_IDLE_US));
	for (t = attacks; t < attacks + ARRAY_SIZE(attacks); t++) {
		if (t->extra == nothing)
			continue;
		ASSERT_EQ(0, storm_begin(a, t));
		EXPECT_EQ(0, neighbour_in_a_storm(self->q, &a->bed, &self->bed, &l));
		TH_LOG("%s: %llu looks at it, %llu at the neighbour", t->name,
		       (unsigned long long)l.hostile,
		       (unsigned long long)l.neighbour);
		EXPECT_LE(l.hostile, l.neighbour + 1);
		storm_end(a);
	}
}

static const struct attack reads = {
	"reads", VIRTIO_BLK_T_IN, 1, SECTOR, 0, 0, 64, NUM, NULL
};

/*
 * A slow device below the one, whose requests wait for tags in work items: the
 * other's work items do not wait behind them.
 */
TEST_F(isolation, slow_backend)
{
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 8 };
	struct raid *a = &self->raid;
	u16 done;

	ASSERT_EQ(0, make_nullb(&a->bed, &a->disk, 500000000));
	NEIGHBOUR(0);
	ASSERT_EQ(0, raid_open(a, &reads));
	offer(a, NUM);
	ASSERT_EQ(0, vhost_start(a->d.fd));
	ASSERT_EQ(0, bed_wait_inflight(&a->bed, NUM / 2));
	EXPECT_EQ(VIRTIO_BLK_S_OK, vblk_do(self->q, VIRTIO_BLK_T_WRITE_ZEROES,
					   0, &range, sizeof(range)));
	done = vring_load_acquire(&a->vr->used->idx);
	TH_LOG("%u ended before the neighbour's", done);
	EXPECT_GT(NUM / 2, done);
}

#define LARGE (256 * KIB)

/* In pieces that no backend takes. */
static int large_io(struct vblk_queue *q, u32 type, u32 piece)
{
	struct vblk_req *r;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < q->nr_reqs; i++) {
		r = vblk_get(q);
		vblk_prepare(r, type, i * (LARGE / SECTOR), LARGE);
		if (type == VIRTIO_BLK_T_OUT)
			pattern_fill(r->buf, LARGE, r->sector, 1);
		else
			memset(r->buf, 0xee, LARGE);
		r->tag = i;
		ret = vblk_submit_pieces(r, piece);
	}
	vblk_kick(q);
	while (!ret && q->inflight) {
		ret = vblk_wait(q, &r);
		if (!ret && vring_read(r->status) != VIRTIO_BLK_S_OK)
			ret = -EIO;
		if (!ret && type == VIRTIO_BLK_T_IN)
			ret = pattern_check(r->buf, LARGE, r->sector, 1);
		if (!ret)
			vblk_put(r);
	}
	return ret;
}

TEST_F(isolation, large_copies)
{
	struct vblk_opts o = {
		.target = self->bed.name,
		.buf_size = LARGE,
		.nr_reqs = 16,
		.queue_size = NUM,
	};
	struct vhost_target_stats st;

	ASSERT_EQ(0, make_nullb(&self->bed, &self->disk, 0));
	ASSERT_EQ(0, vblk_open(&self->d, &o));
	EXPECT_EQ(0, large_io(self->q, VIRTIO_BLK_T_OUT, 5001));
	EXPECT_EQ(0, large_io(self->q, VIRTIO_BLK_T_IN, 4999));
	bed_stats(&self->bed, &st);
	EXPECT_EQ(32, st.bounced);
	EXPECT_EQ(0, st.inflight);
}

/* Memory for copies is not a guest's to take: a queue has 16 MiB at a time. */
TEST_F(isolation, copies_are_few)
{
	static const struct attack t = {
		"copies", VIRTIO_BLK_T_OUT, 1, MIB - 1, 1, 0, 64, 64, NULL
	};
	struct raid *a = &self->raid;
	struct vhost_target_stats st;

	ASSERT_EQ(0, make_nullb(&a->bed, &a->disk, 100000000));
	ASSERT_EQ(0, raid_open(a, &t));
	offer(a, t.chains);
	ASSERT_EQ(0, vhost_start(a->d.fd));
	ASSERT_EQ(0, bed_wait_inflight(&a->bed, 1));
	while (vring_load_acquire(&a->vr->used->idx) != t.chains) {
		bed_stats(&a->bed, &st);
		ASSERT_GE(16, st.inflight);
	}
	bed_stats(&a->bed, &st);
	EXPECT_EQ(64, st.bounced);
	EXPECT_LT(0, st.parked);
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

/* The first @nr of them, beside @q. */
static int measure(struct raid *a, struct vblk_queue *q, unsigned int cpu,
		   unsigned int nr)
{
	const struct neighbour_storms s = {
		.nr = nr,
		.name = storm_name,
		.twin = storm_twin,
		.begin = measured_begin,
		.end = measured_end,
		.arg = a,
		.bed = &a->bed,
	};

	return neighbour_measure(q, cpu, &s);
}

#define MEASURED() do { \
	if (!neighbour_option("VT_MEASURE", 0)) \
		SKIP(return, "$VT_MEASURE says how many rounds"); \
	NEIGHBOUR(device_us() * 1000); \
} while (0)

static u64 device_us(void)
{
	return neighbour_option("VT_DEVICE_US", NEIGHBOUR_DEVICE_US);
}

TEST_F(isolation, measured)
{
	MEASURED();
	HOSTILE();
	EXPECT_EQ(0, measure(&self->raid, self->q, self->poller.cpu,
			     ARRAY_SIZE(attacks)));
}

/*
 * On a device ten times as slow, that takes no CPU: most requests of a full ring
 * wait for it.
 */
TEST_F(isolation, measured_slow_backend)
{
	struct disk_opts d = {
		.kind = DISK_BDEV,
		.block_size = SECTOR,
		.size_mb = 16,
		.delay_ns = device_us() * 10000,
		.own = true,
		.empty = true,
	};
	struct bed_opts b = {
		.disk = &self->raid.disk, .num_queues = 1, .queue_size = NUM,
	};

	MEASURED();
	ASSERT_EQ(0, disk_create(&self->raid.disk, &d));
	ASSERT_EQ(0, bed_make(&self->raid.bed, &b));
	EXPECT_EQ(0, measure(&self->raid, self->q, self->poller.cpu, NOTHING));
}

TEST_HARNESS_MAIN
