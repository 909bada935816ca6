// SPDX-License-Identifier: GPL-2.0
/*
 * resize, and the units of targets that have several: list, add, remove and
 * resize of lun and of ns. A command's row says which type of target it is for, and the type's
 * row what its units are called: more types need rows only.
 */
#include <errno.h>
#include <string.h>

#include "vhostctl.h"

/* The target named first; it must be of the command's type. */
static int open_target(struct ctx *ctx, struct vhost_target_info *info)
{
	int ret = parse_name(ctx, ctx->args.pos[0], info->name);

	if (!ret)
		ret = ctl_open(ctx);
	if (!ret)
		ret = ctl_target(ctx, ctx->args.pos[0], info);
	if (!ret && info->type != ctx->cmd->type)
		return fail(ctx, EX_KERNEL,
			    "it is a %s target, not a %s one; see vhostctl list",
			    type_name(info->type), type_name(ctx->cmd->type));
	return ret;
}

/* The unit named second. */
static int parse_unit(struct ctx *ctx, __u32 *unit)
{
	const struct type *type = type_by_id(ctx->cmd->type);
	u64 num;

	if (!parse_u64(ctx->args.pos[1], &num) || num < type->first_unit ||
	    num - type->first_unit > type->max_unit)
		return fail_usage(ctx, "'%s' is not a %s within %u..%u",
				  ctx->args.pos[1], type->unit,
				  type->first_unit,
				  type->first_unit + type->max_unit);
	*unit = (__u32)num - type->first_unit;
	return EX_OK;
}

/* The least number that is not in use. */
static int free_unit(struct ctx *ctx, const char *name, __u32 *unit)
{
	const struct type *type = type_by_id(ctx->cmd->type);
	char path[VHOST_TARGET_PATH_LEN];
	struct vhost_target_unit_info u;
	int ret;

	for (*unit = 0; *unit <= type->max_unit; (*unit)++) {
		ret = ctl_next_unit(ctx, name, *unit, &u, path);
		if (ret == -ENOENT || (!ret && u.unit != *unit))
			return EX_OK;
		if (ret)
			return ctl_fail(ctx, VHOST_TARGET_UNIT_GET, ret, NULL);
	}
	return fail(ctx, EX_KERNEL, "every %s is in use; remove one",
		    type->unit);
}

static int report_unit(struct ctx *ctx, const char *verb, u32 unit)
{
	const struct type *type = type_by_id(ctx->cmd->type);
	struct json j;

	if (!ctx->args.json) {
		fprintf(ctx->out, "%s: %s %u %s\n", ctx->args.pos[0],
			type->unit, type->first_unit + unit, verb);
		return EX_OK;
	}
	json_init(&j, ctx->out);
	json_obj(&j, NULL);
	json_str(&j, "name", ctx->args.pos[0]);
	json_num(&j, "unit", unit);
	json_end(&j);
	return EX_OK;
}

static int run_unit_add(struct ctx *ctx)
{
	const struct type *type = type_by_id(ctx->cmd->type);
	struct vhost_target_info info;
	static struct disk disk;
	__u32 unit = 0;
	int ret = EX_OK;

	/* Of the last line of a batch. */
	memset(&disk, 0, sizeof(disk));
	if (ctx->args.npos > 1)
		ret = parse_unit(ctx, &unit);
	if (!ret)
		ret = disk_plan(ctx, &disk, type, ctx->args.pos[0], unit);
	if (!ret)
		ret = open_target(ctx, &info);
	if (!ret && ctx->args.npos == 1)
		ret = free_unit(ctx, info.name, &disk.add.unit);
	if (ret)
		return ret;
	ret = ctl(ctx, VHOST_TARGET_UNIT_ADD, &disk.add);
	if (ret)
		return ctl_fail(ctx, VHOST_TARGET_UNIT_ADD, ret,
				disk_path(&disk));
	return report_unit(ctx, "added", disk.add.unit);
}

static int run_unit_remove(struct ctx *ctx)
{
	struct vhost_target_unit_remove r = { .size = sizeof(r) };
	struct vhost_target_info info;
	int ret = parse_unit(ctx, &r.unit);

	if (!ret)
		ret = open_target(ctx, &info);
	if (!ret)
		ret = parse_name(ctx, ctx->args.pos[0], r.name);
	if (ret)
		return ret;
	ret = ctl(ctx, VHOST_TARGET_UNIT_REMOVE, &r);
	return ret ? ctl_fail(ctx, VHOST_TARGET_UNIT_REMOVE, ret, NULL) : EX_OK;
}

static void list_row(struct table *t, const struct vhost_target_unit_info *u,
		     u32 first, const char *path)
{
	char size[TEXT_LEN], naa[NAA_LEN], flags[64] = "";
	char serial[4 * VHOST_TARGET_SERIAL_LEN + 1];
	char shown[4 * VHOST_TARGET_PATH_LEN];
	FILE *f = fmemopen(flags, sizeof(flags), "w");

	if (f) {
		put_unit_flags(f, u);
		fclose(f);
	}
	table_cell(t, "%u", first + u->unit);
	table_cell(t, "%s", backend_name(u->backend));
	table_cell(t, "%s", text_size(u->capacity, size));
	table_cell(t, "%u", u->block_size);
	table_cell(t, "%s", printable(u->serial, serial, sizeof(serial)));
	table_cell(t, "%s", u->naa ? text_naa(u->naa, naa) : "-");
	/* Each flag has a space before it. */
	table_cell(t, "%s", flags + (flags[0] == ' '));
	table_cell(t, "%s", path[0] ? printable(path, shown, sizeof(shown)) :
				      "-");
}

static int run_unit_list(struct ctx *ctx)
{
	struct table t = { .head = { NULL, "BACKEND", ">SIZE", ">BLOCK",
				     "SERIAL", "ID", "FLAGS", "PATH" } };
	char path[VHOST_TARGET_PATH_LEN];
	struct vhost_target_unit_info u;
	struct vhost_target_info info;
	struct json j;
	u64 next = 0;
	int ret = open_target(ctx, &info);

	if (ret)
		return ret;
	t.head[0] = info.type == VHOST_TARGET_SCSI ? ">LUN" : ">NSID";
	json_init(&j, ctx->out);
	if (ctx->args.json)
		json_arr(&j, NULL);
	while (next <= 0xffffffffu &&
	       !(ret = ctl_next_unit(ctx, info.name, next, &u, path))) {
		if (ctx->args.json)
			unit_json(&j, &u, path);
		else
			list_row(&t, &u, type_by_id(info.type)->first_unit,
				 path);
		next = (u64)u.unit + 1;
	}
	if (ctx->args.json)
		json_end(&j);
	else
		table_print(&t, ctx->out);
	if (ret && ret != -ENOENT)
		return ctl_fail(ctx, VHOST_TARGET_UNIT_GET, ret, NULL);
	return EX_OK;
}

static int do_resize(struct ctx *ctx, u32 unit)
{
	struct vhost_target_unit_resize r = { .size = sizeof(r) };
	const struct type *type = type_by_id(ctx->cmd->type);
	char size[TEXT_LEN];
	struct json j;
	int ret;

	r.unit = unit;
	r.capacity = ctx->args.size;
	ret = parse_name(ctx, ctx->args.pos[0], r.name);
	if (ret)
		return ret;
	ret = ctl(ctx, VHOST_TARGET_UNIT_RESIZE, &r);
	if (ret)
		return ctl_fail(ctx, VHOST_TARGET_UNIT_RESIZE, ret, NULL);
	if (!ctx->args.json) {
		fprintf(ctx->out, "%s: %s %u now has %s (%llu bytes)\n",
			ctx->args.pos[0], type ? type->unit : "unit",
			(type ? type->first_unit : 0) + r.unit,
			text_size(r.capacity, size), (u64)r.capacity);
		return EX_OK;
	}
	json_init(&j, ctx->out);
	json_obj(&j, NULL);
	json_str(&j, "name", ctx->args.pos[0]);
	json_num(&j, "unit", r.unit);
	json_num(&j, "capacity", r.capacity);
	json_end(&j);
	return EX_OK;
}

static int run_unit_resize(struct ctx *ctx)
{
	struct vhost_target_info info;
	__u32 unit;
	int ret = parse_unit(ctx, &unit);

	if (!ret)
		ret = open_target(ctx, &info);
	return ret ? ret : do_resize(ctx, unit);
}

static int run_resize(struct ctx *ctx)
{
	char name[VHOST_TARGET_NAME_LEN];
	int ret = parse_name(ctx, ctx->args.pos[0], name);

	if (!ret)
		ret = ctl_open(ctx);
	return ret ? ret : do_resize(ctx, (u32)ctx->args.unit);
}

#define SIZE_OPT							\
	{ "size", "SIZE", "new size of a null backend; K, M, G, T",	\
	  OPT_SIZE, offsetof(struct args, size), 1, ARG_UNSET - 1 }

static const struct opt resize_opts[] = {
	{ "unit", "N", "disk of the target (default: 0)",
	  OPT_NUM, offsetof(struct args, unit), 0, 0xffffffffu },
	SIZE_OPT,
	{ 0 }
};

static const struct opt unit_resize_opts[] = {
	SIZE_OPT,
	{ 0 }
};

static const struct opt lun_add_opts[] = {
	DISK_OPTS,
	DISK_SCSI_OPTS,
	{ 0 }
};

static const struct opt ns_add_opts[] = {
	DISK_OPTS,
	{ 0 }
};

#define RESIZE_DETAILS \
	"The attached VM is told. Grow the device or file first."

const struct cmd cmd_resize = {
	.name = "resize", .operands = "NAME",
	.summary = "Take over the new size of a disk",
	.details = RESIZE_DETAILS,
	.example = "vhostctl resize disk0",
	.opts = resize_opts,
	.min_pos = 1, .max_pos = 1, .json = true,
	.run = run_resize,
};

const struct cmd cmd_lun_list = {
	.name = "lun list", .operands = "NAME",
	.summary = "List the LUNs of a scsi target",
	.example = "vhostctl lun list san0 --json",
	.min_pos = 1, .max_pos = 1, .json = true,
	.type = VHOST_TARGET_SCSI,
	.run = run_unit_list,
};

const struct cmd cmd_lun_add = {
	.name = "lun add",
	.operands = "NAME [LUN] (--dev PATH | --file PATH | --null SIZE)",
	.summary = "Add a LUN, also while VMs are attached",
	.details = "Without LUN it is the first one that is free.",
	.example = "vhostctl lun add san0 1 --dev /dev/nvme0n1",
	.opts = lun_add_opts,
	.min_pos = 1, .max_pos = 2, .json = true,
	.type = VHOST_TARGET_SCSI,
	.run = run_unit_add,
};

const struct cmd cmd_lun_remove = {
	.name = "lun remove", .operands = "NAME LUN",
	.summary = "Remove a LUN, also while VMs are attached",
	.example = "vhostctl lun remove san0 1",
	.min_pos = 2, .max_pos = 2,
	.type = VHOST_TARGET_SCSI,
	.run = run_unit_remove,
};

const struct cmd cmd_lun_resize = {
	.name = "lun resize", .operands = "NAME LUN",
	.summary = "Take over the new size of a LUN's disk",
	.details = RESIZE_DETAILS,
	.example = "vhostctl lun resize san0 1",
	.opts = unit_resize_opts,
	.min_pos = 2, .max_pos = 2, .json = true,
	.type = VHOST_TARGET_SCSI,
	.run = run_unit_resize,
};

const struct cmd cmd_ns_list = {
	.name = "ns list", .operands = "NAME",
	.summary = "List the namespaces of an nvme target",
	.example = "vhostctl ns list ssd0 --json",
	.min_pos = 1, .max_pos = 1, .json = true,
	.type = VHOST_TARGET_NVME,
	.run = run_unit_list,
};

const struct cmd cmd_ns_add = {
	.name = "ns add",
	.operands = "NAME [NSID] (--dev PATH | --file PATH | --null SIZE)",
	.summary = "Add a namespace, also while VMs are attached",
	.details = "Without NSID it is the first one that is free. In --json, unit is NSID - 1.",
	.example = "vhostctl ns add ssd0 2 --dev /dev/nvme0n1",
	.opts = ns_add_opts,
	.min_pos = 1, .max_pos = 2, .json = true,
	.type = VHOST_TARGET_NVME,
	.run = run_unit_add,
};

const struct cmd cmd_ns_remove = {
	.name = "ns remove", .operands = "NAME NSID",
	.summary = "Remove a namespace, also while VMs are attached",
	.example = "vhostctl ns remove ssd0 2",
	.min_pos = 2, .max_pos = 2,
	.type = VHOST_TARGET_NVME,
	.run = run_unit_remove,
};

const struct cmd cmd_ns_resize = {
	.name = "ns resize", .operands = "NAME NSID",
	.summary = "Take over the new size of a namespace's disk",
	.details = RESIZE_DETAILS,
	.example = "vhostctl ns resize ssd0 2",
	.opts = unit_resize_opts,
	.min_pos = 2, .max_pos = 2, .json = true,
	.type = VHOST_TARGET_NVME,
	.run = run_unit_resize,
};
