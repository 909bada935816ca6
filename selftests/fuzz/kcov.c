// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/types.h>
#include <linux/kcov.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kcov.h"

#define KCOV_NODE "/sys/kernel/debug/kcov"

bool kcov_there(void)
{
	return !access(KCOV_NODE, R_OK | W_OK);
}

static int open_area(struct kcov *k)
{
	void *p;

	k->area = NULL;
	k->fd = -1;
	if (!kcov_there())
		return 0;
	k->fd = open(KCOV_NODE, O_RDWR | O_CLOEXEC);
	if (k->fd < 0)
		return -errno;
	if (ioctl(k->fd, KCOV_INIT_TRACE, (unsigned long)KCOV_WORDS))
		return -errno;
	p = mmap(NULL, KCOV_WORDS * sizeof(u64), PROT_READ | PROT_WRITE,
		 MAP_SHARED, k->fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	k->area = p;
	return 0;
}

int kcov_open(struct kcov *k)
{
	int ret = open_area(k);

	if (!ret && k->area && ioctl(k->fd, KCOV_ENABLE, KCOV_TRACE_PC))
		ret = -errno;
	return vt_failed(KCOV_NODE, ret);
}

int kcov_open_remote(struct kcov *k)
{
	struct kcov_remote_arg arg = {
		.trace_mode = KCOV_TRACE_PC,
		.area_size = KCOV_WORDS / 4,
		/* Another one for each process that has one. */
		.common_handle = KCOV_SUBSYSTEM_COMMON | (u32)getpid(),
	};
	int ret = open_area(k);

	if (!ret && k->area && ioctl(k->fd, KCOV_REMOTE_ENABLE, &arg))
		ret = -errno;
	return vt_failed("remote " KCOV_NODE, ret);
}

void kcov_begin(struct kcov *k)
{
	if (k->area)
		__atomic_store_n(&k->area[0], 0, __ATOMIC_RELAXED);
}

/* Threads may both come with the same one: it is counted twice, no harm. */
static bool pcs_add(struct pcs *pcs, u64 pc)
{
	u32 at = (pc * 0x9e3779b97f4a7c15ull) >> 47, i;

	for (i = 0; i < PCS_SLOTS; i++) {
		u64 *slot = &pcs->slot[(at + i) % PCS_SLOTS];

		if (*slot == pc)
			return false;
		if (*slot)
			continue;
		*slot = pc;
		__atomic_fetch_add(&pcs->nr, 1, __ATOMIC_RELAXED);
		return true;
	}
	return false;
}

unsigned int kcov_end(struct kcov *k, struct pcs *pcs)
{
	unsigned int new = 0;
	u64 i, n;

	if (!k->area)
		return 0;
	n = __atomic_load_n(&k->area[0], __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < KCOV_WORDS; i++)
		new += pcs_add(pcs, k->area[i]);
	return new;
}

unsigned int pcs_of_module(const struct pcs *pcs, const char *module)
{
	unsigned long long size, base;
	unsigned int i, nr = 0;
	char line[512], name[64];
	FILE *f = fopen("/proc/modules", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %llu %*s %*s %*s %llx", name, &size,
			   &base) != 3 || strcmp(name, module))
			continue;
		for (i = 0; i < PCS_SLOTS; i++)
			nr += pcs->slot[i] - base < size;
	}
	if (f)
		fclose(f);
	return nr;
}
