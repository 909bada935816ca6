#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The targets at work, in one boot of L1: a stock QEMU guest does verified I/O
through vhost_blk on an NVMe drive, is measured against QEMU's own virtio-blk,
and costs nothing when it is idle. A second guest does the same through
vhost_scsi and vhost_nvme.

	tools/lab/lab run --nvme size=1G --nvme size=1G --nvme size=1G -- \\
		python3 tools/demo/demo.py
"""

import itertools
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "selftests", "vm"))

import vt  # noqa: E402
from cpustat import CpuStat  # noqa: E402
from errors import EXIT_EMULATOR  # noqa: E402
from guest import Guest, GuestError  # noqa: E402
from kvmstat import KvmStat  # noqa: E402

START = time.monotonic()
NVME, NVME_SCSI, NVME_NVME = (f"/dev/nvme{i}n1" for i in range(3))
VCPU, SERVER = 0, 1		# CPUs of the vCPU, and of poller or iothread
RUN_US, DEMO_US = 20000, 200	# the poller's idle_us: measured runs, otherwise
ROUNDS, SECONDS = 5, 5
BLOCK_SIZES = ("4k", "16k", "64k")
WANTED = 2.0
MMIO, HIST = "/sys/kernel/tracing/events/kvm/kvm_mmio", "hist:keys=gpa,type"


def say(text):
    print(f"[{time.monotonic() - START:5.1f} s] {text}", flush=True)


def set_idle(us):
    vt.ctl("poller", "set", 0, "--idle-us", us)


def make_targets():
    vt.load(idle_us=DEMO_US, pollers=SERVER)
    nulls = [vt.NullBlk(name, irqmode=1) for name in ("null-ours", "null-peer")]
    disk = vt.Target("disk0", "--dev", NVME, "--queues", 1, "--vdpa",
                     "--serial", "disk0")
    null = vt.Target("null0", "--dev", nulls[0].path, "--queues", 1, "--vdpa",
                     "--serial", "null0")
    print(vt.ctl("list"), flush=True)
    return nulls, disk, null


def make_guest(disk, null, peer):
    """All three disks in one guest: what is compared has the same guest."""
    return Guest(["-device", disk.qemu_arg, "-device", null.qemu_arg,
                  "-object", "iothread,id=io0",
                  "-blockdev", f"driver=host_device,node-name=peer,filename={peer.path},"
                  "aio=io_uring,cache.direct=on,cache.no-flush=off",
                  "-device", "virtio-blk-pci,drive=peer,serial=peer0,iothread=io0,"
                  "num-queues=1,queue-size=256"])


def pin_threads(guest):
    """QEMU and its vCPU on one CPU, its iothread beside the poller."""
    def taskset(tid, cpu):
        vt.run("taskset", "-pc", cpu, tid)

    vt.run("taskset", "-apc", VCPU, guest.pid)
    for vcpu in guest.qmp("query-cpus-fast"):
        taskset(vcpu["thread-id"], VCPU)
    for thread in guest.qmp("query-iothreads"):
        taskset(thread["thread-id"], SERVER)


def verify(guest, disk):
    """All block sizes; True when every byte came back."""
    for bs in BLOCK_SIZES:
        code, text = guest.run(vt.fio_verify(disk, bs=bs, size="16M"), timeout=600)
        say(f"fio randrw bs={bs} QD 32, crc32c verify: "
            f"{'good' if code == 0 else 'FAILED'}")
        if code:
            print(text)
            return False
    return True


class Counted:
    """A script in the guest: its output, KVM's exits, the guest's interrupts."""

    def __init__(self, guest, script):
        interrupts = "cat /proc/interrupts"
        with KvmStat(guest.pid) as kvm, KickExits() as kicks:
            text = guest.check(f"{interrupts}; echo ====; {script}\n"
                               f"echo ====; {interrupts}", timeout=300)
        before, self.text, after = text.split("====\n")
        self.exits, self.kick_exits = kvm["exits"], kicks.count
        old, new = self._parse(before), self._parse(after)
        self.interrupts = {name: new[name] - old.get(name, 0) for name in new}

    @staticmethod
    def _parse(text):
        """{"LOC": n, "virtio3-req.0": n, ...} of all vCPUs."""
        counts = {}
        for line in text.splitlines():
            words = line.split()
            if len(words) > 2 and words[1].isdigit():
                name = words[-1] if words[0][0].isdigit() else words[0].rstrip(":")
                counts[name] = sum(map(int, itertools.takewhile(str.isdigit, words[1:])))
        return counts


def timer_exits(guest):
    """Exits per second of a guest that only computes: the timers', its and L1's."""
    with KvmStat(guest.pid) as kvm:
        guest.run(f"timeout {SECONDS} sh -c 'while :; do :; done'")
    return kvm["exits"] / kvm.seconds


class KickExits:
    """Writes to a notification register, KVM's own count (for either door)."""

    def __enter__(self):
        vt.write(f"{MMIO}/trigger", HIST)
        return self

    def __exit__(self, *exc):
        text = vt.read(f"{MMIO}/hist")
        vt.write(f"{MMIO}/trigger", f"!{HIST}")
        self.count = sum(int(n) for kind, n in re.findall(
            r"type:\s*(\d+).*hitcount:\s*(\d+)", text) if kind == "2")


def blk_interrupts(guest, disk):
    """The name in /proc/interrupts of a virtio disk's only queue."""
    driver = guest.check(f"readlink -f /sys/block/{os.path.basename(disk)}/device")
    return f"{driver.strip().split('/')[-1]}-req.0"


def measure(guest, disk, irqs, target=None):
    """One run: IOPS, and per I/O exits, kicks, interrupts named @irqs."""
    cmd = vt.fio(disk, "randread", runtime=SECONDS, time_based=1, size="4g",
                 norandommap=1, thread=1)
    before = target.stat() if target else None
    run = Counted(guest, cmd)
    after = target.stat() if target else None
    result = vt.fio_result(run.text)
    ios = result["ios"]
    row = {"iops": result["iops"], "exits": run.exits / ios,
           "kick exits": run.kick_exits / ios,
           "interrupts": sum(n for name, n in run.interrupts.items()
                             if re.search(irqs, name)) / ios}
    row["caused"] = row["kick exits"] + row["interrupts"]
    if target:
        row["kicks"] = (after["kicks"] - before["kicks"]) / ios
        row["calls"] = (after["calls"] - before["calls"]) / ios
    return row


def compare(guest, disks, null):
    """Medians of (ours, peer), run by turns, and of their ratio."""
    set_idle(RUN_US)
    say(f"a guest that only computes: {timer_exits(guest):.0f} exits/s by timers")
    ours, peer = [], []
    for number in range(ROUNDS):
        for rows, serial, target in ((ours, "null0", null), (peer, "peer0", None)):
            rows.append(measure(guest, disks[serial],
                                blk_interrupts(guest, disks[serial]), target))
            say(f"round {number + 1} {serial}: {rows[-1]['iops']:.0f} IOPS")
    set_idle(DEMO_US)
    medians = [{key: statistics.median(row[key] for row in rows) for key in rows[0]}
               for rows in (ours, peer)]
    # Each pair ran side by side: what else the machine did then hit both.
    ratio = statistics.median(a["iops"] / b["iops"] for a, b in zip(ours, peer))
    return *medians, ratio


def check_idle(guest):
    """The poller of an attached guest that does nothing: does it sleep?"""
    time.sleep(1)
    before = vt.pollers()[0]
    with CpuStat(before["pid"]) as cpu:
        time.sleep(SECONDS)
    after = vt.pollers()[0]
    grown = {key: after[key] - before[key] for key in ("loops", "sleeps")}
    asleep = not (cpu.cpu_seconds or cpu.voluntary or grown["loops"] or grown["sleeps"])
    say(f"guest attached, {SECONDS} s without I/O: poller used {cpu.cpu_seconds:.2f} s "
        f"of CPU, {cpu.voluntary} context switches, {grown['loops']} loops, "
        f"{grown['sleeps']} sleeps: {'asleep' if asleep else 'NOT ASLEEP'}")
    return asleep


class Other:
    """A target of another type: data is verified on its first unit, on an NVMe
    drive, and cost is measured on its second, a null_blk."""

    def __init__(self, kind, door, drive, null, unit, irqs, *options):
        self.name, self.door, self.irqs = f"{kind}0", door, irqs
        self.target = vt.Target(self.name, "--dev", drive, "--queues", 1, *options, kind=kind)
        group = "lun" if kind == "scsi" else "ns"
        vt.ctl(group, "add", self.name, unit, "--dev", null.path)
        self.verified, self.row = False, None

    def run(self, guest, disks):
        self.verified = verify(guest, disks[0])
        set_idle(RUN_US)
        measure(guest, disks[1], self.irqs)
        self.row = measure(guest, disks[1], self.irqs, self.target)
        set_idle(DEMO_US)
        say(f"{self.name}: {self.row['iops']:.0f} IOPS on null_blk")


def other_disks(guest):
    """{kind: [first, second unit]} of the guest's SCSI and NVMe disks. Names say
    nothing of the order: Linux probes disks side by side."""
    found = {"scsi": {}, "nvme": {}}
    for line in guest.check(
            "cd /sys/block; for d in sd*; do [ -e $d ] && echo scsi $d "
            "$(basename $(readlink -f $d/device)); done; "
            "for d in nvme*n*; do [ -e $d/nsid ] && echo nvme $d $(cat $d/nsid); "
            "done; true").splitlines():
        kind, name, unit = line.split()
        found[kind][int(unit.rsplit(":", 1)[-1])] = f"/dev/{name}"
    return {kind: [disks[unit] for unit in sorted(disks)] for kind, disks in found.items()}


def run_others(nulls):
    """A guest with a SCSI and an NVMe target."""
    vt.load_nvme()
    scsi = Other("scsi", "vhost-scsi-pci", NVME_SCSI, nulls[0], 1, "-request$")
    nvme = Other("nvme", "vfio-pci", NVME_NVME, nulls[1], 2, r"^nvme\d+q[1-9]", "--vfio")
    print(vt.ctl("list"), flush=True)
    args = ["-device", scsi.target.qemu_arg, "-device", nvme.target.qemu_arg]
    with Guest(args) as guest:
        pin_threads(guest)
        vt.wait_for("all disks", lambda: all(
            len(disks) == 2 for disks in other_disks(guest).values()))
        disks = other_disks(guest)
        say(f"first and second unit in the guest: {disks}")
        for other, kind in ((scsi, "scsi"), (nvme, "nvme")):
            other.run(guest, disks[kind])
        asleep = check_idle(guest)
        guest.poweroff()
    for other in (scsi, nvme):
        other.target.delete()
    return (scsi, nvme), asleep


COLUMNS = {"IOPS": ("iops", ".0f"), "exits/IO": ("exits", ".3f"),
           "by I/O": ("caused", ".3f"), "kick exits/IO": ("kick exits", ".4f"),
           "irqs/IO": ("interrupts", ".3f"), "kicks/IO": ("kicks", ".4f"),
           "calls/IO": ("calls", ".3f")}


def table(verified, ours, peer, ratio, others):
    rows = [("target", "door", "fio verify", *COLUMNS)]
    for name, door, good in (("disk0", "vhost-vdpa", verified),
                             *((o.name, o.door, o.verified) for o in others)):
        rows.append((f"{name} on NVMe", door, "good" if good else "FAILED",
                     *["-"] * len(COLUMNS)))
    for name, door, row in (("null0", "vhost-vdpa", ours),
                            ("QEMU", "virtio-blk-pci", peer),
                            *((o.name, o.door, o.row) for o in others)):
        rows.append((f"{name} on null_blk", door, "-",
                     *(format(row[key], form) if key in row else "-"
                       for key, form in COLUMNS.values())))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(f"\n4k randread, QD 32, 1 queue, 1 vCPU; medians of {ROUNDS} runs of "
          f"{SECONDS} s by turns.\nPoller and QEMU's iothread (io_uring, cache=none) on "
          f"CPU {SERVER}, vCPU on CPU {VCPU}; idle_us={RUN_US}.\n"
          "by I/O: the exits of kicks and interrupts, the rest are timers'; irqs: those of\n"
          "the disk in the guest; kicks, calls: the target's own counters.")
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    good = ratio >= WANTED
    print(f"null0/QEMU, median of the rounds: {ratio:.2f}, "
          f"{'at least' if good else 'NOT at least'} {WANTED:.0f}")
    return good


def clean_up(nulls):
    vt.unload()
    for null in nulls:
        null.remove()
    acquired, released = vt.pins()
    say(f"targets deleted, modules unloaded; pages pinned {acquired}, "
        f"released {released}")
    return acquired == released


def main():
    nulls, disk, null = make_targets()
    say("start stock QEMU")
    with make_guest(disk, null, nulls[1]) as guest:
        say(f"guest is up: {guest.check('uname -sr').strip()}, "
            f"QEMU {guest.qmp('query-version')['package'] or ''}")
        pin_threads(guest)
        disks = vt.guest_disks(guest)
        verified = verify(guest, disks["disk0"])
        figures = compare(guest, disks, null)
        asleep = check_idle(guest)
        guest.poweroff()
    for target in (disk, null):
        target.delete()
    others, others_asleep = run_others(nulls)
    balanced = clean_up(nulls)
    # Printed, not judged: it depends on what else the machine does.
    table(verified, *figures, others)
    verified = verified and all(other.verified for other in others)
    asleep = asleep and others_asleep
    failed = [text for good, text in (
        (verified, "data differs"), (asleep, "the poller does not sleep"),
        (balanced, "pages stay pinned")) if not good]
    print("demo: " + ("all good" if not failed else ", ".join(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (vt.CommandError, GuestError, OSError, KeyError,
            subprocess.SubprocessError) as err:
        print(f"demo: {type(err).__name__}: {err}", file=sys.stderr)
        sys.exit(EXIT_EMULATOR if Guest.emulator_faults or Guest.silent else 1)
