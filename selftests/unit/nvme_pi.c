// SPDX-License-Identifier: GPL-2.0
/* Commands of a namespace with protection information. */
#include <linux/crc-t10dif.h>

#include "nvme_io_bed.h"

#define GUARD	NV_PRCHK_GUARD
#define APP	NV_PRCHK_APP
#define REF	NV_PRCHK_REF
#define ALL	(GUARD | REF)

#define LBA	0x77
#define META	4		/* guest page of the metadata, at META_AT */
#define META_AT	0xff4		/* not on one page */
#define NR	8

static struct iob *pi_new(u8 type)
{
	struct iob *b = iob_new();
	struct vt_limits *l = &b->b->unit[0].be->limits;

	l->pi_type = type;
	l->pi_interval = l->block_size;
	return b;
}

static struct vt_pi_tuple *meta(struct iob *b)
{
	return (void *)(nb_page(b->b, META) + META_AT);
}

static struct nv_sqe *pi_cmd(struct iob *b, u8 opcode, u8 prinfo)
{
	struct nv_sqe *sqe = iob_rw(b, opcode, 1, LBA, NR);

	sqe->cdw12 |= cpu_to_le32((u32)prinfo << 26);
	sqe->cdw14 = cpu_to_le32(LBA);
	sqe->mptr = cpu_to_le64(NB_ADDR(META) + META_AT);
	return sqe;
}

static void set_meta(struct iob *b, u16 app)
{
	struct vt_pi_tuple *t = meta(b);
	unsigned int i;

	for (i = 0; i < NR; i++)
		t[i] = (struct vt_pi_tuple) {
			.guard = cpu_to_be16(0x1111 * i),
			.app = cpu_to_be16(app),
			.ref = cpu_to_be32(LBA + i),
		};
}

/* It ends; whatever it held is freed. */
static u16 end(struct iob *b, blk_status_t st)
{
	b->r.req.io.status = st;
	if (b->r.req.io.pi)
		nv_pi_complete(&b->r.req);
	EXPECT(!b->r.req.io.pi);
	return nv_io_status(&b->r.req);
}

/* Parsed with @ret; then it ends well. */
static void expect_parse(struct iob *b, int ret)
{
	EXPECT_EQ(ret, iob_parse(b));
	EXPECT_EQ(0, end(b, BLK_STS_OK));
}

TEST(pi_write, "pi: a write's tuples are copied, the device checks them")
{
	struct iob *b = pi_new(1);
	struct vt_pi *pi;

	set_meta(b, 0x1234);
	pi_cmd(b, NV_CMD_WRITE, ALL);
	ASSERT_EQ(0, iob_parse(b));
	pi = b->r.req.io.pi;
	ASSERT(pi != NULL);
	EXPECT_EQ(NR, pi->nr);
	EXPECT_EQ(LBA, pi->ref);
	EXPECT(pi->check);
	EXPECT(!memcmp(pi->tuple, meta(b), NR * VT_PI_BYTES));
	EXPECT_EQ(NR * 512, b->r.req.io.bytes);
	EXPECT_EQ(0, end(b, BLK_STS_OK));
	iob_free(b);
}

TEST(pi_read, "pi: a read's tuples go where MPTR says, over pages")
{
	struct iob *b = pi_new(1);
	struct vt_pi *pi;
	unsigned int i;

	memset(nb_page(b->b, META), 0xee, 2 * NV_PAGE_SIZE);
	pi_cmd(b, NV_CMD_READ, ALL);
	ASSERT_EQ(0, iob_parse(b));
	pi = b->r.req.io.pi;
	ASSERT(pi != NULL);
	EXPECT_EQ(2, b->r.cmd.nr_meta);
	for (i = 0; i < NR; i++)
		pi->tuple[i].ref = cpu_to_be32(i);
	EXPECT_EQ(0, end(b, BLK_STS_OK));
	for (i = 0; i < NR; i++)
		EXPECT_EQ(i, be32_to_cpu(meta(b)[i].ref));
	EXPECT_EQ(0xee, ((u8 *)meta(b))[-1]);
	EXPECT_EQ(0xee, ((u8 *)meta(b))[NR * VT_PI_BYTES]);
	/* Of one that failed there are none. */
	memset(meta(b), 0xee, NR * VT_PI_BYTES);
	pi_cmd(b, NV_CMD_READ, ALL);
	ASSERT_EQ(0, iob_parse(b));
	EXPECT_EQ(SC(NV_SC_READ_ERROR), end(b, BLK_STS_IOERR));
	EXPECT_EQ(0xee, *(u8 *)meta(b));
	iob_free(b);
}

TEST(pi_slow, "pi: what a device cannot be told is for the work item")
{
	static const struct {
		u8 type, opcode, prinfo;
		u32 ref;
		u16 app;
		int ret;
	} cases[] = {
		{ 1, NV_CMD_READ, ALL, LBA, 0, 0 },
		{ 1, NV_CMD_READ, ALL | APP, LBA, 0, 0 },
		{ 1, NV_CMD_READ, GUARD, 0, 0, 2 },
		{ 1, NV_CMD_READ, REF, LBA, 0, 2 },
		{ 1, NV_CMD_READ, 0, 0, 0, 2 },
		{ 1, NV_CMD_READ, NV_PRACT | ALL, LBA, 0, 0 },
		{ 1, NV_CMD_READ, NV_PRACT, 0, 0, 2 },
		{ 1, NV_CMD_WRITE, ALL, LBA, 0, 0 },
		{ 1, NV_CMD_WRITE, GUARD, 0, 0, 2 },
		{ 1, NV_CMD_WRITE, 0, 0, 0, 2 },
		{ 1, NV_CMD_WRITE, NV_PRACT | ALL, LBA, 0, 0 },
		{ 1, NV_CMD_WRITE, NV_PRACT, LBA, 0, 0 },
		{ 1, NV_CMD_WRITE, NV_PRACT, LBA, 7, 2 },
		{ 3, NV_CMD_READ, GUARD, 0, 0, 0 },
		{ 3, NV_CMD_READ, 0, 0, 0, 2 },
		{ 3, NV_CMD_WRITE, GUARD, 0, 0, 0 },
		{ 3, NV_CMD_WRITE, NV_PRACT, 0, 0, 2 },
		{ 3, NV_CMD_WRITE, NV_PRACT, 5, 0, 2 },
		{ 1, NV_CMD_COMPARE, ALL, LBA, 0, 2 },
		{ 1, NV_CMD_VERIFY, GUARD, 0, 0, 2 },
		{ 1, NV_CMD_WRITE_ZEROES, NV_PRACT, LBA, 0, 2 },
		{ 1, NV_CMD_WRITE_ZEROES, 0, 0, 0, 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iob *b = pi_new(cases[i].type);
		struct nv_sqe *sqe;
		bool pract = cases[i].prinfo & NV_PRACT;

		set_meta(b, 0);
		sqe = pi_cmd(b, cases[i].opcode, cases[i].prinfo);
		sqe->cdw14 = cpu_to_le32(cases[i].ref);
		sqe->cdw15 = cpu_to_le32(cases[i].app);
		EXPECT_EQ(cases[i].ret, iob_parse(b));
		/* With PRACT none of the host's are touched. */
		EXPECT_EQ(0, pract ? b->r.cmd.nr_meta : 0);
		if (cases[i].opcode == NV_CMD_WRITE)
			EXPECT_EQ(!pract, b->r.req.io.pi != NULL);
		EXPECT_EQ(0, end(b, BLK_STS_OK));
		iob_free(b);
	}
}

TEST(pi_refused, "pi: tags that cannot be, pointers that are not offered")
{
	struct iob *b = pi_new(1);

	pi_cmd(b, NV_CMD_READ, ALL)->cdw14 = cpu_to_le32(LBA + 1);
	EXPECT_STATUS(b, NV_SC_PROT_INFO);
	pi_cmd(b, NV_CMD_WRITE, NV_PRACT)->cdw14 = cpu_to_le32(LBA + 1);
	EXPECT_STATUS(b, NV_SC_PROT_INFO);
	pi_cmd(b, NV_CMD_WRITE_ZEROES, NV_PRACT)->cdw14 = 0;
	EXPECT_STATUS(b, NV_SC_PROT_INFO);
	pi_cmd(b, NV_CMD_COMPARE, NV_PRACT);
	EXPECT_STATUS(b, NV_SC_PROT_INFO);
	pi_cmd(b, NV_CMD_VERIFY, NV_PRACT);
	EXPECT_STATUS(b, NV_SC_PROT_INFO);
	pi_cmd(b, NV_CMD_READ, ALL)->mptr = cpu_to_le64(NB_ADDR(META) + 2);
	EXPECT_STATUS(b, NV_SC_FIELD);
	pi_cmd(b, NV_CMD_READ, ALL)->flags = 2 << 6;
	EXPECT_STATUS(b, NV_SC_FIELD);
	pi_cmd(b, NV_CMD_READ, ALL)->mptr = cpu_to_le64(NB_ADDR(NB_PAGES));
	EXPECT_STATUS(b, NV_SC_DATA_XFER);
	pi_cmd(b, NV_CMD_WRITE, ALL)->mptr = cpu_to_le64(0x1000);
	EXPECT_STATUS(b, NV_SC_DATA_XFER);
	EXPECT(!b->r.req.io.pi);
	b->b->unit[0].be->limits.pi_type = 3;
	pi_cmd(b, NV_CMD_READ, ALL);
	EXPECT_STATUS(b, NV_SC_PROT_INFO);
	/* One side of a Copy with tuples, the other without. */
	pi_cmd(b, NV_CMD_COPY, NV_PRACT);
	EXPECT_STATUS(b, NV_SC_FIELD);
	pi_cmd(b, NV_CMD_COPY, NV_PRACT)->cdw12 |=
		cpu_to_le32(NV_PRACT << 12);
	EXPECT_EQ(2, iob_parse(b));
	iob_free(b);
}

TEST(pi_sgl, "pi: with an SGL the metadata may be at any byte")
{
	struct iob *b = pi_new(1);
	struct nv_sqe *sqe = pi_cmd(b, NV_CMD_READ, ALL);

	sqe->flags = 1 << 6;
	sqe->mptr = cpu_to_le64(NB_ADDR(META) + 3);
	sqe->sgl = (struct nv_sgl) {
		.addr = cpu_to_le64(NB_ADDR(0)), .len = cpu_to_le32(NR * 512),
	};
	EXPECT_EQ(0, iob_parse(b));
	EXPECT_EQ(1, b->r.cmd.nr_meta);
	EXPECT_EQ(0, end(b, BLK_STS_OK));
	iob_free(b);
}

TEST(pi_app, "pi: application tags are compared here, as far as the mask goes")
{
	struct iob *b = pi_new(1);
	struct nv_sqe *sqe;

	set_meta(b, 0x1234);
	meta(b)[5].app = cpu_to_be16(0x1235);
	sqe = pi_cmd(b, NV_CMD_WRITE, ALL | APP);
	sqe->cdw15 = cpu_to_le32(0xfff0u << 16 | 0x1230);
	expect_parse(b, 0);
	sqe->cdw15 = cpu_to_le32(0xffffu << 16 | 0x1234);
	EXPECT_STATUS(b, NV_SC_APP_TAG);
	EXPECT_EQ(LBA + 5, b->r.cmd.lba);
	/* A read's are looked at when they are there. */
	sqe->opcode = NV_CMD_READ;
	ASSERT_EQ(0, iob_parse(b));
	set_meta(b, 0xeeee);
	memset(b->r.req.io.pi->tuple, 0, NR * VT_PI_BYTES);
	EXPECT_EQ(SC(NV_SC_APP_TAG), end(b, BLK_STS_OK));
	EXPECT_EQ(LBA, b->r.cmd.lba);
	EXPECT_EQ(0xeeee, be16_to_cpu(meta(b)[0].app));
	iob_free(b);
}

TEST(pi_escape, "pi: tuples that are not to be checked")
{
	struct iob *b = pi_new(1);
	struct nv_sqe *sqe;

	set_meta(b, 1);
	meta(b)[3].app = cpu_to_be16(0xffff);
	sqe = pi_cmd(b, NV_CMD_WRITE, ALL | APP);
	sqe->cdw15 = cpu_to_le32(0xffffu << 16 | 1);
	/* The device would check them. */
	expect_parse(b, 2);
	/* By type 3 the reference tag is part of it. */
	b->b->unit[0].be->limits.pi_type = 3;
	sqe = pi_cmd(b, NV_CMD_WRITE, GUARD);
	expect_parse(b, 0);
	meta(b)[3].ref = cpu_to_be32(~0u);
	expect_parse(b, 2);
	iob_free(b);
}

TEST(pi_status, "pi: what failed a check in the device has a status each")
{
	static const struct {
		u8 bad;
		u16 status;
	} map[] = {
		{ VT_PI_GUARD, NV_SC_GUARD }, { VT_PI_APP, NV_SC_APP_TAG },
		{ VT_PI_REF, NV_SC_REF_TAG }, { 0, NV_SC_GUARD },
	};
	struct iob *b = pi_new(1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		pi_cmd(b, NV_CMD_READ, NV_PRACT | ALL);
		ASSERT_EQ(0, iob_parse(b));
		b->r.req.io.pi->bad = map[i].bad;
		b->r.req.io.pi->bad_at = 3;
		EXPECT_EQ(SC(map[i].status), end(b, BLK_STS_PROTECTION));
		EXPECT_EQ(LBA + (map[i].bad ? 3 : 0), b->r.cmd.lba);
	}
	iob_free(b);
}

TEST(pi_waits, "pi: no memory, or a page that is not mapped yet: it waits")
{
	struct iob *b = pi_new(1);

	pi_cmd(b, NV_CMD_READ, ALL);
	shim_no_memory = 1;
	EXPECT_EQ(-ENOBUFS, iob_parse(b));
	shim_no_memory = 0;
	b->look_err = -EAGAIN;
	EXPECT_EQ(-EAGAIN, iob_parse(b));
	EXPECT(!b->r.req.io.pi);
	b->look_err = 0;
	b->map_err = -EAGAIN;
	b->map_at = 0;
	EXPECT_EQ(-EAGAIN, iob_parse(b));
	EXPECT(!b->r.req.io.pi);
	b->map_err = 0;
	pi_cmd(b, NV_CMD_COMPARE, ALL);
	shim_no_memory = 1;
	EXPECT_EQ(-ENOBUFS, iob_parse(b));
	EXPECT_EQ(0, shim_no_memory);
	EXPECT_EQ(2, iob_parse(b));
	iob_free(b);
}

TEST(pi_verify, "pi: checks of the work item, and the tuples it makes")
{
	u8 data[2 * 512];
	struct vt_pi_tuple t[2];
	struct vt_pi pi = { .tuple = t, .nr = 2, .ref = LBA, .type = 1 };
	struct nv_prot p = { .info = ALL | APP, .app = 9, .mask = 0xffff };

	memset(data, 0x5a, sizeof(data));
	vt_pi_generate(&pi, 0, 2, data, 512, 9);
	EXPECT_EQ(crc_t10dif_update(0, data, 512), be16_to_cpu(t[1].guard));
	EXPECT_EQ(LBA + 1, be32_to_cpu(t[1].ref));
	EXPECT(nv_prot_verify(&pi, &p, 0, 2, data, 512));
	t[1].app = cpu_to_be16(8);
	EXPECT(nv_prot_verify(&pi, &p, 0, 1, data, 512));
	EXPECT(!nv_prot_verify(&pi, &p, 1, 1, data + 512, 512));
	EXPECT_EQ(VT_PI_APP, pi.bad);
	EXPECT_EQ(1, pi.bad_at);
	p.mask = 0xfff0;
	EXPECT(nv_prot_verify(&pi, &p, 0, 2, data, 512));
	data[600] ^= 1;
	EXPECT(!nv_prot_verify(&pi, &p, 0, 2, data, 512));
	EXPECT_EQ(VT_PI_GUARD, pi.bad);
	p.info = REF;
	EXPECT(nv_prot_verify(&pi, &p, 0, 2, data, 512));
	t[0].ref = 0;
	EXPECT(!nv_prot_verify(&pi, &p, 0, 2, data, 512));
	EXPECT_EQ(VT_PI_REF, pi.bad);
	t[0].app = cpu_to_be16(0xffff);
	EXPECT(nv_prot_verify(&pi, &p, 0, 2, data, 512));
	pi.type = 3;
	vt_pi_generate(&pi, 0, 2, data, 512, 0);
	EXPECT_EQ(LBA, be32_to_cpu(t[1].ref));
}
