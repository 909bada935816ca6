// SPDX-License-Identifier: GPL-2.0
/* INQUIRY: standard data and vital product data, byte by byte. */
#include <string.h>

#include <linux/vhost_target.h>

#include "scsi_bed.h"

#define VPD(page)	CDB(0x12, 1, page, B16(255), 0)

/* Run it. Returns: the page's length with its header. */
static unsigned int vpd(struct sbed *b, u8 page)
{
	sbed_run(b, 0, VPD(page), 0, 255);
	EXPECT_GOOD(b);
	EXPECT_EQ(0, b->in[0]);
	EXPECT_EQ(page, b->in[1]);
	EXPECT_EQ(b->task.moved, get_unaligned_be16(b->in + 2) + 4);
	return b->task.moved;
}

static void set_names(struct sbed *b, struct scsi_lu_params *p)
{
	(void)b;
	p->vendor = "ACME";
	p->product = "ROCKET SLED 0016";
	p->revision = "2.5";
	p->serial = "serial-1";
	p->naa = 0x3001122334455667ULL;
}

TEST(inq_standard, "inquiry: standard data")
{
	static const u8 head[] = { 0x00, 0x00, 0x07, 0x12, 91, 0x10, 0, 0x02 };
	/* SAM-5, SPC-5, SBC-4, and what older initiators look for. */
	static const u8 versions[] = { 0x00, 0xa0, 0x05, 0xc0, 0x06, 0x00,
				       0x04, 0x60, 0x04, 0xc0, 0x00, 0x00 };
	struct sbed *b = sbed_new_with(set_names);

	sbed_run(b, 0, CDB(0x12, 0, 0, B16(200), 0), 0, 200);
	EXPECT_GOOD(b);
	EXPECT_EQ(96, b->task.moved);
	EXPECT(!memcmp(b->in, head, sizeof(head)));
	EXPECT(!memcmp(b->in + 8, "ACME    ROCKET SLED 00162.5 ", 28));
	EXPECT(!memcmp(b->in + 58, versions, sizeof(versions)));
	sbed_free(b);
}

TEST(inq_defaults, "inquiry: names that are ours if none are given")
{
	struct sbed *b = sbed_new();

	sbed_run(b, 0, CDB(0x12, 0, 0, B16(36), 0), 0, 36);
	EXPECT(!memcmp(b->in + 8, "VHOST   DISK            0001", 28));
	sbed_free(b);
}

TEST(inq_fields, "inquiry: a page without EVPD, and an unknown page")
{
	struct sbed *b = sbed_new();
	u8 pages[16];
	unsigned int page, nr;

	sbed_run(b, 0, CDB(0x12, 0, 0x80, B16(36), 0), 0, 36);
	EXPECT_BAD_CDB(b, 2, -1);
	nr = vpd(b, 0x00) - 4;
	memcpy(pages, b->in + 4, nr);
	for (page = 0; page < 256; page++) {
		if (memchr(pages, page, nr)) {
			vpd(b, page);
			continue;
		}
		sbed_run(b, 0, VPD(page), 0, 255);
		EXPECT_BAD_CDB(b, 2, -1);
	}
	sbed_free(b);
}

TEST(inq_nothing, "inquiry: of a LUN where nothing is")
{
	struct sbed *b = sbed_new();

	sbed_task(b, 0, CDB(0x12, 0, 0, B16(96), 0), 0, 96);
	b->task.itl = NULL;
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(0x7f, b->in[0]);
	EXPECT_EQ(96, b->task.moved);
	sbed_task(b, 0, VPD(0x00), 0, 255);
	b->task.itl = NULL;
	sbed_go(b);
	EXPECT_GOOD(b);
	EXPECT_EQ(5, b->task.moved);
	EXPECT_EQ(0x7f, b->in[0]);
	sbed_task(b, 0, VPD(0x83), 0, 255);
	b->task.itl = NULL;
	sbed_go(b);
	EXPECT_BAD_CDB(b, 2, -1);
	sbed_free(b);
}

TEST(vpd_list, "vpd 00: all pages, in order")
{
	static const u8 pages[] = {
		0x00, 0x80, 0x83, 0x86, 0x87, 0x88, 0xb0, 0xb1, 0xb2
	};
	struct sbed *b = sbed_new();

	EXPECT_EQ(4 + sizeof(pages), vpd(b, 0x00));
	EXPECT(!memcmp(b->in + 4, pages, sizeof(pages)));
	sbed_free(b);
}

TEST(vpd_serial, "vpd 80: the serial number")
{
	struct sbed *b = sbed_new_with(set_names);

	EXPECT_EQ(12, vpd(b, 0x80));
	EXPECT(!memcmp(b->in + 4, "serial-1", 8));
	sbed_free(b);
}

TEST(vpd_ids, "vpd 83: unit, port and device have names")
{
	static const u8 want[] = {
		/* NAA of the unit. */
		0x01, 0x03, 0, 8, 0x30, 0x01, 0x12, 0x23, 0x34, 0x45, 0x56, 0x67,
		/* T10 vendor identification. */
		0x02, 0x01, 0, 32, 'A', 'C', 'M', 'E', ' ', ' ', ' ', ' ',
		'R', 'O', 'C', 'K', 'E', 'T', ' ', 'S', 'L', 'E', 'D', ' ',
		'0', '0', '1', '6', 's', 'e', 'r', 'i', 'a', 'l', '-', '1',
		/* NAA of the port, its number, its group. */
		0x61, 0x93, 0, 8, 0x50, 0x01, 0x40, 0x50, 0, 0, 0, 1,
		0x01, 0x14, 0, 4, 0, 0, 0, 3,
		0x01, 0x15, 0, 4, 0, 0, 0, 7,
		/* SCSI name string of the device. */
		0x03, 0x28, 0, 24, 'n', 'a', 'a', '.', '5', '0', '0', '1',
		'4', '0', '5', '0', '0', '0', '0', '0', '0', '0', '0', '1',
		0, 0, 0, 0,
	};
	struct sbed *b = sbed_new_with(set_names);

	EXPECT_EQ(4 + sizeof(want), vpd(b, 0x83));
	EXPECT(!memcmp(b->in + 4, want, sizeof(want)));
	sbed_free(b);
}

static void set_other(struct sbed *b, struct scsi_lu_params *p)
{
	(void)b;
	p->serial = "disk1";
}

TEST(vpd_naa, "vpd 83: an NAA is made from the serial number alone")
{
	struct sbed *b = sbed_new(), *c = sbed_new();
	struct sbed *d = sbed_new_with(set_other);

	EXPECT_EQ(3, b->lu.naa >> 60);
	EXPECT_EQ(3, d->lu.naa >> 60);
	EXPECT(b->lu.naa == c->lu.naa);
	EXPECT(b->lu.naa != d->lu.naa);
	sbed_free(b);
	sbed_free(c);
	sbed_free(d);
}

TEST(vpd_extended, "vpd 86: simple tasks, a volatile cache, LUICLR")
{
	struct sbed *b = sbed_new();
	u8 want[60] = { [1] = 0x01, [2] = 0x01, [3] = 0x01 };

	EXPECT_EQ(64, vpd(b, 0x86));
	EXPECT(!memcmp(b->in + 4, want, sizeof(want)));
	b->be.limits.write_cache = false;
	want[2] = 0;
	vpd(b, 0x86);
	EXPECT(!memcmp(b->in + 4, want, sizeof(want)));
	sbed_free(b);
}

TEST(vpd_policy, "vpd 87: all mode pages are shared")
{
	static const u8 want[] = { 0x3f, 0xff, 0, 0 };
	struct sbed *b = sbed_new();

	EXPECT_EQ(8, vpd(b, 0x87));
	EXPECT(!memcmp(b->in + 4, want, sizeof(want)));
	sbed_free(b);
}

TEST(vpd_ports, "vpd 88: the port")
{
	static const u8 want[] = {
		0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 12,
		0x61, 0x93, 0, 8, 0x50, 0x01, 0x40, 0x50, 0, 0, 0, 1,
	};
	struct sbed *b = sbed_new();

	EXPECT_EQ(4 + sizeof(want), vpd(b, 0x88));
	EXPECT(!memcmp(b->in + 4, want, sizeof(want)));
	sbed_free(b);
}

TEST(vpd_limits, "vpd b0: what is refused beyond it is told")
{
	struct sbed *b = sbed_new();
	u8 want[60] = { 0x01, 64 };

	put_unaligned_be16(8, want + 2);		/* granularity */
	put_unaligned_be32(2048, want + 4);		/* transfer */
	put_unaligned_be32(128, want + 8);		/* optimal */
	put_unaligned_be32(SBED_MAX_DISCARD, want + 16);
	put_unaligned_be32(64, want + 20);		/* descriptors */
	put_unaligned_be32(8, want + 24);		/* granularity */
	put_unaligned_be64(SBED_MAX_ZEROES, want + 32);
	EXPECT_EQ(64, vpd(b, 0xb0));
	EXPECT(!memcmp(b->in + 4, want, sizeof(want)));
	sbed_free(b);
}

TEST(vpd_b1, "vpd b1: whether the medium turns")
{
	struct sbed *b = sbed_new();

	EXPECT_EQ(64, vpd(b, 0xb1));
	EXPECT(!memchr_inv(b->in + 4, 0, 60));
	b->solid_state = true;
	EXPECT_EQ(64, vpd(b, 0xb1));
	EXPECT_EQ(1, get_unaligned_be16(b->in + 4));
	EXPECT(!memchr_inv(b->in + 6, 0, 58));
	sbed_free(b);
}

static const struct vt_backend_ops file_ops = {
	.type = VHOST_TARGET_BACKEND_FILE,
};

static void set_file(struct sbed *b, struct scsi_lu_params *p)
{
	(void)p;
	b->be.ops = &file_ops;
}

static void set_ro(struct sbed *b, struct scsi_lu_params *p)
{
	(void)b;
	p->flags = VHOST_TARGET_UNIT_F_RO;
}

static void provisioning(void (*set)(struct sbed *b, struct scsi_lu_params *p),
			 u8 flags, u8 type)
{
	struct sbed *b = sbed_new_with(set);
	u8 want[] = { 0, flags, type, 0 };

	EXPECT_EQ(8, vpd(b, 0xb2));
	EXPECT(!memcmp(b->in + 4, want, sizeof(want)));
	sbed_free(b);
}

TEST(vpd_provision, "vpd b2: as the backend can")
{
	provisioning(NULL, 0xe0, 0x02);
	provisioning(set_file, 0xe4, 0x02);
	provisioning(set_ro, 0x00, 0x00);
}

TEST(vpd_limits_ro, "vpd b0: a read-only unit tells of no unmap and no compare and write")
{
	struct sbed *b = sbed_new_with(set_ro);

	EXPECT_EQ(64, vpd(b, 0xb0));
	EXPECT_EQ(0, b->in[4 + 1]);
	EXPECT(!memchr_inv(b->in + 4 + 16, 0, 16));
	sbed_free(b);
}

static void names(struct scsi_lu_params *p, int err)
{
	struct vt_backend be = { .limits = { .block_size = 512 } };
	struct scsi_lu lu = {};

	p->be = &be;
	p->max_bytes = 4096;
	EXPECT_EQ(err, scsi_lu_init(&lu, p));
}

static void bad_name(const char *vendor, const char *serial, int err)
{
	struct scsi_lu_params p = { .vendor = vendor, .serial = serial };

	names(&p, err);
}

TEST(lu_names, "logical unit: names that do not fit are refused")
{
	bad_name("12345678", "s", 0);
	bad_name("123456789", "s", -EINVAL);
	bad_name("a\tb", "s", -EINVAL);
	bad_name("\xc3\xa9", "s", -EINVAL);
	bad_name("\x7f", "s", -EINVAL);
	bad_name(NULL, "1234567890123456789012345678901234567890123456789012345678901234",
		 0);
	bad_name(NULL, "12345678901234567890123456789012345678901234567890123456789012345",
		 -EINVAL);
	names(&(struct scsi_lu_params) { .product = "12345678901234567",
					 .serial = "s" }, -EINVAL);
	names(&(struct scsi_lu_params) { .revision = "12345",
					 .serial = "s" }, -EINVAL);
}

TEST(lu_blocks, "logical unit: blocks that no transfer or buffer can hold")
{
	struct vt_backend be = { .limits = { .block_size = 4096 } };
	struct scsi_lu_params p = { .be = &be, .serial = "s" };
	struct scsi_lu lu = {};

	p.max_bytes = 4095;
	be.ops = &file_ops;
	EXPECT_EQ(-EINVAL, scsi_lu_init(&lu, &p));
	p.max_bytes = 1 << 20;
	EXPECT_EQ(0, scsi_lu_init(&lu, &p));
	/* With its tuples, such a block is more than the half of a buffer. */
	be.limits.block_size = 32768;
	be.limits.pi_interval = 32768;
	be.limits.pi_type = 1;
	EXPECT_EQ(0, scsi_lu_init(&lu, &p));
	EXPECT_EQ(0, lu.pi_type);
	be.limits.block_size = 65536;
	EXPECT_EQ(-EINVAL, scsi_lu_init(&lu, &p));
}
