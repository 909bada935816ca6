// SPDX-License-Identifier: GPL-2.0
/* Where the VFIO door puts a target's device. */
#include "vhostctl.h"

#define DEVICES	"/sys/devices/vhost-nvme"

void vfio_path(const char *name, char *path, size_t len)
{
	snprintf(path, len, DEVICES "/%s", name);
}

/* One line without its end: how to go on with the device. */
void vfio_next_step(const char *name, FILE *f)
{
	fprintf(f, "start QEMU with -device vfio-pci,sysfsdev=" DEVICES "/%s",
		name);
}
