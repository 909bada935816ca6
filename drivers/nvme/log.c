// SPDX-License-Identifier: GPL-2.0
/* Get Log Page: NVMe Base 2.0, 5.16. */
#include "nvme.h"

#define RAE	BIT(15)		/* dword 10: retain the asynchronous event */

/* Each fills a->buf, which is zeroed; returns a status. */

static u16 log_error(struct nv_admin *a)
{
	struct nv_log_error *to = (void *)a->buf;
	struct nv_errors *e = &a->c->errors;
	unsigned int i, nr;

	nv_lock(a->c);
	nr = min_t(u64, e->count, NV_MAX_ERRORS);
	for (i = 0; i < nr; i++)
		to[i] = e->entry[(e->count - 1 - i) % NV_MAX_ERRORS];
	nv_unlock(a->c);
	return NV_SC_SUCCESS;
}

static u8 log_critical(struct nv_core *c)
{
	const struct nv_features *f = &c->feat;
	u32 nsid = 0;
	u8 bits = 0;

	if (NV_TEMPERATURE >= f->over || NV_TEMPERATURE <= f->under)
		bits |= BIT(1);
	while ((nsid = nv_ns_next(c, nsid))) {
		struct vt_unit *u = nv_ns_find(c, nsid);

		/* Not because somebody wants it so: the media is. */
		if (u && READ_ONCE(u->be->limits.ro) &&
		    !(u->flags & VHOST_TARGET_UNIT_F_RO))
			bits |= NV_SMART_READ_ONLY;
	}
	return bits;
}

/* In thousands of 512 bytes, rounded up. */
static __le64 log_units(u64 bytes)
{
	return cpu_to_le64(DIV_ROUND_UP_ULL(bytes, 512 * 1000));
}

#define NSEC	1000000000

static u16 log_smart(struct nv_admin *a)
{
	struct nv_log_smart *log = (void *)a->buf;
	u32 nsid = le32_to_cpu(a->cmd.nsid);
	struct nv_core *c = a->c;
	struct nv_smart s = {};

	/* Of the controller only: LPA bit 0 is clear. */
	if (nsid && nsid != NV_NSID_ALL)
		return NV_SC_FIELD | NV_SC_DNR;
	nv_smart_read(c, &s);
	log->critical = log_critical(c);
	log->temperature[0] = NV_TEMPERATURE & 0xff;
	log->temperature[1] = NV_TEMPERATURE >> 8;
	log->spare = 100;
	log->spare_threshold = 10;
	log->units_read[0] = log_units(s.bytes_read);
	log->units_written[0] = log_units(s.bytes_written);
	log->reads[0] = cpu_to_le64(s.reads);
	log->writes[0] = cpu_to_le64(s.writes);
	log->busy_minutes[0] = cpu_to_le64(div_u64(s.busy_ns, NSEC) / 60);
	log->power_cycles[0] = cpu_to_le64(c->enables);
	log->power_hours[0] = cpu_to_le64(div_u64(s.now - c->started, NSEC) /
					   3600);
	log->unsafe_shutdowns[0] = cpu_to_le64(c->unclean);
	log->media_errors[0] = cpu_to_le64(s.media_errors);
	nv_lock(c);
	log->error_entries[0] = cpu_to_le64(c->errors.count);
	nv_unlock(c);
	return NV_SC_SUCCESS;
}

static u16 log_firmware(struct nv_admin *a)
{
	struct nv_log_firmware *log = (void *)a->buf;

	log->afi = 1;
	memcpy(log->frs[0], NV_FIRMWARE, sizeof(log->frs[0]));
	return NV_SC_SUCCESS;
}

static u16 log_changed(struct nv_admin *a)
{
	struct nv_changed *ch = &a->c->changed;
	__le32 *to = (void *)a->buf;

	nv_lock(a->c);
	if (ch->overflow)
		to[0] = cpu_to_le32(NV_NSID_ALL);
	else
		memcpy(to, ch->nsid, ch->nr * sizeof(ch->nsid[0]));
	/* It is about the time since it was last read. */
	if (!(le32_to_cpu(a->cmd.cdw10) & RAE)) {
		ch->nr = 0;
		ch->overflow = false;
	}
	nv_unlock(a->c);
	return NV_SC_SUCCESS;
}

/* The host has not got what was taken off the log. */
static void log_changed_undo(struct nv_admin *a)
{
	const __le32 *list = (void *)a->buf;
	unsigned int i;

	for (i = 0; i < NV_MAX_CHANGED && list[i]; i++)
		nv_ns_changed(a->c, le32_to_cpu(list[i]));
}

static u32 effects_of_io(u8 opcode)
{
	switch (opcode) {
	case NV_CMD_WRITE:
	case NV_CMD_WRITE_ZEROES:
	case NV_CMD_DSM:
	case NV_CMD_COPY:
		return NV_EFFECT_SUPPORTED | NV_EFFECT_CONTENT;
	default:
		return nv_io_knows(opcode) ? NV_EFFECT_SUPPORTED : 0;
	}
}

static u16 log_effects(struct nv_admin *a)
{
	struct nv_log_effects *log = (void *)a->buf;
	unsigned int i;

	for (i = 0; i < 256; i++) {
		if (nv_admin_knows(a->c, i))
			log->acs[i] = cpu_to_le32(NV_EFFECT_SUPPORTED);
		log->iocs[i] = cpu_to_le32(effects_of_io(i));
	}
	return NV_SC_SUCCESS;
}

static u16 log_features(struct nv_admin *a)
{
	__le32 *log = (void *)a->buf;
	unsigned int i;

	for (i = 0; i < 256; i++)
		log[i] = cpu_to_le32(nv_feature_effects(a->c, i));
	return NV_SC_SUCCESS;
}

/* The oldest notification; it is gone when it was read without RAE. */
static u16 log_resv(struct nv_admin *a)
{
	struct nv_notes *notes = &a->c->notes;
	struct nv_log_resv *log = (void *)a->buf;

	nv_lock(a->c);
	if (notes->nr) {
		*log = notes->note[0];
		log->more = notes->nr - 1;
		if (!(le32_to_cpu(a->cmd.cdw10) & RAE)) {
			notes->nr--;
			memmove(notes->note, notes->note + 1,
				notes->nr * sizeof(notes->note[0]));
		}
	}
	nv_unlock(a->c);
	return NV_SC_SUCCESS;
}

/* There is no management interface: none of its commands is supported. */
static u16 log_mi(struct nv_admin *a)
{
	return NV_SC_SUCCESS;
}

static u16 log_supported(struct nv_admin *a);

static const struct log {
	u8 lid;
	u32 size;
	u16 (*fill)(struct nv_admin *a);
} logs[] = {
	{ NV_LOG_SUPPORTED, 1024, log_supported },
	{ NV_LOG_ERROR, NV_MAX_ERRORS * sizeof(struct nv_log_error), log_error },
	{ NV_LOG_SMART, sizeof(struct nv_log_smart), log_smart },
	{ NV_LOG_FIRMWARE, sizeof(struct nv_log_firmware), log_firmware },
	{ NV_LOG_CHANGED_NS, NV_MAX_CHANGED * sizeof(__le32), log_changed },
	{ NV_LOG_EFFECTS, sizeof(struct nv_log_effects), log_effects },
	{ NV_LOG_FEATURES, 1024, log_features },
	{ NV_LOG_MI, 4096, log_mi },
	{ NV_LOG_RESV, sizeof(struct nv_log_resv), log_resv },
};

static u16 log_supported(struct nv_admin *a)
{
	__le32 *to = (void *)a->buf;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(logs); i++)
		to[logs[i].lid] = cpu_to_le32(NV_LOG_LSUPP);
	return NV_SC_SUCCESS;
}

static const struct log *log_find(u8 lid)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(logs); i++)
		if (logs[i].lid == lid)
			return &logs[i];
	return NULL;
}

/* Dwords, less one; no more than what any other command may move. */
static u64 log_len(const struct nv_admin *a)
{
	u32 dw10 = le32_to_cpu(a->cmd.cdw10), dw11 = le32_to_cpu(a->cmd.cdw11);

	return ((u64)(dw10 >> 16 | dw11 << 16) + 1) * 4;
}

u16 nv_get_log(struct nv_admin *a)
{
	u64 off = le32_to_cpu(a->cmd.cdw12) |
		  (u64)le32_to_cpu(a->cmd.cdw13) << 32;
	u32 dw10 = le32_to_cpu(a->cmd.cdw10);
	const struct log *log = log_find(dw10);
	u64 len = log_len(a);
	u16 status;

	if (!log)
		return NV_SC_LOG_PAGE | NV_SC_DNR;
	if (len > NV_MAX_DATA || (off & 3) || off > log->size)
		return NV_SC_FIELD | NV_SC_DNR;
	memset(a->buf, 0, NV_PAGE_SIZE);
	nv_ns_lock(a->c);
	status = log->fill(a);
	nv_ns_unlock(a->c);
	if (!status)
		status = nv_admin_log_to_host(a, log->size, off, len);
	if (status && log->lid == NV_LOG_CHANGED_NS)
		log_changed_undo(a);
	if (!status && !(dw10 & RAE))
		nv_aer_unmask(a->c, log->lid);
	return status;
}
