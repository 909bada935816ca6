# SPDX-License-Identifier: GPL-2.0
"""The host's end of the shell in a guest (l2-init.sh is the other end)."""

import base64
import re
import secrets
import time

SILENCE = 10	# seconds without a word
MARK = re.compile(rb"\x1e(ready|[0-9a-f]{16}) (\d+)\n")


class GuestError(Exception):
    """The guest did what it should not: died, restarted, gave no answer."""


class Agent:
    """@ask: called while the guest is silent; says why nothing more will come, or
    nothing."""

    def __init__(self, sock, ask=lambda: None):
        self.sock = sock
        self.ask = ask
        self.buffer = b""

    def _more(self, deadline, what):
        left = deadline - time.monotonic()
        if left <= 0:
            raise GuestError(f"{what}: no answer in time")
        self.sock.settimeout(min(left, SILENCE))
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            why = self.ask()
            if why:
                raise GuestError(f"{what}: {why}") from None
            return
        except ConnectionError:
            data = b""
        if not data:
            raise GuestError(f"{what}: QEMU has gone")
        self.buffer += data

    def _until_mark(self, timeout, what, stream=None):
        """Output up to the next mark; (token, code, output)."""
        deadline = time.monotonic() + timeout
        output = b""
        while True:
            found = MARK.search(self.buffer)
            # A mark may be half there: keep what follows the last 0x1e.
            end = found.start() if found else self.buffer.rfind(b"\x1e")
            end = end if end >= 0 else len(self.buffer)
            if stream and end:
                stream(self.buffer[:end])
            output += self.buffer[:end]
            self.buffer = self.buffer[found.end() if found else end:]
            if found:
                return found.group(1), int(found.group(2)), output
            if len(self.buffer) > 64:
                output, self.buffer = output + self.buffer[:1], self.buffer[1:]
                continue
            self._more(deadline, what)

    def wait_ready(self, timeout):
        token = None
        while token != b"ready":
            token, _, _ = self._until_mark(timeout, "boot")

    def run(self, script, timeout, stream=None):
        """(exit code, output); what runs longer than @timeout is killed: 137."""
        token = secrets.token_hex(8)
        text = base64.b64encode(script.encode()).decode()
        self.sock.settimeout(timeout)
        self.sock.sendall(f"{token} {timeout} {text}\n".encode())
        output = b""
        while True:
            seen, code, part = self._until_mark(timeout + 60, script, stream)
            output += part
            if seen == b"ready":
                raise GuestError(f"{script}: the guest restarted")
            if seen == token.encode():
                return code, output.decode(errors="replace")

    def send(self, script):
        """Start a script whose end nobody waits for."""
        text = base64.b64encode(script.encode()).decode()
        self.sock.sendall(f"{secrets.token_hex(8)} 60 {text}\n".encode())
