/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An NVMe controller whose engine is here: guest memory is an array, queues
 * are notes of what was asked for.
 */
#ifndef UNIT_NVME_BED_H
#define UNIT_NVME_BED_H

#include "../../drivers/nvme/nvme.h"

#include "unit.h"

#define NB_MEM		0x100000ULL	/* where guest memory starts */
#define NB_PAGES	600
#define NB_UNITS	4

/**
 * struct nb - a controller
 * @c: the controller under test
 * @unit: units 0 to NB_UNITS - 1; those with @present exist
 * @ns: the units as namespaces
 * @ptpl: their reservations persist, which those with @ptpl_err refuse
 * @mem: guest memory
 * @start_err: what starting a queue returns
 * @started: bit 0: nv_cq_start(), 1: nv_sq_start(), 2, 3: the stops, of @qid
 * @dbs: shadow doorbells
 * @held: completion of a command that was held
 * @now_ms: time
 * @a: the last admin command
 */
struct nb {
	struct nv_core c;
	struct vt_target t;
	struct vt_unit unit[NB_UNITS];
	struct vt_backend be[NB_UNITS];
	bool present[NB_UNITS];
	struct nv_ns ns[NB_UNITS];
	struct nv_ns *nss[NV_MAX_NS];
	bool ptpl[NB_UNITS];
	bool ptpl_err[NB_UNITS];
	unsigned int nr_hosts;
	u8 *mem;
	int start_err;
	unsigned int started;
	u16 qid;
	u64 dbs;
	u64 eis;
	unsigned int nr_held;
	u16 held_cid;
	u16 held_status;
	unsigned int changed_fid;
	struct nv_smart smart;
	u64 now_ms;
	bool locked;
	bool ns_locked;
	bool cq_full;
	struct nv_admin a;
	u8 buf[NV_PAGE_SIZE];
};

struct nb *nb_new(void);
void nb_free(struct nb *b);

/* Host memory of guest page @n. */
u8 *nb_page(struct nb *b, unsigned int n);
#define NB_ADDR(n)	(NB_MEM + (u64)(n) * NV_PAGE_SIZE)

/* Make or remove a unit. */
void nb_set(struct nb *b, unsigned int unit, bool present);

/* A fresh command with data at guest page 0, 1. */
struct nv_sqe *nb_cmd(struct nb *b, u8 opcode);
/* Do it: its status without NV_SC_MORE. */
u16 nb_do(struct nb *b);

#define SC(x)	((x) | NV_SC_DNR)

#endif
