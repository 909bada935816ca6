// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vhost-target: whatever a process hands over, the registry gets only
 * what it may be asked for, and the process's memory changes only where it
 * asked for that. That memory changes between any two looks at it.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include <linux/miscdevice.h>
#include <linux/uaccess.h>
#include <linux/vhost_target.h>
#include <vhost_target/ioctl.h>
#include <vhost_target/poller.h>
#include <vhost_target/target.h>

#include "fuzz.h"
#include "shim/hook.h"

const unsigned int fuzz_cost = 40;

/* Memory of the process, of which nothing is beside. */
#define USER		0x10000ULL
#define USER_LEN	12288u
#define STRUCT_LEN	4400u	/* more than any struct, and than a page */
#define PATH		(USER + STRUCT_LEN)
#define LONG_PATH	31

static u8 *user, *known;
static unsigned int poke_in;
static u64 out_at, path_at;
static u32 out_len, path_len;
static unsigned int nr_calls;
static long answer;
static bool read_only;
static struct miscdevice *ctl;

static bool inside(u64 at, size_t len, u64 base, size_t size)
{
	return at >= base && at - base <= size && len <= size - (at - base);
}

/* The other thread of the process. */
static void poke(void)
{
	u32 at = fuzz_take(1) * 4;
	u8 val = fuzz_take(1);

	user[at] = val;
	known[at] = val;
}

bool shim_user_copy(void *k, u64 at, size_t len, bool to_user)
{
	if (!inside(at, len, USER, USER_LEN))
		return false;
	if (to_user && read_only)
		return false;
	if (to_user) {
		MUST(inside(at, len, out_at, out_len) ||
		     inside(at, len, path_at, path_len));
		memcpy(user + (at - USER), k, len);
		memcpy(known + (at - USER), k, len);
	} else {
		memcpy(k, user + (at - USER), len);
	}
	if (poke_in && !--poke_in)
		poke();
	return true;
}

int misc_register(struct miscdevice *misc)
{
	ctl = misc;
	return 0;
}

void misc_deregister(struct miscdevice *misc)
{
	MUST(ctl == misc);
	ctl = NULL;
}

/* The registry: what it gets is all right. */

static void check_name(const char *name)
{
	size_t len = strnlen(name, VHOST_TARGET_NAME_LEN), i;

	MUST(len && len < VHOST_TARGET_NAME_LEN);
	for (i = 0; i < len; i++)
		MUST(name[i] > ' ' && name[i] < 0x7f && name[i] != '/');
	MUST(*name != '.' && *name != '-');
}

int vt_target_create(const struct vhost_target_create *p, u32 *poller_ids)
{
	volatile u32 id;
	unsigned int i;

	nr_calls++;
	check_name(p->name);
	MUST(!(p->flags & ~VHOST_TARGET_F_ALL));
	MUST(p->num_queues <= VHOST_TARGET_MAX_QUEUES);
	MUST(p->queue_size <= VHOST_TARGET_MAX_QUEUE_SIZE);
	MUST(!(p->queue_size & (p->queue_size - 1)));
	MUST(!poller_ids == !p->nr_pollers);
	MUST(p->nr_pollers <= VHOST_TARGET_MAX_POLLERS);
	for (i = 0; i < p->nr_pollers; i++)
		id = poller_ids[i];
	(void)id;
	kfree(poller_ids);
	return answer;
}

int vt_target_destroy(const char *name)
{
	nr_calls++;
	check_name(name);
	return answer;
}

int vt_target_get(struct vhost_target_info *info)
{
	nr_calls++;
	if (!(info->flags & VHOST_TARGET_GET_NEXT) || info->name[0])
		check_name(info->name);
	if (!answer)
		strcpy(info->name, "found");
	return answer;
}

int vt_unit_add(const struct vhost_target_unit_add *p, const char *path)
{
	nr_calls++;
	check_name(p->name);
	MUST(!(p->flags & ~VHOST_TARGET_UNIT_F_ALL));
	MUST(p->backend >= VHOST_TARGET_BACKEND_BDEV &&
	     p->backend <= VHOST_TARGET_BACKEND_NULL);
	MUST(!path == (p->backend == VHOST_TARGET_BACKEND_NULL));
	if (path)
		MUST(*path && strlen(path) < VHOST_TARGET_PATH_LEN);
	MUST(!p->block_size || p->block_size == 512 || p->block_size == 4096);
	return answer;
}

int vt_unit_remove(const char *name, u32 unit)
{
	(void)unit;
	nr_calls++;
	check_name(name);
	return answer;
}

int vt_unit_resize(const char *name, u32 unit, u64 *capacity)
{
	(void)unit;
	nr_calls++;
	check_name(name);
	*capacity += 4096;
	return answer;
}

int vt_unit_get(struct vhost_target_unit_info *info, char **path)
{
	nr_calls++;
	check_name(info->name);
	if (!answer)
		*path = strdup("/dev/disk");
	/* It may be copied there, and no more of it than there is room. */
	path_at = info->path_ptr;
	path_len = info->path_len;
	return answer;
}

int vt_target_stats(struct vhost_target_stats *st)
{
	nr_calls++;
	check_name(st->name);
	MUST(!st->ops[0] && !st->inflight);
	st->ops[0] = 1;
	return answer;
}

int vt_poller_add(unsigned int cpu, u32 idle_us, u32 *id)
{
	(void)cpu;
	(void)idle_us;
	nr_calls++;
	*id = 7;
	return answer;
}

int vt_poller_remove(u32 id)
{
	(void)id;
	nr_calls++;
	return answer;
}

int vt_poller_set_idle(u32 id, u32 idle_us)
{
	(void)id;
	(void)idle_us;
	nr_calls++;
	return answer;
}

int vt_poller_get(struct vhost_target_poller *info, bool next)
{
	MUST(next == !!(info->flags & VHOST_TARGET_GET_NEXT));
	nr_calls++;
	return answer;
}

static const u32 cmds[] = {
	VHOST_TARGET_CREATE, VHOST_TARGET_DESTROY, VHOST_TARGET_GET,
	VHOST_TARGET_UNIT_ADD, VHOST_TARGET_UNIT_REMOVE,
	VHOST_TARGET_UNIT_RESIZE, VHOST_TARGET_UNIT_GET, VHOST_TARGET_STATS,
	VHOST_TARGET_POLLER_ADD, VHOST_TARGET_POLLER_REMOVE,
	VHOST_TARGET_POLLER_SET, VHOST_TARGET_POLLER_GET,
};

/* The struct at the beginning of the process's memory, or somewhere else. */
static void step(void)
{
	u32 cmd = fuzz_take(1), n = fuzz_take(2) % STRUCT_LEN, i;
	u64 at = fuzz_take(1);
	long ret;

	cmd = cmd < 240 ? cmds[cmd % ARRAY_SIZE(cmds)] : fuzz_take(4);
	at = at < 224 ? USER : at < 240 ? USER + USER_LEN - n : fuzz_take(4);
	memset(user, 0, USER_LEN);
	fuzz_take_bytes(user, n);
	i = fuzz_take(1) % 32;
	/* A path without an end, or a short one. */
	if (i == LONG_PATH)
		i = VHOST_TARGET_PATH_LEN;
	for (; i; i--)
		user[STRUCT_LEN + i] = 'a' + i % 8;
	memcpy(known, user, USER_LEN);
	i = fuzz_take(1);
	answer = i & 1 ? -EBUSY : 0;
	read_only = i & 2;
	poke_in = fuzz_take(1);
	i = fuzz_take(1) % 16;
	shim_no_memory = i < 4 ? i : 0;
	out_at = at;
	/* It may write as much as the struct says it has. */
	out_len = 4096;
	path_at = 0;
	path_len = 0;
	nr_calls = 0;
	ret = ctl->fops->unlocked_ioctl(NULL, cmd, at);
	MUST(ret <= 0 && ret > -4096);
	MUST(nr_calls <= 1);
	if (!ret)
		MUST(nr_calls == 1 && !answer && !read_only);
	MUST(!memcmp(user, known, USER_LEN));
	shim_no_memory = 0;
}

/* What is asked for in the right way is done. */
static void check(void)
{
	struct vhost_target_destroy d = {
		.size = sizeof(d), .name = "vm1",
	};

	memset(user, 0, USER_LEN);
	memcpy(user, &d, sizeof(d));
	poke_in = 0;
	answer = 0;
	read_only = false;
	nr_calls = 0;
	out_at = USER;
	out_len = sizeof(d);
	MUST(!ctl->fops->unlocked_ioctl(NULL, VHOST_TARGET_DESTROY, USER));
	MUST(nr_calls == 1);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	unsigned int steps = 0;

	if (!user) {
		user = malloc(USER_LEN);
		known = malloc(USER_LEN);
	}
	MUST(!vt_ctl_init());
	fuzz_begin(data, len);
	while (fuzz_left() && steps++ < 64)
		step();
	check();
	vt_ctl_exit();
	MUST(!ctl);
	return 0;
}


/* What is beside a call: it is refused, memory is read-only, a path has no end. */
#define PUT_BUSY	1
#define PUT_READ_ONLY	2
#define PUT_LONG_PATH	4
static void put_when(u8 cmd, const void *p, size_t len, u8 how, u8 no_memory)
{
	fuzz_put(1, cmd);
	fuzz_put(2, len);
	fuzz_put(1, 0);
	fuzz_put_bytes(p, len);
	fuzz_put(1, how & PUT_LONG_PATH ? LONG_PATH : 8);
	fuzz_put(1, how);
	fuzz_put(1, 0);
	fuzz_put(1, no_memory);
}

#define put(cmd, p, len)	put_when(cmd, p, len, 0, 0)

#define PUT(cmd, s)					\
	do {						\
		(s)->size = sizeof(*(s));		\
		put(cmd, s, sizeof(*(s)));		\
	} while (0)

/* With one field as it should not be, or seldom is; all else is as it was. */
#define PUT_WITH(cmd, s, field, val)			\
	do {						\
		typeof(*(s)) odd_ = *(s);		\
							\
		odd_.field = (val);			\
		PUT(cmd, &odd_);			\
	} while (0)

static void seed_create(struct vhost_target_create *c)
{
	struct vhost_target_create own = *c;

	PUT_WITH(0, c, flags, VHOST_TARGET_F_USE_VA);
	PUT_WITH(0, c, flags, VHOST_TARGET_F_USE_VA | VHOST_TARGET_F_VDPA);
	PUT_WITH(0, c, flags, VHOST_TARGET_F_VFIO | VHOST_TARGET_F_VDPA);
	PUT_WITH(0, c, flags, VHOST_TARGET_F_VFIO);
	PUT_WITH(0, c, flags, VHOST_TARGET_F_NO_DBBUF);
	own.type = VHOST_TARGET_NVME;
	PUT_WITH(0, &own, flags, VHOST_TARGET_F_NO_DBBUF);
	PUT_WITH(0, c, reserved[0], 1);
	PUT_WITH(0, c, num_queues, VHOST_TARGET_MAX_QUEUES + 1);
	fuzz_save("create");
	PUT_WITH(0, c, queue_size, 0);
	PUT_WITH(0, c, queue_size, 1);
	PUT_WITH(0, c, queue_size, 100);
	PUT_WITH(0, c, queue_size, 2 * VHOST_TARGET_MAX_QUEUE_SIZE);
	PUT_WITH(0, c, nr_pollers, 0);
	PUT_WITH(0, c, nr_pollers, VHOST_TARGET_MAX_POLLERS + 1);
	PUT_WITH(0, c, pollers_ptr, 0);
	PUT_WITH(0, c, pollers_ptr, 1);
	own.nr_pollers = 0;
	own.pollers_ptr = 0;
	PUT(0, &own);
	fuzz_save("sizes");
}

static void seed_names(struct vhost_target_create *c)
{
	struct vhost_target_info g = { .reserved[0] = 1, .name = "vm1" };

	PUT_WITH(0, c, name[0], 0);
	PUT_WITH(0, c, name[0], '-');
	PUT_WITH(0, c, name[0], '.');
	PUT_WITH(0, c, name[1], '/');
	PUT_WITH(0, c, name[1], (char)0xe9);
	PUT_WITH(0, c, name[1], '-');
	PUT(2, &g);
	g.reserved[0] = 0;
	PUT(2, &g);
	PUT_WITH(2, &g, name[0], 0);
	g.flags = VHOST_TARGET_GET_NEXT;
	PUT_WITH(2, &g, name[0], '/');
	memset(g.name, 'x', sizeof(g.name));
	PUT(2, &g);
	fuzz_save("names");
}

static void seed_units(struct vhost_target_unit_add *u,
		       struct vhost_target_unit_info *i)
{
	PUT_WITH(3, u, backend, 0);
	PUT_WITH(3, u, backend, VHOST_TARGET_BACKEND_NULL + 1);
	PUT_WITH(3, u, backend, VHOST_TARGET_BACKEND_NULL);
	PUT_WITH(3, u, capacity, 4096);
	PUT_WITH(3, u, block_size, 512);
	PUT_WITH(3, u, block_size, 4096);
	PUT_WITH(3, u, block_size, 1024);
	PUT_WITH(3, u, path_ptr, 0);
	PUT_WITH(3, u, path_ptr, 1);
	/* The end of the struct's room, where there is nothing but 0. */
	PUT_WITH(3, u, path_ptr, PATH);
	PUT_WITH(3, u, reserved0, 1);
	PUT_WITH(3, u, reserved1, 1);
	fuzz_save("units");
	u->size = sizeof(*u);
	put_when(3, u, sizeof(*u), PUT_LONG_PATH, 0);
	PUT(6, i);
	PUT_WITH(6, i, path_ptr, 1);
	PUT_WITH(6, i, path_len, 3);
	PUT_WITH(6, i, path_ptr, 0);
	PUT_WITH(6, i, reserved0, 1);
	put_when(6, i, sizeof(*i), PUT_BUSY, 0);
	put_when(6, i, sizeof(*i), PUT_READ_ONLY, 0);
	fuzz_save("unit-get");
}

/* Whatever else may be wrong when somebody asks. */
static void seed_refused(struct vhost_target_create *c)
{
	struct vhost_target_stats s = { .size = sizeof(s), .name = "vm1" };
	struct vhost_target_unit_resize z = { .size = sizeof(z), .name = "vm1" };
	struct vhost_target_poller p = { .cpu = 1 };
	struct vhost_target_poller_remove q = { .id = 1 };
	struct vhost_target_unit_remove r = { .name = "vm1" };
	static const char * const seed[][2] = {
		{ "memory1", "stats-memory1" }, { "memory2", "stats-memory2" },
		{ "memory3", "stats-memory3" },
	};
	unsigned int i;

	for (i = 1; i < 4; i++) {
		put_when(0, c, sizeof(*c), 0, i);
		fuzz_save(seed[i - 1][0]);
		put_when(7, &s, sizeof(s), 0, i);
		fuzz_save(seed[i - 1][1]);
	}
	put_when(7, &s, sizeof(s), PUT_BUSY, 0);
	fuzz_save("stats-busy");
	put_when(5, &z, sizeof(z), PUT_BUSY, 0);
	put_when(5, &z, sizeof(z), PUT_READ_ONLY, 0);
	PUT_WITH(4, &r, reserved0, 1);
	PUT_WITH(5, &z, reserved0, 1);
	PUT_WITH(7, &s, reserved0, 1);
	fuzz_save("stats-refused");
	PUT_WITH(8, &p, reserved[0], 1);
	PUT_WITH(8, &p, flags, VHOST_TARGET_GET_NEXT);
	PUT_WITH(9, &q, reserved0, 1);
	PUT_WITH(10, &p, reserved[0], 1);
	PUT_WITH(11, &p, reserved[0], 1);
	fuzz_save("refused");
}

/* What vhostctl asks for. */
void fuzz_seeds(void)
{
	struct vhost_target_create c = { .type = VHOST_TARGET_SCSI,
		.num_queues = 4, .queue_size = 256, .name = "vm1",
		.nr_pollers = 2, .pollers_ptr = PATH };
	struct vhost_target_unit_add u = { .name = "vm1",
		.backend = VHOST_TARGET_BACKEND_BDEV, .path_ptr = PATH + 1 };
	struct vhost_target_unit_remove r = { .name = "vm1" };
	struct vhost_target_unit_resize z = { .name = "vm1" };
	struct vhost_target_unit_info i = { .name = "vm1",
		.path_ptr = PATH, .path_len = 256 };
	struct vhost_target_info g = { .flags = VHOST_TARGET_GET_NEXT };
	struct vhost_target_stats s = { .name = "vm1" };
	struct vhost_target_poller p = { .cpu = 1 };
	struct vhost_target_poller_remove q = { .id = 1 };
	struct vhost_target_destroy d = { .name = "vm1" };

	PUT(8, &p);
	PUT(0, &c);
	PUT(3, &u);
	PUT(2, &g);
	PUT(6, &i);
	PUT(5, &z);
	PUT(10, &p);
	p.flags = VHOST_TARGET_GET_NEXT;
	PUT(11, &p);
	fuzz_save("make");
	PUT(7, &s);
	PUT(4, &r);
	PUT(1, &d);
	PUT(9, &q);
	u.backend = VHOST_TARGET_BACKEND_NULL;
	u.path_ptr = 0;
	u.capacity = 1 << 20;
	PUT(3, &u);
	i.path_ptr = 0;
	PUT(6, &i);
	put(250, &d, 8);
	fuzz_save("end");
	u = (struct vhost_target_unit_add) { .name = "vm1",
		.backend = VHOST_TARGET_BACKEND_BDEV, .path_ptr = PATH + 1 };
	i = (struct vhost_target_unit_info) { .size = sizeof(i), .name = "vm1",
		.path_ptr = PATH, .path_len = 256 };
	seed_create(&c);
	seed_names(&c);
	seed_units(&u, &i);
	seed_refused(&c);
}
