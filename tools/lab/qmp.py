# SPDX-License-Identifier: GPL-2.0
"""QEMU's machine protocol, over a connected socket."""

import json
import time


class QmpError(Exception):
    """The command failed; .desc is QEMU's text."""

    def __init__(self, error):
        self.desc = error.get("desc", "")
        super().__init__(self.desc)


class Qmp:
    def __init__(self, sock, timeout=180):
        self.sock = sock
        self.timeout = timeout
        self.buffer = b""
        self.events = []
        self._read(lambda msg: "QMP" in msg)
        self.execute("qmp_capabilities")

    def _message(self, deadline):
        while b"\n" not in self.buffer:
            self.sock.settimeout(max(deadline - time.monotonic(), 0.01))
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("QEMU has gone")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def _read(self, wanted, timeout=None):
        deadline = time.monotonic() + (timeout or self.timeout)
        while True:
            msg = self._message(deadline)
            if "event" in msg:
                self.events.append(msg)
            if wanted(msg):
                return msg

    def execute(self, command, **args):
        args = {k.replace("_", "-"): v for k, v in args.items()}
        text = json.dumps({"execute": command, "arguments": args})
        self.sock.settimeout(self.timeout)
        self.sock.sendall(text.encode() + b"\n")
        answer = self._read(lambda msg: "return" in msg or "error" in msg)
        if "error" in answer:
            raise QmpError(answer["error"])
        return answer["return"]

    def wait_event(self, name, timeout=None):
        """The next event @name, also one that came before and was not taken."""
        for number, event in enumerate(self.events):
            if event["event"] == name:
                return self.events.pop(number)
        self._read(lambda msg: msg.get("event") == name, timeout)
        return self.events.pop()
