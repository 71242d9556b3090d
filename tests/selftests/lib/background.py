# SPDX-License-Identifier: GPL-2.0
"""Processes in the background of a test: they send packets, or dump the hooks and the module's state."""

import contextlib
import itertools
import os
import socket
import time
import traceback

from genetlink import Client, Refused
from hook_lists import LOCAL_IN, LOCAL_OUT, POSTROUTING, PREROUTING, HookLists

IPV4, IPV6 = socket.AF_INET, socket.AF_INET6


@contextlib.contextmanager
def in_background(*actions, pause=0):
    """Repeats each action in a process of its own, with a pause in seconds.

    An action is a function that returns the function to repeat. The block starts when each has run once, and the
    processes are killed at its end. One that has failed by then fails the test.
    """
    parent, pids = os.getpid(), []
    ready, again = os.pipe()
    for number, action in enumerate(actions, 1):
        pid = os.fork()
        if pid:
            pids.append(pid)
            continue
        try:
            os.sched_setaffinity(0, {number % os.cpu_count()})
            do = action()
            do()
            os.write(again, b"x")
            while os.getppid() == parent:
                do()
                time.sleep(pause)
        except BaseException:
            traceback.print_exc()
            os.write(again, b"-")
        os._exit(1)
    for _ in actions:
        os.read(ready, 1)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, 9)
        alive = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9 for pid in pids]
        os.close(ready)
        os.close(again)
    if not all(alive):
        raise SystemExit("a process in the background failed")


def dump_hooks(hooks=(PREROUTING, LOCAL_IN, LOCAL_OUT, POSTROUTING), families=(2, 10)):
    """Dumps hooks, and fails if a dump has a hook that never was there."""
    lists = HookLists()

    def read():
        for family, hook in itertools.product(families, hooks):
            for number, priority, module in lists.read(family, hook):
                # The dummy that replaces a removed hook has hook number 0 and no module.
                if number != hook and (number or module):
                    raise SystemExit(f"a hook at {number:#x}, priority {priority}, of module {module!r}")
    return read


def dump_state():
    """Dumps all of the module's state. A list may be gone by the time its entries are dumped."""
    client = Client()

    def read():
        for operation in "chain-get", "rule-get", "list-get", "server-get":
            client.ask(operation, dump=True)
        for one in client.ask("list-get", dump=True):
            with contextlib.suppress(Refused):
                client.ask("entry-get", {"name": dict(one)["name"]}, dump=True)
    return read


def traffic():
    """Sends UDP packets and some SYNs to the loopback addresses."""
    datagrams, connect = packets(50), connections()

    def send():
        datagrams()
        connect()
    return send


def packets(count):
    """Sends UDP packets to the loopback address of each IP version, each from a new connection's port."""
    senders = [(socket.socket(family, socket.SOCK_DGRAM), address)
               for family, address in ((IPV4, "127.0.0.1"), (IPV6, "::1"))]
    ports = itertools.cycle(range(1, 60000))

    def send():
        for (sender, address), _ in itertools.product(senders, range(count)):
            # Nobody listens, which a later send reports. A rule may refuse the packet as well.
            with contextlib.suppress(ConnectionRefusedError, PermissionError):
                sender.sendto(b"x", (address, next(ports)))
    return send


def connections():
    """Sends SYNs to two ports of the loopback addresses."""
    def send():
        for family, address in ((IPV4, "127.0.0.1"), (IPV6, "::1")):
            for port in 80, 81:
                with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connecting:
                    connecting.connect_ex((address, port))
    return send
