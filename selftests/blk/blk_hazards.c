// SPDX-License-Identifier: GPL-2.0
/* Drivers that break the rules of the rings. */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "harness.h"
#include "hostile.h"
#include "rng.h"

#define NUM 64		/* entries of the hostile ring */
#define F_NEXT VRING_DESC_F_NEXT
#define F_WRITE VRING_DESC_F_WRITE
#define F_INDIRECT VRING_DESC_F_INDIRECT
/* put_raw() xors: a descriptor that looks available in the wrong lap. */
#define F_WRONG_WRAP (1u << VRING_PACKED_DESC_F_AVAIL | \
		      1u << VRING_PACKED_DESC_F_USED)

#define RING_FIXTURE(name) FIXTURE(name) { \
	struct hostile h; \
	struct vqueue *vr; \
	struct vblk_req *r;	/* a read of sector 0, not offered yet */ \
	struct vring_raw raw[NUM + 1]; \
}

/* What is true of both formats, and what of one only. */
RING_FIXTURE(ring);
RING_FIXTURE(split_ring);
RING_FIXTURE(packed_ring);

FIXTURE_VARIANT(ring)
{
	bool packed;
};

FIXTURE_VARIANT_ADD(ring, split) { .packed = false };
FIXTURE_VARIANT_ADD(ring, packed) { .packed = true };

static int open_ring(struct hostile *h, bool packed, struct vring_raw *raw)
{
	struct hostile_opts o = { .packed = packed };
	struct vblk_req *r;
	int ret;

	ret = hostile_open(h, &o);
	/* Not at the very beginning of the ring. */
	if (!ret)
		ret = vblk_verified_io(h->q, 0, 5, 4096, 1);
	if (ret)
		return ret;
	r = hostile_req(h, VIRTIO_BLK_T_IN, 0);
	raw[0] = (struct vring_raw){ r->hdr_gpa, 16, F_NEXT, 1 };
	raw[1] = (struct vring_raw){ r->buf_gpa, 512, F_NEXT | F_WRITE, 2 };
	raw[2] = (struct vring_raw){ r->status_gpa, 1, F_WRITE, 0 };
	return 0;
}

/* open_ring() took the first request. */
#define OPEN_RING(packed) do { \
	ASSERT_EQ(0, open_ring(&self->h, packed, self->raw)); \
	self->vr = &self->h.q->vr; \
	self->r = &self->h.q->req[0]; \
} while (0)

FIXTURE_SETUP(ring)
{
	OPEN_RING(variant->packed);
}

FIXTURE_SETUP(split_ring)
{
	OPEN_RING(false);
}

FIXTURE_SETUP(packed_ring)
{
	OPEN_RING(true);
}

FIXTURE_TEARDOWN(ring)
{
	hostile_close(&self->h);
}

FIXTURE_TEARDOWN(split_ring)
{
	hostile_close(&self->h);
}

FIXTURE_TEARDOWN(packed_ring)
{
	hostile_close(&self->h);
}

/* A table of @n entries: header, data, status; offered with the raw length. */
static struct vring_raw table(struct vqueue *vr, struct vblk_req *r, u32 len)
{
	const struct vring_seg seg[3] = {
		SEG_HDR(r), SEG_IN(r, 0, 512), SEG_STATUS(r),
	};
	struct vring_packed_desc *p = vring_table(vr, 0);
	struct vring_desc *s = vring_table(vr, 0);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		u16 flags = seg[i].write ? F_WRITE : 0;

		if (vr->packed) {
			p[i] = (struct vring_packed_desc){
				seg[i].gpa, seg[i].len, 0, flags };
		} else {
			s[i] = (struct vring_desc){
				seg[i].gpa, seg[i].len,
				flags | (i < 2 ? F_NEXT : 0), i + 1 };
		}
	}
	return (struct vring_raw){ vring_table_gpa(vr, 0), len, F_INDIRECT, 0 };
}

/* What the tests below send is otherwise sound: unbroken, it works. */
TEST_F(ring, sound_raw)
{
	vring_put_raw(self->vr, self->raw, 3);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_OK, &self->h, self->r);
}

TEST_F(ring, sound_indirect)
{
	struct vring_raw t = table(self->vr, self->r, 48);

	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_OK, &self->h, self->r);
}

TEST_F(split_ring, avail_index_ahead_by_one_too_many)
{
	vring_split_set_avail(self->vr, self->vr->next_avail + NUM + 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

TEST_F(split_ring, avail_index_far_ahead)
{
	vring_split_set_avail(self->vr, self->vr->next_avail + 0x8000);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

TEST_F(split_ring, avail_index_goes_back)
{
	vring_split_set_avail(self->vr, self->vr->next_avail - 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

/* Not a hazard of the driver's: 16 bits (packed: many laps) wrap. */
TEST_F(ring, index_wraps)
{
	struct vblk_queue *q = self->h.q;
	unsigned int i;

	self->h.d.o.start_index = variant->packed ? NUM - 3 : 65530;
	ASSERT_EQ(0, vblk_reset(&self->h.d));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, vblk_verified_io(q, 0, 4 * NUM, 512, i));
	EXPECT_EQ(0, hostile_bystander(&self->h));
}

TEST_F(split_ring, head_out_of_range)
{
	static const u16 head[] = { NUM, NUM + 1, 0x7fff, 0xffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(head); i++) {
		self->r = hostile_req(&self->h, VIRTIO_BLK_T_IN, 0);
		vring_split_publish(self->vr, head[i]);
		vblk_force_kick(self->h.q);
		EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
	}
}

TEST_F(split_ring, next_out_of_range)
{
	static const u16 next[] = { NUM, 0x7fff, 0xffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(next); i++) {
		self->r = hostile_req(&self->h, VIRTIO_BLK_T_IN, 0);
		self->raw[1].next = next[i];
		vring_put_raw(self->vr, self->raw, 3);
		vblk_force_kick(self->h.q);
		EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
	}
}

TEST_F(split_ring, loop_of_one)
{
	self->raw[0].next = 0;
	vring_put_raw(self->vr, self->raw, 3);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

TEST_F(split_ring, loop_of_writable)
{
	self->raw[2].flags = F_NEXT | F_WRITE;
	self->raw[2].next = 1;
	vring_put_raw(self->vr, self->raw, 3);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

/*
 * Every descriptor has NEXT: a loop in a split ring; in a packed one a chain
 * that runs into its own head.
 */
TEST_F(ring, next_on_every_descriptor)
{
	unsigned int i;

	for (i = 0; i < NUM; i++) {
		self->raw[i] = self->raw[i ? 1 : 0];
		self->raw[i].next = variant->packed ? 0 : (i + 1) % NUM;
	}
	vring_put_raw(self->vr, self->raw, NUM);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

/* The chain's second half was never made available. */
TEST_F(packed_ring, chain_cut_off)
{
	vring_put_raw(self->vr, self->raw, 2);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED | OUT_REFUSED, &self->h, self->r);
}

TEST_F(ring, indirect_odd_length)
{
	static const u32 len[] = { 1, 15, 17, 47, 49 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		struct vring_raw t;

		self->r = hostile_req(&self->h, VIRTIO_BLK_T_IN, 0);
		t = table(self->vr, self->r, len[i]);
		vring_put_raw(self->vr, &t, 1);
		vblk_force_kick(self->h.q);
		EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
	}
}

TEST_F(ring, indirect_empty)
{
	struct vring_raw t = table(self->vr, self->r, 0);

	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

TEST_F(ring, indirect_huge)
{
	static const u32 len[] = { 0xfffffff0, 0x80000000, 16 * 65536 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		struct vring_raw t;

		self->r = hostile_req(&self->h, VIRTIO_BLK_T_IN, 0);
		t = table(self->vr, self->r, len[i]);
		vring_put_raw(self->vr, &t, 1);
		vblk_force_kick(self->h.q);
		EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
	}
}

TEST_F(ring, indirect_nested)
{
	struct vring_raw t = table(self->vr, self->r, 48);
	struct vring_packed_desc *p = vring_table(self->vr, 0);
	struct vring_desc *s = vring_table(self->vr, 0);

	if (variant->packed)
		p[1].flags |= F_INDIRECT;
	else
		s[1].flags |= F_INDIRECT;
	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

/* NEXT and INDIRECT in one descriptor (2.7.5.3.1, 2.8.7). */
TEST_F(ring, indirect_with_next)
{
	self->raw[0] = table(self->vr, self->r, 48);
	self->raw[0].flags |= F_NEXT;
	self->raw[0].next = 1;
	vring_put_raw(self->vr, self->raw, 3);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

TEST_F(ring, indirect_in_a_hole)
{
	struct vring_raw t = table(self->vr, self->r, 48);

	t.addr = mem_hole(&self->h.d.mem);
	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

TEST_F(split_ring, indirect_next_out_of_table)
{
	struct vring_raw t = table(self->vr, self->r, 48);
	struct vring_desc *s = vring_table(self->vr, 0);

	s[1].next = 3;
	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

TEST_F(split_ring, indirect_loop)
{
	struct vring_raw t = table(self->vr, self->r, 48);
	struct vring_desc *s = vring_table(self->vr, 0);

	s[1].next = 1;
	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED, &self->h, self->r);
}

/*
 * Assumption: a buffer id is the driver's own business as far as the virtio
 * specification goes, so a device may also return it as it is.
 */
TEST_F(packed_ring, buffer_id_out_of_range)
{
	static const u16 id[] = { NUM, 0x7fff, 0xffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(id); i++) {
		self->r = hostile_req(&self->h, VIRTIO_BLK_T_IN, 0);
		self->raw[2].next = id[i];
		self->raw[0].addr = self->r->hdr_gpa;
		self->raw[2].addr = self->r->status_gpa;
		vring_put_raw(self->vr, self->raw, 3);
		vblk_force_kick(self->h.q);
		EXPECT_OUTCOME(OUT_STOPPED | OUT_OK, &self->h, self->r);
	}
}

/* Available in the lap after the next: the device must not see it. */
TEST_F(packed_ring, wrap_counter_mismatch)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		self->raw[i].flags ^= F_WRONG_WRAP;
	self->h.patience_ms = 300;
	vring_put_raw(self->vr, self->raw, 3);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_NOTHING, &self->h, self->r);
}

/* The VMM says the device is one lap behind. */
TEST_F(packed_ring, wrap_counter_of_base)
{
	struct vblk *d = &self->h.d;

	ASSERT_EQ(0, vhost_stop(d->fd));
	vring_reset(self->vr, 0);
	ASSERT_EQ(0, vblk_setup_queue(self->h.q,
				      vring_packed_base(0, false, 0, false)));
	ASSERT_EQ(0, vhost_start(d->fd));
	self->h.patience_ms = 300;
	vring_put_raw(self->vr, self->raw, 3);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_NOTHING, &self->h, self->r);
}

/*
 * 2.8.10.1 allows any size for a packed ring. Assumption: the device works
 * with it, or refuses it when it is told.
 */
TEST_F(ring, size_not_power_of_two)
{
	struct vblk_opts o = self->h.d.o;
	struct vblk d;

	o.queue_size = 100;
	vblk_close(&self->h.d);
	if (!vblk_open(&d, &o)) {
		EXPECT_TRUE(variant->packed);
		EXPECT_EQ(0, vblk_verified_io(&d.q[0], 0, 500, 512, 9));
		vblk_close(&d);
	}
	EXPECT_EQ(0, hostile_bystander(&self->h));
	o.queue_size = NUM;
	ASSERT_EQ(0, vblk_open(&self->h.d, &o));
	EXPECT_EQ(0, vblk_verified_io(&self->h.d.q[0], 0, 5, 512, 10));
}

/*
 * INDIRECT was not negotiated. Assumption: a device may take it all the same;
 * only the driver is told not to.
 */
TEST_F(ring, indirect_not_negotiated)
{
	struct vring_raw t = table(self->vr, self->r, 48);
	struct vblk *d = &self->h.d;
	u64 without = d->features & ~VBLK_BIT(VIRTIO_RING_F_INDIRECT_DESC);

	ASSERT_EQ(0, vhost_stop(d->fd));
	ASSERT_EQ(0, vhost_set_features(d->fd, without));
	ASSERT_EQ(0, vblk_reset(d));
	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_OUTCOME(OUT_STOPPED | OUT_OK, &self->h, self->r);
}

/* Nothing is there: no work, no error. */
TEST_F(ring, kicks_for_nothing)
{
	unsigned int i;

	for (i = 0; i < 10000; i++)
		vblk_force_kick(self->h.q);
	self->h.patience_ms = 300;
	EXPECT_OUTCOME(OUT_NOTHING, &self->h, self->r);
}

/* A stopped ring stays stopped, whatever comes after. */
TEST_F(ring, stays_stopped)
{
	struct vring_raw t = table(self->vr, self->r, 17);
	struct vhost_target_stats before, after;
	unsigned int i;

	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_EQ(OUT_STOPPED, hostile_outcome(&self->h, self->r));
	bed_stats(&self->h.bed[0], &before);
	for (i = 0; i < 1000; i++)
		vblk_force_kick(self->h.q);
	EXPECT_EQ(0, hostile_bystander(&self->h));
	bed_stats(&self->h.bed[0], &after);
	EXPECT_EQ(before.ring_errors, after.ring_errors);
	EXPECT_EQ(before.ops[0], after.ops[0]);
	EXPECT_EQ(0, hostile_recover(&self->h));
}

/* The second queue of the device goes on when the first is stopped. */
TEST_F(ring, other_queue_goes_on)
{
	struct vblk_opts o = self->h.d.o;
	struct vblk *d = &self->h.d;
	struct vring_raw t;

	vblk_close(d);
	o.nr_queues = 2;
	ASSERT_EQ(0, vblk_open(d, &o));
	self->r = hostile_req(&self->h, VIRTIO_BLK_T_IN, 0);
	t = table(self->vr, self->r, 17);
	vring_put_raw(self->vr, &t, 1);
	vblk_force_kick(self->h.q);
	EXPECT_EQ(OUT_STOPPED, hostile_outcome(&self->h, self->r));
	EXPECT_EQ(0, vblk_verified_io(&d->q[1], 0, 16, 4096, 5));
	EXPECT_EQ(0, hostile_bystander(&self->h));
	EXPECT_EQ(0, hostile_recover(&self->h));
	EXPECT_EQ(0, vblk_verified_io(&d->q[1], 0, 16, 4096, 6));
}

/* The device writes its side, the guest makes it unreadable and worse. */
TEST_F(ring, used_ring_protected_while_running)
{
	void *used = self->vr->device_area;
	struct vblk_req *done;

	ASSERT_EQ(0, mprotect(used, PAGE, PROT_READ));
	vring_put_raw(self->vr, self->raw, 3);
	vblk_force_kick(self->h.q);
	/* Served through the old mapping, or stopped: both are sane. */
	vblk_wait_ms(self->h.q, &done, 500);
	ASSERT_EQ(0, mprotect(used, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, hostile_bystander(&self->h));
	EXPECT_EQ(0, hostile_recover(&self->h));
}

/* All of ring memory is noise, again and again, with kicks. */
TEST_F(ring, scribble_everywhere)
{
	u64 size[3];
	void *area[3];
	struct rng rng;
	unsigned int i, j;

	rng_seed(&rng, 11);
	self->vr->ops->sizes(self->vr, size);
	area[0] = self->vr->desc_area;
	area[1] = self->vr->driver_area;
	area[2] = self->vr->device_area;
	for (i = 0; i < 200; i++) {
		for (j = 0; j < 3; j++) {
			u8 *p = area[j];
			u64 k;

			for (k = 0; k < size[j]; k++)
				p[k] = rng_u64(&rng);
		}
		vblk_force_kick(self->h.q);
		if (i % 10 == 9) {
			EXPECT_EQ(0, hostile_bystander(&self->h));
			ASSERT_EQ(0, vblk_reset(&self->h.d));
		}
	}
	EXPECT_EQ(0, hostile_recover(&self->h));
}

struct racer {
	struct vqueue *vr;
	struct vblk_req *req;
	unsigned int nr;
	bool stop;
};

/* Flip headers and descriptors between sound and broken, without a pause. */
static void *race(void *arg)
{
	struct racer *race = arg;
	struct rng rng;

	rng_seed(&rng, 12);
	while (!vring_read(&race->stop)) {
		u32 i = rng_below(&rng, race->nr);
		u32 d = rng_below(&rng, race->vr->num);
		struct virtio_blk_outhdr *hdr = race->req[i].hdr;

		vring_write(&hdr->type, rng_below(&rng, 16));
		vring_write(&hdr->sector, rng_u64(&rng) >> rng_below(&rng, 64));
		if (race->vr->packed) {
			vring_write(&race->vr->pdesc[d].len,
				    rng_below(&rng, 9000));
			vring_write(&race->vr->pdesc[d].addr,
				    race->req[i].buf_gpa + (rng_u64(&rng) >>
				    rng_below(&rng, 64)));
		} else {
			vring_write(&race->vr->desc[d].len,
				    rng_below(&rng, 9000));
			vring_write(&race->vr->desc[d].addr,
				    race->req[i].buf_gpa + (rng_u64(&rng) >>
				    rng_below(&rng, 64)));
			vring_write(&race->vr->desc[d].next,
				    rng_below(&rng, race->vr->num + 2));
		}
	}
	return NULL;
}

/* The guest changes header, flags and length after the device looked. */
TEST_F(ring, changed_after_the_first_read)
{
	struct vblk_queue *q = self->h.q;
	struct racer racer = {
		.vr = self->vr, .req = q->req, .nr = q->nr_reqs,
	};
	struct vblk_req *r;
	unsigned int i;
	pthread_t thread;

	vblk_put(self->r);
	ASSERT_EQ(0, pthread_create(&thread, NULL, race, &racer));
	for (i = 0; i < 5000; i++) {
		int ret = 0;

		r = vblk_get(q);
		if (r) {
			vblk_prepare(r, i & 1, i % 1000, 4096);
			ret = vblk_submit_pieces(r, 1024);
			if (ret)
				vblk_put(r);
			vblk_force_kick(q);
		}
		if (!r || ret == -ENOSPC) {
			ret = vblk_wait_ms(q, &r, 1000);
			if (!ret)
				vblk_put(r);
			else
				ASSERT_EQ(0, vblk_reset(&self->h.d));
		}
		if (i % 250 == 0)
			EXPECT_EQ(0, hostile_bystander(&self->h));
	}
	vring_write(&racer.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, hostile_bystander(&self->h));
	EXPECT_EQ(0, hostile_recover(&self->h));
}

TEST_HARNESS_MAIN
