# SPDX-License-Identifier: GPL-2.0
"""What in a kernel log is a failure."""

import re

# kind -> what its lines look like; a line is of the first kind that fits.
KINDS = {
    "KASAN": r"\bKASAN:",
    "KCSAN": r"\bKCSAN:",
    "UBSAN": r"\bUBSAN:",
    "lockdep": "|".join([
        r"possible circular locking", r"possible recursive locking",
        r"possible irq lock inversion", r"inconsistent lock state",
        r"bad unlock balance", r"Invalid wait context", r"DEBUG_LOCKS_WARN_ON"]),
    "RCU": r"suspicious RCU usage",
    "atomic": r"sleeping function called|scheduling while atomic",
    "list": r"list_(?:add|del) (?:corruption|double add)",
    "refcount": r"refcount_t:",
    "object": r"ODEBUG:",
    "kmemleak": r"kmemleak: \d+ new suspected",
    "DMA": r"DMA-API:.*(?:error|warning|leak)",
    "stall": "|".join([
        r"hung task", r"blocked for more than", r"soft lockup", r"hard LOCKUP",
        r"rcu.*(?:detected stalls|self-detected stall|stall)", r"workqueue lockup"]),
    "oops": "|".join([
        r"\bOops\b", r"general protection fault", r"Kernel panic",
        r"unable to handle", r"NULL pointer dereference", r"kernel BUG at"]),
    "warning": r"\bBUG:|\bWARNING:|enqueued on deprecated workqueue",
}
SPLAT = re.compile("|".join(KINDS.values()))

HARMLESS = re.compile("|".join([
    r"Unhandled WRMSR\(0xc0010007\)",
    # A page of a read by the host's virtio_vdpa is mapped for the vDPA device, and then
    # for the drive below; only that is warned of there.
    r"DMA-API: .*cacheline tracking EEXIST", r"WARNING: .* add_dma_entry\+",
]))

STAMP = re.compile(r"^\[ *(\d+\.\d+)\]")
CLOCK_SLACK = 5.0	# seconds
BESIDE_VMRUN = re.compile(r" asm_sysvec_\S+\s*\n\S* *[\d.]+\] RIP: 0010:__svm_vcpu_run\+")
# The byte before the marked one is the breakpoint; a wild jump finds it still there.
PATCHED = re.compile(r".*\bOops: int3:(?s:(?!Code:).)*Code:[ 0-9a-f]*(?!cc)[0-9a-f]{2} <")
# Page faults in a row in a VM's thread, until its stack is full, with the registers that
# KVM clears when a guest is left: not one more instruction was done. But for the handler
# of such a fault, which has the address in R13: a field of no task.
LEFT_GUEST = re.compile(
    r".*stack guard page was hit(?s:(?!Comm:).)*Comm: qemu-system(?s:(?!RIP:).)*"
    r"RIP: 0010:(?:asm_exc_page_fault|exc_page_fault|error_entry)\+(?s:(?!R08:).)*"
    r"R08: 0{16} R09: 0{16}\s.*R10: 0{16} R11: 0{16} R12: 0{16}\s"
    r".*R13: 0{13}[0-9a-f]{3} R14: 0{16} R15: 0{16}")
# An interrupt's entry, and the flags of what it interrupted.
INTERRUPTED = re.compile(
    r" asm_(?:common_interrupt|sysvec_\w+)\+\S+\s*\n.*RIP: 0010:.*\n"
    r"(?:.*\bCode:.*\n)?.*RSP: \S+ EFLAGS: ([0-9a-f]+)")
INTERRUPT_FLAG = 1 << 9

CONTEXT = 60		# lines shown from a splat on


def find(text):
    """Indices of the lines that are splats, and all lines."""
    lines = text.splitlines()
    hits = [n for n, line in enumerate(lines)
            if SPLAT.search(line) and not HARMLESS.search(line)]
    return hits, lines


def kinds(text):
    """Of which kinds the splats are."""
    hits, lines = find(text)
    return {next(kind for kind, like in KINDS.items() if re.search(like, lines[n]))
            for n in hits}


def _stamps(lines):
    return [float(found[1]) for found in map(STAMP.match, lines) if found]


def _by_guests_clock(hits, lines):
    """The kernel broke while its clock was that of its guest, which is younger."""
    before, at = _stamps(lines[:hits[0]]), _stamps(lines[hits[0]:hits[0] + 1])
    return bool(before and at) and at[0] < max(before) - CLOCK_SLACK


def masked_interrupt(text):
    """An interrupt was taken where the kernel had interrupts off: no CPU does that."""
    return any(not int(flags, 16) & INTERRUPT_FLAG for flags in INTERRUPTED.findall(text))


def by_emulator(text):
    """The kernel broke because the emulator had not left the guest's state when it went
    on with the kernel: by the guest's clock, or in an interrupt that was taken beside
    VMRUN, where none is, as GIF is 0; or in page faults right there. Or in an interrupt
    that was taken with interrupts off. Or at a breakpoint of its own, by which it
    patches itself: a CPU ran into one that was gone already."""
    hits, lines = find(text)
    rest = "\n".join(lines[hits[0]:]) if hits else ""
    return bool(hits) and (_by_guests_clock(hits, lines)
                           or bool(PATCHED.match(rest) or LEFT_GUEST.match(rest))
                           or bool(BESIDE_VMRUN.search(rest)) or masked_interrupt(rest))


def report(text):
    """The first splat with what follows it, or an empty string."""
    hits, lines = find(text)
    if not hits:
        return ""
    shown = lines[max(hits[0] - 2, 0):hits[0] + CONTEXT]
    rest = sum(1 for n in hits if n >= hits[0] + CONTEXT)
    more = [f"... and {rest} more matching lines"] if rest else []
    return "\n".join(shown + more)


GIST = 22	# lines
SAYS = re.compile("|".join([
    SPLAT.pattern, r"RIP: 0010:", r"Comm:", r"\bCode:", r"#[A-Z]{2}:",
    # A line of a call trace that is no guess.
    r"\] (?: <\S+>|  ?[\w.]+\+0x\w+/0x\w+(?: \[\w+\])?)$"]))


def gist(text):
    """What a splat says in few lines: what, where, by which calls."""
    hits, lines = find(text)
    if not hits:
        return ""
    # A fault in a fault's handler says the same again and again.
    told = {}
    for line in filter(SAYS.search, lines[hits[0]:]):
        told.setdefault(line.partition("]")[2], line)
    return "\n".join(["in short:", *list(told.values())[:GIST - 1]])
