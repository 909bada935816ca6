// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ops.h"
#include "vdpa.h"
#include "vfio.h"

/* Nodes. */

static int open_group(const char *target)
{
	char path[320], link[256];
	const char *nr;
	ssize_t len;

	snprintf(path, sizeof(path), VFIO_DEVICES "/%s/iommu_group", target);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = 0;
	nr = strrchr(link, '/');
	snprintf(path, sizeof(path), "/dev/vfio/%.32s", nr ? nr + 1 : link);
	return open(path, O_RDWR | O_CLOEXEC);
}

int node_open(enum node node, unsigned int slot)
{
	static const char *const path[NODES] = {
		[N_CTL] = CTL_NODE,
		[N_BLK] = VHOST_BLK_NODE,
		[N_SCSI] = VHOST_SCSI_NODE,
		[N_NVME] = "/dev/vhost-nvme",
		[N_CONTAINER] = VFIO_NODE,
	};

	switch (node) {
	case N_VDPA:
		return vdpa_open_node(target_name[slot ? T_VDPA_SCSI :
						  T_VDPA]);
	case N_GROUP:
		return open_group(target_name[T_VFIO]);
	default:
		return path[node] ? open(path[node], O_RDWR | O_CLOEXEC) : -1;
	}
}

static void put_fd(int *at, int fd)
{
	int old = *at;

	*at = fd < 0 ? -1 : fd;
	if (old >= 0)
		close(old);
}

long run_open(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	enum node node = v[0] % NODES;

	fd = node_open(node, slot ^ (v[1] & 1));
	if (fd >= 0)
		put_fd(&m->fd[node][slot], fd);
	return fd;
}

long run_close(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	put_fd(&m->fd[v[0] % NODES][slot], -1);
	return 0;
}

long run_kick(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	return write(m->efd[v[0] % EVENTFDS], &v[1], sizeof(v[1]));
}

/* For an interrupt, or a while. */
long run_pause(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	struct pollfd p = { .fd = m->efd[1], .events = POLLIN };
	u64 count;

	if (poll(&p, 1, v[0] % 8 * 20) == 1)
		return read(p.fd, &count, sizeof(count));
	return 0;
}

/* Memory: as QEMU's, shared; what was in it is still there afterwards. */

static long map_guest(struct machine *m, u64 at, u64 size)
{
	void *p = mmap((void *)(uintptr_t)(GUEST + at), size,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		       m->memfd, at);

	return p == MAP_FAILED ? -1 : 0;
}

long run_memory(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	u64 at = v[1] * PAGE % GUEST_SIZE;
	u64 size = (v[2] % 256 + 1) * PAGE;
	void *p = (void *)(uintptr_t)(GUEST + at);

	if (size > GUEST_SIZE - at)
		size = GUEST_SIZE - at;
	switch (v[0] % 8) {
	case 0:
		return madvise(p, size, MADV_DONTNEED);
	case 1:
		return munmap(p, size);
	case 2:
		return mprotect(p, size, PROT_NONE);
	case 3:
		return mprotect(p, size, PROT_READ);
	case 4:
		return fallocate(m->memfd, FALLOC_FL_PUNCH_HOLE |
				 FALLOC_FL_KEEP_SIZE, at, size);
	case 5:
		return mprotect(p, size, PROT_READ | PROT_WRITE);
	case 6:
		p = mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			   NOWHERE);
		if (p != MAP_FAILED)
			munmap(p, size);
		return p == MAP_FAILED ? -1 : 0;
	default:
		return map_guest(m, at, size);
	}
}

/* Guest memory by its file: it need not be mapped. */

static void put(struct machine *m, u64 gpa, const void *from, u32 len)
{
	if (pwrite(m->memfd, from, len, gpa % GUEST_SIZE) < 0)
		vt_msg("guest memory: %s", strerror(errno));
}

static void get(struct machine *m, u64 gpa, void *to, u32 len)
{
	memset(to, 0, len);
	if (pread(m->memfd, to, len, gpa % GUEST_SIZE) < 0)
		vt_msg("guest memory: %s", strerror(errno));
}

long run_scribble(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	put(m, v[0], &v[1], sizeof(v[1]));
	return 0;
}

struct chain {
	struct vring_desc desc[4];
	unsigned int nr;
};

static void add_desc(struct chain *c, u64 addr, u32 len, bool write)
{
	if (!len)
		return;
	c->desc[c->nr++] = (struct vring_desc) {
		.addr = addr, .len = len,
		.flags = write ? VRING_DESC_F_WRITE : 0,
	};
}

static void put_split(struct machine *m, u64 base, struct chain *c, u16 add)
{
	unsigned int i;
	u16 idx, head;

	get(m, base + Q_AVAIL + 2, &idx, sizeof(idx));
	head = idx * 4 % Q_NUM;
	for (i = 0; i + 1 < c->nr; i++) {
		c->desc[i].flags |= VRING_DESC_F_NEXT;
		c->desc[i].next = head + i + 1;
	}
	put(m, base + head * 16, c->desc, c->nr * 16);
	put(m, base + Q_AVAIL + 4 + idx % Q_NUM * 2, &head, sizeof(head));
	idx += add;
	put(m, base + Q_AVAIL + 2, &idx, sizeof(idx));
}

/* Where a packed ring goes on is kept where no ring has anything. */
#define PACKED_AT (Q_AVAIL + 0x800)

static void put_packed(struct machine *m, u64 base, struct chain *c, u16 add)
{
	struct vring_packed_desc d;
	unsigned int i;
	u16 at, avail;

	get(m, base + PACKED_AT, &at, sizeof(at));
	for (i = 0; i < c->nr; i++) {
		avail = (at + i) / Q_NUM % 2 ? 1 << 15 : 1 << 7;
		d = (struct vring_packed_desc) {
			.addr = c->desc[i].addr, .len = c->desc[i].len,
			.id = at % Q_NUM,
			.flags = c->desc[i].flags ^ avail,
		};
		if (i + 1 < c->nr)
			d.flags |= VRING_DESC_F_NEXT;
		put(m, base + (at + i) % Q_NUM * 16, &d, sizeof(d));
	}
	at += c->nr * add;
	put(m, base + PACKED_AT, &at, sizeof(at));
}

static void put_indirect(struct machine *m, u64 base, struct chain *c)
{
	u64 table = base + Q_DATA + 0x3000;
	unsigned int i;

	for (i = 0; i + 1 < c->nr; i++) {
		c->desc[i].flags |= VRING_DESC_F_NEXT;
		c->desc[i].next = i + 1;
	}
	put(m, table, c->desc, c->nr * 16);
	c->desc[0] = (struct vring_desc) {
		.addr = table, .len = c->nr * 16,
		.flags = VRING_DESC_F_INDIRECT,
	};
	c->nr = 1;
}

/*
 * v: 0 queue, 1-7 words of the header, 8 its length, 9 of the data, 10 whether
 * the device writes that, 11 length of the response, 12 whether it comes
 * first, 13-15 flips bits of the last descriptor's address, length, flags,
 * 16 how far the index goes on, 17 kind of ring, 18 which buffer.
 */
long run_chain(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	u64 base = v[0] % 4 * Q_SIZE;
	u64 hdr = base + Q_HEADERS + v[18] % 8 * 512;
	struct chain c = { .nr = 0 };
	u32 i;

	put(m, hdr, &v[1], 7 * 8);
	add_desc(&c, hdr, v[8], false);
	if (!v[10])
		add_desc(&c, base + Q_DATA, v[9], false);
	if (v[12])
		add_desc(&c, hdr + 256, v[11], true);
	if (v[10])
		add_desc(&c, base + Q_DATA, v[9], true);
	if (!v[12])
		add_desc(&c, hdr + 256, v[11], true);
	if (!c.nr)
		return -1;
	i = c.nr - 1;
	c.desc[i].addr ^= v[13];
	c.desc[i].len ^= v[14];
	c.desc[i].flags ^= v[15];
	if (v[17] & 1)
		put_indirect(m, base, &c);
	if (v[17] & 2)
		put_packed(m, base, &c, v[16]);
	else
		put_split(m, base, &c, v[16]);
	m->sh->chains++;
	return 0;
}

/* NVMe. The tail of a queue is kept behind its entries. */

static u32 put_command(struct machine *m, const u64 *v)
{
	u64 base = NV_QUEUES + v[0] % 4 * 0x2000;
	u32 tail;

	get(m, base + 0x800, &tail, sizeof(tail));
	put(m, base + tail % NV_ENTRIES * 64, &v[1], 64);
	tail = (tail + v[9]) % NV_ENTRIES;
	put(m, base + 0x800, &tail, sizeof(tail));
	m->sh->chains++;
	return tail;
}

long run_nvme_command(struct machine *m, int fd, unsigned int slot,
		      const u64 *v)
{
	struct vhost_target_nvme_reg r = {
		.size = sizeof(r), .offset = 0x1000 + v[0] % 4 * 8,
		.len = 4, .value = put_command(m, v),
	};

	return ioctl(fd, VHOST_TARGET_NVME_WRITE, &r);
}

static u64 region_offset(u64 region)
{
	return region << 40;
}

long run_vfio_command(struct machine *m, int fd, unsigned int slot,
		      const u64 *v)
{
	u32 tail = put_command(m, v);

	return pwrite(fd, &tail, sizeof(tail),
		      region_offset(VFIO_PCI_BAR0_REGION_INDEX) + 0x1000 +
		      v[0] % 4 * 8);
}

long run_map_doorbells(struct machine *m, int fd, unsigned int slot,
		       const u64 *v)
{
	struct vhost_target_nvme_info info = { .size = sizeof(info) };
	u64 off = region_offset(VFIO_PCI_BAR0_REGION_INDEX) + 0x1000;
	void *p;

	if (!ioctl(fd, VHOST_TARGET_NVME_GET, &info))
		off = info.doorbells;
	p = mmap(NULL, v[0], PROT_READ | PROT_WRITE,
		 v[1] & 1 ? MAP_PRIVATE : MAP_SHARED, fd,
		 (off + (v[1] & ~1ull)) & ~(PAGE - 1));
	if (p == MAP_FAILED)
		return -1;
	if (m->db[slot])
		munmap((void *)m->db[slot], PAGE);
	m->db[slot] = p;
	return 0;
}

long run_unmap_doorbells(struct machine *m, int fd, unsigned int slot,
			 const u64 *v)
{
	if (!m->db[slot])
		return -1;
	munmap((void *)m->db[slot], PAGE);
	m->db[slot] = NULL;
	return 0;
}

static __thread sigjmp_buf no_bus;
static __thread bool may_bus;

static void on_bus(int sig)
{
	if (may_bus)
		siglongjmp(no_bus, 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

long run_doorbell(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	volatile u32 *db = m->db[slot];
	long ret = -1;

	if (!db)
		return -1;
	signal(SIGBUS, on_bus);
	signal(SIGSEGV, on_bus);
	may_bus = true;
	if (!sigsetjmp(no_bus, 1)) {
		db[v[0] % 1024] = v[1];
		ret = 0;
	}
	may_bus = false;
	return ret;
}

/* vDPA and VFIO. */

long run_message(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	struct {
		struct vhost_msg_v2 m;
		u8 more[64];
	} msg = {
		.m = {
			.type = v[0], .asid = v[6],
			.iotlb = {
				.type = v[1], .iova = v[2], .size = v[3],
				.uaddr = v[4], .perm = v[5],
			},
		},
	};
	u64 len = v[7];

	return write(fd, &msg, len < sizeof(msg) ? len : sizeof(msg));
}

long run_pread(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	u8 buf[64];

	return pread(fd, buf, v[2] < sizeof(buf) ? v[2] : sizeof(buf),
		     region_offset(v[0] % 12) + v[1]);
}

long run_pwrite(struct machine *m, int fd, unsigned int slot, const u64 *v)
{
	u64 buf[8] = { v[3] };

	return pwrite(fd, buf, v[2] < sizeof(buf) ? v[2] : sizeof(buf),
		      region_offset(v[0] % 12) + v[1]);
}
