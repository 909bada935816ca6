# SPDX-License-Identifier: GPL-2.0
"""A VM with a drive, which it sees by one device at a time."""

import contextlib
import re
import statistics
import time

import backends
import show
import sides
import usage
import vt
from cpustat import CpuStat
from demo import SERVER, VCPU, Counted
from guest import Guest, GuestError

ROUNDS, SECONDS, TRIES = 3, 5, 3
DEPTHS = (1, 32)
IDLE_SECONDS = 3
DEVICES = (sides.OurBlk("blk"), sides.OurScsi("scsi"), sides.OurNvme("nvme"),
           sides.Lio("lio"), sides.QemuNvme("qemu-nvme"))


def add_options(add):
    add("--backend", default="nvme", choices=("nvme", "null"), help="the drive")
    add("--disk", metavar="PATH", help="another one than the lab's")
    add("--idle-us", type=int, default=50, help="of our poller")
    add("--devices", default=",".join(side.name for side in DEVICES))


def percent(part, whole):
    return 100 * part / whole


def measure(guest, disk, irqs, depth, seconds):
    fio = sides.fio(disk, depth, seconds, size="512m")
    with usage.CpuTimes() as host, usage.ExitReasons() as exits:
        run = Counted(guest, f"grep ^cpu /proc/stat; {fio}; grep ^cpu /proc/stat")
    found = sides.fio_result(run.text)
    before, after = (usage.cpu_times(text) for text in re.split(r"\{.*\}", run.text,
                                                                flags=re.S))
    inside, ios = usage.since(before, after)["cpu"], found["ios"]
    row = {"IOPS": found["iops"], "p50 us": found["p50 us"], "p99 us": found["p99 us"],
           "guest user %": percent(inside["user"], sum(inside.values())),
           "guest system %": percent(inside["system"], sum(inside.values())),
           **{f"host {key} %": percent(host["cpu"][key], host.seconds)
              for key in ("user", "system", "guest")},
           "server us/IO": 1e6 * host.busy(f"cpu{SERVER}") / ios,
           "irqs/IO": sum(n for name, n in run.interrupts.items()
                          if re.search(irqs, name)) / ios,
           "exits/IO": run.exits / ios, "kick exits/IO": run.kick_exits / ios}
    row.update({f"exits/IO: {name}": exits.count.get(name, 0) / ios
                for name in dict.fromkeys(usage.REASONS.values())})
    row["exits/IO: other"] = exits.count.get("other", 0) / ios
    return row


def idle_share(side):
    """Of a CPU that our poller takes while its guest does nothing."""
    if not side.ours or isinstance(side, sides.Emulated):
        return None
    vt.wait_asleep()
    with CpuStat(vt.pollers()[0]["pid"]) as cpu:
        time.sleep(IDLE_SECONDS)
    return 100 * cpu.share


def run_side(side, disk, options):
    """{depth: row}, and our poller's share of a CPU when all is idle."""
    if side.ours:
        sides.load_ours(idle_us=options.idle_us)
    words = side.up(disk)
    try:
        with Guest(words, shared_mem=side.shared_mem) as guest:
            sides.pin_threads(guest)
            found = side.find(guest)
            rows = {depth: measure(guest, *found, depth, options.seconds)
                    for depth in DEPTHS}
            return rows, idle_share(side)
    finally:
        side.down()
        if side.ours:
            vt.unload()


def run_again(side, disk, options, progress):
    """The emulator breaks a guest now and then, whatever its devices."""
    for _ in range(TRIES - 1):
        try:
            return run_side(side, disk, options)
        except (GuestError, TimeoutError) as err:
            progress.say(f"once more: {err}")
    return run_side(side, disk, options)


def measure_all(devices, disk, options):
    """{(depth, name): [row of each round]}, {name: [share when idle]}"""
    progress = show.Progress(options.rounds * len(devices))
    rows, idle = {}, {}
    for number in range(options.rounds):
        first = number % len(devices)
        for side in devices[first:] + devices[:first]:
            found, share = run_again(side, disk, options, progress)
            for depth, row in found.items():
                rows.setdefault((depth, side.name), []).append(row)
            if share is not None:
                idle.setdefault(side.name, []).append(share)
            progress.step(f"round {number + 1}, {side.name}: " + ", ".join(
                f"QD {depth} {row['IOPS']:.0f} IOPS" for depth, row in found.items()))
    return rows, idle


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def print_tables(rows, names):
    columns = list(next(iter(rows.values()))[0])
    heads = [column for column in columns if not column.startswith("exits/IO:")]
    reasons = [column for column in columns if column.startswith("exits/IO:")]
    for part, form in ((heads, lambda key, value: f"{value:.3f}" if "/IO" in key and
                        "us" not in key else f"{value:.0f}"),
                       (reasons, lambda key, value: f"{value:.3f}")):
        lines = [["device", "QD", *(key.removeprefix("exits/IO: ") for key in part)]]
        if part is reasons:
            print("\nexits for an I/O, by reason")
        lines += [[name, str(depth), *(form(key, median(rows[depth, name], key))
                                       for key in part)] for depth in DEPTHS
                  for name in names]
        show.table(lines)


def lines_of(rows, idle, names):
    lines = []
    for depth in DEPTHS:
        for ours, peer in (("scsi", "lio"), ("nvme", "qemu-nvme"), ("blk", "qemu-nvme")):
            if ours in names and peer in names:
                ratio = statistics.median(a["IOPS"] / b["IOPS"] for a, b in zip(
                    rows[depth, ours], rows[depth, peer]))
                lines.append(f"QD {depth}: {ours} has {ratio:.2f} times the IOPS of {peer}")
    for name, shares in idle.items():
        lines.append(f"{name}, guest idle: the poller takes {max(shares):.2f} % of a CPU, "
                     f"{'nothing' if not max(shares) else 'NOT nothing'}")
    return lines


def run(options):
    devices = [side for side in DEVICES if side.name in options.devices.split(",")]
    names = [side.name for side in devices]
    with contextlib.ExitStack() as undo:
        options.irqmode = 1
        disk, what = backends.BACKENDS[options.backend](undo, options)
        rows, idle = measure_all(devices, disk, options)
    notes = [f"One guest with one vCPU and one device at a time, on {what}; 4k randread, 1 "
             f"queue, medians of {options.rounds} rounds of {options.seconds:g} s by turns.",
             f"vCPU on CPU {VCPU}; what serves, and the drive's interrupts it causes, on "
             f"CPU {SERVER}; idle_us={options.idle_us}. host %: of one CPU, of two there are; "
             f"server us: time in which CPU {SERVER} was not idle.",
             "The lab's NVMe drive is the emulator's: it serves on the CPUs of the machine, "
             "and its speed is no drive's. Ratios and counts can be compared."]
    print("\n" + "\n".join(notes))
    print_tables(rows, names)
    return {"title": "A VM with a drive", "notes": notes + [
                f"{side.name}: {side.what}" for side in devices],
            "lines": lines_of(rows, idle, names),
            "charts": ["IOPS", "p50 us", "p99 us", "host system %", "server us/IO",
                       "irqs/IO", "exits/IO"],
            "rows": [{"group": f"QD {depth}", "name": name, "figures": {
                key: [row[key] for row in rows[depth, name]]
                for key in rows[depth, name][0]}} for depth in DEPTHS for name in names]}
