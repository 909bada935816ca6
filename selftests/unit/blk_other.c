// SPDX-License-Identifier: GPL-2.0
/* virtio-blk headers, status, FLUSH, GET_ID, and types there are not. */
#include <string.h>

#include "blk_bed.h"

TEST(header_short, "header: shorter than 16 bytes is IOERR, for each type")
{
	static const u8 zero[16];
	struct bed *b = bed_new();
	u32 len, type;

	for (type = 0; type < 32; type++)
		for (len = 0; len < 16; len++) {
			bed_header(b, type, 0);
			bed_reset(b);
			bed_out(b, zero, len);
			bed_in(b, 513);
			EXPECT_IOERR(b);
			EXPECT_EQ(0, b->nr_reads);
		}
	bed_free(b);
}

TEST(header_memory, "header: not mapped waits, in a hole is IOERR")
{
	struct bed *b = bed_new();

	bed_chain(b, VIRTIO_BLK_T_IN, 0, 0, 512);
	b->hole = BED_MEM + 15;
	b->hole_err = -EAGAIN;
	EXPECT_EQ(-EAGAIN, bed_parse(b));
	b->hole_err = -EFAULT;
	EXPECT_IOERR(b);
	b->hole = 0;
	EXPECT_EQ(0, bed_parse(b));
	bed_free(b);
}

TEST(status_none, "status: no writable byte stops the ring, for each type")
{
	struct bed *b = bed_new();
	u32 type;

	for (type = 0; type < 32; type++) {
		bed_header(b, type, 0);
		EXPECT_EQ(-EPROTO, bed_parse(b));
		/* A status that is readable only is none. */
		bed_out(b, "", 1);
		EXPECT_EQ(-EPROTO, bed_parse(b));
	}
	bed_reset(b);
	EXPECT_EQ(-EPROTO, bed_parse(b));
	EXPECT_EQ(0, b->st.invalid);
	bed_free(b);
}

TEST(status_memory, "status: not mapped waits, in a hole stops the ring")
{
	struct bed *b = bed_new();

	bed_chain(b, VIRTIO_BLK_T_IN, 0, 0, 512);
	b->hole = BED_MEM + 16 + 512;
	b->hole_err = -EAGAIN;
	EXPECT_EQ(-EAGAIN, bed_parse(b));
	b->hole_err = -EFAULT;
	EXPECT_EQ(-EPROTO, bed_parse(b));
	b->hole = 0;
	EXPECT_EQ(0, bed_parse(b));
	bed_free(b);
}

TEST(status_values, "status: each end of the I/O is OK, UNSUPP or IOERR")
{
	struct bed *b = bed_new();
	unsigned int status;

	for (status = 0; status < 32; status++) {
		u8 want = status == BLK_STS_OK ? VIRTIO_BLK_S_OK :
			  status == BLK_STS_NOTSUPP ? VIRTIO_BLK_S_UNSUPP :
			  VIRTIO_BLK_S_IOERR;

		bed_chain(b, VIRTIO_BLK_T_OUT, 0, 512, 0);
		ASSERT_EQ(0, bed_parse(b));
		EXPECT_EQ(want, bed_complete(b, status));
		EXPECT_EQ(1, b->req.used_len);

		bed_chain(b, VIRTIO_BLK_T_IN, 0, 0, 512);
		ASSERT_EQ(0, bed_parse(b));
		EXPECT_EQ(want, bed_complete(b, status));
		/* On an error nothing is promised of the data. */
		EXPECT(status ? b->req.used_len <= 1 :
				b->req.used_len == 513);
	}
	bed_free(b);
}

TEST(flush, "FLUSH: no data, sector ignored, negotiated or not")
{
	struct bed *b = bed_new();
	u64 sector;

	for (sector = 0; sector < 4; sector++) {
		bed_chain(b, VIRTIO_BLK_T_FLUSH, sector * BED_SECTORS, 0, 0);
		ASSERT_EQ(0, bed_parse(b));
		EXPECT_EQ(VT_OP_FLUSH, b->req.io.op);
		EXPECT_EQ(VHOST_TARGET_OP_FLUSH, b->req.op_class);
		EXPECT_EQ(0, b->req.io.bytes);
		EXPECT_EQ(VIRTIO_BLK_S_OK, bed_complete(b, BLK_STS_OK));
		EXPECT_EQ(1, b->req.used_len);
		b->vdev.features = 0;
	}
	b->unit.flags = VHOST_TARGET_UNIT_F_RO;
	EXPECT_EQ(0, bed_parse(b));
	bed_free(b);
}

TEST(flush_data, "FLUSH: with data it is IOERR")
{
	struct bed *b = bed_new();

	bed_chain(b, VIRTIO_BLK_T_FLUSH, 0, 512, 0);
	EXPECT_IOERR(b);
	bed_chain(b, VIRTIO_BLK_T_FLUSH, 0, 0, 512);
	EXPECT_IOERR(b);
	bed_chain(b, VIRTIO_BLK_T_FLUSH, 0, 1, 1);
	EXPECT_IOERR(b);
	bed_free(b);
}

/* What 20 bytes of serial number the driver sees, cut into @n bytes each. */
static void check_id(struct bed *b, const char *want, u32 n)
{
	char id[VIRTIO_BLK_ID_BYTES] = {};

	strncpy(id, want, sizeof(id));
	bed_chain(b, VIRTIO_BLK_T_GET_ID, 0, 0, VIRTIO_BLK_ID_BYTES);
	bed_cut(b, n);
	ASSERT_EQ(1, bed_parse(b));
	EXPECT_EQ(VHOST_TARGET_OP_OTHER, b->req.op_class);
	EXPECT(!memcmp(b->mem + 16, id, sizeof(id)));
	EXPECT_EQ(VIRTIO_BLK_S_OK, bed_complete(b, b->req.io.status));
	EXPECT_EQ(VIRTIO_BLK_ID_BYTES + 1, b->req.used_len);
	EXPECT(!memcmp(b->mem + 16, id, sizeof(id)));
}

TEST(get_id, "GET_ID: 20 bytes, padded with zeros; a longer serial is cut")
{
	static const char *const serials[] = {
		"", "a", "disk0",
		"exactly-20-bytes-xyz", "21-bytes-are-too-long",
		"0123456789abcdef0123456789abcdef",
	};
	struct bed *b = bed_new();
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(serials); i++) {
		memset(b->unit.serial, 0, sizeof(b->unit.serial));
		strcpy(b->unit.serial, serials[i]);
		for (n = 1; n <= 21; n++)
			check_id(b, serials[i], n);
	}
	EXPECT_EQ(0, b->st.invalid);
	bed_free(b);
}

TEST(get_id_buffer, "GET_ID: a short buffer or readable data are IOERR")
{
	struct bed *b = bed_new();
	u32 len;

	for (len = 0; len < VIRTIO_BLK_ID_BYTES; len++) {
		bed_chain(b, VIRTIO_BLK_T_GET_ID, 0, 0, len);
		EXPECT_IOERR(b);
		EXPECT_EQ(len ? 0xee : VIRTIO_BLK_S_IOERR, b->mem[16]);
	}
	bed_chain(b, VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES, 0);
	EXPECT_IOERR(b);
	bed_chain(b, VIRTIO_BLK_T_GET_ID, 0, 1, VIRTIO_BLK_ID_BYTES);
	EXPECT_IOERR(b);
	bed_free(b);
}

TEST(get_id_long, "GET_ID: of a longer buffer only 20 bytes are written")
{
	struct bed *b = bed_new();

	bed_chain(b, VIRTIO_BLK_T_GET_ID, 0, 0, 64);
	ASSERT_EQ(1, bed_parse(b));
	EXPECT_EQ(VIRTIO_BLK_S_OK, bed_complete(b, b->req.io.status));
	EXPECT_EQ(0, b->mem[16 + 19]);
	EXPECT_EQ(0xee, b->mem[16 + 20]);
	EXPECT_EQ(0xee, b->mem[16 + 63]);
	bed_free(b);
}

TEST(get_id_memory, "GET_ID: a buffer not mapped waits, in a hole is IOERR")
{
	struct bed *b = bed_new();

	bed_chain(b, VIRTIO_BLK_T_GET_ID, 0, 0, VIRTIO_BLK_ID_BYTES);
	b->hole = BED_MEM + 16 + 3;
	b->hole_err = -EAGAIN;
	EXPECT_EQ(-EAGAIN, bed_parse(b));
	b->hole_err = -EFAULT;
	EXPECT_EQ(1, bed_parse(b));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, bed_complete(b, b->req.io.status));
	EXPECT_EQ(1, b->st.invalid);
	bed_free(b);
}

TEST(unknown_types, "types there are not are UNSUPP, with data and without")
{
	static const u32 known[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
		VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD,
		VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_SECURE_ERASE,
	};
	struct bed *b = bed_new();
	u32 type, i, k;

	for (i = 0; i < 2000; i++) {
		type = i < 1000 ? i : i * 2654435761u;
		for (k = 0; k < ARRAY_SIZE(known); k++)
			if (type == known[k])
				break;
		if (k < ARRAY_SIZE(known))
			continue;
		bed_chain(b, type, 0, 0, 0);
		EXPECT_UNSUPP(b);
		EXPECT_EQ(1, b->req.used_len);
		bed_chain(b, type, 0, 512, 0);
		EXPECT_UNSUPP(b);
		bed_chain(b, type, 0, 0, 512);
		EXPECT_UNSUPP(b);
		EXPECT_EQ(VHOST_TARGET_OP_OTHER, b->req.op_class);
	}
	bed_free(b);
}

/*
 * 2.7.8.2: as many bytes as the used length says were written, from the first
 * writable one on. The status is the last; without the data before it, it
 * does not count.
 */
TEST(used_refused, "used length: a refused read has no byte of data written")
{
	struct bed *b = bed_new();

	bed_chain(b, VIRTIO_BLK_T_IN, BED_SECTORS, 0, 512);
	EXPECT_IOERR(b);
	EXPECT_EQ(0, b->req.used_len);
	bed_chain(b, VIRTIO_BLK_T_IN, 0, 0, 512);
	EXPECT_EQ(0, bed_parse(b));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, bed_complete(b, BLK_STS_IOERR));
	EXPECT_EQ(0, b->req.used_len);
	bed_free(b);
}

TEST(used_gap, "used length: not beyond the id if the status is further on")
{
	struct bed *b = bed_new();

	bed_chain(b, VIRTIO_BLK_T_GET_ID, 0, 0, 64);
	EXPECT_EQ(1, bed_parse(b));
	EXPECT_EQ(VIRTIO_BLK_S_OK, bed_complete(b, b->req.io.status));
	EXPECT_EQ(VIRTIO_BLK_ID_BYTES, b->req.used_len);
	bed_free(b);
}
