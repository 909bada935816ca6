// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/vhost.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl.h"
#include "nvme.h"
#include "vhost.h"

const char *const nvme_db_name[NVME_DBS] = {
	[NVME_DB_TRAP] = "trap",
	[NVME_DB_PAGE] = "page",
	[NVME_DB_SHADOW] = "shadow",
};

static int nvme_reg(struct nvme *n, unsigned long call,
		    struct vhost_target_nvme_reg *r)
{
	r->size = sizeof(*r);
	return ctl_call(n->fd, call, r);
}

static u64 ioctl_read(struct nvme *n, u32 off, unsigned int len)
{
	struct vhost_target_nvme_reg r = { .offset = off, .len = len };

	return nvme_reg(n, VHOST_TARGET_NVME_READ, &r) ? ~0ull : r.value;
}

static int ioctl_write(struct nvme *n, u32 off, unsigned int len, u64 val)
{
	struct vhost_target_nvme_reg r = {
		.offset = off, .len = len, .value = val,
	};

	return nvme_reg(n, VHOST_TARGET_NVME_WRITE, &r);
}

int nvme_info(struct nvme *n)
{
	memset(&n->info, 0, sizeof(n->info));
	n->info.size = sizeof(n->info);
	return ctl_call(n->fd, VHOST_TARGET_NVME_GET, &n->info);
}

static int ioctl_set_irq(struct nvme *n, unsigned int vector, int fd)
{
	struct vhost_target_nvme_irq irq = {
		.size = sizeof(irq), .vector = vector, .fd = fd,
	};

	return ctl_call(n->fd, VHOST_TARGET_NVME_SET_IRQ, &irq);
}

static int ioctl_attach(struct nvme *n, const char *target)
{
	int ret;

	n->fd = open(VHOST_NVME_NODE, O_RDWR | O_CLOEXEC);
	if (n->fd < 0)
		return -errno;
	ret = vhost_set_owner(n->fd);
	if (!ret)
		ret = mem_set_table(n->m, n->fd, -1);
	if (!ret)
		ret = vhost_attach(n->fd, target);
	return ret ? ret : nvme_info(n);
}

static int ioctl_map_page(struct nvme *n)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, n->fd,
		       n->info.doorbells);

	if (p == MAP_FAILED)
		return -errno;
	n->page = p;
	return 0;
}

static void ioctl_close(struct nvme *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

const struct nvme_door nvme_door_ioctl = {
	.attach		= ioctl_attach,
	.close		= ioctl_close,
	.read		= ioctl_read,
	.write		= ioctl_write,
	.set_irq	= ioctl_set_irq,
	.map_page	= ioctl_map_page,
};

static bool wants_vfio(void)
{
	const char *door = getenv("VT_NVME_DOOR");

	return door && !strcmp(door, "vfio");
}

const struct nvme_door *nvme_door(void)
{
	return wants_vfio() ? &nvme_door_vfio : &nvme_door_ioctl;
}

u32 nvme_door_flag(void)
{
	return wants_vfio() ? VHOST_TARGET_F_VFIO : 0;
}

u64 nvme_read(struct nvme *n, u32 off, unsigned int len)
{
	return n->door->read(n, off, len);
}

int nvme_write(struct nvme *n, u32 off, unsigned int len, u64 val)
{
	return n->door->write(n, off, len, val);
}

int nvme_open(struct nvme *n, struct mem *m, const char *target,
	      enum nvme_db mode)
{
	unsigned int i;
	int ret;

	memset(n, 0, sizeof(*n));
	n->door = nvme_door();
	snprintf(n->target, sizeof(n->target), "%s", target);
	n->fd = -1;
	n->m = m;
	n->mode = mode;
	for (i = 0; i < NVME_MAX_QUEUES; i++)
		n->q[i].irq = -1;
	ret = n->door->attach(n, target);
	if (!ret && mode != NVME_DB_TRAP)
		ret = n->door->map_page(n);
	n->buf = mem_alloc(m, 3 * PAGE, PAGE, &n->buf_gpa);
	if (!ret && mode == NVME_DB_SHADOW) {
		n->dbs = mem_alloc(m, PAGE, PAGE, &n->dbs_gpa);
		n->eis = mem_alloc(m, PAGE, PAGE, &n->eis_gpa);
	}
	if (!n->buf || (mode == NVME_DB_SHADOW && !n->eis))
		ret = -ENOMEM;
	if (ret) {
		vt_msg("attach to %s: %s", target, strerror(-ret));
		nvme_close(n);
	}
	return ret;
}

void nvme_close(struct nvme *n)
{
	unsigned int i;

	if (n->page)
		munmap((void *)n->page, PAGE);
	n->page = NULL;
	if (n->door)
		n->door->close(n);
	for (i = 0; i < NVME_MAX_QUEUES; i++) {
		if (n->q[i].irq >= 0)
			close(n->q[i].irq);
		n->q[i].irq = -1;
	}
}

/* All ones: it could not be read. */
static bool csts_is(struct nvme *n, u32 mask, u32 val)
{
	u64 csts = nvme_read(n, 0x1c, 4);

	return csts != ~0ull && (csts & mask) == val;
}

int nvme_wait_csts(struct nvme *n, u32 mask, u32 val)
{
	if (vt_wait(csts_is(n, mask, val)))
		return 0;
	vt_msg("CSTS is %llx", (unsigned long long)nvme_read(n, 0x1c, 4));
	return -ETIMEDOUT;
}

static int ring_alloc(struct nvme *n, struct nvme_ring *r, unsigned int size,
		      unsigned int entry)
{
	/* A ring of the same size is used again: memory is never given back. */
	if (!r->entries || r->size < size)
		r->entries = mem_alloc(n->m, align_up(size * entry, PAGE),
				       PAGE, &r->gpa);
	if (!r->entries)
		return -ENOMEM;
	memset(r->entries, 0, size * entry);
	r->size = size;
	r->head = 0;
	r->tail = 0;
	r->phase = 1;
	return 0;
}

static int queue_irq(struct nvme *n, unsigned int id, unsigned int vector)
{
	if (n->q[id].irq < 0)
		n->q[id].irq = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return n->q[id].irq < 0 ? -errno :
	       n->door->set_irq(n, vector, n->q[id].irq);
}

static int set_dbbuf(struct nvme *n)
{
	struct nvme_sqe cmd = { .opcode = 0x7c };

	/* What is in the pages before must not matter. */
	memset(n->dbs, 0x5a, PAGE);
	memset(n->eis, 0x5a, PAGE);
	cmd.prp1 = n->dbs_gpa;
	cmd.prp2 = n->eis_gpa;
	return nvme_admin(n, &cmd, NULL);
}

int nvme_enable(struct nvme *n, unsigned int depth)
{
	struct nvme_queue *q = &n->q[0];
	int ret;

	ret = ring_alloc(n, &q->sq, depth, sizeof(struct nvme_sqe));
	if (!ret)
		ret = ring_alloc(n, &q->cq, depth, sizeof(struct nvme_cqe));
	if (!ret)
		ret = queue_irq(n, 0, 0);
	if (ret)
		return ret;
	ret = nvme_write(n, 0x24, 4, (depth - 1) << 16 | (depth - 1));
	if (!ret)
		ret = nvme_write(n, 0x28, 8, q->sq.gpa);
	if (!ret)
		ret = nvme_write(n, 0x30, 8, q->cq.gpa);
	if (!ret)
		ret = nvme_write(n, 0x14, 4, 4 << 20 | 6 << 16 | 1);
	if (ret)
		return ret;
	ret = nvme_wait_csts(n, 1, 1);
	if (!ret && n->mode == NVME_DB_SHADOW)
		ret = set_dbbuf(n);
	return ret;
}

int nvme_disable(struct nvme *n)
{
	nvme_write(n, 0x14, 4, 0);
	return nvme_wait_csts(n, 1, 0);
}

static bool wants_event(u16 event, u16 new, u16 old)
{
	return (u16)(new - event - 1) < (u16)(new - old);
}

/* As the Linux driver does: the admin queue has no shadow doorbell. */
static bool shadow_says_quiet(struct nvme *n, unsigned int i, u32 val)
{
	u16 old;

	if (n->mode != NVME_DB_SHADOW || i < 2)
		return false;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	old = n->dbs[i];
	__atomic_store_n(&n->dbs[i], val, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !wants_event(__atomic_load_n(&n->eis[i], __ATOMIC_RELAXED), val,
			    old);
}

static void doorbell(struct nvme *n, unsigned int i, u32 val)
{
	if (shadow_says_quiet(n, i, val))
		return;
	n->q[i / 2].rings++;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (n->page)
		n->page[i] = val;
	else
		n->err = nvme_write(n, 0x1000 + 4 * i, 4, val);
}

bool nvme_may_submit(const struct nvme *n, unsigned int id)
{
	const struct nvme_ring *sq = &n->q[id].sq;

	return (sq->tail + 1) % sq->size != sq->head;
}

void nvme_submit(struct nvme *n, unsigned int id, const struct nvme_sqe *cmd)
{
	struct nvme_ring *sq = &n->q[id].sq;
	struct nvme_sqe *to = (struct nvme_sqe *)sq->entries + sq->tail;

	*to = *cmd;
	sq->tail = (sq->tail + 1) % sq->size;
}

void nvme_ring(struct nvme *n, unsigned int id)
{
	doorbell(n, 2 * id, n->q[id].sq.tail);
}

bool nvme_take(struct nvme *n, unsigned int cqid, struct nvme_cqe *cqe)
{
	struct nvme_ring *cq = &n->q[cqid].cq;
	struct nvme_cqe *at = (struct nvme_cqe *)cq->entries + cq->head;
	u16 status = __atomic_load_n(&at->status, __ATOMIC_ACQUIRE);

	if ((status & 1) != cq->phase)
		return false;
	*cqe = *at;
	cq->head = (cq->head + 1) % cq->size;
	if (!cq->head)
		cq->phase ^= 1;
	n->q[cqe->sqid].sq.head = cqe->sqhd;
	return true;
}

void nvme_ring_cq(struct nvme *n, unsigned int cqid)
{
	doorbell(n, 2 * cqid + 1, n->q[cqid].cq.head);
}

bool nvme_reap(struct nvme *n, unsigned int cqid, struct nvme_cqe *cqe)
{
	bool any = nvme_take(n, cqid, cqe);

	if (any)
		nvme_ring_cq(n, cqid);
	return any;
}

int nvme_wait(struct nvme *n, unsigned int cqid, struct nvme_cqe *cqe)
{
	u64 end = now_ns() + VT_PATIENCE * 1000000000ull;
	struct pollfd p = { .fd = n->q[cqid].irq, .events = POLLIN };
	u64 count;

	while (!nvme_reap(n, cqid, cqe)) {
		if (n->err)
			return n->err;
		if (now_ns() > end)
			return -ETIMEDOUT;
		if (poll(&p, 1, 1000) == 1 &&
		    read(p.fd, &count, sizeof(count)) != sizeof(count))
			return -EIO;
	}
	return 0;
}

/* Is its poller still looking, and what for? Of all queues. */
static void tell_stats(const struct nvme *n)
{
	struct vhost_target_stats st, later;
	int ctl = ctl_open();
	int ret;

	ret = ctl_stats(ctl, n->target, VHOST_TARGET_QUEUE_ALL, &st);
	sleep_ms(100);
	if (!ret)
		ret = ctl_stats(ctl, n->target, VHOST_TARGET_QUEUE_ALL, &later);
	close(ctl);
	if (ret) {
		vt_msg("no counters: %s", strerror(-ret));
		return;
	}
	vt_msg("in flight %llu, mem_faults %llu, parked %llu, sleeps %llu",
	       (unsigned long long)later.inflight,
	       (unsigned long long)later.mem_faults,
	       (unsigned long long)later.parked,
	       (unsigned long long)later.sleeps);
	vt_msg("polls %llu; in 100 ms +%llu, of which %llu empty, and %llu sleeps",
	       (unsigned long long)later.polls,
	       (unsigned long long)(later.polls - st.polls),
	       (unsigned long long)(later.empty_polls - st.empty_polls),
	       (unsigned long long)(later.sleeps - st.sleeps));
}

/* What can be seen from here of a command that does not end. */
static void tell_state(struct nvme *n, unsigned int id)
{
	const struct nvme_queue *q = &n->q[id];
	const struct nvme_ring *cq = &n->q[q->cqid].cq;
	const struct nvme_cqe *cqe = (struct nvme_cqe *)cq->entries + cq->head;

	vt_msg("CSTS %llx, tail %u, doorbell %d, CQ head %u, entry there %04x, phase %u",
	       (unsigned long long)nvme_read(n, 0x1c, 4), q->sq.tail,
	       n->page ? (int)n->page[2 * id] : -1, cq->head, cqe->status,
	       cq->phase);
	if (n->mode == NVME_DB_SHADOW)
		vt_msg("shadow doorbells %u %u, event indexes %u %u",
		       n->dbs[2 * id], n->dbs[2 * q->cqid + 1], n->eis[2 * id],
		       n->eis[2 * q->cqid + 1]);
	tell_stats(n);
}

int nvme_do(struct nvme *n, unsigned int id, struct nvme_sqe *cmd, u32 *dw0)
{
	struct nvme_cqe cqe;
	int ret;

	cmd->cid = n->next_cid++;
	nvme_submit(n, id, cmd);
	nvme_ring(n, id);
	ret = nvme_wait(n, n->q[id].cqid, &cqe);
	if (ret) {
		vt_msg("queue %u: opcode %02x never ended", id, cmd->opcode);
		tell_state(n, id);
		return ret;
	}
	if (cqe.cid != cmd->cid || cqe.sqid != id) {
		vt_msg("completion of %x, %u, not %x, %u", cqe.cid, cqe.sqid,
		       cmd->cid, id);
		return -EPROTO;
	}
	if (dw0)
		*dw0 = cqe.dw0;
	return cqe.status >> 1;
}

int nvme_admin(struct nvme *n, struct nvme_sqe *cmd, u32 *dw0)
{
	if (!cmd->prp1) {
		cmd->prp1 = n->buf_gpa;
		cmd->prp2 = n->buf_gpa + PAGE;
	}
	return nvme_do(n, 0, cmd, dw0);
}

int nvme_identify(struct nvme *n, u8 cns, u32 nsid)
{
	struct nvme_sqe cmd = { .opcode = 6, .nsid = nsid, .cdw10 = cns };

	memset(n->buf, 0xee, PAGE);
	return nvme_admin(n, &cmd, NULL);
}

int nvme_set_feature(struct nvme *n, u8 fid, u32 dw11, u32 *dw0)
{
	struct nvme_sqe cmd = { .opcode = 9, .cdw10 = fid, .cdw11 = dw11 };

	return nvme_admin(n, &cmd, dw0);
}

int nvme_get_feature(struct nvme *n, u8 fid, u32 dw11, u32 *dw0)
{
	struct nvme_sqe cmd = { .opcode = 10, .cdw10 = fid, .cdw11 = dw11 };

	return nvme_admin(n, &cmd, dw0);
}

int nvme_get_log(struct nvme *n, u8 lid, u32 len)
{
	struct nvme_sqe cmd = {
		.opcode = 2, .nsid = ~0u, .cdw10 = lid | (len / 4 - 1) << 16,
	};

	memset(n->buf, 0xee, PAGE);
	return nvme_admin(n, &cmd, NULL);
}

int nvme_create_cq(struct nvme *n, unsigned int id, unsigned int size,
		   unsigned int vector)
{
	bool irq = vector != NVME_NO_IRQ;
	struct nvme_sqe cmd = {
		.opcode = 5, .cdw10 = (size - 1) << 16 | id,
		.cdw11 = irq ? vector << 16 | 3 : 1,
	};
	int ret;

	ret = ring_alloc(n, &n->q[id].cq, size, sizeof(struct nvme_cqe));
	if (!ret && irq)
		ret = queue_irq(n, id, vector);
	if (ret)
		return ret;
	cmd.prp1 = n->q[id].cq.gpa;
	return nvme_admin(n, &cmd, NULL);
}

int nvme_create_sq(struct nvme *n, unsigned int id, unsigned int size,
		   unsigned int cqid)
{
	struct nvme_sqe cmd = {
		.opcode = 1, .cdw10 = (size - 1) << 16 | id,
		.cdw11 = cqid << 16 | 1,
	};
	int ret;

	ret = ring_alloc(n, &n->q[id].sq, size, sizeof(struct nvme_sqe));
	if (ret)
		return ret;
	n->q[id].cqid = cqid;
	cmd.prp1 = n->q[id].sq.gpa;
	return nvme_admin(n, &cmd, NULL);
}

int nvme_create_queue(struct nvme *n, unsigned int id, unsigned int size)
{
	int ret = nvme_create_cq(n, id, size, id);

	return ret ? ret : nvme_create_sq(n, id, size, id);
}

static int delete_queue(struct nvme *n, u8 opcode, unsigned int id)
{
	struct nvme_sqe cmd = { .opcode = opcode, .cdw10 = id };

	return nvme_admin(n, &cmd, NULL);
}

int nvme_delete_cq(struct nvme *n, unsigned int id)
{
	return delete_queue(n, 4, id);
}

int nvme_delete_sq(struct nvme *n, unsigned int id)
{
	return delete_queue(n, 0, id);
}

void nvme_set_prp(struct nvme_sqe *cmd, u64 gpa, u32 len, u64 *list,
		  u64 list_gpa)
{
	u32 first = PAGE - gpa % PAGE, i;

	cmd->prp1 = gpa;
	cmd->prp2 = 0;
	if (len <= first)
		return;
	gpa += first;
	len -= first;
	if (len <= PAGE) {
		cmd->prp2 = gpa;
		return;
	}
	for (i = 0; (u64)i * PAGE < len; i++)
		list[i] = gpa + i * PAGE;
	cmd->prp2 = list_gpa;
}

/* In pieces of uneven lengths, over two segments, when there is a list. */
void nvme_set_sgl(struct nvme_sqe *cmd, u64 gpa, u32 len,
		  struct nvme_sgl *list, u64 list_gpa)
{
	struct nvme_sgl one = { .addr = gpa, .len = len };

	cmd->flags |= 1 << 6;
	if (list && len >= 2048) {
		list[0] = (struct nvme_sgl) { .addr = gpa, .len = 512 };
		list[1] = (struct nvme_sgl) {
			.addr = list_gpa + 32, .len = 32, .type = 0x30,
		};
		list[2] = (struct nvme_sgl) { .addr = gpa + 512, .len = 1024 };
		list[3] = (struct nvme_sgl) {
			.addr = gpa + 1536, .len = len - 1536,
		};
		one = (struct nvme_sgl) {
			.addr = list_gpa, .len = 32, .type = 0x20,
		};
	}
	memcpy(&cmd->prp1, &one, sizeof(one));
}

void nvme_set_rw(struct nvme_sqe *cmd, u8 opcode, u32 nsid, u64 lba, u32 nlb)
{
	cmd->opcode = opcode;
	cmd->nsid = nsid;
	cmd->cdw10 = lba;
	cmd->cdw11 = lba >> 32;
	cmd->cdw12 = nlb - 1;
}
