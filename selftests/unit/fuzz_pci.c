// SPDX-License-Identifier: GPL-2.0
/* PCI configuration space: any access leaves what is fixed as it is. */
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "../../drivers/doors/vfio_pci_config.h"
#include "fuzz.h"

const unsigned int fuzz_cost = 200;

static struct vt_pci_config c, fresh;

/* Bits that may have changed are those that are writable. */
static void check_fixed(void)
{
	unsigned int i;

	MUST(!memcmp(c.writable, fresh.writable, sizeof(c.writable)));
	for (i = 0; i < VT_PCI_STD_SIZE; i++)
		MUST(!((c.data[i] ^ fresh.data[i]) & ~c.writable[i]));
}

static u8 *exact(u32 len)
{
	u8 *buf = malloc(len);

	memset(buf, 0xee, len);
	return buf;
}

/* The door lets nothing through that is not within the space. */
static void take_range(u32 *off, u32 *len)
{
	*off = fuzz_take(2) % VT_PCI_CONFIG_SIZE;
	if (*off >= 0x200)
		*off &= 0xff;
	*len = 1 + fuzz_take(1) % 8;
	*len = min(*len, VT_PCI_CONFIG_SIZE - *off);
}

static void step_read(void)
{
	bool intx = fuzz_take(1) & 1;
	u32 off, len, i;
	u8 *buf, want;

	take_range(&off, &len);
	buf = exact(len);
	vt_pci_config_read(&c, off, buf, len, intx);
	for (i = 0; i < len; i++) {
		want = off + i < VT_PCI_STD_SIZE ? c.data[off + i] : 0;
		if (off + i == PCI_STATUS && intx)
			want |= PCI_STATUS_INTERRUPT;
		MUST(buf[i] == want);
	}
	free(buf);
}

static void step_write(void)
{
	bool memory = vt_pci_memory(&c), master = vt_pci_master(&c);
	bool masked = vt_pci_msix_masked(&c);
	bool no_intx = vt_pci_intx_disabled(&c);
	u32 off, len, changed;
	u8 *buf;

	take_range(&off, &len);
	buf = exact(len);
	fuzz_take_bytes(buf, len);
	changed = vt_pci_config_write(&c, off, buf, len);
	free(buf);
	MUST(!(changed & VT_PCI_CHANGED_POWER) ==
	     (memory == vt_pci_memory(&c) && master == vt_pci_master(&c)));
	MUST(!(changed & VT_PCI_CHANGED_MSIX) ==
	     (masked == vt_pci_msix_masked(&c)));
	MUST(!(changed & VT_PCI_CHANGED_INTX) ==
	     (no_intx == vt_pci_intx_disabled(&c)));
	check_fixed();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct vt_pci_identity id = {
		.vendor = 0x1af4, .device = 0x10f5, .bar0_size = 0x4000,
	};

	fuzz_begin(data, len);
	id.nr_vectors = 1 + fuzz_take(1) % 128;
	vt_pci_config_init(&c, &id);
	fresh = c;
	while (fuzz_left())
		switch (fuzz_take(1) % 8) {
		case 0 ... 2:
			step_read();
			break;
		case 7:
			vt_pci_config_reset(&c);
			check_fixed();
			break;
		default:
			step_write();
			break;
		}
	vt_pci_config_reset(&c);
	MUST(!memcmp(c.data, fresh.data, sizeof(c.data)));
	return 0;
}

static void put_write(u16 off, u8 len, u32 val)
{
	unsigned int i;

	fuzz_put(1, 3);
	fuzz_put(2, off);
	fuzz_put(1, len - 1);
	for (i = 0; i < len; i++)
		fuzz_put(1, val >> (8 * i));
}

static void put_read(u16 off, u8 len)
{
	fuzz_put(2, 0);
	fuzz_put(2, off);
	fuzz_put(1, len - 1);
}

/* Linux probes the function: BARs, capabilities, MSI-X, a reset. */
void fuzz_seeds(void)
{
	unsigned int i;

	fuzz_put(1, 8);
	for (i = 0; i < 256; i += 4)
		put_read(i, 4);
	for (i = PCI_BASE_ADDRESS_0; i <= PCI_BASE_ADDRESS_5; i += 4) {
		put_write(i, 4, ~0u);
		put_read(i, 4);
		put_write(i, 4, 0xfe000000);
	}
	put_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		  PCI_COMMAND_INTX_DISABLE);
	put_write(0x44, 2, 3);
	put_write(0x44, 2, 0);
	put_write(0xa2, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put_write(0xa2, 2, PCI_MSIX_FLAGS_ENABLE);
	put_write(0x58, 2, PCI_EXP_DEVCTL_BCR_FLR);
	put_read(0x100, 4);
	put_write(0xffc, 4, 1);
	fuzz_put(1, 7);
	fuzz_save("probe");
}
