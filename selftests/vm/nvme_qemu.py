# SPDX-License-Identifier: GPL-2.0
"""Stock QEMU's vfio-pci on an NVMe target: the guest's own NVMe driver."""

import os
import time

import bootsector
import vt
from bed import (Background, Repeated, expect, expect_equal, guest_fio, no_merges,
                 refused, test, wait_moving)
from cpustat import CpuStat
from guest import Guest
from kvmstat import KvmStat

SLOW = {"irqmode": 2, "completion_nsec": 20_000_000}
# Long: a guest that is not scheduled for a while must not look like an idle one.
STEADY_US = 500000
IOS = 6000


def disk_of(guest, name):
    return vt.wait_for(f"the disk of {name}",
                       lambda: vt.guest_nvme(guest).get(name), 60)


def verify(guest, disk, depths=(1, 32), size="4M", **options):
    for depth in depths:
        guest_fio(guest, vt.fio_verify(disk, iodepth=depth,
                                       size="512k" if depth == 1 else size,
                                       **options))


def no_errors(target):
    stat = target.stat()
    expect(not any(stat["errors"].values()) and not stat["ring_errors"]
           and not stat["invalid"], f"counters: {stat}")


def simple(bed, *args, queues=1, **kwargs):
    """(target, guest, its disk)"""
    target = bed.nvme_target("disk", *args, queues=queues)
    guest = bed.guest(target, **kwargs)
    return target, guest, disk_of(guest, "disk")


def wait_detached(target):
    vt.wait_for("the end of the session",
                lambda: not target.show()["nr_sessions"], 60)


@test("vfio")
def verify_nvme(bed):
    target, guest, disk = simple(bed, "--dev", bed.nvme(), fresh=True)
    bed.note(guest.check("lspci -nn 2>/dev/null | grep -i nvme; "
                         "dmesg | grep -i nvme; nvme list"))
    verify(guest, disk)
    no_errors(target)
    expect_equal(guest.poweroff(), 0, "exit code of QEMU")


@test("vfio")
def no_dbbuf(bed):
    """Doorbells go through the mapped page only."""
    target, guest, disk = simple(bed, "--dev", bed.nvme(), "--no-dbbuf")
    verify(guest, disk)
    no_errors(target)


@test("vfio")
def reboot(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    verify(guest, disk, depths=(32,), size="1M")
    guest.reboot()
    disk = disk_of(guest, "disk")
    Background(guest, vt.fio(disk, "randrw", size="64M", runtime=600, time_based=1))
    wait_moving(target)
    no_errors(target)
    guest.reboot()
    # QEMU may remap the guest's memory before it resets the device: what was
    # under way then fails, and nobody is there to see it.
    before = target.stat()
    verify(guest, disk_of(guest, "disk"), depths=(32,), size="1M")
    after = target.stat()
    for key in ("errors", "ring_errors", "invalid"):
        expect_equal(after[key], before[key], key)


@test("vfio")
def killed(bed):
    """QEMU dies with I/O in flight: everything comes back."""
    slow = bed.null_blk("slow", **SLOW)
    target, guest, disk = simple(bed, "--dev", slow.path)
    for _ in range(2):
        Background(guest, vt.fio(disk, "randread", runtime=600, time_based=1))
        vt.wait_for("I/O in flight", lambda: target.stat()["inflight"] > 0)
        guest.close()
        wait_detached(target)
        expect_equal(target.stat()["inflight"], 0, "requests in flight")
        guest = bed.guest(target)
        disk = disk_of(guest, "disk")
        guest_fio(guest, vt.fio(disk, "randread", number_ios=64))
    guest.close()
    wait_detached(target)
    target.delete()
    vt.unload()
    vt.load(bed.driver)


@test("vfio")
def hot_unplug(bed):
    """QEMU gives the device back, and takes it again, while the guest runs."""
    target = bed.nvme_target("disk", "--dev", bed.memory_disk().path)
    guest = bed.enter_context(Guest(["-device", target.qemu_arg + ",id=n0"]))
    disk = disk_of(guest, "disk")
    verify(guest, disk, depths=(32,), size="1M")
    guest.qmp("device_del", id="n0")
    guest.wait_event("DEVICE_DELETED")
    wait_detached(target)
    expect("disk" not in vt.guest_nvme(guest), "the disk is still there")
    guest.qmp("device_add", driver="vfio-pci", sysfsdev=target.path, id="n1")
    disk = disk_of(guest, "disk")
    verify(guest, disk, depths=(32,), size="1M")
    no_errors(target)


@test("vfio")
def taken_back(bed):
    """Unbinding the driver asks QEMU, which unplugs the device."""
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    verify(guest, disk, depths=(32,), size="1M")
    vt.write("/sys/bus/vhost-nvme/drivers/vhost_target_vfio/unbind", "disk")
    expect_equal(target.show()["nr_sessions"], 0, "sessions")
    expect("disk" not in vt.guest_nvme(guest), "the disk is still there")
    vt.write("/sys/bus/vhost-nvme/drivers/vhost_target_vfio/bind", "disk")
    guest.qmp("device_add", driver="vfio-pci", sysfsdev=target.path, id="n1")
    verify(guest, disk_of(guest, "disk"), depths=(32,), size="1M")


@test("vfio")
def two_guests(bed):
    """Both on one poller, at once."""
    jobs = []
    for name in ("one", "two"):
        target = bed.nvme_target(name, "--dev", bed.memory_disk(f"mem-{name}").path)
        guest = bed.guest(target, mem=384, name=name)
        jobs.append((target, guest))
    running = [Background(guest, vt.fio_verify(disk_of(guest, target.name), size="4M"))
               for target, guest in jobs]
    for job in running:
        job.good()
    for target, _ in jobs:
        no_errors(target)


@test("vfio")
def delete_while_attached(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    job = Background(guest, vt.fio_verify(disk, size="4M"))
    wait_moving(target)
    text = refused(1, "delete", "disk")
    expect("attached" in text, text)
    job.good()
    no_errors(target)


@test("vfio", pollers="0-1")
def many_queues(bed):
    target, guest, disk = simple(bed, "--dev", bed.nvme(), queues=2, cpus=2)
    for cpu in (0, 1):
        guest_fio(guest, vt.fio_verify(disk, size="2M", cpus_allowed=cpu,
                                       offset=f"{2 * cpu}M"))
    for queue in (0, 1):
        ops = target.stat(queue)["ops"]
        expect(ops["read"] and ops["write"], f"queue {queue}: {ops}")


@test("vfio")
def boot_from_it(bed):
    """SeaBIOS has an NVMe driver of its own: polling, no MSI-X."""
    disk = bed.memory_disk()
    text = "booted from vhost_nvme"
    bootsector.write(disk.path, text)
    target = bed.nvme_target("disk", "--dev", disk.path)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"]) as guest:
        vt.wait_for("the boot sector's text", lambda: text in guest.serial_text(), 300)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)


@test("vfio")
def pin_interrupts(bed):
    """No MSI-X: the pin, masked and unmasked at every interrupt."""
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path,
                                 append="pci=nomsi")
    text = guest.check("grep nvme /proc/interrupts")
    expect("IO-APIC" in text or "XT-PIC" in text, text)
    verify(guest, disk, size="1M")
    no_errors(target)


@test("vfio", idle_us=200)
def sleeps_and_wakes(bed):
    """Idle, nobody looks; one doorbell, through the page, wakes the poller."""
    for words in ((), ("--no-dbbuf",)):
        target = bed.nvme_target("disk", "--null", "1G", *words)
        guest = bed.guest(target)
        disk = disk_of(guest, "disk")
        guest_fio(guest, vt.fio(disk, "randread", number_ios=500))
        time.sleep(2)
        poller = vt.pollers()[0]
        expect_equal(poller["nr_active"], 0, "queues looked at")
        with CpuStat(poller["pid"]) as cpu:
            time.sleep(3)
        after = vt.pollers()[0]
        expect_equal(cpu.cpu_seconds, 0, "CPU time")
        expect_equal((cpu.voluntary, cpu.involuntary), (0, 0), "context switches")
        expect_equal(after["loops"], poller["loops"], "loops")
        # One at a time, with the poller asleep in between.
        for _ in range(5):
            before = vt.pollers()[0]["sleeps"]
            guest_fio(guest, vt.fio(disk, "randread", iodepth=1, number_ios=1))
            vt.wait_for("the poller asleep", lambda: not
                        vt.pollers()[0]["nr_active"], 30)
            expect(vt.pollers()[0]["sleeps"] > before, "it was awake")
        guest.close()
        wait_detached(target)
        target.delete()


def doorbell_exits(bed, *words):
    """Exits for doorbells, of a busy guest, for each I/O."""
    null = bed.null_blk(irqmode=1)
    target, guest, disk = simple(bed, "--dev", null.path, *words)
    cmd = vt.fio(disk, "randread", number_ios=IOS, size="4G", norandommap=1, thread=1)
    no_merges(guest, disk)
    guest_fio(guest, cmd.replace(str(IOS), "500"))
    with KvmStat(guest.pid) as kvm, vt.StatDelta(target) as stat:
        guest_fio(guest, cmd)
    expect(stat.ops >= IOS, f"{stat.ops} I/Os")
    bed.note(f"{stat.ops} I/Os: {stat['kicks']} doorbells trapped, "
             f"{kvm['mmio_exits']} MMIO exits, {kvm['pf_mmio_spte_created']} MMIO faults, "
             f"{kvm['exits']} exits, {stat['calls']} interrupts, {stat['sleeps']} sleeps")
    most = 0.01 * stat.ops
    expect(stat["kicks"] <= most, f"{stat['kicks']} doorbells trapped")
    expect(kvm["mmio_exits"] <= most, f"{kvm['mmio_exits']} MMIO exits")
    no_errors(target)


@test("vfio", idle_us=STEADY_US)
def doorbells_shadow(bed):
    doorbell_exits(bed)


@test("vfio", idle_us=STEADY_US)
def doorbells_page(bed):
    doorbell_exits(bed, "--no-dbbuf")


@test("vfio")
def stop_and_continue(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="2M"))
    for _ in range(3):
        wait_moving(target)
        guest.qmp("stop")
        guest.qmp("cont")
    job.end()
    no_errors(target)


@test("vfio")
def attach_twice(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    group = os.path.basename(os.readlink(f"{target.path}/iommu_group"))
    try:
        os.close(os.open(f"/dev/vfio/{group}", os.O_RDWR))
    except OSError as err:
        bed.note(f"second open: {err}")
    else:
        expect(False, "the group opened twice")
    verify(guest, disk, depths=(32,), size="1M")
