// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <unistd.h>

#include "pidisk.h"

/* The node of scsi_debug's disk, or of its first partition. */
static int find_disk(char *path, size_t len, bool part)
{
	char line[64] = "";
	FILE *f = popen("ls /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/"
			"target*/*/block 2>/dev/null", "r");

	if (!f)
		return -errno;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	pclose(f);
	line[strcspn(line, "\n")] = '\0';
	snprintf(path, len, "/dev/%s%s", line, part ? "1" : "");
	return line[0] && !access(path, R_OK | W_OK) ? 0 : -ENODEV;
}

int pidisk_load(struct disk *d, u32 type, bool part)
{
	/* Nobody else loads the disks' driver here. */
	if (shell("modprobe -q sd_mod; modprobe -q scsi_debug dix=1 dif=%u delay=0 dev_size_mb=16 num_parts=%d",
		  type, part))
		return -EOPNOTSUPP;
	if (!vt_wait(!find_disk(d->path, sizeof(d->path), part)))
		return -ENODEV;
	d->kind = DISK_BDEV;
	d->block_size = SECTOR;
	return 0;
}

void pidisk_unload(void)
{
	shell("for i in $(seq 600); do modprobe -q -r scsi_debug && break; sleep 0.1; done");
}

u16 pidisk_crc(const u8 *p, unsigned int len)
{
	u16 crc = 0;
	int i;

	while (len--) {
		crc ^= *p++ << 8;
		for (i = 0; i < 8; i++)
			crc = crc << 1 ^ (crc & 0x8000 ? 0x8bb7 : 0);
	}
	return crc;
}
