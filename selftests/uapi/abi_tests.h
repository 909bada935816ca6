/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of every ioctl of <linux/vhost_target.h>, for any of them.
 *
 * A test program includes this and adds one variant per call. need() and fill()
 * bring about a state in which the call succeeds. Each test then breaks one
 * rule, and makes the unbroken call at the end: that one must succeed, so
 * nothing but the broken rule was the reason.
 */
#ifndef VT_ABI_TESTS_H
#define VT_ABI_TESTS_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"
#include "vblk.h"
#include "vscsi.h"

#define ABI_MAX_SIZE 4096
#define ABI_TAIL 64

struct abi_ctx {
	int fd;			/* where the call goes */
	int ctl;
	int door;		/* opened by hand; 0: none */
	struct disk disk;
	struct bed bed;
	struct vblk blk;
	struct vscsi scsi;
	struct vhost_target_poller poller;
	bool poller_removed;	/* put it back */
	unsigned int free_cpu;
	u32 new_poller;
	unsigned char buf[64];
	const char *name;	/* of a target that is there or may be made */
};

struct abi_range {
	size_t offset;
	size_t len;
};

struct abi_call {
	unsigned long request;
	size_t first_size;	/* of the first published version */
	size_t size;
	size_t flags_offset;
	u32 flags;		/* all that are defined */
	struct abi_range reserved[4];
	size_t name_offset;	/* 0: it has no name */
	bool reads;		/* changes nothing, fills in the argument */
	/*
	 * What has to be there: 0, -EAGAIN: cannot be had on this machine, or
	 * another error. Then the argument, but for its size and name.
	 */
	int (*need)(struct abi_ctx *c);
	void (*fill)(struct abi_ctx *c, void *arg);
	void (*undo)(struct abi_ctx *c);	/* what abi_undo() does not */
};

/* Offsets and sizes that every call has, taken from its struct. */
#define ABI_CALL(nr, type) \
	.request = nr, .first_size = sizeof(type), .size = sizeof(type), \
	.flags_offset = offsetof(type, flags)
/* Of a struct that grew after the field @last. */
#define ABI_GREW(nr, type, last) \
	.request = nr, .size = sizeof(type), \
	.first_size = offsetof(type, last) + sizeof(((type *)0)->last), \
	.flags_offset = offsetof(type, flags)
#define ABI_NAME(type) .name_offset = offsetof(type, name)
#define ABI_RANGE(type, field) \
	{ offsetof(type, field), sizeof(((type *)0)->field) }

/* The calls that targets of several types have. */
#define ABI_CREATE \
	ABI_GREW(VHOST_TARGET_CREATE, struct vhost_target_create, reserved), \
	.flags = VHOST_TARGET_F_ALL, \
	.reserved = { ABI_RANGE(struct vhost_target_create, reserved) }, \
	ABI_NAME(struct vhost_target_create)
#define ABI_UNIT_ADD \
	ABI_GREW(VHOST_TARGET_UNIT_ADD, struct vhost_target_unit_add, \
		 reserved), \
	.flags = VHOST_TARGET_UNIT_F_ALL, \
	.reserved = { \
		ABI_RANGE(struct vhost_target_unit_add, reserved0), \
		ABI_RANGE(struct vhost_target_unit_add, reserved), \
		ABI_RANGE(struct vhost_target_unit_add, reserved1), \
	}, \
	ABI_NAME(struct vhost_target_unit_add)
#define ABI_GET \
	ABI_GREW(VHOST_TARGET_GET, struct vhost_target_info, reserved), \
	.flags = VHOST_TARGET_GET_NEXT, \
	.reserved = { ABI_RANGE(struct vhost_target_info, reserved) }, \
	ABI_NAME(struct vhost_target_info), \
	.reads = true
#define ABI_ATTACH \
	ABI_CALL(VHOST_TARGET_ATTACH, struct vhost_target_attach), \
	ABI_NAME(struct vhost_target_attach)

FIXTURE(abi)
{
	struct abi_ctx c;
	_Alignas(8) unsigned char arg[ABI_MAX_SIZE];
};

FIXTURE_VARIANT(abi)
{
	struct abi_call call;
};

static inline int abi_do(struct abi_ctx *c, const struct abi_call *call,
			 void *arg)
{
	return ctl_call(c->fd, call->request, arg);
}

static inline void abi_set_size(void *arg, u32 size)
{
	memcpy(arg, &size, sizeof(size));
}

/* A door's fd with an owner, where a target is to be attached. */
static inline int abi_open_door(struct abi_ctx *c, const char *node)
{
	int fd = vhost_open(node);

	if (fd < 0)
		return fd;
	c->door = fd;
	c->fd = fd;
	return vhost_set_owner(fd);
}

static inline void abi_undo(struct abi_ctx *c)
{
	vblk_close(&c->blk);
	vscsi_close(&c->scsi);
	if (c->door)
		close(c->door);
	bed_destroy(&c->bed);
	disk_destroy(&c->disk);
	/* One that was made by the call itself, or by hand. */
	ctl_destroy(c->ctl, c->name);
}

FIXTURE_SETUP(abi)
{
	const struct abi_call *call = &variant->call;
	struct abi_ctx *c = &self->c;
	int ret = 0;

	bed_sweep();
	c->name = "vtbed.abi";
	c->ctl = ctl_open();
	ASSERT_LE(0, c->ctl) TH_LOG("%s", CTL_NODE);
	c->fd = c->ctl;
	if (call->need)
		ret = call->need(c);
	if (ret == -EAGAIN)
		SKIP(return, "cannot be had on this machine");
	ASSERT_EQ(0, ret);
	abi_set_size(self->arg, call->size);
	if (call->name_offset)
		strcpy((char *)self->arg + call->name_offset, c->name);
	if (call->fill)
		call->fill(c, self->arg);
}

FIXTURE_TEARDOWN(abi)
{
	if (variant->call.undo)
		variant->call.undo(&self->c);
	abi_undo(&self->c);
}

#define ABI_DO() abi_do(&self->c, &variant->call, self->arg)

TEST_F(abi, exact)
{
	EXPECT_EQ(0, ABI_DO());
}

/* What programs built with the first version pass. */
TEST_F(abi, older)
{
	abi_set_size(self->arg, variant->call.first_size);
	EXPECT_EQ(0, ABI_DO());
}

TEST_F(abi, short)
{
	static const unsigned int less[] = { 1, 4, 8, 0 };
	unsigned int i;

	for (i = 0; i < 8; i++) {
		abi_set_size(self->arg, i);
		EXPECT_EQ(-EINVAL, ABI_DO());
	}
	for (i = 0; less[i]; i++) {
		abi_set_size(self->arg, variant->call.first_size - less[i]);
		EXPECT_EQ(-EINVAL, ABI_DO());
	}
	abi_set_size(self->arg, variant->call.size);
	EXPECT_EQ(0, ABI_DO());
}

TEST_F(abi, longer_zero_tail)
{
	abi_set_size(self->arg, variant->call.size + ABI_TAIL);
	EXPECT_EQ(0, ABI_DO());
}

TEST_F(abi, longer_by_one)
{
	abi_set_size(self->arg, variant->call.size + 1);
	EXPECT_EQ(0, ABI_DO());
}

TEST_F(abi, longer_nonzero_tail)
{
	unsigned int i;

	abi_set_size(self->arg, variant->call.size + ABI_TAIL);
	for (i = 0; i < ABI_TAIL; i++) {
		self->arg[variant->call.size + i] = 1;
		EXPECT_EQ(-E2BIG, ABI_DO());
		self->arg[variant->call.size + i] = 0;
	}
	EXPECT_EQ(0, ABI_DO());
}

TEST_F(abi, undefined_flags)
{
	u32 *flags = (u32 *)(self->arg + variant->call.flags_offset);
	u32 old = *flags;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		if (variant->call.flags >> i & 1)
			continue;
		*flags = old | 1u << i;
		EXPECT_EQ(-EINVAL, ABI_DO()) TH_LOG("flag bit %u", i);
	}
	*flags = old;
	EXPECT_EQ(0, ABI_DO());
}

TEST_F(abi, reserved)
{
	const struct abi_range *r;
	size_t i;

	for (r = variant->call.reserved; r->len; r++) {
		for (i = 0; i < r->len; i++) {
			self->arg[r->offset + i] = 1;
			EXPECT_EQ(-EINVAL, ABI_DO())
				TH_LOG("byte %zu", r->offset + i);
			self->arg[r->offset + i] = 0;
		}
	}
	EXPECT_EQ(0, ABI_DO());
}

TEST_F(abi, bad_pointer)
{
	unsigned char *area;
	size_t i;

	EXPECT_EQ(-EFAULT, abi_do(&self->c, &variant->call, NULL));
	EXPECT_EQ(-EFAULT, abi_do(&self->c, &variant->call, (void *)1));
	EXPECT_EQ(-EFAULT, abi_do(&self->c, &variant->call, (void *)-4096l));

	/* The size can be read, not all of the rest. */
	area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, area);
	ASSERT_EQ(0, mprotect(area + PAGE, PAGE, PROT_NONE));
	for (i = 4; i < variant->call.size; i += 4) {
		unsigned char *at = area + PAGE - i;

		memcpy(at, self->arg, i);
		EXPECT_EQ(-EFAULT, abi_do(&self->c, &variant->call, at));
	}

	if (variant->call.reads) {
		memcpy(area, self->arg, variant->call.size);
		ASSERT_EQ(0, mprotect(area, PAGE, PROT_READ));
		EXPECT_EQ(-EFAULT, abi_do(&self->c, &variant->call, area));
	}
	munmap(area, 2 * PAGE);
	EXPECT_EQ(0, ABI_DO());
}

TEST_F(abi, bad_name)
{
	static const char *const bad[] = {
		"", "-a", ".a", ".", "..", "a/b", "/", "a b", "a\n", "a*",
		"a\x7f", "a\xc3\xa4", "a%", "a,b", "a=b", "a\\",
	};
	char *name = (char *)self->arg + variant->call.name_offset;
	char old[VHOST_TARGET_NAME_LEN];
	unsigned int i;

	memcpy(old, name, sizeof(old));
	for (i = 0; variant->call.name_offset && i < ARRAY_SIZE(bad); i++) {
		memset(name, 0, sizeof(old));
		strcpy(name, bad[i]);
		EXPECT_EQ(-EINVAL, ABI_DO()) TH_LOG("name '%s'", bad[i]);
	}
	if (variant->call.name_offset) {
		memset(name, 'a', sizeof(old));
		EXPECT_EQ(-EINVAL, ABI_DO()) TH_LOG("name without an end");
	}
	memcpy(name, old, sizeof(old));
	EXPECT_EQ(0, ABI_DO());
}

#endif
