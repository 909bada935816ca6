# SPDX-License-Identifier: GPL-2.0
"""Firmware boots from a target: UEFI a program, a PC's GRUB and Linux."""

import os

import efidisk
import grubdisk
from bed import expect
from devices import NVME, SCSI, no_errors, test_each, verify
from guest import WORDS, Guest


@test_each(SCSI, NVME)
def uefi(bed, kind):
    """OVMF's own driver finds the disk and reads a file system on it.

    The guest's CPU is emulated by QEMU inside L1: OVMF writes to CR8, at which the
    lab's emulator of SVM ends."""
    disk = bed.memory_disk()
    text = f"booted by UEFI from vhost_{kind.name}"
    efidisk.write(disk.path, text)
    # The NVMe driver makes two queues, or does without the disk.
    target = kind.target(bed, "--dev", disk.path, queues=2)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"],
                              firmware="ovmf", accel="tcg") as guest:
        guest.wait_serial(text, 1200)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)


@test_each(NVME, turn=0)
def grub(bed, kind):
    """SeaBIOS starts GRUB from the disk, GRUB reads Linux and its initramfs by SeaBIOS,
    and Linux's own driver has the same disk."""
    disk = bed.memory_disk()
    # GRUB wants a bzImage; the lab's guests have one that is not compressed.
    grubdisk.write(disk.path, f"/boot/vmlinuz-{os.uname().release}",
                   os.environ["LAB_GUEST_INITRD"], f"{WORDS} 8250.nr_uarts=0")
    target = kind.target(bed, "--dev", disk.path)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"]) as guest:
        guest.wait_shell(600)
        bed.note(f"{target.stat()['ops']['read']} reads by the firmware and Linux")
        verify(guest, kind.disk(guest, target), depths=(32,), size="1M")
    no_errors(target)
