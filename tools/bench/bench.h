/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhost-bench: a user-space driver that keeps a target's queues busy and says
 * what that cost. There is no guest: what is measured is the path from a queue
 * to the backend and back.
 */
#ifndef VT_BENCH_H
#define VT_BENCH_H

#include "rng.h"

#define BENCH_MAX_QUEUES 16	/* of a session */
#define BENCH_MAX_SESSIONS 1024
#define BENCH_MAX_LANES 256	/* queues of all sessions under load */
#define BENCH_MAX_DEPTH 256

enum bench_order {
	ORDER_RANDOM,
	ORDER_SEQ,
};

struct bench_opts {
	const char *target;	/* name, wwpn, node, socket, disk */
	unsigned int write_part;	/* of 100 I/Os, that write */
	enum bench_order order;
	u32 block_size;		/* bytes of each I/O */
	unsigned int depth;	/* I/Os in flight, of each queue */
	unsigned int queues;
	unsigned int queue_size;
	unsigned int sessions;
	u64 memory;		/* end of guest memory; 0: what is needed */
	unsigned int places;	/* of buffers in it */
	bool small_pages;	/* it is not made of huge ones */
	double seconds;
	u64 ios;		/* end after so many; 0: by time */
	u64 rate;		/* I/Os a second, evenly; 0: as fast as it goes */
	int cpu;		/* the client's; -1: anywhere */
	int worker_cpu;		/* of vhost workers; -1: where they are */
	bool calls;		/* sleep until interrupted, else spin */
	bool trap;		/* NVMe: doorbells are written by a call */
	bool event_idx;
	bool indirect;
	bool packed;
	u64 seed;
};

struct bench;

/*
 * A way to a device. What is called for each I/O is called by one thread; a
 * slot is a request of a queue with its memory, below opts.depth.
 */
struct bench_path {
	const char *name;
	/* Everything up to the first I/O; sets bench.bytes. 0 or -errno. */
	int (*open)(struct bench *b);
	void (*close)(struct bench *b);
	/* Fill in slot @i, to write if bench.write, and queue it. */
	int (*put)(struct bench *b, unsigned int q, unsigned int i, u64 offset);
	/* All of a batch was put: tell the device if it wants to be told. */
	void (*kick)(struct bench *b, unsigned int q);
	/* The next that has ended, well: 1; none: 0; -EIO and others. */
	int (*get)(struct bench *b, unsigned int q, unsigned int *i);
	/* All of a batch was got. */
	void (*got)(struct bench *b, unsigned int q);
	/* Ask for an interrupt, by @fd; false: something has ended already. */
	bool (*arm)(struct bench *b, unsigned int q, int *fd);
	u64 (*kicks)(const struct bench *b, unsigned int q);
};

extern const struct bench_path path_scsi, path_blk, path_vdpa, path_user,
			       path_nvme, path_uring;

/* Sessions as one device: bench.of, so many times. */
extern const struct bench_path path_many;

/* Nanoseconds: 32 steps to each power of two. */
#define HIST_STEPS 32
#define HIST_SIZE (64 * HIST_STEPS)

struct bench_hist {
	u64 n;
	u64 sum;
	u64 count[HIST_SIZE];
};

void hist_add(struct bench_hist *h, u64 ns);
/* What @part (0 to 1) of all took at most. */
u64 hist_percentile(const struct bench_hist *h, double part);

/* What was used up to some moment. */
struct bench_cost {
	u64 ns;
	double user;		/* seconds of the client's thread */
	double sys;
	double host_busy;	/* seconds of all CPUs */
	double host_idle;
	double worker_idle;	/* seconds of opts.worker_cpu */
	u64 switches;		/* context switches of the host */
};

void cost_now(struct bench_cost *c, int worker_cpu);
/* @to becomes what was used since @from. */
void cost_since(const struct bench_cost *from, struct bench_cost *to);

struct bench_lane {
	u64 start[BENCH_MAX_DEPTH];
	u64 next;		/* sequential: block */
	unsigned int inflight;
	unsigned int spare[BENCH_MAX_DEPTH];	/* with a rate: slots to use */
	unsigned int nr_spare;
};

struct mem;

/*
 * Where buffers are if guest memory is wide: chunks of it, one out of each of
 * so many equal parts. All of them are used once before any is measured.
 */
struct bench_wide {
	unsigned int nr;	/* 0: buffers are where they always are */
	unsigned int used;
	u64 *chunk;		/* guest addresses */
	unsigned int pages;	/* of a chunk where a buffer may begin */
	struct rng rng;
};

struct bench {
	struct bench_opts o;
	const struct bench_path *path;
	const struct bench_path *of;
	void *priv;
	u64 bytes;		/* of the device */
	struct bench_lane *lane;	/* of each queue */
	struct bench_wide wide;
	u64 least;		/* I/Os before it is warm */
	bool write;		/* the I/O that is put now */
	/* of the measured part */
	u64 done;
	u64 kicks;
	u64 calls;
	u64 sleeps;
	struct bench_hist hist;
	struct bench_cost cost;
};

/* Have buffers all over the last region of @m, if that is wide; 0 or -errno. */
int bench_widen(struct bench *b, const struct mem *m);
void bench_narrow(struct bench *b);
u64 bench_place(struct bench *b);

/* Where the buffer of the next I/O is; @own: that of its slot. */
static inline u64 bench_buffer(struct bench *b, u64 own)
{
	return b->wide.nr ? bench_place(b) : own;
}

/* Warm up, measure; 0 or -errno after a message. */
int bench_load(struct bench *b);

#endif
