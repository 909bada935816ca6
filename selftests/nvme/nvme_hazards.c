// SPDX-License-Identifier: GPL-2.0
/* Drivers that break the rules, and controllers that are taken away. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "nvme_fixture.h"

#define SLOW_NS 300000000ull

static u64 bad_writes(struct nvme *n)
{
	return nvme_info(n) ? ~0ull : n->info.bad_writes;
}

static void poke(struct nvme *n, unsigned int i, u32 val)
{
	if (n->mode == NVME_DB_SHADOW && i > 1)
		n->dbs[i] = val;
	if (n->page)
		n->page[i] = val;
	else
		nvme_write(n, 0x1000 + 4 * i, 4, val);
}

static bool wait_bad(struct nvme *n, u64 want)
{
	return vt_wait(bad_writes(n) >= want);
}

TEST_F(nv, doorbell_out_of_range)
{
	struct nvme *n = &self->n;
	struct nvme_sqe cmd = { .opcode = 12, .cid = 0x300 };
	struct nvme_cqe cqe;

	MAKE_QUEUE();
	WORKS();
	nvme_submit(n, 0, &cmd);
	nvme_ring(n, 0);
	poke(n, 2, 16);
	EXPECT_TRUE(wait_bad(n, 1));
	ASSERT_EQ(0, nvme_wait(n, 0, &cqe));
	EXPECT_EQ(0x300, cqe.cid);
	EXPECT_EQ(0x010100, cqe.dw0);
	poke(n, 2, 0xffff);
	EXPECT_TRUE(wait_bad(n, 2));
	poke(n, 2, ~0u);
	EXPECT_TRUE(wait_bad(n, 3));
	poke(n, 2, n->q[1].sq.tail);
	WORKS();
}

TEST_F(nv, doorbell_of_no_queue)
{
	struct nvme *n = &self->n;
	u64 before;

	MAKE_QUEUE();
	before = bad_writes(n);
	/* By a trap it is told; in the page nobody looks at it. */
	nvme_write(n, 0x1000 + 4 * 6, 4, 1);
	nvme_write(n, 0x1000 + 4 * 7, 4, 1);
	nvme_write(n, 0x1000 + 4 * 400, 4, 1);
	nvme_write(n, 0x1ffc, 4, 1);
	nvme_write(n, 0x2000, 4, 1);
	nvme_write(n, 0x1008, 8, 1);
	nvme_write(n, 0x100a, 2, 1);
	EXPECT_EQ(before + 7, bad_writes(n));
	if (n->page)
		memset((void *)n->page + 0x20, 0xff, PAGE - 0x20);
	WORKS();
}

/* Nothing is lost if the driver has more under way than it has entries for. */
TEST_F(nv, completion_queue_full)
{
	struct nvme *n = &self->n;
	struct nvme_sqe cmd = { 0 };
	struct nvme_cqe cqe;
	unsigned int i, got = 0;
	bool seen[15] = { 0 };

	MAKE(0);
	ASSERT_EQ(0, nvme_create_cq(n, 1, 4, 1));
	ASSERT_EQ(0, nvme_create_sq(n, 1, 16, 1));
	for (i = 0; i < 15; i++) {
		nvme_set_rw(&cmd, OP_READ, 1, i, 1);
		cmd.prp1 = self->gpa + i * SECTOR;
		cmd.cid = i;
		nvme_submit(n, 1, &cmd);
	}
	nvme_ring(n, 1);
	sleep_ms(100);
	for (i = 0; i < 15; i++) {
		ASSERT_EQ(0, nvme_wait(n, 1, &cqe));
		ASSERT_GT(15, cqe.cid);
		EXPECT_FALSE(seen[cqe.cid]);
		seen[cqe.cid] = true;
		got++;
		if (i % 4 == 0)
			sleep_ms(2);
	}
	EXPECT_EQ(15, got);
	WORKS();
}

TEST_F(nv, completion_head_out_of_range)
{
	MAKE_QUEUE();
	WORKS();
	poke(&self->n, 3, 99);
	WORKS();
	poke(&self->n, 3, self->n.q[1].cq.head);
	for (int i = 0; i < 20; i++)
		WORKS();
}

TEST_F(nv, prp_hazards)
{
	struct nvme_sqe cmd = { 0 };
	u64 hole;

	MAKE_QUEUE();
	hole = mem_hole(&self->mem);
	nvme_set_rw(&cmd, OP_READ, 1, 0, 64);
	cmd.prp1 = self->gpa + 2;
	cmd.prp2 = self->list_gpa;
	STATUS(SC_PRP_OFFSET, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.prp1 = self->gpa;
	cmd.prp2 = self->list_gpa + 4;
	STATUS(SC_PRP_OFFSET, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.prp2 = self->list_gpa;
	self->list[0] = self->gpa + 0x1200;
	STATUS(SC_PRP_OFFSET, nvme_do(&self->n, 1, &cmd, NULL));
	self->list[0] = hole;
	STATUS(SC_DATA_XFER, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.prp2 = hole;
	STATUS(SC_DATA_XFER, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.prp2 = ~0ull << 12;
	STATUS(SC_DATA_XFER, nvme_do(&self->n, 1, &cmd, NULL));
	cmd.prp1 = hole;
	STATUS(SC_DATA_XFER, nvme_do(&self->n, 1, &cmd, NULL));
	WORKS();
	/* A list that crosses into a second page. */
	nvme_set_rw(&cmd, OP_READ, 1, 100, 16);
	cmd.prp1 = self->gpa + 0x800;
	cmd.prp2 = self->list_gpa + PAGE - 8;
	self->list[511] = self->list_gpa + PAGE;
	self->list[512] = self->gpa + 0x1000;
	self->list[513] = self->gpa + 0x2000;
	memset(self->data, 0, 16 * KIB);
	STATUS(0, nvme_do(&self->n, 1, &cmd, NULL));
	EXPECT_EQ(0, pattern_check(self->data + 0x800, 16 * SECTOR, 100, 3));
}

static int do_sgl(FIXTURE_DATA(nv) *self, struct nvme_sgl d)
{
	struct nvme_sqe cmd = { .flags = 1 << 6 };

	nvme_set_rw(&cmd, OP_READ, 1, 0, 8);
	memcpy(&cmd.prp1, &d, sizeof(d));
	return nvme_do(&self->n, 1, &cmd, NULL);
}

#define SGL(a, l, t) ((struct nvme_sgl) { .addr = (a), .len = (l), .type = (t) })

TEST_F(nv, sgl_hazards)
{
	struct nvme_sgl *list;
	u64 at;

	MAKE_QUEUE();
	list = (struct nvme_sgl *)self->list;
	at = self->list_gpa;
	STATUS(0, do_sgl(self, SGL(self->gpa + 4, 4096, 0)));
	STATUS(SC_SGL_LENGTH, do_sgl(self, SGL(self->gpa, 4097, 0)));
	STATUS(SC_SGL_LENGTH, do_sgl(self, SGL(self->gpa, 0, 0)));
	STATUS(SC_SGL_TYPE, do_sgl(self, SGL(self->gpa, 4096, 0x40)));
	STATUS(SC_SGL_TYPE, do_sgl(self, SGL(self->gpa, 4096, 0x01)));
	STATUS(SC_SGL_SEGMENT, do_sgl(self, SGL(at, 0, 0x30)));
	STATUS(SC_SGL_SEGMENT, do_sgl(self, SGL(at, 24, 0x20)));
	STATUS(SC_DATA_XFER, do_sgl(self, SGL(mem_hole(&self->mem), 16, 0x30)));
	STATUS(SC_DATA_XFER, do_sgl(self, SGL(mem_hole(&self->mem), 4096, 0)));
	/* A segment that leads to itself, and one that never ends. */
	list[0] = SGL(at, 16, 0x20);
	STATUS(SC_SGL_COUNT, do_sgl(self, SGL(at, 16, 0x20)));
	memset(self->data, 0, 64 * KIB);
	STATUS(SC_SGL_COUNT, do_sgl(self, SGL(self->gpa, 0xfffff0, 0x30)));
	list[0] = SGL(self->gpa, 4096, 0);
	list[1] = SGL(at + 32, 16, 0x20);
	STATUS(SC_SGL_SEGMENT, do_sgl(self, SGL(at, 32, 0x30)));
	STATUS(SC_SGL_COUNT, do_sgl(self, SGL(at, 48, 0x20)));
	WORKS();
}

TEST_F(nv, shadow_hazards)
{
	struct nvme_sqe cmd = { .opcode = 0x7c };

	MAKE_QUEUE();
	cmd.prp1 = self->gpa;
	cmd.prp2 = self->gpa;
	STATUS(SC_FIELD, nvme_admin(&self->n, &cmd, NULL));
	cmd.prp2 = self->gpa + 8;
	STATUS(SC_FIELD, nvme_admin(&self->n, &cmd, NULL));
	cmd.prp2 = mem_hole(&self->mem);
	STATUS(SC_DATA_XFER, nvme_admin(&self->n, &cmd, NULL));
	cmd.prp1 = mem_hole(&self->mem);
	cmd.prp2 = self->gpa;
	STATUS(SC_DATA_XFER, nvme_admin(&self->n, &cmd, NULL));
	WORKS();
}

TEST_F(nv, cannot_enable)
{
	struct nvme *n = &self->n;

	MAKE(0);
	ASSERT_EQ(0, nvme_disable(n));
	nvme_write(n, 0x28, 8, mem_hole(&self->mem));
	nvme_write(n, 0x14, 4, 4 << 20 | 6 << 16 | 1);
	EXPECT_EQ(0, nvme_wait_csts(n, 3, 2));
	ASSERT_EQ(0, nvme_disable(n));
	EXPECT_EQ(0, nvme_wait_csts(n, 3, 0));
	ASSERT_EQ(0, nvme_enable(n, 8));
	ASSERT_EQ(0, nvme_create_queue(n, 1, 16));
	WORKS();
}

#define CC_ENABLE (4 << 20 | 6 << 16 | 1)

/* As fast as it can be written: what is begun is out of date when it is done. */
TEST_F(nv, enabled_in_haste)
{
	struct nvme *n = &self->n;
	unsigned int i;

	MAKE_QUEUE();
	for (i = 0; i < 20000; i++)
		nvme_write(n, 0x14, 4, i % 3 != 1 ? CC_ENABLE : 0);
	ASSERT_EQ(0, nvme_disable(n));
	ASSERT_EQ(0, nvme_enable(n, 8));
	ASSERT_EQ(0, nvme_create_queue(n, 1, 16));
	WORKS();
}

/* Unit 4 comes and goes until it has done so @times times, and is told to stop. */
struct flip {
	struct bed *bed;
	unsigned int times;
	bool stop;
	int err;
};

static void *flip_unit(void *arg)
{
	struct vhost_target_unit_add u;
	struct flip *f = arg;

	ctl_init_unit(&u, f->bed->name);
	u.unit = 4;
	u.backend = VHOST_TARGET_BACKEND_NULL;
	u.capacity = MIB;
	while (!f->err && !__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		f->err = ctl_call(f->bed->ctl, VHOST_TARGET_UNIT_ADD, &u);
		if (!f->err)
			f->err = ctl_remove_unit(f->bed->ctl, f->bed->name, 4);
		__atomic_add_fetch(&f->times, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Set Features or Get Features, of reservations, of the namespace that flips. */
static int resv_feature(struct nvme *n, unsigned int i)
{
	struct nvme_sqe cmd = {
		.opcode = i & 1 ? 9 : 10, .nsid = i & 4 ? ~0u : 5,
		.cdw10 = i & 2 ? 0x82 : 0x83, .cdw11 = i & 8 ? 0 : 1,
	};

	return nvme_admin(n, &cmd, NULL);
}

#define FLIPS 200

TEST_F(nv, features_of_what_goes)
{
	struct flip f = { .bed = &self->bed };
	pthread_t thread;
	unsigned int i;
	int ret = 0;

	MAKE_QUEUE();
	ASSERT_EQ(0, pthread_create(&thread, NULL, flip_unit, &f));
	for (i = 0; ret >= 0 && !f.err &&
	     (i < 16 * FLIPS ||
	      __atomic_load_n(&f.times, __ATOMIC_RELAXED) < FLIPS); i++) {
		ret = resv_feature(&self->n, i);
		if (ret > 0 && NVME_ERR(ret) != SC_NS &&
		    NVME_ERR(ret) != SC_FIELD)
			break;
	}
	__atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_LE(16 * FLIPS, i);
	EXPECT_EQ(0, f.err);
	WORKS();
}

/* Commands that were taken: on a slow machine they may have ended by now. */
static u64 taken(const struct bed *b)
{
	struct vhost_target_stats st;
	unsigned int i;
	u64 n;

	bed_stats(b, &st);
	n = st.inflight;
	for (i = 0; i < VHOST_TARGET_OP_CLASSES; i++)
		n += st.ops[i];
	return n;
}

static int send_slow(FIXTURE_DATA(nv) *self, unsigned int nr)
{
	u64 before = taken(&self->bed);
	struct nvme_sqe cmd = { 0 };
	unsigned int i;

	for (i = 0; i < nr; i++) {
		nvme_set_rw(&cmd, OP_WRITE, 1, i * 8, 8);
		cmd.prp1 = self->gpa + i % 8 * PAGE;
		nvme_submit(&self->n, 1, &cmd);
	}
	nvme_ring(&self->n, 1);
	return vt_wait(taken(&self->bed) > before) ? 0 : -ETIMEDOUT;
}

TEST_F(nv, disabled_with_io_in_flight)
{
	MAKE(SLOW_NS);
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 32));
	ASSERT_EQ(0, send_slow(self, 20));
	ASSERT_EQ(0, nvme_disable(&self->n));
	ASSERT_EQ(0, nvme_enable(&self->n, 8));
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 16));
	WORKS();
}

TEST_F(nv, reset_with_io_in_flight)
{
	struct vhost_target_nvme_reset r = { .size = sizeof(r) };

	MAKE(SLOW_NS);
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 32));
	ASSERT_EQ(0, send_slow(self, 20));
	ASSERT_EQ(0, ctl_call(self->n.fd, VHOST_TARGET_NVME_RESET, &r));
	EXPECT_EQ(0, nvme_read(&self->n, 0x14, 4));
	EXPECT_EQ(0, nvme_read(&self->n, 0x1c, 4));
	EXPECT_EQ(0, nvme_read(&self->n, 0x24, 4));
	ASSERT_EQ(0, nvme_enable(&self->n, 8));
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 16));
	WORKS();
}

TEST_F(nv, queue_deleted_with_io_in_flight)
{
	struct nvme_cqe cqe;
	unsigned int i;

	MAKE(SLOW_NS);
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 32));
	ASSERT_EQ(0, send_slow(self, 20));
	ASSERT_EQ(0, nvme_delete_sq(&self->n, 1));
	/* Whatever was taken has been completed; nothing comes afterwards. */
	for (i = 0; nvme_reap(&self->n, 1, &cqe); i++)
		STATUS(0, cqe.status >> 1);
	EXPECT_LT(0, i);
	ASSERT_EQ(0, nvme_create_sq(&self->n, 1, 16, 1));
	WORKS();
}

TEST_F(nv, shutdown)
{
	unsigned int shn;

	MAKE_QUEUE();
	for (shn = 1; shn <= 2; shn++) {
		WORKS();
		nvme_write(&self->n, 0x14, 4,
			   4 << 20 | 6 << 16 | shn << 14 | 1);
		EXPECT_EQ(0, nvme_wait_csts(&self->n, 0xc, 8));
		ASSERT_EQ(0, nvme_disable(&self->n));
		EXPECT_EQ(0, nvme_wait_csts(&self->n, 0xc, 0));
		ASSERT_EQ(0, nvme_enable(&self->n, 8));
		ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 16));
	}
	STATUS(0, nvme_get_log(&self->n, 2, 512));
	EXPECT_EQ(0, ((u64 *)self->n.buf)[18]);
}

TEST_F(nv, killed_with_io_in_flight)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, nv_make_bed(self, SLOW_NS));
	pid = fork();
	if (!pid) {
		if (nv_make_ctrl(self, variant->db) ||
		    nvme_create_queue(&self->n, 1, 32) || send_slow(self, 20))
			_exit(1);
		raise(SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	/* Somebody else can have it at once. */
	ASSERT_EQ(0, bed_wait_detached(&self->bed));
	ASSERT_EQ(0, nv_make_ctrl(self, variant->db));
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 16));
	WORKS();
}

TEST_F(nv, memory_replaced)
{
	struct nvme_cqe cqe;
	unsigned int i;

	MAKE(SLOW_NS / 10);
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 32));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, send_slow(self, 4));
		ASSERT_EQ(0, mem_set_table(&self->mem, self->n.fd, -1));
		for (int k = 0; k < 4; k++) {
			ASSERT_EQ(0, nvme_wait(&self->n, 1, &cqe));
			STATUS(0, cqe.status >> 1);
		}
	}
	WORKS();
}

/* Rings stay what the VMM has there, whatever else of its memory is pinned. */
TEST_F(nv, fork_while_running)
{
	unsigned int i;
	pid_t pid;

	MAKE(0);
	ASSERT_EQ(0, nvme_create_queue(&self->n, 1, 32));
	for (i = 0; i < 3; i++) {
		WORKS();
		ASSERT_EQ(0, mem_set_table(&self->mem, self->n.fd, -1));
		pid = fork();
		if (!pid) {
			/* Hold its copy of everything. */
			pause();
			_exit(0);
		}
		WORKS();
		STATUS(0, nvme_identify(&self->n, 1, 0));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	vt_fault("VMM forks, its child holds its copy of all | nvme: nothing");
}

/* Nobody looks at the queues for a while. */
static bool left_alone(const struct bed *b)
{
	struct vhost_target_stats st, later;

	bed_stats(b, &st);
	sleep_ms(100);
	bed_stats(b, &later);
	return st.polls == later.polls;
}

/*
 * An idle controller falls asleep, and one write wakes it. That of the last
 * completion's head may still be on its way.
 */
TEST_F(nv, idle_and_woken)
{
	unsigned int i;

	MAKE_QUEUE();
	for (i = 0; i < 5; i++) {
		WORKS();
		EXPECT_TRUE(vt_wait(left_alone(&self->bed)));
	}
	ASSERT_EQ(0, nvme_info(&self->n));
	if (variant->db == NVME_DB_PAGE)
		EXPECT_LT(0, self->n.info.zaps);
}

/* The moment in which the pollers fall asleep, again and again. */
TEST_F(nv, woken_while_falling_asleep)
{
	unsigned int i;
	u64 end;

	MAKE_QUEUE();
	for (i = 0; i < 1500; i++) {
		end = now_ns() + i % 150 * 20000;
		if (i % 3 == 1) {
			/* By a work item: the queue is idle meanwhile. */
			ASSERT_EQ(0, nv_rw(self, OP_COMPARE, 0, 1));
		} else if (i % 3) {
			ASSERT_EQ(0, nv_rw(self, OP_READ, 0, 1));
		} else {
			ASSERT_EQ(0, nvme_get_feature(&self->n, 1, 0, NULL));
		}
		while (now_ns() < end)
			;
	}
	WORKS();
}

TEST_HARNESS_MAIN
