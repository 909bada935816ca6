#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""planted.py [KERNEL]: are bugs found? KTAP on stdout.

One VM of a debug kernel (debug, kcsan) does one bug after another, of
selftests/planted/vt_planted.c. Its run must fail, and what its log has between the
marks of a bug must be a report of the kind that the bug is of.
"""

import os
import re
import subprocess
import sys

import splats
from errors import EXIT_SPLAT

LAB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lab")

# bug -> the kind of its report, none: nothing must be found. Lockdep's first, since
# it trusts itself no more after other reports; the last one ends who asks for it.
COMMON = {"none": None, "lockdep": "lockdep", "atomic": "atomic", "list": "list",
          "refcount": "refcount", "object": "object"}
BUGS = {
    "debug": {**COMMON, "shift": "UBSAN", "bounds": "UBSAN", "oob": "KASAN",
              "uaf": "KASAN", "leak": "kmemleak", "oops": "oops"},
    "kcsan": {**COMMON, "marked": None, "race": "KCSAN", "oops": "oops"},
}
OPTIONS = {
    # Else KASAN reports the first bug only.
    "debug": ["--cpus", "1", "--kmemleak", "--append", "kasan_multi_shot"],
    "kcsan": ["--cpus", "2"],
}


def run(kernel):
    """(exit code, output, log) of the VM."""
    command = [LAB, "run", "--tries", "2", "--kernel", kernel, "--mem", "3072",
               *OPTIONS[kernel], "--", "sh", "selftests/planted.sh", *BUGS[kernel]]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    found = re.search(r"\(all of it: (\S+)\)", done.stdout)
    log = ""
    if found:
        with open(found[1], errors="replace") as f:
            log = f.read()
    return done.returncode, done.stdout, log


def section(log, bug):
    """What the log has of @bug; the last one's has no end."""
    found = re.search(rf"vt_planted: begin {bug}\n(.*?)(?:vt_planted: end {bug}\n|\Z)",
                      log, re.S)
    return found[1] if found else None


def judge(bug, want, output, log):
    """What is wrong, or nothing."""
    text = section(log, bug)
    if text is None:
        return "it was not planted"
    kinds = splats.kinds(text)
    if want == "kmemleak":
        # At the end of the run, by a scan; in a file of its own.
        leaks = re.findall(r"unreferenced object.*?(?=unreferenced object|\Z)", output,
                           re.S)
        kinds |= {want} if any("plant" in leak for leak in leaks) else set()
    if want is None:
        return f"reported as {', '.join(sorted(kinds))}" if kinds else ""
    return "" if want in kinds else f"found are: {', '.join(sorted(kinds)) or 'none'}"


def main(kernel="debug"):
    bugs = BUGS[kernel]
    code, output, log = run(kernel)
    results = [("the run fails", "" if code == EXIT_SPLAT else f"exit code {code}")]
    for bug, want in bugs.items():
        name = f"{bug}: {want}" if want else f"{bug}: no report"
        results.append((name, judge(bug, want, output, log)))
    print(f"KTAP version 1\n1..{len(results)}")
    for number, (name, wrong) in enumerate(results, 1):
        if wrong:
            print(f"# {wrong}")
        print(f"{'not ok' if wrong else 'ok'} {number} {name}")
    failed = sum(1 for _, wrong in results if wrong)
    if failed:
        print("\n".join(f"# {line}" for line in (log or output).splitlines()[-400:]))
    print(f"{len(results) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
