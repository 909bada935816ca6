// SPDX-License-Identifier: GPL-2.0
/*
 * The admin queues at work. A poller looks at their doorbells; the commands,
 * which may sleep, are done by a work item, one after the other.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include <vhost_target/cov.h>

#include "ctrl.h"

/* Commands done before others may have n->s.lock. */
#define ADMIN_BUDGET	64

static struct vt_nvme *aq_nvme(struct nv_adminq *aq)
{
	return container_of(aq, struct vt_nvme, admin);
}

/*
 * A doorbell's value that was acted upon, or will be by the work item. The
 * work item says so, too: in a small queue the driver may soon be back at a
 * value that only the poller has seen, and mean another command.
 */
static u32 admin_see(struct nv_adminq *aq, unsigned int i,
		     const struct nv_ring *r)
{
	u32 val = nv_db_read(&r->db);

	WRITE_ONCE(aq->seen[i], val);
	return val;
}

/* In the poller. */

static bool admin_is_new(const struct nv_adminq *aq, unsigned int i,
			 const struct nv_ring *r)
{
	u32 val = nv_db_read(&r->db);

	/* Pairs with nv_cq_push(): what was answered before it was written. */
	smp_rmb();
	return val != READ_ONCE(aq->seen[i]);
}

static bool admin_news(const struct nv_adminq *aq)
{
	return admin_is_new(aq, 0, &aq->sq) || admin_is_new(aq, 1, &aq->cq);
}

static unsigned int admin_poll(struct vt_pq *pq, u64 now, u64 patience)
{
	struct nv_adminq *aq = container_of(pq, struct nv_adminq, pq);

	if (!admin_news(aq))
		return 0;
	admin_see(aq, 0, &aq->sq);
	admin_see(aq, 1, &aq->cq);
	nv_rouse(aq_nvme(aq), &aq->awake);
	queue_work(nv_wq, &aq->work);
	return 1;
}

static bool admin_arm(struct vt_pq *pq)
{
	struct nv_adminq *aq = container_of(pq, struct nv_adminq, pq);

	return nv_doze(aq_nvme(aq), &aq->awake);
}

static bool admin_pending(struct vt_pq *pq)
{
	struct nv_adminq *aq = container_of(pq, struct nv_adminq, pq);

	return nv_db_mapped(aq_nvme(aq)) || admin_news(aq);
}

static const struct vt_pq_ops admin_pq_ops = {
	.poll		= admin_poll,
	.arm		= admin_arm,
	.pending	= admin_pending,
};

/* In the work item, n->s.lock held. */

static u32 admin_room(struct vt_nvme *n)
{
	u32 val = admin_see(&n->admin, 1, &n->admin.cq), room;
	bool bad = false;

	room = nv_cq_see(&n->admin.cq, val, &bad);
	if (bad)
		nv_db_bad(n, NV_ERROR_BAD_DOORBELL);
	return room;
}

static u32 admin_waiting(struct vt_nvme *n)
{
	u32 val = admin_see(&n->admin, 0, &n->admin.sq), nr;
	bool bad = false;

	nr = nv_sq_see(&n->admin.sq, val, &bad);
	if (bad)
		nv_db_bad(n, NV_ERROR_BAD_DOORBELL);
	return nr;
}

static void admin_push(struct vt_nvme *n, u16 cid, u16 status, u32 dw0)
{
	struct nv_cqe e = {
		.dw0 = cpu_to_le32(dw0),
		.sqhd = cpu_to_le16(n->admin.sq.head),
		.cid = cid,
		.status = cpu_to_le16(status),
	};

	nv_cq_push(&n->admin.cq, &e);
}

bool nv_may_complete(struct nv_core *c)
{
	/* One is for the command at work. */
	return admin_room(to_nvme(c)) >= 2;
}

void nv_complete_held(struct nv_core *c, u16 cid, u16 status, u32 dw0)
{
	admin_push(to_nvme(c), cid, status, dw0);
}

static bool admin_one(struct vt_nvme *n)
{
	struct nv_adminq *aq = &n->admin;
	u16 status;

	if (!admin_waiting(n) || !admin_room(n))
		return false;
	nv_sq_peek(&aq->sq, aq->sq.head, &aq->a.cmd);
	nv_sq_take(&aq->sq);
	status = nv_admin_do(&aq->a);
	if (status != NV_HELD)
		admin_push(n, aq->a.cmd.cid, status, aq->a.dw0);
	return true;
}

static bool admin_event(struct vt_nvme *n)
{
	u32 event;
	bool any;
	u16 cid;

	if (!admin_room(n))
		return false;
	nv_lock(&n->core);
	any = nv_aer_take(&n->core, &cid, &event);
	nv_unlock(&n->core);
	if (any)
		admin_push(n, cid, NV_SC_SUCCESS, event);
	return any;
}

static void admin_raise(struct vt_nvme *n)
{
	if (READ_ONCE(n->core.msix) || !(READ_ONCE(n->core.regs.intms) & 1))
		n->door->raise(n->priv, 0);
}

static bool admin_step(struct vt_nvme *n)
{
	return admin_one(n) || admin_event(n);
}

static void admin_run(struct vt_nvme *n)
{
	struct nv_adminq *aq = &n->admin;
	unsigned int done = 0;
	u32 told = aq->cq.tail;

	do {
		while (done < ADMIN_BUDGET && admin_step(n))
			done++;
		/* Also of what the last look has found. */
		if (aq->cq.tail != told) {
			told = aq->cq.tail;
			admin_raise(n);
		}
		/* For drivers that have a shadow doorbell for this queue. */
		nv_db_arm(&aq->sq.db, aq->sq.tail);
		nv_db_arm(&aq->cq.db, aq->cq.head);
		/* Pairs with the driver's, before it looks at the index. */
		smp_mb();
	} while (done < ADMIN_BUDGET && admin_step(n) && ++done);
	if (done == ADMIN_BUDGET)
		queue_work(nv_wq, &aq->work);
}

static void admin_work(struct work_struct *work)
{
	struct nv_adminq *aq = container_of(work, struct nv_adminq, work);
	struct vt_nvme *n = aq_nvme(aq);
	u64 cov = vt_cov_begin(&n->s);

	mutex_lock(&n->s.lock);
	if (aq->running)
		admin_run(n);
	mutex_unlock(&n->s.lock);
	vt_cov_end(cov);
}

/* Copies of guest memory for commands that may wait for it. */

static int mem_copy_piece(struct vt_gmem *gm, u64 addr, void *buf, u32 len,
			  bool write)
{
	unsigned int off;
	struct page *page;
	int n;

	/* No queue's epoch protects us here: the lock keeps the pages. */
	spin_lock(&gm->lock);
	n = vt_gmem_lookup(gm, addr, len, write, &page, &off);
	if (n > 0 && write)
		memcpy(page_address(page) + off, buf, n);
	else if (n > 0)
		memcpy(buf, page_address(page) + off, n);
	spin_unlock(&gm->lock);
	return n;
}

#define MEM_RETRY_MS	10

int nv_mem_copy(struct nv_core *c, u64 addr, void *buf, u32 len, bool write)
{
	struct vt_gmem *gm = to_nvme(c)->s.gmem;
	int n;

	for (; len; len -= n, addr += n, buf += n) {
		n = mem_copy_piece(gm, addr, buf, len, write);
		if (n > 0)
			continue;
		if (n == -EAGAIN)
			n = vt_gmem_fill(gm, addr);
		if (n == -ENOMEM) {
			msleep(MEM_RETRY_MS);
			n = 0;
		}
		if (n < 0)
			return -EFAULT;
	}
	return 0;
}

/* Control; n->s.lock held. */

static int admin_map(struct vt_nvme *n, u64 addr, u32 len, bool write,
		     struct vt_map *map)
{
	return vt_gmem_map(n->s.gmem, addr, len, write, map);
}

static void admin_ring_setup(struct vt_nvme *n, struct nv_ring *r, u32 size,
			     const struct vt_map *map, bool is_cq)
{
	nv_ring_reset(r);
	r->entries = map->addr;
	r->size = size;
	r->id = 0;
	nv_db_init(n, &r->db, 0, is_cq);
}

int nv_admin_start(struct vt_nvme *n)
{
	const struct nv_regs *r = &n->core.regs;
	struct nv_adminq *aq = &n->admin;
	u32 nr_sq = NV_AQA_ASQS(r->aqa) + 1, nr_cq = NV_AQA_ACQS(r->aqa) + 1;
	int err;

	lockdep_assert_held(&n->s.lock);
	if (WARN_ON_ONCE(aq->running))
		return -EBUSY;
	err = admin_map(n, r->asq, nr_sq << NV_SQE_SHIFT, false, &aq->sq_map);
	if (err)
		return err;
	err = admin_map(n, r->acq, nr_cq << NV_CQE_SHIFT, true, &aq->cq_map);
	if (err) {
		vt_map_undo(&aq->sq_map);
		return err;
	}
	memset(n->db, 0, PAGE_SIZE);
	admin_ring_setup(n, &aq->sq, nr_sq, &aq->sq_map, false);
	admin_ring_setup(n, &aq->cq, nr_cq, &aq->cq_map, true);
	memset(aq->seen, 0, sizeof(aq->seen));
	vt_pq_place(&aq->pq, &n->s.target->pollers);
	WRITE_ONCE(aq->running, true);
	return 0;
}

void nv_admin_stop(struct vt_nvme *n)
{
	struct nv_adminq *aq = &n->admin;

	lockdep_assert_held(&n->s.lock);
	if (!aq->running)
		return;
	WRITE_ONCE(aq->running, false);
	vt_pq_unplace(&aq->pq);
	nv_unrouse(n, &aq->awake);
	vt_map_undo(&aq->sq_map);
	vt_map_undo(&aq->cq_map);
}

void nv_admin_set_dbs(struct vt_nvme *n)
{
	struct nv_adminq *aq = &n->admin;

	nv_db_init(n, &aq->sq.db, 0, false);
	nv_db_init(n, &aq->cq.db, 0, true);
}

bool nv_admin_level(struct vt_nvme *n)
{
	const struct nv_ring *cq = &n->admin.cq;

	return n->admin.running && nv_db_read(&cq->db) != cq->tail;
}

void nv_admin_init(struct vt_nvme *n)
{
	struct nv_adminq *aq = &n->admin;

	aq->a.c = &n->core;
	aq->a.buf = aq->buf;
	INIT_WORK(&aq->work, admin_work);
	vt_pq_init(&aq->pq, &admin_pq_ops, &aq->rearms, &aq->sleeps);
}
