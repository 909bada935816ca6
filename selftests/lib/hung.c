// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <unistd.h>

#include "hung.h"

struct beside {
	int (*fn)(void *arg);
	void *arg;
	int ret;
	bool done;
};

static bool get(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

int hung_add(struct hung *h, struct bed *bed, unsigned int unit)
{
	struct disk_opts d = {
		.kind = DISK_BDEV,
		.own = true,
		.block_size = SECTOR,
		.size_mb = 16,
		.dm = "linear %s 0",
	};
	int ret;

	h->bed = bed;
	h->unit = unit;
	shell("modprobe -q dm_mod");
	ret = disk_create(&h->disk, &d);
	return ret ? ret : bed_add_lun(bed, unit, &h->disk, 0);
}

int hung_suspend(struct hung *h)
{
	return shell("dmsetup suspend --noflush %s", h->disk.dm);
}

static void *remove_it(void *arg)
{
	struct hung *h = arg;
	int ctl = ctl_open();

	h->err = ctl_remove_unit(ctl, h->bed->name, h->unit);
	close(ctl);
	set(&h->removed);
	return NULL;
}

static void *run_beside(void *arg)
{
	struct beside *b = arg;

	b->ret = b->fn(b->arg);
	set(&b->done);
	return NULL;
}

static int remove_beside(struct hung *h, struct beside *b)
{
	pthread_t remover, runner;
	int ret = 0;

	if (pthread_create(&remover, NULL, remove_it, h))
		return -EAGAIN;
	sleep_ms(200);
	if (pthread_create(&runner, NULL, run_beside, b)) {
		ret = -EAGAIN;
	} else if (!vt_wait(get(&b->done))) {
		vt_msg("it waits for the disk that hangs");
		ret = -ETIMEDOUT;
	} else if (get(&h->removed)) {
		vt_msg("removed while its disk had a request: %d", h->err);
		ret = -EBUSY;
	}
	if (shell("dmsetup resume %s", h->disk.dm))
		return -EIO;
	pthread_join(remover, NULL);
	if (ret != -EAGAIN)
		pthread_join(runner, NULL);
	return ret ? ret : h->err ? h->err : b->ret;
}

int hung_remove(struct hung *h, int (*fn)(void *arg), void *arg)
{
	struct beside b = { .fn = fn, .arg = arg };

	return remove_beside(h, &b);
}

void hung_finish(struct hung *h)
{
	disk_destroy(&h->disk);
}
