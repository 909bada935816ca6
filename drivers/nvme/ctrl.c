// SPDX-License-Identifier: GPL-2.0
/* Controllers: see <vhost_target/nvme.h> for their doors' side. */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "ctrl.h"

static struct vt_nvme *session_nvme(struct vt_session *s)
{
	return container_of(s, struct vt_nvme, s);
}

/* What the parts that need no kernel ask for. */

void nv_lock(struct nv_core *c)
	__acquires(&to_nvme(c)->lock)
{
	spin_lock(&to_nvme(c)->lock);
}

void nv_unlock(struct nv_core *c)
	__releases(&to_nvme(c)->lock)
{
	spin_unlock(&to_nvme(c)->lock);
}

void nv_ns_lock(struct nv_core *c)
{
	mutex_lock(&c->target->lock);
}

void nv_ns_unlock(struct nv_core *c)
{
	mutex_unlock(&c->target->lock);
}

struct vt_unit *nv_ns_find(struct nv_core *c, u32 nsid)
{
	lockdep_assert_held(&c->target->lock);
	if (!nsid || nsid > NV_MAX_NS)
		return NULL;
	return vt_target_unit(c->target, nsid - 1);
}

u32 nv_ns_next(struct nv_core *c, u32 nsid)
{
	unsigned long nr = nsid;

	lockdep_assert_held(&c->target->lock);
	if (!xa_find(&c->target->units, &nr, NV_MAX_NS - 1, XA_PRESENT))
		return 0;
	return nr + 1;
}

struct nv_ns *nv_ns_at(struct nv_core *c, u32 nsid)
{
	lockdep_assert_held(&c->target->lock);
	return nsid && nsid <= NV_MAX_NS ? c->ns[nsid - 1] : NULL;
}

u16 nv_ctrl_from(struct nv_core *c, u16 id)
{
	struct vt_session *s;
	u16 best = 0, at;

	lockdep_assert_held(&c->target->lock);
	list_for_each_entry(s, &c->target->sessions, node) {
		at = session_nvme(s)->core.cntlid;
		if (at >= id && (!best || at < best))
			best = at;
	}
	return best;
}

u64 nv_now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

/* Values that the queues use are read by them where they are. */
void nv_feature_changed(struct nv_core *c, u8 fid)
{
}

static void smart_add(struct nv_smart *s, const struct vt_qstats *st)
{
	s->bytes_read += READ_ONCE(st->bytes[VHOST_TARGET_OP_READ]);
	s->bytes_written += READ_ONCE(st->bytes[VHOST_TARGET_OP_WRITE]);
	s->reads += READ_ONCE(st->ops[VHOST_TARGET_OP_READ]);
	s->writes += READ_ONCE(st->ops[VHOST_TARGET_OP_WRITE]);
}

/* Of the target's life, so that they do not go back; but for the last two. */
void nv_smart_read(struct nv_core *c, struct nv_smart *s)
{
	struct vt_nvme *n = to_nvme(c);
	unsigned int i;

	lockdep_assert_held(&c->target->lock);
	for (i = 0; i < c->target->num_queues; i++)
		smart_add(s, &c->target->stats[i]);
	for (i = 0; i < n->s.nr_queues; i++) {
		smart_add(s, &n->s.stats[i]);
		s->media_errors += READ_ONCE(n->cq[i].media_errors);
		s->busy_ns = max(s->busy_ns, READ_ONCE(n->cq[i].busy_ns));
	}
	s->now = ktime_get_ns();
}

void nv_fail(struct vt_nvme *n)
{
	nv_lock(&n->core);
	nv_regs_failed(&n->core.regs);
	nv_unlock(&n->core);
	if (n->door->failed)
		n->door->failed(n->priv);
}

/* Actions of registers; n->s.lock held. */

static void nvme_stop(struct vt_nvme *n)
{
	nv_admin_stop(n);
	nv_io_stop(n);
	nv_dbbuf_stop(n);
	nv_core_reset(&n->core);
	nv_set_host(&n->core);
}

static void nvme_enable(struct vt_nvme *n)
{
	int err = 0;

	if (READ_ONCE(n->core.regs.cc) & NV_CC_EN)
		err = nv_admin_start(n);
	else
		err = -ECANCELED;
	nv_lock(&n->core);
	/* Disabled meanwhile: ready only once it is enabled after that, if it is. */
	if (err != -ECANCELED && !(n->acts & NV_ACT_DISABLE))
		nv_regs_enabled(&n->core.regs, !err);
	nv_unlock(&n->core);
	if (!err)
		n->core.enables++;
	else if (err != -ECANCELED)
		nv_fail(n);
}

static void nvme_disable(struct vt_nvme *n)
{
	u32 csts = READ_ONCE(n->core.regs.csts);

	if ((csts & NV_CSTS_RDY) && !(csts & NV_CSTS_SHST_DONE))
		n->core.unclean++;
	nvme_stop(n);
	nv_lock(&n->core);
	nv_regs_disabled(&n->core.regs);
	nv_unlock(&n->core);
}

/* What the driver has been told of is on stable storage afterwards. */
static void nvme_shutdown(struct vt_nvme *n)
{
	nv_io_stop(n);
	nv_flush_all(n);
	nv_lock(&n->core);
	nv_regs_shut_down(&n->core.regs);
	nv_unlock(&n->core);
}

static void nvme_irq(struct vt_nvme *n)
{
	if (!READ_ONCE(n->core.msix) &&
	    !(READ_ONCE(n->core.regs.intms) & 1) &&
	    (nv_admin_level(n) || nv_io_level(n)))
		n->door->raise(n->priv, 0);
}

static unsigned int nvme_take_acts(struct vt_nvme *n)
{
	unsigned int acts;

	nv_lock(&n->core);
	acts = n->acts;
	n->acts = 0;
	nv_unlock(&n->core);
	return acts;
}

static void nvme_act_work(struct work_struct *work)
{
	struct vt_nvme *n = container_of(work, struct vt_nvme, act_work);
	unsigned int acts;

	mutex_lock(&n->s.lock);
	acts = nvme_take_acts(n);
	if (acts & NV_ACT_DISABLE)
		nvme_disable(n);
	if (acts & NV_ACT_ENABLE)
		nvme_enable(n);
	if (acts & NV_ACT_SHUTDOWN)
		nvme_shutdown(n);
	if (acts & NV_ACT_IRQ)
		nvme_irq(n);
	mutex_unlock(&n->s.lock);
}

u64 vt_nvme_read(struct vt_nvme *n, u32 off, unsigned int size)
{
	u64 val;

	if (off >= VT_NVME_DOORBELLS)
		return 0;
	nv_lock(&n->core);
	val = nv_regs_read(&n->core.regs, off, size);
	nv_unlock(&n->core);
	return val;
}
EXPORT_SYMBOL_GPL(vt_nvme_read);

static void nvme_write_reg(struct vt_nvme *n, u32 off, unsigned int size,
			   u64 val)
{
	unsigned int acts;

	nv_lock(&n->core);
	acts = nv_regs_write(&n->core.regs, off, size, val);
	/* What was asked for before it was disabled is not wanted any more. */
	if (acts & NV_ACT_DISABLE)
		n->acts &= ~(NV_ACT_ENABLE | NV_ACT_SHUTDOWN);
	n->acts |= acts & ~NV_ACT_BAD;
	nv_unlock(&n->core);
	if (acts & NV_ACT_BAD)
		atomic64_inc(&n->bad_writes);
	if (acts & ~NV_ACT_BAD)
		queue_work(nv_wq, &n->act_work);
}

void vt_nvme_write(struct vt_nvme *n, u32 off, unsigned int size, u64 val)
{
	if (off < VT_NVME_DOORBELLS)
		nvme_write_reg(n, off, size, val);
	else if (size == 4 && !(off & 3) &&
		 off < VT_NVME_DOORBELLS + PAGE_SIZE)
		nv_db_write(n, (off - VT_NVME_DOORBELLS) / 4, val);
	else
		nv_db_bad(n, NV_ERROR_BAD_DOORBELL_REG);
}
EXPORT_SYMBOL_GPL(vt_nvme_write);

void vt_nvme_reset(struct vt_nvme *n)
{
	mutex_lock(&n->s.lock);
	nvme_disable(n);
	nv_lock(&n->core);
	/* Together: registers may have been written meanwhile. */
	n->acts = 0;
	nv_regs_reset(&n->core.regs);
	WRITE_ONCE(n->core.msix, false);
	nv_unlock(&n->core);
	mutex_unlock(&n->s.lock);
}
EXPORT_SYMBOL_GPL(vt_nvme_reset);

void vt_nvme_set_msix(struct vt_nvme *n, bool on)
{
	WRITE_ONCE(n->core.msix, on);
}
EXPORT_SYMBOL_GPL(vt_nvme_set_msix);

bool vt_nvme_intx(struct vt_nvme *n)
{
	bool level;

	mutex_lock(&n->s.lock);
	level = !READ_ONCE(n->core.msix) &&
		!(READ_ONCE(n->core.regs.intms) & 1) &&
		(nv_admin_level(n) || nv_io_level(n));
	mutex_unlock(&n->s.lock);
	return level;
}
EXPORT_SYMBOL_GPL(vt_nvme_intx);

void vt_nvme_sync_memory(struct vt_nvme *n)
{
	vt_session_sync(&n->s);
}
EXPORT_SYMBOL_GPL(vt_nvme_sync_memory);

unsigned int vt_nvme_queues(const struct vt_nvme *n)
{
	return n->core.nr_queues;
}
EXPORT_SYMBOL_GPL(vt_nvme_queues);

u64 vt_nvme_bad_writes(const struct vt_nvme *n)
{
	return atomic64_read(&n->bad_writes);
}
EXPORT_SYMBOL_GPL(vt_nvme_bad_writes);

/* Life. */

static bool cntlid_taken(struct vt_target *t, u16 id)
{
	struct vt_session *s;

	list_for_each_entry(s, &t->sessions, node)
		if (session_nvme(s)->core.cntlid == id)
			return true;
	return false;
}

/* The lowest that no other controller of the target has. */
static int nvme_attached(struct vt_session *s)
{
	u16 id = 1;

	while (cntlid_taken(s->target, id))
		id++;
	session_nvme(s)->core.cntlid = id;
	session_nvme(s)->core.started = ktime_get_ns();
	return nv_ns_add_all(session_nvme(s));
}

static void nvme_detached(struct vt_session *s)
{
	nv_ns_remove_all(session_nvme(s));
	session_nvme(s)->core.cntlid = 0;
}

static void nvme_unit_event(struct vt_session *s, struct vt_unit *u,
			    enum vt_unit_event event)
{
	struct vt_nvme *n = session_nvme(s);

	if (event == VT_UNIT_ADDED && nv_ns_add(n, u))
		pr_warn("vhost_nvme: %s: no memory to show namespace %u to a running VM\n",
			u->target->name, u->nr + 1);
	if (event == VT_UNIT_REMOVED)
		nv_ns_remove(n, u);
	nv_ns_changed(&n->core, u->nr + 1);
	queue_work(nv_wq, &n->admin.work);
}

static const struct vt_session_ops nvme_session_ops = {
	.attach		= nvme_attached,
	.detach		= nvme_detached,
	.unit_event	= nvme_unit_event,
};

static void nvme_free(struct vt_nvme *n)
{
	if (n->db_page)
		__free_page(n->db_page);
	free_page((unsigned long)n->admin.buf);
	kvfree(n->core.ns);
	kvfree(n->sq);
	/* See vt_queue_io_done(). */
	kvfree_rcu_mightsleep(n->cq);
	kvfree(n);
}

static struct vt_nvme *nvme_alloc(unsigned int nr_queues)
{
	struct vt_nvme *n = kvzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);

	if (!n)
		return NULL;
	n->sq = kvcalloc(nr_queues, sizeof(*n->sq), GFP_KERNEL_ACCOUNT);
	n->cq = kvcalloc(nr_queues, sizeof(*n->cq), GFP_KERNEL_ACCOUNT);
	n->core.ns = kvcalloc(NV_MAX_NS, sizeof(*n->core.ns),
			      GFP_KERNEL_ACCOUNT);
	n->db_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	n->admin.buf = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (n->sq && n->cq && n->core.ns && n->db_page && n->admin.buf)
		return n;
	nvme_free(n);
	return NULL;
}

static void nvme_init_queues(struct vt_nvme *n)
{
	unsigned int i;

	for (i = 0; i < n->s.nr_queues; i++) {
		n->cq[i].n = n;
		INIT_LIST_HEAD(&n->cq[i].sqs);
		vt_queue_init(&n->cq[i].q, &nv_queue_ops, &n->s, i);
		n->s.queue[i] = &n->cq[i].q;
	}
}

struct vt_nvme *vt_nvme_create(struct vt_target *t, struct vt_gmem *gmem,
			       const struct vt_nvme_door_ops *ops, void *priv)
{
	unsigned int nr = min_t(unsigned int, t->num_queues, NV_MAX_QUEUES);
	struct vt_nvme *n = nvme_alloc(nr);

	if (!n)
		return ERR_PTR(-ENOMEM);
	if (vt_session_init(&n->s, t, &nvme_session_ops, nr)) {
		nvme_free(n);
		return ERR_PTR(-ENOMEM);
	}
	n->s.gmem = gmem;
	n->door = ops;
	n->priv = priv;
	n->db = page_address(n->db_page);
	spin_lock_init(&n->lock);
	INIT_LIST_HEAD(&n->seen);
	mutex_init(&n->zap_lock);
	INIT_WORK(&n->act_work, nvme_act_work);
	nv_admin_init(n);
	nvme_init_queues(n);
	nv_core_init(&n->core, t);
	return n;
}
EXPORT_SYMBOL_GPL(vt_nvme_create);

int vt_nvme_attach(struct vt_nvme *n, const struct cred *opener)
{
	n->s.opener = opener;
	return vt_session_attach(&n->s);
}
EXPORT_SYMBOL_GPL(vt_nvme_attach);

void vt_nvme_detach(struct vt_nvme *n)
{
	vt_nvme_reset(n);
	vt_session_detach(&n->s);
	/* Nobody is left who queues them; they find nothing to do. */
	cancel_work_sync(&n->act_work);
	cancel_work_sync(&n->admin.work);
}
EXPORT_SYMBOL_GPL(vt_nvme_detach);

void vt_nvme_destroy(struct vt_nvme *n)
{
	vt_nvme_detach(n);
	vt_session_exit(&n->s);
	nvme_free(n);
}
EXPORT_SYMBOL_GPL(vt_nvme_destroy);
