// SPDX-License-Identifier: GPL-2.0
/* INQUIRY: standard and vital product data (SPC-5, SBC-4). */
#include "cmd.h"

/* No page of ours is longer. */
#define VPD_MAX		256
#define VPD_HEADER	4

/*
 * Peripheral qualifier and type: a disk, one that is host-managed; nothing can
 * be at this LUN.
 */
#define PERIPHERAL_DISK	0x00
#define PERIPHERAL_ZONED	0x14
#define PERIPHERAL_NONE	0x7f

/* Designation descriptors: code set, association, type. */
#define CODE_BINARY	0x01
#define CODE_ASCII	0x02
#define CODE_UTF8	0x03
#define ASSOC_LU	0x00
#define ASSOC_PORT	0x10
#define ASSOC_DEVICE	0x20
#define ID_T10		0x01
#define ID_NAA		0x03
#define ID_REL_PORT	0x04
#define ID_GROUP	0x05
#define ID_NAME		0x08

static u8 inquiry_peripheral(const struct scsi_task *task)
{
	if (!task->itl)
		return PERIPHERAL_NONE;
	return scsi_zoned(task->itl->lu) ? PERIPHERAL_ZONED : PERIPHERAL_DISK;
}

static u32 inquiry_alloc(const struct scsi_task *task)
{
	return get_unaligned_be16(task->cdb + 3);
}

static void inquiry_names(const struct scsi_lu *lu, u8 *buf)
{
	if (!lu) {
		memset(buf, ' ', SCSI_VENDOR_LEN + SCSI_PRODUCT_LEN +
		       SCSI_REVISION_LEN);
		return;
	}
	memcpy(buf, lu->vendor, SCSI_VENDOR_LEN);
	memcpy(buf + 8, lu->product, SCSI_PRODUCT_LEN);
	memcpy(buf + 24, lu->revision, SCSI_REVISION_LEN);
}

/* Those whose initiators know no newer ones are served by the same commands. */
static const u16 inquiry_versions[] = {
	0x00a0,		/* SAM-5 */
	0x05c0,		/* SPC-5 */
	0x0600,		/* SBC-4 */
	0x0460,		/* SPC-4 */
	0x04c0,		/* SBC-3 */
};

#define INQUIRY_VERSIONS	58
#define VERSION_ZBC		0x0620

static void inquiry_put_versions(u8 *buf, bool zoned)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(inquiry_versions); i++)
		put_unaligned_be16(inquiry_versions[i], buf + 2 * i);
	if (zoned)
		put_unaligned_be16(VERSION_ZBC, buf + 2 * i);
}

static void inquiry_standard(struct scsi_task *task)
{
	u8 buf[96] = {};

	buf[0] = inquiry_peripheral(task);
	buf[2] = 0x07;			/* SPC-5 */
	buf[3] = 0x12;			/* HISUP, response data format 2 */
	buf[4] = sizeof(buf) - 5;
	buf[5] = 0x10;			/* TPGS: implicit */
	if (scsi_task_pi(task))
		buf[5] |= 0x01;		/* PROTECT */
	buf[7] = 0x02;			/* CMDQUE */
	inquiry_names(scsi_task_lu(task), buf + 8);
	inquiry_put_versions(buf + INQUIRY_VERSIONS,
			     buf[0] == PERIPHERAL_ZONED);
	scsi_put(task, inquiry_alloc(task), buf, sizeof(buf));
}

static unsigned int put_designator(u8 *buf, u8 code, u8 assoc_type,
				   const void *id, u8 len)
{
	buf[0] = code;
	buf[1] = assoc_type;
	buf[2] = 0;
	buf[3] = len;
	memcpy(buf + 4, id, len);
	return 4 + len;
}

static unsigned int put_naa(u8 *buf, u8 assoc, u64 naa)
{
	u8 id[8];

	put_unaligned_be64(naa, id);
	return put_designator(buf, CODE_BINARY, assoc | ID_NAA, id, sizeof(id));
}

static unsigned int put_port_number(u8 *buf, u8 type, u16 nr)
{
	u8 id[4] = {};

	put_unaligned_be16(nr, id + 2);
	return put_designator(buf, CODE_BINARY, ASSOC_PORT | type, id,
			      sizeof(id));
}

/* Our transport looks like SAS to those who ask: PIV and protocol 6. */
unsigned int scsi_put_port_naa(const struct scsi_port *port, u8 *buf)
{
	unsigned int len = put_naa(buf, ASSOC_PORT, port->naa);

	buf[0] |= 0x60;
	buf[1] |= 0x80;
	return len;
}

/* Vendor, then product and serial number, which together are unique. */
static unsigned int put_t10(u8 *buf, const struct scsi_lu *lu)
{
	u8 id[SCSI_VENDOR_LEN + SCSI_PRODUCT_LEN + SCSI_SERIAL_LEN];
	u8 serial = strlen(lu->serial);

	memcpy(id, lu->vendor, SCSI_VENDOR_LEN);
	memcpy(id + 8, lu->product, SCSI_PRODUCT_LEN);
	memcpy(id + 24, lu->serial, serial);
	return put_designator(buf, CODE_ASCII, ASSOC_LU | ID_T10, id,
			      24 + serial);
}

/* "naa." and the port's digits, NUL-terminated, of a multiple of 4 bytes. */
static unsigned int put_device_name(u8 *buf, const struct scsi_port *port)
{
	static const char digits[] = "0123456789ABCDEF";
	char name[24] = "naa.";
	unsigned int i;

	for (i = 0; i < 16; i++)
		name[4 + i] = digits[port->naa >> (60 - 4 * i) & 15];
	return put_designator(buf, CODE_UTF8, ASSOC_DEVICE | ID_NAME, name,
			      sizeof(name));
}

typedef unsigned int (*vpd_fn)(struct scsi_task *task, u8 *buf);

static unsigned int vpd_serial(struct scsi_task *task, u8 *buf)
{
	const char *serial = task->itl->lu->serial;

	memcpy(buf, serial, strlen(serial));
	return strlen(serial);
}

static unsigned int vpd_ids(struct scsi_task *task, u8 *buf)
{
	const struct scsi_port *port = task->nexus->port;
	const struct scsi_lu *lu = task->itl->lu;
	u8 *p = buf;

	p += put_naa(p, ASSOC_LU, lu->naa);
	p += put_t10(p, lu);
	p += scsi_put_port_naa(port, p);
	p += put_port_number(p, ID_REL_PORT, port->rel_port);
	p += put_port_number(p, ID_GROUP, port->group);
	p += put_device_name(p, port);
	return p - buf;
}

/* SPT and what is checked; nobody checks application tags (ATO is 0). */
static u8 vpd_protection(u8 pi_type)
{
	switch (pi_type) {
	case 1:
		return 0x05;		/* type 1, GRD_CHK, REF_CHK */
	case 3:
		return 0x24;		/* type 3, GRD_CHK */
	default:
		return 0;
	}
}

static unsigned int vpd_extended(struct scsi_task *task, u8 *buf)
{
	buf[0] = vpd_protection(scsi_task_pi(task));
	buf[1] = 0x01;			/* SIMPSUP */
	if (scsi_lu_be(task->itl->lu)->limits.write_cache)
		buf[2] = 0x01;		/* V_SUP */
	buf[3] = 0x01;			/* LUICLR */
	return 60;
}

/* All mode pages are shared by all nexuses. */
static unsigned int vpd_mode_policy(struct scsi_task *task, u8 *buf)
{
	buf[0] = 0x3f;
	buf[1] = 0xff;
	return 4;
}

static unsigned int vpd_ports(struct scsi_task *task, u8 *buf)
{
	const struct scsi_port *port = task->nexus->port;
	unsigned int len = scsi_put_port_naa(port, buf + 12);

	put_unaligned_be16(port->rel_port, buf + 2);
	put_unaligned_be16(len, buf + 10);
	return 12 + len;
}

static void vpd_unmap_limits(const struct scsi_lu *lu, u8 *buf)
{
	const struct vt_limits *l = &scsi_lu_be(lu)->limits;

	if (!lu->unmap)
		return;
	put_unaligned_be32(scsi_max_unmap(lu), buf + 16);
	put_unaligned_be32(SCSI_MAX_UNMAP_DESCS, buf + 20);
	put_unaligned_be32(scsi_to_blocks(lu, l->discard_alignment), buf + 24);
}

static unsigned int vpd_limits(struct scsi_task *task, u8 *buf)
{
	const struct scsi_lu *lu = task->itl->lu;
	const struct vt_limits *l = &scsi_lu_be(lu)->limits;

	buf[0] = 0x01;			/* WSNZ */
	buf[1] = lu->ro ? 0 : scsi_max_caw(lu);
	put_unaligned_be16(min_t(u32, l->io_min >> lu->block_shift, U16_MAX),
			   buf + 2);
	put_unaligned_be32(lu->max_blocks, buf + 4);
	put_unaligned_be32(min(l->io_opt >> lu->block_shift, lu->max_blocks),
			   buf + 8);
	vpd_unmap_limits(lu, buf);
	put_unaligned_be64(scsi_max_same(lu), buf + 32);
	return 60;
}

static unsigned int vpd_characteristics(struct scsi_task *task, u8 *buf)
{
	/* Medium rotation rate: none; 0: it is not reported. */
	if (scsi_be_solid_state(scsi_lu_be(task->itl->lu)))
		put_unaligned_be16(1, buf);
	return 60;
}

static unsigned int vpd_provisioning(struct scsi_task *task, u8 *buf)
{
	const struct scsi_lu *lu = task->itl->lu;

	if (lu->unmap) {
		buf[1] = 0xe0;		/* LBPU, LBPWS, LBPWS10 */
		buf[2] = 0x02;		/* thin provisioned */
	}
	if (lu->unmap_zeroes)
		buf[1] |= 0x04;		/* LBPRZ */
	return 4;
}

/* No number of open zones is better than others. */
static unsigned int vpd_zoned(struct scsi_task *task, u8 *buf)
{
	const struct vt_limits *l = &scsi_lu_be(task->itl->lu)->limits;

	buf[0] = 0x01;			/* URSWRZ: what is not written reads */
	put_unaligned_be32(U32_MAX, buf + 4);
	put_unaligned_be32(U32_MAX, buf + 8);
	put_unaligned_be32(l->max_open_zones ?: U32_MAX, buf + 12);
	return 60;
}

static unsigned int vpd_list(struct scsi_task *task, u8 *buf);

static const struct vpd_page {
	u8 code;
	vpd_fn fill;
} vpd_pages[] = {
	{ 0x00, vpd_list },
	{ 0x80, vpd_serial },
	{ 0x83, vpd_ids },
	{ 0x86, vpd_extended },
	{ 0x87, vpd_mode_policy },
	{ 0x88, vpd_ports },
	{ 0xb0, vpd_limits },
	{ 0xb1, vpd_characteristics },
	{ 0xb2, vpd_provisioning },
	{ 0xb6, vpd_zoned },
};

/* Of what is not there, only the first page can be had; the last is of zones. */
static unsigned int vpd_nr(const struct scsi_task *task)
{
	if (!task->itl)
		return 1;
	return ARRAY_SIZE(vpd_pages) - !scsi_zoned(task->itl->lu);
}

static unsigned int vpd_list(struct scsi_task *task, u8 *buf)
{
	unsigned int i, nr = vpd_nr(task);

	for (i = 0; i < nr; i++)
		buf[i] = vpd_pages[i].code;
	return nr;
}

static void inquiry_vpd(struct scsi_task *task)
{
	u8 buf[VPD_MAX] = {};
	unsigned int i, len;

	for (i = 0; i < vpd_nr(task); i++)
		if (vpd_pages[i].code == task->cdb[2])
			break;
	if (i == vpd_nr(task)) {
		scsi_bad_cdb(task, 2, SCSI_NO_BIT);
		return;
	}
	len = vpd_pages[i].fill(task, buf + VPD_HEADER);
	buf[0] = inquiry_peripheral(task);
	buf[1] = task->cdb[2];
	put_unaligned_be16(len, buf + 2);
	scsi_put(task, inquiry_alloc(task), buf, VPD_HEADER + len);
}

void scsi_inquiry(struct scsi_task *task)
{
	if (task->cdb[1] & 0x01)
		inquiry_vpd(task);
	else if (task->cdb[2])
		scsi_bad_cdb(task, 2, SCSI_NO_BIT);
	else
		inquiry_standard(task);
}
