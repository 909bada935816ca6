# SPDX-License-Identifier: GPL-2.0
"""UEFI firmware boots from a LUN.

The guest's CPU is emulated by QEMU inside L1: OVMF writes to CR8, at which the
lab's emulator of SVM ends.
"""

import efidisk
import vt
from bed import expect, test
from devices import SCSI, no_errors
from guest import Guest


@test()
def boot_from_it(bed):
    """OVMF's own virtio-scsi driver finds the LUN and reads a file system on it."""
    disk = bed.memory_disk()
    text = "booted by UEFI from vhost_scsi"
    efidisk.write(disk.path, text)
    target = SCSI.target(bed, "--dev", disk.path)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"],
                              firmware="ovmf", accel="tcg") as guest:
        vt.wait_for("the program's text", lambda: text in guest.serial_text(), 1200)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)
