// SPDX-License-Identifier: GPL-2.0
/* The ioctl door of nvme targets: the rules and errors of every call. */
#include <sys/eventfd.h>

#include "abi_tests.h"
#include "nvme.h"
#include "vhost.h"

static int need_owner(struct abi_ctx *c)
{
	struct disk_opts d = {
		.kind = DISK_NULL, .block_size = 512, .size_mb = 1,
	};
	struct bed_opts b = {
		.disk = &c->disk, .type = VHOST_TARGET_NVME, .num_queues = 2,
	};
	int ret = disk_create(&c->disk, &d);

	if (!ret)
		ret = bed_make(&c->bed, &b);
	c->name = c->bed.name;
	return ret ? ret : abi_open_door(c, VHOST_NVME_NODE);
}

static int need_session(struct abi_ctx *c)
{
	int ret = need_owner(c);

	return ret ? ret : vhost_attach(c->fd, c->bed.name);
}

static void fill_reg(struct abi_ctx *c, void *arg)
{
	struct vhost_target_nvme_reg *a = arg;

	(void)c;
	a->offset = 0x24;
	a->len = 4;
}

static void fill_irq(struct abi_ctx *c, void *arg)
{
	struct vhost_target_nvme_irq *a = arg;

	(void)c;
	a->fd = eventfd(0, EFD_CLOEXEC);
}

FIXTURE_VARIANT_ADD(abi, attach)
{
	.call = { ABI_ATTACH, .need = need_owner },
};

FIXTURE_VARIANT_ADD(abi, read)
{
	.call = {
		ABI_CALL(VHOST_TARGET_NVME_READ, struct vhost_target_nvme_reg),
		.reads = true,
		.need = need_session,
		.fill = fill_reg,
	},
};

FIXTURE_VARIANT_ADD(abi, write)
{
	.call = {
		ABI_CALL(VHOST_TARGET_NVME_WRITE, struct vhost_target_nvme_reg),
		.need = need_session,
		.fill = fill_reg,
	},
};

FIXTURE_VARIANT_ADD(abi, set_irq)
{
	.call = {
		ABI_CALL(VHOST_TARGET_NVME_SET_IRQ,
			 struct vhost_target_nvme_irq),
		.flags = VHOST_TARGET_NVME_IRQ_F_PIN,
		.need = need_session,
		.fill = fill_irq,
	},
};

FIXTURE_VARIANT_ADD(abi, reset)
{
	.call = {
		ABI_CALL(VHOST_TARGET_NVME_RESET,
			 struct vhost_target_nvme_reset),
		.need = need_session,
	},
};

FIXTURE_VARIANT_ADD(abi, get)
{
	.call = {
		ABI_CALL(VHOST_TARGET_NVME_GET, struct vhost_target_nvme_info),
		.reserved = {
			ABI_RANGE(struct vhost_target_nvme_info, reserved),
		},
		.reads = true,
		.need = need_session,
	},
};

static int reg(int fd, unsigned long call, u32 off, u32 len)
{
	struct vhost_target_nvme_reg r = {
		.size = sizeof(r), .offset = off, .len = len,
	};

	return ctl_call(fd, call, &r);
}

static int set_irq(int fd, u32 flags, u32 vector, int irq)
{
	struct vhost_target_nvme_irq i = {
		.size = sizeof(i), .flags = flags, .vector = vector, .fd = irq,
	};

	return ctl_call(fd, VHOST_TARGET_NVME_SET_IRQ, &i);
}

TEST(errors)
{
	struct vhost_target_nvme_info info = { .size = sizeof(info) };
	static const unsigned long calls[] = {
		VHOST_TARGET_NVME_READ, VHOST_TARGET_NVME_WRITE,
	};
	struct abi_ctx c = { .ctl = -1 };
	unsigned int i;
	int other;
	void *p;

	bed_sweep();
	ASSERT_EQ(0, need_owner(&c));
	EXPECT_EQ(-ENOTCONN, reg(c.fd, calls[0], 0, 4));
	EXPECT_EQ(-ENOTCONN, set_irq(c.fd, 0, 0, -1));
	EXPECT_EQ(-ENOTCONN, ctl_call(c.fd, VHOST_TARGET_NVME_GET, &info));
	EXPECT_EQ(-ENOENT, vhost_attach(c.fd, "nobody"));
	ASSERT_EQ(0, vhost_attach(c.fd, c.bed.name));
	EXPECT_EQ(-EALREADY, vhost_attach(c.fd, c.bed.name));
	EXPECT_EQ(-EBUSY, vhost_set_owner(c.fd));
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		EXPECT_EQ(0, reg(c.fd, calls[i], 0x3ffc, 4));
		EXPECT_EQ(-ERANGE, reg(c.fd, calls[i], 0x4000, 4));
		EXPECT_EQ(-ERANGE, reg(c.fd, calls[i], 0xfffffff8, 8));
		EXPECT_EQ(-EINVAL, reg(c.fd, calls[i], 2, 4));
		EXPECT_EQ(-EINVAL, reg(c.fd, calls[i], 0, 3));
		EXPECT_EQ(-EINVAL, reg(c.fd, calls[i], 0, 0));
		EXPECT_EQ(-EINVAL, reg(c.fd, calls[i], 0, 16));
	}
	EXPECT_EQ(-ERANGE, set_irq(c.fd, 0, 3, -1));
	EXPECT_EQ(-ERANGE, set_irq(c.fd, VHOST_TARGET_NVME_IRQ_F_PIN, 1, -1));
	EXPECT_EQ(-EBADF, set_irq(c.fd, 0, 0, 9999));
	EXPECT_EQ(-EINVAL, set_irq(c.fd, 0, 0, 0));
	EXPECT_EQ(-ENOTTY, ctl_call(c.fd, VHOST_TARGET_START, &info));

	ASSERT_EQ(0, ctl_call(c.fd, VHOST_TARGET_NVME_GET, &info));
	EXPECT_EQ(3, info.vectors);
	EXPECT_EQ(2, info.queues);
	EXPECT_EQ(0x4000, info.bar_size);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c.fd, 0);
	EXPECT_EQ(MAP_FAILED, p);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c.fd,
		 info.doorbells);
	EXPECT_EQ(MAP_FAILED, p);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, c.fd,
		 info.doorbells);
	EXPECT_EQ(MAP_FAILED, p);

	other = vhost_open(VHOST_NVME_NODE);
	ASSERT_LE(0, other);
	EXPECT_EQ(-EPERM, vhost_attach(other, c.bed.name));
	ASSERT_EQ(0, vhost_set_owner(other));
	EXPECT_EQ(-EBUSY, vhost_attach(other, c.bed.name));
	close(other);
	abi_undo(&c);
}

static volatile u32 *map_doorbells(int fd, struct vhost_target_nvme_info *info)
{
	void *p;

	if (ctl_call(fd, VHOST_TARGET_NVME_GET, info))
		return MAP_FAILED;
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 info->doorbells);
	if (p != MAP_FAILED)
		*(volatile u32 *)(p + PAGE - 4) = fd;
	return p;
}

/* Each file's mapping is its own: at the same place in it is another page. */
TEST(doorbells_apart)
{
	struct vhost_target_nvme_info info[2] = {
		{ .size = sizeof(info[0]) }, { .size = sizeof(info[0]) },
	};
	struct abi_ctx c[2] = { { .ctl = -1 }, { .ctl = -1 } };
	volatile u32 *page[2];
	unsigned int i;

	bed_sweep();
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, need_session(&c[i]));
		page[i] = map_doorbells(c[i].fd, &info[i]);
		ASSERT_NE(MAP_FAILED, page[i]);
	}
	EXPECT_EQ(info[0].doorbells, info[1].doorbells);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(c[i].fd, page[i][PAGE / 4 - 1]);
	for (i = 0; i < 2; i++) {
		munmap((void *)page[i], PAGE);
		abi_undo(&c[i]);
	}
}

TEST_HARNESS_MAIN
