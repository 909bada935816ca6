# SPDX-License-Identifier: GPL-2.0
"""scsi targets: their LUNs, and the host's disks on them (virtio_vdpa)."""

import ctypes
import fcntl
import os
import re
import struct

import vt

BDEV, FILE, NULL = 1, 2, 3
RO, WRITETHROUGH, NO_DISCARD, SHARED = 1, 2, 4, 8
UNIT_ADD, UNIT_REMOVE = 0xB803, 0xB804


def _control(call, data):
    fd = os.open("/dev/vhost-target", os.O_RDWR)
    try:
        fcntl.ioctl(fd, call, data)
    finally:
        os.close(fd)


def lun_add(name, lun, path="", capacity=0, flags=0, block_size=0, serial=""):
    """A LUN on a device or file, or without @path on nothing."""
    place = ctypes.create_string_buffer(path.encode())
    kind = NULL if not path else BDEV if path.startswith("/dev/") else FILE
    _control(UNIT_ADD, struct.pack(
        "<IIIIQQII64s32s32x", 168, flags, lun, kind,
        ctypes.addressof(place) if path else 0, capacity, block_size, 0,
        name.encode(), serial.encode()))


def lun_remove(name, lun):
    _control(UNIT_REMOVE, struct.pack("<IIII64s", 80, 0, lun, 0, name.encode()))


def linux_lun(lun):
    """As Linux writes it: the first two bytes of the LUN field."""
    return lun if lun < 256 else 0x4000 | lun


class Target(vt.Target):
    """A scsi target; LUN 0 as vhostctl create says. In the host by virtio_vdpa."""

    def __init__(self, name, *args, kind="scsi"):
        super().__init__(name, *args, kind=kind)

    def host(self):
        top = f"/sys/bus/vdpa/devices/{self.made['vdpa_name']}"
        virtio = [d for d in os.listdir(top) if re.fullmatch(r"virtio\d+", d)]
        hosts = [d for d in os.listdir(f"{top}/{virtio[0]}") if re.fullmatch(r"host\d+", d)]
        return f"{top}/{virtio[0]}/{hosts[0]}"

    def _device(self, lun):
        host = self.host()
        nr = re.search(r"host(\d+)$", host).group(1)
        return f"{host}/target{nr}:0:0/{nr}:0:0:{linux_lun(lun)}"

    def _find(self, lun, kind):
        try:
            return "/dev/" + os.listdir(f"{self._device(lun)}/{kind}")[0]
        except (FileNotFoundError, NotADirectoryError, IndexError):
            return None

    def present(self, lun):
        return os.path.exists(self._device(lun))

    def lun(self, lun=0):
        """The host's disk, once it is there."""
        return vt.wait_for(f"LUN {lun} of {self.name}", lambda: self._find(lun, "block"), 60)

    def disk(self):
        """LUN 0, once sd has looked at it, which is after it is there."""
        disk = self.lun()
        vt.wait_for(f"size of {disk}", lambda: self._size(disk), 60)
        return disk

    @staticmethod
    def _size(disk):
        """0 before it can be opened; its node may be there earlier."""
        try:
            os.close(os.open(disk, os.O_RDONLY))
            return int(vt.read(f"/sys/block/{os.path.basename(disk)}/size"))
        except OSError:
            return 0

    def generic(self, lun=0):
        """Its /dev/sgX."""
        self.lun(lun)
        return vt.wait_for(f"sg of LUN {lun}", lambda: self._find(lun, "scsi_generic"), 60)

    def attribute(self, name, lun=0):
        return vt.read(f"{self._device(lun)}/{name}")

    def set_attribute(self, name, value, lun=0):
        vt.write(f"{self._device(lun)}/{name}", value)
