// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <string.h>

#include "pattern.h"

#define PATTERN_MAGIC 0x6b636f6c42747356ull

struct block {
	u64 magic;
	u64 sector;
	u32 generation;
	u32 crc;	/* over the block with this field 0 */
	u64 fill[61];
};

static_assert(sizeof(struct block) == SECTOR, "a block is a sector");

static u32 crc_table[256];

static void crc_init(void)
{
	u32 i, j, c;

	for (i = 0; i < 256; i++) {
		for (c = i, j = 0; j < 8; j++)
			c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
		crc_table[i] = c;
	}
}

static u32 crc32_of(const struct block *b)
{
	const u8 *p = (const u8 *)b;
	u32 c = ~0u;
	size_t i;

	if (!crc_table[1])
		crc_init();
	for (i = 0; i < sizeof(*b); i++)
		c = c >> 8 ^ crc_table[(c ^ p[i]) & 0xff];
	return ~c;
}

static void make(struct block *b, u64 sector, u32 generation)
{
	u64 x = sector * 0x9e3779b97f4a7c15ull + generation;
	unsigned int i;

	b->magic = PATTERN_MAGIC;
	b->sector = sector;
	b->generation = generation;
	b->crc = 0;
	for (i = 0; i < ARRAY_SIZE(b->fill); i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		b->fill[i] = x;
	}
	b->crc = crc32_of(b);
}

void pattern_fill(void *buf, u32 len, u64 sector, u32 generation)
{
	struct block b;
	u32 i;

	for (i = 0; i < len / SECTOR; i++) {
		make(&b, sector + i, generation);
		memcpy((u8 *)buf + i * SECTOR, &b, SECTOR);
	}
}

static int check_block(const struct block *b, u64 sector, u32 generation)
{
	struct block copy = *b;
	const char *what = NULL;

	copy.crc = 0;
	if (b->magic != PATTERN_MAGIC)
		what = "no pattern";
	else if (b->sector != sector)
		what = "other sector's data";
	else if (b->generation != generation)
		what = "other generation";
	else if (b->crc != crc32_of(&copy))
		what = "bad checksum";
	if (!what)
		return 0;
	vt_msg("sector %llu gen %u: %s (magic %llx sector %llu gen %u)",
	       (unsigned long long)sector, generation, what,
	       (unsigned long long)b->magic, (unsigned long long)b->sector,
	       b->generation);
	return -EILSEQ;
}

int pattern_check(const void *buf, u32 len, u64 sector, u32 generation)
{
	struct block b;
	u32 i;

	for (i = 0; i < len / SECTOR; i++) {
		memcpy(&b, (const u8 *)buf + i * SECTOR, SECTOR);
		if (check_block(&b, sector + i, generation))
			return -EILSEQ;
	}
	return 0;
}

int pattern_check_zero(const void *buf, u32 len, u64 sector)
{
	const u8 *p = buf;
	u32 i;

	for (i = 0; i < len; i++) {
		if (!p[i])
			continue;
		vt_msg("sector %llu: byte %u is %02x, not zero",
		       (unsigned long long)sector + i / SECTOR, i % SECTOR,
		       p[i]);
		return -EILSEQ;
	}
	return 0;
}
