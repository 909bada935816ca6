// SPDX-License-Identifier: GPL-2.0
/* stat: the counters of a target or its queues, as totals or as rates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vhostctl.h"

#define HEAD_EVERY	20	/* lines of rates between two heads */

/* struct sample - the queues asked for, at one moment */
struct sample {
	u64 ns;
	u32 nr;
	struct vhost_target_stats *queues;
};

static int take_sample(struct ctx *ctx, const char *name, u32 nr,
		       struct sample *s)
{
	s->ns = now_ns();
	s->nr = nr;
	s->queues = xrealloc(s->queues, nr, sizeof(*s->queues));
	for (u32 i = 0; i < nr; i++) {
		u32 queue = ctx->args.per_queue ? i :
			    ctx->args.queue == ARG_UNSET ?
			    VHOST_TARGET_QUEUE_ALL : (u32)ctx->args.queue;
		int ret = ctl_stats(ctx, name, queue, &s->queues[i]);

		if (ret)
			return ctl_fail(ctx, VHOST_TARGET_STATS, ret, NULL);
	}
	return EX_OK;
}

static void queue_cell(struct table *t, u32 queue)
{
	if (queue == VHOST_TARGET_QUEUE_ALL)
		table_cell(t, "all");
	else
		table_cell(t, "%u", queue);
}

static void print_totals(struct ctx *ctx, const struct sample *s)
{
	struct table t = { .head = { ">QUEUE", ">READS", ">WRITES", ">FLUSHES",
				     ">OTHER", ">READ_BYTES", ">WRITE_BYTES",
				     ">ERRORS", ">KICKS", ">CALLS",
				     ">INFLIGHT" } };

	for (u32 i = 0; i < s->nr; i++) {
		const struct vhost_target_stats *q = &s->queues[i];

		queue_cell(&t, q->queue);
		for (int c = 0; c < VHOST_TARGET_OP_CLASSES; c++)
			table_cell(&t, "%llu", (u64)q->ops[c]);
		table_cell(&t, "%llu", (u64)q->bytes[VHOST_TARGET_OP_READ]);
		table_cell(&t, "%llu", (u64)q->bytes[VHOST_TARGET_OP_WRITE]);
		table_cell(&t, "%llu", stats_sum(q->errors));
		table_cell(&t, "%llu", (u64)q->kicks);
		table_cell(&t, "%llu", (u64)q->calls);
		table_cell(&t, "%llu", (u64)q->inflight);
	}
	table_print(&t, ctx->out);
}

static void print_rates(struct ctx *ctx, const struct sample *s, bool head)
{
	struct table t = { .head = { ">QUEUE", ">READ/S", ">WRITE/S",
				     ">READ_MB/S", ">WRITE_MB/S", ">P50",
				     ">P99", ">ERR/S", ">KICK/S", ">CALL/S",
				     ">INFLIGHT" },
			   .width = 9, .no_head = !head };
	__u64 hist[VHOST_TARGET_HIST_BUCKETS];
	char ns[TEXT_LEN];

	for (u32 i = 0; i < s->nr; i++) {
		const struct vhost_target_stats *q = &s->queues[i];

		stats_all_classes(q, hist);
		queue_cell(&t, q->queue);
		for (int c = 0; c <= VHOST_TARGET_OP_WRITE; c++)
			table_cell(&t, "%llu", stats_rate(q->ops[c], s->ns));
		for (int c = 0; c <= VHOST_TARGET_OP_WRITE; c++)
			table_cell(&t, "%.1f", (double)q->bytes[c] * 1e3 / s->ns);
		table_cell(&t, "%s", text_ns(hist_percentile(hist, 500), ns));
		table_cell(&t, "%s", text_ns(hist_percentile(hist, 990), ns));
		table_cell(&t, "%llu", stats_rate(stats_sum(q->errors), s->ns));
		table_cell(&t, "%llu", stats_rate(q->kicks, s->ns));
		table_cell(&t, "%llu", stats_rate(q->calls, s->ns));
		table_cell(&t, "%llu", (u64)q->inflight);
	}
	table_print(&t, ctx->out);
}

static void print_hists(struct ctx *ctx, const struct sample *s)
{
	for (u32 i = 0; ctx->args.hist && i < s->nr; i++) {
		if (ctx->args.per_queue && stats_sum(s->queues[i].ops))
			fprintf(ctx->out, "\nqueue %u:", s->queues[i].queue);
		hist_print(&s->queues[i], ctx->out);
	}
}

static void print_once(struct ctx *ctx, const struct sample *s)
{
	struct json j;

	if (ctx->args.json) {
		json_init(&j, ctx->out);
		if (ctx->args.per_queue)
			json_arr(&j, NULL);
		for (u32 i = 0; i < s->nr; i++)
			stats_json(&s->queues[i], ctx->args.hist, 0, &j);
		if (ctx->args.per_queue)
			json_end(&j);
		return;
	}
	if (ctx->args.per_queue)
		print_totals(ctx, s);
	else
		stats_print(&s->queues[0], ctx->out);
	print_hists(ctx, s);
}

/* s holds what grew; s->ns how long it took. */
static int print_interval(struct ctx *ctx, const struct sample *s, u64 n,
			  struct json *j)
{
	if (!ctx->args.json) {
		print_rates(ctx, s, ctx->args.per_queue || ctx->args.hist ||
			    n % HEAD_EVERY == 0);
		print_hists(ctx, s);
		return out_flush(ctx);
	}
	json_obj(j, NULL);
	json_num(j, "elapsed_ns", s->ns);
	json_arr(j, "queues");
	for (u32 i = 0; i < s->nr; i++)
		stats_json(&s->queues[i], ctx->args.hist, s->ns, j);
	json_end(j);
	json_end(j);
	return EX_OK;
}

static int run_intervals(struct ctx *ctx, const char *name, struct sample *old)
{
	struct sample now = { 0 }, diff = { 0 };
	struct json j;
	int ret = EX_OK;

	json_init(&j, ctx->out);
	if (ctx->args.json)
		json_arr(&j, NULL);
	diff.nr = old->nr;
	diff.queues = xrealloc(NULL, diff.nr, sizeof(*diff.queues));
	for (u64 n = 0; !ctx->args.count || n < ctx->args.count; n++) {
		sleep_ns(ctx->args.interval_ns);
		ret = take_sample(ctx, name, old->nr, &now);
		if (ret)
			break;
		diff.ns = now.ns - old->ns;
		memcpy(diff.queues, now.queues, now.nr * sizeof(*now.queues));
		for (u32 i = 0; i < diff.nr; i++)
			stats_diff(&diff.queues[i], &old->queues[i]);
		ret = print_interval(ctx, &diff, n, &j);
		if (ret)
			break;
		memcpy(old->queues, now.queues, now.nr * sizeof(*now.queues));
		old->ns = now.ns;
	}
	if (ctx->args.json)
		json_end(&j);
	free(now.queues);
	free(diff.queues);
	return ret;
}

static int check_args(struct ctx *ctx)
{
	const struct args *a = &ctx->args;

	if (a->per_queue && a->queue != ARG_UNSET)
		return fail_usage(ctx, "give one of --queue and --per-queue");
	if (a->count && !a->interval_ns)
		return fail_usage(ctx, "--count needs --interval");
	if (a->json && a->interval_ns && !a->count)
		return fail_usage(ctx, "--json with --interval needs --count");
	return EX_OK;
}

static int run_stat(struct ctx *ctx)
{
	struct vhost_target_info info;
	struct sample s = { 0 };
	u32 nr = 1;
	int ret = check_args(ctx);

	if (!ret)
		ret = parse_name(ctx, ctx->args.pos[0], info.name);
	if (!ret)
		ret = ctl_open(ctx);
	if (!ret)
		ret = ctl_target(ctx, ctx->args.pos[0], &info);
	if (ret)
		return ret;
	if (ctx->args.per_queue)
		nr = info.num_queues;
	ret = take_sample(ctx, info.name, nr, &s);
	if (!ret && ctx->args.interval_ns)
		ret = run_intervals(ctx, info.name, &s);
	else if (!ret)
		print_once(ctx, &s);
	free(s.queues);
	return ret;
}

static const struct opt stat_opts[] = {
	{ "queue", "N", "of one queue (default: the sum over all)",
	  OPT_NUM, offsetof(struct args, queue), 0, 0xfffffffeu },
	{ "per-queue", NULL, "of each queue", OPT_FLAG,
	  offsetof(struct args, per_queue), 0, 0 },
	{ "hist", NULL, "latency histograms and percentiles too", OPT_FLAG,
	  offsetof(struct args, hist), 0, 0 },
	{ "interval", "SECONDS", "rates, once each interval", OPT_SECONDS,
	  offsetof(struct args, interval_ns), 0, 0 },
	{ "count", "N", "end after so many intervals", OPT_NUM,
	  offsetof(struct args, count), 1, 0xffffffffu },
	{ 0 }
};

const struct cmd cmd_stat = {
	.name = "stat", .operands = "NAME",
	.summary = "Print the counters of a target",
	.details = "They count from the target's creation; with --interval, what grew.",
	.example = "vhostctl stat disk0 --per-queue --interval 1",
	.opts = stat_opts,
	.min_pos = 1, .max_pos = 1, .json = true,
	.run = run_stat,
};
