// SPDX-License-Identifier: GPL-2.0
/* Mode pages. */
#include <string.h>

#include <linux/vhost_target.h>

#include "scsi_bed.h"

/* Page control. */
#define CURRENT		0x00
#define CHANGEABLE	0x40
#define DEFAULT		0x80
#define SAVED		0xc0

#define DBD	0x08
#define LLBAA	0x10

static const u8 recovery[] = { 0x01, 10, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const u8 caching[] = { 0x08, 18, 0x04, 0, 0, 0, 0, 0, 0, 0,
			      0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const u8 control[] = { 0x0a, 10, 0, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 0 };
static const u8 control_ext[32] = { 0x4a, 0x01, 0, 28 };
static const u8 exceptions[] = { 0x1c, 10, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

static void sense10(struct sbed *b, u8 flags, u8 page, u8 sub)
{
	sbed_run(b, 0, CDB(0x5a, flags, page, sub, 0, 0, 0, B16(512), 0), 0,
		 512);
}

/* A page of MODE SENSE (10) without block descriptor. */
static void expect_page(struct sbed *b, u8 page, u8 sub, const u8 *want,
			unsigned int len)
{
	sense10(b, DBD, page, sub);
	EXPECT_GOOD(b);
	EXPECT_EQ(8 + len, b->task.moved);
	EXPECT_EQ(6 + len, get_unaligned_be16(b->in));
	EXPECT_EQ(0x10, b->in[3]);
	EXPECT_EQ(0, get_unaligned_be16(b->in + 6));
	EXPECT_MSG(!memcmp(b->in + 8, want, len), "page %02x/%02x", page, sub);
}

TEST(mode_pages, "mode sense: each page, as it is and as it began")
{
	struct sbed *b = sbed_new();

	expect_page(b, 0x01, 0, recovery, sizeof(recovery));
	expect_page(b, 0x08, 0, caching, sizeof(caching));
	expect_page(b, 0x0a, 0, control, sizeof(control));
	expect_page(b, 0x0a, 1, control_ext, sizeof(control_ext));
	expect_page(b, 0x1c, 0, exceptions, sizeof(exceptions));
	b->lu.wce = false;
	b->lu.d_sense = true;
	b->lu.swp = true;
	sense10(b, DBD, 0x08, 0);
	EXPECT_EQ(0, b->in[10]);
	sense10(b, DBD, 0x0a, 0);
	EXPECT_EQ(0x90, b->in[3]);
	EXPECT_EQ(0x04, b->in[10]);
	EXPECT_EQ(0x08, b->in[12]);
	b->lu.swp = false;
	expect_page(b, 0x08 | DEFAULT, 0, caching, sizeof(caching));
	expect_page(b, 0x0a | DEFAULT, 0, control, sizeof(control));
	sbed_free(b);
}

static void expect_changeable(struct sbed *b, u8 page, u8 sub,
			      const u8 *page_now, unsigned int header,
			      unsigned int len, const u8 *mask)
{
	u8 want[64] = {};

	memcpy(want, page_now, header);
	if (mask)
		memcpy(want + header, mask, 3);
	expect_page(b, page | CHANGEABLE, sub, want, len);
}

TEST(mode_changeable, "mode sense: WCE, D_SENSE and SWP can be changed")
{
	static const u8 wce[] = { 0x04, 0, 0 }, d_swp[] = { 0x04, 0, 0x08 };
	struct sbed *b = sbed_new();

	expect_changeable(b, 0x01, 0, recovery, 2, 12, NULL);
	expect_changeable(b, 0x08, 0, caching, 2, 20, wce);
	expect_changeable(b, 0x0a, 0, control, 2, 12, d_swp);
	expect_changeable(b, 0x0a, 1, control_ext, 4, 32, NULL);
	expect_changeable(b, 0x1c, 0, exceptions, 2, 12, NULL);
	sbed_free(b);
}

TEST(mode_all, "mode sense: all pages, with and without subpages")
{
	struct sbed *b = sbed_new();
	u8 want[128], *p = want;

	p = mempcpy(p, recovery, sizeof(recovery));
	p = mempcpy(p, caching, sizeof(caching));
	p = mempcpy(p, control, sizeof(control));
	p = mempcpy(p, exceptions, sizeof(exceptions));
	expect_page(b, 0x3f, 0, want, p - want);
	p -= sizeof(exceptions);
	p = mempcpy(p, control_ext, sizeof(control_ext));
	p = mempcpy(p, exceptions, sizeof(exceptions));
	expect_page(b, 0x3f, 0xff, want, p - want);
	p = mempcpy(want, control, sizeof(control));
	p = mempcpy(p, control_ext, sizeof(control_ext));
	expect_page(b, 0x0a, 0xff, want, p - want);
	sbed_free(b);
}

TEST(mode_unknown, "mode sense: unknown pages, subpages, saved values")
{
	struct sbed *b = sbed_new();

	sense10(b, 0, 0x02, 0);
	EXPECT_BAD_CDB(b, 2, 5);
	sense10(b, 0, 0x02, 0xff);
	EXPECT_BAD_CDB(b, 2, 5);
	sense10(b, 0, 0x08, 0x01);
	EXPECT_BAD_CDB(b, 3, -1);
	sense10(b, 0, 0x0a, 0x02);
	EXPECT_BAD_CDB(b, 3, -1);
	sense10(b, 0, 0x3f, 0x01);
	EXPECT_BAD_CDB(b, 3, -1);
	sense10(b, 0, 0x08 | SAVED, 0);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_NO_SAVING);
	sbed_free(b);
}

TEST(mode_header, "mode sense: headers and block descriptors of each length")
{
	static const u8 short_desc[] = { 0, 0, 0x10, 0, 0, 0, 0x02, 0 };
	static const u8 long_desc[16] = { [6] = 0x10, [14] = 0x02 };
	struct sbed *b = sbed_new();

	sbed_run(b, 0, CDB(0x1a, 0, 0x08, 0, 255, 0), 0, 255);
	EXPECT_GOOD(b);
	EXPECT_EQ(4 + 8 + 20, b->task.moved);
	EXPECT_EQ(31, b->in[0]);
	EXPECT_EQ(0, b->in[1]);
	EXPECT_EQ(0x10, b->in[2]);
	EXPECT_EQ(8, b->in[3]);
	EXPECT(!memcmp(b->in + 4, short_desc, 8));
	EXPECT(!memcmp(b->in + 12, caching, 20));
	sbed_run(b, 0, CDB(0x1a, DBD, 0x08, 0, 255, 0), 0, 255);
	EXPECT_EQ(24, b->task.moved);
	EXPECT_EQ(0, b->in[3]);

	sense10(b, 0, 0x08, 0);
	EXPECT_EQ(8 + 8 + 20, b->task.moved);
	EXPECT_EQ(34, get_unaligned_be16(b->in));
	EXPECT_EQ(0, b->in[4]);
	EXPECT_EQ(8, get_unaligned_be16(b->in + 6));
	EXPECT(!memcmp(b->in + 8, short_desc, 8));
	sense10(b, LLBAA, 0x08, 0);
	EXPECT_EQ(8 + 16 + 20, b->task.moved);
	EXPECT_EQ(1, b->in[4]);
	EXPECT_EQ(16, get_unaligned_be16(b->in + 6));
	EXPECT(!memcmp(b->in + 8, long_desc, 16));
	sbed_free(b);
}

/* A MODE SELECT (10) with these bytes after the header. */
static u8 mode_select_list(struct sbed *b, const u8 *list, unsigned int len)
{
	sbed_task(b, 0, CDB(0x55, 0x10, 0, 0, 0, 0, 0, B16(8 + len), 0),
		  8 + len, 0);
	if (len)
		memcpy(b->out + 8, list, len);
	return sbed_go(b);
}

static void page_with(u8 *buf, const u8 *page, unsigned int len,
		      unsigned int byte, u8 value)
{
	memcpy(buf, page, len);
	buf[byte] = value;
}

TEST(mode_wce, "mode select: the write cache can be turned off and on")
{
	struct sbed *b = sbed_new();
	u8 page[20];

	page_with(page, caching, sizeof(caching), 2, 0);
	EXPECT_EQ(SCSI_GOOD, mode_select_list(b, page, sizeof(page)));
	EXPECT(!b->lu.wce);
	EXPECT_EQ(1, b->ops[VT_OP_FLUSH]);
	EXPECT_EQ(8 + 20, b->task.moved);
	EXPECT_EQ(SCSI_GOOD, mode_select_list(b, caching, sizeof(caching)));
	EXPECT(b->lu.wce);
	sbed_free(b);
}

TEST(mode_ua, "mode select: the other initiator is told")
{
	struct sbed *b = sbed_new();

	EXPECT_EQ(SCSI_GOOD, mode_select_list(b, NULL, 0));
	EXPECT_EQ(0, scsi_ua_take(&b->itl[1]));
	EXPECT_EQ(SCSI_GOOD, mode_select_list(b, caching, sizeof(caching)));
	EXPECT_EQ(0, scsi_ua_take(&b->itl[0]));
	EXPECT_EQ(0x2a01, scsi_ua_take(&b->itl[1]));
	sbed_free(b);
}

TEST(mode_control, "mode select: D_SENSE and SWP do what they say")
{
	struct sbed *b = sbed_new();
	u8 page[12];

	page_with(page, control, sizeof(control), 2, 0x04);
	page[4] = 0x08;
	EXPECT_EQ(SCSI_GOOD, mode_select_list(b, page, sizeof(page)));
	sbed_run(b, 0, CDB(0x2a, 0, B32(0), 0, B16(1), 0), 512, 0);
	EXPECT_CHECK(b, SCSI_DATA_PROTECT, SCSI_ASC_SOFT_PROTECTED);
	EXPECT_EQ(0x72, b->task.sense[0]);
	EXPECT_EQ(8, b->task.sense_len);
	scsi_lu_reset(&b->lu, SCSI_UA_LU_RESET);
	EXPECT_EQ(0x2903, scsi_ua_take(&b->itl[0]));
	EXPECT_EQ(0x2903, scsi_ua_take(&b->itl[1]));
	EXPECT(!b->lu.swp && !b->lu.d_sense && b->lu.wce);
	sbed_free(b);
}

TEST(mode_power_on, "mode pages: power on sets defaults, if nobody else is there")
{
	struct sbed *b = sbed_new();

	b->lu.swp = true;
	b->lu.wce = false;
	b->itl[1].stopped = true;
	scsi_itl_power_on(&b->itl[0]);
	EXPECT(b->lu.swp && !b->lu.wce);
	scsi_itl_detach(&b->itl[1]);
	scsi_itl_power_on(&b->itl[0]);
	EXPECT(!b->lu.swp && b->lu.wce);
	memset(&b->itl[1], 0, sizeof(b->itl[1]));
	scsi_itl_attach(&b->itl[1], &b->nexus[1], &b->lu);
	EXPECT_EQ(BIT(SCSI_UA_POWER_ON), atomic_read(&b->itl[1].ua));
	sbed_free(b);
}

static void not_changeable(struct sbed *b, const u8 *now, unsigned int header,
			   unsigned int len)
{
	unsigned int byte, bit;
	u8 page[64], mask;

	sense10(b, DBD, (now[0] & 0x3f) | CHANGEABLE, now[0] & 0x40 ? 1 : 0);
	for (byte = header; byte < len; byte++)
		for (bit = 0; bit < 8; bit++) {
			sense10(b, DBD, (now[0] & 0x3f) | CHANGEABLE,
				now[0] & 0x40 ? 1 : 0);
			mask = b->in[8 + byte];
			if (mask & 1 << bit)
				continue;
			page_with(page, now, len, byte, now[byte] ^ 1 << bit);
			mode_select_list(b, page, len);
			EXPECT_BAD_PARAM(b, 8 + byte, bit);
		}
}

TEST(mode_bits, "mode select: each bit that cannot be changed is found out")
{
	struct sbed *b = sbed_new();

	not_changeable(b, recovery, 2, sizeof(recovery));
	not_changeable(b, caching, 2, sizeof(caching));
	not_changeable(b, control, 2, sizeof(control));
	not_changeable(b, control_ext, 4, sizeof(control_ext));
	not_changeable(b, exceptions, 2, sizeof(exceptions));
	EXPECT_EQ(0, scsi_ua_take(&b->itl[1]));
	sbed_free(b);
}

static void set_fixed(struct sbed *b, struct scsi_lu_params *p)
{
	(void)b;
	p->flags = VHOST_TARGET_UNIT_F_WRITETHROUGH;
}

static void set_no_cache(struct sbed *b, struct scsi_lu_params *p)
{
	(void)p;
	b->be.limits.write_cache = false;
}

static void no_cache(void (*set)(struct sbed *b, struct scsi_lu_params *p))
{
	struct sbed *b = sbed_new_with(set);
	u8 page[20], none[] = { 0, 0, 0 };

	page_with(page, caching, sizeof(caching), 2, 0);
	expect_page(b, 0x08, 0, page, sizeof(page));
	expect_page(b, 0x08 | DEFAULT, 0, page, sizeof(page));
	expect_changeable(b, 0x08, 0, caching, 2, 20, none);
	mode_select_list(b, caching, sizeof(caching));
	EXPECT_BAD_PARAM(b, 10, 2);
	EXPECT(!b->lu.wce);
	sbed_free(b);
}

TEST(mode_fixed, "mode pages: a cache that is off for good, or not there")
{
	no_cache(set_fixed);
	no_cache(set_no_cache);
}

TEST(mode_both, "mode select: nothing is done if any of it is wrong")
{
	struct sbed *b = sbed_new();
	u8 list[32];

	memcpy(list, caching, 20);
	list[2] = 0;
	memcpy(list + 20, control, 12);
	list[20 + 4] = 0x01;
	mode_select_list(b, list, sizeof(list));
	EXPECT_BAD_PARAM(b, 8 + 24, 0);
	EXPECT(b->lu.wce);
	list[20 + 4] = 0x08;
	EXPECT_EQ(SCSI_GOOD, mode_select_list(b, list, sizeof(list)));
	EXPECT(!b->lu.wce && b->lu.swp);
	sbed_free(b);
}

TEST(mode_pagehead, "mode select: page codes and lengths")
{
	struct sbed *b = sbed_new();
	u8 page[32];

	page_with(page, caching, 20, 0, 0x88);		/* PS */
	mode_select_list(b, page, 20);
	EXPECT_BAD_PARAM(b, 8, 7);
	page_with(page, caching, 20, 0, 0x09);
	mode_select_list(b, page, 20);
	EXPECT_BAD_PARAM(b, 8, 5);
	page_with(page, control_ext, 32, 1, 0x02);
	mode_select_list(b, page, 32);
	EXPECT_BAD_PARAM(b, 8, 5);
	page_with(page, caching, 20, 0, 0x48);		/* no subpage 0 */
	page[1] = 0;
	mode_select_list(b, page, 20);
	EXPECT_BAD_PARAM(b, 8, 5);
	page_with(page, caching, 20, 1, 17);
	mode_select_list(b, page, 20);
	EXPECT_BAD_PARAM(b, 9, -1);
	page_with(page, control_ext, 32, 3, 29);
	mode_select_list(b, page, 32);
	EXPECT_BAD_PARAM(b, 10, -1);
	sbed_free(b);
}

TEST(mode_short, "mode select: a list that ends anywhere but between pages")
{
	struct sbed *b = sbed_new();
	unsigned int n;
	u8 list[52];

	memcpy(list, caching, 20);
	memcpy(list + 20, control_ext, 32);
	for (n = 0; n <= sizeof(list); n++) {
		mode_select_list(b, list, n);
		if (!n || n == 20 || n == 52)
			EXPECT_GOOD(b);
		else
			EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST,
				     SCSI_ASC_PARAM_LIST_LENGTH);
	}
	for (n = 1; n < 8; n++) {
		sbed_run(b, 0, CDB(0x55, 0x10, 0, 0, 0, 0, 0, 0, n, 0), n, 0);
		EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST,
			     SCSI_ASC_PARAM_LIST_LENGTH);
	}
	for (n = 1; n < 4; n++) {
		sbed_run(b, 0, CDB(0x15, 0x10, 0, 0, n, 0), n, 0);
		EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST,
			     SCSI_ASC_PARAM_LIST_LENGTH);
	}
	sbed_run(b, 0, CDB(0x55, 0x10, 0, 0, 0, 0, 0, B16(257), 0), 257, 0);
	EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST, SCSI_ASC_PARAM_LIST_LENGTH);
	sbed_run(b, 0, CDB(0x55, 0x10, 0, 0, 0, 0, 0, 0, 0, 0), 0, 0);
	EXPECT_GOOD(b);
	/* In the middle of a block descriptor. */
	for (n = 8; n < 16; n++) {
		sbed_task(b, 0, CDB(0x55, 0x10, 0, 0, 0, 0, 0, 0, n, 0), n, 0);
		b->out[7] = 8;
		sbed_go(b);
		EXPECT_CHECK(b, SCSI_ILLEGAL_REQUEST,
			     SCSI_ASC_PARAM_LIST_LENGTH);
	}
	sbed_run(b, 0, CDB(0x55, 0, 0, 0, 0, 0, 0, 0, 8, 0), 8, 0);
	EXPECT_BAD_CDB(b, 1, 4);
	sbed_free(b);
}

/* Header and block descriptor of MODE SELECT (10). */
static void with_desc(struct sbed *b, u8 longlba, u16 len, u64 nr, u32 bytes)
{
	sbed_task(b, 0, CDB(0x55, 0x10, 0, 0, 0, 0, 0, B16(24), 0), 24, 0);
	b->out[4] = longlba;
	put_unaligned_be16(len, b->out + 6);
	if (longlba) {
		put_unaligned_be64(nr, b->out + 8);
		put_unaligned_be32(bytes, b->out + 20);
	} else {
		b->task.cdb[8] = 16;
		put_unaligned_be32(nr, b->out + 8);
		put_unaligned_be24(bytes, b->out + 13);
	}
	sbed_go(b);
}

TEST(mode_desc, "mode select: block descriptors that change nothing are fine")
{
	struct sbed *b = sbed_new();

	with_desc(b, 0, 8, 0, 512);
	EXPECT_GOOD(b);
	with_desc(b, 0, 8, SBED_SECTORS, 512);
	EXPECT_GOOD(b);
	with_desc(b, 0, 8, 0xffffffff, 512);
	EXPECT_GOOD(b);
	with_desc(b, 1, 16, ~0ULL, 512);
	EXPECT_GOOD(b);
	with_desc(b, 1, 16, SBED_SECTORS, 512);
	EXPECT_GOOD(b);
	with_desc(b, 0, 8, 1000, 512);
	EXPECT_BAD_PARAM(b, 8, -1);
	with_desc(b, 0, 8, 0, 4096);
	EXPECT_BAD_PARAM(b, 13, -1);
	with_desc(b, 1, 16, 0, 520);
	EXPECT_BAD_PARAM(b, 20, -1);
	with_desc(b, 1, 8, 0, 512);
	EXPECT_BAD_PARAM(b, 6, -1);
	with_desc(b, 0, 16, 0, 512);
	EXPECT_BAD_PARAM(b, 6, -1);
	sbed_free(b);
}

TEST(mode_select6, "mode select (6): its header is a shorter one")
{
	struct sbed *b = sbed_new();

	sbed_task(b, 0, CDB(0x15, 0x10, 0, 0, 32, 0), 32, 0);
	b->out[3] = 8;
	b->out[10] = 0x02;
	memcpy(b->out + 12, caching, 20);
	b->out[14] = 0;
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT(!b->lu.wce);
	sbed_task(b, 0, CDB(0x15, 0x10, 0, 0, 24, 0), 24, 0);
	b->out[1] = 1;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 1, -1);
	sbed_task(b, 0, CDB(0x15, 0x10, 0, 0, 24, 0), 24, 0);
	b->out[3] = 7;
	sbed_go(b);
	EXPECT_BAD_PARAM(b, 3, -1);
	sbed_free(b);
}
