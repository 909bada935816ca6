// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

bool vt_silent;

u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000l };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int vt_failed(const char *what, int ret)
{
	if (ret < 0)
		vt_msg("%s: %s", what, strerror(-ret));
	return ret;
}

int write_text(const char *text, const char *fmt, ...)
{
	char path[4096];
	ssize_t len = strlen(text);
	va_list args;
	int fd, ret = 0;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != len)
		ret = -errno;
	close(fd);
	return ret;
}

int read_text(const char *path, char *buf, size_t size)
{
	ssize_t len;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	err = errno;
	close(fd);
	if (len < 0)
		return -err;
	buf[len] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return 0;
}

long long read_key(const char *path, const char *key)
{
	size_t len = strlen(key);
	long long value = -1;
	char line[256];
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) || !strchr(" \t:", line[len]))
			continue;
		value = atoll(line + len + strspn(line + len, " \t:"));
		break;
	}
	fclose(f);
	return value;
}

long long pins_taken(void)
{
	write_text("1", "/proc/sys/vm/stat_refresh");
	return read_key("/proc/vmstat", "nr_foll_pin_acquired");
}

long long pinned_pages(void)
{
	return pins_taken() - read_key("/proc/vmstat", "nr_foll_pin_released");
}

int wait_pinned(long long nr)
{
	if (vt_wait(pinned_pages() == nr))
		return 0;
	vt_msg("%lld pages are pinned, not %lld", pinned_pages(), nr);
	return -EBUSY;
}

int shell(const char *fmt, ...)
{
	char cmd[4096];
	va_list args;
	int ret;

	va_start(args, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, args);
	va_end(args);

	ret = system(cmd);
	return WIFEXITED(ret) && !WEXITSTATUS(ret) ? 0 : -EIO;
}

u64 env_number(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}
