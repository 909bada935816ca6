// SPDX-License-Identifier: GPL-2.0
/* Identify pages, byte by byte where the specification has a place for it. */
#include "nvme_bed.h"

static u16 identify(struct nb *b, u8 cns, u32 nsid, u8 csi)
{
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_IDENTIFY);

	cmd->cdw10 = cpu_to_le32(cns);
	cmd->nsid = cpu_to_le32(nsid);
	cmd->cdw11 = cpu_to_le32((u32)csi << 24);
	return nb_do(b);
}

static u64 le(const u8 *p, unsigned int n)
{
	u64 v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static bool all_zero(const u8 *p, size_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

TEST(id_ctrl, "Identify Controller")
{
	struct nb *b = nb_new();
	const u8 *p = nb_page(b, 0);

	ASSERT_EQ(0, identify(b, 1, 0, 0));
	EXPECT_EQ(VT_NVME_PCI_VENDOR, le(p, 2));
	EXPECT(!memcmp(p + 4, "disk0               ", 20));
	EXPECT(!memcmp(p + 24, "vhost NVMe  ", 12));
	EXPECT_EQ(' ', p[63]);
	EXPECT_EQ(8, p[77]);				/* MDTS */
	EXPECT_EQ(1, le(p + 78, 2));			/* CNTLID */
	EXPECT_EQ(0x20000, le(p + 80, 4));		/* VER */
	EXPECT_EQ(BIT(8), le(p + 92, 4));		/* OAES */
	EXPECT_EQ(1, p[111]);				/* CNTRLTYPE */
	EXPECT_EQ(BIT(8), le(p + 256, 2));		/* OACS */
	EXPECT(p[259] >= 3);				/* AERL */
	EXPECT_EQ(63, p[262]);				/* ELPE */
	EXPECT_EQ(0x66, p[512]);
	EXPECT_EQ(0x44, p[513]);
	EXPECT_EQ(NV_MAX_NS, le(p + 516, 4));
	EXPECT_EQ(0x1fd, le(p + 520, 2));		/* ONCS */
	EXPECT_EQ(5, p[525]);				/* VWC */
	EXPECT_EQ(0x30001, le(p + 536, 4));		/* SGLS */
	EXPECT(!strncmp((char *)p + 768, "nqn.2014-08.org.nvmexpress:", 27));
	EXPECT_EQ(0, p[76]);				/* CMIC */
	b->t.flags = VHOST_TARGET_F_SHARED;
	b->unit[0].be->limits.write_cache = false;
	ASSERT_EQ(0, identify(b, 1, 0, 0));
	EXPECT_EQ(2, p[76]);
	EXPECT_EQ(4, p[525]);
	nb_free(b);
}

TEST(id_split, "the page may straddle two pages of the guest")
{
	struct nb *b = nb_new();
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_IDENTIFY);

	cmd->cdw10 = cpu_to_le32(1);
	cmd->prp1 = cpu_to_le64(NB_ADDR(0) + 0xffc);
	ASSERT_EQ(0, nb_do(b));
	EXPECT_EQ(0xee, nb_page(b, 0)[0xffb]);
	EXPECT_EQ(VT_NVME_PCI_VENDOR, le(nb_page(b, 0) + 0xffc, 2));
	EXPECT_EQ('d', nb_page(b, 1)[0]);
	cmd->prp1 = cpu_to_le64(0x1000);
	EXPECT_EQ(SC(NV_SC_DATA_XFER), nb_do(b));
	nb_free(b);
}

TEST(id_ns, "Identify Namespace of both block sizes")
{
	struct nb *b = nb_new();
	const u8 *p = nb_page(b, 0);

	nb_set(b, 1, true);
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(0x20000, le(p, 8));
	EXPECT_EQ(0x20000, le(p + 8, 8));
	EXPECT_EQ(0x20000, le(p + 16, 8));
	EXPECT_EQ(0, p[25]);			/* NLBAF */
	EXPECT_EQ(9, p[130]);			/* LBAF0.LBADS */
	EXPECT_EQ(7, le(p + 64, 2));		/* NPWG */
	EXPECT_EQ(7, le(p + 68, 2));		/* NPDG */
	EXPECT_EQ(127, le(p + 72, 2));		/* NOWS */
	EXPECT(!all_zero(p + 104, 16));
	EXPECT(!all_zero(p + 120, 8));
	ASSERT_EQ(0, identify(b, 0, 2, 0));
	EXPECT_EQ(0x4000, le(p, 8));
	EXPECT_EQ(12, p[130]);
	EXPECT_EQ(0, le(p + 64, 2));
	EXPECT_EQ(256, le(p + 74, 2));		/* MSSRL */
	nb_free(b);
}

static int saves(struct vt_resv *r, const struct vt_resv_state *s)
{
	(void)r;
	(void)s;
	return 0;
}

TEST(id_ns_can, "what a namespace can: persist reservations, discard, both or none")
{
	struct nb *b = nb_new();
	struct vt_limits *l = &b->unit[0].be->limits;
	const u8 *p = nb_page(b, 0);

	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(0, p[31] & NV_RESCAP_PTPL);
	EXPECT_EQ(NV_DLFEAT_WZ_DEAC, p[33]);
	b->unit[0].be->resv.save = saves;
	l->max_write_zeroes_sectors = 0;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(NV_RESCAP_PTPL, p[31] & NV_RESCAP_PTPL);
	EXPECT_EQ(0, p[33]);
	l->max_write_zeroes_sectors = 8;
	l->max_discard_sectors = 0;
	l->discard_alignment = 0;
	l->io_min = 8192;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(0, p[33]);
	EXPECT_EQ(15, le(p + 68, 2));		/* NPDG: as NPWG */
	nb_free(b);
}

TEST(id_ns_limits, "what the queue limits say of I/O that pays, and of writes that are whole")
{
	struct nb *b = nb_new();
	struct vt_limits *l = &b->unit[0].be->limits;
	const u8 *p = nb_page(b, 0);

	/* Nothing is known of more than a block. */
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(BIT(4), p[24]);			/* NSFEAT */
	EXPECT(all_zero(p + 34, 14));			/* NAWUN to NOIOB */
	EXPECT_EQ(le(p + 64, 2), le(p + 66, 2));	/* NPWG, NPWA */
	EXPECT_EQ(le(p + 68, 2), le(p + 70, 2));	/* NPDG, NPDA */
	l->atomic_bytes = 4096;
	l->alignment_offset = 3584;
	l->io_boundary = 256;
	l->io_opt = 10000;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(BIT(4) | BIT(1), p[24]);
	EXPECT_EQ(7, le(p + 34, 2));			/* NAWUN */
	EXPECT_EQ(7, le(p + 36, 2));			/* NAWUPF */
	EXPECT_EQ(NV_ACWU, le(p + 38, 2));		/* NACWU */
	EXPECT_EQ(7, le(p + 40, 2));			/* NABSN */
	EXPECT_EQ(7, le(p + 42, 2));			/* NABO */
	EXPECT_EQ(7, le(p + 44, 2));			/* NABSPF */
	EXPECT_EQ(256, le(p + 46, 2));			/* NOIOB */
	EXPECT_EQ(15, le(p + 72, 2));			/* NOWS: of NPWG */
	/* Too large for its field; no optimal size. */
	l->io_boundary = 65536;
	l->io_opt = 0;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(0, le(p + 46, 2));
	EXPECT_EQ(7, le(p + 72, 2));
	/* The same on blocks of 4096 bytes. */
	l->block_size = 4096;
	l->alignment_offset = 0;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(BIT(4), p[24]);
	EXPECT_EQ(8192, le(p + 46, 2));
	EXPECT_EQ(0, le(p + 72, 2));
	nb_free(b);
}

TEST(id_ns_pi, "a backend with protection information: 8 bytes in a buffer of their own")
{
	struct nb *b = nb_new();
	struct vt_limits *l = &b->unit[0].be->limits;
	const u8 *p = nb_page(b, 0);
	u8 type;

	for (type = 1; type <= 3; type += 2) {
		l->pi_type = type;
		l->pi_interval = 512;
		ASSERT_EQ(0, identify(b, 0, 1, 0));
		EXPECT_EQ(0, p[26]);			/* FLBAS: separate */
		EXPECT_EQ(BIT(1), p[27]);		/* MC */
		EXPECT_EQ(BIT(type - 1) | BIT(4), p[28]);	/* DPC */
		EXPECT_EQ(type, p[29]);			/* DPS */
		EXPECT_EQ(0, p[33]);			/* DLFEAT */
		EXPECT_EQ(8, le(p + 128, 2));		/* LBAF0.MS */
		EXPECT_EQ(9, p[130]);
	}
	/* A tuple for half a block is nothing that NVMe knows. */
	l->block_size = 4096;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT(all_zero(p + 26, 4));
	EXPECT_EQ(0, le(p + 128, 2));
	/* Nor is one for a block that is larger than a page checked. */
	l->block_size = 2 * NV_PAGE_SIZE;
	l->pi_interval = l->block_size;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT(all_zero(p + 26, 4));
	EXPECT_EQ(0, le(p + 128, 2));
	EXPECT_EQ(13, p[130]);
	nb_free(b);
}

TEST(id_ns_none, "a namespace that is not there is zeroes, an impossible one refused")
{
	struct nb *b = nb_new();

	ASSERT_EQ(0, identify(b, 0, 2, 0));
	EXPECT(all_zero(nb_page(b, 0), 4096));
	ASSERT_EQ(0, identify(b, 8, 2, 0));
	EXPECT(all_zero(nb_page(b, 0), 4096));
	EXPECT_EQ(SC(NV_SC_NS), identify(b, 0, 0, 0));
	EXPECT_EQ(SC(NV_SC_NS), identify(b, 0, NV_MAX_NS + 1, 0));
	EXPECT_EQ(SC(NV_SC_NS), identify(b, 0, NV_NSID_ALL, 0));
	EXPECT_EQ(SC(NV_SC_NS), identify(b, 3, 2, 0));
	EXPECT_EQ(SC(NV_SC_NS), identify(b, 3, 0, 0));
	nb_free(b);
}

TEST(id_ro, "a read-only namespace says so")
{
	struct nb *b = nb_new();

	b->unit[0].flags = VHOST_TARGET_UNIT_F_RO;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(1, nb_page(b, 0)[99]);
	ASSERT_EQ(0, identify(b, 8, 1, 0));
	EXPECT_EQ(1, nb_page(b, 0)[8]);
	EXPECT_EQ(1, nb_page(b, 0)[14]);
	/* Or its medium is. */
	b->unit[0].flags = 0;
	b->unit[0].be->limits.ro = true;
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT_EQ(1, nb_page(b, 0)[99]);
	nb_free(b);
}

TEST(id_lists, "lists of namespaces start after the one given")
{
	static const u8 cns[] = { 0x02, 0x07, 0x10, 0x1a };
	struct nb *b = nb_new();
	const u8 *p = nb_page(b, 0);
	unsigned int i;

	nb_set(b, 1, true);
	nb_set(b, 3, true);
	for (i = 0; i < ARRAY_SIZE(cns); i++) {
		ASSERT_EQ(0, identify(b, cns[i], 0, 0));
		EXPECT_EQ(1, le(p, 4));
		EXPECT_EQ(2, le(p + 4, 4));
		EXPECT_EQ(4, le(p + 8, 4));
		EXPECT(all_zero(p + 12, 4084));
		ASSERT_EQ(0, identify(b, cns[i], 2, 0));
		EXPECT_EQ(4, le(p, 4));
		EXPECT_EQ(SC(NV_SC_NS), identify(b, cns[i], 0xfffffffe, 0));
		EXPECT_EQ(SC(NV_SC_NS), identify(b, cns[i], 0xffffffff, 0));
	}
	nb_free(b);
}

TEST(id_desc, "identifiers are the same every time, and nobody else's")
{
	struct nb *b = nb_new();
	u8 first[64], other[64];
	const u8 *p = nb_page(b, 0);

	nb_set(b, 1, true);
	ASSERT_EQ(0, identify(b, 3, 1, 0));
	memcpy(first, p, sizeof(first));
	EXPECT_EQ(NV_NIDT_EUI64, p[0]);
	EXPECT_EQ(8, p[1]);
	EXPECT_EQ(NV_NIDT_NGUID, p[12]);
	EXPECT_EQ(16, p[13]);
	EXPECT_EQ(NV_NIDT_UUID, p[32]);
	EXPECT_EQ(8, p[36 + 6] >> 4);		/* version */
	EXPECT_EQ(2, p[36 + 8] >> 6);		/* variant */
	EXPECT_EQ(NV_NIDT_CSI, p[52]);
	EXPECT_EQ(0, p[56]);
	EXPECT_EQ(0, p[57]);
	ASSERT_EQ(0, identify(b, 0, 1, 0));
	EXPECT(!memcmp(p + 104, first + 16, 16));
	EXPECT(!memcmp(p + 120, first + 4, 8));
	ASSERT_EQ(0, identify(b, 3, 2, 0));
	memcpy(other, p, sizeof(other));
	EXPECT(memcmp(first + 36, other + 36, 16));
	EXPECT(memcmp(first + 4, other + 4, 8));
	strcpy(b->t.name, "disk1");
	ASSERT_EQ(0, identify(b, 3, 1, 0));
	EXPECT(memcmp(first + 36, p + 36, 16));
	EXPECT(memcmp(other + 36, p + 36, 16));
	nb_free(b);
}

TEST(id_csi, "the NVM command set is the only one")
{
	static const u8 cns[] = { 0x05, 0x06, 0x07, 0x1a, 0x1b };
	struct nb *b = nb_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cns); i++) {
		EXPECT_EQ(0, identify(b, cns[i], 1, 0));
		EXPECT_EQ(SC(NV_SC_FIELD), identify(b, cns[i], 1, 2));
	}
	ASSERT_EQ(0, identify(b, 0x1c, 0, 0));
	EXPECT_EQ(1, le(nb_page(b, 0), 8));
	EXPECT(all_zero(nb_page(b, 0) + 8, 4088));
	nb_free(b);
}

TEST(id_ctrls, "lists of controllers have all of the target, from a number on")
{
	struct nb *b = nb_new();
	const u8 *p = nb_page(b, 0);

	ASSERT_EQ(0, identify(b, 0x13, 0, 0));
	EXPECT_EQ(2, le(p, 2));
	EXPECT_EQ(1, le(p + 2, 2));
	EXPECT_EQ(7, le(p + 4, 2));
	EXPECT(all_zero(p + 6, 4090));
	ASSERT_EQ(0, identify(b, 0x12, 1, 0));
	EXPECT_EQ(2, le(p, 2));
	ASSERT_EQ(0, identify(b, 0x12, 2, 0));
	EXPECT_EQ(0, le(p, 2));
	EXPECT_EQ(SC(NV_SC_NS), identify(b, 0x12, 0, 0));
	nb_cmd(b, NV_ADM_IDENTIFY)->cdw10 = cpu_to_le32(2 << 16 | 0x13);
	ASSERT_EQ(0, nb_do(b));
	EXPECT_EQ(1, le(p, 2));
	EXPECT_EQ(7, le(p + 2, 2));
	nb_cmd(b, NV_ADM_IDENTIFY)->cdw10 = cpu_to_le32(8u << 16 | 0x13);
	ASSERT_EQ(0, nb_do(b));
	EXPECT_EQ(0, le(p, 2));
	nb_free(b);
}

TEST(id_unknown, "other CNS values are refused")
{
	static const u8 cns[] = { 0x04, 0x09, 0x14, 0x15, 0x16, 0x17, 0xff };
	struct nb *b = nb_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cns); i++)
		EXPECT_EQ(SC(NV_SC_FIELD), identify(b, cns[i], 1, 0));
	nb_free(b);
}
