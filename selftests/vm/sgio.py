# SPDX-License-Identifier: GPL-2.0
"""SCSI commands to a disk, byte by byte: SG_IO of the sg driver (version 3)."""

import ctypes
import errno
import fcntl
import mmap
import os

SG_IO = 0x2285
TO_DEV, FROM_DEV, NO_DATA = -2, -3, -1
TIMEOUT_MS = 120000
SENSE_LEN = 96
GOOD, CHECK, CONFLICT = 0x00, 0x02, 0x18
UNIT_ATTENTION = 6


class _Header(ctypes.Structure):
    _fields_ = [("interface_id", ctypes.c_int), ("direction", ctypes.c_int),
                ("cmd_len", ctypes.c_ubyte), ("mx_sb_len", ctypes.c_ubyte),
                ("iovec_count", ctypes.c_ushort), ("dxfer_len", ctypes.c_uint),
                ("dxferp", ctypes.c_void_p), ("cmdp", ctypes.c_void_p),
                ("sbp", ctypes.c_void_p), ("timeout", ctypes.c_uint),
                ("flags", ctypes.c_uint), ("pack_id", ctypes.c_int),
                ("usr_ptr", ctypes.c_void_p), ("status", ctypes.c_ubyte),
                ("masked_status", ctypes.c_ubyte), ("msg_status", ctypes.c_ubyte),
                ("sb_len_wr", ctypes.c_ubyte), ("host_status", ctypes.c_ushort),
                ("driver_status", ctypes.c_ushort), ("resid", ctypes.c_int),
                ("duration", ctypes.c_uint), ("info", ctypes.c_uint)]


class Result:
    """How a command ended: .status, .sense, .data, .host (not 0: no status)."""

    def __init__(self, header, sense, data):
        self.status, self.host = header.status, header.host_status
        self.sense = bytes(sense[:header.sb_len_wr])
        self.data = bytes(data[:len(data) - max(header.resid, 0)])

    @property
    def key(self):
        """(sense key, ASC, ASCQ), or None."""
        if len(self.sense) < 4 or self.status != CHECK:
            return None
        if self.sense[0] & 0x7f >= 0x72:
            return self.sense[1] & 15, self.sense[2], self.sense[3]
        tail = self.sense[12:14] if len(self.sense) >= 14 else b"\0\0"
        return self.sense[2] & 15, tail[0], tail[1]

    @property
    def field(self):
        """(in the CDB?, byte, bit or None) of the sense data's field pointer."""
        if len(self.sense) < 18 or self.sense[0] & 0x7f > 0x71:
            return None
        flags = self.sense[15]
        if not flags & 0x80:
            return None
        return (bool(flags & 0x40), int.from_bytes(self.sense[16:18], "big"),
                flags & 7 if flags & 8 else None)

    def __str__(self):
        if self.host:
            return f"host {self.host:#x}"
        if self.status == GOOD:
            return "good"
        if self.key:
            return "{:x}/{:02x}/{:02x}".format(*self.key)
        return {CONFLICT: "conflict"}.get(self.status, f"status {self.status:#x}")


class Disk:
    """An sg or sd node, as a with block."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        return self

    def __exit__(self, *exc):
        os.close(self.fd)

    def command(self, cdb, data_in=0, data_out=b""):
        """One command; the kernel neither looks at it nor repeats it."""
        cdb = (ctypes.c_ubyte * len(cdb)).from_buffer_copy(bytes(cdb))
        # Aligned to pages: what drives do with odd addresses is not asked here.
        pages = mmap.mmap(-1, max(data_in, len(data_out), 1))
        data = (ctypes.c_ubyte * len(pages)).from_buffer(pages)
        pages[:len(data_out)] = data_out
        sense = (ctypes.c_ubyte * SENSE_LEN)()
        length = data_in or len(data_out)
        header = _Header(
            interface_id=ord("S"), cmd_len=len(cdb), mx_sb_len=SENSE_LEN,
            direction=FROM_DEV if data_in else TO_DEV if data_out else NO_DATA,
            dxfer_len=length, dxferp=ctypes.addressof(data) if length else None,
            cmdp=ctypes.addressof(cdb), sbp=ctypes.addressof(sense),
            timeout=TIMEOUT_MS)
        fcntl.ioctl(self.fd, SG_IO, header)
        return Result(header, sense, bytes(data)[:data_in])

    def settle(self):
        """Take the unit attentions that are pending."""
        for _ in range(16):
            if self.command(bytes(6)).key is None:
                return
        raise OSError(errno.EIO, f"{self.path} does not become ready")
