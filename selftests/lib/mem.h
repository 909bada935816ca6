/* SPDX-License-Identifier: GPL-2.0 */
/* Guest memory: regions of this process, each at a guest physical address. */
#ifndef VT_MEM_H
#define VT_MEM_H

#include "util.h"

#define MEM_MAX_REGIONS 256

enum mem_layout {
	MEM_ONE,	/* one region at 0 */
	MEM_HOLE,	/* two regions, the second above 4 GiB */
	MEM_PIECES,	/* guest-contiguous, in pieces for the host */
	MEM_REVERSED,	/* the same, host addresses and table descending */
	MEM_MANY,	/* guest-contiguous, more regions than others allow */
	MEM_LAYOUTS,
};

struct mem_region {
	u64 gpa;
	u64 size;
	u8 *hva;
	u64 used;	/* bytes given out by mem_alloc() */
};

struct mem {
	struct mem_region region[MEM_MAX_REGIONS];
	unsigned int nr;
	unsigned int next;	/* where mem_alloc() looks first */
	bool reversed;		/* tell the kernel the last region first */
	u8 *area;		/* address space all regions lie in */
	u64 area_size;
	u8 *wide;		/* that of mem_widen(), or NULL */
	u64 wide_size;
	int memfd;		/* -1: anonymous memory */
	ptrdiff_t shift;	/* to where the kernel is told that it is */
};

int mem_init(struct mem *m, enum mem_layout layout, u64 size, bool memfd);
void mem_free(struct mem *m);

/*
 * Map a memfd's memory once more, and tell the kernel of that: what becomes of
 * those mappings does not matter to us.
 */
int mem_second_view(struct mem *m);

/*
 * One more region, the last, up to guest address @end: some MiB over and over,
 * so that it may be larger than any machine. mem_alloc() takes nothing of it.
 * It is made of huge pages, of which there have to be 32, or of small ones.
 */
int mem_widen(struct mem *m, u64 end, bool huge);

/*
 * Zeroed memory inside one region; NULL when there is none left. The first
 * and the last page of a region are never given out.
 */
void *mem_alloc(struct mem *m, u64 size, u64 align, u64 *gpa);

/* Host address of @len bytes inside one region, or NULL. */
void *mem_hva(const struct mem *m, u64 gpa, u64 len);
/* A guest address of no region, with a region right below it. */
u64 mem_hole(const struct mem *m);
/* Where one region ends and another begins, or 0 when there is none such. */
u64 mem_border(const struct mem *m);
/* Copy over region borders; 0 or -EFAULT. */
int mem_read(const struct mem *m, u64 gpa, void *to, u64 len);
int mem_write(const struct mem *m, u64 gpa, const void *from, u64 len);

/* VHOST_SET_MEM_TABLE with all regions but @skip (-1: none). */
int mem_set_table(const struct mem *m, int fd, int skip);

#endif
