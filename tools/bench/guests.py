#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guests.py [-r ROUNDS] [-s SECONDS] [--fio KEY=VALUE]... [GROUP]...

The devices a stock QEMU can give its guest, beside each other, each on a null_blk
of its own: 4k random reads at QD 1, 32 and 4 x 32, by turns, in one boot of the
host VM. Prints IOPS, and per I/O the exits, those for doorbells and kicks, and the
disk's interrupts in the guest. Groups: blk, scsi, nvme; blk-all: further ways to serve
virtio-blk; blk-mq: two vCPUs and queues; all: the last four.

	tools/lab/lab run -- python3 tools/bench/guests.py scsi
"""

import argparse
import re
import statistics
import subprocess
import sys

import report
import sides
from show import Progress
from sides import (GuestNull, Lio, OurBlk, OurNvme, OurScsi, QemuBlk, QemuBlkMapped, QemuNvme,
                   QemuScsi, VhostUserBlk, pin_threads)
import vt
from demo import RUN_US, SERVER, VCPU, Counted, timer_exits
from guest import Guest, GuestError

LOADS = ((1, 1), (1, 32), (4, 32))	# jobs, queue depth
TRIES = 3


# Who polls saves what else there is to be saved.
POLLED = {"ioengine": "io_uring", "hipri": 1, "fixedbufs": 1, "registerfiles": 1,
          "iodepth_batch_submit": 8, "iodepth_batch_complete_max": 32}


class Group:
    """@wanted: how many times each other's IOPS ours is to have at QD 32. @polled: the
    guest looks for completions itself, in a second queue without interrupts."""

    def __init__(self, wanted, *sides, cpus=1, polled=False):
        self.wanted, self.sides, self.cpus, self.polled = wanted, sides, cpus, polled

    def prepare(self, guest):
        if self.polled:
            guest.check("rmmod nvme && modprobe nvme poll_queues=1")

    def fio(self):
        return POLLED if self.polled else {}

    def guests(self):
        """The devices of each guest: by whose modules have to be loaded, and its memory."""
        def kind(side):
            return side.ours, side.shared_mem

        return [[side for side in self.sides if kind(side) == one]
                for one in dict.fromkeys(map(kind, self.sides))]


GROUPS = {
    "blk": Group(2.5, OurBlk("ours"), QemuBlk("qemu")),
    "blk-all": Group(2.5, OurBlk("ours"), QemuBlk("qemu"), QemuBlk("qemu-native", "native"),
                     VhostUserBlk("vhost-user")),
    "blk-mq": Group(2.5, OurBlk("ours", queues=2), QemuBlk("qemu", queues=2),
                    QemuBlkMapped("qemu-mapped", queues=2),
                    QemuBlkMapped("qemu-mapped-native", "native", queues=2), cpus=2),
    "scsi": Group(2.0, OurScsi("ours"), QemuScsi("qemu"), Lio("lio")),
    "nvme": Group(4.0, OurNvme("ours"), QemuNvme("qemu"),
                  QemuNvme("qemu-ioeventfd", ",ioeventfd=on"), GuestNull("guest-null")),
    "nvme-polled": Group(4.0, OurNvme("ours", queues=2), QemuNvme("qemu", queues=2),
                         QemuNvme("qemu-ioeventfd", ",ioeventfd=on", queues=2),
                         polled=True),
}
USUAL, ALL = ("blk", "scsi", "nvme"), ("blk-all", "blk-mq", "scsi", "nvme", "nvme-polled")


def measure(guest, disk, irqs, load, options, more):
    jobs, depth = load
    run = Counted(guest, sides.fio(disk, depth, options.seconds, jobs, size="4g",
                                   **more, **dict(word.split("=") for word in options.fio)))
    fio = sides.fio_result(run.text)
    return {"IOPS": fio["iops"], "p99 us": fio["p99 us"], "exits/IO": run.exits / fio["ios"],
            "kick exits/IO": run.kick_exits / fio["ios"],
            "irqs/IO": sum(n for name, n in run.interrupts.items()
                           if re.search(irqs, name)) / fio["ios"]}


def run_guest(devices, group, nulls, options):
    """One guest with these devices: one run of each with each load; {(load, name): row}"""
    rows, words, up = {}, [], []
    try:
        for side in devices:
            words += side.up(nulls[side.name].path)
            up.append(side)
        with Guest(words, cpus=group.cpus, shared_mem=devices[0].shared_mem) as guest:
            pin_threads(guest)
            group.prepare(guest)
            disks = {side.name: side.find(guest) for side in devices}
            if not options.told:
                options.told = True
                options.progress.say(
                    f"{guest.check('uname -sr').strip()}, one that only computes has "
                    f"{timer_exits(guest):.0f} exits/s by timers")
            for load in LOADS:
                for name, found in disks.items():
                    row = rows[load, name] = measure(guest, *found, load, options, group.fio())
                    options.progress.step(f"{load[0]} x QD {load[1]}, {name}: "
                                          f"{row['IOPS']:.0f} IOPS")
    finally:
        for side in up:
            side.down()
    return rows


def run_guest_again(devices, group, nulls, options):
    """The emulator breaks a guest now and then, whatever its devices."""
    done = options.progress.done
    for left in reversed(range(TRIES)):
        try:
            return run_guest(devices, group, nulls, options)
        except (GuestError, TimeoutError) as err:
            if not left:
                raise
            options.progress.done = done
            options.progress.say(f"once more: {err}")
    return None


def compare(group, options):
    """{load: {name: [row of each round]}}"""
    rows = {load: {} for load in LOADS}
    made = GROUPS[group]
    nulls = {side.name: vt.NullBlk(f"null-{side.name}", irqmode=1) for side in made.sides}
    for number in range(options.rounds):
        options.progress.say(f"{group}, round {number + 1} of {options.rounds}")
        for devices in made.guests():
            if devices[0].ours:
                sides.load_ours()
            found = run_guest_again(devices, made, nulls, options)
            for (load, name), row in found.items():
                rows[load].setdefault(name, []).append(row)
            if devices[0].ours:
                vt.unload()
    for null in nulls.values():
        null.remove()
    return rows


def ratio(ours, peer):
    """Of each round, for what else the machine did hit both; the median."""
    return statistics.median(a["IOPS"] / b["IOPS"] for a, b in zip(ours, peer))


def table(group, rows, options):
    """Print it; what report.py wants of it."""
    wanted, cpus = GROUPS[group].wanted, GROUPS[group].cpus
    words = [f"{key}={value}" for key, value in GROUPS[group].fio().items()] + options.fio
    how = " ".join(words) or "libaio"
    count = "1 vCPU, 1 queue" if cpus == 1 else f"{cpus} vCPUs, {cpus} queues"
    notes = [f"4k randread, {how}, {count}, on null_blk; medians "
             f"of {options.rounds} runs of {options.seconds} s by turns.",
             f"What serves is on CPU {SERVER}, the vCPUs on CPU {VCPU}; idle_us={RUN_US}. Exits "
             "are all, timers' too; kick exits: writes to a device's registers."]
    print(f"\n{group}: " + "\n".join(notes))
    columns = list(rows[LOADS[0]]["ours"][0])
    head = ["load", "device", *columns, "ours/this"]
    lines = [head]
    for (jobs, depth), runs in rows.items():
        for name, kept in runs.items():
            cells = [statistics.median(row[c] for row in kept) for c in columns]
            lines.append([f"{jobs} x QD {depth}", name, *(f"{cell:.0f}" for cell in cells[:2]),
                          *(f"{cell:.4f}" for cell in cells[2:]),
                          f"{ratio(runs['ours'], kept):.2f}"])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    runs = rows[(1, 32)]
    limits = [side.name for side in GROUPS[group].sides if side.limit]
    peers = [name for name in runs if name != "ours" and name not in limits]
    worst = min(ratio(runs["ours"], runs[name]) for name in peers)
    # Printed, not judged: it depends on what else the machine does.
    verdict = (f"QD 32: {'at least' if worst >= wanted else 'NOT at least'} {wanted:.1f} times "
               f"each of the others ({worst:.2f})")
    # A guest that has no device at all, and no exit, is as fast as one can be.
    verdicts = [verdict] + [
        f"QD 32: {limit} has {ratio(runs[limit], runs[name]):.2f} times the IOPS of {name}, and "
        "no device can have more" for limit in limits for name in peers]
    print("\n".join(verdicts))
    return {"title": f"In a guest: {group}", "notes": notes,
            "lines": [f"{jobs} x QD {depth}: ours is {ratio(kept['ours'], kept[name]):.2f} times "
                      f"{name}" for (jobs, depth), kept in rows.items()
                      for name in kept if name != "ours"] + verdicts,
            "charts": [column for column in columns if column != "exits/IO"],
            "rows": [{"group": f"{jobs} x QD {depth}", "name": name, "figures": {
                column: [row[column] for row in kept] for column in columns}}
                for (jobs, depth), runs in rows.items() for name, kept in runs.items()]}


def main(options):
    options.told = False
    groups = ALL if "all" in options.groups else options.groups or USUAL
    options.progress = Progress(options.rounds * len(LOADS) * sum(
        len(GROUPS[group].sides) for group in groups))
    for group in groups:
        result = table(group, compare(group, options), options)
        if options.json:
            report.save(f"{options.json}-{group}.json", **result)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("-s", "--seconds", type=int, default=3)
    parser.add_argument("--fio", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", metavar="PREFIX", help="for report.py")
    parser.add_argument("groups", nargs="*", choices=[[], "all", *GROUPS])
    try:
        sys.exit(main(parser.parse_args()))
    except (vt.CommandError, GuestError, OSError, KeyError, TimeoutError,
            subprocess.SubprocessError) as err:
        print(f"guests: {type(err).__name__}: {err}", file=sys.stderr)
        sys.exit(1)
