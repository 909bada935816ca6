# SPDX-License-Identifier: GPL-2.0
"""What I/O costs in kicks, interrupts, allocations."""

import json
import os
import re

import vt
from bed import expect, expect_equal, guest_fio, test
from devices import BLK, HOST, KINDS, busy_guest, no_errors, test_each
from kvmstat import KvmStat

TRACE = "/sys/kernel/tracing"
EVENTS = ("kmem/kmalloc", "kmem/kmem_cache_alloc", "kmem/mm_page_alloc")
OURS = re.compile(r"\[vhost_(target|target_vdpa|blk)\]")
# Long: a guest that is not scheduled for a while must not look like an idle one.
STEADY_US = 500000
IOS = 4000
BASELINE = os.path.join(vt.HERE, "counts.json")
FACTOR, MARGIN, TRIES = 6, 0.01, 3


def above_baseline(kind, seen):
    """What an I/O costs is not allowed to grow unnoticed: counts.json. A guest that
    is held up by what else the machine does is told of less at a time."""
    with open(BASELINE) as f:
        usual = json.load(f)[kind.name]
    expect_equal(sorted(seen), sorted(usual), "what is counted")
    return [f"{number:.4f} {what} for an I/O: usually {usual[what]}"
            for what, number in seen.items() if number > FACTOR * usual[what] + MARGIN]


def count_for_an_io(bed, target, guest, cmd):
    with KvmStat(guest.pid) as kvm, vt.StatDelta(target) as stat:
        guest_fio(guest, cmd)
    found = stat["polls"] - stat["empty_polls"]
    # Not all exits: the most by far are timers', and as many as the run takes time.
    seen = {"kicks": stat["kicks"] / stat.ops, "interrupts": stat["calls"] / stat.ops,
            "MMIO exits": kvm["mmio_exits"] / stat.ops}
    bed.note(f"{stat.ops} I/Os, {stat['polls']} polls, {found} found work, {stat['sleeps']} "
             f"sleeps, {kvm['exits']} exits, {kvm['pf_mmio_spte_created']} MMIO faults; "
             "for an I/O: "
             f"{', '.join(f'{number:.4f} {what}' for what, number in seen.items())}")
    expect(stat.ops >= IOS, f"{stat.ops} I/Os")
    expect(stat["calls"] <= found, f"{stat['calls']} interrupts, {found} batches")
    return seen


@test_each(*KINDS, cpus=2, idle_us=STEADY_US)
def for_an_io(bed, kind):
    null = bed.null_blk(irqmode=1)
    target, guest, cmd = busy_guest(bed, kind, IOS, "--dev", null.path)
    for _ in range(TRIES):
        above = above_baseline(kind, count_for_an_io(bed, target, guest, cmd))
        if not above:
            break
    expect(not above, "; ".join(above))
    no_errors(target)


@test(idle_us=0)
def event_mode(bed):
    """Never busy-polling: still no more kicks than I/Os, and asleep in between."""
    null = bed.null_blk(irqmode=1)
    target, guest, cmd = busy_guest(bed, BLK, 2000, "--dev", null.path)
    with vt.StatDelta(target) as stat:
        guest_fio(guest, cmd)
    bed.note(f"{stat.ops} I/Os, {stat['kicks']} kicks, {stat['calls']} interrupts")
    expect(stat["kicks"] <= stat.ops, f"{stat['kicks']} kicks")
    expect(stat["calls"] <= stat.ops, f"{stat['calls']} interrupts")


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
    target, guest, cmd = busy_guest(bed, BLK, IOS, *args)
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


@test(cpus=2, turn=1, idle_us=STEADY_US)
def no_allocation_null_blk(bed):
    no_allocation(bed, "--dev", bed.null_blk(irqmode=0).path)


@test(cpus=2, turn=0, idle_us=STEADY_US)
def no_allocation_null(bed):
    no_allocation(bed, "--null", "4G")


@test(HOST, cpus=2, idle_us=STEADY_US)
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
