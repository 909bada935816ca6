// SPDX-License-Identifier: GPL-2.0
/* Two controllers of a target: who they are, and what one does to the other. */
#include <string.h>

#include <linux/err.h>

#include "nvme_dev.h"
#include "shim/hook.h"
#include "unit.h"

static struct vt_nvme *other;

/* The first one is driven; the second one is only there. */
static void two(void)
{
	nd_open(0, 0);
	fc.target.flags = VHOST_TARGET_F_SHARED;
	other = vt_nvme_create(&fc.target, &fc.gmem, &nd_door, NULL);
	EXPECT_EQ(0, vt_nvme_attach(other, NULL));
	nd_enable();
	nd_make_queues(1);
}

static void two_end(void)
{
	vt_nvme_destroy(other);
	nd_end();
}

static void keys(u8 crkey, u8 key)
{
	u8 k[16] = { [0] = crkey, [8] = key };

	fc_write(nd_data(0), k, sizeof(k));
}

static u16 resv(u8 opcode, u32 dw10, u8 crkey, u8 key)
{
	keys(crkey, key);
	return nd_io(opcode, dw10, 0, 0, nd_data(0)) & NV_SC_MASK;
}

static enum vt_resv_result other_out(u8 op, u8 type, u64 key, u64 new_key)
{
	struct vt_resv_args a = {
		.op = op, .type = type, .key = key, .new_key = new_key,
	};

	return vt_resv_out(&other->core.ns[0]->resv, &a);
}

static u16 le16_at(u32 page, u32 off)
{
	__le16 v;

	fc_read(nd_data(page) + off, &v, 2);
	return le16_to_cpu(v);
}

TEST(identifiers, "each controller has the lowest identifier that is free")
{
	struct vt_nvme *third;

	two();
	EXPECT_EQ(1, nd.n->core.cntlid);
	EXPECT_EQ(2, other->core.cntlid);
	third = vt_nvme_create(&fc.target, &fc.gmem, &nd_door, NULL);
	EXPECT_EQ(0, vt_nvme_attach(third, NULL));
	EXPECT_EQ(3, third->core.cntlid);
	vt_nvme_detach(other);
	vt_nvme_detach(third);
	EXPECT_EQ(0, vt_nvme_attach(third, NULL));
	EXPECT_EQ(2, third->core.cntlid);
	EXPECT_EQ(0, vt_nvme_attach(other, NULL));
	EXPECT_EQ(3, other->core.cntlid);
	vt_nvme_destroy(third);
	two_end();
}

TEST(preempted, "a registration that is preempted is told, and its I/O waited for")
{
	struct nv_sqe w = {
		.opcode = NV_CMD_WRITE, .nsid = cpu_to_le32(1),
		.prp1 = cpu_to_le64(nd_data(4)), .cdw10 = cpu_to_le32(8),
	};
	u8 data[512] = { 0x66 };

	two();
	EXPECT_EQ(0, resv(NV_CMD_RESV_REGISTER, 0, 0, 1));
	EXPECT_EQ(0, resv(NV_CMD_RESV_ACQUIRE, VT_RESV_WRITE_EX << 8, 1, 0));
	EXPECT_EQ(VT_RESV_OK, other_out(VT_RESV_OP_REGISTER_NEW, 0, 0, 2));
	fc_write(nd_data(4), data, sizeof(data));
	fc.holds = true;
	w.cid = nd.cid++;
	nd_submit(1, &w, true);
	fc_poll();
	EXPECT_EQ(0x11, fc.disk[0].data[8 * 512]);
	EXPECT_EQ(VT_RESV_OK, other_out(VT_RESV_OP_PREEMPT, VT_RESV_WRITE_EX, 2,
					1));
	EXPECT_EQ(0x66, fc.disk[0].data[8 * 512]);
	fc.holds = false;
	EXPECT_EQ(0, nd_status(1));
	/* In the log, and no more writes. */
	EXPECT_EQ(1, nd.n->core.notes.nr);
	w.cid = nd.cid++;
	nd_submit(1, &w, true);
	EXPECT_EQ(NV_SC_RESV_CONFLICT, nd_status(1) & NV_SC_MASK);
	two_end();
}

static struct nv_sqe write_to(u32 nsid, u32 lba)
{
	return (struct nv_sqe) {
		.opcode = NV_CMD_WRITE, .nsid = cpu_to_le32(nsid),
		.cid = nd.cid++, .prp1 = cpu_to_le64(nd_data(4)),
		.cdw10 = cpu_to_le32(lba),
	};
}

/* Requests that will be others had the backend before. */
static void use_requests(unsigned int nr)
{
	struct nv_sqe s;

	fc.holds = true;
	while (nr--) {
		s = write_to(1, 16);
		nd_submit(1, &s, true);
	}
	fc_poll();
	nd_serve();
}

static bool no_work(struct work_struct *work)
{
	(void)work;
	return true;
}

TEST(preempted_hung, "another namespace that hangs is not waited for, nor is a work item")
{
	u8 data[512] = { 0x67 };
	struct nv_sqe s;

	two();
	fc_add_disk(1);
	fc_settle();
	EXPECT_EQ(0, resv(NV_CMD_RESV_REGISTER, 0, 0, 1));
	EXPECT_EQ(VT_RESV_OK, other_out(VT_RESV_OP_REGISTER_NEW, 0, 0, 2));
	fc_write(nd_data(4), data, sizeof(data));
	use_requests(3);
	fc.hangs = &fc.disk[1].be;
	s = write_to(2, 8);
	nd_submit(1, &s, true);
	s = write_to(1, 8);
	nd_submit(1, &s, true);
	s = write_to(1, 8);
	s.opcode = NV_CMD_COMPARE;
	nd_submit(1, &s, true);
	fc_poll();
	EXPECT_EQ(3, nd.n->cq[0].q.inflight);
	fc.blocked = no_work;
	EXPECT_EQ(VT_RESV_OK, other_out(VT_RESV_OP_PREEMPT, 0, 2, 1));
	fc.blocked = NULL;
	EXPECT_EQ(0x67, fc.disk[0].data[8 * 512]);
	EXPECT_EQ(0x22, fc.disk[1].data[8 * 512]);
	EXPECT_EQ(2, nd.n->cq[0].q.inflight);
	fc.holds = false;
	fc.hangs = NULL;
	nd_serve();
	EXPECT_EQ(0x67, fc.disk[1].data[8 * 512]);
	two_end();
}

static u16 say_host(u8 last)
{
	u8 id[16] = { 0xaa, [15] = last };
	struct nv_sqe s = {
		.opcode = NV_ADM_SET_FEATURES,
		.prp1 = cpu_to_le64(nd_data(0)),
		.cdw10 = cpu_to_le32(NV_FEAT_HOST_ID),
		.cdw11 = cpu_to_le32(1),
	};

	fc_write(nd_data(0), id, sizeof(id));
	s.cid = nd.cid++;
	nd_submit(0, &s, true);
	return nd_status(0);
}

static unsigned int locked;

/* Commands that are being done look at it without the controller's lock. */
static void still_bound(struct mutex *m)
{
	(void)m;
	locked++;
	EXPECT(nd.n->core.ns[0]->resv.resv);
	EXPECT_EQ(VT_RESV_RW, nd.n->core.ns[0]->resv.may);
}

TEST(host_meanwhile, "a host that says who it is keeps its namespaces, and its rights")
{
	two();
	locked = 0;
	shim_on_lock = still_bound;
	EXPECT_EQ(0, say_host(1));
	EXPECT_EQ(0, say_host(2));
	shim_on_lock = NULL;
	EXPECT(locked);
	two_end();
}

TEST(hosts, "a host that says who it is has what it had registered")
{
	u8 id[16] = { 0xaa, [15] = 1 };

	two();
	EXPECT_EQ(0, say_host(1));
	EXPECT(!memcmp(nd.n->core.ns[0]->resv.id.bytes, id, sizeof(id)));
	EXPECT(memcmp(other->core.ns[0]->resv.id.bytes, id, sizeof(id)));
	EXPECT_EQ(0, resv(NV_CMD_RESV_REGISTER, 0, 0, 1));
	/* The short form has no room for such a host. */
	EXPECT_EQ(NV_SC_HOSTID_FORMAT,
		  nd_io(NV_CMD_RESV_REPORT, 63, 0, 0, nd_data(0)) &
		  NV_SC_MASK);
	EXPECT_EQ(0, nd_io(NV_CMD_RESV_REPORT, 127, NV_RESV_EDS, 0, nd_data(1)));
	EXPECT_EQ(1, le16_at(1, 5));
	two_end();
}

TEST(resv_actions, "actions that are none, and a key to be ignored where it cannot be")
{
	unsigned int act;

	two();
	EXPECT_EQ(0, resv(NV_CMD_RESV_REGISTER, 0, 0, 1));
	for (act = 0; act < 8; act++) {
		EXPECT_EQ(act < 3 ? 0 : NV_SC_FIELD,
			  resv(NV_CMD_RESV_REGISTER, act | NV_RESV_IEKEY, 0, 1));
		EXPECT_EQ(NV_SC_FIELD, resv(NV_CMD_RESV_ACQUIRE,
					    1 << 8 | NV_RESV_IEKEY | act, 1, 0));
		EXPECT_EQ(NV_SC_FIELD, resv(NV_CMD_RESV_RELEASE,
					    1 << 8 | NV_RESV_IEKEY | act, 1, 0));
		if (act > 2)
			EXPECT_EQ(NV_SC_FIELD, resv(NV_CMD_RESV_ACQUIRE,
						    1 << 8 | act, 1, 0));
		if (act > 1)
			EXPECT_EQ(NV_SC_FIELD, resv(NV_CMD_RESV_RELEASE,
						    1 << 8 | act, 1, 0));
	}
	two_end();
}

TEST(report, "a report has each controller of a registrant, or none")
{
	two();
	EXPECT_EQ(0, resv(NV_CMD_RESV_REGISTER, 0, 0, 1));
	EXPECT_EQ(VT_RESV_OK, other_out(VT_RESV_OP_REGISTER_NEW, 0, 0, 2));
	EXPECT_EQ(0, nd_io(NV_CMD_RESV_REPORT, 63, 0, 0, nd_data(1)));
	EXPECT_EQ(2, le16_at(1, 5));
	EXPECT_EQ(1, le16_at(1, 24));
	EXPECT_EQ(2, le16_at(1, 48));
	/* Extended entries; and one whose controller is gone. */
	vt_nvme_detach(other);
	EXPECT_EQ(0, nd_io(NV_CMD_RESV_REPORT, 127, NV_RESV_EDS, 0,
			   nd_data(1)));
	EXPECT_EQ(2, le16_at(1, 5));
	EXPECT_EQ(1, le16_at(1, 64));
	EXPECT_EQ(0xffff, le16_at(1, 128));
	two_end();
}

TEST(persist, "a reservation that cannot be saved is not to persist")
{
	two();
	/* CPTPL: leave it, no, yes, reserved. */
	EXPECT_EQ(0, resv(NV_CMD_RESV_REGISTER, 2u << 30, 0, 1));
	EXPECT_EQ(NV_SC_FIELD, resv(NV_CMD_RESV_REGISTER, 3u << 30 | 2, 1, 1));
	EXPECT_EQ(NV_SC_FIELD, resv(NV_CMD_RESV_REGISTER, 1u << 30 | 2, 1, 1));
	nd_admin(NV_ADM_SET_FEATURES, 1, 0, NV_FEAT_RESV_PERSIST, 1);
	EXPECT_EQ(NV_SC_FIELD, nd_status(0) & NV_SC_MASK);
	nd_admin(NV_ADM_SET_FEATURES, 2, 0, NV_FEAT_RESV_PERSIST, 0);
	EXPECT_EQ(NV_SC_NS, nd_status(0) & NV_SC_MASK);
	nd_admin(NV_ADM_GET_FEATURES, 2, 0, NV_FEAT_RESV_PERSIST, 0);
	EXPECT_EQ(NV_SC_NS, nd_status(0) & NV_SC_MASK);
	two_end();
}

TEST(resv_no_memory, "no memory for a reservation: an error, to be tried again")
{
	two();
	keys(0, 1);
	shim_no_memory = 1;
	EXPECT_EQ(NV_SC_INTERNAL | NV_SC_MORE,
		  nd_io(NV_CMD_RESV_REGISTER, 0, 0, 0, nd_data(0)));
	EXPECT_EQ(0, resv(NV_CMD_RESV_REGISTER, 0, 0, 1));
	two_end();
}

TEST(create_no_memory, "no memory for a controller: an error, and nothing is kept")
{
	struct vt_nvme *n;
	unsigned int i;

	nd_open(0, 0);
	/* Itself, queues, namespaces, two pages, and the session's. */
	for (i = 1; i <= 8; i++) {
		shim_no_memory = i;
		n = vt_nvme_create(&fc.target, &fc.gmem, &nd_door, NULL);
		EXPECT(IS_ERR(n) && PTR_ERR(n) == -ENOMEM);
	}
	fc.target.flags = VHOST_TARGET_F_SHARED;
	n = vt_nvme_create(&fc.target, &fc.gmem, &nd_door, NULL);
	shim_no_memory = 1;
	EXPECT_EQ(-ENOMEM, vt_nvme_attach(n, NULL));
	EXPECT_EQ(0, vt_nvme_attach(n, NULL));
	vt_nvme_destroy(n);
	nd_end();
}

TEST(unit_no_memory, "no memory for a namespace: it is not there, for some or at all")
{
	nd_open(0, 0);
	shim_no_memory = 1;
	fc_add_disk(1);
	EXPECT(!fc.disk[1].present);
	shim_no_memory = 2;
	fc_add_disk(1);
	EXPECT(fc.disk[1].present);
	EXPECT(!nd.n->core.ns[1]);
	fc_remove_disk(1);
	fc_add_disk(1);
	EXPECT(nd.n->core.ns[1]);
	fc_settle();
	nd_end();
}
