# SPDX-License-Identifier: GPL-2.0
"""What a VM does in its life with a device of each type, in stock QEMU."""

import time

import bootsector
import vt
from bed import (Background, Repeated, expect, expect_equal, guest_fio, plug, refused,
                 unplug, wait_detached, wait_moving)
from cpustat import CpuStat
from devices import (KINDS, at_rest, cannot_start, errors, no_errors, test_each, verify,
                     verify_on_cpus)
from guest import Guest

SLOW = {"irqmode": 2, "completion_nsec": 20_000_000}
IDLE = 2	# seconds


@test_each(*KINDS)
def boot_from_it(bed, kind):
    """SeaBIOS has drivers of its own: they poll, with no MSI-X; split rings, the
    first request queue and no other; the first thing after a reset."""
    disk = bed.memory_disk()
    text = f"booted from vhost_{kind.name}"
    bootsector.write(disk.path, text)
    target = kind.target(bed, "--dev", disk.path)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"]) as guest:
        guest.wait_serial(text, 300)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)


@test_each(*KINDS, cpus=2, pollers="0-1")
def cold_plug(bed, kind):
    """There at the boot, with two vCPUs and pollers; QEMU gives it back and takes
    it again; the VM ends by itself."""
    queues, suffix, running = kind.two_cpus
    target, guest, disk = kind.in_guest(bed, "--dev", bed.nvme(), queues=queues,
                                        suffix=suffix, fresh=True, cpus=2)
    expect(target.show()["nr_running_queues"] >= running, f"queues: {target.show()}")
    verify(guest, disk)
    verify_on_cpus(guest, disk)
    for queue in range(queues):
        ops = target.stat(queue)["ops"]
        expect(ops["read"] and ops["write"], f"queue {queue}: {ops}")
    no_errors(target)
    unplug(guest, target)
    expect(not kind.find(guest, target), "the disk is still there")
    plug(guest, target)
    verify(guest, kind.disk(guest, target), depths=(32,), size="1M")
    no_errors(target)
    expect_equal(guest.poweroff(), 0, "exit code of QEMU")


@test_each(*KINDS)
def hot_plug(bed, kind):
    target = kind.target(bed, "--dev", bed.memory_disk().path)
    guest = bed.guest()
    for _ in range(2):
        plug(guest, target)
        verify(guest, kind.disk(guest, target), depths=(32,), size="1M")
        unplug(guest, target)
        expect(not kind.find(guest, target), "the disk is still there")
    no_errors(target)


@test_each(*KINDS)
def verify_file(bed, kind):
    target, guest, disk = kind.in_guest(bed, "--file", bed.file())
    verify(guest, disk)
    no_errors(target)


@test_each(*KINDS)
def verify_4096(bed, kind):
    target, guest, disk = kind.in_guest(bed, "--dev", bed.memory_disk(blocksize=4096).path)
    expect_equal(guest.check(f"blockdev --getss --getpbsz {disk}").split(),
                 ["4096", "4096"], "block sizes")
    verify(guest, disk, depths=(32,))
    no_errors(target)


def reset(kind, guest, target):
    """(its disk, the errors that nobody has seen)"""
    guest.reboot()
    return kind.disk(guest, target), errors(target) if kind.fails_at_reset else {}


@test_each(*KINDS)
def reboot(bed, kind):
    """What was written and flushed is there after a reset; I/O goes on after one
    in the middle of I/O."""
    target, guest, disk = kind.in_guest(bed, "--dev", bed.memory_disk().path)
    guest.check(f"mkfs.ext4 -q -F {disk} 256M && modprobe ext4 && mkdir -p /m && "
                f"mount -t ext4 {disk} /m && cp /bin/busybox /m/ && sync")
    no_errors(target)
    disk, before = reset(kind, guest, target)
    guest.check(f"e2fsck -fp {disk}; [ $? -lt 2 ] && modprobe ext4 && mkdir -p /m && "
                f"mount -t ext4 {disk} /m && cmp /bin/busybox /m/busybox && umount /m",
                timeout=300)
    Background(guest, vt.fio(disk, "randrw", size="64M", runtime=600, time_based=1))
    wait_moving(target)
    no_errors(target, before)
    disk, before = reset(kind, guest, target)
    verify(guest, disk, depths=(32,), size="1M")
    no_errors(target, before)


@test_each(*KINDS)
def in_use(bed, kind):
    """Neither deleted, nor another VM's."""
    target, guest, disk = kind.in_guest(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="2M"))
    wait_moving(target)
    for _ in range(3):
        text = refused(1, "delete", "disk")
        expect("attached" in text, text)
    cannot_start("Device or resource busy", target.qemu_arg)
    wait_moving(target)
    job.end()
    no_errors(target)


@test_each(*KINDS)
def two_guests(bed, kind):
    """Both on one poller, at once."""
    jobs = []
    for name, kwargs in (("one", {}), ("two", {"mem": 384, "name": "two"})):
        target = kind.target(bed, "--dev", bed.memory_disk(f"mem-{name}").path, name=name)
        jobs.append((target, bed.guest(target, **kwargs)))
    expect_equal(len(vt.pollers()), 1, "pollers")
    running = [Background(guest, vt.fio_verify(kind.disk(guest, target), size="2M"))
               for target, guest in jobs]
    for job in running:
        job.good()
    for target, _ in jobs:
        no_errors(target)


@test_each(*KINDS)
def stop_and_continue(bed, kind):
    target, guest, disk = kind.in_guest(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="2M"))
    for _ in range(5):
        wait_moving(target)
        guest.qmp("stop")
        if not kind.stops_with_vm:
            vt.wait_for("the device at rest", lambda: at_rest(target))
        stat = target.stat()
        expect_equal(stat["inflight"], 0, "requests in flight after stop")
        if kind.stop_ends_session:
            expect_equal(target.show()["nr_sessions"], 0, "sessions after stop")
        expect_equal(target.stat()["ops"], stat["ops"], "requests after stop")
        guest.qmp("cont")
    job.end()
    no_errors(target)


def sleeps(target):
    """Idle, nobody looks: neither the poller nor a counter moves."""
    vt.wait_asleep()
    poller, stat = vt.pollers()[0], target.stat()
    with CpuStat(poller["pid"]) as cpu:
        time.sleep(IDLE)
    after = vt.pollers()[0]
    expect_equal(poller["nr_active"], 0, "queues looked at")
    expect_equal(cpu.cpu_seconds, 0, "CPU time")
    expect_equal((cpu.voluntary, cpu.involuntary), (0, 0), "context switches")
    for key in ("loops", "sleeps", "busy_ns", "idle_ns"):
        expect_equal(after[key], poller[key], key)
    expect_equal(target.stat(), stat, "counters")
    expect(vt.asleep(), "the poller is awake")


def sleep_and_wake(bed, kind, *args):
    """One request, by itself, wakes the poller."""
    target, guest, disk = kind.in_guest(bed, *args)
    guest_fio(guest, vt.fio(disk, "randread", number_ios=500))
    sleeps(target)
    for _ in range(5):
        before = vt.pollers()[0]["sleeps"]
        guest_fio(guest, vt.fio(disk, "randread", iodepth=1, number_ios=1))
        vt.wait_asleep()
        expect(vt.pollers()[0]["sleeps"] > before, "it was awake")


@test_each(*KINDS, idle_us=200)
def sleeps_and_wakes(bed, kind):
    sleep_and_wake(bed, kind, "--dev", bed.null_blk(irqmode=1).path)


# Last: the next test must boot its guest.
@test_each(*KINDS)
def killed(bed, kind):
    """QEMU dies with I/O in flight: everything comes back."""
    slow = bed.null_blk("slow", **SLOW)
    target = kind.target(bed, "--dev", slow.path)
    for _ in range(2):
        guest = bed.guest(target)
        disk = kind.disk(guest, target)
        guest_fio(guest, vt.fio(disk, "randread", number_ios=64))
        Background(guest, vt.fio(disk, "randread", runtime=600, time_based=1))
        vt.wait_for("I/O in flight", lambda: target.stat()["inflight"] > 0)
        guest.close()
        wait_detached(target)
        expect_equal(target.stat()["inflight"], 0, "requests in flight")
    target.delete()
    vt.unload()
    vt.load(bed.driver)
    bed.fault("QEMU killed (SIGKILL) with I/O in flight",
              f"{kind.name}: all given back, modules unloaded")
