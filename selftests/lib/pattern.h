/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data that knows where it belongs: each 512 byte block carries its address,
 * a generation and a checksum.
 */
#ifndef VT_PATTERN_H
#define VT_PATTERN_H

#include "util.h"

/* @len is a multiple of 512. */
void pattern_fill(void *buf, u32 len, u64 sector, u32 generation);
/* 0, or -EILSEQ after a message that says what is wrong. */
int pattern_check(const void *buf, u32 len, u64 sector, u32 generation);
/* 0, or -EILSEQ after a message. */
int pattern_check_zero(const void *buf, u32 len, u64 sector);

#endif
