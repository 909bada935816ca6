// SPDX-License-Identifier: GPL-2.0
/*
 * The disk itself: what the other paths add something to. By io_uring, with
 * buffers and file registered, and no library.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "vring.h"

/* A ring of the kernel's, for one queue. */
struct uring {
	int fd;
	int call;		/* an eventfd, when it is waited for */
	u8 *map;
	size_t map_size;
	struct io_uring_sqe *sqe;
	size_t sqe_size;
	u32 *sq_tail;
	u32 sq_mask;
	u32 *cq_head;
	u32 *cq_tail;
	u32 cq_mask;
	struct io_uring_cqe *cqe;
	u8 *buffers;
	size_t buffers_size;
	unsigned int queued;
	unsigned int inflight;
	unsigned int taken;	/* of this batch */
	u64 enters;
};

struct uring_path {
	int disk;
	struct uring ring[BENCH_MAX_QUEUES];
};

static struct uring_path *to_path(const struct bench *b)
{
	return b->priv;
}

/* Submit so many, let what has ended say so, wait until something has. */
static int enter(struct uring *r, unsigned int submit, unsigned int wait)
{
	int ret = syscall(__NR_io_uring_enter, r->fd, submit, wait,
			  IORING_ENTER_GETEVENTS, NULL, 0);

	r->enters++;
	if (ret < 0)
		return -errno;
	return (unsigned int)ret == submit ? 0 : -EAGAIN;
}

static int map_ring(struct uring *r, const struct io_uring_params *p)
{
	u32 *index, i;

	r->map_size = p->cq_off.cqes + p->cq_entries * sizeof(*r->cqe);
	if (r->map_size < p->sq_off.array + p->sq_entries * sizeof(u32))
		r->map_size = p->sq_off.array + p->sq_entries * sizeof(u32);
	r->sqe_size = p->sq_entries * sizeof(*r->sqe);
	r->map = mmap(NULL, r->map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      r->fd, IORING_OFF_SQ_RING);
	r->sqe = mmap(NULL, r->sqe_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      r->fd, IORING_OFF_SQES);
	if (r->map == MAP_FAILED || r->sqe == MAP_FAILED)
		return -errno;
	r->sq_tail = (u32 *)(r->map + p->sq_off.tail);
	r->sq_mask = p->sq_entries - 1;
	r->cq_head = (u32 *)(r->map + p->cq_off.head);
	r->cq_tail = (u32 *)(r->map + p->cq_off.tail);
	r->cq_mask = p->cq_entries - 1;
	r->cqe = (void *)(r->map + p->cq_off.cqes);
	index = (u32 *)(r->map + p->sq_off.array);
	for (i = 0; i < p->sq_entries; i++)
		index[i] = i;
	return 0;
}

static int add_to(struct uring *r, unsigned int what, const void *arg,
		  unsigned int n)
{
	return syscall(__NR_io_uring_register, r->fd, what, arg, n) ?
	       -errno : 0;
}

static int open_ring(struct bench *b, struct uring *r)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN,
	};
	struct iovec iov;
	int ret;

	r->fd = syscall(__NR_io_uring_setup, b->o.depth, &p);
	if (r->fd < 0)
		return -errno;
	ret = map_ring(r, &p);
	if (ret)
		return ret;
	r->buffers_size = b->o.depth * align_up(b->o.block_size, PAGE);
	r->buffers = mmap(NULL, r->buffers_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (r->buffers == MAP_FAILED)
		return -errno;
	iov = (struct iovec){ r->buffers, r->buffers_size };
	ret = add_to(r, IORING_REGISTER_BUFFERS, &iov, 1);
	if (!ret)
		ret = add_to(r, IORING_REGISTER_FILES, &to_path(b)->disk, 1);
	if (ret || !b->o.calls)
		return ret;
	r->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->call < 0 ? -errno :
			     add_to(r, IORING_REGISTER_EVENTFD, &r->call, 1);
}

static int size_of(int fd, u64 *bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*bytes = st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, bytes))
		return -errno;
	return 0;
}

static int uring_open(struct bench *b)
{
	struct uring_path *p = calloc(1, sizeof(*p));
	unsigned int q;
	int ret;

	b->priv = p;
	if (!p)
		return -ENOMEM;
	for (q = 0; q < BENCH_MAX_QUEUES; q++)
		p->ring[q].fd = -1;
	p->disk = open(b->o.target, O_DIRECT | O_CLOEXEC |
		       (b->o.write_part ? O_RDWR : O_RDONLY));
	if (p->disk < 0)
		return -errno;
	ret = size_of(p->disk, &b->bytes);
	for (q = 0; q < b->o.queues && !ret; q++)
		ret = open_ring(b, &p->ring[q]);
	return ret;
}

/* The process ends now: it takes what was mapped along. */
static void uring_close(struct bench *b)
{
	struct uring_path *p = to_path(b);
	unsigned int q;

	if (!p)
		return;
	for (q = 0; q < b->o.queues; q++)
		if (p->ring[q].fd >= 0)
			close(p->ring[q].fd);
	if (p->disk >= 0)
		close(p->disk);
	free(p);
}

static int uring_put(struct bench *b, unsigned int q, unsigned int i, u64 offset)
{
	struct uring *r = &to_path(b)->ring[q];
	u64 slot = align_up(b->o.block_size, PAGE);
	u32 tail = *r->sq_tail;

	r->sqe[tail & r->sq_mask] = (struct io_uring_sqe){
		.opcode = b->write ? IORING_OP_WRITE_FIXED :
				       IORING_OP_READ_FIXED,
		.flags = IOSQE_FIXED_FILE,
		.off = offset,
		.addr = (uintptr_t)(r->buffers + i * slot),
		.len = b->o.block_size,
		.user_data = i,
	};
	vring_store_release(r->sq_tail, tail + 1);
	r->queued++;
	r->inflight++;
	return 0;
}

static void uring_kick(struct bench *b, unsigned int q)
{
	struct uring *r = &to_path(b)->ring[q];
	int ret = enter(r, r->queued, 0);

	if (ret)
		vt_failed("io_uring_enter", ret);
	r->queued = 0;
}

/*
 * Nothing is there: sleep, if there will be. The disk may want a thread of the
 * kernel's for an I/O, which a client that spins would keep from its CPU.
 */
static int look_again(struct bench *b, struct uring *r)
{
	if (r->taken)
		return 0;
	return enter(r, 0, !b->o.calls && r->inflight);
}

static int uring_get(struct bench *b, unsigned int q, unsigned int *i)
{
	struct uring *r = &to_path(b)->ring[q];
	u32 head = *r->cq_head;
	struct io_uring_cqe *c = &r->cqe[head & r->cq_mask];
	int ret = 0;

	if (head == vring_load_acquire(r->cq_tail))
		ret = look_again(b, r);
	if (ret || head == vring_load_acquire(r->cq_tail))
		return ret;
	*i = c->user_data;
	ret = c->res == (int)b->o.block_size ? 1 : c->res < 0 ? c->res : -EIO;
	vring_store_release(r->cq_head, head + 1);
	r->inflight--;
	r->taken++;
	return ret;
}

static void uring_got(struct bench *b, unsigned int q)
{
	to_path(b)->ring[q].taken = 0;
}

/* What ended since the last look has signalled it. */
static bool uring_arm(struct bench *b, unsigned int q, int *fd)
{
	*fd = to_path(b)->ring[q].call;
	return true;
}

static u64 uring_kicks(const struct bench *b, unsigned int q)
{
	return to_path(b)->ring[q].enters;
}

const struct bench_path path_uring = {
	.name	= "uring",
	.open	= uring_open,
	.close	= uring_close,
	.put	= uring_put,
	.kick	= uring_kick,
	.get	= uring_get,
	.got	= uring_got,
	.arm	= uring_arm,
	.kicks	= uring_kicks,
};
