// SPDX-License-Identifier: GPL-2.0
/* PCI configuration space: see vfio_pci_config.h. */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/pci_regs.h>

#include "vfio_pci_config.h"

#define CLASS_NVME	0x010802

/* Where the capabilities are. */
#define CAP_PM		0x40
#define CAP_EXP		0x50
#define CAP_MSIX	0xa0

/* A link that is up: 8 GT/s, four lanes. */
#define LINK_SPEED	3
#define LINK_WIDTH	(4 << 4)

static void set8(struct vt_pci_config *c, u32 at, u8 val)
{
	c->data[at] = val;
}

static void set16(struct vt_pci_config *c, u32 at, u16 val)
{
	c->data[at] = val;
	c->data[at + 1] = val >> 8;
}

static void set32(struct vt_pci_config *c, u32 at, u32 val)
{
	set16(c, at, val);
	set16(c, at + 2, val >> 16);
}

static void allow16(struct vt_pci_config *c, u32 at, u16 bits)
{
	c->writable[at] = bits;
	c->writable[at + 1] = bits >> 8;
}

static void allow32(struct vt_pci_config *c, u32 at, u32 bits)
{
	allow16(c, at, bits);
	allow16(c, at + 2, bits >> 16);
}

static u16 get16(const struct vt_pci_config *c, u32 at)
{
	return c->data[at] | c->data[at + 1] << 8;
}

/* 64-bit memory, not prefetchable: BAR n and n + 1. */
static void add_bar(struct vt_pci_config *c, unsigned int n, u32 size)
{
	u32 at = PCI_BASE_ADDRESS_0 + 4 * n;

	set32(c, at, PCI_BASE_ADDRESS_MEM_TYPE_64);
	allow32(c, at, ~(size - 1));
	allow32(c, at + 4, ~0u);
}

static void add_header(struct vt_pci_config *c,
		       const struct vt_pci_identity *id)
{
	set16(c, PCI_VENDOR_ID, id->vendor);
	set16(c, PCI_DEVICE_ID, id->device);
	set16(c, PCI_STATUS, PCI_STATUS_CAP_LIST);
	set8(c, PCI_CLASS_PROG, CLASS_NVME & 0xff);
	set16(c, PCI_CLASS_DEVICE, CLASS_NVME >> 8);
	set16(c, PCI_SUBSYSTEM_VENDOR_ID, id->vendor);
	set16(c, PCI_SUBSYSTEM_ID, id->device);
	set8(c, PCI_CAPABILITY_LIST, CAP_PM);
	set8(c, PCI_INTERRUPT_PIN, 1);

	allow16(c, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
		PCI_COMMAND_INTX_DISABLE);
	c->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	c->writable[PCI_INTERRUPT_LINE] = 0xff;
}

/* D0 and D3hot; nothing is lost on the way back. */
static void add_pm(struct vt_pci_config *c)
{
	set8(c, CAP_PM, PCI_CAP_ID_PM);
	set8(c, CAP_PM + 1, CAP_EXP);
	set16(c, CAP_PM + PCI_PM_PMC, 3);
	set16(c, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	allow16(c, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
}

static void add_express(struct vt_pci_config *c)
{
	u32 devcap = PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR;

	set8(c, CAP_EXP, PCI_CAP_ID_EXP);
	set8(c, CAP_EXP + 1, CAP_MSIX);
	set16(c, CAP_EXP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	set32(c, CAP_EXP + PCI_EXP_DEVCAP, devcap);
	set32(c, CAP_EXP + PCI_EXP_LNKCAP, LINK_SPEED | LINK_WIDTH);
	set16(c, CAP_EXP + PCI_EXP_LNKSTA, LINK_SPEED | LINK_WIDTH);
	set32(c, CAP_EXP + PCI_EXP_LNKCAP2, 0xe);
	set16(c, CAP_EXP + PCI_EXP_LNKCTL2, LINK_SPEED);

	set16(c, CAP_EXP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_RELAX_EN |
	      PCI_EXP_DEVCTL_NOSNOOP_EN | 2 << 12);
	allow16(c, CAP_EXP + PCI_EXP_DEVCTL,
		PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
		PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
		PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD |
		PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ);
	allow16(c, CAP_EXP + PCI_EXP_LNKCTL,
		PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
}

static void add_msix(struct vt_pci_config *c, unsigned int nr_vectors)
{
	set8(c, CAP_MSIX, PCI_CAP_ID_MSIX);
	set16(c, CAP_MSIX + PCI_MSIX_FLAGS, nr_vectors - 1);
	set32(c, CAP_MSIX + PCI_MSIX_TABLE, VT_PCI_MSIX_BAR);
	set32(c, CAP_MSIX + PCI_MSIX_PBA, VT_PCI_MSIX_PBA | VT_PCI_MSIX_BAR);
	allow16(c, CAP_MSIX + PCI_MSIX_FLAGS,
		PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
}

void vt_pci_config_init(struct vt_pci_config *c,
			const struct vt_pci_identity *id)
{
	memset(c, 0, sizeof(*c));
	add_header(c, id);
	add_bar(c, 0, id->bar0_size);
	add_bar(c, VT_PCI_MSIX_BAR, VT_PCI_MSIX_BAR_SIZE);
	add_pm(c);
	add_express(c);
	add_msix(c, id->nr_vectors);
}

void vt_pci_config_reset(struct vt_pci_config *c)
{
	unsigned int i;

	for (i = 0; i < VT_PCI_STD_SIZE; i++)
		c->data[i] &= ~c->writable[i];
	/* The one register whose bits do not start at zero. */
	set16(c, CAP_EXP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_RELAX_EN |
	      PCI_EXP_DEVCTL_NOSNOOP_EN | 2 << 12);
}

void vt_pci_config_read(const struct vt_pci_config *c, u32 off, void *buf,
			u32 len, bool intx)
{
	u8 *to = buf;
	u32 i;

	for (i = off; i < off + len; i++, to++) {
		*to = i < VT_PCI_STD_SIZE ? c->data[i] : 0;
		if (i == PCI_STATUS && intx)
			*to |= PCI_STATUS_INTERRUPT;
	}
}

/* Starting an FLR is a bit that always reads as zero. */
static bool writes_flr(u32 off, const u8 *from, u32 len)
{
	u32 at = CAP_EXP + PCI_EXP_DEVCTL + 1;

	return off <= at && at - off < len &&
	       (from[at - off] & (PCI_EXP_DEVCTL_BCR_FLR >> 8));
}

static u32 state_bits(const struct vt_pci_config *c)
{
	return (vt_pci_memory(c) ? BIT(0) : 0) |
	       (vt_pci_master(c) ? BIT(1) : 0);
}

u32 vt_pci_config_write(struct vt_pci_config *c, u32 off, const void *buf,
			u32 len)
{
	bool masked = vt_pci_msix_masked(c);
	bool no_intx = vt_pci_intx_disabled(c);
	u32 state = state_bits(c);
	const u8 *from = buf;
	u32 i;

	for (i = off; i < off + len && i < VT_PCI_STD_SIZE; i++) {
		u8 w = c->writable[i];

		c->data[i] = (c->data[i] & ~w) | (from[i - off] & w);
	}
	return (state_bits(c) != state ? VT_PCI_CHANGED_POWER : 0) |
	       (vt_pci_intx_disabled(c) != no_intx ? VT_PCI_CHANGED_INTX : 0) |
	       (vt_pci_msix_masked(c) != masked ? VT_PCI_CHANGED_MSIX : 0) |
	       (writes_flr(off, from, len) ? VT_PCI_FLR : 0);
}

static bool powered(const struct vt_pci_config *c)
{
	return !(get16(c, CAP_PM + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK);
}

bool vt_pci_memory(const struct vt_pci_config *c)
{
	return powered(c) && (get16(c, PCI_COMMAND) & PCI_COMMAND_MEMORY);
}

bool vt_pci_master(const struct vt_pci_config *c)
{
	return powered(c) && (get16(c, PCI_COMMAND) & PCI_COMMAND_MASTER);
}

bool vt_pci_intx_disabled(const struct vt_pci_config *c)
{
	return get16(c, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
}

bool vt_pci_msix_masked(const struct vt_pci_config *c)
{
	return get16(c, CAP_MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL;
}
