#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Kernel: stock
"""What servers measure of a connection is the way to the client, and not the way to the proxy.

netem delays all packets between client and proxy. Servers are behind the proxy, and on its host, where their sockets take
connections over, or rules translate the port. Ports from DIRECT on are not proxied. lib/synproxy/kernels.py draws the hosts.
"""

import dataclasses
import itertools
import pathlib
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from genetlink import Report
from synproxy.hosts import enter, run
from synproxy.kernels import ADDRESSES, CLIENT, KINDS, PROXY, SERVER, TCP_INFO, Network, make_socket

OWN = {4: "10.1.0.1", 6: "fd00:1::1"}
BEHIND, HERE, TRANSLATED_HERE = "behind", "here", "here with another port"
# Each connection has a port of its own; those that are translated on the proxy's host are redirected to one.
PORTS, TRANSLATED, REDIRECTED, DIRECT = itertools.count(80), itertools.count(2000), 1999, itertools.count(10000)
# Milliseconds there and back.
DELAYS = 80, 500
# What the hosts of a machine that is slow take for a segment and its acknowledgement, in milliseconds.
PROCESSING = 10
EXCHANGES = 4
MEGABYTES, FAR = 6, 80
# A transfer through the proxy may take so many times as long as without it.
SLOWEST, REPETITIONS = 1.1, 4
PATIENCE = 60


def distance(milliseconds):
    for host, device in (CLIENT, "eth0"), (PROXY, CLIENT):
        run("ip", "netns", "exec", host, "tc", "qdisc", "replace", "dev", device, "root", "netem", "limit", "100000",
            "delay", f"{milliseconds / 2}ms")


@dataclasses.dataclass(frozen=True)
class Measured:
    """A server's estimates, in milliseconds, and how many segments it retransmitted (struct tcp_info)."""

    smoothed: float
    smallest: float
    retransmissions: int

    @classmethod
    def by(cls, server):
        info = server.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 256)
        smoothed, smallest, sent_again = (struct.unpack_from("=I", info, offset)[0] for offset in (68, 148, 208))
        return cls(smoothed / 1000, smallest / 1000, sent_again)

    def is_true(self, milliseconds):
        most = milliseconds * 1.1 + PROCESSING
        return milliseconds * 0.9 <= self.smallest <= most and self.smoothed <= most and not self.retransmissions


def listen(host, address, port, version, congestion):
    enter(host)
    listener = make_socket(version, KINDS["plain"])
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
    listener.bind((address, port))
    listener.listen(8)
    listener.settimeout(PATIENCE)
    return listener


def receive(one, count):
    while count:
        got = len(one.recv(min(count, 1 << 18)))
        if not got:
            raise ConnectionResetError("closed too early")
        count -= got


class Visit:
    """A connection to a server of its own."""

    def __init__(self, version, congestion, where=BEHIND, port=None):
        self.version = version
        self.port = port or next(TRANSLATED if where == TRANSLATED_HERE else PORTS)
        self.address = (ADDRESSES if where == BEHIND else OWN)[version]
        host, listened = SERVER if where == BEHIND else PROXY, REDIRECTED if where == TRANSLATED_HERE else self.port
        self.listener = listen(host, self.address, listened, version, congestion)

    def __enter__(self):
        enter(CLIENT)
        with self.listener:
            self.client = make_socket(self.version, KINDS["plain"])
            self.client.settimeout(PATIENCE)
            self.client.connect((self.address, self.port))
            self.server, _ = self.listener.accept()
        self.server.settimeout(PATIENCE)
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.close()

    def carry(self, source, sink, count):
        sender = threading.Thread(target=source.sendall, args=(bytes(count),), daemon=True)
        sender.start()
        receive(sink, count)
        sender.join()

    def estimate(self, is_first):
        """What the server has measured after some questions and answers; `is_first` is who speaks first."""
        if is_first:
            self.carry(self.server, self.client, 20)
        for _ in range(EXCHANGES):
            self.carry(self.client, self.server, 100)
            self.carry(self.server, self.client, 1000)
        self.carry(self.client, self.server, 1)
        return Measured.by(self.server)

    def download(self):
        """Seconds until the client has it all."""
        self.carry(self.client, self.server, 1)
        start = time.monotonic()
        self.carry(self.server, self.client, MEGABYTES << 20)
        return time.monotonic() - start


def estimates(report, network):
    for milliseconds, version, options, congestion, where, is_first in itertools.product(
            DELAYS, (4, 6), ("plain", "no timestamps"), ("cubic", "bbr"), (BEHIND, HERE, TRANSLATED_HERE),
            (False, True)):
        distance(milliseconds)
        network.become(CLIENT, KINDS[options])
        name = (f"{milliseconds} ms, IPv{version}, {options}, {congestion}, server {where},"
                f" which speaks {'first' if is_first else 'when asked'}: its estimate is true")
        try:
            with Visit(version, congestion, where) as visit:
                measured = visit.estimate(is_first)
        except OSError as error:
            report.check(name, False, f"{type(error).__name__}: {error}")
            continue
        report.check(name, measured.is_true(milliseconds), measured)


def handshakes(report, network):
    """A socket of this host that takes a connection over has measured the handshake."""
    network.become(CLIENT, KINDS["plain"])
    for milliseconds, version in itertools.product(DELAYS, (4, 6)):
        distance(milliseconds)
        name = f"{milliseconds} ms, IPv{version}, server {HERE}: it knows the way before the first data"
        try:
            with Visit(version, "cubic", HERE) as visit:
                measured = Measured.by(visit.server)
        except OSError as error:
            report.check(name, False, f"{type(error).__name__}: {error}")
            continue
        report.check(name, measured.is_true(milliseconds) and measured.smoothed >= milliseconds * 0.9, measured)


def transfers(report, network):
    distance(FAR)
    for options in "plain", "no timestamps":
        network.become(CLIENT, KINDS[options])
        best = {"proxied": PATIENCE, "direct": PATIENCE}
        name = f"{FAR} ms, {options}, bbr: {MEGABYTES} MB come as fast as without the proxy"
        try:
            # The fastest of each, since BBR does not do the same twice.
            for _ in range(REPETITIONS):
                for way, port in ("proxied", next(PORTS)), ("direct", next(DIRECT)):
                    with Visit(4, "bbr", port=port) as visit:
                        best[way] = min(best[way], visit.download())
        except OSError as error:
            report.check(name, False, f"{type(error).__name__}: {error}")
            continue
        print(f"# {best['proxied']:.2f} s, without the proxy {best['direct']:.2f} s: {options}")
        report.check(name, best["proxied"] <= SLOWEST * best["direct"], best)


def main():
    report, network = Report(), Network()
    for module in "sch_netem", "tcp_bbr":
        run("modprobe", module)
    try:
        network.use("learned")
        for command in "iptables", "ip6tables":
            run(command, "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "2000:9999", "-j", "REDIRECT",
                "--to-ports", str(REDIRECTED))
        for host in SERVER, PROXY:
            # What one connection has measured is not to help the next.
            run("ip", "netns", "exec", host, "sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1")
        handshakes(report, network)
        estimates(report, network)
        transfers(report, network)
    finally:
        network.remove()
    report.finish()


if __name__ == "__main__":
    main()
