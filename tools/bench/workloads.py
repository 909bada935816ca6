#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""workloads.py [--backends LIST] [--workloads LIST] ...

The paths of bench.py over all workloads and disks: for each disk a table of the ratios,
a line for each workload and depth. Runs in a lab VM (make bench-workloads).

	tools/lab/lab run --nvme size=1G,ioqpairs=4,poll=2 -- \\
		python3 tools/bench/workloads.py --backends file,thin
"""

import argparse
import contextlib
import subprocess
import sys

import backends
import bench
import peers
import report
import vt

WORKLOADS = {
    "randread": ("4k random reads", {"rw": "randread", "bs": 4096}),
    "randwrite": ("4k random writes", {"rw": "randwrite", "bs": 4096}),
    "mixed": ("4k random, 70 of 100 read", {"rw": "randrw", "bs": 4096}),
    "read": ("128k reads in order", {"rw": "read", "bs": 131072}),
    "write": ("128k writes in order", {"rw": "write", "bs": 131072}),
}
RATIOS = (("scsi", "lio"), ("vdpa", "qsd"), ("vdpa", "vduse"), ("vdpa", "uring"),
          ("nvme", "uring"), ("polled", "uring"))
POLLED = ("nvme",)		# disks with queues to poll


def names_on(backend, args):
    return [name for name in args.peers.split(",") if name != "polled" or backend in POLLED]


def compare(backend, args):
    """What the disk is, and {(peer, load): rows}."""
    loads = [load for name in args.workloads.split(",")
             for load in bench.loads_of(args.depths, **WORKLOADS[name][1])]
    with contextlib.ExitStack() as undo:
        path, what = backends.BACKENDS[backend](undo, args)
        undo.callback(peers.unload_core)
        return what, bench.measure(args, names_on(backend, args), loads, path)


def cell(ours, peer):
    middle, low, high = bench.ratio(ours, peer)
    if middle is None:
        return f"({low:.2f} to {high:.2f})"
    return f"{middle:.2f}"


def name_of(load):
    what = next(what for what, words in WORKLOADS.values()
                if (words["rw"], words["bs"]) == (load.rw, load.bs))
    return f"{what}, {load}"


def lines_of(rows, names):
    """(head, lines) of the ratios."""
    pairs = [(ours, peer) for ours, peer in RATIOS if ours in names and peer in names]
    loads = list(dict.fromkeys(load for _, load in rows))
    head = ["load", *(f"{ours}/{peer}" for ours, peer in pairs)]
    return head, [[name_of(load), *(cell(rows[ours, load], rows[peer, load])
                                    for ours, peer in pairs)] for load in loads]


def show(backend, args):
    what, rows = compare(backend, args)
    names = names_on(backend, args)
    notes = [f"The disk: {what}. Ratios of IOPS, medians of {args.rounds} rounds of "
             f"{args.seconds:g} s by turns; in brackets what the rounds say where they do "
             "not agree on which is faster.",
             f"Client on CPU {peers.CLIENT_CPU}, spinning; poller (idle_us={args.idle_us}), "
             f"worker, daemon on CPU {peers.SERVER_CPU}."]
    head, lines = lines_of(rows, names)
    print("\n" + "\n".join(notes))
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    for line in [head, *lines]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    if args.json:
        report.save(f"{args.json}-{backend}.json", title=f"Workloads: {backend}",
                    notes=notes + [f"{name}: {peers.PEERS[name].what}" for name in names],
                    lines=[": ".join((line[0], ", ".join(
                        f"{pair} {text}" for pair, text in zip(head[1:], line[1:]))))
                        for line in lines],
                    rows=[{"group": name_of(load), "name": name, "figures": {
                        "IOPS": [row["iops"] for row in kept],
                        "p50 us": [row["lat_ns"]["p50"] / 1e3 for row in kept],
                        "p99 us": [row["lat_ns"]["p99"] / 1e3 for row in kept]}}
                        for load in dict.fromkeys(load for _, load in rows)
                        for name, kept in ((name, rows[name, load]) for name in names)],
                    charts=[])


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--backends", default=",".join(backends.BACKENDS))
    p.add_argument("--disk", metavar="PATH", help="where those lie; it is written to")
    p.add_argument("--workloads", default=",".join(WORKLOADS))
    p.add_argument("--peers", default="scsi,lio,vdpa,polled,nvme,qsd,vduse,uring")
    p.add_argument("--depths", default="1,32,4x32")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=0.5)
    p.add_argument("--idle-us", type=int, default=50, help="of our poller")
    p.add_argument("--irqmode", type=int, default=1, help="of null_blk")
    p.add_argument("--json", metavar="PREFIX", help="for report.py")
    p.set_defaults(ios=None, calls=False, runs=False)
    args = p.parse_args()
    for backend in args.backends.split(","):
        show(backend, args)


if __name__ == "__main__":
    try:
        main()
    except (vt.CommandError, OSError, KeyError, ValueError, TimeoutError,
            subprocess.SubprocessError) as err:
        print(f"workloads: {type(err).__name__}: {err}", file=sys.stderr)
        sys.exit(1)
