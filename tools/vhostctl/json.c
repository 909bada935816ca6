// SPDX-License-Identifier: GPL-2.0
/* A JSON writer that knows where commas go; always valid UTF-8. */
#include <string.h>

#include "vhostctl.h"

static void put_string(FILE *f, const char *s)
{
	fputc('"', f);
	while (*s) {
		size_t len = utf8_char(s);
		unsigned char c = *s;

		if (!len) {
			fputs("\\ufffd", f);	/* not UTF-8 */
			len = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(f, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(f, "\\u%04x", c);
		} else {
			fwrite(s, 1, len, f);
		}
		s += len;
	}
	fputc('"', f);
}

static void newline(struct json *j)
{
	fprintf(j->f, "\n%*s", 2 * j->depth, "");
}

/* What comes before a value: comma, new line, key. */
static void before(struct json *j, const char *key)
{
	if (!j->depth)
		return;
	if (j->used[j->depth - 1])
		fputc(',', j->f);
	j->used[j->depth - 1] = true;
	newline(j);
	if (key) {
		put_string(j->f, key);
		fputs(": ", j->f);
	}
}

static void nest(struct json *j, const char *key, char begin, char end)
{
	before(j, key);
	fputc(begin, j->f);
	j->used[j->depth] = false;
	j->end[j->depth++] = end;
}

void json_init(struct json *j, FILE *f)
{
	memset(j, 0, sizeof(*j));
	j->f = f;
}

void json_obj(struct json *j, const char *key)
{
	nest(j, key, '{', '}');
}

void json_arr(struct json *j, const char *key)
{
	nest(j, key, '[', ']');
}

/* Ends the innermost object or array; the last one ends the document. */
void json_end(struct json *j)
{
	j->depth--;
	if (j->used[j->depth])
		newline(j);
	fputc(j->end[j->depth], j->f);
	if (!j->depth)
		fputc('\n', j->f);
}

void json_num(struct json *j, const char *key, u64 val)
{
	before(j, key);
	fprintf(j->f, "%llu", val);
}

/* A field of len bytes that needs no NUL. */
void json_field(struct json *j, const char *key, const char *val, size_t len)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)len, val);
	json_str(j, key, text);
}

/* NULL is written as null. */
void json_str(struct json *j, const char *key, const char *val)
{
	before(j, key);
	if (val)
		put_string(j->f, val);
	else
		fputs("null", j->f);
}
