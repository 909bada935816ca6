// SPDX-License-Identifier: GPL-2.0
/* virtio-blk by the ioctl and the vDPA door, virtio-scsi by the ioctl door. */
#include <linux/types.h>

#include "../blk/chains.h"
#include "../scsi/chains.h"
#include "queues.h"
#include "vdpa.h"

static union {
	struct vblk blk;
	struct vscsi scsi;
} dev;

#define LAYOUT MEM_HOLE
/* Little: what was taken away has to be looked up again, all of it. */
#define MEMORY (3 * MIB)

/* What has ended is put back; @ms for the first. -ETIMEDOUT: no more. */

static int blk_reap(struct job *j, unsigned int ms)
{
	struct vblk_req *r;
	int ret;

	while (!(ret = vblk_wait_ms(&dev.blk.q[0], &r, ms))) {
		j->ended++;
		vblk_put(r);
		ms = 0;
	}
	return ret;
}

static int scsi_reap(struct job *j, struct vscsi_queue *q, unsigned int ms)
{
	struct vscsi_req *r;
	int ret;

	while (!(ret = vscsi_wait_ms(q, &r, ms))) {
		j->ended++;
		vscsi_put(r);
		ms = 0;
	}
	return ret;
}

/* virtio-blk. */

static bool is_vdpa(const struct job *j)
{
	return j->kind->flags & VHOST_TARGET_F_VDPA;
}

static int blk_without(void *arg, unsigned int region)
{
	const struct mem_region *r = &dev.blk.mem.region[region];

	if (is_vdpa(arg))
		return vdpa_unmap(dev.blk.fd, r->gpa, r->size);
	return mem_set_table(&dev.blk.mem, dev.blk.fd, region);
}

static int blk_whole(void *arg)
{
	struct mem *m = &dev.blk.mem;
	unsigned int i;

	if (!is_vdpa(arg))
		return mem_set_table(m, dev.blk.fd, -1);
	/* What was not mapped is not, either way. */
	for (i = 0; i < m->nr; i++)
		vdpa_unmap(dev.blk.fd, m->region[i].gpa, m->region[i].size);
	return vdpa_map_mem(dev.blk.fd, m);
}

static int blk_open(struct job *j)
{
	const struct session_kind *k = j->kind;
	struct vblk_opts o = {
		.target = j->bed.name, .packed = k->packed,
		.indirect = k->indirect, .event_idx = k->event_idx,
		.queue_size = 64, .layout = LAYOUT, .memfd = true,
		.mem_size = MEMORY, .two_views = true, .poll = true,
	};
	int ret = is_vdpa(j) ? vdpa_open(&dev.blk, &o) : vblk_open(&dev.blk, &o);

	dev.blk.q[0].poll = true;
	j->churn.m = &dev.blk.mem;
	j->churn.without = blk_without;
	j->churn.whole = blk_whole;
	j->churn.arg = j;
	return ret;
}

/* Calls in the middle of it all; whatever they say. */
static void blk_odd_call(struct job *j)
{
	switch (rng_below(&j->rng, 4)) {
	case 0:
		if (!is_vdpa(j))
			vhost_stop(dev.blk.fd);
		else
			vdpa_suspend(dev.blk.fd);
		break;
	case 1:
		if (!is_vdpa(j)) {
			vhost_stop(dev.blk.fd);
			vhost_start(dev.blk.fd);
		}
		break;
	case 2:
		vhost_set_vring_kick(dev.blk.fd, 0, -1);
		break;
	default:
		vhost_set_vring_call(dev.blk.fd, 0, dev.blk.q[0].call);
		break;
	}
}

static int blk_submit(struct job *j)
{
	struct vblk_queue *q = &dev.blk.q[0];
	struct vring_seg seg[BLK_CHAIN_SEGS];
	struct vblk_req *r = vblk_get(q);
	int ret = -ENOSPC;

	if (r) {
		unsigned int n = rng_one_in(&j->rng, 2) ?
				 blk_sound_chain(&j->rng, r, seg) :
				 blk_random_chain(&j->rng, r, seg);

		ret = vblk_submit_chain(r, seg, n);
		if (ret)
			vblk_put(r);
		else
			j->sent++;
	}
	if (rng_one_in(&j->rng, 3000))
		vring_mutate(&j->rng, &q->vr);
	if (rng_one_in(&j->rng, 4000))
		blk_odd_call(j);
	if (rng_one_in(&j->rng, 4) || ret == -ENOSPC)
		vblk_force_kick(q);
	if (ret != -ENOSPC)
		return rng_one_in(&j->rng, 16) &&
		       blk_reap(j, 0) != -ETIMEDOUT ? -EAGAIN : 0;
	/* Of a queue that is stuck the driver can only begin anew. */
	if (blk_reap(j, REAP_MS) != -ETIMEDOUT)
		return -EAGAIN;
	r = vblk_get(q);
	if (!r)
		return -EAGAIN;
	vblk_put(r);
	return 0;
}

/* The rings themselves come and go only now and then: that ends them. */
static ptrdiff_t ring_shift(struct job *j, const struct mem *m)
{
	return rng_one_in(&j->rng, 4) ? m->shift : 0;
}

static int blk_reset(struct job *j)
{
	dev.blk.q[0].shift = ring_shift(j, &dev.blk.mem);
	return is_vdpa(j) ? vdpa_reset(&dev.blk) : vblk_reset(&dev.blk);
}

static int blk_check(struct job *j)
{
	return vblk_verified_io(&dev.blk.q[0], 1024, 4, 4096, ++j->generation);
}

static void blk_close(struct job *j)
{
	vblk_close(&dev.blk);
}

#define BLK_OPS .type = VHOST_TARGET_BLK, .open = blk_open, \
	.submit = blk_submit, .reset = blk_reset, .check = blk_check, \
	.close = blk_close

const struct session_kind blk_split = { .name = "blk, split", BLK_OPS };
const struct session_kind blk_packed = {
	.name = "blk, packed", .packed = true, .indirect = true,
	.event_idx = true, BLK_OPS,
};

const struct session_kind vdpa_split = {
	.name = "blk by vDPA, split", .flags = VHOST_TARGET_F_VDPA,
	.indirect = true, .event_idx = true, .missing = vdpa_missing, BLK_OPS,
};

const struct session_kind vdpa_packed = {
	.name = "blk by vDPA, packed", .flags = VHOST_TARGET_F_VDPA,
	.packed = true, .missing = vdpa_missing, BLK_OPS,
};

/* virtio-scsi. */

static int scsi_without(void *arg, unsigned int region)
{
	return mem_set_table(&dev.scsi.mem, dev.scsi.fd, region);
}

static int scsi_whole(void *arg)
{
	return mem_set_table(&dev.scsi.mem, dev.scsi.fd, -1);
}

static int scsi_open(struct job *j)
{
	const struct session_kind *k = j->kind;
	struct vscsi_opts o = {
		.wwpn = j->bed.wwpn, .packed = k->packed,
		.indirect = k->indirect, .event_idx = k->event_idx,
		.queue_size = 64, .layout = LAYOUT, .memfd = true,
		.mem_size = MEMORY, .two_views = true,
	};
	int ret = vscsi_open(&dev.scsi, &o);

	dev.scsi.q[0].poll = true;
	j->churn.m = &dev.scsi.mem;
	j->churn.without = scsi_without;
	j->churn.whole = scsi_whole;
	return ret;
}

static int scsi_put_chain(struct job *j, struct vscsi_queue *q,
			  scsi_chain_fn *make)
{
	struct vring_seg seg[SCSI_CHAIN_SEGS];
	struct vscsi_req *r = vscsi_get(q);
	int ret;

	if (!r) {
		vq_force_kick(&q->vq);
		return -ENOSPC;
	}
	ret = vscsi_submit_chain(r, seg, make(&j->rng, r, seg));
	if (ret)
		vscsi_put(r);
	else
		j->sent++;
	if (rng_one_in(&j->rng, 4) || ret == -ENOSPC)
		vq_force_kick(&q->vq);
	return ret;
}

/* LUNs come and go. */
static void hot_lun(struct job *j)
{
	unsigned int lun = 1 + rng_below(&j->rng, SCSI_HOT_LUNS);
	struct disk d = {
		.kind = DISK_NULL, .block_size = SECTOR, .capacity = 16 * MIB,
	};

	if (ctl_remove_unit(j->bed.ctl, j->bed.name, lun))
		bed_add_lun(&j->bed, lun, &d, 0);
}

static int scsi_reap_all(struct job *j, unsigned int ms)
{
	struct vscsi_queue *q[] = { &dev.scsi.ctl, &dev.scsi.ev,
				    &dev.scsi.q[0] };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(q); i++)
		if (scsi_reap(j, q[i], i == 2 ? ms : 0) != -ETIMEDOUT)
			return -EAGAIN;
	return 0;
}

static int scsi_submit(struct job *j)
{
	struct vscsi *d = &dev.scsi;
	struct vscsi_req *r;
	int ret;

	switch (rng_below(&j->rng, 64)) {
	case 0:
		scsi_put_chain(j, &d->ctl, scsi_control_chain);
		break;
	case 1:
		scsi_put_chain(j, &d->ev, scsi_event_chain);
		break;
	case 2:
		if (rng_one_in(&j->rng, 8))
			hot_lun(j);
		break;
	case 3:
		if (rng_one_in(&j->rng, 50))
			vring_mutate(&j->rng, &d->q[0].vr);
		break;
	}
	ret = scsi_put_chain(j, &d->q[0], rng_one_in(&j->rng, 3) ?
			     scsi_sound_chain : scsi_random_chain);
	if (ret != -ENOSPC)
		return rng_one_in(&j->rng, 16) ? scsi_reap_all(j, 0) : 0;
	if (scsi_reap_all(j, REAP_MS))
		return -EAGAIN;
	r = vscsi_get(&d->q[0]);
	if (!r)
		return -EAGAIN;
	vscsi_put(r);
	return 0;
}

static int scsi_reset(struct job *j)
{
	ptrdiff_t shift = ring_shift(j, &dev.scsi.mem);

	dev.scsi.ctl.shift = shift;
	dev.scsi.ev.shift = shift;
	dev.scsi.q[0].shift = shift;
	return vscsi_reset(&dev.scsi);
}

/* Write protection and reservations are gone after a reset of the unit. */
static int scsi_check(struct job *j)
{
	static const u8 clear[10] = { 0x5f, 0x03, [8] = 24 };
	static const u8 ignore[10] = { 0x5f, 0x06, [8] = 24 };
	struct vscsi_queue *q = &dev.scsi.q[0];
	u8 param[24] = { [15] = 1 };

	vscsi_tmf(&dev.scsi, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0, 0);
	vscsi_ready(q, 0);
	vscsi_do(q, 0, ignore, 10, DIR_OUT, param, 24);
	param[15] = 0;
	param[7] = 1;
	vscsi_do(q, 0, clear, 10, DIR_OUT, param, 24);
	return vscsi_verified_io(q, 0, 1024, 4, 4096, SECTOR,
				 ++j->generation);
}

static void scsi_close(struct job *j)
{
	vscsi_close(&dev.scsi);
}

#define SCSI_OPS .type = VHOST_TARGET_SCSI, .open = scsi_open, \
	.submit = scsi_submit, .reset = scsi_reset, .check = scsi_check, \
	.close = scsi_close

const struct session_kind scsi_split = { .name = "scsi, split", SCSI_OPS };
const struct session_kind scsi_packed = {
	.name = "scsi, packed", .packed = true, .indirect = true,
	.event_idx = true, SCSI_OPS,
};
