# SPDX-License-Identifier: GPL-2.0
"""What in a kernel log is a failure."""

import re

SPLAT = re.compile("|".join([
    r"\bBUG:", r"kernel BUG at", r"\bWARNING:", r"\bKASAN:", r"\bUBSAN:", r"\bKCSAN:",
    r"possible circular locking", r"possible recursive locking",
    r"possible irq lock inversion", r"inconsistent lock state", r"bad unlock balance",
    r"Invalid wait context", r"suspicious RCU usage", r"DEBUG_LOCKS_WARN_ON",
    r"\bOops\b", r"general protection fault", r"Kernel panic", r"unable to handle",
    r"hung task", r"blocked for more than", r"soft lockup", r"hard LOCKUP",
    r"rcu.*(?:detected stalls|self-detected stall|stall)", r"workqueue lockup",
    r"kmemleak: \d+ new suspected", r"ODEBUG:", r"DMA-API:.*(?:error|warning|leak)",
    r"list_(?:add|del) corruption", r"refcount_t:", r"sleeping function called",
    r"scheduling while atomic", r"enqueued on deprecated workqueue",
]))

HARMLESS = re.compile("|".join([
    r"Unhandled WRMSR\(0xc0010007\)",
]))

STAMP = re.compile(r"^\[ *(\d+\.\d+)\]")
CLOCK_SLACK = 5.0	# seconds
BESIDE_VMRUN = re.compile(r" asm_sysvec_\S+\s*\n\S* *[\d.]+\] RIP: 0010:__svm_vcpu_run\+")

CONTEXT = 60		# lines shown from a splat on


def find(text):
    """Indices of the lines that are splats, and all lines."""
    lines = text.splitlines()
    hits = [n for n, line in enumerate(lines)
            if SPLAT.search(line) and not HARMLESS.search(line)]
    return hits, lines


def _stamps(lines):
    return [float(found[1]) for found in map(STAMP.match, lines) if found]


def _by_guests_clock(hits, lines):
    """The kernel broke while its clock was that of its guest, which is younger."""
    before, at = _stamps(lines[:hits[0]]), _stamps(lines[hits[0]:hits[0] + 1])
    return bool(before and at) and at[0] < max(before) - CLOCK_SLACK


def by_emulator(text):
    """The kernel broke because the emulator had not left the guest's state when it went
    on with the kernel: by the guest's clock, or in an interrupt that was taken beside
    VMRUN, where none is, as GIF is 0."""
    hits, lines = find(text)
    return bool(hits) and (_by_guests_clock(hits, lines)
                           or bool(BESIDE_VMRUN.search("\n".join(lines[hits[0]:]))))


def report(text):
    """The first splat with what follows it, or an empty string."""
    hits, lines = find(text)
    if not hits:
        return ""
    shown = lines[max(hits[0] - 2, 0):hits[0] + CONTEXT]
    rest = sum(1 for n in hits if n >= hits[0] + CONTEXT)
    more = [f"... and {rest} more matching lines"] if rest else []
    return "\n".join(shown + more)
