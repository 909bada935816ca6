# SPDX-License-Identifier: GPL-2.0
"""A disk that UEFI firmware boots, into a program that prints a text and halts.

It is one FAT16 file system with \\EFI\\BOOT\\BOOTX64.EFI. Proof that the
firmware read the disk, as bootsector.py is for a PC's.
"""

import struct

SECTOR = 512
SECTORS = 8192		# with one to a cluster: enough for FAT16
FAT_SECTORS = SECTORS * 2 // SECTOR
ROOT_ENTRIES = 512
ROOT_SECTORS = ROOT_ENTRIES * 32 // SECTOR
DATA = 1 + 2 * FAT_SECTORS + ROOT_SECTORS	# sector of cluster 2

# sub rsp,40; mov rcx,[rdx+64] (ConOut); lea rdx,[rip+6] (TEXT);
# call [rcx+8] (OutputString); end: hlt; jmp end; TEXT:
CODE = bytes.fromhex("4883ec28 488b4a40 488d1506000000 ff5108 f4 ebfd")


def program(text):
    """A UEFI application for x86-64: headers in the first sector, then code."""
    code = CODE + (text + "\r\n\0").encode("utf-16-le")
    code = code.ljust(-(-len(code) // SECTOR) * SECTOR, b"\0")
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22)
    head += struct.pack("<HBBIIIII", 0x20b, 0, 0, len(code), 0, 0, 0x1000, 0x1000)
    # Alignments, versions, sizes of image and headers, subsystem: application.
    head += struct.pack("<QIIHHHHHHIIIIHH", 0, 0x1000, SECTOR, 0, 0, 0, 0, 0, 0, 0,
                        0x2000, SECTOR, 0, 10, 0)
    head += struct.pack("<QQQQII", 0, 0, 0, 0, 0, 16) + bytes(16 * 8)
    head += struct.pack("<8sIIIIIIHHI", b".text", len(code), 0x1000, len(code), SECTOR,
                        0, 0, 0, 0, 0xe0000020)
    return head.ljust(SECTOR, b"\0") + code


def _boot_sector():
    return struct.pack("<3s8sHBHBHHBHHHIIBBBI11s8s", b"\xeb\xfe\x90", b"LAB", SECTOR, 1, 1,
                       2, ROOT_ENTRIES, SECTORS, 0xf8, FAT_SECTORS, 32, 64, 0, 0, 0x80, 0,
                       0x29, 1, b"LAB        ", b"FAT16   ").ljust(510, b"\0") + b"\x55\xaa"


def _entry(name, attributes, cluster, size=0):
    return struct.pack("<11sB14sHI", name, attributes, bytes(14), cluster, size)


def _directory(own, above, entry):
    return (_entry(b".          ", 0x10, own) + _entry(b"..         ", 0x10, above)
            + entry).ljust(SECTOR, b"\0")


def image(text):
    file = program(text)
    clusters = len(file) // SECTOR
    # Clusters 2 and 3 are the directories, then comes the file.
    fat = [0xfff8, 0xffff, 0xffff, 0xffff, *range(5, 4 + clusters), 0xffff]
    fat = struct.pack(f"<{len(fat)}H", *fat).ljust(FAT_SECTORS * SECTOR, b"\0")
    root = _entry(b"EFI        ", 0x10, 2).ljust(ROOT_SECTORS * SECTOR, b"\0")
    data = (_directory(2, 0, _entry(b"BOOT       ", 0x10, 3))
            + _directory(3, 2, _entry(b"BOOTX64 EFI", 0x20, 4, len(file))) + file)
    return _boot_sector() + fat + fat + root + data


def write(path, text):
    """Make the disk or file at @path, of 4 MiB or more, boot into the text."""
    with open(path, "r+b", buffering=0) as disk:
        disk.write(image(text))
