// SPDX-License-Identifier: GPL-2.0
/* The ioctl door of scsi targets, and how they are made: by macro. */
#include "abi_session.h"

#define WWPN "naa.5001405abcdef012"

static int need_target(struct abi_ctx *c)
{
	struct vhost_target_create a;

	ctl_init_create(&a, c->name);
	a.type = VHOST_TARGET_SCSI;
	a.num_queues = 1;
	return ctl_call(c->ctl, VHOST_TARGET_CREATE, &a);
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

static void fill_create(struct abi_ctx *c, void *arg)
{
	struct vhost_target_create *a = arg;

	ctl_init_create(a, c->name);
	a->type = VHOST_TARGET_SCSI;
	a->num_queues = 1;
	strcpy(a->wwpn, WWPN);
}

static void fill_unit_add(struct abi_ctx *c, void *arg)
{
	struct vhost_target_unit_add *a = arg;

	(void)c;
	a->unit = 16383;
	a->backend = VHOST_TARGET_BACKEND_NULL;
	a->capacity = MIB;
	memcpy(a->vendor, "ACMEACME", sizeof(a->vendor));
	memcpy(a->product, "all 16 of them..", sizeof(a->product));
	memcpy(a->revision, "1.23", sizeof(a->revision));
	a->naa = 0x5001405000000001;
}

static void fill_field(struct abi_ctx *c, struct vhost_target_config *a)
{
	u32 size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE;

	a->offset = offsetof(struct virtio_scsi_config, sense_size);
	a->len = sizeof(size);
	memcpy(c->buf, &size, sizeof(size));
}

FIXTURE_VARIANT_ADD(abi, create)
{
	.call = { ABI_CREATE, .fill = fill_create },
};

FIXTURE_VARIANT_ADD(abi, unit_add)
{
	.call = { ABI_UNIT_ADD, .need = need_target, .fill = fill_unit_add },
};

FIXTURE_VARIANT_ADD(abi, get)
{
	.call = { ABI_GET, .need = need_target },
};

TEST_HARNESS_MAIN
