# SPDX-License-Identifier: GPL-2.0
"""Stock QEMU on a vDPA device: what a VM does in its life."""

import os

import bootsector
import vt
from bed import (Background, Repeated, Skip, disk_of, expect, expect_equal, guest_fio,
                 refused, run_fio, test, wait_moving)
from guest import Guest

PACKED = 34	# VIRTIO_F_RING_PACKED
SLOW = {"irqmode": 2, "completion_nsec": 20_000_000}


def verify(guest, disk, depths=(1, 32), size="4M"):
    for depth in depths:
        guest_fio(guest, vt.fio_verify(disk, iodepth=depth,
                                       size="512k" if depth == 1 else size))


def no_errors(target):
    stat = target.stat()
    expect(not any(stat["errors"].values()) and not stat["ring_errors"]
           and not stat["invalid"], f"counters: {stat}")


def simple(bed, *args, fresh=False):
    """(target, guest, its disk)"""
    target = bed.target("disk", *args)
    guest = bed.guest(target, fresh=fresh)
    return target, guest, disk_of(guest, "disk")


@test()
def boot_from_it(bed):
    """SeaBIOS: split rings, one queue, polling, the first thing after a reset."""
    disk = bed.memory_disk()
    text = "booted from vhost_blk"
    bootsector.write(disk.path, text)
    target = bed.target("disk", "--dev", disk.path)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"]) as guest:
        vt.wait_for("the boot sector's text", lambda: text in guest.serial_text(), 300)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)


@test()
def verify_nvme(bed):
    target, guest, disk = simple(bed, "--dev", bed.nvme(), fresh=True)
    verify(guest, disk)
    no_errors(target)
    expect_equal(guest.poweroff(), 0, "exit code of QEMU")


@test()
def verify_file(bed):
    target, guest, disk = simple(bed, "--file", bed.file())
    verify(guest, disk)
    no_errors(target)


@test()
def verify_4096(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk(blocksize=4096).path)
    expect_equal(guest.check(f"blockdev --getss --getpbsz {disk}").split(),
                 ["4096", "4096"], "block sizes")
    verify(guest, disk, depths=(32,))
    no_errors(target)


@test(pollers="0-1")
def many_queues(bed):
    target = bed.target("disk", "--dev", bed.nvme(), queues=2)
    guest = bed.guest(target, cpus=2)
    disk = disk_of(guest, "disk")
    expect_equal(target.show()["nr_running_queues"], 2, "running queues")
    for cpu in (0, 1):
        guest_fio(guest, vt.fio_verify(disk, size="2M", cpus_allowed=cpu,
                                       offset=f"{2 * cpu}M"))
    for queue in (0, 1):
        ops = target.stat(queue)["ops"]
        expect(ops["read"] and ops["write"], f"queue {queue}: {ops}")


@test()
def reboot(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    verify(guest, disk, depths=(32,), size="1M")
    guest.reboot()
    disk = disk_of(guest, "disk")
    Background(guest, vt.fio(disk, "randrw", size="64M", runtime=600, time_based=1))
    wait_moving(target)
    guest.reboot()
    disk = disk_of(guest, "disk")
    verify(guest, disk, depths=(32,), size="1M")
    no_errors(target)


@test()
def killed(bed):
    """QEMU dies with I/O in flight: everything comes back."""
    slow = bed.null_blk("slow", **SLOW)
    target, guest, disk = simple(bed, "--dev", slow.path)
    for _ in range(2):
        Background(guest, vt.fio(disk, "randread", runtime=600, time_based=1))
        vt.wait_for("I/O in flight", lambda: target.stat()["inflight"] > 0)
        guest.close()
        vt.wait_for("the end of the session",
                    lambda: not target.show()["nr_sessions"], 60)
        expect_equal(target.stat()["inflight"], 0, "requests in flight")
        guest = bed.guest(target)
        disk = disk_of(guest, "disk")
        guest_fio(guest, vt.fio(disk, "randread", number_ios=64))
    guest.close()
    vt.wait_for("the end of the session", lambda: not target.show()["nr_sessions"], 60)
    target.delete()
    vt.unload()
    vt.load(bed.driver)


@test()
def delete_while_attached(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    job = Background(guest, vt.fio_verify(disk, size="4M"))
    wait_moving(target)
    for _ in range(3):
        text = refused(1, "delete", "disk")
        expect("attached" in text, text)
    job.good()
    no_errors(target)


@test()
def resize(bed):
    target, guest, disk = simple(bed, "--null", "1G")
    for size in (2 << 30, 1 << 29):
        vt.ctl("resize", "disk", "--size", size)
        vt.wait_for(f"{size} bytes in the guest", lambda: int(
            guest.check(f"blockdev --getsize64 {disk}")) == size)
    no_errors(target)


@test()
def resize_file(bed):
    path = bed.file()
    _, guest, disk = simple(bed, "--file", path)
    os.truncate(path, 300 << 20)
    vt.ctl("resize", "disk")
    vt.wait_for("the size in the guest", lambda: int(
        guest.check(f"blockdev --getsize64 {disk}")) == 300 << 20)
    guest_fio(guest, vt.fio_verify(disk, offset="290M", size="1M"))


@test()
def two_guests(bed):
    """Both on one poller, at once."""
    jobs = []
    for name in ("one", "two"):
        target = bed.target(name, "--dev", bed.memory_disk(f"mem-{name}").path)
        guest = bed.guest(target, mem=384, name=name)
        jobs.append((target, guest))
    running = [Background(guest, vt.fio_verify(disk_of(guest, target.name), size="4M"))
               for target, guest in jobs]
    for job in running:
        job.good()
    for target, _ in jobs:
        no_errors(target)


@test()
def attach_twice(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    try:
        os.close(os.open(target.node, os.O_RDWR))
    except OSError as err:
        bed.note(f"second open: {err}")
    else:
        expect(False, "the node opened twice")
    verify(guest, disk, depths=(32,), size="1M")


@test()
def stop_and_continue(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="2M"))
    for _ in range(5):
        wait_moving(target)
        guest.qmp("stop")
        stat = target.stat()
        expect_equal(stat["inflight"], 0, "requests in flight after stop")
        expect_equal(target.stat()["ops"], stat["ops"], "requests after stop")
        guest.qmp("cont")
    job.end()
    no_errors(target)


@test()
def read_only(bed):
    lower = bed.memory_disk()
    run_fio(vt.fio(lower.path, "write", bs="64k", size="1M", buffer_pattern="0x5a"))
    target, guest, disk = simple(bed, "--dev", lower.path, "--ro")
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
    target, guest, name = simple(bed, "--dev", disk.path)
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
    target = bed.target("disk", "--dev", bed.memory_disk().path)
    guest = bed.guest(target)
    disk = disk_of(guest, "disk")
    expect_equal(features(guest, disk)[PACKED], "1", "packed rings")
    verify(guest, disk)
    no_errors(target)


@test()
def split(bed):
    target = bed.target("disk", "--dev", bed.memory_disk().path)
    guest = bed.guest(target, suffix=",packed=off")
    disk = disk_of(guest, "disk")
    if features(guest, disk)[PACKED] != "0":
        raise Skip("this QEMU takes packed rings whatever packed= says")
    verify(guest, disk)
    no_errors(target)


@test()
def discard(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
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


@test()
def flush(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk(cache_size=64).path)
    before = target.stat()["ops"]["flush"]
    guest.check(f"dd if=/dev/zero of={disk} bs=4k count=8 conv=fsync")
    expect(target.stat()["ops"]["flush"] > before, "no flush after fsync")
    guest_fio(guest, vt.fio(disk, "randwrite", size="1M", number_ios=32, fsync=4))
    no_errors(target)


@test()
def file_system(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    guest.check(f"mkfs.ext4 -q -F {disk} && modprobe ext4 && mkdir -p /m && "
                f"mount -t ext4 {disk} /m && cp /bin/busybox /m/ && sync")
    guest.reboot()
    disk = disk_of(guest, "disk")
    guest.check(f"e2fsck -fp {disk}; [ $? -lt 2 ] && modprobe ext4 && mkdir -p /m && "
                f"mount -t ext4 {disk} /m && cmp /bin/busybox /m/busybox && umount /m",
                timeout=300)
    no_errors(target)


@test()
def hot_plug(bed):
    target = bed.target("disk", "--dev", bed.memory_disk().path)
    guest = bed.guest()
    for _ in range(2):
        guest.qmp("device_add", driver="vhost-vdpa-device-pci", id="hot",
                  vhostdev=target.node)
        verify(guest, disk_of(guest, "disk"), depths=(32,), size="1M")
        guest.qmp("device_del", id="hot")
        guest.wait_event("DEVICE_DELETED")
        vt.wait_for("the end of the session",
                    lambda: not target.show()["nr_sessions"], 60)
    no_errors(target)
