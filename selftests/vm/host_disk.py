# SPDX-License-Identifier: GPL-2.0
"""The host's own disk on a target of each type (virtio_vdpa): all of the path but
a VM."""

import os

import vt
from bed import expect, expect_equal, fails, run_fio
from devices import (BLK, HOST, SCSI, no_errors, queue_limit, read_at, test_each,
                     verify_all, wait_size)


def test_host(*kinds, **params):
    return test_each(*(kinds or (BLK, SCSI)), driver=HOST, **params)


def check(bed, kind, *args):
    target, disk = kind.on_host(bed, *args)
    verify_all(disk)
    no_errors(target)
    stat = target.stat()
    bed.note(f"{sum(stat['ops'].values())} I/Os, {stat['kicks']} kicks, "
             f"{stat['calls']} interrupts, {stat['bounced']} bounced")


@test_host()
def verify_nvme(bed, kind):
    check(bed, kind, "--dev", bed.nvme())


@test_host()
def verify_null_blk(bed, kind):
    check(bed, kind, "--dev", bed.memory_disk().path)


@test_host()
def verify_4096(bed, kind):
    check(bed, kind, "--dev", bed.memory_disk(blocksize=4096).path)


@test_host()
def verify_file(bed, kind):
    check(bed, kind, "--file", bed.file())


@test_host(BLK)
def verify_file_4096(bed, kind):
    check(bed, kind, "--file", bed.file(), "--block-size", "4096")


@test_host(BLK)
def verify_dm(bed, kind):
    lower = bed.memory_disk()
    check(bed, kind, "--dev", bed.dm("lin", f"0 524288 linear {lower.path} 2048"))


@test_host(BLK)
def verify_loop(bed, kind):
    check(bed, kind, "--dev", bed.loop(bed.file()))


@test_host(BLK)
def verify_writethrough(bed, kind):
    check(bed, kind, "--dev", bed.nvme(), "--writethrough")


@test_host(idle_us=0)
def verify_event_mode(bed, kind):
    check(bed, kind, "--dev", bed.nvme())


@test_host()
def null_backend(bed, kind):
    target, disk = kind.on_host(bed, "--null", "8G")
    for rw in ("randread", "randwrite"):
        run_fio(vt.fio(disk, rw, number_ios=2000))
    no_errors(target)


def file_system(bed, kind, make, check_it):
    target, disk = kind.on_host(bed, "--dev", bed.memory_disk().path)
    vt.run(*make, disk)
    os.makedirs("/tmp/m", exist_ok=True)
    vt.run("mount", "-o", "discard", disk, "/tmp/m")
    try:
        vt.run("dd", "if=/dev/urandom", "of=/tmp/m/a", "bs=64k", "count=64", "conv=fsync")
        vt.run("cp", "/tmp/m/a", "/tmp/m/b")
        vt.run("rm", "/tmp/m/a")
        before = vt.run("md5sum", "/tmp/m/b")
        vt.run("fstrim", "/tmp/m")
        vt.run("umount", "/tmp/m")
        vt.run(*check_it, disk)
        vt.run("mount", disk, "/tmp/m")
        expect_equal(vt.run("md5sum", "/tmp/m/b"), before, "file after the mount")
    finally:
        vt.run("sh", "-c", "umount /tmp/m || true")
    no_errors(target)


@test_host()
def ext4(bed, kind):
    file_system(bed, kind, ("mkfs.ext4", "-q", "-F"), ("fsck.ext4", "-fn"))


@test_host(BLK)
def xfs(bed, kind):
    file_system(bed, kind, ("mkfs.xfs", "-q", "-f"), ("xfs_repair", "-n"))


def discard(bed, kind, *args):
    target, disk = kind.on_host(bed, *args)
    mib = 1 << 20
    for options in ((), ("-z",)):
        run_fio(vt.fio(disk, "write", bs="64k", size="4M", buffer_pattern="0x5a"))
        vt.run("blkdiscard", *options, "-o", mib, "-l", mib, disk)
        expect_equal(read_at(disk, mib, mib), bytes(mib), f"after blkdiscard {options}")
        for offset in (0, 2 * mib):
            expect(read_at(disk, offset, mib) == b"\x5a" * mib,
                   f"blkdiscard {options} touched MiB {offset // mib}")
    vt.run("blkdiscard", disk)
    expect_equal(read_at(disk, 0, mib), bytes(mib), "after blkdiscard of all")
    expect(target.stat()["ops"]["other"] >= 3, f"counters: {target.stat()['ops']}")
    no_errors(target)


@test_host()
def discard_null_blk(bed, kind):
    discard(bed, kind, "--dev", bed.memory_disk().path)


@test_host()
def discard_4096(bed, kind):
    discard(bed, kind, "--dev", bed.memory_disk(blocksize=4096).path)


@test_host(BLK)
def discard_file(bed, kind):
    discard(bed, kind, "--file", bed.file())


@test_host()
def resize_null(bed, kind):
    _, disk = kind.on_host(bed, "--null", "1G")
    for size in (2 << 30, 1 << 29, 3 << 30):
        vt.ctl("resize", "disk", "--size", size)
        wait_size(disk, size)
    run_fio(vt.fio(disk, "randread", number_ios=200))


@test_host()
def read_only(bed, kind):
    lower = bed.memory_disk()
    run_fio(vt.fio(lower.path, "write", bs="64k", size="1M", buffer_pattern="0x5a"))
    for args in (("--dev", lower.path), ("--file", bed.file()), ("--null", "1G")):
        target, disk = kind.on_host(bed, *args, "--ro")
        expect_equal(vt.run("blockdev", "--getro", disk).strip(), "1", "read-only")
        fails("dd", "if=/dev/zero", f"of={disk}", "bs=4k", "count=1", "oflag=direct")
        fails("blkdiscard", disk)
        run_fio(vt.fio(disk, "randread", size="1M"))
        if args[0] == "--dev":
            expect_equal(read_at(disk, 0, 4096), b"\x5a" * 4096, "data")
        target.unbind()
        target.delete()


@test_host()
def write_cache(bed, kind):
    target, disk = kind.on_host(bed, "--dev", bed.memory_disk(cache_size=16).path)
    expect_equal(queue_limit(disk, "write_cache"), "write back", "write cache")
    before = target.stat()["ops"]["flush"]
    run_fio(vt.fio(disk, "write", size="64k", fsync=1))
    expect(target.stat()["ops"]["flush"] > before, "no flush was seen")
    lower = bed.memory_disk("mem1", cache_size=16)
    _, disk = kind.on_host(bed, "--dev", lower.path, "--writethrough", name="through")
    expect_equal(queue_limit(disk, "write_cache"), "write through", "write cache")


def flushes(disk):
    """That the disk has done."""
    return int(vt.read(f"/sys/block/{os.path.basename(disk)}/stat").split()[15])


@test_host()
def zeroes_are_stable(bed, kind):
    """Without a write cache, what is zeroed is stable as all that is written."""
    lower = bed.memory_disk(cache_size=16)
    path = bed.file(cache_size=16)
    for args, below in ((("--dev", lower.path), lower.path),
                        (("--file", path), "/dev/fs-image")):
        target, disk = kind.on_host(bed, *args, "--writethrough")
        run_fio(vt.fio(disk, "write", bs="64k", size="1M"))
        before = flushes(below)
        vt.run("blkdiscard", "-z", "-l", 1 << 20, disk)
        expect(flushes(below) > before, f"{args[0]}: no flush")
        target.unbind()
        target.delete()
