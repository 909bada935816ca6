// SPDX-License-Identifier: GPL-2.0
/* The ioctl door of blk targets: the rules of every call, by macro. */
#include <sys/eventfd.h>

#include "abi_tests.h"

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

static void drop_session(struct abi_ctx *c)
{
	vblk_close(&c->blk);
	bed_destroy(&c->bed);
	disk_destroy(&c->disk);
}

static void drop_fd(struct abi_ctx *c)
{
	close(c->fd);
	bed_destroy(&c->bed);
	disk_destroy(&c->disk);
}

static int prepare_attach(struct abi_ctx *c, void *arg)
{
	struct vhost_target_attach *a = arg;
	int ret = need_bed(c);

	if (ret)
		return ret;
	a->size = sizeof(*a);
	strcpy(a->name, c->bed.name);
	c->fd = vhost_open(VHOST_BLK_NODE);
	return c->fd < 0 ? c->fd : vhost_set_owner(c->fd);
}

static int prepare_run(struct abi_ctx *c, void *arg)
{
	struct vhost_target_run *a = arg;

	a->size = sizeof(*a);
	return need_session(c);
}

static int prepare_get_config(struct abi_ctx *c, void *arg)
{
	struct vhost_target_config *a = arg;

	a->size = sizeof(*a);
	a->len = 8;
	a->data_ptr = (uintptr_t)c->buf;
	return need_session(c);
}

static int prepare_set_config(struct abi_ctx *c, void *arg)
{
	struct vhost_target_config *a = arg;

	a->size = sizeof(*a);
	a->offset = offsetof(struct virtio_blk_config, wce);
	a->len = 1;
	a->data_ptr = (uintptr_t)c->buf;
	c->buf[0] = 1;
	return need_session(c);
}

static int prepare_get_device(struct abi_ctx *c, void *arg)
{
	struct vhost_target_device *a = arg;

	a->size = sizeof(*a);
	return need_session(c);
}

static int prepare_config_call(struct abi_ctx *c, void *arg)
{
	struct vhost_target_eventfd *a = arg;

	a->size = sizeof(*a);
	a->fd = eventfd(0, EFD_CLOEXEC);
	return need_session(c);
}

FIXTURE_VARIANT_ADD(abi, attach)
{
	.call = {
		ABI_CALL(VHOST_TARGET_ATTACH, struct vhost_target_attach),
		.name_offset = offsetof(struct vhost_target_attach, name),
		.prepare = prepare_attach,
		.undo = drop_fd,
	},
};

FIXTURE_VARIANT_ADD(abi, start)
{
	.call = {
		ABI_CALL(VHOST_TARGET_START, struct vhost_target_run),
		.prepare = prepare_run,
		.undo = drop_session,
	},
};

FIXTURE_VARIANT_ADD(abi, stop)
{
	.call = {
		ABI_CALL(VHOST_TARGET_STOP, struct vhost_target_run),
		.prepare = prepare_run,
		.undo = drop_session,
	},
};

FIXTURE_VARIANT_ADD(abi, get_config)
{
	.call = {
		ABI_CALL(VHOST_TARGET_GET_CONFIG, struct vhost_target_config),
		.prepare = prepare_get_config,
		.undo = drop_session,
	},
};

FIXTURE_VARIANT_ADD(abi, set_config)
{
	.call = {
		ABI_CALL(VHOST_TARGET_SET_CONFIG, struct vhost_target_config),
		.prepare = prepare_set_config,
		.undo = drop_session,
	},
};

FIXTURE_VARIANT_ADD(abi, get_device)
{
	.call = {
		ABI_CALL(VHOST_TARGET_GET_DEVICE, struct vhost_target_device),
		.reserved = {
			ABI_RANGE(struct vhost_target_device, reserved0),
		},
		.reads = true,
		.prepare = prepare_get_device,
		.undo = drop_session,
	},
};

FIXTURE_VARIANT_ADD(abi, set_config_call)
{
	.call = {
		ABI_CALL(VHOST_TARGET_SET_CONFIG_CALL,
			 struct vhost_target_eventfd),
		.reserved = {
			ABI_RANGE(struct vhost_target_eventfd, reserved0),
		},
		.prepare = prepare_config_call,
		.undo = drop_session,
	},
};

TEST_HARNESS_MAIN
