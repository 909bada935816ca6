# SPDX-License-Identifier: GPL-2.0
"""Run a command inside a root tree, which stays read-only.

Mounts and processes live in namespaces of their own and go with the command.
"""

import os
import subprocess

ENTER = r"""
set -e
root=$1; shift
mount --rbind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmp "$root/tmp"
mount -t tmpfs mnt "$root/mnt"
mount -t tmpfs run "$root/run"
while [ "$1" != -- ]; do
	mkdir -p "$root$2"
	mount --bind "$1" "$root$2"
	shift 2
done
shift
cwd=$1; shift
exec chroot "$root" /usr/bin/env -i HOME=/tmp LC_ALL=C.UTF-8 \
	PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	sh -c 'cd "$1" && shift && exec env "$@"' sh "$cwd" "$@"
"""


def command(tree, argv, cwd="/", binds=(), env=None):
    """The argv that runs @argv in @tree; @binds are (outside, inside) pairs.

    Inside paths without a directory in the tree belong under /mnt.
    """
    pairs = [os.fspath(p) for pair in binds for p in pair]
    words = [f"{k}={v}" for k, v in (env or {}).items()]
    return ["unshare", "--mount", "--propagation", "private", "--pid", "--fork",
            "--kill-child", "sh", "-c", ENTER, "sh", tree, *pairs, "--", cwd,
            *words, *argv]


def run(tree, argv, **kwargs):
    """Run it and return the exit code."""
    popen = {k: kwargs.pop(k) for k in ("stdout", "stderr") if k in kwargs}
    return subprocess.run(command(tree, argv, **kwargs), stdin=subprocess.DEVNULL,
                          **popen).returncode


def output(tree, argv):
    return subprocess.run(command(tree, argv), stdin=subprocess.DEVNULL, check=True,
                          stdout=subprocess.PIPE, text=True).stdout
