# SPDX-License-Identifier: GPL-2.0
"""Stock QEMU's vhost-scsi-pci: what a VM does in its life."""

import os
import time

import bootsector
import vt
from bed import (Background, Fail, Repeated, Skip, expect, expect_equal, guest_fio, refused,
                 test, wait_moving)
from guest import Guest, GuestError
from qmp import QmpError

PACKED = 34	# VIRTIO_F_RING_PACKED
SLOW = {"irqmode": 2, "completion_nsec": 20_000_000}


class Target(vt.Target):
    """A scsi target; LUN 0 as vhostctl create says."""

    def __init__(self, name, *args):
        super().__init__(name, *args, kind="scsi")

    @property
    def qemu_arg(self):
        return f"vhost-scsi-pci,wwpn={self.made['wwpn']}"


def make(bed, *args, name="san", queues=1):
    target = Target(name, *args, "--queues", queues)
    bed.callback(bed._delete, target)
    return target


def find_lun(guest, lun):
    """The guest's disk on a LUN, or ''."""
    linux = lun if lun < 256 else 0x4000 | lun
    return guest.check(f"ls /sys/class/scsi_disk/*:0:0:{linux}/device/block "
                       "2>/dev/null || true").strip()


def disk_of(guest, lun=0):
    return "/dev/" + vt.wait_for(f"LUN {lun} in the guest",
                                 lambda: find_lun(guest, lun))


def size_of(guest, disk):
    return int(guest.check(f"blockdev --getsize64 {disk}"))


def verify(guest, disk, depths=(1, 32), size="4M"):
    for depth in depths:
        guest_fio(guest, vt.fio_verify(disk, iodepth=depth,
                                       size="512k" if depth == 1 else size))


def no_errors(target):
    stat = target.stat()
    expect(not any(stat["errors"].values()) and not stat["ring_errors"]
           and not stat["invalid"], f"counters: {stat}")


def simple(bed, *args, suffix="", **kwargs):
    """(target, guest, its disk)"""
    target = make(bed, *args)
    guest = bed.guest(target, suffix=suffix, **kwargs)
    return target, guest, disk_of(guest)


def hotplug_suffix():
    """QEMU 10 never offers hot-plug on vhost-scsi-pci, 11 if asked."""
    if "hotplug" in vt.run("qemu-system-x86_64", "-device", "vhost-scsi-pci,help"):
        return ",hotplug=on"
    return ""


def cannot_start(why, qemu_arg):
    """QEMU ends when its guest's driver starts the device, and says why."""
    try:
        with Guest(["-device", qemu_arg], mem=384, name="second"):
            raise Fail("QEMU started")
    except GuestError as err:
        expect(why in str(err), f"QEMU said: {err}")


@test()
def boot_from_it(bed):
    """SeaBIOS: the first request queue and no other, polling."""
    disk = bed.memory_disk()
    text = "booted from vhost_scsi"
    bootsector.write(disk.path, text)
    target = make(bed, "--dev", disk.path)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"]) as guest:
        vt.wait_for("the boot sector's text", lambda: text in guest.serial_text(), 300)
    expect(target.stat()["ops"]["read"] > 0, f"counters: {target.stat()}")
    no_errors(target)


@test()
def verify_nvme(bed):
    target, guest, disk = simple(bed, "--dev", bed.nvme(), "--serial", "nvme-serial",
                                 fresh=True)
    verify(guest, disk)
    text = guest.check(f"sg_inq -p 0x80 {disk}")
    expect("nvme-serial" in text, text)
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


@test()
def packed(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path,
                                 suffix=",packed=on")
    bits = guest.check("cat /sys/bus/virtio/drivers/virtio_scsi/virtio*/features")
    expect_equal(bits[PACKED], "1", "packed rings")
    verify(guest, disk, depths=(32,))
    no_errors(target)


@test(pollers="0-1")
def more_queues_than_offered(bed):
    """The number of queues is QEMU's, as with the kernel's own target."""
    target = make(bed, "--dev", bed.memory_disk().path, queues=1)
    guest = bed.guest(target, cpus=2, suffix=",num_queues=4")
    disk = disk_of(guest)
    expect(target.show()["nr_running_queues"] >= 4, f"{target.show()}")
    for cpu in (0, 1):
        guest_fio(guest, vt.fio_verify(disk, size="1M", cpus_allowed=cpu,
                                       offset=f"{2 * cpu}M"))
    no_errors(target)


@test()
def worker_per_queue(bed):
    """Workers are accepted; pollers serve."""
    if "worker_per_virtqueue" not in vt.run("qemu-system-x86_64", "-device",
                                            "vhost-scsi-pci,help"):
        raise Skip("this QEMU has no workers")
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path,
                                 suffix=",worker_per_virtqueue=on,num_queues=2")
    verify(guest, disk, depths=(32,), size="1M")
    no_errors(target)


@test()
def reboot(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    verify(guest, disk, depths=(32,), size="1M")
    guest.reboot()
    disk = disk_of(guest)
    Background(guest, vt.fio(disk, "randrw", size="64M", runtime=600, time_based=1))
    wait_moving(target)
    guest.reboot()
    disk = disk_of(guest)
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
        disk = disk_of(guest)
        guest_fio(guest, vt.fio(disk, "randread", number_ios=64))
    guest.close()
    vt.wait_for("the end of the session", lambda: not target.show()["nr_sessions"], 60)
    target.delete()
    vt.unload()
    vt.load(bed.driver)


@test()
def stop_and_continue(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="4M"))
    for _ in range(5):
        wait_moving(target)
        guest.qmp("stop")
        stat = target.stat()
        expect_equal(stat["inflight"], 0, "requests in flight after stop")
        expect_equal(target.show()["nr_sessions"], 0, "sessions after stop")
        expect_equal(target.stat()["ops"], stat["ops"], "requests after stop")
        guest.qmp("cont")
    job.end()
    no_errors(target)


@test()
def in_use(bed):
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="2M"))
    wait_moving(target)
    text = refused(1, "delete", "san")
    expect("attached" in text, text)
    cannot_start("Device or resource busy", target.qemu_arg)
    wait_moving(target)
    job.end()
    no_errors(target)


@test()
def luns(bed):
    """As many as there are, whatever their numbers."""
    target = make(bed)
    for lun in (0, 1, 255, 256, 16383):
        vt.ctl("lun", "add", "san", lun, "--null", f"{lun + 1}M")
    guest = bed.guest(target)
    for lun in (0, 1, 255, 256, 16383):
        expect_equal(size_of(guest, disk_of(guest, lun)), (lun + 1) << 20,
                     f"bytes of LUN {lun}")
    no_errors(target)


def rescan(guest):
    guest.check("for h in /sys/class/scsi_host/host*; do echo - - - >$h/scan; done")


@test()
def hot_plug(bed):
    """LUNs come and go under a running VM with I/O on another."""
    suffix = hotplug_suffix()
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path, suffix=suffix)
    job = Background(guest, vt.fio_verify(disk, size="8M"))
    for _ in range(3):
        vt.ctl("lun", "add", "san", 5, "--dev", bed_disk(bed))
        if not suffix:
            rescan(guest)
        verify(guest, disk_of(guest, 5), depths=(32,), size="512k")
        vt.ctl("lun", "remove", "san", 5)
        if not suffix:
            # Without hot-plug it is for the guest to look.
            guest.check("echo 1 >/sys/class/scsi_device/*:0:0:5/device/delete")
        vt.wait_for("the LUN to go", lambda: not find_lun(guest, 5))
    job.good()
    expect_equal(target.stat()["ring_errors"], 0, "rings stopped")


def bed_disk(bed):
    """A second disk of memory, made once."""
    if not os.path.exists("/dev/plug0"):
        bed.memory_disk("plug0")
    return "/dev/plug0"


@test()
def resize(bed):
    suffix = hotplug_suffix()
    target, guest, disk = simple(bed, "--null", "1G", suffix=suffix)
    name = os.path.basename(disk)
    for size in (2 << 30, 3 << 30):
        vt.ctl("lun", "resize", "san", 0, "--size", size)
        if not suffix:
            guest.check(f"echo 1 >/sys/block/{name}/device/rescan")
        # With hot-plug the kernel is told; QEMU 11 offers that, not CHANGE.
        elif not told(guest, disk, size):
            guest.check(f"echo 1 >/sys/block/{name}/device/rescan")
            bed.note("this QEMU does not offer VIRTIO_SCSI_F_CHANGE")
        vt.wait_for(f"{size} bytes in the guest", lambda: size_of(guest, disk) == size)
    no_errors(target)


def told(guest, disk, size):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if size_of(guest, disk) == size:
            return True
        time.sleep(0.5)
    return False


@test()
def reset_by_the_guest(bed):
    """sg_reset: a LUN reset through the control queue, with I/O under way."""
    target, guest, disk = simple(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="4M"))
    for _ in range(3):
        wait_moving(target)
        guest.check(f"sg_reset --device {disk}")
    job.end()
    expect_equal(target.stat()["ring_errors"], 0, "rings stopped")


@test()
def migration_refused(bed):
    """No dirty log yet: QEMU must say so, whatever migratable= says."""
    lower = bed.memory_disk()
    for suffix in ("", ",migratable=on"):
        target, guest, disk = simple(bed, "--dev", lower.path, suffix=suffix)
        try:
            guest.qmp("migrate", uri="exec:cat >/dev/null")
        except QmpError as err:
            bed.note(f"migratable{suffix or ' not given'}: {err}")
        else:
            raise Fail(f"QEMU began to migrate{suffix}")
        verify(guest, disk, depths=(32,), size="512k")
        no_errors(target)
        guest.close()
        vt.wait_for("the end of the session",
                    lambda: not target.show()["nr_sessions"], 60)
        target.delete()


@test()
def unplugged_controller(bed):
    target = make(bed, "--dev", bed.memory_disk().path)
    guest = bed.guest()
    for _ in range(2):
        guest.qmp("device_add", driver="vhost-scsi-pci", id="hot",
                  wwpn=target.made["wwpn"])
        verify(guest, disk_of(guest), depths=(32,), size="512k")
        guest.qmp("device_del", id="hot")
        guest.wait_event("DEVICE_DELETED")
        vt.wait_for("the end of the session",
                    lambda: not target.show()["nr_sessions"], 60)
    no_errors(target)


@test()
def no_such_target(bed):
    cannot_start("No such device", "vhost-scsi-pci,wwpn=naa.5001405000000000")
