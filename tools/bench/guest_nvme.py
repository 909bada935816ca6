#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guest_nvme.py [-r ROUNDS] [-s SECONDS]

vhost_nvme beside QEMU's emulated nvme device, with and without ioeventfd=on, all
three in one guest, each on a null_blk of its own: 4k random reads at QD 1, 32 and
4 x 32, by turns. Prints IOPS, and per I/O the exits, those for doorbells, and the
guest's interrupts.

	tools/lab/lab run -- python3 tools/bench/guest_nvme.py
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "demo"))

from demo import RUN_US, SERVER, VCPU, Counted, set_idle, timer_exits  # noqa: E402
import vt  # noqa: E402
from guest import Guest, GuestError  # noqa: E402

START = time.monotonic()
LOADS = ((1, 1), (1, 32), (4, 32))	# jobs, queue depth
OURS, PLAIN, EVENTFD = "ours", "qemu", "qemu-ioeventfd"
WANTED = 4.0


def say(text):
    print(f"[{time.monotonic() - START:5.1f} s] {text}", flush=True)


def make_guest(target, nulls):
    words = ["-device", target.qemu_arg]
    for serial, events in ((PLAIN, "off"), (EVENTFD, "on")):
        words += ["-blockdev", f"driver=host_device,node-name={serial},aio=io_uring,"
                  f"filename={nulls[serial].path},cache.direct=on",
                  "-device", f"nvme,drive={serial},serial={serial},ioeventfd={events},"
                  "max_ioqpairs=1"]
    return Guest(words)


def pin_threads(guest):
    """vCPUs on one CPU; QEMU's main loop, which serves its nvme, beside the poller."""
    vt.run("taskset", "-apc", SERVER, guest.pid)
    for vcpu in guest.qmp("query-cpus-fast"):
        vt.run("taskset", "-pc", VCPU, vcpu["thread-id"])


def controller(guest, disk):
    """nvmeN of a disk: part of its interrupts' names."""
    link = guest.check(f"readlink -f /sys/block/{os.path.basename(disk)}/device")
    return os.path.basename(link.strip())


def measure(guest, disk, jobs, depth, seconds):
    run = Counted(guest, vt.fio(disk, "randread", iodepth=depth, numjobs=jobs, size="4g",
                                runtime=seconds, time_based=1, norandommap=1, thread=1,
                                group_reporting=1))
    fio = vt.fio_result(run.text)
    name = controller(guest, disk) + "q"
    irqs = sum(n for irq, n in run.interrupts.items()
               if irq.startswith(name) and irq != name + "0")
    return {"IOPS": fio["iops"], "exits/IO": run.exits / fio["ios"],
            "doorbell exits/IO": run.kick_exits / fio["ios"],
            "irqs/IO": irqs / fio["ios"]}


def compare(guest, disks, options):
    """{load: {who: [row of each round]}}"""
    rows = {load: {who: [] for who in disks} for load in LOADS}
    for number in range(options.rounds):
        for load in LOADS:
            for who, disk in disks.items():
                row = measure(guest, disk, *load, options.seconds)
                rows[load][who].append(row)
                say(f"round {number + 1}, {load[0]} x QD {load[1]}, {who}: "
                    f"{row['IOPS']:.0f} IOPS")
    return rows


def ratio(ours, peer):
    """Of each round, for what else the machine did hit both; the median."""
    return statistics.median(a["IOPS"] / b["IOPS"] for a, b in zip(ours, peer))


def table(rows, options):
    print(f"\n4k randread, 1 vCPU, 1 queue, on null_blk; medians of {options.rounds} "
          f"runs of {options.seconds} s by turns.\nPoller and QEMU's main loop on CPU "
          f"{SERVER}, vCPU on CPU {VCPU}; idle_us={RUN_US}. Exits are all, timers' too;\n"
          "doorbell exits: writes to a device's registers that KVM handled.")
    columns = list(rows[LOADS[0]][OURS][0])
    head = ["load", "device", *columns, "ours/this"]
    lines = [head]
    for (jobs, depth), runs in rows.items():
        for who, kept in runs.items():
            cells = [statistics.median(row[c] for row in kept) for c in columns]
            lines.append([f"{jobs} x QD {depth}", who, f"{cells[0]:.0f}",
                          *(f"{cell:.4f}" for cell in cells[1:]),
                          f"{ratio(runs[OURS], kept):.2f}"])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    runs = rows[(1, 32)]
    worst = min(ratio(runs[OURS], runs[who]) for who in (PLAIN, EVENTFD))
    print(f"QD 32: {'at least' if worst >= WANTED else 'NOT at least'} {WANTED:.0f} times "
          "each of QEMU's")


def main(options):
    vt.load("vfio", idle_us=RUN_US, pollers=SERVER)
    nulls = {who: vt.NullBlk(who, irqmode=1) for who in (OURS, PLAIN, EVENTFD)}
    target = vt.Target(OURS, "--dev", nulls[OURS].path, "--queues", 1, "--vfio", kind="nvme")
    with make_guest(target, nulls) as guest:
        pin_threads(guest)
        found = vt.wait_for("all disks", lambda: len(vt.guest_nvme(guest)) == len(nulls) and
                            vt.guest_nvme(guest))
        disks = {who: found[who] for who in nulls}
        say(f"{guest.check('uname -sr').strip()}; {disks}")
        set_idle(RUN_US)
        say(f"a guest that only computes: {timer_exits(guest):.0f} exits/s by timers")
        rows = compare(guest, disks, options)
        guest.poweroff()
    target.delete()
    vt.unload()
    for null in nulls.values():
        null.remove()
    # Printed, not judged: it depends on what else the machine does.
    table(rows, options)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("-s", "--seconds", type=int, default=4)
    try:
        sys.exit(main(parser.parse_args()))
    except (vt.CommandError, GuestError, OSError, KeyError, TimeoutError,
            subprocess.SubprocessError) as err:
        print(f"guest_nvme: {type(err).__name__}: {err}", file=sys.stderr)
        sys.exit(1)
