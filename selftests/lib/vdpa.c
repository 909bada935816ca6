// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "vdpa.h"

#define NODE_PREFIX "vhost-vdpa-"

const char *vdpa_missing(void)
{
	if (access(CTL_NODE, F_OK))
		return "vhost_target is not loaded";
	if (access("/sys/module/vhost_target_vdpa", F_OK))
		return "vhost_target_vdpa is not loaded";
	if (access(VDPA_DRIVER_DIR, F_OK))
		return "vhost_vdpa is not loaded";
	return NULL;
}

int vdpa_name(const char *target, char *name, size_t size)
{
	struct vhost_target_info info;
	int ctl = ctl_open();
	int ret;

	if (ctl < 0)
		return vt_failed(CTL_NODE, ctl);
	ret = ctl_get(ctl, target, &info);
	close(ctl);
	if (!ret && !info.vdpa_name[0])
		ret = -ENODEV;
	if (!ret)
		snprintf(name, size, "%s", info.vdpa_name);
	return vt_failed("vDPA device", ret);
}

static int find_node(const char *device, char *path, size_t size)
{
	int ret = -ENODEV;
	struct dirent *e;
	char dir[320];
	DIR *d;

	snprintf(dir, sizeof(dir), "/sys/bus/vdpa/devices/%s", device);
	d = opendir(dir);
	if (!d)
		return -errno;
	while (ret && (e = readdir(d))) {
		if (strncmp(e->d_name, NODE_PREFIX, strlen(NODE_PREFIX)))
			continue;
		snprintf(path, size, "/dev/%.64s", e->d_name);
		ret = 0;
	}
	closedir(d);
	return ret;
}

static int node_of(const char *target, char *path, size_t size)
{
	char name[VHOST_TARGET_NAME_LEN];
	int ret;

	ret = vdpa_name(target, name, sizeof(name));
	return ret ? ret : vt_failed("vDPA node", find_node(name, path, size));
}

int vdpa_open_node(const char *target)
{
	char path[128];
	int ret = 0, fd;

	if (*target == '/')
		snprintf(path, sizeof(path), "%s", target);
	else
		ret = node_of(target, path, sizeof(path));
	if (ret)
		return ret;
	vt_wait(!access(path, F_OK));
	fd = vhost_open(path);
	return fd == -EBUSY ? fd : vt_failed(path, fd);
}

int vdpa_status(int fd)
{
	u8 status = 0;
	int ret = ctl_call(fd, VHOST_VDPA_GET_STATUS, &status);

	return ret < 0 ? ret : status;
}

int vdpa_set_status(int fd, u8 status)
{
	return ctl_call(fd, VHOST_VDPA_SET_STATUS, &status);
}

int vdpa_set_backend_features(int fd, u64 features)
{
	__u64 value = features;

	return ctl_call(fd, VHOST_SET_BACKEND_FEATURES, &value);
}

/* Those of VDPA_BACKEND_FEATURES that there are: all, of our devices. */
static int accept_backend_features(int fd)
{
	__u64 offered = 0;
	int ret;

	ret = ctl_call(fd, VHOST_GET_BACKEND_FEATURES, &offered);
	if (ret)
		return ret;
	return vdpa_set_backend_features(fd, offered & VDPA_BACKEND_FEATURES);
}

int vdpa_enable(int fd, unsigned int queue, bool on)
{
	struct vhost_vring_state s = { .index = queue, .num = on };

	return ctl_call(fd, VHOST_VDPA_SET_VRING_ENABLE, &s);
}

static struct vhost_vdpa_config *make_config(unsigned int offset,
					     const void *buf, unsigned int len)
{
	struct vhost_vdpa_config *c = calloc(1, sizeof(*c) + len);

	if (c) {
		c->off = offset;
		c->len = len;
		memcpy(c->buf, buf, len);
	}
	return c;
}

int vdpa_get_config(int fd, unsigned int offset, void *buf, unsigned int len)
{
	struct vhost_vdpa_config *c = make_config(offset, buf, len);
	int ret;

	if (!c)
		return -ENOMEM;
	ret = ctl_call(fd, VHOST_VDPA_GET_CONFIG, c);
	if (!ret)
		memcpy(buf, c->buf, len);
	free(c);
	return ret;
}

int vdpa_set_config(int fd, unsigned int offset, const void *buf,
		    unsigned int len)
{
	struct vhost_vdpa_config *c = make_config(offset, buf, len);
	int ret;

	if (!c)
		return -ENOMEM;
	ret = ctl_call(fd, VHOST_VDPA_SET_CONFIG, c);
	free(c);
	return ret;
}

int vdpa_set_config_call(int fd, int eventfd)
{
	return ctl_call(fd, VHOST_VDPA_SET_CONFIG_CALL, &eventfd);
}

int vdpa_suspend(int fd)
{
	return ctl_call(fd, VHOST_VDPA_SUSPEND, NULL);
}

int vdpa_resume(int fd)
{
	return ctl_call(fd, VHOST_VDPA_RESUME, NULL);
}

int vdpa_message(int fd, const struct vhost_iotlb_msg *m)
{
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2, .iotlb = *m };
	ssize_t len = write(fd, &msg, sizeof(msg));

	if (len < 0)
		return -errno;
	return len == sizeof(msg) ? 0 : -EIO;
}

int vdpa_batch_begin(int fd)
{
	struct vhost_iotlb_msg m = { .type = VHOST_IOTLB_BATCH_BEGIN };

	return vdpa_message(fd, &m);
}

int vdpa_batch_end(int fd)
{
	struct vhost_iotlb_msg m = { .type = VHOST_IOTLB_BATCH_END };

	return vdpa_message(fd, &m);
}

int vdpa_map(int fd, u64 iova, const void *addr, u64 size, u8 perm)
{
	struct vhost_iotlb_msg m = {
		.type = VHOST_IOTLB_UPDATE,
		.iova = iova,
		.size = size,
		.uaddr = (uintptr_t)addr,
		.perm = perm,
	};

	return vdpa_message(fd, &m);
}

int vdpa_unmap(int fd, u64 iova, u64 size)
{
	struct vhost_iotlb_msg m = {
		.type = VHOST_IOTLB_INVALIDATE,
		.iova = iova,
		.size = size,
	};

	return vdpa_message(fd, &m);
}

static int each_region(int fd, const struct mem *m, bool map)
{
	unsigned int i;
	int ret;

	ret = vdpa_batch_begin(fd);
	for (i = 0; !ret && i < m->nr; i++) {
		const struct mem_region *r = &m->region[i];

		if (map)
			ret = vdpa_map(fd, r->gpa, r->hva + m->shift, r->size,
				       VHOST_ACCESS_RW);
		else
			ret = vdpa_unmap(fd, r->gpa, r->size);
	}
	return ret ? ret : vdpa_batch_end(fd);
}

int vdpa_map_mem(int fd, const struct mem *m)
{
	return vt_failed("map memory", each_region(fd, m, true));
}

int vdpa_unmap_mem(int fd, const struct mem *m)
{
	return vt_failed("unmap memory", each_region(fd, m, false));
}

int vdpa_attach(struct vblk *d, const struct vblk_opts *o)
{
	int ret;

	vblk_init(d, o);
	d->fd = vdpa_open_node(o->target);
	if (d->fd < 0)
		return d->fd;
	d->open = true;
	ret = vt_failed("backend features", accept_backend_features(d->fd));
	return ret ? ret : vt_failed("SET_OWNER", vhost_set_owner(d->fd));
}

int vdpa_read_config(struct vblk *d)
{
	u32 len = 0;
	int ret;

	ret = ctl_call(d->fd, VHOST_VDPA_GET_CONFIG_SIZE, &len);
	if (ret)
		return vt_failed("GET_CONFIG_SIZE", ret);
	if (len > sizeof(d->config))
		len = sizeof(d->config);
	return vt_failed("GET_CONFIG",
			 vdpa_get_config(d->fd, 0, &d->config, len));
}

int vdpa_negotiate(struct vblk *d)
{
	u8 status = VDPA_ACK | VDPA_DRIVER;
	int ret;

	ret = vt_failed("SET_STATUS", vdpa_set_status(d->fd, status));
	if (!ret)
		ret = vt_failed("GET_FEATURES",
				vhost_get_features(d->fd, &d->offered));
	if (!ret)
		ret = vblk_accept_features(d);
	if (ret)
		return ret;
	status |= VDPA_FEATURES_OK;
	ret = vt_failed("FEATURES_OK", vdpa_set_status(d->fd, status));
	if (ret)
		return ret;
	if (vdpa_status(d->fd) != status)
		return vt_failed("status does not hold", -EPROTO);
	return vdpa_read_config(d);
}

int vdpa_setup_queue(struct vblk_queue *q, u32 base)
{
	struct vhost_vring_addr a = {
		.index = q->index,
		.desc_user_addr = q->vr.desc_gpa,
		.avail_user_addr = q->vr.driver_gpa,
		.used_user_addr = q->vr.device_gpa,
	};
	int fd = q->d->fd, ret;

	ret = vt_failed("SET_VRING_NUM",
			vhost_set_vring_num(fd, q->index, q->vr.num));
	if (!ret)
		ret = vt_failed("SET_VRING_BASE",
				vhost_set_vring_base(fd, q->index, base));
	if (!ret)
		ret = vt_failed("SET_VRING_ADDR",
				ctl_call(fd, VHOST_SET_VRING_ADDR, &a));
	if (!ret)
		ret = vt_failed("SET_VRING_KICK",
				vhost_set_vring_kick(fd, q->index, q->kick));
	if (!ret)
		ret = vt_failed("SET_VRING_CALL",
				vhost_set_vring_call(fd, q->index, q->call));
	if (!ret)
		ret = vt_failed("SET_VRING_ENABLE",
				vdpa_enable(fd, q->index, true));
	return ret;
}

int vdpa_setup_queues(struct vblk *d)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < d->nr_queues; i++)
		ret = vdpa_setup_queue(&d->q[i], vring_base(&d->q[i].vr));
	if (!ret)
		ret = vt_failed("SET_CONFIG_CALL",
				vdpa_set_config_call(d->fd, d->q[0].err));
	return ret;
}

int vdpa_start(struct vblk *d)
{
	return vt_failed("DRIVER_OK", vdpa_set_status(d->fd, VDPA_RUNNING));
}

int vdpa_open(struct vblk *d, const struct vblk_opts *o)
{
	int ret;

	ret = vdpa_attach(d, o);
	if (!ret)
		ret = vdpa_negotiate(d);
	if (!ret)
		ret = vblk_make_memory(d);
	if (!ret)
		ret = vdpa_map_mem(d->fd, &d->mem);
	if (!ret)
		ret = vdpa_setup_queues(d);
	if (!ret && !o->no_start)
		ret = vdpa_start(d);
	if (ret)
		vblk_close(d);
	return ret;
}

int vdpa_reset(struct vblk *d)
{
	unsigned int i;
	int ret;

	ret = vt_failed("device reset", vdpa_set_status(d->fd, 0));
	for (i = 0; i < d->nr_queues; i++) {
		vblk_forget(&d->q[i]);
		vring_reset(&d->q[i].vr, d->o.start_index);
	}
	if (!ret)
		ret = vdpa_negotiate(d);
	if (!ret)
		ret = vdpa_setup_queues(d);
	return ret ? ret : vdpa_start(d);
}
