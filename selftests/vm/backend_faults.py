# SPDX-License-Identifier: GPL-2.0
"""Backends that fail, stall, vanish or change below a running disk."""

import os

import vt
from bed import (Background, HostJob, expect, expect_equal, fails, guest_fio, refused,
                 run_fio, test, unplug, wait_moving)
from devices import BLK, HOST, counted, dd_read, dd_write, said

SECTORS = 524288


@test(HOST)
def errors_of_a_device(bed):
    lower = bed.memory_disk()
    good = f"0 {SECTORS} linear {lower.path} 0"
    target, disk = bed.disk("disk", "--dev", bed.dm("shaky", good))
    run_fio(vt.fio_verify(disk, size="1M"))
    vt.dm_reload("shaky", f"0 {SECTORS} error")
    for command, key in ((dd_read(disk), "read"), (dd_write(disk), "write")):
        text = fails(*command)
        expect("Input/output error" in text, text)
        expect(target.stat()["errors"][key] > 0, f"errors: {target.stat()['errors']}")
    expect_equal(target.stat()["ring_errors"], 0, "ring errors")
    bed.fault("device that fails all (dm-error)", f"{said(text)}; {counted(target)} counted")
    vt.dm_reload("shaky", good)
    before = target.stat()["errors"]
    run_fio(vt.fio_verify(disk, size="1M"))
    expect_equal(target.stat()["errors"], before, "errors after the repair")


@test(HOST)
def bad_blocks(bed):
    lower = bed.memory_disk()
    target, disk = bed.disk("disk", "--dev", lower.path)
    vt.write(f"{lower.dir}/badblocks", "+800-807")
    fails(*dd_read(disk, 100))
    expect(target.stat()["errors"]["read"] > 0, f"errors: {target.stat()['errors']}")
    bed.fault("bad blocks (null_blk)", f"an error there, nothing beside; {counted(target)}")
    vt.run(*dd_read(disk, 101))
    vt.run(*dd_read(disk, 0))
    vt.write(f"{lower.dir}/badblocks", "-800-807")
    vt.run(*dd_read(disk, 100))


@test()
def errors_in_a_guest(bed):
    lower = bed.memory_disk()
    target, guest, disk = BLK.in_guest(bed, "--dev", lower.path)
    vt.write(f"{lower.dir}/badblocks", "+800-807")
    code, text = guest.run(" ".join(dd_read(disk, 100)))
    expect(code != 0 and ("I/O error" in text or "Input/output error" in text), text)
    expect(target.stat()["errors"]["read"] > 0, f"errors: {target.stat()['errors']}")
    bed.fault("bad blocks below a guest's disk", f"the guest: {said(text)}; {counted(target)}")
    vt.write(f"{lower.dir}/badblocks", "-800-807")
    guest.check(" ".join(dd_read(disk, 100)))
    guest_fio(guest, vt.fio_verify(disk, size="1M"))


@test(HOST)
def stalled_device(bed):
    """One device answers nothing; who shares its poller does not notice."""
    lower = bed.memory_disk("stall")
    slow, slow_disk = bed.disk("slow", "--dev", bed.dm(
        "stall", f"0 {SECTORS} linear {lower.path} 0"))
    other, other_disk = bed.disk("other", "--dev", bed.memory_disk("other").path)
    expect_equal(len(vt.pollers()), 1, "pollers")
    vt.run("dmsetup", "suspend", "--noflush", "--nolockfs", "stall")
    try:
        job = HostJob(bed, vt.fio(slow_disk, "randrw", size="1M", iodepth=64))
        vt.wait_for("stalled I/O", lambda: slow.stat()["inflight"] > 8)
        before = slow.stat()["ops"]
        run_fio(vt.fio_verify(other_disk, size="4M"))
        expect_equal(slow.stat()["ops"], before, "requests of the stalled device")
        expect(slow.stat()["inflight"] > 8, "it did not stall")
    finally:
        vt.run("dmsetup", "resume", "stall")
    code, text = job.wait()
    expect_equal(code, 0, f"exit code of fio ({text[-500:]})")
    for target in (slow, other):
        expect(not any(target.stat()["errors"].values()), "errors")
    bed.fault("device that answers nothing (dm suspended)",
              f"a pause, {counted(slow)}; its neighbour on the poller: none")


@test(HOST)
def slow_device(bed):
    lower = bed.memory_disk()
    table = f"0 {SECTORS} delay {lower.path} 0 50"
    vt.run("modprobe", "dm_delay")
    target, disk = bed.disk("slow", "--dev", bed.dm("slow", table))
    run_fio(vt.fio_verify(disk, size="512k"))
    expect(not any(target.stat()["errors"].values()), "errors")
    expect(target.stat()["ops"]["read"] > 0, "no reads")
    bed.fault("slow device (dm-delay, 50 ms for a write)", f"{counted(target)}")


@test(HOST)
def few_tags(bed):
    """A device with two tags is slow, it does not fail."""
    lower = bed.null_blk(hw_queue_depth=2, irqmode=2, completion_nsec=1000000)
    target, disk = bed.disk("disk", "--dev", lower.path)
    run_fio(vt.fio(disk, "randread", iodepth=128, number_ios=2000))
    expect(not any(target.stat()["errors"].values()), "errors")


@test(HOST)
def drive_reset(bed):
    """By its driver, as after a command that took too long, or when the host resumes."""
    target, disk = bed.disk("disk", "--dev", bed.nvme())
    job = HostJob(bed, vt.fio_verify(disk, size="32M", thread=1, runtime=600, time_based=1))
    for _ in range(5):
        wait_moving(target)
        vt.write("/sys/class/nvme/nvme0/reset_controller", 1)
    wait_moving(target)
    job.finish_fio()
    expect(not any(target.stat()["errors"].values()), "errors")
    bed.fault("NVMe drive reset under I/O", f"a pause; {counted(target)}")


@test(HOST)
def removed_in_use(bed):
    """A null_blk is powered off under fio: errors, no hang; then it is back."""
    lower = bed.memory_disk()
    for _ in range(2):
        target, disk = bed.disk("disk", "--dev", lower.path)
        job = HostJob(bed, vt.fio(disk, "randrw", runtime=600, time_based=1, size="64M"))
        vt.wait_for("I/O", lambda: sum(target.stat()["ops"].values()) > 500)
        lower.power(0)
        code, text = job.wait()
        expect(code != 0, f"fio saw no error: {text[-300:]}")
        expect(any(target.stat()["errors"].values()), "no error counted")
        seen = f"{said(text)}; {counted(target)}"
        expect(target.show()["units"][0]["state"] & 1, "unit is not marked as gone")
        fails(*dd_read(disk))
        refused(1, "resize", "disk")
        target.unbind()
        target.delete()
        lower.power(1)
    bed.fault("device removed under I/O (null_blk)", seen)
    _, disk = bed.disk("disk", "--dev", lower.path)
    run_fio(vt.fio_verify(disk, size="1M"))


@test()
def removed_under_a_guest(bed):
    lower = bed.memory_disk()
    target = bed.target("disk", "--dev", lower.path)
    other = bed.target("other", "--dev", bed.memory_disk("mem1").path)
    guest = bed.guest(target, other)
    job = Background(guest, vt.fio(BLK.disk(guest, target), "randrw", runtime=600,
                                   time_based=1, size="64M"))
    vt.wait_for("I/O", lambda: sum(target.stat()["ops"].values()) > 200, 300)
    lower.power(0)
    code, text = job.result()
    expect(code != 0, f"fio saw no error: {text[-300:]}")
    guest_fio(guest, vt.fio_verify(BLK.disk(guest, other), size="1M"))
    bed.fault("device removed below a guest's disk",
              f"the guest: {said(text)}; its other disk: nothing")
    unplug(guest, target)
    target.delete()
    lower.power(1)
    bed.target("disk", "--dev", lower.path)


@test(HOST)
def nvme_unplugged(bed):
    """The PCI device goes while it is in use, and comes again."""
    nvme = bed.nvme()
    pci = os.path.realpath("/sys/class/nvme/nvme0/device")
    target, disk = bed.disk("disk", "--dev", nvme)
    job = HostJob(bed, vt.fio(disk, "randread", runtime=600, time_based=1, size="64M"))
    vt.wait_for("I/O", lambda: target.stat()["ops"]["read"] > 500)
    vt.write(f"{pci}/remove", 1)
    try:
        code, text = job.wait()
        expect(code != 0, "fio saw no error")
        fails(*dd_read(disk))
        bed.fault("NVMe drive unplugged under I/O, and back", f"{said(text)}; "
                  f"{counted(target)}")
        target.unbind()
        target.delete()
    finally:
        vt.write("/sys/bus/pci/rescan", 1)
    vt.wait_for("the drive", lambda: os.path.exists(nvme))
    _, disk = bed.disk("disk", "--dev", nvme)
    run_fio(vt.fio_verify(disk, size="1M"))


def size_of(disk):
    return int(vt.run("blockdev", "--getsize64", disk))


@test(HOST)
def grown_and_shrunk(bed):
    lower = bed.memory_disk()
    lv = bed.dm("lv", f"0 {SECTORS} linear {lower.path} 0")
    target, disk = bed.disk("disk", "--dev", lv)
    for sectors in (2 * SECTORS, SECTORS // 2):
        end = min(sectors, size_of(disk) // 512) * 512 // 4096
        vt.dm_reload("lv", f"0 {sectors} linear {lower.path} 0")
        # Not told yet: what is there works, what is gone is an error.
        vt.run(*dd_read(disk, end - 4))
        if sectors < SECTORS:
            bed.fault("device shrinks", said(fails(*dd_read(disk, end))) + " beyond its end")
        vt.ctl("resize", "disk")
        vt.wait_for("the new size", lambda: size_of(disk) == sectors * 512)
        run_fio(vt.fio_verify(disk, size="1M", offset=(sectors - 2048) * 512))
    expect_equal(target.show()["units"][0]["capacity"], sectors * 512, "capacity")


@test(HOST)
def read_only_turned_on(bed):
    lower = bed.memory_disk()
    target, disk = bed.disk("disk", "--dev", lower.path)
    vt.run("blockdev", "--setro", lower.path)
    vt.run(*dd_read(disk))
    bed.fault("device turns read-only", said(fails(*dd_write(disk))) + " for writes")
    refused(1, "create", "blk", "second", "--dev", lower.path)
    vt.run("blockdev", "--setrw", lower.path)
    run_fio(vt.fio_verify(disk, size="1M"))
    target.unbind()
    target.delete()
    vt.run("blockdev", "--setro", lower.path)
    refused(1, "create", "blk", "second", "--dev", lower.path)
    second, disk = bed.disk("second", "--dev", lower.path, "--ro")
    vt.run(*dd_read(disk))
    second.unbind()
    second.delete()
    vt.run("blockdev", "--setrw", lower.path)


@test(HOST)
def block_size_4096(bed):
    lower = bed.memory_disk(blocksize=4096)
    refused(1, "create", "blk", "disk", "--dev", lower.path, "--block-size", "512")
    _, disk = bed.disk("disk", "--dev", lower.path)
    run_fio(vt.fio_verify(disk, size="4M"))
    fails("dd", f"if={disk}", "of=/dev/null", "bs=512", "count=1", "iflag=direct")


@test(HOST)
def bounced(bed):
    """The file's blocks are of 4096 bytes, the buffer is aligned to 512."""
    target, disk = bed.disk("disk", "--file", bed.file(), "--block-size", "4096")
    fd = os.open(disk, os.O_RDWR | os.O_DIRECT)
    try:
        for size in (4096, 65536, 1 << 20):
            before = target.stat()["bounced"]
            expect(vt.unaligned_io(fd, 512, size), f"{size} bytes differ")
            expect(target.stat()["bounced"] > before, f"{size}: nothing was bounced")
            before = target.stat()["bounced"]
            expect(vt.unaligned_io(fd, 4096, size), f"{size} aligned bytes differ")
            expect_equal(target.stat()["bounced"], before, "bounced")
    finally:
        os.close(fd)


@test(HOST)
def file_system_full(bed):
    """A sparse file on a full file system: writes fail, reads go on."""
    path = bed.file(size=2 << 30, room=128)
    target, disk = bed.disk("disk", "--file", path)
    text = fails("dd", "if=/dev/zero", f"of={disk}", "bs=1M", "count=2000", "oflag=direct")
    expect("Input/output error" in text or "No space" in text, text)
    expect(target.stat()["errors"]["write"] > 0, f"errors: {target.stat()['errors']}")
    bed.fault("file system full below a sparse file", f"{said(text)}; {counted(target)}")
    vt.run(*dd_read(disk))
    vt.run("blkdiscard", disk)
    run_fio(vt.fio_verify(disk, size="1M"))


@test(HOST)
def no_sectors(bed):
    """A disk without any is refused; one that loses them keeps its size."""
    path = "/tmp/no-sectors"
    with open(path, "wb") as f:
        f.truncate(4 << 20)
    bed.callback(os.unlink, path)
    lower = bed.loop(path, "--direct-io=off")
    target, disk = bed.disk("disk", "--dev", lower)
    os.truncate(path, 0)
    vt.run("losetup", "-c", lower)
    refused(1, "resize", "disk")
    expect_equal(target.show()["units"][0]["capacity"], 4 << 20, "capacity")
    fails(*dd_read(disk))
    target.unbind()
    target.delete()
    refused(1, "create", "blk", "disk", "--dev", lower)
