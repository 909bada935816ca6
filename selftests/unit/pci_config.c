// SPDX-License-Identifier: GPL-2.0
/* PCI configuration space of the VFIO door: PCI 3.0 chapter 6, PCIe 7.5. */
#include <string.h>
#include <linux/pci_regs.h>

#include "../../drivers/doors/vfio_pci_config.h"
#include "unit.h"

#define VECTORS 9

static struct vt_pci_config make(void)
{
	static const struct vt_pci_identity id = {
		.vendor = 0x1234,
		.device = 0x5678,
		.bar0_size = 0x4000,
		.nr_vectors = VECTORS,
	};
	struct vt_pci_config c;

	memset(&c, 0xa5, sizeof(c));
	vt_pci_config_init(&c, &id);
	return c;
}

static u32 get(struct vt_pci_config *c, u32 off, u32 len)
{
	u32 val = 0;

	vt_pci_config_read(c, off, &val, len, false);
	return val;
}

static u32 put(struct vt_pci_config *c, u32 off, u32 len, u32 val)
{
	return vt_pci_config_write(c, off, &val, len);
}

static u32 cap(struct vt_pci_config *c, u8 id)
{
	u32 at = get(c, PCI_CAPABILITY_LIST, 1);
	unsigned int i;

	for (i = 0; at && i < 48; i++, at = get(c, at + 1, 1))
		if (get(c, at, 1) == id)
			return at;
	return 0;
}

TEST(pci_chain, "capabilities: in the upper part, no overlap, an end")
{
	static const struct {
		u8 id, size;
	} want[] = {
		{ PCI_CAP_ID_PM, 8 },
		{ PCI_CAP_ID_EXP, 0x3c },
		{ PCI_CAP_ID_MSIX, 12 },
	};
	struct vt_pci_config c = make();
	u32 at = get(&c, PCI_CAPABILITY_LIST, 1), end = 0x40;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(want[i].id, get(&c, at, 1));
		EXPECT_EQ(0, at & 3);
		EXPECT(at >= end);
		end = at + want[i].size;
		at = get(&c, at + 1, 1);
	}
	EXPECT_EQ(0, at);
	EXPECT(end <= 256);
}

TEST(pci_bits, "every bit is either fixed or as written")
{
	struct vt_pci_config c = make(), zero = c;
	u32 off, all, none;

	for (off = 0; off < 256; off += 4) {
		put(&c, off, 4, ~0u);
		all = get(&c, off, 4);
		put(&c, off, 4, 0);
		none = get(&c, off, 4);
		EXPECT_MSG((none & ~all) == 0, "%#x: bits go when written",
			   off);
		put(&c, off, 4, 0x5a5a5a5a);
		EXPECT_MSG(get(&c, off, 4) ==
			   (none | ((all ^ none) & 0x5a5a5a5a)),
			   "%#x: %#x, not as written", off, get(&c, off, 4));
	}
	vt_pci_config_reset(&c);
	EXPECT(!memcmp(c.data, zero.data, sizeof(c.data)));
}

TEST(pci_bytes, "a write of bytes is one of their word")
{
	struct vt_pci_config c = make(), d = c;
	u32 off, i;

	for (off = 0; off < 256; off += 4) {
		put(&c, off, 4, 0xdeadbeef);
		for (i = 0; i < 4; i++)
			put(&d, off + i, 1, 0xdeadbeef >> (8 * i));
	}
	EXPECT(!memcmp(c.data, d.data, sizeof(c.data)));
}

TEST(pci_power, "memory and bus master need their bit and D0")
{
	struct vt_pci_config c = make();
	u32 pm = cap(&c, PCI_CAP_ID_PM) + PCI_PM_CTRL;

	EXPECT(!vt_pci_memory(&c));
	EXPECT(!vt_pci_master(&c));
	EXPECT_EQ(VT_PCI_CHANGED_POWER,
		  put(&c, PCI_COMMAND, 2, PCI_COMMAND_MEMORY));
	EXPECT(vt_pci_memory(&c));
	EXPECT(!vt_pci_master(&c));
	EXPECT_EQ(VT_PCI_CHANGED_POWER, put(&c, PCI_COMMAND, 2,
					    PCI_COMMAND_MEMORY |
					    PCI_COMMAND_MASTER));
	EXPECT(vt_pci_master(&c));
	/* Written again: nothing has changed. */
	EXPECT_EQ(0, put(&c, PCI_COMMAND, 2, PCI_COMMAND_MEMORY |
			 PCI_COMMAND_MASTER));
	EXPECT_EQ(VT_PCI_CHANGED_POWER, put(&c, pm, 2, 3));
	EXPECT(!vt_pci_memory(&c));
	EXPECT(!vt_pci_master(&c));
	EXPECT_EQ(VT_PCI_CHANGED_POWER, put(&c, pm, 2, 0));
	EXPECT(vt_pci_memory(&c) && vt_pci_master(&c));
}

TEST(pci_intx, "the pin: status bit, disable bit")
{
	struct vt_pci_config c = make();
	u16 status;

	vt_pci_config_read(&c, PCI_STATUS, &status, 2, true);
	EXPECT_EQ(PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT, status);
	EXPECT_EQ(PCI_STATUS_CAP_LIST, get(&c, PCI_STATUS, 2));
	EXPECT_EQ(VT_PCI_CHANGED_INTX,
		  put(&c, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE));
	EXPECT(vt_pci_intx_disabled(&c));
	EXPECT_EQ(VT_PCI_CHANGED_INTX, put(&c, PCI_COMMAND, 4, 0));
	EXPECT(!vt_pci_intx_disabled(&c));
}

TEST(pci_msix, "MSI-X: size, place, function mask")
{
	struct vt_pci_config c = make();
	u32 at = cap(&c, PCI_CAP_ID_MSIX);

	EXPECT_EQ(VECTORS - 1, get(&c, at + PCI_MSIX_FLAGS, 2));
	EXPECT_EQ(VT_PCI_MSIX_BAR, get(&c, at + PCI_MSIX_TABLE, 4));
	EXPECT_EQ(VT_PCI_MSIX_BAR | VT_PCI_MSIX_PBA,
		  get(&c, at + PCI_MSIX_PBA, 4));
	EXPECT_EQ(VT_PCI_CHANGED_MSIX, put(&c, at + PCI_MSIX_FLAGS, 2,
					   PCI_MSIX_FLAGS_ENABLE |
					   PCI_MSIX_FLAGS_MASKALL));
	EXPECT(vt_pci_msix_masked(&c));
	/* The upper byte alone. */
	EXPECT_EQ(VT_PCI_CHANGED_MSIX, put(&c, at + PCI_MSIX_FLAGS + 1, 1,
					   PCI_MSIX_FLAGS_ENABLE >> 8));
	EXPECT(!vt_pci_msix_masked(&c));
	EXPECT_EQ(VECTORS - 1,
		  get(&c, at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE);
}

TEST(pci_flr, "a function level reset: by any write that has the bit")
{
	struct vt_pci_config c = make();
	u32 at = cap(&c, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
	u32 was = get(&c, at, 2);

	EXPECT_EQ(VT_PCI_FLR, put(&c, at, 2, was | PCI_EXP_DEVCTL_BCR_FLR));
	EXPECT_EQ(VT_PCI_FLR, put(&c, at, 4, was | PCI_EXP_DEVCTL_BCR_FLR));
	EXPECT_EQ(VT_PCI_FLR,
		  put(&c, at + 1, 1, (was | PCI_EXP_DEVCTL_BCR_FLR) >> 8));
	EXPECT_EQ(0, put(&c, at, 1, 0xff));
	EXPECT_EQ(0, put(&c, at + 2, 2, 0xffff));
	EXPECT_EQ(0, put(&c, at - 4, 4, ~0u));
	EXPECT_EQ(0, get(&c, at, 2) & PCI_EXP_DEVCTL_BCR_FLR);
}

TEST(pci_extended, "beyond the first 256 bytes there is nothing")
{
	struct vt_pci_config c = make(), d = c;
	u64 val = ~0ull;
	u32 off;

	for (off = 252; off < VT_PCI_CONFIG_SIZE; off += 4) {
		EXPECT_EQ(0, put(&c, off, 4, ~0u));
		EXPECT_EQ(0, get(&c, off, 4));
	}
	EXPECT_EQ(0, vt_pci_config_write(&c, 4088, &val, 8));
	EXPECT(!memcmp(&c, &d, sizeof(c)));
}
