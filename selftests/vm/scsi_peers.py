# SPDX-License-Identifier: GPL-2.0
"""The same commands to our SCSI target, to the kernel's LIO and to scsi_debug.

Where the three do not agree there must be a reason in WHY, which says who is
alone with its opinion; a reason that does not fit is an error, too. The table
is printed; Documentation/vhost_scsi.md has a copy."""

import os
import re

import sgio
import vt
from bed import expect, expect_equal, test
from devices import HOST, SCSI
from scsi_cdbs import COMMANDS, WHY

LIO = "/sys/kernel/config/target"
LIO_STATE = "/var/target/pr"
SIZE_MB = 64

# scsi_debug takes two locks in one order for WRITE, in the other for COMPARE AND WRITE:
# lockdep says so, of no fault of ours, and then says nothing any more.
ASKED = [c for c in COMMANDS
         if "COMPARE AND WRITE" not in c.name or not os.path.exists("/proc/lockdep")]


def scsi_nodes():
    return {name for name in os.listdir("/sys/class/block") if re.fullmatch(r"sd\w+", name)}


def new_node(before, what):
    return "/dev/" + vt.wait_for(what, lambda: scsi_nodes() - before).pop()


def lio_disk(bed, path):
    """/dev/sdX of LIO's iblock backend on @path, by its loopback fabric."""
    vt.run("modprobe", "-a", "target_core_mod", "target_core_iblock", "tcm_loop")
    core = f"{LIO}/core/iblock_77/peer"
    os.makedirs(core)
    os.makedirs(LIO_STATE, exist_ok=True)
    bed.callback(lambda: (os.rmdir(core), os.rmdir(os.path.dirname(core))))
    vt.write(f"{core}/control", f"udev_path={path}")
    vt.write(f"{core}/enable", 1)
    vt.write(f"{core}/attrib/emulate_tpu", 1)
    vt.write(f"{core}/attrib/emulate_tpws", 1)
    naa = f"{LIO}/loopback/naa.6001405000000077"
    tpg = f"{naa}/tpgt_1"
    before = scsi_nodes()
    os.makedirs(f"{tpg}/lun/lun_0")
    vt.write(f"{tpg}/nexus", "naa.6001405000000078")
    os.symlink(core, f"{tpg}/lun/lun_0/virtual_scsi_port")
    def undo():
        os.unlink(f"{tpg}/lun/lun_0/virtual_scsi_port")
        os.rmdir(f"{tpg}/lun/lun_0")
        os.rmdir(tpg)
        os.rmdir(naa)
    bed.callback(undo)
    return new_node(before, "LIO's disk")


def debug_disk(bed):
    before = scsi_nodes()
    vt.run("modprobe", "scsi_debug", f"dev_size_mb={SIZE_MB}", "lbpu=1", "lbpws=1",
           "lbpws10=1", "lbprz=1", "delay=0", "sector_size=512", "removable=0")
    bed.callback(vt.run, "modprobe", "-r", "scsi_debug")
    return new_node(before, "scsi_debug's disk")


def our_disk(bed, path):
    return SCSI.on_host(bed, "--dev", path)[1]


def ask(disk, command):
    """What is compared: how it ended, and what of the data matters."""
    result = disk.command(command.cdb, command.data_in, command.data_out)
    text = str(result)
    if result.status == sgio.GOOD and command.look:
        text += f" {command.look(result.data)}"
    return text


def wrong(name, said):
    """What does not fit the reason given for @name, or None."""
    alone, _ = WHY.get(name, (None, None))
    ours, lio, debug = said
    if not alone:
        return None if ours == lio == debug else "no reason"
    if ours == lio == debug:
        return "a reason, but all say the same"
    if alone == "LIO" and ours != debug or alone == "scsi_debug" and ours != lio:
        return f"not {alone} is alone"
    if alone == "ours" and ours in (lio, debug):
        return "ours is not alone"
    return None


@test(HOST)
def side_by_side(bed):
    ours = our_disk(bed, bed.memory_disk("ours", size=SIZE_MB).path)
    lio = lio_disk(bed, bed.memory_disk("lio", size=SIZE_MB).path)
    debug = debug_disk(bed)
    bad = []
    with sgio.Disk(ours) as a, sgio.Disk(lio) as b, sgio.Disk(debug) as c:
        for disk in (a, b, c):
            disk.settle()
        bed.note("| command | ours | LIO | scsi_debug | why they differ |")
        bed.note("|---|---|---|---|---|")
        for command in ASKED:
            said = [ask(disk, command) for disk in (a, b, c)]
            if wrong(command.name, said):
                bad.append(f"{command.name}: ours {said[0]}, LIO {said[1]}, "
                           f"scsi_debug {said[2]}: {wrong(command.name, said)}")
            why = WHY.get(command.name, ("", ""))[1]
            bed.note("| " + " | ".join([command.name, *said, why]) + " |")
    expect(not bad, "\n".join(bad))
    expect_equal(len({c.name for c in COMMANDS}), len(COMMANDS), "names")
    expect_equal(set(WHY) - {c.name for c in COMMANDS}, set(), "reasons for nothing")
