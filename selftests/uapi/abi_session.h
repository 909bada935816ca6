/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that sessions of blk and scsi targets have. The program that
 * includes this says how a session comes about, and what of its configuration
 * can be set.
 */
#ifndef VT_ABI_SESSION_H
#define VT_ABI_SESSION_H

#include <sys/eventfd.h>

#include "abi_tests.h"

static int need_session(struct abi_ctx *c);
static void fill_field(struct abi_ctx *c, struct vhost_target_config *a);

static void fill_get_config(struct abi_ctx *c, void *arg)
{
	struct vhost_target_config *a = arg;

	a->len = 8;
	a->data_ptr = (uintptr_t)c->buf;
}

static void fill_set_config(struct abi_ctx *c, void *arg)
{
	struct vhost_target_config *a = arg;

	a->data_ptr = (uintptr_t)c->buf;
	fill_field(c, a);
}

static void fill_config_call(struct abi_ctx *c, void *arg)
{
	struct vhost_target_eventfd *a = arg;

	(void)c;
	a->fd = eventfd(0, EFD_CLOEXEC);
}

FIXTURE_VARIANT_ADD(abi, get_config)
{
	.call = {
		ABI_CALL(VHOST_TARGET_GET_CONFIG, struct vhost_target_config),
		.need = need_session,
		.fill = fill_get_config,
	},
};

FIXTURE_VARIANT_ADD(abi, set_config)
{
	.call = {
		ABI_CALL(VHOST_TARGET_SET_CONFIG, struct vhost_target_config),
		.need = need_session,
		.fill = fill_set_config,
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
		.need = need_session,
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
		.need = need_session,
		.fill = fill_config_call,
	},
};

#endif
