/* SPDX-License-Identifier: GPL-2.0 */
/* What every file of the test library needs: time, messages, small files. */
#ifndef VT_UTIL_H
#define VT_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#define KIB 1024ul
#define MIB (1024ul * KIB)
#define SECTOR 512u
#define PAGE 4096ul

/* Longest wait for anything that has to happen, seconds. */
#define VT_PATIENCE 60

/* A diagnostic line of KTAP; on stderr, as the harness does. */
#define vt_msg(fmt, ...) do { \
	if (!vt_silent) \
		fprintf(stderr, "# " fmt "\n", ##__VA_ARGS__); \
} while (0)

/*
 * A row, "what it was | what was seen of it", of the table of faults, which
 * tools/check.sh makes of these lines.
 */
#define vt_fault(fmt, ...) vt_msg("fault | " fmt, ##__VA_ARGS__)

/* What fails is meant to. */
extern bool vt_silent;

static inline u64 align_up(u64 x, u64 a)
{
	return (x + a - 1) / a * a;
}

u64 now_ns(void);
void sleep_ms(unsigned int ms);

/*
 * Wait until @cond holds, however long this machine stands still in between:
 * whether it does.
 */
#define vt_wait(cond) ({ \
	u64 __end = now_ns() + VT_PATIENCE * 1000000000ull; \
	bool __ok; \
	while (!(__ok = (cond)) && now_ns() < __end) \
		sleep_ms(1); \
	__ok; \
})

/* A message if @ret is an error; returns @ret. */
int vt_failed(const char *what, int ret);

/* Write @text to the file made by @fmt; 0 or -errno. */
int write_text(const char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* First line of @path without its newline; 0 or -errno. */
int read_text(const char *path, char *buf, size_t size);
/* The number after @key at the start of a line of @path, or -1. */
long long read_key(const char *path, const char *key);
/* Pages that were ever pinned in the whole system. */
long long pins_taken(void);
/* Pages pinned in the whole system; wait until they are @nr: 0 or -EBUSY. */
long long pinned_pages(void);
int wait_pinned(long long nr);
/* The number in the environment by that name, or @otherwise. */
u64 env_number(const char *name, u64 otherwise);
/* Run a shell command; 0 or -EIO. */
int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
