// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <vhost_target/door_ioctl.h>

#include "fuzz_virtio.h"
#include "shim/hook.h"

/* Descriptors of a chain that is no table, and of a ring. */
#define DIRECT		8
#define RING_SIZE	32

/* Rings are in the first pages, two for each queue; then come the buffers. */
#define RING_ADDR(q)	(FC_BASE + (q) * 2 * PAGE_SIZE)
#define BUFS		(FC_BASE + FV_QUEUES * 2 * PAGE_SIZE)
#define BUFS_LEN	((FC_PAGES - FV_QUEUES * 2) * PAGE_SIZE)

struct fv fv;

/* Two sessions of a target that is shared. */
#define DEVICES		2

/**
 * struct driver - the driver's side of a queue
 * @avail: split: available index; packed: next descriptor
 * @wrap: packed: its wrap counter
 * @slots: packed: descriptors made available
 * @used_slots: of them, those that came back
 * @accepted: requests that the device took
 * @ended: of them, those it ended
 * @broken: the device has stopped it
 */
static struct driver {
	u16 avail;
	bool wrap;
	u32 slots;
	u32 used_slots;
	unsigned int accepted;
	unsigned int ended;
	bool broken;
} drvs[DEVICES][FV_QUEUES], *drv = drvs[0];

static struct vt_vdev *devs[DEVICES];

static struct vt_type type;
static struct vt_vdev_ops ops;
static const struct vt_chain *parsing;
static u64 buf_at;
static bool far_rings;

/* Between the core and the device type. */

static bool in_segs(const struct vt_seg *seg, unsigned int nr, u64 addr,
		    u32 len)
{
	for (; nr; seg++, nr--)
		if (addr - seg->addr < seg->len &&
		    len <= seg->len - (addr - seg->addr))
			return true;
	return false;
}

static bool may_read(u64 addr, u32 len)
{
	/* The core reads tables. */
	return !parsing || in_segs(parsing->seg, parsing->nr_out, addr, len);
}

static bool may_write(u64 addr, u32 len)
{
	return parsing && in_segs(parsing->seg + parsing->nr_out,
				  parsing->nr_in, addr, len);
}

static struct driver *vq_driver(struct vt_vq *vq)
{
	return &drvs[vq->vdev == devs[1]][vq->q.index];
}

/* What was parsed is a part of a request, and others follow. */
static bool part;
/* Room in the chain that a request was made of. */
static u64 in_len[DEVICES][FV_QUEUES][RING_SIZE];

static u64 *req_in_len(struct vt_req *req)
{
	struct vt_queue *q = req->q;
	bool second = vt_to_vdev(q->session) == devs[1];

	return &in_len[second][q->index][((u8 *)req - (u8 *)q->reqs) /
					 q->req_size];
}

static int parse(struct vt_vq *vq, const struct vt_chain *c,
		 struct vt_req *req)
{
	int ret;

	MUST(!req->taken);
	parsing = c;
	ret = fc.module_type->vdev_ops->parse(vq, c, req);
	parsing = NULL;
	MUST(ret >= 0 || ret == -EAGAIN || ret == -ENOBUFS ||
	     ret == -ENODATA || ret == -EPROTO);
	MUST(ret <= 3);
	if (ret < 0) {
		/* What was not taken keeps nothing of the queue's. */
		MUST(!req->big && !req->bounce);
		return ret;
	}
	*req_in_len(req) = c->in_len;
	/* The last part of a request is it. */
	part = ret == 3;
	if (!part)
		vq_driver(vq)->accepted++;
	return ret;
}

static void abandon(struct vt_req *req)
{
	if (!part)
		vq_driver(vt_to_vq(req->q))->accepted--;
	MUST(!req->big && !req->bounce);
	if (fc.module_type->vdev_ops->abandon)
		fc.module_type->vdev_ops->abandon(req);
}

static void complete_req(struct vt_req *req)
{
	struct driver *d = vq_driver(vt_to_vq(req->q));

	/* Each one once. */
	MUST(req->taken);
	fc.module_type->vdev_ops->complete(req);
	MUST(req->used_len <= *req_in_len(req));
	d->ended++;
	d->used_slots += req->slots;
}

static void vq_error(struct vt_vdev *vdev, struct vt_vq *vq)
{
	MUST(vdev == vq->vdev);
	vq_driver(vq)->broken = true;
}

static void config_changed(struct vt_vdev *vdev)
{
	MUST(vdev == devs[0] || vdev == devs[1]);
}

static const struct vt_vdev_door_ops door = {
	.config_changed = config_changed,
	.vq_error = vq_error,
};

/* Rings of their exact size, or within the memory of buffers. */
static int map_ring(struct vt_vdev *vdev, u64 addr, u32 len, bool write,
		    struct vt_map *map)
{
	int err;

	if (far_rings) {
		*map = (struct vt_map) { .addr = calloc(1, len) };
		return 0;
	}
	err = vt_gmem_map(&fc.gmem, addr, len, write, map);
	if (err)
		return err;
	MUST(vdev == devs[0]);
	fc_allow(addr, len);
	memset(map->addr, 0, len);
	return 0;
}

/* Life of the device. */

static void queue_start(unsigned int i)
{
	struct vt_vq *vq = &fv.vdev->vqs[i];
	u64 at = RING_ADDR(i);

	vq->num = RING_SIZE;
	vq->base = fv.packed ? 0x80008000 : 0;
	vq->addr.desc = at;
	vq->addr.driver = at + PAGE_SIZE;
	vq->addr.device = at + PAGE_SIZE + PAGE_SIZE / 2;
	vq->has_addr = true;
	drv[i] = (struct driver) { .wrap = true };
	mutex_lock(&fv.vdev->s.lock);
	if (vt_vq_start(vq))
		drv[i].broken = true;
	mutex_unlock(&fv.vdev->s.lock);
}

static void queue_stop(unsigned int i)
{
	struct vt_vq *vq = &fv.vdev->vqs[i];
	void *area[3];
	unsigned int k;

	if (!vq->q.running)
		return;
	for (k = 0; k < 3; k++)
		area[k] = vq->map[k].addr;
	mutex_lock(&fv.vdev->s.lock);
	vt_vq_stop(vq);
	mutex_unlock(&fv.vdev->s.lock);
	MUST(drv[i].accepted == drv[i].ended);
	for (k = 0; far_rings && k < 3; k++)
		free(area[k]);
}

void fv_use(unsigned int i)
{
	if (!devs[i])
		return;
	fv.vdev = devs[i];
	drv = drvs[i];
	fv.packed = vt_vdev_has(fv.vdev, VIRTIO_F_RING_PACKED);
}

static void stop(void)
{
	unsigned int d, i;

	for (d = 0; d < DEVICES; d++) {
		fv_use(d);
		for (i = 0; devs[d] && i < FV_QUEUES; i++)
			queue_stop(i);
	}
	fv_use(0);
}

static u64 features_of(u64 wish)
{
	return vt_vdev_features(fv.vdev) & (wish | FV_FEATURES);
}

static void start(u64 wish)
{
	unsigned int d, i;

	for (d = 0; d < DEVICES; d++) {
		if (!devs[d])
			continue;
		devs[d]->features = features_of(wish);
		fv_use(d);
		for (i = 0; i < FV_QUEUES; i++)
			queue_start(i);
	}
	fv_use(0);
}

static void make_device(unsigned int i)
{
	devs[i] = vt_vdev_create(&fc.target, FV_QUEUES, &door, NULL);
	MUST(!IS_ERR(devs[i]));
	devs[i]->s.gmem = &fc.gmem;
	devs[i]->map_ring = map_ring;
	MUST(!vt_vdev_attach(devs[i]));
}

static void begin(void)
{
	u64 wish;

	MUST(!fc_insert());
	type = *fc.module_type;
	ops = *type.vdev_ops;
	ops.parse = parse;
	ops.complete = complete_req;
	ops.abandon = abandon;
	type.vdev_ops = &ops;
	fc_begin(&type);
	fc_add_disk(0);
	wish = fuzz_take64();
	far_rings = fuzz_take(1) & 1;
	parsing = NULL;
	buf_at = 0;
	fc.target.num_queues = FV_QUEUES - type.ctl_queues;
	fc.target.flags = far_rings ? VHOST_TARGET_F_SHARED : 0;
	make_device(0);
	if (far_rings)
		make_device(1);
	fv_use(0);
	fc.may_read = may_read;
	fc.may_write = may_write;
	start(wish);
}

/* Requests. */

u64 fv_alloc(u32 len)
{
	u64 at;

	/* As drivers do, with nothing across a page that need not be. */
	if (len <= PAGE_SIZE && (buf_at % PAGE_SIZE) + len > PAGE_SIZE)
		buf_at = ALIGN(buf_at, PAGE_SIZE);
	if (buf_at + len > BUFS_LEN)
		buf_at = 0;
	at = buf_at;
	buf_at += ALIGN(len, 16);
	return BUFS + at;
}

void fv_add(struct fv_chain *c, u64 addr, u32 len, bool write)
{
	if (c->nr == FV_MAX_SEGS)
		return;
	c->seg[c->nr] = (struct vt_seg) { addr, len };
	c->write[c->nr++] = write;
}

u64 fv_out(struct fv_chain *c, const void *buf, u32 len)
{
	u64 addr = fv_alloc(len);

	fc_write(addr, buf, len);
	fv_add(c, addr, len, false);
	return addr;
}

u64 fv_in(struct fv_chain *c, u32 len)
{
	u64 addr = fv_alloc(len);

	fv_add(c, addr, len, true);
	return addr;
}

static void put_desc(u8 *at, u64 addr, u32 len, u16 flags, u16 other)
{
	unsigned int f = fv.packed ? 14 : 12, o = fv.packed ? 12 : 14;

	memcpy(at, &(__le64){ cpu_to_le64(addr) }, 8);
	memcpy(at + 8, &(__le32){ cpu_to_le32(len) }, 4);
	memcpy(at + o, &(__le16){ cpu_to_le16(other) }, 2);
	memcpy(at + f, &(__le16){ cpu_to_le16(flags) }, 2);
}

static u16 seg_flags(const struct fv_chain *c, unsigned int i, bool next)
{
	return (c->write[i] ? VRING_DESC_F_WRITE : 0) |
	       (next && i + 1 < c->nr ? VRING_DESC_F_NEXT : 0);
}

/* Turn it into a table. */
static void make_table(struct fv_chain *c)
{
	u8 table[FV_MAX_SEGS * 16];
	unsigned int i;
	u64 addr;

	for (i = 0; i < c->nr; i++)
		put_desc(table + 16 * i, c->seg[i].addr, c->seg[i].len,
			 seg_flags(c, i, !fv.packed), i + 1);
	addr = fv_alloc(16 * c->nr);
	fc_write(addr, table, 16 * c->nr);
	c->seg[0] = (struct vt_seg) { addr, 16 * c->nr };
	c->nr = 1;
}

/**
 * struct twist - what is wrong with a chain
 * @flags: is put into the flags of descriptor @at
 * @head: is added to its head, or id
 * @idx: is added to the available index
 */
struct twist {
	unsigned int at;
	u16 flags;
	u16 head;
	u16 idx;
};

static void send_split(struct vt_vq *vq, const struct fv_chain *c,
		       const struct twist *t, bool table)
{
	struct driver *d = vq_driver(vq);
	struct vring_avail *avail = vq->vr.driver;
	u16 head = d->avail % (RING_SIZE / DIRECT) * DIRECT;
	unsigned int i;
	u16 flags;

	for (i = 0; i < c->nr; i++) {
		flags = table ? VRING_DESC_F_INDIRECT : seg_flags(c, i, true);
		flags ^= i == t->at ? t->flags : 0;
		put_desc((u8 *)vq->vr.desc + 16 * (head + i), c->seg[i].addr,
			 c->seg[i].len, flags, head + i + 1);
	}
	avail->ring[d->avail % RING_SIZE] = cpu_to_le16(head + t->head);
	d->avail++;
	avail->idx = cpu_to_le16(d->avail + t->idx);
}

static u16 packed_avail(bool wrap)
{
	return wrap ? BIT(VRING_PACKED_DESC_F_AVAIL) :
		      BIT(VRING_PACKED_DESC_F_USED);
}

static void send_packed(struct vt_vq *vq, const struct fv_chain *c,
			const struct twist *t, bool table)
{
	struct driver *d = vq_driver(vq);
	unsigned int i;
	u16 flags;

	for (i = 0; i < c->nr; i++) {
		flags = table ? VRING_DESC_F_INDIRECT : seg_flags(c, i, true);
		flags ^= i == t->at ? t->flags : 0;
		put_desc((u8 *)vq->vr.desc + 16 * d->avail, c->seg[i].addr,
			 c->seg[i].len, flags | packed_avail(d->wrap),
			 t->head + d->slots % RING_SIZE);
		if (++d->avail == RING_SIZE) {
			d->avail = 0;
			d->wrap = !d->wrap;
		}
		d->slots++;
	}
}

static bool has_room(struct vt_vq *vq)
{
	struct driver *d = vq_driver(vq);

	if (fv.packed)
		return d->slots - d->used_slots + DIRECT <= RING_SIZE;
	return (u16)(d->avail - vq->vr.next) < RING_SIZE / DIRECT;
}

static void send(unsigned int queue, struct fv_chain *c, const struct twist *t,
		 bool table)
{
	struct vt_vq *vq = &fv.vdev->vqs[queue];

	if (!vq->q.running || !c->nr || !has_room(vq))
		return;
	table |= c->nr > DIRECT;
	if (table)
		make_table(c);
	if (fv.packed)
		send_packed(vq, c, t, table);
	else
		send_split(vq, c, t, table);
	vt_queue_kick(&vq->q);
}

void fv_offer(unsigned int queue, const struct fv_chain *c)
{
	struct fv_chain copy = *c;

	send(queue, &copy, &(struct twist) { .at = 0 }, false);
}

void fv_send(unsigned int queue, const struct fv_chain *c)
{
	fv_offer(queue, c);
	fc_settle();
}

/* Cut buffers apart, and what a driver must not do. */
static void distort(struct fv_chain *c)
{
	struct fv_chain old = *c;
	u32 n = fuzz_take(1), done, len;
	unsigned int i = fuzz_take(1) % (c->nr ?: 1);

	switch (fuzz_take(1) % 8) {
	case 0:
		c->nr = 0;
		for (i = 0; i < old.nr; i++)
			for (done = 0; done < old.seg[i].len &&
			     c->nr < FV_MAX_SEGS; done += len) {
				len = min(n + 1, old.seg[i].len - done);
				fv_add(c, old.seg[i].addr + done, len,
				       old.write[i]);
			}
		break;
	case 1:
		c->write[i] = !c->write[i];
		break;
	case 2:
		c->seg[i].len = n;
		break;
	case 3:
		c->seg[i].len = fuzz_take(4);
		break;
	case 4:
		c->seg[i].addr = fc_take_addr(c->seg[i].addr + n);
		break;
	case 5:
		c->nr = i;
		break;
	case 6:
		fv_add(c, c->seg[i].addr, c->seg[i].len, c->write[i]);
		break;
	default:
		c->seg[i].addr += n;
		break;
	}
}

static void twist(struct twist *t)
{
	u16 v = fuzz_take(2);

	t->at = fuzz_take(1) % DIRECT;
	switch (fuzz_take(1) % 4) {
	case 0:
		t->flags = 1 << v % 16;
		break;
	case 1:
		t->head = v;
		break;
	case 2:
		t->idx = v;
		break;
	default:
		break;
	}
}

static void step_request(void)
{
	u8 how = fuzz_take(1);
	unsigned int queue = how % FV_QUEUES, n;
	struct fv_chain c = { .nr = 0 };
	struct twist t = { .at = 0 };

	fv_use(how >> 2 & 1);
	fv_request(&c, queue);
	n = how >> 5 & 3;
	if (n == 3)
		twist(&t);
	else
		for (; n; n--)
			distort(&c);
	send(queue, &c, &t, how & 0x80);
	if (how & 0x10)
		fc_poll();
}

/* The driver changes what it has given away. */
static void step_scribble(void)
{
	u64 at = BUFS + fuzz_take(2);
	u8 bytes[8];

	fuzz_take_bytes(bytes, sizeof(bytes));
	fc_write(at, bytes, sizeof(bytes));
}

static void step_config(void)
{
	u8 how = fuzz_take(1), off = fuzz_take(1), len = fuzz_take(1);
	u8 *buf = malloc(len);

	fuzz_take_bytes(buf, how & 1 ? len : 0);
	if (how & 1)
		vt_vdev_write_config(fv.vdev, off, buf, len);
	else
		vt_vdev_read_config(fv.vdev, off, buf, len);
	free(buf);
}

static void reset(u64 wish)
{
	unsigned int i;

	stop();
	/* That it can fail for want of memory is another test's. */
	shim_no_memory = 0;
	for (i = 0; i < DEVICES; i++) {
		if (!devs[i])
			continue;
		vt_vdev_detach(devs[i]);
		MUST(!vt_vdev_attach(devs[i]));
	}
	parsing = NULL;
	start(wish);
}

static void step(void)
{
	u8 what = fuzz_take(1) % 16;
	unsigned int i;

	switch (what) {
	case 0 ... 7:
		step_request();
		break;
	case 8 ... 10:
		fc_step();
		break;
	case 11:
		step_scribble();
		break;
	case 12:
		step_config();
		break;
	case 13:
		/* A driver starts a queue anew, mostly one that is stopped. */
		i = fuzz_take(1);
		if (drv[i % FV_QUEUES].broken || i & 0x80) {
			queue_stop(i % FV_QUEUES);
			queue_start(i % FV_QUEUES);
		}
		break;
	case 14:
		i = fuzz_take(1);
		if (i & 0x40)
			reset(fuzz_take64());
		break;
	default:
		fv_other();
		break;
	}
}

/* More than this are no new states. */
#define MAX_STEPS	256

static void end(void)
{
	unsigned int i;

	stop();
	for (i = 0; i < DEVICES; i++) {
		if (devs[i])
			vt_vdev_destroy(devs[i]);
		devs[i] = NULL;
	}
	fc_end();
}

void fv_open(const struct fv_seed *s)
{
	u8 in[FC_BEGIN + 9] = { 0 };
	unsigned int i;

	memcpy(in + 1, s->disk, FC_DISKS);
	for (i = 0; i < 8; i++)
		in[FC_BEGIN + i] = s->features >> (56 - 8 * i);
	in[FC_BEGIN + 8] = s->far_rings;
	fuzz_begin(in, sizeof(in));
	begin();
	fuzz_begin(NULL, 0);
}

void fv_close(void)
{
	fc_heal();
	fc_settle();
	end();
}

unsigned int fv_ended(unsigned int queue)
{
	return drv[queue].ended;
}

int fv_run(const u8 *data, size_t len)
{
	unsigned int steps = 0;

	fuzz_begin(data, len);
	begin();
	while (fuzz_left() && steps++ < MAX_STEPS)
		step();
	fuzz_begin(NULL, 0);
	fc_heal();
	fc_settle();
	MUST(fc_asleep());
	/* The next driver may prefer the other format. */
	reset(fv.packed ? ~BIT_ULL(VIRTIO_F_RING_PACKED) : ~0ULL);
	fv_check();
	MUST(fc_asleep());
	end();
	return 0;
}

/* Seeds. */

void fv_put_begin(const struct fv_seed *s)
{
	unsigned int i;

	fuzz_put(1, 8);
	for (i = 0; i < FC_DISKS; i++)
		fuzz_put(1, s->disk[i]);
	fuzz_put(8, s->packed ? s->features | BIT_ULL(VIRTIO_F_RING_PACKED) :
		 s->features & ~BIT_ULL(VIRTIO_F_RING_PACKED));
	fuzz_put(1, s->far_rings);
}

void fv_put_request(unsigned int queue, bool indirect)
{
	fuzz_put(1, 0);
	fuzz_put(1, 0x10 | queue | (indirect ? 0x80 : 0));
}

void fv_put_settle(void)
{
	fuzz_put(2, 0x080f);
}

void fv_put_other(void)
{
	fuzz_put(1, 15);
}
