#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guests.py [-r ROUNDS] [-s SECONDS] [--fio KEY=VALUE]... [blk | scsi | nvme]...

The devices a stock QEMU can give its guest, beside each other, each on a null_blk
of its own: 4k random reads at QD 1, 32 and 4 x 32, by turns, in one boot of the
host VM. Prints IOPS, and per I/O the exits, those for doorbells and kicks, and the
disk's interrupts in the guest.

	tools/lab/lab run -- python3 tools/bench/guests.py scsi
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "demo"))

import peers  # noqa: E402
import report  # noqa: E402
from demo import RUN_US, SERVER, VCPU, Counted, timer_exits  # noqa: E402
import vt  # noqa: E402
from guest import Guest, GuestError  # noqa: E402

START = time.monotonic()
LOADS = ((1, 1), (1, 32), (4, 32))	# jobs, queue depth
TRIES = 3


def say(text):
    print(f"[{time.monotonic() - START:5.1f} s] {text}", flush=True)


class Side:
    """One device on a null_blk. Its disk in the guest is the one with @attr = @value."""

    attr = "vd*/serial"

    def __init__(self, name, options=""):
        self.name = self.value = name
        self.options = options

    def up(self, disk):
        """QEMU's words for it."""
        raise NotImplementedError

    def down(self):
        pass


class OurBlk(Side):
    def up(self, disk):
        self.target = vt.Target(self.name, "--dev", disk, "--queues", 1, "--vdpa",
                                "--serial", self.name)
        return ["-device", self.target.qemu_arg]

    def down(self):
        self.target.delete()


class OurScsi(OurBlk):
    attr = "sd*/device/model"

    def up(self, disk):
        self.target = vt.Target(self.name, "--dev", disk, "--queues", 1,
                                "--product", self.name, kind="scsi")
        return ["-device", f"vhost-scsi-pci,wwpn={self.target.made['wwpn']}"]


class OurNvme(OurBlk):
    attr = "nvme*/device/serial"

    def up(self, disk):
        self.target = vt.Target(self.name, "--dev", disk, "--queues", 1, "--vfio",
                                kind="nvme")
        return ["-device", self.target.qemu_arg]


class Lio(Side):
    attr = "sd*/device/vendor"

    def __init__(self, name):
        super().__init__(name)
        self.value = "LIO-ORG"

    def up(self, disk):
        self.peer = peers.Lio(disk)
        self.peer.up()
        return ["-device", f"vhost-scsi-pci,wwpn={self.peer.target},num_queues=1"]

    def down(self):
        self.peer.down()


class Emulated(Side):
    """A device of QEMU's own on a block node named as the side."""

    def node(self, disk):
        return ["-blockdev", f"driver=host_device,node-name={self.name},aio=io_uring,"
                f"filename={disk},cache.direct=on"]

    def device(self, driver):
        return ["-device", f"{driver}drive={self.name},serial={self.name}{self.options}"]


class QemuBlk(Emulated):
    def up(self, disk):
        return [*self.node(disk), "-object", f"iothread,id=io-{self.name}",
                *self.device(f"virtio-blk-pci,num-queues=1,iothread=io-{self.name},")]


class QemuScsi(Emulated):
    attr = "sd*/device/model"

    def up(self, disk):
        bus = f"hba-{self.name}"
        return [*self.node(disk), "-object", f"iothread,id=io-{self.name}", "-device",
                f"virtio-scsi-pci,id={bus},num_queues=1,iothread=io-{self.name}",
                *self.device(f"scsi-hd,bus={bus}.0,product={self.name},")]


class QemuNvme(Emulated):
    attr = "nvme*/device/serial"

    def up(self, disk):
        return [*self.node(disk), *self.device("nvme,max_ioqpairs=1,")]


# For each type: how many times each other's IOPS ours is to have at QD 32, and the
# guests, by whose modules have to be loaded, with their devices.
GROUPS = {
    "blk": (2.5, (("ours", (OurBlk("ours"), QemuBlk("qemu"))),)),
    "scsi": (2.0, (("ours", (OurScsi("ours"), QemuScsi("qemu"))),
                   ("theirs", (Lio("lio"),)))),
    "nvme": (4.0, (("ours", (OurNvme("ours"), QemuNvme("qemu"),
                             QemuNvme("qemu-ioeventfd", ",ioeventfd=on"))),)),
}


def load_ours():
    vt.load(idle_us=RUN_US, pollers=SERVER)
    vt.load_nvme()


def pin_threads(guest):
    """vCPUs on one CPU; all that serves their devices on the poller's."""
    vt.run("taskset", "-apc", SERVER, guest.pid)
    for vcpu in guest.qmp("query-cpus-fast"):
        vt.run("taskset", "-pc", VCPU, vcpu["thread-id"])


def find_disk(guest, side):
    """(disk, pattern of its queue's interrupt) once it is there."""
    def look():
        _, text = guest.run(
            f"cd /sys/block; for f in {side.attr}; do [ -e $f ] && "
            f"[ \"$(echo $(cat $f))\" = {side.value} ] && d=${{f%%/*}} && "
            "echo $d $(readlink -f $d/device); done; true")
        return text.split()

    disk, path = vt.wait_for(f"the disk of {side.name}", look)
    driver = re.search(r"virtio\d+|nvme\d+", path)[0]
    return f"/dev/{disk}", rf"^{driver}(-req|q[1-9])"


def measure(guest, disk, irqs, load, options):
    jobs, depth = load
    run = Counted(guest, vt.fio(
        disk, "randread", iodepth=depth, numjobs=jobs, size="4g", thread=1,
        runtime=options.seconds, time_based=1, norandommap=1, group_reporting=1,
        **dict(word.split("=") for word in options.fio)))
    fio = vt.fio_result(run.text)
    return {"IOPS": fio["iops"], "exits/IO": run.exits / fio["ios"],
            "kick exits/IO": run.kick_exits / fio["ios"],
            "irqs/IO": sum(n for name, n in run.interrupts.items()
                           if re.search(irqs, name)) / fio["ios"]}


def run_guest(sides, nulls, options):
    """One guest with these devices: one run of each with each load; {(load, name): row}"""
    words = [word for side in sides for word in side.up(nulls[side.name].path)]
    rows = {}
    try:
        with Guest(words) as guest:
            pin_threads(guest)
            disks = {side.name: find_disk(guest, side) for side in sides}
            if not options.told:
                options.told = True
                say(f"{guest.check('uname -sr').strip()}, one that only computes has "
                    f"{timer_exits(guest):.0f} exits/s by timers")
            for load in LOADS:
                for name, found in disks.items():
                    row = rows[load, name] = measure(guest, *found, load, options)
                    say(f"{load[0]} x QD {load[1]}, {name}: {row['IOPS']:.0f} IOPS")
    finally:
        for side in sides:
            side.down()
    return rows


def run_guest_again(*args):
    """The emulator breaks a guest now and then, whatever its devices."""
    for left in reversed(range(TRIES)):
        try:
            return run_guest(*args)
        except (GuestError, TimeoutError) as err:
            if not left:
                raise
            say(f"once more: {err}")
    return None


def compare(group, options):
    """{load: {name: [row of each round]}}"""
    _, guests = GROUPS[group]
    rows = {load: {} for load in LOADS}
    names = [side.name for _, sides in guests for side in sides]
    nulls = {name: vt.NullBlk(f"null-{name}", irqmode=1) for name in names}
    for number in range(options.rounds):
        say(f"{group}, round {number + 1} of {options.rounds}")
        for whose, sides in guests:
            if whose == "ours":
                load_ours()
            for (load, name), row in run_guest_again(sides, nulls, options).items():
                rows[load].setdefault(name, []).append(row)
            if whose == "ours":
                vt.unload()
    for null in nulls.values():
        null.remove()
    return rows


def ratio(ours, peer):
    """Of each round, for what else the machine did hit both; the median."""
    return statistics.median(a["IOPS"] / b["IOPS"] for a, b in zip(ours, peer))


def table(group, rows, options):
    """Print it; what report.py wants of it."""
    wanted, _ = GROUPS[group]
    how = " ".join(options.fio) or "libaio"
    notes = [f"4k randread, {how}, 1 vCPU, 1 queue, on null_blk; medians "
             f"of {options.rounds} runs of {options.seconds} s by turns.",
             f"What serves is on CPU {SERVER}, the vCPU on CPU {VCPU}; idle_us={RUN_US}. Exits "
             "are all, timers' too; kick exits: writes to a device's registers."]
    print(f"\n{group}: " + "\n".join(notes))
    columns = list(rows[LOADS[0]]["ours"][0])
    head = ["load", "device", *columns, "ours/this"]
    lines = [head]
    for (jobs, depth), runs in rows.items():
        for name, kept in runs.items():
            cells = [statistics.median(row[c] for row in kept) for c in columns]
            lines.append([f"{jobs} x QD {depth}", name, f"{cells[0]:.0f}",
                          *(f"{cell:.4f}" for cell in cells[1:]),
                          f"{ratio(runs['ours'], kept):.2f}"])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    runs = rows[(1, 32)]
    worst = min(ratio(runs["ours"], kept) for name, kept in runs.items() if name != "ours")
    # Printed, not judged: it depends on what else the machine does.
    verdict = (f"QD 32: {'at least' if worst >= wanted else 'NOT at least'} {wanted:.1f} times "
               f"each of the others ({worst:.2f})")
    print(verdict)
    return {"title": f"In a guest: {group}", "notes": notes,
            "lines": [f"{jobs} x QD {depth}: ours is {ratio(kept['ours'], kept[name]):.2f} times "
                      f"{name}" for (jobs, depth), kept in rows.items()
                      for name in kept if name != "ours"] + [verdict],
            "charts": columns[:1] + columns[2:],
            "rows": [{"group": f"{jobs} x QD {depth}", "name": name, "figures": {
                column: [row[column] for row in kept] for column in columns}}
                for (jobs, depth), runs in rows.items() for name, kept in runs.items()]}


def main(options):
    options.told = False
    for group in options.groups or GROUPS:
        result = table(group, compare(group, options), options)
        if options.json:
            report.save(f"{options.json}-{group}.json", **result)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("-s", "--seconds", type=int, default=4)
    parser.add_argument("--fio", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", metavar="PREFIX", help="for report.py")
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS])
    try:
        sys.exit(main(parser.parse_args()))
    except (vt.CommandError, GuestError, OSError, KeyError, TimeoutError,
            subprocess.SubprocessError) as err:
        print(f"guests: {type(err).__name__}: {err}", file=sys.stderr)
        sys.exit(1)
