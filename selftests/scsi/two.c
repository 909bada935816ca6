// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "two.h"

static int make_bed(struct two *t, unsigned int i)
{
	struct bed_opts b = {
		.disk = &t->disk[i],
		.type = VHOST_TARGET_SCSI,
		.num_queues = 1,
	};

	return bed_make_nullb(&t->bed[i], &b, 0);
}

int two_open(struct two *t, const struct two_opts *o)
{
	struct vscsi_opts bad = {
		.wwpn = t->bed[0].wwpn,
		.packed = o->packed,
		.indirect = o->indirect,
		.event_idx = o->event_idx,
		.queue_size = 64,
		.layout = MEM_HOLE,
	};
	struct vscsi_opts good = {
		.wwpn = t->bed[1].name,
		.packed = o->packed,
		.event_idx = true,
		.queue_size = 64,
	};
	int ret;

	bed_sweep();
	ret = make_bed(t, 0);
	if (!ret)
		ret = make_bed(t, 1);
	if (!ret)
		ret = vscsi_open(&t->d, &bad);
	if (!ret)
		ret = vscsi_open(&t->good, &good);
	t->q = &t->d.q[0];
	return ret;
}

void two_close(struct two *t)
{
	unsigned int i;

	vscsi_close(&t->d);
	vscsi_close(&t->good);
	for (i = 0; i < 2; i++) {
		bed_destroy(&t->bed[i]);
		disk_destroy(&t->disk[i]);
	}
}

int two_bystander(struct two *t)
{
	int ret;

	t->generation++;
	ret = vscsi_verified_io(&t->good.q[0], 0, t->generation % 64 * 64, 8,
				4096, SECTOR, t->generation);
	if (ret)
		vt_msg("the bystander suffers: %s", strerror(-ret));
	return ret;
}

int two_recover(struct two *t)
{
	int ret = vscsi_reset(&t->d);

	if (!ret)
		ret = vscsi_verified_io(t->q, 0, 1024, 8, 4096, SECTOR,
					++t->generation);
	if (ret)
		vt_msg("no recovery: %d", ret);
	return ret;
}
