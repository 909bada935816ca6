// SPDX-License-Identifier: GPL-2.0
/* The VFIO door without a VM: the PCI device. */
#include <sys/mman.h>

#include "vfio_life.h"

#define CFG(off, size) vfio_get(&self->v, VFIO_CONFIG, off, size)

TEST_F(vfio, what_it_says_of_itself)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	OPEN();
	ASSERT_EQ(0, ctl_call(self->v.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET, info.flags);
	EXPECT_EQ(VFIO_PCI_NUM_REGIONS, info.num_regions);
	EXPECT_EQ(VFIO_PCI_NUM_IRQS, info.num_irqs);
	info.argsz = offsetof(struct vfio_device_info, num_irqs);
	EXPECT_EQ(-EINVAL, ctl_call(self->v.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(-EFAULT, ctl_call(self->v.fd, VFIO_DEVICE_GET_INFO, NULL));
	EXPECT_EQ(-ENOTTY, ctl_call(self->v.fd,
				    VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
}

TEST_F(vfio, regions)
{
	static const u64 size[VFIO_PCI_NUM_REGIONS] = {
		[VFIO_BAR0] = 0x4000,
		[VFIO_BAR4] = 0x2000,
		[VFIO_CONFIG] = 4096,
	};
	struct vfio_region_info info;
	unsigned int i;
	u64 val;

	OPEN();
	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		ASSERT_EQ(0, vfio_region_info(&self->v, i, &info, sizeof(info)));
		EXPECT_EQ(size[i], info.size);
		EXPECT_EQ(size[i] ? VFIO_REGION_INFO_FLAG_READ |
			  VFIO_REGION_INFO_FLAG_WRITE : 0,
			  info.flags & (VFIO_REGION_INFO_FLAG_READ |
					VFIO_REGION_INFO_FLAG_WRITE));
		EXPECT_EQ(i == VFIO_BAR0,
			  !!(info.flags & VFIO_REGION_INFO_FLAG_MMAP));
		/* Not beyond the end, and nothing where there is nothing. */
		EXPECT_EQ(-EINVAL, vfio_read(&self->v, i, size[i], 4, &val));
		EXPECT_EQ(-EINVAL, vfio_write(&self->v, i, size[i], 4, 0));
	}
	EXPECT_EQ(-EINVAL, vfio_region_info(&self->v, VFIO_PCI_NUM_REGIONS,
					    &info, sizeof(info)));
	EXPECT_EQ(-EINVAL, vfio_region_info(&self->v, ~0u, &info,
					    sizeof(info)));
	EXPECT_EQ(-EINVAL, vfio_region_info(&self->v, 0, &info,
					    offsetof(struct vfio_region_info,
						     offset)));
}

TEST_F(vfio, doorbells_are_the_only_mapping)
{
	struct {
		struct vfio_region_info info;
		struct vfio_region_info_cap_sparse_mmap cap;
		struct vfio_region_sparse_mmap_area area[4];
	} r;
	u64 at;

	OPEN();
	/* Too small for the capability: how much it takes. */
	ASSERT_EQ(0, vfio_region_info(&self->v, VFIO_BAR0, &r.info,
				      sizeof(r.info)));
	EXPECT_TRUE(r.info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	EXPECT_EQ(0, r.info.cap_offset);
	EXPECT_EQ(sizeof(r.info) + sizeof(r.cap) + sizeof(r.area[0]),
		  r.info.argsz);
	ASSERT_EQ(0, vfio_region_info(&self->v, VFIO_BAR0, &r.info,
				      sizeof(r)));
	ASSERT_EQ(sizeof(r.info), r.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_SPARSE_MMAP, r.cap.header.id);
	EXPECT_EQ(1, r.cap.nr_areas);
	EXPECT_EQ(VFIO_DOORBELLS, r.cap.areas[0].offset);
	EXPECT_EQ(PAGE, r.cap.areas[0].size);

	for (at = 0; at < 0x4000; at += PAGE) {
		void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			       self->v.fd, self->v.offset[VFIO_BAR0] + at);

		EXPECT_EQ(at == VFIO_DOORBELLS, p != MAP_FAILED);
		if (p != MAP_FAILED)
			munmap(p, PAGE);
	}
	at = self->v.offset[VFIO_BAR0] + VFIO_DOORBELLS;
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED,
				   self->v.fd, at));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, self->v.fd, at));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_EXEC,
				   MAP_SHARED, self->v.fd, at));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
				   self->v.fd,
				   self->v.offset[VFIO_BAR4]));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
				   self->v.fd,
				   self->v.offset[VFIO_CONFIG]));
}

/* A poller takes them all away: there are not too many. */
TEST_F(vfio, doorbell_mappings)
{
	void *p[9];
	off_t at;
	int i;

	OPEN();
	at = self->v.offset[VFIO_BAR0] + VFIO_DOORBELLS;
	for (i = 0; i < 9; i++)
		p[i] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    self->v.fd, at);
	EXPECT_NE(MAP_FAILED, p[7]);
	EXPECT_EQ(MAP_FAILED, p[8]);
	EXPECT_EQ(ENOSPC, errno);
	/* One that is moved is the same one. */
	p[8] = mremap(p[0], PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      p[0] + 64 * MIB);
	EXPECT_NE(MAP_FAILED, p[8]);
	*(volatile u32 *)p[8];
	ASSERT_EQ(0, munmap(p[8], PAGE));
	p[0] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->v.fd, at);
	EXPECT_NE(MAP_FAILED, p[0]);
	for (i = 0; i < 8; i++)
		munmap(p[i], PAGE);
}

TEST_F(vfio, doorbell_page_is_shared)
{
	volatile u32 *a, *b;

	OPEN();
	a = vfio_map_doorbells(&self->v);
	b = vfio_map_doorbells(&self->v);
	ASSERT_NE(NULL, a);
	ASSERT_NE(NULL, b);
	/* A doorbell of no queue: a word like any other. */
	a[1000] = 4711;
	EXPECT_EQ(4711, b[1000]);
	b[1001] = 815;
	EXPECT_EQ(815, a[1001]);
	EXPECT_EQ(0, mprotect((void *)a, PAGE, PROT_READ));
	EXPECT_EQ(4711, a[1000]);
	EXPECT_NE(0, mprotect((void *)a, PAGE, PROT_READ | PROT_EXEC));
	vfio_unmap_doorbells(a);
	vfio_unmap_doorbells(b);
}

TEST_F(vfio, header)
{
	OPEN();
	EXPECT_EQ(0x010802, CFG(PCI_CLASS_REVISION, 4) >> 8);
	EXPECT_EQ(CFG(PCI_VENDOR_ID, 4), CFG(PCI_SUBSYSTEM_VENDOR_ID, 4));
	EXPECT_EQ(0, CFG(PCI_HEADER_TYPE, 1));
	EXPECT_EQ(1, CFG(PCI_INTERRUPT_PIN, 1));
	EXPECT_TRUE(CFG(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
	/* What cannot be written. */
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, PCI_VENDOR_ID, 4, 0));
	EXPECT_NE(0, CFG(PCI_VENDOR_ID, 4));
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, PCI_STATUS, 2, 0xffff));
	EXPECT_EQ(PCI_STATUS_CAP_LIST, CFG(PCI_STATUS, 2));
	/* What can. */
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, PCI_INTERRUPT_LINE, 1,
				11));
	EXPECT_EQ(11, CFG(PCI_INTERRUPT_LINE, 1));
	EXPECT_EQ(0, vfio_set_command(&self->v, 0xffff));
	EXPECT_EQ(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
		  PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE,
		  CFG(PCI_COMMAND, 2));
	/* The extended part is empty. */
	EXPECT_EQ(0, CFG(256, 8));
	EXPECT_EQ(0, CFG(4088, 8));
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, 256, 8, ~0ull));
	EXPECT_EQ(0, CFG(256, 8));
}

TEST_F(vfio, bytes_and_words_agree)
{
	u64 whole, parts;
	unsigned int at, i;

	OPEN();
	for (at = 0; at < 256; at += 8) {
		whole = CFG(at, 8);
		for (parts = 0, i = 0; i < 8; i++)
			parts |= CFG(at + i, 1) << (8 * i);
		EXPECT_EQ(whole, parts);
		for (parts = 0, i = 0; i < 8; i += 2)
			parts |= CFG(at + i, 2) << (8 * i);
		EXPECT_EQ(whole, parts);
	}
	/* An access that is not aligned is made in pieces. */
	EXPECT_EQ(CFG(0, 8) >> 8 & 0xffffffff, CFG(1, 4));
}

TEST_F(vfio, bar_sizing)
{
	static const struct {
		unsigned int at;
		u32 mask, fixed;
	} bar[] = {
		{ PCI_BASE_ADDRESS_0, ~0x3fffu, PCI_BASE_ADDRESS_MEM_TYPE_64 },
		{ PCI_BASE_ADDRESS_1, ~0u, 0 },
		{ PCI_BASE_ADDRESS_2, 0, 0 },
		{ PCI_BASE_ADDRESS_3, 0, 0 },
		{ PCI_BASE_ADDRESS_4, ~0x1fffu, PCI_BASE_ADDRESS_MEM_TYPE_64 },
		{ PCI_BASE_ADDRESS_5, ~0u, 0 },
		{ PCI_ROM_ADDRESS, 0, 0 },
	};
	unsigned int i;

	OPEN();
	for (i = 0; i < ARRAY_SIZE(bar); i++) {
		EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, bar[i].at, 4,
					~0u));
		EXPECT_EQ(bar[i].mask | bar[i].fixed, CFG(bar[i].at, 4));
		EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, bar[i].at, 4,
					0));
		EXPECT_EQ(bar[i].fixed, CFG(bar[i].at, 4));
	}
}

TEST_F(vfio, capabilities)
{
	unsigned int pm, exp, msix;

	OPEN();
	pm = vfio_cap(&self->v, PCI_CAP_ID_PM);
	exp = vfio_cap(&self->v, PCI_CAP_ID_EXP);
	msix = vfio_cap(&self->v, PCI_CAP_ID_MSIX);
	ASSERT_NE(0, pm);
	ASSERT_NE(0, exp);
	ASSERT_NE(0, msix);
	EXPECT_EQ(0, vfio_cap(&self->v, PCI_CAP_ID_MSI));
	EXPECT_EQ(3, CFG(pm + PCI_PM_PMC, 2) & PCI_PM_CAP_VER_MASK);
	EXPECT_EQ(2, CFG(exp + PCI_EXP_FLAGS, 2) & PCI_EXP_FLAGS_VERS);
	EXPECT_EQ(PCI_EXP_TYPE_ENDPOINT,
		  (CFG(exp + PCI_EXP_FLAGS, 2) & PCI_EXP_FLAGS_TYPE) >> 4);
	EXPECT_TRUE(CFG(exp + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
	EXPECT_EQ(VECTORS - 1,
		  CFG(msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE);
	EXPECT_EQ(4, CFG(msix + PCI_MSIX_TABLE, 4));
	EXPECT_EQ(0x1000 | 4, CFG(msix + PCI_MSIX_PBA, 4));
}

static int bars_answer(struct vfio *v)
{
	u64 val;
	int a = vfio_read(v, VFIO_BAR0, 0, 8, &val);
	int b = vfio_read(v, VFIO_BAR4, 0, 4, &val);

	return a == b ? a : -EDOM;
}

TEST_F(vfio, memory_must_be_on)
{
	unsigned int pm;

	OPEN();
	pm = vfio_cap(&self->v, PCI_CAP_ID_PM);
	EXPECT_EQ(0, bars_answer(&self->v));
	EXPECT_EQ(0, vfio_set_command(&self->v, PCI_COMMAND_MASTER));
	EXPECT_EQ(-EIO, bars_answer(&self->v));
	EXPECT_EQ(0, vfio_set_command(&self->v, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, bars_answer(&self->v));
	/* D3hot and back. */
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, pm + PCI_PM_CTRL, 2, 3));
	EXPECT_EQ(3, CFG(pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
	EXPECT_EQ(-EIO, bars_answer(&self->v));
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, pm + PCI_PM_CTRL, 2, 0));
	EXPECT_EQ(0, bars_answer(&self->v));
	EXPECT_TRUE(CFG(pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_NO_SOFT_RESET);
}

static void dirty_config(struct vfio *v)
{
	vfio_write(v, VFIO_CONFIG, PCI_BASE_ADDRESS_0, 4, 0xfebf0000);
	vfio_write(v, VFIO_CONFIG, PCI_INTERRUPT_LINE, 1, 5);
}

TEST_F(vfio, device_reset)
{
	u64 fresh[8], now;
	unsigned int i;

	ASSERT_EQ(0, vfio_attach(&self->v, self->bed.name));
	ASSERT_EQ(0, vfio_get_device(&self->v, self->bed.name));
	for (i = 0; i < 8; i++)
		fresh[i] = CFG(8 * i, 8);
	vfio_set_command(&self->v, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	dirty_config(&self->v);
	ASSERT_EQ(0, vfio_reset(&self->v));
	for (i = 0; i < 8; i++) {
		now = CFG(8 * i, 8);
		EXPECT_EQ(fresh[i], now);
	}
	EXPECT_EQ(-EIO, bars_answer(&self->v));
	vfio_set_command(&self->v, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, bars_answer(&self->v));
}

TEST_F(vfio, function_level_reset)
{
	unsigned int ctl;
	u64 before;

	OPEN();
	ctl = vfio_cap(&self->v, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
	before = CFG(ctl, 2);
	dirty_config(&self->v);
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, ctl, 2,
				before | PCI_EXP_DEVCTL_BCR_FLR));
	EXPECT_EQ(before, CFG(ctl, 2));
	EXPECT_EQ(0, CFG(PCI_COMMAND, 2));
	EXPECT_EQ(PCI_BASE_ADDRESS_MEM_TYPE_64, CFG(PCI_BASE_ADDRESS_0, 4));
	EXPECT_EQ(0, CFG(PCI_INTERRUPT_LINE, 1));
	/* A write of the upper byte only is one, too. */
	dirty_config(&self->v);
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_CONFIG, ctl + 1, 1, 0x80));
	EXPECT_EQ(0, CFG(PCI_INTERRUPT_LINE, 1));
}

TEST_F(vfio, no_such_door)
{
	struct vhost_target_create c;

	ctl_init_create(&c, "vtbed.refused");
	c.flags = VHOST_TARGET_F_VFIO;
	EXPECT_EQ(-EOPNOTSUPP, ctl_call(self->bed.ctl, VHOST_TARGET_CREATE, &c));
	c.type = VHOST_TARGET_NVME;
	c.flags = VHOST_TARGET_F_VFIO | VHOST_TARGET_F_VDPA;
	EXPECT_EQ(-EINVAL, ctl_call(self->bed.ctl, VHOST_TARGET_CREATE, &c));
	c.flags = VHOST_TARGET_F_VDPA;
	EXPECT_EQ(-EOPNOTSUPP, ctl_call(self->bed.ctl, VHOST_TARGET_CREATE, &c));
	c.type = VHOST_TARGET_BLK;
	c.flags = VHOST_TARGET_F_NO_DBBUF;
	EXPECT_EQ(-EINVAL, ctl_call(self->bed.ctl, VHOST_TARGET_CREATE, &c));
}

TEST_HARNESS_MAIN
