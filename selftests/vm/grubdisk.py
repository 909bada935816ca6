# SPDX-License-Identifier: GPL-2.0
"""A disk from which a PC's firmware starts GRUB, and GRUB a Linux image and its
initramfs: boot sector, GRUB in the gap behind it, one ext2 partition."""

import os
import shutil
import struct
import tempfile

import vt

GRUB = "/usr/lib/grub/i386-pc"
MODULES = "biosdisk part_msdos ext2 linux boot serial terminal".split()
SECTOR = 512
FIRST = 2048		# sector of the partition
SIZE = 96 << 20		# of its file system
TABLE = 446		# where the partitions are, in the first sector

SCRIPT = """serial --unit=0 --speed=115200
terminal_output serial
set root=(hd0,msdos1)
linux /linux {words}
initrd /initrd
boot
"""


def _grub(tmp, words):
    """The boot sector, which reads from the next sector on, and what it reads."""
    script, core = os.path.join(tmp, "script"), os.path.join(tmp, "core")
    with open(script, "w") as f:
        f.write(SCRIPT.format(words=words))
    vt.run("grub-mkimage", "-O", "i386-pc", "-p", "/none", "-c", script, "-o", core, *MODULES)
    with open(f"{GRUB}/boot.img", "rb") as boot, open(core, "rb") as rest:
        return boot.read(TABLE), rest.read()


def write(path, image, initrd, words):
    """Make the disk at @path boot @image."""
    with tempfile.TemporaryDirectory() as tmp:
        boot, core = _grub(tmp, words)
        files = os.path.join(tmp, "files")
        os.mkdir(files)
        shutil.copy(image, os.path.join(files, "linux"))
        shutil.copy(initrd, os.path.join(files, "initrd"))
        # Active, of type Linux; no CHS addresses.
        entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", FIRST,
                            SIZE // SECTOR)
        with open(path, "r+b", buffering=0) as disk:
            disk.write((boot + entry).ljust(SECTOR - 2, b"\0") + b"\x55\xaa" + core)
        vt.run("mke2fs", "-q", "-F", "-t", "ext2", "-b", 4096, "-d", files, "-E",
               f"offset={FIRST * SECTOR}", path, f"{SIZE >> 10}k")
