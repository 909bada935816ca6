# SPDX-License-Identifier: GPL-2.0
"""Programs for guests without the libraries that they never call there.

Debian's fio is linked with ceph, gluster and more, nvme-cli with OpenSSL for
network fabrics: 60 MB that no guest uses and that cost each boot seconds.
Stand-ins of the same name and symbols let them start.
"""

import os
import re
import subprocess
import tempfile

import chroot

KEPT = ("libc.so", "libm.so", "libaio.so", "libnuma.so", "libz.so", "ld-linux",
        "libblkio.so")


def _run(tree, argv, **kwargs):
    return subprocess.run(chroot.command(tree, argv, **kwargs), check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def _needed(tree, program):
    """({library: [versions]}, all libraries) of @program."""
    versions, library = {}, None
    text = _run(tree, ["objdump", "-p", program])
    for line in text.splitlines():
        start = re.match(r"\s+required from (\S+):", line)
        if start:
            library = start.group(1)
            versions[library] = []
        elif library and len(line.split()) == 4:
            versions[library].append(line.split()[3])
    return versions, re.findall(r"NEEDED\s+(\S+)", text)


def _undefined(tree, program):
    """{version, or "" : symbols} that @program wants from libraries."""
    wanted = {}
    for line in _run(tree, ["nm", "-D", "--undefined-only", program]).splitlines():
        name, _, version = line.split()[-1].partition("@")
        if not line.split()[0] == "w":
            wanted.setdefault(version.lstrip("@"), []).append(name)
    return wanted


def _source(directory, library, nodes, plain):
    """The C file and the version script of one stand-in."""
    names = sorted(set().union(plain, *nodes.values()))
    with open(os.path.join(directory, library + ".c"), "w") as f:
        f.writelines(f"void {n}(void) {{ __builtin_trap(); }}\n" for n in names)
    with open(os.path.join(directory, library + ".map"), "w") as f:
        f.writelines(f"{version} {{ global: {' '.join(n + ';' for n in names)} }};\n"
                     for version, names in nodes.items())


def _wanted(tree, program, only):
    """{library: {version: symbols}} of what stands in for @program's libraries:
    those called @only, or without it all but KEPT."""
    versions, needed = _needed(tree, program)
    symbols = _undefined(tree, program)
    foreign = {n: {v: set(symbols.get(v, ())) for v in versions.get(n, ())}
               for n in needed if (n.startswith(only) if only
                                   else not n.startswith(KEPT))}
    # Nobody says which library has those without a version: any will do.
    for nodes in foreign.values():
        nodes.setdefault("", set()).update(symbols.pop("", ()))
    return foreign


def make(tree, programs):
    """{name of library: bytes of its stand-in}; @programs: {path: only}."""
    merged = {}
    for program, only in programs.items():
        for library, nodes in _wanted(tree, program, only).items():
            for version, names in nodes.items():
                merged.setdefault(library, {}).setdefault(version, set()).update(names)
    result = {}
    with tempfile.TemporaryDirectory(prefix="vhost-lab-") as work:
        for library, nodes in merged.items():
            plain = nodes.pop("")
            _source(work, library, nodes, plain)
            script = [f"-Wl,--version-script={library}.map"] if nodes else []
            _run(tree, ["gcc", "-shared", "-fPIC", "-nostdlib", "-w", "-fno-builtin",
                        f"-Wl,-soname={library}", *script, "-o", library,
                        library + ".c"], cwd="/mnt/work", binds=[(work, "/mnt/work")])
            with open(os.path.join(work, library), "rb") as f:
                result[library] = f.read()
    return result
