# SPDX-License-Identifier: GPL-2.0
"""The --nvme option: emulated NVMe drives of L1."""

import os
import re

from errors import LabError

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def size_of(text):
    found = re.fullmatch(r"(\d+)([KMGT]?)", text.upper())
    if not found:
        raise LabError(f"--nvme: '{text}' is no size")
    return int(found.group(1)) * UNITS[found.group(2)]


class Drive:
    """size=1G,ioqpairs=4,poll=0,lba=512,serial=labN"""

    def __init__(self, text, number):
        values = {"size": "1G", "ioqpairs": "4", "poll": "0", "lba": "512",
                  "serial": f"lab{number}"}
        for word in filter(None, text.split(",")):
            key, _, value = word.partition("=")
            if key not in values or not value:
                raise LabError(f"--nvme: '{word}' is unknown; there are "
                               + " ".join(values))
            values[key] = value
        self.size = size_of(values["size"])
        self.ioqpairs = int(values["ioqpairs"])
        self.poll = int(values["poll"])
        self.lba = int(values["lba"])
        self.serial = values["serial"]
        if self.lba not in (512, 4096):
            raise LabError("--nvme: lba is 512 or 4096")

    def create(self, directory):
        path = os.path.join(directory, f"{self.serial}.raw")
        with open(path, "xb") as f:
            f.truncate(self.size)
        return path


def poll_queues(drives):
    """The NVMe driver has one number of poll queues for all drives."""
    return max((d.poll for d in drives), default=0)
