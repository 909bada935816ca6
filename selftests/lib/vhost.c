// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>

#include "ctl.h"
#include "vhost.h"

int vhost_open(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vhost_set_owner(int fd)
{
	return ctl_call(fd, VHOST_SET_OWNER, NULL);
}

int vhost_attach(int fd, const char *name)
{
	struct vhost_target_attach a = { .size = sizeof(a) };

	memcpy(a.name, name, strnlen(name, sizeof(a.name)));
	return ctl_call(fd, VHOST_TARGET_ATTACH, &a);
}

int vhost_get_features(int fd, u64 *features)
{
	__u64 value = 0;
	int ret;

	ret = ctl_call(fd, VHOST_GET_FEATURES, &value);
	*features = value;
	return ret;
}

int vhost_set_features(int fd, u64 features)
{
	__u64 value = features;

	return ctl_call(fd, VHOST_SET_FEATURES, &value);
}

int vhost_set_mem_table(int fd, struct vhost_memory *table)
{
	return ctl_call(fd, VHOST_SET_MEM_TABLE, table);
}

static int set_state(int fd, unsigned long request, unsigned int queue,
		     u32 value)
{
	struct vhost_vring_state s = { .index = queue, .num = value };

	return ctl_call(fd, request, &s);
}

int vhost_set_vring_num(int fd, unsigned int queue, unsigned int num)
{
	return set_state(fd, VHOST_SET_VRING_NUM, queue, num);
}

int vhost_set_vring_base(int fd, unsigned int queue, u32 base)
{
	return set_state(fd, VHOST_SET_VRING_BASE, queue, base);
}

int vhost_get_vring_base(int fd, unsigned int queue, u32 *base)
{
	struct vhost_vring_state s = { .index = queue };
	int ret;

	ret = ctl_call(fd, VHOST_GET_VRING_BASE, &s);
	*base = s.num;
	return ret;
}

int vhost_set_vring_addr(int fd, unsigned int queue, void *desc, void *driver,
			 void *device)
{
	struct vhost_vring_addr a = {
		.index = queue,
		.desc_user_addr = (uintptr_t)desc,
		.avail_user_addr = (uintptr_t)driver,
		.used_user_addr = (uintptr_t)device,
	};

	return ctl_call(fd, VHOST_SET_VRING_ADDR, &a);
}

static int set_file(int fd, unsigned long request, unsigned int queue,
		    int eventfd)
{
	struct vhost_vring_file f = { .index = queue, .fd = eventfd };

	return ctl_call(fd, request, &f);
}

int vhost_set_vring_kick(int fd, unsigned int queue, int eventfd)
{
	return set_file(fd, VHOST_SET_VRING_KICK, queue, eventfd);
}

int vhost_set_vring_call(int fd, unsigned int queue, int eventfd)
{
	return set_file(fd, VHOST_SET_VRING_CALL, queue, eventfd);
}

int vhost_set_vring_err(int fd, unsigned int queue, int eventfd)
{
	return set_file(fd, VHOST_SET_VRING_ERR, queue, eventfd);
}

static int run(int fd, unsigned long request)
{
	struct vhost_target_run r = { .size = sizeof(r) };

	return ctl_call(fd, request, &r);
}

int vhost_start(int fd)
{
	return run(fd, VHOST_TARGET_START);
}

int vhost_stop(int fd)
{
	return run(fd, VHOST_TARGET_STOP);
}

static int config(int fd, unsigned long request, unsigned int offset,
		  const void *buf, unsigned int len)
{
	struct vhost_target_config c = {
		.size = sizeof(c),
		.offset = offset,
		.len = len,
		.data_ptr = (uintptr_t)buf,
	};

	return ctl_call(fd, request, &c);
}

int vhost_get_config(int fd, unsigned int offset, void *buf, unsigned int len)
{
	return config(fd, VHOST_TARGET_GET_CONFIG, offset, buf, len);
}

int vhost_set_config(int fd, unsigned int offset, const void *buf,
		     unsigned int len)
{
	return config(fd, VHOST_TARGET_SET_CONFIG, offset, buf, len);
}

int vhost_get_device(int fd, struct vhost_target_device *device)
{
	memset(device, 0, sizeof(*device));
	device->size = sizeof(*device);
	return ctl_call(fd, VHOST_TARGET_GET_DEVICE, device);
}

int vhost_set_config_call(int fd, int eventfd)
{
	struct vhost_target_eventfd e = { .size = sizeof(e), .fd = eventfd };

	return ctl_call(fd, VHOST_TARGET_SET_CONFIG_CALL, &e);
}

static int endpoint(int fd, unsigned long request, const char *wwpn)
{
	struct vhost_scsi_target t = { .abi_version = VHOST_SCSI_ABI_VERSION };

	memcpy(t.vhost_wwpn, wwpn, strnlen(wwpn, sizeof(t.vhost_wwpn)));
	return ctl_call(fd, request, &t);
}

int vhost_set_endpoint(int fd, const char *wwpn)
{
	return endpoint(fd, VHOST_SCSI_SET_ENDPOINT, wwpn);
}

int vhost_clear_endpoint(int fd, const char *wwpn)
{
	return endpoint(fd, VHOST_SCSI_CLEAR_ENDPOINT, wwpn);
}

int vhost_set_events_missed(int fd, u32 missed)
{
	return ctl_call(fd, VHOST_SCSI_SET_EVENTS_MISSED, &missed);
}

int vhost_get_events_missed(int fd, u32 *missed)
{
	return ctl_call(fd, VHOST_SCSI_GET_EVENTS_MISSED, missed);
}

int vhost_new_worker(int fd, u32 *id)
{
	struct vhost_worker_state s = { .worker_id = ~0u };
	int ret = ctl_call(fd, VHOST_NEW_WORKER, &s);

	*id = s.worker_id;
	return ret;
}

int vhost_free_worker(int fd, u32 id)
{
	struct vhost_worker_state s = { .worker_id = id };

	return ctl_call(fd, VHOST_FREE_WORKER, &s);
}

int vhost_attach_worker(int fd, unsigned int queue, u32 id)
{
	struct vhost_vring_worker w = { .index = queue, .worker_id = id };

	return ctl_call(fd, VHOST_ATTACH_VRING_WORKER, &w);
}

int vhost_get_worker(int fd, unsigned int queue, u32 *id)
{
	struct vhost_vring_worker w = { .index = queue, .worker_id = ~0u };
	int ret = ctl_call(fd, VHOST_GET_VRING_WORKER, &w);

	*id = w.worker_id;
	return ret;
}
