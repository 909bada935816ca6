# SPDX-License-Identifier: GPL-2.0
"""What a VM does in its life with a device of each type, in stock QEMU."""

import time

import bootsector
import vt
from bed import (Background, Repeated, expect, expect_equal, guest_fio, plug, refused,
                 unplug, wait_detached, wait_moving)
from cpustat import CpuStat
from devices import (KINDS, Made, cannot_start, errors, no_errors, one_of_each, test_each,
                     test_together, verify, verify_on_cpus)
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
        vt.wait_for("the boot sector's text", lambda: text in guest.serial_text(), 300)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)


@test_together(cpus=2, pollers="0-1")
def cold_plug(bed):
    """There at the boot, with two vCPUs and pollers; QEMU gives them back and takes
    them again; the VM ends by itself."""
    made = []
    for number, kind in enumerate(KINDS):
        queues, suffix, running = kind.two_cpus
        one = Made(kind, kind.target(bed, "--dev", bed.nvme(number), name=kind.name,
                                     queues=queues, suffix=suffix))
        made.append((one, queues, running))
    guest = bed.guest(*(one.target for one, _, _ in made), fresh=True, cpus=2)
    for one, queues, running in made:
        disk, target = one.disk(guest), one.target
        expect(target.show()["nr_running_queues"] >= running, f"queues: {target.show()}")
        verify(guest, disk)
        verify_on_cpus(guest, disk)
        for queue in range(queues):
            ops = target.stat(queue)["ops"]
            expect(ops["read"] and ops["write"], f"queue {queue}: {ops}")
        no_errors(target)
        unplug(guest, target)
        expect(not one.find(guest), f"the {one.kind.name} disk is still there")
    for one, _, _ in made:
        plug(guest, one.target)
        verify(guest, one.disk(guest), depths=(32,), size="1M")
        no_errors(one.target)
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


def reset(guest, made):
    """Errors there may be: {name: those that nobody has seen}."""
    guest.reboot()
    return {one.target.name: errors(one.target) for one in made if one.kind.fails_at_reset}


@test_together()
def reboot(bed):
    """What was written and flushed is there after a reset; I/O goes on after one
    in the middle of I/O."""
    made = one_of_each(bed, lambda _, name: bed.memory_disk(f"mem-{name}").path)
    guest = bed.guest(*(one.target for one in made))
    for one in made:
        disk, top = one.disk(guest), f"/m-{one.kind.name}"
        guest.check(f"mkfs.ext4 -q -F {disk} 256M && modprobe ext4 && mkdir -p {top} && "
                    f"mount -t ext4 {disk} {top} && cp /bin/busybox {top}/ && sync")
        no_errors(one.target)
    before = reset(guest, made)
    for one in made:
        disk = one.disk(guest)
        guest.check(f"e2fsck -fp {disk}; [ $? -lt 2 ] && modprobe ext4 && mkdir -p /m && "
                    f"mount -t ext4 {disk} /m && cmp /bin/busybox /m/busybox && umount /m",
                    timeout=300)
        Background(guest, vt.fio(disk, "randrw", size="64M", runtime=600, time_based=1))
    for one in made:
        wait_moving(one.target)
        no_errors(one.target, before.get(one.target.name))
    before = reset(guest, made)
    for one in made:
        verify(guest, one.disk(guest), depths=(32,), size="1M")
        no_errors(one.target, before.get(one.target.name))


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


@test_together()
def two_guests(bed):
    """All on one poller, at once."""
    guests = []
    for name, kwargs in (("one", {}), ("two", {"mem": 384, "name": "two"})):
        made = one_of_each(bed, lambda _, name: bed.memory_disk(f"mem-{name}").path, name)
        guests.append((bed.guest(*(one.target for one in made), **kwargs), made))
    expect_equal(len(vt.pollers()), 1, "pollers")
    running = [Background(guest, vt.fio_verify(one.disk(guest), size="2M"))
               for guest, made in guests for one in made]
    for job in running:
        job.good()
    for _, made in guests:
        for one in made:
            no_errors(one.target)


def at_rest(target):
    stat = target.stat()
    return not stat["inflight"] and target.stat()["ops"] == stat["ops"]


def expect_stopped(one):
    """Nothing is under way, and nothing moves."""
    target = one.target
    if not one.kind.stops_with_vm:
        vt.wait_for("the device at rest", lambda: at_rest(target))
    stat = target.stat()
    expect_equal(stat["inflight"], 0, "requests in flight after stop")
    if one.kind.stop_ends_session:
        expect_equal(target.show()["nr_sessions"], 0, "sessions after stop")
    expect_equal(target.stat()["ops"], stat["ops"], "requests after stop")


@test_together()
def stop_and_continue(bed):
    made = one_of_each(bed, lambda _, name: bed.memory_disk(f"mem-{name}").path)
    guest = bed.guest(*(one.target for one in made))
    jobs = [Repeated(guest, vt.fio_verify(one.disk(guest), size="2M")) for one in made]
    for _ in range(5):
        for one in made:
            wait_moving(one.target)
        guest.qmp("stop")
        for one in made:
            expect_stopped(one)
        guest.qmp("cont")
    for one, job in zip(made, jobs):
        job.end()
        no_errors(one.target)


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
@test_together()
def killed(bed):
    """QEMU dies with I/O in flight: everything comes back."""
    made = one_of_each(bed, lambda _, name: bed.null_blk(f"slow-{name}", **SLOW).path)
    for _ in range(2):
        guest = bed.guest(*(one.target for one in made))
        for one in made:
            guest_fio(guest, vt.fio(one.disk(guest), "randread", number_ios=64))
            Background(guest, vt.fio(one.disk(guest), "randread", runtime=600, time_based=1))
        for one in made:
            vt.wait_for(f"{one.kind.name} I/O in flight",
                        lambda one=one: one.target.stat()["inflight"] > 0)
        guest.close()
        for one in made:
            wait_detached(one.target)
            expect_equal(one.target.stat()["inflight"], 0, "requests in flight")
    for one in made:
        one.target.delete()
    vt.unload()
    vt.load(bed.driver)
