// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "vuser.h"

enum vuser_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_SET_MEM_TABLE = 5,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_SET_VRING_ENABLE = 18,
	VU_GET_CONFIG = 24,
};

#define VU_VERSION 1u
#define VU_REPLY (1u << 2)
#define VU_NEED_REPLY (1u << 3)

/* Among the device's features: there are protocol features. */
#define VU_F_PROTOCOL (1ull << 30)
#define VU_P_MQ (1ull << 0)
#define VU_P_REPLY_ACK (1ull << 3)
#define VU_P_CONFIG (1ull << 9)
#define VU_P_WANTED (VU_P_MQ | VU_P_REPLY_ACK | VU_P_CONFIG)

struct vuser_memory {
	u32 nr;
	u32 padding;
	struct {
		u64 gpa;
		u64 size;
		u64 address;	/* in this process */
		u64 offset;	/* in the file */
	} region[1];
};

/* What every device has of the configuration. */
#define CONFIG_SIZE offsetof(struct virtio_blk_config, max_discard_sectors)

struct vuser_config {
	u32 offset;
	u32 size;
	u32 flags;
	u8 data[CONFIG_SIZE];
} __attribute__((packed));

struct vuser_msg {
	u32 request;
	u32 flags;
	u32 size;
	union {
		u64 value;
		struct vhost_vring_state state;
		struct vhost_vring_addr addr;
		struct vuser_memory memory;
		struct vuser_config config;
	};
} __attribute__((packed));

#define HEADER offsetof(struct vuser_msg, value)

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = VT_PATIENCE };
	int fd, ret;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			sizeof(patience)) &&
	    !connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/* With @passed beside it, if that is an fd. */
static int send_msg(int fd, const struct vuser_msg *m, int passed)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)m, HEADER + m->size };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (passed >= 0) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &passed, sizeof(int));
		h.msg_control = &control;
		h.msg_controllen = sizeof(control.room);
	}
	n = sendmsg(fd, &h, MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return (size_t)n == iov.iov_len ? 0 : -EIO;
}

static int receive(int fd, void *to, size_t len)
{
	ssize_t n = recv(fd, to, len, MSG_WAITALL);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -ECONNRESET;
}

static int get_reply(int fd, struct vuser_msg *m)
{
	u32 request = m->request;
	int ret = receive(fd, m, HEADER);

	if (ret)
		return ret;
	if (m->request != request || !(m->flags & VU_REPLY) ||
	    m->size > sizeof(*m) - HEADER)
		return -EPROTO;
	return receive(fd, &m->value, m->size);
}

/* One that is answered. */
static int ask(int fd, struct vuser_msg *m)
{
	int ret;

	m->flags = VU_VERSION;
	ret = send_msg(fd, m, -1);
	return ret ? ret : get_reply(fd, m);
}

/* One that is answered only by how it went, and only if @ack. */
static int tell(int fd, struct vuser_msg *m, int passed, bool ack)
{
	int ret;

	m->flags = VU_VERSION | (ack ? VU_NEED_REPLY : 0);
	ret = send_msg(fd, m, passed);
	if (ret || !ack)
		return ret;
	ret = get_reply(fd, m);
	if (ret)
		return ret;
	return m->value ? -EREMOTEIO : 0;
}

static int get_value(int fd, u32 request, u64 *value)
{
	struct vuser_msg m = { .request = request };
	int ret = ask(fd, &m);

	*value = m.value;
	return ret;
}

static int set_value(int fd, u32 request, u64 value, int passed, bool ack)
{
	struct vuser_msg m = {
		.request = request,
		.size = sizeof(m.value),
		.value = value,
	};

	return tell(fd, &m, passed, ack);
}

static int set_state(int fd, u32 request, unsigned int queue, u32 num)
{
	struct vuser_msg m = {
		.request = request,
		.size = sizeof(m.state),
		.state = { queue, num },
	};

	return tell(fd, &m, -1, true);
}

static int negotiate(struct vblk *d)
{
	struct vuser_msg owner = { .request = VU_SET_OWNER };
	u64 protocol = 0;
	int ret;

	ret = get_value(d->fd, VU_GET_FEATURES, &d->offered);
	if (!ret)
		ret = tell(d->fd, &owner, -1, false);
	if (!ret && d->offered & VU_F_PROTOCOL)
		ret = get_value(d->fd, VU_GET_PROTOCOL_FEATURES, &protocol);
	if (ret)
		return vt_failed("vhost-user features", ret);
	if (~protocol & (VU_P_REPLY_ACK | VU_P_CONFIG))
		return vt_failed("REPLY_ACK and CONFIG", -EOPNOTSUPP);
	ret = vt_failed("SET_PROTOCOL_FEATURES",
			set_value(d->fd, VU_SET_PROTOCOL_FEATURES,
				  protocol & VU_P_WANTED, -1, false));
	if (!ret)
		ret = vblk_choose_features(d);
	if (ret)
		return ret;
	return vt_failed("SET_FEATURES",
			 set_value(d->fd, VU_SET_FEATURES,
				   d->features | VU_F_PROTOCOL, -1, true));
}

static int read_config(struct vblk *d)
{
	struct vuser_msg m = {
		.request = VU_GET_CONFIG,
		.size = sizeof(m.config),
		.config.size = CONFIG_SIZE,
	};
	int ret = ask(d->fd, &m);

	/* An empty answer is a refusal. */
	if (!ret && m.size != sizeof(m.config))
		ret = -EREMOTEIO;
	if (!ret)
		memcpy(&d->config, m.config.data, CONFIG_SIZE);
	return vt_failed("GET_CONFIG", ret);
}

static int share_memory(struct vblk *d)
{
	const struct mem_region *r = d->mem.region;
	struct vuser_msg m = {
		.request = VU_SET_MEM_TABLE,
		.size = sizeof(m.memory),
		.memory.nr = 1,
		.memory.region[0] = { r->gpa, r->size, (uintptr_t)r->hva, 0 },
	};

	return vt_failed("SET_MEM_TABLE", tell(d->fd, &m, d->mem.memfd, true));
}

static int set_addr(struct vblk_queue *q)
{
	struct vuser_msg m = {
		.request = VU_SET_VRING_ADDR,
		.size = sizeof(m.addr),
		.addr = {
			.index = q->index,
			.desc_user_addr = (uintptr_t)q->vr.desc_area,
			.avail_user_addr = (uintptr_t)q->vr.driver_area,
			.used_user_addr = (uintptr_t)q->vr.device_area,
		},
	};

	return tell(q->d->fd, &m, -1, true);
}

static int setup_queue(struct vblk_queue *q)
{
	unsigned int i = q->index;
	int fd = q->d->fd, ret;

	ret = set_state(fd, VU_SET_VRING_NUM, i, q->vr.num);
	if (!ret)
		ret = set_state(fd, VU_SET_VRING_BASE, i, vring_base(&q->vr));
	if (!ret)
		ret = set_addr(q);
	if (!ret)
		ret = set_value(fd, VU_SET_VRING_ERR, i, q->err, true);
	if (!ret)
		ret = set_value(fd, VU_SET_VRING_CALL, i, q->call, true);
	if (!ret)
		ret = set_value(fd, VU_SET_VRING_KICK, i, q->kick, true);
	if (!ret)
		ret = set_state(fd, VU_SET_VRING_ENABLE, i, 1);
	return vt_failed("vhost-user queue", ret);
}

int vuser_open(struct vblk *d, const struct vblk_opts *o)
{
	unsigned int i;
	int ret;

	vblk_init(d, o);
	d->fd = connect_to(o->target);
	if (d->fd < 0)
		return vt_failed(o->target, d->fd);
	d->open = true;
	ret = negotiate(d);
	if (!ret)
		ret = read_config(d);
	if (!ret)
		ret = vblk_make_memory(d);
	if (!ret)
		ret = share_memory(d);
	for (i = 0; !ret && i < d->nr_queues; i++)
		ret = setup_queue(&d->q[i]);
	if (ret)
		vblk_close(d);
	return ret;
}
