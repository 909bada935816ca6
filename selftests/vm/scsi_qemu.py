# SPDX-License-Identifier: GPL-2.0
"""Stock QEMU's vhost-scsi-pci: what a guest can do with its LUNs."""

import os

import bootsector
import scsi
import vt
from bed import (Background, Fail, Repeated, Skip, expect, expect_equal, guest_fio, test,
                 unplug, wait_moving)
from devices import SCSI, cannot_start, no_errors, size_of, verify
from guest import Guest
from qmp import QmpError

HOTPLUG = 1	# VIRTIO_SCSI_F_HOTPLUG
PACKED = 34	# VIRTIO_F_RING_PACKED


def hotplug_suffix():
    """QEMU 10 never offers hot-plug on vhost-scsi-pci, 11 if asked."""
    if "hotplug" in vt.run("qemu-system-x86_64", "-device", "vhost-scsi-pci,help"):
        return ",hotplug=on"
    return ""


def features(guest):
    return guest.check("cat /sys/bus/virtio/drivers/virtio_scsi/virtio*/features")


@test()
def serial(bed):
    _, guest, disk = SCSI.in_guest(bed, "--null", "1G", "--serial", "S/N-1234567")
    text = guest.check(f"sg_inq -p 0x80 {disk}")
    expect("S/N-1234567" in text, text)


@test()
def packed(bed):
    target, guest, disk = SCSI.in_guest(bed, "--dev", bed.memory_disk().path,
                                        suffix=",packed=on")
    expect_equal(features(guest)[PACKED], "1", "packed rings")
    verify(guest, disk, depths=(32,))
    no_errors(target)


@test()
def worker_per_queue(bed):
    """Workers are accepted; pollers serve."""
    if "worker_per_virtqueue" not in vt.run("qemu-system-x86_64", "-device",
                                            "vhost-scsi-pci,help"):
        raise Skip("this QEMU has no workers")
    target, guest, disk = SCSI.in_guest(bed, "--dev", bed.memory_disk().path,
                                        suffix=",worker_per_virtqueue=on,num_queues=2")
    verify(guest, disk, depths=(32,), size="1M")
    no_errors(target)


@test()
def luns(bed):
    """As many as there are, whatever their numbers."""
    target = SCSI.target(bed)
    for lun in (0, 1, 255, 256, 16383):
        vt.ctl("lun", "add", "disk", lun, "--null", f"{lun + 1}M")
    guest = bed.guest(target)
    for lun in (0, 1, 255, 256, 16383):
        expect_equal(size_of(guest, SCSI.lun(guest, lun)), (lun + 1) << 20,
                     f"bytes of LUN {lun}")
    no_errors(target)


def rescan(guest):
    guest.check("for h in /sys/class/scsi_host/host*; do echo - - - >$h/scan; done")


@test()
def hot_plug_of_luns(bed):
    """LUNs come and go under a running VM with I/O on another."""
    suffix = hotplug_suffix()
    target, guest, disk = SCSI.in_guest(bed, "--dev", bed.memory_disk().path, suffix=suffix)
    plugged = bed.memory_disk("plug0").path
    job = Background(guest, vt.fio_verify(disk, size="8M"))
    for _ in range(3):
        vt.ctl("lun", "add", "disk", 5, "--dev", plugged)
        if not suffix:
            rescan(guest)
        verify(guest, SCSI.lun(guest, 5), depths=(32,), size="512k")
        vt.ctl("lun", "remove", "disk", 5)
        if not suffix:
            # Without hot-plug it is for the guest to look.
            guest.check("echo 1 >/sys/class/scsi_device/*:0:0:5/device/delete")
        vt.wait_for("the LUN to go", lambda: not SCSI.find_lun(guest, 5))
    job.good()
    expect_equal(target.stat()["ring_errors"], 0, "rings stopped")


@test()
def resize(bed):
    suffix = hotplug_suffix()
    target, guest, disk = SCSI.in_guest(bed, "--null", "1G", suffix=suffix)
    # With hot-plug QEMU 11 passes events on; QEMU 10 has none.
    told = features(guest)[HOTPLUG] == "1"
    expect_equal(told, bool(suffix), "hot-plug")
    if not told:
        bed.note("this QEMU does not offer VIRTIO_SCSI_F_HOTPLUG")
    for size in (2 << 30, 3 << 30):
        vt.ctl("lun", "resize", "disk", 0, "--size", size)
        if not told:
            guest.check(f"echo 1 >/sys/block/{os.path.basename(disk)}/device/rescan")
        vt.wait_for(f"{size} bytes in the guest", lambda: size_of(guest, disk) == size)
    no_errors(target)
    bed.fault("device grown, and the target told (vhostctl resize)",
              "scsi: the new size" + ("" if told else ", when it looked"))


class Vdpa(scsi.Target):
    """A target which QEMU has by vDPA."""

    @property
    def qemu_arg(self):
        return f"vhost-vdpa-device-pci,vhostdev={self.node}"


@test()
def luns_of_a_stopped_vm(bed):
    """To stop a vDPA device QEMU resets it: no session is there to be told."""
    target = bed.keep(Vdpa("disk", "--null", "1G", "--vdpa"))
    guest = bed.guest(target)
    disk = SCSI.disk(guest, target)
    guest_fio(guest, vt.fio(disk, "randread", number_ios=100))
    guest.monitor("stop")
    vt.ctl("lun", "add", "disk", 1, "--null", "64M")
    guest.monitor("cont")
    SCSI.lun(guest, 1)
    guest.monitor("stop")
    guest.monitor("cont")
    guest.monitor("stop")
    vt.ctl("lun", "remove", "disk", 1)
    guest.monitor("cont")
    vt.wait_for("LUN 1 gone", lambda: not SCSI.find_lun(guest, 1), 60)
    guest_fio(guest, vt.fio(disk, "randread", number_ios=100))
    no_errors(target)


@test()
def reset_by_the_guest(bed):
    """sg_reset: a LUN reset through the control queue, with I/O under way."""
    target, guest, disk = SCSI.in_guest(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="2M"))
    for _ in range(3):
        wait_moving(target)
        guest.check(f"sg_reset --device {disk}")
    job.end()
    expect_equal(target.stat()["ring_errors"], 0, "rings stopped")


@test()
def stopped_by_the_guest(bed):
    """START STOP UNIT at a shutdown, as Windows sends it: SeaBIOS boots from the disk
    the next time, though it knows of no START."""
    disk, text = bed.memory_disk(), "booted from what was stopped"
    bootsector.write(disk.path, text)
    target, guest, name = SCSI.in_guest(bed, "--dev", disk.path)
    guest.check(f"sg_raw {name} 1b 00 00 00 00 00")
    expect(guest.run(f"sg_raw {name} 00 00 00 00 00 00")[0], "it is ready")
    unplug(guest, target)
    with Guest.boot_from_disk(["-device", target.qemu_arg + ",bootindex=1"]) as firmware:
        firmware.wait_serial(text, 300)
    no_errors(target)


def cache_type(guest, disk):
    """As the disk says it now."""
    top = f"/sys/block/{os.path.basename(disk)}/device"
    return guest.check(f"echo 1 >{top}/rescan; cat {top}/scsi_disk/*/cache_type").strip()


@test()
def cache_turned_off(bed):
    """It stays off while the VM is stopped, and is on again after a reset: a driver
    that goes on would not learn that it has to flush."""
    target, guest, disk = SCSI.in_guest(bed, "--dev",
                                        bed.memory_disk(cache_size=16).path)
    expect_equal(cache_type(guest, disk), "write back", "cache at first")
    guest.check("echo write through >/sys/block/"
                f"{os.path.basename(disk)}/device/scsi_disk/*/cache_type")
    expect_equal(cache_type(guest, disk), "write through", "cache turned off")
    guest.qmp("stop")
    guest.qmp("cont")
    expect_equal(cache_type(guest, disk), "write through", "cache after stop and cont")
    guest.reboot()
    disk = SCSI.disk(guest, target)
    expect_equal(cache_type(guest, disk), "write back", "cache after a reset")
    no_errors(target)


@test()
def migration_refused(bed):
    """No dirty log yet: QEMU must say so, whatever migratable= says."""
    lower = bed.memory_disk()
    for suffix in ("", ",migratable=on"):
        target, guest, disk = SCSI.in_guest(bed, "--dev", lower.path, suffix=suffix)
        try:
            guest.qmp("migrate", uri="exec:cat >/dev/null")
        except QmpError as err:
            bed.note(f"migratable{suffix or ' not given'}: {err}")
        else:
            raise Fail(f"QEMU began to migrate{suffix}")
        verify(guest, disk, depths=(32,), size="512k")
        no_errors(target)
        unplug(guest, target)
        target.delete()


@test()
def no_such_target(bed):
    cannot_start("No such device", "vhost-scsi-pci,wwpn=naa.5001405000000000")
