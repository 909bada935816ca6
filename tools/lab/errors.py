# SPDX-License-Identifier: GPL-2.0
"""Exit codes of the lab, and the one exception it reports by a message."""

EXIT_EMULATOR = 98	# the emulator's fault, not the kernel's: try again
EXIT_SPLAT = 99		# the command may have passed, the kernel log has a splat
EXIT_TIMEOUT = 124
EXIT_LAB = 125		# the lab itself failed


class LabError(Exception):
    """Something the lab needs failed; the text is for the user."""


class EmulatorFault(LabError):
    """The emulator lost L1's kernel."""
