// SPDX-License-Identifier: GPL-2.0
#include "sharers.h"

struct bed *sharers_other(struct sharers *s)
{
	return &s->bed[s->bed[1].name[0] ? 1 : 0];
}

int sharers_open(struct sharers *s, const struct sharers_opts *o)
{
	struct disk_opts disk = {
		.kind = DISK_BDEV, .block_size = SECTOR, .size_mb = 16,
		.delay_ns = o->delay_ns, .own = true,
	};
	struct bed_opts bed = {
		.disk = &s->disk, .type = VHOST_TARGET_SCSI, .num_queues = 1,
		.unit_flags = VHOST_TARGET_UNIT_F_SHARED,
		.target_flags = o->one_target || o->more ?
				VHOST_TARGET_F_SHARED : 0,
	};
	struct vscsi_opts v = {
		.packed = o->packed, .event_idx = o->event_idx, .queue_size = 64,
	};
	unsigned int i;
	int ret;

	bed_sweep();
	ret = disk_create(&s->disk, &disk);
	for (i = 0; i < 2 && !ret; i++) {
		if (!i || !o->one_target)
			ret = bed_make(&s->bed[i], &bed);
		v.wwpn = sharers_other(s)->wwpn;
		if (!ret)
			ret = vscsi_open(&s->d[i], &v);
	}
	return ret;
}

void sharers_close(struct sharers *s)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		vscsi_close(&s->d[i]);
	for (i = 0; i < 2; i++)
		bed_destroy(&s->bed[i]);
	disk_destroy(&s->disk);
}
