# SPDX-License-Identifier: GPL-2.0
"""The kernel's fault injection: allocations that fail (Documentation/fault-injection in the kernel)."""

import ctypes
import os
import pathlib

LIBRARY = ctypes.CDLL(None, use_errno=True)
MCL_CURRENT, MCL_FUTURE = 1, 2
DEBUG = pathlib.Path("/sys/kernel/debug")
KINDS = "failslab", "fail_page_alloc"


def is_there():
    """Whether this kernel has fault injection."""
    return pathlib.Path("/proc/self/fail-nth").exists()


def strike(start="0", end="0xffffffffffffffff"):
    """Restricts faults to calls with code between these addresses on the stack. By default, any call may fail."""
    for kind in KINDS:
        if (DEBUG / kind / "require-start").exists():
            (DEBUG / kind / "require-start").write_text(start)
            (DEBUG / kind / "require-end").write_text(end)


def prepare():
    """Lets allocations that may sleep fail, too, wherever they are made, without a message in the log for each."""
    for kind in KINDS:
        (DEBUG / kind / "ignore-gfp-wait").write_text("N")
        (DEBUG / kind / "verbose").write_text("0")
    # packet-faults.sh leaves faults restricted to the module.
    strike()
    (DEBUG / "fail_page_alloc/min-order").write_text("0")


def own_memory():
    """Copies the pages that this process shares with its parent or its children.

    Copying one later (copy on write) is an allocation, which would fail in place of one of the operation.
    """
    if LIBRARY.mlockall(MCL_CURRENT | MCL_FUTURE):
        raise OSError(ctypes.get_errno(), "mlockall")


class Fault:
    """Makes the nth allocation of this thread fail. `injected` then tells whether there was an nth."""

    def __init__(self, nth):
        self.nth = nth
        self.injected = False

    def __enter__(self):
        self.file = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
        os.pwrite(self.file, b"%d" % self.nth, 0)
        return self

    def __exit__(self, *_):
        self.injected = int(os.pread(self.file, 20, 0).strip(b"\n\0") or 0) == 0
        os.pwrite(self.file, b"0", 0)
        os.close(self.file)
