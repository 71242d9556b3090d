#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
"""Transfers whose windows and options are translated are as fast as those that bypass the proxy.

netem delays packets by some milliseconds, so that a window that is rescaled too small would slow a transfer down.
lib/synproxy/kernels.py draws the hosts; port 79 is not proxied.
"""

import errno
import itertools
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy.hosts import run
from synproxy.kernels import CLIENT, KINDS, SERVER, Negotiated, Network, connect, listen

# The proxy has no rule for this port.
DIRECT = 79
# The proxy learns a server's options by port, so each transfer has a port of its own.
PORTS = itertools.count(80)
DELAY = "5ms"
MEGABYTES = 6
REPETITIONS, MOST_REPETITIONS = 2, 6
# The fastest proxied transfer may take so many times as long as the fastest direct one.
SLOWEST = 1.5
PATIENCE = 30
# A server of this kind serves at each port first, so that the proxy tells the client of its options.
TOLD = "scale 9"
PAIRS = [("plain", "plain"), ("plain", "scale 14"), ("scale 14", "no scale"), ("plain", "no timestamps"),
         ("scale 14", "scale 0"), ("no timestamps", "scale 14"), ("scale 0", "no sack"), ("no scale", "plain"),
         ("mss 8960", "mss 8960"), ("plain", "nothing")]


def distance():
    """Delays packets from both ends."""
    for name in CLIENT, SERVER:
        run("ip", "netns", "exec", name, "tc", "qdisc", "replace", "dev", "eth0", "root", "netem", "limit", "100000",
            "delay", DELAY)


def timed(network, version, client, server, upload, port):
    """Transfers data in one direction. Returns the seconds from the first byte to the last, and both ends' options."""
    client_kind, server_kind = KINDS[client], KINDS[server]
    network.become(CLIENT, client_kind)
    network.become(SERVER, server_kind)
    with listen(version, server_kind, port) as listener:
        listener.settimeout(PATIENCE)
        with connect(version, client_kind, port, PATIENCE) as client:
            # The proxy opens the connection to the server when it gets the client's ACK or data.
            client.send(b"x")
            server, _ = listener.accept()
            with server:
                server.settimeout(PATIENCE)
                server.recv(1)
                if upload is None:
                    return None
                return transfer(client, server) if upload else transfer(server, client)


def transfer(sender, receiver):
    ends = [Negotiated.of(one) for one in (sender, receiver)]
    wanted, got = MEGABYTES << 20, 0
    start = time.monotonic()
    threading.Thread(target=sender.sendall, args=(bytes(wanted),), daemon=True).start()
    while got < wanted and (data := receiver.recv(1 << 18)):
        got += len(data)
    if got < wanted:
        raise OSError(errno.ECONNRESET, f"closed after {got} bytes")
    return time.monotonic() - start, ends


class Case:
    """A transfer in one direction, with and without the proxy."""

    def __init__(self, version, client, server, upload):
        self.version, self.client, self.server, self.upload = version, client, server, upload
        self.name = f"IPv{version}: client {client}, server {server}, {'up' if upload else 'down'}"
        self.times = {False: [], True: []}
        self.ends = self.problem = None

    def measure(self, network):
        # The proxied one comes first every other time.
        for is_proxied in (True, False)[::1 if len(self.times[True]) % 2 else -1]:
            port = next(PORTS) if is_proxied else DIRECT
            try:
                if is_proxied:
                    timed(network, self.version, self.client, TOLD, None, port)
                taken, ends = timed(network, self.version, self.client, self.server, self.upload, port)
            except OSError as error:
                self.problem = f"{type(error).__name__}: {error}, {'proxied' if is_proxied else 'direct'}"
                return
            self.times[is_proxied].append(taken)
            self.ends = ends if is_proxied else self.ends

    def best(self, is_proxied):
        return min(self.times[is_proxied])

    def is_slow(self):
        return not self.problem and self.best(True) > SLOWEST * self.best(False)


def main():
    report, network = Report(), Network()
    cases = [Case(4 if number % 2 else 6, client, server, upload)
             for number, (client, server) in enumerate(PAIRS) for upload in (False, True)]
    try:
        distance()
        network.use("learned")
        for repetition in range(MOST_REPETITIONS):
            for case in cases:
                # A transfer that seems slow is repeated, since the machine may have been busy.
                if not case.problem and (repetition < REPETITIONS or case.is_slow()):
                    case.measure(network)
    finally:
        network.remove()
    for case in cases:
        if not case.problem:
            print(f"# {MEGABYTES / case.best(True):.2f} MB/s, direct {MEGABYTES / case.best(False):.2f}: {case.name}")
        report.check(case.name, not case.problem and not case.is_slow(), case.problem, case.times, case.ends)
    report.finish()


if __name__ == "__main__":
    main()
