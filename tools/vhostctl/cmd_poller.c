// SPDX-License-Identifier: GPL-2.0
/* poller list, add, remove, set: the threads that serve queues. */
#include <errno.h>

#include "vhostctl.h"

/* Polls on for a while after the last request: the next one often follows. */
#define DEFAULT_IDLE_US	50

static int parse_poller(struct ctx *ctx, const char *s, __u32 *id)
{
	u64 num;

	if (!parse_u64(s, &num) || num > 0xffffffffu)
		return fail_usage(ctx, "'%s' is not a poller's number", s);
	*id = (__u32)num;
	return EX_OK;
}

static void poller_json(struct json *j, const struct vhost_target_poller *p)
{
	json_obj(j, NULL);
	json_num(j, "id", p->id);
	json_num(j, "cpu", p->cpu);
	json_num(j, "idle_us", p->idle_us);
	json_num(j, "nr_queues", p->nr_queues);
	json_num(j, "nr_active", p->nr_active);
	json_num(j, "pid", p->pid);
	json_num(j, "loops", p->loops);
	json_num(j, "sleeps", p->sleeps);
	json_num(j, "busy_ns", p->busy_ns);
	json_num(j, "idle_ns", p->idle_ns);
	json_num(j, "moves", p->moves);
	json_end(j);
}

static void poller_row(struct table *t, const struct vhost_target_poller *p)
{
	char ns[TEXT_LEN];

	table_cell(t, "%u", p->id);
	table_cell(t, "%u", p->cpu);
	table_cell(t, "%u", p->idle_us);
	table_cell(t, "%u", p->nr_queues);
	table_cell(t, "%u", p->nr_active);
	table_cell(t, "%u", p->pid);
	table_cell(t, "%llu", (u64)p->loops);
	table_cell(t, "%llu", (u64)p->sleeps);
	table_cell(t, "%s", text_ns(p->busy_ns, ns));
	table_cell(t, "%s", text_ns(p->idle_ns, ns));
}

/* The first poller numbered at least id; 0, -ENOENT or another -errno. */
static int next_poller(struct ctx *ctx, u32 id, struct vhost_target_poller *p)
{
	int ret;

	*p = (struct vhost_target_poller) {
		.size = sizeof(*p), .flags = VHOST_TARGET_GET_NEXT, .id = id,
	};
	ret = ctl(ctx, VHOST_TARGET_POLLER_GET, p);
	return ret ? ret : p->id >= id ? 0 : -EPROTO;
}

static int run_list(struct ctx *ctx)
{
	struct table t = { .head = { ">ID", ">CPU", ">IDLE_US", ">QUEUES",
				     ">ACTIVE", ">PID", ">LOOPS", ">SLEEPS",
				     ">BUSY", ">IDLE" } };
	struct vhost_target_poller p;
	u64 next = 0;
	struct json j;
	int ret = ctl_open(ctx);

	if (ret)
		return ret;
	ret = -ENOENT;
	json_init(&j, ctx->out);
	if (ctx->args.json)
		json_arr(&j, NULL);
	while (next <= 0xffffffffu && !(ret = next_poller(ctx, next, &p))) {
		if (ctx->args.json)
			poller_json(&j, &p);
		else
			poller_row(&t, &p);
		next = (u64)p.id + 1;
	}
	if (ctx->args.json)
		json_end(&j);
	else
		table_print(&t, ctx->out);
	if (ret && ret != -ENOENT)
		return ctl_fail(ctx, VHOST_TARGET_POLLER_GET, ret, NULL);
	return EX_OK;
}

static int run_add(struct ctx *ctx)
{
	struct vhost_target_poller p = { .size = sizeof(p) };
	struct json j;
	int ret;

	if (ctx->args.cpu == ARG_UNSET)
		return fail_usage(ctx, "--cpu is missing");
	p.cpu = (__u32)ctx->args.cpu;
	p.idle_us = ctx->args.idle_us == ARG_UNSET ? DEFAULT_IDLE_US :
		    (__u32)ctx->args.idle_us;
	ret = ctl_open(ctx);
	if (ret)
		return ret;
	ret = ctl(ctx, VHOST_TARGET_POLLER_ADD, &p);
	if (ret)
		return ctl_fail(ctx, VHOST_TARGET_POLLER_ADD, ret, NULL);
	if (!ctx->args.json) {
		fprintf(ctx->out, "poller %u serves on CPU %llu\n", p.id,
			ctx->args.cpu);
		return EX_OK;
	}
	json_init(&j, ctx->out);
	json_obj(&j, NULL);
	json_num(&j, "id", p.id);
	json_num(&j, "cpu", p.cpu);
	json_num(&j, "idle_us", p.idle_us);
	json_end(&j);
	return EX_OK;
}

static int run_remove(struct ctx *ctx)
{
	struct vhost_target_poller_remove r = { .size = sizeof(r) };
	int ret = parse_poller(ctx, ctx->args.pos[0], &r.id);

	if (!ret)
		ret = ctl_open(ctx);
	if (ret)
		return ret;
	ret = ctl(ctx, VHOST_TARGET_POLLER_REMOVE, &r);
	return ret ? ctl_fail(ctx, VHOST_TARGET_POLLER_REMOVE, ret, NULL) :
		     EX_OK;
}

static int run_set(struct ctx *ctx)
{
	struct vhost_target_poller p = { .size = sizeof(p) };
	int ret = parse_poller(ctx, ctx->args.pos[0], &p.id);

	if (ret)
		return ret;
	if (ctx->args.idle_us == ARG_UNSET)
		return fail_usage(ctx, "--idle-us is missing");
	p.idle_us = (__u32)ctx->args.idle_us;
	ret = ctl_open(ctx);
	if (ret)
		return ret;
	ret = ctl(ctx, VHOST_TARGET_POLLER_SET, &p);
	return ret ? ctl_fail(ctx, VHOST_TARGET_POLLER_SET, ret, NULL) : EX_OK;
}

#define OPT_IDLE(text) \
	{ "idle-us", "N", text, OPT_NUM, offsetof(struct args, idle_us), \
	  0, VHOST_TARGET_MAX_IDLE_US }

static const struct opt add_opts[] = {
	{ "cpu", "N", "CPU it runs on", OPT_NUM, offsetof(struct args, cpu),
	  0, 0xfffffffeu },
	OPT_IDLE("busy-poll so long without work (default: 50)"),
	{ 0 }
};

static const struct opt set_opts[] = {
	OPT_IDLE("busy-poll so long without work; 0: never"),
	{ 0 }
};

const struct cmd cmd_poller_list = {
	.name = "poller list", .operands = "",
	.summary = "List the pollers",
	.example = "vhostctl poller list",
	.json = true,
	.run = run_list,
};

const struct cmd cmd_poller_add = {
	.name = "poller add", .operands = "--cpu N",
	.summary = "Add a poller on a CPU",
	.example = "vhostctl poller add --cpu 3 --idle-us 20",
	.opts = add_opts,
	.json = true,
	.run = run_add,
};

const struct cmd cmd_poller_remove = {
	.name = "poller remove", .operands = "ID",
	.summary = "Remove a poller; its queues move to others",
	.example = "vhostctl poller remove 2",
	.min_pos = 1, .max_pos = 1,
	.run = run_remove,
};

const struct cmd cmd_poller_set = {
	.name = "poller set", .operands = "ID --idle-us N",
	.summary = "Change how long a poller busy-polls",
	.example = "vhostctl poller set 2 --idle-us 0",
	.opts = set_opts,
	.min_pos = 1, .max_pos = 1,
	.run = run_set,
};
