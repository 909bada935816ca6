// SPDX-License-Identifier: GPL-2.0
/* PRP and SGL walks. */
#include "nvme_bed.h"

#define MAX_PIECES 1100

struct walk {
	struct nv_walk w;
	u8 *mem;
	u64 hole;
	int hole_err;
	unsigned int nr;
	struct {
		u64 addr;
		u32 len;
	} piece[MAX_PIECES];
	u64 total;
	u64 skipped;
	unsigned int reads;
};

static int walk_read(struct nv_walk *w, u64 addr, void *buf, u32 len)
{
	struct walk *t = container_of(w, struct walk, w);
	u64 size = (u64)NB_PAGES * NV_PAGE_SIZE;

	t->reads++;
	if (t->hole && addr <= t->hole && t->hole < addr + len)
		return t->hole_err;
	if (addr < NB_MEM || addr - NB_MEM > size || len > size - (addr - NB_MEM))
		return -EFAULT;
	memcpy(buf, t->mem + (addr - NB_MEM), len);
	return 0;
}

static int walk_piece(struct nv_walk *w, u64 addr, u32 len)
{
	struct walk *t = container_of(w, struct walk, w);

	if (!EXPECT(t->nr < MAX_PIECES) || !EXPECT(len))
		return -E2BIG;
	t->piece[t->nr].addr = addr;
	t->piece[t->nr++].len = len;
	t->total += len;
	return 0;
}

static int walk_skip(struct nv_walk *w, u32 len)
{
	container_of(w, struct walk, w)->skipped += len;
	return 0;
}

static void walk_init(struct walk *t, struct nb *b)
{
	memset(t, 0, sizeof(*t));
	t->w = (struct nv_walk) { walk_read, walk_piece, walk_skip };
	t->mem = b->mem;
}

static __le64 *list_at(struct nb *b, u64 addr)
{
	return (__le64 *)(b->mem + (addr - NB_MEM));
}

#define FIELD(x)	(NV_SC_##x | NV_SC_DNR)
#define PIECE(t, i, a, l)				\
	do {						\
		EXPECT_EQ(a, (t).piece[i].addr);	\
		EXPECT_EQ(l, (t).piece[i].len);		\
	} while (0)

TEST(prp_one, "PRP1 alone: within a page, with an offset")
{
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_prp(&t.w, 0x10e00, ~0ULL, 512));
	EXPECT_EQ(1, t.nr);
	PIECE(t, 0, 0x10e00, 512);
	EXPECT_EQ(0, t.reads);
	nb_free(b);
}

TEST(prp_two, "PRP2 is a page when two suffice; neighbours are one piece")
{
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_prp(&t.w, 0x10800, 0x20000, 4096));
	EXPECT_EQ(2, t.nr);
	PIECE(t, 0, 0x10800, 2048);
	PIECE(t, 1, 0x20000, 2048);

	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_prp(&t.w, 0x10800, 0x11000, 6144));
	EXPECT_EQ(1, t.nr);
	PIECE(t, 0, 0x10800, 6144);
	nb_free(b);
}

TEST(prp_offsets, "offsets that are not allowed are PRP Offset Invalid")
{
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	EXPECT_EQ(FIELD(PRP_OFFSET), nv_walk_prp(&t.w, 0x10002, 0, 512));
	EXPECT_EQ(FIELD(PRP_OFFSET), nv_walk_prp(&t.w, 0x10000, 0x20200, 8192));
	EXPECT_EQ(FIELD(PRP_OFFSET),
		  nv_walk_prp(&t.w, 0x10000, NB_MEM + 4, 16384));
	list_at(b, NB_MEM)[0] = cpu_to_le64(0x20000);
	list_at(b, NB_MEM)[1] = cpu_to_le64(0x21010);
	EXPECT_EQ(FIELD(PRP_OFFSET), nv_walk_prp(&t.w, 0x10000, NB_MEM, 12288));
	nb_free(b);
}

TEST(prp_list, "a list that starts within a page; its last page in part")
{
	struct nb *b = nb_new();
	u64 list = NB_MEM + 0x18;
	struct walk t;
	int i;

	for (i = 0; i < 5; i++)
		list_at(b, list)[i] = cpu_to_le64(0x100000 + i * 0x2000);
	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_prp(&t.w, 0x10c00, list, 1024 + 4 * 4096 + 512));
	ASSERT_EQ(6, t.nr);
	PIECE(t, 0, 0x10c00, 1024);
	PIECE(t, 1, 0x100000, 4096);
	PIECE(t, 5, 0x108000, 512);
	nb_free(b);
}

/* A list of @n pages of data over pages of list, from entry @first on. */
static void chain(struct nb *b, unsigned int first, unsigned int n)
{
	u64 at = NB_MEM + first * 8, left = n;
	unsigned int slots, i, page = 1;

	while (left) {
		slots = (NV_PAGE_SIZE - (at & 4095)) / 8;
		if (left > slots) {
			for (i = 0; i < slots - 1; i++, left--)
				list_at(b, at)[i] =
					cpu_to_le64(0x1000000 + left * 0x2000);
			list_at(b, at)[i] = cpu_to_le64(NB_ADDR(page));
			at = NB_ADDR(page++);
			continue;
		}
		for (i = 0; left; i++, left--)
			list_at(b, at)[i] =
				cpu_to_le64(0x1000000 + left * 0x2000);
	}
}

TEST(prp_chain, "lists over several pages, wherever the first one starts")
{
	static const unsigned int firsts[] = { 0, 1, 255, 509, 510, 511 };
	struct nb *b = nb_new();
	unsigned int i, n;
	struct walk t;

	for (i = 0; i < ARRAY_SIZE(firsts); i++) {
		for (n = 2; n < 1024; n += n < 520 ? 1 : 37) {
			chain(b, firsts[i], n);
			walk_init(&t, b);
			EXPECT_EQ(0, nv_walk_prp(&t.w, 0x10000,
						 NB_MEM + firsts[i] * 8,
						 (n + 1) * 4096));
			EXPECT_EQ(n + 1, t.nr);
			EXPECT_EQ((n + 1) * 4096, t.total);
			PIECE(t, n, 0x1002000, 4096);
		}
	}
	nb_free(b);
}

TEST(prp_chain_bad, "a pointer to the next list must be to a whole page")
{
	struct nb *b = nb_new();
	struct walk t;

	chain(b, 0, 600);
	list_at(b, NB_MEM)[511] = cpu_to_le64(NB_ADDR(1) + 8);
	walk_init(&t, b);
	EXPECT_EQ(FIELD(PRP_OFFSET),
		  nv_walk_prp(&t.w, 0x10000, NB_MEM, 601 * 4096));
	nb_free(b);
}

TEST(prp_nowhere, "a list outside of memory is a data transfer error")
{
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	EXPECT_EQ(FIELD(DATA_XFER), nv_walk_prp(&t.w, 0x10000, 0x8000, 65536));
	t.hole = NB_MEM;
	t.hole_err = -EAGAIN;
	EXPECT_EQ(-EAGAIN, nv_walk_prp(&t.w, 0x10000, NB_MEM, 65536));
	nb_free(b);
}

TEST(prp_lost, "each entry of lists over several pages may be in memory that is lost")
{
	struct nb *b = nb_new();
	unsigned int i;
	struct walk t;

	chain(b, 0, 600);
	for (i = 0; i < 600; i++) {
		walk_init(&t, b);
		/* The last of the first page is the next one's address. */
		t.hole = i < 512 ? NB_MEM + i * 8 : NB_ADDR(1) + (i - 511) * 8;
		t.hole_err = i & 1 ? -EFAULT : -EAGAIN;
		EXPECT_EQ(i & 1 ? FIELD(DATA_XFER) : -EAGAIN,
			  nv_walk_prp(&t.w, 0x10000, NB_MEM, 601 * 4096));
		EXPECT(t.nr <= i + 1);
	}
	nb_free(b);
}

TEST(prp_empty, "no data is nowhere, wherever that is")
{
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_prp(&t.w, 0x10000, ~0ULL, 0));
	EXPECT_EQ(0, t.nr + t.reads);
	nb_free(b);
}

static struct nv_sgl sgl(u8 type, u64 addr, u32 len)
{
	return (struct nv_sgl) {
		.addr = cpu_to_le64(addr), .len = cpu_to_le32(len),
		.type = type,
	};
}

static struct nv_sgl *seg_at(struct nb *b, u64 addr)
{
	return (struct nv_sgl *)(b->mem + (addr - NB_MEM));
}

TEST(sgl_one, "one data block in the command, at any address")
{
	struct nv_sgl d = sgl(NV_SGL_DATA, 0x12345, 777);
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_sgl(&t.w, &d, 777, true));
	PIECE(t, 0, 0x12345, 777);
	EXPECT_EQ(FIELD(SGL_LENGTH), nv_walk_sgl(&t.w, &d, 776, true));
	EXPECT_EQ(FIELD(SGL_LENGTH), nv_walk_sgl(&t.w, &d, 778, true));
	nb_free(b);
}

TEST(sgl_segments, "segments follow segments, the last one says so")
{
	struct nv_sgl d = sgl(NV_SGL_SEG, NB_MEM, 3 * 16);
	struct nb *b = nb_new();
	struct walk t;

	seg_at(b, NB_MEM)[0] = sgl(NV_SGL_DATA, 0x1000, 100);
	seg_at(b, NB_MEM)[1] = sgl(NV_SGL_DATA, 0x2000, 200);
	seg_at(b, NB_MEM)[2] = sgl(NV_SGL_LAST, NB_ADDR(1), 40 * 16);
	for (int i = 0; i < 40; i++)
		seg_at(b, NB_ADDR(1))[i] = sgl(NV_SGL_DATA, 0x3000 + i, 10);
	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_sgl(&t.w, &d, 700, false));
	ASSERT_EQ(42, t.nr);
	PIECE(t, 1, 0x2000, 200);
	PIECE(t, 41, 0x3027, 10);
	nb_free(b);
}

TEST(sgl_empty, "zero length: descriptors move nothing, segments are invalid")
{
	struct nv_sgl d = sgl(NV_SGL_LAST, NB_MEM, 2 * 16);
	struct nb *b = nb_new();
	struct walk t;

	seg_at(b, NB_MEM)[0] = sgl(NV_SGL_DATA, 0x1000, 0);
	seg_at(b, NB_MEM)[1] = sgl(NV_SGL_DATA, 0x2000, 512);
	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_sgl(&t.w, &d, 512, true));
	EXPECT_EQ(1, t.nr);
	d = sgl(NV_SGL_LAST, NB_MEM, 0);
	EXPECT_EQ(FIELD(SGL_SEGMENT), nv_walk_sgl(&t.w, &d, 512, true));
	d = sgl(NV_SGL_LAST, NB_MEM, 24);
	EXPECT_EQ(FIELD(SGL_SEGMENT), nv_walk_sgl(&t.w, &d, 512, true));
	d = sgl(NV_SGL_SEG, NB_MEM + 4, 16);
	EXPECT_EQ(FIELD(SGL_SEGMENT), nv_walk_sgl(&t.w, &d, 512, true));
	nb_free(b);
}

TEST(sgl_self, "a segment that leads to itself ends")
{
	struct nv_sgl d = sgl(NV_SGL_SEG, NB_MEM, 16);
	struct nb *b = nb_new();
	struct walk t;

	seg_at(b, NB_MEM)[0] = d;
	walk_init(&t, b);
	EXPECT_EQ(FIELD(SGL_COUNT), nv_walk_sgl(&t.w, &d, 512, true));
	EXPECT(t.reads <= NV_SGL_MAX + 1);
	nb_free(b);
}

TEST(sgl_endless, "so does one of four billion bytes")
{
	struct nv_sgl d = sgl(NV_SGL_LAST, NB_MEM, 0xfffffff0);
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	EXPECT_EQ(FIELD(SGL_COUNT), nv_walk_sgl(&t.w, &d, 512, true));
	nb_free(b);
}

TEST(sgl_order, "a segment descriptor must be the last, and not of the last")
{
	struct nv_sgl d = sgl(NV_SGL_SEG, NB_MEM, 2 * 16);
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	seg_at(b, NB_MEM)[0] = sgl(NV_SGL_SEG, NB_ADDR(1), 16);
	seg_at(b, NB_MEM)[1] = sgl(NV_SGL_DATA, 0x2000, 512);
	EXPECT_EQ(FIELD(SGL_COUNT), nv_walk_sgl(&t.w, &d, 512, true));
	d = sgl(NV_SGL_LAST, NB_MEM, 16);
	EXPECT_EQ(FIELD(SGL_SEGMENT), nv_walk_sgl(&t.w, &d, 512, true));
	nb_free(b);
}

TEST(sgl_types, "unknown types, keyed ones and subtypes are refused")
{
	static const u8 types[] = { 0x01, 0x40, 0x50, 0xf0, 0x21, 0x0f };
	struct nb *b = nb_new();
	unsigned int i;
	struct walk t;

	walk_init(&t, b);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct nv_sgl d = sgl(types[i], 0x1000, 512);

		EXPECT_EQ(FIELD(SGL_TYPE), nv_walk_sgl(&t.w, &d, 512, true));
	}
	nb_free(b);
}

TEST(sgl_bucket, "bit buckets take what is read, and are nothing for writes")
{
	struct nv_sgl d = sgl(NV_SGL_LAST, NB_MEM, 3 * 16);
	struct nb *b = nb_new();
	struct walk t;

	seg_at(b, NB_MEM)[0] = sgl(NV_SGL_DATA, 0x1000, 512);
	seg_at(b, NB_MEM)[1] = sgl(NV_SGL_BUCKET, 0, 1024);
	seg_at(b, NB_MEM)[2] = sgl(NV_SGL_DATA, 0x2000, 512);
	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_sgl(&t.w, &d, 2048, true));
	EXPECT_EQ(1024, t.total);
	EXPECT_EQ(1024, t.skipped);
	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_sgl(&t.w, &d, 1024, false));
	EXPECT_EQ(1024, t.total);
	EXPECT_EQ(0, t.skipped);
	nb_free(b);
}

TEST(psdt, "PSDT picks PRPs or an SGL; 3 is reserved")
{
	struct nv_sqe cmd = { .prp1 = cpu_to_le64(0x10000) };
	struct nb *b = nb_new();
	struct walk t;

	walk_init(&t, b);
	EXPECT_EQ(0, nv_walk_data(&t.w, &cmd, 512, true));
	cmd.flags = 3 << 6;
	EXPECT_EQ(FIELD(FIELD), nv_walk_data(&t.w, &cmd, 512, true));
	cmd.flags = 1 << 6;
	cmd.sgl = sgl(NV_SGL_DATA, 0x20000, 512);
	EXPECT_EQ(0, nv_walk_data(&t.w, &cmd, 512, true));
	cmd.flags = 2 << 6;
	EXPECT_EQ(0, nv_walk_data(&t.w, &cmd, 512, true));
	PIECE(t, 2, 0x20000, 512);
	nb_free(b);
}
