# SPDX-License-Identifier: GPL-2.0
"""The machine itself (L0): its Debian mirror and the packages the lab needs."""

import os
import re
import shutil
import subprocess

from cache import say
from errors import LabError

QEMU_MIN = 10
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BACKPORTS = "/etc/apt/sources.list.d/vhost-kernel-lab.sources"

# program -> package
TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "rsync": "rsync",
    "unshare": "util-linux",
    "git": "git",
    "pgrep": "procps",
    "zstd": "zstd",
    "xz": "xz-utils",
}


def codename():
    with open("/etc/os-release") as f:
        found = re.search(r"^VERSION_CODENAME=(\w+)", f.read(), re.M)
    if not found:
        raise LabError("the lab runs on Debian; /etc/os-release has no codename")
    return found.group(1)


def _apt(*args):
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
    done = subprocess.run(["apt-get", "-q", "-y", *args], env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        raise LabError(f"apt-get {' '.join(args)} failed:\n{done.stdout[-2000:]}")


def _index_targets():
    text = subprocess.run(
        ["apt-get", "indextargets", "--format",
         "$(REPO_URI)|$(CODENAME)|$(COMPONENT)|$(ORIGIN)", "Created-By: Packages"],
        text=True, capture_output=True, check=True).stdout
    return [line.split("|") for line in text.splitlines()]


def mirror():
    """The URI this machine gets its own Debian release from."""
    for attempt in range(2):
        for uri, name, component, origin in _index_targets():
            if (name, component, origin) == (codename(), "main", "Debian"):
                return uri
        if not attempt:
            _apt("update")
    raise LabError(f"apt knows no Debian mirror for {codename()}")


def apt_options():
    """Settings of this machine's apt that the mirror may depend on."""
    text = subprocess.run(["apt-config", "dump", "Acquire::Check-Valid-Until"],
                          text=True, capture_output=True).stdout
    return [line for line in text.splitlines() if line.endswith('"false";')]


def _qemu_version(text):
    found = re.search(r"(?:version |:)(\d+)\.", text)
    return int(found.group(1)) if found else 0


def _qemu_installed():
    if not shutil.which("qemu-system-x86_64"):
        return 0
    return _qemu_version(subprocess.run(["qemu-system-x86_64", "--version"],
                                        text=True, capture_output=True).stdout)


def _qemu_candidate():
    text = subprocess.run(["apt-cache", "policy", "qemu-system-x86"], text=True,
                          capture_output=True, env=dict(os.environ, LC_ALL="C")).stdout
    found = re.search(r"Candidate: (\S+)", text)
    return _qemu_version(" " + found.group(1)) if found else 0


def _add_backports():
    suite = codename() + "-backports"
    say(f"adding {suite} to apt for QEMU >= {QEMU_MIN}")
    with open(BACKPORTS, "w") as f:
        f.write(f"Types: deb\nURIs: {mirror()}\nSuites: {suite}\n"
                f"Components: main\nSigned-By: {KEYRING}\n")
    _apt("update")
    return ["-t", suite]


def _install_qemu():
    release = []
    if _qemu_candidate() < QEMU_MIN:
        release = _add_backports()
    say("installing QEMU")
    _apt("install", "--no-install-recommends", *release, "qemu-system-x86")
    if _qemu_installed() < QEMU_MIN:
        raise LabError(f"no QEMU >= {QEMU_MIN} to be had from apt")


def missing_tools():
    need = {pkg for prog, pkg in TOOLS.items() if not shutil.which(prog)}
    if not os.path.exists(KEYRING):
        need.add("debian-archive-keyring")
    return sorted(need)


def setup():
    """Install what L0 lacks; nothing is asked of apt when nothing is missing."""
    tools = missing_tools()
    old_qemu = _qemu_installed() < QEMU_MIN
    if not tools and not old_qemu:
        return
    if os.geteuid() != 0:
        raise LabError("packages are missing and only root can install them: "
                       + " ".join(tools))
    _apt("update")
    if tools:
        say("installing " + " ".join(tools))
        _apt("install", "--no-install-recommends", *tools)
    if old_qemu:
        _install_qemu()
