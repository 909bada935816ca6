// SPDX-License-Identifier: GPL-2.0
/*
 * The control ioctls, and what each of their errors means to the one who
 * typed the command.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vhostctl.h"

#define MODPROBE	"load the modules: modprobe vhost_blk"

struct err_text {
	int err;
	enum exit_code code;
	const char *text;	/* reason; hint */
};

struct call {
	unsigned long req;
	const char *name;
	const struct err_text *errs;	/* ends with err 0 */
};

static const struct err_text create_errs[] = {
	{ EEXIST, EX_KERNEL,
	  "the name or wwpn is taken; choose another or see vhostctl list" },
	{ ENODEV, EX_KERNEL,
	  "the module of this type is not loaded; modprobe it" },
	{ ENOENT, EX_KERNEL, "no such poller; see vhostctl poller list" },
	{ ERANGE, EX_KERNEL, "too many queues, entries or pollers; use less" },
	{ EOPNOTSUPP, EX_KERNEL,
	  "the module of this door is not loaded; load it or leave out --vdpa and --vfio" },
	{ ENOSPC, EX_KERNEL, "there are too many targets; delete some" },
	{ 0 }
};

static const struct err_text target_errs[] = {
	{ ENOENT, EX_KERNEL, "no such target; see vhostctl list" },
	{ EBUSY, EX_KERNEL, "a VM is attached; shut it down first" },
	{ 0 }
};

static const struct err_text unit_add_errs[] = {
	{ ENOENT, EX_KERNEL, "nothing is there; check the path" },
	{ EEXIST, EX_KERNEL,
	  "the target has this unit already; see vhostctl show" },
	{ EBUSY, EX_KERNEL,
	  "someone else uses it; unmount it or stop its user" },
	{ ENOTBLK, EX_KERNEL,
	  "is no block device; use --file for a regular file" },
	{ EROFS, EX_KERNEL, "is read-only; add --ro" },
	{ ERANGE, EX_KERNEL,
	  "the size or --block-size does not fit; use the device's own, or a multiple" },
	{ ENAMETOOLONG, EX_KERNEL, "the path is too long; use a shorter one" },
	{ EOPNOTSUPP, EX_KERNEL,
	  "cannot do what was asked: a file needs direct asynchronous I/O (ext4, xfs), --polled a device with queues for polling" },
	{ EACCES, EX_KERNEL, "may not be opened; check its permissions" },
	{ EPERM, EX_KERNEL,
	  "may not be opened; check its permissions and attributes" },
	{ 0 }
};

static const struct err_text unit_errs[] = {
	{ ENOENT, EX_KERNEL, "no such target or unit; see vhostctl show" },
	{ EBUSY, EX_KERNEL, "a VM is attached; shut it down first" },
	{ ERANGE, EX_KERNEL,
	  "the size must be a multiple of the block size; give another" },
	{ EOPNOTSUPP, EX_KERNEL,
	  "only a null backend takes --size; resize the backend, then leave it out" },
	{ ENXIO, EX_KERNEL,
	  "the backend is gone; delete the target and create it again" },
	{ ENOSPC, EX_KERNEL,
	  "the path of the backend is too long to be shown; shorten it" },
	{ 0 }
};

static const struct err_text stats_errs[] = {
	{ ENOENT, EX_KERNEL, "no such target; see vhostctl list" },
	{ ERANGE, EX_KERNEL,
	  "no such queue; vhostctl show says how many there are" },
	{ 0 }
};

static const struct err_text poller_errs[] = {
	{ ENXIO, EX_KERNEL, "no such CPU is online; choose another" },
	{ EEXIST, EX_KERNEL,
	  "this CPU has a poller; see vhostctl poller list" },
	{ ENOSPC, EX_KERNEL, "there are too many pollers; remove some" },
	{ ERANGE, EX_KERNEL, "the idle time is too long; give less" },
	{ ENOENT, EX_KERNEL, "no such poller; see vhostctl poller list" },
	{ EBUSY, EX_KERNEL,
	  "a target names it or it is the last one; delete that target or add a poller first" },
	{ 0 }
};

static const struct err_text common_errs[] = {
	{ EINVAL, EX_KERNEL,
	  "the loaded modules do not know a value; use modules and vhostctl of one version" },
	{ E2BIG, EX_KERNEL,
	  "the loaded modules are too old for this; load newer ones" },
	{ ENOTTY, EX_NODE,
	  "the node does not know this call; check --device and the modules' version" },
	{ ENOMEM, EX_KERNEL,
	  "the kernel is out of memory; free some and try again" },
	{ EPERM, EX_NODE, "no permission; run it as root" },
	{ EACCES, EX_NODE, "no permission; run it as root" },
	{ EINTR, EX_KERNEL, "interrupted; try again" },
	{ EPROTO, EX_KERNEL,
	  "the kernel's list does not advance; use modules and vhostctl of one version" },
	{ 0 }
};

#define CALL(call, errs) { VHOST_TARGET_##call, #call, errs }

static const struct call calls[] = {
	CALL(CREATE, create_errs),
	CALL(DESTROY, target_errs),
	CALL(GET, target_errs),
	CALL(UNIT_ADD, unit_add_errs),
	CALL(UNIT_REMOVE, unit_errs),
	CALL(UNIT_RESIZE, unit_errs),
	CALL(UNIT_GET, unit_errs),
	CALL(STATS, stats_errs),
	CALL(POLLER_ADD, poller_errs),
	CALL(POLLER_REMOVE, poller_errs),
	CALL(POLLER_SET, poller_errs),
	CALL(POLLER_GET, poller_errs),
};

static const char *call_name(unsigned long req)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].req == req)
			return calls[i].name;
	}
	return "?";
}

static const struct err_text *find(const struct err_text *errs, int err)
{
	for (; errs->err; errs++) {
		if (errs->err == err)
			return errs;
	}
	return NULL;
}

static const struct err_text *err_text(unsigned long req, int err)
{
	const struct err_text *t = NULL;

	for (size_t i = 0; !t && i < ARRAY_SIZE(calls); i++) {
		if (calls[i].req == req)
			t = find(calls[i].errs, err);
	}
	return t ? t : find(common_errs, err);
}

int ctl_open(struct ctx *ctx)
{
	struct stat st;

	ctx->fd = open(ctx->device, O_RDWR | O_CLOEXEC);
	if (ctx->fd < 0 &&
	    (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return fail(ctx, EX_NODE, "%s is not there; " MODPROBE,
			    ctx->device);
	if (ctx->fd < 0 && (errno == EACCES || errno == EPERM))
		return fail(ctx, EX_NODE,
			    "no permission for %s; run it as root",
			    ctx->device);
	if (ctx->fd < 0)
		return fail(ctx, EX_NODE, "cannot open %s: %s; check --device",
			    ctx->device, strerror(errno));
	if (fstat(ctx->fd, &st) || !S_ISCHR(st.st_mode))
		return fail(ctx, EX_NODE,
			    "%s is not the control node; check --device, or "
			    MODPROBE, ctx->device);
	return EX_OK;
}

/* Returns 0 or -errno and prints nothing. */
int ctl(struct ctx *ctx, unsigned long req, void *arg)
{
	return ioctl(ctx->fd, req, arg) < 0 ? -errno : 0;
}

/* err is -errno; subject is what the text speaks of, NULL if nothing else. */
int ctl_fail(struct ctx *ctx, unsigned long req, int err, const char *subject)
{
	const struct err_text *t = err_text(req, -err);
	const char *sep = subject ? ": " : "";

	if (!subject)
		subject = "";
	if (t)
		return fail(ctx, t->code, "%s%s%s", subject, sep, t->text);
	return fail(ctx, EX_KERNEL,
		    "%s%sVHOST_TARGET_%s failed: %s; the kernel log may say more",
		    subject, sep, call_name(req), strerror(-err));
}

/* One target; returns an exit code. */
int ctl_target(struct ctx *ctx, const char *name,
	       struct vhost_target_info *info)
{
	int ret;

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	ret = parse_name(ctx, name, info->name);
	if (ret)
		return ret;
	ret = ctl(ctx, VHOST_TARGET_GET, info);
	info->vdpa_name[sizeof(info->vdpa_name) - 1] = '\0';
	info->wwpn[sizeof(info->wwpn) - 1] = '\0';
	return ret ? ctl_fail(ctx, VHOST_TARGET_GET, ret, NULL) : EX_OK;
}

/*
 * Steps from the target named in info (empty: before the first) to the next.
 * Returns 0, -ENOENT at the end, or another -errno.
 */
int ctl_next_target(struct ctx *ctx, struct vhost_target_info *info)
{
	char name[VHOST_TARGET_NAME_LEN];
	int ret;

	memcpy(name, info->name, sizeof(name));
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->flags = VHOST_TARGET_GET_NEXT;
	memcpy(info->name, name, sizeof(name));
	ret = ctl(ctx, VHOST_TARGET_GET, info);
	if (ret)
		return ret;
	info->name[sizeof(info->name) - 1] = '\0';
	info->vdpa_name[sizeof(info->vdpa_name) - 1] = '\0';
	info->wwpn[sizeof(info->wwpn) - 1] = '\0';
	return strcmp(info->name, name) > 0 ? 0 : -EPROTO;
}

/*
 * The first unit numbered at least unit; path has VHOST_TARGET_PATH_LEN
 * bytes. Returns 0, -ENOENT if there is none, or another -errno.
 */
int ctl_next_unit(struct ctx *ctx, const char *name, u32 unit,
		  struct vhost_target_unit_info *info, char *path)
{
	int ret;

	memset(info, 0, sizeof(*info));
	memset(path, 0, VHOST_TARGET_PATH_LEN);
	info->size = sizeof(*info);
	info->flags = VHOST_TARGET_GET_NEXT;
	info->unit = unit;
	info->path_ptr = (uintptr_t)path;
	info->path_len = VHOST_TARGET_PATH_LEN;
	memcpy(info->name, name, sizeof(info->name));
	ret = ctl(ctx, VHOST_TARGET_UNIT_GET, info);
	if (ret)
		return ret;
	path[VHOST_TARGET_PATH_LEN - 1] = '\0';
	info->serial[sizeof(info->serial) - 1] = '\0';
	return info->unit >= unit ? 0 : -EPROTO;
}

/* Returns 0 or -errno. */
int ctl_stats(struct ctx *ctx, const char *name, u32 queue,
	      struct vhost_target_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	stats->queue = queue;
	snprintf(stats->name, sizeof(stats->name), "%s", name);
	return ctl(ctx, VHOST_TARGET_STATS, stats);
}
