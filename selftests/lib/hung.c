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

/* 0: it has ended; its return value is in @b. */
static int beside(struct hung *h, struct beside *b, const bool *ended)
{
	pthread_t runner;
	int ret = 0;

	if (pthread_create(&runner, NULL, run_beside, b)) {
		shell("dmsetup resume %s", h->disk.dm);
		return -EAGAIN;
	}
	if (!vt_wait(get(&b->done))) {
		vt_msg("it waits for the disk that hangs");
		ret = -ETIMEDOUT;
	} else if (get(ended)) {
		vt_msg("it ended while the disk had a request");
		ret = -EBUSY;
	}
	if (shell("dmsetup resume %s", h->disk.dm))
		return -EIO;
	pthread_join(runner, NULL);
	return ret;
}

int hung_beside(struct hung *h, int (*fn)(void *arg), void *arg)
{
	struct beside b = { .fn = fn, .arg = arg };
	const bool never = false;
	int ret = beside(h, &b, &never);

	return ret ? ret : b.ret;
}

int hung_remove(struct hung *h, int (*fn)(void *arg), void *arg)
{
	struct beside b = { .fn = fn, .arg = arg };
	pthread_t remover;
	int ret;

	if (pthread_create(&remover, NULL, remove_it, h))
		return -EAGAIN;
	sleep_ms(200);
	ret = beside(h, &b, &h->removed);
	pthread_join(remover, NULL);
	return ret ? ret : h->err ? h->err : b.ret;
}

void hung_finish(struct hung *h)
{
	disk_destroy(&h->disk);
}
