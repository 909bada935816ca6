/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhostctl: command line of /dev/vhost-target.
 *
 * DOC: how a command runs
 *
 * main.c finds the command's row, args.c fills struct args from its option
 * table, the command's run() checks what a table cannot say, opens the
 * control node and makes its calls. What it prints goes to ctx->out, which
 * reaches stdout only once the command (or one sample of it) has succeeded.
 *
 * Every function that returns "an exit code" has printed its one line on
 * stderr when that code is not EX_OK: callers just pass it on.
 */
#ifndef VHOSTCTL_H
#define VHOSTCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/vhost_target.h>

#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

typedef unsigned int u32;
typedef unsigned long long u64;

enum exit_code {
	EX_OK		= 0,
	EX_KERNEL	= 1,	/* the kernel refused */
	EX_USAGE	= 2,	/* the command line makes no sense */
	EX_NODE		= 3,	/* no control node, or no permission */
};

/* Number options that were not given hold this. */
#define ARG_UNSET	(~0ULL)
#define ARG_MAX_POS	2
/* "naa.", 16 digits, NUL */
#define NAA_LEN		21

/* struct args - everything that options and operands can say */
struct args {
	const char *pos[ARG_MAX_POS];
	int npos;

	const char *device;
	bool json;
	bool help;

	/* create */
	const char *dev;
	const char *file;
	const char *serial;
	const char *pollers;
	const char *owner;
	const char *wwpn;
	const char *vendor;
	const char *product;
	const char *revision;
	const char *naa;
	u64 null_size;
	u64 queues;
	u64 queue_size;
	u64 block_size;
	bool ro;
	bool shared;
	bool vdpa;
	bool use_va;
	bool vfio;
	bool no_dbbuf;
	bool writethrough;
	bool no_discard;
	bool shared_backend;
	bool polled;

	/* resize, lun resize */
	u64 unit;
	u64 size;

	/* stat, top */
	u64 queue;
	u64 interval_ns;
	u64 count;
	bool per_queue;
	bool hist;

	/* poller */
	u64 cpu;
	u64 idle_us;

	/* batch */
	bool force;
};

enum opt_kind {
	OPT_FLAG,	/* bool, no argument */
	OPT_STR,	/* const char * */
	OPT_NUM,	/* u64 within min..max */
	OPT_SIZE,	/* u64, bytes with K/M/G/T suffix, within min..max */
	OPT_SECONDS,	/* u64 nanoseconds, given in seconds */
};

/* struct opt - one option: how it is parsed and how help describes it */
struct opt {
	const char *name;
	const char *arg;	/* its argument in help texts */
	const char *help;
	enum opt_kind kind;
	size_t off;		/* of the field in struct args */
	u64 min;
	u64 max;
};

struct ctx;
struct json;

/* struct cmd - one command; name may be two words ("poller add") */
struct cmd {
	const char *name;
	const char *operands;
	const char *summary;
	const char *details;
	const char *example;
	const struct opt *opts;	/* ends with an empty name */
	int min_pos;
	int max_pos;
	bool json;
	u32 type;		/* of the targets it is for, 0: any */
	int (*run)(struct ctx *ctx);
};

/* struct ctx - one invocation */
struct ctx {
	const struct cmd *cmd;
	struct args args;
	const char *device;
	int fd;
	const char *where;	/* "FILE:LINE: " of a batch, for messages */
	char what[256];		/* "create blk disk0", for messages */
	FILE *out;
	char *out_buf;
	size_t out_len;
};

extern const struct cmd cmd_create, cmd_delete, cmd_list, cmd_show;
extern const struct cmd cmd_resize, cmd_stat, cmd_top;
extern const struct cmd cmd_lun_list, cmd_lun_add;
extern const struct cmd cmd_lun_remove, cmd_lun_resize;
extern const struct cmd cmd_ns_list, cmd_ns_add;
extern const struct cmd cmd_ns_remove, cmd_ns_resize;
extern const struct cmd cmd_poller_list, cmd_poller_add;
extern const struct cmd cmd_poller_remove, cmd_poller_set;
extern const struct cmd cmd_batch;

/* main.c */

/* struct type - one type of target and what user space needs to know of it */
struct type {
	u32 id;
	const char *name;
	const char *module;	/* NULL: not available yet */
	const char *door;	/* node of its ioctl door */
	const char *unit;	/* what its units are called */
	u32 first_unit;		/* what users call unit 0 */
	u32 max_unit;		/* largest number of a unit */
	bool hot_units;		/* they come and go; there may be none */
	bool scsi;		/* has a wwpn, and SCSI identifications */
};

const struct type *type_by_name(const char *name);
const struct type *type_by_id(u32 id);
const char *type_name(u32 id);
const char *backend_name(u32 id);
int fail_type(struct ctx *ctx, const char *name);
int find_command(struct ctx *ctx, int argc, char **argv, int *words);
int run_command(struct ctx *ctx, int words, int argc, char **argv);

/* args.c */
int args_parse(struct ctx *ctx, int argc, char **argv);
void args_help(const struct cmd *cmd, FILE *f);
bool parse_u64(const char *s, u64 *val);
bool parse_size(const char *s, u64 *val);
int parse_name(struct ctx *ctx, const char *s, char *name);
int parse_pollers(struct ctx *ctx, const char *s, __u32 *ids, u32 *nr);
int parse_owner(struct ctx *ctx, const char *s, __u32 *uid, __u32 *gid);
int parse_path(struct ctx *ctx, const char *s, char *path);
int parse_wwpn(struct ctx *ctx, const char *s, char *wwpn);
int parse_naa(struct ctx *ctx, const char *s, __u64 *naa);
int parse_text(struct ctx *ctx, const char *opt, const char *s, char *to,
	       size_t len);

/* disk.c */

/* struct disk - a unit to be added, all values checked */
struct disk {
	struct vhost_target_unit_add add;
	char path[VHOST_TARGET_PATH_LEN];
};

bool disk_wanted(const struct args *a);
int disk_plan(struct ctx *ctx, struct disk *d, const struct type *type,
	      const char *name, u32 unit);
const char *disk_path(const struct disk *d);

/* Rows of the option tables of commands that add a disk. */
#define DISK_OPTS							\
	{ "dev", "PATH", "back it by a block device",			\
	  OPT_STR, offsetof(struct args, dev), 0, 0 },			\
	{ "file", "PATH", "back it by a regular file (direct I/O)",	\
	  OPT_STR, offsetof(struct args, file), 0, 0 },			\
	{ "null", "SIZE", "back it by nothing, for benchmarks; K, M, G, T", \
	  OPT_SIZE, offsetof(struct args, null_size), 1, ARG_UNSET - 1 }, \
	{ "ro", NULL, "read-only for the VM",				\
	  OPT_FLAG, offsetof(struct args, ro), 0, 0 },			\
	{ "serial", "S", "serial number (default: made from NAME)",	\
	  OPT_STR, offsetof(struct args, serial), 0, 0 },		\
	{ "block-size", "N",						\
	  "512 or 4096 (default: the device's own, or 512)",		\
	  OPT_NUM, offsetof(struct args, block_size), 512, 4096 },	\
	{ "writethrough", NULL, "show no write cache to the VM",	\
	  OPT_FLAG, offsetof(struct args, writethrough), 0, 0 },	\
	{ "no-discard", NULL, "do not offer discard to the VM",		\
	  OPT_FLAG, offsetof(struct args, no_discard), 0, 0 },		\
	{ "shared-backend", NULL,					\
	  "other units may use the same device or file",		\
	  OPT_FLAG, offsetof(struct args, shared_backend), 0, 0 },	\
	{ "polled", NULL, "poll the device, in place of its interrupts", \
	  OPT_FLAG, offsetof(struct args, polled), 0, 0 }

/* And of those for SCSI. */
#define DISK_SCSI_OPTS							\
	{ "vendor", "S", "scsi: vendor, up to 8 characters",		\
	  OPT_STR, offsetof(struct args, vendor), 0, 0 },		\
	{ "product", "S", "scsi: product, up to 16 characters",		\
	  OPT_STR, offsetof(struct args, product), 0, 0 },		\
	{ "revision", "S", "scsi: revision, up to 4 characters",	\
	  OPT_STR, offsetof(struct args, revision), 0, 0 },		\
	{ "naa", "ID", "scsi: NAA id, 16 hex digits (default: from the serial)", \
	  OPT_STR, offsetof(struct args, naa), 0, 0 }

/* ctl.c */
int ctl_open(struct ctx *ctx);
int ctl(struct ctx *ctx, unsigned long req, void *arg);
int ctl_fail(struct ctx *ctx, unsigned long req, int err, const char *subject);
int ctl_target(struct ctx *ctx, const char *name,
	       struct vhost_target_info *info);
int ctl_next_target(struct ctx *ctx, struct vhost_target_info *info);
int ctl_next_unit(struct ctx *ctx, const char *name, u32 unit,
		  struct vhost_target_unit_info *info, char *path);
int ctl_stats(struct ctx *ctx, const char *name, u32 queue,
	      struct vhost_target_stats *stats);

/* cmd_target.c */
void unit_json(struct json *j, const struct vhost_target_unit_info *u,
	       const char *path);
void put_unit_flags(FILE *f, const struct vhost_target_unit_info *u);

/* out.c */
int fail(struct ctx *ctx, enum exit_code code, const char *fmt, ...)
	__printf(3, 4);
int fail_usage(struct ctx *ctx, const char *fmt, ...)
	__printf(2, 3);
int out_begin(struct ctx *ctx);
int out_end(struct ctx *ctx, int ret);
int out_flush(struct ctx *ctx);
void *xrealloc(void *p, size_t nr, size_t size);

#define TABLE_COLS	12

/*
 * struct table - lines of cells; a head that starts with '>' makes its column
 * flush right. width is the least width, 0 for as narrow as it gets.
 */
struct table {
	const char *head[TABLE_COLS];
	int width;
	bool no_head;
	size_t nr;
	char **cells;
};

void table_cell(struct table *t, const char *fmt, ...)
	__printf(2, 3);
void table_print(struct table *t, FILE *f);

/* json.c */
#define JSON_DEPTH	8

struct json {
	FILE *f;
	int depth;
	bool used[JSON_DEPTH];
	char end[JSON_DEPTH];
};

void json_init(struct json *j, FILE *f);
void json_obj(struct json *j, const char *key);
void json_arr(struct json *j, const char *key);
void json_end(struct json *j);
void json_num(struct json *j, const char *key, u64 val);
void json_str(struct json *j, const char *key, const char *val);
void json_field(struct json *j, const char *key, const char *val, size_t len);

/* text.c */
#define TEXT_LEN	32

size_t utf8_char(const char *s);
void put_printable(FILE *f, const char *s);
const char *printable(const char *s, char *buf, size_t len);
const char *text_size(u64 bytes, char buf[TEXT_LEN]);
const char *text_ns(u64 ns, char buf[TEXT_LEN]);
const char *text_user(u32 uid, char buf[TEXT_LEN]);
const char *text_group(u32 gid, char buf[TEXT_LEN]);
const char *text_naa(u64 naa, char buf[NAA_LEN]);

/* vdpa.c */

/* struct vdpa_node - where a target's vDPA device ended up */
struct vdpa_node {
	char node[64];		/* /dev/vhost-vdpa-N, empty: none */
	char driver[64];	/* driver it is bound to, empty: none */
};

void vdpa_find(const char *vdpa_name, struct vdpa_node *vdpa);
/* Say so if vhost_vdpa was loaded with a limit that guests may exceed. */
void vdpa_advise(FILE *f);
void vdpa_next_step(const char *vdpa_name, const struct vdpa_node *vdpa,
		    FILE *f);

/* vfio.c */
void vfio_path(const char *name, char *path, size_t len);
void vfio_next_step(const char *name, FILE *f);

/* hist.c */
u64 hist_total(const __u64 *hist);
u64 hist_percentile(const __u64 *hist, u32 permille);
void hist_print(const struct vhost_target_stats *s, FILE *f);
void hist_json(const struct vhost_target_stats *s, struct json *j);

/* stats.c */
extern const char * const class_names[VHOST_TARGET_OP_CLASSES];

void stats_diff(struct vhost_target_stats *now,
		const struct vhost_target_stats *before);
void stats_all_classes(const struct vhost_target_stats *s, __u64 *hist);
u64 stats_sum(const __u64 *per_class);
u64 stats_rate(u64 diff, u64 ns);
void stats_print(const struct vhost_target_stats *s, FILE *f);
void stats_json(const struct vhost_target_stats *s, bool hist, u64 ns,
		struct json *j);
u64 now_ns(void);
void sleep_ns(u64 ns);

#endif /* VHOSTCTL_H */
