// SPDX-License-Identifier: GPL-2.0
/* Mode pages: MODE SENSE, MODE SELECT (SPC-5, SBC-4). */
#include "cmd.h"

/* All pages with header and block descriptor are shorter. */
#define MODE_MAX	256

/* Page control. */
enum mode_pc {
	MODE_CURRENT,
	MODE_CHANGEABLE,
	MODE_DEFAULT,
	MODE_SAVED,
};

/**
 * struct mode_page - a mode page
 * @code: page code
 * @sub: subpage code; 0: page_0 format
 * @len: bytes after the page's header
 * @fill: put these bytes into a zeroed buffer; NULL: all are zero
 * @set: take the changeable ones; NULL: there are none
 */
struct mode_page {
	u8 code;
	u8 sub;
	u8 len;
	void (*fill)(const struct scsi_lu *lu, enum mode_pc pc, u8 *p);
	void (*set)(struct scsi_lu *lu, const u8 *p);
};

/* Errors are recovered from below us; blocks are reassigned there. */
static void recovery_fill(const struct scsi_lu *lu, enum mode_pc pc, u8 *p)
{
	if (pc != MODE_CHANGEABLE)
		p[0] = 0xc0;		/* AWRE, ARRE */
}

static bool cache_wce(const struct scsi_lu *lu, enum mode_pc pc)
{
	return pc == MODE_CURRENT ? READ_ONCE(lu->wce) : !lu->cache_fixed;
}

static void cache_fill(const struct scsi_lu *lu, enum mode_pc pc, u8 *p)
{
	if (cache_wce(lu, pc))
		p[0] = 0x04;		/* WCE */
}

static void cache_set(struct scsi_lu *lu, const u8 *p)
{
	WRITE_ONCE(lu->wce, !!(p[0] & 0x04));
}

#define CONTROL_D_SENSE	0x04
#define CONTROL_SWP	0x08

static void control_fill(const struct scsi_lu *lu, enum mode_pc pc, u8 *p)
{
	if (pc == MODE_CHANGEABLE || (pc == MODE_CURRENT && lu->d_sense))
		p[0] |= CONTROL_D_SENSE;
	if (pc == MODE_CHANGEABLE || (pc == MODE_CURRENT && lu->swp))
		p[2] |= CONTROL_SWP;
	if (pc == MODE_CHANGEABLE)
		return;
	/* ATO is 0: writes without application tags may change them. */
	p[1] = 0x10;			/* unrestricted reordering */
	put_unaligned_be16(0xffff, p + 6);	/* busy for unlimited time */
}

static void control_set(struct scsi_lu *lu, const u8 *p)
{
	WRITE_ONCE(lu->d_sense, !!(p[0] & CONTROL_D_SENSE));
	WRITE_ONCE(lu->swp, !!(p[2] & CONTROL_SWP));
}

static void exceptions_fill(const struct scsi_lu *lu, enum mode_pc pc, u8 *p)
{
	if (pc != MODE_CHANGEABLE)
		p[0] = 0x08;		/* DEXCPT: there are none */
}

/* In the order in which they are sent. */
static const struct mode_page mode_pages[] = {
	{ 0x01, 0x00, 10, recovery_fill, NULL },
	{ 0x08, 0x00, 18, cache_fill, cache_set },
	{ 0x0a, 0x00, 10, control_fill, control_set },
	{ 0x0a, 0x01, 28, NULL, NULL },
	{ 0x1c, 0x00, 10, exceptions_fill, NULL },
};

void scsi_mode_defaults(struct scsi_lu *lu)
{
	WRITE_ONCE(lu->wce, !lu->cache_fixed);
	WRITE_ONCE(lu->d_sense, false);
	WRITE_ONCE(lu->swp, false);
}

static unsigned int page_header(const struct mode_page *pg, u8 *p)
{
	p[0] = pg->code;
	if (!pg->sub) {
		p[1] = pg->len;
		return 2;
	}
	p[0] |= 0x40;			/* SPF */
	p[1] = pg->sub;
	put_unaligned_be16(pg->len, p + 2);
	return 4;
}

static unsigned int page_put(const struct scsi_lu *lu,
			     const struct mode_page *pg, enum mode_pc pc, u8 *p)
{
	unsigned int header = page_header(pg, p);

	if (pg->fill)
		pg->fill(lu, pc, p + header);
	return header + pg->len;
}

static bool page_wanted(const struct mode_page *pg, u8 code, u8 sub)
{
	if (code == 0x3f)
		return sub == 0xff || (!sub && !pg->sub);
	return code == pg->code && (sub == 0xff || sub == pg->sub);
}

static bool page_code_known(u8 code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mode_pages); i++)
		if (mode_pages[i].code == code)
			return true;
	return code == 0x3f;
}

/* Returns: bytes of the pages asked for, or 0: the task has ended. */
static unsigned int pages_put(struct scsi_task *task, u8 *p)
{
	u8 code = task->cdb[2] & 0x3f, pc = task->cdb[2] >> 6;
	const struct scsi_lu *lu = task->itl->lu;
	u8 sub = task->cdb[3];
	unsigned int i, len = 0;

	if (pc == MODE_SAVED) {
		scsi_check(task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_NO_SAVING);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(mode_pages); i++)
		if (page_wanted(&mode_pages[i], code, sub))
			len += page_put(lu, &mode_pages[i], pc, p + len);
	if (!len && page_code_known(code))
		scsi_bad_cdb(task, 3, SCSI_NO_BIT);
	else if (!len)
		scsi_bad_cdb(task, 2, 5);
	return len;
}

static unsigned int block_desc_put(const struct scsi_lu *lu, bool llba, u8 *p)
{
	u64 blocks = scsi_capacity(lu);

	if (llba) {
		put_unaligned_be64(blocks, p);
		put_unaligned_be32(scsi_block_bytes(lu), p + 12);
		return 16;
	}
	put_unaligned_be32(min_t(u64, blocks, U32_MAX), p);
	put_unaligned_be24(scsi_block_bytes(lu), p + 5);
	return 8;
}

/* DPO and FUA are supported; is writing? */
static u8 device_specific(const struct scsi_lu *lu)
{
	return 0x10 | (lu->ro || READ_ONCE(lu->swp) ? 0x80 : 0);
}

void scsi_mode_sense6(struct scsi_task *task)
{
	const struct scsi_lu *lu = task->itl->lu;
	u8 buf[MODE_MAX] = {};
	unsigned int desc = 0, len;

	if (!(task->cdb[1] & 0x08))
		desc = block_desc_put(lu, false, buf + 4);
	len = pages_put(task, buf + 4 + desc);
	if (!len)
		return;
	len += 4 + desc;
	buf[0] = len - 1;
	buf[2] = device_specific(lu);
	buf[3] = desc;
	scsi_put(task, task->cdb[4], buf, len);
}

void scsi_mode_sense10(struct scsi_task *task)
{
	const struct scsi_lu *lu = task->itl->lu;
	bool llba = task->cdb[1] & 0x10;
	u8 buf[MODE_MAX] = {};
	unsigned int desc = 0, len;

	if (!(task->cdb[1] & 0x08))
		desc = block_desc_put(lu, llba, buf + 8);
	len = pages_put(task, buf + 8 + desc);
	if (!len)
		return;
	len += 8 + desc;
	put_unaligned_be16(len - 2, buf);
	buf[3] = device_specific(lu);
	buf[4] = desc == 16;		/* LONGLBA */
	put_unaligned_be16(desc, buf + 6);
	scsi_put(task, get_unaligned_be16(task->cdb + 7), buf, len);
}

/**
 * struct mode_select - a parameter list
 * @task: of the command
 * @buf: it
 * @len: its bytes
 * @off: what comes next
 */
struct mode_select {
	struct scsi_task *task;
	u8 buf[MODE_MAX];
	unsigned int len;
	unsigned int off;
};

static bool select_short(struct mode_select *s)
{
	scsi_check(s->task, SCSI_ILLEGAL_REQUEST, SCSI_ASC_PARAM_LIST_LENGTH);
	return false;
}

static bool select_bad(struct mode_select *s, unsigned int byte, u8 bit)
{
	scsi_bad_param(s->task, byte, bit);
	return false;
}

/* All of the medium in blocks of the present size, or "as it is". */
static bool select_block_desc(struct mode_select *s, bool llba)
{
	const struct scsi_lu *lu = s->task->itl->lu;
	const u8 *p = s->buf + s->off;
	u64 all = llba ? U64_MAX : U32_MAX;
	u64 nr = llba ? get_unaligned_be64(p) : get_unaligned_be32(p);
	u32 bytes = llba ? get_unaligned_be32(p + 12) :
			   get_unaligned_be24(p + 5);

	if (nr && nr != all && nr != scsi_capacity(lu))
		return select_bad(s, s->off, SCSI_NO_BIT);
	if (bytes != scsi_block_bytes(lu))
		return select_bad(s, s->off + (llba ? 12 : 5), SCSI_NO_BIT);
	s->off += llba ? 16 : 8;
	return true;
}

/* Mode data length and the device specific parameter are ignored. */
static bool select_header(struct mode_select *s, bool ten)
{
	unsigned int at = ten ? 6 : 3, want, desc;
	bool llba;

	s->off = ten ? 8 : 4;
	if (s->len < s->off)
		return select_short(s);
	/* Medium type. */
	if (s->buf[ten ? 2 : 1])
		return select_bad(s, ten ? 2 : 1, SCSI_NO_BIT);
	llba = ten && s->buf[4] & 0x01;
	want = llba ? 16 : 8;
	desc = ten ? get_unaligned_be16(s->buf + at) : s->buf[at];
	if (!desc)
		return true;
	if (desc != want)
		return select_bad(s, at, SCSI_NO_BIT);
	if (s->len - s->off < desc)
		return select_short(s);
	return select_block_desc(s, llba);
}

static const struct mode_page *select_find(struct mode_select *s)
{
	const u8 *p = s->buf + s->off;
	u8 sub = p[0] & 0x40 ? p[1] : 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mode_pages); i++)
		if (mode_pages[i].code == (p[0] & 0x3f) &&
		    mode_pages[i].sub == sub &&
		    !!mode_pages[i].sub == !!(p[0] & 0x40))
			return &mode_pages[i];
	return NULL;
}

/* What is not changeable must be as it is. */
static bool select_changes_ok(struct mode_select *s, const struct mode_page *pg)
{
	const struct scsi_lu *lu = s->task->itl->lu;
	const u8 *p = s->buf + s->off;
	u8 now[MODE_MAX] = {}, mask[MODE_MAX] = {};
	unsigned int i, len, header = pg->sub ? 4 : 2;
	u8 bad;

	len = page_put(lu, pg, MODE_CURRENT, now);
	page_put(lu, pg, MODE_CHANGEABLE, mask);
	for (i = header; i < len; i++) {
		bad = (p[i] ^ now[i]) & ~mask[i];
		if (bad)
			return select_bad(s, s->off + i, __fls(bad));
	}
	return true;
}

/* Returns: its bytes, or 0: the task has ended. */
static unsigned int select_check_page(struct mode_select *s)
{
	const u8 *p = s->buf + s->off;
	const struct mode_page *pg;
	unsigned int header, len;

	if (s->len - s->off < 2)
		return select_short(s);
	if (p[0] & 0x80)		/* PS */
		return select_bad(s, s->off, 7);
	pg = select_find(s);
	if (!pg)
		return select_bad(s, s->off, 5);
	header = pg->sub ? 4 : 2;
	if (s->len - s->off < header)
		return select_short(s);
	len = pg->sub ? get_unaligned_be16(p + 2) : p[1];
	if (len != pg->len)
		return select_bad(s, s->off + (pg->sub ? 2 : 1), SCSI_NO_BIT);
	if (s->len - s->off < header + len)
		return select_short(s);
	return select_changes_ok(s, pg) ? header + len : 0;
}

static void select_apply(struct mode_select *s, unsigned int off)
{
	struct scsi_lu *lu = s->task->itl->lu;
	const struct mode_page *pg;

	for (s->off = off; s->off < s->len;) {
		pg = select_find(s);
		s->off += pg->sub ? 4 : 2;
		if (pg->set)
			pg->set(lu, s->buf + s->off);
		s->off += pg->len;
	}
	scsi_ua_raise_all(lu, s->task->itl, SCSI_UA_MODE_CHANGED);
}

/* All of it is checked before any of it is done. */
static void select_pages(struct mode_select *s)
{
	unsigned int first = s->off, len;

	while (s->off < s->len) {
		len = select_check_page(s);
		if (!len)
			return;
		s->off += len;
	}
	if (first < s->len)
		select_apply(s, first);
}

static void mode_select(struct scsi_task *task, unsigned int len, bool ten)
{
	struct mode_select s = { .task = task, .len = len };
	struct scsi_lu *lu = task->itl->lu;

	/* Page format: pages as in the standard. */
	if (!(task->cdb[1] & 0x10)) {
		scsi_bad_cdb(task, 1, 4);
		return;
	}
	if (!len)
		return;
	if (len > sizeof(s.buf)) {
		select_short(&s);
		return;
	}
	if (!scsi_get(task, 0, s.buf, len))
		return;
	mutex_lock(&lu->mode_lock);
	if (select_header(&s, ten))
		select_pages(&s);
	mutex_unlock(&lu->mode_lock);
	/* What was in the cache before it was turned off. */
	scsi_settle(task);
}

void scsi_mode_select6(struct scsi_task *task)
{
	mode_select(task, task->cdb[4], false);
}

void scsi_mode_select10(struct scsi_task *task)
{
	mode_select(task, get_unaligned_be16(task->cdb + 7), true);
}
