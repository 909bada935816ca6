// SPDX-License-Identifier: GPL-2.0
/*
 * A control node in memory, preloaded into vhostctl by test.sh.
 *
 * Answers the ioctls as <linux/vhost_target.h> says, and is as strict: sizes,
 * flags, reserved fields and names are checked. Time stands still but for
 * sleeping, so rates are exact. Environment:
 *
 *  FAKE_CTL_STATE  file that keeps targets and pollers between runs
 *  FAKE_CTL_LOG    file that each changing call adds a line to
 *  FAKE_CTL_FAIL   "nr:errno,nr:errno": calls that fail, before any effect
 *  FAKE_CTL_STUCK  set: GET_NEXT never advances
 *  FAKE_CTL_SYSFS  directory shown in place of /sys/bus/vdpa
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/vhost_target.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define NR_TARGETS	8
#define NR_POLLERS	8
#define NR_UNITS	4
#define NS_PER_S	1000000000ULL

struct fake_unit {
	bool used;
	struct vhost_target_unit_add add;
	char path[VHOST_TARGET_PATH_LEN];
};

struct fake_target {
	bool used;
	struct vhost_target_create create;
	struct fake_unit units[NR_UNITS];
};

static struct state {
	bool ready;
	unsigned long long clock_ns;
	struct fake_target targets[NR_TARGETS];
	struct {
		bool used;
		__u32 cpu, idle_us;
	} pollers[NR_POLLERS];
} *state;

__attribute__((constructor)) static void init(void)
{
	const char *path = getenv("FAKE_CTL_STATE");
	int fd = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;

	if (fd < 0 || ftruncate(fd, sizeof(*state)))
		_exit(99);
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	close(fd);
	if (state == MAP_FAILED)
		_exit(99);
	if (state->ready)
		return;
	state->ready = true;
	state->clock_ns = 10 * NS_PER_S;
	state->pollers[0].used = true;
	state->pollers[0].idle_us = 50;
}

#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))

__printf(1, 2) static void note(const char *fmt, ...)
{
	const char *path = getenv("FAKE_CTL_LOG");
	FILE *f = path ? fopen(path, "a") : NULL;
	va_list ap;

	if (!f)
		return;
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fputc('\n', f);
	fclose(f);
}

static bool is_zero(const void *p, size_t len)
{
	const char *c = p;

	while (len && !*c) {
		c++;
		len--;
	}
	return !len;
}

static bool good_name(const char *name)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ._:-0123456789abcdefghijklmnopqrstuvwxyz";
	size_t len = strnlen(name, VHOST_TARGET_NAME_LEN);

	if (!len || len == VHOST_TARGET_NAME_LEN || *name == '-' ||
	    *name == '.')
		return false;
	return strspn(name, ok) == len;
}

static struct fake_target *lookup(const char *name)
{
	for (int i = 0; i < NR_TARGETS; i++) {
		struct fake_target *t = &state->targets[i];

		if (t->used && !strcmp(t->create.name, name))
			return t;
	}
	return NULL;
}

static struct fake_target *lookup_next(const char *name)
{
	struct fake_target *best = NULL;

	for (int i = 0; i < NR_TARGETS; i++) {
		struct fake_target *t = &state->targets[i];

		if (t->used && strcmp(t->create.name, name) > 0 &&
		    (!best || strcmp(t->create.name, best->create.name) < 0))
			best = t;
	}
	return best;
}

static int do_create(struct vhost_target_create *c)
{
	const __u32 *ids = (const __u32 *)(uintptr_t)c->pollers_ptr;
	char list[256] = "";

	if (c->flags & ~VHOST_TARGET_F_ALL || !good_name(c->name) ||
	    !is_zero(c->reserved, sizeof(c->reserved)) ||
	    (c->wwpn[0] && c->type != VHOST_TARGET_SCSI) ||
	    !c->nr_pollers != !c->pollers_ptr)
		return -EINVAL;
	for (__u32 i = 0; i < c->nr_pollers; i++) {
		if (ids[i] >= NR_POLLERS || !state->pollers[ids[i]].used)
			return -ENOENT;
		sprintf(list + strlen(list), "%s%u", i ? "," : "", ids[i]);
	}
	note("CREATE name=%s flags=%#x type=%u num_queues=%u queue_size=%u uid=%u gid=%u pollers=%s%s%s",
	     c->name, c->flags, c->type, c->num_queues, c->queue_size, c->uid,
	     c->gid, list, c->wwpn[0] ? " wwpn=" : "", c->wwpn);
	if (lookup(c->name))
		return -EEXIST;
	for (int i = 0; i < NR_TARGETS; i++) {
		struct fake_target *t = &state->targets[i];

		if (t->used)
			continue;
		memset(t, 0, sizeof(*t));
		t->used = true;
		t->create = *c;
		return 0;
	}
	return -ENOSPC;
}

static int do_destroy(struct vhost_target_destroy *d)
{
	struct fake_target *t;

	if (d->flags || !good_name(d->name))
		return -EINVAL;
	note("DESTROY name=%s", d->name);
	t = lookup(d->name);
	if (!t)
		return -ENOENT;
	t->used = false;
	return 0;
}

static int do_get(struct vhost_target_info *info)
{
	const struct fake_target *t;

	if (info->flags & ~VHOST_TARGET_GET_NEXT ||
	    !is_zero(info->reserved, sizeof(info->reserved)))
		return -EINVAL;
	if (info->flags && getenv("FAKE_CTL_STUCK") && info->name[0])
		return 0;
	if (!info->flags && !good_name(info->name))
		return -EINVAL;
	t = info->flags ? lookup_next(info->name) : lookup(info->name);
	if (!t)
		return -ENOENT;
	memcpy(info->name, t->create.name, sizeof(info->name));
	memset(info->vdpa_name, 0, sizeof(info->vdpa_name));
	if (t->create.flags & VHOST_TARGET_F_VDPA)
		snprintf(info->vdpa_name, sizeof(info->vdpa_name), "vdpa-%.50s",
			 t->create.name);
	info->type = t->create.type;
	info->target_flags = t->create.flags;
	info->num_queues = t->create.num_queues ? t->create.num_queues : 1;
	info->queue_size = t->create.queue_size ? t->create.queue_size : 256;
	info->uid = t->create.uid;
	info->gid = t->create.gid;
	info->nr_units = 0;
	for (int i = 0; i < NR_UNITS; i++)
		info->nr_units += t->units[i].used;
	memset(info->wwpn, 0, sizeof(info->wwpn));
	if (t->create.type == VHOST_TARGET_SCSI)
		snprintf(info->wwpn, sizeof(info->wwpn), "%s",
			 t->create.wwpn[0] ? t->create.wwpn :
			 "naa.3000000000000001");
	info->nr_sessions = 1;
	info->nr_running_queues = 1;
	info->over_limit = getenv("FAKE_CTL_OVER_LIMIT") ? 2 : 0;
	return 0;
}

static struct fake_unit *find_unit(struct fake_target *t, __u32 nr)
{
	for (int i = 0; t && i < NR_UNITS; i++) {
		if (t->units[i].used && t->units[i].add.unit == nr)
			return &t->units[i];
	}
	return NULL;
}

static struct fake_unit *find_next_unit(struct fake_target *t, __u32 nr)
{
	struct fake_unit *best = NULL;

	for (int i = 0; t && i < NR_UNITS; i++) {
		struct fake_unit *u = &t->units[i];

		if (u->used && u->add.unit >= nr &&
		    (!best || u->add.unit < best->add.unit))
			best = u;
	}
	return best;
}

static bool has_scsi(const struct vhost_target_unit_add *u)
{
	return u->vendor[0] || u->product[0] || u->revision[0] || u->naa;
}

static void note_scsi(const struct vhost_target_unit_add *u)
{
	if (has_scsi(u))
		note("  vendor=%.8s product=%.16s revision=%.4s naa=%016llx",
		     u->vendor, u->product, u->revision,
		     (unsigned long long)u->naa);
}

static int do_unit_add(struct vhost_target_unit_add *u)
{
	const char *path = (const char *)(uintptr_t)u->path_ptr;
	struct fake_target *t = lookup(u->name);
	struct fake_unit *fu;

	if (u->flags & ~VHOST_TARGET_UNIT_F_ALL || u->reserved0 ||
	    u->reserved1 ||
	    !good_name(u->name) || u->serial[VHOST_TARGET_SERIAL_LEN - 1] ||
	    !is_zero(u->reserved, sizeof(u->reserved)))
		return -EINVAL;
	note("UNIT_ADD name=%s flags=%#x unit=%u backend=%u path=%s capacity=%llu block_size=%u serial=%s",
	     u->name, u->flags, u->unit, u->backend, path ? path : "-",
	     u->capacity, u->block_size, u->serial);
	note_scsi(u);
	if (!t)
		return -ENOENT;
	if (t->create.type != VHOST_TARGET_SCSI && has_scsi(u))
		return -EINVAL;
	if (t->create.type == VHOST_TARGET_BLK && u->unit)
		return -ERANGE;
	if (find_unit(t, u->unit))
		return -EEXIST;
	if (path ? u->backend == VHOST_TARGET_BACKEND_NULL :
		   u->backend != VHOST_TARGET_BACKEND_NULL)
		return -EINVAL;
	if (u->capacity % (u->block_size ? u->block_size : 512))
		return -ERANGE;
	for (fu = t->units; fu->used; fu++) {
		if (fu == &t->units[NR_UNITS - 1])
			return -ENOMEM;
	}
	fu->used = true;
	fu->add = *u;
	snprintf(fu->path, sizeof(fu->path), "%s", path ? path : "");
	return 0;
}

static int do_unit_remove(struct vhost_target_unit_remove *r)
{
	struct fake_unit *u = find_unit(lookup(r->name), r->unit);

	if (r->flags || r->reserved0 || !good_name(r->name))
		return -EINVAL;
	note("UNIT_REMOVE name=%s unit=%u", r->name, r->unit);
	if (!u)
		return -ENOENT;
	u->used = false;
	return 0;
}

static int do_unit_resize(struct vhost_target_unit_resize *r)
{
	struct fake_unit *u = find_unit(lookup(r->name), r->unit);

	if (r->flags || r->reserved0 || !good_name(r->name))
		return -EINVAL;
	note("UNIT_RESIZE name=%s unit=%u capacity=%llu", r->name, r->unit,
	     r->capacity);
	if (!u)
		return -ENOENT;
	if (r->capacity && u->add.backend != VHOST_TARGET_BACKEND_NULL)
		return -EOPNOTSUPP;
	if (r->capacity % 512)
		return -ERANGE;
	if (r->capacity)
		u->add.capacity = r->capacity;
	r->capacity = u->add.capacity;
	return 0;
}

static void describe_unit(struct vhost_target_unit_info *u,
			  const struct fake_unit *fu)
{
	const struct vhost_target_unit_add *add = &fu->add;

	u->unit = add->unit;
	u->backend = add->backend;
	u->unit_flags = add->flags;
	u->state = u->backend == VHOST_TARGET_BACKEND_NULL ||
		   add->flags & VHOST_TARGET_UNIT_F_POLLED ?
		   VHOST_TARGET_UNIT_S_POLLED : 0;
	u->capacity = add->capacity;
	u->block_size = add->block_size ? add->block_size : 512;
	u->physical_block_size = 4096;
	memcpy(u->serial, add->serial, sizeof(u->serial));
	memcpy(u->vendor, add->vendor, sizeof(u->vendor));
	memcpy(u->product, add->product, sizeof(u->product));
	memcpy(u->revision, add->revision, sizeof(u->revision));
	u->naa = add->naa;
}

static int do_unit_get(struct vhost_target_unit_info *u)
{
	struct fake_target *t = lookup(u->name);
	const struct fake_unit *fu;
	size_t len;

	if (u->flags & ~VHOST_TARGET_GET_NEXT || u->reserved0 ||
	    !good_name(u->name) || !is_zero(u->reserved, sizeof(u->reserved)))
		return -EINVAL;
	fu = u->flags ? find_next_unit(t, u->unit) : find_unit(t, u->unit);
	if (!fu)
		return -ENOENT;
	len = strlen(fu->path) + 1;
	if (u->path_ptr && u->path_len < len)
		return -ENOSPC;
	if (u->path_ptr)
		memcpy((void *)(uintptr_t)u->path_ptr, fu->path, len);
	u->path_len = len;
	describe_unit(u, fu);
	return 0;
}

/* 1000 reads and 500 writes a second for each queue since time 0. */
static void fill_stats(struct vhost_target_stats *s, unsigned long long queues)
{
	unsigned long long ms = state->clock_ns / 1000000 * queues;

	s->ops[VHOST_TARGET_OP_READ] = ms;
	s->ops[VHOST_TARGET_OP_WRITE] = ms / 2;
	s->bytes[VHOST_TARGET_OP_READ] = ms * 4096;
	s->bytes[VHOST_TARGET_OP_WRITE] = ms / 2 * 8192;
	s->errors[VHOST_TARGET_OP_WRITE] = ms / 100;
	s->kicks = ms / 4;
	s->calls = ms / 5;
	s->polls = ms * 3;
	s->empty_polls = ms * 2;
	s->inflight = 7;
	s->hist[VHOST_TARGET_OP_READ][13] = ms / 2;
	s->hist[VHOST_TARGET_OP_READ][14] = ms / 2 - ms / 50;
	s->hist[VHOST_TARGET_OP_READ][16] = ms / 50;
	s->hist[VHOST_TARGET_OP_WRITE][14] = ms / 2;
}

static int do_stats(struct vhost_target_stats *s)
{
	const struct fake_target *t = lookup(s->name);
	unsigned long long queues;

	if (s->flags || s->reserved0 || !good_name(s->name) ||
	    !is_zero(s->reserved, sizeof(s->reserved)))
		return -EINVAL;
	if (!t)
		return -ENOENT;
	queues = t->create.num_queues ? t->create.num_queues : 1;
	if (s->queue != VHOST_TARGET_QUEUE_ALL && s->queue >= queues)
		return -ERANGE;
	fill_stats(s, s->queue == VHOST_TARGET_QUEUE_ALL ? queues : 1);
	return 0;
}

static int do_poller_add(struct vhost_target_poller *p)
{
	if (!is_zero(p->reserved, sizeof(p->reserved)) || p->flags)
		return -EINVAL;
	note("POLLER_ADD cpu=%u idle_us=%u", p->cpu, p->idle_us);
	if (p->cpu >= 64)
		return -ENXIO;
	for (int i = 0; i < NR_POLLERS; i++) {
		if (state->pollers[i].used && state->pollers[i].cpu == p->cpu)
			return -EEXIST;
	}
	for (int i = 0; i < NR_POLLERS; i++) {
		if (state->pollers[i].used)
			continue;
		state->pollers[i].used = true;
		state->pollers[i].cpu = p->cpu;
		state->pollers[i].idle_us = p->idle_us;
		p->id = i;
		return 0;
	}
	return -ENOSPC;
}

static int do_poller_remove(struct vhost_target_poller_remove *r)
{
	if (r->flags || r->reserved0)
		return -EINVAL;
	note("POLLER_REMOVE id=%u", r->id);
	if (r->id >= NR_POLLERS || !state->pollers[r->id].used)
		return -ENOENT;
	if (!r->id)
		return -EBUSY;
	state->pollers[r->id].used = false;
	return 0;
}

static int do_poller_set(struct vhost_target_poller *p)
{
	if (!is_zero(p->reserved, sizeof(p->reserved)) || p->flags)
		return -EINVAL;
	note("POLLER_SET id=%u idle_us=%u", p->id, p->idle_us);
	if (p->id >= NR_POLLERS || !state->pollers[p->id].used)
		return -ENOENT;
	state->pollers[p->id].idle_us = p->idle_us;
	return 0;
}

static int do_poller_get(struct vhost_target_poller *p)
{
	if (!is_zero(p->reserved, sizeof(p->reserved)) ||
	    p->flags & ~VHOST_TARGET_GET_NEXT)
		return -EINVAL;
	while (p->flags && p->id < NR_POLLERS && !state->pollers[p->id].used)
		p->id++;
	if (p->id >= NR_POLLERS || !state->pollers[p->id].used)
		return -ENOENT;
	p->cpu = state->pollers[p->id].cpu;
	p->idle_us = state->pollers[p->id].idle_us;
	p->nr_queues = 4;
	p->nr_active = 2;
	p->pid = 100 + p->id;
	p->loops = 123456789012ULL;
	p->sleeps = 17;
	p->busy_ns = 2500000000ULL;
	p->idle_ns = 1500;
	p->moves = 3;
	return 0;
}

static const struct {
	unsigned long req;
	size_t size;
	int (*fn)(void *arg);
} rows[] = {
#define ROW(req, type, fn) { req, sizeof(struct type), (int (*)(void *))fn }
	ROW(VHOST_TARGET_CREATE, vhost_target_create, do_create),
	ROW(VHOST_TARGET_DESTROY, vhost_target_destroy, do_destroy),
	ROW(VHOST_TARGET_GET, vhost_target_info, do_get),
	ROW(VHOST_TARGET_UNIT_ADD, vhost_target_unit_add, do_unit_add),
	ROW(VHOST_TARGET_UNIT_REMOVE, vhost_target_unit_remove, do_unit_remove),
	ROW(VHOST_TARGET_UNIT_RESIZE, vhost_target_unit_resize, do_unit_resize),
	ROW(VHOST_TARGET_UNIT_GET, vhost_target_unit_info, do_unit_get),
	ROW(VHOST_TARGET_STATS, vhost_target_stats, do_stats),
	ROW(VHOST_TARGET_POLLER_ADD, vhost_target_poller, do_poller_add),
	ROW(VHOST_TARGET_POLLER_REMOVE, vhost_target_poller_remove,
	    do_poller_remove),
	ROW(VHOST_TARGET_POLLER_SET, vhost_target_poller, do_poller_set),
	ROW(VHOST_TARGET_POLLER_GET, vhost_target_poller, do_poller_get),
};

static int injected(unsigned long req)
{
	const char *s = getenv("FAKE_CTL_FAIL");
	unsigned int nr;
	int err;

	while (s && sscanf(s, "%u:%d", &nr, &err) == 2) {
		if (nr == _IOC_NR(req))
			return err;
		s = strchr(s, ',');
		s = s ? s + 1 : NULL;
	}
	return 0;
}

int ioctl(int fd, unsigned long req, ...)
{
	int ret = -ENOTTY;
	va_list ap;
	void *arg;

	va_start(ap, req);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (_IOC_TYPE(req) != VHOST_TARGET_IOC)
		return syscall(SYS_ioctl, fd, req, arg);
	if (injected(req)) {
		errno = injected(req);
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].req == req)
			ret = *(__u32 *)arg == rows[i].size ? rows[i].fn(arg) :
			      -EINVAL;
	}
	errno = -ret;
	return ret < 0 ? -1 : 0;
}

static const char *reroot(const char *path, char *buf, size_t len)
{
	static const char bus[] = "/sys/bus/vdpa";
	const char *root = getenv("FAKE_CTL_SYSFS");

	if (strncmp(path, bus, strlen(bus)))
		return path;
	snprintf(buf, len, "%s%s", root ? root : "/nonexistent",
		 path + strlen(bus));
	return buf;
}

DIR *opendir(const char *path)
{
	DIR *(*real)(const char *path) = dlsym(RTLD_NEXT, "opendir");
	char buf[4096];

	return real(reroot(path, buf, sizeof(buf)));
}

FILE *fopen(const char *path, const char *mode)
{
	FILE *(*real)(const char *path, const char *mode) =
		dlsym(RTLD_NEXT, "fopen");
	char buf[4096];

	return real(reroot(path, buf, sizeof(buf)), mode);
}

ssize_t readlink(const char *path, char *to, size_t size)
{
	char buf[4096];

	return syscall(SYS_readlinkat, AT_FDCWD,
		       reroot(path, buf, sizeof(buf)), to, size);
}

int access(const char *path, int mode)
{
	char buf[4096];

	return syscall(SYS_faccessat, AT_FDCWD,
		       reroot(path, buf, sizeof(buf)), mode);
}

/* /fake/bdev is a block device on any machine. */
int stat(const char *path, struct stat *st)
{
	if (strcmp(path, "/fake/bdev"))
		return fstatat(AT_FDCWD, path, st, 0);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFBLK | 0600;
	return 0;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_MONOTONIC)
		return syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = state->clock_ns / NS_PER_S;
	ts->tv_nsec = state->clock_ns % NS_PER_S;
	return 0;
}

int nanosleep(const struct timespec *ts, struct timespec *left)
{
	(void)left;
	state->clock_ns += ts->tv_sec * NS_PER_S + ts->tv_nsec;
	return 0;
}
