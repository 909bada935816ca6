# SPDX-License-Identifier: GPL-2.0
"""The machine itself (L0): its Debian mirror and the packages the lab needs."""

import os
import re
import shutil
import subprocess

from cache import say
from errors import LabError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

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


def missing_tools():
    need = {pkg for prog, pkg in TOOLS.items() if not shutil.which(prog)}
    if not os.path.exists(KEYRING):
        need.add("debian-archive-keyring")
    return sorted(need)


def setup():
    """Install what L0 lacks; nothing is asked of apt when nothing is missing."""
    tools = missing_tools()
    if not tools:
        return
    if os.geteuid() != 0:
        raise LabError("packages are missing and only root can install them: "
                       + " ".join(tools))
    _apt("update")
    say("installing " + " ".join(tools))
    _apt("install", "--no-install-recommends", *tools)
