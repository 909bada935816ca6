/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session whose core is here: a chain, guest memory, and the
 * functions that reach it. What they were asked for can be looked at.
 */
#ifndef UNIT_BED_H
#define UNIT_BED_H

#include <vhost_target/vdev.h>

#include "unit.h"

#define KIB		1024u
#define MIB		(1024u * KIB)

/* Guest memory: where it starts, and its bytes. */
#define BED_MEM		0x100000000ULL
#define BED_MEM_LEN	(10 * MIB)

/* Of the disk a bed starts with. */
#define BED_SECTORS	(64 * MIB / SECTOR_SIZE)
#define BED_MAX_DISCARD	8192
#define BED_MAX_ZEROES	4096
#define BED_MAX_ERASE	2048

/* Bytes a device type may keep in a request. */
#define BED_PRIV	2048

/**
 * struct bed - a session
 * @priv: the device type's part of @req
 * @chain: being made, then parsed
 * @bv: what vt_req_map() mapped
 * @mem: guest memory
 * @used: bytes of it used by the chain
 * @hole: guest address that is missing, 0: none
 * @hole_err: what touching it returns
 * @map_err: what vt_req_map() returns, if not 0
 * @change: what was read from guest memory changes after it was read
 * @nr_reads: calls of vt_chain_read()
 * @nr_maps: calls of vt_req_map()
 */
struct bed {
	struct vt_target target;
	struct vt_backend be;
	struct vt_unit unit;
	struct vt_vdev vdev;
	struct vt_vq vq;
	struct vt_qstats st;
	struct vt_req req;
	u64 priv[BED_PRIV / sizeof(u64)];
	struct vt_chain chain;
	struct bio_vec bv[VT_VRING_MAX_SIZE];
	u8 *mem;
	u64 used;
	u64 hole;
	int hole_err;
	int map_err;
	bool change;
	unsigned int nr_reads;
	unsigned int nr_maps;
};

/* Calls of vt_pq_wake(). */
extern unsigned int bed_nr_wakes;

/* With a writable, cached disk of BED_SECTORS; no feature is negotiated. */
struct bed *bed_make(void);
void bed_free(struct bed *b);

/* Start a new chain. */
void bed_reset(struct bed *b);

/* Take guest memory; add a buffer to the chain. */
u64 bed_alloc(struct bed *b, u32 len);
void bed_add(struct bed *b, u64 addr, u32 len, bool write);

/* Add a readable buffer with these bytes, a writable one: their addresses. */
u64 bed_out(struct bed *b, const void *data, u32 len);
u64 bed_in(struct bed *b, u32 len);

/* Add a buffer that is not in guest memory. */
void bed_nowhere(struct bed *b, bool write, u32 len);

/* Cut all buffers into pieces of at most @n bytes. */
void bed_cut(struct bed *b, u32 n);

u8 *bed_ptr(struct bed *b, u64 addr);

#endif
