# SPDX-License-Identifier: GPL-2.0
"""UEFI firmware boots from a target.

The guest's CPU is emulated by QEMU inside L1: OVMF writes to CR8, at which the
lab's emulator of SVM ends.
"""

import efidisk
import vt
from bed import expect
from devices import NVME, SCSI, no_errors, test_each
from guest import Guest


@test_each(SCSI, NVME)
def uefi(bed, kind):
    """OVMF's own driver finds the disk and reads a file system on it."""
    disk = bed.memory_disk()
    text = f"booted by UEFI from vhost_{kind.name}"
    efidisk.write(disk.path, text)
    # The NVMe driver makes two queues, or does without the disk.
    target = kind.target(bed, "--dev", disk.path, queues=2)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"],
                              firmware="ovmf", accel="tcg") as guest:
        vt.wait_for("the program's text", lambda: text in guest.serial_text(), 1200)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)
