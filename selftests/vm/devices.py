# SPDX-License-Identifier: GPL-2.0
"""The types of targets, as a VM and as the host have them; tests that are written
once and registered for each; what such tests look at."""

import itertools
import os
import re

import scsi
import vt
from bed import expect, expect_equal, guest_fio, no_merges, run_fio, test
from guest import Guest, GuestError

HOST = "virtio_vdpa"


class Kind:
    """A type of target, by the device that stock QEMU has for it."""

    name = None
    driver = "vhost_vdpa"	# of bed.test()
    options = ()		# of vhostctl create
    target_type = vt.Target
    # QEMU stops the device with the VM; the session may end with it.
    stops_with_vm = True
    stop_ends_session = False
    # QEMU takes the memory from under the device before it resets it: what is
    # under way then fails, and nobody is there to see it.
    fails_at_reset = False
    # A target for two vCPUs: how many queues to make, what to ask for, how many to
    # see running.
    two_cpus = 2, "", 2

    def target(self, bed, *args, name="disk", queues=1, suffix=""):
        target = bed.keep(self.target_type(name, *args, "--queues", queues, *self.options,
                                           kind=self.name))
        target.suffix = suffix
        return target

    def find(self, guest, target):
        """The guest's disk on it, or None."""
        raise NotImplementedError

    def disk(self, guest, target):
        return vt.wait_for(f"the disk of {target.name}",
                           lambda: self.find(guest, target), 120)

    def in_guest(self, bed, *args, queues=1, suffix="", **kwargs):
        """(target, guest, its disk); @kwargs are those of bed.guest()."""
        target = self.target(bed, *args, queues=queues, suffix=suffix)
        guest = bed.guest(target, **kwargs)
        return target, guest, self.disk(guest, target)

    def on_host(self, bed, *args, name="disk", queues=2):
        """(target, the host's disk)"""
        target = bed.keep(self.target_type(name, *args, "--queues", queues, "--vdpa",
                                           kind=self.name))
        return target, target.disk()


class Blk(Kind):
    """vhost-vdpa-device-pci."""

    name = "blk"
    options = ("--vdpa",)

    def find(self, guest, target):
        return vt.guest_disks(guest).get(target.name)


class Scsi(Kind):
    """vhost-scsi-pci; LUN 0 is the disk. The number of queues is QEMU's, whatever
    the target offers, as with the kernel's own target."""

    name = "scsi"
    target_type = scsi.Target
    stop_ends_session = True
    two_cpus = 1, ",num_queues=4", 4

    def find(self, guest, target):
        return self.find_lun(guest, 0)

    def find_lun(self, guest, lun):
        device = f"/sys/class/scsi_disk/*:0:0:{scsi.linux_lun(lun)}/device"
        name = guest.check(f"ls {device}/block 2>/dev/null || true").strip()
        return f"/dev/{name}" if name else None

    def lun(self, guest, lun):
        return vt.wait_for(f"LUN {lun} in the guest", lambda: self.find_lun(guest, lun))


class Nvme(Kind):
    """vfio-pci."""

    name = "nvme"
    driver = "vfio"
    options = ("--vfio",)
    stops_with_vm = False
    fails_at_reset = True

    def find(self, guest, target):
        return vt.guest_nvme(guest).get(target.name)


BLK, SCSI, NVME = KINDS = Blk(), Scsi(), Nvme()


_each = itertools.count()


def test_each(*kinds, driver=None, **params):
    """Register a test for each of @kinds, of which it is told; else as bed.test().
    By turns, each is done for other kinds."""
    def register(function):
        first = next(_each)
        for number, kind in enumerate(kinds, first):
            def one(bed, kind=kind):
                function(bed, kind)

            one.__name__ = f"{function.__name__}[{kind.name}]"
            one.__module__, one.group = function.__module__, kind.name
            turn = number % 2 if len(kinds) > 1 else None
            test(driver or kind.driver, **{"turn": turn, **params})(one)
        return function
    return register


# In a guest

def verify(guest, disk, depths=(1, 32), size="4M"):
    guest_fio(guest, vt.fio_in_turn(*(
        vt.fio_verify(disk, iodepth=depth, size="512k" if depth == 1 else size)
        for depth in depths)))


def verify_on_cpus(guest, disk, cpus=(0, 1), size="2M"):
    """On each of the CPUs, each with a place of its own."""
    guest_fio(guest, vt.fio_in_turn(*(
        vt.fio_verify(disk, size=size, cpus_allowed=cpu, offset=f"{4 * cpu}M")
        for cpu in cpus)))


def size_of(guest, disk):
    return int(guest.check(f"blockdev --getsize64 {disk}"))


def busy_guest(bed, kind, ios, *args):
    """(target, guest, fio's command for @ios reads) after a warm-up."""
    target, guest, disk = kind.in_guest(bed, *args)
    no_merges(guest, disk)

    def reads(number):
        return vt.fio(disk, "randread", number_ios=number, size="4G", norandommap=1,
                      thread=1)

    guest_fio(guest, reads(500))
    return target, guest, reads(ios)


def cannot_start(why, qemu_arg):
    """QEMU ends when it opens the device, or when SeaBIOS starts it, and says why."""
    try:
        with Guest.boot_from_disk(["-device", qemu_arg], name="second") as guest:
            code = guest.wait()
            text = guest.stderr_text()
    except GuestError as err:
        code, text = 1, str(err)
    expect(code and why in text, f"QEMU ended with {code} and said: {text}")


# In the host or in a guest

def dd_read(disk, skip=0):
    return ("dd", f"if={disk}", "of=/dev/null", "bs=4k", "count=4", f"skip={skip}",
            "iflag=direct")


def dd_write(disk, skip=0):
    return ("dd", "if=/dev/zero", f"of={disk}", "bs=4k", "count=4", f"seek={skip}",
            "oflag=direct")


def said(text):
    """The words of what dd or fio printed about its error."""
    found = re.search(r"(?:Input/output|Remote I/O) error", text) or \
        re.search(r"^dd: .*: (.+)$", text, re.M) or re.search(r"^.*\S.*$", text, re.M)
    return found[found.lastindex or 0] if found else "nothing"


# In the host

def verify_all(disk, sizes=("4k", "64k")):
    run_fio(vt.fio_in_turn(*(
        vt.fio_verify(disk, bs=bs, iodepth=depth, size="1M" if depth == 1 else "8M")
        for bs in sizes for depth in (1, 32))))
    vt.run("blockdev", "--flushbufs", disk)


def queue_limit(disk, name):
    return vt.read(f"/sys/block/{os.path.basename(disk)}/queue/{name}")


def read_at(disk, offset, size):
    fd = os.open(disk, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.pread(fd, size, offset)
    finally:
        os.close(fd)


def wait_size(disk, size):
    vt.wait_for(f"{disk} of {size} bytes", lambda: int(
        vt.run("blockdev", "--getsize64", disk)) == size)


# The target's counters

def errors(target):
    """All that went wrong: {what: how often}."""
    stat = target.stat()
    found = {**stat["errors"], "ring_errors": stat["ring_errors"],
             "invalid": stat["invalid"]}
    return {what: number for what, number in found.items() if number}


def no_errors(target, before=None):
    """None, or no more than those of @before."""
    expect_equal(errors(target), before or {}, f"errors of {target.name}")


def counted(target):
    return ", ".join(f"{number} {kind} errors" for kind, number in
                     target.stat()["errors"].items() if number) or "no errors"


def at_rest(target):
    stat = target.stat()
    return not stat["inflight"] and target.stat()["ops"] == stat["ops"]
