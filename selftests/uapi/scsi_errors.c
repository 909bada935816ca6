// SPDX-License-Identifier: GPL-2.0
/* /dev/vhost-scsi: the order of its calls, every errno, and who may call. */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "rng.h"
#include "vscsi.h"

/* Control, event and all request queues that there can be. */
#define MAX_QUEUES (VSCSI_FIRST + VHOST_TARGET_MAX_QUEUES)
#define VHOST_F_LOG 26

FIXTURE(door)
{
	struct disk disk;
	struct bed bed;
	struct vscsi d;
	int fd;
};

FIXTURE_SETUP(door)
{
	struct disk_opts o = {
		.kind = DISK_NULL, .block_size = 512, .size_mb = 1,
	};
	struct bed_opts b = {
		.disk = &self->disk, .type = VHOST_TARGET_SCSI,
		.num_queues = 2,
	};

	bed_sweep();
	ASSERT_EQ(0, disk_create(&self->disk, &o));
	ASSERT_EQ(0, bed_make(&self->bed, &b));
	self->fd = vhost_open(VHOST_SCSI_NODE);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(door)
{
	vscsi_close(&self->d);
	close(self->fd);
	bed_destroy(&self->bed);
}

static int session(struct vscsi *d, const char *wwpn, bool start)
{
	struct vscsi_opts o = {
		.wwpn = wwpn, .nr_queues = 2, .queue_size = 64, .nr_reqs = 8,
		.no_start = !start,
	};

	return vscsi_open(d, &o);
}

static int set_endpoint_raw(int fd, struct vhost_scsi_target *t)
{
	return ctl_call(fd, VHOST_SCSI_SET_ENDPOINT, t);
}

TEST_F(door, before_owner)
{
	u64 features;
	int version = 0;

	EXPECT_EQ(0, vhost_get_features(self->fd, &features));
	EXPECT_EQ(0, ctl_call(self->fd, VHOST_SCSI_GET_ABI_VERSION,
			      &version));
	EXPECT_EQ(1, version);
	EXPECT_EQ(-EPERM, vhost_set_features(self->fd, features));
	EXPECT_EQ(-EPERM, vhost_set_vring_num(self->fd, 0, 64));
	EXPECT_EQ(-EPERM, vhost_set_endpoint(self->fd, self->bed.wwpn));
	EXPECT_EQ(-EPERM, vhost_clear_endpoint(self->fd, self->bed.wwpn));
	EXPECT_EQ(-EPERM, vhost_set_events_missed(self->fd, 0));
	EXPECT_EQ(0, vhost_set_owner(self->fd));
	EXPECT_EQ(-EBUSY, vhost_set_owner(self->fd));
	EXPECT_EQ(0, vhost_set_features(self->fd, 0));
}

TEST_F(door, features)
{
	u64 f, none = 0, backend = 1, log = 0;

	ASSERT_EQ(0, vhost_set_owner(self->fd));
	ASSERT_EQ(0, vhost_get_features(self->fd, &f));
	EXPECT_EQ(VSCSI_FEATURES, f & VSCSI_FEATURES);
	EXPECT_TRUE(f & VSCSI_BIT(VIRTIO_F_RING_PACKED));
	/* The two that a VMM would rely on in vain. */
	EXPECT_FALSE(f & VSCSI_BIT(VHOST_F_LOG));
	EXPECT_FALSE(f & VSCSI_BIT(VIRTIO_F_ACCESS_PLATFORM));
	EXPECT_EQ(-EOPNOTSUPP, vhost_set_features(self->fd,
						  VSCSI_BIT(VHOST_F_LOG)));
	EXPECT_EQ(-EOPNOTSUPP,
		  vhost_set_features(self->fd,
				     VSCSI_BIT(VIRTIO_F_ACCESS_PLATFORM)));
	EXPECT_EQ(-EOPNOTSUPP, vhost_set_features(self->fd, 1ull << 63));
	EXPECT_EQ(-EOPNOTSUPP, ctl_call(self->fd, VHOST_SET_LOG_BASE, &log));
	EXPECT_EQ(0, ctl_call(self->fd, VHOST_GET_BACKEND_FEATURES, &backend));
	EXPECT_EQ(0, backend);
	EXPECT_EQ(0, ctl_call(self->fd, VHOST_SET_BACKEND_FEATURES, &none));
	backend = 1;
	EXPECT_EQ(-EOPNOTSUPP,
		  ctl_call(self->fd, VHOST_SET_BACKEND_FEATURES, &backend));
	EXPECT_EQ(0, vhost_set_features(self->fd, f));
}

TEST_F(door, endpoint_refused)
{
	struct vhost_scsi_target t = { .reserved = 1 };
	struct vscsi other;

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, false));
	EXPECT_EQ(-ENODEV, vhost_set_endpoint(self->d.fd,
					      "naa.5001405000000000"));
	EXPECT_EQ(-ENODEV, vhost_set_endpoint(self->d.fd, ""));
	strcpy(t.vhost_wwpn, self->bed.wwpn);
	EXPECT_EQ(-EOPNOTSUPP, set_endpoint_raw(self->d.fd, &t));
	EXPECT_EQ(-EOPNOTSUPP,
		  ctl_call(self->d.fd, VHOST_SCSI_CLEAR_ENDPOINT, &t));
	t.reserved = 0;
	memset(t.vhost_wwpn, 'a', sizeof(t.vhost_wwpn));
	EXPECT_EQ(-EINVAL, set_endpoint_raw(self->d.fd, &t));
	EXPECT_EQ(-EFAULT, set_endpoint_raw(self->d.fd, NULL));
	EXPECT_EQ(0, vhost_clear_endpoint(self->d.fd, self->bed.wwpn));

	EXPECT_EQ(0, vscsi_start(&self->d));
	EXPECT_EQ(-EEXIST, vhost_set_endpoint(self->d.fd, self->bed.wwpn));
	EXPECT_EQ(-EINVAL, vhost_clear_endpoint(self->d.fd,
						"naa.5001405000000000"));
	ASSERT_EQ(0, session(&other, self->bed.wwpn, false));
	EXPECT_EQ(-EBUSY, vhost_set_endpoint(other.fd, self->bed.wwpn));
	EXPECT_EQ(-EBUSY, ctl_destroy(self->bed.ctl, self->bed.name));
	EXPECT_EQ(0, vhost_clear_endpoint(self->d.fd, self->bed.wwpn));
	EXPECT_EQ(0, vscsi_start(&other));
	EXPECT_EQ(0, vscsi_ready(&other.q[0], 0));
	vscsi_close(&other);
	EXPECT_EQ(0, bed_wait_detached(&self->bed));
}

TEST_F(door, endpoint_of_another_type)
{
	struct bed_opts b = { .disk = &self->disk, .num_queues = 1 };
	struct bed blk;

	ASSERT_EQ(0, bed_make(&blk, &b));
	ASSERT_EQ(0, vhost_set_owner(self->fd));
	EXPECT_EQ(-ENODEV, vhost_set_endpoint(self->fd, blk.name));
	bed_destroy(&blk);
}

/* By the wwpn in upper case, by the target's name; whatever the tpgt. */
TEST_F(door, endpoint_names)
{
	struct vhost_scsi_target t = { .vhost_tpgt = 77, .abi_version = -1 };
	unsigned int i;

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, false));
	strcpy(t.vhost_wwpn, self->bed.wwpn);
	for (i = 4; t.vhost_wwpn[i]; i++)
		if (t.vhost_wwpn[i] >= 'a')
			t.vhost_wwpn[i] -= 'a' - 'A';
	EXPECT_EQ(0, set_endpoint_raw(self->d.fd, &t));
	EXPECT_EQ(0, vscsi_ready(&self->d.q[0], 0));
	EXPECT_EQ(0, vhost_clear_endpoint(self->d.fd, self->bed.name));
	EXPECT_EQ(0, vhost_set_endpoint(self->d.fd, self->bed.name));
	EXPECT_EQ(0, vscsi_ready(&self->d.q[0], 0));
	EXPECT_EQ(0, vhost_clear_endpoint(self->d.fd, self->bed.wwpn));
}

TEST_F(door, endpoint_without_queue)
{
	struct vhost_target_info info;

	ASSERT_EQ(0, vhost_set_owner(self->fd));
	EXPECT_EQ(0, vhost_set_endpoint(self->fd, self->bed.wwpn));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(1, info.nr_sessions);
	EXPECT_EQ(0, info.nr_running_queues);
	EXPECT_EQ(0, vhost_clear_endpoint(self->fd, self->bed.wwpn));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(0, info.nr_sessions);
}

TEST_F(door, endpoint_without_memory)
{
	struct vhost_memory none = { 0 };

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, false));
	ASSERT_EQ(0, vhost_set_mem_table(self->d.fd, &none));
	EXPECT_EQ(-EFAULT, vhost_set_endpoint(self->d.fd, self->bed.wwpn));
	ASSERT_EQ(0, mem_set_table(&self->d.mem, self->d.fd, -1));
	EXPECT_EQ(0, vscsi_start(&self->d));
}

/* A ring that cannot be reached: nobody is attached afterwards. */
TEST_F(door, endpoint_ring_outside)
{
	struct vqueue *vr = &self->d.q[0].vr;
	struct vhost_target_info info;

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, false));
	ASSERT_EQ(0, vhost_set_vring_addr(self->d.fd, VSCSI_FIRST,
					  (void *)PAGE, vr->driver_area,
					  vr->device_area));
	EXPECT_EQ(-EFAULT, vhost_set_endpoint(self->d.fd, self->bed.wwpn));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(0, info.nr_sessions);
	ASSERT_EQ(0, vscsi_setup_queues(&self->d));
	EXPECT_EQ(0, vscsi_start(&self->d));
	EXPECT_EQ(0, vscsi_ready(&self->d.q[1], 0));
}

TEST_F(door, indices)
{
	u32 base;

	ASSERT_EQ(0, vhost_set_owner(self->fd));
	EXPECT_EQ(0, vhost_set_vring_num(self->fd, MAX_QUEUES - 1, 1024));
	EXPECT_EQ(0, vhost_set_vring_call(self->fd, MAX_QUEUES - 1, -1));
	EXPECT_EQ(0, vhost_get_vring_base(self->fd, MAX_QUEUES - 1, &base));
	EXPECT_EQ(-ENOBUFS, vhost_set_vring_num(self->fd, MAX_QUEUES, 64));
	EXPECT_EQ(-ENOBUFS, vhost_set_vring_base(self->fd, MAX_QUEUES, 0));
	EXPECT_EQ(-ENOBUFS, vhost_set_vring_call(self->fd, MAX_QUEUES, -1));
	EXPECT_EQ(-ENOBUFS, vhost_set_vring_err(self->fd, ~0u, -1));
	EXPECT_EQ(-ENOBUFS, vhost_get_vring_base(self->fd, ~0u, &base));
	EXPECT_EQ(-EINVAL, vhost_set_vring_num(self->fd, 2, 2048));
	EXPECT_EQ(-EINVAL, vhost_set_vring_num(self->fd, 2, 100));
	EXPECT_EQ(-EINVAL, vhost_set_vring_base(self->fd, 2, 65536));
	EXPECT_EQ(-EBADF, vhost_set_vring_kick(self->fd, 2, 9999));
}

/* What an endpoint was set for does not change under it. */
TEST_F(door, fixed_while_set)
{
	struct vqueue *vr = &self->d.q[0].vr;
	int fd;

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	fd = self->d.fd;
	EXPECT_EQ(-EBUSY, vhost_set_features(fd, self->d.features));
	EXPECT_EQ(-EBUSY, vhost_set_vring_num(fd, VSCSI_FIRST, 64));
	EXPECT_EQ(-EBUSY, vhost_set_vring_num(fd, 9, 64));
	EXPECT_EQ(-EBUSY, vhost_set_vring_base(fd, VSCSI_FIRST, 0));
	EXPECT_EQ(-EBUSY, vhost_set_vring_addr(fd, VSCSI_FIRST, vr->desc_area,
					       vr->driver_area,
					       vr->device_area));
	/* Eventfds and memory do. */
	EXPECT_EQ(0, vhost_set_vring_call(fd, VSCSI_FIRST,
					  self->d.q[0].call));
	EXPECT_EQ(0, vhost_set_vring_kick(fd, VSCSI_FIRST,
					  self->d.q[0].kick));
	EXPECT_EQ(0, vhost_set_vring_err(fd, VSCSI_FIRST, self->d.q[0].err));
	EXPECT_EQ(0, mem_set_table(&self->d.mem, fd, -1));
	EXPECT_EQ(0, vscsi_ready(&self->d.q[0], 0));
}

TEST_F(door, only_request_queue)
{
	struct vscsi_opts o = {
		.wwpn = self->bed.wwpn, .only_requests = true,
	};
	struct vhost_target_info info;
	u8 buf[512];

	ASSERT_EQ(0, vscsi_open(&self->d, &o));
	ASSERT_EQ(0, ctl_get(self->bed.ctl, self->bed.name, &info));
	EXPECT_EQ(1, info.nr_running_queues);
	EXPECT_EQ(0, vscsi_read(&self->d.q[0], 0, 0, 1, buf, sizeof(buf)));
	/* Events find no queue. */
	EXPECT_EQ(0, ctl_remove_unit(self->bed.ctl, self->bed.name, 0));
}

/* QEMU asks for as many queues as the VM has CPUs, whatever the target says. */
TEST_F(door, more_queues_than_offered)
{
	struct vscsi_opts o = { .wwpn = self->bed.wwpn, .nr_queues = 8 };
	struct vhost_target_stats st;
	unsigned int i;
	u8 buf[512];

	ASSERT_EQ(0, vscsi_open(&self->d, &o));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(0, vscsi_read(&self->d.q[i], 0, i, 1, buf,
					sizeof(buf)));
	bed_stats(&self->bed, &st);
	EXPECT_EQ(8, st.ops[VHOST_TARGET_OP_READ]);
}

TEST_F(door, kick_before_endpoint)
{
	static const u8 test_unit_ready[6];
	struct vscsi_req *r, *done;
	u8 cdb[6] = { 0 };

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, false));
	r = vscsi_get(&self->d.q[0]);
	vscsi_prepare(r, 0, test_unit_ready, sizeof(cdb), DIR_NONE, 0);
	ASSERT_EQ(0, vscsi_submit(r));
	vq_force_kick(&self->d.q[0].vq);
	EXPECT_EQ(-ETIMEDOUT, vscsi_wait_ms(&self->d.q[0], &done, 50));
	ASSERT_EQ(0, vscsi_start(&self->d));
	ASSERT_EQ(0, vscsi_wait(&self->d.q[0], &done));
	EXPECT_EQ(VIRTIO_SCSI_S_OK, r->resp->response);
}

/* As QEMU at stop and cont, and at each reset of the VM. */
TEST_F(door, stop_and_continue)
{
	unsigned int i, n;
	u8 buf[512];
	u32 base;

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	for (n = 0; n < 20; n++) {
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, vscsi_read(&self->d.q[i], 0, n, 1, buf,
						sizeof(buf)));
		ASSERT_EQ(0, vhost_clear_endpoint(self->d.fd,
						  self->bed.wwpn));
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, vhost_get_vring_base(self->d.fd,
							  VSCSI_FIRST + i,
							  &base));
			EXPECT_EQ(vring_base(&self->d.q[i].vr), base);
		}
		/* The rings stay set up; QEMU sets them all the same. */
		if (n & 1)
			ASSERT_EQ(0, vscsi_setup_queues(&self->d));
		ASSERT_EQ(0, vscsi_start(&self->d));
		ASSERT_EQ(0, vscsi_ready(&self->d.q[0], 0));
	}
}

struct dropper {
	struct vscsi *d;
	bool stop;
	unsigned int reads;
	u64 drops;
};

static void *drop_memory(void *arg)
{
	struct dropper *p = arg;
	struct vscsi_queue *q = &p->d->q[1];

	/* Of buffers that nobody uses, but in the chunks of those in use. */
	while (!__atomic_load_n(&p->stop, __ATOMIC_RELAXED)) {
		madvise(q->req[q->nr_reqs - 1].buf, PAGE, MADV_DONTNEED);
		p->drops++;
		/* Without a pause the machine does little else. */
		usleep(200);
	}
	return NULL;
}

/*
 * A page that the VMM discards is pinned again when a request has it, its
 * neighbours are not: they were not changed.
 */
TEST_F(door, neighbours_of_memory_dropped)
{
	struct vscsi_queue *q = &self->d.q[1];
	void *page;
	long long pins;
	unsigned int n;
	u8 buf[512];

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	page = q->req[q->nr_reqs - 1].buf;
	/* A huge page is pinned as such: the first drop splits it. */
	for (n = 0; n < 3; n++) {
		ASSERT_EQ(0, madvise(page, PAGE, MADV_DONTNEED));
		ASSERT_EQ(0, vscsi_read(&self->d.q[0], 0, n, 1, buf,
					sizeof(buf)));
	}
	pins = pins_taken();
	for (n = 0; n < 100; n++) {
		*(volatile u8 *)page = n;
		ASSERT_EQ(0, madvise(page, PAGE, MADV_DONTNEED));
		ASSERT_EQ(0, vscsi_read(&self->d.q[0], 0, n, 1, buf,
					sizeof(buf)));
	}
	EXPECT_EQ(pins, pins_taken());
}

/* The VMM discards memory, which is waited for, while sessions come and go. */
TEST_F(door, memory_dropped_meanwhile)
{
	struct dropper p = { .d = &self->d };
	pthread_t thread;
	unsigned int n;
	u8 buf[512];

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	ASSERT_EQ(0, pthread_create(&thread, NULL, drop_memory, &p));
	for (n = 0; n < 200; n++) {
		EXPECT_EQ(0, vscsi_read(&self->d.q[0], 0, n, 1, buf,
					sizeof(buf)));
		EXPECT_EQ(0, vhost_clear_endpoint(self->d.fd,
						  self->bed.wwpn));
		EXPECT_EQ(0, vscsi_start(&self->d));
		EXPECT_EQ(0, vscsi_ready(&self->d.q[0], 0));
	}
	__atomic_store_n(&p.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_LT(0, p.drops);
}

/* Once for each read, at any time of it. */
static void *drop_read_memory(void *arg)
{
	struct dropper *p = arg;
	struct vscsi_queue *q = &p->d->q[0];
	unsigned int seen = 0, now, i;
	struct rng rng;

	rng_seed(&rng, 1);
	while (!__atomic_load_n(&p->stop, __ATOMIC_RELAXED)) {
		now = __atomic_load_n(&p->reads, __ATOMIC_RELAXED);
		if (now == seen) {
			usleep(50);
			continue;
		}
		seen = now;
		usleep(rng_below(&rng, 2000));
		for (i = 0; i < q->nr_reqs; i++)
			madvise(q->req[i].buf, PAGE, MADV_DONTNEED);
		p->drops++;
	}
	return NULL;
}

/* Memory that goes while it is looked for is no hole: the guest sees no error. */
TEST_F(door, memory_of_reads_dropped)
{
	struct dropper p = { .d = &self->d };
	pthread_t thread;
	unsigned int n;
	u8 buf[512];

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	ASSERT_EQ(0, pthread_create(&thread, NULL, drop_read_memory, &p));
	for (n = 0; n < 500; n++) {
		__atomic_store_n(&p.reads, n + 1, __ATOMIC_RELAXED);
		EXPECT_EQ(0, vscsi_read(&self->d.q[0], 0, n, 1, buf,
					sizeof(buf)));
	}
	__atomic_store_n(&p.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_LT(0, p.drops);
}

TEST_F(door, moves_to_another_target)
{
	struct bed_opts b = { .type = VHOST_TARGET_SCSI, .num_queues = 1 };
	static const u8 test_unit_ready[6];
	struct vscsi_result res;
	struct bed empty;

	ASSERT_EQ(0, bed_make(&empty, &b));
	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	ASSERT_EQ(0, vhost_clear_endpoint(self->d.fd, self->bed.wwpn));
	ASSERT_EQ(0, vhost_set_endpoint(self->d.fd, empty.wwpn));
	ASSERT_EQ(0, vscsi_cmd(&self->d.q[0], 0, test_unit_ready, 6, DIR_NONE,
			       NULL, 0, &res));
	EXPECT_EQ(SENSE(KEY_ILLEGAL_REQUEST, 0x25, 0), res.key);
	EXPECT_EQ(0, vhost_clear_endpoint(self->d.fd, empty.wwpn));
	bed_destroy(&empty);
}

/* A driver of before virtio 1.0, on a machine of little endian. */
TEST_F(door, legacy_driver)
{
	struct vscsi_opts o = {
		.wwpn = self->bed.wwpn, .without = VSCSI_FEATURES,
	};
	u8 buf[512];

	ASSERT_EQ(0, vscsi_open(&self->d, &o));
	EXPECT_EQ(0, self->d.features);
	EXPECT_EQ(0, vscsi_read(&self->d.q[0], 0, 0, 1, buf, sizeof(buf)));
}

TEST_F(door, workers)
{
	u32 id, a, b, n;

	EXPECT_EQ(-EPERM, vhost_new_worker(self->fd, &id));
	ASSERT_EQ(0, vhost_set_owner(self->fd));
	EXPECT_EQ(0, vhost_get_worker(self->fd, 0, &id));
	EXPECT_EQ(0, id);
	EXPECT_EQ(0, vhost_new_worker(self->fd, &a));
	EXPECT_EQ(0, vhost_new_worker(self->fd, &b));
	EXPECT_NE(a, b);
	EXPECT_NE(0, a);
	EXPECT_EQ(-EBUSY, vhost_free_worker(self->fd, 0));
	EXPECT_EQ(-ENODEV, vhost_free_worker(self->fd, 12345));
	EXPECT_EQ(-ENODEV, vhost_attach_worker(self->fd, 2, 12345));
	EXPECT_EQ(-ENOBUFS, vhost_attach_worker(self->fd, MAX_QUEUES, a));
	EXPECT_EQ(-ENOBUFS, vhost_get_worker(self->fd, MAX_QUEUES, &id));
	EXPECT_EQ(0, vhost_attach_worker(self->fd, 2, a));
	EXPECT_EQ(0, vhost_attach_worker(self->fd, 2, a));
	EXPECT_EQ(0, vhost_get_worker(self->fd, 2, &id));
	EXPECT_EQ(a, id);
	EXPECT_EQ(-EBUSY, vhost_free_worker(self->fd, a));
	EXPECT_EQ(0, vhost_attach_worker(self->fd, 2, b));
	EXPECT_EQ(0, vhost_free_worker(self->fd, a));
	EXPECT_EQ(-ENODEV, vhost_attach_worker(self->fd, 2, a));
	EXPECT_EQ(0, vhost_attach_worker(self->fd, 2, 0));
	EXPECT_EQ(0, vhost_free_worker(self->fd, b));
	/* One for each queue, and no more. */
	for (n = 0; n < 1000 && !vhost_new_worker(self->fd, &id); n++)
		;
	EXPECT_EQ(MAX_QUEUES, n);
	EXPECT_EQ(-ENOMEM, vhost_new_worker(self->fd, &id));
	EXPECT_EQ(-EFAULT, ctl_call(self->fd, VHOST_FREE_WORKER, NULL));
}

TEST_F(door, events_missed)
{
	struct virtio_scsi_event ev;
	u32 missed = 7;

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, false));
	EXPECT_EQ(0, vhost_get_events_missed(self->d.fd, &missed));
	EXPECT_EQ(0, missed);
	EXPECT_EQ(0, vhost_set_events_missed(self->d.fd, 1));
	EXPECT_EQ(0, vhost_get_events_missed(self->d.fd, &missed));
	EXPECT_EQ(1, missed);
	EXPECT_EQ(-EFAULT, ctl_call(self->d.fd, VHOST_SCSI_SET_EVENTS_MISSED,
				    NULL));
	ASSERT_EQ(0, vscsi_start(&self->d));
	EXPECT_EQ(0, vhost_get_events_missed(self->d.fd, &missed));
	EXPECT_EQ(1, missed);
	/* The driver is told once. */
	ASSERT_EQ(0, vscsi_post_events(&self->d, 2));
	ASSERT_EQ(0, vscsi_event(&self->d, &ev, VT_PATIENCE * 1000));
	EXPECT_EQ(VIRTIO_SCSI_T_EVENTS_MISSED | VIRTIO_SCSI_T_NO_EVENT,
		  ev.event);
	EXPECT_EQ(-ETIMEDOUT, vscsi_event(&self->d, &ev, 100));
	EXPECT_EQ(0, vhost_get_events_missed(self->d.fd, &missed));
	EXPECT_EQ(0, missed);
	EXPECT_EQ(0, vhost_set_events_missed(self->d.fd, 1));
	ASSERT_EQ(0, vscsi_event(&self->d, &ev, VT_PATIENCE * 1000));
	EXPECT_EQ(VIRTIO_SCSI_T_EVENTS_MISSED, ev.event);
}

/* What happened to the LUNs while the VM was stopped was missed. */
TEST_F(door, changed_while_stopped)
{
	struct virtio_scsi_event ev;

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	ASSERT_EQ(0, vhost_clear_endpoint(self->d.fd, self->bed.wwpn));
	ASSERT_EQ(0, vscsi_start(&self->d));
	ASSERT_EQ(0, vscsi_post_events(&self->d, 2));
	EXPECT_EQ(-ETIMEDOUT, vscsi_event(&self->d, &ev, 100));
	ASSERT_EQ(0, vhost_clear_endpoint(self->d.fd, self->bed.wwpn));
	ASSERT_EQ(0, bed_add_lun(&self->bed, 5, &self->disk, 0));
	ASSERT_EQ(0, vscsi_start(&self->d));
	ASSERT_EQ(0, vscsi_event(&self->d, &ev, VT_PATIENCE * 1000));
	EXPECT_EQ(VIRTIO_SCSI_T_EVENTS_MISSED, ev.event);
	EXPECT_EQ(0, vscsi_ready(&self->d.q[0], 5));
}

TEST_F(door, our_own_calls)
{
	struct vhost_target_device dev;
	struct virtio_scsi_config c;

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, false));
	EXPECT_EQ(-ENOTTY, vhost_attach(self->d.fd, self->bed.name));
	EXPECT_EQ(-ENOTTY, vhost_start(self->d.fd));
	EXPECT_EQ(-ENOTTY, vhost_stop(self->d.fd));
	EXPECT_EQ(-ENOTCONN, vhost_get_device(self->d.fd, &dev));
	EXPECT_EQ(-ENOTCONN, vhost_get_config(self->d.fd, 0, &c, 4));
	ASSERT_EQ(0, vscsi_start(&self->d));
	ASSERT_EQ(0, vhost_get_device(self->d.fd, &dev));
	EXPECT_EQ(8, dev.device_id);
	EXPECT_LE(4, dev.num_queues);
	ASSERT_EQ(0, vhost_get_config(self->d.fd, 0, &c, sizeof(c)));
	EXPECT_EQ(2, c.num_queues);
	EXPECT_EQ(16383, c.max_lun);
	EXPECT_EQ(-ERANGE, vhost_get_config(self->d.fd, sizeof(c), &c, 1));
}

TEST_F(door, unknown_calls)
{
	u64 arg[64] = { 0 };
	unsigned int nr;

	ASSERT_EQ(0, vhost_set_owner(self->fd));
	/* QEMU 11 tries this and goes on. */
	EXPECT_EQ(-ENOTTY, ctl_call(self->fd, _IOR(VHOST_VIRTIO, 0x83, __u64),
				    arg));
	EXPECT_EQ(-ENOTTY, ctl_call(self->fd, VHOST_NET_SET_BACKEND, arg));
	EXPECT_EQ(-ENOTTY, ctl_call(self->fd, VHOST_RESET_OWNER, arg));
	for (nr = 0; nr < 0x100; nr++) {
		if (nr >= 0x43 && nr <= 0x46)
			continue;
		EXPECT_EQ(-ENOTTY, ctl_call(self->fd,
					    _IO(VHOST_TARGET_IOC, nr), arg))
			TH_LOG("call %#x", nr);
	}
}

/* In a child: open (as @id unless @fd is given) and set the endpoint. */
static int endpoint_as(int fd, const char *wwpn, unsigned int id)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (setgroups(0, NULL) || setresgid(id, id, id) ||
		    setresuid(id, id, id))
			_exit(200);
		if (fd < 0)
			fd = vhost_open(VHOST_SCSI_NODE);
		if (fd < 0)
			_exit(201);
		if (vhost_set_owner(fd))
			_exit(202);
		_exit(-vhost_set_endpoint(fd, wwpn));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

TEST_F(door, other_user)
{
	struct bed_opts owned = {
		.type = VHOST_TARGET_SCSI, .num_queues = 1, .uid = 1000,
	};
	struct bed mine;
	struct stat st;

	ASSERT_EQ(0, stat(VHOST_SCSI_NODE, &st));
	ASSERT_EQ(0, bed_make(&mine, &owned));
	/* Let the node's own mode not be what refuses. */
	ASSERT_EQ(0, chmod(VHOST_SCSI_NODE, 0666));
	EXPECT_EQ(-EACCES, endpoint_as(-1, self->bed.wwpn, 1000));
	EXPECT_EQ(0, endpoint_as(-1, mine.wwpn, 1000));
	EXPECT_EQ(-EACCES, endpoint_as(-1, mine.wwpn, 1001));
	/* Root opened it and handed it over: the opener counts. */
	EXPECT_EQ(0, endpoint_as(self->fd, self->bed.wwpn, 1000));
	EXPECT_EQ(0, chmod(VHOST_SCSI_NODE, st.st_mode & 07777));
	bed_destroy(&mine);
}

TEST_F(door, shared_target)
{
	struct bed_opts b = {
		.disk = &self->disk, .type = VHOST_TARGET_SCSI,
		.num_queues = 1, .target_flags = VHOST_TARGET_F_SHARED,
	};
	struct vhost_target_info info;
	struct vscsi other;
	struct bed bed;

	ASSERT_EQ(0, bed_make(&bed, &b));
	ASSERT_EQ(0, session(&self->d, bed.wwpn, true));
	ASSERT_EQ(0, session(&other, bed.wwpn, true));
	ASSERT_EQ(0, ctl_get(bed.ctl, bed.name, &info));
	EXPECT_EQ(2, info.nr_sessions);
	EXPECT_EQ(0, vscsi_ready(&self->d.q[0], 0));
	EXPECT_EQ(0, vscsi_ready(&other.q[0], 0));
	vscsi_close(&self->d);
	EXPECT_EQ(0, vscsi_ready(&other.q[0], 0));
	vscsi_close(&other);
	bed_destroy(&bed);
}

/* A child has the fd, but another address space: all it may do is close. */
TEST_F(door, fork_and_close)
{
	int status, i;
	pid_t pid;
	u8 buf[512];

	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	pid = fork();
	if (!pid) {
		int bad = 0;

		bad += vhost_clear_endpoint(self->d.fd, self->bed.wwpn) !=
		       -EPERM;
		bad += vhost_set_events_missed(self->d.fd, 1) != -EPERM;
		bad += vhost_set_vring_call(self->d.fd, 2, -1) != -EPERM;
		close(self->d.fd);
		_exit(bad);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, vscsi_read(&self->d.q[0], 0, i, 1, buf,
					sizeof(buf)));
}

TEST_F(door, rmmod_in_use)
{
	ASSERT_EQ(0, session(&self->d, self->bed.wwpn, true));
	if (access("/sys/module/vhost_scsi/refcnt", F_OK))
		SKIP(return, "vhost_scsi is no module");
	EXPECT_EQ(-1, syscall(SYS_delete_module, "vhost_scsi", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
}

TEST_HARNESS_MAIN
