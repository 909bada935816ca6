#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check.py: vhost_target.txt has every call, flag and struct of the uapi header.

Each struct must have the header's fields, in its order, with its sizes. KTAP.
"""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = os.path.join(HERE, "../../include/uapi/linux/vhost_target.h")
TEXT = os.path.join(HERE, "vhost_target.txt")

C_SIZES = {"__u8": 1, "char": 1, "__u16": 2, "__u32": 4, "__s32": 4, "__u64": 8,
           "__aligned_u64": 8}
NODES = ("/dev/vhost-target", "/dev/vhost-blk", "/dev/vhost-scsi", "/dev/vhost-nvme",
         "/dev/vhost-vdpa-#", "/dev/vfio/vfio", "/dev/vfio/#")


def constants(header):
    """Names of numbers that sizes are made of."""
    plain = re.findall(r"#define (VHOST_TARGET_\w+)\s+(\d+)\b", header)
    enums = re.findall(r"^\t(VHOST_TARGET_\w+)\s*= (\d+)", header, re.M)
    return {name: int(value) for name, value in plain + enums}


def c_structs(header):
    numbers = constants(header)
    structs = {}
    for name, body in re.findall(r"^struct (vhost_target_\w+) \{\n(.*?)^\};", header,
                                 re.M | re.S):
        fields = []
        for kind, field, dims in re.findall(r"^\t(\w+) (\w+)((?:\[\w+\])*);", body, re.M):
            size = C_SIZES[kind]
            for dim in re.findall(r"\[(\w+)\]", dims):
                size *= int(dim) if dim.isdigit() else numbers[dim]
            fields.append((field, size))
        structs[name] = fields
    return structs


def resources(text):
    """Resources and what of syzkaller's own we use, by size."""
    sizes = {"uid": 4, "gid": 4, "fd_event": 4}
    for name, bits in re.findall(r"^resource (\w+)\[int(\d+)\]", text, re.M):
        sizes[name] = int(bits) // 8
    return sizes


def arguments(text):
    """What is between the outermost brackets, cut at the commas there."""
    inner = text[text.index("[") + 1:text.rindex("]")]
    parts, depth, part = [], 0, ""
    for char in inner:
        depth += (char == "[") - (char == "]")
        if char == "," and not depth:
            parts.append(part.strip())
            part = ""
        else:
            part += char
    return parts + [part.strip()]


def size_of(kind, numbers, sizes):
    number = lambda word: int(word) if word.isdigit() else numbers[word]
    if kind in sizes:
        return sizes[kind]
    plain = re.match(r"int(\d+)(\[|$)", kind)
    if plain:
        return int(plain[1]) // 8
    if kind.startswith("ptr64["):
        return 8
    args = arguments(kind)
    if kind.startswith("string["):
        return number(args[1])
    if kind.startswith("array["):
        return size_of(args[0], numbers, sizes) * number(args[1])
    return size_of(args[-1], numbers, sizes)    # const, flags, len, bytesize


def syz_structs(text, numbers):
    sizes = resources(text)
    structs = {}
    for name, body in re.findall(r"^(vhost_target_\w+) \{\n(.*?)^\}", text, re.M | re.S):
        fields = []
        for line in body.splitlines():
            field, kind = line.strip().split(None, 1)
            kind = re.sub(r"\s*\((in|out|inout)\)$", "", kind)
            fields.append((field, size_of(kind, numbers, sizes)))
        structs[name] = fields
    return structs


def missing_calls(header, text):
    calls = re.findall(r"#define (VHOST_TARGET_\w+)\s+_IO\(", header)
    return [name for name in calls
            if not re.search(rf"^ioctl\$\w+\(.*const\[{name}\]", text, re.M)]


def missing_flags(header, text):
    flags = re.findall(r"#define (VHOST_TARGET_\w*F_\w+|VHOST_TARGET_GET_NEXT)\s+\(1u", header)
    return [name for name in flags if not re.search(rf"\b{name}\b", text)]


def wrong_structs(header, text):
    ours = c_structs(header)
    theirs = syz_structs(text, constants(header))
    wrong = [f"{name}: {ours[name]}, not {theirs.get(name)}"
             for name in ours if ours[name] != theirs.get(name)]
    return wrong + [f"{name}: not in the header" for name in theirs if name not in ours]


def main():
    with open(HEADER) as f:
        header = f.read()
    with open(TEXT) as f:
        text = f.read()
    cases = (("calls", missing_calls(header, text)), ("flags", missing_flags(header, text)),
             ("structs", wrong_structs(header, text)),
             ("nodes", [node for node in NODES if f'"{node}"' not in text]))
    print(f"KTAP version 1\n1..{len(cases)}")
    failed = 0
    for nr, (name, wrong) in enumerate(cases, 1):
        for line in wrong:
            print(f"# {line}")
        print(f"{'not ok' if wrong else 'ok'} {nr} syzkaller: {name}")
        failed += bool(wrong)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
