// SPDX-License-Identifier: GPL-2.0
/* What leaves the program: messages, buffered output, tables. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "vhostctl.h"

#define MSG_LEN	(VHOST_TARGET_PATH_LEN + 1024)

void *xrealloc(void *p, size_t nr, size_t size)
{
	p = reallocarray(p, nr, size);
	if (!p) {
		fprintf(stderr, "vhostctl: out of memory\n");
		exit(EX_KERNEL);
	}
	return p;
}

static void message(const struct ctx *ctx, const char *text, bool hint)
{
	fprintf(stderr, "vhostctl: ");
	put_printable(stderr, ctx->where ? ctx->where : "");
	put_printable(stderr, ctx->what);
	fprintf(stderr, "%s", ctx->what[0] ? ": " : "");
	put_printable(stderr, text);
	if (hint)
		fprintf(stderr, "; see vhostctl %s%s--help",
			ctx->cmd ? ctx->cmd->name : "", ctx->cmd ? " " : "");
	fputc('\n', stderr);
}

int fail(struct ctx *ctx, enum exit_code code, const char *fmt, ...)
{
	char text[MSG_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	message(ctx, text, false);
	return code;
}

int fail_usage(struct ctx *ctx, const char *fmt, ...)
{
	char text[MSG_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	message(ctx, text, true);
	return EX_USAGE;
}

int out_begin(struct ctx *ctx)
{
	ctx->out = open_memstream(&ctx->out_buf, &ctx->out_len);
	if (!ctx->out)
		return fail(ctx, EX_KERNEL, "out of memory");
	return EX_OK;
}

/* Ends the output: written when ret is EX_OK, dropped otherwise. */
int out_end(struct ctx *ctx, int ret)
{
	bool bad;

	if (!ctx->out)
		return ret;
	bad = fclose(ctx->out);
	ctx->out = NULL;
	if (ret == EX_OK && bad)
		ret = fail(ctx, EX_KERNEL, "out of memory");
	if (ret == EX_OK &&
	    (fwrite(ctx->out_buf, 1, ctx->out_len, stdout) != ctx->out_len ||
	     fflush(stdout)))
		ret = fail(ctx, EX_KERNEL, "cannot write the output: %s",
			   strerror(errno));
	free(ctx->out_buf);
	ctx->out_buf = NULL;
	return ret;
}

int out_flush(struct ctx *ctx)
{
	int ret = out_end(ctx, EX_OK);

	return ret ? ret : out_begin(ctx);
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char text[VHOST_TARGET_PATH_LEN * 4];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->cells = xrealloc(t->cells, t->nr + 1, sizeof(*t->cells));
	t->cells[t->nr] = xrealloc(NULL, strlen(text) + 1, 1);
	strcpy(t->cells[t->nr++], text);
}

static int table_width(const struct table *t, size_t col, size_t cols)
{
	const char *head = t->head[col] + (t->head[col][0] == '>');
	int width = t->width;

	if ((int)strlen(head) > width)
		width = strlen(head);
	for (size_t i = col; i < t->nr; i += cols) {
		if ((int)strlen(t->cells[i]) > width)
			width = strlen(t->cells[i]);
	}
	return width;
}

static void put_cell(const struct table *t, size_t col, size_t cols, int width,
		     const char *text, FILE *f)
{
	const char *gap = col ? "  " : "";

	if (t->head[col][0] == '>')
		fprintf(f, "%s%*s", gap, width, text);
	else if (col + 1 == cols)
		fprintf(f, "%s%s", gap, text);
	else
		fprintf(f, "%s%-*s", gap, width, text);
}

/* Prints and empties the table. */
void table_print(struct table *t, FILE *f)
{
	int width[TABLE_COLS];
	size_t cols = 0;

	while (cols < TABLE_COLS && t->head[cols])
		cols++;
	for (size_t c = 0; c < cols; c++)
		width[c] = table_width(t, c, cols);
	for (size_t c = 0; c < cols && !t->no_head; c++) {
		put_cell(t, c, cols, width[c],
			 t->head[c] + (t->head[c][0] == '>'), f);
		if (c + 1 == cols)
			fputc('\n', f);
	}
	for (size_t i = 0; i < t->nr; i++) {
		put_cell(t, i % cols, cols, width[i % cols], t->cells[i], f);
		if (i % cols + 1 == cols)
			fputc('\n', f);
		free(t->cells[i]);
	}
	free(t->cells);
	t->cells = NULL;
	t->nr = 0;
}
