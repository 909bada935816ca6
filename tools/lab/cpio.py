# SPDX-License-Identifier: GPL-2.0
"""Writes initramfs archives (cpio, "newc")."""

import os
import stat


class Archive:
    def __init__(self, out):
        self.out = out
        self.inode = 1
        self.known = set()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        raw = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(raw), 0)
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + raw
        self.out.write(head + b"\0" * (-len(head) % 4))
        self.out.write(data + b"\0" * (-len(data) % 4))
        self.inode += 1
        self.known.add(name)

    def _parents(self, name):
        parts = name.split("/")[:-1]
        for n in range(1, len(parts) + 1):
            self.dir("/".join(parts[:n]))

    def dir(self, name):
        name = name.strip("/")
        if name not in self.known:
            self._parents(name)
            self._entry(name, stat.S_IFDIR | 0o755)

    def data(self, name, data, mode=0o644):
        name = name.strip("/")
        if name not in self.known:
            self._parents(name)
            self._entry(name, stat.S_IFREG | mode, data)

    def file(self, name, source):
        with open(source, "rb") as f:
            self.data(name, f.read(), stat.S_IMODE(os.fstat(f.fileno()).st_mode))

    def link(self, name, target):
        name = name.strip("/")
        if name not in self.known:
            self._parents(name)
            self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, major, minor):
        name = name.strip("/")
        self._parents(name)
        self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def end(self):
        self._entry("TRAILER!!!", 0)
