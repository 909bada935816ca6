# SPDX-License-Identifier: GPL-2.0
"""The disk that all peers serve. Each function gets an ExitStack, for how it is
undone, and the options; it returns the disk's path and what it is."""

import os

from peers import unload, vt

MIB = 1 << 20
SIZE = 512 * MIB		# of a file, and of what lies on a disk of ours
META = 64 * MIB
DRIVE = "/dev/nvme0n1"
KEY = "00112233445566778899aabbccddeeff" * 2


def null_blk(undo, args, name="bench", **attrs):
    if not vt.loaded("null_blk"):
        undo.callback(unload, "null_blk")
    disk = vt.NullBlk(name, irqmode=args.irqmode, **attrs)
    undo.callback(disk.remove)
    return disk.path


def lower(undo, args, **attrs):
    """The disk that was named, or one of ours."""
    return args.disk or null_blk(undo, args, "bench-lower", size=2 * SIZE // MIB, **attrs)


def sectors(path):
    return int(vt.run("blockdev", "--getsz", path))


def fill(path, size):
    """Blocks that were never written would be read without a disk."""
    vt.run("dd", "if=/dev/zero", f"of={path}", f"bs={MIB}", f"count={size // MIB}",
           "oflag=direct", "conv=notrunc")


def device_mapper(undo, name, table):
    undo.callback(vt.dm_remove, name)
    return vt.dm_create(name, table)


def null(undo, args):
    if args.disk:
        raise ValueError("--disk: of another --backend than null")
    return null_blk(undo, args), f"null_blk irqmode={args.irqmode}"


def nvme(_undo, args):
    serial = f"/sys/block/{os.path.basename(DRIVE)}/device/serial"
    if not args.disk and not (os.path.exists(serial) and vt.read(serial).startswith("lab")):
        raise ValueError("--backend nvme: say --disk, or lab run --nvme size=1G")
    path = args.disk or DRIVE
    return path, path


def file(undo, args):
    """On ext4, on a disk of memory unless told otherwise."""
    disk = lower(undo, args, memory_backed=1)
    vt.run("mkfs.ext4", "-q", "-F", disk)
    top = "/tmp/bench-file"
    os.makedirs(top, exist_ok=True)
    undo.callback(os.rmdir, top)
    vt.run("mount", disk, top)
    undo.callback(vt.run, "umount", top)
    with open(f"{top}/disk", "wb"):
        pass
    fill(f"{top}/disk", SIZE)
    return f"{top}/disk", f"a file on ext4 on {disk}"


def dm_crypt(undo, args):
    disk = lower(undo, args)
    vt.run("modprobe", "-a", "dm_crypt", "xts", "aesni_intel")
    path = device_mapper(undo, "bench-crypt",
                         f"0 {sectors(disk)} crypt aes-xts-plain64 {KEY} 0 {disk} 0")
    return path, f"dm-crypt, aes-xts-plain64, on {disk}"


def thin(undo, args):
    """A thin volume with all its blocks there; its metadata is on a disk of memory."""
    disk = lower(undo, args)
    meta = null_blk(undo, args, "bench-meta", size=META // MIB, memory_backed=1)
    fill(meta, MIB)
    vt.run("modprobe", "dm_thin_pool")
    pool = device_mapper(undo, "bench-pool", f"0 {sectors(disk)} thin-pool {meta} {disk} "
                         "128 0 1 skip_block_zeroing")
    vt.run("dmsetup", "message", "bench-pool", "0", "create_thin 0")
    path = device_mapper(undo, "bench-thin", f"0 {SIZE // 512} thin {pool} 0")
    fill(path, SIZE)
    return path, f"a dm-thin volume on {disk}"


BACKENDS = {"null": null, "nvme": nvme, "file": file, "dm-crypt": dm_crypt, "thin": thin}
