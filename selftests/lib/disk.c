// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "disk.h"

#define EXT4_IMAGE "/tmp/vt-ext4.img"
#define EXT4_DIR "/tmp/vt-ext4"

const char *const disk_kind_name[DISK_KINDS] = {
	[DISK_NULL] = "null",
	[DISK_BDEV] = "bdev",
	[DISK_FILE] = "file",
};

/* $TEST_BDEV, if it has the block size wanted and is large enough. */
static bool given_bdev(struct disk *d, const struct disk_opts *o)
{
	const char *path = getenv("TEST_BDEV");
	int fd, size = 0;
	u64 bytes = 0;

	if (!path || o->delay_ns || o->read_only || o->own)
		return false;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (ioctl(fd, BLKSSZGET, &size) || ioctl(fd, BLKGETSIZE64, &bytes))
		size = 0;
	close(fd);
	if (size != (int)o->block_size || bytes < o->size_mb * MIB)
		return false;
	snprintf(d->path, sizeof(d->path), "%s", path);
	d->capacity = bytes;
	return true;
}

#define DM_PREFIX "vtdm"

/* @target's words, of which one is "%s", for all of the disk. */
static int create_dm(struct disk *d, const char *target)
{
	static unsigned int serial;
	char words[512];

	snprintf(words, sizeof(words), target, d->nb.path);
	snprintf(d->dm, sizeof(d->dm), DM_PREFIX "%d_%u", getpid(), serial++);
	snprintf(d->path, sizeof(d->path), "/dev/mapper/%s", d->dm);
	/* dmsetup makes the node itself. */
	return shell("DM_DISABLE_UDEV=1 dmsetup create %s --table '0 %llu %s'",
		     d->dm, (unsigned long long)(d->capacity / SECTOR), words);
}

static void remove_dm(struct disk *d)
{
	/* Who had it open may close a little later. */
	if (d->dm[0] && shell("for i in $(seq 100); do "
			      "dmsetup remove %s && exit; sleep 0.1; done; "
			      "exit 1", d->dm))
		vt_msg("%s stays", d->dm);
	d->dm[0] = 0;
}

static int create_bdev(struct disk *d, const struct disk_opts *o)
{
	struct nullb_opts n = {
		.size_mb = o->size_mb,
		.block_size = o->block_size,
		.delay_ns = o->delay_ns,
		.read_only = o->read_only,
		.empty = o->empty,
		.depth = o->depth,
		.cache_mb = o->cache_mb,
	};
	int ret;

	if (given_bdev(d, o))
		return 0;
	ret = nullb_create(&d->nb, &n);
	if (!ret)
		snprintf(d->path, sizeof(d->path), "%s", d->nb.path);
	if (!ret && o->dm)
		ret = create_dm(d, o->dm);
	return ret;
}

static int create_file(struct disk *d, const char *dir)
{
	static unsigned int serial;
	int fd, ret = 0;

	snprintf(d->path, sizeof(d->path), "%s/vtfile%d_%u", dir, getpid(),
		 serial++);
	fd = open(d->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	d->own_file = true;
	if (ftruncate(fd, d->capacity))
		ret = -errno;
	close(fd);
	return ret;
}

int disk_to_ext4(struct disk *d)
{
	shell("modprobe -q loop; modprobe -q ext4");
	if (access(EXT4_DIR "/lost+found", F_OK) &&
	    shell("mkdir -p " EXT4_DIR " && truncate -s 192M " EXT4_IMAGE
		  " && mkfs.ext4 -q -F " EXT4_IMAGE
		  " && mount -o loop " EXT4_IMAGE " " EXT4_DIR)) {
		vt_msg("cannot make an ext4 file system");
		return -EOPNOTSUPP;
	}
	unlink(d->path);
	return create_file(d, EXT4_DIR);
}

int disk_create(struct disk *d, const struct disk_opts *o)
{
	const char *dir = getenv("TEST_DIR");
	int ret = 0;

	memset(d, 0, sizeof(*d));
	d->kind = o->kind;
	d->block_size = o->block_size;
	d->capacity = o->size_mb * MIB;
	if (o->kind == DISK_BDEV)
		ret = create_bdev(d, o);
	else if (o->kind == DISK_FILE)
		ret = create_file(d, dir ? dir : "/tmp");
	if (ret) {
		vt_msg("no %s of %u byte blocks: %s", disk_kind_name[o->kind],
		       o->block_size, strerror(-ret));
		disk_destroy(d);
	}
	return ret;
}

void disk_destroy(struct disk *d)
{
	remove_dm(d);
	nullb_destroy(&d->nb);
	if (d->own_file)
		unlink(d->path);
	d->own_file = false;
}

void disk_sweep(void)
{
	shell("for d in $(dmsetup ls 2>/dev/null | grep -o '^" DM_PREFIX
	      "[0-9_]*'); do dmsetup remove $d; done");
	nullb_sweep();
	shell("rm -f /tmp/vtfile* \"${TEST_DIR:-/tmp}\"/vtfile* " EXT4_DIR
	      "/vtfile*");
}
