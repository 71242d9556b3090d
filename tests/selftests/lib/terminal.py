#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs a program in a terminal of its own, and looks at the screen.

terminal.py STEP... -- COMMAND...

    80x24           the terminal has that size from now on; the first step is one of these
    sees PATTERN    a line of the screen matches soon
    lacks PATTERN   soon no line of the screen matches
    types TEXT      somebody types that
    runs COMMAND    a command of the shell succeeds meanwhile
    kills SIGNAL    the program gets a signal
    ends STATUS     the program ends soon, with that exit status, and has left the terminal as it was

What a program cannot do to a screen by moving the cursor, printing and erasing is passed over.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

# Only a failure takes all of it.
PATIENCE = 180
CONTROL = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[^\[]")
UNFINISHED = re.compile(r"\x1b(\[[?0-9;]*)?$")


class Screen:
    """The characters that a program has put on a screen."""

    def __init__(self):
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest, self.modes = "", {}
        self.resize(80, 24)

    def resize(self, width, height):
        self.width, self.height = width, height
        self.row = self.column = 0
        self.cells = [[" "] * width for _ in range(height)]

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def feed(self, data):
        text = self.rest + self.decoder.decode(data)
        unfinished = UNFINISHED.search(text)
        self.rest = unfinished[0] if unfinished else ""
        text = text[:len(text) - len(self.rest)]
        at = 0
        for control in CONTROL.finditer(text):
            self.put(text[at:control.start()])
            if control[2]:
                self.control(control[1], control[2])
            at = control.end()
        self.put(text[at:])

    def put(self, text):
        for character in text:
            if character == "\r":
                self.column = 0
            elif character == "\n":
                self.row = min(self.row + 1, self.height - 1)
            else:
                if self.row < self.height and self.column < self.width:
                    self.cells[self.row][self.column] = character
                self.column += 1

    def control(self, arguments, kind):
        if arguments.startswith("?"):
            self.modes.update((mode, kind) for mode in arguments[1:].split(";"))
            return
        numbers = [int(number or 0) for number in arguments.split(";")]
        if kind == "H":
            row, column = (numbers + [1])[:2]
            self.row, self.column = max(row, 1) - 1, max(column, 1) - 1
        elif kind == "J" and numbers[0] == 2:
            self.cells = [[" "] * self.width for _ in range(self.height)]
        elif kind == "K":
            # Behind the cursor, or the whole line.
            start = 0 if numbers[0] == 2 else self.column
            self.cells[self.row][start:] = [" "] * (self.width - start)


class Terminal:
    def __init__(self, command, width, height):
        self.screen, self.status = Screen(), None
        self.master, self.slave = pty.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        preexec_fn=self.own, env={**os.environ, "TERM": "linux"})

    def own(self):
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def resize(self, width, height):
        self.screen.resize(width, height)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def until(self, condition):
        """Reads what the program prints until the condition holds, or patience is over."""
        end = time.monotonic() + PATIENCE
        while not (holds := condition()) and time.monotonic() < end:
            if select.select([self.master], [], [], 0.2)[0]:
                self.screen.feed(os.read(self.master, 65536))
        return holds

    def sees(self, pattern):
        return self.until(lambda: any(re.search(pattern, line) for line in self.screen.lines()))

    def lacks(self, pattern):
        return self.until(lambda: not any(re.search(pattern, line) for line in self.screen.lines()))

    def types(self, text):
        return os.write(self.master, text.encode().decode("unicode_escape").encode()) > 0

    def runs(self, command):
        return subprocess.run(command, shell=True, stdin=subprocess.DEVNULL).returncode == 0

    def kills(self, name):
        self.process.send_signal(getattr(signal, f"SIG{name}"))
        return True

    def ends(self, status):
        self.until(lambda: self.process.poll() is not None)
        # What it printed last may not be read yet.
        while select.select([self.master], [], [], 0)[0]:
            self.screen.feed(os.read(self.master, 65536))
        modes = self.screen.modes
        print(f"exit status {self.process.returncode}, modes {modes}")
        # 1049 is the alternate screen, 25 the cursor.
        return (self.process.returncode == int(status) and termios.tcgetattr(self.slave) == self.before
                and modes.get("1049", "l") == "l" and modes.get("25", "h") == "h")


def main(arguments):
    split = arguments.index("--")
    (size, *steps), command = arguments[:split], arguments[split + 1:]
    terminal = Terminal(command, *map(int, size.split("x")))
    try:
        for step in steps:
            if re.fullmatch(r"\d+x\d+", step):
                terminal.resize(*map(int, step.split("x")))
                continue
            verb, argument = step.split(" ", 1)
            if not getattr(terminal, verb)(argument):
                print(f"it does not: {step}", *terminal.screen.lines(), sep="\n")
                return 1
    finally:
        if terminal.process.poll() is None:
            terminal.process.kill()
    return 0


sys.exit(main(sys.argv[1:]))
