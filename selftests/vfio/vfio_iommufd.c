// SPDX-License-Identifier: GPL-2.0
/*
 * The VFIO door by the device's own node: what only an iommufd can do. What it
 * has in common with a container is in vfio_dma.c.
 */
#include <linux/iommufd.h>
#include <pthread.h>
#include <unistd.h>

#include "vfio_io.h"

FIXTURE_VARIANT_ADD(dma, iommufd) { VFIO_IOMMUFD };

/* All that the driver needs, in an address space of its own, at @data. */
static int map_all(struct vfio *v, const struct mem *rings, u32 ioas, u8 *data)
{
	u32 was = v->ioas;
	int ret;

	v->ioas = ioas;
	ret = vfio_map_mem(v, rings);
	if (!ret)
		ret = vfio_map(v, BASE, data, SIZE, VFIO_RW);
	v->ioas = was;
	return ret;
}

/* Leaving waits for what uses the memory, and unpins it. */
TEST_F(dma, left_under_io)
{
	u32 ioas;

	START(SLOW_NS);
	MAP(VFIO_RW);
	ioas = self->n.v.ioas;
	in_flight(&self->n, READ);
	ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
	ASSERT_EQ(0, vfio_ioas_leave(&self->n.v));
	EXPECT_EQ(FLIGHT, reap(&self->n));
	EXPECT_EQ(TRANSFER_ERROR, RW(READ, BASE));
	/* Mappings change meanwhile, and nobody has to be told. */
	UNMAP();
	MAP(VFIO_RW);
	ASSERT_EQ(0, vfio_ioas_use(&self->n.v, ioas));
	EXPECT_EQ(0, verified(&self->n, self->at, 1));
	/* Twice is once. */
	ASSERT_EQ(0, vfio_ioas_leave(&self->n.v));
	ASSERT_EQ(0, vfio_ioas_leave(&self->n.v));
	ASSERT_EQ(0, vfio_ioas_use(&self->n.v, ioas));
	EXPECT_EQ(0, verified(&self->n, self->at, 2));
}

/* The same addresses lead elsewhere: nothing of the old ones is used again. */
TEST_F(dma, replaced_under_io)
{
	struct mem other;
	unsigned int i;
	u32 ioas[2];
	u8 *at[2];

	START(SLOW_NS);
	MAP(VFIO_RW);
	ASSERT_EQ(0, mem_init(&other, MEM_ONE, SIZE, false));
	at[0] = self->at;
	at[1] = other.region[0].hva;
	ioas[0] = self->n.v.ioas;
	ASSERT_EQ(0, vfio_ioas_alloc(&self->n.v, &ioas[1]));
	ASSERT_EQ(0, map_all(&self->n.v, &self->mem, ioas[1], at[1]));
	for (i = 1; i < 4; i++) {
		in_flight(&self->n, READ);
		ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
		ASSERT_EQ(0, vfio_ioas_use(&self->n.v, ioas[i & 1]));
		EXPECT_EQ(FLIGHT, reap(&self->n));
		memset(at[!(i & 1)], 0x55, LEN);
		EXPECT_EQ(0, verified(&self->n, at[i & 1], i));
		EXPECT_EQ(0x55, at[!(i & 1)][0]);
	}
	mem_free(&other);
}

struct mover {
	struct vfio *v;
	u32 ioas[2];
	bool stop;
	unsigned int rounds;
	int err;
};

static void *move(void *arg)
{
	struct mover *m = arg;

	while (!__atomic_load_n(&m->stop, __ATOMIC_RELAXED) && !m->err)
		m->err = vfio_ioas_use(m->v, m->ioas[++m->rounds & 1]);
	return NULL;
}

/* A command may come while there is no address space: it fails, that is all. */
TEST_F(dma, replaced_again_and_again)
{
	unsigned int i, nr = nr_remaps(500), good = 0;
	struct mover m = {};
	struct vfio own;
	pthread_t thread;
	int status;

	START(0);
	MAP(VFIO_RW);
	m.ioas[0] = self->n.v.ioas;
	ASSERT_EQ(0, vfio_ioas_alloc(&self->n.v, &m.ioas[1]));
	ASSERT_EQ(0, map_all(&self->n.v, &self->mem, m.ioas[1], self->at));
	own = self->n.v;
	m.v = &own;
	ASSERT_EQ(0, pthread_create(&thread, NULL, move, &m));
	for (i = 0; i < nr; i++) {
		status = RW(i & 1 ? READ : WRITE, BASE + i % 64 * LEN);
		if (status)
			EXPECT_EQ(TRANSFER_ERROR, status);
		good += !status;
	}
	__atomic_store_n(&m.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, m.err);
	vt_msg("%u of %u commands, %u address spaces", good, nr, m.rounds);
	EXPECT_EQ(0, verified(&self->n, self->at, 1));
}

/* What is bound keeps the iommufd, and the memory that it knows. */
TEST_F(dma, iommufd_closed_first)
{
	START(SLOW_NS);
	MAP(VFIO_RW);
	ASSERT_EQ(0, close(self->n.v.iommu));
	self->n.v.iommu = -1;
	EXPECT_EQ(0, verified(&self->n, self->at, 1));
	in_flight(&self->n, WRITE);
	ASSERT_EQ(0, bed_wait_inflight(&self->bed, FLIGHT));
	nvme_close(&self->n);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
	EXPECT_EQ(self->pinned, pinned_pages());
}

/* An address space that is in use stays; one that is not goes, mapped or not. */
TEST_F(dma, address_space_destroyed)
{
	struct iommu_destroy d = { .size = sizeof(d) };
	u32 other;

	START(0);
	MAP(VFIO_RW);
	EXPECT_EQ(0, verified(&self->n, self->at, 1));
	d.id = self->n.v.ioas;
	EXPECT_EQ(-EBUSY, ctl_call(self->n.v.iommu, IOMMU_DESTROY, &d));
	ASSERT_EQ(0, vfio_ioas_alloc(&self->n.v, &other));
	ASSERT_EQ(0, map_all(&self->n.v, &self->mem, other, self->at));
	ASSERT_EQ(0, vfio_ioas_use(&self->n.v, other));
	EXPECT_EQ(0, verified(&self->n, self->at, 2));
	EXPECT_EQ(0, ctl_call(self->n.v.iommu, IOMMU_DESTROY, &d));
	EXPECT_EQ(0, verified(&self->n, self->at, 3));
}

TEST_HARNESS_MAIN
