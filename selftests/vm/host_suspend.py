# SPDX-License-Identifier: GPL-2.0
"""A host is suspended while targets are in use."""

import json
import os
import re
import shlex
import time

import splats
import vt
from bed import Background, Skip, expect, expect_equal, test, wait_moving
from devices import HOST, no_errors
from guest import Guest
from tarball import modules_with, put

# What a suspend goes through: so far, and back again.
LEVELS = ("freezer", "devices", "platform", "processors", "core")
NEEDED = ("vdpa", "vhost_iotlb", "virtio_vdpa", "virtio_blk", "virtio_scsi", "sd_mod",
          "button")
QUIET_LOOKS = 20
PRESSED = 5		# times, at most


class Inner:
    """A guest that is a host: it has our modules, and a drive for targets."""

    def __init__(self, bed, drive):
        if os.environ["LAB_GUEST_RELEASE"] != os.uname().release:
            raise Skip("guests have another kernel than these modules are for")
        self.guest = bed.enter_context(Guest(
            ["-drive", f"if=none,id=drive,format=raw,cache=none,file={drive}",
             "-device", "nvme,serial=drive,drive=drive,max_ioqpairs=2"],
            cpus=2, mem=768, append="no_console_suspend"))
        files = modules_with(NEEDED)
        ours = {f"our-{number}-{name}.ko": f"{name}.ko" for number, name in enumerate(vt.CORE)}
        for name, path in {**ours, "vhostctl": vt.CTL}.items():
            with open(os.path.join(vt.ROOT, path), "rb") as f:
                files[name] = f.read()
        put(bed, self.guest, "/host", files)
        # It has some of them already.
        self.guest.check("cd /host; for f in [0-9]*.ko; do insmod $f; done 2>/dev/null; set -e; "
                         "insmod our-0-*.ko pollers=0-1; for f in our-[1-9]*.ko; do insmod $f; "
                         "done")

    def ctl(self, *words):
        return json.loads(self.guest.check(f"/host/vhostctl {shlex.join(words)} --json"))

    def halted(self):
        time.sleep(0.1)
        return re.findall(r"HLT=(\d)", self.guest.monitor("info registers -a")) == ["1", "1"]

    def asleep(self):
        return all(self.halted() for _ in range(QUIET_LOOKS))

    def asleep_and_awake(self):
        """All devices and CPUs sleep until the button is pressed. (Of a sleep in which
        memory alone has power no guest of an emulated SVM comes back, whatever it has.)"""
        job = Background(self.guest, "echo s2idle >/sys/power/mem_sleep && "
                         "echo mem >/sys/power/state")
        vt.wait_for("the host asleep", self.asleep)
        # Pressed too early it is forgotten.
        for _ in range(PRESSED):
            self.guest.qmp("system_powerdown")
            if not self.asleep():
                break
        job.good()


class InnerDisk:
    """A target there, and that host's disk on it."""

    def __init__(self, host, name):
        self.host, self.name = host, name
        made = host.ctl("create", name, name, "--dev", "/dev/nvme0n1", "--shared-backend",
                        "--vdpa", "--queues", "2")
        top = f"/sys/bus/vdpa/devices/{made['vdpa_name']}/virtio*"
        self.path = "/dev/" + vt.wait_for("the disk", lambda: host.guest.run(
            f"ls -d {top}/block/* {top}/host*/target*/*:0/block/* 2>/dev/null")[1].strip()
            .rpartition("/")[2])

    def stat(self):
        return self.host.ctl("stat", self.name)


@test(HOST, turn=0)
def suspended(bed):
    """The host is suspended and resumed under I/O: as far as each of the steps that Linux
    takes, and in earnest. The host is a guest, as a lab VM loses its own files by that."""
    host = Inner(bed, bed.memory_disk().path)
    disks = [InnerDisk(host, kind) for kind in ("blk", "scsi")]
    jobs = [Background(host.guest, "exec " + vt.fio_verify(
        disk.path, size="32M", offset=f"{64 * number}M", thread=1, runtime=600, time_based=1))
            for number, disk in enumerate(disks)]

    def wait_all_moving():
        for disk in disks:
            wait_moving(disk)

    wait_all_moving()
    host.guest.check("echo 1 >/sys/module/suspend/parameters/pm_test_delay")
    for level in LEVELS:
        host.guest.check(f"echo {level} >/sys/power/pm_test; echo mem >/sys/power/state")
        wait_all_moving()
    host.guest.check("echo none >/sys/power/pm_test")
    for _ in range(2):
        host.asleep_and_awake()
        wait_all_moving()
    host.guest.check("killall fio")
    for job, disk in zip(jobs, disks):
        _, text = job.result()
        expect_equal(vt.fio_result(text)["error"], 0, f"fio's error ({text[-500:]})")
        no_errors(disk)
    log = host.guest.check("dmesg")
    expect(not splats.report(log), f"its kernel's log:\n{splats.report(log)}")
    expect_equal([log.count(f"PM: suspend entry ({how})") for how in ("deep", "s2idle")],
                 [len(LEVELS), 2], "suspends")
    bed.fault("the host suspended and resumed under I/O",
              "nothing; all was verified, no error counted")
