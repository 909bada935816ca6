// SPDX-License-Identifier: GPL-2.0
/*
 * Reservations as bytes: see resv_blob.h. Also compiled in user space. All
 * numbers are little endian.
 */
#include <linux/crc32.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "resv_blob.h"
#include "resv_op.h"

#define BLOB_MAGIC	0x3156534552545648ULL	/* "HVTRESV1" */

/**
 * struct blob_head - beginning of a slot
 * @magic: BLOB_MAGIC
 * @seq: number of the write
 * @len: bytes of all the following, this head included
 * @crc: CRC-32 over @len bytes, while it is 0
 * @type: as in struct vt_resv_state, up to @holder
 * @ptpl: likewise
 * @nr: registrants
 * @holder: likewise
 * @ident_len: bytes of the name that follows; then come the registrants
 */
struct blob_head {
	__le64 magic;
	__le64 seq;
	__le32 len;
	__le32 crc;
	u8 type;
	u8 ptpl;
	__le16 nr;
	__le16 holder;
	__le16 ident_len;
};

struct blob_reg {
	u8 proto;
	u8 len;
	__le16 port;
	__le64 key;
	u8 bytes[VT_RESV_ID_LEN];
} __packed;

static_assert(sizeof(struct blob_head) == 32);
static_assert(sizeof(struct blob_reg) == 36);
static_assert(sizeof(struct blob_head) + VT_RESV_IDENT +
	      VT_RESV_MAX_REGISTRANTS * sizeof(struct blob_reg) <=
	      VT_RESV_SLOT);

static u32 blob_crc(const u8 *slot, u32 len)
{
	const u32 at = offsetof(struct blob_head, crc);
	static const __le32 zero;
	u32 crc;

	crc = crc32_le(~0U, slot, at);
	crc = crc32_le(crc, (const u8 *)&zero, sizeof(zero));
	return crc32_le(crc, slot + at + sizeof(zero), len - at - sizeof(zero));
}

static void blob_put_reg(const struct vt_resv_reg *reg, u8 *to)
{
	struct blob_reg b = {
		.proto = reg->id.proto,
		.len = reg->id.len,
		.port = cpu_to_le16(reg->id.port),
		.key = cpu_to_le64(reg->key),
	};

	memcpy(b.bytes, reg->id.bytes, VT_RESV_ID_LEN);
	memcpy(to, &b, sizeof(b));
}

void vt_resv_blob_put(const struct vt_resv_state *s, const char *ident,
		      u64 seq, u8 *slot)
{
	u16 nr = s->ptpl ? s->nr : 0, ident_len = strlen(ident);
	u32 len = sizeof(struct blob_head) + ident_len +
		  nr * sizeof(struct blob_reg);
	struct blob_head h = {
		.magic = cpu_to_le64(BLOB_MAGIC),
		.seq = cpu_to_le64(seq),
		.len = cpu_to_le32(len),
		.type = s->ptpl ? s->type : VT_RESV_NONE,
		.ptpl = s->ptpl,
		.nr = cpu_to_le16(nr),
		.holder = cpu_to_le16(s->ptpl ? s->holder : VT_RESV_NOBODY),
		.ident_len = cpu_to_le16(ident_len),
	};
	u8 *p = slot + sizeof(h);
	unsigned int i;

	memset(slot, 0, VT_RESV_SLOT);
	memcpy(slot, &h, sizeof(h));
	memcpy(p, ident, ident_len);
	p += ident_len;
	for (i = 0; i < nr; i++, p += sizeof(struct blob_reg))
		blob_put_reg(&s->reg[i], p);
	h.crc = cpu_to_le32(blob_crc(slot, len));
	memcpy(slot, &h, sizeof(h));
}

/* The head of a slot, if all of it is whole and its lengths fit. */
static int blob_head(const u8 *slot, const char *ident, struct blob_head *h)
{
	u32 len, want;

	memcpy(h, slot, sizeof(*h));
	if (!memchr_inv(h, 0, sizeof(*h)))
		return -ENODATA;
	len = le32_to_cpu(h->len);
	want = sizeof(*h) + le16_to_cpu(h->ident_len) +
	       le16_to_cpu(h->nr) * sizeof(struct blob_reg);
	if (le64_to_cpu(h->magic) != BLOB_MAGIC || len > VT_RESV_SLOT ||
	    len != want || le32_to_cpu(h->crc) != blob_crc(slot, len))
		return -EBADMSG;
	if (le16_to_cpu(h->nr) > VT_RESV_MAX_REGISTRANTS)
		return -EBADMSG;
	if (le16_to_cpu(h->ident_len) != strlen(ident) ||
	    memcmp(slot + sizeof(*h), ident, strlen(ident)))
		return -EBADMSG;
	return 0;
}

static void blob_get_reg(const u8 *from, struct vt_resv_reg *reg)
{
	struct blob_reg b;

	memcpy(&b, from, sizeof(b));
	reg->id.proto = b.proto;
	reg->id.len = b.len;
	reg->id.port = le16_to_cpu(b.port);
	reg->key = le64_to_cpu(b.key);
	memcpy(reg->id.bytes, b.bytes, VT_RESV_ID_LEN);
}

static void blob_get_state(const u8 *slot, const struct blob_head *h,
			   struct vt_resv_state *s)
{
	const u8 *p = slot + sizeof(*h) + le16_to_cpu(h->ident_len);
	unsigned int i;

	s->generation = 0;
	s->type = h->type;
	s->ptpl = h->ptpl;
	s->nr = le16_to_cpu(h->nr);
	s->holder = le16_to_cpu(h->holder);
	for (i = 0; i < s->nr; i++, p += sizeof(struct blob_reg))
		blob_get_reg(p, &s->reg[i]);
}

int vt_resv_blob_get(const u8 *file, size_t len, const char *ident,
		     struct vt_resv_state *s, u64 *seq)
{
	struct blob_head h[2];
	int err[2], i, best = -1;

	for (i = 0; i < 2; i++) {
		err[i] = blob_head(file + i * VT_RESV_SLOT, ident, &h[i]);
		if (!err[i] && (best < 0 || le64_to_cpu(h[i].seq) >
				le64_to_cpu(h[best].seq)))
			best = i;
	}
	if (best < 0) {
		/* The first slot starts as none: then the file was not done. */
		if (len <= VT_RESV_SLOT || (err[0] == -ENODATA &&
					    err[1] == -ENODATA))
			return -ENODATA;
		return -EBADMSG;
	}
	*seq = le64_to_cpu(h[best].seq);
	blob_get_state(file + best * VT_RESV_SLOT, &h[best], s);
	return vt_resv_state_ok(s) ? best : -EBADMSG;
}
