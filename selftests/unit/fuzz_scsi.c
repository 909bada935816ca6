// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-scsi as its driver sees it: commands with their data and protection
 * information, task management, events, LUNs that come and go.
 */
#include <stdio.h>
#include <string.h>

#include "scsi_dev.h"

const unsigned int fuzz_cost = 1000;

/* Lengths of buffers: a few blocks, or what the input says. */
static u32 take_len(void)
{
	u32 v = fuzz_take(1);

	return v < 64 ? v * 512 : v < 96 ? fuzz_take(2) : (v - 96) * 8;
}

static void take_lun(u8 *lun)
{
	u8 how = fuzz_take(1);

	memset(lun, 0, 8);
	lun[0] = 1;
	if (how < 200) {
		lun[3] = how % 3;
		return;
	}
	if (how < 220) {
		lun[2] = 0x40;
		lun[3] = how % 3;
		return;
	}
	fuzz_take_bytes(lun, 8);
}

/* Data-out, of which the first bytes matter. */
static void add_out(struct fv_chain *c, u32 len)
{
	u64 addr = fv_alloc(len);
	u8 bytes[255];
	u32 n = min_t(u32, len, fuzz_take(1));

	fuzz_take_bytes(bytes, n);
	fc_write(addr, bytes, n);
	fv_add(c, addr, len, false);
}

static void command(struct fv_chain *c)
{
	bool pi = vt_vdev_has(fv.vdev, VIRTIO_SCSI_F_T10_PI);
	u32 cdb_size = min(fv.vdev->cdb_size, 64u), out, in;
	struct virtio_scsi_cmd_req_pi r = { .tag = 0 };
	u8 hdr[sizeof(r) + 64] = { 0 }, cdb[64] = { 0 };

	take_lun(r.lun);
	r.tag = fuzz_take(1) & 3;
	r.task_attr = fuzz_take(1) & 7;
	fuzz_take_bytes(cdb, fuzz_take(1) % 33);
	out = take_len();
	in = take_len();
	if (pi) {
		r.pi_bytesout = cpu_to_le32(fuzz_take(1) * VT_PI_BYTES);
		r.pi_bytesin = cpu_to_le32(fuzz_take(1) * VT_PI_BYTES);
		memcpy(hdr, &r, SCSI_REQ_PI_HEAD);
		memcpy(hdr + SCSI_REQ_PI_HEAD, cdb, cdb_size);
		fv_out(c, hdr, SCSI_REQ_PI_HEAD + cdb_size);
	} else {
		memcpy(hdr, &r, SCSI_REQ_HEAD);
		memcpy(hdr + SCSI_REQ_HEAD, cdb, cdb_size);
		fv_out(c, hdr, SCSI_REQ_HEAD + cdb_size);
	}
	if (out)
		add_out(c, out);
	fv_in(c, SCSI_RESP_HEAD + min(fv.vdev->sense_size, 512u));
	if (in)
		fv_in(c, in);
}

static void control(struct fv_chain *c)
{
	static const u32 subtypes[] = {
		VIRTIO_SCSI_T_TMF_ABORT_TASK, VIRTIO_SCSI_T_TMF_ABORT_TASK_SET,
		VIRTIO_SCSI_T_TMF_CLEAR_ACA, VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET,
		VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET,
		VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
		VIRTIO_SCSI_T_TMF_QUERY_TASK, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET,
	};
	struct virtio_scsi_ctrl_tmf_req r = { .type = 0 };
	u8 how = fuzz_take(1);

	r.type = cpu_to_le32(how < 192 ? 0 : how & 3);
	r.subtype = cpu_to_le32(how < 240 ? subtypes[how % 8] : fuzz_take(4));
	take_lun(r.lun);
	r.tag = fuzz_take(1) & 3;
	fv_out(c, &r, sizeof(r));
	fv_in(c, how & 0x10 ? 1 : sizeof(struct virtio_scsi_ctrl_an_resp));
}

void fv_request(struct fv_chain *c, unsigned int queue)
{
	if (queue == SCSI_VQ_CONTROL)
		control(c);
	else if (queue == SCSI_VQ_EVENT)
		fv_in(c, sizeof(struct virtio_scsi_event));
	else
		command(c);
}

void fv_other(void)
{
	u32 what = fuzz_take(1);
	unsigned int i = what >> 4 & 1;

	switch (what % 4) {
	case 0:
		fc_add_disk(i);
		break;
	case 1:
		fc_remove_disk(i);
		break;
	case 2:
		if (!fc.disk[i].present)
			break;
		mutex_lock(&fc.target.lock);
		fv.vdev->s.ops->unit_event(&fv.vdev->s, &fc.disk[i].unit,
					   VT_UNIT_RESIZED);
		mutex_unlock(&fc.target.lock);
		break;
	default:
		scsi_set_events_missed(fv.vdev, what & 0x20);
		MUST(what & 0x20 ? scsi_get_events_missed(fv.vdev) ||
		     !vt_vdev_has(fv.vdev, VIRTIO_SCSI_F_HOTPLUG) : true);
		break;
	}
}

void fv_check(void)
{
	u8 out[4096], in[4096], nr = 4096 / fc.disk[0].be.limits.block_size;
	static u8 seed;
	unsigned int i;

	fc_add_disk(0);
	fc_settle();
	MUST(sd_tmf(VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET) == VIRTIO_SCSI_S_OK);
	for (i = 0; SD_DO(0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0) && i < 32; i++)
		/* Unit attentions, or it is stopped. */
		if (i >= 16)
			SD_DO(0, NULL, 0, NULL, 0, 0x1b, 0, 0, 0, 1, 0);
	MUST(i < 32);
	MUST(!sd_resv(6, 0, 0, 7));
	MUST(!sd_resv(3, 0, 7, 0));
	MUST(!SD_DO(0, NULL, 0, in, 36, 0x12, 0, 0, 0, 36, 0));
	if (((struct scsi_unit *)fc.disk[0].unit.priv)->lu.ro)
		return;
	memset(out, ++seed, sizeof(out));
	MUST(!SD_DO(0, out, sizeof(out), NULL, 0, 0x2a, 0, 0, 0, 0, 8, 0, 0,
		    nr, 0));
	MUST(!SD_DO(0, NULL, 0, in, sizeof(in), 0x28, 0, 0, 0, 0, 8, 0, 0, nr,
		    0));
	MUST(!memcmp(in, out, sizeof(in)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	return fv_run(data, len);
}

/* Seeds. */

static bool seed_pi;

/* @out, @in: as take_len() has them; @list: the first bytes of data-out. */
static void put(const char *cdb, u8 out, u8 in, const char *list)
{
	unsigned int i, n = strlen(cdb) / 2, nr = strlen(list) / 2;
	unsigned int byte;

	fv_put_request(SD_QUEUE + (n & 1), false);
	fuzz_put(3, 0);
	fuzz_put(1, n);
	for (i = 0; i < n; i++) {
		sscanf(cdb + 2 * i, "%2x", &byte);
		fuzz_put(1, byte);
	}
	fuzz_put(1, out);
	fuzz_put(1, in);
	if (seed_pi)
		fuzz_put(2, 0);
	if (!out)
		return;
	fuzz_put(1, nr);
	for (i = 0; i < nr; i++) {
		sscanf(list + 2 * i, "%2x", &byte);
		fuzz_put(1, byte);
	}
}

#define BYTES(n)	(96 + (n) / 8)

static void put_tmf(u8 which)
{
	fv_put_request(SCSI_VQ_CONTROL, false);
	fuzz_put(1, which);
	fuzz_put(2, 0);
}

/* What Linux asks of a disk that it finds. */
static void put_probe(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		fv_put_request(SCSI_VQ_EVENT, false);
	put("a00000000000000010000000", 0, BYTES(4096 / 8), "");
	put("120000002400", 0, BYTES(40), "");
	put("12010000ff00", 0, BYTES(256), "");
	put("12018000ff00", 0, BYTES(256), "");
	put("12018300ff00", 0, BYTES(256), "");
	put("1201b0004000", 0, BYTES(64), "");
	put("1201b1004000", 0, BYTES(64), "");
	put("1201b2004000", 0, BYTES(64), "");
	put("000000000000", 0, 0, "");
	put("000000000000", 0, 0, "");
	put("9e100000000000000000000000200000", 0, BYTES(32), "");
	put("25000000000000000000", 0, BYTES(8), "");
	put("1a003f000400", 0, BYTES(8), "");
	put("1a0008000400", 0, BYTES(8), "");
	put("1a000a00ff00", 0, BYTES(256), "");
	put("5a003f00000000010000", 0, BYTES(256), "");
	put("a30c01120000000002000000", 0, 1, "");
	put("a30c00000000000010000000", 0, 8, "");
	put("a30d00000000000000040000", 0, BYTES(8), "");
	put("a30a00000000000000400000", 0, BYTES(64), "");
	put("4d00000000000000ff00", 0, BYTES(256), "");
	put("030000006000", 0, BYTES(96), "");
	put("1c010000ff00", 0, BYTES(256), "");
	put("1d0400000000", 0, 0, "");
	fv_put_settle();
}

static void put_io(void)
{
	put("28000000000000000800", 0, 8, "");
	put("2a000000000800000800", 8, 0, "aabb");
	put("2a080000001000000100", 1, 0, "aabb");
	put("88000000000000000008000000080000", 0, 8, "");
	put("8a000000000000000010000000080000", 8, 0, "");
	put("080000000200", 0, 2, "");
	put("0a0000000200", 2, 0, "");
	put("a80000000000000000080000", 0, 8, "");
	put("aa0000000000000000080000", 8, 0, "");
	put("35000000000000000000", 0, 0, "");
	put("91000000000000000000000000000000", 0, 0, "");
	put("42000000000000001800", BYTES(24), 0,
	    "001600100000000000000000000000800000000800000000");
	put("93080000000000000010000000100000", 1, 0, "");
	put("41000000001000001000", 1, 0, "01020304");
	put("9300000000000000001000000008000000", 1, 0, "0102");
	put("89000000000000000008000000010000", 2, 0, "");
	put("2e000000000000000200", 2, 0, "");
	put("2f000000000000001000", 0, 0, "");
	put("2f020000000000000100", 1, 0, "11111111");
	put("8b000000000000000008000000020000", 2, 0, "ff");
	put("8e000000000000000008000000020000", 2, 0, "ff");
	put("8f000000000000000008000000020000", 0, 0, "");
	put("9e120000000000000000000000180000", 0, BYTES(24), "");
	put("1b0000000000", 0, 0, "");
	put("1b0000000100", 0, 0, "");
	put("1e0000000100", 0, 0, "");
	put("151000001800", BYTES(24), 0,
	    "000000080000000000000200081204000000000000000000");
	put("151000001000", BYTES(16), 0, "000000000a0a0204080000000000ffff");
	fv_put_settle();
}

static void put_resv(void)
{
	put("5f000000000000001800", BYTES(24), 0,
	    "000000000000000000000000000000070000000000000000");
	put("5f010300000000001800", BYTES(24), 0, "0000000000000007");
	put("5e000000000000000800", 0, BYTES(64), "");
	put("5e010000000000001800", 0, BYTES(24), "");
	put("5e020000000000000800", 0, BYTES(8), "");
	put("5e030000000000008000", 0, BYTES(128), "");
	put("5f040300000000001800", BYTES(24), 0,
	    "000000000000000700000000000000070000000000000000");
	put("5f020300000000001800", BYTES(24), 0, "0000000000000007");
	put("5f060000000000001800", BYTES(24), 0,
	    "000000000000000000000000000000090000000000000000");
	put("5f050100000000001800", BYTES(24), 0, "0000000000000009");
	put("5f030000000000001800", BYTES(24), 0, "0000000000000009");
	fv_put_settle();
}

static void put_rest(void)
{
	unsigned int i;

	/* What is in flight is aborted, in each way. */
	for (i = 0; i < 8; i++) {
		fuzz_put(3, 0x080801);
		put("28000000000000000800", 0, 8, "");
		put("42000000000000001800", BYTES(24), 0, "");
		put_tmf(i);
		fv_put_settle();
	}
	/* LUN 1 comes, changes and goes. */
	fv_put_other();
	fuzz_put(1, 0x10);
	fv_put_settle();
	fv_put_other();
	fuzz_put(1, 0x12);
	fv_put_other();
	fuzz_put(1, 0x11);
	fv_put_settle();
	fv_put_other();
	fuzz_put(1, 0x23);
}

static void seed_disk(const char *name, const struct fv_seed *s)
{
	char full[32];

	snprintf(full, sizeof(full), "%s_probe", name);
	fv_put_begin(s);
	put_probe();
	fuzz_save(strdup(full));
	snprintf(full, sizeof(full), "%s_io", name);
	fv_put_begin(s);
	put("000000000000", 0, 0, "");
	put_io();
	fuzz_save(strdup(full));
	snprintf(full, sizeof(full), "%s_rest", name);
	fv_put_begin(s);
	put("000000000000", 0, 0, "");
	put_resv();
	put_rest();
	fuzz_save(strdup(full));
}

/* Protection information of the initiator's, of writes and of reads. */
static void seed_pi_io(struct fv_seed *s)
{
	static const char *const cdbs[] = {
		"28200000000000000200", "28600000000000000200",
		"88200000000000000000000000020000", "2f200000000000000200",
	};
	unsigned int i;

	s->disk[0] = 32;
	fv_put_begin(s);
	put("000000000000", 0, 0, "");
	for (i = 0; i < ARRAY_SIZE(cdbs); i++) {
		fv_put_request(SD_QUEUE, false);
		fuzz_put(3, 0);
		fuzz_put(1, strlen(cdbs[i]) / 2);
		for (unsigned int k = 0; k < strlen(cdbs[i]) / 2; k++) {
			unsigned int byte;

			sscanf(cdbs[i] + 2 * k, "%2x", &byte);
			fuzz_put(1, byte);
		}
		fuzz_put(2, 2);
		fuzz_put(2, i == 3 ? 0 : 2);
	}
	for (i = 0; i < 4; i++) {
		fv_put_request(SD_QUEUE, false);
		fuzz_put(3, 0);
		fuzz_put(1, 10);
		fuzz_put(2, 0x2a60 - 0x20 * i);
		fuzz_put(8, 0x200);
		fuzz_put(2, 0x0200);
		fuzz_put(2, 0x0200);
		fuzz_put(1, 16);
		fuzz_put(8, ~0ULL);
		fuzz_put(8, ~0ULL);
	}
	fv_put_settle();
	fuzz_save("pi_io");
}

void fuzz_seeds(void)
{
	struct fv_seed s = {
		.features = ~BIT_ULL(VIRTIO_SCSI_F_T10_PI),
	};

	seed_disk("split", &s);
	s.packed = true;
	s.disk[0] = 1;
	seed_disk("packed_4k", &s);
	seed_pi = true;
	s.features = ~0ULL;
	s.far_rings = true;
	s.disk[0] = 32 | 2;
	seed_disk("pi", &s);
	seed_pi_io(&s);
}
