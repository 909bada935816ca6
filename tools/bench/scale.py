#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What an I/O costs with more of something: queues, pollers, sessions that are busy
or idle, guest memory. In instructions, counted as count.py does; the points are
measured by curves.py in a lab VM.

	make bench-scale
"""

import argparse
import re
import statistics
import sys

import count
import curves
import report

CPUS = 3		# the client has the first
COUNT = "instructions for an I/O"
BATCH = "requests in a pass"
SHARE = "the busier poller's part"


def points(args):
    """[(curve, kind, x, ios, requests in a pass)] of the runs, in their order."""
    said = count.lab(args.kernel, CPUS, "python3", "tools/bench/curves.py", "--ios", args.ios,
                     "--rounds", args.rounds, "--kinds", args.kinds, "--curves", args.curves)
    found = re.findall(r"^point (\S+) (\S+) (\d+) (\d+) (\S+)$", said, re.M)
    return [(curve, kind, int(x), int(ios), float(batch))
            for curve, kind, x, ios, batch in found]


def figures(curve, ios, batch, cpus):
    """Of one run."""
    kernel = [cpus[cpu][1] for cpu in range(1, CPUS)]
    row = {COUNT: sum(kernel) / ios}
    if curve != "memory":	# of which much is touched for the first time
        row[BATCH] = batch
    if curve == "pollers":
        row[SHARE] = max(kernel) / sum(kernel)
    return row


def rows_of(runs, counted):
    """As in a result of report.py."""
    rows = {}
    for (curve, kind, x, ios, batch), cpus in zip(runs, counted):
        row = rows.setdefault((curve, kind, x), {
            "group": curves.CURVES[curve].what, "name": kind, "x": x, "figures": {}})
        for figure, value in figures(curve, ios, batch, cpus).items():
            row["figures"].setdefault(figure, []).append(value)
    return list(rows.values())


def change_lines(rows):
    """The last point of each curve against its first."""
    lines, series = [], {}
    for row in rows:
        series.setdefault((row["group"], row["name"]), []).append(row)
    for (group, kind), spots in series.items():
        first, last = spots[0], spots[-1]
        a, b = (statistics.median(row["figures"][COUNT]) for row in (first, last))
        lines.append(f"{group}: {kind}, {first['x']} to {last['x']}: {a:.0f} to {b:.0f} "
                     f"instructions for an I/O, {b / a - 1:+.1%}")
    return lines


def print_rows(rows):
    for row in rows:
        print(f"{row['group']}: {row['name']:>10} {row['x']:5}: " + ", ".join(
            f"{figure} {report.number(statistics.median(values))}"
            for figure, values in row["figures"].items()))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--kernel", default="6.12")
    p.add_argument("--kinds", default=",".join(curves.KINDS))
    p.add_argument("--curves", default=",".join(curves.CURVES))
    p.add_argument("--ios", type=int, default=10000, help="of each run")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--json", metavar="FILE", help="for report.py")
    args = p.parse_args()
    count.build(args.kernel)
    runs, counted = points(args), count.counts()
    if len(runs) != len(counted):
        sys.exit(f"scale: {len(runs)} runs, {len(counted)} counts")
    rows = rows_of(runs, counted)
    print_rows(rows)
    lines = change_lines(rows)
    print("\n".join(lines))
    if args.json:
        report.save(args.json, title="What more of it costs",
                    notes=[f"4k randread, QD {curves.DEPTH} for each queue, null_blk, no guest; "
                           f"medians of {args.rounds} runs of {args.ios}; idle_us=0. Instructions "
                           "of the host's kernel on the pollers' CPUs: what more CPUs would "
                           "do at a time cannot be shown on two."],
                    lines=lines, rows=rows, charts=[], curves=[COUNT])


if __name__ == "__main__":
    sys.exit(main())
