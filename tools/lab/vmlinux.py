# SPDX-License-Identifier: GPL-2.0
"""The ELF kernel out of a bzImage: booted by PVH, it needs no unpacking by the
emulated CPU, which takes seconds."""

import os
import struct
import subprocess

from errors import LabError

SETUP_SECTS, PAYLOAD = 0x1f1, 0x248		# offsets in the setup header
UNPACKERS = {b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\xfd7zXZ": ["xz", "-dc"],
             b"\x1f\x8b\x08": ["gzip", "-dc"], b"\x02\x21\x4c\x18": ["lz4", "-dc"]}


def _payload(image):
    start = (image[SETUP_SECTS] + 1) * 512
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    # The last word is the unpacked size, not part of the stream.
    return image[start + offset:start + offset + length - 4]


def ensure(tree, release):
    """Path, inside the tree, of the unpacked kernel; made when missing."""
    inside = f"/boot/lab-vmlinux-{release}"
    if os.path.exists(tree + inside):
        return inside
    with open(f"{tree}/boot/vmlinuz-{release}", "rb") as f:
        payload = _payload(f.read())
    argv = next((v for k, v in UNPACKERS.items() if payload.startswith(k)), None)
    if not argv:
        raise LabError(f"the kernel {release} is packed in an unknown way")
    tmp = f"{tree}{inside}.{os.getpid()}"
    with open(tmp, "wb") as out:
        subprocess.run(argv, input=payload, stdout=out, check=True)
    os.rename(tmp, tree + inside)
    return inside
