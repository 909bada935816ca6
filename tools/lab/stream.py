# SPDX-License-Identifier: GPL-2.0
"""L1's output: passed on as it comes, with marks of the lab between.

A mark is the byte 0x1e, the token of the run, a space and a word, on one line.

When nothing comes for a while an empty line goes to L1: see Documentation/lab.md,
"The emulator's own faults".
"""

import os
import select
import sys
import time

RS = b"\x1e"
BEAT = 3	# seconds


class Stream:
    def __init__(self, sock, token, out=None):
        self.sock = sock
        self.head = RS + token.encode() + b" "
        self.out = out if out is not None else sys.stdout.fileno()
        self.held = b""

    def close(self):
        self.sock.close()

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            pass

    def _write(self, data):
        while data:
            data = data[os.write(self.out, data):]

    def _take_mark(self):
        """Pass on what precedes a mark; the mark when it is there whole."""
        at = self.held.find(RS)
        while at >= 0:
            tail = self.held[at:]
            if not tail.startswith(self.head[:len(tail)]):
                at = self.held.find(RS, at + 1)
                continue
            self._write(self.held[:at])
            self.held = tail
            line, newline, rest = tail.partition(b"\n")
            if not newline:
                return None
            self.held = rest
            return line[len(self.head):].decode()
        self._write(self.held)
        self.held = b""
        return None

    def next_mark(self, deadline):
        """The next mark; "" when L1 has gone, None when the time is over."""
        while True:
            mark = self._take_mark()
            if mark is not None:
                return mark
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if not select.select([self.sock], [], [], min(left, BEAT))[0]:
                self.send(b"\n")
                continue
            try:
                data = self.sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return ""
            self.held += data
