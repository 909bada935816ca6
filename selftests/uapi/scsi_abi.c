// SPDX-License-Identifier: GPL-2.0
/* The ioctl door of scsi targets, and how they are made: by macro. */
#include <sys/eventfd.h>

#include "abi_tests.h"

#define WWPN "naa.5001405abcdef012"

static int need_target(struct abi_ctx *c)
{
	struct vhost_target_create a;

	ctl_init_create(&a, c->name);
	a.type = VHOST_TARGET_SCSI;
	a.num_queues = 1;
	return ctl_call(c->ctl, VHOST_TARGET_CREATE, &a);
}

static void drop_target(struct abi_ctx *c)
{
	ctl_destroy(c->ctl, c->name);
}

static int need_session(struct abi_ctx *c)
{
	struct bed_opts b = { .type = VHOST_TARGET_SCSI, .num_queues = 1 };
	struct vscsi_opts o = { .wwpn = c->bed.name };
	int ret = bed_make(&c->bed, &b);

	if (!ret)
		ret = vscsi_open(&c->scsi, &o);
	c->fd = c->scsi.fd;
	return ret;
}

static void drop_session(struct abi_ctx *c)
{
	vscsi_close(&c->scsi);
	bed_destroy(&c->bed);
}

static int prepare_create(struct abi_ctx *c, void *arg)
{
	struct vhost_target_create *a = arg;

	ctl_init_create(a, c->name);
	a->type = VHOST_TARGET_SCSI;
	a->num_queues = 1;
	strcpy(a->wwpn, WWPN);
	return 0;
}

static int prepare_unit_add(struct abi_ctx *c, void *arg)
{
	struct vhost_target_unit_add *a = arg;

	ctl_init_unit(a, c->name);
	a->unit = 16383;
	a->backend = VHOST_TARGET_BACKEND_NULL;
	a->capacity = MIB;
	memcpy(a->vendor, "ACMEACME", sizeof(a->vendor));
	memcpy(a->product, "all 16 of them..", sizeof(a->product));
	memcpy(a->revision, "1.23", sizeof(a->revision));
	a->naa = 0x5001405000000001;
	return need_target(c);
}

static int prepare_get(struct abi_ctx *c, void *arg)
{
	struct vhost_target_info *a = arg;

	a->size = sizeof(*a);
	strcpy(a->name, c->name);
	return need_target(c);
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
	u32 size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE;

	a->size = sizeof(*a);
	a->offset = offsetof(struct virtio_scsi_config, sense_size);
	a->len = sizeof(size);
	a->data_ptr = (uintptr_t)c->buf;
	memcpy(c->buf, &size, sizeof(size));
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

FIXTURE_VARIANT_ADD(abi, create)
{
	.call = {
		ABI_GREW(VHOST_TARGET_CREATE, struct vhost_target_create,
			 reserved),
		.flags = VHOST_TARGET_F_ALL,
		.reserved = { ABI_RANGE(struct vhost_target_create, reserved) },
		.name_offset = offsetof(struct vhost_target_create, name),
		.prepare = prepare_create,
		.undo = drop_target,
	},
};

FIXTURE_VARIANT_ADD(abi, unit_add)
{
	.call = {
		ABI_GREW(VHOST_TARGET_UNIT_ADD, struct vhost_target_unit_add,
			 reserved),
		.flags = VHOST_TARGET_UNIT_F_ALL,
		.reserved = {
			ABI_RANGE(struct vhost_target_unit_add, reserved0),
			ABI_RANGE(struct vhost_target_unit_add, reserved),
			ABI_RANGE(struct vhost_target_unit_add, reserved1),
		},
		.name_offset = offsetof(struct vhost_target_unit_add, name),
		.prepare = prepare_unit_add,
		.undo = drop_target,
	},
};

FIXTURE_VARIANT_ADD(abi, get)
{
	.call = {
		ABI_GREW(VHOST_TARGET_GET, struct vhost_target_info, reserved),
		.flags = VHOST_TARGET_GET_NEXT,
		.reserved = { ABI_RANGE(struct vhost_target_info, reserved) },
		.name_offset = offsetof(struct vhost_target_info, name),
		.reads = true,
		.prepare = prepare_get,
		.undo = drop_target,
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
