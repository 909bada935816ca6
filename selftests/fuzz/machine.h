/* SPDX-License-Identifier: GPL-2.0 */
/* What programs run on: open nodes, guest memory, targets to attach to. */
#ifndef VT_FUZZ_MACHINE_H
#define VT_FUZZ_MACHINE_H

#include "bed.h"
#include "prog.h"

/* Guest memory: at GUEST for us, from 0 on for guests. */
#define GUEST 0x200000000ull
#define GUEST_SIZE (256 * KIB)
/* In it: zeros, for what calls point to. */
#define GUEST_BUF (GUEST_SIZE - 2 * PAGE)
/* Arguments of calls: two pages, then nothing, then one that is read-only. */
#define ARGS 0x210000000ull
#define ARGS_SIZE (2 * PAGE)
#define ARGS_READ_ONLY (ARGS + 4 * PAGE)
#define NOWHERE 0x220000000ull

/* A virtqueue's part of guest memory. */
#define Q_SIZE 0x8000ull
#define Q_NUM 16u
#define Q_AVAIL 0x1000
#define Q_USED 0x2000
#define Q_HEADERS 0x3000	/* a page: 256 bytes for each */
#define Q_DATA 0x4000
/* And those of NVMe. */
#define NV_QUEUES 0x20000ull
#define NV_ENTRIES 8
#define NV_DATA 0x28000ull

#define EVENTFDS 6

/* The targets that are always there. */
enum {
	T_BLK,
	T_SCSI,
	T_NVME,
	T_VDPA,
	T_VDPA_SCSI,
	T_VFIO,
	TARGETS,
};

extern const char *const target_name[TARGETS];

struct machine {
	struct shared *sh;
	int ctl;			/* our own */
	u32 poller;
	int fd[NODES][SLOTS];
	volatile u32 *db[SLOTS];	/* mapped doorbells */
	int efd[EVENTFDS];
	int memfd;
	bool has[TARGETS];		/* its door is there */
	u64 args;			/* this thread's ARGS, or the other's */
	struct disk *disk;		/* for TARGETS, and one more */
};

int machine_open(struct machine *m);
/* All targets are there again, whatever a program did. */
int machine_refresh(struct machine *m);
/* Nothing is open, and memory is whole. */
void machine_reset(struct machine *m);
/* What programs have made is gone. */
void machine_sweep(struct machine *m);

/* @args: one of two places for arguments, for a thread each. */
long machine_call(struct machine *m, const struct call *c, unsigned int args);

/* The names and texts that fields choose of. */
#define NAMES 16
extern const char *const names[NAMES];

#endif
