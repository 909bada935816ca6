#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The path from a queue to a disk and back, of several peers by turns, in
one boot. Runs in a lab VM (make bench); Documentation/bench.md says what the
figures can show there.

	tools/lab/lab run -- python3 tools/bench/bench.py --rounds 9
"""

import argparse
import contextlib
import dataclasses
import statistics
import subprocess
import sys

import backends
import peers
import report
import show
import vt


class Figure:
    """A comparison: @ours is to reach @wanted {depth: ratio} of @peer."""

    def __init__(self, ours, peer, wanted):
        self.ours, self.peer, self.wanted = ours, peer, wanted


FIGURES = {
    "scsi": Figure("scsi", "lio", {1: 1.0, 32: 2.0}),
    "scsi-direct": Figure("scsi", "lio-direct", {1: 1.0, 32: 2.0}),
    "nvme": Figure("nvme", "blk", {1: 1.0, 32: 1.0}),
    "nvme-trap": Figure("nvme-trap", "blk", {1: 1.0, 32: 1.0}),
    "polled": Figure("polled", "vdpa", {1: 1.0, 32: 1.0}),
    "qsd": Figure("vdpa", "qsd", {32: 1.5}),
    "vduse": Figure("vdpa", "vduse", {32: 3.0}),
    "raw": Figure("vdpa", "raw", {32: 0.9}),
    "uring": Figure("vdpa", "uring", {32: 0.9}),
}

# Of the latency that the best of these adds to the disk's, ours: a half at most.
BASES = ("raw", "uring")
ADDED, ADDED_PEERS, ADDED_WANTED = "vdpa", ("qsd", "vduse"), 0.5


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--figures", default="scsi,scsi-direct,nvme,qsd,vduse,raw,uring",
                   help="of " + ", ".join(FIGURES))
    p.add_argument("--also", default="", help="more peers, of " + ", ".join(peers.PEERS))
    p.add_argument("--peer", action="append", default=[], metavar="NAME=vhost-user:PATH",
                   help="one more, that is there already")
    p.add_argument("--backend", default="null", choices=backends.BACKENDS,
                   help="the disk that is served")
    p.add_argument("--disk", metavar="PATH", help="where that lies; it is written to")
    p.add_argument("--depths", default="1,32", help="4x32: of each of 4 queues")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--ios", type=int, help="of each run, instead of seconds")
    p.add_argument("--runs", action="store_true", help="a line for each run (count.py)")
    p.add_argument("--rw", default="randread")
    p.add_argument("--bs", type=int, default=4096)
    p.add_argument("--calls", action="store_true", help="the client sleeps")
    p.add_argument("--idle-us", type=int, default=50, help="of our poller")
    p.add_argument("--irqmode", type=int, default=1, help="of null_blk: 0 at once, "
                   "1 by the CPU that submitted, 2 after 10 us")
    p.add_argument("--json", metavar="FILE", help="for report.py")
    return p.parse_args()


@dataclasses.dataclass(frozen=True)
class Load:
    """I/Os of @bs bytes, @depth of them in flight in each of so many queues."""

    depth: int
    queues: int = 1
    rw: str = "randread"
    bs: int = 4096

    def __str__(self):
        return f"QD {self.depth}" if self.queues == 1 else f"{self.queues} x QD {self.depth}"

    def words(self, args):
        words = ["--rw", self.rw, "--bs", self.bs, "--depth", self.depth, "--queues",
                 self.queues, *(["--ios", args.ios] if args.ios else
                                ["--seconds", args.seconds])]
        return words + (["--calls"] if args.calls else [])


def loads_of(depths, **more):
    """Of words like 32 and 4x32."""
    loads = []
    for word in depths.split(","):
        queues, _, depth = word.rpartition("x")
        loads.append(Load(int(depth), int(queues or 1), **more))
    return loads


def run_peer(args, peer, load):
    """One run's figures, and per I/O what was counted beside."""
    before = peer.counters()
    row = peer.run(load.words(args))
    after = peer.counters()
    row.update({key: after[key] - before[key] for key in before})
    if args.runs:
        print(f"run {peer.name} {load.depth} {row['ios']}", flush=True)
    return row


def measure(args, names, loads, disk):
    """{(peer, load): [row of each round]}. Who begins changes with the round; what is
    counted does not change with time, so that a peer does all its rounds at once."""
    rows = {(name, load): [] for name in names for load in loads}
    rounds, runs = (1, args.rounds) if args.runs else (args.rounds, 1)
    progress = show.Progress(rounds)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            peer = peers.PEERS[name](disk)
            peer.queues = max(load.queues for load in loads)
            try:
                peer.up()
                if isinstance(peer, peers.Ours):
                    vt.ctl("poller", "set", vt.pollers()[0]["id"], "--idle-us", args.idle_us)
                for load in loads * runs:
                    rows[name, load].append(run_peer(args, peer, load))
            finally:
                peer.down()
        progress.step(f"round {number + 1}: " + ", ".join(
            f"{name} " + "/".join(f"{rows[name, load][-1]['iops']:.0f}" for load in loads)
            for name in names))
    return rows


def middle_half(values):
    """(lowest, highest)."""
    if len(values) < 4:
        return min(values), max(values)
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def spread(values):
    low, high = middle_half(values)
    return high - low


def per_io(rows, key, scale=1.0):
    values = [row[key] * scale / row["ios"] for row in rows if key in row]
    return f"{statistics.median(values):.3g}" if values else "-"


COLUMNS = {
    "IOPS": lambda rows: f"{statistics.median(r['iops'] for r in rows):.0f}",
    "+-": lambda rows: "{:.0%}".format(
        spread([r["iops"] for r in rows]) / 2 / statistics.median(r["iops"] for r in rows)),
    "p50 us": lambda rows: f"{statistics.median(r['lat_ns']['p50'] for r in rows) / 1e3:.0f}",
    "p99 us": lambda rows: f"{statistics.median(r['lat_ns']['p99'] for r in rows) / 1e3:.0f}",
    "kicks/IO": lambda rows: per_io(rows, "kicks"),
    "calls/IO": lambda rows: per_io(rows, "calls"),
    "switches/IO": lambda rows: per_io(rows, "switches"),
    "host us/IO": lambda rows: per_io(rows, "host_busy", 1e6),
    "poller us/IO": lambda rows: per_io(rows, "poller busy", 1e6),
}


def print_table(names, loads, rows):
    lines = [("peer", "load", *COLUMNS)]
    for load in loads:
        for name in names:
            lines.append((name, str(load), *(column(rows[name, load])
                                             for column in COLUMNS.values())))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)))
    for name in names:
        print(f"{name}: {peers.PEERS[name].what}")


def results(names, loads, rows):
    """For report.py."""
    return [{"group": str(load), "name": name, "figures": {
        "IOPS": [row["iops"] for row in rows[name, load]],
        **{f"{what} us": [row["lat_ns"][key] / 1e3 for row in rows[name, load]]
           for key, what in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9"))
           if key in rows[name, load][0]["lat_ns"]}}}
        for load in loads for name in names]


def ratio(ours, peer):
    """(The ratio of the rounds, ends of its middle half), the first None unless they agree
    on which side of 1 it is. Ratios are compared as such: twice as much is as far
    from 1 as half of it."""
    ratios = [a["iops"] / b["iops"] for a, b in zip(ours, peer)]
    middle, (low, high) = statistics.median(ratios), middle_half(ratios)
    return None if high / low > max(middle, 1 / middle) else middle, low, high


def ratio_line(figure, load, rows):
    middle, low, high = ratio(rows[figure.ours, load], rows[figure.peer, load])
    head = f"{figure.ours}/{figure.peer} at {load}: "
    if middle is None:
        return head + (f"no ratio: half of the rounds say {low:.2f} to {high:.2f}, "
                       "the others less or more")
    return head + f"{middle:.2f} ({low:.2f} to {high:.2f}){verdict(figure, load, low, high)}"


def verdict(figure, load, low, high):
    wanted = figure.wanted.get(load.depth)
    if not wanted or load.queues > 1:
        return ""
    if low >= wanted:
        return f", at least {wanted:g}"
    return f", {'NOT' if high < wanted else 'perhaps'} {wanted:g}"


def added_lines(names, loads, rows):
    """What each peer adds to the latency of the disk, and ours to the best of others."""
    lines = []
    one = next((load for load in loads if load.depth == load.queues == 1), None)
    for base in BASES:
        if base not in names or not one:
            continue
        added = {name: [(a["lat_ns"]["p50"] - b["lat_ns"]["p50"]) / 1e3
                        for a, b in zip(rows[name, one], rows[base, one])]
                 for name in names if name not in BASES}
        lines.append(f"added p50 latency over {base} at QD 1: " + ", ".join(
            f"{name} {statistics.median(values):.1f} us" for name, values in added.items()))
        others = [name for name in ADDED_PEERS if name in added]
        if ADDED in added and others:
            best = min(others, key=lambda name: statistics.median(added[name]))
            lines.append(f"added over {base} by {ADDED}/by {best} at QD 1: "
                         + added_ratio(added[ADDED], added[best]))
    return lines


def added_ratio(ours, theirs):
    if min(theirs) <= 0:
        return "no ratio: there are rounds in which the other adds nothing"
    ratios = [a / b for a, b in zip(ours, theirs)]
    ratio, (low, high) = statistics.median(ratios), middle_half(ratios)
    if low < 1 < high:
        return f"no ratio: half of the rounds say {low:.2f} to {high:.2f}"
    good = "at most" if high <= ADDED_WANTED else "NOT" if low > ADDED_WANTED else "perhaps"
    return f"{ratio:.2f} ({low:.2f} to {high:.2f}), {good} {ADDED_WANTED:g}"


def pick(args):
    """The figures, and the names of all peers they and the options want."""
    others = [peers.add(text) for text in args.peer]
    figures = [FIGURES[name] for name in args.figures.split(",") if name]
    figures += [Figure(ADDED, name, {}) for name in others]
    wanted = [n for f in figures for n in (f.ours, f.peer)] + args.also.split(",")
    return figures, [name for name in peers.PEERS if name in wanted]


def run_all(args, names, loads):
    """What the disk is, and the rows."""
    with contextlib.ExitStack() as undo:
        path, what = backends.BACKENDS[args.backend](undo, args)
        undo.callback(peers.unload_core)
        return what, measure(args, names, loads, path)


def main():
    args = parse()
    figures, names = pick(args)
    loads = loads_of(args.depths, rw=args.rw, bs=args.bs)
    disk, rows = run_all(args, names, loads)
    notes = [f"{args.rw}, {args.bs} bytes; medians of {args.rounds} rounds of "
             f"{args.seconds:g} s by turns, and half of the spread of the middle half.",
             f"Client on CPU {peers.CLIENT_CPU}, {'sleeping' if args.calls else 'spinning'}; "
             f"poller (idle_us={args.idle_us}), worker, daemon on CPU {peers.SERVER_CPU}; "
             f"the disk: {disk}."]
    print("\n" + "\n".join(notes))
    print_table(names, loads, rows)
    ratios = [ratio_line(figure, load, rows) for figure in figures for load in loads]
    ratios += added_lines(names, loads, rows)
    print("\n".join(ratios))
    if args.json:
        report.save(args.json, title="From a queue to a disk, without a guest",
                    notes=notes + [f"{name}: {peers.PEERS[name].what}" for name in names],
                    lines=ratios, rows=results(names, loads, rows),
                    charts=["IOPS", "p99 us"])


if __name__ == "__main__":
    try:
        main()
    except (vt.CommandError, OSError, KeyError, ValueError, TimeoutError,
            subprocess.SubprocessError) as err:
        print(f"bench: {type(err).__name__}: {err}", file=sys.stderr)
        sys.exit(1)
