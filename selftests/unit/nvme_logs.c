// SPDX-License-Identifier: GPL-2.0
/* Log pages. */
#include "nvme_bed.h"

static u16 get_log(struct nb *b, u32 lid, u32 len, u64 off)
{
	struct nv_sqe *cmd = nb_cmd(b, NV_ADM_GET_LOG);
	u32 numd = len / 4 - 1;

	cmd->nsid = cpu_to_le32(NV_NSID_ALL);
	cmd->cdw10 = cpu_to_le32(lid | numd << 16);
	cmd->cdw11 = cpu_to_le32(numd >> 16);
	cmd->cdw12 = cpu_to_le32(off);
	cmd->cdw13 = cpu_to_le32(off >> 32);
	return nb_do(b);
}

#define RAE	BIT(15)

TEST(log_supported, "the log of logs has the ones that can be read")
{
	struct nb *b = nb_new();
	u32 sup[256];
	unsigned int i;

	ASSERT_EQ(0, get_log(b, NV_LOG_SUPPORTED, 1024, 0));
	memcpy(sup, nb_page(b, 0), sizeof(sup));
	for (i = 0; i < 256; i++)
		EXPECT_EQ(sup[i] ? 0 : SC(NV_SC_LOG_PAGE),
			  get_log(b, i, 16, 0));
	EXPECT(sup[0] && sup[1] && sup[2] && sup[3] && sup[4] && sup[5]);
	EXPECT(sup[0x12] && sup[0x13]);
	nb_free(b);
}

TEST(log_errors, "the error log has the latest errors first")
{
	struct nb *b = nb_new();
	struct nv_log_error *e = (void *)nb_page(b, 0);
	unsigned int i;

	for (i = 0; i < 70; i++)
		nv_error_add(&b->c, 2, i, NV_SC_LBA_RANGE | NV_SC_DNR, 1,
			     1000 + i);
	ASSERT_EQ(0, get_log(b, NV_LOG_ERROR, 4096, 0));
	EXPECT_EQ(70, le64_to_cpu(e[0].count));
	EXPECT_EQ(69, e[0].cid);
	EXPECT_EQ(2, le16_to_cpu(e[0].sqid));
	EXPECT_EQ((NV_SC_LBA_RANGE | NV_SC_DNR) << 1, le16_to_cpu(e[0].status));
	EXPECT_EQ(1069, le64_to_cpu(e[0].lba));
	EXPECT_EQ(1, le32_to_cpu(e[0].nsid));
	EXPECT_EQ(7, le64_to_cpu(e[63].count));
	nb_free(b);
}

TEST(log_admin_errors, "an admin command that fails is in it, and says so")
{
	struct nb *b = nb_new();
	struct nv_log_error *e = (void *)nb_page(b, 0);
	u16 status;

	nb_cmd(b, 0xff)->cid = 77;
	b->a.c = &b->c;
	b->a.buf = b->buf;
	status = nv_admin_do(&b->a);
	EXPECT(status & NV_SC_MORE);
	ASSERT_EQ(0, get_log(b, NV_LOG_ERROR, 64, 0));
	EXPECT_EQ(77, e[0].cid);
	EXPECT_EQ(1, le64_to_cpu(e[0].count));
	nb_free(b);
}

TEST(log_smart, "SMART counts what was done")
{
	struct nb *b = nb_new();
	struct nv_log_smart *s = (void *)nb_page(b, 0);

	b->smart = (struct nv_smart) {
		.bytes_read = 512000 * 3 + 1, .bytes_written = 512,
		.reads = 10, .writes = 20, .busy_ns = 121000000000ULL,
		.media_errors = 2, .now = 7300 * 1000000000ULL,
	};
	b->c.enables = 4;
	b->c.unclean = 1;
	nv_error_add(&b->c, 0, 0, 1, 0, 0);
	ASSERT_EQ(0, get_log(b, NV_LOG_SMART, 512, 0));
	EXPECT_EQ(0, s->critical);
	EXPECT_EQ(NV_TEMPERATURE, s->temperature[0] | s->temperature[1] << 8);
	EXPECT_EQ(4, le64_to_cpu(s->units_read[0]));
	EXPECT_EQ(1, le64_to_cpu(s->units_written[0]));
	EXPECT_EQ(10, le64_to_cpu(s->reads[0]));
	EXPECT_EQ(20, le64_to_cpu(s->writes[0]));
	EXPECT_EQ(2, le64_to_cpu(s->busy_minutes[0]));
	EXPECT_EQ(4, le64_to_cpu(s->power_cycles[0]));
	EXPECT_EQ(2, le64_to_cpu(s->power_hours[0]));
	EXPECT_EQ(1, le64_to_cpu(s->unsafe_shutdowns[0]));
	EXPECT_EQ(2, le64_to_cpu(s->media_errors[0]));
	EXPECT_EQ(1, le64_to_cpu(s->error_entries[0]));
	b->unit[0].be->limits.ro = true;
	ASSERT_EQ(0, get_log(b, NV_LOG_SMART, 512, 0));
	EXPECT_EQ(NV_SMART_READ_ONLY, s->critical);
	b->unit[0].flags = VHOST_TARGET_UNIT_F_RO;
	ASSERT_EQ(0, get_log(b, NV_LOG_SMART, 512, 0));
	EXPECT_EQ(0, s->critical);
	b->c.feat.under = NV_TEMPERATURE;
	ASSERT_EQ(0, get_log(b, NV_LOG_SMART, 512, 0));
	EXPECT_EQ(BIT(1), s->critical);
	b->c.feat.under = 0;
	b->c.feat.over = NV_TEMPERATURE;
	ASSERT_EQ(0, get_log(b, NV_LOG_SMART, 512, 0));
	EXPECT_EQ(BIT(1), s->critical);
	nb_cmd(b, NV_ADM_GET_LOG)->nsid = cpu_to_le32(1);
	b->a.cmd.cdw10 = cpu_to_le32(NV_LOG_SMART | 127 << 16);
	EXPECT_EQ(SC(NV_SC_FIELD), nb_do(b));
	nb_free(b);
}

TEST(log_firmware, "one firmware slot, read-only, in use")
{
	struct nb *b = nb_new();

	ASSERT_EQ(0, get_log(b, NV_LOG_FIRMWARE, 512, 0));
	EXPECT_EQ(1, nb_page(b, 0)[0]);
	EXPECT(!memcmp(nb_page(b, 0) + 8, NV_FIRMWARE, 8));
	nb_free(b);
}

TEST(log_changed, "changed namespaces, sorted, once each, until they are read")
{
	struct nb *b = nb_new();
	__le32 *list = (void *)nb_page(b, 0);

	nv_ns_changed(&b->c, 5);
	nv_ns_changed(&b->c, 2);
	nv_ns_changed(&b->c, 5);
	ASSERT_EQ(0, get_log(b, NV_LOG_CHANGED_NS | RAE, 4096, 0));
	EXPECT_EQ(2, le32_to_cpu(list[0]));
	EXPECT_EQ(5, le32_to_cpu(list[1]));
	EXPECT_EQ(0, list[2]);
	ASSERT_EQ(0, get_log(b, NV_LOG_CHANGED_NS, 4096, 0));
	EXPECT_EQ(2, le32_to_cpu(list[0]));
	ASSERT_EQ(0, get_log(b, NV_LOG_CHANGED_NS, 4096, 0));
	EXPECT_EQ(0, list[0]);
	nb_free(b);
}

TEST(log_changed_many, "more of them than fit are all of them")
{
	struct nb *b = nb_new();
	__le32 *list = (void *)nb_page(b, 0);
	unsigned int i;

	for (i = 1; i <= NV_MAX_CHANGED + 1; i++)
		nv_ns_changed(&b->c, i);
	ASSERT_EQ(0, get_log(b, NV_LOG_CHANGED_NS, 4096, 0));
	EXPECT_EQ(NV_NSID_ALL, le32_to_cpu(list[0]));
	EXPECT_EQ(0, list[1]);
	nb_free(b);
}

TEST(log_event, "reading a log lets its events come again, unless RAE is set")
{
	struct nb *b = nb_new();

	b->c.aer.masked = BIT(NV_AER_NOTICE);
	b->c.aer.pending[NV_AER_NOTICE] =
		NV_AER(NV_AER_NOTICE, 0, NV_LOG_CHANGED_NS);
	ASSERT_EQ(0, get_log(b, NV_LOG_CHANGED_NS | RAE, 64, 0));
	EXPECT(b->c.aer.masked);
	ASSERT_EQ(0, get_log(b, NV_LOG_ERROR, 64, 0));
	EXPECT(b->c.aer.masked);
	ASSERT_EQ(0, get_log(b, NV_LOG_CHANGED_NS, 64, 0));
	EXPECT(!b->c.aer.masked);
	nb_free(b);
}

TEST(log_effects, "command effects are of the commands there are")
{
	struct nb *b = nb_new();
	struct nv_log_effects *e = (void *)nb_page(b, 0);

	ASSERT_EQ(0, get_log(b, NV_LOG_EFFECTS, 4096, 0));
	EXPECT_EQ(1, e->acs[NV_ADM_IDENTIFY]);
	EXPECT_EQ(0, e->acs[0x18]);
	EXPECT_EQ(0, e->acs[0x80]);
	EXPECT_EQ(3, e->iocs[NV_CMD_WRITE]);
	EXPECT_EQ(1, e->iocs[NV_CMD_READ]);
	EXPECT_EQ(0, e->iocs[NV_CMD_WRITE_UNC]);
	nb_free(b);
}

TEST(log_features, "the log of features agrees with Get Features")
{
	struct nb *b = nb_new();
	struct nv_sqe *cmd;
	u32 fid[256];
	unsigned int i;

	ASSERT_EQ(0, get_log(b, NV_LOG_FEATURES, 1024, 0));
	memcpy(fid, nb_page(b, 0), sizeof(fid));
	for (i = 0; i < 256; i++) {
		cmd = nb_cmd(b, NV_ADM_GET_FEATURES);
		cmd->nsid = cpu_to_le32(1);
		cmd->cdw10 = cpu_to_le32(NV_SEL_CAPS << 8 | i);
		EXPECT_EQ(fid[i] ? 0 : SC(NV_SC_FIELD), nb_do(b));
	}
	nb_free(b);
}

TEST(log_offset, "a part of a log; beyond its end there are zeroes")
{
	struct nb *b = nb_new();
	u8 *p = nb_page(b, 0);

	ASSERT_EQ(0, get_log(b, NV_LOG_FIRMWARE, 8, 8));
	EXPECT(!memcmp(p, NV_FIRMWARE, 8));
	EXPECT_EQ(0xee, p[8]);
	ASSERT_EQ(0, get_log(b, NV_LOG_FIRMWARE, 4096, 8));
	EXPECT_EQ(0, p[504]);
	EXPECT_EQ(0, p[4095]);
	EXPECT_EQ(SC(NV_SC_FIELD), get_log(b, NV_LOG_FIRMWARE, 8, 2));
	EXPECT_EQ(SC(NV_SC_FIELD), get_log(b, NV_LOG_FIRMWARE, 8, 516));
	EXPECT_EQ(SC(NV_SC_FIELD), get_log(b, NV_LOG_FIRMWARE, 8, ~3ULL));
	EXPECT_EQ(SC(NV_SC_FIELD),
		  get_log(b, NV_LOG_FIRMWARE, NV_MAX_DATA + 4, 0));
	nb_free(b);
}

TEST(log_nowhere, "a log that could not be handed over keeps its event")
{
	struct nb *b = nb_new();
	unsigned int i;

	b->c.aer.masked = BIT(NV_AER_ERROR);
	b->c.aer.pending[NV_AER_ERROR] = NV_AER(NV_AER_ERROR, 1, NV_LOG_ERROR);
	nb_cmd(b, NV_ADM_GET_LOG)->cdw10 = cpu_to_le32(NV_LOG_ERROR | 15 << 16);
	b->a.cmd.prp1 = cpu_to_le64(0x1000);
	EXPECT_EQ(SC(NV_SC_DATA_XFER), nb_do(b));
	EXPECT(b->c.aer.masked);
	nv_ns_changed(&b->c, 3);
	b->a.cmd.cdw10 = cpu_to_le32(NV_LOG_CHANGED_NS | 15 << 16);
	EXPECT_EQ(SC(NV_SC_DATA_XFER), nb_do(b));
	EXPECT_EQ(1, b->c.changed.nr);
	/* As many as there is room for. */
	for (i = 1; i <= NV_MAX_CHANGED; i++)
		nv_ns_changed(&b->c, i);
	EXPECT_EQ(SC(NV_SC_DATA_XFER), nb_do(b));
	EXPECT_EQ(NV_MAX_CHANGED, b->c.changed.nr);
	/* The first page is there, the second one is not. */
	b->a.cmd.cdw10 = cpu_to_le32(NV_LOG_CHANGED_NS | 1023 << 16);
	b->a.cmd.prp1 = cpu_to_le64(NB_ADDR(0) + 2048);
	b->a.cmd.prp2 = cpu_to_le64(0x1000);
	EXPECT_EQ(SC(NV_SC_DATA_XFER), nb_do(b));
	EXPECT_EQ(NV_MAX_CHANGED, b->c.changed.nr);
	nb_free(b);
}

TEST(log_notes, "reservation notifications come one by one, the oldest first")
{
	struct nb *b = nb_new();
	struct nv_log_resv *log = (void *)nb_page(b, 0);
	u32 event;
	u16 cid;

	nb_cmd(b, NV_ADM_ASYNC_EVENT);
	EXPECT_EQ(NV_HELD, nb_do(b));
	nv_resv_noted(&b->c, &b->ns[0], VT_RESV_EV_REG_PREEMPTED |
		      VT_RESV_EV_RELEASED);
	EXPECT(nv_aer_take(&b->c, &cid, &event));
	EXPECT_EQ(0x800006, event);
	ASSERT_EQ(0, get_log(b, NV_LOG_RESV | RAE, 64, 0));
	EXPECT_EQ(1, le64_to_cpu(log->count));
	EXPECT_EQ(1, log->type);
	EXPECT_EQ(1, log->more);
	EXPECT_EQ(1, le32_to_cpu(log->nsid));
	ASSERT_EQ(0, get_log(b, NV_LOG_RESV, 64, 0));
	EXPECT_EQ(1, log->type);
	ASSERT_EQ(0, get_log(b, NV_LOG_RESV, 64, 0));
	EXPECT_EQ(2, log->type);
	EXPECT_EQ(2, le64_to_cpu(log->count));
	EXPECT_EQ(0, log->more);
	ASSERT_EQ(0, get_log(b, NV_LOG_RESV, 64, 0));
	EXPECT_EQ(0, le64_to_cpu(log->count));
	/* What is masked is not kept. */
	b->ns[0].mask = BIT(3);
	nv_resv_noted(&b->c, &b->ns[0], VT_RESV_EV_RESV_PREEMPTED);
	EXPECT_EQ(0, b->c.notes.nr);
	nb_free(b);
}

TEST(log_notes_full, "of more notifications than are kept the latest are lost, but counted")
{
	struct nb *b = nb_new();
	struct nv_log_resv *log = (void *)nb_page(b, 0);
	unsigned int i;

	/* The count goes around, and is never 0. */
	b->c.notes.count = ~0ULL - 1;
	for (i = 0; i < NV_MAX_NOTES + 2; i++)
		nv_resv_noted(&b->c, &b->ns[0], VT_RESV_EV_RELEASED);
	EXPECT_EQ(NV_MAX_NOTES, b->c.notes.nr);
	for (i = 0; i < NV_MAX_NOTES; i++) {
		ASSERT_EQ(0, get_log(b, NV_LOG_RESV, 64, 0));
		EXPECT_EQ(i ? i : ~0ULL, le64_to_cpu(log->count));
		EXPECT_EQ(NV_MAX_NOTES - 1 - i, log->more);
	}
	nv_resv_noted(&b->c, &b->ns[0], VT_RESV_EV_RELEASED);
	ASSERT_EQ(0, get_log(b, NV_LOG_RESV, 64, 0));
	EXPECT_EQ(NV_MAX_NOTES + 2, le64_to_cpu(log->count));
	nb_free(b);
}
