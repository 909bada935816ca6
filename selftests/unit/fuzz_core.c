// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include <linux/blkdev.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vhost_target.h>
#include <vhost_target/pi.h>

#include "fuzz_core.h"
#include "shim/hook.h"
#include "shim/pi.h"

#define MAX_WORKS	256
#define MAX_IOS		512
#define MAX_PQS		16

struct fc fc;

static u8 *page[FC_PAGES];
static bool hole[FC_PAGES], ro[FC_PAGES], absent[FC_PAGES];
/* What the driver sees, and what the device may have changed of it. */
static u8 known[FC_BYTES], allowed[FC_BYTES];

static struct work_struct *works[MAX_WORKS];
static unsigned int nr_works;
static struct vt_io *ios[MAX_IOS];
static unsigned int nr_ios;
static struct {
	struct vt_pq *pq;
	bool asleep;
} pqs[MAX_PQS];
static unsigned int nr_pqs;
static unsigned int nr_maps;
static u64 now;
static struct vt_qstats stats[8];

/* Guest memory. */

static void memory_begin(void)
{
	u8 how = fuzz_take(1);
	unsigned int i, n;
	u8 *p;

	for (i = 0; i < FC_PAGES; i += n) {
		n = i ? 1 : FC_RUN;
		if (!page[i]) {
			p = aligned_alloc(PAGE_SIZE, n * PAGE_SIZE);
			for (unsigned int k = 0; k < n; k++)
				page[i + k] = p + k * PAGE_SIZE;
		}
		memset(page[i], 0, n * PAGE_SIZE);
	}
	memset(known, 0, sizeof(known));
	memset(allowed, 0, sizeof(allowed));
	memset(hole, 0, sizeof(hole));
	memset(ro, 0, sizeof(ro));
	memset(absent, 0, sizeof(absent));
	hole[FC_PAGES - 1] = how & 1;
	hole[FC_RUN + 2] = how & 2;
	ro[FC_RUN + 4] = how & 4;
	for (i = FC_RUN; i < FC_PAGES; i += 2)
		absent[i] = how & 8;
}

static bool inside(u64 addr, u32 len)
{
	return addr >= FC_BASE && addr - FC_BASE <= FC_BYTES &&
	       len <= FC_BYTES - (addr - FC_BASE);
}

u8 *fc_mem(u64 addr)
{
	u64 off = addr - FC_BASE;

	return page[off / PAGE_SIZE] + off % PAGE_SIZE;
}

void fc_write(u64 addr, const void *buf, u32 len)
{
	u32 i;

	if (!inside(addr, len))
		return;
	for (i = 0; i < len; i++)
		*fc_mem(addr + i) = ((const u8 *)buf)[i];
	memcpy(known + (addr - FC_BASE), buf, len);
}

void fc_read(u64 addr, void *buf, u32 len)
{
	u32 i;

	memset(buf, 0, len);
	if (!inside(addr, len))
		return;
	for (i = 0; i < len; i++)
		((u8 *)buf)[i] = *fc_mem(addr + i);
}

void fc_allow(u64 addr, u32 len)
{
	if (inside(addr, len))
		memset(allowed + (addr - FC_BASE), 1, len);
}

u64 fc_take_addr(u64 want)
{
	static const u64 odd[] = {
		0, FC_BASE - 1, FC_BASE + FC_BYTES, FC_BASE + FC_BYTES - 1,
		~0ULL, ~0ULL - 4095, 1ULL << 63, FC_BASE + 1, FC_BASE + 4,
		FC_BASE + FC_RUN * PAGE_SIZE - 3,
		FC_BASE + (FC_RUN + 2) * PAGE_SIZE,
		FC_BASE + (FC_RUN + 4) * PAGE_SIZE,
	};
	u32 how = fuzz_take(1);

	if (how < 160)
		return want;
	if (how < 200)
		return FC_BASE + fuzz_take(3) % FC_BYTES;
	if (how < 240)
		return odd[how % ARRAY_SIZE(odd)];
	return fuzz_take64();
}

/* Only what the device has looked up for that may it have written. */
static void memory_check(void)
{
	unsigned int i, k;

	for (i = 0; i < FC_PAGES; i++) {
		if (!memcmp(page[i], known + i * PAGE_SIZE, PAGE_SIZE))
			continue;
		for (k = 0; k < PAGE_SIZE; k++)
			MUST(page[i][k] == known[i * PAGE_SIZE + k] ||
			     allowed[i * PAGE_SIZE + k]);
	}
}

int vt_gmem_lookup(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		   struct page **p, unsigned int *off)
{
	unsigned int i = (addr - FC_BASE) / PAGE_SIZE;
	u32 n;

	MUST(gm == &fc.gmem);
	MUST(len);
	if (!inside(addr, 1))
		return -EFAULT;
	if (absent[i])
		return -EAGAIN;
	if (hole[i] || (write && ro[i]))
		return -EFAULT;
	*off = addr % PAGE_SIZE;
	*p = (struct page *)page[i];
	n = i < FC_RUN ? FC_RUN * PAGE_SIZE - (addr - FC_BASE) :
	    PAGE_SIZE - *off;
	n = min(n, len);
	if (!write && fc.may_read)
		MUST(fc.may_read(addr, n));
	if (write && fc.may_write)
		MUST(fc.may_write(addr, n));
	if (write)
		fc_allow(addr, n);
	return n;
}

int vt_gmem_lookup_in(struct vt_gmem *gm, const struct vt_chunk *c, u64 addr,
		      u32 len, bool write, struct page **p, unsigned int *off)
{
	(void)c;
	return vt_gmem_lookup(gm, addr, len, write, p, off);
}

int vt_gmem_fill(struct vt_gmem *gm, u64 addr)
{
	unsigned int i = (addr - FC_BASE) / PAGE_SIZE, k;

	MUST(gm == &fc.gmem);
	if (!inside(addr, 1) || hole[i])
		return -EFAULT;
	if (shim_no_room(0))
		return -ENOMEM;
	if (fc.evicts) {
		for (k = FC_RUN; k < FC_PAGES; k++)
			absent[k] = true;
		fc.gmem.evictions++;
	}
	absent[i] = false;
	return 0;
}

/* Rings must be in the first pages, which are in one piece. */
int vt_gmem_map(struct vt_gmem *gm, u64 addr, u32 len, bool write,
		struct vt_map *map)
{
	MUST(gm == &fc.gmem);
	if (fc.on_map)
		fc.on_map();
	memset(map, 0, sizeof(*map));
	if (!inside(addr, len) ||
	    addr - FC_BASE + len > FC_RUN * PAGE_SIZE)
		return -EFAULT;
	map->addr = fc_mem(addr);
	map->nr = 1;
	nr_maps++;
	if (write)
		fc_allow(addr, len);
	return 0;
}

void vt_map_undo(struct vt_map *map)
{
	nr_maps -= map->nr;
	memset(map, 0, sizeof(*map));
}

/* The backend. */

static void disk_check(const struct vt_io *io)
{
	const struct vt_limits *l = &io->be->limits;
	u32 bytes = 0;
	unsigned int i;

	for (i = 0; i < nr_ios; i++)
		MUST(ios[i] != io);
	switch (io->op) {
	case VT_OP_READ:
	case VT_OP_WRITE:
		for (i = 0; i < io->nr_bv; i++) {
			MUST(io->bv[i].bv_len);
			bytes += io->bv[i].bv_len;
		}
		MUST(io->bytes && bytes == io->bytes);
		MUST(!(bytes % l->block_size));
		MUST(!(io->sector % (l->block_size / SECTOR_SIZE)));
		MUST(io->sector <= FC_SECTORS);
		MUST(bytes / SECTOR_SIZE <= FC_SECTORS - io->sector);
		break;
	case VT_OP_FLUSH:
		MUST(!io->nr_bv && !io->bytes);
		break;
	default:
		MUST(io->nr_ranges && io->nr_ranges <= VT_MAX_RANGES);
		for (i = 0; i < io->nr_ranges; i++) {
			const struct vt_range *r = &io->range[i];

			MUST(r->nr_sectors && r->sector <= FC_SECTORS);
			MUST(r->nr_sectors <= FC_SECTORS - r->sector);
			MUST(!((r->sector | r->nr_sectors) %
			       (l->block_size / SECTOR_SIZE)));
		}
		break;
	}
}

static void disk_dirty(struct fc_disk *d, u64 sector, u32 bytes)
{
	d->dirty = max_t(u32, d->dirty, (sector << SECTOR_SHIFT) + bytes);
}

static void disk_move(struct fc_disk *d, const struct vt_io *io)
{
	u8 *at = d->data + (io->sector << SECTOR_SHIFT), *p;
	const struct bio_vec *bv = io->bv;
	u32 bs = io->be->limits.block_size;
	unsigned int i;

	if (io->op == VT_OP_WRITE)
		disk_dirty(d, io->sector, io->bytes);
	for (i = 0; i < io->nr_bv; i++, bv++) {
		p = (u8 *)bv->bv_page + bv->bv_offset;
		if (io->op == VT_OP_WRITE)
			memcpy(at, p, bv->bv_len);
		else if (!fc.fills_nothing)
			memcpy(p, at, bv->bv_len);
		at += bv->bv_len;
	}
	if (!io->pi)
		return;
	MUST(io->pi->nr == io->bytes / bs);
	i = io->sector / (bs / SECTOR_SIZE);
	if (io->op == VT_OP_WRITE)
		memcpy(d->tuples + i, io->pi->tuple, io->pi->nr * VT_PI_BYTES);
	else
		memcpy(io->pi->tuple, d->tuples + i, io->pi->nr * VT_PI_BYTES);
}

static void disk_zero(struct fc_disk *d, const struct vt_io *io)
{
	unsigned int i;

	for (i = 0; i < io->nr_ranges; i++) {
		const struct vt_range *r = &io->range[i];

		disk_dirty(d, r->sector, r->nr_sectors << SECTOR_SHIFT);
		memset(d->data + (r->sector << SECTOR_SHIFT), 0,
		       r->nr_sectors << SECTOR_SHIFT);
	}
}

static void disk_end(struct vt_io *io)
{
	struct fc_disk *d = container_of(io->be, struct fc_disk, be);

	if (fc.fails) {
		fc.fails--;
		vt_io_end(io, fc.fails & 1 ? BLK_STS_NOSPC : BLK_STS_IOERR);
		return;
	}
	if (io->op == VT_OP_READ || io->op == VT_OP_WRITE)
		disk_move(d, io);
	else if (io->op != VT_OP_FLUSH)
		disk_zero(d, io);
	vt_io_end(io, BLK_STS_OK);
}

static void disk_submit(struct vt_io *io)
{
	if (fc.on_io) {
		vt_io_end(io, fc.on_io(io));
		return;
	}
	disk_check(io);
	if (fc.on_submit)
		fc.on_submit();
	now += fc.submit_ns;
	if (!fc.holds && io->be != fc.hangs) {
		disk_end(io);
		return;
	}
	MUST(nr_ios < MAX_IOS);
	ios[nr_ios++] = io;
}

/* Of the I/Os that are held, one that can end; NULL: there is none. */
static struct vt_io *take_held(void)
{
	unsigned int first = nr_ios ? fuzz_take(1) % nr_ios : 0, i, k;

	for (k = 0; k < nr_ios; k++) {
		struct vt_io *io;

		i = (first + k) % nr_ios;
		io = ios[i];
		if (io->be == fc.hangs)
			continue;
		ios[i] = ios[--nr_ios];
		return io;
	}
	return NULL;
}

/* In another order than they came. */
unsigned int fc_end_io(unsigned int max)
{
	struct vt_io *io;
	unsigned int n;

	for (n = 0; n < max; n++) {
		io = take_held();
		if (!io)
			break;
		disk_end(io);
	}
	return n;
}

static void disk_poll(struct vt_io *io)
{
	MUST(io->flags & VT_IO_POLLED);
	fc.looks++;
	if (!fc.holds)
		fc_end_io(1);
}

static const struct vt_backend_ops disk_ops = {
	.type = VHOST_TARGET_BACKEND_NULL,
	.submit = disk_submit,
	.poll = disk_poll,
};

static void disk_begin(struct fc_disk *d, unsigned int nr, u8 how)
{
	u32 bs = how & 1 ? 4096 : 512;

	if (!d->data) {
		d->data = malloc(FC_SECTORS * SECTOR_SIZE);
		d->tuples = malloc(FC_SECTORS * VT_PI_BYTES);
		d->dirty = FC_SECTORS * SECTOR_SIZE;
	}
	memset(d->data, 0x11 * (nr + 1), d->dirty);
	d->dirty = 0;
	memset(d->tuples, 0xff, FC_SECTORS * VT_PI_BYTES);
	memset(&d->be, 0, sizeof(d->be));
	memset(&d->unit, 0, sizeof(d->unit));
	d->be.ops = &disk_ops;
	d->be.limits = (struct vt_limits) {
		.sectors = FC_SECTORS,
		.block_size = bs,
		.physical_block_size = 4096,
		.io_min = 4096,
		.io_opt = 65536,
		.atomic_bytes = 16384,
		.dma_mask = how & 2 ? 511 : 3,
		.max_discard_sectors = how & 4 ? 0 : 256,
		.discard_alignment = 8,
		.max_write_zeroes_sectors = 512,
		.max_secure_erase_sectors = 64,
		.secure_erase_alignment = 8,
		.write_cache = !(how & 8),
		.ro = how & 16,
		.polled = (how & 12) == 12,
	};
	if (how & 32) {
		d->be.limits.pi_type = how & 64 ? 3 : 1;
		d->be.limits.pi_bytes = VT_PI_BYTES;
		d->be.limits.pi_interval = bs;
	}
	d->unit.target = &fc.target;
	d->unit.nr = nr;
	d->unit.be = &d->be;
	if (how & 128)
		d->unit.flags = VHOST_TARGET_UNIT_F_WRITETHROUGH;
	strcpy(d->unit.serial, "serial");
	MUST(!vt_rmw_init(&d->be.rmw));
	MUST(!vt_resv_init(&d->be.resv));
}

static void disk_finish(struct fc_disk *d)
{
	MUST(!d->be.ref.count);
	vt_resv_destroy(&d->be.resv);
	vt_rmw_destroy(&d->be.rmw);
}

void fc_add_disk(unsigned int i)
{
	struct fc_disk *d = &fc.disk[i];
	struct vt_session *s;

	if (d->present)
		return;
	if (fc.target.type->unit_init && fc.target.type->unit_init(&d->unit))
		return;
	mutex_lock(&fc.target.lock);
	xa_store(&fc.target.units, i, &d->unit, GFP_KERNEL);
	fc.target.nr_units++;
	d->present = true;
	list_for_each_entry(s, &fc.target.sessions, node)
		s->ops->unit_event(s, &d->unit, VT_UNIT_ADDED);
	mutex_unlock(&fc.target.lock);
}

void fc_remove_disk(unsigned int i)
{
	struct fc_disk *d = &fc.disk[i];
	struct vt_session *s;

	if (!d->present)
		return;
	mutex_lock(&fc.target.lock);
	xa_erase(&fc.target.units, i);
	fc.target.nr_units--;
	d->present = false;
	list_for_each_entry(s, &fc.target.sessions, node)
		s->ops->unit_event(s, &d->unit, VT_UNIT_REMOVED);
	mutex_unlock(&fc.target.lock);
	/* As the registry: no request may use it any more. */
	list_for_each_entry(s, &fc.target.sessions, node)
		vt_session_sync(s);
	if (fc.target.type->unit_exit)
		fc.target.type->unit_exit(&d->unit);
}

/* Work items and waiting. */

static void on_work(struct work_struct *work)
{
	if (work->queued)
		return;
	MUST(nr_works < MAX_WORKS);
	work->queued = true;
	works[nr_works++] = work;
}

static void on_cancel(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < nr_works; i++) {
		if (works[i] != work)
			continue;
		nr_works--;
		memmove(works + i, works + i + 1,
			(nr_works - i) * sizeof(works[0]));
	}
	work->queued = false;
}

static void do_work(unsigned int i)
{
	struct work_struct *work = works[i];

	nr_works--;
	memmove(works + i, works + i + 1, (nr_works - i) * sizeof(works[0]));
	work->queued = false;
	work->fn(work);
}

unsigned int fc_do_work(unsigned int max)
{
	unsigned int n;

	for (n = 0; n < max && nr_works; n++)
		do_work(0);
	return n;
}

unsigned int fc_works(void)
{
	return nr_works;
}

void vt_io_punt(struct vt_io *io, work_func_t fn)
{
	INIT_WORK(&io->work, fn);
	on_work(&io->work);
}

/* Work that may want what we hold is done only if nothing else helps. */
static void on_wait(void)
{
	unsigned int i;

	if (fc_end_io(MAX_IOS) || fc_poll())
		return;
	for (i = 0; i < nr_works; i++) {
		if (fc.blocked && fc.blocked(works[i]))
			continue;
		do_work(i);
		return;
	}
}

/* The poller. */

void vt_pq_init(struct vt_pq *pq, const struct vt_pq_ops *ops, u64 *rearms,
		u64 *sleeps)
{
	pq->ops = ops;
	pq->rearms = rearms;
	pq->sleeps = sleeps;
}

void vt_pq_place(struct vt_pq *pq, const struct vt_poller_set *set)
{
	unsigned int i;

	(void)set;
	for (i = 0; i < nr_pqs; i++)
		MUST(pqs[i].pq != pq);
	MUST(nr_pqs < MAX_PQS);
	pqs[nr_pqs].pq = pq;
	pqs[nr_pqs++].asleep = false;
}

void vt_pq_unplace(struct vt_pq *pq)
{
	unsigned int i;

	for (i = 0; i < nr_pqs && pqs[i].pq != pq; i++)
		;
	MUST(i < nr_pqs);
	pqs[i] = pqs[--nr_pqs];
}

void vt_pq_wake(struct vt_pq *pq)
{
	unsigned int i;

	shim_call(fc.on_wake);
	/* A waker looks at it, whatever has become of it. */
	*(volatile unsigned long *)&pq->flags;
	for (i = 0; i < nr_pqs; i++)
		if (pqs[i].pq == pq)
			pqs[i].asleep = false;
}

void vt_pq_call(struct vt_pq *pq, void (*fn)(void *arg), void *arg)
{
	(void)pq;
	fn(arg);
}

u64 shim_now(void)
{
	return now;
}

unsigned int fc_poll(void)
{
	unsigned int i, done, all = 0;

	now += 1000;
	for (i = 0; i < nr_pqs; i++) {
		struct vt_pq *pq = pqs[i].pq;

		if (pqs[i].asleep)
			continue;
		pq->crowded = fc.crowded;
		done = pq->ops->poll(pq, now, 0);
		all += done;
		if (done || pq->stays)
			continue;
		if (!pq->ops->arm(pq))
			continue;
		/* Until now who wakes it finds it awake, and that is all. */
		shim_call(fc.on_sleep);
		/* Who is not looked at must be told. */
		pqs[i].asleep = true;
		if (pq->ops->pending(pq))
			pqs[i].asleep = false;
	}
	return all;
}

bool fc_asleep(void)
{
	unsigned int i;

	for (i = 0; i < nr_pqs; i++)
		if (!pqs[i].asleep)
			return false;
	return true;
}

/* A ring holds no more than so many passes of work. */
#define MAX_PASSES	4000

/* As long as that nothing happens in a queue that cannot sleep. */
#define IDLE_PASSES	100

void fc_settle(void)
{
	unsigned int passes = 0, idle = 0, did;
	bool held = fc.holds;

	fc.holds = false;
	do {
		MUST(++passes < MAX_PASSES);
		did = fc_end_io(MAX_IOS) + fc_poll() + fc_do_work(MAX_WORKS);
		idle = did ? 0 : idle + 1;
		/* What waits for some time to pass has waited. */
		now += did ? 0 : 1000000;
	} while (!idle || (!fc_asleep() && idle < IDLE_PASSES));
	fc.holds = held;
}

/* What a module finds around it. */

static struct miscdevice *module_file;
static unsigned int refuse;

static bool refused(void)
{
	return refuse && !--refuse;
}

int vt_type_register(struct vt_type *t)
{
	if (refused())
		return -EBUSY;
	fc.module_type = t;
	return 0;
}

void vt_type_unregister(struct vt_type *t)
{
	MUST(fc.module_type == t);
	fc.module_type = NULL;
}

int misc_register(struct miscdevice *misc)
{
	if (refused())
		return -EBUSY;
	module_file = misc;
	return 0;
}

void misc_deregister(struct miscdevice *misc)
{
	MUST(module_file == misc);
	module_file = NULL;
}

int fc_insert(void)
{
	return fc.module_type ? 0 : shim_module_init();
}

void fc_eject(void)
{
	if (fc.module_type)
		shim_module_exit();
	MUST(!fc.module_type && !module_file);
}

void fc_refuse(unsigned int step)
{
	fc_eject();
	refuse = step;
}

bool fc_module_lives(void)
{
	unsigned int i;

	for (i = 1; i <= 2; i++) {
		fc_refuse(i);
		if (fc_insert() != -EBUSY || fc.module_type)
			return false;
	}
	fc_refuse(0);
	if (fc_insert() || !fc.module_type || fc_open_file() != -ENXIO)
		return false;
	fc_eject();
	return !fc.module_type;
}

int fc_open_file(void)
{
	return module_file->fops->open(NULL, NULL);
}

void fc_lose(unsigned int i, bool for_good)
{
	absent[i] = true;
	hole[i] = for_good;
}

/* What the rest of the core would do. */

void vt_target_put(struct vt_target *t)
{
	t->ref.count--;
}

void vt_backend_hold(struct vt_backend *be)
{
	be->ref.count++;
}

void vt_backend_release(struct vt_backend *be)
{
	MUST(be->ref.count);
	be->ref.count--;
}

void vt_target_keep_stats(struct vt_session *s)
{
	(void)s;
}

struct vt_pi *vt_pi_alloc(const struct vt_backend *be, u64 sector, u32 bytes,
			  gfp_t gfp)
{
	struct vt_pi *pi = shim_pi_alloc(be, sector, bytes, gfp);

	fc.nr_pi += !!pi;
	return pi;
}

void vt_pi_free(struct vt_pi *pi)
{
	fc.nr_pi -= !!pi;
	kfree(pi);
}

/* Begin and end. */

void fc_begin(struct vt_type *type)
{
	unsigned int i;

	memset(&fc.target, 0, sizeof(fc.target));
	fc.may_read = NULL;
	fc.may_write = NULL;
	fc.on_map = NULL;
	fc.on_wake = NULL;
	fc.on_sleep = NULL;
	fc.looks = 0;
	fc.on_submit = NULL;
	fc.on_io = NULL;
	fc.blocked = NULL;
	fc.fails = 0;
	fc.fills_nothing = false;
	fc.holds = false;
	fc.hangs = NULL;
	fc.nr_pi = 0;
	nr_works = 0;
	nr_ios = 0;
	nr_pqs = 0;
	nr_maps = 0;
	now = 1000000;
	shim_on_work = on_work;
	shim_on_cancel = on_cancel;
	shim_on_wait = on_wait;
	shim_no_memory = 0;
	memory_begin();
	strcpy(fc.target.name, "target0");
	fc.target.type = type;
	fc.target.num_queues = 4;
	fc.target.queue_size = 256;
	fc.target.ref.count = 1;
	fc.target.naa = 0x5001405000000001ULL;
	INIT_LIST_HEAD(&fc.target.sessions);
	memset(stats, 0, sizeof(stats));
	fc.target.stats = stats;
	for (i = 0; i < FC_DISKS; i++)
		disk_begin(&fc.disk[i], i, fuzz_take(1));
}

void fc_heal(void)
{
	unsigned int i;

	shim_no_memory = 0;
	fc.fails = 0;
	fc.holds = false;
	fc.crowded = false;
	fc.submit_ns = 0;
	fc.evicts = false;
	fc.hangs = NULL;
	memset(hole, 0, sizeof(hole));
	memset(ro, 0, sizeof(ro));
	memset(absent, 0, sizeof(absent));
	for (i = 0; i < FC_DISKS; i++) {
		fc.disk[i].be.limits.sectors = FC_SECTORS;
		fc.disk[i].be.limits.ro = false;
	}
}

void fc_end(void)
{
	unsigned int i;

	shim_no_memory = 0;
	for (i = 0; i < FC_DISKS; i++)
		fc_remove_disk(i);
	MUST(!nr_ios && !nr_works && !nr_pqs && !nr_maps && !fc.nr_pi);
	MUST(fc.target.ref.count == 1);
	MUST(!fc.target.nr_sessions);
	memory_check();
	for (i = 0; i < FC_DISKS; i++)
		disk_finish(&fc.disk[i]);
	xa_destroy(&fc.target.units);
}

void fc_step(void)
{
	unsigned int i;

	switch (fuzz_take(1) % 16) {
	case 0 ... 3:
		fc_poll();
		break;
	case 4 ... 5:
		fc_do_work(1 + fuzz_take(1) % 8);
		break;
	case 6 ... 7:
		fc_end_io(1 + fuzz_take(1) % 8);
		break;
	case 8:
		i = fuzz_take(1);
		fc.holds = i & 1;
		fc.crowded = i & 2;
		fc.submit_ns = (i & 12) * 1000;
		break;
	case 9:
		fc.fails = fuzz_take(1) % 8;
		break;
	case 10:
		shim_no_memory = fuzz_take(1) % 8;
		break;
	case 11:
		i = fuzz_take(1);
		fc.evicts = i & 128;
		i %= FC_PAGES;
		absent[i] = i >= FC_RUN;
		break;
	case 12:
		i = fuzz_take(1);
		fc.disk[i % FC_DISKS].be.limits.sectors =
			i & 16 ? FC_SECTORS : FC_SECTORS / 2;
		break;
	default:
		fc_settle();
		break;
	}
}
