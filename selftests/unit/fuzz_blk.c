// SPDX-License-Identifier: GPL-2.0
/* virtio-blk as its driver sees it: rings, requests, configuration space. */
#include <string.h>

#include <linux/virtio_blk.h>

#include "fuzz_virtio.h"

const unsigned int fuzz_cost = 800;

static const u8 types[] = {
	VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
	VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
	VIRTIO_BLK_T_SECURE_ERASE,
};

/* Lengths of data: a few sectors, or many, or what the input says. */
static u32 take_len(void)
{
	u32 v = fuzz_take(1);

	if (v < 64)
		return v < 48 ? v * 512 : (v - 47) * 8192;
	return v < 128 ? fuzz_take(2) : (v - 128) * 16;
}

static u64 take_sector(void)
{
	u32 v = fuzz_take(2);

	if (v < 0x8000)
		return v % FC_SECTORS;
	return v & 1 ? fuzz_take64() : FC_SECTORS - v % 8;
}

void fv_request(struct fv_chain *c, unsigned int queue)
{
	struct virtio_blk_outhdr hdr = { .ioprio = cpu_to_le32(queue) };
	u8 type = fuzz_take(1);
	u32 out, in, n;
	u8 bytes[64];
	u64 addr;

	hdr.type = cpu_to_le32(type < 240 ? types[type % ARRAY_SIZE(types)] :
			       fuzz_take(4));
	hdr.sector = cpu_to_le64(take_sector());
	out = take_len();
	in = take_len();
	fv_out(c, &hdr, sizeof(hdr));
	if (out) {
		addr = fv_alloc(out);
		n = min_t(u32, out, fuzz_take(1) % sizeof(bytes));
		fuzz_take_bytes(bytes, n);
		fc_write(addr, bytes, n);
		fv_add(c, addr, out, false);
	}
	if (in)
		fv_in(c, in);
	fv_in(c, 1);
}

/* The disk changes beside it. */
void fv_other(void)
{
	struct vt_limits *l = &fc.disk[0].be.limits;
	u32 what = fuzz_take(1);

	switch (what % 4) {
	case 0:
		l->ro = !l->ro;
		break;
	case 1:
		l->max_discard_sectors = what & 8 ? 0 : 256;
		break;
	case 2:
		fc.disk[0].unit.flags ^= VHOST_TARGET_UNIT_F_RO;
		break;
	default:
		fv.vdev->s.ops->unit_event(&fv.vdev->s, &fc.disk[0].unit,
					   VT_UNIT_RESIZED);
		break;
	}
}

static u8 do_one(u32 type, u64 sector, void *buf, u32 len)
{
	struct virtio_blk_outhdr hdr = {
		.type = cpu_to_le32(type), .sector = cpu_to_le64(sector),
	};
	bool write = type == VIRTIO_BLK_T_OUT;
	struct fv_chain c = { .nr = 0 };
	u64 data, at;
	u8 status;

	fv_out(&c, &hdr, sizeof(hdr));
	data = write ? fv_out(&c, buf, len) : fv_in(&c, len);
	at = fv_in(&c, 1);
	fc_write(at, "\xff", 1);
	fv_send(1, &c);
	if (!write)
		fc_read(data, buf, len);
	fc_read(at, &status, 1);
	return status;
}

/* What is written is what is read. */
void fv_check(void)
{
	u8 out[4096], in[4096];
	static u8 nr;

	fc.disk[0].unit.flags = 0;
	memset(out, ++nr, sizeof(out));
	MUST(do_one(VIRTIO_BLK_T_OUT, 8, out, sizeof(out)) == VIRTIO_BLK_S_OK);
	MUST(do_one(VIRTIO_BLK_T_IN, 8, in, sizeof(in)) == VIRTIO_BLK_S_OK);
	MUST(!memcmp(in, out, sizeof(in)));
	MUST(do_one(VIRTIO_BLK_T_GET_ID, 0, in, 20) == VIRTIO_BLK_S_OK);
	MUST(!memcmp(in, "serial", 7));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	/* What take_len() says may be longer. */
	shim_blk_whole = 0x18000;
	shim_blk_part = 0x8000;
	return fv_run(data, len);
}

/* The index of a type in @types. */
static void put(unsigned int queue, bool table, u8 type, u16 sector, u8 out,
		u8 in)
{
	fv_put_request(queue, table);
	fuzz_put(1, type);
	fuzz_put(2, sector);
	fuzz_put(2, out << 8 | in);
	if (out)
		fuzz_put(1, 0);
}

static void put_range(u8 type, u64 sector, u32 nr, u32 flags)
{
	struct virtio_blk_discard_write_zeroes r = {
		.sector = cpu_to_le64(sector),
		.num_sectors = cpu_to_le32(nr),
		.flags = cpu_to_le32(flags),
	};

	fv_put_request(0, false);
	fuzz_put(1, type);
	fuzz_put(2, 0);
	fuzz_put(2, (128 + 1) << 8);
	fuzz_put(1, sizeof(r));
	fuzz_put_bytes(&r, sizeof(r));
}

/* What Linux does with a disk: reads the table, writes, flushes, trims. */
static void seed_linux(const char *name, const struct fv_seed *s, bool table)
{
	unsigned int i;

	fv_put_begin(s);
	put(0, table, 3, 0, 0, 128 + 2);
	put(0, table, 0, 0, 0, 8);
	put(0, table, 0, 2040, 0, 8);
	for (i = 0; i < 4; i++) {
		put(i, table, 1, 64 * i, 8, 0);
		put(i, table, 0, 64 * i, 0, 32);
	}
	fv_put_settle();
	put(1, table, 2, 0, 0, 0);
	put_range(4, 128, 64, 0);
	put_range(5, 256, 64, 1);
	put_range(6, 512, 16, 0);
	fv_put_settle();
	/* A flag of the write cache, the serial number, an unknown type. */
	fuzz_put(4, 0x0c012001);
	fuzz_put(1, 0);
	put(2, table, 3, 0, 0, 128 + 1);
	put(2, table, 250, 0, 1, 0);
	fuzz_put(4, 99);
	fv_put_other();
	fuzz_put(1, 0);
	put(3, table, 1, 0, 8, 0);
	fv_put_settle();
	fuzz_save(name);
}

/* What firmware does: it reads a file by one request. */
static void seed_long(const char *name, const struct fv_seed *s)
{
	fv_put_begin(s);
	put(0, false, 0, 0, 0, 63);
	put(0, false, 1, 256, 60, 0);
	put(0, false, 0, 0, 0, 8);
	fv_put_settle();
	put(1, true, 0, 128, 0, 61);
	fv_put_settle();
	fuzz_save(name);
}

void fuzz_seeds(void)
{
	struct fv_seed s = { .features = ~0ULL };

	seed_long("long", &s);

	seed_linux("split", &s, false);
	seed_linux("split_table", &s, true);
	s.far_rings = true;
	s.disk[0] = 2;
	seed_linux("far_bounced", &s, false);
	s.packed = true;
	seed_linux("packed", &s, false);
	s.disk[0] = 1 | 8;
	seed_linux("packed_table_4k", &s, true);
	s.features = 0;
	seed_linux("no_features", &s, false);
}
