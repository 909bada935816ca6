# SPDX-License-Identifier: GPL-2.0
"""What the tools that measure print."""

import time


class Progress:
    """@steps in all, each told of by step() once it is done: and how long the rest takes if
    it goes on like that."""

    def __init__(self, steps):
        self.steps, self.done = steps, 0
        self.start = time.monotonic()

    def left(self):
        passed = time.monotonic() - self.start
        if not self.done:
            return ""
        left = passed / self.done * (self.steps - self.done)
        return f", {left / 60:.0f} min left" if left > 90 else f", {left:.0f} s left"

    def say(self, text):
        print(f"[{time.monotonic() - self.start:6.1f} s{self.left()}] {text}", flush=True)

    def step(self, text):
        self.done += 1
        self.say(text)


def table(lines):
    """Cells of text; the first line is the head, the first column to the left."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join([line[0].ljust(widths[0]), *(
            cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]).rstrip())
