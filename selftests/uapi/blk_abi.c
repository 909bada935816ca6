// SPDX-License-Identifier: GPL-2.0
/* The ioctl door of blk targets: the rules of every call, by macro. */
#include "abi_session.h"

static int need_bed(struct abi_ctx *c)
{
	/* A file: its write cache can be switched off. */
	struct disk_opts d = {
		.kind = DISK_FILE,
		.block_size = 512,
		.size_mb = 1,
	};
	struct bed_opts b = { .disk = &c->disk, .num_queues = 1 };
	int ret = disk_create(&c->disk, &d);

	c->name = c->bed.name;
	return ret ? ret : bed_make(&c->bed, &b);
}

static int need_session(struct abi_ctx *c)
{
	struct vblk_opts o = { .target = c->bed.name, .no_start = true };
	int ret = need_bed(c);

	if (!ret)
		ret = vblk_open(&c->blk, &o);
	c->fd = c->blk.fd;
	return ret;
}

static int need_owner(struct abi_ctx *c)
{
	int ret = need_bed(c);

	return ret ? ret : abi_open_door(c, VHOST_BLK_NODE);
}

static void fill_field(struct abi_ctx *c, struct vhost_target_config *a)
{
	a->offset = offsetof(struct virtio_blk_config, wce);
	a->len = 1;
	c->buf[0] = 1;
}

FIXTURE_VARIANT_ADD(abi, attach)
{
	.call = { ABI_ATTACH, .need = need_owner },
};

FIXTURE_VARIANT_ADD(abi, start)
{
	.call = {
		ABI_CALL(VHOST_TARGET_START, struct vhost_target_run),
		.need = need_session,
	},
};

FIXTURE_VARIANT_ADD(abi, stop)
{
	.call = {
		ABI_CALL(VHOST_TARGET_STOP, struct vhost_target_run),
		.need = need_session,
	},
};

TEST_HARNESS_MAIN
