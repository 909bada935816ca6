# SPDX-License-Identifier: GPL-2.0
"""A disk that UEFI firmware boots: FAT, with \\EFI\\BOOT\\BOOTX64.EFI that starts
a Linux image, and its initramfs."""

import os
import shutil
import struct
import tempfile

import vt

HERE = os.path.dirname(os.path.abspath(__file__))
ALIGN = 4096		# of sections, in the file and in memory
LINK = "SECTIONS { . = 0x1000; .all : { *(.text.start) *(.text*) *(.rodata*) " \
    "*(.data*) *(.bss*) . = ALIGN(16); payload = .; } /DISCARD/ : { *(*) } }"


def _code(tmp):
    """The program, as it lies in memory at any address."""
    script, elf, raw = (os.path.join(tmp, name) for name in ("ld", "elf", "raw"))
    with open(script, "w") as f:
        f.write(LINK)
    vt.run("gcc", "-Os", "-ffreestanding", "-fpic", "-fno-stack-protector", "-fcf-protection=none",
           "-mno-red-zone", "-mno-sse", "-fno-asynchronous-unwind-tables", "-nostdlib",
           "-static", "-Wl,--build-id=none", "-Wl,-e,efi_start", f"-Wl,-T,{script}",
           "-o", elf, os.path.join(HERE, "efiboot.c"))
    vt.run("objcopy", "-O", "binary", elf, raw)
    with open(raw, "rb") as f:
        code = f.read()
    return code.ljust((len(code) + 15) // 16 * 16, b"\0")


def _pe(body):
    """A PE32+ file, an EFI application, of one section; it starts at its begin."""
    size = (len(body) + ALIGN - 1) // ALIGN * ALIGN
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 240, 0x0022)
    optional = struct.pack("<HBBIIIII", 0x20b, 0, 0, size, 0, 0, ALIGN, ALIGN)
    optional += struct.pack("<QIIHHHHHHIIIIHH", 0, ALIGN, ALIGN, 0, 0, 0, 0, 0, 0, 0,
                            ALIGN + size, ALIGN, 0, 10, 0)
    optional += struct.pack("<QQQQII", 0, 0, 0, 0, 0, 16) + bytes(16 * 8)
    section = struct.pack("<8sIIIIIIHHI", b".text", size, ALIGN, size, ALIGN, 0, 0, 0, 0,
                          0xe0000020)
    return (dos + coff + optional + section).ljust(ALIGN, b"\0") + body.ljust(size, b"\0")


def application(image, words):
    """Starts the Linux @image with the command line @words."""
    with open(image, "rb") as f:
        linux = f.read()
    with tempfile.TemporaryDirectory() as tmp:
        code = _code(tmp)
    options = (words + "\0").encode("utf-16-le")
    options = options.ljust((len(options) + 15) // 16 * 16, b"\0")
    return _pe(code + struct.pack("<QQ", len(options), len(linux)) + options + linux)


def write(path, image, initrd, words):
    """Make the disk at @path boot @image."""
    vt.run("modprobe", "-a", "vfat", "nls_cp437", "nls_ascii")
    vt.run("busybox", "mkdosfs", path)
    with tempfile.TemporaryDirectory() as top:
        vt.run("mount", "-t", "vfat", "-o", "iocharset=ascii", path, top)
        try:
            os.makedirs(f"{top}/EFI/BOOT")
            with open(f"{top}/EFI/BOOT/BOOTX64.EFI", "wb") as f:
                f.write(application(image, f"initrd=\\initrd {words}"))
            shutil.copy(initrd, f"{top}/initrd")
        finally:
            vt.run("umount", top)
