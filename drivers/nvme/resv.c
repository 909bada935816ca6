// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces of controllers and their reservations: NVMe Base 2.0, 7.2 to 7.5
 * and 8.19. What they mean is the business of <vhost_target/resv.h>.
 *
 * A host that has not said who it is (feature 81h) counts as a host of its
 * own, by the target's name and the controller's identifier.
 */
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "ctrl.h"

/**
 * struct nv_unit - what a unit of an nvme target has besides
 * @seen: struct nv_ns of the controllers that see it; target->lock
 */
struct nv_unit {
	struct list_head seen;
};

static void resv_event(struct vt_resv_nexus *nexus, unsigned int events)
{
	struct nv_ns *ns = container_of(nexus, struct nv_ns, resv);
	struct vt_nvme *n = ns->owner;

	nv_resv_noted(&n->core, ns, events);
	queue_work(nv_wq, &n->admin.work);
}

static void resv_drain(struct vt_resv_nexus *nexus)
{
	struct nv_ns *ns = container_of(nexus, struct nv_ns, resv);
	struct vt_nvme *n = ns->owner;

	vt_session_drain_io(&n->s, ns->unit->be);
}

static const struct vt_resv_nexus_ops resv_ops = {
	.event	= resv_event,
	.drain	= resv_drain,
};

static void resv_host_id(const struct vt_nvme *n, struct vt_resv_id *id)
{
	const struct nv_features *f = &n->core.feat;
	u64 hash;

	*id = (struct vt_resv_id) { .proto = VT_RESV_NVME, .len = 16 };
	if (memchr_inv(f->hostid, 0, sizeof(f->hostid))) {
		memcpy(id->bytes, f->hostid, sizeof(f->hostid));
		return;
	}
	hash = nv_hash(n->s.target->name, strlen(n->s.target->name));
	put_unaligned_be64(hash, id->bytes);
	put_unaligned_be64(n->core.cntlid, id->bytes + 8);
}

int nv_unit_init(struct vt_unit *u)
{
	struct nv_unit *nu = kzalloc(sizeof(*nu), GFP_KERNEL_ACCOUNT);

	if (!nu)
		return -ENOMEM;
	INIT_LIST_HEAD(&nu->seen);
	u->priv = nu;
	return 0;
}

static void ns_free(struct nv_ns *ns)
{
	vt_resv_unbind(&ns->resv);
	list_del(&ns->node);
	list_del(&ns->own_node);
	kfree(ns);
}

/* Controllers that are still there: none of their commands uses it. */
void nv_unit_exit(struct vt_unit *u)
{
	struct nv_unit *nu = u->priv;
	struct nv_ns *ns, *tmp;

	list_for_each_entry_safe(ns, tmp, &nu->seen, node)
		ns_free(ns);
	kfree(nu);
}

int nv_ns_add(struct vt_nvme *n, struct vt_unit *u)
{
	struct nv_ns *ns = kzalloc(sizeof(*ns), GFP_KERNEL_ACCOUNT);
	struct nv_unit *nu = u->priv;
	struct vt_resv_id id;

	lockdep_assert_held(&u->target->lock);
	if (!ns)
		return -ENOMEM;
	ns->unit = u;
	ns->owner = n;
	ns->resv.ops = &resv_ops;
	ns->resv.controller = n->core.cntlid;
	resv_host_id(n, &id);
	vt_resv_bind(&u->be->resv, &ns->resv, &id);
	list_add_tail(&ns->node, &nu->seen);
	list_add_tail(&ns->own_node, &n->seen);
	/* Whoever finds it finds it complete. */
	smp_store_release(&n->core.ns[u->nr], ns);
	return 0;
}

/* It goes in nv_unit_exit(), when no command uses it, or with the controller. */
void nv_ns_remove(struct vt_nvme *n, struct vt_unit *u)
{
	lockdep_assert_held(&u->target->lock);
	WRITE_ONCE(n->core.ns[u->nr], NULL);
}

int nv_ns_add_all(struct vt_nvme *n)
{
	struct vt_unit *u;
	unsigned long i;

	xa_for_each(&n->s.target->units, i, u) {
		if (nv_ns_add(n, u)) {
			nv_ns_remove_all(n);
			return -ENOMEM;
		}
	}
	return 0;
}

void nv_ns_remove_all(struct vt_nvme *n)
{
	struct nv_ns *ns, *tmp;

	lockdep_assert_held(&n->s.target->lock);
	/* Those of units that are being removed are in core.ns no more. */
	list_for_each_entry_safe(ns, tmp, &n->seen, own_node) {
		n->core.ns[ns->unit->nr] = NULL;
		ns_free(ns);
	}
}

/*
 * What is in flight was allowed to the host it was before. It ends before the
 * driver is told that it is another.
 */
void nv_set_host(struct nv_core *c)
{
	struct vt_nvme *n = to_nvme(c);
	struct vt_resv_id id;
	unsigned int i;

	resv_host_id(n, &id);
	mutex_lock(&c->target->lock);
	for (i = 0; i < NV_MAX_NS; i++) {
		struct nv_ns *ns = c->ns[i];

		if (ns && !vt_resv_id_equal(&ns->resv.id, &id))
			vt_resv_rebind(&ns->resv, &id);
	}
	mutex_unlock(&c->target->lock);
	vt_session_sync(&n->s);
}

static u16 resv_status(enum vt_resv_result res)
{
	switch (res) {
	case VT_RESV_OK:
		return NV_SC_SUCCESS;
	case VT_RESV_CONFLICT:
		return NV_SC_RESV_CONFLICT | NV_SC_DNR;
	case VT_RESV_BAD_COMMAND:
	case VT_RESV_BAD_PARAM:
	case VT_RESV_BAD_RELEASE:
		return NV_SC_FIELD | NV_SC_DNR;
	default:
		return NV_SC_INTERNAL;
	}
}

bool nv_get_ptpl(struct nv_core *c, struct nv_ns *ns)
{
	lockdep_assert_held(&c->target->lock);
	return vt_resv_get_ptpl(ns->resv.resv);
}

u16 nv_set_ptpl(struct nv_core *c, struct nv_ns *ns, bool on)
{
	lockdep_assert_held(&c->target->lock);
	return resv_status(vt_resv_set_ptpl(&ns->resv, on));
}

/* Commands. Each returns a status. */

static u16 resv_ptpl(u32 dw10, u8 *ptpl)
{
	switch (NV_RESV_CPTPL(dw10)) {
	case 0:
		*ptpl = VT_RESV_PTPL_KEEP;
		return NV_SC_SUCCESS;
	case 2:
		*ptpl = VT_RESV_PTPL_OFF;
		return NV_SC_SUCCESS;
	case 3:
		*ptpl = VT_RESV_PTPL_ON;
		return NV_SC_SUCCESS;
	default:
		return NV_SC_FIELD | NV_SC_DNR;
	}
}

static u16 resv_register(struct nv_cmd *cmd, const struct nv_resv_keys *k)
{
	u32 dw10 = le32_to_cpu(cmd->sqe.cdw10);
	struct vt_resv_args a = {
		.key = le64_to_cpu(k->crkey), .new_key = le64_to_cpu(k->key),
		.ignore_key = dw10 & NV_RESV_IEKEY,
	};
	u16 status = resv_ptpl(dw10, &a.ptpl);

	if (status)
		return status;
	switch (NV_RESV_ACTION(dw10)) {
	case 0:
		a.op = VT_RESV_OP_REGISTER_NEW;
		break;
	case 1:
		a.op = VT_RESV_OP_UNREGISTER;
		break;
	case 2:
		a.op = a.ignore_key ? VT_RESV_OP_REGISTER_IGNORE :
		       VT_RESV_OP_REPLACE;
		break;
	default:
		return NV_SC_FIELD | NV_SC_DNR;
	}
	return resv_status(vt_resv_out(&cmd->ns->resv, &a));
}

static u16 resv_change(struct nv_cmd *cmd, const struct nv_resv_keys *k,
		       const u8 *ops, unsigned int nr)
{
	u32 dw10 = le32_to_cpu(cmd->sqe.cdw10);
	struct vt_resv_args a = {
		.type = NV_RESV_TYPE(dw10),
		.key = le64_to_cpu(k->crkey), .new_key = le64_to_cpu(k->key),
	};

	if (NV_RESV_ACTION(dw10) >= nr || (dw10 & NV_RESV_IEKEY))
		return NV_SC_FIELD | NV_SC_DNR;
	a.op = ops[NV_RESV_ACTION(dw10)];
	return resv_status(vt_resv_out(&cmd->ns->resv, &a));
}

static u16 resv_acquire(struct nv_cmd *cmd, const struct nv_resv_keys *k)
{
	static const u8 ops[] = {
		VT_RESV_OP_RESERVE, VT_RESV_OP_PREEMPT,
		VT_RESV_OP_PREEMPT_ABORT,
	};

	return resv_change(cmd, k, ops, ARRAY_SIZE(ops));
}

static u16 resv_release(struct nv_cmd *cmd, const struct nv_resv_keys *k)
{
	static const u8 ops[] = { VT_RESV_OP_RELEASE, VT_RESV_OP_CLEAR };

	return resv_change(cmd, k, ops, ARRAY_SIZE(ops));
}

/**
 * struct report - a report being written
 * @req: its request
 * @off: bytes written
 * @nr: entries
 * @ext: extended entries
 */
struct report {
	struct vt_req *req;
	u32 off;
	unsigned int nr;
	bool ext;
};

static void report_entry(struct report *rep, const struct vt_resv_reg *reg,
			 bool holds, u16 cntlid)
{
	struct nv_resv_ctrl_ext ext = {
		.cntlid = cpu_to_le16(cntlid), .rcsts = holds,
		.rkey = cpu_to_le64(reg->key),
	};
	struct nv_resv_ctrl e = {
		.cntlid = ext.cntlid, .rcsts = holds, .rkey = ext.rkey,
	};

	memcpy(ext.hostid, reg->id.bytes, sizeof(ext.hostid));
	memcpy(e.hostid, reg->id.bytes, sizeof(e.hostid));
	if (rep->ext) {
		vt_req_copy_in(rep->req, rep->off, &ext, sizeof(ext));
		rep->off += sizeof(ext);
	} else {
		vt_req_copy_in(rep->req, rep->off, &e, sizeof(e));
		rep->off += sizeof(e);
	}
	rep->nr++;
}

#define NO_CONTROLLER	0xffff

/* An entry for each controller of a registrant, one if it has none now. */
static void report_registrant(struct report *rep, struct vt_resv *r,
			      const struct vt_resv_state *s, unsigned int i)
{
	const struct vt_resv_reg *reg = &s->reg[i];
	bool holds = vt_resv_holds(s, i), any = false;
	struct vt_resv_nexus *nexus;

	list_for_each_entry(nexus, &r->nexuses, node) {
		if (!vt_resv_id_equal(&nexus->id, &reg->id))
			continue;
		report_entry(rep, reg, holds, nexus->controller);
		any = true;
	}
	if (!any)
		report_entry(rep, reg, holds, NO_CONTROLLER);
}

static u16 resv_report(struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	struct vt_nvme *n = cmd->ns->owner;
	struct report rep = {
		.req = req,
		.ext = le32_to_cpu(cmd->sqe.cdw11) & NV_RESV_EDS,
	};
	struct vt_resv *r = cmd->ns->resv.resv;
	struct nv_resv_status head = {};
	const struct vt_resv_state *s;
	unsigned int i;

	/* A host of 128 bits does not fit in the short form (7.4). */
	if (n->core.feat.hostid_len == 16 && !rep.ext)
		return NV_SC_HOSTID_FORMAT | NV_SC_DNR;
	nv_req_zero(req);
	rep.off = rep.ext ? NV_RESV_EXT_HEADER : sizeof(head);
	s = vt_resv_read(r);
	for (i = 0; i < s->nr; i++)
		report_registrant(&rep, r, s, i);
	head.gen = cpu_to_le32(s->generation);
	head.rtype = s->type;
	head.ptpls = s->ptpl;
	vt_resv_read_end(r);
	put_unaligned_le16(rep.nr, head.regctl);
	vt_req_copy_in(req, 0, &head, sizeof(head));
	return NV_SC_SUCCESS;
}

blk_status_t nv_resv_do(struct vt_req *req)
{
	struct nv_cmd *cmd = nv_req_cmd(req);
	struct nv_resv_keys k = {};

	if (cmd->sqe.opcode == NV_CMD_RESV_REPORT) {
		cmd->status = resv_report(req);
		return BLK_STS_OK;
	}
	vt_req_copy_out(req, 0, &k, sizeof(k));
	if (cmd->sqe.opcode == NV_CMD_RESV_REGISTER)
		cmd->status = resv_register(cmd, &k);
	else if (cmd->sqe.opcode == NV_CMD_RESV_ACQUIRE)
		cmd->status = resv_acquire(cmd, &k);
	else
		cmd->status = resv_release(cmd, &k);
	return BLK_STS_OK;
}
