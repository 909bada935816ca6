# SPDX-License-Identifier: GPL-2.0
"""The initramfs of guests (L2): busybox, fio and disk tools, drivers."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import time

import chroot
import stubs
from cpio import Archive
from initramfs import read
from modules import Modules

LOADED = ["virtio_pci", "virtio_console", "virtio_blk", "virtio_scsi", "sd_mod",
          "sg", "nvme"]
PRESENT = LOADED + ["ext4", "crc32c", "crc32c_generic", "virtio_balloon",
                    "virtio_mem", "dm_mod", "loop", "qemu_fw_cfg", "msr", "null_blk"]
PACKED = ".gz"
DAY = 24 * 3600
FIO = "/usr/bin/fio"
CRYPTO = "libcrypto.so"
PROGRAMS = ["/usr/bin/bash", "/usr/bin/lsblk", "/usr/sbin/blkid", "/usr/sbin/blockdev",
            "/usr/sbin/nvme", "/usr/bin/sg_inq", "/usr/bin/sg_raw", "/usr/bin/sg_persist",
            "/usr/bin/sg_reset", "/usr/bin/sg_unmap", "/usr/bin/sg_write_same",
            "/usr/bin/sg_readcap", "/usr/bin/sg_luns", "/usr/bin/sg_turs",
            "/usr/bin/sg_vpd", "/usr/bin/sg_modes", "/usr/bin/sg_requests",
            "/usr/bin/sg_opcodes", "/usr/bin/sg_get_lba_status", "/usr/bin/sg_sync",
            "/usr/bin/sg_compare_and_write", "/usr/bin/sg_dd", "/usr/bin/sg_verify",
            "/usr/sbin/mkfs.ext4", "/usr/sbin/e2fsck",
            "/usr/sbin/blkdiscard"]


def _libraries(tree, programs):
    text = subprocess.run(chroot.command(tree, ["ldd", *programs]), check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True).stdout
    return sorted(set(re.findall(r"(/\S+\.so\S*) \(0x", text)))


def _real(tree, name):
    """The file behind @name, with the links of the tree followed inside it."""
    for link in ("lib64", "lib", "bin", "sbin"):
        if name.startswith(f"/{link}/"):
            name = "/usr" + name
    path = tree + name
    while os.path.islink(path):
        target = os.readlink(path)
        path = tree + target if target.startswith("/") else \
            os.path.join(os.path.dirname(path), target)
    return path


def _pack_modules(archive, modules, release):
    """modules.dep and modules.alias name what is packed, so modprobe works."""
    top = f"lib/modules/{release}"
    paths = modules.closure(PRESENT)
    plain = {p: re.sub(r"\.(xz|zst)$", "", p) for p in paths}
    for path in paths:
        archive.data(f"{top}/{plain[path]}", modules.read(path))
    dep = [f"{plain[p]}: {' '.join(plain[d] for d in modules.deps[p])}".rstrip()
           for p in paths]
    archive.data(f"{top}/modules.dep", ("\n".join(dep) + "\n").encode())
    names = {modules.name_of(p) for p in paths}
    with open(os.path.join(modules.top, "modules.alias")) as f:
        alias = [line for line in f if line.split()[-1] in names]
    archive.data(f"{top}/modules.alias", "".join(alias).encode())


def _pack_fio(archive, tree, libraries):
    """After the programs, whose real libraries win over stand-ins."""
    have = {os.path.basename(name) for name in archive.known}
    programs = {name: CRYPTO for name in libraries
                if os.path.basename(name).startswith("libnvme.so")}
    for library, data in stubs.make(tree, {FIO: None, **programs}).items():
        if library not in have:
            archive.data(f"usr/lib/x86_64-linux-gnu/{library}", data, 0o755)
    for name in _libraries(tree, [FIO]):
        if os.path.basename(name).startswith(stubs.KEPT):
            archive.file(name, _real(tree, name))


def _write(out, tree, release):
    modules = Modules(os.path.join(tree, "lib/modules", release))
    archive = Archive(out)
    archive.dir("dev")
    archive.node("dev/console", 5, 1)
    archive.file("bin/busybox", os.path.join(tree, "usr/bin/busybox"))
    archive.data("init", read("l2-init.sh"), 0o755)
    loaded = [n for n in LOADED if modules.closure([n])]
    archive.data("load", " ".join(loaded).encode())
    _pack_modules(archive, modules, release)
    programs = [p for p in PROGRAMS if os.path.exists(_real(tree, p))]
    libraries = _libraries(tree, programs)
    for name in [FIO] + programs + libraries:
        if CRYPTO not in name:
            archive.file(name, _real(tree, name))
    _pack_fio(archive, tree, libraries)
    archive.end()


def _expire(boot):
    """Remove what nobody can be about to use any more: a day old, and replaced."""
    for name in os.listdir(boot):
        path = os.path.join(boot, name)
        if name.startswith("lab-guest-") and os.stat(path).st_mtime < time.time() - DAY:
            os.unlink(path)


def ensure(tree, release):
    """Path, inside the tree, of the guests' initramfs; made when missing. Beside it,
    with PACKED, is one for firmware, which reads slowly."""
    key = hashlib.sha256(read("l2-init.sh") + read("guestinit.py")
                         + read("stubs.py") + release.encode())
    inside = f"/boot/lab-guest-{key.hexdigest()[:12]}.cpio"
    if not os.path.exists(tree + inside):
        _expire(tree + "/boot")
        tmp = f"{tree}{inside}.{os.getpid()}"
        with open(tmp, "wb") as out:
            _write(out, tree, release)
        with open(tmp, "rb") as whole, gzip.open(tmp + PACKED, "wb", 6) as packed:
            shutil.copyfileobj(whole, packed)
        os.rename(tmp + PACKED, tree + inside + PACKED)
        os.rename(tmp, tree + inside)
    return inside
