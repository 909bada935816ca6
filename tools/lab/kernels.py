# SPDX-License-Identifier: GPL-2.0
"""The kernels the lab knows, and what the root tree of each is made of."""

RECIPE = 1		# raise when roots.py makes a root in another way

COMMON = """
linux-image-amd64 linux-headers-amd64 gcc make libc6-dev pkg-config
qemu-system-x86 qemu-system-data seabios ovmf grub-pc-bin qemu-utils
fio libblkio-dev nvme-cli sg3-utils libiscsi-bin targetcli-fb
busybox-static kmod iproute2 udev e2fsprogs xfsprogs lvm2 dmsetup
trace-cmd strace pciutils util-linux python3 procps
""".split()

KERNEL_BUILD = """
linux-source-6.12 bc flex bison libelf-dev libssl-dev xz-utils rsync cpio ccache
""".split()

# Installed when the suite has them.
OPTIONAL = ["sparse"]


class Root:
    """One Debian tree: compiler, kernel, headers and tools of one suite."""

    def __init__(self, name, suite, packages):
        self.name = name
        self.suite = suite
        self.packages = packages

    def recipe(self):
        return [str(RECIPE), self.suite, *sorted(self.packages), *OPTIONAL]


ROOTS = {
    "6.12": Root("6.12", "trixie", COMMON + KERNEL_BUILD),
    "7.2": Root("7.2", "forky", COMMON),
}

EMULATOR = "7.2"	# the root whose QEMU runs L1
PLUGINS = "6.12"	# the same, with a plugin

# kernel -> the root it is built and run in
KERNELS = {"6.12": "6.12", "7.2": "7.2", "debug": "6.12", "kcsan": "6.12"}

# Those that the lab builds itself (debugkernel.py).
OWN = ("debug", "kcsan")


def root_of(kernel):
    return ROOTS[KERNELS[kernel]]
