// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ops.h"
#include "vdpa.h"
#include "vfio.h"

#define NAME_PREFIX "fuzz."

const char *const target_name[TARGETS] = {
	[T_BLK] = NAME_PREFIX "blk",
	[T_SCSI] = NAME_PREFIX "scsi",
	[T_NVME] = NAME_PREFIX "nvme",
	[T_VDPA] = NAME_PREFIX "vdpa",
	[T_VDPA_SCSI] = NAME_PREFIX "vdpa-scsi",
	[T_VFIO] = NAME_PREFIX "vfio",
};

#define LONG_NAME "0123456789abcdef0123456789abcdef0123456789abcdef"

const char *const names[NAMES] = {
	NAME_PREFIX "blk", NAME_PREFIX "scsi", NAME_PREFIX "nvme",
	NAME_PREFIX "vdpa", NAME_PREFIX "vdpa-scsi", NAME_PREFIX "vfio",
	NAME_PREFIX "new", NAME_PREFIX "new2", "", "-x", "a/b",
	LONG_NAME "0123456789abcde", LONG_NAME "0123456789abcdef+",
	NAME_PREFIX "scsi@guest", NAME_PREFIX "vdpa-scsi@-", "nobody",
};

static const char *const strs[] = {
	"", "naa.3000000000000001", "naa.600000000000000000", "vt", "\001",
	LONG_NAME, "naa.5000000000000abc",
};

#define FILE_PATH "/tmp/vt-fuzz.file"

/* The first is the null backend's: none; the last a disk of the tests. */
static char disk_path[256];
static const char *const paths[] = {
	"", FILE_PATH, "/dev/null", "/", "/nonexistent", disk_path,
	"/proc/self/mem", LONG_NAME LONG_NAME LONG_NAME,
};

static const struct {
	u32 type;
	u32 flags;
} targets[TARGETS] = {
	[T_BLK] = { VHOST_TARGET_BLK, VHOST_TARGET_F_SHARED },
	[T_SCSI] = { VHOST_TARGET_SCSI, VHOST_TARGET_F_SHARED },
	[T_NVME] = { VHOST_TARGET_NVME, VHOST_TARGET_F_SHARED },
	[T_VDPA] = { VHOST_TARGET_BLK, VHOST_TARGET_F_VDPA },
	[T_VDPA_SCSI] = { VHOST_TARGET_SCSI, VHOST_TARGET_F_VDPA },
	[T_VFIO] = { VHOST_TARGET_NVME, VHOST_TARGET_F_VFIO },
};

/* Targets. */

static int add_unit(struct machine *m, unsigned int i)
{
	struct vhost_target_unit_add u;

	ctl_init_unit(&u, target_name[i]);
	u.unit = 0;
	u.block_size = SECTOR;
	if (i > T_NVME) {
		u.backend = VHOST_TARGET_BACKEND_NULL;
		u.capacity = 16 * MIB;
	} else {
		u.backend = VHOST_TARGET_BACKEND_BDEV;
		u.path_ptr = (uintptr_t)m->disk[i].path;
	}
	return ctl_call(m->ctl, VHOST_TARGET_UNIT_ADD, &u);
}

static int add_target(struct machine *m, unsigned int i)
{
	struct vhost_target_create c;

	ctl_init_create(&c, target_name[i]);
	c.type = targets[i].type;
	c.flags = targets[i].flags;
	c.num_queues = 2;
	c.nr_pollers = 1;
	c.pollers_ptr = (uintptr_t)&m->poller;
	return ctl_call(m->ctl, VHOST_TARGET_CREATE, &c);
}

static int refresh_target(struct machine *m, unsigned int i)
{
	struct vhost_target_unit_info u;
	int ret = ctl_unit(m->ctl, target_name[i], 0, &u);

	if (ret != -ENOENT)
		return ret;
	ret = add_target(m, i);
	if (ret && ret != -EEXIST)
		return ret;
	ret = add_unit(m, i);
	return ret == -EEXIST ? 0 : ret;
}

int machine_refresh(struct machine *m)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < TARGETS; i++) {
		if (!m->has[i])
			continue;
		ret = refresh_target(m, i);
		/* A program may have taken its disk. */
		if (ret == -EBUSY) {
			machine_sweep(m);
			ret = refresh_target(m, i);
		}
		if (ret)
			vt_msg("%s: %s", target_name[i], strerror(-ret));
	}
	return ret;
}

static bool is_lasting(const char *name)
{
	unsigned int i;

	for (i = 0; i < TARGETS; i++)
		if (!strcmp(name, target_name[i]))
			return true;
	return false;
}

void machine_sweep(struct machine *m)
{
	struct vhost_target_info info = { 0 };
	char name[VHOST_TARGET_NAME_LEN] = "";
	struct vhost_target_poller p;
	unsigned int id = 0;

	while (!ctl_next(m->ctl, name, &info)) {
		memcpy(name, info.name, sizeof(name));
		if (strncmp(name, "vtbed.", 6) && !is_lasting(name))
			ctl_destroy(m->ctl, name);
	}
	for (; !ctl_poller_next(m->ctl, id, &p); id = p.id + 1)
		if (p.id != m->poller)
			ctl_poller_remove(m->ctl, p.id);
	ctl_poller_set(m->ctl, m->poller, 50);
}

/* Memory. */

static int map_at(u64 at, u64 size, int prot, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *p = mmap((void *)(uintptr_t)at, size, prot, flags | MAP_FIXED,
		       fd, 0);

	return p == MAP_FAILED ? -errno : 0;
}

static int map_all(struct machine *m)
{
	unsigned int i;
	int ret;

	ret = map_at(GUEST, GUEST_SIZE, PROT_READ | PROT_WRITE, m->memfd);
	for (i = 0; !ret && i < 2; i++) {
		u64 off = i * 0x10000;

		ret = map_at(ARGS + off, ARGS_SIZE, PROT_READ | PROT_WRITE,
			     -1);
		if (!ret)
			ret = map_at(ARGS_READ_ONLY + off, PAGE, PROT_READ,
				     -1);
	}
	return ret;
}

static bool has_door(u32 flags)
{
	if (flags & VHOST_TARGET_F_VDPA)
		return !vdpa_missing();
	return !(flags & VHOST_TARGET_F_VFIO) || !vfio_missing();
}

int machine_open(struct machine *m)
{
	unsigned int i;
	int ret;

	memset(m->fd, 0xff, sizeof(m->fd));
	memset(m->db, 0, sizeof(m->db));
	m->ctl = ctl_open();
	m->memfd = memfd_create("guest", MFD_CLOEXEC);
	if (m->ctl < 0 || m->memfd < 0 || ftruncate(m->memfd, GUEST_SIZE))
		return vt_failed("machine", -errno);
	ret = ctl_some_poller(m->ctl);
	if (ret < 0)
		return vt_failed("poller", ret);
	m->poller = ret;
	for (i = 0; i < TARGETS; i++)
		m->has[i] = has_door(targets[i].flags);
	for (i = 0; i < EVENTFDS; i++)
		m->efd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snprintf(disk_path, sizeof(disk_path), "%s", m->disk[T_VDPA].path);
	close(open(FILE_PATH, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	if (truncate(FILE_PATH, 4 * MIB))
		return vt_failed(FILE_PATH, -errno);
	return vt_failed("memory", map_all(m));
}

void machine_reset(struct machine *m)
{
	unsigned int i, slot;
	u64 count;

	for (slot = 0; slot < SLOTS; slot++) {
		if (m->db[slot])
			munmap((void *)m->db[slot], PAGE);
		m->db[slot] = NULL;
		/* Devices before their groups and containers. */
		for (i = NODES; i--;) {
			if (m->fd[i][slot] >= 0)
				close(m->fd[i][slot]);
			m->fd[i][slot] = -1;
		}
	}
	for (i = 0; i < EVENTFDS; i++)
		while (read(m->efd[i], &count, sizeof(count)) > 0)
			;
	map_at(GUEST, GUEST_SIZE, PROT_READ | PROT_WRITE, m->memfd);
	fallocate(m->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		  GUEST_SIZE);
}

/* What a choice stands for. */

static u64 ptr_of(const struct field *f, u64 choice)
{
	u64 more = choice >> 3;

	switch (choice & 7) {
	case 0:
		return GUEST + (f->param + more) % GUEST_SIZE;
	case 1:
		return 0;
	case 2:
		return NOWHERE + more % GUEST_SIZE;
	case 3:
		return ARGS + more % ARGS_SIZE;
	case 4:
		return 0xffff888000001000ull + more;
	case 5:
		return GUEST + GUEST_SIZE - more % PAGE;
	case 6:
		return ARGS_READ_ONLY;
	default:
		return more;
	}
}

static u64 eventfd_of(const struct machine *m, const struct field *f,
		      u64 choice)
{
	u64 i = (f->param + choice) % (EVENTFDS + 7);

	if (i < EVENTFDS)
		return m->efd[i];
	switch (i - EVENTFDS) {
	case 0:
		return m->memfd;
	case 1:
		return m->fd[N_BLK][0];
	case 2:
		return m->fd[N_VFIO][0];
	case 3:
		return 9999;
	case 4:
		return -2;
	default:
		return -1;
	}
}

static u64 fd_of(const struct machine *m, const struct field *f, u64 choice)
{
	return m->fd[(f->param + choice) % NODES][choice >> 4 & 1];
}

static u64 path_of(const struct field *f, u64 choice)
{
	const char *path = paths[(f->param + choice) % ARRAY_SIZE(paths)];

	if (choice >> 6 & 1)
		return NOWHERE;
	return *path ? (uintptr_t)path : 0;
}

static u64 value_of(const struct machine *m, const struct field *f,
		    u64 choice)
{
	switch (f->kind) {
	case K_PTR:
		return ptr_of(f, choice);
	case K_PATH:
		return path_of(f, choice);
	case K_EVENTFD:
		return eventfd_of(m, f, choice);
	case K_FD:
		return fd_of(m, f, choice);
	default:
		return f->param ^ choice;
	}
}

static void put_text(u8 *to, u16 size, const char *text)
{
	memset(to, 0, size);
	memcpy(to, text, strnlen(text, size));
}

static void put_field(u8 *arg, const struct machine *m, const struct field *f,
		      u64 choice)
{
	u64 value;

	switch (f->kind) {
	case K_NAME:
		put_text(arg + f->off, f->size,
			 names[(f->param + choice) % NAMES]);
		return;
	case K_STR:
		put_text(arg + f->off, f->size,
			 strs[(f->param + choice) % ARRAY_SIZE(strs)]);
		return;
	default:
		value = value_of(m, f, choice);
		memcpy(arg + f->off, &value, f->size);
	}
}

/* Where an argument of @size bytes goes. */
static u8 *place_of(enum place place, u16 size, unsigned int args)
{
	u8 *at = (u8 *)(uintptr_t)(ARGS + args * 0x10000);

	memset(at, place == AT_RANDOM ? 0xa5 : 0, ARGS_SIZE);
	switch (place) {
	case AT_END:
		return at + ARGS_SIZE - size;
	case AT_READ_ONLY:
		return at + 4 * PAGE;
	case ACROSS:
		return at + ARGS_SIZE - size / 2;
	default:
		return at;
	}
}

static void put_arg(u8 *to, const u8 *arg, u16 size, enum place place)
{
	u16 len = place == ACROSS ? size / 2 : size;

	if (place == AT_READ_ONLY)
		mprotect(to, PAGE, PROT_READ | PROT_WRITE);
	memcpy(to, arg, len);
	if (place == AT_READ_ONLY)
		mprotect(to, PAGE, PROT_READ);
}

static long do_ioctl(struct machine *m, const struct desc *d, int fd,
		     const struct call *c, unsigned int args)
{
	u8 arg[2048] = { 0 };
	const struct field *f;
	u8 *at;

	for (f = d->f; f->kind; f++)
		put_field(arg, m, f, c->arg[f - d->f]);
	at = place_of(c->place % PLACES, d->size, args);
	put_arg(at, arg, d->size, c->place % PLACES);
	return ioctl(fd, d->nr, at);
}

static void values(const struct machine *m, const struct desc *d,
		   const struct call *c, u64 *v)
{
	const struct field *f;

	for (f = d->f; f->kind; f++)
		v[f - d->f] = value_of(m, f, c->arg[f - d->f]);
}

static void keep_fd(struct machine *m, const struct desc *d,
		    unsigned int slot, int fd)
{
	int *at = &m->fd[d->makes][slot];

	if (*at >= 0)
		close(*at);
	*at = fd;
}

long machine_call(struct machine *m, const struct call *c, unsigned int args)
{
	const struct desc *d = &descs[c->desc % nr_descs];
	unsigned int slot = c->slot % SLOTS;
	int fd = m->fd[d->node][slot];
	u64 v[MAX_FIELDS] = { 0 }, then = now_ns();
	long ret;

	values(m, d, c, v);
	if (d->run)
		ret = d->run(m, fd, slot, v);
	else if (d->by_value)
		ret = ioctl(fd, d->nr, v[0]);
	else
		ret = do_ioctl(m, d, fd, c, args);
	if (ret >= 0 && d->makes)
		keep_fd(m, d, slot, ret);
	m->sh->calls++;
	m->sh->ns[d - descs] += now_ns() - then;
	m->sh->done[d - descs]++;
	if (ret >= 0)
		m->sh->good[d - descs]++;
	return ret;
}
