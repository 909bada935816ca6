// SPDX-License-Identifier: GPL-2.0
/* top: all targets, one line each, refreshed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vhostctl.h"

/* struct sample - all targets at one moment, sorted by name */
struct sample {
	u64 ns;
	size_t nr;
	struct vhost_target_stats *rows;
};

static int take_sample(struct ctx *ctx, struct sample *s)
{
	struct vhost_target_info info = { 0 };
	int ret;

	s->ns = now_ns();
	s->nr = 0;
	while (!(ret = ctl_next_target(ctx, &info))) {
		s->rows = xrealloc(s->rows, s->nr + 1, sizeof(*s->rows));
		ret = ctl_stats(ctx, info.name, VHOST_TARGET_QUEUE_ALL,
				&s->rows[s->nr]);
		if (ret == -ENOENT)
			continue;	/* deleted since */
		if (ret)
			return ctl_fail(ctx, VHOST_TARGET_STATS, ret,
					info.name);
		s->nr++;
	}
	if (ret != -ENOENT)
		return ctl_fail(ctx, VHOST_TARGET_GET, ret, NULL);
	return EX_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct vhost_target_stats *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* What grew since old; a target that was not there grew from nothing. */
static void diff(struct sample *now, const struct sample *old)
{
	for (size_t i = 0; i < now->nr; i++) {
		const struct vhost_target_stats *was = NULL;

		if (old->nr)
			was = bsearch(&now->rows[i], old->rows, old->nr,
				      sizeof(*old->rows), by_name);
		if (was)
			stats_diff(&now->rows[i], was);
	}
}

static void print_rows(struct ctx *ctx, const struct sample *s, u64 ns)
{
	struct table t = { .head = { "NAME", ">READ/S", ">WRITE/S",
				     ">READ_MB/S", ">WRITE_MB/S", ">P50",
				     ">P99", ">ERR/S", ">INFLIGHT" },
			   .width = 9 };
	__u64 hist[VHOST_TARGET_HIST_BUCKETS];
	char text[TEXT_LEN];

	for (size_t i = 0; i < s->nr; i++) {
		const struct vhost_target_stats *r = &s->rows[i];

		stats_all_classes(r, hist);
		table_cell(&t, "%s", r->name);
		for (int c = 0; c <= VHOST_TARGET_OP_WRITE; c++)
			table_cell(&t, "%llu", stats_rate(r->ops[c], ns));
		for (int c = 0; c <= VHOST_TARGET_OP_WRITE; c++)
			table_cell(&t, "%.1f", (double)r->bytes[c] * 1e3 / ns);
		table_cell(&t, "%s", text_ns(hist_percentile(hist, 500), text));
		table_cell(&t, "%s", text_ns(hist_percentile(hist, 990), text));
		table_cell(&t, "%llu", stats_rate(stats_sum(r->errors), ns));
		table_cell(&t, "%llu", (u64)r->inflight);
	}
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", ctx->out);
	table_print(&t, ctx->out);
}

static int print_sample(struct ctx *ctx, const struct sample *s, u64 ns,
			struct json *j)
{
	if (!ctx->args.json) {
		print_rows(ctx, s, ns);
		return out_flush(ctx);
	}
	json_obj(j, NULL);
	json_num(j, "elapsed_ns", ns);
	json_arr(j, "targets");
	for (size_t i = 0; i < s->nr; i++)
		stats_json(&s->rows[i], false, ns, j);
	json_end(j);
	json_end(j);
	return EX_OK;
}

static void copy_sample(struct sample *to, const struct sample *from)
{
	to->ns = from->ns;
	to->nr = from->nr;
	to->rows = xrealloc(to->rows, from->nr + 1, sizeof(*to->rows));
	if (from->nr)
		memcpy(to->rows, from->rows, from->nr * sizeof(*to->rows));
}

static int run_top(struct ctx *ctx)
{
	struct sample old = { 0 }, now = { 0 }, shown = { 0 };
	struct json j;
	int ret;

	if (ctx->args.json && !ctx->args.count)
		return fail_usage(ctx, "--json needs --count");
	if (!ctx->args.interval_ns)
		ctx->args.interval_ns = 1000000000;
	ret = ctl_open(ctx);
	if (!ret)
		ret = take_sample(ctx, &old);
	json_init(&j, ctx->out);
	if (ctx->args.json)
		json_arr(&j, NULL);
	for (u64 n = 0; !ret && (!ctx->args.count || n < ctx->args.count); n++) {
		sleep_ns(ctx->args.interval_ns);
		ret = take_sample(ctx, &now);
		if (ret)
			break;
		copy_sample(&shown, &now);
		diff(&shown, &old);
		ret = print_sample(ctx, &shown, now.ns - old.ns, &j);
		copy_sample(&old, &now);
	}
	if (ctx->args.json)
		json_end(&j);
	free(old.rows);
	free(now.rows);
	free(shown.rows);
	return ret;
}

static const struct opt top_opts[] = {
	{ "interval", "SECONDS", "time between two looks (default: 1)",
	  OPT_SECONDS, offsetof(struct args, interval_ns), 0, 0 },
	{ "count", "N", "end after so many intervals", OPT_NUM,
	  offsetof(struct args, count), 1, 0xffffffffu },
	{ 0 }
};

const struct cmd cmd_top = {
	.name = "top", .operands = "",
	.summary = "Show all targets at work, refreshed",
	.example = "vhostctl top --interval 2",
	.opts = top_opts,
	.json = true,
	.run = run_top,
};
