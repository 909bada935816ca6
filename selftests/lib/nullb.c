// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "nullb.h"

#define NULLB_DIR "/sys/kernel/config/nullb"
#define NULLB_PREFIX "vtnull"

static int load(void)
{
	if (!access(NULLB_DIR, F_OK))
		return 0;
	shell("modprobe -q configfs; modprobe -q null_blk nr_devices=0");
	if (access(NULLB_DIR, F_OK))
		shell("mount -t configfs none /sys/kernel/config 2>/dev/null");
	return access(NULLB_DIR, F_OK) ? -ENODEV : 0;
}

static int set(const struct nullb *nb, const char *attr, u64 value)
{
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	ret = write_text(text, NULLB_DIR "/%s/%s", nb->name, attr);
	if (ret)
		vt_msg("null_blk: %s = %s: %s", attr, text, strerror(-ret));
	return ret;
}

static int configure(const struct nullb *nb, const struct nullb_opts *o)
{
	const struct {
		const char *attr;
		u64 value;
	} attrs[] = {
		{ "size", o->size_mb },
		{ "blocksize", o->block_size },
		{ "memory_backed", !o->empty },
		{ "discard", !o->empty },
		{ "submit_queues", 1 },
		{ "completion_nsec", o->delay_ns },
		{ "irqmode", o->delay_ns ? 2 : 0 },
		{ "hw_queue_depth", o->depth ? o->depth : 64 },
		{ "cache_size", o->cache_mb },
		{ "power", 1 },
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		ret = set(nb, attrs[i].attr, attrs[i].value);
		if (ret)
			return ret;
	}
	return 0;
}

/* The node: devtmpfs makes one; where there is none, make it. */
static int find_node(struct nullb *nb)
{
	unsigned int major, minor;
	char path[128], dev[32];
	int ret, i;

	snprintf(path, sizeof(path), "/sys/block/%s/dev", nb->name);
	ret = read_text(path, dev, sizeof(dev));
	if (ret)
		return ret;
	if (sscanf(dev, "%u:%u", &major, &minor) != 2)
		return -EIO;
	snprintf(nb->path, sizeof(nb->path), "/dev/%s", nb->name);
	for (i = 0; i < 100; i++) {
		if (!access(nb->path, F_OK))
			return 0;
		sleep_ms(10);
	}
	/* Unless it came just now. */
	if (mknod(nb->path, S_IFBLK | 0600, makedev(major, minor)) &&
	    errno != EEXIST)
		return -errno;
	return 0;
}

static int set_read_only(const struct nullb *nb)
{
	int fd = open(nb->path, O_RDONLY | O_CLOEXEC), on = 1, ret = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, BLKROSET, &on))
		ret = -errno;
	close(fd);
	return ret;
}

int nullb_create(struct nullb *nb, const struct nullb_opts *o)
{
	static unsigned int serial;
	char dir[128];
	int ret;

	memset(nb, 0, sizeof(*nb));
	ret = load();
	if (ret) {
		vt_msg("null_blk is not there");
		return ret;
	}
	snprintf(nb->name, sizeof(nb->name), NULLB_PREFIX "%d_%u", getpid(),
		 serial++);
	snprintf(dir, sizeof(dir), NULLB_DIR "/%s", nb->name);
	if (mkdir(dir, 0700)) {
		ret = -errno;
		nb->name[0] = 0;
		return ret;
	}
	ret = configure(nb, o);
	if (!ret)
		ret = find_node(nb);
	if (!ret && o->read_only)
		ret = set_read_only(nb);
	if (ret)
		nullb_destroy(nb);
	return ret;
}

static void remove_dir(const char *name)
{
	char dir[384];

	write_text("0", NULLB_DIR "/%s/power", name);
	snprintf(dir, sizeof(dir), NULLB_DIR "/%s", name);
	if (rmdir(dir))
		vt_msg("%s: %s", dir, strerror(errno));
}

long long nullb_writes(const struct nullb *nb)
{
	long long n = -1;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", nb->name);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%*u %*u %*u %*u %lld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

void nullb_destroy(struct nullb *nb)
{
	if (nb->name[0])
		remove_dir(nb->name);
	nb->name[0] = 0;
}

void nullb_sweep(void)
{
	struct dirent *e;
	DIR *d;

	d = opendir(NULLB_DIR);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!strncmp(e->d_name, NULLB_PREFIX, strlen(NULLB_PREFIX)))
			remove_dir(e->d_name);
	}
	closedir(d);
}
