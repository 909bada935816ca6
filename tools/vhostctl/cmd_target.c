// SPDX-License-Identifier: GPL-2.0
/* delete, list, show: targets as a whole. */
#include <errno.h>
#include <string.h>

#include "vhostctl.h"

/* struct bit - a flag and its word in human output */
struct bit {
	u32 bit;
	const char *name;
};

static const struct bit target_bits[] = {
	{ VHOST_TARGET_F_SHARED, "shared" },
	{ VHOST_TARGET_F_VDPA, "vdpa" },
	{ VHOST_TARGET_F_USE_VA, "use-va" },
	{ VHOST_TARGET_F_VFIO, "vfio" },
	{ VHOST_TARGET_F_NO_DBBUF, "no-dbbuf" },
	{ 0 }
};

static const struct bit unit_bits[] = {
	{ VHOST_TARGET_UNIT_F_RO, "ro" },
	{ VHOST_TARGET_UNIT_F_WRITETHROUGH, "writethrough" },
	{ VHOST_TARGET_UNIT_F_NO_DISCARD, "no-discard" },
	{ VHOST_TARGET_UNIT_F_SHARED, "shared-backend" },
	{ 0 }
};

static const struct bit state_bits[] = {
	{ VHOST_TARGET_UNIT_S_DEAD, "dead" },
	{ VHOST_TARGET_UNIT_S_POLLED, "polled" },
	{ 0 }
};

/* " a b" for the bits set, unknown ones as a number. */
static void put_bits(FILE *f, const struct bit *b, u32 bits)
{
	for (; b->bit; b++) {
		if (bits & b->bit)
			fprintf(f, " %s", b->name);
		bits &= ~b->bit;
	}
	if (bits)
		fprintf(f, " %#x", bits);
}

static int run_delete(struct ctx *ctx)
{
	struct vhost_target_destroy d = { .size = sizeof(d) };
	int ret = parse_name(ctx, ctx->args.pos[0], d.name);

	if (!ret)
		ret = ctl_open(ctx);
	if (ret)
		return ret;
	ret = ctl(ctx, VHOST_TARGET_DESTROY, &d);
	return ret ? ctl_fail(ctx, VHOST_TARGET_DESTROY, ret, NULL) : EX_OK;
}

static void target_json(struct json *j, const struct vhost_target_info *info)
{
	bool vfio = info->target_flags & VHOST_TARGET_F_VFIO;
	struct vdpa_node vdpa = { 0 };
	char path[128];

	if (info->vdpa_name[0])
		vdpa_find(info->vdpa_name, &vdpa);
	json_str(j, "name", info->name);
	json_num(j, "type", info->type);
	json_str(j, "type_name", type_name(info->type));
	json_num(j, "target_flags", info->target_flags);
	json_num(j, "num_queues", info->num_queues);
	json_num(j, "queue_size", info->queue_size);
	json_num(j, "uid", info->uid);
	json_num(j, "gid", info->gid);
	json_num(j, "nr_units", info->nr_units);
	json_num(j, "nr_sessions", info->nr_sessions);
	json_num(j, "nr_running_queues", info->nr_running_queues);
	json_str(j, "vdpa_name", info->vdpa_name);
	json_str(j, "vdpa_node", vdpa.node[0] ? vdpa.node : NULL);
	json_str(j, "vdpa_driver", vdpa.driver[0] ? vdpa.driver : NULL);
	json_str(j, "wwpn", info->wwpn[0] ? info->wwpn : NULL);
	vfio_path(info->name, path, sizeof(path));
	json_str(j, "vfio_path", vfio ? path : NULL);
	json_num(j, "over_limit", info->over_limit);
}

static void list_row(struct table *t, const struct vhost_target_info *info)
{
	char user[TEXT_LEN];

	table_cell(t, "%s", info->name);
	table_cell(t, "%s", type_name(info->type));
	table_cell(t, "%u", info->nr_units);
	table_cell(t, "%u", info->num_queues);
	table_cell(t, "%u", info->nr_running_queues);
	table_cell(t, "%u", info->nr_sessions);
	table_cell(t, "%s", text_user(info->uid, user));
	table_cell(t, "%s", info->vdpa_name[0] ? info->vdpa_name : "-");
}

static int run_list(struct ctx *ctx)
{
	struct table t = { .head = { "NAME", "TYPE", ">UNITS", ">QUEUES",
				     ">RUNNING", ">SESSIONS", "OWNER",
				     "VDPA" } };
	struct vhost_target_info info = { 0 };
	const struct type *type = NULL;
	struct json j;
	int ret = EX_OK;

	if (ctx->args.npos) {
		type = type_by_name(ctx->args.pos[0]);
		if (!type)
			return fail_type(ctx, ctx->args.pos[0]);
	}
	ret = ctl_open(ctx);
	if (ret)
		return ret;
	json_init(&j, ctx->out);
	if (ctx->args.json)
		json_arr(&j, NULL);
	while (!(ret = ctl_next_target(ctx, &info))) {
		if (type && info.type != type->id)
			continue;
		if (!ctx->args.json) {
			list_row(&t, &info);
			continue;
		}
		json_obj(&j, NULL);
		target_json(&j, &info);
		json_end(&j);
	}
	if (ctx->args.json)
		json_end(&j);
	else
		table_print(&t, ctx->out);
	if (ret != -ENOENT)
		return ctl_fail(ctx, VHOST_TARGET_GET, ret, NULL);
	return EX_OK;
}

void unit_json(struct json *j, const struct vhost_target_unit_info *u,
	       const char *path)
{
	char naa[NAA_LEN];

	json_obj(j, NULL);
	json_num(j, "unit", u->unit);
	json_num(j, "backend", u->backend);
	json_str(j, "backend_name", backend_name(u->backend));
	json_num(j, "unit_flags", u->unit_flags);
	json_num(j, "state", u->state);
	json_num(j, "capacity", u->capacity);
	json_num(j, "block_size", u->block_size);
	json_num(j, "physical_block_size", u->physical_block_size);
	json_str(j, "path", path);
	json_str(j, "serial", u->serial);
	json_field(j, "vendor", u->vendor, sizeof(u->vendor));
	json_field(j, "product", u->product, sizeof(u->product));
	json_field(j, "revision", u->revision, sizeof(u->revision));
	json_str(j, "naa", text_naa(u->naa, naa));
	json_end(j);
}

void put_unit_flags(FILE *f, const struct vhost_target_unit_info *u)
{
	if (!u->unit_flags && !u->state)
		fputs(" none", f);
	/* Whether it is polled is a matter of its state. */
	put_bits(f, unit_bits, u->unit_flags & ~VHOST_TARGET_UNIT_F_POLLED);
	put_bits(f, state_bits, u->state);
}

/* A field that needs no NUL; nothing if it is empty. */
static void put_field(FILE *f, const char *label, const char *s, size_t len)
{
	char text[32];

	if (!*s)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)len, s);
	fprintf(f, "\n  %-8s ", label);
	put_printable(f, text);
}

static void unit_human(FILE *f, const struct vhost_target_unit_info *u,
		       const char *path)
{
	char size[TEXT_LEN], naa[NAA_LEN];

	fprintf(f, "unit %-5u %s", u->unit, backend_name(u->backend));
	if (path[0]) {
		fputc(' ', f);
		put_printable(f, path);
	}
	fprintf(f, "\n  size     %s (%llu bytes), blocks of %u, physical %u\n",
		text_size(u->capacity, size), (u64)u->capacity, u->block_size,
		u->physical_block_size);
	fprintf(f, "  serial   ");
	put_printable(f, u->serial[0] ? u->serial : "-");
	if (u->naa)
		fprintf(f, "\n  id       %s", text_naa(u->naa, naa));
	put_field(f, "vendor", u->vendor, sizeof(u->vendor));
	put_field(f, "product", u->product, sizeof(u->product));
	put_field(f, "revision", u->revision, sizeof(u->revision));
	fprintf(f, "\n  flags   ");
	put_unit_flags(f, u);
	fputc('\n', f);
}

static void target_human(FILE *f, const struct vhost_target_info *info)
{
	char user[TEXT_LEN], group[TEXT_LEN];
	struct vdpa_node vdpa;

	fprintf(f, "name       %s\ntype       %s\n", info->name,
		type_name(info->type));
	fprintf(f, "owner      %s, group %s\n", text_user(info->uid, user),
		text_group(info->gid, group));
	fputs("flags     ", f);
	if (!info->target_flags)
		fputs(" none", f);
	put_bits(f, target_bits, info->target_flags);
	fprintf(f, "\nsessions   %u\nqueues     %u of up to %u entries, %u running\n",
		info->nr_sessions, info->num_queues, info->queue_size,
		info->nr_running_queues);
	if (info->over_limit)
		fprintf(f, "refused    %llu times, to users with as many sessions or queues as they may have\n",
			(u64)info->over_limit);
	if (info->wwpn[0])
		fprintf(f, "wwpn       %s\n", info->wwpn);
	if (info->target_flags & VHOST_TARGET_F_VFIO) {
		fputs("vfio       ", f);
		vfio_next_step(info->name, f);
		fputc('\n', f);
	}
	if (!info->vdpa_name[0])
		return;
	vdpa_find(info->vdpa_name, &vdpa);
	fprintf(f, "vdpa       %s: ", info->vdpa_name);
	vdpa_next_step(info->vdpa_name, &vdpa, f);
	fputc('\n', f);
}

static int show_units(struct ctx *ctx, const char *name, struct json *j)
{
	char path[VHOST_TARGET_PATH_LEN];
	struct vhost_target_unit_info u;
	u64 next = 0;
	int ret = -ENOENT;

	while (next <= 0xffffffffu &&
	       !(ret = ctl_next_unit(ctx, name, next, &u, path))) {
		if (ctx->args.json)
			unit_json(j, &u, path);
		else
			unit_human(ctx->out, &u, path);
		next = (u64)u.unit + 1;
	}
	if (ret && ret != -ENOENT)
		return ctl_fail(ctx, VHOST_TARGET_UNIT_GET, ret, NULL);
	return EX_OK;
}

static int run_show(struct ctx *ctx)
{
	struct vhost_target_info info;
	struct json j;
	int ret = parse_name(ctx, ctx->args.pos[0], info.name);

	if (!ret)
		ret = ctl_open(ctx);
	if (!ret)
		ret = ctl_target(ctx, ctx->args.pos[0], &info);
	if (ret)
		return ret;
	if (!ctx->args.json) {
		target_human(ctx->out, &info);
		return show_units(ctx, info.name, NULL);
	}
	json_init(&j, ctx->out);
	json_obj(&j, NULL);
	target_json(&j, &info);
	json_arr(&j, "units");
	ret = show_units(ctx, info.name, &j);
	json_end(&j);
	json_end(&j);
	return ret;
}

const struct cmd cmd_delete = {
	.name = "delete", .operands = "NAME",
	.summary = "Destroy a target and close its disks",
	.example = "vhostctl delete disk0",
	.min_pos = 1, .max_pos = 1,
	.run = run_delete,
};

const struct cmd cmd_list = {
	.name = "list", .operands = "[TYPE]",
	.summary = "List the targets",
	.example = "vhostctl list blk --json",
	.max_pos = 1, .json = true,
	.run = run_list,
};

const struct cmd cmd_show = {
	.name = "show", .operands = "NAME",
	.summary = "Show a target, its disks, sessions and queues",
	.example = "vhostctl show disk0",
	.min_pos = 1, .max_pos = 1, .json = true,
	.run = run_show,
};
