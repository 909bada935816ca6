# SPDX-License-Identifier: GPL-2.0
"""Kernel modules of a tree, in the order they have to be loaded."""

import lzma
import os
import subprocess


class Modules:
    def __init__(self, top):
        """@top is a /lib/modules/RELEASE directory."""
        self.top = top
        self.deps = {}
        self.paths = {}
        with open(os.path.join(top, "modules.dep")) as f:
            for line in f:
                path, _, deps = line.partition(":")
                self.paths[self.name_of(path)] = path
                self.deps[path] = deps.split()

    @staticmethod
    def name_of(path):
        return os.path.basename(path).split(".ko")[0].replace("-", "_")

    def closure(self, names):
        """Paths of @names and all they need; unknown names are built in."""
        order = []

        def add(path):
            for dep in reversed(self.deps.get(path, [])):
                add(dep)
            if path not in order:
                order.append(path)

        for name in names:
            if name.replace("-", "_") in self.paths:
                add(self.paths[name.replace("-", "_")])
        return order

    def read(self, path):
        """The bytes of the module, uncompressed."""
        full = os.path.join(self.top, path)
        with open(full, "rb") as f:
            data = f.read()
        if path.endswith(".xz"):
            return lzma.decompress(data)
        if path.endswith(".zst"):
            return subprocess.run(["zstd", "-dc", full], check=True,
                                  stdout=subprocess.PIPE).stdout
        return data

    def pack(self, archive, names, order_file):
        """Put @names into @archive under /modules, and the load order beside."""
        lines = []
        for path in self.closure(names):
            target = f"modules/{self.name_of(path)}.ko"
            archive.data(target, self.read(path))
            lines.append(target)
        archive.data(order_file, ("\n".join(lines) + "\n").encode())
