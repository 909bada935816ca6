# SPDX-License-Identifier: GPL-2.0
"""UEFI firmware boots from an NVMe target. Takes long, so it runs only by name:

	tools/lab/lab run --timeout 3600 -- python3 selftests/vm/run.py nvme_uefi

The guest's CPU is emulated by QEMU inside L1: OVMF writes to CR8 in its interrupt
handler, and the lab's emulator of SVM ends at that if an interrupt is pending.
"""

import os

import efiboot
import vt
from bed import guest_fio, test
from devices import NVME, no_errors
from guest import Guest

WORDS = "console=hvc0 quiet panic=-1 nokaslr no_timer_check rdinit=/init"


@test("vfio")
def boot_linux(bed):
    """OVMF reads a program, Linux and its initramfs; then Linux's own driver works."""
    disk = bed.memory_disk()
    efiboot.write(disk.path, f"/boot/vmlinuz-{os.uname().release}",
                  os.environ["LAB_GUEST_INITRD"], WORDS)
    target = NVME.target(bed, "--dev", disk.path, queues=2)
    with Guest(["-device", target.qemu_arg + ",bootindex=1"], kernel=False,
               firmware="ovmf", accel="tcg") as guest:
        guest.wait_serial("started by the firmware", 1200)
        guest.wait_serial("start Linux", 600)
        guest.wait_shell(1800)
        guest_fio(guest, vt.fio("/dev/nvme0n1", "randread", number_ios=100))
    no_errors(target)
