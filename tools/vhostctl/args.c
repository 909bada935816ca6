// SPDX-License-Identifier: GPL-2.0
/* Options, operands and the values written in them. */
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vhostctl.h"

#define MAX_OPTS	32
#define MAX_SECONDS	86400

static const struct opt opt_device = {
	.name = "device", .arg = "PATH", .kind = OPT_STR,
	.help = "control node", .off = offsetof(struct args, device),
};

static const struct opt opt_json = {
	.name = "json", .kind = OPT_FLAG,
	.help = "print one JSON document", .off = offsetof(struct args, json),
};

static const struct opt opt_help = {
	.name = "help", .kind = OPT_FLAG,
	.help = "this text", .off = offsetof(struct args, help),
};

/* All options of a command, the common ones last; returns how many. */
static int all_opts(const struct cmd *cmd, const struct opt **list)
{
	int nr = 0;

	for (const struct opt *o = cmd->opts; o && o->name; o++)
		list[nr++] = o;
	if (cmd->json)
		list[nr++] = &opt_json;
	list[nr++] = &opt_device;
	list[nr++] = &opt_help;
	return nr;
}

void args_help(const struct cmd *cmd, FILE *f)
{
	const struct opt *list[MAX_OPTS];
	int nr = all_opts(cmd, list);

	fprintf(f, "usage: vhostctl %s%s%s [options]\n\n%s.\n", cmd->name,
		*cmd->operands ? " " : "", cmd->operands, cmd->summary);
	if (cmd->details)
		fprintf(f, "%s\n", cmd->details);
	fprintf(f, "\noptions:\n");
	for (int i = 0; i < nr; i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", list[i]->name,
			 list[i]->arg ? " " : "",
			 list[i]->arg ? list[i]->arg : "");
		fprintf(f, "  %-22s %s\n", left, list[i]->help);
	}
	fprintf(f, "\nexample:\n  %s\n", cmd->example);
}

bool parse_u64(const char *s, u64 *val)
{
	u64 v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' ||
		    __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (u64)(*s - '0'), &v))
			return false;
	}
	*val = v;
	return true;
}

bool parse_size(const char *s, u64 *val)
{
	static const char suffixes[] = "KMGT";
	char digits[24];
	size_t len = strspn(s, "0123456789");
	const char *suffix;
	int shift = 0;

	if (!len || len >= sizeof(digits))
		return false;
	memcpy(digits, s, len);
	digits[len] = '\0';
	if (s[len]) {
		suffix = strchr(suffixes, s[len] & ~0x20);
		if (s[len + 1] || !suffix || !*suffix)
			return false;
		shift = 10 * (int)(suffix - suffixes + 1);
	}
	return parse_u64(digits, val) &&
	       !__builtin_mul_overflow(*val, 1ULL << shift, val);
}

static bool parse_seconds(const char *s, u64 *ns)
{
	char *end;
	double d;

	if (strspn(s, "0123456789.") != strlen(s) || !*s)
		return false;
	d = strtod(s, &end);
	if (*end || !(d >= 0.001) || d > MAX_SECONDS)
		return false;
	*ns = (u64)(d * 1e9 + 0.5);
	return true;
}

static int bad_range(struct ctx *ctx, const struct opt *o, const char *val)
{
	if (o->max == ARG_UNSET - 1)
		return fail_usage(ctx, "--%s: '%s' is not %s of at least %llu",
				  o->name, val, o->kind == OPT_SIZE ?
				  "a size (digits, then K, M, G or T)" :
				  "a number", o->min);
	return fail_usage(ctx, "--%s: '%s' is not a number within %llu..%llu",
			  o->name, val, o->min, o->max);
}

static int set_opt(struct ctx *ctx, const struct opt *o, const char *val)
{
	char *field = (char *)&ctx->args + o->off;
	u64 num = 0;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)field = true;
		return EX_OK;
	case OPT_STR:
		*(const char **)field = val;
		return EX_OK;
	case OPT_NUM:
	case OPT_SIZE:
		if (!(o->kind == OPT_NUM ? parse_u64(val, &num) :
		      parse_size(val, &num)) || num < o->min || num > o->max)
			return bad_range(ctx, o, val);
		break;
	case OPT_SECONDS:
		if (!parse_seconds(val, &num))
			return fail_usage(ctx,
					  "--%s: '%s' is not a number of seconds within 0.001..%d",
					  o->name, val, MAX_SECONDS);
		break;
	}
	*(u64 *)field = num;
	return EX_OK;
}

static int add_operand(struct ctx *ctx, const char *val)
{
	struct args *a = &ctx->args;

	if (a->npos == ctx->cmd->max_pos)
		return fail_usage(ctx, "one word too many: '%s'", val);
	a->pos[a->npos++] = val;
	return EX_OK;
}

static void args_init(struct args *a)
{
	memset(a, 0, sizeof(*a));
	a->null_size = ARG_UNSET;
	a->queue = ARG_UNSET;
	a->cpu = ARG_UNSET;
	a->idle_us = ARG_UNSET;
}

/* What messages call this invocation: the command and its operands. */
static void set_what(struct ctx *ctx)
{
	size_t len = strlen(ctx->what);

	for (int i = 0; i < ctx->args.npos && len < sizeof(ctx->what) - 1; i++)
		len += snprintf(ctx->what + len, sizeof(ctx->what) - len,
				" %s", ctx->args.pos[i]);
}

static int one_option(struct ctx *ctx, int c, const struct opt **list,
		      char **argv)
{
	if (c == 1)
		return add_operand(ctx, optarg);
	if (c == ':')
		return fail_usage(ctx, "%s needs an argument",
				  argv[optind - 1]);
	if (c == 'h')
		return set_opt(ctx, &opt_help, NULL);
	if (c == '?') {
		char shorty[3] = { '-', (char)optopt, '\0' };

		/* optopt is a short option's letter, or a long one's val */
		return fail_usage(ctx, "unknown or misused option '%s'",
				  optopt && optopt < 0x80 ? shorty :
				  argv[optind - 1]);
	}
	return set_opt(ctx, list[c - 0x100], optarg);
}

/* argv holds the words after the command's name. */
int args_parse(struct ctx *ctx, int argc, char **argv)
{
	const struct opt *list[MAX_OPTS];
	struct option longs[MAX_OPTS + 1] = { 0 };
	int nr = all_opts(ctx->cmd, list);
	int c, ret = EX_OK;

	args_init(&ctx->args);
	snprintf(ctx->what, sizeof(ctx->what), "%s", ctx->cmd->name);
	for (int i = 0; i < nr; i++) {
		longs[i].name = list[i]->name;
		longs[i].has_arg = list[i]->kind != OPT_FLAG;
		longs[i].val = 0x100 + i;
	}

	/* getopt skips a program name: the word before is the command's. */
	argc++;
	argv--;
	/* 0: it starts anew, also with the next command of a batch */
	optind = 0;
	while (!ret && (c = getopt_long(argc, argv, "-:h", longs, NULL)) != -1)
		ret = one_option(ctx, c, list, argv);
	while (!ret && optind < argc)
		ret = add_operand(ctx, argv[optind++]);
	if (ret || ctx->args.help)
		return ret;
	if (ctx->args.npos < ctx->cmd->min_pos)
		return fail_usage(ctx, "missing: %s",
				  ctx->cmd->operands);
	set_what(ctx);
	return EX_OK;
}

static bool name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || (c && strchr("._:-", c));
}

/* The kernel's rule for names, told in words; name has VHOST_TARGET_NAME_LEN. */
int parse_name(struct ctx *ctx, const char *s, char *name)
{
	size_t len = strlen(s);

	if (!len || len >= VHOST_TARGET_NAME_LEN)
		return fail_usage(ctx, "a name has 1 to %d characters",
				  VHOST_TARGET_NAME_LEN - 1);
	for (size_t i = 0; i < len; i++) {
		if (!name_char(s[i]) || (!i && (s[0] == '-' || s[0] == '.')))
			return fail_usage(ctx,
					  "a name has only letters, digits and ._:- and does not start with - or .");
	}
	memcpy(name, s, len + 1);
	return EX_OK;
}

static bool has_id(const __u32 *ids, u32 nr, u64 id)
{
	for (u32 i = 0; i < nr; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

/* "0,2,4"; ids has room for VHOST_TARGET_MAX_POLLERS. */
int parse_pollers(struct ctx *ctx, const char *s, __u32 *ids, u32 *nr)
{
	char num[16];
	u64 id;

	*nr = 0;
	for (;;) {
		size_t len = strcspn(s, ",");

		snprintf(num, sizeof(num), "%.*s", (int)len, s);
		if (len >= sizeof(num) || !parse_u64(num, &id) ||
		    id > 0xffffffffu)
			return fail_usage(ctx,
					  "--pollers: '%.*s' is not a poller's number; give a list like 0,1",
					  (int)len, s);
		if (has_id(ids, *nr, id))
			return fail_usage(ctx, "--pollers: %llu is there twice",
					  id);
		if (*nr == VHOST_TARGET_MAX_POLLERS)
			return fail_usage(ctx, "--pollers: more than %d",
					  VHOST_TARGET_MAX_POLLERS);
		ids[(*nr)++] = (u32)id;
		if (!s[len])
			return EX_OK;
		s += len + 1;
	}
}

/* A number is taken as it is; all ones means "none" to the kernel. */
static bool parse_id(const char *s, __u32 *id)
{
	u64 num;

	if (!parse_u64(s, &num) || num >= 0xffffffffu)
		return false;
	*id = (u32)num;
	return true;
}

/* U[:G], names or numbers. */
int parse_owner(struct ctx *ctx, const char *s, __u32 *uid, __u32 *gid)
{
	const char *colon = strchr(s, ':');
	char user[256];
	const struct passwd *pw;
	const struct group *gr;

	snprintf(user, sizeof(user), "%.*s",
		 colon ? (int)(colon - s) : (int)strlen(s), s);
	if (!parse_id(user, uid)) {
		pw = getpwnam(user);
		if (!pw)
			return fail_usage(ctx, "--owner: no user '%s'", user);
		*uid = pw->pw_uid;
	}
	if (!colon)
		return EX_OK;
	if (!parse_id(colon + 1, gid)) {
		gr = getgrnam(colon + 1);
		if (!gr)
			return fail_usage(ctx, "--owner: no group '%s'",
					  colon + 1);
		*gid = gr->gr_gid;
	}
	return EX_OK;
}

/* Makes a path absolute but follows no links: by-id names stay. */
int parse_path(struct ctx *ctx, const char *s, char *path)
{
	char cwd[VHOST_TARGET_PATH_LEN] = "";
	int len;

	while (s[0] == '.' && s[1] == '/')
		s += 2 + strspn(s + 2, "/");
	if (s[0] != '/' && (!getcwd(cwd, sizeof(cwd)) || cwd[0] != '/'))
		return fail(ctx, EX_USAGE,
			    "the current directory has no path; give an absolute one");
	len = snprintf(path, VHOST_TARGET_PATH_LEN, "%s%s%s", cwd,
		       s[0] == '/' || !cwd[1] ? "" : "/", s);
	if (len >= VHOST_TARGET_PATH_LEN)
		return fail(ctx, EX_USAGE, "the path has more than %d bytes",
			    VHOST_TARGET_PATH_LEN - 1);
	return EX_OK;
}

/* 16 hexadecimal digits. */
static bool parse_hex64(const char *s, __u64 *val)
{
	if (strlen(s) != 16 || strspn(s, "0123456789abcdefABCDEF") != 16)
		return false;
	*val = strtoull(s, NULL, 16);
	return true;
}

/* wwpn has VHOST_TARGET_WWPN_LEN bytes. */
int parse_wwpn(struct ctx *ctx, const char *s, char *wwpn)
{
	__u64 val;

	if (strncmp(s, "naa.", 4) || !parse_hex64(s + 4, &val))
		return fail_usage(ctx,
				  "--wwpn: '%s' is not naa. and 16 hexadecimal digits",
				  s);
	strcpy(wwpn, s);
	return EX_OK;
}

/* With or without "naa."; of a type that is 8 bytes long. */
int parse_naa(struct ctx *ctx, const char *s, __u64 *naa)
{
	const char *digits = strncmp(s, "naa.", 4) ? s : s + 4;
	unsigned int type;

	if (!parse_hex64(digits, naa))
		return fail_usage(ctx, "--naa: '%s' is not 16 hexadecimal digits",
				  s);
	type = *naa >> 60;
	if (type != 2 && type != 3 && type != 5)
		return fail_usage(ctx,
				  "--naa: '%s' does not start with 2, 3 or 5", s);
	return EX_OK;
}

/* Printable ASCII into a zeroed field that may have at most len of them. */
int parse_text(struct ctx *ctx, const char *opt, const char *s, char *to,
	       size_t len)
{
	for (const char *c = s; c && *c; c++) {
		if (*c < 0x20 || *c > 0x7e)
			return fail_usage(ctx,
					  "--%s: only printable ASCII characters",
					  opt);
	}
	if (s && strlen(s) > len)
		return fail_usage(ctx, "--%s: more than %zu characters", opt,
				  len);
	if (s)
		memcpy(to, s, strlen(s));
	return EX_OK;
}
