// SPDX-License-Identifier: GPL-2.0
/* Programs: made up, changed, kept. */
#include <string.h>

#include "machine.h"

static unsigned int nr_fields(const struct desc *d)
{
	unsigned int n = 0;

	while (d->f[n].kind)
		n++;
	return n;
}

/* A number that is likely to be the last good one, or the first bad. */
static u64 odd_number(struct rng *r)
{
	u64 v = 1ull << rng_below(r, 64);

	switch (rng_below(r, 8)) {
	case 0:
		return v;
	case 1:
		return v - 1;
	case 2:
		return 0 - v;
	case 3:
		return rng_below(r, 16);
	case 4:
		return rng_below(r, 1024);
	case 5:
		return rng_u64(r) >> rng_below(r, 64);
	case 6:
		return PAGE * rng_below(r, 1024);
	default:
		return ~0ull;
	}
}

static u64 odd_choice(struct rng *r, const struct field *f, u64 old)
{
	if (rng_one_in(r, 4))
		return 0;
	if (f->kind != K_INT)
		return f->kind == K_PTR && rng_one_in(r, 2) ?
		       odd_number(r) : rng_below(r, 64);
	switch (rng_below(r, 4)) {
	case 0:
		return old ^ 1ull << rng_below(r, 64);
	case 1:
		return old ^ 1ull << rng_below(r, 8);
	case 2:
		return f->param ^ ((f->param ^ old) + rng_below(r, 9) - 4);
	default:
		return f->param ^ odd_number(r);
	}
}

static void change_arg(struct call *c, struct rng *r)
{
	const struct desc *d = &descs[c->desc % nr_descs];
	unsigned int n = nr_fields(d), i;

	if (!n || rng_one_in(r, 16)) {
		c->place = rng_below(r, PLACES);
		return;
	}
	if (rng_one_in(r, 32))
		c->slot ^= 1;
	i = rng_below(r, n);
	c->arg[i] = odd_choice(r, &d->f[i], c->arg[i]);
}

static void make_call(struct call *c, struct rng *r)
{
	memset(c, 0, sizeof(*c));
	c->desc = rng_below(r, nr_descs);
	c->slot = rng_one_in(r, 8);
	while (rng_one_in(r, 2))
		change_arg(c, r);
}

static void insert(struct prog *p, unsigned int at, const struct call *c,
		   unsigned int n)
{
	if (n > MAX_CALLS - p->nr)
		n = MAX_CALLS - p->nr;
	memmove(&p->call[at + n], &p->call[at], (p->nr - at) * sizeof(*c));
	memcpy(&p->call[at], c, n * sizeof(*c));
	p->nr += n;
}

static void delete(struct prog *p, unsigned int at)
{
	p->nr--;
	memmove(&p->call[at], &p->call[at + 1],
		(p->nr - at) * sizeof(p->call[0]));
}

/* The calls of a node that is open by then are of more use than others. */
static void insert_related(struct prog *p, struct rng *r)
{
	unsigned int at = rng_below(r, p->nr + 1), i;
	struct call c;

	for (i = 0; i < 32; i++) {
		const struct call *other = &p->call[rng_below(r, p->nr)];

		make_call(&c, r);
		if (!p->nr || descs[c.desc].node == descs[other->desc].node)
			break;
	}
	insert(p, at, &c, 1);
}

static void splice(struct prog *p, const struct shared *sh, struct rng *r)
{
	const struct prog *o = &sh->corpus[rng_below(r, sh->corpus_nr)];
	unsigned int from, n;

	if (!o->nr)
		return;
	from = rng_below(r, o->nr);
	n = 1 + rng_below(r, o->nr - from);
	insert(p, rng_below(r, p->nr + 1), &o->call[from], n);
}

static void change(struct prog *p, const struct shared *sh, struct rng *r)
{
	unsigned int at = p->nr ? rng_below(r, p->nr) : 0;

	switch (p->nr ? rng_below(r, 16) : 15) {
	case 0:
		delete(p, at);
		break;
	case 1:
		insert(p, rng_below(r, p->nr + 1), &p->call[at], 1);
		break;
	case 2:
		splice(p, sh, r);
		break;
	case 3 ... 10:
		change_arg(&p->call[at], r);
		break;
	case 11 ... 14:
		insert_related(p, r);
		break;
	default: {
		struct call c;

		make_call(&c, r);
		insert(p, at, &c, 1);
	}
	}
}

void prog_make(struct prog *p, const struct shared *sh, struct rng *r)
{
	u32 nr = sh->corpus_nr, i = rng_below(r, nr);

	/* Of the last ones more often: they go on where nobody was. */
	if (rng_one_in(r, 2) && nr > 16)
		i = nr - 1 - rng_below(r, nr / 8);
	memcpy(p, &sh->corpus[i], sizeof(*p));
	do {
		change(p, sh, r);
	} while (!rng_one_in(r, 4));
}

void corpus_add(struct shared *sh, const struct prog *p)
{
	u32 i = sh->corpus_nr;

	if (!p->nr)
		return;
	/* Full: the oldest but the seeds go. */
	if (i == MAX_CORPUS)
		i = 64 + sh->programs % (MAX_CORPUS - 64);
	else
		sh->corpus_nr++;
	memcpy(&sh->corpus[i], p, sizeof(*p));
}

void prog_print(const struct prog *p, unsigned int at)
{
	unsigned int i, j;

	for (i = 0; i < p->nr; i++) {
		const struct call *c = &p->call[i];
		const struct desc *d = &descs[c->desc % nr_descs];
		char line[512];
		int len = 0;

		for (j = 0; d->f[j].kind && len < 400; j++)
			len += snprintf(line + len, sizeof(line) - len,
					" %llx", (unsigned long long)c->arg[j]);
		line[len] = 0;
		vt_msg("%s %u.%u %s, slot %u, place %u:%s", i == at ? "->" :
		       "  ", d->node, i, d->name, c->slot, c->place, line);
	}
}

/* Seeds: a call by node and name, and what of its fields is not the default. */

struct seed_call {
	u8 node;
	const char *name;
	struct {
		u8 field;
		u64 value;	/* K_INT; else the choice */
	} set[12];
	u8 nr;			/* of @set */
	u8 slot;
};

#define ON(node_, name_, ...) \
	{ .node = N_##node_, .name = name_, ##__VA_ARGS__ }
#define WITH(n, ...) .nr = (n), .set = { __VA_ARGS__ }
#define SLOT1 .slot = 1
#define OPEN(node_) ON(NONE, "open", WITH(1, { 0, N_##node_ }))
#define CLOSE(node_) ON(NONE, "close", WITH(1, { 0, N_##node_ }))
#define PAUSE ON(NONE, "pause", WITH(1, { 0, 3 }))
#define KICK ON(NONE, "kick")
#define MEMORY(op, page, nr) ON(NONE, "memory", \
	WITH(3, { 0, op }, { 1, page }, { 2, nr }))

/* A virtqueue; choices of pointers are offsets << 3. */
#define QUEUE(node, i) \
	ON(node, "VHOST_SET_VRING_NUM", WITH(1, { 0, i })), \
	ON(node, "VHOST_SET_VRING_BASE", WITH(1, { 0, i })), \
	ON(node, "VHOST_SET_VRING_ADDR", WITH(4, { 0, i }, \
	   { 2, (i) * Q_SIZE << 3 }, { 3, (i) * Q_SIZE << 3 }, \
	   { 4, (i) * Q_SIZE << 3 })), \
	ON(node, "VHOST_SET_VRING_CALL", WITH(1, { 0, i })), \
	ON(node, "VHOST_SET_VRING_ERR", WITH(1, { 0, i })), \
	ON(node, "VHOST_SET_VRING_KICK", WITH(1, { 0, i }))
#define VDPA_QUEUE(i) \
	ON(VDPA, "VHOST_SET_VRING_NUM", WITH(1, { 0, i })), \
	ON(VDPA, "VHOST_SET_VRING_BASE", WITH(1, { 0, i })), \
	ON(VDPA, "VHOST_SET_VRING_ADDR", WITH(4, { 0, i }, \
	   { 2, (i) * Q_SIZE }, { 3, (i) * Q_SIZE + Q_USED }, \
	   { 4, (i) * Q_SIZE + Q_AVAIL })), \
	ON(VDPA, "VHOST_SET_VRING_CALL", WITH(1, { 0, i })), \
	ON(VDPA, "VHOST_SET_VRING_KICK", WITH(1, { 0, i })), \
	ON(VDPA, "VHOST_VDPA_SET_VRING_ENABLE", WITH(1, { 0, i }))

#define BLK_START(features) \
	OPEN(BLK), ON(BLK, "VHOST_SET_OWNER"), \
	ON(BLK, "VHOST_TARGET_ATTACH"), ON(BLK, "VHOST_GET_FEATURES"), \
	ON(BLK, "VHOST_SET_FEATURES", WITH(1, { 0, features })), \
	ON(BLK, "VHOST_SET_MEM_TABLE"), QUEUE(BLK, 0), \
	ON(BLK, "VHOST_TARGET_START")

#define VERSION_1 (1ull << 32)
#define EVENT_IDX (1ull << 29)
#define INDIRECT (1ull << 28)
#define PACKED (1ull << 34)

#define SCSI_START \
	OPEN(SCSI), ON(SCSI, "VHOST_SET_OWNER"), \
	ON(SCSI, "VHOST_GET_FEATURES"), ON(SCSI, "VHOST_SET_FEATURES"), \
	ON(SCSI, "VHOST_SET_MEM_TABLE"), QUEUE(SCSI, 0), QUEUE(SCSI, 2), \
	ON(SCSI, "VHOST_SCSI_SET_ENDPOINT")

#define REG(off, len, val) ON(NVME, "VHOST_TARGET_NVME_WRITE", \
	WITH(3, { 2, off }, { 3, len }, { 4, val }))
#define NVME_ON \
	REG(0x24, 4, 0x70007), REG(0x28, 8, NV_QUEUES), \
	REG(0x30, 8, NV_QUEUES + 0x1000), REG(0x14, 4, 0x460001), PAUSE
#define NVME_START \
	OPEN(NVME), ON(NVME, "VHOST_SET_OWNER"), \
	ON(NVME, "VHOST_SET_MEM_TABLE"), ON(NVME, "VHOST_TARGET_ATTACH"), \
	ON(NVME, "VHOST_TARGET_NVME_SET_IRQ"), NVME_ON
/* A command for queue @q: words of the entry. */
#define COMMAND(node, q, w0, prp1, w5, w6) ON(node, "nvme command", \
	WITH(5, { 0, q }, { 1, w0 }, { 4, prp1 }, { 6, w5 }, { 7, w6 }))
#define IO_QUEUE(node) \
	COMMAND(node, 0, 5, NV_QUEUES + 0x3000, 0x300070001, 0), PAUSE, \
	COMMAND(node, 0, 1, NV_QUEUES + 0x2000, 0x1000100070001, 0), PAUSE

#define BAR0(off, len, val) ON(VFIO, "write region", \
	WITH(3, { 1, off }, { 2, len }, { 3, val }))
#define CONFIG(off, len, val) ON(VFIO, "write region", \
	WITH(4, { 0, 7 }, { 1, off }, { 2, len }, { 3, val }))
#define VFIO_START \
	OPEN(CONTAINER), OPEN(GROUP), ON(GROUP, "VFIO_GROUP_GET_STATUS"), \
	ON(GROUP, "VFIO_GROUP_SET_CONTAINER"), \
	ON(CONTAINER, "VFIO_SET_IOMMU"), \
	ON(CONTAINER, "VFIO_IOMMU_MAP_DMA"), \
	ON(GROUP, "VFIO_GROUP_GET_DEVICE_FD"), CONFIG(4, 2, 6), \
	ON(VFIO, "VFIO_DEVICE_SET_IRQS"), \
	BAR0(0x24, 4, 0x70007), BAR0(0x28, 8, NV_QUEUES), \
	BAR0(0x30, 8, NV_QUEUES + 0x1000), BAR0(0x14, 4, 0x460001), PAUSE

#define VDPA_START \
	ON(VDPA, "VHOST_SET_OWNER"), \
	ON(VDPA, "VHOST_GET_BACKEND_FEATURES"), \
	ON(VDPA, "VHOST_SET_BACKEND_FEATURES", WITH(1, { 0, 0x16 })), \
	ON(VDPA, "VHOST_VDPA_SET_STATUS", WITH(1, { 0, 3 })), \
	ON(VDPA, "VHOST_GET_FEATURES"), ON(VDPA, "VHOST_SET_FEATURES"), \
	ON(VDPA, "VHOST_VDPA_SET_STATUS", WITH(1, { 0, 0xb })), \
	ON(VDPA, "IOTLB message"), VDPA_QUEUE(0), \
	ON(VDPA, "VHOST_VDPA_SET_STATUS")

#define MAX_SEED 40

static const struct seed_call seeds[][MAX_SEED] = {
	{
		OPEN(CTL), ON(CTL, "VHOST_TARGET_CREATE"),
		ON(CTL, "VHOST_TARGET_UNIT_ADD"), ON(CTL, "VHOST_TARGET_GET"),
		ON(CTL, "VHOST_TARGET_UNIT_GET"), ON(CTL, "VHOST_TARGET_STATS"),
		ON(CTL, "VHOST_TARGET_UNIT_RESIZE"),
		ON(CTL, "VHOST_TARGET_UNIT_REMOVE"),
		ON(CTL, "VHOST_TARGET_DESTROY"),
		ON(CTL, "VHOST_TARGET_POLLER_ADD"),
		ON(CTL, "VHOST_TARGET_POLLER_GET"),
		ON(CTL, "VHOST_TARGET_POLLER_SET"),
		ON(CTL, "VHOST_TARGET_POLLER_REMOVE"),
	}, {
		OPEN(CTL),
		ON(CTL, "VHOST_TARGET_CREATE", WITH(1, { 2, 2 })),
		ON(CTL, "VHOST_TARGET_UNIT_ADD",
		   WITH(3, { 2, 7 }, { 3, 2 }, { 4, 1 })),
		ON(CTL, "VHOST_TARGET_CREATE", WITH(2, { 2, 3 }, { 9, 1 })),
		ON(CTL, "VHOST_TARGET_UNIT_ADD",
		   WITH(4, { 2, 1 }, { 3, 1 }, { 4, 5 }, { 8, 1 })),
		ON(CTL, "VHOST_TARGET_GET", WITH(1, { 1, 1 })),
		ON(CTL, "VHOST_TARGET_UNIT_GET", WITH(1, { 1, 1 })),
	}, {
		BLK_START(VERSION_1), ON(BLK, "blk chain"), KICK, PAUSE,
		ON(BLK, "blk chain", WITH(2, { 1, 1 }, { 10, 0 })), KICK, PAUSE,
		ON(BLK, "VHOST_TARGET_STOP"), ON(BLK, "VHOST_GET_VRING_BASE"),
	}, {
		BLK_START(VERSION_1 | EVENT_IDX | INDIRECT | 0x7e5f),
		ON(BLK, "blk chain", WITH(1, { 17, 1 })), KICK, PAUSE,
		ON(BLK, "blk chain", WITH(2, { 1, 4 }, { 9, 0 })),
		ON(BLK, "blk chain", WITH(3, { 1, 11 }, { 9, 16 }, { 10, 0 })),
		ON(BLK, "blk chain", WITH(2, { 1, 8 }, { 9, 20 })), KICK, PAUSE,
		ON(BLK, "VHOST_TARGET_GET_DEVICE"),
		ON(BLK, "VHOST_TARGET_GET_CONFIG"),
		ON(BLK, "VHOST_TARGET_SET_CONFIG"),
		ON(BLK, "VHOST_TARGET_SET_CONFIG_CALL"),
	}, {
		BLK_START(VERSION_1 | PACKED | INDIRECT),
		ON(BLK, "blk chain", WITH(1, { 17, 2 })), KICK, PAUSE,
		ON(BLK, "blk chain", WITH(1, { 17, 3 })), KICK, PAUSE,
		MEMORY(1, 0, 16), KICK, PAUSE, MEMORY(7, 0, 16),
		ON(BLK, "VHOST_SET_MEM_TABLE", WITH(1, { 0, 0 })),
	}, {
		/* The first one meets a unit attention. */
		SCSI_START, ON(SCSI, "scsi chain", WITH(1, { 0, 2 })), KICK,
		PAUSE, ON(SCSI, "scsi chain", WITH(1, { 0, 2 })), KICK,
		PAUSE, ON(SCSI, "scsi control"), KICK, PAUSE,
		ON(SCSI, "VHOST_SCSI_CLEAR_ENDPOINT"),
	}, {
		OPEN(SCSI), ON(SCSI, "VHOST_SCSI_GET_ABI_VERSION"),
		ON(SCSI, "VHOST_SET_OWNER"), ON(SCSI, "VHOST_NEW_WORKER"),
		ON(SCSI, "VHOST_ATTACH_VRING_WORKER"),
		ON(SCSI, "VHOST_GET_VRING_WORKER"),
		ON(SCSI, "VHOST_ATTACH_VRING_WORKER", WITH(1, { 1, 0 })),
		ON(SCSI, "VHOST_FREE_WORKER"),
		ON(SCSI, "VHOST_SCSI_SET_EVENTS_MISSED"),
		ON(SCSI, "VHOST_SCSI_GET_EVENTS_MISSED"),
		ON(SCSI, "VHOST_SCSI_SET_ENDPOINT"),
		ON(SCSI, "VHOST_TARGET_GET_DEVICE"),
		ON(SCSI, "VHOST_TARGET_GET_CONFIG"),
		ON(SCSI, "VHOST_TARGET_SET_CONFIG_CALL"),
		ON(SCSI, "VHOST_TARGET_SET_CONFIG", WITH(2, { 2, 24 }, { 3, 4 })),
	}, {
		NVME_START, COMMAND(NVME, 0, 6, NV_DATA, 1, 0), PAUSE,
		IO_QUEUE(NVME),
		COMMAND(NVME, 1, 0x100000002, NV_DATA, 0, 0), PAUSE,
		COMMAND(NVME, 1, 0x100000001, NV_DATA, 0, 0), PAUSE,
		ON(NVME, "VHOST_TARGET_NVME_GET"),
		ON(NVME, "VHOST_TARGET_NVME_READ"),
		ON(NVME, "VHOST_TARGET_NVME_RESET"),
	}, {
		NVME_START,
		COMMAND(NVME, 0, 0x7c, NV_DATA, 0, 0), PAUSE,
		COMMAND(NVME, 0, 2, NV_DATA, 0x7f0002, 0),
		COMMAND(NVME, 0, 10, NV_DATA, 7, 0),
		COMMAND(NVME, 0, 9, NV_DATA, 7, 0),
		COMMAND(NVME, 0, 12, 0, 0, 0), PAUSE,
		ON(NVME, "map doorbells"), ON(NVME, "doorbell"), PAUSE,
		ON(NVME, "unmap doorbells"),
	}, {
		OPEN(VDPA), VDPA_START, ON(VDPA, "blk chain"), KICK, PAUSE,
		ON(VDPA, "IOTLB message", WITH(1, { 1, 3 })),
		ON(VDPA, "VHOST_VDPA_SUSPEND"),
		ON(VDPA, "VHOST_GET_VRING_BASE"),
	}, {
		OPEN(VDPA), ON(VDPA, "VHOST_VDPA_GET_DEVICE_ID"),
		ON(VDPA, "VHOST_VDPA_GET_STATUS"),
		ON(VDPA, "VHOST_VDPA_GET_VRING_NUM"),
		ON(VDPA, "VHOST_VDPA_GET_CONFIG"),
		ON(VDPA, "VHOST_VDPA_SET_CONFIG"),
		ON(VDPA, "VHOST_VDPA_SET_CONFIG_CALL"),
		ON(VDPA, "VHOST_VDPA_GET_IOVA_RANGE"),
		ON(VDPA, "VHOST_VDPA_GET_CONFIG_SIZE"),
		ON(VDPA, "VHOST_VDPA_GET_VQS_COUNT"),
		ON(VDPA, "VHOST_VDPA_GET_GROUP_NUM"),
		ON(VDPA, "VHOST_VDPA_GET_AS_NUM"),
		ON(VDPA, "VHOST_VDPA_GET_VRING_GROUP"),
		ON(VDPA, "VHOST_VDPA_GET_VRING_SIZE"),
	}, {
		/* The other slot is a scsi target's. */
		ON(NONE, "open", SLOT1, WITH(1, { 0, N_VDPA })),
		ON(VDPA, "VHOST_SET_OWNER", SLOT1),
		ON(VDPA, "VHOST_VDPA_SET_STATUS", SLOT1, WITH(1, { 0, 3 })),
		ON(VDPA, "VHOST_SET_FEATURES", SLOT1),
		ON(VDPA, "VHOST_VDPA_SET_STATUS", SLOT1, WITH(1, { 0, 0xb })),
		ON(VDPA, "IOTLB message", SLOT1),
		ON(VDPA, "VHOST_SET_VRING_NUM", SLOT1, WITH(1, { 0, 2 })),
		ON(VDPA, "VHOST_SET_VRING_ADDR", SLOT1, WITH(1, { 0, 2 })),
		ON(VDPA, "VHOST_SET_VRING_KICK", SLOT1, WITH(1, { 0, 2 })),
		ON(VDPA, "VHOST_VDPA_SET_VRING_ENABLE", SLOT1,
		   WITH(1, { 0, 2 })),
		ON(VDPA, "VHOST_VDPA_SET_STATUS", SLOT1),
		ON(VDPA, "scsi chain", SLOT1), KICK, PAUSE,
		ON(VDPA, "scsi chain", SLOT1), KICK, PAUSE,
		ON(VDPA, "VHOST_VDPA_SET_STATUS", SLOT1, WITH(1, { 0, 0 })),
	}, {
		VFIO_START, COMMAND(VFIO, 0, 6, NV_DATA, 1, 0), PAUSE,
		IO_QUEUE(VFIO),
		COMMAND(VFIO, 1, 0x100000002, NV_DATA, 0, 0), PAUSE,
		ON(CONTAINER, "VFIO_IOMMU_UNMAP_DMA"),
		ON(VFIO, "VFIO_DEVICE_RESET"),
	}, {
		VFIO_START, ON(VFIO, "VFIO_DEVICE_GET_INFO"),
		ON(VFIO, "VFIO_DEVICE_GET_REGION_INFO"),
		ON(VFIO, "VFIO_DEVICE_GET_IRQ_INFO"),
		ON(VFIO, "read region"), ON(VFIO, "map doorbells"),
		ON(VFIO, "doorbell"),
		ON(VFIO, "VFIO_DEVICE_SET_IRQS",
		   WITH(3, { 2, 0 }, { 1, 0x24 }, { 4, 1 })),
		ON(GROUP, "VFIO_GROUP_UNSET_CONTAINER"),
		CLOSE(VFIO), CLOSE(GROUP), CLOSE(CONTAINER),
	},
};

static unsigned int find_desc(const struct seed_call *s)
{
	unsigned int i;

	for (i = 0; i < nr_descs; i++)
		if (descs[i].node == s->node && !strcmp(descs[i].name, s->name))
			return i;
	vt_msg("no call %s", s->name);
	return 0;
}

static void seed_call(struct call *c, const struct seed_call *s)
{
	const struct field *f;
	unsigned int i;

	memset(c, 0, sizeof(*c));
	c->desc = find_desc(s);
	c->slot = s->slot;
	for (i = 0; i < s->nr; i++) {
		f = &descs[c->desc].f[s->set[i].field];
		c->arg[s->set[i].field] = f->kind == K_INT ?
			f->param ^ s->set[i].value : s->set[i].value;
	}
}

/* All calls of a node, as they stand in the table. */
static unsigned int tour(struct prog *to, unsigned int room, enum node node)
{
	const struct seed_call first = ON(NONE, "open", WITH(1, { 0, node }));
	unsigned int i, n = 0;
	struct prog *p = NULL;

	for (i = 0; i < nr_descs; i++) {
		if (descs[i].node != node)
			continue;
		if (!p || p->nr == MAX_CALLS) {
			if (n == room)
				break;
			p = &to[n++];
			memset(p, 0, sizeof(*p));
			seed_call(&p->call[p->nr++], &first);
		}
		p->call[p->nr++] = (struct call){ .desc = i };
	}
	return n;
}

unsigned int seed_progs(struct prog *to, unsigned int room)
{
	unsigned int n;
	u8 node;

	for (n = 0; n < ARRAY_SIZE(seeds) && n < room; n++) {
		struct prog *p = &to[n];

		for (p->nr = 0; p->nr < MAX_SEED; p->nr++) {
			if (!seeds[n][p->nr].name)
				break;
			seed_call(&p->call[p->nr], &seeds[n][p->nr]);
		}
	}
	for (node = N_NONE; node < NODES; node++)
		n += tour(to + n, room - n, node);
	return n;
}
