# SPDX-License-Identifier: GPL-2.0
"""The power fails: nothing is lost that the guest was told is stable. The backend
is a dm-log-writes, which keeps all writes in the order in which they became stable;
what a disk would have held is made of that, and looked at."""

import os
import struct

import vt
from bed import Repeated, expect, expect_equal, unplug
from devices import KINDS, NVME, no_errors, test_each
from tarball import modules_with, put

MAGIC = 0x6a736677736872
FLUSH, FUA, DISCARD, MARK = (1 << bit for bit in range(4))
SECTOR = 512
SIZE = 320		# MiB, the least that XFS takes is 300
FILES = 5
CUTS = 4		# in between, at most
MKFS = {"ext4": ("mkfs.ext4", "-q", "-E", "nodiscard"), "xfs": ("mkfs.xfs", "-q", "-K")}
IMAGE, COPY, TOP = "/tmp/crash.img", "/tmp/crash.copy", "/tmp/crash"


def read_log(path):
    """[(flags, sector, data or a mark's name)]"""
    entries = []
    with open(path, "rb") as f:
        magic, version, count, size = struct.unpack("<QQQI", f.read(28))
        expect_equal((magic, version, size), (MAGIC, 1, SECTOR), "the log's head")
        f.seek(SECTOR)
        for _ in range(count):
            head = f.read(SECTOR)
            sector, number, flags, length = struct.unpack("<QQQQ", head[:32])
            expect(not flags & DISCARD, "a discard, which nobody asked for")
            data = head[32:32 + length].decode() if flags & MARK else \
                f.read(number * SECTOR)
            entries.append((flags, sector, data))
    return entries


def replay(image, entries):
    for flags, sector, data in entries:
        if not flags & MARK:
            os.pwrite(image, data, sector * SECTOR)


def text_of(number):
    return f"file {number}\n".encode() * 4000


def stable_files(fs):
    """Those that are whole in what the disk would have held, once it is mounted."""
    vt.run("cp", "--sparse=always", IMAGE, COPY)
    os.makedirs(TOP, exist_ok=True)
    vt.run("mount", "-t", fs, "-o", "loop", COPY, TOP)
    try:
        found = []
        for name in filter(str.isdigit, os.listdir(TOP)):
            with open(f"{TOP}/{name}", "rb") as f:
                if f.read() == text_of(int(name)):
                    found.append(int(name))
        return sorted(found)
    finally:
        vt.run("umount", TOP)


def look(fs, entries):
    """(after which mark, files) at each mark, and in between, after a flush."""
    seen, after, begin = [], -1, 0
    flushes = [at for at, entry in enumerate(entries) if entry[0] & (FLUSH | FUA)]
    cuts = set(flushes[::len(flushes) // CUTS + 1])
    with open(IMAGE, "wb") as f:
        f.truncate(SIZE << 20)
        for at, (flags, _, data) in enumerate(entries):
            marked = flags & MARK and data.isdigit()
            if flags & MARK and data == "made":
                after = 0
            if not marked and not (at in cuts and after >= 0):
                continue
            after = int(data) if marked else after
            replay(f.fileno(), entries[begin:at + 1])
            begin = at + 1
            seen.append((after, marked, stable_files(fs)))
    return seen


def load_in_guest(bed, guest, name):
    """A module that guests do not have, with what it needs."""
    put(bed, guest, "/x", modules_with([name]))
    guest.check(f"for f in /x/*.ko; do insmod $f; done; grep -w {name} /proc/filesystems")


def power_fails(bed, kind, fs):
    vt.run("modprobe", "dm_log_writes")
    vt.run("modprobe", "loop")
    data = bed.memory_disk("data", size=SIZE)
    log = bed.memory_disk("log", size=SIZE)
    logged = bed.dm("logged", f"0 {SIZE << 11} log-writes {data.path} {log.path}")

    def mark(name):
        vt.run("dmsetup", "message", "logged", "0", "mark", name)

    vt.run(*MKFS[fs], logged)
    mark("made")
    target = kind.target(bed, "--dev", logged)
    guest = bed.guest(target)
    disk = kind.disk(guest, target)
    if guest.run(f"modprobe {fs}; grep -w {fs} /proc/filesystems")[0]:
        load_in_guest(bed, guest, fs)
    guest.check(f"mkdir -p /m && mount -t {fs} {disk} /m")
    noise = Repeated(guest, "dd if=/dev/zero of=/m/noise bs=64k count=4 conv=notrunc "
                     "2>/dev/null")
    for number in range(1, FILES + 1):
        guest.check(f"yes file {number} | head -n 4000 | "
                    f"dd of=/m/{number} bs=64k iflag=fullblock conv=fsync")
        mark(str(number))
    noise.end()
    guest.check("umount /m")
    no_errors(target)
    stat = target.stat()
    unplug(guest, target)
    target.delete()
    vt.dm_remove("logged")
    seen = look(fs, read_log(log.path))
    bed.note(f"{stat['ops']['write']} writes, {stat['ops']['flush']} flushes; files that "
             "are whole, by the last mark: "
             f"{'; '.join(f'{after}: {len(files)}' for after, _, files in seen)}")
    for after, marked, files in seen:
        expect(set(range(1, after + 1)) <= set(files), f"{files} after mark {after}")
        # Or what is looked at would not be what it is thought to be.
        expect(not marked or files == list(range(1, after + 1)),
               f"{files} at mark {after}")
    expect_equal([after for after, marked, _ in seen if marked],
                 list(range(1, FILES + 1)), "marks")
    bed.fault(f"power fails (dm-log-writes) under a guest's {fs}",
              f"{kind.name}: at {len(seen)} moments all files that it was told are stable")


@test_each(*KINDS)
def ext4(bed, kind):
    power_fails(bed, kind, "ext4")


@test_each(NVME, turn=0)
def xfs(bed, kind):
    power_fails(bed, kind, "xfs")
