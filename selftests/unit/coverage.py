#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""coverage.py MIN DIR: which lines of drivers/ the programs in DIR have reached.

They were built for gcov. Fails if a source file is below MIN per cent. Of branches it is
only told which were not taken.
"""

import collections
import glob
import itertools
import json
import os
import subprocess
import sys

# What is summed up: a name, and the files (or directories) that belong to it.
GROUPS = [
    ("rings", ["core/vring", "core/vq.c", "core/chain.c"]),
    ("queues", ["core/queue", "core/req.c", "core/req_data.c", "core/rmw.c",
                "core/session.c", "core/vdev.c", "core/moderate"]),
    ("virtio-blk", ["blk/"]),
    ("virtio-scsi", ["scsi/"]),
    ("CDBs", ["scsi/lu/", "core/pi.c"]),
    ("NVMe", ["nvme/"]),
    ("PRPs, SGLs", ["nvme/dptr.c"]),
    ("reservations", ["core/resv"]),
    ("control", ["core/ctl.c", "core/ioctl.c"]),
    ("PCI", ["doors/"]),
]


class Line:
    """How often it was reached, and how often each branch in it was taken."""

    def __init__(self):
        self.count = 0
        self.branches = []


def gcov(where):
    """What gcov says of each object, as dictionaries."""
    data = glob.glob(os.path.join(glob.escape(where), "drv", "**", "*.gcda"), recursive=True)
    if not data:
        sys.exit(f"coverage: nothing of {where} has run")
    text = subprocess.run(["gcov", "--branch-probabilities", "--json-format", "--stdout",
                           *data], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def add(files, doc):
    for file in doc["files"]:
        name = os.path.realpath(os.path.join(doc["current_working_directory"], file["file"]))
        _, found, name = name.partition("/drivers/")
        if not found:
            continue
        for line in file["lines"]:
            of = files[name].setdefault(line["line_number"], Line())
            of.count += line["count"]
            # A function of a header is in several objects, and alike in all.
            taken = [b["count"] for b in line["branches"]]
            of.branches = [sum(n) for n in
                           itertools.zip_longest(of.branches, taken, fillvalue=0)]


def percent(counts):
    return 100 * sum(1 for n in counts if n) / len(counts) if counts else 100


def ranges(numbers):
    """Line numbers as 3-5,9."""
    parts = []
    for n in numbers:
        if parts and parts[-1][1] == n - 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def in_group(name, paths):
    fits = max((len(p) for p in paths if name.startswith(p)), default=0)
    other = max((len(p) for _, ps in GROUPS for p in ps if name.startswith(p)),
                default=0)
    return fits and (fits == other or paths == ["nvme/"])


def row(name, lines):
    counts = [line.count for line in lines]
    branches = [n for line in lines for n in line.branches]
    return (f"{name:30}{len(counts):7}{percent(counts):7.1f}{counts.count(0):8}"
            f"{len(branches):10}{percent(branches):7.1f}{branches.count(0):8}")


def report(files, least):
    low = 0
    print(f"{'file':30}{'lines':>7}{'%':>7}{'missed':>8}{'branches':>10}{'%':>7}{'missed':>8}")
    for name, lines in sorted(files.items()):
        missed = sorted(n for n, line in lines.items() if not line.count)
        # A header has a few lines: in the sums, but not by itself.
        too_low = (name.endswith(".c") and
                   percent([line.count for line in lines.values()]) < least)
        low += too_low
        some = sorted(n for n, line in lines.items() if line.count and
                      not all(line.branches))
        print(row(name, lines.values()) +
              f"  {ranges(missed)}{'  <-- too low' if too_low else ''}" +
              (f"  branches at {ranges(some)}" if some else ""))
    print()
    for group, paths in GROUPS + [("all", [""])]:
        lines = [line for name, of in files.items() for line in of.values()
                 if group == "all" or in_group(name, paths)]
        if lines:
            print(row(group, lines))
    return low


def main():
    least, where = float(sys.argv[1]), sys.argv[2]
    files = collections.defaultdict(dict)
    for doc in gcov(where):
        add(files, doc)
    low = report(files, least)
    print(f"{len(files) - low} passed, {low} failed")
    sys.exit(low != 0)


main()
