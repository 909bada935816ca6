// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous events and what they announce: NVMe Base 2.0, 5.2 and the logs
 * of errors (5.16.1.2) and changed namespaces (5.16.1.5).
 *
 * An event of a type is reported once; the type is then masked until the host
 * has read the log page that the event names.
 */
#include "nvme.h"

u16 nv_aer_hold(struct nv_core *c, u16 cid)
{
	u16 status = NV_HELD;

	nv_lock(c);
	if (c->aer.nr == NV_MAX_AER)
		status = NV_SC_AER_LIMIT | NV_SC_DNR;
	else
		c->aer.cid[c->aer.nr++] = cid;
	nv_unlock(c);
	return status;
}

/* Events that the host can switch off are those with a bit in AEC. */
static bool aer_wanted(const struct nv_core *c, u32 event)
{
	u32 aec = READ_ONCE(c->feat.aec);

	switch (NV_AER_TYPE(event)) {
	case NV_AER_NOTICE:
		return aec & NV_OAES_NS;
	case NV_AER_SMART:
		/* Reliability, temperature, spare: each has its bits. */
		return aec & 0xff;
	default:
		return true;
	}
}

void nv_aer_post(struct nv_core *c, u32 event)
{
	unsigned int type = NV_AER_TYPE(event);

	if (!aer_wanted(c, event))
		return;
	nv_lock(c);
	c->aer.pending[type] = event;
	c->aer.has |= BIT(type);
	nv_unlock(c);
}

void nv_aer_unmask(struct nv_core *c, u8 log)
{
	unsigned int type;

	nv_lock(c);
	for (type = 0; type < NV_AER_TYPES; type++)
		if (NV_AER_LOG(c->aer.pending[type]) == log)
			c->aer.masked &= ~BIT(type);
	nv_unlock(c);
}

bool nv_aer_take(struct nv_core *c, u16 *cid, u32 *event)
{
	struct nv_aer *aer = &c->aer;
	u8 ready = aer->has & ~aer->masked;
	unsigned int type;

	if (!aer->nr || !ready)
		return false;
	type = __builtin_ctz(ready);
	aer->has &= ~BIT(type);
	aer->masked |= BIT(type);
	*event = aer->pending[type];
	*cid = aer->cid[0];
	aer->nr--;
	memmove(aer->cid, aer->cid + 1, aer->nr * sizeof(aer->cid[0]));
	return true;
}

bool nv_aer_abort(struct nv_core *c, u16 cid)
{
	struct nv_aer *aer = &c->aer;
	bool found = false;
	unsigned int i;

	nv_lock(c);
	for (i = 0; i < aer->nr && !found; i++) {
		found = aer->cid[i] == cid;
		if (!found)
			continue;
		aer->nr--;
		memmove(aer->cid + i, aer->cid + i + 1,
			(aer->nr - i) * sizeof(aer->cid[0]));
	}
	nv_unlock(c);
	return found;
}

void nv_aer_reset(struct nv_core *c)
{
	nv_lock(c);
	memset(&c->aer, 0, sizeof(c->aer));
	nv_unlock(c);
}

void nv_error_add(struct nv_core *c, u16 sqid, u16 cid, u16 status, u32 nsid,
		  u64 lba)
{
	struct nv_log_error *e;

	nv_lock(c);
	e = &c->errors.entry[c->errors.count % NV_MAX_ERRORS];
	*e = (struct nv_log_error) {
		.count = cpu_to_le64(++c->errors.count),
		.sqid = cpu_to_le16(sqid),
		.cid = cid,
		.status = cpu_to_le16(status << 1),
		/* No particular byte of the command is to blame. */
		.location = cpu_to_le16(0xffff),
		.lba = cpu_to_le64(lba),
		.nsid = cpu_to_le32(nsid),
	};
	nv_unlock(c);
}

static u8 note_type(unsigned int event)
{
	switch (event) {
	case VT_RESV_EV_REG_PREEMPTED:
		return 1;
	case VT_RESV_EV_RELEASED:
		return 2;
	default:
		return 3;
	}
}

/* The latest are lost when there is no room: the count tells. */
static void note_add(struct nv_core *c, struct nv_ns *ns, u8 type)
{
	struct nv_notes *notes = &c->notes;

	if (!++notes->count)
		notes->count = 1;
	if (notes->nr == NV_MAX_NOTES)
		return;
	notes->note[notes->nr++] = (struct nv_log_resv) {
		.count = cpu_to_le64(notes->count),
		.type = type,
		.nsid = cpu_to_le32(ns->unit->nr + 1),
	};
}

void nv_resv_noted(struct nv_core *c, struct nv_ns *ns, unsigned int events)
{
	u32 mask = READ_ONCE(ns->mask);
	bool any = false;
	unsigned int ev;

	nv_lock(c);
	for (ev = VT_RESV_EV_REG_PREEMPTED; ev <= VT_RESV_EV_RESV_PREEMPTED;
	     ev <<= 1) {
		if (!(events & ev) || (mask & BIT(note_type(ev))))
			continue;
		note_add(c, ns, note_type(ev));
		any = true;
	}
	nv_unlock(c);
	if (any)
		nv_aer_post(c, NV_AER(NV_AER_CSS, 0, NV_LOG_RESV));
}

static void changed_insert(struct nv_changed *ch, u32 nsid)
{
	unsigned int at;

	for (at = 0; at < ch->nr && le32_to_cpu(ch->nsid[at]) < nsid; at++)
		;
	if (at < ch->nr && le32_to_cpu(ch->nsid[at]) == nsid)
		return;
	if (ch->nr == NV_MAX_CHANGED) {
		ch->overflow = true;
		return;
	}
	memmove(&ch->nsid[at + 1], &ch->nsid[at],
		(ch->nr - at) * sizeof(ch->nsid[0]));
	ch->nsid[at] = cpu_to_le32(nsid);
	ch->nr++;
}

void nv_ns_changed(struct nv_core *c, u32 nsid)
{
	nv_lock(c);
	changed_insert(&c->changed, nsid);
	nv_unlock(c);
	nv_aer_post(c, NV_AER(NV_AER_NOTICE, NV_NOTICE_NS_CHANGED,
			      NV_LOG_CHANGED_NS));
}
