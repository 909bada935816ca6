// SPDX-License-Identifier: GPL-2.0
#include <linux/types.h>
#include <string.h>

#include "chains.h"
#include "two.h"

/* Mostly the request's own memory; else a hole, another's, or anywhere. */
static u64 random_gpa(struct rng *rng, struct vscsi_req *r)
{
	const struct mem *m = &r->q->d->mem;
	const struct mem_region *region = &m->region[rng_below(rng, m->nr)];

	switch (rng_below(rng, 24)) {
	case 0:
		return mem_hole(m) - rng_below(rng, 4096);
	case 1:
		return rng_u64(rng) >> rng_below(rng, 64);
	case 2:
		return region->gpa + rng_below(rng, region->size);
	default:
		return r->buf_gpa + rng_below(rng, 8 * KIB);
	}
}

static u32 random_len(struct rng *rng)
{
	switch (rng_below(rng, 8)) {
	case 0:
		return 1 + rng_below(rng, 20000);
	case 1:
		return 1 + (rng_u64(rng) >> (32 + rng_below(rng, 32)));
	case 2:
		return 1 + rng_below(rng, 17);
	default:
		return SECTOR * (1 + rng_below(rng, 8));
	}
}

static const u8 opcodes[] = {
	0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x25,
	0x28, 0x2a, 0x2e, 0x2f, 0x35, 0x41, 0x42, 0x4d, 0x55, 0x5a, 0x5e, 0x5f,
	0x88, 0x89, 0x8a, 0x8b, 0x8e, 0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8,
	0xaa, 0xae, 0xaf,
};

/* Few bits set, or many: the one passes checks, the other meets them. */
static void random_cdb(struct rng *rng, u8 *cdb)
{
	unsigned int i, n = rng_below(rng, 5);

	cdb[0] = opcodes[rng_below(rng, ARRAY_SIZE(opcodes))];
	if (rng_one_in(rng, 32))
		cdb[0] = rng_u64(rng);
	if (cdb[0] == 0x9e)
		cdb[1] = 0x10 + 2 * rng_below(rng, 2);
	if (cdb[0] == 0x5e || cdb[0] == 0x5f)
		cdb[1] = rng_below(rng, 9);
	/* One block, whatever the CDB's length. */
	if (cdb[0] < 0x20)
		cdb[4] = 1;
	else if (cdb[0] < 0x80)
		cdb[8] = 1;
	else
		cdb[rng_one_in(rng, 2) ? 9 : 13] = 1;
	while (n--) {
		i = 1 + rng_below(rng, 15);
		cdb[i] = rng_u64(rng);
	}
}

static void random_command(struct rng *rng, struct vscsi_req *r)
{
	u8 cdb[16] = {};

	random_cdb(rng, cdb);
	vscsi_prepare(r, rng_below(rng, SCSI_HOT_LUNS + 2), cdb, sizeof(cdb),
		      DIR_NONE, 0);
	if (rng_one_in(rng, 50))
		r->cmd->lun[rng_below(rng, 8)] = rng_u64(rng);
	r->cmd->tag = rng_below(rng, 64);
}

unsigned int scsi_random_chain(struct rng *rng, struct vscsi_req *r,
			       struct vring_seg *seg)
{
	unsigned int i, n, out, in;

	random_command(rng, r);
	out = 1 + rng_below(rng, 4);
	in = 1 + rng_below(rng, 4);
	n = out + in;
	/* Only one way, mostly. */
	if (!rng_one_in(rng, 8)) {
		if (rng_one_in(rng, 2))
			out = 1;
		else
			in = 1;
		n = out + in;
	}
	for (i = 0; i < n; i++)
		seg[i] = (struct vring_seg){ random_gpa(rng, r), random_len(rng),
					     i >= out };
	if (!rng_one_in(rng, 100))
		seg[0] = (struct vring_seg){ r->cmd_gpa, sizeof(*r->cmd),
					     false };
	if (!rng_one_in(rng, 100))
		seg[out] = (struct vring_seg){ r->resp_gpa, sizeof(*r->resp),
					       true };
	if (rng_one_in(rng, 200)) {
		i = rng_below(rng, n);
		seg[i].write = !seg[i].write;
	}
	return n;
}

/* What a real driver might send, to be in flight when something breaks. */
unsigned int scsi_sound_chain(struct rng *rng, struct vscsi_req *r,
			      struct vring_seg *seg)
{
	u32 blocks = 1 + rng_below(rng, 32);
	bool write = rng_one_in(rng, 2);
	struct vring_seg data = { r->buf_gpa, blocks * SECTOR, !write };
	u8 cdb[16];

	vscsi_cdb_rw(cdb, write, rng_below(rng, TWO_BLOCKS - 64), blocks);
	vscsi_prepare(r, rng_below(rng, SCSI_HOT_LUNS + 1), cdb, sizeof(cdb),
		      DIR_NONE, 0);
	r->cmd->tag = rng_below(rng, 64);
	seg[0] = (struct vring_seg){ r->cmd_gpa, sizeof(*r->cmd), false };
	seg[1] = (struct vring_seg){ r->resp_gpa, sizeof(*r->resp), true };
	seg[2] = seg[1];
	seg[write ? 1 : 2] = data;
	return 3;
}

unsigned int scsi_control_chain(struct rng *rng, struct vscsi_req *r,
				struct vring_seg *seg)
{
	memset(r->tmf, 0, sizeof(*r->tmf));
	r->tmf->type = rng_below(rng, rng_one_in(rng, 8) ? 5 : 1);
	r->tmf->subtype = rng_below(rng, 9);
	vscsi_lun(r->tmf->lun, rng_below(rng, SCSI_HOT_LUNS + 2));
	r->tmf->tag = rng_below(rng, 64);
	seg[0] = (struct vring_seg){ r->cmd_gpa, 24, false };
	seg[1] = (struct vring_seg){ r->resp_gpa, 1 + rng_below(rng, 8),
				     true };
	if (rng_one_in(rng, 50))
		seg[rng_below(rng, 2)].len = random_len(rng);
	return 2;
}

unsigned int scsi_event_chain(struct rng *rng, struct vscsi_req *r,
			      struct vring_seg *seg)
{
	seg[0] = (struct vring_seg){ r->buf_gpa, 1 + rng_below(rng, 32),
				     !rng_one_in(rng, 200) };
	return 1;
}
