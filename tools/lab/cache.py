# SPDX-License-Identifier: GPL-2.0
"""Cached directories, each named by a hash of what it is made of.

An entry is made under a temporary name and renamed when whole, so what has the
right name is complete. Users hold a shared lock on it; removal needs that lock.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import time

from errors import LabError


def top():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(base, "vhost-kernel")
    os.makedirs(path, exist_ok=True)
    return path


def digest(parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def path_of(name, parts):
    return os.path.join(top(), f"{name}-{digest(parts)}")


class Progress:
    """Lines with the time since the start, on stderr."""

    def __init__(self):
        self.start = time.monotonic()

    def __call__(self, text):
        took = time.monotonic() - self.start
        print(f"lab: [{took:6.1f}s] {text}", file=sys.stderr, flush=True)


say = Progress()


def _flock(path, how):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, how)
    except BaseException:
        os.close(fd)
        raise
    return fd


@contextlib.contextmanager
def locked(name):
    """Only one process at a time makes the entries called @name."""
    path = os.path.join(top(), f"{name}.lock")
    try:
        fd = _flock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waiting for another lab that prepares '{name}'")
        fd = _flock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


def hold(path):
    """Keep the entry @path from being removed while this process lives."""
    if not os.path.isdir(path):
        raise LabError(f"{path} is not there: run 'lab setup' first")
    return _flock(path + ".used", fcntl.LOCK_SH)


def drop(path):
    """Remove the entry @path, unless somebody uses it. True when it is gone."""
    used = path + ".used"
    try:
        fd = _flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        dead = f"{path}.dead"
        shutil.rmtree(dead, ignore_errors=True)
        if os.path.isdir(path):
            os.rename(path, dead)
        shutil.rmtree(dead, ignore_errors=True)
        os.unlink(used)
    finally:
        os.close(fd)
    return True


def _drop_others(name, keep):
    """Older entries of @name, and what killed setups left."""
    for entry in sorted(os.listdir(top())):
        path = os.path.join(top(), entry)
        if not entry.startswith(name + "-") or not os.path.isdir(path):
            continue
        if path == keep:
            continue
        say(f"removing {entry}")
        if not drop(path):
            say(f"{entry} is in use, left alone")


def ensure(name, parts, make):
    """The entry @name made of @parts; make(tmpdir) fills it when it is missing."""
    path = path_of(name, parts)
    if os.path.isdir(path):
        return path
    with locked(name):
        if os.path.isdir(path):
            return path
        _drop_others(name, path)
        tmp = path + ".tmp"
        os.mkdir(tmp)
        make(tmp)
        os.rename(tmp, path)
    return path
