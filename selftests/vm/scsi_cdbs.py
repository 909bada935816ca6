# SPDX-License-Identifier: GPL-2.0
"""SCSI commands that targets are compared by, and why they differ where they do."""

BLOCK, KEY, KEY2 = 512, 0x1122334455667788, 0x99


def be(value, size):
    return value.to_bytes(size, "big")


class Command:
    """@look: what of the data is compared, as text."""

    def __init__(self, name, cdb, data_in=0, data_out=b"", look=None):
        self.name, self.cdb = name, bytes(cdb)
        self.data_in, self.data_out, self.look = data_in, data_out, look


def rw10(op, lba, nr, flags=0):
    return bytes([op, flags]) + be(lba, 4) + b"\0" + be(nr, 2) + b"\0"


def rw12(op, lba, nr, flags=0):
    return bytes([op, flags]) + be(lba, 4) + be(nr, 4) + b"\0\0"


def rw16(op, lba, nr, flags=0):
    return bytes([op, flags]) + be(lba, 8) + be(nr, 4) + b"\0\0"


def inquiry(page=0, evpd=0, alloc=255):
    return bytes([0x12, evpd, page]) + be(alloc, 2) + b"\0"


def sense6(page, subpage=0, alloc=255, pc=0, dbd=0):
    return bytes([0x1a, dbd << 3, pc << 6 | page, subpage, alloc, 0])


def sense10(page, subpage=0, alloc=512, pc=0, llbaa=0):
    return bytes([0x5a, llbaa << 4, pc << 6 | page, subpage, 0, 0, 0]) + be(alloc, 2) + b"\0"


def select6(length, pf=1, sp=0):
    return bytes([0x15, pf << 4 | sp, 0, 0, length, 0])


def pr_in(action, alloc=64):
    return bytes([0x5e, action, 0, 0, 0, 0, 0]) + be(alloc, 2) + b"\0"


def pr_out(action, kind=0, length=24):
    return bytes([0x5f, action, kind, 0, 0]) + be(length, 4) + b"\0"


def pr_param(key=0, new=0, flags=0):
    return be(key, 8) + be(new, 8) + b"\0\0\0\0" + bytes([flags, 0, 0, 0])


def unmap(length):
    return bytes([0x42, 0, 0, 0, 0, 0, 0]) + be(length, 2) + b"\0"


def unmap_list(*ranges):
    body = b"".join(be(lba, 8) + be(nr, 4) + bytes(4) for lba, nr in ranges)
    return be(len(body) + 6, 2) + be(len(body), 2) + bytes(4) + body


def maintenance_in(action, alloc, options=0, opcode=0, service=0):
    return (bytes([0xa3, action, options, opcode]) + be(service, 2) + be(alloc, 4) +
            b"\0\0")


def service_in(action, lba=0, alloc=32):
    return bytes([0x9e, action]) + be(lba, 8) + be(alloc, 4) + b"\0\0"


def write_same16(lba, nr, flags=0):
    return bytes([0x93, flags]) + be(lba, 8) + be(nr, 4) + b"\0\0"


def length(data):
    return f"{len(data)} bytes"


def first(*at):
    """These bytes of the data."""
    return lambda data: data[at[0]:at[-1] + 1].hex()


def digest(data):
    return "zeroes" if not any(data) else data[:2].hex() + ".." + data[-2:].hex()


def mode_page(data, offset=4):
    """Number and length of the first mode page behind the block descriptors."""
    start = offset + data[3 if offset == 4 else 7]
    return data[start:start + 2].hex()


A, B = b"\xa5" * BLOCK, b"\x5a" * BLOCK
FAR = 0x7fffffff

COMMANDS = [
    # Primary commands.
    Command("TEST UNIT READY", bytes(6)),
    Command("unknown opcode", b"\xc1" + bytes(9)),
    Command("REQUEST SENSE", bytes([3, 0, 0, 0, 18, 0]), 18, look=first(0, 2)),
    Command("REQUEST SENSE, descriptor", bytes([3, 1, 0, 0, 8, 0]), 8, look=first(0, 1)),
    Command("INQUIRY", inquiry(), 255, look=first(0, 1)),
    Command("INQUIRY, 5 bytes", inquiry(alloc=5), 5, look=length),
    Command("INQUIRY, 0 bytes", inquiry(alloc=0)),
    Command("INQUIRY, page without EVPD", inquiry(page=0x80), 255),
    Command("INQUIRY, obsolete CMDDT", inquiry(evpd=2), 255),
    Command("VPD 00", inquiry(0, 1), 255, look=first(0, 1)),
    Command("VPD 80", inquiry(0x80, 1), 255, look=first(0, 1)),
    Command("VPD 83", inquiry(0x83, 1), 255, look=first(0, 1)),
    Command("VPD B0", inquiry(0xb0, 1), 255, look=first(0, 1)),
    Command("VPD B1", inquiry(0xb1, 1), 255, look=first(0, 3)),
    Command("VPD B2", inquiry(0xb2, 1), 255, look=first(0, 1)),
    Command("VPD 55, not there", inquiry(0x55, 1), 255),
    Command("REPORT LUNS", b"\xa0" + bytes(5) + be(256, 4) + b"\0\0", 256,
            look=first(0, 15)),
    Command("REPORT LUNS, select 1", b"\xa0\0\1" + bytes(3) + be(256, 4) + b"\0\0", 256,
            look=first(0, 3)),
    Command("REPORT LUNS, select 5", b"\xa0\0\5" + bytes(3) + be(256, 4) + b"\0\0", 256),
    Command("REPORT LUNS, 8 bytes", b"\xa0" + bytes(5) + be(8, 4) + b"\0\0", 8),
    Command("SEND DIAGNOSTIC, self test", bytes([0x1d, 4, 0, 0, 0, 0])),
    Command("LOG SENSE, supported pages", b"\x4d\0\x40" + bytes(4) + be(64, 2) + b"\0", 64,
            look=first(0, 1)),
    Command("LOG SENSE, page 3F", b"\x4d\0\x7f" + bytes(4) + be(64, 2) + b"\0", 64),
    Command("REPORT SUPPORTED OPERATION CODES: READ(10)",
            maintenance_in(0x0c, 64, 1, 0x28), 64, look=first(1, 4)),
    Command("REPORT SUPPORTED OPERATION CODES: none such",
            maintenance_in(0x0c, 64, 1, 0xc1), 64, look=first(1, 1)),
    Command("REPORT SUPPORTED OPERATION CODES: PR IN without action",
            maintenance_in(0x0c, 64, 1, 0x5e), 64),
    Command("REPORT SUPPORTED OPERATION CODES: READ KEYS",
            maintenance_in(0x0c, 64, 2, 0x5e, 0), 64, look=first(1, 4)),
    Command("REPORT SUPPORTED OPERATION CODES: options 7",
            maintenance_in(0x0c, 64, 7), 64),
    Command("REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", maintenance_in(0x0d, 16), 16),
    Command("REPORT TARGET PORT GROUPS", maintenance_in(0x0a, 64), 64),
    Command("maintenance in, no such action", maintenance_in(0x1f, 64), 64),
    Command("PREVENT ALLOW MEDIUM REMOVAL", bytes([0x1e, 0, 0, 0, 1, 0])),
    Command("ALLOW MEDIUM REMOVAL", bytes([0x1e, 0, 0, 0, 0, 0])),
    Command("START", bytes([0x1b, 0, 0, 0, 1, 0])),
    # Not FORMAT UNIT, which we refuse: scsi_debug of 7.2 oopses on it.

    # Mode pages.
    Command("MODE SENSE(6), caching", sense6(8), 255, look=mode_page),
    Command("MODE SENSE(6), control", sense6(0x0a), 255, look=mode_page),
    Command("MODE SENSE(6), exceptions", sense6(0x1c), 255, look=mode_page),
    Command("MODE SENSE(6), all", sense6(0x3f), 255, look=first(2, 3)),
    Command("MODE SENSE(6), all subpages", sense6(0x3f, 0xff), 255),
    Command("MODE SENSE(6), DBD", sense6(8, dbd=1), 255, look=first(3, 3)),
    Command("MODE SENSE(6), changeable", sense6(8, pc=1), 255, look=mode_page),
    Command("MODE SENSE(6), saved", sense6(8, pc=3), 255),
    Command("MODE SENSE(6), page 2A", sense6(0x2a), 255),
    Command("MODE SENSE(6), 4 bytes", sense6(8, alloc=4), 4, look=length),
    Command("MODE SENSE(10), caching", sense10(8), 512, look=lambda d: mode_page(d, 8)),
    Command("MODE SENSE(10), LLBAA", sense10(8, llbaa=1), 512, look=first(6, 7)),
    Command("MODE SELECT(6), nothing", select6(0)),
    Command("MODE SELECT(6), short header", select6(2), data_out=bytes(2)),
    Command("MODE SELECT(6), saved", select6(4, sp=1), data_out=bytes(4)),
    Command("MODE SELECT(6), no such page", select6(8), data_out=bytes(4) + b"\x2a\2\0\0"),
    Command("MODE SELECT(6), short page", select6(8), data_out=bytes(4) + b"\x08\2\0\0"),

    # Capacity and data.
    Command("READ CAPACITY(10)", b"\x25" + bytes(9), 8, look=first(0, 7)),
    Command("READ CAPACITY(10), LBA without PMI", b"\x25\0" + be(5, 4) + bytes(4), 8),
    Command("READ CAPACITY(16)", service_in(0x10), 32, look=first(0, 11)),
    Command("READ CAPACITY(16), 12 bytes", service_in(0x10, alloc=12), 12, look=length),
    Command("service action in, no such action", service_in(0x1f), 32),
    Command("WRITE(10)", rw10(0x2a, 0, 2), data_out=A + B),
    Command("READ(6)", bytes([8, 0, 0, 0, 2, 0]), 1024, look=digest),
    Command("READ(10)", rw10(0x28, 0, 2), 1024, look=digest),
    Command("READ(12)", rw12(0xa8, 1, 1), 512, look=digest),
    Command("READ(16)", rw16(0x88, 1, 1), 512, look=digest),
    Command("READ(10), no block", rw10(0x28, 0, 0)),
    Command("READ(16), no block, at the end", rw16(0x88, 64 << 11, 0)),
    Command("READ(16), no block, beyond the end", rw16(0x88, (64 << 11) + 1, 0)),
    Command("READ(10), beyond the end", rw10(0x28, (64 << 11) - 1, 2), 1024),
    Command("READ(10), far", rw10(0x28, FAR, 1), 512),
    Command("READ(16), LBA wraps", rw16(0x88, (1 << 64) - 1, 2), 1024),
    Command("READ(10), FUA and DPO", rw10(0x28, 0, 1, 0x18), 512, look=digest),
    Command("READ(10), RDPROTECT", rw10(0x28, 0, 1, 0x20), 512),
    Command("WRITE(6)", bytes([10, 0, 0, 2, 1, 0]), data_out=A),
    Command("WRITE(12)", rw12(0xaa, 3, 1), data_out=B),
    Command("WRITE(16), FUA", rw16(0x8a, 4, 1, 8), data_out=A),
    Command("WRITE(10), beyond the end", rw10(0x2a, 64 << 11, 1), data_out=A),
    Command("WRITE(10), WRPROTECT", rw10(0x2a, 0, 1, 0x20), data_out=A),
    Command("WRITE AND VERIFY(10)", rw10(0x2e, 5, 1), data_out=B),
    Command("VERIFY(10)", rw10(0x2f, 0, 2)),
    Command("VERIFY(10), bytes equal", rw10(0x2f, 0, 1, 2), data_out=A),
    Command("VERIFY(10), bytes differ", rw10(0x2f, 0, 1, 2), data_out=B),
    Command("VERIFY(10), beyond the end", rw10(0x2f, FAR, 1)),
    Command("VERIFY(16)", rw16(0x8f, 0, 2)),
    Command("SYNCHRONIZE CACHE(10)", rw10(0x35, 0, 0)),
    Command("SYNCHRONIZE CACHE(16)", rw16(0x91, 0, 0)),
    Command("SYNCHRONIZE CACHE(10), beyond the end", rw10(0x35, FAR, 1)),

    # Provisioning.
    Command("UNMAP", unmap(24), data_out=unmap_list((2, 2))),
    Command("READ of what was unmapped", rw10(0x28, 2, 2), 1024, look=digest),
    Command("UNMAP, no list", unmap(0)),
    Command("UNMAP, half a header", unmap(4), data_out=bytes(4)),
    Command("UNMAP, no range", unmap(8), data_out=unmap_list()),
    Command("UNMAP, beyond the end", unmap(24), data_out=unmap_list((FAR, 1))),
    Command("WRITE SAME(10)", rw10(0x41, 8, 4), data_out=A),
    Command("READ after WRITE SAME(10)", rw10(0x28, 11, 1), 512, look=digest),
    Command("WRITE SAME(16)", write_same16(12, 2), data_out=B),
    Command("READ after WRITE SAME(16)", rw10(0x28, 13, 1), 512, look=digest),
    Command("WRITE SAME(16), UNMAP", write_same16(8, 4, 8), data_out=bytes(BLOCK)),
    Command("READ after WRITE SAME, UNMAP", rw10(0x28, 8, 4), 2048, look=digest),
    Command("WRITE SAME(16), NDOB", write_same16(12, 1, 1)),
    Command("WRITE SAME(16), beyond the end", write_same16(FAR, 1), data_out=A),
    Command("GET LBA STATUS", service_in(0x12, 0, 24), 24, look=first(8, 15)),
    Command("GET LBA STATUS, beyond the end", service_in(0x12, FAR, 24), 24),

    # Atomic.
    Command("COMPARE AND WRITE, equal", bytes([0x89, 0]) + be(0, 8) + b"\0\0\0\1\0\0",
            data_out=A + B),
    Command("COMPARE AND WRITE, differs", bytes([0x89, 0]) + be(0, 8) + b"\0\0\0\1\0\0",
            data_out=A + B),
    Command("READ after COMPARE AND WRITE", rw10(0x28, 0, 1), 512, look=digest),
    Command("COMPARE AND WRITE, no block", bytes([0x89, 0]) + be(0, 8) + bytes(6)),
    Command("COMPARE AND WRITE, beyond the end",
            bytes([0x89, 0]) + be(FAR, 8) + b"\0\0\0\1\0\0", data_out=A + B),

    # Reservations.
    Command("PR IN, READ KEYS", pr_in(0), 64, look=first(4, 7)),
    Command("PR IN, READ RESERVATION", pr_in(1), 64, look=first(4, 7)),
    Command("PR IN, REPORT CAPABILITIES", pr_in(2), 64, look=first(0, 1)),
    Command("PR IN, READ FULL STATUS", pr_in(3), 64),
    Command("PR IN, no such action", pr_in(9), 64),
    Command("PR OUT, RESERVE without a key", pr_out(1, 5), data_out=pr_param(KEY)),
    Command("PR OUT, REGISTER with a wrong key", pr_out(0), data_out=pr_param(KEY, KEY)),
    Command("PR OUT, REGISTER", pr_out(0), data_out=pr_param(0, KEY)),
    Command("PR OUT, REGISTER again, no key", pr_out(0), data_out=pr_param(0, KEY2)),
    Command("PR IN, READ KEYS, one", pr_in(0), 64, look=first(4, 15)),
    Command("PR OUT, RESERVE, no such type", pr_out(1, 0x0f), data_out=pr_param(KEY)),
    Command("PR OUT, RESERVE", pr_out(1, 5), data_out=pr_param(KEY)),
    Command("PR OUT, RESERVE again", pr_out(1, 5), data_out=pr_param(KEY)),
    Command("PR OUT, RESERVE, other type", pr_out(1, 1), data_out=pr_param(KEY)),
    Command("PR IN, READ RESERVATION, one", pr_in(1), 64, look=first(4, 21)),
    Command("READ(10) by the holder", rw10(0x28, 0, 1), 512),
    Command("PR OUT, RELEASE, other type", pr_out(2, 1), data_out=pr_param(KEY)),
    Command("PR OUT, RELEASE, wrong key", pr_out(2, 5), data_out=pr_param(KEY2)),
    Command("PR OUT, RELEASE", pr_out(2, 5), data_out=pr_param(KEY)),
    Command("PR OUT, RELEASE again", pr_out(2, 5), data_out=pr_param(KEY)),
    Command("PR OUT, PREEMPT, no such key", pr_out(4, 5), data_out=pr_param(KEY, KEY2)),
    Command("PR OUT, short list", pr_out(0, length=16), data_out=bytes(16)),
    Command("PR OUT, CLEAR", pr_out(3), data_out=pr_param(KEY)),
    Command("PR IN, READ KEYS, none", pr_in(0), 64, look=first(4, 7)),
    Command("RESERVE(6)", bytes([0x16, 0, 0, 0, 0, 0])),
    Command("RELEASE(6)", bytes([0x17, 0, 0, 0, 0, 0])),
]

NO_PR = "scsi_debug", "scsi_debug knows no persistent reservations"
NO_OPCODE = "LIO", "it does not know the command"
NO_PROTECT = "scsi_debug", "it ignores the field of a format without protection"
NO_FUA = "LIO", "it shows no DPOFUA on this drive, we do FUA on any"

# Command: (who is alone, why), ours being what the standard says. "ours" needs
# the clause; "LIO" and "scsi_debug" mean that the other one says what we say.
WHY = {
    "REQUEST SENSE, descriptor": ("LIO", "it refuses DESC, SPC-5 lets it only if "
                                  "descriptor sense is not supported"),
    "INQUIRY, page without EVPD": ("scsi_debug", "SPC-5, 6.6.1: illegal request"),
    "INQUIRY, obsolete CMDDT": ("LIO", "a reserved bit is set"),
    "REPORT LUNS, select 1": ("ours", "SPC-5, 6.35: well known logical units only; we "
                              "have none, LIO lists LUN 0, scsi_debug has one"),
    "REPORT LUNS, select 5": ("LIO", "a reserved value is ignored"),
    "SEND DIAGNOSTIC, self test": NO_OPCODE,
    "LOG SENSE, supported pages": NO_OPCODE,
    "LOG SENSE, page 3F": NO_OPCODE,
    "REPORT SUPPORTED OPERATION CODES: PR IN without action": NO_PR,
    "REPORT SUPPORTED OPERATION CODES: READ KEYS": NO_PR,
    "REPORT SUPPORTED OPERATION CODES: options 7": ("LIO", "a reserved value is ignored"),
    "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS": NO_OPCODE,
    "maintenance in, no such action": ("LIO", "SPC-5, 4.3.5: a service action is a field"),
    "PREVENT ALLOW MEDIUM REMOVAL": NO_OPCODE,
    "ALLOW MEDIUM REMOVAL": NO_OPCODE,
    "START": ("LIO", "it refuses START without IMMED"),
    "MODE SENSE(6), all": NO_FUA,
    "MODE SENSE(6), saved": ("LIO", "SPC-5, 6.13: saving parameters not supported"),
    "MODE SENSE(10), LLBAA": ("LIO", "it has short block descriptors only"),
    "MODE SELECT(6), short header": ("scsi_debug", "SPC-5, 6.11: parameter list length"),
    "MODE SELECT(6), saved": ("LIO", "SPC-5, 6.11: SP without saved pages"),
    "MODE SELECT(6), no such page": ("LIO", "the bad field is in the list, not the CDB"),
    "MODE SELECT(6), short page": ("LIO", "the bad field is the page's length"),
    "READ CAPACITY(10), LBA without PMI": ("scsi_debug", "SBC-4: must be zero"),
    "READ(16), LBA wraps": ("scsi_debug", "it wraps"),
    "READ(10), FUA and DPO": NO_FUA,
    "WRITE(16), FUA": NO_FUA,
    "READ(10), RDPROTECT": NO_PROTECT,
    "WRITE(10), WRPROTECT": NO_PROTECT,
    "WRITE AND VERIFY(10)": ("scsi_debug", "it knows the 16 byte form only"),
    "VERIFY(10), bytes differ": ("LIO", "it compares nothing"),
    "VERIFY(10), beyond the end": ("scsi_debug", "it looks at nothing without BYTCHK"),
    "UNMAP, no list": ("scsi_debug", "SBC-4, 5.35: zero is no error"),
    "UNMAP, half a header": ("scsi_debug", "a list's length, not a field of the CDB"),
    "WRITE SAME(16), NDOB": ("LIO", "it does not know NDOB"),
    "GET LBA STATUS": ("LIO", "it does not know the service action"),
    "GET LBA STATUS, beyond the end": ("LIO", "it does not know the service action"),
    "PR OUT, RESERVE without a key": ("ours", "SPC-5, 6.16: a nexus that is not "
                                      "registered gets a conflict. " + NO_PR[1]),
    "PR OUT, RELEASE, other type": ("ours", "SPC-5, 5.14.11.2.2: INVALID RELEASE OF "
                                    "PERSISTENT RESERVATION. " + NO_PR[1]),
    "RESERVE(6)": ("ours", "obsolete since SPC-3; CRH is 0, so there is no mixing with "
                   "persistent reservations"),
    "RELEASE(6)": ("ours", "obsolete, as RESERVE(6)"),
}
WHY |= {c.name: NO_PR for c in COMMANDS if c.name.startswith("PR ") and c.name not in WHY
        and c.cdb[0] in (0x5e, 0x5f)}
