// SPDX-License-Identifier: GPL-2.0
/* Command table, type table and help. */
#include <stdlib.h>
#include <string.h>

#include "vhostctl.h"

static const struct cmd * const cmds[] = {
	&cmd_create, &cmd_delete, &cmd_list, &cmd_show, &cmd_resize,
	&cmd_lun_list, &cmd_lun_add, &cmd_lun_remove, &cmd_lun_resize,
	&cmd_ns_list, &cmd_ns_add, &cmd_ns_remove, &cmd_ns_resize,
	&cmd_stat, &cmd_top,
	&cmd_poller_list, &cmd_poller_add, &cmd_poller_remove, &cmd_poller_set,
	&cmd_batch,
};

/* A type becomes known to create and list once its row names a module. */
static const struct type types[] = {
	{ VHOST_TARGET_BLK, "blk", "vhost_blk", "/dev/vhost-blk",
	  .unit = "unit" },
	{ VHOST_TARGET_SCSI, "scsi", "vhost_scsi", "/dev/vhost-scsi",
	  .unit = "LUN", .max_unit = 16383, .hot_units = true, .scsi = true },
	{ VHOST_TARGET_NVME, "nvme", "vhost_nvme", "/dev/vhost-nvme",
	  .unit = "namespace", .first_unit = 1, .max_unit = 1023,
	  .hot_units = true },
};

const struct type *type_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].module && !strcmp(types[i].name, name))
			return &types[i];
	}
	return NULL;
}

const struct type *type_by_id(u32 id)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].id == id)
			return &types[i];
	}
	return NULL;
}

const char *type_name(u32 id)
{
	const struct type *type = type_by_id(id);

	return type ? type->name : "unknown";
}

const char *backend_name(u32 id)
{
	static const char * const names[] = {
		[VHOST_TARGET_BACKEND_BDEV] = "bdev",
		[VHOST_TARGET_BACKEND_FILE] = "file",
		[VHOST_TARGET_BACKEND_NULL] = "null",
	};

	return id < ARRAY_SIZE(names) && names[id] ? names[id] : "unknown";
}

int fail_type(struct ctx *ctx, const char *name)
{
	char known[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!types[i].module)
			continue;
		if (known[0])
			strcat(known, ", ");
		strcat(known, types[i].name);
	}
	return fail_usage(ctx, "unknown type '%s', known types: %s", name,
			  known);
}

static int help_all(FILE *f)
{
	fprintf(f, "usage: vhostctl [--device PATH] COMMAND [ARGUMENTS]\n\n"
		"Makes and looks at in-kernel storage targets for virtual machines.\n\n"
		"commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
		fprintf(f, "  %-15s %s\n", cmds[i]->name, cmds[i]->summary);
	fprintf(f, "\noptions:\n"
		"  --device PATH   control node (default: $VHOST_TARGET_DEVICE,\n"
		"                  or /dev/vhost-target)\n"
		"  --help          this text; vhostctl COMMAND --help: of one command\n"
		"  --version       print the version\n\n"
		"exit codes: 0 done, 1 the kernel refused, 2 usage error,\n"
		"            3 no control node or no permission\n");
	return EX_OK;
}

static int help_group(const char *word, FILE *f)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		if (!strncmp(cmds[i]->name, word, len) &&
		    cmds[i]->name[len] == ' ')
			fprintf(f, "  vhostctl %s%s%s\n      %s\n",
				cmds[i]->name, *cmds[i]->operands ? " " : "",
				cmds[i]->operands, cmds[i]->summary);
	}
	return EX_OK;
}

static bool is_help(const char *s)
{
	return !strcmp(s, "--help") || !strcmp(s, "-h");
}

/* Returns the words that name the command, 0 if there is none. */
static int match(const struct cmd *cmd, int argc, char **argv)
{
	size_t len = strcspn(cmd->name, " ");

	if (strlen(argv[0]) != len || strncmp(cmd->name, argv[0], len))
		return 0;
	if (!cmd->name[len])
		return 1;
	return argc > 1 && !strcmp(cmd->name + len + 1, argv[1]) ? 2 : 0;
}

static bool is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		if (!strncmp(cmds[i]->name, word, len) &&
		    cmds[i]->name[len] == ' ')
			return true;
	}
	return false;
}

/* Global options; returns how many words they take, -1 when all is done. */
static int global_options(struct ctx *ctx, int argc, char **argv, int *ret)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-') {
		if (is_help(argv[i])) {
			*ret = help_all(ctx->out);
			return -1;
		}
		if (!strcmp(argv[i], "--version")) {
			fprintf(ctx->out, "vhostctl %s\n", VHOSTCTL_VERSION);
			*ret = EX_OK;
			return -1;
		}
		if (!strncmp(argv[i], "--device=", 9)) {
			ctx->device = argv[i++] + 9;
			continue;
		}
		if (strcmp(argv[i], "--device")) {
			*ret = fail_usage(ctx, "unknown option '%s'", argv[i]);
			return -1;
		}
		if (i + 1 == argc) {
			*ret = fail_usage(ctx, "--device needs an argument");
			return -1;
		}
		ctx->device = argv[i + 1];
		i += 2;
	}
	return i;
}

/* Sets ctx->cmd, and how many words its name has. */
int find_command(struct ctx *ctx, int argc, char **argv, int *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		*words = match(cmds[i], argc, argv);
		if (*words) {
			ctx->cmd = cmds[i];
			return EX_OK;
		}
	}
	if (!is_group(argv[0]))
		return fail_usage(ctx, "unknown command '%s'", argv[0]);
	if (argc > 1)
		return fail_usage(ctx, "unknown command '%s %s'", argv[0],
				  argv[1]);
	return fail_usage(ctx, "'%s' alone is no command", argv[0]);
}

int run_command(struct ctx *ctx, int words, int argc, char **argv)
{
	int ret = args_parse(ctx, argc - words, argv + words);

	if (ret)
		return ret;
	if (ctx->args.help) {
		args_help(ctx->cmd, ctx->out);
		return EX_OK;
	}
	if (ctx->args.device)
		ctx->device = ctx->args.device;
	return ctx->cmd->run(ctx);
}

static int dispatch(struct ctx *ctx, int argc, char **argv)
{
	int words, ret = EX_OK;
	int skip = global_options(ctx, argc, argv, &ret);

	if (skip < 0)
		return ret;
	argc -= skip;
	argv += skip;
	if (!argc)
		return fail_usage(ctx, "no command");
	if (argc > 1 && is_group(argv[0]) && is_help(argv[1]))
		return help_group(argv[0], ctx->out);
	ret = find_command(ctx, argc, argv, &words);
	return ret ? ret : run_command(ctx, words, argc, argv);
}

int main(int argc, char **argv)
{
	struct ctx ctx = { .fd = -1 };
	const char *env = getenv("VHOST_TARGET_DEVICE");
	int ret;

	ctx.device = env && *env ? env : "/dev/vhost-target";
	ret = out_begin(&ctx);
	if (ret)
		return ret;
	ret = dispatch(&ctx, argc ? argc - 1 : 0, argv + !!argc);
	return out_end(&ctx, ret);
}
