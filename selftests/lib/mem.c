// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "vhost.h"

#define LOW_GPA (1 * MIB)
#define HIGH_GPA (4096 * MIB)

static const unsigned int layout_regions[MEM_LAYOUTS] = {
	[MEM_ONE] = 1,
	[MEM_HOLE] = 2,
	[MEM_PIECES] = 8,
	[MEM_REVERSED] = 8,
	[MEM_MANY] = 128,
};

static u64 layout_gpa(enum mem_layout layout, unsigned int i, u64 size)
{
	switch (layout) {
	case MEM_ONE:
		return 0;
	case MEM_HOLE:
		return i ? HIGH_GPA : 0;
	default:
		return LOW_GPA + i * size;
	}
}

/* Each region gets a slot with an unmapped page behind it. */
static int map_region(struct mem *m, unsigned int i, u64 size)
{
	unsigned int slot = m->reversed ? m->nr - 1 - i : i;
	u8 *at = m->area + slot * (size + PAGE);
	int flags = MAP_FIXED;
	void *p;

	flags |= m->memfd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	p = mmap(at, size, PROT_READ | PROT_WRITE, flags, m->memfd,
		 m->memfd < 0 ? 0 : i * size);
	if (p == MAP_FAILED)
		return -errno;
	m->region[i].hva = p;
	m->region[i].size = size;
	m->region[i].used = PAGE;
	return 0;
}

int mem_init(struct mem *m, enum mem_layout layout, u64 size, bool memfd)
{
	unsigned int i;
	int ret;

	memset(m, 0, sizeof(*m));
	m->nr = layout_regions[layout];
	m->reversed = layout == MEM_REVERSED;
	m->memfd = -1;
	size = align_up(size / m->nr, PAGE);

	if (memfd) {
		m->memfd = memfd_create("guest", MFD_CLOEXEC);
		if (m->memfd < 0 || ftruncate(m->memfd, size * m->nr))
			return -errno;
	}
	m->area_size = m->nr * (size + PAGE);
	m->area = mmap(NULL, m->area_size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->area == MAP_FAILED)
		return -errno;
	for (i = 0; i < m->nr; i++) {
		ret = map_region(m, i, size);
		if (ret)
			return ret;
		m->region[i].gpa = layout_gpa(layout, i, size);
	}
	return 0;
}

int mem_second_view(struct mem *m)
{
	u8 *area = mmap(NULL, m->area_size, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned int i;

	if (area == MAP_FAILED)
		return -errno;
	m->shift = area - m->area;
	for (i = 0; i < m->nr; i++) {
		const struct mem_region *r = &m->region[i];

		if (mmap(r->hva + m->shift, r->size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, m->memfd,
			 i * r->size) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

#define WIDE_FILE (64 * MIB)
#define HUGE (2 * MIB)

#define SCATTER 5	/* odd */

/* In no order, so that neighbours are none in the machine's memory. */
static int scatter(int fd)
{
	u64 i, nr = WIDE_FILE / PAGE;

	for (i = 0; i < nr; i++)
		if (pwrite(fd, "", 1, i * SCATTER % nr * PAGE) != 1)
			return -1;
	return 0;
}

static int wide_file(bool huge)
{
	int fd = memfd_create("wide", MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0));
	int ret;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, WIDE_FILE) && (huge || !scatter(fd)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static int map_wide(u8 *area, u64 size, int fd)
{
	u64 at, part;

	for (at = 0; at < size; at += part) {
		part = size - at < WIDE_FILE ? size - at : WIDE_FILE;
		if (mmap(area + at, part, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

int mem_widen(struct mem *m, u64 end, bool huge)
{
	const struct mem_region *last = &m->region[m->nr - 1];
	u64 gpa = align_up(last->gpa + last->size, HUGE);
	u64 size = end - gpa;
	u8 *area;
	int fd, ret;

	if (end <= gpa || end % HUGE || m->nr == MEM_MAX_REGIONS || m->wide)
		return -EINVAL;
	fd = wide_file(huge);
	if (fd < 0)
		return fd;
	area = mmap(NULL, size + HUGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ret = area == MAP_FAILED ? -errno : 0;
	if (!ret) {
		m->wide = area;
		m->wide_size = size + HUGE;
		area = (u8 *)align_up((uintptr_t)area, HUGE);
		ret = map_wide(area, size, fd);
	}
	close(fd);
	if (!ret)
		m->region[m->nr++] = (struct mem_region){
			.gpa = gpa, .size = size, .hva = area, .used = size,
		};
	return ret;
}

void mem_free(struct mem *m)
{
	if (m->shift)
		munmap(m->area + m->shift, m->area_size);
	m->shift = 0;
	if (m->area && m->area != MAP_FAILED)
		munmap(m->area, m->area_size);
	if (m->wide)
		munmap(m->wide, m->wide_size);
	if (m->memfd >= 0)
		close(m->memfd);
	m->area = NULL;
	m->wide = NULL;
	m->memfd = -1;
	m->nr = 0;
}

void *mem_alloc(struct mem *m, u64 size, u64 align, u64 *gpa)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		struct mem_region *r = &m->region[(m->next + i) % m->nr];
		u64 at = align_up(r->used, align);

		if (at + size > r->size - PAGE)
			continue;
		m->next = (m->next + i + 1) % m->nr;
		r->used = at + size;
		*gpa = r->gpa + at;
		memset(r->hva + at, 0, size);
		return r->hva + at;
	}
	vt_msg("guest memory is used up (%llu bytes wanted)",
	       (unsigned long long)size);
	return NULL;
}

static const struct mem_region *find_region(const struct mem *m, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		if (gpa - m->region[i].gpa < m->region[i].size)
			return &m->region[i];
	}
	return NULL;
}

void *mem_hva(const struct mem *m, u64 gpa, u64 len)
{
	const struct mem_region *r = find_region(m, gpa);

	if (!r || len > r->size - (gpa - r->gpa))
		return NULL;
	return r->hva + (gpa - r->gpa);
}

u64 mem_hole(const struct mem *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		u64 end = m->region[i].gpa + m->region[i].size;

		if (!find_region(m, end))
			return end;
	}
	return 0;
}

static int copy(const struct mem *m, u64 gpa, u8 *to, const u8 *from, u64 len)
{
	while (len) {
		const struct mem_region *r = find_region(m, gpa);
		u64 offset, part;

		if (!r)
			return -EFAULT;
		offset = gpa - r->gpa;
		part = r->size - offset < len ? r->size - offset : len;
		if (to) {
			memcpy(to, r->hva + offset, part);
			to += part;
		} else {
			memcpy(r->hva + offset, from, part);
			from += part;
		}
		gpa += part;
		len -= part;
	}
	return 0;
}

u64 mem_border(const struct mem *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		u64 end = m->region[i].gpa + m->region[i].size;

		if (find_region(m, end))
			return end;
	}
	return 0;
}

int mem_read(const struct mem *m, u64 gpa, void *to, u64 len)
{
	return copy(m, gpa, to, NULL, len);
}

int mem_write(const struct mem *m, u64 gpa, const void *from, u64 len)
{
	return copy(m, gpa, NULL, from, len);
}

int mem_set_table(const struct mem *m, int fd, int skip)
{
	struct vhost_memory *t;
	unsigned int i;
	int ret;

	t = calloc(1, sizeof(*t) + m->nr * sizeof(t->regions[0]));
	if (!t)
		return -ENOMEM;
	for (i = 0; i < m->nr; i++) {
		unsigned int from = m->reversed ? m->nr - 1 - i : i;
		const struct mem_region *r = &m->region[from];

		if ((int)from == skip)
			continue;
		t->regions[t->nregions].guest_phys_addr = r->gpa;
		t->regions[t->nregions].memory_size = r->size;
		t->regions[t->nregions].userspace_addr = (uintptr_t)r->hva + m->shift;
		t->nregions++;
	}
	ret = vhost_set_mem_table(fd, t);
	free(t);
	return ret;
}
