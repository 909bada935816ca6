// SPDX-License-Identifier: GPL-2.0
/* A disk as the command line says it; of create, and of lun add. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "vhostctl.h"

/* Tells --dev and --file apart before anything is made. */
static int check_path(struct ctx *ctx, const struct disk *d)
{
	bool want_dev = d->add.backend == VHOST_TARGET_BACKEND_BDEV;
	struct stat st;

	if (stat(d->path, &st))
		return fail(ctx, EX_KERNEL, "%s: %s; check the path", d->path,
			    strerror(errno));
	if (S_ISBLK(st.st_mode) && !want_dev)
		return fail(ctx, EX_USAGE,
			    "%s is a block device; use --dev instead of --file",
			    d->path);
	if (S_ISREG(st.st_mode) && want_dev)
		return fail(ctx, EX_USAGE,
			    "%s is a regular file; use --file instead of --dev",
			    d->path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return fail(ctx, EX_USAGE,
			    "%s is neither a block device (--dev) nor a regular file (--file); give one",
			    d->path);
	return EX_OK;
}

static int plan_backend(struct ctx *ctx, struct disk *d)
{
	const struct args *a = &ctx->args;
	const char *path = a->dev ? a->dev : a->file;
	bool null = a->null_size != ARG_UNSET;
	int ret;

	if (!!a->dev + !!a->file + null != 1)
		return fail_usage(ctx,
				  "give one of --dev, --file and --null");
	if (!path && a->shared_backend)
		return fail_usage(ctx, "--shared-backend: --null shares nothing");
	if (!a->dev && a->polled)
		return fail_usage(ctx, "--polled needs --dev");
	if (!path) {
		d->add.backend = VHOST_TARGET_BACKEND_NULL;
		d->add.capacity = a->null_size;
		return EX_OK;
	}
	if (!*path)
		return fail_usage(ctx, "the path is empty");
	d->add.backend = a->dev ? VHOST_TARGET_BACKEND_BDEV :
				  VHOST_TARGET_BACKEND_FILE;
	ret = parse_path(ctx, path, d->path);
	d->add.path_ptr = (uintptr_t)d->path;
	return ret ? ret : check_path(ctx, d);
}

static int plan_scsi(struct ctx *ctx, struct vhost_target_unit_add *u)
{
	const struct args *a = &ctx->args;
	int ret;

	ret = parse_text(ctx, "vendor", a->vendor, u->vendor,
			 sizeof(u->vendor));
	if (!ret)
		ret = parse_text(ctx, "product", a->product, u->product,
				 sizeof(u->product));
	if (!ret)
		ret = parse_text(ctx, "revision", a->revision, u->revision,
				 sizeof(u->revision));
	if (!ret && a->naa)
		ret = parse_naa(ctx, a->naa, &u->naa);
	return ret;
}

static const char *scsi_option(const struct args *a)
{
	return a->vendor ? "vendor" : a->product ? "product" :
	       a->revision ? "revision" : a->naa ? "naa" : NULL;
}

/* Does the command line speak of a disk at all? */
bool disk_wanted(const struct args *a)
{
	return a->dev || a->file || a->null_size != ARG_UNSET || a->ro ||
	       a->serial || a->block_size || a->writethrough ||
	       a->no_discard || a->shared_backend || a->polled ||
	       scsi_option(a);
}

int disk_plan(struct ctx *ctx, struct disk *d, const struct type *type,
	      const char *name, u32 unit)
{
	struct vhost_target_unit_add *u = &d->add;
	const struct args *a = &ctx->args;
	int ret;

	u->size = sizeof(*u);
	u->unit = unit;
	u->flags = (a->ro ? VHOST_TARGET_UNIT_F_RO : 0) |
		   (a->writethrough ? VHOST_TARGET_UNIT_F_WRITETHROUGH : 0) |
		   (a->no_discard ? VHOST_TARGET_UNIT_F_NO_DISCARD : 0) |
		   (a->shared_backend ? VHOST_TARGET_UNIT_F_SHARED : 0) |
		   (a->polled ? VHOST_TARGET_UNIT_F_POLLED : 0);
	if (a->block_size && a->block_size != 512 && a->block_size != 4096)
		return fail_usage(ctx, "--block-size: %llu is not 512 or 4096",
				  a->block_size);
	u->block_size = (__u32)a->block_size;
	snprintf(u->name, sizeof(u->name), "%s", name);
	if (!type->scsi && scsi_option(a))
		return fail_usage(ctx, "--%s is for scsi targets only",
				  scsi_option(a));
	ret = parse_text(ctx, "serial", a->serial, u->serial,
			 sizeof(u->serial) - 1);
	if (!ret)
		ret = plan_scsi(ctx, u);
	return ret ? ret : plan_backend(ctx, d);
}

/* What messages about it name: NULL for a null backend. */
const char *disk_path(const struct disk *d)
{
	return d->add.path_ptr ? d->path : NULL;
}
