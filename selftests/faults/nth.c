// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nth.h"

#define DEBUGFS "/sys/kernel/debug"
#define NTH_MAX 20000

const char *nth_missing(void)
{
	if (access("/proc/self/fail-nth", W_OK))
		return "the kernel has no fault injection by fail-nth";
	if (access(DEBUGFS "/failslab", X_OK) ||
	    access(DEBUGFS "/fail_page_alloc", X_OK))
		return "the kernel has no failslab or fail_page_alloc";
	return NULL;
}

/* Where a module's code is. */
static int module_range(const char *module, u64 *start, u64 *end)
{
	unsigned long long size, base;
	char line[512], name[64];
	int ret = -ENOENT;
	FILE *f = fopen("/proc/modules", "r");

	while (f && ret && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %llu %*s %*s %*s %llx", name, &size,
			   &base) != 3 || strcmp(name, module))
			continue;
		*start = base;
		*end = base + size;
		ret = 0;
	}
	if (f)
		fclose(f);
	return ret;
}

static const char *const attrs[] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

static int write_address(const char *attr, const char *knob, u64 address)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)address);
	return write_text(text, DEBUGFS "/%s/%s", attr, knob);
}

/* Only what is called by a module's code fails; NULL: all that is. */
static int nth_only(const char *module)
{
	u64 start = 0, end = ~0ull;
	unsigned int i;
	int ret = module ? module_range(module, &start, &end) : 0;

	for (i = 0; !ret && i < ARRAY_SIZE(attrs); i++) {
		ret = write_address(attrs[i], "require-start", start);
		if (!ret)
			ret = write_address(attrs[i], "require-end", end);
	}
	return vt_failed(module ? module : "fault injection", ret);
}

/* Sleeping allocations fail, too; nothing is printed for each. */
static int nth_prepare(const char *module)
{
	static const char *const knob[] = {
		"failslab/ignore-gfp-wait=N",
		"failslab/verbose=0",
		"fail_page_alloc/ignore-gfp-wait=N",
		"fail_page_alloc/ignore-gfp-highmem=N",
		"fail_page_alloc/min-order=0",
		"fail_page_alloc/verbose=0",
		"fail_usercopy/verbose=0",
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(knob); i++) {
		const char *value = strchr(knob[i], '=');
		int len = value - knob[i];

		ret = write_text(value + 1, DEBUGFS "/%.*s", len, knob[i]);
	}
	return ret ? vt_failed("fault injection", ret) : nth_only(module);
}

/* The file's own copies may be what fails: again, then. */
static int nth_set(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n), tries;

	for (tries = 0; tries < NTH_MAX; tries++)
		if (pwrite(fd, text, len, 0) == len)
			return 0;
	return -errno;
}

/* Was there a fault? There is none afterwards. */
static int nth_fired(int fd, bool *fired)
{
	char text[16] = "";

	/* EFAULT: it was to come in this copy. */
	*fired = pread(fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
	return nth_set(fd, 0);
}

static int nth_open(const struct nth_step *s)
{
	char path[64] = "/proc/thread-self/fail-nth";

	if (s->tid)
		snprintf(path, sizeof(path), "/proc/%d/fail-nth", s->tid);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* One place; *@end: there was none such. */
static int nth_try(struct nth_step *s, void *arg, int fd, unsigned int n,
		   bool *end)
{
	bool fired;
	int ret, err;

	err = nth_set(fd, n);
	if (err)
		return err;
	vt_silent = true;
	ret = s->run(arg);
	vt_silent = false;
	err = nth_fired(fd, &fired);
	if (err)
		return err;
	if (ret && !(fired && (ret == -ENOMEM || ret == -EFAULT))) {
		vt_msg("%s, fault %u%s: %s", s->name, n,
		       fired ? "" : " (not reached)", strerror(-ret));
		return ret;
	}
	s->refused += fired && ret;
	s->absorbed += fired && !ret;
	*end = !fired;
	err = s->good ? s->good(arg, ret) : 0;
	if (err)
		vt_msg("%s, fault %u, %s: then %s", s->name, n,
		       ret ? strerror(-ret) : "none", strerror(-err));
	if (!ret && s->undo)
		s->undo(arg);
	return err;
}

int nth_sweep(struct nth_step *s, void *arg)
{
	unsigned int n = 0;
	bool end = false;
	int fd, ret;

	/* The doors' calls are there. */
	ret = nth_prepare("vhost_target");
	if (ret)
		return ret;
	fd = nth_open(s);
	if (fd < 0)
		return vt_failed("fail-nth", -errno);
	s->refused = 0;
	s->absorbed = 0;
	while (!ret && !end && n < NTH_MAX)
		ret = nth_try(s, arg, fd, ++n, &end);
	close(fd);
	nth_only(NULL);
	if (!ret && !end)
		ret = -ELOOP;
	vt_msg("%s: %u faults refused it, %u did not", s->name, s->refused,
	       s->absorbed);
	return ret;
}

static int random_one(const char *attr, unsigned int n)
{
	char text[32];
	int ret = write_text("100", DEBUGFS "/%s/probability", attr);

	snprintf(text, sizeof(text), "%u", n);
	if (!ret)
		ret = write_text(text, DEBUGFS "/%s/interval", attr);
	return ret ? ret : write_text("-1", DEBUGFS "/%s/times", attr);
}

int nth_random(const char *module, unsigned int n)
{
	int ret = nth_prepare(module);

	if (!ret)
		ret = random_one("failslab", n);
	if (!ret)
		ret = random_one("fail_page_alloc", n);
	return vt_failed(module, ret);
}

int nth_random_end(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(attrs); i++)
		ret = write_text("0", DEBUGFS "/%s/probability", attrs[i]);
	return ret ? ret : nth_only(NULL);
}
