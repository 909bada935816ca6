// SPDX-License-Identifier: GPL-2.0
/* NVMe, by the ioctl and the VFIO door. */
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "nvme.h"
#include "pattern.h"
#include "queues.h"
#include "vring.h"

#define QUEUES 2	/* I/O queues */
#define ENTRIES 32
#define BUFS 16
#define BUF_SIZE (16 * KIB)
#define CHECK_BLOCKS 8

static struct {
	struct nvme n;
	struct mem mem;
	u8 *buf;		/* BUFS of them */
	u64 gpa;
	u64 *list;		/* a page of entries for each */
	u64 list_gpa;
	u64 stuck;		/* since when nothing ends, or 0 */
	u8 check[CHECK_BLOCKS * SECTOR];
} dev;

static bool is_vfio(const struct job *j)
{
	return j->kind->flags & VHOST_TARGET_F_VFIO;
}

static int nvme_without(void *arg, unsigned int region)
{
	const struct mem_region *r = &dev.mem.region[region];

	if (is_vfio(arg))
		return vfio_unmap(&dev.n.v, r->gpa, r->size);
	return mem_set_table(&dev.mem, dev.n.fd, region);
}

static int nvme_whole(void *arg)
{
	unsigned int i;

	if (!is_vfio(arg))
		return mem_set_table(&dev.mem, dev.n.fd, -1);
	/* What was not mapped is not, either way. */
	for (i = 0; i < dev.mem.nr; i++)
		vfio_unmap(&dev.n.v, dev.mem.region[i].gpa,
			   dev.mem.region[i].size);
	return vfio_map_mem(&dev.n.v, &dev.mem);
}

static int nvme_begin(void)
{
	unsigned int i;
	int ret = nvme_enable(&dev.n, ENTRIES);

	for (i = 1; !ret && i <= QUEUES; i++)
		ret = nvme_create_queue(&dev.n, i, ENTRIES);
	dev.stuck = 0;
	return ret;
}

static int nvme_start(struct job *j)
{
	int ret = mem_init(&dev.mem, MEM_HOLE, 4 * MIB, true);

	if (!ret)
		ret = mem_second_view(&dev.mem);
	if (!ret)
		ret = nvme_open(&dev.n, &dev.mem, j->bed.name, j->kind->db);
	if (ret)
		return ret;
	dev.buf = mem_alloc(&dev.mem, BUFS * BUF_SIZE, PAGE, &dev.gpa);
	dev.list = mem_alloc(&dev.mem, BUFS * PAGE, PAGE, &dev.list_gpa);
	if (!dev.buf || !dev.list)
		return -ENOMEM;
	j->churn.m = &dev.mem;
	j->churn.without = nvme_without;
	j->churn.whole = nvme_whole;
	j->churn.arg = j;
	return nvme_begin();
}

/* Commands. */

static u64 random_gpa(struct rng *r)
{
	const struct mem_region *region =
		&dev.mem.region[rng_below(r, dev.mem.nr)];

	switch (rng_below(r, 16)) {
	case 0:
		return mem_hole(&dev.mem) - rng_below(r, 4096);
	case 1:
		return rng_u64(r) >> rng_below(r, 64);
	case 2:
		/* Queues, lists, shadow doorbells. */
		return region->gpa + rng_below(r, region->size);
	case 3:
		return dev.list_gpa + rng_below(r, BUFS * PAGE);
	default:
		return dev.gpa + rng_below(r, BUFS * BUF_SIZE / 4) * 4;
	}
}

static void random_list(struct rng *r, u64 *list)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		list[i] = rng_one_in(r, 4) ? rng_u64(r) : random_gpa(r);
	if (rng_one_in(r, 2))
		list[rng_below(r, 512)] = random_gpa(r) & ~(PAGE - 1);
}

/* As a driver does it. */
static void sound_rw(struct rng *r, struct nvme_sqe *cmd)
{
	u32 i = rng_below(r, BUFS), nlb = 1 + rng_below(r, 24);
	u64 gpa = dev.gpa + i * BUF_SIZE + rng_below(r, 2) * 512;
	void *list = (u8 *)dev.list + i * PAGE;
	u64 list_gpa = dev.list_gpa + i * PAGE;

	nvme_set_rw(cmd, 1 + rng_below(r, 2), 1, rng_below(r, 32000), nlb);
	if (rng_one_in(r, 4))
		nvme_set_sgl(cmd, gpa, nlb * SECTOR, list, list_gpa);
	else
		nvme_set_prp(cmd, gpa, nlb * SECTOR, list, list_gpa);
}

static void random_bits(struct rng *r, struct nvme_sqe *cmd)
{
	u32 *word = (u32 *)cmd;

	do {
		word[rng_below(r, 16)] ^= 1u << rng_below(r, 32);
	} while (rng_one_in(r, 2));
}

static void random_io(struct rng *r, struct nvme_sqe *cmd)
{
	static const u8 opcodes[] = {
		0x00, 0x01, 0x02, 0x04, 0x05, 0x08, 0x09, 0x0c, 0x0d, 0x0e,
		0x11, 0x15, 0x19,
	};

	sound_rw(r, cmd);
	if (!rng_one_in(r, 3))
		cmd->opcode = opcodes[rng_below(r, ARRAY_SIZE(opcodes))];
	if (rng_one_in(r, 2))
		cmd->prp1 = random_gpa(r);
	if (rng_one_in(r, 2))
		cmd->prp2 = random_gpa(r);
	if (rng_one_in(r, 4))
		random_list(r, dev.list + rng_below(r, BUFS) * (PAGE / 8));
	if (rng_one_in(r, 8))
		cmd->flags = rng_u64(r);
	if (rng_one_in(r, 2))
		random_bits(r, cmd);
}

static void random_admin(struct rng *r, struct nvme_sqe *cmd)
{
	static const u8 opcodes[] = {
		0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0c,
		0x0d, 0x14, 0x15, 0x18, 0x7c, 0x80, 0x84,
	};

	cmd->opcode = opcodes[rng_below(r, ARRAY_SIZE(opcodes))];
	if (rng_one_in(r, 16))
		cmd->opcode = rng_u64(r);
	cmd->nsid = rng_below(r, 3);
	cmd->prp1 = random_gpa(r) & ~(PAGE - 1);
	cmd->prp2 = random_gpa(r) & ~(PAGE - 1);
	cmd->cdw10 = rng_below(r, 32);
	if (rng_one_in(r, 2))
		cmd->cdw10 |= rng_below(r, 64) << 16;
	cmd->cdw11 = rng_below(r, 4) | rng_below(r, 4) << 16;
	if (rng_one_in(r, 2))
		random_bits(r, cmd);
}

/* Registers and doorbells, as no driver writes them. */
static void odd_write(struct job *j)
{
	static const u16 regs[] = { 0x0c, 0x10, 0x14, 0x20, 0x24, 0x28, 0x30 };
	struct rng *r = &j->rng;
	u32 off = regs[rng_below(r, ARRAY_SIZE(regs))];

	if (rng_one_in(r, 2))
		off = 0x1000 + 4 * rng_below(r, 2 * QUEUES + 4);
	nvme_write(&dev.n, off, 4, rng_one_in(r, 2) ? rng_below(r, ENTRIES) :
		   rng_u64(r) >> (32 + rng_below(r, 32)));
}

/* The driver's books may be wrong by now. */
static bool reap(struct job *j)
{
	bool any = false;
	struct nvme_cqe cqe;
	unsigned int i;

	for (i = 0; i <= QUEUES; i++) {
		struct nvme_ring *cq = &dev.n.q[i].cq;
		struct nvme_cqe *at = (struct nvme_cqe *)cq->entries + cq->head;

		while ((vring_load_acquire(&at->status) & 1) == cq->phase &&
		       at->sqid <= QUEUES && at->sqhd < ENTRIES &&
		       nvme_take(&dev.n, i, &cqe)) {
			j->ended++;
			any = true;
			at = (struct nvme_cqe *)cq->entries + cq->head;
		}
		if (any)
			nvme_ring_cq(&dev.n, i);
	}
	return any;
}

static int put_command(struct job *j, unsigned int id,
		       void (*make)(struct rng *r, struct nvme_sqe *cmd))
{
	struct nvme_sqe cmd = { .cid = dev.n.next_cid++ };

	if (!nvme_may_submit(&dev.n, id))
		return -ENOSPC;
	make(&j->rng, &cmd);
	nvme_submit(&dev.n, id, &cmd);
	j->sent++;
	if (rng_one_in(&j->rng, 4))
		nvme_ring(&dev.n, id);
	return 0;
}

static int nvme_send(struct job *j)
{
	unsigned int id = 1 + rng_below(&j->rng, QUEUES);
	int ret;

	if (rng_one_in(&j->rng, 64))
		put_command(j, 0, random_admin);
	if (rng_one_in(&j->rng, 2000))
		odd_write(j);
	ret = put_command(j, id, rng_one_in(&j->rng, 2) ? sound_rw : random_io);
	if (!ret && !rng_one_in(&j->rng, 16))
		return 0;
	if (ret) {
		nvme_ring(&dev.n, id);
		nvme_ring(&dev.n, 0);
	}
	if (reap(j) || !ret) {
		dev.stuck = 0;
		return 0;
	}
	if (!dev.stuck)
		dev.stuck = now_ns();
	return now_ns() - dev.stuck > REAP_MS * 1000000ull ? -EAGAIN : 0;
}

static int nvme_reset(struct job *j)
{
	int ret = nvme_disable(&dev.n);

	dev.n.err = 0;
	return ret ? ret : nvme_begin();
}

static int nvme_rw(u8 opcode)
{
	struct nvme_sqe cmd = { 0 };
	int ret;

	nvme_set_rw(&cmd, opcode, 1, 1024, CHECK_BLOCKS);
	nvme_set_prp(&cmd, dev.gpa, CHECK_BLOCKS * SECTOR, dev.list,
		     dev.list_gpa);
	ret = nvme_do(&dev.n, 1, &cmd, NULL);
	if (ret > 0)
		vt_msg("opcode %u: status %x", opcode, ret);
	return ret > 0 ? -EIO : ret;
}

/* Reservations of an earlier command are gone with all registrations. */
static int no_reservations(void)
{
	struct nvme_sqe cmd = { .opcode = 0x0d, .nsid = 1, .cdw10 = 8 };
	int ret;

	memset(dev.buf, 0, PAGE);
	((u64 *)dev.buf)[1] = 1;
	cmd.prp1 = dev.gpa;
	ret = nvme_do(&dev.n, 1, &cmd, NULL);
	if (ret < 0)
		return ret;
	/* Release: clear. */
	cmd = (struct nvme_sqe) {
		.opcode = 0x15, .nsid = 1, .cdw10 = 1, .prp1 = dev.gpa,
	};
	((u64 *)dev.buf)[0] = 1;
	ret = nvme_do(&dev.n, 1, &cmd, NULL);
	return ret < 0 ? ret : 0;
}

static int nvme_check(struct job *j)
{
	u32 generation = ++j->generation;
	int ret = no_reservations();

	pattern_fill(dev.buf, sizeof(dev.check), 1024, generation);
	if (!ret)
		ret = nvme_rw(1);
	memset(dev.buf, 0xee, sizeof(dev.check));
	if (!ret)
		ret = nvme_rw(2);
	return ret ? ret : pattern_check(dev.buf, sizeof(dev.check), 1024,
					 generation);
}

static void nvme_end(struct job *j)
{
	nvme_close(&dev.n);
	mem_free(&dev.mem);
}

#define NVME_OPS .type = VHOST_TARGET_NVME, .open = nvme_start, \
	.submit = nvme_send, .reset = nvme_reset, .check = nvme_check, \
	.close = nvme_end

const struct session_kind nvme_trap = {
	.name = "nvme, trapping doorbells", .db = NVME_DB_TRAP, NVME_OPS,
};

const struct session_kind nvme_page = {
	.name = "nvme, page of doorbells", .db = NVME_DB_PAGE, NVME_OPS,
};

const struct session_kind nvme_shadow = {
	.name = "nvme, shadow doorbells", .db = NVME_DB_SHADOW, NVME_OPS,
};

const struct session_kind nvme_vfio = {
	.name = "nvme by VFIO", .flags = VHOST_TARGET_F_VFIO,
	.db = NVME_DB_PAGE, .missing = vfio_missing, NVME_OPS,
};
