// SPDX-License-Identifier: GPL-2.0
/*
 * CDBs, parameter lists and buffer lengths at random. The bed ends the test
 * if data moves outside of a buffer or of the medium.
 */
#include <stdlib.h>
#include <string.h>

#include "scsi_golden.h"

/* Units that are used up, and commands to each. */
#define BEDS	800
#define ROUNDS	60

static u64 seed;

static u32 rnd(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Some bits of a CDB that was good. */
static unsigned int random_cdb(u8 *cdb)
{
	const struct golden *g = &goldens[rnd(nr_goldens)];
	unsigned int len = golden_bytes(g->cdb, cdb), n = rnd(4);
	u8 usage[GOLDEN_LEN];

	golden_bytes(g->usage, usage);
	while (n--) {
		unsigned int i = 1 + rnd(len - 1);

		/* Mostly bits that may be set. */
		cdb[i] ^= rnd(8) ? rnd(256) & usage[i] : 1u << rnd(8);
	}
	return len;
}

static void random_list(struct sbed *b)
{
	u64 i;

	if (rnd(2))
		golden_list(b);
	for (i = 0; i < b->task.out_len && i < 64; i++)
		if (!rnd(8))
			b->out[i] = rnd(256);
}

static void random_task(struct sbed *b)
{
	u8 cdb[GOLDEN_LEN];
	unsigned int len = random_cdb(cdb);
	u64 out = rnd(3) ? rnd(64) * 512 : rnd(100);
	u64 in = rnd(3) ? rnd(300) : rnd(64) * 512;

	/* What parses a list needs its fields: not to be short of bytes. */
	sbed_task(b, rnd(2), cdb, len, out < 64 ? 64 : out, in);
	random_list(b);
	sbed_go(b);
}

static void set_4k(struct sbed *b, struct scsi_lu_params *p)
{
	(void)p;
	b->be.limits.block_size = 4096;
}

static void fuzz(void (*set)(struct sbed *b, struct scsi_lu_params *p))
{
	unsigned int i, j, reads = 0, writes = 0;

	seed = 88172645463325252ULL;
	for (i = 0; i < BEDS; i++) {
		struct sbed *b = sbed_new_with(set);

		for (j = 0; j < ROUNDS; j++)
			random_task(b);
		reads += b->ops[VT_OP_READ];
		writes += b->ops[VT_OP_WRITE];
		sbed_free(b);
	}
	/* It went on to do things, not to refuse them all. */
	EXPECT_MSG(reads > 1000, "%u reads", reads);
	EXPECT_MSG(writes > 1000, "%u writes", writes);
}

TEST(fuzz_512, "fuzz: random commands, blocks of 512 bytes")
{
	fuzz(NULL);
}

TEST(fuzz_4k, "fuzz: random commands, blocks of 4096 bytes")
{
	fuzz(set_4k);
}
