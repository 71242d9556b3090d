# SPDX-License-Identifier: GPL-2.0
"""What the fuzzers share: seeds, when to end, and a record of what was sent last."""

import os
import pathlib
import random
import sys
import time

RECORD_LIMIT = 1 << 20


class Broken(Exception):
    """An invariant does not hold."""


class Record:
    """What was sent last, one line each, in two files that are overwritten in turn.

    It is written before it is sent, to where it survives the kernel's end. The kernel's own log is told
    where a slice begins, so that a complaint stands behind it."""

    def __init__(self, folder, name):
        self.name = name
        self.files = []
        self.log = None
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            # Opened here, because it is a user without rights that writes some of them.
            self.files = [open(f"{folder}/{name}.{number}", "wb", buffering=0) for number in (0, 1)]
        try:
            self.log = open("/dev/kmsg", "wb", buffering=0)
        except OSError:
            pass

    def begin(self, what):
        self.write([f"# {what}"])
        if self.log:
            try:
                self.log.write(f"fuzz {self.name}: {what}\n".encode())
            except OSError:
                self.log = None

    def write(self, lines):
        if not self.files:
            return
        if self.files[0].tell() > RECORD_LIMIT:
            self.files.reverse()
            self.files[0].seek(0)
            self.files[0].truncate()
        self.files[0].write("".join(line + "\n" for line in lines).encode())


class Campaign:
    """Slices of work, each with random numbers of its own, until the time or the number of slices is over."""

    def __init__(self, options, name):
        self.name = name
        self.seed = options.seed
        self.first = options.first
        self.count = options.count
        self.size = options.size
        self.end = None if options.count else time.monotonic() + options.seconds
        self.started = time.monotonic()
        self.reported = self.started
        self.record = Record(options.record, name)

    def slices(self):
        number = self.first
        while self.goes_on(number):
            self.record.begin(f"seed {self.seed} slice {number}")
            yield number, random.Random(f"{self.seed} {self.name} {number}")
            number += 1

    def goes_on(self, number):
        if number == self.first:
            return True
        return number < self.first + self.count if self.count else time.monotonic() < self.end

    def elapsed(self):
        return max(time.monotonic() - self.started, 0.001)

    def progress(self, text, always=False):
        now = time.monotonic()
        if always or now - self.reported >= 10:
            self.reported = now
            print(f"{self.name}: {text}, {self.elapsed():.0f} s", flush=True)

    def say_broken(self, number, reason):
        program = pathlib.Path(sys.argv[0]).name
        print(f"{self.name}: BROKEN with seed {self.seed} in slice {number}: {reason}\n"
              f"{self.name}: to repeat it: {program} --seed {self.seed} --size {self.size} --from {number} --count 1", flush=True)


def add_options(parser, size):
    parser.add_argument("--seed", type=int, default=None, help="what all random numbers follow from")
    parser.add_argument("--seconds", type=float, default=60, help="how long to go on (default 60)")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SLICE", help="the slice to begin with")
    parser.add_argument("--count", type=int, default=0, metavar="SLICES", help="how many slices, instead of --seconds")
    parser.add_argument("--size", type=int, default=size, help=f"how much a slice sends (default {size})")
    folder = "/out/fuzz" if os.access("/out", os.W_OK) else None
    parser.add_argument("--record", metavar="FOLDER", default=folder,
                        help="where to keep what was sent last (default /out/fuzz)")
    parser.add_argument("--replay", metavar="FILE", nargs="+", help="send again what such records hold")


def choose_seed(options):
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {options.seed}", flush=True)
