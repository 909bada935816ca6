// SPDX-License-Identifier: GPL-2.0
/* The control node: the rules of every call, by macro. */
#include <sched.h>
#include <sys/sysinfo.h>

#include "abi_tests.h"

static int need_target(struct abi_ctx *c)
{
	return ctl_create(c->ctl, c->name, 1, 16, CTL_ANY_POLLER);
}

static int need_unit(struct abi_ctx *c)
{
	int ret = need_target(c);

	return ret ? ret : ctl_add_null(c->ctl, c->name, MIB, 512, 0);
}

/* A CPU without a poller, by taking one away if need be. */
static int need_free_cpu(struct abi_ctx *c)
{
	bool has_poller[CPU_SETSIZE] = { false };
	unsigned int id = 0, nr = 0, cpu;
	int ret;

	while (!ctl_poller_next(c->ctl, id, &c->poller)) {
		if (c->poller.cpu < CPU_SETSIZE)
			has_poller[c->poller.cpu] = true;
		id = c->poller.id + 1;
		nr++;
	}
	for (cpu = 0; cpu < (unsigned int)get_nprocs(); cpu++) {
		c->free_cpu = cpu;
		if (!has_poller[cpu])
			return 0;
	}
	if (nr < 2)
		return -EAGAIN;
	/* The last one found; no target is left that could name it. */
	ret = ctl_poller(c->ctl, id - 1, &c->poller);
	if (!ret)
		ret = ctl_poller_remove(c->ctl, c->poller.id);
	if (ret)
		return ret;
	c->poller_removed = true;
	c->free_cpu = c->poller.cpu;
	return 0;
}

static void fill_create(struct abi_ctx *c, void *arg)
{
	struct vhost_target_create *a = arg;

	ctl_init_create(a, c->name);
	a->num_queues = 1;
}

static void fill_unit_add(struct abi_ctx *c, void *arg)
{
	struct vhost_target_unit_add *a = arg;

	(void)c;
	a->backend = VHOST_TARGET_BACKEND_NULL;
	a->capacity = MIB;
}

static void fill_unit_resize(struct abi_ctx *c, void *arg)
{
	struct vhost_target_unit_resize *a = arg;

	(void)c;
	a->capacity = 2 * MIB;
}

static void fill_stats(struct abi_ctx *c, void *arg)
{
	struct vhost_target_stats *a = arg;

	(void)c;
	a->queue = VHOST_TARGET_QUEUE_ALL;
}

static void fill_poller_add(struct abi_ctx *c, void *arg)
{
	struct vhost_target_poller *a = arg;

	a->cpu = c->free_cpu;
}

/* Back to the pollers there were, whether the calls worked or not. */
static void restore_pollers(struct abi_ctx *c)
{
	struct vhost_target_poller p;
	unsigned int id = 0;

	if (c->poller_removed) {
		ctl_poller_add(c->ctl, c->poller.cpu, c->poller.idle_us, &id);
		return;
	}
	for (; !ctl_poller_next(c->ctl, id, &p); id = p.id + 1) {
		if (p.cpu == c->free_cpu)
			ctl_poller_remove(c->ctl, p.id);
	}
}

static int need_new_poller(struct abi_ctx *c)
{
	int ret = need_free_cpu(c);

	return ret ? ret : ctl_poller_add(c->ctl, c->free_cpu, 0,
					  &c->new_poller);
}

static void fill_poller_remove(struct abi_ctx *c, void *arg)
{
	struct vhost_target_poller_remove *a = arg;

	a->id = c->new_poller;
}

static int need_poller(struct abi_ctx *c)
{
	int id = ctl_some_poller(c->ctl);

	return id < 0 ? id : ctl_poller(c->ctl, id, &c->poller);
}

static void fill_poller(struct abi_ctx *c, void *arg)
{
	struct vhost_target_poller *a = arg;

	a->id = c->poller.id;
	a->idle_us = c->poller.idle_us;
}

FIXTURE_VARIANT_ADD(abi, create)
{
	.call = { ABI_CREATE, .fill = fill_create },
};

FIXTURE_VARIANT_ADD(abi, destroy)
{
	.call = {
		ABI_CALL(VHOST_TARGET_DESTROY, struct vhost_target_destroy),
		ABI_NAME(struct vhost_target_destroy),
		.need = need_target,
	},
};

FIXTURE_VARIANT_ADD(abi, get)
{
	.call = { ABI_GET, .need = need_target },
};

FIXTURE_VARIANT_ADD(abi, unit_add)
{
	.call = { ABI_UNIT_ADD, .need = need_target, .fill = fill_unit_add },
};

FIXTURE_VARIANT_ADD(abi, unit_remove)
{
	.call = {
		ABI_CALL(VHOST_TARGET_UNIT_REMOVE,
			 struct vhost_target_unit_remove),
		.reserved = {
			ABI_RANGE(struct vhost_target_unit_remove, reserved0),
		},
		ABI_NAME(struct vhost_target_unit_remove),
		.need = need_unit,
	},
};

FIXTURE_VARIANT_ADD(abi, unit_resize)
{
	.call = {
		ABI_CALL(VHOST_TARGET_UNIT_RESIZE,
			 struct vhost_target_unit_resize),
		.reserved = {
			ABI_RANGE(struct vhost_target_unit_resize, reserved0),
		},
		ABI_NAME(struct vhost_target_unit_resize),
		.need = need_unit,
		.fill = fill_unit_resize,
	},
};

FIXTURE_VARIANT_ADD(abi, unit_get)
{
	.call = {
		ABI_GREW(VHOST_TARGET_UNIT_GET, struct vhost_target_unit_info,
			 reserved),
		.flags = VHOST_TARGET_GET_NEXT,
		.reserved = {
			ABI_RANGE(struct vhost_target_unit_info, reserved0),
			ABI_RANGE(struct vhost_target_unit_info, reserved),
		},
		ABI_NAME(struct vhost_target_unit_info),
		.reads = true,
		.need = need_unit,
	},
};

FIXTURE_VARIANT_ADD(abi, stats)
{
	.call = {
		ABI_CALL(VHOST_TARGET_STATS, struct vhost_target_stats),
		.reserved = {
			ABI_RANGE(struct vhost_target_stats, reserved0),
			ABI_RANGE(struct vhost_target_stats, reserved),
		},
		ABI_NAME(struct vhost_target_stats),
		.reads = true,
		.need = need_unit,
		.fill = fill_stats,
	},
};

FIXTURE_VARIANT_ADD(abi, poller_add)
{
	.call = {
		ABI_CALL(VHOST_TARGET_POLLER_ADD, struct vhost_target_poller),
		.reserved = {
			ABI_RANGE(struct vhost_target_poller, reserved),
		},
		.need = need_free_cpu,
		.fill = fill_poller_add,
		.undo = restore_pollers,
	},
};

FIXTURE_VARIANT_ADD(abi, poller_remove)
{
	.call = {
		ABI_CALL(VHOST_TARGET_POLLER_REMOVE,
			 struct vhost_target_poller_remove),
		.reserved = {
			ABI_RANGE(struct vhost_target_poller_remove, reserved0),
		},
		.need = need_new_poller,
		.fill = fill_poller_remove,
		.undo = restore_pollers,
	},
};

FIXTURE_VARIANT_ADD(abi, poller_set)
{
	.call = {
		ABI_CALL(VHOST_TARGET_POLLER_SET, struct vhost_target_poller),
		.reserved = {
			ABI_RANGE(struct vhost_target_poller, reserved),
		},
		.need = need_poller,
		.fill = fill_poller,
	},
};

FIXTURE_VARIANT_ADD(abi, poller_get)
{
	.call = {
		ABI_CALL(VHOST_TARGET_POLLER_GET, struct vhost_target_poller),
		.flags = VHOST_TARGET_GET_NEXT,
		.reserved = {
			ABI_RANGE(struct vhost_target_poller, reserved),
		},
		.reads = true,
		.need = need_poller,
		.fill = fill_poller,
	},
};

TEST_HARNESS_MAIN
