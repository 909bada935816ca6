# SPDX-License-Identifier: GPL-2.0
"""Stock QEMU on a vDPA device: what a guest can do with a blk target's disk."""

import mmap
import os
import re

import vt
from bed import Skip, expect, expect_equal, guest_fio, run_fio, test
from devices import BLK, no_errors, size_of, verify

PACKED = 34	# VIRTIO_F_RING_PACKED


@test()
def resize(bed):
    target, guest, disk = BLK.in_guest(bed, "--null", "1G")
    for size in (2 << 30, 1 << 29):
        vt.ctl("resize", "disk", "--size", size)
        vt.wait_for(f"{size} bytes in the guest", lambda: size_of(guest, disk) == size)
    no_errors(target)
    bed.fault("device grown and shrunk, and the target told (vhostctl resize)",
              "blk: the new size")


@test()
def resize_file(bed):
    path = bed.file()
    _, guest, disk = BLK.in_guest(bed, "--file", path)
    os.truncate(path, 300 << 20)
    vt.ctl("resize", "disk")
    vt.wait_for("the size in the guest", lambda: size_of(guest, disk) == 300 << 20)
    guest_fio(guest, vt.fio_verify(disk, offset="290M", size="1M"))


@test()
def read_only(bed):
    lower = bed.memory_disk()
    run_fio(vt.fio(lower.path, "write", bs="64k", size="1M", buffer_pattern="0x5a"))
    target, guest, disk = BLK.in_guest(bed, "--dev", lower.path, "--ro")
    expect_equal(guest.check(f"blockdev --getro {disk}").strip(), "1", "read-only")
    code, _ = guest.run(f"dd if=/dev/zero of={disk} bs=4k count=1 oflag=direct")
    expect(code != 0, "a write succeeded")
    text = guest.check(f"dd if={disk} bs=4k count=1 iflag=direct 2>/dev/null | "
                       "tr -d Z | wc -c")
    expect_equal(text.strip(), "0", "bytes other than those written")
    expect_equal(target.stat()["ops"]["write"], 0, "writes")


@test()
def write_cache(bed):
    """What a guest sets reaches the target through QEMU, which writes all of
    the configuration space: without a cache a write is stable when it is done."""
    disk = bed.memory_disk(cache_size=64)
    target, guest, name = BLK.in_guest(bed, "--dev", disk.path)
    cache = f"/sys/block/{os.path.basename(name)}/cache_type"
    expect_equal(guest.check(f"cat {cache}").strip(), "write back", "cache")
    guest.check(f"echo 'write through' >{cache}")
    expect_equal(guest.check(f"cat {cache}").strip(), "write through", "cache")
    before = target.stat()["ops"]["flush"]
    guest_fio(guest, vt.fio(name, "write", size="256k", fsync=1))
    expect_equal(target.stat()["ops"]["flush"], before, "flushes of a write-through disk")
    no_errors(target)


def features(guest, disk):
    return guest.check(f"cat /sys/block/{os.path.basename(disk)}/device/features").strip()


@test()
def packed(bed):
    target, guest, disk = BLK.in_guest(bed, "--dev", bed.memory_disk().path)
    expect_equal(features(guest, disk)[PACKED], "1", "packed rings")
    verify(guest, disk)
    no_errors(target)


@test()
def split(bed):
    target, guest, disk = BLK.in_guest(bed, "--dev", bed.memory_disk().path,
                                       suffix=",packed=off")
    if features(guest, disk)[PACKED] != "0":
        raise Skip("this QEMU takes packed rings whatever packed= says")
    verify(guest, disk)
    no_errors(target)


@test()
def discard(bed):
    target, guest, disk = BLK.in_guest(bed, "--dev", bed.memory_disk().path)
    for option in ("", "-z"):
        guest_fio(guest, vt.fio(disk, "write", bs="64k", size="2M",
                                buffer_pattern="0x5a"))
        guest.check(f"blkdiscard {option} -o 65536 -l 65536 {disk}")
        for skip, other in ((0, "Z"), (1, "\\0"), (2, "Z")):
            text = guest.check(f"dd if={disk} bs=64k skip={skip} count=1 iflag=direct "
                               f"2>/dev/null | tr -d '{other}' | wc -c")
            expect_equal(text.strip(), "0", f"wrong bytes in block {skip} "
                         f"after blkdiscard {option}")
    expect(target.stat()["ops"]["other"] >= 2, f"counters: {target.stat()['ops']}")
    no_errors(target)


def scattered_file(bed, path, size):
    """A file in memory whose neighbouring pages are none in the machine's memory."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    bed.callback(os.unlink, path)
    bed.callback(os.close, fd)
    pages = size // mmap.PAGESIZE
    os.ftruncate(fd, size)
    for i in range(pages):
        os.pwrite(fd, b"\0", i * 5 % pages * mmap.PAGESIZE)


def pieces(pid, name):
    """In how many physically contiguous pieces a process's mapping of @name is."""
    ranges = re.findall(rf"(?m)^(\w+)-(\w+) .*{name}", vt.read(f"/proc/{pid}/maps"))
    first, last = (int(word, 16) // mmap.PAGESIZE for word in max(
        ranges, key=lambda ends: int(ends[1], 16) - int(ends[0], 16)))
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as f:
        f.seek(8 * first)
        words = memoryview(f.read(8 * (last - first))).cast("Q")
    pfns = [word & (1 << 55) - 1 for word in words]
    return sum(a + 1 != b for a, b in zip(pfns, pfns[1:]))


@test()
def memory_in_many_pieces(bed):
    """More of them than vhost_vdpa takes without our modprobe option."""
    path = "/dev/shm/guest"
    scattered_file(bed, path, 192 << 20)
    target, guest, disk = BLK.in_guest(bed, "--dev", bed.memory_disk().path,
                                       shared_mem=path, mem=192)
    many = pieces(guest.pid, path)
    bed.note(f"{many} pieces")
    expect(many > 2048, f"{many} pieces")
    verify(guest, disk)
    no_errors(target)


@test()
def flush(bed):
    target, guest, disk = BLK.in_guest(bed, "--dev", bed.memory_disk(cache_size=64).path)
    before = target.stat()["ops"]["flush"]
    guest.check(f"dd if=/dev/zero of={disk} bs=4k count=8 conv=fsync")
    expect(target.stat()["ops"]["flush"] > before, "no flush after fsync")
    guest_fio(guest, vt.fio(disk, "randwrite", size="1M", number_ios=32, fsync=4))
    no_errors(target)
