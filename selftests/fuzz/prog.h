/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls, described so that a machine can make them up: which node, which
 * number, what the fields of the argument mean. A program is a sequence of
 * them. A field's value in a program is a choice: 0 is what a sound caller
 * would pass, whatever the kind, so that a program of zeros works.
 */
#ifndef VT_FUZZ_PROG_H
#define VT_FUZZ_PROG_H

#include "kcov.h"
#include "rng.h"

#define MAX_FIELDS 26
#define MAX_CALLS 40
#define MAX_CORPUS 3000
#define MAX_DESCS 200

/* What is open; each twice. */
enum node {
	N_NONE,
	N_CTL,
	N_BLK,
	N_SCSI,
	N_NVME,
	N_VDPA,		/* slot 0: of a blk target, 1: of a scsi target */
	N_CONTAINER,
	N_GROUP,
	N_VFIO,
	NODES,
};

#define SLOTS 2

enum kind {
	K_END,
	K_INT,		/* param ^ choice */
	K_PTR,		/* into guest memory at param, or elsewhere */
	K_NAME,		/* of a target */
	K_STR,		/* other text */
	K_PATH,		/* address of a path */
	K_EVENTFD,	/* fds: an eventfd, number param */
	K_FD,		/* an open node: param */
};

struct field {
	u16 off;
	u16 size;
	u8 kind;
	u64 param;
};

struct machine;

/**
 * struct desc - a call
 * @name: for messages
 * @node: what it is made on
 * @nr: number of an ioctl
 * @size: of its argument
 * @makes: node of the fd it returns
 * @by_value: the argument is the first field itself
 * @run: what it does, if that is no ioctl; @v: the fields
 * @f: fields
 */
struct desc {
	const char *name;
	u8 node;
	u32 nr;
	u16 size;
	u8 makes;
	bool by_value;
	long (*run)(struct machine *m, int fd, unsigned int slot,
		    const u64 *v);
	struct field f[MAX_FIELDS];
};

extern const struct desc descs[];
extern const unsigned int nr_descs;

/* Where the argument lies. */
enum place {
	AT_EASE,	/* with zeros behind it */
	AT_END,		/* up to the last byte that is mapped */
	AT_READ_ONLY,
	ACROSS,		/* its second half is not mapped */
	AT_RANDOM,	/* with other bytes behind it */
	PLACES,
};

struct call {
	u8 desc;
	u8 slot;
	u8 place;
	u64 arg[MAX_FIELDS];
};

struct prog {
	u32 nr;
	struct call call[MAX_CALLS];
};

/* Shared by all processes. */
struct shared {
	struct pcs pcs;
	u32 corpus_nr;
	struct prog corpus[MAX_CORPUS];
	u64 programs;
	u64 calls;
	u64 chains;		/* and commands that were put in queues */
	u64 done[MAX_DESCS];	/* calls made, by description */
	u64 good[MAX_DESCS];	/* and that did not fail */
	u64 ns[MAX_DESCS];	/* they took */
	struct prog now;	/* what is being run */
	u32 at;			/* which call of it */
};

/* Sound programs to begin with. */
unsigned int seed_progs(struct prog *to, unsigned int room);
/* A program: a new one, or one of the corpus with changes. */
void prog_make(struct prog *p, const struct shared *sh, struct rng *r);
void prog_print(const struct prog *p, unsigned int at);
void corpus_add(struct shared *sh, const struct prog *p);

#endif
