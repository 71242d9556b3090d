# SPDX-License-Identifier: GPL-2.0
"""What goes on while something is done: packets flow, and others list what is there."""

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
def meanwhile(*actions, pause=0):
    """Runs actions again and again in processes of their own, each of which has done it once before this goes on.

    Between two times they pause for so many seconds.
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
        raise SystemExit("what went on meanwhile has failed")


def lists(hooks=(PREROUTING, LOCAL_IN, LOCAL_OUT, POSTROUTING), families=(2, 10)):
    """Lists hooks, and fails when a list has what was never there."""
    lists = HookLists()

    def read():
        for family, hook in itertools.product(families, hooks):
            for number, priority, module in lists.read(family, hook):
                # What takes the place of a hook that goes has hook 0 and no module.
                if number != hook and (number or module):
                    raise SystemExit(f"a hook at {number:#x}, priority {priority}, of module {module!r}")
    return read


def state():
    """Reads all that the module can be asked for: what is not there any more may be refused."""
    client = Client()

    def read():
        for operation in "chain-get", "rule-get", "list-get", "server-get":
            client.ask(operation, dump=True)
        for one in client.ask("list-get", dump=True):
            with contextlib.suppress(Refused):
                client.ask("entry-get", {"name": dict(one)["name"]}, dump=True)
    return read


def traffic():
    """Sends packets to this machine itself: datagrams, and some SYNs."""
    datagrams, connect = packets(50), connections()

    def send():
        datagrams()
        connect()
    return send


def packets(count):
    """Sends so many datagrams of each IP version to this machine itself, each of a new connection."""
    senders = [(socket.socket(family, socket.SOCK_DGRAM), address)
               for family, address in ((IPV4, "127.0.0.1"), (IPV6, "::1"))]
    ports = itertools.cycle(range(1, 60000))

    def send():
        for (sender, address), _ in itertools.product(senders, range(count)):
            # Nobody listens, and of that a socket that sends hears; a rule may refuse it, too.
            with contextlib.suppress(ConnectionRefusedError, PermissionError):
                sender.sendto(b"x", (address, next(ports)))
    return send


def connections():
    """Sends SYNs to two ports of this machine itself."""
    def send():
        for family, address in ((IPV4, "127.0.0.1"), (IPV6, "::1")):
            for port in 80, 81:
                with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connecting:
                    connecting.connect_ex((address, port))
    return send
