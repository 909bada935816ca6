# SPDX-License-Identifier: GPL-2.0
"""Firmware boots from a target: UEFI a program and Linux, a PC's GRUB and Linux."""

import os

import efiboot
import efidisk
import grubdisk
from bed import expect
from devices import BLK, NVME, SCSI, no_errors, test_each, verify
from guest import WORDS, Guest
from guestinit import PACKED

QUIET = f"{WORDS} 8250.nr_uarts=0"


def bzimage():
    """The kernel as it comes; the lab's guests have one that is not compressed."""
    return f"/boot/vmlinuz-{os.environ['LAB_GUEST_RELEASE']}"


def initrd():
    """Firmware takes longer to read it than Linux to unpack it."""
    return os.environ["LAB_GUEST_INITRD"] + PACKED


def linux_runs(bed, guest, kind, target):
    """Its own driver has the disk that it came from."""
    guest.wait_shell(600)
    bed.note(f"{target.stat()['ops']['read']} reads by the firmware and Linux")
    verify(guest, kind.disk(guest, target), depths=(32,), size="1M")
    no_errors(target)


@test_each(SCSI)
def uefi(bed, kind):
    """OVMF's own driver finds the disk and reads a file system on it; NVMe: uefi_linux."""
    disk = bed.memory_disk()
    text = f"booted by UEFI from vhost_{kind.name}"
    efidisk.write(disk.path, text)
    target = kind.target(bed, "--dev", disk.path)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"],
                              firmware="ovmf") as guest:
        guest.wait_serial(text, 600)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)


@test_each(NVME, BLK, turn=1)
def uefi_linux(bed, kind):
    """OVMF reads a program, Linux and its initramfs: virtio-blk by one request for each."""
    disk = bed.memory_disk()
    efiboot.write(disk.path, bzimage(), initrd(), QUIET)
    # The NVMe driver makes two queues, or does without the disk.
    target = kind.target(bed, "--dev", disk.path, queues=2)
    # Of a device that may be a legacy one OVMF takes the legacy side.
    arg = target.qemu_arg + (",disable-legacy=on" if kind is BLK else "")
    with Guest.boot_from_disk(["-device", arg + ",bootindex=1"],
                              firmware="ovmf") as guest:
        guest.wait_serial("started by the firmware", 600)
        guest.wait_serial("start Linux", 600)
        linux_runs(bed, guest, kind, target)


@test_each(NVME, turn=0)
def grub(bed, kind):
    """SeaBIOS starts GRUB from the disk, GRUB reads Linux and its initramfs by SeaBIOS."""
    disk = bed.memory_disk()
    grubdisk.write(disk.path, bzimage(), initrd(), QUIET)
    target = kind.target(bed, "--dev", disk.path)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"]) as guest:
        linux_runs(bed, guest, kind, target)
