// SPDX-License-Identifier: GPL-2.0
/* The VFIO door without a VM: a running controller and the guest's memory. */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio_io.h"

FIXTURE_VARIANT_ADD(dma, container) { VFIO_CONTAINER };
FIXTURE_VARIANT_ADD(dma, iommufd) { VFIO_IOMMUFD };
FIXTURE_VARIANT_ADD(dma, compat) { VFIO_COMPAT };

TEST_F(dma, mapped_and_not)
{
	START(0);
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE));
	MAP(VFIO_RW);
	EXPECT_EQ(0, verified(&self->n, self->at, 1));
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE + SIZE));
	/* The second page of it is beyond the end. */
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE + SIZE - LEN / 2));
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, ~0ull << 13));
	UNMAP();
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE));
	MAP(VFIO_RW);
	EXPECT_EQ(0, verified(&self->n, self->at, 2));
}

TEST_F(dma, rom)
{
	START(0);
	MAP(VFIO_RO);
	memset(self->at, 0x77, LEN);
	EXPECT_EQ(0, RW(WRITE, BASE));
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE));
	EXPECT_EQ(0x77, self->at[0]);
}

/* Pieces of a page, of three, with holes and ROM in between, in one chunk. */
TEST_F(dma, pieces)
{
	static const struct {
		unsigned int first, nr;
		u32 flags;
	} piece[] = {
		{ 0, 1, VFIO_RW }, { 1, 3, VFIO_RW }, { 5, 1, VFIO_RO },
		{ 6, 58, VFIO_RW }, { 100, 1, VFIO_RW }, { 511, 2, VFIO_RW },
	};
	unsigned int i, page;

	START(0);
	for (i = 0; i < ARRAY_SIZE(piece); i++)
		ASSERT_EQ(0, vfio_map(&self->n.v,
				      BASE + piece[i].first * PAGE,
				      self->at + piece[i].first * PAGE,
				      piece[i].nr * PAGE, piece[i].flags));
	for (page = 0; page < 520; page++) {
		int want = TRANSFER_ERROR;

		for (i = 0; i < ARRAY_SIZE(piece); i++)
			if (page >= piece[i].first &&
			    page < piece[i].first + piece[i].nr &&
			    piece[i].flags == VFIO_RW)
				want = 0;
		EXPECT_EQ(want, RW(READ, BASE + page * PAGE));
	}
	/* Over the border of two pieces, and of two chunks. */
	EXPECT_EQ(0, RW(READ, BASE + PAGE / 2));
	EXPECT_EQ(0, RW(READ, BASE + 511 * PAGE + PAGE / 2));
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE + 3 * PAGE + PAGE / 2));
	/* One goes, the others stay. */
	EXPECT_EQ(0, vfio_unmap(&self->n.v, BASE + PAGE, 3 * PAGE));
	EXPECT_EQ(0, RW(READ, BASE));
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE + PAGE));
	EXPECT_EQ(0, RW(READ, BASE + 6 * PAGE));
	EXPECT_EQ(0, vfio_map(&self->n.v, BASE + PAGE, self->at + PAGE,
			      3 * PAGE, VFIO_RW));
	EXPECT_EQ(0, RW(READ, BASE + PAGE));
}

/* Unmapping waits for what uses the memory, and unpins it. */
TEST_F(dma, unmapped_under_io)
{
	long long before;

	START(SLOW_NS);
	before = pinned_pages();
	MAP(VFIO_RW);
	in_flight(&self->n, READ);
	ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
	EXPECT_LT(before, pinned_pages());
	UNMAP();
	EXPECT_EQ(before, pinned_pages());
	EXPECT_EQ(FLIGHT, reap(&self->n));
}

struct remapper {
	struct vfio *v;
	u8 *at;
	bool stop;
	unsigned int rounds;
	int err;
};

static void *remap(void *arg)
{
	struct remapper *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED) && !r->err) {
		r->err = vfio_unmap(r->v, BASE, SIZE);
		if (!r->err)
			r->err = vfio_map(r->v, BASE, r->at, SIZE, VFIO_RW);
		r->rounds++;
	}
	return NULL;
}

/*
 * VFIO stops the machine when something unmapped is pinned again ten times.
 * A command may come while nothing is mapped: it fails, and nothing else.
 */
TEST_F(dma, remapped_under_io)
{
	struct remapper r = { .at = self->at };
	unsigned int i, nr = nr_remaps(2000), good = 0;
	pthread_t thread;
	int status;

	START(0);
	MAP(VFIO_RW);
	r.v = &self->n.v;
	ASSERT_EQ(0, pthread_create(&thread, NULL, remap, &r));
	for (i = 0; i < nr; i++) {
		status = RW(i & 1 ? READ : WRITE, BASE + i % 64 * LEN);
		if (status)
			EXPECT_EQ(TRANSFER_ERROR, status);
		good += !status;
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.err);
	EXPECT_LT(0, r.rounds);
	vt_msg("%u of %u commands, %u rounds of mappings", good, nr, r.rounds);
	EXPECT_EQ(0, verified(&self->n, self->at, 3));
}

TEST_F(dma, no_bus_master)
{
	START(0);
	MAP(VFIO_RW);
	EXPECT_EQ(0, verified(&self->n, self->at, 4));
	ASSERT_EQ(0, vfio_set_command(&self->n.v, PCI_COMMAND_MEMORY));
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE));
	ASSERT_EQ(0, vfio_set_command(&self->n.v, PCI_COMMAND_MEMORY |
				      PCI_COMMAND_MASTER));
	EXPECT_EQ(0, verified(&self->n, self->at, 5));
	/* It cannot be enabled without. */
	ASSERT_EQ(0, nvme_disable(&self->n));
	ASSERT_EQ(0, vfio_set_command(&self->n.v, PCI_COMMAND_MEMORY));
	nvme_write(&self->n, 0x14, 4, 4 << 20 | 6 << 16 | 1);
	EXPECT_EQ(0, nvme_wait_csts(&self->n, CFS, CFS));
	nvme_write(&self->n, 0x14, 4, 0);
	EXPECT_EQ(0, nvme_wait_csts(&self->n, 1, 0));
	ASSERT_EQ(0, vfio_set_command(&self->n.v, PCI_COMMAND_MEMORY |
				      PCI_COMMAND_MASTER));
	ASSERT_EQ(0, nvme_enable(&self->n, 16));
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 32));
	EXPECT_EQ(0, verified(&self->n, self->at, 6));
}

/* Rings keep their pages; a controller whose rings are gone does not start. */
TEST_F(dma, rings_unmapped)
{
	const struct mem_region *r = &self->mem.region[0];

	START(0);
	MAP(VFIO_RW);
	ASSERT_EQ(0, vfio_unmap(&self->n.v, r->gpa, r->size));
	EXPECT_EQ(0, verified(&self->n, self->at, 7));
	ASSERT_EQ(0, nvme_disable(&self->n));
	nvme_write(&self->n, 0x14, 4, 4 << 20 | 6 << 16 | 1);
	EXPECT_EQ(0, nvme_wait_csts(&self->n, CFS, CFS));
	nvme_write(&self->n, 0x14, 4, 0);
	EXPECT_EQ(0, nvme_wait_csts(&self->n, 1, 0));
	ASSERT_EQ(0, vfio_map_mem(&self->n.v, &self->mem));
	ASSERT_EQ(0, nvme_enable(&self->n, 16));
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 32));
	EXPECT_EQ(0, verified(&self->n, self->at, 8));
}

/* Of the two kinds: VFIO's call, and the bit in configuration space. */
static int reset(struct vfio *v, bool flr)
{
	unsigned int at = vfio_cap(v, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;

	return flr ? vfio_write(v, VFIO_CONFIG, at, 2, PCI_EXP_DEVCTL_BCR_FLR) :
	       vfio_reset(v);
}

TEST_F(dma, reset_under_io)
{
	struct vhost_target_stats st;
	unsigned int i;

	START(SLOW_NS);
	MAP(VFIO_RW);
	for (i = 0; i < 2; i++) {
		in_flight(&self->n, READ);
		ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
		ASSERT_EQ(0, reset(&self->n.v, i));
		bed_stats(&self->bed, &st);
		EXPECT_EQ(0, st.inflight);
		ASSERT_EQ(0, vfio_set_command(&self->n.v, PCI_COMMAND_MEMORY |
					      PCI_COMMAND_MASTER));
		EXPECT_EQ(0, nvme_read(&self->n, 0x1c, 4));
		EXPECT_EQ(0, nvme_read(&self->n, 0x14, 4));
		/* The eventfds are still there, and used. */
		ASSERT_EQ(0, nvme_enable(&self->n, 16));
		ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 32));
		EXPECT_EQ(0, verified(&self->n, self->at, 9 + i));
	}
}

TEST_F(dma, closed_under_io)
{
	START(SLOW_NS);
	MAP(VFIO_RW);
	in_flight(&self->n, WRITE);
	ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
	nvme_close(&self->n);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	EXPECT_EQ(self->pinned, pinned_pages());
}

#define CLOSES 30		/* of a device whose memory is all pinned */

static void *close_it(void *arg)
{
	struct nvme *n = arg;

	/* It is open as long as that is mapped. */
	vfio_unmap_doorbells(n->page);
	n->page = NULL;
	close(n->v.fd);
	return NULL;
}

/* VFIO stops the machine if what it asks us to unpin is not, the tenth time. */
TEST_F(dma, closed_while_unmapped)
{
	unsigned int i, chunk;
	struct mem data = {};
	pthread_t thread;

	ASSERT_EQ(0, make_slow(&self->bed, &self->disk, 0));
	ASSERT_EQ(0, mem_init(&data, MEM_ONE, 64 * MIB, false));
	/* It takes longer to unpin. */
	madvise(data.region[0].hva, 64 * MIB, MADV_NOHUGEPAGE);
	for (i = 0; i < CLOSES; i++) {
		ASSERT_EQ(0, start(&self->n, &self->mem, self->bed.name));
		ASSERT_EQ(0, vfio_map(&self->n.v, BASE, data.region[0].hva,
				      64 * MIB, VFIO_RW));
		for (chunk = 0; chunk < 32; chunk++)
			ASSERT_EQ(0, RW(READ, BASE + chunk * 2 * MIB));
		ASSERT_EQ(0, pthread_create(&thread, NULL, close_it, &self->n));
		usleep(i * 300);
		EXPECT_EQ(0, vfio_unmap(&self->n.v, BASE, 64 * MIB));
		pthread_join(thread, NULL);
		self->n.v.fd = -1;
		nvme_close(&self->n);
		ASSERT_EQ(0, bed_wait_detached(&self->bed));
	}
	mem_free(&data);
}

static u64 signals(int fd, unsigned int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	u64 n = 0;

	if (poll(&p, 1, ms) == 1 && read(fd, &n, sizeof(n)) != sizeof(n))
		return ~0ull;
	return n;
}

static int use_pin(struct vfio *v, int fd, int unmask)
{
	u32 flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK;
	int ret = vfio_irqs_off(v, VFIO_MSIX);

	if (!ret)
		ret = vfio_set_eventfds(v, VFIO_INTX, 0, 1, &fd);
	return ret ? ret : vfio_set_irqs(v, VFIO_INTX, flags, 0, 1, &unmask,
					 sizeof(unmask));
}

struct resetter {
	struct vfio *v;
	bool done;
};

static void *reset_it(void *arg)
{
	struct resetter *r = arg;

	vfio_reset(r->v);
	__atomic_store_n(&r->done, true, __ATOMIC_RELAXED);
	return NULL;
}

/*
 * Has @other let go of its pin before @n was reset, which waits for what is in
 * flight? @n's VMM unmasks its own meanwhile.
 */
static bool lets_go_at_once(struct nvme *n, struct vfio *other)
{
	int fd = eventfd(0, EFD_CLOEXEC), unmask = eventfd(0, EFD_CLOEXEC);
	struct resetter r = { .v = &n->v };
	bool at_once = false;
	pthread_t thread;
	u64 one = 1;

	if (use_pin(other, fd, unmask) || use_pin(&n->v, fd, unmask) ||
	    pthread_create(&thread, NULL, reset_it, &r))
		goto out;
	sleep_ms(100);
	if (write(unmask, &one, sizeof(one)) == sizeof(one)) {
		close(unmask);
		unmask = -1;
		sleep_ms(100);
		at_once = !vfio_irqs_off(other, VFIO_INTX) &&
			  !__atomic_load_n(&r.done, __ATOMIC_RELAXED);
	}
	pthread_join(thread, NULL);
out:
	close(unmask);
	close(fd);
	return at_once;
}

/*
 * All VFIO devices of the host let go of such eventfds in one queue. A machine
 * that stands still for longer than the requests take has another try.
 */
TEST_F(dma, unmask_waits_for_nobody)
{
	struct disk disk = {};
	bool at_once = false;
	struct bed bed = {};
	struct vfio other;
	int i;

	ASSERT_EQ(0, make_slow(&self->bed, &self->disk, 20 * SLOW_NS));
	ASSERT_EQ(0, make_slow(&bed, &disk, 0));
	ASSERT_EQ(0, vfio_open(&other, bed.name));
	for (i = 0; i < 5 && !at_once; i++) {
		ASSERT_EQ(0, start(&self->n, &self->mem, self->bed.name));
		MAP(VFIO_RW);
		in_flight(&self->n, READ);
		ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
		at_once = lets_go_at_once(&self->n, &other);
		nvme_close(&self->n);
		ASSERT_EQ(0, bed_wait_detached(&self->bed));
	}
	EXPECT_TRUE(at_once);
	vfio_close(&other);
	EXPECT_EQ(0, bed_finish(&bed, &disk));
}

/* The pin: high as long as there is something that the driver has not seen. */
TEST_F(dma, pin)
{
	u32 unmask = VFIO_IRQ_SET_ACTION_UNMASK;
	int fd = eventfd(0, EFD_CLOEXEC);
	struct nvme_sqe cmd = { .opcode = 6, .cdw10 = 1 };
	struct nvme_cqe cqe;
	struct vfio *v = &self->n.v;

	START(0);
	ASSERT_EQ(0, vfio_irqs_off(v, VFIO_MSIX));
	ASSERT_EQ(0, vfio_set_eventfds(v, VFIO_INTX, 0, 1, &fd));
	EXPECT_EQ(0, signals(fd, 50));
	cmd.prp1 = self->n.buf_gpa;
	nvme_submit(&self->n, 0, &cmd);
	nvme_ring(&self->n, 0);
	EXPECT_EQ(1, signals(fd, VT_PATIENCE * 1000));
	EXPECT_TRUE(vfio_get(v, VFIO_CONFIG, PCI_STATUS, 2) &
		    PCI_STATUS_INTERRUPT);
	/* Still high: once more. INTMS takes it down, INTMC up. */
	EXPECT_EQ(0, vfio_irq_action(v, VFIO_INTX, 0, unmask));
	EXPECT_EQ(1, signals(fd, VT_PATIENCE * 1000));
	nvme_write(&self->n, 0xc, 4, 1);
	EXPECT_EQ(0, vfio_irq_action(v, VFIO_INTX, 0, unmask));
	EXPECT_EQ(0, signals(fd, 50));
	nvme_write(&self->n, 0x10, 4, 1);
	EXPECT_EQ(1, signals(fd, VT_PATIENCE * 1000));
	/* Seen: low. */
	ASSERT_TRUE(nvme_reap(&self->n, 0, &cqe));
	EXPECT_EQ(0, cqe.status >> 1);
	EXPECT_TRUE(vt_wait(!(vfio_get(v, VFIO_CONFIG, PCI_STATUS, 2) &
			      PCI_STATUS_INTERRUPT)));
	EXPECT_EQ(0, vfio_irq_action(v, VFIO_INTX, 0, unmask));
	EXPECT_EQ(0, signals(fd, 50));
	close(fd);
}

TEST_HARNESS_MAIN
