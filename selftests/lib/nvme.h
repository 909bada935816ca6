/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An NVMe driver on the ioctl door, or on the VFIO door if $VT_NVME_DOOR is
 * "vfio". Every call returns 0, an NVMe status (above 0), or -errno.
 */
#ifndef VT_NVME_H
#define VT_NVME_H

#include <linux/vhost_target.h>

#include "mem.h"
#include "vfio.h"

#define VHOST_NVME_NODE "/dev/vhost-nvme"
#define NVME_MAX_QUEUES 17	/* with the admin queue */

/* How the controller gets to know of doorbells. */
enum nvme_db {
	NVME_DB_TRAP,	/* written by a call */
	NVME_DB_PAGE,	/* written to the mapped page */
	NVME_DB_SHADOW,	/* shadow doorbells, the page when asked to */
	NVME_DBS,
};

extern const char *const nvme_db_name[NVME_DBS];

struct nvme_sqe {
	u8 opcode;
	u8 flags;
	u16 cid;
	u32 nsid;
	u32 cdw2;
	u32 cdw3;
	u64 mptr;
	u64 prp1;
	u64 prp2;
	u32 cdw10;
	u32 cdw11;
	u32 cdw12;
	u32 cdw13;
	u32 cdw14;
	u32 cdw15;
};

struct nvme_sgl {
	u64 addr;
	u32 len;
	u8 rsvd[3];
	u8 type;
};

struct nvme_cqe {
	u32 dw0;
	u32 dw1;
	u16 sqhd;
	u16 sqid;
	u16 cid;
	u16 status;	/* phase tag in bit 0 */
};

struct nvme_ring {
	void *entries;
	u64 gpa;
	u32 size;
	u32 head;
	u32 tail;
	u32 phase;
};

/* A submission queue and the completion queue it uses, perhaps another's. */
struct nvme_queue {
	struct nvme_ring sq;
	struct nvme_ring cq;
	unsigned int cqid;
	int irq;	/* eventfd of the completion queue's vector */
	u64 rings;	/* doorbells that were written to BAR0 */
};

struct nvme;

/* How a door does it. */
struct nvme_door {
	int (*attach)(struct nvme *n, const char *target);
	void (*close)(struct nvme *n);
	u64 (*read)(struct nvme *n, u32 off, unsigned int len);
	int (*write)(struct nvme *n, u32 off, unsigned int len, u64 val);
	int (*set_irq)(struct nvme *n, unsigned int vector, int fd);
	int (*map_page)(struct nvme *n);
};

extern const struct nvme_door nvme_door_ioctl, nvme_door_vfio;

/* The one that $VT_NVME_DOOR asks for, and the target's flag for it. */
const struct nvme_door *nvme_door(void);
u32 nvme_door_flag(void);

struct nvme {
	const struct nvme_door *door;
	char target[VHOST_TARGET_NAME_LEN];
	int fd;		/* ioctl door */
	struct vfio v;	/* VFIO door */
	struct mem *m;
	enum nvme_db mode;
	struct vhost_target_nvme_info info;
	volatile u32 *page;
	u32 *dbs;
	u32 *eis;
	u64 dbs_gpa;
	u64 eis_gpa;
	struct nvme_queue q[NVME_MAX_QUEUES];
	void *buf;	/* data of admin commands, 3 pages */
	u64 buf_gpa;
	u16 next_cid;
	int err;	/* of the last doorbell written by a call */
};

#define NVME_ERR(status) ((status) & 0x7ff)
#define NVME_MORE 0x2000
#define NVME_DNR 0x4000

/* Attach; the controller is not enabled yet. */
int nvme_open(struct nvme *n, struct mem *m, const char *target,
	      enum nvme_db mode);
void nvme_close(struct nvme *n);

u64 nvme_read(struct nvme *n, u32 off, unsigned int len);
int nvme_write(struct nvme *n, u32 off, unsigned int len, u64 val);
int nvme_info(struct nvme *n);

/* Wait until (CSTS & mask) == val; 0 or -ETIMEDOUT. */
int nvme_wait_csts(struct nvme *n, u32 mask, u32 val);
/* Set up admin queues of @depth entries and enable, with shadow doorbells. */
int nvme_enable(struct nvme *n, unsigned int depth);
int nvme_disable(struct nvme *n);

/* One admin command with the data at n->buf; the result in @dw0 if wanted. */
int nvme_admin(struct nvme *n, struct nvme_sqe *cmd, u32 *dw0);
int nvme_identify(struct nvme *n, u8 cns, u32 nsid);
int nvme_set_feature(struct nvme *n, u8 fid, u32 dw11, u32 *dw0);
int nvme_get_feature(struct nvme *n, u8 fid, u32 dw11, u32 *dw0);
int nvme_get_log(struct nvme *n, u8 lid, u32 len);

/* As a vector: interrupts are off. */
#define NVME_NO_IRQ (~0u)

/* Queue @id, with its own completion queue if @cqid is @id. */
int nvme_create_cq(struct nvme *n, unsigned int id, unsigned int size,
		   unsigned int vector);
int nvme_create_sq(struct nvme *n, unsigned int id, unsigned int size,
		   unsigned int cqid);
int nvme_create_queue(struct nvme *n, unsigned int id, unsigned int size);
int nvme_delete_cq(struct nvme *n, unsigned int id);
int nvme_delete_sq(struct nvme *n, unsigned int id);

/* Is there room for one more command? */
bool nvme_may_submit(const struct nvme *n, unsigned int id);
/* Put a command in the queue; nvme_ring() makes it known. */
void nvme_submit(struct nvme *n, unsigned int id, const struct nvme_sqe *cmd);
void nvme_ring(struct nvme *n, unsigned int id);
/* Take a completion, if there is one; nvme_ring_cq() makes it known. */
bool nvme_take(struct nvme *n, unsigned int cqid, struct nvme_cqe *cqe);
void nvme_ring_cq(struct nvme *n, unsigned int cqid);
/* Both. */
bool nvme_reap(struct nvme *n, unsigned int cqid, struct nvme_cqe *cqe);
/* Wait for one by the interrupt; 0 or -ETIMEDOUT. */
int nvme_wait(struct nvme *n, unsigned int cqid, struct nvme_cqe *cqe);
/* One command, and its status. */
int nvme_do(struct nvme *n, unsigned int id, struct nvme_sqe *cmd, u32 *dw0);

/* Point a command at data. @list: a page for a list, and its address. */
void nvme_set_prp(struct nvme_sqe *cmd, u64 gpa, u32 len, u64 *list,
		  u64 list_gpa);
void nvme_set_sgl(struct nvme_sqe *cmd, u64 gpa, u32 len,
		  struct nvme_sgl *list, u64 list_gpa);
void nvme_set_rw(struct nvme_sqe *cmd, u8 opcode, u32 nsid, u64 lba, u32 nlb);

#endif
