/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An NVMe controller on the machine of fuzz_core.h, and its driver's side.
 *
 * What a command may reach is worked out here a second time, from the
 * specification, and each look-up of the code under test is held against that.
 */
#ifndef UNIT_NVME_DEV_H
#define UNIT_NVME_DEV_H

#include <vhost_target/nvme.h>

#include "../../drivers/nvme/ctrl.h"

#include "fuzz_core.h"

#define ND_QUEUES	4
#define ND_ENTRIES	32
#define ND_PAGE(n)	(FC_BASE + (u64)(n) * PAGE_SIZE)

/* Pages: queues by number, shadow doorbells, lists, then data. */
#define ND_SQ(id)	(id)
#define ND_CQ(id)	(5 + (id))
#define ND_DBS		10
#define ND_EIS		11
#define ND_LIST		12
#define ND_LISTS	4
#define ND_DATA		16
#define ND_DATAS	(FC_PAGES - ND_DATA)

/**
 * struct nd - controller and driver
 * @n: controller
 * @tail: of submission queues, as the driver has it
 * @head: of completion queues
 * @cid: of the next command
 * @zap_fails: the page of doorbells cannot be taken from the guest
 * @failed: times that the controller has failed
 * @raised: interrupts
 * @accepted: commands that the I/O queues took
 * @ended: of them, those they ended
 */
struct nd {
	struct vt_nvme *n;
	u32 tail[ND_QUEUES + 1];
	u32 head[ND_QUEUES + 1];
	u16 cid;
	bool zap_fails;
	unsigned int failed;
	unsigned int raised;
	unsigned int accepted;
	unsigned int ended;
};

extern struct nd nd;

/* For other controllers of the target. */
extern const struct vt_nvme_door_ops nd_door;

/* Off the input: FC_BEGIN bytes. */
void nd_begin(void);
/* The same for tests, which say what the disks are like. */
void nd_open(u8 disk0, u8 disk1);
void nd_end(void);

void nd_reg(u32 off, unsigned int size, u64 val);
void nd_doorbell(u32 index, u32 val);
/* As a driver does, with a shadow if there is one. */
void nd_ring(u32 index, u32 val);
void nd_submit(unsigned int id, const struct nv_sqe *sqe, bool tell);
/* Completions are taken as they come. */
void nd_consume(unsigned int id);
/* All is done, and taken. */
void nd_serve(void);
void nd_enable(void);
void nd_admin(u8 opcode, u32 nsid, u64 prp1, u32 dw10, u32 dw11);
void nd_make_queues(unsigned int id);
/* The last command's status; its completion is taken. */
u16 nd_status(unsigned int id);
/* A command on namespace 1 by queue 1. Returns: its status. */
u16 nd_io(u8 opcode, u32 dw10, u32 dw11, u32 dw12, u64 prp1);

static inline u64 nd_data(u32 n)
{
	return ND_PAGE(ND_DATA + n % ND_DATAS);
}

#endif
