# SPDX-License-Identifier: GPL-2.0
"""What I/O costs in kicks, interrupts, allocations; and what idleness costs."""

import os
import re
import time

import vt
from bed import disk_of, expect, expect_equal, guest_fio, no_merges, test
from cpustat import CpuStat

TRACE = "/sys/kernel/tracing"
EVENTS = ("kmem/kmalloc", "kmem/kmem_cache_alloc", "kmem/mm_page_alloc")
OURS = re.compile(r"\[vhost_(target|target_vdpa|blk)\]")
# Long: a guest that is not scheduled for a while must not look like an idle one.
STEADY_US = 500000
IOS = 8000


def busy_guest(bed, *args):
    """(target, guest, fio's command) after a warm-up."""
    target = bed.target("disk", *args)
    guest = bed.guest(target)
    disk = disk_of(guest, "disk")
    cmd = vt.fio(disk, "randread", number_ios=IOS, size="4G", norandommap=1,
                 thread=1)
    no_merges(guest, disk)
    guest_fio(guest, cmd.replace(str(IOS), "500"))
    return target, guest, cmd


@test(idle_us=STEADY_US)
def kicks_and_interrupts(bed):
    null = bed.null_blk(irqmode=1)
    target, guest, cmd = busy_guest(bed, "--dev", null.path)
    with vt.StatDelta(target) as stat:
        guest_fio(guest, cmd)
    found = stat["polls"] - stat["empty_polls"]
    bed.note(f"{stat.ops} I/Os, {stat['kicks']} kicks, {stat['calls']} interrupts, "
             f"{stat['polls']} polls, {found} found work, {stat['sleeps']} sleeps")
    expect(stat.ops >= IOS, f"{stat.ops} I/Os")
    expect(stat["kicks"] < 0.05 * stat.ops, f"{stat['kicks']} kicks")
    expect(stat["calls"] <= found, f"{stat['calls']} interrupts, {found} batches")
    expect(stat["calls"] < stat.ops / 2, f"{stat['calls']} interrupts")


@test(idle_us=0)
def event_mode(bed):
    """Never busy-polling: still no more kicks than I/Os, and asleep in between."""
    null = bed.null_blk(irqmode=1)
    target, guest, cmd = busy_guest(bed, "--dev", null.path)
    with vt.StatDelta(target) as stat:
        guest_fio(guest, cmd.replace(str(IOS), "2000"))
    bed.note(f"{stat.ops} I/Os, {stat['kicks']} kicks, {stat['calls']} interrupts")
    expect(stat["kicks"] <= stat.ops, f"{stat['kicks']} kicks")
    expect(stat["calls"] <= stat.ops, f"{stat['calls']} interrupts")


@test(idle_us=200)
def idle_guest(bed):
    null = bed.null_blk(irqmode=1)
    target, _, _ = busy_guest(bed, "--dev", null.path)
    time.sleep(2)
    poller = vt.pollers()[0]
    expect_equal(poller["nr_active"], 0, "queues looked at")
    stat = target.stat()
    with CpuStat(poller["pid"]) as cpu:
        state = vt.read(f"/proc/{poller['pid']}/stat").rpartition(")")[2].split()[0]
        time.sleep(5)
    after = vt.pollers()[0]
    expect(state in "SID", f"the poller is in state {state}")
    expect_equal(cpu.cpu_seconds, 0, "CPU time")
    expect_equal((cpu.voluntary, cpu.involuntary), (0, 0), "context switches")
    for key in ("loops", "sleeps", "busy_ns", "idle_ns"):
        expect_equal(after[key], poller[key], key)
    expect_equal(target.stat(), stat, "counters")


class Allocations:
    """Allocations made in a thread while the block runs, with their stacks."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        vt.write(f"{TRACE}/tracing_on", 0)
        vt.write(f"{TRACE}/buffer_size_kb", 8192)
        vt.write(f"{TRACE}/trace", "")
        vt.write(f"{TRACE}/set_event_pid", self.pid)
        vt.write(f"{TRACE}/options/stacktrace", 1)
        for event in EVENTS:
            vt.write(f"{TRACE}/events/{event}/enable", 1)
        vt.write(f"{TRACE}/tracing_on", 1)
        return self

    def __exit__(self, *exc):
        vt.write(f"{TRACE}/tracing_on", 0)
        for event in EVENTS:
            vt.write(f"{TRACE}/events/{event}/enable", 0)
        text = vt.read(f"{TRACE}/trace")
        vt.write(f"{TRACE}/options/stacktrace", 0)
        with open(f"{TRACE}/set_event_pid", "w"):
            pass
        vt.write(f"{TRACE}/trace", "")
        vt.write(f"{TRACE}/tracing_on", 1)
        self._parse(text)

    def _parse(self, text):
        """An event's line, then "<stack trace>" and lines " => function"."""
        self.events, current = [], None
        for line in text.splitlines():
            if "<stack trace>" in line or line.startswith("#"):
                continue
            if line.startswith(" =>"):
                if current is not None:
                    current.append(line[3:].strip())
            elif re.search(r": (kmalloc|kmem_cache_alloc|mm_page_alloc): ", line):
                current = [line.strip()]
                self.events.append(current)
        self.ours = [e for e in self.events if any(OURS.search(f) for f in e)]
        # What interrupts the thread is not its own doing.
        own = re.compile(r"vq_|vt_|poller_thread|bdev_submit|blk_")
        self.own = [e for e in self.events
                    if any(own.match(f) for f in e[1:]) and
                    not any("irq" in f for f in e[1:])]


def no_allocation(bed, *args):
    target, guest, cmd = busy_guest(bed, *args)
    pid = vt.pollers()[0]["pid"]
    pinned = vt.pins()
    with vt.StatDelta(target) as stat, Allocations(pid) as made:
        guest_fio(guest, cmd)
    expect(stat.ops >= IOS, f"{stat.ops} I/Os")
    bed.note(f"{stat.ops} I/Os; {len(made.events)} allocations in the poller's "
             f"context, {len(made.own)} not by interrupts, {len(made.ours)} with "
             "a frame of ours")
    expect_equal(vt.pins(), pinned, "pages pinned")
    worst = (made.ours or made.own or [[]])[0]
    expect(not made.ours and not made.own, "the first one:\n" + "\n".join(worst))


@test(idle_us=STEADY_US)
def no_allocation_null_blk(bed):
    no_allocation(bed, "--dev", bed.null_blk(irqmode=0).path)


@test(idle_us=STEADY_US)
def no_allocation_null(bed):
    no_allocation(bed, "--null", "4G")


@test("virtio_vdpa", idle_us=STEADY_US)
def no_allocation_check(bed):
    """The check above sees an allocation when there is one: bounce buffers."""
    path = bed.file()
    _, disk = bed.disk("disk", "--file", path, "--block-size", "4096")
    fd = os.open(disk, os.O_RDWR | os.O_DIRECT)
    try:
        with Allocations(vt.pollers()[0]["pid"]) as made:
            vt.unaligned_io(fd, 512, 4096)
    finally:
        os.close(fd)
    expect(made.own, "bounce buffers were not seen")
