// SPDX-License-Identifier: GPL-2.0
/*
 * The vDPA door without a VM: memory that changes while I/O runs, that is not
 * there or read-only, and sessions that end at bad moments.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rng.h"
#include "vdpa_life.h"

#define RW VHOST_ACCESS_RW
#define RO VHOST_ACCESS_RO
#define RING_STOPPED() vblk_ring_stopped(self->q, VT_PATIENCE * 1000)
#define SPARE 20		/* a request nothing but the test itself uses */

/*
 * A request of LEN bytes at @gpa, with its status at @status: what became of
 * it, VBLK_ST_NONE if it came back without a status, or -errno.
 */
static int request(struct vblk_queue *q, u32 type, u64 sector, u64 gpa,
		   u64 status)
{
	struct vblk_req *r = &q->req[SPARE], *done;
	struct vring_seg seg[3] = {
		{ r->hdr_gpa, 16, false },
		{ gpa, LEN, type == READ },
		{ status, 1, true },
	};
	int ret;

	r->busy = true;
	vblk_prepare(r, type, sector, LEN);
	ret = vblk_submit_chain(r, seg, 3);
	vblk_kick(q);
	if (!ret)
		ret = vblk_wait(q, &done);
	r->busy = false;
	return ret ? ret : vring_read(r->status);
}

static int read_to(struct vblk_queue *q, u64 gpa, u64 sector)
{
	return request(q, READ, sector, gpa, q->req[SPARE].status_gpa);
}

static int write_from(struct vblk_queue *q, u64 gpa, u64 sector)
{
	return request(q, WRITE, sector, gpa, q->req[SPARE].status_gpa);
}

static int map_if(int fd, u64 iova, const void *addr, u64 size, u8 perm)
{
	return size && perm ? vdpa_map(fd, iova, addr, size, perm) : 0;
}

/* The page at @gpa is @page now, mapped with @perm (0: not at all). */
static int set_page(struct vblk *d, u64 gpa, const void *page, u8 perm)
{
	const struct mem_region *r = d->mem.region;
	u64 off, end;
	int ret;

	gpa -= gpa % PAGE;
	while (gpa - r->gpa >= r->size)
		r++;
	off = gpa - r->gpa;
	end = off + PAGE;
	ret = vdpa_batch_begin(d->fd);
	if (!ret)
		ret = vdpa_unmap(d->fd, r->gpa, r->size);
	if (!ret)
		ret = map_if(d->fd, r->gpa, r->hva, off, RW);
	if (!ret)
		ret = map_if(d->fd, gpa, page ? page : r->hva + off, PAGE,
			     perm);
	if (!ret)
		ret = map_if(d->fd, r->gpa + end, r->hva + end, r->size - end,
			     RW);
	return ret ? ret : vdpa_batch_end(d->fd);
}

struct remapper {
	struct vblk *d;
	struct rng rng;
	unsigned int rounds;
	int err;
	bool done;
};

/* A region in pieces; its first page, which holds nothing, is a ROM. */
static int map_in_pieces(int fd, const struct mem_region *r, struct rng *rng)
{
	u64 at, len;
	int ret;

	ret = vdpa_map(fd, r->gpa, r->hva, PAGE, RO);
	for (at = PAGE; !ret && at < r->size; at += len) {
		len = PAGE * (1 + rng_below(rng, 64));
		if (len > r->size - at)
			len = r->size - at;
		ret = vdpa_map(fd, r->gpa + at, r->hva + at, len, RW);
	}
	return ret;
}

static void *remap(void *arg)
{
	struct remapper *re = arg;
	const struct mem *m = &re->d->mem;
	int fd = re->d->fd, ret = 0;
	unsigned int i, n;

	for (n = 0; !ret && n < re->rounds; n++) {
		ret = vdpa_batch_begin(fd);
		for (i = 0; !ret && i < m->nr; i++)
			ret = vdpa_unmap(fd, m->region[i].gpa,
					 m->region[i].size);
		for (i = 0; !ret && i < m->nr; i++)
			ret = map_in_pieces(fd, &m->region[i], &re->rng);
		if (!ret)
			ret = vdpa_batch_end(fd);
	}
	re->err = ret;
	__atomic_store_n(&re->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * QEMU does this whenever the guest moves a BAR. All memory is there before
 * and after each batch: no request may see that it was not in between.
 */
TEST_F(vdpa, remapped_while_running)
{
	struct remapper re = { .d = &self->d, .rounds = 300 };
	unsigned int n = 0;
	pthread_t thread;
	int ret;

	MAKE(0);
	self->o.indirect = true;
	self->o.queue_size = 64;
	self->o.poll = true;
	self->o.nr_reqs = 24;
	OPEN();
	rng_seed(&re.rng, 11);
	ASSERT_EQ(0, pthread_create(&thread, NULL, remap, &re));
	do {
		ret = vblk_verified_io(self->q, 0, 24, LEN, n++);
	} while (!ret && !__atomic_load_n(&re.done, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, re.err);
	TH_LOG("%u rounds of I/O in %u of mappings", n, re.rounds);
	ALL_WELL();
	VERIFIED(n);
}

/* After the batch the new memory is used, and the old one not any more. */
TEST_F(vdpa, page_replaced)
{
	struct vblk_req *r;
	unsigned int i;
	u8 *page;

	MAKE(0);
	OPEN();
	VERIFIED(1);
	r = &self->q->req[SPARE];
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	for (i = 0; i < 20; i++) {
		u8 *now = page + (i & 1) * PAGE;
		u8 *old = page + (~i & 1) * PAGE;

		memset(page, 0x77, 2 * PAGE);
		ASSERT_EQ(0, set_page(&self->d, r->buf_gpa, now, RW));
		EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, r->buf_gpa, 8));
		EXPECT_EQ(0, pattern_check(now, PAGE, 8, 1));
		EXPECT_EQ(0x77, old[0]);
		EXPECT_EQ(0, memcmp(old, old + 1, PAGE - 1));
	}
	ASSERT_EQ(0, set_page(&self->d, r->buf_gpa, NULL, RW));
	VERIFIED(2);
	munmap(page, 2 * PAGE);
}

TEST_F(vdpa, page_read_only)
{
	struct vblk_req *r;
	u64 gpa;

	MAKE(0);
	OPEN();
	VERIFIED(1);
	r = &self->q->req[SPARE];
	gpa = r->buf_gpa;
	ASSERT_EQ(0, set_page(&self->d, gpa, NULL, RO));
	pattern_fill(r->buf, LEN, 400, 2);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, gpa, 0));
	EXPECT_EQ(0, pattern_check(r->buf, LEN, 400, 2));
	/* From writable memory into it, and out of it. */
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, gpa - 2048, 0));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, gpa + 2048, 0));
	EXPECT_EQ(0, pattern_check(r->buf, LEN, 400, 2));
	/* To be read only, it will do. */
	EXPECT_EQ(VIRTIO_BLK_S_OK, write_from(self->q, gpa, 400));
	EXPECT_FALSE(needs_reset(self->d.fd));
	ASSERT_EQ(0, set_page(&self->d, gpa, NULL, RW));
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa, 400));
	EXPECT_EQ(0, pattern_check(r->buf, LEN, 400, 2));
}

TEST_F(vdpa, page_not_mapped)
{
	struct vblk_req *r;
	u64 gpa;

	MAKE(0);
	OPEN();
	VERIFIED(1);
	r = &self->q->req[SPARE];
	gpa = r->buf_gpa;
	ASSERT_EQ(0, set_page(&self->d, gpa, NULL, 0));
	memset(r->buf, 0x77, LEN);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, gpa, 0));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, gpa - 2048, 0));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, write_from(self->q, gpa, 400));
	EXPECT_EQ(0x77, r->buf[0]);
	EXPECT_EQ(0, memcmp(r->buf, r->buf + 1, LEN - 1));
	EXPECT_FALSE(needs_reset(self->d.fd));
	ASSERT_EQ(0, set_page(&self->d, gpa, NULL, RW));
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa, 0));
	EXPECT_EQ(0, pattern_check(r->buf, LEN, 0, 1));
}

/* There is no way to say what became of the request. */
TEST_F(vdpa, status_read_only)
{
	struct vblk_req *r, *s;
	int ret;

	MAKE(0);
	OPEN();
	VERIFIED(1);
	r = &self->q->req[SPARE];
	s = &self->q->req[SPARE + 1];
	ASSERT_EQ(0, set_page(&self->d, s->buf_gpa, NULL, RO));
	s->buf[0] = 0x77;
	ret = request(self->q, READ, 0, r->buf_gpa, s->buf_gpa);
	EXPECT_TRUE(ret == VBLK_ST_NONE || ret == -EPIPE);
	EXPECT_EQ(0x77, s->buf[0]);
	ASSERT_EQ(0, set_page(&self->d, s->buf_gpa, NULL, RW));
	RESET();
}

/*
 * More pieces than the device can hold, or one it cannot take: the batch has
 * no answer, but what was unmapped may not be reached any more.
 */
TEST_F(vdpa, more_pieces_than_fit)
{
	const struct mem *m = &self->d.mem;
	struct vblk_req *r;
	unsigned int i;
	u64 at;
	int ret;

	MAKE(0);
	OPEN();
	VERIFIED(1);
	r = &self->q->req[SPARE];
	memset(r->buf, 0x77, LEN);
	ASSERT_EQ(0, vdpa_batch_begin(self->d.fd));
	for (i = 0; i < m->nr; i++)
		ASSERT_EQ(0, vdpa_unmap(self->d.fd, m->region[i].gpa,
					m->region[i].size));
	for (i = 0; i < m->nr; i++) {
		for (at = 0; at < m->region[i].size; at += PAGE) {
			u64 gpa = m->region[i].gpa + at;

			if (gpa == r->buf_gpa)
				continue;
			ASSERT_EQ(0, vdpa_map(self->d.fd, gpa,
					      m->region[i].hva + at, PAGE,
					      RW));
		}
	}
	ASSERT_EQ(0, vdpa_batch_end(self->d.fd));
	/* Of several thousand pieces, each is one of a table of user memory. */
	EXPECT_EQ(variant->use_va, needs_reset(self->d.fd));
	ret = read_to(self->q, r->buf_gpa, 0);
	EXPECT_NE(VIRTIO_BLK_S_OK, ret);
	EXPECT_EQ(0x77, r->buf[0]);
	/* Go on, or say that it cannot. */
	if (ret >= 0) {
		EXPECT_EQ(0, vblk_verified_io(self->q, 0, FLIGHT, LEN, 2));
	} else {
		EXPECT_TRUE(needs_reset(self->d.fd));
	}
	ASSERT_EQ(0, vdpa_unmap_mem(self->d.fd, m));
	ASSERT_EQ(0, vdpa_map_mem(self->d.fd, m));
	RESET();
}

static int wait_child(pid_t pid, int *status)
{
	if (vt_wait(waitpid(pid, status, WNOHANG) == pid))
		return 0;
	kill(pid, SIGKILL);
	return vt_wait(waitpid(pid, status, WNOHANG) == pid) ? -ETIMEDOUT :
							       -EBUSY;
}

/* Each mapping alone; not all VMMs make batches. */
static int map_without_batches(struct vblk *d, const struct vblk_opts *o)
{
	unsigned int i;
	int ret;

	ret = vdpa_attach(d, o);
	if (!ret)
		ret = vdpa_negotiate(d);
	if (!ret)
		ret = vblk_make_memory(d);
	for (i = 0; !ret && i < d->mem.nr; i++) {
		const struct mem_region *r = &d->mem.region[i];

		ret = vdpa_map(d->fd, r->gpa, r->hva, r->size, RW);
	}
	if (!ret)
		ret = vdpa_setup_queues(d);
	if (!ret)
		ret = vdpa_start(d);
	for (i = 0; !ret && i < 20; i++) {
		const struct mem_region *r = &d->mem.region[0];

		ret = vblk_verified_io(&d->q[0], 0, 24, LEN, i);
		if (!ret)
			ret = vdpa_map(d->fd, 1ull << 40, r->hva, PAGE, RO);
		if (!ret)
			ret = vblk_verified_io(&d->q[0], 0, 24, LEN, i);
		if (!ret)
			ret = vdpa_unmap(d->fd, 1ull << 40, PAGE);
	}
	return ret;
}

TEST_F(vdpa, mapped_without_batches)
{
	int status = -1, ret;
	pid_t pid;

	MAKE(0);
	pid = fork();
	if (!pid)
		_exit(!!map_without_batches(&self->d, &self->o));
	ret = wait_child(pid, &status);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, status);
	/* Not even SIGKILL ended it: whoever destroys its target waits too. */
	if (ret == -EBUSY)
		self->bed.name[0] = 0;
}

/* Messages that make no sense change nothing. */
TEST_F(vdpa, nonsense_messages)
{
	static const struct vhost_iotlb_msg bad[] = {
		{ .type = VHOST_IOTLB_UPDATE, .iova = 1ull << 40, .perm = RW },
		{ .type = VHOST_IOTLB_UPDATE, .iova = -PAGE, .size = 2 * PAGE,
		  .perm = RW },
		{ .type = VHOST_IOTLB_UPDATE, .iova = 1 * MIB, .size = PAGE,
		  .perm = RW },
		{ .type = VHOST_IOTLB_UPDATE, .iova = 1ull << 40, .size = PAGE,
		  .uaddr = 1ull << 63, .perm = RW },
		{ .type = VHOST_IOTLB_MISS, .iova = 1ull << 40, .size = PAGE },
		{ .type = 0xee },
	};
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2 };
	unsigned int i;

	MAKE(0);
	OPEN();
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_NE(0, vdpa_message(self->d.fd, &bad[i]))
			TH_LOG("message %u", i);
	EXPECT_GT(0, write(self->d.fd, &msg, 3));
	EXPECT_GT(0, write(self->d.fd, &msg, sizeof(msg) - 1));
	EXPECT_EQ(0, vdpa_batch_end(self->d.fd));
	EXPECT_EQ(0, vdpa_batch_begin(self->d.fd));
	EXPECT_EQ(0, vdpa_batch_begin(self->d.fd));
	EXPECT_EQ(0, vdpa_batch_end(self->d.fd));
	EXPECT_EQ(0, vdpa_batch_end(self->d.fd));
	EXPECT_EQ(0, vdpa_unmap(self->d.fd, 1ull << 40, PAGE));
	VERIFIED(1);
	ALL_WELL();
}

/* Rings where there is nothing. */

static u64 physical(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	u64 entry = 0;

	if (pread(fd, &entry, 8, (uintptr_t)p / PAGE * 8) != 8)
		entry = 0;
	close(fd);
	entry &= (1ull << 55) - 1;
	return entry ? entry * PAGE + (uintptr_t)p % PAGE : 0;
}

/*
 * All addresses are physical ones of memory that is really ours. Whoever
 * takes them for granted serves this ring, and would serve any.
 */
TEST_F(vdpa, no_map_no_access)
{
	struct vblk_req *r;
	struct vqueue *vr;
	u16 used[8];

	MAKE(0);
	ASSERT_EQ(0, vdpa_attach(&self->d, &self->o));
	ASSERT_EQ(0, vdpa_negotiate(&self->d));
	ASSERT_EQ(0, vblk_make_memory(&self->d));
	r = &self->q->req[0];
	vr = &self->q->vr;
	vr->desc_gpa = physical(vr->desc_area);
	vr->driver_gpa = physical(vr->driver_area);
	vr->device_gpa = physical(vr->device_area);
	r->hdr_gpa = physical(r->hdr);
	r->buf_gpa = physical(r->buf);
	r->status_gpa = r->hdr_gpa + (r->status - (u8 *)r->hdr);
	if (!vr->desc_gpa || !r->hdr_gpa)
		SKIP(return, "no physical addresses in /proc/self/pagemap");
	ASSERT_EQ(0, vdpa_setup_queues(&self->d));
	ASSERT_EQ(0, submit(self->q, READ, 1));
	memcpy(used, vr->device_area, sizeof(used));
	ASSERT_EQ(0, vdpa_start(&self->d));
	EXPECT_TRUE(needs_reset(self->d.fd));
	EXPECT_TRUE(RING_STOPPED());
	vblk_force_kick(self->q);
	sleep_ms(300);
	EXPECT_EQ(VBLK_ST_NONE, vring_read(r->status));
	EXPECT_EQ(0xee, vring_read(r->buf));
	EXPECT_EQ(0, memcmp(used, vr->device_area, sizeof(used)));
}

/* The same of a device that had a map. */
TEST_F(vdpa, unmapped_while_running)
{
	struct vblk_req *r;
	struct vring_seg seg[3];

	MAKE(0);
	OPEN();
	VERIFIED(1);
	ASSERT_EQ(0, vdpa_unmap_mem(self->d.fd, &self->d.mem));
	r = vblk_get(self->q);
	vblk_prepare(r, READ, 0, LEN);
	memset(r->buf, 0xee, LEN);
	seg[0] = (struct vring_seg){ physical(r->hdr), 16, false };
	seg[1] = (struct vring_seg){ physical(r->buf), LEN, true };
	seg[2] = (struct vring_seg){ physical(r->status), 1, true };
	ASSERT_EQ(0, vblk_submit_chain(r, seg, 3));
	vblk_force_kick(self->q);
	sleep_ms(300);
	EXPECT_EQ(VBLK_ST_NONE, vring_read(r->status));
	EXPECT_EQ(0xee, vring_read(r->buf));
	ASSERT_EQ(0, vdpa_map_mem(self->d.fd, &self->d.mem));
	RESET();
}

/* Each part of the ring alone in its page. */
static int move_ring(struct vblk_queue *q)
{
	struct mem *m = &q->d->mem;
	struct vqueue *vr = &q->vr;

	vr->desc_area = mem_alloc(m, PAGE, PAGE, &vr->desc_gpa);
	vr->driver_area = mem_alloc(m, PAGE, PAGE, &vr->driver_gpa);
	vr->device_area = mem_alloc(m, PAGE, PAGE, &vr->device_gpa);
	if (!vr->desc_area || !vr->driver_area || !vr->device_area)
		return -ENOMEM;
	vring_reset(vr, 0);
	return vdpa_setup_queue(q, vring_base(vr));
}

TEST_F(vdpa, ring_not_mapped_or_read_only)
{
	unsigned int part, i;

	MAKE(0);
	self->o.no_start = true;
	for (i = 0; i < 6; i++) {
		struct vqueue *vr = &self->q->vr;
		u8 perm = i / 3 ? RO : 0;
		bool fails;
		u64 gpa[3];

		OPEN();
		ASSERT_EQ(0, move_ring(self->q));
		gpa[0] = vr->desc_gpa;
		gpa[1] = vr->driver_gpa;
		gpa[2] = vr->device_gpa;
		part = i % 3;
		fails = !perm || part == 2 || (variant->packed && !part);
		ASSERT_EQ(0, set_page(&self->d, gpa[part], NULL, perm));
		ASSERT_EQ(0, submit(self->q, READ, 4));
		ASSERT_EQ(0, vdpa_start(&self->d));
		EXPECT_EQ(fails, needs_reset(self->d.fd))
			TH_LOG("part %u, access %u", part, perm);
		if (fails) {
			EXPECT_TRUE(RING_STOPPED());
			EXPECT_EQ(0, quiet(self->q, 50));
		} else {
			EXPECT_EQ(0, vblk_drain(self->q));
		}
		ASSERT_EQ(0, set_page(&self->d, gpa[part], NULL, RW));
		RESET();
		vblk_close(&self->d);
	}
}

/* What a running queue does not take from anybody. */
TEST_F(vdpa, changed_while_running)
{
	struct vhost_vring_addr a = { 0 };
	unsigned int num;
	int fd;

	MAKE(0);
	OPEN();
	fd = self->d.fd;
	EXPECT_EQ(-EINVAL, ctl_call(fd, VHOST_SET_VRING_ADDR, &a));
	EXPECT_EQ(-EINVAL, vhost_set_vring_base(fd, 0, 7));
	EXPECT_EQ(-EBUSY, vhost_set_features(fd, self->d.features));
	for (num = 2; num <= 32768; num *= 4) {
		vhost_set_vring_num(fd, 0, num);
		VERIFIED(num);
	}
	ALL_WELL();
	/* A size no ring can have; Linux 7 keeps it from the device. */
	EXPECT_EQ(0, vdpa_enable(fd, 0, false));
	num = vhost_set_vring_num(fd, 0, 32768) ? 0 : VDPA_NEEDS_RESET;
	vdpa_enable(fd, 0, true);
	EXPECT_EQ(VDPA_RUNNING | num, vdpa_status(fd));
	sleep_ms(50);
	RESET();
}

/* The end, at bad moments. */

TEST_F(vdpa, unmapped_with_io_in_flight)
{
	struct vhost_target_stats st;

	MAKE(SLOW_NS);
	OPEN();
	IN_FLIGHT(READ);
	ASSERT_EQ(0, vdpa_unmap_mem(self->d.fd, &self->d.mem));
	/* It returned: nothing is on its way there any more. */
	bed_stats(&self->bed, &st);
	EXPECT_EQ(0, st.inflight);
	ASSERT_EQ(0, munmap(self->d.mem.area, self->d.mem.area_size));
	self->d.mem.area = NULL;
	vblk_force_kick(self->q);
	sleep_ms(300);
	vblk_force_kick(self->q);
	vblk_close(&self->d);
	OPEN();
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 2));
}

/* Without a word to the device. */
TEST_F(vdpa, munmap_with_io_in_flight)
{
	MAKE(SLOW_NS);
	OPEN();
	IN_FLIGHT(READ);
	ASSERT_EQ(0, munmap(self->d.mem.area, self->d.mem.area_size));
	self->d.mem.area = NULL;
	vblk_force_kick(self->q);
	EXPECT_EQ(0, bed_wait_idle(&self->bed));
	vblk_force_kick(self->q);
	vblk_close(&self->d);
	OPEN();
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 2));
}

TEST_F(vdpa, close_with_io_in_flight)
{
	u32 type;

	MAKE(SLOW_NS);
	for (type = READ; type <= WRITE; type++) {
		OPEN();
		IN_FLIGHT(type);
		vblk_close(&self->d);
	}
	OPEN();
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 2));
}

TEST_F(vdpa, reset_with_io_in_flight)
{
	struct vhost_target_stats st;
	unsigned int i, j;

	MAKE(SLOW_NS);
	OPEN();
	for (i = 0; i < 3; i++) {
		IN_FLIGHT(READ);
		ASSERT_EQ(0, vdpa_set_status(self->d.fd, 0));
		EXPECT_EQ(0, vdpa_status(self->d.fd));
		bed_stats(&self->bed, &st);
		EXPECT_EQ(0, st.inflight);
		/* The memory is the driver's again. */
		for (j = 0; j < FLIGHT; j++)
			memset(self->q->req[j].buf, 0x77, LEN);
		vblk_force_kick(self->q);
		sleep_ms(400);
		for (j = 0; j < FLIGHT; j++)
			EXPECT_EQ(0, memchr(self->q->req[j].buf, 0, LEN));
		RESET();
	}
}

TEST_F(vdpa, killed_with_io_in_flight)
{
	u32 type;
	pid_t pid;

	MAKE(SLOW_NS);
	for (type = READ; type <= WRITE; type++) {
		pid = child_with_io(vdpa_open, &self->d, &self->o, type);
		EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
		ASSERT_EQ(0, kill_child(pid, &self->bed));
	}
	OPEN();
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 2));
}

TEST_F(vdpa, killed_at_any_time)
{
	unsigned int i;
	pid_t pid;

	MAKE(0);
	for (i = 0; i < 40; i++) {
		self->o.poll = i & 1;
		pid = child_at_work(vdpa_open, &self->d, &self->o);
		usleep(i * 4000);
		ASSERT_EQ(0, kill_child(pid, &self->bed));
	}
	self->o.poll = false;
	OPEN();
	VERIFIED(2);
}

/* Its fd lives on in another process: a device of memory that is gone. */
TEST_F(vdpa, killed_but_not_closed)
{
	int status, pidfd, fd;
	pid_t pid;
	int *num;

	MAKE(SLOW_NS);
	num = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, num);
	pid = fork();
	if (!pid) {
		if (vdpa_open(&self->d, &self->o))
			_exit(1);
		vring_write(num, self->d.fd);
		if (submit(self->q, READ, FLIGHT))
			_exit(1);
		for (;;)
			pause();
	}
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	fd = syscall(SYS_pidfd_getfd, pidfd, vring_read(num), 0);
	ASSERT_LE(0, fd);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, bed_wait_idle(&self->bed));
	EXPECT_LE(0, vdpa_status(fd));
	/* Not its owner. */
	EXPECT_GT(0, vdpa_unmap(fd, 0, 1ull << 40));
	EXPECT_EQ(-EBUSY, ctl_destroy(self->bed.ctl, self->bed.name));
	vdpa_suspend(fd);
	vdpa_resume(fd);
	close(fd);
	close(pidfd);
	munmap(num, PAGE);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	OPEN();
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 2));
	vt_fault("VMM killed under I/O, another process has its vDPA device | blk: what is in flight ends; the target is free when that closes it");
}

/* Open and close, again and again: nothing leaks (see the teardown). */
TEST_F(vdpa, sessions_come_and_go)
{
	unsigned int i;

	MAKE(0);
	for (i = 0; i < 60; i++) {
		self->o.layout = i % MEM_LAYOUTS;
		self->o.nr_queues = 1 + i % QUEUES;
		self->o.nr_reqs = 4;
		OPEN();
		ASSERT_EQ(0, vblk_do(self->q, READ, 0, NULL, LEN));
		vblk_close(&self->d);
	}
}

TEST_HARNESS_MAIN
