// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "hostile.h"

static int make_bed(struct hostile *h, unsigned int i,
		    const struct hostile_opts *o)
{
	struct bed_opts b = {
		.disk = &h->disk[i],
		.num_queues = 2,
		.unit_flags = o->read_only && !i ? VHOST_TARGET_UNIT_F_RO : 0,
	};

	return bed_make_nullb(&h->bed[i], &b, 0);
}

int hostile_open(struct hostile *h, const struct hostile_opts *o)
{
	struct vblk_opts bad = {
		.target = h->bed[0].name,
		.packed = o->packed,
		.indirect = !o->no_indirect,
		.event_idx = o->event_idx,
		.queue_size = o->queue_size ? o->queue_size : 64,
		.layout = MEM_HOLE,
	};
	struct vblk_opts good = {
		.target = h->bed[1].name,
		.packed = o->packed,
		.event_idx = true,
		.queue_size = 64,
	};
	int ret;

	bed_sweep();
	h->patience_ms = VT_PATIENCE * 1000;
	ret = make_bed(h, 0, o);
	if (!ret)
		ret = make_bed(h, 1, o);
	if (!ret)
		ret = vblk_open(&h->d, &bad);
	if (!ret)
		ret = vblk_open(&h->good, &good);
	h->q = &h->d.q[0];
	return ret;
}

void hostile_close(struct hostile *h)
{
	unsigned int i;

	vblk_close(&h->d);
	vblk_close(&h->good);
	for (i = 0; i < 2; i++) {
		bed_destroy(&h->bed[i]);
		disk_destroy(&h->disk[i]);
	}
}

int hostile_bystander(struct hostile *h)
{
	int ret;

	h->generation++;
	ret = vblk_verified_io(&h->good.q[0], h->generation % 64 * 64, 8, 4096,
			       h->generation);
	if (ret)
		vt_msg("the bystander suffers: %s", strerror(-ret));
	return ret;
}

int hostile_recover(struct hostile *h)
{
	bool ro = vblk_has(&h->d, VIRTIO_BLK_F_RO);
	int ret;

	ret = vblk_reset(&h->d);
	if (!ret && ro)
		ret = vblk_do(h->q, VIRTIO_BLK_T_IN, 0, NULL, 512);
	else if (!ret)
		ret = vblk_verified_io(h->q, 1024, 8, 4096, ++h->generation);
	if (ret)
		vt_msg("no recovery: %d", ret);
	return ret;
}

struct vblk_req *hostile_req(struct hostile *h, u32 type, u64 sector)
{
	struct vblk_req *r = vblk_get(h->q);

	bed_stats(&h->bed[0], &h->before);
	vblk_prepare(r, type, sector, 0);
	return r;
}

int hostile_send(struct vblk_req *r, const struct vring_seg *seg,
		 unsigned int n)
{
	int ret = vblk_submit_chain(r, seg, n);

	vblk_force_kick(r->q);
	return ret;
}

static enum outcome from_status(const struct vblk_req *r)
{
	switch (vring_read(r->status)) {
	case VIRTIO_BLK_S_OK:
		return OUT_OK;
	case VIRTIO_BLK_S_IOERR:
		return OUT_IOERR;
	case VIRTIO_BLK_S_UNSUPP:
		return OUT_UNSUPP;
	default:
		return OUT_LOST;
	}
}

static enum outcome wait_outcome(struct hostile *h, struct vblk_req *r)
{
	struct vblk_req *done;
	int ret = vblk_wait_ms(h->q, &done, h->patience_ms);

	switch (ret) {
	case 0:
	case -EPROTO:	/* a raw chain, not in the driver's books */
		return from_status(r);
	case -EPIPE:
		return OUT_STOPPED;
	case -ETIMEDOUT:
		return OUT_NOTHING;
	default:
		vt_msg("wait: %s", strerror(-ret));
		return 0;
	}
}

/* Has the counter that goes with the outcome moved, and it alone? */
static bool moved(struct hostile *h, enum outcome out, u64 *invalid,
		  u64 *stopped)
{
	struct vhost_target_stats st;

	bed_stats(&h->bed[0], &st);
	*invalid = st.invalid - h->before.invalid;
	*stopped = st.ring_errors - h->before.ring_errors;
	if (out & OUT_REFUSED)
		return *invalid == 1 && !*stopped;
	if (out == OUT_STOPPED)
		return *stopped == 1;
	return !*invalid && !*stopped;
}

static bool counted(struct hostile *h, enum outcome out)
{
	u64 invalid, stopped;

	if (vt_wait(moved(h, out, &invalid, &stopped)))
		return true;
	vt_msg("%s, but invalid +%llu, ring_errors +%llu", outcome_name(out),
	       (unsigned long long)invalid, (unsigned long long)stopped);
	return false;
}

enum outcome hostile_outcome(struct hostile *h, struct vblk_req *r)
{
	enum outcome out = wait_outcome(h, r);

	return out && counted(h, out) ? out : 0;
}

const char *outcome_name(enum outcome o)
{
	switch (o) {
	case OUT_OK:
		return "OK";
	case OUT_IOERR:
		return "IOERR";
	case OUT_UNSUPP:
		return "UNSUPP";
	case OUT_LOST:
		return "returned without a status";
	case OUT_STOPPED:
		return "ring stopped";
	case OUT_NOTHING:
		return "nothing happened";
	}
	return "wrong";
}
