/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_MUST_H
#define _SHIM_MUST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* assert() in a function: to whoever asserts, its failure is no branch to be covered. */
#define shim_assert(cond)	shim_must(!!(cond), #cond, __FILE__, __LINE__)

static inline void shim_must(bool good, const char *what, const char *file, int line)
{
	if (good)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

#endif
