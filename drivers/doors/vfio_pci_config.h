/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI configuration space of an NVMe controller: a PCI Express endpoint of
 * class 010802 with BAR0 (registers), BAR4 (MSI-X table and pending bits),
 * power management and MSI-X.
 *
 * Knows no VFIO and no kernel: the unit tests build it in user space.
 */
#ifndef _VT_VFIO_PCI_CONFIG_H
#define _VT_VFIO_PCI_CONFIG_H

#include <linux/types.h>

/* The extended part is there, and empty. */
#define VT_PCI_CONFIG_SIZE	4096
#define VT_PCI_STD_SIZE		256

/* BAR4: the table, and in a page of their own the pending bits. */
#define VT_PCI_MSIX_BAR		4
#define VT_PCI_MSIX_BAR_SIZE	0x2000
#define VT_PCI_MSIX_PBA		0x1000

/* What a write has changed. */
#define VT_PCI_CHANGED_POWER	BIT(0)	/* memory, bus master or D-state */
#define VT_PCI_CHANGED_INTX	BIT(1)	/* the pin was enabled or disabled */
#define VT_PCI_CHANGED_MSIX	BIT(2)	/* all vectors' mask */
#define VT_PCI_FLR		BIT(3)	/* function level reset, to be done */

/**
 * struct vt_pci_config - the space
 * @data: what is read
 * @writable: bits that a write changes
 */
struct vt_pci_config {
	u8 data[VT_PCI_STD_SIZE];
	u8 writable[VT_PCI_STD_SIZE];
};

/**
 * struct vt_pci_identity - what sets one function apart from another
 * @vendor: vendor, also of the subsystem
 * @device: device, also of the subsystem
 * @bar0_size: bytes, a power of two
 * @nr_vectors: MSI-X vectors
 */
struct vt_pci_identity {
	u16 vendor;
	u16 device;
	u32 bar0_size;
	unsigned int nr_vectors;
};

void vt_pci_config_init(struct vt_pci_config *c,
			const struct vt_pci_identity *id);

/* Every bit that can be written has its value of power-on again. */
void vt_pci_config_reset(struct vt_pci_config *c);

/**
 * vt_pci_config_read - read configuration space
 * @c: the space
 * @off: first byte, @off + @len at most VT_PCI_CONFIG_SIZE
 * @buf: destination
 * @len: bytes
 * @intx: the interrupt pin is asserted
 */
void vt_pci_config_read(const struct vt_pci_config *c, u32 off, void *buf,
			u32 len, bool intx);

/* Write it. Returns VT_PCI_* bits of what it did. */
u32 vt_pci_config_write(struct vt_pci_config *c, u32 off, const void *buf,
			u32 len);

/* The function answers to its BARs. */
bool vt_pci_memory(const struct vt_pci_config *c);
/* The function may use memory. */
bool vt_pci_master(const struct vt_pci_config *c);
bool vt_pci_intx_disabled(const struct vt_pci_config *c);
bool vt_pci_msix_masked(const struct vt_pci_config *c);

#endif
