// SPDX-License-Identifier: GPL-2.0
/* Set Features, Get Features. */
#include "nvme_bed.h"

static u16 set(struct nb *b, u8 fid, u32 dw11)
{
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_SET_FEATURES);

	cmd->cdw10 = cpu_to_le32(fid);
	cmd->cdw11 = cpu_to_le32(dw11);
	return nb_do(b);
}

static u16 get(struct nb *b, u8 fid, u8 sel, u32 dw11)
{
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_GET_FEATURES);

	cmd->cdw10 = cpu_to_le32((u32)sel << 8 | fid);
	cmd->cdw11 = cpu_to_le32(dw11);
	return nb_do(b);
}

static const u8 fids[] = {
	0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0e, 0x81,
};

TEST(feat_caps, "each feature says what can be done to it")
{
	struct nb *b = nb_new();
	unsigned int i;

	EXPECT_EQ(0, get(b, NV_FEAT_RESV_MASK, NV_SEL_CAPS, 0));
	EXPECT_EQ(6, b->a.dw0);
	EXPECT_EQ(0, get(b, NV_FEAT_RESV_PERSIST, NV_SEL_CAPS, 0));
	EXPECT_EQ(6, b->a.dw0);
	for (i = 0; i < ARRAY_SIZE(fids); i++) {
		EXPECT_EQ(0, get(b, fids[i], NV_SEL_CAPS, 0));
		EXPECT_EQ(fids[i] == NV_FEAT_RECOVERY ? 0 : 4, b->a.dw0);
		EXPECT_EQ(0, get(b, fids[i], NV_SEL_CURRENT, 0));
		EXPECT_EQ(0, get(b, fids[i], NV_SEL_DEFAULT, 0));
		EXPECT_EQ(0, get(b, fids[i], NV_SEL_SAVED, 0));
		EXPECT_EQ(SC(NV_SC_FIELD), get(b, fids[i], 4, 0));
	}
	nb_free(b);
}

TEST(feat_refused, "no saving, no namespaces, no unknown features")
{
	struct nb *b = nb_new();
	struct nv_sqe *cmd;

	cmd = nb_cmd(b, NV_ADM_SET_FEATURES);
	cmd->cdw10 = cpu_to_le32(BIT(31) | NV_FEAT_VWC);
	EXPECT_EQ(SC(NV_SC_FEAT_NOT_SAVEABLE), nb_do(b));
	cmd = nb_cmd(b, NV_ADM_SET_FEATURES);
	cmd->cdw10 = cpu_to_le32(NV_FEAT_VWC);
	cmd->nsid = cpu_to_le32(1);
	EXPECT_EQ(SC(NV_SC_FEAT_NOT_NS), nb_do(b));
	/* All namespaces are all there is. */
	cmd = nb_cmd(b, NV_ADM_SET_FEATURES);
	cmd->cdw10 = cpu_to_le32(NV_FEAT_VWC);
	cmd->nsid = cpu_to_le32(NV_NSID_ALL);
	EXPECT_EQ(0, nb_do(b));
	EXPECT_EQ(SC(NV_SC_FEAT_NOT_CHANGEABLE), set(b, NV_FEAT_RECOVERY, 1));
	EXPECT_EQ(SC(NV_SC_FIELD), set(b, 0x03, 0));
	EXPECT_EQ(SC(NV_SC_FIELD), set(b, 0x0f, 0));
	EXPECT_EQ(SC(NV_SC_FIELD), get(b, 0x00, 0, 0));
	EXPECT_EQ(SC(NV_SC_FIELD), get(b, 0xc0, 0, 0));
	EXPECT_EQ(0, b->changed_fid);
	nb_free(b);
}

TEST(feat_simple, "values are kept, and go back to the defaults by a reset")
{
	static const struct {
		u8 fid;
		u32 def, val;
	} f[] = {
		{ NV_FEAT_ARBITRATION, 7, 0x01020303 },
		{ NV_FEAT_VWC, 1, 0 },
		{ NV_FEAT_COALESCE, 0, 0x0a07 },
		{ NV_FEAT_ATOMICITY, 0, 1 },
		{ NV_FEAT_AEC, 0, 0x1ff },
		{ NV_FEAT_POWER, 0, 0x20 },
	};
	struct nb *b = nb_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f); i++) {
		EXPECT_EQ(0, get(b, f[i].fid, 0, 0));
		EXPECT_EQ(f[i].def, b->a.dw0);
		EXPECT_EQ(0, set(b, f[i].fid, f[i].val));
		EXPECT_EQ(f[i].fid, b->changed_fid);
		EXPECT_EQ(0, get(b, f[i].fid, 0, 0));
		EXPECT_EQ(f[i].val, b->a.dw0);
		EXPECT_EQ(0, get(b, f[i].fid, NV_SEL_DEFAULT, 0));
		EXPECT_EQ(f[i].def, b->a.dw0);
		nv_core_reset(&b->c);
		EXPECT_EQ(0, get(b, f[i].fid, 0, 0));
		EXPECT_EQ(f[i].def, b->a.dw0);
	}
	EXPECT_EQ(SC(NV_SC_FIELD), set(b, NV_FEAT_POWER, 1));
	nb_free(b);
}

static void expect_cache(struct nb *b, u16 status)
{
	u8 sel;

	for (sel = NV_SEL_CURRENT; sel <= NV_SEL_CAPS; sel++)
		EXPECT_EQ(status, get(b, NV_FEAT_VWC, sel, 0));
	EXPECT_EQ(status, set(b, NV_FEAT_VWC, 0));
	EXPECT_EQ(status ? 0 : NV_FEAT_VWC, b->changed_fid);
	EXPECT_EQ(status ? 1 : 0, b->c.feat.vwc);
	nv_ns_lock(&b->c);
	EXPECT_EQ(!status, !!nv_feature_effects(&b->c, NV_FEAT_VWC));
	nv_ns_unlock(&b->c);
	nv_core_reset(&b->c);
}

TEST(feat_no_cache, "what no namespace has cannot be switched off")
{
	struct nb *b = nb_new();

	expect_cache(b, 0);
	b->be[0].limits.write_cache = false;
	expect_cache(b, SC(NV_SC_FIELD));
	nb_set(b, 1, true);
	expect_cache(b, 0);
	b->unit[1].flags = VHOST_TARGET_UNIT_F_WRITETHROUGH;
	expect_cache(b, SC(NV_SC_FIELD));
	nb_set(b, 0, false);
	nb_set(b, 1, false);
	expect_cache(b, SC(NV_SC_FIELD));
	nb_free(b);
}

TEST(feat_queues, "the number of queues is the smaller of asked and offered")
{
	struct nb *b = nb_new();

	EXPECT_EQ(0, set(b, NV_FEAT_QUEUES, 3 << 16 | 200));
	EXPECT_EQ(3 << 16 | 7, b->a.dw0);
	EXPECT_EQ(0, get(b, NV_FEAT_QUEUES, 0, 0));
	EXPECT_EQ(3 << 16 | 7, b->a.dw0);
	EXPECT_EQ(SC(NV_SC_FIELD), set(b, NV_FEAT_QUEUES, 0xffff));
	EXPECT_EQ(SC(NV_SC_FIELD), set(b, NV_FEAT_QUEUES, 0xffff0000));
	b->c.cq[2].used = true;
	EXPECT_EQ(SC(NV_SC_SEQUENCE), set(b, NV_FEAT_QUEUES, 0));
	nb_free(b);
}

TEST(feat_vector, "coalescing can be switched off for a vector")
{
	struct nb *b = nb_new();

	EXPECT_EQ(0, set(b, NV_FEAT_VECTOR, BIT(16) | 2));
	EXPECT_EQ(0, get(b, NV_FEAT_VECTOR, 0, 2));
	EXPECT_EQ(BIT(16) | 2, b->a.dw0);
	EXPECT_EQ(0, get(b, NV_FEAT_VECTOR, 0, 3));
	EXPECT_EQ(3, b->a.dw0);
	EXPECT_EQ(SC(NV_SC_FIELD), set(b, NV_FEAT_VECTOR, 9));
	EXPECT_EQ(SC(NV_SC_FIELD), get(b, NV_FEAT_VECTOR, 0, 0xffff));
	nb_free(b);
}

TEST(feat_temperature, "a threshold that is crossed is an event and a warning")
{
	struct nb *b = nb_new();
	u32 event;
	u16 cid;

	nb_cmd(b, NV_ADM_ASYNC_EVENT);
	EXPECT_EQ(NV_HELD, nb_do(b));
	b->c.feat.aec = 2;
	EXPECT_EQ(0, set(b, NV_FEAT_TEMPERATURE, 330));
	EXPECT(!nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(0, set(b, NV_FEAT_TEMPERATURE, 290));
	EXPECT(nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(0x020101, event);
	EXPECT_EQ(0, set(b, NV_FEAT_TEMPERATURE, 1 << 20 | 280));
	EXPECT_EQ(0, get(b, NV_FEAT_TEMPERATURE, 0, 1 << 20));
	EXPECT_EQ(280, b->a.dw0);
	EXPECT_EQ(0, get(b, NV_FEAT_TEMPERATURE, 0, 0));
	EXPECT_EQ(290, b->a.dw0);
	EXPECT_EQ(SC(NV_SC_FIELD), set(b, NV_FEAT_TEMPERATURE, 1 << 16));
	EXPECT_EQ(SC(NV_SC_FIELD), set(b, NV_FEAT_TEMPERATURE, 2 << 20));
	EXPECT_EQ(0, set(b, NV_FEAT_TEMPERATURE, 15 << 16 | 340));
	EXPECT_EQ(340, b->c.feat.over);
	EXPECT_EQ(SC(NV_SC_FIELD), get(b, NV_FEAT_TEMPERATURE, 0, 15 << 16));
	/* Too cold. */
	b->c.aer.masked = 0;
	nb_cmd(b, NV_ADM_ASYNC_EVENT);
	EXPECT_EQ(NV_HELD, nb_do(b));
	EXPECT_EQ(0, set(b, NV_FEAT_TEMPERATURE, 1 << 20 | NV_TEMPERATURE));
	EXPECT(nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(0x020101, event);
	nb_free(b);
}

TEST(feat_timestamp, "the timestamp runs on from what was set")
{
	struct nb *b = nb_new();
	__le64 val = cpu_to_le64(0xffff123456789abc), *at;

	nb_cmd(b, NV_ADM_SET_FEATURES)->cdw10 = cpu_to_le32(NV_FEAT_TIMESTAMP);
	at = (void *)nb_page(b, 0);
	*at = val;
	EXPECT_EQ(0, nb_do(b));
	b->c.feat.timestamp_at -= 5;
	EXPECT_EQ(0, get(b, NV_FEAT_TIMESTAMP, 0, 0));
	EXPECT_EQ(0x123456789abc + 5, le64_to_cpu(*at) & ((1ULL << 48) - 1));
	EXPECT_EQ(1, le64_to_cpu(*at) >> 49 & 7);
	EXPECT_EQ(0, get(b, NV_FEAT_TIMESTAMP, NV_SEL_DEFAULT, 0));
	EXPECT_EQ(0, le64_to_cpu(*at) >> 48);
	nb_cmd(b, NV_ADM_SET_FEATURES)->cdw10 = cpu_to_le32(NV_FEAT_TIMESTAMP);
	b->a.cmd.prp1 = cpu_to_le64(0x1000);
	EXPECT_EQ(SC(NV_SC_DATA_XFER), nb_do(b));
	EXPECT_EQ(1, b->c.feat.timestamp_origin);
	nb_free(b);
}

TEST(feat_hostid, "host identifiers of 64 and 128 bits")
{
	struct nb *b = nb_new();
	u8 *p = nb_page(b, 0);
	struct nv_sqe *cmd;

	cmd = nb_cmd(b, NV_ADM_SET_FEATURES);
	cmd->cdw10 = cpu_to_le32(NV_FEAT_HOST_ID);
	cmd->cdw11 = cpu_to_le32(1);
	memcpy(p, "0123456789abcdef", 16);
	EXPECT_EQ(0, nb_do(b));
	EXPECT_EQ(0, get(b, NV_FEAT_HOST_ID, 0, 1));
	EXPECT_EQ(1, b->a.dw0);
	EXPECT_EQ(1, b->nr_hosts);
	EXPECT(!memcmp(p, "0123456789abcdef", 16));
	EXPECT_EQ(0xee, p[16]);
	EXPECT_EQ(0, get(b, NV_FEAT_HOST_ID, 0, 0));
	EXPECT_EQ(0xee, p[8]);
	cmd = nb_cmd(b, NV_ADM_SET_FEATURES);
	cmd->cdw10 = cpu_to_le32(NV_FEAT_HOST_ID);
	cmd->prp1 = cpu_to_le64(0x1000);
	EXPECT_EQ(SC(NV_SC_DATA_XFER), nb_do(b));
	nb_free(b);
}

static u16 ns_feature(struct nb *b, u8 opcode, u16 fid, u32 nsid, u32 dw11)
{
	struct nv_sqe *cmd = nb_cmd(b, opcode);

	cmd->nsid = cpu_to_le32(nsid);
	cmd->cdw10 = cpu_to_le32(fid);
	cmd->cdw11 = cpu_to_le32(dw11);
	return nb_do(b);
}

TEST(feat_resv, "reservation features are of a namespace")
{
	struct nb *b = nb_new();

	nb_set(b, 1, true);
	EXPECT_EQ(0, ns_feature(b, 9, NV_FEAT_RESV_MASK, 1, 0xff));
	EXPECT_EQ(0, ns_feature(b, 10, NV_FEAT_RESV_MASK, 1, 0));
	EXPECT_EQ(0xe, b->a.dw0);
	EXPECT_EQ(0, ns_feature(b, 10, NV_FEAT_RESV_MASK, 2, 0));
	EXPECT_EQ(0, b->a.dw0);
	EXPECT_EQ(0, ns_feature(b, 9, NV_FEAT_RESV_MASK, NV_NSID_ALL, 2));
	EXPECT_EQ(2, b->ns[0].mask);
	EXPECT_EQ(2, b->ns[1].mask);
	EXPECT_EQ(SC(NV_SC_NS), ns_feature(b, 9, NV_FEAT_RESV_MASK, 3, 2));
	EXPECT_EQ(SC(NV_SC_NS), ns_feature(b, 10, NV_FEAT_RESV_MASK, 0, 2));
	EXPECT_EQ(SC(NV_SC_FIELD),
		  ns_feature(b, 10, NV_FEAT_RESV_MASK, NV_NSID_ALL, 2));
	EXPECT_EQ(0, ns_feature(b, 9, NV_FEAT_RESV_PERSIST, 1, 1));
	EXPECT_EQ(0, ns_feature(b, 10, NV_FEAT_RESV_PERSIST, 1, 0));
	EXPECT_EQ(1, b->a.dw0);
	EXPECT_EQ(SC(NV_SC_NS), ns_feature(b, 9, NV_FEAT_RESV_PERSIST, 4, 1));
	/* Their defaults are none. */
	EXPECT_EQ(0, ns_feature(b, 9, NV_FEAT_RESV_MASK, 1, 0xff));
	EXPECT_EQ(0, ns_feature(b, 10, NV_SEL_DEFAULT << 8 | NV_FEAT_RESV_MASK,
				1, 0));
	EXPECT_EQ(0, b->a.dw0);
	EXPECT_EQ(0, ns_feature(b, 10,
				NV_SEL_DEFAULT << 8 | NV_FEAT_RESV_PERSIST, 1,
				0));
	EXPECT_EQ(0, b->a.dw0);
	nb_free(b);
}

TEST(feat_resv_all, "reservations persist on all namespaces, or on those that can")
{
	struct nb *b = nb_new();

	nb_set(b, 1, true);
	nb_set(b, 2, true);
	EXPECT_EQ(0, ns_feature(b, 9, NV_FEAT_RESV_PERSIST, NV_NSID_ALL, 1));
	EXPECT(b->ptpl[0] && b->ptpl[1] && b->ptpl[2] && !b->ptpl[3]);
	EXPECT_EQ(SC(NV_SC_FIELD),
		  ns_feature(b, 10, NV_FEAT_RESV_PERSIST, NV_NSID_ALL, 0));
	b->ptpl_err[1] = true;
	EXPECT_EQ(SC(NV_SC_FIELD),
		  ns_feature(b, 9, NV_FEAT_RESV_PERSIST, NV_NSID_ALL, 0));
	EXPECT(!b->ptpl[0] && b->ptpl[1] && !b->ptpl[2]);
	nb_free(b);
}
