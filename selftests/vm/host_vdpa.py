# SPDX-License-Identifier: GPL-2.0
"""What the host's own disk on a blk target (virtio_vdpa) says of itself, and who
serves it."""

import os

import vt
from bed import expect, expect_equal, fails, run_fio, test
from devices import HOST, no_errors, queue_limit, verify_all, wait_size


@test(HOST)
def no_discard(bed):
    _, disk = bed.disk("disk", "--dev", bed.memory_disk().path, "--no-discard")
    fails("blkdiscard", disk)
    expect_equal(queue_limit(disk, "discard_max_bytes"), "0", "discard_max_bytes")


SAME = ("logical_block_size", "physical_block_size", "minimum_io_size",
        "optimal_io_size", "discard_granularity", "discard_max_hw_bytes", "write_cache")


def limits(bed, lower, *args):
    _, disk = bed.disk("disk", "--dev", lower, *args, queues=2)
    for name in SAME:
        wanted = queue_limit(lower, name)
        if name == "discard_max_hw_bytes":
            # 32 bits of sectors are all that virtio has.
            wanted = str(min(int(wanted), 0xffffffff << 9))
        expect_equal(queue_limit(disk, name), wanted, f"{name} of {disk}")
    zeroes = int(queue_limit(lower, "write_zeroes_max_bytes"))
    most = queue_limit(disk, "write_zeroes_max_bytes")
    expect(int(most) in (zeroes or 32 << 20, min(zeroes, 0xffffffff << 9)),
           f"write_zeroes_max_bytes: {most}")
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


@test(HOST)
def resize_file(bed):
    path = bed.file()
    _, disk = bed.disk("disk", "--file", path)
    for size in (300 << 20, 200 << 20, 400 << 20):
        os.truncate(path, size)
        vt.ctl("resize", "disk")
        wait_size(disk, size)
    verify_all(disk, ("4k",))


@test(HOST, cpus=2, pollers="0-1")
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
