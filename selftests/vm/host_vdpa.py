# SPDX-License-Identifier: GPL-2.0
"""The host's own disk on a target (virtio_vdpa): all of the path but a VM."""

import os

import vt
from bed import expect, expect_equal, fails, run_fio, test

HOST = "virtio_vdpa"


def verify_all(disk, sizes=("4k", "64k")):
    for bs in sizes:
        for depth in (1, 32):
            size = "1M" if depth == 1 else "8M"
            run_fio(vt.fio_verify(disk, bs=bs, iodepth=depth, size=size))
    vt.run("blockdev", "--flushbufs", disk)


def no_errors(target):
    stat = target.stat()
    expect(not any(stat["errors"].values()) and not stat["ring_errors"]
           and not stat["invalid"], f"counters: {stat}")


def check(bed, *args):
    target, disk = bed.disk("disk", *args)
    verify_all(disk)
    no_errors(target)
    stat = target.stat()
    bed.note(f"{sum(stat['ops'].values())} I/Os, {stat['kicks']} kicks, "
             f"{stat['calls']} interrupts, {stat['bounced']} bounced")


@test(HOST)
def verify_nvme(bed):
    check(bed, "--dev", bed.nvme())


@test(HOST)
def verify_null_blk(bed):
    check(bed, "--dev", bed.memory_disk().path)


@test(HOST)
def verify_4096(bed):
    check(bed, "--dev", bed.memory_disk(blocksize=4096).path)


@test(HOST)
def verify_dm(bed):
    lower = bed.memory_disk()
    check(bed, "--dev", bed.dm("lin", f"0 524288 linear {lower.path} 2048"))


@test(HOST)
def verify_loop(bed):
    check(bed, "--dev", bed.loop(bed.file()))


@test(HOST)
def verify_file(bed):
    check(bed, "--file", bed.file())


@test(HOST)
def verify_file_4096(bed):
    check(bed, "--file", bed.file(), "--block-size", "4096")


@test(HOST)
def verify_writethrough(bed):
    check(bed, "--dev", bed.nvme(), "--writethrough")


@test(HOST, idle_us=0)
def verify_event_mode(bed):
    check(bed, "--dev", bed.nvme())


@test(HOST)
def null_backend(bed):
    target, disk = bed.disk("disk", "--null", "8G")
    for rw in ("randread", "randwrite"):
        run_fio(vt.fio(disk, rw, number_ios=2000))
    no_errors(target)


def file_system_on(disk, make, check_it):
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


def file_system(bed, make, check_it):
    target, disk = bed.disk("disk", "--dev", bed.memory_disk().path)
    file_system_on(disk, make, check_it)
    no_errors(target)


@test(HOST)
def ext4(bed):
    file_system(bed, ("mkfs.ext4", "-q", "-F"), ("fsck.ext4", "-fn"))


@test(HOST)
def xfs(bed):
    file_system(bed, ("mkfs.xfs", "-q", "-f"), ("xfs_repair", "-n"))


def read_at(disk, offset, size):
    fd = os.open(disk, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.pread(fd, size, offset)
    finally:
        os.close(fd)


def discard(bed, *args):
    target, disk = bed.disk("disk", *args)
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


@test(HOST)
def discard_null_blk(bed):
    discard(bed, "--dev", bed.memory_disk().path)


@test(HOST)
def discard_4096(bed):
    discard(bed, "--dev", bed.memory_disk(blocksize=4096).path)


@test(HOST)
def discard_file(bed):
    discard(bed, "--file", bed.file())


@test(HOST)
def no_discard(bed):
    _, disk = bed.disk("disk", "--dev", bed.memory_disk().path, "--no-discard")
    fails("blkdiscard", disk)
    expect_equal(queue(disk, "discard_max_bytes"), "0", "discard_max_bytes")


def queue(disk, name):
    return vt.read(f"/sys/block/{os.path.basename(disk)}/queue/{name}")


SAME = ("logical_block_size", "physical_block_size", "minimum_io_size",
        "optimal_io_size", "discard_granularity", "discard_max_hw_bytes", "write_cache")


def limits(bed, lower, *args):
    _, disk = bed.disk("disk", "--dev", lower, *args, queues=2)
    for name in SAME:
        wanted = queue(lower, name)
        if name == "discard_max_hw_bytes":
            # 32 bits of sectors are all that virtio has.
            wanted = str(min(int(wanted), 0xffffffff << 9))
        expect_equal(queue(disk, name), wanted, f"{name} of {disk}")
    zeroes = int(queue(lower, "write_zeroes_max_bytes"))
    expect(int(queue(disk, "write_zeroes_max_bytes")) in (zeroes or 32 << 20,
                                                          min(zeroes, 0xffffffff << 9)),
           f"write_zeroes_max_bytes: {queue(disk, 'write_zeroes_max_bytes')}")
    top = f"/sys/block/{os.path.basename(disk)}"
    expect_equal(vt.read(f"{top}/ro"), "0", "ro")
    expect_equal(vt.read(f"{top}/size"),
                 vt.read(f"/sys/block/{os.path.basename(lower)}/size"), "size")
    queues = min(2, os.cpu_count())
    expect_equal(len(os.listdir(f"{top}/mq")), queues, "hardware queues")


@test(HOST)
def limits_512(bed):
    limits(bed, bed.memory_disk().path)


@test(HOST)
def limits_4096(bed):
    limits(bed, bed.memory_disk(blocksize=4096).path)


@test(HOST)
def limits_nvme(bed):
    limits(bed, bed.nvme())


@test(HOST)
def limits_write_cache(bed):
    limits(bed, bed.memory_disk(cache_size=64).path)


@test(HOST)
def serial(bed):
    for name, text in (("one", "S/N 12345"), ("two", "x" * 20)):
        _, disk = bed.disk(name, "--null", "1G", "--serial", text)
        expect_equal(vt.read(f"/sys/block/{os.path.basename(disk)}/serial"), text,
                     "serial")
    _, disk = bed.disk("own-name", "--null", "1G")
    expect_equal(vt.read(f"/sys/block/{os.path.basename(disk)}/serial"), "own-name",
                 "serial")


def wait_size(disk, size):
    vt.wait_for(f"{disk} of {size} bytes", lambda: int(
        vt.run("blockdev", "--getsize64", disk)) == size)


@test(HOST)
def resize_null(bed):
    _, disk = bed.disk("disk", "--null", "1G")
    for size in (2 << 30, 1 << 29, 3 << 30):
        vt.ctl("resize", "disk", "--size", size)
        wait_size(disk, size)
    run_fio(vt.fio(disk, "randread", number_ios=200))


@test(HOST)
def resize_file(bed):
    path = bed.file()
    _, disk = bed.disk("disk", "--file", path)
    for size in (300 << 20, 200 << 20, 400 << 20):
        os.truncate(path, size)
        vt.ctl("resize", "disk")
        wait_size(disk, size)
    verify_all(disk, ("4k",))


@test(HOST)
def read_only(bed):
    lower = bed.memory_disk()
    run_fio(vt.fio(lower.path, "write", bs="64k", size="1M", buffer_pattern="0x5a"))
    for args in (("--dev", lower.path), ("--file", bed.file()), ("--null", "1G")):
        target, disk = bed.disk("disk", *args, "--ro")
        expect_equal(vt.run("blockdev", "--getro", disk).strip(), "1", "read-only")
        fails("dd", "if=/dev/zero", f"of={disk}", "bs=4k", "count=1", "oflag=direct")
        fails("blkdiscard", disk)
        run_fio(vt.fio(disk, "randread", size="1M"))
        if args[0] == "--dev":
            expect_equal(read_at(disk, 0, 4096), b"\x5a" * 4096, "data")
        target.unbind()
        target.delete()


@test(HOST, pollers="0-1")
def many_queues(bed):
    target, disk = bed.disk("disk", "--dev", bed.nvme(), queues=4)
    used = len(os.listdir(f"/sys/block/{os.path.basename(disk)}/mq"))
    expect(used >= 2, f"{used} queues in use")
    loops = [p["loops"] for p in vt.pollers()]
    before = [target.stat(q) for q in range(used)]
    for cpu in range(os.cpu_count()):
        run_fio(vt.fio_verify(disk, size="4M", cpus_allowed=cpu, offset=f"{4 * cpu}M"))
    after = [target.stat(q) for q in range(used)]
    for q in range(used):
        for key in ("read", "write"):
            expect(after[q]["ops"][key] > before[q]["ops"][key],
                   f"queue {q}: no {key}: {after[q]['ops']}")
    for old, poller in zip(loops, vt.pollers()):
        expect(poller["loops"] > old, f"poller {poller['id']} did nothing")
    no_errors(target)


@test(HOST)
def bind_again(bed):
    """The host lets go of the device and takes it again."""
    target, disk = bed.disk("disk", "--dev", bed.memory_disk().path)
    for _ in range(5):
        run_fio(vt.fio_verify(disk, size="1M"))
        target.unbind()
        expect_equal(target.show()["nr_sessions"], 0, "sessions")
        vt.write("/sys/bus/vdpa/drivers/virtio_vdpa/bind", target.made["vdpa_name"])
        disk = target.disk()
