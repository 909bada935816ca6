# SPDX-License-Identifier: GPL-2.0
"""The debug kernels: Debian's 6.12 source with lockdep, KASAN, kmemleak, faults; or
with KCSAN in place of KASAN and kmemleak.

Built in the 6.12 root. The cache entry holds bzImage, modules/RELEASE and tree/,
which is what external modules are built against. (The ELF kernel can not be booted
as in vmlinux.py: with KASAN its PVH entry faults.)
"""

import os
import re
import shutil

import cache
import chroot
import initramfs
import roots
from cache import say
from errors import LabError
from kernels import root_of

RECIPE = "1"
CONFIG = "debug-kernel.config"
# kernel -> a file of options that replace those of CONFIG, words for make
VARIANTS = {"debug": (None, ""), "kcsan": ("kcsan-kernel.config", "KCSAN_SANITIZE=n")}
# For what is built for it: UBSAN loads a volatile bool once more, not as volatile,
# which KCSAN takes for a race.
MODULES = {"debug": [], "kcsan": ["UBSAN_SANITIZE=n"]}
OPTION = re.compile(r"^(?:# )?(CONFIG_\w+)[= ]", re.M)
SOURCE = "/usr/src/linux-source-6.12.tar.xz"

BUILD = r"""
set -e
tar -x --strip-components=1 -f %(source)s
make -s allnoconfig KCONFIG_ALLCONFIG=/mnt/out/config
sed -n 's/^\(CONFIG_[A-Z0-9_]*=[ym]\)$/\1/p' /mnt/out/config | while read -r want; do
	grep -q "^${want%%=*}=[ym]" .config || echo "lab: not set: $want"
done
make -j"$(nproc)" bzImage modules
cp arch/x86/boot/bzImage /mnt/out/bzImage
make -s modules_install INSTALL_MOD_PATH=/mnt/out/inst INSTALL_MOD_STRIP=1 DEPMOD=/sbin/depmod
mv /mnt/out/inst/lib/modules /mnt/out/modules
rm -rf /mnt/out/inst /mnt/out/modules/*/build
make -s run-command KBUILD_RUN_COMMAND='$(srctree)/scripts/package/install-extmod-build /mnt/out/tree'
mkdir -p /mnt/out/tree/tools/testing/selftests
cp tools/testing/selftests/*.h /mnt/out/tree/tools/testing/selftests/
""" % {"source": SOURCE}


def _config(kernel):
    """The options: those of the variant in place of the common ones."""
    text = initramfs.read(CONFIG).decode()
    variant = VARIANTS[kernel][0]
    if not variant:
        return text
    own = initramfs.read(variant).decode()
    replaced = set(OPTION.findall(own))
    kept = [line for line in text.splitlines()
            if not replaced.intersection(OPTION.findall(line))]
    return "\n".join([*kept, own])


def _recipe(kernel):
    return [RECIPE, roots.path(root_of(kernel)), _config(kernel), BUILD,
            *filter(None, [VARIANTS[kernel][1]])]


def path(kernel):
    return cache.path_of(kernel, _recipe(kernel))


def _make(kernel, tmp):
    root = root_of(kernel)
    tree = roots.tree(root)
    work = os.path.join(tmp, "work")
    ccache = os.path.join(cache.top(), "ccache")
    for directory in (work, ccache):
        os.makedirs(directory, exist_ok=True)
    with open(os.path.join(tmp, "config"), "w") as f:
        f.write(_config(kernel))
    log = os.path.join(cache.top(), f"{kernel}-build.log")
    say(f"building the kernel '{kernel}' (11-17 minutes; log in {log})")
    with open(log, "w") as f:
        code = chroot.run(tree, ["sh", "-c", BUILD], cwd="/mnt/work",
                          binds=[(work, "/mnt/work"), (tmp, "/mnt/out"),
                                 (ccache, "/mnt/ccache")],
                          env={"CCACHE_DIR": "/mnt/ccache",
                               "PATH": "/usr/lib/ccache:/usr/sbin:/usr/bin",
                               "MAKEFLAGS": VARIANTS[kernel][1],
                               "KBUILD_BUILD_HOST": "lab", "KBUILD_BUILD_USER": "lab"},
                          stdout=f, stderr=f)
    if code:
        with open(log, errors="replace") as f:
            raise LabError(f"the kernel '{kernel}' does not build:\n"
                           + f.read()[-3000:])
    shutil.rmtree(work)
    say(f"the kernel '{kernel}' is ready")


def ensure(kernel):
    roots.ensure(root_of(kernel))
    return cache.ensure(kernel, _recipe(kernel), lambda tmp: _make(kernel, tmp))


def hold(kernel):
    """Keep it from being removed while this process lives."""
    cache.hold(path(kernel))


def module_dir(kernel):
    """The /lib/modules/RELEASE directory of the kernel."""
    top = os.path.join(path(kernel), "modules")
    return os.path.join(top, os.listdir(top)[0])
