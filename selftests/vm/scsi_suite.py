# SPDX-License-Identifier: GPL-2.0
"""The SCSI conformance suite of libiscsi on our LUN, through the host's sg driver.

All its suites run, those that write as well. What it complains of is known, with
the reason, in COMPLAINS: another complaint is a failure, and so is one less."""

import re
import subprocess

import vt
from bed import expect, expect_equal, test
from devices import HOST, SCSI

COMPLAINS = {
    "Inquiry.Standard": "it knows no version after SPC-4, we are SPC-5",
    "Inquiry.BlockLimits": "it wants UNMAP of at most 1 Mi blocks, SBC-4 has no limit",
}
LEAST = 150


def results(text):
    """{"Suite.Test": what follows its name, up to the next} of its report."""
    found, suite = {}, None
    for part in re.split(r"(?m)^(?=Suite: |  Test: )", text):
        head, _, rest = part.partition(" ...") if part.startswith("  Test") else (part, "", "")
        if part.startswith("Suite: "):
            suite = part.splitlines()[0][len("Suite: "):].strip()
        elif part.startswith("  Test: "):
            found[f"{suite}.{head[len('  Test: '):]}"] = rest
    return found


@test(HOST, turn=0)
def libiscsi(bed):
    t, _ = SCSI.on_host(bed, "--dev", bed.memory_disk().path)
    vt.run("modprobe", "sg")
    done = subprocess.run(["iscsi-test-cu", "-d", "-v", t.generic()], text=True,
                          capture_output=True, timeout=3600, stdin=subprocess.DEVNULL)
    text = done.stdout + done.stderr
    found = results(done.stdout)
    failed = {name: rest for name, rest in found.items() if "FAILED" in rest}
    skipped = {name for name, rest in found.items() if "[SKIPPED]" in rest}
    bed.note(f"{len(found)} tests, {len(skipped)} for what is optional or of iSCSI")
    for name, rest in failed.items():
        bed.note(f"{name}: {COMPLAINS.get(name, rest)}")
    expect(len(found) >= LEAST, f"{len(found)} tests ran: {text[-2000:]}")
    expect_equal(sorted(failed), sorted(COMPLAINS), "what it complains of")
