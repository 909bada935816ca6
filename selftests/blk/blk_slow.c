// SPDX-License-Identifier: GPL-2.0
/*
 * A device that has few requests at a time, and takes long for each: who submits
 * to it waits. That must not be the poller, which others share.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "nbd.h"
#include "vblk.h"

#define READS		64
#define FLUSHES		8
#define DELAY_NS	250000000

FIXTURE(slow)
{
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct disk other_disk;
	struct bed other_bed;
	struct vblk other;
};

FIXTURE_VARIANT(slow)
{
	const char *dm;
};

FIXTURE_VARIANT_ADD(slow, null_blk) { NULL };
/* Of those that REQ_NOWAIT means nothing to. */
FIXTURE_VARIANT_ADD(slow, crypt) {
	"crypt aes-xts-plain64 "
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	" 0 %s 0"
};

static int make_slow(struct bed *bed, struct disk *disk, const char *dm)
{
	struct disk_opts d = {
		.kind = DISK_BDEV,
		.own = true,
		.block_size = SECTOR,
		.size_mb = 16,
		.delay_ns = DELAY_NS,
		.depth = 2,
		.cache_mb = 1,
		.dm = dm,
	};
	struct bed_opts b = { .disk = disk, .num_queues = 1 };
	int ret = disk_create(disk, &d);

	return ret ? ret : bed_make(bed, &b);
}

FIXTURE_SETUP(slow)
{
	struct vblk_opts o = { .nr_reqs = READS + FLUSHES };
	struct bed_opts b = { .disk = &self->other_disk, .num_queues = 1 };

	bed_sweep();
	if (variant->dm)
		shell("modprobe -aq dm_crypt xts aesni_intel");
	ASSERT_EQ(0, make_slow(&self->bed, &self->disk, variant->dm));
	o.target = self->bed.name;
	ASSERT_EQ(0, vblk_open(&self->d, &o));
	ASSERT_EQ(0, bed_make_nullb(&self->other_bed, &b, 0));
	o.target = self->other_bed.name;
	ASSERT_EQ(0, vblk_open(&self->other, &o));
}

FIXTURE_TEARDOWN(slow)
{
	vblk_close(&self->other);
	vblk_close(&self->d);
	EXPECT_EQ(0, bed_finish(&self->other_bed, &self->other_disk));
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
}

/* Not one beside the other: those would be merged. */
static int submit(struct vblk_queue *q, u32 type, unsigned int n, u32 len)
{
	struct vblk_req *r;
	int ret = 0;

	while (!ret && n--) {
		r = vblk_get(q);
		if (!r)
			return -EBUSY;
		vblk_prepare(r, type, len ? n * 32 : 0, len);
		ret = vblk_submit(r);
	}
	return ret;
}

/* All end, and well; how many had not while the neighbour was served. */
TEST_F(slow, neighbour)
{
	struct vblk_queue *q = &self->d.q[0];
	struct vhost_target_stats st;

	ASSERT_EQ(0, submit(q, VIRTIO_BLK_T_IN, READS, 4096));
	ASSERT_EQ(0, submit(q, VIRTIO_BLK_T_FLUSH, FLUSHES, 0));
	vblk_kick(q);
	ASSERT_EQ(0, bed_wait_inflight(&self->bed, READS / 2));
	EXPECT_EQ(0, vblk_verified_io(&self->other.q[0], 0, 16, 4096, 1));
	bed_stats(&self->bed, &st);
	TH_LOG("%u under way when the neighbour was served",
	       (unsigned int)st.inflight);
	EXPECT_LT(READS / 2, st.inflight);
	EXPECT_EQ(0, vblk_drain(q));
	bed_stats(&self->bed, &st);
	EXPECT_EQ(READS, st.ops[VHOST_TARGET_OP_READ]);
	EXPECT_EQ(FLUSHES, st.ops[VHOST_TARGET_OP_FLUSH]);
	EXPECT_EQ(0, st.errors[VHOST_TARGET_OP_READ]);
	EXPECT_EQ(0, st.errors[VHOST_TARGET_OP_FLUSH]);
}

/* A device whose driver sleeps when it is given I/O, for as long as nobody reads. */

#define LARGE		(64 * KIB)
#define WRITES		32	/* more than a socket takes */

FIXTURE(nbd)
{
	struct nbd nbd;
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct disk other_disk;
	struct bed other_bed;
	struct vblk other;
	int ctl;
	int poller;		/* the other's, if it has one of its own, or -1 */
};

FIXTURE_SETUP(nbd)
{
	bed_sweep();
	self->ctl = ctl_open();
	self->poller = -1;
}

FIXTURE_TEARDOWN(nbd)
{
	nbd_stall(&self->nbd, false);
	vblk_close(&self->other);
	vblk_close(&self->d);
	EXPECT_EQ(0, bed_finish(&self->other_bed, &self->other_disk));
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	nbd_destroy(&self->nbd);
	if (self->poller >= 0)
		EXPECT_EQ(0, ctl_poller_remove(self->ctl, self->poller));
	close(self->ctl);
}

/* As a poller: that of all tests; any that can be had. */
#define SAME	-1
#define ANY	-2

static int make_vm(struct bed *bed, struct disk *disk, struct vblk *d,
		   int poller)
{
	struct vblk_opts o = { .nr_reqs = WRITES, .buf_size = LARGE };
	struct bed_opts b = {
		.disk = disk, .num_queues = 1,
		.poller = poller < 0 ? 0 : poller + 1,
		.any_poller = poller == ANY,
	};
	int ret = disk->path[0] ? bed_make(bed, &b) : bed_make_nullb(bed, &b, 0);

	if (ret)
		return ret;
	o.target = bed->name;
	return vblk_open(d, &o);
}

/* More than the server reads. */
static int stall(FIXTURE_DATA(nbd) *self)
{
	struct vblk_queue *q = &self->d.q[0];
	int ret = submit(q, VIRTIO_BLK_T_IN, 1, LARGE);

	vblk_kick(q);
	if (!ret)
		ret = vblk_drain(q);
	nbd_stall(&self->nbd, true);
	if (!ret)
		ret = submit(q, VIRTIO_BLK_T_OUT, WRITES, LARGE);
	vblk_kick(q);
	return ret;
}

TEST_F(nbd, neighbour)
{
	struct vblk_queue *other = &self->other.q[0];
	struct vhost_target_stats st;
	int ret = nbd_create(&self->nbd, &self->disk, 16);

	if (ret == -ENODEV)
		SKIP(return, "this kernel has no nbd");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, make_vm(&self->bed, &self->disk, &self->d, SAME));
	ASSERT_EQ(0, make_vm(&self->other_bed, &self->other_disk, &self->other,
			     SAME));
	ASSERT_EQ(0, stall(self));
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, WRITES));
	EXPECT_EQ(0, vblk_verified_io(other, 0, 16, 4096, 1));
	/* Whoever waits for the poller. */
	vblk_reset(&self->other);
	EXPECT_EQ(0, vblk_verified_io(other, 0, 16, 4096, 2));
	bed_stats(&self->bed, &st);
	EXPECT_EQ(WRITES, st.inflight);
	nbd_stall(&self->nbd, false);
	EXPECT_EQ(0, vblk_drain(&self->d.q[0]));
	bed_stats(&self->bed, &st);
	EXPECT_EQ(WRITES, st.ops[VHOST_TARGET_OP_WRITE]);
	EXPECT_EQ(0, st.errors[VHOST_TARGET_OP_WRITE]);
	vt_fault("nbd whose server stops reading, and goes on | blk: a pause; others on the poller: nothing");
}

/*
 * A device that says nothing of what it stands on: the poller does sleep. Those on
 * another one are not to notice, whoever waits for this one.
 */

static bool flag(const bool *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

struct thread {
	FIXTURE_DATA(nbd) *self;
	pthread_t id;
	int (*fn)(FIXTURE_DATA(nbd) *self);
	int ret;
	bool done;
};

static void *thread_run(void *arg)
{
	struct thread *t = arg;

	t->ret = t->fn(t->self);
	__atomic_store_n(&t->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static int thread_begin(struct thread *t, FIXTURE_DATA(nbd) *self,
			int (*fn)(FIXTURE_DATA(nbd) *self))
{
	*t = (struct thread) { .self = self, .fn = fn };
	return pthread_create(&t->id, NULL, thread_run, t);
}

static int reset(FIXTURE_DATA(nbd) *self)
{
	return vblk_reset(&self->d);
}

static int live_on(FIXTURE_DATA(nbd) *self)
{
	struct vhost_target_poller p;
	unsigned int i;
	int ret;

	for (i = 0; i < 3; i++) {
		struct disk disk = { 0 };
		struct bed bed = { 0 };
		struct vblk d = { 0 };

		ret = vblk_verified_io(&self->other.q[0], 0, 16, 4096, i);
		if (!ret)
			ret = vblk_reset(&self->other);
		if (!ret)
			ret = make_vm(&bed, &disk, &d,
				      i ? ANY : self->poller);
		if (!ret)
			ret = vblk_verified_io(&d.q[0], 0, 16, 4096, 1);
		vblk_close(&d);
		if (bed_finish(&bed, &disk))
			ret = -EBUSY;
		if (!ret)
			ret = ctl_poller(self->ctl, self->bed.poller, &p);
		if (ret)
			return ret;
	}
	return 0;
}

/* On @disk of an nbd. */
static int map_nbd(struct disk *disk)
{
	char below[sizeof(disk->path)];

	memcpy(below, disk->path, sizeof(below));
	shell("modprobe -q dm_mod");
	snprintf(disk->dm, sizeof(disk->dm), "vtdm_nbd");
	snprintf(disk->path, sizeof(disk->path), "/dev/mapper/%s", disk->dm);
	return shell("DM_DISABLE_UDEV=1 dmsetup create %s --table '0 %llu linear %s 0'",
		     disk->dm, (unsigned long long)disk->capacity / SECTOR,
		     below);
}

/* A poller on another CPU than the one that all share. */
static int other_poller(int ctl)
{
	struct vhost_target_poller p;
	unsigned int id;
	int ret = ctl_poller(ctl, ctl_some_poller(ctl), &p);

	if (!ret)
		ret = ctl_poller_add(ctl, !p.cpu, 50, &id);
	return ret ? ret : (int)id;
}

TEST_F(nbd, other_poller)
{
	struct thread resetter, liver;
	int ret;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU has one poller: see vm: control.poller_asleep");
	ret = nbd_create(&self->nbd, &self->disk, 16);
	if (ret == -ENODEV)
		SKIP(return, "this kernel has no nbd");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, map_nbd(&self->disk));
	self->poller = other_poller(self->ctl);
	ASSERT_LE(0, self->poller);
	ASSERT_EQ(0, make_vm(&self->bed, &self->disk, &self->d, SAME));
	ASSERT_EQ(0, make_vm(&self->other_bed, &self->other_disk, &self->other,
			     self->poller));
	ASSERT_EQ(0, stall(self));
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
	ASSERT_EQ(0, thread_begin(&resetter, self, reset));
	/* It takes a second to tell that a poller is stuck. */
	sleep_ms(2000);
	ASSERT_EQ(0, thread_begin(&liver, self, live_on));
	EXPECT_TRUE(vt_wait(flag(&liver.done)));
	EXPECT_FALSE(flag(&resetter.done));
	nbd_stall(&self->nbd, false);
	pthread_join(liver.id, NULL);
	pthread_join(resetter.id, NULL);
	EXPECT_EQ(0, liver.ret);
	EXPECT_EQ(0, resetter.ret);
	EXPECT_EQ(VIRTIO_BLK_S_OK, vblk_do(&self->d.q[0], VIRTIO_BLK_T_IN, 0,
					   NULL, 4096));
}

TEST_HARNESS_MAIN
