// SPDX-License-Identifier: GPL-2.0
/* create: a target and its disk, both or neither. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "vhostctl.h"

/* struct plan - the calls to make, all values checked */
struct plan {
	const struct type *type;
	struct vhost_target_create create;
	bool has_disk;
	struct disk disk;
	__u32 pollers[VHOST_TARGET_MAX_POLLERS];
};

static int plan_target(struct ctx *ctx, struct plan *p)
{
	const struct args *a = &ctx->args;
	struct vhost_target_create *c = &p->create;
	int ret;

	if (a->use_va && !a->vdpa)
		return fail_usage(ctx, "--use-va needs --vdpa");
	if (a->wwpn && !p->type->scsi)
		return fail_usage(ctx, "--wwpn is for scsi targets only");
	if (a->vfio && a->vdpa)
		return fail_usage(ctx, "--vfio and --vdpa exclude each other");
	if ((a->vfio || a->no_dbbuf) && p->type->id != VHOST_TARGET_NVME)
		return fail_usage(ctx, "%s is for type nvme",
				  a->vfio ? "--vfio" : "--no-dbbuf");
	if (a->queue_size & (a->queue_size - 1))
		return fail_usage(ctx, "--queue-size: %llu is no power of two",
				  a->queue_size);
	c->size = sizeof(*c);
	c->type = p->type->id;
	c->flags = (a->shared ? VHOST_TARGET_F_SHARED : 0) |
		   (a->vdpa ? VHOST_TARGET_F_VDPA : 0) |
		   (a->use_va ? VHOST_TARGET_F_USE_VA : 0) |
		   (a->vfio ? VHOST_TARGET_F_VFIO : 0) |
		   (a->no_dbbuf ? VHOST_TARGET_F_NO_DBBUF : 0);
	c->num_queues = (__u32)a->queues;
	c->queue_size = (__u32)a->queue_size;
	c->uid = 0;
	c->gid = 0xffffffffu;
	ret = parse_name(ctx, a->pos[1], c->name);
	if (!ret && a->owner)
		ret = parse_owner(ctx, a->owner, &c->uid, &c->gid);
	if (!ret && a->pollers)
		ret = parse_pollers(ctx, a->pollers, p->pollers,
				    &c->nr_pollers);
	if (!ret && a->wwpn)
		ret = parse_wwpn(ctx, a->wwpn, c->wwpn);
	c->pollers_ptr = c->nr_pollers ? (uintptr_t)p->pollers : 0;
	return ret;
}

/* The unit was refused: the target goes as well. */
static int roll_back(struct ctx *ctx, const struct plan *p, int err)
{
	struct vhost_target_destroy d = { .size = sizeof(d) };
	int ret;

	memcpy(d.name, p->create.name, sizeof(d.name));
	ret = ctl(ctx, VHOST_TARGET_DESTROY, &d);
	if (!ret || ret == -ENOENT)
		return ctl_fail(ctx, VHOST_TARGET_UNIT_ADD, err,
				disk_path(&p->disk));
	return fail(ctx, EX_KERNEL,
		    "its disk was refused (%s) and the empty target could not be removed (%s); run vhostctl delete %s",
		    strerror(-err), strerror(-ret), d.name);
}

static int execute(struct ctx *ctx, struct plan *p)
{
	int err = ctl(ctx, VHOST_TARGET_CREATE, &p->create);

	if (err == -ENODEV)
		return fail(ctx, EX_KERNEL, "module %s is not loaded; modprobe %s",
			    p->type->module, p->type->module);
	if (err)
		return ctl_fail(ctx, VHOST_TARGET_CREATE, err, NULL);
	if (!p->has_disk)
		return EX_OK;
	err = ctl(ctx, VHOST_TARGET_UNIT_ADD, &p->disk.add);
	return err ? roll_back(ctx, p, err) : EX_OK;
}

/* The calls belong together: no signal but SIGKILL comes between them. */
static int execute_shielded(struct ctx *ctx, struct plan *p)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	ret = execute(ctx, p);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

static void vdpa_step(const struct plan *p,
		      const struct vhost_target_info *info,
		      const struct vdpa_node *vdpa, FILE *f)
{
	if (info->vdpa_name[0])
		vdpa_next_step(info->vdpa_name, vdpa, f);
	else
		fprintf(f, "its vDPA device is not known yet; run vhostctl show %s",
			p->create.name);
}

static void next_step(struct ctx *ctx, const struct plan *p,
		      const struct vhost_target_info *info,
		      const struct vdpa_node *vdpa, FILE *f)
{
	if (info->wwpn[0])
		fprintf(f, "start QEMU with -device vhost-scsi-pci,wwpn=%s%s",
			info->wwpn, ctx->args.vdpa ? "; or " : "");
	if (ctx->args.vfio)
		vfio_next_step(p->create.name, f);
	else if (ctx->args.vdpa)
		vdpa_step(p, info, vdpa, f);
	else if (!info->wwpn[0])
		fprintf(f, "open %s and attach to %s (VHOST_TARGET_ATTACH)",
			p->type->door, p->create.name);
}

static void report(struct ctx *ctx, const struct plan *p)
{
	struct vhost_target_info info = { .size = sizeof(info) };
	struct vdpa_node vdpa = { 0 };
	char next[512] = "", path[128];
	struct json j;
	FILE *f;

	/* It was made: not being able to look at it is no failure. */
	memcpy(info.name, p->create.name, sizeof(info.name));
	if (ctl(ctx, VHOST_TARGET_GET, &info)) {
		info.vdpa_name[0] = '\0';
		memcpy(info.wwpn, p->create.wwpn, sizeof(info.wwpn));
	}
	info.vdpa_name[sizeof(info.vdpa_name) - 1] = '\0';
	info.wwpn[sizeof(info.wwpn) - 1] = '\0';
	if (info.vdpa_name[0])
		vdpa_find(info.vdpa_name, &vdpa);
	f = fmemopen(next, sizeof(next), "w");
	if (f) {
		next_step(ctx, p, &info, &vdpa, f);
		fclose(f);
	}
	if (ctx->args.vdpa && !ctx->args.use_va)
		vdpa_advise(stderr);
	if (!ctx->args.json) {
		fprintf(ctx->out, "%s: %s\n", p->create.name, next);
		return;
	}
	json_init(&j, ctx->out);
	json_obj(&j, NULL);
	json_str(&j, "name", p->create.name);
	json_str(&j, "vdpa_name", info.vdpa_name);
	json_str(&j, "vdpa_node", vdpa.node[0] ? vdpa.node : NULL);
	json_str(&j, "vdpa_driver", vdpa.driver[0] ? vdpa.driver : NULL);
	json_str(&j, "wwpn", info.wwpn[0] ? info.wwpn : NULL);
	vfio_path(p->create.name, path, sizeof(path));
	json_str(&j, "vfio_path", ctx->args.vfio ? path : NULL);
	json_str(&j, "next_step", next);
	json_end(&j);
}

static int run_create(struct ctx *ctx)
{
	static struct plan plan;
	int ret;

	/* Of the last line of a batch. */
	memset(&plan, 0, sizeof(plan));
	plan.type = type_by_name(ctx->args.pos[0]);
	if (!plan.type)
		return fail_type(ctx, ctx->args.pos[0]);
	ret = plan_target(ctx, &plan);
	plan.has_disk = !plan.type->hot_units || disk_wanted(&ctx->args);
	if (!ret && plan.has_disk)
		ret = disk_plan(ctx, &plan.disk, plan.type, plan.create.name,
				0);
	if (!ret)
		ret = ctl_open(ctx);
	if (!ret)
		ret = execute_shielded(ctx, &plan);
	if (!ret)
		report(ctx, &plan);
	return ret;
}

#define OFF(field)	offsetof(struct args, field)

static const struct opt create_opts[] = {
	DISK_OPTS,
	DISK_SCSI_OPTS,
	{ "wwpn", "naa.ID", "scsi: port name, 16 hex digits (default: from NAME)",
	  OPT_STR, OFF(wwpn), 0, 0 },
	{ "queues", "N", "I/O queues (default: one for each poller, nvme: at least 2)",
	  OPT_NUM, OFF(queues), 1, VHOST_TARGET_MAX_QUEUES },
	{ "queue-size", "N", "entries of a queue, a power of two (default: 256)",
	  OPT_NUM, OFF(queue_size), 2, VHOST_TARGET_MAX_QUEUE_SIZE },
	{ "pollers", "0,1,...", "pollers that may serve it (default: all)",
	  OPT_STR, OFF(pollers), 0, 0 },
	{ "owner", "USER[:GROUP]", "who may attach besides root",
	  OPT_STR, OFF(owner), 0, 0 },
	{ "shared", NULL, "several VMs may attach at once",
	  OPT_FLAG, OFF(shared), 0, 0 },
	{ "vdpa", NULL, "give it a vDPA device, for stock QEMU",
	  OPT_FLAG, OFF(vdpa), 0, 0 },
	{ "use-va", NULL, "vDPA: pin no guest memory (it must be shared)",
	  OPT_FLAG, OFF(use_va), 0, 0 },
	{ "vfio", NULL, "nvme: give it a VFIO device, for stock QEMU",
	  OPT_FLAG, OFF(vfio), 0, 0 },
	{ "no-dbbuf", NULL, "nvme: do not offer shadow doorbells",
	  OPT_FLAG, OFF(no_dbbuf), 0, 0 },
	{ 0 }
};

const struct cmd cmd_create = {
	.name = "create",
	.operands = "TYPE NAME (--dev PATH | --file PATH | --null SIZE)",
	.summary = "Make a target with its disk",
	.details = "TYPE is blk, scsi or nvme. A scsi target needs no disk yet; one given here is LUN 0.\nIf the disk is refused, no target is left behind.",
	.example = "vhostctl create blk disk0 --dev /dev/nvme0n1 --vdpa --owner qemu",
	.opts = create_opts,
	.min_pos = 2,
	.max_pos = 2,
	.json = true,
	.run = run_create,
};
