// SPDX-License-Identifier: GPL-2.0
/* Buffers anywhere in guest memory, as those of a guest are. */
#include <stdlib.h>

#include "bench.h"
#include "mem.h"

#define CHUNK (2 * MIB)		/* of which the kernel keeps track */

int bench_widen(struct bench *b, const struct mem *m)
{
	const struct mem_region *r = &m->region[m->nr - 1];
	struct bench_wide *w = &b->wide;
	u64 chunks = r->size / CHUNK, i, part;

	if (!b->o.memory)
		return 0;
	w->nr = chunks < b->o.places ? chunks : b->o.places;
	w->chunk = calloc(w->nr, sizeof(*w->chunk));
	if (!w->chunk)
		return -ENOMEM;
	rng_seed(&w->rng, b->o.seed);
	w->pages = (CHUNK - b->o.block_size) / PAGE + 1;
	part = chunks / w->nr;
	for (i = 0; i < w->nr; i++)
		w->chunk[i] = r->gpa + CHUNK * (i * chunks / w->nr +
						rng_below(&w->rng, part));
	b->least = w->nr;
	return 0;
}

void bench_narrow(struct bench *b)
{
	free(b->wide.chunk);
	b->wide.chunk = NULL;
	b->wide.nr = 0;
}

u64 bench_place(struct bench *b)
{
	struct bench_wide *w = &b->wide;
	unsigned int i;

	i = w->used < w->nr ? w->used++ : rng_below(&w->rng, w->nr);
	return w->chunk[i] + rng_below(&w->rng, w->pages) * PAGE;
}
