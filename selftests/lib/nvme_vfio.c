// SPDX-License-Identifier: GPL-2.0
/* The NVMe driver's VFIO door. */
#include "nvme.h"

static u64 door_read(struct nvme *n, u32 off, unsigned int len)
{
	return vfio_get(&n->v, VFIO_BAR0, off, len);
}

static int door_write(struct nvme *n, u32 off, unsigned int len, u64 val)
{
	return vfio_write(&n->v, VFIO_BAR0, off, len, val);
}

static int door_set_irq(struct nvme *n, unsigned int vector, int fd)
{
	return vfio_set_eventfds(&n->v, VFIO_MSIX, vector, 1, &fd);
}

static int door_attach(struct nvme *n, const char *target)
{
	int ret = vfio_open(&n->v, target);

	return ret ? ret : vfio_map_mem(&n->v, n->m);
}

static int door_map_page(struct nvme *n)
{
	n->page = vfio_map_doorbells(&n->v);
	return n->page ? 0 : -ENOMEM;
}

static void door_close(struct nvme *n)
{
	vfio_close(&n->v);
}

const struct nvme_door nvme_door_vfio = {
	.attach		= door_attach,
	.close		= door_close,
	.read		= door_read,
	.write		= door_write,
	.set_irq	= door_set_irq,
	.map_page	= door_map_page,
};
