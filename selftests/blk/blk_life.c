// SPDX-License-Identifier: GPL-2.0
/* Memory, processes and disks that go away while I/O is in flight. */
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "life.h"
#include "nullb.h"
#include "pattern.h"
#include "users.h"

FIXTURE(life)
{
	struct disk disk;
	struct bed bed;
	struct vblk d;
	struct vblk_queue *q;
	struct vblk_opts o;
	long long pinned;
};

FIXTURE_VARIANT(life)
{
	bool packed;
	bool memfd;
};

FIXTURE_VARIANT_ADD(life, split_anon) { false, false };
FIXTURE_VARIANT_ADD(life, packed_anon) { true, false };
FIXTURE_VARIANT_ADD(life, split_memfd) { false, true };

FIXTURE_SETUP(life)
{
	bed_sweep();
	self->pinned = pinned_pages();
	self->q = &self->d.q[0];
	self->o.target = self->bed.name;
	self->o.packed = variant->packed;
	self->o.memfd = variant->memfd;
	self->o.event_idx = true;
	self->o.layout = MEM_PIECES;
	self->o.queue_size = 128;
}

/* Whatever a test did: nothing stays pinned, nothing stays in flight. */
FIXTURE_TEARDOWN(life)
{
	vblk_close(&self->d);
	EXPECT_EQ(0, bed_finish(&self->bed, &self->disk));
	EXPECT_EQ(0, wait_pinned(self->pinned));
	EXPECT_GE(0, read_key("/proc/self/status", "VmPin"));
}

static int make(struct bed *bed, struct disk *disk, u64 delay_ns)
{
	struct bed_opts b = { .disk = disk, .num_queues = 2 };

	return bed_make_nullb(bed, &b, delay_ns);
}

#define MAKE(delay_ns) \
	ASSERT_EQ(0, make(&self->bed, &self->disk, delay_ns))
#define OPEN() ASSERT_EQ(0, vblk_open(&self->d, &self->o))
#define VERIFIED(n) \
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 24, LEN, n))

TEST_F(life, killed_with_io_in_flight)
{
	pid_t pid;
	u32 type;

	MAKE(SLOW_NS);
	for (type = READ; type <= WRITE; type++) {
		pid = child_with_io(vblk_open, &self->d, &self->o, type);
		EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
		ASSERT_EQ(0, kill_child(pid, &self->bed));
	}
	OPEN();
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 2));
}

/*
 * The same, a hundred times (over the three variants) at any moment of a
 * session's life.
 */
TEST_F(life, killed_at_any_time)
{
	unsigned int i;
	pid_t pid;

	MAKE(0);
	for (i = 0; i < 34; i++) {
		self->o.poll = i & 1;
		pid = child_at_work(vblk_open, &self->d, &self->o);
		usleep(i * 6000);
		ASSERT_EQ(0, kill_child(pid, &self->bed));
	}
	self->o.poll = false;
	OPEN();
	VERIFIED(2);
}

/* STOP waits for what was taken; what was not is taken after START. */
TEST_F(life, stop_with_io_in_flight)
{
	struct vblk_req *r;
	unsigned int done = 0;
	u32 base;

	MAKE(SLOW_NS);
	OPEN();
	ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
	ASSERT_EQ(0, vhost_stop(self->d.fd));
	/* No device any more: all that comes has come. */
	while (!vblk_wait_ms(self->q, &r, 0)) {
		EXPECT_EQ(VIRTIO_BLK_S_OK, *r->status);
		vblk_put(r);
		done++;
	}
	EXPECT_LT(0, done);
	ASSERT_EQ(0, vhost_get_vring_base(self->d.fd, 0, &base));
	EXPECT_EQ(vring_base(&self->q->vr), base);
	sleep_ms(500);
	EXPECT_EQ(-ETIMEDOUT, vblk_wait_ms(self->q, &r, 0));
	ASSERT_EQ(0, vblk_setup_queue(self->q, base));
	ASSERT_EQ(0, vhost_start(self->d.fd));
	EXPECT_EQ(0, vblk_drain(self->q));
}

TEST_F(life, close_with_io_in_flight)
{
	unsigned int i;

	MAKE(SLOW_NS);
	for (i = 0; i < 3; i++) {
		OPEN();
		ASSERT_EQ(0, submit(self->q, i & 1 ? WRITE : READ, FLIGHT));
		EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
		vblk_close(&self->d);
	}
	OPEN();
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 2));
}

/* All guest memory goes away first, rings included. */
TEST_F(life, unmapped_with_io_in_flight)
{
	MAKE(SLOW_NS);
	OPEN();
	ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
	ASSERT_EQ(0, munmap(self->d.mem.area, self->d.mem.area_size));
	self->d.mem.area = NULL;
	vblk_force_kick(self->q);
	EXPECT_EQ(0, bed_wait_idle(&self->bed));
	vblk_force_kick(self->q);
	vblk_close(&self->d);
	OPEN();
	EXPECT_EQ(0, vblk_verified_io(self->q, 0, 4, LEN, 2));
	vt_fault("VMM unmaps all its memory, rings too, under I/O | blk: what is in flight ends, its queues stop; the next session: nothing");
}

/* More memory, and less again, while requests go on elsewhere. */
TEST_F(life, memory_table_replaced)
{
	struct vhost_memory_region *extra;
	struct mem *m = &self->d.mem;
	unsigned int i;

	MAKE(0);
	OPEN();
	/* A region at the end that holds nothing of the driver's. */
	m->region[m->nr] = m->region[m->nr - 1];
	extra = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, extra);
	m->region[m->nr].hva = (u8 *)extra;
	m->region[m->nr].gpa = 1ull << 40;
	m->region[m->nr].size = MIB;
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
		m->nr++;
		ASSERT_EQ(0, mem_set_table(m, self->d.fd, -1));
		m->nr--;
		ASSERT_EQ(0, submit(self->q, READ, FLIGHT / 2));
		ASSERT_EQ(0, mem_set_table(m, self->d.fd, -1));
		ASSERT_EQ(0, vblk_drain(self->q));
	}
	VERIFIED(3);
	munmap(extra, MIB);
}

/* One read of @len bytes to @gpa: its status, or -errno. */
static int read_to(struct vblk_queue *q, u64 gpa, u64 sector)
{
	struct vblk_req *r = vblk_get(q), *done;
	struct vring_seg seg[3] = {
		{ r->hdr_gpa, 16, false },
		{ gpa, LEN, true },
		{ r->status_gpa, 1, true },
	};
	int ret;

	vblk_prepare(r, READ, sector, LEN);
	ret = vblk_submit_chain(r, seg, 3);
	vblk_kick(q);
	if (!ret)
		ret = vblk_wait(q, &done);
	vblk_put(r);
	return ret ? ret : *r->status;
}

/* SET_MEM_TABLE without a region waits for the I/O that uses it. */
TEST_F(life, region_removed_with_io_in_flight)
{
	struct mem *m = &self->d.mem;
	struct vhost_target_stats st;
	struct vblk_req *r;
	unsigned int last;
	struct vring_seg seg[3];
	u8 *extra;

	MAKE(SLOW_NS);
	OPEN();
	last = m->nr++;
	extra = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	m->region[last].hva = extra;
	m->region[last].gpa = 1ull << 40;
	m->region[last].size = MIB;
	ASSERT_EQ(0, mem_set_table(m, self->d.fd, -1));

	r = vblk_get(self->q);
	vblk_prepare(r, READ, 0, LEN);
	seg[0] = (struct vring_seg){ r->hdr_gpa, 16, false };
	seg[1] = (struct vring_seg){ m->region[last].gpa, LEN, true };
	seg[2] = (struct vring_seg){ r->status_gpa, 1, true };
	memset(extra, 0xee, LEN);
	ASSERT_EQ(0, vblk_submit_chain(r, seg, 3));
	vblk_kick(self->q);
	EXPECT_EQ(0, bed_wait_inflight(&self->bed, 1));
	ASSERT_EQ(0, mem_set_table(m, self->d.fd, last));
	bed_stats(&self->bed, &st);
	EXPECT_EQ(0, st.inflight);
	EXPECT_EQ(0, pattern_check_zero(extra, LEN, 0));
	EXPECT_EQ(0, vblk_drain(self->q));

	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, m->region[last].gpa, 0));
	ASSERT_EQ(0, mem_set_table(m, self->d.fd, -1));
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, m->region[last].gpa, 0));
	munmap(extra, MIB);
	m->nr--;
}

/* The pages of a buffer go; the next ones are other pages. */
static int discard_pages(struct vblk *d, u8 *buf, size_t len)
{
	int advice = d->o.memfd ? MADV_REMOVE : MADV_DONTNEED;

	return madvise(buf, len, advice) ? -errno : 0;
}

TEST_F(life, discarded_pages)
{
	unsigned int i, j;
	u8 buf[LEN];

	MAKE(0);
	OPEN();
	for (i = 0; i < 50; i++) {
		u64 sector = i % 8 * 8;

		/* Others keep the same chunk of memory in use meanwhile. */
		ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
		ASSERT_EQ(0, vblk_drain(self->q));
		for (j = 0; j < 4; j++)
			ASSERT_EQ(0, discard_pages(&self->d,
						   self->q->req[j].buf, LEN));
		/* Written: the data of the new page, not of the old one. */
		pattern_fill(buf, LEN, sector, i);
		ASSERT_EQ(0, vblk_do(self->q, WRITE, sector, buf, LEN));
		for (j = 0; j < 4; j++)
			ASSERT_EQ(0, discard_pages(&self->d,
						   self->q->req[j].buf, LEN));
		/* Read: seen in the new page. */
		ASSERT_EQ(0, vblk_do(self->q, READ, sector, buf, LEN));
		EXPECT_EQ(0, pattern_check(buf, LEN, sector, i));
	}
}

/* The same while the I/O runs: the data may be lost, nothing else. */
TEST_F(life, discarded_with_io_in_flight)
{
	unsigned int i, j;

	MAKE(1000000);
	OPEN();
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
		for (j = 0; j < FLIGHT; j++)
			ASSERT_EQ(0, discard_pages(&self->d,
						   self->q->req[j].buf, LEN));
		ASSERT_EQ(0, vblk_drain(self->q));
	}
	VERIFIED(7);
	vt_fault("holes in the VMM's memory (MADV_DONTNEED, FALLOC_FL_PUNCH_HOLE) under I/O | blk: data of what was in flight is lost, no errors; what comes then was verified");
}

TEST_F(life, buffer_unmapped)
{
	struct vblk_req *r;
	u8 *buf;
	u64 gpa;

	MAKE(0);
	OPEN();
	VERIFIED(1);
	r = &self->q->req[20];
	buf = r->buf;
	gpa = r->buf_gpa;
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa, 0));
	ASSERT_EQ(0, munmap(buf, LEN));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, gpa, 0));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, gpa - 2048, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa + LEN, 0));

	/* Other memory at the same place: the table has not changed. */
	ASSERT_EQ(buf, mmap(buf, LEN, PROT_READ | PROT_WRITE,
			    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa, 8));
	EXPECT_EQ(0, pattern_check(buf, LEN, 8, 1));
}

TEST_F(life, buffer_protected)
{
	struct vblk_req *r, *done;
	u64 gpa;

	MAKE(0);
	OPEN();
	VERIFIED(1);
	r = &self->q->req[20];
	gpa = r->buf_gpa;
	pattern_fill(r->buf, LEN, 400, 2);
	ASSERT_EQ(0, mprotect(r->buf, LEN, PROT_READ));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, read_to(self->q, gpa, 0));
	EXPECT_EQ(0, pattern_check(r->buf, LEN, 400, 2));
	/* Its neighbours are none of that. */
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa + LEN, 0));
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa - LEN, 0));

	/* To be read only, it will do. */
	r->busy = true;
	vblk_prepare(r, WRITE, 400, LEN);
	ASSERT_EQ(0, vblk_submit(r));
	vblk_kick(self->q);
	ASSERT_EQ(0, vblk_wait(self->q, &done));
	EXPECT_EQ(VIRTIO_BLK_S_OK, *done->status);
	vblk_put(done);
	ASSERT_EQ(0, mprotect(r->buf, LEN, PROT_READ | PROT_WRITE));
	EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa, 400));
	EXPECT_EQ(0, pattern_check(r->buf, LEN, 400, 2));
}

/* The VMM forks: whose pages are written to now? */
TEST_F(life, fork_while_running)
{
	unsigned int i;
	pid_t pid[5];

	MAKE(0);
	OPEN();
	VERIFIED(1);
	for (i = 0; i < ARRAY_SIZE(pid); i++) {
		ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
		pid[i] = fork();
		if (!pid[i]) {
			/* Hold its copy of everything for a while. */
			sleep_ms(300);
			memset(self->q->req[0].buf, 0x55, LEN);
			_exit(0);
		}
		ASSERT_EQ(0, vblk_drain(self->q));
		VERIFIED(2 + i);
	}
	for (i = 0; i < ARRAY_SIZE(pid); i++)
		ASSERT_EQ(pid[i], waitpid(pid[i], NULL, 0));
	VERIFIED(9);
	vt_fault("VMM forks under I/O, its child writes to its copy of all | blk: nothing; all was verified");
}

TEST_F(life, eventfds_replaced)
{
	MAKE(0);
	OPEN();
	EXPECT_EQ(0, swap_calls(self->q, 200));
	VERIFIED(1);
}

/* The disk is pulled; the session stays, and can be closed. */
TEST_F(life, disk_removed)
{
	struct vhost_target_unit_info info;
	unsigned int i, errors = 0;
	u64 size = 0;
	int ret = 0;

	MAKE(1000000);
	OPEN();
	ASSERT_EQ(0, submit(self->q, READ, FLIGHT));
	nullb_destroy(&self->disk.nb);
	EXPECT_EQ(0, vblk_drain(self->q));
	for (i = 0; i < 100 && ret >= 0; i++) {
		ret = vblk_do(self->q, WRITE, i, NULL, 512);
		errors += ret == VIRTIO_BLK_S_IOERR;
	}
	EXPECT_EQ(100, errors);
	ASSERT_EQ(0, ctl_unit(self->bed.ctl, self->bed.name, 0, &info));
	EXPECT_NE(0, info.state & VHOST_TARGET_UNIT_S_DEAD);
	EXPECT_EQ(-ENXIO, ctl_resize(self->bed.ctl, self->bed.name, 0, &size));
}

/* Queues move to other pollers while they run. */
TEST_F(life, poller_removed)
{
	const char *name = "vtbed.pollers";
	unsigned int i, id, cpu;
	struct vblk d;
	struct vblk_opts o = self->o;
	int ctl, ret;

	MAKE(0);
	ctl = self->bed.ctl;
	o.target = name;
	o.nr_queues = 4;
	for (cpu = 0; cpu < 64; cpu++) {
		if (!ctl_poller_add(ctl, cpu, 50, &id))
			break;
	}
	if (cpu == 64)
		SKIP(return, "no CPU for another poller");
	ASSERT_EQ(0, ctl_create(ctl, name, 4, 128, CTL_ANY_POLLER));
	ASSERT_EQ(0, ctl_add_null(ctl, name, 16 * MIB, 512, 0));
	ASSERT_EQ(0, vblk_open(&d, &o));
	for (i = 0; i < 20; i++) {
		unsigned int j;

		for (j = 0; j < 4; j++)
			ASSERT_EQ(0, submit(&d.q[j], READ, FLIGHT));
		if (i & 1)
			ret = ctl_poller_add(ctl, cpu, 50, &id);
		else
			ret = ctl_poller_remove(ctl, id);
		ASSERT_EQ(0, ret);
		for (j = 0; j < 4; j++)
			ASSERT_EQ(0, vblk_drain(&d.q[j]));
	}
	EXPECT_EQ(0, ctl_poller_remove(ctl, id));
	vblk_close(&d);
	EXPECT_EQ(0, ctl_destroy(ctl, name));
}

/* Pages that the kernel hands out next have something in them. */
static void dirty_free_memory(void)
{
	const size_t size = 64 * MIB;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	memset(p, 0xee, size);
	munmap(p, size);
}

/* A device that fills nothing: the copy has no old memory for the guest. */
TEST_F(life, bounced_and_not_filled)
{
	struct disk_opts disk = {
		.kind = DISK_BDEV,
		.block_size = 512,
		.size_mb = 16,
		.own = true,
		.empty = true,
	};
	struct bed_opts bed = { .disk = &self->disk, .num_queues = 1 };
	struct vhost_target_stats st;
	unsigned int i, n;
	u8 *buf;

	ASSERT_EQ(0, disk_create(&self->disk, &disk));
	ASSERT_EQ(0, bed_make(&self->bed, &bed));
	OPEN();
	buf = self->q->req[20].buf;
	for (n = 0; n < 16; n++) {
		dirty_free_memory();
		memset(buf, 0x5a, 2 * LEN);
		ASSERT_EQ(VIRTIO_BLK_S_OK,
			  read_to(self->q, self->q->req[20].buf_gpa + 1, 0));
		for (i = 1; i <= LEN && !buf[i]; i++)
			;
		ASSERT_EQ(LEN + 1, i);
	}
	bed_stats(&self->bed, &st);
	EXPECT_EQ(16, st.bounced);
}

/* What is not in use makes room; the limit holds all the time. */
TEST_F(life, memlock_limit)
{
	const u64 end = 128 * MIB;
	struct rlimit rl = { 24 * MIB, 24 * MIB };
	u64 gpa, pinned, most = 0;

	MAKE(0);
	ASSERT_EQ(0, drop_capability(CAP_IPC_LOCK));
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &rl));
	self->o.layout = MEM_ONE;
	self->o.mem_size = end;
	OPEN();
	for (gpa = 16 * MIB; gpa < end; gpa += 2 * MIB) {
		EXPECT_EQ(VIRTIO_BLK_S_OK, read_to(self->q, gpa, 0));
		pinned = read_key("/proc/self/status", "VmPin") * 1024;
		EXPECT_GE(rl.rlim_cur, pinned);
		if (pinned > most)
			most = pinned;
	}
	EXPECT_LT(rl.rlim_cur / 2, most);
}

#define PIECES 20		/* each in a chunk of its own */

/* Data in more places than may be pinned at a time: an error, not a wait. */
TEST_F(life, memlock_limit_of_one)
{
	struct rlimit rl = { 24 * MIB, 24 * MIB };
	struct vring_seg seg[PIECES + 2];
	struct vblk_req *r, *done;
	unsigned int i, nr;

	MAKE(0);
	ASSERT_EQ(0, drop_capability(CAP_IPC_LOCK));
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &rl));
	self->o.layout = MEM_ONE;
	self->o.mem_size = 128 * MIB;
	OPEN();
	for (nr = PIECES; nr; nr /= 4) {
		r = vblk_get(self->q);
		seg[0] = (struct vring_seg){ r->hdr_gpa, 16, false };
		for (i = 0; i < nr; i++)
			seg[1 + i] = (struct vring_seg){
				(16 + 2 * i) * MIB, 512, true,
			};
		seg[1 + nr] = (struct vring_seg){ r->status_gpa, 1, true };
		vblk_prepare(r, READ, 0, nr * 512);
		ASSERT_EQ(0, vblk_submit_chain(r, seg, nr + 2));
		vblk_kick(self->q);
		ASSERT_EQ(0, vblk_wait(self->q, &done));
		EXPECT_EQ(nr == PIECES ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK,
			  *done->status);
		vblk_put(done);
		EXPECT_GE(rl.rlim_cur, read_key("/proc/self/status", "VmPin") *
				       1024);
	}
}

#define LONG (14 * MIB)		/* of a disk of 16 */

/* Firmware's: one descriptor, whatever its length. */
static int submit_long(struct vblk_queue *q, u32 type, u64 sector, u64 gpa,
		       u32 len)
{
	struct vblk_req *r = vblk_get(q);
	struct vring_seg seg[3] = {
		{ r->hdr_gpa, 16, false },
		{ gpa, len, type == READ },
		{ r->status_gpa, 1, true },
	};
	int ret;

	vblk_prepare(r, type, sector, len);
	ret = vblk_submit_chain(r, seg, 3);
	vblk_kick(q);
	return ret;
}

TEST_F(life, long_request)
{
	static const unsigned int off[] = { 0, 24 };	/* copied */
	struct vhost_target_stats st;
	struct vblk_req *done;
	unsigned int i, n;
	u64 gpa;
	u8 *buf;

	MAKE(0);
	self->o.layout = MEM_ONE;
	self->o.mem_size = 64 * MIB;
	OPEN();
	buf = mem_alloc(&self->d.mem, LONG + PAGE, PAGE, &gpa);
	ASSERT_NE(NULL, buf);
	for (i = 0; i < ARRAY_SIZE(off); i++) {
		u8 *at = buf + off[i];

		pattern_fill(at, LONG, 8, 10 + i);
		ASSERT_EQ(0, submit_long(self->q, WRITE, 8, gpa + off[i], LONG));
		ASSERT_EQ(0, vblk_wait(self->q, &done));
		EXPECT_EQ(VIRTIO_BLK_S_OK, *done->status);
		EXPECT_EQ(1, done->used_len);
		vblk_put(done);
		memset(buf, 0x77, LONG + PAGE);
		ASSERT_EQ(0, submit_long(self->q, READ, 8, gpa + off[i], LONG));
		/* What comes behind it has its turn. */
		ASSERT_EQ(0, submit(self->q, READ, 4));
		for (n = 0; n < 5; n++) {
			ASSERT_EQ(0, vblk_wait(self->q, &done));
			EXPECT_EQ(VIRTIO_BLK_S_OK, *done->status);
			EXPECT_EQ(done->len + 1, done->used_len);
			vblk_put(done);
		}
		EXPECT_EQ(0, pattern_check(at, LONG, 8, 10 + i));
		EXPECT_EQ(0x77, at[LONG]);
	}
	bed_stats(&self->bed, &st);
	EXPECT_EQ(0, st.invalid);
	EXPECT_EQ(2 * LONG, st.bytes[VHOST_TARGET_OP_WRITE]);

	/* Beyond the end: none of it is done. */
	memset(buf, 0x11, LONG);
	ASSERT_EQ(0, submit_long(self->q, WRITE, 2 * MIB / SECTOR + 1, gpa, LONG));
	ASSERT_EQ(0, vblk_wait(self->q, &done));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, *done->status);
	vblk_put(done);
	/* Guest memory that ends in between. */
	ASSERT_EQ(0, submit_long(self->q, READ, 8, 64 * MIB - LONG / 2, LONG));
	ASSERT_EQ(0, vblk_wait(self->q, &done));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, *done->status);
	vblk_put(done);
	ASSERT_EQ(0, submit_long(self->q, READ, 8, gpa, LONG));
	ASSERT_EQ(0, vblk_wait(self->q, &done));
	EXPECT_EQ(VIRTIO_BLK_S_OK, *done->status);
	vblk_put(done);
	EXPECT_EQ(0, pattern_check(buf, LONG, 8, 11));
}

/* It is begun anew when the VM goes on, perhaps elsewhere. */
TEST_F(life, stopped_within_a_long_request)
{
	struct vblk_req *done;
	unsigned int i;
	u64 gpa;
	u8 *buf;

	MAKE(SLOW_NS / 10);
	self->o.layout = MEM_ONE;
	self->o.mem_size = 64 * MIB;
	OPEN();
	buf = mem_alloc(&self->d.mem, LONG, PAGE, &gpa);
	ASSERT_NE(NULL, buf);
	for (i = 0; i < 3; i++) {
		u32 type = i % 2 ? READ : WRITE;

		if (type == WRITE)
			pattern_fill(buf, LONG, 8, 20 + i);
		else
			memset(buf, 0, LONG);
		ASSERT_EQ(0, submit_long(self->q, type, 8, gpa, LONG));
		ASSERT_EQ(0, bed_wait_inflight(&self->bed, 1));
		ASSERT_EQ(0, vhost_stop(self->d.fd));
		ASSERT_EQ(0, vhost_start(self->d.fd));
		ASSERT_EQ(0, vblk_wait(self->q, &done));
		EXPECT_EQ(VIRTIO_BLK_S_OK, *done->status);
		vblk_put(done);
		EXPECT_EQ(0, pattern_check(buf, LONG, 8, 20 + (i & ~1)));
	}
}

static u64 pinned(void)
{
	return read_key("/proc/self/status", "VmPin") * 1024;
}

#define RING VHOST_TARGET_MAX_QUEUE_SIZE

/* Rings are pinned, too, for as long as they run. */
TEST_F(life, memlock_counts_rings)
{
	const u64 rings = 2ull * RING * (16 + 2 + 8);
	struct rlimit rl = { 24 * MIB, 24 * MIB };
	struct bed_opts b = {
		.disk = &self->disk, .num_queues = 2, .queue_size = RING,
	};

	if (variant->packed)
		SKIP(return, "the sizes are those of split rings");
	ASSERT_EQ(0, bed_make_nullb(&self->bed, &b, 0));
	ASSERT_EQ(0, drop_capability(CAP_IPC_LOCK));
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &rl));
	self->o.layout = MEM_ONE;
	self->o.mem_size = 64 * MIB;
	self->o.nr_queues = 2;
	self->o.queue_size = RING;
	self->o.no_start = true;
	OPEN();
	EXPECT_EQ(0, pinned());
	ASSERT_EQ(0, vhost_start(self->d.fd));
	EXPECT_LE(rings, pinned());
	VERIFIED(1);
	EXPECT_GE(rl.rlim_cur, pinned());
	ASSERT_EQ(0, vhost_stop(self->d.fd));
	vblk_close(&self->d);
	EXPECT_EQ(0, pinned());

	rl.rlim_cur = 4 * PAGE;
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &rl));
	OPEN();
	EXPECT_EQ(-ENOMEM, vhost_start(self->d.fd));
	EXPECT_EQ(0, pinned());
}

#define DOORS 3

/* One limit for all disks: what is idle makes room for what another needs. */
TEST_F(life, memlock_limit_of_several)
{
	struct rlimit rl = { 12 * MIB, 12 * MIB };
	const u64 end = 64 * MIB;
	struct vblk_req *r[DOORS], *done;
	unsigned int i, errors = 0;
	char name[DOORS][16];
	struct vblk d[DOORS];
	u64 gpa, most = 0;

	MAKE(0);
	for (i = 0; i < DOORS; i++) {
		snprintf(name[i], sizeof(name[i]), "vtbed.%u", i);
		ASSERT_EQ(0, ctl_create(self->bed.ctl, name[i], 1, 128,
					self->bed.poller));
		ASSERT_EQ(0, ctl_add_null(self->bed.ctl, name[i], 16 * MIB,
					  512, 0));
	}
	ASSERT_EQ(0, drop_capability(CAP_IPC_LOCK));
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &rl));
	self->o.layout = MEM_ONE;
	self->o.mem_size = end;
	for (i = 0; i < DOORS; i++) {
		self->o.target = name[i];
		ASSERT_EQ(0, vblk_open(&d[i], &self->o));
	}
	/* One takes all there is. */
	for (gpa = 16 * MIB; gpa < end; gpa += 2 * MIB)
		ASSERT_EQ(VIRTIO_BLK_S_OK, read_to(&d[0].q[0], gpa, 0));
	EXPECT_LT(rl.rlim_cur / 2, pinned());
	for (gpa = 16 * MIB; gpa < end; gpa += 2 * MIB) {
		for (i = 0; i < DOORS; i++) {
			r[i] = vblk_get(&d[i].q[0]);
			r[i]->buf_gpa = gpa;
			vblk_prepare(r[i], READ, 0, LEN);
			ASSERT_EQ(0, vblk_submit(r[i]));
			vblk_kick(&d[i].q[0]);
		}
		for (i = 0; i < DOORS; i++) {
			ASSERT_EQ(0, vblk_wait(&d[i].q[0], &done));
			errors += *done->status != VIRTIO_BLK_S_OK;
			vblk_put(done);
			most = pinned() > most ? pinned() : most;
		}
	}
	EXPECT_EQ(0, errors);
	EXPECT_GE(rl.rlim_cur, most);
	for (i = 0; i < DOORS; i++) {
		vblk_close(&d[i]);
		EXPECT_EQ(0, ctl_destroy(self->bed.ctl, name[i]));
	}
	EXPECT_EQ(0, pinned());
}

/* What a device only reads may be in a file that its owner may only read. */
TEST_F(life, ring_in_a_file)
{
	struct nullb_opts o = { .size_mb = 1, .block_size = 512 };
	struct vqueue *vr = &self->q->vr;
	struct nullb nb;
	void *driver;
	int fd;

	MAKE(0);
	ASSERT_EQ(0, nullb_create(&nb, &o));
	fd = open(nb.path, O_RDONLY | O_CLOEXEC);
	driver = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	self->o.no_start = true;
	OPEN();
	ASSERT_EQ(0, vhost_set_vring_addr(self->d.fd, 0, vr->desc_area, driver,
					  vr->device_area));
	ASSERT_EQ(0, vhost_start(self->d.fd));
	ASSERT_EQ(0, vhost_stop(self->d.fd));
	EXPECT_EQ(0, fsync(fd));
	/* It was not changed. */
	EXPECT_EQ(0, nullb_writes(&nb));
	vblk_close(&self->d);
	munmap(driver, PAGE);
	close(fd);
	nullb_destroy(&nb);
}

/* Open and close, again and again: nothing leaks (see the teardown). */
TEST_F(life, sessions_come_and_go)
{
	unsigned int i;

	MAKE(0);
	for (i = 0; i < 70; i++) {
		self->o.layout = i % MEM_LAYOUTS;
		self->o.packed = i & 1;
		OPEN();
		ASSERT_EQ(0, vblk_do(self->q, READ, 0, NULL, LEN));
		vblk_close(&self->d);
	}
}

TEST_HARNESS_MAIN
