# SPDX-License-Identifier: GPL-2.0
"""What a VMM, or its host, does to the memory and the process of a VM in use."""

import signal
import time

import vt
from bed import Repeated, expect, expect_equal, guest_fio, refused, wait_moving
from devices import BLK, KINDS, NVME, at_rest, no_errors, test_each, verify


@test_each(*KINDS)
def stopped_by_a_signal(bed, kind):
    """SIGSTOP: what is under way ends, the poller sleeps, nobody is let go."""
    target, guest, disk = kind.in_guest(bed, "--dev", bed.memory_disk().path)
    job = Repeated(guest, vt.fio_verify(disk, size="2M"))
    for _ in range(3):
        wait_moving(target)
        guest.kill(signal.SIGSTOP)
        try:
            vt.wait_for("the device at rest", lambda: at_rest(target))
            vt.wait_asleep()
            expect_equal(target.show()["nr_sessions"], 1, "sessions")
            refused(1, "delete", "disk")
        finally:
            guest.kill(signal.SIGCONT)
    job.end()
    no_errors(target)
    bed.fault("QEMU stopped by SIGSTOP under I/O",
              f"{kind.name}: a pause; all was verified, no error counted")


def all_move(targets):
    for target in targets:
        wait_moving(target)


@test_each(NVME, driver=BLK.driver, turn=0)
def memory_comes_and_goes(bed, _):
    """A module of memory is plugged and taken away, a balloon grows and shrinks: with
    a disk of each type in one guest."""
    bed.callback(vt.unload)
    vt.load_nvme()
    targets = [kind.target(bed, "--dev", bed.memory_disk(f"mem-{kind.name}").path,
                           name=kind.name) for kind in KINDS]
    guest = bed.guest(*targets, mem="384,slots=2,maxmem=2G",
                      append="memhp_default_state=online_movable")
    disks = [kind.disk(guest, target) for kind, target in zip(KINDS, targets)]
    jobs = [Repeated(guest, vt.fio_verify(disk, size="512k")) for disk in disks]
    before = memory_of(guest)
    all_move(targets)
    guest.monitor("object_add memory-backend-ram,id=more,size=128M")
    text = guest.monitor("device_add pc-dimm,id=dimm,memdev=more")
    expect("Error" not in text, text)
    vt.wait_for("more memory", lambda: memory_of(guest) > before)
    # Movable memory comes first: fio's buffers are there.
    for disk in disks:
        guest_fio(guest, vt.fio_verify(disk, size="512k", offset="64M"))
    vt.wait_for("the module's end", lambda: gone(guest), 300)
    guest.monitor("object_del more")
    vt.wait_for("less memory", lambda: memory_of(guest) == before)

    guest.check("modprobe virtio_balloon")
    guest.monitor("device_add virtio-balloon-pci,id=balloon")
    for mib in (360, 384):
        all_move(targets)
        guest.monitor(f"balloon {mib}")
        vt.wait_for(f"{mib} MiB", lambda mib=mib: f"actual={mib}" in
                    guest.monitor("info balloon"))
    all_move(targets)
    for job in jobs:
        job.end()
    for target in targets:
        no_errors(target)
    bed.fault("memory plugged, unplugged, ballooned away and back under I/O",
              "blk, scsi, nvme: nothing; all was verified, no error counted")


def gone(guest):
    """A guest that is using a page of it may refuse: it is asked again."""
    if guest.qmp("query-memory-devices"):
        guest.monitor("device_del dimm")
        time.sleep(1)
    return not guest.qmp("query-memory-devices")


def memory_of(guest):
    return sum(text == "online" for text in guest.check(
        "cat /sys/devices/system/memory/memory*/state").split())
