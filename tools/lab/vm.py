# SPDX-License-Identifier: GPL-2.0
"""The command line of L1's QEMU."""

import os

from errors import LabError

WORDS = ("console=ttyS0 quiet panic=-1 nokaslr mitigations=off nowatchdog "
         "no_timer_check tsc=reliable random.trust_cpu=on log_buf_len=4M "
         "cryptomgr.notests audit=0 rdinit=/init")


# TCG executes string instructions an element at a time: with these flags kernel and
# libraries choose bytes as the elements, which takes several times as long.
SLOW_STRINGS = "-erms,-fsrm,-fzrm,-fsrs,-fsrc"


def accel():
    """TCG; KVM only when the user asks for it by LAB_ACCEL=kvm."""
    if os.environ.get("LAB_ACCEL", "tcg") != "kvm":
        return ["-accel", "tcg,thread=multi,tb-size=1024",
                "-cpu", f"max,-la57,{SLOW_STRINGS}"]
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
    except OSError as err:
        raise LabError(f"LAB_ACCEL=kvm, but /dev/kvm does not open: {err.strerror}")
    return ["-accel", "kvm", "-cpu", "host"]


def _p9(tag, path, readonly):
    mode = "on" if readonly else "off"
    return ["-fsdev", f"local,id={tag},path={path},security_model=none,"
            f"readonly={mode},multidevs=remap",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def _nvme(number, drive, path):
    """One drive below a root port of its own, so that it can be unplugged."""
    name = f"nvme{number}"
    device = (f"nvme,id={name},bus=rp{number},drive=drive-{name},"
              f"serial={drive.serial},max_ioqpairs={drive.ioqpairs},"
              f"logical_block_size={drive.lba},physical_block_size={drive.lba}")
    return ["-device", f"pcie-root-port,id=rp{number},chassis={number + 1}",
            "-drive", f"if=none,id=drive-{name},file={path},format=raw,"
            "cache=unsafe,discard=unmap",
            "-device", device]


def command(conf):
    """argv of QEMU for @conf, a Config of run.py."""
    argv = [*conf.emulator.argv(), "-M", "q35", *accel(),
            "-m", str(conf.mem), "-smp", str(conf.cpus),
            "-nodefaults", "-no-user-config", "-no-reboot", "-nic", "none",
            "-display", "none", "-kernel", conf.kernel, "-initrd", conf.initrd,
            "-append", f"{WORDS} {conf.append}".strip(),
            "-serial", f"file:{conf.console}",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=out,fd={conf.out_fd}",
            "-device", "virtserialport,nr=1,chardev=out,name=lab.out"]
    if conf.tty:
        argv += ["-chardev", "stdio,id=tty,signal=off",
                 "-device", "virtconsole,nr=0,chardev=tty"]
    argv += _p9("root", conf.tree, True) + _p9("src", conf.build, False)
    if conf.modules:
        argv += _p9("modules", conf.modules, True)
    for number, (drive, path) in enumerate(conf.drives):
        argv += _nvme(number, drive, path)
    if conf.plugin:
        argv += ["-plugin", conf.plugin]
    if conf.monitor:
        argv += ["-qmp", f"unix:{conf.monitor},server=on,wait=off"]
    return argv
