/* SPDX-License-Identifier: GPL-2.0 */
/* No-ops that tell the emulator's plugin icount.c where the measured part is. */
#ifndef VT_BENCH_MARK_H
#define VT_BENCH_MARK_H

/* nopl 0x627476NN(%rax) */
#define MARK_BYTES 7
#define MARK_CODE(n) 0x0f, 0x1f, 0x80, (n), 0x76, 0x74, 0x62
#define MARK_BEGIN 1
#define MARK_END 2

#ifdef __x86_64__
#define MARK_TEXT(...) #__VA_ARGS__
#define MARK_BYTE(...) MARK_TEXT(.byte __VA_ARGS__)
#define mark(n) __asm__ volatile(MARK_BYTE(MARK_CODE(n)) ::: "memory")
#else
#define mark(n) do { } while (0)
#endif

#endif
