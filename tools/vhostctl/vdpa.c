// SPDX-License-Identifier: GPL-2.0
/* Where the kernel's vDPA bus put a target's device. */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "vhostctl.h"

#define DEVICES	"/sys/bus/vdpa/devices"
#define DRIVERS	"/sys/bus/vdpa/drivers"
#define PARAMETERS DRIVERS "/vhost_vdpa/module/parameters"

static void find_driver(const char *dir, struct vdpa_node *vdpa)
{
	char path[256], target[256];
	const char *base;
	ssize_t got;

	snprintf(path, sizeof(path), "%s/driver", dir);
	got = readlink(path, target, sizeof(target) - 1);
	if (got < 0)
		return;
	target[got] = '\0';
	base = strrchr(target, '/');
	snprintf(vdpa->driver, sizeof(vdpa->driver), "%.63s",
		 base ? base + 1 : target);
}

void vdpa_find(const char *vdpa_name, struct vdpa_node *vdpa)
{
	static const char prefix[] = "vhost-vdpa-";
	const struct dirent *d;
	char dir[192];
	DIR *dp;

	memset(vdpa, 0, sizeof(*vdpa));
	snprintf(dir, sizeof(dir), DEVICES "/%s", vdpa_name);
	find_driver(dir, vdpa);
	dp = opendir(dir);
	if (!dp)
		return;
	while ((d = readdir(dp))) {
		u64 num;

		if (!strncmp(d->d_name, prefix, strlen(prefix)) &&
		    parse_u64(d->d_name + strlen(prefix), &num)) {
			snprintf(vdpa->node, sizeof(vdpa->node),
				 "/dev/vhost-vdpa-%llu", num);
			break;
		}
	}
	closedir(dp);
}

/* What a guest of 4 GiB takes whose pages are all over the place. */
#define ENOUGH_PIECES	1048576

void vdpa_advise(FILE *f)
{
	FILE *limit = fopen(PARAMETERS "/max_iotlb_entries", "re");
	unsigned long pieces;

	if (!limit)
		return;
	if (fscanf(limit, "%lu", &pieces) == 1 && pieces < ENOUGH_PIECES)
		fprintf(f, "vhostctl: note: vhost_vdpa takes guest memory in at most %lu pieces, too few for much memory without huge pages (QEMU: vhost vdpa map fail); load it with max_iotlb_entries=4194304\n",
			pieces);
	fclose(limit);
}

/* One line without its end: how to go on with the device. */
void vdpa_next_step(const char *vdpa_name, const struct vdpa_node *vdpa,
		    FILE *f)
{
	if (vdpa->node[0]) {
		fprintf(f, "start QEMU with -device vhost-vdpa-device-pci,vhostdev=%s",
			vdpa->node);
		return;
	}
	if (vdpa->driver[0])
		fprintf(f,
			"vDPA device %s is bound to %s; for QEMU: echo %s > %s/%s/unbind && ",
			vdpa_name, vdpa->driver, vdpa_name, DRIVERS,
			vdpa->driver);
	else
		fprintf(f, "vDPA device %s is not bound; for QEMU: ",
			vdpa_name);
	/* Loading the driver binds what is unbound. */
	if (access(DRIVERS "/vhost_vdpa", F_OK))
		fputs("modprobe vhost_vdpa", f);
	else
		fprintf(f, "echo %s > " DRIVERS "/vhost_vdpa/bind",
			vdpa_name);
}
