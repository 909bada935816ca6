#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""run.py [-l] [NAME]... [-x NAME...]

Runs the tests of the files beside this one inside L1, all or those named, but
not those after -x. A NAME is a GROUP, FILE, TEST or FILE.TEST; -l lists them. Groups
are blk, scsi, nvme; and two_cpus, of which no test is in one of those:

	tools/lab/lab run --nvme size=1G -- python3 selftests/vm/run.py life

KTAP; the last line is "N passed, N failed, N skipped".
"""

import importlib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import bed  # noqa: E402
from guest import Guest  # noqa: E402
from qmp import QmpError  # noqa: E402

# A group's name stands for all its files, and for the tests of these files that
# are registered for it.
EACH = ("host_disk", "firmware", "crash", "vmm", "life", "lower_faults", "polled")
GROUPS = {
    "blk": ("control", "host_vdpa", "stock_qemu", "counts", "backend_faults",
            "file_faults", "host_suspend", "soak"),
    "scsi": ("scsi_host", "scsi_pi", "scsi_fence", "scsi_peers", "scsi_suite",
             "scsi_qemu"),
    "nvme": ("nvme_qemu", "nvme_live"),
}
# Their tests take turns, one by one.
TURNS = ("control", "host_vdpa", "stock_qemu", "backend_faults", "file_faults", "scsi_host",
         "scsi_fence", "scsi_qemu", "nvme_qemu")
# Last is what the emulated machine may not get over quite: CPUs that go and come.
FILES = (EACH[0], *sum(GROUPS.values(), ()), *EACH[1:], "host_cpus")
TRIES = 3


def groups_of(file, function):
    if function.cpus > 1:
        return {"two_cpus"}
    if file in EACH:
        return {function.group}
    return {group for group, files in GROUPS.items() if file in files}


def in_turn(function, number):
    """TURN=0 or TURN=1: what has turns is done in one of them."""
    turn = os.environ.get("TURN")
    own = function.turn
    if own is None and function.__module__ in TURNS:
        own = number % 2
    return not turn or own in (None, int(turn))


def collect(names, but):
    """(full name, function) of each; hot_plug and life.hot_plug stand for it with
    every type, "life.hot_plug[blk]" for one."""
    tests = []
    for file in FILES:
        importlib.import_module(file)
        own = [function for function in bed.TESTS if function.__module__ == file]
        for number, function in enumerate(own):
            name = function.__name__
            base = name.split("[")[0]
            full = f"{file}.{name}"
            called = {file, full, name, base, f"{file}.{base}", *groups_of(file, function)}
            if (not names or called & set(names)) and not called & set(but) \
                    and in_turn(function, number):
                tests.append((full, function))
    return tests


def comment(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def run_once(function):
    """("ok" | "not ok" | "skip", reason)"""
    ground = bed.Bed(function.driver, function.params)
    try:
        with ground:
            function(ground)
    except bed.Skip as err:
        return "skip", str(err)
    except (*bed.FAILURES, QmpError) as err:
        lines = [f"{os.path.basename(f.filename)}:{f.lineno}"
                 for f in traceback.extract_tb(err.__traceback__)
                 if f.filename.startswith(HERE)]
        return "not ok", f"{' '.join(lines)}: {type(err).__name__}: {err}"
    finally:
        for note in ground.notes:
            comment(note)
    return "ok", ""


def run_one(function):
    """The same, tried again when it was the emulator that ended a guest; and once
    when a guest runs but gives no answer, which it brings about as well."""
    silent = 0
    for _ in range(TRIES):
        faults, before = len(Guest.emulator_faults), Guest.silent
        word, reason = run_once(function)
        silent += Guest.silent - before
        if word != "not ok":
            break
        if len(Guest.emulator_faults) > faults:
            comment(f"a fault of the emulator: {Guest.emulator_faults[-1]}")
        elif silent == 1 and Guest.silent > before:
            comment(f"once more: {reason}")
        else:
            break
    return word, reason


def main(names):
    os.environ["DM_DISABLE_UDEV"] = "1"
    listing = "-l" in names
    names = [name for name in names if name != "-l"]
    at = names.index("-x") if "-x" in names else len(names)
    tests = collect(names[:at], names[at + 1:])
    if listing:
        print("\n".join(name for name, _ in tests))
        return 0
    counts = {"ok": 0, "not ok": 0, "skip": 0}
    print(f"KTAP version 1\n1..{len(tests)}", flush=True)
    for number, (name, function) in enumerate(tests, 1):
        start = time.monotonic()
        word, reason = run_one(function)
        counts[word] += 1
        if word == "not ok":
            comment(reason)
        comment(f"{name}: {time.monotonic() - start:.1f} s")
        tail = f" # SKIP {reason}" if word == "skip" else ""
        print(f"{'ok' if word == 'skip' else word} {number} {name}{tail}", flush=True)
    try:
        bed.end()
    except bed.FAILURES as err:
        comment(f"unloading at the end: {err}")
        counts["not ok"] += 1
    print(f"{counts['ok']} passed, {counts['not ok']} failed, {counts['skip']} skipped")
    return 1 if counts["not ok"] or not tests else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
