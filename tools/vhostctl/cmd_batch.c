// SPDX-License-Identifier: GPL-2.0
/* batch: commands of a file, a line each; what a host makes when it boots. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vhostctl.h"

/* struct line - a command */
struct line {
	unsigned int nr;
	const struct cmd *cmd;
	int words;	/* of argv that are its name */
	int argc;
	char **argv;
	char *text;	/* what argv points into */
};

/* struct batch - a file */
struct batch {
	struct ctx *ctx;
	const char *name;
	size_t nr;
	struct line *lines;
	int code;	/* of the last line that failed */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A backslash makes the next character an ordinary one, between " some. */
static bool escapes(char quote, const char *s)
{
	if (*s != '\\' || !s[1] || quote == '\'')
		return false;
	return !quote || s[1] == '"' || s[1] == '\\';
}

/* A word, as a shell takes it. Returns where it ends, NULL: a quote is open. */
static const char *take_word(const char *s, char **to)
{
	char quote = '\0';

	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote ? *s == quote : *s == '\'' || *s == '"') {
			quote = quote ? '\0' : *s;
			continue;
		}
		if (escapes(quote, s))
			s++;
		*(*to)++ = *s;
	}
	*(*to)++ = '\0';
	return quote ? NULL : s;
}

static bool split(struct line *l, const char *s)
{
	/* Of words with a blank between them; the last has its NUL. */
	char *to = l->text = xrealloc(NULL, strlen(s) + 2, 1);

	for (;;) {
		while (is_blank(*s))
			s++;
		l->argv = xrealloc(l->argv, l->argc + 1, sizeof(*l->argv));
		if (!*s || *s == '#')
			break;
		l->argv[l->argc++] = to;
		s = take_word(s, &to);
		if (!s)
			return false;
	}
	l->argv[l->argc] = NULL;
	return true;
}

static void line_free(struct line *l)
{
	free(l->argv);
	free(l->text);
}

/* A context of its own for each line; messages say where it is. */
static void line_begin(const struct batch *b, const struct line *l,
		       struct ctx *ctx, char *where, size_t len)
{
	snprintf(where, len, "%s:%u: ", b->name, l->nr);
	*ctx = (struct ctx) {
		.fd = -1, .device = b->ctx->device, .where = where,
	};
}

#define WHERE_LEN	(VHOST_TARGET_PATH_LEN + 16)

/* All that can be said of a line without doing it. */
static int line_check(const struct batch *b, struct line *l, const char *s,
		      size_t len)
{
	char where[WHERE_LEN];
	struct ctx ctx;
	int ret;

	line_begin(b, l, &ctx, where, sizeof(where));
	if (strlen(s) != len)
		return fail(&ctx, EX_USAGE, "there is a NUL byte");
	if (!split(l, s))
		return fail(&ctx, EX_USAGE, "a quotation has no end");
	if (!l->argc)
		return EX_OK;
	ret = find_command(&ctx, l->argc, l->argv, &l->words);
	l->cmd = ctx.cmd;
	if (!ret && l->cmd == b->ctx->cmd)
		ret = fail_usage(&ctx, "not in a file of commands");
	return ret ? ret : args_parse(&ctx, l->argc - l->words,
				      l->argv + l->words);
}

static int line_run(const struct batch *b, const struct line *l)
{
	char where[WHERE_LEN];
	struct ctx ctx;
	int ret;

	line_begin(b, l, &ctx, where, sizeof(where));
	ctx.cmd = l->cmd;
	ret = out_begin(&ctx);
	if (ret)
		return ret;
	ret = run_command(&ctx, l->words, l->argc, l->argv);
	ret = out_end(&ctx, ret);
	if (ctx.fd >= 0)
		close(ctx.fd);
	return ret;
}

static int add_line(struct batch *b, unsigned int nr, const char *s, size_t len)
{
	struct line l = { .nr = nr };
	int ret = line_check(b, &l, s, len);

	if (ret || !l.argc) {
		b->code = ret ? ret : b->code;
		line_free(&l);
		return ret;
	}
	b->lines = xrealloc(b->lines, b->nr + 1, sizeof(*b->lines));
	b->lines[b->nr++] = l;
	return EX_OK;
}

/* Nothing is done before all of it has been looked at. */
static int read_lines(struct batch *b, FILE *f)
{
	bool force = b->ctx->args.force;
	unsigned int nr = 0;
	char *s = NULL;
	size_t size = 0;
	int ret = EX_OK;
	ssize_t len;

	while ((!ret || force) && (len = getline(&s, &size, f)) >= 0)
		ret = add_line(b, ++nr, s, len);
	free(s);
	if (ferror(f))
		return fail(b->ctx, EX_KERNEL, "%s: %s", b->name,
			    strerror(errno));
	return force ? EX_OK : ret;
}

static int read_file(struct batch *b)
{
	FILE *f = stdin;
	int ret;

	if (strcmp(b->name, "-"))
		f = fopen(b->name, "re");
	if (!f)
		return fail(b->ctx, EX_KERNEL, "%s: %s; check the path",
			    b->name, strerror(errno));
	ret = read_lines(b, f);
	if (f != stdin)
		fclose(f);
	return ret;
}

static int run_lines(struct batch *b)
{
	bool force = b->ctx->args.force;
	size_t i, done = 0;
	int ret = EX_OK;

	for (i = 0; i < b->nr && (!ret || force); i++) {
		ret = line_run(b, &b->lines[i]);
		b->code = ret ? ret : b->code;
		done += ret == EX_OK;
		/* It will not be there for the others either. */
		if (ret == EX_NODE)
			return ret;
	}
	/* A usage error would say that nothing was changed. */
	return b->code && done ? EX_KERNEL : b->code;
}

static int run_batch(struct ctx *ctx)
{
	struct batch b = { .ctx = ctx, .name = ctx->args.pos[0] };
	int ret = read_file(&b);

	if (!ret)
		ret = run_lines(&b);
	for (size_t i = 0; i < b.nr; i++)
		line_free(&b.lines[i]);
	free(b.lines);
	return ret;
}

static const struct opt batch_opts[] = {
	{ "force", NULL, "go on after a line that fails",
	  OPT_FLAG, offsetof(struct args, force), 0, 0 },
	{ 0 }
};

const struct cmd cmd_batch = {
	.name = "batch",
	.operands = "FILE",
	.summary = "Do the commands of a file, a line each",
	.details = "FILE may be -: standard input. Words are quoted as in a shell; a word that starts\nwith # begins a comment. All lines are looked at before the first is done, and the\nfirst that fails is the last, unless --force is given.",
	.example = "vhostctl batch --force /etc/vhost-target/targets",
	.opts = batch_opts,
	.min_pos = 1,
	.max_pos = 1,
	.run = run_batch,
};
