# SPDX-License-Identifier: GPL-2.0
"""Root trees: what modules are built in, and what L1 boots into."""

import os
import subprocess

import cache
import host
from cache import say
from errors import LabError
from kernels import OPTIONAL

UNUSED = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*",
          "/usr/share/info/*"]


def path(root):
    return cache.path_of(root.name, root.recipe())


def _command(root, tree):
    optional = " ".join(OPTIONAL)
    # In namespaces of its own: a killed setup leaves neither mounts nor processes.
    args = ["unshare", "--mount", "--pid", "--fork", "--kill-child",
            "--mount-proc", "mmdebstrap", "--quiet", "--variant=minbase",
            "--mode=root", f"--keyring={host.KEYRING}",
            "--dpkgopt=force-unsafe-io",
            f"--include={','.join(root.packages)}",
            "--customize-hook=chroot \"$1\" sh -c "
            f"'for p in {optional}; do apt-get -q -y install $p || :; done'"]
    args += [f"--dpkgopt=path-exclude={p}" for p in UNUSED]
    args += [f"--aptopt={line}" for line in host.apt_options()]
    return args + [root.suite, tree, host.mirror()]


def _make(root, tmp):
    say(f"making the {root.suite} root for {root.name} (about 2 minutes)")
    tree = os.path.join(tmp, "root")
    log = os.path.join(tmp, "mmdebstrap.log")
    env = dict(os.environ, INITRD="No", DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
    with open(log, "w") as f:
        done = subprocess.run(_command(root, tree), env=env, stdout=f,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if done.returncode:
        with open(log) as f:
            raise LabError(f"mmdebstrap {root.suite} failed:\n{f.read()[-3000:]}")
    say(f"the {root.suite} root is ready")


def ensure(root):
    return cache.ensure(root.name, root.recipe(), lambda tmp: _make(root, tmp))


def tree(root):
    """The tree of a root that is there, kept from removal."""
    cache.hold(path(root))
    return os.path.join(path(root), "root")


def release(root):
    """The kernel release (uname -r) installed in @root."""
    found = sorted(os.listdir(os.path.join(path(root), "root/lib/modules")))
    if len(found) != 1:
        raise LabError(f"one kernel expected in {path(root)}, found {found}")
    return found[0]
