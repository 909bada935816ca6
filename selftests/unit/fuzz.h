/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fuzz target is a program whose input is what somebody hostile does: bytes
 * that are taken one after the other for whatever has to be decided. With
 * clang it is steered by coverage (libFuzzer); otherwise fuzz_main.c replays
 * the target's seeds and what it makes of them.
 */
#ifndef UNIT_FUZZ_H
#define UNIT_FUZZ_H

#include <linux/kernel.h>
#include <linux/types.h>

/* The longest input that is of use. */
#define FUZZ_MAX_LEN	4096

/* The target: */

/* One run costs as much as so many of the cheapest target's. */
extern const unsigned int fuzz_cost;
/* Make the seeds: fuzz_put() and fuzz_save() each. */
void fuzz_seeds(void);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* Its input; what is not there any more is 0. */
void fuzz_begin(const u8 *data, size_t len);
size_t fuzz_left(void);
u32 fuzz_take(unsigned int bytes);
u64 fuzz_take64(void);
void fuzz_take_bytes(void *to, size_t len);

/* A seed being made: what the calls above will take. */
void fuzz_put(unsigned int bytes, u64 val);
void fuzz_put_bytes(const void *from, size_t len);
/* It is complete. */
void fuzz_save(const char *name);
/* Where fuzz_save() puts it, and where a death is told; of the main(). */
extern void (*fuzz_on_seed)(const char *name, const u8 *data, size_t len);

void fuzz_die(const char *file, int line, const char *what)
	__attribute__((noreturn));

#define MUST(cond)						\
	do {							\
		if (!(cond))					\
			fuzz_die(__FILE__, __LINE__, #cond);	\
	} while (0)

#endif
