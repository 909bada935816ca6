// SPDX-License-Identifier: GPL-2.0
/* Reservations on storage: what is read is what was written last, or nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/overflow.h>

#include "../../drivers/core/resv_blob.h"
#include "resv.h"

#define FILE_LEN	(2 * VT_RESV_SLOT)
#define IDENT		"id 0011223344556677 part 1"

static struct vt_resv_state *state_new(unsigned int nr)
{
	struct vt_resv_state *s;
	unsigned int i;

	s = calloc(1, struct_size(s, reg, VT_RESV_MAX_REGISTRANTS + 1));
	s->ptpl = true;
	s->nr = nr;
	s->holder = VT_RESV_NOBODY;
	for (i = 0; i < nr; i++) {
		s->reg[i].id = resv_id(i & 255);
		s->reg[i].id.port = 1 + (i >> 8);
		s->reg[i].key = 0x0102030405060708 + i;
	}
	return s;
}

static bool same(const struct vt_resv_state *a, const struct vt_resv_state *b)
{
	return a->nr == b->nr && a->type == b->type && a->ptpl == b->ptpl &&
	       a->holder == b->holder &&
	       !memcmp(a->reg, b->reg, a->nr * sizeof(a->reg[0]));
}

TEST(blob_round, "what was put into a slot is got out of it")
{
	static const unsigned int nrs[] = { 0, 1, 2, VT_RESV_MAX_REGISTRANTS };
	struct vt_resv_state *got = state_new(0), *s;
	u8 *file = malloc(FILE_LEN);
	unsigned int i;
	u64 seq;

	for (i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
		s = state_new(nrs[i]);
		if (nrs[i]) {
			s->type = VT_RESV_EX_ACCESS_REG;
			s->holder = nrs[i] - 1;
		}
		memset(file, 0, FILE_LEN);
		vt_resv_blob_put(s, IDENT, 77, file + VT_RESV_SLOT);
		EXPECT_EQ(1, vt_resv_blob_get(file, FILE_LEN, IDENT, got,
					      &seq));
		EXPECT_EQ(77, seq);
		EXPECT(same(s, got));
		free(s);
	}
	free(got);
	free(file);
}

TEST(blob_no_ptpl, "of a state that does not persist nothing is kept")
{
	struct vt_resv_state *s = state_new(3), *got = state_new(0);
	u8 *file = calloc(1, FILE_LEN);
	u64 seq;

	s->ptpl = false;
	s->type = VT_RESV_WRITE_EX;
	s->holder = 1;
	vt_resv_blob_put(s, IDENT, 1, file);
	EXPECT_EQ(0, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	EXPECT_EQ(0, got->nr);
	EXPECT_EQ(VT_RESV_NONE, got->type);
	EXPECT(!got->ptpl);
	free(s);
	free(got);
	free(file);
}

TEST(blob_longest, "the longest name and the most registrants fit")
{
	struct vt_resv_state *s = state_new(VT_RESV_MAX_REGISTRANTS);
	struct vt_resv_state *got = state_new(0);
	u8 *file = calloc(1, FILE_LEN);
	char ident[VT_RESV_IDENT];
	u64 seq;

	memset(ident, 'x', sizeof(ident) - 1);
	ident[sizeof(ident) - 1] = '\0';
	vt_resv_blob_put(s, ident, 1, file);
	EXPECT_EQ(0, vt_resv_blob_get(file, FILE_LEN, ident, got, &seq));
	EXPECT(same(s, got));
	free(s);
	free(got);
	free(file);
}

TEST(blob_newest, "the slot written last counts")
{
	struct vt_resv_state *a = state_new(1), *b = state_new(2);
	struct vt_resv_state *got = state_new(0);
	u8 *file = calloc(1, FILE_LEN);
	u64 seq;

	vt_resv_blob_put(a, IDENT, 6, file);
	vt_resv_blob_put(b, IDENT, 5, file + VT_RESV_SLOT);
	EXPECT_EQ(0, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	EXPECT(same(a, got));
	vt_resv_blob_put(b, IDENT, 7, file + VT_RESV_SLOT);
	EXPECT_EQ(1, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	EXPECT(same(b, got));
	free(a);
	free(b);
	free(got);
	free(file);
}

TEST(blob_torn, "a write that stopped at any byte leaves the old state or the new one")
{
	struct vt_resv_state *a = state_new(2), *b = state_new(3);
	struct vt_resv_state *got = state_new(0);
	u8 *file = calloc(1, FILE_LEN), *slot = calloc(1, VT_RESV_SLOT);
	unsigned int cut;
	u64 seq;
	int ret;

	b->reg[0].key = 99;
	vt_resv_blob_put(b, IDENT, 6, slot);
	for (cut = 0; cut <= 256; cut++) {
		vt_resv_blob_put(a, IDENT, 5, file);
		vt_resv_blob_put(a, IDENT, 4, file + VT_RESV_SLOT);
		memcpy(file + VT_RESV_SLOT, slot, cut);
		ret = vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq);
		EXPECT_MSG(ret == 0 ? same(a, got) : ret == 1 && same(b, got),
			   "cut at %u: %d", cut, ret);
	}
	free(a);
	free(b);
	free(got);
	free(file);
	free(slot);
}

TEST(blob_flipped, "no bit of a slot can be wrong unseen")
{
	struct vt_resv_state *a = state_new(1), *b = state_new(1);
	struct vt_resv_state *got = state_new(0);
	u8 *file = calloc(1, FILE_LEN);
	unsigned int bit;
	u64 seq;

	b->reg[0].key = 99;
	vt_resv_blob_put(a, IDENT, 1, file);
	vt_resv_blob_put(b, IDENT, 2, file + VT_RESV_SLOT);
	for (bit = 0; bit < 8 * (32 + sizeof(IDENT) - 1 + 36); bit++) {
		file[VT_RESV_SLOT + bit / 8] ^= 1 << bit % 8;
		EXPECT_MSG(vt_resv_blob_get(file, FILE_LEN, IDENT, got,
					    &seq) == 0 && same(a, got),
			   "bit %u", bit);
		file[VT_RESV_SLOT + bit / 8] ^= 1 << bit % 8;
	}
	free(a);
	free(b);
	free(got);
	free(file);
}

TEST(blob_none, "a file that was never finished has no state, a damaged one is an error")
{
	struct vt_resv_state *s = state_new(1), *got = state_new(0);
	u8 *file = calloc(1, FILE_LEN);
	u64 seq;

	EXPECT_EQ(-ENODATA, vt_resv_blob_get(file, 0, IDENT, got, &seq));
	EXPECT_EQ(-ENODATA, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	/* Of the second one, too, something was begun. */
	file[VT_RESV_SLOT] = 1;
	EXPECT_EQ(-EBADMSG, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	file[VT_RESV_SLOT] = 0;
	vt_resv_blob_put(s, IDENT, 1, file);
	file[40] ^= 1;
	EXPECT_EQ(-ENODATA, vt_resv_blob_get(file, VT_RESV_SLOT, IDENT, got,
					     &seq));
	EXPECT_EQ(-EBADMSG, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	file[40] ^= 1;
	EXPECT_EQ(0, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	EXPECT_EQ(-EBADMSG, vt_resv_blob_get(file, FILE_LEN, "id other", got,
					     &seq));
	free(s);
	free(got);
	free(file);
}

TEST(blob_impossible, "a whole slot with an impossible state is an error")
{
	struct vt_resv_state *s = state_new(2), *got = state_new(0);
	u8 *file = calloc(1, FILE_LEN);
	u64 seq;

	s->type = VT_RESV_WRITE_EX;
	s->holder = 2;
	vt_resv_blob_put(s, IDENT, 1, file);
	EXPECT_EQ(-EBADMSG, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	free(s);
	free(got);
	free(file);
}

TEST(blob_many, "a whole slot with more registrants than there may be is an error")
{
	struct vt_resv_state *s = state_new(VT_RESV_MAX_REGISTRANTS + 1);
	/* Of just the size that is needed: what is beyond it is seen. */
	struct vt_resv_state *got =
		calloc(1, struct_size(got, reg, VT_RESV_MAX_REGISTRANTS));
	u8 *file = calloc(1, FILE_LEN);
	u64 seq;

	vt_resv_blob_put(s, IDENT, 1, file);
	EXPECT_EQ(-EBADMSG, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	EXPECT_EQ(0, got->nr);
	s->nr--;
	vt_resv_blob_put(s, IDENT, 1, file);
	EXPECT_EQ(0, vt_resv_blob_get(file, FILE_LEN, IDENT, got, &seq));
	free(s);
	free(got);
	free(file);
}
