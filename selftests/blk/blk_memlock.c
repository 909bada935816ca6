// SPDX-License-Identifier: GPL-2.0
/*
 * Disks of one VMM whose RLIMIT_MEMLOCK is less than they use together, and
 * which take their time: each gets its turn, and none waits for ever.
 */
#include <linux/capability.h>
#include <sys/resource.h>

#include "bed.h"
#include "forked.h"
#include "harness.h"
#include "users.h"
#include "vblk.h"

#define DISKS		2
#define LEN		4096
#define FIRST		(16 * MIB)
#define END		(64 * MIB)
#define STEP		(2 * MIB)	/* each in a chunk of its own */

/* Faults of a queue between two of its results: it tries every few ms. */
#define MAX_FAULTS	1000

struct one {
	struct disk disk;
	struct bed bed;
	struct vblk d;
	u64 at;
	u64 faults;
};

FIXTURE(memlock)
{
	struct one one[DISKS];
	long long pinned;
};

FIXTURE_SETUP(memlock)
{
	bed_sweep();
	self->pinned = pinned_pages();
}

FIXTURE_TEARDOWN(memlock)
{
	unsigned int i;

	for (i = 0; i < DISKS; i++) {
		struct one *o = &self->one[i];

		vblk_close(&o->d);
		EXPECT_EQ(0, bed_finish(&o->bed, &o->disk));
	}
	EXPECT_EQ(0, wait_pinned(self->pinned));
}

static int make(struct one *o, u64 delay_ns, const char *dm)
{
	struct disk_opts d = {
		.kind = DISK_BDEV,
		.own = true,
		.block_size = SECTOR,
		.size_mb = 16,
		.delay_ns = delay_ns,
		.dm = dm,
	};
	struct bed_opts b = { .disk = &o->disk, .num_queues = 1 };
	int ret = disk_create(&o->disk, &d);

	return ret ? ret : bed_make(&o->bed, &b);
}

static int limit(u64 bytes)
{
	struct rlimit rl = { bytes, bytes };
	int ret = drop_capability(CAP_IPC_LOCK);

	return ret ? ret : setrlimit(RLIMIT_MEMLOCK, &rl) ? -errno : 0;
}

static int attach(struct one *o)
{
	struct vblk_opts opts = {
		.target = o->bed.name,
		.layout = MEM_ONE,
		.mem_size = END,
		.poll = true,
	};

	o->at = FIRST;
	return vblk_open(&o->d, &opts);
}

/* A read to @nr chunks that were not used for long. */
static int submit(struct one *o, unsigned int nr)
{
	struct vblk_queue *q = &o->d.q[0];
	struct vblk_req *r = vblk_get(q);
	struct vring_seg seg[8] = { { r->hdr_gpa, 16, false } };
	unsigned int i;
	int ret;

	for (i = 1; i <= nr; i++) {
		seg[i] = (struct vring_seg){ o->at, LEN, true };
		o->at = o->at + STEP < END ? o->at + STEP : FIRST;
	}
	seg[i] = (struct vring_seg){ r->status_gpa, 1, true };
	vblk_prepare(r, VIRTIO_BLK_T_IN, 0, nr * LEN);
	ret = vblk_submit_chain(r, seg, nr + 2);
	vblk_kick(q);
	return ret;
}

/* The next result: a status, or -errno; and the faults since the last one. */
static int result(struct one *o, unsigned int ms, u64 *faults)
{
	struct vhost_target_stats st;
	struct vblk_req *r;
	int ret = vblk_wait_ms(&o->d.q[0], &r, ms);

	if (ret)
		return ret;
	ret = *r->status;
	vblk_put(r);
	bed_stats(&o->bed, &st);
	*faults = st.mem_faults - o->faults;
	o->faults = st.mem_faults;
	return ret;
}

/* Each disk has @depth requests all the time, until it has had @n. */
static int serve(struct one *one, unsigned int depth, unsigned int n)
{
	u64 faults, end = now_ns() + 2 * VT_PATIENCE * 1000000000ull;
	unsigned int i, done[DISKS] = { 0 };
	int ret = 0;

	for (i = 0; i < DISKS * depth && !ret; i++)
		ret = submit(&one[i % DISKS], 1);
	while (!ret && (done[0] < n || done[1] < n)) {
		i = !i;
		ret = result(&one[i], 1, &faults);
		if (ret == -ETIMEDOUT && now_ns() < end) {
			ret = 0;
			continue;
		}
		if (ret || faults > MAX_FAULTS) {
			vt_msg("disk %u, request %u: %d, %llu faults", i,
			       done[i], ret, (unsigned long long)faults);
			return ret ? ret : -EBUSY;
		}
		done[i]++;
		ret = submit(&one[i], 1);
	}
	return ret;
}

static int serve_two(struct one *one, u64 delay_ns, unsigned int depth,
		     unsigned int n)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < DISKS && !ret; i++)
		ret = make(&one[i], delay_ns, NULL);
	if (!ret)
		ret = limit(8 * MIB);
	for (i = 0; i < DISKS && !ret; i++)
		ret = attach(&one[i]);
	return ret ? ret : serve(one, depth, n);
}

/* What one has in flight outlasts its turn: the other's is of use all the same. */
TEST_F(memlock, slow_disks)
{
	EXPECT_EQ(0, serve_two(self->one, 100000000, 4, 30));
}

/* One at a time: whose turn it is, is never idle for long. */
TEST_F(memlock, busy_disks)
{
	EXPECT_EQ(0, serve_two(self->one, 5000000, 1, 100));
}

static int read_chunks(struct one *o, unsigned int nr, u64 *faults)
{
	int ret = submit(o, nr);

	return ret ? ret : result(o, VT_PATIENCE * 1000, faults);
}

#define ALL	4		/* chunks and the header's: not beside another's */

static int beside_a_hung_disk(struct one *a, struct one *b)
{
	struct vhost_target_stats st;
	unsigned int i;
	u64 faults;
	int ret;

	CHECK(!submit(b, 1), "");
	CHECK(!bed_wait_inflight(&b->bed, 1), "");
	/* What is left is enough for each of these, but not for all of them. */
	for (i = 0; i < 20; i++) {
		CHECK(read_chunks(a, 1, &faults) == VIRTIO_BLK_S_OK, "%u", i);
		CHECK(faults < MAX_FAULTS, "%llu", (unsigned long long)faults);
	}
	/* It is not for this one: that is an error in the end, after many tries. */
	CHECK(!submit(a, ALL), "");
	ret = result(a, 5 * VT_PATIENCE * 1000, &faults);
	CHECK(ret == VIRTIO_BLK_S_IOERR, "%d", ret);
	bed_stats(&b->bed, &st);
	CHECK(st.inflight == 1, "%u", (unsigned int)st.inflight);
	/* What is only slow is waited for. */
	CHECK(!submit(a, ALL), "");
	sleep_ms(500);
	return 0;
}

TEST_F(memlock, beside_a_hung_disk)
{
	struct one *a = &self->one[0], *b = &self->one[1];
	u64 faults;
	int ret;

	ASSERT_EQ(0, make(a, 0, NULL));
	shell("modprobe -q dm_mod");
	ASSERT_EQ(0, make(b, 0, "linear %s 0"));
	ASSERT_EQ(0, limit(12 * MIB));
	ASSERT_EQ(0, attach(a));
	ASSERT_EQ(0, attach(b));
	ASSERT_EQ(0, shell("dmsetup suspend %s", b->disk.dm));
	/* Until it is resumed nothing may end the test. */
	ret = beside_a_hung_disk(a, b);
	ASSERT_EQ(0, shell("dmsetup resume %s", b->disk.dm));
	ASSERT_EQ(0, ret);
	EXPECT_EQ(VIRTIO_BLK_S_OK, result(b, VT_PATIENCE * 1000, &faults));
	EXPECT_EQ(VIRTIO_BLK_S_OK, result(a, VT_PATIENCE * 1000, &faults));
}

TEST_HARNESS_MAIN
