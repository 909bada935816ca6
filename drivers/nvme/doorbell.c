// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells: the page the door may map, shadow doorbells, trapped writes.
 *
 * No queue sleeps while the page is mapped. Queues that use the page stay
 * awake together: as long as one of them has work the others go on being
 * looked at, for taking the mapping away would cost the busy one a fault. With
 * shadow doorbells the driver writes to the page only when it was asked to,
 * and any queue that wants to sleep may take the mapping away.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "ctrl.h"

/* How long a mapping stays, and how often that doubles when it is no use. */
#define DB_STAY_NS		NSEC_PER_MSEC
#define DB_STAY_DOUBLINGS	6

static unsigned int db_index(u16 qid, bool is_cq)
{
	return 2 * qid + is_cq;
}

void nv_db_init(struct vt_nvme *n, struct nv_db *db, u16 qid, bool is_cq)
{
	unsigned int i = db_index(qid, is_cq);

	*db = (struct nv_db) { .reg = n->db + i };
	if (!n->dbbuf)
		return;
	/* Drivers differ in whether the admin queue has a shadow doorbell. */
	if (qid)
		db->shadow = (__le32 *)n->dbs_map.addr + i;
	db->event = (__le32 *)n->eis_map.addr + i;
}

/*
 * A mapping that was just made is not used yet: the VMM is on its way back to
 * the guest. The less use the last ones were, the longer it stays.
 */
static bool db_is_fresh(const struct vt_nvme *n)
{
	return ktime_get_ns() - READ_ONCE(n->mapped_at) <
	       DB_STAY_NS << n->unused;
}

static bool db_zap_locked(struct vt_nvme *n)
{
	int map = atomic_read(&n->mapped);

	lockdep_assert_held(&n->zap_lock);
	if (!map)
		return true;
	if (db_is_fresh(n) || !n->door->zap(n->priv))
		return false;
	if (READ_ONCE(n->used))
		n->unused = 0;
	else if (n->unused < DB_STAY_DOUBLINGS)
		n->unused++;
	WRITE_ONCE(n->used, false);
	/*
	 * Not before the zap: other queues must not fall asleep while it goes
	 * on. A mapping made since then has set another value, or will.
	 */
	return atomic_cmpxchg(&n->mapped, map, 0) == map;
}

static bool db_zap(struct vt_nvme *n)
{
	bool ok;

	if (!mutex_trylock(&n->zap_lock))
		return false;
	ok = db_zap_locked(n);
	mutex_unlock(&n->zap_lock);
	return ok;
}

/* The caller looks at its doorbells once more afterwards. */
bool nv_doze(struct vt_nvme *n, bool *awake)
{
	nv_unrouse(n, awake);
	if (likely(!atomic_read(&n->mapped)))
		return true;
	if (!n->dbbuf && atomic_read(&n->awake))
		return false;
	return db_zap(n);
}

bool vt_nvme_zap(struct mm_struct *mm, struct address_space *mapping,
		 loff_t start)
{
	/* The lock as such: no mapping changes that others would have to see. */
	if (!down_write_trylock(&mm->mmap_lock))
		return false;
	unmap_mapping_range(mapping, start, PAGE_SIZE, 1);
	up_write(&mm->mmap_lock);
	return true;
}
EXPORT_SYMBOL_GPL(vt_nvme_zap);

struct page *vt_nvme_doorbell_page(struct vt_nvme *n)
{
	return n->db_page;
}
EXPORT_SYMBOL_GPL(vt_nvme_doorbell_page);

void vt_nvme_doorbells_mapped(struct vt_nvme *n)
{
	unsigned int i, map;

	WRITE_ONCE(n->mapped_at, ktime_get_ns());
	/*
	 * vt_pq_wake() has a barrier: a queue that sleeps sees it. Never 0, and
	 * another value each time: db_zap_locked() tells them apart.
	 */
	map = atomic_inc_return(&n->maps);
	atomic_set(&n->mapped, map << 1 | 1);
	vt_pq_wake(&n->admin.pq);
	for (i = 0; i < n->core.nr_queues; i++)
		vt_pq_wake(&n->cq[i].q.pq);
}
EXPORT_SYMBOL_GPL(vt_nvme_doorbells_mapped);

/* The driver has written nonsense to a doorbell. */
void nv_db_bad(struct vt_nvme *n, u32 info)
{
	atomic64_inc(&n->bad_writes);
	nv_error_add(&n->core, 0, 0, 0, 0, 0);
	nv_aer_post(&n->core, NV_AER(NV_AER_ERROR, info, NV_LOG_ERROR));
	queue_work(nv_wq, &n->admin.work);
}

/* Who looks at this doorbell. NULL: there is no such queue. */
static struct vt_pq *db_owner(struct vt_nvme *n, u32 index, struct nv_cq **cq)
{
	u32 qid = index / 2;

	*cq = NULL;
	if (!qid)
		return READ_ONCE(n->admin.running) ? &n->admin.pq : NULL;
	if (qid > n->core.nr_queues)
		return NULL;
	if (!(index & 1))
		*cq = READ_ONCE(n->sq[qid - 1].cq);
	else if (READ_ONCE(n->cq[qid - 1].q.running))
		*cq = &n->cq[qid - 1];
	return *cq ? &(*cq)->q.pq : NULL;
}

void nv_db_write(struct vt_nvme *n, u32 index, u32 val)
{
	struct nv_cq *cq;
	struct vt_pq *pq = db_owner(n, index, &cq);

	if (!pq) {
		nv_db_bad(n, NV_ERROR_BAD_DOORBELL_REG);
		return;
	}
	WRITE_ONCE(n->db[index], cpu_to_le32(val));
	if (cq)
		vt_stat_inc(cq->q.st->kicks);
	vt_pq_wake(pq);
}

/* Both pages are known: every queue gets to know where its doorbells are. */
int nv_dbbuf_start(struct nv_core *c, u64 dbs, u64 eis)
{
	struct vt_nvme *n = to_nvme(c);
	struct vt_map dbs_map, eis_map;
	int err;

	err = vt_gmem_map(n->s.gmem, dbs, NV_PAGE_SIZE, true, &dbs_map);
	if (err)
		return err;
	err = vt_gmem_map(n->s.gmem, eis, NV_PAGE_SIZE, true, &eis_map);
	if (err) {
		vt_map_undo(&dbs_map);
		return err;
	}
	swap(n->dbs_map, dbs_map);
	swap(n->eis_map, eis_map);
	n->dbbuf = true;
	nv_admin_set_dbs(n);
	nv_io_set_dbs(n);
	vt_map_undo(&dbs_map);
	vt_map_undo(&eis_map);
	return 0;
}

/* No queue is served. */
void nv_dbbuf_stop(struct vt_nvme *n)
{
	n->dbbuf = false;
	vt_map_undo(&n->dbs_map);
	vt_map_undo(&n->eis_map);
}
