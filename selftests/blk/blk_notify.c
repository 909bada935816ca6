// SPDX-License-Identifier: GPL-2.0
/* Kicks and interrupts: none is lost, and few are sent. */
#include <poll.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "vblk.h"

#define NUM 128
#define BATCH 16
#define BATCHES 200

FIXTURE(notify)
{
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct vblk_queue *q;
	struct vhost_target_poller poller;
	struct vhost_target_stats before;
	struct vhost_target_stats after;
};

FIXTURE_VARIANT(notify)
{
	bool packed;
	bool event_idx;
	u16 start_index;
};

FIXTURE_VARIANT_ADD(notify, split) { false, false, 0 };
FIXTURE_VARIANT_ADD(notify, split_event) { false, true, 65500 };
FIXTURE_VARIANT_ADD(notify, packed) { true, false, 0 };
FIXTURE_VARIANT_ADD(notify, packed_event) { true, true, NUM - 5 };

FIXTURE_SETUP(notify)
{
	struct disk_opts o = {
		.kind = DISK_NULL,
		.block_size = 512,
		.size_mb = 16,
	};
	struct bed_opts b = { .disk = &self->disk, .num_queues = 1 };
	struct vblk_opts v = {
		.target = self->bed.name,
		.packed = variant->packed,
		.event_idx = variant->event_idx,
		.queue_size = NUM,
		.start_index = variant->start_index,
	};

	bed_sweep();
	ASSERT_EQ(0, disk_create(&self->disk, &o));
	ASSERT_EQ(0, bed_make(&self->bed, &b));
	ASSERT_EQ(0, ctl_poller(self->bed.ctl, ctl_some_poller(self->bed.ctl),
				&self->poller));
	ASSERT_EQ(0, vblk_open(&self->d, &v));
	self->q = &self->d.q[0];
	bed_stats(&self->bed, &self->before);
}

FIXTURE_TEARDOWN(notify)
{
	ctl_poller_set(self->bed.ctl, self->poller.id, self->poller.idle_us);
	vblk_close(&self->d);
	bed_destroy(&self->bed);
}

#define SET_IDLE(us) \
	ASSERT_EQ(0, ctl_poller_set(self->bed.ctl, self->poller.id, us))
#define DELTA(counter) (self->after.counter - self->before.counter)

static int submit_batch(struct vblk_queue *q, unsigned int n)
{
	return vblk_submit_many(q, VIRTIO_BLK_T_IN, n, SECTOR);
}

/* Each request waits for its interrupt; the poller sleeps in between. */
TEST_F(notify, each_interrupt_comes)
{
	unsigned int i;

	SET_IDLE(0);
	for (i = 0; i < 2000; i++)
		ASSERT_EQ(0, vblk_do(self->q, VIRTIO_BLK_T_IN, i, NULL, 512));
	bed_stats(&self->bed, &self->after);
	EXPECT_EQ(2000, DELTA(ops[VHOST_TARGET_OP_READ]));
	EXPECT_LE(DELTA(calls), 2000 + 100);
	EXPECT_GT(DELTA(sleeps), 0);
}

/* The same with the poller busy all the time. */
TEST_F(notify, each_interrupt_comes_busy)
{
	unsigned int i;

	SET_IDLE(100000);
	for (i = 0; i < 2000; i++)
		ASSERT_EQ(0, vblk_do(self->q, VIRTIO_BLK_T_IN, i, NULL, 512));
}

/* Several in flight, slept for one by one: none is missed after a re-arm. */
TEST_F(notify, interrupts_under_load)
{
	unsigned int i, idle;
	struct vblk_req *r;

	for (idle = 0; idle <= 200; idle += 50) {
		SET_IDLE(idle);
		for (i = 0; i < 2000; i++) {
			if (self->q->inflight < BATCH)
				ASSERT_EQ(0, submit_batch(self->q, 1 + i % 5));
			vblk_kick(self->q);
			ASSERT_EQ(0, vblk_wait(self->q, &r));
			vblk_put(r);
		}
		ASSERT_EQ(0, vblk_drain(self->q));
	}
}

/* While the device is busy it wants no kicks, and gets none. */
TEST_F(notify, busy_device_needs_no_kicks)
{
	unsigned int i;
	u64 kicks;

	SET_IDLE(VHOST_TARGET_MAX_IDLE_US);
	self->d.o.poll = true;
	ASSERT_EQ(0, vblk_do(self->q, VIRTIO_BLK_T_IN, 0, NULL, 512));
	kicks = self->q->kicks;
	for (i = 0; i < BATCHES; i++) {
		ASSERT_EQ(0, submit_batch(self->q, BATCH));
		vblk_kick(self->q);
		ASSERT_EQ(0, vblk_drain(self->q));
	}
	/* Every one of them would be a VM exit. */
	EXPECT_LE(self->q->kicks - kicks, BATCHES / 20);
	bed_stats(&self->bed, &self->after);
	EXPECT_LE(DELTA(kicks), BATCHES / 20 + 1);
}

/* An idle device wants exactly one kick for what comes together. */
TEST_F(notify, idle_device_needs_one_kick)
{
	unsigned int i, j, needed = 0;
	u64 kicks = 0;

	SET_IDLE(0);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, bed_wait_asleep(&self->bed));
		kicks = self->q->kicks;
		for (j = 0; j < BATCH; j++)
			ASSERT_EQ(0, submit_batch(self->q, 1));
		vblk_kick(self->q);
		EXPECT_GE(1, self->q->kicks - kicks);
		needed += self->q->kicks - kicks;
		ASSERT_EQ(0, vblk_drain(self->q));
	}
	/* The last completion's wake may be late: it looks once more, then. */
	EXPECT_LE(15, needed);
}

/* A driver that polls gets no interrupts. */
TEST_F(notify, polling_driver_gets_no_interrupts)
{
	unsigned int i;

	self->d.o.poll = true;
	for (i = 0; i < BATCHES; i++) {
		vring_disarm(&self->q->vr);
		ASSERT_EQ(0, submit_batch(self->q, BATCH));
		vblk_kick(self->q);
		ASSERT_EQ(0, vblk_drain(self->q));
	}
	bed_stats(&self->bed, &self->after);
	EXPECT_EQ(BATCHES * BATCH, DELTA(ops[VHOST_TARGET_OP_READ]));
	/* One may be on its way when the event index moves far ahead. */
	EXPECT_LE(DELTA(calls), 2);
}

static int wait_call(struct vblk_queue *q)
{
	struct pollfd p = { .fd = q->call, .events = POLLIN };
	u64 count;

	if (poll(&p, 1, VT_PATIENCE * 1000) != 1)
		return -ETIMEDOUT;
	return read(q->call, &count, sizeof(count)) == sizeof(count) ? 0 : -EIO;
}

/* One interrupt after the whole batch, when the driver asks for that. */
TEST_F(notify, one_interrupt_for_a_batch)
{
	/* Descriptors of a packed batch, entries of a split one; less one. */
	unsigned int after = BATCH * (variant->packed ? 3 : 1) - 1;
	unsigned int i, j;
	struct vblk_req *r;

	if (!variant->event_idx)
		SKIP(return, "needs the event index");
	for (i = 0; i < BATCHES; i++) {
		/* Half of them with a poller that sleeps in between. */
		if (i % (BATCHES / 2) == 0)
			SET_IDLE(i ? 100000 : 0);
		/* Armed first: the poller may be at work on the batch by then. */
		ASSERT_TRUE(vring_arm(&self->q->vr, after));
		ASSERT_EQ(0, submit_batch(self->q, BATCH));
		vblk_kick(self->q);
		ASSERT_EQ(0, wait_call(self->q));
		vring_disarm(&self->q->vr);
		/* It came for the last one: all are there. */
		for (j = 0; j < BATCH; j++) {
			void *token;
			u32 len;

			ASSERT_EQ(1, vring_get_used(&self->q->vr, &token,
						    &len));
			r = token;
			self->q->inflight--;
			vblk_put(r);
		}
	}
	bed_stats(&self->bed, &self->after);
	EXPECT_GE(DELTA(calls), BATCHES);
	EXPECT_LE(DELTA(calls), BATCHES + BATCHES / 10);
}

/* An idle VM costs nothing: the poller sleeps, and stays asleep. */
TEST_F(notify, idle_costs_nothing)
{
	struct vhost_target_poller p, q;

	SET_IDLE(50);
	ASSERT_EQ(0, vblk_do(self->q, VIRTIO_BLK_T_IN, 0, NULL, 512));
	ASSERT_EQ(0, bed_wait_asleep(&self->bed));
	bed_stats(&self->bed, &self->before);
	ASSERT_EQ(0, ctl_poller(self->bed.ctl, self->poller.id, &p));
	EXPECT_EQ(1, p.nr_queues);
	sleep_ms(1000);
	bed_stats(&self->bed, &self->after);
	ASSERT_EQ(0, ctl_poller(self->bed.ctl, self->poller.id, &q));
	EXPECT_LE(DELTA(polls), 20);
	EXPECT_LE(q.loops - p.loops, 20);
	ASSERT_EQ(0, vblk_do(self->q, VIRTIO_BLK_T_IN, 0, NULL, 512));
}

TEST_HARNESS_MAIN
