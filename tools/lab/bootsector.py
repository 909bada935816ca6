# SPDX-License-Identifier: GPL-2.0
"""A boot sector that prints a text over the first serial port and halts.

Proof that the firmware read the disk: put it into the first sector.
"""

SIZE = 512

# xor ax,ax; mov ds,ax; mov si,TEXT; cld
# next: lodsb; test al,al; jz end; mov dx,0x3f8; out dx,al; jmp next
# end: hlt; jmp end
CODE = bytes.fromhex("31c0 8ed8 be167c fc ac 84c0 7406 baf803 ee ebf5 f4 ebfd")


def boot_sector(text):
    body = CODE + text.encode() + b"\0"
    if len(body) > SIZE - 2:
        raise ValueError("the text does not fit into a boot sector")
    return body.ljust(SIZE - 2, b"\0") + b"\x55\xaa"


def write(path, text):
    """Make the disk or file at @path boot into the text."""
    with open(path, "r+b", buffering=0) as disk:
        disk.write(boot_sector(text))
