// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/nbd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nbd.h"

#define NODE "/dev/nbd0"
#define MOST (1 * MIB)		/* bytes of a request */

static bool get(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

static bool put(int fd, const void *buf, size_t len)
{
	return send(fd, buf, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool serve_one(struct nbd *n, u8 *buf)
{
	struct nbd_reply reply = { .magic = htonl(NBD_REPLY_MAGIC) };
	struct nbd_request r;
	u32 len;

	if (!get(n->sock[1], &r, sizeof(r)) || r.type == htonl(NBD_CMD_DISC))
		return false;
	while (__atomic_load_n(&n->stalled, __ATOMIC_RELAXED))
		sleep_ms(1);
	len = ntohl(r.len);
	if (len > MOST ||
	    (r.type == htonl(NBD_CMD_WRITE) && !get(n->sock[1], buf, len)))
		return false;
	memcpy(&reply.handle, &r.handle, sizeof(reply.handle));
	if (!put(n->sock[1], &reply, sizeof(reply)))
		return false;
	if (r.type != htonl(NBD_CMD_READ))
		return true;
	memset(buf, 0, len);
	return put(n->sock[1], buf, len);
}

static void *serve(void *arg)
{
	static u8 buf[MOST];
	struct nbd *n = arg;

	while (serve_one(n, buf))
		;
	shutdown(n->sock[1], SHUT_RDWR);
	return NULL;
}

/* Until it is disconnected. */
static void *client(void *arg)
{
	struct nbd *n = arg;

	ioctl(n->dev, NBD_DO_IT);
	ioctl(n->dev, NBD_CLEAR_SOCK);
	return NULL;
}

static int set_up(struct nbd *n, u64 size)
{
	if (ioctl(n->dev, NBD_CLEAR_SOCK) ||
	    ioctl(n->dev, NBD_SET_BLKSIZE, PAGE) ||
	    ioctl(n->dev, NBD_SET_SIZE_BLOCKS, size / PAGE) ||
	    ioctl(n->dev, NBD_SET_SOCK, n->sock[0]))
		return -errno;
	if (pthread_create(&n->server, NULL, serve, n))
		return -EAGAIN;
	if (pthread_create(&n->client, NULL, client, n)) {
		shutdown(n->sock[1], SHUT_RDWR);
		pthread_join(n->server, NULL);
		return -EAGAIN;
	}
	n->up = true;
	return 0;
}

static bool has_size(u64 size)
{
	unsigned long long sectors = 0;
	char text[32];

	return !read_text("/sys/block/nbd0/size", text, sizeof(text)) &&
	       sscanf(text, "%llu", &sectors) == 1 && sectors == size / SECTOR;
}

int nbd_create(struct nbd *n, struct disk *d, unsigned int size_mb)
{
	u64 size = size_mb * MIB;
	int ret;

	memset(n, 0, sizeof(*n));
	memset(d, 0, sizeof(*d));
	shell("modprobe -q nbd nbds_max=1 max_part=0");
	n->dev = open(NODE, O_RDWR | O_CLOEXEC);
	if (n->dev < 0)
		return -ENODEV;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, n->sock)) {
		ret = -errno;
		close(n->dev);
		return ret;
	}
	d->kind = DISK_BDEV;
	d->block_size = PAGE;
	d->capacity = size;
	snprintf(d->path, sizeof(d->path), NODE);
	ret = set_up(n, size);
	if (!ret && !vt_wait(has_size(size)))
		ret = -ETIMEDOUT;
	if (ret)
		nbd_destroy(n);
	return ret;
}

void nbd_stall(struct nbd *n, bool stall)
{
	__atomic_store_n(&n->stalled, stall, __ATOMIC_RELAXED);
}

void nbd_destroy(struct nbd *n)
{
	if (!n->sock[1])
		return;
	nbd_stall(n, false);
	if (n->up) {
		ioctl(n->dev, NBD_DISCONNECT);
		pthread_join(n->server, NULL);
		pthread_join(n->client, NULL);
	}
	close(n->sock[0]);
	close(n->sock[1]);
	close(n->dev);
	memset(n, 0, sizeof(*n));
}
