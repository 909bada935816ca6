# SPDX-License-Identifier: GPL-2.0
"""Backends whose completions are polled for (vhostctl create --polled)."""

import re

import vt
from bed import HostJob, Skip, expect, expect_equal, guest_fio, refused, run_fio
from devices import BLK, HOST, NVME, SCSI, no_errors, test_each
from scsi_pi import debug_disk

HALF_A_SECOND = 29		# bucket of the histogram of latencies


def late_disk(bed):
    """Its interrupts come a second late, and only they: what is polled for does not."""
    return bed.memory_disk("late", poll_queues=1, irqmode=2, completion_nsec=10 ** 9)


def mostly_polled(target):
    for op in ("read", "write"):
        hist = vt.ctl_json("stat", target.name, "--hist")["hist"][op]
        late, ops = sum(hist[HALF_A_SECOND:]), sum(hist)
        expect(ops > 100 and late < ops / 2, f"{late} of {ops} {op}s were late")


def is_polled(target):
    expect(target.show()["units"][0]["state"] & 2, f"{target.show()['units'][0]}")


@test_each(BLK, SCSI, driver=HOST)
def verified(bed, kind):
    target, disk = kind.on_host(bed, "--dev", late_disk(bed).path, "--polled")
    is_polled(target)
    run_fio(vt.fio_verify(disk, size="4M"))
    run_fio(vt.fio_verify(disk, bs="64k", iodepth=1, size="2M"))
    no_errors(target)
    mostly_polled(target)


@test_each(NVME)
def verified_in_guest(bed, kind):
    target, guest, disk = kind.in_guest(bed, "--dev", late_disk(bed).path, "--polled")
    is_polled(target)
    guest_fio(guest, vt.fio_verify(disk, size="4M"))
    no_errors(target)
    mostly_polled(target)


def drive_interrupts():
    """Of all I/O queues of NVMe drives."""
    return sum(int(number) for line in vt.read("/proc/interrupts").splitlines()
               if re.search(r"nvme\d+q[1-9]", line)
               for number in line.split()[1:] if number.isdigit())


@test_each(BLK, driver=HOST)
def no_interrupts(bed, kind):
    """The drive is not asked for any."""
    drive = bed.nvme()
    if not int(vt.read("/sys/module/nvme/parameters/poll_queues")):
        raise Skip("the drive has no queues for polling: lab run --nvme size=1G,poll=1")
    target, disk = kind.on_host(bed, "--dev", drive, "--polled")
    run_fio(vt.fio(disk, "randwrite", number_ios=100))
    before = drive_interrupts()
    ios = run_fio(vt.fio(disk, "randread", number_ios=2000))["ios"]
    came = drive_interrupts() - before
    expect(came < ios / 20, f"{came} interrupts for {ios} reads")
    no_errors(target)
    bed.note(f"{came} interrupts of the drive for {ios} reads")
    vt.wait_asleep()


@test_each(BLK, driver=HOST, cpus=2, turn=0)
def slow_device(bed, kind):
    """Who takes his time is looked at once in a tick, and the poller sleeps."""
    lower = debug_disk(bed, dif=0, dix=0, delay=25, submit_queues=2, poll_queues=1)
    target, disk = kind.on_host(bed, "--dev", lower, "--polled")
    with vt.StatDelta(target) as delta:
        run_fio(vt.fio_verify(disk, size="256k", iodepth=4))
    no_errors(target)
    looks = delta["polls"] / delta.ops
    expect(delta["sleeps"] > delta.ops / 8, f"{delta['sleeps']} sleeps, {delta.ops} I/Os")
    bed.note(f"{looks:.0f} looks for an I/O")


@test_each(BLK, driver=HOST)
def removed_in_use(bed, kind):
    lower = late_disk(bed)
    target, disk = kind.on_host(bed, "--dev", lower.path, "--polled")
    job = HostJob(bed, vt.fio(disk, "randrw", runtime=600, time_based=1, size="64M", thread=1))
    vt.wait_for("I/O", lambda: sum(target.stat()["ops"].values()) > 500)
    lower.power(0)
    code, text = job.wait()
    expect(code != 0, f"fio saw no error: {text[-300:]}")
    vt.wait_asleep()
    expect_equal(target.stat()["inflight"], 0, "in flight")


@test_each(BLK, driver=HOST, turn=1)
def not_for_all(bed, _):
    """What has no queues for polling is refused."""
    plain = bed.memory_disk(poll_queues=0).path
    for path in (plain, bed.dm("lin", f"0 8192 linear {late_disk(bed).path} 0")):
        text = refused(1, "create", "blk", "disk", "--dev", path, "--polled")
        expect("queues for polling" in text, text)
