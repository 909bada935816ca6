// SPDX-License-Identifier: GPL-2.0
/*
 * A device that has few requests at a time, and takes long for each: who submits
 * to it waits. That must not be the poller, which others share.
 */
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
};

FIXTURE_SETUP(nbd)
{
	bed_sweep();
}

FIXTURE_TEARDOWN(nbd)
{
	nbd_stall(&self->nbd, false);
	vblk_close(&self->other);
	vblk_close(&self->d);
	EXPECT_EQ(0, bed_finish(&self->other_bed, &self->other_disk));
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	nbd_destroy(&self->nbd);
}

TEST_F(nbd, neighbour)
{
	struct vblk_opts o = { .nr_reqs = WRITES, .buf_size = LARGE };
	struct bed_opts b = { .disk = &self->disk, .num_queues = 1 };
	struct vblk_queue *q = &self->d.q[0];
	struct vhost_target_stats st;
	int ret = nbd_create(&self->nbd, &self->disk, 16);

	if (ret == -ENODEV)
		SKIP(return, "this kernel has no nbd");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, bed_make(&self->bed, &b));
	o.target = self->bed.name;
	ASSERT_EQ(0, vblk_open(&self->d, &o));
	b.disk = &self->other_disk;
	ASSERT_EQ(0, bed_make_nullb(&self->other_bed, &b, 0));
	o.target = self->other_bed.name;
	ASSERT_EQ(0, vblk_open(&self->other, &o));

	EXPECT_EQ(0, submit(q, VIRTIO_BLK_T_IN, 1, LARGE));
	vblk_kick(q);
	EXPECT_EQ(0, vblk_drain(q));
	nbd_stall(&self->nbd, true);
	ASSERT_EQ(0, submit(q, VIRTIO_BLK_T_OUT, WRITES, LARGE));
	vblk_kick(q);
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, WRITES));
	EXPECT_EQ(0, vblk_verified_io(&self->other.q[0], 0, 16, 4096, 1));
	/* Whoever waits for the poller. */
	vblk_reset(&self->other);
	EXPECT_EQ(0, vblk_verified_io(&self->other.q[0], 0, 16, 4096, 2));
	bed_stats(&self->bed, &st);
	EXPECT_EQ(WRITES, st.inflight);
	nbd_stall(&self->nbd, false);
	EXPECT_EQ(0, vblk_drain(q));
	bed_stats(&self->bed, &st);
	EXPECT_EQ(WRITES, st.ops[VHOST_TARGET_OP_WRITE]);
	EXPECT_EQ(0, st.errors[VHOST_TARGET_OP_WRITE]);
	vt_fault("nbd whose server stops reading, and goes on | blk: a pause; others on the poller: nothing");
}

TEST_HARNESS_MAIN
