// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

/* Of one test; a loop may fail in each of its rounds. */
#define MAX_MESSAGES	8

static struct unit_test *tests;
static struct unit_test **last = &tests;
static unsigned int nr_messages;

void unit_add(struct unit_test *t)
{
	*last = t;
	last = &t->next;
}

void unit_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	if (++nr_messages > MAX_MESSAGES)
		return;
	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

/* A test that ends early leaks; the code under test allocates nothing. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static bool unit_chosen(const struct unit_test *t, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strstr(t->text, argv[i]))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, failed = 0;
	struct unit_test *t;

	for (t = tests; t; t = t->next)
		nr += unit_chosen(t, argc, argv);
	printf("KTAP version 1\n1..%u\n", nr);

	nr = 0;
	for (t = tests; t; t = t->next) {
		if (!unit_chosen(t, argc, argv))
			continue;
		fflush(stdout);
		nr_messages = 0;
		t->fn();
		if (nr_messages > MAX_MESSAGES)
			printf("# and %u more\n", nr_messages - MAX_MESSAGES);
		printf("%sok %u %s\n", nr_messages ? "not " : "", ++nr,
		       t->text);
		failed += !!nr_messages;
	}
	printf("%u passed, %u failed\n", nr - failed, failed);
	fflush(stdout);
	return failed != 0;
}
