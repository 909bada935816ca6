// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "unit.h"

static const u8 *in;
static size_t in_left;

void fuzz_begin(const u8 *data, size_t len)
{
	in = data;
	in_left = len;
}

size_t fuzz_left(void)
{
	return in_left;
}

u32 fuzz_take(unsigned int bytes)
{
	u32 v = 0;

	for (; bytes; bytes--) {
		v <<= 8;
		if (!in_left)
			continue;
		v |= *in++;
		in_left--;
	}
	return v;
}

u64 fuzz_take64(void)
{
	u64 high = fuzz_take(4);

	return high << 32 | fuzz_take(4);
}

void fuzz_take_bytes(void *to, size_t len)
{
	size_t n = len < in_left ? len : in_left;

	memset(to, 0, len);
	if (!n)
		return;
	memcpy(to, in, n);
	in += n;
	in_left -= n;
}

static u8 seed[FUZZ_MAX_LEN];
static size_t seed_len;

void (*fuzz_on_seed)(const char *name, const u8 *data, size_t len);

void fuzz_put(unsigned int bytes, u64 val)
{
	MUST(seed_len + bytes <= sizeof(seed));
	while (bytes--)
		seed[seed_len++] = val >> (8 * bytes);
}

void fuzz_put_bytes(const void *from, size_t len)
{
	MUST(seed_len + len <= sizeof(seed));
	memcpy(seed + seed_len, from, len);
	seed_len += len;
}

void fuzz_save(const char *name)
{
	if (fuzz_on_seed)
		fuzz_on_seed(name, seed, seed_len);
	seed_len = 0;
}

void fuzz_die(const char *file, int line, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* What a test bed expects, a fuzzer insists on; unit.c has its own. */
__attribute__((weak))
void unit_fail(const char *file, int line, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fuzz_die(file, line, text);
}
