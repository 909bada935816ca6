// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzz target without libFuzzer.
 *
 * fuzz_X		seeds, then FUZZ_RUNS mutations of them and as many
 *			random inputs, from FUZZ_SEED on
 * fuzz_X FILE...	these inputs
 * fuzz_X --seeds DIR	write the seeds there
 *
 * An input that kills the program is left behind in fuzz_X.crash.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define MAX_SEEDS	256

/* Of the sanitizers, if there are some. */
void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));

static struct seed {
	const char *name;
	u8 *data;
	size_t len;
} seeds[MAX_SEEDS];
static unsigned int nr_seeds;

static const char *program;
static const u8 *now_data;
static size_t now_len;

static void on_seed(const char *name, const u8 *data, size_t len)
{
	struct seed *s = &seeds[nr_seeds++];

	MUST(nr_seeds <= MAX_SEEDS);
	*s = (struct seed) { name, malloc(len + 1), len };
	memcpy(s->data, data, len);
}

/* Whatever ends the program: what it was doing is of interest. */
static void on_death(void)
{
	char path[512];
	FILE *f;

	if (!now_data)
		return;
	snprintf(path, sizeof(path), "%s.crash", program);
	f = fopen(path, "w");
	if (f) {
		fwrite(now_data, 1, now_len, f);
		fclose(f);
		fprintf(stderr, "reproducer: %s %s\n", program, path);
	}
	now_data = NULL;
}

static void on_abort(int sig)
{
	on_death();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* In memory of its exact size, so that each byte beside it is seen. */
static void run(const u8 *data, size_t len)
{
	u8 *copy = malloc(len);

	memcpy(copy, data, len);
	now_data = copy;
	now_len = len;
	LLVMFuzzerTestOneInput(copy, len);
	now_data = NULL;
	free(copy);
}

static u64 rng;

static u32 rnd(u32 below)
{
	/* xorshift64* */
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return (u32)(rng * 0x2545f4914f6cdd1dULL >> 32) % below;
}

static void rnd_from(u64 nr)
{
	rng = (nr + 1) * 0x9e3779b97f4a7c15ULL;
}

static size_t insert(u8 *buf, size_t len, size_t at, const u8 *from, size_t n)
{
	if (len + n > FUZZ_MAX_LEN)
		n = FUZZ_MAX_LEN - len;
	memmove(buf + at + n, buf + at, len - at);
	memcpy(buf + at, from, n);
	return len + n;
}

static size_t mutate(u8 *buf, size_t len)
{
	static const u8 odd[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };
	size_t at = len ? rnd(len) : 0, n = len ? 1 + rnd(len - at) : 0;
	const struct seed *s;
	u8 part[64];

	switch (len ? rnd(7) : 6) {
	case 0:
		buf[at] ^= 1 << rnd(8);
		break;
	case 1:
		buf[at] = odd[rnd(sizeof(odd))];
		break;
	case 2:
		buf[at] = rnd(256);
		break;
	case 3:
		memmove(buf + at, buf + at + n, len - at - n);
		return len - n;
	case 4:
		n = n < sizeof(part) ? n : sizeof(part);
		memcpy(part, buf + at, n);
		return insert(buf, len, rnd(len), part, n);
	case 5:
		buf[at] += rnd(2) ? 1 : -1;
		break;
	default:
		/* What another one does, too. */
		s = &seeds[rnd(nr_seeds)];
		at = rnd(s->len);
		return insert(buf, len, len ? rnd(len) : 0, s->data + at,
			      s->len - at);
	}
	return len;
}

static void run_mutation(u64 nr)
{
	static u8 buf[FUZZ_MAX_LEN];
	const struct seed *s;
	unsigned int n;
	size_t len;

	rnd_from(nr);
	s = &seeds[rnd(nr_seeds)];
	len = s->len;
	memcpy(buf, s->data, len);
	for (n = 1 + rnd(8); n; n--)
		len = mutate(buf, len);
	run(buf, len);
}

static void run_random(u64 nr)
{
	u8 buf[512];
	size_t len, i;

	rnd_from(nr);
	len = 16 + rnd(sizeof(buf) - 16);
	for (i = 0; i < len; i++)
		buf[i] = rnd(256);
	run(buf, len);
}

static unsigned long env(const char *name, unsigned long def)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : def;
}

static int run_file(const char *path)
{
	static u8 buf[1 << 20];
	FILE *f = fopen(path, "r");
	size_t len;

	if (!f) {
		perror(path);
		return 1;
	}
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	run(buf, len);
	return 0;
}

static int write_seeds(const char *dir)
{
	unsigned int i;
	char path[512];
	FILE *f;

	for (i = 0; i < nr_seeds; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, seeds[i].name);
		f = fopen(path, "w");
		if (!f) {
			perror(path);
			return 1;
		}
		fwrite(seeds[i].data, 1, seeds[i].len, f);
		fclose(f);
	}
	return 0;
}

static void run_all(void)
{
	u64 runs = env("FUZZ_RUNS", 200000) / fuzz_cost, i;
	u64 seed = env("FUZZ_SEED", 1);

	printf("KTAP version 1\n1..3\n");
	for (i = 0; i < nr_seeds; i++)
		run(seeds[i].data, seeds[i].len);
	printf("ok 1 %u seeds: what drivers do\n", nr_seeds);
	fflush(stdout);
	for (i = 0; i < runs; i++)
		run_mutation(seed + i);
	printf("ok 2 %llu mutations of them\n", (unsigned long long)runs);
	fflush(stdout);
	for (i = 0; i < runs; i++)
		run_random(seed + i);
	printf("ok 3 %llu random inputs\n", (unsigned long long)runs);
}

int main(int argc, char **argv)
{
	int i, err = 0;

	program = argv[0];
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(on_death);
	signal(SIGABRT, on_abort);
	fuzz_on_seed = on_seed;
	fuzz_seeds();
	MUST(nr_seeds);
	if (argc == 3 && !strcmp(argv[1], "--seeds"))
		return write_seeds(argv[2]);
	for (i = 1; i < argc && !err; i++)
		err = run_file(argv[i]);
	if (argc > 1)
		return err;
	run_all();
	for (i = 0; i < (int)nr_seeds; i++)
		free(seeds[i].data);
	printf("3 passed, 0 failed\n");
	return 0;
}
