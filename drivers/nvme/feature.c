// SPDX-License-Identifier: GPL-2.0
/*
 * Set Features and Get Features: NVMe Base 2.0, 5.27 and 5.15. No feature can
 * be saved; what cannot be honoured cannot be changed.
 */
#include "nvme.h"

#define DEFAULT_ARBITRATION	7	/* no limit of a burst */
#define SV			BIT(31)	/* dword 10 of Set Features */

/**
 * struct feature - one of them
 * @fid: feature identifier
 * @changeable: Set Features does something
 * @ns: of a namespace: @get and @set are called with nv_ns_lock() held
 * @get: fill a->dw0, move data; returns a status
 * @set: of dword 11, and data; returns a status
 *
 * Defaults are asked for by @get with a->c->feat replaced.
 */
struct feature {
	u8 fid;
	bool changeable;
	bool ns;
	u16 (*get)(struct nv_admin *a, const struct nv_features *f);
	u16 (*set)(struct nv_admin *a, struct nv_features *f, u32 dw11);
};

static u16 bad_field(void)
{
	return NV_SC_FIELD | NV_SC_DNR;
}

static u16 arbitration_get(struct nv_admin *a, const struct nv_features *f)
{
	a->dw0 = f->arbitration;
	return NV_SC_SUCCESS;
}

static u16 arbitration_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	WRITE_ONCE(f->arbitration, dw11 & 0xffffff07);
	return NV_SC_SUCCESS;
}

static u16 power_get(struct nv_admin *a, const struct nv_features *f)
{
	a->dw0 = f->power;
	return NV_SC_SUCCESS;
}

/* There is one power state. */
static u16 power_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	if (dw11 & 0x1f)
		return bad_field();
	f->power = dw11 & 0xe0;
	return NV_SC_SUCCESS;
}

/* TMPSEL, THSEL: the composite temperature is the only one there is. */
static u16 *temperature_at(struct nv_features *f, u32 dw11, bool all)
{
	u32 sensor = (dw11 >> 16) & 15, kind = (dw11 >> 20) & 3;

	if (kind > 1 || (sensor && !(all && sensor == 15)))
		return NULL;
	return kind ? &f->under : &f->over;
}

static u16 temperature_get(struct nv_admin *a, const struct nv_features *f)
{
	struct nv_features copy = *f;
	u16 *at = temperature_at(&copy, le32_to_cpu(a->cmd.cdw11), false);

	if (!at)
		return bad_field();
	a->dw0 = *at;
	return NV_SC_SUCCESS;
}

static u16 temperature_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	u16 *at = temperature_at(f, dw11, true);

	if (!at)
		return bad_field();
	*at = dw11;
	if (NV_TEMPERATURE >= f->over || NV_TEMPERATURE <= f->under)
		nv_aer_post(a->c, NV_AER(NV_AER_SMART, 1, NV_LOG_SMART));
	return NV_SC_SUCCESS;
}

/* No time limit and no error for unwritten blocks can be had. */
static u16 recovery_get(struct nv_admin *a, const struct nv_features *f)
{
	a->dw0 = 0;
	return NV_SC_SUCCESS;
}

static u16 vwc_get(struct nv_admin *a, const struct nv_features *f)
{
	a->dw0 = f->vwc;
	return NV_SC_SUCCESS;
}

static u16 vwc_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	WRITE_ONCE(f->vwc, dw11 & 1);
	return NV_SC_SUCCESS;
}

static u16 queues_get(struct nv_admin *a, const struct nv_features *f)
{
	a->dw0 = (u32)(f->nr_cq - 1) << 16 | (f->nr_sq - 1);
	return NV_SC_SUCCESS;
}

static bool has_io_queues(const struct nv_core *c)
{
	unsigned int i;

	for (i = 1; i <= NV_MAX_QUEUES; i++)
		if (c->cq[i].used || c->sq[i].used)
			return true;
	return false;
}

static u16 queues_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	u32 nr_sq = dw11 & 0xffff, nr_cq = dw11 >> 16;

	if (has_io_queues(a->c))
		return NV_SC_SEQUENCE | NV_SC_DNR;
	if (nr_sq == 0xffff || nr_cq == 0xffff)
		return bad_field();
	f->nr_sq = min(nr_sq + 1, a->c->nr_queues);
	f->nr_cq = min(nr_cq + 1, a->c->nr_queues);
	return queues_get(a, f);
}

static u16 coalesce_get(struct nv_admin *a, const struct nv_features *f)
{
	a->dw0 = f->coalesce;
	return NV_SC_SUCCESS;
}

static u16 coalesce_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	WRITE_ONCE(f->coalesce, dw11 & 0xffff);
	return NV_SC_SUCCESS;
}

static u16 vector_get(struct nv_admin *a, const struct nv_features *f)
{
	u16 iv = le32_to_cpu(a->cmd.cdw11);

	if (iv >= a->c->nr_vectors)
		return bad_field();
	a->dw0 = iv | (f->no_coalesce[iv] ? BIT(16) : 0);
	return NV_SC_SUCCESS;
}

static u16 vector_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	u16 iv = dw11;

	if (iv >= a->c->nr_vectors)
		return bad_field();
	/* The admin queue's interrupts are never coalesced (3.3.1). */
	WRITE_ONCE(f->no_coalesce[iv], dw11 & BIT(16));
	return NV_SC_SUCCESS;
}

static u16 atomicity_get(struct nv_admin *a, const struct nv_features *f)
{
	a->dw0 = f->atomicity;
	return NV_SC_SUCCESS;
}

/* AWUN and AWUPF are one block, with or without DN. */
static u16 atomicity_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	f->atomicity = dw11 & 1;
	return NV_SC_SUCCESS;
}

static u16 aec_get(struct nv_admin *a, const struct nv_features *f)
{
	a->dw0 = f->aec;
	return NV_SC_SUCCESS;
}

static u16 aec_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	WRITE_ONCE(f->aec, dw11 & (NV_OAES_NS | 0xff));
	return NV_SC_SUCCESS;
}

#define TIMESTAMP_MASK	(BIT_ULL(48) - 1)

static u16 timestamp_get(struct nv_admin *a, const struct nv_features *f)
{
	u64 ms = f->timestamp + (nv_now_ms() - f->timestamp_at);
	__le64 data = cpu_to_le64((ms & TIMESTAMP_MASK) |
				  (u64)f->timestamp_origin << 49);

	return nv_admin_to_host(a, &data, sizeof(data));
}

static u16 timestamp_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	__le64 data;
	u16 status = nv_admin_from_host(a, &data, sizeof(data));

	if (status)
		return status;
	f->timestamp = le64_to_cpu(data) & TIMESTAMP_MASK;
	f->timestamp_at = nv_now_ms();
	f->timestamp_origin = 1;	/* set by a host */
	return NV_SC_SUCCESS;
}

static unsigned int hostid_len(u32 dw11)
{
	return dw11 & 1 ? 16 : 8;
}

static u16 hostid_get(struct nv_admin *a, const struct nv_features *f)
{
	u32 dw11 = le32_to_cpu(a->cmd.cdw11);

	a->dw0 = f->hostid_len == 16;
	return nv_admin_to_host(a, f->hostid, hostid_len(dw11));
}

static u16 hostid_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	u8 id[16] = {};
	u16 status = nv_admin_from_host(a, id, hostid_len(dw11));

	if (status)
		return status;
	memcpy(f->hostid, id, sizeof(id));
	f->hostid_len = hostid_len(dw11);
	nv_set_host(a->c);
	return NV_SC_SUCCESS;
}

static u32 feat_nsid(const struct nv_admin *a)
{
	return le32_to_cpu(a->cmd.nsid);
}

#define RESV_MASK_BITS	0xe

/*
 * Set Features with NSID ffffffffh is for all namespaces, Get Features is not
 * (5.27.1.26, 5.27.1.27). nv_ns_lock() is held: a namespace may go.
 */
static u16 resv_ns(struct nv_admin *a, struct nv_ns **ns)
{
	u32 nsid = feat_nsid(a);

	a->dw0 = 0;
	*ns = nv_ns_at(a->c, nsid);
	if (*ns)
		return NV_SC_SUCCESS;
	return (nsid == NV_NSID_ALL ? NV_SC_FIELD : NV_SC_NS) | NV_SC_DNR;
}

/* What one refuses the others have; the first error is told. */
static u16 resv_set(struct nv_admin *a, u32 dw11,
		    u16 (*fn)(struct nv_core *c, struct nv_ns *ns, u32 dw11))
{
	u32 nsid = feat_nsid(a), i;
	u16 status = NV_SC_SUCCESS, one;
	bool any = false;
	struct nv_ns *ns;

	for (i = 1; i <= NV_MAX_NS; i++) {
		if (nsid != NV_NSID_ALL && nsid != i)
			continue;
		ns = nv_ns_at(a->c, i);
		if (!ns)
			continue;
		any = true;
		one = fn(a->c, ns, dw11);
		status = status ?: one;
	}
	return any ? status : NV_SC_NS | NV_SC_DNR;
}

static u16 resv_mask_get(struct nv_admin *a, const struct nv_features *f)
{
	struct nv_ns *ns;
	u16 status = resv_ns(a, &ns);

	if (!status && f == &a->c->feat)
		a->dw0 = ns->mask;
	return status;
}

static u16 resv_mask_one(struct nv_core *c, struct nv_ns *ns, u32 dw11)
{
	/* Whoever notes something looks at it without the lock. */
	WRITE_ONCE(ns->mask, dw11 & RESV_MASK_BITS);
	return NV_SC_SUCCESS;
}

static u16 resv_mask_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	return resv_set(a, dw11, resv_mask_one);
}

static u16 resv_persist_get(struct nv_admin *a, const struct nv_features *f)
{
	struct nv_ns *ns;
	u16 status = resv_ns(a, &ns);

	if (!status && f == &a->c->feat)
		a->dw0 = nv_get_ptpl(a->c, ns);
	return status;
}

static u16 resv_persist_one(struct nv_core *c, struct nv_ns *ns, u32 dw11)
{
	return nv_set_ptpl(c, ns, dw11 & 1);
}

static u16 resv_persist_set(struct nv_admin *a, struct nv_features *f, u32 dw11)
{
	return resv_set(a, dw11, resv_persist_one);
}

static const struct feature features[] = {
	{ NV_FEAT_ARBITRATION, true, false, arbitration_get, arbitration_set },
	{ NV_FEAT_POWER, true, false, power_get, power_set },
	{ NV_FEAT_TEMPERATURE, true, false, temperature_get, temperature_set },
	{ NV_FEAT_RECOVERY, false, false, recovery_get, NULL },
	{ NV_FEAT_VWC, true, false, vwc_get, vwc_set },
	{ NV_FEAT_QUEUES, true, false, queues_get, queues_set },
	{ NV_FEAT_COALESCE, true, false, coalesce_get, coalesce_set },
	{ NV_FEAT_VECTOR, true, false, vector_get, vector_set },
	{ NV_FEAT_ATOMICITY, true, false, atomicity_get, atomicity_set },
	{ NV_FEAT_AEC, true, false, aec_get, aec_set },
	{ NV_FEAT_TIMESTAMP, true, false, timestamp_get, timestamp_set },
	{ NV_FEAT_HOST_ID, true, false, hostid_get, hostid_set },
	{ NV_FEAT_RESV_MASK, true, true, resv_mask_get, resv_mask_set },
	{ NV_FEAT_RESV_PERSIST, true, true, resv_persist_get, resv_persist_set },
};

static const struct feature *feature_find(u8 fid)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].fid == fid)
			return &features[i];
	return NULL;
}

/* Where there is no cache there is none to be switched off (5.27.1.4). */
static bool feature_missing(struct nv_core *c, u8 fid)
{
	bool missing;

	if (fid != NV_FEAT_VWC)
		return false;
	nv_ns_lock(c);
	missing = !nv_write_cache(c);
	nv_ns_unlock(c);
	return missing;
}

u32 nv_feature_effects(struct nv_core *c, u8 fid)
{
	const struct feature *f = feature_find(fid);

	if (!f || (fid == NV_FEAT_VWC && !nv_write_cache(c)))
		return 0;
	return NV_FID_SUPPORTED | (f->ns ? NV_FID_NS : NV_FID_CTRL);
}

static void features_defaults(struct nv_core *c, struct nv_features *f)
{
	memset(f, 0, sizeof(*f));
	f->arbitration = DEFAULT_ARBITRATION;
	f->over = NV_WARN_TEMP;
	f->vwc = 1;
	f->nr_sq = c->nr_queues;
	f->nr_cq = c->nr_queues;
	f->timestamp_at = nv_now_ms();
}

void nv_features_init(struct nv_core *c)
{
	features_defaults(c, &c->feat);
}

static u16 feature_get(struct nv_admin *a, const struct feature *f,
		       const struct nv_features *from)
{
	u16 status;

	if (f->ns)
		nv_ns_lock(a->c);
	status = f->get(a, from);
	if (f->ns)
		nv_ns_unlock(a->c);
	return status;
}

static u16 feature_set(struct nv_admin *a, const struct feature *f)
{
	u16 status;

	if (f->ns)
		nv_ns_lock(a->c);
	status = f->set(a, &a->c->feat, le32_to_cpu(a->cmd.cdw11));
	if (f->ns)
		nv_ns_unlock(a->c);
	return status;
}

u16 nv_set_features(struct nv_admin *a)
{
	u32 dw10 = le32_to_cpu(a->cmd.cdw10);
	u32 nsid = le32_to_cpu(a->cmd.nsid);
	const struct feature *f = feature_find(dw10);
	u16 status;

	if (!f || feature_missing(a->c, f->fid))
		return bad_field();
	if (dw10 & SV)
		return NV_SC_FEAT_NOT_SAVEABLE | NV_SC_DNR;
	if (!f->changeable)
		return NV_SC_FEAT_NOT_CHANGEABLE | NV_SC_DNR;
	if (!f->ns && nsid && nsid != NV_NSID_ALL)
		return NV_SC_FEAT_NOT_NS | NV_SC_DNR;
	status = feature_set(a, f);
	if (!status)
		nv_feature_changed(a->c, f->fid);
	return status;
}

/* What cannot be saved has its default for a saved value (5.15). */
static u16 feature_default(struct nv_admin *a, const struct feature *f)
{
	struct nv_features def;

	features_defaults(a->c, &def);
	return feature_get(a, f, &def);
}

u16 nv_get_features(struct nv_admin *a)
{
	u32 dw10 = le32_to_cpu(a->cmd.cdw10);
	const struct feature *f = feature_find(dw10);

	if (!f || feature_missing(a->c, f->fid))
		return bad_field();
	switch ((dw10 >> 8) & 7) {
	case NV_SEL_CURRENT:
		return feature_get(a, f, &a->c->feat);
	case NV_SEL_DEFAULT:
	case NV_SEL_SAVED:
		return feature_default(a, f);
	case NV_SEL_CAPS:
		a->dw0 = (f->changeable ? BIT(2) : 0) | (f->ns ? BIT(1) : 0);
		return NV_SC_SUCCESS;
	default:
		return bad_field();
	}
}
