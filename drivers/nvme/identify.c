// SPDX-License-Identifier: GPL-2.0
/* The Identify command: NVMe Base 2.0, 5.17. */
#include "nvme.h"

/* Text fields are padded with spaces and have no end. */
static void id_text(char *to, size_t len, const char *from)
{
	size_t n = strnlen(from, len);

	memcpy(to, from, n);
	memset(to + n, ' ', len - n);
}

static void id_subnqn(const struct nv_core *c, char *nqn, size_t size)
{
	snprintf(nqn, size, "nqn.2014-08.org.nvmexpress:vhost-target:%s",
		 c->target->name);
}

bool nv_write_cache(struct nv_core *c)
{
	const struct vt_unit *u;
	u32 nsid = 0;

	while ((nsid = nv_ns_next(c, nsid))) {
		u = nv_ns_find(c, nsid);
		if (u && u->be->limits.write_cache &&
		    !(u->flags & VHOST_TARGET_UNIT_F_WRITETHROUGH))
			return true;
	}
	return false;
}

static void id_ctrl_admin(const struct nv_core *c, struct nv_id_ctrl *id)
{
	if (nv_has_dbbuf(c))
		id->oacs = cpu_to_le16(NV_OACS_DBBUF);
	id->acl = 3;
	id->aerl = NV_MAX_AER - 1;
	id->frmw = NV_FRMW_SLOT1_RO;
	id->lpa = NV_LPA_EFFECTS | NV_LPA_EXTENDED | NV_LPA_SUPPORTED;
	id->elpe = NV_MAX_ERRORS - 1;
	id->wctemp = cpu_to_le16(NV_WARN_TEMP);
	id->cctemp = cpu_to_le16(NV_CRIT_TEMP);
}

static void id_ctrl_nvm(struct nv_core *c, struct nv_id_ctrl *id)
{
	id->sqes = NV_SQE_SHIFT << 4 | NV_SQE_SHIFT;
	id->cqes = NV_CQE_SHIFT << 4 | NV_CQE_SHIFT;
	id->nn = cpu_to_le32(NV_MAX_NS);
	id->oncs = cpu_to_le16(NV_ONCS_COMPARE | NV_ONCS_DSM |
			       NV_ONCS_ZEROES | NV_ONCS_SAVE |
			       NV_ONCS_RESV | NV_ONCS_TIMESTAMP |
			       NV_ONCS_VERIFY | NV_ONCS_COPY);
	/* Flush is of one namespace: NSID ffffffffh is refused. */
	id->vwc = 2 << 1 | (nv_write_cache(c) ? NV_VWC_PRESENT : 0);
	id->fuses = cpu_to_le16(NV_FUSES_COMPARE_WRITE);
	id->acwu = cpu_to_le16(NV_ACWU);
	id->sgls = cpu_to_le32(NV_SGLS_BYTES | NV_SGLS_BUCKET |
			       NV_SGLS_MPTR);
}

static u16 id_ctrl(struct nv_admin *a)
{
	struct nv_id_ctrl *id = (void *)a->buf;
	struct nv_core *c = a->c;

	id->vid = cpu_to_le16(VT_NVME_PCI_VENDOR);
	id->ssvid = cpu_to_le16(VT_NVME_PCI_VENDOR);
	id_text(id->sn, sizeof(id->sn), c->target->name);
	id_text(id->mn, sizeof(id->mn), "vhost NVMe");
	id_text(id->fr, sizeof(id->fr), NV_FIRMWARE);
	id->rab = 6;
	if (c->target->flags & VHOST_TARGET_F_SHARED)
		id->cmic = BIT(1);
	id->mdts = NV_MDTS;
	id->cntlid = cpu_to_le16(c->cntlid);
	id->ver = cpu_to_le32(NV_VERSION);
	id->oaes = cpu_to_le32(NV_OAES_NS);
	id->ctratt = cpu_to_le32(NV_CTRATT_HOSTID128);
	id->cntrltype = 1;
	id_ctrl_admin(c, id);
	id_ctrl_nvm(c, id);
	id_subnqn(c, id->subnqn, sizeof(id->subnqn));
	return NV_SC_SUCCESS;
}

static u32 id_nsid(const struct nv_admin *a)
{
	return le32_to_cpu(a->cmd.nsid);
}

static u8 id_csi(const struct nv_admin *a)
{
	return le32_to_cpu(a->cmd.cdw11) >> 24;
}

/* What can be asked of any NSID there may be: nothing of one that is not. */
static u16 id_check_nsid(const struct nv_admin *a)
{
	u32 nsid = id_nsid(a);

	return nsid && nsid <= NV_MAX_NS ? NV_SC_SUCCESS :
	       NV_SC_NS | NV_SC_DNR;
}

/* The page of a namespace that is not active is all zeroes (5.17.2.1). */
static u16 id_ns(struct nv_admin *a)
{
	u16 status = id_check_nsid(a);
	struct vt_unit *u;

	if (status)
		return status;
	u = nv_ns_find(a->c, id_nsid(a));
	if (u)
		nv_ns_identify(u, (void *)a->buf);
	return NV_SC_SUCCESS;
}

static u16 id_ns_indep(struct nv_admin *a)
{
	struct nv_id_ns_indep *id = (void *)a->buf;
	u16 status = id_check_nsid(a);
	struct vt_unit *u;

	if (status)
		return status;
	u = nv_ns_find(a->c, id_nsid(a));
	if (!u)
		return NV_SC_SUCCESS;
	id->nmic = nv_ns_nmic(u);
	id->rescap = nv_ns_rescap(u);
	id->nsattr = nv_ns_attr(u);
	id->nstat = NV_NSTAT_READY;
	return NV_SC_SUCCESS;
}

static u16 id_list(struct nv_admin *a)
{
	__le32 *list = (void *)a->buf;
	u32 nsid = id_nsid(a);
	unsigned int i;

	if (nsid >= NV_NSID_ALL - 1)
		return NV_SC_NS | NV_SC_DNR;
	for (i = 0; i < NV_PAGE_SIZE / sizeof(*list); i++) {
		nsid = nv_ns_next(a->c, nsid);
		if (!nsid)
			break;
		list[i] = cpu_to_le32(nsid);
	}
	return NV_SC_SUCCESS;
}

static u8 *id_desc_add(u8 *at, u8 type, const void *nid, u8 len)
{
	struct nv_ns_desc *d = (void *)at;

	d->nidt = type;
	d->nidl = len;
	memcpy(d->nid, nid, len);
	return d->nid + len;
}

static u16 id_desc(struct nv_admin *a)
{
	u8 eui[8], nguid[16], uuid[16], csi = NV_CSI_NVM;
	struct vt_unit *u = nv_ns_find(a->c, id_nsid(a));
	u8 *at = a->buf;

	if (!u)
		return NV_SC_NS | NV_SC_DNR;
	nv_ns_eui64(u, eui);
	nv_ns_nguid(u, nguid);
	nv_ns_uuid(u, uuid);
	at = id_desc_add(at, NV_NIDT_EUI64, eui, sizeof(eui));
	at = id_desc_add(at, NV_NIDT_NGUID, nguid, sizeof(nguid));
	at = id_desc_add(at, NV_NIDT_UUID, uuid, sizeof(uuid));
	id_desc_add(at, NV_NIDT_CSI, &csi, sizeof(csi));
	return NV_SC_SUCCESS;
}

/* No format of ours has more than the plain one: all fields are zero. */
static u16 id_csi_ns(struct nv_admin *a)
{
	return id_check_nsid(a);
}

/* No limits below MDTS: all fields are zero. */
static u16 id_csi_ctrl(struct nv_admin *a)
{
	return NV_SC_SUCCESS;
}

/* A list of controllers: their number, then identifiers from CNTID on. */
static u16 id_ctrls(struct nv_admin *a)
{
	u16 id = le32_to_cpu(a->cmd.cdw10) >> 16;
	__le16 *list = (void *)a->buf;
	unsigned int nr = 0;

	for (; nr < NV_PAGE_SIZE / sizeof(*list) - 1; id++) {
		id = nv_ctrl_from(a->c, id);
		if (!id)
			break;
		list[++nr] = cpu_to_le16(id);
	}
	list[0] = cpu_to_le16(nr);
	return NV_SC_SUCCESS;
}

static u16 id_ns_ctrls(struct nv_admin *a)
{
	u16 status = id_check_nsid(a);

	if (status)
		return status;
	return nv_ns_find(a->c, id_nsid(a)) ? id_ctrls(a) : NV_SC_SUCCESS;
}

/* Which command sets can be used together: the only one. */
static u16 id_cmd_sets(struct nv_admin *a)
{
	a->buf[0] = BIT(NV_CSI_NVM);
	return NV_SC_SUCCESS;
}

typedef u16 (*id_fn)(struct nv_admin *a);

static id_fn id_find(u8 cns)
{
	switch (cns) {
	case NV_CNS_NS:
	case NV_CNS_ALLOCATED_NS:
		return id_ns;
	case NV_CNS_CTRL:
		return id_ctrl;
	case NV_CNS_ACTIVE:
	case NV_CNS_ALLOCATED:
	case NV_CNS_CSI_ACTIVE:
	case NV_CNS_CSI_ALLOCATED:
		return id_list;
	case NV_CNS_DESC:
		return id_desc;
	case NV_CNS_CSI_NS:
	case NV_CNS_CSI_ALLOCATED_NS:
		return id_csi_ns;
	case NV_CNS_CSI_CTRL:
		return id_csi_ctrl;
	case NV_CNS_INDEP_NS:
		return id_ns_indep;
	case NV_CNS_NS_CTRLS:
		return id_ns_ctrls;
	case NV_CNS_CTRLS:
		return id_ctrls;
	case NV_CNS_CMD_SETS:
		return id_cmd_sets;
	default:
		return NULL;
	}
}

static bool id_has_csi(u8 cns)
{
	return cns == NV_CNS_CSI_NS || cns == NV_CNS_CSI_CTRL ||
	       cns == NV_CNS_CSI_ACTIVE || cns == NV_CNS_CSI_ALLOCATED ||
	       cns == NV_CNS_CSI_ALLOCATED_NS;
}

u16 nv_identify(struct nv_admin *a)
{
	u8 cns = le32_to_cpu(a->cmd.cdw10);
	id_fn fn = id_find(cns);
	u16 status;

	if (!fn || (id_has_csi(cns) && id_csi(a) != NV_CSI_NVM))
		return NV_SC_FIELD | NV_SC_DNR;
	memset(a->buf, 0, NV_PAGE_SIZE);
	nv_ns_lock(a->c);
	status = fn(a);
	nv_ns_unlock(a->c);
	return status ?: nv_admin_to_host(a, a->buf, NV_PAGE_SIZE);
}
