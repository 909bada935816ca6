// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "two.h"

static int make_bed(struct two *t, unsigned int i)
{
	struct disk_opts d = {
		.kind = DISK_BDEV,
		.block_size = SECTOR,
		.size_mb = TWO_BLOCKS * SECTOR / MIB,
		.own = true,
	};
	struct bed_opts b = {
		.disk = &t->disk[i],
		.type = VHOST_TARGET_SCSI,
		.num_queues = 1,
	};
	int ret = disk_create(&t->disk[i], &d);

	return ret ? ret : bed_make(&t->bed[i], &b);
}

int two_open(struct two *t, const struct two_opts *o)
{
	struct vscsi_opts bad = {
		.wwpn = t->bed[0].name,
		.packed = o->packed,
		.indirect = o->indirect,
		.event_idx = o->event_idx,
		.queue_size = 64,
		.layout = MEM_HOLE,
	};
	struct vscsi_opts good = {
		.wwpn = t->bed[1].name,
		.packed = o->packed,
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

void two_note(struct two *t)
{
	bed_stats(&t->bed[0], &t->before);
}

bool two_counted(struct two *t, u64 invalid, u64 ring_errors)
{
	struct vhost_target_stats st;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		bed_stats(&t->bed[0], &st);
		if (st.invalid - t->before.invalid == invalid &&
		    st.ring_errors - t->before.ring_errors == ring_errors)
			return true;
		sleep_ms(10);
	}
	vt_msg("invalid +%llu, ring_errors +%llu",
	       (unsigned long long)(st.invalid - t->before.invalid),
	       (unsigned long long)(st.ring_errors - t->before.ring_errors));
	return false;
}
