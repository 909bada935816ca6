/* SPDX-License-Identifier: GPL-2.0 */
/* A seeded random sequence (xorshift64*), the same on every machine. */
#ifndef VT_RNG_H
#define VT_RNG_H

#include "util.h"

struct rng {
	u64 state;
};

static inline void rng_seed(struct rng *r, u64 seed)
{
	r->state = seed ? seed : 0x9e3779b97f4a7c15ull;
}

static inline u64 rng_u64(struct rng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dull;
}

/* A number below @n. */
static inline u32 rng_below(struct rng *r, u32 n)
{
	return (rng_u64(r) >> 32) * n >> 32;
}

/*
 * Cut @area bytes into pieces of at most @max, in multiples of @unit: where
 * they start, their lengths; returns how many there are, at most @room.
 */
static inline unsigned int rng_cut(struct rng *r, u32 area, u32 unit, u32 max,
				   u64 *start, u32 *len, unsigned int room)
{
	unsigned int nr = 0;
	u32 at;

	for (at = 0; at < area && nr < room; at += len[nr++]) {
		start[nr] = at;
		len[nr] = unit * (1 + rng_below(r, max / unit));
		if (len[nr] > area - at)
			len[nr] = area - at;
	}
	return nr;
}

/* True once in @n. */
static inline bool rng_one_in(struct rng *r, u32 n)
{
	return !rng_below(r, n);
}

#endif
